import numpy as np
import pytest
from cases import CLIMBING, FIGURE_1B, ONE_VOLUNTEER, PENALTY, QTRAN, SHAPES

from svnr.theory import policy_iteration
from svnr.theory.distributions import product
from svnr.theory.improvements import (
    exact_nested,
    gibbs,
    marginals_of_softmax,
    mean_field_sequential,
    mean_field_simultaneous,
    printed_6_6,
)
from svnr.theory.maxent import log_boltzmann
from svnr.theory.mdp import FiniteMDP, one_state, random_mdp, random_policy
from svnr.theory.policy_iteration import (
    improvement,
    printed_value_iteration,
    share_of_violations,
    soft_policy_iteration,
)


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
        iteration = soft_policy_iteration(mdp, 0.5)
        value = np.zeros(3)
        for _ in range(600):
            q = mdp.backup(value)
            flat = q.reshape(3, -1) / 0.5
            value = 0.5 * np.logaddexp.reduce(flat, axis=1)
        assert len(iteration.rounds) <= 8 and iteration.has_converged
        assert np.allclose(iteration.rounds[-1].q, q, atol=1e-9)


# --- when it is over -----------------------------------------------------------------------------


@pytest.mark.parametrize("discount", [0.0, 0.9])
@pytest.mark.parametrize(("q", "alpha"), [(CLIMBING, 0.3), (PENALTY, 0.03)])
def test_what_moves_the_policy_but_not_q_is_no_end(q, alpha, discount):
    """The printed (6.6) from uniform: its first round goes to the trap (5, or 2), the second to
    the best, 11 or 10. With γ = 0 every Q is the payoff, from the first round on."""
    end = soft_policy_iteration(one_state(q, discount), alpha, printed_6_6)
    earned = [(r.policy[0] * q).sum() for r in end.rounds]
    assert earned[1] < 6
    assert end.has_converged and earned[-1] == pytest.approx(q.max(), abs=0.05)


def test_policies_that_flip_do_not_converge():
    """Two agents that reply at once on Figure 1b go from (0, 0) to (1, 1) and back: Q stays."""
    flips = soft_policy_iteration(
        one_state(FIGURE_1B), 0.1, mean_field_simultaneous, corner(0, 0), n_rounds=30
    )
    assert not flips.has_converged and len(flips.rounds) == 31
    first, second = (r.policy[0] for r in flips.rounds[-2:])
    assert abs(first - second).max() > 0.99


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_the_end_does_not_depend_on_the_unit_of_the_payoff(rng, unit):
    """Payoff and temperature in another unit: the same policies in as many rounds."""
    mdp = random_mdp(rng, 3, (2, 2))
    other = FiniteMDP(reward=unit * mdp.reward, transition=mdp.transition, discount=mdp.discount)
    ends = [soft_policy_iteration(mdp, 0.5), soft_policy_iteration(other, 0.5 * unit)]
    assert ends[0].has_converged and ends[1].has_converged
    assert len(ends[0].rounds) == len(ends[1].rounds)
    assert np.allclose(ends[0].rounds[-1].policy, ends[1].rounds[-1].policy)


def test_without_a_tolerance_all_rounds_are_played():
    end = soft_policy_iteration(one_state(CLIMBING), 0.3, n_rounds=7, tolerance=0)
    assert len(end.rounds) == 8 and not end.has_converged
    with pytest.raises(ValueError, match=r"tolerance must be a number in \[0, inf\], got -1"):
        soft_policy_iteration(one_state(CLIMBING), 0.3, tolerance=-1)


def test_how_often_is_a_whole_number(rng):
    game = one_state(CLIMBING)
    with pytest.raises(ValueError, match=r"n_rounds must be a whole number in \[0, inf\], got -1"):
        soft_policy_iteration(game, 0.3, n_rounds=-1)
    with pytest.raises(ValueError, match="n_cases must be a whole number of at least 1, got 0"):
        share_of_violations(rng, exact_nested, (2, 2), 0)
    with pytest.raises(ValueError, match=r"n_sweeps must be a whole number in \[0, inf\], got -1"):
        printed_value_iteration(game, 1.0, CLIMBING[None], -1)


def test_the_printed_update_loses_at_the_optimum_of_climbing():
    optimal = np.exp(log_boltzmann(CLIMBING, 1.0))[None]
    assert improvement(one_state(CLIMBING), optimal, 1.0, printed_6_6).max() < 0


# --- empty sets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "earned"),
    [(CLIMBING, 6.97), (PENALTY, 1.99), (QTRAN, 0.0), (FIGURE_1B, 0.5), (ONE_VOLUNTEER, 0.43)],
)
def test_agents_that_reply_in_turn_stop_at_the_wrong_joint(q, earned):
    last = soft_policy_iteration(one_state(q), 0.3, mean_field_sequential, n_rounds=200).rounds[-1]
    assert (last.policy[0] * q).sum() == pytest.approx(earned, abs=0.01)
    right = soft_policy_iteration(one_state(q), 0.3, exact_nested).rounds[-1]
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
        r.value[0]
        for r in soft_policy_iteration(game, 0.1, marginals_of_softmax, corner(0, 1), 2).rounds
    ]
    assert values[1] == pytest.approx((0.5 + 0.1 * 2 * np.log(2)) / 0.1, abs=1e-3)
    stuck = soft_policy_iteration(game, 0.1, mean_field_simultaneous, corner(0, 0), 20)
    assert stuck.rounds[-1].value[0] < 0.1
    assert improvement(game, corner(0, 0), 0.1, mean_field_simultaneous).min() < 0
    turn = soft_policy_iteration(game, 0.1, mean_field_sequential, corner(0, 0), 20)
    assert turn.rounds[-1].value[0] == pytest.approx(10.0, abs=1e-2)


@pytest.mark.parametrize("shape", SHAPES)
def test_replies_in_turn_never_lower_any_q_of_a_factored_policy(rng, shape):
    assert share_of_violations(rng, mean_field_sequential, shape, 60, factored=True) == 0
    kept = {"improved": True, "factored": True}
    assert share_of_violations(rng, mean_field_sequential, shape, 60, **kept) == 0


def test_which_updates_break_the_lemma_near_the_optimum(rng):
    def share(update, factored):
        return share_of_violations(rng, update, (2, 2), 60, improved=True, factored=factored)

    assert share(exact_nested, False) == 0
    assert share(printed_6_6, False) > 0.15
    assert share(marginals_of_softmax, True) > 0.1


# --- (7.4) as an operator ------------------------------------------------------------------------


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
    exact = soft_policy_iteration(game, 1.0, exact_nested).rounds[-1]
    assert exact.q[0, 0] == pytest.approx(39.8576, abs=1e-3)


def test_a_single_q_that_falls_is_a_violation(monkeypatch):
    monkeypatch.setattr(policy_iteration, "improvement", lambda *told: np.array([-1.0, 5.0]))
    draws = np.random.default_rng(0)
    assert policy_iteration.share_of_violations(draws, None, (2, 2), 3) == 1.0
