"""Selling or price, how many rose and fell, holders grouped by an assumption, how far figures are revised."""

from __future__ import annotations

import pytest

from tests.conftest import day
from tests.dbt.test_published_figures import answer, of
from tidemark import query
from tidemark.settings import Home


@pytest.mark.parametrize(
    ("holder", "column", "usd_bn"),
    [
        # Table 3 of 2026-06-18, in USD million: 651,072 after 652,316; 5,519 and -3,364; -2,740.
        ("CHN", "holdings_usd_bn", 651.072),
        ("CHN", "change_usd_bn", -1.244),
        ("CHN", "net_purchases_usd_bn", 2.155),
        ("CHN", "net_purchases_long_term_usd_bn", 5.519),
        ("CHN", "net_purchases_short_term_usd_bn", -3.364),
        ("CHN", "valuation_change_usd_bn", -2.740),
        ("CHN", "other_change_usd_bn", -0.659),
    ],
)
def test_the_parts_of_a_change_are_the_published_ones(
    loaded_template: Home, holder: str, column: str, usd_bn: float
) -> None:
    assert answer(loaded_template, of(holder, "2026-04", column, "fct_change_decomposition")) == usd_bn


@pytest.mark.parametrize(("holder", "usd_bn"), [("CHN", 1.3), ("JPN", 3.9), ("GBR", 11.5)])
def test_what_neither_explains_is_as_large_as_is_known(
    loaded_template: Home, holder: str, usd_bn: float
) -> None:
    asked = f"""
        select round(avg(abs(other_change_long_term_usd_bn)), 1) from fct_change_decomposition
        where holder_id = '{holder}'
    """
    assert answer(loaded_template, asked) == usd_bn


def test_of_chinas_fall_since_2022_prices_took_nothing(loaded_template: Home) -> None:
    ((since, begins, before, change, net, valuation, other),) = query.ask(
        loaded_template,
        """
        select since, decomposed_from, not_decomposed_usd_bn, change_usd_bn, net_purchases_usd_bn,
            valuation_change_usd_bn, other_change_usd_bn
        from change_decomposition_since('2022-12-15') where holder_id = 'CHN'
        """,
    ).rows
    assert (since, begins) == (day("2022-12-31"), day("2023-01-31"))
    assert (change, net, valuation) == (-208.27, -253.172, 28.798)
    assert change == pytest.approx(net + valuation + other, abs=1e-9)
    held = answer(loaded_template, of("CHN", "2022-12", "holdings_usd_bn"))
    latest = answer(loaded_template, of("CHN", "2026-04", "holdings_usd_bn", "fct_change_decomposition"))
    assert latest - held == pytest.approx(before + change, abs=1e-9)


def test_since_any_month_is_the_difference_of_two_rows(loaded_template: Home) -> None:
    by_macro = (
        "select net_purchases_usd_bn from change_decomposition_since('2024-12-31') where holder_id = 'JPN'"
    )
    by_rows = """
        select round(max(cumulative_net_purchases_usd_bn) filter (where period_end = '2026-04-30')
            - max(cumulative_net_purchases_usd_bn) filter (where period_end = '2024-12-31'), 3)
        from fct_change_decomposition where holder_id = 'JPN'
    """
    by_sum = """
        select round(sum(net_purchases_usd_bn), 3) from fct_change_decomposition
        where holder_id = 'JPN' and period_end > '2024-12-31'
    """
    assert (
        answer(loaded_template, by_macro)
        == answer(loaded_template, by_rows)
        == answer(loaded_template, by_sum)
    )
    undecomposed = by_macro.replace("net_purchases", "not_decomposed")
    assert answer(loaded_template, undecomposed) == 0


def test_in_march_2022_21_of_the_38_major_holders_fell(loaded_template: Home) -> None:
    ((holders, rose, fell, faller, fall, fallers),) = query.ask(
        loaded_template,
        """
        select holders, rose, fell, largest_faller, largest_fall_usd_bn, fallers from mart_breadth
        where scope = 'major' and period_end = '2022-03-31'
        """,
    ).rows
    assert (holders, rose, fell) == (38, 16, 21)
    assert (faller, fall) == ("Japan", -74.0)
    assert fallers.startswith("Japan -74.0, China -15.5, Luxembourg -13.2")


def test_breadth_agrees_with_the_changes_it_counts(loaded_template: Home) -> None:
    at_odds = """
        select count(*) from mart_breadth inner join (
            select period_end, count(*) filter (where change_1m_usd_bn < 0) as fell,
                count(change_1m_usd_bn) as holders, sum(change_1m_usd_bn) as together
            from fct_holding_changes where kind = 'country' group by period_end
        ) as counted using (period_end)
        where scope = 'all' and (mart_breadth.fell <> counted.fell or mart_breadth.holders <> counted.holders
            or abs(rises_usd_bn + falls_usd_bn - together) > 0.001)
    """
    assert answer(loaded_template, at_odds) == 0
    assert (
        answer(loaded_template, "select count(*) from mart_breadth where rose + fell + unchanged <> holders")
        == 0
    )


def test_a_group_by_assumption_is_the_sum_of_its_members(loaded_template: Home) -> None:
    group = """
        select holdings_usd_bn from mart_custody_view
        where assumption_id = 'china_with_belgium' and period_end = '2025-12-31'
    """
    alone = """
        select round(sum(holdings_usd_bn), 3) from fct_holdings
        where holder_id in ('CHN', 'BEL') and period_end = '2025-12-31'
    """
    assert answer(loaded_template, group) == answer(loaded_template, alone)
    assert "assumption" in answer(loaded_template, "select distinct caveat from mart_custody_view")


def test_revisions_stand_for_every_source_that_revises(loaded_template: Home) -> None:
    revised = dict(
        query.ask(loaded_template, "select dataset, count(*) from fct_revisions group by all").rows
    )
    assert {"cbo/actuals", "safe/balance_of_payments", "tic/slt_table5", "wgc/holdings_api"} <= revised.keys()
    # Never revised, or held in one release.
    assert not {"fiscaldata/debt_to_penny", "fed/treast", "bea/gdp"} & revised.keys()


@pytest.mark.parametrize(
    ("where", "prints"),
    [
        ("series = 'central_bank_gold_demand' and period_end = '2025-03-31'", [248.6, 236.998, 235.874]),
        ("cell like 'outlay/Net Interest/%' and measure = 'actual' and period_end = '2024-09-30'", [879.879]),
        ("cell like 'outlay/Net Interest/%' and measure = 'actual' and period_end = '2023-09-30'", [658.267]),
    ],
)
def test_figures_that_moved_are_told_print_by_print(
    loaded_template: Home, where: str, prints: list[float]
) -> None:
    found = query.ask(loaded_template, f"select value from fct_revisions where {where} order by version").rows
    assert [value for (value,) in found] == prints


def test_no_dataset_but_balances_near_zero_moved_farther_than_its_passport_expects(
    loaded_template: Home,
) -> None:
    beyond = query.ask(
        loaded_template, "select distinct dataset from mart_revision_size where beyond_plausible > 0"
    ).rows
    assert beyond == [("safe/balance_of_payments",)]


def test_how_new_each_dataset_is_stands_in_a_mart(loaded_template: Home) -> None:
    rows = query.ask(
        loaded_template,
        "select dataset, newest_released_on, newest_period_end, state from mart_source_freshness order by 1",
    ).rows
    table5 = next(row for row in rows if row[0] == "tic/slt_table5")
    assert table5[1:3] == (day("2026-09-16"), day("2026-07-31"))
    states = {row[0]: row[3] for row in rows}
    assert states["tic/mfh"] == "ended"
    assert states["fiscaldata/mts_table_9"] == "empty"
    loaded = """
        select cells, new_cells, changed_cells from mart_load_history
        where dataset = 'tic/slt_table5' order by released_on limit 1
    """
    assert query.ask(loaded_template, loaded).rows == [(325, 325, 0)]
