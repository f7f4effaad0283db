"""What a published release holds, that two builds write it alike, and going back to an older one."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import duckdb
import frictionless
import pytest

from tests.conftest import day, load_snapshot
from tests.e2e.test_whole_or_nothing import revised_table5
from tidemark import build, changes, clock, exports, pipeline, publish, registry, snapshot
from tidemark.errors import TidemarkError, UsageError
from tidemark.publish import Published
from tidemark.settings import KEEP_DAYS_VARIABLE, KEEP_RELEASES_VARIABLE, Home
from tidemark.snapshot import Incoming

MEGABYTE = 1_000_000


@pytest.fixture
def release(loaded_template: Home) -> Published:
    return publish.current(loaded_template)


def built_alike(folder: Path) -> dict[str, str]:
    """The hashes of the files that two builds of one archive write alike."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in (".parquet", ".gz", ".json")
    }


def touched(home: Home) -> None:
    """Another content, without a build: a mart says something else, as a load would have made it."""
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("update marts.mart_breadth set unchanged = unchanged + 1")


def test_it_holds_every_mart_as_parquet_and_csv_and_is_small(release):
    with publish.opened(release.file) as connection:
        marts = {name for (name,) in connection.execute(
            "select table_name from information_schema.tables where table_schema = 'marts' "
            "and table_catalog = 'release'"
        ).fetchall()}  # fmt: skip
    assert {path.stem for path in (release.folder / "parquet").iterdir()} == marts
    assert {path.name for path in (release.folder / "csv").iterdir()} == {f"{m}.csv.gz" for m in marts}
    size = sum(path.stat().st_size for path in release.folder.rglob("*") if path.is_file())
    assert size < 60 * MEGABYTE


def test_a_published_figure_stands_in_each_form(release):
    china = "holder_id = 'CHN' and period_end = date '2025-10-31'"
    with publish.opened(release.file) as connection:
        for table in (
            "fct_holdings",
            f"'{release.folder}/parquet/fct_holdings.parquet'",
            f"'{release.folder}/csv/fct_holdings.csv.gz'",
        ):
            asked = f"select holdings_usd_bn from {table} where {china}"
            assert connection.execute(asked).fetchall() == [(687.7,)]


def test_every_table_and_column_has_a_comment(release):
    with duckdb.connect(str(release.file), read_only=True) as connection:
        bare = connection.execute(
            "select schema_name, table_name, '' from duckdb_tables() where comment is null union all "
            "select schema_name, view_name, '' from duckdb_views() where comment is null and not internal "
            "union all select schema_name, table_name, column_name from duckdb_columns() "
            "where comment is null and not internal"
        ).fetchall()
    assert bare == []


def test_the_data_package_is_valid_and_so_is_every_row(release):
    package = frictionless.Package(str(release.folder / "datapackage.json"))
    assert len(package.resources) == 28
    # The largest tables take frictionless minutes; every row of them was read back by the publication.
    small = [r.name for r in package.resources if r.rows < 3000]
    assert len(small) > 12
    report = frictionless.Package(
        {**package.to_descriptor(), "resources": [package.get_resource(n).to_descriptor() for n in small]},
        basepath=str(release.folder),
    ).validate()
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "message"])[:10]


def test_the_data_package_tells_units_keys_licences_and_sources(release):
    content = json.loads((release.folder / "datapackage.json").read_text("utf-8"))
    by_name = {resource["name"]: resource for resource in content["resources"]}
    holdings = by_name["fct_holdings"]
    assert holdings["schema"]["primaryKey"] == ["holder_id", "period_end"]
    assert {"tic/slt_table5", "tic/mfhhis01"} <= set(holdings["datasets"])
    (unit,) = [f["unit"] for f in holdings["schema"]["fields"] if f["name"] == "holdings_usd_bn"]
    assert unit == "USD billion"
    gold = by_name["fct_gold_holdings"]
    assert any("World Gold Council" in source["title"] for source in gold["sources"])
    for resource in by_name.values():
        assert hashlib.sha256((release.folder / resource["path"]).read_bytes()).hexdigest() == resource[
            "hash"
        ].removeprefix("sha256:")
        assert all(field["description"] for field in resource["schema"]["fields"])


def test_a_table_that_tells_of_the_day_of_asking_is_written_without_it(release):
    text = gzip.decompress((release.folder / "csv" / "mart_source_freshness.csv.gz").read_bytes()).decode()
    (head, *_) = csv.reader(io.StringIO(text))
    assert "state" not in head
    assert {"late_after", "frozen_after"} <= set(head)


def test_two_builds_of_one_archive_write_the_same_bytes(release, tmp_path):
    again = Home(tmp_path / "again")
    load_snapshot(again)
    begun = build.build(again)
    build.validate_marts(again)
    build.remember_built(again, begun)
    second = publish.publish(again)
    assert second.name == release.name
    assert built_alike(second.folder) == built_alike(release.folder)


def test_a_release_tells_what_changed_since_the_one_before(published_home):
    before = publish.current(published_home)
    said = (before.folder / changes.FILE).read_text("utf-8")
    assert "first release" in said
    dataset = registry.dataset("tic/slt_table5")
    incoming = Incoming("again.txt", revised_table5(), day("2026-09-16"), dataset.url)
    pipeline.ingest(published_home, dataset, [incoming])
    begun = build.build(published_home)
    build.validate_marts(published_home)
    build.remember_built(published_home, begun)
    after = publish.publish(published_home)
    said = (after.folder / changes.FILE).read_text("utf-8")
    assert f"Since {before.name}" in said
    assert "| tic/slt_table5 | 0 |  | 2 | 0 |" in said
    # China's newest month: 618.0 as published, and 2.0 more in the second issue.
    assert "| 2026-07-31 | 618 | 620 | +2 | usd_bn |" in said
    assert "tic/mfhhis01" not in said


def test_columns_that_come_and_go_are_told(published_home, tmp_path):
    old = tmp_path / "old" / "warehouse.duckdb"
    old.parent.mkdir()
    release = publish.current(published_home)
    old.write_bytes(release.file.read_bytes())
    with duckdb.connect(str(old)) as connection:
        connection.execute("alter table marts.mart_breadth rename column fell to dropped")
        connection.execute("create table marts.mart_gone as select 1 as one")
    with publish.opened(release.file) as connection:
        changes.write(connection, tmp_path, "now", old)
    said = (tmp_path / changes.FILE).read_text("utf-8")
    assert "`mart_breadth.fell` (integer) is new" in said
    assert "`mart_breadth.dropped` (integer) is gone" in said
    assert "`mart_gone` is gone" in said
    assert "No cell of the publishers' tables has changed" in said


def test_going_back_stays_until_something_new_is_loaded(published_home):
    first = publish.current(published_home)
    touched(published_home)
    second = publish.publish(published_home)
    assert second.name != first.name
    assert publish.current(published_home).name == second.name
    back = publish.rollback(published_home, first.name)
    assert publish.current(published_home).name == back.name == first.name
    assert not build.anything_new(published_home)
    with duckdb.connect(str(published_home.current / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from fct_holdings").fetchall()[0][0] > 0
    # By hand it goes forward again.
    assert publish.publish(published_home).name == second.name


def test_going_back_to_what_is_not_there_or_not_whole_is_refused(published_home):
    first = publish.current(published_home)
    with pytest.raises(UsageError, match="no published release nope") as refused:
        publish.rollback(published_home, "nope")
    assert first.name in refused.value.advice
    touched(published_home)
    second = publish.publish(published_home)
    flipped = first.folder / "parquet" / "fct_holdings.parquet"
    flipped.write_bytes(flipped.read_bytes()[:-1] + b"x")
    with pytest.raises(TidemarkError, match="is not the file that was published"):
        publish.rollback(published_home, first.name)
    assert publish.current(published_home).name == second.name


@pytest.mark.parametrize(
    "name", ["warehouse.duckdb", "csv/fct_holdings.csv.gz", "site/index.html", "SHA256SUMS"]
)
def test_a_release_that_was_damaged_is_published_anew(published_home, name):
    first = publish.current(published_home)
    assert not publish.publish(published_home).is_new
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=first.folder, check=True)
    damaged = first.folder / name
    damaged.write_bytes(damaged.read_bytes()[:-20] + b"x" * 20)
    with pytest.raises(TidemarkError, match=r"is not the file that was published|cannot be read"):
        publish.rollback(published_home, first.name)
    again = publish.publish(published_home)
    assert (again.name, again.is_new) == (first.name, True)
    publish.rollback(published_home, first.name)


READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
sys.stdin.readline()
print(connection.execute("select count(*) from fct_holdings").fetchall()[0][0])
"""


def test_old_releases_go_but_not_young_ones_nor_one_that_is_read(published_home, monkeypatch):
    monkeypatch.setenv(KEEP_RELEASES_VARIABLE, "2")
    monkeypatch.setenv(KEEP_DAYS_VARIABLE, "10")
    first = publish.current(published_home)
    for _ in range(2):
        touched(published_home)
        publish.publish(published_home)
    kept = [release.name for release in publish.releases(published_home)]
    assert len(kept) == 3, "all are young"

    later = clock.now() + timedelta(days=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(first.file)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert reader.stdout.readline() == "open\n"
    touched(published_home)
    newest = publish.publish(published_home)
    kept = {release.name for release in publish.releases(published_home)}
    assert first.name in kept, "somebody reads it"
    assert newest.name in kept
    assert len(kept) == 3
    said, _ = reader.communicate("\n")
    assert int(said) > 0
    publish.publish(published_home)
    assert first.name not in {release.name for release in publish.releases(published_home)}
    assert not list(published_home.published.glob(".*"))


def test_the_release_before_is_kept_while_it_is_current(published_home, monkeypatch):
    monkeypatch.setenv(KEEP_RELEASES_VARIABLE, "0")
    monkeypatch.setenv(KEEP_DAYS_VARIABLE, "0")
    touched(published_home)
    newest = publish.publish(published_home)
    assert [release.name for release in publish.releases(published_home)] == [newest.name]


def test_a_number_of_releases_that_is_none_is_refused(published_home, monkeypatch):
    monkeypatch.setenv(KEEP_RELEASES_VARIABLE, "many")
    touched(published_home)
    with pytest.raises(UsageError, match="TIDEMARK_KEEP_RELEASES is 'many'"):
        publish.publish(published_home)


def test_a_publication_that_fails_half_way_leaves_the_release_as_it_was(published_home, monkeypatch):
    before = published_home.current.resolve()
    touched(published_home)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publish.site, "write", full)
    with pytest.raises(OSError, match="No space left"):
        publish.publish(published_home)
    assert published_home.current.resolve() == before
    assert [path.name for path in published_home.published.iterdir() if path.name != "current"] == [
        before.name
    ]


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_file_that_reads_back_differently_is_not_published(published_home, monkeypatch, kind):
    before = published_home.current.resolve()
    touched(published_home)
    write = exports.write

    def spoilt(connection: duckdb.DuckDBPyConnection, found: list[exports.Mart], folder: Path) -> None:
        write(connection, found, folder)
        if kind == "parquet":
            file = folder / "parquet" / "mart_breadth.parquet"
            changed = "select * replace (fell + 1 as fell) from marts.mart_breadth"
            connection.execute(f"copy ({changed}) to '{file}' (format parquet)")
        else:
            file = folder / "csv" / "mart_breadth.csv.gz"
            rows = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
            file.write_bytes(gzip.compress(b"".join(rows[:-1])))

    monkeypatch.setattr(exports, "write", spoilt)
    with pytest.raises(TidemarkError, match="mart_breadth reads back differently"):
        publish.publish(published_home)
    assert published_home.current.resolve() == before


# --- many readers ------------------------------------------------------------------------------------------

READERS, RELEASES = 20, 100
# Asks over and over, each time by a new connection; every table must be of one release, and none older than
# one that was current a second ago.
ASKING = """
import json, os, sys, time, duckdb
# They ask without a pause, on a machine with fewer processors than readers: what is published comes first.
os.nice(19)
file, stop, told = sys.argv[1:]
asked, newest = 0, -1
while not os.path.exists(stop):
    current = json.load(open(told)) if os.path.exists(told) else [0, time.time()]
    connection = duckdb.connect(file, read_only=True)
    rows = connection.execute(
        "select (select min(rose) from mart_breadth), (select max(rose) from mart_breadth), "
        "(select max(revisions) from mart_revision_size), "
        "(select max(projections) from mart_projection_errors)"
    ).fetchall()
    connection.close()
    (numbers,) = rows
    assert len(set(numbers)) == 1, f"torn: {numbers}"
    assert numbers[0] >= newest, f"went back: {numbers[0]} after {newest}"
    if time.time() - current[1] > 1:
        assert numbers[0] >= current[0], f"stale: {numbers[0]}, {current[0]} is current for a second"
    newest = numbers[0]
    asked += 1
print(asked)
"""


def test_twenty_readers_see_whole_releases_while_a_hundred_are_published(home, tmp_path, monkeypatch):
    monkeypatch.setenv(KEEP_RELEASES_VARIABLE, "5")
    monkeypatch.setenv(KEEP_DAYS_VARIABLE, "0")
    # Nobody reads the pages here, and they would take half the time of a hundred publications.
    monkeypatch.setattr(publish.site, "write", lambda *_, **__: None)
    # Of one small table, so that a publication is quick; the marts of all others are there and empty.
    dataset = registry.dataset("tic/mfh")
    pipeline.ingest(home, dataset, snapshot.bundled(dataset))
    build.remember_built(home, build.build(home))

    def numbered(number: int) -> None:
        with duckdb.connect(str(home.warehouse)) as connection:
            for table, column in (
                ("mart_breadth", "rose"),
                ("mart_revision_size", "revisions"),
                ("mart_projection_errors", "projections"),
            ):
                rows = connection.execute(f"select count(*) from marts.{table}").fetchall()[0][0]
                if not rows:
                    columns = connection.execute(
                        "select string_agg(case when is_nullable then 'null' "
                        "when data_type = 'VARCHAR' then '''x''' "
                        "when data_type = 'DATE' then 'date ''2000-01-01''' else '0' end, ', ' "
                        "order by column_index) "
                        "from duckdb_columns() where schema_name = 'marts' and table_name = ?",
                        [table],
                    ).fetchall()[0][0]
                    connection.execute(f"insert into marts.{table} values ({columns})")
                connection.execute(f"update marts.{table} set {column} = {number}")

    numbered(0)
    publish.publish(home)
    stop, told = tmp_path / "stop", tmp_path / "told.json"
    call = [sys.executable, "-c", ASKING, str(home.current / "warehouse.duckdb"), str(stop), str(told)]
    readers = [
        subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(READERS)
    ]
    try:
        for number in range(1, RELEASES + 1):
            numbered(number)
            publish.publish(home)
            beside = told.with_suffix(".new")
            beside.write_text(json.dumps([number, time.time()]))
            beside.replace(told)
        time.sleep(2)
    finally:
        stop.touch()
        ended = [(reader, *reader.communicate(timeout=60)) for reader in readers]
    assert [(reader.returncode, err) for reader, _, err in ended if reader.returncode or err] == []
    asked = [int(said) for _, said, _ in ended]
    assert min(asked) > RELEASES
    assert len(publish.releases(home)) <= READERS + 6
    assert str(home.current.readlink()) == publish.current(home).name
