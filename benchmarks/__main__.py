"""Runs benchmarks, prints them as they come, and writes the report: python -m benchmarks [NAME...]."""

from __future__ import annotations

import importlib
import json
import platform
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.measure import RUNS, Row

NAMES = ("parsing", "validating", "history", "recording", "as_of", "running")
FOLDER = Path(__file__).parent
REPORT, KEPT = FOLDER / "report.md", FOLDER / "report.json"
PACKAGES = ("duckdb", "pandas", "pyarrow", "great-expectations", "apache-airflow", "dbt-core", "openpyxl")


def main() -> int:
    names = sys.argv[1:] or list(NAMES)
    if unknown := set(names) - set(NAMES):
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    kept = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    for name in names:
        found = []
        for row in importlib.import_module(f"benchmarks.{name}").rows():
            print(line(row), flush=True)
            found.append(line(row))
        kept[name] = {"on": str(date.today()), "rows": found}
        KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
        write(kept)
    return 0


def line(row: Row) -> str:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    kept = {True: "yes", False: "**no**", None: ""}[row.kept]
    return (
        f"| {row.what} | {row.ours} | {row.against} | {row.theirs} | {ratio} | {row.aim} | {kept} | "
        f"{row.note} |"
    )


def floor(name: str) -> str:
    """What the module says of where the time goes, and what could not be less."""
    said: str = getattr(importlib.import_module(f"benchmarks.{name}"), "FLOOR", "")
    return f"\n\n{said.strip()}" if said else ""


def write(kept: dict[str, dict[str, list[str]]]) -> None:
    memory = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    head = f"""\
# What Tidemark costs

Written by `make bench`. Ratios measured in one run, medians of {RUNS}, taken in turns; how, says the head of each
file in `benchmarks/`. Machine: {platform.machine()}, {psutil.cpu_count()} cores, {memory:,.0f} GB; {platform.system()}
{platform.release()}; Python {platform.python_version()}; {versions}.
"""
    table = "| what | takes | against | takes | ratio | aim | kept | |\n|---|---|---|---|---|---|---|---|\n"
    blocks = [
        f"## {name.replace('_', ' ').capitalize()}\n\n{kept[name]['on']}.\n\n{table}"
        + "\n".join(kept[name]["rows"])
        + floor(name)
        for name in NAMES
        if name in kept
    ]
    REPORT.write_text("\n\n".join([head.rstrip(), *blocks]) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
