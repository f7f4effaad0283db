"""The warehouse from the archive alone."""

from __future__ import annotations

import json
import subprocess
import sys

import duckdb
import pytest

from tidemark import archive, build, pipeline, publish, rebuild, registry, snapshot, warehouse
from tidemark.errors import BusyError, TidemarkError
from tidemark.settings import Home


def test_it_finds_what_was_changed_and_puts_it_right(published_home: Home) -> None:
    before, release = rebuild.contents(published_home.warehouse), published_home.current.resolve().name
    with duckdb.connect(str(published_home.warehouse)) as connection:
        connection.execute("update raw.tic__slt_table5 set value = value + 1 where label = 'Japan'")
    made = rebuild.rebuild(published_home)
    assert made.differs == ["raw.observations", "raw.tic__slt_table5", "staging.stg_tic__slt_table5"]
    assert made.releases == len(archive.releases(published_home))
    assert rebuild.contents(published_home.warehouse) == before
    assert len(before) == made.tables > 100
    # Published from the rebuilt one, the release is the very one that stands.
    assert publish.publish(published_home).name == release


def test_a_check_changes_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The raw tables of Table 5, without the marts, whose building the test above waits for."""
    table5 = registry.dataset("tic/slt_table5")
    pipeline.ingest(home, table5, snapshot.bundled(table5))
    for name in ("build", "validate_marts", "remember_built"):
        monkeypatch.setattr(rebuild.build, name, lambda *_: None)
    stood = home.warehouse.stat().st_mtime_ns
    assert rebuild.rebuild(home, replace=False).differs == []
    assert home.warehouse.stat().st_mtime_ns == stood
    home.warehouse.unlink()
    assert rebuild.rebuild(home, replace=False).differs is None
    assert not home.warehouse.exists()
    assert not list(home.root.glob(".rebuilding-*"))


def test_a_damaged_archive_is_named_and_nothing_is_replaced(published_home: Home) -> None:
    release = next(r for r in archive.releases(published_home) if r.dataset == "tic/slt_table5")
    path = archive.object_path(published_home, release.sha256)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"Japan", b"Jopan"))
    with pytest.raises(TidemarkError, match="is not what was archived as tic/slt_table5"):
        rebuild.rebuild(published_home)
    assert json.loads((published_home.root / "published.json").read_text())["release"]
    with duckdb.connect(str(published_home.warehouse), read_only=True) as connection:
        assert connection.execute("select count(*) from raw.tic__slt_table5").fetchall() != [(0,)]


def test_an_empty_archive_says_so(home: Home) -> None:
    with pytest.raises(TidemarkError, match="is empty"):
        rebuild.rebuild(home)


@pytest.fixture
def table5(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with one dataset, whose rebuild makes the raw tables alone."""
    dataset = registry.dataset("tic/slt_table5")
    pipeline.ingest(home, dataset, snapshot.bundled(dataset))
    monkeypatch.setattr(rebuild.build, "build", lambda aside, _: build.begin(aside))
    monkeypatch.setattr(rebuild.build, "validate_marts", lambda _: None)
    return home


@pytest.mark.parametrize("bytes_left", [0, 14, 5000])
def test_a_warehouse_that_cannot_be_read_is_replaced(table5: Home, bytes_left: int) -> None:
    before = rebuild.contents(table5.warehouse)
    data = table5.warehouse.read_bytes()
    table5.warehouse.write_bytes(b"x" * 14 + data[14 : max(bytes_left, 15)])
    made = rebuild.rebuild(table5)
    assert made.differs is None
    assert made.damage
    assert rebuild.contents(table5.warehouse) == before


def test_what_a_killed_writer_left_beside_the_old_file_is_not_taken_for_the_new_ones(table5: Home) -> None:
    before = rebuild.contents(table5.warehouse)
    writer = (
        "import duckdb, os, sys\n"
        "connection = duckdb.connect(sys.argv[1])\n"
        "connection.execute('create table raw.left as select range from range(1000)')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", writer, str(table5.warehouse)], check=False)
    assert list(table5.root.glob("warehouse.duckdb.wal"))
    rebuild.rebuild(table5)
    assert rebuild.contents(table5.warehouse) == before
    with warehouse.writing(table5):
        pass


def test_a_release_that_comes_in_meanwhile_is_not_lost(table5: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, (item, *_) = registry.dataset("bea/gdp"), snapshot.bundled(registry.dataset("bea/gdp"))
    before = rebuild.contents(table5.warehouse)

    def meanwhile(_: Home) -> None:
        pipeline.ingest(table5, dataset, [item])

    monkeypatch.setattr(rebuild.build, "validate_marts", meanwhile)
    with pytest.raises(TidemarkError, match="a release came in"):
        rebuild.rebuild(table5)
    changed = {name for name, said in rebuild.contents(table5.warehouse).items() if before.get(name) != said}
    assert changed == {"raw.bea__gdp", "raw.observations", "raw.releases"}
    assert rebuild.rebuild(table5).differs == []


def test_one_rebuild_at_a_time_and_what_a_killed_one_left_goes(table5: Home) -> None:
    left = table5.root / ".rebuilding-killed"
    left.mkdir()
    with rebuild._alone(table5), pytest.raises(BusyError, match="rebuilding"):
        rebuild.rebuild(table5)
    assert not left.exists()
