"""A page is one file: it asks for nothing, runs nothing but its own scripts, and every name on it is text."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import time

import jinja2
import numpy as np
import pytest
from jinja2 import nodes
from made_pages import HOSTILE, Seen, page, picture
from made_runs import made

from superlaw.files.columns import printable
from superlaw.report import render
from superlaw.report.page import Page
from superlaw.report.render import bundle, figure_page, report_page
from superlaw.report.runs import runs_part

STATIC, TEMPLATES = render.HERE / "static", render.HERE / "templates"


@pytest.fixture(scope="module")
def hostile() -> bytes:
    return report_page(page())


def scripts(content: bytes) -> list[tuple[str, str]]:
    """Attributes and text of every script."""
    return re.findall(r"<script([^>]*)>(.*?)</script>", content.decode(), re.S)


def test_the_bundle_is_the_one_that_is_stated_with_its_licence():
    stated, content = bundle(), (STATIC / bundle()["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == stated["sha256"]
    assert f"plotly.js (basic - minified) v{stated['version']}" in content[:200].decode()
    assert stated["license"] == "MIT" and "MIT License" in (STATIC / "plotly-LICENSE").read_text()


def test_only_the_scripts_of_the_package_may_run(hostile):
    run = [text for attributes, text in scripts(hostile) if "application/json" not in attributes]
    assert run == [(STATIC / name).read_text() for name in (bundle()["file"], "page.js")]
    allowed = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', hostile.decode())
    assert allowed is not None
    digests = re.findall(r"'sha256-([^']*)'", html.unescape(allowed[1]))
    assert digests == [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in run]
    assert html.unescape(allowed[1]).startswith("default-src 'none'; script-src 'sha256-")


def test_nothing_is_asked_for_from_anywhere(hostile):
    for tag, attributes in Seen(hostile).tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "form")
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "action", "data", "srcset"):
                assert value is not None and value.startswith("#")
    assert "url(" not in (STATIC / "page.css").read_text() and "@import" not in (STATIC / "page.css").read_text()


def test_every_name_stands_as_text(hostile):
    seen = Seen(hostile)
    assert not seen.open
    text = "".join(seen.text)
    for name in HOSTILE:
        shown = printable(name)
        assert shown[:100] in text, name
    assert not {tag for tag, _ in seen.tags} & {"b", "img"}
    assert "\u202e" not in text and "\x1b" not in text


def test_the_cells_of_a_table_hold_whole_names_for_copying(hostile):
    held = {html.unescape(value) for value in re.findall(r'<td class=w data-v="([^"]*)"', hostile.decode())}
    assert printable("long " * 2000) in held


def test_figures_are_json_that_no_name_can_leave(hostile):
    figures = [text for attributes, text in scripts(hostile) if "application/json" in attributes]
    assert len(figures) == 2 * len(HOSTILE)
    assert all(set(json.loads(text)) == {"data", "layout"} and "<" not in text for text in figures)


def test_a_figure_is_a_page_by_itself():
    content = figure_page(picture("a <b> name"), "superlaw figure made -o x.html")
    assert not Seen(content).open and b"superlaw figure made -o x.html" in content
    assert "a &lt;b&gt; name" in content.decode()


def test_templates_compute_nothing():
    arithmetic = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow)
    parsed = [jinja2.Environment().parse(path.read_text()) for path in TEMPLATES.glob("*.html")]
    assert len(parsed) == 4
    for template in parsed:
        assert not list(template.find_all(arithmetic))
        assert {one.name for one in template.find_all(nodes.Filter)} <= {"text", "code", "plain", "safe", "length"}
        for one in template.find_all(nodes.Filter):
            assert one.name != "safe" or isinstance(one.node, nodes.TemplateData | nodes.CondExpr | nodes.Const)


def test_a_page_of_1620_runs_is_small_and_quick():
    runs = made(data_exponent=tuple(np.linspace(0, 2, 9)), weight_decay=tuple(np.linspace(-1, 1, 10)),
                width=(10, 15, 25, 39, 63, 100), seed=(0, 1, 2))  # fmt: skip
    assert len(runs) == 1620
    begin = time.process_time()
    content = report_page(Page("1,620 runs", (runs_part(runs, "made"),)))
    assert time.process_time() - begin < 15  # and the reading of a store: docs/report.md
    assert 1_500_000 < len(content) < 3_000_000
    assert len(re.findall(r"<section class=\"figure\"", content.decode())) >= 5
