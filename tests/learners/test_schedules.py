import pytest
from teams import at

from svnr.learners.schedules import constant, fading, geometric, linear, printed, three_phase


def test_printed_holds_for_ten_steps_and_then_falls():
    assert printed(at(0, 5000), 10.0) == printed(at(10, 5000), 10.0) == 510.0
    # 500 · e^(−0.1 · 63) = 500 · 0.0018363 = 0.918, the first multiple of a whole step below 1.
    assert printed(at(73, 5000), 10.0) == pytest.approx(10.918, abs=1e-3)
    assert printed(at(72, 5000), 10.0) > 11.0


def test_three_phases_meet_their_thirds_and_halves():
    assert three_phase(at(1666, 5000), 10.0) == pytest.approx(10.0)
    assert three_phase(at(1667, 5000), 10.0) == 1.0
    assert three_phase(at(2499, 5000), 10.0) == 1.0
    assert three_phase(at(2500, 5000), 10.0) == three_phase(at(4999, 5000), 10.0) == 0.3


def test_geometric_halves_its_logarithm_at_a_quarter():
    # From 30 to 0.3: the geometric middle is 3, reached at a quarter of the run.
    assert geometric(at(0, 1000), 0.3) == pytest.approx(30.0)
    assert geometric(at(250, 1000), 0.3) == pytest.approx(3.0)
    assert geometric(at(500, 1000), 0.3) == geometric(at(999, 1000), 0.3) == pytest.approx(0.3)


def test_linear_falls_from_six_times_the_last_value_in_four_fifths_of_the_run():
    # At two fifths of the run half of the way is done: 6 − 5/2 = 3.5.
    assert linear(at(0, 1000), 2.0) == 12.0
    assert linear(at(400, 1000), 2.0) == pytest.approx(2 * 3.5)
    assert linear(at(800, 1000), 2.0) == linear(at(999, 1000), 2.0) == 2.0


def test_constant_is_constant():
    assert {constant(at(step, 10), 0.7) for step in range(10)} == {0.7}


def test_noise_fades_to_a_fiftieth_and_stays():
    # Halfway through the fraction of the run the scale is 0.5 · 50^(−½).
    assert fading(at(0, 1000), 0.5, 0.1) == 0.5
    assert fading(at(50, 1000), 0.5, 0.1) == pytest.approx(0.5 / 50**0.5)
    assert (
        fading(at(100, 1000), 0.5, 0.1) == fading(at(999, 1000), 0.5, 0.1) == pytest.approx(0.01)
    )
