"""Every half hour: recognises the files that people put into the inbox, and loads them.

A file that lies in `inbox/` is filed by its content below `inbox/<source>/<dataset>/`; the ingest DAGs of the
sources for which files wait are started.
"""

from __future__ import annotations

from datetime import datetime

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import dag, task
from tidemark_airflow import DEFAULT_ARGS

from tidemark import settings, tasks


@dag(
    dag_id="inbox",
    dag_display_name="Inbox: files that people bring",
    doc_md=__doc__,
    schedule="*/30 * * * *" if settings.is_live() else None,
    start_date=datetime(2000, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["ingest"],
    default_args=DEFAULT_ARGS,
)
def inbox() -> None:
    @task
    def file() -> list[str]:
        return [f"ingest_{source}" for source in tasks.file_inbox()]

    TriggerDagRunOperator.partial(task_id="ingest").expand(trigger_dag_id=file())


inbox()
