"""The Federal Reserve: FRED's CSV download of TREAST."""

from __future__ import annotations

from datetime import date, timedelta

from layouts import Rendered, fred_csv, read


def render() -> list[Rendered]:
    weeks = read("fed/treast_weekly.csv")
    # Published in USD million; the figures stand in USD billion, to the same digit.
    figures = [
        (row["week_ending_wednesday"], row["treasuries_held_outright_usd_bn"].replace(".", ""))
        for row in weeks
    ]
    # The day of H.4.1, which no figure tells: the Thursday after the last Wednesday.
    released_on = date.fromisoformat(figures[-1][0]) + timedelta(days=1)
    return [fred_csv("fed/treast", "TREAST", released_on.isoformat(), figures)]
