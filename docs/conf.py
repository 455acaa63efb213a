"""How the site is built: `make docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import docstrings

import recirc_hw

project = "recirc_hw"
author = "The recirc_hw maintainers"
copyright = author  # noqa: A001
release = recirc_hw.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["results/*"]  # included by the pages of the papers

highlight_language = "none"  # equations and commands, where no language is named
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": True}
napoleon_use_rtype = False
copybutton_selector = "div:not(.output) > div.highlight pre"

html_theme = "furo"
html_title = "recirc_hw"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sphinx = False


def setup(app):
    """Read docstrings as our house writes them."""
    app.connect("autodoc-process-docstring", docstrings.as_restructured, priority=1)
    app.connect("autodoc-process-docstring", docstrings.properties_restored, priority=999)
    app.connect("autodoc-skip-member", docstrings.skipped)
