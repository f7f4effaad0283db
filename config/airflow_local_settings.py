"""Read by every Airflow process at its start (`config/` stands on its PYTHONPATH).

The scheduler imports what tasks need once; the workers that it forks inherit it, which spares each task the
seconds that dbt and Great Expectations take to import.
"""

from __future__ import annotations

import gc
import sys

# Imports make millions of objects that live for ever; at the default threshold a third of an Airflow
# process's start goes into looking through them.
gc.set_threshold(100_000, 50, 100)

if "scheduler" in sys.argv[1:2]:
    import tidemark.tasks  # noqa: F401
