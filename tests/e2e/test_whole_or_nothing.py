"""Only marts that were built whole, tested and validated from what is loaded are published."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from tests.conftest import BUNDLED, day
from tidemark import archive, build, pipeline, publish, registry
from tidemark.errors import BuildError, TidemarkError
from tidemark.settings import project_root
from tidemark.snapshot import Incoming


def revised_table5() -> bytes:
    """Table 5 of 2026-09-16 with China 2.0 higher in its newest month, and All Other 2.0 lower."""
    text = (BUNDLED / "slt_table5_2026-09-16.txt").read_bytes()
    for label in (b"China, Mainland", b"All Other"):
        line = next(row for row in text.split(b"\r\n") if row.startswith(label + b"\t"))
        cells = line.split(b"\t")
        moved = float(cells[1]) + (2.0 if label.startswith(b"China") else -2.0)
        text = text.replace(line, b"\t".join([cells[0], f"{moved:.1f}".encode(), *cells[2:]]))
    return text


@pytest.fixture
def revised_home(published_home):
    """A published home in which a second issue of Table 5 was loaded, and nothing built since."""
    dataset = registry.dataset("tic/slt_table5")
    incoming = Incoming("again.txt", revised_table5(), day("2026-09-16"), dataset.url)
    (loaded,) = pipeline.ingest(published_home, dataset, [incoming])
    assert (loaded.release.reissue, loaded.rows) == (1, 2)
    return published_home


def expect_refused(home):
    before = home.current.resolve()
    with pytest.raises(TidemarkError, match="not built and validated"):
        publish.publish(home)
    assert home.current.resolve() == before
    assert build.anything_new(home)


def test_a_load_without_a_build_is_not_published(revised_home):
    expect_refused(revised_home)


def test_a_failed_dbt_test_is_not_published(revised_home, tmp_path, monkeypatch):
    broken = tmp_path / "dbt_project"
    unkept = shutil.ignore_patterns("target", "logs")
    shutil.copytree(project_root() / "dbt_project", broken, ignore=unkept)
    (broken / "tests" / "fails.sql").write_text("select * from {{ ref('dim_holder') }} limit 1\n")
    monkeypatch.setattr(build, "project", lambda: broken)
    with pytest.raises(BuildError, match="fails"):
        build.build(revised_home)
    expect_refused(revised_home)


def test_a_build_that_another_overtook_is_not_taken_for_whole(revised_home):
    begun = build.build(revised_home)
    build.begin(revised_home)  # and is killed before its dbt begins
    build.validate_marts(revised_home)
    with pytest.raises(TidemarkError, match="another build began"):
        build.remember_built(revised_home, begun)
    expect_refused(revised_home)


def test_a_build_without_validation_is_not_published(revised_home):
    begun = build.build(revised_home)
    expect_refused(revised_home)
    build.validate_marts(revised_home)
    build.remember_built(revised_home, begun)
    assert publish.publish(revised_home).is_new


def test_a_killed_build_is_not_published_and_the_next_one_is_whole(revised_home):
    command = [sys.executable, "-m", "tidemark.cli", "--home", revised_home.root, "build"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as killed:
        until = time.monotonic() + 120
        while not any("dbt" in " ".join(child) for child in children_of(killed.pid)):
            assert time.monotonic() < until
            time.sleep(0.1)
        time.sleep(5)
        os.killpg(killed.pid, signal.SIGKILL)
    expect_refused(revised_home)
    for step in ("build", "publish"):
        subprocess.run([*command[:-1], step], check=True, capture_output=True)
    assert not build.anything_new(revised_home)
    tables = json.loads((revised_home.current / "release.json").read_text())["tables"]
    assert tables["raw.releases"]["rows"] == len(archive.releases(revised_home))


def children_of(pid):
    with suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.Error):
                yield child.cmdline()


def test_two_ingests_of_one_dataset_at_once_both_end_well(published_home):
    command = [
        sys.executable,
        "-m",
        "tidemark.cli",
        "--home",
        published_home.root,
        "ingest",
        "tic/slt_table5",
    ]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    for process in both:
        _, said = process.communicate(timeout=180)
        assert process.returncode == 0, said


def test_one_refused_file_holds_up_no_other_release_of_its_dataset(published_home):
    dataset = registry.dataset("tic/slt_table5")
    good = Incoming("good.txt", revised_table5(), day("2026-09-16"), dataset.url)
    bad = Incoming("bad.txt", b"<html>not found</html>", day("2026-10-16"), dataset.url)
    with pytest.raises(TidemarkError, match=r"bad\.txt"):
        pipeline.ingest(published_home, dataset, [bad, good])
    (again,) = pipeline.ingest(published_home, dataset, [good])
    assert again.already
