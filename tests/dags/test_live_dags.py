"""The DAGs as they are when they ask the publishers, and the timetable that says when."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tidemark import build, clock, registry
from tidemark.settings import HOME_VARIABLE, LIVE_VARIABLE, Home, project_root


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    root = tmp_path_factory.mktemp("live_dags")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(root / "home"))
        patch.setenv(LIVE_VARIABLE, "1")
        patch.setenv("AIRFLOW_HOME", str(root / "airflow"))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        patch.setenv("AIRFLOW__CORE__PLUGINS_FOLDER", str(project_root() / "plugins"))
        patch.setenv("AIRFLOW__COSMOS__CACHE_DIR", str(root / "cosmos"))
        before = dict(os.environ)
        build.manifest(Home.find())
        from airflow.dag_processing.dagbag import DagBag

        yield DagBag(str(project_root() / "dags"))
        os.environ.clear()
        os.environ.update(before)


def test_each_dataset_that_a_program_gets_is_asked_for(dags: Any) -> None:
    assert dags.import_errors == {}
    for source in registry.sources().values():
        dag = dags.dags[f"ingest_{source.id}"]
        fetches = {task.task_id.partition(".")[0] for task in dag.tasks if task.task_id.endswith(".fetch")}
        assert fetches == {dataset.id for dataset in source.datasets if dataset.is_fetched}
        for task in dag.tasks:
            if task.task_id.endswith(".fetch"):
                assert task.mode == "reschedule"  # it sleeps without holding a place
                assert task.timeout >= task.poke_interval
                assert task.downstream_task_ids == {task.task_id.replace("fetch", "archive")}
            if task.task_id.endswith(".archive"):
                # What waits is loaded whatever became of the fetch.
                assert task.trigger_rule == "all_done"


def test_every_task_tells_when_it_turns_red(dags: Any) -> None:
    for name in ("ingest_tic", "marts", "inbox"):
        for task in dags.dags[name].tasks:
            assert task.on_failure_callback, task.task_id
    awaited = [dataset for dataset in registry.datasets() if dataset.is_awaited]
    checks = [task for task in dags.dags["freshness"].tasks if task.on_failure_callback]
    assert len(checks) == len(awaited)


def test_the_timetable_survives_being_stored(dags: Any) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    stored = DagSerialization.from_dict(DagSerialization.to_dict(dags.dags["ingest_safe"]))
    assert stored.timetable.summary == "release calendar"
    assert "Asia/Shanghai" in stored.timetable.description


def runs(
    monkeypatch: pytest.MonkeyPatch, now: str, last: str | None, catchup: bool = False, **bounds: str
) -> Any:
    """When the timetable of TIC has the next run."""
    import pendulum
    from airflow.timetables.base import DataInterval, TimeRestriction
    from tidemark_airflow import ReleaseCalendar

    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: moment)
    restriction = TimeRestriction(
        earliest=pendulum.parse(bounds.get("earliest", "2000-01-01")),
        latest=pendulum.parse(bounds["latest"]) if "latest" in bounds else None,
        catchup=catchup,
    )
    before = DataInterval.exact(pendulum.parse(last)) if last else None
    info = ReleaseCalendar("tic").next_dagrun_info(
        last_automated_data_interval=before, restriction=restriction
    )
    return info and info.run_after.in_timezone("UTC").isoformat()


def test_switching_it_on_asks_nobody_before_the_next_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    assert runs(monkeypatch, "2026-07-01T00:00", None) == "2026-07-14T20:00:00+00:00"


def test_after_a_run_comes_the_next_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    assert runs(monkeypatch, "2026-07-14T20:01", "2026-07-14T20:00Z") == "2026-08-17T20:00:00+00:00"
    # New York's winter time.
    assert runs(monkeypatch, "2026-10-17T00:00", "2026-10-16T20:00Z") == "2026-11-18T21:00:00+00:00"


def test_of_slots_that_were_missed_the_newest_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert runs(monkeypatch, "2026-09-30T00:00", "2026-06-18T20:00Z") == "2026-09-16T20:00:00+00:00"


def test_a_backfill_goes_through_every_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    found, last = [], None
    while len(found) < 20:
        moment = runs(
            monkeypatch,
            "2026-12-01T00:00",
            last,
            catchup=True,
            earliest="2026-06-18T20:00Z",
            latest="2026-10-01",
        )
        if moment is None:
            break
        found.append(moment[:10])
        last = moment
    assert found == ["2026-06-18", "2026-07-14", "2026-08-17", "2026-09-16"]


def test_airflows_own_backfill_finds_the_same_slots(dags: Any) -> None:
    import pendulum
    from airflow.serialization.serialized_objects import DagSerialization

    stored = DagSerialization.from_dict(DagSerialization.to_dict(dags.dags["ingest_tic"]))
    first, last = pendulum.datetime(2026, 6, 1), pendulum.datetime(2026, 10, 1)
    infos = list(stored.iter_dagrun_infos_between(first, last))
    assert [str(info.run_after.date()) for info in infos] == [
        "2026-06-18",
        "2026-07-14",
        "2026-08-17",
        "2026-09-16",
    ]
    assert all(info.run_after - info.logical_date == timedelta(0) for info in infos)
