"""dbt: a second release taken into a snapshot. FIRST SECOND FOLDER; prints the seconds of the snapshot."""

import json
import sys
from pathlib import Path

import duckdb
from dbt.cli.main import dbtRunner

first, second, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
(folder / "snapshots").mkdir()
(folder / "dbt_project.yml").write_text(
    "name: bench\nprofile: bench\nversion: '1.0'\nsnapshot-paths: [snapshots]\n"
)
(folder / "profiles.yml").write_text(
    "bench:\n  target: duckdb\n  outputs:\n    duckdb:\n"
    f"      type: duckdb\n      path: {folder}/dbt.duckdb\n      threads: 1\n"
)
(folder / "snapshots" / "cells.sql").write_text(
    """{% snapshot cells %}
{{ config(target_schema='kept', unique_key=['label', 'period_end', 'measure'], strategy='check',
          check_cols=['value', 'status', 'unit'], hard_deletes='invalidate') }}
select label, period_end, measure, value, status, unit from main.arrived
{% endsnapshot %}
"""
)


def record(path: str) -> float:
    with duckdb.connect(str(folder / "dbt.duckdb")) as connection:
        connection.execute(f"create or replace table main.arrived as from '{path}'")
    said = dbtRunner().invoke(
        ["--quiet", "snapshot", "--project-dir", str(folder), "--profiles-dir", str(folder)]
    )
    assert said.success, said.exception
    (result,) = said.result.results
    return result.execution_time


record(first)
taken = record(second)
with duckdb.connect(str(folder / "dbt.duckdb")) as connection:
    ((retired,),) = connection.execute(
        "select count(*) from kept.cells where dbt_valid_to is not null"
    ).fetchall()
assert retired > 0
print(json.dumps({"seconds": taken}))
