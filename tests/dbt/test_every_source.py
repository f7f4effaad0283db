"""What the published file answers about every source beside TIC: a question is one query, as readers ask it.

The raw and staging tables of a source that allows an extract only are not in that file; what it says there
stands in the intermediate tables.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from tests.conftest import day
from tidemark import query, registry
from tidemark.errors import UsageError
from tidemark.settings import Home, project_root

FIGURES = project_root() / "snapshot" / "figures"

QUESTIONS = {
    "China's gold by SAFE, in 10,000 ounces and in tonnes, at the end of 2025": (
        """
        select value_fine_oz / 10000, round(value_tonnes, 1) from staging.stg_safe__reserve_assets
        where item = 'gold' and measure = 'volume' and period_end = '2025-12-31'
        """,
        [(7415, 2306.3)],
    ),
    "how many months in a row the PBoC's gold had risen by the end of 2025": (
        """
        with months as (
            select period_end, value_fine_oz > lag(value_fine_oz) over (order by period_end) as rose
            from staging.stg_safe__reserve_assets
            where measure = 'volume' and period_end <= '2025-12-31'
        )
        select count(*), min(period_end), max(period_end) from months
        where period_end > (select max(period_end) from months where not rose)
        """,
        [(14, day("2024-11-30"), day("2025-12-31"))],
    ),
    "China's foreign currency reserves at the end of 2025": (
        """
        select round(value_usd_bn, 2) from staging.stg_safe__reserve_assets
        where item = 'fx_reserves' and measure = 'value_usd' and period_end = '2025-12-31'
        """,
        [(3357.87,)],
    ),
    "China's current account of 2023": (
        """
        select round(value_usd_bn, 2), released_on from staging.stg_safe__balance_of_payments
        where item = 'current_account' and frequency = 'year' and currency = 'USD'
            and period_end = '2023-12-31'
        """,
        [(252.99, day("2024-03-29"))],
    ),
    "China's gold by the World Gold Council at the end of 2025": (
        """
        select tonnes, dataset, released_on from intermediate.int_gold_holdings__stated
        where holder_id = 'CHN' and period_end = '2025-12-31'
        """,
        [(2306.3, "wgc/holdings_api", day("2026-02-25"))],
    ),
    "central banks' demand for gold in the first quarter of 2025, print by print": (
        """
        select round(tonnes, 1), evidence, released_on from intermediate.int_central_bank_demand__stated
        where period = '2025Q1' order by released_on, reissue
        """,
        [
            (243.7, "cited", day("2025-04-30")),
            (248.6, "cited", day("2025-07-31")),
            (237.0, "published", day("2026-04-29")),
            (235.9, "published", day("2026-07-30")),
        ],
    ),
    "net interest of 2024 and 2025, as first printed and today": (
        """
        select fiscal_year, round(min_by(value_usd_bn, (released_on, reissue)), 1),
            round(max_by(value_usd_bn, (released_on, reissue)), 1)
        from intermediate.int_budget_actuals__stated
        where component = 'net_interest' and dataset = 'cbo/actuals' and fiscal_year in (2024, 2025)
        group by fiscal_year order by fiscal_year
        """,
        [(2024, 881.1, 879.9), (2025, 969.9, 969.9)],
    ),
    "every statement of net interest in 2024": (
        """
        select value_usd_bn, dataset, released_on from intermediate.int_budget_actuals__stated
        where component = 'net_interest' and fiscal_year = 2024 order by released_on, dataset
        """,
        [
            (881.119, "cbo/actuals", day("2025-01-10")),
            (881.119, "cbo/historical_budget", day("2025-01-17")),
            (881.119, "cbo/ten_year_budget", day("2025-01-17")),
            (879.879, "cbo/actuals", day("2026-01-16")),
        ],
    ),
    "how many baselines project net interest": (
        """
        select count(distinct baseline_date), min(baseline_date), max(baseline_date)
        from staging.stg_cbo__baselines where component = 'net_interest'
        """,
        [(92, day("1992-01-01"), day("2026-02-01"))],
    ),
    "the first day on which the debt stood above 38 trillion": (
        """
        select min(period_end) from staging.stg_fiscaldata__debt_to_penny
        where component = 'total' and value_usd_bn > 38000
        """,
        [(day("2025-10-21"),)],
    ),
    "Treasuries that the Federal Reserve held at its peak": (
        """
        select round(value_usd_bn, 1), period_end from staging.stg_fed__treast
        order by value_usd_bn desc limit 1
        """,
        [(5771.4, day("2022-06-08"))],
    ),
    "the newest price of gold": (
        """
        select period_end, usd_per_fine_oz from staging.stg_worldbank__gold_price
        order by period_end desc limit 1
        """,
        [(day("2026-06-30"), 4228.0)],
    ),
    "the GDP of the newest quarter": (
        "select period_end, value_usd_bn from staging.stg_bea__gdp order by period_end desc limit 1",
        [(day("2026-06-30"), 32475.21)],
    ),
    "what does not agree": (
        "select entity, period_end, difference from mart_reconciliation where verdict = 'differs'",
        [],
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_one_query_answers_it(loaded_template: Home, question: str) -> None:
    sql, rows = QUESTIONS[question]
    assert query.ask(loaded_template, sql).rows == rows


def documented() -> dict[str, str]:
    """The queries of docs/tables.md, by what the line above each says."""
    text = (project_root() / "docs" / "tables.md").read_text("utf-8")
    (block,) = re.findall(r"```sql\n(.*?)```", text, flags=re.DOTALL)
    found = re.findall(r"-- (.*)\n((?:(?!--).+\n)+)", block)
    assert len(found) == block.count("--")
    return dict(found)


@pytest.mark.parametrize("says", documented())
def test_the_documented_query_answers_what_is_said_above_it(loaded_template: Home, says: str) -> None:
    cells = {cell for row in query.ask(loaded_template, documented()[says]).rows for cell in row}
    said = re.findall(r"\d{4}-\d\d-\d\d|\d[\d,]*\.\d+|\b\d{1,3}(?:,\d{3})+\b|\b92\b", says.split(":", 1)[1])
    assert said
    for figure in said:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", figure):
            assert day(figure) in cells
        else:
            assert float(figure.replace(",", "")) in cells


def test_tables_of_a_source_that_allows_an_extract_only_are_not_in_the_file(loaded_template: Home) -> None:
    for table in ("raw.wgc__holdings_api", "staging.stg_wgc__holdings_api"):
        with pytest.raises(UsageError, match="does not exist"):
            query.ask(loaded_template, f"select * from {table}")
    asked = "select count(*) from intermediate.int_gold_holdings__stated"
    assert query.ask(loaded_template, asked).rows == [(4038 + 379,)]


# --- Every figure that is bundled is loaded ---------------------------------------------------------------


def cells(*datasets: str, where: str = "true") -> str:
    """How many cells the releases of datasets state; raw holds a cell anew only where it changed."""
    names = ", ".join(f"'{name}'" for name in datasets)
    return f"(select sum(cells) from raw.releases where dataset in ({names}) and {where})"


def published(table: str) -> str:
    return f"(select count(*) from raw.{table} where status = 'published')"


# A file of figures: the columns that hold them, and the SQL that counts them in the warehouse.
WHERE_FIGURES_STAND = {
    "bea/gdp_2026-08-22.csv": ("gdp_usd_bn", cells("bea/gdp")),
    # By vintage: what is over, ten years ahead, thirty years ahead.
    "cbo/gdp_fiscal_year.csv": (
        "gdp_usd_bn",
        cells("cbo/actual_gdp", "cbo/economic_projections", "cbo/long_term_budget"),
    ),
    # The evaluation's two tables; the workbook, where a figure may stand in two tables; and of the outlooks
    # what is in none of these: totals with Fannie Mae, and the year that was over in February 2026.
    "cbo/outlays.csv": (
        "value_usd_bn",
        cells("cbo/baselines")
        + " + (select count(*) from staging.stg_cbo__actuals)"
        + " + (select count(*) from staging.stg_cbo__historical_budget"
        + " where not is_repetition and status = 'published')"
        + " + (select count(*) from staging.stg_cbo__ten_year_budget where fiscal_year = 2025 and is_actual"
        + " or not is_actual and component in ('deficit_total', 'mandatory_total', 'outlays_total'))",
    ),
    "fed/treast_weekly.csv": ("treasuries_held_outright_usd_bn", cells("fed/treast")),
    # Until 1997 the total alone is published.
    "fiscaldata/debt_to_the_penny.csv": (
        "total_usd held_by_public_usd intragovernmental_usd",
        published("fiscaldata__debt_to_penny"),
    ),
    "fiscaldata/interest_expense.csv": ("month_expense_usd", cells("fiscaldata/interest_expense")),
    "safe/balance_of_payments_2024-03-29.csv": (
        "value",
        cells("safe/balance_of_payments", where="released_on = '2024-03-29'"),
    ),
    "safe/balance_of_payments_quarterly_vintages.csv": (
        "value",
        cells("safe/balance_of_payments", where="released_on <> '2024-03-29'"),
    ),
    "safe/investment_position.csv": ("value", cells("safe/investment_position")),
    "safe/reserve_assets.csv": ("value", cells("safe/reserve_assets")),
    "tic/cited_first_prints.csv": ("holdings_usd_bn", cells("tic/cited_first_prints")),
    "tic/mfh_2023-03-15.csv": ("holdings_usd_bn", cells("tic/mfh")),
    "tic/mfhhis01_2026-03-18.csv": ("holdings_usd_bn", cells("tic/mfhhis01")),
    "tic/slt_table3_2026-06-18.csv": (
        "holdings_total_usd_bn net_total_usd_bn holdings_lt_usd_bn net_lt_usd_bn valuation_lt_usd_bn "
        "holdings_st_usd_bn net_st_usd_bn",
        published("tic__slt_table3"),
    ),
    "tic/slt_table5_2026-06-18.csv": (
        "holdings_usd_bn",
        cells("tic/slt_table5", where="released_on = '2026-06-18'"),
    ),
    "tic/slt_table5_2026-09-16.csv": (
        "holdings_usd_bn",
        cells("tic/slt_table5", where="released_on = '2026-09-16'"),
    ),
    # What the Council published, and what others quoted of it.
    "wgc/central_bank_demand.csv": ("tonnes", cells("wgc/central_bank_demand", "wgc/cited_demand")),
    "wgc/holdings_quarterly_2026-02-25.csv": (
        "tonnes",
        cells("wgc/holdings_api", where="released_on = '2026-02-25'"),
    ),
    "wgc/holdings_quarterly_2026-08.csv": (
        "tonnes",
        cells("wgc/holdings_api", where="released_on = '2026-08-18'"),
    ),
    "worldbank/gold_price_monthly.csv": ("usd_per_troy_oz", cells("worldbank/gold_price")),
}


def test_no_file_of_figures_is_forgotten() -> None:
    assert {str(file.relative_to(FIGURES)) for file in FIGURES.rglob("*.csv")} == set(WHERE_FIGURES_STAND)


@pytest.mark.parametrize("file", WHERE_FIGURES_STAND)
def test_the_warehouse_holds_as_many_figures_as_the_file(loaded_template: Home, file: str) -> None:
    columns, counted = WHERE_FIGURES_STAND[file]
    with Path(FIGURES / file).open(encoding="utf-8", newline="") as figures:
        bundled = sum(row[column] != "" for row in csv.DictReader(figures) for column in columns.split())
    ((held,),) = query.ask(loaded_template, f"select {counted}").rows
    assert held == bundled > 0


def test_every_dataset_with_a_release_is_counted(loaded_template: Home) -> None:
    counted = " ".join(sql for _, sql in WHERE_FIGURES_STAND.values())
    loaded = query.ask(loaded_template, "select distinct dataset from raw.releases").rows
    names = {name for (name,) in loaded}
    assert names <= {dataset.name for dataset in registry.datasets()}
    assert {name for name in names if name not in counted and name.replace("/", "__") not in counted} == set()
