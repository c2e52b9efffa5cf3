import numpy as np
import pytest

from svnr.report.findings import finding


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
