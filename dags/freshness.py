"""Once a day: is every dataset's newest figure as new as it should be, and does its publisher answer?

A task a dataset, which turns red while it is late, frozen or unreachable, and says since when. Where a
publisher falls silent or speaks again, the marts are built anew, so that `mart_source_freshness` says so.
"""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import Asset, TaskGroup, dag, task
from tidemark_airflow import DEFAULT_ARGS

from tidemark import registry, settings, tasks
from tidemark.freshness import REACHABILITY_ASSET


@dag(
    dag_id="freshness",
    dag_display_name="Freshness of every dataset",
    doc_md=__doc__,
    # After the day's releases in Washington, and before the next day's in Beijing.
    schedule="30 23 * * *" if settings.is_live() else None,
    start_date=datetime(2000, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["freshness"],
    default_args={"owner": "tidemark", "retries": 0},
)
def freshness() -> None:
    for source in registry.sources().values():
        with TaskGroup(source.id, tooltip=source.title, default_args=DEFAULT_ARGS):
            for dataset in source.datasets:
                if dataset.is_awaited:
                    task(task_id=dataset.id, pool="duckdb")(tasks.expect_fresh)(dataset.name)

    @task.short_circuit(pool="duckdb", trigger_rule="all_done")
    def has_reachability_changed() -> bool:
        return tasks.has_news()

    @task(outlets=[Asset(REACHABILITY_ASSET)])
    def tell_the_marts() -> None:
        """Its asset fires them."""

    has_reachability_changed() >> tell_the_marts()


freshness()
