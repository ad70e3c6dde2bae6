"""Sphinx: MyST pages, furo; the reference pages are made from the code."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

project = "flask_checkout_case"
author = "the flask_checkout_case authors"
copyright = f"2026, {author}"  # noqa: A001 - the name that Sphinx reads
release = version = installed_version("flask-checkout-case")

extensions = ["myst_parser", "code_reference"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.domains"]

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["docs.css"]
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#4f46e5",
        "color-brand-content": "#4f46e5",
        "color-foreground-primary": "#1e293b",
    },
    "dark_css_variables": {"color-brand-primary": "#8b8cf8", "color-brand-content": "#8b8cf8"},
}
