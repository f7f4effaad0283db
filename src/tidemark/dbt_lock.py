"""A dbt-duckdb plugin: whoever runs dbt on the warehouse holds the right to write it until the process ends.

However dbt is started (`tidemark build`, Airflow's task, a developer's shell), it waits its turn behind
loads and publications instead of failing with DuckDB's "could not set lock".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from filelock import FileLock, Timeout

from tidemark import warehouse
from tidemark.build import BUILT_NOTE
from tidemark.errors import BusyError
from tidemark.settings import Home

_held: dict[Path, FileLock] = {}


class Plugin(BasePlugin):  # type: ignore[misc]  # dbt-duckdb ships no types
    """Named in `dbt_project/profiles.yml`."""

    def update_connection_config(self, creds: Any, config: dict[str, Any]) -> None:  # noqa: ARG002
        """Called just before DuckDB opens the file; dbt opens and closes it several times in one process."""
        path = Home(Path(creds.path).resolve().parent).write_lock
        if path in _held:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=warehouse.WAIT_FOR_WRITER_SECONDS)
        except Timeout:
            raise BusyError(
                f"another process has been writing {creds.path} for {warehouse.WAIT_FOR_WRITER_SECONDS} s",
                "wait for it to end",
            ) from None
        _held[path] = lock
        # The one before may have given up its turn a moment before DuckDB let go of the file.
        home = Home(path.parent)
        warehouse.connect(home, read_only=False).close()
        # Whatever dbt does now, the marts are not known to be whole until they are validated again.
        (home.root / BUILT_NOTE).unlink(missing_ok=True)
