"""A PostgreSQL server of a test's own: in its own folder, on a free port, never as root."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tidemark import orchestrate


def programs() -> Path:
    """The folder of Debian's or another's `initdb` and `postgres`; skips where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and not on_path:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    return Path(on_path or found[-1]).parent if not found else found[-1].parent


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The address of an empty database, for SQLAlchemy."""
    bin_folder, port, password = programs(), orchestrate.free_ports(1)[0], secrets.token_hex(16)
    folder.mkdir(parents=True)
    user, secret = _plain_user(), folder / "password"
    secret.write_text(password)
    as_user: list[str] = []
    if os.geteuid() == 0:
        for path in (folder, secret):
            shutil.chown(path, user)
        for parent in folder.parents:
            # pytest keeps its folders to their owner; the server has to pass through them.
            if parent.owner() == "root" and parent.is_relative_to("/tmp") and parent != Path("/tmp"):
                parent.chmod(parent.stat().st_mode | 0o111)
        as_user = ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"]
    data = folder / "data"
    call = [*as_user, str(bin_folder / "initdb"), "--pgdata", str(data), "--username", "tidemark", "--auth"]
    subprocess.run(
        [*call, "scram-sha-256", "--pwfile", str(secret)], check=True, capture_output=True, cwd="/"
    )
    with (folder.parent / "postgres.log").open("wb") as log:
        server = subprocess.Popen(
            [*as_user, str(bin_folder / "postgres"), "-D", str(data), "-p", str(port), "-k", str(folder),
             "-c", "listen_addresses=127.0.0.1"],
            stdout=log, stderr=subprocess.STDOUT, cwd="/",
        )  # fmt: skip
        try:
            ready = [str(bin_folder / "pg_isready"), "--host", "127.0.0.1", "--port", str(port)]
            for _ in range(100):
                if subprocess.run(ready, check=False, capture_output=True).returncode == 0:
                    break
                assert server.poll() is None, (folder.parent / "postgres.log").read_text()
            else:
                raise AssertionError("PostgreSQL did not start")
            yield f"postgresql+psycopg2://tidemark:{password}@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait(30)


def _plain_user() -> str:
    """Whom the server runs as: whoever runs the test, or `postgres` or `nobody` where that is root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
