"""Corrections as data: what their file may say, and that each reaches the staging model of its dataset."""

from __future__ import annotations

from datetime import date

import pytest

from tests.conftest import day
from tidemark import corrections, registry, snapshot, sources
from tidemark.errors import TidemarkError
from tidemark.reading import SourceFile, quoted
from tidemark.settings import project_root

SEED = project_root() / corrections.SEED
ALL = corrections.read(SEED)
HEADER = SEED.read_text("utf-8").split("\n")[0]
ROW = dict(zip(HEADER.split(","), SEED.read_text("utf-8").split("\n")[1].split(",", 14), strict=True))


def read(tmp_path, **changes):
    path = tmp_path / "corrections.csv"
    path.write_text(f"{HEADER}\n{','.join((ROW | changes).values())}\n", "utf-8")
    return corrections.read(path)


def test_the_ten_billion_of_2025_08_04_are_flagged():
    flagged = [c for c in ALL if c.id == "debt_imbalance_2025_08_04"]
    assert {c.action for c in flagged} == {"flag"}
    assert sorted(c.gap or 0 for c in flagged) == [0, 0, 1e10]


def stated(correction, frame, dataset) -> list[float]:
    """What a parsed file states in the cell of a correction."""
    here = (frame["period_end"] == str(correction.period_end)) & (frame["measure"] == correction.measure)
    for column, value in zip(dataset.key, correction.key, strict=True):
        here &= frame[column] == value
    return quoted(frame[here])["value"].tolist()


@pytest.mark.parametrize("name", sorted({c.dataset for c in ALL} - {"safe/balance_of_payments"}))
def test_a_correction_names_a_cell_that_is_published_as_it_expects(name):
    dataset = registry.dataset(name)
    found = {correction: [] for correction in corrections.of(dataset)}
    for item in snapshot.bundled(dataset):
        frame = sources.parse(dataset, SourceFile(item.file, item.data)).observations
        for correction in corrections.of(dataset, item.released_on):
            found[correction] += stated(correction, frame, dataset)
    assert {c: set(figures) for c, figures in found.items()} == {c: {c.expect} for c in found}


def test_a_correction_of_the_balance_of_payments_is_found_in_the_publishers_file(publisher_files):
    # The bundled extracts do not quote these cells.
    dataset = registry.dataset("safe/balance_of_payments")
    file = publisher_files / "safe" / "balance_of_payments_bpm6_2024-03-29.xlsx"
    frame = sources.parse(dataset, SourceFile(file.name, file.read_bytes())).observations
    for correction in corrections.of(dataset):
        (figure,) = stated(correction, frame, dataset)
        assert round(figure, correction.decimals) == correction.expect


@pytest.mark.parametrize("dataset", sorted({c.dataset for c in ALL}))
def test_the_staging_model_of_a_corrected_dataset_applies_corrections(dataset):
    source, _, name = dataset.partition("/")
    folder = project_root() / "dbt_project" / "models" / "staging" / source
    model = (folder / f"stg_{source}__{name}.sql").read_text("utf-8")
    assert f"corrected('{dataset}'" in model or f"stage_tic('{name}'" in model


def test_the_file_is_read_as_it_is_written(tmp_path):
    (correction,) = read(tmp_path)
    assert correction == ALL[0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"reason": ""}, "reason is blank"),
        ({"cell": ""}, "cell is blank"),
        ({"expect": ""}, "expect is blank"),
        ({"expect": "ten"}, "could not convert"),
        ({"action": "mend"}, "'mend' is none of flag, drop, rescale"),
        ({"action": "rescale"}, "a factor belongs to rescale"),
        ({"factor": "1000"}, "a factor belongs to rescale"),
        ({"gap": ""}, "a gap needs the column"),
        ({"gap_column": ""}, "a gap needs the column"),
        ({"period_end": "2025-02-30"}, "day"),
        ({"reported_on": "yesterday"}, "yesterday"),
    ],
    ids=lambda value: str(value),
)
def test_a_row_that_is_none_is_refused_with_its_line(tmp_path, changes, says):
    with pytest.raises(TidemarkError) as caught:
        read(tmp_path, **changes)
    assert "corrections.csv, line 2: " in str(caught.value)
    assert says in str(caught.value)


def test_a_correction_concerns_the_releases_between_its_days(tmp_path):
    (correction,) = read(tmp_path, released_from="2025-08-05", released_to="2025-08-31")
    concerned = [
        d for d in ("2025-08-04", "2025-08-05", "2025-08-31", "2025-09-01") if correction.concerns(day(d))
    ]
    assert concerned == ["2025-08-05", "2025-08-31"]
    assert ALL[0].concerns(date(1999, 1, 1))
