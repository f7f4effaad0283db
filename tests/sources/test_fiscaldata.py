"""The Treasury's Fiscal Data: the published figures, and answers that are not what they should be."""

from __future__ import annotations

import json
import re

import pytest

from tests.conftest import bundled_file, day
from tests.sources.damage import ENCODINGS, NO_FILE, assert_encoding_refused, batch_refusal, refusal
from tidemark import corrections, pipeline, registry, snapshot, sources, warehouse
from tidemark.errors import (
    BadFigureError,
    DuplicateCellError,
    FailedSuiteError,
    FrozenFileError,
    NotTheFileError,
    OutdatedCorrectionError,
    RefusedFileError,
    TruncatedFileError,
    UnknownLabelError,
    WrongDateError,
    WrongLayoutError,
)
from tidemark.reading import NOT_AVAILABLE, SourceFile
from tidemark.snapshot import Incoming

DEBT = registry.dataset("fiscaldata/debt_to_penny")
INTEREST = registry.dataset("fiscaldata/interest_expense")
BOTH = pytest.mark.parametrize("dataset", [DEBT, INTEREST], ids=lambda dataset: dataset.id)
RELEASED = day("2026-08-21")
FILES = {d.id: bundled_file(f"{d.id}_{RELEASED}.json", "fiscaldata") for d in (DEBT, INTEREST)}
TEXT = {name: file.data.decode("ascii") for name, file in FILES.items()}
LINES = {name: text.split("\n") for name, text in TEXT.items()}
# A record of each, by how its line begins.
RECORD = {
    "debt_to_penny": '{"record_date":"2022-01-31"',
    "interest_expense": '{"record_date":"2022-01-31","expense_catg_desc":"INTEREST EXPENSE ON PUBLIC',
}
AMOUNT = {"debt_to_penny": "tot_pub_debt_out_amt", "interest_expense": "month_expense_amt"}
PUBLIC_ISSUES = "INTEREST EXPENSE ON PUBLIC ISSUES"


def line_of(dataset, beginning=None) -> int:
    beginning = beginning or RECORD[dataset.id]
    return next(n for n, line in enumerate(LINES[dataset.id], start=1) if line.startswith(beginning))


def page(dataset) -> dict:
    return json.loads(TEXT[dataset.id])


def written(answer, **counts) -> bytes:
    """An answer as the API sends it, on one line; its counts are right unless given."""
    count = len(answer["data"])
    answer["meta"] |= {"count": count, "total-count": count} | counts
    return json.dumps(answer, separators=(",", ":")).encode()


def with_line(dataset, change) -> bytes:
    """The bundled file with its telling record changed as text; the counts stay."""
    number = line_of(dataset)
    lines = list(LINES[dataset.id])
    new = change(lines[number - 1])
    assert new != lines[number - 1]
    lines[number - 1] = new
    return "\n".join(lines).encode()


def with_figure(dataset, literal) -> bytes:
    """The figure of the telling record as another JSON literal."""
    name = AMOUNT[dataset.id]
    return with_line(dataset, lambda line: re.sub(f'"{name}":"[^"]*"', f'"{name}":{literal}', line))


def parsed(dataset, data=None):
    return sources.parse(dataset, SourceFile("f", data or FILES[dataset.id].data)).observations


# --- What the publisher sends ---------------------------------------------------------------------------


def test_every_business_day_has_a_total_and_since_march_2005_its_parts():
    frame = parsed(DEBT)
    assert len(frame) == 3 * 8376
    assert set(frame["unit"]) == {"usd"}
    wide = frame.pivot(index="period_end", columns="label", values="value")
    assert f"{wide.index.min():%Y-%m-%d}" == "1993-04-01"
    assert f"{wide.index.max():%Y-%m-%d}" == "2026-08-20"
    assert wide["tot_pub_debt_out_amt"].notna().all()
    without = wide[wide["debt_held_public_amt"].isna()]
    assert len(without) == 2958
    assert f"{without.index.max():%Y-%m-%d}" == "2005-03-30"
    assert without["intragov_hold_amt"].isna().all()


def test_null_as_text_is_not_available_and_no_zero():
    missing = parsed(DEBT).query("value.isna()")
    assert set(missing["status"]) == {NOT_AVAILABLE}
    assert "tot_pub_debt_out_amt" not in set(missing["label"])


@pytest.mark.parametrize(
    ("trillions", "first"),
    [(30, "2022-01-31"), (37, "2025-08-11"), (38, "2025-10-21"), (39, "2026-03-17"), (40, "2026-08-18")],
)
def test_the_debt_passed_each_trillion_on_its_day(trillions, first):
    total = parsed(DEBT).query("label == 'tot_pub_debt_out_amt' and value >= @trillions * 1e12")
    assert f"{total['period_end'].min():%Y-%m-%d}" == first


def test_figures_are_read_to_the_cent():
    total = parsed(DEBT).query("label == 'tot_pub_debt_out_amt'").set_index("period_end")["value"]
    assert f"{total['2026-08-18']:.2f}" == "40047425768420.22"
    assert f"{total['1993-04-01']:.2f}" == "4225873987843.44"


def test_interest_by_category_and_month():
    frame = parsed(INTEREST)
    assert len(frame) == 390
    assert set(frame["label"]) == set(INTEREST.series)
    cells = frame.set_index(["label", "period_end"])["value"]
    assert cells[PUBLIC_ISSUES, "2026-07-31"] == 100518590767.16
    assert cells["INTEREST EXPENSE ON GOVT ACCOUNT SERIES", "2012-07-31"] == -71696323650.79


@BOTH
def test_reference_values(dataset):
    frame = parsed(dataset)
    assert dataset.reference_values
    for reference in dataset.reference_values:
        here = (frame["label"] == reference["label"]) & (frame["period_end"] == str(reference["period_end"]))
        assert frame.loc[here, "value"].tolist() == [reference["value"]]


@BOTH
def test_one_line_as_the_api_sends_it_reads_the_same(dataset):
    compact = parsed(dataset, written(page(dataset)))
    bundled = parsed(dataset)
    assert compact.drop(columns="line").equals(bundled.drop(columns="line"))
    assert set(compact["line"]) == {1}
    telling = bundled[bundled["line"] == line_of(dataset)]
    assert {f"{day:%Y-%m-%d}" for day in telling["period_end"]} == {"2022-01-31"}


def test_the_fields_that_the_api_adds_unasked_are_left_aside():
    answer = page(DEBT)
    for record in answer["data"]:
        record |= {"src_line_nbr": "1", "record_fiscal_year": "2022", "record_calendar_day": "31"}
    answer["meta"]["labels"] = {"record_date": "Record Date"}
    assert len(parsed(DEBT, written(answer))) == 3 * 8376


# --- What is published so -------------------------------------------------------------------------------


def test_the_ten_billion_of_2025_08_04_are_the_only_gap_but_three_cents():
    frame = parsed(DEBT)
    bare = sources.with_checks(DEBT, frame).query("label == 'tot_pub_debt_out_amt'")
    assert bare["closing_gap"].dropna().eq(0).all()
    assert bare["closing_gap"].notna().sum() == 5418
    known = {(str(c.period_end), c.gap) for c in corrections.of(DEBT) if c.gap}
    assert known == {("2011-02-01", 0.03), ("2025-08-04", 1e10)}


def test_a_gap_of_a_cent_on_another_day_is_refused(check):
    def one_cent_more(line):
        amount = re.search(r'"tot_pub_debt_out_amt":"(\d+)\.(\d\d)"', line)
        cents = (int(amount[2]) + 1) % 100
        return line.replace(amount[0], f'"tot_pub_debt_out_amt":"{amount[1]}.{cents:02}"')

    data = with_line(DEBT, one_cent_more)
    error = batch_refusal(check, DEBT, data, RELEASED, FailedSuiteError, line_of(DEBT))
    assert "closing_gap is -0.01" in error.message


def test_a_day_on_which_every_figure_is_larger_by_a_tenth_is_refused(check):
    def larger(line):
        return re.sub(r'"(\d{10,})\.(\d\d)"', lambda found: f'"{int(found[1]) * 11 // 10}.{found[2]}"', line)

    data = with_line(DEBT, larger)
    error = batch_refusal(check, DEBT, data, RELEASED, FailedSuiteError)
    assert "day_change_pct is" in str(error)


def test_once_the_publisher_repairs_the_ten_billion_the_correction_is_outdated(check):
    answer = page(DEBT)
    (record,) = (r for r in answer["data"] if r["record_date"] == "2025-08-04")
    whole, cents = record["debt_held_public_amt"].split(".")
    record["debt_held_public_amt"] = f"{int(whole) - 10**10}.{cents}"
    error = batch_refusal(check, DEBT, written(answer), RELEASED, OutdatedCorrectionError, 1)
    assert "debt_held_public_amt, 2025-08-04 is 29,513,300,148,5" in error.message
    assert "debt_imbalance_2025_08_04" in error.message


# --- What is refused ------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(("data", "kind"), NO_FILE)
def test_another_kind_of_file_is_refused(dataset, data, kind):
    refusal(dataset, data, kind)


@BOTH
@pytest.mark.parametrize("change", ENCODINGS)
def test_another_encoding_is_refused(dataset, change):
    assert_encoding_refused(dataset, change(FILES[dataset.id].data))


@BOTH
def test_the_answer_of_the_other_dataset_is_refused(dataset):
    other = INTEREST if dataset is DEBT else DEBT
    refusal(dataset, FILES[other.id].data, WrongLayoutError, 2)


@BOTH
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"error":"Invalid Query Param","message":"Invalid query parameter"}', NotTheFileError),
        (b"[]", NotTheFileError),
        (b"{}", NotTheFileError),
        (b'{"data":[]}', WrongLayoutError),
        (b'{"data":[],"data":[],"meta":{},"links":{}}', WrongLayoutError),
        (b'{"data":NaN,"meta":{},"links":{}}', WrongLayoutError),
        (b'{"data":{},"meta":{},"links":{}}', WrongLayoutError),
        (b'{"data":[],"meta":{},"links":{}}', WrongLayoutError),
        (b'{"data":[],"meta":null,"links":{}}', WrongLayoutError),
        (b'{"data":[],"meta":{"count":0,"total-count":0,"total-pages":1},"links":{}}', TruncatedFileError),
        (b'{"data":[1],"meta":{"count":1,"total-count":1,"total-pages":1},"links":{}}', RefusedFileError),
        (b'{"data":[],,"meta":{}}', WrongLayoutError),
        (b"{" * 100_000 + b"}", RefusedFileError),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, RefusedFileError),
    ],
    ids=range(14),
)
def test_an_answer_that_is_none_is_refused(dataset, data, kind):
    with pytest.raises(kind):
        sources.parse(dataset, SourceFile("damaged", data))


@BOTH
@pytest.mark.parametrize("part", ["data", "meta", "links"])
def test_an_answer_that_lacks_a_part_is_refused(dataset, part):
    answer = page(dataset)
    del answer[part]
    with pytest.raises((NotTheFileError, WrongLayoutError)):
        parsed(dataset, json.dumps(answer).encode())


@BOTH
@pytest.mark.parametrize("name", ["count", "total-count", "total-pages"])
@pytest.mark.parametrize("value", [None, "1", 1.0, True])
def test_a_count_that_is_none_is_refused(dataset, name, value):
    error = refusal(dataset, written(page(dataset), **{name: value}), WrongLayoutError, 1)
    assert name in error.message


@BOTH
@pytest.mark.parametrize(
    "counts",
    [
        {"count": 100, "total-count": 100},
        {"count": 100, "total-pages": 84},
        {"total-pages": 2},
        {"total-count": 9000},
        {"total-count": 9000, "total-pages": 84},
    ],
)
def test_a_page_that_is_not_the_whole_is_refused(dataset, counts):
    refusal(dataset, written(page(dataset), **counts), TruncatedFileError, None)


@BOTH
def test_a_page_that_names_a_next_one_is_refused(dataset):
    answer = page(dataset)
    answer["links"]["next"] = "&page%5Bnumber%5D=2&page%5Bsize%5D=100"
    assert "10000" in refusal(dataset, written(answer), TruncatedFileError, None).advice


@BOTH
def test_a_record_less_than_meta_counts_is_refused(dataset):
    lines = list(LINES[dataset.id])
    del lines[line_of(dataset) - 1]
    refusal(dataset, "\n".join(lines).encode(), TruncatedFileError, None)


@BOTH
def test_an_answer_cut_off_anywhere_is_refused(dataset):
    data = FILES[dataset.id].data
    whole = len(data.rstrip())
    for at in (*range(1, 300, 7), *range(300, whole, whole // 40), *range(whole - 300, whole, 11), whole - 1):
        with pytest.raises(RefusedFileError):
            sources.parse(dataset, SourceFile("f", data[:at]))


@BOTH
def test_a_cut_is_called_a_cut_and_its_line_is_named(dataset):
    number = line_of(dataset)
    before, last = LINES[dataset.id][: number - 1], LINES[dataset.id][number - 1]
    for rest in (last[:60], last, last.removesuffix(",")):
        refusal(dataset, "\n".join([*before, rest]).encode(), TruncatedFileError, number)


@BOTH
@pytest.mark.parametrize(
    "literal",
    [
        '""',
        '"n.a."',
        '"."',
        '"None"',
        '"NULL"',
        '"1,234,567.00"',
        '"1e12"',
        '"$1"',
        "1234567.89",
        "null",
        "true",
        "[1]",
    ],
)
def test_a_figure_that_is_none_is_refused(dataset, literal):
    error = refusal(dataset, with_figure(dataset, literal), BadFigureError, line_of(dataset))
    assert "2022-01" in error.message


def test_a_null_where_a_figure_always_is_is_refused():
    refusal(DEBT, with_figure(DEBT, '"null"'), BadFigureError, line_of(DEBT))
    refusal(INTEREST, with_figure(INTEREST, '"null"'), BadFigureError, line_of(INTEREST))
    early = line_of(DEBT, '{"record_date":"2002-01-31"')
    one_part = LINES["debt_to_penny"][early - 1]
    lines = list(LINES["debt_to_penny"])
    lines[early - 1] = re.sub(r'"intragov_hold_amt":"[^"]*"', '"intragov_hold_amt":"null"', one_part)
    assert lines[early - 1] != one_part
    refusal(DEBT, "\n".join(lines).encode(), BadFigureError, early)


@BOTH
@pytest.mark.parametrize("date", ["2022-1-31", "01/31/2022", "2022-01-32", "null", ""])
def test_a_date_that_is_none_is_refused(dataset, date):
    data = with_line(dataset, lambda line: line.replace("2022-01-31", date))
    refusal(dataset, data, WrongLayoutError, line_of(dataset))


@BOTH
def test_a_field_that_is_missing_or_unknown_is_refused(dataset):
    name = AMOUNT[dataset.id]
    data = with_line(dataset, lambda line: line.replace(f'"{name}"', '"other_amt"'))
    assert name in refusal(dataset, data, WrongLayoutError, line_of(dataset)).message
    data = with_line(dataset, lambda line: line.replace("{", '{"other_amt":"1",', 1))
    assert "other_amt" in refusal(dataset, data, WrongLayoutError, line_of(dataset)).message


@BOTH
def test_a_record_that_stands_twice_is_refused(dataset):
    answer = page(dataset)
    answer["data"].insert(7, answer["data"][6])
    refusal(dataset, written(answer), DuplicateCellError, 1)


@BOTH
def test_newest_first_is_refused(dataset):
    answer = page(dataset)
    answer["data"].reverse()
    assert "oldest first" in refusal(dataset, written(answer), TruncatedFileError, 1).advice


@BOTH
def test_records_out_of_order_are_refused(dataset):
    answer = page(dataset)
    answer["data"].append(answer["data"].pop(2000 if dataset is DEBT else 200))
    with pytest.raises((WrongLayoutError, TruncatedFileError)):
        parsed(dataset, written(answer))


@BOTH
def test_a_range_of_dates_is_refused(dataset):
    answer = page(dataset)
    answer["data"] = answer["data"][50:]
    assert "begins with" in refusal(dataset, written(answer), TruncatedFileError, 1).message


@BOTH
def test_dates_lost_from_the_middle_are_missed(dataset):
    answer = page(dataset)
    del answer["data"][100:110]
    refusal(dataset, written(answer), TruncatedFileError, 1)


def test_a_weekend_and_a_month_that_does_not_end_are_refused():
    answer = page(DEBT)
    answer["data"][1]["record_date"] = "1993-04-03"
    refusal(DEBT, written(answer), WrongLayoutError, 1)
    answer = page(INTEREST)
    answer["data"][2]["record_date"] = "2010-06-29"
    refusal(INTEREST, written(answer), WrongLayoutError, 1)


def test_a_category_that_is_missing_in_a_month_is_missed():
    for at in (6, -1):
        answer = page(INTEREST)
        lost = answer["data"].pop(at)
        error = refusal(INTEREST, written(answer), TruncatedFileError, 1)
        assert lost["expense_catg_desc"] in error.message


def test_interest_split_by_group_is_another_table():
    answer = page(INTEREST)
    for record in answer["data"]:
        record["expense_group_desc"] = "ACCRUED INTEREST EXPENSE"
    assert "sources/fiscaldata.yml" in refusal(INTEREST, written(answer), WrongLayoutError, 1).advice


def test_a_category_that_the_passport_does_not_list_is_refused_by_name(check):
    answer = page(INTEREST)
    answer["data"].append({**answer["data"][-1], "expense_catg_desc": "INTEREST EXPENSE ON COINS"})
    error = batch_refusal(check, INTEREST, written(answer), RELEASED, UnknownLabelError, 1)
    assert "'INTEREST EXPENSE ON COINS' is no series that fiscaldata/interest_expense" in error.message


@BOTH
@pytest.mark.parametrize("shift", [3, -3])
def test_another_unit_is_refused(check, dataset, shift):
    def in_another_unit(found):
        cents = int(found[1] + found[2])
        moved = cents * 1000 if shift > 0 else cents // 1000
        return f'"{moved // 100}.{moved % 100:02}"'

    data = re.sub(r'"(\d{6,})\.(\d\d)"', in_another_unit, TEXT[dataset.id]).encode()
    assert "another unit" in batch_refusal(check, dataset, data, RELEASED, FailedSuiteError).message


def test_an_old_answer_under_a_new_date_is_refused(check):
    batch_refusal(check, DEBT, FILES["debt_to_penny"].data, day("2026-08-28"), FrozenFileError, None)
    batch_refusal(check, INTEREST, FILES["interest_expense"].data, day("2026-09-21"), FrozenFileError, None)
    batch_refusal(check, DEBT, FILES["debt_to_penny"].data, day("2026-08-20"), WrongDateError, None)


# --- The whole way --------------------------------------------------------------------------------------


@BOTH
def test_the_bundled_release_loads_and_a_damaged_one_changes_nothing(home, dataset):
    (loaded,) = pipeline.ingest(home, dataset, snapshot.bundled(dataset))
    cells = {"debt_to_penny": 25128, "interest_expense": 390}[dataset.id]
    assert (loaded.cells, loaded.rows, loaded.release.released_on) == (cells, cells, RELEASED)

    damaged = with_figure(dataset, '"1,000.00"')
    with pytest.raises(BadFigureError):
        pipeline.ingest(home, dataset, [Incoming("d.json", damaged, RELEASED, dataset.url)])
    (reason,) = (json.loads(path.read_text()) for path in home.quarantine.rglob("reason.json"))
    assert (reason["outcome"], reason["line"]) == ("bad_figure", line_of(dataset))
    connection = warehouse.connect(home)
    try:
        held = connection.execute(f"select count(*) from raw.{dataset.table}").fetchone()
    finally:
        connection.close()
    assert held == (cells,)


# --- What the lines of records are told by ---------------------------------------------------------------


def test_a_brace_in_a_text_shifts_no_line():
    data = with_line(DEBT, lambda line: line.replace("{", '{"record_fiscal_year":"{",', 1))
    assert parsed(DEBT, data).equals(parsed(DEBT))


@pytest.mark.parametrize("dataset", [DEBT, INTEREST], ids=str)
def test_a_first_record_that_is_empty_is_refused_with_its_line(dataset):
    answer = page(dataset)
    answer["data"][0] = {}
    with pytest.raises(RefusedFileError, match="record 1 has no field") as refused:
        parsed(dataset, written(answer))
    assert refused.value.line == 1


def test_the_end_of_the_calendar_is_a_gap():
    answer = page(INTEREST)
    for record in answer["data"][-50:]:
        record["record_date"] = "9999-12-31"
    with pytest.raises(RefusedFileError, match="a month is missing"):
        parsed(INTEREST, written(answer))
