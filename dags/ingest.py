"""A DAG a source, made from its passport in `sources/`: each dataset through fetch, archive, validate, load.

It runs when the passport's calendar says that a release is due, and asks the publisher until the release is
in. A load announces its dataset as an asset; the marts DAG runs on any of them. What a publisher does not
give, or what is refused, turns that dataset's task red and holds up no other.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, TaskGroup, dag, task
from tidemark_airflow import DEFAULT_ARGS, ReleaseCalendar

from tidemark import registry, release_calendar, settings, tasks

RUN = ("{{ dag_run.run_after.isoformat() }}", "{{ dag_run.run_type.value }}")
# A clock ahead of the publisher's and a slow answer leave the last look some room.
ROOM = timedelta(hours=1)


def ingest_dag(source: registry.Source) -> DAG:
    live = settings.is_live()

    @dag(
        dag_id=f"ingest_{source.id}",
        dag_display_name=f"Ingest: {source.title}",
        description=f"{source.publisher}, {source.cadence}",
        doc_md=f"{__doc__}\n\n**{source.title}**\n\n{source.attribution}. {source.homepage}",
        schedule=ReleaseCalendar(source.id) if live and source.is_fetched else None,
        start_date=datetime(2000, 1, 1),
        catchup=False,
        # One asks for as long as a release is awaited; another may load what people bring meanwhile.
        max_active_runs=3,
        tags=["ingest", source.id],
        default_args=DEFAULT_ARGS,
    )
    def ingest() -> None:
        for dataset in source.datasets:
            with TaskGroup(dataset.id, tooltip=dataset.title):
                # Where no release is bundled, fetched or waiting, the rest is skipped.
                archived = task.short_circuit(
                    task_id="archive", trigger_rule="all_done" if live else "all_success"
                )(tasks.archive)(dataset.name, *RUN)
                if live and dataset.is_fetched:
                    fetched = task.sensor(
                        task_id="fetch",
                        mode="reschedule",
                        poke_interval=release_calendar.ask_every(source).total_seconds(),
                        timeout=(release_calendar.time_for_asking(source) + ROOM).total_seconds(),
                    )(tasks.fetch)(dataset.name, *RUN)
                    fetched >> archived
                validated = task(task_id="validate", pool="validation")(tasks.validate)(
                    dataset.name, archived
                )
                # Loads go before the marts' first look at the warehouse when both wait for the one slot.
                task(
                    task_id="load",
                    outlets=[Asset(dataset.asset)],
                    pool="duckdb",
                    priority_weight=100,
                    weight_rule="absolute",
                )(tasks.load)(dataset.name, validated)

    return ingest()


for _source in registry.sources().values():
    globals()[f"ingest_{_source.id}"] = ingest_dag(_source)
