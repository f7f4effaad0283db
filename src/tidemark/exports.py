"""Every mart of a release as Parquet and as CSV, and the Data Package that describes them.

The same marts give the same bytes: rows are sorted, one thread writes, and no clock stands in them.
`datapackage.json` follows the Data Package standard of the Frictionless project: a resource a mart, with its
columns, types, units, keys, hash, licences and sources.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tidemark import build, registry, warehouse
from tidemark.errors import TidemarkError
from tidemark.lineage import Model

PARQUET, CSV, PACKAGE = "parquet", "csv", "datapackage.json"
# What tells of the day on which it is asked. A file is asked on other days than it was written; the columns
# that this follows from are in it.
OF_THE_DAY = {"mart_source_freshness": ("state", "late_since")}

TYPES = {"VARCHAR": "string", "DATE": "date", "DOUBLE": "number", "BOOLEAN": "boolean"}
INTEGERS = ("INTEGER", "BIGINT")
# Units stand at the end of columns' names.
UNITS = {
    "_usd_bn": "USD billion",
    "_usd_per_fine_oz": "USD per fine troy ounce",
    "_fine_oz": "fine troy ounces",
    "tonnes": "tonnes",
    "_pct": "percent",
    "_ratio": "ratio",
    "_months": "months",
    "_years": "years",
    "_days": "days",
    "bytes": "bytes",
    "fine_oz": "fine troy ounces",
}


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    description: str

    @property
    def unit(self) -> str | None:
        """The unit that the name tells; None for what has none, or tells it in another column."""
        if self.type not in ("DOUBLE", *INTEGERS):
            return None
        return next((unit for suffix, unit in UNITS.items() if self.name.endswith(suffix)), None)


@dataclass(frozen=True)
class Mart:
    """A mart of a release, as it is exported.

    Attributes:
        rows: how many it has.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    rows: int
    key: tuple[str, ...]
    datasets: tuple[str, ...]

    @property
    def parquet(self) -> str:
        return f"{PARQUET}/{self.name}.parquet"

    @property
    def csv(self) -> str:
        return f"{CSV}/{self.name}.csv.gz"

    @property
    def select(self) -> str:
        shown = ", ".join(f'"{column.name}"' for column in self.columns)
        return f'select {shown} from {build.MARTS}."{self.name}"'


def marts(connection: duckdb.DuckDBPyConnection, models: dict[str, Model]) -> list[Mart]:
    """The marts of the release that `connection` has open, by name."""
    described = dict(
        connection.execute(
            "select table_name, comment from duckdb_tables() where database_name = current_database() "
            "and schema_name = $schema union all select view_name, comment from duckdb_views() "
            "where database_name = current_database() and schema_name = $schema",
            {"schema": build.MARTS},
        ).fetchall()
    )
    found = []
    for name in sorted(described):
        columns = tuple(
            Column(column, kind, comment)
            for column, kind, comment in connection.execute(
                "select column_name, data_type, comment from duckdb_columns() "
                "where database_name = current_database() and schema_name = ? and table_name = ? "
                "order by column_index",
                [build.MARTS, name],
            ).fetchall()
            if column not in OF_THE_DAY.get(name, ())
        )
        ((rows,),) = connection.execute(f'select count(*) from {build.MARTS}."{name}"').fetchall()
        model = models[name]
        found.append(Mart(name, described[name], columns, int(rows), model.key, model.datasets))
    return found


def write(connection: duckdb.DuckDBPyConnection, found: list[Mart], folder: Path) -> None:
    """Write `parquet/<mart>.parquet` and `csv/<mart>.csv.gz` below a folder.

    CSV: UTF-8, a header, commas, dates as YYYY-MM-DD, an empty field for NULL; compressed, since a table
    with all its vintages is ten times larger without.
    """
    (folder / PARQUET).mkdir()
    (folder / CSV).mkdir()
    # More than one thread may divide the rows otherwise the next time.
    connection.execute("set threads = 1")
    for mart in found:
        rows = f"{mart.select} order by all"
        connection.execute(
            f"copy ({rows}) to '{_quoted(folder / mart.parquet)}' (format parquet, compression zstd)"
        )
        plain = folder / CSV / f"{mart.name}.csv"
        connection.execute(f"copy ({rows}) to '{_quoted(plain)}' (format csv, header)")
        # Without a name and a time in its head, which would differ each time.
        packed = gzip.compress(plain.read_bytes(), compresslevel=6, mtime=0)
        (folder / mart.csv).write_bytes(packed)
        plain.unlink()
    connection.execute("reset threads")


def check(
    connection: duckdb.DuckDBPyConnection, found: list[Mart], folder: Path, tables: dict[str, dict[str, Any]]
) -> None:
    """Read every file back, and compare it with its mart.

    Args:
        tables: rows and hashes of the release's tables, as `release_file.tables` gives them.

    Raises:
        TidemarkError: a file does not hold what its mart holds.
    """
    for mart in found:
        table = tables.get(f"{build.MARTS}.{mart.name}")
        # A view has none.
        held = (table["rows"], table["sha256"]) if table else warehouse.contents(connection, mart.select)
        types = ", ".join(f"'{column.name}': '{column.type}'" for column in mart.columns)
        for read in (
            f"select * from read_parquet('{_quoted(folder / mart.parquet)}')",
            f"select * from read_csv('{_quoted(folder / mart.csv)}', header = true, quote = '\"', "
            f"allow_quoted_nulls = false, strict_mode = true, columns = {{{types}}})",
        ):
            if warehouse.contents(connection, read) != held:
                raise TidemarkError(f"{mart.name} reads back differently: {read}", "publish again")


def describe(found: list[Mart], folder: Path, release: str) -> None:
    """Write `datapackage.json`."""
    text = json.dumps(package(found, folder, release), indent=2, ensure_ascii=False) + "\n"
    (folder / PACKAGE).write_text(text, encoding="utf-8")


def package(found: list[Mart], folder: Path, release: str) -> dict[str, Any]:
    """The descriptor: https://specs.frictionlessdata.io/tabular-data-package/."""
    return {
        "profile": "tabular-data-package",
        "name": "tidemark",
        "id": release,
        "title": "Who holds US Treasuries, what changed, and what they hold instead",
        "description": "Every figure as first published and as it stands, from the publishers' own releases.",
        "version": release,
        "licenses": _licences(registry.sources().values()),
        "sources": [_source(source) for source in registry.sources().values()],
        "resources": [_resource(mart, folder) for mart in found],
    }


def described(folder: Path) -> list[Mart]:
    """The marts of a release, as its `datapackage.json` describes them; integers as the widest there are."""
    types = {kind: name for name, kind in TYPES.items()} | {"integer": "BIGINT"}
    content = json.loads((folder / PACKAGE).read_text("utf-8"))
    return [
        Mart(
            name=resource["name"],
            description=resource["description"],
            columns=tuple(
                Column(field["name"], types[field["type"]], field["description"])
                for field in resource["schema"]["fields"]
            ),
            rows=resource["rows"],
            key=tuple(resource["schema"].get("primaryKey", ())),
            datasets=tuple(resource["datasets"]),
        )
        for resource in content["resources"]
    ]


def _resource(mart: Mart, folder: Path) -> dict[str, Any]:
    content = (folder / mart.csv).read_bytes()
    sources = [registry.source(name) for name in dict.fromkeys(d.split("/")[0] for d in mart.datasets)]
    resource: dict[str, Any] = {
        "profile": "tabular-data-resource",
        "name": mart.name,
        "description": mart.description,
        "path": mart.csv,
        "format": "csv",
        "compression": "gz",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": "sha256:" + hashlib.sha256(content).hexdigest(),
        "rows": mart.rows,
        "parquet": mart.parquet,
        "datasets": list(mart.datasets),
        "schema": _schema(mart),
    }
    if sources:
        resource["licenses"] = _licences(sources)
        resource["sources"] = [_source(source) for source in sources]
    return resource


def _schema(mart: Mart) -> dict[str, Any]:
    schema: dict[str, Any] = {"fields": [_field(column) for column in mart.columns], "missingValues": [""]}
    if mart.key:
        schema["primaryKey"] = list(mart.key)
    return schema


def _field(column: Column) -> dict[str, Any]:
    kind = "integer" if column.type in INTEGERS else TYPES[column.type]
    field = {"name": column.name, "type": kind, "description": column.description}
    return field | ({"unit": column.unit} if column.unit else {})


def _source(source: registry.Source) -> dict[str, str]:
    return {"title": source.attribution, "path": source.homepage}


def _licences(sources: Any) -> list[dict[str, str]]:
    """Each licence once. One without an address of its own stands on its publisher's page."""
    said = {
        source.licence["name"]: {
            "title": source.licence["name"],
            "path": source.licence.get("url", source.homepage),
        }
        for source in sources
    }
    return list(said.values())


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
