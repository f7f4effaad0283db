"""Files that people bring: taken up, filed and loaded, or refused without a loss."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

import pytest

from tests.conftest import bundled_file, day
from tidemark import archive, inbox, pipeline, registry, snapshot, tasks
from tidemark.errors import NotTheFileError, WrongDateError

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


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("slt_table5_2026-02-30.txt", "is no date of the calendar"),
        ("slt_table5_2126-01-01.txt", "lies in the future"),
    ],
)
def test_a_file_with_an_impossible_day_is_set_aside_and_holds_up_no_other(home, put, name, wrong):
    put(name, b"x")
    other = put(FILE, bundled_file(FILE).data)
    with pytest.raises(WrongDateError, match=wrong):
        inbox.waiting(home, TABLE5)
    (kept,) = home.quarantine.rglob(name)
    assert kept.read_bytes() == b"x"
    assert [item.lies_at for item in inbox.waiting(home, TABLE5)] == [other]


def test_a_file_without_a_day_bears_the_one_on_which_it_was_put_there(home, put):
    path = put("slt_table5.txt", bundled_file(FILE).data)
    at = datetime(2026, 6, 20, 12, tzinfo=UTC).timestamp()
    os.utime(path, (at, at))
    (loaded,) = pipeline.ingest(home, TABLE5, inbox.waiting(home, TABLE5))
    assert loaded.release.released_on == day("2026-06-20")


# --- by content ------------------------------------------------------------------------------------------

NEWEST = {
    dataset.name: snapshot.bundled(dataset)[-1]
    for dataset in registry.datasets()
    if snapshot.bundled(dataset)
}


@pytest.mark.parametrize("name", NEWEST)
def test_each_publishers_file_is_recognised_as_its_datasets_alone(name):
    assert [dataset.name for dataset in inbox.recognise("download", NEWEST[name].data)] == [name]


def test_a_file_is_filed_under_its_dataset_and_loaded(home):
    home.inbox.mkdir(parents=True)
    (home.inbox / "Table 5 (2)_2026-06-18.txt").write_bytes(bundled_file(FILE).data)
    assert inbox.file_by_content(home) == [inbox.Filed("Table 5 (2)_2026-06-18.txt", TABLE5.name)]
    assert inbox.anything_waiting(home) == ["tic"]
    assert tasks.file_inbox() == ["tic"]
    (loaded,) = pipeline.ingest(home, TABLE5, inbox.waiting(home, TABLE5))
    assert (loaded.release.released_on, loaded.cells) == (day("2026-06-18"), 325)
    assert inbox.anything_waiting(home) == []


@pytest.mark.parametrize("data", [b"", b"nothing of ours", b"PK\x03\x04", b"<html>403</html>", b"{}"])
def test_what_no_dataset_knows_is_kept_with_the_reason(home, data):
    home.inbox.mkdir(parents=True)
    (home.inbox / "holiday.txt").write_bytes(data)
    ((filed),) = inbox.file_by_content(home)
    assert filed.dataset is None
    assert "no dataset has files like it" in filed.reason
    assert not list(home.inbox.glob("*"))
    (kept,) = home.quarantine.rglob("holiday.txt")
    assert kept.read_bytes() == data
    assert json.loads((kept.parent / "reason.json").read_text())["outcome"] == "not_the_file"


def test_a_refused_file_is_in_quarantine_and_its_bytes_in_the_archive(home, put):
    page = b"<!DOCTYPE html><html>403</html>"
    path = put("slt_table5_2026-06-18.txt", page)
    with pytest.raises(NotTheFileError):
        pipeline.ingest(home, TABLE5, inbox.waiting(home, TABLE5))
    assert not path.exists()
    (kept,) = home.quarantine.rglob("slt_table5_2026-06-18.txt")
    assert kept.read_bytes() == page
    assert list(home.archive.rglob(archive.sha256(page)))


@pytest.mark.parametrize("dated", [True, False])
def test_a_name_that_is_no_utf8_is_spelled_out(home, dated):
    """Linux takes any bytes for a name; neither JSON nor DuckDB does."""
    name = os.fsdecode(b"bad\xff_2026-06-18.txt" if dated else b"bad\xff.txt")
    path = home.inbox / name
    path.parent.mkdir(parents=True)
    path.write_bytes(bundled_file(FILE).data if dated else b"hello")
    (filed,) = inbox.file_by_content(home)
    assert filed.file == name.replace("\udcff", "\\udcff")
    if not dated:
        (reason,) = home.quarantine.rglob("reason.json")
        assert json.loads(reason.read_text("utf-8"))["file"] == filed.file
    loaded = pipeline.ingest(home, TABLE5, inbox.waiting(home, TABLE5))
    assert [done.release.file for done in loaded] == [filed.file] * dated
    assert pipeline.ingest(home, TABLE5, []) == []


def test_a_second_file_of_one_name_waits_beside_the_first(home):
    """A publisher names each month's file alike; both may lie there before anyone looks."""
    first, second = bundled_file(FILE).data, bundled_file("slt_table5_2026-09-16.txt").data
    for data, put_there in ((first, "2026-06-18"), (second, "2026-09-16"), (first, "2026-06-18")):
        path = home.inbox / "slt_table5.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        at = datetime.fromisoformat(f"{put_there}T12:00:00+00:00").timestamp()
        os.utime(path, (at, at))
        assert [filed.dataset for filed in inbox.file_by_content(home)] == ["tic/slt_table5"]
    waiting = inbox.waiting(home, TABLE5)
    assert {(item.data, str(item.released_on)) for item in waiting} == {
        (first, "2026-06-18"), (second, "2026-09-16")
    }  # fmt: skip


def test_hidden_files_and_other_datasets_are_left_alone(home, put):
    put(".DS_Store", b"x")
    put("mfhhis01.txt", b"x", HISTORY)
    assert inbox.waiting(home, TABLE5) == []


def test_nothing_loaded_is_nothing_new(home):
    """A fresh installation has no marts to build, and no task turns red for it."""
    assert not tasks.has_news()
    put_there = home.inbox
    put_there.mkdir(parents=True)
    (put_there / "x_2026-06-18.txt").write_bytes(bundled_file(FILE).data)
    inbox.file_by_content(home)
    pipeline.ingest(home, TABLE5, inbox.waiting(home, TABLE5))
    assert tasks.has_news()
