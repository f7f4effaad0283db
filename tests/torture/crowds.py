"""Two at once: who writes the warehouse is alone, and who comes second waits or is told.

Each case runs processes of its own on a copy of a loaded and published home, and says what was wrong after.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.torture import killed
from tidemark import pipeline, registry, warehouse
from tidemark.errors import BusyError
from tidemark.settings import Home


@dataclass(frozen=True)
class Case:
    what: str
    said: str
    broken: tuple[str, ...]


def command(home: Home, *arguments: str) -> subprocess.Popen[str]:
    call = [sys.executable, "-m", "tidemark.cli", "--home", str(home.root), *arguments]
    return subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def all_at_once(home: Home, *commands: tuple[str, ...]) -> list[str]:
    """Run commands together; what went wrong."""
    running = [(arguments, command(home, *arguments)) for arguments in commands]
    wrong = []
    for arguments, process in running:
        out, errors = process.communicate(timeout=600)
        if process.returncode:
            wrong.append(f"{' '.join(arguments)}: exit {process.returncode}: {out[-500:]}{errors[-1500:]}")
    return wrong


@contextmanager
def holding(script: str, path: Path) -> Iterator[None]:
    """A process that has taken what its script takes, says so in a line, and is killed at the end."""
    call = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            holder.stdout.readline()
            yield
        finally:
            holder.kill()


def eight_ingests(home: Home, sound: killed.Undisturbed) -> list[str]:
    """Eight processes load three datasets, some the same."""
    names = [*killed.DATASETS, *killed.DATASETS, killed.DATASETS[0], killed.DATASETS[1]]
    wrong = all_at_once(home, *(("ingest", name) for name in names))
    return wrong + killed.differing(killed.contents(home, raw_only=True), sound.raw)


def a_build_during_ingests(home: Home, sound: killed.Undisturbed) -> list[str]:
    """A build begins while datasets are being loaded; a second one then makes of them what is due."""
    wrong = all_at_once(home, ("build",), *(("ingest", name) for name in killed.DATASETS))
    wrong += all_at_once(home, ("build",), ("build",))
    return wrong + killed.differing(killed.contents(home), sound.whole)


def two_publications(home: Home, sound: killed.Undisturbed) -> list[str]:
    for name in ("archive", "validate", "load", "build", "validate_marts"):
        killed.step(name, home)
    wrong = all_at_once(home, ("publish",), ("publish",), ("publish",))
    if killed.published(home) != sound.published:
        wrong.append("the published release is another")
    return wrong


def a_crashed_writers_lock(home: Home, _sound: killed.Undisturbed) -> list[str]:
    """A writer dies with the lock in its hands, and leaves the file: the next one is not held up."""
    script = (
        "import sys, time; from pathlib import Path; from tidemark import warehouse;"
        "from tidemark.settings import Home\n"
        "with warehouse.writing(Home(Path(sys.argv[1]))) as connection:\n"
        "    connection.execute('begin'); connection.execute('delete from raw.releases')\n"
        "    print('holds', flush=True); time.sleep(600)"
    )
    wrong = []
    with holding(script, home.root):
        try:
            with warehouse.writing(home, wait=0.5):
                wrong.append("two held the lock at once")
        except BusyError as error:
            if "another process has been writing" not in str(error) or not error.advice:
                wrong.append(f"the refusal does not say what to do: {error}")
    begun = time.monotonic()
    with warehouse.writing(home) as connection:
        ((loaded,),) = connection.execute("select count(*) from raw.releases").fetchall()
    if not loaded:
        wrong.append("what the dead writer had not committed is gone")
    if time.monotonic() - begun > warehouse.LETTING_GO_SECONDS:
        wrong.append("the dead writer's lock held the next one up")
    return wrong


def another_program_has_it_open(home: Home, _sound: killed.Undisturbed) -> list[str]:
    """Somebody has the warehouse itself open in a program of theirs: we say so, and where to read instead."""
    script = (
        "import duckdb, sys, time\nconnection = duckdb.connect(sys.argv[1])\n"
        "print('open', flush=True); time.sleep(600)"
    )
    with holding(script, home.warehouse):
        process = command(home, "ingest", killed.DATASETS[0])
        _, errors = process.communicate(timeout=600)
    said = errors.strip()
    wrong = []
    if process.returncode != 1 or "has" not in said or "open" not in said or "->" not in said:
        wrong.append(f"exit {process.returncode}: {said[-600:]}")
    # What was archived and validated meanwhile is loaded by the next one.
    if not pipeline.ingest(home, registry.dataset(killed.DATASETS[0]), []):
        wrong.append("nothing was there to be loaded afterwards")
    return wrong


CASES: dict[str, Callable[[Home, killed.Undisturbed], list[str]]] = {
    "eight ingests of three datasets": eight_ingests,
    "a build during ingests, then two builds": a_build_during_ingests,
    "three publications": two_publications,
    "a crashed writer's lock": a_crashed_writers_lock,
    "another program has the warehouse open": another_program_has_it_open,
}


def campaign() -> list[Case]:
    with tempfile.TemporaryDirectory(prefix="tidemark-torture-") as place:
        folder = Path(place)
        sound = killed.undisturbed(killed.template(folder), folder)
        return [run(what, sound, folder) for what in CASES]


def run(what: str, sound: killed.Undisturbed, folder: Path) -> Case:
    home = killed.copied(sound.before["archive"], folder / "crowd")
    reads: list[int] = []
    broken: list[str] = []
    with killed.reading(home, reads, broken):
        broken += CASES[what](home, sound)
    broken += killed.halves(home)
    return Case(what, f"{len(reads):,} reads of the published release meanwhile", tuple(broken))


def report(cases: list[Case]) -> str:
    lines = ["| at once | meanwhile | broken |", "|---|---|---|"]
    lines += [f"| {case.what} | {case.said} | {len(case.broken)} |" for case in cases]
    return "\n".join([*lines, "", *(f"* {c.what}: {text}" for c in cases for text in c.broken)]) + "\n"
