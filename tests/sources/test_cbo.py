"""CBO's seven datasets: every figure that is bundled, and the publisher's own files."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import bundled_file, day
from tidemark import archive, pipeline, registry, snapshot, sources, warehouse
from tidemark.archive import Release
from tidemark.reading import NOT_AVAILABLE, NOT_QUOTED, SourceFile, quoted
from tidemark.settings import project_root
from tidemark.sources.cbo import common, evaluation, historical, vintages

CBO = registry.source("cbo")
EACH = pytest.mark.parametrize("dataset", CBO.datasets, ids=lambda dataset: dataset.id)
FIGURES = project_root() / "snapshot" / "figures" / "cbo"
NET_INTEREST = "outlay/Net Interest/Net Interest"
COMPONENTS = {
    "debt/Total/Total": "debt_held_by_public",
    "deficit/Total/Total": "deficit_total_ex_gse",
    "outlay/Discretionary/Defense Discretionary": "defense_discretionary",
    "outlay/Discretionary/Nondefense Discretionary": "nondefense_discretionary",
    "outlay/Discretionary/Total Discretionary": "discretionary_total",
    "outlay/Mandatory/Medicaid": "medicaid",
    "outlay/Mandatory/Medicare": "medicare_net",
    "outlay/Mandatory/Social Security": "social_security",
    "outlay/Mandatory/Total Mandatory": "mandatory_total_ex_gse",
    NET_INTEREST: "net_interest",
    "outlay/Total/Total": "outlays_total_ex_gse",
    "revenue/Total/Total": "revenues_total",
}
TEN_YEAR = {
    "proj_debt_held_by_public_end": "debt_held_by_public",
    "proj_deficit_total": "deficit_total",
    "proj_disc_defense": "defense_discretionary",
    "proj_disc_nondefense": "nondefense_discretionary",
    "proj_outlays_discretionary": "discretionary_total",
    "proj_outlays_mandatory": "mandatory_total",
    "proj_outlays_net_interest": "net_interest",
    "proj_outlays_total": "outlays_total",
    "proj_rev_total": "revenues_total",
}
WORKBOOK = {
    "1. Rev, Outlays, Surplus, Debt/Revenues": "revenues_total",
    "1. Rev, Outlays, Surplus, Debt/Outlays": "outlays_total",
    "1. Rev, Outlays, Surplus, Debt/Deficit (-) or surplus/Total": "deficit_total",
    "1. Rev, Outlays, Surplus, Debt/Debt held by the public": "debt_held_by_public",
    "2. Revenues/Total": "revenues_total",
    "3. Outlays/Discretionary": "discretionary_total",
    "3. Outlays/Mandatory/Programmatic outlays": "mandatory_programmatic",
    "3. Outlays/Mandatory/Offsetting receipts": "offsetting_receipts",
    "3. Outlays/Net interest": "net_interest",
    "3. Outlays/Total": "outlays_total",
    "4. Discretionary Outlays/Defense": "defense_discretionary",
    "4. Discretionary Outlays/Nondefense": "nondefense_discretionary",
    "4. Discretionary Outlays/Total": "discretionary_total",
    "5. Mandatory Outlays/Social Security": "social_security",
    "5. Mandatory Outlays/Medicare": "medicare_gross",
    "5. Mandatory Outlays/Medicaid": "medicaid",
    "5. Mandatory Outlays/Offsetting receipts": "offsetting_receipts",
    "5. Mandatory Outlays/Total": "mandatory_total",
}
ACTUALS_ON = [
    "2023-11-01", "2023-12-13", "2023-12-15", "2024-06-18", "2025-01-10", "2026-01-16", "2026-02-17",
]  # fmt: skip
MONTH_OF = {"2024-02-07": "2024-02-01", "2025-01-17": "2025-01-01", "2026-02-11": "2026-02-01"}
BASELINES = "baselines_2026-02-17.csv"
HISTORY = "historical_budget_2025-01-17.xlsx"
REAL = {
    "baselines": ("baselines.csv", "2026-02-17"),
    "actuals": ("actuals.csv", "2026-02-17"),
    "historical_budget": ("51134-2025-01-Historical-Budget-Data.xlsx", "2025-01-17"),
}


def parsed(dataset_id: str, file: str | SourceFile) -> pd.DataFrame:
    """What a bundled file says, with the fiscal year as a number."""
    file = bundled_file(file, "cbo") if isinstance(file, str) else file
    frame = quoted(sources.parse(CBO.dataset(dataset_id), file).observations)
    return frame.assign(year=frame["period_end"].dt.year)


def real_file(publisher_files: Path, dataset_id: str) -> SourceFile:
    path = publisher_files / "cbo" / REAL[dataset_id][0]
    return SourceFile(path.name, path.read_bytes())


def cells(frame: pd.DataFrame, names: dict[str, str]) -> dict[tuple[str, int], float]:
    """(component, year) -> value, of the labels that have a name."""
    known = frame[frame["label"].isin(list(names)) & frame["value"].notna()]
    found: dict[tuple[str, int], float] = {}
    for label, year, value in known[["label", "year", "value"]].itertuples(index=False):
        assert found.setdefault((names[label], year), value) == value
    return found


def outlays(kind: str, *vintages_: str) -> dict[tuple[str, str, int], float]:
    """The rows of `figures/cbo/outlays.csv`: (vintage, component, year) -> value."""
    with (FIGURES / "outlays.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["vintage_date"], row["component"], int(row["fiscal_year"])): float(row["value_usd_bn"])
            for row in csv.DictReader(file)
            if row["kind"] == kind and (not vintages_ or row["vintage_date"] in vintages_)
        }


def gdp(vintage: str) -> dict[int, float]:
    with (FIGURES / "gdp_fiscal_year.csv").open(encoding="utf-8", newline="") as file:
        return {
            int(row["period"][2:]): float(row["gdp_usd_bn"])
            for row in csv.DictReader(file)
            if row["vintage_date"] == vintage
        }


# --- Every figure, cell for cell ------------------------------------------------------------------------


def test_every_projection_is_loaded_under_the_publication_it_comes_from():
    frame = parsed("baselines", BASELINES)
    found = {
        (baseline, COMPONENTS[label], year): value
        for label, baseline, year, value in frame[["label", "baseline_date", "year", "value"]].itertuples(
            index=False
        )
    }
    assert len(frame) == len(found) == 10917
    due = outlays("projection")
    assert {key: due[key] for key in found} == found
    for released_on in ("2025-01-17", "2026-02-11"):
        budget = cells(parsed("ten_year_budget", f"ten_year_budget_{released_on}.csv"), TEN_YEAR)
        month = MONTH_OF[released_on]
        ahead = {(month, *key): value for key, value in budget.items() if key[1] >= int(month[:4])}
        # What stands in both is the same in both.
        assert {key: due[key] for key in ahead} == ahead
        found |= ahead
    assert found == due


def test_every_state_of_the_actuals_is_what_was_said_so_far():
    due: dict[tuple[str, int], float] = {}
    for released_on in ACTUALS_ON:
        due |= {key[1:]: value for key, value in outlays("actual", released_on).items()}
        stated = cells(parsed("actuals", f"actuals_{released_on}.csv"), COMPONENTS)
        assert {key: due[key] for key in stated} == stated
        dropped = {key for key in due if key not in stated}
        if released_on < "2025":
            assert not dropped
        else:
            assert len(dropped) == 36
            assert {year for _, year in dropped} <= set(range(1989, 1998))


def test_every_figure_of_the_workbook_stands_in_each_of_its_cells():
    frame = parsed("historical_budget", HISTORY)
    assert len(frame) == 18 * 63
    found = {("2025-01-01", *key): value for key, value in cells(frame, WORKBOOK).items()}
    assert len(found) == 877
    assert found == outlays("actual", "2025-01-01")


def test_the_first_year_of_a_ten_year_file_is_over():
    for month, year, file in (
        ("2026-02-01", 2025, "ten_year_budget_2026-02-11.csv"),
        ("2025-01-01", 2024, "ten_year_budget_2025-01-17.csv"),
    ):
        over = {
            key: v for key, v in cells(parsed("ten_year_budget", file), TEN_YEAR).items() if key[1] == year
        }
        due = {key[1:]: value for key, value in outlays("actual", month).items() if key[2] == year}
        assert {key: due[key] for key in over} == over
        assert len(over) == (9 if year == 2025 else 7)


@pytest.mark.parametrize("released_on", list(MONTH_OF))
def test_gdp_of_each_outlook(released_on):
    frame = parsed("economic_projections", f"economic_projections_{released_on}.csv")
    found = dict(zip(frame["year"], frame["value"], strict=True))
    due = gdp(MONTH_OF[released_on])
    assert len(found) == 14
    if released_on == "2026-02-11":
        long_term = parsed("long_term_budget", f"long_term_budget_{released_on}.csv")
        assert set(long_term["unit"]) == {"usd_trn"}
        beyond = {
            year: round(value * 1000, 3)
            for year, value in long_term[["year", "value"]].itertuples(index=False)
        }
        assert (min(beyond), max(beyond), len(beyond)) == (2037, 2053, 17)
        found |= beyond
    assert found == due


def test_gdp_of_finished_years():
    frame = parsed("actual_gdp", "actual_gdp_2026-02-12.csv")
    assert dict(zip(frame["year"], frame["value"], strict=True)) == gdp("2026-02-12")
    assert len(frame) == 44


def test_no_figure_of_the_file_is_left_out():
    """The tests above look at every vintage and kind that the two tables have."""
    with (FIGURES / "outlays.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12510
    assert {r["vintage_date"] for r in rows if r["kind"] == "actual"} == {
        *ACTUALS_ON,
        "2025-01-01",
        "2026-02-01",
    }
    with (FIGURES / "gdp_fiscal_year.csv").open(encoding="utf-8", newline="") as file:
        assert {r["vintage_date"] for r in csv.DictReader(file)} == {*MONTH_OF.values(), "2026-02-12"}


# --- What it shows --------------------------------------------------------------------------------------


def test_net_interest_of_2024_was_881_1_at_first_and_is_879_9_today():
    of_2024 = {
        released_on: cells(parsed("actuals", f"actuals_{released_on}.csv"), COMPONENTS).get(
            ("net_interest", 2024)
        )
        for released_on in ACTUALS_ON
    }
    assert [value for value in of_2024.values() if value] == [881.119, 879.879, 879.879]
    assert next(day_ for day_, value in of_2024.items() if value) == "2025-01-10"
    workbook = cells(parsed("historical_budget", HISTORY), WORKBOOK)
    assert workbook["net_interest", 2024] == 881.119


def test_net_interest_of_2023_and_2025():
    states = [
        cells(parsed("actuals", f"actuals_{released_on}.csv"), COMPONENTS) for released_on in ACTUALS_ON
    ]
    of_2023 = [state["net_interest", 2023] for state in states if ("net_interest", 2023) in state]
    assert of_2023 == [659.288, 658.267, 658.267, 658.267, 658.267]
    assert states[-1]["net_interest", 2025] == 969.938


def test_92_baselines_of_net_interest():
    frame = parsed("baselines", BASELINES).query("label == @NET_INTEREST")
    baselines = sorted(set(frame["baseline_date"]))
    assert (len(baselines), baselines[0], baselines[-1]) == (92, "1992-01-01", "2026-02-01")
    of_2026 = frame.query("baseline_date == '2026-02-01' and year == 2026")["value"]
    assert of_2026.tolist() == [1038.976]


def test_2024_is_the_first_year_since_1962_in_which_net_interest_exceeds_defense():
    found = cells(parsed("historical_budget", HISTORY), WORKBOOK)
    exceeds = [y for y in range(1962, 2025) if found["net_interest", y] > found["defense_discretionary", y]]
    assert exceeds == [2024]


@EACH
def test_reference_values(dataset):
    assert dataset.reference_values
    newest = snapshot.bundled(dataset)[-1]
    frame = parsed(dataset.id, SourceFile(newest.file, newest.data))
    for reference in dataset.reference_values:
        here = (
            (frame["label"] == reference["label"])
            & (frame["period_end"] == str(reference["period_end"]))
            & (frame["measure"] == reference["measure"])
        )
        if "baseline_date" in reference:
            here &= frame["baseline_date"] == reference["baseline_date"]
        assert frame.loc[here, "value"].tolist() == [reference["value"]]


# --- Years, labels, marks -------------------------------------------------------------------------------


def test_fiscal_years_ended_in_june_until_1976():
    assert common.fiscal_year_end(1976) == date(1976, 6, 30)
    assert common.fiscal_year_end(1977) == date(1977, 9, 30)
    assert common.fiscal_year_of(date(1995, 12, 1)) == 1996
    assert common.fiscal_year_of(date(2026, 9, 30)) == 2026
    ends = sorted(set(parsed("historical_budget", HISTORY)["period_end"].dt.strftime("%m-%d")))
    assert ends == ["06-30", "09-30"]


def test_medicare_before_1967_is_not_applicable_and_no_zero():
    missing = parsed("historical_budget", HISTORY).query("value.isna()")
    assert set(missing["status"]) == {NOT_AVAILABLE}
    assert set(missing["label"]) == {"5. Mandatory Outlays/Medicare"}
    assert list(missing["year"]) == [1962, 1963, 1964, 1965, 1966]


def test_what_the_extract_leaves_out_says_nothing():
    whole = sources.parse(CBO.dataset("historical_budget"), bundled_file(HISTORY, "cbo")).observations
    assert len(whole) == 66 * 63
    assert set(whole.loc[whole["measure"] == "share_of_gdp", "status"]) == {NOT_QUOTED}
    assert "2. Revenues/Customs duties" not in set(quoted(whole)["label"])


def test_the_passport_names_the_series_that_the_parsers_know():
    scale = set(evaluation.SCALE)
    assert set(CBO.dataset("actuals").series) == scale
    assert set(CBO.dataset("baselines").series) == scale - {evaluation.STUDENT_LOANS}
    names = {name for known in vintages.TEN_YEAR.values() for name in known}
    assert set(CBO.dataset("ten_year_budget").series) == names == set(vintages.TEN_YEAR_SCALE)
    paths = {
        f"{title}/{path}" for table in historical.TABLES for title in table.titles for path in table.paths()
    }
    assert set(CBO.dataset("historical_budget").series) == paths
    assert set(historical.HISTORICAL_SCALE) <= paths


def test_an_economic_file_with_the_fourth_column_reads_the_same():
    file = bundled_file("economic_projections_2026-02-11.csv", "cbo")
    lines = file.data.decode().splitlines()
    flagged = [f"{lines[0]},estimate_type"]
    flagged += [f"{line},{'actual' if line < '2025' else 'projected'}" for line in lines[1:]]
    # Other variables stand beside GDP, and are left aside.
    flagged += ["2025,real_gdp,23823.6,projected", "2026,real_gdp,24372.4,projected"]
    data = ("\n".join(flagged) + "\n").encode()
    with_flags = parsed("economic_projections", SourceFile("f", data))
    assert with_flags.equals(parsed("economic_projections", SourceFile("f", file.data)))


def test_a_ten_year_file_holds_hundreds_of_variables_and_noise():
    text = bundled_file("ten_year_budget_2026-02-11.csv", "cbo").data.decode()
    text += "FY2026,chg_deficit_net_total,139.445\nFY2028,proj_gdp_end_of_period,1e-05\n"
    text = text.replace(
        "FY2026,proj_outlays_total,7448.619\n", "FY2026,proj_outlays_total,7448.619000000001\n"
    )
    frame = parsed("ten_year_budget", SourceFile("f", text.encode()))
    assert len(frame) == 108
    assert 7448.619000000001 in set(frame["value"])


# --- The publisher's own files --------------------------------------------------------------------------


@pytest.mark.parametrize("dataset_id", list(REAL))
def test_the_real_file_passes_every_check(publisher_files, check, dataset_id):
    dataset, file = CBO.dataset(dataset_id), real_file(publisher_files, dataset_id)
    release = Release(
        dataset.name, day(REAL[dataset_id][1]), 0, archive.sha256(file.data), len(file.data), file.name,
        dataset.url, "published", datetime.now(UTC),
    )  # fmt: skip
    batch = pipeline.validated_batch(dataset, release, file.data, check)
    assert len(batch) == {"baselines": 20342, "actuals": 792, "historical_budget": 4158}[dataset_id]
    assert set(batch["label"]) == set(dataset.series)


def test_every_projection_of_the_real_table_is_the_figure_that_is_bundled(publisher_files):
    key = ["label", "baseline_date", "year"]
    real = parsed("baselines", real_file(publisher_files, "baselines")).set_index(key)["value"]
    bundled = parsed("baselines", BASELINES).set_index(key)["value"]
    of_twelve = real[real.index.get_level_values("label").isin(list(COMPONENTS))]
    assert of_twelve.sort_index().equals(bundled.sort_index())


def test_the_flags_and_numbers_of_the_real_table_are_those_of_the_bundled_one(publisher_files):
    def rows(data: bytes) -> set[tuple[str, ...]]:
        found = csv.reader(data.decode().splitlines())
        return {tuple(row[:8]) for row in found if "/".join(row[:3]) in COMPONENTS}

    real = rows(real_file(publisher_files, "baselines").data)
    assert rows(bundled_file(BASELINES, "cbo").data) == real
    assert len(real) == 10917


def test_the_last_state_of_the_actuals_is_the_real_table(publisher_files):
    real = cells(parsed("actuals", real_file(publisher_files, "actuals")), COMPONENTS)
    assert real == cells(parsed("actuals", "actuals_2026-02-17.csv"), COMPONENTS)
    assert len(real) == 430


def test_every_cell_of_the_bundled_workbook_is_that_of_the_real_one(publisher_files):
    frames = [
        sources.parse(CBO.dataset("historical_budget"), file).observations
        for file in (real_file(publisher_files, "historical_budget"), bundled_file(HISTORY, "cbo"))
    ]
    # Row for row and in the same rows of the sheets; footnotes and prose are the publisher's.
    key = ["label", "period_end", "measure", "unit", "line"]
    assert frames[0][key].equals(frames[1][key])
    told = frames[1]["status"] != NOT_QUOTED
    assert frames[0][told].equals(frames[1][told])


# --- The whole way --------------------------------------------------------------------------------------

CELLS = {
    "baselines": [10917],
    "actuals": [419, 32, 12, 12, 72, 99, 6],
    "actual_gdp": [44],
    "ten_year_budget": [73, 108],
    "economic_projections": [14, 14, 14],
    "long_term_budget": [17],
    "historical_budget": [1134],
}


@EACH
def test_the_bundled_releases_load(home, dataset):
    loaded = pipeline.ingest(home, dataset, snapshot.bundled(dataset))
    assert [each.rows for each in loaded] == CELLS[dataset.id]
    if dataset.id != "actuals":
        return
    # What each state said anew is what the figures' vintages list, row for row, and nothing was withdrawn.
    connection = warehouse.connect(home)
    try:
        rows = connection.execute(
            "select label, year(period_end), released_on::varchar, value, status from raw.cbo__actuals"
        ).fetchall()
    finally:
        connection.close()
    assert {status for *_, status in rows} == {"published"}
    assert {(on, COMPONENTS[label], year): value for label, year, on, value, _ in rows} == outlays(
        "actual", *ACTUALS_ON
    )
