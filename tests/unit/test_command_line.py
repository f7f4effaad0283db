"""The command line's own promises: exit codes, errors for people, a bar on a terminal and lines elsewhere."""

import errno
import os
import subprocess
import sys

import pytest

from tidemark import cli, report
from tidemark.errors import TidemarkError, UsageError
from tidemark.settings import Home


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (UsageError("no such thing", "name another"), 2),
        (TidemarkError("it failed", "look"), 1),
        (OSError(errno.ENOSPC, "No space left on device", "warehouse.duckdb"), 1),
        (KeyboardInterrupt(), 130),
        (SystemExit(2), 2),
    ],
)
def test_errors_become_exit_codes_and_sentences(raised, code, capsys):
    def call():
        raise raised

    assert cli.guarded(call) == code
    assert "Traceback" not in capsys.readouterr().err


def test_an_error_says_what_to_do(capsys):
    report.failure(TidemarkError("the file is empty", "fetch it again"))
    assert capsys.readouterr().err == "error: the file is empty\n  -> fetch it again\n"


@pytest.mark.parametrize(
    "arguments", [["mirror"], ["ingest"], ["nonsense"], ["sql", "select 1", "--as-of", "soon"]]
)
def test_wrong_calls_are_exit_code_2(arguments, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tidemark.cli", "--home", tmp_path, *arguments],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["build", "publish", "status", "releases", "sources"])
def test_an_empty_home_is_told_about_in_words(command, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tidemark.cli", "--home", tmp_path / "new home", command],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr


def test_a_question_before_the_first_release_says_what_to_run(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tidemark.cli", "--home", tmp_path, "sql", "select 1"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "make run" in done.stderr


def test_a_home_is_found_from_the_environment_and_the_option_goes_before_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TIDEMARK_HOME", str(tmp_path / "from-environment"))
    assert Home.find().root == tmp_path / "from-environment"
    assert Home.find(tmp_path / "given").root == tmp_path / "given"


def test_progress_is_plain_lines_without_a_terminal(capsys):
    with cli.telling("Counting") as progress:
        for done in range(1, 11):
            progress(done, 10, "")
    said = capsys.readouterr().err
    assert said.splitlines()[0] == "Counting"
    assert "10 of 10" in said
    assert "\x1b" not in said


def test_wide_rows_stand_upright_on_a_narrow_terminal(published_home):
    wide = subprocess.run(
        [sys.executable, "-m", "tidemark.cli", "sql", "select * from mart_top_holders limit 1"],
        capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "60"},
    ).stdout  # fmt: skip
    assert len(wide.splitlines()) == 3, "a pipe has no width: nothing is folded"
