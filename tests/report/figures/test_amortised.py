import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from svnr.report.figures import amortised
from svnr.report.style import COLORS
from svnr.sets import full, none, strict


@pytest.mark.parametrize(("sets", "known"), [(strict(3), 3), (full(3), 6), (none(3), 0)])
def test_training_has_an_arrow_and_execution_a_copy_for_every_noise_of_a_set(sets, known):
    left, right = amortised.architecture(sets).axes
    color = to_rgba(COLORS["svnr"])
    assert sum(patch.get_edgecolor() == color for patch in left.patches) == known
    assert not any(patch.get_edgecolor() == color for patch in right.patches)  # nothing is sent
    noises = [text.get_text() for text in right.texts if "xi" in text.get_text()]
    assert len(noises) == 3 + known  # each agent draws its own noise and a copy of its set's


def test_the_network_is_named_at_its_own_height_in_both_panels():
    rows = [
        {"kind": kind, "cloud": f"{kind} {c}", "round": k, "average": k - c, "best": k + 5.0}
        for kind in amortised.KINDS
        for c in range(2)
        for k in range(3)
    ]
    figure = amortised.rounds_against_network(pd.DataFrame(rows), 9.5, 10.0, "title", "caption")
    for axis, ends in zip(figure.axes, ([2, 1] * 2, [7] * 4), strict=True):
        *clouds, network, optimum = axis.lines
        assert [line.get_ydata()[-1] for line in clouds] == ends
        assert (network.get_ydata()[0], optimum.get_ydata()[0]) == (9.5, 10.0)
    names = {text.get_text(): text.get_color() for text in figure.axes[0].texts}
    assert names["network"] == COLORS["svnr"]
    assert [names[f"particles {kind}"] for kind in amortised.KINDS] == [*amortised.KINDS.values()]
