"""Two quadratic hills in a box: how much of a Boltzmann policy stands on each, for any team.

Beyond the paper. The reward of §8.1 is max(g_1, g_2), g_h(u) = c_h − a_h |u − x_h|², on the box
[−b, b]^N. Sums over a grid of it end with four agents; an exact way does not:

1. under exp(g_h / α) the agents are independent: the density is a product over coordinates;
2. which hill pays hangs on g_1 − g_2 = c_1 − c_2 + Σ_i Δ_i(u_i), a sum of one number an agent.

So the law of that sum is the convolution of N laws of one number, and the mass of a hill is its
normaliser over the whole box times the probability that the sum is on its side.

The right hill, where it is the steeper one, pays in a ball. It holds the peak, so that gradient
ascent from anywhere in it leads there. (From corners behind the ball ascent of the wrong hill runs
into it as well; that is 0.2 % of the box of Max of Three at s₂ = 0.8, and less at larger widths.)
"""

from dataclasses import dataclass
from functools import reduce
from operator import mul

import numpy as np
from scipy.optimize import brentq

from svnr.checks import Positive, fitted

POINTS = 2**13  # of an agent's action, midpoints; with BINS: masses to 1e-7
BINS = 2**15  # of the sum


@dataclass(frozen=True, kw_only=True)
class TwoHills:
    """max(g_1, g_2) with g_h(u) = c_h − a_h |u − x_h|²; the right hill comes first."""

    centers: np.ndarray  # [2, N] x_h, within the box
    steepness: np.ndarray  # [2] a_h
    worth: np.ndarray  # [2] c_h, the reward at the peak
    half_width: float  # b: actions run from −b to b


def right_mass(hills: TwoHills, alpha: float) -> float:
    """π*_α of the joint actions at which the right hill pays, ∝ exp(max(g_1, g_2) / α).

    Args:
        hills: the game.
        alpha: the temperature, positive.
    """
    return _mass(hills, 1 / fitted("alpha", alpha, Positive))


def share_of_box(hills: TwoHills) -> float:
    """The share of all joint actions at which the right hill pays: `right_mass` as α → ∞."""
    return _mass(hills, 0.0)


def crossing(hills: TwoHills) -> float:
    """α_c, at which both hills hold half of π*_α: above it the wrong hill holds more.

    Infinite where the right hill has half of the box or more: it holds more at every α.
    """
    if share_of_box(hills) >= 0.5:
        return float("inf")
    low = high = 1.0
    while right_mass(hills, low) < 0.5:
        low /= 2
    while right_mass(hills, high) > 0.5:
        high *= 2
    return float(brentq(lambda alpha: right_mass(hills, alpha) - 0.5, low, high, xtol=1e-4))


def share_above(hills: TwoHills) -> float:
    """The share of all joint actions that pay more than the wrong hill's peak.

    It is how often a uniform birth carries a particle from that peak to the right hill at small α.
    """
    flat = np.full((hills.centers.shape[1], POINTS), 1 / POINTS)
    drop = -hills.steepness[0] * _squares(hills, 0)
    return _positive(drop, flat, hills.worth[0] - hills.worth[1])


def _mass(hills: TwoHills, beta: float) -> float:
    """The right hill's share of ∫ exp(β max(g_1, g_2)) du."""
    right, wrong = (_log_integral(hills, which, beta) for which in (0, 1))
    return float(1 / (1 + np.exp(wrong - right)))


def _log_integral(hills: TwoHills, which: int, beta: float) -> float:
    """log of the mean over the box of exp(β g_h) where g_h is the higher one."""
    own, other = (-hills.steepness[h] * _squares(hills, h) for h in (which, 1 - which))
    weight = np.exp(beta * own)
    ahead = hills.worth[which] - hills.worth[1 - which]
    pays = _positive(own - other, weight / weight.sum(-1, keepdims=True), ahead)
    return beta * hills.worth[which] + np.log(weight.mean(-1)).sum() + np.log(max(pays, 1e-300))


def _squares(hills: TwoHills, which: int) -> np.ndarray:
    """(u_i − x_i)² [N, POINTS] of each agent on its own, at midpoints over the box."""
    u = hills.half_width * (2 * (np.arange(POINTS) + 0.5) / POINTS - 1)
    return np.square(u - hills.centers[which, :, None])


def _positive(terms: np.ndarray, weight: np.ndarray, start: float) -> float:
    """P(start + Σ_i Δ_i ≥ 0) of independent Δ_i, from their values and weights [N, POINTS].

    A value's weight is divided between the two bins beside it, so that its mean stays.
    """
    lowest, span = terms.min(-1, keepdims=True), np.ptp(terms, axis=-1).sum()
    width = max(span, 1e-9) / (BINS - 2 * len(terms))
    place = (terms - lowest) / width
    below = place.astype(int)
    laws = [
        np.bincount(k, w * (1 - part), BINS) + np.bincount(k + 1, w * part, BINS)
        for k, part, w in zip(below, place - below, weight, strict=True)
    ]
    law = np.fft.irfft(reduce(mul, map(np.fft.rfft, laws)), BINS)
    total = start + lowest.sum() + width * np.arange(BINS)
    return float(law @ np.clip(total / width + 0.5, 0, 1))
