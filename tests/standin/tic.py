"""Three years of monthly TIC releases to come, rendered from published figures in the Treasury's own layouts.

A month of those years has the figures of the month three years before it. In the three newest months Table 5
says 1.5 billion more of Japan, and less of All Other, than it does later: so there are revisions, and it is
known which.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from tidemark import registry
from tidemark.settings import project_root

sys.path.insert(0, str(project_root() / "snapshot"))
from layouts import read, tic

TABLE3_FIGURES = "tic/slt_table3_2026-06-18.csv"
HISTORY_FIGURES = "tic/mfhhis01_2026-03-18.csv"
GRAND_TOTAL, OFFICIAL = "99996", "99990"
FIRST, LAST = "2026-05", "2029-04"
REVISED_MONTHS, REVISED_BY = 3, 1.5


@dataclass(frozen=True)
class Publication:
    """What the Treasury serves from a day on, by dataset."""

    day: date
    newest_month: str
    files: dict[str, bytes]


def publications() -> list[Publication]:
    """A publication a month, oldest first: on the 16th, two months after the newest figures."""
    return [_publication(month) for month in sorted(_table3()) if FIRST <= month <= LAST]


def first_print_differs(month: str, newest_month: str) -> bool:
    """Whether a month's figures of Japan in Table 5 are not yet those that stand in the end."""
    months = [m for m in sorted(_table3()) if m <= newest_month]
    return month in months[-REVISED_MONTHS:]


def _publication(newest: str) -> Publication:
    year, month = int(newest[:4]) + (int(newest[5:]) + 2 > 12), (int(newest[5:]) + 1) % 12 + 1
    announced = [
        day
        for day in registry.source("tic").release_calendar["dates"]
        if (day.year, day.month) == (year, month)
    ]
    day = announced[0] if announced else date(year, month, 16)
    last_full_year = str(day.year - 1 if day.month >= 3 else day.year - 2)
    history = [row for row in _continued(HISTORY_FIGURES) if row["month"][:4] <= last_full_year]
    table3 = [row for row in _continued(TABLE3_FIGURES) if row["month"] <= newest]
    files = {
        "tic/mfhhis01": _rendered(tic.history, day, history),
        "tic/slt_table3": _rendered(tic.table3, day, table3),
        "tic/slt_table5": _rendered(tic.table5, day, _table5(newest)),
    }
    return Publication(day, newest, files)


@cache
def _continued(figures: str) -> list[dict[str, str]]:
    """Published figures, and beyond them those of three years before, month by month."""
    rows = read(figures)
    newest = max(row["month"] for row in rows)
    later = [{**row, "month": f"{int(row['month'][:4]) + 3}{row['month'][4:]}"} for row in rows]
    later = [row for row in later if newest < row["month"] <= LAST]
    if "net_st_usd_bn" in rows[0]:
        _join(rows, [row for row in later if row["month"] == FIRST])
    return [*rows, *later]


def _join(rows: list[dict[str, str]], first: list[dict[str, str]]) -> None:
    """Where the continuation begins, short-term net sales are the change from the last published month."""
    newest = max(row["month"] for row in rows)
    stood = {row["country_code"]: row["holdings_st_usd_bn"] for row in rows if row["month"] == newest}
    for row in first:
        if row["net_st_usd_bn"] and stood.get(row["country_code"]):
            net = round(float(row["holdings_st_usd_bn"]) - float(stood[row["country_code"]]), 3)
            row["net_st_usd_bn"] = f"{net:.3f}"
            if row["net_total_usd_bn"]:
                row["net_total_usd_bn"] = f"{net + float(row['net_lt_usd_bn']):.3f}"


def _rendered(layout: Callable[[str], Any], day: date, rows: list[dict[str, str]]) -> bytes:
    """A layout of the bundled files, filled with these figures instead of those in a file."""
    before, tic.read = tic.read, lambda _name: rows
    try:
        data: bytes = layout(day.isoformat()).data
    finally:
        tic.read = before
    return data


def _table5(newest: str) -> list[dict[str, str]]:
    """The figures of Table 5 with its thirteen months: the twenty largest holders of the newest month."""
    months = [month for month in sorted(_table3()) if month <= newest][-13:]
    names = _table5_names()
    countries = [code for code in _table3()[newest] if code in names]
    largest = sorted(countries, key=lambda code: -_table3()[newest][code][0])[:20]
    rows = []
    for month in months:
        figures = _table3()[month]
        said = {names[code]: round(figures[code][0], 1) for code in largest}
        total = round(figures[GRAND_TOTAL][0], 1)
        if first_print_differs(month, newest):
            said["Japan"] = round(said["Japan"] + REVISED_BY, 1)
        others = round(total - sum(said.values()), 1)
        official, long_term, short_term = (round(figure, 1) for figure in figures[OFFICIAL])
        tail = dict(zip(tic.TABLE5_TAIL, (others, total, official, short_term, long_term), strict=True))
        rows += [
            {"country_label": label, "month": month, "holdings_usd_bn": f"{figure:.1f}"}
            for label, figure in {**said, **tail}.items()
        ]
    return rows


@cache
def _table3() -> dict[str, dict[str, tuple[float, float, float]]]:
    """Total, long-term and short-term holdings, USD bn, by month and code; of those that have all three."""
    figures: dict[str, dict[str, tuple[float, float, float]]] = {}
    for row in _continued(TABLE3_FIGURES):
        said = [row[f"holdings_{kind}_usd_bn"] for kind in ("total", "lt", "st")]
        if all(said):
            total, long_term, short_term = map(float, said)
            figures.setdefault(row["month"], {})[row["country_code"]] = (total, long_term, short_term)
    return figures


@cache
def _table5_names() -> dict[str, str]:
    """How Table 5 names the countries of Table 3, by their codes there."""
    with (project_root() / "dbt_project" / "seeds" / "holder_aliases.csv").open(encoding="utf-8") as seed:
        aliases = list(csv.DictReader(seed))
    table5 = {
        row["holder_id"]: row["label"]
        for row in aliases
        if row["dataset"] == "slt_table5" and row["label"] not in tic.TABLE5_TAIL
    }
    return {
        row["code"]: table5[row["holder_id"]]
        for row in aliases
        if row["dataset"] == "slt_table3" and row["holder_id"] in table5
    }
