"""What `tidemark check` says of statements: those that are bundled, others, and rows that cannot be read."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.dbt.test_published_figures import command_line
from tidemark import claims, query
from tidemark.errors import NothingPublishedError, UsageError
from tidemark.settings import Home, project_root

BUNDLED = project_root() / "dbt_project" / "seeds" / "claims.csv"

# By hand, from the publishers' files. Of the statements of May 2022 no release of that month is held.
VERDICTS = {
    # 1,050 within 15: today 1,013.2. Its first print, which is not held, may have been nearer.
    "C001": "revised_unknown",
    "C002": "confirmed",
    "C003": "confirmed",
    # -73.9 to a tenth: 1,229.0 less 1,303.0 is -74.0 today.
    "C005": "revised_unknown",
    "C006": "revised_unknown",
    "C007": "confirmed",
    "C009": "confirmed",
    "C010": "confirmed",
    "C013": "confirmed",
    "C014": "confirmed",
    "C016": "confirmed",
    "C017": "confirmed",
    # 30,401 of debt over GDP of 25,250 is 120%; 145% is beyond any revision of GDP.
    "C019": "refuted",
    "C020": "confirmed_when_published",
    "C021": "confirmed",
    "C022": "confirmed",
    "C024": "confirmed_when_published",
    "C025": "confirmed_when_published",
    "C027": "revised_unknown",
    "C031": "confirmed",
    "C033": "confirmed",
    "C035": "confirmed_when_published",
    "C036": "confirmed",
    # It had passed 38.4 trillion on December 1, and stood at 38.37 on the day that is named.
    "C041": "refuted",
    "C042": "confirmed",
    "C043": "revised_unknown",
    "C045": "revised_unknown",
    # From November 2024 to September 2025 are eleven months, and the flat months before are held as printed.
    "C051": "refuted",
    # The quarters of 2024 are held from four vintages, and the year from none.
    "C054": "not_covered",
    "C057": "revised_unknown",
    "C059": "confirmed",
    # First printed as 243.7, 248.6 in the last edition held before the day, 235.9 today.
    "C060": "revised_unknown",
    "C061": "confirmed",
    "C062": "confirmed",
    # 38 trillion was passed on 2025-10-21, and Debt to the Penny is never revised.
    "C063": "refuted",
    "C066": "refuted",
}


def statements(path: Path, *rows: str) -> Path:
    """A file of statements; each row without document and statement."""
    header = ",".join(column for column in claims.COLUMNS if column not in ("document", "statement"))
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def verdicts(home: Home, path: Path) -> list[dict[str, object]]:
    answer = claims.check(home, path)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def test_every_bundled_statement_has_the_verdict_that_the_files_give(loaded_template: Home) -> None:
    rows = query.ask(loaded_template, "select claim_id, verdict from fct_claim_checks").rows
    assert dict(rows) == VERDICTS


def test_the_command_and_the_mart_say_the_same(loaded_template: Home) -> None:
    by_command = [
        {name: value for name, value in row.items() if name != "line"}
        for row in verdicts(loaded_template, BUNDLED)
    ]
    mart = query.ask(loaded_template, "select * exclude (claim_row) from fct_claim_checks order by claim_id")
    assert by_command == [dict(zip(mart.columns, row, strict=True)) for row in mart.rows]


def test_the_sql_of_a_verdict_shows_its_figure(loaded_template: Home) -> None:
    shown = query.ask(
        loaded_template,
        "select claim_id, sql, value_today, date_today, sql_on_the_day, value_on_the_day, date_on_the_day "
        "from fct_claim_checks where verdict <> 'not_covered'",
    ).rows
    assert len(shown) == 35
    for claim_id, sql, value, day, sql_of_the_day, value_of_the_day, day_of_the_day in shown:
        first = query.ask(loaded_template, sql).rows[0][0]
        assert first == (pytest.approx(value, abs=1e-5) if day is None else day), claim_id
        if value_of_the_day is not None or day_of_the_day is not None:
            first = query.ask(loaded_template, sql_of_the_day).rows[0][0]
            due = value_of_the_day if day_of_the_day is None else day_of_the_day
            assert first == (pytest.approx(due, abs=1e-5) if day_of_the_day is None else due), claim_id


def test_a_verdict_says_what_it_was_held_against_and_on_which_releases(loaded_template: Home) -> None:
    ((held_against, reason, releases),) = query.ask(
        loaded_template,
        "select held_against, reason, releases_today from fct_claim_checks where claim_id = 'C066'",
    ).rows
    assert "average of the month's daily prices" in held_against
    assert reason.startswith("today 4058.33; farther off than revisions of worldbank/gold_price reach")
    assert releases == "worldbank/gold_price@2026-07-02"
    ((today, on_the_day),) = query.ask(
        loaded_template,
        "select releases_today, releases_on_the_day from fct_claim_checks where claim_id = 'C025'",
    ).rows
    assert (today, on_the_day) == ("tic/mfhhis01@2026-03-18", "tic/cited_first_prints@2025-12-18")


@pytest.mark.parametrize(
    ("row", "verdict", "today"),
    [
        ("JPN,level,,2022-10,,1064.4,usd_bn,,2026-10-01", "confirmed", 1064.4),
        ("JPN,level,,2022-10,,1.0644,usd_tn,,2026-10-01", "confirmed", 1.0644),
        ("CHN,peak,,2026-07,,1316.7,usd_bn,,2026-10-01", "confirmed", 1316.7),
        ("CHN,change,2021-12,2022-12,,-173.2,usd_bn,,2026-10-01", "confirmed", -173.2),
        ("GBR,rank,,2026-07,,2,rank,0,2026-10-01", "confirmed", 2),
        ("GBR,rank,,2025-02,,2,rank,0,2026-10-01", "refuted", 3),
        # Before March 2025 it was third; in 2000 it had been second.
        ("GBR,first_rank,2024-01,2026-07,2,2025-03,month,,2026-10-01", "confirmed", None),
        ("GBR,first_rank,2024-01,2026-07,2,2024,year,,2026-10-01", "refuted", None),
        ("WLD,level,,2025-10,,9243.0,usd_bn,,2025-12-21", "confirmed_when_published", None),
        ("CHN,level,,2025-10,,690.0,usd_bn,,2025-12-21", "refuted", 687.7),
        ("CHN,level,,1999-10,,690.0,usd_bn,,2025-12-21", "not_covered", None),
        ("CHN,change,2011-11,2011-12,,-102.7,usd_bn,,2025-12-21", "not_covered", None),
    ],
)
def test_statements_about_holdings(
    loaded_template: Home, tmp_path: Path, row: str, verdict: str, today: float | None
) -> None:
    (found,) = verdicts(loaded_template, statements(tmp_path / "c.csv", f"x,treasury_holdings,{row}"))
    assert (found["verdict"], found["error"]) == (verdict, None)
    if today is not None:
        assert found["value_today"] == today


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ("debt_total,USA,level,,2022-01-31,at_least,30000,usd_bn,0,2022-02-02", "confirmed"),
        ("debt_total,USA,level,,2025-10-20,at_least,38000,usd_bn,0,2025-11-01", "refuted"),
        ("debt_total,USA,level,,2025-10-21,at_least,38,usd_tn,0,2025-11-01", "confirmed"),
        # A Sunday: the last business day before it counts.
        ("debt_total,USA,level,,2025-10-26,above,38000,usd_bn,0,2025-11-01", "confirmed"),
        ("fed_treasuries,USA,peak,,2026-07,,5771.4,usd_bn,,2026-10-01", "confirmed"),
        ("fed_treasuries,USA,level,,2022-06,,5.75,usd_tn,0.05,2022-07-10", "confirmed"),
        ("net_interest,USA,level,,FY2024,,881.1,usd_bn,,2025-06-01", "confirmed_when_published"),
        ("net_interest,USA,level,,FY2023,,659.3,usd_bn,,2024-01-01", "confirmed_when_published"),
        ("net_interest,USA,level,,2024,,879.9,usd_bn,,2026-06-01", "not_covered"),
        ("net_interest,USA,exceeds,,FY2023,defense_discretionary,0,boolean,0,2026-06-01", "confirmed"),
        ("net_interest,USA,ratio,,FY2024,defense_discretionary,1.0,ratio,0.1,2026-06-01", "confirmed"),
        ("gold_fine_oz,CHN,streak_up,,2025-12,,14,months,0,2026-01-25", "confirmed"),
        ("gold_fine_oz,CHN,count_increase_months,2025-01,2025-12,,12,months,0,2026-01-25", "confirmed"),
        ("gold_tonnes,CHN,level,,2025-12,,2306.3,tonnes,,2026-01-25", "confirmed"),
        ("central_bank_gold_demand,WLD,level,,2025Q1,,243.7,tonnes,,2025-05-10", "confirmed_when_published"),
        ("central_bank_gold_demand,WLD,level,,2026Q1,,243.7,tonnes,,2026-05-10", "confirmed_when_published"),
        ("gold_price,WLD,level,,2026-02,,5020,usd_per_oz,1,2026-08-01", "confirmed"),
        ("current_account,CHN,level,,2023,,252.99,usd_bn,,2024-06-01", "confirmed"),
        ("fx_reserves,CHN,level,,2025-12,,3357.9,usd_bn,,2026-02-01", "confirmed"),
    ],
)
def test_statements_about_all_else(loaded_template: Home, tmp_path: Path, row: str, verdict: str) -> None:
    (found,) = verdicts(loaded_template, statements(tmp_path / "c.csv", f"x,{row}"))
    assert (found["verdict"], found["error"]) == (verdict, None), found


def test_china_was_the_lowest_since_the_year_that_was_reported(loaded_template: Home, tmp_path: Path) -> None:
    file = statements(
        tmp_path / "c.csv", "x,treasury_holdings,CHN,lowest_since,,2025-10,,2008,year,,2025-12-21"
    )
    (found,) = verdicts(loaded_template, file)
    assert found["verdict"] == "confirmed"
    assert found["date_today"].year == 2008  # type: ignore[attr-defined]
    assert found["value_today"] is None


def test_a_row_that_cannot_be_read_is_named_and_the_others_are_checked(
    loaded_template: Home, tmp_path: Path
) -> None:
    file = statements(
        tmp_path / "c.csv",
        "good,treasury_holdings,JPN,level,,2022-10,,1064.4,usd_bn,,2026-10-01",
        "bad_period,treasury_holdings,JPN,level,,2022-13,,1064.4,usd_bn,,2026-10-01",
        "bad_series,bonds,JPN,level,,2022-10,,1064.4,usd_bn,,2026-10-01",
        "bad_entity,treasury_holdings,Japan,level,,2022-10,,1064.4,usd_bn,,2026-10-01",
        "bad_unit,treasury_holdings,JPN,level,,2022-10,,1064.4,tonnes,,2026-10-01",
        "too,few,fields",
        "",
        "also_good,debt_total,USA,level,,2025-10-21,at_least,38000,usd_bn,0,2025-11-01",
    )
    done = command_line(loaded_template, "check", str(file), "--format", "json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert [(row["line"], row["claim_id"], row["verdict"]) for row in found] == [
        (2, "good", "confirmed"),
        (3, "bad_period", "error"),
        (4, "bad_series", "error"),
        (5, "bad_entity", "error"),
        (6, "bad_unit", "error"),
        (7, "too", "error"),
        (9, "also_good", "confirmed"),
    ]
    for line, claim_id, what in (
        (3, "bad_period", "'2022-13'"),
        (4, "bad_series", "'bonds' is unknown; known are central_bank_gold_demand, current_account,"),
        (5, "bad_entity", "'Japan'"),
        (6, "bad_unit", "'tonnes' does not fit level of treasury_holdings, which is in usd_bn"),
        (7, "too", "has 3 fields where the header has 11"),
    ):
        (told,) = [text for text in done.stderr.splitlines() if f"line {line} ({claim_id})" in text]
        assert what in told
    assert "Traceback" not in done.stderr


def test_the_command_prints_a_table_and_a_count(loaded_template: Home) -> None:
    done = command_line(loaded_template, "check", str(BUNDLED))
    assert done.returncode == 0
    assert "688.7 on the day; revised since, today 687.7" in done.stdout
    assert (
        "36 statements: 18 confirmed, 4 confirmed_when_published, 5 refuted, 8 revised_unknown" in done.stderr
    )


def test_json_tells_the_value_the_releases_and_the_sql(loaded_template: Home) -> None:
    done = command_line(loaded_template, "check", str(BUNDLED), "--format", "json")
    (china,) = [row for row in json.loads(done.stdout) if row["claim_id"] == "C025"]
    assert china["verdict"] == "confirmed_when_published"
    assert (china["value_today"], china["value_on_the_day"]) == (687.7, 688.7)
    assert china["releases_on_the_day"] == "tic/cited_first_prints@2025-12-18"
    assert "fct_series_as_of('2025-12-21')" in china["sql_on_the_day"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "the header lacks claim_id"),
        (b"claim_id,series\n", "the header lacks entity"),
        (BUNDLED.read_bytes().replace(b"tolerance", b"tolerence", 1), "has unknown tolerence"),
        (BUNDLED.read_bytes().splitlines()[0], "holds no statements"),
        (BUNDLED.read_bytes() + b"\xff\xfe\n", "is no UTF-8"),
    ],
)
def test_a_file_that_is_none_of_statements_is_refused(
    loaded_template: Home, tmp_path: Path, content: bytes, complaint: str
) -> None:
    file = tmp_path / "c.csv"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=complaint):
        claims.check(loaded_template, file)
    with pytest.raises(UsageError, match="cannot read"):
        claims.check(loaded_template, tmp_path / "not_there.csv")


def test_text_of_a_statement_never_becomes_sql(loaded_template: Home, tmp_path: Path) -> None:
    file = statements(
        tmp_path / "c.csv",
        "\"x'; drop table y; --\",treasury_holdings,\"CHN' or '1'='1\",level,,2025-10,,1,usd_bn,,2025-12-21",
        'x,treasury_holdings,CHN,first_below,,2025-10,"700 or 1=1",2025-10,month,,2025-12-21',
        "x,treasury_holdings,CHN,exceeds,,2025-10,\"treasury_holdings:JPN' or '1'='1\",1,boolean,,2025-12-21",
    )
    assert [row["verdict"] for row in verdicts(loaded_template, file)] == ["error"] * 3


def test_before_anything_is_published_nothing_is_checked(home: Home) -> None:
    with pytest.raises(NothingPublishedError):
        claims.check(home, BUNDLED)


def test_the_bundled_statements_are_of_known_documents() -> None:
    documents = project_root() / "dbt_project" / "seeds" / "claim_documents.csv"
    known = {row["document"]: row["published_on"] for row in csv.DictReader(documents.open(encoding="utf-8"))}
    for row in csv.DictReader(BUNDLED.open(encoding="utf-8")):
        assert known[row["document"]] == row["published_on"]


# --- Laws -------------------------------------------------------------------------------------------------

# Of every series some prints, each as a statement of its own day: what was printed, and three times that.
PRINTS = """
    select
        series, entity, value, unit, released_on, superseded_on is null as stands,
        case frequency
            when 'month' then strftime(period_end, '%Y-%m')
            when 'quarter' then strftime(period_end, '%Y') || 'Q' || quarter(period_end)
            when 'year' then strftime(period_end, '%Y')
            when 'fiscal_year' then 'FY' || strftime(period_end, '%Y')
            else cast(period_end as varchar)
        end as period
    from fct_series_vintages
    where status = 'published' and abs(value) > 1 and superseded_on is distinct from released_on
    qualify row_number() over (
        partition by series, frequency order by hash(entity, period_end, version)
    ) <= 12
    order by all
"""


def test_what_was_printed_holds_on_its_day_and_three_times_that_does_not(
    loaded_template: Home, tmp_path: Path
) -> None:
    prints = query.ask(loaded_template, PRINTS).rows
    assert len({series for series, *_ in prints}) > 20
    rows = []
    for number, (series, entity, value, unit, released_on, stands, period) in enumerate(prints):
        for what, claimed in (("stands" if stands else "stood", value), ("tripled", 3 * value)):
            told = f"{series},{entity},level,,{period},,{claimed:.9f},{unit},0.000001,{released_on}"
            rows.append(f"{what}_{number},{told}")
    found = verdicts(loaded_template, statements(tmp_path / "c.csv", *rows))
    assert len(found) == len(rows)
    for row in found:
        due = {
            "stands": {"confirmed"},
            "stood": {"confirmed", "confirmed_when_published"},
            "tripled": {"refuted"},
        }[str(row["claim_id"]).split("_")[0]]
        assert row["verdict"] in due, row
