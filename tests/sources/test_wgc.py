"""WGC's answers in JSON and the citations: the published figures, and files that are none."""

from __future__ import annotations

import csv
import json
import re

import pytest

from tests.conftest import bundled_file, day
from tests.sources.damage import ENCODINGS, NO_FILE, assert_encoding_refused, batch_refusal, refusal
from tidemark import pipeline, registry, snapshot, sources, warehouse
from tidemark.errors import (
    BadFigureError,
    DuplicateCellError,
    FailedSuiteError,
    FrozenFileError,
    NotTheFileError,
    RefusedFileError,
    TruncatedFileError,
    UnknownLabelError,
    WrongDateError,
    WrongLayoutError,
)
from tidemark.reading import NOT_AVAILABLE, PUBLISHED, SourceFile
from tidemark.settings import project_root
from tidemark.snapshot import Incoming
from tidemark.sources import wgc

HOLDINGS = registry.dataset("wgc/holdings_api")
DEMAND = registry.dataset("wgc/central_bank_demand")
CITED = registry.dataset("wgc/cited_demand")
FEBRUARY = bundled_file("holdings_api_2026-02-25.json", "wgc")
AUGUST = bundled_file("holdings_api_2026-08-18.json", "wgc")
EDITION_42 = bundled_file("central_bank_demand_2026-04-29.json", "wgc")
EDITION_43 = bundled_file("central_bank_demand_2026-07-30.json", "wgc")
VALIDATED = bundled_file("cited_demand_2025-07-31.1.csv", "wgc")
RELEASED = {HOLDINGS.id: day("2026-08-18"), DEMAND.id: day("2026-07-30"), CITED.id: day("2025-07-31")}
FILES = {HOLDINGS.id: AUGUST, DEMAND.id: EDITION_43, CITED.id: VALIDATED}
JSONS = pytest.mark.parametrize("dataset", [HOLDINGS, DEMAND], ids=lambda dataset: dataset.id)
ALL = pytest.mark.parametrize("dataset", [HOLDINGS, DEMAND, CITED], ids=lambda dataset: dataset.id)
METRICS = ["gold_reserves_tns", "gold_reserves", "fx_reserves", "total_reserves", "holdings_pct"]


def figures(name: str) -> list[dict[str, str]]:
    path = project_root() / "snapshot" / "figures" / "wgc" / name
    with path.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def parsed(dataset, data):
    return sources.parse(dataset, SourceFile("f", data)).observations


def gold(file: SourceFile) -> dict[tuple[str, str], float]:
    """Tonnes by economy and quarter's end."""
    frame = parsed(HOLDINGS, file.data)
    return {(row.label, f"{row.period_end:%Y-%m-%d}"): row.value for row in frame.itertuples()}


def page(file: SourceFile = AUGUST) -> dict:
    return json.loads(file.data)


def metrics(answer: dict) -> dict:
    return answer["chartData"]["linechart"]["QTD_FULL"]


def tonnes(answer: dict, code: str) -> list:
    """The points of an economy."""
    (series,) = (s for s in metrics(answer)["gold_reserves_tns"]["data"] if s["name"] == code)
    return series["data"]


def sent(answer: dict) -> bytes:
    return json.dumps(answer, separators=(",", ":")).encode()


def whole_page(price: float = 4000.0) -> dict:
    """The bundled tonnes, all quoted, and the other metrics as they would agree with them."""
    answer = page()
    chart = metrics(answer)
    for name in METRICS[1:]:
        chart[name] = {"data": []}
    for series in chart["gold_reserves_tns"]["data"]:
        points = [[stamp, None if value == "not quoted" else value] for stamp, value in series["data"]]
        series["data"] = points
        value = [[s, None if t is None else t * 32151 * price / 1e6] for s, t in points]
        fx = [[s, None if t is None else 1000.0] for s, t in points]
        total = [[s, None if v is None else v + 1000.0] for s, v in value]
        share = [[s, None if v is None else 100 * v / (v + 1000.0)] for s, v in value]
        for name, data in zip(METRICS[1:], (value, fx, total, share), strict=True):
            chart[name]["data"].append({"name": series["name"], "data": data})
    return answer


def scaled(answer: dict, metric: str, factor: float) -> dict:
    for series in metrics(answer)[metric]["data"]:
        series["data"] = [[s, v if v is None or v == "not quoted" else v * factor] for s, v in series["data"]]
    return answer


def line_of(file: SourceFile, text: str) -> int:
    return file.data.decode().partition(text)[0].count("\n") + 1


# --- Holdings: what is published ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "name"),
    [(FEBRUARY, "holdings_quarterly_2026-02-25.csv"), (AUGUST, "holdings_quarterly_2026-08.csv")],
)
def test_every_bundled_holding_is_read_and_no_other(file, name):
    rows = figures(name)
    found = gold(file)
    countries = {row["country"] for row in rows}
    codes = {country: code for country in countries for code in [iso3(country)]}
    assert found == {(codes[row["country"]], row["period"]): float(row["tonnes"]) for row in rows}
    assert len(found) == len(rows)
    frame = parsed(HOLDINGS, file.data)
    assert set(frame["unit"]) == {"tonnes"}
    assert set(frame["measure"]) == {"gold"}
    assert set(frame["status"]) == {PUBLISHED}


def iso3(country: str) -> str:
    """By the aliases that the workbooks' names have, not by the table that rendered the file."""
    with (project_root() / pipeline.ALIASES).open(encoding="utf-8", newline="") as seed:
        (code,) = {
            row["holder_id"]
            for row in csv.DictReader(seed)
            if row["source"] == "wgc" and row["dataset"] == "holdings_quarterly" and row["label"] == country
        }
    return code


@pytest.mark.parametrize(
    ("code", "quarter", "february", "august"),
    [
        ("CHN", "2025-12-31", 2306.30, 2306.30),
        ("CHN", "2024-12-31", 2279.56, 2279.56),
        ("RUS", "2025-12-31", 2326.52, 2326.52),
        ("DEU", "2025-09-30", 3350.25, 3350.25),
        ("USA", "2025-09-30", 8133.46, 8133.46),
        ("TUR", "2025-12-31", 613.70, 614.30),
        ("PHL", "2025-12-31", 133.12, 132.97),
    ],
)
def test_published_holdings(code, quarter, february, august):
    assert gold(FEBRUARY)[code, quarter] == february
    assert gold(AUGUST)[code, quarter] == august


def test_safes_ounces_are_wgcs_tonnes():
    assert round(7415 * 10_000 / 32_151, 1) == gold(AUGUST)["CHN", "2025-12-31"] == 2306.3


def test_what_is_not_quoted_is_no_row_and_no_null():
    answer = page()
    assert tonnes(answer, "BOL")[1][1] == "not quoted"
    assert [row for row in gold(AUGUST) if row[0] == "BOL"] == [("BOL", "2024-12-31")]
    assert [metrics(answer)[name] for name in METRICS[1:]] == ["not quoted"] * 4


def test_null_is_not_available_and_no_zero():
    answer = page()
    tonnes(answer, "BOL")[1][1] = None
    (missing,) = parsed(HOLDINGS, sent(answer)).query("value.isna()").to_dict("records")
    assert (missing["label"], missing["status"]) == ("BOL", NOT_AVAILABLE)
    assert 0.0 in gold(AUGUST).values()


def test_all_five_metrics_are_read_each_in_its_unit(check):
    frame = parsed(HOLDINGS, sent(whole_page()))
    units = dict(frame.groupby("measure")["unit"].unique().map(lambda found: found.tolist()))
    assert units == {
        "gold": ["tonnes"],
        "gold_value": ["usd_mn"],
        "fx_reserves": ["usd_mn"],
        "total_reserves": ["usd_mn"],
        "gold_share": ["pct"],
    }
    assert len(frame) == 5 * 642
    checked = sources.with_checks(HOLDINGS, frame)
    assert checked["price_usd_oz"].dropna().round(6).tolist() == [4000.0] * 6
    assert checked["total_gap_pct"].abs().max() < 1e-9
    assert checked["share_gap_points"].abs().max() < 1e-9
    assert checked["share_gap_points"].notna().sum() == 552
    verdict = check(HOLDINGS.name, checked, "whole", pipeline.quality.parameters_of(HOLDINGS))
    assert verdict.success, verdict.problems


def test_one_line_reads_the_same_and_names_in_other_letters_do_no_harm():
    answer = page()
    answer["chartData"]["treeMap"] = {"names": ["Türkiye", "Côte d'Ivoire", "中国"]}
    answer["chartData"]["options"] = {"maxDateAvailable": "2026-03-31"}
    data = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    compact, bundled = parsed(HOLDINGS, data), parsed(HOLDINGS, AUGUST.data)
    assert compact.drop(columns="line").equals(bundled.drop(columns="line"))
    assert set(compact["line"]) == {1}
    china = bundled[bundled["label"] == "CHN"]
    assert set(china["line"]) == {line_of(AUGUST, '"CHN"')}


# --- Demand: what is published --------------------------------------------------------------------------


def demand(data: bytes) -> dict[str, float]:
    frame = parsed(DEMAND, data)
    return {wgc.quarter_name(row.period_end): row.value for row in frame.itertuples()}


@pytest.mark.parametrize(("file", "edition"), [(EDITION_42, "chart id 42"), (EDITION_43, "chart id 43")])
def test_every_figure_of_an_edition_is_read(file, edition):
    rows = [row for row in figures("central_bank_demand.csv") if edition in row["vintage_note"]]
    assert demand(file.data) == {row["quarter"]: float(row["tonnes"]) for row in rows}
    assert len(rows) == {"chart id 42": 65, "chart id 43": 66}[edition]


def test_a_quarter_is_revised_between_editions():
    before, now = demand(EDITION_42.data), demand(EDITION_43.data)
    assert (before["2025Q1"], now["2025Q1"]) == (236.998, 235.874)
    assert (before["2026Q1"], now["2026Q1"]) == (243.664, 56.5173)
    assert before["2010Q4"] == -18.8099
    moved = abs(1 - now["2026Q1"] / before["2026Q1"])
    assert moved < DEMAND.plausible_revision.ratio < moved + 0.05


def test_the_other_series_of_the_chart_are_left_aside():
    answer = json.loads(EDITION_43.data)
    series = answer["chartData"]["Demand_Quarterly"]["series"]
    series.insert(0, {"name": "Technology", "data": [1.0] * 66})
    series.append({"name": "Etfs", "data": [1.0] * 66})
    answer["chartData"]["Supply_Quarterly"] = {"series": [{"name": "Mine production", "data": []}]}
    assert demand(sent(answer)) == demand(EDITION_43.data)


def test_every_cited_row_is_read_as_who_quoted_it_said():
    cited = [row for row in figures("central_bank_demand.csv") if "chart id" not in row["vintage_note"]]
    found = []
    for incoming in snapshot.bundled(CITED):
        frame = parsed(CITED, incoming.data)
        (note,) = {row["vintage_note"] for row in csv.DictReader(incoming.data.decode().splitlines())}
        for row in frame.itertuples():
            year = row.measure == "demand_year"
            period = f"{row.period_end:%Y}FY" if year else wgc.quarter_name(row.period_end)
            found.append((str(incoming.released_on), note, period, row.value))
    assert sorted(found) == sorted(
        (row["released_on"], row["vintage_note"], row["quarter"], float(row["tonnes"])) for row in cited
    )
    assert len(found) == 10


def test_of_two_sources_the_validated_one_is_the_second_issue():
    issues = [i for i in snapshot.bundled(CITED) if str(i.released_on) == "2025-07-31"]
    assert ["goldsilver" in i.data.decode() for i in issues] == [True, False]
    frames = [parsed(CITED, i.data).set_index("period_end")["value"] for i in issues]
    assert [frame["2025-06-30"] for frame in frames] == [166.0, 166.5]


@ALL
def test_reference_values(dataset):
    found = {}
    for incoming in snapshot.bundled(dataset):
        for row in parsed(dataset, incoming.data).itertuples():
            found.setdefault((row.label, f"{row.period_end:%Y-%m-%d}", row.measure), []).append(row.value)
    assert dataset.reference_values
    for reference in dataset.reference_values:
        key = (reference["label"], str(reference["period_end"]), reference["measure"])
        assert reference["value"] in found[key]


# --- What is refused, of each ---------------------------------------------------------------------------


@ALL
@pytest.mark.parametrize(("data", "kind"), NO_FILE)
def test_another_kind_of_file_is_refused(dataset, data, kind):
    refusal(dataset, data, kind)


@ALL
@pytest.mark.parametrize("change", ENCODINGS)
def test_another_encoding_is_refused(dataset, change):
    assert_encoding_refused(dataset, change(FILES[dataset.id].data))


@ALL
def test_the_file_of_another_dataset_is_refused(dataset):
    others = [*(file for name, file in FILES.items() if name != dataset.id)]
    others.append(bundled_file("debt_to_penny_2026-08-21.json", "fiscaldata"))
    for other in others:
        with pytest.raises((NotTheFileError, WrongLayoutError)):
            sources.parse(dataset, other)


@JSONS
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"error":"Not found"}', NotTheFileError),
        (b"[]", NotTheFileError),
        (b"{}", NotTheFileError),
        (b'{"chartData":null}', WrongLayoutError),
        (b'{"chartData":{}}', WrongLayoutError),
        (b'{"chartData":{},"chartData":{}}', WrongLayoutError),
        (b'{"chartData":{"linechart":{"QTD_FULL":[]},"Demand_Quarterly":[]}}', WrongLayoutError),
        (b'{"chartData":{"linechart":{"QTD_FULL":{}},"Demand_Quarterly":{}}}', WrongLayoutError),
        (b'{"chartData":{"linechart":{"LAST_YEAR_END":{}}}}', WrongLayoutError),
        (b'{"chartData":', TruncatedFileError),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, RefusedFileError),
    ],
    ids=range(11),
)
def test_an_answer_that_is_none_is_refused(dataset, data, kind):
    with pytest.raises(kind):
        parsed(dataset, data)


@ALL
def test_a_file_cut_off_is_refused(dataset):
    data = FILES[dataset.id].data.rstrip()
    if dataset is CITED:
        # A citation cut between lines is a shorter citation; it cannot be told.
        for end in range(data.index(b"\n") + 2, len(data) + 1):
            if not data[:end].endswith(b"\n"):
                assert "cut off" in refusal(dataset, data[:end], TruncatedFileError).message
        with pytest.raises(TruncatedFileError):
            sources.edition_date(dataset, SourceFile("f", data))
        return
    for at in (*range(1, len(data), max(1, len(data) // 60)), len(data) - 1):
        with pytest.raises(RefusedFileError):
            parsed(dataset, data[:at])


# --- Holdings: what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS)
def test_a_missing_metric_is_refused_by_name(metric):
    for answer in (page(), whole_page()):
        del metrics(answer)[metric]
        assert repr(metric) in refusal(HOLDINGS, sent(answer), WrongLayoutError, None).message


def test_an_unknown_metric_and_a_page_of_nothing_quoted_are_refused():
    answer = page()
    metrics(answer)["sdr_reserves"] = {"data": []}
    assert "'sdr_reserves'" in refusal(HOLDINGS, sent(answer), WrongLayoutError).message
    answer = page()
    metrics(answer)["gold_reserves_tns"] = "not quoted"
    refusal(HOLDINGS, sent(answer), TruncatedFileError)


@pytest.mark.parametrize("content", ["quoted", None, [], {}, {"data": []}, {"data": {}}, {"data": [1]}])
def test_a_metric_that_is_none_is_refused(content):
    answer = page()
    metrics(answer)["fx_reserves"] = content
    assert "fx_reserves" in refusal(HOLDINGS, sent(answer), WrongLayoutError).message


def test_tonnes_in_another_unit_by_their_word_are_refused():
    answer = page()
    metrics(answer)["gold_reserves_tns"]["unit"] = "Ounces"
    assert "'Ounces'" in refusal(HOLDINGS, sent(answer), WrongLayoutError).message


@pytest.mark.parametrize("name", ["China", "CN", "chn", "", None, 156])
def test_an_economy_that_has_no_code_is_refused(name):
    answer = page()
    metrics(answer)["gold_reserves_tns"]["data"][19]["name"] = name
    refusal(HOLDINGS, sent(answer), WrongLayoutError)


def test_an_unknown_economy_is_refused_by_name(check):
    data = AUGUST.data.replace(b'"CHN"', b'"ATL"')
    error = batch_refusal(
        check, HOLDINGS, data, RELEASED[HOLDINGS.id], UnknownLabelError, line_of(AUGUST, '"CHN"')
    )
    assert "'ATL' is no holder that wgc/holdings_api is known to name" in error.message


def test_an_economy_that_stands_twice_is_refused():
    data = AUGUST.data.replace(b'"CHL"', b'"CHN"')
    assert "gold_reserves_tns of CHN" in refusal(HOLDINGS, data, DuplicateCellError).message


def china_as(literal: str) -> bytes:
    return re.sub(rb"(1767139200000),2306\.3\]", rb"\1," + literal.encode() + b"]", AUGUST.data)


@pytest.mark.parametrize(
    "literal",
    [
        '"2306.3"',
        '"2,306.3"',
        '"null"',
        '""',
        '"n.a."',
        '"-"',
        "true",
        "[1]",
        "{}",
        "1e999",
        "1e400",
        "-1e400",
        "1" + 400 * "0",
        "-1" + 400 * "0",
    ],
)
def test_a_figure_that_is_none_is_refused(literal):
    data = china_as(literal)
    assert data != AUGUST.data
    error = refusal(HOLDINGS, data, BadFigureError, line_of(AUGUST, '"CHN"'))
    assert "gold_reserves_tns of CHN, 2025Q4" in error.message


@pytest.mark.parametrize(
    "stamp",
    [1767052800000, 1767139200001, 1767139200, -1767139200000, 1767139200000.0, "2025-12-31", None, True, 0],
)
def test_a_time_that_ends_no_quarter_is_refused(stamp):
    answer = page()
    tonnes(answer, "CHN")[4][0] = stamp
    error = refusal(HOLDINGS, sent(answer), WrongLayoutError, 1)
    assert "CHN" in error.message


def test_quarters_out_of_order_missing_or_twice_are_refused():
    for change, kind in (
        (lambda points: points.insert(2, points[1]), DuplicateCellError),
        (lambda points: points.pop(2), TruncatedFileError),
        (lambda points: points.reverse(), WrongLayoutError),
    ):
        answer = page()
        for series in metrics(answer)["gold_reserves_tns"]["data"]:
            change(series["data"])
        refusal(HOLDINGS, sent(answer), kind, 1)


def test_a_series_with_other_quarters_or_points_that_are_none_is_refused():
    answer = page()
    tonnes(answer, "CHN").pop()
    assert "other quarters" in refusal(HOLDINGS, sent(answer), WrongLayoutError).message
    for point in ([1767139200000], [1767139200000, 1, 2], {}, 1):
        answer = page()
        tonnes(answer, "CHN")[4] = point
        refusal(HOLDINGS, sent(answer), WrongLayoutError)


@pytest.mark.parametrize("factor", [1000, 0.001, 32.151])
@pytest.mark.parametrize("metric", METRICS)
def test_another_unit_is_refused(check, metric, factor):
    data = sent(scaled(whole_page(), metric, factor))
    batch_refusal(check, HOLDINGS, data, RELEASED[HOLDINGS.id], FailedSuiteError)


@pytest.mark.parametrize("factor", [1000, 0.001])
def test_tonnes_alone_in_another_unit_are_refused(check, factor):
    data = sent(scaled(page(), "gold_reserves_tns", factor))
    error = batch_refusal(check, HOLDINGS, data, RELEASED[HOLDINGS.id], FailedSuiteError)
    assert "another unit" in error.message


@pytest.mark.parametrize("metric", METRICS[:2])
@pytest.mark.parametrize("factor", [1000, 0.001])
def test_one_economy_in_another_unit_is_refused(check, metric, factor):
    answer = whole_page()
    (series,) = (s for s in metrics(answer)[metric]["data"] if s["name"] == "POL")
    series["data"] = [[s, v and v * factor] for s, v in series["data"]]
    error = batch_refusal(check, HOLDINGS, sent(answer), RELEASED[HOLDINGS.id], FailedSuiteError)
    assert "POL" in error.message
    assert "value_ratio" in error.message


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("but", [None, "POL"])
def test_a_metric_of_nulls_is_refused(check, metric, but):
    answer = whole_page()
    for series in metrics(answer)[metric]["data"]:
        if series["name"] != but:
            series["data"] = [[stamp, None] for stamp, _ in series["data"]]
    error = batch_refusal(check, HOLDINGS, sent(answer), RELEASED[HOLDINGS.id], FailedSuiteError)
    assert "reporting_pct" in error.message


def test_a_newest_quarter_that_hardly_anybody_has_is_refused_and_a_sparse_one_is_not(check):
    answer = whole_page()
    for name in METRICS:
        for number, series in enumerate(metrics(answer)[name]["data"]):
            series["data"][-1][1] = series["data"][-1][1] if number < 5 else None
    error = batch_refusal(check, HOLDINGS, sent(answer), RELEASED[HOLDINGS.id], FailedSuiteError)
    assert "newest_reporting_pct" in error.message


def test_a_share_as_a_fraction_is_refused_and_told_so(check):
    data = sent(scaled(whole_page(), "holdings_pct", 0.01))
    error = batch_refusal(check, HOLDINGS, data, RELEASED[HOLDINGS.id], FailedSuiteError)
    assert "in percent and not a fraction" in error.message


def test_an_answer_is_as_old_as_its_release_may_be(check):
    batch_refusal(check, HOLDINGS, FEBRUARY.data, day("2026-08-18"), FrozenFileError, None)
    batch_refusal(check, HOLDINGS, AUGUST.data, day("2026-03-31"), WrongDateError, None)


# --- Demand: what is refused ----------------------------------------------------------------------------


def chart(**changes) -> bytes:
    answer = json.loads(EDITION_43.data)
    answer["chartData"]["Demand_Quarterly"] |= changes
    return sent(answer)


def central_banks(data: list, name: str = "Central banks") -> dict:
    return {"name": name, "data": data}


def test_a_series_that_is_missing_unknown_twice_or_short_is_refused():
    series = json.loads(EDITION_43.data)["chartData"]["Demand_Quarterly"]["series"][0]
    refusal(DEMAND, chart(series=[]), WrongLayoutError)
    refusal(DEMAND, chart(series=[central_banks(series["data"], "Technology")]), WrongLayoutError)
    error = refusal(
        DEMAND, chart(series=[central_banks(series["data"], "Central banks & others")]), WrongLayoutError
    )
    assert "'Central banks & others'" in error.message
    refusal(DEMAND, chart(series=[series, series]), DuplicateCellError)
    refusal(DEMAND, chart(series=[central_banks(series["data"][:-1])]), TruncatedFileError)
    refusal(DEMAND, chart(series=[central_banks("not quoted")]), TruncatedFileError)
    refusal(DEMAND, chart(series={}), WrongLayoutError)
    refusal(DEMAND, chart(series=[series, {"name": {}, "data": []}]), WrongLayoutError)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c[1:],
        lambda c: c[::-1],
        lambda c: [*c[:5], *c[6:], "Q3 '26"],
        lambda c: [*c[:6], c[5], *c[6:-1]],
        lambda c: [2010.1, *c[1:]],
        lambda c: ["Q0 '10", *c[1:]],
        lambda c: ["Q1 2010", *c[1:]],
        lambda c: ["2010Q1", *c[1:]],
    ],
)
def test_categories_that_are_no_unbroken_quarters_are_refused(change):
    categories = json.loads(EDITION_43.data)["chartData"]["Demand_Quarterly"]["categories"]
    refusal(DEMAND, chart(categories=change(categories)), WrongLayoutError)


@pytest.mark.parametrize("figure", ["56.5173", "null", "1,056.5", "", True, [56.5]])
def test_a_demand_that_is_no_figure_is_refused(figure):
    data = json.loads(EDITION_43.data)["chartData"]["Demand_Quarterly"]["series"][0]["data"]
    data[64] = figure
    error = refusal(DEMAND, chart(series=[central_banks(data)]), BadFigureError)
    assert "2026Q1" in error.message


def test_only_the_newest_demand_may_be_null():
    data = json.loads(EDITION_43.data)["chartData"]["Demand_Quarterly"]["series"][0]["data"]
    newest = parsed(DEMAND, chart(series=[central_banks([*data[:-1], None])]))
    assert newest["status"].tolist() == [PUBLISHED] * 65 + [NOT_AVAILABLE]
    for gaps, told in (([64], "2026Q1"), ([64, 65], "2026Q1"), ([0], "2010Q1"), (range(66), "2010Q1")):
        nulled = [None if n in gaps else figure for n, figure in enumerate(data)]
        error = refusal(DEMAND, chart(series=[central_banks(nulled)]), BadFigureError)
        assert f"{told} is null" in error.message


@pytest.mark.parametrize("factor", [1000, 0.001])
def test_demand_in_another_unit_is_refused(check, factor):
    data = json.loads(EDITION_43.data)["chartData"]["Demand_Quarterly"]["series"][0]["data"]
    changed = chart(series=[central_banks([value * factor for value in data])])
    error = batch_refusal(check, DEMAND, changed, RELEASED[DEMAND.id], FailedSuiteError)
    assert "another unit" in error.message


def test_an_edition_that_is_not_moved_on_is_refused(check):
    """Edition 42 answers for ever: offered after edition 43 came out it is frozen."""
    batch_refusal(check, DEMAND, EDITION_42.data, day("2026-08-18"), FrozenFileError, None)
    batch_refusal(check, DEMAND, EDITION_43.data, day("2026-06-30"), WrongDateError, None)


# --- Citations: what is refused -------------------------------------------------------------------------

CITED_TEXT = VALIDATED.data.decode()


@pytest.mark.parametrize(
    ("old", "new", "kind", "line"),
    [
        ("released_on,vintage_note", "date,vintage_note", NotTheFileError, 1),
        ("quarter,tonnes", "tonnes,quarter", WrongLayoutError, 1),
        ("2025Q1,248.6", "2025Q5,248.6", WrongLayoutError, 5),
        ("2025Q1,248.6", "2025,248.6", WrongLayoutError, 5),
        ("2025Q1,248.6", "2025.1,248.6", WrongLayoutError, 5),
        ("2025Q1,248.6", "2025Q1,", BadFigureError, 5),
        ("2025Q1,248.6", "2025Q1,null", BadFigureError, 5),
        ("2025Q1,248.6", "2025Q1,248.61", BadFigureError, 5),
        ("2025Q1,248.6", '2025Q1,"1,248.6"', BadFigureError, 5),
        ("2025Q1,248.6", "2025Q1,248.6,1", WrongLayoutError, 5),
        ("2025Q1,248.6", "2025Q2,248.6", DuplicateCellError, 6),
    ],
)
def test_a_citation_that_is_none_is_refused(old, new, kind, line):
    assert CITED_TEXT.count(old) == 1
    refusal(CITED, CITED_TEXT.replace(old, new).encode(), kind, line)


def test_two_sources_or_releases_in_one_file_and_nobody_named_are_refused():
    first, second, *rest = CITED_TEXT.splitlines()
    for other in (second.replace("2025-07-31", "2025-04-30"), second.replace("goldmonitor", "somebody")):
        refusal(CITED, "\n".join([first, *rest, other, ""]).encode(), WrongLayoutError, 6)
    refusal(CITED, f"{first}\n2025-07-31, ,2025Q1,248.6\n".encode(), WrongLayoutError, 2)
    refusal(CITED, f"{first}\n".encode(), TruncatedFileError, 1)


@pytest.mark.parametrize("factor", [1000, -1000])
def test_a_citation_in_another_unit_is_refused(check, factor):
    data = re.sub(
        r"(?<=,)\d+\.\d(?=\n)", lambda found: f"{float(found[0]) * factor:.1f}", CITED_TEXT
    ).encode()
    batch_refusal(check, CITED, data, RELEASED[CITED.id], FailedSuiteError, 2)


def test_a_citation_is_of_its_own_date(check):
    batch_refusal(check, CITED, VALIDATED.data, day("2025-08-01"), FrozenFileError, 2)
    batch_refusal(check, CITED, VALIDATED.data, day("2025-07-30"), WrongDateError, 2)


# --- The whole way --------------------------------------------------------------------------------------


def rows_of(home, sql: str) -> list[tuple]:
    connection = warehouse.connect(home)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_the_bundled_holdings_load_and_a_damaged_answer_changes_nothing(home):
    loaded = pipeline.ingest(home, HOLDINGS, snapshot.bundled(HOLDINGS))
    # 177 cells stand in both editions, 4 of them with another figure.
    assert [(one.cells, one.rows) for one in loaded] == [(4038, 4038), (552, 552 - 177 + 4)]
    before = rows_of(home, "select * from raw.wgc__holdings_api order by all")

    damaged = china_as('"2,306.3"')
    with pytest.raises(BadFigureError):
        pipeline.ingest(home, HOLDINGS, [Incoming("getPage.json", damaged, day("2026-09-01"), HOLDINGS.url)])
    (reason,) = (json.loads(path.read_text()) for path in home.quarantine.rglob("reason.json"))
    assert (reason["outcome"], reason["line"]) == ("bad_figure", line_of(AUGUST, '"CHN"'))
    (kept,) = home.quarantine.rglob("getPage.json")
    assert kept.read_bytes() == damaged
    assert rows_of(home, "select * from raw.wgc__holdings_api order by all") == before
    assert {row[0] for row in rows_of(home, "select distinct status from raw.wgc__holdings_api")} == {
        "published"
    }


def test_demand_has_its_successive_prints(home):
    for dataset in (DEMAND, CITED):
        pipeline.ingest(home, dataset, snapshot.bundled(dataset))
    prints = rows_of(
        home,
        """
        select value, released_on::varchar, reissue from (
            from raw.wgc__cited_demand where measure = 'demand'
            union all by name from raw.wgc__central_bank_demand
        ) where period_end = '2025-03-31' order by released_on, reissue
        """,
    )
    assert prints == [
        (243.7, "2025-04-30", 0),
        (248.6, "2025-07-31", 1),
        (236.998, "2026-04-29", 0),
        (235.874, "2026-07-30", 0),
    ]
    second = (
        "select value, reissue from raw.wgc__cited_demand where period_end = '2025-06-30' order by reissue"
    )
    assert rows_of(home, second) == [(166.0, 0), (166.5, 1)]
    year = "select value, period_end::varchar from raw.wgc__cited_demand where measure = 'demand_year'"
    assert rows_of(home, year) == [(863.0, "2025-12-31")]
    assert rows_of(home, "select count(*) from raw.wgc__cited_demand") == [(10,)]


def test_the_licence_is_recorded_as_it_is():
    licence = registry.source("wgc").licence
    assert licence["redistribution"] == "extract_only"
    assert "non-commercial" in licence["name"]
