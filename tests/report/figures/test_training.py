"""The numbers behind the figures of training."""

import numpy as np
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


def test_the_bold_line_is_the_interquartile_mean_of_the_seeds():
    panels = {"max_of_three_1.5": "(c)"}
    figure = training.training_curves(curves(), panels, "title", optimum=10, trap=0)
    bold = [line for line in figure.axes[0].lines if line.get_label() == "SVNR"]
    # Seeds give 0, 10, 20, 30 at step 0; the middle two average 15.
    assert bold[0].get_ydata().tolist() == [15, 16, 17]
    assert bold[0].get_color() == COLORS["svnr"]
    thin = [line for line in figure.axes[0].lines if line.get_linewidth() == 0.5]
    assert len(thin) == 8


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


def test_over_generalization_is_averaged_over_seeds():
    traces = pd.DataFrame(
        {"learner": "svnr", "episode": [0, 0, 100, 100], "pro": [1, 3, 5, 5], "ero": 0.0}
    )
    figure = training.over_generalization(traces, curves(), "title")
    assert figure.axes[0].lines[0].get_ydata().tolist() == [2, 5]
    assert [axis.get_xlabel() for axis in figure.axes] == ["training episode"] * 3


def test_scores_below_the_lowest_are_drawn_at_it():
    history = pd.DataFrame(
        {"learner": ["svnr", "svnr", "pr2"], "trial": [0, 1, 0], "score": [-99.0, 5, 1], "best": 1}
    )
    figure = training.search_history(history, "title", lowest=-15)
    assert figure.axes[0].lines[0].get_ydata().tolist() == [-15, 5]
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["SVNR", "PR2"]


def test_each_schedule_is_drawn_where_its_runs_ended():
    exact = pd.DataFrame({"alpha": [0.1, 1.0], "reward": [9.0, 8.0], "mass": [1.0, 0.9]})
    ends = pd.DataFrame({"schedule": ["three_phase"], "alpha": [0.3], "shared": [9.5]})
    figure = training.temperature_study(exact, ends, "title")
    (dots,) = [line for line in figure.axes[1].lines if line.get_label() == "three phase"]
    assert np.allclose(dots.get_xydata(), [[0.3, 9.5]])


@pytest.mark.parametrize("learner", COLORS)
def test_every_method_has_a_look_of_its_own(learner):
    from svnr.report.figures import kit

    looks = {name: kit.line_of(name) for name in COLORS}
    assert sum(looks[learner]["color"] == look["color"] for look in looks.values()) == 1
