"""The charts of the site, as Vega-Lite specifications: what is drawn how, without a figure in them.

Each takes its rows from the page by the columns' own names. Colours are the style sheet's, so that a chart
follows the reader's dark or light mode without being drawn anew.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import altair as alt

INK, MUTED, GRID = "var(--ink)", "var(--muted)", "var(--grid)"
ACCENT, UP, DOWN = "var(--c1)", "var(--up)", "var(--down)"
PALETTE = [f"var(--c{number})" for number in range(1, 7)]
FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Noto Sans CJK SC', sans-serif"
# The page gives each chart its rows under this name.
ROWS = "rows"

CONFIG: dict[str, Any] = {
    "background": None,
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "titleFontWeight": "normal",
        "domainColor": GRID,
        "tickColor": GRID,
        "gridColor": GRID,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelLimit": 150,
    },
    "legend": {
        "labelColor": INK,
        "titleColor": MUTED,
        "titleFontWeight": "normal",
        "orient": "top",
        "title": None,
        "labelFontSize": 12,
        "labelLimit": 220,
        "columns": 2,
        "symbolType": "square",
    },
    "text": {"color": INK, "fontSize": 12},
    "rule": {"color": MUTED},
    "line": {"strokeWidth": 2, "invalid": "break-paths-show-path-domains"},
    "range": {"category": PALETTE},
}

COMPONENTS_OF_CHANGE = {
    "net_purchases_usd_bn": "net purchases",
    "valuation_change_usd_bn": "price",
    "other_change_usd_bn": "neither",
}
COMPONENTS_OF_DEBT = {
    "other_domestic": "other domestic",
    "intragovernmental": "the government's own funds",
    "foreign_private": "foreign, private",
    "foreign_official": "foreign, official",
    "federal_reserve": "Federal Reserve",
}
COMPONENTS_OF_RESERVES = {
    "other_foreign_exchange": "other foreign exchange",
    "treasuries": "US Treasuries",
    "gold": "gold",
    "sdr": "SDR",
    "imf_position": "position in the IMF",
    "other_reserve_assets": "other",
}


@cache
def all_charts() -> dict[str, dict[str, Any]]:
    """Every specification by its name."""
    return {
        "who_holds": _finished(_who_holds(), height=330),
        "changes": _finished(_changes(), height=400),
        "movers": _finished(_movers()),
        "debt": _finished(_composition("share_of_total_ratio", COMPONENTS_OF_DEBT, "%", "share of the debt")),
        "reserves": _finished(_composition("amount_usd_bn", COMPONENTS_OF_RESERVES, ",.0f", "USD bn")),
        "gold": _finished(_line("gold_tonnes", "tonnes")),
        "interest": _finished(_interest()),
        "gold_or_treasuries": _finished(_gold_or_treasuries()),
        "level": _finished(_level()),
        "monthly_change": _finished(_monthly_change(), height=200),
        "decomposition": _finished(_decomposition()),
        "fan": _finished(_fan()),
    }


def _finished(chart: Any, height: Any = 280) -> dict[str, Any]:
    made: dict[str, Any] = chart.properties(width="container", height=height).to_dict()
    made["config"] = CONFIG
    return made


def _base() -> Any:
    return alt.Chart(alt.NamedData(name=ROWS))


def _holder_axis() -> Any:
    return alt.Y("holder_name:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, offset=4))


def _month_axis(**more: Any) -> Any:
    axis = alt.Axis(format="%Y", grid=False, tickCount="year", labelOverlap="greedy", labelSeparation=8)
    return alt.X("period_end:T", title=None, axis=axis, **more)


def _recent_months(**more: Any) -> Any:
    axis = alt.Axis(format="%b %Y", grid=False, labelOverlap="greedy", labelSeparation=8)
    return alt.X("yearmonth(period_end):T", title=None, axis=axis, **more)


def _usd_bn(column: str, title: str = "USD bn", **more: Any) -> Any:
    return alt.X(f"{column}:Q", title=title, axis=alt.Axis(format=",.0f", tickCount=6), **more)


def _who_holds() -> Any:
    base = _base().encode(
        y=_holder_axis(),
        x=_usd_bn("holdings_usd_bn"),
        tooltip=[
            alt.Tooltip("holder_name:N", title="holder"),
            alt.Tooltip("holdings_usd_bn:Q", title="USD bn", format=",.1f"),
            alt.Tooltip("share_of_foreign_ratio:Q", title="share of foreign holdings", format=".1%"),
            alt.Tooltip("change_12m_usd_bn:Q", title="12 months, USD bn", format="+,.1f"),
        ],
        href="page:N",
    )
    label = base.mark_text(align="right", dx=-4, color="var(--paper)").encode(
        text=alt.Text("holdings_usd_bn:Q", format=",.1f")
    )
    return base.mark_bar(color=ACCENT) + label


def _signed_colour(column: str) -> Any:
    return alt.condition(f"datum['{column}'] < 0", alt.value(DOWN), alt.value(UP))


def _changes() -> Any:
    base = _base().encode(
        y=_holder_axis(),
        x=_usd_bn("change_1m_usd_bn"),
        tooltip=[
            alt.Tooltip("holder_name:N", title="holder"),
            alt.Tooltip("change_1m_usd_bn:Q", title="1 month, USD bn", format="+,.1f"),
            alt.Tooltip("change_12m_usd_bn:Q", title="12 months, USD bn", format="+,.1f"),
        ],
        href="page:N",
    )
    return base.mark_bar().encode(color=_signed_colour("change_1m_usd_bn"))


def _folded_change() -> Any:
    """A row a component of the change, in the order of the legend."""
    names = "{" + ", ".join(f"{k}: '{v}'" for k, v in COMPONENTS_OF_CHANGE.items()) + "}"
    return (
        _base()
        .transform_fold(list(COMPONENTS_OF_CHANGE), as_=["part", "amount_usd_bn"])
        .transform_calculate(component=f"({names})[datum.part]")
    )


def _component_colour(names: dict[str, str]) -> Any:
    scale = alt.Scale(domain=list(names.values()), range=PALETTE[: len(names)])
    return alt.Color("component:N", scale=scale)


def _movers() -> Any:
    folded = _folded_change().encode(y=_holder_axis())
    bars = folded.mark_bar().encode(
        x=_usd_bn("amount_usd_bn", stack="zero"),
        color=_component_colour(COMPONENTS_OF_CHANGE),
        tooltip=[
            alt.Tooltip("holder_name:N", title="holder"),
            alt.Tooltip("component:N", title="by"),
            alt.Tooltip("amount_usd_bn:Q", title="USD bn", format="+,.1f"),
            alt.Tooltip("change_usd_bn:Q", title="in all, USD bn", format="+,.1f"),
        ],
    )
    total = (
        _base()
        .mark_tick(color=INK, thickness=3, size=18)
        .encode(y=_holder_axis(), x="change_usd_bn:Q", tooltip=alt.value(None))
    )
    return bars + total


def _composition(amount: str, names: dict[str, str], form: str, title: str) -> Any:
    said = "{" + ", ".join(f'{k}: "{v}"' for k, v in names.items()) + "}"
    order = "{" + ", ".join(f"{k}: {number}" for number, k in enumerate(names)) + "}"
    return (
        _base()
        .transform_calculate(named=f"({said})[datum.component]", place=f"({order})[datum.component]")
        .mark_area()
        .encode(
            x=_month_axis(),
            y=alt.Y(
                f"{amount}:Q",
                title=title,
                stack="zero",
                axis=alt.Axis(format=form),
                scale=alt.Scale(domain=[0, 1]) if "%" in form else alt.Scale(nice=False),
            ),
            color=alt.Color(
                "named:N", scale=alt.Scale(domain=list(names.values()), range=PALETTE[: len(names)])
            ),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("period_end:T", title="month", format="%B %Y"),
                alt.Tooltip("named:N", title="holder" if "%" in form else "asset"),
                alt.Tooltip("amount_usd_bn:Q", title="USD bn", format=",.1f"),
                alt.Tooltip("share_of_total_ratio:Q", title="share", format=".1%"),
            ],
        )
    )


def _line(column: str, title: str) -> Any:
    return (
        _base()
        .mark_line(color=ACCENT, point=False)
        .encode(
            x=_month_axis(),
            y=alt.Y(f"{column}:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(format=",.0f")),
            tooltip=[
                alt.Tooltip("period_end:T", title="month", format="%B %Y"),
                alt.Tooltip(f"{column}:Q", title=title, format=",.1f"),
            ],
        )
    )


def _two_lines(names: dict[str, str], period: Any) -> Any:
    """Two columns of amounts, USD bn, as lines with names."""
    said = "{" + ", ".join(f"{k}: '{v}'" for k, v in names.items()) + "}"
    scale = alt.Scale(domain=list(names.values()), range=[PALETTE[1], PALETTE[0]])
    return (
        _base()
        .transform_fold(list(names), as_=["part", "amount_usd_bn"])
        .transform_calculate(component=f"({said})[datum.part]")
        .mark_line()
        .encode(
            x=_month_axis(),
            y=alt.Y("amount_usd_bn:Q", title="USD bn", axis=alt.Axis(format=",.0f")),
            color=alt.Color("component:N", scale=scale),
            tooltip=[
                period,
                alt.Tooltip("component:N", title="what"),
                alt.Tooltip("amount_usd_bn:Q", title="USD bn", format=",.1f"),
            ],
        )
    )


def _interest() -> Any:
    names = {"net_interest_usd_bn": "net interest", "defense_discretionary_usd_bn": "defence (discretionary)"}
    return _two_lines(names, alt.Tooltip("fiscal_year:Q", title="fiscal year", format="d"))


def _gold_or_treasuries() -> Any:
    names = {"gold_usd_bn": "gold", "treasuries_foreign_official_usd_bn": "Treasuries of foreign officials"}
    return _two_lines(names, alt.Tooltip("period:N", title="quarter"))


def _level() -> Any:
    tooltip = [
        alt.Tooltip("period_end:T", title="month", format="%B %Y"),
        alt.Tooltip("holdings_usd_bn:Q", title="USD bn", format=",.1f"),
        alt.Tooltip("released_on:N", title="published"),
    ]
    axis = alt.Y("holdings_usd_bn:Q", title="USD bn", axis=alt.Axis(format=",.12~g"))
    base = _base().encode(x=_month_axis(), y=axis, tooltip=tooltip)
    # A month that stands alone between two gaps would be no line.
    alone = base.mark_point(color=ACCENT, size=8, filled=True)
    return base.mark_line(color=ACCENT).encode(detail="segment:N") + alone


def _monthly_change() -> Any:
    return (
        _base()
        .mark_bar()
        .encode(
            x=_recent_months(),
            y=alt.Y("change_1m_usd_bn:Q", title="USD bn", axis=alt.Axis(format=",.12~g")),
            color=_signed_colour("change_1m_usd_bn"),
            tooltip=[
                alt.Tooltip("period_end:T", title="month", format="%B %Y"),
                alt.Tooltip("change_1m_usd_bn:Q", title="USD bn", format="+,.1f"),
            ],
        )
    )


def _decomposition() -> Any:
    bars = (
        _folded_change()
        .mark_bar()
        .encode(
            x=_recent_months(),
            y=alt.Y("amount_usd_bn:Q", title="USD bn", stack="zero", axis=alt.Axis(format=",.12~g")),
            color=_component_colour(COMPONENTS_OF_CHANGE),
            tooltip=[
                alt.Tooltip("period_end:T", title="month", format="%B %Y"),
                alt.Tooltip("component:N", title="by"),
                alt.Tooltip("amount_usd_bn:Q", title="USD bn", format="+,.1f"),
                alt.Tooltip("change_usd_bn:Q", title="in all, USD bn", format="+,.1f"),
            ],
        )
    )
    total = (
        _base()
        .mark_point(color=INK, filled=True, size=22)
        .encode(x=_recent_months(bandPosition=0.5), y="change_usd_bn:Q", tooltip=alt.value(None))
    )
    return bars + total


def _fan() -> Any:
    return (
        _base()
        .mark_line(point=alt.OverlayMarkDef(size=26))
        .encode(
            x=_recent_months(),
            y=alt.Y(
                "holdings_usd_bn:Q",
                title="USD bn",
                scale=alt.Scale(zero=False),
                axis=alt.Axis(format=",.12~g"),
            ),
            # The newest release has the first colour, whose line lies on top.
            color=alt.Color(
                "known_on:N", sort="descending", legend=alt.Legend(title="as known on", columns=3)
            ),
            order=alt.Order("period_end:T"),
            tooltip=[
                alt.Tooltip("period_end:T", title="month", format="%B %Y"),
                alt.Tooltip("known_on:N", title="as known on"),
                alt.Tooltip("holdings_usd_bn:Q", title="USD bn", format=",.1f"),
            ],
        )
    )
