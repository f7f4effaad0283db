"""The Congressional Budget Office: what it projected, what came true, and the history behind it.

Three layouts: the tables with which CBO evaluates its own projections (`baselines.csv`, `actuals.csv`,
`actual_GDP.csv`), its `date,variable,value` files, one a vintage, and the Historical Budget Data workbook.
Everything is by fiscal year. None of the files tells the day it was published.
"""

from __future__ import annotations

from collections.abc import Callable

from tidemark.reading import SourceFile
from tidemark.sources import Parsed
from tidemark.sources.cbo.evaluation import (
    check_actuals,
    check_baselines,
    parse_actual_gdp,
    parse_actuals,
    parse_baselines,
)
from tidemark.sources.cbo.historical import check_historical_budget, parse_historical_budget
from tidemark.sources.cbo.vintages import (
    check_gdp,
    check_ten_year_budget,
    parse_economic_projections,
    parse_long_term_budget,
    parse_ten_year_budget,
)

PARSERS: dict[str, Callable[[SourceFile], Parsed]] = {
    "baselines": parse_baselines,
    "actuals": parse_actuals,
    "actual_gdp": parse_actual_gdp,
    "ten_year_budget": parse_ten_year_budget,
    "economic_projections": parse_economic_projections,
    "long_term_budget": parse_long_term_budget,
    "historical_budget": parse_historical_budget,
}
CHECKS = {
    "baselines": check_baselines,
    "actuals": check_actuals,
    "actual_gdp": check_gdp,
    "ten_year_budget": check_ten_year_budget,
    "economic_projections": check_gdp,
    "long_term_budget": check_gdp,
    "historical_budget": check_historical_budget,
}
