"""`make airflow`: Airflow's interface comes up says how to log in, and goes away again."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import requests

from tidemark import registry
from tidemark.orchestrate import free_ports
from tidemark.settings import HOME_VARIABLE, Home


@pytest.fixture
def interface(tmp_path):
    """A started interface: its process, its home, and what it printed."""
    home = Home(tmp_path / "home")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")}
    environment.pop(HOME_VARIABLE, None)
    (port,) = free_ports(1)
    printed = tmp_path / "printed.txt"
    with printed.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "tidemark.cli", "--home", home.root, "airflow", f"--port={port}"],
            env=environment, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    until = time.monotonic() + 180
    while "Ctrl-C" not in printed.read_text():
        assert process.poll() is None, printed.read_text()
        assert time.monotonic() < until, printed.read_text()
        time.sleep(0.5)
    yield process, home, printed.read_text()
    process.terminate()
    process.wait(60)


def processes_in(folder: Path) -> list[str]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(folder):
                found.append(process.name())
    return found


def test_it_comes_up_with_a_login_and_the_dags_and_goes_away(interface):
    process, home, printed = interface
    url = re.search(r"http://127\.0\.0\.1:\d+", printed).group()
    user = re.search(r"user +(\S+)", printed).group(1)
    password = re.search(r"password +(\S+)", printed).group(1)

    def login(secret):
        return requests.post(f"{url}/auth/token", json={"username": user, "password": secret}, timeout=30)

    assert login("wrong").status_code == 401
    token = login(password).json()["access_token"]
    dags = requests.get(f"{url}/api/v2/dags", headers={"Authorization": f"Bearer {token}"}, timeout=30).json()
    assert {dag["dag_id"] for dag in dags["dags"]} == {
        "marts",
        "freshness",
        "inbox",
        *(f"ingest_{source}" for source in registry.sources()),
    }
    assert requests.get(f"{url}/api/v2/dags", timeout=30).status_code == 401
    for secret in ("secrets.json", "passwords.json"):
        assert (home.airflow / secret).stat().st_mode & 0o077 == 0

    second = subprocess.run(
        [sys.executable, "-m", "tidemark.cli", "--home", str(home.root), "run"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert second.returncode == 1
    assert "is running on" in second.stderr

    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert processes_in(home.root) == []
