"""Pages of the project that stand beside docs/: their text becomes pages of the site, and links to them lead there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
PAGES = {"README": "index", "CONTRIBUTING": "contributing", "CHANGELOG": "changelog"}
TAKEN = ("contributing", "changelog")  # pages that are the text of a file beside docs/
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)\s]+)\)")


def led_home(app: Sphinx, page: str, source: list[str]) -> None:
    """Take the text from outside, and make links lead from where the page stands in the site."""
    (file,) = [name for name, here in PAGES.items() if here == page and page in TAKEN] or [None]
    if file:
        source[0] = (ROOT / f"{file}.md").read_text()
        app.env.note_dependency(str(ROOT / f"{file}.md"))
    folder = ROOT if file else (ROOT / "docs" / page).parent
    source[0] = LINK.sub(lambda found: f"]({_from(page, folder, found[1])})", source[0])


def _from(page: str, folder: Path, target: str) -> str:
    """A link of a file in ``folder`` as one of the page."""
    path, hash_, anchor = target.partition("#")
    place = (folder / path).resolve()
    if place.parent == ROOT and place.stem in PAGES:
        place = ROOT / "docs" / f"{PAGES[place.stem]}.md"
    return f"{_relative(place, (ROOT / 'docs' / page).parent)}{hash_}{anchor}"


def _relative(place: Path, folder: Path) -> str:
    from os.path import relpath  # Path.relative_to goes up from Python 3.12 on

    return relpath(place, folder)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", led_home)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
