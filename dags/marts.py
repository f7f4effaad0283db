"""Build, validate and publish the marts, whenever a dataset was loaded.

Every dbt model is a task. One `dbt build` in the one-slot pool does the work and runs dbt's tests; the model
tasks watch it (Cosmos WATCHER), so they need no slot and never run dbt beside it. Nothing is published
unless dbt's tests and the suites on the marts hold.
"""

from __future__ import annotations

import os
import time
from typing import Any

from airflow.sdk import Asset, AssetAny, dag, task
from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import (
    ExecutionMode,
    InvocationMode,
    LoadMode,
    SeedRenderingBehavior,
    TestBehavior,
)
from tidemark_airflow import DEFAULT_ARGS

from tidemark import build, registry, tasks
from tidemark.freshness import REACHABILITY_ASSET
from tidemark.settings import Home

HOME = Home.find()
# Longer than all bundled releases take on a slow machine: a build of half of them is not fit to be published.
WAIT_FOR_INGESTS_SECONDS = 600
# Between two tasks of a run none is under way for a moment.
QUIET_LOOKS = 6
# Whatever dbt and the watchers need to find this home; set for this process, since dbt runs in it.
os.environ.update(build.environment(HOME))


class AnyOf(AssetAny):  # type: ignore[misc]
    """Any of the assets. Airflow hashes a DAG, its schedule included, for every edge in it, and each task's
    process parses this file: it would take longer over that than over all else.
    """

    def __hash__(self) -> int:
        return hash(len(self.objects))


@dag(
    dag_id="marts",
    dag_display_name="Marts: build, validate, publish",
    doc_md=__doc__,
    schedule=AnyOf(*(Asset(dataset.asset) for dataset in registry.datasets()), Asset(REACHABILITY_ASSET)),
    catchup=False,
    max_active_runs=1,
    tags=["marts"],
    default_args=DEFAULT_ARGS,
)
def marts() -> None:
    @task
    def settle(ti: Any = None) -> None:
        """Let loads that are under way finish, so that one build sees them all; but not for ever.

        An ingest that awaits a release sleeps between its looks, and is not waited for.
        """
        until, quiet = time.monotonic() + WAIT_FOR_INGESTS_SECONDS, 0
        while time.monotonic() < until and quiet < QUIET_LOOKS:
            busy = any(
                ti.get_ti_count(dag_id=f"ingest_{source}", states=["scheduled", "queued", "running"])
                for source in registry.sources()
            )
            quiet = 0 if busy else quiet + 1
            time.sleep(0.5)

    @task.short_circuit(pool="duckdb", priority_weight=1, weight_rule="absolute")
    def anything_new() -> str | None:
        return tasks.begin_if_new()

    models = DbtTaskGroup(
        group_id="dbt",
        project_config=ProjectConfig(
            dbt_project_path=build.project(),
            manifest_path=build.manifest(HOME),
            project_name="tidemark",
            install_dbt_deps=False,
        ),
        profile_config=ProfileConfig(
            profile_name=build.PROFILE,
            target_name=build.TARGET,
            profiles_yml_filepath=build.project() / "profiles.yml",
        ),
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER,
            invocation_mode=InvocationMode.DBT_RUNNER,
            # Cosmos tells Airflow of each event of each node. Nobody watches the tests, so they run after the
            # models, in `validate_marts`, without a thousand messages.
            setup_operator_args={"pool": "duckdb", "retries": 0},
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            test_behavior=TestBehavior.NONE,
            # Built with the rest; a task each would show what never changes between two commits.
            seed_rendering_behavior=SeedRenderingBehavior.NONE,
            dbt_deps=False,
            emit_datasets=False,
        ),
        operator_args={
            "install_deps": False,
            "emit_datasets": False,
            "append_env": True,
            "retries": 0,
            "deferrable": False,
            "poke_interval": 1,
            # Fewer than Airflow has room for: if those who watch took it all, the build they wait for, or a
            # load that goes before it, could not begin.
            "pool": "watching",
        },
    )
    begun = anything_new()
    validated = task(pool="duckdb")(tasks.validate_marts)(begun)
    published = task(task_id="publish", pool="duckdb")(tasks.publish_marts)()
    settle() >> begun >> models >> validated >> published


marts()
