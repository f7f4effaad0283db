"""The main job as a newcomer runs it: real Airflow processes, the DAGs, the assets, the published release.

One run on the bundled snapshot, a second that finds nothing new, and one in a copy of the project whose
snapshot was damaged: the red suite turns its task red and changes nothing downstream.
"""

import csv
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import duckdb
import psutil
import pytest

from tidemark import registry
from tidemark.settings import HOME_VARIABLE, Home, project_root

PROJECT_PARTS = ("src", "config", "dags", "plugins", "sources", "snapshot", "expectations", "dbt_project")
MODELS = {path.stem for path in (project_root() / "dbt_project" / "models").rglob("*.sql")}


def tidemark(home: Home, *arguments: str, project: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")}
    environment.pop(HOME_VARIABLE, None)
    if project is not None:
        environment["PYTHONPATH"] = str(project / "src")
    return subprocess.run(
        [sys.executable, "-m", "tidemark.cli", "--home", str(home.root), *arguments],
        env=environment, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip


def metadata(home: Home, query: str) -> list[tuple]:
    with sqlite3.connect(home.airflow / "airflow.db") as connection:
        return connection.execute(query).fetchall()


def contents(home: Home) -> dict[str, str]:
    """Every raw table and the published file, as hashes of what they hold."""
    connection = duckdb.connect(str(home.warehouse), read_only=True)
    try:
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw' and table_name <> 'outcomes'"
        ).fetchall()
        found = {
            name: str(connection.execute(f'select * from raw."{name}" order by all').fetchall())
            for (name,) in tables
        }
    finally:
        connection.close()
    found["current"] = home.current.resolve().name
    found["file"] = hashlib.sha256((home.current / "warehouse.duckdb").read_bytes()).hexdigest()
    return found


@pytest.fixture(scope="module")
def run_home(tmp_path_factory) -> Home:
    """A home in which the whole pipeline ran once through Airflow."""
    home = Home(tmp_path_factory.mktemp("e2e") / "home")
    done = tidemark(home, "run")
    assert done.returncode == 0, done.stderr
    (home.root / "answers.txt").write_text(done.stdout)
    return home


def test_the_run_ends_with_answers(run_home):
    said = (run_home.root / "answers.txt").read_text()
    for expected in (
        "Foreign holders of US Treasuries, July 2026",
        "Japan", "1,103.9", "United Kingdom", "998.3", "China", "618.0",
        "first published 2025-12-18",
        "source       datasets   releases", "newest figure",
        "published/current/warehouse.duckdb", "tidemark", "--as-of 2025-12-20",
    ):  # fmt: skip
        assert expected in said, expected
    # A row a source: datasets loaded, releases, cells, the newest figure, what the suites said.
    rows = {
        line.split()[0]: line.split() for line in said.splitlines() if line.endswith(("passed", "passed "))
    }
    assert set(rows) == set(registry.sources())
    assert rows["safe"][1:] == ["3", "of", "3", "21", "9,039", "2026-09", "passed"]
    assert rows["tic"][1:] == ["5", "of", "5", "7", "62,347", "2026-07", "passed"]


def test_assets_fired_the_marts_under_the_scheduler(run_home):
    fired = metadata(run_home, "select run_type, state from dag_run where dag_id = 'marts'")
    assert set(fired) == {("asset_triggered", "success")}
    events = metadata(
        run_home,
        "select distinct asset.uri, asset_event.source_task_id from asset_event "
        "join asset on asset.id = asset_event.asset_id where asset_event.source_dag_id = 'ingest_tic'",
    )
    assert {uri for uri, _ in events} == {
        f"tidemark://tic/{name}"
        for name in ("mfhhis01", "slt_table5", "slt_table3", "mfh", "cited_first_prints")
    }
    assert all(task.endswith(".load") for _, task in events)


def test_every_model_was_a_green_task(run_home):
    states = dict(
        metadata(
            run_home,
            "select task_id, state from task_instance where dag_id = 'marts' and run_id = "
            "(select run_id from dag_run where dag_id = 'marts' order by id limit 1)",
        )
    )
    assert {states[f"dbt.{model}_run"] for model in MODELS} == {"success"}
    assert states["publish"] == "success"


def test_no_process_is_left(run_home):
    # Airflow's processes stand in the home's folder, whatever their command lines say.
    left = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(run_home.root):
                left.append(process.cmdline())
    assert left == []


def test_a_second_run_loads_and_publishes_nothing_new(run_home):
    before = contents(run_home)
    done = tidemark(run_home, "run", "--quiet")
    assert done.returncode == 0, done.stderr
    assert contents(run_home) == before
    (last,) = metadata(
        run_home,
        "select state from task_instance where dag_id = 'marts' and task_id = 'publish' and run_id = "
        "(select run_id from dag_run where dag_id = 'marts' order by id desc limit 1)",
    )
    assert last == ("skipped",)


def damaged_project(folder: Path) -> Path:
    """A copy of the project in whose snapshot China's newest Table 5 figure is 100 too high."""
    for part in PROJECT_PARTS:
        unkept = shutil.ignore_patterns("__pycache__", "target", "logs")
        shutil.copytree(project_root() / part, folder / part, ignore=unkept)
    file = folder / "snapshot" / "tic" / "slt_table5_2026-09-16.txt"
    good = file.read_bytes()
    file.write_bytes(good.replace(b"China, Mainland\t618.0", b"China, Mainland\t718.0"))
    assert file.read_bytes() != good
    manifest = folder / "snapshot" / "manifest.csv"
    with manifest.open(newline="") as source:
        rows = list(csv.DictReader(source))
    for row in rows:
        if row["file"] == "tic/slt_table5_2026-09-16.txt":
            row["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    with manifest.open("w", newline="") as target:
        writer = csv.DictWriter(target, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_a_red_suite_turns_its_task_red_and_changes_nothing_downstream(run_home, tmp_path):
    home = Home(tmp_path / "home")
    shutil.copytree(run_home.root, home.root, symlinks=True)
    before = contents(home)

    done = tidemark(home, "run", project=damaged_project(tmp_path / "project"))

    assert done.returncode == 1
    assert "slt_table5.validate failed" in done.stderr
    assert "slt_table5_2026-09-16.txt, line" in done.stderr
    assert "must sum to Grand Total" in done.stderr
    states = dict(
        metadata(
            home,
            "select task_id, state from task_instance where dag_id = 'ingest_tic' and run_id = "
            "(select run_id from dag_run where dag_id = 'ingest_tic' order by id desc limit 1)",
        )
    )
    assert states["slt_table5.validate"] == "failed"
    assert states["slt_table5.load"] == "upstream_failed"
    # Of the others nothing is new, so nothing is looked at again.
    others = {task: state for task, state in states.items() if not task.startswith("slt_table5")}
    assert {state for task, state in others.items() if task.endswith(".archive")} == {"success"}
    assert {state for task, state in others.items() if not task.endswith(".archive")} == {"skipped"}
    assert contents(home) == before
    (reason,) = (home.quarantine / "tic__slt_table5").rglob("reason.json")
    told = json.loads(reason.read_text())
    assert told["outcome"] == "failed_suite"
    assert (reason.parent / told["file"]).read_bytes().count(b"718.0") == 1


def test_a_killed_run_is_picked_up_by_the_next(run_home, tmp_path):
    home = Home(tmp_path / "home")
    with subprocess.Popen(
        [sys.executable, "-m", "tidemark.cli", "--home", home.root, "run"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as killed:  # fmt: skip
        until = time.monotonic() + 180
        while not home.warehouse.exists():
            assert killed.poll() is None
            assert time.monotonic() < until
            time.sleep(0.2)
        killed.kill()

    done = tidemark(home, "run", "--quiet")

    assert done.returncode == 0, done.stderr
    assert tables_of(home) == tables_of(run_home)


def tables_of(home: Home) -> dict:
    """Rows and a hash of the contents of every table of the published release."""
    return json.loads((home.current / "release.json").read_text())["tables"]
