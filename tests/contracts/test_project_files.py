"""What stands beside the code: the citation, the changelog, the hooks."""

from __future__ import annotations

import re
import shlex
import tomllib

import pytest
import yaml
from conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Keys of the Citation File Format 1.2.0 that a citation of software has here.
CFF_NEEDED = {"cff-version", "message", "title", "authors"}
CFF_KNOWN = CFF_NEEDED | {"type", "abstract", "version", "license", "keywords", "references", "date-released"}


@pytest.fixture(scope="module")
def citation() -> dict:
    return yaml.safe_load((ROOT / "CITATION.cff").read_text())


def test_the_citation_has_the_keys_of_its_format(citation):
    assert set(citation) >= CFF_NEEDED and set(citation) <= CFF_KNOWN
    assert (citation["cff-version"], citation["type"]) == ("1.2.0", "software")
    assert citation["authors"] == [{"name": "The superlaw authors"}]
    for reference in citation["references"]:
        assert {"type", "title", "authors"} <= set(reference)


def test_the_citation_is_of_this_version_and_licence(citation):
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]


def test_the_citation_names_the_paper(citation):
    (paper,) = citation["references"]
    assert [author["family-names"] for author in paper["authors"]] == ["Liu", "Liu", "Gore"]
    assert {"value": "arXiv:2505.10465", "type": "other", "description": "The preprint"} in paper["identifiers"]


def test_the_changelog_has_this_version_and_what_comes():
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert headings[0] == "Unreleased" and PROJECT["version"] in headings


def hooks() -> list[dict]:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    return repository["hooks"]


def commands_of_make_test() -> list[str]:
    recipe = re.search(r"^test: .*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M).group(1)
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe.splitlines()]


def test_hooks_run_what_make_test_runs():
    """The same commands, but for the tests: before a commit, the quick contracts alone."""
    tests = ".venv/bin/python -m pytest"
    entries = [hook["entry"] for hook in hooks()]
    assert [entry for entry in entries if not entry.startswith(tests)] == [
        command for command in commands_of_make_test() if not command.startswith(tests)
    ]
    (quick,) = [shlex.split(entry) for entry in entries if entry.startswith(tests)]
    assert any(command.startswith(f"{tests} ") for command in commands_of_make_test())
    files = [word for word in quick if word.endswith(".py")]
    assert len(files) >= 2 and all((ROOT / file).is_file() for file in files)


def test_hooks_fetch_nothing_and_see_the_whole_tree():
    for hook in hooks():
        assert hook["language"] == "system" and hook["pass_filenames"] is False


def test_ci_runs_make_test():
    assert re.search(r"^make test$", (ROOT / ".ci" / "run").read_text(), re.M)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"])
def test_links_between_the_projects_pages_lead_somewhere(name):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / name).read_text()):
        assert (ROOT / target).exists(), target
