import matplotlib.pyplot as plt
import pytest

from svnr.report.figures import kit
from svnr.report.style import COLORS


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_panels_stand_in_rows_and_places_without_one_stay_empty():
    figure, axes = kit.panels(["a", "b", "c", "d"], 6.0, 2.0, columns=3, margin=0.5)
    assert figure.get_size_inches().tolist() == [6.0, 4.5]  # two rows of 2 inches, and the margin
    assert [axis.get_title(loc="left") or axis.get_title() for axis in axes] == list("abcd")
    assert [axis.get_visible() for axis in figure.axes] == [True] * 4 + [False] * 2


def test_the_outer_panels_are_labelled():
    _, axes = kit.panels("abcd", 4.0, 1.0, columns=2)
    kit.label_outer(axes, "x", "y")
    assert [axis.get_xlabel() for axis in axes] == ["", "", "x", "x"]
    assert [axis.get_ylabel() for axis in axes] == ["y", "", "y", ""]


@pytest.mark.parametrize(("names", "columns"), [(6, 6), (7, 4), (9, 5), (12, 6), (13, 5)])
def test_no_more_than_six_names_stand_in_a_row(names, columns):
    figure, _ = kit.panels("a", 3.0, 2.0, layout="constrained")
    lines = [plt.Line2D([], [], label=str(i)) for i in range(names)]
    kit.legend_below(figure, lines)
    assert figure.legends[0]._ncols == columns


def test_the_legend_names_what_any_panel_shows_once_and_in_order():
    figure, (left, right) = kit.panels("ab", 3.0, 2.0, layout="constrained")
    for axis, names in ((left, "xyz"), (right, "ywv")):
        for name in names:
            axis.plot([0, 1], label=name)
    kit.legend_below(figure)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list("xyzwv")


def test_names_at_line_ends_keep_apart_and_in_order():
    _, (axis,) = kit.panels("a", 3.0, 2.0)
    axis.set_ylim(0, 1)
    kit.name_ends(axis, [(0.5, "b", "red"), (0.5, "a", "blue"), (0.0, "low", "black")], gap=0.1)
    heights = {text.get_text(): text.get_position()[1] for text in axis.texts}
    assert heights == pytest.approx({"low": 0.0, "a": 0.5, "b": 0.6})


def test_names_that_would_stand_above_the_axes_are_moved_down():
    _, (axis,) = kit.panels("a", 3.0, 2.0)
    axis.set_ylim(0, 1)
    kit.name_ends(axis, [(0.3, "low", "red"), (1.0, "a", "red"), (1.0, "b", "red")], gap=0.1)
    # 1.0 and 1.1 become 0.9 and 1.0; what is far below stays where it is.
    assert [text.get_position()[1] for text in axis.texts] == pytest.approx([0.3, 0.9, 1.0])


def test_a_caption_makes_room_for_its_lines_below_the_figure():
    figure, _ = kit.panels("a", 3.0, 2.0, layout="constrained")
    kit.caption(figure, "what was counted, how many, and what the spread is of, in two lines")
    assert figure.get_figheight() == pytest.approx(2.0 + 0.06 + 2 * 0.15)
    assert figure.texts[-1].get_text().count("\n") == 1
    rect = figure.get_layout_engine().get()["rect"]
    assert rect == pytest.approx((0, 0.36 / 2.36, 1, 2 / 2.36))


@pytest.mark.parametrize(
    ("name", "learner"), [("strict, joint", "svnr"), ("full sets", "svnr_f"), ("empty", "svnr_m")]
)
def test_what_begins_with_sets_has_their_learners_colour(name, learner):
    assert kit.color_of_sets(name, "black") == COLORS[learner]
    assert kit.color_of_sets("start", "black") == "black"
