import numpy as np
import pytest
from cases import CLIMBING, FIGURE_1A, FIGURE_1B, ONE_VOLUNTEER, PENALTY, QTRAN, STAG_HUNT

from svnr.sets import all_topologies, full, none, star, strict
from svnr.theory.maxent import boltzmann, entropy, product
from svnr.theory.nesting import is_nested
from svnr.theory.overgeneralization import ero_gap
from svnr.theory.policy_iteration import (
    FiniteMDP,
    along,
    bellman,
    ero_gap_mdp,
    exact_nested,
    gibbs,
    improvement,
    marginals_of_softmax,
    mean_field_sequential,
    mean_field_simultaneous,
    nested_improvement,
    one_state,
    printed_6_6,
    printed_mass,
    printed_value_iteration,
    random_mdp,
    random_policy,
    share_of_violations,
    soft_evaluate,
    soft_policy_iteration,
    soft_value_of,
)

SHAPES = [(2, 2), (2, 3), (2, 2, 2)]


# --- Lemma 6.1 ---------------------------------------------------------------------------------


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


# --- Lemma 6.2 and Theorem 6.3 -----------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("update", [exact_nested, gibbs])
def test_exact_updates_never_lower_any_q(rng, update, shape):
    for _ in range(60):
        mdp = random_mdp(rng, 2, shape)
        for alpha in (0.2, 1.0):
            assert improvement(mdp, random_policy(rng, mdp), alpha, update).min() >= -1e-9


def test_policy_iteration_ends_at_the_best_policy(rng):
    """Against soft value iteration, an independent road to the same place."""
    for shape in SHAPES:
        mdp = random_mdp(rng, 3, shape)
        rounds = soft_policy_iteration(mdp, 0.5)
        value = np.zeros(3)
        for _ in range(600):
            q = mdp.backup(value)
            flat = q.reshape(3, -1) / 0.5
            value = 0.5 * np.logaddexp.reduce(flat, axis=1)
        assert len(rounds) <= 8
        assert np.allclose(rounds[-1].q, q, atol=1e-9)


def test_nested_sets_make_the_exact_update_whatever_they_are(rng):
    q, joint = rng.normal(size=(2, 2, 3)), np.full((2, 2, 3), 1 / 12)
    for sets in all_topologies(3):
        if is_nested(sets):
            assert np.allclose(nested_improvement(sets)(q, joint, 0.7), boltzmann(q, 0.7))
    with pytest.raises(ValueError, match=r"sets must be nested as in Theorem A\.1"):
        nested_improvement(star(3))
    assert np.allclose(along(none(3))(q, joint, 0.7), marginals_of_softmax(q, joint, 0.7))
    assert np.allclose(along(strict(3))(q, joint, 0.7), boltzmann(q, 0.7))


# --- (6.6) as printed ----------------------------------------------------------------------------


def test_the_printed_policy_is_not_normalized():
    uniform = np.full((2, 2), 0.25)
    assert printed_mass(FIGURE_1B, uniform, 1.0) == pytest.approx(4.5105, abs=1e-4)


@pytest.mark.parametrize(
    ("q", "before", "after"),
    [(FIGURE_1A, 1.579724, 1.551734), (CLIMBING, 11.027209, 11.024402)],
)
def test_the_printed_update_leaves_the_optimum(q, before, after):
    """Lemma 6.2 as printed, at α = 1: started at π*, the soft value of the one-shot game falls."""
    optimal = boltzmann(q, 1.0)
    moved = printed_6_6(q, optimal, 1.0)
    values = [(joint * q).sum() + entropy(joint) for joint in (optimal, moved)]
    assert values == pytest.approx([before, after], abs=1e-6)
    gain = improvement(one_state(q), optimal[None], 1.0, printed_6_6)
    assert gain.max() < 0


# --- empty sets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "earned"),
    [(CLIMBING, 6.97), (PENALTY, 1.99), (QTRAN, 0.0), (FIGURE_1B, 0.5), (ONE_VOLUNTEER, 0.43)],
)
def test_agents_that_reply_in_turn_stop_at_the_wrong_joint(q, earned):
    last = soft_policy_iteration(one_state(q), 0.3, mean_field_sequential, n_rounds=200)[-1]
    assert (last.policy[0] * q).sum() == pytest.approx(earned, abs=0.01)
    right = soft_policy_iteration(one_state(q), 0.3, exact_nested)[-1]
    assert (right.policy[0] * q).sum() > 0.7 * q.max()


def corner(a, b, slip=1e-3):
    own = [np.where(np.arange(2) == choice, 1 - slip, slip) for choice in (a, b)]
    return product(own)[None]


def test_empty_sets_break_the_lemma_and_replies_in_turn_do_not():
    """Figure 1b for ever, α = 0.1. From near an optimum the marginals lose it: 0.5 + α·2·log 2 per
    step is worth 6.386. From near (0, 0) agents that reply at once both switch, for ever."""
    game = one_state(FIGURE_1B)
    gain = improvement(game, corner(0, 1), 0.1, marginals_of_softmax)
    assert gain.min() < -2
    values = [
        r.value[0] for r in soft_policy_iteration(game, 0.1, marginals_of_softmax, corner(0, 1), 2)
    ]
    assert values[1] == pytest.approx((0.5 + 0.1 * 2 * np.log(2)) / 0.1, abs=1e-3)
    stuck = soft_policy_iteration(game, 0.1, mean_field_simultaneous, corner(0, 0), 20)
    assert stuck[-1].value[0] < 0.1
    assert improvement(game, corner(0, 0), 0.1, mean_field_simultaneous).min() < 0
    turn = soft_policy_iteration(game, 0.1, mean_field_sequential, corner(0, 0), 20)
    assert turn[-1].value[0] == pytest.approx(10.0, abs=1e-2)


@pytest.mark.parametrize("shape", SHAPES)
def test_replies_in_turn_never_lower_any_q_of_a_factored_policy(rng, shape):
    assert share_of_violations(rng, mean_field_sequential, shape, 60, factored=True) == 0
    kept = {"improved": True, "factored": True}
    assert share_of_violations(rng, mean_field_sequential, shape, 60, **kept) == 0


def test_which_updates_break_the_lemma_near_the_optimum(rng):
    def share(update, factored):
        return share_of_violations(rng, update, (2, 2), 60, improved=True, factored=factored)

    assert share(exact_nested, False) == 0
    assert share(nested_improvement(full(2)), False) == 0
    assert share(printed_6_6, False) > 0.15
    assert share(marginals_of_softmax, True) > 0.1


# --- (7.4) as an operator, ERO with states, bad input --------------------------------------------


def test_the_printed_backup_has_two_fixed_points():
    """Two states, eight actions; only "stay" in state 0 pays 0.3; γ = 0.95, α = 1."""
    reward = np.zeros((2, 8))
    reward[0, 0] = 0.3
    transition = np.zeros((2, 8, 2))
    transition[0, 0, 0] = 1
    transition[0, 1:, 1] = transition[1, :, 1] = 1
    game = FiniteMDP(reward=reward, transition=transition, discount=0.95)
    ends = []
    for start in (0.0, 20.0):
        first = np.zeros((2, 8))
        first[0, 0] = start
        ends.append(printed_value_iteration(game, 1.0, first, 3000)[0, 0])
    assert ends == pytest.approx([0.3703, 5.4263], abs=1e-3)
    exact = soft_policy_iteration(game, 1.0, exact_nested)[-1]
    assert exact.q[0, 0] == pytest.approx(39.8576, abs=1e-3)


def test_ero_with_states_is_that_of_the_matrix_in_a_single_state():
    """Forever in one state at γ = 0.9 the gain of a step counts ten times."""
    for q in (FIGURE_1B, STAG_HUNT):
        executed = np.full(q.shape, 1 / q.size)
        for agent in range(q.ndim):
            gain = ero_gap_mdp(one_state(q), executed[None], agent)[0]
            assert gain == pytest.approx(10 * ero_gap(executed, q, agent), abs=1e-9)


def test_ero_with_states_agrees_with_trying_every_informed_policy(rng):
    """Two states, two agents of two actions: 16 deterministic π_i(u_i | s, u_−i)."""
    mdp = random_mdp(rng, 2, (2, 2), discount=0.7)
    executed = random_policy(rng, mdp)
    partner = executed.sum(axis=1)  # the law of agent 1 in each state
    best = np.full(2, -np.inf)
    for code in range(16):
        reply = (code >> np.arange(4)) & 1  # for (state, partner's action)
        policy = np.zeros((2, 2, 2))
        for s in range(2):
            for b in range(2):
                policy[s, reply[2 * s + b], b] = partner[s, b]
        best = np.maximum(best, soft_evaluate(mdp, policy, 0.0)[1])
    _, value = soft_evaluate(mdp, executed, 0.0)
    assert ero_gap_mdp(mdp, executed, 0) == pytest.approx(best - value, abs=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"discount": 1.0}, "discount must be at least 0 and below 1, got 1.0"),
        ({"reward": np.array([[np.inf, 0.0]])}, "reward must be finite, got inf"),
        ({"transition": np.ones((1, 2))}, r"transition must have shape \(1, 2, 1\)"),
        ({"transition": np.full((1, 2, 1), 0.5)}, "transition must be probabilities"),
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
    with pytest.raises(ValueError, match="alpha must be finite and at least zero, got -1"):
        soft_evaluate(game, np.full((1, 2, 2), 0.25), -1.0)
