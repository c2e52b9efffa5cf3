import numpy as np
import pytest
from cases import CLIMBING, FIGURE_1B, PENALTY, joints, payoffs
from hypothesis import given, settings
from hypothesis import strategies as st

from svnr.theory.maxent import (
    boltzmann,
    boltzmann_conditional,
    boltzmann_limit,
    chain_rule,
    collision_entropy,
    conditional,
    entropy,
    expected_payoff,
    kl,
    log_boltzmann,
    marginal,
    marginals,
    opponents,
    printed_bias,
    printed_soft_value,
    product,
    sampled_soft_value,
    self_proposed_gradient,
    self_proposed_value,
    soft_value,
    total_variation,
    weighted_soft_value,
)


def test_boltzmann_by_hand():
    # Figure 1b at α = 1: weights 1, e, e, 1.
    total = 2 + 2 * np.e
    assert np.allclose(boltzmann(FIGURE_1B, 1.0), np.array([[1, np.e], [np.e, 1]]) / total)
    assert soft_value(FIGURE_1B, 1.0) == pytest.approx(np.log(total))


@settings(max_examples=60, deadline=None)
@given(payoffs(), st.sampled_from([0.05, 0.5, 2.0]))
def test_the_soft_value_is_expected_payoff_plus_entropy(q, alpha):
    pi = boltzmann(q, alpha)
    assert pi.sum() == pytest.approx(1)
    value = (pi * q).sum() + alpha * entropy(pi)
    assert soft_value(q, alpha) == pytest.approx(value, abs=1e-9)


def test_low_temperatures_do_not_underflow():
    assert np.isfinite(log_boltzmann(PENALTY, 1e-3)).all()
    assert np.allclose(boltzmann(PENALTY, 1e-3), boltzmann_limit(PENALTY))
    assert boltzmann_limit(PENALTY)[0, 0] == boltzmann_limit(PENALTY)[2, 2] == 0.5


def test_marginals_and_conditionals_by_hand():
    joint = np.array([[0.1, 0.2], [0.3, 0.4]])
    assert np.allclose(marginal(joint, [0]), [0.3, 0.7])
    assert np.allclose(opponents(joint, 0), [0.4, 0.6])
    # P(u_1 | u_2): columns divided by 0.4 and 0.6.
    assert np.allclose(conditional(joint, 0, [1]), [[0.25, 1 / 3], [0.75, 2 / 3]])
    assert np.allclose(expected_payoff(CLIMBING, [1 / 3] * 3, 0), [-19 / 3, -17 / 3, 5 / 3])


@settings(max_examples=40, deadline=None)
@given(payoffs(), st.data())
def test_conditionals_of_the_optimum_agree_in_and_out_of_log_space(q, data):
    agent = data.draw(st.integers(0, q.ndim - 1))
    given_ = data.draw(st.sets(st.integers(0, q.ndim - 1)))
    direct = conditional(boltzmann(q, 0.7), agent, given_)
    assert np.allclose(boltzmann_conditional(q, 0.7, agent, given_), direct)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_divergence_splits_as_6_1_says(data):
    shape = data.draw(st.sampled_from([(2, 2), (2, 3), (3, 2, 2)]))
    p, q = data.draw(joints(shape)), data.draw(joints(shape))
    agent = data.draw(st.integers(0, len(shape) - 1))
    assert sum(chain_rule(p, q, agent)) == pytest.approx(kl(p, q), abs=1e-12)


def test_divergences_by_hand():
    p, q = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    assert kl(p, q) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    assert kl(p, np.array([1.0, 0.0])) == np.inf
    assert kl(np.array([1.0, 0.0]), p) == pytest.approx(np.log(2))
    assert total_variation(p, q) == 0.25
    assert np.allclose(product(marginals(np.outer(p, q))), np.outer(p, q))


# --- (7.4) ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "alpha", "value", "own"),
    [
        (CLIMBING, 1.0, 11.027, -0.054),
        (CLIMBING, 5.0, 15.483, -7.058),
        (PENALTY, 1.0, 10.693, -0.694),
    ],
)
def test_what_the_printed_soft_value_misses(q, alpha, value, own):
    assert soft_value(q, alpha) == pytest.approx(value, abs=1e-3)
    pi = boltzmann(q, alpha)
    uniform = np.full(q.shape, 1 / q.size)
    assert printed_bias(q, alpha, uniform) == pytest.approx(-alpha * np.log(q.size))
    assert printed_bias(q, alpha, pi) == pytest.approx(own, abs=1e-3)
    assert printed_bias(q, alpha, pi) == pytest.approx(-alpha * collision_entropy(pi))


@settings(max_examples=40, deadline=None)
@given(payoffs(), st.data(), st.sampled_from([0.3, 1.0, 4.0]))
def test_identities_of_the_soft_value(q, data, alpha):
    p = data.draw(joints(q.shape))
    exact = soft_value(q, alpha)
    printed = printed_soft_value(q, alpha, p)
    assert printed == pytest.approx(exact + printed_bias(q, alpha, p), abs=1e-9)
    assert printed <= exact + 1e-9
    assert weighted_soft_value(q, alpha, p) == pytest.approx(exact, abs=1e-9)
    own = printed_soft_value(q, alpha, boltzmann(q, alpha))
    assert self_proposed_value(q, alpha) == pytest.approx(own, abs=1e-9)


def test_samples_with_weights_come_near_and_without_do_not(rng):
    pi = boltzmann(CLIMBING, 5.0).ravel()
    mixed = 0.5 * pi + 0.5 / 9
    drawn = rng.choice(9, size=20_000, p=mixed)
    q = CLIMBING.ravel()[drawn]
    weighted = sampled_soft_value(q, 5.0, np.log(mixed[drawn]))
    assert weighted == pytest.approx(soft_value(CLIMBING, 5.0), abs=0.1)
    assert sampled_soft_value(q, 5.0) < soft_value(CLIMBING, 5.0) - 2


def test_the_printed_backup_is_no_contraction():
    """Slopes 2 softmax(2Q/α) − softmax(Q/α), against finite differences; their sizes exceed 1."""
    q = np.array([1.3, 0.0, 0.0, 0.0])
    slopes = self_proposed_gradient(q, 1.0)
    for i in range(4):
        nudge = 1e-6 * np.eye(4)[i]
        change = self_proposed_value(q + nudge, 1.0) - self_proposed_value(q - nudge, 1.0)
        assert slopes[i] == pytest.approx(change / 2e-6, abs=1e-6)
    worst = max(
        abs(self_proposed_gradient(np.array([x, 0, 0, 0]), 1.0)).sum()
        for x in np.linspace(0, 6, 301)
    )
    assert worst == pytest.approx(1.369, abs=1e-3)  # so γ above 0.73 may not contract


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: boltzmann([[np.nan]], 1.0), "q must be finite, got nan"),
        (lambda: boltzmann([[np.inf]], 1.0), "q must be finite, got inf"),
        (lambda: boltzmann(FIGURE_1B, 0.0), "alpha must be finite and positive, got 0.0"),
        (lambda: boltzmann(FIGURE_1B, 1e-320), "alpha must be large enough"),
        (lambda: boltzmann(3.0, 1.0), "q must have one axis"),
        (lambda: marginal([[0.5, 0.6]], [0]), "joint must sum to 1"),
        (lambda: marginal([[0.5, 0.5]], [2]), r"agent must be one of 0\.\.1, got 2"),
        (lambda: product([[0.5, 0.5], [[1.0]]]), r"marginals\[1\] must have shape \[A_i\]"),
        (lambda: sampled_soft_value([1.0, 2.0], 1.0, [0.0]), "log_proposal must have shape"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
