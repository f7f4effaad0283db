"""Parsing each format: our parser, with every check, against pandas' fastest reader of the same bytes.

pandas only cuts the text into cells: it neither finds the table in the file nor knows what a figure is. Of
each dataset the largest bundled release is read.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from benchmarks.measure import Row, at_most, medians
from tidemark import registry, snapshot, sources
from tidemark.reading import SourceFile

FLOOR = """
Where the time goes: pandas cuts bytes into cells, and stops. What a parser does beside it costs, of Table 3's
time, a seventh for lines of checked text, a third for its 48,412 figures, and most of the rest for a row a
cell, eight columns wide, where the file has a row for seven cells. The baselines are 10,926 rows whose every
date, year and series is looked at; a quarter of their time goes into lines of checked text. The history of
holders is 26 tables in one file, read as such, where pandas sees one.
"""


def rows() -> Iterator[Row]:
    for dataset in registry.datasets():
        bundled = snapshot.bundled(dataset)
        if not bundled:
            continue
        item = max(bundled, key=lambda one: len(one.data))

        def parse(dataset: Any = dataset, item: Any = item) -> Any:
            return sources.parse(dataset, SourceFile(item.file, item.data))

        parse()
        name, reader = fastest(item.data)
        ours, theirs = medians(parse, reader)
        yield at_most(
            f"parsing {dataset.name}, {len(item.data) / 1000:,.0f} kB", f"pandas, {name}", ours, theirs, 5
        )


def fastest(data: bytes) -> tuple[str, Callable[[], Any]]:
    """The quickest of pandas' readers that reads these bytes at all."""
    taken = {}
    for name, read in readers(data):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read()
                (taken[name],) = medians(read, runs=3)
        except Exception:  # one that cannot read it is no measure
            continue
    best = min(taken, key=lambda name: taken[name])
    return best, dict(readers(data))[best]


def readers(data: bytes) -> Iterator[tuple[str, Callable[[], Any]]]:
    if data.startswith(b"PK"):
        yield "read_excel", lambda: pd.read_excel(io.BytesIO(data), sheet_name=None, header=None)
    elif data.lstrip().startswith(b"{"):
        yield "read_json", lambda: pd.read_json(io.BytesIO(data), typ="series")
    else:
        widest = max(line.count(b"\t") + line.count(b",") for line in data.splitlines()) + 1

        def by(separator: str, engine: Any) -> Callable[[], Any]:
            names = list(range(widest)) if engine == "c" else None
            return lambda: pd.read_csv(
                io.BytesIO(data), sep=separator, header=None, names=names, engine=engine
            )

        for separator, said in (("\t", "tabs"), (",", "commas")):
            for engine in ("c", "pyarrow"):
                yield f"read_csv by {engine}, {said}", by(separator, engine)
