"""The five TIC parsers on what the publisher sends: figures it published, and the spellings it varies."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tests.conftest import BUNDLED, bundled_file, day
from tidemark import registry, sources
from tidemark.reading import NOT_AVAILABLE, PUBLISHED, SUPPRESSED, SourceFile
from tidemark.sources import Parsed
from tidemark.sources.tic import OFFICIAL_ROWS

DATASETS = {dataset.id: dataset for dataset in registry.select("tic")}
TABLE5, TABLE5_LATER = "slt_table5_2026-06-18.txt", "slt_table5_2026-09-16.txt"
TABLE3 = "slt_table3_2026-06-18.txt"
HISTORY = "mfhhis01_2026-03-18.txt"
LEGACY = "mfh_2023-03-15.txt"
CITED, CITED_LATER = "cited_first_prints_2025-12-18.csv", "cited_first_prints_2026-01-15.csv"
EVERY_FILE = (TABLE5, TABLE5_LATER, TABLE3, HISTORY, LEGACY, CITED, CITED_LATER)
REAL_FILES = (TABLE5, TABLE3, HISTORY, LEGACY)
PUBLISHERS_NAME = "Department of the Treasury/Federal Reserve Board"


def dataset_of(name):
    return DATASETS[re.split(r"_\d{4}-", name)[0]]


def parse(name, data):
    return sources.parse(dataset_of(name), SourceFile(name, data))


@cache
def bundled(name) -> Parsed:
    return parse(name, bundled_file(name).data)


def frame(name) -> pd.DataFrame:
    return bundled(name).observations


def text(name) -> str:
    return bundled_file(name).data.decode("ascii")


def lines(name) -> list[str]:
    return bundled_file(name).lines


def crlf(rows) -> bytes:
    return ("\r\n".join(rows) + "\r\n").encode("ascii")


def figure(observations, label, month, **where):
    chosen = observations[
        (observations["label"] == label) & (observations["period_end"].dt.strftime("%Y-%m") == month)
    ]
    for column, value in where.items():
        chosen = chosen[chosen[column] == value]
    (value,) = chosen["value"]
    return value


def assert_same_figures(parsed: Parsed, expected: Parsed):
    """Cell for cell, wherever the rows stand."""

    def in_order(observations):
        keys = [c for c in observations.columns if c not in ("value", "status", "unit", "line")]
        return observations.drop(columns="line").sort_values(keys, ignore_index=True)

    assert_frame_equal(in_order(parsed.observations), in_order(expected.observations))
    assert parsed.edition_date == expected.edition_date


def assert_same(parsed: Parsed, expected: Parsed):
    """Row for row, line for line."""
    assert_frame_equal(parsed.observations, expected.observations)
    assert parsed.edition_date == expected.edition_date


# --- Published figures --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "label", "month", "where", "value"),
    [
        pytest.param(HISTORY, "China, Mainland", "2013-11", {}, 1316.7, id="China's peak"),
        pytest.param(HISTORY, "Japan", "2022-10", {}, 1064.4, id="Japan's low of 2022"),
        pytest.param(HISTORY, "United Kingdom 2/", "2010-06", {"series": "new"}, 94.5, id="UK 2010-06, new"),
        pytest.param(HISTORY, "United Kingdom 2/", "2010-06", {"series": "old"}, 363.6, id="UK 2010-06, old"),
        pytest.param(HISTORY, "United Kingdom 2/", "2000-03", {"series": "new"}, 78.6, id="UK 2000-03, new"),
        pytest.param(HISTORY, "United Kingdom 2/", "2000-03", {"series": "old"}, 235.7, id="UK 2000-03, old"),
        pytest.param(HISTORY, "China, Mainland", "2011-11", {}, 1254.6, id="before the break of Dec 2011"),
        pytest.param(HISTORY, "China, Mainland", "2011-12", {}, 1151.9, id="after the break of Dec 2011"),
        pytest.param(HISTORY, "China, Mainland", "2025-10", {}, 687.7, id="China 2025-10 in the history"),
        pytest.param(TABLE5, "China, Mainland", "2025-10", {}, 687.7, id="China 2025-10"),
        pytest.param(TABLE5, "United Kingdom", "2025-10", {}, 875.4, id="UK 2025-10"),
        pytest.param(TABLE5, "Grand Total", "2026-04", {}, 9352.6, id="Grand Total 2026-04"),
        pytest.param(LEGACY, "Saudi Arabia", "2022-03", {}, 115.5, id="Saudi Arabia 2022-03"),
        pytest.param(LEGACY, "Saudi Arabia", "2022-02", {}, 116.7, id="Saudi Arabia 2022-02"),
        pytest.param(LEGACY, "Israel", "2022-02", {}, 66.0, id="Israel 2022-02"),
        pytest.param(LEGACY, "Israel", "2022-03", {}, 59.5, id="Israel 2022-03"),
        pytest.param(
            TABLE3, "China, Mainland", "2025-10", {"measure": "holdings_total"}, 687710, id="China in USD mn"
        ),
        pytest.param(
            TABLE3, "Austria", "2026-04", {"measure": "net_sales_long_term"}, -53, id="net sales of Austria"
        ),
        pytest.param(CITED, "China, Mainland", "2025-10", {}, 688.7, id="China's first print"),
        pytest.param(CITED, "United Kingdom", "2025-10", {}, 877.9, id="UK's first print"),
    ],
)
def test_published_figure(name, label, month, where, value):
    assert figure(frame(name), label, month, **where) == value


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_every_reference_value_of_the_passport_stands_in_a_bundled_file(dataset):
    names = [name for name in EVERY_FILE if dataset_of(name) == dataset]
    for reference in dataset.reference_values:
        where = {key: reference[key] for key in ("series", "measure") if key in reference}
        found = [
            figure(frame(name), reference["label"], f"{reference['period_end']:%Y-%m}", **where)
            for name in names
            if reference["period_end"] in set(frame(name)["period_end"].dt.date)
        ]
        assert reference["value"] in found


@pytest.mark.parametrize(
    ("name", "edition"),
    [
        (TABLE5, None),
        (TABLE3, None),
        (HISTORY, day("2026-03-18")),
        (LEGACY, day("2023-03-15")),
        (CITED, day("2025-12-18")),
        (CITED_LATER, day("2026-01-15")),
    ],
)
def test_edition_date_is_the_one_in_the_file_read_whole_or_glanced_at(name, edition):
    assert bundled(name).edition_date == edition
    assert sources.edition_date(dataset_of(name), bundled_file(name)) == edition


@pytest.mark.parametrize("name", [HISTORY, LEGACY])
def test_edition_line_is_where_the_date_stands(name):
    number = bundled(name).edition_line
    assert re.search(r"3/18/26|March 15, 2023", lines(name)[number - 1])


# --- Counts -------------------------------------------------------------------------------------------


def test_history_holds_12712_figures_and_six_not_available():
    assert frame(HISTORY)["status"].value_counts().to_dict() == {PUBLISHED: 12_712, NOT_AVAILABLE: 6}


def test_history_runs_from_march_2000_to_december_2025_without_a_gap():
    months = frame(HISTORY)["period_end"].dt.to_period("M").unique()
    assert set(months) == set(pd.period_range("2000-03", "2025-12", freq="M"))


def test_history_doubles_june_of_2002_to_2011_and_march_2000_and_no_other_month():
    series = frame(HISTORY).groupby(frame(HISTORY)["period_end"].dt.strftime("%Y-%m"))["series"].unique()
    doubled = {month: tuple(found) for month, found in series.items() if len(found) > 1}
    expected = {"2000-03", *(f"{year}-06" for year in range(2002, 2012))}
    assert doubled == dict.fromkeys(expected, ("new", "old"))
    assert all(tuple(found) == ("",) for month, found in series.items() if month not in expected)


@pytest.mark.parametrize("name", [TABLE5, TABLE5_LATER])
def test_table5_holds_325_cells(name):
    assert len(frame(name)) == 325
    assert frame(name)["label"].nunique() == 25
    assert frame(name)["period_end"].nunique() == 13
    assert set(frame(name)["status"]) == {PUBLISHED}


def test_table3_holds_6916_country_months_of_seven_measures():
    counts = frame(TABLE3).groupby(["code", "period_end"])["measure"].nunique()
    assert len(counts) == 6_916
    assert set(counts) == {7}
    assert len(frame(TABLE3)) == 6_916 * 7


def test_table3_keeps_not_available_as_not_available():
    printed = sum(line.split("\t").count("n.a.") for line in lines(TABLE3))
    missing = frame(TABLE3)[frame(TABLE3)["status"] == NOT_AVAILABLE]
    assert len(missing) == printed > 0
    assert missing["value"].isna().all()
    assert frame(TABLE3)["value"].isna().sum() == printed


def test_16_countries_have_long_term_holdings_but_no_total_or_short_term_ones_in_any_month():
    available = (
        frame(TABLE3)
        .assign(available=frame(TABLE3)["status"] == PUBLISHED)
        .groupby(["label", "measure"])["available"]
        .agg(["any", "all"])
        .unstack()
    )
    silent = available[
        ~available["any", "holdings_total"]
        & ~available["any", "holdings_short_term"]
        & available["all", "holdings_long_term"]
    ]
    assert len(silent) == 16
    assert {"Poland", "Greece", "Egypt", "Ukraine"} < set(silent.index)


@pytest.mark.parametrize("name", EVERY_FILE)
def test_a_figure_is_told_with_the_line_it_stands_on(name):
    printed = lines(name)
    for row in frame(name).sample(40, replace=True, random_state=1).to_dict("records"):
        line = printed[row["line"] - 1].replace('"', "")
        assert row["label"] in line
        assert re.search(r"n\.a\." if np.isnan(row["value"]) else f"{row['value']:.10g}", line)


# --- The tables among themselves ----------------------------------------------------------------------


@pytest.mark.parametrize("name", [TABLE5, TABLE5_LATER])
def test_countries_and_all_other_sum_to_grand_total_within_0_2_in_every_month(name):
    wide = frame(name).pivot(index="label", columns="period_end", values="value")
    gap = wide.drop(index=[*OFFICIAL_ROWS["slt_table5"], "Grand Total"]).sum() - wide.loc["Grand Total"]
    assert len(gap) == 13
    assert gap.abs().max() < 0.2 + 1e-6


def test_table3_and_table5_of_one_release_agree_after_rounding_in_286_cells():
    table3 = frame(TABLE3).query("measure == 'holdings_total'")
    both = frame(TABLE5).merge(table3, on=["label", "period_end"], suffixes=("", "_mn"))
    assert len(both) == 286
    assert {"Japan", "Grand Total", "Of Which: Foreign Official"} <= set(both["label"])
    assert (both["value"] - both["value_mn"] / 1000).abs().max() <= 0.05 + 1e-9


# --- The publisher's own files ------------------------------------------------------------------------


@pytest.mark.parametrize("name", REAL_FILES)
def test_publishers_file_gives_cell_for_cell_what_the_snapshot_gives(publisher_files, name):
    real = parse(name, (publisher_files / "tic" / name).read_bytes())
    assert_same_figures(real, bundled(name))


@pytest.mark.parametrize("name", REAL_FILES)
def test_edition_date_of_the_publishers_file_is_found_at_a_glance(publisher_files, name):
    file = SourceFile(name, (publisher_files / "tic" / name).read_bytes())
    assert sources.edition_date(dataset_of(name), file) == bundled(name).edition_date


# --- Spellings that vary ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY_FILE)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_line_ends_may_be_lf_or_crlf(name, end):
    data = end.join(lines(name)).encode("ascii")
    assert_same(parse(name, data + end.encode()), bundled(name))


@pytest.mark.parametrize("name", EVERY_FILE)
def test_the_last_line_need_not_end(name):
    assert_same(parse(name, bundled_file(name).data.rstrip(b"\r\n")), bundled(name))


@pytest.mark.parametrize("name", [TABLE5, HISTORY, CITED])
def test_figures_may_have_another_zero(name):
    def longer(line):
        return re.sub(r"(?<=\.\d)(?=[\t,]|$)", "0", line)

    assert_same(parse(name, crlf(map(longer, lines(name)))), bundled(name))


@pytest.mark.parametrize("name", [TABLE5, TABLE3])
def test_prose_with_double_quotes_may_follow_the_notes(name):
    prose = f'as reported on "Aggregate Holdings{chr(9) * lines(name)[0].count(chr(9))}'
    assert_same(parse(name, crlf([*lines(name), prose, ""])), bundled(name))


@pytest.mark.parametrize("width", range(21, 44))
def test_legacy_name_column_may_be_narrower_or_wider(width):
    def resized(line):
        of_columns = len(line) > 100
        return line[:32].ljust(width)[:width] + line[32:] if of_columns else line

    *table, edition = map(resized, lines(LEGACY))
    table += [PUBLISHERS_NAME, edition]
    assert_same_figures(parse(LEGACY, crlf(table)), bundled(LEGACY))


MONTH_ROW = next(i for i, line in enumerate(lines(LEGACY)) if line.split()[:1] == ["Jan"])
MONTH_NAMES, YEARS = (line[32:] for line in lines(LEGACY)[MONTH_ROW : MONTH_ROW + 2])


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        pytest.param(" " * 32 + MONTH_NAMES, "Country".ljust(32) + YEARS, id="as in 2023"),
        pytest.param("Country".ljust(32) + YEARS, " " * 32 + MONTH_NAMES, id="rows swapped"),
        pytest.param("Country".ljust(32) + MONTH_NAMES, " " * 32 + YEARS, id="Country beside the months"),
        pytest.param(" " * 32 + YEARS, "Country".ljust(32) + MONTH_NAMES, id="years above, Country below"),
    ],
)
def test_legacy_months_and_years_may_stand_in_either_row(upper, lower):
    rows = [*lines(LEGACY)[:MONTH_ROW], upper, lower, *lines(LEGACY)[MONTH_ROW + 2 :]]
    assert_same(parse(LEGACY, crlf(rows)), bundled(LEGACY))


def test_legacy_footnotes_may_follow_the_date():
    rows = [*lines(LEGACY), "", " 1/  The data in this table are collected from custodians 1.0 2.0."]
    assert_same(parse(LEGACY, crlf(rows)), bundled(LEGACY))


@pytest.mark.parametrize("more", [1, 2])
def test_history_may_have_more_blank_columns(more):
    rows = [line + "\t" * more for line in lines(HISTORY)]
    assert_same(parse(HISTORY, crlf(rows)), bundled(HISTORY))


def test_history_may_write_whole_figures_with_a_decimal():
    def is_of_figures(line):
        return not line.startswith(("\t", "Country"))

    rows = [
        re.sub(r"(?<=\t)(\d+)(?=\t)", r"\1.0", line) if is_of_figures(line) else line
        for line in lines(HISTORY)
    ]
    assert "\t1200.0\t" in "\n".join(rows)
    assert_same(parse(HISTORY, crlf(rows)), bundled(HISTORY))


@pytest.mark.parametrize("spelling", ["3/18/26", "3/18/2026", "03/18/26", "03/18/2026", " 3/18/2026 "])
def test_history_edition_date_may_be_spelled_differently(spelling):
    data = text(HISTORY).replace("3/18/26\t", f"{spelling}\t").encode("ascii")
    assert parse(HISTORY, data).edition_date == day("2026-03-18")
    assert sources.edition_date(DATASETS["mfhhis01"], SourceFile(HISTORY, data)) == day("2026-03-18")


def test_history_footer_may_tell_revisions_and_footnotes_below_the_date():
    blank = "\t" * 13
    footer = [
        blank,
        f'"(2025 revised March 18, 2026)"{blank}',
        f"*     Less than $50 million.{blank}",
        f'"     as reported in ""Aggregate Holdings"" 1.0"{blank}',
    ]
    assert_same(parse(HISTORY, crlf([*lines(HISTORY), *footer])), bundled(HISTORY))


@pytest.mark.parametrize(
    ("printed", "label"),
    [
        ("Belgium  5/", "Belgium  5/"),
        ("Belgium ", "Belgium"),
        ("  Belgium", "Belgium"),
        ('"Belgium 5/ "', "Belgium 5/"),
    ],
)
def test_history_names_keep_their_footnote_marks_and_lose_their_outer_blanks(printed, label):
    first = next(i for i, line in enumerate(lines(HISTORY)) if line.startswith("Belgium\t"))
    rows = lines(HISTORY)
    rows[first] = rows[first].replace("Belgium", printed)
    parsed = parse(HISTORY, crlf(rows)).observations
    assert figure(parsed, label, "2025-12") == 477.3


@pytest.mark.parametrize("indent", ["", " ", "    "])
def test_history_official_rows_may_be_indented(indent):
    rows = [re.sub(r"^ *(Treasury Bills|T-Bonds)", rf"{indent}\1", line) for line in lines(HISTORY)]
    assert_same(parse(HISTORY, crlf(rows)), bundled(HISTORY))


@pytest.mark.parametrize(("mark", "status"), [("*", SUPPRESSED), ("n.a.", NOT_AVAILABLE)])
@pytest.mark.parametrize(
    ("name", "printed", "label", "month"),
    [
        (TABLE5, "\t96.4\t", "United Arab Emirates", "2025-06"),
        (LEGACY, "   95.7", "Norway", "2022-10"),
        (HISTORY, "\t1130.8\t", "Japan", "2025-03"),
        (CITED, ",688.7,", "China, Mainland", "2025-10"),
    ],
)
def test_a_mark_for_a_missing_figure_is_no_figure(name, printed, label, month, mark, status):
    assert text(name).count(printed) == 1
    margin = printed[0] + (mark.rjust(len(printed) - 1) if name == LEGACY else mark + printed[-1])
    parsed = parse(name, text(name).replace(printed, margin).encode("ascii")).observations
    changed = parsed[parsed["status"] == status]
    changed = changed[changed["period_end"].dt.strftime("%Y-%m") == month]
    assert list(changed["label"]) == [label]
    assert changed["value"].isna().all()


def test_bundled_files_are_all_tried_here():
    assert {path.name for path in BUNDLED.iterdir()} == set(EVERY_FILE)
