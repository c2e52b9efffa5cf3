from itertools import pairwise

import numpy as np
import pytest
from cases import CLIMBING, FIGURE_1A, FIGURE_1B, ONE_VOLUNTEER, PENALTY, conditional

from svnr.sets import chain, none, reverse, star, strict
from svnr.theory.distributions import entropy, finite_log, marginals, product
from svnr.theory.improvements import (
    IMPROVEMENTS,
    along,
    exact_nested,
    gibbs,
    marginals_of_softmax,
    mean_field_sequential,
    mean_field_simultaneous,
    printed_6_6,
    printed_mass,
)
from svnr.theory.maxent import boltzmann, log_boltzmann


@pytest.mark.parametrize("update", IMPROVEMENTS.values(), ids=IMPROVEMENTS)
@pytest.mark.parametrize("alpha", [3.0, 0.03, 1e-12])
def test_every_update_makes_a_policy_at_every_temperature(rng, update, alpha):
    """Two optima far above the rest, and a start that excludes some joint actions."""
    start = np.zeros((2, 2))
    start[0] = [0.25, 0.75]
    for q in (FIGURE_1B, FIGURE_1B + 100, rng.normal(size=(2, 2))):
        log_policy = finite_log(start)
        for _ in range(3):
            log_policy = update(q, log_policy, alpha)
            assert np.exp(log_policy).sum() == pytest.approx(1, abs=1e-12)
            assert np.isfinite(log_policy).all()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_strict_sets_in_either_order_make_the_exact_update(rng, n):
    q, log_policy = rng.normal(size=(3,) * n), np.full((3,) * n, -n * np.log(3))
    for sets in (strict(n), reverse(n)):
        assert np.allclose(along(sets)(q, log_policy, 0.7), exact_nested(q, log_policy, 0.7))
    apart = along(none(n))(q, log_policy, 0.7)
    assert np.allclose(apart, marginals_of_softmax(q, log_policy, 0.7))


@pytest.mark.parametrize("topology", [star, chain])
def test_agents_copy_their_conditionals(rng, topology):
    q = rng.normal(size=(2, 2, 3))
    target = boltzmann(q, 0.7)
    by_hand = np.ones(())
    for agent, known in enumerate(topology(3)):
        by_hand = by_hand * conditional(target, agent, known)
    assert np.allclose(np.exp(along(topology(3))(q, np.log(target), 0.7)), by_hand)


def test_gibbs_replaces_one_action_after_the_other(rng):
    q, joint = rng.normal(size=(2, 3)), rng.dirichlet(np.ones(6)).reshape(2, 3)
    target = boltzmann(q, 0.7)
    first = joint.sum(axis=0, keepdims=True) * target / target.sum(axis=0, keepdims=True)
    second = first.sum(axis=1, keepdims=True) * target / target.sum(axis=1, keepdims=True)
    assert np.allclose(np.exp(gibbs(q, np.log(joint), 0.7)), second)


# --- (6.6) as printed ----------------------------------------------------------------------------


def test_the_printed_policy_is_not_normalized():
    uniform = np.full((2, 2), 0.25)
    assert printed_mass(FIGURE_1B, uniform, 1.0) == pytest.approx(4.5105, abs=1e-4)


@pytest.mark.parametrize("q", [CLIMBING, ONE_VOLUNTEER])
def test_the_printed_mass_is_the_product_of_the_printed_factors(rng, q):
    """Π_i exp((E[Q | u_i, u_{<i}] − E[Q | u_{<i}]) / α), agent by agent."""
    joint = rng.dirichlet(np.ones(q.size)).reshape(q.shape)
    rests = [tuple(range(i, q.ndim)) for i in range(q.ndim + 1)]
    means = [
        (joint * q).sum(axis=rest, keepdims=True) / joint.sum(axis=rest, keepdims=True)
        for rest in rests
    ]
    factors = [np.exp((after - before) / 2.0) for before, after in pairwise(means)]
    mass = np.prod(np.broadcast_arrays(*factors), axis=0).sum()
    assert printed_mass(q, joint, 2.0) == pytest.approx(mass)


def test_the_printed_mass_of_deterministic_policies_is_a_number():
    # All at (0, 1), which pays 1: Σ exp(Q − 1) = 2 + 2/e. All at (0, 0): Σ exp(Q) = 2 + 2e.
    optimum, corner = np.eye(4)[[1, 0]].reshape(2, 2, 2)
    assert printed_mass(FIGURE_1B, optimum, 1.0) == pytest.approx(2 + 2 / np.e)
    assert printed_mass(FIGURE_1B, corner, 1.0) == pytest.approx(2 + 2 * np.e)
    assert printed_mass(FIGURE_1B, corner, 1e-4) == np.inf  # e^{10000}


@pytest.mark.parametrize(
    ("q", "before", "after"),
    [(FIGURE_1A, 1.579724, 1.551734), (CLIMBING, 11.027209, 11.024402)],
)
def test_the_printed_update_leaves_the_optimum(q, before, after):
    """Lemma 6.2 as printed, at α = 1: started at π*, the soft value of the one-shot game falls."""
    optimal = log_boltzmann(q, 1.0)
    moved = printed_6_6(q, optimal, 1.0)
    values = [(p * q).sum() + entropy(p) for p in (np.exp(optimal), np.exp(moved))]
    assert values == pytest.approx([before, after], abs=1e-6)


def test_the_printed_update_weighs_by_means_over_the_present_policy():
    """Figure 1a, α = 1, agent 2 plays (¼, ¾) after 0 and (½, ½) after 1: means −1.25 and 0."""
    joint = np.array([[0.25 * 0.4, 0.75 * 0.4], [0.3, 0.3]])
    first = np.exp([-1.25, 0]) / np.exp([-1.25, 0]).sum()
    second = np.exp(FIGURE_1A) / np.exp(FIGURE_1A).sum(axis=1, keepdims=True)
    moved = np.exp(printed_6_6(FIGURE_1A, np.log(joint), 1.0))
    assert np.allclose(moved, first[:, None] * second)


def test_replies_to_a_row_that_underflows_are_kept():
    """Penalty, α = 0.03: from uniform the rows' means are −30, ⅔, −30, so row 0 falls to e^−1022.

    Its replies are known all the same: (1, 0, 0), worth 10. So the second round goes there.
    """
    once = printed_6_6(PENALTY, np.full((3, 3), -np.log(9)), 0.03)
    assert np.exp(once)[0].sum() == 0 and (np.exp(once) * PENALTY).sum() == pytest.approx(2)
    twice = printed_6_6(PENALTY, once, 0.03)
    assert (np.exp(twice) * PENALTY).sum() == pytest.approx(10.0)


# --- empty sets ----------------------------------------------------------------------------------


def test_replies_in_turn_see_the_newest_marginals_and_those_at_once_do_not():
    """Figure 1b from near (0, 0): at once both switch to 1; in turn agent 2 stays at 0."""
    start = np.log(product([[0.999, 0.001]] * 2))
    at_once = marginals(np.exp(mean_field_simultaneous(FIGURE_1B, start, 0.1)))
    in_turn = marginals(np.exp(mean_field_sequential(FIGURE_1B, start, 0.1)))
    assert at_once[0][1] > 0.99 and at_once[1][1] > 0.99
    assert in_turn[0][1] > 0.99 and in_turn[1][0] > 0.99
    # Agent 1's drive is (E[u_2], 1 − E[u_2]) = (0.001, 0.999): e^{9.98} to one.
    assert at_once[0][1] == pytest.approx(1 / (1 + np.exp(-9.98)))
