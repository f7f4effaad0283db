"""Renders the bundled snapshot: published figures (`figures/`) as files in each publisher's layout.

    python snapshot/render.py            writes the files and manifest.csv, the same bytes each time
    python snapshot/render.py --check    writes nothing; exit code 1 if a file is not what it would write

The files carry headers, figures and dates, and none of the publisher's prose. So their SHA-256 is their own
and not that of the publisher's file; their figures are the publisher's, cell for cell.
"""

from __future__ import annotations

import csv
import hashlib
import importlib
import io
import sys
from pathlib import Path

from layouts import Rendered

HERE = Path(__file__).resolve().parent


def render() -> list[Rendered]:
    """Every release of every source that has a module in `layouts/`."""
    sources = sorted(path.stem for path in (HERE / "layouts").glob("[a-z]*.py"))
    return [item for source in sources for item in importlib.import_module(f"layouts.{source}").render()]


def manifest(rendered: list[Rendered]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["dataset", "released_on", "file", "source_url", "sha256", "bytes"])
    for item in sorted(rendered, key=lambda item: (item.dataset, item.released_on, item.file)):
        digest = hashlib.sha256(item.data).hexdigest()
        writer.writerow([item.dataset, item.released_on, item.file, item.source_url, digest, len(item.data)])
    return out.getvalue().encode("utf-8")


def main() -> int:
    rendered = render()
    files = {HERE / item.file: item.data for item in rendered} | {HERE / "manifest.csv": manifest(rendered)}
    if "--check" in sys.argv[1:]:
        wrong = [p for p, data in files.items() if not p.exists() or p.read_bytes() != data]
        for path in wrong:
            print(f"{path.relative_to(HERE)} is not what snapshot/render.py writes: run `make snapshot`")
        return 1 if wrong else 0
    for path, data in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        print(f"{path.relative_to(HERE)}: {len(data):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
