"""Reads the passports in `sources/*.yml`: which sources there are, and how their datasets look."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import jsonschema
import yaml

from tidemark.errors import TidemarkError, UsageError
from tidemark.settings import project_root


@dataclass(frozen=True)
class Measure:
    """A published quantity of a dataset, its unit, and the bounds that no true figure passes."""

    unit: str
    min: float
    max: float


@dataclass(frozen=True)
class Closing:
    """How far the parts of a total may be from it, and why that far."""

    tolerance: float
    reason: str


@dataclass(frozen=True)
class PlausibleRevision:
    """How far a published figure may still move, as a share of it; 0 where none ever does."""

    ratio: float
    reason: str


@dataclass(frozen=True)
class Dataset:
    """One file of a source. `name` is `source/dataset`, `table` its table in the schema `raw`.

    `series` are the labels of a dataset that names no holders; it is empty where labels are holders.
    """

    source: str
    id: str
    title: str
    file: str
    url: str
    format: str
    evidence: Literal["published", "cited"]
    state: Literal["live", "frozen"]
    key: tuple[str, ...]
    measures: dict[str, Measure]
    absence: Literal["window", "deletion"]
    released_on_from: Literal["edition_date", "last_modified", "calendar", "fetch_day", "given"]
    content_age_days: int
    looks_ahead_days: int = 0
    series: tuple[str, ...] = ()
    last_release: date | None = None
    closing: Closing | None = None
    plausible_revision: PlausibleRevision | None = None
    frictions: tuple[str, ...] = ()
    reference_values: tuple[dict[str, Any], ...] = field(default=(), hash=False)

    @property
    def name(self) -> str:
        return f"{self.source}/{self.id}"

    @property
    def table(self) -> str:
        return f"{self.source}__{self.id}"

    @property
    def asset(self) -> str:
        """The name of the Airflow asset that a load of this dataset updates."""
        return f"tidemark://{self.name}"


@dataclass(frozen=True)
class Source:
    """A publisher, as its passport tells."""

    id: str
    publisher: str
    title: str
    country: str
    homepage: str
    licence: dict[str, str]
    attribution: str
    cadence: str
    release_calendar: dict[str, Any]
    lag_months: int
    revisions: dict[str, str]
    datasets: tuple[Dataset, ...]
    frictions: tuple[str, ...] = ()

    def dataset(self, dataset_id: str) -> Dataset:
        for dataset in self.datasets:
            if dataset.id == dataset_id:
                return dataset
        known = ", ".join(dataset.id for dataset in self.datasets)
        raise UsageError(f"source {self.id} has no dataset {dataset_id!r}", f"it has: {known}")


def passport_folder() -> Path:
    return project_root() / "sources"


def read_passport(path: Path) -> Source:
    """One passport, checked against `passport.schema.json`.

    Raises:
        TidemarkError: the file is no YAML, or breaks the schema; names the place in the file.
    """
    schema = json.loads((path.parent / "passport.schema.json").read_text("utf-8"))
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError as error:
        raise TidemarkError(f"{path.name} is no YAML: {error}", "mend the file") from error
    # YAML reads dates as dates, JSON schema knows them as strings.
    validator = jsonschema.Draft202012Validator(schema)
    found = sorted(validator.iter_errors(json.loads(json.dumps(content, default=str))), key=str)
    if found:
        places = "; ".join(f"{'.'.join(map(str, e.absolute_path)) or 'top'}: {e.message}" for e in found)
        raise TidemarkError(f"{path.name} breaks sources/passport.schema.json: {places}", "mend the passport")
    if content["id"] != path.stem:
        raise TidemarkError(f"{path.name} has the id {content['id']!r}", f"name it {content['id']}.yml")
    datasets = tuple(_dataset(content["id"], entry) for entry in content.pop("datasets"))
    return Source(datasets=datasets, frictions=tuple(content.pop("frictions", ())), **content)


def _dataset(source: str, entry: dict[str, Any]) -> Dataset:
    closing = entry.pop("closing", None)
    plausible = entry.pop("plausible_revision", None)
    return Dataset(
        source=source,
        key=tuple(entry.pop("key")),
        series=tuple(entry.pop("series", ())),
        measures={name: Measure(**measure) for name, measure in entry.pop("measures").items()},
        frictions=tuple(entry.pop("frictions", ())),
        reference_values=tuple(entry.pop("reference_values", ())),
        closing=Closing(**closing) if closing else None,
        plausible_revision=PlausibleRevision(**plausible) if plausible else None,
        **entry,
    )


@cache
def sources() -> dict[str, Source]:
    """Every source by its id, in the order of their names."""
    return {path.stem: read_passport(path) for path in sorted(passport_folder().glob("*.yml"))}


def source(source_id: str) -> Source:
    try:
        return sources()[source_id]
    except KeyError:
        raise UsageError(f"no source {source_id!r}", f"known sources: {', '.join(sources())}") from None


def datasets() -> list[Dataset]:
    """Every dataset of every source."""
    return [dataset for source in sources().values() for dataset in source.datasets]


def dataset(name: str) -> Dataset:
    """A dataset by its name, such as `tic/slt_table5`."""
    source_id, _, dataset_id = name.partition("/")
    return source(source_id).dataset(dataset_id)


def select(target: str) -> list[Dataset]:
    """The datasets that `SOURCE` or `SOURCE/DATASET` names."""
    return [dataset(target)] if "/" in target else list(source(target).datasets)
