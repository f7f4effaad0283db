"""Fiscal Data: the debt, the interest on it, receipts and outlays, as the Treasury's API answers in JSON.

An answer is one page: `{"data": [a record each], "meta": {counts}, "links": {pages}}`. Every value is a
string, and what is missing is the string "null". A page that is not the whole is refused, since what a
release no longer lists counts as withdrawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from tidemark import corrections
from tidemark.errors import (
    BadFigureError,
    DuplicateCellError,
    NotTheFileError,
    TruncatedFileError,
    UnknownLabelError,
    WrongLayoutError,
)
from tidemark.reading import (
    NOT_AVAILABLE,
    Cells,
    SourceFile,
    iso_day,
    month_end,
)
from tidemark.registry import Dataset
from tidemark.sources import Parsed
from tidemark.steps import with_steps

FETCH_AGAIN = "fetch the file again; if the publisher has changed its layout, the parser must learn it"
ASK_AS_THE_PASSPORT = "ask with the url in sources/fiscaldata.yml: its fields, all dates, oldest first"
MISSING = {"null": NOT_AVAILABLE}
# An object that holds no other.
FLAT_OBJECT = re.compile(r"\{[^{}]*\}")
# What the API adds to a record if it is asked for every field.
DATE_PARTS = frozenset(
    {
        "record_fiscal_year",
        "record_fiscal_quarter",
        "record_calendar_year",
        "record_calendar_quarter",
        "record_calendar_month",
        "record_calendar_day",
    }
)

# --- Debt to the Penny ----------------------------------------------------------------------------------

HELD_BY_PUBLIC, INTRAGOVERNMENTAL, TOTAL = "debt_held_public_amt", "intragov_hold_amt", "tot_pub_debt_out_amt"
FIRST_DAY = date(1993, 4, 1)
# From here on the parts are published every day; before it at the end of some fiscal years and months.
PARTS_DAILY_SINCE = date(2005, 3, 31)
# The longest that two days of record are apart, over holidays and two days that were never published.
LONGEST_PAUSE_DAYS = 5


def parse_debt_to_penny(file: SourceFile) -> Parsed:
    """The debt and its two parts on each business day since April 1993, USD to the cent."""
    names = [HELD_BY_PUBLIC, INTRAGOVERNMENTAL, TOTAL]
    lines: list[int] = []
    days: list[date] = []
    texts: list[str] = []
    with Cells(file, ["label"], lambda cell: f"{cell['label']}, {cell['period_end']}", MISSING) as debt:
        try:
            for line, record in _records(file, ("record_date", *names), DATE_PARTS | {"src_line_nbr"}):
                day = _day(file, line, record)
                _expect_next_day(file, line, day, days[-1] if days else None)
                amounts = [_text(file, line, record, name) for name in names]
                _expect_parts(file, line, day, *map(str.strip, amounts))
                lines.append(line)
                days.append(day)
                texts += amounts
        finally:
            # At once, which costs a third of what it does day by day.
            debt.add(
                [line for line in lines for _ in names],
                texts,
                label=names * len(days),
                period_end=[day for day in days for _ in names],
                measure="outstanding",
            )
    return Parsed(debt.observations("usd"))


def _expect_parts(file: SourceFile, line: int, day: date, public: str, own: str, total: str) -> None:
    """The total is never missing, nor is a part since they are published daily, nor one part alone."""
    if public not in MISSING and own not in MISSING and total not in MISSING:
        return
    if public in MISSING and own in MISSING and total not in MISSING and day < PARTS_DAILY_SINCE:
        return
    names = {HELD_BY_PUBLIC: public, INTRAGOVERNMENTAL: own, TOTAL: total}
    first = next(name for name, text in names.items() if text in MISSING)
    raise BadFigureError(
        file.name,
        line,
        f"{first}, {day} is null; the total never is, nor a part since {PARTS_DAILY_SINCE}, "
        "nor one part alone",
        FETCH_AGAIN,
    )


def _expect_next_day(file: SourceFile, line: int, day: date, before: date | None) -> None:
    if before is None:
        _expect_first(file, line, day, FIRST_DAY)
        return
    if day == before:
        raise DuplicateCellError(file.name, line, f"{day} stands a second time", FETCH_AGAIN)
    if day < before:
        raise WrongLayoutError(file.name, line, f"{day} stands after {before}", ASK_AS_THE_PASSPORT)
    if day.weekday() > 4:
        raise WrongLayoutError(
            file.name, line, f"{day} is a {day:%A}; debt is recorded on business days", FETCH_AGAIN
        )
    if (day - before).days > LONGEST_PAUSE_DAYS:
        raise TruncatedFileError(
            file.name, line, f"{day} follows {before}: the days between are missing", ASK_AS_THE_PASSPORT
        )


def check_debt(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Adds two columns on the rows of the total: `closing_gap`, its parts less the total in USD (NaN without
    parts), and `day_change_pct`, its change from the day before; and `stands_since` of `with_steps`.

    Taken in cents as published, since floats of this size do not subtract exactly. A gap that a correction
    knows as published so is taken off.
    """
    by_day = frame.pivot(index="period_end", columns="label", values="value").dropna()
    known = {end: gap for (_, _, _, end), gap in corrections.known_gaps(dataset, frame).items()}
    gaps = {}
    for day, public, own, total in by_day[[HELD_BY_PUBLIC, INTRAGOVERNMENTAL, TOTAL]].itertuples():
        gap = _cents(public) + _cents(own) - _cents(total) - _cents(known.get(day, 0.0))
        gaps[day] = float(gap)
    is_total = frame["label"] == TOTAL
    steps = with_steps(dataset, frame)
    return frame.assign(
        closing_gap=frame["period_end"].map(gaps).where(is_total),
        day_change_pct=steps["change_pct"].where(is_total),
        stands_since=steps["stands_since"],
    )


def _cents(usd: float) -> Decimal:
    """USD to the cent as it was published: floats tell cents apart up to 70 trillion."""
    return round(Decimal(usd), 2)


# --- Interest expense -----------------------------------------------------------------------------------

CATEGORY, EXPENSE = "expense_catg_desc", "month_expense_amt"
CATEGORIES = ("INTEREST EXPENSE ON GOVT ACCOUNT SERIES", "INTEREST EXPENSE ON PUBLIC ISSUES")
FIRST_MONTH = date(2010, 5, 31)


def parse_interest_expense(file: SourceFile) -> Parsed:
    """The interest expense of each month since May 2010, by category, USD to the cent.

    The API sums over the fields it is not asked for; a finer answer, by group or type, is another table.
    """
    months: dict[date, dict[str, int]] = {}
    with Cells(file, ["label"], lambda cell: f"{cell['label']}, {cell['period_end']:%Y-%m}", {}) as expense:
        for line, record in _records(
            file, ("record_date", CATEGORY, EXPENSE), DATE_PARTS | {"fytd_expense_amt"}
        ):
            day = _day(file, line, record)
            category = _text(file, line, record, CATEGORY).strip()
            if not category:
                raise WrongLayoutError(
                    file.name, line, "a figure stands beside an empty category", FETCH_AGAIN
                )
            newest = max(months, default=None)
            if day != newest:
                _expect_next_month(file, line, day, newest, FIRST_MONTH)
                _expect_every_category(file, newest, months)
            seen = months.setdefault(day, {})
            if category in seen:
                raise DuplicateCellError(
                    file.name, line, f"{category}, {day:%Y-%m} stands a second time", ASK_AS_THE_PASSPORT
                )
            seen[category] = line
            text = _text(file, line, record, EXPENSE)
            expense.add(line, [text], label=category, period_end=day, measure="month_expense")
        _expect_every_category(file, max(months), months)
    return Parsed(expense.observations("usd"))


def check_interest(_dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Adds `times_the_year`: a month's expense by the mean of the twelve before it (NaN without twelve)."""
    figures = frame.sort_values(["label", "period_end"])
    mean = figures.groupby("label")["value"].transform(lambda values: values.shift().rolling(12).mean())
    return frame.assign(times_the_year=figures["value"] / mean)


def _expect_next_month(file: SourceFile, line: int, day: date, newest: date | None, first: date) -> None:
    if day != month_end(day.year, day.month):
        raise WrongLayoutError(
            file.name, line, f"{day} is not the end of a month, which a month is recorded by", FETCH_AGAIN
        )
    if newest is None:
        _expect_first(file, line, day, first)
    elif day < newest:
        raise WrongLayoutError(
            file.name, line, f"{day:%Y-%m} stands after {newest:%Y-%m}", ASK_AS_THE_PASSPORT
        )
    elif (day.year, day.month) != (newest.year + newest.month // 12, newest.month % 12 + 1):
        raise TruncatedFileError(
            file.name, line, f"{day:%Y-%m} follows {newest:%Y-%m}: a month is missing", ASK_AS_THE_PASSPORT
        )


def _expect_every_category(file: SourceFile, month: date | None, months: dict[date, dict[str, int]]) -> None:
    if month is None:
        return
    lacking = [name for name in CATEGORIES if name not in months[month]]
    if lacking:
        raise TruncatedFileError(
            file.name, max(months[month].values()), f"{lacking[0]}, {month:%Y-%m} is missing", FETCH_AGAIN
        )


# --- Monthly Treasury Statement, table 9 -----------------------------------------------------------------

LINE_CODE, DESCRIPTION, RECORD_TYPE = "line_code_nbr", "classification_desc", "record_type_cd"
MEASURES = {
    "current_month_rcpt_outly_amt": "month",
    "current_fytd_rcpt_outly_amt": "fiscal_year_to_date",
    "prior_fytd_rcpt_outly_amt": "prior_fiscal_year_to_date",
}
FIRST_STATEMENT = date(2015, 3, 31)
# What else the API tells of a line: where it stands in the printed table, and its place in the tree. The ids
# are new in every statement.
PLACES = frozenset(
    {
        "parent_id",
        "classification_id",
        "table_nbr",
        "src_line_nbr",
        "print_order_nbr",
        "data_type_cd",
        "sequence_level_nbr",
        "sequence_number_cd",
    }
)
# Every line of the table by its code: receipts by source (RSG), outlays by function (F), and what stands
# above and below them (SL). Two lines are called Total, so the code is part of a line's name.
RECEIPTS, OUTLAYS = "120", "340"
LINES = {
    "10": ("Receipts", "SL"),
    "20": ("Individual Income Taxes", "RSG"),
    "30": ("Corporation Income Taxes", "RSG"),
    "40": ("Social Insurance and Retirement Receipts:", "RSG"),
    "50": ("Employment and General Retirement", "RSG"),
    "60": ("Unemployment Insurance", "RSG"),
    "70": ("Other Retirement", "RSG"),
    "80": ("Excise Taxes", "RSG"),
    "90": ("Estate and Gift Taxes", "RSG"),
    "100": ("Customs Duties", "RSG"),
    "110": ("Miscellaneous Receipts", "RSG"),
    RECEIPTS: ("Total", "SL"),
    "130": ("Net Outlays", "SL"),
    "140": ("National Defense", "F"),
    "150": ("International Affairs", "F"),
    "160": ("General Science, Space, and Technology", "F"),
    "170": ("Energy", "F"),
    "180": ("Natural Resources and Environment", "F"),
    "190": ("Agriculture", "F"),
    "200": ("Commerce and Housing Credit", "F"),
    "210": ("Transportation", "F"),
    "220": ("Community and Regional Development", "F"),
    "230": ("Education, Training, Employment, and Social Services", "F"),
    "240": ("Health", "F"),
    "250": ("Medicare", "F"),
    "260": ("Income Security", "F"),
    "270": ("Social Security", "F"),
    "280": ("Veterans Benefits and Services", "F"),
    "290": ("Administration of Justice", "F"),
    "300": ("General Government", "F"),
    "320": ("Net Interest", "F"),
    "330": ("Undistributed Offsetting Receipts", "F"),
    OUTLAYS: ("Total", "SL"),
}
# Lines that only head others. Their amounts are "null", and they are no observations.
HEADINGS = frozenset({"10", "40", "130"})


def parse_mts_table_9(file: SourceFile) -> Parsed:
    """Receipts by source and outlays by function in each statement since March 2015, USD to the cent.

    Of each line the month, the fiscal year to date (from October), and as much of the year before, as that
    statement restates it. Within a statement the API keeps no order.
    """
    measures = list(MEASURES.values())
    statements: dict[date, dict[str, int]] = {}
    with Cells(file, ["label", "line_code"], _name_of, {}) as amounts:
        for line, record in _records(
            file, ("record_date", LINE_CODE, DESCRIPTION, RECORD_TYPE, *MEASURES), DATE_PARTS | PLACES
        ):
            day = _day(file, line, record)
            newest = max(statements, default=None)
            if day != newest:
                _expect_next_month(file, line, day, newest, FIRST_STATEMENT)
                _expect_every_line(file, newest, statements)
            seen = statements.setdefault(day, {})
            code, label = _known_line(file, line, record)
            if code in seen:
                raise DuplicateCellError(
                    file.name,
                    line,
                    f"{label} ({code}), {day:%Y-%m} stands a second time",
                    ASK_AS_THE_PASSPORT,
                )
            seen[code] = line
            texts = [_text(file, line, record, field) for field in MEASURES]
            cells = {"label": label, "line_code": code, "period_end": day}
            if code not in HEADINGS:
                amounts.add(line, texts, **cells, measure=measures)
                continue
            for measure, text in zip(measures, texts, strict=True):
                if text != "null":
                    raise BadFigureError(
                        file.name,
                        line,
                        f"{_name_of({**cells, 'measure': measure})} is {text[:40]!r}; a heading has none",
                        FETCH_AGAIN,
                    )
        _expect_every_line(file, max(statements), statements)
    return Parsed(amounts.observations("usd"))


def _name_of(cell: Mapping[str, Any]) -> str:
    field = next(field for field, measure in MEASURES.items() if measure == cell["measure"])
    return f"{field} of {cell['label']} ({cell['line_code']}), {cell['period_end']:%Y-%m}"


def _known_line(file: SourceFile, line: int, record: dict[str, Any]) -> tuple[str, str]:
    code, label, kind = (
        _text(file, line, record, name).strip() for name in (LINE_CODE, DESCRIPTION, RECORD_TYPE)
    )
    if LINES.get(code) == (label, kind):
        return code, label
    known = LINES.get(code)
    raise UnknownLabelError(
        file.name,
        line,
        f"line {code} is {label!r} (type {kind})"
        + (f", not {known[0]!r} (type {known[1]})" if known else ", which table 9 is not known to have"),
        "if it is right, the parser must learn it: LINES in src/tidemark/sources/fiscaldata.py, and the "
        "series in sources/fiscaldata.yml",
    )


def _expect_every_line(file: SourceFile, month: date | None, statements: dict[date, dict[str, int]]) -> None:
    if month is None:
        return
    lacking = [code for code in LINES if code not in statements[month]]
    if lacking:
        raise TruncatedFileError(
            file.name,
            max(statements[month].values()),
            f"{LINES[lacking[0]][0]} ({lacking[0]}), {month:%Y-%m} is missing",
            ASK_AS_THE_PASSPORT,
        )


def check_mts_table_9(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Adds two gaps in USD, NaN on all other rows.

    `closing_gap`, on each total: its lines less the total. `year_to_date_gap`, on each fiscal year to date
    from the second statement on: less the month, and less what the month before had unless it is October.
    Taken in whole cents, since floats of this size do not subtract exactly.
    """
    days = [day.date() for day in frame["period_end"]]
    cells = list(zip(days, frame["line_code"], frame["measure"], strict=True))
    cents: dict[tuple[date, str, str], int] = {
        cell: round(value * 100) for cell, value in zip(cells, frame["value"], strict=True)
    }
    parts = {
        total: [code for code in LINES if LINES[code][1] == kind and code not in HEADINGS]
        for total, kind in ((RECEIPTS, "RSG"), (OUTLAYS, "F"))
    }
    before = {day: earlier for earlier, day in pairwise(sorted(set(days)))}
    known = {
        (end.date(), key[1]): gap for (_, key, _, end), gap in corrections.known_gaps(dataset, frame).items()
    }

    def closing_gap(day: date, code: str, measure: str) -> float | None:
        if code not in parts:
            return None
        return (sum(cents[day, part, measure] for part in parts[code]) - cents[day, code, measure]) / 100

    def year_to_date_gap(day: date, code: str, measure: str) -> float | None:
        if measure != "fiscal_year_to_date" or (day not in before and day.month != 10):
            return None
        so_far = cents[before[day], code, measure] if day.month != 10 else 0
        gap = (cents[day, code, measure] - so_far - cents[day, code, "month"]) / 100
        return gap - known.get((day, code), 0.0)

    return frame.assign(
        closing_gap=pd.Series([closing_gap(*cell) for cell in cells], frame.index, "float64"),
        year_to_date_gap=pd.Series([year_to_date_gap(*cell) for cell in cells], frame.index, "float64"),
    )


# --- An answer of the API -------------------------------------------------------------------------------


def _records(
    file: SourceFile, needed: tuple[str, ...], allowed: frozenset[str]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each record with its line, once the answer is known to be whole."""
    records = _whole_answer(file)
    # The records stand before `meta`, so theirs are the first braces within the answer's own; where a text
    # holds one, too, objects are looked for by both of theirs.
    data = np.frombuffer(file.data, "uint8")
    begins, line_ends = (np.flatnonzero(data == ord(character)) for character in "{\n")
    if len(begins) != _objects(file.json):
        begins = np.array([0, *(found.start() for found in FLAT_OBJECT.finditer(file.data.decode("ascii")))])
    lines = (np.searchsorted(line_ends, begins[1 : len(records) + 1]) + 1).tolist()
    known: list[str] | None = None
    for number, (record, line) in enumerate(zip(records, lines, strict=False), start=1):
        if not isinstance(record, dict):
            raise WrongLayoutError(file.name, line, f"record {number} is no object", FETCH_AGAIN)
        if list(record) == known:
            yield line, record
            continue
        lacking = [name for name in needed if name not in record]
        if lacking:
            raise WrongLayoutError(
                file.name, line, f"record {number} has no field {lacking[0]!r}", ASK_AS_THE_PASSPORT
            )
        others = sorted(set(record) - set(needed) - allowed)
        if others:
            raise WrongLayoutError(
                file.name,
                line,
                f"record {number} has the field {others[0]!r}, which this table does not have",
                ASK_AS_THE_PASSPORT,
            )
        known = list(record)
        yield line, record


def _objects(content: object) -> int:
    """How many objects there are in JSON, this one included."""
    if isinstance(content, dict):
        return 1 + sum(map(_objects, content.values()))
    return sum(map(_objects, content)) if isinstance(content, list) else 0


def _whole_answer(file: SourceFile) -> list[Any]:
    """The records of an answer that is the only page, and as long as it says."""
    answer = file.json
    if list(answer) != ["data", "meta", "links"]:
        if "data" not in answer:
            raise NotTheFileError(
                file.name,
                1,
                f"the answer holds {', '.join(answer) or 'nothing'}, where data, meta and links are due",
                "the API tells errors so: read the file, and check the URL",
            )
        raise WrongLayoutError(
            file.name, 1, f"the answer holds {', '.join(answer)}, not data, meta, links", FETCH_AGAIN
        )
    records, meta, links = answer["data"], answer["meta"], answer["links"]
    if not (isinstance(records, list) and isinstance(meta, dict) and isinstance(links, dict)):
        raise WrongLayoutError(file.name, 1, "data is no list, or meta or links are no objects", FETCH_AGAIN)
    counts = {}
    for name in ("count", "total-count", "total-pages"):
        counts[name] = meta.get(name)
        if type(counts[name]) is not int:
            raise WrongLayoutError(file.name, 1, f"meta does not tell {name!r} as a number", FETCH_AGAIN)
    if (
        counts["total-pages"] != 1
        or counts["total-count"] != counts["count"]
        or links.get("next") is not None
    ):
        raise TruncatedFileError(
            file.name,
            None,
            f"this is one page of {counts['total-pages']}, with {counts['count']} of "
            f"{counts['total-count']} records",
            "ask for all in one page: page[size]=10000",
        )
    if len(records) != counts["count"]:
        raise TruncatedFileError(
            file.name, None, f"{len(records)} records, where meta counts {counts['count']}", "fetch it again"
        )
    if not records:
        raise TruncatedFileError(file.name, None, "the answer holds no records", ASK_AS_THE_PASSPORT)
    return records


def _text(file: SourceFile, line: int, record: dict[str, Any], name: str) -> str:
    value = record[name]
    if not isinstance(value, str):
        raise BadFigureError(
            file.name,
            line,
            f"{name}, {record['record_date']} is {value!r}, no string as every value of this API is",
            FETCH_AGAIN,
        )
    return value


def _day(file: SourceFile, line: int, record: dict[str, Any]) -> date:
    return iso_day(file, line, str(record["record_date"]))


def _expect_first(file: SourceFile, line: int, day: date, first: date) -> None:
    if day != first:
        raise TruncatedFileError(
            file.name, line, f"the answer begins with {day}, not with {first}", ASK_AS_THE_PASSPORT
        )


PARSERS = {
    "debt_to_penny": parse_debt_to_penny,
    "interest_expense": parse_interest_expense,
    "mts_table_9": parse_mts_table_9,
}
CHECKS = {
    "debt_to_penny": check_debt,
    "interest_expense": check_interest,
    "mts_table_9": check_mts_table_9,
}
