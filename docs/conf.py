"""The study pages: `make docs` builds them into docs/_build/html; any warning is an error."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from minigan.version import __version__

project = "minigan"
author = "The minigan developers"
copyright = "The minigan developers"
release = version = __version__

extensions = ["myst_nb", "pages"]
nb_execution_mode = "off"  # the notebook is stored executed; a test runs it anew
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_build"]
nitpicky = True

html_theme = "furo"
html_title = "minigan"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sourcelink = False
