"""Makes Great Expectations' Data Docs readable without a network, with an index that needs no script.

As generated, the pages take their style and their index table from other hosts. Here those references go,
one style sheet that travels with the pages comes in, and the index is a plain table, newest run first.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from pathlib import Path

from tidemark import archive
from tidemark.settings import Home

STYLE = "static/styles/tidemark.css"
REMOTE = re.compile(
    r'<script[^>]*\ssrc="https?://[^>]*>\s*</script>|<link[^>]*\shref="https?://[^>]*>', re.IGNORECASE
)
RUNS_SHOWN = 500


def finish(home: Home) -> None:
    """Detach every page that still refers to other hosts, and write the index anew."""
    style = Path(__file__).with_name("data_docs.css").read_bytes()
    archive.write_atomically(home.data_docs / STYLE, style)
    for page in home.data_docs.rglob("*.html"):
        text = page.read_text("utf-8")
        if REMOTE.search(text):
            up = "../" * (len(page.relative_to(home.data_docs).parts) - 1)
            link = f'<link rel="stylesheet" href="{up}{STYLE}">'
            detached = REMOTE.sub("", text).replace("</head>", f"{link}</head>", 1)
            archive.write_atomically(page, detached.encode())
    archive.write_atomically(home.data_docs / "index.html", _index(home, _runs(home)).encode())


def _runs(home: Home) -> list[tuple[str, str, bool, int, int, str]]:
    """(time, run, success, expectations held, expectations, page) of each validation, newest first."""
    runs = []
    root = home.quality / "uncommitted" / "validations"
    for result in root.rglob("*.json"):
        try:
            content = json.loads(result.read_text("utf-8"))
            counted = content["statistics"]
        except (ValueError, KeyError):
            # Great Expectations writes a result in place: a full disk or a kill leaves half of one, and one
            # may be being written. What it is of is not loaded, and is validated again.
            continue
        page = Path("validations") / result.relative_to(root).with_suffix(".html")
        if (home.data_docs / page).exists():
            at, run = result.parts[-2], result.parts[-3]
            held, asked = counted["successful_expectations"], counted["evaluated_expectations"]
            runs.append((at, run, bool(content["success"]), held, asked, str(page)))
    return sorted(runs, reverse=True)[:RUNS_SHOWN]


def _index(home: Home, runs: Iterable[tuple[str, str, bool, int, int, str]]) -> str:
    rows = [
        f"<tr><td>{at[:4]}-{at[4:6]}-{at[6:8]} {at[9:11]}:{at[11:13]}:{at[13:15]}</td>"
        f'<td><a href="{html.escape(page)}">{html.escape(run)}</a></td>'
        f'<td class="{"passed" if success else "failed"}">{"passed" if success else "failed"}</td>'
        f'<td class="figure">{held} of {asked}</td></tr>'
        for at, run, success, held, asked, page in runs
    ]
    suites = [
        f'<li><a href="{html.escape(str(page.relative_to(home.data_docs)))}">'
        f"{html.escape(str(page.relative_to(home.data_docs / 'expectations').with_suffix('')))}</a></li>"
        for page in sorted((home.data_docs / "expectations").rglob("*.html"))
    ]
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tidemark: validations</title><link rel="stylesheet" href="{STYLE}"></head>
<body>
<h1>Validations</h1>
<p>What Great Expectations found in each release before it was loaded, and in the marts before they were
published. Newest first; times are UTC.</p>
<table><thead>
<tr><th>run</th><th>what was checked</th><th>result</th><th class="figure">expectations held</th></tr>
</thead><tbody>
{chr(10).join(rows)}
</tbody></table>
<h4>Suites</h4>
<ul>
{chr(10).join(suites)}
</ul>
</body>
</html>
"""
