"""A source whose licence allows an extract only stays out of what is published, unless it is switched on."""

from __future__ import annotations

import dataclasses
import json
import shutil

import duckdb
import pytest

from tidemark import build, publish, registry, release_file
from tidemark.settings import RESTRICTED_VARIABLE

SOURCE = "fed"


@pytest.fixture
def restricted_home(published_home, monkeypatch):
    """A published home, in which one of the sources turns out to allow an extract only."""
    all_sources = dict(registry.sources())
    fed = all_sources[SOURCE]
    all_sources[SOURCE] = dataclasses.replace(fed, licence={**fed.licence, "redistribution": "extract_only"})
    monkeypatch.setattr(registry, "sources", lambda: all_sources)
    monkeypatch.delenv(RESTRICTED_VARIABLE, raising=False)
    return published_home


def held(published) -> set[str]:
    """The raw tables and staging views of the source in a release."""
    with duckdb.connect(str(published.file), read_only=True) as connection:
        rows = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where starts_with(table_name, ?) or starts_with(table_name, ?)",
            [f"{SOURCE}__", f"stg_{SOURCE}__"],
        ).fetchall()
    return {name for (name,) in rows}


def test_it_is_left_out_with_its_views_and_not_a_figure_stays_in_the_file(restricted_home):
    # A text that no mart takes over: it must not be in the file, its free blocks included.
    with duckdb.connect(str(restricted_home.warehouse)) as connection:
        connection.execute(
            "insert into raw.fed__treast by name "
            "select * replace ('ONLY_IN_RAW_7d1f' as label) from raw.fed__treast limit 1"
        )
    published = publish.publish(restricted_home)
    assert held(published) == set()
    manifest = json.loads((published.folder / publish.MANIFEST).read_text("utf-8"))
    assert SOURCE in manifest["raw_left_out"]
    with duckdb.connect(str(published.file), read_only=True) as connection:
        (row,) = connection.execute("select count(*) from raw.tic__slt_table5").fetchall()
        assert row[0] > 0
        assert connection.execute("select count(*) from fct_holdings").fetchall()[0][0] > 0
    assert b"ONLY_IN_RAW_7d1f" in restricted_home.warehouse.read_bytes()
    assert b"ONLY_IN_RAW_7d1f" not in published.file.read_bytes()


def test_the_operator_switches_it_on(restricted_home, monkeypatch):
    left_out = publish.publish(restricted_home)
    assert not build.anything_new(restricted_home)
    monkeypatch.setenv(RESTRICTED_VARIABLE, "1")
    assert build.anything_new(restricted_home)
    taken_in = publish.publish(restricted_home)
    assert held(taken_in) == {"raw.fed__treast", "staging.stg_fed__treast"}
    assert taken_in.name != left_out.name
    assert not build.anything_new(restricted_home)
    assert publish.publish(restricted_home, restricted=False).name == left_out.name


def test_of_files_that_the_operator_brings_nothing_is_published(loaded_template, tmp_path, monkeypatch):
    monkeypatch.delenv(RESTRICTED_VARIABLE, raising=False)
    warehouse = tmp_path / "copy.duckdb"
    shutil.copy(loaded_template.warehouse, warehouse)
    connection = duckdb.connect()
    connection.execute(f"attach '{warehouse}' as copied")
    held = "copied.intermediate.int_gold_holdings__stated"
    (bundled,) = connection.execute(f"select count(*) from {held}").fetchall()[0]
    assert bundled > 4000
    connection.execute(
        f"insert into {held} by name select * replace ('wgc/holdings_quarterly' as dataset, "
        f"'brought' as archive_sha256) from {held} limit 7"
    )
    release_file._leave_out_restricted(connection)
    assert connection.execute(f"select count(*) from {held}").fetchall() == [(bundled,)]
    (left,) = connection.execute("select count(*) from copied.marts.fct_holdings").fetchall()[0]
    assert left > 0
