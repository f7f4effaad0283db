"""The warehouse from the archive alone."""

from __future__ import annotations

import json

import duckdb
import pytest

from tidemark import archive, pipeline, publish, rebuild, registry, snapshot
from tidemark.errors import TidemarkError
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
