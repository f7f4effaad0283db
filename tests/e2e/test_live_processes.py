"""The processes of docker-compose.yml, natively: with their metadata in PostgreSQL, against a stand-in for
the publishers. Brought up as `make airflow` does, used, and stopped.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest
import requests

from tests import postgres, standin
from tests.standin import tic
from tidemark import http, orchestrate, registry, snapshot
from tidemark.settings import HOME_VARIABLE, METADATA_VARIABLE, Home

TABLE5 = registry.dataset("tic/slt_table5")
COMPOSE = {"api-server", "scheduler", "dag-processor", "triggerer"}


@dataclass
class Mailbox:
    """Where alerts arrive: any webhook."""

    url: str = ""
    received: list[dict[str, Any]] = field(default_factory=list)

    def about(self, word: str) -> list[dict[str, Any]]:
        return [message for message in self.received if word in message["title"]]


@dataclass
class Running:
    home: Home
    process: subprocess.Popen[str]
    publisher: standin.Publisher
    mailbox: Mailbox
    url: str
    session: requests.Session

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.url}/api/v2/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def run(self, dag_id: str) -> dict[str, str]:
        """Run a DAG to its end; the state of each of its tasks."""
        run_id = self.ask("post", f"dags/{dag_id}/dagRuns", {"logical_date": None})["dag_run_id"]
        self.until(
            f"end {dag_id}",
            lambda: self.ask("get", f"dags/{dag_id}/dagRuns/{run_id}")["state"] in ("success", "failed"),
        )
        return self.tasks(dag_id, run_id)

    def tasks(self, dag_id: str, run_id: str) -> dict[str, str]:
        found = self.ask("get", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=200")["task_instances"]
        return {task["task_id"]: str(task["state"]) for task in found}

    def until(self, what: str, test: Callable[[], Any], seconds: float = 420) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := test():
                return found
            assert self.process.poll() is None, "Airflow has ended"
            time.sleep(0.5)
        raise AssertionError(f"did not {what} within {seconds:.0f} s")


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            box.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    box.url = f"json://127.0.0.1:{server.server_port}/alerts"
    yield box
    server.shutdown()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("live")
    home = Home(folder / "home")
    port = orchestrate.free_ports(1)[0]
    with standin.running() as publisher, postgres.running(folder / "postgres") as metadata:
        publish_newest(publisher)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        environment |= {
            HOME_VARIABLE: str(home.root),
            METADATA_VARIABLE: metadata,
            http.MIRROR_VARIABLE: publisher.url,
            "TIDEMARK_ALERTS": mailbox.url,
        }
        said: list[str] = []
        process = subprocess.Popen(
            [sys.executable, "-m", "tidemark.cli", "airflow", "--port", str(port)],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                if "Stop it with" in line:
                    break
            else:
                raise AssertionError("".join(said))
            password = next(line.split()[1] for line in said if line.strip().startswith("password"))
            session = requests.Session()
            session.trust_env = False
            url = f"http://127.0.0.1:{port}"
            token = session.post(
                f"{url}/auth/token", json={"username": "admin", "password": password}, timeout=30
            )
            session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
            yield Running(home, process, publisher, mailbox, url, session)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def publish_newest(publisher: standin.Publisher) -> None:
    """What the Treasury serves today: a new Table 5, and the other two as they are bundled."""
    today = date.today()
    publisher.publish(TABLE5, tic.table5_of(today), today)
    for name in ("tic/mfhhis01", "tic/slt_table3"):
        dataset = registry.dataset(name)
        publisher.publish(dataset, snapshot.bundled(dataset)[-1].data, today)


def test_exactly_the_processes_of_compose_run_and_are_healthy(live: Running) -> None:
    note = json.loads((live.home.airflow / orchestrate.PROCESSES_NOTE).read_text("utf-8"))
    titles = [" ".join(psutil.Process(int(pid)).cmdline()).replace("_", "-") for pid in note]
    assert len(titles) == len(COMPOSE)
    for name in COMPOSE:
        assert any(name in title for title in titles), titles
    health = live.ask("get", "monitor/health")
    assert {part: said["status"] for part, said in health.items()} == dict.fromkeys(
        ("metadatabase", "scheduler", "triggerer", "dag_processor"), "healthy"
    )
    # Its records are in PostgreSQL, and nowhere else.
    assert not (live.home.airflow / "airflow.db").exists()
    dags = {entry["dag_id"]: entry for entry in live.ask("get", "dags?limit=100")["dags"]}
    assert dags["ingest_tic"]["timetable_summary"] == "release calendar"
    assert "at 16:00 America/New_York" in dags["ingest_tic"]["timetable_description"]


def test_an_ingest_fetches_loads_and_fires_the_marts_which_are_published(live: Running) -> None:
    states = live.run("ingest_tic")
    for dataset in ("mfhhis01", "slt_table3", "slt_table5"):
        for step in ("fetch", "archive", "validate", "load"):
            assert states[f"{dataset}.{step}"] == "success", states
    live.until("publish", lambda: (live.home.current / "warehouse.duckdb").exists())
    live.until("end the marts", lambda: not unfinished(live, "marts"))
    with duckdb.connect(str(live.home.current / "warehouse.duckdb"), read_only=True) as connection:
        ((newest,),) = connection.execute(
            "select max(period_end) from fct_holdings where dataset = 'tic/slt_table5'"
        ).fetchall()
    assert newest.isoformat()[:7] in publisher_file(live).splitlines()[5].decode()
    assert live.mailbox.about("ingest_") == live.mailbox.about("marts") == []


def test_a_red_task_is_told_once_holds_up_no_other_and_is_taken_back(live: Running) -> None:
    before = live.home.current.resolve()
    live.publisher.misbehave(TABLE5.url, standin.answers(403, standin.WALL))
    for _ in range(2):
        states = live.run("ingest_tic")
        assert states["slt_table5.fetch"] == "failed"
        # The others go on: they are asked, and have nothing new.
        assert states["slt_table3.fetch"] == "success"
        assert states["slt_table3.load"] == states["slt_table5.load"] == "skipped"
    told = live.mailbox.about("slt_table5.fetch")
    assert len(told) == 1, live.mailbox.received
    assert "answers 403" in told[0]["message"]
    assert "put it into the inbox" in told[0]["message"]
    assert live.home.current.resolve() == before
    live.publisher.recover()
    assert live.run("ingest_tic")["slt_table5.fetch"] == "success"
    live.until("take it back", lambda: live.mailbox.about("is well again"), 20)


def test_what_stands_still_turns_its_own_task_red_and_no_other(live: Running) -> None:
    """Table 3 is served as it was in June 2026; the history's year and Table 5 are as new as they can be."""
    states = live.run("freshness")
    assert states["tic.slt_table5"] == "success"
    assert states["tic.slt_table3"] == "failed"
    assert {name for name, state in states.items() if state == "failed" and name.startswith("tic.")} <= {
        "tic.slt_table3", "tic.mfhhis01",
    }  # fmt: skip
    (told,) = live.mailbox.about("tic.slt_table3")
    assert "is frozen since 2026-08-08" in told["message"]


def test_a_file_in_the_inbox_is_recognised_and_loaded(live: Running) -> None:
    inbox = live.home.inbox
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / "download (3).txt").write_bytes(publisher_file(live) + b"\r\n")
    (inbox / "holiday.txt").write_text("nothing of ours")
    live.run("inbox")
    live.until("load it", lambda: not list(inbox.rglob("*.txt")) and not unfinished(live, "ingest_tic"))
    assert len(live.mailbox.about("holiday.txt")) == 1
    archived = live.home.archive / "releases" / "tic" / "slt_table5"
    assert any("download (3).txt" in path.read_text() for path in archived.glob("*.json"))


def test_interrupting_it_stops_every_process(live: Running) -> None:
    note = json.loads((live.home.airflow / orchestrate.PROCESSES_NOTE).read_text("utf-8"))
    live.process.send_signal(signal.SIGINT)
    assert live.process.wait(60) in (0, 130)
    assert orchestrate._members({int(pid) for pid in note}) == []


def publisher_file(live: Running) -> bytes:
    return live.publisher.served[TABLE5.url].data


def unfinished(live: Running, dag_id: str) -> list[Any]:
    runs = live.ask("get", f"dags/{dag_id}/dagRuns?limit=50&state=queued&state=running")["dag_runs"]
    return list(runs)


def test_compose_has_these_very_processes() -> None:
    import yaml

    compose = yaml.safe_load((Path(orchestrate.project_root()) / "docker-compose.yml").read_text("utf-8"))
    assert compose["services"].keys() - {"postgres", "init", "sql"} == COMPOSE
