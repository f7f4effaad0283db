"""The cost of keeping every release: the 120th monthly release of Table 3 against the second.

Each is the bundled file with one cell in a hundred revised, a month after the one before; it is parsed, and
recorded over all that came before.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.measure import Row, at_most, timed
from tidemark import registry, snapshot, sources, warehouse
from tidemark.archive import Release
from tidemark.reading import SourceFile
from tidemark.settings import Home

RELEASES, AROUND = 124, 5


def rows() -> Iterator[Row]:
    dataset = registry.dataset("tic/slt_table3")
    item = max(snapshot.bundled(dataset), key=lambda one: len(one.data))
    draw = np.random.default_rng(7)
    taken: list[float] = []
    with tempfile.TemporaryDirectory(prefix="tidemark-bench-") as folder:
        home = Home(Path(folder))
        revised = np.zeros(0)
        for number in range(RELEASES):
            day = date(2030 + number // 12, number % 12 + 1, 16)
            release = Release(
                dataset.name, day, 0, f"{number:064}", len(item.data), item.file, dataset.url, "published",
                datetime.now(UTC),
            )  # fmt: skip
            with warehouse.writing(home) as connection, timed(taken):
                batch = sources.parse(dataset, SourceFile(item.file, item.data)).observations
                if not len(revised):
                    revised = np.zeros(len(batch))
                batch["value"] = batch["value"] + revised
                warehouse.load(
                    home, connection, dataset, release, connection.from_arrow(pa.Table.from_pandas(batch))
                )
            revised = revised + (draw.random(len(revised)) < 0.01) * draw.integers(1, 9, len(revised))
    # The second and those after it, the 120th and those after it: one alone may have had a bad moment.
    early, late = taken[1 : 1 + AROUND], taken[119 : 119 + AROUND]
    yield at_most(
        "parsing and recording the 120th monthly release of Table 3", "the 2nd",
        statistics.median(late), statistics.median(early), 1.3, f"each the median of {AROUND} from there on",
    )  # fmt: skip
