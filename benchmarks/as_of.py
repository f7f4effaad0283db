"""As of a day: 100 million versions in the layout of `fct_holdings_vintages`.

All cells as of a day, by the project's own table macro, against a bare range filter over the same table; and
one holder's history as of a day. The table is in the order in which the model writes it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import duckdb
from jinja2 import Environment

from benchmarks.measure import Row, at_most, medians, written
from tidemark import build

VERSIONS = 100_000_000
HOLDERS, MONTHS, RELEASES = 250, 4000, 100
HOLDER_SECONDS = 0.05


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="tidemark-bench-") as folder:
        connection = duckdb.connect(str(Path(folder) / "vintages.duckdb"))
        connection.execute("set enable_progress_bar = false")
        make(connection)
        connection.execute(macro())
        day = "date '2022-06-30'"
        figures = "count(*), sum(holdings_usd_bn)"
        ours, bare = (
            f"select {figures} from main.fct_holdings_as_of('2022-06-30')",
            f"select {figures} from marts.fct_holdings_vintages where released_on <= {day} "
            f"and (superseded_on is null or superseded_on > {day})",
        )
        if connection.execute(ours).fetchall()[0][0] != HOLDERS * MONTHS:
            raise AssertionError("each cell has one version on that day")
        one = "select * from main.fct_holdings_as_of('2022-06-30') where holder_id = 'H123'"
        seconds, theirs, holder = medians(
            lambda: connection.execute(ours).fetchall(),
            lambda: connection.execute(bare).fetchall(),
            lambda: connection.execute(one).fetchall(),
        )
        yield at_most(
            f"all cells as of a day, of {VERSIONS:,} versions", "a bare range filter", seconds, theirs, 1.3
        )
        yield Row(
            f"one holder's {MONTHS:,} months as of a day, of {VERSIONS:,} versions", "", written(holder), "",
            None, "under 50 ms", holder < HOLDER_SECONDS, "the model writes holders in order",
        )  # fmt: skip
        connection.close()


def make(connection: duckdb.DuckDBPyConnection) -> None:
    """Each cell of 250 holders and 4,000 months in 100 versions, a month from one to the next."""
    connection.execute("create schema marts")
    connection.execute(
        f"""
        create table marts.fct_holdings_vintages as
        select 'H' || lpad(cast(holder as varchar), 3, '0') as holder_id, 'Holder ' || holder as holder_name,
            'country' as kind, last_day(date '1700-01-01' + to_months(cast(month as integer))) as period_end,
            round((hash(holder, month, release) % 1000000) / 1000.0, 1) as holdings_usd_bn,
            'published' as status, date '2018-01-15' + to_months(cast(release as integer)) as released_on,
            case when release < {RELEASES - 1}
                then date '2018-01-15' + to_months(cast(release + 1 as integer)) end as superseded_on,
            cast(release + 1 as integer) as version, 0 as reissue, 'tic/slt_table5' as dataset,
            'published' as evidence, md5(cast(release as varchar)) as archive_sha256, 7 as line
        from (
            select number // {MONTHS * RELEASES} as holder, number // {RELEASES} % {MONTHS} as month,
                number % {RELEASES} as release
            from range({VERSIONS}) as versions(number)
        )
        """
    )
    ((made,),) = connection.execute("select count(*) from marts.fct_holdings_vintages").fetchall()
    if made != VERSIONS:
        raise AssertionError(f"{made:,} versions")


def macro() -> str:
    """The table macro as the project's own dbt macro renders it."""
    text = (build.project() / "macros" / "as_of.sql").read_text("utf-8")
    target = SimpleNamespace(type="duckdb")
    macros = Environment(autoescape=False).from_string(text, globals={"target": target}).module
    return str(macros.create_as_of("fct_holdings"))  # type: ignore[attr-defined]
