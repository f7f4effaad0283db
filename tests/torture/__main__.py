"""Runs campaigns and prints their figures: python -m tests.torture [CAMPAIGN...] [--part 0.1]."""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psutil

from tests.torture import crowds, faults, killed, mutations, storage
from tidemark.settings import project_root

PAGE = project_root() / "docs" / "torture.md"
INTRODUCTION = """\
# Torture: what was done to Tidemark, and what came of it

Written by `make torture` (some hours); a part of each campaign is in `make test`. What each does, in detail,
says the head of its file in `tests/torture/`.
"""


def run_killed(part: float) -> tuple[str, bool]:
    found = killed.campaign(part)
    return killed.report(found), not any(one.broken for one in found)


def run_storage(part: float) -> tuple[str, bool]:
    if (why := storage.available()) is not None:
        return f"Not run: {why}.\n", True
    cases = storage.campaign(room=storage.ROOM if part >= 1 else storage.ROOM[:2])
    return storage.report(cases), not any(case.broken for case in cases)


def run_crowds(_part: float) -> tuple[str, bool]:
    cases = crowds.campaign()
    return crowds.report(cases), not any(case.broken for case in cases)


def run_mutations(part: float) -> tuple[str, bool]:
    found = mutations.campaign(part)
    return mutations.report(found), not any(one.broken for one in found)


def run_faults(_part: float) -> tuple[str, bool]:
    with tempfile.TemporaryDirectory(prefix="tidemark-torture-") as place:
        caught = faults.campaign(Path(place))
    return faults.report(caught), all(one.by != "nobody" or one.fault.why_not for one in caught)


CAMPAIGNS: dict[str, tuple[str, Callable[[float], tuple[str, bool]]]] = {
    "killed": ("Killed anywhere", run_killed),
    "storage": ("A full disk, and one that may not be written", run_storage),
    "crowds": ("Two at once", run_crowds),
    "mutations": ("Bad bytes", run_mutations),
    "faults": ("Silent failures", run_faults),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("campaigns", nargs="*", choices=[*CAMPAIGNS, []], help="all, unless named")
    parser.add_argument("--part", type=float, default=1.0, help="a part of each, such as 0.01")
    parser.add_argument("--write", action="store_true", help="write the page, though it is a part only")
    given = parser.parse_args()
    passed = True
    for name in given.campaigns or CAMPAIGNS:
        title, run = CAMPAIGNS[name]
        begun = time.monotonic()
        text, sound = run(given.part)
        passed &= sound
        section = f"{about(given.part, time.monotonic() - begun)}\n\n{text}"
        print(f"\n## {title}\n\n{section}", flush=True)
        if given.part >= 1 or given.write:
            write(title, section)
    return 0 if passed else 1


def about(part: float, seconds: float) -> str:
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"On {date.today()}, {'in full' if part >= 1 else f'{part:g} of it'}, in {seconds / 60:,.0f} "
        f"minutes, on {psutil.cpu_count()} cores with {memory:,.0f} GB, Python {platform.python_version()}."
    )


def write(title: str, section: str) -> None:
    """Put a campaign's section into the page, in place of its former one."""
    sections = {name: "\nNot run yet.\n" for name, _ in CAMPAIGNS.values()}
    if PAGE.exists():
        for block in PAGE.read_text("utf-8").split("\n## ")[1:]:
            name, _, rest = block.partition("\n")
            sections[name] = rest
    sections[title] = f"\n{section}"
    blocks = [f"## {name}\n{rest.rstrip()}\n" for name, rest in sections.items()]
    PAGE.write_text("\n".join([INTRODUCTION, *blocks]), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
