"""What tests of fetching share: a stand-in for the publishers, and a clock that the test sets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests import standin
from tidemark import clock, http

SetClock = Callable[[str], None]


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[standin.Publisher]:
    """All publishers, asked through real HTTP on loopback; retries come at once."""
    with standin.running() as running:
        monkeypatch.setenv(http.MIRROR_VARIABLE, running.url)
        yield running


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Sets what the package takes for the moment, in UTC: `2026-09-16T20:05`."""

    def to(text: str) -> None:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        # It goes on, a little at each look, so that what follows is later.
        ticks = itertools.count()
        monkeypatch.setattr(clock, "now", lambda: moment + timedelta(milliseconds=next(ticks)))

    return to
