"""SAFE: the published figures of its workbooks, and files that are not what they should be."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import date, timedelta

import openpyxl
import pandas as pd
import pytest

from tests.conftest import bundled_file, day
from tests.sources.damage import NO_FILE, batch_refusal, refusal
from tidemark import archive, corrections, pipeline, registry, snapshot, sources, warehouse
from tidemark.archive import Release
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
from tidemark.reading import NOT_AVAILABLE, SourceFile, month_end
from tidemark.settings import project_root
from tidemark.snapshot import Incoming
from tidemark.sources import safe

RESERVES = registry.dataset("safe/reserve_assets")
BOP = registry.dataset("safe/balance_of_payments")
POSITION = registry.dataset("safe/investment_position")
ALL = pytest.mark.parametrize("dataset", [RESERVES, BOP, POSITION], ids=lambda dataset: dataset.id)
FIGURES = project_root() / "snapshot" / "figures" / "safe"
FX, GOLD, OTHER, TOTAL = RESERVES.series[0], safe.GOLD, safe.OTHER, safe.TOTAL
CURRENT = "1 经常账户"
RESERVE_ITEMS = {
    "fx_reserves": FX,
    "imf_reserve_position": RESERVES.series[1],
    "sdr_holdings": RESERVES.series[2],
    "gold": GOLD,
    "other_reserve_assets": OTHER,
    "total_official_reserve_assets": TOTAL,
}
MEASURES = {
    "USD_100m": "value_usd",
    "SDR_100m": "value_sdr",
    "fine_troy_oz_10k": "volume",
}
FLOWS = {"USD_100m": "flow_usd", "CNY_100m": "flow_cny", "SDR_100m": "flow_sdr"}
NBSP = "\u00a0"


def figures(name) -> list[dict[str, str]]:
    with (FIGURES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ends_on(period) -> pd.Timestamp:
    """The last day of 2024, 2024Q1 or 2024-01."""
    if len(period) == 4:
        return pd.Timestamp(int(period), 12, 31)
    year, part = int(period[:4]), int(period[5:])
    return pd.Timestamp(month_end(year, 3 * part if period[4] == "Q" else part))


def bundled(dataset) -> dict[date, SourceFile]:
    return {item.released_on: SourceFile(item.file, item.data) for item in snapshot.bundled(dataset)}


def parsed(dataset, data) -> pd.DataFrame:
    return sources.parse(dataset, SourceFile("f", data)).observations


def cells_of(frame) -> dict[tuple[object, ...], float]:
    key = [name for name in ("label", "frequency", "period_end", "measure") if name in frame]
    return frame.set_index(key)["value"].to_dict()


# --- What the publisher sends: reserve assets -------------------------------------------------------------


def every_reserve() -> pd.DataFrame:
    return pd.concat([parsed(RESERVES, file.data) for file in bundled(RESERVES).values()])


def test_every_bundled_figure_of_reserves_is_read_and_no_other():
    due = {
        (RESERVE_ITEMS[row["item"]], ends_on(row["month"]), MEASURES[row["unit"]]): float(row["value"])
        for row in figures("reserve_assets.csv")
    }
    frame = every_reserve()
    assert len(due) == len(frame) == 771
    assert cells_of(frame) == due
    units = {"value_usd": "usd_100m", "value_sdr": "sdr_100m", "volume": "fine_oz_10k"}
    assert (frame["unit"] == frame["measure"].map(units)).all()


def test_a_year_is_out_on_the_7th_after_its_newest_month():
    for released_on, file in bundled(RESERVES).items():
        newest = parsed(RESERVES, file.data)["period_end"].max().date()
        assert released_on == newest + timedelta(days=7)
    assert [d.year for d in bundled(RESERVES)] == [*range(2016, 2027), 2026]


@pytest.mark.parametrize(
    ("label", "month", "measure", "value"),
    [
        (FX, "2025-12", "value_usd", 33578.69),
        (FX, "2026-05", "value_usd", 34422.0),
        (FX, "2015-07", "value_usd", 36513.09887),
        (GOLD, "2025-12", "volume", 7415),
        (GOLD, "2026-09", "volume", 7747),
        (OTHER, "2024-10", "value_sdr", -10.5),
        (TOTAL, "2026-04", "value_sdr", 27854.74),
    ],
)
def test_published_reserves(label, month, measure, value):
    assert cells_of(every_reserve())[label, ends_on(month), measure] == value


def test_the_gold_of_the_peoples_bank_rose_14_months_in_a_row_to_december_2025():
    gold = every_reserve().query("measure == 'volume'").set_index("period_end")["value"].sort_index()
    rose = gold.diff()["2024-11-30":"2025-12-31"]
    assert len(rose) == 14
    assert (rose > 0).all()
    assert gold.diff()["2024-10-31"] == 0
    assert round(gold["2025-12-31"] * 1e4 / 32150.7466, 1) == 2306.3


# --- What the publisher sends: balance of payments --------------------------------------------------------


def vintages() -> dict[str, list[dict[str, str]]]:
    """The bundled figures of each release: item, frequency, unit, period, value."""
    found = {"2024-03-29": figures("balance_of_payments_2024-03-29.csv")}
    for row in figures("balance_of_payments_quarterly_vintages.csv"):
        found.setdefault(row["vintage_date"], []).append(row | {"frequency": "quarter"})
    return found


def item_labels() -> dict[str, str]:
    """Canonical names of items and their labels, as staging has them."""
    sql = (project_root() / "dbt_project/models/staging/safe/stg_safe__balance_of_payments.sql").read_text(
        "utf-8"
    )
    words = (line.split("'") for line in sql.splitlines() if line.strip().startswith("when '"))
    return {word[3]: word[1] for word in words if word[1] in BOP.series}


def test_every_bundled_figure_of_the_balance_of_payments_is_read_and_no_other():
    labels = item_labels()
    assert len(labels) == 20
    files = bundled(BOP)
    assert {f"{released_on}" for released_on in files} == set(vintages())
    rows = 0
    for released_on, file in files.items():
        frame = parsed(BOP, file.data)
        due = {
            (labels[row["item"]], row["frequency"], ends_on(row["period"]), FLOWS[row["unit"]]): float(
                row["value"]
            )
            for row in vintages()[f"{released_on}"]
        }
        assert len(due) == len(frame)
        assert cells_of(frame) == due
        rows += len(frame)
    assert rows == 4896 + 3366


def test_the_current_account_of_2023():
    frame = parsed(BOP, bundled(BOP)[day("2024-03-29")].data)
    assert cells_of(frame)[CURRENT, "year", ends_on("2023"), "flow_usd"] == 2529.872713


def test_a_first_vintage_and_the_one_that_followed():
    first, then = (
        cells_of(parsed(BOP, bundled(BOP)[day(d)].data))[CURRENT, "quarter", ends_on("2022Q3"), "flow_usd"]
        for d in ("2024-03-19", "2024-05-31")
    )
    assert (first, round(then, 2)) == (1396.36, 1514.78)


def test_what_must_close_is_known_of_every_item():
    found = safe.identities(BOP.series)
    by_column = {column: [i for i in found if i.column == column] for column in safe.GAPS}
    assert [len(by_column[column]) for column in safe.GAPS] == [26, 20, 6, 0]
    sides = {side for identity in by_column["sides_gap"] for side in identity.parts}
    assert sides == {label for label in BOP.series if " / " in label}
    summed = {part for identity in found for part in identity.parts}
    assert set(BOP.series) - summed == {"3 净误差与遗漏"}


# --- What the publisher sends: the investment position ----------------------------------------------------


def test_every_quoted_position_is_read():
    found = {}
    for released_on, file in bundled(POSITION).items():
        parse = sources.parse(POSITION, file)
        assert parse.edition_date == released_on == sources.edition_date(POSITION, file)
        frame = parse.observations
        found |= {(f"{released_on}", r.period_end, r.label): r.value for r in frame.itertuples()}
    due = {
        (row["vintage_date"], ends_on(row["month"]), row["item"]): float(row["value"])
        for row in figures("investment_position.csv")
    }
    assert found == due
    assert len(due) == 6


@ALL
def test_reference_values(dataset):
    read = {released_on: cells_of(parsed(dataset, f.data)) for released_on, f in bundled(dataset).items()}
    assert dataset.reference_values
    for reference in dataset.reference_values:
        cell = (
            reference["label"],
            *([reference["frequency"]] if "frequency" in reference else []),
            pd.Timestamp(reference["period_end"]),
            reference["measure"],
        )
        assert reference["value"] in {cells[cell] for cells in read.values() if cell in cells}, reference


# --- The publisher's own workbook -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(publisher_files) -> bytes:
    return (publisher_files / "safe" / "balance_of_payments_bpm6_2024-03-29.xlsx").read_bytes()


def test_the_publishers_workbook_holds_what_is_bundled_of_it(published):
    started = time.monotonic()
    frame = parsed(BOP, published)
    assert time.monotonic() - started < 20
    assert len(frame) == 131 * (14 + 56 + 74 + 104 + 8 + 32) == 37728
    assert tuple(frame["label"].drop_duplicates()) == BOP.series
    cells = cells_of(frame)
    extract = parsed(BOP, bundled(BOP)[day("2024-03-29")].data)
    for cell, value in cells_of(extract).items():
        # Of the publisher's digits the extract has ten.
        assert cells[cell] == pytest.approx(value, rel=1e-9, abs=1e-9), cell
    copy = cells_of(parsed(BOP, bundled(BOP)[day("2024-05-31")].data))
    assert max(abs(cells[cell] - value) for cell, value in copy.items()) < 1e-5
    assert round(cells[CURRENT, "year", ends_on("2023"), "flow_usd"] / 10, 2) == 252.99
    assert cells["2.2.2 储备资产", "year", ends_on("2013"), "flow_usd"] < 0


def test_the_publishers_workbook_is_read_within_500_mb(published, tmp_path):
    (tmp_path / "b.xlsx").write_bytes(published)
    program = (
        "import pathlib, re\n"
        "from tidemark import registry, sources\n"
        "from tidemark.reading import SourceFile\n"
        f"data = pathlib.Path({str(tmp_path / 'b.xlsx')!r}).read_bytes()\n"
        "sources.parse(registry.dataset('safe/balance_of_payments'), SourceFile('b', data))\n"
        # Not ru_maxrss, which begins with what the process that started this one takes.
        "print(re.search(r'VmHWM:\\s*(\\d+)', pathlib.Path('/proc/self/status').read_text())[1])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(told.stdout) < 500 * 1024


def test_what_the_publisher_does_not_compile_is_not_available(published):
    frame = parsed(BOP, published)
    missing = frame[frame["value"].isna()]
    assert set(missing["status"]) == {NOT_AVAILABLE}
    assert len(missing) == 126 + 504 + 1334 + 1368 + 72 + 4
    blank = missing.query("label == '1.B.2 投资收益 / 贷方'")
    assert [d.year for d in blank["period_end"]] == [1975, 1976, 1977, 1978]
    assert frame.query("label == '1.B.2 投资收益 / 贷方' and frequency == 'year'").shape[0] == 14 + 74 + 8


def test_the_publishers_workbook_closes_but_where_corrections_say_so(published, monkeypatch):
    frame = parsed(BOP, published)
    checked = sources.with_checks(BOP, frame)
    for column in safe.GAPS:
        assert checked[column].abs().max() < 1e-8
        assert checked[column].notna().sum() > 500
    # Without the corrections exactly those gaps show.
    listed = corrections.known_gaps(BOP, frame)
    monkeypatch.setattr(corrections, "known_gaps", lambda dataset, frame: {})
    gaps = sources.with_checks(BOP, frame)
    shown = {
        (column, (row.label, row.frequency), row.measure, row.period_end): row[column]
        for column in safe.GAPS
        for _, row in gaps[gaps[column].abs() > 1e-6].iterrows()
    }
    assert shown == pytest.approx(listed)
    assert len(shown) == 10


def test_the_quarters_of_2016_in_sdr_are_the_only_ones_without_a_sum(published):
    checked = sources.with_checks(BOP, parsed(BOP, published))
    years = checked.query("frequency == 'year' and quarters_gap.isna() and value.notna()")
    years = years[
        ((years["measure"] == "flow_usd") & (years["period_end"] >= "1998-12-31"))
        | (years["measure"] != "flow_usd")
    ]
    assert len(years) == 18
    assert set(years["measure"]) == {"flow_sdr"}
    assert set(years["period_end"]) == {ends_on("2016")}
    assert set(years["value"]) == {0.0}


def test_the_publishers_workbook_passes_its_suite(published, check):
    validated(check, BOP, published, day("2024-03-29"))


def test_a_file_that_only_bears_the_name_is_refused(publisher_files):
    file = SourceFile("not_an_xlsx.xlsx", (publisher_files / "safe" / "not_an_xlsx.xlsx").read_bytes())
    for dataset in (RESERVES, BOP):
        with pytest.raises(NotTheFileError, match=r"^not_an_xlsx\.xlsx: something else stands"):
            sources.parse(dataset, file)


def test_once_the_publisher_repairs_a_figure_its_correction_is_outdated(published, check):
    row = 5 + BOP.series.index("1.A.b.9 电信、计算机和信息服务 / 借方") + 1
    data = changed_cells(published, "年度BOP（美元） ", {(row, 32): lambda value: -value})
    error = batch_refusal(check, BOP, data, day("2024-03-29"), OutdatedCorrectionError)
    assert "'safe_debit_without_minus_1980' expects 0.0529" in error.message


def test_a_figure_of_the_publishers_workbook_changed_is_missed_by_no_sum(published, check):
    """Each kind of identity, told by sheet and row."""
    for row, column, gap in ((7, 30, "sides_gap"), (18, 30, "parts_gap"), (90, 74, "sectors_gap")):
        data = changed_cells(published, "年度BOP（美元） ", {(row, column): lambda value: value + 1})
        error = batch_refusal_of_sheet(check, BOP, data, day("2024-03-29"), FailedSuiteError)
        assert f"{gap} is " in error.message


# --- Workbooks changed ------------------------------------------------------------------------------------


def changed_book(data: bytes, change: Callable[[openpyxl.Workbook], None]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(data))
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def changed_cells(data, title, changes) -> bytes:
    def change(book):
        sheet = book[title]
        for (row, column), value in changes.items():
            cell = sheet.cell(row, column)
            cell.value = value(cell.value) if callable(value) else value

    return changed_book(data, change)


def validated(check, dataset, data, released_on, file="damaged") -> pd.DataFrame:
    release = Release(
        dataset.name, released_on, 0, archive.sha256(data), len(data), file,
        dataset.url, "published", pd.Timestamp("2026-01-01", tz="UTC").to_pydatetime(),
    )  # fmt: skip
    return pipeline.validated_batch(dataset, release, data, check)


def told(error, kind, line) -> RefusedFileError:
    """A refusal names the file, the sheet where there is one, the row and what to do."""
    assert type(error) is kind, error
    if line != -1:
        assert error.line == line, error
    assert error.file.startswith("damaged")
    assert f", line {error.line}: " in str(error) or error.line is None
    assert str(error).endswith(f"\n  -> {error.advice}")
    assert error.advice
    return error


def sheet_refusal(dataset, data, kind, line=-1) -> RefusedFileError:
    with pytest.raises(RefusedFileError) as caught:
        sources.parse(dataset, SourceFile("damaged", data))
    return told(caught.value, kind, line)


def batch_refusal_of_sheet(check, dataset, data, released_on, kind, line=-1) -> RefusedFileError:
    with pytest.raises(RefusedFileError) as caught:
        validated(check, dataset, data, released_on)
    return told(caught.value, kind, line)


YEAR = bundled(RESERVES)[day("2026-10-07")].data
YEAR_RELEASED = day("2026-10-07")
SHEET = "Sheet1"
# Rows of the workbook of reserves, and the columns of the first and of the ninth month.
HEADER, UNITS, FX_ROW, IMF_ROW, SDR_ROW, GOLD_ROW, VOLUME_ROW, OTHER_ROW, TOTAL_ROW = range(4, 13)
JAN, FEB, SEP, OCT = 2, 4, 18, 20
SMALL = bundled(BOP)[day("2024-08-09")].data
SMALL_RELEASED = day("2024-08-09")
QUARTERS = "季度BOP（美元）"
CREDIT_ROW, LAST_QUARTER = 7, 106
WORKBOOKS = pytest.mark.parametrize(
    ("dataset", "data"), [(RESERVES, YEAR), (BOP, SMALL)], ids=["reserve_assets", "balance_of_payments"]
)


def reserves_with(changes) -> bytes:
    return changed_cells(YEAR, SHEET, changes)


def bop_with(changes, title=QUARTERS) -> bytes:
    return changed_cells(SMALL, title, changes)


def test_saved_again_by_a_spreadsheet_the_figures_are_the_same():
    for dataset, data in ((RESERVES, YEAR), (BOP, SMALL)):
        assert parsed(dataset, changed_book(data, lambda book: None)).equals(parsed(dataset, data))


# --- What is refused: no workbook -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", EmptyFileError),
        (b"\x00" * 512, EmptyFileError),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>", NotTheFileError),
        (b'{"error": 404}', NotTheFileError),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, NotTheFileError),
        (b"item,month,value_usd_100m,released_on\n", NotTheFileError),
        (b"book\x00\x00\x00\x00mark", NotTheFileError),
    ],
    ids=["no bytes", "NULs", "HTML", "JSON", "encrypted", "CSV", "a bookmark"],
)
@pytest.mark.parametrize("dataset", [RESERVES, BOP], ids=lambda dataset: dataset.id)
def test_another_kind_of_file_is_refused(dataset, data, kind):
    refusal(dataset, data, kind)


@WORKBOOKS
def test_a_workbook_cut_off_anywhere_is_refused(dataset, data):
    for at in range(4, len(data), len(data) // 40):
        with pytest.raises((TruncatedFileError, NotTheFileError)):
            sources.parse(dataset, SourceFile("f", data[:at]))


@WORKBOOKS
def test_a_zip_bomb_is_refused(dataset, data):
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/media/image1.xml", b"\x00" * (50 * 2**20))
    refusal(dataset, out.getvalue(), TooLargeError, None)


@WORKBOOKS
def test_the_other_workbook_is_refused(dataset, data):
    other = SMALL if dataset is RESERVES else YEAR
    sheet_refusal(dataset, other, WrongLayoutError)


def test_formulas_instead_of_values_are_refused():
    error = sheet_refusal(RESERVES, reserves_with({(FX_ROW, JAN): "=1+1"}), BadFigureError, FX_ROW)
    assert "formula without its value" in error.message
    error = sheet_refusal(RESERVES, reserves_with({(VOLUME_ROW, JAN): "=1", (VOLUME_ROW, 3): "=1"}),
                          BadFigureError, VOLUME_ROW)  # fmt: skip
    assert "formula" in error.message
    # A month that is over and holds nothing else is not taken for one to come.
    error = sheet_refusal(RESERVES, reserves_with({(FX_ROW, OCT): "=SUM(A1)"}), BadFigureError, FX_ROW)
    assert "formula" in error.message
    error = sheet_refusal(BOP, bop_with({(CREDIT_ROW, LAST_QUARTER): "=1+1"}), BadFigureError, CREDIT_ROW)
    assert "formula without its value" in error.message


# --- What is refused: reserve assets ----------------------------------------------------------------------


@pytest.mark.parametrize("figure", ["33,990.78", "n.a.", "null", "-", "33990亿美元", "3.4e4", "#REF!", True])
def test_a_reserve_that_is_no_figure_is_refused(figure):
    error = sheet_refusal(RESERVES, reserves_with({(FX_ROW, FEB): figure}), BadFigureError, FX_ROW)
    assert "2026-02" in error.message
    assert error.file == "damaged, sheet 'Sheet1'"


@pytest.mark.parametrize("blank", [None, "", NBSP, "  "])
def test_a_blank_in_a_month_that_has_figures_is_refused(blank):
    error = sheet_refusal(RESERVES, reserves_with({(GOLD_ROW, FEB): blank}), BadFigureError, GOLD_ROW)
    assert "is blank" in error.message


@pytest.mark.parametrize("zero", [0, 0.0, "0", f"0{NBSP}", f"0.00{NBSP}"])
def test_a_month_that_is_0_is_to_come_if_none_follows(zero):
    before = parsed(RESERVES, YEAR)
    coming = {(r, c): zero for r in range(FX_ROW, TOTAL_ROW + 1) for c in range(OCT, OCT + 6)}
    coming |= {(VOLUME_ROW, c): f"0万盎司{NBSP}" for c in range(OCT, OCT + 6)}
    assert parsed(RESERVES, reserves_with(coming)).equals(before)


def test_a_0_in_the_middle_is_refused():
    for row in (FX_ROW, IMF_ROW, GOLD_ROW, TOTAL_ROW):
        error = sheet_refusal(RESERVES, reserves_with({(row, FEB): f"0.00{NBSP}"}), BadFigureError, row)
        assert "is 0" in error.message
    whole = {(r, c): 0 for r in range(FX_ROW, TOTAL_ROW + 1) for c in (FEB, FEB + 1)}
    whole |= {(VOLUME_ROW, c): "0万盎司" for c in (FEB, FEB + 1)}
    sheet_refusal(RESERVES, reserves_with(whole), BadFigureError)
    volume = {(VOLUME_ROW, c): "0万盎司" for c in (FEB, FEB + 1)}
    sheet_refusal(RESERVES, reserves_with(volume), BadFigureError, VOLUME_ROW)


def test_other_reserve_assets_may_be_0(check):
    changes = {
        (OTHER_ROW, JAN): f"0.00{NBSP}",
        (TOTAL_ROW, JAN): f"38360.92{NBSP}",
    }
    frame = validated(check, RESERVES, reserves_with(changes), YEAR_RELEASED)
    assert cells_of(frame)[OTHER, ends_on("2026-01"), "value_usd"] == 0


@pytest.mark.parametrize("nothing", [0, None, f"0.00{NBSP}"])
def test_a_month_that_is_over_and_holds_nothing_is_missed(check, nothing):
    past = {(r, c): nothing for r in range(FX_ROW, TOTAL_ROW + 1) for c in (SEP, SEP + 1)}
    error = batch_refusal_of_sheet(check, RESERVES, reserves_with(past), YEAR_RELEASED, FrozenFileError)
    assert "2026-08-31" in error.message


def test_months_as_numbers_are_told_by_their_columns():
    before = parsed(RESERVES, YEAR)
    as_numbers = {(HEADER, 2 * m): float(f"2026.{m:02}") for m in range(1, 13)}
    assert as_numbers[HEADER, OCT] == 2026.1
    assert parsed(RESERVES, reserves_with(as_numbers)).equals(before)
    # A spreadsheet may drop the 0 of 2026.01 as well.
    assert parsed(RESERVES, reserves_with({(HEADER, JAN): 2026.1})).equals(before)


@pytest.mark.parametrize(
    "header",
    [
        {(HEADER, FEB): 2026.1},
        {(HEADER, FEB): "2026.01"},
        {(HEADER, FEB): "2025.02"},
        {(HEADER, FEB): "2026-02"},
        {(HEADER, FEB): None},
        {(HEADER, FEB): pd.Timestamp("2026-02-01").to_pydatetime()},
        {(HEADER, FEB + 1): "2026.03"},
        {(HEADER, JAN): "2026.02", (HEADER, FEB): "2026.03"},
        {(HEADER, 1): "Item"},
        {(HEADER, 1): None},
    ],
    ids=range(10),
)
def test_a_header_that_is_shifted_or_has_a_gap_is_refused(header):
    sheet_refusal(RESERVES, reserves_with(header), WrongLayoutError, HEADER)


@pytest.mark.parametrize("unit", ["亿美元", "百万SDR", None, "亿SDR 1 million SDR"])
def test_another_unit_under_a_month_is_refused(unit):
    sheet_refusal(RESERVES, reserves_with({(UNITS, FEB + 1): unit}), WrongLayoutError, UNITS)


def test_rows_and_columns_that_moved_are_refused():
    for change, line in (
        (lambda book: book[SHEET].insert_rows(2), HEADER),
        (lambda book: book[SHEET].delete_rows(2), HEADER),
        (lambda book: book[SHEET].insert_cols(1), HEADER),
        (lambda book: book[SHEET].delete_cols(3), UNITS),
        (lambda book: book[SHEET].delete_cols(FEB, 2), HEADER),
    ):
        sheet_refusal(RESERVES, changed_book(YEAR, change), WrongLayoutError, line)


def test_rows_are_found_by_their_labels():
    """SAFE's rows may stand lower, and a note below them."""
    before = parsed(RESERVES, YEAR).drop(columns="line")
    lower = changed_book(YEAR, lambda book: book[SHEET].insert_rows(FX_ROW))
    assert parsed(RESERVES, lower).drop(columns="line").equals(before)
    note = reserves_with({(TOTAL_ROW + 2, 1): "注：……"})
    assert parsed(RESERVES, note).drop(columns="line").equals(before)
    english = reserves_with({(FX_ROW, 1): "1.  外汇储备 / Foreign currency reserves"})
    assert parsed(RESERVES, english).drop(columns="line").equals(before)


@pytest.mark.parametrize("label", ["1. 外汇储备余额", "Foreign currency reserves", "1. 黄金 Gold"])
def test_a_label_of_reserves_that_is_unknown_is_refused_by_name(label):
    error = sheet_refusal(RESERVES, reserves_with({(FX_ROW, 1): label}), UnknownLabelError, FX_ROW)
    assert repr(label) in error.message


def test_a_row_of_reserves_that_is_missing_twice_or_unlabelled_is_refused():
    for row in range(FX_ROW, TOTAL_ROW + 1):
        data = changed_book(YEAR, lambda book, row=row: book[SHEET].delete_rows(row))
        kind = UnknownLabelError if row == GOLD_ROW else TruncatedFileError
        sheet_refusal(RESERVES, data, kind)
    twice = reserves_with({(IMF_ROW, 1): "1. 外汇储备 Foreign currency reserves"})
    sheet_refusal(RESERVES, twice, DuplicateCellError, IMF_ROW)
    sheet_refusal(RESERVES, reserves_with({(OTHER_ROW, 1): None}), UnknownLabelError, OTHER_ROW)
    sheet_refusal(RESERVES, reserves_with({(HEADER, 26): "2027.01"}), WrongLayoutError, UNITS)
    beside = reserves_with({(FX_ROW, 26): "1.00"})
    sheet_refusal(RESERVES, beside, WrongLayoutError, FX_ROW)


@pytest.mark.parametrize("volume", ["7419", "7419盎司", "7,419万盎司", "万盎司", "7419.123万盎司", 7419, ""])
def test_a_volume_that_is_none_is_refused(volume):
    changes = {(VOLUME_ROW, JAN): volume, (VOLUME_ROW, JAN + 1): volume}
    sheet_refusal(RESERVES, reserves_with(changes), BadFigureError, VOLUME_ROW)


def test_a_volume_that_differs_between_its_columns_is_refused():
    error = sheet_refusal(
        RESERVES, reserves_with({(VOLUME_ROW, JAN): "7420万盎司"}), BadFigureError, VOLUME_ROW
    )
    assert "7420" in error.message
    assert "7419" in error.message


def test_a_workbook_of_reserves_without_figures_is_refused():
    nothing = {(r, c): None for r in range(FX_ROW, TOTAL_ROW + 1) for c in range(2, 26)}
    nothing |= {(FX_ROW, 25): 0}
    sheet_refusal(RESERVES, reserves_with(nothing | {(VOLUME_ROW, 2): "0万盎司"}), TruncatedFileError)
    unquoted = {(r, c): "not quoted" for r in range(FX_ROW, TOTAL_ROW + 1) for c in range(2, SEP + 2)}
    sheet_refusal(RESERVES, reserves_with(unquoted), TruncatedFileError)

    def second(book):
        book.create_sheet("Sheet2")["A1"] = "more"

    sheet_refusal(RESERVES, changed_book(YEAR, second), WrongLayoutError, None)
    blank = changed_book(YEAR, lambda book: book.create_sheet("Sheet2"))
    assert parsed(RESERVES, blank).equals(parsed(RESERVES, YEAR))


def test_parts_that_do_not_sum_to_the_total_are_refused(check):
    data = reserves_with({(IMF_ROW, JAN): f"112.08{NBSP}"})
    error = batch_refusal_of_sheet(check, RESERVES, data, YEAR_RELEASED, FailedSuiteError, TOTAL_ROW)
    assert "closing_gap is 0.1" in error.message


def scaled(factor, rows=range(FX_ROW, TOTAL_ROW + 1), columns=range(JAN, SEP + 2)):
    def change(value):
        text = value.strip(NBSP)
        if text == "not quoted" or text.endswith("万盎司"):
            return value
        return f"{float(text) * factor:.6f}".rstrip("0").rstrip(".") + NBSP

    return {(r, c): change for r in rows for c in columns}


@pytest.mark.parametrize("factor", [1000, 0.001])
@pytest.mark.parametrize("columns", [range(JAN, SEP + 2), range(JAN, SEP + 2, 2), range(JAN + 1, SEP + 2, 2)],
                         ids=["all", "USD", "SDR"])  # fmt: skip
def test_reserves_in_another_unit_are_refused(check, factor, columns):
    data = reserves_with(scaled(factor, columns=columns))
    assert (
        "another unit"
        in batch_refusal_of_sheet(check, RESERVES, data, YEAR_RELEASED, FailedSuiteError).message
    )


@pytest.mark.parametrize("row", [FX_ROW, IMF_ROW, SDR_ROW, GOLD_ROW, TOTAL_ROW])
@pytest.mark.parametrize("factor", [1000, 0.001])
def test_a_row_of_reserves_in_another_unit_is_refused(check, factor, row):
    data = reserves_with(scaled(factor, rows=[row]))
    batch_refusal_of_sheet(check, RESERVES, data, YEAR_RELEASED, FailedSuiteError)


@pytest.mark.parametrize("volume", [f"7419000万盎司{NBSP}", f"7.41万盎司{NBSP}"])
def test_a_volume_in_another_unit_is_refused(check, volume):
    data = reserves_with({(VOLUME_ROW, JAN): volume, (VOLUME_ROW, JAN + 1): volume})
    error = batch_refusal_of_sheet(check, RESERVES, data, YEAR_RELEASED, FailedSuiteError, VOLUME_ROW)
    assert "another unit" in error.message


def test_a_value_of_gold_that_its_volume_belies_is_refused(check):
    data = reserves_with({(GOLD_ROW, 10): f"340.75{NBSP}"})
    error = batch_refusal_of_sheet(check, RESERVES, data, YEAR_RELEASED, FailedSuiteError, VOLUME_ROW)
    assert "usd_per_fine_oz is 454" in error.message


@pytest.mark.parametrize(
    ("one", "other"),
    [(FX_ROW, IMF_ROW), (FX_ROW, SDR_ROW), (FX_ROW, GOLD_ROW), (IMF_ROW, SDR_ROW), (SDR_ROW, GOLD_ROW)],
)
def test_two_rows_of_reserves_swapped_are_refused(check, one, other):
    def swap(book):
        sheet = book[SHEET]
        for column in range(JAN, SEP + 2):
            first, second = sheet.cell(one, column), sheet.cell(other, column)
            first.value, second.value = second.value, first.value

    data = changed_book(YEAR, swap)
    batch_refusal_of_sheet(check, RESERVES, data, YEAR_RELEASED, FailedSuiteError)


@pytest.mark.parametrize("released", sorted(d for d in bundled(RESERVES) if d > day("2019-01-01")), ids=str)
def test_sdrs_and_the_imf_position_swapped_are_refused_in_every_year_that_quotes_them(check, released):
    def swap(book):
        sheet = book[SHEET]
        for column in range(JAN, sheet.max_column + 1):
            first, second = sheet.cell(IMF_ROW, column), sheet.cell(SDR_ROW, column)
            first.value, second.value = second.value, first.value

    data = changed_book(bundled(RESERVES)[released].data, swap)
    error = batch_refusal_of_sheet(check, RESERVES, data, released, FailedSuiteError)
    assert "sdrs_by_imf" in error.message


def test_usd_and_sdr_swapped_are_refused(check):
    usd, sdr = f"34422.00{NBSP}", f"25148.72{NBSP}"
    data = reserves_with({(FX_ROW, 10): sdr, (FX_ROW, 11): usd})
    error = batch_refusal_of_sheet(check, RESERVES, data, YEAR_RELEASED, FailedSuiteError, FX_ROW)
    assert "usd_per_sdr" in error.message


def test_an_older_year_as_newer_and_figures_from_the_future_are_refused(check):
    older = bundled(RESERVES)[day("2025-01-07")].data
    batch_refusal_of_sheet(check, RESERVES, older, day("2026-01-07"), FrozenFileError, None)
    batch_refusal_of_sheet(check, RESERVES, YEAR, day("2026-09-30"), WrongDateError, None)


# --- What is refused: balance of payments -----------------------------------------------------------------


@pytest.mark.parametrize("figure", ["8,991.43", "8991.43", "n.a.", "null", "..", "#N/A", True, None, ""])
def test_a_flow_that_is_no_figure_is_refused(figure):
    error = sheet_refusal(BOP, bop_with({(CREDIT_ROW, LAST_QUARTER): figure}), BadFigureError, CREDIT_ROW)
    assert "1 经常账户 / 贷方, 2024Q1" in error.message
    assert error.file == "damaged, sheet '季度BOP（美元）'"


@pytest.mark.parametrize("mark", ["/", "-"])
def test_what_is_not_compiled_is_not_available(mark):
    frame = parsed(BOP, bop_with({(CREDIT_ROW, LAST_QUARTER): mark}))
    (missing,) = frame[frame["value"].isna()].to_dict("records")
    assert (missing["label"], missing["status"], missing["line"]) == (
        f"{CURRENT} / 贷方",
        NOT_AVAILABLE,
        CREDIT_ROW,
    )


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        (2, 1, "中国国际收支平衡表（年度表）"),
        (2, 1, None),
        (3, 1, "单位:亿元人民币"),
        (3, 1, "单位:百万美元"),
        (4, 1, "Item"),
        (4, 2, "1998Q2"),
        (4, 3, "1998Q1"),
        (4, 50, None),
        (4, 50, 2010),
        (4, 107, "2024Q3"),
        (4, 107, "note"),
    ],
)
def test_a_title_a_unit_or_a_header_that_is_another_is_refused(row, column, value):
    sheet_refusal(BOP, bop_with({(row, column): value}), WrongLayoutError, row)


def test_rows_and_columns_of_a_sheet_that_moved_are_refused():
    for change in (
        lambda book: book[QUARTERS].insert_rows(1),
        lambda book: book[QUARTERS].delete_rows(1),
        lambda book: book[QUARTERS].insert_cols(1),
        lambda book: book[QUARTERS].delete_cols(40),
    ):
        sheet_refusal(BOP, changed_book(SMALL, change), WrongLayoutError)


def test_a_blank_row_between_sections_is_read_over():
    before = parsed(BOP, SMALL).drop(columns="line")
    parted = changed_book(SMALL, lambda book: book[QUARTERS].insert_rows(75))
    assert parsed(BOP, parted).drop(columns="line").equals(before)


def test_an_item_that_is_unknown_missing_twice_or_moved_is_refused():
    error = sheet_refusal(BOP, bop_with({(12, 1): "1.A.c 数据"}), UnknownLabelError, 12)
    assert "'1.A.c 数据'" in error.message
    sheet_refusal(BOP, bop_with({(12, 1): "1.A.a 商品"}), UnknownLabelError, 12)
    sheet_refusal(BOP, bop_with({(7, 1): "收入"}), UnknownLabelError, 7)
    sheet_refusal(BOP, bop_with({(7, 1): None}), UnknownLabelError, 7)
    sheet_refusal(BOP, bop_with({(8, 1): "贷方"}), DuplicateCellError, 8)
    sheet_refusal(BOP, bop_with({(9, 1): "1. 经常账户"}), DuplicateCellError, 9)
    swapped = bop_with({(7, 1): "借方", (8, 1): "贷方"})
    assert "'1 经常账户 / 贷方' is due" in sheet_refusal(BOP, swapped, WrongLayoutError, 7).message
    for row in (6, 7, 12, 80, 135):
        lost = changed_book(SMALL, lambda book, row=row: book[QUARTERS].delete_rows(row))
        with pytest.raises((WrongLayoutError, DuplicateCellError, UnknownLabelError)):
            sources.parse(BOP, SourceFile("f", lost))
    cut = changed_book(SMALL, lambda book: book[QUARTERS].delete_rows(136))
    assert "3 净误差与遗漏" in sheet_refusal(BOP, cut, TruncatedFileError).message


def test_blanks_in_labels_do_not_matter():
    spaced = bop_with({(12, 1): "    1.A.a　货物 ", (85, 1): "2.2.1.1直接投资", (136, 1): "3.净误差与遗漏"})
    assert parsed(BOP, spaced).equals(parsed(BOP, SMALL))


def test_notes_are_read_over_and_figures_among_them_refused():
    notes = {(138, 1): "备注：", (139, 1): "1. ……", (140, 1): "2. ……"}
    assert parsed(BOP, bop_with(notes)).equals(parsed(BOP, SMALL))
    sheet_refusal(BOP, bop_with(notes | {(140, 7): 1.5}), WrongLayoutError, 140)
    sheet_refusal(BOP, bop_with({(137, 1): "备注不详", (100, 1): "备注："}), TruncatedFileError)
    sheet_refusal(BOP, bop_with({(CREDIT_ROW, LAST_QUARTER + 1): 1.5}), WrongLayoutError, CREDIT_ROW)


def test_a_sheet_renamed_missing_or_more_is_refused():
    def rename(book):
        book[QUARTERS].title = "季度BOP（日元）"

    error = sheet_refusal(BOP, changed_book(SMALL, rename), WrongLayoutError, None)
    assert "季度BOP（日元）" in error.message
    lost = changed_book(SMALL, lambda book: book.remove(book["年度BOP（SDR)"]))
    assert "年度BOP（SDR）" in sheet_refusal(BOP, lost, WrongLayoutError, None).message
    more = changed_book(SMALL, lambda book: book.create_sheet("Sheet1"))
    assert "Sheet1" in sheet_refusal(BOP, more, WrongLayoutError, None).message


def test_brackets_and_blanks_in_the_names_of_sheets_do_not_matter():
    def rename(book):
        book["年度BOP（美元） "].title = "年度BOP(美元)"
        book["年度BOP（SDR)"].title = "年度BOP（SDR）"

    assert parsed(BOP, changed_book(SMALL, rename)).equals(parsed(BOP, SMALL))


def test_what_is_not_quoted_holds_nothing_more():
    sheet_refusal(BOP, bop_with({(6, 2): 1.0}, "年度BOP（美元） "), WrongLayoutError, 4)
    sheet_refusal(BOP, bop_with({(4, 3): 1951}, "年度BOP（美元） "), WrongLayoutError, 4)
    # The row of goods and services has no figure: beside its mark stands a blank.
    sheet_refusal(BOP, bop_with({(9, 4): 1.0}), BadFigureError, 9)
    unquoted = {(r, c): None for r in range(5, 137) for c in range(1, 107)}
    unquoted |= {(4, c): None for c in range(3, 107)} | {(4, 2): "not quoted"}
    sheet_refusal(BOP, bop_with(unquoted), TruncatedFileError, None)


def test_sheets_that_end_apart_are_refused():
    full = bundled(BOP)[day("2024-03-29")].data
    short = changed_book(full, lambda book: book["季度BOP（SDR）"].delete_cols(33))
    error = sheet_refusal(BOP, short, TruncatedFileError, 4)
    assert "2023Q3" in error.message


def numbers_scaled(data, factor, titles) -> bytes:
    def change(book):
        for title in titles:
            for row in book[title].iter_rows(min_row=6, min_col=2):
                for cell in row:
                    if isinstance(cell.value, int | float):
                        cell.value *= factor

    return changed_book(data, change)


@pytest.mark.parametrize("factor", [1000, 0.001])
def test_flows_in_another_unit_are_refused(check, factor):
    data = numbers_scaled(SMALL, factor, [QUARTERS])
    assert (
        "another unit" in batch_refusal_of_sheet(check, BOP, data, SMALL_RELEASED, FailedSuiteError).message
    )


@pytest.mark.parametrize("title", ["年度BOP（人民币）", "季度BOP（SDR）"])
def test_a_sheet_in_another_unit_is_refused(check, title):
    data = numbers_scaled(bundled(BOP)[day("2024-03-29")].data, 0.001, [title])
    error = batch_refusal_of_sheet(check, BOP, data, day("2024-03-29"), FailedSuiteError)
    assert "another unit" in error.message


def test_a_flow_that_does_not_close_is_refused(check):
    data = bop_with({(CREDIT_ROW, LAST_QUARTER): lambda value: value + 0.1})
    error = batch_refusal_of_sheet(check, BOP, data, SMALL_RELEASED, FailedSuiteError, CREDIT_ROW - 1)
    assert "quarter, 2024-03-31, flow_usd, sides_gap is 0.0999994" in error.message
    data = bop_with({(136, LAST_QUARTER): lambda value: value + 0.1})
    error = batch_refusal_of_sheet(check, BOP, data, SMALL_RELEASED, FailedSuiteError, 136)
    assert "parts_gap is 0.1" in error.message


def test_quarters_that_do_not_sum_to_their_year_are_refused(check):
    full = bundled(BOP)[day("2024-03-29")].data
    row = 5 + BOP.series.index("1.C 二次收入") + 1
    data = changed_cells(full, "年度BOP（人民币）", {(row, 5): lambda value: value + 1})
    error = batch_refusal_of_sheet(check, BOP, data, day("2024-03-29"), FailedSuiteError)
    assert "quarters_gap is -0.9999999" in error.message


def test_an_old_workbook_as_newer_and_quarters_from_the_future_are_refused(check):
    batch_refusal_of_sheet(check, BOP, SMALL, day("2024-10-19"), FrozenFileError, None)
    batch_refusal_of_sheet(check, BOP, SMALL, day("2024-03-29"), WrongDateError, None)


# --- What is refused: the investment position -------------------------------------------------------------

QUOTED = bundled_file("investment_position_2026-03-27.csv", "safe")
QUOTED_TEXT = QUOTED.data.decode("ascii")


def quoted_with(old, new) -> bytes:
    assert QUOTED_TEXT.count(old) == 1
    return QUOTED_TEXT.replace(old, new).encode()


@pytest.mark.parametrize(("data", "kind"), [p for p in NO_FILE if p.id != "plain text"])
def test_another_kind_of_file_is_no_position(data, kind):
    refusal(POSITION, data, kind)


@pytest.mark.parametrize("figure", ["", "n.a.", "null", "1.1786e5", "117860bn", "117860.123"])
def test_a_position_that_is_no_figure_is_refused(figure):
    refusal(POSITION, quoted_with("117860", figure), BadFigureError, 2)


@pytest.mark.parametrize(
    ("old", "new", "kind", "line"),
    [
        ("117860", "117,860", WrongLayoutError, 2),
        ("117860", '"117,860"', BadFigureError, 2),
        ("item,month", "label,month", WrongLayoutError, 1),
        ("2025-12,77147", "2025-11,77147", WrongLayoutError, 3),
        ("2025-12,77147", "2025Q4,77147", WrongLayoutError, 3),
        ("77147,2026-03-27", "77147,2026-03-28", WrongLayoutError, 3),
        ("77147,2026-03-27", "77147,27.3.2026", WrongLayoutError, 3),
        ("77147,2026-03-27", "77147", WrongLayoutError, 3),
        ("iip_liabilities", "iip_assets", DuplicateCellError, 3),
        ("iip_liabilities", '"iip_liabilities', WrongLayoutError, None),
    ],
)
def test_a_line_of_positions_that_is_another_is_refused(old, new, kind, line):
    refusal(POSITION, quoted_with(old, new), kind, -1 if line is None else line)


@pytest.mark.parametrize("end", [-1, -2, -3, -12])
def test_positions_cut_off_are_refused(end):
    error = refusal(POSITION, QUOTED.data[:end], TruncatedFileError, 4)
    assert "cut off" in error.message
    with pytest.raises(TruncatedFileError):
        sources.edition_date(POSITION, SourceFile("f", QUOTED.data[:end]))


@pytest.mark.parametrize(
    ("kept", "missing"),
    [((1, 2), "iip_net"), ((1, 3), "iip_liabilities"), ((2, 3), "iip_assets"), ((3,), "iip_assets")],
)
def test_a_month_of_positions_without_all_three_is_refused(kept, missing):
    lines = QUOTED_TEXT.splitlines()
    data = "\n".join([lines[0], *(lines[n] for n in kept), ""]).encode()
    error = refusal(POSITION, data, TruncatedFileError, 1 + len(kept))
    assert f"{missing} of 2025-12 is missing" in error.message


def test_positions_without_figures_are_refused():
    refusal(POSITION, b"item,month,value_usd_100m,released_on\n", TruncatedFileError, 1)
    with pytest.raises(TruncatedFileError):
        sources.edition_date(POSITION, SourceFile("f", b"item,month,value_usd_100m,released_on\n"))


def test_positions_are_checked_at_the_door(check):
    released = day("2026-03-27")
    error = batch_refusal(
        check, POSITION, quoted_with("iip_net", "iip_gross"), released, UnknownLabelError, 4
    )
    assert "'iip_gross'" in error.message
    error = batch_refusal(check, POSITION, quoted_with("40713", "41713"), released, FailedSuiteError, 4)
    assert "closing_gap is -1,000" in error.message
    for figure in ("117860000", "117.86", "11786"):
        error = batch_refusal(check, POSITION, quoted_with("117860", figure), released, FailedSuiteError)
        assert "another unit" in error.message
    batch_refusal(check, POSITION, QUOTED.data, day("2026-03-28"), FrozenFileError, 2)
    batch_refusal(check, POSITION, QUOTED.data, day("2026-03-26"), WrongDateError, 2)
    old = QUOTED_TEXT.replace("2025-12", "2025-03").encode()
    batch_refusal(check, POSITION, old, released, FrozenFileError, None)


# --- The whole way ----------------------------------------------------------------------------------------


@ALL
def test_bundled_releases_load_and_a_damaged_one_changes_nothing(home, dataset):
    loaded = pipeline.ingest(home, dataset, snapshot.bundled(dataset))
    cells = {"reserve_assets": 771, "balance_of_payments": 8262, "investment_position": 6}[dataset.id]
    assert sum(one.cells for one in loaded) == cells
    # Every figure of reserves and positions is said once; vintages repeat what did not change.
    rows = {"reserve_assets": 771, "balance_of_payments": 6953, "investment_position": 6}[dataset.id]
    assert sum(one.rows for one in loaded) == rows

    damaged, name, outcome, line = {
        "reserve_assets": (reserves_with({(FX_ROW, JAN): "33,990.78"}), "r.xlsx", "bad_figure", FX_ROW),
        "balance_of_payments": (bop_with({(12, 1): "1.A.a 商品"}), "b.xlsx", "unknown_label", 12),
        "investment_position": (quoted_with("40713", "40"), "p.csv", "failed_suite", 4),
    }[dataset.id]
    released_on = {
        "reserve_assets": YEAR_RELEASED,
        "balance_of_payments": SMALL_RELEASED,
        "investment_position": day("2026-03-27"),
    }[dataset.id]
    with pytest.raises(RefusedFileError):
        pipeline.ingest(home, dataset, [Incoming(name, damaged, released_on, dataset.url)])
    (reason,) = home.quarantine.rglob("reason.json")
    assert (reason.parent / name).read_bytes() == damaged
    content = json.loads(reason.read_text())
    assert (content["outcome"], content["line"]) == (outcome, line)
    connection = warehouse.connect(home)
    try:
        held = connection.execute(f"select count(*) from raw.{dataset.table}").fetchone()
    finally:
        connection.close()
    assert held == (rows,)


def test_an_extract_withdraws_nothing(home):
    pipeline.ingest(home, BOP, snapshot.bundled(BOP))
    connection = warehouse.connect(home)
    try:
        found = connection.execute("select distinct status from raw.safe__balance_of_payments").fetchall()
        vintage = connection.execute(
            """
            select released_on::varchar, value from raw.safe__balance_of_payments
            where label = '1 经常账户' and frequency = 'quarter' and period_end = '2022-09-30'
                and measure = 'flow_usd'
            order by released_on
            """
        ).fetchall()
    finally:
        connection.close()
    assert found == [("published",)]
    assert vintage == [("2024-03-19", 1396.36), ("2024-03-29", 1514.781819)]
