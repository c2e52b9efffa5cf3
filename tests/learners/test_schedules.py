import pytest

from svnr.learners.schedules import constant, geometric, linear, printed, three_phase


def test_printed_holds_for_ten_steps_and_then_falls():
    assert printed(0, 10.0, 5000) == printed(10, 10.0, 5000) == 510.0
    # 500 · e^(−0.1 · 63) = 500 · 0.0018363 = 0.918, the first multiple of a whole step below 1.
    assert printed(73, 10.0, 5000) == pytest.approx(10.918, abs=1e-3)
    assert printed(72, 10.0, 5000) > 11.0


def test_three_phases_meet_their_thirds_and_halves():
    assert three_phase(1666, 10.0, 5000) == pytest.approx(10.0)
    assert three_phase(1667, 10.0, 5000) == 1.0
    assert three_phase(2499, 10.0, 5000) == 1.0
    assert three_phase(2500, 10.0, 5000) == three_phase(4999, 10.0, 5000) == 0.3


def test_geometric_halves_its_logarithm_at_a_quarter():
    # From 30 to 0.3: the geometric middle is 3, reached at a quarter of the run.
    assert geometric(0, 0.3, 1000) == pytest.approx(30.0)
    assert geometric(250, 0.3, 1000) == pytest.approx(3.0)
    assert geometric(500, 0.3, 1000) == geometric(999, 0.3, 1000) == pytest.approx(0.3)


def test_linear_falls_from_six_times_the_last_value_in_four_fifths_of_the_run():
    # At two fifths of the run half of the way is done: 6 − 5/2 = 3.5.
    assert linear(0, 2.0, 1000) == 12.0
    assert linear(400, 2.0, 1000) == pytest.approx(2 * 3.5)
    assert linear(800, 2.0, 1000) == linear(999, 2.0, 1000) == 2.0


def test_constant_is_constant():
    assert {constant(step, 0.7, 10) for step in range(10)} == {0.7}
