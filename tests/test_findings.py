"""No number of a Finding is typed by hand, and none that is committed is refuted by its notebook.

A Finding in markdown is a paragraph that begins with **Finding. Its digits may name places only:
§6, (6.4), Theorem 5.2, Figure 1b, notebook 02, section 3, a link, or code; symbols such as s₂ and
π* are no digits, and one that follows a letter is part of a name (PR2). Numbers are written by
code (`report.findings.finding`, or an f-string).
"""

import re
from pathlib import Path

import jupytext
import nbformat
import pytest

from svnr.publish.sources import sources

SOURCES = sources(Path(__file__).parents[1])
NAMED = r"(?:Figures?|Tables?|Theorem|Lemma|Definition|Algorithm|[Nn]otebooks?|[Ss]ections?)\s+"
PLACES = rf"(?:§|{NAMED})[A-C]?\d[\d.]*[a-d]?|\([1-9A-C]\.\d\)|\[[^]]*\]\([^)]*\)|`[^`]*`"


def typed(markdown: str) -> list[str]:
    """The Findings of a cell of markdown that hold a number typed by hand."""
    found = [p for p in re.split(r"\n\s*\n", markdown) if p.startswith("**Finding")]
    return [p for p in found if re.search(r"(?<![A-Za-z\d])\d", re.sub(PLACES, "", p))]


@pytest.mark.parametrize(
    ("text", "is_typed"),
    [
        ("**Finding.** At α = 0.3 it meets.", True),
        ("**Finding.** In 5 of 5.", True),
        ("Of 5 seeds 4 meet.\n\n**Finding.** Most meet, PR2 too, at s₂ (notebook 02).", False),
        (
            "**Finding.** Theorem 5.2 and (6.4) hold, as [03](03_b.ipynb) says (`M = 3`, §6.1).",
            False,
        ),
    ],
)
def test_the_rule_tells_numbers_from_places(text, is_typed):
    assert bool(typed(text)) == is_typed


def test_no_number_of_a_finding_is_typed_by_hand():
    found = {
        name: [text for c in jupytext.read(path).cells for text in typed(c.source)]
        for name, path in SOURCES.items()
    }
    assert not any(found.values()), {name: texts for name, texts in found.items() if texts}


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_committed_bears_out_its_findings(name):
    notebook = nbformat.read(SOURCES[name].with_suffix(".ipynb"), as_version=4)
    shown = [str(out) for cell in notebook.cells for out in cell.get("outputs", [])]
    assert not [text for text in shown if "Not borne out by these numbers" in text]
