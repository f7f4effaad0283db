"""The Bureau of Economic Analysis: nominal GDP by quarter, as FRED's series GDP."""

from __future__ import annotations

from datetime import date

from tidemark.fred import read_fred_csv
from tidemark.reading import SourceFile, month_end
from tidemark.sources import Parsed
from tidemark.steps import with_steps

FIRST_QUARTER = date(1947, 1, 1)


def parse_gdp(file: SourceFile) -> Parsed:
    """`observation_date,GDP`, a row a quarter by its first day, USD bn at an annual rate."""
    return Parsed(
        read_fred_csv(
            file,
            series="GDP",
            measure="gdp",
            unit="usd_bn_saar",
            first=FIRST_QUARTER,
            following=lambda quarter: date(quarter.year + quarter.month // 10, (quarter.month + 3) % 12, 1),
            period_end=lambda quarter: month_end(quarter.year, quarter.month + 2),
        )
    )


PARSERS = {"gdp": parse_gdp}
CHECKS = {"gdp": with_steps}
