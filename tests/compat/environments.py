"""Throw-away environments with other versions of other people's programs, made once a session."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# What pip says where it reaches no index, or the index has no such version for this machine.
UNREACHABLE = (
    "No matching distribution found",
    "Could not find a version",
    "ConnectionError",
    "NewConnectionError",
)


def python_with(folder: Path, *packages: str) -> str:
    """The Python of an environment with some packages; skips where they cannot be had."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
    python = str(folder / "bin" / "python")
    call = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary",
        ":all:",
    ]
    done = subprocess.run([*call, *packages], check=False, capture_output=True, text=True)
    if done.returncode and any(sign in done.stderr for sign in UNREACHABLE):
        pytest.skip(f"a package index does not give {', '.join(packages)}: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr
    return python


def said_by(call: list[str], **options: str) -> str:
    """The standard output of a program that must end well."""
    done = subprocess.run(call, check=False, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout
