"""The Monthly Treasury Statement's table 9: real months as quoted, and answers that are not what they ought.

No whole answer is at hand. The records of June and July 2026, and a few of other months, are the API's own as
public code quotes them; the months before are made up here, in the API's layout, so that each line's year to
date leads up to that of June 2026.
"""

from __future__ import annotations

import json
import re
from datetime import date

import pandas as pd
import pytest

from tests.conftest import day
from tests.sources.damage import ENCODINGS, NO_FILE, batch_refusal, refusal
from tidemark import corrections, pipeline, quality, registry, snapshot, sources, warehouse
from tidemark.errors import (
    BadFigureError,
    DuplicateCellError,
    FailedSuiteError,
    FrozenFileError,
    RefusedFileError,
    TruncatedFileError,
    UnknownLabelError,
    WrongDateError,
    WrongLayoutError,
)
from tidemark.reading import SourceFile, month_end
from tidemark.snapshot import Incoming
from tidemark.sources.fiscaldata import HEADINGS, LINES

MTS = registry.dataset("fiscaldata/mts_table_9")
MONTH, TO_DATE, PRIOR = (
    "current_month_rcpt_outly_amt",
    "current_fytd_rcpt_outly_amt",
    "prior_fytd_rcpt_outly_amt",
)
RELEASED = day("2026-08-12")
# By line code: the month, the fiscal year to date, the year before to date. July 2026, then June 2026.
JULY, JUNE = date(2026, 7, 31), date(2026, 6, 30)
QUOTED = {
    JULY: {
        "20": ("173271094383.06", "2368957104098.08", "2204487023729.54"),
        "30": ("13568609811.21", "292908939542.32", "387107963590.68"),
        "50": ("133763107227.96", "1471449970568.24", "1423936998382.58"),
        "60": ("4572674630.14", "44284560539.98", "49384731835.69"),
        "70": ("730789055.47", "7011608693.46", "6995814476.03"),
        "80": ("9623758231.84", "84622049696.74", "84932758016.77"),
        "90": ("3851792550.86", "34006937470.93", "24092505029.49"),
        "100": ("-8546441906.97", "154472685103.20", "135687843801.04"),
        "110": ("3174491572.22", "27705648168.20", "30012437982.07"),
        "120": ("334009875555.79", "4485419503881.15", "4346638076843.89"),
        "140": ("90571408631.42", "803701596629.04", "757978234824.44"),
        "150": ("4725824502.13", "38675234994.78", "51467613880.94"),
        "160": ("3623674620.23", "32959857984.81", "34218127954.95"),
        "170": ("2557231103.99", "16767148414.61", "17483824876.16"),
        "180": ("5446489119.89", "49149865399.92", "75609761370.50"),
        "190": ("1707072387.78", "49170444778.90", "45319382250.77"),
        "200": ("2630363887.25", "-9962270710.82", "-24645776682.99"),
        "210": ("12644021581.09", "112789039955.60", "112199482665.24"),
        "220": ("6475942621.18", "51604816017.13", "71845012440.35"),
        "230": ("8986580290.96", "82039830967.24", "163660191300.20"),
        "240": ("82859571628.86", "845183262086.09", "805393977863.51"),
        "250": ("174250585170.58", "954524661064.21", "823387863322.33"),
        "260": ("64059475744.98", "607747858041.21", "608467933878.18"),
        "270": ("140676887928.32", "1384438183069.17", "1313765298087.98"),
        "280": ("55220772322.49", "360566522750.01", "309947626545.54"),
        "290": ("12794558810.58", "89985224974.49", "68760758501.15"),
        "300": ("6713189901.90", "20159250588.67", "27432407432.51"),
        "320": ("104158824874.17", "931356018861.05", "840759988383.46"),
        "330": ("-13784724950.53", "-136620830131.93", "-127898612813.42"),
        "340": ("766317750177.27", "6284235715734.18", "5975153096081.80"),
    },
    JUNE: {
        "20": ("283146831936.70", "2195686009715.02", "2059338673178.20"),
        "30": ("69536652912.03", "279340329731.11", "366273181699.05"),
        "50": ("153951919603.48", "1337686863340.28", "1298091520635.59"),
        "60": ("800628657.83", "39711885909.84", "44880292823.61"),
        "70": ("756316406.25", "6280819637.99", "6323460691.24"),
        "80": ("7705552298.15", "74998291464.90", "75358459105.36"),
        "90": ("2203882904.32", "30155144920.07", "22341365083.15"),
        "100": ("-25555668440.83", "163019127010.17", "108017789769.64"),
        "110": ("3215365290.77", "24531156595.98", "27521485434.88"),
        "120": ("495761481568.70", "4151409628325.36", "4008146228420.72"),
        "140": ("82229219356.31", "713130187997.62", "682434569378.62"),
        "150": ("635092835.65", "33949408492.65", "45220764045.25"),
        "160": ("3199425090.97", "29336183364.58", "30808750506.39"),
        "170": ("3081505841.86", "14209917310.62", "15969204642.68"),
        "180": ("4422388949.15", "43703376280.03", "69769234741.74"),
        "190": ("2608054849.25", "47463372391.12", "41824797701.70"),
        "200": ("-4725090886.39", "-12592634598.07", "-6001758210.51"),
        "210": ("12919905211.34", "100145018374.51", "98699938152.54"),
        "220": ("16345811723.66", "45128873395.95", "66514322274.13"),
        "230": ("-34006133101.74", "73053250676.28", "130336547494.57"),
        "240": ("97113581261.41", "762323690457.23", "715393775890.42"),
        "250": ("103468801709.98", "780274075893.63", "723374938005.42"),
        "260": ("44758192389.46", "543688382296.23", "554383451873.46"),
        "270": ("146737369071.60", "1243761295140.85", "1181018943946.16"),
        "280": ("34728873816.50", "305345750427.52", "278214619434.19"),
        "290": ("8760071148.10", "77190666163.91", "62363985338.25"),
        "300": ("-1501170352.45", "13446062686.77", "24817054987.75"),
        "320": ("104490682743.68", "827197193986.88", "748748607258.27"),
        "330": ("-9199824503.27", "-122836105181.40", "-118373160090.07"),
        "340": ("616066757155.07", "5517917965556.91", "5345518587370.96"),
    },
}
# Lines of other statements, by month and code, as they are quoted.
ELSEWHERE = {
    (date(2026, 5, 31), "320"): ("106954472209.61", "722706511243.20"),
    (date(2026, 5, 31), "120"): ("335512183227.42", "3655648146756.66"),
    (date(2026, 5, 31), "340"): ("628160645311.16", "4901851413143.59"),
    (date(2025, 7, 31), "140"): ("75543665445.82", "757978234824.44"),
    (date(2025, 7, 31), "320"): ("92011381125.19", "840759988383.46"),
}
RECEIPTS = [code for code in LINES if 20 <= int(code) <= 110 and code not in HEADINGS]
OUTLAYS = [code for code in LINES if 140 <= int(code) <= 330]


def cents(usd: str) -> int:
    return int(usd.replace(".", ""))


def usd(amount: int) -> str:
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100}.{abs(amount) % 100:02}"


def months(first=date(2015, 3, 31), last=JULY):
    month = first
    while month <= last:
        yield month
        month = month_end(month.year + month.month // 12, month.month % 12 + 1)


def made_up() -> dict[date, dict[str, tuple[str, str, str]]]:
    """Statements before June 2026 in which every law holds, the last leading up to June's year to date."""
    statements: dict[date, dict[str, tuple[str, str, str]]] = {}
    to_date: dict[str, int] = {}
    for month in months(last=date(2026, 5, 31)):
        of_month = {}
        in_2026 = month >= date(2025, 10, 31)
        for number, code in enumerate(RECEIPTS + OUTLAYS):
            amount = (2_000_000_000 + 13_000_007 * number + 1_000_001 * month.month) * 1000
            if in_2026:
                needed = cents(QUOTED[JUNE][code][1]) - cents(QUOTED[JUNE][code][0])
                amount = needed - 7 * (needed // 8) if month.month == 5 else needed // 8
            of_month[code] = amount
        of_month["120"] = sum(of_month[code] for code in RECEIPTS)
        of_month["340"] = sum(of_month[code] for code in OUTLAYS)
        to_date = {
            code: amount + (0 if month.month == 10 else to_date.get(code, 0))
            for code, amount in of_month.items()
        }
        statements[month] = {
            code: (usd(amount), usd(to_date[code]), usd(to_date[code])) for code, amount in of_month.items()
        }
    return statements


def records(statement_of) -> list[dict[str, str]]:
    found = []
    for month, lines in statement_of.items():
        base = 50_000_000 + month.toordinal() * 40
        ids = {code: str(base + place) for place, code in enumerate(LINES)}
        for place, (code, (label, kind)) in enumerate(LINES.items(), start=1):
            parent = {"50": "40", "60": "40", "70": "40"}.get(code, "10" if int(code) <= 120 else "130")
            amounts = lines.get(code, ("null",) * 3)
            found.append(
                {
                    "record_date": month.isoformat(),
                    "parent_id": "null" if code in ("10", "130") else ids[parent],
                    "classification_id": ids[code],
                    "classification_desc": label,
                    MONTH: amounts[0],
                    TO_DATE: amounts[1],
                    PRIOR: amounts[2],
                    "table_nbr": "9",
                    "src_line_nbr": str(place),
                    "print_order_nbr": str(place),
                    "line_code_nbr": code,
                    "data_type_cd": "S" if code in HEADINGS else "T" if label == "Total" else "D",
                    "record_type_cd": kind,
                    "sequence_level_nbr": "1" if parent == code else "2",
                    "sequence_number_cd": "1",
                    "record_fiscal_year": str(month.year + month.month // 10),
                    "record_fiscal_quarter": str((month.month + 2) % 12 // 3 + 1),
                    "record_calendar_year": str(month.year),
                    "record_calendar_quarter": str((month.month + 2) // 3),
                    "record_calendar_month": f"{month.month:02}",
                    "record_calendar_day": f"{month.day:02}",
                }
            )
    return found


RECORDS = records(made_up() | {JUNE: QUOTED[JUNE], JULY: QUOTED[JULY]})


def written(found=None, **counts) -> bytes:
    """An answer as the API gives it; a record a line, so that a line can be named."""
    found = RECORDS if found is None else found
    meta = {"count": len(found), "labels": {"record_date": "Record Date"}, "total-count": len(found)}
    meta |= {"total-pages": 1} | counts
    links = {"self": "&page%5Bnumber%5D=1&page%5Bsize%5D=10000", "prev": None, "next": None}
    lines = ",\n".join(json.dumps(record) for record in found)
    return f'{{"data":[\n{lines}\n],\n"meta":{json.dumps(meta)},"links":{json.dumps(links)}}}'.encode()


def at(code, month=JULY) -> int:
    return next(
        n
        for n, record in enumerate(RECORDS)
        if (record["record_date"], record["line_code_nbr"]) == (month.isoformat(), code)
    )


def line_of(code, month=JULY) -> int:
    return at(code, month) + 2


def changed(code, month=JULY, **fields) -> bytes:
    """The answer with one record changed."""
    found = list(RECORDS)
    found[at(code, month)] = found[at(code, month)] | fields
    return written(found)


def parsed(data=None):
    return sources.parse(MTS, SourceFile("f", data or written())).observations


def cells(frame):
    return frame.set_index(["line_code", "period_end", "measure"])["value"]


# --- What the publisher sends ---------------------------------------------------------------------------


def test_every_line_of_every_month_is_read_but_headings():
    frame = parsed()
    assert len(frame) == 137 * 30 * 3
    assert set(frame["label"]) == set(MTS.series)
    assert set(frame["unit"]) == {"usd"}
    assert set(frame["measure"]) == set(MTS.measures)
    assert sorted(frame.loc[frame["label"] == "Total", "line_code"].unique()) == ["120", "340"]
    assert f"{frame['period_end'].min():%Y-%m-%d}" == "2015-03-31"
    assert f"{frame['period_end'].max():%Y-%m-%d}" == "2026-07-31"


def test_each_quoted_amount_is_read_to_the_cent_and_beside_its_line():
    found = cells(parsed())
    for month, lines in QUOTED.items():
        for code, amounts in lines.items():
            for measure, amount in zip(MTS.measures, amounts, strict=True):
                assert f"{found[code, str(month), measure]:.2f}" == amount
    frame = parsed()
    telling = frame[(frame["line_code"] == "320") & (frame["period_end"] == "2026-07-31")]
    assert set(telling["line"]) == {line_of("320")}


def test_reference_values_are_those_of_the_quoted_records():
    quoted = {
        (LINES[code][0], month, measure): float(amount)
        for month, lines in QUOTED.items()
        for code, amounts in lines.items()
        for measure, amount in zip(MTS.measures, amounts, strict=True)
    } | {
        (LINES[code][0], month, measure): float(amount)
        for (month, code), amounts in ELSEWHERE.items()
        for measure, amount in zip(("month", "fiscal_year_to_date"), amounts, strict=True)
    }
    assert MTS.reference_values
    for reference in MTS.reference_values:
        month = date.fromisoformat(str(reference["period_end"]))
        assert quoted[reference["label"], month, reference["measure"]] == reference["value"]


def test_the_quoted_statements_close_to_the_cent():
    for lines in QUOTED.values():
        for place in range(3):
            for total, parts in (("120", RECEIPTS), ("340", OUTLAYS)):
                assert sum(cents(lines[code][place]) for code in parts) == cents(lines[total][place])


def test_a_correction_of_an_earlier_month_stands_in_the_year_to_date_alone():
    """July 2026 moves 2,000 USD between two functions, June 2026 takes 204,741.75 off total outlays."""
    gaps = {
        code: cents(QUOTED[JULY][code][1]) - cents(QUOTED[JUNE][code][1]) - cents(QUOTED[JULY][code][0])
        for code in QUOTED[JULY]
    }
    assert {code: gap for code, gap in gaps.items() if gap} == {"150": 2_000_00, "300": -2_000_00}
    may, june = ELSEWHERE[date(2026, 5, 31), "340"], QUOTED[JUNE]["340"]
    assert cents(june[1]) - cents(may[1]) - cents(june[0]) == -204_741_75
    for code in ("120", "320"):
        may, june = ELSEWHERE[date(2026, 5, 31), code], QUOTED[JUNE][code]
        assert cents(june[1]) - cents(may[1]) - cents(june[0]) == 0


def test_the_year_before_is_as_that_years_statement_had_it():
    for code in ("140", "320"):
        assert QUOTED[JULY][code][2] == ELSEWHERE[date(2025, 7, 31), code][1]


def test_within_a_statement_any_order_reads_the_same():
    shuffled = sorted(RECORDS, key=lambda r: (r["record_date"], int(r["line_code_nbr"]) * 7 % 330))
    assert cells(parsed(written(shuffled))).sort_index().equals(cells(parsed()).sort_index())


def test_the_fields_that_only_say_where_a_line_stands_may_be_left_out():
    kept = ("record_date", "line_code_nbr", "classification_desc", "record_type_cd", MONTH, TO_DATE, PRIOR)
    fewer = [{name: record[name] for name in kept} for record in RECORDS]
    assert cells(parsed(written(fewer))).equals(cells(parsed()))


def test_gaps_are_taken_to_the_cent():
    frame = sources.with_checks(MTS, parsed())
    closing = frame["closing_gap"].dropna()
    assert len(closing) == 137 * 2 * 3
    assert closing.eq(0).all()
    to_date = frame["year_to_date_gap"].dropna()
    # None is checked in the first statement, in the middle of its year.
    assert len(to_date) == 136 * 30
    corrected = frame.loc[to_date[to_date != 0].index].set_index(["line_code", "period_end"])
    assert corrected["year_to_date_gap"].to_dict() == {
        ("150", pd.Timestamp(JULY)): 2000.0,
        ("300", pd.Timestamp(JULY)): -2000.0,
    }


def test_the_answer_passes_its_suite(check):
    verdict = check(MTS.name, sources.with_checks(MTS, parsed()), "f", quality.parameters_of(MTS))
    assert verdict.success, verdict.problems


def test_a_gap_that_a_correction_knows_is_taken_off(monkeypatch):
    key, end = ("National Defense", "150"), pd.Timestamp(JULY)
    known = {("year_to_date_gap", key, "fiscal_year_to_date", end): 2000.0}
    monkeypatch.setattr(corrections, "known_gaps", lambda dataset, frame: known)
    to_date = sources.with_checks(MTS, parsed()).set_index(["line_code", "period_end"])["year_to_date_gap"]
    assert to_date["150", "2026-07-31"].dropna().tolist() == [0.0]
    assert to_date["300", "2026-07-31"].dropna().tolist() == [-2000.0]


# --- What is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "kind"), NO_FILE)
def test_another_kind_of_file_is_refused(data, kind):
    refusal(MTS, data, kind)


@pytest.mark.parametrize("change", ENCODINGS)
def test_another_encoding_is_refused(change):
    with pytest.raises(RefusedFileError):
        parsed(change(written()))


@pytest.mark.parametrize("name", ["debt_to_penny", "interest_expense"])
def test_the_answer_of_another_table_is_refused(name):
    (other,) = snapshot.bundled(registry.dataset(f"fiscaldata/{name}"))
    refusal(MTS, other.data, WrongLayoutError, 2)


def test_another_table_of_the_statement_is_refused():
    table_5 = [{k.replace("rcpt_outly", "net_outly"): v for k, v in r.items()} for r in RECORDS]
    error = refusal(MTS, written(table_5), WrongLayoutError, 2)
    assert MONTH in error.message


@pytest.mark.parametrize("counts", [{"total-pages": 2}, {"total-count": 5000}, {"count": 100}])
def test_a_page_that_is_not_the_whole_is_refused(counts):
    refusal(MTS, written(**counts), TruncatedFileError, None)


def test_an_answer_cut_off_anywhere_is_refused():
    data = written()
    for cut in (*range(1, 400, 13), *range(400, len(data), len(data) // 25), len(data) - 1):
        with pytest.raises(RefusedFileError):
            parsed(data[:cut])


@pytest.mark.parametrize("field", [MONTH, TO_DATE, PRIOR])
@pytest.mark.parametrize(
    "amount", ["", "null", "n.a.", "-", "104,158,824,874.17", "1.04e11", "$104", None, 104158824874.17, True]
)
def test_an_amount_that_is_none_is_refused(field, amount):
    error = refusal(MTS, changed("320", **{field: amount}), BadFigureError, line_of("320"))
    assert "2026-07" in error.message
    assert field in error.message


@pytest.mark.parametrize("code", sorted(HEADINGS))
def test_a_heading_with_an_amount_is_refused(code):
    refusal(MTS, changed(code, **{TO_DATE: "0.00"}), BadFigureError, line_of(code))


@pytest.mark.parametrize("code", ["320", "140", "340", "10"])
def test_a_line_that_is_missing_in_a_month_is_missed(code):
    for month in (JULY, JUNE, date(2015, 3, 31)):
        found = list(RECORDS)
        lost = found.pop(at(code, month))
        error = refusal(MTS, written(found), TruncatedFileError)
        assert f"{lost['classification_desc']} ({code}), {month:%Y-%m} is missing" in error.message


def test_net_interest_and_defense_alone_are_not_the_table():
    found = [record for record in RECORDS if record["line_code_nbr"] in ("140", "320")]
    refusal(MTS, written(found), TruncatedFileError)


def test_a_line_that_stands_twice_is_refused():
    found = list(RECORDS)
    found.insert(at("320"), found[at("320")])
    refusal(MTS, written(found), DuplicateCellError, line_of("320") + 1)


def test_totals_folded_into_one_are_refused():
    """As the API answers if it is asked for fields that do not tell the lines apart."""
    found = [{k: v for k, v in record.items() if k != "line_code_nbr"} for record in RECORDS]
    refusal(MTS, written(found), WrongLayoutError, 2)


@pytest.mark.parametrize(
    "fields",
    [
        {"classification_desc": "Net interest"},
        {"classification_desc": "Allowances", "line_code_nbr": "310"},
        {"line_code_nbr": "140"},
        {"line_code_nbr": "null"},
        {"record_type_cd": "RSG"},
        {"classification_desc": ""},
    ],
)
def test_a_line_unknown_or_under_another_name_is_refused_by_name(fields):
    error = refusal(MTS, changed("320", **fields), UnknownLabelError, line_of("320"))
    assert all(repr(v) in error.message or v in error.message for v in fields.values())
    assert "sources/fiscaldata.yml" in error.advice


def test_a_line_that_the_passport_does_not_list_is_refused(check, monkeypatch):
    monkeypatch.setitem(LINES, "310", ("Allowances", "F"))
    made = made_up() | {JUNE: QUOTED[JUNE], JULY: QUOTED[JULY]}
    found = records({month: lines | {"310": ("0.00",) * 3} for month, lines in made.items()})
    error = batch_refusal(check, MTS, written(found), RELEASED, UnknownLabelError)
    assert "'Allowances' is no series" in error.message


@pytest.mark.parametrize("text", ["2026-07-30", "2026-7-31", "07/31/2026", "null"])
def test_a_date_that_ends_no_month_is_refused(text):
    refusal(MTS, changed("10", record_date=text), WrongLayoutError, line_of("10"))


def test_months_missing_newest_first_and_a_range_are_refused():
    without_june = [r for r in RECORDS if r["record_date"] != JUNE.isoformat()]
    refusal(MTS, written(without_june), TruncatedFileError, line_of("10", JUNE))
    refusal(MTS, written(RECORDS[33:]), TruncatedFileError, 2)
    refusal(MTS, written(RECORDS[::-1]), TruncatedFileError, 2)
    stray = [*RECORDS, RECORDS[0]]
    refusal(MTS, written(stray), WrongLayoutError, len(RECORDS) + 2)


@pytest.mark.parametrize("shift", [3, -3])
def test_another_unit_is_refused(check, shift):
    def moved(found):
        amount = cents(found[1])
        return f'"{usd(amount * 1000 if shift > 0 else amount // 1000)}"'

    data = re.sub(r'"(-?\d+\.\d\d)"', moved, written().decode()).encode()
    assert "another unit" in batch_refusal(check, MTS, data, RELEASED, FailedSuiteError).message


def test_a_line_that_does_not_add_up_is_refused(check):
    # One cent, and a billion: the sum of the lines tells it to the cent.
    for amount in ("104158824874.18", "105158824874.17"):
        error = batch_refusal(check, MTS, changed("320", **{MONTH: amount}), RELEASED, FailedSuiteError)
        assert "to the cent" in error.message
        assert error.line == line_of("340")


def test_a_year_to_date_that_is_not_the_sum_of_its_months_is_refused(check):
    found = list(RECORDS)
    for code in ("320", "340"):
        record = found[at(code)]
        found[at(code)] = record | {TO_DATE: usd(cents(record[TO_DATE]) + 6_000_000_000_00)}
    error = batch_refusal(check, MTS, written(found), RELEASED, FailedSuiteError, line_of("320"))
    assert "year_to_date_gap is 6,000,000,000" in error.message


def test_an_old_answer_under_a_new_date_is_refused(check):
    batch_refusal(check, MTS, written(), day("2026-10-14"), FrozenFileError, None)
    batch_refusal(check, MTS, written(), JULY, WrongDateError, None)


# --- The whole way --------------------------------------------------------------------------------------


def test_without_a_bundled_release_there_is_nothing_to_load_and_nothing_fails(home):
    assert snapshot.bundled(MTS) == []
    assert pipeline.ingest(home, MTS, snapshot.bundled(MTS)) == []
    assert held(home) == [(0,)]


def test_an_answer_loads_and_a_damaged_one_changes_nothing(home):
    (loaded,) = pipeline.ingest(home, MTS, [Incoming("mts.json", written(), RELEASED, MTS.url)])
    assert (loaded.cells, loaded.rows) == (12330, 12330)

    damaged = changed("320", **{MONTH: "null"})
    with pytest.raises(BadFigureError):
        pipeline.ingest(home, MTS, [Incoming("mts.json", damaged, RELEASED, MTS.url)])
    (reason,) = home.quarantine.rglob("reason.json")
    told = json.loads(reason.read_text())
    assert (told["outcome"], told["line"]) == ("bad_figure", line_of("320"))
    assert (reason.parent / "mts.json").read_bytes() == damaged
    assert held(home) == [(12330,)]


def held(home):
    connection = warehouse.connect(home)
    try:
        return connection.execute(f"select count(*) from raw.{MTS.table}").fetchall()
    finally:
        connection.close()
