import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from svnr.report.figures import particles
from svnr.report.style import COLORS


def test_clouds_are_drawn_where_their_particles_are():
    points = {f"cloud {i}": np.full((3, 2), float(i)) for i in range(4)}
    figure = particles.clouds(points, np.eye(9), 5.0, "title")
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert len(shown) == 4 and len(figure.axes) == 6
    assert np.allclose(shown[3].collections[-1].get_offsets(), 3.0)


def test_lines_have_their_topologys_colour_and_a_name_at_their_end():
    table = pd.DataFrame(
        {"k": [1, 2] * 2, "move": [1.0, 0.1, 1.0, 0.5], "sets": ["strict"] * 2 + ["full"] * 2}
    )
    figure = particles.lines(
        table, "k", "move", "sets", ("x", "y"), "title", (0.1, "asked"), log="y"
    )
    axis = figure.axes[0]
    assert [line.get_color() for line in axis.lines[1:]] == [COLORS["svnr"], COLORS["svnr_f"]]
    assert [text.get_text() for text in axis.texts] == ["asked", "strict", "full"]
    assert (axis.get_xscale(), axis.get_yscale()) == ("linear", "log")
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["1", "2"]


def test_rows_that_share_their_place_are_a_mean_in_a_band():
    table = pd.DataFrame({"d": [1, 1, 2, 2], "y": [1.0, 3.0, 4.0, 4.0], "m": "one"})
    axis = particles.lines(table, "d", "y", "m", ("x", "y"), "title", caption="told").axes[0]
    assert axis.lines[0].get_ydata().tolist() == [2.0, 4.0]
    band = axis.collections[0].get_paths()[0].vertices
    assert {1.0, 3.0, 4.0} == set(band[:, 1])


def test_a_band_may_be_a_deviation_and_lines_may_have_colours_of_their_own():
    # Errors of b: −4 and −8 (mean −6, deviation √8), then −3 and −3.
    table = pd.DataFrame(
        {"α": [1, 2] + [1, 2] * 2, "kind": list("aabbbb"), "error": [0, 1, -4, -3, -8, -3]}
    )
    told = (table, "α", "error", "kind", ("x", "y"), "title", (0.0, "exact"), "x")
    looks = {"band": "sd", "colors": ("#111111", "#222222"), "floor": None}
    axis = particles.lines(*told, **looks).axes[0]
    lines = {line.get_color(): line.get_ydata().tolist() for line in axis.lines[1:]}
    assert lines == {"#111111": [0, 1], "#222222": [-6, -3]}
    band = axis.collections[-1].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((-6 - 8**0.5, -3))
    assert axis.get_ylim()[0] < -8
    assert [text.get_text() for text in axis.texts] == ["b", "exact", "a"]


def test_a_cloud_has_the_colour_of_its_sets():
    points = {name: np.zeros((3, 2)) for name in ("full, joint", "start")}
    axes = particles.clouds(points, np.eye(9), 5.0, "title").axes
    shown = [axis.collections[-1].get_facecolor()[0] for axis in axes[:2]]
    assert [to_hex(color) for color in shown] == [
        COLORS["svnr_f"].lower(),
        particles.PARTICLES.lower(),
    ]


def test_points_beyond_the_box_are_told_and_not_drawn():
    u = np.array([0.05, 0.05, 9.0, -9.0])
    axis = particles.in_the_box({"a": u}, 1.6, "title", "caption").axes[0]
    bars = [bar.get_height() for bar in axis.patches]
    # 17 edges from −1.6 to 1.6 are bars 0.2 wide: of 4 points each weighs 1 / (4 · 0.2) = 1.25.
    assert np.allclose(bars, [0] * 8 + [2.5] + [0] * 7)
    assert axis.get_title(loc="left") == "a\n50% outside"


def test_the_bell_beside_the_paths_has_its_peak_at_the_mean():
    figure = particles.settling(np.zeros((5, 3, 1)), 2.0, 0.5, "caption")
    bell = figure.axes[1].lines[0]
    assert abs(bell.get_ydata()[bell.get_xdata().argmax()] - 2.0) < 0.02


def test_both_particles_and_both_hills_are_named():
    table = pd.DataFrame({"particles": [4, 64], "particle 0": [0.1, 0.2], "best particle": 1.0})
    axis = particles.best_particle(table, "title", "caption").axes[0]
    assert sorted(text.get_text() for text in axis.texts) == [
        "always the optimum",
        "always the trap",
        "best particle",
        "particle 0",
    ]


def moment(alpha):
    """100 / α % right by births, and none by (7.2), of particles on two lines."""
    line = np.linspace(-9, 9, 4)
    clouds = {
        "(7.2) alone": np.c_[line, 0 * line, line],
        "with births": np.c_[line, line, -line],
    }
    density = np.exp(-np.add.outer(line**2, line**2) / 50)
    shares = {"(7.2) alone": 0.0, "with births": 1 / alpha}
    return particles.Moment(alpha=alpha, exact=0.5, density=density, clouds=clouds, shares=shares)


def test_cooling_is_a_row_a_way_and_a_column_a_moment():
    figure = particles.cooling([moment(10.0), moment(4.0), moment(2.0)], "Message", "Game")
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles[0] == "α = 10, π*: 50%\n0% right" and titles[2].startswith("α = 2, ")
    assert titles[3:] == ["10% right", "25% right", "50% right"]
    for axes, sign, color in ((figure.axes[:3], 1, "svnr"), (figure.axes[3:], -1, "svnr_b")):
        for axis in axes:
            u_1, u_3 = np.asarray(axis.collections[-1].get_offsets()).T
            assert np.allclose(u_3, sign * u_1)  # the third coordinate, not the second
            assert to_hex(axis.collections[-1].get_facecolor()[0]) == COLORS[color].lower()


def test_a_frame_of_cooling_shows_both_ways_at_one_temperature():
    figure = particles.cooling_frame(moment(4.0), "Message")
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles == ["(7.2) alone: 0% right", "with births: 25% right"]
    assert figure.get_suptitle() == "Message\nα = 4.00: 50% of π* is at the right hill"
