"""Configuration of the documentation."""

import importlib.metadata
import re

import matplotlib as mpl

mpl.use("Agg")

project = "identica"
author = "the identica developers"
copyright = f"2026, {author}"
release = version = importlib.metadata.version("identica")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
]
# What paper/ holds is a part of paper.md.
exclude_patterns = ["_build", "examples", "gallery/*.ipynb", "paper/*"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
# The docstrings say the types, with shapes.
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "min_reported_time": 1,
    # An example that fails is an error of the documentation.
    "abort_on_example_error": True,
}

html_theme = "furo"
html_title = f"identica {version}"
html_show_sourcelink = False


def escape_bars(app, what, name, obj, options, lines):
    """Keep reStructuredText from reading the |absolute values| of docstrings as substitutions."""
    lines[:] = [re.sub(r"\|(\S[^|]*)\|", r"\\|\1\\|", line) if "``" not in line else line for line in lines]


def setup(app):
    """Connect the hook above."""
    app.connect("autodoc-process-docstring", escape_bars, priority=900)
