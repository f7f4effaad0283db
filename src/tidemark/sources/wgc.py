"""WGC: official gold holdings and central-bank demand, as the World Gold Council publishes them.

Four layouts of holdings, one of demand, and one of our own:

* `holdings_api`: the JSON behind the charts, a series a country and metric, quarterly;
* `holdings_quarterly`: the workbook of gold and foreign exchange by quarter, a sheet a metric;
* `holdings_ranking`: the workbook that ranks a hundred holders by their latest figure;
* `holdings_changes`: the workbook of monthly changes;
* `central_bank_demand`: the JSON behind the chart of supply and demand, an edition a quarter;
* `cited_demand`: what others quoted of releases whose file is not held.

The number of a footnote is glued to names (`Turkey6)`, `Türkiye, Rep of5`) and differs between editions. It
says where a note stands, not who holds, so it is taken off; the name itself is kept as published.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from json import dumps
from typing import Any

import numpy as np
import pandas as pd

from tidemark.errors import (
    BadFigureError,
    DuplicateCellError,
    NotTheFileError,
    TruncatedFileError,
    WrongLayoutError,
)
from tidemark.reading import (
    MONTHS,
    NOT_AVAILABLE,
    NOT_QUOTED,
    NOT_QUOTED_MARK,
    PUBLISHED,
    SourceFile,
    bad_figure,
    by_column,
    iso_day,
    month_end,
    observations,
    read_figure,
)
from tidemark.registry import Dataset
from tidemark.sources import Parsed
from tidemark.workbook import Sheet, Workbook, plain

FETCH_AGAIN = "fetch the file again; if the publisher has changed its layout, the parser must learn it"
# WGC's ounces in a tonne, with which it computes tonnes and USD; the true number is 32,150.7466.
OUNCES_PER_TONNE = 32_151

FOOTNOTE = re.compile(r"\s*\d{1,2}\)$|(?<=[^\s\d])\d{1,2}$")
QUARTER = re.compile(r"Q([1-4]) (\d{4})")


def without_footnote(name: str) -> str:
    """`Turkey6)`, `CBGA 4 signatories 5)` and `Türkiye, Rep of5` without the number of their footnote."""
    return FOOTNOTE.sub("", plain(name))


def quarter_end(year: int, quarter: int) -> date:
    return month_end(year, 3 * quarter)


def next_quarter(end: date) -> date:
    return month_end(end.year + end.month // 12, (end.month + 2) % 12 + 1)


def quarter_name(end: date) -> str:
    return f"{end.year}Q{end.month // 3}"


# --- Holdings as JSON -----------------------------------------------------------------------------------

# Metrics as the API names them, the measure and the unit each stands for.
METRICS = {
    "gold_reserves_tns": ("gold", "tonnes"),
    "gold_reserves": ("gold_value", "usd_mn"),
    "fx_reserves": ("fx_reserves", "usd_mn"),
    "total_reserves": ("total_reserves", "usd_mn"),
    "holdings_pct": ("gold_share", "pct"),
}
TONNES = "gold_reserves_tns"
WAY = ("chartData", "linechart", "QTD_FULL")
ASK_AS_THE_PASSPORT = "ask with the url in sources/wgc.yml: page=date_range, periodicity=QTD_FULL"
DAY_MS = 86_400_000
BEYOND_FIGURES = 10**15
ISO3 = re.compile(r"[A-Z]{3}")


def parse_holdings_api(file: SourceFile) -> Parsed:
    """Five metrics a country and quarter; a figure that is null is not available.

    A metric or a cell that a bundled extract leaves out says `not quoted`, and yields no row.
    """
    answer = _json(file)
    chart = _along(file, answer, WAY)
    lacking = [name for name in METRICS if name not in chart]
    if lacking:
        raise WrongLayoutError(file.name, None, f"the metric {lacking[0]!r} is missing", ASK_AS_THE_PASSPORT)
    unknown = sorted(set(chart) - set(METRICS))
    if unknown:
        raise WrongLayoutError(
            file.name, None, f"{unknown[0]!r} is no metric that this page is known to have", FETCH_AGAIN
        )
    lines = _LinesOf(file)
    rows: list[tuple[object, ...]] = []
    quarters: list[date] | None = None
    for metric, (measure, unit) in METRICS.items():
        if chart[metric] == NOT_QUOTED_MARK:
            continue
        seen: set[str] = set()
        for name, points, line in _series(file, metric, chart[metric], lines):
            if name in seen:
                raise DuplicateCellError(
                    file.name, line, f"{metric} of {name} stands a second time", FETCH_AGAIN
                )
            seen.add(name)
            days = [_quarter_of(file, line, f"{metric} of {name}", point) for point in points]
            if quarters is None:
                quarters = days
                _expect_quarters_ascend(file, line, f"{metric} of {name}", days)
            if days != quarters:
                raise WrongLayoutError(
                    file.name,
                    line,
                    f"{metric} of {name} has other quarters than the series before it",
                    FETCH_AGAIN,
                )
            for day, (_, value) in zip(days, points, strict=True):
                if value != NOT_QUOTED_MARK:
                    figure = _json_figure(file, line, value, f"{metric} of {name}, {quarter_name(day)}")
                    rows.append((name, day, measure, *figure, line, unit))
    if not rows:
        raise TruncatedFileError(file.name, None, "the answer holds no figures", ASK_AS_THE_PASSPORT)
    return Parsed(_tidy(rows, ["label"]))


def _json(file: SourceFile) -> dict[str, Any]:
    """The object of an answer in UTF-8: the pages name countries in their own letters (Türkiye)."""
    try:
        text = file.data.decode("utf-8")
    except UnicodeDecodeError:
        return file.json  # raises, and names the place
    if text.startswith("\ufeff"):
        return file.json
    escaped = re.sub(r"[^\x00-\x7f]", lambda found: dumps(found[0])[1:-1], text)
    return SourceFile(file.name, escaped.encode("ascii")).json


def _along(file: SourceFile, answer: dict[str, Any], way: tuple[str, ...]) -> dict[str, Any]:
    """The object at the end of a way of keys."""
    here: Any = answer
    for depth, key in enumerate(way):
        if not isinstance(here, dict) or key not in here:
            place = ".".join(way[: depth + 1])
            if depth == 0:
                raise NotTheFileError(
                    file.name,
                    1,
                    f"the answer holds {', '.join(answer) or 'nothing'}, where chartData is due",
                    "the API tells errors so: read the file, and check the URL",
                )
            raise WrongLayoutError(file.name, None, f"{place} is missing", ASK_AS_THE_PASSPORT)
        here = here[key]
    if not isinstance(here, dict):
        raise WrongLayoutError(file.name, None, f"{'.'.join(way)} is no object", FETCH_AGAIN)
    return here


class _LinesOf:
    """Finds the line in which a series begins; 1 throughout where the answer stands on one line."""

    def __init__(self, file: SourceFile) -> None:
        self.text = file.data.decode("utf-8")
        self.at = max(self.text.find('"linechart"'), 0)

    def find(self, metric: str, name: str) -> int:
        begins = self.text.find(f'"{metric}"', self.at)
        found = re.compile(rf'"name"\s*:\s*"{re.escape(name)}"').search(self.text, max(begins, 0))
        return self.text.count("\n", 0, found.start()) + 1 if found else 1


def _series(
    file: SourceFile, metric: str, content: Any, lines: _LinesOf
) -> Iterator[tuple[str, list[list[Any]], int]]:
    """Name, points and line of each series of a metric."""
    series = content.get("data") if isinstance(content, dict) else None
    if not isinstance(series, list) or not series:
        raise WrongLayoutError(file.name, None, f"{metric} has no list of series in `data`", FETCH_AGAIN)
    if metric == TONNES and content.get("unit", "Tonnes") != "Tonnes":
        raise WrongLayoutError(
            file.name, None, f"the unit of {metric} is {content['unit']!r}, not 'Tonnes'", FETCH_AGAIN
        )
    for number, item in enumerate(series, start=1):
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or not ISO3.fullmatch(name):
            raise WrongLayoutError(
                file.name,
                None,
                f"series {number} of {metric} is named {name!r}, not by three letters (ISO 3166)",
                FETCH_AGAIN,
            )
        line = lines.find(metric, name)
        points = item.get("data")
        if not isinstance(points, list) or not points:
            raise WrongLayoutError(file.name, line, f"{metric} of {name} has no points", FETCH_AGAIN)
        for point in points:
            if not isinstance(point, list) or len(point) != 2:
                raise WrongLayoutError(
                    file.name, line, f"{metric} of {name} has a point that is no pair: {point!r}", FETCH_AGAIN
                )
        yield name, points, line


def _quarter_of(file: SourceFile, line: int, what: str, point: list[Any]) -> date:
    """The quarter's last day, which the API writes as milliseconds since 1970 in UTC."""
    stamp = point[0]
    day = _quarter_at(stamp) if type(stamp) is int else None
    if day is not None:
        return day
    raise WrongLayoutError(
        file.name, line, f"{what} has the time {stamp!r}, which is no end of a quarter in UTC", FETCH_AGAIN
    )


@lru_cache(maxsize=1000)
def _quarter_at(stamp: int) -> date | None:
    """Every series of an answer has the same quarters."""
    if stamp % DAY_MS == 0 and 0 < stamp < 100 * 366 * DAY_MS:
        day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=stamp)).date()
        if day.month % 3 == 0 and day == month_end(day.year, day.month):
            return day
    return None


def _expect_quarters_ascend(file: SourceFile, line: int, what: str, days: list[date]) -> None:
    for before, day in pairwise(days):
        if day == before:
            raise DuplicateCellError(
                file.name, line, f"{what}, {quarter_name(day)} stands a second time", FETCH_AGAIN
            )
        if day < before:
            raise WrongLayoutError(
                file.name,
                line,
                f"{what}: {quarter_name(day)} stands after {quarter_name(before)}",
                FETCH_AGAIN,
            )
        if day != next_quarter(before):
            raise TruncatedFileError(
                file.name,
                line,
                f"{what}: {quarter_name(day)} follows {quarter_name(before)}, a quarter is missing",
                FETCH_AGAIN,
            )


def _json_figure(file: SourceFile, line: int, value: Any, what: str) -> tuple[float | None, str]:
    if value is None:
        return None, NOT_AVAILABLE
    # Beyond any figure: also 1e400, which JSON reads as infinity, and whole numbers that no float can hold.
    if type(value) in (int, float) and abs(value) < BEYOND_FIGURES:
        return float(value), PUBLISHED
    if isinstance(value, str) and value.strip():
        raise bad_figure(file, line, value, what, {"null": NOT_AVAILABLE})
    raise BadFigureError(file.name, line, f"{what} is {value!r:.40}, which is no figure", FETCH_AGAIN)


def _tidy(rows: list[tuple[object, ...]], key: list[str]) -> pd.DataFrame:
    """Observations of several measures: (key..., period_end, measure, value, status, line, unit) each."""
    names = [*key, "period_end", "measure", "value", "status", "line", "unit"]
    return by_column(dict(zip(names, zip(*rows, strict=True), strict=True)), key)


# --- Holdings as the quarterly workbook -----------------------------------------------------------------

# The sheets by their titles in small letters and without a number; each edition numbers all or none.
SHEETS = {
    "gold (tonnes)": ("gold", "tonnes"),
    "gold (us$ millions)": ("gold_value", "usd_mn"),
    "fx reserves (us$ millions)": ("fx_reserves", "usd_mn"),
    "total reserves (us$ millions)": ("total_reserves", "usd_mn"),
    "gold as % of total reserves": ("gold_share", "fraction"),
}
NUMBERED = re.compile(r"([1-5])\. ?(.+)")
# What stands above a sheet's table: its title again, in one case in other words.
HEADINGS = {title: title for title in SHEETS} | {
    "gold as a percentage of total reserves": "gold as % of total reserves"
}
LOOK_UP, FIRST_QUARTER = "Look-up", date(2000, 3, 31)
DASH = {"-": NOT_AVAILABLE, NOT_QUOTED_MARK: NOT_QUOTED}
# Rows that are no holdings: the quarters' last days of business, and the prices WGC computed with.
DAYS_ROW, PRICE_ROWS = "Other", frozenset({"Gold Price LN PM FIX", "SDR:USD"})


def parse_holdings_quarterly(file: SourceFile) -> Parsed:
    """Five sheets, a metric each: holders down, quarters since 2000 across, aggregates at the bottom.

    A holder is named by column B, as WGC shows it; column A, the IMF's name by which WGC looks figures up, is
    another one in one place (the ECB's foreign exchange stands under `Euro Area`) and is not read. Shares are
    fractions. A sheet that an extract leaves out says `not quoted` where its heading is due (B1).
    """
    book = Workbook(file)
    rows: list[tuple[object, ...]] = []
    first: tuple[str, list[date], list[str]] | None = None
    for title, (measure, unit) in _data_sheets(file, book).items():
        sheet = book.sheet(title)
        if sheet.text(1, 2) == NOT_QUOTED_MARK:
            continue
        _expect_heading(sheet)
        quarters = _quarters(sheet)
        labels: list[str] = []
        for row, label in _holder_rows(sheet, quarters):
            if label in labels:
                raise sheet.refusal(DuplicateCellError, row, f"{label} stands a second time")
            labels.append(label)
            if sheet.text(row, 3) == NOT_QUOTED_MARK and sheet.last_column(row) == 3:
                continue
            for column, quarter in enumerate(quarters, start=3):
                what = f"{label}, {quarter_name(quarter)}"
                value, status = sheet.figure(row, column, what, DASH)
                if status != NOT_QUOTED:
                    rows.append((label, quarter, measure, value, status, row, unit))
        if first is None:
            first = (title, quarters, labels)
        elif (quarters, labels) != first[1:]:
            raise sheet.refusal(
                WrongLayoutError, None, f"it has other quarters or holders than the sheet {first[0]!r}"
            )
    if not rows:
        raise TruncatedFileError(file.name, None, "the workbook holds no figures", FETCH_AGAIN)
    return Parsed(_tidy(rows, ["label"]))


def _data_sheets(file: SourceFile, book: Workbook) -> dict[str, tuple[str, str]]:
    """Measure and unit of each sheet that holds figures, in the order of `SHEETS`."""
    found: dict[str, tuple[str, bool]] = {}
    for title in book.titles:
        numbered = NUMBERED.fullmatch(plain(title))
        bare = (numbered[2] if numbered else plain(title)).lower()
        if bare in SHEETS:
            if bare in found:
                raise DuplicateCellError(
                    file.name, None, f"{found[bare][0]!r} and {title!r} are the same sheet", FETCH_AGAIN
                )
            found[bare] = (title, numbered is not None)
        elif re.search("gold|reserves", bare):
            raise WrongLayoutError(
                file.name,
                None,
                f"the sheet {title!r} is none that this workbook is known to have",
                "is this another workbook of the publisher? If a sheet was renamed, the parser must learn it",
            )
    lacking = [title for title in SHEETS if title not in found]
    if lacking:
        raise WrongLayoutError(
            file.name,
            None,
            f"there is no sheet {lacking[0]!r}; it has: {', '.join(map(repr, book.titles))}",
            "is this another workbook of the publisher? If a sheet was renamed, the parser must learn it",
        )
    if len({numbered for _, numbered in found.values()}) > 1:
        raise WrongLayoutError(
            file.name, None, "some sheets are numbered and others not: two editions are mixed", FETCH_AGAIN
        )
    return {found[bare][0]: what for bare, what in SHEETS.items()}


def _expect_heading(sheet: Sheet) -> None:
    """The heading above the table, where there is one, says what the sheet's title says."""
    heading = plain(sheet.text(1, 2).replace("*", " ")).lower()
    if heading.startswith("("):
        heading = heading.strip("()")
    numbered = NUMBERED.fullmatch(plain(sheet.title))
    title = (numbered[2] if numbered else plain(sheet.title)).lower()
    if heading and HEADINGS.get(heading) != title:
        raise sheet.refusal(
            WrongLayoutError, 1, f"the heading is {sheet.text(1, 2)!r}, which is another sheet's"
        )


def _quarters(sheet: Sheet) -> list[date]:
    if sheet.text(2, 1) != LOOK_UP or sheet.text(2, 2):
        raise sheet.refusal(
            WrongLayoutError,
            2,
            f"the header begins with {sheet.text(2, 1)!r} and {sheet.text(2, 2)!r}, not with {LOOK_UP!r} "
            "and a blank",
        )
    quarters: list[date] = []
    due = FIRST_QUARTER
    for column in range(3, sheet.last_column(2) + 1):
        found = QUARTER.fullmatch(sheet.text(2, column))
        if not found or quarter_end(int(found[2]), int(found[1])) != due:
            raise sheet.refusal(
                WrongLayoutError,
                2,
                f"{sheet.text(2, column)!r} stands in column {column}, where "
                f"Q{due.month // 3} {due.year} is due",
            )
        quarters.append(due)
        due = next_quarter(due)
    if not quarters:
        raise sheet.refusal(TruncatedFileError, 2, "no quarters follow the header")
    return quarters


def _holder_rows(sheet: Sheet, quarters: list[date]) -> Iterator[tuple[int, str]]:
    """Row and label of each holder; notes may stand below the last one."""
    width = 2 + len(quarters)
    note: int | None = None
    last = 2
    for row in range(3, len(sheet.rows) + 1):
        name = sheet.text(row, 2)
        filled = [c for c in range(3, sheet.last_column(row) + 1) if sheet.text(row, c)]
        filled += [c for c in range(3, width + 1) if (row, c) in sheet.formulas and c not in filled]
        if not name:
            # A row was left behind without its name, and a dash in it.
            if any(sheet.text(row, column) != "-" for column in filled):
                raise sheet.refusal(WrongLayoutError, row, "figures stand beside an empty name")
            continue
        if not filled:
            note = note or row
            continue
        if note is not None:
            raise sheet.refusal(TruncatedFileError, note, f"{sheet.text(note, 2)[:60]!r} has no figures")
        if max(filled) > width:
            raise sheet.refusal(WrongLayoutError, row, f"{name} has figures beyond the last quarter")
        last = row
        if name == DAYS_ROW:
            _expect_days(sheet, row, quarters)
        elif name not in PRICE_ROWS:
            yield row, without_footnote(name)
    if last == 2:
        raise sheet.refusal(TruncatedFileError, 2, "no figures follow the header")


def _expect_days(sheet: Sheet, row: int, quarters: list[date]) -> None:
    for column, quarter in enumerate(quarters, start=3):
        day = sheet.cell(row, column)
        # The last day of business, which may lie before the last day.
        if not isinstance(day, date) or (day.year, day.month) != (quarter.year, quarter.month):
            raise sheet.refusal(
                WrongLayoutError, row, f"{day} stands in the column of {quarter_name(quarter)}: it has moved"
            )


# --- Holdings as the ranking ----------------------------------------------------------------------------

RANKING_SHEET, RANKING_TITLE = "PDF", "WORLD OFFICIAL GOLD HOLDINGS"
RANKING_EDITION = re.compile(r"International Financial Statistics, ([A-Z][a-z]{2})[a-z]* (\d{4})\*?")
TONNES_HEAD, SHARE_HEAD, AS_OF_HEAD, OTHER_HEAD = "Tonnes", "% of reserves", "Holdings as of", "Other"
RANKED = 100
# Holdings are as of about two months before the edition, say its notes.
MONTHS_IN_ARREARS = 2
BY_ROW, BY_EDITION = "row", "edition"
AS_OF_TEXT = re.compile(r"([A-Z][a-z]{2})[a-z]*[ -](\d{4})")
NO_SHARE = re.compile(r"\d{1,2}\)")


def parse_holdings_ranking(file: SourceFile) -> Parsed:
    """A hundred holders ranked in two panels, and World and other sums in a block below.

    The reference month is the row's own where the edition has the column `Holdings as of` (`dated_by` row).
    Editions without it tell only their own month and that data are two months in arrears, for most holders:
    that month is taken, and `dated_by` says edition. Late reporters are older there, which the file does not
    tell by row.
    """
    sheet = Workbook(file).sheet(RANKING_SHEET)
    edition = _ranking_edition(sheet)
    rows: list[tuple[object, ...]] = []
    labels: set[str] = set()
    blocks = _ranking_blocks(sheet)
    end = 0
    above: tuple[str, float, int] | None = None
    for header, panels, last in blocks:
        due = 1
        for first, width in panels:
            is_ranked = header == blocks[0][0]
            for row in range(header + 1, last + 1):
                name = sheet.text(row, first + 1)
                if not name:
                    _expect_blank(sheet, row, first, width)
                    break
                if is_ranked and sheet.text(row, first) != str(due):
                    raise sheet.refusal(
                        WrongLayoutError,
                        row,
                        f"{name} has the rank {sheet.text(row, first)!r}, where {due} is due",
                    )
                due += 1
                label = without_footnote(name)
                if label in labels:
                    raise sheet.refusal(DuplicateCellError, row, f"{label} stands a second time")
                labels.add(label)
                end = max(end, row)
                figures = list(_ranking_row(sheet, row, first, width, label, edition))
                rows.extend(figures)
                if is_ranked and figures:
                    above = _expect_fewer_tonnes(sheet, row, figures[0], above)
        if header == blocks[0][0] and due - 1 != RANKED:
            raise sheet.refusal(
                TruncatedFileError, last, f"{due - 1} holders are ranked, where {RANKED} are due"
            )
    for row in range(end + 1, len(sheet.rows) + 1):
        if any(isinstance(cell, int | float) for cell in sheet.rows[row - 1]):
            raise sheet.refusal(WrongLayoutError, row, "figures stand below the last block")
    if not rows:
        raise sheet.refusal(TruncatedFileError, None, "the sheet holds no figures")
    return Parsed(_tidy(rows, ["label", "dated_by"]))


def _expect_fewer_tonnes(
    sheet: Sheet, row: int, gold: tuple[object, ...], above: tuple[str, float, int] | None
) -> tuple[str, float, int]:
    """What is ranked by tonnes has no more of them than the rank above it, whose row may not be quoted."""
    label, tonnes = str(gold[0]), float(str(gold[4]))
    if above is not None and tonnes > above[1]:
        raise sheet.refusal(
            BadFigureError,
            row,
            f"{label} has {tonnes:,.2f} tonnes and is ranked below {above[0]} (line {above[2]}) with "
            f"{above[1]:,.2f}: one of the two has another's figure, or one in another unit",
        )
    return label, tonnes, row


def _ranking_edition(sheet: Sheet) -> date:
    """The first day of the edition's month, which stands above each block."""
    editions: dict[date, int] = {}
    titled = False
    for row in range(1, len(sheet.rows) + 1):
        titled |= sheet.text(row, 2) == RANKING_TITLE
        if found := RANKING_EDITION.fullmatch(sheet.text(row, 2)):
            month = MONTHS.get(found[1])
            if month is None:
                raise sheet.refusal(WrongLayoutError, row, f"{found[0]!r} names no month")
            editions.setdefault(date(int(found[2]), month, 1), row)
    if not titled:
        raise sheet.refusal(
            NotTheFileError,
            None,
            f"the heading {RANKING_TITLE!r} is missing",
            "is this the ranking workbook?",
        )
    if len(editions) != 1:
        raise sheet.refusal(
            WrongLayoutError,
            max(editions.values(), default=None),
            f"{len(editions)} editions are named above the blocks, where one is due",
        )
    return next(iter(editions))


def _ranking_blocks(sheet: Sheet) -> list[tuple[int, list[tuple[int, int]], int]]:
    """Of each block its header row, its panels (first column, width) and its last row."""
    headers = [
        row
        for row in range(1, len(sheet.rows) + 1)
        if any(sheet.text(row, column) == TONNES_HEAD for column in range(1, sheet.last_column(row) + 1))
    ]
    if len(headers) != 2:
        raise sheet.refusal(
            WrongLayoutError,
            headers[-1] if headers else None,
            f"{len(headers)} headers with {TONNES_HEAD!r} stand in it, where the ranking and the block "
            f"{OTHER_HEAD!r} are due",
        )
    blocks: list[tuple[int, list[tuple[int, int]], int]] = []
    for number, header in enumerate(headers):
        heads = [
            plain(sheet.text(header, column).replace("*", " "))
            for column in range(1, sheet.last_column(header) + 1)
        ]
        one = ["", "" if number == 0 else OTHER_HEAD, TONNES_HEAD, SHARE_HEAD]
        with_month = [*one, AS_OF_HEAD]
        panel = next(
            (p for p in (one, with_month) if heads == (p * 2 if number == 0 else p)),
            None,
        )
        if panel is None:
            raise sheet.refusal(
                WrongLayoutError, header, f"the header is {', '.join(h or '(blank)' for h in heads)}"
            )
        if blocks and len(panel) != blocks[0][1][0][1]:
            raise sheet.refusal(WrongLayoutError, header, f"one header has {AS_OF_HEAD!r} and the other not")
        width = len(panel)
        panels = [(1, width), (1 + width, width)] if number == 0 else [(1, width)]
        last = headers[1] - 1 if number == 0 else len(sheet.rows)
        blocks.append((header, panels, last))
    return blocks


def _expect_blank(sheet: Sheet, row: int, first: int, width: int) -> None:
    for column in range(first, first + width):
        if isinstance(sheet.cell(row, column), int | float):
            raise sheet.refusal(WrongLayoutError, row, "figures stand beside an empty name")


def _ranking_row(
    sheet: Sheet, row: int, first: int, width: int, label: str, edition: date
) -> Iterator[tuple[object, ...]]:
    if sheet.text(row, first + 2) == NOT_QUOTED_MARK:
        return
    if width == 4:
        number = edition.year * 12 + edition.month - 1 - MONTHS_IN_ARREARS
        month, dated_by = month_end(number // 12, number % 12 + 1), BY_EDITION
    else:
        month, dated_by = _as_of(sheet, row, first + 4, label), BY_ROW
    tonnes = sheet.figure(row, first + 2, f"Tonnes of {label}", {})
    yield label, dated_by, month, "gold", *tonnes, row, "tonnes"
    text = sheet.text(row, first + 3)
    if text == NOT_QUOTED_MARK:
        return
    # Where a share cannot be told, the number of the note that says why stands in its place.
    marks = {text: NOT_AVAILABLE} if NO_SHARE.fullmatch(text) else {"1)": NOT_AVAILABLE}
    share = sheet.figure(row, first + 3, f"% of reserves of {label}", marks)
    yield label, dated_by, month, "gold_share", *share, row, "fraction"


def _as_of(sheet: Sheet, row: int, column: int, label: str) -> date:
    cell = sheet.cell(row, column)
    if isinstance(cell, date):
        return month_end(cell.year, cell.month)
    found = AS_OF_TEXT.fullmatch(sheet.text(row, column))
    if found and found[1] in MONTHS:
        return month_end(int(found[2]), MONTHS[found[1]])
    raise sheet.refusal(
        WrongLayoutError, row, f"{AS_OF_HEAD} of {label} is {sheet.text(row, column)!r}, which is no month"
    )


# --- Monthly changes ------------------------------------------------------------------------------------

CHANGES_SHEET = "Monthly"
CHANGES_HEADER = ("Country Lookup Column", "Country", "Comments")
HEADER_WITHIN = 20
# A cell is blank where the holder did not report: that is no change of zero.
BLANK = {"": NOT_AVAILABLE, NOT_QUOTED_MARK: NOT_QUOTED}


def parse_holdings_changes(file: SourceFile) -> Parsed:
    """The sheet `Monthly`: holders down, months across, the change of each month in tonnes.

    The header is the row that begins with `Country Lookup Column`; how many rows of WGC's own reckoning stand
    above it differs. A holder is named by the column `Country`: by the lookup column alone Türkiye's gross
    row (`Turkey*`) could not be told from `Turkey`. Months at the end in which nobody has reported are not
    published yet, and yield nothing.
    """
    sheet = Workbook(file).sheet(CHANGES_SHEET)
    header = _changes_header(sheet)
    months = _changes_months(sheet, header)
    labels: set[str] = set()
    cells: list[tuple[str, int, float | None, str, int]] = []
    ended: int | None = None
    newest = -1
    for row in range(header + 1, len(sheet.rows) + 1):
        name = sheet.text(row, 2)
        filled = [c for c in range(4, sheet.last_column(row) + 1) if sheet.text(row, c)]
        if not name:
            if filled:
                raise sheet.refusal(WrongLayoutError, row, "figures stand beside an empty name")
            ended = ended or row
            continue
        if ended is not None and filled:
            raise sheet.refusal(TruncatedFileError, ended, f"a row without a name stands above {name}")
        if ended is not None:
            continue
        if filled and max(filled) > 3 + len(months):
            raise sheet.refusal(WrongLayoutError, row, f"{name} has figures beyond the last month")
        label = without_footnote(name)
        if label in labels:
            raise sheet.refusal(DuplicateCellError, row, f"{label} stands a second time")
        labels.add(label)
        if sheet.text(row, 4) == NOT_QUOTED_MARK and filled == [4]:
            continue
        for index, month in enumerate(months):
            value, status = sheet.figure(row, 4 + index, f"{label}, {month:%Y-%m}", BLANK)
            if status == PUBLISHED:
                newest = max(newest, index)
            if status != NOT_QUOTED:
                cells.append((label, index, value, status, row))
    if newest < 0:
        raise sheet.refusal(TruncatedFileError, header, "no figures follow the header")
    rows = [
        (label, months[index], "change", value, status, row)
        for label, index, value, status, row in cells
        if index <= newest
    ]
    return Parsed(observations(rows, ["label"], "tonnes"))


def _changes_header(sheet: Sheet) -> int:
    for row in range(1, min(len(sheet.rows), HEADER_WITHIN) + 1):
        if sheet.text(row, 1) == CHANGES_HEADER[0]:
            heads = tuple(sheet.text(row, column) for column in (1, 2, 3))
            if heads != CHANGES_HEADER:
                raise sheet.refusal(
                    WrongLayoutError, row, f"the header begins with {heads}, not with {CHANGES_HEADER}"
                )
            return row
    raise sheet.refusal(
        WrongLayoutError,
        None,
        f"no cell {CHANGES_HEADER[0]!r} stands in its first column",
        "is this the workbook of monthly changes?",
    )


def _changes_months(sheet: Sheet, header: int) -> list[date]:
    months: list[date] = []
    for column in range(4, sheet.last_column(header) + 1):
        cell = sheet.cell(header, column)
        if not isinstance(cell, date):
            raise sheet.refusal(
                WrongLayoutError, header, f"{sheet.text(header, column)!r} stands where a month is due"
            )
        month = month_end(cell.year, cell.month)
        if months and month == months[-1]:
            raise sheet.refusal(
                DuplicateCellError,
                header,
                f"{month:%Y-%m} stands a second time, in column {column}",
                "some editions date several columns into one month: take the next edition",
            )
        if months and month != month_end(months[-1].year + months[-1].month // 12, months[-1].month % 12 + 1):
            raise sheet.refusal(
                WrongLayoutError, header, f"{month:%Y-%m} follows {months[-1]:%Y-%m}: a month is missing"
            )
        months.append(month)
    if not months:
        raise sheet.refusal(TruncatedFileError, header, "no months follow the header")
    return months


# --- Central-bank demand --------------------------------------------------------------------------------

DEMAND_WAY = ("chartData", "Demand_Quarterly")
CENTRAL_BANKS = "Central banks"
# The other series of the chart, which are not read.
OTHER_DEMAND = frozenset(
    {
        "Jewellery consumption", "Jewellery inventory", "Jewellery fabrication",
        "Technology", "Electronics", "Other industrial", "Dentistry",
        "Investment", "Total bc", "Physical bar", "Official coin", "Medals coin", "Etfs",
        "LBMA",
    }
)  # fmt: skip
CATEGORY = re.compile(r"Q([1-4]) '(\d\d)")
FIRST_CATEGORY = date(2010, 3, 31)


def parse_central_bank_demand(file: SourceFile) -> Parsed:
    """The series `Central banks` of an edition, tonnes a quarter since 2010; the others are left aside."""
    chart = _along(file, _json(file), DEMAND_WAY)
    categories, series = chart.get("categories"), chart.get("series")
    if not isinstance(categories, list) or not isinstance(series, list):
        raise WrongLayoutError(
            file.name, None, "Demand_Quarterly has no categories or no series", FETCH_AGAIN
        )
    quarters = _categories(file, categories)
    found: list[Any] | None = None
    for number, item in enumerate(series, start=1):
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and name in OTHER_DEMAND:
            continue
        if name != CENTRAL_BANKS:
            raise WrongLayoutError(
                file.name,
                None,
                f"series {number} is {name!r}, which this chart is not known to have",
                "if WGC has split or renamed demand, the parser must learn it",
            )
        if found is not None:
            raise DuplicateCellError(
                file.name, None, f"the series {name!r} stands a second time", FETCH_AGAIN
            )
        found = item.get("data")
        if not isinstance(found, list) or len(found) != len(quarters):
            raise TruncatedFileError(
                file.name,
                None,
                f"{name} has not one figure for each of {len(quarters)} quarters",
                FETCH_AGAIN,
            )
    if found is None:
        raise WrongLayoutError(file.name, None, f"the series {CENTRAL_BANKS!r} is missing", FETCH_AGAIN)
    line = file.data.decode("utf-8").partition(f'"{CENTRAL_BANKS}"')[0].count("\n") + 1
    for quarter, value in zip(quarters[:-1], found, strict=False):
        if value is None:
            raise BadFigureError(
                file.name,
                line,
                f"{CENTRAL_BANKS}, {quarter_name(quarter)} is null, which only the newest quarter may be",
                FETCH_AGAIN,
            )
    rows = [
        (
            CENTRAL_BANKS,
            quarter,
            "demand",
            *_json_figure(file, line, value, f"{CENTRAL_BANKS}, {quarter_name(quarter)}"),
            line,
        )
        for quarter, value in zip(quarters, found, strict=True)
    ]
    return Parsed(observations(rows, ["label"], "tonnes"))


def _categories(file: SourceFile, categories: list[Any]) -> list[date]:
    quarters: list[date] = []
    due = FIRST_CATEGORY
    for category in categories:
        found = CATEGORY.fullmatch(category) if isinstance(category, str) else None
        if not found or quarter_end(2000 + int(found[2]), int(found[1])) != due:
            raise WrongLayoutError(
                file.name,
                None,
                f"the category {category!r} stands where Q{due.month // 3} '{due:%y} is due",
                FETCH_AGAIN,
            )
        quarters.append(due)
        due = next_quarter(due)
    if not quarters:
        raise TruncatedFileError(file.name, None, "the chart has no categories", FETCH_AGAIN)
    return quarters


# --- Demand as others quoted it -------------------------------------------------------------------------

CITED_HEADER = ["released_on", "vintage_note", "quarter", "tonnes"]
CITED_PERIOD = re.compile(r"(20\d\d)(?:Q([1-4])|(FY))")
CITED_DECIMALS = 1


def parse_cited_demand(file: SourceFile) -> Parsed:
    """`released_on,vintage_note,quarter,tonnes`: the figures of one release as one source quoted them.

    `2025Q1` is a quarter, `2025FY` the year, which is another measure.
    """
    rows: list[tuple[object, ...]] = []
    first: tuple[date, str] | None = None
    seen: set[tuple[date, str]] = set()
    for number, (day_text, note, period, figure) in _cited_rows(file):
        said = (iso_day(file, number, day_text), note.strip())
        if not said[1]:
            raise WrongLayoutError(
                file.name, number, "nobody is named who quoted it", "say who, in vintage_note"
            )
        if first is not None and said != first:
            raise WrongLayoutError(
                file.name,
                number,
                f"{said[1]!r} of {said[0]} stands beside {first[1]!r} of {first[0]}",
                "one file holds one release as one source quoted it: split it",
            )
        first = said
        found = CITED_PERIOD.fullmatch(period)
        if not found:
            raise WrongLayoutError(
                file.name,
                number,
                f"{period!r} is neither a quarter (2025Q1) nor a year (2025FY)",
                "mend the line",
            )
        end = quarter_end(int(found[1]), int(found[2] or 4))
        measure = "demand_year" if found[3] else "demand"
        if (end, measure) in seen:
            raise DuplicateCellError(
                file.name, number, f"{period} stands a second time", "keep one of the two lines"
            )
        seen.add((end, measure))
        value, status = read_figure(
            file, number, figure, f"{CENTRAL_BANKS}, {period}", {}, decimals=CITED_DECIMALS
        )
        rows.append((CENTRAL_BANKS, end, measure, value, status, number))
    if first is None:
        raise TruncatedFileError(file.name, 1, "no figures follow the header", "add some, or drop the file")
    return Parsed(observations(rows, ["label"], "tonnes"), first[0], 2)


def _cited_rows(file: SourceFile) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(file.lines, strict=True)
    try:
        for number, cells in enumerate(reader, start=1):
            if number == 1:
                if cells != CITED_HEADER:
                    kind = WrongLayoutError if cells and cells[0] in CITED_HEADER else NotTheFileError
                    raise kind(file.name, 1, f"the header is not {','.join(CITED_HEADER)}", "mend the header")
                if not file.data.endswith(b"\n"):
                    # 166 may be what is left of 166.5.
                    raise TruncatedFileError(
                        file.name,
                        len(file.lines),
                        "the file is cut off: its last line has no end",
                        "look at that line; end it if it is whole",
                    )
                continue
            if len(cells) != len(CITED_HEADER):
                raise WrongLayoutError(
                    file.name,
                    number,
                    f"{len(cells)} columns where the header has {len(CITED_HEADER)}",
                    "quote a note that holds a comma",
                )
            yield number, cells
    except csv.Error as error:
        raise WrongLayoutError(
            file.name, reader.line_num, f"no valid CSV: {error}", "mend the line"
        ) from error


def edition_date_of_citations(file: SourceFile) -> date:
    for number, cells in _cited_rows(file):
        return iso_day(file, number, cells[0])
    raise TruncatedFileError(file.name, 1, "no figures follow the header", "add some, or drop the file")


# --- Checks ---------------------------------------------------------------------------------------------


def check_reserves(_dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Adds what the metrics must agree in, on rows that speak of it (else NaN).

    `share_gap_points`: the share of gold less the part of total reserves that is no foreign exchange, in
    percentage points, on every share. Once a quarter, since single holders are off in published editions:
    `price_usd_oz`, the median of what an ounce is worth by USD and tonnes, on a row of `gold_value`;
    `total_gap_pct`, the median of gold and foreign exchange less the total, on a row of `total_reserves`.
    `value_ratio`, on every value, and `share_ratio`, on every share: what the value, and the share of total
    reserves, are by tonnes at the price of `price_usd_oz`; see `_by_worth`. `reporting_pct` and
    `newest_reporting_pct`: see `_reporting`.
    """
    names = ["gold", "gold_value", "fx_reserves", "total_reserves", "gold_share"]
    wide = frame.pivot(index=["label", "period_end"], columns="measure", values="value").reindex(
        columns=names
    )
    in_percent = 1 if "fraction" not in set(frame["unit"]) else 100
    total = wide["total_reserves"].where(wide["total_reserves"] > 0)
    share_gap = in_percent * wide["gold_share"] - 100 * (1 - wide["fx_reserves"] / total)
    # A hundredth of a tonne is all that many figures are published to.
    ounces = (wide["gold"] * OUNCES_PER_TONNE).where(wide["gold"] >= 1)
    price = (wide["gold_value"] * 1e6 / ounces).groupby(level="period_end").median()
    gap = (
        (100 * (wide["gold_value"] + wide["fx_reserves"] - total) / total)
        .groupby(level="period_end")
        .median()
    )

    def once_a_quarter(measure: str, by_quarter: pd.Series) -> pd.Series:
        rows = frame[frame["measure"] == measure].drop_duplicates("period_end")
        return rows["period_end"].map(by_quarter).reindex(frame.index).astype("float64")

    cells = pd.MultiIndex.from_frame(frame[["label", "period_end"]])

    def of_each_holder(measure: str, by_cell: pd.Series) -> pd.Series:
        every = pd.Series(by_cell.reindex(cells).to_numpy(), index=frame.index, dtype="float64")
        return every.where(frame["measure"] == measure)

    quarter_price = pd.Series(
        price.reindex(wide.index.get_level_values("period_end")).to_numpy(), index=wide.index
    )
    a_tonne = quarter_price * OUNCES_PER_TONNE / 1e6
    by_share = in_percent * wide["gold_share"] / 100 * total
    small = SMALL_SHARE_PCT / 100 * total
    reported, reported_last = _reporting(frame)
    return frame.assign(
        share_gap_points=of_each_holder("gold_share", share_gap),
        price_usd_oz=once_a_quarter("gold_value", price),
        total_gap_pct=once_a_quarter("total_reserves", gap),
        value_ratio=of_each_holder(
            "gold_value", _by_worth(wide["gold_value"], wide["gold"] * a_tonne, SMALL_TONNES * a_tonne)
        ),
        share_ratio=of_each_holder("gold_share", _by_worth(by_share, wide["gold"] * a_tonne, small)),
        reporting_pct=reported,
        newest_reporting_pct=reported_last,
    )


# Below these, how a figure is rounded shows in a ratio: to 0.01 tonnes, and to 0.01 %.
SMALL_TONNES, SMALL_SHARE_PCT = 0.1, 0.1
# How many quarters at the end may be sparse, since holders report late.
SPARSE_QUARTERS = 2


def _by_worth(value: pd.Series, worth: pd.Series, small: pd.Series) -> pd.Series:
    """A value by what the tonnes are worth, in that quarter or, where nearer to 1, in the quarter before.

    The workbook of 2016 gives 13 holders the value of the quarter before. NaN where both are small: were one
    of the two a thousandth of itself, the other still would not be.
    """
    before = worth.groupby(level="label").shift()
    now, late = value / worth, (value / before).where((value > 0) | (before > 0), 1.0)
    late = late.where(before.notna() & value.notna())
    is_late = np.maximum(late, 1 / late) < np.maximum(now, 1 / now)
    return now.where(~is_late, late).where((value >= small) | (worth >= small))


def _reporting(frame: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """On the first row of each measure and quarter: what part of its holders has a figure, in percent.

    The second series has it for the newest quarters, the first for those before.
    """
    is_published = (frame["status"] == PUBLISHED).astype("float64")
    part = 100 * is_published.groupby([frame["measure"], frame["period_end"]]).transform("mean")
    part = part.where(~frame.duplicated(["measure", "period_end"]))
    is_newest = frame["period_end"].isin(sorted(frame["period_end"].unique())[-SPARSE_QUARTERS:])
    return part.where(~is_newest), part.where(is_newest)


NOT_RANKED = ("World", "Euro Area", "CBGA")


def check_ranking(_dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Adds, on the row of World, `ranked_pct`: what part the ranked hundred hold (NaN in an extract)."""
    gold = frame[frame["measure"] == "gold"]
    ranked = gold[~gold["label"].str.startswith(NOT_RANKED)]
    world = (frame["measure"] == "gold") & (frame["label"] == "World")
    total = ranked["value"].sum() if len(ranked) == RANKED else math.nan
    return frame.assign(ranked_pct=(100 * total / frame["value"]).where(world))


PARSERS = {
    "holdings_api": parse_holdings_api,
    "holdings_quarterly": parse_holdings_quarterly,
    "holdings_ranking": parse_holdings_ranking,
    "holdings_changes": parse_holdings_changes,
    "central_bank_demand": parse_central_bank_demand,
    "cited_demand": parse_cited_demand,
}
EDITION_DATES = {"cited_demand": edition_date_of_citations}
CHECKS = {
    "holdings_api": check_reserves,
    "holdings_quarterly": check_reserves,
    "holdings_ranking": check_ranking,
}
