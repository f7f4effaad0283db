"""Three years of monthly TIC releases through the real DAGs, a release a day of simulated time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.standin import tic
from tidemark.settings import Home, project_root

PUBLICATIONS = tic.publications()


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, list[dict[str, Any]]]:
    home = Home(tmp_path_factory.mktemp("years") / "home")
    script = Path(__file__).with_name("years.py")
    done = subprocess.run(
        [sys.executable, str(script), str(home.root)],
        cwd=project_root(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return home, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_every_release_is_loaded_once_on_its_day(years: tuple[Home, list[dict[str, Any]]]) -> None:
    days = {said["day"]: said for said in years[1] if "day" in said}
    assert len(PUBLICATIONS) == 36
    loaded = 6  # what is bundled, on the first day
    for publication in PUBLICATIONS:
        said = days[publication.day.isoformat()]
        fresh = [release for release in said["new"] if f"@{publication.day}." in release]
        assert sorted(release.partition("@")[0] for release in fresh) == sorted(publication.files)
        loaded += 3
        assert said["loaded"] == loaded
        assert said["failed"] == []
    with duckdb.connect(str(years[0].warehouse), read_only=True) as connection:
        counts = connection.execute(
            "select dataset, count(*), count(distinct archive_sha256) from raw.releases "
            "where released_on > '2026-07-01' group by all order by all"
        ).fetchall()
    assert counts == [("tic/mfhhis01", 36, 36), ("tic/slt_table3", 36, 36), ("tic/slt_table5", 36, 36)]


def test_nothing_is_loaded_again_where_nothing_changed(years: tuple[Home, list[dict[str, Any]]]) -> None:
    published = {publication.day.isoformat() for publication in PUBLICATIONS}
    quiet = [said for said in years[1] if "day" in said and said["day"] not in published]
    assert len(quiet) == 2
    for said in quiet:
        assert said["new"] == []
        assert {f"{dataset}.fetch" for dataset in ("mfhhis01", "slt_table3", "slt_table5")} <= set(
            said["ran"]
        )


def test_revisions_are_those_that_were_published(years: tuple[Home, list[dict[str, Any]]]) -> None:
    """Each figure of Japan's is printed 1.5 too high three times, and stands corrected from the fourth on."""
    with duckdb.connect(str(years[0].warehouse), read_only=True) as connection:
        prints = connection.execute(
            "select strftime(period_end, '%Y-%m'), released_on, value from raw.tic__slt_table5 "
            "where label = 'Japan' and released_on > '2026-07-01' and period_end > '2026-04-30' order by all"
        ).fetchall()
    by_month: dict[str, list[tuple[Any, float]]] = {}
    for month, released_on, value in prints:
        by_month.setdefault(month, []).append((released_on, value))
    assert len(by_month) == 36
    days = {publication.newest_month: publication.day for publication in PUBLICATIONS}
    months = sorted(days)
    for month, said in by_month.items():
        at = months.index(month)
        assert said[0][0] == days[month]
        if at + tic.REVISED_MONTHS < len(months):
            first, then = said
            assert then[0] == days[months[at + tic.REVISED_MONTHS]]
            assert first[1] - then[1] == pytest.approx(tic.REVISED_BY[tic.JAPAN])
        else:
            assert len(said) == 1


def test_the_marts_equal_those_made_from_the_archive_alone(years: tuple[Home, list[dict[str, Any]]]) -> None:
    built = [said for said in years[1] if "published" in said]
    assert len(built) == 2
    assert built[0]["published"] != built[1]["published"]
    for said in built:
        assert said["differs"] == []
        assert said["rebuilt"] > 100
