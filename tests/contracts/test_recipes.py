"""The recipes of CONTRIBUTING.md, followed to the letter in a copy of the source."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

import superlaw
from superlaw.toy.fused import _fused

SOURCE = Path(superlaw.__file__).parent
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
RECIPES = dict(re.findall(r"^### (.+?)\n(.+?)(?=^### |\Z)", GUIDE, re.M | re.S))
RUNS = ROOT / "docs" / "runs" / "weight-decay-grid-medium.csv"
# The copy is imported in place of the installed package: finders of editable installations are instances.
START = """import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if isinstance(finder, type)]
sys.path.insert(0, {copy!r})
"""
MAIN = "import superlaw; assert superlaw.__file__.startswith({copy!r})\nfrom superlaw.cli.main import main; main()"


def recipe(start: str) -> tuple[str, str]:
    """Title and text of the recipe whose title starts so."""
    (title,) = [title for title in RECIPES if title.startswith(start)]
    return title, RECIPES[title]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.+?)^```", text, re.M | re.S)


class House:
    """A copy of the package's Python, and the files of it that a recipe has touched."""

    def __init__(self, folder: Path):
        self.folder, self.touched = folder, set()
        shutil.copytree(SOURCE, folder / "superlaw", ignore=shutil.ignore_patterns("__pycache__", "*.?pp"))
        shutil.copy(_fused.__file__, folder / "superlaw" / "toy" / "fused")  # an editable installation has it elsewhere

    def add(self, path: str, content: str) -> None:
        """A new file."""
        place = self.folder / "superlaw" / path
        assert not place.exists(), path
        place.write_text(content)
        self.touched.add(path)

    def apply(self, diff: str) -> None:
        """Lines with + take the place of those with -, where these and the lines about them stand, once."""
        for part in re.split(r"^\+\+\+ src/superlaw/", diff, flags=re.M)[1:]:
            path, _, change = part.partition("\n")
            lines = change.splitlines()
            before = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
            after = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
            place = self.folder / "superlaw" / path
            text = place.read_text()
            assert text.count(before) == 1, f"{path} does not hold once:\n{before}"
            place.write_text(text.replace(before, after))
            self.touched.add(path)

    def python(self, code: str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run code that imports the copy."""
        whole = (START + code).replace("{copy!r}", repr(str(self.folder)))
        return subprocess.run(
            [sys.executable, "-c", whole, *map(str, arguments)],
            capture_output=True, text=True, cwd=self.folder, env={**os.environ, **variables},
        )  # fmt: skip

    def superlaw(self, *arguments: object, **variables: str) -> str:
        """Run a command line with the copy; what it prints."""
        done = self.python(MAIN, *arguments, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def house(tmp_path) -> House:
    return House(tmp_path)


def test_a_preset_is_one_file(house):
    title, text = recipe("A preset")
    (plan,) = blocks(text, "toml")
    house.add("sweeps/presets/seeds-matter.toml", plan)
    assert re.search(r"seeds-matter\b.*does the seed matter\?", house.superlaw("sweep", "list"))
    assert "4 runs" in house.superlaw("sweep", "run", "seeds-matter", "--store", "runs", "--dry-run")
    assert title.endswith(f": {len(house.touched)} file")


def test_a_published_table_is_one_file(house, tmp_path):
    title, text = recipe("A published table")
    (diff,) = blocks(text, "diff")
    rows = [f"{m},{m // 8},{20 / m**0.5 + 1.5}" for m in (16, 32, 64, 128, 256)]
    table = tmp_path / "my_table.csv"
    table.write_text("\n".join(["width,depth,loss", *rows]) + "\n")
    house.apply(diff.replace("SHA-256 of the content", hashlib.sha256(table.read_bytes()).hexdigest()))
    where = {"SUPERLAW_DATA": str(tmp_path)}
    assert "40 runs of a study" in house.superlaw("data", "list", **where)
    fit = json.loads(house.superlaw("law", "fit", "my-table", "--law", "power:N", "--json", **where))
    assert fit["params"]["a"]["value"] == pytest.approx(0.5 / 3, abs=1e-6)  # N ~ width^3
    assert title.endswith(f": {len(house.touched)} file")


def test_a_law_is_one_file(house, tmp_path):
    title, text = recipe("A law")
    (law,) = blocks(text, "python")
    house.add("laws/forms/product.py", law)
    sizes = [(m, l) for m in (64, 128, 256, 512) for l in (4, 8, 16, 32)]
    rows = [f"{m},{l},{30 / (m**0.6 * l**0.3) + 1.7}" for m, l in sizes]
    (tmp_path / "runs.csv").write_text("\n".join(["width,depth,loss", *rows]) + "\n")
    fit = json.loads(house.superlaw("law", "fit", "runs.csv", "--law", "product:width,depth", "--json"))
    found = {name: fit["params"][name]["value"] for name in ("C", "a", "b", "L_0")}
    assert found == pytest.approx({"C": 30, "a": 0.6, "b": 0.3, "L_0": 1.7}, rel=1e-6)
    assert "product" in house.superlaw("law", "fit", "--help")
    assert title.endswith(f": {len(house.touched)} file")


def test_a_figure_of_runs_is_two_files_and_three_with_verdicts(house):
    title, text = recipe("A figure of runs")
    (module,) = blocks(text, "python")
    entry, claims = blocks(text, "diff")
    house.add("figures/isotropy.py", module)
    house.apply(entry)
    drawing = len(house.touched)
    assert re.search(r"isotropy\b.*mean squared overlap in units of 1/m", house.superlaw("figure", "list"))
    house.superlaw("figure", "isotropy", "--store", RUNS, "-o", "isotropy.svg")
    shown = json.loads((house.folder / "isotropy.json").read_text())
    assert len(shown["runs"]) == 120  # of 240, those with growth
    house.apply(claims)
    done = house.python(
        "import sys, superlaw\n"
        "from superlaw.figures.catalogue import entry\n"
        "from superlaw.findings.published import published\n"
        "(claim,) = published('isotropy').judge(entry('isotropy').find(superlaw.gather(sys.argv[1])))\n"
        "print(claim.what, claim.verdict)", RUNS,
    )  # fmt: skip
    assert re.search(r"mean squared overlap times m differs: \d", done.stdout), done.stderr
    assert title.endswith(f": {drawing} files, {len(house.touched)} with verdicts")


def test_a_variant_of_the_model_is_at_most_four_files(house):
    title, text = recipe("A variant of the model")
    (diff,) = blocks(text, "diff")
    house.apply(diff)
    small = ("--n-features", "20", "--width", "3", "--steps", "20", "--batch", "64", "--activation", "softplus")
    run = json.loads(house.superlaw("train", *small, "--engine", "dense", "--out", "run.safetensors", "--json"))
    assert (run["status"], run["spec"]["activation"]) == ("ok", "softplus")
    found = json.loads(house.superlaw("evaluate", "run.safetensors", "--samples", 20_000, "--json"))
    error = max(found["reported_std"], found["loss"]["stderr"])
    assert found["loss"]["mean"] == pytest.approx(found["reported_loss"], abs=6 * error)
    measured, exact = found["single_active"], found["single_active_loss"]
    assert measured["mean"] == pytest.approx(exact, abs=4.5 * measured["stderr"])
    assert "softplus" in house.superlaw("train", "--help")
    assert f"at most {len(house.touched)} files" in title


def test_every_recipe_is_followed():
    tested = Path(__file__).read_text()
    assert len(RECIPES) == 5
    assert all(f'recipe("{title.partition(":")[0]}")' in tested for title in RECIPES)
