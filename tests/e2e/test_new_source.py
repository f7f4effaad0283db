"""`make new-source` renders a sound start; once it is filled in it runs, and no other file was touched.

Everything happens in a copy of the project, in processes that import the package from there.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tidemark.errors import UsageError
from tidemark.settings import HOME_VARIABLE, Home, project_root

PARTS = (
    "src", "config", "dags", "plugins", "sources", "expectations", "dbt_project", "snapshot",
    "docs", "templates",
    "tests", "pyproject.toml",
)  # fmt: skip
PASSPORT = "sources/harbour.yml"
MODULE = "src/tidemark/sources/harbour.py"
SUITE = "expectations/harbour/tonnage.json"
STAGING = "dbt_project/models/staging/harbour/stg_harbour__tonnage.sql"
STAGING_YAML = "dbt_project/models/staging/harbour/_harbour.yml"
TEST = "tests/sources/test_harbour.py"
FILES = {PASSPORT, MODULE, SUITE, STAGING, STAGING_YAML, TEST}
PAGES = {"docs/sources/harbour.md", "docs/sources/README.md", "docs/licences.md"}

SERIES = """\
month,berth,tonnes
2026-01,"North, new quay",48000
2026-01,South quay,31000
2026-02,"North, new quay",47100
2026-02,South quay,29500
"""
# What one who knows the publisher writes in the places marked; all other prose becomes one sentence.
PROSE = "Goods over the quays of the harbour"
FILLED = {
    PASSPORT: [
        ("Example Office of Statistics", "Harbour Office"),
        ("country: USA", "country: BEL"),
        ("redistribution: extract_only", "redistribution: with_attribution"),
        ("timezone: UTC", "timezone: Europe/Brussels"),
        ("[Example]", '["North, new quay", South quay]'),
        ("amount: {unit: example_unit, min: 1, max: 1000}", "goods: {unit: tonnes, min: 5000, max: 900000}"),
        ("label: Example", "label: South quay"),
        ("measure: amount, value: 101.5", "measure: goods, value: 29500"),
    ],
    MODULE: [
        ('["date", "series", "amount"]', '["month", "berth", "tonnes"]'),
        ('"example_unit"', '"tonnes"'),
        ("iso_day, observations", "iso_day, month_end, observations"),
        (
            "period_end = iso_day(file, number, day_text)\n",
            'month = iso_day(file, number, f"{day_text}-01")\n'
            "        period_end = month_end(month.year, month.month)\n",
        ),
        ('period_end, "amount", value', 'period_end, "goods", value'),
    ],
    SUITE: [
        ('"max_value": 100000', '"max_value": 4'),
        ("FILL IN the bounds in words", "goods lie between 5,000 and 900,000 tonnes"),
        ("amount_min", "goods_min"),
        ("amount_max", "goods_max"),
        ('"example_unit"', '"tonnes"'),
    ],
    STAGING: [("value_example_unit", "goods_tonnes")],
    STAGING_YAML: [("value_example_unit", "goods_tonnes"), ("measure: [amount]", "measure: [goods]")],
    TEST: [
        ("date,series,amount\n2026-01-31,Example,100.5\n2026-02-28,Example,101.5\n", SERIES),
        ("[100.5, 101.5]", "[48000, 31000, 47100, 29500]"),
        ('"2026-02-30", "2026-02",', '"2026-02-28", "2026-13",'),
        ("day(DAY)", 'day("2026-02-27")'),
    ],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the project."""
    folder = tmp_path_factory.mktemp("new-source") / "project"
    folder.mkdir()
    unkept = shutil.ignore_patterns("__pycache__", "target", "logs", "figures")
    for part in PARTS:
        if (project_root() / part).is_dir():
            shutil.copytree(project_root() / part, folder / part, ignore=unkept)
        else:
            shutil.copy(project_root() / part, folder / part)
    return folder


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with these arguments, in the copy."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")}
    environment |= {
        "PYTHONPATH": str(project / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        HOME_VARIABLE: str(project.parent / "home"),
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def said(done: subprocess.CompletedProcess[str]) -> str:
    """What a process printed, which ended well."""
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    return done.stdout


def contents(project: Path) -> dict[str, str]:
    """Every file of the copy by its hash, but for the caches of tools."""
    places = {path: path.relative_to(project) for path in project.rglob("*") if path.is_file()}
    return {
        str(place): hashlib.sha256(path.read_bytes()).hexdigest()
        for path, place in places.items()
        if not any(part.startswith(".") for part in place.parts)
    }


@pytest.fixture(scope="module")
def names():
    """The script that renders, of the checkout itself; it is asked about names, and renders nothing."""
    path = project_root() / "templates" / "render.py"
    spec = importlib.util.spec_from_file_location("templates_render", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def before(project) -> dict[str, str]:
    return contents(project)


@pytest.fixture(scope="module")
def rendered(project, before) -> Path:
    """The project with the files of a new source, nothing filled in."""
    *listed, what_next = said(run(project, "templates/render.py", "harbour/tonnage")).splitlines()
    assert set(listed) == FILES
    assert "FILL IN" in what_next
    return project


def marked(name: str, text: str) -> str:
    """A rendered file with its marks taken away, and something in each place."""
    for old, new in FILLED[name]:
        assert text.count(old) == 1, (name, old)
        text = text.replace(old, new)
    text = re.sub(r"^ *(#|--) FILL IN.*\n( *# .*\n)*", "", text, flags=re.MULTILINE)
    text = re.sub(r"  # FILL IN.*", "", text)
    return re.sub(r'FILL IN[^"\n]*', PROSE, text)


@pytest.fixture(scope="module")
def filled(rendered) -> Path:
    """The project with the new source filled in."""
    for name in FILES:
        path = rendered / name
        path.write_text(marked(name, path.read_text("utf-8")), encoding="utf-8")
    return rendered


# --- As rendered, in this order: `filled` changes the files ----------------------------------------------


def style(project: Path, *files: str) -> None:
    code = [name for name in files if name.endswith(".py")]
    models = [name for name in files if name.endswith(".sql")]
    said(run(project, "-m", "ruff", "check", *code))
    said(run(project, "-m", "ruff", "format", "--check", *code))
    said(run(project, "-m", "sqlfluff", "lint", "--disable-progress-bar", *models))


def test_what_is_rendered_passes_every_linter(rendered):
    style(rendered, *FILES)
    said(run(rendered, "-m", "mypy", MODULE))


def test_what_is_rendered_works_and_its_tests_name_what_is_left_to_fill_in(rendered):
    tests = run(rendered, "-m", "pytest", "-q", TEST, "tests/unit/test_passports.py")
    assert tests.returncode == 1
    assert re.findall(r"^FAILED (.*?)(?: - .*)?$", tests.stdout, re.MULTILINE) == [
        "tests/unit/test_passports.py::test_nothing_is_left_to_fill_in[harbour]"
    ]
    for name in FILES:
        assert re.search(rf"{name}, line \d+: .*FILL IN", tests.stdout), name


def test_names_as_long_as_may_be_pass_the_linters_too(project, tmp_path):
    copy = tmp_path / "project"
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns(".*", "snapshot"))
    *files, _ = said(run(copy, "templates/render.py", f"{'q' * 30}/{'q' * 30}")).splitlines()
    style(copy, *files)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "'' cannot name a source"),
        ("Harbour", "'Harbour' cannot name a source"),
        ("2nd", "'2nd' cannot name a source"),
        ("the_port", "'the_port' cannot name a source"),
        ("a b", "'a b' cannot name a source"),
        ("../port", "'..' cannot name a source"),
        ("port/Goods", "'Goods' cannot name a dataset"),
        ("port/", "'' cannot name a dataset"),
        ("port/a/b", "'a/b' cannot name a dataset"),
        ("q" * 31, "too long to name a source"),
        ("class", "'class' is a word of Python's"),
        ("import", "'import' is a word of Python's"),
        ("marts", "'marts' has a meaning of its own"),
        ("parse", "'parse' has a meaning of its own"),
        ("tic", "there is a source 'tic' already"),
        ("tic/slt_table7", "there is a source 'tic' already"),
    ],
)
def test_a_name_that_cannot_be_is_refused(names, name, why):
    source, slash, dataset = name.partition("/")
    with pytest.raises(UsageError, match=re.escape(why)) as refused:
        names.expect_name(source, dataset if slash else names.FIRST_DATASET)
    assert refused.value.advice


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "no source is named"),
        ("class", "'class' is a word of Python's"),
        ("harbour/berths", "there is a source 'harbour' already"),
    ],
)
def test_a_refusal_is_exit_code_2_and_writes_nothing(rendered, name, why):
    standing = contents(rendered)
    refused = run(rendered, "templates/render.py", name)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"error: {why}")
    assert "\n  -> " in refused.stderr
    assert contents(rendered) == standing


def test_a_file_that_stands_there_is_not_written_over(rendered):
    left = rendered / "tests" / "sources" / "test_port.py"
    left.write_text("# mine\n", encoding="utf-8")
    standing = contents(rendered)
    refused = run(rendered, "templates/render.py", "port")
    assert refused.returncode == 2
    assert "tests/sources/test_port.py stands there already" in refused.stderr
    assert contents(rendered) == standing
    left.unlink()


# --- Filled in ------------------------------------------------------------------------------------------


def test_filled_in_it_passes_every_linter_and_test_and_has_its_dag(filled):
    assert not [name for name in FILES if "FILL IN" in (filled / name).read_text("utf-8")]
    style(filled, *FILES)
    said(run(filled, "-m", "mypy", MODULE))
    tests = said(
        run(filled, "-m", "pytest", "-v", TEST, "tests/unit/test_passports.py", "tests/dags/test_dags.py")
    )
    for passed in (
        "test_every_passport_is_valid[harbour]",
        "test_nothing_is_left_to_fill_in[harbour]",
        "test_every_dag_file_imports",
        "test_each_dataset_goes_through_archive_validate_load[harbour]",
        "test_marts_run_on_any_dataset_one_at_a_time",
        "test_every_model_is_a_task",
    ):
        assert re.search(rf"{re.escape(passed)} PASSED", tests), passed


def test_filled_in_it_goes_the_whole_way(filled):
    home = Home(filled.parent / "home")
    listed = said(run(filled, "-m", "tidemark.cli", "sources"))
    assert "harbour  Harbour Office: " in listed
    assert "harbour/tonnage" in listed

    file = filled.parent / "goods.csv"
    for day, text, news in (
        ("2026-03-05", SERIES, "4 of 4 cells"),
        ("2026-03-12", SERIES.replace("29500", "29650"), "1 of 4 cells"),
    ):
        file.write_text(text, encoding="ascii")
        load = ("ingest", "harbour/tonnage", "--file", str(file), "--released-on", day)
        assert f"{news} say something new" in said(run(filled, "-m", "tidemark.cli", *load))

    file.write_text(SERIES.replace("31000", "31"), encoding="ascii")
    refused = run(
        filled, "-m", "tidemark.cli", "ingest", "harbour", "--file", str(file), "--released-on", "2026-04-02"
    )
    assert refused.returncode == 1
    assert "goods.csv, line 3: South quay, 2026-01-31, goods is 31: goods lie between" in refused.stderr

    said(
        run(
            filled, "-c",
            "from tidemark import build; from tidemark.settings import Home; "
            "build.dbt(Home.find(), ['build', '--select', 'staging.harbour'])",
        )
    )  # fmt: skip
    connection = duckdb.connect(str(home.warehouse), read_only=True)
    try:
        staged = connection.execute(
            "select goods_tonnes, released_on::varchar from staging.stg_harbour__tonnage "
            "where label = 'South quay' and period_end = '2026-02-28' order by released_on"
        ).fetchall()
        (note,) = connection.execute(
            "select comment from duckdb_views() where view_name = 'stg_harbour__tonnage'"
        ).fetchone()
    finally:
        connection.close()
    assert staged == [(29500.0, "2026-03-05"), (29650.0, "2026-03-12")]
    assert PROSE in note


def test_its_page_and_licence_are_written(filled):
    assert run(filled, "docs/render.py", "--check").returncode == 1
    said(run(filled, "docs/render.py"))
    said(run(filled, "docs/render.py", "--check"))
    page = (filled / "docs/sources/harbour.md").read_text("utf-8")
    assert "Published by Harbour Office (BEL)" in page
    assert "`North, new quay`" in page
    assert "allowed with attribution" in (filled / "docs/licences.md").read_text("utf-8")


def test_no_other_file_was_touched(filled, before):
    after = contents(filled)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == FILES | PAGES
