"""The archive keeps bytes by their hash, and says which are no longer what arrived."""

import random
import subprocess
import sys

import pytest

from tests.conftest import day
from tidemark import archive, pipeline, registry, snapshot
from tidemark.settings import Home

DATASETS = ("tic/slt_table5", "wgc/cited_demand")


@pytest.fixture
def filled(home: Home) -> Home:
    for name in DATASETS:
        dataset = registry.dataset(name)
        for item in snapshot.bundled(dataset):
            archive.register(
                home, dataset, item.data, item.released_on or day("2026-03-18"), item.file, item.source_url
            )
    return home


def verify(home: Home) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "tidemark.cli", "--home", str(home.root), "archive", "verify"]
    return subprocess.run(call, capture_output=True, text=True, check=False)


def test_an_archive_as_it_arrived_is_said_to_be_so(filled):
    done = verify(filled)
    assert done.returncode == 0, done.stderr
    assert f"{len(archive.releases(filled))} releases are, to the bit, what arrived" in done.stdout


@pytest.mark.parametrize("seed", range(20))
def test_any_flipped_bit_of_any_file_is_found_and_the_file_named(filled, seed):
    draw = random.Random(seed)
    paths = sorted(path for path in (filled.archive / "objects").rglob("*") if path.is_file())
    path = draw.choice(paths)
    data = bytearray(path.read_bytes())
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.chmod(0o644)
    path.write_bytes(data)
    (problem,) = archive.verify(filled).problems
    assert str(path) in problem


def test_a_lost_file_and_a_damaged_entry_are_told_with_what_rests_on_them(filled):
    lost, damaged = archive.releases(filled)[:2]
    archive.object_path(filled, lost.sha256).unlink()
    entry = filled.archive / "releases" / damaged.dataset / f"{damaged.released_on}.{damaged.reissue}.json"
    entry.write_bytes(entry.read_bytes().replace(b'"sha256"', b'"sha255"'))
    done = verify(filled)
    assert done.returncode == 1
    assert f"is gone; {lost.id} needs it" in done.stderr
    assert f"{entry} is no archive entry" in done.stderr
    assert "restore" in done.stderr


@pytest.mark.parametrize(("was", "became"), [(b".txt", b".uxt"), (b'"published"', b'"qublished"')])
def test_a_flipped_bit_in_an_entry_shows_against_the_warehouse(home, was, became):
    dataset = registry.dataset("tic/slt_table5")
    release = pipeline.ingest(home, dataset, snapshot.bundled(dataset))[0].release
    assert verify(home).returncode == 0
    entry = home.archive / "releases" / release.dataset / f"{release.released_on}.{release.reissue}.json"
    entry.write_bytes(entry.read_bytes().replace(was, became, 1))
    done = verify(home)
    assert done.returncode == 1
    assert f"the entry of {release.id} says" in done.stderr


def test_an_empty_archive_is_no_sound_one(home):
    done = verify(home)
    assert (done.returncode, "is empty" in done.stderr) == (1, True)


def test_who_refuses_a_file_late_withdraws_no_other_that_became_its_issue(home):
    """Two processes refuse the same file; between them another file becomes the first issue of that day."""
    dataset = registry.dataset("tic/slt_table5")
    today = day("2026-06-18")
    bad, _ = archive.register(home, dataset, b"bad", today, "bad.txt", dataset.url)
    archive.withdraw(home, bad)
    good, _ = archive.register(home, dataset, b"good", today, "good.txt", dataset.url)
    assert good.reissue == bad.reissue
    archive.withdraw(home, bad)
    assert archive.releases(home) == [good]
