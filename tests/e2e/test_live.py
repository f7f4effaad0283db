"""`make live`: every publisher asked once, and a pipeline on what came."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests import standin
from tests.standin import tic
from tidemark import http, registry, snapshot
from tidemark.settings import HOME_VARIABLE, Home


def live(home: Home, mirror: str, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment.pop(HOME_VARIABLE, None)
    return subprocess.run(
        [sys.executable, "-m", "tidemark.cli", "--home", str(home.root), *(command or ("live",))],
        env={**environment, http.MIRROR_VARIABLE: mirror},
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip


def test_without_a_network_it_says_so_within_two_minutes_and_readers_are_served(published_home: Home) -> None:
    before = published_home.current.resolve()
    began = time.monotonic()
    done = live(published_home, "http://127.0.0.1:9")
    assert done.returncode == 1
    # The bound that was promised, and no measurement: it takes seconds.
    assert time.monotonic() - began < 120
    fetched = [dataset for dataset in registry.datasets() if dataset.is_fetched]
    table = [line.split()[:2] for line in done.stdout.splitlines() if "/" in line.split(" ")[0]]
    assert table == [[dataset.name, "unreachable"] for dataset in fetched]
    assert f"0 of {len(fetched)} datasets reached" in done.stdout
    assert "Traceback" not in done.stderr
    assert "The published release still serves" in done.stdout
    assert published_home.current.resolve() == before
    with duckdb.connect(str(published_home.current / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from fct_holdings").fetchall()[0][0] > 0


def test_what_came_is_loaded_and_published_and_who_failed_is_named(
    loaded_template: Home, tmp_path: Path
) -> None:
    shutil.copytree(loaded_template.root, tmp_path / "home", symlinks=True)
    home = Home(tmp_path / "home")
    served = tic.table5_of(date.today())
    with standin.running() as publisher:
        publisher.publish(registry.dataset("tic/slt_table5"), served, date.today())
        for name in ("tic/mfhhis01", "tic/slt_table3"):
            dataset = registry.dataset(name)
            publisher.publish(dataset, snapshot.bundled(dataset)[-1].data, date.today())
        done = live(home, publisher.url)
        assert done.returncode == 1, done.stderr
        lines = {
            line.split()[0]: line.split() for line in done.stdout.splitlines() if "/" in line.split(" ")[0]
        }
        assert lines["tic/slt_table5"][1] == "new"
        assert lines["tic/slt_table3"][1] == "unchanged"
        assert lines["fed/treast"][1] == "not_found"
        assert "3 of" in done.stdout
        with duckdb.connect(str(home.current / "warehouse.duckdb"), read_only=True) as connection:
            ((month,),) = connection.execute(
                "select max(period_end) from fct_holdings where dataset = 'tic/slt_table5'"
            ).fetchall()
        assert served.splitlines()[5].split(b"\t")[1].decode() == f"{month:%Y-%m}"
        published = home.current.resolve()
        again = live(home, publisher.url, "fetch", "tic")
        assert again.returncode == 0, again.stderr
        assert again.stdout.count("unchanged") == 3
        assert home.current.resolve() == published


def test_what_no_program_gets_says_how_else(home: Home) -> None:
    done = live(home, "http://127.0.0.1:9", "fetch", "wgc/holdings_ranking")
    assert done.returncode == 2
    assert "logged in" in done.stderr
    assert str(home.inbox) in done.stderr.replace("\n", "")


@pytest.mark.parametrize("day", ["2026-06-18", "2026-01-01"])
def test_a_release_of_the_archive_is_loaded_by_its_day(published_home: Home, day: str) -> None:
    done = live(published_home, "", "ingest", "tic/slt_table5", "--released-on", day)
    assert done.returncode == 0, done.stderr
    said = "already loaded" if day == "2026-06-18" else "no release of 2026-01-01 is archived"
    assert said in done.stdout
