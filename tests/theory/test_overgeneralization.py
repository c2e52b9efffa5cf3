from itertools import product as combinations

import numpy as np
import pytest
from cases import (
    CLIMBING,
    FIGURE_1A,
    FIGURE_1B,
    ONE_VOLUNTEER,
    PARITY,
    PENALTY,
    QTRAN,
    STAG_HUNT,
    joints,
    payoffs,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from svnr.theory.distributions import kl, marginals, opponents, product
from svnr.theory.maxent import boltzmann, boltzmann_limit, log_boltzmann
from svnr.theory.overgeneralization import (
    annealing_suffices,
    ero_gap,
    execute,
    has_pro,
    is_consistent,
    is_rectangular,
    marginal_divergence,
    optimal_models,
    perceived,
    pro_gap,
    pro_gap_limit,
    regret,
)


def uniform(q, agent):
    shape = np.delete(q.shape, agent)
    return np.full(shape, 1 / shape.prod())


def point(size, action):
    return np.eye(size)[action]


# --- PRO: the numbers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "history", "limit", "stuck", "stuck_limit"),
    [
        (FIGURE_1A, 0.166482, 0.5, 1.4528, 1.0),
        (FIGURE_1B, 0.0, 0.0, np.log(2), 0.0),
        (CLIMBING, 1.82326, 3.0, 4.0263, 4.0),
        (PENALTY, 2.18158, 8 / 3, 8.4539, 8.0),
        (QTRAN, 3.77396, 16 / 3, 7.3082, 8.0),
        (STAG_HUNT, 1.81357, 2.5, 5.0067, 5.0),
    ],
)
def test_the_gap_of_agent_a_under_uniform_history_and_when_stuck(
    q, history, limit, stuck, stuck_limit
):
    """Stuck: the partner always plays its second action, the trap of every game here."""
    assert pro_gap(uniform(q, 0), q, 1.0, 0) == pytest.approx(history, abs=1e-5)
    assert pro_gap_limit(uniform(q, 0), q, 0) == pytest.approx(limit)
    trapped = point(q.shape[1], 1)
    assert pro_gap(trapped, q, 1.0, 0) == pytest.approx(stuck, abs=1e-4)
    assert pro_gap_limit(trapped, q, 0) == pytest.approx(stuck_limit)
    assert pro_gap(opponents(boltzmann(q, 1.0), 0), q, 1.0, 0) == pytest.approx(0, abs=1e-12)


def test_the_other_agent_of_the_climbing_game_errs_more():
    assert pro_gap(uniform(CLIMBING, 1), CLIMBING, 1.0, 1) == pytest.approx(2.15304, abs=1e-5)
    assert pro_gap_limit(uniform(CLIMBING, 1), CLIMBING, 1) == pytest.approx(10 / 3)


def test_figure_1a_by_hand():
    """π* ∝ (e, e^−2; 1, 1); π*(u_B) = (e + 1, e^−2 + 1) / Z, and the gap is KL(½, ½ ‖ that)."""
    weights = np.array([np.e + 1, np.exp(-2) + 1])
    optimal = weights / weights.sum()
    expected = 0.5 * np.log(0.5 / optimal).sum()
    assert pro_gap([0.5, 0.5], FIGURE_1A, 1.0, 0) == pytest.approx(expected)


def test_one_half_of_figure_1b_costs_log_two_at_every_temperature_and_no_payoff():
    for alpha in (1.0, 0.1, 0.01):
        assert pro_gap([1.0, 0.0], FIGURE_1B, alpha, 0) == pytest.approx(np.log(2))
    assert pro_gap_limit([1.0, 0.0], FIGURE_1B, 0) == 0


def test_the_marginal_reading_can_be_negative():
    """The textbook case of over-generalization would count as free of it."""
    gap = pro_gap(uniform(PENALTY, 0), PENALTY, 1.0, 0, reading="marginal")
    assert gap == pytest.approx(-1.06984, abs=1e-5)
    limit = pro_gap_limit(uniform(PENALTY, 0), PENALTY, 0, reading="marginal")
    assert limit == pytest.approx(-2 / 3)
    mode = pro_gap([1.0, 0.0], FIGURE_1B, 0.1, 0, reading="marginal")
    assert mode == pytest.approx(-3.614, abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(payoffs(), st.data())
def test_no_policy_does_better_than_the_closed_forms(q, data):
    """Both minima of (4.2) against random competitors."""
    agent = data.draw(st.integers(0, q.ndim - 1))
    rho = data.draw(joints(tuple(np.delete(q.shape, agent).tolist())))
    log_target = log_boltzmann(q, 1.0)
    rng = np.random.default_rng(0)
    for reading, least in (
        ("conditional", pro_gap(rho, q, 1.0, agent)),
        ("marginal", marginal_divergence(rho, q, 1.0, agent)),
    ):
        best = perceived(rho, q, 1.0, agent, reading)
        assert kl(best / best.sum(), log_target) == pytest.approx(least, abs=1e-9)
        for _ in range(5):
            own = rng.dirichlet(
                np.ones(q.shape[agent]), size=rho.shape if reading == "conditional" else ()
            )
            policy = np.moveaxis(own, -1, agent) if reading == "conditional" else own
            if reading == "marginal":
                policy = np.expand_dims(own, [j for j in range(q.ndim) if j != agent])
            joint = policy * np.expand_dims(rho, agent)
            assert kl(joint / joint.sum(), log_target) >= least - 1e-9


@settings(max_examples=50, deadline=None)
@given(payoffs(), st.sampled_from([0.3, 1.0, 3.0]))
def test_free_of_pro_means_that_everybody_perceives_the_optimum(q, alpha):
    models = optimal_models(q, alpha)
    assert not has_pro(models, q, alpha)
    for i, rho in enumerate(models):
        assert np.abs(perceived(rho, q, alpha, i) - boltzmann(q, alpha)).max() < 1e-12


def test_the_scaled_gap_tends_to_its_limit():
    for q in (CLIMBING, QTRAN, STAG_HUNT):
        alpha = 1e-3
        assert alpha * pro_gap(uniform(q, 0), q, alpha, 0) == pytest.approx(
            pro_gap_limit(uniform(q, 0), q, 0), abs=0.01
        )


# --- ERO ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [3.0, 1.0, 0.1, 0.01])
def test_figure_1b_has_regret_one_half_at_every_temperature(alpha):
    joint = boltzmann(FIGURE_1B, alpha)
    assert regret(execute(joint, "independent"), FIGURE_1B) == pytest.approx(0.5, abs=1e-12)
    shared = regret(execute(joint, "shared"), FIGURE_1B)
    assert shared == pytest.approx(1 / (1 + np.exp(1 / alpha)), abs=1e-12)


@pytest.mark.parametrize(
    ("q", "left"),
    [
        (FIGURE_1A, 0.0),
        (CLIMBING, 0.0),
        (QTRAN, 0.0),
        (FIGURE_1B, 0.5),
        (PENALTY, 55.0),  # half of the time apart: (100 + 10) / 2
        (ONE_VOLUNTEER, 5 / 9),  # 1 − 3 · ⅓ · (⅔)²
        (PARITY, 0.5),
    ],
)
def test_what_annealing_leaves_of_the_regret_of_independent_execution(q, left):
    executed = execute(boltzmann_limit(q), "independent")
    assert regret(executed, q) == pytest.approx(left)
    assert annealing_suffices(q) == (left == 0)


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 3), (2, 2, 2)])
def test_annealing_is_enough_exactly_where_the_optima_form_a_rectangle(shape):
    """All games of zeros and ones but the constant zero: 15, 63, 511 and 255 of them."""
    rectangles = 0
    for entries in combinations([0.0, 1.0], repeat=int(np.prod(shape))):
        q = np.array(entries).reshape(shape)
        if not q.any():
            continue
        left = regret(execute(boltzmann_limit(q), "independent"), q)
        assert annealing_suffices(q) == (left < 1e-12)
        rectangles += is_rectangular(q == 1)
    assert rectangles == {(2, 2): 9, (2, 3): 21, (3, 3): 49, (2, 2, 2): 27}[shape]


def test_near_ties_need_a_temperature_below_the_gap():
    # 2 q (1 − q) + ε (1 − q)², q = 1 / (1 + e^{−ε/α}): 0.4005, 0.2114, 0.0133 for ε = 0.1.
    q = np.array([[0, 1], [0.9, 0]])
    for alpha, expected in ((0.1, 0.4005), (0.05, 0.2114), (0.02, 0.0133)):
        left = regret(execute(boltzmann(q, alpha), "independent"), q)
        assert left == pytest.approx(expected, abs=2e-4)


@settings(max_examples=60, deadline=None)
@given(payoffs(), st.data())
def test_ero_is_never_negative_and_bounded_by_the_regret(q, data):
    executed = data.draw(joints(q.shape))
    for i in range(q.ndim):
        assert -1e-12 <= ero_gap(executed, q, i) <= regret(executed, q) + 1e-9
    assert ero_gap(executed, q) == max(ero_gap(executed, q, i) for i in range(q.ndim))


def test_ero_free_does_not_mean_free_of_relative_overgeneralization():
    """§4 says so; every equilibrium is a counterexample: nobody gains by moving alone."""
    for q, stuck, missed in (
        (STAG_HUNT, (1, 1), 5.0),
        (CLIMBING, (1, 1), 4.0),
        (PENALTY, (1, 1), 8.0),
        (QTRAN, (1, 1), 8.0),
    ):
        executed = np.zeros_like(q)
        executed[stuck] = 1
        assert ero_gap(executed, q) < 1e-9
        assert regret(executed, q) == missed


@pytest.mark.parametrize(("shape", "values"), [((2, 2), 3), ((2, 2, 2), 2)])
def test_free_of_both_means_no_regret(shape, values):
    """Exhaustive over small games: PRO-free in the limit and ERO-free when executed apart."""
    checked = 0
    for entries in combinations(range(values), repeat=int(np.prod(shape))):
        q = np.array(entries, dtype=float).reshape(shape)
        executed = execute(boltzmann_limit(q), "independent")
        if ero_gap(executed, q) < 1e-9:
            checked += 1
            assert regret(executed, q) == pytest.approx(0)
    assert checked >= 28  # 2×2×2: the 27 rectangles of optima, and the constant zero


def test_a_warm_policy_always_has_some_ero():
    rng = np.random.default_rng(0)
    for _ in range(200):
        q = rng.normal(size=(3, 3))
        assert ero_gap(execute(boltzmann(q, 0.5), "independent"), q) > 1e-3


# --- consistent reasoning ----------------------------------------------------------------------


def test_optimal_models_and_shared_execution_are_consistent_and_apart_they_are_not():
    models = optimal_models(FIGURE_1B, 0.5)
    joint = boltzmann(FIGURE_1B, 0.5)
    assert is_consistent(models, execute(joint, "shared"), FIGURE_1B, 0.5)
    assert not is_consistent(models, execute(joint, "independent"), FIGURE_1B, 0.5)
    wrong = [np.array([0.9, 0.1])] * 2
    assert not is_consistent(wrong, joint, FIGURE_1B, 0.5)


@pytest.mark.parametrize("alpha", [0.5, 0.05, 0.005])
@pytest.mark.parametrize("how", ["shared", "independent"])
def test_a_cold_policy_with_one_optimum_is_consistent_however_it_is_executed(alpha, how):
    """Climbing: apart, (a, b) happens with probability about e^{−4/α}, where π* has e^{−41/α}.

    At α = 0.05 the divergence is e^{−80} (820 − 80) + … = 2.7e-32 nats, though π*(a, b), 8e-357,
    is too small for a float.
    """
    joint = boltzmann(CLIMBING, alpha)
    consistent = is_consistent(
        optimal_models(CLIMBING, alpha), execute(joint, how), CLIMBING, alpha
    )
    assert consistent == (how == "shared" or alpha < 0.5)


@pytest.mark.parametrize("q", [FIGURE_1B, PENALTY, PARITY, ONE_VOLUNTEER])
@pytest.mark.parametrize("alpha", [0.1, 1e-3])
def test_several_optima_are_never_consistent_apart(q, alpha):
    models, joint = optimal_models(q, alpha), boltzmann(q, alpha)
    assert is_consistent(models, execute(joint, "shared"), q, alpha)
    assert not is_consistent(models, execute(joint, "independent"), q, alpha)


@pytest.mark.parametrize("reading", ["conditional", "marginal"])
@pytest.mark.parametrize("alpha", [1.0, 1e-12])
def test_what_is_perceived_is_a_distribution_at_every_temperature(reading, alpha):
    for q in (FIGURE_1B, CLIMBING, FIGURE_1B + 1e9):
        assert perceived(uniform(q, 0), q, alpha, 0, reading).sum() == pytest.approx(1, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(payoffs(), st.randoms(use_true_random=False))
def test_renaming_the_agents_changes_no_gap(q, random):
    order = list(range(q.ndim))
    random.shuffle(order)
    renamed = q.transpose(order)
    for new, old in enumerate(order):
        gaps = [pro_gap(uniform(g, i), g, 1.0, i) for g, i in ((renamed, new), (q, old))]
        assert gaps[0] == pytest.approx(gaps[1], abs=1e-9)
    executed = [execute(boltzmann(g, 1.0), "independent") for g in (renamed, q)]
    assert ero_gap(executed[0], renamed) == pytest.approx(ero_gap(executed[1], q), abs=1e-9)


def test_greedy_execution_takes_one_of_the_likeliest():
    joint = boltzmann(FIGURE_1B, 0.3)
    assert execute(joint, "greedy").tolist() == [[0, 1], [0, 0]]
    assert np.allclose(execute(joint, "independent"), product(marginals(joint)))


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pro_gap([0.5, 0.5], [[1, np.nan], [0, 0]], 1.0, 0), "q must be finite, got nan"),
        (
            lambda: pro_gap([0.5, 0.5], FIGURE_1A, 0.0, 0),
            r"alpha must be a number in \(0, inf\], got 0",
        ),
        (
            lambda: pro_gap([0.5, 0.5], FIGURE_1A, -1.0, 0),
            r"alpha must be a number in \(0, inf\], got -1",
        ),
        (lambda: pro_gap([1.0], FIGURE_1A, 1.0, 0), r"opponent_model must have shape \(2,\)"),
        (lambda: pro_gap([0.5, 0.6], FIGURE_1A, 1.0, 0), "opponent_model must sum to 1"),
        (lambda: pro_gap([1.5, -0.5], FIGURE_1A, 1.0, 0), "must not hold negative numbers"),
        (
            lambda: pro_gap([0.5, 0.5], FIGURE_1A, 1.0, 2),
            r"agent must be .* \[0, 1\], got 2",
        ),
        (
            lambda: pro_gap([0.5, 0.5], FIGURE_1A, 1.0, 0, "both"),
            "reading must be one of",
        ),
        (
            lambda: pro_gap_limit([0.5, 0.5], FIGURE_1A, 0, "both"),
            "reading must be one of",
        ),
        (lambda: perceived([0.5, 0.5], FIGURE_1A, 1.0, 0, "both"), "reading must be"),
        (lambda: ero_gap([[1.0]], FIGURE_1A), r"executed must have shape \(2, 2\)"),
        (
            lambda: has_pro([[0.5, 0.5]], FIGURE_1A, 1.0, np.nan),
            "tolerance must be a finite number",
        ),
        (
            lambda: is_consistent([[0.5, 0.5]] * 2, FIGURE_1B / 2, FIGURE_1B, 1.0, -1),
            r"tolerance must be a number in \[0, inf\], got -1",
        ),
        (
            lambda: is_consistent([[0.5, 0.5]] * 2, [1.0], FIGURE_1B, 1.0),
            r"executed must have shape \(2, 2\)",
        ),
        (
            lambda: execute(FIGURE_1B / 2, "apart"),
            "how must be one of shared, independent",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
