"""Figures of studies: what stands where."""

import pandas as pd
import pytest

from svnr.report.figures import studies


def history(learners):
    """One trial of each learner, the first far below the others."""
    scores = [-99.0, *[1.0] * (len(learners) - 1)]
    return pd.DataFrame({"learner": learners, "trial": 0, "score": scores, "best": 1})


def test_scores_below_the_lowest_are_triangles_at_it():
    figure = studies.search_history(history(["svnr", "pr2"]), "title", lowest=-15)
    dots, triangles, _ = figure.axes[0].lines
    assert pd.isna(dots.get_ydata()).all() and triangles.get_ydata().tolist() == [-15]
    assert triangles.get_marker() == "v"
    assert figure.axes[1].lines[0].get_ydata().tolist() == [1]
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["SVNR", "PR2"]


@pytest.mark.parametrize(("learners", "inside"), [(["svnr", "pr2"], 0), (list("abcde"), 1)])
def test_the_key_takes_a_place_without_a_panel(learners, inside):
    names = ["svnr", "pr2", "masql", "maddpg", "rommeo"][: len(learners)]
    figure = studies.search_history(history(names), "title")
    assert sum(axis.get_legend() is not None for axis in figure.axes) == inside
    assert len(figure.legends) == 1 - inside


def test_each_schedule_has_its_path_and_its_seeds():
    paths = pd.DataFrame({"schedule": ["a", "a", "b"], "episode": [0, 1, 0], "alpha": [9, 1, 5.0]})
    ends = pd.DataFrame({"schedule": ["a", "a", "b"], "shared": [9.5, -1, 0], "exact": [9, 9, 8]})
    figure = studies.temperature_study(paths, ends, "title")
    (path, seeds), (_, others) = zip(*[iter(figure.axes)] * 2, strict=True)
    assert path.lines[0].get_ydata().tolist() == [9, 1]
    for axis, exact, ended in ((seeds, 9, [9.5, -1]), (others, 8, [0])):
        assert axis.lines[0].get_xdata() == [exact, exact]
        assert axis.lines[-1].get_xdata().tolist() == ended
