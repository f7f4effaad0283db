"""How the bundled figures become files: a module a source, each with `render()`, its releases as files."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FIGURES = Path(__file__).resolve().parents[1] / "figures"

Row = dict[str, str]


@dataclass(frozen=True)
class Rendered:
    """A release as a file: `file` is its path below `snapshot/`."""

    dataset: str
    file: str
    released_on: str
    source_url: str
    data: bytes


def read(name: str) -> list[Row]:
    """A tidy table of published figures, by its path below `snapshot/figures/`."""
    with (FIGURES / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def fred_csv(dataset: str, series: str, released_on: str, figures: Iterable[tuple[str, str]]) -> Rendered:
    """FRED's CSV download of one series: dates and figures, oldest first."""
    rows = [("observation_date", series), *figures]
    return Rendered(
        dataset,
        f"{dataset}_{released_on}.csv",
        released_on,
        f"https://fred.stlouisfed.org/graph/fredgraph.csv?id={series}",
        "".join(f"{day},{figure}\n" for day, figure in rows).encode("ascii"),
    )
