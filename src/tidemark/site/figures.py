"""What the site shows: each chart's rows as one query of the marts, and the sentence above it.

The query stands on the page beneath its chart, and the page holds its rows as they came, so that whoever
doubts a figure can ask for it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from tidemark import registry
from tidemark.site.charts import COMPONENTS_OF_DEBT

Row = dict[str, Any]
# The months of the charts that look at the recent past alone.
RECENT_MONTHS = 36
# More lines than this nobody can tell apart.
VINTAGES_SHOWN = 12
EXACT = "exact"


@dataclass(frozen=True)
class Column:
    """A column of the table beneath a chart: its name in the mart, its heading, and how it is written."""

    name: str
    heading: str
    form: str = ""

    @property
    def is_figure(self) -> bool:
        return bool(self.form)


@dataclass(frozen=True)
class Figure:
    """A chart with what belongs to it.

    Attributes:
        chart: the name of its specification in `charts.all_charts`.
        title: what it shows, in a sentence.
        about: what it measures, and what to mind; one line under it.
        as_of: the reference period of its newest figure, in words.
        sources: who published the figures, and when.
        newest_first: whether the table beneath is in the reverse of the chart's order.
    """

    id: str
    chart: str
    title: str
    about: str
    as_of: str
    sources: str
    sql: str
    columns: tuple[Column, ...]
    rows: list[Row] = field(repr=False)
    newest_first: bool = False


def ask(connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None) -> list[Row]:
    result = connection.execute(sql, parameters or [])
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def front(connection: duckdb.DuckDBPyConnection, pages: set[str]) -> list[Figure]:
    """The charts of the front page; those whose figures are not loaded are left out."""
    made = (
        _who_holds(connection, pages),
        _changes(connection, pages),
        _movers(connection),
        _debt(connection),
        _reserves(connection),
        _gold(connection),
        _gold_or_treasuries(connection),
        _interest(connection),
    )
    return [figure for figure in made if figure is not None]


def of_holder(connection: duckdb.DuckDBPyConnection, holder: Row) -> list[Figure]:
    """The charts of a holder's page; those whose figures are not published are left out."""
    made = (
        _level(connection, holder),
        _monthly_change(connection, holder),
        _decomposition(connection, holder),
        _fan(connection, holder),
        _gold_of(connection, holder),
    )
    return [figure for figure in made if figure is not None]


# --- words -----------------------------------------------------------------------------------------------


def written(value: Any, form: str = "") -> str:
    """A figure as a page shows it: the empty string for none. `EXACT` leaves out no digit of the mart's."""
    if value is None:
        return ""
    if form == EXACT:
        said = f"{value:,.12g}"
        return said if "." in said or "e" in said else f"{said}.0"
    return format(value, form) if form and not isinstance(value, str) else str(value)


def month(day: date) -> str:
    return f"{day:%B %Y}"


def _sources(datasets: Iterable[str | None], released_on: date | None) -> str:
    named = sorted({name for said in datasets if said for name in re.split("[ ,]+", said)})
    by_source: dict[str, list[str]] = {}
    for name in named:
        source, _, dataset = name.partition("/")
        by_source.setdefault(source, []).append(dataset)
    said = "; ".join(
        registry.source(source).attribution + (f" ({', '.join(of)})" if any(of) else "")
        for source, of in by_source.items()
    )
    return said + (f"; published up to {released_on}" if released_on else "")


def _rose_or_fell(change: float) -> str:
    return "rose by" if change > 0 else "fell by"


def _newest(rows: list[Row], column: str = "released_on") -> date | None:
    return max((row[column] for row in rows if row.get(column) is not None), default=None)


# --- the front page --------------------------------------------------------------------------------------

TOP = """select holder_rank, holder_id, holder_name, holdings_usd_bn, share_of_foreign_ratio,
    change_1m_usd_bn, change_12m_usd_bn, period_end, released_on, dataset
from mart_top_holders
where is_latest_month and holder_rank <= {ranks}
order by {order}"""

HOLDER = Column("holder_name", "holder")
RELEASED = Column("released_on", "published")
MONTH = Column("period_end", "month")


def _linked(rows: list[Row], pages: set[str]) -> list[Row]:
    """With the address of each holder's page, for the bars that lead there."""
    return [
        {**row, "page": f"holders/{row['holder_id']}.html" if row["holder_id"] in pages else None}
        for row in rows
    ]


def _who_holds(connection: duckdb.DuckDBPyConnection, pages: set[str]) -> Figure | None:
    sql = TOP.format(ranks=15, order="holder_rank, holder_name")
    rows = ask(connection, sql)
    if not rows:
        return None
    first = rows[0]
    others = ", then ".join(f"{row['holder_name']} ({row['holdings_usd_bn']:,.1f})" for row in rows[1:3])
    return Figure(
        id="who-holds",
        chart="who_holds",
        title=f"{first['holder_name']} holds most: {first['holdings_usd_bn']:,.1f} billion dollars"
        + (f"; {others}" if others else ""),
        about="Holdings of US Treasuries at market value, USD billion, by the country of the custodian, which "
        "need not be the owner's. The fifteen largest.",
        as_of=month(first["period_end"]),
        sources=_sources((row["dataset"] for row in rows), _newest(rows)),
        sql=sql,
        columns=(
            Column("holder_rank", "rank", "d"),
            HOLDER,
            Column("holdings_usd_bn", "USD bn", ",.1f"),
            Column("share_of_foreign_ratio", "share of foreign holdings", ".1%"),
            Column("change_12m_usd_bn", "12 months, USD bn", "+,.1f"),
            MONTH,
            RELEASED,
        ),
        rows=_linked(rows, pages),
    )


def _changes(connection: duckdb.DuckDBPyConnection, pages: set[str]) -> Figure | None:
    sql = TOP.format(ranks=20, order="change_1m_usd_bn desc nulls last, holder_name").replace(
        "where is_latest_month", "where change_1m_usd_bn is not null and is_latest_month"
    )
    rows = ask(connection, sql)
    if not rows:
        return None
    up, down = rows[0], rows[-1]
    title = f"{up['holder_name']} {_rose_or_fell(up['change_1m_usd_bn'])} {abs(up['change_1m_usd_bn']):,.1f}"
    if len(rows) > 1:
        title += (
            f" billion dollars in a month, {down['holder_name']} {_rose_or_fell(down['change_1m_usd_bn'])} "
            f"{abs(down['change_1m_usd_bn']):,.1f}"
        )
    return Figure(
        id="changes",
        chart="changes",
        title=title,
        about="Change of holdings within the month, USD billion: purchases, sales and prices together. "
        "The twenty largest holders.",
        as_of=month(up["period_end"]),
        sources=_sources((row["dataset"] for row in rows), _newest(rows)),
        sql=sql,
        columns=(
            HOLDER,
            Column("change_1m_usd_bn", "1 month, USD bn", "+,.1f"),
            Column("change_12m_usd_bn", "12 months, USD bn", "+,.1f"),
            Column("holdings_usd_bn", "holdings, USD bn", ",.1f"),
            MONTH,
            RELEASED,
        ),
        rows=_linked(rows, pages),
    )


DECOMPOSED = (
    Column("change_usd_bn", "change, USD bn", "+,.3f"),
    Column("net_purchases_usd_bn", "net purchases", "+,.3f"),
    Column("valuation_change_usd_bn", "price", "+,.3f"),
    Column("other_change_usd_bn", "neither", "+,.3f"),
)
# Table 3 stands behind this mart, whichever the day.
DECOMPOSITION_FROM = ("tic/slt_table3",)


def _selling_or_price(row: Row) -> str:
    """What made a change, in words: the part that is largest in its direction."""
    change = row["change_usd_bn"]
    parts = {
        "net purchases" if change > 0 else "net sales": row["net_purchases_usd_bn"],
        "prices": row["valuation_change_usd_bn"],
        "what neither tells": row["other_change_usd_bn"],
    }
    towards = {name: amount for name, amount in parts.items() if amount is not None and amount * change > 0}
    return max(towards, key=lambda name: abs(towards[name])) if towards else "nothing that is told"


def _movers(connection: duckdb.DuckDBPyConnection) -> Figure | None:
    sql = """select holder_name, change_usd_bn, net_purchases_usd_bn, valuation_change_usd_bn,
    other_change_usd_bn, period_end, released_on
from fct_change_decomposition
where kind = 'country' and missing_because is null and change_usd_bn is not null
    and period_end = (select max(period_end) from fct_change_decomposition where missing_because is null)
order by abs(change_usd_bn) desc, holder_name limit 10"""
    rows = ask(connection, sql)
    if not rows:
        return None
    first = rows[0]
    return Figure(
        id="selling-or-price",
        chart="movers",
        title=f"Selling or price? {first['holder_name']} {_rose_or_fell(first['change_usd_bn'])} "
        f"{abs(first['change_usd_bn']):,.1f} billion dollars, most of it {_selling_or_price(first)}",
        about="Change within the month, USD billion, of the ten holders that moved most: what they bought less "
        "what they sold, what prices did, and what neither explains. The mark is the whole change. The newest "
        "month for which the publisher's Table 3 is held.",
        as_of=month(first["period_end"]),
        sources=_sources(DECOMPOSITION_FROM, _newest(rows)),
        sql=sql,
        columns=(HOLDER, *DECOMPOSED, MONTH, RELEASED),
        rows=rows,
    )


def _debt(connection: duckdb.DuckDBPyConnection) -> Figure | None:
    sql = """select period_end, component, amount_usd_bn, share_of_total_ratio, is_latest_month,
    released_on, datasets
from fct_debt_composition
order by period_end, component"""
    rows = ask(connection, sql)
    latest = {row["component"]: row for row in rows if row["is_latest_month"]}
    if not latest:
        return None
    foreign, fed = latest["foreign_official"], latest["federal_reserve"]
    private = latest["foreign_private"]
    return Figure(
        id="debt",
        chart="debt",
        title=f"Foreign officials hold {foreign['share_of_total_ratio']:.1%} of the federal debt, other foreigners "
        f"{private['share_of_total_ratio']:.1%}, the Federal Reserve {fed['share_of_total_ratio']:.1%}",
        about="Shares of the whole federal debt at the end of each month. Foreign holdings are at market value, the "
        f"rest at face value; {COMPONENTS_OF_DEBT['other_domestic']} is what remains.",
        as_of=month(foreign["period_end"]),
        sources=_sources((row["datasets"] for row in rows), _newest(rows)),
        sql=sql,
        columns=(
            MONTH,
            Column("component", "owner"),
            Column("amount_usd_bn", "USD bn", ",.1f"),
            Column("share_of_total_ratio", "share", ".1%"),
            RELEASED,
        ),
        rows=rows,
        newest_first=True,
    )


def _reserves(connection: duckdb.DuckDBPyConnection) -> Figure | None:
    sql = """select period_end, component, amount_usd_bn, share_of_total_ratio, total_usd_bn,
    is_latest_month, released_on, datasets
from fct_reserve_composition
where holder_id = 'CHN'
order by period_end, component"""
    rows = ask(connection, sql)
    latest = {row["component"]: row for row in rows if row["is_latest_month"]}
    if "treasuries" not in latest or "gold" not in latest:
        return None
    treasuries, gold = latest["treasuries"], latest["gold"]
    return Figure(
        id="china-reserves",
        chart="reserves",
        title=f"Of China's reserves, Treasuries are {treasuries['share_of_total_ratio']:.1%} and gold "
        f"{gold['share_of_total_ratio']:.1%}",
        about="China's reserve assets, USD billion. Treasuries are those that all residents of China hold with US "
        "custodians, so the Treasuries and the other foreign exchange beside them are estimates.",
        as_of=month(treasuries["period_end"]),
        sources=_sources((row["datasets"] for row in rows), _newest(rows)),
        sql=sql,
        columns=(
            MONTH,
            Column("component", "asset"),
            Column("amount_usd_bn", "USD bn", ",.1f"),
            Column("share_of_total_ratio", "share", ".1%"),
            RELEASED,
        ),
        rows=rows,
        newest_first=True,
    )


GOLD = """select period_end, tonnes as gold_tonnes, released_on, dataset
from fct_gold_holdings
where holder_id = '{holder_id}' and status = 'published' and dataset like '{dataset}'
order by period_end"""


def _gold(connection: duckdb.DuckDBPyConnection) -> Figure | None:
    sql = GOLD.format(holder_id="CHN", dataset="safe/%")
    rows = ask(connection, sql)
    return _gold_figure("china-gold", "China", sql, rows) if len(rows) > 1 else None


def _gold_of(connection: duckdb.DuckDBPyConnection, holder: Row) -> Figure | None:
    sql = GOLD.format(holder_id=holder["holder_id"], dataset="%")
    rows = ask(connection, sql)
    return _gold_figure("gold", holder["holder_name"], sql, rows) if len(rows) > 1 else None


def _gold_figure(figure_id: str, name: str, sql: str, rows: list[Row]) -> Figure:
    first, last = rows[0], rows[-1]
    return Figure(
        id=figure_id,
        chart="gold",
        title=f"{name} held {last['gold_tonnes']:,.1f} tonnes of gold in {month(last['period_end'])}, "
        f"{first['gold_tonnes']:,.1f} in {month(first['period_end'])}",
        about="Official gold, tonnes, as the holder reports it.",
        as_of=month(last["period_end"]),
        sources=_sources((row["dataset"] for row in rows), _newest(rows)),
        sql=sql,
        columns=(MONTH, Column("gold_tonnes", "tonnes", ",.2f"), RELEASED),
        rows=rows,
        newest_first=True,
    )


def _gold_or_treasuries(connection: duckdb.DuckDBPyConnection) -> Figure | None:
    sql = """select period, period_end, gold_tonnes, gold_usd_bn, treasuries_foreign_official_usd_bn,
    gold_to_official_treasuries_ratio, holders, made_of
from fct_gold_vs_treasuries
where not includes_usa and not includes_imf and not includes_ecb and not includes_bis
    and gold_to_official_treasuries_ratio is not null
    and holders >= 0.9 * (select max(holders) from fct_gold_vs_treasuries)
order by period_end"""
    rows = ask(connection, sql)
    if not rows:
        return None
    last = rows[-1]
    return Figure(
        id="gold-or-treasuries",
        chart="gold_or_treasuries",
        title=f"Central banks' gold was worth {last['gold_usd_bn']:,.0f} billion dollars in {last['period']}, foreign "
        f"officials' Treasuries {last['treasuries_foreign_official_usd_bn']:,.0f}",
        about="Gold of all reporting countries but the United States at the market price, and the Treasuries of foreign "
        "official holders, USD billion; quarters for which nearly all holders of gold are known. Gold rises by price, too.",
        as_of=last["period"],
        sources=_sources((_datasets(row["made_of"]) for row in rows), None),
        sql=sql,
        columns=(
            Column("period", "quarter"),
            Column("gold_tonnes", "gold, tonnes", ",.1f"),
            Column("gold_usd_bn", "gold, USD bn", ",.1f"),
            Column("treasuries_foreign_official_usd_bn", "official Treasuries, USD bn", ",.1f"),
            Column("gold_to_official_treasuries_ratio", "ratio", ".2f"),
            Column("holders", "holders", "d"),
        ),
        rows=rows,
        newest_first=True,
    )


def _datasets(made_of: str) -> str:
    """The datasets of a sum's files, which it names as dataset:SHA-256."""
    return " ".join(part.partition(":")[0] for part in made_of.split())


def _interest(connection: duckdb.DuckDBPyConnection) -> Figure | None:
    sql = """select fiscal_year, period_end, net_interest_usd_bn, defense_discretionary_usd_bn,
    exceeds_defense, released_on, datasets
from fct_interest_burden
where net_interest_usd_bn is not null and defense_discretionary_usd_bn is not null
order by fiscal_year"""
    rows = ask(connection, sql)
    if not rows:
        return None
    last = rows[-1]
    since = _since(rows)
    return Figure(
        id="interest",
        chart="interest",
        title=f"Net interest cost {last['net_interest_usd_bn']:,.1f} billion dollars in fiscal year "
        f"{last['fiscal_year']}, defence {last['defense_discretionary_usd_bn']:,.1f}"
        + (f": more than defence since {since}" if since else ""),
        about="Federal outlays by fiscal year (it ends on 30 September), USD billion: net interest, and "
        "discretionary outlays for defence.",
        as_of=f"fiscal year {last['fiscal_year']}",
        sources=_sources((row["datasets"] for row in rows), _newest(rows)),
        sql=sql,
        columns=(
            Column("fiscal_year", "fiscal year", "d"),
            Column("net_interest_usd_bn", "net interest, USD bn", ",.3f"),
            Column("defense_discretionary_usd_bn", "defence, USD bn", ",.3f"),
            RELEASED,
        ),
        rows=rows,
        newest_first=True,
    )


def _since(rows: list[Row]) -> int | None:
    """The first year of those up to the last in which interest exceeded defence throughout."""
    since = None
    for row in reversed(rows):
        if not row["exceeds_defense"]:
            break
        since = row["fiscal_year"]
    return since


# --- a holder's page ---------------------------------------------------------------------------------------


def _level(connection: duckdb.DuckDBPyConnection, holder: Row) -> Figure | None:
    # The publisher's total goes by the code of the world among the series.
    entity = "WLD" if holder["holder_id"] == "GRAND_TOTAL" else holder["holder_id"]
    sql = f"""with held as (
    select holdings.period_end, holdings_usd_bn, series.segment, holdings.released_on, holdings.dataset
    from fct_holdings as holdings
    left join fct_series as series
        on series.series = 'treasury_holdings' and series.frequency = 'month'
            and series.entity = '{entity}' and series.period_end = holdings.period_end
    where holder_id = '{holder["holder_id"]}'
)
select months.period_end, holdings_usd_bn, segment, released_on, dataset
from (
    select last_day(cast(unnest(generate_series(date_trunc('month', min(period_end)), max(period_end),
        interval 1 month)) as date)) as period_end
    from held
) as months
left join held on months.period_end = held.period_end
order by months.period_end"""
    rows = ask(connection, sql)
    known = [row for row in rows if row["holdings_usd_bn"] is not None]
    if not known:
        return None
    last, peak = known[-1], max(known, key=lambda row: row["holdings_usd_bn"])
    return Figure(
        id="level",
        chart="level",
        title=f"{written(last['holdings_usd_bn'], EXACT)} billion dollars in {month(last['period_end'])}; most was "
        f"{written(peak['holdings_usd_bn'], EXACT)}, in {month(peak['period_end'])}",
        about="Holdings at the end of the month, USD billion, as they stand today. A gap is a month without a figure, "
        "or a new series that is not comparable with the one before.",
        as_of=month(last["period_end"]),
        sources=_sources((row["dataset"] for row in known), _newest(known)),
        sql=sql,
        columns=(MONTH, Column("holdings_usd_bn", "USD bn", EXACT), RELEASED, Column("dataset", "table")),
        rows=rows,
        newest_first=True,
    )


def _monthly_change(connection: duckdb.DuckDBPyConnection, holder: Row) -> Figure | None:
    sql = f"""select period_end, change_1m_usd_bn, change_1m_missing_because, change_12m_usd_bn, streak_months,
    lowest_since, highest_since, released_on, dataset
from fct_holding_changes
where holder_id = '{holder["holder_id"]}'
    and period_end > (select max(period_end) from fct_holding_changes) - interval {RECENT_MONTHS} month
order by period_end"""
    rows = ask(connection, sql)
    known = [row for row in rows if row["change_1m_usd_bn"] is not None]
    if not known:
        return None
    last = known[-1]
    return Figure(
        id="changes",
        chart="monthly_change",
        title=f"{_rose_or_fell(last['change_1m_usd_bn']).capitalize()} {abs(last['change_1m_usd_bn']):,.1f} billion "
        f"dollars in {month(last['period_end'])}{_streak(last)}",
        about="Change from the month before, USD billion: purchases, sales and prices together.",
        as_of=month(last["period_end"]),
        sources=_sources((row["dataset"] for row in known), _newest(known)),
        sql=sql,
        columns=(
            MONTH,
            Column("change_1m_usd_bn", "1 month, USD bn", "+,.1f"),
            Column("change_1m_missing_because", "why there is none"),
            Column("change_12m_usd_bn", "12 months, USD bn", "+,.1f"),
            Column("lowest_since", "lowest since"),
            RELEASED,
        ),
        rows=rows,
        newest_first=True,
    )


def _streak(row: Row) -> str:
    months = row["streak_months"]
    if not months or abs(months) < 2:
        return ""
    return f", the {_ordinal(abs(months))} month in a row"


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _decomposition(connection: duckdb.DuckDBPyConnection, holder: Row) -> Figure | None:
    sql = f"""select period_end, change_usd_bn, net_purchases_usd_bn, valuation_change_usd_bn,
    other_change_usd_bn, cumulative_change_usd_bn, cumulative_net_purchases_usd_bn,
    cumulative_valuation_change_usd_bn, run_begins, released_on
from fct_change_decomposition
where holder_id = '{holder["holder_id"]}' and missing_because is null
order by period_end"""
    rows = ask(connection, sql)
    if not rows:
        return None
    last = rows[-1]
    return Figure(
        id="decomposition",
        chart="decomposition",
        title=f"Since {month(last['run_begins'])}: {last['cumulative_net_purchases_usd_bn']:+,.1f} by buying and selling, "
        f"{last['cumulative_valuation_change_usd_bn']:+,.1f} by price, {last['cumulative_change_usd_bn']:+,.1f} billion "
        "dollars in all",
        about="The change of each month, USD billion: what was bought less what was sold, what prices did, and what "
        "neither explains. The dot is the whole change.",
        as_of=month(last["period_end"]),
        sources=_sources(DECOMPOSITION_FROM, _newest(rows)),
        sql=sql,
        columns=(MONTH, *DECOMPOSED, RELEASED),
        rows=rows,
        newest_first=True,
    )


def _fan(connection: duckdb.DuckDBPyConnection, holder: Row) -> Figure | None:
    sql = f"""with cells as (
    select * from fct_holdings_vintages
    where holder_id = '{holder["holder_id"]}' and period_end > (
        select max(period_end) from fct_holdings_vintages
    ) - interval {RECENT_MONTHS} month
),
days as (
    select distinct released_on as known_on from cells order by known_on desc limit {VINTAGES_SHOWN}
),
months as (select distinct period_end from cells)
select known_on, months.period_end, holdings_usd_bn, known_on = max(known_on) over () as is_latest, dataset
from days
cross join months
left join cells
    on months.period_end = cells.period_end and released_on <= known_on
        and (superseded_on is null or superseded_on > known_on)
order by known_on, months.period_end"""
    rows = ask(connection, sql)
    days = sorted({row["known_on"] for row in rows})
    # A release that withdrew figures is a day of its own, on which nothing may be left to draw.
    if len(days) < 2 or all(row["holdings_usd_bn"] is None for row in rows):
        return None
    return Figure(
        id="revisions",
        chart="fan",
        title=_revised(rows),
        about=f"Holdings, USD billion, as they were known after each of the last {VINTAGES_SHOWN} releases that said "
        "something new: a line a release. Where the lines part, the publisher has revised.",
        as_of=month(max(row["period_end"] for row in rows if row["holdings_usd_bn"] is not None)),
        sources=_sources((row["dataset"] for row in rows), days[-1]),
        sql=sql,
        columns=(
            Column("known_on", "as known on"),
            MONTH,
            Column("holdings_usd_bn", "USD bn", EXACT),
            Column("dataset", "table"),
        ),
        rows=rows,
        newest_first=True,
    )


def _revised(rows: list[Row]) -> str:
    """The month that moved farthest between the first figure held and today's."""
    first: dict[date, Row] = {}
    last: dict[date, Row] = {}
    for row in rows:
        if row["holdings_usd_bn"] is None:
            continue
        first.setdefault(row["period_end"], row)
        if row["is_latest"]:
            last[row["period_end"]] = row
    if not last:
        return "None of these months' figures is published any longer"
    farthest: Callable[[date], float] = lambda day: abs(  # noqa: E731
        last[day]["holdings_usd_bn"] - first[day]["holdings_usd_bn"]
    )
    day = max(last, key=lambda period_end: (farthest(period_end), period_end))
    if farthest(day) == 0:
        return "No figure of these months has been revised yet"
    return (
        f"{month(day)} was {written(first[day]['holdings_usd_bn'], EXACT)} when it was known first "
        f"({first[day]['known_on']}), and is {written(last[day]['holdings_usd_bn'], EXACT)} today"
    )
