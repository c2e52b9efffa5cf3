"""The numbers behind the figures of robots."""

import numpy as np
import pandas as pd
import pytest

from svnr.games.mamujoco import Capsules
from svnr.report.figures import robots
from svnr.report.style import COLORS, INK

GAME = "halfcheetah_2x3"


def scores():
    rows = [
        {"game": GAME, "learner": learner, "seed": seed, "greedy": 100.0 * seed + 10 * at}
        for at, learner in enumerate(("svnr", "maddpg"))
        for seed in range(4)
    ]
    return pd.DataFrame(rows)


def test_every_seed_is_drawn_with_the_mean_of_the_middle_and_the_papers():
    paper = {("svnr", GAME): (8853.0, 212.0)}
    figure = robots.final_returns(scores(), {GAME: "one"}, "title", {GAME: ("still", -1.0)}, paper)
    lines = [line for line in figure.axes[0].lines if line.get_color() == COLORS["svnr"]]
    seeds, interval, middle = (line.get_xdata().tolist() for line in lines)
    assert seeds == [0, 100, 200, 300] and middle == [150]  # of 100 and 200
    assert 0 <= interval[0] < 150 < interval[1] <= 300
    crosses = [line for line in figure.axes[0].lines if line.get_marker() == "x"]
    assert crosses[0].get_xdata()[0] == 8853 and crosses[0].get_ydata()[0] == 0
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["SVNR", "MADDPG"]


def test_learning_is_drawn_against_steps_and_against_minutes():
    rows = [
        {
            "game": GAME,
            "learner": "svnr",
            "seed": s,
            "at": at,
            "minutes": (s + 1) * at,
            "greedy": s,
        }
        for s in range(4)
        for at in (1, 2)
    ]
    how = ({GAME: "one"}, "title", {GAME: ("still", 0.0)}, {"at": "steps", "minutes": "minutes"})
    figure = robots.learning(pd.DataFrame(rows), *how)
    steps, minutes = (axis.lines[0].get_xydata().tolist() for axis in figure.axes)
    assert steps == [[1, 1.5], [2, 1.5]]  # of seeds 1 and 2
    assert minutes == [[2.5, 1.5], [5.0, 1.5]]  # the mean of 1 to 4 minutes


@pytest.mark.parametrize("along", [(1.0, 0.0), (0.6, 0.8), (-1.0, 0.0), (0.0, 0.0)])
def test_a_silhouette_lies_a_radius_from_its_axis(along):
    ends = np.array([[0.5, 1.0], [0.5, 1.0]]) + np.array([[0.0, 0.0], along])
    outline = robots.silhouette(ends, 0.1)
    step = np.linspace(0, 1, 2001)[:, None]
    axis = ends[0] + step * (ends[1] - ends[0])
    apart = np.linalg.norm(outline[:, None] - axis, axis=-1).min(1)
    assert apart == pytest.approx(0.1, abs=1e-3)
    length = np.linalg.norm(ends[1] - ends[0])
    assert np.ptp(outline @ (along if length else (1.0, 0.0))) == pytest.approx(length + 0.2)


def test_parts_have_the_colour_of_the_agent_that_moves_them():
    ends = np.zeros((2, 2, 3))
    body = Capsules(ends, np.full(2, 0.1), np.array([-1, 1]))
    figure = robots.gait([body, body], "title", apart=3.0)
    colors = [patch.get_facecolor()[:3] for patch in figure.axes[0].patches]
    expected = [INK, robots.AGENTS[1]] * 2
    hexes = ["#" + "".join(f"{round(255 * part):02X}" for part in color) for color in colors]
    assert hexes == [each.upper() for each in expected]
    middles = [patch.get_xy()[:, 0].mean() for patch in figure.axes[0].patches]
    assert middles == pytest.approx([0.0, 0.0, 3.0, 3.0], abs=0.02)
