"""Files that people bring: taken up, filed and loaded, or refused without a loss."""

from __future__ import annotations

import pytest

from tests.conftest import bundled_file, day
from tidemark import archive, inbox, pipeline, registry, tasks
from tidemark.errors import NotTheFileError, UsageError

TABLE5 = registry.dataset("tic/slt_table5")
HISTORY = registry.dataset("tic/mfhhis01")
FILE = "slt_table5_2026-06-18.txt"


@pytest.fixture
def put(home):
    def put(name, data, dataset=TABLE5):
        path = inbox.folder(home, dataset) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return put


def test_a_file_is_loaded_under_the_day_in_its_name_and_leaves_the_inbox(home, put):
    path = put(FILE, bundled_file(FILE).data)
    (loaded,) = pipeline.ingest(home, TABLE5, inbox.waiting(home, TABLE5))
    assert (loaded.release.released_on, loaded.release.file, loaded.cells) == (day("2026-06-18"), FILE, 325)
    assert not path.exists()
    assert inbox.waiting(home, TABLE5) == []


def test_airflows_archive_task_takes_it_up(home, put, monkeypatch):
    later = bundled_file(FILE).data.replace(b"695.6", b"695.5")
    put("slt_table5_2026-06-19.txt", later)
    assert "tic/slt_table5@2026-06-19.0" in tasks.archive("tic/slt_table5")


def test_a_file_that_tells_its_day_needs_none_in_its_name(home, put):
    put("mfhhis01.txt", bundled_file("mfhhis01_2026-03-18.txt").data, HISTORY)
    (loaded,) = pipeline.ingest(home, HISTORY, inbox.waiting(home, HISTORY))
    assert loaded.release.released_on == day("2026-03-18")


@pytest.mark.parametrize("name", ["slt_table5.txt", "slt_table5_2026-02-30.txt", "slt_table5_2126-01-01.txt"])
def test_a_file_without_a_day_stays_and_says_how_to_name_it(home, put, name):
    path, other = put(name, b"x"), put(FILE, bundled_file(FILE).data)
    with pytest.raises(UsageError) as caught:
        inbox.waiting(home, TABLE5)
    assert str(path) in str(caught.value)
    assert path.exists()
    assert other.exists()


def test_a_refused_file_is_in_quarantine_and_its_bytes_in_the_archive(home, put):
    page = b"<!DOCTYPE html><html>403</html>"
    path = put("slt_table5_2026-06-18.txt", page)
    with pytest.raises(NotTheFileError):
        pipeline.ingest(home, TABLE5, inbox.waiting(home, TABLE5))
    assert not path.exists()
    (kept,) = home.quarantine.rglob("slt_table5_2026-06-18.txt")
    assert kept.read_bytes() == page
    assert list(home.archive.rglob(archive.sha256(page)))


def test_hidden_files_and_other_datasets_are_left_alone(home, put):
    put(".DS_Store", b"x")
    put("mfhhis01.txt", b"x", HISTORY)
    assert inbox.waiting(home, TABLE5) == []
