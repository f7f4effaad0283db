"""The DuckDB file of a release: a copy of the warehouse in a form that many engines open.

Marts, the views of staging, the raw rows and the seeds that the marts' macros ask, each table and column with
its comment. A reader names a mart without its schema.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from tidemark import build, registry, snapshot, warehouse
from tidemark.errors import TidemarkError
from tidemark.lineage import Model
from tidemark.settings import Home

# DuckDB engines from 1.2 on read this format; 2.0's own default they refuse.
STORAGE_VERSION = "v1.0.0"
# An eighth of the usual size: most tables are small, and each column of one fills a block.
BLOCK_BYTES = 32768
FILE = "warehouse.duckdb"

RAW_TABLES = {
    "releases": "Every release that is loaded: one publication of a dataset.",
    "datasets": "What the passports say of each dataset.",
    "reachability": "The datasets whose publishers have given no good file for a day.",
    "outcomes": "What each step did, and how it ended. Of this home alone: no other build has the same rows.",
}
RAW_COLUMNS = {
    "archive_sha256": "SHA-256 of the archived file.",
    "baseline_date": "The month of the projection, its first day.",
    "bytes": "Size of the file.",
    "cadence": "How often the publisher releases it.",
    "cells": "Cells that the file states.",
    "dataset": "Source and dataset, such as tic/slt_table5.",
    "ended_at": "When the step ended, UTC.",
    "evidence": "published: the publisher's own file. cited: as others quoted it.",
    "file": "Name of the file.",
    "first_seen_at": "When this home archived it, UTC.",
    "frozen_after_days": "Days after late by which it counts as frozen.",
    "label": "The row's label, as published.",
    "lag_days": "Days from the end of a period to its release.",
    "last_answer": "What the last look came to.",
    "late_after_days": "Days after the newest figure's period by which the next is late.",
    "line": "The line of the file, NULL where the figure was withdrawn by not being printed.",
    "looks_ahead": "Whether it is a projection, whose newest figure lies ahead.",
    "measure": "What is measured, within the dataset.",
    "outcome_id": "Of this one outcome.",
    "period_end": "Reference period: its last day.",
    "plausible_revision_ratio": "How far a revision usually reaches, as a share of the figure.",
    "publisher": "Who publishes it.",
    "reason": "Why it ended as it did; NULL where nothing went wrong.",
    "reissue": "0 for the first issue of a release; other bytes under the same day add one.",
    "release": "The release it dealt with.",
    "released_on": "The day of the release.",
    "result": "done, unchanged, or what went wrong.",
    "revisions": "How the publisher revises it.",
    "rows": "Rows it wrote or looked at.",
    "source": "The publisher's passport.",
    "source_url": "Where the file is published.",
    "started_at": "When the step began, UTC.",
    "state": "Whether it is still published.",
    "status": "published, not_available, suppressed or deleted.",
    "step": "What was done: fetch, archive, validate, load, build, publish.",
    "title": "What it is, in the publisher's words.",
    "unit": "Unit of the figure, as published.",
    "unreachable_since": "The first day without a good file.",
    "value": "The figure, in its unit; NULL where the status is not published.",
}


Tables = dict[str, dict[str, int | str]]


def extract_only() -> list[registry.Source]:
    return [s for s in registry.sources().values() if s.licence["redistribution"] == "extract_only"]


def _leave_out_restricted(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop the raw tables of sources that allow an extract only, and the staging views on them; and of
    tables made of them the rows that do not come from the bundled extract.
    """
    for source in extract_only():
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


def write(home: Home, target: Path, models: dict[str, Model], restricted: bool) -> tuple[Tables, str]:
    """Copy the warehouse to `target` in the compatible format; its tables, and the newest release's day.

    Args:
        models: what dbt knows of the models: which intermediate ones travel with the release.
        restricted: whether it holds sources that allow an extract only.
    """
    connection = duckdb.connect()
    try:
        connection.execute(f"attach '{_quoted(home.warehouse)}' as warehouse (read_only)")
        connection.execute(
            f"attach '{_quoted(target)}' as release "
            f"(storage_version '{STORAGE_VERSION}', block_size {BLOCK_BYTES})"
        )
        # By way of memory: what is dropped from a file stays readable in its free blocks.
        connection.execute("attach ':memory:' as copied")
        connection.execute("copy from database warehouse to copied").fetchall()
        # It spans the raw tables for the models' sake; some of those may be left out below.
        connection.execute("drop view if exists copied.raw.observations")
        _leave_out_workings(connection, models)
        if not restricted:
            _leave_out_restricted(connection)
        _comment_raw(connection)
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
        # A comment is a statement, and there are hundreds: one commit instead of one each.
        connection.execute("begin")
        for mart in marts:
            connection.execute(f'create view main."{mart}" as select * from {build.MARTS}."{mart}"')
            _copy_comments(connection, mart)
        connection.execute("commit")
        (newest,) = connection.execute("select max(released_on) from raw.releases").fetchall()[0]
        return tables(connection, "release"), str(newest)
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


def _leave_out_workings(connection: duckdb.DuckDBPyConnection, models: dict[str, Model]) -> None:
    """Drop the intermediate tables, but for those that tell what no mart does."""
    for (name,) in connection.execute(
        "select table_name from duckdb_tables() where database_name = 'copied' "
        "and schema_name = 'intermediate'"
    ).fetchall():
        if name not in models or not models[name].is_published:
            connection.execute(f'drop table copied.intermediate."{name}"')


def _comment_raw(connection: duckdb.DuckDBPyConnection) -> None:
    """What stands in the raw tables, and in each of their columns; dbt tells of all others."""
    titles = {
        dataset.table: f"{dataset.title}: what each release said anew." for dataset in registry.datasets()
    }
    for name, columns in connection.execute(
        "select table_name, list(column_name order by column_index) from duckdb_columns() "
        "where database_name = 'copied' and schema_name = 'raw' group by table_name order by table_name"
    ).fetchall():
        said = RAW_TABLES.get(name) or titles.get(name)
        connection.execute(f'comment on table copied.raw."{name}" is {_literal(said)}')
        for column in columns:
            said = RAW_COLUMNS.get(column, "Part of the key of a series, as published.")
            connection.execute(f'comment on column copied.raw."{name}"."{column}" is {_literal(said)}')


def tables(connection: duckdb.DuckDBPyConnection, database: str) -> Tables:
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


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def check(connection: duckdb.DuckDBPyConnection, expected: Tables) -> None:
    """Hold a release that was written, opened anew, against what was copied into it.

    Raises:
        TidemarkError: a table reads back differently; names it.
    """
    found = tables(connection, "release")
    if wrong := [name for name in expected | found if found.get(name) != expected.get(name)]:
        raise TidemarkError(f"the copy differs from the warehouse in {', '.join(wrong)}", "publish again")
    connection.execute("select * from main.fct_holdings limit 1").fetchall()
