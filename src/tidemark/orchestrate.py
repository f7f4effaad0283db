"""Runs Airflow on this machine: headless for one pass over every DAG, or with its user interface.

Airflow is started as its own processes (api-server, scheduler, dag-processor), spoken to through its REST
interface, and stopped again; nothing here imports it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import requests
from filelock import FileLock, Timeout

from tidemark import archive, build, registry
from tidemark.errors import TidemarkError, UsageError
from tidemark.settings import HOME_VARIABLE, LIVE_VARIABLE, METADATA_VARIABLE, Home, project_root

USER = "admin"
PROCESSES_NOTE = "processes.json"
ENDED = ("success", "failed")
START_SECONDS = 120
RUN_SECONDS = 1800
# Asking more often slows the API server, which the tasks need, too.
ASK_EVERY_SECONDS = 0.5


class Airflow:
    """The processes of one Airflow, kept below a home, and its REST interface."""

    def __init__(self, home: Home, port: int, scheduled: bool = False) -> None:
        self.home = home
        self.scheduled = scheduled
        self.url = f"http://127.0.0.1:{port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.session = requests.Session()
        self.session.trust_env = False  # a proxy has no business between two processes of one machine
        secret = _secrets(home)
        self.password = secret["password"]
        log_port, trigger_port = free_ports(2)
        folder = home.airflow
        self.environment = {
            **os.environ,
            **shared_settings(),
            **build.environment(home),
            HOME_VARIABLE: str(home.root),
            LIVE_VARIABLE: "1" if scheduled else "0",
            "AIRFLOW_HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(config()), os.environ.get("PYTHONPATH")])),
            "AIRFLOW__COSMOS__CACHE_DIR": str(folder / "cosmos"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(project_root() / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(project_root() / "plugins"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__FERNET_KEY": "",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
            # The API server starts while the database is being made; the others wait for it.
            "AIRFLOW__DATABASE__CHECK_MIGRATIONS": "False",
            # Said here, too, since the configuration file that Airflow writes keeps the paths of its day.
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_url(home, scheduled),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__SECRET_KEY": secret["api"],
            "AIRFLOW__API_AUTH__JWT_SECRET": secret["jwt"],
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(log_port),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(trigger_port),
        }

    def log_of(self, name: str) -> Path:
        return self.home.airflow / f"{name}.log"

    def log_of_task(self, dag_id: str, run_id: str, task: dict[str, Any]) -> Path:
        folder = f"dag_id={dag_id}/run_id={run_id}/task_id={task['task_id']}"
        return self.home.airflow / "logs" / folder / f"attempt={task['try_number']}.log"

    def spawn(self, name: str) -> None:
        """Start a process in a session of its own, so that it and all its children can be stopped."""
        with self.log_of(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self._call(name),
                env=self.environment,
                cwd=self.home.airflow,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started = {p.pid: psutil.Process(p.pid).create_time() for p in self.processes.values()}
        archive.write_atomically(self.home.airflow / PROCESSES_NOTE, json.dumps(started).encode())

    def _call(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "airflow", *arguments]

    def start(self) -> None:
        """Make the metadata database, start the processes, and wait until DAGs can run.

        Raises:
            TidemarkError: a process ended, a DAG does not import, or they are not ready in time.
        """
        self.spawn("api-server")
        with ThreadPoolExecutor(max_workers=1) as aside:
            # The DAG of the marts is drawn from it; whoever reads that DAG first waits for it.
            manifest = aside.submit(build.manifest, self.home)
            self._migrate()
            self.spawn("dag-processor")
            self.spawn("scheduler")
            if self.scheduled:
                self.spawn("triggerer")
            manifest.result()
        self.until("answer", lambda: self.ask("get", "/api/v2/version", login=False))
        # Its first request builds the interface that tasks talk to, which takes seconds: better now.
        self.until(
            "be ready for tasks", lambda: self.ask("get", "/execution/health", login=False, timeout=60)
        )
        expected = {"marts", "freshness", "inbox", *(f"ingest_{source}" for source in registry.sources())}
        self.until("read the DAGs", lambda: self._dags_read(expected))
        # Asked again where that fails: on SQLite another process may hold the database's lock for too long.
        self.until("make its pools", self._pools_made)
        self.until("be healthy", self._healthy)

    def _pools_made(self) -> bool:
        for name, pool in json.loads((config() / "pools.json").read_text("utf-8")).items():
            self.ask("post", "/api/v2/pools", {"name": name, **pool}, accept=(409,))
        return True

    def _migrate(self) -> None:
        """Make the metadata database, or bring it up to this Airflow's form."""
        with self.log_of("migrate").open("wb") as log:
            made = subprocess.run(
                self._call("db", "migrate"), env=self.environment, cwd=self.home.airflow,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
        if made.returncode:
            raise TidemarkError(
                "Airflow's metadata database could not be made", f"see {self.log_of('migrate')}"
            )

    def unfinished_runs(self) -> list[tuple[str, str]]:
        """(DAG, run) of each run that has not ended."""
        states = "&".join(f"state={state}" for state in ("queued", "running"))
        found = self.ask("get", f"/api/v2/dags/~/dagRuns?limit=100&{states}")["dag_runs"]
        return [(entry["dag_id"], entry["dag_run_id"]) for entry in found]

    def marts_runs(self) -> list[str]:
        """The newest runs of the marts DAG, whatever became of them."""
        found = self.ask("get", "/api/v2/dags/marts/dagRuns?limit=100&order_by=-id")["dag_runs"]
        return [entry["dag_run_id"] for entry in found]

    def fail_unfinished_runs(self) -> None:
        """End the runs of an Airflow that was killed: their tasks are gone, and would be waited for."""
        for dag_id, run_id in self.unfinished_runs():
            self.ask("patch", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}", {"state": "failed"})

    def _dags_read(self, expected: set[str]) -> bool:
        broken = self.ask("get", "/api/v2/importErrors")["import_errors"]
        if broken:
            told = "\n".join(f"     {error['filename']}: {error['stack_trace']}" for error in broken)
            raise TidemarkError(f"Airflow cannot import a DAG file:\n{told}", "mend the file")
        return expected <= {entry["dag_id"] for entry in self.ask("get", "/api/v2/dags?limit=100")["dags"]}

    def _healthy(self) -> bool:
        health = self.ask("get", "/api/v2/monitor/health", login=False)
        parts = ("metadatabase", "scheduler", "dag_processor", *(("triggerer",) if self.scheduled else ()))
        return all((health.get(part) or {}).get("status") == "healthy" for part in parts)

    def stop(self) -> None:
        """Stop every process and its children."""
        stop_sessions({process.pid for process in self.processes.values()})
        for process in self.processes.values():
            process.wait()
        (self.home.airflow / PROCESSES_NOTE).unlink(missing_ok=True)

    def ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        login: bool = True,
        timeout: float = 10,
        accept: tuple[int, ...] = (),
    ) -> Any:
        """A request to the REST interface; None for a status in `accept`, else what it answers."""
        if login and "Authorization" not in self.session.headers:
            token = self.ask(
                "post", "/auth/token", {"username": USER, "password": self.password}, login=False
            )
            self.session.headers["Authorization"] = f"Bearer {token['access_token']}"
        answer = self.session.request(method, self.url + path, json=body, timeout=timeout)
        if answer.status_code in accept:
            return None
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def until(self, what: str, test: Callable[[], Any], seconds: float = START_SECONDS) -> Any:
        """What the test answers once that is true; while the interface is not up yet, it is not."""
        end = time.monotonic() + seconds
        said = ""
        while time.monotonic() < end:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise TidemarkError(
                        f"Airflow's {name} ended with {process.returncode}", f"see {self.log_of(name)}"
                    )
            try:
                if answer := test():
                    return answer
            except requests.RequestException as error:
                said = str(error)
            time.sleep(ASK_EVERY_SECONDS)
        raise TidemarkError(
            f"Airflow did not {what} within {seconds:.0f} s ({said})", f"see the logs in {self.home.airflow}"
        )

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=100&offset="
        found: list[dict[str, Any]] = []
        while True:
            page = self.ask("get", f"{path}{len(found)}")
            found += page["task_instances"]
            if not page["task_instances"] or len(found) >= page["total_entries"]:
                return found


def config() -> Path:
    return project_root() / "config"


def shared_settings() -> dict[str, str]:
    """The settings that `docker-compose.yml` gives its containers, too."""
    lines = (config() / "airflow.env").read_text("utf-8").splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return dict(pairs)


def metadata_url(home: Home, scheduled: bool) -> str:
    """Where Airflow keeps its own records: what `TIDEMARK_METADATA_URL` says, or a file in the home.

    A headless pass keeps to the file: it leaves the records of the Airflow that runs for good alone.
    """
    given = os.environ.get(METADATA_VARIABLE, "") if scheduled else ""
    return given or f"sqlite:///{home.airflow / 'airflow.db'}"


def stop_sessions(leaders: set[int]) -> None:
    """Stop all processes of these sessions: asked first, made to after three seconds.

    Each of our processes leads a session. A running task has a process group of its own within the
    scheduler's session, so that stopping groups would miss it.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in _members(leaders):
            # The leaders end their children in good order; only then are those taken one by one.
            if pid in leaders or number == signal.SIGKILL:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
        until = time.monotonic() + 3
        while time.monotonic() < until:
            if not _members(leaders):
                return
            time.sleep(0.05)


def _members(leaders: set[int]) -> list[int]:
    members = []
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError, psutil.Error):
            if os.getsid(pid) in leaders and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                members.append(pid)
    return members


def stop_left_behind(home: Home) -> bool:
    """Stop what an Airflow on this home left running when it was killed; whether there was one."""
    note = home.airflow / PROCESSES_NOTE
    if not note.exists():
        return False
    left = set()
    for pid, created in json.loads(note.read_text("utf-8")).items():
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(int(pid)).create_time() == created:
                left.add(int(pid))
    stop_sessions(left)
    note.unlink()
    return True


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _secrets(home: Home) -> dict[str, str]:
    """The password and keys of this home's Airflow, made at random once and readable by its owner only."""
    path = home.airflow / "secrets.json"
    if not path.exists():
        made = {name: secrets.token_urlsafe(24) for name in ("password", "api", "jwt")}
        archive.write_atomically(path, json.dumps(made).encode(), mode=0o600)
    content: dict[str, str] = json.loads(path.read_text("utf-8"))
    passwords = json.dumps({USER: content["password"]}).encode()
    archive.write_atomically(home.airflow / "passwords.json", passwords, mode=0o600)
    return content


@contextmanager
def running(home: Home, port: int | None = None, scheduled: bool = False) -> Iterator[Airflow]:
    """An Airflow that is ready, and is stopped at the end, however that comes.

    Raises:
        TidemarkError: another Airflow runs on this home, or this one does not start.
    """
    home.airflow.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home.airflow / "running.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise TidemarkError(
            f"Airflow is running on {home.root} already", "stop it, or start the DAGs in its user interface"
        ) from None
    airflow = Airflow(home, port or free_ports(1)[0], scheduled)
    # Both by name: a shell that starts this in the background has it ignore Ctrl-C.
    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)),
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
    }
    try:
        interrupted = stop_left_behind(home)
        airflow.start()
        if interrupted:
            airflow.fail_unfinished_runs()
        yield airflow
    finally:
        airflow.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
        lock.release()


def run(home: Home, progress: build.Progress) -> None:
    """Every ingest DAG once, then the marts as their assets fire them, on a real scheduler.

    Where nothing was loaded, no asset fires; the marts are started then if they are not those published: a
    model was changed, or a run was stopped between its loads and its build.

    Raises:
        TidemarkError: a task failed; says which, and why.
    """
    with running(home) as airflow:
        before = set(airflow.marts_runs())
        runs = {}
        for source in registry.sources():
            dag_id = f"ingest_{source}"
            started = airflow.ask("post", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None})
            runs[dag_id] = started["dag_run_id"]
        ended: dict[tuple[str, str], dict[str, Any]] = {}
        asked_for_marts = False

        def everything_ended() -> bool:
            nonlocal asked_for_marts
            watched = list(runs.items())
            loaded = all(key in ended for key in watched)
            if loaded:
                # The queue first, then the runs: an event leaves the queue as the run it fires begins.
                queued = airflow.ask("get", "/api/v2/dags/marts/assets/queuedEvents", accept=(404,))
                if queued and queued["total_entries"]:
                    return False
                if not asked_for_marts and before.issuperset(airflow.marts_runs()):
                    asked_for_marts = True
                    if build.anything_new(home):
                        airflow.ask("post", "/api/v2/dags/marts/dagRuns", {"logical_date": None})
            watched += [("marts", run_id) for run_id in airflow.marts_runs() if run_id not in before]
            tasks: list[dict[str, Any]] = []
            for dag_id, run_id in watched:
                if (dag_id, run_id) in ended:
                    tasks += ended[dag_id, run_id]["tasks"]
                    continue
                found = airflow.task_instances(dag_id, run_id)
                tasks += found
                state = airflow.ask("get", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"]
                if state in ENDED:
                    ended[dag_id, run_id] = {"state": state, "tasks": found}
            over = ("success", "failed", "skipped", "upstream_failed")
            active = [t for t in tasks if t["state"] == "running"]
            progress(
                sum(t["state"] in over for t in tasks), len(tasks),
                f"{active[0]['dag_id']} {active[0]['task_id']}" if active else "",
            )  # fmt: skip
            return loaded and all(key in ended for key in watched)

        airflow.until("finish the DAGs", everything_ended, RUN_SECONDS)
    failed = [
        (dag_id, run_id, task)
        for (dag_id, run_id), result in ended.items()
        for task in result["tasks"]
        if task["state"] == "failed"
    ]
    if failed:
        told = "\n".join(_told(airflow, *each) for each in failed)
        raise TidemarkError(
            f"{len(failed)} task(s) failed\n{told}", "what did not fail is loaded: tidemark status"
        )
    if any(result["state"] != "success" for result in ended.values()):
        states = ", ".join(f"{dag_id}: {result['state']}" for (dag_id, _), result in ended.items())
        raise TidemarkError(f"a DAG did not succeed ({states})", f"see {home.airflow / 'logs'}")


def _told(airflow: Airflow, dag_id: str, run_id: str, task: dict[str, Any]) -> str:
    """Which task is red, why, and where its log stands."""
    log = airflow.log_of_task(dag_id, run_id, task)
    told = [f"{dag_id}: {task['task_id']} failed"]
    told += [f"     {line}" for line in _reason(log).splitlines()]
    return "\n".join([*told, f"     log: {log}"])


def _reason(log: Path) -> str:
    """The exception that ended a task, from its log: JSON, a line an event."""
    try:
        lines = log.read_text("utf-8").splitlines()
    except OSError:
        return ""
    for line in reversed(lines):
        with suppress(ValueError):
            raised = json.loads(line).get("error_detail")
            if raised:
                return re.sub(r"\x1b\[[0-9;]*m", "", str(raised[0]["exc_value"])).strip()
    return ""


def serve(home: Home, port: int) -> None:
    """Airflow's user interface and scheduler until interrupted; prints where and how to log in."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise UsageError(
                f"port {port} is taken", "choose another: tidemark airflow --port 8081"
            ) from None
    print("Starting Airflow (about 15 s) ...", flush=True)
    with running(home, port, scheduled=True) as airflow:
        print(f"Airflow is ready at {airflow.url}")
        print(f"  user      {USER}")
        print(f"  password  {airflow.password}")
        print(f"  logs      {home.airflow}")
        print("Stop it with Ctrl-C.", flush=True)
        try:
            while True:
                time.sleep(1)
                for name, process in airflow.processes.items():
                    if process.poll() is not None:
                        raise TidemarkError(
                            f"Airflow's {name} ended with {process.returncode}", f"see {airflow.log_of(name)}"
                        )
        except KeyboardInterrupt:
            print("\nStopping Airflow ...", flush=True)
