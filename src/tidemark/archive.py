"""The archive: every byte that arrived, by its SHA-256, and which release of which dataset it is.

    archive/objects/<first two digits>/<sha256>                        the bytes, never touched again
    archive/releases/<source>/<dataset>/<released_on>.<reissue>.json   the manifest, one entry a release

The warehouse can be rebuilt from here and from nothing else, so what cannot be derived from the bytes
(when we first saw them, where they came from, which issue of that day they were) stands in the entry.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from tidemark import clock
from tidemark.errors import TidemarkError, UsageError
from tidemark.reading import writable
from tidemark.registry import Dataset
from tidemark.settings import Home


@dataclass(frozen=True, order=True)
class Release:
    """One publication of a dataset. Sorts by dataset, then in the order of publication."""

    dataset: str
    released_on: date
    reissue: int
    sha256: str
    bytes: int
    file: str
    source_url: str
    evidence: str
    first_seen_at: datetime

    @property
    def id(self) -> str:
        """`tic/slt_table5@2026-06-18.0`: what tasks hand to each other, and what outcomes name."""
        return f"{self.dataset}@{self.released_on}.{self.reissue}"

    def as_json(self) -> str:
        content = asdict(self) | {
            "released_on": self.released_on.isoformat(),
            "first_seen_at": self.first_seen_at.isoformat(),
        }
        return json.dumps(content, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Release:
        content = json.loads(text)
        content["released_on"] = date.fromisoformat(content["released_on"])
        content["first_seen_at"] = datetime.fromisoformat(content["first_seen_at"])
        return cls(**content)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sha256_of(path: Path) -> str:
    """Of a file, which is not held in memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def object_path(home: Home, digest: str) -> Path:
    return home.archive / "objects" / digest[:2] / digest


def store(home: Home, data: bytes) -> str:
    """Keep the bytes; returns their SHA-256. Bytes that are already there are not written again."""
    digest = sha256(data)
    path = object_path(home, digest)
    if not path.exists():
        write_atomically(path, data, mode=0o444)
    return digest


def write_atomically(path: Path, data: bytes, mode: int = 0o644, exclusive: bool = False) -> None:
    """Write a whole file or none: beside its place first, flushed to the disk, then put there in one step.

    Raises:
        FileExistsError: `exclusive`, and the file is there already.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".partial-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(mode)
        if exclusive:
            os.link(name, path)
        else:
            Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def register(
    home: Home,
    dataset: Dataset,
    data: bytes,
    released_on: date,
    file: str,
    source_url: str,
) -> tuple[Release, bool]:
    """Archive bytes as a release of a dataset; returns the release and whether it is new.

    The same bytes under the same date are the release already held. Other bytes under the same date are a
    second issue of that release (`reissue` 1, 2, ...), in the order in which they arrived.
    """
    digest = store(home, data)
    while True:
        held = [r for r in releases(home, dataset.name) if r.released_on == released_on]
        for release in held:
            if release.sha256 == digest:
                return release, False
        release = Release(
            dataset=dataset.name,
            released_on=released_on,
            reissue=max((r.reissue for r in held), default=-1) + 1,
            sha256=digest,
            bytes=len(data),
            file=writable(file),
            source_url=source_url,
            evidence=dataset.evidence,
            first_seen_at=clock.now().replace(microsecond=0),
        )
        try:
            write_atomically(_entry_path(home, release), release.as_json().encode(), exclusive=True)
        except FileExistsError:
            continue  # Somebody registered another issue of this day in between: look again.
        return release, True


def adopt(home: Home, release: Release, data: bytes) -> None:
    """Put a release of another archive into this one, with its date, issue and first sight as they are."""
    store(home, data)
    write_atomically(_entry_path(home, release), release.as_json().encode())


def withdraw(home: Home, release: Release) -> None:
    """Take a refused file out of the manifest. Its bytes stay in the archive, and in quarantine.

    Two who refuse the same file both withdraw it, and another file may have become that issue in between:
    it stays.
    """
    path = _entry_path(home, release)
    try:
        held = Release.from_json(path.read_text("utf-8"))
    except FileNotFoundError:
        return
    if held.sha256 == release.sha256:
        path.unlink(missing_ok=True)


def releases(home: Home, dataset: str | None = None) -> list[Release]:
    """Every archived release, of one dataset or of all, in the order of publication."""
    return sorted(_entries(home.archive / "releases" / (dataset or "")))


def _entries(folder: Path) -> Iterator[Release]:
    for path in folder.rglob("*.json"):
        try:
            yield Release.from_json(path.read_text("utf-8"))
        except (ValueError, TypeError, KeyError) as error:
            raise TidemarkError(f"{path} is no archive entry: {error}", "restore it from a backup") from error


def find(home: Home, release_id: str) -> Release:
    """The release that an id such as `tic/slt_table5@2026-06-18.0` names."""
    dataset, _, _ = release_id.partition("@")
    for release in releases(home, dataset):
        if release.id == release_id:
            return release
    raise UsageError(f"no release {release_id} in the archive", "see: tidemark releases")


def read(home: Home, release: Release) -> bytes:
    """The bytes of a release, checked against their hash.

    Raises:
        TidemarkError: the bytes are gone, or are no longer those that arrived.
    """
    path = object_path(home, release.sha256)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise TidemarkError(f"{path} is gone; {release.id} needs it", "restore it from a backup") from None
    if sha256(data) != release.sha256:
        raise TidemarkError(f"{path} is not what was archived as {release.id}", "restore it from a backup")
    return data


@dataclass(frozen=True)
class Verified:
    """What looking at every byte of the archive came to.

    Attributes:
        objects: how many files were read, those that were refused and belong to no release among them.
        releases: how many releases the manifest lists.
        problems: what is not as it arrived, a sentence each.
    """

    objects: int
    releases: int
    problems: tuple[str, ...]


def verify(home: Home) -> Verified:
    """Read every byte of the archive and compare it with the hash by which it is kept.

    One flipped bit of what arrived shows. An entry of the manifest has no hash: it shows where it is no more
    an entry, or names bytes that are not there or of another size; the rest of it the warehouse knows, too
    (`warehouse.entries_that_differ`).
    """
    problems: list[str] = []
    sizes: dict[str, int] = {}
    for path in sorted((home.archive / "objects").glob("*/[!.]*")):
        digest = sha256_of(path)
        sizes[path.name] = path.stat().st_size
        if digest != path.name or path.parent.name != path.name[:2]:
            problems.append(f"{path} is not what was archived: its SHA-256 is {digest}")
    entries = sorted((home.archive / "releases").rglob("*.json"))
    for path in entries:
        try:
            release = Release.from_json(path.read_text("utf-8"))
        except (ValueError, TypeError, KeyError) as error:
            problems.append(f"{path} is no archive entry: {error}")
            continue
        if _entry_path(home, release) != path:
            problems.append(f"{path} is no archive entry of its place: it names {release.id}")
        if release.sha256 not in sizes:
            problems.append(f"{object_path(home, release.sha256)} is gone; {release.id} needs it")
        elif sizes[release.sha256] != release.bytes:
            problems.append(f"{path} says {release.bytes:,} bytes, and {sizes[release.sha256]:,} are there")
    return Verified(len(sizes), len(entries), tuple(problems))


def _entry_path(home: Home, release: Release) -> Path:
    name = f"{release.released_on}.{release.reissue}.json"
    return home.archive / "releases" / release.dataset / name
