"""FRED's CSV download of one series: `observation_date,SERIES`, a row a period, oldest first.

The Federal Reserve Bank of St. Louis passes on what others publish; the sources that are read so share this
layout. The file has no end mark, so a file is whole if its last row has a line end and its rows run from the
first period of the series without a gap; that the newest are there shows its age (`content_age_days`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NoReturn

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

    rows = [line.split(",", 1) for line in lines[1:]]
    due = [first]
    for row in rows:
        if len(row) != 2 or row[0] != due[-1].isoformat():
            break
        due.append(following(due[-1]))
    whole = len(due) - 1
    with Cells(file, ["label"], named, MISSING) as figures:
        figures.add(
            list(range(2, 2 + whole)),
            [row[1] for row in rows[:whole]],
            label=series,
            period_end=[period_end(day) for day in due[:whole]],
            measure=measure,
        )
        if whole < len(rows):
            _refuse(file, 2 + whole, series, rows[whole], due)
    return figures.observations(unit)


def _refuse(file: SourceFile, number: int, series: str, row: list[str], due: list[date]) -> NoReturn:
    """The row is not that of the period after the one before it; `due` is its day, after all days before."""
    if len(row) != 2:
        raise WrongLayoutError(file.name, number, f"{row[0][:60]!r} is no date and figure", FETCH_AGAIN)
    day = iso_day(file, number, row[0])
    if day in due:
        raise DuplicateCellError(
            file.name, number, f"{series}, {day} stands a second time", "fetch the file again"
        )
    if len(due) == 1 and day > due[0]:
        raise TruncatedFileError(
            file.name,
            number,
            f"the series begins with {day}, not with {due[0]}",
            "fetch the whole series, without a range of dates",
        )
    raise WrongLayoutError(
        file.name,
        number,
        f"{day} stands where {due[-1]} is due: dates run oldest first, without a gap",
        FETCH_AGAIN,
    )
