"""The example notebook runs from top to bottom, and its results show themselves."""

from __future__ import annotations

import pytest
from conftest import ROOT

NOTEBOOK = ROOT / "examples" / "notebook.ipynb"


def test_the_notebook_runs_and_shows_its_results(tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="no nbformat: pip install 'superlaw[test]'")
    nbclient = pytest.importorskip("nbclient", reason="no nbclient: pip install 'superlaw[test]'")
    pytest.importorskip("ipykernel", reason="no ipykernel: pip install 'superlaw[test]'")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "outputs are not kept in the repository"
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    shown = {kind for cell in notebook.cells for output in cell.get("outputs", ()) for kind in output.get("data", ())}
    assert {"text/html", "image/png"} <= shown
    html = " ".join(output["data"].get("text/html", "") for cell in notebook.cells for output in cell.get("outputs", ())
                    if "data" in output)  # fmt: skip
    for said in ("Run ", "8 of 8 stored", "<pre>", "Head "):
        assert said in html, said
    progress = [output for cell in notebook.cells for output in cell.get("outputs", ())
                if "steps/s" in str(output.get("data", {}).get("text/plain", ""))]  # fmt: skip
    assert progress, "training shows how far it is"
