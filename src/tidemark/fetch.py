"""Gets the newest file of a dataset from its publisher, and archives it before anyone reads it.

That nothing has changed is an outcome, not a load. Whatever else a publisher does instead of answering with
its file is an outcome of its own (`FetchError`), recorded with advice, and leaves everything as it was; the
next look asks anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tidemark import archive, clock, discovery, pipeline, registry, release_calendar
from tidemark.errors import (
    FetchError,
    FrozenFileError,
    NotFoundError,
    RefusedFileError,
    ShrunkenFileError,
    UnexpectedAnswerError,
    UsageError,
)
from tidemark.http import Answer, Client
from tidemark.reading import SourceFile
from tidemark.registry import Dataset
from tidemark.settings import Home
from tidemark.snapshot import Incoming
from tidemark.warehouse import outcome_of

# A file of half the size lacks a part: rolling tables keep theirs, and histories grow. The least change of a
# roster or of a workbook's packing is far from it.
SHRUNKEN_BELOW = 0.5
MOST_PAGES = 50


@dataclass(frozen=True)
class Fetched:
    """What a look at the publisher brought: the id of the new release, or None where nothing has changed."""

    dataset: str
    url: str
    bytes: int
    release: str | None


def fetch(home: Home, dataset: Dataset, client: Client | None = None) -> Fetched:
    """Ask the publisher for a dataset's newest file, and archive it as a release if it says anything new.

    Raises:
        UsageError: no program gets this dataset.
        FetchError: the publisher gave no file; says why.
        RefusedFileError: what it gave is not the file; the bytes and the reason are in quarantine.
    """
    if not dataset.is_fetched:
        raise UsageError(
            f"no program gets {dataset.name}: {dataset.fetch.get('why', 'it is no longer published')}",
            f"put its file into {home.inbox}",
        )
    if client is None:
        with Client() as client:
            return fetch(home, dataset, client)
    now = clock.now()
    with outcome_of(home, "fetch", dataset.name) as outcome:
        place, answer = _ask(home, client, dataset, now)
        outcome.rows = len(answer.data or b"")
        held = archive.releases(home, dataset.name)
        digest = archive.store(home, answer.data) if answer.data is not None else None
        if answer.data is None or digest is None or (held and held[-1].sha256 == digest):
            outcome.result = "unchanged"
            outcome.release = held[-1].id if held else None
            _remember(home, dataset, place.url, answer, digest, now)
            return Fetched(dataset.name, place.url, outcome.rows, None)
        try:
            _expect_the_file(dataset, place, answer.data, digest, held)
        except RefusedFileError as error:
            pipeline.quarantine(home, dataset, place.file, answer.data, None, error)
            raise
        day = _released_on(home, dataset, place, answer, now)
        item = Incoming(place.file, answer.data, day, place.url)
        release = pipeline.archive_one(home, dataset, item)
        _remember(home, dataset, place.url, answer, digest, now)
        outcome.release = release.id
        return Fetched(dataset.name, place.url, outcome.rows, release.id)


def _ask(home: Home, client: Client, dataset: Dataset, now: datetime) -> tuple[discovery.Place, Answer]:
    """The file, or that it has not changed, from the likeliest place that has it."""
    missing: NotFoundError | None = None
    for place in discovery.places(client, dataset, now):
        try:
            answer = client.get(
                place.url, discovery.hosts(dataset), _conditions(home, dataset, place.url, now)
            )
        except NotFoundError as error:
            missing = missing or error
            continue
        if dataset.fetch["by"] == "api_pages" and answer.data is not None:
            answer = _whole(client, dataset, answer)
        return place, answer
    assert missing is not None
    raise missing


# --- conditional requests ------------------------------------------------------------------------------
# Kept outside the archive: forgetting them costs one whole download.


def _conditions(home: Home, dataset: Dataset, url: str, now: datetime) -> dict[str, str]:
    """The headers that ask for the file only if it has changed since the release that is held.

    The first look of a day asks for the whole file all the same: servers are on record that change a file and
    keep its ETag.
    """
    known = _known(home, dataset)
    newest = max(archive.releases(home, dataset.name), default=None)
    if (
        known.get("url") != url
        or known.get("downloaded_on") != now.date().isoformat()
        or newest is None
        or known.get("sha256") != newest.sha256
    ):
        return {}
    headers = {"If-None-Match": known.get("etag"), "If-Modified-Since": known.get("last_modified")}
    return {name: value for name, value in headers.items() if value}


def _remember(
    home: Home, dataset: Dataset, url: str, answer: Answer, digest: str | None, now: datetime
) -> None:
    """Note what an answer said of itself; of one without data (304) only when it came."""
    known = _known(home, dataset)
    if digest is not None:
        known = {
            "url": url,
            "etag": answer.headers.get("ETag"),
            "last_modified": answer.headers.get("Last-Modified"),
            "sha256": digest,
            "downloaded_on": now.date().isoformat(),
        }
    known["asked_at"] = now.isoformat(timespec="seconds")
    archive.write_atomically(_note(home, dataset), (json.dumps(known, indent=2) + "\n").encode())


def _known(home: Home, dataset: Dataset) -> dict[str, Any]:
    """What is remembered of the last answer; nothing where that was lost."""
    try:
        known: dict[str, Any] = json.loads(_note(home, dataset).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return known


def _asked_at(home: Home, dataset: Dataset) -> datetime | None:
    """When the publisher last answered."""
    said = _known(home, dataset).get("asked_at")
    return datetime.fromisoformat(said) if said else None


def _note(home: Home, dataset: Dataset) -> Path:
    return home.fetched / f"{dataset.table}.json"


# --- what came ------------------------------------------------------------------------------------------


def _expect_the_file(
    dataset: Dataset, place: discovery.Place, data: bytes, digest: str, held: list[archive.Release]
) -> None:
    """Refuse what is plainly not the newest file, before its parser looks.

    Raises:
        RefusedFileError: it is empty, a web page, an old edition served again, or a part of the file.
    """
    SourceFile(place.file, data).head()
    for release in held:
        if release.sha256 == digest:
            raise FrozenFileError(
                place.file,
                None,
                f"the bytes are those of the release of {release.released_on}, served again after newer ones",
                "the publisher has gone back to an old edition; the next look asks again",
            )
    if held and len(data) < SHRUNKEN_BELOW * held[-1].bytes:
        raise ShrunkenFileError(
            place.file,
            None,
            f"{len(data):,} bytes, where the release of {held[-1].released_on} had {held[-1].bytes:,}",
            f"the next look asks again; if the file is so short from now on, load it by hand: "
            f"tidemark ingest {dataset.name} --file",
        )


def _whole(client: Client, dataset: Dataset, first: Answer) -> Answer:
    """All pages of an answer as one: that of an API that gives no more than a part at a time.

    Its records are those of the pages, in their order; the counts are those of the whole.
    """
    try:
        answer = json.loads(first.data or b"")
        pages, total = answer["meta"]["total-pages"], answer["meta"]["total-count"]
    except (ValueError, LookupError, TypeError):
        return first  # Its parser says what is wrong with it.
    if pages == 1:
        return first
    if not isinstance(pages, int) or not 1 <= pages <= MOST_PAGES:
        raise UnexpectedAnswerError(f"{first.url} has {pages} pages", "look at the API; ask for larger pages")
    records = list(answer["data"])
    for number in range(2, pages + 1):
        page = client.get(f"{first.url}&page%5Bnumber%5D={number}", discovery.hosts(dataset))
        try:
            content = json.loads(page.data or b"")
            if content["meta"]["total-count"] != total:
                raise UnexpectedAnswerError(
                    f"{page.url} counts {content['meta']['total-count']} records, and the first page {total}",
                    "the table changed while it was read; the next look asks again",
                )
            records += content["data"]
        except (ValueError, LookupError, TypeError):
            raise UnexpectedAnswerError(
                f"{page.url} is no page of the answer", "open it in a browser"
            ) from None
    lines = ",\n".join(json.dumps(record, separators=(",", ":")) for record in records)
    meta = {**answer["meta"], "count": len(records), "total-count": total, "total-pages": 1}
    links = {**answer.get("links", {}), "next": None}
    whole = f'{{"data":[\n{lines}\n],\n"meta":{json.dumps(meta)},"links":{json.dumps(links)}}}\n'
    # What it was joined from has no validators of its own.
    return Answer(first.url, whole.encode("ascii"), {})


def _released_on(
    home: Home, dataset: Dataset, place: discovery.Place, answer: Answer, now: datetime
) -> date | None:
    """The day of the release, by the best evidence there is; None where the file itself tells it.

    In this order: the file's own date; the day that the way to it tells (a commit, an address); the answer's
    Last-Modified; the day of the calendar, unless the publisher was asked since and had not published; the
    day of the fetch, by which it was out.
    """
    source = registry.source(dataset.source)
    zone = ZoneInfo(source.release_calendar["timezone"])
    if dataset.released_on_from == "edition_date":
        return None
    if place.published_on is not None:
        return place.published_on
    if dataset.released_on_from == "last_modified" and "Last-Modified" in answer.headers:
        return parsedate_to_datetime(answer.headers["Last-Modified"]).astimezone(zone).date()
    if dataset.released_on_from == "calendar":
        announced = release_calendar.announced_day(source, now, _asked_at(home, dataset))
        if announced is not None:
            return announced
    return now.astimezone(zone).date()


# --- looks that a schedule asks for ----------------------------------------------------------------------


def look(home: Home, dataset: Dataset, due: datetime | None, client: Client | None = None) -> bool:
    """One look at the publisher for the release of a slot; whether that was the last one needed.

    Args:
        due: the slot of the release calendar; None for a look that somebody asked for by hand.

    Returns:
        False where the publisher is to be asked again: the release is not in, and its time is not over.

    Raises:
        FetchError, RefusedFileError: the publisher gave no good file up to the end of the time for asking.
    """
    if due is None:
        fetch(home, dataset, client)
        return True
    source, now = registry.source(dataset.source), clock.now()
    due = due.astimezone(ZoneInfo(source.release_calendar["timezone"]))
    following = release_calendar.next_slot(source, due)
    over = now >= release_calendar.asked_until(source, due)
    if over and following is not None and following <= now:
        # A slot that was missed, or is run again later (a backfill): the publisher has newer files only.
        return True
    newest = max(archive.releases(home, dataset.name), default=None)
    if newest is not None and newest.released_on >= due.date():
        return True
    try:
        if fetch(home, dataset, client).release is not None:
            return True
    except (FetchError, RefusedFileError):
        if over:
            raise
        return False
    # Nothing new. Of a window of days in which a release comes once, it may have come on an earlier one.
    half_a_period = timedelta(days=registry.PERIOD_DAYS[source.cadence] // 2)
    came_before = newest is not None and newest.released_on > due.date() - half_a_period
    return over or came_before or not release_calendar.is_awaited(source)
