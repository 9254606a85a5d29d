"""How Sphinx makes the site: `nox -s docs`.

Sphinx's source folder is the root of the repository, so that links between pages and READMEs are the same on the site
and in the repository. A comment `<!-- generated: NAME -->` in a page is replaced by what `generated.py` makes of the
code, and each plugin's README gets its capabilities and its configuration appended.
"""

import sys
from importlib import metadata
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))

import generated

project = "channelry"
release = metadata.version("channelry")
copyright = "the authors of channelry; Apache-2.0"
root_doc = "docs/index"
extensions = ["myst_parser"]
include_patterns = ["docs/*.md", "docs/**/*.md", "plugins/**/README.md", "CHANGELOG.md"]
exclude_patterns = [".*", "build", "dist", "core", "tests", "**/tests", "plugins/**/channelry_*"]
nitpicky = True
myst_heading_anchors = 4

html_theme = "furo"
html_title = "channelry"
html_static_path = ["static"]
html_css_files = ["channelry.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options: dict[str, object] = {"footer_icons": [], "top_of_page_buttons": []}
pygments_style = "friendly"
pygments_dark_style = "monokai"


def fill_in(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace a page's comments by what the code says, and append to a plugin's README what its class says."""
    source[0] = generated.filled(source[0]) + generated.appendix(docname)


def begin(app: Sphinx, error: Exception | None) -> None:
    """Lead from the site's root to its first page."""
    if error is None:
        (Path(app.outdir) / "index.html").write_text('<meta http-equiv="refresh" content="0; url=docs/index.html">\n')


def setup(app: Sphinx) -> None:
    app.connect("source-read", fill_in)
    app.connect("build-finished", begin)
