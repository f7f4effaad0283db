"""CHANGES.md: what a release says otherwise than the one before it, by cells of the publishers' tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from tidemark import build, registry

FILE = "CHANGES.md"
LARGEST_SHOWN = 5


@dataclass(frozen=True)
class Revision:
    """A cell that says something else now. `line` names it: the key columns and the measure."""

    line: str
    period_end: date
    before: float | None
    now: float | None
    unit: str


@dataclass(frozen=True)
class Changed:
    """What changed in a dataset between two releases, in cells.

    Attributes:
        newest: the newest period of a cell that was added.
        largest: the revisions that moved farthest, by share of the figure before.
    """

    dataset: str
    added: int
    revised: int
    dropped: int
    newest: date | None
    largest: tuple[Revision, ...]


def write(connection: duckdb.DuckDBPyConnection, folder: Path, name: str, before: Path | None) -> None:
    """Write CHANGES.md of the release that `connection` has open.

    Args:
        before: the DuckDB file of the release that was current until now; None for the first one.
    """
    if before is not None:
        connection.execute(f"attach '{_quoted(before)}' as before (read_only)")
    try:
        changed = [
            compared
            for dataset in registry.datasets()
            if (compared := _compare(connection, dataset, before is not None)) is not None
        ]
        form = _form(connection) if before is not None else []
    finally:
        if before is not None:
            connection.execute("detach before")
    since = before.parent.name if before is not None else None
    (folder / FILE).write_text(_page(name, since, changed, form), encoding="utf-8")


def _compare(
    connection: duckdb.DuckDBPyConnection, dataset: registry.Dataset, has_before: bool
) -> Changed | None:
    """None where the release leaves this dataset's own rows out, or nothing of it is loaded."""
    keys = [*dataset.key, "measure", "period_end"]
    if not _has(connection, "release", dataset.table, keys):
        return None
    same = " and ".join(f'now."{key}" = before."{key}"' for key in keys)
    stands_before = (
        _standing("before", dataset.table, keys)
        if has_before and _has(connection, "before", dataset.table, keys)
        else f"{_standing('release', dataset.table, keys)} and false"
    )
    connection.execute(
        f"""
        create or replace temp table compared as
        with now as ({_standing("release", dataset.table, keys)}), before as ({stands_before})
        select concat_ws(' | ', {", ".join(f'coalesce(now."{key}", before."{key}")' for key in keys[:-1])}) as line,
            coalesce(now.period_end, before.period_end) as period_end,
            before.value as value_before, now.value as value_now, coalesce(now.unit, before.unit) as unit,
            case when before.status is null then 'added' when now.status is null then 'dropped'
                when now.value is distinct from before.value or now.status <> before.status
                    or now.unit <> before.unit then 'revised'
            end as change
        from now full join before on {same}
        """  # noqa: E501
    )
    ((added, revised, dropped, newest),) = connection.execute(
        "select count(*) filter (change = 'added'), count(*) filter (change = 'revised'), "
        "count(*) filter (change = 'dropped'), max(period_end) filter (change = 'added') from compared"
    ).fetchall()
    largest = connection.execute(
        "select line, period_end, value_before, value_now, unit from compared where change = 'revised' "
        "order by abs(value_now - value_before) / nullif(abs(value_before), 0) desc nulls last, "
        f"period_end desc, line limit {LARGEST_SHOWN}"
    ).fetchall()
    connection.execute("drop table compared")
    if not (added or revised or dropped):
        return None
    return Changed(dataset.name, added, revised, dropped, newest, tuple(Revision(*row) for row in largest))


def _standing(database: str, table: str, keys: list[str]) -> str:
    """What stands in a raw table: of each cell the newest statement, unless that withdraws it."""
    named = ", ".join(f'"{key}"' for key in keys)
    return f"""
        select {named}, value, status, unit from (
            select *, row_number() over (
                partition by {named} order by released_on desc, reissue desc
            ) as newest
            from {database}.raw."{table}"
        ) where newest = 1 and status <> 'deleted'"""


def _has(connection: duckdb.DuckDBPyConnection, database: str, table: str, keys: list[str]) -> bool:
    """Whether a release has a raw table with these columns; one of an older Tidemark may have others."""
    columns = connection.execute(
        "select column_name from duckdb_columns() where database_name = ? and schema_name = 'raw' "
        "and table_name = ?",
        [database, table],
    ).fetchall()
    return {name for (name,) in columns} >= set(keys)


def _form(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Marts and columns that came or went: what a reader's queries may have to follow."""
    columns = f"""
        select table_name, column_name, data_type from duckdb_columns()
        where database_name = $database and schema_name = '{build.MARTS}' order by table_name, column_index"""
    now = connection.execute(columns, {"database": "release"}).fetchall()
    then = connection.execute(columns, {"database": "before"}).fetchall()
    said = []
    for word, ours, theirs in (("new", now, then), ("gone", then, now)):
        known, marts = set(theirs), {name for name, _, _ in theirs}
        told: set[str] = set()
        for name, column, kind in ours:
            if name not in marts:
                if name not in told:
                    said.append(f"`{name}` is {word}")
                    told.add(name)
            elif (name, column, kind) not in known:
                said.append(f"`{name}.{column}` ({kind.lower()}) is {word}")
    return said


def _page(name: str, since: str | None, changed: list[Changed], form: list[str]) -> str:
    lines = [f"# Changes in {name}", ""]
    if since is None:
        lines += ["The first release published here: every cell is new.", ""]
    else:
        lines += [f"Since {since}.", ""]
    if not changed:
        lines += ["No cell of the publishers' tables has changed.", ""]
    else:
        lines += [
            "| dataset | cells added | newest period added | cells revised | cells dropped |",
            "| --- | ---: | --- | ---: | ---: |",
            *(
                f"| {one.dataset} | {one.added:,} | {one.newest or ''} | {one.revised:,} | {one.dropped:,} |"
                for one in changed
            ),
            "",
        ]
    if any(one.largest for one in changed):
        lines += [
            "## Largest revisions",
            "",
            f"At most {LARGEST_SHOWN} a dataset, by their share of the figure before.",
            "",
            "| dataset | cell | period | before | now | revision | unit |",
            "| --- | --- | --- | ---: | ---: | ---: | --- |",
            *(
                f"| {one.dataset} | {_cell(revision.line)} | {revision.period_end} | "
                f"{_figure(revision.before)} | {_figure(revision.now)} | {_moved(revision)} | "
                f"{revision.unit} |"
                for one in changed
                for revision in one.largest
            ),
            "",
        ]
    if form:
        lines += ["## Marts", "", *(f"* {said}" for said in form), ""]
    return "\n".join(lines)


def _cell(line: str) -> str:
    return line.replace("|", r"\|")


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:,.12g}"


def _moved(revision: Revision) -> str:
    if revision.before is None or revision.now is None:
        return ""
    return f"{revision.now - revision.before:+,.6g}"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
