"""Makes the releases that recording is measured on: FOLDER CELLS HOW_MANY_AFTER_THE_FIRST."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

LABELS, MEASURES = 1000, 10


def main(folder: Path, cells: int, following: int) -> None:
    connection = duckdb.connect()
    connection.execute("select setseed(0.42)")
    months = cells // (LABELS * MEASURES)
    connection.execute(
        f"""
        create table first as
        select 'Holder ' || label as label,
            last_day(date '1900-01-01' + to_months(cast(month as integer))) as period_end,
            'measure_' || measure as measure, round(random() * 1e6) as value,
            'published' as status, 'usd_mn' as unit, cast(row_number() over () as integer) as line
        from range({LABELS}) as labels(label), range({months}) as months(month),
            range({MEASURES}) as measures(measure)
        """
    )
    # The state of a cell in a release: 0 as at first, 1 another figure (the same whenever it is so: it
    # returns to it), 2 withdrawn. A cell in a hundred changes state from one release to the next.
    connection.execute("create table states as select line, 0 as state from first")
    connection.execute(f"copy first to '{folder}/0.parquet'")
    for number in range(1, following + 1):
        connection.execute(
            """
            create or replace table states as
            with drawn as (select line, state, random() as draw from states)
            select line, case when draw < 0.001 then if(state = 2, 0, 2)
                when draw < 0.01 then if(state = 0, 1, 0) else state end as state
            from drawn
            """
        )
        connection.execute(
            f"""
            copy (
                select * exclude (state) replace (if(state = 1, value + 1, value) as value)
                from first inner join states using (line) where state <> 2
            ) to '{folder}/{number}.parquet'
            """
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
