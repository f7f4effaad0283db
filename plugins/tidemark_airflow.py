"""What Airflow must know by name: the timetable of the publishers' calendars, and the alerts.

Airflow reads this folder in every process (`plugins_folder`); the DAG files import from it.
"""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.plugins_manager import AirflowPlugin
from airflow.sdk.bases.notifier import BaseNotifier
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable

from tidemark import clock, registry, release_calendar, tasks


class ReleaseCalendar(Timetable):  # type: ignore[misc]  # Airflow ships no types
    """Runs when a source's passport says that a release is due.

    Without catchup the newest slot that was missed is made up for, and those before it are not: a publisher
    serves its newest file only. The first run of all is the next slot, so that switching it on asks nobody.
    """

    def __init__(self, source: str) -> None:
        self.source = source

    @property
    def summary(self) -> str:
        return "release calendar"

    @property
    def description(self) -> str:
        return release_calendar.describe(registry.source(self.source))

    def serialize(self) -> dict[str, Any]:
        return {"source": self.source}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> ReleaseCalendar:
        return cls(data["source"])

    def infer_manual_data_interval(self, *, run_after: pendulum.DateTime) -> DataInterval:
        return DataInterval.exact(run_after)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        source, now = registry.source(self.source), clock.now()
        if last_automated_data_interval is not None:
            after = last_automated_data_interval.end
            newest = release_calendar.last_slot(source, now)
            if not restriction.catchup and newest is not None and newest > after:
                return _at(newest, restriction)
        elif restriction.catchup and restriction.earliest is not None:
            after = restriction.earliest - pendulum.duration(seconds=1)
        else:
            after = pendulum.instance(now)
        following = release_calendar.next_slot(source, after)
        return None if following is None else _at(following, restriction)


def _at(slot: Any, restriction: TimeRestriction) -> DagRunInfo | None:
    moment = pendulum.instance(slot).in_timezone("UTC")
    if restriction.latest is not None and moment > restriction.latest:
        return None
    return DagRunInfo.exact(moment)


class Alert(BaseNotifier):  # type: ignore[misc]
    """On a task that fails: what, since when, what to do, to whoever `TIDEMARK_ALERTS` names."""

    def notify(self, context: Any) -> None:
        instance, error = context["ti"], context.get("exception")
        subject = f"{instance.dag_id}/{instance.task_id}"
        tasks.alert(subject, str(error or "it ended without a word"), str(instance.log_url or ""))


class AllClear(BaseNotifier):  # type: ignore[misc]
    """On a task that succeeds: takes back what was told of it."""

    def notify(self, context: Any) -> None:
        instance = context["ti"]
        tasks.all_clear(f"{instance.dag_id}/{instance.task_id}")


# What the tasks of every DAG have: nothing is tried again unseen, and people are told.
DEFAULT_ARGS = {
    "owner": "tidemark",
    "retries": 0,
    "on_failure_callback": Alert(),
    "on_success_callback": AllClear(),
}


class Tidemark(AirflowPlugin):  # type: ignore[misc]
    name = "tidemark"
    timetables = [ReleaseCalendar]  # noqa: RUF012 - as Airflow has it
