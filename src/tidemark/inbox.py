"""The inbox: files that people bring because a publisher wants a login or shuts programs out.

    inbox/<source>/<dataset>/<name>_<YYYY-MM-DD>.<ending>

The day is that of the release; a file that tells its own may go without. The next ingest of the dataset takes
the file up: once its bytes are in the archive it leaves the inbox, and is loaded or, if it is not what it
should be, stands in quarantine with the reason.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from tidemark import clock
from tidemark.errors import UsageError
from tidemark.registry import Dataset
from tidemark.settings import Home
from tidemark.snapshot import Incoming

DAY = re.compile(r"(\d{4}-\d\d-\d\d)$")


def folder(home: Home, dataset: Dataset) -> Path:
    return home.inbox / dataset.source / dataset.id


def waiting(home: Home, dataset: Dataset) -> list[Incoming]:
    """The files that wait for a dataset, by their names.

    Raises:
        UsageError: a file tells its release date neither in its name nor, in this layout, by itself. Nothing
            of the inbox is taken up then.
    """
    paths = sorted(path for path in folder(home, dataset).glob("[!.]*") if path.is_file())
    dated = [(path, _released_on(dataset, path)) for path in paths]
    return [Incoming(path.name, path.read_bytes(), day, dataset.url, path) for path, day in dated]


def _released_on(dataset: Dataset, path: Path) -> date | None:
    found = DAY.search(path.stem)
    if found is None:
        if dataset.released_on_from == "edition_date":
            return None
        raise UsageError(
            f"{path} does not say on which day it was published",
            f"name it so: {path.stem}_YYYY-MM-DD{path.suffix}",
        )
    try:
        day = date.fromisoformat(found[1])
    except ValueError:
        raise UsageError(
            f"{path}: {found[1]} is no date of the calendar", "name it by the right day"
        ) from None
    if day > clock.today():
        raise UsageError(f"{path}: {day} lies in the future", "name it by the day it was published on")
    return day
