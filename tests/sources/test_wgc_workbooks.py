"""WGC's three workbooks: the publisher's own where they lie, rendered ones, and damaged ones."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime

import openpyxl
import pytest
from openpyxl import Workbook as Book

from tests.conftest import day
from tests.sources.damage import NO_FILE
from tests.sources.test_wgc import figures
from tidemark import archive, pipeline, quality, registry, snapshot, sources, warehouse
from tidemark.archive import Release
from tidemark.errors import (
    BadFigureError,
    DuplicateCellError,
    EmptyFileError,
    FailedSuiteError,
    FrozenFileError,
    NotTheFileError,
    RefusedFileError,
    TooLargeError,
    TruncatedFileError,
    UnknownLabelError,
    WrongDateError,
    WrongLayoutError,
)
from tidemark.reading import NOT_AVAILABLE, SourceFile
from tidemark.snapshot import Incoming
from tidemark.sources import wgc

QUARTERLY = registry.dataset("wgc/holdings_quarterly")
RANKING = registry.dataset("wgc/holdings_ranking")
CHANGES = registry.dataset("wgc/holdings_changes")
ALL = pytest.mark.parametrize("dataset", [QUARTERLY, RANKING, CHANGES], ids=lambda dataset: dataset.id)
QUARTERLY_2016, RANKING_2016 = (
    "quarterly_gold_and_fx_reserves_2016-03.xlsx",
    "world_official_gold_holdings_2016-04.xlsx",
)
RELEASED = {QUARTERLY.id: day("2026-02-25"), RANKING.id: day("2026-02-05"), CHANGES.id: day("2015-08-05")}

Cells = list[list[object]]
Sheets = dict[str, Cells]

# --- Workbooks rendered from the bundled extract ----------------------------------------------------------

EXTRACT = figures("holdings_quarterly_2026-02-25.csv")
# As WGC writes them in a workbook: footnotes at the names, the IMF's name in the column before.
SHOWN = {
    "United States of America": "United States",
    "Russian Federation": "Russia",
    "Turkey": "Türkiye, Rep of5",
    "China": "China1)",
    "Saudi Arabia": "Saudi Arabia2)",
    "Taiwan, China": "Taiwan",
}
LOOK_UP = {"China": "China, P.R.: Mainland", "Turkey": "Türkiye, Rep of5"}
TONNES = {(row["country"], row["period"]): float(row["tonnes"]) for row in EXTRACT}
COUNTRIES = list(dict.fromkeys(row["country"] for row in EXTRACT))
QUARTERS = sorted({row["period"] for row in EXTRACT})
NUMBERED = (
    "1. Gold (tonnes)", "2. Gold (US$ Millions)", "3. FX Reserves (US$ Millions)",
    "4.Total Reserves (US$ Millions)", "5. Gold as % of Total Reserves",
)  # fmt: skip
PLAIN = (
    "Gold (Tonnes)", "Gold (US$ Millions)", "FX Reserves (US$ Millions)",
    "Total Reserves (US$ Millions)", "Gold as % of Total Reserves",
)  # fmt: skip
HEADS = (
    "Gold (Tonnes)*", "Gold (US$ Millions)", "FX Reserves (US$ Millions) * **",
    "Total Reserves (US$ Millions)* **", "(Gold as a percentage of total reserves)* **",
)  # fmt: skip
PRICE, FX = 4000.0, 1000.0


def workbook(sheets: Sheets) -> bytes:
    book = Book(write_only=True)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def quarterly(titles: Sequence[str] = PLAIN, whole: bool = False) -> Sheets:
    """The quarterly workbook with the extract's tonnes; `whole` with other metrics that agree with them."""

    def value(number: int, country: str, quarter: str) -> object:
        tonnes = TONNES.get((country, quarter))
        if tonnes is None:
            return "-" if whole else "not quoted"
        worth = tonnes * 32151 * PRICE / 1e6
        return (tonnes, worth, FX, worth + FX, worth / (worth + FX))[number]

    sheets: Sheets = {"DISCLAIMER": [["Disclaimer"]], "Footnote": [[None, "Notes"]]}
    for number, title in enumerate(titles):
        head = HEADS[number] if whole or number == 0 else "not quoted"
        sheets[title] = [
            [None, head],
            ["Look-up", None, *(f"Q{int(q[5:7]) // 3} {q[:4]}" for q in QUARTERS)],
            *(
                [LOOK_UP.get(c, c), SHOWN.get(c, c), *(value(number, c, q) for q in QUARTERS)]
                for c in COUNTRIES
            ),
            [None, None, None, "-"],
            [None, "Other", *(datetime.fromisoformat(q) for q in QUARTERS)],
            ["GOLDLNPM Index", "Gold Price LN PM FIX", *(PRICE for _ in QUARTERS)],
            ["SDRUSD Curncy", "SDR:USD", *(1.3 for _ in QUARTERS)],
            ["World", "World6)", "not quoted"],
            [None, "Euro Area (incl. ECB)", "not quoted"],
            [None, None],
            [None, "Notes stand below the last row."],
        ]
    return sheets


GOLD = PLAIN[0]
CHINA_ROW = 3 + COUNTRIES.index("China")
LAST_COLUMN = 2 + len(QUARTERS)
RANKS = [c for c in COUNTRIES if (c, "2025-12-31") in TONNES or (c, "2025-09-30") in TONNES]
OTHERS = (
    "Malaysia", "Peru", "Slovakia", "Azerbaijan", "Ukraine", "Syria", "Sri Lanka", "Morocco", "Afghanistan",
    "Nigeria", "Serbia", "Cyprus", "Bangladesh", "Tajikistan", "Cambodia", "Ecuador", "Mauritius",
    "Czech Republic", "Ghana", "Paraguay", "United Arab Emirates", "Myanmar", "Guatemala", "Macedonia",
    "Tunisia", "Latvia", "Ireland", "Lithuania", "Nepal", "Bahrain", "Brunei Darussalam", "Kyrgyz Republic",
    "Colombia", "Mozambique", "Slovenia", "Aruba", "Bosnia and Herzegovina", "Luxembourg", "Hong Kong",
    "Iceland", "Papua New Guinea", "Trinidad and Tobago", "Haiti", "Albania", "Yemen", "Mongolia",
    "Denmark", "Pakistan", "Argentina", "Finland", "Belarus4)", "Bolivia", "Jordan", "Bulgaria", "Kuwait",
    "Australia", "Kenya", "Malawi", "Malta", "Chile", "Fiji", "Estonia",
)  # fmt: skip


def ranking(dated: bool = True, month: object = None) -> Sheets:
    """A hundred ranks in two panels: the IMF, the extract's countries by their latest figure, and others."""

    def row(name: str, tonnes: object, share: object, as_of: object) -> list[object]:
        return [name, tonnes, share, *([month or as_of] if dated else [])]

    ranked = []
    for country in RANKS:
        quarter = "2025-12-31" if (country, "2025-12-31") in TONNES else "2025-09-30"
        name = SHOWN.get(country, country)
        ranked.append(row(name, TONNES[country, quarter], "not quoted", datetime.fromisoformat(quarter)))
    ranked.sort(key=lambda cells: -cells[1])
    ranked.insert(2, row("IMF", 2814.04, "1)", datetime(2025, 12, 31)))
    ranked += [row(name, "not quoted", None, None) for name in OTHERS][: 100 - len(ranked)]
    assert len(ranked) == 100
    head = ["Tonnes", "% of reserves**", *(["Holdings as of "] if dated else [])]
    title = ["WORLD OFFICIAL GOLD HOLDINGS", "International Financial Statistics, February 2026*"]
    return {
        "PDF": [
            [None],
            [None],
            *([None, text] for text in title),
            [None],
            [None, None, *head, None, None, *head],
            *([n + 1, *ranked[n], n + 51, *ranked[n + 50]] for n in range(50)),
            [None],
            [None],
            *([None, text] for text in title),
            [None],
            [None, "Other", *head],
            [None, *row("World7)", "not quoted", None, None)],
            [None, *row("Euro Area (incl. ECB)", "not quoted", None, None)],
            [None],
            [None, "DISCLAIMER"],
        ]
    }


RANK_HEADER = 6
MONTHS = [date(2002 + n // 12, n % 12 + 1, 1) for n in range(164)]  # to August 2015
CHINA_2015 = round(TONNES["China", "2015-06-30"] - TONNES["China", "2015-03-31"], 2)


def changes(above: int = 7, day_of_month: int = 1) -> Sheets:
    """The monthly changes: China's of June 2015 and a few of others; July and August are not out yet."""
    heads = [datetime(m.year, m.month, day_of_month) for m in MONTHS]

    def row(look_up: str, name: str, reported: dict[tuple[int, int], object]) -> list[object]:
        return [look_up, name, None, *(reported.get((m.year, m.month)) for m in MONTHS)]

    return {
        "Main": [["Main"]],
        "Disclaimer": [["Disclaimer"]],
        "Monthly": [
            *([None, None, f"marker {n} =>", n] for n in range(above)),
            ["Country Lookup Column", "Country", "Comments", *heads],
            row("China, People's Republic of", "China, P.R.: Mainland", {(2015, 6): CHINA_2015}),
            row("Kazakhstan, Republic of", "Kazakhstan, Rep. of", {(2015, 5): 2.5, (2015, 6): 0}),
            row("Turkey", "Turkey", {(2015, 6): -3.5}),
            row("Türkiye, Republic of", "Turkey*", {(2015, 6): 11.5}),
            row("Euro Area (EA)", "Euro Area", {}),
            ["Poland, Republic of", "Poland, Rep. of", None, "not quoted"],
            row("Netherlands Antilles", "Netherlands Antilles", {}),
            row("Curaçao and Sint Maarten", "Curacao & St. Maarten", {}),
        ],
        "Annual": [["Country", None, 2015], ["China", None, CHINA_2015]],
    }


CHANGES_HEADER = 8
RENDERED: dict[str, Callable[[], Sheets]] = {
    QUARTERLY.id: quarterly,
    RANKING.id: ranking,
    CHANGES.id: changes,
}
SHEET = {QUARTERLY.id: GOLD, RANKING.id: "PDF", CHANGES.id: "Monthly"}
# A cell that holds a figure, by row and column from 1.
FIGURE = {QUARTERLY.id: (CHINA_ROW, LAST_COLUMN), RANKING.id: (7, 3), CHANGES.id: (9, 3 + 162)}


def changed(sheets: Sheets, title: str, row: int, column: int, value: object) -> Sheets:
    cells = sheets[title][row - 1]
    cells.extend([None] * (column - len(cells)))
    assert cells[column - 1] != value
    cells[column - 1] = value
    return sheets


def parsed(dataset, data: bytes | Sheets):
    data = data if isinstance(data, bytes) else workbook(data)
    return sources.parse(dataset, SourceFile("w.xlsx", data)).observations


def told(
    error: RefusedFileError, kind: type[RefusedFileError], sheet: str | None, line: int | None = -1
) -> RefusedFileError:
    assert type(error) is kind, error
    assert str(error).startswith(f"w.xlsx, sheet {sheet!r}" if sheet else "w.xlsx")
    if line != -1:
        assert error.line == line, error
    assert error.advice
    return error


def refusal(dataset, data, kind, sheet=None, line=-1) -> RefusedFileError:
    with pytest.raises(RefusedFileError) as caught:
        parsed(dataset, data)
    return told(caught.value, kind, sheet, line)


def batch(check: quality.Check, dataset, data: bytes | Sheets, released_on: date):
    data = data if isinstance(data, bytes) else workbook(data)
    release = Release(
        dataset.name, released_on, 0, archive.sha256(data), len(data), "w.xlsx",
        dataset.url, "published", datetime(2026, 9, 1),
    )  # fmt: skip
    return pipeline.validated_batch(dataset, release, data, check)


def batch_refusal(check, dataset, data, released_on, kind) -> RefusedFileError:
    with pytest.raises(RefusedFileError) as caught:
        batch(check, dataset, data, released_on)
    return told(caught.value, kind, None)


# --- The publisher's own files ----------------------------------------------------------------------------


def real(publisher_files, name: str) -> SourceFile:
    return SourceFile(name, (publisher_files / "wgc" / name).read_bytes())


def test_the_real_quarterly_workbook_reads_and_passes_its_suite(publisher_files, check):
    file = real(publisher_files, QUARTERLY_2016)
    frame = batch(check, QUARTERLY, file.data, day("2016-03-03"))
    assert len(frame) == 131 * 64 * 5
    cells = frame.set_index(["label", "period_end", "measure"])
    value = cells["value"]
    assert round(value["China", "2015-12-31", "gold"], 2) == 1762.31
    assert round(value["World", "2015-12-31", "gold"], 1) == 32813.0
    assert value["Germany", "2000-03-31", "gold"] == 3468.601287673789
    assert cells["status"]["IMF", "2015-12-31", "gold"] == NOT_AVAILABLE
    assert frame["value"].isna().equals(frame["status"] == NOT_AVAILABLE)
    assert {"Belarus", "BIS", "Saudi Arabia", "CBGA 4 signatories", "Euro Area (incl. ECB)"} <= set(
        frame["label"]
    )
    for reference in QUARTERLY.reference_values:
        assert (
            value[reference["label"], str(reference["period_end"]), reference["measure"]]
            == reference["value"]
        )


def test_the_real_ranking_reads_and_passes_its_suite(publisher_files, check):
    file = real(publisher_files, RANKING_2016)
    frame = batch(check, RANKING, file.data, day("2016-04-05"))
    assert len(frame) == 206
    assert set(frame["dated_by"]) == {"edition"}
    assert {f"{end:%Y-%m-%d}" for end in frame["period_end"]} == {"2016-02-29"}
    cells = frame.set_index(["label", "measure"])
    assert round(cells.loc[("China", "gold"), "value"], 1) == 1788.4
    assert cells.loc[("Turkey", "gold"), "line"] == 19
    assert cells.loc[("WAEMU", "gold"), "line"] == 7
    assert cells.loc[("BIS", "gold"), "value"] == 108
    missing = frame[frame["status"] == NOT_AVAILABLE]
    assert set(missing["label"]) == {"IMF", "BIS", "World"}
    assert sources.with_checks(RANKING, frame)["ranked_pct"].dropna().round(1).tolist() == [99.3]
    for reference in RANKING.reference_values:
        assert cells.loc[(reference["label"], reference["measure"]), "value"] == reference["value"]


def test_one_real_workbook_is_not_the_other(publisher_files):
    for dataset in (QUARTERLY, RANKING, CHANGES):
        for name in (QUARTERLY_2016, RANKING_2016):
            if (dataset, name) not in ((QUARTERLY, QUARTERLY_2016), (RANKING, RANKING_2016)):
                with pytest.raises((NotTheFileError, WrongLayoutError)):
                    sources.parse(dataset, real(publisher_files, name))


def test_the_real_ranking_loads_with_every_holder_known(publisher_files, home):
    incoming = Incoming(
        RANKING_2016, real(publisher_files, RANKING_2016).data, day("2016-04-05"), RANKING.url
    )
    (loaded,) = pipeline.ingest(home, RANKING, [incoming])
    assert (loaded.cells, loaded.rows) == (206, 206)


# --- Rendered ones ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("titles", [PLAIN, NUMBERED])
def test_both_families_of_the_quarterly_workbook_read_to_the_extract(check, titles):
    frame = batch(check, QUARTERLY, quarterly(titles), RELEASED[QUARTERLY.id])
    found = {(row.label, f"{row.period_end:%Y-%m-%d}"): row.value for row in frame.itertuples()}
    named = {c: wgc.without_footnote(SHOWN.get(c, c)) for c in COUNTRIES}
    assert found == {(named[country], quarter): tonnes for (country, quarter), tonnes in TONNES.items()}
    assert len(frame) == 4038
    assert found["China", "2025-12-31"] == 2306.3
    assert ("Türkiye, Rep of", "2025-12-31") in found


def test_a_whole_quarterly_workbook_passes_its_suite(check):
    frame = batch(check, QUARTERLY, quarterly(whole=True), RELEASED[QUARTERLY.id])
    assert set(frame["measure"]) == {"gold", "gold_value", "fx_reserves", "total_reserves", "gold_share"}
    dashes = frame[frame["status"] == NOT_AVAILABLE]
    assert dashes["value"].isna().all()
    assert len(dashes) == 5 * (len(COUNTRIES) * len(QUARTERS) - len(TONNES))


def test_a_row_of_the_ranking_is_dated_by_itself(check):
    frame = batch(check, RANKING, ranking(), RELEASED[RANKING.id])
    cells = frame[frame["measure"] == "gold"].set_index("label")
    assert set(frame["dated_by"]) == {"row"}
    assert f"{cells.loc['China', 'period_end']:%Y-%m-%d}" == "2025-12-31"
    assert f"{cells.loc['Germany', 'period_end']:%Y-%m-%d}" == "2025-09-30"
    assert cells.loc["China", "value"] == 2306.3
    assert frame[frame["label"] == "IMF"]["status"].tolist() == ["published", NOT_AVAILABLE]


@pytest.mark.parametrize(
    "month", ["Dec 2025", "December 2025", "Dec-2025", datetime(2025, 12, 1), date(2025, 12, 31)]
)
def test_a_month_is_read_however_it_is_written(month):
    assert {f"{end:%Y-%m-%d}" for end in parsed(RANKING, ranking(month=month))["period_end"]} == {
        "2025-12-31"
    }


def test_without_a_month_the_ranking_stands_two_months_before_its_edition():
    frame = parsed(RANKING, ranking(dated=False))
    assert {f"{end:%Y-%m-%d}" for end in frame["period_end"]} == {"2025-12-31"}
    assert set(frame["dated_by"]) == {"edition"}


@pytest.mark.parametrize(("above", "day_of_month"), [(0, 1), (6, 28), (7, 1), (12, 15)])
def test_changes_are_found_by_their_header_wherever_it_stands(check, above, day_of_month):
    frame = batch(check, CHANGES, changes(above, day_of_month), RELEASED[CHANGES.id])
    assert f"{frame['period_end'].max():%Y-%m-%d}" == "2015-06-30"
    assert f"{frame['period_end'].min():%Y-%m-%d}" == "2002-01-31"
    cells = frame.set_index(["label", "period_end"])["value"]
    assert cells["China, P.R.: Mainland", "2015-06-30"] == CHINA_2015 == 604.33
    assert cells["Kazakhstan, Rep. of", "2015-06-30"] == 0
    assert (cells["Turkey", "2015-06-30"], cells["Turkey*", "2015-06-30"]) == (-3.5, 11.5)
    blank = frame[frame["value"].isna()]
    assert set(blank["status"]) == {NOT_AVAILABLE}
    assert len(frame) == 7 * 162
    assert len(blank) == 7 * 162 - 5


@pytest.mark.parametrize(
    ("published", "name"),
    [
        ("Belarus4)", "Belarus"),
        ("Turkey5)", "Turkey"),
        ("Türkiye, Rep of5", "Türkiye, Rep of"),
        ("CBGA 4 signatories 5)", "CBGA 4 signatories"),
        ("Azerbaijan, Rep. of8)", "Azerbaijan, Rep. of"),
        ("Euro Area (incl. ECB)", "Euro Area (incl. ECB)"),
        ("Turkey*", "Turkey*"),
        ("China, P.R.:\u00a0Mainland ", "China, P.R.: Mainland"),
    ],
)
def test_the_number_of_a_footnote_is_no_part_of_a_name(published, name):
    assert wgc.without_footnote(published) == name


# --- What is no workbook, or another ----------------------------------------------------------------------


@ALL
@pytest.mark.parametrize(
    ("data", "kind"),
    [p for p in NO_FILE if p.id != "workbook"],
    ids=[p.id for p in NO_FILE if p.id != "workbook"],
)
def test_another_kind_of_file_is_refused(dataset, data, kind):
    refusal(dataset, data, kind)


@ALL
def test_an_encrypted_a_cut_and_an_empty_workbook_are_refused(dataset):
    data = workbook(RENDERED[dataset.id]())
    refusal(dataset, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2000, NotTheFileError)
    refusal(dataset, b'{"chartData":{}}', NotTheFileError)
    refusal(dataset, b"", EmptyFileError)
    for at in (100, len(data) // 3, len(data) - 30):
        refusal(dataset, data[:at], TruncatedFileError)
    middle = len(data) // 2
    with pytest.raises(RefusedFileError):
        parsed(dataset, data[:middle] + bytes(64) + data[middle + 64 :])


@ALL
def test_a_zip_bomb_is_refused_before_it_is_unpacked(dataset):
    out = io.BytesIO(workbook(RENDERED[dataset.id]()))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet99.xml", b"0" * (60 * 2**20))
    refusal(dataset, out.getvalue(), TooLargeError)


@ALL
def test_the_workbook_of_another_dataset_is_refused(dataset):
    for other, rendered in RENDERED.items():
        if other != dataset.id:
            with pytest.raises((NotTheFileError, WrongLayoutError)):
                parsed(dataset, rendered())


@ALL
def test_a_renamed_sheet_is_refused_by_name(dataset):
    sheets = RENDERED[dataset.id]()
    title = SHEET[dataset.id]
    renamed = {("Table of the year" if t == title else t): rows for t, rows in sheets.items()}
    error = refusal(dataset, renamed, WrongLayoutError)
    assert title.lower() in error.message.lower()


@ALL
@pytest.mark.parametrize(
    "value", ["2,306.30", "null", "n/a", "#N/A", "about 5", True, datetime(2025, 1, 1), "=1+1"]
)
def test_a_figure_that_is_none_is_refused(dataset, value):
    row, column = FIGURE[dataset.id]
    sheets = changed(RENDERED[dataset.id](), SHEET[dataset.id], row, column, value)
    error = refusal(dataset, sheets, BadFigureError, SHEET[dataset.id], row)
    if value == "=1+1":
        assert "formula without its value" in error.message


@pytest.mark.parametrize("dataset", [QUARTERLY, RANKING], ids=lambda dataset: dataset.id)
def test_a_blank_where_a_figure_is_due_is_refused(dataset):
    row, column = FIGURE[dataset.id]
    sheets = changed(RENDERED[dataset.id](), SHEET[dataset.id], row, column, None)
    refusal(dataset, sheets, BadFigureError, SHEET[dataset.id], row)


@ALL
def test_a_shifted_header_is_refused(dataset):
    """A column more before the table, or a row more above the quarterly workbook's header."""
    title = SHEET[dataset.id]
    sheets = RENDERED[dataset.id]()
    sheets[title] = [[None, *row] for row in sheets[title]]
    with pytest.raises((WrongLayoutError, NotTheFileError)):
        parsed(dataset, sheets)
    if dataset is QUARTERLY:
        sheets = quarterly()
        sheets[title].insert(0, [None])
        refusal(QUARTERLY, sheets, WrongLayoutError, title)


@ALL
def test_an_unknown_holder_is_refused_by_name(check, dataset):
    sheets = RENDERED[dataset.id]()
    row = FIGURE[dataset.id][0]
    changed(sheets, SHEET[dataset.id], row, 2, "Atlantis, Republic of3)")
    if dataset is QUARTERLY:
        # A holder's row is the same in every sheet.
        sheets = quarterly(whole=True)
        for title in PLAIN:
            changed(sheets, title, row, 2, "Atlantis, Republic of3)")
    error = batch_refusal(check, dataset, sheets, RELEASED[dataset.id], UnknownLabelError)
    assert f"'Atlantis, Republic of' is no holder that {dataset.name}" in error.message
    assert error.line == row


@ALL
def test_a_holder_that_stands_twice_is_refused(dataset):
    row = FIGURE[dataset.id][0]
    name = RENDERED[dataset.id]()[SHEET[dataset.id]][row - 1][1]
    sheets = changed(
        RENDERED[dataset.id](), SHEET[dataset.id], row + 1, 2, f"{wgc.without_footnote(str(name))}9)"
    )
    refusal(dataset, sheets, DuplicateCellError, SHEET[dataset.id], row + 1)


@ALL
def test_figures_beside_an_empty_name_are_refused(dataset):
    row = FIGURE[dataset.id][0]
    sheets = changed(RENDERED[dataset.id](), SHEET[dataset.id], row, 2, None)
    refusal(dataset, sheets, WrongLayoutError, SHEET[dataset.id], row)


# --- The quarterly workbook -------------------------------------------------------------------------------


def test_every_sheet_is_due_and_no_other_that_holds_figures():
    for title in PLAIN:
        sheets = quarterly()
        del sheets[title]
        assert title.lower() in refusal(QUARTERLY, sheets, WrongLayoutError).message
    sheets = quarterly()
    sheets["Gold (Ounces)"] = sheets[GOLD]
    assert "'Gold (Ounces)'" in refusal(QUARTERLY, sheets, WrongLayoutError).message
    mixed = (NUMBERED[0], *PLAIN[1:])
    assert "two editions are mixed" in refusal(QUARTERLY, quarterly(mixed), WrongLayoutError).message
    sheets = quarterly()
    sheets[NUMBERED[0]] = sheets[GOLD]
    refusal(QUARTERLY, sheets, DuplicateCellError)


def test_a_heading_of_another_sheet_is_refused():
    sheets = quarterly(whole=True)
    sheets[PLAIN[1]], sheets[PLAIN[2]] = sheets[PLAIN[2]], sheets[PLAIN[1]]
    refusal(QUARTERLY, sheets, WrongLayoutError, PLAIN[1], 1)


@pytest.mark.parametrize(
    ("column", "head"),
    [
        (1, "Country"),
        (2, "Name"),
        (3, "Q2 2000"),
        (5, "2000.3"),
        (5, 2000.3),
        (5, "Q0 2000"),
        (5, "Q3-2000"),
        (5, None),
    ],
)
def test_a_header_that_is_not_the_publishers_is_refused(column, head):
    sheets = changed(quarterly(), GOLD, 2, column, head)
    refusal(QUARTERLY, sheets, WrongLayoutError, GOLD, 2)


def test_a_column_that_moved_against_its_days_is_refused():
    sheets = quarterly()
    row = 3 + len(COUNTRIES) + 1
    days = sheets[GOLD][row - 1]
    assert days[1] == "Other"
    days[2:] = [*days[3:], days[2]]
    refusal(QUARTERLY, sheets, WrongLayoutError, GOLD, row)


def test_sheets_that_differ_in_holders_or_quarters_are_refused():
    sheets = quarterly(whole=True)
    for row in sheets[PLAIN[1]][1:]:
        del row[-1:]
    refusal(QUARTERLY, sheets, WrongLayoutError, PLAIN[1])
    sheets = quarterly(whole=True)
    del sheets[PLAIN[3]][CHINA_ROW - 1]
    refusal(QUARTERLY, sheets, WrongLayoutError, PLAIN[3])


def test_figures_beyond_the_last_quarter_and_a_lost_row_are_refused():
    sheets = changed(quarterly(), GOLD, CHINA_ROW, LAST_COLUMN + 1, 1.0)
    refusal(QUARTERLY, sheets, WrongLayoutError, GOLD, CHINA_ROW)
    sheets = quarterly()
    del sheets[GOLD][CHINA_ROW - 1][2:]
    refusal(QUARTERLY, sheets, TruncatedFileError, GOLD, CHINA_ROW)


@pytest.mark.parametrize("title", range(5))
@pytest.mark.parametrize("factor", [1000, 0.001])
def test_a_sheet_in_another_unit_is_refused(check, title, factor):
    sheets = quarterly(whole=True)
    for row in sheets[PLAIN[title]][2 : 2 + len(COUNTRIES)]:
        row[2:] = [cell if isinstance(cell, str) else cell * factor for cell in row[2:]]
    batch_refusal(check, QUARTERLY, sheets, RELEASED[QUARTERLY.id], FailedSuiteError)


@pytest.mark.parametrize("name", ["Germany", "Poland"])
@pytest.mark.parametrize(("title", "factor"), [(0, 1000), (0, 0.001), (1, 1000), (1, 0.001)])
def test_one_holder_in_another_unit_is_refused(check, title, factor, name):
    sheets = quarterly(whole=True)
    cells = sheets[PLAIN[title]][2 + COUNTRIES.index(name)]
    cells[2:] = [cell if isinstance(cell, str) else cell * factor for cell in cells[2:]]
    error = batch_refusal(check, QUARTERLY, sheets, RELEASED[QUARTERLY.id], FailedSuiteError)
    assert "value_ratio" in error.message
    assert name in error.message


def test_tonnes_and_value_of_a_holder_in_another_unit_are_refused_by_its_share(check):
    sheets = quarterly(whole=True)
    for title in PLAIN[:2]:
        cells = sheets[title][2 + COUNTRIES.index("Poland")]
        cells[2:] = [cell if isinstance(cell, str) else cell / 1000 for cell in cells[2:]]
    error = batch_refusal(check, QUARTERLY, sheets, RELEASED[QUARTERLY.id], FailedSuiteError)
    assert "share_ratio" in error.message


def test_each_holder_of_the_real_workbook_is_valued_at_its_tonnes_or_those_of_the_quarter_before(
    publisher_files,
):
    frame = sources.with_checks(
        QUARTERLY, sources.parse(QUARTERLY, real(publisher_files, QUARTERLY_2016)).observations
    )
    for column, number in (("value_ratio", 7236), ("share_ratio", 7035)):
        assert frame[column].count() == number
        assert frame[column].between(0.98, 1.01).sum() == number
    assert frame["reporting_pct"].count() == 5 * 62
    assert round(min(frame["reporting_pct"].min(), frame["newest_reporting_pct"].min()), 1) == 81.7


@pytest.mark.parametrize("title", range(5))
@pytest.mark.parametrize("but", [None, "Germany"])
def test_a_sheet_of_dashes_is_refused(check, title, but):
    sheets = quarterly(whole=True)
    for name, cells in zip(COUNTRIES, sheets[PLAIN[title]][2:], strict=False):
        if name != but:
            cells[2:] = ["-"] * len(QUARTERS)
    error = batch_refusal(check, QUARTERLY, sheets, RELEASED[QUARTERLY.id], FailedSuiteError)
    assert "reporting_pct" in error.message


def test_shares_in_percent_are_refused_in_the_workbook(check):
    sheets = quarterly(whole=True)
    for row in sheets[PLAIN[4]][2 : 2 + len(COUNTRIES)]:
        row[2:] = [cell if isinstance(cell, str) else cell * 100 for cell in row[2:]]
    error = batch_refusal(check, QUARTERLY, sheets, RELEASED[QUARTERLY.id], FailedSuiteError)
    assert "a fraction and no percentage" in error.message


# --- The ranking ------------------------------------------------------------------------------------------


def test_ranks_are_a_hundred_without_a_gap():
    sheets = changed(ranking(), "PDF", 9, 1, 4)
    refusal(RANKING, sheets, WrongLayoutError, "PDF", 9)
    sheets = ranking()
    del sheets["PDF"][54:56]
    with pytest.raises((TruncatedFileError, WrongLayoutError)):
        parsed(RANKING, sheets)


def test_ranks_follow_tonnes():
    """The second rank is Germany's; those of the second panel follow the last of the first."""
    germany = ranking()["PDF"][RANK_HEADER + 1]
    assert germany[1] == "Germany"
    error = refusal(RANKING, changed(ranking(), "PDF", 8, 3, germany[2] / 1000), BadFigureError, "PDF", 9)
    assert "IMF has 2,814.04 tonnes and is ranked below Germany (line 8) with 3.35" in error.message
    sheets = ranking()
    italy, france = sheets["PDF"][9], sheets["PDF"][10]
    italy[2], france[2] = france[2], italy[2]
    error = refusal(RANKING, sheets, BadFigureError, "PDF", 11)
    assert france[1] in error.message
    assert italy[1] in error.message
    tied = ranking()
    tied["PDF"][10][2] = tied["PDF"][9][2]
    parsed(RANKING, tied)


def test_the_second_panel_of_the_ranking_follows_the_first(publisher_files):
    data = real(publisher_files, RANKING_2016).data
    book = openpyxl.load_workbook(io.BytesIO(data))
    # WAEMU, the rank 51, above Bulgaria, the rank 50 with 40.24 tonnes.
    book["PDF"].cell(7, 8 if book["PDF"].cell(7, 6).value == "WAEMU" else 7).value = 40.5
    out = io.BytesIO()
    book.save(out)
    error = refusal(RANKING, out.getvalue(), BadFigureError, "PDF", 7)
    assert "WAEMU has 40.50 tonnes and is ranked below Bulgaria (line 56) with 40.24" in error.message


@pytest.mark.parametrize(
    ("column", "head"),
    [(3, "Ounces"), (4, "% of GDP"), (5, "Updated"), (5, None), (2, "Country"), (8, "Ounces")],
)
def test_a_header_of_the_ranking_that_is_unknown_is_refused(column, head):
    refusal(RANKING, changed(ranking(), "PDF", RANK_HEADER, column, head), WrongLayoutError, "PDF")


def test_panels_with_and_without_a_month_do_not_mix():
    sheets = ranking()
    header = next(row for row in sheets["PDF"] if len(row) > 1 and row[1] == "Other")
    del header[4]
    refusal(RANKING, sheets, WrongLayoutError, "PDF")


def test_the_edition_is_told_once_and_is_a_month():
    sheets = changed(ranking(), "PDF", 4, 2, "International Financial Statistics, March 2026*")
    assert "2 editions" in refusal(RANKING, sheets, WrongLayoutError, "PDF").message
    sheets = ranking()
    for row in sheets["PDF"]:
        if len(row) > 1 and str(row[1]).startswith("International"):
            row[1] = "International Financial Statistics*"
    refusal(RANKING, sheets, WrongLayoutError, "PDF")
    sheets = ranking()
    for row in sheets["PDF"]:
        if len(row) > 1 and row[1] == "WORLD OFFICIAL GOLD HOLDINGS":
            row[1] = "WORLD OFFICIAL SILVER HOLDINGS"
    refusal(RANKING, sheets, NotTheFileError, "PDF")


@pytest.mark.parametrize("month", ["latest", "13/2025", "2025.12", 2025.12, "Foo 2025"])
def test_a_month_that_is_none_is_refused(month):
    refusal(RANKING, ranking(month=month), WrongLayoutError, "PDF", 7)


def test_a_month_that_is_blank_is_not_guessed():
    refusal(RANKING, changed(ranking(), "PDF", 7, 5, None), WrongLayoutError, "PDF", 7)


def test_a_share_is_a_fraction_or_the_number_of_a_note(check):
    frame = parsed(RANKING, changed(ranking(), "PDF", 7, 4, "4)"))
    assert frame[frame["line"] == 7]["status"].tolist()[:2] == ["published", NOT_AVAILABLE]
    sheets = changed(ranking(), "PDF", 7, 4, 75.3)
    error = batch_refusal(check, RANKING, sheets, RELEASED[RANKING.id], FailedSuiteError)
    assert "no percentage" in error.message


@pytest.mark.parametrize("factor", [1000, 0.001])
def test_the_ranking_in_another_unit_is_refused(check, factor):
    sheets = ranking()
    for row in sheets["PDF"][RANK_HEADER:56]:
        for column in (2, 7):
            if isinstance(row[column], float):
                row[column] *= factor
    error = batch_refusal(check, RANKING, sheets, RELEASED[RANKING.id], FailedSuiteError)
    assert "another unit" in error.message


def test_a_panel_that_is_half_of_the_world_is_refused(check, publisher_files):
    """Once all hundred and World are told, the ranked hold nearly all of it."""
    frame = sources.parse(RANKING, real(publisher_files, RANKING_2016)).observations
    us = (frame["label"] == "United States") | (frame["label"] == "World")
    frame["value"] = frame["value"].where(us | (frame["measure"] != "gold"), frame["value"] / 2)
    checked = sources.with_checks(RANKING, frame)
    verdict = check(RANKING.name, checked, "half", quality.parameters_of(RANKING))
    assert [problem.message for problem in verdict.problems if "ranked_pct" in problem.message]


# --- Changes ----------------------------------------------------------------------------------------------


def test_without_its_header_the_workbook_of_changes_is_refused():
    sheets = changed(changes(), "Monthly", CHANGES_HEADER, 1, "Country")
    refusal(CHANGES, sheets, WrongLayoutError, "Monthly", None)
    refusal(CHANGES, changes(above=40), WrongLayoutError, "Monthly", None)
    sheets = changed(changes(), "Monthly", CHANGES_HEADER, 3, datetime(2001, 12, 1))
    refusal(CHANGES, sheets, WrongLayoutError, "Monthly", CHANGES_HEADER)


@pytest.mark.parametrize(
    ("column", "month", "kind"),
    [
        (8, "May 2002", WrongLayoutError),
        (8, 37377.5, WrongLayoutError),
        (8, None, WrongLayoutError),
        (8, datetime(2002, 4, 2), DuplicateCellError),
        (8, datetime(2002, 6, 1), WrongLayoutError),
        (8, datetime(2001, 5, 1), WrongLayoutError),
    ],
)
def test_months_that_are_no_unbroken_series_are_refused(column, month, kind):
    sheets = changed(changes(), "Monthly", CHANGES_HEADER, column, month)
    refusal(CHANGES, sheets, kind, "Monthly", CHANGES_HEADER)


def test_figures_beyond_the_last_month_and_below_an_empty_row_are_refused():
    sheets = changed(changes(), "Monthly", 9, 4 + len(MONTHS), 1.0)
    refusal(CHANGES, sheets, WrongLayoutError, "Monthly", 9)
    sheets = changes()
    sheets["Monthly"].insert(10, [None])
    refusal(CHANGES, sheets, TruncatedFileError, "Monthly", 11)
    sheets = changes()
    sheets["Monthly"] += [[None], ["* Turkey with commercial banks' gold"], [None, "A note"]]
    assert len(parsed(CHANGES, sheets)) == len(parsed(CHANGES, changes()))


def test_a_workbook_in_which_nobody_reported_is_refused():
    sheets = changes()
    for row in sheets["Monthly"][CHANGES_HEADER:]:
        row[3:] = [None] * len(row[3:])
    refusal(CHANGES, sheets, TruncatedFileError, "Monthly", CHANGES_HEADER)


@pytest.mark.parametrize("factor", [1000, 0.001])
def test_changes_in_another_unit_are_refused(check, factor):
    sheets = changes()
    for row in sheets["Monthly"][CHANGES_HEADER:]:
        row[3:] = [cell * factor if isinstance(cell, int | float) else cell for cell in row[3:]]
    error = batch_refusal(check, CHANGES, sheets, RELEASED[CHANGES.id], FailedSuiteError)
    assert "another unit" in error.message


# --- Dates, and the whole way -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "too_late", "too_early"),
    [
        (QUARTERLY, "2026-05-20", "2025-12-31"),
        (RANKING, "2026-04-05", "2025-12-30"),
        (CHANGES, "2015-10-05", "2015-06-30"),
    ],
    ids=lambda value: getattr(value, "id", value),
)
def test_a_workbook_is_as_old_as_its_release_may_be(check, dataset, too_late, too_early):
    data = workbook(RENDERED[dataset.id]())
    batch_refusal(check, dataset, data, day(too_late), FrozenFileError)
    batch_refusal(check, dataset, data, day(too_early), WrongDateError)


@ALL
def test_a_workbook_loads_and_a_damaged_one_changes_nothing(home, dataset, monkeypatch):
    good = Incoming("w.xlsx", workbook(RENDERED[dataset.id]()), RELEASED[dataset.id], dataset.url)
    row, column = FIGURE[dataset.id]
    damaged = workbook(changed(RENDERED[dataset.id](), SHEET[dataset.id], row, column, "=1+1"))
    # As bundled files, which alone may say `not quoted`.
    monkeypatch.setattr(snapshot, "hashes", lambda: {archive.sha256(good.data), archive.sha256(damaged)})
    (loaded,) = pipeline.ingest(home, dataset, [good])
    assert loaded.rows == loaded.cells > 30

    def held() -> list[tuple]:
        connection = warehouse.connect(home)
        try:
            return connection.execute(f"select * from raw.{dataset.table} order by all").fetchall()
        finally:
            connection.close()

    before = held()
    with pytest.raises(BadFigureError):
        pipeline.ingest(home, dataset, [Incoming("d.xlsx", damaged, RELEASED[dataset.id], dataset.url)])
    (reason,) = (json.loads(path.read_text()) for path in home.quarantine.rglob("reason.json"))
    assert (reason["outcome"], reason["line"]) == ("bad_figure", row)
    (kept,) = home.quarantine.rglob("d.xlsx")
    assert kept.read_bytes() == damaged
    assert held() == before
