"""Published releases: an immutable folder each, and `current`, a link that points at one of them.

BI tools open `published/current/warehouse.duckdb` read-only. A release is built aside, checked, and put
there whole; then the link flips in one step. A folder is never touched after that, so whoever has the old
file open keeps reading it, and every new connection sees the new one.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from tidemark import archive, build, changes, claims_report, clock, exports, lineage, recipe, site, warehouse
from tidemark import release_file as database
from tidemark.errors import NothingPublishedError, TidemarkError, UsageError
from tidemark.release_file import FILE
from tidemark.settings import Home, include_restricted, kept_days, kept_releases
from tidemark.warehouse import outcome_of

MANIFEST, SUMS = "release.json", "SHA256SUMS"


@dataclass(frozen=True)
class Published:
    """A published release: its name, its folder, and whether publishing made it anew."""

    name: str
    folder: Path
    is_new: bool

    @property
    def file(self) -> Path:
        return self.folder / FILE


def publish(home: Home, restricted: bool | None = None) -> Published:
    """Copy the warehouse into a new release and point `current` at it.

    A release is named for the newest publication in it and for its contents, so publishing the same
    contents again is the release already there. Releases that are neither among the newest nor young are
    removed afterwards, unless somebody reads them.

    Args:
        restricted: whether it holds sources that allow an extract only; None: as the environment says.

    Raises:
        TidemarkError: the marts are not built whole from what is loaded, or the copy does not hold what
            the warehouse holds; `current` stays where it is.
    """
    restricted = include_restricted() if restricted is None else restricted
    with outcome_of(home, "publish") as outcome, warehouse.exclusive(home):
        build.expect_built(home)
        home.published.mkdir(parents=True, exist_ok=True)
        _sweep(home)
        aside = Path(tempfile.mkdtemp(prefix=".building-", dir=home.published))
        try:
            manifest = lineage.manifest(home)
            models = lineage.models(manifest)
            tables, newest = database.write(home, aside / FILE, models, restricted)
            name = f"{newest}-{_digest(tables)[:8]}"
            outcome.release, outcome.rows = name, sum(int(table["rows"]) for table in tables.values())
            folder = home.published / name
            is_new = not folder.exists() or _make_way(home, folder)
            if is_new:
                _write_beside(home, aside, name, tables, manifest, models)
                left_out = [] if restricted else [source.id for source in database.extract_only()]
                _write_manifest(aside, {"release": name, "raw_left_out": left_out, "tables": tables})
                _write_sums(aside)
                aside.chmod(0o755)
                aside.rename(folder)
            else:
                outcome.result = "unchanged"
            _point_at(home, folder)
            build.remember_published(home, name, restricted)
            _retire(home)
            return Published(name, folder, is_new)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def current(home: Home) -> Published:
    """The release that `current` points at.

    Raises:
        NothingPublishedError: there is none yet.
    """
    if not (home.current / FILE).exists():
        raise NothingPublishedError(f"nothing is published at {home.current}", "run the pipeline: make run")
    folder = home.current.resolve()
    return Published(folder.name, folder, is_new=False)


def site_of_current(home: Home) -> Path:
    """The front page of the release that is current, by the link, so that it stays the address.

    Raises:
        NothingPublishedError: there is none yet.
    """
    current(home)
    return home.current / site.FOLDER / "index.html"


def releases(home: Home) -> list[Published]:
    """Every published release that is kept, the last published first."""
    folders = [path for path in home.published.glob("[!.]*") if path.is_dir() and not path.is_symlink()]
    folders.sort(key=lambda folder: (folder.stat().st_mtime, folder.name), reverse=True)
    return [Published(folder.name, folder, is_new=False) for folder in folders]


def rollback(home: Home, name: str) -> Published:
    """Point `current` at a release that was published before.

    It stays there until something new is loaded, or somebody publishes by hand.

    Raises:
        UsageError: there is no such release; names those there are.
    """
    with outcome_of(home, "rollback", release=name), warehouse.exclusive(home):
        kept = {release.name: release for release in releases(home)}
        if name not in kept:
            there = ", ".join(kept) or "none"
            raise UsageError(f"there is no published release {name}", f"there are: {there}")
        verify(kept[name].folder)
        _point_at(home, kept[name].folder)
        build.remember_rolled_back(home, name)
        return kept[name]


@contextmanager
def opened(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The DuckDB file of a release, read-only, as the database `release`."""
    connection = duckdb.connect(":memory:", config={"autoload_known_extensions": False})
    try:
        quoted = str(file).replace("'", "''")
        connection.execute(f"attach '{quoted}' as release (read_only)").fetchall()
        connection.execute("use release")
        yield connection
    finally:
        connection.close()


def _digest(tables: database.Tables) -> str:
    """What is in a release, and what its files are made by, as one hash."""
    digest = recipe.digest_of(recipe.OF_RELEASES)
    digest.update(json.dumps(tables, sort_keys=True).encode())
    return digest.hexdigest()


def _write_beside(
    home: Home,
    folder: Path,
    name: str,
    tables: database.Tables,
    manifest: dict[str, Any],
    models: dict[str, lineage.Model],
) -> None:
    """What stands beside the DuckDB file: Parquet, CSV, their description, changes, claims, the site.

    Raises:
        TidemarkError: the DuckDB file or one of the others does not hold what it should.
    """
    with opened(folder / FILE) as connection, ThreadPoolExecutor(1) as beside:
        marts = exports.marts(connection, models)
        exports.write(connection, marts, folder)
        # DuckDB reads back while Python makes the site: neither waits for the other.
        checked = beside.submit(_check, folder, marts, tables)
        exports.describe(marts, folder, name)
        before = home.current.resolve() / FILE
        changes.write(connection, folder, name, before if before.exists() else None)
        claims_report.write(connection, folder, name)
        site.write(connection, folder, name, marts, manifest, has_data_docs=home.data_docs.exists())
        checked.result()


def _check(folder: Path, marts: list[exports.Mart], tables: database.Tables) -> None:
    """Open a release anew, and hold all that was written against what was copied into it."""
    with opened(folder / FILE) as connection:
        database.check(connection, tables)
        exports.check(connection, marts, folder, tables)


def _write_manifest(folder: Path, content: dict[str, Any]) -> None:
    """release.json: the tables and their hashes, and the hash of every file that two builds write alike."""
    files = {
        str(path.relative_to(folder)): archive.sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in (".parquet", ".gz", ".json")
    }
    archive.write_atomically(
        folder / MANIFEST, (json.dumps({**content, "files": files}, indent=2) + "\n").encode()
    )


def _write_sums(folder: Path) -> None:
    """The hash of every file of a release, as `sha256sum --check` reads it."""
    lines = [
        f"{archive.sha256_of(path)}  {path.relative_to(folder)}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    archive.write_atomically(folder / SUMS, "".join(lines).encode())


def _make_way(home: Home, folder: Path) -> bool:
    """Take a release away that is no longer what was published, so that it can be published anew."""
    try:
        verify(folder)
    except TidemarkError:
        removed = home.published / f".removed-{folder.name}"
        folder.rename(removed)
        shutil.rmtree(removed, ignore_errors=True)
        return True
    return False


def _point_at(home: Home, folder: Path) -> None:
    """Flip `current`: a new link beside it takes its place in one step."""
    beside = home.published / f".current-{os.getpid()}"
    beside.unlink(missing_ok=True)
    beside.symlink_to(folder.name)
    beside.replace(home.current)


def _sweep(home: Home) -> None:
    """Take away what a publication that was killed left behind. Nobody else publishes: the lock is held."""
    for left in [
        *home.published.glob(".building-*"),
        *home.published.glob(".current-*"),
        *home.published.glob(".removed-*"),
    ]:
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _retire(home: Home) -> None:
    """Remove releases that are neither among the newest nor young. One that somebody has open stays until
    the next publication, and so does the one that is current.
    """
    youngest_to_go = clock.now().astimezone(UTC) - timedelta(days=kept_days())
    standing = current(home).folder
    for release in releases(home)[kept_releases() :]:
        published_at = datetime.fromtimestamp(release.folder.stat().st_mtime, UTC)
        if release.folder == standing or published_at > youngest_to_go or is_read(release.file):
            continue
        # Gone from sight in one step: nobody finds half a release.
        removed = home.published / f".removed-{release.name}"
        release.folder.rename(removed)
        shutil.rmtree(removed, ignore_errors=True)


def is_read(file: Path) -> bool:
    """Whether a process on this machine has a DuckDB file open: readers hold a shared lock on it."""
    try:
        with file.open("r+b") as handle:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    except FileNotFoundError:
        return False
    return False


def verify(folder: Path) -> None:
    """Compare the files of a release with the hashes that were written down with them.

    Raises:
        TidemarkError: a file is missing or has other bytes; names it.
    """
    try:
        lines = (folder / SUMS).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise TidemarkError(f"{folder / SUMS} cannot be read", "publish again: tidemark publish") from None
    for line in lines:
        expected, _, name = line.partition("  ")
        path = folder / name
        if not path.is_file() or archive.sha256_of(path) != expected:
            raise TidemarkError(
                f"{path} is not the file that was published", "publish again, or roll back: tidemark rollback"
            )
