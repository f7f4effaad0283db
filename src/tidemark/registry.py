"""Reads the passports in `sources/*.yml`: which sources there are, and how their datasets look."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import jsonschema
import yaml
from croniter import croniter

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


# A period's length in days, the longest it can be; of a business day, a long weekend.
PERIOD_DAYS = {"daily": 4, "weekly": 7, "monthly": 31, "quarterly": 92, "yearly": 366, "irregular": 366}
# CBO's first outlook of a year has come in January and in May.
EARLIER_OR_LATER_DAYS = 120
# After a release is due it is looked for on the next business day at the latest.
LOOKED_FOR_WITHIN_DAYS = 3


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
    plausible_revision: PlausibleRevision
    cadence: str
    lag_days: int
    fetch: dict[str, Any] = field(default_factory=dict, hash=False)
    looks_ahead_days: int = 0
    series: tuple[str, ...] = ()
    last_release: date | None = None
    closing: Closing | None = None
    frictions: tuple[str, ...] = ()
    reference_values: tuple[dict[str, Any], ...] = field(default=(), hash=False)

    @property
    def name(self) -> str:
        return f"{self.source}/{self.id}"

    @property
    def table(self) -> str:
        return f"{self.source}__{self.id}"

    @property
    def is_fetched(self) -> bool:
        """Whether a program gets its files from the publisher."""
        return bool(self.fetch) and self.fetch["by"] != "inbox"

    @property
    def is_awaited(self) -> bool:
        """Whether further releases are to come, by a program or by people."""
        return self.state == "live" and self.evidence == "published"

    @property
    def late_after_days(self) -> int:
        """How old the newest figure may grow, in days after its period, before the next one is late.

        The next period ends, its figures are out `lag_days` later, and are looked for. Of projections, whose
        periods lie ahead, the days are counted from the last release: the next comes about a year later.
        """
        if self.looks_ahead_days:
            return PERIOD_DAYS["yearly"] + EARLIER_OR_LATER_DAYS
        return PERIOD_DAYS[self.cadence] + self.lag_days + LOOKED_FOR_WITHIN_DAYS

    @property
    def frozen_after_days(self) -> int:
        """How long a dataset may be late before it is frozen: half a period, and a week at least.

        A holiday or a fault of the publisher's delays by days. What takes longer stands still.
        """
        return max(7, PERIOD_DAYS[self.cadence] // 2)

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
    served_by: tuple[str, ...] = ()

    @property
    def is_fetched(self) -> bool:
        """Whether a program gets any of its datasets."""
        return any(dataset.is_fetched for dataset in self.datasets)

    def dataset(self, dataset_id: str) -> Dataset:
        for dataset in self.datasets:
            if dataset.id == dataset_id:
                return dataset
        known = ", ".join(dataset.id for dataset in self.datasets)
        raise UsageError(f"source {self.id} has no dataset {dataset_id!r}", f"it has: {known}")


SCHEMA = "passport.schema.json"


def passport_folder() -> Path:
    return project_root() / "sources"


def read_passport(path: Path) -> Source:
    """One passport, checked against `passport.schema.json` and against itself.

    Raises:
        TidemarkError: the file is no YAML, breaks the schema or contradicts itself; names the places.
    """
    schema = json.loads((path.parent / SCHEMA).read_text("utf-8"))
    try:
        content = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise TidemarkError(f"{path.name} is no YAML: {error}", "mend the file") from error
    content = json.loads(json.dumps(content, default=str))
    validator = jsonschema.Draft202012Validator(schema, format_checker=FORMATS)
    broken = sorted(validator.iter_errors(content), key=str)
    if broken:
        places = "; ".join(f"{_place(content, list(e.absolute_path))}: {e.message}" for e in broken)
        raise TidemarkError(f"{path.name} breaks sources/passport.schema.json: {places}", "mend the passport")
    if contradictions := "; ".join(_contradictions(content)):
        raise TidemarkError(f"{path.name} contradicts itself: {contradictions}", "mend the passport")
    if content["id"] != path.stem:
        raise TidemarkError(f"{path.name} has the id {content['id']!r}", f"name it {content['id']}.yml")
    of_source = {"cadence": content["cadence"], "lag_days": 30 * content["lag_months"]}
    datasets = tuple(_dataset(content["id"], of_source | entry) for entry in content.pop("datasets"))
    calendar = content.pop("release_calendar")
    calendar["dates"] = tuple(date.fromisoformat(day) for day in calendar.get("dates", ()))
    return Source(
        datasets=datasets,
        release_calendar=calendar,
        frictions=tuple(content.pop("frictions", ())),
        served_by=tuple(content.pop("served_by", ())),
        **content,
    )


# The same language by libyaml, several times as fast: every Airflow task reads the passports.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc]
    """YAML, but dates stay text, as JSON schema knows them, and a key that stands twice is refused.

    Of such a key YAML keeps the second, and says nothing.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - as in its parent
        first: [(tag, form) for tag, form in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value]
        if twice := [key for key, _ in node.value if names.count(key.value) > 1]:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {twice[-1].value!r} stands twice", twice[-1].start_mark
            )
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


FORMATS = jsonschema.FormatChecker(["date", "regex"])
URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")


@FORMATS.checks("uri", ValueError)
def _is_uri(text: object) -> bool:
    if not isinstance(text, str):
        return True
    parts = urlsplit(text)
    return parts.scheme in ("https", "http") and "." in (parts.hostname or "") and bool(URI.fullmatch(text))


@FORMATS.checks("timezone", (KeyError, OSError, ValueError))
def _is_timezone(name: object) -> bool:
    return not isinstance(name, str) or ZoneInfo(name) is not None


def _place(content: Any, path: list[Any]) -> str:
    """Where in the passport: a dataset by its id, anything else by its keys and places."""
    named = [str(step) for step in path]
    if path[:1] == ["datasets"] and len(path) > 1:
        entry = content["datasets"][path[1]]
        named[1] = str(entry.get("id", path[1])) if isinstance(entry, dict) else named[1]
    return ".".join(named) or "top"


def _contradictions(content: dict[str, Any]) -> Iterator[str]:
    """What a schema cannot say, each with its place."""
    dates = content["release_calendar"].get("dates", [])
    if dates != sorted(dates):
        yield "release_calendar.dates: not oldest first"
    days = content["release_calendar"].get("days")
    if days is not None and not croniter.is_valid(f"0 0 {days}"):
        yield f"release_calendar.days: {days!r} is no day of month, month and day of week of a cron line"
    if days is None and any("fetch" in entry for entry in content["datasets"]):
        yield "release_calendar.days: nobody would ask the publisher"
    ids = [entry["id"] for entry in content["datasets"]]
    for twice in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"datasets.{twice}: stands twice"
    for entry in content["datasets"]:
        yield from (f"datasets.{entry['id']}.{found}" for found in _contradictions_of(entry))
        yield from (f"datasets.{entry['id']}.{found}" for found in _foreign(content, entry))


def _foreign(content: dict[str, Any], entry: dict[str, Any]) -> Iterator[str]:
    """Addresses that are neither the publisher's own nor of those by whom it is said to be served.

    Whoever edits a passport decides whom this machine asks; so another's host takes a line that says so.
    """
    own = _domain(urlsplit(content["homepage"]).hostname or "")
    allowed = (own, *content.get("served_by", ()))
    fetch = entry.get("fetch", {})
    addresses = [("url", entry["url"]), ("fetch.from", fetch.get("from"))]
    hosts = [(where, urlsplit(address)) for where, address in addresses if address]
    for where, parts in hosts:
        if "@" in parts.netloc or ":" in parts.netloc:
            yield f"{where}: an address holds no user, password or port"
    named = [(where, parts.hostname or "") for where, parts in hosts]
    named += [("fetch.hosts", host) for host in fetch.get("hosts", ())]
    for where, host in named:
        if not any(host == domain or host.endswith(f".{domain}") for domain in allowed):
            yield f"{where}: {host} is neither of {own} nor listed in served_by"


# What stands before a country's own letters and is given to no one.
OF_NOBODY = ("ac", "co", "com", "ed", "edu", "go", "gob", "gouv", "gov", "gv", "ne", "net", "or", "org")


def _domain(host: str) -> str:
    """The part of a host's name that its owner registered: gov.cn and the like are nobody's."""
    labels = host.split(".")
    of_a_country = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in OF_NOBODY
    return ".".join(labels[-3 if of_a_country else -2 :])


def _contradictions_of(entry: dict[str, Any]) -> Iterator[str]:
    if "label" not in entry["key"]:
        yield "key: label is not among the columns"
    if (entry["state"] == "frozen") != ("last_release" in entry):
        yield "last_release: a frozen dataset has one, and no other does"
    awaited = entry["state"] == "live" and entry["evidence"] == "published"
    if awaited != ("fetch" in entry):
        yield "fetch: a live dataset of the publisher's own files has one, and no other does"
    for name, measure in entry["measures"].items():
        if not -math.inf < measure["min"] < measure["max"] < math.inf:
            yield f"measures.{name}: min and max bound nothing"
    for number, reference in enumerate(entry.get("reference_values", [])):
        yield from (f"reference_values.{number}: {found}" for found in _faults(entry, reference))


OF_A_REFERENCE = ("label", "period_end", "measure", "value", "released_on", "note")


def _faults(entry: dict[str, Any], reference: dict[str, Any]) -> Iterator[str]:
    for column in reference:
        if column not in (*OF_A_REFERENCE, *entry["key"]):
            yield f"{column} is no key column"
    if entry.get("series") and reference["label"] not in entry["series"]:
        yield f"{reference['label']!r} is not among the series"
    bounds = entry["measures"].get(reference["measure"])
    if bounds is None:
        yield f"{reference['measure']!r} is not among the measures"
    elif not bounds["min"] <= reference["value"] <= bounds["max"]:
        yield f"{reference['value']:,} lies outside {bounds['min']:,} to {bounds['max']:,}"


def _dataset(source: str, entry: dict[str, Any]) -> Dataset:
    closing = entry.pop("closing", None)
    return Dataset(
        source=source,
        key=tuple(entry.pop("key")),
        series=tuple(entry.pop("series", ())),
        measures={name: Measure(**measure) for name, measure in entry.pop("measures").items()},
        frictions=tuple(entry.pop("frictions", ())),
        reference_values=tuple(_with_days(value) for value in entry.pop("reference_values", ())),
        closing=Closing(**closing) if closing else None,
        plausible_revision=PlausibleRevision(**entry.pop("plausible_revision")),
        **_with_days(entry),
    )


def _with_days(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry with its dates as dates, however they were quoted in the file."""
    days = ("period_end", "released_on", "last_release")
    return {name: date.fromisoformat(v) if name in days else v for name, v in entry.items()}


def sources() -> dict[str, Source]:
    """Every source by its id, in the order of their names."""
    paths = sorted(passport_folder().glob("*.yml"))
    stamps = tuple((path, path.stat().st_mtime_ns) for path in [*paths, passport_folder() / SCHEMA])
    return _sources(stamps)


@lru_cache(maxsize=1)
def _sources(stamps: tuple[tuple[Path, int], ...]) -> dict[str, Source]:
    """Read anew where a file has changed: an Airflow scheduler hands what it read to the tasks it forks."""
    return {path.stem: read_passport(path) for path, _ in stamps if path.name != SCHEMA}


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
