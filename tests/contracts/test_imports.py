"""The house: every floor imports only from floors above it, no file takes part in a circle, and the start is light."""

from __future__ import annotations

import ast
import functools
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

import superlaw

SOURCE = Path(superlaw.__file__).parent
FLOORS = ["errors", "files", "geometry", "theory", "laws", "toy", "lm", "sweeps", "findings", "figures", "report",
          "studies", "cli"]  # fmt: skip
STRANGERS = {"laws", "toy", "lm"}  # never import one another


@functools.cache
def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name, packages by their own."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = ("superlaw", *path.relative_to(SOURCE).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path) -> set[str]:
    """Our own modules that a file imports, wherever in the file: for types and within functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            # `from superlaw.laws import report` imports a file, `from superlaw.files import x` a name of one
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in modules() else node.module or "" for name in names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name for name in names if name in modules() and name != "superlaw"}
    return found


@functools.cache
def imports() -> dict[str, set[str]]:
    # a package that imports its own compiled part names itself
    return {name: imported(path) - {name} for name, path in modules().items() if name != "superlaw"}


def floor(module: str) -> str:
    return module.split(".")[1]


def test_every_import_goes_up():
    assert sum(map(len, imports().values())) > 300, "imports were not read"
    assert {floor(name) for name in imports()} - {"__main__"} <= set(FLOORS), "a floor that the list does not know"
    wrong = [
        f"{name} imports {target}"
        for name, targets in imports().items()
        for target in sorted(targets)
        if floor(name) != "__main__"
        and (
            FLOORS.index(floor(target)) > FLOORS.index(floor(name))
            or (floor(name) != floor(target) and {floor(name), floor(target)} <= STRANGERS)
        )
    ]
    assert not wrong


def test_no_file_takes_part_in_a_circle():
    try:
        graphlib.TopologicalSorter(imports()).prepare()
    except graphlib.CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


@pytest.mark.parametrize(
    "module", ["numpy", "matplotlib", "torch", "scipy", "pandas", "huggingface_hub", "rich", "plotly", "jinja2"]
)
def test_help_loads_nothing_heavy(module):
    code = f"import sys, superlaw.cli.main; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_training_needs_no_torch():
    code = (
        "import sys; sys.modules['torch'] = None; import superlaw\n"
        "spec = superlaw.RunSpec(n_features=20, width=3, steps=20, batch=64)\n"
        "assert superlaw.train(spec).status == 'ok'"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_engine_dense_without_torch_names_the_extra():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "sys.argv = ['superlaw', 'train', '--engine', 'dense']\n"
        "from superlaw.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'superlaw[torch]'" in done.stderr
    assert done.stderr.count("\n") == 1
