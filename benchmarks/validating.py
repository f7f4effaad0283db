"""Validating a million rows by eight expectations, through the step that every release passes.

Against it stand the same checks in plain pandas.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measure import Row, medians, written
from tidemark import quality
from tidemark.settings import Home

ROWS = 1_000_000
CELL = ["label", "period_end", "measure"]


def expectation(kind: str, says: str, **kwargs: Any) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs, "meta": {"says": says}}


SUITE = {
    "name": "bench",
    "expectations": [
        expectation("expect_compound_columns_to_be_unique", "a cell stands once", column_list=CELL),
        expectation("expect_column_values_to_not_be_null", "a value", column="value"),
        expectation("expect_column_values_to_be_between", "in bounds", column="value", min_value=0, max_value=2e6),
        expectation("expect_column_values_to_be_in_set", "a status", column="status", value_set=["published"]),
        expectation("expect_column_values_to_be_in_set", "a unit", column="unit", value_set=["usd_mn"]),
        expectation("expect_column_values_to_not_be_null", "a label", column="label"),
        expectation("expect_column_values_to_match_regex", "a holder", column="label", regex="^Holder "),
        expectation("expect_table_row_count_to_be_between", "as many", min_value=1, max_value=2 * ROWS),
    ],
}  # fmt: skip


def rows() -> Iterator[Row]:
    frame = made()
    with tempfile.TemporaryDirectory(prefix="tidemark-bench-") as folder:
        suite = Path(folder) / "bench.json"
        suite.write_text(json.dumps(SUITE), "utf-8")
        was = quality.suite_path
        quality.suite_path = lambda _: suite
        try:
            with quality.checking(Home(Path(folder) / "home")) as check:
                if not check("bench", frame, "first").success or not plain(frame):
                    raise AssertionError("the frame should pass")
                ours, theirs = medians(lambda: check("bench", frame, "again"), lambda: plain(frame))
        finally:
            quality.suite_path = was
    yield Row(
        f"validating {ROWS:,} rows by eight expectations", "the same checks in plain pandas",
        written(ours), written(theirs), ours / theirs, "reported", None, "string columns; the start not counted",
    )  # fmt: skip


def made() -> pd.DataFrame:
    number = np.arange(ROWS)
    frame = pd.DataFrame(
        {
            "label": pd.Series(number % 1000).map(lambda holder: f"Holder {holder}"),
            "period_end": pd.to_datetime("2000-01-31") + pd.to_timedelta(number // 1000 % 100, unit="D"),
            "measure": pd.Series(number // 100_000).map(lambda measure: f"measure_{measure}"),
            "value": (number * 7919 % 1_000_003).astype("float64"),
            "status": "published",
            "unit": "usd_mn",
            "line": number.astype("int32"),
        }
    )
    return frame.astype(dict.fromkeys(["label", "measure", "status", "unit"], "str"))


def plain(frame: pd.DataFrame) -> bool:
    return bool(
        not frame.duplicated(CELL).any()
        and frame["value"].notna().all()
        and frame["value"].between(0, 2e6).all()
        and frame["status"].isin(["published"]).all()
        and frame["unit"].isin(["usd_mn"]).all()
        and frame["label"].notna().all()
        and frame["label"].str.match("^Holder ").all()
        and 1 <= len(frame) <= 2 * ROWS
    )
