import itertools

import numpy as np
import pytest
from cases import CLIMBING, FIGURE_1B, ONE_VOLUNTEER, PARITY, STAG_HUNT, payoffs
from hypothesis import given, settings

from svnr.sets import full, none, reverse, strict
from svnr.theory.distributions import total_variation
from svnr.theory.finite_negotiation import gibbs_negotiate, negotiate, noise_grid
from svnr.theory.maxent import boltzmann


@pytest.mark.parametrize(
    ("q", "alpha"),
    [(FIGURE_1B, 0.1), (STAG_HUNT, 2.0), (CLIMBING, 2.0), (ONE_VOLUNTEER, 0.1), (PARITY, 0.1)],
)
def test_strict_sets_agree_within_n_rounds_on_the_optimal_policy(q, alpha):
    end = negotiate(q, alpha, strict(q.ndim))
    assert end.has_agreed and end.rounds <= q.ndim
    assert total_variation(end.joint, boltzmann(q, alpha)) <= 0.02


@pytest.mark.parametrize("q", [FIGURE_1B, PARITY])
def test_two_equal_optima_share_the_particles_equally(q):
    """No midpoint of the grid lies at ½, where one of two equal halves would get it whole."""
    end = negotiate(q, 0.1, strict(q.ndim))
    assert total_variation(end.joint, boltzmann(q, 0.1)) < 1e-3


def test_the_grid_is_made_of_midpoints():
    # Two points an axis: ¼ and ¾.
    assert noise_grid(2, 2).tolist() == [[0.25, 0.25], [0.25, 0.75], [0.75, 0.25], [0.75, 0.75]]


@settings(max_examples=20, deadline=None)
@given(payoffs(max_agents=3))
def test_strict_sets_agree_from_any_start_in_any_order(q):
    for sets in (strict(q.ndim), reverse(q.ndim)):
        end = negotiate(q, 1.0, sets, grid=15, start=[0] * q.ndim)
        assert end.has_agreed and end.rounds <= q.ndim
        assert total_variation(end.joint, boltzmann(q, 1.0)) <= 0.2


def test_full_sets_switch_for_ever_on_figure_1b():
    end = negotiate(FIGURE_1B, 0.1, full(2))
    assert not end.has_agreed
    assert end.moving == 1
    assert (end.joint * FIGURE_1B).sum() == 0


def test_full_sets_freeze_at_the_wrong_equilibrium_of_the_stag_hunt():
    end = negotiate(STAG_HUNT, 2.0, full(2))
    assert end.has_agreed and end.rounds == 0
    assert (end.joint * STAG_HUNT).sum() == 5


def test_empty_sets_agree_at_once_on_the_product_of_the_marginals():
    end = negotiate(FIGURE_1B, 0.1, none(2))
    assert end.has_agreed
    assert total_variation(end.joint, np.full((2, 2), 0.25)) < 0.02


@pytest.mark.parametrize(("alpha", "sweeps"), [(1.0, 3), (0.5, 7), (0.2, 116)])
def test_gibbs_pays_for_cooling_and_the_ancestral_order_does_not(alpha, sweeps):
    wrong = np.zeros((2, 2))
    wrong[0, 0] = 1
    trace = gibbs_negotiate(FIGURE_1B, alpha, full(2), wrong, sweeps=500, tolerance=1e-3)
    assert len(trace) - 1 == sweeps
    assert all(a >= b - 1e-12 for a, b in itertools.pairwise(trace))
    assert gibbs_negotiate(FIGURE_1B, alpha, strict(2), wrong, sweeps=1)[-1] < 1e-12


@pytest.mark.slow
def test_at_a_tenth_gibbs_needs_seventeen_thousand_sweeps():
    wrong = np.zeros((2, 2))
    wrong[0, 0] = 1
    trace = gibbs_negotiate(FIGURE_1B, 0.1, full(2), wrong, sweeps=20_000, tolerance=1e-3)
    assert len(trace) - 1 == 17_113


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rounds": 0}, "rounds must be a whole number of at least 1, got 0"),
        ({"grid": 0}, "grid must be a whole number of at least 1, got 0"),
        ({"start": [0, 2]}, r"start\[1\] must be a whole number in \[0, 1\], got 2"),
        ({"start": [0.5, 0]}, r"start\[0\] must be a whole number, got 0.5"),
        ({"start": [0]}, r"start must hold 2 values, got \(0,\)"),
        ({"sets": none(3)}, "one set for each of 2 agents, got 3"),
        ({"alpha": -1.0}, r"alpha must be a number in \(0, inf\], got -1.0"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, message):
    arguments = {"q": FIGURE_1B, "alpha": 1.0, "sets": full(2)} | changes
    with pytest.raises(ValueError, match=message):
        negotiate(**arguments)


def test_too_many_particles_are_refused_before_they_are_made():
    with pytest.raises(ValueError, match=r"grid\^N must be at most 5,000,000, got 40\^5"):
        negotiate(np.zeros((2,) * 5), 1.0, strict(5))
    assert negotiate(np.zeros((2,) * 5), 1.0, strict(5), grid=4).has_agreed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tolerance": np.nan}, "tolerance must be a finite number, got nan"),
        ({"sweeps": -1}, "sweeps must be a whole number of at least 0, got -1"),
        ({"sets": none(3)}, "one set for each of 2 agents, got 3"),
        ({"start": np.full((2, 2), 0.5)}, "start must sum to 1"),
    ],
)
def test_sweeps_that_make_no_sense_are_refused(changes, message):
    arguments = {"sets": full(2), "start": np.full((2, 2), 0.25), "sweeps": 3} | changes
    with pytest.raises(ValueError, match=message):
        gibbs_negotiate(FIGURE_1B, 1.0, **arguments)
