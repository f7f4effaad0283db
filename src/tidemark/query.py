"""Questions to the published release, in SQL, today's figures or those of a day."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb

from tidemark import publish
from tidemark.errors import UsageError
from tidemark.settings import Home


@dataclass(frozen=True)
class Answer:
    """The columns and rows of a query."""

    columns: list[str]
    rows: list[tuple[Any, ...]]

    def as_csv(self) -> str:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([["" if cell is None else _plain(cell) for cell in row] for row in self.rows])
        return out.getvalue()

    def as_json(self) -> str:
        """A list of objects; dates as YYYY-MM-DD, NULL and NaN as null, a name that repeats as name_1."""
        names: list[str] = []
        for column in self.columns:
            repeats = sum(name == column or name.startswith(f"{column}_") for name in names)
            names.append(f"{column}_{repeats}" if column in names else column)
        objects = [{name: _json(cell) for name, cell in zip(names, row, strict=True)} for row in self.rows]
        return json.dumps(objects, ensure_ascii=False, indent=2, default=str, allow_nan=False)


def _plain(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, date) else cell


def _json(cell: Any) -> Any:
    if isinstance(cell, Decimal):
        return (
            int(cell) if cell == cell.to_integral_value() and cell.as_tuple().exponent == 0 else float(cell)
        )
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return _plain(cell)


@contextmanager
def reading(home: Home, as_of: date | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the published release that can do nothing but read it.

    The release is attached read-only; other files, extensions and settings are out of reach.

    Args:
        as_of: show each mart that keeps vintages as it was known at the end of that day. Marts that keep
            none are hidden then: they would show today's figures under an older date.
    """
    connection = duckdb.connect(":memory:", config={"autoload_known_extensions": False})
    try:
        file = str(publish.current(home).file).replace("'", "''")
        connection.execute(f"attach '{file}' as release (read_only)").fetchall()
        if as_of is None:
            connection.execute("use release")
        else:
            _show_as_of(connection, as_of)
        connection.execute("set enable_external_access = false; set lock_configuration = true")
        yield connection
    finally:
        connection.close()


def _show_as_of(connection: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """The marts that keep vintages, cut off at a day, under their own names; the release itself goes away.

    A mart that keeps none says so when it is asked, rather than show today's figures under an older date.
    """
    day = f"date '{as_of.isoformat()}'"
    marts = _marts(connection)
    kept = [name for name in marts if f"{name}_vintages" in marts or name.endswith("_vintages") or _dim(name)]
    connection.execute("create schema marts")
    for name in marts:
        source = f'release.marts."{name}"'
        if f"{name}_vintages" in marts:
            columns = ", ".join(
                f'"{column}"'
                for (column,) in connection.execute(
                    "select column_name from duckdb_columns() where database_name = 'release' "
                    "and schema_name = 'marts' and table_name = ? order by column_index",
                    [name],
                ).fetchall()
            )
            shown = f"""select {columns} from release.marts."{name}_vintages"
                where released_on <= {day} and (superseded_on is null or superseded_on > {day})
                    and status <> 'deleted'"""
        elif name.endswith("_vintages"):
            shown = f"""select * replace (case when superseded_on <= {day} then superseded_on end
                as superseded_on) from {source} where released_on <= {day}"""
        elif _dim(name):
            shown = f"select * from {source}"
        else:
            told = f"{name} keeps no vintages; as of a day these can be asked: {', '.join(kept)}"
            connection.execute(f"create view marts.\"{name}\" as select error('{told}') as {name}")
            connection.execute(f'create view main."{name}" as select * from marts."{name}"')
            continue
        connection.execute(f'create table marts."{name}" as {shown}').fetchall()
        connection.execute(f'create view main."{name}" as select * from marts."{name}"')
    connection.execute("detach release")


def _dim(name: str) -> bool:
    return name.startswith("dim_")


def _marts(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute(
        "select table_name from information_schema.tables "
        "where table_catalog = 'release' and table_schema = 'marts' order by all"
    ).fetchall()
    return [name for (name,) in found]


def ask(home: Home, sql: str, as_of: date | None = None) -> Answer:
    """The answer to a query against the published release.

    Raises:
        UsageError: the SQL is wrong, wants to write, or asks for a mart that keeps no vintages as of a day.
    """
    with reading(home, as_of) as connection:
        return answer(connection, sql)


def answer(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any] | None = None
) -> Answer:
    """The answer to a query on a connection of `reading`.

    Raises:
        UsageError: as `ask`.
    """
    try:
        sql.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError("the SQL is no UTF-8", "see how your terminal is set") from None
    try:
        _expect_questions(connection, sql)
        # An EXPLAIN ANALYZE is a question, and runs what it explains.
        connection.execute("begin transaction read only")
        try:
            result = connection.execute(sql, parameters or {})
            columns = [column[0] for column in result.description or []]
            return Answer(columns, result.fetchall())
        finally:
            connection.execute("rollback")
    except duckdb.Error as error:
        raise wrong(error) from error


def _expect_questions(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Only what asks: as of a day, the figures stand in memory, where a change would look as if it worked."""
    statements = connection.extract_statements(sql)
    if not statements:
        raise UsageError("there is no SQL to run", 'give some: tidemark sql "select * from mart_top_holders"')
    for statement in statements:
        try:
            kind = statement.type.name
        except ValueError:  # a kind that DuckDB has and its Python package has no name for
            kind = "This statement"
        if kind not in ("SELECT", "EXPLAIN", "SHOW", "PRAGMA", "RELATION", "LOGICAL_PLAN"):
            raise UsageError(
                f"{kind} changes something; this only answers questions",
                'ask: tidemark sql "select ..."',
            )


def wrong(error: duckdb.Error) -> UsageError:
    """An error of DuckDB in a user's SQL, with advice."""
    said = str(error).strip()
    if "keeps no vintages; " in said:
        what, _, advice = said.removeprefix("Invalid Input Error: ").partition("; ")
        return UsageError(what, advice)
    return UsageError(said, 'see what there is: tidemark sql "show all tables"')
