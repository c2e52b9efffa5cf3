"""What the notebooks quote from the paper is letter by letter in the paper's text.

A quotation is what stands between double quotes in markdown, if it is in a block quote or followed
by its place in brackets: (§4), (Definition 4.2), (6.4). "[…]" marks what is left out; the pieces
must stand in the text in their order. Letters and digits are compared, not spaces, hyphens, signs
and accents, so that a formula in Unicode is held against the text's LaTeX; capitals count.

The text is not part of this repository: set SVNR_PAPER to a folder of .txt files, or lay it into
../shared/paper; elsewhere the comparison is skipped.
"""

import os
import re
import unicodedata
from pathlib import Path

import jupytext
import pytest

from svnr.publish.sources import sources

ROOT = Path(__file__).parents[1]
TEXTS = sorted(Path(os.environ.get("SVNR_PAPER", ROOT.parent / "shared/paper")).glob("*.txt"))
PLACE = r"\((?:§|[1-9A-C]\.\d|Definition|Theorem|Lemma|Algorithm|Table|Figure|[Aa]ppendix)"
QUOTED = r'"([^"]+)"'
WORDS = {"exp", "log", "lim", "min", "max", "arg"}  # of LaTeX's commands, those that are read


def quotations(markdown: str) -> list[str]:
    """What a cell of markdown quotes, without the marks."""
    paragraphs = re.split(r"\n\s*\n", markdown)
    blocks = [p for p in paragraphs if p.startswith(">")]
    found = [q for block in blocks for q in re.findall(QUOTED, _one_line(block))]
    rest = " ¶ ".join(_one_line(p) for p in paragraphs if not p.startswith(">"))
    return found + re.findall(QUOTED + rf"(?= {PLACE})", rest)


def _one_line(text: str) -> str:
    return " ".join(re.sub(r"^> ?", "", text, flags=re.M).split())


def letters(text: str) -> str:
    """The letters and digits of a text, of LaTeX those that are read; no citations, no tags."""
    text = re.sub(r"\[\d+(?:; \d+)*\]|\\quad \([\d.]+\)|\\(?:begin|end)\{\w+\}", "", text)
    text = re.sub(r"\bSVN(?:OR|DR)?\b", "SVNR", text)  # misread by the text's extraction
    text = re.sub(r"\\([A-Za-z]+)", lambda command: _read(command[1]), text)
    return "".join(c for c in unicodedata.normalize("NFKD", text) if c.isalnum())


def _read(command: str) -> str:
    size = "CAPITAL" if command[0].isupper() else "SMALL"
    try:
        return unicodedata.lookup(f"GREEK {size} LETTER {command.upper()}")
    except KeyError:
        return command if command in WORDS else "l" * (command == "ell")


def stands_in(quotation: str, text: str) -> bool:
    """Whether the pieces of a quotation stand in the letters of a text, one after the other."""
    end = 0
    for piece in map(letters, quotation.split("[…]")):
        end = text.find(piece, end) + len(piece)
        if end < len(piece):
            return False
    return True


def test_the_rule_finds_what_is_quoted_and_nothing_else():
    cell = 'Read "any" as\nso, "no such" (01).\n\n> "As\n> said." (§1)\n\n"If (b)" (6.1), "c".'
    assert quotations(cell) == ["As said.", "If (b)"]


def test_a_formula_in_unicode_is_held_against_latex():
    text = letters(
        r"so $\hat{\pi}_i' = \min_{\rho} \mathbb{E}[\log p^{\ell,k}(\mathbf{u})]$ [24; 3]."
    )
    assert text == "soπiminρElogplku"
    assert stands_in("π̂_i′ = min_ρ E[log p^{ℓ,k}(u)]", text)
    assert stands_in("so […] log p", text)
    for altered in ("π̂_j′ = min_ρ", "So π̂", "log p […] so", "max_ρ E"):
        assert not stands_in(altered, text)


@pytest.mark.skipif(not TEXTS, reason="the paper's text is not at hand")
def test_quotations_are_the_papers_own_words():
    text = " ".join(letters(path.read_text(encoding="utf-8")) for path in TEXTS)
    altered = {
        name: [
            quotation
            for cell in jupytext.read(path).cells
            if cell.cell_type == "markdown"
            for quotation in quotations(cell.source)
            if not stands_in(quotation, text)
        ]
        for name, path in sources(ROOT).items()
    }
    assert not any(altered.values()), {name: found for name, found in altered.items() if found}
