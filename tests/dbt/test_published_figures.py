"""What the published release answers: the publisher's figures, exactly, and nothing but reading."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import bundled_file, day
from tidemark import publish, query, registry, sources
from tidemark.errors import NothingPublishedError, UsageError
from tidemark.settings import Home

MARTS = {
    "dim_holder", "fct_holdings", "fct_holdings_vintages", "fct_series_breaks", "mart_top_holders",
    "fct_holding_changes", "fct_revisions", "mart_revision_size", "fct_series", "fct_series_vintages",
    "fct_claim_checks", "mart_source_freshness", "mart_load_history", "mart_reconciliation",
    "fct_gold_holdings", "fct_gold_holdings_vintages", "mart_gold_quarterly", "fct_gold_vs_treasuries",
    "fct_change_decomposition", "mart_breadth", "mart_custody_view", "fct_interest_burden",
    "fct_interest_burden_vintages", "fct_interest_projections", "mart_projection_errors",
    "fct_debt_composition", "fct_foreign_composition", "fct_reserve_composition",
}  # fmt: skip


def answer(home: Home, sql: str, as_of: date | None = None) -> Any:
    """The one cell that a query gives."""
    ((cell,),) = query.ask(home, sql, as_of).rows
    return cell


def of(holder: str, month: str, what: str, mart: str = "fct_holdings") -> str:
    """The SQL for a column of a mart in a month such as 2013-11."""
    cell = f"holder_id = '{holder}' and strftime(period_end, '%Y-%m') = '{month}'"
    return f"select {what} from {mart} where {cell}"


def command_line(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tidemark.cli", "--home", str(home.root), *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


# --- Figures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holder", "month", "holdings_usd_bn"),
    [
        ("CHN", "2013-11", 1316.7),
        ("CHN", "2025-10", 687.7),
        ("GBR", "2010-06", 94.5),
        ("JPN", "2022-10", 1064.4),
        ("SAU", "2022-03", 115.5),
    ],
)
def test_holdings_are_the_published_figures(
    loaded_template: Home, holder: str, month: str, holdings_usd_bn: float
) -> None:
    assert answer(loaded_template, of(holder, month, "holdings_usd_bn")) == holdings_usd_bn


@pytest.mark.parametrize(
    ("holder", "month", "column", "change_usd_bn"),
    [
        ("CHN", "2022-12", "change_calendar_year_usd_bn", -173.2),
        ("CHN", "2023-12", "change_calendar_year_usd_bn", -50.8),
        ("CHN", "2024-12", "change_calendar_year_usd_bn", -57.3),
        ("CHN", "2022-12", "change_12m_usd_bn", -173.2),
        ("CHN", "2023-12", "change_ytd_usd_bn", -50.8),
        ("SAU", "2022-03", "change_1m_usd_bn", -1.2),
    ],
)
def test_changes_are_those_of_the_published_figures(
    loaded_template: Home, holder: str, month: str, column: str, change_usd_bn: float
) -> None:
    assert answer(loaded_template, of(holder, month, column, "fct_holding_changes")) == change_usd_bn


def test_china_peaked_in_november_2013(loaded_template: Home) -> None:
    peak = of("CHN", "2015-05", "(peak_usd_bn, peak_period_end)", "fct_holding_changes")
    assert answer(loaded_template, peak) == (1316.7, day("2013-11-30"))


@pytest.mark.parametrize(
    ("as_of", "holdings_usd_bn"),
    [("2025-12-18", 688.7), ("2025-12-20", 688.7), ("2026-03-17", 688.7), ("2026-03-18", 687.7)],
)
def test_a_revised_figure_is_known_as_it_was_on_each_day(
    loaded_template: Home, as_of: str, holdings_usd_bn: float
) -> None:
    sql = of("CHN", "2025-10", "holdings_usd_bn")
    assert answer(loaded_template, sql, day(as_of)) == holdings_usd_bn
    by_macro = of("CHN", "2025-10", "holdings_usd_bn", f"fct_holdings_as_of('{as_of}')")
    assert answer(loaded_template, by_macro) == holdings_usd_bn
    by_range = (
        of("CHN", "2025-10", "holdings_usd_bn", "fct_holdings_vintages")
        + f" and released_on <= date '{as_of}' and (superseded_on is null or superseded_on > date '{as_of}')"
    )
    assert answer(loaded_template, by_range) == holdings_usd_bn


def test_every_mart_with_vintages_answers_as_of_a_day(loaded_template: Home) -> None:
    kept = sorted(name.removesuffix("_vintages") for name in MARTS if name.endswith("_vintages"))
    assert kept == ["fct_gold_holdings", "fct_holdings", "fct_interest_burden", "fct_series"]
    for mart in kept:
        known = "select count(*) from {} where released_on > date '2025-12-20'"
        assert answer(loaded_template, known.format(mart), day("2025-12-20")) == 0
        assert answer(loaded_template, known.format(f"{mart}_as_of('2025-12-20')")) == 0
        counted = f"select count(*) from {mart}"
        by_macro = answer(loaded_template, f"select count(*) from {mart}_as_of('2025-12-20')")
        assert answer(loaded_template, counted, day("2025-12-20")) == by_macro > 0


def test_before_its_first_print_a_figure_is_unknown(loaded_template: Home) -> None:
    sql = of("CHN", "2025-10", "holdings_usd_bn")
    assert query.ask(loaded_template, sql, day("2025-12-17")).rows == []
    assert query.ask(loaded_template, "from fct_holdings", day("2023-03-14")).rows == []


def test_the_first_print_and_its_revision_stand_side_by_side(loaded_template: Home) -> None:
    columns = "first_value, first_released_on, value, released_on, revision_usd_bn, previous_dataset"
    told = query.ask(loaded_template, of("CHN", "2025-10", columns, "fct_revisions")).rows
    assert told == [
        (688.7, day("2025-12-18"), 687.7, day("2026-03-18"), -1.0, "tic/cited_first_prints")
    ]  # fmt: skip


def test_the_old_series_stands_beside_the_one_that_continues(loaded_template: Home) -> None:
    told = query.ask(
        loaded_template,
        of("GBR", "2010-06", "holdings_usd_bn, continuing_holdings_usd_bn, status", "fct_series_breaks"),
    ).rows
    assert told == [(363.6, 94.5, "published")]
    changes = of("GBR", "2010-06", "(change_1m_usd_bn, change_1m_missing_because)", "fct_holding_changes")
    assert answer(loaded_template, changes) == (None, "series break in between")


def test_no_change_is_computed_across_a_break(loaded_template: Home) -> None:
    crossing = """
        select count(*) from fct_holding_changes as changes
        inner join fct_series_breaks as breaks using (holder_id, period_end)
        where change_1m_usd_bn is not null or change_3m_usd_bn is not null or change_12m_usd_bn is not null
            or change_ytd_usd_bn is not null or change_12m_pct is not null
    """
    assert answer(loaded_template, crossing) == 0
    assert answer(loaded_template, "select count(*) from fct_series_breaks") > 400


def test_every_missing_change_says_why_and_no_other_does(loaded_template: Home) -> None:
    for span in ("1m", "3m", "12m", "ytd"):
        at_odds = f"""
            select count(*) from fct_holding_changes
            where (change_{span}_usd_bn is null) <> (change_{span}_missing_because is not null)
        """
        assert answer(loaded_template, at_odds) == 0, span


def test_the_united_kingdom_holds_more_than_china_from_march_2025_on(loaded_template: Home) -> None:
    months = query.ask(
        loaded_template,
        """
        select strftime(period_end, '%Y-%m'), uk.holdings_usd_bn > china.holdings_usd_bn,
            uk.holder_rank < china.holder_rank
        from mart_top_holders as uk inner join mart_top_holders as china using (period_end)
        where uk.holder_id = 'GBR' and china.holder_id = 'CHN' and period_end >= date '2025-01-01'
        order by period_end
        """,
    ).rows
    assert months[:2] == [("2025-01", False, False), ("2025-02", False, False)]
    assert len(months[2:]) >= 17
    assert months[2][0] == "2025-03"
    assert all(above and ranked_above for _, above, ranked_above in months[2:])


def test_no_aggregate_is_ranked_anywhere(loaded_template: Home) -> None:
    ranked = "select count(*) from fct_holding_changes where kind = 'aggregate' and holder_rank is not null"
    assert answer(loaded_template, ranked) == 0
    months = "select count(*) from fct_holding_changes where holder_id = 'GRAND_TOTAL'"
    assert answer(loaded_template, months) >= 317
    named = """
        select count(*) from mart_top_holders
        where holder_id in (select holder_id from dim_holder where kind = 'aggregate')
    """
    assert answer(loaded_template, named) == 0
    firsts = (
        "select count(*) filter (where holder_rank = 1) - count(distinct period_end) from mart_top_holders"
    )
    assert answer(loaded_template, firsts) == 0


def test_three_holders_lead_the_latest_month(loaded_template: Home) -> None:
    top = query.ask(
        loaded_template,
        """
        select holder_rank, holder_name, period_end from mart_top_holders
        where is_latest_month order by holder_rank limit 3
        """,
    ).rows
    latest = day("2026-07-31")
    assert top == [(1, "Japan", latest), (2, "United Kingdom", latest), (3, "China", latest)]


# --- What was loaded --------------------------------------------------------------------------------------


def test_raw_tables_hold_every_figure_that_was_published(loaded_template: Home) -> None:
    history = query.ask(loaded_template, "select status, count(*) from raw.tic__mfhhis01 group by all").rows
    assert dict(history) == {"published": 12_712, "not_available": 6}
    table5 = query.ask(
        loaded_template,
        "select released_on, cells from raw.releases where dataset = 'tic/slt_table5' order by all",
    ).rows
    assert table5 == [(day("2026-06-18"), 325), (day("2026-09-16"), 325)]
    ((country_months, cells, measures),) = query.ask(
        loaded_template,
        """
        select count(distinct (code, period_end)), count(*), count(distinct measure) from raw.tic__slt_table3
        """,
    ).rows
    assert (country_months, cells, measures) == (6_916, 6_916 * 7, 7)


def test_what_is_not_available_stays_so_and_is_no_zero(loaded_template: Home) -> None:
    for table in ("mfhhis01", "slt_table3", "slt_table5", "mfh", "cited_first_prints"):
        at_odds = f"""
            select count(*) from raw.tic__{table} where (value is null) <> (status <> 'published')
        """
        assert answer(loaded_template, at_odds) == 0, table
    kept = "select count(*) > 0 from raw.tic__slt_table3 where status = 'not_available'"
    assert answer(loaded_template, kept) is True


@pytest.mark.parametrize("name", ["slt_table5_2026-06-18.txt", "slt_table5_2026-09-16.txt"])
def test_countries_and_all_other_sum_to_grand_total(name: str) -> None:
    figures = sources.parse(registry.dataset("tic/slt_table5"), bundled_file(name)).observations
    months = figures[~figures["label"].str.startswith("Of Which")].pivot(
        index="label", columns="period_end", values="value"
    )
    gap = months.drop(index="Grand Total").sum() - months.loc["Grand Total"]
    assert len(gap) == 13
    assert gap.abs().max() < 0.2001


def test_table3_and_table5_of_one_release_agree_after_rounding(loaded_template: Home) -> None:
    ((compared, furthest),) = query.ask(
        loaded_template,
        """
        select count(*), max(abs(table5.value_usd_bn - table3.value_usd_bn))
        from staging.stg_tic__slt_table5 as table5
        inner join staging.stg_tic__slt_table3 as table3 using (holder_id, period_end, released_on)
        where table3.measure = 'holdings_total'
        """,
    ).rows
    assert compared >= 13 * 21
    assert furthest < 0.0501


# --- The published file -----------------------------------------------------------------------------------


def test_the_columns_that_consumers_rely_on_are_there(loaded_template: Home) -> None:
    columns = query.ask(loaded_template, "select column_name, column_type from (describe fct_holdings)").rows
    promised = {
        "holder_id": "VARCHAR",
        "holder_name": "VARCHAR",
        "kind": "VARCHAR",
        "period_end": "DATE",
        "holdings_usd_bn": "DOUBLE",
        "released_on": "DATE",
        "dataset": "VARCHAR",
    }
    assert promised.items() <= dict(columns).items()
    twice = "select count(*) - count(distinct (holder_id, period_end)) from fct_holdings"
    assert answer(loaded_template, twice) == 0


def test_every_mart_and_every_column_of_it_is_described(loaded_template: Home) -> None:
    tables = query.ask(
        loaded_template,
        "select table_name, table_comment from information_schema.tables where table_schema = 'marts'",
    ).rows
    assert {name for name, _ in tables} == MARTS
    assert [name for name, comment in tables if not comment] == []
    bare = query.ask(
        loaded_template,
        """
        select table_name, column_name from duckdb_columns()
        where schema_name = 'marts' and comment is null
        """,
    ).rows
    assert bare == []
    without_unit = query.ask(
        loaded_template,
        """
        select table_name, column_name from duckdb_columns()
        where schema_name = 'marts' and column_name like '%usd_bn' and comment not like '%USD billion%'
        """,
    ).rows
    assert without_unit == []


def test_every_mart_is_named_without_its_schema_in_the_file_itself(loaded_template: Home) -> None:
    file = publish.current(loaded_template).file
    with duckdb.connect(str(file), read_only=True) as connection:
        views = connection.execute(
            "select view_name from duckdb_views() where schema_name = 'main' and not internal"
        ).fetchall()
        assert {name for (name,) in views} == MARTS
        for mart in sorted(MARTS):
            same = f"select (select count(*) from {mart}) = (select count(*) from marts.{mart})"
            assert connection.execute(same).fetchall() == [(True,)], mart
        figure = of("CHN", "2025-10", "holdings_usd_bn", "fct_holdings_as_of('2025-12-20')")
        assert connection.execute(figure).fetchall() == [(688.7,)]


@pytest.mark.parametrize(
    "statement",
    [
        "create table mine as select 1 as one",
        "create view mine as select 1 as one",
        "insert into marts.fct_holdings select * from marts.fct_holdings",
        "update marts.fct_holdings set holdings_usd_bn = 0",
        "delete from marts.fct_holdings",
        "drop table marts.fct_holdings",
        "drop view fct_holdings",
        "select * from read_csv('{file}')",
        "select * from read_text('{file}')",
        "select * from '{file}'",
        "select * from glob('{folder}/*')",
        "copy fct_holdings to '{folder}/out.csv'",
        "export database '{folder}/out'",
        "attach '{folder}/other.duckdb'",
        "attach '{warehouse}' as warehouse",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "reset lock_configuration",
        "set memory_limit = '1GB'",
        "set threads = 1",
        "detach release",
    ],
)
def test_a_query_can_do_nothing_but_read(loaded_template: Home, tmp_path: Path, statement: str) -> None:
    file = tmp_path / "elsewhere.csv"
    file.write_text("column\n1\n")
    published = publish.current(loaded_template).file
    before = hashlib.sha256(published.read_bytes()).hexdigest()
    places = {"file": file, "folder": tmp_path, "warehouse": loaded_template.warehouse}
    for as_of in (None, day("2025-12-20")):
        if as_of and ("mine" in statement or "detach" in statement or "drop view" in statement):
            continue  # As of a day, the views stand in memory and are gone with the connection.
        with pytest.raises(UsageError):
            query.ask(loaded_template, statement.format(**places), as_of)
    assert hashlib.sha256(published.read_bytes()).hexdigest() == before
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("mart", ["mart_top_holders", "fct_holding_changes", "fct_revisions"])
def test_as_of_a_day_a_mart_without_vintages_is_refused_by_name(loaded_template: Home, mart: str) -> None:
    with pytest.raises(UsageError, match=f"{mart} keeps no vintages") as refused:
        query.ask(loaded_template, f"select * from {mart}", day("2025-12-20"))
    assert "fct_holdings" in str(refused.value.advice)


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("", "no SQL"),
        ("selec 1", "syntax error"),
        ("select * from no_such_mart", "no_such_mart does not exist"),
        ("select no_such_column from fct_holdings", "no_such_column"),
    ],
)
def test_a_wrong_query_is_told_what_is_wrong(loaded_template: Home, statement: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        query.ask(loaded_template, statement)


def test_before_anything_is_published_there_is_nothing_to_ask(home: Home) -> None:
    with pytest.raises(NothingPublishedError):
        query.ask(home, "select 1")


# --- The command line -------------------------------------------------------------------------------------

CHINA = of(
    "CHN",
    "2025-10",
    "holder_id, holder_name_zh, period_end, holdings_usd_bn, cast(null as varchar) as nothing",
    "fct_holdings inner join dim_holder using (holder_id)",
)


def test_the_command_line_answers_in_json(loaded_template: Home) -> None:
    done = command_line(loaded_template, "sql", CHINA, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        {
            "holder_id": "CHN",
            "holder_name_zh": "中国",
            "period_end": "2025-10-31",
            "holdings_usd_bn": 687.7,
            "nothing": None,
        }
    ]
    assert "中国" in done.stdout
    assert done.stderr == ""


def test_the_command_line_answers_in_csv_as_of_a_day(loaded_template: Home) -> None:
    done = command_line(loaded_template, "sql", CHINA, "--as-of", "2025-12-20", "--format", "csv")
    assert done.returncode == 0, done.stderr
    assert list(csv.reader(io.StringIO(done.stdout))) == [
        ["holder_id", "holder_name_zh", "period_end", "holdings_usd_bn", "nothing"],
        ["CHN", "中国", "2025-10-31", "688.7", ""],
    ]
    assert done.stderr == ""


def test_the_command_line_refuses_with_a_sentence_and_exit_code_2(loaded_template: Home) -> None:
    done = command_line(loaded_template, "sql", "from mart_top_holders", "--as-of", "2025-12-20")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "mart_top_holders keeps no vintages" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_answer_without_rows_is_an_empty_list_or_a_header() -> None:
    empty = query.Answer(["holder_id", "holdings_usd_bn"], [])
    assert json.loads(empty.as_json()) == []
    assert empty.as_csv() == "holder_id,holdings_usd_bn\n"


@pytest.mark.parametrize(
    ("model", "where", "usd_bn"),
    [
        ("stg_fed__treast", "period_end = '2022-06-08'", 5771.393),
        (
            "stg_fiscaldata__debt_to_penny",
            "component = 'total' and period_end = '2026-08-18'",
            40047.42576842022,
        ),
        (
            "stg_fiscaldata__interest_expense",
            "label like '% PUBLIC ISSUES' and period_end = '2026-07-31'",
            100.51859076716,
        ),
        ("stg_bea__gdp", "period_end = '2026-06-30'", 32475.21),
    ],
)
def test_figures_beside_the_holders_stand_in_staging(loaded_template, model, where, usd_bn):
    connection = duckdb.connect(str(loaded_template.warehouse), read_only=True)
    try:
        found = connection.execute(f"select value_usd_bn from staging.{model} where {where}").fetchall()
    finally:
        connection.close()
    assert found == [(usd_bn,)]


def test_the_debt_first_stood_above_38_trillion_on_2025_10_21(loaded_template):
    connection = duckdb.connect(str(loaded_template.warehouse), read_only=True)
    try:
        found = connection.execute(
            "select min(period_end) from staging.stg_fiscaldata__debt_to_penny "
            "where component = 'total' and value_usd_bn > 38000"
        ).fetchone()
    finally:
        connection.close()
    assert found == (day("2025-10-21"),)


def test_as_of_a_day_the_schema_may_be_named_and_the_release_is_out_of_reach(published_home: Home) -> None:
    asked = "select holdings_usd_bn from {} where holder_id = 'CHN' and period_end = '2025-10-31'"
    for name in ("fct_holdings", "marts.fct_holdings"):
        assert query.ask(published_home, asked.format(name), day("2025-12-20")).rows == [(688.7,)]
    with pytest.raises(UsageError):
        query.ask(published_home, asked.format("release.marts.fct_holdings"), day("2025-12-20"))


def test_as_of_a_day_vintages_end_with_it(published_home: Home) -> None:
    asked = "select max(released_on), max(superseded_on) from fct_holdings_vintages"
    ((released_on, superseded_on),) = query.ask(published_home, asked, day("2026-06-30")).rows
    assert released_on == day("2026-06-18")
    assert superseded_on <= day("2026-06-30")


def test_json_keeps_columns_of_one_name_and_is_json(published_home: Home) -> None:
    asked = "select 1 as x, 2 as x, 'nan'::double as y, 1.5 as z, null as n"
    (row,) = json.loads(query.ask(published_home, asked).as_json())
    assert row == {"x": 1, "x_1": 2, "y": None, "z": 1.5, "n": None}
