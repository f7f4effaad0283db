"""Laws of the raw tables, tried on generated releases: in whatever order they arrive, however often, and even
if a load is stopped, the table says of each cell what the releases said, and says it once.

The releases are files in the layout of the cited first prints, so the real parser reads them, also where a
late arrival has the later ones taken anew from the archive. A naive model that keeps every release whole
tells what is due.
"""

from __future__ import annotations

import dataclasses
import itertools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tidemark import archive, pipeline, registry, snapshot, sources, warehouse
from tidemark.archive import Release
from tidemark.errors import TidemarkError
from tidemark.reading import DELETED, SourceFile, month_end, read_figure
from tidemark.registry import Dataset
from tidemark.settings import Home

WINDOW = registry.dataset("tic/cited_first_prints")
DELETION = dataclasses.replace(WINDOW, absence="deletion")
BOTH = pytest.mark.parametrize("dataset", [WINDOW, DELETION], ids=["window", "deletion"])

FIRST_DAY = date(2026, 1, 1)

Cell = tuple[str, str]  # label, month
Figure = tuple[float | None, str]  # value, status


@dataclasses.dataclass(frozen=True)
class Arrival:
    """What came out on a day: the same cells are the same bytes, other cells of one day are a reissue."""

    day: int
    cells: Mapping[Cell, str]

    @property
    def released_on(self) -> date:
        return FIRST_DAY + timedelta(days=self.day)

    @property
    def lines(self) -> dict[Cell, int]:
        return {cell: number for number, cell in enumerate(sorted(self.cells), start=2)}

    @property
    def data(self) -> bytes:
        # The day in the file is the same in all: the same bytes may come out on two days.
        rows = [f"{label},{month},{self.cells[label, month]},{FIRST_DAY}" for label, month in self.lines]
        return "\n".join(["country_label,month,holdings_usd_bn,released_on", *rows, ""]).encode()

    def read(self) -> dict[Cell, Figure]:
        return {cell: read_figure(SourceFile("", b""), 1, text, "") for cell, text in self.cells.items()}


A, B, C, D = ("Japan", "2025-10"), ("Japan", "2025-11"), ("Belgium", "2025-10"), ("Belgium", "2025-11")

# Few cells, few figures, few days: so figures come back, stay, vanish and are reissued all the time.
arrivals = st.builds(
    Arrival,
    day=st.integers(0, 4),
    cells=st.dictionaries(
        st.sampled_from([A, B, C, D]), st.sampled_from(["1.0", "2.0", "n.a.", "*"]), min_size=1
    ),
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Arrival], list[Arrival]]:
    """Two to six arrivals as published, and the same in another order of arrival."""
    published = sorted(draw(st.lists(arrivals, min_size=2, max_size=6)), key=lambda arrival: arrival.day)
    return published, in_order_within_days(published, draw(st.permutations(published)))


def in_order_within_days(published: Sequence[Arrival], shuffled: Sequence[Arrival]) -> list[Arrival]:
    """The shuffled arrivals, but the issues of one day in their order: it is what numbers them."""
    issues = {day: iter([a for a in published if a.day == day]) for day in {a.day for a in published}}
    return [next(issues[arrival.day]) for arrival in shuffled]


# --- The warehouse under test ---------------------------------------------------------------------------


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    warehouse._create_tables(connection)
    return connection


@contextmanager
def empty_warehouse() -> Iterator[tuple[Home, duckdb.DuckDBPyConnection]]:
    with tempfile.TemporaryDirectory() as folder:
        connection = _connection()
        connection.execute(f'truncate raw.releases; truncate raw."{WINDOW.table}"')
        yield Home(Path(folder)), connection


def register(home: Home, dataset: Dataset, arrival: Arrival) -> Release:
    release, _ = archive.register(home, dataset, arrival.data, arrival.released_on, "f.csv", dataset.url)
    return release


def load(
    home: Home, connection: duckdb.DuckDBPyConnection, dataset: Dataset, release: Release
) -> warehouse.Loaded:
    batch = sources.parse(dataset, SourceFile(release.file, archive.read(home, release))).observations
    return warehouse.load(
        home, connection, dataset, release, connection.from_arrow(pa.Table.from_pandas(batch))
    )


def arrive(
    home: Home, connection: duckdb.DuckDBPyConnection, dataset: Dataset, arriving: Sequence[Arrival]
) -> list[warehouse.Loaded]:
    return [load(home, connection, dataset, register(home, dataset, arrival)) for arrival in arriving]


Contents = tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]


def contents(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> Contents:
    """Every row and column of the raw table and of the list of releases, but for our own clock."""
    return (
        connection.execute(f'select * from raw."{dataset.table}" order by all').fetchall(),
        connection.execute("select * exclude (first_seen_at) from raw.releases order by all").fetchall(),
    )


def figures_as_of(connection: duckdb.DuckDBPyConnection, dataset: Dataset, day: date) -> dict[Cell, Figure]:
    rows = connection.execute(
        f"""
        select label, strftime(period_end, '%Y-%m'), value, status from raw."{dataset.table}"
        where released_on <= ?
        qualify row_number() over (partition by label, period_end order by released_on desc, reissue desc) = 1
        """,
        [day],
    ).fetchall()
    return {(label, month): (value, status) for label, month, value, status in rows if status != DELETED}


# --- The naive model ------------------------------------------------------------------------------------


def issues_of(published: Sequence[Arrival]) -> list[tuple[Arrival, int]]:
    """The releases that arrivals make, with their reissue: the same bytes under the same date are one."""
    seen: dict[int, list[bytes]] = {}
    issues = []
    for arrival in published:
        of_that_day = seen.setdefault(arrival.day, [])
        if arrival.data not in of_that_day:
            issues.append((arrival, len(of_that_day)))
            of_that_day.append(arrival.data)
    return issues


def model_as_of(dataset: Dataset, published: Sequence[Arrival], day: date) -> dict[Cell, Figure]:
    """A full table says what its newest release says; a rolling one keeps what has left its window."""
    known: dict[Cell, Figure] = {}
    for arrival, _ in issues_of(published):
        if arrival.released_on <= day:
            known = (known if dataset.absence == "window" else {}) | arrival.read()
    return known


def model_contents(dataset: Dataset, published: Sequence[Arrival]) -> Contents:
    """A row for each cell that a release shows new, different from the release before, or no longer."""
    rows, releases = [], []
    before: dict[Cell, Figure] = {}
    for arrival, reissue in issues_of(published):
        digest, said = archive.sha256(arrival.data), arrival.read()
        now = (before if dataset.absence == "window" else {}) | said
        for cell in before.keys() | now.keys():
            if before.get(cell) != now.get(cell):
                end = month_end(int(cell[1][:4]), int(cell[1][5:]))
                figure = now.get(cell, (None, DELETED))
                origin = (arrival.released_on, reissue, digest, arrival.lines.get(cell))
                rows.append((cell[0], end, "holdings", *figure, "usd_bn", *origin))
        before = now
        releases.append(
            (dataset.name, arrival.released_on, reissue, digest, dataset.url, "f.csv", "cited",
             len(arrival.data), len(said))
        )  # fmt: skip
    return sorted(rows, key=_nulls_last), sorted(releases)


def _nulls_last(row: tuple[Any, ...]) -> list[tuple[bool, Any]]:
    return [(cell is None, cell) for cell in row]


# --- Laws -----------------------------------------------------------------------------------------------

REVERTED = [Arrival(0, {A: "1.0"}), Arrival(1, {A: "2.0"}), Arrival(2, {A: "1.0"})]
UNCHANGED_LATER = [Arrival(0, {A: "1.0"}), Arrival(1, {A: "2.0"}), Arrival(2, {A: "2.0", B: "1.0"})]
LEAVES_AND_COMES_BACK = [Arrival(0, {A: "1.0", B: "1.0"}), Arrival(1, {B: "1.0"}), Arrival(2, {A: "1.0"})]
REISSUED = [Arrival(0, {A: "1.0"}), Arrival(1, {A: "2.0"}), Arrival(1, {A: "1.0"}), Arrival(2, {A: "2.0"})]
SAME_BYTES_TWICE = [Arrival(0, {A: "1.0"}), Arrival(1, {A: "n.a."}), Arrival(3, {A: "1.0"})]
TELLING = [REVERTED, UNCHANGED_LATER, LEAVES_AND_COMES_BACK, REISSUED, SAME_BYTES_TWICE]

generated = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@BOTH
@generated
@given(history=histories())
@example(history=(REISSUED, [REISSUED[3], REISSUED[1], REISSUED[2], REISSUED[0]]))
def test_releases_in_any_order_and_again_give_the_tables_and_figures_of_releases_kept_whole(
    dataset: Dataset, history: tuple[list[Arrival], list[Arrival]]
) -> None:
    published, arriving = history
    due = model_contents(dataset, published)
    with empty_warehouse() as (home, connection):
        arrive(home, connection, dataset, arriving)
        assert contents(connection, dataset) == due
        for days in range(-1, 6):
            day = FIRST_DAY + timedelta(days=days)
            assert figures_as_of(connection, dataset, day) == model_as_of(dataset, published, day)
        again = arrive(home, connection, dataset, arriving[::-1])
        assert all(loaded.already and loaded.rows == loaded.replayed == 0 for loaded in again)
        assert contents(connection, dataset) == due


@BOTH
@pytest.mark.parametrize("published", TELLING)
def test_every_order_of_a_telling_history_gives_the_same_tables(
    dataset: Dataset, published: list[Arrival]
) -> None:
    places = range(len(published))
    orders = {
        tuple(published.index(arrival) for arrival in in_order_within_days(published, shuffled))
        for shuffled in itertools.permutations(published)
    }
    assert tuple(places) in orders
    for order in orders:
        with empty_warehouse() as (home, connection):
            arrive(home, connection, dataset, [published[place] for place in order])
            assert contents(connection, dataset) == model_contents(dataset, published), f"in order {order}"


@BOTH
def test_a_second_issue_may_be_loaded_before_the_first(dataset: Dataset) -> None:
    with empty_warehouse() as (home, connection):
        releases = [register(home, dataset, arrival) for arrival in REISSUED]
        assert [(r.released_on.day, r.reissue) for r in releases] == [(1, 0), (2, 0), (2, 1), (3, 0)]
        for release in reversed(releases):
            load(home, connection, dataset, release)
        assert contents(connection, dataset) == model_contents(dataset, REISSUED)


@pytest.mark.parametrize(
    ("dataset", "told"),
    [
        (WINDOW, [("2025-10", 1, 1.0, "published"), ("2025-11", 1, 1.0, "published")]),
        (
            DELETION,
            [
                ("2025-10", 1, 1.0, "published"),
                ("2025-10", 2, None, "deleted"),
                ("2025-10", 3, 1.0, "published"),
                ("2025-11", 1, 1.0, "published"),
                ("2025-11", 3, None, "deleted"),
            ],
        ),
    ],
    ids=["window", "deletion"],
)
def test_a_cell_no_longer_printed_has_left_the_window_or_is_deleted(
    dataset: Dataset, told: list[tuple[str, int, float | None, str]]
) -> None:
    with empty_warehouse() as (home, connection):
        arrive(home, connection, dataset, LEAVES_AND_COMES_BACK)
        assert (
            told
            == connection.execute(
                f"""
            select strftime(period_end, '%Y-%m'), day(released_on), value, status
            from raw."{dataset.table}" order by all
            """
            ).fetchall()
        )


def test_a_missing_figure_is_null_with_its_status_and_changes_like_any_other() -> None:
    figures = ["n.a.", "*", "*", "1.0", "n.a."]
    with empty_warehouse() as (home, connection):
        arrive(home, connection, WINDOW, [Arrival(day, {A: figure}) for day, figure in enumerate(figures)])
        told = connection.execute(
            f'select day(released_on), value, status from raw."{WINDOW.table}" order by all'
        ).fetchall()
    assert told == [
        (1, None, "not_available"), (2, None, "suppressed"), (4, 1.0, "published"), (5, None, "not_available")
    ]  # fmt: skip


def test_a_late_arrival_says_how_many_releases_it_had_taken_anew() -> None:
    with empty_warehouse() as (home, connection):
        loaded = arrive(home, connection, WINDOW, [REVERTED[2], REVERTED[1], REVERTED[0]])
    assert [(done.rows, done.replayed, done.already) for done in loaded] == [
        (1, 0, False), (1, 1, False), (1, 2, False)
    ]  # fmt: skip


# --- A load that is stopped -------------------------------------------------------------------------------


@BOTH
@settings(generated, max_examples=25)
@given(
    history=histories(),
    stops_at=st.integers(1, 4),
    how=st.sampled_from([RuntimeError, KeyboardInterrupt]),
)
@example(history=(REVERTED, REVERTED[::-1]), stops_at=3, how=KeyboardInterrupt)
def test_a_load_stopped_at_any_step_leaves_everything_as_it_was(
    dataset: Dataset,
    history: tuple[list[Arrival], list[Arrival]],
    stops_at: int,
    how: type[BaseException],
) -> None:
    published, arriving = history
    append, steps = warehouse._append, itertools.count(1)

    def append_until(*arguments: Any) -> int:
        rows = append(*arguments)
        if next(steps) == stops_at:
            raise how("stopped")
        return rows

    with empty_warehouse() as (home, connection):
        arrive(home, connection, dataset, arriving[:-1])
        before = contents(connection, dataset)
        last = register(home, dataset, arriving[-1])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(warehouse, "_append", append_until)
            try:
                load(home, connection, dataset, last)
            except how:
                assert contents(connection, dataset) == before
        load(home, connection, dataset, last)
        assert contents(connection, dataset) == model_contents(dataset, published)


@pytest.mark.parametrize(
    ("lost", "message"), [("entry", "2026-01-03.* is not in the archive"), ("bytes", "is gone")]
)
def test_a_late_arrival_whose_successor_is_not_archived_changes_nothing(lost: str, message: str) -> None:
    with empty_warehouse() as (home, connection):
        arrive(home, connection, WINDOW, REVERTED[1:])
        before = contents(connection, WINDOW)
        successor = archive.releases(home, WINDOW.name)[-1]
        if lost == "entry":
            archive.withdraw(home, successor)
        else:
            archive.object_path(home, successor.sha256).unlink()
        with pytest.raises(TidemarkError, match=message):
            arrive(home, connection, WINDOW, [Arrival(0, {A: "3.0"})])
        assert contents(connection, WINDOW) == before


def test_a_home_of_an_earlier_tidemark_is_brought_up_to_date(home):
    """What the passports say is a table that is made from them, whatever columns it had before."""
    with warehouse.writing(home) as connection:
        connection.execute(
            "create or replace table raw.datasets as select 'tic/mfh' as dataset, 110 as content_age_days"
        )
    with warehouse.writing(home) as connection:
        said = connection.execute("select count(*), count(late_after_days) from raw.datasets").fetchall()
    assert said == [(len(registry.datasets()), len(registry.datasets()))]


# --- What is said of it beside it ------------------------------------------------------------------------


def test_a_warehouse_that_is_new_or_of_a_backup_has_only_what_it_has(home: Home) -> None:
    """What the archive holds and the warehouse lost is loaded by the next ingest, whoever made it anew."""
    ours, other = registry.dataset("tic/slt_table5"), registry.dataset("bea/gdp")
    pipeline.ingest(home, ours, snapshot.bundled(ours))
    backup = home.warehouse.read_bytes()
    later, _ = archive.register(home, ours, release_of_tomorrow(), date(2026, 9, 17), "f", ours.url)
    assert pipeline.ingest(home, ours, [])[0].release == later
    for earlier in (None, backup):
        home.warehouse.unlink()
        if earlier is not None:
            home.warehouse.write_bytes(earlier)
        pipeline.ingest(home, other, snapshot.bundled(other))
        assert not warehouse.is_loaded(home, later)
        assert later in [done.release for done in pipeline.ingest(home, ours, [])]
        assert warehouse.is_loaded(home, later)


def release_of_tomorrow() -> bytes:
    (item,) = (item for item in snapshot.bundled(registry.dataset("tic/slt_table5")) if "09-16" in item.file)
    return item.data


@pytest.mark.parametrize("left", [b"", b"[]", b"{}", b"\xff", b'{"step": "\\udcff"}'])
def test_an_outcome_that_is_none_is_set_aside_and_stops_nobody(home: Home, left: bytes) -> None:
    home.outcomes.mkdir(parents=True)
    (home.outcomes / "0.json").write_bytes(left)
    with warehouse.outcome_of(home, "publish", release="a\udcff"):
        pass
    assert len(warehouse.pending_outcomes(home)) == 1
    with warehouse.writing(home) as connection:
        assert connection.execute("select release from raw.outcomes").fetchall() == [("a\\udcff",)]
    assert [path.name for path in home.outcomes.iterdir()] == ["0.unreadable"]
