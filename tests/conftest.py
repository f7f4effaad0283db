"""What the tests share: homes of their own, the bundled files, the publishers' files where they lie."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from tidemark import build, pipeline, publish, registry, snapshot
from tidemark.reading import SourceFile
from tidemark.settings import HOME_VARIABLE, Home, project_root

BUNDLED = project_root() / "snapshot" / "tic"
PUBLISHER_FILES = project_root().parent / "shared" / "publisher_files"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty home, which is also what `TIDEMARK_HOME` names."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return Home.find()


def bundled_file(name: str, source: str = "tic") -> SourceFile:
    """A file of the bundled snapshot, e.g. `slt_table5_2026-06-18.txt`."""
    return SourceFile(name, (BUNDLED.parent / source / name).read_bytes())


def load_snapshot(home: Home) -> None:
    for dataset in registry.datasets():
        pipeline.ingest(home, dataset, snapshot.bundled(dataset))


@pytest.fixture(scope="session")
def loaded_template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with the snapshot loaded, built and published, made once; tests that write take a copy."""
    made = Home(tmp_path_factory.mktemp("snapshot") / "home")
    load_snapshot(made)
    begun = build.build(made)
    build.validate_marts(made)
    build.remember_built(made, begun)
    publish.publish(made)
    return made


@pytest.fixture
def published_home(loaded_template: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A copy of the loaded, built and published snapshot, free to be changed."""
    shutil.copytree(loaded_template.root, tmp_path / "home", symlinks=True)
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return Home.find()


@pytest.fixture(scope="session")
def publisher_files() -> Path:
    """Real files of the publishers, which stand beside the project on some machines and nowhere in it."""
    if not PUBLISHER_FILES.exists():
        pytest.skip(f"the publishers' own files are not at {PUBLISHER_FILES}")
    return PUBLISHER_FILES


def day(text: str) -> date:
    return date.fromisoformat(text)
