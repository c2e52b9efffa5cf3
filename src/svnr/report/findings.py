"""A Finding is a sentence with the test that bears it out."""

from collections.abc import Sequence
from dataclasses import dataclass

from svnr.experiments.runs import Run
from svnr.report.provenance import too_short
from svnr.report.words import minus


@dataclass(frozen=True)
class Finding:
    """What a notebook shows of its findings, in Markdown."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text


def finding(*claims: tuple[object, str]) -> Finding:
    """Those of the sentences that the numbers bear out; the others are shown as not borne out.

    Args:
        claims: whether it is so, and the sentence that says so.

    Raises:
        ValueError: without a sentence, or if one comes without an end.
    """
    if not claims or not all(
        sentence.rstrip().endswith((".", ")", ":")) for _, sentence in claims
    ):
        raise ValueError(f"claims must be whole sentences, got {[said for _, said in claims]}")
    true = [sentence for holds, sentence in claims if bool(holds)]
    false = [sentence for holds, sentence in claims if not bool(holds)]
    told = [f"**Finding.** {' '.join(true)}"] * bool(true)
    told += [f"**Not borne out by these numbers:** {' '.join(false)}"] * bool(false)
    return Finding("\n\n".join(told))


def computed(text: str, runs: Sequence[Run] = ()) -> Finding:
    """A sentence whose numbers and names are read off a table; it says where runs are too short.

    Hyphens of negative numbers become minus signs.

    Args:
        text: the sentence.
        runs: the finished runs behind it.
    """
    short = too_short(runs)
    return Finding(f"**Finding{f' ({short})' if short else ''}.** {minus(text)}")
