"""The inbox: files that people bring because a publisher wants a login or shuts programs out.

    inbox/<any name>                                          recognised by its content, and filed:
    inbox/<source>/<dataset>/<name>_<YYYY-MM-DD>.<ending>     what waits for a dataset

The day is that of the release. A file that tells its own may go without; of any other without one, the day on
which it was put there counts, by which it was out. The next ingest of the dataset takes the file up: once its
bytes are in the archive it leaves the inbox, and is loaded or, if it is not what it should be, stands in
quarantine with the reason.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

from tidemark import archive, clock, pipeline, registry, sources
from tidemark.errors import NotTheFileError, WrongDateError
from tidemark.reading import SourceFile, writable
from tidemark.registry import Dataset
from tidemark.settings import Home
from tidemark.snapshot import Incoming
from tidemark.warehouse import outcome_of

DAY = re.compile(r"(\d{4}-\d\d-\d\d)$")


@dataclass(frozen=True)
class Filed:
    """A file of the inbox and the dataset that it was recognised as; None where it is none's."""

    file: str
    dataset: str | None
    reason: str = ""


def folder(home: Home, dataset: Dataset) -> Path:
    return home.inbox / dataset.source / dataset.id


def file_by_content(home: Home) -> list[Filed]:
    """Put each file that lies in the inbox itself where its dataset's wait; what is no dataset's goes to
    quarantine, with what was tried.
    """
    return [_file(home, path) for path in _files(home.inbox)]


def _file(home: Home, path: Path) -> Filed:
    name, data = writable(path.name), path.read_bytes()
    archive.store(home, data)
    try:
        with outcome_of(home, "inbox") as outcome:
            outcome.rows = len(data)
            dataset = _the_only_one(home, name, data)
            outcome.dataset = dataset.name
    except NotTheFileError as error:
        pipeline.quarantine_unknown(home, name, data, error)
        path.unlink()
        return Filed(name, None, str(error))
    where = folder(home, dataset)
    if _is_linked(where):
        return Filed(name, None, f"{where} is a link, which is not followed: make it a folder")
    where.mkdir(parents=True, exist_ok=True)
    _move(path, where)
    return Filed(name, dataset.name)


def _move(path: Path, where: Path) -> None:
    """Into a folder, under a name that nothing there has: a publisher may name two issues alike."""
    for number in count(1):
        with suppress(FileExistsError):
            os.link(path, where / (path.name if number == 1 else f"{number}-{path.name}"))
            break
    path.unlink()


def _the_only_one(home: Home, name: str, data: bytes) -> Dataset:
    fitting = recognise(name, data)
    if len(fitting) != 1:
        names = " and ".join(dataset.name for dataset in fitting)
        raise NotTheFileError(
            name,
            None,
            f"it could be {names}" if fitting else "no dataset has files like it",
            f"put it into {home.inbox}/SOURCE/DATASET/; what it lacks for one dataset says "
            "tidemark ingest SOURCE/DATASET --file",
        )
    return fitting[0]


def recognise(name: str, data: bytes) -> list[Dataset]:
    """The datasets whose parsers read a file: one, unless it is none's or could be two's."""
    return [dataset for dataset in registry.datasets() if _reads(dataset, name, data)]


def _reads(dataset: Dataset, name: str, data: bytes) -> bool:
    try:
        sources.parse(dataset, SourceFile(name, data))
    except Exception:  # refused by name, or what a parser breaks on: not its file
        return False
    return True


def waiting(home: Home, dataset: Dataset) -> list[Incoming]:
    """The files that wait for a dataset, by their names.

    Raises:
        RefusedFileError: the name of a file says a day on which it cannot have been published. That file is
            in quarantine then, and holds the others up no longer.
    """
    return [
        Incoming(writable(path.name), path.read_bytes(), _released_on(home, dataset, path), dataset.url, path)
        for path in _files(folder(home, dataset))
    ]


def anything_waiting(home: Home) -> list[str]:
    """The sources for which files wait."""
    return sorted({dataset.source for dataset in registry.datasets() if _files(folder(home, dataset))})


def _is_linked(folder: Path) -> bool:
    return folder.is_symlink() or folder.parent.is_symlink()


def _files(folder: Path) -> list[Path]:
    """What lies in a folder of the inbox itself: a link could bring in any file that we may read."""
    if _is_linked(folder):
        return []
    return sorted(path for path in folder.glob("[!.]*") if path.is_file() and not path.is_symlink())


def _released_on(home: Home, dataset: Dataset, path: Path) -> date | None:
    found = DAY.search(path.stem)
    if found is None:
        if dataset.released_on_from == "edition_date":
            return None
        put_there = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
        return min(put_there, clock.today())
    wrong = ""
    try:
        day = date.fromisoformat(found[1])
        if day > clock.today():
            wrong = f"its name says {day}, which lies in the future"
    except ValueError:
        wrong = f"its name says {found[1]}, which is no date of the calendar"
    if wrong:
        error = WrongDateError(
            writable(path.name),
            None,
            wrong,
            f"put it back as {writable(path.stem.removesuffix(found[1]))}YYYY-MM-DD{writable(path.suffix)}",
        )
        with outcome_of(home, "inbox", dataset.name):
            pipeline.quarantine(home, dataset, writable(path.name), path.read_bytes(), None, error)
            path.unlink()
            raise error
    return day
