"""The public interface: every name loads, is typed for editors, returns public classes, and is explained briefly."""

from __future__ import annotations

import inspect
import pydoc
import re
import subprocess
import sys
import tomllib

import pytest
from conftest import ROOT

import superlaw

NAMES = [name for name in dir(superlaw) if not name.startswith("_")]
FUNCTIONS = [name for name in NAMES if inspect.isfunction(getattr(superlaw, name))]
# dir() after loading knows our submodules too; the stub is the list of what is public
STUB = re.findall(r"\w+(?= as \w+)", (ROOT / "src" / "superlaw" / "__init__.pyi").read_text())


def test_the_stub_names_what_loads():
    assert len(STUB) == len(set(STUB)) > 90
    assert all(getattr(superlaw, name).__name__ == name for name in STUB)
    assert not [name for name in STUB if name not in dir(superlaw)]


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name in STUB])
def test_classes_that_public_functions_return_are_public(name):
    function = getattr(superlaw, name)
    returned = str(inspect.signature(function).return_annotation)
    module = sys.modules[function.__module__]
    own = [
        word
        for word in re.findall(r"[A-Z]\w+", returned)
        if getattr(getattr(module, word, None), "__module__", "").startswith("superlaw.")
        and inspect.isclass(getattr(module, word))
    ]
    assert set(own) <= set(STUB)


@pytest.mark.parametrize("name", STUB)
def test_every_public_name_is_explained(name):
    assert (inspect.getdoc(getattr(superlaw, name)) or "").strip()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("measure", "measure_run"),
        ("capacity", "measure_capacity"),
        ("required", "required_size"),
        ("published_table", "load_published"),
        ("Prediction", "PredictedExponents"),
    ],
)
def test_an_old_name_works_for_one_release_and_says_its_new_one(old, new):
    with pytest.warns(DeprecationWarning, match=f"superlaw.{new}"):
        assert getattr(superlaw, old) is getattr(superlaw, new)


def test_a_wrong_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        superlaw.nothing_of_ours  # noqa: B018


def test_help_fits_on_three_screens_and_says_where_to_start():
    text = pydoc.render_doc(superlaw, renderer=pydoc.plaintext)
    assert len(text.splitlines()) <= 72
    assert "Start here" in text


def test_the_version_stands_in_one_place():
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert superlaw.__version__ == stated


def test_the_package_says_that_it_is_typed():
    assert (ROOT / "src" / "superlaw" / "py.typed").is_file()


def test_importing_loads_nothing_heavy():
    code = "import sys, superlaw; sys.exit(any(m in sys.modules for m in ('numpy', 'scipy', 'pandas', 'typer')))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
