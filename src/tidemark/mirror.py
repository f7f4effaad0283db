"""A copy of the published marts in PostgreSQL, for tools that know no DuckDB.

One transaction puts a release there: whoever reads sees the one before until it ends, then this one, and
never a part. Tables stay the same tables from release to release, so that views which readers have made on
them live on; one whose columns have changed is made anew.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2 import errors
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class, named like a variable
from psycopg2.sql import SQL, Composable, Identifier, Literal

from tidemark import exports, publish
from tidemark.errors import TidemarkError, UsageError
from tidemark.exports import Mart
from tidemark.publish import Published
from tidemark.settings import Home

TYPES = {
    "VARCHAR": "text",
    "DATE": "date",
    "DOUBLE": "double precision",
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
}
ADDRESS = (
    "postgresql://user@host:port/database, and the password by PGPASSWORD or ~/.pgpass; in an address, signs "
    "of it such as @ / : % must be escaped"
)
HOLDERS = "dim_holder"
# Which release stands in the schema.
RELEASE = "mirrored_release"
# Whoever else mirrors into this database waits; the number is any that others will hardly use.
ADVISORY_LOCK = 7_214_911_093


@dataclass(frozen=True)
class Mirrored:
    """What a mirror holds: the release, and how many tables and rows it was."""

    release: str
    schema: str
    tables: int
    rows: int


def mirror(home: Home, url: str, schema: str = "tidemark", role: str = "tidemark_reader") -> Mirrored:
    """Copy the marts of the release that is current into a schema of a PostgreSQL database.

    Args:
        url: as libpq reads it, `postgresql://user@host:port/database`; a password by PGPASSWORD or ~/.pgpass.
        role: a role without login that may read the schema and nothing else; grant it to whom it may concern.

    Raises:
        UsageError: the address is none.
        TidemarkError: the database cannot be reached, forbids something, or somebody's own objects depend
            on a table whose columns have changed. The mirror stays as it was.
    """
    published = publish.current(home)
    marts = exports.described(published.folder)
    try:
        connection = psycopg2.connect(url, application_name="tidemark mirror")
    except psycopg2.ProgrammingError:
        # What libpq says of an address repeats it, and with it the password.
        raise UsageError("the address is none that libpq reads", ADDRESS) from None
    except psycopg2.OperationalError as error:
        said = str(error).strip()
        if any(secret in said for secret in _secrets(url)):
            raise TidemarkError(
                "PostgreSQL cannot be reached; what it said repeats a part of the password and is not shown",
                f"see that it runs, and that user and password are right; the address is {ADDRESS}",
            ) from None
        raise TidemarkError(
            f"PostgreSQL cannot be reached: {said}",
            "see that it runs, and that the address, user and password (PGPASSWORD) are right",
        ) from None
    try:
        with connection:  # commits at its end, or takes all back
            _write(connection, published, marts, schema, role)
    except errors.InsufficientPrivilege as error:
        raise TidemarkError(
            f"PostgreSQL forbids it: {str(error).strip()}",
            f"give the user the schema ({schema}) and the right to create roles, or create {role} first",
        ) from error
    except errors.DependentObjectsStillExist as error:
        raise TidemarkError(
            f"a table has other columns now, and something depends on it: {str(error).strip()}",
            "drop what depends on it, mirror again, and make it anew; the mirror is as it was",
        ) from error
    except psycopg2.Error as error:
        raise TidemarkError(f"PostgreSQL said: {str(error).strip()}", "the mirror is as it was") from error
    finally:
        connection.close()
    return Mirrored(published.name, schema, len(marts), sum(mart.rows for mart in marts))


def _secrets(url: str) -> set[str]:
    """What of an address may be a part of a password: all before the last @, but for the user.

    A password that is not escaped ends, for libpq, at the first sign that means something in an address:
    the rest of it is taken for a host or a port, and told.
    """
    before = url.rpartition("@")[0].partition("://")[2]
    return {part for part in re.split(r"[:/@%?#&=]", before.partition(":")[2]) if part}


def _write(
    connection: Connection, published: Published, marts: Sequence[Mart], schema: str, role: str
) -> None:
    _execute(connection, SQL("select pg_advisory_xact_lock({})").format(Literal(ADVISORY_LOCK)))
    _execute(connection, SQL("create schema if not exists {}").format(Identifier(schema)))
    _execute(connection, SQL("set local search_path to {}").format(Identifier(schema)))
    # Holders first, since others refer to them.
    ordered = sorted(marts, key=lambda mart: (mart.name != HOLDERS, mart.name))
    _drop_what_is_gone(connection, schema, ordered)
    for mart in reversed(ordered):
        if _columns(connection, schema, mart.name) == _wanted(mart):
            _execute(connection, SQL("delete from {}").format(Identifier(mart.name)))
        else:
            if mart.name == HOLDERS:
                _drop_references(connection, ordered)
            _execute(connection, SQL("drop table if exists {}").format(Identifier(mart.name)))
    for mart in ordered:
        if _columns(connection, schema, mart.name) != _wanted(mart):
            _create(connection, mart)
        _fill(connection, published, mart)
        _describe(connection, mart)
    for mart in ordered:
        _key(connection, schema, mart)
    _name_release(connection, published)
    _let_read(connection, schema, role)


def _wanted(mart: Mart) -> list[tuple[str, str]]:
    return [(column.name, TYPES[column.type]) for column in mart.columns]


def _columns(connection: Connection, schema: str, table: str) -> list[tuple[str, str]]:
    found = _execute(
        connection,
        SQL(
            "select column_name, data_type from information_schema.columns "
            "where table_schema = {} and table_name = {} order by ordinal_position"
        ).format(Literal(schema), Literal(table)),
    )
    return [(name, kind) for name, kind in found]


def _drop_what_is_gone(connection: Connection, schema: str, marts: Sequence[Mart]) -> None:
    """Tables of marts that there are no more: those that we have described, and no one else's."""
    known = {mart.name for mart in marts} | {RELEASE}
    ours = _execute(
        connection,
        SQL(
            "select relname from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace "
            "where nspname = {} and relkind = 'r' and obj_description(pg_class.oid) like {}"
        ).format(Literal(schema), Literal(f"%{MARK}")),
    )
    for (name,) in ours:
        if name not in known:
            _execute(connection, SQL("drop table {}").format(Identifier(name)))


def _drop_references(connection: Connection, marts: Sequence[Mart]) -> None:
    """Let the table of holders go: ours refer to it, and do so again once it is made anew."""
    for mart in marts:
        _execute(
            connection,
            SQL("alter table if exists {} drop constraint if exists {}").format(
                Identifier(mart.name), Identifier(f"{mart.name}_holder")
            ),
        )


# At the end of each table's comment: by this a mart that is gone is told from a table of somebody else's.
MARK = " (mirrored by tidemark)"


def _create(connection: Connection, mart: Mart) -> None:
    columns = SQL(", ").join(SQL("{} {}").format(Identifier(name), SQL(kind)) for name, kind in _wanted(mart))
    _execute(connection, SQL("create table {} ({})").format(Identifier(mart.name), columns))


def _fill(connection: Connection, published: Published, mart: Mart) -> None:
    """Copy the release's own CSV, in which an empty field is NULL and an empty text is quoted."""
    copy = SQL("copy {} from stdin with (format csv, header true)").format(Identifier(mart.name))
    with connection.cursor() as cursor, gzip.open(published.folder / mart.csv, "rb") as rows:
        cursor.copy_expert(copy, rows)
        copied = cursor.rowcount
    if copied != mart.rows:
        raise TidemarkError(f"{mart.name}: {copied} of {mart.rows} rows were copied", "mirror again")


def _describe(connection: Connection, mart: Mart) -> None:
    table = Identifier(mart.name)
    _execute(connection, SQL("comment on table {} is {}").format(table, Literal(f"{mart.description}{MARK}")))
    for column in mart.columns:
        said = SQL("comment on column {}.{} is {}").format(
            table, Identifier(column.name), Literal(column.description)
        )
        _execute(connection, said)


def _key(connection: Connection, schema: str, mart: Mart) -> None:
    """The key that dbt tests, and the reference to the holder; each once.

    A key with a column that may be NULL is unique, and no primary key.
    """
    there = {
        name
        for (name,) in _execute(
            connection,
            SQL(
                "select conname from pg_constraint inner join pg_class on conrelid = pg_class.oid "
                "inner join pg_namespace on pg_namespace.oid = relnamespace "
                "where nspname = {} and relname = {}"
            ).format(Literal(schema), Literal(mart.name)),
        )
    }
    table, key = Identifier(mart.name), f"{mart.name}_key"
    if mart.key and key not in there:
        columns = SQL(", ").join(Identifier(name) for name in mart.key)
        unknown = SQL(" or ").join(SQL("{} is null").format(Identifier(name)) for name in mart.key)
        ((has_nulls,),) = _execute(
            connection, SQL("select exists (select from {} where {})").format(table, unknown)
        )
        kind = SQL("unique nulls not distinct") if has_nulls else SQL("primary key")
        _execute(
            connection,
            SQL("alter table {} add constraint {} {} ({})").format(table, Identifier(key), kind, columns),
        )
    reference = f"{mart.name}_holder"
    if mart.name != HOLDERS and reference not in there and any(c.name == "holder_id" for c in mart.columns):
        _execute(
            connection,
            SQL(
                "alter table {} add constraint {} foreign key (holder_id) references {} (holder_id) "
                "deferrable initially deferred"
            ).format(table, Identifier(reference), Identifier(HOLDERS)),
        )


def _name_release(connection: Connection, published: Published) -> None:
    table = Identifier(RELEASE)
    _execute(
        connection,
        SQL("create table if not exists {} (release text not null, mirrored_at timestamptz not null)").format(
            table
        ),
    )
    _execute(
        connection,
        SQL("comment on table {} is {}").format(table, Literal(f"The release that stands here.{MARK}")),
    )
    _execute(connection, SQL("delete from {}").format(table))
    _execute(connection, SQL("insert into {} values ({}, now())").format(table, Literal(published.name)))


def _let_read(connection: Connection, schema: str, role: str) -> None:
    if not _execute(connection, SQL("select 1 from pg_roles where rolname = {}").format(Literal(role))):
        _execute(connection, SQL("create role {} nologin").format(Identifier(role)))
    of = {"schema": Identifier(schema), "role": Identifier(role)}
    _execute(connection, SQL("grant usage on schema {schema} to {role}").format(**of))
    _execute(connection, SQL("grant select on all tables in schema {schema} to {role}").format(**of))


def _execute(connection: Connection, statement: Composable) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []
