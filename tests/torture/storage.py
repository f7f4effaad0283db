"""A full disk, or one that may not be written, at each step: a clear error, and nothing is lost.

Each case is a home on a disk of its own in memory (which needs the right to mount one: root, or a user
namespace): the step fails and says why, the published release opens, nothing half is taken for whole; with
room again, a plain rerun comes to what an undisturbed one comes to.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.torture import killed
from tidemark import cli
from tidemark.settings import Home, project_root

# How much room there is: none, little, less than a copy of the warehouse. None: it may not be written at all.
ROOM: tuple[int | None, ...] = (None, 0, 100_000, 5_000_000)
DISK = 2 * 2**30


@dataclass(frozen=True)
class Case:
    """One step on one disk: its exit code and what it said, and what was wrong then or after the rerun."""

    step: str
    room: int | None
    exit_code: int
    said: str
    broken: tuple[str, ...]

    @property
    def disk(self) -> str:
        return "read-only" if self.room is None else f"{self.room:,} bytes left"


def available() -> str | None:
    """Why no disk in memory can be mounted; None where one can."""
    if shutil.which("unshare") is None:
        return "there is no unshare"
    done = subprocess.run(
        [*_unshare(), "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True, check=False
    )
    return None if done.returncode == 0 else f"no disk can be mounted: {done.stderr.strip()}"


def _unshare() -> list[str]:
    return ["unshare", "--mount", *(() if os.getuid() == 0 else ("--map-root-user",)), "--"]


def attempt(name: str, sound: killed.Undisturbed, room: int | None) -> Case:
    """Let a step meet a disk, in a namespace of its own."""
    with tempfile.TemporaryDirectory(prefix="tidemark-torture-") as folder:
        call = [
            *_unshare(), sys.executable, "-m", "tests.torture.storage", name, str(sound.before[name]), folder,
            "read-only" if room is None else str(room),
        ]  # fmt: skip
        done = subprocess.run(
            call, cwd=project_root(), capture_output=True, text=True, check=False, timeout=600
        )
        code, _, rest = done.stdout.partition("\n")
        said, _, broken = rest.partition("\x1e")
        if not code.strip().lstrip("-").isdigit():
            return Case(name, room, -1, "", (f"it broke: {done.stdout[-500:]}{done.stderr[-1500:]}",))
        wrong = [line for line in broken.splitlines() if line]
        came_to = Home(Path(folder) / "came-to")
        if name in ("archive", "validate", "load"):
            wrong += killed.differing(killed.contents(came_to, raw_only=True), sound.raw)
        else:
            wrong += killed.differing(killed.contents(came_to), sound.whole)
        return Case(name, room, int(code), said.strip(), tuple(wrong))


def _in_namespace(name: str, before: str, folder: str, room: str) -> None:
    """What happens on the disk; prints the exit code, what was said, and what was wrong."""
    disk = Path(folder) / "disk"
    disk.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={DISK}", "none", str(disk))
    home = killed.copied(Path(before), disk / "home")
    if room == "read-only":
        _mount("-o", "remount,ro", str(disk))
    else:
        used = shutil.disk_usage(disk).used
        _mount("-o", f"remount,size={used + int(room)}", str(disk))
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        code = cli.guarded(lambda: killed.STEPS[name](home))
    _mount("-o", f"remount,rw,size={DISK}", str(disk))
    wrong = []
    with killed.reading(home, [], wrong):
        pass
    wrong += killed.halves(home)
    for again in killed.NAMES[: max(killed.NAMES.index(name), killed.NAMES.index("load")) + 1]:
        killed.STEPS[again](home)
    wrong += killed.halves(home)
    shutil.copytree(home.root, Path(folder) / "came-to", symlinks=True)
    print(code, errors.getvalue(), "\x1e", *wrong, sep="\n")


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def campaign(names: tuple[str, ...] = tuple(killed.NAMES), room: tuple[int | None, ...] = ROOM) -> list[Case]:
    with tempfile.TemporaryDirectory(prefix="tidemark-torture-") as place:
        folder = Path(place)
        sound = killed.undisturbed(killed.template(folder), folder)
        return [attempt(name, sound, left) for name in names for left in room]


def report(cases: list[Case]) -> str:
    lines = ["| step | disk | exit code | what it said | broken |", "|---|---|---|---|---|"]
    for case in cases:
        said = re.sub(r'[^\s("]*/disk/home/', "home/", " ".join(case.said.split()))
        said = said[:160].replace("|", "\\|")
        lines.append(
            f"| {case.step} | {case.disk} | {case.exit_code} | {said or 'done: it needed no more'} | "
            f"{len(case.broken)} |"
        )
    lines += ["", *(f"* {case.step}, {case.disk}: {text}" for case in cases for text in case.broken)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    _in_namespace(*sys.argv[1:])
