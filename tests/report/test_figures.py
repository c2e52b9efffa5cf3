"""The numbers behind the figures, and that every figure can be drawn."""

import numpy as np
import pandas as pd
import pytest

from svnr.report import amortised_figures, figures
from svnr.report.style import COLORS
from svnr.sets import full, none, strict


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
    figure = figures.training_curves(curves(), panels, "title", optimum=10, trap=0)
    bold = [line for line in figure.axes[0].lines if line.get_label() == "SVNR"]
    # Seeds give 0, 10, 20, 30 at step 0; the middle two average 15.
    assert bold[0].get_ydata().tolist() == [15, 16, 17]
    assert bold[0].get_color() == COLORS["svnr"]
    thin = [line for line in figure.axes[0].lines if line.get_linewidth() == 0.5]
    assert len(thin) == 8


def test_visited_actions_have_a_panel_a_learner():
    rng = np.random.default_rng(0)
    columns = {f"u_{d}": rng.uniform(-10, 10, 20) for d in (1, 2, 3)}
    table = pd.DataFrame({"learner": ["svnr", "svnr_m"] * 10, **columns, "reward": 1.0})
    figure = figures.visited_actions(table, "title", {"right hill": (7, 7, -4)})
    assert [axis.get_title() for axis in figure.axes[:2]] == ["SVNR", "SVNR-M"]


@pytest.mark.parametrize(("sets", "heard"), [(strict(3), 3), (full(3), 6), (none(3), 0)])
def test_the_architecture_shows_an_arrow_for_every_noise_that_is_heard(sets, heard):
    figure = amortised_figures.architecture(sets)
    from matplotlib.colors import to_rgba

    color = to_rgba(COLORS["svnr"])
    arrows = [p for p in figure.axes[1].patches if p.get_edgecolor() == color]
    assert len(arrows) == heard


def test_perceived_policies_have_a_panel_each_and_no_empty_ones():
    samples = np.random.default_rng(0).uniform(-10, 10, (50, 3))
    panels = {f"method {i}": samples for i in range(7)}
    figure = figures.perceived_policies(panels, np.ones((9, 9)), "title")
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert [axis.get_title(loc="left") for axis in shown] == list(panels)
