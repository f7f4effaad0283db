"""dbt's unit tests: the models' logic on figures of their own. A plain `dbt build` leaves them to this."""

from __future__ import annotations

import json

from tidemark import build
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
