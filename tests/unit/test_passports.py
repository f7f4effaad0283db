"""The passports: each is valid, a broken one is refused with the place named, and what they quote is true."""

from __future__ import annotations

import csv
import shutil
from datetime import date
from functools import cache

import pandas as pd
import pytest
import yaml

from tidemark import registry, snapshot, sources
from tidemark.errors import TidemarkError
from tidemark.reading import SourceFile, quoted
from tidemark.settings import project_root

PASSPORTS = sorted(registry.passport_folder().glob("*.yml"))
DATASETS = registry.datasets()
BUNDLED = [dataset for dataset in DATASETS if snapshot.bundled(dataset)]
MARK = "FILL IN"


def named(dataset: registry.Dataset) -> str:
    return dataset.name


# --- What stands there ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PASSPORTS, ids=lambda path: path.stem)
def test_every_passport_is_valid(path):
    assert registry.read_passport(path).id == path.stem


def test_publishers_sit_in_countries():
    with (project_root() / "dbt_project/seeds/holders.csv").open(encoding="utf-8", newline="") as seed:
        countries = {row["holder_id"] for row in csv.DictReader(seed) if row["kind"] == "country"}
    assert {source.country for source in registry.sources().values()} <= countries | {"USA"}


@pytest.mark.parametrize("source", registry.sources().values(), ids=lambda source: source.id)
def test_what_is_never_revised_plausibly_moves_by_nothing(source):
    if source.revisions["how"] == "none":
        assert {dataset.plausible_revision.ratio for dataset in source.datasets} == {0}


@pytest.mark.parametrize("source", registry.sources())
def test_nothing_is_left_to_fill_in(source):
    root = project_root()
    files = [
        root / "sources" / f"{source}.yml",
        *(root / "src" / "tidemark" / "sources").glob(f"{source}.py"),
        *(root / "src" / "tidemark" / "sources" / source).glob("*.py"),
        *(root / "expectations" / source).glob("*.json"),
        *(root / "dbt_project" / "models" / "staging" / source).iterdir(),
        *(root / "tests" / "sources").glob(f"test_{source}*.py"),
    ]
    left = [
        f"{file.relative_to(root)}, line {number}: {line.strip()}"
        for file in files
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1)
        if MARK in line
    ]
    assert not left, "\n".join(["", *left])


@pytest.mark.parametrize("dataset", DATASETS, ids=named)
def test_every_dataset_has_its_parser_suite_and_staging(dataset):
    root = project_root()
    assert dataset.id in sources._module(dataset).PARSERS
    assert (root / "expectations" / f"{dataset.name}.json").exists()
    staging = root / "dbt_project" / "models" / "staging" / dataset.source
    assert [p for p in staging.glob("*.sql") if dataset.id in p.read_text("utf-8")]


# --- Reference values, in the bundled files --------------------------------------------------------------


@cache
def releases(name: str) -> dict[date, pd.DataFrame]:
    """The bundled releases of a dataset as they parse, by date."""
    dataset = registry.dataset(name)
    return {
        item.released_on: quoted(sources.parse(dataset, SourceFile(item.file, item.data)).observations)
        for item in snapshot.bundled(dataset)
    }


@pytest.mark.parametrize("dataset", BUNDLED, ids=named)
def test_a_bundled_dataset_quotes_published_figures(dataset):
    assert dataset.reference_values


@pytest.mark.parametrize(
    ("dataset", "reference"),
    [(dataset, reference) for dataset in BUNDLED for reference in dataset.reference_values],
    ids=lambda given: given.name if isinstance(given, registry.Dataset) else f"{given['period_end']}",
)
def test_reference_values_stand_in_the_bundled_releases(dataset, reference):
    """In the release that the passport names, or else in the newest that has the cell."""
    said = releases(dataset.name)
    if "released_on" in reference:
        assert reference["released_on"] in said, "no release of that day is bundled"
        said = {reference["released_on"]: said[reference["released_on"]]}
    cell = {**{k: v for k, v in reference.items() if k in dataset.key}, "measure": reference["measure"]}
    found = {}
    for day, frame in said.items():
        here = frame["period_end"] == pd.Timestamp(reference["period_end"])
        for column, name in cell.items():
            here &= frame[column] == name
        if here.any():
            found[day] = frame.loc[here, "value"].tolist()
    assert found, "no bundled release has the cell"
    assert found[max(found)] == [reference["value"]], found


# --- What is refused ------------------------------------------------------------------------------------


@pytest.fixture
def broken(tmp_path):
    """Reads a passport with one text in place of another; returns the refusal."""

    def read(source: str, old: str, new: str, name: str | None = None) -> str:
        shutil.copy(registry.passport_folder() / "passport.schema.json", tmp_path)
        text = (registry.passport_folder() / f"{source}.yml").read_text("utf-8")
        assert old in text
        path = tmp_path / (name or f"{source}.yml")
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(TidemarkError) as caught:
            registry.read_passport(path)
        assert path.name in caught.value.message
        return caught.value.message

    return read


@pytest.mark.parametrize(
    ("source", "old", "new", "place"),
    [
        # What a passport must have.
        ("bea", "publisher: US Bureau of Economic Analysis\n", "", "top: 'publisher' is a required property"),
        ("bea", "lag_months: 1\n", "", "top: 'lag_months' is a required property"),
        ("bea", "  redistribution: allowed\n", "", "licence: 'redistribution' is a required property"),
        ("bea", "  time: \"08:30\"\n", "", "release_calendar: 'time' is a required property"),
        ("bea", "    evidence: published\n", "", "datasets.gdp: 'evidence' is a required property"),
        ("bea", "      ratio: 0.04\n", "", "datasets.gdp.plausible_revision: 'ratio' is a required"),
        ("fed", "    plausible_revision:\n      ratio: 0\n", "    plausible:\n", "datasets.treast: "),
        # What it may not have.
        ("bea", "cadence:", "colour: blue\ncadence:", "'colour' was unexpected"),
        ("bea", "redistribution: allowed", "redistribution: perhaps", "licence.redistribution: 'perhaps'"),
        ("bea", "country: USA", "country: US", "country: 'US' does not match"),
        ("bea", "lag_months: 1", "lag_months: -1", "lag_months: -1"),
        ("bea", "lag_months: 1", "lag_months: a month", "lag_months: 'a month' is not of type 'integer'"),
        ("bea", "ratio: 0.04", "ratio: -0.04", "datasets.gdp.plausible_revision.ratio: -0.04"),
        ("bea", "id: bea", "id: BEA", "id: 'BEA' does not match"),
        # Forms: time zones, times, dates, addresses.
        ("bea", "America/New_York", "America/Washington", "release_calendar.timezone: 'America/Washington'"),
        ("bea", "America/New_York", "EasternTime", "release_calendar.timezone: 'EasternTime'"),
        ("bea", '"08:30"', '"28:30"', "release_calendar.time: '28:30'"),
        ("tic", '"16:00"', "16:00", "release_calendar.time: 960"),
        ("tic", "    - 2026-02-18\n", "    - 2026-02-30\n", "release_calendar.dates.1: '2026-02-30'"),
        ("tic", "last_release: 2023-03-15", "last_release: March", "datasets.mfh.last_release: 'March'"),
        ("bea", "homepage: https://www.bea.gov", "homepage: www.bea.gov", "homepage: 'www.bea.gov"),
        ("bea", "url: https://fred", "url: htps://fred", "datasets.gdp.url: 'htps://fred"),
        ("bea", "graph.csv?id=GDP", "graph.csv?id=G DP", "datasets.gdp.url: "),
        ("bea", "url: https://fred.stlouisfed.org/", "url: https://{HOST}/", "datasets.gdp.url: "),
        # Contradictions.
        ("tic", "    - 2026-02-18\n    - 2026-03-18\n", "    - 2026-03-18\n    - 2026-02-18\n",
         "release_calendar.dates: not oldest first"),
        ("tic", "    - 2026-02-18\n", "    - 2026-01-15\n", "release_calendar.dates: "),
        ("tic", "  - id: mfh\n", "  - id: slt_table5\n", "datasets.slt_table5: stands twice"),
        ("tic", "state: frozen", "state: live", "datasets.mfh.last_release: "),
        ("tic", "    last_release: 2023-03-15\n", "", "datasets.mfh.last_release: "),
        ("tic", "key: [label, code]", "key: [country, code]", "datasets.slt_table3.key: label"),
        ("bea", "min: 100, max: 200000", "min: 200000, max: 100", "datasets.gdp.measures.gdp: "),
        ("bea", "max: 200000", "max: .inf", "datasets.gdp.measures.gdp: "),
        ("bea", "value: 243.164", "value: 24.3164", "reference_values.1: 24.3164 lies outside 100 to"),
        ("bea", "measure: gdp, value: 243", "measure: gnp, value: 243", "reference_values.1: 'gnp' is not"),
        ("bea", "{label: GDP, period_end: 1947", "{label: GNP, period_end: 1947", "'GNP' is not among"),
        ("tic", 'code: "99996"', 'kode: "99996"', "slt_table3.reference_values.1: kode is no key column"),
        # How and when the publisher is asked.
        ("bea", "    fetch: {by: url}\n", "", "datasets.gdp.fetch: a live dataset of the publisher's own"),
        ("tic", "    state: frozen\n", "    state: frozen\n    fetch: {by: url}\n", "datasets.mfh.fetch: "),
        ("bea", "{by: url}", "{by: pigeon}", "datasets.gdp.fetch"),
        ("bea", "{by: url}", "{by: url, folder: data}", "datasets.gdp.fetch"),
        ("bea", "{by: url}", "{by: inbox}", "datasets.gdp.fetch"),
        ("worldbank", "hosts: [thedocs", "hosts: [http://thedocs", "datasets.gold_price.fetch"),
        ("bea", '  days: "* * mon-fri"\n', "", "release_calendar.days: nobody would ask"),
        ("bea", "* * mon-fri", "* * mon-sometime", "release_calendar.days: '* * mon-sometime' is no day"),
        ("bea", "* * mon-fri", "mon-fri", "release_calendar.days: 'mon-fri' does not match"),
        ("tic", "every_minutes: 20", "every_minutes: 1", "release_calendar.poll.every_minutes: 1 is less"),
        # Whom this machine may ask.
        ("tic", "url: https://ticdata.treasury.gov/", "url: https://ticdata.treasury.gov.evil.org/",
         "ticdata.treasury.gov.evil.org is neither of treasury.gov nor listed in served_by"),
        ("tic", "https://ticdata.treasury.gov/", "https://nottreasury.gov/", "is neither of treasury.gov"),
        ("tic", "https://ticdata.treasury.gov/", "https://x@ticdata.treasury.gov/", "holds no user"),
        ("tic", "https://ticdata.treasury.gov/", "https://ticdata.treasury.gov:8443/", "or port"),
        ("tic", "https://ticdata.treasury.gov/", "https://ticdata.treasury.gov:0/", "or port"),
        ("tic", "https://ticdata.treasury.gov/", "https://ticdata.treasury.gov:port/", "or port"),
        ("tic", "https://ticdata.treasury.gov/", "https://@ticdata.treasury.gov/", "holds no user"),
        ("tic", "https://ticdata.treasury.gov/", "https://169.254.169.254/", "169.254.169.254 is neither"),
        ("safe", "url: https://www.safe.gov.cn/", "url: https://www.other.gov.cn/", "neither of safe.gov.cn"),
        ("worldbank", "hosts: [thedocs.worldbank.org]", "hosts: [docs.elsewhere.org]",
         "fetch.hosts: docs.elsewhere.org is neither of worldbank.org"),
        ("bea", "served_by: [fred.stlouisfed.org]\n", "", "fred.stlouisfed.org is neither of bea.gov"),
        ("bea", "served_by: [fred.stlouisfed.org]", "served_by: [org]", "served_by.0: 'org' does not match"),
        # YAML would keep the second, and say nothing.
        ("bea", "lag_months: 1\n", "lag_months: 1\nlag_months: 2\n", "the key 'lag_months' stands twice"),
        ("bea", "min: 100,", "min: 100, min: 0,", "the key 'min' stands twice"),
        ("bea", "publisher: US", "publisher: [US", "is no YAML"),
    ],
)  # fmt: skip
def test_a_broken_passport_is_refused_with_the_place_named(broken, source, old, new, place):
    assert place in broken(source, old, new)


def test_a_passport_under_another_name_is_refused(broken):
    assert "has the id 'bea'" in broken("bea", "lag_months: 1", "lag_months: 1 ", name="boa.yml")


def test_every_fault_is_told_at_once(broken):
    said = broken("bea", "country: USA\nhomepage: https://", "country: US\nhomepage: ")
    assert "country: " in said
    assert "homepage: " in said


@pytest.mark.parametrize(
    "text", ["", "[]", "bea", "datasets: none", "datasets: [none]", "datasets: [{id: 1}]"]
)
def test_what_is_no_passport_at_all_is_refused(tmp_path, text):
    shutil.copy(registry.passport_folder() / "passport.schema.json", tmp_path)
    (tmp_path / "x.yml").write_text(text)
    with pytest.raises(TidemarkError, match="breaks sources/passport"):
        registry.read_passport(tmp_path / "x.yml")


def test_dates_are_dates_quoted_or_not(tmp_path):
    shutil.copy(registry.passport_folder() / "passport.schema.json", tmp_path)
    content = yaml.safe_load((registry.passport_folder() / "tic.yml").read_text("utf-8"))
    written = yaml.safe_dump(content)
    assert "last_release: 2023-03-15\n" in written
    quoted_dates = yaml.safe_load(
        written.replace("last_release: 2023-03-15\n", "last_release: '2023-03-15'\n")
    )
    (tmp_path / "tic.yml").write_text(yaml.safe_dump(quoted_dates))
    assert registry.read_passport(tmp_path / "tic.yml").dataset("mfh").last_release == date(2023, 3, 15)
