"""Recording a release: 10 million cells of which one in a hundred changed, into a store of 10 million.

Five releases follow each other. In each, one cell in a hundred has another figure (some return to one they
had before), one in a thousand is withdrawn, and what was withdrawn before comes back. Beside each, DuckDB
alone anti-joins the same release with the current values and inserts what is left: less than the task, since
that finds no withdrawn cell. Afterwards every release is compared with the store as of its day.
"""

from __future__ import annotations

import dataclasses
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from benchmarks import rivals
from benchmarks.measure import Row, at_most, seconds_of, timed, times_faster
from tidemark import registry, warehouse
from tidemark.archive import Release
from tidemark.settings import Home

RELEASES = 5
DATASET = dataclasses.replace(registry.dataset("tic/slt_table5"), absence="deletion")
# The key that most datasets have.
CELL = "label, period_end, measure"
SAID = "value, status, unit"
FIRST_DAY = date(2026, 1, 15)


def rows() -> Iterator[Row]:
    for cells in (1_000_000, 10_000_000):
        yield from of_size(cells)


def of_size(cells: int) -> Iterator[Row]:
    with releases(cells) as files:
        ours, bare, grown, alone = against_duckdb(files)
        what = f"recording a release of {cells // 1_000_000} million cells, 1% changed"
        yield at_most(
            what, "bare DuckDB anti-join and insert", ours, bare, 1.3,
            "as of each day, the store equals the releases kept whole",
        )  # fmt: skip
        yield Row(
            f"{what}: growth of the file for a changed cell", "the changed cells in a file of their own",
            f"{grown:.1f} bytes", f"{alone:.1f} bytes", grown / alone, "at most 1.2 x", grown / alone <= 1.2,
            "one row a changed cell",
        )  # fmt: skip
        for name, theirs in rivals.seconds(files[:2]).items():
            if isinstance(theirs, str):
                yield Row(what, name, "", theirs, None, "at least 5 x faster", None)
            else:
                yield times_faster(what, name, ours, theirs, 5)


@contextmanager
def releases(cells: int) -> Iterator[list[Path]]:
    """Parquet files of the first release and of those that follow it, in folder of their own."""
    folder = Path(tempfile.mkdtemp(prefix="tidemark-bench-"))
    try:
        # In a process of its own: what it needs of memory must not be missing later.
        subprocess.run(
            [sys.executable, "-m", "benchmarks.releases", str(folder), str(cells), str(RELEASES)], check=True
        )
        yield sorted(folder.glob("*.parquet"))
    finally:
        shutil.rmtree(folder)


def against_duckdb(files: list[Path]) -> tuple[float, float, float, float]:
    """Median seconds, ours and bare; bytes that the store grew by for a changed cell, and bytes that such
    cells take in a table of their own.
    """
    ours: list[float] = []
    bare: list[float] = []
    home = Home(Path(tempfile.mkdtemp(prefix="tidemark-bench-")))
    try:
        with warehouse.writing(home) as connection:
            load(home, connection, 0, files[0])
            connection.execute("checkpoint")
            first = used_bytes(connection)
        changed = 0
        for number, file in enumerate(files[1:], start=1):
            # A connection of its own, as each load has, and as `bare_seconds` takes one.
            with warehouse.writing(home) as connection, timed(ours):
                changed += load(home, connection, number, file)
            bare.append(bare_seconds(files[number - 1], file))
        with warehouse.writing(home) as connection:
            connection.execute("checkpoint")
            grown = used_bytes(connection) - first
            expect_every_release(connection, files)
        alone = sum(alone_bytes(home, number) for number in range(1, len(files)))
        return statistics.median(ours), statistics.median(bare), grown / changed, alone / changed
    finally:
        shutil.rmtree(home.root)


def alone_bytes(home: Home, number: int) -> int:
    """What the cells that a release changed take in a DuckDB file that holds nothing else."""
    with tempfile.TemporaryDirectory(prefix="tidemark-bench-") as folder:
        connection = duckdb.connect(str(Path(folder) / "alone.duckdb"))
        connection.execute(f"attach '{home.warehouse}' as store (read_only)")
        connection.execute(
            f'create table cells as from store.raw."{DATASET.table}" where released_on = ?', [day_of(number)]
        )
        connection.execute("detach store")
        connection.execute("checkpoint")
        bytes_alone = used_bytes(connection)
        connection.close()
        return bytes_alone


def day_of(number: int) -> date:
    return FIRST_DAY + timedelta(days=30 * number)


def load(home: Home, connection: duckdb.DuckDBPyConnection, number: int, file: Path) -> int:
    """As the step `load` does, from the batch that validation left."""
    release = Release(
        DATASET.name, day_of(number), 0, f"{number:064}", file.stat().st_size, file.name, DATASET.url,
        DATASET.evidence, datetime.now(UTC),
    )  # fmt: skip
    return warehouse.load(home, connection, DATASET, release, connection.read_parquet(str(file))).rows


def bare_seconds(before: Path, release: Path) -> float:
    """What DuckDB takes to find and insert the rows of a release that the current values do not have."""
    with tempfile.TemporaryDirectory(prefix="tidemark-bench-") as folder:
        connection = duckdb.connect(str(Path(folder) / "bare.duckdb"))
        connection.execute(f"create table stands as select {CELL}, {SAID} from '{before}' order by {CELL}")
        connection.execute(
            f"create table history as select {CELL}, {SAID}, date '{FIRST_DAY}' as released_on, "
            f"0 as reissue, repeat('0', 64) as archive_sha256, line from '{before}' limit 0"
        )
        connection.close()
        connection = duckdb.connect(str(Path(folder) / "bare.duckdb"))
        taken = seconds_of(
            lambda: connection.execute(
                f"insert into history select {CELL}, {SAID}, date '2026-02-14', 0, repeat('1', 64), line "
                f"from '{release}' anti join stands using ({CELL}, {SAID})"
            ).fetchall()
        )
        connection.close()
        return taken


def used_bytes(connection: duckdb.DuckDBPyConnection) -> int:
    ((size, used),) = connection.execute(
        "select block_size, used_blocks from pragma_database_size()"
    ).fetchall()
    return int(size * used)


def expect_every_release(connection: duckdb.DuckDBPyConnection, files: list[Path]) -> None:
    """The store, as of each day, is the release that was kept whole."""
    for number, file in enumerate(files):
        ((differs,),) = connection.execute(
            f"""
            with stood as (
                select {CELL}, {SAID} from raw."{DATASET.table}" where released_on <= ?
                qualify row_number() over (partition by {CELL} order by released_on desc) = 1
            ),
            as_of as (from stood where status <> 'deleted'),
            whole as (select {CELL}, {SAID} from '{file}')
            select (select count(*) from (from whole anti join as_of using ({CELL}, {SAID})))
                + (select count(*) from (from as_of anti join whole using ({CELL}, {SAID})))
            """,
            [day_of(number)],
        ).fetchall()
        if differs:
            raise AssertionError(f"{differs} cells of release {number} are not what was published")
