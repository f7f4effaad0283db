"""What Airflow's tasks call: names in, names out, on the home that `TIDEMARK_HOME` names.

The DAG files hold no logic, and this package never imports Airflow; here the two meet.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from tidemark import (
    alerts,
    build,
    freshness,
    inbox,
    pipeline,
    publish,
    registry,
    release_calendar,
    revisions,
    snapshot,
)
from tidemark import archive as kept
from tidemark import fetch as publisher
from tidemark.settings import Home


def fetch(dataset: str, due: str, kind: str) -> bool:
    """Look at the publisher for a dataset's newest file; whether this was the last look needed.

    Args:
        due: when the run was due, as ISO text.
        kind: how it came to be. `scheduled` and `backfill` look for the release of a slot; what else starts a
            run (`manual`, another DAG) asks once, whatever the calendar says.
    """
    home, entry = Home.find(), registry.dataset(dataset)
    pipeline.archive_bundled(home, entry)
    slot = datetime.fromisoformat(due) if kind in ("scheduled", "backfill") else None
    return publisher.look(home, entry, slot)


def archive(dataset: str, due: str = "", kind: str = "manual") -> list[str]:
    """Archive a dataset's bundled releases and what waits in its inbox; the ids of the releases to load.

    Those are the ones that are not loaded yet: what passed its suite and is in the warehouse need not be
    looked at again (`tidemark rebuild` does). A backfill names those that were archived in its slot's time,
    too, so that they are loaded again wherever the warehouse has lost them.
    """
    home, entry = Home.find(), registry.dataset(dataset)
    pipeline.archive_files(home, entry, [*snapshot.bundled(entry), *inbox.waiting(home, entry)])
    ids = pipeline.waiting(home, entry)
    if kind == "backfill":
        source = registry.source(entry.source)
        slot = datetime.fromisoformat(due).astimezone(ZoneInfo(source.release_calendar["timezone"]))
        following = release_calendar.next_slot(source, slot)
        ids += [
            release.id
            for release in kept.releases(home, dataset)
            if release.released_on >= slot.date()
            and (following is None or release.released_on < following.date())
        ]
    return list(dict.fromkeys(ids))


def validate(dataset: str, ids: list[str]) -> list[str]:
    """Parse and validate; fails, and so turns the task red, if a file is refused."""
    return pipeline.validate_releases(Home.find(), registry.dataset(dataset), ids)


def load(dataset: str, ids: list[str]) -> dict[str, int]:
    """Append to the raw table; new rows by release. Tells of figures that moved beyond their usual size, and
    of series that are no longer listed.
    """
    home, entry = Home.find(), registry.dataset(dataset)
    loaded = pipeline.load_releases(home, entry, ids)
    for done in loaded:
        if done.release.sha256 in snapshot.hashes() or done.already:
            continue
        if gone := revisions.no_longer_listed(home, entry, done.release):
            alerts.send(
                f"Tidemark: {done.release.id} no longer lists {len(gone)} that the release before did",
                "\n".join(gone[:20]) + f"\nWhat to do: compare with {entry.url}; their last figures stand.",
            )
        if found := revisions.unusual(home, entry, done.release):
            told = "\n".join(str(one) for one in found[:20])
            more = f"\nand {len(found) - 20} more" if len(found) > 20 else ""
            alerts.send(
                f"Tidemark: {len(found)} figures of {done.release.id} moved beyond their usual size",
                f"By more than {entry.plausible_revision.ratio:.1%} of what was published:\n{told}{more}\n"
                f"What to do: compare with {entry.url}; fct_revisions has every figure that moved.",
            )
    return {done.release.id: done.rows for done in loaded}


def file_inbox() -> list[str]:
    """File what lies in the inbox; the sources for which files wait."""
    home = Home.find()
    for filed in inbox.file_by_content(home):
        if filed.dataset is None:
            alerts.send(f"Tidemark: {filed.file} in the inbox is no dataset's", filed.reason)
    return inbox.anything_waiting(home)


def expect_fresh(dataset: str) -> None:
    """Fails, and so turns the task red, if a dataset is late, frozen or unreachable."""
    freshness.expect_fresh(Home.find(), dataset)


def has_news() -> bool:
    """Whether the marts would differ from those published."""
    return build.anything_new(Home.find())


def begin_if_new() -> str | None:
    """If the marts would differ from those published, the build begins: its name, for `validate_marts`."""
    return build.begin(Home.find()) if has_news() else None


def validate_marts(begun: str) -> dict[str, int]:
    """Dbt's tests, then the suites: the expectations that held, by mart. Fails if one did not."""
    home = Home.find()
    build.test(home)
    verdicts = build.validate_marts(home)
    build.remember_built(home, begun)
    return {verdict.suite: verdict.expectations for verdict in verdicts}


def publish_marts() -> str:
    """The name of the release that is current now."""
    return publish.publish(Home.find()).name


def alert(subject: str, what: str, where: str) -> None:
    """Tell people that a task turned red, once for each thing that went wrong.

    Args:
        subject: the task, such as `ingest_tic/slt_table5.validate`.
        what: the error, with its advice.
        where: the address of its log.
    """
    told_at = f"Log: {where}" if where else ""
    alerts.once(Home.find(), subject, f"Tidemark: {subject} failed", what, told_at)


def all_clear(subject: str) -> None:
    """A task is green; tells people if it was red before."""
    alerts.over(Home.find(), subject)
