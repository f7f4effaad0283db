"""The same task by other programs: dlt's slowly changing dimension, and dbt's snapshot.

Each in a process of its own, on the same two Parquet files; only the second release is timed, without the
start of the program. dlt goes into an environment of its own, made for this (it needs a package index).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

RUNS = 5
DLT = ("dlt[duckdb,parquet]==1.30.0",)
SCRIPTS = Path(__file__).parent


def seconds(files: list[Path]) -> dict[str, float | str]:
    """Median seconds by program, or why it was not run."""
    python = dlt_python()
    return {
        "dlt, merge with scd2, from Arrow": (
            _median([python, str(SCRIPTS / "rival_dlt.py")], files) if Path(python).exists() else python
        ),
        "a dbt snapshot, check strategy": _median([sys.executable, str(SCRIPTS / "rival_dbt.py")], files),
    }


def _median(call: list[str], files: list[Path]) -> float | str:
    taken = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(prefix="tidemark-bench-") as folder:
            done = subprocess.run(
                [*call, *map(str, files), folder],
                capture_output=True, text=True, check=False, cwd=folder,
                env={
                    **{k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
                    "RUNTIME__DLTHUB_TELEMETRY": "false", "DO_NOT_TRACK": "1",
                },
            )  # fmt: skip
            if done.returncode:
                return f"failed: {done.stderr.strip()[-300:]}"
            taken.append(float(json.loads(done.stdout.splitlines()[-1])["seconds"]))
    return statistics.median(taken)


@cache
def dlt_python() -> str:
    """The Python of an environment with dlt, or why there is none."""
    folder = Path(tempfile.gettempdir()) / f"tidemark-bench-dlt-{os.getuid()}"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *DLT],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return str(python) if done.returncode == 0 else f"not installed: {done.stderr.strip()[-200:]}"
