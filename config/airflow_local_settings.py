"""Read by every Airflow process at its start (`config/` stands on its PYTHONPATH).

The scheduler imports what tasks need once; the workers that it forks inherit it, which spares each task the
seconds that dbt and Great Expectations take to import.
"""

from __future__ import annotations

import gc
import importlib
import logging
import sys

# Imports make millions of objects that live for ever; at the default threshold a third of an Airflow
# process's start goes into looking through them.
gc.set_threshold(100_000, 50, 100)

PRELOADED = (
    "airflow.providers.common.io.assets.file",
    "airflow.providers.standard.decorators.python",
    "airflow.providers.standard.decorators.short_circuit",
    "airflow.sdk.definitions.decorators",
    "airflow.sdk.definitions.timetables.trigger",
    "airflow.sdk.lineage",
    "airflow.task.trigger_rule",
    "cosmos.airflow.task_group",
    "cosmos.operators.watcher",
    "cosmos.plugin.airflow3",
    "dbt.adapters.duckdb",
    "dbt.cli.main",
    "duckdb",
    "great_expectations",
    "great_expectations.checkpoint",
    "great_expectations.render.renderer.site_builder",
    "pandas",
    "pyarrow.csv",
    "tidemark.tasks",
)

if "scheduler" in sys.argv[1:2]:
    # Great Expectations tells hundreds of lines at INFO while it is imported.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    for name in PRELOADED:
        importlib.import_module(name)
    importlib.import_module("tidemark.registry").sources()
