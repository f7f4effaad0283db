"""The calendars as slots, and the budgets that follow from them."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tidemark import registry, release_calendar
from tidemark.registry import Dataset

TIC = registry.source("tic")
AWAITED = [dataset for dataset in registry.datasets() if dataset.is_awaited]
# Projections are counted from their release, which no lag foretells.
PERIODS = [dataset for dataset in AWAITED if not dataset.looks_ahead_days]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_tic_is_due_at_four_in_new_york_on_its_announced_days() -> None:
    """The Treasury's schedule of 2026; summer time begins on 2026-03-08 there, and ends on 2026-11-01."""
    slots = list(itertools.islice(release_calendar.slots(TIC, moment("2026-01-01T00:00")), 12))
    assert [slot.date().isoformat()[5:] for slot in slots] == [
        "01-15", "02-18", "03-18", "04-15", "05-18", "06-18",
        "07-14", "08-17", "09-16", "10-16", "11-18", "12-15",
    ]  # fmt: skip
    assert {slot.timetz().replace(tzinfo=None) for slot in slots} == {time(16)}
    assert slots[1].astimezone(UTC).hour == 21
    assert slots[5].astimezone(UTC).hour == 20


def test_after_the_announced_days_those_on_which_it_may_come_are_tried() -> None:
    later = list(itertools.islice(release_calendar.slots(TIC, moment("2026-12-16T00:00")), 6))
    assert [slot.date() for slot in later] == [
        date(2027, 1, 14), date(2027, 1, 15), date(2027, 1, 16), date(2027, 1, 17), date(2027, 1, 18),
        date(2027, 2, 14),
    ]  # fmt: skip


def test_safe_is_asked_from_the_seventh_on_in_beijing() -> None:
    slots = itertools.islice(release_calendar.slots(registry.source("safe"), moment("2026-03-01T00:00")), 6)
    assert [slot.astimezone(UTC).isoformat() for slot in slots] == [
        f"2026-03-{day:02d}T08:00:00+00:00" for day in range(7, 13)
    ]


def test_a_release_is_asked_for_until_its_time_is_over() -> None:
    slot = release_calendar.last_slot(TIC, moment("2026-06-18T20:00"))
    assert slot is not None
    assert slot.date() == date(2026, 6, 18)
    assert release_calendar.last_slot(TIC, moment("2026-06-18T19:59")).date() == date(2026, 5, 18)  # type: ignore[union-attr]
    assert release_calendar.announced_day(TIC, moment("2026-06-20T01:59"), None) == date(2026, 6, 18)
    assert release_calendar.announced_day(TIC, moment("2026-06-20T02:01"), None) is None
    # Asked after the hour of release, it had not published: what comes later came later.
    asked = moment("2026-06-18T20:01")
    assert release_calendar.announced_day(TIC, moment("2026-06-19T12:00"), asked) is None
    asked = moment("2026-06-18T19:59")
    assert release_calendar.announced_day(TIC, moment("2026-06-19T12:00"), asked) == date(2026, 6, 18)


@pytest.mark.parametrize(
    "source", [s for s in registry.sources().values() if s.is_fetched], ids=lambda s: s.id
)
def test_slots_are_ordered_and_asking_twice_gives_the_same(source: registry.Source) -> None:
    slots = list(itertools.islice(release_calendar.slots(source, moment("2026-01-01T00:00")), 60))
    assert slots == sorted(set(slots))
    for before, slot in itertools.pairwise(slots):
        assert release_calendar.next_slot(source, before) == slot
        assert release_calendar.last_slot(source, slot) == slot


def period_ends(dataset: Dataset, first: date, last: date) -> list[date]:
    """The ends of a dataset's periods: every business day, Wednesday, month, quarter or year."""
    days = [first + timedelta(days=n) for n in range((last - first).days)]
    following = timedelta(days=1)
    match dataset.cadence:
        case "daily":
            return [day for day in days if day.weekday() < 5]
        case "weekly":
            return [day for day in days if day.weekday() == 2]
        case "monthly":
            return [day for day in days if (day + following).day == 1]
        case "quarterly":
            return [day for day in days if (day + following).day == 1 and day.month % 3 == 0]
    return [day for day in days if (day.month, day.day) == ((9, 30) if dataset.source == "cbo" else (12, 31))]


# Where the lag of the passport counts in that the next look may be weeks away: in days, when figures are out.
OUT_AFTER_DAYS = {"safe/balance_of_payments": 92, "wgc/holdings_api": 125}


@pytest.mark.parametrize("dataset", PERIODS, ids=lambda dataset: dataset.name)
def test_a_healthy_source_meets_its_budget(dataset: Dataset) -> None:
    """Each period's figures are out on the last day of their lag; the first look after that finds them,
    before those of the period before have grown too old.
    """
    source = registry.source(dataset.source)
    zone = ZoneInfo(source.release_calendar["timezone"])
    hour = time.fromisoformat(source.release_calendar["time"])
    ends = period_ends(dataset, date(2023, 1, 1), date(2027, 1, 1))
    assert len(ends) > 3
    for before, end in itertools.pairwise(ends):
        lag = OUT_AFTER_DAYS.get(dataset.name, dataset.lag_days)
        out = datetime.combine(end + timedelta(days=lag), hour, zone)
        found = release_calendar.next_slot(source, out - timedelta(seconds=1))
        if not dataset.is_fetched:
            found = out + timedelta(days=registry.LOOKED_FOR_WITHIN_DAYS)  # people bring it
        if source.release_calendar["dates"]:
            # Announced days are the very days of release: each comes within the lag of its month.
            if not date(2025, 11, 1) < end < date(2026, 11, 1):
                continue
            found = release_calendar.last_slot(source, out)
            assert found is not None
            assert (out - found).days < 31
        assert found is not None
        late_after = before + timedelta(days=dataset.late_after_days)
        assert found.date() <= late_after, f"{end} is found on {found.date()}, and late after {late_after}"


@pytest.mark.parametrize("dataset", PERIODS, ids=lambda dataset: dataset.name)
def test_what_stands_still_is_late_within_two_periods_and_frozen_after(dataset: Dataset) -> None:
    period = registry.PERIOD_DAYS[dataset.cadence]
    assert period + dataset.lag_days <= dataset.late_after_days <= 2 * period + dataset.lag_days
    assert dataset.frozen_after_days >= 7
