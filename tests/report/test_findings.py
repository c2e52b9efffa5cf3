import numpy as np
import pytest

from svnr.experiments.runs import Run
from svnr.experiments.specs import run_spec
from svnr.report.findings import computed, finding


def test_what_the_numbers_do_not_bear_out_is_shown_as_that():
    found = finding((True, "A grows."), (np.bool_(False), "B falls."), (3 > 2, "C stays."))
    assert found._repr_markdown_() == (
        "**Finding.** A grows. C stays.\n\n**Not borne out by these numbers:** B falls."
    )
    assert finding((True, "A.")).text == "**Finding.** A."
    assert finding((False, "A.")).text == "**Not borne out by these numbers:** A."


@pytest.mark.parametrize("claims", [(), ((True, "no end"),)])
def test_whole_sentences_are_asked_for(claims):
    with pytest.raises(ValueError, match="whole sentences"):
        finding(*claims)


def test_a_computed_sentence_says_where_runs_are_too_short():
    short = Run(run_spec("particle_gather", "maddpg", n_episodes=30), {"return": np.zeros(30)})
    assert computed("SVNR: 3 of 5.").text == "**Finding.** SVNR: 3 of 5."
    assert computed("It falls by -0.3.").text == "**Finding.** It falls by −0.3."
    told = computed("SVNR: 3 of 5.", [short]).text
    assert told == "**Finding (too short to tell: 30 episodes of 1,000).** SVNR: 3 of 5."
