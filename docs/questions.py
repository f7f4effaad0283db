"""Writes the answers into questions.md and cookbook.md: below each query, what a published release says.

.venv/bin/python docs/questions.py      after `make run`
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from tidemark import query
from tidemark.settings import Home

PAGES = tuple(Path(__file__).with_name(name) for name in ("questions.md", "cookbook.md"))
# A query, and the answer below it up to the blank line.
BLOCK = re.compile(r"```sql\n(?P<sql>.*?)```\n\n?(?P<answer>(?:\|[^\n]*\n)*)\n?", re.DOTALL)
AS_OF = re.compile(r"^-- as of (\d{4}-\d{2}-\d{2})$", re.MULTILINE)


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Each query of the page and the answer that stands below it."""
    for found in BLOCK.finditer(text):
        yield found["sql"], found["answer"]


def answer(home: Home, sql: str) -> str:
    """The answer to a query as a Markdown table. A comment `-- as of 2025-12-20` asks as of that day."""
    day = AS_OF.search(sql)
    found = query.ask(home, sql, date.fromisoformat(day[1]) if day else None)
    rows = [found.columns, ["---"] * len(found.columns)]
    rows += [[_cell(cell) for cell in row] for row in found.rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cell(cell: Any) -> str:
    if cell is None:
        return ""
    return f"{cell:.12g}" if isinstance(cell, float) else str(cell)


if __name__ == "__main__":
    for page in PAGES:
        written = BLOCK.sub(
            lambda found: f"```sql\n{found['sql']}```\n\n{answer(Home.find(), found['sql'])}\n",
            page.read_text(encoding="utf-8"),
        )
        page.write_text(written.rstrip("\n") + "\n", encoding="utf-8")
