import numpy as np
import pytest
from cases import conditional, joints
from hypothesis import given, settings
from hypothesis import strategies as st

from svnr.theory.distributions import (
    axes_outside,
    entropy,
    finite_log,
    kl,
    log_marginals,
    marginals,
    opponents,
    product,
    total_variation,
)


def test_marginals_by_hand():
    joint = np.array([[0.1, 0.2], [0.3, 0.4]])
    assert np.allclose(marginals(joint), [[0.3, 0.7], [0.4, 0.6]])
    assert np.allclose(opponents(joint, 0), [0.4, 0.6])
    assert np.allclose(np.exp(log_marginals(np.log(joint))), [[0.3, 0.7], [0.4, 0.6]])
    assert axes_outside({2, 0}, 4) == (1, 3)


def test_divergences_by_hand():
    p, q = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    assert kl(p, np.log(q)) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    assert kl(p, np.array([0.0, -np.inf])) == np.inf
    assert kl(np.array([1.0, 0.0]), np.array([0.0, -np.inf])) == 0
    assert total_variation(p, q) == 0.25
    assert entropy(p) == pytest.approx(np.log(2)) and entropy([1.0, 0.0]) == 0
    assert np.allclose(product(marginals(np.outer(p, q))), np.outer(p, q))


def test_no_divergence_is_negative_however_it_is_rounded():
    thirds = np.full(3, 1 / 3)
    assert kl(thirds, np.log(thirds) + 1e-15) == 0


def test_zero_has_the_logarithm_of_the_smallest_float():
    smallest = np.finfo(float).tiny
    assert finite_log([0.0, 1.0, 0.5]).tolist() == [np.log(smallest), 0.0, np.log(0.5)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_divergence_splits_as_6_1_says(data):
    """D_KL(p ‖ q) = E_p[D_KL(p(u_i | u_−i) ‖ q(u_i | u_−i))] + D_KL(p(u_−i) ‖ q(u_−i))."""
    shape = data.draw(st.sampled_from([(2, 2), (2, 3), (3, 2, 2)]))
    p, q = data.draw(joints(shape)), data.draw(joints(shape))
    agent = data.draw(st.integers(0, len(shape) - 1))
    apart = [np.log(conditional(joint, agent, range(len(shape)))) for joint in (p, q)]
    others = kl(opponents(p, agent), np.log(opponents(q, agent)))
    split = (p * (apart[0] - apart[1])).sum() + others
    assert split == pytest.approx(kl(p, np.log(q)), abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: marginals([[0.5, 0.6]]), "joint must sum to 1"),
        (lambda: opponents([[0.5, 0.5]], 2), r"agent must be a whole number in \[0, 1\], got 2"),
        (lambda: axes_outside([-1], 2), r"agent must be a whole number in \[0, 1\], got -1"),
        (
            lambda: product([[0.5, 0.5], [[1.0]]]),
            r"marginals\[1\] must have shape \(1,\), got \(1, 1\)",
        ),
        (lambda: product([[0.5, 0.5], [0.9]]), r"marginals\[1\] must sum to 1"),
        (lambda: entropy([np.nan, 1.0]), "p must not hold negative numbers or NaN"),
        (lambda: total_variation([1.0], [0.5, 0.5]), r"q must have shape \(1,\)"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
