"""Makes the warehouse anew from the archive alone, and holds it against the one that stands."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from tidemark import archive, build, pipeline, registry, warehouse
from tidemark.archive import Release
from tidemark.errors import BusyError, TidemarkError
from tidemark.settings import Home

ASIDE = ".rebuilding-"
# What our own clock says, and what steps did, cannot be derived from the archive: a rebuild has it not.
OWN_RECORD = (("raw", "outcomes"), ("raw", "reachability"))


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild gave: its releases, its tables, and those that differ from what stood there before.

    `differs` is None where nothing stood there, or nothing that can be read: `damage` says what DuckDB said.
    """

    releases: int
    tables: int
    differs: list[str] | None
    damage: str | None = None


def rebuild(home: Home, replace: bool = True, progress: build.Progress | None = None) -> Rebuilt:
    """Load every release of the archive into an empty warehouse, build the marts, and compare.

    The files pass the same checks as when they came. With `replace` the new warehouse takes the old one's
    place, and the published release stays as it is until the next publication.

    Raises:
        TidemarkError: the archive is empty or damaged, or a file that was loaded is refused now; or a release
            came in meanwhile.
        BusyError: another process rebuilds this home.
    """
    held = archive.releases(home)
    if not held:
        raise TidemarkError(f"the archive at {home.archive} is empty", "load something: tidemark ingest tic")
    home.root.mkdir(parents=True, exist_ok=True)
    with _alone(home):
        aside = Home(Path(tempfile.mkdtemp(prefix=ASIDE, dir=home.root)))
        try:
            return _rebuild(home, aside, held, replace, progress)
        finally:
            shutil.rmtree(aside.root, ignore_errors=True)


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """The right to rebuild; what a rebuild that was killed left behind goes."""
    lock = FileLock(home.root / "rebuild.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BusyError(f"another process is rebuilding {home.warehouse}", "wait for it to end") from None
    try:
        for left in home.root.glob(f"{ASIDE}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        lock.release()


def _rebuild(
    home: Home, aside: Home, held: list[Release], replace: bool, progress: build.Progress | None
) -> Rebuilt:
    for number, dataset in enumerate(names := list(dict.fromkeys(r.dataset for r in held)), start=1):
        if progress is not None:
            progress(number, len(names), dataset)
        _load(home, aside, registry.dataset(dataset))
    begun = build.build(aside, progress)
    build.validate_marts(aside)
    build.remember_built(aside, begun)
    made = contents(aside.warehouse)
    with warehouse.exclusive(home):
        if archive.releases(home) != held:
            raise TidemarkError(
                "a release came in while the warehouse was made anew; it stays as it is",
                "run it again: tidemark rebuild",
            )
        differs, damage = _differences(home, made)
        if replace:
            _put_in_place(home, aside, held)
    return Rebuilt(len(held), len(made), differs, damage)


def _differences(home: Home, made: dict[str, tuple[int, str]]) -> tuple[list[str] | None, str | None]:
    if not home.warehouse.exists():
        return None, None
    try:
        warehouse.connect(home).close()  # waits for a process that just ends, and names one that does not
        stood = contents(home.warehouse)
    except duckdb.Error as error:
        return None, str(error).splitlines()[0]
    return sorted(name for name in made.keys() | stood.keys() if made.get(name) != stood.get(name)), None


def _put_in_place(home: Home, aside: Home, held: list[Release]) -> None:
    # What was written to the old file and never reached it must not be taken for the new one's.
    for log in home.root.glob(f"{home.warehouse.name}.wal*"):
        log.unlink()
    aside.warehouse.replace(home.warehouse)
    for note in (build.BUILDING_NOTE, build.BUILT_NOTE):
        (aside.root / note).replace(home.root / note)
    for release in held:
        warehouse.mark_loaded(home, release)


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
