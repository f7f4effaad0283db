"""What marts and releases are made by: the project's own files, as hashes.

A change in them makes other marts or another release out of the same figures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tidemark.settings import project_root

# What the marts are made by, besides the raw tables.
OF_MARTS = ("dbt_project/dbt_project.yml", "dbt_project/models", "dbt_project/macros", "dbt_project/seeds")
# What a release is made by, besides the marts: its files' form, and what the passports say of licences.
OF_RELEASES = (
    "sources",
    "src/tidemark/changes.py",
    "src/tidemark/claims_report.py",
    "src/tidemark/exports.py",
    "src/tidemark/lineage.py",
    "src/tidemark/publish.py",
    "src/tidemark/release_file.py",
    "src/tidemark/site",
)
SUFFIXES = frozenset((".py", ".sql", ".yml", ".csv", ".json", ".html", ".css", ".js", ".md"))


def digest_of(parts: Iterable[str]) -> hashlib._Hash:
    """A running hash over files and folders of the project."""
    digest = hashlib.sha256()
    for part in parts:
        for file in _files(project_root() / part):
            digest.update(str(file.relative_to(project_root())).encode())
            digest.update(file.read_bytes())
    return digest


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and file.suffix in SUFFIXES)
