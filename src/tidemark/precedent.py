"""A release against the one before it: what no publisher does from one release to the next.

A single file cannot show that one country's figures are in another unit, or that its past was blanked: each
figure may stand on its own. The release before it can.
"""

from __future__ import annotations

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


def expect_plausible(home: Home, dataset: Dataset, release: Release, batch: pd.DataFrame) -> None:
    """No cell changed by a thousand, and no past was blanked, since the release before.

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


def _name(row: pd.Series, cell: list[str]) -> str:
    return ", ".join(
        f"{row[column]:%Y-%m-%d}" if column == "period_end" else str(row[column])
        for column in cell
        if row[column]
    )


def _and_more(count: int) -> str:
    return f"; and {count - 1:,} more cells like it" if count > 1 else ""
