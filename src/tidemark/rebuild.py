"""Makes the warehouse anew from the archive alone, and holds it against the one that stands."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tidemark import archive, build, pipeline, registry, warehouse
from tidemark.errors import TidemarkError
from tidemark.settings import Home

# What our own clock says, and what steps did, cannot be derived from the archive: a rebuild has it not.
OWN_RECORD = (("raw", "outcomes"), ("raw", "reachability"))


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild gave: its releases, its tables, and those that differ from what stood there before.

    `differs` is None where nothing stood there.
    """

    releases: int
    tables: int
    differs: list[str] | None


def rebuild(home: Home, replace: bool = True, progress: build.Progress | None = None) -> Rebuilt:
    """Load every release of the archive into an empty warehouse, build the marts, and compare.

    The files pass the same checks as when they came. With `replace` the new warehouse takes the old one's
    place, and the published release stays as it is until the next publication.

    Raises:
        TidemarkError: the archive is empty or damaged, or a file that was loaded is refused now.
    """
    held = archive.releases(home)
    if not held:
        raise TidemarkError(f"the archive at {home.archive} is empty", "load something: tidemark ingest tic")
    home.root.mkdir(parents=True, exist_ok=True)
    aside = Home(Path(tempfile.mkdtemp(prefix=".rebuilding-", dir=home.root)))
    try:
        for number, dataset in enumerate(names := list(dict.fromkeys(r.dataset for r in held)), start=1):
            if progress is not None:
                progress(number, len(names), dataset)
            _load(home, aside, registry.dataset(dataset))
        build.build(aside, progress)
        build.validate_marts(aside)
        build.remember_built(aside)
        with warehouse.exclusive(home):
            made = contents(aside.warehouse)
            differs = None
            if home.warehouse.exists():
                stood = contents(home.warehouse)
                differs = sorted(
                    name for name in made.keys() | stood.keys() if made.get(name) != stood.get(name)
                )
            if replace:
                aside.warehouse.replace(home.warehouse)
                for note in (build.BUILDING_NOTE, build.BUILT_NOTE):
                    (aside.root / note).replace(home.root / note)
                for release in held:
                    pipeline.mark_loaded(home, release)
        return Rebuilt(len(held), len(made), differs)
    finally:
        shutil.rmtree(aside.root, ignore_errors=True)


def _load(home: Home, aside: Home, dataset: registry.Dataset) -> None:
    """Every release of a dataset, under its own date, issue and first sight, by the usual steps."""
    held = archive.releases(home, dataset.name)
    for release in held:
        archive.adopt(aside, release, archive.read(home, release))
    ids = [release.id for release in held]
    pipeline.validate_releases(aside, dataset, ids)
    pipeline.load_releases(aside, dataset, ids)


def contents(file: Path) -> dict[str, tuple[int, str]]:
    """How many rows each table and each view of the marts has, and a hash of them."""
    connection = duckdb.connect(str(file), read_only=True)
    try:
        names = connection.execute(
            "select schema_name, table_name from duckdb_tables() where schema_name not like 'dbt_%' "
            "union all select schema_name, view_name from duckdb_views() where not internal order by all"
        ).fetchall()
        return {
            f"{schema}.{name}": warehouse.contents(connection, f'select * from "{schema}"."{name}"')
            for schema, name in names
            if (schema, name) not in OWN_RECORD
        }
    finally:
        connection.close()
