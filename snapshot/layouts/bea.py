"""The Bureau of Economic Analysis: FRED's CSV download of GDP."""

from __future__ import annotations

from layouts import Rendered, fred_csv, read


def gdp(vintage: str) -> Rendered:
    """The quarterly rates; the figures' vintage is the day a copy was taken."""
    quarters = [(row["period"], row["gdp_usd_bn"]) for row in read(f"bea/gdp_{vintage}.csv")]
    return fred_csv("bea/gdp", "GDP", vintage, quarters)


def render() -> list[Rendered]:
    return [gdp("2026-08-22")]
