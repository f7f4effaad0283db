"""What time it is: the one place that asks, so that tests can let years pass in minutes."""

from __future__ import annotations

from datetime import UTC, date, datetime


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """Today's day, in UTC."""
    return now().date()
