"""The Congressional Budget Office: its evaluation's tables, files of one vintage each, and the workbook.

The figures' vintages name months where CBO published an outlook; here they bear the day of that outlook.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from layouts import NOT_QUOTED, Rendered, read, workbook

EVALUATION = "https://raw.githubusercontent.com/US-CBO/eval-projections/main/input_data"
DATA = "https://raw.githubusercontent.com/US-CBO/cbo-data/main/data"
WORKBOOK = "https://www.cbo.gov/system/files/2025-01/51134-2025-01-Historical-Budget-Data.xlsx"
PUBLISHED = {"2024-02-01": "2024-02-07", "2025-01-01": "2025-01-17", "2026-02-01": "2026-02-11"}
# The first state of `baselines.csv` that had the baseline of February 2026, as far as known.
BASELINES_ON = "2026-02-17"
ACTUALS_ON = (
    "2023-11-01", "2023-12-13", "2023-12-15", "2024-06-18", "2025-01-10", "2026-01-16", "2026-02-17",
)  # fmt: skip

# (component, category, subcategory) as CBO classes it, and what the figures call it.
CLASSES = {
    ("debt", "Total", "Total"): "debt_held_by_public",
    ("deficit", "Total", "Total"): "deficit_total_ex_gse",
    ("outlay", "Discretionary", "Defense Discretionary"): "defense_discretionary",
    ("outlay", "Discretionary", "Nondefense Discretionary"): "nondefense_discretionary",
    ("outlay", "Discretionary", "Total Discretionary"): "discretionary_total",
    ("outlay", "Mandatory", "Fannie Freddie"): "",
    ("outlay", "Mandatory", "Medicaid"): "medicaid",
    ("outlay", "Mandatory", "Medicare"): "medicare_net",
    ("outlay", "Mandatory", "Other Mandatory"): "",
    ("outlay", "Mandatory", "Social Security"): "social_security",
    ("outlay", "Mandatory", "Total Mandatory"): "mandatory_total_ex_gse",
    ("outlay", "Net Interest", "Net Interest"): "net_interest",
    ("outlay", "Total", "Total"): "outlays_total_ex_gse",
    ("revenue", "Corporate Income Taxes", "Corporate Income Taxes"): "",
    ("revenue", "Customs Duties", "Customs Duties"): "",
    ("revenue", "Estate and Gift Taxes", "Estate and Gift Taxes"): "",
    ("revenue", "Excise Taxes", "Excise Taxes"): "",
    ("revenue", "Individual Income Taxes", "Individual Income Taxes"): "",
    ("revenue", "Miscellaneous Receipts", "Miscellaneous Receipts"): "",
    ("revenue", "Payroll Taxes", "Payroll Taxes"): "",
    ("revenue", "Total", "Total"): "revenues_total",
}
Figures = dict[tuple[str, str, int], str]  # (vintage, component, fiscal year) -> USD bn


def figures(kind: str) -> Figures:
    return {
        (row["vintage_date"], row["component"], int(row["fiscal_year"])): row["value_usd_bn"]
        for row in read("cbo/outlays.csv")
        if row["kind"] == kind
    }


def csv_file(dataset: str, released_on: str, url: str, rows: Iterable[Iterable[object]]) -> Rendered:
    return Rendered(
        f"cbo/{dataset}",
        f"cbo/{dataset}_{released_on}.csv",
        released_on,
        url,
        "".join(",".join(map(str, row)) + "\n" for row in rows).encode("ascii"),
    )


# --- The evaluation's tables ----------------------------------------------------------------------------


def fiscal_year(month: str) -> int:
    return int(month[:4]) + (month[5:7] >= "10")


def springs(months: Iterable[str]) -> set[str]:
    """Which of a component's baselines bear the Spring flag: from 1984 on, one a year that is over.

    It is the year's second baseline, if that came by June, else its first; 2021's second came in July.
    """
    of_year: dict[str, list[str]] = {}
    for month in sorted(set(months)):
        of_year.setdefault(month[:4], []).append(month)
    newest = max(of_year)
    return {
        all_[1] if len(all_) > 1 and (all_[1][5:7] <= "06" or year == "2021") else all_[0]
        for year, all_ in of_year.items()
        if "1984" <= year < newest
    }


def baselines() -> Rendered:
    projected = figures("projection")
    months: dict[str, set[str]] = {}
    for (component, _, _), name in CLASSES.items():
        months.setdefault(component, set()).update(m for m, known, _ in projected if known == name)
    spring = {component: springs(found) for component, found in months.items()}
    winter = {
        min(m for m in months["revenue"] if m[:4] == year) for year in {m[:4] for m in months["revenue"]}
    }
    newest = max(months["outlay"])
    out: list[Iterable[object]] = [
        (
            "component", "category", "subcategory", "baseline_date", "Spring_flag", "Winter_flag",
            "projected_fiscal_year", "projected_year_number", "value",
        )
    ]  # fmt: skip
    for classes, name in CLASSES.items():
        component = classes[0]
        cells = {(month, year): value for (month, known, year), value in projected.items() if known == name}
        if not name:
            cells = {(newest, fiscal_year(newest)): NOT_QUOTED}
        for (month, year), value in sorted(cells.items()):
            flags = month in spring[component], component == "revenue" and month in winter
            out.append((*classes, month, *flags, year, year - fiscal_year(month) + 1, value))
    return csv_file("baselines", BASELINES_ON, f"{EVALUATION}/baselines.csv", out)


def actuals() -> list[Rendered]:
    """Each state of the table: the figures so far, the newest of each, without what was dropped since."""
    stated = figures("actual")
    now: dict[tuple[str, int], str] = {}
    out = []
    for released_on in ACTUALS_ON:
        now |= {(name, year): v for (day, name, year), v in stated.items() if day == released_on}
        rows: list[Iterable[object]] = [
            ("component", "category", "subcategory", "fiscal_year", "actual_value")
        ]
        for classes, name in CLASSES.items():
            cells = {year: value for (known, year), value in now.items() if known == name}
            if released_on >= "2025":
                cells = {year: value for year, value in cells.items() if year >= first_kept(classes)}
            if not name:
                cells = {max(y for n, y in now if CLASSES_OF[n] == classes[0]): NOT_QUOTED}
            rows.extend((*classes, year, value) for year, value in sorted(cells.items()))
        out.append(csv_file("actuals", released_on, f"{EVALUATION}/actuals.csv", rows))
    return out


CLASSES_OF = {name: classes[0] for classes, name in CLASSES.items() if name}


def first_kept(classes: tuple[str, str, str]) -> int:
    """Since January 2025 the table begins with the first year that a series was projected for."""
    if classes[0] != "outlay" or classes[1] == "Total":
        return 1982
    return 1998 if classes[2] in ("Defense Discretionary", "Nondefense Discretionary") else 1992


# --- Files of one vintage -------------------------------------------------------------------------------

# What the file of a vintage calls what the figures have. January 2025 has the two kinds of discretionary
# outlays adjusted for shifts in timing alone, which the figures do not quote.
VARIABLES = {
    "proj_debt_held_by_public_end": "debt_held_by_public",
    "proj_deficit_total": "deficit_total",
    "proj_disc_defense": "defense_discretionary",
    "proj_disc_nondefense": "nondefense_discretionary",
    "proj_outlays_discretionary": "discretionary_total",
    "proj_outlays_mandatory": "mandatory_total",
    "proj_outlays_net_interest": "net_interest",
    "proj_outlays_total": "outlays_total",
    "proj_rev_total": "revenues_total",
}
TIMING = {
    "proj_disc_defense": "proj_disc_defense_outlays_timing_adj",
    "proj_disc_nondefense": "proj_disc_nondefense_outlays_timing_adj",
}


def ten_year_budget(vintage: str) -> Rendered:
    """The year that was over, as the actuals of that vintage have it, and the projections after it."""
    known = {
        (name, year): value
        for (month, name, year), value in (figures("actual") | figures("projection")).items()
        if month == vintage
    }
    first = int(vintage[:4]) - 1
    rows: list[Iterable[object]] = [("date", "variable", "value")]
    for variable, name in VARIABLES.items():
        adjusted = vintage == "2025-01-01" and variable in TIMING
        rows.extend(
            (
                f"FY{year}",
                TIMING[variable] if adjusted else variable,
                NOT_QUOTED if adjusted else known.get((name, year), NOT_QUOTED),
            )
            for year in range(first, first + 12)
        )
    url = f"{DATA}/budget/ten_year_budget/annual_fy_{vintage[:7]}.csv"
    return csv_file("ten_year_budget", PUBLISHED[vintage], url, rows)


def gdp(basis: Iterable[str], vintage: str) -> dict[int, str]:
    return {
        int(row["period"].removeprefix("FY")): row["gdp_usd_bn"]
        for row in read("cbo/gdp_fiscal_year.csv")
        if row["basis"] in basis and row["vintage_date"] == vintage
    }


def economic_projections(vintage: str) -> Rendered:
    """Ten years ahead; what the figures have beyond belongs to the long-term budget."""
    years = gdp(("fiscal_year_actual", "fiscal_year_projection"), vintage)
    rows = [("date", "variable", "value")]
    rows += [(str(y), "gdp", v) for y, v in years.items() if y <= int(vintage[:4]) + 10]
    url = f"{DATA}/economic/economic_projections/fiscal_{vintage[:7]}.csv"
    return csv_file("economic_projections", PUBLISHED[vintage], url, rows)


def long_term_budget(vintage: str) -> Rendered:
    """Thirty years in USD trillion, of which the figures quote those that are in no ten-year file."""
    first = int(vintage[:4])
    years = {y: v for y, v in gdp(("fiscal_year_projection",), vintage).items() if y > first + 10}
    rows = [("date", "variable", "value")]
    for year in range(first, first + 31):
        value = str(Decimal(years[year]) / 1000) if year in years else NOT_QUOTED
        rows.append((f"FY{year}", "lt_gdp_trillions", value))
    url = f"{DATA}/budget/long_term_budget/annual_fy_{vintage[:7]}.csv"
    return csv_file("long_term_budget", PUBLISHED[vintage], url, rows)


def actual_gdp(released_on: str) -> Rendered:
    rows = [("fiscal_year", "GDP"), *gdp(("fiscal_year_actual",), released_on).items()]
    return csv_file("actual_gdp", released_on, f"{EVALUATION}/actual_GDP.csv", rows)


# --- The workbook ---------------------------------------------------------------------------------------

USD_BN, PCT_GDP = "Billions of dollars", "Percentage of gross domestic product"
# Sheets by number: their two titles, the heading, the header's upper tier by column, and each column's name
# with the figures' component, if they have it.
TABLES: tuple[tuple[tuple[str, str], str, Mapping[int, str], tuple[tuple[str, str], ...]], ...] = (
    (
        ("1. Rev, Outlays, Surplus, Debt", "1a. Rev, Outlays, Surplus (GDP)"),
        "Revenues, Outlays, Deficits, Surpluses, and Debt Held by the Public Since 1962",
        {4: "Deficit (-) or surplus"},
        (
            ("Revenues", "revenues_total"),
            ("Outlays", "outlays_total"),
            ("On-budget", ""),
            ("Social Security", ""),
            ("Postal Service", ""),
            ("Total", "deficit_total"),
            ("Debt held by the public\u1d43", "debt_held_by_public"),
        ),
    ),
    (
        ("2. Revenues", "2a. Revenues as Share of GDP"),
        "Revenues, by Major Source, Since 1962",
        {},
        (
            ("Individual income taxes", ""),
            ("Payroll taxes", ""),
            ("Corporate income taxes", ""),
            ("Excise taxes", ""),
            ("Estate and gift taxes", ""),
            ("Customs duties", ""),
            ("Miscellaneous receipts", ""),
            ("Total", "revenues_total"),
        ),
    ),
    (
        ("3. Outlays", "3a. Outlays as Share of GDP"),
        "Outlays, by Major Category, Since 1962",
        {3: "Mandatory"},
        (
            ("Discretionary", "discretionary_total"),
            ("Programmatic outlays\u1d43", "mandatory_programmatic"),
            ("Offsetting receipts", "offsetting_receipts"),
            ("Net interest", "net_interest"),
            ("Total", "outlays_total"),
        ),
    ),
    (
        ("4. Discretionary Outlays", "4a. Discretionary Outlays (GDP)"),
        "Discretionary Outlays Since 1962",
        {},
        (
            ("Defense", "defense_discretionary"),
            ("Nondefense", "nondefense_discretionary"),
            ("Total", "discretionary_total"),
        ),
    ),
    (
        ("5. Mandatory Outlays", "5a. Mandatory Outlays (GDP)"),
        "Mandatory Outlays Since 1962",
        {},
        (
            ("Social Security", "social_security"),
            ("Medicare\u1d43", "medicare_gross"),
            ("Medicaid", "medicaid"),
            ("Income security\u1d47", ""),
            ("Federal civilian and military retirement", ""),
            ("Veterans\u2019 programs", ""),
            ("Other programs", ""),
            ("Offsetting receipts", "offsetting_receipts"),
            ("Total", "mandatory_total"),
            ("Major health care programs (net)\u1d9c", ""),
        ),
    ),
)
Cells = list[str | float | int | None]


def historical_budget(vintage: str) -> Rendered:
    known = {(name, year): v for (month, name, year), v in figures("actual").items() if month == vintage}
    years = sorted({year for name, year in known if name == "net_interest"})
    sheets: dict[str, list[Cells]] = {"Contents": [["Contents"]]}
    for number, (titles, heading, upper, columns) in enumerate(TABLES, start=1):
        headings = (f"{number}. {heading}", USD_BN), (f"{number}a. {heading}, as a Share of GDP", PCT_GDP)
        for title, (first_line, unit) in zip(titles, headings, strict=True):
            sheet: list[Cells] = [[], [], [], [], [first_line], [unit], []]
            if upper:
                sheet.append([upper.get(column) for column in range(1, max(upper) + 1)])
            sheet.append([None, *(name for name, _ in columns)])
            for year in years:
                if unit == PCT_GDP:
                    sheet.append([year, NOT_QUOTED])
                else:
                    sheet.append([year, *(cell(known, name, year) for _, name in columns)])
            sheets[title] = sheet
    day = PUBLISHED[vintage]
    file = f"cbo/historical_budget_{day}.xlsx"
    return Rendered("cbo/historical_budget", file, day, WORKBOOK, workbook(sheets))


def cell(known: Mapping[tuple[str, int], str], name: str, year: int) -> str | float:
    """A figure, or `n.a.` in the years before there was what a column has."""
    if not name:
        return NOT_QUOTED
    return float(known[name, year]) if (name, year) in known else "n.a."


def render() -> list[Rendered]:
    return [
        baselines(),
        *actuals(),
        actual_gdp("2026-02-12"),
        ten_year_budget("2025-01-01"),
        ten_year_budget("2026-02-01"),
        economic_projections("2024-02-01"),
        economic_projections("2025-01-01"),
        economic_projections("2026-02-01"),
        long_term_budget("2026-02-01"),
        historical_budget("2025-01-01"),
    ]
