"""Killed anywhere: SIGKILL at random moments of every step, and a plain rerun.

The run loads three datasets into a home that holds the rest of the snapshot, built and published, and builds
and publishes again. Moments are drawn evenly over the time that each step takes, with a share of the kills
for each step: most of a run is dbt, and most of what could break is not. The process and all its children
die at once. While it runs and after it is dead, a reader opens the published release; then nothing
half may be taken for whole; then the run is started again, and must come to what an undisturbed one comes to.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as parquet

from tidemark import archive, build, pipeline, publish, rebuild, registry, snapshot, warehouse
from tidemark.settings import Home

KILLS = {"archive": 75, "validate": 75, "load": 75, "build": 30, "validate_marts": 15, "publish": 30}
DATASETS = ("tic/slt_table5", "tic/cited_first_prints", "wgc/cited_demand")
# Where the server of processes has the package and its libraries in memory, a step begins at once.
PRELOAD = ["tidemark.pipeline", "tidemark.build", "tidemark.publish", "great_expectations", "pandas"]


def archive_step(home: Home) -> None:
    for dataset in map(registry.dataset, DATASETS):
        pipeline.archive_files(home, dataset, snapshot.bundled(dataset))


def validate_step(home: Home) -> None:
    for dataset in map(registry.dataset, DATASETS):
        pipeline.validate_releases(home, dataset, pipeline.waiting(home, dataset))


def load_step(home: Home) -> None:
    for dataset in map(registry.dataset, DATASETS):
        pipeline.load_releases(home, dataset, pipeline.waiting(home, dataset))


def validate_marts_step(home: Home) -> None:
    build.validate_marts(home)
    build.remember_built(home, json.loads((home.root / build.BUILDING_NOTE).read_text("utf-8"))["begun"])


def publish_step(home: Home) -> None:
    publish.publish(home)


STEPS: dict[str, Callable[[Home], object]] = {
    "archive": archive_step,
    "validate": validate_step,
    "load": load_step,
    "build": build.build,
    "validate_marts": validate_marts_step,
    "publish": publish_step,
}
NAMES = list(STEPS)


@dataclass
class Found:
    """What the kills of one step came to."""

    step: str
    seconds: float
    kills: int = 0
    ended_before: int = 0
    reads: int = 0
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody disturbed: the home as each step found it, and what came out."""

    before: dict[str, Path]
    seconds: dict[str, float]
    raw: dict[str, tuple[int, str]]
    whole: dict[str, tuple[int, str]]
    archived: dict[str, str]
    release: str
    published: dict[str, str]


# --- Processes that can be killed ------------------------------------------------------------------------


def _run_step(name: str, root: str, told: Any) -> None:
    os.setsid()
    told.send("begun")
    try:
        STEPS[name](Home(Path(root)))
        told.send("ended")
    except BaseException:
        told.send(traceback.format_exc())
        raise


def _server() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


@contextmanager
def stepping(name: str, home: Home) -> Iterator[tuple[Any, Any]]:
    """A process of its own that has begun a step, and what it tells."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = _server().Process(target=_run_step, args=(name, str(home.root), there))
    process.start()
    there.close()
    try:
        if not here.poll(120):
            raise AssertionError(f"{name} did not begin")
        here.recv()
        yield process, here
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.join()


def step(name: str, home: Home) -> float:
    """Run a step in a process of its own; its seconds."""
    with stepping(name, home) as (process, told):
        begun = time.perf_counter()
        try:
            said = told.recv()
        except EOFError:
            said = f"it ended with {process.exitcode} and without a word"
        if said != "ended":
            raise AssertionError(f"{name}: {said}")
        return time.perf_counter() - begun


# --- What must hold --------------------------------------------------------------------------------------


@contextmanager
def reading(home: Home, into: list[int], broken: list[str]) -> Iterator[None]:
    """Somebody who opens the published release again and again."""
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            try:
                with duckdb.connect(str(home.current / "warehouse.duckdb"), read_only=True) as connection:
                    ((rows,),) = connection.execute("select count(*) from fct_holdings").fetchall()
                    if not rows:
                        broken.append("the published release was empty")
                into.append(rows)
            except Exception as error:
                broken.append(f"the published release could not be read: {error}")
            time.sleep(0.02)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
    finally:
        over.set()
        reader.join()


def halves(home: Home) -> list[str]:
    """What a reader or a rerun could take for whole, and is not."""
    wrong = list(archive.verify(home).problems)
    for path in home.parsed.rglob("*.parquet"):
        if not path.name.startswith(".partial-"):
            try:
                parquet.read_table(path)
            except Exception as error:
                wrong.append(f"{path} is no whole batch: {error}")
    if not home.current.is_symlink() or not home.current.exists():
        wrong.append(f"{home.current} points nowhere")
    for release in publish.releases(home):
        try:
            publish.verify(release.folder)
        except Exception as error:
            wrong.append(f"{release.name} is no whole release: {error}")
    with warehouse.writing(home) as connection:
        for dataset in registry.datasets():
            ((orphans,),) = connection.execute(
                f'select count(*) from raw."{dataset.table}" anti join '
                "(from raw.releases where dataset = ?) using (released_on, reissue)",
                [dataset.name],
            ).fetchall()
            if orphans:
                wrong.append(f"{orphans} rows of {dataset.name} belong to no release that is loaded")
        loaded = set(connection.execute("select dataset, released_on, reissue from raw.releases").fetchall())
    wrong += [
        f"{release.id} is marked as loaded, and is not"
        for release in archive.releases(home)
        if warehouse.is_loaded(home, release)
        and (release.dataset, release.released_on, release.reissue) not in loaded
    ]
    return wrong


def contents(home: Home, raw_only: bool = False) -> dict[str, tuple[int, str]]:
    """Every table, but for when we first saw a file and what was done with it."""
    connection = warehouse.connect(home)
    try:
        connection.execute("set enable_progress_bar = false")
        names = connection.execute(
            "select schema_name, table_name from duckdb_tables() where schema_name not like 'dbt_%'"
        ).fetchall()
        found = {
            f"{schema}.{name}": warehouse.contents(
                connection,
                "select * exclude (first_seen_at) from raw.releases"
                if (schema, name) == ("raw", "releases")
                else f'from "{schema}"."{name}"',
            )
            for schema, name in names
            if (schema, name) not in rebuild.OWN_RECORD and (schema == "raw" or not raw_only)
        }
    finally:
        connection.close()
    # They tell of our own clock.
    for name in ("marts.mart_load_history", "marts.mart_source_freshness"):
        found.pop(name, None)
    return found


def archived(home: Home) -> dict[str, str]:
    return {release.id: release.sha256 for release in archive.releases(home)}


def published(home: Home) -> dict[str, str]:
    content = json.loads((home.current / publish.MANIFEST).read_text("utf-8"))
    return {name: table["sha256"] for name, table in content["tables"].items() if "outcomes" not in name}


# --- The campaign ----------------------------------------------------------------------------------------


def template(folder: Path) -> Home:
    """A home with everything but three datasets loaded, built and published."""
    home = Home(folder / "template")
    for dataset in registry.datasets():
        if dataset.name not in DATASETS:
            pipeline.ingest(home, dataset, snapshot.bundled(dataset))
    for name in ("build", "validate_marts", "publish"):
        step(name, home)
    return home


def copied(home: Path, to: Path) -> Home:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(home, to, symlinks=True)
    return Home(to)


def undisturbed(begin: Home, folder: Path) -> Undisturbed:
    before, seconds = {}, {}
    home = copied(begin.root, folder / "undisturbed")
    raw: dict[str, tuple[int, str]] = {}
    for name in NAMES:
        before[name] = copied(home.root, folder / f"before-{name}").root
        seconds[name] = step(name, home)
        if name == "load":
            raw = contents(home, raw_only=True)
    return Undisturbed(
        before,
        seconds,
        raw,
        contents(home),
        archived(home),
        home.current.resolve().name,
        published(home),
    )


def kill(name: str, sound: Undisturbed, home: Home, after: float, found: Found) -> None:
    """One kill of a step, so many seconds after it began, and the rerun."""
    copied(sound.before[name], home.root)
    reads: list[int] = []
    with reading(home, reads, found.broken):
        with stepping(name, home) as (process, told):
            # What is sent ends the waiting early: the step was quicker than it was measured.
            if told.poll(after):
                with suppress(EOFError):
                    found.ended_before += told.recv() == "ended"
            # Where it has ended meanwhile, there is nobody to kill.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.05)
    found.kills += 1
    found.reads += len(reads)
    wrong = halves(home)
    for again in NAMES[: max(NAMES.index(name), NAMES.index("load")) + 1]:
        try:
            step(again, home)
        except AssertionError as error:
            wrong.append(f"the rerun failed: {error}")
            break
    wrong += halves(home)
    if archived(home) != sound.archived:
        wrong.append("the archive is another")
    if name in ("archive", "validate", "load"):
        wrong += differing(contents(home, raw_only=True), sound.raw)
    else:
        wrong += differing(contents(home), sound.whole)
    if name == "publish" and published(home) != sound.published:
        wrong.append("the published release is another")
    found.broken += [f"{name} after {after:.3f} s: {text}" for text in wrong]


def differing(ours: dict[str, tuple[int, str]], theirs: dict[str, tuple[int, str]]) -> list[str]:
    return [
        f"{name} is {ours.get(name)} and not {theirs.get(name)}"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    ]


def campaign(part: float = 1.0, only: tuple[str, ...] = tuple(NAMES), seed: int = 7) -> list[Found]:
    """Kills by step; a `part` of them, at least one a step."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="tidemark-torture-") as place:
        folder = Path(place)
        sound = undisturbed(template(folder), folder)
        found = {name: Found(name, sound.seconds[name]) for name in only}
        for name in only:
            count = max(1, round(KILLS[name] * part))
            for number in range(count):
                # One moment in each slice of the step's time.
                after = sound.seconds[name] * (number + draw.random()) / count
                kill(name, sound, Home(folder / "killed"), after, found[name])
            print(f"{name}: {count} kills, {len(found[name].broken)} broken", file=sys.stderr, flush=True)
        return list(found.values())


def report(found: list[Found]) -> str:
    lines = ["| step | it takes | kills | of these after its end | reads of the published release | broken |"]
    lines.append("|---|---|---|---|---|---|")
    lines += [
        f"| {one.step} | {one.seconds:.2f} s | {one.kills} | {one.ended_before} | {one.reads:,} | "
        f"{len(one.broken)} |"
        for one in found
    ]
    lines.append(
        f"| all | {sum(one.seconds for one in found):.2f} s | {sum(one.kills for one in found)} | "
        f"{sum(one.ended_before for one in found)} | {sum(one.reads for one in found):,} | "
        f"{sum(len(one.broken) for one in found)} |"
    )
    lines += ["", *(f"* {text}" for one in found for text in one.broken[:20])]
    return "\n".join(lines) + "\n"
