"""One module a source. `tidemark.sources.<source>` offers, for each dataset of the passport:

* `PARSERS[dataset]`: a `SourceFile` to `Parsed`, strictly;
* `EDITION_DATES[dataset]`: where the file tells its release date, a cheap look at it (else absent);
* `CHECKS[dataset]`: columns that the dataset's suite needs beside the observations (else absent).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from types import ModuleType
from typing import Any

import pandas as pd

from tidemark.errors import TooLargeError
from tidemark.reading import SourceFile
from tidemark.registry import Dataset


@dataclass(frozen=True)
class Parsed:
    """A release as a parser read it.

    Attributes:
        observations: key columns as in the passport, period_end, measure, value, status, unit, line.
        edition_date: the release date that stands in the file, where one does.
        edition_line: the line it stands in.
    """

    observations: pd.DataFrame
    edition_date: date | None = None
    edition_line: int | None = None


# Ten times the largest of any publisher; what is read of such a file stays below 500 MB of memory.
LARGEST_BYTES = 20 * 10**6


def _module(dataset: Dataset) -> ModuleType:
    return import_module(f"tidemark.sources.{dataset.source}")


def _offered(dataset: Dataset, table: str) -> Any:
    """What the source's module has for a dataset in one of its tables; None where it has none."""
    return getattr(_module(dataset), table, {}).get(dataset.id)


def parse(dataset: Dataset, file: SourceFile) -> Parsed:
    """Read a file of this dataset; raises a RefusedFileError that names file and line."""
    if len(file.data) > LARGEST_BYTES:
        raise TooLargeError(
            file.name,
            None,
            f"it has {len(file.data) / 10**6:,.0f} MB; no publisher's file has more than "
            f"{LARGEST_BYTES / 10**6:,.0f}",
            "look at what it is: the file may hold another many times",
        )
    parser: Callable[[SourceFile], Parsed] = _module(dataset).PARSERS[dataset.id]
    return parser(file)


def edition_date(dataset: Dataset, file: SourceFile) -> date | None:
    """The release date that stands in the file; None where this layout has none."""
    look: Callable[[SourceFile], date] | None = _offered(dataset, "EDITION_DATES")
    return look(file) if look else None


def with_checks(dataset: Dataset, observations: pd.DataFrame) -> pd.DataFrame:
    """The batch that the dataset's suite validates: the observations and the columns it checks them by."""
    add: Callable[[Dataset, pd.DataFrame], pd.DataFrame] | None = _offered(dataset, "CHECKS")
    return add(dataset, observations) if add else observations
