"""The bundled snapshot: releases with real published figures, each in its publisher's layout."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from tidemark import archive
from tidemark.errors import TidemarkError
from tidemark.registry import Dataset
from tidemark.settings import project_root


@dataclass(frozen=True)
class Incoming:
    """A file on its way into the archive. `released_on` is None where the file itself must tell it.

    `lies_at` is where it waits in an inbox, which it leaves once its bytes are in the archive.
    """

    file: str
    data: bytes
    released_on: date | None
    source_url: str
    lies_at: Path | None = None


def folder() -> Path:
    return project_root() / "snapshot"


def bundled(dataset: Dataset) -> list[Incoming]:
    """The bundled releases of a dataset, oldest first, checked against the manifest.

    Raises:
        TidemarkError: a file is gone or is not what the manifest says.
    """
    incoming = []
    for row in _manifest():
        if row["dataset"] != dataset.name:
            continue
        path = folder() / row["file"]
        data = path.read_bytes() if path.exists() else b""
        if archive.sha256(data) != row["sha256"]:
            raise TidemarkError(
                f"{path} is not what snapshot/manifest.csv says", "restore it: git checkout snapshot"
            )
        incoming.append(Incoming(path.name, data, date.fromisoformat(row["released_on"]), row["source_url"]))
    return sorted(incoming, key=lambda item: item.released_on or date.min)


@cache
def hashes() -> frozenset[str]:
    """The SHA-256 of every bundled file."""
    return frozenset(row["sha256"] for row in _manifest())


def _manifest() -> list[dict[str, str]]:
    with (folder() / "manifest.csv").open(encoding="utf-8", newline="") as manifest:
        return list(csv.DictReader(manifest))
