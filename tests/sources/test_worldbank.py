"""The price of gold: the published figures, and workbooks that are not what they should be."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import openpyxl
import pandas as pd
import pytest

from tests.conftest import bundled_file, day
from tests.sources.damage import batch_refusal
from tidemark import pipeline, registry, snapshot, sources, warehouse
from tidemark.errors import (
    BadFigureError,
    DuplicateCellError,
    EmptyFileError,
    FailedSuiteError,
    FrozenFileError,
    NotTheFileError,
    RefusedFileError,
    TooLargeError,
    TruncatedFileError,
    WrongDateError,
    WrongLayoutError,
)
from tidemark.reading import PUBLISHED, SourceFile
from tidemark.settings import project_root
from tidemark.snapshot import Incoming

GOLD = registry.dataset("worldbank/gold_price")
RELEASED = day("2026-07-02")
FILE = bundled_file("gold_price_2026-07-02.xlsx", "worldbank")
SHEET = "Monthly Prices"
PLACE = f"damaged, sheet {SHEET!r}"
# The row of January 2026, and of the last month.
JANUARY_ROW, LAST_ROW = 6 + 66 * 12 + 1, 6 + 798


def changed(*cells, sheet=SHEET, then=lambda _: None) -> bytes:
    """The bundled workbook with some (cell, value) changed, and then whatever else."""
    book = openpyxl.load_workbook(io.BytesIO(FILE.data))
    for cell, value in cells:
        book[sheet][cell] = value
    then(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def without_rows(first, count=1):
    return lambda book: book[SHEET].delete_rows(first, count)


def parsed(data=None) -> pd.DataFrame:
    return sources.parse(GOLD, SourceFile("f", data or FILE.data)).observations


def parsed_as_damaged(data) -> None:
    sources.parse(GOLD, SourceFile("damaged", data))


def refusal(data, kind, row=None) -> RefusedFileError:
    """The parser's refusal, which names file, sheet, row and what to do."""
    with pytest.raises(RefusedFileError) as caught:
        parsed_as_damaged(data)
    error = caught.value
    assert type(error) is kind, error
    assert error.line == row, error
    assert str(error).startswith(f"{PLACE}, line {row}: " if row else "damaged: "), error
    assert error.advice
    return error


# --- What the publisher sends ---------------------------------------------------------------------------


def test_every_month_since_1960_is_read_newest_last():
    frame = parsed()
    assert list(frame["period_end"]) == list(pd.date_range("1960-01-31", "2026-06-30", freq="ME"))
    assert len(frame) == 798
    assert set(frame["label"]) == {"Gold"}
    assert set(frame["measure"]) == {"price"}
    assert set(frame["unit"]) == {"usd_per_troy_oz"}
    assert set(frame["status"]) == {PUBLISHED}
    assert list(frame["line"]) == list(range(7, LAST_ROW + 1))


def test_every_published_figure_is_parsed_cell_for_cell():
    with (project_root() / "snapshot/figures/worldbank/gold_price_monthly.csv").open() as source:
        published = {row["month"]: float(row["usd_per_troy_oz"]) for row in csv.DictReader(source)}
    frame = parsed()
    assert dict(zip(frame["period_end"].dt.strftime("%Y-%m"), frame["value"], strict=True)) == published


@pytest.mark.parametrize(
    ("month_end", "usd"),
    [
        ("1960-01-31", 35.27),
        ("1970-01-31", 34.94),
        ("1971-08-31", 43),
        ("1980-01-31", 675.31),
        ("2011-08-31", 1759),
        ("2025-10-31", 4058.33),
        ("2026-02-28", 5020),
        ("2026-06-30", 4228),
    ],
)
def test_published_figures(month_end, usd):
    assert parsed().set_index("period_end").loc[month_end, "value"] == usd


def test_what_gold_touched_in_october_2025_is_no_months_average():
    assert parsed().set_index("period_end").loc[:"2025-11-30", "value"].max() == 4087


def test_reference_values():
    frame = parsed().set_index("period_end")["value"]
    assert GOLD.reference_values
    for reference in GOLD.reference_values:
        assert frame[str(reference["period_end"])] == reference["value"]


def test_the_edition_tells_its_date():
    file = sources.parse(GOLD, FILE)
    assert (file.edition_date, file.edition_line) == (RELEASED, 4)
    assert sources.edition_date(GOLD, FILE) == RELEASED


def test_an_earlier_edition_with_a_row_of_codes_reads_the_same():
    def insert(book):
        book[SHEET].insert_rows(7)
        book[SHEET]["B7"] = "GOLD"

    frame = parsed(changed(then=insert))
    assert list(frame["value"]) == list(parsed()["value"])
    assert frame["line"].min() == 8


def test_the_whole_sheet_of_the_publisher_reads_the_same():
    """Seventy columns around gold, marks and error cells among them, other sheets before and behind."""

    def widen(book):
        sheet = book[SHEET]
        sheet.move_range(f"B5:B{LAST_ROW}", cols=60)
        for column in range(2, 73):
            if column == 62:
                continue
            sheet.cell(5, column, f"Rice, Thai {column}% ")
            sheet.cell(6, column, "($/mt)")
            for row in range(7, LAST_ROW + 1):
                sheet.cell(row, column, ("…", "...", "#VALUE!", "", 1.6)[(row + column) % 5])
        for title in ("Mismatch Details", "Monthly Indices", "Description", "Index Weights"):
            book.create_sheet(title, 0 if title.startswith("Mismatch") else None)["A1"] = title

    assert list(parsed(changed(then=widen))["value"]) == list(parsed()["value"])


@pytest.mark.parametrize("mark", ["…", "..", " … "])
@pytest.mark.parametrize(("row", "month"), [(7, "1960-01"), (JANUARY_ROW, "2026-01"), (LAST_ROW, "2026-06")])
def test_a_mark_of_what_is_missing_is_refused_in_any_month(mark, row, month):
    error = refusal(changed((f"B{row}", mark)), BadFigureError, row)
    assert f"Gold, {month} is {mark.strip()!r}" in error.message


def test_the_misprinted_edition_of_january_2026_is_read_under_its_own_year_and_no_other_is():
    misprint = ("A4", "Updated on January 06, 2025")
    data = changed(misprint, then=without_rows(JANUARY_ROW, 6))
    assert sources.edition_date(GOLD, SourceFile("f", data)) == date(2026, 1, 6)
    assert sources.edition_date(GOLD, SourceFile("f", changed(misprint))) == date(2025, 1, 6)


# --- What is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", EmptyFileError),
        (b"<!DOCTYPE html>\n<html><body>Not found</body></html>", NotTheFileError),
        (b'{"error": "not found"}', NotTheFileError),
        (b"404 Not Found\n", NotTheFileError),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), NotTheFileError),
        (FILE.data[:50_000], TruncatedFileError),
    ],
    ids=["empty", "HTML", "JSON", "text", "encrypted", "cut"],
)
def test_another_kind_of_file_is_refused(data, kind):
    with pytest.raises(kind, match="damaged") as caught:
        parsed_as_damaged(data)
    assert type(caught.value) is kind


def test_a_workbook_of_another_publisher_is_refused(publisher_files):
    data = (publisher_files / "cbo/51134-2025-01-Historical-Budget-Data.xlsx").read_bytes()
    assert SHEET in refusal(data, WrongLayoutError).message


def test_a_renamed_sheet_is_refused_by_name():
    def rename(book):
        book[SHEET].title = "Prices, monthly"

    assert "'Prices, monthly'" in refusal(changed(then=rename), WrongLayoutError).message


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("A1", "World Bank Commodity Price Data"),
        ("A1", None),
        ("A2", "monthly prices in real 2010 US dollars, 1960 to present"),
        ("A2", "annual prices in nominal US dollars, 1960 to present"),
    ],
)
def test_another_table_is_refused(cell, value):
    refusal(changed((cell, value)), NotTheFileError, int(cell[1:]))


@pytest.mark.parametrize(
    "printed",
    [None, "Updated", "Updated on July 2026", "Updated on July 32, 2026", "Updated on Juli 02, 2026",
     "updated on July 02, 2026", "Updated on 2026-07-02", date(2026, 7, 2)],
)  # fmt: skip
def test_an_edition_date_that_is_none_is_refused(printed):
    data = changed(("A4", printed))
    refusal(data, WrongLayoutError, 4)
    with pytest.raises(WrongLayoutError):
        sources.edition_date(GOLD, SourceFile("damaged", data))


@pytest.mark.parametrize("name", [None, "Silver", "GOLD", "Gold **", "gold", "Gold, UK"])
def test_a_workbook_without_gold_is_refused(name):
    assert "'Gold' stands 0 times" in refusal(changed(("B5", name)), WrongLayoutError, 5).message


def test_gold_twice_is_refused():
    data = changed(("C5", "Gold"), ("C6", "($/troy oz)"))
    assert "'Gold' stands 2 times" in refusal(data, WrongLayoutError, 5).message


@pytest.mark.parametrize("unit", [None, "($/g)", "($/kg)", "($/mt)", "(€/troy oz)", "($/troy oz) x1000"])
def test_gold_in_another_unit_is_refused(unit):
    refusal(changed(("B6", unit)), WrongLayoutError, 6)


def test_a_column_or_row_more_before_the_header_is_refused():
    refusal(changed(then=lambda book: book[SHEET].insert_cols(1)), NotTheFileError, 1)
    refusal(changed(then=lambda book: book[SHEET].insert_rows(5)), WrongLayoutError, 5)
    refusal(changed(then=without_rows(3)), WrongLayoutError, 4)
    refusal(changed(("A5", "Period")), WrongLayoutError, 5)


def test_prices_beside_another_column_are_refused():
    def shift(book):
        book[SHEET].move_range(f"B7:B{LAST_ROW}", cols=1)

    assert "blank" in refusal(changed(then=shift), BadFigureError, 7).message


@pytest.mark.parametrize(
    "figure",
    [None, "", "n.a.", "null", "-", "...", "4,753.00", "4753 USD", "=AVERAGE(B7:B8)", "#REF!", True,
     date(2026, 1, 31)],
)  # fmt: skip
def test_a_figure_that_is_none_is_refused(figure):
    error = refusal(changed((f"B{JANUARY_ROW}", figure)), BadFigureError, JANUARY_ROW)
    assert f"Gold, 2026-01 (B{JANUARY_ROW})" in error.message


@pytest.mark.parametrize(
    "month", [None, "2026-01", "Jan 2026", "2026M1", "2026M13", "2026Q1", 2026.01, "Note"]
)
def test_a_month_that_is_none_is_refused(month):
    error = refusal(changed((f"A{JANUARY_ROW}", month)), WrongLayoutError, JANUARY_ROW)
    assert "2026M01 is due" in error.message


def test_a_month_twice_missing_or_out_of_order_is_refused():
    refusal(changed((f"A{JANUARY_ROW}", "2025M12")), DuplicateCellError, JANUARY_ROW)
    refusal(changed(then=without_rows(JANUARY_ROW)), TruncatedFileError, JANUARY_ROW)
    refusal(changed(then=without_rows(7, 12)), TruncatedFileError, 7)

    def newest_first(book):
        sheet = book[SHEET]
        rows = [(sheet.cell(row, 1).value, sheet.cell(row, 2).value) for row in range(7, LAST_ROW + 1)]
        for row, cells in enumerate(reversed(rows), start=7):
            sheet.cell(row, 1).value, sheet.cell(row, 2).value = cells

    refusal(changed(then=newest_first), TruncatedFileError, 7)


def test_a_sheet_without_months_is_refused():
    refusal(changed(then=without_rows(7, 798)), TruncatedFileError, 6)


def test_a_note_below_the_months_is_refused():
    refusal(changed((f"A{LAST_ROW + 1}", "Note: revised")), WrongLayoutError, LAST_ROW + 1)


def test_a_sheet_too_large_is_refused():
    with pytest.raises(TooLargeError):
        parsed(changed(("A5000", "2375M05")))


@pytest.mark.parametrize("factor", [1000, 0.001])
def test_another_unit_is_refused_by_its_size(check, factor):
    def times(book):
        for row in range(7, LAST_ROW + 1):
            book[SHEET].cell(row, 2).value *= factor

    error = batch_refusal(check, GOLD, changed(then=times), RELEASED, FailedSuiteError, 7)
    assert "another unit" in error.message


@pytest.mark.parametrize("figure", [0, -4753, 475.3, 47530, 2376.5])
def test_a_month_far_from_the_one_before_is_refused(check, figure):
    data = changed((f"B{JANUARY_ROW}", figure))
    batch_refusal(check, GOLD, data, RELEASED, FailedSuiteError, JANUARY_ROW)


def test_months_in_the_future_are_refused(check):
    # A month of zeros that has not ended, as a template holds it.
    data = changed((f"A{LAST_ROW + 1}", "2026M07"), (f"B{LAST_ROW + 1}", 0))
    assert "2026-07-31" in batch_refusal(check, GOLD, data, RELEASED, WrongDateError, None).message


def test_an_edition_offered_under_another_date_is_refused(check):
    batch_refusal(check, GOLD, FILE.data, day("2026-08-04"), FrozenFileError, 4)
    batch_refusal(check, GOLD, FILE.data, day("2026-07-01"), WrongDateError, 4)


def test_an_edition_whose_months_ended_long_before_is_refused(check):
    data = changed(then=without_rows(LAST_ROW - 1, 2))
    batch_refusal(check, GOLD, data, RELEASED, FrozenFileError, None)


# --- The whole way --------------------------------------------------------------------------------------


def test_the_bundled_release_loads_and_a_damaged_one_changes_nothing(home):
    (loaded,) = pipeline.ingest(home, GOLD, snapshot.bundled(GOLD))
    assert (loaded.cells, loaded.rows, loaded.release.released_on) == (798, 798, RELEASED)

    damaged = changed((f"B{JANUARY_ROW}", "4,753.00"))
    with pytest.raises(BadFigureError):
        pipeline.ingest(home, GOLD, [Incoming("g.xlsx", damaged, None, GOLD.url)])
    (reason,) = home.quarantine.rglob("reason.json")
    told = json.loads(reason.read_text())
    assert (told["outcome"], told["line"]) == ("bad_figure", JANUARY_ROW)
    assert (reason.parent / "g.xlsx").read_bytes() == damaged
    assert held(home) == [(798,)]


def test_a_workbook_that_tells_no_date_is_kept_and_refused(home):
    damaged = changed(("A4", "Updated"))
    with pytest.raises(WrongLayoutError):
        pipeline.ingest(home, GOLD, [Incoming("g.xlsx", damaged, None, GOLD.url)])
    (reason,) = home.quarantine.rglob("reason.json")
    assert (reason.parent / "g.xlsx").read_bytes() == damaged


def test_the_next_edition_adds_what_it_says_anew_under_its_own_date(home):
    pipeline.ingest(home, GOLD, snapshot.bundled(GOLD))
    august = changed(
        ("A4", "Updated on August 04, 2026"),
        (f"B{LAST_ROW}", 4229),
        (f"A{LAST_ROW + 1}", "2026M07"),
        (f"B{LAST_ROW + 1}", 4100),
    )
    (loaded,) = pipeline.ingest(home, GOLD, [Incoming("g.xlsx", august, None, GOLD.url)])
    assert (loaded.cells, loaded.rows, loaded.release.released_on) == (799, 2, day("2026-08-04"))


def held(home):
    connection = warehouse.connect(home)
    try:
        return connection.execute("select count(*) from raw.worldbank__gold_price").fetchall()
    finally:
        connection.close()
