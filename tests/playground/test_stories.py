"""The five stories beside the native engine, and the page over time: pytest -m slow -s tests/playground/test_stories.py

It prints the numbers of docs/playground.md.
"""

from __future__ import annotations

import functools
import gzip
import json
import statistics
import time
from pathlib import Path

import numpy as np
import pytest

from superlaw import RunSpec, fit_slope, train
from superlaw.toy.fused import Fused

pytestmark = pytest.mark.slow  # ten minutes: 16 models in a browser, for 8 seeds, twice
SEEDS, OTHERS = range(8), range(8, 16)
WITHIN = 4  # combined standard errors
FASTEST = 0.2  # of native steps a second that a browser reaches at least


@functools.cache
def native(record: str) -> float:
    return train(RunSpec.from_dict(json.loads(record))).loss


def with_seed(fragment: str, seed: int) -> str:
    return "&".join(f"seed={seed}" if part.startswith("seed=") else part for part in fragment.split("&"))


def setting(fragment: str) -> dict[str, float]:
    return {name: float(value) for name, value in (part.split("=") for part in fragment.split("&"))}


def specs(found: dict[str, float], widths: list[int]) -> list[tuple[str, RunSpec]]:
    """The runs of a setting, strong before weak."""
    base = {name: value for name, value in found.items() if name not in ("law", "narrowest", "widest")}
    base["warmup"] = round(base["steps"] / 10)
    if not found["law"]:
        return [("one", RunSpec.from_dict(base))]
    size = abs(base["weight_decay"])
    return [(name, RunSpec.from_dict({**base, "width": width, "weight_decay": decay}))
            for name, decay in (("strong", -size), ("weak", size)) for width in widths]  # fmt: skip


def numbers(runs: list[tuple[str, RunSpec, float]]) -> dict[str, float]:
    """What a story shows: the log loss of one model, or the exponents and mean log losses of the law."""
    found = {}
    for name in dict.fromkeys(name for name, _, _ in runs):
        mine = [(spec, loss) for one, spec, loss in runs if one == name]
        found[f"{name}: mean log loss"] = float(np.mean([np.log(loss) for _, loss in mine]))
        good = [(spec.width, loss) for spec, loss in mine
                if spec.width <= spec.n_features / 10 and loss < spec.untrained_loss]  # fmt: skip
        if len(good) >= 3:
            found[f"{name}: exponent"] = fit_slope(*map(np.array, zip(*good, strict=True))).exponent
    return found


def differ(ours: list[float], theirs: list[float]) -> tuple[float, float]:
    """The difference of means, and its standard error."""
    error = np.sqrt(np.var(ours, ddof=1) / len(ours) + np.var(theirs, ddof=1) / len(theirs))
    return float(np.mean(ours) - np.mean(theirs)), float(error)


@pytest.mark.parametrize("story", [1, 2, 3, 4, 5])
def test_a_story_ends_as_the_native_engine_ends_it(open_page, story):
    shown = open_page()
    shown.page.locator("#stories button").nth(story - 1).click()
    shown.page.wait_for_function("k => document.querySelectorAll('#stories button')[k].ariaCurrent === 'true'",
                                 arg=story - 1)  # fmt: skip
    fragment = shown.fragment
    shown.page.context.close()
    in_page, same, other, apart = [], [], [], 0.0
    for seed in SEEDS:
        shown = open_page(with_seed(fragment, seed)).until(seconds=590)
        assert shown.said == []
        found = setting(shown.fragment)
        if found["law"]:
            losses = json.loads(shown.page.locator("#law").get_attribute("data-losses"))
            names = shown.page.locator("#shown option").all_text_contents()
            widths = [int(name.split("= ")[1]) for name in names if name.startswith("strong")]
            runs = specs(found, widths)
            page = [*losses["strong"], *losses["weak"]]
            for name in ("weak", "strong"):
                shown_exponent = float(shown.page.locator(f"#exponent-{name}").get_attribute("data-value"))
                ours = numbers([(*run, loss) for run, loss in zip(runs, page, strict=True)])
                assert shown_exponent == pytest.approx(ours.get(f"{name}: exponent", np.nan), abs=1e-6, nan_ok=True)
        else:
            runs, page = specs(found, []), [shown.number("loss")]
        shown.page.context.close()
        theirs = [native(json.dumps(spec.to_dict())) for _, spec in runs]
        apart = max(apart, float(np.max(np.abs(np.log(np.array(page) / theirs)))))
        in_page.append(numbers([(*run, loss) for run, loss in zip(runs, page, strict=True)]))
        same.append(numbers([(*run, loss) for run, loss in zip(runs, theirs, strict=True)]))
    for seed in OTHERS:
        again = [(name, spec.change(seed=seed)) for name, spec in runs]
        other.append(numbers([(*run, native(json.dumps(run[1].to_dict()))) for run in again]))
    print(f"\nstory {story}: one seed's loss differs from native by {apart:.1e} in log at most")
    for name in in_page[0]:
        ours, paired, fresh = ([one[name] for one in part if name in one] for part in (in_page, same, other))
        for label, theirs in (("the same seeds", paired), ("other seeds", fresh)):
            difference, error = differ(ours, theirs)
            mean, spread = np.mean(ours), np.std(ours, ddof=1) / np.sqrt(len(ours))
            print(f"  {name} {mean:.3f} ± {spread:.3f}; native, {label}, {np.mean(theirs):.3f}: "
                  f"{difference / error:+.2f} combined standard errors")  # fmt: skip
            assert abs(difference) <= WITHIN * error, (name, label)
            assert len(ours) == len(paired) == 8


def memory(browser, page) -> float:
    """Megabytes of the processes that pages and their workers run in, once garbage is collected."""
    for place in (page, *page.workers):
        place.evaluate("gc()")
    page.wait_for_timeout(500)
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pids = [one["id"] for one in processes if one["type"] == "renderer"]
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def test_sixty_seconds_of_training_leave_the_memory_as_it_was(browser, open_page):
    shown = open_page("n_features=200&width=20&weight_decay=-1&steps=20000&batch=1024&activation_density=1&law=1"
                      "&narrowest=4&widest=20")  # fmt: skip
    shown.page.wait_for_timeout(10_000)
    samples = []
    for _ in range(13):
        samples.append(memory(browser, shown.page))
        shown.page.wait_for_timeout(5000)
    print(f"\nmemory over 60 s: {', '.join(f'{sample:.0f}' for sample in samples)} MB")
    assert shown.said == [] and shown.number("step") > 10
    assert min(samples[-4:]) < max(samples[:4]) + 10  # every look kept would be 100 MB


def test_beginning_a_hundred_times_leaves_the_memory_as_it_was(browser, open_page):
    """Each model takes 4 MB and more: kept, they would be 280 MB."""
    shown = open_page("n_features=500&width=100&steps=200&batch=64&activation_density=1&weight_decay=-1")
    sizes = []
    for k in range(100):
        shown.page.evaluate("document.getElementById('restart').click()")
        shown.page.wait_for_function("() => Number(document.querySelector('#number-step')?.dataset.value) > 0")
        if k in (29, 99):
            sizes.append(memory(browser, shown.page))
    print(f"\nmemory after 30 and 100 beginnings: {sizes[0]:.0f} and {sizes[1]:.0f} MB")
    assert shown.said == [] and sizes[1] < sizes[0] + 60


def test_how_fast_it_trains_beside_the_native_engine(open_page):
    fragment = ("n_features=200&width=20&data_exponent=1&activation_density=1&weight_decay=-1&learning_rate=0.01"
                "&initial_bias_std=1&steps=2000&batch=1024&seed=0")  # fmt: skip
    spec = specs({**setting(fragment), "law": 0}, [])[0][1]

    def native_speed(simd: str) -> float:
        begin = time.perf_counter()
        list(Fused(simd=simd).train([spec]))
        return spec.steps / (time.perf_counter() - begin)

    rounds = []
    for _ in range(3):
        shown = open_page(fragment).until(seconds=300)
        rounds.append((shown.number("speed"), native_speed(""), native_speed("baseline")))
        shown.page.context.close()
    page, best, baseline = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"\nsteps a second at n = 200, m = 20, B = 1024, medians of 3: {page:.0f} in the page, {best:.0f} native "
          f"({page / best:.2f}), {baseline:.0f} native with baseline kernels ({page / baseline:.2f})")  # fmt: skip
    assert page / best > FASTEST


def test_it_is_small_and_soon_there(open_page, built):
    size = len(gzip.compress(built.read_bytes(), 9))
    times = []
    for _ in range(5):
        shown = open_page()
        shown.page.wait_for_selector("#number-step")
        times.append(shown.page.evaluate("performance.getEntriesByName('first picture')[0].startTime") / 1000)
        shown.page.context.close()
    print(f"\n{built.stat().st_size / 1000:.0f} kB, {size / 1000:.0f} kB compressed; first picture after "
          f"{statistics.median(times):.2f} s (5 openings, {min(times):.2f} to {max(times):.2f})")  # fmt: skip
    assert size < 600_000 and statistics.median(times) < 2
