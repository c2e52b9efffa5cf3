"""What the figures of large teams draw."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from svnr.report.figures import teams
from svnr.report.style import OPTIMUM

ROWS = pd.DataFrame(
    [
        ("partners", 5, 1.0),
        ("partners", 5, 2.0),
        ("partners", 5, 9.0),
        ("partners", 50, 4.0),
        ("none", 5, 3.0),
    ],
    columns=["sets", "n", "value"],
)


def drawn(**options):
    return teams.by_team(ROWS, "reward", "title", {"best": (10.0, OPTIMUM)}, **options).axes[0]


def lines(axis, marker):
    return [line for line in axis.lines if line.get_marker() == marker]


def test_a_line_goes_through_the_medians_and_every_seed_has_a_dot():
    axis = drawn()
    through = {to_hex(line.get_color()): list(line.get_ydata()) for line in lines(axis, "None")}
    partners, none = (to_hex(teams.SETS[name][0]) for name in ("partners", "none"))
    assert through[partners] == [2.0, 4.0]  # the median of 1, 2 and 9, and of 4 alone
    assert through[none] == [3.0] and through[to_hex(OPTIMUM)] == [10.0, 10.0]
    assert [len(line.get_ydata()) for line in lines(axis, "o")] == [4, 1]


def test_teams_stand_at_even_steps_and_a_line_that_ends_early_says_so():
    axis = drawn()
    assert [label.get_text() for label in axis.get_xticklabels()] == ["5", "50"]
    assert {text.get_text() for text in axis.texts} == {"partners", "none, to 5", "best"}
    assert axis.get_yscale() == "linear" and drawn(log=True).get_yscale() == "log"


def test_kinds_that_have_the_same_colour_have_other_dashes():
    assert len(set(teams.SETS.values())) == len(teams.SETS)


def test_every_kind_has_a_panel_with_its_seeds_and_their_medians():
    figure = teams.by_kind(ROWS, "reward", "title", {"best": (10.0, OPTIMUM)})
    panels = {axis.get_title(loc="left"): axis for axis in figure.axes}
    assert list(panels) == ["partners", "none"]  # in the order of SETS
    through, best = lines(panels["partners"], "None")
    assert list(through.get_ydata()) == [2.0, 4.0] and list(best.get_ydata()) == [10.0, 10.0]
    assert [list(line.get_ydata()) for line in lines(panels["partners"], "o")] == [[1, 2, 9, 4]]
    assert list(lines(panels["none"], "o")[0].get_xdata()) == [0]  # 5 agents come first


@pytest.fixture
def found():
    strength = np.zeros((4, 4))
    for i, j in [(1, 2), (2, 0), (0, 3)]:  # a chain in the order 1, 2, 0, 3
        strength[i, j] = strength[j, i] = 4.0
    table = [(4, 30, 0.5), (4, 30, 1.0), (4, 100, 1.0)]
    table = pd.DataFrame(table, columns=["n", "plays", "share"])
    return teams.found_graph(strength, (1, 2, 0, 3), table, "title")


def test_in_the_planted_order_the_chain_lies_beside_the_diagonal(found):
    hidden, told = (axis.images[0].get_array() for axis in found.axes[:2])
    expected = 2.0 * (np.eye(4, k=1) + np.eye(4, k=-1))
    np.testing.assert_array_equal(told, expected)  # square roots of 4
    assert not np.array_equal(hidden, expected)


def test_the_share_is_the_mean_of_the_tries(found):
    line = found.axes[2].lines[0]
    assert list(line.get_xdata()) == [30, 100] and list(line.get_ydata()) == [0.75, 1.0]
