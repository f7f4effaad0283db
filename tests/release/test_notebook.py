"""The notebook runs from top to bottom on the bundled snapshot, and says what was published."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from tidemark.settings import HOME_VARIABLE, Home, project_root

NOTEBOOK = project_root() / "docs" / "who_holds_treasuries.ipynb"


def test_the_notebook_runs_from_top_to_bottom(loaded_template: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(loaded_template.root))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "it is kept without answers"
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    said = "\n".join(
        output.get("text", "") or str(output.get("data", {}).get("text/plain", ""))
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    assert "On 2025-12-20: 688.7; today: 687.7" in said
    assert "Japan" in said
    assert loaded_template.current.resolve().name in said
