"""When each publisher is asked: the release calendars of the passports as moments.

A slot is the moment at which a release is due: on an announced day (`dates`), or after the last of those on
one on which it may come (`days`), at the publisher's hour and in its time zone. From a slot on the publisher
is asked until the release is in, or until the time for asking (`poll`) is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

from tidemark.registry import Source

# Where a passport says nothing of polling, one answer is all; a publisher that gives none is asked again.
ASK_AGAIN = {"every_minutes": 15, "hours": 1}
# The longest that no slot comes: a window a year.
FAR_DAYS = 366


def slots(source: Source, after: datetime) -> Iterator[datetime]:
    """The slots after a moment, oldest first, each in the publisher's time zone; endless where `days` is."""
    calendar = source.release_calendar
    zone, hour = ZoneInfo(calendar["timezone"]), time.fromisoformat(calendar["time"])
    announced = [datetime.combine(day, hour, zone) for day in calendar["dates"]]
    yield from (slot for slot in announced if slot > after)
    if calendar.get("days"):
        begin = after.astimezone(zone)
        if announced:
            # From the month after the last announced day on: its own month has had its release.
            begin = max(begin, datetime.combine(_next_month(announced[-1].date()), time.min, zone))
        # Counted on the clock on the wall, whatever summer time does to it.
        line = croniter(f"{hour.minute} {hour.hour} {calendar['days']}", begin.replace(tzinfo=None))
        while True:
            yield line.get_next(datetime).replace(tzinfo=zone)


def next_slot(source: Source, after: datetime) -> datetime | None:
    """The first slot after a moment; None where the calendar has ended."""
    return next(slots(source, after), None)


def last_slot(source: Source, until: datetime) -> datetime | None:
    """The newest slot at or before a moment; None where there was none within a year."""
    found = None
    for slot in slots(source, until - timedelta(days=FAR_DAYS)):
        if slot > until:
            break
        found = slot
    return found


def asked_until(source: Source, slot: datetime) -> datetime:
    """Until when the publisher is asked for the release of a slot."""
    return slot + time_for_asking(source)


def time_for_asking(source: Source) -> timedelta:
    return timedelta(hours=_poll(source)["hours"])


def ask_every(source: Source) -> timedelta:
    return timedelta(minutes=_poll(source)["every_minutes"])


def is_awaited(source: Source) -> bool:
    """Whether the publisher is asked anew after it has answered with nothing new."""
    return "poll" in source.release_calendar


def announced_day(source: Source, moment: datetime, asked_before: datetime | None) -> date | None:
    """The day of the release that is asked for at a moment.

    None between the times for asking, and where the publisher was asked since the slot and had not published:
    what comes then was not published on the day of the calendar.
    """
    slot = last_slot(source, moment)
    if slot is None or moment > asked_until(source, slot):
        return None
    if slot.date() not in source.release_calendar["dates"]:
        return None  # A day on which it may come was announced by nobody.
    if asked_before is not None and asked_before >= slot:
        return None
    return slot.date()


def describe(source: Source) -> str:
    """The calendar in a line, for people."""
    calendar = source.release_calendar
    said = f"at {calendar['time']} {calendar['timezone']}"
    dates = calendar["dates"]
    if dates:
        said += f" on {len(dates)} announced days up to {dates[-1]}"
    if calendar.get("days"):
        said += f"{', then' if dates else ''} on days {calendar['days']!r} (day of month, month, day of week)"
    poll = calendar.get("poll")
    return said + (f"; every {poll['every_minutes']} minutes for {poll['hours']} hours" if poll else "")


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _poll(source: Source) -> dict[str, int]:
    poll: dict[str, int] = source.release_calendar.get("poll", ASK_AGAIN)
    return poll
