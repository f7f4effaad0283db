"""What dbt knows of the models: what each is made of, what makes a row of it one of a kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidemark import registry
from tidemark.errors import TidemarkError
from tidemark.settings import Home


@dataclass(frozen=True)
class Model:
    """A model, view or seed of the dbt project.

    Attributes:
        key: the columns that together are unique, as a test of the model's says; empty where none says so.
        datasets: the datasets whose figures reach it, in the registry's order.
        is_published: whether a release holds it though it is an intermediate model.
    """

    name: str
    schema: str
    description: str
    key: tuple[str, ...]
    datasets: tuple[str, ...]
    is_published: bool


def manifest(home: Home) -> dict[str, Any]:
    """Dbt's manifest of the last build.

    Raises:
        TidemarkError: there has been no build in this home.
    """
    path = _path(home)
    if not path.exists():
        raise TidemarkError(f"there is no manifest of a build at {path}", "build the marts: tidemark build")
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def _path(home: Home) -> Path:
    return home.dbt_target / "manifest.json"


def models(content: dict[str, Any]) -> dict[str, Model]:
    """The models and seeds of a manifest, by name."""
    found = {}
    for unique_id, node in content["nodes"].items():
        if node["resource_type"] not in ("model", "seed"):
            continue
        found[node["name"]] = Model(
            name=node["name"],
            schema=node["schema"],
            description=" ".join(node["description"].split()),
            key=_key(content, unique_id),
            datasets=_datasets(content, unique_id),
            is_published=bool(node["config"].get("meta", {}).get("published")),
        )
    return found


def _key(content: dict[str, Any], unique_id: str) -> tuple[str, ...]:
    for test in content["nodes"].values():
        if test["resource_type"] != "test" or test.get("attached_node") != unique_id:
            continue
        said = test.get("test_metadata") or {}
        if said.get("name") == "unique_combination":
            return tuple(said["kwargs"]["columns"])
        if said.get("name") == "unique":
            return (said["kwargs"]["column_name"],)
    return ()


def _datasets(content: dict[str, Any], unique_id: str) -> tuple[str, ...]:
    tables = {content["sources"][name]["name"] for name in _raw(content, unique_id, set())}
    known = registry.datasets()
    # This view spans every raw table.
    everything = "observations" in tables
    return tuple(dataset.name for dataset in known if everything or dataset.table in tables)


def _raw(content: dict[str, Any], unique_id: str, seen: set[str]) -> Iterator[str]:
    for parent in content["parent_map"].get(unique_id, []):
        if parent in seen:
            continue
        seen.add(parent)
        if parent in content["sources"]:
            yield parent
        else:
            yield from _raw(content, parent, seen)
