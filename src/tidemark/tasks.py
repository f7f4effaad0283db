"""What Airflow's tasks call: names in, names out, on the home that `TIDEMARK_HOME` names.

The DAG files hold no logic, and this package never imports Airflow; here the two meet.
"""

from __future__ import annotations

from tidemark import build, inbox, pipeline, publish, registry, snapshot
from tidemark.settings import Home


def archive(dataset: str) -> list[str]:
    """Archive a dataset's bundled releases and what waits in its inbox; the ids of the releases to load."""
    home, entry = Home.find(), registry.dataset(dataset)
    return pipeline.archive_files(home, entry, [*snapshot.bundled(entry), *inbox.waiting(home, entry)])


def validate(dataset: str, ids: list[str]) -> list[str]:
    """Parse and validate; fails, and so turns the task red, if a file is refused."""
    return pipeline.validate_releases(Home.find(), registry.dataset(dataset), ids)


def load(dataset: str, ids: list[str]) -> dict[str, int]:
    """Append to the raw table; new rows by release."""
    loaded = pipeline.load_releases(Home.find(), registry.dataset(dataset), ids)
    return {done.release.id: done.rows for done in loaded}


def anything_new() -> bool:
    """Whether the marts would differ from those published; if so, the build begins."""
    home = Home.find()
    if not build.anything_new(home):
        return False
    build.begin(home)
    return True


def validate_marts() -> dict[str, int]:
    """Dbt's tests, then the suites: the expectations that held, by mart. Fails if one did not."""
    home = Home.find()
    build.test(home)
    verdicts = build.validate_marts(home)
    build.remember_built(home)
    return {verdict.suite: verdict.expectations for verdict in verdicts}


def publish_marts() -> str:
    """The name of the release that is current now."""
    return publish.publish(Home.find()).name
