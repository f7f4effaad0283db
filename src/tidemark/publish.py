"""Published releases: an immutable folder each, and `current`, a link that points at one of them.

BI tools open `published/current/warehouse.duckdb` read-only. A release is built aside, checked, and put
there whole; then the link flips in one step. A folder is never touched after that, so whoever has the old
file open keeps reading it, and every new connection sees the new one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tidemark import archive, build, registry, snapshot, warehouse
from tidemark.errors import NothingPublishedError, TidemarkError
from tidemark.settings import Home, include_restricted
from tidemark.warehouse import outcome_of

# DuckDB engines from 1.2 on read this format; 2.0's own default they refuse.
STORAGE_VERSION = "v1.0.0"
FILE = "warehouse.duckdb"
MANIFEST = "release.json"


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
    contents again is the release already there.

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
            tables, newest = _copy(home, aside / FILE, restricted)
            contents = hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()
            name = f"{newest}-{contents[:8]}"
            outcome.release, outcome.rows = name, sum(int(table["rows"]) for table in tables.values())
            folder = home.published / name
            is_new = not folder.exists()
            if is_new:
                _check(aside / FILE, tables)
                left_out = [] if restricted else [source.id for source in _extract_only()]
                manifest = {"release": name, "raw_left_out": left_out, "tables": tables}
                archive.write_atomically(aside / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())
                aside.chmod(0o755)
                aside.rename(folder)
            else:
                outcome.result = "unchanged"
            _point_at(home, folder)
            build.remember_published(home, name, restricted)
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


Tables = dict[str, dict[str, int | str]]


def _extract_only() -> list[registry.Source]:
    return [s for s in registry.sources().values() if s.licence["redistribution"] == "extract_only"]


def _leave_out_restricted(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop the raw tables of sources that allow an extract only, and the staging views on them; and of
    tables made of them the rows that do not come from the bundled extract.
    """
    for source in _extract_only():
        for schema, kind, prefix in (
            ("staging", "view", f"stg_{source.id}__"),
            ("raw", "table", f"{source.id}__"),
        ):
            found = connection.execute(
                f"select {kind}_name from duckdb_{kind}s() where database_name = 'copied' "
                f"and schema_name = ? and starts_with({kind}_name, ?)",
                [schema, prefix],
            ).fetchall()
            for (name,) in found:
                connection.execute(f'drop {kind} copied."{schema}"."{name}"')
        made_of_files = connection.execute(
            "select schema_name, table_name, "
            "list(column_name) filter (ends_with(column_name, 'archive_sha256')) "
            "from duckdb_columns() where database_name = 'copied' and schema_name <> 'raw' "
            "group by all having bool_or(column_name = 'dataset') and bool_or(column_name = 'archive_sha256')"
        ).fetchall()
        for schema, name, files in made_of_files:
            if _is_table(connection, schema, name):
                # A revision, say, is made of more than one file, and must not tell any other's figure.
                ours = " and ".join(f'coalesce(list_contains($ours, "{file}"), true)' for file in files)
                connection.execute(
                    f'delete from copied."{schema}"."{name}" '
                    f"where starts_with(dataset, $source) and not ({ours})",
                    {"source": f"{source.id}/", "ours": sorted(snapshot.hashes())},
                )
        # A sum rests on several files, which `made_of` names: dataset:SHA-256, separated by spaces.
        made_of_several = connection.execute(
            "select schema_name, table_name from duckdb_columns() where database_name = 'copied' "
            "and schema_name <> 'raw' and column_name = 'made_of'"
        ).fetchall()
        for schema, name in made_of_several:
            if _is_table(connection, schema, name):
                connection.execute(
                    f'delete from copied."{schema}"."{name}" where len(list_filter('
                    "string_split(made_of, ' '), lambda file: starts_with(file, ?) "
                    "and not list_contains(?, split_part(file, ':', 2)))) > 0",
                    [f"{source.id}/", sorted(snapshot.hashes())],
                )


def _is_table(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    found = connection.execute(
        "select 1 from duckdb_tables() where database_name = 'copied' and schema_name = ? and table_name = ?",
        [schema, name],
    ).fetchall()
    return bool(found)


def _copy(home: Home, target: Path, restricted: bool) -> tuple[Tables, str]:
    """Copy the warehouse to `target` in the compatible format; returns its tables and the newest release."""
    connection = duckdb.connect()
    try:
        connection.execute(f"attach '{_quoted(home.warehouse)}' as warehouse (read_only)")
        connection.execute(f"attach '{_quoted(target)}' as release (storage_version '{STORAGE_VERSION}')")
        # By way of memory: what is dropped from a file stays readable in its free blocks.
        connection.execute("attach ':memory:' as copied")
        connection.execute("copy from database warehouse to copied").fetchall()
        # It spans the raw tables for the models' sake; some of those may be left out below.
        connection.execute("drop view if exists copied.raw.observations")
        if not restricted:
            _leave_out_restricted(connection)
        connection.execute("copy from database copied to release").fetchall()
        # A reader names a mart without its schema.
        marts = [
            name
            for (name,) in connection.execute(
                "select table_name from information_schema.tables where table_catalog = 'release' "
                "and table_schema = ? order by all",
                [build.MARTS],
            ).fetchall()
        ]
        if not marts:
            raise TidemarkError("the warehouse holds no marts", "build them first: tidemark build")
        connection.execute("use release")
        for mart in marts:
            connection.execute(f'create view main."{mart}" as select * from {build.MARTS}."{mart}"')
            _copy_comments(connection, mart)
        (newest,) = connection.execute("select max(released_on) from raw.releases").fetchall()[0]
        return _tables(connection, "release"), str(newest)
    finally:
        connection.close()


def _copy_comments(connection: duckdb.DuckDBPyConnection, mart: str) -> None:
    """The descriptions of a mart and its columns, on the view that stands for it in the default schema."""
    (of_table,) = connection.execute(
        "select table_comment from information_schema.tables where table_catalog = 'release' "
        "and table_schema = ? and table_name = ?",
        [build.MARTS, mart],
    ).fetchall()
    of_columns = connection.execute(
        "select column_name, comment from duckdb_columns() where database_name = 'release' "
        "and schema_name = ? and table_name = ?",
        [build.MARTS, mart],
    ).fetchall()
    connection.execute(f'comment on view main."{mart}" is {_literal(of_table[0])}')
    for column, comment in of_columns:
        connection.execute(f'comment on column main."{mart}"."{column}" is {_literal(comment)}')


def _literal(text: str | None) -> str:
    return "null" if text is None else "'" + text.replace("'", "''") + "'"


def _tables(connection: duckdb.DuckDBPyConnection, database: str) -> Tables:
    """Rows and contents (a hash over the sorted rows) of every table but the record of our own steps."""
    tables: Tables = {}
    for schema, name in connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = ? order by all", [database]
    ).fetchall():
        if (schema, name) == ("raw", "outcomes"):
            continue
        shown = "* exclude (first_seen_at)" if (schema, name) == ("raw", "releases") else "*"
        rows, digest = warehouse.contents(connection, f'select {shown} from "{schema}"."{name}"')
        tables[f"{schema}.{name}"] = {"rows": rows, "sha256": digest}
    return tables


def _check(file: Path, tables: Tables) -> None:
    """The file opens by itself, read-only, and holds what was copied."""
    connection = duckdb.connect(str(file), read_only=True)
    try:
        if (found := _tables(connection, file.stem)) != tables:
            wrong = [name for name in tables if found.get(name) != tables[name]]
            raise TidemarkError(f"{file} differs from the warehouse in {', '.join(wrong)}", "publish again")
        connection.execute("select * from fct_holdings limit 1").fetchall()
    finally:
        connection.close()


def _point_at(home: Home, folder: Path) -> None:
    """Flip `current`: a new link beside it takes its place in one step."""
    beside = home.published / f".current-{os.getpid()}"
    beside.unlink(missing_ok=True)
    beside.symlink_to(folder.name)
    beside.replace(home.current)


def _sweep(home: Home) -> None:
    """Take away what a publication that was killed left behind. Nobody else publishes: the lock is held."""
    for left in [*home.published.glob(".building-*"), *home.published.glob(".current-*")]:
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
