"""Workbooks (.xlsx), read strictly: the cells of a sheet by row and column, and no surprises on the way.

A workbook is a zip of XML that a publisher's web server, a mail program or a person may have replaced by
something else. What is no workbook is refused by name; its size is bounded before it is unpacked; the sheet's
declared dimensions are not believed (SAFE declares A1:CK3891 for 145 rows), only cells that are there count.
A formula counts with the value that the publisher's program stored beside it; without one it is refused.
"""

from __future__ import annotations

import io
import math
import re
import warnings
import zipfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._reader import DATA_TAG, FORMULA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.functions import iterparse

from tidemark.errors import (
    BadFigureError,
    NotTheFileError,
    RefusedFileError,
    TooLargeError,
    TruncatedFileError,
    WrongLayoutError,
)
from tidemark.reading import MISSING, PUBLISHED, SourceFile, bad_figure, read_figure

Cell = str | float | int | bool | date | time | timedelta | None

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# The largest real workbook (SAFE's balance of payments) unpacks to 10 MB; its largest sheet has 280,000 tags,
# and what openpyxl reads beside sheets and texts a thousand. Whatever stays within these bounds is read
# within 500 MB of memory; a tag of a sheet may cost as many bytes as 500, a style several thousand.
MAX_UNPACKED = 40 * 2**20
MAX_PARTS = 1000
# How many tags a part may have that is read row by row, or not at all; and all others together.
MAX_TAGS, MAX_TAGS_ELSEWHERE = 600_000, 30_000
ROW_BY_ROW_OR_NOT_AT_ALL = (
    "xl/worksheets/", "xl/sharedStrings.xml", "xl/drawings/", "xl/charts/", "xl/pivotCache/", "xl/comments",
)  # fmt: skip
# A cell holds 32,767 characters at the most, which XML may write with eight bytes each.
MAX_TEXT = 300_000
MAX_ROWS, MAX_COLUMNS = 4000, 400
EXCELS_COLUMNS = 16_384
BLANKS = re.compile(r"[\s\u00a0\u3000\ufeff]+")
FETCH_AGAIN = "fetch the publisher's own workbook again"


def plain(text: str) -> str:
    """Text with every run of blanks, non-breaking and full-width ones too, as one space; none at the ends."""
    return BLANKS.sub(" ", text).strip(" ")


@dataclass(frozen=True)
class Sheet:
    """The cells of a sheet. Rows and columns count from 1, as a spreadsheet shows them."""

    file: str
    title: str
    rows: list[tuple[Cell, ...]]
    formulas: frozenset[tuple[int, int]] = frozenset()

    @property
    def place(self) -> str:
        """What an error calls this sheet."""
        return f"{self.file}, sheet {self.title!r}"

    def cell(self, row: int, column: int) -> Cell:
        """The value of a cell; None where it is blank or beyond what the sheet holds."""
        if not 1 <= row <= len(self.rows):
            return None
        cells = self.rows[row - 1]
        return cells[column - 1] if column <= len(cells) else None

    def text(self, row: int, column: int) -> str:
        """A cell as plain text; '' where it is blank. A whole number has no decimal point."""
        value = self.cell(row, column)
        if value is None:
            return ""
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return plain(str(value))

    def last_column(self, row: int) -> int:
        """The last column of a row in which something stands; 0 where the row is blank."""
        cells = self.rows[row - 1] if row <= len(self.rows) else ()
        return max((n for n, value in enumerate(cells, 1) if value not in (None, "")), default=0)

    def refusal(
        self, kind: type[RefusedFileError], row: int | None, message: str, advice: str = FETCH_AGAIN
    ) -> RefusedFileError:
        """An error that names file, sheet and row; the caller raises it."""
        return kind(self.place, row, message, advice)

    def figure(
        self,
        row: int,
        column: int,
        what: str,
        missing: Mapping[str, str] = MISSING,
        decimals: int | None = None,
    ) -> tuple[float | None, str]:
        """A figure as (value, status), from a number or from a number written as text.

        Args:
            what: which cell it is, in words.
            missing: the publisher's marks for missing figures, and the status each stands for.
            decimals: of a figure written as text, how many at the most.

        Raises:
            BadFigureError: the cell is blank, a date, an error, a formula without its value, other text.
        """
        value = self.cell(row, column)
        where = f"{what} ({get_column_letter(column)}{row})"
        if value is None and (row, column) in self.formulas:
            raise BadFigureError(
                self.place,
                row,
                f"{where} is a formula without its value",
                "the workbook was saved by a program that computes nothing: open it in a spreadsheet and "
                "save it, or fetch the publisher's own",
            )
        if isinstance(value, bool | date | time | timedelta):
            raise BadFigureError(self.place, row, f"{where} is {value!r}, which is no figure", FETCH_AGAIN)
        if isinstance(value, int | float):
            try:
                number = float(value)
            except OverflowError:  # of hundreds of digits
                number = math.inf
            if not math.isfinite(number):
                raise BadFigureError(self.place, row, f"{where} is {number}, which is no figure", FETCH_AGAIN)
            return number, PUBLISHED
        token = plain(value or "")
        if re.fullmatch(r"#[A-Z0-9/]+[!?]?", token):
            raise BadFigureError(
                self.place, row, f"{where} is the error {token}", "the workbook is damaged: fetch it again"
            )
        here = SourceFile(self.place, b"")
        if not token and "" not in missing:
            raise bad_figure(here, row, token, where, missing)
        return read_figure(here, row, token, where, missing, decimals)


class Workbook:
    """A workbook that was found to be one, and its sheets by their titles.

    Raises:
        EmptyFileError: no bytes.
        NotTheFileError: HTML, JSON, text, an encrypted workbook or one of Excel 97 to 2003.
        TruncatedFileError: a zip without its end, or a damaged part.
        TooLargeError: it would unpack to more, or holds more, than any real workbook does.
    """

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        _expect_workbook(file)
        with warnings.catch_warnings():
            # openpyxl warns of styles and extensions that it leaves aside.
            warnings.simplefilter("ignore")
            try:
                self._book = load_workbook(io.BytesIO(file.data), read_only=True, data_only=True)
            except Exception as error:
                raise _damaged(file, error) from None

    @property
    def titles(self) -> list[str]:
        return list(self._book.sheetnames)

    def sheet(self, title: str) -> Sheet:
        """A sheet by its exact title.

        Raises:
            WrongLayoutError: there is none of that title, or it is a chart.
            TooLargeError: it holds more than the publisher's layout does.
            TruncatedFileError: its rows or cells are damaged.
        """
        if title not in self._book.sheetnames or not hasattr(self._book[title], "reset_dimensions"):
            raise WrongLayoutError(
                self.file.name,
                None,
                f"there is no sheet {title!r}; it has: {', '.join(map(repr, self.titles))}",
                "is this another workbook of the publisher? If a sheet was renamed, the parser must learn it",
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self._read(title)
        except RefusedFileError:
            raise
        except Exception as error:
            raise _damaged(self.file, error, title) from None

    def _read(self, title: str) -> Sheet:
        """The cells of a sheet that hold something, in the rows down to the last that does.

        openpyxl fills its own rows up to the declared dimensions, ends where they say, and leaves out a row
        that stands again or out of order; so its parser is asked for what is there.
        """
        book: Any = self._book
        rows: list[tuple[Cell, ...]] = []
        formulas: set[tuple[int, int]] = set()
        last_row = 0
        with book[title]._get_source() as source:
            parser = _Cells(
                source,
                book[title]._shared_strings,
                data_only=True,
                epoch=book.epoch,
                date_formats=book._date_formats,
                timedelta_formats=book._timedelta_formats,
            )
            for row, cells in parser.parse():
                _expect_in_order(row, last_row, cells)
                last_row = row
                filled = [cell for cell in cells if cell["value"] is not None or cell["formula"]]
                if not filled:
                    continue
                width = filled[-1]["column"]
                if row > MAX_ROWS or width > MAX_COLUMNS:
                    raise TooLargeError(
                        f"{self.file.name}, sheet {title!r}",
                        row,
                        f"{get_column_letter(width)}{row} holds something, beyond {MAX_ROWS:,} rows or "
                        f"{MAX_COLUMNS} columns",
                        "no sheet of the publisher is as large: look at the file",
                    )
                values: list[Cell] = [None] * width
                for cell in filled:
                    values[cell["column"] - 1] = cell["value"]
                rows.extend([()] * (row - 1 - len(rows)))
                rows.append(tuple(values))
                formulas.update((row, cell["column"]) for cell in filled if cell["formula"])
        return Sheet(self.file.name, title, rows, frozenset(formulas))


class _Cells(WorkSheetParser):
    """openpyxl's parser of a sheet's cells, and of nothing else that a sheet tells.

    A cell has `formula` beside its `value`: whether it has one, with or without a value stored.
    """

    def parse(self) -> Generator[tuple[int, list[dict[str, Any]]], None, None]:
        for _, element in iterparse(self.source):
            if element.tag == ROW_TAG:
                yield self.parse_row(element)
                element.clear()
            elif element.tag == DATA_TAG:
                return

    def parse_row(self, row: Any) -> tuple[int, list[dict[str, Any]]]:
        self.row_counter = int(row.get("r", self.row_counter + 1))
        self.col_counter = 0
        if len(row) > EXCELS_COLUMNS:
            raise ValueError(f"row {self.row_counter} has {len(row):,} cells")
        return self.row_counter, [self.parse_cell(cell) for cell in row]

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        return {**cell, "formula": element.find(FORMULA_TAG) is not None}


def _expect_in_order(row: int, last_row: int, cells: list[dict[str, Any]]) -> None:
    """Rows run down and cells to the right, each once: else one would be taken and another lost."""
    columns = [cell["column"] for cell in cells]
    if row <= last_row:
        raise ValueError(f"row {row} stands after row {last_row}")
    if any(cell["row"] != row for cell in cells) or columns != sorted(set(columns)):
        raise ValueError(f"row {row} holds a cell twice, out of order or of another row")


def _expect_workbook(file: SourceFile) -> None:
    """Look at the bytes before openpyxl unpacks them."""
    head = file.head()
    if head.startswith(OLE):
        raise NotTheFileError(
            file.name,
            None,
            "the workbook is encrypted, or in the format of Excel 97 to 2003",
            "remove its password or save it as .xlsx; the publisher's own is neither",
        )
    if not head.startswith(ZIP):
        what = "JSON" if head.startswith((b"{", b"[")) else "something else"
        raise NotTheFileError(
            file.name,
            None,
            f"{what} stands where a workbook is due: it does not begin as a zip does",
            "check the URL; a publisher that asks for a login answers with another page",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(file.data)) as parts:
            _expect_parts(file, parts)
    except RefusedFileError:
        raise
    except Exception as error:  # a damaged zip fails in more ways than zipfile's own
        raise _damaged(file, error) from None


def _expect_parts(file: SourceFile, parts: zipfile.ZipFile) -> None:
    entries = parts.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED or len(entries) > MAX_PARTS:
        raise TooLargeError(
            file.name,
            None,
            f"{len(file.data):,} bytes would unpack to {unpacked:,} in {len(entries):,} parts; "
            f"a workbook of this kind has at most {MAX_UNPACKED:,} in {MAX_PARTS:,}",
            "it is damaged or made to do harm: fetch the publisher's own",
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise NotTheFileError(file.name, None, "the zip is encrypted", "the publisher's workbook is not")
    names = {entry.filename for entry in entries}
    if len(names) < len(entries):
        raise NotTheFileError(file.name, None, "the zip holds a part twice", FETCH_AGAIN)
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise NotTheFileError(
            file.name,
            None,
            "a zip that holds no workbook stands where a workbook is due",
            "unpack it and give the workbook inside, or check the URL",
        )
    tags_elsewhere = 0
    for entry in entries:
        # Reading checks the part's sum, and that it is no longer than it says.
        content = parts.read(entry)
        is_xml = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"\x00" not in content[:64]
        if not is_xml:
            if entry.filename.endswith((".xml", ".rels")):
                raise NotTheFileError(file.name, None, f"{entry.filename} is no XML", FETCH_AGAIN)
            continue
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise NotTheFileError(
                file.name, None, f"{entry.filename} declares entities, as no workbook does", FETCH_AGAIN
            )
        tags, limit = content.count(b"<"), MAX_TAGS
        if not entry.filename.startswith(ROW_BY_ROW_OR_NOT_AT_ALL):
            tags_elsewhere += tags
            tags, limit = tags_elsewhere, MAX_TAGS_ELSEWHERE
        if tags > limit or max(map(len, content.split(b"<"))) > MAX_TEXT:
            raise TooLargeError(
                file.name,
                None,
                f"{entry.filename} has more than {limit:,} tags, or a text of more than {MAX_TEXT:,} bytes",
                "no workbook of the publisher is as large: look at the file",
            )


def _damaged(file: SourceFile, error: Exception, sheet: str | None = None) -> TruncatedFileError:
    where = file.name if sheet is None else f"{file.name}, sheet {sheet!r}"
    return TruncatedFileError(
        where, None, f"the workbook is cut off or damaged: {error}"[:300], "fetch it again"
    )


def mentions(data: bytes, text: str) -> bool:
    """Whether a text stands in a file, packed as a workbook or plain."""
    sought = text.encode("utf-8")
    if not data.startswith(ZIP):
        return sought in data
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        return any(sought in parts.read(name) for name in parts.namelist() if name.endswith(".xml"))
