"""The built playground, in the browser and by itself; tests that need it skip, and say so, where it is not built."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")


def builder():
    """playground/build.py as a module."""
    found = importlib.util.spec_from_file_location("playground_build", ROOT / "playground" / "build.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def built() -> Path:
    """The page as it was built last, from the sources as they are."""
    build = builder()
    if not build.OUT.is_file():
        pytest.skip(f"the playground is not built: make playground ({build.lacking() or 'all it needs is here'})")
    made_from = re.search(r'name="made-from" content="(\w+)"', build.OUT.read_text()).group(1)
    if made_from != build.digest():
        pytest.skip("the playground's sources changed since it was built: make playground")
    return build.OUT


@pytest.fixture(scope="session")
def engine(built) -> Path:
    """The engine alone, as WebAssembly."""
    return ROOT / "playground" / "build" / "engine.wasm"


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install 'superlaw[browser]'")
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt install chromium, or set CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--js-flags=--expose-gc"])
        yield chromium
        chromium.close()


@dataclass
class Opened:
    """The page in the browser, with what it said and what it asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def until(self, state: str = "over", seconds: float = 120) -> Opened:
        """Wait until all is trained."""
        self.page.wait_for_selector(f"html[data-state={state}]", state="attached", timeout=seconds * 1000)
        return self

    def number(self, name: str) -> float:
        """One of the numbers that the page shows, in full."""
        return float(self.page.locator(f"#number-{name}").get_attribute("data-value"))

    @property
    def notice(self) -> str:
        return self.page.locator("#notice").inner_text()

    @property
    def fragment(self) -> str:
        return self.page.evaluate("location.hash").lstrip("#")


@pytest.fixture
def open_page(browser, built) -> Iterator[Any]:
    """open_page(fragment, **context): the page from its file."""
    contexts = []

    def opened(fragment: str = "", width: int = 1280, **options: Any) -> Opened:
        context = browser.new_context(viewport={"width": width, "height": 900}, accept_downloads=True, **options)
        contexts.append(context)
        shown = Opened(context.new_page())
        shown.page.on("console", lambda message: shown.said.append(message.text))
        shown.page.on("pageerror", lambda error: shown.said.append(str(error)))
        shown.page.on("request", lambda request: shown.asked.append(request.url))
        shown.page.goto(built.as_uri() + (f"#{fragment}" if fragment else ""))
        shown.page.wait_for_selector("html[data-state]", state="attached")
        return shown

    yield opened
    for context in contexts:
        context.close()
