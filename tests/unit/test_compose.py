"""docker-compose.yml, the image and the secrets: checked as far as no container engine is needed."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tidemark import orchestrate
from tidemark.settings import project_root

ROOT = project_root()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text("utf-8")


def check(path: Path) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(call, capture_output=True, text=True, check=False)


def test_it_follows_the_compose_specification(tmp_path: Path) -> None:
    assert check(ROOT / "docker-compose.yml").returncode == 0
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text((ROOT / "docker-compose.yml").read_text("utf-8").replace("restart:", "restrat:", 1))
    assert check(wrong).returncode != 0


def test_no_secret_and_no_default_password_stands_in_it() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    for name in (
        "POSTGRES_PASSWORD",
        "AIRFLOW_FERNET_KEY",
        "AIRFLOW_JWT_SECRET",
        "AIRFLOW_API_SECRET_KEY",
        "TIDEMARK_ADMIN_PASSWORD",
    ):
        uses = re.findall(r"\$\{" + name + r"[^}]*\}", text)
        assert uses
        assert all(use == "${" + name + ":?first run make env}" for use in uses), name
    assert "/.env" in (ROOT / ".gitignore").read_text("utf-8")
    assert ".env" in (ROOT / ".dockerignore").read_text("utf-8").split()


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_bounded_and_needs_no_privilege(name: str) -> None:
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert limits["cpus"]
    assert limits["memory"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["restart"] in ("unless-stopped", "on-failure", "no")
    assert re.search(r":\d", service["image"]), "an image without a version"
    if name != "postgres":
        assert service["user"] == "10001:10001"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    if service["restart"] == "unless-stopped":
        assert service["healthcheck"]["test"]
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:")


def test_readers_see_published_releases_only_and_cannot_write() -> None:
    (mount,) = SERVICES["sql"]["volumes"]
    assert mount["read_only"] is True
    assert mount["volume"]["subpath"] == "published"
    assert SERVICES["sql"]["network_mode"] == "none"


def test_the_settings_are_those_of_the_native_processes() -> None:
    for name in ("api-server", "scheduler", "dag-processor", "triggerer"):
        assert SERVICES[name]["env_file"] == ["config/airflow.env"]
    assert orchestrate.shared_settings()["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"


def test_what_the_image_copies_is_there_and_it_runs_as_nobody_special() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, flags=re.MULTILINE)
    for names in copied:
        for name in names.split():
            assert (ROOT / name).exists(), name
    assert "USER 10001:10001" in DOCKERFILE
    assert "--require-hashes" in DOCKERFILE
    for image in re.findall(r"^FROM (\S+)", DOCKERFILE, flags=re.MULTILINE):
        assert re.fullmatch(r"python:3\.1[123]\.\d+-slim-bookworm", image)
    for part in ("src", "dags", "plugins", "config", "sources", "expectations", "dbt_project", "snapshot"):
        assert f"COPY {part} {part}" in DOCKERFILE


def test_make_env_writes_secrets_once_for_their_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    script = shutil.copy(ROOT / "docker" / "make-env.sh", tmp_path / "docker")
    assert subprocess.run(["sh", script], check=False, capture_output=True).returncode == 0
    written = tmp_path / ".env"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    pairs = dict(line.split("=", 1) for line in written.read_text().splitlines() if not line.startswith("#"))
    secrets = {name: value for name, value in pairs.items() if name != "TIDEMARK_ALERTS"}
    assert len(secrets) == len(set(secrets.values())) == 5
    assert all(len(value) >= 24 for value in secrets.values())
    from cryptography.fernet import Fernet

    Fernet(secrets["AIRFLOW_FERNET_KEY"])
    before = written.read_bytes()
    again = subprocess.run(["sh", script], check=False, capture_output=True, text=True)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert written.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "docker"]


def test_the_entrypoint_writes_the_password_where_only_its_user_reads_it(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords.json"
    done = subprocess.run(
        ["sh", str(ROOT / "docker" / "entrypoint"), "sh", "-c", "echo ${TIDEMARK_ADMIN_PASSWORD:-gone}"],
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TIDEMARK_ADMIN_PASSWORD": 'a"b',
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        },
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "gone\n"
    assert yaml.safe_load(passwords.read_text()) == {"admin": 'a"b'}
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
