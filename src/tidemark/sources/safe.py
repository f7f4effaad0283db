"""SAFE, China's State Administration of Foreign Exchange: reserves, balance of payments, investment position.

* `reserve_assets`: a workbook a year, two columns a month, every figure written as text.
* `balance_of_payments`: one workbook of six sheets, years and quarters in three currencies.
* `investment_position`: what SAFE's statements say of a quarter, as quoted.

A cell that the bundled extract does not quote is no observation: workbooks are checked to be whole, so what a
later one lacks is never read as withdrawn.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import pandas as pd

from tidemark import corrections
from tidemark.errors import (
    BadFigureError,
    DuplicateCellError,
    RefusedFileError,
    TruncatedFileError,
    UnknownLabelError,
    WrongLayoutError,
)
from tidemark.reading import (
    FIGURE,
    NOT_AVAILABLE,
    NOT_QUOTED,
    NOT_QUOTED_MARK,
    SourceFile,
    iso_day,
    month_end,
    observations,
    read_figure,
)
from tidemark.registry import Dataset
from tidemark.registry import dataset as passport_of
from tidemark.sources import Parsed
from tidemark.workbook import Sheet, Workbook, plain

FETCH_AGAIN = "fetch the workbook again; if the publisher has changed its layout, the parser must learn it"
A_ROW_MORE = "if the publisher has a new row, it needs a line under `series` in sources/safe.yml"


def _compact(text: str) -> str:
    """Text without any blanks, of which SAFE's labels hold all kinds."""
    return plain(text).replace(" ", "")


def _frame(rows: Iterable[tuple[object, ...]], key: list[str], units: dict[str, str]) -> pd.DataFrame:
    """Tidy observations, each in the unit of its measure."""
    frame = observations(list(rows), key, "")
    frame["unit"] = frame["measure"].map(units).astype("str")
    return frame


# --- Official reserve assets ------------------------------------------------------------------------------

HEADER_ROW, UNIT_ROW = 4, 5
HEADER = frozenset({"项目", "项目Item"})
# The two columns of a month, with or without the unit in English.
COLUMNS = (
    ("value_usd", frozenset({"亿美元", "亿美元100millionUSD"})),
    ("value_sdr", frozenset({"亿SDR", "亿SDR100millionSDR"})),
)
VOLUME, VOLUME_UNIT = "volume", "万盎司"
RESERVE_UNITS = {"value_usd": "usd_100m", "value_sdr": "sdr_100m", VOLUME: "fine_oz_10k"}
IMF, SDRS = "2. 基金组织储备头寸 IMF reserve position", "3. 特别提款权 SDRs"
GOLD, OTHER, TOTAL = "4. 黄金 Gold", "5. 其他储备资产 Other reserve assets", "合计 Total"
# The bundled figures of both begin with it.
SDRS_LEAD_SINCE = 2018
RESERVE_LABELS = {
    re.sub(r"[ /]", "", label): label
    for label in (
        "1. 外汇储备 Foreign currency reserves",
        IMF,
        SDRS,
        GOLD,
        OTHER,
        TOTAL,
    )
}
# SAFE publishes this table since the figures of June 2015.
FIRST_MONTH = (2015, 6)


def parse_reserve_assets(file: SourceFile) -> Parsed:
    """A year's reserve assets by month: USD 100 million, SDR 100 million, and gold in 10,000 fine troy oz."""
    sheet = _only_sheet(Workbook(file))
    months = _months(sheet)
    rows = _reserve_rows(sheet)
    cells = [
        (label, measure, row, 2 + 2 * position + offset, month)
        for position, month in enumerate(months)
        for label, row in rows.items()
        for offset, measure in _measures(label)
    ]
    begun = [
        month
        for position, month in enumerate(months)
        for row in rows.values()
        for column in (2 + 2 * position, 3 + 2 * position)
        if not _says_nothing(sheet, row, column)
    ]
    if not begun:
        raise sheet.refusal(TruncatedFileError, HEADER_ROW, "no month has a figure", FETCH_AGAIN)
    found = []
    for label, measure, row, column, month in cells:
        if month > max(begun):
            # It lies in the future: its cells are blank or 0.
            continue
        what = f"{label or GOLD}, {measure}, {month:%Y-%m}"
        read = _volume if measure == VOLUME else _amount
        value, status = read(sheet, row, column, label, what)
        if status != NOT_QUOTED:
            found.append((label or GOLD, month, measure, value, status, row))
    if not found:
        raise sheet.refusal(TruncatedFileError, HEADER_ROW, "no figure is quoted", FETCH_AGAIN)
    return Parsed(_frame(found, ["label"], RESERVE_UNITS))


def _only_sheet(book: Workbook) -> Sheet:
    """The one sheet that holds something; a spreadsheet adds blank ones."""
    filled = [sheet for sheet in map(book.sheet, book.titles) if sheet.rows]
    if len(filled) == 1:
        return filled[0]
    raise WrongLayoutError(
        book.file.name,
        None,
        f"{len(filled)} of its sheets hold something, where one table is due: "
        f"{', '.join(repr(sheet.title) for sheet in filled) or 'none'}",
        "is this another workbook of the publisher?",
    )


def _months(sheet: Sheet) -> list[date]:
    """The months of the header by the order of columns: as a number, 2026.1 is January or October."""
    if _compact(sheet.text(HEADER_ROW, 1)) not in HEADER:
        raise sheet.refusal(
            WrongLayoutError,
            HEADER_ROW,
            f"{sheet.text(HEADER_ROW, 1)[:40]!r} stands where the header begins with '项目 Item'",
            FETCH_AGAIN,
        )
    last = sheet.last_column(UNIT_ROW)
    if last < 3 or last % 2 == 0 or sheet.last_column(HEADER_ROW) > last or sheet.text(UNIT_ROW, 1):
        raise sheet.refusal(
            WrongLayoutError, UNIT_ROW, "two units, 亿美元 and 亿SDR, are due under each month", FETCH_AGAIN
        )
    first = re.fullmatch(r"(20\d\d)\.(\d\d?)", sheet.text(HEADER_ROW, 2))
    year = int(first[1]) if first else 0
    begin = FIRST_MONTH[1] if year == FIRST_MONTH[0] else 1
    months = []
    for position, column in enumerate(range(2, last, 2)):
        month = begin + position
        text = sheet.text(HEADER_ROW, column)
        allowed = {f"{year}.{month:02}", f"{year}.{month}"} | ({f"{year}.1"} if month == 10 else set())
        if month > 12 or text not in allowed:
            raise sheet.refusal(
                WrongLayoutError,
                HEADER_ROW,
                f"{text[:40]!r} stands in column {column}, where {year or 'the year'}.{month:02} is due: "
                "months run from January on, without a gap",
                FETCH_AGAIN,
            )
        if sheet.text(HEADER_ROW, column + 1) not in ("", text):
            raise sheet.refusal(
                WrongLayoutError, HEADER_ROW, f"{text} does not stand over two columns", FETCH_AGAIN
            )
        for offset, (_, units) in enumerate(COLUMNS):
            unit = _compact(sheet.text(UNIT_ROW, column + offset))
            if unit not in units:
                raise sheet.refusal(
                    WrongLayoutError,
                    UNIT_ROW,
                    f"{unit[:40]!r} stands under {text}, where {min(units, key=len)} is due",
                    "if the publisher has another unit, the parser must learn it",
                )
        months.append(month_end(year, month))
    return months


def _reserve_rows(sheet: Sheet) -> dict[str, int]:
    """The row of each label; '' is the row of the gold's volume, which stands under gold and has none."""
    rows: dict[str, int] = {}
    for row in range(UNIT_ROW + 1, len(sheet.rows) + 1):
        if not any(sheet.text(row, column) for column in range(1, sheet.last_column(row) + 1)) and not any(
            where == row for where, _ in sheet.formulas
        ):
            continue
        text = sheet.text(row, 1)
        if TOTAL in rows and text and sheet.last_column(row) == 1:
            # A note below the table.
            continue
        label = RESERVE_LABELS.get(re.sub(r"[ /]", "", text)) if text else ""
        if label is None or (label == "" and rows.get(GOLD) != row - 1):
            raise sheet.refusal(
                UnknownLabelError,
                row,
                f"{text[:60]!r} is no row that this table is known to have" if text else "a row has no label",
                A_ROW_MORE,
            )
        if label in rows:
            raise sheet.refusal(DuplicateCellError, row, f"{label!r} stands a second time", FETCH_AGAIN)
        if sheet.last_column(row) > sheet.last_column(UNIT_ROW):
            raise sheet.refusal(WrongLayoutError, row, "figures stand right of the last month", FETCH_AGAIN)
        rows[label] = row
    for label in (*RESERVE_LABELS.values(), ""):
        if label not in rows:
            raise sheet.refusal(
                TruncatedFileError,
                None,
                f"there is no row {label!r}"
                if label
                else f"no row under gold tells its volume in {VOLUME_UNIT}",
                FETCH_AGAIN,
            )
    return rows


def _measures(label: str) -> list[tuple[int, str]]:
    """What stands in the columns of a month: two values, or twice the volume."""
    return [(0, VOLUME)] if not label else [(offset, name) for offset, (name, _) in enumerate(COLUMNS)]


def _says_nothing(sheet: Sheet, row: int, column: int) -> bool:
    """A cell of a month that has not come."""
    text = _compact(sheet.text(row, column))
    return (row, column) not in sheet.formulas and bool(re.fullmatch(rf"(0(\.0+)?({VOLUME_UNIT})?)?", text))


def _amount(sheet: Sheet, row: int, column: int, label: str, what: str) -> tuple[float | None, str]:
    value, status = sheet.figure(row, column, what, {NOT_QUOTED_MARK: NOT_QUOTED})
    if value == 0 and label != OTHER:
        raise _zero(sheet, row, what)
    return value, status


def _volume(sheet: Sheet, row: int, column: int, label: str, what: str) -> tuple[float | None, str]:
    """The gold's volume, `7419万盎司` in both columns of a month."""
    del label
    text, again = (_compact(sheet.text(row, c)) for c in (column, column + 1))
    if text != again:
        raise sheet.refusal(
            BadFigureError, row, f"{what} is {text[:20]!r} and {again[:20]!r} in its two columns", FETCH_AGAIN
        )
    if text == _compact(NOT_QUOTED_MARK):
        return None, NOT_QUOTED
    if (row, column) in sheet.formulas:
        sheet.figure(row, column, what, {})
    if not text.endswith(VOLUME_UNIT):
        raise sheet.refusal(
            BadFigureError, row, f"{what} is {text[:40]!r}, no volume in {VOLUME_UNIT}", FETCH_AGAIN
        )
    figure = read_figure(
        SourceFile(sheet.place, b""), row, text.removesuffix(VOLUME_UNIT), what, {}, decimals=2
    )
    if figure[0] == 0:
        raise _zero(sheet, row, what)
    return figure


def _zero(sheet: Sheet, row: int, what: str) -> RefusedFileError:
    return sheet.refusal(
        BadFigureError,
        row,
        f"{what} is 0, and other figures stand in that month or after it",
        "only a month that has not come may be 0: look at the publisher's page",
    )


def check_reserve_assets(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Adds columns that hold figures against each other, NaN where one is missing.

    `closing_gap`: on the total, its parts less itself. `usd_per_sdr`: on SDR values, the same asset's value
    in USD by them. `usd_per_fine_oz`: on the gold's volume, its value by it.
    `sdrs_by_imf`: on SDRs since 2018, their value by that of the IMF reserve position.
    """
    del dataset
    wide = frame.pivot(index=["period_end", "measure"], columns="label", values="value")
    wide = wide.reindex(columns=list(RESERVE_LABELS.values()))
    gap = (wide.drop(columns=TOTAL).sum(axis=1, skipna=False) - wide[TOTAL]).to_dict()
    usd = frame[frame["measure"] == "value_usd"].set_index(["label", "period_end"])["value"].to_dict()
    cells = list(
        zip(frame["label"], frame["period_end"], frame["measure"], frame["value"].to_list(), strict=True)
    )
    nothing = float("nan")
    # Other reserve assets are so small that their rounding shows in the rate.
    rate = [
        usd.get((label, month), nothing) / value if measure == "value_sdr" and label != OTHER else nothing
        for label, month, measure, value in cells
    ]
    price = [
        usd.get((GOLD, month), nothing) * 1e4 / value if measure == VOLUME else nothing
        for _, month, measure, value in cells
    ]
    gaps = [
        gap.get((month, measure), nothing) if label == TOTAL else nothing
        for label, month, measure, _ in cells
    ]
    by_cell = {(label, month, measure): value for label, month, measure, value in cells}
    sdrs_by_imf = [
        value / by_cell.get((IMF, month, measure), nothing)
        if label == SDRS and month.year >= SDRS_LEAD_SINCE
        else nothing
        for label, month, measure, value in cells
    ]
    return frame.assign(closing_gap=gaps, usd_per_sdr=rate, usd_per_fine_oz=price, sdrs_by_imf=sdrs_by_imf)


# --- Balance of payments ----------------------------------------------------------------------------------

TITLE_ROW, MONEY_ROW, PERIOD_ROW = 2, 3, 4
TITLES = {"year": "中国国际收支平衡表（年度表）", "quarter": "中国国际收支平衡表（季度表）"}
SIDES = ("贷方", "借方", "资产", "负债")
NOTES = "备注"
FLOW_UNITS = {"flow_usd": "usd_100m", "flow_cny": "cny_100m", "flow_sdr": "sdr_100m"}
# A slash stands for a row that is not compiled so far back, in quarters before 2014Q2 a hyphen.
FLOW_MARKS = {"/": NOT_AVAILABLE, "-": NOT_AVAILABLE, NOT_QUOTED_MARK: NOT_QUOTED}
# The only cells that are blank in the publisher's workbook; a blank anywhere else is damage.
PUBLISHED_BLANK = frozenset(
    ("1.B.2 投资收益 / 贷方", "flow_usd", f"{year}") for year in (1975, 1976, 1977, 1978)
)
CODED = re.compile(r"(\d[\dA-Za-z.]*?)\.?\s*([^\dA-Za-z.\s].*)")


@dataclass(frozen=True)
class BopSheet:
    """What one of the six sheets holds, and the period it begins with."""

    frequency: str
    measure: str
    money: str
    first: int


# By their titles with full-width brackets; the publisher's mix both kinds, and one ends in a blank.
BOP_SHEETS = {
    "年度BOP（人民币）": BopSheet("year", "flow_cny", "亿元人民币", 2010),
    "季度BOP（人民币）": BopSheet("quarter", "flow_cny", "亿元人民币", 2010),
    "年度BOP（美元）": BopSheet("year", "flow_usd", "亿美元", 1950),
    "季度BOP（美元）": BopSheet("quarter", "flow_usd", "亿美元", 1998),
    "年度BOP（SDR）": BopSheet("year", "flow_sdr", "亿SDR", 2016),
    "季度BOP（SDR）": BopSheet("quarter", "flow_sdr", "亿SDR", 2016),
}


def parse_balance_of_payments(file: SourceFile) -> Parsed:
    """The balance of payments by BPM6, six sheets: years and quarters in CNY, USD and SDR, 100 million each.

    Every sheet has the rows that the passport lists as `series`, in that order; the notes below them differ
    in number, so that sheets have 144 or 145 rows. A sheet that an extract does not quote has the mark where
    its first period is due, a row in its first figure, and neither holds anything more.
    """
    book = Workbook(file)
    titles: dict[str, str] = {}
    for title in book.titles:
        name = plain(title).replace("(", "（").replace(")", "）")
        if name not in BOP_SHEETS or name in titles:
            raise WrongLayoutError(
                file.name,
                None,
                f"the sheet {title!r} is none of this workbook's six: {', '.join(BOP_SHEETS)}",
                "is this another workbook of the publisher? If a sheet was renamed, the parser must learn it",
            )
        titles[name] = title
    rows: list[tuple[object, ...]] = []
    newest: dict[str, tuple[str, str]] = {}
    for name, kind in BOP_SHEETS.items():
        if name not in titles:
            raise WrongLayoutError(
                file.name,
                None,
                f"there is no sheet {name!r}; it has: {', '.join(map(repr, book.titles))}",
                "is this another workbook of the publisher?",
            )
        sheet = book.sheet(titles[name])
        periods = _periods(sheet, kind)
        if not periods:
            continue
        last, where = newest.setdefault(kind.frequency, (periods[-1][0], sheet.title))
        if last != periods[-1][0]:
            raise sheet.refusal(
                TruncatedFileError,
                PERIOD_ROW,
                f"it ends with {periods[-1][0]}, and {where!r} with {last}",
                "a sheet is cut off: fetch the workbook again",
            )
        rows.extend(_flows(sheet, kind, periods))
    if not rows:
        raise TruncatedFileError(file.name, None, "no figure is quoted", "fetch the workbook again")
    return Parsed(_frame(rows, ["label", "frequency"], FLOW_UNITS))


def _periods(sheet: Sheet, kind: BopSheet) -> list[tuple[str, date]]:
    """The periods of the header, from the first on without a gap; none where the sheet is not quoted."""
    for row, due in (
        (TITLE_ROW, TITLES[kind.frequency]),
        (MONEY_ROW, f"单位:{kind.money}"),
        (PERIOD_ROW, "项目"),
    ):
        text = _compact(sheet.text(row, 1)).replace("：", ":")
        if text != due:
            raise sheet.refusal(
                WrongLayoutError, row, f"{text[:40]!r} stands where {due!r} is due", FETCH_AGAIN
            )
    last = sheet.last_column(PERIOD_ROW)
    if sheet.text(PERIOD_ROW, 2) == NOT_QUOTED_MARK:
        if last > 2 or len(sheet.rows) > PERIOD_ROW:
            raise sheet.refusal(
                WrongLayoutError, PERIOD_ROW, "a sheet that is not quoted holds something", FETCH_AGAIN
            )
        return []
    periods = []
    for column in range(2, last + 1):
        number = column - 2
        if kind.frequency == "year":
            due, end = f"{kind.first + number}", date(kind.first + number, 12, 31)
        else:
            year, quarter = kind.first + number // 4, number % 4 + 1
            due, end = f"{year}Q{quarter}", month_end(year, 3 * quarter)
        text = sheet.text(PERIOD_ROW, column)
        if text != due:
            raise sheet.refusal(
                WrongLayoutError,
                PERIOD_ROW,
                f"{text[:40]!r} stands in column {column}, where {due} is due: the header runs from "
                f"{kind.first} on without a gap",
                FETCH_AGAIN,
            )
        periods.append((due, end))
    if not periods:
        raise sheet.refusal(TruncatedFileError, PERIOD_ROW, "the header names no period", FETCH_AGAIN)
    return periods


def _flows(sheet: Sheet, kind: BopSheet, periods: list[tuple[str, date]]) -> Iterator[tuple[object, ...]]:
    for row, label in _bop_rows(sheet):
        if sheet.text(row, 2) == NOT_QUOTED_MARK and sheet.last_column(row) == 2:
            continue
        if sheet.last_column(row) > 1 + len(periods):
            raise sheet.refusal(WrongLayoutError, row, "figures stand right of the last period", FETCH_AGAIN)
        for column, (period, end) in enumerate(periods, start=2):
            what = f"{label}, {period}"
            cell = sheet.cell(row, column)
            if isinstance(cell, str) and FIGURE.fullmatch(plain(cell)):
                raise sheet.refusal(
                    BadFigureError,
                    row,
                    f"{what} is {cell!r} as text, where the publisher writes numbers",
                    "the file was re-saved by another program: fetch the publisher's own",
                )
            blank = (label, kind.measure, period) in PUBLISHED_BLANK
            marks = FLOW_MARKS | {"": NOT_AVAILABLE} if blank else FLOW_MARKS
            value, status = sheet.figure(row, column, what, marks)
            if status != NOT_QUOTED:
                yield label, kind.frequency, end, kind.measure, value, status, row


def _bop_rows(sheet: Sheet) -> Iterator[tuple[int, str]]:
    """Each row of the table with its label: code and name, and for a side the item that it is one of."""
    labels = passport_of("safe/balance_of_payments").series
    due = iter(labels)
    seen: set[str] = set()
    item = ""
    end = next((n for n in range(1, len(sheet.rows) + 1) if sheet.text(n, 1).startswith(NOTES)), None)
    for row in range(PERIOD_ROW + 1, end or len(sheet.rows) + 1):
        text = sheet.text(row, 1)
        if not sheet.last_column(row):
            continue
        if coded := CODED.fullmatch(text):
            item = label = f"{coded[1]} {coded[2]}"
        else:
            label = f"{item} / {text}" if text in SIDES else text
        if label not in labels:
            raise sheet.refusal(
                UnknownLabelError,
                row,
                f"{label[:60]!r} is no item that safe/balance_of_payments is known to name",
                A_ROW_MORE,
            )
        if label in seen:
            raise sheet.refusal(DuplicateCellError, row, f"{label!r} stands a second time", FETCH_AGAIN)
        seen.add(label)
        expected = next(due)
        if label != expected:
            raise sheet.refusal(
                WrongLayoutError, row, f"{label!r} stands where {expected!r} is due", FETCH_AGAIN
            )
        yield row, label
    if (missing := next(due, None)) is not None:
        raise sheet.refusal(
            TruncatedFileError, end or len(sheet.rows), f"the table ends before {missing!r}", FETCH_AGAIN
        )
    for row in range(end or len(sheet.rows) + 1, len(sheet.rows) + 1):
        if sheet.last_column(row) > 1:
            raise sheet.refusal(WrongLayoutError, row, "something stands beside the notes", FETCH_AGAIN)


@dataclass(frozen=True)
class Identity:
    """Items that sum to another: the column its gap stands in, on the rows of `total`."""

    column: str
    total: str
    sign: float
    parts: tuple[str, ...]


def identities(labels: Iterable[str]) -> list[Identity]:
    """What must close in a period, as the codes of the items tell."""
    labels = list(labels)
    items = {label.split(" ", 1)[0]: label for label in labels if " / " not in label}
    found = []
    for code, label in items.items():
        sides = tuple(f"{label} / {side}" for side in SIDES if f"{label} / {side}" in labels)
        if sides:
            found.append(Identity("sides_gap", label, 1, sides))
        below = [c for c in items if re.fullmatch(rf"{re.escape(code)}\.(\d+|[A-Z]|[a-z])", c)]
        # Small letters part services from goods; below the financial account they part sectors.
        sectors = [c for c in below if c[-1].islower() and code[0] == "2"]
        for column, codes in (
            ("parts_gap", [c for c in below if c not in sectors]),
            ("sectors_gap", sectors),
        ):
            if codes:
                found.append(Identity(column, label, 1, tuple(items[c] for c in codes)))
    # What errors and omissions make up for.
    found.append(Identity("parts_gap", items["3"], -1, (items["1"], items["2"])))
    return found


GAPS = ("sides_gap", "parts_gap", "sectors_gap", "quarters_gap")


def check_balance_of_payments(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Adds the gaps of what must close, on the rows of the sums, and what a currency is worth in another.

    `sides_gap`: credit and debit, assets and liabilities, less their balance. `parts_gap`: components less
    their sum. `sectors_gap`: financial and other sectors less both. `quarters_gap`: four quarters less their
    year. `cny_per_usd`, `sdr_per_usd`: on the goods balance, the same figure's in two currencies. NaN where a
    figure is missing. A gap that the passport lists as published so is taken off.
    """
    cell = ["label", "frequency", "measure", "period_end"]
    at = ["frequency", "measure", "period_end"]
    wide = frame.pivot(index=at, columns="label", values="value").reindex(columns=list(dataset.series))
    columns: dict[str, dict[tuple[object, ...], float]] = {column: {} for column in GAPS}
    for identity in identities(dataset.series):
        gap = wide[list(identity.parts)].sum(axis=1, skipna=False) - identity.sign * wide[identity.total]
        for frequency, measure, end, value in gap.reset_index().itertuples(index=False, name=None):
            columns[identity.column][identity.total, frequency, measure, end] = value
    for measure in FLOW_UNITS:
        quarters = frame[(frame["measure"] == measure) & (frame["frequency"] == "quarter")]
        years = frame[(frame["measure"] == measure) & (frame["frequency"] == "year")]
        by_year = quarters.assign(year=quarters["period_end"].dt.year).groupby(["label", "year"])["value"]
        sums = by_year.sum().where(by_year.count() == 4).to_dict()
        for label, end, value in zip(years["label"], years["period_end"], years["value"], strict=True):
            gap_of_year = sums.get((label, end.year), float("nan")) - value
            columns["quarters_gap"][label, "year", measure, end] = gap_of_year
    for (column, (label, frequency), measure, end), known in corrections.known_gaps(dataset, frame).items():
        if (label, frequency, measure, end) in columns[column]:
            columns[column][label, frequency, measure, end] -= known
    places = list(zip(*(frame[name] for name in cell), strict=True))
    added = {column: [gaps.get(place, float("nan")) for place in places] for column, gaps in columns.items()}
    goods = frame[frame["label"] == GOODS].set_index(at)["value"].to_dict()
    for other in ("cny", "sdr"):
        added[f"{other}_per_usd"] = [
            value / goods.get((frequency, "flow_usd", end), float("nan"))
            if (label, measure) == (GOODS, f"flow_{other}")
            else float("nan")
            for (label, frequency, measure, end), value in zip(places, frame["value"], strict=True)
        ]
    return frame.assign(**added)


GOODS = "1.A.a 货物"


# --- International investment position --------------------------------------------------------------------

POSITION_HEADER = ["item", "month", "value_usd_100m", "released_on"]
ASSETS, LIABILITIES, NET = POSITION_ITEMS = "iip_assets", "iip_liabilities", "iip_net"


def parse_investment_position(file: SourceFile) -> Parsed:
    """What is quoted of a release: item,month,value_usd_100m,released_on."""
    rows: list[tuple[object, ...]] = []
    seen: set[tuple[str, date]] = set()
    released_on: date | None = None
    for line, (item, month_text, figure, released_text) in _position_rows(file):
        month = _quarter_end(file, line, month_text)
        day = iso_day(file, line, released_text)
        if released_on not in (None, day):
            raise WrongLayoutError(
                file.name,
                line,
                f"figures of {released_on} and of {day} stand in one file",
                "one file holds one release: split it",
            )
        released_on = day
        if item not in POSITION_ITEMS:
            raise UnknownLabelError(
                file.name, line, f"{item[:60]!r} is none of {', '.join(POSITION_ITEMS)}", A_ROW_MORE
            )
        if (item, month) in seen:
            raise DuplicateCellError(
                file.name, line, f"{item}, {month_text} stands a second time", "keep one of the two lines"
            )
        seen.add((item, month))
        value, status = read_figure(file, line, figure, f"{item}, {month_text}", {}, decimals=2)
        rows.append((item, month, "position", value, status, line))
    if not rows:
        raise TruncatedFileError(file.name, 1, "no figures follow the header", "add some, or drop the file")
    for month in sorted({month for _, month in seen}):
        for item in POSITION_ITEMS:
            if (item, month) not in seen:
                raise TruncatedFileError(
                    file.name,
                    len(file.lines),
                    f"{item} of {month:%Y-%m} is missing: a release tells {', '.join(POSITION_ITEMS)}",
                    "add the line, as the release has it",
                )
    return Parsed(observations(rows, ["label"], "usd_100m"), released_on, 2)


def _position_rows(file: SourceFile) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(file.lines, strict=True)
    try:
        for number, cells in enumerate(reader, start=1):
            if number == 1:
                if cells != POSITION_HEADER:
                    raise WrongLayoutError(
                        file.name, 1, f"the header is not {','.join(POSITION_HEADER)}", "mend the header"
                    )
                if not file.data.endswith(b"\n"):
                    # 4071 may be what is left of 40713.
                    raise TruncatedFileError(
                        file.name,
                        len(file.lines),
                        "the file is cut off: its last line has no end",
                        "look at that line; end it if it is whole",
                    )
                continue
            if len(cells) != len(POSITION_HEADER):
                raise WrongLayoutError(
                    file.name,
                    number,
                    f"{len(cells)} columns where the header has {len(POSITION_HEADER)}",
                    "write figures without thousands separators",
                )
            yield number, cells
    except csv.Error as error:
        raise WrongLayoutError(
            file.name, reader.line_num, f"no valid CSV: {error}", "mend the line"
        ) from error


def _quarter_end(file: SourceFile, line: int, text: str) -> date:
    found = re.fullmatch(r"(20\d\d)-(03|06|09|12)", text)
    if not found:
        raise WrongLayoutError(
            file.name, line, f"{text[:40]!r} is no month that ends a quarter (YYYY-MM)", "mend the line"
        )
    return month_end(int(found[1]), int(found[2]))


def edition_date_of_position(file: SourceFile) -> date:
    for number, cells in _position_rows(file):
        return iso_day(file, number, cells[3])
    raise TruncatedFileError(file.name, 1, "no figures follow the header", "add some, or drop the file")


def check_investment_position(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Adds `closing_gap` on the net position: assets less liabilities less itself, NaN without all three."""
    del dataset
    wide = frame.pivot(index="period_end", columns="label", values="value")
    wide = wide.reindex(columns=[ASSETS, LIABILITIES, NET])
    gap = wide[ASSETS] - wide[LIABILITIES] - wide[NET]
    return frame.assign(closing_gap=frame["period_end"].map(gap.to_dict()).where(frame["label"] == NET))


PARSERS = {
    "reserve_assets": parse_reserve_assets,
    "balance_of_payments": parse_balance_of_payments,
    "investment_position": parse_investment_position,
}
EDITION_DATES = {"investment_position": edition_date_of_position}
CHECKS = {
    "reserve_assets": check_reserve_assets,
    "balance_of_payments": check_balance_of_payments,
    "investment_position": check_investment_position,
}
