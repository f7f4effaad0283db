"""The World Bank's commodity prices (the Pink Sheet): gold by month, from its monthly workbook.

Sheet `Monthly Prices`: a title, what the prices are, a note, `Updated on July 02, 2026`, a row of names and a
row of units (in editions to 2023 a row of codes as well), then a row a month from `1960M01` on. Every edition
holds the whole history. Of the columns one is read, found by its name and held to its unit; no other sheet is
looked at.
"""

from __future__ import annotations

import re
from datetime import date

import pandas as pd

from tidemark.errors import (
    BadFigureError,
    DuplicateCellError,
    NotTheFileError,
    TruncatedFileError,
    WrongLayoutError,
)
from tidemark.reading import SourceFile, month_end, observations
from tidemark.registry import Dataset
from tidemark.sources import Parsed
from tidemark.workbook import FETCH_AGAIN, Sheet, Workbook

SHEET = "Monthly Prices"
TITLE = "World Bank Commodity Price Data (The Pink Sheet)"
# Another sheet of the series has prices in constant dollars.
NOMINAL = "monthly prices in nominal US dollars, 1960 to present"
TITLE_ROW, NOMINAL_ROW, EDITION_ROW, NAMES_ROW, UNITS_ROW = 1, 2, 4, 5, 6
GOLD, UNIT, CODE = "Gold", "($/troy oz)", "GOLD"
FIRST_MONTH = "1960M01"
# The sheet's marks of what is missing, which gold never is.
MISSING = ("…", "..")
LEARN = "fetch the workbook again; if the publisher has changed its layout, the parser must learn it"
MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
# Edition dates printed wrong, by what is printed and the newest month of the sheet that bears it.
MISPRINTED = {("January 06, 2025", "2025M12"): date(2026, 1, 6)}


def parse_gold_price(file: SourceFile) -> Parsed:
    """The price of gold each month since January 1960, USD a troy ounce, the average of its days."""
    sheet = _prices(file)
    edition = _edition(sheet)
    column, first_row = _gold(sheet)
    rows: list[tuple[object, ...]] = []
    due = FIRST_MONTH
    for row in range(first_row, len(sheet.rows) + 1):
        _expect_month(sheet, row, due)
        year, month = int(due[:4]), int(due[5:])
        what = f"{GOLD}, {year}-{month:02}"
        if (mark := sheet.text(row, column)) in MISSING:
            raise sheet.refusal(
                BadFigureError,
                row,
                f"{what} is {mark!r}, and gold has had a price in every month since 1960",
                "fetch the workbook again; a figure is never replaced by none",
            )
        figure = sheet.figure(row, column, what, {})
        rows.append((GOLD, month_end(year, month), "price", *figure, row))
        due = f"{year + month // 12}M{month % 12 + 1:02}"
    if not rows:
        raise sheet.refusal(TruncatedFileError, first_row - 1, "no month follows the units", FETCH_AGAIN)
    return Parsed(observations(rows, ["label"], "usd_per_troy_oz"), edition, EDITION_ROW)


def edition_date(file: SourceFile) -> date:
    """The day on which the sheet says it was updated."""
    return _edition(_prices(file))


def _prices(file: SourceFile) -> Sheet:
    sheet = Workbook(file).sheet(SHEET)
    for row, due in ((TITLE_ROW, TITLE), (NOMINAL_ROW, NOMINAL)):
        if sheet.text(row, 1) != due:
            raise sheet.refusal(
                NotTheFileError, row, f"{sheet.text(row, 1)[:80]!r} stands where {due!r} is due", LEARN
            )
    return sheet


def _edition(sheet: Sheet) -> date:
    printed = sheet.text(EDITION_ROW, 1)
    found = re.fullmatch(r"Updated on (([A-Z][a-z]+) (\d\d?), (\d{4}))", printed)
    if found and found[2] in MONTH_NAMES:
        newest = sheet.text(len(sheet.rows), 1)
        if (found[1], newest) in MISPRINTED:
            return MISPRINTED[found[1], newest]
        try:
            return date(int(found[4]), MONTH_NAMES.index(found[2]) + 1, int(found[3]))
        except ValueError:
            pass
    raise sheet.refusal(
        WrongLayoutError,
        EDITION_ROW,
        f"{printed[:60]!r} stands where the edition date is due, as 'Updated on July 02, 2026'",
        LEARN,
    )


def _gold(sheet: Sheet) -> tuple[int, int]:
    """The column of gold, and the row of the first month."""
    if sheet.text(NAMES_ROW, 1):
        raise sheet.refusal(
            WrongLayoutError,
            NAMES_ROW,
            f"{sheet.text(NAMES_ROW, 1)[:40]!r} stands above the months, where nothing is due",
            LEARN,
        )
    names = [sheet.text(NAMES_ROW, column) for column in range(1, sheet.last_column(NAMES_ROW) + 1)]
    if names.count(GOLD) != 1:
        raise sheet.refusal(
            WrongLayoutError,
            NAMES_ROW,
            f"the column {GOLD!r} stands {names.count(GOLD)} times in the row of names",
            LEARN,
        )
    column = names.index(GOLD) + 1
    unit = sheet.text(UNITS_ROW, column)
    if sheet.text(UNITS_ROW, 1) or unit != UNIT:
        raise sheet.refusal(
            WrongLayoutError, UNITS_ROW, f"the unit of {GOLD} is {unit!r}, not {UNIT!r}", LEARN
        )
    has_codes = not sheet.text(UNITS_ROW + 1, 1) and sheet.text(UNITS_ROW + 1, column) == CODE
    return column, UNITS_ROW + (2 if has_codes else 1)


def _expect_month(sheet: Sheet, row: int, due: str) -> None:
    """The row is that of the month after the row before it."""
    label = sheet.text(row, 1)
    if label == due:
        return
    if not re.fullmatch(r"\d{4}M(0[1-9]|1[0-2])", label):
        raise sheet.refusal(
            WrongLayoutError, row, f"{label[:40]!r} stands where the month {due} is due", LEARN
        )
    if due == FIRST_MONTH:
        raise sheet.refusal(
            TruncatedFileError, row, f"the months begin with {label}, not with {due}", FETCH_AGAIN
        )
    if FIRST_MONTH <= label < due:
        raise sheet.refusal(
            DuplicateCellError,
            row,
            f"{label} stands a second time, where {due} is due: months run oldest first",
            FETCH_AGAIN,
        )
    raise sheet.refusal(
        TruncatedFileError, row, f"{label} stands where {due} is due: a month is missing", FETCH_AGAIN
    )


def check_gold_price(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:  # noqa: ARG001
    """Adds `month_ratio`: a month's price by that of the month before, NaN where either is missing."""
    price = frame.sort_values("period_end")["value"]
    return frame.assign(month_ratio=price / price.shift())


PARSERS = {"gold_price": parse_gold_price}
EDITION_DATES = {"gold_price": edition_date}
CHECKS = {"gold_price": check_gold_price}
