"""The interactive shell of `tidemark sql`: statements up to a semicolon, with history and completion."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import duckdb
from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import Completer, WordCompleter, merge_completers
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import SqlLexer

from tidemark import publish, query, report
from tidemark.errors import UsageError
from tidemark.settings import Home

if TYPE_CHECKING:
    from tidemark.cli import Format

HELP = """Statements end with a semicolon and may span lines. Tab completes tables, columns and functions.
  .tables          the marts
  .describe NAME   the columns of one, with their meaning
  .help            this
  .quit            leave; so does Ctrl+D"""
DESCRIBED = """
    select column_name, data_type, comment from duckdb_columns()
    where table_name = $name and schema_name = 'marts' order by column_index
"""
# A line each: what a mart is, up to where a usual terminal ends.
MARTS = """
    select mart, left(split_part(comment, '. ', 1), 70) as what from (
        select table_name as mart, comment from duckdb_tables() where schema_name = 'marts'
        union all select view_name, comment from duckdb_views() where schema_name = 'marts'
    ) order by all
"""
FUNCTIONS = "select distinct function_name from duckdb_functions() where not internal"
WORDS = f"""
    select mart as word from ({MARTS})
    union select column_name from duckdb_columns() where schema_name = 'marts'
    union {FUNCTIONS}
    union select keyword_name from duckdb_keywords() where keyword_category = 'reserved'
    union select function_name from duckdb_functions() where internal and function_name ~ '^[a-z][a-z_]+$'
    order by word
"""


def run(home: Home, as_of: date | None, form: Format) -> None:
    """Ask until the user leaves, always the release that was current at the start.

    Statements that come by a pipe are answered one after the other; the first that fails ends it.

    Raises:
        UsageError: a statement of a pipe is wrong.
    """
    with query.reading(home, as_of) as connection:
        if not sys.stdin.isatty():
            for statement in _statements(connection, sys.stdin.read()):
                report.show(query.answer(connection, statement), form)
            return
        seen = f", as known on {as_of}" if as_of else ""
        print(f"Release {publish.current(home).name}{seen}. Read-only; .help helps, .quit leaves.")
        _converse(home, connection, form)


def _converse(home: Home, connection: duckdb.DuckDBPyConnection, form: Format) -> None:
    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(home.root / "sql_history")),
        auto_suggest=AutoSuggestFromHistory(),
        completer=completer(connection),
        complete_while_typing=False,
        lexer=PygmentsLexer(SqlLexer),
        multiline=True,
        key_bindings=_keys(),
        prompt_continuation=lambda width, _line, _soft: " " * width,
    )
    while True:
        try:
            text = session.prompt("tidemark> ").strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if text in (".quit", ".exit", "quit", "exit", "quit;", "exit;"):
            return
        if text:
            _answer(connection, text, form)


def _answer(connection: duckdb.DuckDBPyConnection, text: str, form: Format) -> None:
    try:
        if text.startswith("."):
            command, _, name = text.rstrip(";").partition(" ")
            if command == ".tables":
                report.show(query.answer(connection, MARTS), form)
            elif command == ".describe" and name.strip():
                report.show(query.answer(connection, DESCRIBED, {"name": name.strip()}), form)
            else:
                print(HELP)
            return
        for statement in _statements(connection, text):
            report.show(query.answer(connection, statement), form)
    except UsageError as error:
        report.failure(error)


def completer(connection: duckdb.DuckDBPyConnection) -> Completer:
    """Completes the names of marts, their columns, functions and keywords; and the shell's own commands."""
    words = [word for (word,) in connection.execute(WORDS).fetchall()]
    commands = WordCompleter([".tables", ".describe", ".help", ".quit"], sentence=True)
    return merge_completers([commands, WordCompleter(words, ignore_case=True)])


def _statements(connection: duckdb.DuckDBPyConnection, text: str) -> Iterator[str]:
    """Each statement of a text.

    Raises:
        UsageError: it does not parse.
    """
    try:
        found = connection.extract_statements(text)
    except duckdb.Error as error:
        raise query.wrong(error) from error
    for statement in found:
        yield statement.query


def _keys() -> KeyBindings:
    """Enter sends what ends with a semicolon, or begins with a point; else it begins a new line."""
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        text = buffer.document.text.strip()
        if not text or text.endswith(";") or text.startswith(".") or text in ("quit", "exit"):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    return keys
