"""How the site is built: ``make docs``."""

import hashlib
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

import tf_iclrec  # noqa: E402

project = "tf_iclrec"
author = "the authors of tf_iclrec"
project_copyright = author
version = release = tf_iclrec.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "benchmark_pages",
    "examples",
    "generated",
    "headers",
]
exclude_patterns = ["_build", "**/README.md"]
smartquotes = False

# Markdown.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Notebooks run anew when their cells or the library change.
nb_execution_mode = "cache"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_output_stderr = "remove"
nb_ipywidgets_js = {}
_sources = sorted((HERE.parent / "tf_iclrec").rglob("*.py"))
_digest = hashlib.sha256(b"".join(path.read_bytes() for path in _sources)).hexdigest()[:16]
nb_execution_cache_path = str(HERE / "_build" / "notebooks" / _digest)

# The reference.
default_role = "py:obj"
templates_path = ["_templates"]
autodoc_inherit_docstrings = False
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_preprocess_types = False

# The page. Nothing is loaded from elsewhere.
html_theme = "pydata_sphinx_theme"
html_title = f"tf_iclrec {version}"
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": [], "getting_started": []}
copybutton_exclude = ".linenos, .gp, .go"
