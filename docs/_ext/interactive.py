"""Pictures of pages that stored runs can draw become interactive, by the package's own painter, bundle and script.

A page names a picture as GitHub shows it, ``![...](images/gallery/strong.png)``; here is said from which runs the site
draws it. What no stored runs can draw stays the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from front import demo, front
from sphinx.application import Sphinx

import superlaw
from superlaw.figures.panels import Picture
from superlaw.report.render import HERE as REPORT
from superlaw.report.render import bundle, figure_parts

DOCS = Path(__file__).parents[1]
RUNS = DOCS / "runs"
LEVEL = 3  # of the figures' headings


@dataclass(frozen=True)
class Source:
    """Which figure of the catalogue, from which tables of docs/runs, and which of their runs."""

    figure: str
    tables: tuple[str, ...]
    where: str | None = None

    def picture(self) -> Picture:
        return superlaw.figure(self.figure, store=[RUNS / name for name in self.tables], where=self.where).picture


FRONT = "images/front.png"
MEDIUM = "weight-decay-grid-medium.csv"
GRID = ("weight-decay-grid.csv", MEDIUM, "weight-decay-grid-seeds.csv")
PICTURES: dict[str, Callable[[], Picture]] = {
    FRONT: front,
    "images/demo.png": demo,
    "images/gallery/exponents.png": Source("exponents", GRID).picture,
    "images/gallery/weight-decay.png": Source("weight-decay", GRID).picture,
    "images/gallery/weak.png": Source("weak", (MEDIUM,)).picture,
    "images/gallery/strong.png": Source("strong", (MEDIUM,)).picture,
    "images/gallery/density.png": Source("density", ("density-grid.csv",)).picture,
    "images/gallery/overview.png": Source("overview", ("wide-medium.csv",)).picture,
    "studies/images/initial-bias.png": Source("initial-bias", ("initial-bias.csv",)).picture,
    "studies/images/variants.png": Source("variants", ("variants.csv",), "activation == 'relu'").picture,
}


@cache
def picture(name: str) -> Picture:
    return PICTURES[name]()


def drawn(app: Sphinx, tree: nodes.document) -> None:
    """Put the interactive figures in place of the pictures that they draw again."""
    found = [(image, image["uri"]) for image in tree.findall(nodes.image) if image["uri"] in PICTURES]
    if not found or app.builder.format != "html":
        return
    parts = figure_parts([picture(name) for _, name in found], LEVEL)
    for (image, name), part in zip(found, parts, strict=True):
        part = f'<div class="front">{part}</div>' if name == FRONT else part
        raw = nodes.raw("", part, format="html")
        place = image.parent if isinstance(image.parent, nodes.paragraph) and len(image.parent) == 1 else image
        place.replace_self(raw)
        app.env.images.pop(name, None)
    app.env.metadata[app.env.docname]["figures"] = len(found)


def scripts(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: nodes.document | None) -> None:
    """Plotly's bundle and the script of figures, where a page has any."""
    if app.env.metadata.get(page, {}).get("figures"):
        app.add_js_file(bundle()["file"], loading_method="defer", priority=900)
        app.add_js_file("page.js", loading_method="defer", priority=901)


def setup(app: Sphinx) -> dict[str, Any]:
    app.config["html_static_path"] += [str(REPORT / "static" / name) for name in (bundle()["file"], "page.js")]
    app.connect("doctree-read", drawn)
    app.connect("html-page-context", scripts)
    return {"version": superlaw.__version__, "parallel_read_safe": True, "parallel_write_safe": True}
