"""How Sphinx makes the site from what is committed; `make site` calls it.

`svnr.publish.site` says which pages there are. They are laid out in the folder that Sphinx reads,
build/pages. Notebooks come with the outputs they were committed with.
"""

import importlib
import importlib.util
import re
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import get_type_hints

from docutils import nodes
from sphinx.addnodes import desc_signature
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer

from svnr.publish.site import Names, indexed, modules, pages

ROOT = Path(__file__).parents[2]
PAGES = pages(ROOT)
NOTEBOOKS = {path.name[:2]: f"notebooks/{path.stem}" for path in ROOT.glob("notebooks/*.ipynb")}
MATHJAX = importlib.util.find_spec("sphinx-mathjax-offline").submodule_search_locations[0]

project, author, copyright = "svnr", "The svnr authors", "the svnr authors, MIT license"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
extensions += ["sphinx.ext.mathjax"]
exclude_patterns = ["figures"]
smartquotes = False  # quotations stay letter by letter
default_role = "py:obj"

nb_execution_mode = "off"
nb_render_markdown_format = "gfm"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "undoc-members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_use_ivar = True  # fields told under "Attributes:" are not told again
python_use_unqualified_type_names = True
maximum_signature_line_length = 80
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme, html_title = "furo", "svnr"
pygments_dark_style = "github-dark"
html_static_path = ["svnr.css", f"{MATHJAX}/static/mathjax/tex-svg.js"]
html_css_files = ["svnr.css"]
mathjax_path = "tex-svg.js"  # one file, letters drawn as paths: nothing is fetched
html_copy_source = html_show_sphinx = False
SUMMARIES = "DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = location.protocol !== 'file:';"
html_js_files = [(None, {"body": SUMMARIES})]  # a page on disk may not read another


def lay_out(app: Sphinx) -> None:
    """Put the pages where Sphinx reads them, leave alone what has not changed, delete the rest."""
    folder = Path(app.srcdir)
    for place, page in PAGES.items():
        text = page.read_bytes() if isinstance(page, Path) else page.encode()
        path = folder / place
        if not path.exists() or path.read_bytes() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if str(path.relative_to(folder)) not in PAGES:
            path.unlink()


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
        lines.insert(0, "")  # napoleon takes what stands before a colon in the first line for a type
    for i, line in enumerate(lines):
        parts = re.split(r"(`+[^`]*`+)", line)
        parts[::2] = [re.sub(r"([*|]|_\b)", r"\\\1", part) for part in parts[::2]]
        lines[i] = "".join(parts)


@cache
def names(env: BuildEnvironment) -> Names:
    """What the reference and the pages are called."""
    objects = {name: entry.objtype for name, entry in env.domains.python_domain.objects.items()}
    return Names(objects, PAGES)


def within(node: nodes.Node, *kinds: type) -> bool:
    """Whether a node lies in another of some kind."""
    while node := node.parent:
        if isinstance(node, kinds):
            return True
    return False


def link(app: Sphinx, docname: str, target: str, anchor: str, *inner: nodes.Node) -> nodes.Node:
    """A reference from one page of the site to another."""
    uri = app.builder.get_relative_uri(docname, target) + (anchor and f"#{anchor}")
    return nodes.reference("", "", *inner, internal=True, refuri=uri)


def link_names(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Let code in the text lead to the reference, to the page of a test or to a figure."""
    known, objects = names(app.env), app.env.domains.python_domain.objects
    before, parent = "", None
    for code in [node for node in doctree.findall(nodes.literal) if not within(node, nodes.reference)]:
        text, before, parent = code.astext(), before if code.parent is parent else "", code.parent
        if docname.startswith("api/") and re.fullmatch(r"[a-z_]+", text):
            continue  # an argument, more often than not
        if found := known.object(text, before):
            before, place = found, (objects[found].docname, objects[found].node_id)
        elif not (place := known.page(text)):
            continue
        shown = code.deepcopy()
        shown.clear()
        for part in re.split(r"(?<=[./])", text):  # lines may break there
            shown += [nodes.Text(part), nodes.raw("", "<wbr>", format="html")]
        code.replace_self(link(app, docname, *place, shown))


def in_notebook_column(cell: nodes.Node) -> bool:
    """Whether a text stands in a column of a table that names notebooks by their numbers."""
    while cell and not isinstance(cell, nodes.entry):
        cell = cell.parent
    if not cell:
        return False
    head = next(iter(cell.parent.parent.parent.findall(nodes.thead)), None)
    return head is not None and head[0][cell.parent.index(cell)].astext() in ("notebook", "then")


def with_indices(text: str) -> list[nodes.Node]:
    """A line with its indices below and above it."""
    kinds = {"_": nodes.subscript, "^": nodes.superscript}
    return [
        kinds[kind]("", "", *with_indices(part)) if kind else nodes.Text(part)
        for kind, part in indexed(text)
        if part
    ]


def mend_text(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Let the numbers of notebooks lead there, and set indices below and above the line."""
    fixed = (nodes.FixedTextElement, nodes.literal, nodes.math, desc_signature)
    for text in [node for node in doctree.findall(nodes.Text) if not within(node, *fixed)]:
        before = r"\b" if in_notebook_column(text) else "(?<=notebook )"
        number = "a^" if within(text, nodes.reference) else rf"{before}({'|'.join(NOTEBOOKS)})\b"
        made: list[nodes.Node] = []
        for part in re.split(number, text.astext()):
            if part in NOTEBOOKS:
                made.append(link(app, docname, NOTEBOOKS[part], "", nodes.Text(part)))
            else:
                made += with_indices(part)
        text.parent.replace(text, made)


def leave_out_object(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Do not say of a class that it is an object."""
    for line in [node for node in doctree.findall(nodes.paragraph)]:
        if line.astext() == "Bases: object":
            line.parent.remove(line)


def setup(app: Sphinx) -> None:
    """Called by Sphinx: which of the above is done when."""
    app.connect("builder-inited", lay_out)
    app.connect("builder-inited", read_settings)
    app.connect("autodoc-process-docstring", as_plain_text, priority=400)  # before napoleon
    app.connect("doctree-resolved", link_names)
    app.connect("doctree-resolved", mend_text)
    app.connect("doctree-resolved", leave_out_object)
