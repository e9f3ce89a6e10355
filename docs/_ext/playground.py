"""The playground within the site: the folder ``playground/dist`` as it was built, under ``playground/``.

The site does not build it. Where the folder is there when ``make docs`` runs, it is copied and the page leads to it;
else the page says how to build it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

BUILT = Path(__file__).parents[2] / "playground" / "dist"
PLACE = "play"  # of the folder within the site
NOT_BUILT = "It was not built when this site was made. Run `make playground`, then `make docs` again."


def is_built() -> bool:
    return (BUILT / "index.html").is_file()


class Playground(SphinxDirective):
    """``{playground}``: the way to it, or how to make it."""

    def run(self) -> list[nodes.Node]:
        if is_built():
            link = f'<p><a class="play" href="{PLACE}/index.html">Open the playground</a></p>'
            return [nodes.raw("", link, format="html")]
        return self.parse_text_to_nodes(NOT_BUILT)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("playground", Playground)
    if is_built():
        app.connect("build-finished", copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def copy(app: Sphinx, failure: Exception | None) -> None:
    """The folder, beside the pages."""
    import shutil

    if failure is None and app.builder.format == "html":
        shutil.copytree(BUILT, Path(app.outdir) / PLACE, dirs_exist_ok=True)
