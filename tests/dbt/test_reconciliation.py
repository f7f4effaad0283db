"""What must agree: how much is compared, what comes of it, and that each check sees a figure that is off."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.conftest import day
from tidemark import query
from tidemark.settings import Home, project_root

SEED = project_root() / "dbt_project" / "seeds" / "reconciliation_checks.csv"

# (check, verdict) -> comparisons, in the bundled releases.
COMPARED = {
    ("tic_table5_table3", "agrees"): 286,
    ("debt_total_parts", "agrees"): 5_416,
    ("debt_total_parts", "excepted"): 2,
    ("safe_wgc_gold", "agrees"): 33,
    ("bop_closes", "agrees"): 401,
    ("bop_goods_services", "agrees"): 288,
    ("bop_current_account", "agrees"): 288,
    ("bop_current_account_four_parts", "agrees"): 395,
    ("bop_current_account_sides", "agrees"): 211,
    ("bop_capital_financial", "agrees"): 210,
    ("bop_financial", "agrees"): 400,
    ("bop_non_reserve", "agrees"): 288,
    ("bop_quarters_year", "agrees"): 816,
    ("safe_reserve_assets_parts", "agrees"): 8,
    ("safe_investment_position_net", "agrees"): 2,
    ("cbo_baselines_parts", "agrees"): 2_710,
    ("cbo_baselines_parts", "excepted"): 11,
    ("cbo_actuals_parts", "agrees"): 215,
    ("cbo_ten_year_budget_parts", "agrees"): 49,
    ("cbo_historical_budget_parts", "agrees"): 252,
    ("cbo_historical_budget_tables", "agrees"): 252,
    ("cbo_ten_year_budget_baselines", "agrees"): 110,
    ("cbo_ten_year_budget_actuals", "agrees"): 10,
    ("cbo_historical_budget_actuals", "agrees"): 257,
    ("bea_cbo_fiscal_year_gdp", "agrees"): 43,
}
# The history that is bundled is of 2026-03-18, and neither Table 3 nor Table 5 of that day is.
NOTHING_TO_COMPARE = {"tic_table5_history", "tic_table3_history"}


def seed() -> dict[str, dict[str, str]]:
    with SEED.open(encoding="utf-8", newline="") as rows:
        return {row["check_id"]: row for row in csv.DictReader(rows)}


def test_every_comparison_is_made_and_none_differs(loaded_template: Home) -> None:
    asked = "select check_id, verdict, count(*) from mart_reconciliation group by all"
    found = {(check, verdict): count for check, verdict, count in query.ask(loaded_template, asked).rows}
    assert found == COMPARED


def test_a_check_compares_something_or_is_named_as_having_nothing_to_compare() -> None:
    assert set(seed()) == {check for check, _ in COMPARED} | NOTHING_TO_COMPARE


def test_only_what_is_known_as_published_so_is_excepted(loaded_template: Home) -> None:
    excepted = query.ask(
        loaded_template,
        """
        select check_id, entity, period_end, correction, round(difference, 11) from mart_reconciliation
        where verdict = 'excepted' and check_id = 'debt_total_parts' order by period_end
        """,
    ).rows
    assert excepted == [
        ("debt_total_parts", "USA", day("2011-02-01"), "debt_three_cents_2011_02_01", 3e-11),
        ("debt_total_parts", "USA", day("2025-08-04"), "debt_imbalance_2025_08_04", 10.0),
    ]
    deficits = query.ask(
        loaded_template,
        """
        select distinct entity, correction, min(extract(year from period_end)) over () as first_year,
            max(extract(year from period_end)) over () as last_year, min(difference) over () as widest
        from mart_reconciliation where verdict = 'excepted' and check_id <> 'debt_total_parts'
        """,
    ).rows
    assert [(*row[:4], round(row[4], 3)) for row in deficits] == [
        ("deficit_total_ex_gse, baseline of 2018-04-01", "cbo_deficit_april_2018", 2018, 2028, -157.713)
    ]


def test_a_flagged_figure_that_agrees_is_no_exception(loaded_template: Home) -> None:
    asked = """
        select distinct verdict from mart_reconciliation
        where correction = 'safe_zero_for_a_slash_2016'
    """
    assert query.ask(loaded_template, asked).rows == [("agrees",)]


def test_what_two_publishers_say_is_reported_and_the_rest_stops_the_build() -> None:
    warned = {check for check, row in seed().items() if row["severity"] == "warn"}
    assert warned == {
        "safe_wgc_gold", "cbo_ten_year_budget_actuals", "cbo_historical_budget_actuals",
        "bea_cbo_fiscal_year_gdp",
    }  # fmt: skip


def test_no_tolerance_is_wider_than_its_reason_needs(loaded_template: Home) -> None:
    """Where figures are rounded, the tolerance is that of the rounding: the widest difference is near it."""
    widest = dict(
        query.ask(
            loaded_template,
            """
            select check_id, max(abs(difference)) from mart_reconciliation
            where verdict = 'agrees' group by check_id
            """,
        ).rows
    )
    assert round(widest["safe_wgc_gold"], 3) == 0.023
    assert round(widest["bea_cbo_fiscal_year_gdp"], 3) == 0.030
    assert round(widest["bop_current_account_four_parts"], 6) == 0.002
    assert round(widest["cbo_baselines_parts"], 6) == 0.01
    assert widest["bop_quarters_year"] < 1e-6
    assert widest["cbo_historical_budget_parts"] < 1e-9
    assert widest["cbo_ten_year_budget_baselines"] == widest["cbo_ten_year_budget_actuals"] == 0


# --- One figure that is off -------------------------------------------------------------------------------

BOP = "safe__balance_of_payments"
# What is changed: raw table, cell, by how much in the publisher's unit; and each check that must see it.
OFF = {
    "a holding in Table 5, by 0.1 bn": (
        "tic__slt_table5",
        "label = 'China, Mainland' and period_end = '2026-04-30' and released_on = '2026-06-18'",
        0.1,
        {"tic_table5_table3"},
    ),
    "the debt, by three cents": (
        "fiscaldata__debt_to_penny",
        "label = 'tot_pub_debt_out_amt' and period_end = '2026-08-18'",
        0.03,
        {"debt_total_parts"},
    ),
    "SAFE's gold, by the smallest step it can take": (
        "safe__reserve_assets",
        "measure = 'volume' and period_end = '2025-12-31'",
        1,
        {"safe_wgc_gold"},
    ),
    "the Council's gold of China, by 0.2 tonnes": (
        "wgc__holdings_api",
        "label = 'CHN' and period_end = '2025-12-31'",
        0.2,
        {"safe_wgc_gold"},
    ),
    "the current account of 2023 in CNY, by 2 million": (
        BOP,
        "label = '1 经常账户' and frequency = 'year' and period_end = '2023-12-31' and measure = 'flow_cny'",
        0.02,
        {"bop_closes", "bop_current_account", "bop_quarters_year"},
    ),
    "goods of a quarter, by 3 million": (
        BOP,
        "label = '1.A.a 货物' and period_end = '2024-12-31' and measure = 'flow_usd'",
        0.03,
        {"bop_current_account_four_parts"},
    ),
    "services of a year in SDR, by 20,000": (
        BOP,
        "label = '1.A.b 服务' and frequency = 'year' and period_end = '2020-12-31' and measure = 'flow_sdr'",
        0.0002,
        {"bop_goods_services", "bop_quarters_year"},
    ),
    "debits of a quarter, by 2 million": (
        BOP,
        "label = '1 经常账户 / 借方' and period_end = '2024-12-31'",
        0.02,
        {"bop_current_account_sides"},
    ),
    "the capital account of a quarter, by 2 million": (
        BOP,
        "label = '2.1 资本账户' and period_end = '2024-12-31'",
        0.02,
        {"bop_capital_financial"},
    ),
    "reserve assets of a quarter, by 2 million": (
        BOP,
        "label = '2.2.2 储备资产' and period_end = '2024-12-31'",
        0.02,
        {"bop_financial"},
    ),
    "direct investment of a year, by 20,000": (
        BOP,
        "label = '2.2.1.1 直接投资' and frequency = 'year' and period_end = '1990-12-31'",
        0.0002,
        {"bop_non_reserve"},
    ),
    "foreign currency reserves, by 10 million": (
        "safe__reserve_assets",
        "label like '1.%' and measure = 'value_usd' and period_end = '2026-03-31'",
        0.1,
        {"safe_reserve_assets_parts"},
    ),
    "foreign assets, by 20 bn": (
        "safe__investment_position",
        "label = 'iip_assets' and period_end = '2025-12-31'",
        200,
        {"safe_investment_position_net"},
    ),
    "a baseline's mandatory outlays, by 0.02 bn": (
        "cbo__baselines",
        "label = 'outlay/Mandatory/Total Mandatory' and baseline_date = '2026-02-01' "
        "and period_end = '2030-09-30'",
        0.02,
        {"cbo_baselines_parts"},
    ),
    "the defense of a finished year, by 0.002 bn": (
        "cbo__actuals",
        "label like '%/Defense Discretionary' and period_end = '2025-09-30'",
        0.002,
        {"cbo_actuals_parts", "cbo_ten_year_budget_actuals"},
    ),
    "an outlook's net interest, by 0.002 bn": (
        "cbo__ten_year_budget",
        "label = 'proj_outlays_net_interest' and period_end = '2030-09-30' and released_on = '2026-02-11'",
        0.002,
        {"cbo_ten_year_budget_parts", "cbo_ten_year_budget_baselines"},
    ),
    "the workbook's net interest of 2000, by 0.002 bn": (
        "cbo__historical_budget",
        "label = '3. Outlays/Net interest' and period_end = '2000-09-30'",
        0.002,
        {"cbo_historical_budget_parts", "cbo_historical_budget_actuals"},
    ),
    "the revenues of the workbook's second table, by 0.001 bn": (
        "cbo__historical_budget",
        "label = '2. Revenues/Total' and period_end = '2000-09-30'",
        0.001,
        {"cbo_historical_budget_tables"},
    ),
    "GDP of a quarter, by 0.4 bn": (
        "bea__gdp",
        "period_end = '2020-03-31'",
        0.4,
        {"bea_cbo_fiscal_year_gdp"},
    ),
}


def test_every_check_that_compares_something_is_put_to_the_test() -> None:
    assert set().union(*(checks for *_, checks in OFF.values())) == {check for check, _ in COMPARED}


@pytest.fixture(scope="module")
def copied(
    loaded_template: Home, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the warehouse, whose name is part of the compiled models."""
    file = tmp_path_factory.mktemp("reconciliation") / loaded_template.warehouse.name
    shutil.copy(loaded_template.warehouse, file)
    with duckdb.connect(str(file)) as connection:
        yield connection


def compiled(home: Home) -> Path:
    return home.dbt_target / "compiled" / "tidemark"


def models(home: Home) -> Iterator[tuple[str, Path]]:
    """The models between raw and the mart that are tables, in the order in which they are made."""
    intermediate = compiled(home) / "models" / "intermediate"
    yield "intermediate", intermediate / "int_gold_holdings__stated.sql"
    for path in sorted((intermediate / "reconciliation").glob("*.sql")):
        yield "intermediate", path
    yield "marts", compiled(home) / "models" / "marts" / "quality" / "mart_reconciliation.sql"


@pytest.mark.parametrize("what", OFF)
def test_a_figure_that_is_off_is_seen_by_its_checks_and_no_other(
    loaded_template: Home, copied: duckdb.DuckDBPyConnection, what: str
) -> None:
    table, cell, by, checks = OFF[what]
    copied.execute("begin transaction")
    try:
        changed = copied.execute(f"update raw.{table} set value = value + {by} where {cell}").fetchall()
        assert changed == [(1,)]
        for schema, path in models(loaded_template):
            sql = path.read_text("utf-8")
            copied.execute(f"create or replace table {schema}.{path.stem} as {sql}")
        stops, is_reported = (
            {
                check
                for (check, *_) in copied.execute(
                    (compiled(loaded_template) / test).read_text("utf-8")
                ).fetchall()
            }
            for test in ("tests/what_must_agree_agrees.sql", "tests/what_should_agree_agrees.sql")
        )
    finally:
        copied.execute("rollback")
    warned = {check for check, row in seed().items() if row["severity"] == "warn"}
    assert (stops, is_reported) == (checks - warned, checks & warned)
