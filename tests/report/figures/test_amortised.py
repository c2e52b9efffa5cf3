import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from svnr.report.figures import amortised
from svnr.report.style import COLORS
from svnr.sets import full, none, strict


@pytest.mark.parametrize(("sets", "heard"), [(strict(3), 3), (full(3), 6), (none(3), 0)])
def test_the_architecture_shows_an_arrow_for_every_noise_that_is_heard(sets, heard):
    figure = amortised.architecture(sets)
    color = to_rgba(COLORS["svnr"])
    arrows = [p for p in figure.axes[1].patches if p.get_edgecolor() == color]
    assert len(arrows) == heard


def test_the_network_is_named_at_its_own_height():
    rounds = pd.DataFrame({"round": [0, 1, 2], "average": [0.0, 5.0, 8.0]})
    figure = amortised.rounds_against_network(rounds, network=9.5, optimum=10.0)
    heights = {text.get_text(): text.get_position()[1] for text in figure.axes[0].texts}
    assert heights == {"optimum": 10.0, "network, one pass": 9.5, "particles, average": 8.0}


def test_every_reading_of_the_soft_value_has_a_line():
    table = pd.DataFrame({"alpha": [0.1, 1.0] * 2, "reading": list("aabb"), "error": 0.5})
    figure = amortised.soft_values(table)
    assert [line.get_label() for line in figure.axes[0].lines] == ["a", "b"]
