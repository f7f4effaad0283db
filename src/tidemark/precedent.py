"""A release against the one before it: what no publisher does from one release to the next.

A single file cannot show that one country's figures are in another unit, or that its past was blanked: each
figure may stand on its own. The release before it can.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tidemark import archive
from tidemark.archive import Release
from tidemark.errors import ImplausibleChangeError
from tidemark.reading import PUBLISHED, SourceFile, quoted
from tidemark.registry import Dataset
from tidemark.settings import Home
from tidemark.sources import parse

# Units go by thousands. Revisions do not hit one by chance: half a percent leaves room for rounding.
LEAPS = (1000.0, 1e-3, 1e6, 1e-6)
LEAP_TOLERANCE = 0.005
# Publishers withdraw figures one by one. A file that has lost more than one in twenty of those it still lists
# was blanked; fewer than ten may be a correction.
BLANKED_SHARE, BLANKED_CELLS = 0.05, 10
# So many different figures that are another's, or a period's away, do not come about by chance; of those
# moved by a period, one in ten may have been revised as well.
TELLING_FIGURES, MOVED_SHARE = 6, 0.9
# Fewer tell, where every one is another's and not its own.
EXCHANGED_FIGURES = 4
# Revisions differ from month to month; figures that all change by one factor are in another currency or unit.
# Below two percent that may be how rounded figures look.
SAME_FACTOR_SPREAD, OTHER_SCALE = 0.001, 0.02


def expect_plausible(home: Home, dataset: Dataset, release: Release, batch: pd.DataFrame) -> None:
    """Since the release before, no cell changed by a thousand, no past was blanked, no two series changed
    places, and none moved by a period.

    Args:
        batch: the release's observations, as its parser read and its suite passed them.

    Raises:
        ImplausibleChangeError: names the line of the first such cell, and both figures.
    """
    # Not an issue of the same day: it may be what this one puts right.
    before = [r for r in archive.releases(home, dataset.name) if r.released_on < release.released_on]
    if not before:
        return
    last = max(before)
    stood = quoted(parse(dataset, SourceFile(last.file, archive.read(home, last))).observations)
    cell = [*dataset.key, "period_end", "measure"]
    both = quoted(batch).merge(stood[[*cell, "value", "status"]], on=cell, suffixes=("", "_before"))
    _expect_same_units(release, last, cell, both)
    _expect_not_blanked(release, last, cell, both)
    _expect_own_past(release, last, [*dataset.key, "measure"], quoted(batch), stood)


def _expect_same_units(release: Release, last: Release, cell: list[str], both: pd.DataFrame) -> None:
    known = both[(both["value"].abs() > 0) & (both["value_before"].abs() > 0)]
    ratio = known["value"] / known["value_before"]
    leapt = pd.concat([known[((ratio / leap) - 1).abs() < LEAP_TOLERANCE] for leap in LEAPS])
    if leapt.empty:
        return
    first = leapt.sort_values("line").iloc[0]
    raise ImplausibleChangeError(
        release.file,
        int(first["line"]),
        f"{_name(first, cell)} is {first['value']:,.10g}, and was {first['value_before']:,.10g} in the "
        f"release of {last.released_on}: another unit{_and_more(len(leapt))}",
        f"compare with the publisher's page; if the release of {last.released_on} was the wrong one, load "
        "its right bytes under that day first",
    )


def _expect_not_blanked(release: Release, last: Release, cell: list[str], both: pd.DataFrame) -> None:
    published = both[both["status_before"] == PUBLISHED]
    blanked = published[published["status"] != PUBLISHED]
    if len(blanked) < BLANKED_CELLS or len(blanked) <= BLANKED_SHARE * len(published):
        return
    first = blanked.sort_values("line").iloc[0]
    raise ImplausibleChangeError(
        release.file,
        int(first["line"]),
        f"{_name(first, cell)} is missing, and was {first['value_before']:,.10g} in the release of "
        f"{last.released_on}{_and_more(len(blanked))}",
        "the file has lost its figures: fetch it again",
    )


def _expect_own_past(
    release: Release, last: Release, series: list[str], batch: pd.DataFrame, stood: pd.DataFrame
) -> None:
    """No series has the past that another had, or its own a period later or earlier, or in another currency.

    Sums close as well where two rows change places, and a shifted header leaves every figure as it was.
    """
    now, was = (
        frame[frame["status"] == PUBLISHED].pivot(index=series, columns="period_end", values="value")
        for frame in (batch, stood)
    )
    names = list(now.index.intersection(was.index))
    periods = now.columns.union(was.columns)
    new, old = (frame.reindex(index=names, columns=periods).to_numpy() for frame in (now, was))
    telling = _distinct(new) >= TELLING_FIGURES
    same = (new == old).sum(axis=1)
    for ours, theirs, how in (
        (new[:, 1:], old[:, :-1], "later"),
        (new[:, :-1], old[:, 1:], "earlier"),
    ):
        moved, both = (ours == theirs).sum(axis=1), (~np.isnan(ours) & ~np.isnan(theirs)).sum(axis=1)
        found = telling & (moved >= TELLING_FIGURES) & (moved >= MOVED_SHARE * both) & (same < moved / 2)
        if found.any():
            name = names[int(np.flatnonzero(found)[0])]
            raise _not_its_past(
                release, last, batch, series, name,
                f"{_series_name(name)} stands a period {how} than in the release of {last.released_on}"
                f"{_and_more(int(found.sum()), 'series')}",
            )  # fmt: skip
    _expect_own_scale(release, last, series, batch, names, new, old)
    shared = ~np.isnan(new).all(axis=0) & ~np.isnan(old).all(axis=0)
    new, old = new[:, shared], old[:, shared]
    owner = {row.tobytes(): number for number, row in enumerate(old)}
    changed = (_distinct(new) >= EXCHANGED_FIGURES) & ((new != old) & ~np.isnan(new)).any(axis=1)
    for row in np.flatnonzero(changed).tolist():
        other = owner.get(new[row].tobytes())
        if other is not None and other != row:
            raise _not_its_past(
                release, last, batch, series, names[row],
                f"{_series_name(names[row])} has every figure that {_series_name(names[other])} had in the "
                f"release of {last.released_on}",
            )  # fmt: skip


def _distinct(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.array([len(np.unique(row[~np.isnan(row)])) for row in rows], dtype=int)


def _expect_own_scale(
    release: Release, last: Release, series: list[str], batch: pd.DataFrame, names: list[Any],
    new: np.ndarray[Any, Any], old: np.ndarray[Any, Any],
) -> None:  # fmt: skip
    for row, name in enumerate(names):
        known = (new[row] != 0) & (old[row] != 0) & ~np.isnan(new[row]) & ~np.isnan(old[row])
        ratio = new[row, known] / old[row, known]
        # Figures that stand still move by one factor, too, when they are corrected.
        if len(np.unique(new[row, known])) < TELLING_FIGURES:
            continue
        factor = float(np.median(ratio))
        if abs(factor - 1) > OTHER_SCALE and np.ptp(ratio) < SAME_FACTOR_SPREAD * abs(factor):
            raise _not_its_past(
                release, last, batch, series, name,
                f"each figure of {_series_name(name)} is {factor:.4g} times what it was in the release of "
                f"{last.released_on}: another currency or unit",
            )  # fmt: skip


def _not_its_past(
    release: Release, last: Release, batch: pd.DataFrame, series: list[str], name: Any, message: str
) -> ImplausibleChangeError:
    here = (batch[series] == list(name)).all(axis=1)
    return ImplausibleChangeError(
        release.file,
        int(batch[here]["line"].min()),
        message,
        f"compare with the publisher's page; if the release of {last.released_on} was the wrong one, load "
        "its right bytes under that day first",
    )


def _series_name(name: Any) -> str:
    return ", ".join(str(part) for part in name if part != "")


def _name(row: pd.Series, cell: list[str]) -> str:
    return ", ".join(
        f"{row[column]:%Y-%m-%d}" if column == "period_end" else str(row[column])
        for column in cell
        if row[column]
    )


def _and_more(count: int, what: str = "cells") -> str:
    return f"; and {count - 1:,} more {what} like it" if count > 1 else ""
