"""SAFE: the yearly workbook of reserve assets, the balance of payments' six sheets, quoted positions.

The bundled figures are extracts: what they lack of the publisher's table is marked as not quoted, a cell in
its place, a row in its first figure, a sheet where its first period is due.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import yaml

from layouts import NOT_QUOTED, Rendered, Row, read, workbook

SITE = "https://www.safe.gov.cn/safe"
RESERVES_PAGE = f"{SITE}/whcb/index.html"
BOP_PAGE = f"{SITE}/2019/0627/13519.html"
POSITION_PAGE = f"{SITE}/zggjtztcb/index.html"
STATEMENTS = {"2026-03-27": f"{SITE}/2026/0327/27298.html"}
PASSPORT = Path(__file__).resolve().parents[2] / "sources" / "safe.yml"

Cell = str | float | int | None

# --- Official reserve assets ------------------------------------------------------------------------------

NBSP = "\u00a0"
RESERVE_ROWS = {
    "fx_reserves": f"1.{NBSP}{NBSP}外汇储备{NBSP}\nForeign currency reserves",
    "imf_reserve_position": f"2.{NBSP}{NBSP}基金组织储备头寸{NBSP}\nIMF reserve position",
    "sdr_holdings": f"3.{NBSP}{NBSP}特别提款权{NBSP}\nSDRs",
    "gold": f"4.{NBSP}{NBSP}黄金{NBSP}\nGold",
    "volume": None,
    "other_reserve_assets": f"5.{NBSP}{NBSP}其他储备资产{NBSP}\nOther reserve assets",
    "total_official_reserve_assets": f"合计{NBSP}\nTotal",
}


def reserves(year: str, rows: list[Row]) -> Rendered:
    """A year's workbook as of the 7th after its newest month, on which SAFE publishes it."""
    figures = {
        ("volume" if row["unit"] == "fine_troy_oz_10k" else row["item"], row["month"], row["unit"]): row[
            "value"
        ]
        for row in rows
    }
    newest = max(row["month"] for row in rows)
    first = 6 if year == "2015" else 1
    months = [f"{year}-{month:02}" for month in range(first, 13)]
    header: list[Cell] = ["项目 Item"]
    units: list[Cell] = [None]
    for month in months:
        header += [month.replace("-", "."), None]
        units += ["亿美元\n100million USD", "亿SDR\n100million SDR"]
    table: list[list[Cell]] = [["官方储备资产 Official reserve assets"], [], [], header, units]
    for item, label in RESERVE_ROWS.items():
        line: list[Cell] = [label]
        for month in months:
            for unit in ("USD_100m", "SDR_100m"):
                volume = item == "volume"
                value = figures.get((item, month, "fine_troy_oz_10k" if volume else unit))
                if month > newest:
                    line.append(None)
                elif value is None:
                    line.append(NOT_QUOTED)
                else:
                    line.append(f"{value}万盎司{NBSP}" if volume else f"{value}{NBSP}")
        table.append(line)
    day = date.fromisoformat(f"{newest}-01")
    released_on = f"{day.year + day.month // 12}-{day.month % 12 + 1:02}-07"
    return Rendered(
        "safe/reserve_assets",
        f"safe/reserve_assets_{released_on}.xlsx",
        released_on,
        RESERVES_PAGE,
        workbook({"Sheet1": table}),
    )


# --- Balance of payments ----------------------------------------------------------------------------------

ITEMS = {
    "current_account": "1 经常账户",
    "current_account_credit": "1 经常账户 / 贷方",
    "current_account_debit": "1 经常账户 / 借方",
    "goods_services_balance": "1.A 货物和服务",
    "goods_balance": "1.A.a 货物",
    "services_balance": "1.A.b 服务",
    "primary_income_balance": "1.B 初次收入",
    "secondary_income_balance": "1.C 二次收入",
    "capital_and_financial_account": "2 资本和金融账户",
    "capital_account": "2.1 资本账户",
    "financial_account": "2.2 金融账户",
    "non_reserve_financial_account": "2.2.1 非储备性质的金融账户",
    "direct_investment": "2.2.1.1 直接投资",
    "portfolio_investment": "2.2.1.2 证券投资",
    "financial_derivatives": "2.2.1.3 金融衍生工具",
    "other_investment": "2.2.1.4 其他投资",
    "reserve_assets_change": "2.2.2 储备资产",
    "reserve_gold_change": "2.2.2.1 货币黄金",
    "reserve_fx_change": "2.2.2.4 外汇储备",
    "net_errors_omissions": "3 净误差与遗漏",
}
# Title, frequency, unit of the figures, unit as published, first period.
SHEETS = [
    ("年度BOP（人民币）", "year", "CNY_100m", "亿元人民币", 2010),
    ("季度BOP（人民币）", "quarter", "CNY_100m", "亿元人民币", 2010),
    ("年度BOP（美元） ", "year", "USD_100m", "亿美元", 1950),
    ("季度BOP（美元）", "quarter", "USD_100m", "亿美元", 1998),
    ("年度BOP（SDR)", "year", "SDR_100m", "亿SDR", 2016),
    ("季度BOP（SDR）", "quarter", "SDR_100m", "亿SDR", 2016),
]


def payments(released_on: str, rows: list[Row]) -> Rendered:
    figures: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
    for row in rows:
        sheet = figures.setdefault((row["frequency"], row["unit"]), {})
        sheet[ITEMS[row["item"]], row["period"]] = row["value"]
    sheets: dict[str, list[list[Cell]]] = {}
    for title, frequency, unit, money, first in SHEETS:
        name = "年度表" if frequency == "year" else "季度表"
        above: list[list[Cell]] = [[], [f"中国国际收支平衡表（{name}）"], [f"单位:{money}"]]
        quoted = figures.get((frequency, unit))
        if quoted is None:
            sheets[title] = [*above, ["项目", NOT_QUOTED]]
            continue
        periods = _periods(frequency, first, max(period for _, period in quoted))
        header = [int(p) if frequency == "year" else p for p in periods]
        sheets[title] = [*above, ["项目", *header], [], *_items(quoted, periods)]
    return Rendered(
        "safe/balance_of_payments",
        f"safe/balance_of_payments_{released_on}.xlsx",
        released_on,
        BOP_PAGE,
        workbook(sheets),
    )


def _periods(frequency: str, first: int, last: str) -> list[str]:
    years = range(first, int(last[:4]) + 1)
    if frequency == "year":
        return [f"{year}" for year in years]
    return [p for year in years for p in (f"{year}Q{n}" for n in (1, 2, 3, 4)) if p <= last]


def _items(quoted: Mapping[tuple[str, str], str], periods: list[str]) -> list[list[Cell]]:
    """The rows of a sheet as published: a side without its item, whose row is the one above."""
    labels = next(
        dataset["series"]
        for dataset in yaml.safe_load(PASSPORT.read_text("utf-8"))["datasets"]
        if dataset["id"] == "balance_of_payments"
    )
    have = {label for label, _ in quoted}
    rows: list[list[Cell]] = []
    for label in labels:
        text = re.sub(r"^(\d) ", r"\1. ", label.split(" / ")[-1])
        figures = (quoted.get((label, period)) for period in periods)
        cells: list[Cell] = [NOT_QUOTED if figure is None else float(figure) for figure in figures]
        rows.append([text, *cells] if label in have else [text, NOT_QUOTED])
    return rows


# --- International investment position --------------------------------------------------------------------


def positions(rows: list[Row]) -> list[Rendered]:
    """One file a release."""
    rendered = []
    for released_on in sorted({row["vintage_date"] for row in rows}):
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["item", "month", "value_usd_100m", "released_on"])
        writer.writerows(
            [row["item"], row["month"], row["value"], released_on]
            for row in rows
            if row["vintage_date"] == released_on
        )
        rendered.append(
            Rendered(
                "safe/investment_position",
                f"safe/investment_position_{released_on}.csv",
                released_on,
                STATEMENTS.get(released_on, POSITION_PAGE),
                out.getvalue().encode("ascii"),
            )
        )
    return rendered


def render() -> list[Rendered]:
    reserve_rows = read("safe/reserve_assets.csv")
    copies = read("safe/balance_of_payments_quarterly_vintages.csv")
    vintages = {"2024-03-29": read("safe/balance_of_payments_2024-03-29.csv")}
    for day in {row["vintage_date"] for row in copies}:
        vintages[day] = [{"frequency": "quarter", **row} for row in copies if row["vintage_date"] == day]
    return [
        *(
            reserves(year, [row for row in reserve_rows if row["month"].startswith(year)])
            for year in sorted({row["month"][:4] for row in reserve_rows})
        ),
        *(payments(day, rows) for day, rows in sorted(vintages.items())),
        *positions(read("safe/investment_position.csv")),
    ]
