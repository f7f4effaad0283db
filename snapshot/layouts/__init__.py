"""How the bundled figures become files: a module a source, each with `render()`, its releases as files."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook

FIGURES = Path(__file__).resolve().parents[1] / "figures"

Row = dict[str, str]
# Stands in a cell that the publisher's table has and the bundled extract leaves out (tidemark.reading).
NOT_QUOTED = "not quoted"


@dataclass(frozen=True)
class Rendered:
    """A release as a file: `file` is its path below `snapshot/`."""

    dataset: str
    file: str
    released_on: str
    source_url: str
    data: bytes


def read(name: str) -> list[Row]:
    """A tidy table of published figures, by its path below `snapshot/figures/`."""
    with (FIGURES / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def fred_csv(dataset: str, series: str, released_on: str, figures: Iterable[tuple[str, str]]) -> Rendered:
    """FRED's CSV download of one series: dates and figures, oldest first."""
    rows = [("observation_date", series), *figures]
    return Rendered(
        dataset,
        f"{dataset}_{released_on}.csv",
        released_on,
        f"https://fred.stlouisfed.org/graph/fredgraph.csv?id={series}",
        "".join(f"{day},{figure}\n" for day, figure in rows).encode("ascii"),
    )


def workbook(sheets: Mapping[str, Iterable[Sequence[str | float | int | None]]]) -> bytes:
    """A workbook of these sheets, rows from the first on; the same bytes at every time and on every machine.

    openpyxl writes the time into the document's properties, and the zip its own beside each part. Parts are
    stored, not compressed: what zlib makes of them differs between its versions.
    """
    book = Workbook(write_only=True)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    written, out = io.BytesIO(), io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as parts, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as fixed:
        for name in sorted(parts.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            content = parts.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2000-01-01T00:00:00Z", content)
            fixed.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), content)
    return out.getvalue()
