"""TIC: the Treasury's tables of foreign holders (ticdata.treasury.gov).

Four layouts of the publisher and one of our own:

* `slt_table5`, "Table 5: Major Foreign Holders of Treasury Securities": USD bn, rolling 13 months;
* `slt_table3`, "Table 3: U.S. Treasury Securities Held by Foreign Residents": USD million, long;
* `mfhhis01`, the history of Table 5 since March 2000: USD bn, a block a year;
* `mfh`, the table before March 2023: USD bn, fixed width;
* `cited_first_prints`: what others quoted of releases whose file is not held.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tidemark import corrections
from tidemark.errors import (
    BadFigureError,
    DuplicateCellError,
    NotTheFileError,
    TruncatedFileError,
    WrongLayoutError,
)
from tidemark.reading import (
    FIGURE,
    MISSING,
    MONTHS,
    NOT_AVAILABLE,
    Cells,
    SourceFile,
    by_column,
    month_end,
    observations,
    read_figure,
    read_figures,
    text_columns,
)
from tidemark.registry import Dataset
from tidemark.sources import Parsed

FETCH_AGAIN = "fetch the file again; if the publisher has changed its layout, the parser must learn it"

ISO_MONTH = r"(19|20)\d\d-(0[1-9]|1[0-2])"
# Figures in USD billion are printed with one decimal, or with none where it is zero.
DECIMALS = 1

ALL_OTHER = "All Other"
GRAND_TOTAL = "Grand Total"
# The rows below Grand Total, as Table 5 and as the other tables name them.
OFFICIAL_ROWS = {
    "slt_table5": (
        "Of Which: Foreign Official",
        "Of Which: Foreign Official Treasury Bills",
        "Of Which: Foreign Official T-Bonds & Notes",
    ),
    "mfhhis01": ("For. Official", "Treasury Bills", "T-Bonds & Notes"),
    "mfh": ("For. Official", "Treasury Bills", "T-Bonds & Notes"),
}

# --- Table 5 ------------------------------------------------------------------------------------------

TABLE5_COUNTRIES = 20
TABLE5_MONTHS = 13


def parse_slt_table5(file: SourceFile) -> Parsed:
    """Table 5: 20 countries, All Other, Grand Total and 3 official rows over 13 months, USD bn."""
    lines = file.lines
    _expect_title(file, lines, "Table 5: Major Foreign Holders of Treasury Securities", "Billions of dollars")
    header = _find_line(file, lines, lambda line: line.startswith("Country\t"), "the header `Country`")
    months = [_iso_month(file, header + 1, cell) for cell in _cells(file, lines, header)[1:]]
    _expect_months_descend(file, header + 1, months, TABLE5_MONTHS)
    width = len(months) + 1

    labels: list[str] = []
    with _holdings(file) as holdings:
        for index in range(header + 1, len(lines)):
            cells = _cells(file, lines, index, width)
            if not any(cell.strip() for cell in cells):
                break
            label = _label(file, index + 1, cells[0], labels)
            holdings.add(index + 1, cells[1:], label=label, period_end=months, measure="holdings")
        else:
            raise _cut(file, lines, "the table has no end (an empty row and `Notes:`)")
        expected = (ALL_OTHER, GRAND_TOTAL, *OFFICIAL_ROWS["slt_table5"])
        _expect_tail(file, index + 1, labels, expected)
        if len(labels) != TABLE5_COUNTRIES + len(expected):
            raise TruncatedFileError(
                file.name,
                index + 1,
                f"{len(labels) - len(expected)} countries stand in the table, not {TABLE5_COUNTRIES}",
                FETCH_AGAIN,
            )
        if index + 1 >= len(lines) or lines[index + 1].split("\t")[0].strip() != "Notes:":
            raise _cut(file, lines, "`Notes:` does not follow the table")
    frame = holdings.observations("usd_bn")
    _expect_published(file, frame, frame["label"] == GRAND_TOTAL)
    return Parsed(frame)


# --- Table 3 ------------------------------------------------------------------------------------------

TABLE3_HEADER = (
    "country", "country_code", "date",
    "for_treas_pos", "for_treas_net",
    "for_lt_treas_pos", "for_lt_treas_net", "for_lt_treas_valchg",
    "for_st_treas_pos", "for_st_treas_net",
)  # fmt: skip
TABLE3_MEASURES = (
    "holdings_total", "net_sales_total",
    "holdings_long_term", "net_sales_long_term", "valuation_change_long_term",
    "holdings_short_term", "net_sales_short_term",
)  # fmt: skip
TABLE3_GRAND_TOTAL, TABLE3_OFFICIAL, TABLE3_NON_OFFICIAL = "99996", "99990", "99991"
TABLE3_COUNTRIES, TABLE3_ORGANISATIONS = "69995", "79995"
TABLE3_AGGREGATES = (
    TABLE3_GRAND_TOTAL, TABLE3_OFFICIAL, TABLE3_NON_OFFICIAL, TABLE3_COUNTRIES, TABLE3_ORGANISATIONS,
)  # fmt: skip

# Europe, Canada, Latin America, Caribbean, Asia, Africa, Other: together they are all countries.
TABLE3_REGIONS = ("19992", "29998", "39942", "34401", "49999", "59994", "69906")
# Every row that is no single country. Canada is both.
TABLE3_TOTALS = frozenset(TABLE3_REGIONS) - {"29998"} | {
    "16713", "16721", "69995", "72907", "76929", "79995", "99990", "99991", "99996",
}  # fmt: skip
TABLE3_BEGINS = "2020-01"
TABLE3_MISSING = {"n.a.": NOT_AVAILABLE}


def parse_slt_table3(file: SourceFile) -> Parsed:
    """Table 3: seven measures a country and month, USD million; `n.a.` is kept as not available.

    Read by column, since the table has about 70,000 cells; a line is looked at only to name an error.
    """
    lines = file.lines
    _expect_title(
        file, lines, "Table 3: U.S. Treasury Securities Held by Foreign Residents", "Millions of dollars"
    )
    header = _find_line(
        file,
        lines,
        lambda line: line.startswith("country\t"),
        "the machine header `country country_code date`",
    )
    if tuple(_cells(file, lines, header)) != TABLE3_HEADER:
        raise WrongLayoutError(
            file.name, header + 1, f"the columns are not {' '.join(TABLE3_HEADER)}", FETCH_AGAIN
        )
    tabs = len(TABLE3_HEADER) - 1
    end = next((i for i in range(header + 1, len(lines)) if not lines[i].strip()), None)
    body = lines[header + 1 : end]
    for offset, line in enumerate(body):
        if line.count("\t") != tabs:
            _cells(file, lines, header + 1 + offset, tabs + 1)  # raises, and says which way it is wrong
    if end is None or end + 1 >= len(lines) or lines[end + 1].split("\t")[0].strip() != "Notes:":
        raise _cut(file, lines, "the table has no end (an empty row and `Notes:`)")
    again = next((i for i in range(end, len(lines)) if lines[i].startswith("country\t")), None)
    if again is not None:
        raise WrongLayoutError(
            file.name, again + 1, "a second table stands after the notes of the first", FETCH_AGAIN
        )
    if not body:
        raise TruncatedFileError(file.name, header + 1, "no figures follow the header", FETCH_AGAIN)

    first_line = header + 2
    table = text_columns(body, TABLE3_HEADER, "\t")
    _refuse_first(
        table["country_code"],
        r"^\d{5}$",
        lambda row, text: WrongLayoutError(
            file.name, first_line + row, f"the country code is {text!r}, not five digits", FETCH_AGAIN
        ),
    )
    _refuse_first(
        table["date"],
        f"^{ISO_MONTH}$",
        lambda row, text: WrongLayoutError(
            file.name, first_line + row, f"the month is {text!r}, not YYYY-MM", FETCH_AGAIN
        ),
    )
    label = pc.utf8_trim_whitespace(table["country"])
    _refuse_first(
        label,
        r"^.",
        lambda row, _: WrongLayoutError(
            file.name, first_line + row, "figures stand beside an empty name", FETCH_AGAIN
        ),
    )
    keys = pd.DataFrame(
        {
            "label": label.to_pandas(),
            "code": table["country_code"].to_pandas(),
            "month": table["date"].to_pandas(),
        }
    )
    _expect_table3_series(file, first_line, keys)

    frame = _table3_observations(file, table, label, first_line)
    is_total = frame["code"].isin(TABLE3_AGGREGATES) & frame["measure"].str.startswith("holdings")
    _expect_published(file, frame, is_total)
    return Parsed(frame)


def _table3_observations(
    file: SourceFile, table: dict[str, pa.Array], label: pa.Array, first_line: int
) -> pd.DataFrame:
    """The cells of checked columns, line by line, and in a line by measure."""
    rows, count = len(label), len(TABLE3_MEASURES)
    of_row = pa.array(np.repeat(np.arange(rows, dtype="int32"), count))
    # Column after column, then turned: the cells of a line stand `rows` apart.
    line_by_line = pa.array(np.arange(rows * count, dtype="int32").reshape(count, rows).T.ravel())
    values, statuses = read_figures(
        file,
        pa.concat_arrays([table[column] for column in TABLE3_HEADER[3:]]),
        lambda cell: first_line + cell % rows,
        lambda cell: f"{TABLE3_MEASURES[cell // rows]} of {label[cell % rows]}, {table['date'][cell % rows]}",
        TABLE3_MISSING,
        decimals=0,
    )
    months = table["date"].dictionary_encode()
    ends = [month_end(*map(int, month.split("-"))) for month in months.dictionary.to_pylist()]
    return by_column(
        {
            "label": label.take(of_row),
            "code": table["country_code"].take(of_row),
            "period_end": pa.array(ends, pa.date32()).take(months.indices).take(of_row),
            "measure": pa.array(TABLE3_MEASURES).take(pa.array(np.tile(np.arange(count), rows))),
            # The publisher prints -0 where it rounds to nothing; adding zero takes the sign away.
            "value": pc.add(values.take(line_by_line), 0.0),
            "status": statuses.take(line_by_line),
            "unit": "usd_mn",
            "line": pa.array(np.arange(first_line, first_line + rows, dtype="int32")).take(of_row),
        },
        ["label", "code"],
    )


def _refuse_first(column: pa.Array, pattern: str, error: Callable[[int, str], Exception]) -> None:
    """Raise `error` for the first cell that does not match the pattern."""
    first = pc.index(pc.match_substring_regex(column, pattern), False).as_py()
    if first >= 0:
        raise error(first, column[first].as_py())


def _expect_table3_series(file: SourceFile, first_line: int, keys: pd.DataFrame) -> None:
    """Every series has one label, the same months without a gap, each once; no aggregate is missing."""
    code, codes = pd.factorize(keys["code"])
    month, months = pd.factorize(keys["month"])
    twice = np.flatnonzero(pd.Series(code * len(months) + month).duplicated())
    if twice.size:
        row = int(twice[0])
        raise DuplicateCellError(
            file.name,
            first_line + row,
            f"{keys['label'][row]}, {keys['month'][row]} stands a second time",
            FETCH_AGAIN,
        )
    label, _ = pd.factorize(keys["label"])
    name_of = np.zeros(len(codes), dtype=label.dtype)
    name_of[code[::-1]] = label[::-1]  # the first row of a code is written last, and stays
    renamed = np.flatnonzero(name_of[code] != label)
    if renamed.size:
        row = int(renamed[0])
        raise WrongLayoutError(
            file.name,
            first_line + row,
            f"the code {keys['code'][row]} stands for two names, here {keys['label'][row]!r}",
            FETCH_AGAIN,
        )
    absent = [aggregate for aggregate in TABLE3_AGGREGATES if aggregate not in set(codes)]
    if absent:
        raise TruncatedFileError(
            file.name,
            first_line + len(keys) - 1,
            f"the rows of {', '.join(absent)} are missing (Grand Total is {TABLE3_GRAND_TOTAL})",
            FETCH_AGAIN,
        )
    full = sorted(months, reverse=True)
    expected = [str(p) for p in pd.period_range(full[-1], full[0], freq="M")][::-1]
    if full[-1] != TABLE3_BEGINS:
        raise TruncatedFileError(
            file.name,
            first_line + len(keys) - 1,
            f"the series begin in {full[-1]}, not in {TABLE3_BEGINS}",
            FETCH_AGAIN,
        )
    # A series after the other, each newest first: then nothing lacks, and no series need be looked at alone.
    due = pd.Index(months).get_indexer(pd.Index(expected))
    if np.array_equal(month, np.tile(due, len(codes))) and np.array_equal(
        code, np.arange(len(codes)).repeat(len(due))
    ):
        return
    for (name, _), of_series in keys.groupby(["label", "code"], sort=False)["month"]:
        if list(of_series) != expected:
            lacking = [m for m in expected if m not in set(of_series)]
            what = f"lacks {lacking[0]}" if lacking else "is not newest first"
            raise TruncatedFileError(
                file.name,
                first_line + int(of_series.index[-1]),
                f"{name} {what}; every series runs from {expected[0]} to {expected[-1]}",
                FETCH_AGAIN,
            )


# --- History ------------------------------------------------------------------------------------------

HISTORY_BEGINS = date(2000, 3, 31)
EDITION = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})")


def parse_mfhhis01(file: SourceFile) -> Parsed:
    """The history: a block a year from the newest down to March 2000, USD bn; edition date in the footer.

    A month may stand twice where the block declares a series break (`Series n/` above the left column):
    the left column is the new series, the right one the old. A doubled month without that mark is refused.
    """
    lines = file.lines
    rows_of_file = [_split_quoted(file, number, line) for number, line in enumerate(lines, start=1)]
    width = len(rows_of_file[0])
    for number, cells in enumerate(rows_of_file, start=1):
        if len(cells) != width:
            if number == len(rows_of_file):
                raise _cut(file, lines, f"the last line has {len(cells)} of {width} columns")
            raise WrongLayoutError(
                file.name, number, f"{len(cells)} columns where the file has {width}", FETCH_AGAIN
            )
    for expected in ("MAJOR FOREIGN HOLDERS OF TREASURY SECURITIES", "(in billions of dollars)"):
        if not any(expected in "".join(cells) for cells in rows_of_file[:8]):
            raise NotTheFileError(
                file.name,
                1,
                f"the heading {expected!r} is missing",
                "is this mfhhis01.txt? See its first lines",
            )

    if not any(map(_is_month_row, rows_of_file)):
        raise NotTheFileError(
            file.name,
            min(len(lines), 9),
            "no row of months follows the heading",
            "is this mfhhis01.txt, and not mfh.txt, which has the same heading?",
        )
    reader = _History(file, rows_of_file)
    newest_of_block: date | None = None
    edition: tuple[date, int] | None = None
    with reader.holdings:
        while edition is None:
            if reader.at_block():
                number = reader.number
                months = reader.read_block()
                first, last = months[0], months[-1]
                wrong = None
                if first.month != 12:
                    wrong = f"the block of {first.year} does not begin with Dec"
                elif newest_of_block is not None and first.year != newest_of_block.year - 1:
                    wrong = f"the block of {first.year} follows that of {newest_of_block.year}"
                elif last not in (month_end(first.year, 1), HISTORY_BEGINS):
                    wrong = f"the block of {first.year} does not end with Jan"
                if wrong:
                    raise TruncatedFileError(file.name, number, wrong, FETCH_AGAIN)
                newest_of_block = first
                oldest = last
            else:
                edition = reader.read_footer()
        if newest_of_block is None or oldest != HISTORY_BEGINS:
            raise TruncatedFileError(
                file.name, edition[1], "the blocks do not reach back to Mar 2000", FETCH_AGAIN
            )
    frame = reader.holdings.observations("usd_bn")
    _expect_published(file, frame, frame["label"] == GRAND_TOTAL)
    return Parsed(frame, *edition)


class _History:
    """A cursor over the rows of the history file."""

    def __init__(self, file: SourceFile, rows: list[list[str]]) -> None:
        self.file = file
        self.rows = rows
        self.holdings = _holdings(file, "series")
        # The blocks begin with the first row of series marks or months.
        self.index = next((i for i, cells in enumerate(rows) if _is_month_row(cells)), len(rows))
        while self.index > 0 and _is_series_row(rows[self.index - 1]):
            self.index -= 1

    @property
    def number(self) -> int:
        """The line that the cursor stands on, from 1."""
        return self.index + 1

    def row(self) -> list[str]:
        if self.index >= len(self.rows):
            raise TruncatedFileError(
                self.file.name, len(self.rows), "the file ends within a block", FETCH_AGAIN
            )
        return self.rows[self.index]

    def skip_blank(self) -> None:
        while self.index < len(self.rows) and not any(c.strip() for c in self.rows[self.index]):
            self.index += 1

    def at_block(self) -> bool:
        self.skip_blank()
        return self.index < len(self.rows) and not self.rows[self.index][0].strip()

    def read_block(self) -> list[date]:
        """The months of one block, whose figures are added to the holdings."""
        marks: list[list[str]] = []
        while _is_series_row(self.row()):
            marks.append([c.strip() for c in self.row()])
            self.index += 1
        months, series = self._read_months(marks)
        labels: list[str] = []
        while True:
            cells, number = self.row(), self.number
            self.index += 1
            if not "".join(cells).strip():
                continue
            if cells[0].strip() == "Of which:":
                _expect_tail(self.file, number, labels, (ALL_OTHER, GRAND_TOTAL))
                continue
            if not cells[0].strip() or cells[0].strip() == "Country":
                raise TruncatedFileError(
                    self.file.name,
                    number,
                    f"a new block begins before {OFFICIAL_ROWS['mfhhis01'][-1]!r}",
                    FETCH_AGAIN,
                )
            label = _label(self.file, number, cells[0], labels)
            self._expect_nothing_beyond(number, cells, len(months))
            self.holdings.add(
                number,
                cells[1 : len(months) + 1],
                label=label,
                series=series,
                period_end=months,
                measure="holdings",
            )
            if label == OFFICIAL_ROWS["mfhhis01"][-1]:
                break
        _expect_tail(self.file, number, labels, (ALL_OTHER, GRAND_TOTAL, *OFFICIAL_ROWS["mfhhis01"]))
        return months

    def _read_months(self, marks: list[list[str]]) -> tuple[list[date], list[str]]:
        """The month row, the `Country` row with the years, the dashes: the months, and the series of each
        ('' where a month stands once).
        """
        names, number = [c.strip() for c in self.row()], self.number
        if not _is_month_row(names):
            raise WrongLayoutError(self.file.name, number, "a row of months is due here", FETCH_AGAIN)
        columns = [i for i, name in enumerate(names) if name]
        if columns != list(range(1, len(columns) + 1)):
            raise WrongLayoutError(self.file.name, number, "a month is missing in this row", FETCH_AGAIN)
        self.index += 1
        years = [c.strip() for c in self.row()]
        if years[0] != "Country" or any(not re.fullmatch(r"(19|20)\d\d", years[i]) for i in columns):
            raise WrongLayoutError(
                self.file.name, self.number, "`Country` and a year a column are due here", FETCH_AGAIN
            )
        self._expect_nothing_beyond(self.number, years, len(columns))
        self.index += 1
        dashes = [c.strip() for c in self.row()]
        if any(set(dashes[i]) != {"-"} for i in columns):
            raise WrongLayoutError(self.file.name, self.number, "a row of dashes is due here", FETCH_AGAIN)
        self._expect_nothing_beyond(self.number, dashes, len(columns))
        self.index += 1

        ends = [month_end(int(years[i]), MONTHS[names[i]]) for i in columns]
        series = [""] * len(ends)
        for left in range(len(ends) - 1):
            right = left + 1
            if ends[left] == ends[right]:
                if series[left] or not _declares_break(marks, left + 1, right + 1):
                    raise DuplicateCellError(
                        self.file.name,
                        number,
                        f"{ends[left]:%b %Y} stands twice, and no series break is declared above it",
                        FETCH_AGAIN,
                    )
                series[left], series[right] = "new", "old"
            elif month_end(ends[right].year, ends[right].month) != _previous_month(ends[left]):
                raise WrongLayoutError(
                    self.file.name,
                    number,
                    f"{ends[right]:%b %Y} stands right of {ends[left]:%b %Y}: months run newest first, "
                    "without a gap",
                    FETCH_AGAIN,
                )
        return ends, series

    def _expect_nothing_beyond(self, number: int, cells: list[str], columns: int) -> None:
        if "".join(cells[columns + 1 :]).strip():
            stray = [c for c in cells[columns + 1 :] if c.strip()]
            raise WrongLayoutError(
                self.file.name,
                number,
                f"{stray[0].strip()!r} stands in a column that has no month",
                FETCH_AGAIN,
            )

    def read_footer(self) -> tuple[date, int]:
        """The edition date, which stands in the first lines below the last block."""
        seen = 0
        while self.index < len(self.rows) and seen < 3:
            text = self.rows[self.index][0].strip()
            number = self.number
            self.index += 1
            if found := EDITION.fullmatch(text):
                month, day, year = (int(part) for part in found.groups())
                return _date(self.file, number, year if year > 99 else 2000 + year, month, day), number
            seen += bool(text)
        raise TruncatedFileError(
            self.file.name, len(self.rows), "the edition date below the last block is missing", FETCH_AGAIN
        )


def _is_month_row(cells: list[str]) -> bool:
    names = [c.strip() for c in cells[1:] if c.strip()]
    return not cells[0].strip() and bool(names) and all(name in MONTHS for name in names)


def _is_series_row(cells: list[str]) -> bool:
    """`Series 15/` marks, or the roman numerals below them."""
    marks = [c.strip() for c in cells[1:] if c.strip()]
    pattern = re.compile(r"Series( \d+/)?|[IVXL]+")
    return not cells[0].strip() and bool(marks) and all(pattern.fullmatch(mark) for mark in marks)


def _declares_break(marks: list[list[str]], left: int, right: int) -> bool:
    """Whether `Series n/` stands above the left column and `Series` above the right one."""
    return any(re.fullmatch(r"Series \d+/", row[left]) and row[right] == "Series" for row in marks)


def edition_date_of_history(file: SourceFile) -> date:
    """The edition date in the footer of the history, found without reading the blocks."""
    lines = file.lines
    for number in range(len(lines), 0, -1):
        if found := EDITION.fullmatch(lines[number - 1].split("\t")[0].strip()):
            month, day, year = (int(part) for part in found.groups())
            return _date(file, number, year if year > 99 else 2000 + year, month, day)
    raise TruncatedFileError(
        file.name, len(lines), "the edition date below the last block is missing", FETCH_AGAIN
    )


# --- The table before 2023-03 -------------------------------------------------------------------------

LEGACY_EDITION = re.compile(
    r"(January|February|March|April|May|June|July|August|September|October|November|December)"
    r" (\d{1,2}), (\d{4})"
)


def parse_mfh(file: SourceFile) -> Parsed:
    """The old 13-month table: fixed width, USD bn, edition date in the footer.

    The columns are found by the row of dashes, whose groups end where the figures end; so editions with
    a narrower name column or with the month and year rows swapped read alike.
    """
    lines = file.lines
    for expected in ("MAJOR FOREIGN HOLDERS OF TREASURY SECURITIES", "(in billions of dollars)"):
        if not any(expected in line for line in lines[:12]):
            raise NotTheFileError(
                file.name, 1, f"the heading {expected!r} is missing", "is this mfh.txt? See its first lines"
            )
    dashes = _find_line(file, lines, lambda line: re.fullmatch(r"\s*-+(\s+-+)+\s*", line), "a row of dashes")
    edges = [found.end() for found in re.finditer(r"-+", lines[dashes])]
    months = _legacy_months(file, lines, dashes, edges)
    _expect_months_descend(file, dashes, months, TABLE5_MONTHS)

    labels: list[str] = []
    edition: tuple[date, int] | None = None
    with _holdings(file) as holdings:
        for index in range(dashes + 1, len(lines)):
            line, number = lines[index], index + 1
            text = line.strip()
            if found := LEGACY_EDITION.fullmatch(text):
                edition = _legacy_date(file, number, found), number
                break
            if not text or text == "Of which:":
                continue
            tokens = list(re.finditer(r"\S+", line))
            if labels[-1:] == [OFFICIAL_ROWS["mfh"][-1]] and not any(map(_looks_like_figure, tokens)):
                continue  # the publisher's name, between the table and the date
            # The rightmost words are the figures, so that a stray word between two of them is seen.
            figures = tokens[-len(edges) :]
            if [token.end() for token in figures] != edges or figures[0].start() == 0:
                if number == len(lines):
                    raise _cut(file, lines, f"the last line does not hold {len(edges)} figures")
                raise WrongLayoutError(
                    file.name,
                    number,
                    f"the row does not end with {len(edges)} figures, each below its month",
                    FETCH_AGAIN,
                )
            label = _label(file, number, line[: figures[0].start()], labels)
            texts = [token.group() for token in figures]
            holdings.add(number, texts, label=label, period_end=months, measure="holdings")
        if edition is None:
            raise _cut(file, lines, "the edition date below the table is missing")
        _expect_tail(file, edition[1], labels, (ALL_OTHER, GRAND_TOTAL, *OFFICIAL_ROWS["mfh"]))
    frame = holdings.observations("usd_bn")
    _expect_published(file, frame, frame["label"] == GRAND_TOTAL)
    return Parsed(frame, *edition)


def _looks_like_figure(token: re.Match[str]) -> bool:
    return FIGURE.fullmatch(token.group()) is not None or token.group() in MISSING


def _legacy_months(file: SourceFile, lines: list[str], dashes: int, edges: list[int]) -> list[date]:
    """Months from the two rows above the dashes, whichever of them holds the names and which the years."""
    names: list[str] = []
    years: list[str] = []
    for line in lines[max(dashes - 2, 0) : dashes]:
        tokens = [t for t in line.split() if t != "Country"]
        if all(token in MONTHS for token in tokens):
            names = tokens
        elif all(re.fullmatch(r"(19|20)\d\d", token) for token in tokens):
            years = tokens
    if not len(names) == len(years) == len(edges):
        raise WrongLayoutError(
            file.name,
            max(dashes, 1),
            f"a month and a year above each of the {len(edges)} columns are due here",
            FETCH_AGAIN,
        )
    return [month_end(int(year), MONTHS[name]) for name, year in zip(names, years, strict=True)]


def _legacy_date(file: SourceFile, number: int, found: re.Match[str]) -> date:
    month, day, year = found.groups()
    return _date(file, number, int(year), MONTHS[month[:3]], int(day))


def edition_date_of_legacy(file: SourceFile) -> date:
    for number, line in enumerate(file.lines, start=1):
        if found := LEGACY_EDITION.fullmatch(line.strip()):
            return _legacy_date(file, number, found)
    raise TruncatedFileError(
        file.name, len(file.lines), "the edition date below the table is missing", FETCH_AGAIN
    )


# --- Cited first prints -------------------------------------------------------------------------------

CITED_HEADER = ["country_label", "month", "holdings_usd_bn", "released_on"]


def parse_cited_first_prints(file: SourceFile) -> Parsed:
    """Figures as quoted on the day, USD bn: country_label,month,holdings_usd_bn,released_on."""
    rows: list[tuple[object, ...]] = []
    seen: set[tuple[str, date]] = set()
    released_on: date | None = None
    for number, cells in _cited_rows(file):
        label, month_text, figure, released_text = (cell.strip() for cell in cells)
        month = _iso_month(file, number, month_text)
        day = _iso_day(file, number, released_text)
        if released_on not in (None, day):
            raise WrongLayoutError(
                file.name,
                number,
                f"figures of {released_on} and of {day} stand in one file",
                "one file holds one release: split it",
            )
        released_on = day
        if (label, month) in seen:
            raise DuplicateCellError(
                file.name, number, f"{label}, {month_text} stands a second time", "keep one of the two lines"
            )
        seen.add((label, month))
        value, status = read_figure(file, number, figure, f"{label}, {month_text}", decimals=DECIMALS)
        rows.append((label, month, "holdings", value, status, number))
    if not rows:
        raise TruncatedFileError(file.name, 1, "no figures follow the header", "add some, or drop the file")
    return Parsed(observations(rows, ["label"], "usd_bn"), released_on, 2)


def _cited_rows(file: SourceFile) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(file.lines, strict=True)
    try:
        for number, cells in enumerate(reader, start=1):
            if number == 1:
                if cells != CITED_HEADER:
                    raise WrongLayoutError(
                        file.name, 1, f"the header is not {','.join(CITED_HEADER)}", "mend the header"
                    )
                continue
            if len(cells) != len(CITED_HEADER):
                raise WrongLayoutError(
                    file.name,
                    number,
                    f"{len(cells)} columns where the header has {len(CITED_HEADER)}",
                    "quote names that hold a comma",
                )
            yield number, cells
    except csv.Error as error:
        raise WrongLayoutError(
            file.name, reader.line_num, f"no valid CSV: {error}", "mend the line"
        ) from error


def edition_date_of_citations(file: SourceFile) -> date:
    for number, cells in _cited_rows(file):
        return _iso_day(file, number, cells[3])
    raise TruncatedFileError(file.name, 1, "no figures follow the header", "add some, or drop the file")


# --- Shared by the layouts ----------------------------------------------------------------------------


def _expect_title(file: SourceFile, lines: list[str], title: str, unit: str) -> None:
    if not lines[0].startswith(title):
        raise NotTheFileError(
            file.name,
            1,
            f"the first line is {lines[0].strip()[:60]!r}, not {title!r}",
            "is this another table of the publisher?",
        )
    if not any(line.strip() == unit for line in lines[:8]):
        raise WrongLayoutError(
            file.name,
            1,
            f"the unit {unit!r} is not named above the table",
            "the unit may have changed: compare the figures before the parser learns it",
        )


def _find_line(file: SourceFile, lines: list[str], test: Callable[[str], object], what: str) -> int:
    """The index of the header, which stands in the first lines or not at all."""
    for index, line in enumerate(lines[:20]):
        if test(line):
            return index
    raise WrongLayoutError(file.name, min(len(lines), 20), f"{what} is missing", FETCH_AGAIN)


def _cells(file: SourceFile, lines: list[str], index: int, width: int | None = None) -> list[str]:
    """The tab-separated cells of a line, which must be `width` many."""
    cells = lines[index].split("\t")
    if width is not None and len(cells) != width:
        if index == len(lines) - 1 and len(cells) < width:
            raise _cut(file, lines, f"the last line has {len(cells)} of {width} columns")
        raise WrongLayoutError(
            file.name, index + 1, f"{len(cells)} columns where the header has {width}", FETCH_AGAIN
        )
    return cells


def _split_quoted(file: SourceFile, number: int, line: str) -> list[str]:
    """Tab-separated cells, of which some are quoted because they hold a comma."""
    if '"' not in line:
        return line.split("\t")
    try:
        return next(csv.reader([line], delimiter="\t", strict=True))
    except csv.Error as error:
        raise WrongLayoutError(
            file.name, number, f"a quoted cell does not end: {error}", FETCH_AGAIN
        ) from error


def _cut(file: SourceFile, lines: list[str], what: str) -> TruncatedFileError:
    return TruncatedFileError(file.name, len(lines), f"the file is cut off: {what}", "fetch the file again")


def _holdings(file: SourceFile, *further_key: str) -> Cells:
    return Cells(
        file,
        ["label", *further_key],
        lambda cell: f"{cell['label']}, {cell['period_end']:%Y-%m}",
        decimals=DECIMALS,
    )


def _label(file: SourceFile, number: int, cell: str, seen: list[str]) -> str:
    """The holder's name as published, without the blanks around it; appended to those seen."""
    label = cell.strip()
    if not label:
        raise WrongLayoutError(file.name, number, "figures stand beside an empty name", FETCH_AGAIN)
    if label in seen:
        raise DuplicateCellError(
            file.name, number, f"{label} stands a second time in this table", FETCH_AGAIN
        )
    seen.append(label)
    return label


def _expect_tail(file: SourceFile, number: int, labels: list[str], expected: tuple[str, ...]) -> None:
    """A table ends with All Other, Grand Total and the official rows; what is missing shows a cut."""
    absent = [label for label in expected if label not in labels]
    if absent:
        raise TruncatedFileError(
            file.name, number, f"{absent[0]!r} is missing: the table is cut off", FETCH_AGAIN
        )
    if tuple(labels[-len(expected) :]) != expected:
        raise WrongLayoutError(
            file.name, number, f"the table does not end with {', '.join(expected)}", FETCH_AGAIN
        )


def _expect_published(file: SourceFile, frame: pd.DataFrame, totals: pd.Series) -> None:
    """Holdings in total are published every month; without them no sum could be checked."""
    missing = frame[totals & frame["value"].isna()]
    if not missing.empty:
        cell = missing.iloc[0]
        raise BadFigureError(
            file.name,
            int(cell["line"]),
            f"{cell['label']}, {cell['period_end']:%Y-%m} is not available, and a total always is",
            FETCH_AGAIN,
        )


def _expect_months_descend(file: SourceFile, number: int, months: list[date], count: int) -> None:
    for newer, older in pairwise(months):
        if newer == older:
            raise DuplicateCellError(
                file.name, number, f"{newer:%Y-%m} stands twice; this table has no series breaks", FETCH_AGAIN
            )
        if older != _previous_month(newer):
            raise WrongLayoutError(
                file.name,
                number,
                f"{older:%Y-%m} stands right of {newer:%Y-%m}: months run newest first, without a gap",
                FETCH_AGAIN,
            )
    if len(months) != count:
        raise WrongLayoutError(file.name, number, f"{len(months)} months, not {count}", FETCH_AGAIN)


def _previous_month(end: date) -> date:
    return date.fromordinal(end.replace(day=1).toordinal() - 1)


def _iso_month(file: SourceFile, number: int, text: str) -> date:
    if not re.fullmatch(ISO_MONTH, text.strip()):
        raise WrongLayoutError(
            file.name, number, f"{text.strip()!r} stands where a month (YYYY-MM) is due", FETCH_AGAIN
        )
    year, month = text.strip().split("-")
    return month_end(int(year), int(month))


def _iso_day(file: SourceFile, number: int, text: str) -> date:
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text.strip())
    if found is None:
        raise WrongLayoutError(
            file.name, number, f"{text.strip()!r} stands where a date (YYYY-MM-DD) is due", "mend the date"
        )
    return _date(file, number, *(int(part) for part in found.groups()))


def _date(file: SourceFile, number: int, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise WrongLayoutError(
            file.name, number, f"{year:04}-{month:02}-{day:02} is no date of the calendar", FETCH_AGAIN
        ) from None


# --- What the suites check beside the observations ------------------------------------------------------


def check_major_holders(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Adds, on the rows of the totals, how far their parts are from them (USD bn, else NaN).

    `closing_gap`: the countries and All Other less Grand Total. `official_gap`: official bills and bonds
    less Foreign Official. A gap that a correction knows as published so is taken off.
    """
    official, bills, bonds = OFFICIAL_ROWS[dataset.id]
    label = frame["label"]
    is_total, is_official = label == GRAND_TOTAL, label == official
    is_half = label.isin([bills, bonds])
    column = [frame[name] for name in ("series", "period_end") if name in frame.columns]

    def gap(of: pd.Series, parts: pd.Series) -> pd.Series:
        signed = frame["value"].where(parts, -frame["value"].where(of))
        return signed.groupby(column).transform("sum").round(1).where(of)

    closing = gap(is_total, ~is_total & ~is_official & ~is_half)
    for (_, key, _, end), known in corrections.known_gaps(dataset, frame).items():
        here = is_total & (frame["period_end"] == end)
        for name, value in zip(dataset.key, key, strict=True):
            here &= frame[name] == value
        closing = closing.where(~here, (closing - known).round(1))
    return frame.assign(closing_gap=closing, official_gap=gap(is_official, is_half))


def check_table3(_dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Adds, on the rows they speak of, how far figures are from what they must agree with (else NaN).

    USD million: `term_gap`, long-term and short-term less total, for holdings and for net sales;
    `flow_gap`, the month's change in short-term holdings less short-term net sales; `region_gap`, the regions
    and Canada less all countries; `owner_gap`, official and non-official less Grand Total; `group_gap`, all
    countries and organisations less Grand Total. Percent: `unlisted_pct`, the part of all countries' holdings
    that no listed country has.
    """
    wide = frame.pivot(index=["code", "period_end"], columns="measure", values="value").sort_index()
    by_cell = {
        f"{what}_total": wide[f"{what}_long_term"] + wide[f"{what}_short_term"] - wide[f"{what}_total"]
        for what in ("holdings", "net_sales")
    }
    flow = wide["holdings_short_term"].groupby(level="code").diff() - wide["net_sales_short_term"]
    by_code = frame.pivot(index=["measure", "period_end"], columns="code", values="value")
    whole = by_code[TABLE3_COUNTRIES]
    regions = by_code.reindex(columns=TABLE3_REGIONS).sum(axis=1, skipna=False)
    listed = by_code.drop(columns=list(TABLE3_TOTALS), errors="ignore").sum(axis=1)
    holdings = by_code.index.get_level_values("measure").isin(["holdings_total", "holdings_long_term"])
    unlisted = (100 * (whole - listed) / whole).where(holdings)

    cells = pd.MultiIndex.from_frame(frame[["measure", "code", "period_end"]])
    months = pd.MultiIndex.from_frame(frame[["measure", "period_end"]])

    def of_cells(gaps: dict[str, pd.Series]) -> np.ndarray[Any, Any]:
        found: np.ndarray[Any, Any] = pd.concat(gaps, names=["measure"]).reindex(cells).to_numpy()
        return found

    def of_total(code: str, gap: pd.Series) -> np.ndarray[Any, Any]:
        return np.where(frame["code"] == code, gap.reindex(months).to_numpy(), np.nan)

    total = by_code[TABLE3_GRAND_TOTAL]
    return frame.assign(
        term_gap=of_cells(by_cell),
        flow_gap=of_cells({"net_sales_short_term": flow}),
        region_gap=of_total(TABLE3_COUNTRIES, regions - whole),
        unlisted_pct=of_total(TABLE3_COUNTRIES, unlisted),
        owner_gap=of_total(
            TABLE3_GRAND_TOTAL, by_code[TABLE3_OFFICIAL] + by_code[TABLE3_NON_OFFICIAL] - total
        ),
        group_gap=of_total(TABLE3_GRAND_TOTAL, whole + by_code[TABLE3_ORGANISATIONS] - total),
    )


PARSERS = {
    "mfhhis01": parse_mfhhis01,
    "slt_table5": parse_slt_table5,
    "slt_table3": parse_slt_table3,
    "mfh": parse_mfh,
    "cited_first_prints": parse_cited_first_prints,
}
EDITION_DATES = {
    "mfhhis01": edition_date_of_history,
    "mfh": edition_date_of_legacy,
    "cited_first_prints": edition_date_of_citations,
}
CHECKS = {
    "mfhhis01": check_major_holders,
    "slt_table5": check_major_holders,
    "slt_table3": check_table3,
    "mfh": check_major_holders,
}
