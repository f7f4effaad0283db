"""Asks every publisher at once: what `make live` begins with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from tidemark import fetch, pipeline, registry
from tidemark.errors import FetchError, TidemarkError
from tidemark.http import Client
from tidemark.registry import Dataset
from tidemark.settings import Home

AT_ONCE = 8
# One look and one retry: without a network all are known to be unreachable within a minute.
RETRIES = 1


@dataclass(frozen=True)
class Asked:
    """What came of asking for a dataset: `new`, `unchanged`, or the outcome of a FetchError or refusal."""

    dataset: Dataset
    result: str
    release: str | None = None
    bytes: int = 0
    error: TidemarkError | None = None

    @property
    def is_reached(self) -> bool:
        """Whether the publisher answered with a file, be it a good one."""
        return not isinstance(self.error, FetchError)


def ask_all(
    home: Home, progress: Callable[[int, int, str], None], datasets: Sequence[Dataset] | None = None
) -> list[Asked]:
    """Fetch datasets, or every one that programs get, several at a time; in their order."""
    datasets = datasets or [dataset for dataset in registry.datasets() if dataset.is_fetched]
    asked = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = {pool.submit(_ask, home, dataset): dataset for dataset in datasets}
        for number, done in enumerate(as_completed(waiting), start=1):
            asked[waiting[done].name] = done.result()
            progress(number, len(datasets), waiting[done].name)
    return [asked[dataset.name] for dataset in datasets]


def _ask(home: Home, dataset: Dataset) -> Asked:
    with Client(retries=RETRIES) as client:
        try:
            pipeline.archive_bundled(home, dataset)
            found = fetch.fetch(home, dataset, client)
        except TidemarkError as error:
            return Asked(dataset, getattr(error, "outcome", "failed"), error=error)
    return Asked(dataset, "new" if found.release else "unchanged", found.release, found.bytes)
