"""What every parser needs: a file with a name, read strictly, and figures that are figures.

A parser reads a publisher's bytes to tidy observations and refuses whatever it does not know: it never
guesses, skips or repairs. The refusal names the file, the line and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import pandas as pd

from tidemark.errors import BadFigureError, EmptyFileError, NotTheFileError, WrongEncodingError

PUBLISHED, NOT_AVAILABLE, SUPPRESSED, DELETED = "published", "not_available", "suppressed", "deleted"

# What publishers write where a figure is missing. The star stands for an amount too small to print.
MISSING = {"n.a.": NOT_AVAILABLE, "*": SUPPRESSED}

# No text file of ours holds one. UTF-16 without a byte order mark is ASCII with a NUL after each letter.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

# Figures in USD billion are printed with one decimal, or with none where it is zero.
FIGURE = re.compile(r"-?(0|[1-9]\d*)(\.\d)?")

MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}


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
        if found := CONTROL.search(text):
            raise WrongEncodingError(
                self.name,
                text.count("\n", 0, found.start()) + 1,
                f"control character 0x{ord(found.group()):02x} stands in the text",
                "fetch the publisher's own bytes; UTF-16 looks so, and so does a damaged file",
            )
        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        return lines

    def text(self, encoding: str) -> str:
        """The file as text, refused where it is empty, a web page or JSON, or in another encoding."""
        if not self.data.strip(b"\x00 \t\r\n"):
            raise EmptyFileError(self.name, None, "the file is empty", "fetch it again")
        head = self.data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        if head.startswith(b"<"):
            raise NotTheFileError(
                self.name,
                1,
                "a web page (HTML) stands where the file is due",
                "the publisher answers so for a missing or blocked file: open the URL in a browser",
            )
        if head.startswith((b"{", b"[")):
            raise NotTheFileError(self.name, 1, "JSON stands where the file is due", "check the URL")
        if head.startswith(b"pk\x03\x04"):
            raise NotTheFileError(self.name, 1, "a workbook or zip stands where text is due", "check the URL")
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


def read_figure(file: SourceFile, line: int, text: str, what: str) -> tuple[float | None, str]:
    """A figure as (value, status): 651.1 -> (651.1, published), n.a. -> (None, not_available).

    Raises:
        BadFigureError: the text is neither a figure nor a known mark; `what` says which cell it is.
    """
    token = text.strip()
    if FIGURE.fullmatch(token):
        return float(token), PUBLISHED
    if token in MISSING:
        return None, MISSING[token]
    raise bad_figure(file, line, token, what)


def bad_figure(file: SourceFile, line: int, token: str, what: str) -> BadFigureError:
    if not token:
        return BadFigureError(file.name, line, f"{what} is blank", "the file is damaged: fetch it again")
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", token):
        return BadFigureError(
            file.name,
            line,
            f"{what} is {token!r}, with thousands separators, which the publisher never writes",
            "the file was re-saved by a spreadsheet: fetch the publisher's own bytes",
        )
    return BadFigureError(
        file.name,
        line,
        f"{what} is {token!r}, which is neither a figure nor n.a.",
        "look at that line; if the publisher has a new mark for missing figures, add it to reading.MISSING",
    )


def month_end(year: int, month: int) -> date:
    """The last day of a month: how a reference month stands in the warehouse (`period_end`)."""
    following = date(year + month // 12, month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


def observations(rows: Sequence[tuple[object, ...]], key: Sequence[str], unit: str) -> pd.DataFrame:
    """Tidy observations of one measure and unit.

    Args:
        rows: (key columns..., period_end, measure, value, status, line) each.
        key: the names of the key columns.

    Returns:
        columns `key`, period_end (datetime64), measure, value (float, NaN = missing), status, unit, line.
    """
    frame = pd.DataFrame.from_records(
        list(rows), columns=[*key, "period_end", "measure", "value", "status", "line"]
    )
    frame["unit"] = unit
    return tidy(frame, key)


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
