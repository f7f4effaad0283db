"""Nominal GDP: the published figures, and files that are not what they should be."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from tests.conftest import bundled_file, day
from tests.sources.damage import ENCODINGS, NO_FILE, assert_encoding_refused, batch_refusal, refusal
from tidemark import pipeline, registry, snapshot, sources, warehouse
from tidemark.errors import (
    BadFigureError,
    DuplicateCellError,
    FailedSuiteError,
    FrozenFileError,
    TruncatedFileError,
    WrongDateError,
    WrongLayoutError,
)
from tidemark.reading import NOT_AVAILABLE, SourceFile
from tidemark.snapshot import Incoming

GDP = registry.dataset("bea/gdp")
RELEASED = day("2026-08-22")
FILE = bundled_file("gdp_2026-08-22.csv", "bea")
TEXT = FILE.data.decode("ascii")
ROW = "2026-01-01,31865.721\n"
ROW_LINE = TEXT[: TEXT.index(ROW)].count("\n") + 1


def changed(old, new) -> bytes:
    assert TEXT.count(old) == 1
    return TEXT.replace(old, new).encode("utf-8")


# --- What the publisher sends ---------------------------------------------------------------------------


def test_every_quarter_since_1947_is_read_under_its_last_day():
    frame = sources.parse(GDP, FILE).observations
    quarters = pd.date_range("1947-03-31", "2026-06-30", freq="QE")
    assert list(frame["period_end"]) == list(quarters)
    assert len(frame) == 318
    assert set(frame["label"]) == {"GDP"}
    assert set(frame["unit"]) == {"usd_bn_saar"}
    assert list(frame["line"]) == list(range(2, 320))


@pytest.mark.parametrize(
    ("quarter_end", "billion"),
    [("1947-03-31", 243.164), ("2025-12-31", 31422.526), ("2026-03-31", 31865.721), ("2026-06-30", 32475.21)],
)
def test_published_figures(quarter_end, billion):
    frame = sources.parse(GDP, FILE).observations.set_index("period_end")
    assert frame.loc[quarter_end, "value"] == billion


def test_reference_values():
    frame = sources.parse(GDP, FILE).observations
    for reference in GDP.reference_values:
        here = frame["period_end"] == str(reference["period_end"])
        assert frame.loc[here, "value"].tolist() == [reference["value"]]


def test_a_point_is_a_quarter_without_a_figure():
    frame = sources.parse(GDP, SourceFile("f", changed(ROW, "2026-01-01,.\n"))).observations
    (missing,) = frame[frame["value"].isna()].to_dict("records")
    assert (missing["line"], missing["status"]) == (ROW_LINE, NOT_AVAILABLE)


# --- What is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "kind"), NO_FILE)
def test_another_kind_of_file_is_refused(data, kind):
    refusal(GDP, data, kind)


@pytest.mark.parametrize("change", ENCODINGS)
def test_another_encoding_is_refused(change):
    assert_encoding_refused(GDP, change(FILE.data))


def test_another_series_is_refused():
    refusal(GDP, bundled_file("treast_2026-08-20.csv", "fed").data, WrongLayoutError, 1)
    refusal(GDP, changed("observation_date,GDP\n", "observation_date,GDPC1\n"), WrongLayoutError, 1)


@pytest.mark.parametrize(
    "figure", ["", "n.a.", "null", "31,865.721", '"31865.721"', "3.1865e4", "31865.721B"]
)
def test_a_figure_that_is_none_is_refused(figure):
    error = refusal(GDP, changed(ROW, f"2026-01-01,{figure}\n"), BadFigureError, ROW_LINE)
    assert "GDP, 2026-01-01" in error.message


@pytest.mark.parametrize(
    "day", ["2026-01-02", "2026-02-01", "2026-03-31", "2026Q1", "1/1/2026", "2026-13-01"]
)
def test_a_day_that_begins_no_quarter_is_refused(day):
    refusal(GDP, changed(ROW, f"{day},31865.721\n"), WrongLayoutError, ROW_LINE)


def test_a_quarter_that_stands_twice_or_is_missing_is_refused():
    refusal(GDP, changed(ROW, ROW * 2), DuplicateCellError, ROW_LINE + 1)
    error = refusal(GDP, changed(ROW, ""), WrongLayoutError, ROW_LINE)
    assert "2026-04-01 stands where 2026-01-01 is due" in error.message


def test_newest_first_and_a_range_of_dates_are_refused():
    header, *rows = TEXT.splitlines()
    for others in (reversed(rows), rows[40:]):
        refusal(GDP, "\n".join([header, *others, ""]).encode(), TruncatedFileError, 2)


def test_a_file_cut_in_a_row_is_refused():
    last = TEXT.rindex("2026-04-01")
    for at in range(last + 1, len(TEXT)):
        with pytest.raises((TruncatedFileError, WrongLayoutError)):
            sources.parse(GDP, SourceFile("f", FILE.data[:at]))


def test_a_file_is_as_old_as_its_release_may_be(check):
    data = FILE.data[: FILE.data.index(b"2026-01-01")]
    batch_refusal(check, GDP, data, RELEASED, FrozenFileError, None)
    batch_refusal(check, GDP, FILE.data, day("2026-06-30"), WrongDateError, None)


@pytest.mark.parametrize("factor", [1000, 0.001])
def test_another_unit_is_refused(check, factor):
    data = re.sub(r"(?<=,)[\d.]+(?=\n)", lambda found: f"{float(found[0]) * factor:.6f}", TEXT).encode()
    error = batch_refusal(check, GDP, data, RELEASED, FailedSuiteError, 2)
    assert "another unit" in error.message


# --- The whole way --------------------------------------------------------------------------------------


def test_the_bundled_release_loads_and_a_damaged_one_changes_nothing(home):
    (loaded,) = pipeline.ingest(home, GDP, snapshot.bundled(GDP))
    assert (loaded.cells, loaded.rows, loaded.release.released_on) == (318, 318, RELEASED)

    damaged = changed(ROW, "2026-01-01,31865721\n")
    with pytest.raises(FailedSuiteError):
        pipeline.ingest(home, GDP, [Incoming("g.csv", damaged, RELEASED, GDP.url)])
    (reason,) = (json.loads(path.read_text()) for path in home.quarantine.rglob("reason.json"))
    assert (reason["outcome"], reason["line"]) == ("failed_suite", ROW_LINE)


def test_a_revision_is_a_row_more(home):
    pipeline.ingest(home, GDP, snapshot.bundled(GDP))
    third = Incoming("g.csv", changed("32475.21", "32480.5"), day("2026-09-24"), GDP.url)
    (loaded,) = pipeline.ingest(home, GDP, [third])
    assert (loaded.cells, loaded.rows) == (318, 1)
    connection = warehouse.connect(home)
    try:
        found = connection.execute(
            "select value from raw.bea__gdp where period_end = '2026-06-30' order by released_on"
        ).fetchall()
    finally:
        connection.close()
    assert found == [(32475.21,), (32480.5,)]
