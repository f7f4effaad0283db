"""The metrics as MetricFlow itself answers them, beside plain SQL on the marts.

MetricFlow is no dependency of ours: it stands in an environment of its own, made here. Where no package index
can be reached these tests are skipped.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tidemark import build, publish, query, release_file
from tidemark.settings import Home

METRICFLOW = ["dbt-metricflow==0.15.0", "dbt-core==1.11.16", "dbt-duckdb==1.11.1", "duckdb==2.0.0"]
PROFILE = """
tidemark:
  target: duckdb
  outputs:
    duckdb: {{type: duckdb, path: "{file}", threads: 1}}
"""

Asked = Callable[..., list[dict[str, str]]]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with MetricFlow in it."""
    place = tmp_path_factory.mktemp("metricflow") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, capture_output=True)
    installed = subprocess.run(
        [str(place / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *METRICFLOW],
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode != 0:
        pytest.skip(f"MetricFlow cannot be installed here: {installed.stderr.strip().splitlines()[-1]}")
    return place / "bin"


@pytest.fixture(scope="session")
def asked(environment: Path, loaded_template: Home, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Asks MetricFlow for metrics of the published snapshot; gives the rows of its CSV."""
    place = tmp_path_factory.mktemp("metrics")
    project = place / "project"
    shutil.copytree(build.project(), project, ignore=shutil.ignore_patterns("target", "logs"))
    file = place / release_file.FILE
    shutil.copy(publish.current(loaded_template).file, file)
    (project / "profiles.yml").write_text(PROFILE.format(file=file), encoding="utf-8")
    variables = {
        **os.environ,
        "DBT_PROFILES_DIR": str(project),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(environment / command[0]), *command[1:]],
            cwd=project,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    run("dbt", "parse")
    assert "ERRORS: 0, FUTURE_ERRORS: 0" in run("mf", "validate-configs", "--skip-dw").stdout

    def ask(metrics: str, by: str, where: str) -> list[dict[str, str]]:
        out = place / "answer.csv"
        run("mf", "query", "--metrics", metrics, "--group-by", by, "--where", where, "--csv", str(out))
        with out.open(encoding="utf-8", newline="") as answers:
            return list(csv.DictReader(answers))

    return ask


OF_CHINA = "{{ Dimension('holder__holder_id') }} = 'CHN'"
FROM_2024 = "{{ TimeDimension('metric_time', 'year') }} >= '2024-01-01'"


def test_a_year_of_holdings_is_its_last_month(asked: Asked, loaded_template: Home) -> None:
    rows = asked("holdings", "metric_time__year", f"{OF_CHINA} and {FROM_2024}")
    found = {row["metric_time__year"][:4]: float(row["holdings"]) for row in rows}
    sql = """
        select cast(extract(year from period_end) as varchar), arg_max(holdings_usd_bn, period_end)
        from fct_holdings where holder_id = 'CHN' and period_end >= '2024-01-01' group by all
    """
    assert found == pytest.approx(dict(query.ask(loaded_template, sql).rows))
    assert found["2024"] == 759.0


def test_changes_add_up_over_time(asked: Asked, loaded_template: Home) -> None:
    rows = asked("holdings_change", "metric_time__year", f"{OF_CHINA} and {FROM_2024}")
    found = {row["metric_time__year"][:4]: float(row["holdings_change"]) for row in rows}
    assert found["2024"] == pytest.approx(-57.3)
    sql = """
        select change_calendar_year_usd_bn from fct_holding_changes
        where holder_id = 'CHN' and period_end = '2025-12-31'
    """
    assert found["2025"] == pytest.approx(query.ask(loaded_template, sql).rows[0][0])


def test_shares_hold_at_any_grouping_of_holders(asked: Asked, loaded_template: Home) -> None:
    july = "{{ TimeDimension('metric_time', 'month') }} = '2026-07-01'"
    rows = asked("share_of_foreign,share_of_debt", "metric_time__month,holder__region", july)
    found = {
        row["holder__region"]: (float(row["share_of_foreign"]), float(row["share_of_debt"])) for row in rows
    }
    sql = """
        select region, sum(share_of_foreign_ratio), sum(share_of_debt_ratio)
        from mart_top_holders where period_end = '2026-07-31' group by region
    """
    due = {region: shares for region, *shares in query.ask(loaded_template, sql).rows}
    assert found.keys() == due.keys()
    for region, shares in due.items():
        assert found[region] == pytest.approx(shares), region
    assert sum(foreign for foreign, _ in found.values()) < 1


def test_the_burden_of_interest_is_that_of_the_mart(asked: Asked, loaded_template: Home) -> None:
    rows = asked("interest_to_defense,interest_to_revenues,interest_to_gdp", "metric_time__year", FROM_2024)
    found = {row["metric_time__year"][:4]: row for row in rows}
    sql = """
        select cast(fiscal_year as varchar), net_interest_to_defense_ratio,
            net_interest_to_revenues_pct / 100, net_interest_to_gdp_pct / 100
        from fct_interest_burden where fiscal_year >= 2024
    """
    for year, defense, revenues, gdp in query.ask(loaded_template, sql).rows:
        assert float(found[year]["interest_to_defense"]) == pytest.approx(defense)
        assert float(found[year]["interest_to_revenues"]) == pytest.approx(revenues)
        assert float(found[year]["interest_to_gdp"]) == pytest.approx(gdp)
    assert len(found) == 2
