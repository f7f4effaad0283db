"""Corrections as data: figures that are known to have been published wrong, and what is done about each.

`dbt_project/seeds/corrections.csv`, a row a cell: `dataset`, `cell` (its key columns in the passport's
order, joined by ` | `), `period_end`, `measure`; the `action`, the `reason` and when it was `reported_on`.
Raw tables keep what was published; the staging models apply the action (macro `corrected`):

* flag: the figure stays, and names its correction;
* drop: the figure is NULL, its status `dropped`;
* rescale: the figure is multiplied by `factor`.

`expect` is the figure as it was published wrong, to as many `decimals`. A release that says otherwise is refused at the door: the
publisher has repaired it, so the correction must end (`released_to`: the last release that bears it).
`gap` is how far a check of the dataset's suite (its column `gap_column`) is known to be off at the cell
because of it, such as the parts of a total from the total.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

import pandas as pd

from tidemark.errors import OutdatedCorrectionError, TidemarkError
from tidemark.registry import Dataset
from tidemark.settings import project_root

SEED = Path("dbt_project/seeds/corrections.csv")
ACTIONS = ("flag", "drop", "rescale")
BETWEEN = " | "


@dataclass(frozen=True)
class Correction:
    """One cell that was published wrong. `key` are its key columns, in the passport's order."""

    id: str
    dataset: str
    key: tuple[str, ...]
    period_end: date
    measure: str
    action: Literal["flag", "drop", "rescale"]
    factor: float | None
    expect: float
    decimals: int
    gap: float | None
    gap_column: str
    released_from: date | None
    released_to: date | None
    reported_on: date
    reason: str

    def concerns(self, released_on: date) -> bool:
        """Whether a release of this day is one of those that bear the wrong figure."""
        begins, ends = self.released_from or date.min, self.released_to or date.max
        return begins <= released_on <= ends


def of(dataset: Dataset, released_on: date | None = None) -> tuple[Correction, ...]:
    """The corrections of a dataset; of one of its releases, where its day is given."""
    return tuple(
        c
        for c in read(project_root() / SEED)
        if c.dataset == dataset.name and (released_on is None or c.concerns(released_on))
    )


@cache
def read(path: Path) -> tuple[Correction, ...]:
    """Every correction.

    Raises:
        TidemarkError: a row is incomplete or names an unknown action; names the line.
    """
    found = []
    with path.open(encoding="utf-8", newline="") as seed:
        rows = csv.DictReader(seed)
        for row in rows:
            try:
                found.append(_correction(row))
            except (KeyError, ValueError) as error:
                raise TidemarkError(f"{path.name}, line {rows.line_num}: {error}", "mend that row") from error
    return tuple(found)


def _correction(row: dict[str, str]) -> Correction:
    for name in (
        "correction_id",
        "dataset",
        "cell",
        "period_end",
        "measure",
        "expect",
        "decimals",
        "reported_on",
        "reason",
    ):
        if not row[name]:
            raise ValueError(f"{name} is blank")
    if row["action"] not in ACTIONS:
        raise ValueError(f"the action {row['action']!r} is none of {', '.join(ACTIONS)}")
    if (row["action"] == "rescale") != bool(row["factor"]):
        raise ValueError("a factor belongs to rescale, and to no other action")
    if bool(row["gap"]) != bool(row["gap_column"]):
        raise ValueError("a gap needs the column that it shows in, and the column a gap")
    return Correction(
        id=row["correction_id"],
        dataset=row["dataset"],
        key=tuple(row["cell"].split(BETWEEN)),
        period_end=date.fromisoformat(row["period_end"]),
        measure=row["measure"],
        action=row["action"],  # type: ignore[arg-type]
        factor=float(row["factor"]) if row["factor"] else None,
        expect=float(row["expect"]),
        decimals=int(row["decimals"]),
        gap=float(row["gap"]) if row["gap"] else None,
        gap_column=row["gap_column"],
        released_from=date.fromisoformat(row["released_from"]) if row["released_from"] else None,
        released_to=date.fromisoformat(row["released_to"]) if row["released_to"] else None,
        reported_on=date.fromisoformat(row["reported_on"]),
        reason=row["reason"],
    )


# The column of a check, the key columns of a cell, its measure and period_end.
Place = tuple[str, tuple[str, ...], str, pd.Timestamp]


def known_gaps(dataset: Dataset, frame: pd.DataFrame) -> dict[Place, float]:
    """The gaps that are known to be published so, by where they show, in the publisher's unit.

    A correction counts while all the cells that share its id stand as it expects: once one of them is
    repaired, its gap shows in the suite or the correction is found outdated.
    """
    changed = {correction.id for correction, _, _ in _changed(dataset, of(dataset), frame)}
    return {
        (c.gap_column, c.key, c.measure, pd.Timestamp(c.period_end)): c.gap
        for c in of(dataset)
        if c.gap is not None and c.id not in changed
    }


def expect_unrepaired(dataset: Dataset, file: str, released_on: date, frame: pd.DataFrame) -> None:
    """Every corrected cell that a release states is stated as wrong as the correction expects it.

    Raises:
        OutdatedCorrectionError: it is not, so the publisher has repaired it; names line and correction.
    """
    for correction, line, value in _changed(dataset, of(dataset, released_on), frame):
        raise OutdatedCorrectionError(
            file,
            line,
            f"{', '.join(correction.key)}, {correction.period_end} is {value:,}, where the correction "
            f"{correction.id!r} expects {correction.expect:,}: the publisher has changed it",
            f"end the correction in {SEED}: set released_to to the last release that bears the "
            "expected figure",
        )


def _changed(
    dataset: Dataset, corrections: tuple[Correction, ...], frame: pd.DataFrame
) -> Iterator[tuple[Correction, int, float]]:
    """The corrections whose cell is stated otherwise than expected, with its line and figure."""
    for correction in corrections:
        here = (frame["period_end"] == pd.Timestamp(correction.period_end)) & (
            frame["measure"] == correction.measure
        )
        for column, value in zip(dataset.key, correction.key, strict=True):
            here &= frame[column] == value
        for line, value in frame.loc[here, ["line", "value"]].itertuples(index=False):
            if round(value, correction.decimals) != correction.expect:
                yield correction, int(line), float(value)
