"""The DAGs as Airflow reads them: what is drawn, what waits for the one slot, what fires what."""

import json
import os

import pytest

from tidemark import build, orchestrate, registry
from tidemark.settings import HOME_VARIABLE, Home, project_root

MODELS = {path.stem for path in (project_root() / "dbt_project" / "models").rglob("*.sql")}


@pytest.fixture(scope="module")
def dags(tmp_path_factory):
    """The DAGs of `dags/`, read by Airflow itself with a home of its own."""
    root = tmp_path_factory.mktemp("dags")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(root / "home"))
        patch.setenv("AIRFLOW_HOME", str(root / "airflow"))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        patch.setenv("AIRFLOW__CORE__PLUGINS_FOLDER", str(project_root() / "plugins"))
        patch.setenv("AIRFLOW__COSMOS__CACHE_DIR", str(root / "cosmos"))
        before = dict(os.environ)
        build.manifest(Home.find())  # as a run does beforehand: a DAG that is slow to import is dropped
        from airflow.dag_processing.dagbag import DagBag

        bag = DagBag(str(project_root() / "dags"))
        yield bag
        os.environ.clear()
        os.environ.update(before)


def test_every_dag_file_imports(dags):
    assert dags.import_errors == {}
    assert set(dags.dags) == {
        "marts",
        "freshness",
        "inbox",
        *(f"ingest_{source}" for source in registry.sources()),
    }


def test_no_dag_file_is_named_as_dbt_imports_modules():
    assert not [path for path in (project_root() / "dags").glob("*.py") if path.stem.startswith("dbt")]


@pytest.mark.parametrize("source", registry.sources())
def test_each_dataset_goes_through_archive_validate_load(dags, source):
    dag = dags.dags[f"ingest_{source}"]
    for dataset in registry.source(source).datasets:
        archive, validate, load = (
            dag.get_task(f"{dataset.id}.{step}") for step in ("archive", "validate", "load")
        )
        assert archive.downstream_task_ids >= {validate.task_id}
        assert validate.downstream_task_ids >= {load.task_id}
        assert [asset.uri for asset in load.outlets] == [dataset.asset]
        assert load.pool == "duckdb"
        assert archive.outlets == validate.outlets == []
    assert len(dag.tasks) == 3 * len(registry.source(source).datasets)


def test_datasets_do_not_hold_each_other_up(dags):
    for source in registry.sources():
        dag = dags.dags[f"ingest_{source}"]
        for task in dag.tasks:
            group = task.task_id.split(".")[0]
            assert all(other.startswith(f"{group}.") for other in task.downstream_task_ids)


def test_marts_run_on_any_dataset_one_at_a_time(dags):
    marts = dags.dags["marts"]
    assets = {dataset.asset for source in registry.sources().values() for dataset in source.datasets}
    # And where a publisher falls silent or speaks again.
    fired_by = assets | {"tidemark://freshness/reachability"}
    assert {asset.uri for asset in marts.timetable.asset_condition.objects} == fired_by
    assert "AssetAny" in {base.__name__ for base in type(marts.timetable.asset_condition).__mro__}
    assert marts.max_active_runs == 1


def test_every_model_is_a_task(dags):
    tasks = {task.task_id for task in dags.dags["marts"].tasks}
    assert {f"dbt.{model}_run" for model in MODELS} <= tasks


def test_what_writes_the_warehouse_waits_for_the_one_slot(dags):
    marts = dags.dags["marts"]
    for task_id in ("anything_new", "dbt.dbt_producer_watcher", "validate_marts", "publish"):
        assert marts.get_task(task_id).pool == "duckdb", task_id


def test_watching_tasks_leave_room_for_the_build_they_wait_for(dags):
    watching = [task for task in dags.dags["marts"].tasks if task.task_id.endswith("_run")]
    assert {task.pool for task in watching} == {"watching"}
    slots = json.loads((orchestrate.config() / "pools.json").read_text("utf-8"))["watching"]["slots"]
    assert slots < int(orchestrate.shared_settings()["AIRFLOW__CORE__PARALLELISM"]) - 1


def test_watching_tasks_never_run_dbt_again_beside_the_build(dags):
    for task in dags.dags["marts"].tasks:
        if task.task_id.endswith("_run") and task.task_id.startswith("dbt."):
            assert task.retries == 0
            assert task.deferrable is False


def test_publishing_needs_the_build_its_tests_and_the_validation(dags):
    marts = dags.dags["marts"]
    assert marts.get_task("publish").upstream_task_ids == {"validate_marts"}
    upstream = marts.get_task("validate_marts").get_flat_relative_ids(upstream=True)
    assert {"anything_new", "dbt.dbt_producer_watcher", *(f"dbt.{model}_run" for model in MODELS)} <= upstream


def test_the_package_never_imports_airflow():
    for path in (project_root() / "src").rglob("*.py"):
        text = path.read_text()
        assert "import airflow" not in text, path
        assert "from airflow" not in text, path
