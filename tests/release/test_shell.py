"""`tidemark sql` without SQL: a shell on a terminal, an answer a statement on a pipe; and `tidemark open`."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from tidemark import publish, query, shell
from tidemark.settings import Home

TIDEMARK = [sys.executable, "-m", "tidemark.cli"]


def call(home: Home) -> list[str]:
    return [*TIDEMARK, "--home", str(home.root)]


def piped(home: Home, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*call(home), "sql", *options], input=text, capture_output=True, text=True, check=False
    )


def test_statements_of_a_pipe_are_answered_one_after_the_other(loaded_template):
    done = piped(
        loaded_template,
        "select 1 as one;\n-- a note; with a semicolon\nselect 'a;b' as text",
        "--format",
        "csv",
    )
    assert (done.returncode, done.stdout) == (0, "one\n1\ntext\na;b\n")


def test_a_wrong_statement_of_a_pipe_ends_it_with_its_reason(loaded_template):
    done = piped(loaded_template, "select 1 as one; select * from nowhere; select 2", "--format", "csv")
    assert done.returncode == 2
    assert done.stdout == "one\n1\n"
    assert "nowhere does not exist" in done.stderr
    assert piped(loaded_template, "drop table fct_holdings").returncode == 2


@pytest.mark.parametrize("as_of", [(), ("--as-of", "2026-06-20")])
@pytest.mark.parametrize("change", ["explain analyze delete from marts.fct_holdings", "update extensions"])
def test_what_changes_something_is_refused_however_it_is_said(loaded_template, change, as_of):
    done = piped(loaded_template, f"{change}; select 1", *as_of)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "->" in done.stderr


def test_a_pipe_asks_as_of_a_day(loaded_template):
    asked = "select holdings_usd_bn from fct_holdings where holder_id = 'CHN' and period_end = '2025-10-31'"
    done = piped(loaded_template, asked, "--as-of", "2025-12-20", "--format", "csv")
    assert done.stdout == "holdings_usd_bn\n688.7\n"


def test_tab_completes_marts_columns_and_functions(loaded_template):
    with query.reading(loaded_template) as connection:
        completer = shell.completer(connection)
    for begun, whole in (
        ("select * from fct_hold", "fct_holdings"),
        ("select net_purch", "net_purchases_usd_bn"),
        ("from fct_holdings_as", "fct_holdings_as_of"),
        (".ta", ".tables"),
    ):
        offered = {c.text for c in completer.get_completions(Document(begun), CompleteEvent())}
        assert whole in offered, begun


class Terminal:
    """A program on a terminal of its own, that is typed to and read from."""

    def __init__(self, command: list[str]) -> None:
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"}
        )
        os.close(theirs)
        self.said = ""

    def until(self, text: str, seconds: float = 60) -> None:
        ends = time.monotonic() + seconds
        while text not in self.said:
            assert time.monotonic() < ends, f"no {text!r} in {self.said[-2000:]!r}"
            ready, _, _ = select.select([self.ours], [], [], 0.2)
            if ready:
                try:
                    self.said += os.read(self.ours, 65536).decode(errors="replace")
                except OSError:  # its end has closed
                    assert text in self.said, self.said[-2000:]
                    return
                # The library asks the terminal where its cursor is, and waits for an answer.
                if "\x1b[6n" in self.said:
                    self.said = self.said.replace("\x1b[6n", "")
                    os.write(self.ours, b"\x1b[1;1R")

    def type(self, text: str) -> None:
        self.said = ""
        os.write(self.ours, text.encode())


def test_a_session_on_a_terminal(published_home):
    terminal = Terminal([*call(published_home), "sql"])
    terminal.until("Read-only; .help helps")
    terminal.until("tidemark>")
    terminal.type("select holdings_usd_bn\r")
    terminal.type("from fct_holdings where holder_id = 'CHN' and period_end = '2025-10-31';\r")
    terminal.until("687.7")
    terminal.type("select * from nowhere;\r")
    terminal.until("nowhere does not exist")
    terminal.type(".describe dim_holder\r")
    terminal.until("Short Chinese name")
    terminal.type("delete from dim_holder;\r")
    terminal.until("only answers questions")
    terminal.type(".quit\r")
    assert terminal.process.wait(30) == 0
    history = (published_home.root / "sql_history").read_text("utf-8")
    assert "from fct_holdings where holder_id" in history


def test_open_gives_the_site_to_the_browser(loaded_template, tmp_path):
    told = tmp_path / "told"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {told}\n')
    browser.chmod(0o755)
    done = subprocess.run(
        [*call(loaded_template), "open"],
        env={**os.environ, "BROWSER": f"{browser} %s"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    page = publish.site_of_current(loaded_template)
    assert (done.returncode, done.stdout.strip()) == (0, str(page))
    assert told.read_text().strip() == page.as_uri()
    assert page.exists()


def test_open_before_anything_is_published_says_what_to_do(home):
    done = subprocess.run([*call(home), "open"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "make run" in done.stderr


@pytest.mark.parametrize("command", [["rollback", "nope"], ["rollback"]])
def test_rollback_names_what_there_is(loaded_template, command):
    done = subprocess.run([*call(loaded_template), *command], capture_output=True, text=True, check=False)
    assert publish.current(loaded_template).name in done.stdout + done.stderr
    assert done.returncode == (2 if len(command) == 2 else 0)
