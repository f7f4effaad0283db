"""The Federal Reserve's Treasuries: the published figures, and files that are not what they should be."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from tests.conftest import bundled_file, day
from tests.sources.damage import ENCODINGS, NO_FILE, assert_encoding_refused, batch_refusal, refusal
from tidemark import pipeline, registry, snapshot, sources, warehouse
from tidemark.errors import (
    BadFigureError,
    DuplicateCellError,
    FailedSuiteError,
    FrozenFileError,
    NotTheFileError,
    RefusedFileError,
    TruncatedFileError,
    UnknownLabelError,
    WrongDateError,
    WrongLayoutError,
)
from tidemark.reading import NOT_AVAILABLE, SourceFile
from tidemark.snapshot import Incoming

TREAST = registry.dataset("fed/treast")
RELEASED = day("2026-08-20")
FILE = bundled_file("treast_2026-08-20.csv", "fed")
TEXT = FILE.data.decode("ascii")
PEAK = "2022-06-08,5771393\n"
PEAK_LINE = TEXT[: TEXT.index(PEAK)].count("\n") + 1


def changed(old, new) -> bytes:
    assert TEXT.count(old) == 1
    return TEXT.replace(old, new).encode("utf-8")


# --- What the publisher sends ---------------------------------------------------------------------------


def test_every_wednesday_since_december_2002_is_read():
    frame = sources.parse(TREAST, FILE).observations
    assert len(frame) == 1236
    assert set(frame["period_end"].dt.day_name()) == {"Wednesday"}
    assert set(frame["label"]) == {"TREAST"}
    assert set(frame["unit"]) == {"usd_mn"}
    assert list(frame["line"]) == list(range(2, 1238))
    assert f"{frame['period_end'].min():%Y-%m-%d}" == "2002-12-18"
    assert f"{frame['period_end'].max():%Y-%m-%d}" == "2026-08-19"


@pytest.mark.parametrize(
    ("wednesday", "million"),
    [("2002-12-18", 629397), ("2022-06-08", 5771393), ("2026-08-05", 4529958), ("2026-08-19", 4542228)],
)
def test_published_figures(wednesday, million):
    frame = sources.parse(TREAST, FILE).observations.set_index("period_end")
    assert frame.loc[wednesday, "value"] == million


def test_the_peak_was_on_2022_06_08():
    frame = sources.parse(TREAST, FILE).observations
    assert f"{frame.loc[frame['value'].idxmax(), 'period_end']:%Y-%m-%d}" == "2022-06-08"
    for reference in TREAST.reference_values:
        here = frame["period_end"] == str(reference["period_end"])
        assert frame.loc[here, "value"].tolist() == [reference["value"]]


def test_a_point_is_a_week_without_a_figure():
    frame = sources.parse(TREAST, SourceFile("f", changed(PEAK, "2022-06-08,.\n"))).observations
    (missing,) = frame[frame["value"].isna()].to_dict("records")
    assert (missing["line"], missing["status"]) == (PEAK_LINE, NOT_AVAILABLE)


def test_windows_line_ends_are_line_ends():
    data = FILE.data.replace(b"\n", b"\r\n")
    assert len(sources.parse(TREAST, SourceFile("f", data)).observations) == 1236


# --- What is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "kind"), NO_FILE)
def test_another_kind_of_file_is_refused(data, kind):
    refusal(TREAST, data, kind)


def test_json_is_refused():
    refusal(TREAST, b'{"error_code": 400}', NotTheFileError, 1)


@pytest.mark.parametrize("change", ENCODINGS)
def test_another_encoding_is_refused(change):
    assert_encoding_refused(TREAST, change(FILE.data))


@pytest.mark.parametrize(
    "header",
    ["observation_date,WALCL", "DATE,TREAST", "observation_date,TREAST,WALCL", "observation_date,TREAST_CHG"],
)
def test_another_series_or_header_is_refused(header):
    refusal(TREAST, changed("observation_date,TREAST\n", f"{header}\n"), WrongLayoutError, 1)


def test_a_file_without_header_is_refused():
    refusal(TREAST, changed("observation_date,TREAST\n", ""), NotTheFileError, 1)


@pytest.mark.parametrize(
    "figure", ["", "n.a.", "null", "5,771,393", '"5771393"', "5.771393e6", "$5771393", "5771393,1", "-"]
)
def test_a_figure_that_is_none_is_refused(figure):
    error = refusal(TREAST, changed(PEAK, f"2022-06-08,{figure}\n"), BadFigureError, PEAK_LINE)
    assert "TREAST, 2022-06-08" in error.message


@pytest.mark.parametrize(
    "row", ["2022-06-08", "2022-06-08;5771393", "6/8/2022,5771393", "2022-06-31,5771393"]
)
def test_a_row_that_is_no_date_and_figure_is_refused(row):
    refusal(TREAST, changed(PEAK, f"{row}\n"), WrongLayoutError, PEAK_LINE)


def test_a_week_that_stands_twice_is_refused():
    refusal(TREAST, changed(PEAK, PEAK * 2), DuplicateCellError, PEAK_LINE + 1)


def test_a_week_that_is_missing_is_refused():
    error = refusal(TREAST, changed(PEAK, ""), WrongLayoutError, PEAK_LINE)
    assert "2022-06-15 stands where 2022-06-08 is due" in error.message


def test_a_day_that_is_no_wednesday_is_refused():
    refusal(TREAST, changed(PEAK, "2022-06-09,5771393\n"), WrongLayoutError, PEAK_LINE)


def test_newest_first_is_refused():
    header, *rows = TEXT.splitlines()
    refusal(TREAST, "\n".join([header, *reversed(rows), ""]).encode(), TruncatedFileError, 2)


def test_a_range_of_dates_is_refused():
    header, *rows = TEXT.splitlines()
    error = refusal(TREAST, "\n".join([header, *rows[100:], ""]).encode(), TruncatedFileError, 2)
    assert "without a range" in error.advice


@pytest.mark.parametrize("at", [*range(0, 60), *range(len(TEXT) - 40, len(TEXT))])
def test_a_file_cut_anywhere_in_a_row_is_refused(at):
    if TEXT[at - 1 : at] != "\n" or at < 30:
        with pytest.raises(RefusedFileError):
            sources.parse(TREAST, SourceFile("f", FILE.data[:at]))


def test_a_file_cut_between_two_rows_is_too_old_for_its_release(check):
    data = FILE.data[: FILE.data.index(b"2026-08-12")]
    batch_refusal(check, TREAST, data, RELEASED, FrozenFileError, None)


def test_a_file_is_not_older_than_its_figures(check):
    batch_refusal(check, TREAST, FILE.data, day("2026-08-19"), WrongDateError, None)


@pytest.mark.parametrize(("factor", "line"), [(1000, 2), (0.001, 2)])
def test_another_unit_is_refused(check, factor, line):
    data = re.sub(r"(?<=,)\d+(?=\n)", lambda found: f"{float(found[0]) * factor:.3f}", TEXT).encode()
    error = batch_refusal(check, TREAST, data, RELEASED, FailedSuiteError, line)
    assert "another unit" in error.message


def test_a_series_that_the_passport_does_not_list_is_refused_by_name(check):
    other = dataclasses.replace(TREAST, series=("WALCL",))
    error = batch_refusal(check, other, FILE.data, RELEASED, UnknownLabelError, 2)
    assert "'TREAST' is no series that fed/treast is known to name" in error.message
    assert "sources/fed.yml" in error.advice


# --- The whole way --------------------------------------------------------------------------------------


def test_the_bundled_release_loads_and_a_damaged_one_changes_nothing(home):
    (loaded,) = pipeline.ingest(home, TREAST, snapshot.bundled(TREAST))
    assert (loaded.cells, loaded.rows, loaded.release.released_on) == (1236, 1236, RELEASED)

    damaged = changed(PEAK, "2022-06-08,5771393000\n")
    with pytest.raises(FailedSuiteError):
        pipeline.ingest(home, TREAST, [Incoming("t.csv", damaged, RELEASED, TREAST.url)])
    (reason,) = (json.loads(path.read_text()) for path in home.quarantine.rglob("reason.json"))
    assert (reason["outcome"], reason["line"]) == ("failed_suite", PEAK_LINE)
    connection = warehouse.connect(home)
    try:
        assert connection.execute("select count(*), max(value) from raw.fed__treast").fetchone() == (
            1236,
            5771393,
        )
    finally:
        connection.close()


def test_a_week_that_a_later_release_no_longer_lists_was_withdrawn(home):
    pipeline.ingest(home, TREAST, snapshot.bundled(TREAST))
    last = TEXT.rindex("2026-08-19")
    shorter = Incoming("t.csv", TEXT[:last].encode(), day("2026-08-21"), TREAST.url)
    (loaded,) = pipeline.ingest(home, TREAST, [shorter])
    assert loaded.rows == 1
    connection = warehouse.connect(home)
    try:
        found = connection.execute(
            "select cast(period_end as varchar), value from raw.fed__treast where status = 'deleted'"
        ).fetchall()
    finally:
        connection.close()
    assert found == [("2026-08-19", None)]
