"""dbt's unit tests: the models' logic on figures of their own. A plain `dbt build` leaves them to this."""

from __future__ import annotations

import json

import duckdb
import pytest

from tidemark import build
from tidemark.errors import BuildError
from tidemark.settings import Home


def results(home: Home) -> dict[str, str]:
    """What the last command of dbt said of each node."""
    said = json.loads((home.dbt_target / "run_results.json").read_text("utf-8"))["results"]
    return {result["unique_id"]: result["status"] for result in said}


def test_every_unit_test_of_the_models_passes(published_home: Home) -> None:
    build.dbt(published_home, ["test", "--select", "test_type:unit"])
    ran = results(published_home)
    manifest = json.loads((published_home.dbt_target / "manifest.json").read_text("utf-8"))
    assert ran.keys() == manifest["unit_tests"].keys()
    assert set(ran.values()) == {"pass"}
    assert len(ran) > 60


def test_every_mart_has_an_owner_a_contract_and_a_key(published_home: Home) -> None:
    build.dbt(published_home, ["parse"])
    manifest = json.loads((published_home.dbt_target / "manifest.json").read_text("utf-8"))
    marts = {
        name: node
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["schema"] == build.MARTS
    }
    keyed = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and (node.get("test_metadata") or {}).get("name") in ("unique", "unique_combination")
    }
    assert len(marts) > 25
    for name, node in marts.items():
        assert node["group"], f"{name} belongs to no group"
        assert node["contract"]["enforced"], f"{name} has no contract"
        assert name in keyed, f"{name} has no primary key"
    tested = {node["model"] for node in manifest["unit_tests"].values()}
    plain = {"dim_holder", "fct_holdings_vintages", "fct_series", "fct_series_vintages"}
    assert {node["name"] for node in marts.values()} - tested - plain <= {
        "fct_gold_holdings",
        "fct_gold_holdings_vintages",
        "fct_interest_burden",
    }, "a mart whose rule no unit test tries"


@pytest.mark.parametrize(
    ("spoil", "rows"),
    [
        ("status = 'guessed'", [("status", "guessed")]),
        ("component = null", [("component", None)]),
        ("component = null, status = 'guessed'", [("component", None), ("status", "guessed")]),
    ],
)
def test_what_columns_hold_fails_the_build_by_name(
    published_home: Home, spoil: str, rows: list[tuple[str, str | None]]
) -> None:
    with duckdb.connect(str(published_home.warehouse)) as connection:
        connection.execute(
            f"update intermediate.int_budget_actuals__stated set {spoil} "
            "where component = 'net_interest' and fiscal_year = 2024"
        )
    with pytest.raises(BuildError, match="columns_hold_int_budget_actuals__stated"):
        build.dbt(published_home, ["test", "--select", "int_budget_actuals__stated,test_type:data"])
    said = json.loads((published_home.dbt_target / "run_results.json").read_text("utf-8"))["results"]
    (sql,) = (result["compiled_code"] for result in said if result["status"] == "fail")
    with duckdb.connect(str(published_home.warehouse), read_only=True) as connection:
        found = connection.execute(sql).fetchall()
    assert sorted((column, value) for column, value, _ in found) == rows


def test_the_page_on_the_models_stands_alone(published_home: Home) -> None:
    page = build.document(published_home).read_text("utf-8")
    assert "fct_change_decomposition" in page
    assert "Net purchases of bonds and notes, USD billion" in page
    assert "tidemark_check" in page
