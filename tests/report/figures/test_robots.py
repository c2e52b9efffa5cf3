"""The numbers behind the figures of robots."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from svnr.games.mamujoco import Capsules
from svnr.report.figures import robots
from svnr.report.style import COLORS, INK

GAMES = {"halfcheetah_2x3": "cheetah", "ant_2x4": "ant"}
LEVELS = {"halfcheetah_2x3": ("no torque", 0.0), "ant_2x4": ("no torque", 990.0)}


def scores():
    """Ant is half as good as the cheetah; HASAC, of which there is no Ant, is ten times worse."""
    rows = [("halfcheetah_2x3", "svnr", x) for x in (100.0, 200.0, 300.0, 400.0, 5000.0)]
    rows += [("halfcheetah_2x3", "hasac", x / 10) for _, _, x in rows]
    rows += [("ant_2x4", "svnr", x) for x in (50.0, 100.0)]
    return pd.DataFrame(rows, columns=["game", "learner", "shared"])


def drawn(axis, marker, color):
    """(x, y) of the lines of one marker and colour."""
    lines = [
        line for line in axis.lines if (line.get_marker(), line.get_color()) == (marker, color)
    ]
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in lines]


def test_a_row_shows_the_seeds_their_interquartile_mean_and_the_papers():
    paper = {("svnr", "halfcheetah_2x3"): (8853, 212), ("svnr", "walker2d_2x3"): (1678, 275)}
    figure = robots.final_returns(scores(), GAMES, "title", LEVELS, paper)
    cheetah, ant = figure.axes[:2]
    assert drawn(cheetah, "o", COLORS["svnr"]) == [([100, 200, 300, 400, 5000], [0] * 5)]
    assert drawn(cheetah, "|", COLORS["svnr"]) == [([300], [0])]  # of the middle three
    assert drawn(cheetah, "|", COLORS["hasac"]) == [([30], [1])]
    assert drawn(cheetah, "x", INK)[0] == ([8853], [0])
    assert drawn(ant, "o", COLORS["svnr"]) == [([50, 100], [0, 0])]
    assert drawn(ant, "|", COLORS["svnr"]) == []  # two seeds have no interval
    assert drawn(ant, "x", INK) == drawn(ant, "o", COLORS["hasac"]) == []
    assert [tick.get_text() for tick in cheetah.get_yticklabels()] == ["SVNR", "HASAC"]
    level = [line for line in ant.lines if line.get_label() == "no torque"]
    assert list(level[0].get_xdata()) == [990, 990]


def earned_on_the_way():
    """Three seeds earn 1, 2 and 9 times the steps / 1000 and take 1, 2 and 3 minutes a test."""
    rows = [
        {"game": game, "learner": "svnr", "seed": k}
        | {"at": at, "minutes": k * at / 1000, "shared": g * at}
        for game in GAMES
        for k, g in ((1, 1), (2, 2), (3, 9))
        for at in (1000, 2000)
    ]
    return pd.DataFrame(rows)


def test_learning_is_the_interquartile_mean_against_steps_and_mean_minutes():
    against = {"at": "steps", "minutes": "minutes"}
    figure = robots.learning(earned_on_the_way(), GAMES, "title", LEVELS, against)
    assert [axis.get_xlabel() for axis in figure.axes[:4]] == ["steps"] * 2 + ["minutes"] * 2
    for axis, x in zip(figure.axes[:4], [[1000, 2000]] * 2 + [[2, 4]] * 2, strict=True):
        line = next(line for line in axis.lines if line.get_label() == "SVNR")
        assert list(line.get_xdata()) == x
        assert list(line.get_ydata()) == [4000, 8000]  # of three seeds nothing is left out
    assert list(figure.axes[1].lines[-1].get_ydata()) == [990, 990]


def test_lines_of_fewer_than_five_seeds_are_thin():
    few, against = earned_on_the_way(), {"at": "steps"}
    table = pd.concat([few, few.assign(seed=few["seed"] + 3)])  # six
    widths = [
        robots.learning(each, GAMES, "title", LEVELS, against).axes[0].lines[0].get_linewidth()
        for each in (table, few)
    ]
    assert widths[0] > 2 * widths[1]


def test_the_outline_of_a_capsule_by_hand():
    # From (0, 0) to (2, 0), of radius 1: up, left and down of the first end, then of the second
    # down, right and up.
    lying = robots.silhouette(np.array([[0.0, 0.0], [2.0, 0.0]]), 1.0, n=3)
    assert lying == pytest.approx(np.array([[0, 1], [-1, 0], [0, -1], [2, -1], [3, 0], [2, 1]]))
    standing = robots.silhouette(np.array([[0.0, 0.0], [0.0, 2.0]]), 1.0, n=3)
    turned = np.array([[-1, 0], [0, -1], [1, 0], [1, 2], [0, 3], [-1, 2]])
    assert standing == pytest.approx(turned)


def test_the_outline_of_a_ball_is_a_circle():
    outline = robots.silhouette(np.array([[1.0, 2.0], [1.0, 2.0]]), 0.5)
    assert np.linalg.norm(outline - [1.0, 2.0], axis=1) == pytest.approx([0.5] * 26)
    assert outline.mean(0) == pytest.approx([1.0, 2.0], abs=0.05)


def test_a_gait_draws_what_is_behind_first_in_its_agents_colour_and_moments_apart():
    # Parts 0 and 1 stand at depth y = −1 and 1: the larger y is behind. Part 1 is 4 m up.
    ends = np.zeros((2, 2, 3))
    ends[0, :, 1], ends[1, :, 1] = -1.0, 1.0
    ends[1, :, 2] = 4.0
    body = Capsules(ends, np.array([0.1, 0.2]), np.array([1, -1]))
    figure = robots.gait([body, body], "title", apart=3.0)
    boxes = [patch.get_extents().width for patch in figure.axes[0].patches]
    assert boxes[0] == pytest.approx(2 * boxes[1])  # the thick one first
    colors = [to_hex(patch.get_facecolor()).upper() for patch in figure.axes[0].patches]
    assert colors == [INK.upper(), robots.AGENTS[1].upper()] * 2
    ys = [patch.get_xy()[:, 1] for patch in figure.axes[0].patches]
    heights = [(y.min() + y.max()) / 2 for y in ys]
    assert heights == pytest.approx([4.0, 0.0] * 2, abs=0.01)
    first, _, later, _ = (patch.get_xy()[:, 0].mean() for patch in figure.axes[0].patches)
    assert later - first == pytest.approx(3.0)
