import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from svnr.games.graphs import chain_of_pairs
from svnr.theory.maxent import boltzmann
from svnr.theory.paths import mean_field, neighbour_laws


@given(st.integers(2, 4), st.floats(0.2, 20), st.integers(0, 2**31))
def test_the_laws_of_neighbours_are_those_of_the_whole_joint(n, alpha, seed):
    """Every joint action of n agents with three actions each, summed straight from the page."""
    payoff = np.random.default_rng(seed).normal(size=(3, 3)) * 5
    q = np.zeros((3,) * n)
    for u in np.ndindex(*q.shape):
        q[u] = sum(payoff[u[i], u[i + 1]] for i in range(n - 1))
    joint, laws = boltzmann(q, alpha), neighbour_laws(payoff, n, alpha)
    for i in range(n - 1):
        others = tuple(j for j in range(n) if j not in (i, i + 1))
        np.testing.assert_allclose(laws[i], joint.sum(others), atol=1e-12)


def test_two_agents_by_hand():
    # r = (0, 0; 0, ln 3) at α = 1: weights 1, 1, 1, 3, of which the last has half.
    law = neighbour_laws([[0, 0], [0, np.log(3)]], 2, 1.0)
    np.testing.assert_allclose(law, [[[1 / 6, 1 / 6], [1 / 6, 1 / 2]]])


def test_far_from_the_ends_it_is_the_leading_eigenvector():
    """Perron: K v = λ v for symmetric K; deep inside, the law of a pair is v_a K_ab v_b / λ."""
    payoff = np.array([[0.0, -2.0], [-2.0, 1.0]])
    values, vectors = np.linalg.eigh(np.exp(payoff))
    v = vectors[:, -1]
    expected = v[:, None] * np.exp(payoff) * v / values[-1]
    np.testing.assert_allclose(neighbour_laws(payoff, 100, 1.0)[50], expected, atol=1e-12)


def test_small_temperatures_leave_no_infinity():
    laws = neighbour_laws([[0, -1000], [-1000, 1]], 50, 1e-3)
    assert np.isfinite(laws).all() and laws[25, 1, 1] == pytest.approx(1)


def test_a_mean_field_team_is_the_product_that_nobody_improves_alone():
    """Against 2 r q, the mean over two neighbours, q is the Boltzmann policy of one agent."""
    payoff = np.array([[1.0, -3.0], [-3.0, 2.0]])
    q = mean_field(payoff, 3.0, [0.5, 0.5])
    weights = np.exp(2 * payoff @ q / 3.0)
    np.testing.assert_allclose(q, weights / weights.sum(), atol=1e-12)
    other = mean_field(payoff, 3.0, [0.99, 0.01])
    assert q[1] > 0.9 and other[1] < 0.2  # two fixed points: who starts at the worse stays


@pytest.mark.parametrize(("width", "trapped"), [(1.0, True), (1.2, True), (1.5, False)])
def test_as_the_temperature_falls_agents_that_hear_nobody_lose_the_right_hill(width, trapped):
    """From α = 500 down to 1, beside the law of fifty agents, which always changes sides."""
    axis = torch.linspace(-1, 1, 101, dtype=torch.double)
    cells = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1)
    payoff = chain_of_pairs(2, width, None).reward(cells).numpy()
    right, q = axis.numpy() > 0.2, np.full(101, 1 / 101)
    for alpha in (500, 100, 50, 30, 20, 15, 10, 5, 1):
        q = mean_field(payoff, alpha, q)
    assert q[right].sum() == pytest.approx(0 if trapped else 1, abs=0.01)
    assert neighbour_laws(payoff, 50, 1.0)[25].sum(1)[right].sum() > 0.99


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"payoff": [1, 2]}, r"payoff must have shape \[A, A\], got \(2,\)"),
        ({"payoff": [[1, 2]]}, r"payoff must have shape \[A, A\], got \(1, 2\)"),
        ({"n_agents": 1}, "n_agents must be a whole number of at least 2, got 1"),
        ({"alpha": 0.0}, "alpha must be"),
    ],
)
def test_what_makes_no_sense_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        neighbour_laws(**{"payoff": [[0, 1], [1, 0]], "n_agents": 3, "alpha": 1.0, **change})
