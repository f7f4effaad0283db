"""dlt: a second release merged into a slowly changing dimension. FIRST SECOND FOLDER; prints the seconds."""

import json
import sys
import time
from pathlib import Path

import dlt
import pyarrow.parquet as parquet

first, second, folder = sys.argv[1:]
pipeline = dlt.pipeline(
    "bench",
    destination=dlt.destinations.duckdb(str(Path(folder) / "dlt.duckdb")),
    dataset_name="bench",
    pipelines_dir=folder,
)


def record(path: str) -> float:
    table = parquet.read_table(path)
    # The row's version is told by what it says, computed beforehand: dlt would do so row by row.
    table = table.drop_columns(["line"])
    keys = [table[name].cast("string") for name in table.column_names]
    import pyarrow.compute as pc

    table = table.append_column("row_version", pc.binary_join_element_wise(*keys, "|"))

    @dlt.resource(
        name="cells",
        write_disposition={
            "disposition": "merge",
            "strategy": "scd2",
            "row_version_column_name": "row_version",
        },
    )
    def cells():
        yield table

    begun = time.perf_counter()
    pipeline.run(cells(), loader_file_format="parquet")
    return time.perf_counter() - begun


record(first)
taken = record(second)
with pipeline.sql_client() as client:
    ((retired,),) = client.execute_sql("select count(*) from cells where _dlt_valid_to is not null")
assert retired > 0
print(json.dumps({"seconds": taken}))
