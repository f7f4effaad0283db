"""CBO's Historical Budget Data workbook (51134): five tables, each in USD bn and as a share of GDP."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from tidemark.errors import BadFigureError, DuplicateCellError, TruncatedFileError, WrongLayoutError
from tidemark.reading import NOT_AVAILABLE, NOT_QUOTED, NOT_QUOTED_MARK, SourceFile, observations, tidy
from tidemark.registry import Dataset
from tidemark.sources import Parsed
from tidemark.sources.cbo.common import (
    FETCH_AGAIN,
    Identity,
    closing_gaps,
    fiscal_year_end,
    out_of_scale,
)
from tidemark.workbook import Sheet, Workbook, plain

FIRST_YEAR = 1962
# Letters of footnotes, glued to the words they belong to.
FOOTNOTES = re.compile("[\u1d43\u1d47\u1d9c\u1d48\u1d49\u1da0\u1d4d\u02b0\u2071\u02b2]+$")
NOT_APPLICABLE = {"n.a.": NOT_AVAILABLE, NOT_QUOTED_MARK: NOT_QUOTED}
UNITS = {"": ("Billions of dollars", "amount", "usd_bn"),
         "a": ("Percentage of gross domestic product", "share_of_gdp", "pct_gdp")}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table of the workbook, which stands twice: in USD bn, and as a share of GDP under another title."""

    number: int
    titles: tuple[str, str]
    columns: tuple[str, ...]
    # Columns of the header's upper tier, by the place of their first one; they are not repeated below.
    groups: Mapping[int, tuple[str, int]]

    def paths(self) -> list[str]:
        """Each column under its group, as published without the letters of footnotes."""
        found = list(self.columns)
        for first, (group, width) in self.groups.items():
            for place in range(first - 2, first - 2 + width):
                found[place] = f"{group}/{found[place]}"
        return found


TABLES = (
    Table(
        1,
        ("1. Rev, Outlays, Surplus, Debt", "1a. Rev, Outlays, Surplus (GDP)"),
        (
            "Revenues", "Outlays", "On-budget", "Social Security", "Postal Service", "Total",
            "Debt held by the public",
        ),
        {4: ("Deficit (-) or surplus", 4)},
    ),
    Table(
        2,
        ("2. Revenues", "2a. Revenues as Share of GDP"),
        (
            "Individual income taxes", "Payroll taxes", "Corporate income taxes", "Excise taxes",
            "Estate and gift taxes", "Customs duties", "Miscellaneous receipts", "Total",
        ),
        {},
    ),
    Table(
        3,
        ("3. Outlays", "3a. Outlays as Share of GDP"),
        ("Discretionary", "Programmatic outlays", "Offsetting receipts", "Net interest", "Total"),
        {3: ("Mandatory", 2)},
    ),
    Table(
        4,
        ("4. Discretionary Outlays", "4a. Discretionary Outlays (GDP)"),
        ("Defense", "Nondefense", "Total"),
        {},
    ),
    Table(
        5,
        ("5. Mandatory Outlays", "5a. Mandatory Outlays (GDP)"),
        (
            "Social Security", "Medicare", "Medicaid", "Income security",
            "Federal civilian and military retirement", "Veterans\u2019 programs", "Other programs",
            "Offsetting receipts", "Total", "Major health care programs (net)",
        ),
        {},
    ),
)  # fmt: skip
SHEETS = ("Contents", *(title for table in TABLES for title in table.titles))


def parse_historical_budget(file: SourceFile) -> Parsed:
    """Ten sheets: five tables in USD bn and as shares of GDP, by fiscal year since 1962."""
    book = Workbook(file)
    if book.titles != list(SHEETS):
        unlike = next((t for t in SHEETS if t not in book.titles), None)
        other = next((t for t in book.titles if t not in SHEETS), None)
        raise WrongLayoutError(
            file.name,
            None,
            f"the sheets are not those of the workbook: {unlike!r} is missing"
            if unlike
            else f"the sheets are not those of the workbook: there is {other or 'another order'!r}",
            f"its sheets: {', '.join(map(repr, book.titles))}. If one was renamed, the parser must learn it",
        )
    frames, spans = [], {}
    for table in TABLES:
        rows: list[tuple[object, ...]] = []
        for title, variant in zip(table.titles, UNITS, strict=True):
            sheet = book.sheet(title)
            rows, last = _table(sheet, table, variant)
            spans[title] = last
            frames.append(observations(rows, ["label"], UNITS[variant][2]))
    for title, last in spans.items():
        if last != (newest := max(spans.values())):
            raise TruncatedFileError(
                f"{file.name}, sheet {title!r}",
                None,
                f"it ends with {last}, others with {newest}",
                FETCH_AGAIN,
            )
    return Parsed(tidy(pd.concat(frames, ignore_index=True), ["label"]))


def _table(sheet: Sheet, table: Table, variant: str) -> tuple[list[tuple[object, ...]], int]:
    """The observations of a sheet, and the last year it has."""
    unit, measure, _ = UNITS[variant]
    first = _first_data_row(sheet, f"{table.number}{variant}. ", unit)
    _expect_header(sheet, table, first)
    paths = [f"{sheet.title}/{path}" for path in table.paths()]
    rows: list[tuple[object, ...]] = []
    has_begun: set[str] = set()
    year, row = FIRST_YEAR, first
    while isinstance(found := sheet.cell(row, 1), int | float):
        if found != year:
            kind = DuplicateCellError if found == year - 1 else WrongLayoutError
            raise sheet.refusal(
                kind, row, f"{found} stands where the fiscal year {year} is due, a row a year", FETCH_AGAIN
            )
        if (end := sheet.last_column(row)) > len(paths) + 1:
            raise sheet.refusal(WrongLayoutError, row, f"a figure stands in column {end}, beside the table")
        unquoted = sheet.text(row, 2) == NOT_QUOTED_MARK and end == 2 and len(paths) > 1
        for column, label in enumerate(paths, start=2):
            value, status = (
                (None, NOT_QUOTED)
                if unquoted
                else sheet.figure(row, column, f"{label}, {year}", NOT_APPLICABLE, decimals=3)
            )
            # What does not apply yet (the Postal Service before 1972) never stops to apply.
            if status == NOT_AVAILABLE and label in has_begun:
                raise sheet.refusal(
                    BadFigureError, row, f"{label}, {year} is n.a. after years that have figures"
                )
            if value is not None:
                has_begun.add(label)
            rows.append((label, fiscal_year_end(year), measure, value, status, row))
        year, row = year + 1, row + 1
    for below in range(row, len(sheet.rows) + 1):
        if sheet.last_column(below) > 1 or isinstance(sheet.cell(below, 1), int | float):
            raise sheet.refusal(
                WrongLayoutError, below, "figures stand below the table, where only notes are", FETCH_AGAIN
            )
    return rows, year - 1


def _first_data_row(sheet: Sheet, number: str, unit: str) -> int:
    """The row of the first year, once title and unit of the sheet are found right."""
    units = [row for row in range(1, 12) if sheet.text(row, 1) == unit]
    if len(units) != 1 or not sheet.text(units[0] - 1, 1).startswith(number):
        raise sheet.refusal(
            WrongLayoutError,
            units[0] if units else None,
            f"the title {number}... and below it the unit {unit!r} do not stand above the table",
            "is this another workbook? If the unit has changed, the parser must learn it",
        )
    for row in range(units[0] + 1, units[0] + 6):
        if isinstance(sheet.cell(row, 1), int | float):
            return row
    raise sheet.refusal(WrongLayoutError, None, "no fiscal year stands in column A", FETCH_AGAIN)


def _expect_header(sheet: Sheet, table: Table, first: int) -> None:
    """Both tiers of the header are those of the table, each name in its column."""
    upper = {column: name for column, (name, _) in table.groups.items()}
    lower = dict(enumerate(table.columns, start=2))
    for row, due in ((first - 2, upper), (first - 1, lower)):
        for column in range(1, max(sheet.last_column(row), len(table.columns) + 1) + 1):
            found = FOOTNOTES.sub("", plain(str(sheet.cell(row, column) or "")))
            if found != due.get(column, ""):
                raise sheet.refusal(
                    WrongLayoutError,
                    row,
                    f"the header of column {column} is {found!r}, where {due.get(column, '')!r} is due",
                    "if the table has changed, the parser must learn it",
                )


def _column(table: int, path: str, variant: int = 0) -> str:
    return f"{TABLES[table - 1].titles[variant]}/{path}"


def _historical_identities(variant: int) -> Iterator[Identity]:
    """A table's parts sum to its total, and a total is the same in every table that has it."""

    def all_but(table: int, *others: str) -> tuple[str, ...]:
        return tuple(
            _column(table, path, variant) for path in TABLES[table - 1].paths() if path not in others
        )

    def column(table: int, path: str) -> str:
        return _column(table, path, variant)

    balance = "Deficit (-) or surplus/"
    yield Identity(column(1, f"{balance}Total"), (column(1, "Revenues"), f"-{column(1, 'Outlays')}"))
    yield Identity(column(2, "Total"), all_but(2, "Total"))
    yield Identity(column(3, "Total"), all_but(3, "Total"))
    yield Identity(column(4, "Total"), all_but(4, "Total"))
    yield Identity(column(5, "Total"), all_but(5, "Total", "Major health care programs (net)"))
    yield Identity(column(1, "Revenues"), (column(2, "Total"),))
    yield Identity(column(1, "Outlays"), (column(3, "Total"),))
    yield Identity(column(3, "Discretionary"), (column(4, "Total"),))
    yield Identity(column(3, "Mandatory/Offsetting receipts"), (column(5, "Offsetting receipts"),))


def _balance_identity(variant: int) -> Identity:
    """Of the Postal Service there is nothing before 1972, so its parts are summed without what is n.a."""
    balance = "Deficit (-) or surplus/"
    return Identity(
        _column(1, f"{balance}Total", variant),
        tuple(
            _column(1, f"{balance}{part}", variant)
            for part in ("On-budget", "Social Security", "Postal Service")
        ),
    )


MANDATORY_NET = Identity(
    _column(5, "Total"),
    (_column(3, "Mandatory/Programmatic outlays"), _column(3, "Mandatory/Offsetting receipts")),
)
HISTORICAL_SCALE: dict[str, tuple[float, float]] = {
    _column(1, "Revenues"): (0.15, 4.0),
    _column(1, "Outlays"): (0.15, 4.7),
    _column(1, "Deficit (-) or surplus/On-budget"): (-3.0, 1.0),
    _column(1, "Deficit (-) or surplus/Social Security"): (-0.3, 0.3),
    _column(1, "Deficit (-) or surplus/Postal Service"): (-0.02, 0.02),
    _column(1, "Deficit (-) or surplus/Total"): (-3.0, 1.5),
    _column(1, "Debt held by the public"): (0.25, 15.0),
    _column(2, "Individual income taxes"): (0.06, 2.0),
    _column(2, "Payroll taxes"): (0.025, 1.4),
    _column(2, "Corporate income taxes"): (0.015, 0.5),
    _column(2, "Excise taxes"): (0.005, 0.2),
    _column(2, "Estate and gift taxes"): (0.0009, 0.06),
    _column(2, "Customs duties"): (0.0015, 0.1),
    _column(2, "Miscellaneous receipts"): (0.0012, 0.14),
    _column(2, "Total"): (0.15, 4.0),
    _column(3, "Discretionary"): (0.08, 1.7),
    _column(3, "Mandatory/Programmatic outlays"): (0.05, 3.5),
    _column(3, "Mandatory/Offsetting receipts"): (-0.35, -0.01),
    _column(3, "Net interest"): (0.01, 0.6),
    _column(3, "Total"): (0.15, 4.7),
    _column(4, "Defense"): (0.05, 1.1),
    _column(4, "Nondefense"): (0.03, 0.8),
    _column(4, "Total"): (0.08, 1.7),
    _column(5, "Social Security"): (0.02, 0.9),
    _column(5, "Medicare"): (0.003, 0.7),
    _column(5, "Medicaid"): (0.00015, 0.4),
    _column(5, "Offsetting receipts"): (-0.35, -0.01),
    _column(5, "Total"): (0.04, 3.5),
}


def check_historical_budget(_: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Adds what a table's figures must agree in.

    `closing_gap`: parts less their total, and a total less itself in another table, USD bn, which are exact;
    `share_gap`: the same of shares of GDP, which are rounded; `gdp_gap`: a share less what the amount beside
    it is of the GDP that the debt and its share imply; `out_of_scale`.
    """
    gaps = {"closing_gap": _historical_gaps(frame, 0), "share_gap": _historical_gaps(frame, 1)}
    return frame.assign(**gaps, gdp_gap=_gdp_gaps(frame), out_of_scale=out_of_scale(frame, HISTORICAL_SCALE))


def _historical_gaps(frame: pd.DataFrame, variant: int) -> pd.Series:
    """The widest gap on each total's row."""
    without_na = frame.assign(value=frame["value"].where(frame["status"] != NOT_AVAILABLE, 0.0))
    found = [closing_gaps(without_na, [], [identity]) for identity in _historical_identities(variant)]
    found.append(closing_gaps(without_na, [], [_balance_identity(variant)]))
    if variant == 0:
        found.append(closing_gaps(without_na, [], [MANDATORY_NET]))
    together = pd.concat(found, axis=1)
    widest = together.abs().max(axis=1)
    return widest.where(together.max(axis=1) == widest, -widest)


def _gdp_gaps(frame: pd.DataFrame) -> pd.Series:
    wide = frame.pivot(index="period_end", columns="label", values="value")
    debt = [_column(1, "Debt held by the public", variant) for variant in (0, 1)]
    gaps = pd.Series(float("nan"), index=frame.index)
    if not set(debt) <= set(wide.columns):
        return gaps
    gdp = wide[debt[0]] / wide[debt[1]] * 100
    for table in TABLES:
        for path in table.paths():
            amount, share = _column(table.number, path), _column(table.number, path, 1)
            if {amount, share} <= set(wide.columns):
                here = frame["label"] == share
                due = wide[share] - wide[amount] / gdp * 100
                gaps[here] = frame.loc[here, "period_end"].map(due)
    return gaps.round(5)
