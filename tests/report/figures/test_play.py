"""What the figures of the picture to play with show."""

import numpy as np
import pytest

from svnr.report.figures import play
from svnr.report.playground import landscape
from svnr.report.style import OPTIMUM


@pytest.fixture(scope="module")
def land():
    return landscape(3, 4)


def test_sides_show_the_map_its_border_and_the_executions(land):
    left, right, bar = play.boltzmann_sides(land, 1.9, "Message").axes
    assert np.allclose(left.collections[0].get_array(), land.mass)
    assert np.allclose(left.get_lines()[0].get_xydata()[:2], np.c_[land.border, land.widths][:2])
    for line, way in zip(right.get_lines(), land.earned, strict=False):
        assert np.allclose(line.get_ydata(), land.earned[way][1])
    assert right.get_lines()[2].get_color() == OPTIMUM  # greedy: the peak
    assert right.get_lines()[3].get_xdata()[0] == land.border[1]
    assert bar.get_ylim() == (0, 1)


def test_a_hill_of_half_the_box_has_no_border(land):
    right = play.boltzmann_sides(land, 3.0, "Message").axes[1]
    assert len(right.get_lines()) == 3
    assert "half at each hill " not in [text.get_text() for text in right.texts]
