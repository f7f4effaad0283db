"""The looks of a schedule: when they end, and what they leave alone."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests import standin
from tests.conftest import bundled_file
from tests.fetch.conftest import SetClock
from tests.fetch.test_fetch import contents
from tidemark import archive, fetch, pipeline, registry, snapshot, tasks, warehouse
from tidemark.errors import BlockedError, NotFoundError
from tidemark.settings import Home

TABLE5 = registry.dataset("tic/slt_table5")
JUNE = bundled_file("slt_table5_2026-06-18.txt").data
SEPTEMBER = bundled_file("slt_table5_2026-09-16.txt").data
DUE = datetime(2026, 9, 16, 20, tzinfo=UTC)


def test_polling_ends_when_the_release_is_in(
    home: Home, publisher: standin.Publisher, set_clock: SetClock
) -> None:
    set_clock("2026-06-18T20:05")
    publisher.publish(TABLE5, JUNE, date(2026, 6, 18))
    assert fetch.look(home, TABLE5, datetime(2026, 6, 18, 20, tzinfo=UTC))
    for minute in (0, 20, 40):
        set_clock(f"2026-09-16T20:{minute:02d}")
        assert not fetch.look(home, TABLE5, DUE)
    publisher.publish(TABLE5, SEPTEMBER, date(2026, 9, 16))
    set_clock("2026-09-16T21:00")
    assert fetch.look(home, TABLE5, DUE)
    assert archive.releases(home, TABLE5.name)[-1].released_on == date(2026, 9, 16)
    asked = len(publisher.asked)
    set_clock("2026-09-16T21:20")
    assert fetch.look(home, TABLE5, DUE)
    assert len(publisher.asked) == asked


def test_a_release_that_comes_a_day_late_bears_its_own_day(
    home: Home, publisher: standin.Publisher, set_clock: SetClock
) -> None:
    publisher.publish(TABLE5, JUNE, date(2026, 6, 18))
    set_clock("2026-06-18T20:05")
    fetch.look(home, TABLE5, None)
    set_clock("2026-09-16T20:05")
    assert not fetch.look(home, TABLE5, DUE)
    publisher.publish(TABLE5, SEPTEMBER, date(2026, 9, 17))
    set_clock("2026-09-17T14:05")
    assert fetch.look(home, TABLE5, DUE)
    assert archive.releases(home, TABLE5.name)[-1].released_on == date(2026, 9, 17)


def test_a_publisher_in_a_mood_is_asked_again_and_told_of_at_the_end(
    home: Home, publisher: standin.Publisher, set_clock: SetClock
) -> None:
    publisher.misbehave(TABLE5.url, standin.answers(403))
    set_clock("2026-09-16T20:05")
    assert not fetch.look(home, TABLE5, DUE)
    set_clock("2026-09-18T02:01")
    with pytest.raises(BlockedError):
        fetch.look(home, TABLE5, DUE)


def test_nothing_new_at_the_end_is_no_failure(
    home: Home, publisher: standin.Publisher, set_clock: SetClock
) -> None:
    """As in October 2025, when none came: freshness tells, and no task turns red for it."""
    set_clock("2026-06-18T20:05")
    publisher.publish(TABLE5, JUNE, date(2026, 6, 18))
    fetch.look(home, TABLE5, None)
    set_clock("2026-07-16T02:01")
    assert fetch.look(home, TABLE5, datetime(2026, 7, 14, 20, tzinfo=UTC))


def test_a_missed_slot_asks_nobody(home: Home, publisher: standin.Publisher, set_clock: SetClock) -> None:
    """A backfill of a day that is long over: the publisher has newer files only."""
    set_clock("2026-11-20T20:05")
    assert fetch.look(home, TABLE5, DUE)
    assert publisher.asked == []


def test_of_a_window_of_days_one_release_is_enough(
    home: Home, publisher: standin.Publisher, set_clock: SetClock
) -> None:
    reserves = registry.dataset("safe/reserve_assets")
    publisher.publish(reserves, snapshot.bundled(reserves)[-1].data, date(2026, 10, 7))
    set_clock("2026-10-07T08:05")
    assert fetch.look(home, reserves, datetime(2026, 10, 7, 8, tzinfo=UTC))
    set_clock("2026-10-08T08:05")
    # A correction would be found; nobody waits for one.
    assert fetch.look(home, reserves, datetime(2026, 10, 8, 8, tzinfo=UTC))


def test_by_hand_it_is_asked_whatever_the_calendar_says(
    home: Home, publisher: standin.Publisher, set_clock: SetClock
) -> None:
    set_clock("2026-10-01T12:00")
    with pytest.raises(NotFoundError):
        tasks.fetch(TABLE5.name, "2026-10-01T12:00:00+00:00", "manual")


def test_a_backfill_loads_what_was_archived_in_its_time(
    home: Home, publisher: standin.Publisher, set_clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "bundled", lambda _: [])
    for data, day in ((JUNE, "2026-06-18"), (SEPTEMBER, "2026-09-16")):
        set_clock(f"{day}T20:05")
        publisher.publish(TABLE5, data, date.fromisoformat(day))
        fetch.look(home, TABLE5, None)
    pipeline.ingest(home, TABLE5, [])
    before = contents(home)
    with warehouse.writing(home) as connection:  # as an older copy of the warehouse has it
        connection.execute("delete from raw.releases where released_on = '2026-06-18'")
        connection.execute("delete from raw.tic__slt_table5 where released_on = '2026-06-18'")
    set_clock("2026-11-01T12:00")
    due = "2026-06-18T20:00:00+00:00"
    assert tasks.fetch(TABLE5.name, due, "backfill")
    ids = tasks.archive(TABLE5.name, due, "backfill")
    assert ids == ["tic/slt_table5@2026-06-18.0"]
    assert tasks.load(TABLE5.name, tasks.validate(TABLE5.name, ids)) == {ids[0]: 325}
    assert contents(home) == before


def test_an_unusual_revision_is_told_of_and_a_usual_one_is_not(
    home: Home, publisher: standin.Publisher, set_clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(tasks.alerts, "send", lambda title, body: told.append((title, body)) or True)
    monkeypatch.setattr(snapshot, "bundled", lambda _: [])
    # From Japan to All Other 100 billion, beyond any revision of Japan's.
    lines = SEPTEMBER.decode().split("\r\n")
    for number, line in enumerate(lines):
        cells = line.split("\t")
        if cells[0] in ("Japan", "All Other"):
            cells[3] = f"{float(cells[3]) + (100 if cells[0] == 'All Other' else -100):.1f}"
            lines[number] = "\t".join(cells)
    odd = "\r\n".join(lines).encode()

    def load(data: bytes, day: str) -> None:
        set_clock(f"{day}T20:05")
        publisher.publish(TABLE5, data, date.fromisoformat(day))
        assert tasks.fetch(TABLE5.name, "", "manual")
        tasks.load(TABLE5.name, tasks.validate(TABLE5.name, tasks.archive(TABLE5.name)))

    load(JUNE, "2026-06-18")
    # As published: 93 of 240 figures moved, by 1.6 percent at the most.
    load(SEPTEMBER, "2026-09-16")
    assert told == []
    load(odd, "2026-10-16")
    ((title, body),) = told
    assert title.endswith("of tic/slt_table5@2026-10-16.0 moved beyond their usual size")
    assert "Japan, 2026-05-31, holdings: " in body
    assert "compare with https://ticdata.treasury.gov" in body
