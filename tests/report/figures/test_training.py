"""The numbers behind the figures of training."""

import pandas as pd
import pytest

from svnr.report.figures import training
from svnr.report.style import COLORS


def curves():
    rows = [
        {
            "game": "max_of_three_1.5",
            "learner": learner,
            "seed": seed,
            "episode": step,
            "reward": 10 * seed + step,
        }
        for learner in ("svnr", "svnr_m")
        for seed in range(4)
        for step in range(3)
    ]
    return pd.DataFrame(rows)


def drawn(axis):
    """The curves of a panel, without the levels."""
    return [line.get_ydata().tolist() for line in axis.lines if len(line.get_ydata()) == 3]


def test_every_seed_is_a_line_and_those_that_end_well_are_counted():
    panels = {"max_of_three_1.5": "(c)"}
    figure = training.training_curves(curves(), panels, "title", optimum=10, trap=0)
    left, right = figure.axes
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["SVNR", "SVNR-M"]
    assert drawn(left) == [[10 * seed + step for step in range(3)] for seed in range(4)]
    assert {line.get_color() for line in left.lines[:4]} == {COLORS["svnr"]}
    # They end at 2, 12, 22, 32, half of the way is 5.
    assert [text.get_text() for text in left.texts] == ["3 of 4"]
    assert [text.get_text() for text in right.texts[-2:]] == ["wrong hill", "optimum"]


def test_no_seed_is_cut_where_it_ends():
    low = curves().assign(reward=lambda rows: rows["reward"] - 50.0 * (rows["seed"] == 3))
    figure = training.training_curves(low, {"max_of_three_1.5": ""}, "title", 10, 0)
    assert figure.axes[0].get_ylim()[0] < -18 < 22 < figure.axes[0].get_ylim()[1]


def test_learners_are_rows_where_games_have_the_same_and_each_game_is_a_row_where_not():
    both = pd.concat([curves(), curves().assign(game="max_of_three_3.0")])
    panels = {"max_of_three_3.0": "(a)", "max_of_three_1.5": "(b)"}
    grid = training.training_curves(both, panels, "title", 10, 0)
    assert [axis.get_title(loc="left") for axis in grid.axes] == ["(a)", "(b)", "", ""]
    assert [axis.get_ylabel() for axis in grid.axes] == ["SVNR", "", "SVNR-M", ""]
    one = both[(both["game"] == "max_of_three_3.0") | (both["learner"] == "svnr")]
    rows = training.training_curves(one, panels, "title", 10, 0)
    shown = [axis for axis in rows.axes if axis.get_visible()]
    assert [axis.get_title(loc="left") for axis in shown] == ["SVNR", "SVNR-M", "SVNR"]
    assert [axis.get_ylabel() for axis in shown] == ["(a)", "", "(b)"]


def test_panels_are_lettered_as_in_the_paper():
    games = ["max_of_three_3.0", "max_of_three_1.5"]
    titles = training.lettered(games)
    assert titles == {games[0]: "(a) s₂ = 3.0", games[1]: "(b) s₂ = 1.5"}


def test_the_two_views_mark_their_own_best_action():
    views = pd.DataFrame({"action": [-5, 0, 7], "average": [0, -1, -9], "best": [0, 1, 10]})
    figure = training.relative_overgeneralization(views, curves(), 10, 0)
    marked = [
        line.get_xydata().tolist() for axis in figure.axes for line in axis.lines
        if line.get_marker() == "o"
    ]  # fmt: skip
    assert marked == [[[7, 10]], [[-5, 0]]]


def test_over_generalization_is_averaged_over_seeds_and_small_gaps_are_drawn_at_the_least():
    traces = pd.DataFrame(
        {"learner": "svnr", "episode": [0, 0, 100, 100], "pro": [1, 3, 5, 5], "ero": 0.0}
    )
    figure = training.over_generalization(traces, curves(), "title")
    assert figure.axes[0].lines[0].get_ydata().tolist() == [2, 5]
    assert figure.axes[1].lines[0].get_ydata().tolist() == [0.01, 0.01]
    assert [axis.get_ylabel() for axis in figure.axes] == ["PRO gap", "ERO gap", "reward"]


@pytest.mark.parametrize("learner", COLORS)
def test_every_method_has_a_look_of_its_own(learner):
    from svnr.report.figures import kit

    looks = {name: kit.line_of(name) for name in COLORS}
    assert sum(looks[learner]["color"] == look["color"] for look in looks.values()) == 1


def test_levels_are_named_beside_a_panel_that_is_there():
    rows = curves()
    both = [rows[rows["learner"] == "svnr"].assign(game="one"), rows.assign(game="two")]
    panels = {"one": "one", "two": "two"}
    figure = training.training_curves(pd.concat(both), panels, "title", 10, 0)
    named = [axis for axis in figure.axes if "optimum" in [t.get_text() for t in axis.texts]]
    assert [axis.get_visible() for axis in named] == [True]
