"""Where things stand: the project's own files, and the home that holds everything it writes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tidemark.errors import UsageError

HOME_VARIABLE = "TIDEMARK_HOME"
RESTRICTED_VARIABLE = "TIDEMARK_INCLUDE_RESTRICTED"
LIVE_VARIABLE = "TIDEMARK_LIVE"
KEEP_RELEASES_VARIABLE = "TIDEMARK_KEEP_RELEASES"
KEEP_DAYS_VARIABLE = "TIDEMARK_KEEP_DAYS"
METADATA_VARIABLE = "TIDEMARK_METADATA_URL"


def project_root() -> Path:
    """The folder with `sources/`, `expectations/`, `dbt_project/`, `snapshot/` and `dags/`.

    The package runs from its checkout (or the image's copy of it): these files are as much a part of the
    program as its Python, so they are found from here and not from the working directory.
    """
    return Path(__file__).resolve().parents[2]


def include_restricted() -> bool:
    """Whether published releases hold the raw figures of sources that allow an extract only.

    Off, unless the operator, who knows under which terms the release will be read, switches it on.
    """
    return _is_on(RESTRICTED_VARIABLE)


def is_live() -> bool:
    """Whether the DAGs ask the publishers, on their calendars. Off in `make run`, which needs no network."""
    return _is_on(LIVE_VARIABLE)


def kept_releases() -> int:
    """How many published releases are kept, however old they are."""
    return _count(KEEP_RELEASES_VARIABLE, 30)


def kept_days() -> int:
    """For how many days a published release is kept, however many there are."""
    return _count(KEEP_DAYS_VARIABLE, 90)


def _count(variable: str, default: int) -> int:
    """A number of an environment variable, not below 0.

    Raises:
        UsageError: it is no number.
    """
    said = os.environ.get(variable, "").strip() or str(default)
    if not said.isdecimal():
        raise UsageError(f"{variable} is {said!r}", "give a whole number of 0 or more")
    return int(said)


def _is_on(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() in ("1", "true", "yes", "on")


@dataclass(frozen=True)
class Home:
    """Every path that Tidemark writes lies below `root` (`--home`, `TIDEMARK_HOME`, or `data/`)."""

    root: Path

    @classmethod
    def find(cls, given: Path | None = None) -> Home:
        root = given or Path(os.environ.get(HOME_VARIABLE) or project_root() / "data")
        return cls(root.expanduser().resolve())

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    @property
    def inbox(self) -> Path:
        """Where people put files that no program may fetch; filed there below `<source>/<dataset>/`."""
        return self.root / "inbox"

    @property
    def fetched(self) -> Path:
        """Of each dataset what the last answer said of itself (ETag), so that the next asks for news only."""
        return self.root / "fetched"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def parsed(self) -> Path:
        """Validated batches as Parquet, each from its validation until it is loaded."""
        return self.root / "parsed"

    @property
    def outcomes(self) -> Path:
        """Outcomes of steps that may not write DuckDB, until a step that may collects them."""
        return self.root / "outcomes"

    @property
    def quality(self) -> Path:
        """Great Expectations' validation results."""
        return self.root / "quality"

    @property
    def data_docs(self) -> Path:
        return self.root / "data_docs"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def write_lock(self) -> Path:
        return self.root / "warehouse.lock"

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def current(self) -> Path:
        """The symlink that BI tools open; it points at one published release."""
        return self.published / "current"

    @property
    def airflow(self) -> Path:
        return self.root / "airflow"

    @property
    def dbt_target(self) -> Path:
        return self.root / "dbt"
