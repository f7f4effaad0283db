"""The bundled releases in other orders, and twice, give the very same warehouse and marts."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tidemark import archive, build, pipeline, publish, registry, snapshot, sources, warehouse
from tidemark.reading import SourceFile
from tidemark.registry import Dataset
from tidemark.settings import Home
from tidemark.snapshot import Incoming

Arrival = tuple[Dataset, Incoming]


def bundled() -> list[list[Arrival]]:
    """Every release of the snapshot, in the order of publication; issues of one day belong together.

    Which of them is the second issue only the order of their arrival tells.
    """
    releases: dict[tuple[str, str], list[Arrival]] = {}
    for dataset in registry.datasets():
        for item in snapshot.bundled(dataset):
            releases.setdefault((str(item.released_on), dataset.name), []).append((dataset, item))
    return [releases[key] for key in sorted(releases)]


def load(home: Home, arrivals: Sequence[Arrival]) -> list[warehouse.Loaded]:
    """Archive and load, without the suites: what they find does not depend on the order."""
    done = []
    with warehouse.writing(home) as connection:
        for dataset, item in arrivals:
            assert item.released_on is not None
            release, _ = archive.register(
                home, dataset, item.data, item.released_on, item.file, item.source_url
            )
            batch = sources.parse(dataset, SourceFile(item.file, item.data)).observations
            done.append(
                warehouse.load(
                    home, connection, dataset, release, connection.from_arrow(pa.Table.from_pandas(batch))
                )
            )
    return done


def published(home: Home) -> dict[str, Any]:
    """The manifest of the published release: rows and a hash of the contents of every table."""
    content: dict[str, Any] = json.loads((publish.current(home).folder / publish.MANIFEST).read_text("utf-8"))
    return content


def build_and_publish(home: Home) -> dict[str, Any]:
    begun = build.begin(home)
    build.dbt(home, ["build", "--exclude-resource-type", "test", "unit_test"])
    build.remember_built(home, begun)
    publish.publish(home)
    return published(home)


def test_the_manifest_speaks_of_every_table_and_its_contents(loaded_template: Home) -> None:
    tables = published(loaded_template)["tables"]
    for name in ("raw.releases", "raw.tic__mfhhis01", "raw.tic__slt_table3", "marts.fct_holdings"):
        assert tables[name]["rows"] > 0
        assert len(tables[name]["sha256"]) == 64
    assert "raw.outcomes" not in tables
    left_out = published(loaded_template)["raw_left_out"]
    assert left_out == ["wgc"]
    for dataset in registry.datasets():
        assert (f"raw.{dataset.table}" in tables) == (dataset.source not in left_out)
    assert {name for name in tables if name.startswith("marts.")} >= {
        "marts.dim_holder", "marts.fct_holdings_vintages", "marts.fct_revisions", "marts.mart_top_holders"
    }  # fmt: skip


def test_the_newest_first_through_every_step_and_again_publish_the_same_release(
    loaded_template: Home, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    for dataset, item in chain.from_iterable(reversed(bundled())):
        pipeline.ingest(home, dataset, [item])
    first = build_and_publish(home)
    assert first == published(loaded_template)

    for dataset in registry.datasets():
        assert all(done.already for done in pipeline.ingest(home, dataset, snapshot.bundled(dataset)))
    again = publish.publish(home)
    assert not again.is_new
    assert published(home) == first


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled_releases_loaded_twice_give_the_same_tables(
    loaded_template: Home, tmp_path: Path, seed: int
) -> None:
    home = Home(tmp_path / "home")
    shuffled = bundled() * 2
    random.Random(seed).shuffle(shuffled)
    done = load(home, list(chain.from_iterable(shuffled)))
    assert sum(loaded.already for loaded in done) == len(done) / 2
    assert build_and_publish(home) == published(loaded_template)
