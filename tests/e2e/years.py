"""Lets three years of monthly TIC releases pass through the real DAGs, in one process of its own.

    python tests/e2e/years.py HOME

Prints what each simulated day came to, a JSON object a line. Airflow runs each DAG in this process
(`DAG.test`), against a stand-in for the publishers; the clock of the package is set to each day.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(sys.argv[1])
os.environ |= {
    "TIDEMARK_HOME": str(HOME),
    "TIDEMARK_LIVE": "1",
    "AIRFLOW_HOME": str(HOME.parent / "airflow"),
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    "AIRFLOW__COSMOS__CACHE_DIR": str(HOME.parent / "cosmos"),
}
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

from tests import standin
from tests.standin import tic
from tidemark import archive, build, clock, http, publish, rebuild, registry, snapshot, warehouse
from tidemark.settings import Home

_bundled = snapshot.bundled
# What is bundled of later days is of another course of things.
snapshot.bundled = lambda dataset: [
    item for item in _bundled(dataset) if item.released_on and item.released_on <= date(2026, 6, 18)
]


def told(**what: Any) -> None:
    print(json.dumps(what, default=str), flush=True)


def main() -> None:
    from airflow.utils.db import initdb

    initdb()
    from airflow.dag_processing.dagbag import DagBag

    home = Home.find()
    build.manifest(home)
    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    dag = bag.dags["ingest_tic"]
    with standin.running() as publisher:
        os.environ[http.MIRROR_VARIABLE] = publisher.url
        published = tic.publications()
        for number, publication in enumerate(published, start=1):
            for name, data in publication.files.items():
                publisher.publish(registry.dataset(name), data, publication.day)
            day(home, dag, publication.day)
            if number in (len(published) // 2, len(published)):
                # Nothing has come since: the same bytes on the next day.
                day(home, dag, publication.day + timedelta(days=1))
                whole(home)


def day(home: Home, dag: Any, today: Any) -> None:
    moment = datetime.combine(today, time(20, 5), UTC)
    ticks = itertools.count()
    clock.now = lambda: moment + timedelta(milliseconds=next(ticks))
    before = {release.id for release in archive.releases(home)}
    run = dag.test()
    states = {task.task_id: str(task.state) for task in run.get_task_instances()}
    held = archive.releases(home)
    told(
        day=today,
        new=sorted(release.id for release in held if release.id not in before),
        loaded=sum(warehouse.is_loaded(home, release) for release in held),
        failed=sorted(name for name, state in states.items() if state.rpartition(".")[2] == "failed"),
        ran=sorted(name for name, state in states.items() if state.rpartition(".")[2] == "success"),
    )


def whole(home: Home) -> None:
    """Build and publish, and hold the warehouse against one made from the same archive."""
    begun = build.build(home)
    build.validate_marts(home)
    build.remember_built(home, begun)
    release = publish.publish(home)
    made = rebuild.rebuild(home, replace=False)
    told(published=release.name, rebuilt=made.tables, differs=made.differs)


if __name__ == "__main__":
    main()
