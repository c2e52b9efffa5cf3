import numpy as np
import pytest
from cases import CLIMBING, FIGURE_1B, PENALTY, conditional, payoffs
from hypothesis import given, settings
from hypothesis import strategies as st

from svnr.sets import all_topologies
from svnr.theory.distributions import entropy
from svnr.theory.maxent import (
    boltzmann,
    boltzmann_limit,
    expected_payoff,
    log_boltzmann,
    log_conditionals,
    optimal_set,
    printed_soft_value,
    soft_value,
)


def test_boltzmann_by_hand():
    # Figure 1b at α = 1: weights 1, e, e, 1.
    total = 2 + 2 * np.e
    assert np.allclose(boltzmann(FIGURE_1B, 1.0), np.array([[1, np.e], [np.e, 1]]) / total)
    assert soft_value(FIGURE_1B, 1.0) == pytest.approx(np.log(total))
    # Row by row, agent 1 given agent 0: weights 1, e and e, 1.
    rows = np.array([[1, np.e], [np.e, 1]]) / (1 + np.e)
    assert np.allclose(np.exp(log_boltzmann(FIGURE_1B, 1.0, (1,))), rows)


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


@pytest.mark.parametrize(("level", "alpha"), [(0.0, 1e-11), (1e12, 1.0), (-1e12, 1e-3)])
def test_ties_far_from_zero_share_what_there_is(level, alpha):
    """Two optima of Figure 1b get ½ each, however large Q / α is: log 2 must not be lost in it."""
    tied = boltzmann(FIGURE_1B + level, alpha)
    assert tied.sum() == pytest.approx(1, abs=1e-12)
    apart = np.exp(-1 / alpha)
    assert tied[0, 1] == tied[1, 0] == pytest.approx(1 / (2 + 2 * apart), abs=1e-12)
    # V = level + 1 + α log(2 + 2 e^{−1/α})
    value = 1 + alpha * np.log(2 + 2 * apart)
    assert soft_value(FIGURE_1B + level, alpha) - level == pytest.approx(value, abs=2e-4)


@settings(max_examples=40, deadline=None)
@given(payoffs(), st.data())
def test_conditionals_of_the_optimum_agree_in_and_out_of_log_space(q, data):
    sets = data.draw(st.sampled_from(list(all_topologies(q.ndim))))
    for agent, log in enumerate(log_conditionals(q, 0.7, sets)):
        direct = conditional(boltzmann(q, 0.7), agent, sets[agent])
        assert log.shape == direct.shape and np.allclose(np.exp(log), direct)


def test_expected_payoffs_by_hand():
    assert np.allclose(expected_payoff(CLIMBING, [1 / 3] * 3, 0), [-19 / 3, -17 / 3, 5 / 3])


@pytest.mark.parametrize("scale", [1e-15, 1.0, 1e15])
def test_an_optimum_is_an_optimum_in_any_unit(scale):
    """Climbing in other units: (a, a) alone, though 11 and 7 differ by 4e-15 in the smallest."""
    assert np.argwhere(optimal_set(CLIMBING * scale)).tolist() == [[0, 0]]
    rounded = np.array([0.1 + 0.2, 0.3, 0.0]) * scale
    assert optimal_set(rounded).tolist() == [True, True, False]


def test_what_counts_as_optimal_is_a_share_of_the_range():
    # The range of climbing is 41: a tenth of it takes in 11 − 4.1 and better, so 7 as well.
    assert np.argwhere(optimal_set(CLIMBING, 0.1)).tolist() == [[0, 0], [1, 1]]
    assert optimal_set(np.full((2, 2), 0.1)).all()


# --- (7.4) ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "alpha", "value", "missed"),
    [
        (CLIMBING, 1.0, 11.027, -0.054),
        (CLIMBING, 5.0, 15.483, -7.058),
        (PENALTY, 1.0, 10.693, -0.694),
    ],
)
def test_what_the_printed_soft_value_misses(q, alpha, value, missed):
    assert soft_value(q, alpha) == pytest.approx(value, abs=1e-3)
    assert printed_soft_value(q, alpha) - value == pytest.approx(missed, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(payoffs(), st.sampled_from([0.3, 1.0, 4.0]))
def test_the_printed_soft_value_is_7_4_under_the_optimal_policy(q, alpha):
    """α log E_{u∼π*} exp(Q / α), and lower than V by α H_2(π*) = −α log Σ π*²."""
    pi = boltzmann(q, alpha)
    printed = q.max() + alpha * np.log((pi * np.exp((q - q.max()) / alpha)).sum())
    assert printed_soft_value(q, alpha) == pytest.approx(printed, abs=1e-9)
    missed = alpha * np.log((pi**2).sum())
    assert printed - soft_value(q, alpha) == pytest.approx(missed, abs=1e-9)


def test_the_printed_backup_is_no_contraction():
    """Slopes 2 softmax(2Q/α) − softmax(Q/α), by differences; their sizes add up to 1.369 > 1."""
    nudges = 1e-6 * np.eye(4)

    def size(x):
        q = np.array([x, 0.0, 0.0, 0.0])
        slopes = [
            (printed_soft_value(q + n, 1.0) - printed_soft_value(q - n, 1.0)) / 2e-6
            for n in nudges
        ]
        assert np.allclose(slopes, 2 * boltzmann(q, 0.5) - boltzmann(q, 1.0), atol=1e-6)
        return abs(np.array(slopes)).sum()

    assert max(map(size, np.linspace(0, 6, 301))) == pytest.approx(1.369, abs=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: boltzmann([[np.nan]], 1.0), "q must be finite, got nan"),
        (lambda: boltzmann([[np.inf]], 1.0), "q must be finite, got inf"),
        (lambda: boltzmann(FIGURE_1B, 0.0), r"alpha must be a number in \(0, inf\], got 0.0"),
        (lambda: boltzmann(FIGURE_1B, np.nan), "alpha must be a finite number, got nan"),
        (lambda: boltzmann(FIGURE_1B, 1e-320), "alpha must be large enough"),
        (lambda: boltzmann(3.0, 1.0), "q must have one axis"),
        (lambda: printed_soft_value(FIGURE_1B, -1.0), r"alpha must be .*, got -1.0"),
        (lambda: optimal_set(FIGURE_1B, np.nan), "tolerance must be a finite number, got nan"),
        (lambda: optimal_set(FIGURE_1B, -1), r"tolerance must be a number in \[0, 1\], got -1"),
        (
            lambda: log_conditionals(FIGURE_1B, 1.0, [{2}, {}]),
            r"sets\[0\] must name .*, got \{2\}",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
