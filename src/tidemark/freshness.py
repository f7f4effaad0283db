"""Two clocks: did we ask and were we answered, and did the newest figure advance?

A dataset is `late` once its next period's figures should have been here: that period has ended, its lag is
over, and they were looked for (`Dataset.late_after_days`, from the passport's cadence and lag). It is
`frozen` once it has been late for half a period. `unreachable` is one whose publisher has given no good file
for a day, whatever it answered instead (`raw.reachability`). `mart_source_freshness` says the same in SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from tidemark import clock, registry, warehouse
from tidemark.errors import TidemarkError
from tidemark.registry import Dataset
from tidemark.settings import Home

# The Airflow asset of `raw.reachability`, which fires the marts.
REACHABILITY_ASSET = "tidemark://freshness/reachability"


class StaleError(TidemarkError):
    """A dataset that is late, frozen or unreachable."""

    def __init__(self, state: State) -> None:
        super().__init__(
            f"{state.dataset.name} is {state.state} since {state.since}: {state.told}", state.advice
        )
        self.outcome = state.state


@dataclass(frozen=True)
class State:
    """How a dataset stands on a day.

    `state` is fresh, late, frozen, unreachable; ended where no further release is awaited; empty where none
    is loaded. `since` is its first day in that state, None for the states that need none.
    """

    dataset: Dataset
    state: str
    since: date | None
    newest_period_end: date | None
    late_after: date | None
    last_asked_at: datetime | None
    last_answer: str | None

    @property
    def is_well(self) -> bool:
        return self.state in ("fresh", "ended", "empty")

    @property
    def is_answered(self) -> bool:
        """Whether the publisher answered the last look with its file."""
        return self.last_answer in warehouse.GOOD_ANSWERS

    @property
    def is_asked(self) -> bool:
        """Whether the publisher was asked since the next figures were due: else it is we who are late."""
        return (
            self.last_asked_at is not None
            and self.late_after is not None
            and self.last_asked_at.date() >= self.late_after
        )

    @property
    def told(self) -> str:
        """What is known, in a sentence that stays the same from day to day."""
        newest = f"its newest figures are of {self.newest_period_end}"
        if self.newest_period_end is None:
            newest = "it has no figures"
        if self.state == "unreachable":
            return f"{newest}, and the publisher gives no good file ({self.last_answer})"
        due = f"{newest}; the next were due by {self.late_after}"
        if not self.is_asked:
            return f"{due}, and nobody has asked for them since"
        if not self.is_answered:
            return f"{due}, and the publisher gave no good file when last asked ({self.last_answer})"
        return f"{due}, and the publisher serves nothing newer"

    @property
    def advice(self) -> str:
        if self.dataset.fetch.get("by") == "inbox":
            return f"get the newest file from {self.dataset.url}, and put it into the inbox"
        if self.state == "unreachable":
            return f"open {self.dataset.url} in a browser; what was answered: tidemark status"
        if not self.is_asked or not self.is_answered:
            return f"ask: tidemark fetch {self.dataset.name}, or let the schedules do it: make airflow"
        return (
            f"open {self.dataset.url}: where the publisher has newer figures, its file has moved "
            f"(mend `fetch` in sources/{self.dataset.source}.yml); where it has none, wait for it"
        )


def states(home: Home) -> list[State]:
    """How every dataset stands today."""
    today = clock.today()
    with warehouse.writing(home) as connection:
        return [_state(connection, dataset, today) for dataset in registry.datasets()]


def expect_fresh(home: Home, name: str) -> None:
    """Refuse a dataset that is late, frozen or unreachable.

    Raises:
        StaleError: it is; says since when, and what to do.
    """
    with warehouse.writing(home) as connection:
        state = _state(connection, registry.dataset(name), clock.today())
    if not state.is_well:
        raise StaleError(state)


def _state(connection: duckdb.DuckDBPyConnection, dataset: Dataset, today: date) -> State:
    def one(query: str) -> Any:
        return next(
            iter(connection.execute(query, {"dataset": dataset.name} if "$" in query else None).fetchall()),
            None,
        )

    newest = one(f"select max(period_end) from raw.\"{dataset.table}\" where status = 'published'")[0]
    asked, answer = one(
        "select started_at, result from raw.outcomes where step = 'fetch' and dataset = $dataset "
        "order by started_at desc limit 1"
    ) or (None, None)
    (unreachable,) = one("select unreachable_since from raw.reachability where dataset = $dataset") or (None,)
    (released_on,) = one("select max(released_on) from raw.releases where dataset = $dataset")
    counted_from = released_on if dataset.looks_ahead_days else newest
    late_after = None
    if counted_from and dataset.is_awaited:
        late_after = counted_from + timedelta(days=dataset.late_after_days)
    state, since = "fresh", None
    if dataset.is_awaited and unreachable is not None:
        state, since = "unreachable", unreachable
    elif newest is None:
        state = "empty"
    elif late_after is None:
        state = "ended"
    elif today > late_after + timedelta(days=dataset.frozen_after_days):
        state, since = "frozen", late_after + timedelta(days=dataset.frozen_after_days + 1)
    elif today > late_after:
        state, since = "late", late_after + timedelta(days=1)
    return State(dataset, state, since, newest, late_after, asked, answer)
