"""The published file opens in the DuckDB engines of others: from 1.2 on, and in the Node driver."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.compat.environments import python_with, said_by
from tidemark import query
from tidemark.settings import Home

# What a reader asks of a release, macros and views included; the answer is the same in every engine.
QUESTIONS = (
    "select holdings_usd_bn from fct_holdings where holder_id = 'CHN' and period_end = date '2025-10-31'",
    "select holdings_usd_bn from fct_holdings_as_of('2025-12-20') "
    "where holder_id = 'CHN' and period_end = date '2025-10-31'",
    "select count(*), round(sum(value)) from fct_series_as_of('2025-12-20') where unit = 'usd_bn'",
    "select count(*) from fct_gold_holdings_as_of('2026-06-30')",
    "select count(*) from fct_interest_burden_as_of('2025-06-30')",
    "select round(sum(change_usd_bn), 3) from change_decomposition_since('2022-12-31') "
    "where holder_id = 'CHN'",
    "select count(*) from mart_source_freshness",
    "select count(*) from staging.stg_tic__slt_table5",
    "select count(*), count(comment) from duckdb_columns() where schema_name = 'marts'",
)
ASKING = """
import json, sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
asked = [connection.execute(sql).fetchall() for sql in json.loads(sys.argv[2])]
print(json.dumps([[list(row) for row in rows] for rows in asked]))
"""


@pytest.fixture
def file(loaded_template: Home) -> Path:
    return loaded_template.current / "warehouse.duckdb"


@pytest.fixture
def expected(loaded_template: Home) -> list[list[list[object]]]:
    return [[list(row) for row in query.ask(loaded_template, sql).rows] for sql in QUESTIONS]


@pytest.mark.parametrize("version", ["1.2.2", "1.3.2", "1.4.4", "1.5.6"])
def test_an_older_engine_answers_alike(file, expected, tmp_path, version):
    python = python_with(tmp_path / "environment", f"duckdb=={version}")
    assert json.loads(said_by([python, "-c", ASKING, str(file), json.dumps(QUESTIONS)])) == expected
    assert expected[0] == [[687.7]]
    assert expected[1] == [[688.7]]


NODE = """
import { DuckDBInstance } from "@duckdb/node-api";
const [file, questions] = process.argv.slice(2);
const instance = await DuckDBInstance.create(file, { access_mode: "READ_ONLY" });
const connection = await instance.connect();
const answers = [];
for (const sql of JSON.parse(questions)) {
  const reader = await connection.runAndReadAll(sql);
  // The driver gives 64-bit counts as text, since its numbers have 53.
  answers.push(reader.getRowsJson().map((row) => row.map((cell) => (cell === null ? cell : Number(cell)))));
}
console.log(JSON.stringify(answers));
"""


def test_the_node_driver_answers_alike(file, expected, tmp_path):
    if not shutil.which("npm"):
        pytest.skip("npm is not installed (Debian: nodejs npm)")
    (tmp_path / "package.json").write_text('{"name": "reader", "private": true, "type": "module"}')
    call = ["npm", "install", "--silent", "--no-audit", "--no-fund", "@duckdb/node-api"]
    done = subprocess.run(call, check=False, capture_output=True, text=True, cwd=tmp_path)
    if done.returncode and any(sign in done.stderr for sign in ("ENOTFOUND", "ETIMEDOUT", "ECONNREFUSED")):
        pytest.skip(f"npm's registry is not reached: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr
    (tmp_path / "ask.mjs").write_text(NODE)
    answers = json.loads(said_by(["node", "ask.mjs", str(file), json.dumps(QUESTIONS)], cwd=str(tmp_path)))
    assert answers == expected


READING = """
import json, sys
from datetime import date
file, kind = sys.argv[1:]
sql = ("select period_end, holdings_usd_bn from fct_holdings "
       "where holder_id = 'CHN' and period_end >= date '2025-09-30' order by period_end")
if kind == "sqlalchemy":
    import sqlalchemy
    engine = sqlalchemy.create_engine(f"duckdb:///{file}", connect_args={"read_only": True})
    with engine.connect() as connection:
        rows = connection.execute(sqlalchemy.text(sql)).fetchall()
        assert "fct_holdings" in sqlalchemy.inspect(engine).get_view_names(schema="main")
elif kind == "pandas":
    import duckdb, pandas
    with duckdb.connect(file, read_only=True) as connection:
        frame = connection.execute(sql).df()
    rows = list(zip(frame.period_end.dt.date, frame.holdings_usd_bn))
    folder = file.rpartition("/")[0]
    parquet = pandas.read_parquet(f"{folder}/parquet/fct_holdings.parquet")
    csv = pandas.read_csv(f"{folder}/csv/fct_holdings.csv.gz", parse_dates=["period_end"])
    for held in (parquet, csv):
        day = pandas.to_datetime(held.period_end) == pandas.Timestamp("2025-10-31")
        assert held[(held.holder_id == "CHN") & day].holdings_usd_bn.tolist() == [687.7]
elif kind == "polars":
    import duckdb, polars
    with duckdb.connect(file, read_only=True) as connection:
        frame = polars.read_database(sql, connection)
    rows = frame.rows()
    lazy = polars.scan_parquet(file.rpartition("/")[0] + "/parquet/fct_holdings.parquet")
    october = (polars.col("holder_id") == "CHN") & (polars.col("period_end") == date(2025, 10, 31))
    china = lazy.filter(october).collect()
    assert china["holdings_usd_bn"].to_list() == [687.7]
else:
    import ibis
    connection = ibis.duckdb.connect(file, read_only=True)
    table = connection.table("fct_holdings")
    asked = table.filter(table.holder_id == "CHN", table.period_end >= ibis.date("2025-09-30"))
    frame = asked.order_by("period_end").select("period_end", "holdings_usd_bn").to_pandas()
    rows = [(getattr(day, "date", lambda: day)(), value) for day, value in frame.itertuples(index=False)]
print(json.dumps([[str(day)[:10], value] for day, value in rows]))
"""


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> str:
    return python_with(
        tmp_path_factory.mktemp("readers") / "environment",
        "duckdb-engine", "sqlalchemy>=2.0,<2.1", "pandas", "polars", "pyarrow", "ibis-framework[duckdb]",
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["sqlalchemy", "pandas", "polars", "ibis"])
def test_the_libraries_of_analysts_read_it(file, readers, loaded_template, kind):
    rows = json.loads(said_by([readers, "-c", READING, str(file), kind]))
    held = query.ask(
        loaded_template,
        "select cast(period_end as varchar), holdings_usd_bn from fct_holdings "
        "where holder_id = 'CHN' and period_end >= date '2025-09-30' order by period_end",
    ).rows
    assert rows == [list(row) for row in held]
    assert ["2025-10-31", 687.7] in rows
