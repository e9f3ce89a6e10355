"""The house: every floor imports only from floors above it, and the command line starts light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import superlaw

SOURCE = Path(superlaw.__file__).parent
FLOORS = [
    "errors",
    "files",
    "geometry",
    "theory",
    "laws",
    "toy",
    "lm",
    "sweeps",
    "findings",
    "figures",
    "studies",
    "report",
    "cli",
]
STRANGERS = {"laws", "toy", "lm"}  # never import one another


def imports() -> list[tuple[str, str, str]]:
    """(file, its floor, imported floor) for every import of our own in the package."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE)
        floor = place.parts[0].removesuffix(".py")
        if floor.startswith("__"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module] if node.module != "superlaw" else [f"superlaw.{a.name}" for a in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                if name.startswith("superlaw."):
                    found.append((str(place), floor, name.split(".")[1]))
    return found


def test_every_import_goes_up():
    assert imports(), "no import was read"
    wrong = [
        f"{place} imports {target}"
        for place, floor, target in imports()
        if FLOORS.index(target) > FLOORS.index(floor) or (floor != target and {floor, target} <= STRANGERS)
    ]
    assert not wrong


@pytest.mark.parametrize("module", ["numpy", "matplotlib", "torch", "scipy", "pandas"])
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
