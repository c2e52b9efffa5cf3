"""What the map of borders draws."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from svnr.report.figures import borders
from svnr.report.style import COLORS, INK

CELLS = pd.DataFrame(
    [
        ("svnr", "wide", 5, 5, 0.3),
        ("svnr", "narrow", 1, 5, 0.3),
        ("maddpg", "wide", 0, 4, np.nan),
    ],
    columns=["learner", "game", "right", "n", "alpha"],
)
COLUMNS = {"wide": "3", "narrow": "1"}


def drawn_map():
    known = pd.DataFrame({"share": [0.51, 0.08], "alpha_c": [np.inf, 3.0]}, index=list(COLUMNS))
    return borders.success_map(CELLS, known, {"width": COLUMNS}, (10, 1, 0.3), "title")


def faces(axis):
    return [to_hex(p.get_facecolor()) for p in axis.patches if isinstance(p, Rectangle)]


def test_a_cell_says_how_many_seeds_end_right_by_number_and_depth():
    axis = drawn_map().axes[1]
    numbers = [text.get_text() for text in axis.texts][:4]
    assert numbers == ["5", "1", "0/4", "·"]  # of four seeds; the last was not run
    full, pale, none, missing = faces(axis)
    assert full == COLORS["svnr"].lower() and missing == "#ffffff"
    assert full < pale < none < missing


def test_a_black_end_stands_behind_the_last_game_that_most_seeds_solve():
    axis = drawn_map().axes[1]
    ends = [line for line in axis.lines if line.get_color() == INK]
    assert [line.get_xdata().tolist() for line in ends] == [[0.5, 0.5]]
    assert np.mean(ends[0].get_ydata()) == 0  # SVNR's row; MADDPG reaches nothing
    assert ends[0].get_linestyle() == "-"


def test_an_end_that_two_seeds_decide_is_dotted():
    few = CELLS.assign(n=[5, 2, 4], right=[5, 0, 0])
    known = pd.DataFrame({"share": [0.51, 0.08], "alpha_c": [np.inf, 3.0]}, index=list(COLUMNS))
    figure = borders.success_map(few, known, {"width": COLUMNS}, (10, 1, 0.3), "title")
    (end,) = [line for line in figure.axes[1].lines if line.get_color() == INK]
    assert end.get_linestyle() == "--"  # what matplotlib calls dashes of any length


def test_a_dot_is_explained_where_there_is_one():
    whole = pd.concat([CELLS, CELLS[-1:].assign(game="narrow")])
    panels = [{"as set": (CELLS, COLUMNS)}, dict.fromkeys(("one", "two"), (whole, COLUMNS))]
    told = [borders.outcomes(each, "title").texts[-1].get_text() for each in panels]
    assert ["a dot" in text for text in told] == [True, False]


def test_few_seeds_are_spoken_of_where_there_are_any():
    known = pd.DataFrame({"share": [0.51, 0.08], "alpha_c": [np.inf, 3.0]}, index=list(COLUMNS))
    for n, spoken_of in (([5, 5, 5], False), ([5, 2, 5], True)):
        cells = CELLS.assign(n=n, right=[5, 0, 0])
        figure = borders.success_map(cells, known, {"width": COLUMNS}, (10, 1, 0.3), "title")
        told = figure.texts[-1].get_text()
        assert [word in told for word in ("behind the stroke", "dotted")] == 2 * [spoken_of]


def test_kinds_are_named_at_the_edge_and_shares_on_top():
    figure = drawn_map()
    above, below = figure.axes
    named = [text.get_text() for text in below.texts[4:]]
    assert named == ["soft, ends\nat α = 0.3", "without\ntemperature"]
    (top,) = above.child_axes
    assert [label.get_text() for label in top.get_xticklabels()] == ["51%", "8%"]
    assert above.lines[0].get_ydata()[1] == 3.0
    assert above.get_ylim()[1] < above.lines[0].get_ydata()[0]  # α_c = ∞ lies beyond the top


def test_outcomes_have_the_same_cells_and_no_borders():
    tuned = CELLS[CELLS["learner"] == "svnr"]
    figure = borders.outcomes({"as set": (CELLS, COLUMNS), "as tuned": (tuned, COLUMNS)}, "title")
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["as set", "as tuned"]
    assert figure.axes[0].get_gridspec().get_width_ratios() == [2, 2]
    assert not any(axis.lines for axis in figure.axes)
    assert [text.get_text() for text in figure.axes[1].texts][:4] == ["5", "1", "·", "·"]


def test_sides_draws_the_target_and_the_teams():
    exact = pd.DataFrame({"name": ["3", "3", "1", "1"], "alpha": [1, 10] * 2, "share": 0.5})
    taken = pd.DataFrame({"learner": "svnr", "episode": [99, 199], "share": [0.1, 0.9]})
    followed = pd.DataFrame({"episode": [0, 100], "share": [0.2, 1.0]})
    left, right = borders.sides(exact, taken, followed, "title").axes
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["3", "1"]
    assert right.lines[0].get_ydata().tolist() == [0.2, 1.0]
    assert right.lines[1].get_ydata().tolist() == pytest.approx([0.1, 0.9])
    assert right.lines[1].get_color() == COLORS["svnr"]


def test_carried_shows_each_update_beside_the_exact_share():
    rows = [
        {"game": game, "update": update, "alpha": alpha, "share": share}
        for game in ("a", "b")
        for update, share in (("(7.2)", 0.1), ("births", 0.9), ("exact", 1.0))
        for alpha in (10.0, 0.3)
    ]
    figure = borders.carried(pd.DataFrame(rows), "title")
    axis = figure.axes[1]
    drawn = {line.get_label(): line for line in axis.lines}
    assert {name: line.get_ydata()[0] for name, line in drawn.items()} == {
        "(7.2)": 0.1, "births": 0.9, "exact": 1.0
    }  # fmt: skip
    assert drawn["(7.2)"].get_color() == COLORS["svnr"] and axis.xaxis_inverted()
