"""A DAG a source, made from its passport in `sources/`: each dataset through archive, validate and load.

A load announces its dataset as an asset; the marts DAG runs on any of them. What is refused turns its
validate task red, stands in quarantine with the reason, and holds up no other dataset.
"""

from __future__ import annotations

from airflow.sdk import DAG, Asset, TaskGroup, dag, task

from tidemark import registry, tasks


def ingest_dag(source: registry.Source) -> DAG:
    @dag(
        dag_id=f"ingest_{source.id}",
        dag_display_name=f"Ingest: {source.title}",
        description=f"{source.publisher}, {source.cadence}",
        doc_md=f"{__doc__}\n\n**{source.title}**\n\n{source.attribution}. {source.homepage}",
        schedule=None,
        catchup=False,
        max_active_runs=1,
        tags=["ingest", source.id],
        default_args={"owner": "tidemark", "retries": 0},
    )
    def ingest() -> None:
        for dataset in source.datasets:
            with TaskGroup(dataset.id, tooltip=dataset.title):
                # Where no release is bundled and none waits, the rest is skipped.
                archived = task.short_circuit(task_id="archive")(tasks.archive)(dataset.name)
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
