"""Medians of several runs, taken in turns, and the rows of the report."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

RUNS = 5


@dataclass(frozen=True)
class Row:
    """One line of the report.

    Attributes:
        what: what was measured, and what it was held against.
        ours, theirs: in words, with units.
        ratio: ours by theirs (or theirs by ours, where `aim` says "faster"); None where nothing was held
            against it.
        aim: the bound in words, and whether it was kept; None where the number is only reported.
    """

    what: str
    against: str
    ours: str
    theirs: str
    ratio: float | None
    aim: str
    kept: bool | None
    note: str = ""


def seconds_of(call: Callable[[], Any]) -> float:
    gc.collect()
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def medians(*calls: Callable[[], Any], runs: int = RUNS) -> list[float]:
    """The median seconds of each call. They take turns, so that a slow minute of the machine strikes all."""
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(runs):
        for times, call in zip(taken, calls, strict=True):
            times.append(seconds_of(call))
    return [statistics.median(times) for times in taken]


@contextmanager
def timed(into: list[float]) -> Iterator[None]:
    gc.collect()
    begun = time.perf_counter()
    yield
    into.append(time.perf_counter() - begun)


def at_most(what: str, against: str, ours: float, theirs: float, bound: float, note: str = "") -> Row:
    ratio = ours / theirs
    return Row(
        what, against, written(ours), written(theirs), ratio, f"at most {bound:g} x", ratio <= bound, note
    )


def times_faster(what: str, against: str, ours: float, theirs: float, bound: float, note: str = "") -> Row:
    ratio = theirs / ours
    return Row(
        what, against, written(ours), written(theirs), ratio, f"at least {bound:g} x faster",
        ratio >= bound, note,
    )  # fmt: skip


def written(seconds: float) -> str:
    return f"{seconds * 1000:,.2f} ms" if seconds < 0.1 else f"{seconds:,.2f} s"
