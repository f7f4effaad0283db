"""CBO's files damaged in every way that was thought of: each is refused, by name and place."""

from __future__ import annotations

import io
import json
import re
import zipfile

import openpyxl
import pytest

from tests.conftest import bundled_file, day
from tests.sources.damage import ENCODINGS, NO_FILE, assert_encoding_refused, batch_refusal, refusal
from tidemark import corrections, pipeline, registry, snapshot, sources, warehouse
from tidemark.errors import (
    BadFigureError,
    DuplicateCellError,
    EmptyFileError,
    FailedSuiteError,
    FrozenFileError,
    NotTheFileError,
    OutdatedCorrectionError,
    RefusedFileError,
    TooLargeError,
    TruncatedFileError,
    UnknownLabelError,
    WrongDateError,
    WrongLayoutError,
)
from tidemark.reading import SourceFile
from tidemark.snapshot import Incoming

CBO = registry.source("cbo")
HISTORY = CBO.dataset("historical_budget")
# The newest bundled release of each, and a row of it that bears a figure.
RELEASES = {
    "baselines": ("2026-02-17", "outlay,Net Interest,Net Interest,2026-02-01,False,False,2026,1,1038.976"),
    "actuals": ("2026-02-17", "outlay,Net Interest,Net Interest,2024,879.879"),
    "actual_gdp": ("2026-02-12", "2024,28947.9"),
    "ten_year_budget": ("2026-02-11", "FY2026,proj_outlays_net_interest,1038.976"),
    "economic_projections": ("2026-02-11", "2026,gdp,31902.0"),
    "long_term_budget": ("2026-02-11", "FY2050,lt_gdp_trillions,77.711"),
}
FILES = {name: bundled_file(f"{name}_{on}.csv", "cbo").data for name, (on, _) in RELEASES.items()}
TABLES = pytest.mark.parametrize("name", list(RELEASES))


def line_of(name: str, row: str | None = None) -> int:
    return FILES[name].decode().split("\n").index(row or RELEASES[name][1]) + 1


def with_row(name: str, *new: str, row: str | None = None) -> bytes:
    """The bundled file with its telling row replaced by these."""
    row = row or RELEASES[name][1]
    lines = FILES[name].decode().split("\n")
    at = lines.index(row)
    return "\n".join([*lines[:at], *new, *lines[at + 1 :]]).encode()


def with_figure(name: str, text: str) -> bytes:
    row = RELEASES[name][1]
    return with_row(name, row[: row.rindex(",") + 1] + text)


def scaled(name: str, factor: float, rows: str = "") -> bytes:
    """The figures of the rows that match, multiplied."""
    header, *lines = FILES[name].decode().removesuffix("\n").split("\n")
    out, hits = [header], 0
    for line in lines:
        start, _, figure = line.rpartition(",")
        if re.search(rows, line) and figure != "not quoted":
            # To six decimals: no float is as small as to be written with an exponent.
            line = f"{start},{float(figure) * factor:.6f}"
            hits += 1
        out.append(line)
    assert hits
    return ("\n".join(out) + "\n").encode()


def refused(check, name: str, data: bytes, kind, line: int | None = -1, on: str = "") -> RefusedFileError:
    return batch_refusal(check, CBO.dataset(name), data, day(on or RELEASES[name][0]), kind, line)


# --- Files that are none --------------------------------------------------------------------------------


@TABLES
@pytest.mark.parametrize(("data", "kind"), NO_FILE)
def test_another_kind_of_file_is_refused(name, data, kind):
    refusal(CBO.dataset(name), data, kind)


@TABLES
@pytest.mark.parametrize("change", ENCODINGS)
def test_another_encoding_is_refused(name, change):
    assert_encoding_refused(CBO.dataset(name), change(FILES[name]))


@TABLES
@pytest.mark.parametrize("data", [b'{"message": "Not Found"}', b"[]"])
def test_json_is_refused(name, data):
    refusal(CBO.dataset(name), data, NotTheFileError, 1)


@TABLES
def test_the_workbook_is_no_table(name):
    data = bundled_file("historical_budget_2025-01-17.xlsx", "cbo").data
    refusal(CBO.dataset(name), data, NotTheFileError, 1)


@TABLES
@pytest.mark.parametrize("other", list(RELEASES))
def test_the_file_of_another_dataset_is_refused(name, other):
    if name == other:
        return
    with pytest.raises((WrongLayoutError, UnknownLabelError, TruncatedFileError)):
        sources.parse(CBO.dataset(name), SourceFile("damaged", FILES[other]))


@TABLES
def test_a_file_cut_off_within_a_line_is_refused(name):
    data = FILES[name]
    for at in range(len(data) - 1, 0, -max(1, len(data) // 60)):
        if data[at - 1 : at] != b"\n":
            with pytest.raises(RefusedFileError):
                sources.parse(CBO.dataset(name), SourceFile("damaged", data[:at]))
    assert "cut off" in refusal(CBO.dataset(name), data[:-1], TruncatedFileError).message


@pytest.mark.parametrize("name", [n for n in RELEASES if n not in ("actual_gdp", "economic_projections")])
def test_a_file_cut_off_between_two_lines_is_refused(name):
    """A series ends early where others do not, or is not there at all."""
    lines = FILES[name].decode().removesuffix("\n").split("\n")
    for at in {*range(2, len(lines), max(1, len(lines) // 40)), *range(len(lines) - 12, len(lines))}:
        with pytest.raises((TruncatedFileError, UnknownLabelError)):
            sources.parse(CBO.dataset(name), SourceFile("damaged", "\n".join([*lines[:at], ""]).encode()))


@pytest.mark.parametrize("name", ["actual_gdp", "economic_projections"])
def test_a_single_series_cut_off_between_two_lines_is_too_old(check, name):
    data = b"\n".join(FILES[name].split(b"\n")[:-3]) + b"\n"
    refused(check, name, data, FrozenFileError, None)


# --- Rows and cells -------------------------------------------------------------------------------------


@TABLES
@pytest.mark.parametrize(
    "text",
    ["", " ", "null", "NaN", "n.a.", "-", "1 038.9", "$1", "1e3", "--1", "=1+1", "unquoted", "Not quoted"],
)
def test_a_figure_that_is_none_is_refused(name, text):
    error = refusal(CBO.dataset(name), with_figure(name, text), BadFigureError, line_of(name))
    assert re.search("20(24|26|50)", error.message)


@TABLES
def test_thousands_separators_are_refused(name):
    error = refusal(CBO.dataset(name), with_figure(name, "1,038.976"), WrongLayoutError, line_of(name))
    assert "cells" in error.message


@TABLES
def test_a_cell_too_few_is_refused(name):
    row = RELEASES[name][1]
    refusal(CBO.dataset(name), with_row(name, row[: row.rindex(",")]), WrongLayoutError, line_of(name))
    refusal(CBO.dataset(name), with_row(name, ""), WrongLayoutError, line_of(name))


@TABLES
def test_a_header_that_moved_is_refused(name):
    header, rest = FILES[name].decode().split("\n", 1)
    names = header.split(",")
    for other in (",".join(reversed(names)), ",".join(names[1:]), header.replace("value", "Value").title()):
        with pytest.raises((WrongLayoutError, NotTheFileError)) as caught:
            sources.parse(CBO.dataset(name), SourceFile("damaged", f"{other}\n{rest}".encode()))
        assert caught.value.line == 1
    with pytest.raises(WrongLayoutError):
        sources.parse(CBO.dataset(name), SourceFile("damaged", f"a,{header}\n{rest}".encode()))


@TABLES
def test_a_header_alone_is_refused(name):
    header = FILES[name].split(b"\n", 1)[0] + b"\n"
    refusal(CBO.dataset(name), header, TruncatedFileError, 1)


@TABLES
@pytest.mark.parametrize("year", ["2026.1", "26", "1899", "20261", "FY26", "", "0"])
def test_a_year_that_is_none_is_refused(name, year):
    row = RELEASES[name][1]
    new = re.sub(r"(?<![-\d])(FY)?20\d\d(?=,)", year, row, count=1)
    assert new != row
    error = refusal(CBO.dataset(name), with_row(name, new), WrongLayoutError, line_of(name))
    assert "fiscal year" in error.message


@TABLES
def test_a_row_that_stands_twice_is_refused(name):
    row = RELEASES[name][1]
    other = row[: row.rindex(",") + 1] + "1039.0"
    for second in (row, other):
        refusal(CBO.dataset(name), with_row(name, row, second), DuplicateCellError, line_of(name) + 1)


@TABLES
def test_a_year_that_is_missing_is_missed(name):
    lines = FILES[name].decode().split("\n")
    # The row itself; of a baseline, which it begins, the one after it.
    at = line_of(name) + (name == "baselines")
    del lines[at - 1]
    error = refusal(CBO.dataset(name), "\n".join(lines).encode(), TruncatedFileError, at)
    assert "without a gap" in error.message


@TABLES
def test_newest_first_is_refused(name):
    header, *lines = FILES[name].decode().removesuffix("\n").split("\n")
    with pytest.raises((TruncatedFileError, WrongLayoutError)):
        sources.parse(CBO.dataset(name), SourceFile("f", "\n".join([header, *reversed(lines), ""]).encode()))


# --- Labels ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rows"), [("baselines", "Net Interest,2026-02-01"), ("actuals", "Net Interest,20")]
)
def test_a_class_that_the_passport_does_not_list_is_refused_by_name(check, name, rows):
    text = FILES[name].decode()
    others = [
        line.replace("Net Interest,Net Interest", "Net Interest,Gross Interest")
        for line in text.split("\n")
        if rows in line
    ]
    data = "".join([text, *(f"{line}\n" for line in others)]).encode()
    error = refused(check, name, data, UnknownLabelError, text.count("\n") + 1)
    assert "'outlay/Net Interest/Gross Interest' is no series that cbo/" in error.message


@pytest.mark.parametrize("name", ["baselines", "actuals"])
def test_a_series_that_is_gone_is_missed(name):
    lines = [line for line in FILES[name].decode().split("\n") if "Customs Duties" not in line]
    error = refusal(CBO.dataset(name), "\n".join(lines).encode(), TruncatedFileError, None)
    assert "Customs Duties" in error.message


def test_a_baseline_that_lacks_a_series_is_missed():
    lines = [line for line in FILES["baselines"].decode().split("\n") if "Medicaid,2010-03-01" not in line]
    error = refusal(CBO.dataset("baselines"), "\n".join(lines).encode(), TruncatedFileError, None)
    assert "Medicaid of the baseline of 2010-03-01" in error.message


def test_actuals_of_which_one_ends_early_are_missed():
    lines = [line for line in FILES["actuals"].decode().split("\n") if "Medicaid,2025" not in line]
    error = refusal(CBO.dataset("actuals"), "\n".join(lines).encode(), TruncatedFileError, None)
    assert "Medicaid ends with 2024, others with 2025" in error.message


@pytest.mark.parametrize(
    "variable",
    ["proj_outlays_net_interest", "proj_disc_defense", "proj_debt_held_by_public_end", "proj_rev_total"],
)
def test_a_variable_that_was_renamed_is_missed_by_name(variable):
    data = FILES["ten_year_budget"].replace(variable.encode(), variable.encode() + b"_new")
    error = refusal(CBO.dataset("ten_year_budget"), data, UnknownLabelError, None)
    assert f"known as {variable}" in error.message
    assert "renamed" in error.advice


@pytest.mark.parametrize("name", ["economic_projections", "long_term_budget"])
def test_a_file_without_gdp_is_refused(name):
    data = FILES[name].replace(b",gdp,", b",gross_domestic_product,").replace(b"lt_gdp", b"lt_ngdp")
    refusal(CBO.dataset(name), data, TruncatedFileError, None)


@pytest.mark.parametrize("variable", ["", "Proj Outlays", "1", "proj-rev", '"proj_rev_total"'])
def test_a_variable_that_is_no_name_is_refused(variable):
    data = with_row("ten_year_budget", f"FY2026,{variable},1.0")
    refusal(CBO.dataset("ten_year_budget"), data, UnknownLabelError, line_of("ten_year_budget"))


def test_a_variable_with_a_year_less_than_others_is_missed():
    data = with_row("ten_year_budget", row="FY2036,proj_rev_total,8300.755")
    error = refusal(CBO.dataset("ten_year_budget"), data, TruncatedFileError, None)
    assert "proj_rev_total runs from 2025 to 2035, others from 2025 to 2036" in error.message


def test_a_variable_left_aside_may_not_stand_twice_either():
    data = FILES["ten_year_budget"] + b"FY2026,chg_deficit_net_total,1.0\nFY2026,chg_deficit_net_total,2.0\n"
    refusal(CBO.dataset("ten_year_budget"), data, DuplicateCellError, data.count(b"\n"))


def test_an_estimate_that_is_neither_actual_nor_projected_is_refused():
    header, *lines = FILES["economic_projections"].decode().removesuffix("\n").split("\n")
    flagged = [f"{header},estimate_type", *(f"{line},guess" for line in lines), ""]
    refusal(CBO.dataset("economic_projections"), "\n".join(flagged).encode(), WrongLayoutError, 2)


# --- What a baseline says of itself ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("False,False,2026,1,", "False,False,2026,2,", "where 1 is due"),
        ("False,False,2026,1,", "False,False,2026,,", "where 1 is due"),
        ("False,False,2026,1,", "False,False,2026,1.0,", "where 1 is due"),
        ("False,False,2026,1,", "no,False,2026,1,", "neither True nor False"),
        ("False,False,2026,1,", "False,0,2026,1,", "neither True nor False"),
        ("False,False,2026,1,", "True,False,2026,1,", "flags of outlay"),
        ("False,False,2026,1,", "False,True,2026,1,", "flags of outlay"),
        ("2026-02-01", "2026-02-15", "is no month"),
        ("2026-02-01", "02/01/2026", "where a date"),
        ("2026-02-01", "2026-02-30", "where a date"),
    ],
)
def test_a_baseline_s_date_flags_and_years_are_held_to_their_rule(old, new, says):
    row = RELEASES["baselines"][1]
    error = refusal(CBO.dataset("baselines"), with_row("baselines", row.replace(old, new)), WrongLayoutError)
    assert says in error.message


def test_a_winter_baseline_that_is_not_the_year_s_first_is_refused():
    text = FILES["baselines"].decode()
    moved = re.sub(r"(revenue,.*,2025-01-01,True),True", r"\1,False", text)
    assert moved != text
    assert "Winter_flag" in refusal(CBO.dataset("baselines"), moved.encode(), WrongLayoutError).message


def test_two_spring_baselines_in_a_year_are_refused():
    text = FILES["baselines"].decode()
    twice = re.sub(r"(outlay,.*,2020-09-01),False", r"\1,True", text)
    assert twice != text
    error = refusal(CBO.dataset("baselines"), twice.encode(), WrongLayoutError)
    assert "two Spring baselines in 2020" in error.message


# --- Another unit, another size -------------------------------------------------------------------------


@TABLES
@pytest.mark.parametrize("factor", [1000, 0.001])
def test_another_unit_is_refused(check, name, factor):
    error = refused(check, name, scaled(name, factor), FailedSuiteError)
    assert "another unit" in error.message


@pytest.mark.parametrize(
    ("name", "component"),
    [
        *(
            ("actuals", c)
            for c in ("Medicaid", "Medicare", "Net Interest,Net", "^debt", "^revenue", "^deficit")
        ),
        *(("baselines", c) for c in ("Medicaid", "^debt")),
    ],
)
@pytest.mark.parametrize("factor", [1000, 0.001])
def test_one_series_in_another_unit_is_refused(check, name, component, factor):
    refused(check, name, scaled(name, factor, component), FailedSuiteError)


@pytest.mark.parametrize(
    "row", ["Medicaid,1992,", "Medicaid,2025,", "Net Interest,Net Interest,2024,", "^debt.*,1984,"]
)
@pytest.mark.parametrize("factor", [1000, 0.001])
def test_one_cell_in_another_unit_is_refused(check, row, factor):
    refused(check, "actuals", scaled("actuals", factor, row), FailedSuiteError)


@pytest.mark.parametrize(
    "variable", ["net_interest", "debt_held", "proj_disc_defense", "deficit", "mandatory"]
)
@pytest.mark.parametrize("factor", [1000, 0.001])
def test_one_variable_in_another_unit_is_refused(check, variable, factor):
    refused(check, "ten_year_budget", scaled("ten_year_budget", factor, variable), FailedSuiteError)


@pytest.mark.parametrize("name", ["actual_gdp", "economic_projections", "long_term_budget"])
def test_one_year_of_gdp_in_another_unit_is_refused(check, name):
    row = re.escape(RELEASES[name][1])
    for factor in (1000, 10, 0.1, 1.3):
        refused(check, name, scaled(name, factor, f"^{row}$"), FailedSuiteError)


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("baselines", "1039.0"),
        ("actuals", "879.9"),
        ("ten_year_budget", "1039.0"),
    ],
)
def test_parts_that_miss_their_total_are_refused(check, name, new):
    """As a figure rounded for print, where the others are not."""
    error = refused(check, name, with_figure(name, new), FailedSuiteError)
    assert "must sum to their totals" in error.message
    assert "closing_gap" in error.message


def test_the_deficit_of_april_2018_is_off_as_published_and_no_other():
    dataset, frame = (
        CBO.dataset("baselines"),
        sources.parse(CBO.dataset("baselines"), SourceFile("f", FILES["baselines"])),
    )
    gaps = corrections.known_gaps(dataset, frame.observations)
    assert {key for _, key, _, _ in gaps} == {("deficit/Total/Total", "2018-04-01")}
    assert sorted(end.year for *_, end in gaps) == list(range(2018, 2029))


def test_once_cbo_repairs_the_deficit_of_april_2018_the_correction_is_outdated(check):
    dataset = CBO.dataset("baselines")
    known = {c.period_end.year: c.gap for c in corrections.of(dataset)}
    text = FILES["baselines"].decode()

    def repaired(found: re.Match[str]) -> str:
        return f"{found[1]}{float(found[3]) + known[int(found[2])]:.3f}"

    row = r"(?m)^(deficit,Total,Total,2018-04-01,False,False,({}),\d+,)(.*)$"
    whole, all_ = re.subn(row.format(r"\d+"), repaired, text)
    one, single = re.subn(row.format("2020"), repaired, text)
    assert (all_, single) == (11, 1)
    error = refused(check, "baselines", whole.encode(), OutdatedCorrectionError)
    assert "cbo_deficit_april_2018" in str(error)
    error = refused(check, "baselines", one.encode(), FailedSuiteError)
    assert "closing_gap is -94.776" in error.message


# --- Dates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "on"),
    [
        ("baselines", "2027-08-01"),
        ("actuals", "2027-03-01"),
        ("actual_gdp", "2027-03-01"),
        ("ten_year_budget", "2027-08-01"),
        ("economic_projections", "2027-08-01"),
        ("long_term_budget", "2028-02-01"),
    ],
)
def test_an_older_edition_offered_as_newer_is_refused(check, name, on):
    refused(check, name, FILES[name], FrozenFileError, None, on)


@pytest.mark.parametrize(
    ("name", "on"),
    [
        ("baselines", "2025-01-17"),
        ("actuals", "2025-09-30"),
        ("actual_gdp", "2025-09-30"),
        ("ten_year_budget", "2025-01-17"),
        ("economic_projections", "2025-01-17"),
        ("long_term_budget", "2022-02-11"),
    ],
)
def test_a_release_before_what_it_knows_is_refused(check, name, on):
    refused(check, name, FILES[name], WrongDateError, None, on)


# --- The workbook ---------------------------------------------------------------------------------------

BOOK = bundled_file("historical_budget_2025-01-17.xlsx", "cbo").data
OUTLAYS = "3. Outlays"


def changed(*cells: tuple[str, str, object], then=None) -> bytes:
    """The bundled workbook with cells (sheet, place, value) written anew."""
    book = openpyxl.load_workbook(io.BytesIO(BOOK))
    for sheet, place, value in cells:
        book[sheet][place] = value
    if then:
        then(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def book_refusal(data: bytes, kind, sheet: str = "", line: int | None = -1) -> RefusedFileError:
    """The parser's refusal, which names the sheet where there is one."""
    with pytest.raises(RefusedFileError) as caught:
        sources.parse(HISTORY, SourceFile("damaged", data))
    error = caught.value
    assert type(error) is kind, error
    assert error.advice
    assert error.file == (f"damaged, sheet {sheet!r}" if sheet else "damaged")
    if line != -1:
        assert error.line == line, error
    return error


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("[Content_Types].xml", "<Types/>")
        parts.writestr("xl/workbook.xml", "<workbook/>")
        parts.writestr("xl/worksheets/sheet1.xml", b" " * (60 * 2**20))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", EmptyFileError),
        (b"\x00" * 512, EmptyFileError),
        (b"<!DOCTYPE html><html>Access denied</html>", NotTheFileError),
        (b'{"error": 403}', NotTheFileError),
        (b"fiscal_year,GDP\n1982,3313.35\n", NotTheFileError),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 4096, NotTheFileError),
        (BOOK[: len(BOOK) // 2], TruncatedFileError),
        (BOOK[:-30], TruncatedFileError),
    ],
    ids=["empty", "NULs", "HTML", "JSON", "CSV", "encrypted", "half", "without its end"],
)
def test_what_is_no_workbook_is_refused(data, kind):
    book_refusal(data, kind)


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    book_refusal(bomb(), TooLargeError)


def test_a_workbook_saved_anew_reads_the_same():
    whole = sources.parse(HISTORY, SourceFile("f", changed())).observations
    assert whole.equals(sources.parse(HISTORY, SourceFile("f", BOOK)).observations)


def test_formulas_without_their_values_are_refused():
    error = book_refusal(changed((OUTLAYS, "F20", "=SUM(B20:E20)")), BadFigureError, OUTLAYS, 20)
    assert "formula without its value" in error.message


def test_a_sheet_that_was_renamed_is_refused_by_name():
    data = changed(then=lambda book: setattr(book[OUTLAYS], "title", "3. Spending"))
    error = book_refusal(data, WrongLayoutError)
    assert "'3. Outlays' is missing" in error.message
    assert "3. Spending" in error.advice


def test_a_sheet_more_or_in_another_place_is_refused():
    assert (
        "'Notes'" in book_refusal(changed(then=lambda b: b.create_sheet("Notes")), WrongLayoutError).message
    )
    book_refusal(changed(then=lambda b: b.move_sheet(OUTLAYS, 1)), WrongLayoutError)


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        ("E9", "Interest", "column 5 is 'Interest', where 'Net interest' is due"),
        ("E9", None, "column 5 is '', where 'Net interest'"),
        ("C8", None, "column 3 is '', where 'Mandatory'"),
        ("D8", "Mandatory", "column 4 is 'Mandatory', where ''"),
        ("G9", "Memo", "column 7 is 'Memo', where ''"),
        ("A9", "Year", "column 1 is 'Year', where ''"),
    ],
)
def test_a_header_that_is_another_is_refused_by_its_cell(place, value, says):
    error = book_refusal(changed((OUTLAYS, place, value)), WrongLayoutError, OUTLAYS, int(place[1:]))
    assert says in error.message


def test_columns_that_changed_places_are_refused():
    data = changed((OUTLAYS, "E9", "Total"), (OUTLAYS, "F9", "Net interest"))
    book_refusal(data, WrongLayoutError, OUTLAYS, 9)


@pytest.mark.parametrize(
    "move",
    [
        lambda s: s.insert_rows(9),
        lambda s: s.insert_rows(10),
        lambda s: s.insert_cols(1),
        lambda s: s.delete_cols(2),
    ],
)
def test_a_header_that_shifted_is_refused(move):
    book_refusal(changed(then=lambda book: move(book[OUTLAYS])), WrongLayoutError, OUTLAYS)


def test_rows_above_the_table_may_move_it():
    data = changed(then=lambda book: book[OUTLAYS].insert_rows(1))
    assert len(sources.parse(HISTORY, SourceFile("f", data)).observations) == 66 * 63


@pytest.mark.parametrize(
    "unit", ["Millions of dollars", "Percentage of gross domestic product", None, "Billions"]
)
def test_another_unit_above_a_table_is_refused_by_name(unit):
    error = book_refusal(changed((OUTLAYS, "A6", unit)), WrongLayoutError, OUTLAYS)
    assert "'Billions of dollars'" in error.message


def test_another_title_above_a_table_is_refused():
    book_refusal(changed((OUTLAYS, "A5", "4. Discretionary Outlays")), WrongLayoutError, OUTLAYS)


@pytest.mark.parametrize(
    "value", [None, "", " ", "-", "null", "1,038.9", "#REF!", True, "88l.1", "1e400", "881.1190001", "n.a."]
)
def test_a_cell_that_is_no_figure_is_refused(value):
    row = 10 + 2024 - 1962
    error = book_refusal(changed((OUTLAYS, f"E{row}", value)), BadFigureError, OUTLAYS, row)
    assert "Net interest, 2024" in error.message


def test_a_date_for_a_figure_is_refused():
    book_refusal(changed((OUTLAYS, "E20", day("2024-01-01"))), BadFigureError, OUTLAYS, 20)


@pytest.mark.parametrize(
    ("year", "kind"),
    [(2026.1, WrongLayoutError), (1971, DuplicateCellError), (1990, WrongLayoutError), (0, WrongLayoutError)],
)
def test_a_year_out_of_its_row_is_refused(year, kind):
    error = book_refusal(changed((OUTLAYS, "A20", year)), kind, OUTLAYS, 20)
    assert "where the fiscal year 1972 is due" in error.message


@pytest.mark.parametrize("year", ["1972", "TQ", None])
def test_a_year_that_is_text_ends_the_table_and_is_refused(year):
    error = book_refusal(changed((OUTLAYS, "A20", year)), WrongLayoutError, OUTLAYS, 20)
    assert "below the table" in error.message


def test_a_row_that_is_missing_or_twice_is_refused():
    book_refusal(changed(then=lambda b: b[OUTLAYS].delete_rows(30)), WrongLayoutError, OUTLAYS, 30)
    last = 10 + 2024 - 1962
    short = changed(then=lambda b: b[OUTLAYS].delete_rows(last))
    assert "ends with 2023, others with 2024" in book_refusal(short, TruncatedFileError, OUTLAYS).message


def test_a_figure_beside_or_below_the_table_is_refused():
    book_refusal(changed((OUTLAYS, "G30", 1.0)), WrongLayoutError, OUTLAYS, 30)
    book_refusal(changed((OUTLAYS, "C80", 1.0)), WrongLayoutError, OUTLAYS, 80)
    book_refusal(changed((OUTLAYS, "A80", 2026)), WrongLayoutError, OUTLAYS, 80)


def test_notes_below_and_letters_in_the_header_are_read_over():
    data = changed(
        (OUTLAYS, "A75", "Data sources: Congressional Budget Office."),
        (OUTLAYS, "E9", "Net interest\u1d47"),
        (OUTLAYS, "B9", "Discretionary"),
    )
    assert len(sources.parse(HISTORY, SourceFile("f", data)).observations) == 66 * 63


def multiplied(factor: float, column: str = "BCDEFGHIJK", only: str = "") -> bytes:
    def apply(book) -> None:
        for sheet in book:
            if sheet.title.startswith(only or tuple("12345")):
                for row in sheet.iter_rows(min_row=9):
                    for cell in row[1:]:
                        if isinstance(cell.value, float | int) and cell.column_letter in column:
                            cell.value = round(cell.value * factor, 6)

    return changed(then=apply)


@pytest.mark.parametrize(
    ("column", "only"),
    [("BCDEFGHIJK", ""), ("H", "1. "), ("E", "3. "), ("B", "5. "), ("C", "5. "), ("D", "5. ")],
)
@pytest.mark.parametrize("factor", [1000, 0.001])
def test_a_workbook_or_a_column_in_another_unit_is_refused(check, factor, column, only):
    data = multiplied(factor, column, only)
    batch_refusal(check, HISTORY, data, day("2025-01-17"), FailedSuiteError)


@pytest.mark.parametrize(
    ("sheet", "place", "label"),
    [
        (OUTLAYS, "E72", "3. Outlays/Total, 2024-09-30"),
        ("4. Discretionary Outlays", "B71", "4. Discretionary Outlays/Total, 2024-09-30"),
        ("1. Rev, Outlays, Surplus, Debt", "B72", "1. Rev, Outlays, Surplus, Debt/"),
        ("2. Revenues", "I71", "1. Rev, Outlays, Surplus, Debt/Revenues, 2024-09-30"),
    ],
)
def test_a_figure_that_breaks_a_sum_is_refused(check, sheet, place, label):
    book = openpyxl.load_workbook(io.BytesIO(BOOK))
    value = book[sheet][place].value
    data = changed((sheet, place, round(value + 0.001, 3)))
    error = batch_refusal(check, HISTORY, data, day("2025-01-17"), FailedSuiteError)
    assert label in error.message
    assert "closing_gap" in error.message


def test_an_old_workbook_under_a_new_date_is_refused(check):
    batch_refusal(check, HISTORY, BOOK, day("2026-04-01"), FrozenFileError, None)
    batch_refusal(check, HISTORY, BOOK, day("2024-09-30"), WrongDateError, None)


# --- The publisher's workbook: what only whole tables can show ----------------------------------------------


@pytest.mark.parametrize(
    ("sheet", "place", "says"),
    [
        ("3a. Outlays as Share of GDP", "E40", "shares of GDP must sum"),
        ("1a. Rev, Outlays, Surplus (GDP)", "H40", "of GDP, within its rounding"),
        ("5a. Mandatory Outlays (GDP)", "K40", "of GDP, within its rounding"),
        ("2. Revenues", "G40", "must sum to its total"),
        ("1. Rev, Outlays, Surplus, Debt", "F40", "must sum to its total"),
    ],
)
def test_a_cell_of_the_real_workbook_that_is_off_is_refused(publisher_files, check, sheet, place, says):
    path = publisher_files / "cbo" / "51134-2025-01-Historical-Budget-Data.xlsx"
    book = openpyxl.load_workbook(path)
    book[sheet][place] = round(book[sheet][place].value + 0.05, 3)
    out = io.BytesIO()
    book.save(out)
    error = batch_refusal(check, HISTORY, out.getvalue(), day("2025-01-17"), FailedSuiteError)
    assert says in error.message


@pytest.mark.parametrize(("file", "name"), [("baselines.csv", "baselines"), ("actuals.csv", "actuals")])
def test_revenues_of_the_real_table_must_sum(publisher_files, check, file, name):
    text = (publisher_files / "cbo" / file).read_text()
    row = next(r for r in text.split("\n") if r.startswith("revenue,Excise Taxes") and ",2024," in r)
    start, _, figure = row.rpartition(",")
    data = text.replace(row, f"{start},{float(figure) + 0.2:.3f}").encode()
    error = refused(check, name, data, FailedSuiteError)
    assert "seven sources of revenue" in error.message


# --- The whole way --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "damaged", "outcome"),
    [
        ("actuals", with_figure("actuals", "879,879"), "wrong_layout"),
        ("ten_year_budget", scaled("ten_year_budget", 1000), "failed_suite"),
        ("historical_budget", changed((OUTLAYS, "E20", "n.m.")), "bad_figure"),
    ],
)
def test_a_damaged_release_changes_nothing_and_is_kept(home, name, damaged, outcome):
    dataset = CBO.dataset(name)
    incoming = snapshot.bundled(dataset)[-1]
    (loaded,) = pipeline.ingest(home, dataset, [incoming])

    def held() -> list[tuple[object, ...]]:
        connection = warehouse.connect(home)
        try:
            return connection.execute(f"select * from raw.{dataset.table} order by all").fetchall()
        finally:
            connection.close()

    before = held()
    assert len(before) == loaded.rows
    with pytest.raises(RefusedFileError):
        pipeline.ingest(home, dataset, [Incoming("d", damaged, incoming.released_on, dataset.url)])
    (path,) = home.quarantine.rglob("reason.json")
    assert json.loads(path.read_text())["outcome"] == outcome
    assert (path.parent / "d").read_bytes() == damaged
    assert held() == before
