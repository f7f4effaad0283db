"""What every parser needs: a file with a name, read strictly, and figures that are figures.

A parser reads a publisher's bytes to tidy observations and refuses whatever it does not know: it never
guesses, skips or repairs. The refusal names the file, the line and what to do.
"""

from __future__ import annotations

import io
import json
import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from tidemark.errors import (
    BadFigureError,
    EmptyFileError,
    NotTheFileError,
    RefusedFileError,
    TruncatedFileError,
    WrongEncodingError,
    WrongLayoutError,
)

PUBLISHED, NOT_AVAILABLE, SUPPRESSED, DELETED = "published", "not_available", "suppressed", "deleted"
# A cell that a bundled extract leaves out of the publisher's table. It says nothing: neither a figure, nor
# that there is none, nor that what stood before was withdrawn. No publisher writes so.
NOT_QUOTED = "not_quoted"
NOT_QUOTED_MARK = "not quoted"

# What publishers write where a figure is missing. The star stands for an amount too small to print.
MISSING = {"n.a.": NOT_AVAILABLE, "*": SUPPRESSED}

# No text file of ours holds one. UTF-16 without a byte order mark is ASCII with a NUL after each letter.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
NO_CONTROL = bytes(code for code in range(256) if not CONTROL.match(chr(code)))

# No publisher prints more than 15 digits before the point; what has hundreds is no number a float can hold.
WHOLE = r"(0|[1-9]\d{0,19})"
HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
FIGURE = re.compile(rf"-?{WHOLE}(\.(\d+))?", re.ASCII)

Read = TypeVar("Read")

MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}


def writable(text: str) -> str:
    """Text as UTF-8 can hold it: of a name whose bytes are no UTF-8, what stands for them is spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@dataclass(frozen=True)
class SourceFile:
    """The bytes of a file and the name it arrived under, which errors repeat."""

    name: str
    data: bytes

    @cached_property
    def lines(self) -> list[str]:
        """The lines of an ASCII file without their ends (CRLF or LF).

        Raises:
            EmptyFileError, NotTheFileError, WrongEncodingError: see `text`.
        """
        # A file cut between CR and LF ends in a CR.
        text = self.text("ascii").replace("\r\n", "\n").removesuffix("\r")
        self._expect_no_control(text)
        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        return lines

    @cached_property
    def json(self) -> dict[str, Any]:
        """The object of an ASCII file that is JSON, in which no key stands twice.

        Raises:
            EmptyFileError, NotTheFileError, WrongEncodingError: see `text`.
            TruncatedFileError, WrongLayoutError: it is no JSON, because it is cut off or otherwise.

        """
        head = self._text_head()
        text = self._decoded("ascii")
        self._expect_no_control(text.replace("\r\n", "\n"))
        if not head.startswith((b"{", b"[")):
            raise NotTheFileError(self.name, 1, "text stands where JSON is due", "check the URL")
        try:
            content = json.loads(text, object_pairs_hook=_each_key_once, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            whole = text.rstrip()
            if error.pos >= len(whole) or not whole.endswith(("}", "]")):
                raise TruncatedFileError(
                    self.name,
                    whole.count("\n") + 1,
                    "the file is cut off: its JSON has no end",
                    "fetch it again",
                ) from None
            raise WrongLayoutError(
                self.name, error.lineno, f"no valid JSON: {error.msg}", "fetch the file again"
            ) from None
        except ValueError as error:
            raise WrongLayoutError(self.name, None, str(error), "fetch the file again") from None
        except RecursionError:
            raise WrongLayoutError(self.name, None, "its JSON nests too deep", "check the URL") from None
        self._expect_whole_characters(text, content)
        if not isinstance(content, dict):
            raise NotTheFileError(self.name, 1, "a JSON list stands where an object is due", "check the URL")
        return content

    def _expect_whole_characters(self, text: str, content: object) -> None:
        """JSON may escape half of a pair, which no text that is written can hold."""
        if (first := HALF_CHARACTER.search(text)) is None:
            return
        try:
            json.dumps(content, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise WrongEncodingError(
                self.name,
                text.count("\n", 0, first.start()) + 1,
                f"{first.group()} is half a character",
                "fetch the publisher's own bytes",
            ) from None

    def text(self, encoding: str) -> str:
        """The file as text, refused where it is empty, a web page or JSON, or in another encoding."""
        if self._text_head().startswith((b"{", b"[")):
            raise NotTheFileError(self.name, 1, "JSON stands where the file is due", "check the URL")
        return self._decoded(encoding)

    def _text_head(self) -> bytes:
        """The first bytes, in lower case; refused where the file is empty, a web page or a workbook."""
        head = self.head().lower()
        if head.startswith(b"pk\x03\x04"):
            raise NotTheFileError(self.name, 1, "a workbook or zip stands where text is due", "check the URL")
        return head

    def head(self) -> bytes:
        """The first bytes; refused where the file is empty or a web page."""
        if not self.data.strip(b"\x00 \t\r\n"):
            raise EmptyFileError(self.name, None, "the file is empty", "fetch it again")
        head = self.data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
        if head.startswith(b"<"):
            raise NotTheFileError(
                self.name,
                1,
                "a web page (HTML) stands where the file is due",
                "the publisher answers so for a missing or blocked file: open the URL in a browser",
            )
        return head

    def _decoded(self, encoding: str) -> str:
        try:
            return self.data.decode(encoding)
        except UnicodeDecodeError as error:
            line = self.data.count(b"\n", 0, error.start) + 1
            raise WrongEncodingError(
                self.name,
                line,
                f"byte 0x{self.data[error.start]:02x} is no {encoding.upper()}, in which the file is written",
                "fetch the publisher's own bytes; do not re-save the file in an editor",
            ) from None

    def _expect_no_control(self, text: str) -> None:
        # What is left without all that may stand there is found in a tenth of the time of a search.
        if not text.encode("ascii").translate(None, NO_CONTROL):
            return
        if found := CONTROL.search(text):
            raise WrongEncodingError(
                self.name,
                text.count("\n", 0, found.start()) + 1,
                f"control character 0x{ord(found.group()):02x} stands in the text",
                "fetch the publisher's own bytes; UTF-16 looks so, and so does a damaged file",
            )


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def read_figure(
    file: SourceFile,
    line: int,
    text: str,
    what: str | Callable[[], str],
    missing: Mapping[str, str] = MISSING,
    decimals: int | None = None,
) -> tuple[float | None, str]:
    """A figure as (value, status): 651.1 -> (651.1, published), n.a. -> (None, not_available).

    Args:
        what: which cell it is; of many cells better what says so, since only an error asks.
        missing: the publisher's marks for missing figures, and the status each stands for.
        decimals: how many the publisher prints at the most; more would be another's figure.

    Raises:
        BadFigureError: the text is neither a figure nor a known mark.
    """
    token = text.strip()
    found = FIGURE.fullmatch(token)
    if found and (decimals is None or len((found[3] or "").rstrip("0")) <= decimals):
        return float(token), PUBLISHED
    if token in missing:
        return None, missing[token]
    raise bad_figure(file, line, token, what if isinstance(what, str) else what(), missing)


def bad_figure(
    file: SourceFile, line: int, token: str, what: str, missing: Mapping[str, str] = MISSING
) -> BadFigureError:
    if not token:
        return BadFigureError(file.name, line, f"{what} is blank", "the file is damaged: fetch it again")
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", token):
        return BadFigureError(
            file.name,
            line,
            f"{what} is {token[:60]!r}, with thousands separators, which the publisher never writes",
            "the file was re-saved by a spreadsheet: fetch the publisher's own bytes",
        )
    mark = next((mark for mark in missing if mark != NOT_QUOTED_MARK), None)
    kind = f"neither a figure nor {mark}" if mark else "no figure"
    return BadFigureError(
        file.name,
        line,
        f"{what} is {token[:60]!r}, which is {kind}",
        "look at that line; if the publisher has a new mark for missing figures, the parser must learn it",
    )


def month_end(year: int, month: int) -> date:
    """The last day of a month: how a reference month stands in the warehouse (`period_end`)."""
    return date(year, month, monthrange(year, month)[1])


def iso_day(file: SourceFile, line: int, text: str) -> date:
    """A date written YYYY-MM-DD, that the calendar has."""
    day = _day_of(text)
    if day is not None:
        return day
    raise WrongLayoutError(
        file.name,
        line,
        f"{text[:40]!r} stands where a date (YYYY-MM-DD) is due",
        "fetch the file again; a spreadsheet writes dates in other ways",
    )


@lru_cache(maxsize=20_000)
def _day_of(text: str) -> date | None:
    """A long table names few days often."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        with suppress(ValueError):
            return date.fromisoformat(text)
    return None


def text_columns(lines: Sequence[str], names: Sequence[str], separator: str) -> dict[str, pa.Array]:
    """Lines of ASCII as columns of text; every line must have as many cells as `names`.

    No cell is quoted, none is missing, and none is taken for anything but text.
    """
    data = "\n".join(lines).encode("ascii")
    table = pyarrow.csv.read_csv(
        io.BytesIO(data),
        # As one block: a line that is longer than a block is an error of its own.
        read_options=pyarrow.csv.ReadOptions(column_names=list(names), block_size=len(data) + 1),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=separator, quote_char=False, ignore_empty_lines=False
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
    return {name: table[name].combine_chunks() for name in names}


def read_each_once(
    column: pa.Array, read: Callable[[int, str], Read]
) -> tuple[list[Read], np.ndarray[Any, np.dtype[np.int64]]]:
    """What a column says, of which few texts are many times: each text read where it first stands.

    Args:
        read: is given the place of the cell, from 0, and its text.

    Returns:
        the different values in the order of their first cells, and for each cell which of them it is.
    """
    coded = column.dictionary_encode()
    which = coded.indices.to_numpy().astype("int64")
    _, first = np.unique(which, return_index=True)
    texts = coded.dictionary.to_pylist()
    return [read(int(place), text) for place, text in zip(first, texts, strict=True)], which


def read_figures(
    file: SourceFile,
    texts: Sequence[str] | pa.Array,
    line_of: Callable[[int], int],
    what_of: Callable[[int], str],
    missing: Mapping[str, str] = MISSING,
    decimals: int | None = None,
) -> tuple[pa.Array, pa.Array]:
    """Many cells at once, as `read_figure` reads each: their values (null = missing) and statuses.

    A table has tens of thousands of cells, and a call for each would cost ten times what this does.

    Args:
        line_of, what_of: the line of a cell, and what it is called, by its place in `texts`; only an error
            asks.

    Raises:
        BadFigureError: of the first cell that is neither a figure nor a known mark.
    """
    cells = pc.ascii_trim_whitespace(pa.array(texts, pa.string()))
    mark = pc.fill_null(pc.index_in(cells, pa.array(list(missing), pa.string())), len(missing))
    fraction = {None: r"(\.\d+)?", 0: ""}.get(decimals, rf"(\.\d{{1,{decimals}}}0*)?")
    is_figure = pc.match_substring_regex(cells, f"^-?{WHOLE}{fraction}$")
    first = pc.index(pc.or_(is_figure, pc.less(mark, len(missing))), False).as_py()
    if first >= 0:
        raise bad_figure(file, line_of(first), cells[first].as_py(), what_of(first), missing)
    values = pc.if_else(is_figure, cells, None).cast(pa.float64())
    return values, pa.array([*missing.values(), PUBLISHED]).take(mark)


class Cells:
    """The cells of a table, gathered row by row and read at once (`read_figures`).

    Whoever gathers them does so `with` them: where a line is refused, a figure above it that is none is named
    first, since it is what is wrong, and what follows from it is not.

    Args:
        key: the names of the key columns.
        named: what an error calls a cell, of its key columns, period_end, measure and line.
        missing, decimals: see `read_figure`.
    """

    def __init__(
        self,
        file: SourceFile,
        key: Sequence[str],
        named: Callable[[Mapping[str, Any]], str],
        missing: Mapping[str, str] = MISSING,
        decimals: int | None = None,
    ) -> None:
        self.file, self.key, self.named = file, key, named
        self.missing, self.decimals = missing, decimals
        self.texts: list[str] = []
        self.lines: list[int] = []
        self.columns: dict[str, list[Any]] = {name: [] for name in (*key, "period_end", "measure")}

    def add(self, line: int | list[int], texts: Sequence[str], **columns: object) -> None:
        """More cells; their line and each column is a list, a value a cell, or the value of all of them."""
        count = len(texts)
        self.texts.extend(texts)
        self.lines.extend(line if isinstance(line, list) else [line] * count)
        for name, values in self.columns.items():
            value = columns[name]
            values.extend(value if isinstance(value, list) else [value] * count)

    def __enter__(self) -> Cells:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, RefusedFileError):
            self._read()

    def observations(self, unit: str) -> pd.DataFrame:
        """Tidy observations, as `observations` gives them.

        Raises:
            BadFigureError: see `read_figures`.
        """
        values, statuses = self._read()
        columns = {**self.columns, "value": values, "status": statuses, "line": self.lines, "unit": unit}
        return by_column(columns, self.key)

    def _read(self) -> tuple[pa.Array, pa.Array]:
        return read_figures(
            self.file,
            self.texts,
            lambda place: self.lines[place],
            lambda place: self.named(
                {"line": self.lines[place]} | {name: column[place] for name, column in self.columns.items()}
            ),
            self.missing,
            self.decimals,
        )


def observations(rows: Sequence[tuple[object, ...]], key: Sequence[str], unit: str) -> pd.DataFrame:
    """Tidy observations of one measure and unit.

    Args:
        rows: (key columns..., period_end, measure, value, status, line) each.
        key: the names of the key columns.

    Returns:
        columns `key`, period_end (datetime64), measure, value (float, NaN = missing), status, unit, line.
    """
    names = [*key, "period_end", "measure", "value", "status", "line"]
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ())
    return by_column({**columns, "unit": unit}, key)


def by_column(columns: Mapping[str, Any], key: Sequence[str]) -> pd.DataFrame:
    """Tidy observations from a sequence, or an Arrow array, a column; a text stands for a column of it alone.

    By way of Arrow, which pandas keeps text in: it costs a third of what a frame of records does.
    """
    order = [*key, "period_end", "measure", "value", "status", "unit", "line"]
    types = {"period_end": pa.date32(), "value": pa.float64(), "line": pa.int32()}
    rows = len(columns["line"])
    arrays = {
        name: pa.repeat(column, rows)
        if isinstance(column, str)
        else column
        if isinstance(column, pa.Array)
        else pa.array(column, types.get(name, pa.string()))
        for name, column in ((name, columns[name]) for name in order)
    }
    arrays["period_end"] = arrays["period_end"].cast(pa.timestamp("us"))
    frame: pd.DataFrame = pa.table(arrays).to_pandas()
    return frame


def tidy(frame: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """The columns of a batch in their order and types, whatever parser made it."""
    types = {
        **dict.fromkeys([*key, "measure", "status", "unit"], "str"),
        "period_end": "datetime64[us]",
        "value": "float64",
        "line": "int32",
    }
    order = [*key, "period_end", "measure", "value", "status", "unit", "line"]
    return frame[order].astype(types)


def quoted(observations: pd.DataFrame) -> pd.DataFrame:
    """The observations that say something: without the cells that an extract leaves out."""
    return observations[observations["status"] != NOT_QUOTED]
