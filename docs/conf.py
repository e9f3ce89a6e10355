"""The site: ``make docs``. What is generated from the package (names, commands, schemas, figures) is in docs/_ext."""

from __future__ import annotations

import importlib.util
import sys
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "superlaw"
author = "The superlaw authors"
copyright = f"2026, {author}, MIT licence"
release = version = version_of("superlaw")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "docstrings",
    "playground",
    "names",
    "commands",
    "formats",
    "interactive",
    "outside",
]
exclude_patterns = ["_build", "_ext", "_static", "_templates"]
root_doc = "index"

# Warnings are errors (make docs). What is not looked up: names of other packages, for which the net would be needed.
smartquotes = False  # two hyphens before an option stay two
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!superlaw).*")]

myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 6  # the anchors that GitHub makes
myst_number_code_blocks = []
myst_links_external_new_tab = False

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say types, shapes and units
autodoc_inherit_docstrings = False
autodoc_class_signature = "mixed"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

# Formulas are drawn by a MathJax of the site's own (one file, Apache 2.0): nothing is fetched from elsewhere.
_mathjax = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax" / "tex-svg.js"
mathjax_path = _mathjax.name
mathjax3_config = {"options": {"enableMenu": False}}

templates_path = ["_templates"]
html_static_path = ["_static", str(_mathjax)]
html_css_files = ["site.css"]
html_theme = "pydata_sphinx_theme"
html_title = "superlaw"
html_show_search_summary = False  # it would be fetched, which files on a disk may not be
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "superlaw"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 7,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_center": [],
    "footer_end": [],
    "back_to_top_button": True,
    "search_bar_text": "Search",
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {page: [] for page in ("index", "how-to", "science", "search")}
html_context = {"default_mode": "auto"}
copybutton_prompt_text = "$ "
