"""How Sphinx makes the site from what is committed; `make site` calls it.

`svnr.publish.site` says which pages there are. They are laid out in the folder that Sphinx reads,
build/pages. Notebooks come with the outputs they were committed with. `links.py` joins the pages.
"""

import importlib
import importlib.util
import re
import sys
from dataclasses import is_dataclass
from pathlib import Path
from typing import get_type_hints

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

from svnr.publish.site import modules, pages

ROOT = Path(__file__).parents[2]
MATHJAX = importlib.util.find_spec("sphinx-mathjax-offline").submodule_search_locations[0]

project, author, copyright = "svnr", "The svnr authors", "the svnr authors, MIT license"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
extensions += ["sphinx.ext.mathjax", "links"]
sys.path.append(str(Path(__file__).parent))  # links.py
exclude_patterns = ["figures"]
smartquotes = False  # quotations stay letter by letter
default_role = "py:obj"

nb_execution_mode = "off"
nb_render_markdown_format = "myst"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "undoc-members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_use_ivar = True  # fields told under "Attributes:" are not told again
viewcode_follow_imported_members = False
python_use_unqualified_type_names = True
maximum_signature_line_length = 80
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme, html_title = "furo", "svnr"
html_favicon = "icon.svg"
pygments_dark_style = "github-dark"
html_static_path = ["svnr.css", f"{MATHJAX}/static/mathjax/tex-svg.js"]
html_css_files = ["svnr.css"]
mathjax_path = "tex-svg.js"  # one file, letters drawn as paths: nothing is fetched
html_copy_source = html_show_sphinx = False
SUMMARIES = "DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = location.protocol !== 'file:';"
html_js_files = [(None, {"body": SUMMARIES})]  # a page on disk may not read another


def lay_out(app: Sphinx) -> None:
    """Put the pages where Sphinx reads them."""
    for place, page in pages(ROOT).items():
        path = Path(app.srcdir, place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(page.read_bytes() if isinstance(page, Path) else page.encode())


def read_settings(app: Sphinx) -> None:
    """Let the comment behind a field be its documentation, and show its type without its range."""
    for name in modules(ROOT):
        module = importlib.import_module(name)
        source = Path(module.__file__).read_text(encoding="utf-8")
        told = re.sub(r"^((?:    )?\w+(?:: [^#\n]*| = [^#\n]*)) # ", r"\1 #: ", source, flags=re.M)
        analyzer = ModuleAnalyzer.for_string(told, name, module.__file__)
        analyzer.analyze()
        analyzer.code = source  # what viewcode shows
        ModuleAnalyzer.cache["module", name] = analyzer
        for kind in vars(module).values():
            if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == name:
                types = get_type_hints(kind)  # Annotated[float, Interval(0, 1)] is a float here
                for place in (kind.__annotations__, kind.__init__.__annotations__):
                    place.update({field: types[field] for field in place if field in types})


def as_plain_text(app, what, name, obj, options, lines: list[str]) -> None:
    """Docstrings write π*, |x| and u_ as they are: outside backticks these are no markup."""
    if what in ("attribute", "data"):
        lines[:0] = ["..", ""]  # napoleon would take what stands before a colon there for a type
    for i, line in enumerate(lines):
        parts = re.split(r"(`+[^`]*`+)", line)
        parts[::2] = [re.sub(r"([*|]|_\b)", r"\\\1", part) for part in parts[::2]]
        lines[i] = "".join(parts)


def setup(app: Sphinx) -> None:
    """Called by Sphinx: which of the above is done when."""
    app.connect("builder-inited", lay_out)
    app.connect("builder-inited", read_settings)
    app.connect("autodoc-process-docstring", as_plain_text, priority=400)  # before napoleon
