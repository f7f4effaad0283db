"""`make run` against the same functions called in plain Python, and what one more source adds to it.

Everything that `make run` needs is installed and compiled; what it answers at the end is left out of both. From
an empty home all the work is done; on a home that is loaded nothing is new, and what there is to do is to find
that out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, at_most, medians, written
from tidemark.settings import HOME_VARIABLE, project_root

RUNS = 5
PLAIN = """
from tidemark import build, inbox, pipeline, publish, registry, snapshot, tasks
from tidemark.settings import Home
home = Home.find()
for dataset in registry.datasets():
    ids = tasks.archive(dataset.name)
    if ids:
        tasks.load(dataset.name, tasks.validate(dataset.name, ids))
if tasks.begin_if_new():
    begun = build.build(home)
    build.validate_marts(home)
    build.remember_built(home, begun)
    publish.publish(home)
"""
WHOLE_SECONDS, SOURCE_SECONDS = 60, 3


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="tidemark-bench-") as place:
        folder = Path(place)
        root = project_root()
        ours_home, plain_home = folder / "airflow" / "home", folder / "plain" / "home"

        def anew(home: Path, *call: str) -> None:
            shutil.rmtree(home, ignore_errors=True)
            run(root, home, *call)

        ours, plain = medians(
            lambda: anew(ours_home, "-m", "tidemark.cli", "run", "--quiet"),
            lambda: anew(plain_home, "-c", PLAIN),
            runs=RUNS,
        )
        yield at_most(
            "make run, everything from an empty home", "the same functions in plain Python", ours, plain, 2.5
        )
        again, plain_again = medians(
            lambda: run(root, ours_home, "-m", "tidemark.cli", "run", "--quiet"),
            lambda: run(root, plain_home, "-c", PLAIN),
            runs=RUNS,
        )
        yield Row(
            "make run, warm: nothing is new", "the same functions in plain Python",
            written(again), written(plain_again), again / plain_again, f"under {WHOLE_SECONDS} s",
            again < WHOLE_SECONDS, "what is left is Airflow's own start, its tasks, and its end",
        )  # fmt: skip
        yield one_more_source(folder)


def run(project: Path, home: Path, *call: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment |= {HOME_VARIABLE: str(home), "PYTHONPATH": str(project / "src")}
    done = subprocess.run(
        [sys.executable, *call], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(done.stdout[-2000:] + done.stderr[-4000:])


def one_more_source(folder: Path) -> Row:
    """The project as it is, and with the source that its test renders and fills in, on loaded homes of theirs."""
    from tests.e2e import test_new_source as new

    projects = {}
    for name in ("without", "with"):
        project = folder / name / "project"
        project.mkdir(parents=True)
        for part in new.PARTS:
            place = project_root() / part
            if place.is_dir():
                shutil.copytree(place, project / part, ignore=shutil.ignore_patterns("__pycache__", "target"))
            else:
                shutil.copy(place, project / part)
        home = project.parent / "home"
        if name == "with":
            run(project, home, "templates/render.py", "harbour/tonnage")
            for file in new.FILES:
                path = project / file
                path.write_text(new.marked(file, path.read_text("utf-8")), "utf-8")
            waiting = home / "inbox" / "harbour" / "tonnage" / "goods_2026-03-05.csv"
            waiting.parent.mkdir(parents=True)
            waiting.write_text(new.SERIES)
        run(project, home, "-m", "tidemark.cli", "run", "--quiet")
        projects[name] = (project, home)
    without, with_it = medians(
        *(
            lambda project=project, home=home: run(project, home, "-m", "tidemark.cli", "run", "--quiet")
            for project, home in projects.values()
        ),
        runs=RUNS,
    )
    return Row(
        "make run, warm, with one more source", "without it", written(with_it), written(without), None,
        f"at most {SOURCE_SECONDS} s more", with_it - without < SOURCE_SECONDS,
        f"{with_it - without:+.1f} s",
    )  # fmt: skip
