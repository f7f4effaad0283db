"""docs/sources/ and docs/licences.md: they say what the passports say, and a check tells when they do not."""

from __future__ import annotations

import dataclasses
import html
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from datetime import date

import pytest
from markdown_it import MarkdownIt

from tidemark import corrections, registry
from tidemark.settings import project_root

_spec = importlib.util.spec_from_file_location("docs_render", project_root() / "docs" / "render.py")
render = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(render)

TIC = registry.source("tic")
# A source that no passport has, with everything that a page must withstand.
DATASET = dataclasses.replace(
    registry.dataset("bea/gdp"),
    source="far",
    id="flows",
    key=("label", "side"),
    series=(*(f"{n}. Services | line {n}" for n in range(140)), "`quoted`", " blanks  within "),
    looks_ahead_days=3650,
    content_age_days=-200,
    frictions=("A label may hold <b>, * or `*`.",),
    plausible_revision=registry.PlausibleRevision(0.07, "Measured | between two editions."),
    reference_values=tuple(
        {
            "label": "`quoted`",
            "side": "credit",
            "period_end": date(2020, 1, day),
            "measure": "gdp",
            "value": 40047425768420.22,
        }
        for day in range(1, 20)
    ),
)
SOURCE = dataclasses.replace(
    registry.source("bea"),
    id="far",
    licence={"name": "Own terms", "url": "https://example.org/terms", "redistribution": "extract_only"},
    datasets=(DATASET,),
)
RELEASES = [
    {
        "dataset": "far/flows",
        "released_on": f"2020-01-{day:02}",
        "file": f"far/{day}.xlsx",
        "sha256": f"{day:064}",
        "bytes": "12345",
    }
    for day in range(1, 31)
]


def plain(page: str) -> str:
    """A page as its reader sees it: words without tags."""
    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(page)
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"</?code>|</?strong>|</?a[^>]*>", "", shown)))


def words(text: str) -> str:
    return " ".join(text.replace("`", "").split())


# --- The pages that stand there -------------------------------------------------------------------------


@pytest.mark.parametrize("source", registry.sources().values(), ids=lambda source: source.id)
def test_a_page_says_what_the_passport_says(source):
    said = words(plain((render.DOCS / "sources" / f"{source.id}.md").read_text("utf-8")))
    expected = [
        source.title, source.publisher, source.country, source.cadence, source.attribution,
        source.licence["name"], source.release_calendar["time"], source.release_calendar["timezone"],
        source.release_calendar.get("note", ""), source.revisions.get("note", ""), *source.frictions,
        *(f"{day.day} {day:%b}" for day in source.release_calendar["dates"]),
    ]  # fmt: skip
    for dataset in source.datasets:
        expected += [dataset.name, dataset.title, dataset.file, dataset.format, *dataset.key, *dataset.series]
        expected += [
            dataset.plausible_revision.reason,
            *dataset.frictions,
            f"{dataset.content_age_days:,}".strip("-"),
        ]
        expected += [text for name, m in dataset.measures.items() for text in (name, m.unit)]
        expected += [render._number(bound) for m in dataset.measures.values() for bound in (m.min, m.max)]
        if dataset.closing:
            expected.append(dataset.closing.reason)
        expected += [c.reason for c in corrections.of(dataset)]
        for reference in dataset.reference_values:
            expected += [str(reference["period_end"]), render._number(reference["value"])]
            expected += [str(reference[k]) for k in ("label", "released_on", "note") if k in reference]
    for text in expected:
        assert words(text) in said, text


def test_every_bundled_release_stands_on_its_page_with_its_hash():
    rows = render.MANIFEST.read_text("utf-8").splitlines()[1:]
    assert rows
    for row in rows:
        source, digest = row.split("/", 1)[0], row.rsplit(",", 2)[1]
        assert f"`{digest}`" in (render.DOCS / "sources" / f"{source}.md").read_text("utf-8")


def test_links_within_the_project_lead_somewhere():
    for page in [render.DOCS / "licences.md", *(render.DOCS / "sources").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_row_of_a_table_has_its_columns():
    for page in render.pages([*registry.sources().values(), SOURCE], RELEASES).values():
        for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
            bars = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(bars) == 1, table


# --- Pages of passports that are yet to come ------------------------------------------------------------


def test_long_lists_are_folded_and_labels_stand_as_published():
    page = render.source_page(SOURCE, RELEASES)
    assert "<details><summary>142 series</summary>" in page
    assert "<details><summary>19 published figures</summary>" in page
    assert "<details><summary>30 releases, 2020-01-01 to 2020-01-30</summary>" in page
    assert "139. Services | line 139" in plain(page)
    assert "`  blanks  within  `" in page
    assert "`` `quoted` ``" in page


def test_figures_lose_no_digit_and_words_are_not_taken_for_markdown():
    said = plain(render.source_page(SOURCE, RELEASES))
    assert "40,047,425,768,420.22" in said
    assert "At most 7 percent. Measured | between two editions." in said
    assert "A label may hold <b>, * or *." in words(said)
    assert "at least 200 days ahead" in said
    assert "3,650 days" in said


def test_the_licence_list_says_what_published_releases_leave_out():
    page = render.licence_page([*registry.sources().values(), SOURCE])
    (row,) = (line for line in page.splitlines() if line.startswith("| [far]"))
    assert "[Own terms](https://example.org/terms)" in row
    assert "extracts only" in row
    assert "no raw or staging table" in row
    assert "TIDEMARK_INCLUDE_RESTRICTED=1" in row
    for source in registry.sources().values():
        (row,) = (line for line in page.splitlines() if line.startswith(f"| [{source.id}]"))
        assert source.licence["name"] in row
        assert source.attribution in row
        restricted = source.licence["redistribution"] == "extract_only"
        assert ("no raw or staging table" in row) == restricted


# --- The check ------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path):
    """A copy of what the pages are made from, and of the pages."""
    for part in ("sources", "docs", "src"):
        shutil.copytree(project_root() / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "snapshot").mkdir()
    shutil.copy(render.MANIFEST, tmp_path / "snapshot")
    seed = tmp_path / corrections.SEED
    seed.parent.mkdir(parents=True)
    shutil.copy(project_root() / corrections.SEED, seed)
    return tmp_path


def run(project, *arguments):
    return subprocess.run(
        [sys.executable, project / "docs" / "render.py", *arguments],
        env={**os.environ, "PYTHONPATH": str(project / "src")}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def change(file, old, new):
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_check_holds_until_a_passport_the_manifest_or_a_page_changes(project):
    assert run(project, "--check").returncode == 0
    for file, old, new, page in (
        ("sources/bea.yml", "lag_months: 1", "lag_months: 2", "docs/sources/bea.md"),
        ("snapshot/manifest.csv", "tic/mfh,2023-03-15", "tic/mfh,2023-03-14", "docs/sources/tic.md"),
        ("docs/sources/fed.md", "weekly", "monthly", "docs/sources/fed.md"),
        ("sources/fed.yml", "redistribution: allowed", "redistribution: extract_only", "docs/licences.md"),
    ):
        change(project / file, old, new)
        checked = run(project, "--check")
        assert checked.returncode == 1
        assert f"{page} is not what docs/render.py writes: run `make docs`" in checked.stdout
        assert run(project).returncode == 0
        assert run(project, "--check").returncode == 0


def test_a_source_that_is_gone_leaves_no_page(project):
    (project / "sources" / "bea.yml").unlink()
    checked = run(project, "--check")
    assert checked.returncode == 1
    assert "docs/sources/bea.md is not what" in checked.stdout
    assert run(project).returncode == 0
    assert not (project / "docs" / "sources" / "bea.md").exists()
    assert (project / "docs" / "how-it-works.md").exists()
