"""What a page names leads there: functions, files, tests, figures and notebooks by their number.

An extension of Sphinx, at work when a page is about to be written; `Names` and `indexed` decide.
"""

import re
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import desc_signature
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from svnr.publish.site import Names, indexed, pages

ROOT = Path(__file__).parents[2]
NOTEBOOKS = {path.name[:2]: f"notebooks/{path.stem}" for path in ROOT.glob("notebooks/*.ipynb")}


@cache
def names(env: BuildEnvironment) -> Names:
    """What the reference and the pages are called."""
    objects = {name: entry.objtype for name, entry in env.domains.python_domain.objects.items()}
    return Names(objects, pages(ROOT))


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
    alone = [code for code in doctree.findall(nodes.literal) if not within(code, nodes.reference)]
    for code in alone:
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
        for i, part in enumerate(re.split(number, text.astext())):
            if i % 2:
                made.append(link(app, docname, NOTEBOOKS[part], "", nodes.Text(part)))
            else:
                made += with_indices(part)
        text.parent.replace(text, made)


def leave_out_object(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Do not say of a class that it is an object."""
    for line in list(doctree.findall(nodes.paragraph)):
        if line.astext() == "Bases: object":
            line.parent.remove(line)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    for mend in (link_names, mend_text, leave_out_object):
        app.connect("doctree-resolved", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
