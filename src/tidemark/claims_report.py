"""CLAIMS.md: the published statements, each with its verdict, the figures, the releases and the SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

FILE = "CLAIMS.md"
VERDICTS = ("confirmed", "confirmed_when_published", "refuted", "revised_unknown", "not_covered", "error")


def read(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The statements of `fct_claim_checks`, in the order in which they were written."""
    result = connection.execute(
        "select claims.*, documents.about, documents.language from marts.fct_claim_checks as claims "
        "left join seeds.claim_documents as documents on claims.document = documents.document "
        "order by claim_row"
    )
    columns = [column[0] for column in result.description or []]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def write(connection: duckdb.DuckDBPyConnection, folder: Path, name: str) -> None:
    """Write CLAIMS.md of the release that `connection` has open."""
    (folder / FILE).write_text(_page(read(connection), name), encoding="utf-8")


def _page(claims: list[dict[str, Any]], name: str) -> str:
    lines = [
        f"# {len(claims)} published statements, held against {name}",
        "",
        "What each verdict means: docs/claims.md. A statement is confirmed_when_published where it was right",
        "by the figures of its day, and a revision has moved them since.",
        "",
        "| verdict | statements |",
        "| --- | ---: |",
    ]
    for verdict in VERDICTS:
        if count := sum(claim["verdict"] == verdict for claim in claims):
            lines.append(f"| {verdict} | {count} |")
    lines.append("")
    for claim in claims:
        lines += _section(claim)
    return "\n".join(lines)


def _section(claim: dict[str, Any]) -> list[str]:
    said = claim["statement"] or f"{claim['series']} {claim['entity']} {claim['measure']}"
    lines = [
        f"## {claim['claim_id']}: {claim['verdict']}",
        "",
        f"*{said}*, written on {claim['published_on']}" + (f" ({claim['about']})" if claim["about"] else ""),
        "",
        f"* claimed: {claimed(claim)}",
    ]
    for label, key in (("as known on that day", "value_on_the_day"), ("as it stands", "value_today")):
        if claim[key] is not None:
            lines.append(f"* {label}: {claim[key]:,.12g}")
    for label, key in (
        ("found", "reason"),
        ("held against", "held_against"),
        ("releases of that day", "releases_on_the_day"),
        ("releases today", "releases_today"),
    ):
        if claim[key]:
            lines.append(f"* {label}: {claim[key]}")
    lines.append("")
    if claim["sql"]:
        lines += ["```sql", claim["sql"].strip(), "```", ""]
    return lines


def claimed(claim: dict[str, Any]) -> str:
    """The value a statement gives, with its comparator and unit."""
    return " ".join(
        str(part) for part in (claim["comparator"], claim["claimed_value"], claim["unit"]) if part
    )
