"""Who can hold: one holder a country over all sources, and every label that stands for it."""

from __future__ import annotations

import csv
import re
from collections import Counter

import pytest

from tidemark import pipeline, registry
from tidemark.settings import project_root


def seed(name: str) -> list[dict[str, str]]:
    path = project_root() / "dbt_project" / "seeds" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


HOLDERS = {row["holder_id"]: row for row in seed("holders")}
COUNTRIES = {i: row for i, row in HOLDERS.items() if row["kind"] == "country"}
AGGREGATES = {i: row for i, row in HOLDERS.items() if row["kind"] == "aggregate"}
ALIASES = seed("holder_aliases")


def test_a_holder_stands_once_by_every_name_and_code():
    assert len(HOLDERS) == len(seed("holders")) == len(COUNTRIES) + len(AGGREGATES)
    for column in ("holder_name", "holder_name_zh"):
        assert [n for n, times in Counter(r[column] for r in HOLDERS.values()).items() if times > 1] == []
    for column in ("iso_alpha2", "iso_numeric"):
        codes = Counter(row[column] for row in COUNTRIES.values() if row[column])
        assert max(codes.values()) == 1


def test_countries_have_their_iso_codes_and_names_in_chinese():
    for i, row in COUNTRIES.items():
        assert re.fullmatch("[A-Z]{3}", i)
        assert row["aggregate_kind"] == ""
        assert re.fullmatch("[\u4e00-\u9fff（）]+", row["holder_name_zh"]), row
        if i != "XKX":
            assert re.fullmatch("[A-Z]{2}", row["iso_alpha2"]), row
            assert re.fullmatch(r"\d{3}", row["iso_numeric"]), row
    assert (COUNTRIES["NAM"]["iso_alpha2"], COUNTRIES["USA"]["iso_numeric"]) == ("NA", "840")


@pytest.mark.parametrize(
    "holder", ["WLD", "EURO_AREA", "IMF", "ECB", "BIS", "WAEMU", "CEMAC", "TUR_GROSS", "NETHERLANDS_ANTILLES"]
)
def test_what_is_no_country_is_an_aggregate_of_some_kind(holder):
    assert AGGREGATES[holder]["aggregate_kind"]


def test_those_who_hold_for_themselves_are_told_from_sums():
    own = {i for i, row in AGGREGATES.items() if row["aggregate_kind"] in ("institution", "monetary_union")}
    assert own == {"IMF", "ECB", "BIS", "SOFAZ", "WAEMU", "CEMAC", "CURACAO_SINT_MAARTEN"}


def test_every_alias_names_a_holder_and_no_label_names_two():
    assert {row["holder_id"] for row in ALIASES} <= set(HOLDERS)
    named = Counter(
        (row["source"], row["dataset"], row["label"], row["code"], row["series"], row["period_from"])
        for row in ALIASES
    )
    assert max(named.values()) == 1


@pytest.mark.parametrize(
    "dataset", ["holdings_api", "holdings_quarterly", "holdings_ranking", "holdings_changes"]
)
def test_labels_of_wgc_are_known_at_the_door(dataset):
    known = {label for label, _ in pipeline.known_labels(registry.dataset(f"wgc/{dataset}"))}
    if dataset == "holdings_api":
        assert known == set(COUNTRIES)
    else:
        assert {
            "China, P.R.: Mainland",
            "China, People's Republic of",
            "Russian Federation",
            "WAEMU",
            "ECB",
        } <= known
    assert "Atlantis" not in known


def holder_of(dataset: str, label: str) -> set[str]:
    return {
        row["holder_id"]
        for row in ALIASES
        if (row["source"], row["dataset"], row["label"]) == ("wgc", dataset, label)
    }


@pytest.mark.parametrize(
    ("label", "holder"),
    [
        ("China", "CHN"),
        ("China, P.R.: Hong Kong", "HKG"),
        ("Taiwan Province of China", "TWN"),
        ("Turkey", "TUR"),
        ("Türkiye, Rep of", "TUR"),
        ("Türkiye, Republic of", "TUR"),
        ("Congo", "COG"),
        ("Korea, Rep. of", "KOR"),
        ("Euro Area (incl. ECB)", "EURO_AREA"),
        ("World", "WLD"),
    ],
)
def test_a_name_stands_for_one_holder(label, holder):
    for dataset in ("holdings_quarterly", "holdings_ranking"):
        assert holder_of(dataset, label) == {holder}


def test_in_the_changes_turkiye_is_told_from_its_gross_row():
    assert holder_of("holdings_changes", "Turkey") == {"TUR"}
    assert holder_of("holdings_changes", "Turkey*") == {"TUR_GROSS"}
    # By this name the lookup column calls the gross row: beside `Turkey` it could stand for either.
    assert holder_of("holdings_changes", "Türkiye, Republic of") == set()
