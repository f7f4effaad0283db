"""The World Bank: the sheet `Monthly Prices` of its workbook, and of its columns gold alone."""

from __future__ import annotations

from datetime import date

from layouts import Rendered, read, workbook

URL = (
    "https://thedocs.worldbank.org/en/doc/74e8be41ceb20fa0da750cda2f6b9e4e-0050012026/related/"
    "CMO-Historical-Data-Monthly.xlsx"
)


def gold_price(edition: str) -> Rendered:
    months = [
        (row["month"].replace("-", "M"), float(row["usd_per_troy_oz"]))
        for row in read("worldbank/gold_price_monthly.csv")
    ]
    head = [
        ("World Bank Commodity Price Data (The Pink Sheet)",),
        ("monthly prices in nominal US dollars, 1960 to present",),
        (),  # a note
        (f"Updated on {date.fromisoformat(edition):%B %d, %Y}",),
        (None, "Gold"),
        (None, "($/troy oz)"),
    ]
    return Rendered(
        "worldbank/gold_price",
        f"worldbank/gold_price_{edition}.xlsx",
        edition,
        URL,
        workbook({"Monthly Prices": [*head, *months]}),
    )


def render() -> list[Rendered]:
    # The figures came without a date; the edition that ends with their last month, June 2026, bears this one.
    return [gold_price("2026-07-02")]
