"""The raw tables: every release as rows, only where it says something new, in whatever order it arrives.

`raw.<source>__<dataset>` is insert-only. A row is a cell (key columns, `period_end`, `measure`) as one
release changed it: new, different, or no longer published (`status` `deleted`). What a release said of a
cell is the last row at or before it, by (`released_on`, `reissue`).

Stored differences alone cannot tell what a later, unchanged release said once an older one slips in between.
So a late arrival takes that dataset's later differences away and takes them anew from the archive, in the
same transaction: afterwards the table is what it would be had the releases come in order.

Only holders of `writing()` write; Airflow's one-slot pool keeps them from waiting for each other.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from filelock import FileLock, Timeout

from tidemark import archive, clock, registry
from tidemark.archive import Release
from tidemark.errors import BusyError, TidemarkError
from tidemark.reading import DELETED, NOT_QUOTED, SourceFile, writable
from tidemark.registry import Dataset
from tidemark.settings import Home
from tidemark.sources import parse

WAIT_FOR_WRITER_SECONDS = 300
LETTING_GO_SECONDS = 15


@dataclass(frozen=True)
class Loaded:
    """What loading a release did: rows of it that said something new, and later releases taken anew."""

    release: Release
    cells: int
    rows: int
    replayed: int
    already: bool = False


@contextmanager
def writing(home: Home, wait: float = WAIT_FOR_WRITER_SECONDS) -> Iterator[duckdb.DuckDBPyConnection]:
    """The one connection that may write the warehouse.

    Raises:
        BusyError: another process has been writing for longer than `wait` seconds.
    """
    with exclusive(home, wait):
        connection = connect(home, read_only=False)
        try:
            _create_tables(connection)
            _expect_marks_true(home, connection)
            _collect_outcomes(home, connection)
            _tell_reachability(connection)
            yield connection
        finally:
            connection.close()


@contextmanager
def exclusive(home: Home, wait: float = WAIT_FOR_WRITER_SECONDS) -> Iterator[None]:
    """The right to write, without a connection: for dbt, which opens its own."""
    home.root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home.write_lock)
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        raise BusyError(
            f"another process has been writing {home.warehouse} for {wait:.0f} s", "wait for it to end"
        ) from None
    try:
        yield
    finally:
        lock.release()


def connect(home: Home, read_only: bool = True) -> duckdb.DuckDBPyConnection:
    if read_only and not home.warehouse.exists():
        raise TidemarkError(f"there is no warehouse at {home.warehouse}", "load something: make run")
    until = time.monotonic() + LETTING_GO_SECONDS
    while True:
        try:
            return duckdb.connect(str(home.warehouse), read_only=read_only)
        except duckdb.IOException as error:
            if "lock" not in str(error):
                raise
            # A process that ends frees our lock a moment before DuckDB lets go of the file.
            if time.monotonic() > until:
                raise BusyError(
                    f"another program has {home.warehouse} open",
                    "close it there; programs that read should open the published release",
                ) from error
        time.sleep(0.2)


def _create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Every table of `raw`, those of datasets that never loaded too: the marts are built on what is there."""
    connection.execute(
        """
        create schema if not exists raw;
        create table if not exists raw.releases (
            dataset varchar not null, released_on date not null, reissue integer not null,
            archive_sha256 varchar not null, source_url varchar not null, file varchar not null,
            evidence varchar not null, bytes bigint not null, cells bigint not null,
            first_seen_at timestamp not null
        );
        create table if not exists raw.outcomes (
            outcome_id varchar not null, step varchar not null, dataset varchar, release varchar,
            started_at timestamp not null, ended_at timestamp not null, rows bigint,
            result varchar not null, reason varchar
        );
        create table if not exists raw.reachability (
            dataset varchar not null, unreachable_since date not null, last_answer varchar not null
        );
        """
    )
    for dataset in registry.datasets():
        create_table(connection, dataset)
    _describe_datasets(connection)


def cell_name(dataset: Dataset) -> str:
    """The key columns as one text: what names a row of the publisher's table, but for period and measure."""
    return " || ' | ' || ".join(f'"{column}"' for column in dataset.key)


DATASETS = """
    create or replace table raw.datasets (
        dataset varchar not null, source varchar not null, publisher varchar not null,
        title varchar not null, cadence varchar not null, evidence varchar not null, state varchar not null,
        lag_days integer not null, revisions varchar not null, plausible_revision_ratio double not null,
        looks_ahead boolean not null, late_after_days integer not null, frozen_after_days integer not null
    )
"""


def _describe_datasets(connection: duckdb.DuckDBPyConnection) -> None:
    """What the passports say of each dataset, as `raw.datasets`, and `raw.observations` over all raw tables.

    The models ask these two, so that a new source needs no edit of theirs. Written only where it differs:
    a writer that has nothing to say leaves the file as it was.
    """
    said = [
        (
            dataset.name, source.id, source.publisher, dataset.title, dataset.cadence, dataset.evidence,
            dataset.state, dataset.lag_days, source.revisions["how"], dataset.plausible_revision.ratio,
            dataset.looks_ahead_days > 0, dataset.late_after_days, dataset.frozen_after_days,
        )
        for source in registry.sources().values()
        for dataset in source.datasets
    ]  # fmt: skip
    stands = connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'raw' and table_name = 'datasets'"
    ).fetchall()
    if stands and connection.execute("from raw.datasets order by dataset").fetchall() == sorted(said):
        return
    # Made anew, since an earlier Tidemark may have had other columns.
    connection.execute(DATASETS)
    connection.executemany("insert into raw.datasets values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", said)
    every = " union all ".join(
        f"""
        select '{dataset.name}' as dataset, {cell_name(dataset)} as cell, label, period_end, measure,
            value, status, unit, released_on, reissue, archive_sha256, line
        from raw."{dataset.table}"
        """
        for dataset in registry.datasets()
    )
    connection.execute(f"create or replace view raw.observations as {every}")


def contents(connection: duckdb.DuckDBPyConnection, select: str) -> tuple[int, str]:
    """How many rows a query gives, and a hash of them, whatever order they come in."""
    # Of the rows' hashes and not of the rows, which are longer to sort.
    ((rows, digest),) = connection.execute(
        f"""
        select count(*), coalesce(sha256(string_agg(row_hash, '' order by row_hash)), '')
        from (select md5(cast(t as varchar)) as row_hash from ({select}) as t)
        """
    ).fetchall()
    return int(rows), str(digest)


def create_table(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    keys = "".join(f'"{column}" varchar not null, ' for column in dataset.key)
    connection.execute(
        f"""
        create table if not exists raw."{dataset.table}" (
            {keys}period_end date not null, measure varchar not null,
            value double, status varchar not null, unit varchar not null,
            released_on date not null, reissue integer not null,
            archive_sha256 varchar not null, line integer
        )
        """
    )


def load(
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    release: Release,
    batch: duckdb.DuckDBPyRelation,
) -> Loaded:
    """Append what a release says anew, in one transaction. Loading it twice changes nothing.

    Args:
        batch: the release's observations, as its parser read and its suite passed them: of a Parquet file or
            of Arrow, which DuckDB reads where they lie.

    Raises:
        TidemarkError: the release came late, and a later one that must be taken anew is not in the archive;
            or the warehouse holds other bytes as this release.
    """
    place, cells = (release.released_on, release.reissue), _quoted_cells(batch)
    held = _held(connection, dataset)
    if place in held:
        if held[place] != release.sha256:
            raise TidemarkError(
                f"the warehouse holds other bytes as {release.id} than the archive does",
                f"restore {home.archive} from a backup, or begin with an empty home",
            )
        return Loaded(release, cells, 0, 0, already=True)
    in_archive = {(r.released_on, r.reissue): r for r in archive.releases(home, dataset.name)}
    later = sorted(other for other in held if other > place)
    for other in later:
        if other not in in_archive:
            raise TidemarkError(
                f"{release.id} comes late, and {dataset.name}@{other[0]}.{other[1]}, which must be "
                "taken anew after it, is not in the archive",
                f"restore {home.archive} from a backup",
            )
    connection.execute("begin transaction")
    try:
        if later:
            connection.execute(
                f'delete from raw."{dataset.table}" where (released_on, reissue) > (?, ?)', list(place)
            )
        rows = _append(connection, dataset, release, batch)
        for other in later:
            following = in_archive[other]
            file = SourceFile(following.file, archive.read(home, following))
            taken_anew = pa.Table.from_pandas(parse(dataset, file).observations)
            _append(connection, dataset, following, connection.from_arrow(taken_anew))
        connection.execute(
            "insert into raw.releases values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                release.dataset, release.released_on, release.reissue, release.sha256, release.source_url,
                release.file, release.evidence, release.bytes, cells,
                _utc(release.first_seen_at),
            ],
        )  # fmt: skip
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return Loaded(release, cells, rows, len(later))


def _quoted_cells(batch: duckdb.DuckDBPyRelation) -> int:
    """How many cells say something: an extract leaves the others out."""
    ((cells,),) = batch.filter(f"status <> '{NOT_QUOTED}'").count("*").fetchall()
    return int(cells)


def _held(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> dict[tuple[date, int], str]:
    """The hash of each release that is loaded, by its date and issue."""
    rows = connection.execute(
        "select released_on, reissue, archive_sha256 from raw.releases where dataset = ?", [dataset.name]
    ).fetchall()
    return {(released_on, reissue): digest for released_on, reissue, digest in rows}


def entries_that_differ(home: Home) -> list[str]:
    """Where the archive's entry of a loaded release does not say what the warehouse says of it, in sentences.

    An entry holds what cannot be had from the bytes, such as when they were first seen; each is written down
    twice, there and in `raw.releases`.
    """
    if not home.warehouse.exists():
        return []
    with exclusive(home):
        connection = connect(home)
        try:
            loaded = connection.execute(
                "select dataset, released_on, reissue, archive_sha256, bytes, file, source_url, evidence, "
                "first_seen_at from raw.releases order by all"
            ).fetchall()
        finally:
            connection.close()
    archived = {(r.dataset, r.released_on, r.reissue): r for r in archive.releases(home)}
    problems = []
    for row in loaded:
        release = archived.get(row[:3])
        if release is None:
            problems.append(f"{row[0]}@{row[1]}.{row[2]} is in the warehouse, and not in the archive")
            continue
        said = (
            release.sha256, release.bytes, release.file, release.source_url, release.evidence,
            _utc(release.first_seen_at),
        )  # fmt: skip
        problems += [
            f"the entry of {release.id} says {name} {entry}, the warehouse {known}"
            for name, entry, known in zip(
                ("sha256", "bytes", "file", "source_url", "evidence", "first_seen_at"),
                said, row[3:], strict=True,
            )
            if entry != known
        ]  # fmt: skip
    return problems


def _append(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, release: Release, batch: duckdb.DuckDBPyRelation
) -> int:
    """Insert the rows by which a release differs from what stood before it; returns how many.

    A cell that an extract leaves out is neither news nor withdrawn.

    What stood is the last row of each cell. To find it by ranking all rows costs several times the comparison
    itself, so it is put together around the release that wrote the most rows, which has each cell once: only
    what was written after it and before it, little in either case, is ranked.

    All this is done on fingerprints, which group and join at less than half the price of names. Only those
    rows whose fingerprint the other side has not are joined by their cells, and compared.

    They are found again by their fingerprints, and not by `rowid`, which would cost less: in a transaction
    that has deleted rows, a join by it on more than one thread damages what DuckDB 2.0.0 then writes.
    """
    table = f'raw."{dataset.table}"'
    cell = [*(f'"{column}"' for column in dataset.key), "period_end", "measure"]
    place = {"released_on": release.released_on, "reissue": release.reissue}
    wrote = connection.execute(
        f"""
        select released_on, reissue from {table} where (released_on, reissue) < ($released_on, $reissue)
        group by all order by count(*) desc, released_on, reissue
        """,
        place,
    ).fetchall()
    largest = wrote[0] if wrote else (date.min, 0)
    incoming = f"""
        select {", ".join(cell[:-2])}, cast(period_end as date) as period_end, measure,
            if(isnan(value), null, value) as value, status, unit, line
        from incoming
    """
    earlier = f"from {table} where (released_on, reissue) < ($released_on, $reissue)"
    # Two comparisons of pairs DuckDB 2.0 makes a BETWEEN, which it has not for pairs.
    after = _latest(cell, f"{earlier} and (released_on > $day or (released_on = $day and reissue > $issue))")
    before = _latest(cell, f"from {table} where (released_on, reissue) < ($day, $issue)")
    # Asked for only where there are any: a join with no rows has its price too.
    any_after, any_before = any(other > largest for other in wrote), any(other < largest for other in wrote)
    but_after = " anti join after using (cell_print, cell_print_2)" if any_after else ""
    stood = [f"largest{but_after}"]
    if any_after:
        stood.append("after")
    if any_before:
        stood.append(f"before anti join largest using (cell_print, cell_print_2){but_after}")
    either = ", ".join(f"coalesce(news.{column}, olds.{column})" for column in cell)
    connection.register("incoming", batch)
    try:
        inserted = connection.execute(
            f"""
            insert into {table}
            with said as not materialized ({_fingerprinted(cell, incoming)}),
            {f"after as materialized ({after})," if any_after else ""}
            {f"before as materialized ({before})," if any_before else ""}
            largest as not materialized (
                {_fingerprinted(cell, f"from {table} where released_on = $day and reissue = $issue")}
            ),
            stood as not materialized (
                {" union all ".join(f"select print, print_2 from {part}" for part in stood)}
            ),
            unlike as materialized (
                select said.print as said_print, said.print_2 as said_print_2, stood.print, stood.print_2
                from said full join stood on said.print = stood.print and said.print_2 = stood.print_2
                where said.print is null or stood.print is null
            ),
            news as (
                from said semi join unlike
                    on said.print = unlike.said_print and said.print_2 = unlike.said_print_2
            ),
            -- A cell that went back to what it said has two such rows.
            olds as (
                select distinct {", ".join(cell)}, value, status, unit
                from ({_fingerprinted(cell, earlier)}) semi join unlike using (print, print_2)
            )
            select {either}, news.value, coalesce(news.status, '{DELETED}'),
                coalesce(news.unit, olds.unit), $released_on, $reissue, $sha256, news.line
            from news full join olds on {" and ".join(f"news.{column} = olds.{column}" for column in cell)}
            where case
                when news.status is null then $absence_is_deletion and olds.status <> '{DELETED}'
                when news.status = '{NOT_QUOTED}' then false
                else olds.status is null or olds.status <> news.status or olds.unit <> news.unit
                    or olds.value is distinct from news.value
            end
            order by {either}
            """,
            {
                **place, "day": largest[0], "issue": largest[1], "sha256": release.sha256,
                "absence_is_deletion": dataset.absence == "deletion",
            },
        ).fetchall()  # fmt: skip
        return int(inserted[0][0])
    finally:
        connection.unregister("incoming")


def _fingerprinted(cell: list[str], rows: str) -> str:
    """A query of rows with the fingerprint of their cells, and that of their cells and what is said of them.

    Each is two hashes of 64 bits, over the columns in two orders. A cell whose figure alone differs never has
    the hash it had, since each step of it can be undone. Two texts of one hash would be taken for one text:
    of names that the door knows, a few hundred, no two have one.
    """
    return f"""
        select *, hash(cell_print, value, status, unit) as print,
            hash(cell_print_2, unit, status, value) as print_2
        from (
            select *, hash({", ".join(cell)}) as cell_print, hash({", ".join(reversed(cell))}) as cell_print_2
            from ({rows})
        )
    """


def _latest(cell: list[str], rows: str) -> str:
    """A query of the fingerprints of each cell's last row."""
    return f"""
        select cell_print, cell_print_2, unnest(latest) from (
            select cell_print, cell_print_2, max_by(
                {{'print': print, 'print_2': print_2}}, released_on + to_microseconds(reissue)
            ) as latest
            from ({_fingerprinted(cell, rows)}) group by all
        )
    """


# --- Which releases it holds ----------------------------------------------------------------------------


def is_loaded(home: Home, release: Release) -> bool:
    """Whether a release is in the warehouse, without opening it; where that is gone, none is."""
    return _loaded_mark(home, release.dataset, release.released_on, release.reissue).exists() and (
        home.warehouse.exists()
    )


def mark_loaded(home: Home, release: Release) -> None:
    archive.write_atomically(_loaded_mark(home, release.dataset, release.released_on, release.reissue), b"")


def _loaded_mark(home: Home, dataset: str, released_on: date, reissue: int) -> Path:
    """Stands beside the archive entry once the release is in the warehouse."""
    return home.archive / "releases" / dataset / f"{released_on}.{reissue}.loaded"


def _expect_marks_true(home: Home, connection: duckdb.DuckDBPyConnection) -> None:
    """Take away the marks of releases that this warehouse has not: it is new, or was put back from a backup.

    They are loaded by the next ingest then, like whatever else waits in the archive.
    """
    held = connection.execute("select dataset, released_on, reissue from raw.releases").fetchall()
    true = {_loaded_mark(home, *row) for row in held}
    for mark in (home.archive / "releases").rglob("*.loaded"):
        if mark not in true:
            mark.unlink()


# --- Outcomes ------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What a step did, for `raw.outcomes`; the step sets `rows`, and `result` where it was not `done`."""

    step: str
    dataset: str | None = None
    release: str | None = None
    rows: int | None = None
    result: str = "done"
    reason: str | None = None


OUTCOME = {"outcome_id", *(field.name for field in fields(Outcome)), "started_at", "ended_at"}


@contextmanager
def outcome_of(
    home: Home, step: str, dataset: str | None = None, release: str | None = None
) -> Iterator[Outcome]:
    """Record how a step ended, whichever way it does.

    Outcomes are files first, since most steps may not write DuckDB; whoever writes it next collects them.
    """
    outcome = Outcome(step, dataset, release)
    started = clock.now()
    try:
        yield outcome
    except TidemarkError as error:
        outcome.result = getattr(error, "outcome", "failed")
        outcome.reason = str(error)
        raise
    except BaseException as error:
        outcome.result = "failed"
        outcome.reason = f"{type(error).__name__}: {error}"
        raise
    finally:
        content = {
            "outcome_id": uuid.uuid4().hex,
            **asdict(outcome),
            "started_at": _utc(started).isoformat(),
            "ended_at": _utc(clock.now()).isoformat(),
        }
        content = {name: writable(said) if isinstance(said, str) else said for name, said in content.items()}
        name = f"{started:%Y%m%dT%H%M%S.%f}-{content['outcome_id']}.json"
        archive.write_atomically(home.outcomes / name, json.dumps(content).encode())


def pending_outcomes(home: Home) -> list[dict[str, Any]]:
    """Outcomes that no writer has collected yet, oldest first."""
    read = [_read_outcome(path) for path in sorted(home.outcomes.glob("*.json"))]
    return [outcome for outcome in read if outcome is not None]


def _read_outcome(path: Path) -> dict[str, Any] | None:
    """None if it is none, as another program or a damaged disk may have left."""
    try:
        outcome = json.loads(path.read_text("utf-8"))
        json.dumps(outcome, ensure_ascii=False).encode("utf-8")
    except ValueError:
        return None
    return outcome if isinstance(outcome, dict) and outcome.keys() == OUTCOME else None


def _collect_outcomes(home: Home, connection: duckdb.DuckDBPyConnection) -> None:
    """Move recorded outcomes into `raw.outcomes`. A file whose row is there already was collected by a
    writer that died before it could take the file away. What is none is set aside, and stops nobody.
    """
    for path in sorted(home.outcomes.glob("*.json")):
        outcome = _read_outcome(path)
        if outcome is None:
            path.rename(path.with_suffix(".unreadable"))
            continue
        connection.execute(
            """
            insert into raw.outcomes
            select $outcome_id, $step, $dataset, $release, $started_at, $ended_at, $rows, $result, $reason
            where not exists (from raw.outcomes where outcome_id = $outcome_id)
            """,
            outcome,
        )
        path.unlink()


GOOD_ANSWERS = ("done", "unchanged")
# Publishers that have given no good file in all looks of 20 hours: that is more than a bad night of theirs.
UNREACHABLE = f"""
    with looks as (
        select dataset, started_at, result,
            max(started_at) filter (where result in {GOOD_ANSWERS})
                over (partition by dataset) as good_at
        from raw.outcomes where step = 'fetch'
    )
    select dataset, cast(min(started_at) as date), arg_max(result, started_at)
    from looks where started_at > good_at or good_at is null
    group by dataset having max(started_at) - min(started_at) >= interval 20 hours
    order by dataset
"""


def _tell_reachability(connection: duckdb.DuckDBPyConnection) -> None:
    """Which publishers give no good file, as a table of its own that the marts may ask: it changes when one
    falls silent or speaks again, and not with every look.
    """
    unreachable = connection.execute(UNREACHABLE).fetchall()
    if connection.execute("from raw.reachability order by dataset").fetchall() == unreachable:
        return
    connection.execute("delete from raw.reachability")
    if unreachable:
        connection.executemany("insert into raw.reachability values (?, ?, ?)", unreachable)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
