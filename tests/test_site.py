"""What `make site` built: it is whole, needs no network, and leads from the paper to the code."""

import html
import os
import re
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "site"
FETCHED = re.compile(r'<(?:script|img|link)\b[^>]*?\b(?:src|href)="((?:https?:)?//[^"]*)"')


def is_current():
    """Whether `make site` asks, or has built it after the last change of what it is made of."""
    index = SITE / "index.html"
    if "SITE_MADE" in os.environ or not index.is_file():
        return index.is_file()
    kinds = ("*.md", "*.cff", "docs/**/*", "notebooks/*.ipynb", "figures/*", "src/svnr/**/*.py")
    made_of = [path.stat().st_mtime for kind in kinds for path in ROOT.glob(kind)]
    return index.stat().st_mtime > max(made_of)


pytestmark = pytest.mark.skipif(
    not (find_spec("sphinx") and is_current()), reason="`make site` makes it, of what is here now"
)


@cache
def text(path):
    return path.read_text(encoding="utf-8")


@cache
def anchors(path):
    return set(re.findall(r'\bid="([^"]*)"', text(Path(path))))


@cache
def files():
    return {str(path) for path in SITE.rglob("*") if path.is_file()}


def built():
    return sorted(SITE.rglob("*.html"))


def leads_somewhere(page, link):
    """Whether a link of a page leads to a file, and to an anchor that this file has."""
    place, _, anchor = unquote(html.unescape(link)).partition("#")
    path = os.path.normpath(page.parent / place.partition("?")[0]) if place else str(page)
    return path in files() and (not anchor or anchor in anchors(path))


def test_every_link_leads_to_a_page_and_an_anchor_that_are_there():
    broken = {
        (str(page.relative_to(SITE)), link)
        for page in built()
        for link in set(re.findall(r'<[a-z]+\b[^>]*?\b(?:href|src)="([^"]*)"', text(page)))
        if not re.match(r"[a-z]+:|//|#$", link) and not leads_somewhere(page, link)
    }
    assert broken == set()


def test_nothing_is_fetched_from_elsewhere():
    assert {url for page in built() for url in FETCHED.findall(text(page))} == set()


def test_the_notebooks_follow_each_other():
    names = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    for name, following in pairwise(names):
        assert f'rel="next" title="{following[:2]} ' in text(SITE / "notebooks" / f"{name}.html")


def article(name):
    return re.search(r"<article.*?</article>", text(SITE / f"{name}.html"), re.S)[0]


def test_every_function_test_and_notebook_of_the_paper_map_is_a_link():
    page = article("docs/paper-map")
    cells = re.findall(r"<td>(.*?)</td>", page, re.S)
    named = [cell for cell in cells if re.match(r"<p>(<a |<code)", cell)]
    assert len(named) > 100
    for cell in named:
        unlinked = re.sub(r"<a\b.*?</a>", "", cell, flags=re.S)
        assert "<code" not in unlinked and not re.search(r"\b\d\d\b", unlinked), cell
    for target in ("../api/svnr.theory.maxent.html#svnr.theory.maxent.boltzmann",
                   "../tests/theory/test_maxent.html", "../notebooks/05_policy_iteration.html",
                   "../figures.html#fig7-visited-actions"):  # fmt: skip
        assert f'href="{target}"' in page


def test_indices_are_set_and_no_markup_is_left():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        prose = re.sub(r"<(pre|code)\b.*?</\1>", "", article(f"notebooks/{path.stem}"), flags=re.S)
        assert not re.search(r"[_^]\{", re.sub(r"<[^>]*>", "", prose)), path.stem
