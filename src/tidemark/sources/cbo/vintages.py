"""CBO's files of one vintage each, `date,variable,value`: the ten-year budget and GDP."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from tidemark.errors import DuplicateCellError, TruncatedFileError, UnknownLabelError, WrongLayoutError
from tidemark.reading import SourceFile, observations
from tidemark.registry import Dataset
from tidemark.sources import Parsed
from tidemark.sources.cbo.common import (
    FETCH_AGAIN,
    RENAMED,
    Identity,
    Years,
    budget_scale,
    closing_gaps,
    expect_every,
    figure_of,
    fiscal_year,
    fiscal_year_end,
    out_of_scale,
    rows_of,
)
from tidemark.sources.cbo.evaluation import (
    DEBT,
    DEFENSE,
    DEFICIT,
    DISCRETIONARY,
    MANDATORY,
    NONDEFENSE,
    OUTLAYS,
    REVENUES,
    SCALE,
)

VINTAGE_HEADER = "date,variable,value"
# Economic files tell in a fourth column which years are estimated; it is checked, and says nothing more than
# the release date does.
FLAGGED_HEADER = f"{VINTAGE_HEADER},estimate_type"
# What the ten-year file calls each component, in any vintage. Where only outlays adjusted for shifts in
# timing are published (January 2025), they are a component of their own: payments that fall on a weekend move
# from one fiscal year to the other.
TEN_YEAR = {
    "revenues_total": ("proj_rev_total",),
    "outlays_total": ("proj_outlays_total",),
    "mandatory_total": ("proj_outlays_mandatory",),
    "discretionary_total": ("proj_outlays_discretionary",),
    "net_interest": ("proj_outlays_net_interest",),
    "deficit_total": ("proj_deficit_total",),
    "debt_held_by_public": ("proj_debt_held_by_public_end",),
    "defense_discretionary": ("proj_disc_defense", "proj_disc_defense_outlays_timing_adj"),
    "nondefense_discretionary": ("proj_disc_nondefense", "proj_disc_nondefense_outlays_timing_adj"),
}
TEN_YEAR_IDENTITIES = (
    Identity("proj_outlays_discretionary", ("proj_disc_defense", "proj_disc_nondefense")),
    Identity(
        "proj_outlays_total",
        ("proj_outlays_mandatory", "proj_outlays_discretionary", "proj_outlays_net_interest"),
    ),
    Identity("proj_deficit_total", ("proj_rev_total", "-proj_outlays_total")),
)
TEN_YEAR_SCALE = {
    "proj_rev_total": SCALE[REVENUES],
    "proj_outlays_total": SCALE[OUTLAYS],
    "proj_outlays_mandatory": SCALE[MANDATORY],
    "proj_outlays_discretionary": SCALE[DISCRETIONARY],
    # It has not been negative in a ten-year file, so it may be held to a least share too.
    "proj_outlays_net_interest": (0.03, 0.9),
    "proj_deficit_total": SCALE[DEFICIT],
    "proj_debt_held_by_public_end": SCALE[DEBT],
    "proj_disc_defense": SCALE[DEFENSE],
    "proj_disc_nondefense": SCALE[NONDEFENSE],
    "proj_disc_defense_outlays_timing_adj": SCALE[DEFENSE],
    "proj_disc_nondefense_outlays_timing_adj": SCALE[NONDEFENSE],
}


def _vintage(
    file: SourceFile, wanted: Iterable[str], prefix: str, measure: str, *headers: str
) -> list[tuple[object, ...]]:
    """The rows of the wanted variables, which all run over the same years.

    A file holds hundreds of variables. The others are held to the same form, and left aside.
    """
    wanted = frozenset(wanted)
    rows: list[tuple[object, ...]] = []
    years = Years(file)
    seen: dict[tuple[str, int], int] = {}
    for line, row in rows_of(file, *headers):
        year = fiscal_year(file, line, row["date"], prefix)
        variable = row["variable"]
        if not re.fullmatch(r"[a-z][a-z0-9_]*", variable):
            raise UnknownLabelError(
                file.name, line, f"{variable[:60]!r} is no name of a variable as CBO writes them", FETCH_AGAIN
            )
        if row.get("estimate_type", "actual") not in ("actual", "projected"):
            raise WrongLayoutError(
                file.name,
                line,
                f"estimate_type is {row['estimate_type'][:20]!r}, neither actual nor projected",
                FETCH_AGAIN,
            )
        if (variable, year) in seen:
            raise DuplicateCellError(
                file.name,
                line,
                f"{variable}, {year} stands a second time, first in line {seen[variable, year]}",
                FETCH_AGAIN,
            )
        seen[variable, year] = line
        if variable in wanted:
            years.add(line, (variable,), year)
            figure = figure_of(file, line, row["value"], f"{variable}, {year}")
            rows.append((variable, fiscal_year_end(year), measure, *figure, line))
    spans = {variable: (found[0], found[-1]) for (variable,), found in years.of.items()}
    for variable, span in spans.items():
        if span != (all_years := max(spans.values(), key=lambda s: s[1] - s[0])):
            raise TruncatedFileError(
                file.name,
                None,
                f"{variable} runs from {span[0]} to {span[1]}, others from {all_years[0]} to {all_years[1]}",
                FETCH_AGAIN,
            )
    return rows


def parse_ten_year_budget(file: SourceFile) -> Parsed:
    """`FY2026,proj_outlays_net_interest,1038.976`: a year that is over and the eleven after it, USD bn."""
    names = [name for known in TEN_YEAR.values() for name in known]
    rows = _vintage(file, names, "FY", "projection", VINTAGE_HEADER)
    found = {row[0] for row in rows}
    for component, known in TEN_YEAR.items():
        if found.isdisjoint(known):
            raise UnknownLabelError(
                file.name,
                None,
                f"no variable of the file is {component}, known as {' or '.join(known)}",
                f"is this another file of CBO's? {RENAMED}",
            )
    return Parsed(observations(rows, ["label"], "usd_bn"))


def check_ten_year_budget(_: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Adds `closing_gap` (parts less their total) and `out_of_scale`."""
    return frame.assign(
        closing_gap=closing_gaps(frame, [], TEN_YEAR_IDENTITIES),
        out_of_scale=out_of_scale(frame, TEN_YEAR_SCALE),
    )


def _gdp_of(file: SourceFile, variable: str, prefix: str, unit: str, *headers: str) -> Parsed:
    rows = _vintage(file, [variable], prefix, "gdp", *headers)
    expect_every(file, [variable], {str(row[0]) for row in rows}, "the variable")
    return Parsed(observations(rows, ["label"], unit))


def parse_economic_projections(file: SourceFile) -> Parsed:
    """`2026,gdp,31902.0`: nominal GDP of each fiscal year, the first of them over, USD bn."""
    return _gdp_of(file, "gdp", "", "usd_bn", VINTAGE_HEADER, FLAGGED_HEADER)


def parse_long_term_budget(file: SourceFile) -> Parsed:
    """`FY2053,lt_gdp_trillions,86.254`: nominal GDP of each fiscal year for thirty years, USD trillion."""
    return _gdp_of(file, "lt_gdp_trillions", "FY", "usd_trn", VINTAGE_HEADER)


def check_gdp(_: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Adds `growth`, the figure as a ratio of the year before, and `out_of_scale`."""
    per_bn = 1000 if set(frame["unit"]) == {"usd_trn"} else 1
    by_year = frame.set_index("period_end")["value"]
    year_before = (frame["period_end"] - pd.DateOffset(years=1)).map(by_year)
    share = frame["value"] * per_bn / budget_scale(frame["period_end"].dt.year)
    return frame.assign(
        growth=frame["value"] / year_before, out_of_scale=frame["value"].where((share < 1.5) | (share > 15))
    )
