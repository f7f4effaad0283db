"""Bad input, kind by kind and layout by layout: each is refused with its file, its line and advice.

Most cases go to the parser or to the checks of a batch, which is where they are found. One of each kind goes
the whole way: bytes in quarantine with the reason, the warehouse and the published release as they were.
"""

from __future__ import annotations

import codecs
import gzip
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.conftest import bundled_file, day
from tidemark import archive, cli, pipeline, registry, sources, warehouse
from tidemark.archive import Release
from tidemark.errors import (
    BadFigureError,
    DuplicateCellError,
    EmptyFileError,
    FailedSuiteError,
    FrozenFileError,
    ImplausibleChangeError,
    NotTheFileError,
    OutdatedCorrectionError,
    RefusedFileError,
    ShrunkenFileError,
    TooLargeError,
    TruncatedFileError,
    UnknownLabelError,
    UnreadableFileError,
    WrongDateError,
    WrongEncodingError,
    WrongLayoutError,
)
from tidemark.reading import SourceFile
from tidemark.settings import Home
from tidemark.snapshot import Incoming

DATASETS = {dataset.id: dataset for dataset in registry.select("tic")}
FILES = {
    "slt_table5": ("slt_table5_2026-06-18.txt", day("2026-06-18")),
    "slt_table3": ("slt_table3_2026-06-18.txt", day("2026-06-18")),
    "mfhhis01": ("mfhhis01_2026-03-18.txt", day("2026-03-18")),
    "mfh": ("mfh_2023-03-15.txt", day("2023-03-15")),
    "cited_first_prints": ("cited_first_prints_2025-12-18.csv", day("2025-12-18")),
}
EVERY_LAYOUT = tuple(FILES)
TABLES = ("slt_table5", "slt_table3", "mfhhis01", "mfh")
LINES = {layout: bundled_file(name).lines for layout, (name, _) in FILES.items()}
DATA = {layout: bundled_file(name).data for layout, (name, _) in FILES.items()}
TEXT = {layout: data.decode("ascii") for layout, data in DATA.items()}
# A row of each layout, and the figure in it that cases replace.
FIGURES = {
    "slt_table5": ("China, Mainland\t651.1\t", "651.1"),
    "slt_table3": ("China, Mainland\t41408\t2026-04\t651072\t", "651072"),
    "mfhhis01": ('"China, Mainland"\t683.5\t', "683.5"),
    "mfh": ("China, Mainland                  859.4 ", "859.4"),
    "cited_first_prints": ('"China, Mainland",2025-10,688.7,', "688.7"),
}
WEB_PAGE = (
    b"<!DOCTYPE html>\r\n<html><head><title>Page not found</title></head><body>\r\n" + b"<p>Sorry.</p>" * 8000
)


def written(rows) -> bytes:
    return ("\r\n".join(rows) + "\r\n").encode("ascii")


def line_of(layout, beginning) -> int:
    """The number, from 1, of the first line that begins so."""
    return next(n for n, line in enumerate(LINES[layout], start=1) if line.startswith(beginning))


def changed(layout, old, new) -> tuple[bytes, int]:
    """The bundled file with its first `old` replaced, and the line that is on."""
    before, found, after = TEXT[layout].partition(old)
    assert found, f"{old!r} does not stand in {layout}"
    return (before + new + after).encode("ascii"), before.count("\n") + 1


def with_figure(layout, token) -> tuple[bytes, int]:
    row, figure = FIGURES[layout]
    if layout == "mfh" and len(token) < 10:
        return changed(layout, row, row.replace(f" {figure.rjust(9)}", f" {token.rjust(9)}"))
    return changed(layout, row, row.replace(figure, token))


def with_line(layout, number, new) -> bytes:
    return written([*LINES[layout][: number - 1], new, *LINES[layout][number:]])


def of_every_line(layout, change) -> bytes:
    return written(change(number, line) for number, line in enumerate(LINES[layout], start=1))


def refusal(layout, data, kind=RefusedFileError, line=...) -> RefusedFileError:
    """The parser's refusal of these bytes, which names the file, the line and what to do."""
    name, _ = FILES[layout]
    with pytest.raises(RefusedFileError) as caught:
        sources.parse(DATASETS[layout], SourceFile(name, data))
    assert_tells(caught.value, name, kind, line)
    return caught.value


def assert_tells(error, name, kind, line):
    assert type(error) is kind or kind is RefusedFileError, error
    if line is not ...:
        assert error.line == line, error
    assert str(error).startswith(f"{name}: " if error.line is None else f"{name}, line {error.line}: ")
    assert error.advice
    assert str(error).endswith(f"\n  -> {error.advice}")


def batch_refusal(check, layout, data, kind, line=..., released_on=None) -> RefusedFileError:
    """The refusal of a release that its parser took, or not: every check at the door."""
    name, own_day = FILES[layout]
    release = Release(
        f"tic/{layout}", released_on or own_day, 0, archive.sha256(data), len(data), name,
        "https://example.org", "published", datetime.now(UTC),
    )  # fmt: skip
    with pytest.raises(RefusedFileError) as caught:
        pipeline.validated_batch(DATASETS[layout], release, data, check)
    assert_tells(caught.value, name, kind, line)
    return caught.value


def no_suite(*_):
    raise AssertionError("this file should not have come as far as its suite")


# --- Something else than the file ---------------------------------------------------------------------


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(WEB_PAGE, "web page", id="HTML"),
        pytest.param(b"\r\n\r\n  <html>\r\n</html>", "web page", id="HTML after blank lines"),
        pytest.param(codecs.BOM_UTF8 + b"<?xml version='1.0'?><Error/>", "web page", id="XML with BOM"),
        pytest.param(b'{"error": "not found", "status": 404}', "JSON", id="JSON object"),
        pytest.param(b'[{"Country": "Japan"}]', "JSON", id="JSON list"),
        pytest.param(b"PK\x03\x04\x14\x00\x06\x00[Content_Types].xml", "workbook", id="workbook"),
    ],
)
def test_another_kind_of_file_is_refused(layout, data, says):
    assert says in refusal(layout, data, NotTheFileError, 1).message


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
@pytest.mark.parametrize(
    "data", [b"404 Not Found", b"404\tNot Found\r\n\r\n", b"Country\t2026-04\r\nJapan\t1.0\r\n"]
)
def test_plain_text_that_is_no_table_is_refused(layout, data):
    refusal(layout, data)


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
@pytest.mark.parametrize(
    "data", [b"", b"\r\n\r\n", b" \t\r\n \t", b"\x00" * 512], ids=["no bytes", "lines", "blanks", "NULs"]
)
def test_an_empty_file_is_refused(layout, data):
    refusal(layout, data, EmptyFileError, None)


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
@pytest.mark.parametrize("other", EVERY_LAYOUT)
def test_the_file_of_another_dataset_is_refused(layout, other):
    if layout != other:
        refusal(layout, DATA[other])


def test_the_legacy_table_is_told_apart_from_the_history_with_the_same_heading():
    assert "mfh.txt" in refusal("mfhhis01", DATA["mfh"], NotTheFileError).advice


@pytest.mark.parametrize("layout", TABLES)
def test_another_unit_is_refused(layout):
    other = {"slt_table3": ("Millions", "Billions")}.get(layout, ("illions", "rillions"))
    refusal(layout, changed(layout, *other)[0])


def test_a_legacy_table_without_its_rows_of_months_is_refused():
    dashes = LINES["mfh"][line_of("mfh", " " * 32 + "---") - 1]
    refusal("mfh", written([dashes, *LINES["mfh"]]), WrongLayoutError, 1)
    refusal("mfh", written([*LINES["mfh"][:5], *LINES["mfh"][7:]]), WrongLayoutError, 5)


# --- Cut off ------------------------------------------------------------------------------------------

# What has to be whole for the figures to be taken.
LAST_NEEDED = {
    "slt_table5": "Notes:",
    "slt_table3": "Notes:",
    "mfhhis01": "3/18/26" + "\t" * 13,
    "mfh": "March 15, 2023",
    "cited_first_prints": "877.9,2025-12-18",
}


def needed(layout) -> int:
    """How many bytes reach to the end of what has to be whole."""
    return TEXT[layout].rindex(LAST_NEEDED[layout]) + len(LAST_NEEDED[layout])


def row_ends(layout) -> list[int]:
    return [found.end() for found in re.finditer(r"\r?\n", TEXT[layout]) if found.end() < needed(layout)]


def assert_cut_is_refused(layout, at):
    data = DATA[layout][:at]
    error = refusal(layout, data)
    assert error.line is None or 1 <= error.line <= data.count(b"\n") + 1


@pytest.mark.parametrize(
    ("layout", "step"), [("slt_table5", 1), ("mfh", 1), ("mfhhis01", 17), ("slt_table3", 61)]
)
def test_a_file_cut_between_two_rows_is_refused_wherever_it_is_cut(layout, step):
    ends = row_ends(layout)
    for at in {*ends[::step], *ends[-12:]}:
        assert_cut_is_refused(layout, at)


@pytest.mark.parametrize(
    ("layout", "step"),
    [("slt_table5", 1), ("mfh", 3), ("mfhhis01", 977), ("slt_table3", 3989), ("cited_first_prints", 1)],
)
def test_a_file_cut_at_any_byte_is_refused(layout, step):
    whole_rows = {0, *row_ends(layout)} | {end - len("\n") for end in row_ends(layout)}
    for at in {*range(0, needed(layout), step), *range(needed(layout) - 40, needed(layout))}:
        # A citation has neither a total nor an end: one that is cut between two rows is a shorter citation.
        if layout != "cited_first_prints" or at not in whole_rows:
            assert_cut_is_refused(layout, at)


@pytest.mark.parametrize("layout", ["slt_table5", "slt_table3", "mfhhis01", "mfh"])
def test_the_bytes_up_to_the_end_of_the_figures_are_enough(layout):
    parsed = sources.parse(DATASETS[layout], SourceFile(FILES[layout][0], DATA[layout][: needed(layout)]))
    assert len(parsed.observations) > 300


@pytest.mark.parametrize("layout", TABLES)
def test_a_cut_before_grand_total_is_called_a_cut_and_the_last_line_is_named(layout):
    rows = LINES[layout][: line_of(layout, "Grand Total") - 1]
    refusal(layout, written(rows), TruncatedFileError, len(rows))


@pytest.mark.parametrize("layout", ["slt_table5", "mfh", "mfhhis01", "cited_first_prints"])
def test_a_cut_in_the_middle_of_a_row_names_that_row(layout):
    row, _ = FIGURES[layout]
    before, _, _ = TEXT[layout].partition(row)
    data = (before + row).encode("ascii")
    kind = WrongLayoutError if layout == "cited_first_prints" else TruncatedFileError
    refusal(layout, data, kind, before.count("\n") + 1)


@pytest.mark.parametrize(
    ("layout", "first", "last"),
    [
        ("slt_table5", "Grand Total", "Grand Total"),
        ("slt_table5", "Israel", "Israel"),
        ("slt_table5", "Israel", "Of Which: Foreign Official T-Bonds"),
        ("slt_table5", "All Other", "Of Which: Foreign Official T-Bonds"),
        ("slt_table3", "Venezuela", "Venezuela"),
        ("slt_table3", "Grand Total", "Of Which: Foreign Official"),
        ("slt_table3", "Grand Total", "Grand Total"),
        ("mfh", "Grand Total", "Grand Total"),
        ("mfh", "Peru", "  T-Bonds"),
        ("mfh", " For. Official", " For. Official"),
        ("mfhhis01", "Grand Total", "Grand Total"),
        ("mfhhis01", "All Other", "T-Bonds"),
        ("mfhhis01", "For. Official", "For. Official"),
    ],
)
def test_rows_lost_from_the_middle_are_missed_though_the_end_is_there(layout, first, last):
    lost = range(line_of(layout, first), line_of(layout, last) + 1)
    rows = [line for n, line in enumerate(LINES[layout], start=1) if n not in lost]
    error = refusal(layout, written(rows), TruncatedFileError)
    assert lost[0] - 1 <= error.line <= len(rows)


YEARS = [n for n, line in enumerate(LINES["mfhhis01"], start=1) if line.startswith("\tDec\t")]


def test_a_block_of_the_history_lost_from_the_middle_is_missed():
    rows = [line for n, line in enumerate(LINES["mfhhis01"], start=1) if not YEARS[3] <= n < YEARS[4]]
    error = refusal("mfhhis01", written(rows), TruncatedFileError, YEARS[3])
    assert "the block of 2021 follows that of 2023" in error.message


@pytest.mark.parametrize(("lost", "says"), [(1, "does not begin with Dec"), (12, "does not end with Jan")])
@pytest.mark.parametrize("block", [0, 1, 5])
def test_a_month_lost_from_the_edge_of_a_block_is_missed(block, lost, says):
    def without_month(number, line):
        cells = line.split("\t")
        in_block = YEARS[block] <= number < YEARS[block + 1]
        return "\t".join([*cells[:lost], *cells[lost + 1 :], ""]) if in_block else line

    data = of_every_line("mfhhis01", without_month)
    assert says in refusal("mfhhis01", data, TruncatedFileError, YEARS[block]).message


def test_a_history_that_ends_before_march_2000_is_cut():
    first = line_of("mfhhis01", "\t" * 10 + "Series 6/")
    rows = [*LINES["mfhhis01"][: first - 1], LINES["mfhhis01"][-1]]
    assert "Mar 2000" in refusal("mfhhis01", written(rows), TruncatedFileError, len(rows)).message


@pytest.mark.parametrize("layout", ["slt_table5", "mfh"])
def test_a_country_lost_from_the_middle_is_missed(layout):
    start, end = line_of(layout, "Japan"), line_of(layout, "All Other")
    for lost in range(start, end):
        data = written(line for n, line in enumerate(LINES[layout], start=1) if n != lost)
        try:
            parsed = sources.parse(DATASETS[layout], SourceFile("lost", data))
        except TruncatedFileError:
            continue
        checked = sources.with_checks(DATASETS[layout], parsed.observations)
        assert checked["closing_gap"].abs().max() > DATASETS[layout].closing.tolerance, LINES[layout][
            lost - 1
        ]


# --- A column more, a column less ---------------------------------------------------------------------


HEADERS = {
    "slt_table5": {6: "2025-03"},
    "slt_table3": {9: "for_gold_pos"},
    "mfhhis01": {6: "Dec", 7: "2024", 8: "------"},
    "mfh": {6: "Dec", 7: "2021", 8: "------"},
    "cited_first_prints": {1: "note"},
}
FIRST_BLOCK = range(6, line_of("mfhhis01", "T-Bonds & Notes") + 1)
SEPARATOR = dict.fromkeys(EVERY_LAYOUT, "\t") | {"cited_first_prints": ","}


def one_more(layout, number, line) -> str:
    """A line with another column, such as the month before the oldest one."""
    prose = number < min(HEADERS[layout])
    cell = HEADERS[layout].get(number, "" if prose else "100")
    if layout == "mfh":
        return line + cell.rjust(8) if len(line) > 100 else line
    if layout == "mfhhis01":
        # Its spare column at the end is blank.
        return f"{line[:-1]}\t{cell}" if number in FIRST_BLOCK and line.strip() else line
    return line + SEPARATOR[layout] + cell


def one_less(layout, number, line) -> str:
    """A line without one of its months or measures."""
    if layout == "mfh":
        return line[:-8] if len(line) > 100 else line
    if layout == "mfhhis01":
        cells = line.split("\t")
        return "\t".join([*cells[:6], *cells[7:]])
    return line.rpartition(SEPARATOR[layout])[0]


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
@pytest.mark.parametrize("change", [one_more, one_less])
def test_a_column_more_or_less_throughout_is_refused(layout, change):
    data = of_every_line(layout, lambda number, line: change(layout, number, line))
    error = refusal(layout, data)
    if layout != "mfhhis01":
        assert isinstance(error, WrongLayoutError)
        assert error.line in HEADERS[layout]


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
@pytest.mark.parametrize("change", [one_more, one_less])
def test_a_column_more_or_less_in_one_row_names_that_row(layout, change):
    _, number = with_figure(layout, "")
    row = change(layout, number, LINES[layout][number - 1])
    refusal(layout, with_line(layout, number, row), WrongLayoutError, number)


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
@pytest.mark.parametrize("change", [one_more, one_less])
def test_a_column_more_or_less_in_the_header_alone_is_refused(layout, change):
    number = min(HEADERS[layout])
    data = with_line(layout, number, change(layout, number, LINES[layout][number - 1]))
    assert refusal(layout, data, WrongLayoutError).line - number in (0, 1)


def test_a_blank_column_between_the_months_is_refused():
    data = of_every_line("slt_table5", lambda _, line: line.replace("\t", "\t\t", 1))
    refusal("slt_table5", data, WrongLayoutError, 6)


def test_a_stray_figure_between_two_columns_of_the_legacy_table_is_refused():
    data, number = changed("mfh", " 859.4   867.1", " 859.4 1 867.1")
    refusal("mfh", data, WrongLayoutError, number)


def test_a_figure_that_slipped_from_below_its_month_is_refused():
    data, number = changed("mfh", "  859.4   867.1", " 859.4    867.1")
    refusal("mfh", data, WrongLayoutError, number)


def test_a_figure_in_a_column_without_a_month_is_refused():
    number = line_of("mfhhis01", "Japan")
    refusal(
        "mfhhis01",
        with_line("mfhhis01", number, LINES["mfhhis01"][number - 1] + "1"),
        WrongLayoutError,
        number,
    )


# --- Twice --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "old", "new"),
    [
        ("slt_table5", "\t2026-03\t", "\t2026-04\t"),
        ("slt_table3", "Austria\t10189\t2026-03", "Austria\t10189\t2026-04"),
        ("mfhhis01", "\tDec\tNov\t", "\tDec\tDec\t"),
        ("mfh", " Dec     Nov ", " Dec     Dec "),
        ("cited_first_prints", ",2025-10,688.7", ",2025-09,688.7"),
    ],
)
def test_a_month_twice_is_refused_where_no_series_break_is_declared(layout, old, new):
    data, number = changed(layout, old, new)
    # The legacy table has its years, which a month belongs to, in the row below.
    refusal(layout, data, DuplicateCellError, number + (layout == "mfh"))


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
def test_a_row_twice_is_refused(layout):
    _, number = with_figure(layout, "")
    rows = [*LINES[layout][:number], *LINES[layout][number - 1 :]]
    refusal(layout, written(rows), DuplicateCellError, number + 1)


BREAKS = [n for n, line in enumerate(LINES["mfhhis01"], start=1) if "Series" in line]


@pytest.mark.parametrize("number", BREAKS)
def test_a_doubled_month_without_its_series_marks_is_refused(number):
    assert len(BREAKS) == 11
    blank = with_line(
        "mfhhis01", number, re.sub(r"Series( \d+/)?(?=\D*$)", "", LINES["mfhhis01"][number - 1])
    )
    assert "no series break" in refusal("mfhhis01", blank, DuplicateCellError, number + 2).message


@pytest.mark.parametrize("drop", [1, 2], ids=["marks", "marks and numerals"])
def test_a_doubled_month_is_refused_where_the_rows_of_marks_are_gone(drop):
    number = BREAKS[-1]
    rows = [*LINES["mfhhis01"][: number - 1], *LINES["mfhhis01"][number - 1 + drop :]]
    refusal("mfhhis01", written(rows), DuplicateCellError, number + 2 - drop)


def test_series_marks_above_other_months_declare_nothing():
    number = BREAKS[-1]
    shifted = f"\t{LINES['mfhhis01'][number - 1][:-1]}"
    refusal("mfhhis01", with_line("mfhhis01", number, shifted), DuplicateCellError, number + 2)


def test_a_month_three_times_is_refused_though_a_break_is_declared():
    data, number = changed("mfhhis01", "Jun\tJun\tMay", "Jun\tJun\tJun")
    refusal("mfhhis01", data, DuplicateCellError, number)


# --- Names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "old", "new"),
    [
        ("slt_table5", "Saudi Arabia\t", "Atlantis\t"),
        ("slt_table5", "Japan\t", "japan\t"),
        ("slt_table5", "Japan\t", "Japan 9/\t"),
        ("slt_table3", "Austria\t10189", "Atlantis\t10189"),
        ("slt_table3", "Austria\t10189", "Austria\t10190"),
        ("mfhhis01", "Oil Exporters 3/", "Oil Exporters 8/"),
        ("mfh", "Saudi Arabia", "Atlantis    "),
        ("cited_first_prints", "United Kingdom", "Great Britain"),
    ],
)
def test_an_unknown_holder_is_refused(layout, old, new):
    before, _, _ = TEXT[layout].partition(old)
    data = TEXT[layout].replace(old, new).encode("ascii")
    error = batch_refusal(no_suite, layout, data, UnknownLabelError, before.count("\n") + 1)
    assert repr(new.partition("\t")[0].strip()) in error.message
    assert "holder_aliases.csv" in error.advice


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
def test_figures_without_a_name_are_refused(layout):
    name = {"mfhhis01": '"China, Mainland"', "cited_first_prints": '"China, Mainland"'}.get(
        layout, "China, Mainland"
    )
    blank = " " * len(name) if layout == "mfh" else ""
    data, number = changed(layout, name, blank)
    batch_refusal(no_suite, layout, data, RefusedFileError, number)


# --- Figures that are none ----------------------------------------------------------------------------


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
@pytest.mark.parametrize(
    "token",
    ["abc", "-", "n/a", "N.A.", "1.2.3", "12x", "NaN", "inf", "1e3", "(12.3)", "12.", ".5", "#REF!", "**"],
)
def test_text_where_a_figure_stands_is_refused(layout, token):
    data, number = with_figure(layout, token)
    assert repr(token) in refusal(layout, data, BadFigureError, number).message


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
def test_a_blank_where_a_figure_stands_is_refused(layout):
    data, number = with_figure(layout, "")
    refusal(layout, data, WrongLayoutError if layout == "mfh" else BadFigureError, number)


@pytest.mark.parametrize(
    ("layout", "total", "figure"),
    [
        ("slt_table5", "Grand Total\t9352.6", "9352.6"),
        ("slt_table3", "Grand Total\t99996\t2026-04\t9352646", "9352646"),
        ("mfhhis01", "Grand Total\t9271", "9271"),
        ("mfh", "Grand Total                     7402.5", "7402.5"),
    ],
)
def test_a_grand_total_that_is_not_available_is_refused(layout, total, figure):
    data, number = changed(
        layout, total, total.replace(figure, "n.a.".rjust(6) if layout == "mfh" else "n.a.")
    )
    assert "a total always is" in refusal(layout, data, BadFigureError, number).message


@pytest.mark.parametrize("token", ["651.1", "*", "6.5", "6259.0"])
def test_table3_takes_whole_millions_and_no_other_mark_than_not_available(token):
    data, number = with_figure("slt_table3", token)
    refusal("slt_table3", data, BadFigureError, number)


@pytest.mark.parametrize(
    ("layout", "token"),
    [
        ("slt_table5", "1,651.1"),
        ("slt_table5", "1,234,651.1"),
        ("slt_table3", "651,113"),
        ("slt_table3", "-1,651"),
        ("mfhhis01", '"1,683.5"'),
        ("mfhhis01", "1,683.5"),
        ("mfh", "1,859.4"),
        ("cited_first_prints", '"1,688.7"'),
    ],
)
def test_thousands_separators_are_refused_and_named(layout, token):
    data, number = with_figure(layout, token)
    assert "thousands separators" in refusal(layout, data, BadFigureError, number).message


def test_a_thousands_separator_without_quotes_is_a_column_more_in_a_citation():
    data, number = with_figure("cited_first_prints", "1,688.7")
    refusal("cited_first_prints", data, WrongLayoutError, number)


# --- Figures that cannot be ---------------------------------------------------------------------------


def scaled(layout, factor) -> str:
    figure = FIGURES[layout][1]
    return f"{float(figure) * factor:.{len(figure.partition('.')[2])}f}"


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
@pytest.mark.parametrize(
    ("factor", "says"), [(-1, "neither negative"), (1000, "larger than the whole market")]
)
def test_a_negative_or_absurd_figure_is_refused(check, layout, factor, says):
    data, number = with_figure(layout, scaled(layout, factor))
    error = batch_refusal(check, layout, data, FailedSuiteError, number)
    assert says in error.message
    assert "China, Mainland" in error.message


@pytest.mark.parametrize(
    ("layout", "total", "says"),
    [
        ("slt_table5", "Grand Total", "must sum to Grand Total"),
        ("mfhhis01", "Grand Total", "must sum to Grand Total"),
        ("mfh", "Grand Total", "must sum to Grand Total"),
        ("slt_table3", "China, Mainland", "long-term and short-term must sum to the total"),
    ],
)
def test_parts_that_do_not_sum_to_the_total_are_refused_and_the_total_is_named(check, layout, total, says):
    data, _ = with_figure(layout, scaled(layout, 1.01))
    error = batch_refusal(check, layout, data, FailedSuiteError, line_of(layout, total))
    assert says in error.message


def test_table3_totals_that_do_not_sum_are_refused(check):
    number = line_of("slt_table3", "Grand Total")
    cells = LINES["slt_table3"][number - 1].split("\t")
    for column in (3, 5):
        cells[column] = str(int(cells[column]) + 1000)
    data = with_line("slt_table3", number, "\t".join(cells))
    error = batch_refusal(check, "slt_table3", data, FailedSuiteError, number)
    assert "Official and Non-Official must sum" in error.message
    assert "countries and organisations must sum" in error.message


def test_official_bills_and_bonds_that_do_not_sum_are_refused(check):
    data, number = changed(
        "slt_table5", "Of Which: Foreign Official\t3906.5", "Of Which: Foreign Official\t3916.5"
    )
    error = batch_refusal(check, "slt_table5", data, FailedSuiteError, number)
    assert "must sum to Foreign Official" in error.message


def test_a_table_in_millions_is_refused_where_billions_are_due(check):
    def in_millions(number, line):
        return re.sub(r"\b(\d+)\.(\d)\b", r"\1\g<2>00", line) if number > 6 else line

    data = of_every_line("slt_table5", in_millions)
    batch_refusal(check, "slt_table5", data, FailedSuiteError, 7)


# --- Other encodings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(lambda text: text.encode("utf-16"), id="UTF-16"),
        pytest.param(lambda text: text.encode("utf-16-le"), id="UTF-16 little-endian, no mark"),
        pytest.param(lambda text: text.encode("utf-16-be"), id="UTF-16 big-endian, no mark"),
        pytest.param(lambda text: text.encode("utf-8-sig"), id="UTF-8 with a mark"),
        pytest.param(lambda text: text.encode("cp037"), id="EBCDIC"),
        pytest.param(lambda text: gzip.compress(text.encode("ascii"), mtime=0), id="gzip"),
    ],
)
def test_a_file_in_another_encoding_is_refused(layout, encode):
    refusal(layout, encode(TEXT[layout]), WrongEncodingError, 1)


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("Chin\xe1".encode("latin-1"), id="Latin-1"),
        pytest.param("Chin\xe1".encode(), id="UTF-8"),
        pytest.param(b"China\x00", id="NUL"),
        pytest.param(b"China\r", id="lone CR"),
        pytest.param(b"China\x1a", id="control character"),
        pytest.param(b"China\xa0", id="no-break space"),
    ],
)
def test_a_byte_that_is_no_text_is_refused_where_it_stands(layout, damage):
    before, _, after = DATA[layout].partition(b"China")
    refusal(layout, before + damage + after, WrongEncodingError, before.count(b"\n") + 1)


# --- Old files served again ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "released_on", "kind", "line"),
    [
        pytest.param("mfh", "2026-10-16", FrozenFileError, 56, id="the legacy table as current"),
        pytest.param("mfh", "2023-04-17", FrozenFileError, 56, id="the legacy table a month later"),
        pytest.param("mfh", "2023-02-15", WrongDateError, 56, id="the legacy table under an earlier date"),
        pytest.param("mfhhis01", "2026-09-16", FrozenFileError, 1217, id="an old history"),
        pytest.param("mfhhis01", "2026-02-18", WrongDateError, 1217, id="a history under an earlier date"),
        pytest.param("slt_table5", "2026-10-16", FrozenFileError, None, id="an old Table 5"),
        pytest.param("slt_table3", "2026-10-16", FrozenFileError, None, id="an old Table 3"),
        pytest.param("slt_table5", "2026-04-30", WrongDateError, None, id="Table 5 before its month ended"),
        pytest.param("slt_table3", "2026-04-15", WrongDateError, None, id="Table 3 before its month ended"),
        pytest.param("cited_first_prints", "2026-01-15", FrozenFileError, 2, id="a citation of another day"),
    ],
)
def test_a_file_under_a_date_that_is_not_its_own_is_refused(layout, released_on, kind, line):
    batch_refusal(no_suite, layout, DATA[layout], kind, line, day(released_on))


def test_a_legacy_table_dated_after_the_last_one_is_refused():
    data, _ = changed("mfh", "March 15, 2023", "April 17, 2023")
    error = batch_refusal(no_suite, "mfh", data, FrozenFileError, None, day("2023-04-17"))
    assert "ended with the release of 2023-03-15" in error.message


@pytest.mark.parametrize(
    ("layout", "old", "new"),
    [
        ("mfh", "March 15, 2023", "March 95, 2023"),
        ("mfh", "March 15, 2023", "February 30, 2023"),
        ("mfhhis01", "3/18/26", "13/18/26"),
        ("mfhhis01", "3/18/26", "2/30/2026"),
        ("cited_first_prints", "2025-12-18", "2025-12-32"),
        ("cited_first_prints", "2025-12-18", "20251218"),
        ("cited_first_prints", "2025-12-18", "2025-W51-4"),
    ],
)
def test_an_edition_date_that_is_none_is_refused_read_whole_or_glanced_at(layout, old, new):
    data, number = changed(layout, old, new)
    refusal(layout, data, WrongLayoutError, number)
    with pytest.raises(WrongLayoutError, match=f"line {number}: "):
        sources.edition_date(DATASETS[layout], SourceFile("offered", data))


@pytest.mark.parametrize("month", ["9999-12", "0001-01", "2026-13", "2026-4", "26-04", "Apr 2026", ""])
def test_a_month_that_is_none_is_refused(month):
    data, number = changed("slt_table5", "2026-04", month)
    refusal("slt_table5", data, WrongLayoutError, number)
    data, number = changed("cited_first_prints", "2025-10", month)
    refusal("cited_first_prints", data, WrongLayoutError, number)
    data, number = changed("slt_table3", "2026-04", month)
    refusal("slt_table3", data, WrongLayoutError, number)


def test_citations_of_two_days_in_one_file_are_refused():
    data, number = changed("cited_first_prints", ",688.7,2025-12-18", ",688.7,2025-12-19")
    refusal("cited_first_prints", data, WrongLayoutError, number)


# --- The whole way ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good_home(loaded_template, tmp_path_factory) -> Home:
    """A home that holds a good release of every dataset and a published one; refusals leave it as it is."""
    folder = tmp_path_factory.mktemp("good") / "home"
    shutil.copytree(loaded_template.root, folder, symlinks=True)
    return Home(folder)


def state_of(home) -> dict:
    """Everything that a refused file must not change."""
    with warehouse.connect(home) as connection:
        tables = connection.execute(
            """
            select table_name from information_schema.tables
            where table_schema = 'raw' and table_name != 'outcomes'
            """
        ).fetchall()
        raw = {
            name: connection.execute(
                f'select count(*), bit_xor(hash(t)), sum(hash(t)) from raw."{name}" as t'
            ).fetchone()
            for (name,) in tables
        }
    files = [path for path in home.published.rglob("*") if path.is_file() and not path.is_symlink()]
    assert raw["releases"][0] >= 7
    assert files
    return {
        "raw": raw,
        "published": {path.relative_to(home.root): archive.sha256(path.read_bytes()) for path in files},
        "current": home.current.readlink(),
        "manifest": [release.as_json() for release in archive.releases(home)],
        "waiting": list(home.parsed.rglob("*.parquet")),
    }


@dataclass(frozen=True)
class Bad:
    """A bad file, how it is refused and on which line; offered under its own date, another, or none."""

    layout: str
    kind: type[RefusedFileError]
    data: bytes
    line: int | None
    offered_on: date | None

    @classmethod
    def of(cls, layout, kind, found, on="own date"):
        return cls(layout, kind, *found, FILES[layout][1] if on == "own date" else on and day(on))


def cut_after(layout, number) -> tuple[bytes, int]:
    return written(LINES[layout][:number]), number


def without_line(layout, beginning) -> tuple[bytes, int]:
    """The file without a line of its table; the parser misses it at the last line."""
    kept = [line for line in LINES[layout] if not line.startswith(beginning)]
    return written(kept), len(kept)


def of_narrower_rows(layout) -> bytes:
    return of_every_line(layout, lambda number, line: one_less(layout, number, line))


THE_WHOLE_WAY = {
    "HTML": Bad.of("slt_table5", NotTheFileError, (WEB_PAGE, 1)),
    "HTML, undated": Bad.of("mfhhis01", NotTheFileError, (WEB_PAGE, 1), on=None),
    "JSON": Bad.of("slt_table3", NotTheFileError, (b'{"status": 404}', 1)),
    "workbook": Bad.of("mfh", NotTheFileError, (b"PK\x03\x04 and so on", 1)),
    "another table": Bad.of("slt_table5", NotTheFileError, (DATA["mfh"], 1)),
    "empty": Bad.of("slt_table3", EmptyFileError, (b"", None)),
    "blank, undated": Bad.of("mfh", EmptyFileError, (b"\r\n \r\n", None), on=None),
    "cut in a row": Bad.of(
        "slt_table5",
        TruncatedFileError,
        (DATA["slt_table5"][:1000], DATA["slt_table5"][:1000].count(b"\n") + 1),
    ),
    "cut between rows": Bad.of("slt_table3", TruncatedFileError, cut_after("slt_table3", 4000)),
    "cut, undated": Bad.of("mfhhis01", TruncatedFileError, cut_after("mfhhis01", 700), on=None),
    "no Grand Total": Bad.of("mfh", TruncatedFileError, without_line("mfh", "Grand Total")),
    "column more": Bad.of(
        "slt_table5", WrongLayoutError, (written(f"{line}\t" for line in LINES["slt_table5"]), 6)
    ),
    "column less": Bad.of(
        "cited_first_prints", WrongLayoutError, (of_narrower_rows("cited_first_prints"), 1)
    ),
    "month twice": Bad.of(
        "mfhhis01", DuplicateCellError, (changed("mfhhis01", "Series 6/", "")[0], BREAKS[-1] + 2)
    ),
    "unknown holder": Bad.of("slt_table5", UnknownLabelError, changed("slt_table5", "Japan", "Atlantis")),
    "text": Bad.of("slt_table3", BadFigureError, with_figure("slt_table3", "none")),
    "thousands": Bad.of("mfh", BadFigureError, with_figure("mfh", "1,859.4")),
    "negative": Bad.of("cited_first_prints", FailedSuiteError, with_figure("cited_first_prints", "-688.7")),
    "absurd": Bad.of("slt_table5", FailedSuiteError, with_figure("slt_table5", "651100.0")),
    "sum": Bad.of("mfh", FailedSuiteError, (with_figure("mfh", "869.4")[0], line_of("mfh", "Grand Total"))),
    "UTF-16": Bad.of("slt_table5", WrongEncodingError, (TEXT["slt_table5"].encode("utf-16"), 1)),
    "Latin-1": Bad.of(
        "mfh", WrongEncodingError, (DATA["mfh"].replace(b"Peru", b"Per\xfa"), line_of("mfh", "Peru"))
    ),
    "frozen legacy table": Bad.of("mfh", FrozenFileError, (DATA["mfh"], 56), on="2026-10-16"),
    "frozen history": Bad.of("mfhhis01", FrozenFileError, (DATA["mfhhis01"], 1217), on="2026-09-16"),
    "frozen Table 5": Bad.of("slt_table5", FrozenFileError, (DATA["slt_table5"], None), on="2026-10-16"),
    "repaired": Bad.of("mfhhis01", OutdatedCorrectionError, changed("mfhhis01", "2095.3", "2092.8")),
    "too early": Bad.of("slt_table5", WrongDateError, (DATA["slt_table5"], None), on="2026-04-30"),
}


@pytest.mark.parametrize("bad", THE_WHOLE_WAY.values(), ids=THE_WHOLE_WAY)
def test_refused_bytes_are_quarantined_with_the_reason_and_nothing_else_changes(good_home, bad):
    name, _ = FILES[bad.layout]
    dataset = DATASETS[bad.layout]
    before = state_of(good_home)
    with pytest.raises(RefusedFileError) as caught:
        pipeline.ingest(good_home, dataset, [Incoming(name, bad.data, bad.offered_on, dataset.url)])
    error = caught.value
    assert_tells(error, name, bad.kind, bad.line)
    assert error.exit_code == 1

    digest = archive.sha256(bad.data)
    folder = good_home.quarantine / dataset.table / f"{bad.offered_on or 'undated'}-{digest[:12]}"
    assert {path.name for path in folder.iterdir()} == {name, "reason.json"}
    assert (folder / name).read_bytes() == bad.data
    reason = json.loads((folder / "reason.json").read_text("utf-8"))
    assert reason.pop("quarantined_at")
    assert reason == {
        "dataset": dataset.name,
        "released_on": bad.offered_on.isoformat() if bad.offered_on else None,
        "file": name,
        "sha256": digest,
        "outcome": bad.kind.outcome,
        "line": bad.line,
        "message": error.message,
        "advice": error.advice,
    }
    assert state_of(good_home) == before


def test_every_kind_of_refusal_is_tried_the_whole_way():
    # Only a workbook can be too large before it is read; what a release before it or a broken parser shows is
    # tried in tests/unit/test_precedent.py, and only a fetch can bring a part of what was held (tests/fetch).
    elsewhere = {TooLargeError, ImplausibleChangeError, UnreadableFileError, ShrunkenFileError}
    kinds = set(RefusedFileError.__subclasses__()) - elsewhere
    assert {bad.kind for bad in THE_WHOLE_WAY.values()} == kinds


def test_a_good_file_loads_after_a_bad_one_of_the_same_day(home):
    name, released_on = FILES["cited_first_prints"]
    dataset = DATASETS["cited_first_prints"]
    cut = DATA["cited_first_prints"][:-5]
    with pytest.raises(RefusedFileError):
        pipeline.ingest(home, dataset, [Incoming(name, cut, released_on, dataset.url)])
    (loaded,) = pipeline.ingest(
        home, dataset, [Incoming(name, DATA["cited_first_prints"], None, dataset.url)]
    )
    assert (loaded.release.released_on, loaded.release.reissue, loaded.rows) == (released_on, 0, 6)


def test_a_release_older_than_one_already_loaded_is_no_error(home):
    dataset = DATASETS["slt_table5"]
    for name, released_on in (("slt_table5_2026-09-16.txt", day("2026-09-16")), FILES["slt_table5"]):
        (loaded,) = pipeline.ingest(
            home, dataset, [Incoming(name, bundled_file(name).data, released_on, dataset.url)]
        )
        assert loaded.cells == 325
        assert loaded.rows > 0
    assert loaded.replayed == 1
    assert not home.quarantine.exists()


# --- The command line ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["HTML", "absurd", "frozen legacy table"])
def test_the_command_line_exits_1_and_names_file_and_line(good_home, tmp_path, kind):
    bad = THE_WHOLE_WAY[kind]
    name, _ = FILES[bad.layout]
    (tmp_path / name).write_bytes(bad.data)
    before = state_of(good_home)
    done = subprocess.run(
        [
            sys.executable, "-m", "tidemark.cli", "--home", str(good_home.root),
            "ingest", f"tic/{bad.layout}",
            "--file", str(tmp_path / name), "--released-on", str(bad.offered_on),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"{name}, line {bad.line}: " in done.stderr
    assert "\n  -> " in done.stderr
    assert str(good_home.quarantine) in done.stderr
    assert "Traceback" not in done.stderr
    assert state_of(good_home) == before


TOMORROW = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["nowhere"], "nowhere", id="unknown source"),
        pytest.param(["tic/slt_table9", "--file", "FILE"], "slt_table9", id="unknown dataset"),
        pytest.param(
            ["tic/slt_table5", "--file", "GONE", "--released-on", "2026-06-18"], "gone.txt", id="no file"
        ),
        pytest.param(
            ["tic/slt_table5", "--file", "FOLDER", "--released-on", "2026-06-18"],
            "cannot read",
            id="a folder",
        ),
        pytest.param(["tic/slt_table5", "--file", "FILE"], "--released-on", id="no release date"),
        pytest.param(
            ["tic/slt_table5", "--file", "FILE", "--released-on", "18.6.2026"], "18.6.2026", id="bad date"
        ),
        pytest.param(
            ["tic/slt_table5", "--file", "FILE", "--released-on", "2026-06-31"], "2026-06-31", id="no day"
        ),
        pytest.param(
            ["tic/slt_table5", "--file", "FILE", "--released-on", TOMORROW], "future", id="future date"
        ),
        pytest.param(
            ["tic", "--file", "FILE", "--released-on", "2026-06-18"], "--file", id="file for a source"
        ),
        pytest.param(["tic/slt_table5", "--fil", "FILE"], "--fil", id="unknown option"),
        pytest.param([], "SOURCE[/DATASET]", id="no dataset"),
    ],
)
def test_wrong_use_exits_2_says_why_and_writes_nothing(tmp_path, capsys, arguments, says):
    offered = tmp_path / "table5.txt"
    offered.write_bytes(DATA["slt_table5"])
    paths = {"FILE": str(offered), "GONE": str(tmp_path / "gone.txt"), "FOLDER": str(tmp_path)}
    arguments = ["--home", str(tmp_path / "home"), "ingest", *(paths.get(a, a) for a in arguments)]
    assert cli.guarded(lambda: cli.app(arguments)) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_wrong_use_exits_2_from_a_shell(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tidemark.cli", "--home", str(tmp_path / "home"), "ingest", "tic/slt_table9"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2
    assert "slt_table9" in done.stderr


def test_a_second_table_after_the_notes_is_refused_and_its_line_named():
    data = DATA["slt_table3"]
    with pytest.raises(WrongLayoutError, match="a second table stands after the notes") as refused:
        sources.parse(DATASETS["slt_table3"], SourceFile("f", data + data))
    twice = (data + data).decode("ascii").splitlines()
    assert twice[refused.value.line - 1].startswith("country\t")


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
def test_what_is_larger_than_any_publishers_file_is_not_even_read(layout):
    with pytest.raises(TooLargeError, match="21 MB"):
        sources.parse(DATASETS[layout], SourceFile("f", DATA[layout].ljust(21_000_000)))
