"""Interest against defense, revenue and GDP; CBO's projections against what came true."""

from __future__ import annotations

import pytest

from tests.conftest import day
from tests.dbt.test_published_figures import answer
from tidemark import query
from tidemark.settings import Home


@pytest.mark.parametrize(
    ("year", "column", "figure"),
    [
        (2023, "net_interest_usd_bn", 658.267),
        (2024, "net_interest_usd_bn", 879.879),
        (2025, "net_interest_usd_bn", 969.938),
        (2025, "gdp_usd_bn", 30362.025),
        (1962, "net_interest_usd_bn", 6.889),
    ],
)
def test_interest_is_as_cbo_states_it(loaded_template: Home, year: int, column: str, figure: float) -> None:
    asked = f"select {column} from fct_interest_burden where fiscal_year = {year}"
    assert answer(loaded_template, asked) == figure


def test_gross_interest_is_the_sum_of_twelve_months(loaded_template: Home) -> None:
    asked = "select round(gross_interest_usd_bn, 1) from fct_interest_burden where fiscal_year = 2025"
    assert answer(loaded_template, asked) == 1220.0
    months = """
        select round(sum(value_usd_bn), 1) from staging.stg_fiscaldata__interest_expense
        where period_end between '2024-10-31' and '2025-09-30'
    """
    assert answer(loaded_template, months) == 1220.0
    assert (
        answer(
            loaded_template,
            "select min(fiscal_year) from fct_interest_burden where gross_interest_usd_bn > 0",
        )
        == 2011
    )


def test_fiscal_year_2024_is_the_first_in_which_interest_exceeds_defense(loaded_template: Home) -> None:
    years = query.ask(
        loaded_template, "select fiscal_year from fct_interest_burden where exceeds_defense order by 1"
    ).rows
    assert years == [(2024,), (2025,)]
    assert answer(loaded_template, "select min(fiscal_year) from fct_interest_burden") == 1962


@pytest.mark.parametrize(
    ("as_of", "net_interest_usd_bn"),
    [("2025-01-09", None), ("2025-01-10", 881.119), ("2026-01-15", 881.119), ("2026-01-16", 879.879)],
)
def test_interest_of_2024_is_known_as_it_was_on_each_day(
    loaded_template: Home, as_of: str, net_interest_usd_bn: float | None
) -> None:
    asked = "select net_interest_usd_bn from {} where fiscal_year = 2024"
    assert answer(loaded_template, asked.format("fct_interest_burden"), day(as_of)) == net_interest_usd_bn
    by_macro = asked.format(f"fct_interest_burden_as_of('{as_of}')")
    assert answer(loaded_template, by_macro) == net_interest_usd_bn


def test_every_baseline_of_net_interest_stands_with_its_error(loaded_template: Home) -> None:
    told = query.ask(
        loaded_template,
        """
        select count(distinct baseline_date), min(baseline_date), max(baseline_date)
        from fct_interest_projections where component = 'net_interest'
        """,
    ).rows
    assert told == [(92, day("1992-01-01"), day("2026-02-01"))]
    newest = """
        select (projected_usd_bn, actual_usd_bn, error_usd_bn) from fct_interest_projections
        where component = 'net_interest' and baseline_date = '2026-02-01' and fiscal_year = 2026
    """
    assert answer(loaded_template, newest) == (1038.976, None, None)
    # In February 2023 CBO expected 739 of fiscal year 2024.
    error = """
        select (projected_usd_bn, error_usd_bn) from fct_interest_projections
        where component = 'net_interest' and baseline_date = '2024-02-01' and fiscal_year = 2024
    """
    projected, off = answer(loaded_template, error)
    assert off == pytest.approx(projected - 879.879, abs=1e-9)


def test_errors_grow_with_the_horizon(loaded_template: Home) -> None:
    sizes = [
        size
        for (size,) in query.ask(
            loaded_template,
            """
            select mean_absolute_error_pct from mart_projection_errors
            where component = 'net_interest' and horizon_years between 1 and 7 order by horizon_years
            """,
        ).rows
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] < 3
