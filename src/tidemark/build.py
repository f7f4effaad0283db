"""Builds the marts with dbt, and validates them before anyone sees them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
from filelock import FileLock

from tidemark import archive, quality, recipe, warehouse
from tidemark.errors import BuildError, TidemarkError
from tidemark.settings import Home, include_restricted, project_root
from tidemark.warehouse import outcome_of

MARTS = "marts"
PROFILE, TARGET = "tidemark", "duckdb"
BUILDING_NOTE, BUILT_NOTE, PUBLISHED_NOTE = "building.json", "built.json", "published.json"

Progress = Callable[[int, int, str], None]


def project() -> Path:
    return project_root() / "dbt_project"


def environment(home: Home) -> dict[str, str]:
    """The variables by which dbt finds this home's warehouse, and keeps its files out of the project."""
    return {
        "TIDEMARK_WAREHOUSE": str(home.warehouse),
        "DBT_TARGET_PATH": str(home.dbt_target),
        "DBT_LOG_PATH": str(home.dbt_target / "logs"),
        # What dbt tells stands in the task's log or on the terminal; debug lines of every query in a file
        # beside it take a tenth of its time.
        "DBT_LOG_LEVEL_FILE": "warn",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def dbt(home: Home, command: list[str], progress: Progress | None = None) -> None:
    """Run dbt in a process of its own (it keeps connections open), and tell what went wrong in its words.

    Raises:
        BuildError: with dbt's messages for each model or test that failed.
    """
    home.dbt_target.mkdir(parents=True, exist_ok=True)
    call = [
        sys.executable, "-m", "dbt.cli.main",
        "--no-use-colors", "--log-format", "json", "--log-level", "info",
        *command, "--project-dir", str(project()), "--profiles-dir", str(project()),
        "--profile", PROFILE, "--target", TARGET,
    ]  # fmt: skip
    process = subprocess.Popen(
        call,
        env={**os.environ, **environment(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    failures: list[str] = []
    tail: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        event = _event(line)
        if event is None:
            tail = [*tail[-20:], line.rstrip()]
            continue
        name, data, message = event["info"]["name"], event.get("data", {}), event["info"]["msg"]
        if "index" in data and "total" in data and name.startswith("Log") and progress is not None:
            progress(int(data["index"]), int(data["total"]), data.get("node_info", {}).get("node_name", ""))
        if event["info"]["level"] == "error":
            failures.append(message.strip())
    if process.wait() != 0:
        said = list(dict.fromkeys(text for text in failures if text)) or tail
        raise BuildError(
            f"dbt {command[0]} failed:\n" + "\n".join(f"     {text}" for text in said),
            f"the compiled SQL stands in {home.dbt_target}; the published release is as it was",
        )


def _event(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except json.JSONDecodeError:
        return None
    return event if isinstance(event, dict) and "info" in event else None


def anything_new(home: Home) -> bool:
    """Whether something is loaded, and the published release was made from something else."""
    published = _read_note(home.root / PUBLISHED_NOTE)
    stands = home.current.exists() and home.current.resolve().name == published.get("release")
    with warehouse.writing(home) as connection:
        ((loaded,),) = connection.execute("select count(*) from raw.releases").fetchall()
        return loaded > 0 and (
            not stands
            or published.get("restricted") != include_restricted()
            or published.get("made_by") != recipe.digest_of(recipe.OF_RELEASES).hexdigest()
            or published.get("inputs") != inputs_fingerprint(connection)
        )


def begin(home: Home) -> str:
    """Note what the build that follows is made from, so that `publish` can tell; returns a name for it.

    A release that is loaded while the build runs is not in that note, and so is built the next time.
    """
    begun = uuid.uuid4().hex
    with warehouse.writing(home) as connection:
        inputs = inputs_fingerprint(connection)
        # Within the right to write, as `remember_built` is: either comes whole before the other.
        (home.root / BUILT_NOTE).unlink(missing_ok=True)
        note = {"inputs": inputs, "begun": begun}
        archive.write_atomically(home.root / BUILDING_NOTE, json.dumps(note).encode())
    return begun


def remember_built(home: Home, begun: str) -> None:
    """Note that the marts stand whole: dbt's tests and the suites on the marts held. Only then publish.

    Args:
        begun: the build, as `begin` named it.

    Raises:
        TidemarkError: another build began after it, and may have left the marts half made.
    """
    with warehouse.exclusive(home):
        note = _read_note(home.root / BUILDING_NOTE)
        if note.get("begun") != begun:
            raise TidemarkError(
                "another build began before this one was validated, and may have changed the marts",
                "wait for it to end, or build again: tidemark build",
            )
        archive.write_atomically(home.root / BUILT_NOTE, json.dumps(note).encode())


def expect_built(home: Home) -> None:
    """Refuse to publish marts that were not built whole from what is loaded.

    The caller holds the right to write, so that nothing is loaded between this and the publication.

    Raises:
        TidemarkError: the last build was stopped, failed, was not validated, or is older than the last load.
    """
    built = _read_note(home.root / BUILT_NOTE).get("inputs")
    connection = warehouse.connect(home)
    try:
        inputs = inputs_fingerprint(connection)
    finally:
        connection.close()
    if built != inputs:
        raise TidemarkError(
            "the marts are not built and validated from what is loaded now",
            "build them: tidemark build; the published release is as it was",
        )


def remember_published(home: Home, release: str, restricted: bool) -> None:
    """Note what the release that is now current was made from; `anything_new` compares with it."""
    note = {
        **_read_note(home.root / BUILT_NOTE),
        "release": release,
        "restricted": restricted,
        "made_by": recipe.digest_of(recipe.OF_RELEASES).hexdigest(),
    }
    archive.write_atomically(home.root / PUBLISHED_NOTE, json.dumps(note).encode())


def remember_rolled_back(home: Home, release: str) -> None:
    """Note that an older release is current on purpose: what it was rolled back from is not published again
    by itself, but what is loaded after is.
    """
    note = {**_read_note(home.root / PUBLISHED_NOTE), "release": release}
    archive.write_atomically(home.root / PUBLISHED_NOTE, json.dumps(note).encode())


def _read_note(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return content if isinstance(content, dict) else {}


def build(home: Home, progress: Progress | None = None) -> str:
    """Seeds, models and tests, from whatever the raw tables hold; returns the build's name (see `begin`).

    Raises:
        TidemarkError: nothing is loaded.
        BuildError: dbt failed.
    """
    if not home.warehouse.exists():
        raise TidemarkError(f"nothing is loaded at {home.root}", "load something: tidemark ingest tic")
    begun = begin(home)
    with outcome_of(home, "build"):
        dbt(home, ["build"], progress)
    return begun


def test(home: Home) -> None:
    """The tests of dbt that look at data, on the models as they stand.

    Unit tests look at the models' logic alone, and belong to `make test`.

    Raises:
        BuildError: a test failed; names it, and the rows it found.
    """
    with outcome_of(home, "test"):
        dbt(home, ["test", "--exclude-resource-type", "unit_test"])


def document(home: Home) -> Path:
    """The page of dbt on every model: its columns and units, its SQL, what it is made of and who reads it.

    One file that needs no server; returns its path.

    Raises:
        TidemarkError: there are no marts to look at.
        BuildError: dbt failed.
    """
    if not home.warehouse.exists():
        raise TidemarkError(f"nothing is loaded at {home.root}", "load something: make run")
    dbt(home, ["docs", "generate", "--static"])
    page = home.root / "dbt_docs" / "index.html"
    archive.write_atomically(page, (home.dbt_target / "static_index.html").read_bytes())
    return page


def manifest(home: Home) -> Path:
    """Dbt's manifest, from which Airflow draws the models; made anew where the project has changed.

    A copy of its own, since dbt writes the one in its target folder at the end of each build, just while the
    processes of tasks read it.
    """
    path = home.dbt_target / "airflow" / "manifest.json"
    note = path.with_suffix(".from")
    made_from = recipe.digest_of(recipe.OF_MARTS).hexdigest()
    home.dbt_target.mkdir(parents=True, exist_ok=True)
    with FileLock(home.dbt_target / "manifest.lock"):
        if not path.exists() or not note.exists() or note.read_text("utf-8") != made_from:
            dbt(home, ["parse"])
            archive.write_atomically(path, (home.dbt_target / "manifest.json").read_bytes())
            archive.write_atomically(note, made_from.encode())
    return path


def validate_marts(home: Home) -> list[quality.Verdict]:
    """Run the suites in `expectations/marts/` on the marts just built.

    Raises:
        TidemarkError: a suite failed; says what it found. Nothing is published then.
    """
    suites = sorted((project_root() / "expectations" / MARTS).glob("*.json"))
    verdicts = []
    with quality.checking(home) as check:
        for mart in (path.stem for path in suites):
            with outcome_of(home, "validate_marts", mart) as outcome:
                frame = _mart(home, mart)
                outcome.rows = len(frame)
                verdict = check(f"{MARTS}/{mart}", frame, f"{MARTS}.{mart}")
                if not verdict.success:
                    found = "\n".join(f"     {problem.message}" for problem in verdict.problems)
                    raise TidemarkError(
                        f"{MARTS}.{mart} is not fit to be published:\n{found}",
                        "the last published release stays; look at the models and the newest loads",
                    )
                verdicts.append(verdict)
    return verdicts


def _mart(home: Home, mart: str) -> pd.DataFrame:
    with warehouse.exclusive(home):
        connection = warehouse.connect(home)
        try:
            frame: pd.DataFrame = connection.execute(f'select * from {MARTS}."{mart}"').df()
        except duckdb.CatalogException:
            raise TidemarkError(
                f"there is no {MARTS}.{mart} to validate", "build it: tidemark build"
            ) from None
        finally:
            connection.close()
    text = [name for name in frame.columns if frame[name].dtype == object]
    return frame.astype(dict.fromkeys(text, "str"))


def inputs_fingerprint(connection: duckdb.DuckDBPyConnection) -> str:
    """What the marts would be built from now: the releases held and the models, as one hash.

    Two builds with one fingerprint give the same marts; our own clock is left out of it.
    """
    digest = recipe.digest_of(recipe.OF_MARTS)
    held = connection.execute(
        "select dataset, released_on, reissue, archive_sha256 from raw.releases order by all"
    ).fetchall()
    digest.update(repr(held).encode())
    # What the passports say, as the models see it: a wider plausible_revision changes a verdict.
    digest.update(repr(connection.execute("from raw.datasets order by dataset").fetchall()).encode())
    digest.update(repr(connection.execute("from raw.reachability order by dataset").fetchall()).encode())
    return digest.hexdigest()
