"""TIC: the Treasury's four layouts, and the citations."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from layouts import Rendered, Row, read

MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
TIC_URL = "https://ticdata.treasury.gov/resource-center/data-chart-center/tic/Documents/"
TIC_PAGE = "https://home.treasury.gov/data/treasury-international-capital-tic-system"


def tabbed(rows: Iterable[list[str]], end: str) -> bytes:
    """Tab-separated rows, every one ended as the publisher ends it."""
    return "".join("\t".join(row) + end for row in rows).encode("ascii")


def by_latest(figures: dict[str, dict[str, str]], latest: str, labels: Iterable[str]) -> list[str]:
    """Holders as the publisher ranks them: the largest in the newest month first."""
    return sorted(labels, key=lambda label: (-float(figures[label][latest]), label))


# --- TIC Table 5 --------------------------------------------------------------------------------------

TABLE5_TAIL = [
    "All Other",
    "Grand Total",
    "Of Which: Foreign Official",
    "Of Which: Foreign Official Treasury Bills",
    "Of Which: Foreign Official T-Bonds & Notes",
]


def table5(released_on: str) -> Rendered:
    figures: dict[str, dict[str, str]] = {}
    for row in read(f"tic/slt_table5_{released_on}.csv"):
        figures.setdefault(row["country_label"], {})[row["month"]] = row["holdings_usd_bn"]
    months = sorted(figures["Grand Total"], reverse=True)
    blank = [""] * len(months)
    countries = by_latest(figures, months[0], set(figures) - set(TABLE5_TAIL))
    rows = [
        ["Table 5: Major Foreign Holders of Treasury Securities", *blank],
        ["Holdings at end of time period", *blank],
        ["Billions of dollars", *blank],
        [f"Link: {TIC_URL}slt_table5.txt", *blank],
        ["", *blank],
        ["Country", *months],
        *([label, *(figures[label][month] for month in months)] for label in [*countries, *TABLE5_TAIL]),
        ["", *blank],
        ["Notes:", *blank],
    ]
    return Rendered(
        "tic/slt_table5",
        f"tic/slt_table5_{released_on}.txt",
        released_on,
        f"{TIC_URL}slt_table5.txt",
        tabbed(rows, "\r\n"),
    )


# --- TIC Table 3 --------------------------------------------------------------------------------------

TABLE3_COLUMNS = {
    "holdings_total_usd_bn": ("Total U.S. Treasuries", "Holdings", "for_treas_pos"),
    "net_total_usd_bn": ("Total U.S. Treasuries", "Net U.S. Sales", "for_treas_net"),
    "holdings_lt_usd_bn": ("Long-term U.S. Treasuries", "Holdings", "for_lt_treas_pos"),
    "net_lt_usd_bn": ("Long-term U.S. Treasuries", "Net U.S. Sales", "for_lt_treas_net"),
    "valuation_lt_usd_bn": ("Long-term U.S. Treasuries", "Valuation Change", "for_lt_treas_valchg"),
    "holdings_st_usd_bn": ("Short-term U.S. Treasuries", "Holdings", "for_st_treas_pos"),
    "net_st_usd_bn": ("Short-term U.S. Treasuries", "Net U.S. Sales", "for_st_treas_net"),
}
# Grand Total and what it is made of stand at the end, and the memo rows before them.
TABLE3_LAST = ["16713", "16721", "69995", "79995", "99996", "99990", "99991"]


def millions(billions: str) -> str:
    """USD bn with three decimals as the USD million that were published; nothing as n.a."""
    if billions == "":
        return "n.a."
    whole, _, thousandths = billions.partition(".")
    return str(int(whole + thousandths.ljust(3, "0")))


def table3(released_on: str) -> Rendered:
    series: dict[tuple[str, str], list[Row]] = {}
    for row in read(f"tic/slt_table3_{released_on}.csv"):
        series.setdefault((row["country_code"], row["country_label"]), []).append(row)
    blank = [""] * 9
    order = sorted(series, key=lambda key: (TABLE3_LAST.index(key[0]) if key[0] in TABLE3_LAST else -1, key))
    rows = [
        ["Table 3: U.S. Treasury Securities Held by Foreign Residents", *blank],
        ["All Countries and International and Regional Organizations", *blank],
        ["", *blank],
        ["Millions of dollars", *blank],
        [f"Link: {TIC_URL}slt_table3.txt", *blank],
        ["", *blank],
        ["", "", "", *(column[0] for column in TABLE3_COLUMNS.values())],
        ["Country", "Country Code", "Date", *(column[1] for column in TABLE3_COLUMNS.values())],
        ["country", "country_code", "date", *(column[2] for column in TABLE3_COLUMNS.values())],
    ]
    for code, label in order:
        for row in sorted(series[code, label], key=lambda row: row["month"], reverse=True):
            rows.append([label, code, row["month"], *(millions(row[column]) for column in TABLE3_COLUMNS)])
    rows += [["", *blank], ["Notes:", *blank]]
    return Rendered(
        "tic/slt_table3",
        f"tic/slt_table3_{released_on}.txt",
        released_on,
        f"{TIC_URL}slt_table3.txt",
        tabbed(rows, "\r\n"),
    )


# --- TIC history --------------------------------------------------------------------------------------

HISTORY_TAIL = ["All Other", "Grand Total"]
HISTORY_OFFICIAL = ["For. Official", "Treasury Bills", "T-Bonds & Notes"]
# Above the month in which a series begins stands its footnote; below that the numerals of the new series
# and of the old one beside it.
SERIES = {
    "2000-03": ("6/", "II", "I"),
    "2002-06": ("7/", "III", "II"),
    "2003-06": ("8/", "IV", "III"),
    "2004-06": ("9/", "V", "IV"),
    "2005-06": ("10/", "VI", "V"),
    "2006-06": ("11/", "VII", "VI"),
    "2007-06": ("12/", "VIII", "VII"),
    "2008-06": ("13/", "IX", "VIII"),
    "2009-06": ("14/", "X", "IX"),
    "2010-06": ("15/", "XI", "X"),
    "2011-06": ("16/", "XII", "XI"),
    "2011-12": ("17/", "XIII", "XII"),
}


def shortest(figure: str) -> str:
    return figure.removesuffix(".0")


def quoted(label: str) -> str:
    return f'"{label}"' if "," in label else label


def history(released_on: str) -> Rendered:
    width = 14
    cells: dict[str, dict[tuple[str, str], dict[str, str]]] = {}
    for row in read(f"tic/mfhhis01_{released_on}.csv"):
        year = cells.setdefault(row["month"][:4], {})
        year.setdefault((row["month"], row["series"]), {})[row["country_label"]] = row["holdings_usd_bn"]

    def padded(*row: str) -> list[str]:
        return [*row, *[""] * (width - len(row))]

    rows = [
        padded("", "", "", "MAJOR FOREIGN HOLDERS OF TREASURY SECURITIES"),
        padded("", "", "", "", "(in billions of dollars)"),
        padded("", "", "", "", "HOLDINGS 1/ AT END OF PERIOD"),
        padded(),
    ]
    for year in sorted(cells, reverse=True):
        # Newest first, and of a doubled month the new series left of the old one.
        columns = sorted(cells[year], key=lambda column: (column[0], column[1] != "old"), reverse=True)
        rows += [padded(), *(padded(*row) for row in _series_rows(columns))]
        rows.append(padded("", *(MONTH_NAMES[int(month[5:]) - 1] for month, _ in columns)))
        rows.append(padded("Country", *(month[:4] for month, _ in columns)))
        rows.append(padded("", *("------" for _ in columns)))
        newest = cells[year][columns[0]]
        named = set(newest) - {*HISTORY_TAIL, *HISTORY_OFFICIAL}
        ranked = sorted(named, key=lambda label, newest=newest: (-float(newest[label]), label))
        for label in [*ranked, *HISTORY_TAIL, None, "Of which:", *HISTORY_OFFICIAL]:
            if label in (None, "Of which:"):
                rows.append(padded(label or ""))
            else:
                figures = (shortest(cells[year][column][label]) for column in columns)
                rows.append(padded(quoted(label), *figures))
    year, month, day = (int(part) for part in released_on.split("-"))
    rows += [padded(), padded(f"{month}/{day}/{year % 100}")]
    return Rendered(
        "tic/mfhhis01",
        f"tic/mfhhis01_{released_on}.txt",
        released_on,
        f"{TIC_URL}mfhhis01.txt",
        tabbed(rows, "\r\n"),
    )


def _series_rows(columns: list[tuple[str, str]]) -> list[list[str]]:
    """The two rows that declare series breaks above a block's months; none for a block without one."""
    marks, numerals = [""] * len(columns), [""] * len(columns)
    for index, (month, series) in enumerate(columns):
        if month in SERIES and series != "old":
            footnote, new, old = SERIES[month]
            marks[index], marks[index + 1] = f"Series {footnote}", "Series"
            numerals[index], numerals[index + 1] = new, old
    return [["", *marks], ["", *numerals]] if any(marks) else []


# --- TIC, the table before 2023-03 ----------------------------------------------------------------------

LEGACY_NAME_WIDTH, LEGACY_COLUMN_WIDTH = 32, 6
FULL_MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


def legacy(released_on: str) -> Rendered:
    figures: dict[str, dict[str, str]] = {}
    for row in read(f"tic/mfh_{released_on}.csv"):
        figures.setdefault(row["country_label"], {})[row["month"]] = row["holdings_usd_bn"]
    months = sorted(figures["Grand Total"], reverse=True)

    def line(name: str, values: Iterable[str]) -> str:
        return name.ljust(LEGACY_NAME_WIDTH) + "  ".join(v.rjust(LEGACY_COLUMN_WIDTH) for v in values)

    named = set(figures) - {*HISTORY_TAIL, *HISTORY_OFFICIAL}
    year, month, day = (int(part) for part in released_on.split("-"))
    lines = [
        "",
        " " * 45 + "MAJOR FOREIGN HOLDERS OF TREASURY SECURITIES",
        " " * 55 + "(in billions of dollars)",
        " " * 53 + "HOLDINGS 1/ AT END OF PERIOD",
        "",
        line("", (f"{MONTH_NAMES[int(m[5:]) - 1]} " for m in months)).rstrip(),
        line("Country", (f"{m[:4]} " for m in months)).rstrip(),
        line("", ("------" for _ in months)),
        "",
        *(line(label, (figures[label][m] for m in months)) for label in by_latest(figures, months[0], named)),
        *(line(label, (figures[label][m] for m in months)) for label in HISTORY_TAIL),
        "",
        "Of which:",
        *(
            line(" " * indent + label, (figures[label][m] for m in months))
            for indent, label in zip((1, 2, 2), HISTORY_OFFICIAL, strict=True)
        ),
        "",
        f"{FULL_MONTH_NAMES[month - 1]} {day}, {year}",
    ]
    return Rendered(
        "tic/mfh",
        f"tic/mfh_{released_on}.txt",
        released_on,
        f"{TIC_URL}mfh.txt",
        "".join(text + "\r\n" for text in lines).encode("ascii"),
    )


# --- TIC, cited first prints ----------------------------------------------------------------------------


def citations() -> list[Rendered]:
    """One file a release: what is cited of two releases stands in two files."""
    rows = read("tic/cited_first_prints.csv")
    rendered = []
    for released_on in sorted({row["released_on"] for row in rows}):
        out = io.StringIO()
        writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row in rows if row["released_on"] == released_on)
        rendered.append(
            Rendered(
                "tic/cited_first_prints",
                f"tic/cited_first_prints_{released_on}.csv",
                released_on,
                TIC_PAGE,
                out.getvalue().encode("utf-8"),
            )
        )
    return rendered


def render() -> list[Rendered]:
    return [
        *citations(),
        legacy("2023-03-15"),
        history("2026-03-18"),
        table3("2026-06-18"),
        table5("2026-06-18"),
        table5("2026-09-16"),
    ]
