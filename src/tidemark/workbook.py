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
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from tidemark.errors import (
    BadFigureError,
    NotTheFileError,
    RefusedFileError,
    TooLargeError,
    TruncatedFileError,
    WrongLayoutError,
)
from tidemark.reading import MISSING, PUBLISHED, SourceFile, bad_figure, read_figure

Cell = str | float | int | bool | date | None

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# The largest real workbook (SAFE's balance of payments) unpacks to 10 MB; four times as much still parses
# within 500 MB of memory.
MAX_UNPACKED = 40 * 2**20
MAX_PARTS = 1000
MAX_ROWS, MAX_COLUMNS = 4000, 400
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
        if isinstance(value, bool | date):
            raise BadFigureError(self.place, row, f"{where} is {value!r}, which is no figure", FETCH_AGAIN)
        if isinstance(value, int | float):
            if not math.isfinite(value):
                raise BadFigureError(self.place, row, f"{where} is {value}, which is no figure", FETCH_AGAIN)
            return float(value), PUBLISHED
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
        TooLargeError: it would unpack to more than any real workbook does.
    """

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self._has_formulas = _expect_workbook(file)
        with warnings.catch_warnings():
            # openpyxl warns of styles and extensions that it leaves aside.
            warnings.simplefilter("ignore")
            try:
                self._values = load_workbook(io.BytesIO(file.data), read_only=True, data_only=True)
            except Exception as error:
                raise _damaged(file, error) from None

    @property
    def titles(self) -> list[str]:
        return list(self._values.sheetnames)

    @cached_property
    def _formulas(self) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return load_workbook(io.BytesIO(self.file.data), read_only=True, data_only=False)

    def sheet(self, title: str) -> Sheet:
        """A sheet by its exact title.

        Raises:
            WrongLayoutError: there is none of that title, or it holds more than the publisher's layout does.
        """
        if title not in self._values.sheetnames:
            raise WrongLayoutError(
                self.file.name,
                None,
                f"there is no sheet {title!r}; it has: {', '.join(map(repr, self.titles))}",
                "is this another workbook of the publisher? If a sheet was renamed, the parser must learn it",
            )
        rows = self._rows(self._values, title)
        formulas = frozenset[tuple[int, int]]()
        if self._has_formulas:
            formulas = frozenset(
                (row, column)
                for row, cells in enumerate(self._rows(self._formulas, title), 1)
                for column, value in enumerate(cells, 1)
                if not isinstance(value, str | int | float | date | None)
                or (isinstance(value, str) and value.startswith("="))
            )
        return Sheet(self.file.name, title, rows, formulas)

    def _rows(self, workbook: object, title: str) -> list[tuple[Cell, ...]]:
        """The rows down to the last that holds something, each without blanks at its end."""
        sheet = workbook[title]  # type: ignore[index]
        rows: list[tuple[Cell, ...]] = []
        try:
            if hasattr(sheet, "reset_dimensions"):
                sheet.reset_dimensions()
            for cells in sheet.iter_rows(max_row=MAX_ROWS + 1, max_col=MAX_COLUMNS + 1, values_only=True):
                end = len(cells)
                while end and cells[end - 1] is None:
                    end -= 1
                rows.append(tuple(cells[:end]))
        except Exception as error:
            raise _damaged(self.file, error) from None
        while rows and not rows[-1]:
            rows.pop()
        wide = next((number for number, cells in enumerate(rows, 1) if len(cells) > MAX_COLUMNS), None)
        if wide or len(rows) > MAX_ROWS:
            raise TooLargeError(
                f"{self.file.name}, sheet {title!r}",
                wide or MAX_ROWS + 1,
                f"it holds more than {MAX_ROWS:,} rows or {MAX_COLUMNS} columns",
                "no sheet of the publisher is as large: look at the file",
            )
        return rows


def _expect_workbook(file: SourceFile) -> bool:
    """Look at the bytes before anything unpacks them; returns whether a sheet holds formulas."""
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
            return _expect_parts(file, parts)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise _damaged(file, error) from None


def _expect_parts(file: SourceFile, parts: zipfile.ZipFile) -> bool:
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
    has_formulas = False
    for entry in entries:
        if not entry.filename.endswith((".xml", ".rels")):
            continue
        # Reading checks the part's sum, and that it is as long as it says.
        content = parts.read(entry)
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise NotTheFileError(
                file.name, None, f"{entry.filename} declares entities, as no workbook does", FETCH_AGAIN
            )
        if entry.filename.startswith("xl/worksheets/") and re.search(rb"<(\w+:)?f[\s>/]", content):
            has_formulas = True
    return has_formulas


def _damaged(file: SourceFile, error: Exception) -> TruncatedFileError:
    return TruncatedFileError(
        file.name, None, f"the workbook is cut off or damaged: {error}"[:300], "fetch it again"
    )
