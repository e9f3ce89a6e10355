"""docs/science.md: every key that is cited is in its bibliography, and its sections, equations and names exist."""

from __future__ import annotations

import dataclasses
import io
import re
import tokenize
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from conftest import ROOT

import superlaw
from superlaw.toy.spec import RunSpec

SCIENCE = ROOT / "docs" / "science.md"
TEXT = SCIENCE.read_text()
BODY, BIBLIOGRAPHY = TEXT.split("## Bibliography\n")
ENTRIES = dict(re.findall(r"^### (\S+)\n\n(.+?)(?=^###|\Z)", BIBLIOGRAPHY, re.M | re.S))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = sorted(path for path in (ROOT / "src").rglob("*") if path.suffix in (".py", ".cpp", ".hpp", ".toml"))
ARXIV = re.compile(r"\b\d{4}\.\d{5}\b")
FENCED = re.compile(r"^```.*?^```|`[^`\n]+`", re.M | re.S)


def prose(path: Path) -> str:
    """Comments and strings of a Python file (where docstrings are); the whole of any other."""
    if path.suffix != ".py":
        return path.read_text()
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
    return "\n".join(token.string for token in tokens if token.type in (tokenize.COMMENT, tokenize.STRING))


def keys(text: str) -> set[str]:
    """Keys of [LLG], [LLG section 4], [Depth; Poster]: capitalised, in brackets that follow no name and are no link."""
    found = re.findall(r"(?<![\w\[\]!`])\[([A-Z][^\[\]\n]*)\](?!\()", text)
    parts = [part.strip() for group in found for part in group.split(";")]
    names = {part.group() for text in parts if (part := re.match(r"[A-Z][A-Za-z]+(?:-[a-z]+)?(?=$|[ ,])", text))}
    return names - {"True", "False", "None"}  # of doctests


def slugs(text: str) -> list[str]:
    """Anchors of a page's headings, as GitHub and MyST make them."""
    titles = re.findall(r"^#{1,6} (.+)$", FENCED.sub("", text), re.M)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


def cited(page: Path) -> set[str]:
    """Anchors of docs/science.md that a page links to."""
    own = re.findall(r"\]\(#([\w-]+)\)", page.read_text()) if page == SCIENCE else []
    return {*own, *re.findall(r"\]\([\w./]*science\.md#([\w-]+)\)", page.read_text())}


def test_keys_are_read_from_brackets():
    assert keys("([LLG] figure 1; [LLG-code]) [Depth; Poster] [Katta section 2]") == {
        "LLG", "LLG-code", "Depth", "Poster", "Katta",
    }  # fmt: skip
    assert not keys("list[Item] [LLG](science.md#llg) [STORE] [STEPS] x[None] [0.01]") - {"STORE", "STEPS"}


def wanting(paths: Iterable[Path], find: Callable[[Path], set[str]], known: Iterable[str]) -> dict[str, set[str]]:
    """By file, what ``find`` finds in it and ``known`` lacks."""
    missing = {str(path.relative_to(ROOT)): find(path) - set(known) for path in paths}
    return {path: names for path, names in missing.items() if names}


def test_every_key_of_the_source_is_in_the_bibliography():
    assert any(keys(prose(path)) for path in SOURCES), "no key was read"
    assert not wanting(SOURCES, lambda path: keys(prose(path)), ENTRIES)


def test_every_paper_named_by_number_is_in_the_bibliography():
    def named(path: Path) -> set[str]:
        text = BODY if path == SCIENCE else prose(path)
        return set(ARXIV.findall(" ".join(re.findall(r"arXiv:\S+|arxiv\.org/\S+", text))))

    assert any(named(path) for path in SOURCES), "no number was read"
    assert not wanting([*PAGES, *SOURCES], named, ARXIV.findall(BIBLIOGRAPHY))


def test_every_link_to_the_science_has_its_heading():
    assert not wanting(PAGES, cited, slugs(TEXT))


def test_a_key_on_a_page_is_a_link():
    bare = lambda page: keys(FENCED.sub("", page.read_text())) & set(ENTRIES)  # noqa: E731
    assert not wanting(PAGES, bare, ())


@pytest.mark.parametrize("key", ENTRIES)
def test_every_entry_is_cited(key):
    anchor, numbers = key.lower(), ARXIV.findall(ENTRIES[key])
    linked = any(anchor in cited(page) for page in PAGES)
    assert linked or any(key in keys(prose(path)) or set(numbers) & set(ARXIV.findall(prose(path))) for path in SOURCES)


def test_headings_have_one_anchor_each():
    assert len(slugs(TEXT)) == len(set(slugs(TEXT)))


def test_equations_are_numbered_in_order():
    tags = [int(tag) for tag in re.findall(r"\\tag\{(\d+)\}", TEXT)]
    assert tags == list(range(1, len(tags) + 1))
    named = re.findall(r"[Ee]quation (\d+)(?![.\d])", BODY)
    assert named and {int(number) for number in named} <= set(tags)


def test_sections_and_equations_of_the_science_named_in_code_exist():
    code = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]
    tags = re.findall(r"\\tag\{(\d+)\}", TEXT)
    assert not wanting(code, lambda path: set(re.findall(r"docs/science\.md#([\w-]+)", prose(path))), slugs(TEXT))
    assert not wanting(code, lambda path: set(re.findall(r"docs/science\.md,\s+equation (\d+)", prose(path))), tags)


def test_symbols_name_fields_that_exist():
    fields = {field.name for field in dataclasses.fields(RunSpec)} | {"probabilities"}
    named = set(re.findall(r"`RunSpec\.(\w+)`", TEXT))
    assert len(named) >= 12 and named <= fields
    public = set(re.findall(r"`superlaw\.(\w+)[`(]", TEXT))
    assert len(public) >= 6 and public <= set(dir(superlaw))


def test_math_renders_on_github_too():
    """GitHub reads Markdown before math: a backslash before punctuation is lost; < and | and * have meanings."""
    formulas = re.findall(r"\$\$.+?\$\$|\$[^$\n]+\$", FENCED.sub("", TEXT), re.S)
    assert len(formulas) > 100
    wrong = [formula for formula in formulas if re.search(r"\\[^A-Za-z\s]|[<>|*]|[^\w\s{}]_", formula.strip("$"))]
    assert not wrong
