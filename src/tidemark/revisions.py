"""What of a release to look at: figures that moved farther than revisions reach, series that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from tidemark import archive, warehouse
from tidemark.archive import Release
from tidemark.reading import PUBLISHED, SourceFile, quoted
from tidemark.registry import Dataset
from tidemark.settings import Home
from tidemark.sources import parse

# Of a measure's largest figure: what is smaller moves by any share of itself when it is rounded or corrected,
# and no reader would be told of it.
SMALL_SHARE = 0.001


@dataclass(frozen=True)
class Unusual:
    """A figure that moved beyond its usual size. Values in the dataset's own unit."""

    cell: str
    period_end: date
    measure: str
    before: float
    after: float
    unit: str

    def __str__(self) -> str:
        moved = (self.after - self.before) / abs(self.before) if self.before else float("inf")
        return (
            f"{self.cell}, {self.period_end}, {self.measure}: {self.before:,.12g} to {self.after:,.12g} "
            f"{self.unit} ({moved:+.1%})"
        )


def unusual(home: Home, dataset: Dataset, release: Release) -> list[Unusual]:
    """The published figures that a loaded release changed by more than the passport's `plausible_revision`,
    the farthest first.
    """
    cells = [f'"{column}"' for column in dataset.key]
    same = " and ".join(f"now.{c} = stood.{c}" for c in [*cells, "period_end", "measure"])
    with warehouse.exclusive(home):
        connection = warehouse.connect(home)
        try:
            found = connection.execute(
                f"""
                with now as (
                    select *, {warehouse.cell_name(dataset)} as cell from raw."{dataset.table}"
                    where released_on = $day and reissue = $reissue and status = 'published'
                ),
                stood as (
                    from raw."{dataset.table}" where (released_on, reissue) < ($day, $reissue)
                    qualify row_number() over (
                        partition by {", ".join([*cells, "period_end", "measure"])}
                        order by released_on desc, reissue desc
                    ) = 1
                ),
                largest as (
                    select measure, max(abs(value)) as figure from raw."{dataset.table}" group by measure
                )
                select now.cell, now.period_end, now.measure, stood.value, now.value, now.unit
                from now
                inner join stood on {same}
                inner join largest on now.measure = largest.measure
                where stood.status = 'published' and stood.unit = now.unit
                    and abs(stood.value) >= $small * largest.figure
                    and abs(now.value - stood.value) > $ratio * abs(stood.value)
                order by abs(now.value - stood.value) desc
                """,
                {
                    "day": release.released_on, "reissue": release.reissue,
                    "small": SMALL_SHARE, "ratio": dataset.plausible_revision.ratio,
                },
            ).fetchall()  # fmt: skip
        finally:
            connection.close()
    return [Unusual(*row) for row in found]


def no_longer_listed(home: Home, dataset: Dataset, release: Release) -> list[str]:
    """The series that the release before states and this one does not, by name.

    Where a table rolls, absence withdraws nothing: a holder that fell out of the first twenty looks like one
    that was lost, and its last figure stands on in the marts with its date.
    """
    before = [r for r in archive.releases(home, dataset.name) if r < release]
    if not before or dataset.absence != "window":
        return []
    was, now = (
        quoted(parse(dataset, SourceFile(one.file, archive.read(home, one))).observations)
        for one in (max(before), release)
    )
    return sorted(_series(dataset, was) - _series(dataset, now))


def _series(dataset: Dataset, observations: pd.DataFrame) -> set[str]:
    stated = observations[observations["status"] == PUBLISHED][list(dataset.key)].drop_duplicates()
    return {", ".join(part for part in row if part) for row in stated.itertuples(index=False)}
