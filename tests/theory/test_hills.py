"""Two hills in a box: against volumes by hand, grids, chance, and a law with a closed form."""

import math
from dataclasses import replace
from itertools import cycle, islice

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import ncx2

from svnr.theory.hills import (
    POINTS,
    TwoHills,
    _log_integral,
    crossing,
    earned_greedy,
    earned_independent,
    earned_shared,
    right_mass,
    share_above,
    share_of_box,
    sides,
)
from svnr.theory.maxent import boltzmann
from svnr.theory.overgeneralization import execute


def hills(right, wrong, steepness, worth, half_width=10.0):
    return TwoHills(
        centers=np.array([right, wrong], float),
        steepness=np.array(steepness),
        worth=np.array(worth, float),
        half_width=half_width,
    )


def max_of(n, width):
    """Max of Three for n agents, whose coordinates repeat."""
    right, wrong = (list(islice(cycle(c), n)) for c in ((7, 7, -4), (-5, -5, 3)))
    return hills(right, wrong, (1 / width**2, 0.8 / 9), (10, 0))


def each(game, u):
    """g_1 and g_2 of joint actions u [B, N]."""
    away = np.square(u[:, None] - game.centers).sum(-1)
    return (game.worth - game.steepness * away).T


def on_a_grid(game, beta, n):
    """The right hill's share of exp(β max(g_1, g_2)), over the midpoints of n^N cells."""
    axis = game.half_width * (2 * (np.arange(n) + 0.5) / n - 1)
    n_agents = game.centers.shape[1]
    right, wrong = each(game, np.stack(np.meshgrid(*[axis] * n_agents), -1).reshape(-1, n_agents))
    best = np.maximum(right, wrong)
    weight = np.exp(beta * (best - best.max()))
    return weight[right >= wrong].sum() / weight.sum()


def test_the_right_hill_pays_in_a_ball():
    # |u|² against |u − (3, 0, …)|² / 4: g_1 ≥ g_2 where ¾ |u + (1, 0, …)|² ≤ 10 + 3, R² = 52 / 3.
    radius = math.sqrt(52 / 3)
    line, disc, ball = (
        share_of_box(hills([0] * n, [3, 0, 0][:n], (1.0, 0.25), (10, 0))) for n in (1, 2, 3)
    )
    assert line == pytest.approx(2 * radius / 20, abs=1e-4)
    assert disc == pytest.approx(math.pi * radius**2 / 400, abs=1e-6)
    assert ball == pytest.approx(4 / 3 * math.pi * radius**3 / 8000, abs=1e-6)


def test_the_mass_in_a_box_without_an_edge_is_a_noncentral_chi_squares():
    # With worths 1 and 0: R² = (1 + 3) / ¾ around (−1, 0, 0). Under exp(g_h / α) 2 a |u − m|² / α
    # has N degrees of freedom; the normaliser is (π α / a)^{N/2} exp(c / α).
    game, alpha = hills([0, 0, 0], [3, 0, 0], (1.0, 0.25), (1, 0)), 0.5
    of_right = ncx2.cdf(2 * 16 / 3 / alpha, 3, 2 / alpha)
    of_wrong = ncx2.sf(2 * 0.25 * 16 / 3 / alpha, 3, 2 * 0.25 * 16 / alpha)
    right = math.exp(1 / alpha) * of_right
    wrong = 0.25**-1.5 * of_wrong
    assert right_mass(game, alpha) == pytest.approx(right / (right + wrong), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    places=st.lists(st.floats(-9, 9), min_size=4, max_size=4),
    steep=st.tuples(st.floats(0.05, 2), st.floats(0.05, 2)),
    ahead=st.floats(0, 10),
    alpha=st.floats(0.5, 20),
)
def test_two_agents_against_a_grid(places, steep, ahead, alpha):
    assume(math.dist(places[:2], places[2:]) + abs(steep[0] - steep[1]) > 0.01)
    game = hills(places[:2], places[2:], steep, (ahead, 0))
    assert right_mass(game, alpha) == pytest.approx(on_a_grid(game, 1 / alpha, 400), abs=1e-2)
    assert share_of_box(game) == pytest.approx(on_a_grid(game, 0, 400), abs=1e-2)


@pytest.mark.parametrize("width", [0.8, 1.5, 3.0])
def test_three_agents_against_a_grid(width):
    for alpha in (10.0, 3.0, 1.0):
        exact = on_a_grid(max_of(3, width), 1 / alpha, 80)
        assert right_mass(max_of(3, width), alpha) == pytest.approx(exact, abs=2e-4)


def test_eight_agents_against_chance():
    # 400,000 joint actions: deviations of the shares are 0.0004 and 0.00003; of the mass, whose
    # draws are weighted, some 0.001.
    game, rng = max_of(8, 2.0), np.random.default_rng(0)
    right, wrong = each(game, rng.uniform(-10, 10, (400_000, 8)))
    pays, weight = right >= wrong, np.exp(np.maximum(right, wrong) / 10)
    assert share_of_box(game) == pytest.approx(pays.mean(), abs=1.6e-3)
    assert share_above(game) == pytest.approx((right > 0).mean(), abs=1e-4)
    assert right_mass(game, 10.0) == pytest.approx(weight @ pays / weight.sum(), abs=4e-3)


def test_more_than_the_wrong_peak_is_paid_in_a_ball():
    # 12 − |u|² > 3: a ball of radius 3, whatever the wrong hill's place and width.
    game = hills([0, 0, 0], [6, -6, 6], (1.0, 0.5), (12, 3))
    assert share_above(game) == pytest.approx(4 / 3 * math.pi * 27 / 8000, abs=1e-6)


def test_the_mass_goes_from_the_share_of_the_box_to_all():
    game = max_of(3, 1.5)
    assert right_mass(game, 1e7) == pytest.approx(share_of_box(game), abs=1e-5)
    assert right_mass(game, 1e-2) == pytest.approx(1)


@pytest.mark.parametrize(("n", "width"), [(3, 0.8), (3, 2.0), (6, 2.0), (8, 2.0)])
def test_at_the_crossing_each_hill_holds_half(n, width):
    alpha = crossing(max_of(n, width))
    assert right_mass(max_of(n, width), alpha) == pytest.approx(0.5, abs=1e-4)
    assert (
        right_mass(max_of(n, width), 0.9 * alpha) > 0.5 > right_mass(max_of(n, width), 1.1 * alpha)
    )


def test_one_hill_twice_is_shared():
    assert share_of_box(hills([1, 2], [1, 2], (0.5, 0.5), (3, 3))) == pytest.approx(0.5)
    assert share_of_box(hills([1, 2], [1, 2], (0.5, 0.5), (3, 2))) == pytest.approx(1)


def test_hills_that_are_alike_never_cross():
    mirrored = hills([5, 5], [-5, -5], (0.1, 0.1), (10, 10))
    assert share_of_box(mirrored) == pytest.approx(0.5, abs=1e-6)
    assert right_mass(mirrored, 2.0) == pytest.approx(0.5, abs=1e-6)
    assert crossing(max_of(3, 3.0)) == math.inf  # the right hill has 51 % of the box


def test_a_temperature_is_positive():
    with pytest.raises(ValueError, match="alpha must be a number in"):
        right_mass(max_of(3, 2.0), 0.0)


def on_cells(game, alpha, n):
    """r, the right hill, and π*_α [n, …, n] over the midpoints of n^N cells."""
    axis = game.half_width * (2 * (np.arange(n) + 0.5) / n - 1)
    n_agents = game.centers.shape[1]
    u = np.stack(np.meshgrid(*[axis] * n_agents, indexing="ij"), -1).reshape(-1, n_agents)
    right, wrong = (g.reshape((n,) * n_agents) for g in each(game, u))
    return np.maximum(right, wrong), right >= wrong, boltzmann(np.maximum(right, wrong), alpha)


@pytest.mark.parametrize(("n_agents", "width", "alpha"), [(2, 1.0, 3.0), (3, 1.5, 3.0)])
def test_executions_against_a_grid(n_agents, width, alpha):
    game, n = max_of(n_agents, width), 64
    rewards, right, joint = on_cells(game, alpha, n)
    split = sides(game, alpha)
    for i in range(n_agents):
        others = tuple(j for j in range(n_agents) if j != i)
        by_hill = [(joint * side).sum(others) for side in (right, ~right)]
        assert np.allclose(split[:, i].reshape(2, n, -1).sum(-1), by_hill, atol=2e-3)
    shared = (joint * rewards).sum()
    independent = (execute(joint, "independent") * rewards).sum()
    assert earned_shared(game, split) == pytest.approx(shared, abs=0.02)
    assert earned_independent(game, split) == pytest.approx(independent, abs=0.02)
    assert earned_independent(game, split) < earned_shared(game, split) - 2


def test_a_shared_draw_earns_the_slope_of_the_soft_value():
    # E[r] = d log Z / dβ, with Z(β) = ∫ exp(β r) du: by differences of the two hills' integrals.
    game, alpha, small = max_of(4, 1.2), 2.0, 1e-4

    def log_z(beta):
        return np.logaddexp(*(_log_integral(game, which, beta, POINTS) for which in (0, 1)))

    slope = (log_z(1 / alpha + small) - log_z(1 / alpha - small)) / (2 * small)
    assert earned_shared(game, sides(game, alpha)) == pytest.approx(slope, abs=1e-3)


def test_on_one_hill_both_executions_earn_the_peak_less_half_an_alpha_an_agent():
    # Cold, π*_α is normal around the peak with variance α / 2a: each of N squares costs α / 2.
    game, alpha = max_of(3, 1.5), 0.05
    split = sides(game, alpha)
    for earned in (earned_shared, earned_independent):
        assert earned(game, split) == pytest.approx(10 - 3 * alpha / 2, abs=1e-3)
    assert earned_greedy(game) == 10


def test_sides_add_up_to_the_mass_for_any_team():
    for n_agents in (1, 2, 3, 6):
        game = max_of(n_agents, 2.0)
        split = sides(game, 6.0)
        assert np.allclose(split.sum((0, 2)), 1)
        assert np.allclose(split[0].sum(-1), right_mass(game, 6.0), atol=2e-4)


def test_sides_of_games_that_are_all_one_hill_are_its_normal_law():
    # Far below the other, the wrong hill pays nowhere: P(u) ∝ exp(−a (u − x)² / α) on the box.
    game = hills([1, -2], [5, 5], (1.0, 1.0), (500, 0))
    split = sides(game, 2.0, 256)
    u = 10 * (2 * (np.arange(256) + 0.5) / 256 - 1)
    law = np.exp(-np.square(u - np.array([[1], [-2]])) / 2)
    assert np.allclose(split[0], law / law.sum(-1, keepdims=True), atol=1e-9)
    assert np.allclose(split[1], 0, atol=1e-9)


def test_where_the_right_hill_never_holds_half_there_is_no_crossing():
    """Equally high, the narrow one: its share falls with α to its part of the volume."""
    alike = TwoHills(
        centers=np.array([[-0.5, -0.5], [0.5, 0.5]]),
        steepness=np.array([40.0, 10.0]),
        worth=np.array([1.0, 1.0]),
        half_width=1.0,
    )
    assert right_mass(alike, 0.1) < 0.5
    with pytest.raises(ValueError, match="hills must have the higher one first"):
        crossing(alike)


@pytest.mark.parametrize("unit", [1e-4, 1e4])
def test_the_crossing_is_in_units_of_the_payoff(unit):
    hills = max_of(3, 1.0)
    scaled = replace(hills, steepness=unit * hills.steepness, worth=unit * hills.worth)
    assert crossing(scaled) == pytest.approx(unit * crossing(hills), rel=1e-2)
