"""The playground in Chromium: what it trains is what the program trains, links hold settings, nothing is fetched.

By hand: make playground, pip install 'superlaw[browser]', apt install chromium, pytest tests/playground.
"""

from __future__ import annotations

import json
import re
import shlex

import numpy as np
import pytest

from superlaw import RunSpec, fit_slope, train
from superlaw.sweeps.plan import load_plan

SHORT = "n_features=60&width=6&data_exponent=1.3&activation_density=1.5&weight_decay=-0.55&learning_rate=0.013&" \
        "initial_bias_std=0.35&steps=100&batch=200&seed=17&law=0&narrowest=2&widest=12"  # fmt: skip
FIRST = "n_features=5&width=2&data_exponent=1&activation_density=2&weight_decay=1"


def saved(opened, button: str):
    with opened.page.expect_download() as download:
        opened.page.locator(button).click()
    return download.value


def test_the_command_it_shows_trains_the_run_it_shows(open_page, command, tmp_path):
    shown = open_page(SHORT).until()
    words = shlex.split(shown.page.locator("#command").inner_text())
    assert words[:2] == ["superlaw", "train"]
    code, out, err = command(*words[1:], "--out", tmp_path / "run.safetensors", "--json")
    assert code == 0, err
    summary = json.loads(out)
    assert shown.number("loss") == pytest.approx(summary["loss"], rel=2e-5)
    assert shown.number("represented") == pytest.approx(summary["represented_fraction"])
    assert shown.number("silent") == pytest.approx(summary["silent_fraction"])
    assert shown.number("overlap") == pytest.approx(summary["mean_square_overlap"], rel=1e-4)


def test_the_spec_it_saves_is_the_same_run(open_page, command, tmp_path):
    shown = open_page(SHORT).until()
    download = saved(shown, "#save-spec")
    path = tmp_path / download.suggested_filename
    download.save_as(path)
    words = shlex.split(shown.page.locator("#command").inner_text())[2:]
    asked = dict(zip(words[::2], words[1::2], strict=True))
    spec = RunSpec.from_dict(json.loads(path.read_text()))
    assert spec == RunSpec.from_dict({name[2:].replace("-", "_"): float(value) for name, value in asked.items()})
    code, out, err = command("train", "--spec", path, "--out", tmp_path / "run.safetensors", "--json")
    assert code == 0, err
    assert json.loads(out)["loss"] == pytest.approx(shown.number("loss"), rel=2e-5)


def test_the_plan_it_saves_is_the_law_it_draws(open_page, tmp_path):
    shown = open_page(SHORT.replace("law=0", "law=1")).until()
    download = saved(shown, "#save-plan")
    path = tmp_path / download.suggested_filename
    download.save_as(path)
    specs = load_plan(path).specs
    losses = json.loads(shown.page.locator("#law").get_attribute("data-losses"))
    assert len(specs) == 16
    for name, decay in (("weak", 0.55), ("strong", -0.55)):
        mine = sorted((spec for spec in specs if spec.weight_decay == decay), key=lambda spec: spec.width)
        native = [train(spec).loss for spec in mine]
        np.testing.assert_allclose(losses[name], native, rtol=2e-5)
        at = shown.page.locator(f"#exponent-{name}")
        good = [k for k, spec in enumerate(mine) if spec.width <= 6 and native[k] < 4 / 3 * 1.5]
        if len(good) < 3:
            assert at.get_attribute("data-value") == "NaN"
            continue
        line = fit_slope([mine[k].width for k in good], [native[k] for k in good])
        assert float(at.get_attribute("data-value")) == pytest.approx(line.exponent, abs=1e-4)
        assert float(at.get_attribute("data-stderr")) == pytest.approx(line.stderr, abs=1e-4)


def test_a_link_holds_the_whole_setting(open_page):
    shown = open_page(SHORT)
    assert shown.fragment == SHORT
    shown.page.locator("#slider-weight_decay").focus()
    shown.page.keyboard.press("ArrowRight")
    shown.until("over")
    moved = shown.fragment
    assert moved == SHORT.replace("weight_decay=-0.55", "weight_decay=-0.5")
    again = open_page(moved).until()
    assert again.fragment == moved and again.number("loss") == shown.number("loss")


HOSTILE = [
    "width=1e9", "width=-3", "width=2.5", "width=", "width=NaN", "width=Infinity", "width=0x10", "width=1&width=2",
    "n_features=500000000", "steps=99999999999999999999", "seed=4294967296", "batch=0", "law=2",
    "activation_density=49&n_features=2", "law=1&narrowest=30&widest=31", "__proto__=1", "constructor=1", "toString=1",
    "width=<script>document.title='taken'</script>", "<img src=x onerror=document.title='taken'>", "%00", "a" * 5000,
    "javascript:alert(1)", "width=2&x", "=", "width==2", "learning_rate=1e-999", "weight_decay=--1", "📈=1",
]  # fmt: skip


def test_hostile_links_give_the_first_story_and_one_line(open_page):
    shown = open_page()
    for text in HOSTILE:
        shown.page.evaluate("text => { location.hash = '#seed=5'; location.hash = '#' + text }", text)
        shown.page.wait_for_function("() => !document.getElementById('notice').hidden")
        assert shown.fragment.startswith(FIRST), text
        assert re.fullmatch(r"The link’s setting cannot be used, .{5,120}: this is the first story instead\.",
                            shown.notice), text  # fmt: skip
        assert shown.page.locator("#notice *").count() == 0
        shown.page.evaluate("document.getElementById('notice').hidden = true")
    assert shown.page.title() != "taken" and shown.said == []
    assert len(shown.asked) == 2


def test_a_hostile_link_opened_is_no_worse(open_page):
    shown = open_page("width=<script>alert(1)</script>&steps=1e99").until()
    assert "cannot be used" in shown.notice and shown.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_fetched_or_complained_of_and_nothing_overflows(open_page, built, width, scheme):
    shown = open_page(SHORT.replace("law=0", "law=1"), width=width, color_scheme=scheme).until()
    assert shown.said == []
    assert [url.partition("#")[0] for url in shown.asked if not url.startswith("blob:null/")] == [built.as_uri()]
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    drawn = shown.page.evaluate(
        "[...document.querySelectorAll('figure canvas')].map(c => new Set(c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data).size)"
    )
    assert len(drawn) == 5 and min(drawn) > 3  # colours on each


def test_its_policy_forbids_what_is_not_its_own(open_page):
    shown = open_page()
    shown.page.evaluate("document.body.append(Object.assign(document.createElement('script'),"
                        " {textContent: 'document.title = \"taken\"'}))")  # fmt: skip
    shown.page.evaluate("fetch('https://example.org').catch(() => 0)")
    assert shown.page.title() != "taken"
    assert sum("Content Security Policy" in said for said in shown.said) >= 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, built, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: pip install 'superlaw[browser]'")
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{built.as_uri()}#{SHORT.replace('law=0', 'law=1')}")
    page.wait_for_selector("html[data-state=over]", state="attached")
    found = axe.Axe().run(page).response["violations"]
    context.close()
    grave = [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")]
    assert grave == []


def test_keys_run_pause_restart_and_tell_stories(open_page):
    shown = open_page(SHORT.replace("steps=100", "steps=20000"))
    page = shown.page
    page.wait_for_function("() => Number(document.querySelector('#number-step')?.dataset.value) > 5")
    page.keyboard.press("Space")
    shown.until("paused")
    assert page.locator("#run").inner_text() == "Run"
    at = shown.number("step")
    page.wait_for_timeout(300)
    assert shown.number("step") == at
    page.keyboard.press("Space")
    page.wait_for_function(f"() => Number(document.querySelector('#number-step').dataset.value) > {at}")
    page.keyboard.press("2")
    page.wait_for_function("() => document.querySelector('#stories [aria-current=true]')?.textContent.startsWith('2.')")
    assert "pentagon" in page.locator("#telling").inner_text()


def test_a_chosen_speed_is_kept(open_page):
    shown = open_page(SHORT.replace("steps=100", "steps=2000"))
    shown.page.locator("#speed").select_option("20")
    shown.page.locator("#restart").click()
    now = "[performance.now(), Number(document.querySelector('#number-step').dataset.value)]"
    shown.page.wait_for_function("() => Number(document.querySelector('#number-step').dataset.value) < 100")
    begin, first = shown.page.evaluate(now)
    shown.page.wait_for_timeout(3000)
    end, last = shown.page.evaluate(now)
    assert 2 < 1000 * (last - first) / (end - begin) < 30  # fewer than 20 where the machine is busy


def test_fingers_turn_the_rows_and_move_the_sliders(open_page):
    shown = open_page(SHORT, width=390, has_touch=True, is_mobile=True).until()
    page = shown.page
    page.locator("[data-dimensions='3']").tap()
    assert page.locator("[data-dimensions='3']").get_attribute("aria-pressed") == "true"
    assert page.evaluate("getComputedStyle(document.getElementById('rows')).touchAction") == "none"
    before = shown.fragment
    page.locator("#slider-width").tap(position={"x": 5, "y": 10})
    page.wait_for_function("before => location.hash.slice(1) !== before", arg=before)
    assert all(page.evaluate("[...document.querySelectorAll('main button')].filter(b => b.offsetParent)"
                             ".map(b => b.getBoundingClientRect().height >= 34)"))  # fmt: skip
