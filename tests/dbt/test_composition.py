"""What the debt, the foreign holdings and China's reserves are made of, and gold beside them."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from tests.conftest import day
from tidemark import build, pipeline, quality, query, registry, release_file
from tidemark.errors import UsageError
from tidemark.settings import Home, project_root
from tidemark.snapshot import Incoming


def rows(home: Home, sql: str, as_of: date | None = None) -> list[tuple[Any, ...]]:
    return query.ask(home, sql, as_of).rows


def cell(home: Home, sql: str, as_of: date | None = None) -> Any:
    ((only,),) = rows(home, sql, as_of)
    return only


# --- Who owns the federal debt ------------------------------------------------------------------------------


def test_the_share_of_the_debt_that_is_foreign_is_one_query(loaded_template: Home) -> None:
    asked = """
        select period_end, sum(share_of_total_ratio) from fct_debt_composition
        where is_foreign and is_latest_month group by all
    """
    ((month, share),) = rows(loaded_template, asked)
    # 9,248.1 bn by Table 5 of 2026-09-16, and the debt of 2026-07-31 by the penny.
    debt = "select total_debt_usd_bn from fct_debt_composition where is_latest_month limit 1"
    assert month == day("2026-07-31")
    assert share == pytest.approx(9248.1 / cell(loaded_template, debt), abs=1e-12)
    assert round(share, 3) == 0.233


@pytest.mark.parametrize(
    ("month", "trillion"),
    [("2022-01-31", 30), ("2025-08-31", 37), ("2025-10-31", 38), ("2026-03-31", 39)],
)
def test_the_debt_first_ends_a_month_above_a_trillion_when_the_press_said_so(
    loaded_template: Home, month: str, trillion: int
) -> None:
    first = f"select min(period_end) from fct_debt_composition where total_debt_usd_bn > {trillion}000"
    assert cell(loaded_template, first) == day(month)


def test_the_federal_reserve_is_measured_on_the_last_wednesday(loaded_template: Home) -> None:
    asked = """
        select amount_usd_bn, measured_on from fct_debt_composition
        where component = 'federal_reserve' and period_end = '2022-05-31'
    """
    assert rows(loaded_template, asked) == [(5769.417, day("2022-05-25"))]
    # 5,771.4 on 2022-06-08 is the peak of the weekly series, and no month ends on it.
    above = "select max(amount_usd_bn) from fct_debt_composition where component = 'federal_reserve'"
    assert 5760 < cell(loaded_template, above) < 5771.393
    weekdays = """
        select distinct component, dayname(measured_on) from fct_debt_composition
        where component = 'federal_reserve'
            or (component = 'intragovernmental' and dayname(measured_on) in ('Saturday', 'Sunday'))
    """
    assert rows(loaded_template, weekdays) == [("federal_reserve", "Wednesday")]


def test_the_debt_closes_in_every_month_since_the_federal_reserve_is_told(loaded_template: Home) -> None:
    asked = """
        with months as (
            select period_end, count(*) as parts, sum(amount_usd_bn) - max(total_debt_usd_bn) as gap,
                sum(share_of_total_ratio) - 1 as gap_ratio,
                min(amount_usd_bn) filter (where component = 'other_domestic') as residual
            from fct_debt_composition group by all
        )
        select count(*), min(period_end), max(period_end), min(parts), max(parts), max(abs(gap)) < 1e-9,
            max(abs(gap_ratio)) < 1e-12, min(residual) > 1700
        from months
    """
    told = (283, day("2002-12-31"), day("2026-07-31"), 5, 5, True, True, True)
    assert rows(loaded_template, asked) == [told]


def test_foreign_parts_are_the_holdings_that_stand(loaded_template: Home) -> None:
    at_odds = """
        select count(*) from (
            select period_end, sum(amount_usd_bn) as usd_bn from fct_debt_composition
            where is_foreign group by all
        ) inner join fct_holdings using (period_end)
        where holder_id = 'GRAND_TOTAL' and abs(usd_bn - holdings_usd_bn) > 1e-9
    """
    assert cell(loaded_template, at_odds) == 0


# --- Foreign holders by maturity, official and private ------------------------------------------------------


def test_where_bills_are_not_told_bonds_still_are(loaded_template: Home) -> None:
    asked = """
        select count(distinct holder_id), count(*), count(long_term_usd_bn), count(total_usd_bn),
            count(short_term_usd_bn), count(short_term_share_ratio)
        from fct_foreign_composition where missing_because = 'not available in Table 3'
    """
    assert rows(loaded_template, asked) == [(16, 1216, 1216, 0, 0, 0)]


def test_official_and_private_holdings_are_those_of_table_3(loaded_template: Home) -> None:
    asked = """
        select total_usd_bn, long_term_usd_bn, short_term_usd_bn, official_usd_bn, non_official_usd_bn
        from fct_foreign_composition where holder_id = 'GRAND_TOTAL' and period_end = '2026-04-30'
    """
    assert rows(loaded_template, asked) == [(9352.646, 7854.033, 1498.613, 3906.503, 5446.143)]
    apart = """
        select max(abs(total.non_official_usd_bn - private.total_usd_bn))
        from fct_foreign_composition as total inner join fct_foreign_composition as private using (period_end)
        where total.holder_id = 'GRAND_TOTAL' and private.holder_id = 'FOREIGN_NON_OFFICIAL'
    """
    assert cell(loaded_template, apart) < 0.0011  # Each is rounded to the million by itself.


def test_official_bills_reach_back_to_the_first_month_and_on_to_the_newest(loaded_template: Home) -> None:
    asked = """
        select period_end, long_term_usd_bn, short_term_usd_bn, dataset from fct_foreign_composition
        where holder_id = 'FOREIGN_OFFICIAL' and (period_end = '2000-03-31' or is_latest_month) order by 1
    """
    assert rows(loaded_template, asked) == [
        (day("2000-03-31"), 470.8, 164.8, "tic/mfhhis01"),
        (day("2026-07-31"), 3418.8, 354.4, "tic/slt_table5"),
    ]


# --- China's reserves ---------------------------------------------------------------------------------------


def test_chinas_reserves_are_the_figures_of_safe(loaded_template: Home) -> None:
    asked = """
        select
            round(sum(amount_usd_bn) filter (where component in ('treasuries', 'other_foreign_exchange')), 2),
            max(amount_usd_bn) filter (where component = 'gold'),
            max(gold_fine_oz),
            round(max(gold_tonnes), 1),
            max(amount_usd_bn) filter (where component = 'treasuries')
        from fct_reserve_composition where holder_id = 'CHN' and period_end = '2025-12-31'
    """
    china = "holder_id = 'CHN' and period_end = '2025-12-31'"
    tic = cell(loaded_template, f"select holdings_usd_bn from fct_holdings where {china}")
    assert rows(loaded_template, asked) == [(3357.87, 319.45, 74_150_000, 2306.3, tic)]


def test_the_parts_of_the_reserves_sum_to_the_published_total(loaded_template: Home) -> None:
    apart = """
        select count(*), max(abs(composition.total_usd_bn - published.value_usd_bn))
        from (select distinct period_end, total_usd_bn from fct_reserve_composition) as composition
        inner join staging.stg_safe__reserve_assets as published using (period_end)
        where published.item = 'total_official_reserve_assets' and published.measure = 'value_usd'
    """
    ((compared, furthest),) = rows(loaded_template, apart)
    assert compared == 4
    assert furthest < 0.003  # Six figures rounded to 0.001 bn.
    closes = """
        select count(*), min(period_end), max(period_end), max(abs(shares - 1)) < 1e-12 from (
            select period_end, sum(share_of_total_ratio) as shares from fct_reserve_composition group by all
        )
    """
    assert rows(loaded_template, closes) == [(101, day("2018-01-31"), day("2026-05-31"), True)]


def test_what_is_turned_from_sdr_is_what_safe_says_where_it_says_both(loaded_template: Home) -> None:
    asked = """
        with told as (
            select item, period_end, max(value_usd_bn) as usd_bn, max(value_sdr_bn) as sdr_bn
            from staging.stg_safe__reserve_assets where item <> 'total_official_reserve_assets' group by all
        )
        select count(*), max(abs(told.usd_bn - told.sdr_bn * fx.usd_bn / fx.sdr_bn))
        from told inner join told as fx on told.period_end = fx.period_end and fx.item = 'fx_reserves'
        where told.usd_bn is not null and told.sdr_bn is not null and told.item <> 'fx_reserves'
    """
    ((compared, furthest),) = rows(loaded_template, asked)
    assert compared == 16
    assert furthest < 0.001


# --- Gold ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holder", "month", "tonnes", "dataset"),
    [
        ("CHN", "2025-12-31", 2306.32, "safe/reserve_assets"),
        ("CHN", "2015-12-31", 1762.31, "wgc/holdings_api"),
        ("USA", "2026-03-31", 8133.46, "wgc/holdings_api"),
        ("POL", "2026-03-31", 581.64, "wgc/holdings_api"),
        ("RUS", "2000-06-30", 343.41, "wgc/holdings_api"),
    ],
)
def test_gold_is_what_the_publishers_say(
    loaded_template: Home, holder: str, month: str, tonnes: float, dataset: str
) -> None:
    where = f"where holder_id = '{holder}' and period_end = '{month}'"
    asked = f"select round(tonnes, 2), dataset from fct_gold_holdings {where}"
    assert rows(loaded_template, asked) == [(tonnes, dataset)]


def test_china_bought_gold_in_fourteen_months_in_a_row(loaded_template: Home) -> None:
    asked = """
        select count(*) filter (where bought > 0), count(*) from (
            select period_end, fine_oz - lag(fine_oz) over (order by period_end) as bought
            from fct_gold_holdings where holder_id = 'CHN' and fine_oz is not null
        ) where period_end between '2024-11-01' and '2025-12-31'
    """
    assert rows(loaded_template, asked) == [(14, 14)]
    before = asked.replace("2024-11-01", "2024-10-01").replace("2025-12-31", "2024-10-31")
    assert rows(loaded_template, before) == [(0, 1)]


def test_gold_is_known_as_it_was_on_each_day(loaded_template: Home) -> None:
    asked = """
        select round(tonnes, 2), dataset from fct_gold_holdings
        where holder_id = 'CHN' and period_end = '2026-03-31'
    """
    assert rows(loaded_template, asked, day("2026-08-17")) == []
    assert rows(loaded_template, asked, day("2026-08-18")) == [(2313.46, "wgc/holdings_api")]
    assert rows(loaded_template, asked, day("2026-10-07")) == [(2313.48, "safe/reserve_assets")]
    assert rows(loaded_template, asked) == [(2313.48, "safe/reserve_assets")]
    with pytest.raises(UsageError, match="mart_gold_quarterly keeps no vintages"):
        rows(loaded_template, "from mart_gold_quarterly", day("2026-08-18"))


def test_the_sparse_last_quarter_is_carried_forward_and_says_so(loaded_template: Home) -> None:
    asked = """
        select holders, holders_reporting, holders_carried_forward, holders_left
        from fct_gold_vs_treasuries where period = '2026Q1' and includes_usa and gold_tonnes is not null
    """
    # Germany and 62 others have not told it. Bolivia, silent since 2024-12, is gone; Venezuela long since.
    assert rows(loaded_template, asked) == [(106, 43, 63, 1)]
    germany = """
        select tonnes, is_carried_forward, carried_from, months_carried from mart_gold_quarterly
        where holder_id = 'DEU' and period = '2026Q1'
    """
    assert rows(loaded_template, germany) == [(3350.25, True, day("2025-12-31"), 3)]
    gone = (
        "select holder_id, max(period) from mart_gold_quarterly where holder_id in ('BOL', 'VEN') group by 1"
    )
    assert dict(rows(loaded_template, gone)) == {"BOL": "2025Q4", "VEN": "2019Q2"}
    # Summed raw the quarter would seem to have lost a third of the world's gold.
    raw = "select sum(tonnes) from fct_gold_holdings where period_end = '2026-03-31' and kind = 'country'"
    carried = "select sum(tonnes) from mart_gold_quarterly where period = '2026Q1' and is_counted_in_sums"
    assert cell(loaded_template, raw) < 0.7 * cell(loaded_template, carried)


def test_what_of_a_rise_is_new_coverage_is_told(loaded_template: Home) -> None:
    asked = """
        select holders, holders_entered, round(entered_tonnes, 2) from fct_gold_vs_treasuries
        where period = '2024Q4' and includes_usa and gold_tonnes is not null
    """
    assert rows(loaded_template, asked) == [(107, 68, 1235.48)]


def test_gold_against_treasuries_has_sixteen_perimeters_a_quarter(loaded_template: Home) -> None:
    shape = """
        select count(*), count(distinct period_end), min(period_end), max(period_end), count(gold_tonnes)
        from fct_gold_vs_treasuries
    """
    assert rows(loaded_template, shape) == [(105 * 16, 105, day("2000-03-31"), day("2026-03-31"), 105 * 2)]
    missing = """
        select distinct gold_missing_because from fct_gold_vs_treasuries
        where includes_imf and includes_bis and not includes_ecb
    """
    assert rows(loaded_template, missing) == [("no figure of IMF, BIS",)]
    asked = """
        select round(gold_tonnes, 2), gold_usd_bn, gold_price_usd_per_fine_oz,
            treasuries_foreign_usd_bn, treasuries_foreign_official_usd_bn
        from fct_gold_vs_treasuries where period = '2025Q4' and gold_tonnes is not null order by includes_usa
    """
    without, with_usa = rows(loaded_template, asked)
    assert with_usa[0] - without[0] == pytest.approx(8133.46)
    assert with_usa[2] == 4309.0  # World Bank, December 2025, average.
    assert with_usa[1] == pytest.approx(with_usa[0] * 32150.7466 * 4309.0 / 1e9, rel=1e-6)
    assert with_usa[3:] == (9269.5, 3877.7)


@pytest.fixture(scope="module")
def home_with_workbook(
    loaded_template: Home, publisher_files: Path, tmp_path_factory: pytest.TempPathFactory
) -> Home:
    """The snapshot, and beside it a workbook that names the institutions and the world."""
    home = Home(tmp_path_factory.mktemp("workbook") / "home")
    shutil.copytree(loaded_template.root, home.root, symlinks=True)
    file = publisher_files / "wgc" / "quarterly_gold_and_fx_reserves_2016-03.xlsx"
    incoming = Incoming(file.name, file.read_bytes(), date(2016, 3, 3), file.as_uri())
    pipeline.ingest(home, registry.dataset("wgc/holdings_quarterly"), [incoming])
    build.dbt(home, ["run", "--select", "int_gold_holdings__stated+"])
    return home


def test_the_sum_over_all_holders_is_just_below_the_councils_own_world(home_with_workbook: Home) -> None:
    with duckdb.connect(str(home_with_workbook.warehouse), read_only=True) as connection:
        found = connection.execute(
            "select count(gap_to_wgc_world_ratio), count(distinct period), min(gap_to_wgc_world_ratio), "
            "max(gap_to_wgc_world_ratio) from marts.fct_gold_vs_treasuries where wgc_world_tonnes is not null"
        ).fetchone()
    assert found is not None
    compared, quarters, lowest, highest = found
    assert (compared, quarters) == (64, 64)
    assert -0.02 < lowest < highest < 0


def test_sums_that_rest_on_a_file_that_one_brings_are_not_published(home_with_workbook: Home) -> None:
    connection = duckdb.connect()
    connection.execute(f"attach '{home_with_workbook.warehouse}' as copied")
    count = "select count(*) filter (where period <= '2015Q4'), count(*) from copied.{}"
    sums = ("marts.fct_gold_vs_treasuries", "intermediate.int_gold_quarterly__summed")
    for table in sums:
        assert connection.execute(count.format(table)).fetchall() == [(64 * 16, 105 * 16)]
    release_file._leave_out_restricted(connection)
    for table in sums:
        ((early, left),) = connection.execute(count.format(table)).fetchall()
        # What of 2015 was carried for a year, and who left after it, rests on the workbook too.
        assert (early, left) == (0, 36 * 16)
    holders = connection.execute(
        "select count(*), count(distinct dataset) from copied.marts.fct_gold_holdings where dataset <> "
        "'safe/reserve_assets' and dataset <> 'wgc/holdings_api'"
    ).fetchall()
    assert holders == [(0, 0)]
    connection.close()


# --- The doors ----------------------------------------------------------------------------------------------

MARTS = [
    "fct_gold_holdings", "fct_gold_holdings_vintages", "mart_gold_quarterly", "fct_debt_composition",
    "fct_foreign_composition", "fct_reserve_composition", "fct_gold_vs_treasuries",
]  # fmt: skip


def spoiled(frame: pd.DataFrame, expectation: dict[str, Any]) -> pd.DataFrame:
    """The mart with one row that breaks the expectation."""
    kind, said = expectation["type"], expectation["kwargs"]
    if kind == "expect_compound_columns_to_be_unique":
        return pd.concat([frame, frame.head(1)], ignore_index=True)
    bad = frame.copy()
    if kind == "expect_column_distinct_values_to_equal_set":
        return bad[bad[said["column"]] != said["value_set"][0]]
    if kind == "expect_column_pair_values_a_to_be_greater_than_b":
        both = bad[[said["column_A"], said["column_B"]]].dropna().index
        if len(both) == 0:
            pytest.skip("the bundled figures have no such pair")
        a, b = said["column_A"], said["column_B"]
        step = pd.Timedelta(days=1) if str(bad[a].dtype).startswith("datetime") else 1
        bad.loc[both[0], a] = bad.loc[both[0], b] - step
        return bad
    column = said["column"]
    where = bad.query(said["row_condition"]) if "row_condition" in said else bad
    if len(where) == 0:
        # Nothing bundled falls under the condition; a row that does is made of one that does not.
        first = bad.index[0]
        forced = {"status": "not_available", "aggregate_kind": "total", "missing_because": None}
        for name, value in forced.items():
            if name in bad.columns and name in said["row_condition"]:
                bad.loc[first, name] = value
        where = bad.query(said["row_condition"])
    row = where.index[0]
    values: dict[str, Any] = {
        "expect_column_values_to_not_be_null": None,
        "expect_column_values_to_be_null": "2025-12-31" if column == "carried_from" else 1,
        "expect_column_values_to_match_regex": "2025-12",
    }
    if kind == "expect_column_values_to_be_between":
        values[kind] = said["max_value"] + 1 if "max_value" in said else said["min_value"] - 1
    if kind in ("expect_column_values_to_be_in_set", "expect_column_distinct_values_to_be_in_set"):
        values[kind] = (not said["value_set"][0]) if isinstance(said["value_set"][0], bool) else "elsewhere"
    if kind == "expect_column_values_to_be_null" and column == "carried_from":
        bad[column] = bad[column].astype("datetime64[us]")
        values[kind] = pd.Timestamp("2025-12-31")
    bad.loc[row, column] = values[kind]
    return bad


@pytest.mark.parametrize("mart", MARTS)
def test_every_expectation_of_a_suite_can_fail(loaded_template: Home, tmp_path: Path, mart: str) -> None:
    suite = json.loads((project_root() / "expectations" / "marts" / f"{mart}.json").read_text("utf-8"))
    frame = build._mart(loaded_template, mart)
    checks = Home(tmp_path / "home")
    with quality.checking(checks) as check:
        assert check(f"marts/{mart}", frame, f"marts.{mart}").success
        for expectation in suite["expectations"]:
            if expectation["type"] == "expect_table_row_count_to_be_between":
                continue
            verdict = check(f"marts/{mart}", spoiled(frame, expectation), f"marts.{mart}")
            says = expectation["meta"]["says"]
            assert not verdict.success, says
            assert any(says in problem.message for problem in verdict.problems), says
