import numpy as np
import pytest
from cases import FIGURE_1B, SHAPES

from svnr.theory.mdp import (
    FiniteMDP,
    bellman,
    one_state,
    random_mdp,
    random_policy,
    soft_evaluate,
    soft_value_of,
)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_operator_contracts_by_the_discount(rng, shape):
    for _ in range(30):
        mdp = random_mdp(rng, 3, shape, discount=0.8)
        policy = random_policy(rng, mdp)
        first, second = rng.normal(size=(2, *mdp.reward.shape))
        apart = abs(first - second).max()
        moved = [bellman(mdp, q, policy, 0.7) for q in (first, second)]
        assert abs(moved[0] - moved[1]).max() <= 0.8 * apart + 1e-12
        shifted = bellman(mdp, first + 1.0, policy, 0.7) - bellman(mdp, first, policy, 0.7)
        assert np.allclose(shifted, 0.8)  # the modulus is attained


def test_iterating_the_operator_reaches_the_linear_solve(rng):
    mdp = random_mdp(rng, 4, (2, 3))
    policy = random_policy(rng, mdp)
    q = np.zeros(mdp.reward.shape)
    for _ in range(400):
        q = bellman(mdp, q, policy, 0.5)
    solved, value = soft_evaluate(mdp, policy, 0.5)
    assert abs(q - solved).max() < 1e-12
    assert np.allclose(value, soft_value_of(solved, policy, 0.5))


def test_evaluation_by_hand():
    """Reward 1 for ever at γ = ½ and a uniform choice of two: V = (1 + α log 2) / (1 − ½)."""
    mdp = one_state(np.ones((2,)), discount=0.5)
    _, value = soft_evaluate(mdp, np.array([[0.5, 0.5]]), alpha=2.0)
    assert value[0] == pytest.approx(2 * (1 + 2 * np.log(2)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"discount": 1.0}, r"discount must be a number in \[0, 1\), got 1.0"),
        ({"reward": np.array([[np.inf, 0.0]])}, "reward must be finite, got inf"),
        ({"transition": np.ones((1, 2))}, r"transition must have shape \(1, 2, 1\)"),
        ({"transition": np.full((1, 2, 1), 0.5)}, "transition must be probabilities"),
        ({"transition": np.full((1, 2, 1), np.nan)}, "transition must be probabilities"),
        ({"discount": np.nan}, "discount must be a finite number, got nan"),
        (  # two states, and nobody to act
            {"reward": np.zeros(2), "transition": np.eye(2)},
            r"reward must have shape \[S, A_1, …, A_N\], N ≥ 1, got \(2,\)",
        ),
    ],
)
def test_arrays_that_make_no_game_are_refused(changes, message):
    parts = {"reward": np.zeros((1, 2)), "transition": np.ones((1, 2, 1)), "discount": 0.9}
    with pytest.raises(ValueError, match=message):
        FiniteMDP(**(parts | changes))


def test_policies_that_do_not_fit_the_game_are_refused():
    game = one_state(FIGURE_1B)
    with pytest.raises(ValueError, match=r"policy must have shape \(1, 2, 2\), got \(2, 2\)"):
        soft_evaluate(game, np.full((2, 2), 0.25), 1.0)
    with pytest.raises(ValueError, match="policy must be probabilities"):
        soft_evaluate(game, np.full((1, 2, 2), 0.5), 1.0)
    with pytest.raises(ValueError, match=r"alpha must be a number in \[0, inf\], got -1"):
        soft_evaluate(game, np.full((1, 2, 2), 0.25), -1.0)
