"""What docs/security.md promises, as far as no other test shows it."""

import json
import logging
import os
import re
import subprocess
import sys

import pytest
from markdown_it import MarkdownIt

from tests.conftest import BUNDLED, day
from tidemark import alerts, inbox, pipeline, publish, registry, snapshot
from tidemark.errors import RefusedFileError, UsageError
from tidemark.settings import project_root
from tidemark.snapshot import Incoming

TABLE5 = registry.dataset("tic/slt_table5")
SECRET = "hunter2-do-not-tell"
SECRETS = [
    r"-----BEGIN [A-Z ]*PRIVATE KEY",
    r"\bAKIA[0-9A-Z]{16}\b",
    r"\bgh[pousr]_[A-Za-z0-9]{30,}",
    r"\bxox[abpr]-[A-Za-z0-9-]{10,}",
    r"\beyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\.",
    r"(?i)\b(password|passwd|secret|api_?key|token)\b[\"']?\s*[:=]\s*[\"'][^\"'{}$<>\s]{12,}[\"']",
    r"[a-z]+://[^\s/:@\"'{}$<>]+:(?!password@|secret@)[^\s/@\"'{}$<>]{6,}@",
]


def tracked() -> list[str]:
    if not (project_root() / ".git").exists():
        pytest.skip("there is no git repository here to list the tree of")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=project_root(), check=True, capture_output=True)
    return [name for name in listed.stdout.decode().split("\0") if name]


@pytest.mark.parametrize("pattern", SECRETS)
def test_no_secret_stands_in_the_tree(pattern):
    found = []
    for name in tracked():
        data = (project_root() / name).read_bytes()
        if b"\0" not in data[:1024]:
            found += [(name, hit[0]) for hit in re.finditer(pattern, data.decode("utf-8", "replace"))]
    assert [hit for hit in found if SECRET not in hit[1]] == []


def test_the_patterns_know_secrets():
    for one, other in (  # each in two pieces, or it would be found here
        ("AKIA", "ABCDEFGHIJKLMNOP"), ("password =", " 'correcthorsebattery'"),
        ("postgresql://me", ":letmein9@host/db"), ("-----BEGIN RSA", " PRIVATE KEY-----"),
    ):  # fmt: skip
        text = one + other
        assert any(re.search(pattern, text) for pattern in SECRETS), text


def test_every_package_is_locked_with_hashes_and_without_an_address():
    lock = (project_root() / "requirements.lock").read_text()
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert len(entries) > 150
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+(\[[^\]]*\])?==\S+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]
        assert "://" not in entry, entry[:80]


def test_no_secret_of_the_environment_stands_in_a_dag_as_airflow_shows_it(tmp_path):
    script = f"""
import json, os
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
bag = DagBag({str(project_root() / "dags")!r})
assert not bag.import_errors, bag.import_errors
assert len(bag.dags) > 8
for dag in bag.dags.values():
    print(json.dumps(DagSerialization.to_dict(dag), default=str), dag.doc_md)
"""
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(project_root() / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": os.pathsep.join([str(project_root() / "plugins"), str(project_root() / "src")]),
        "TIDEMARK_HOME": str(tmp_path / "home"),
        "TIDEMARK_LIVE": "1",
        "TIDEMARK_ALERTS": f"mailtos://me:{SECRET}@example.org",
        "TIDEMARK_ADMIN_PASSWORD": SECRET,
        "AIRFLOW__API_AUTH__JWT_SECRET": SECRET,
        "AIRFLOW__CORE__FERNET_KEY": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "ingest_tic" in done.stdout
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "address", [f"nosuch://me:{SECRET}@example.invalid", f"jsons://me:{SECRET}@127.0.0.1:1/hook"]
)
def test_an_alert_that_fails_tells_no_password(address, monkeypatch, caplog):
    monkeypatch.setenv(alerts.VARIABLE, address)
    with caplog.at_level(logging.DEBUG):
        assert not alerts.send("a title", "a body")
    assert SECRET not in caplog.text


def test_a_mirror_that_cannot_be_reached_tells_no_password(loaded_template):
    for url in (
        f"postgresql://me:{SECRET}@127.0.0.1:1/db",
        f"postgresql://me:{SECRET}@127.0.0.1:notaport/db",
        f"postgresql://me:{SECRET}/db?no=such",
        # What libpq does not read as an address, or reads as another one.
        f"postgresql+psycopg2://me:{SECRET}@127.0.0.1:1/db",
        f"me:{SECRET}@127.0.0.1/db",
        f"postgresql://me:with%zz{SECRET}@127.0.0.1:1/db",
        f"postgresql://me:with/{SECRET}@127.0.0.1:1/db",
        f"postgresql://me:with@{SECRET}@127.0.0.1:1/db",
    ):
        done = subprocess.run(
            [sys.executable, "-m", "tidemark.cli", "--home", str(loaded_template.root), "mirror", url],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode in (1, 2)
        assert "Traceback" not in done.stderr
        assert SECRET not in done.stdout + done.stderr


def test_a_link_in_the_inbox_brings_in_no_file_of_this_machine(home, tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_bytes((BUNDLED / "slt_table5_2026-06-18.txt").read_bytes())
    folder = inbox.folder(home, TABLE5)
    folder.mkdir(parents=True)
    (folder / "linked_2026-06-18.txt").symlink_to(outside)
    (home.inbox / "linked.txt").symlink_to(outside)
    assert inbox.waiting(home, TABLE5) == []
    assert inbox.file_by_content(home) == []
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "found_2026-06-18.txt").write_bytes(outside.read_bytes())
    other = inbox.folder(home, registry.dataset("tic/slt_table3"))
    other.symlink_to(elsewhere)
    assert inbox.waiting(home, registry.dataset("tic/slt_table3")) == []
    assert inbox.anything_waiting(home) == []


@pytest.mark.parametrize("linked", ["tic", "tic/slt_table5"])
def test_a_link_in_the_inbox_leads_no_file_out_of_it(home, tmp_path, linked):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = home.inbox / linked
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)
    path = home.inbox / "brought.txt"
    path.write_bytes((BUNDLED / "slt_table5_2026-06-18.txt").read_bytes())
    (filed,) = inbox.file_by_content(home)
    assert (filed.dataset, "is a link" in filed.reason) == (None, True)
    assert path.exists()
    assert list(elsewhere.rglob("*")) == []


@pytest.mark.parametrize(
    "name",
    ["../../../outside.txt", "/etc/cron.d/outside", "..", "reason.json", "a/../../outside", "-rf *;ls"],
)
def test_a_files_name_cannot_leave_the_folder_of_what_was_refused(home, name):
    before = {path for path in home.root.parent.rglob("*") if home.root not in path.parents}
    with pytest.raises(RefusedFileError):
        pipeline.ingest(home, TABLE5, [Incoming(name, b"<html>", day("2026-06-18"), TABLE5.url)])
    (reason,) = home.quarantine.rglob("reason.json")
    assert json.loads(reason.read_text())["file"] == name
    (kept,) = (path for path in reason.parent.iterdir() if path != reason)
    assert kept.read_bytes() == b"<html>"
    after = {path for path in home.root.parent.rglob("*") if home.root not in path.parents}
    assert after - before <= {home.root}


@pytest.mark.parametrize("name", ["../../outside", "/etc", "current", ".building-x", ""])
def test_a_rollback_cannot_leave_the_folder_of_releases(loaded_template, name):
    before = loaded_template.current.resolve()
    with pytest.raises(UsageError, match="there is no published release"):
        publish.rollback(loaded_template, name)
    assert loaded_template.current.resolve() == before


def test_a_label_with_sql_in_it_is_a_label(home):
    """What a publisher writes reaches SQL as a value, and never as a part of it."""
    text = (BUNDLED / "cited_first_prints_2025-12-18.csv").read_bytes()
    hostile = b'"Japan\'); drop table raw.releases; --"'
    label = text.split(b"\r\n" if b"\r\n" in text else b"\n")[1].rsplit(b",", 3)[0]
    dataset = registry.dataset("tic/cited_first_prints")
    item = snapshot.bundled(dataset)[0]
    with pytest.raises(RefusedFileError, match="is no holder"):
        pipeline.ingest(
            home, dataset,
            [Incoming("cited.csv", text.replace(label, hostile), item.released_on, dataset.url)],
        )  # fmt: skip


def test_the_threat_model_is_a_page_and_every_file_it_names_is_there():
    page = (project_root() / "docs" / "security.md").read_text("utf-8")
    assert 200 < len(page.split()) < 1200
    assert "<h1>" in MarkdownIt().render(page)
    for name in re.findall(r"`((?:src|tests|docker|docs|config|sources)/[\w./-]+)`", page):
        assert (project_root() / name).exists(), name
