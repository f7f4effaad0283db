"""Draws docs/answers.svg, the picture in the README: the answers of a home as a terminal shows them.

.venv/bin/python docs/picture.py      after `make run`
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from tidemark import report
from tidemark.settings import Home

THEME = TerminalTheme(
    (255, 255, 255),
    (36, 41, 47),
    [(36, 41, 47), (207, 34, 46), (26, 127, 55), (154, 103, 0)] + [(9, 105, 218)] * 4,
)

if __name__ == "__main__":
    console = Console(record=True, width=98, highlight=False, file=io.StringIO(), force_terminal=True)
    report.answers(Home.find(), console)
    said = console.export_svg(title="make run", theme=THEME)
    # The style that rich writes fetches its font from elsewhere; the reader's own monospace font does.
    said = re.sub(r"@font-face \{.*?\}\s*", "", said, flags=re.DOTALL)
    Path(__file__).with_name("answers.svg").write_text(said, encoding="utf-8")
