"""What CBO's files share: fiscal years, rows of a CSV file, sums that must close, the size of a budget."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tidemark.errors import DuplicateCellError, NotTheFileError, TruncatedFileError, WrongLayoutError
from tidemark.reading import NOT_QUOTED, NOT_QUOTED_MARK, SourceFile, read_figure, text_columns

FIRST_LINE = 2
FETCH_AGAIN = "fetch the file again; if the publisher has changed its layout, the parser must learn it"
RENAMED = "if CBO renamed it, add the new name to sources/cbo.yml and to the parser"


def fiscal_year_end(year: int) -> date:
    """The last day of a fiscal year: 30 June up to 1976, 30 September since.

    July to September 1976, the transition quarter, belongs to no fiscal year.
    """
    return date(year, 6, 30) if year <= 1976 else date(year, 9, 30)


def fiscal_year_of(day: date) -> int:
    """The fiscal year that a day since October 1976 falls in: October begins the next one."""
    return day.year + (day.month >= 10)


@cache
def _fiscal_year_pattern(prefix: str) -> re.Pattern[str]:
    return re.compile(rf"{prefix}(19[6-9]|20\d)\d")


def fiscal_year(file: SourceFile, line: int, text: str, prefix: str = "") -> int:
    if _fiscal_year_pattern(prefix).fullmatch(text):
        return int(text.removeprefix(prefix))
    raise WrongLayoutError(
        file.name, line, f"{text[:40]!r} stands where a fiscal year ({prefix}2026) is due", FETCH_AGAIN
    )


def rows_of(file: SourceFile, *headers: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row of a CSV file with its line, by the names in its header, which is one of `headers`."""
    lines = _whole_lines(file, *headers)
    names = lines[0].split(",")
    for number, line in enumerate(lines[1:], start=2):
        yield number, dict(zip(names, line.split(","), strict=True))


def columns_of(file: SourceFile, header: str) -> dict[str, pa.Array]:
    """The columns of a CSV file as text; their first row is that of `FIRST_LINE`."""
    lines = _whole_lines(file, header)
    return text_columns(lines[1:], header.split(","), ",")


def _whole_lines(file: SourceFile, *headers: str) -> list[str]:
    """The lines of a CSV file with one of the headers, each with as many cells as it."""
    lines = file.lines
    if lines[0] not in headers:
        due = " or ".join(map(repr, headers))
        if lines[0].count(",") == 0 or not re.fullmatch(r"[\w ,]+", lines[0]):
            raise NotTheFileError(
                file.name, 1, f"the first line is {lines[0][:60]!r}, not {due}", "check the URL"
            )
        raise WrongLayoutError(
            file.name, 1, f"the header is {lines[0][:90]!r}, not {due}", "is this another file of CBO's?"
        )
    if not file.data.endswith(b"\n"):
        raise TruncatedFileError(
            file.name, len(lines), "the file is cut off: its last line has no end", "fetch the file again"
        )
    if len(lines) == 1:
        raise TruncatedFileError(file.name, 1, "no figures follow the header", FETCH_AGAIN)
    commas = lines[0].count(",")
    for number, line in enumerate(lines, start=1):
        if line.count(",") != commas:
            raise WrongLayoutError(
                file.name,
                number,
                f"{line[:60]!r} has {line.count(',') + 1} cells, not {commas + 1}",
                FETCH_AGAIN,
            )
    return lines


def figure_of(
    file: SourceFile, line: int, text: str, what: str | Callable[[], str]
) -> tuple[float | None, str]:
    """A figure; none of CBO's CSV files has a mark for missing ones."""
    if text == NOT_QUOTED_MARK:
        return None, NOT_QUOTED
    return read_figure(file, line, text, what, {})


class Years:
    """Sees that each series runs from year to year, and none stands twice."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.of: dict[tuple[str, ...], list[int]] = {}

    def add(self, line: int, series: tuple[str, ...], year: int) -> None:
        years = self.of.setdefault(series, [])
        if years and year != years[-1] + 1:
            name = ", ".join(series)
            if year in years:
                raise DuplicateCellError(
                    self.file.name, line, f"{name}, {year} stands a second time", FETCH_AGAIN
                )
            raise TruncatedFileError(
                self.file.name,
                line,
                f"{name}: {year} follows {years[-1]}; years run oldest first, without a gap",
                FETCH_AGAIN,
            )
        years.append(year)

    def add_all(
        self, series: Sequence[tuple[str, ...]], which: np.ndarray[Any, Any], years: np.ndarray[Any, Any]
    ) -> None:
        """Every row of a file: which of the series it belongs to, and its year."""
        order = np.argsort(which, kind="stable")
        ends = np.flatnonzero(np.diff(which[order])) + 1
        steps = np.diff(years[order])
        steps[ends - 1] = 1
        if (steps != 1).any():
            for row, (one, year) in enumerate(zip(which, years, strict=True)):
                self.add(FIRST_LINE + row, series[one], int(year))
        for rows in sorted(np.split(order, ends), key=lambda rows: int(rows[0])):
            self.of[series[which[rows[0]]]] = years[rows].tolist()


def expect_every(file: SourceFile, due: Iterable[str], seen: Iterable[str], kind: str) -> None:
    lacking = sorted(set(due) - set(seen))
    if lacking:
        raise TruncatedFileError(
            file.name, None, f"{kind} {lacking[0]!r} is missing", f"fetch the file again; {RENAMED}"
        )


@dataclass(frozen=True)
class Identity:
    """Parts that sum to a total; a part that is taken off stands with a minus before its label."""

    total: str
    parts: tuple[str, ...]

    def gaps(self, wide: pd.DataFrame) -> pd.Series | None:
        """The parts less the total, where all are there; None where the file lacks a series."""
        labels = [part.removeprefix("-") for part in self.parts]
        if not {self.total, *labels} <= set(wide.columns):
            return None
        signs = [-1 if part.startswith("-") else 1 for part in self.parts]
        return (wide[labels] * signs).sum(axis=1, skipna=False) - wide[self.total]


def closing_gaps(frame: pd.DataFrame, key: Sequence[str], identities: Iterable[Identity]) -> pd.Series:
    """On the row of each total, its parts less it, to the fifth decimal; NaN elsewhere."""
    wide = frame.pivot(index=[*key, "period_end"], columns="label", values="value")
    gaps = pd.Series(float("nan"), index=frame.index)
    place = pd.MultiIndex.from_frame(frame[[*key, "period_end"]])
    for identity in identities:
        found = identity.gaps(wide)
        if found is not None:
            if len(key) == 0:
                found.index = pd.MultiIndex.from_arrays([found.index], names=["period_end"])
            here = (frame["label"] == identity.total).to_numpy()
            gaps[here] = found.reindex(place[here]).to_numpy()
    return gaps.round(5)


def budget_scale(years: pd.Series) -> pd.Series:
    """About how large the federal budget was in a fiscal year, USD bn: 618 in 1982, growing 5.2% a year.

    From 1962 to 2036 revenues and outlays stay within 0.44 and 1.56 of it, so a figure in another unit shows,
    whichever cell it stands in.
    """
    return 618 * 1.052 ** (years - 1982)


def out_of_scale(frame: pd.DataFrame, scale: Mapping[str, tuple[float, float]]) -> pd.Series:
    """The value where it lies outside its series' share of the budget of its year; NaN elsewhere."""
    share = frame["value"] / budget_scale(frame["period_end"].dt.year)
    low = frame["label"].map({label: bounds[0] for label, bounds in scale.items()})
    high = frame["label"].map({label: bounds[1] for label, bounds in scale.items()})
    return frame["value"].where((share < low) | (share > high))
