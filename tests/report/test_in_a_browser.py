"""Pages as Chromium shows them: figures, hover, legends, tables, colours, paper; nothing fetched, nothing taken over.

By hand: pip install 'superlaw[browser]', apt install chromium.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil

import numpy as np
import pytest
from made_pages import HOSTILE, page
from made_runs import made

from superlaw.figures.catalogue import CATALOGUE
from superlaw.files.columns import printable
from superlaw.report.page import page_of
from superlaw.report.render import figure_page, report_page
from superlaw.report.runs import runs_part

sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install 'superlaw[browser]'")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt install chromium, or set CHROMIUM")

SCREENS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
PAPER = 688  # CSS pixels of A4 without its margins


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def runs():
    return made(data_exponent=(0.0, 1.0, 2.0), weight_decay=(-1.0, -0.5, 1.0), seed=(0, 1))


@pytest.fixture(scope="module")
def files(runs, tmp_path_factory):
    """A report of runs, one with hostile names, and a figure."""
    folder = tmp_path_factory.mktemp("pages")
    entry = CATALOGUE["strong"]
    contents = {
        "report": report_page(page_of([runs_part(runs, "made runs")], "superlaw report made -o report.html")),
        "hostile": report_page(page()),
        "figure": figure_page(entry.module.data(entry.find(runs)), "superlaw figure strong"),
    }
    for name, content in contents.items():
        (folder / f"{name}.html").write_bytes(content)
    return folder


class Opened:
    """A page in the browser, with what it said and asked for."""

    def __init__(self, browser, path, width=1280, scheme="light"):
        self.context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            accept_downloads=True,
            permissions=["clipboard-read", "clipboard-write"],
        )
        self.page = self.context.new_page()
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-drawn=all]", state="attached", timeout=180_000)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def copied(self, button) -> list[list[str]]:
        """What a button copies, as the rows of its CSV."""
        button.click()
        self.page.wait_for_timeout(100)
        return list(csv.reader(io.StringIO(self.page.evaluate("navigator.clipboard.readText()"))))


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
@pytest.mark.parametrize("name", ["report", "figure", "hostile"])
def test_every_figure_is_drawn_and_nothing_is_fetched_or_complained_of(browser, files, name, width, scheme):
    with Opened(browser, files / f"{name}.html", width, scheme) as opened:
        drawn = opened.page.evaluate(
            "[...document.querySelectorAll('.plot')].map(p => [p.querySelectorAll('.trace, .point, .js-line').length,"
            " p.getBoundingClientRect().width, p._fullLayout.width, p._fullLayout.height])"
        )
        assert drawn and all(marks > 0 and abs(box - w) < 2 and h > 200 for marks, box, w, h in drawn)
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        assert opened.asked == [(files / f"{name}.html").as_uri()]
        assert opened.said == []
        assert opened.page.title() != "taken"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["report", "hostile"])
def test_axe_finds_nothing_serious(browser, files, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: pip install 'superlaw[browser]'")
    # axe is put into the page, which the page's own policy forbids to all scripts but its own
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)
    shown = context.new_page()
    shown.goto((files / f"{name}.html").as_uri())
    shown.wait_for_selector("html[data-drawn=all]", state="attached", timeout=180_000)
    found = axe.Axe().run(shown).response["violations"]
    context.close()
    grave = [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")]
    assert grave == []


def test_the_policy_of_a_page_forbids_what_is_not_its_own(browser, files):
    with Opened(browser, files / "figure.html") as opened:
        opened.page.evaluate("document.body.append(Object.assign(document.createElement('script'),"
                             " {textContent: 'document.title = \"taken\"'}))")  # fmt: skip
        opened.page.evaluate("fetch('https://example.org').catch(() => 0)")
        assert opened.page.title() != "taken"
        assert sum("Content Security Policy" in said for said in opened.said) >= 2


def test_hover_says_value_error_seeds_and_runs(browser, files, runs):
    with Opened(browser, files / "report.html") as opened:
        plot = opened.page.locator("#overview-1 .plot").first
        plot.scroll_into_view_if_needed()
        place = plot.evaluate("""p => {
            const t = p._fullData.find(t => t.name.startsWith('γ = -1')), box = p.getBoundingClientRect();
            const l = p._fullLayout;
            return [box.x + l._size.l + l.xaxis.d2p(t.x[0]), box.y + l._size.t + l.yaxis.d2p(t.y[0])];
        }""")
        opened.page.mouse.move(*place)
        opened.page.wait_for_selector("#overview-1 .hovertext", timeout=10_000)
        said = plot.locator(".hovertext").first.text_content()
        row = runs[(runs["weight_decay"] == -1) & (runs["width"] == 10) & (runs["data_exponent"] == 0)].iloc[0]
        assert "width m: 10" in said and "0.05" in said and re.search(r"[0-9a-f]{16}, seed 0", said), said
        assert row["seed"] == 0
        opened.page.mouse.click(*place)  # and a click leads to these runs
        opened.page.wait_for_timeout(200)
        shown = opened.page.locator("#runs-1 tbody tr:not([hidden])")
        assert shown.count() == 2 and all(re.search(text[:16], said) for text in shown.all_text_contents())


def test_the_legend_shows_and_hides_by_keyboard_too(browser, files):
    with Opened(browser, files / "report.html") as opened:
        panel = opened.page.locator("#overview-1 .panel").first
        button = panel.locator(".legend button").first
        visible = "p => p.data.filter(t => t.legendgroup === '1.0').map(t => t.visible ?? true)"
        plot = panel.locator(".plot")
        before = plot.evaluate(visible)
        button.focus()
        opened.page.keyboard.press("Enter")
        assert button.get_attribute("aria-pressed") == "false" and not any(plot.evaluate(visible))
        opened.page.keyboard.press("Enter")
        assert plot.evaluate(visible) == before


def test_tables_sort_filter_and_copy(browser, files, runs):
    with Opened(browser, files / "report.html") as opened:
        box = opened.page.locator("#runs-1")
        heading = box.locator("thead th", has_text="loss").first
        heading.locator("button").click()
        at = heading.evaluate("th => th.cellIndex")
        column = box.locator(f"tbody tr td:nth-child({at + 1})").all_text_contents()
        assert heading.get_attribute("aria-sort") == "ascending"
        np.testing.assert_allclose([float(text) for text in column], sorted(runs["loss"]), rtol=1e-5)
        heading.locator("button").click()
        assert box.locator(f"tbody tr td:nth-child({at + 1})").first.text_content() == max(column, key=float)
        one = runs["id"].iloc[3]
        box.locator("input").fill(one[:12])
        assert box.locator(".shown").text_content() == f"1 of {len(runs)} rows"
        head, row = opened.copied(box.locator(".copy"))
        assert row[0] == one and dict(zip(head, row, strict=True))["status"] == "ok"
        box.locator(".clear").click()
        assert box.locator(".shown").text_content() == f"{len(runs)} rows"
        opened.page.locator("#exponents-1 td button").first.click()
        assert box.locator(".shown").text_content() == f"8 of {len(runs)} rows"  # four widths, two seeds


def test_what_is_saved_is_what_is_copied(browser, files):
    with Opened(browser, files / "report.html") as opened:
        box = opened.page.locator("#exponents-1")
        with opened.page.expect_download() as download:
            box.locator(".save").click()
        saved = list(csv.reader(io.StringIO(download.value.path().read_text())))
        assert download.value.suggested_filename == "exponents-1.csv" and saved == opened.copied(box.locator(".copy"))


def test_the_numbers_of_a_figure_are_copied(browser, files, runs):
    with Opened(browser, files / "figure.html") as opened:
        head, *rows = opened.copied(opened.page.locator(".copy-figure"))
        shown = [dict(zip(head, row, strict=True)) for row in rows]
        overlaps = [row for row in shown if row["series"] == "all rows"]
        assert [(float(row["x"]), float(row["y"])) for row in overlaps] == [(m, 1 / m) for m in (10, 20, 40, 100)]
        assert set(overlaps[0]["runs"].split()) <= set(runs["id"]) and len(overlaps[0]["runs"].split()) == 2


def test_hostile_names_are_text_and_formulas_are_no_formulas(browser, files):
    with Opened(browser, files / "hostile.html") as opened:
        text = opened.page.locator("body").inner_text()
        for name in HOSTILE:
            words = printable(name)[:60]
            assert " ".join(words.split()) in " ".join(text.split()), name
        for k, name in enumerate(HOSTILE, 1):
            head, *rows = opened.copied(opened.page.locator(f"#runs-{k} .copy"))
            whole = printable(name)
            safe = "'" + whole if whole[0] in "=+-@\t\r" else whole
            assert head[1:5] == ["whole", "real", "none", "runs"] and len(rows) == 3
            assert rows[0][5] == safe and rows[0][0] == safe + " 0"
            assert rows[1][1:4] == ["1", "0.5", ""]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system_and_the_button(browser, files, scheme):
    with Opened(browser, files / "report.html", scheme=scheme) as opened:
        back = lambda: opened.page.evaluate("getComputedStyle(document.body).backgroundColor")  # noqa: E731
        light, dark = "rgb(255, 255, 255)", "rgb(15, 19, 23)"
        assert back() == (light if scheme == "light" else dark)
        ink = "document.querySelector('.plot').querySelector('.xtitle').style.fill"
        first = opened.page.evaluate(ink)
        for expected in (light, dark, back()):  # the button: light, dark, as the system
            opened.page.locator(".theme").click()
            assert back() == expected
        assert opened.page.evaluate(ink) == first


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["report", "figure"])
def test_on_paper_every_figure_is_whole_and_dark_on_white(browser, files, name, scheme, tmp_path):
    with Opened(browser, files / f"{name}.html", scheme=scheme) as opened:
        shown = opened.page
        content = shown.pdf(format="A4", path=str(tmp_path / "page.pdf"))
        assert content.startswith(b"%PDF") and len(content) > 20_000
        shown.set_viewport_size({"width": PAPER, "height": 1000})
        shown.emulate_media(media="print")
        shown.evaluate("dispatchEvent(new Event('beforeprint'))")
        boxes = shown.evaluate("""[...document.querySelectorAll('.panel')].map(panel => {
            const a = panel.getBoundingClientRect();
            return [...panel.querySelectorAll('.main-svg')].map(svg => {
                const b = svg.getBoundingClientRect();
                return [b.left - a.left, a.right - b.right, a.bottom - b.bottom, b.height, a.right];
            });
        }).flat()""")
        for left, right, bottom, height, edge in boxes:
            assert left >= 0 and right >= 0 and bottom >= 0 and edge <= PAPER + 1 and 100 < height < 860
        assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        ink = shown.evaluate("document.querySelector('.plot').querySelector('.xtitle').style.fill")
        assert ink == "rgb(27, 31, 36)"
        assert shown.locator(".tools:visible").count() == 0
