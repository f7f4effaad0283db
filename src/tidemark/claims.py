"""Published statements held against the figures: `tidemark check CLAIMS.csv`.

A statement is a row of the columns below, as docs/claims.md tells them. Reading and judging is the SQL of
the mart `fct_claim_checks`, which travels with the published file as the table macro `check_claims`; here a
user's file becomes the table that it is called on.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import duckdb

from tidemark import query
from tidemark.errors import TidemarkError, UsageError
from tidemark.settings import Home

COLUMNS = (
    "claim_id", "document", "statement", "series", "entity", "measure", "period_start", "period_end",
    "comparator", "claimed_value", "unit", "tolerance", "published_on",
)  # fmt: skip
MAY_BE_LEFT_OUT = ("document", "statement", "period_start", "comparator", "tolerance")


def check(home: Home, file: Path) -> query.Answer:
    """The verdict on each statement of a file, in the order of the file.

    The columns are those of `fct_claim_checks`, but that `line` says where in the file a statement stands. A
    row that cannot be read has the verdict `error`, and `error` says what is wrong; the others are checked.

    Raises:
        UsageError: the file cannot be read, is no UTF-8, or its header is not that of claims.csv.
        TidemarkError: the published release is older than `check`, or there is none.
    """
    rows, broken = read(file)
    with query.reading(home) as connection:
        connection.execute(
            "create temp table statements_to_check (claim_row integer, "
            + ", ".join(f"{column} varchar" for column in COLUMNS)
            + ")"
        )
        if rows:
            places = ", ".join("?" for _ in range(len(COLUMNS) + 1))
            connection.executemany(f"insert into statements_to_check values ({places})", rows)
        try:
            result = connection.execute("from check_claims('statements_to_check') order by claim_row")
        except duckdb.CatalogException as error:
            raise TidemarkError(
                "the published release cannot check statements: it was made by an earlier version",
                "build and publish anew: tidemark build && tidemark publish",
            ) from error
        columns = [column[0] for column in result.description or []]
        checked = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    columns[columns.index("claim_row")] = "line"
    for statement in checked:
        statement["line"] = statement.pop("claim_row")
    checked += [
        {**dict.fromkeys(columns), "line": line, "claim_id": claim_id, "verdict": "error", "error": error}
        for line, claim_id, error in broken
    ]
    checked.sort(key=lambda statement: int(statement["line"]))
    return query.Answer(columns, [tuple(statement[column] for column in columns) for statement in checked])


def read(file: Path) -> tuple[list[tuple[Any, ...]], list[tuple[int, str, str]]]:
    """The rows of a file with their lines, and those with too few or too many fields: line, id and error."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", "give the path of a CSV file") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{file}, line {line}: is no UTF-8", "save it as UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(reader, [])]
        _expect_header(file, header)
        rows, broken = [], []
        before = reader.line_num
        for fields in reader:
            line, before = before + 1, reader.line_num
            if not any(field.strip() for field in fields):
                continue
            if len(fields) != len(header):
                due = f"has {len(fields)} fields where the header has {len(header)}"
                broken.append(
                    (line, fields[0].strip(), f"{due}; a comma within a field needs quotes around it")
                )
                continue
            given = dict(zip(header, fields, strict=True))
            rows.append((line, *(given.get(column, "") for column in COLUMNS)))
    except csv.Error as error:
        raise UsageError(f"{file}, line {reader.line_num}: {error}", "mend the line") from error
    if not rows and not broken:
        raise UsageError(f"{file} holds no statements", "a row below the header is one")
    return rows, broken


def _expect_header(file: Path, header: list[str]) -> None:
    missing = [name for name in COLUMNS if name not in header and name not in MAY_BE_LEFT_OUT]
    unknown = [name for name in header if name not in COLUMNS]
    twice = sorted({name for name in header if header.count(name) > 1})
    for names, wrong in ((missing, "lacks"), (unknown, "has unknown"), (twice, "repeats")):
        if names:
            raise UsageError(
                f"{file}, line 1: the header {wrong} {', '.join(names)}",
                f"the columns are {', '.join(COLUMNS)}",
            )
