"""How a figure compares with those before it in its series: columns for suites, beside the observations."""

from __future__ import annotations

import pandas as pd

from tidemark.registry import Dataset


def with_steps(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Adds `change_pct`, the change from the figure before in percent (NaN for the first of a series), and
    `stands_since`, how many periods in a row have had this very figure: 1 for one that is new.
    """
    series = [*dataset.key, "measure"]
    figures = frame.dropna(subset="value").sort_values([*series, "period_end"])
    grouped = figures.groupby(series, sort=False)["value"]
    before = grouped.shift()
    run = (figures["value"] != before).cumsum()
    return frame.assign(
        change_pct=(figures["value"] / before.where(before != 0) - 1) * 100,
        stands_since=figures.groupby(run).cumcount() + 1,
    )
