import numpy as np
import pandas as pd

from svnr.report.figures import theory
from svnr.report.style import COLORS


def left_titles(figure):
    return [axis.get_title(loc="left") for axis in figure.axes if axis.get_visible()]


def written(axis):
    return [text.get_text() for text in axis.texts]


def test_beliefs_are_written_cell_by_cell():
    payoff, joint = np.array([[10.0, -20.0], [0.0, 5.0]]), np.array([[0.5, 0.5], [0.0, 0.0]])
    belief = theory.Belief("game", payoff, joint, joint, pro=-0.0, ero=1.5)
    figure = theory.beliefs([belief], "title", "caption")
    assert [written(axis) for axis in figure.axes] == [
        ["10", "−20", "0", "5"], *[["0.50", "0.50", "0.00", "0.00"]] * 2,
    ]  # fmt: skip
    assert left_titles(figure)[2] == "executed\nERO gap 1.50"
    assert figure.texts[-1].get_text() == "caption"


def colors(axis):
    return [tuple(row) for row in axis.collections[0].get_facecolors().round(3)]


def test_optima_that_form_no_rectangle_waste_what_lies_between():
    figure = theory.optimal_sets({"diagonal": np.eye(2), "corner": np.diag([3.0, 0.0])})
    # The rectangle of two rows and two columns has 4 cells, 2 of them optimal.
    assert left_titles(figure) == ["diagonal\n2 wrong of 4", "corner\n0 wrong of 1"]
    diagonal, corner = map(colors, figure.axes)
    best, wrong, _, _ = diagonal
    assert diagonal == [best, wrong, wrong, best] and best != wrong
    assert corner[0] == best and corner[1] == corner[2] == corner[3] not in (best, wrong)


def test_figure_1_shows_payoffs_and_their_optima():
    figure = theory.payoffs({"a": np.array([[1.0, -2.0], [0.0, 0.0]]), "b": np.eye(2)}, "title")
    assert [written(axis) for axis in figure.axes] == [["1", "−2", "0", "0"], ["1", "0", "0", "1"]]
    first, second = map(colors, figure.axes)
    assert first[0] == second[0] == second[3] != first[1] == first[2] == first[3] == second[1]


def test_regret_tells_which_games_have_a_rectangle():
    rows = [
        {"game": game, "alpha": a, "shared": a, "independent": 2 * a, "rectangular": game == "one"}
        for game in ("one", "two", "three", "four", "five")
        for a in (0.1, 1.0)
    ]
    figure = theory.regret_against_temperature(pd.DataFrame(rows))
    assert left_titles(figure)[:2] == ["one\nrectangle", "two\nno rectangle"]
    independent, shared = figure.axes[0].lines
    assert (independent.get_ydata() == 2 * shared.get_ydata()).all()
    named = {text.get_text(): text.get_color() for text in figure.axes[0].texts}
    assert named == {"independent": independent.get_color(), "shared": shared.get_color()}


def test_games_with_a_rectangle_come_first():
    rows = [
        {"game": game, "alpha": 1.0, "shared": 0.1, "independent": 0.2, "rectangular": game == "b"}
        for game in "abc"
    ]
    titles = left_titles(theory.regret_against_temperature(pd.DataFrame(rows)))
    assert titles == ["b\nrectangle", "a\nno rectangle", "c\nno rectangle"]


def test_every_update_has_a_panel_with_its_end_and_the_best():
    values = {"strict sets": [0.0, 2.0], "empty sets": [0.0, 0.5], "other": [0.0, 1.5]}
    rows = [{"update": u, "round": k, "value": v[k]} for u, v in values.items() for k in (0, 1)]
    figure = theory.values_apart(pd.DataFrame(rows), 2.0, "title", "caption")
    assert left_titles(figure) == [*values]
    own = [axis.lines[len(values)] for axis in figure.axes]
    assert [line.get_ydata()[-1] for line in own] == [2.0, 0.5, 1.5]
    assert [line.get_color() for line in own[:2]] == [COLORS["svnr"], COLORS["svnr_m"]]
    assert [axis.texts[0].get_text() for axis in figure.axes] == ["2.0", "0.5", "1.5"]
    assert figure.axes[0].texts[1].get_text() == "best"
