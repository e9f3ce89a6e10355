"""Files of the repository beside docs/ that pages link to: pages of the site where they are one, else downloads."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

PAGES = {"README": "index", "CONTRIBUTING": "contributing", "CHANGELOG": "changelog"}


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", led_home)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def led_home(app: Sphinx, page: str, source: list[str]) -> None:
    """Links to the project's own pages beside docs/ lead to those of the site."""
    up = "../" * (page.count("/") + 1)
    for name, here in PAGES.items():
        source[0] = source[0].replace(f"]({up}{name}.md", f"]({'../' * page.count('/')}{here}.md")
