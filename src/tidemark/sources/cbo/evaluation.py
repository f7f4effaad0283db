"""CBO's evaluation of its projections: `baselines.csv`, `actuals.csv`, `actual_GDP.csv`."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tidemark import corrections
from tidemark.errors import TruncatedFileError, WrongLayoutError
from tidemark.reading import (
    NOT_QUOTED,
    NOT_QUOTED_MARK,
    SourceFile,
    by_column,
    iso_day,
    observations,
    read_each_once,
    read_figures,
)
from tidemark.registry import Dataset
from tidemark.sources import Parsed
from tidemark.sources.cbo.common import (
    FETCH_AGAIN,
    FIRST_LINE,
    Identity,
    Years,
    closing_gaps,
    columns_of,
    expect_every,
    figure_of,
    fiscal_year,
    fiscal_year_end,
    fiscal_year_of,
    out_of_scale,
    rows_of,
)

OUTLAYS, REVENUES, DEFICIT, DEBT = (
    "outlay/Total/Total",
    "revenue/Total/Total",
    "deficit/Total/Total",
    "debt/Total/Total",
)
NET_INTEREST = "outlay/Net Interest/Net Interest"
DISCRETIONARY = "outlay/Discretionary/Total Discretionary"
DEFENSE = "outlay/Discretionary/Defense Discretionary"
NONDEFENSE = "outlay/Discretionary/Nondefense Discretionary"
MANDATORY = "outlay/Mandatory/Total Mandatory"
FANNIE_FREDDIE = "outlay/Mandatory/Fannie Freddie"
# Since then every baseline has revenues beside outlays.
REVENUES_SINCE = "2001-01-01"
# Published in the years of the Administration's plan and the Court's decision alone.
STUDENT_LOANS = "outlay/Mandatory/Student Loan Foregiveness"
# What share of `budget_scale` each series may be: what it was in 1982 to 2036, and about three times as far.
SCALE = {
    DEBT: (0.1, 15.0),
    DEFICIT: (-3.0, 1.5),
    DEFENSE: (0.04, 0.8),
    NONDEFENSE: (0.04, 0.8),
    DISCRETIONARY: (0.08, 1.6),
    FANNIE_FREDDIE: (-0.15, 0.4),
    "outlay/Mandatory/Medicaid": (0.02, 0.4),
    "outlay/Mandatory/Medicare": (0.03, 0.7),
    "outlay/Mandatory/Other Mandatory": (0.03, 1.7),
    "outlay/Mandatory/Social Security": (0.08, 0.9),
    STUDENT_LOANS: (-0.25, 0.25),
    MANDATORY: (0.2, 3.3),
    NET_INTEREST: (-0.12, 0.7),
    OUTLAYS: (0.3, 4.7),
    "revenue/Corporate Income Taxes/Corporate Income Taxes": (0.009, 0.5),
    "revenue/Customs Duties/Customs Duties": (0.002, 0.22),
    "revenue/Estate and Gift Taxes/Estate and Gift Taxes": (0.0, 0.08),
    "revenue/Excise Taxes/Excise Taxes": (0.003, 0.2),
    "revenue/Individual Income Taxes/Individual Income Taxes": (0.11, 2.0),
    "revenue/Miscellaneous Receipts/Miscellaneous Receipts": (0.002, 0.16),
    "revenue/Payroll Taxes/Payroll Taxes": (0.08, 1.4),
    REVENUES: (0.24, 4.0),
}
IDENTITIES = (
    Identity(DISCRETIONARY, (DEFENSE, NONDEFENSE)),
    Identity(
        MANDATORY,
        (
            "outlay/Mandatory/Medicaid",
            "outlay/Mandatory/Medicare",
            "outlay/Mandatory/Other Mandatory",
            "outlay/Mandatory/Social Security",
        ),
    ),
    Identity(OUTLAYS, (DISCRETIONARY, MANDATORY, NET_INTEREST)),
    Identity(DEFICIT, (REVENUES, f"-{OUTLAYS}")),
)
REVENUE_IDENTITY = Identity(
    REVENUES, tuple(label for label in SCALE if label.startswith("revenue") and label != REVENUES)
)
CLASSES = ("component", "category", "subcategory")
BASELINES_HEADER = (
    "component,category,subcategory,baseline_date,Spring_flag,Winter_flag,"
    "projected_fiscal_year,projected_year_number,value"
)
ACTUALS_HEADER = "component,category,subcategory,fiscal_year,actual_value"


def parse_baselines(file: SourceFile) -> Parsed:
    """Every projection of every baseline since 1982, USD bn: a row a series, baseline and fiscal year."""

    def month(row: int, text: str) -> date:
        day = iso_day(file, FIRST_LINE + row, text)
        if day.day != 1:
            raise WrongLayoutError(
                file.name,
                FIRST_LINE + row,
                f"{day} is no month: baselines are dated on its first day",
                FETCH_AGAIN,
            )
        return day

    # By column, since it has about 11,000 rows; a line is looked at only to name an error.
    table = columns_of(file, BASELINES_HEADER)
    label = pc.binary_join_element_wise(*(table[name] for name in CLASSES), "/")
    labels, label_of = read_each_once(label, lambda _, text: text)
    months, month_of = read_each_once(table["baseline_date"], month)
    years, year_of = read_each_once(
        table["projected_fiscal_year"], lambda row, text: fiscal_year(file, FIRST_LINE + row, text)
    )
    year = np.array(years)[year_of]
    series = Years(file)
    pairs, pair_of = np.unique(label_of * len(months) + month_of, return_inverse=True)
    names = [(labels[pair // len(months)], str(months[pair % len(months)])) for pair in pairs]
    series.add_all(names, pair_of, year)
    first_year = np.array([fiscal_year_of(baseline) for baseline in months])[month_of]
    _expect_numbers(file, table["projected_year_number"], year, year - first_year + 1, table["baseline_date"])
    _expect_flags(file, table, months, month_of)
    values, statuses = read_figures(
        file,
        table["value"],
        lambda row: FIRST_LINE + row,
        lambda row: f"{label[row]}, {year[row]}, baseline of {months[month_of[row]]:%Y-%m}",
        {NOT_QUOTED_MARK: NOT_QUOTED},
    )
    expect_every(file, set(SCALE) - {STUDENT_LOANS}, labels, "the series")
    quoted = set(label.filter(pc.not_equal(statuses, NOT_QUOTED)).unique().to_pylist())
    _expect_whole_baselines(file, quoted, series)
    ends = pa.array([fiscal_year_end(one) for one in years], pa.date32())
    columns = {
        "label": label,
        "baseline_date": table["baseline_date"],
        "period_end": ends.take(pa.array(year_of)),
        "measure": "projection",
        "value": values,
        "status": statuses,
        "unit": "usd_bn",
        "line": pa.array(np.arange(FIRST_LINE, FIRST_LINE + len(label), dtype="int32")),
    }
    return Parsed(by_column(columns, ["label", "baseline_date"]))


def _expect_numbers(
    file: SourceFile,
    numbers: pa.Array,
    year: np.ndarray[Any, Any],
    due: np.ndarray[Any, Any],
    baseline: pa.Array,
) -> None:
    row = pc.index(pc.equal(numbers, pa.array(due).cast(pa.string())), False).as_py()
    if row >= 0:
        raise WrongLayoutError(
            file.name,
            FIRST_LINE + row,
            f"{year[row]} is year {numbers[row].as_py()[:20]!r} of the baseline of {str(baseline[row])[:7]}, "
            f"where {due[row]} is due: years are counted from the one in which it was published",
            FETCH_AGAIN,
        )


def _expect_flags(
    file: SourceFile, table: dict[str, pa.Array], months: list[date], month_of: np.ndarray[Any, Any]
) -> None:
    """The flags of each component and baseline, wherever they are first as they are."""

    def read(name: str) -> np.ndarray[Any, Any]:
        def flag(row: int, text: str) -> bool:
            if text not in ("True", "False"):
                raise WrongLayoutError(
                    file.name,
                    FIRST_LINE + row,
                    f"{name} is {text[:20]!r}, neither True nor False",
                    FETCH_AGAIN,
                )
            return text == "True"

        flags, which = read_each_once(table[name], flag)
        found: np.ndarray[Any, Any] = np.array(flags)[which]
        return found

    components, component_of = read_each_once(table["component"], lambda _, text: text)
    spring, winter = read("Spring_flag"), read("Winter_flag")
    _, first = np.unique(
        ((component_of * len(months) + month_of) * 2 + spring) * 2 + winter, return_index=True
    )
    flags = _Flags(file)
    for row in sorted(first):
        component, baseline = components[component_of[row]], months[month_of[row]]
        flags.add(FIRST_LINE + int(row), component, baseline, bool(spring[row]), bool(winter[row]))
    flags.expect_right()


class _Flags:
    """Winter marks a year's first baseline of revenues; Spring one a year and component at the most."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.of: dict[tuple[str, date], tuple[bool, bool, int]] = {}

    def add(self, line: int, component: str, baseline: date, spring: bool, winter: bool) -> None:
        first = self.of.setdefault((component, baseline), (spring, winter, line))
        if first[:2] != (spring, winter):
            raise WrongLayoutError(
                self.file.name,
                line,
                f"the flags of {component}, {baseline:%Y-%m} are not those of line {first[2]}",
                FETCH_AGAIN,
            )

    def expect_right(self) -> None:
        springs: set[tuple[str, int]] = set()
        first_of_year: dict[int, date] = {}
        for component, baseline in sorted(self.of):
            if component == "revenue":
                first_of_year.setdefault(baseline.year, baseline)
        for (component, baseline), (spring, winter, line) in sorted(self.of.items()):
            is_first = component == "revenue" and first_of_year[baseline.year] == baseline
            if winter != is_first:
                raise WrongLayoutError(
                    self.file.name,
                    line,
                    f"Winter_flag of {component}, {baseline:%Y-%m} is {winter}; it marks the first baseline "
                    "of revenues in a year",
                    FETCH_AGAIN,
                )
            if spring and (component, baseline.year) in springs:
                raise WrongLayoutError(
                    self.file.name,
                    line,
                    f"{component} has two Spring baselines in {baseline.year}",
                    FETCH_AGAIN,
                )
            if spring:
                springs.add((component, baseline.year))


def _expect_whole_baselines(file: SourceFile, quoted: Set[str], years: Years) -> None:
    """A baseline of total outlays has the deficit for the same years, and every series of outlays that has
    begun; since 2001 also revenues to the same end, which may begin a year or two before.
    """
    first = {DEFICIT: "", REVENUES: REVENUES_SINCE}
    for label, baseline in years.of:
        if label in quoted and label.startswith("outlay/") and label != FANNIE_FREDDIE:
            first[label] = min(first.get(label, baseline), baseline)
    for (total, baseline), due in years.of.items():
        if total != OUTLAYS:
            continue
        for label, since in first.items():
            found = years.of.get((label, baseline), [])
            if baseline >= since and (found[-len(due) :] if label == REVENUES else found) != due:
                raise TruncatedFileError(
                    file.name,
                    None,
                    f"{label} of the baseline of {baseline} does not have the years of total outlays, "
                    f"{due[0]} to {due[-1]}",
                    FETCH_AGAIN,
                )


def parse_actuals(file: SourceFile) -> Parsed:
    """What was spent and raised in each finished fiscal year, USD bn, without Fannie Mae and the like."""
    rows: list[tuple[object, ...]] = []
    years = Years(file)
    for line, row in rows_of(file, ACTUALS_HEADER):
        label = "/".join(row[name] for name in CLASSES)
        year = fiscal_year(file, line, row["fiscal_year"])
        years.add(line, (label,), year)
        figure = figure_of(file, line, row["actual_value"], f"{label}, {year}")
        rows.append((label, fiscal_year_end(year), "actual", *figure, line))
    # Once, revenues were a year ahead of the others, which end together.
    expect_every(file, set(SCALE) - {STUDENT_LOANS}, (label for (label,) in years.of), "the series")
    for (label,), found in years.of.items():
        of_all = max(
            series[-1] for (other,), series in years.of.items() if other.split("/")[0] == label.split("/")[0]
        )
        if found[-1] < of_all and label != STUDENT_LOANS:
            raise TruncatedFileError(
                file.name, None, f"{label} ends with {found[-1]}, others with {of_all}", FETCH_AGAIN
            )
    return Parsed(observations(rows, ["label"], "usd_bn"))


def check_baselines(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Adds `closing_gap`, `revenue_gap` and `out_of_scale`.

    A gap that a correction knows as published so is taken off.
    """
    frame = check_actuals(dataset, frame, ["baseline_date"])
    for (_, (label, baseline_date), _, end), known in corrections.known_gaps(dataset, frame).items():
        here = (
            (frame["label"] == label)
            & (frame["baseline_date"] == baseline_date)
            & (frame["period_end"] == end)
        )
        frame.loc[here, "closing_gap"] = (frame.loc[here, "closing_gap"] - known).round(5)
    return frame


def check_actuals(_: Dataset, frame: pd.DataFrame, key: Sequence[str] = ()) -> pd.DataFrame:
    """Adds `closing_gap`, `revenue_gap` (parts less their total) and `out_of_scale`."""
    return frame.assign(
        closing_gap=closing_gaps(frame, key, IDENTITIES),
        revenue_gap=closing_gaps(frame, key, [REVENUE_IDENTITY]),
        out_of_scale=out_of_scale(frame, SCALE),
    )


def parse_actual_gdp(file: SourceFile) -> Parsed:
    """`fiscal_year,GDP`: nominal GDP of each fiscal year since 1982, USD bn."""
    rows: list[tuple[object, ...]] = []
    years = Years(file)
    for line, row in rows_of(file, "fiscal_year,GDP"):
        year = fiscal_year(file, line, row["fiscal_year"])
        if not years.of and year != 1982:
            raise TruncatedFileError(
                file.name, line, f"the file begins with {year}, not with 1982", FETCH_AGAIN
            )
        years.add(line, ("GDP",), year)
        figure = figure_of(file, line, row["GDP"], f"GDP, {year}")
        rows.append(("GDP", fiscal_year_end(year), "gdp", *figure, line))
    return Parsed(observations(rows, ["label"], "usd_bn"))
