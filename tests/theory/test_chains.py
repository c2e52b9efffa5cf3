import math

import numpy as np
import pytest
from cases import CLIMBING, FIGURE_1B, PENALTY, STAG_HUNT, joints, payoffs
from hypothesis import given, settings
from hypothesis import strategies as st

from svnr.theory import chains
from svnr.theory.distributions import kl, product, total_variation
from svnr.theory.improvements import exact_nested
from svnr.theory.maxent import boltzmann, log_boltzmann
from svnr.theory.mdp import one_state, random_mdp, random_policy
from svnr.theory.policy_iteration import improvement, soft_policy_iteration

KERNELS = [chains.birth_kernel, chains.move_kernel]
IMPROVED = [chains.births_and_moves, chains.moves_alone]


# --- the kernels ---------------------------------------------------------------------------------


def test_the_kernels_of_a_two_by_two_game_by_hand():
    # Figure 1b, exp(1/α) = 4: Q is 0, 1, 1, 0. From (0,0) a birth goes to each other with ¼ and
    # stays with ¼; from (0,1) to (0,0) and (1,1) with ¼ · ¼, to (1,0) with ¼, and stays with 5/8.
    alpha = 1 / math.log(4)
    births = chains.birth_kernel(FIGURE_1B, alpha)
    assert births[0] == pytest.approx([1 / 4, 1 / 4, 1 / 4, 1 / 4])
    assert births[1] == pytest.approx([1 / 16, 5 / 8, 1 / 4, 1 / 16])
    # A move changes one agent's action, each way with ¼; half of them leave the two actions.
    moves = chains.move_kernel(FIGURE_1B, alpha)
    assert moves[0] == pytest.approx([1 / 2, 1 / 4, 1 / 4, 0])
    assert moves[1] == pytest.approx([1 / 16, 7 / 8, 0, 1 / 16])
    # mean exp(Q/α) / max = (1 + 4 + 4 + 1) / 16.
    assert chains.contraction(FIGURE_1B, alpha) == pytest.approx(10 / 16)


@pytest.mark.parametrize("kernel", KERNELS)
@settings(max_examples=30, deadline=None)
@given(q=payoffs(), alpha=st.floats(1, 20))
def test_the_stationary_law_is_boltzmanns_and_no_other(kernel, q, alpha):
    matrix, optimal = kernel(q, alpha), boltzmann(q, alpha).ravel()
    assert matrix.sum(1) == pytest.approx(np.ones(q.size)) and matrix.min() >= 0
    flow = optimal[:, None] * matrix
    assert np.allclose(flow, flow.T, atol=1e-12)  # detailed balance
    assert optimal @ matrix == pytest.approx(optimal, abs=1e-12)
    assert np.linalg.matrix_rank(np.eye(q.size) - matrix.T, tol=1e-12) == q.size - 1


@settings(max_examples=30, deadline=None)
@given(q=payoffs(), alpha=st.floats(0.2, 20), n=st.integers(1, 9))
def test_births_alone_forget_their_start_at_the_rate_that_is_claimed(q, alpha, n):
    """Doeblin: P(u, u′) ≥ δ π*(u′), so that total variation falls by 1 − δ a step."""
    births, optimal = chains.birth_kernel(q, alpha), boltzmann(q, alpha).ravel()
    delta = chains.contraction(q, alpha)
    assert (births >= delta * optimal - 1e-12).all()
    for law in np.linalg.matrix_power(births, n):
        law = law / law.sum()
        assert total_variation(law, optimal) <= (1 - delta) ** n + 1e-9


def test_a_valley_holds_up_moves_and_not_births():
    # Penalty, k = −100, α = 1: from (0,0), 100 steps of moves leave hardly anything beyond.
    start = np.zeros(9)
    start[0] = 1
    reached = {
        kernel: (start @ np.linalg.matrix_power(kernel(PENALTY, 1.0), 100))[8]
        for kernel in KERNELS
    }
    assert reached[chains.move_kernel] < 1e-2
    # δ = (2 e¹⁰ + …) / (9 e¹⁰) = 0.222: after 100 births both optima hold their half.
    assert reached[chains.birth_kernel] == pytest.approx(boltzmann(PENALTY, 1.0)[2, 2], abs=1e-9)


# --- Lemma 6.2 and Theorem 6.3 -------------------------------------------------------------------


@pytest.mark.parametrize("improve", IMPROVED)
@settings(max_examples=30, deadline=None)
@given(data=st.data(), alpha=st.floats(0.2, 5))
def test_no_step_of_the_chain_raises_the_divergence(improve, data, alpha):
    q = data.draw(payoffs())
    policy = data.draw(joints(q.shape))
    after = np.exp(improve(q, np.log(policy), alpha))
    target = log_boltzmann(q, alpha)
    assert kl(after, target) <= kl(policy, target) + 1e-10


@pytest.mark.parametrize("improve", IMPROVED)
@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (2, 2, 2)])
def test_one_step_of_the_chain_never_lowers_any_q(rng, improve, shape):
    """Lemma 6.2 with one step in place of the whole negotiation, also next to the optimum."""
    for _ in range(30):
        mdp = random_mdp(rng, 2, shape)
        policy = random_policy(rng, mdp)
        assert improvement(mdp, policy, 0.5, improve).min() >= -1e-9
        near = soft_policy_iteration(mdp, 0.5, start=policy, n_rounds=2).rounds[-1].policy
        assert improvement(mdp, near, 0.5, improve).min() >= -1e-9


def test_policy_iteration_by_births_and_moves_ends_at_the_best_policy(rng):
    """Theorem 6.3 from nowhere near: all agents at the wrong equilibrium of the stag hunt."""
    for mdp in (one_state(STAG_HUNT), one_state(CLIMBING), random_mdp(rng, 3, (2, 3))):
        stuck = np.full(mdp.reward.shape, 1e-6)
        stuck[:, -1, -1] = 1
        stuck /= stuck.sum((1, 2), keepdims=True)
        best = soft_policy_iteration(mdp, 1.0, exact_nested).rounds[-1]
        found = soft_policy_iteration(mdp, 1.0, chains.births_and_moves, stuck, n_rounds=400)
        assert found.rounds[-1].q == pytest.approx(best.q, abs=1e-6)
        assert found.rounds[-1].policy == pytest.approx(best.policy, abs=1e-6)


# --- the pull ------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(p=joints((2, 3)), q=joints((2, 3)))
def test_the_energy_distance_is_its_definition_and_positive_unless_laws_agree(p, q):
    places = list(np.ndindex(2, 3))
    total = 0.0
    for u in places:
        for v in places:
            apart = math.dist(u, v)
            total += apart * (2 * p[u] * q[v] - p[u] * p[v] - q[u] * q[v])
    assert chains.energy_distance(p, q) == pytest.approx(total, abs=1e-12)
    assert chains.energy_distance(p, p) == 0
    if abs(p - q).max() > 1e-3:
        assert chains.energy_distance(p, q) > 1e-8


def test_empty_sets_cannot_follow_two_optima_and_stop_in_their_midst():
    # p = ½ on (0,1) and (1,0). Of all products the uniform one is nearest: the gap is ¼ with signs
    # (−, +, +, −), so −gᵀDg = 2 (4 − 2√2) / 16 = ½ − √2/4 = 0.1464; a corner is off by 1/√2.
    optimal = np.array([[0, 0.5], [0.5, 0]])
    nearest = chains.nearest_product(optimal)
    assert nearest == pytest.approx(np.full((2, 2), 1 / 4), abs=1e-9)
    assert chains.energy_distance(optimal, nearest) == pytest.approx(0.5 - 2**0.5 / 4)
    corner = np.array([[0, 1.0], [0, 0]])
    assert chains.energy_distance(optimal, corner) == pytest.approx(2**-0.5)


@pytest.mark.parametrize("q", [FIGURE_1B, STAG_HUNT, CLIMBING / 10, PENALTY / 10])
def test_the_nearest_product_is_nearer_than_any_on_a_grid(q):
    joint = boltzmann(q, 0.5)
    least = chains.energy_distance(joint, chains.nearest_product(joint))
    points = np.linspace(0, 1, 9)
    grid = np.array(np.meshgrid(*[points] * (len(q) - 1))).reshape(len(q) - 1, -1).T
    rest = 1 - grid.sum(1, keepdims=True)
    laws = [law for law in np.hstack([grid, rest]) if law.min() >= 0]
    for first in laws:
        for second in laws:
            assert chains.energy_distance(joint, product([first, second])) >= least - 1e-9


@settings(max_examples=30, deadline=None)
@given(own=st.tuples(joints((2,)), joints((3,))))
def test_a_product_is_its_own_nearest(own):
    joint = product(own)
    assert chains.nearest_product(joint) == pytest.approx(joint, abs=1e-6)


def test_nested_sets_follow_any_law_that_empty_sets_do_not():
    """Strict sets: π(u_1) π(u_2 | u_1) is the joint itself, at distance 0; the product is not."""
    optimal = boltzmann(CLIMBING, 3.0)
    first = optimal.sum(1, keepdims=True)
    followed = first * (optimal / first)
    assert chains.energy_distance(optimal, followed) == pytest.approx(0, abs=1e-15)
    assert chains.energy_distance(optimal, chains.nearest_product(optimal)) > 1e-3
