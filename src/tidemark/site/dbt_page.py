"""The page of dbt on every model, from the manifest of the build: dbt's own page, with the manifest in it.

What `dbt docs generate --static` writes, without starting dbt again: the columns' types stand in the models'
contracts.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from dbt.task.docs import DOCS_INDEX_FILE_PATH

# What tells of the machine, or of the moment, and not of the models.
OF_THE_MACHINE = ("compiled_path", "build_path", "created_at", "root_path")


def page(manifest: dict[str, Any]) -> str:
    """The page, one file.

    Args:
        manifest: dbt's.
    """
    shown = {**manifest, "metadata": _metadata(manifest["metadata"])}
    for kind in ("nodes", "sources", "macros", "exposures", "metrics", "semantic_models", "unit_tests"):
        shown[kind] = {name: _without_machine(node) for name, node in manifest.get(kind, {}).items()}
    text = Path(DOCS_INDEX_FILE_PATH).read_text("utf-8")
    # A browser would look for files of the names of these expressions, which nothing has filled in yet.
    text = text.replace('<use xlink:href="{{', '<use ng-attr-xlink:href="{{')
    text = re.sub(r'href="\$\{require\([^)]*\)\}"', 'href="data:,"', text)
    text = text.replace('"MANIFEST.JSON INLINE DATA"', _embedded(shown))
    return text.replace('"CATALOG.JSON INLINE DATA"', _embedded(_catalog(manifest)))


def _metadata(said: dict[str, Any]) -> dict[str, Any]:
    kept = ("dbt_schema_version", "dbt_version", "project_name", "project_id", "adapter_type", "quoting")
    return {name: said[name] for name in kept if name in said} | {"send_anonymous_usage_stats": False}


def _catalog(manifest: dict[str, Any]) -> dict[str, Any]:
    """What dbt would read from the database of tables and columns, as their contracts say it."""
    nodes = {
        unique_id: {
            "unique_id": unique_id,
            "metadata": {
                "type": node["config"].get("materialized", "table"),
                "schema": node["schema"],
                "name": node["name"],
                "database": None,
                "comment": None,
                "owner": None,
            },
            "columns": {
                name: {"name": name, "type": column.get("data_type"), "index": place, "comment": None}
                for place, (name, column) in enumerate(node["columns"].items())
            },
            "stats": {},
        }
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed")
    }
    return {"metadata": {}, "nodes": nodes, "sources": {}, "errors": None}


def _without_machine(node: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name not in OF_THE_MACHINE}


def _embedded(content: Any) -> str:
    # Within a script element, a closing tag in a text would end it.
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
