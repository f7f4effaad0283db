"""Three years of monthly TIC releases to come, rendered from published figures in the Treasury's own layouts.

A month of those years has the figures of the month a year before it, in all three tables. In the three
newest months each says 1.5 billion more of Japan, and less of the United Kingdom, than it does later:
so there are revisions, and it is known which.
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
JAPAN, UNITED_KINGDOM = "42609", "13005"
FIRST, LAST = "2026-05", "2029-04"
# Up to here the history is as published; of later years Table 3 of June 2026 has other vintages.
PUBLISHED_HISTORY = "2023-12"
REVISED_MONTHS, REVISED_BY = 3, {JAPAN: 1.5, UNITED_KINGDOM: -1.5}


@dataclass(frozen=True)
class Publication:
    """What the Treasury serves from a day on, by dataset."""

    day: date
    newest_month: str
    files: dict[str, bytes]


def publications() -> list[Publication]:
    """A publication a month, oldest first: on the announced day, or else on the 16th.

    They go on from the releases of 2026-06-18; that of 2026-09-16 says otherwise of the same months.
    """
    return [_publication(month) for month in sorted(_stands()) if FIRST <= month <= LAST]


def _publication(newest: str) -> Publication:
    year, month = int(newest[:4]) + (int(newest[5:]) > 10), (int(newest[5:]) + 1) % 12 + 1
    calendar = registry.source("tic").release_calendar["dates"]
    announced = [day for day in calendar if (day.year, day.month) == (year, month)]
    day = announced[0] if announced else date(year, month, 16)
    last_full_year = day.year - 1 if day.month >= 3 else day.year - 2
    return Publication(
        day,
        newest,
        {
            "tic/mfhhis01": _rendered(tic.history, day, _history(newest, last_full_year)),
            "tic/slt_table3": _rendered(tic.table3, day, _table3(newest)),
            "tic/slt_table5": _rendered(tic.table5, day, _table5(newest)),
        },
    )


def _rendered(layout: Callable[[str], Any], day: date, rows: list[dict[str, str]]) -> bytes:
    """A layout of the bundled files, filled with these figures instead of those in a file."""
    before, tic.read = tic.read, lambda _name: rows
    try:
        data: bytes = layout(day.isoformat()).data
    finally:
        tic.read = before
    return data


# --- figures ---------------------------------------------------------------------------------------------


@cache
def _continued() -> list[dict[str, str]]:
    """Table 3 as published, and beyond it the months of the year before, again and again."""
    rows = list(read(TABLE3_FIGURES))
    while (newest := max(row["month"] for row in rows)) < LAST:
        later = [{**row, "month": f"{int(row['month'][:4]) + 1}{row['month'][4:]}"} for row in rows]
        later = [row for row in later if newest < row["month"] <= LAST]
        _join(rows, later, newest)
        rows += later
    return rows


def _join(rows: list[dict[str, str]], later: list[dict[str, str]], newest: str) -> None:
    """Where a continuation begins, the step from the month before it is a change of price, or of short-term
    holdings; so the laws of the table hold.
    """
    stood = {row["country_code"]: row for row in rows if row["month"] == newest}
    first = min((row["month"] for row in later), default="")
    for row in later:
        before = stood.get(row["country_code"])
        if row["month"] != first or before is None:
            continue
        if row["net_st_usd_bn"] and before["holdings_st_usd_bn"]:
            net = round(float(row["holdings_st_usd_bn"]) - float(before["holdings_st_usd_bn"]), 3)
            row["net_st_usd_bn"] = f"{net:.3f}"
            if row["net_total_usd_bn"]:
                row["net_total_usd_bn"] = f"{net + float(row['net_lt_usd_bn']):.3f}"
        if row["valuation_lt_usd_bn"] and before["holdings_lt_usd_bn"]:
            step = float(row["holdings_lt_usd_bn"]) - float(before["holdings_lt_usd_bn"])
            row["valuation_lt_usd_bn"] = f"{step - float(row['net_lt_usd_bn']):.3f}"


@cache
def _stands() -> dict[str, dict[str, tuple[float, float, float]]]:
    """Total, long-term and short-term holdings, USD bn, by month and code; of those that have all three."""
    figures: dict[str, dict[str, tuple[float, float, float]]] = {}
    for row in _continued():
        said = [row[f"holdings_{kind}_usd_bn"] for kind in ("total", "lt", "st")]
        if all(said):
            total, long_term, short_term = map(float, said)
            figures.setdefault(row["month"], {})[row["country_code"]] = (total, long_term, short_term)
    return figures


def _too_much(code: str, month: str, newest: str) -> float:
    """What a publication says too much of a country, USD bn."""
    months = [m for m in sorted(_stands()) if m <= newest][-REVISED_MONTHS:]
    return REVISED_BY.get(code, 0.0) if month in months and month >= FIRST else 0.0


def table5_of(today: date) -> bytes:
    """Table 5 as it might be served today: as last published, and the months since then as a year before."""
    rows = read("tic/slt_table5_2026-09-16.csv")
    newest = max(row["month"] for row in rows)
    due = f"{today.year - (today.month < 3)}-{(today.month + 9) % 12 + 1:02d}"
    while newest < due:
        year, month = divmod(int(newest[:4]) * 12 + int(newest[5:]), 12)
        newest = f"{year}-{month + 1:02d}"
        before = f"{year - 1}-{month + 1:02d}"
        rows += [{**row, "month": newest} for row in rows if row["month"] == before]
    months = sorted({row["month"] for row in rows})[-13:]
    return _rendered(tic.table5, today, [row for row in rows if row["month"] in months])


def _total(code: str, month: str, newest: str) -> float:
    return round(_stands()[month][code][0] + _too_much(code, month, newest), 1)


# --- tables ----------------------------------------------------------------------------------------------


def _table3(newest: str) -> list[dict[str, str]]:
    rows = []
    for row in _continued():
        if row["month"] > newest:
            continue
        more = _too_much(row["country_code"], row["month"], newest)
        if more:
            kinds = ("holdings_total_usd_bn", "holdings_lt_usd_bn")
            row = {**row, **{kind: f"{float(row[kind]) + more:.3f}" for kind in kinds}}
        rows.append(row)
    return rows


def _table5(newest: str) -> list[dict[str, str]]:
    """Table 5 with its thirteen months: the twenty largest holders of the newest month."""
    months = [month for month in sorted(_stands()) if month <= newest][-13:]
    names = _names("slt_table5")
    countries = [code for code in _stands()[newest] if code in names]
    largest = sorted(countries, key=lambda code: -_total(code, newest, newest))[:20]
    return [
        row
        for month in months
        for row in _month(month, newest, {c: names[c] for c in largest}, tic.TABLE5_TAIL)
    ]


def _history(newest: str, last_full_year: int) -> list[dict[str, str]]:
    """The history as published, and beyond it a block a full year, of the holders that its last one names."""
    published = [row for row in read(HISTORY_FIGURES) if row["month"] <= PUBLISHED_HISTORY]
    named = {row["country_label"] for row in read(HISTORY_FIGURES) if row["month"] == "2025-12"}
    names = {code: label for code, label in _names("mfhhis01").items() if label in named}
    tail = [*tic.HISTORY_TAIL, *tic.HISTORY_OFFICIAL]
    months = [month for month in sorted(_stands()) if PUBLISHED_HISTORY < month <= f"{last_full_year}-12"]
    return [*published, *(row for month in months for row in _month(month, newest, names, tail))]


def _month(month: str, newest: str, names: dict[str, str], tail: list[str]) -> list[dict[str, str]]:
    """The figures of a month in a table that names some holders and has a tail of five totals."""
    said = {name: _total(code, month, newest) for code, name in names.items()}
    total = round(_stands()[month][GRAND_TOTAL][0], 1)
    others = round(total - sum(said.values()), 1)
    official, long_term, short_term = (round(figure, 1) for figure in _stands()[month][OFFICIAL])
    totals = dict(zip(tail, (others, total, official, short_term, long_term), strict=True))
    return [
        {"country_label": label, "month": month, "series": "", "holdings_usd_bn": f"{figure:.1f}"}
        for label, figure in {**said, **totals}.items()
    ]


@cache
def _names(dataset: str) -> dict[str, str]:
    """How a table names the countries of Table 3, by their codes there."""
    with (project_root() / "dbt_project" / "seeds" / "holder_aliases.csv").open(encoding="utf-8") as seed:
        aliases = list(csv.DictReader(seed))
    # The history has had several names for a holder: the one that its newest block uses is meant.
    in_use = {row["country_label"] for row in read(HISTORY_FIGURES) if row["month"] == "2025-12"}
    names = {
        row["holder_id"]: row["label"]
        for row in aliases
        if row["dataset"] == dataset and (dataset != "mfhhis01" or row["label"] in in_use)
    }
    return {
        row["code"]: names[row["holder_id"]]
        for row in aliases
        if row["dataset"] == "slt_table3"
        and row["code"] not in tic.TABLE3_LAST
        and row["holder_id"] in names
        and all(row["code"] in figures for month, figures in _stands().items() if month > "2023-12")
    }
