import numpy as np
import pandas as pd

from svnr.report.figures import theory


def left_titles(figure):
    return [axis.get_title(loc="left") for axis in figure.axes if axis.get_visible()]


def test_beliefs_are_written_cell_by_cell():
    payoff, joint = np.array([[10.0, -20.0], [0.0, 5.0]]), np.array([[0.5, 0.5], [0.0, 0.0]])
    figure = theory.beliefs([theory.Belief("game", payoff, joint, joint, pro=-0.0, ero=1.5)])
    written = [[text.get_text() for text in axis.texts] for axis in figure.axes]
    assert written == [["10", "-20", "0", "5"]] + [["0.50", "0.50", "0.00", "0.00"]] * 2
    assert left_titles(figure)[2] == "executed\nERO gap 1.50"


def test_optima_that_form_no_rectangle_waste_what_lies_between():
    figure = theory.optimal_sets({"diagonal": np.eye(2, dtype=bool)})
    # The rectangle of two rows and two columns has 4 cells, 2 of them optimal.
    assert left_titles(figure) == ["diagonal\n2 wrong of 4"]
    assert len(figure.axes[0].lines) == 2


def test_regret_tells_which_games_have_a_rectangle():
    rows = [
        {"game": game, "alpha": a, "shared": a, "independent": 2 * a, "rectangular": game == "one"}
        for game in ("one", "two", "three", "four", "five")
        for a in (0.1, 1.0)
    ]
    figure = theory.regret_against_temperature(pd.DataFrame(rows))
    assert left_titles(figure)[:2] == ["one\nrectangle", "two\nno rectangle"]
    assert [line.get_label() for line in figure.axes[0].lines] == ["independent", "shared"]


def test_every_update_has_a_line_of_its_colour():
    rows = [{"update": u, "round": k, "value": k} for u in ("a", "b") for k in range(3)]
    figure = theory.values_over_rounds(pd.DataFrame(rows), 2.0, "title")
    _, *lines = figure.axes[0].lines
    assert [line.get_label() for line in lines[::2]] == ["a", "b"]
    assert lines[0].get_color() == lines[1].get_color() != lines[2].get_color()
