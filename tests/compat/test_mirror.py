"""The marts in PostgreSQL: a real server, of the test's own, that never runs as root."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg2
import pytest

from tests import postgres
from tidemark import exports, mirror, publish
from tidemark.errors import TidemarkError, UsageError
from tidemark.settings import Home


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres.running(tmp_path_factory.mktemp("mirror") / "server") as url:
        # For SQLAlchemy it names a driver; libpq knows none.
        yield url.replace("postgresql+psycopg2://", "postgresql://")


@pytest.fixture
def database(server: str) -> str:
    """An empty database."""
    name = f"mirror_{time.monotonic_ns()}"
    connection = psycopg2.connect(server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"create database {name}")
    connection.close()
    return server.rpartition("/")[0] + f"/{name}"


def ask(url: str, sql: str) -> list[tuple]:
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def test_every_mart_stands_there_alike(loaded_template, database):
    made = mirror.mirror(loaded_template, database)
    release = publish.current(loaded_template)
    assert (made.release, made.tables) == (release.name, 28)
    assert ask(database, "select release from tidemark.mirrored_release") == [(release.name,)]
    rows = 0
    with publish.opened(release.file) as connection:
        for mart in exports.described(release.folder):
            columns = ", ".join(f'"{column.name}"' for column in mart.columns)
            there = ask(database, f"select {columns} from tidemark.{mart.name}")
            here = connection.execute(f"select {columns} from marts.{mart.name}").fetchall()
            assert sorted(there, key=repr) == sorted(here, key=repr), mart.name
            rows += len(there)
    assert rows == made.rows > 100_000
    assert ask(
        database,
        "select holdings_usd_bn from tidemark.fct_holdings "
        "where holder_id = 'CHN' and period_end = '2025-10-31'",
    ) == [(687.7,)]
    # An empty text is no NULL.
    assert ask(database, "select count(*) from tidemark.fct_claim_checks where period_start = ''")[0][0] > 0


def test_types_comments_and_keys_travel(loaded_template, database):
    mirror.mirror(loaded_template, database)
    types = dict(ask(
        database,
        "select column_name, data_type from information_schema.columns "
        "where table_schema = 'tidemark' and table_name = 'mart_top_holders'",
    ))  # fmt: skip
    assert types["period_end"] == "date"
    assert types["holdings_usd_bn"] == "double precision"
    assert types["holder_rank"] == "bigint"
    assert types["is_custody_centre"] == "boolean"
    bare = ask(
        database,
        "select table_name, column_name from information_schema.columns where table_schema = 'tidemark' and "
        "table_name <> 'mirrored_release' and col_description((table_schema || '.' || table_name)::regclass, "
        "ordinal_position) is null",
    )
    assert bare == []
    keys = dict(ask(
        database,
        "select (select relname from pg_class where oid = conrelid), pg_get_constraintdef(oid) "
            "from pg_constraint "
        "where connamespace = 'tidemark'::regnamespace and contype = 'p'",
    ))  # fmt: skip
    assert keys["fct_holdings"] == "PRIMARY KEY (holder_id, period_end)"
    assert len(keys) > 20
    (references,) = ask(
        database,
        "select count(*) from pg_constraint where connamespace = 'tidemark'::regnamespace and contype = 'f'",
    )
    assert references[0] > 8


def test_the_role_reads_and_does_nothing_else(loaded_template, database):
    mirror.mirror(loaded_template, database)
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("set role tidemark_reader")
        cursor.execute("select count(*) from tidemark.dim_holder")
        assert cursor.fetchall()[0][0] > 200
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("delete from tidemark.dim_holder")
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("set role tidemark_reader")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("create table tidemark.mine (one integer)")


READING = """
import sys, time, psycopg2
connection = psycopg2.connect(sys.argv[1])
connection.autocommit = True
seen, until = [], time.time() + float(sys.argv[2])
print("asking", flush=True)
with connection.cursor() as cursor:
    while time.time() < until:
        cursor.execute("select (select release from tidemark.mirrored_release), "
                       "(select min(unchanged) from tidemark.mart_breadth), "
                       "(select count(*) from tidemark.fct_holdings), "
                       "(select count(*) from mine.favourites)")
        (row,) = cursor.fetchall()
        if not seen or seen[-1] != row:
            seen.append(row)
print(seen)
"""


def test_a_second_release_replaces_the_first_in_one_step_under_a_readers_eyes(published_home, database):
    first = mirror.mirror(published_home, database)
    # A view of a reader's own lives on.
    ask(database, "create schema mine")
    ask(
        database, "create view mine.favourites as select * from tidemark.fct_holdings where holder_id = 'CHN'"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", READING, database, "25"], stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout.readline() == "asking\n"
    with duckdb.connect(str(published_home.warehouse)) as connection:
        connection.execute("update marts.mart_breadth set unchanged = unchanged + 1000")
    publish.publish(published_home)
    second = mirror.mirror(published_home, database)
    assert second.release != first.release
    said, _ = reader.communicate()
    seen = eval(said)  # the reader's own list
    assert [row[0] for row in seen] == [first.release, second.release]
    assert seen[1][1] == seen[0][1] + 1000
    assert seen[1][2:] == seen[0][2:]
    assert seen[0][3] > 100


def test_a_table_whose_columns_changed_is_made_anew_unless_something_depends_on_it(published_home, database):
    mirror.mirror(published_home, database)
    ask(database, "alter table tidemark.dim_holder add column of_yesterday text")
    ask(database, "create table tidemark.somebodys (one integer)")
    mirror.mirror(published_home, database)
    assert ask(
        database, "select count(*) from information_schema.columns where column_name = 'of_yesterday'"
    ) == [(0,)]
    assert ask(database, "select count(*) from tidemark.somebodys") == [(0,)], "somebody else's stays"
    ask(database, "alter table tidemark.mart_breadth add column of_yesterday text")
    ask(database, "create view tidemark.theirs as select of_yesterday from tidemark.mart_breadth")
    with pytest.raises(TidemarkError, match="something depends on it") as refused:
        mirror.mirror(published_home, database)
    assert "theirs" in refused.value.message
    assert ask(database, "select count(*) from tidemark.mart_breadth")[0][0] > 0, "the mirror is as it was"


def test_what_cannot_be_reached_is_told(loaded_template, database, tmp_path: Path):
    with pytest.raises(UsageError, match="the address is none"):
        mirror.mirror(loaded_template, "not an address")
    with pytest.raises(TidemarkError, match="cannot be reached") as refused:
        mirror.mirror(loaded_template, "postgresql://nobody:secret@127.0.0.1:1/none")
    assert "secret" not in str(refused.value)
    from tidemark.errors import NothingPublishedError

    with pytest.raises(NothingPublishedError):
        mirror.mirror(Home(tmp_path), database)
