"""The steps of a load, as the command line calls them and as Airflow shows them: archive, validate, load.

Steps hand on ids of releases and never data: the bytes stand in the archive, a validated batch as Parquet
beside it until it is loaded. Nothing reaches `raw` that its suite did not pass. A file that is refused goes
to quarantine with its reason; the warehouse and the published release stay as they were.
"""

from __future__ import annotations

import csv
import glob
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path

import pandas as pd

from tidemark import archive, clock, corrections, precedent, quality, snapshot, sources, warehouse
from tidemark.archive import Release
from tidemark.errors import (
    FailedSuiteError,
    FrozenFileError,
    RefusedFileError,
    TidemarkError,
    TruncatedFileError,
    UnknownLabelError,
    UnreadableFileError,
    UsageError,
    WrongDateError,
    WrongLayoutError,
)
from tidemark.reading import NOT_QUOTED_MARK, PUBLISHED, SourceFile, quoted, writable
from tidemark.registry import Dataset
from tidemark.settings import Home, project_root
from tidemark.snapshot import Incoming
from tidemark.warehouse import Loaded, outcome_of
from tidemark.workbook import mentions

ALIASES = Path("dbt_project/seeds/holder_aliases.csv")
# A table of fewer may repeat itself: a dozen countries of a quarter in which nobody bought gold.
TELLING_SERIES = 20


def from_file(dataset: Dataset, path: Path, released_on: date | None) -> Incoming:
    """A file that a user brings; its release date is given, or stands in the file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "give the path of a file") from error
    if released_on is None and dataset.released_on_from != "edition_date":
        raise UsageError(
            f"{dataset.name} does not tell its release date in the file", "give it: --released-on YYYY-MM-DD"
        )
    if released_on is not None and released_on > clock.today():
        raise UsageError(f"{released_on} lies in the future", "give the day on which the file was published")
    return Incoming(writable(path.name), data, released_on, dataset.url)


# --- archive -------------------------------------------------------------------------------------------


def archive_files(home: Home, dataset: Dataset, incoming: Iterable[Incoming]) -> list[str]:
    """Archive files before anyone reads them; returns the ids of the releases that are to be loaded.

    Those are the files given, and whatever was archived earlier and never loaded, because a run was stopped.
    """
    ids = [archive_one(home, dataset, item).id for item in incoming]
    return list(dict.fromkeys(ids + waiting(home, dataset)))


def waiting(home: Home, dataset: Dataset) -> list[str]:
    """The ids of the archived releases that are not loaded yet."""
    held = archive.releases(home, dataset.name)
    return [release.id for release in held if not warehouse.is_loaded(home, release)]


def archive_bundled(home: Home, dataset: Dataset) -> None:
    """Hold what is bundled before a publisher is asked, so that the same bytes are no news."""
    held = {release.sha256 for release in archive.releases(home, dataset.name)}
    for item in snapshot.bundled(dataset):
        if archive.sha256(item.data) not in held:
            archive_one(home, dataset, item)


def archive_one(home: Home, dataset: Dataset, item: Incoming) -> Release:
    """Archive a file as a release of a dataset; the same bytes under the same date are the one that is held.

    Raises:
        RefusedFileError: the file should tell its release date, and does not; it is in quarantine.
        UsageError: nothing tells its release date.
    """
    with outcome_of(home, "archive", dataset.name) as outcome:
        outcome.rows = len(item.data)
        archive.store(home, item.data)
        released_on = item.released_on
        if released_on is None:
            try:
                with _refusing(item.file):
                    released_on = sources.edition_date(dataset, SourceFile(item.file, item.data))
            except RefusedFileError as error:
                quarantine(home, dataset, item.file, item.data, None, error)
                _leave_inbox(item)
                raise
        if released_on is None:
            raise UsageError(f"{item.file} has no release date", "give it: --released-on YYYY-MM-DD")
        release, is_new = archive.register(home, dataset, item.data, released_on, item.file, item.source_url)
        outcome.release = release.id
        outcome.result = "done" if is_new else "unchanged"
        _leave_inbox(item)
        return release


def _leave_inbox(item: Incoming) -> None:
    """Its bytes stand in the archive, and it is known there or in quarantine."""
    if item.lies_at is not None:
        item.lies_at.unlink(missing_ok=True)


# --- validate ------------------------------------------------------------------------------------------


def validate_releases(home: Home, dataset: Dataset, ids: Sequence[str]) -> list[str]:
    """Parse each release and run the dataset's suite on it; the batch then waits as Parquet to be loaded.

    Every release is looked at, whatever becomes of the others.

    Raises:
        RefusedFileError: one or more were refused; they are in quarantine, and nothing of them goes on.
    """
    refused: list[RefusedFileError] = []
    with quality.checking(home) as check:
        for release_id in ids:
            release = archive.find(home, release_id)
            data = archive.read(home, release)
            try:
                with outcome_of(home, "validate", dataset.name, release_id) as outcome:
                    batch = validated_batch(dataset, release, data, check)
                    precedent.expect_plausible(home, dataset, release, batch)
                    _expect_extracts_bundled(release, data)
                    outcome.rows = len(quoted(batch))
            except RefusedFileError as error:
                quarantine(home, dataset, release.file, data, release, error)
                refused.append(error)
                continue
            archive.write_atomically(batch_path(home, release), batch.to_parquet(index=False))
    if len(refused) > 1:
        raise TidemarkError("\n".join(str(error) for error in refused))
    if refused:
        raise refused[0]
    return list(ids)


def validated_batch(dataset: Dataset, release: Release, data: bytes, check: quality.Check) -> pd.DataFrame:
    """The observations of a release, after every check at the door."""
    with _refusing(release.file):
        parsed = sources.parse(dataset, SourceFile(release.file, data))
    _expect_date(dataset, release, parsed)
    _expect_newest_is_news(dataset, release, quoted(parsed.observations))
    _expect_known_labels(dataset, release, parsed.observations)
    with _refusing(release.file):
        batch = sources.with_checks(dataset, quoted(parsed.observations))
    verdict = check(dataset.name, batch, release.id, quality.parameters_of(dataset))
    if not verdict.success:
        first, *others = verdict.problems
        more = "".join(
            f"\n     {f'line {problem.line}: ' if problem.line else ''}{problem.message}"
            for problem in others
        )
        raise FailedSuiteError(
            release.file,
            first.line,
            first.message + more,
            f"compare with {dataset.url}; if the file is right, mend expectations/{dataset.name}.json",
        )
    corrections.expect_unrepaired(dataset, release.file, release.released_on, quoted(parsed.observations))
    return parsed.observations


@contextmanager
def _refusing(file: str) -> Iterator[None]:
    """What a parser breaks on is refused, too: the bytes are kept, and nothing else stops for it."""
    try:
        yield
    except TidemarkError:
        raise
    except Exception as error:
        raise UnreadableFileError(
            file,
            None,
            f"reading it broke: {type(error).__name__}: {str(error)[:200]}",
            "the file is damaged in a way that its parser does not know; keep it and report it",
        ) from error


def _expect_extracts_bundled(release: Release, data: bytes) -> None:
    """Only what is bundled with Tidemark may leave cells of the publisher's table out."""
    if release.sha256 not in snapshot.hashes() and mentions(data, NOT_QUOTED_MARK):
        raise WrongLayoutError(
            release.file,
            None,
            f"{NOT_QUOTED_MARK!r} stands in it, which only the extracts bundled with Tidemark say",
            "load the publisher's own file",
        )


def _expect_date(dataset: Dataset, release: Release, parsed: sources.Parsed) -> None:
    """The release date agrees with the file's own, and its figures are as new as they should be by then."""
    file, day = release.file, release.released_on
    if parsed.edition_date is not None and parsed.edition_date != day:
        if parsed.edition_date < day:
            raise FrozenFileError(
                file,
                parsed.edition_line,
                f"the edition of {parsed.edition_date} is offered as the release of {day}",
                "the publisher has served an old file; its own date is the one to load it under",
            )
        raise WrongDateError(
            file,
            parsed.edition_line,
            f"the file says it was published on {parsed.edition_date}, not on {day}",
            f"load it under its own date: --released-on {parsed.edition_date}",
        )
    if dataset.last_release is not None and day > dataset.last_release:
        raise FrozenFileError(
            file,
            None,
            f"{dataset.name} ended with the release of {dataset.last_release}; there is none of {day}",
            "its successor is named in the passport",
        )
    said = quoted(parsed.observations)
    figures = said[said["status"] == PUBLISHED]
    if figures.empty:
        raise TruncatedFileError(file, None, "not one figure stands in it", "fetch the file again")
    newest = figures["period_end"].max().date()
    if (newest - day).days >= dataset.looks_ahead_days:
        raise WrongDateError(
            file,
            None,
            f"holds figures up to {newest:%Y-%m-%d}, which had not ended on {day}"
            if not dataset.looks_ahead_days
            else f"looks ahead to {newest:%Y-%m-%d}, more than {dataset.looks_ahead_days:,} days after {day}",
            "give the release's date",
        )
    age = (day - newest).days
    if age > dataset.content_age_days:
        raise FrozenFileError(
            file,
            None,
            f"the newest figure is of {newest:%Y-%m-%d}, {age} days before the release of {day}; "
            f"{dataset.name} is never more than {dataset.content_age_days} days behind",
            "the publisher has served an old file: fetch it again, or give the date it was published on",
        )


def _expect_newest_is_news(dataset: Dataset, release: Release, said: pd.DataFrame) -> None:
    """The newest period is not the one before it under another name.

    Of so many series some move in any period: gold, which moves least, in half of the countries.
    """
    figures = said[said["status"] == PUBLISHED]
    series = [*dataset.key, "measure"]
    periods = figures["period_end"].drop_duplicates().nlargest(2)
    if len(periods) < 2:
        return
    newest, before = (
        figures[figures["period_end"] == period].set_index(series)["value"] for period in periods
    )
    both = newest.index.intersection(before.index)
    if len(both) >= TELLING_SERIES and (newest[both] == before[both]).all():
        is_newest = figures["period_end"] == periods.iloc[0]
        raise FrozenFileError(
            release.file,
            int(figures[is_newest]["line"].min()),
            f"each of {len(both)} figures of {periods.iloc[0]:%Y-%m-%d} is that of the period before",
            "the publisher has served an old table under a new date: fetch it again",
        )


def known_labels(dataset: Dataset) -> frozenset[tuple[str, str]]:
    """(label, code) of every series in the passport, or where it lists none, of every alias of a holder.

    The code is empty where the publisher has none.
    """
    if dataset.series:
        return frozenset((label, "") for label in dataset.series)
    return _aliases(dataset.source, dataset.id)


@cache
def _aliases(source: str, dataset_id: str) -> frozenset[tuple[str, str]]:
    with (project_root() / ALIASES).open(encoding="utf-8", newline="") as seed:
        return frozenset(
            (row["label"], row["code"])
            for row in csv.DictReader(seed)
            if row["source"] == source and row["dataset"] == dataset_id
        )


def _expect_known_labels(dataset: Dataset, release: Release, frame: pd.DataFrame) -> None:
    known = known_labels(dataset)
    kind, listed_in = "holder", str(ALIASES)
    if dataset.series:
        kind, listed_in = "series", f"sources/{dataset.source}.yml"
    columns = ["label", "code"] if "code" in frame.columns else ["label"]
    for place in frame.drop_duplicates(columns)[[*columns, "line"]].to_dict("records"):
        label, code = str(place["label"]), str(place.get("code", ""))
        if (label, code) not in known:
            name = f"{label!r} (code {code})" if code else repr(label)
            raise UnknownLabelError(
                release.file,
                int(place["line"]),
                f"{name} is no {kind} that {dataset.name} is known to name",
                f"if it is right, add it to {listed_in}",
            )


def quarantine(
    home: Home,
    dataset: Dataset,
    file: str,
    data: bytes,
    release: Release | None,
    error: RefusedFileError,
) -> Path:
    """Set a refused file aside with its reason; returns its folder."""
    folder = _set_aside(home, dataset.table, dataset.name, file, data, release, error)
    if release is not None:
        batch_path(home, release).unlink(missing_ok=True)
        if not warehouse.is_loaded(home, release):
            archive.withdraw(home, release)
    return folder


def quarantine_unknown(home: Home, file: str, data: bytes, error: RefusedFileError) -> Path:
    """Set a file aside that was recognised as no dataset's; returns its folder."""
    return _set_aside(home, "unknown", None, file, data, None, error)


def _set_aside(
    home: Home,
    where: str,
    dataset: str | None,
    file: str,
    data: bytes,
    release: Release | None,
    error: RefusedFileError,
) -> Path:
    day = release.released_on.isoformat() if release else "undated"
    digest = archive.sha256(data)
    folder = home.quarantine / where / f"{day}-{digest[:12]}"
    reason = {
        "dataset": dataset,
        "released_on": release.released_on.isoformat() if release else None,
        "file": file,
        "sha256": digest,
        "outcome": error.outcome,
        "line": error.line,
        "message": error.message,
        "advice": error.advice,
        "quarantined_at": clock.now().isoformat(timespec="seconds"),
    }
    # A publisher may name a file as it likes: here it bears the last part of that. And one with the name of
    # the reason must not be lost under it.
    name = Path(file).name or "file"
    kept_as = f"refused-{name}" if name in ("reason.json", "..") else name
    archive.write_atomically(folder / kept_as, data)
    archive.write_atomically(
        folder / "reason.json", (json.dumps(reason, indent=2, ensure_ascii=False) + "\n").encode()
    )
    return folder


# --- load ----------------------------------------------------------------------------------------------


def load_releases(home: Home, dataset: Dataset, ids: Sequence[str]) -> list[Loaded]:
    """Append validated batches to the raw table, oldest release first."""
    done = []
    with warehouse.writing(home) as connection:
        for release in sorted(archive.find(home, release_id) for release_id in ids):
            with outcome_of(home, "load", dataset.name, release.id) as outcome:
                path = batch_path(home, release)
                if not path.exists() and warehouse.is_loaded(home, release):
                    # Another process validated the same bytes, and was quicker to load them.
                    outcome.result = "unchanged"
                    done.append(Loaded(release, 0, 0, 0, already=True))
                    continue
                if not path.exists():
                    raise TidemarkError(
                        f"{release.id} has not been validated", "run the step before this one"
                    )
                # DuckDB would take a star in the name of a folder for any name.
                batch = connection.read_parquet(glob.escape(str(path)))
                loaded = warehouse.load(home, connection, dataset, release, batch)
                outcome.rows = loaded.rows
                outcome.result = "unchanged" if loaded.already else "done"
            warehouse.mark_loaded(home, release)
            path.unlink()
            done.append(loaded)
    return done


def archived_on(home: Home, dataset: Dataset, day: date) -> list[str]:
    """The ids of the releases of a day that the archive holds."""
    return [release.id for release in archive.releases(home, dataset.name) if release.released_on == day]


def ingest(
    home: Home, dataset: Dataset, incoming: Iterable[Incoming], again: Sequence[str] = ()
) -> list[Loaded]:
    """All three steps in one process, without Airflow: of files, and of archived releases by their ids.

    What is refused is raised after the releases beside it are loaded: one bad file holds up no good one.
    """
    ids = list(dict.fromkeys([*archive_files(home, dataset, incoming), *again]))
    try:
        validate_releases(home, dataset, ids)
    except TidemarkError:
        held = {release.id: release for release in archive.releases(home, dataset.name)}
        good = [i for i in ids if i in held and batch_path(home, held[i]).exists()]
        if good:
            load_releases(home, dataset, good)
        raise
    return load_releases(home, dataset, ids)


def batch_path(home: Home, release: Release) -> Path:
    name = f"{release.released_on}.{release.reissue}-{release.sha256[:12]}.parquet"
    return home.parsed / release.dataset.replace("/", "__") / name
