"""Silent failures: files that a publisher could serve, that look right, each offered as the next release.

Each fault is one that has befallen tables like these: a unit, a row under another name, a month's shift, an
old edition under a new date, parts that move while the total stays. It is counted by who catches it: the door
(parser, labels, dates, suite, the release before), the house (dbt's tests and the suites on the marts) or the
clocks. What all of them pass is told to people where figures moved beyond their usual size, and listed here.
"""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl

from tidemark import archive, build, clock, freshness, pipeline, registry, revisions, snapshot
from tidemark.errors import RefusedFileError, TidemarkError
from tidemark.settings import Home
from tidemark.snapshot import Incoming

Table = list[list[str]]
Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Fault:
    """A wrong file: how it is made of the newest bundled one, and the day on which it is served."""

    what: str
    dataset: str
    day: str
    change: Change
    of: str = ""  # another edition than the newest
    why_not: str = ""  # why nobody can catch it

    @property
    def base(self) -> Incoming:
        bundled = snapshot.bundled(registry.dataset(self.dataset))
        return next(item for item in reversed(bundled) if self.of in item.file)


@dataclass(frozen=True)
class Caught:
    """Who caught a fault: `door`, `house` or `clocks`; else `told` (people were alerted) or `nobody`."""

    fault: Fault
    by: str
    said: str


# --- How files are changed -----------------------------------------------------------------------------


def table(change: Callable[[Table], Table | None]) -> Change:
    """Of a tab-separated table: its lines as cells."""

    def apply(data: bytes) -> bytes:
        ending = "\r\n" if b"\r\n" in data else "\n"
        rows = [line.split("\t") for line in data.decode("ascii").split(ending)]
        changed = change(rows)
        return ending.join("\t".join(row) for row in (changed if changed is not None else rows)).encode()

    return apply


def row(rows: Table, label: str) -> list[str]:
    return next(cells for cells in rows if cells[0].strip('"') == label)


def add(cells: list[str], by: float, first: int = 1, last: int | None = None, decimals: int = 1) -> None:
    for place in range(first, last if last is not None else len(cells)):
        if re.fullmatch(r"-?\d+(\.\d+)?", cells[place]):
            cells[place] = f"{float(cells[place]) + by:.{decimals}f}"


def times(cells: list[str], by: float, first: int = 1, decimals: int = 1) -> None:
    for place in range(first, len(cells)):
        if re.fullmatch(r"-?\d+(\.\d+)?", cells[place]):
            cells[place] = f"{float(cells[place]) * by:.{decimals}f}"


# Table 5 ----------------------------------------------------------------------------------------------


def t5_scaled(rows: Table) -> None:
    for cells in rows:
        if len(cells) > 2 and re.fullmatch(r"\d+(\.\d+)?", cells[1]):
            times(cells, 1000)


def t5_one_scaled(rows: Table) -> None:
    times(row(rows, "Norway"), 1000)


def t5_one_scaled_and_balanced(rows: Table) -> None:
    """Saudi Arabia in trillions; what it lost stands in All Other, so that every sum closes."""
    cells, other = row(rows, "Saudi Arabia"), row(rows, "All Other")
    for place in range(1, len(cells)):
        small = round(float(cells[place]) / 1000, 1)
        other[place] = f"{float(other[place]) + float(cells[place]) - small:.1f}"
        cells[place] = f"{small:.1f}"


def t5_replaced(rows: Table) -> None:
    """Bermuda's figures under the name of one that is not in the table."""
    row(rows, "Bermuda")[0] = "Thailand"


def t5_names_swapped(rows: Table) -> None:
    japan, china = row(rows, "Japan"), row(rows, "China, Mainland")
    japan[0], china[0] = china[0], japan[0]


def t5_newest_month_swapped(rows: Table) -> None:
    """Only the newest two months of two neighbours stand in each other's row."""
    one, other = row(rows, "Belgium"), row(rows, "Luxembourg")
    for place in (1, 2):
        one[place], other[place] = other[place], one[place]


def t5_header_shifted(rows: Table) -> None:
    header = row(rows, "Country")
    newest = date.fromisoformat(f"{header[1]}-01")
    after = (newest + timedelta(days=32)).strftime("%Y-%m")
    header[1:] = [after, *header[1:-1]]


def t5_parts_moved(rows: Table) -> None:
    add(row(rows, "China, Mainland"), -40)
    add(row(rows, "Belgium"), 40)


def t5_parts_moved_a_little(rows: Table) -> None:
    """Within what a revision of one month may do."""
    add(row(rows, "China, Mainland"), -3.0, 1, 2)
    add(row(rows, "All Other"), 3.0, 1, 2)


def t5_holder_dropped(rows: Table) -> Table:
    gone, other = row(rows, "Bermuda"), row(rows, "All Other")
    for place in range(1, len(other)):
        other[place] = f"{float(other[place]) + float(gone[place]):.1f}"
    return [cells for cells in rows if cells is not gone]


def t5_holder_doubled(rows: Table) -> None:
    """France's figures stand in Ireland's row, too, and All Other makes up for it."""
    france, ireland, other = row(rows, "France"), row(rows, "Ireland"), row(rows, "All Other")
    for place in range(1, len(other)):
        other[place] = f"{float(other[place]) + float(ireland[place]) - float(france[place]):.1f}"
        ireland[place] = france[place]


def t5_holder_renamed(rows: Table) -> None:
    row(rows, "Korea, South")[0] = "Korea"


def t5_total_off(rows: Table) -> None:
    add(row(rows, "Grand Total"), 25, 1, 2)


def t5_official_halves_off(rows: Table) -> None:
    add(row(rows, "Of Which: Foreign Official Treasury Bills"), 30, 1, 2)


def t5_month_repeated(rows: Table) -> None:
    """The newest month is the one before it, under a new name."""
    t5_header_shifted(rows)
    for cells in rows:
        if len(cells) > 2 and re.fullmatch(r"\d+(\.\d+)?", cells[1]):
            cells[1:] = [cells[1], *cells[1:-1]]


# Table 3 ----------------------------------------------------------------------------------------------


def t3(change: Callable[[Table], None]) -> Change:
    """Of the rows of figures: label, code, month, seven measures."""

    def apply(rows: Table) -> None:
        change([cells for cells in rows if len(cells) == 10 and re.fullmatch(r"\d{5}", cells[1])])

    return table(apply)


def t3_scaled(rows: Table) -> None:
    for cells in rows:
        times(cells, 1000, 3, 0)


def t3_one_scaled(rows: Table) -> None:
    for cells in rows:
        if cells[0] == "Norway":
            times(cells, 0.001, 3, 0)


def t3_codes_swapped(rows: Table) -> None:
    pair = {"Belgium": "Luxembourg", "Luxembourg": "Belgium"}
    codes = {cells[0]: cells[1] for cells in rows}
    for cells in rows:
        if cells[0] in pair:
            cells[0], cells[1] = pair[cells[0]], codes[pair[cells[0]]]


def t3_signs_turned(rows: Table) -> None:
    """Net sales stand as net purchases."""
    for cells in rows:
        for place in (4, 6, 9):
            if cells[place] not in ("n.a.", "0"):
                cells[place] = cells[place][1:] if cells[place].startswith("-") else f"-{cells[place]}"


def t3_terms_swapped(rows: Table) -> None:
    for cells in rows:
        cells[5], cells[8] = cells[8], cells[5]


def t3_valuation_lost(rows: Table) -> None:
    for cells in rows:
        cells[7] = "n.a."


def t3_months_shifted(rows: Table) -> None:
    """A month later; the oldest, which falls outside, is taken for the newest's place."""
    months = sorted({cells[2] for cells in rows}, reverse=True)
    newest = date.fromisoformat(f"{months[0]}-01")
    later = dict(zip(months, [(newest + timedelta(days=32)).strftime("%Y-%m"), *months], strict=False))
    for cells in rows:
        cells[2] = later[cells[2]]


def t3_one_country_shifted(rows: Table) -> None:
    mine = [cells for cells in rows if cells[0] == "Ireland"]
    figures = [cells[3:] for cells in mine]
    for cells, before in zip(mine, [*figures[1:], figures[-1]], strict=True):
        cells[3:] = before


def t3_dropped(rows: Table) -> Table:
    return [cells for cells in rows if cells[0] != "Ireland"]


# Others -----------------------------------------------------------------------------------------------


def mfhhis_old_edition(data: bytes) -> bytes:
    """Last year's file, with the date of the next one."""
    return data.replace(b"3/18/26", b"5/18/27")


def mfhhis_redated(data: bytes) -> bytes:
    return data.replace(b"3/18/26", b"4/15/26")


def mfhhis_scaled(rows: Table) -> None:
    for cells in rows:
        if re.fullmatch(r"\d+(\.\d+)?", cells[1] if len(cells) > 1 else ""):
            times(cells, 1000)


def mfhhis_years_off(data: bytes) -> bytes:
    return data.replace(b"\t2025", b"\t2024")


def mfhhis_swapped(rows: Table) -> None:
    for cells in rows:
        cells[0] = {"Belgium": "Canada", "Canada": "Belgium"}.get(cells[0], cells[0])


def records(change: Callable[[list[dict[str, str]]], list[dict[str, str]] | None]) -> Change:
    """Of an answer of Fiscal Data: its records; the counts are made right."""

    def apply(data: bytes) -> bytes:
        answer = json.loads(data)
        changed = change(answer["data"])
        answer["data"] = changed if changed is not None else answer["data"]
        answer["meta"]["count"] = answer["meta"]["total-count"] = len(answer["data"])
        text = ",\n".join(json.dumps(record, separators=(",", ":")) for record in answer["data"])
        rest = json.dumps({"meta": answer["meta"], "links": answer["links"]})[1:]
        return f'{{"data":[\n{text}\n],{rest}'.encode()

    return apply


DEBT = ("debt_held_public_amt", "intragov_hold_amt", "tot_pub_debt_out_amt")


def debt_in_millions(found: list[dict[str, str]]) -> None:
    for record in found:
        for name in DEBT:
            if record[name] != "null":
                record[name] = f"{float(record[name]) / 1e6:.2f}"


def debt_parts_swapped(found: list[dict[str, str]]) -> None:
    for record in found:
        record[DEBT[0]], record[DEBT[1]] = record[DEBT[1]], record[DEBT[0]]


def debt_frozen(found: list[dict[str, str]]) -> None:
    """The last four weeks repeat one day's figures."""
    for record in found[-20:]:
        for name in DEBT:
            record[name] = found[-21][name]


def debt_week_lost(found: list[dict[str, str]]) -> list[dict[str, str]]:
    return [*found[:-30], *found[-22:]]


def debt_a_digit(found: list[dict[str, str]]) -> None:
    total = found[-5][DEBT[2]]
    found[-5][DEBT[2]] = total[0] + str((int(total[1]) + 1) % 10) + total[2:]


def interest_scaled(found: list[dict[str, str]]) -> None:
    for record in found:
        record["month_expense_amt"] = f"{float(record['month_expense_amt']) / 1000:.2f}"


def interest_month_to_date(found: list[dict[str, str]]) -> None:
    """The newest month holds what the fiscal year has cost so far."""
    for record in found[-2:]:
        same = [r for r in found if r["expense_catg_desc"] == record["expense_catg_desc"]][-10:]
        record["month_expense_amt"] = f"{sum(float(r['month_expense_amt']) for r in same):.2f}"


def interest_swapped(found: list[dict[str, str]]) -> None:
    names = sorted({record["expense_catg_desc"] for record in found})
    for record in found:
        record["expense_catg_desc"] = names[1 - names.index(record["expense_catg_desc"])]


def csv_last(by: float) -> Change:
    """The newest figure of a two-column file, by a factor."""

    def apply(data: bytes) -> bytes:
        lines = data.decode().rstrip("\n").split("\n")
        day, figure = lines[-1].split(",")
        lines[-1] = f"{day},{float(figure) * by:.{len(figure.partition('.')[2])}f}"
        return ("\n".join(lines) + "\n").encode()

    return apply


def csv_all(by: float) -> Change:
    def apply(data: bytes) -> bytes:
        head, *lines = data.decode().rstrip("\n").split("\n")
        made = [
            f"{day},{float(figure) * by:.{len(figure.partition('.')[2])}f}"
            for day, figure in (line.split(",") for line in lines)
        ]
        return ("\n".join([head, *made]) + "\n").encode()

    return apply


def csv_frozen(data: bytes) -> bytes:
    """The newest ten figures repeat one."""
    lines = data.decode().rstrip("\n").split("\n")
    figure = lines[-11].split(",")[1]
    lines[-10:] = [f"{line.split(',')[0]},{figure}" for line in lines[-10:]]
    return ("\n".join(lines) + "\n").encode()


def gold(change: Callable[[list[dict[str, Any]]], None]) -> Change:
    """Of the Council's answer: the countries with their points."""

    def apply(data: bytes) -> bytes:
        answer = json.loads(data)
        change(answer["chartData"]["linechart"]["QTD_FULL"]["gold_reserves_tns"]["data"])
        return json.dumps(answer).encode()

    return apply


def gold_ounces(countries: list[dict[str, Any]]) -> None:
    for country in countries:
        country["data"] = [
            [when, round(tonnes * 32150.7, 2) if tonnes != "not quoted" else tonnes]
            for when, tonnes in country["data"]
        ]


def gold_swapped(countries: list[dict[str, Any]]) -> None:
    names = {"CHN": "RUS", "RUS": "CHN"}
    for country in countries:
        country["name"] = names.get(country["name"], country["name"])


def gold_dropped(countries: list[dict[str, Any]]) -> None:
    countries[:] = [country for country in countries if country["name"] != "TUR"]


def gold_doubled(countries: list[dict[str, Any]]) -> None:
    countries.append(next(country for country in countries if country["name"] == "POL"))


def workbook(change: Callable[[Any], None]) -> Change:
    def apply(data: bytes) -> bytes:
        book = openpyxl.load_workbook(io.BytesIO(data))
        change(book)
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    return apply


def safe_sdr_for_usd(book: Any) -> None:
    """The two figures of a month stand in each other's column."""
    sheet = book.worksheets[0]
    for cells in sheet.iter_rows(min_row=6):
        for left in range(1, len(cells) - 1, 2):
            cells[left].value, cells[left + 1].value = cells[left + 1].value, cells[left].value


def safe_gold_in_tonnes(book: Any) -> None:
    for cells in book.worksheets[0].iter_rows():
        for cell in cells:
            if isinstance(cell.value, str) and "万盎司" in cell.value:
                ounces = float(cell.value.split("万")[0])
                cell.value = f"{ounces * 0.311034768:.0f}万盎司\xa0"


def safe_shifted(book: Any) -> None:
    sheet = book.worksheets[0]
    for cells in sheet.iter_rows(min_row=6):
        values = [cell.value for cell in cells]
        for place in range(3, len(cells)):
            cells[place].value = values[place - 2]


def price_dated(book: Any) -> None:
    book.worksheets[0]["A4"] = "Updated on August 04, 2026"


def price_in_grams(book: Any) -> None:
    price_dated(book)
    for cells in book.worksheets[0].iter_rows(min_row=7, min_col=2, max_col=2):
        for cell in cells:
            if isinstance(cell.value, int | float):
                cell.value = round(cell.value / 31.1034768, 2)


def price_in_euro(book: Any) -> None:
    price_dated(book)
    for cells in book.worksheets[0].iter_rows(min_row=7, min_col=2, max_col=2):
        for cell in cells:
            if isinstance(cell.value, int | float):
                cell.value = round(cell.value * 0.86, 2)


def cbo_column_swapped(data: bytes) -> bytes:
    """Two categories of outlays under each other's names."""
    mark = b"\x01"
    return (
        data.replace(b",Medicare,", mark).replace(b",Medicaid,", b",Medicare,").replace(mark, b",Medicaid,")
    )


T5, T3, HIS, DTP = "tic/slt_table5", "tic/slt_table3", "tic/mfhhis01", "fiscaldata/debt_to_penny"
INTEREST, GOLD, FED, GDP = "fiscaldata/interest_expense", "wgc/holdings_api", "fed/treast", "bea/gdp"
RESERVES, PRICE, ACTUALS = "safe/reserve_assets", "worldbank/gold_price", "cbo/actuals"

FAULTS = (
    Fault("all figures by 1,000", T5, "2026-10-16", table(t5_scaled)),
    Fault("one country by 1,000", T5, "2026-10-16", table(t5_one_scaled)),
    Fault("one country in trillions, All Other makes up for it", T5, "2026-10-16", table(t5_one_scaled_and_balanced)),
    Fault("two countries' names swapped", T5, "2026-10-16", table(t5_names_swapped)),
    Fault("two countries swapped in two months alone", T5, "2026-10-16", table(t5_newest_month_swapped)),
    Fault("months shifted by one", T5, "2026-10-16", table(t5_header_shifted)),
    Fault("an old edition served as new", T5, "2026-10-16", lambda data: data, "2026-06-18"),
    Fault("the last edition served again for months", T5, "2026-11-18", lambda data: data),
    Fault("total kept, parts moved by 40 billion", T5, "2026-10-16", table(t5_parts_moved)),
    Fault("total kept, one month's parts moved by 3 billion", T5, "2026-10-16", table(t5_parts_moved_a_little),
          why_not="a revision of this size comes with every release; fct_revisions has it, with the file"),
    Fault("a holder dropped into All Other", T5, "2026-10-16", table(t5_holder_dropped)),
    Fault("a holder's figures in another's row as well", T5, "2026-10-16", table(t5_holder_doubled)),
    Fault("a holder's figures under a holder's name that is not in the table", T5, "2026-10-16", table(t5_replaced)),
    Fault("a holder renamed", T5, "2026-10-16", table(t5_holder_renamed)),
    Fault("the total of one month off", T5, "2026-10-16", table(t5_total_off)),
    Fault("official bills off", T5, "2026-10-16", table(t5_official_halves_off)),
    Fault("the newest month is the one before, repeated", T5, "2026-10-16", table(t5_month_repeated)),
    Fault("all figures by 1,000", T3, "2026-07-16", t3(t3_scaled)),
    Fault("one country by a thousandth", T3, "2026-07-16", t3(t3_one_scaled)),
    Fault("two countries' codes swapped", T3, "2026-07-16", t3(t3_codes_swapped)),
    Fault("net sales as net purchases", T3, "2026-07-16", t3(t3_signs_turned)),
    Fault("long-term and short-term holdings swapped", T3, "2026-07-16", t3(t3_terms_swapped)),
    Fault("valuation changes all missing", T3, "2026-07-16", t3(t3_valuation_lost)),
    Fault("months shifted by one", T3, "2026-07-16", t3(t3_months_shifted)),
    Fault("one country's months shifted by one", T3, "2026-07-16", t3(t3_one_country_shifted)),
    Fault("a country dropped", T3, "2026-07-16", table(t3_dropped)),
    Fault("an old edition under today's date", HIS, "2027-05-18", mfhhis_old_edition),
    Fault("all figures by 1,000", HIS, "2026-04-15", lambda data: table(mfhhis_scaled)(mfhhis_redated(data))),
    Fault("the newest year's header is last year's", HIS, "2026-04-15", lambda d: mfhhis_years_off(mfhhis_redated(d))),
    Fault("two countries swapped", HIS, "2026-04-15", lambda data: table(mfhhis_swapped)(mfhhis_redated(data))),
    Fault("USD million for USD", DTP, "2026-08-24", records(debt_in_millions)),
    Fault("the public's part and the government's own swapped", DTP, "2026-08-24", records(debt_parts_swapped)),
    Fault("four weeks repeat one day", DTP, "2026-08-24", records(debt_frozen)),
    Fault("a week of days lost", DTP, "2026-08-24", records(debt_week_lost)),
    Fault("a digit of one day's total", DTP, "2026-08-24", records(debt_a_digit)),
    Fault("thousands of USD for USD", INTEREST, "2026-08-24", records(interest_scaled)),
    Fault("a month holds the year so far", INTEREST, "2026-08-24", records(interest_month_to_date)),
    Fault("two categories swapped", INTEREST, "2026-08-24", records(interest_swapped)),
    Fault("ounces for tonnes", GOLD, "2026-08-25", gold(gold_ounces)),
    Fault("two countries swapped", GOLD, "2026-08-25", gold(gold_swapped)),
    Fault("a country dropped", GOLD, "2026-08-25", gold(gold_dropped)),
    Fault("a country doubled", GOLD, "2026-08-25", gold(gold_doubled)),
    Fault("USD billion for USD million", FED, "2026-08-27", csv_all(0.001)),
    Fault("ten weeks repeat one figure", FED, "2026-08-27", csv_frozen),
    Fault("the newest figure by ten", FED, "2026-08-27", csv_last(10)),
    Fault("a quarter's own figure for its annual rate", GDP, "2026-08-27", csv_last(0.25)),
    Fault("USD and SDR columns swapped", RESERVES, "2026-10-09", workbook(safe_sdr_for_usd)),
    Fault("gold in tonnes under ounces", RESERVES, "2026-10-09", workbook(safe_gold_in_tonnes)),
    Fault("months shifted by one", RESERVES, "2026-10-09", workbook(safe_shifted)),
    Fault("USD a gram for USD an ounce", PRICE, "2026-08-04", workbook(price_in_grams)),
    Fault("euro for USD", PRICE, "2026-08-04", workbook(price_in_euro)),
    Fault("Medicare and Medicaid swapped", ACTUALS, "2026-02-20", cbo_column_swapped),
)  # fmt: skip


# --- Who catches them ----------------------------------------------------------------------------------


def offered(fault: Fault, template: Home, folder: Path, house: bool = True) -> Caught:
    """Offer a fault to a copy of a loaded, built and published home; who caught it, and what was said."""
    home = Home(folder)
    shutil.copytree(template.root, home.root, symlinks=True)
    try:
        return _offered(fault, home, house)
    finally:
        shutil.rmtree(home.root)


def _offered(fault: Fault, home: Home, house: bool) -> Caught:
    dataset, day = registry.dataset(fault.dataset), date.fromisoformat(fault.day)
    data = fault.change(fault.base.data)
    with _on(day), _as_a_publisher(data):
        try:
            (loaded,) = pipeline.ingest(home, dataset, [Incoming(fault.base.file, data, day, dataset.url)])
        except RefusedFileError as error:
            return Caught(fault, "door", f"{error.outcome}: {error.message}")
        if house:
            try:
                build.build(home)
                build.validate_marts(home)
            except TidemarkError as error:
                return Caught(fault, "house", error.message)
        if loaded.rows == 0:
            # Nothing new came, whatever its date: only the clock can tell.
            try:
                freshness.expect_fresh(home, dataset.name)
            except freshness.StaleError as error:
                return Caught(fault, "clocks", error.message)
        if gone := revisions.no_longer_listed(home, dataset, loaded.release):
            return Caught(fault, "told", f"no longer listed: {', '.join(gone)}")
        if found := revisions.unusual(home, dataset, loaded.release):
            return Caught(fault, "told", f"{len(found)} figures beyond their usual size: {found[0]}")
        return Caught(fault, "nobody", f"{loaded.rows} rows, each a revision or news like any")


@contextmanager
def _on(day: date) -> Iterator[None]:
    """The clock of the package stands at the evening of a day."""
    was = clock.now
    clock.now = lambda: datetime.combine(day, time(22), UTC)
    try:
        yield
    finally:
        clock.now = was


@contextmanager
def _as_a_publisher(data: bytes) -> Iterator[None]:
    """A bundled extract says which cells it leaves out, as no publisher does; its copies may do so here, or
    that alone would have them refused.
    """
    was = snapshot.hashes
    allowed = {*was(), archive.sha256(data)}
    snapshot.hashes = lambda: frozenset(allowed)
    try:
        yield
    finally:
        snapshot.hashes = was


def campaign(folder: Path, house: bool = True) -> list[Caught]:
    """Every fault, each offered to a home of its own."""
    template = Home(folder / "template")
    for dataset in registry.datasets():
        pipeline.ingest(template, dataset, snapshot.bundled(dataset))
    if house:
        build.build(template)
    return [offered(fault, template, folder / "offered", house) for fault in FAULTS]


def report(caught: list[Caught]) -> str:
    who = {
        "door": "the door", "house": "the house", "clocks": "the clocks", "told": "let in, and people told",
        "nobody": "nobody",
    }  # fmt: skip
    counts = ", ".join(f"{name} {sum(one.by == by for one in caught)}" for by, name in who.items())
    lines = [f"{len(caught)} faults. Caught by: {counts}.", ""]
    lines += ["| dataset | fault | caught by | what was said |", "|---|---|---|---|"]
    for one in caught:
        said = " ".join(one.said.split())[:150].replace("|", "\\|")
        why = f" ({one.fault.why_not})" if one.by == "nobody" and one.fault.why_not else ""
        lines.append(f"| {one.fault.dataset} | {one.fault.what} | {who[one.by]}{why} | {said} |")
    lines += [
        "",
        "What is let in and told is a revision of a size that publishers do make, once a year or so: to refuse it "
        "would hold up true ones. Everyone configured is alerted, with each figure; the release before it stays.",
    ]
    return "\n".join(lines) + "\n"
