"""FRED's CSV download of one series: `observation_date,SERIES`, a row a period, oldest first.

The Federal Reserve Bank of St. Louis passes on what others publish; the sources that are read so share this
layout. The file has no end mark, so a file is whole if its last row has a line end and its rows run from the
first period of the series without a gap; that the newest are there shows its age (`content_age_days`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pandas as pd

from tidemark.errors import DuplicateCellError, NotTheFileError, TruncatedFileError, WrongLayoutError
from tidemark.reading import NOT_AVAILABLE, Cells, SourceFile, iso_day

FETCH_AGAIN = "fetch the file again; if the publisher has changed its layout, the parser must learn it"
MISSING = {".": NOT_AVAILABLE}


def read_fred_csv(
    file: SourceFile,
    series: str,
    measure: str,
    unit: str,
    first: date,
    following: Callable[[date], date],
    period_end: Callable[[date], date] = lambda day: day,
) -> pd.DataFrame:
    """The observations of a series, labelled with its name.

    Args:
        first: the day that the first row bears, from which the series has always been published.
        following: the day of the row after one.
        period_end: the last day of the period that FRED names by a day.

    """
    lines = file.lines
    header = f"observation_date,{series}"
    if lines[0] != header:
        if re.fullmatch(r"(observation_date|DATE)(,\w+)+", lines[0]):
            raise WrongLayoutError(
                file.name, 1, f"the header is {lines[0][:60]!r}, not {header!r}", "is this another series?"
            )
        raise NotTheFileError(
            file.name, 1, f"the first line is {lines[0][:60]!r}, not {header!r}", "check the URL"
        )
    if not file.data.endswith(b"\n"):
        raise TruncatedFileError(
            file.name, len(lines), "the file is cut off: its last line has no end", "fetch the file again"
        )
    if len(lines) == 1:
        raise TruncatedFileError(file.name, 1, "no figures follow the header", FETCH_AGAIN)

    def named(cell: Mapping[str, Any]) -> str:
        return f"{series}, {lines[cell['line'] - 1].split(',')[0]}"

    seen: set[date] = set()
    due = first
    with Cells(file, ["label"], named, MISSING) as figures:
        for number, line in enumerate(lines[1:], start=2):
            cells = line.split(",", 1)
            if len(cells) != 2:
                raise WrongLayoutError(file.name, number, f"{line[:60]!r} is no date and figure", FETCH_AGAIN)
            day = iso_day(file, number, cells[0])
            _expect_due(file, number, series, day, due, first, seen)
            seen.add(day)
            due = following(day)
            figures.add(number, cells[1:], label=series, period_end=period_end(day), measure=measure)
    return figures.observations(unit)


def _expect_due(
    file: SourceFile, number: int, series: str, day: date, due: date, first: date, seen: set[date]
) -> None:
    """The row is that of the period after the row before it."""
    if day == due:
        return
    if day in seen:
        raise DuplicateCellError(
            file.name, number, f"{series}, {day} stands a second time", "fetch the file again"
        )
    if not seen and day > first:
        raise TruncatedFileError(
            file.name,
            number,
            f"the series begins with {day}, not with {first}",
            "fetch the whole series, without a range of dates",
        )
    raise WrongLayoutError(
        file.name,
        number,
        f"{day} stands where {due} is due: dates run oldest first, without a gap",
        FETCH_AGAIN,
    )
