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

POINTS = 2**13  # of an agent's action, midpoints; the sum has four times as many: masses to 1e-7
COARSE = 2**10  # where many policies are asked for: masses to 1e-5, rewards to 1e-4


@dataclass(frozen=True, kw_only=True)
class TwoHills:
    """max(g_1, g_2) with g_h(u) = c_h − a_h |u − x_h|²; the right hill comes first."""

    centers: np.ndarray  # [2, N] x_h, within the box
    steepness: np.ndarray  # [2] a_h
    worth: np.ndarray  # [2] c_h, the reward at the peak
    half_width: float  # b: actions run from −b to b


def right_mass(hills: TwoHills, alpha: float, points: int = POINTS) -> float:
    """π*_α of the joint actions at which the right hill pays, ∝ exp(max(g_1, g_2) / α).

    Args:
        hills: the game.
        alpha: the temperature, positive.
        points: midpoints over an agent's actions.
    """
    return _mass(hills, 1 / fitted("alpha", alpha, Positive), points)


def share_of_box(hills: TwoHills, points: int = POINTS) -> float:
    """The share of all joint actions at which the right hill pays: `right_mass` as α → ∞."""
    return _mass(hills, 0.0, points)


def crossing(hills: TwoHills, points: int = POINTS) -> float:
    """α_c, at which both hills hold half of π*_α: above it the wrong hill holds more.

    Infinite where the right hill has half of the box or more: it holds more at every α.

    Raises:
        ValueError: if it is not the higher one: then the wrong hill may hold more at every α.
    """
    if not hills.worth[0] > hills.worth[1]:
        raise ValueError(f"hills must have the higher one first, got worths {hills.worth}")
    if share_of_box(hills, points) >= 0.5:
        return float("inf")

    def ahead(alpha: float) -> float:
        return right_mass(hills, alpha, points) - 0.5

    low = high = 1.0
    while ahead(low) < 0:
        low /= 2
    while ahead(high) > 0:
        high *= 2
    return float(brentq(ahead, low, high, xtol=1e-4 * min(low, 1.0)))


def sides(hills: TwoHills, alpha: float, points: int = COARSE) -> np.ndarray:
    """π*_α(u_i, hill h pays) of every agent on its own: all that its executions ask for.

    Given that agent i plays u_i, hill h pays where the sum over the others makes up the rest; the
    law of that sum is a convolution of N − 1 laws.

    Args:
        hills: the game.
        alpha: the temperature, positive.
        points: P, midpoints over an agent's actions.

    Returns:
        [2, N, P] probabilities, the right hill first; each agent's add up to one.
    """
    beta = 1 / fitted("alpha", alpha, Positive)
    logs, parts = zip(*(_side(hills, which, beta, points) for which in (0, 1)), strict=True)
    weights = np.exp(np.array(logs) - max(logs))
    joint = weights[:, None, None] * np.stack(parts)
    return joint / joint.sum((0, 2), keepdims=True)


def earned_shared(hills: TwoHills, split: np.ndarray) -> float:
    """E[r] where all act out one common draw of π*_α: Σ_h E[g_h(u); h pays].

    Args:
        hills: the game.
        split: [2, N, P] from `sides`.
    """
    drops = np.stack([_drop(hills, which, split.shape[-1]) for which in (0, 1)])
    return float(hills.worth @ split[:, 0].sum(-1) + (split * drops).sum())


def earned_independent(hills: TwoHills, split: np.ndarray) -> float:
    """E[r] where each agent draws from its own marginal of π*_α: E[g_2] + E[max(g_1 − g_2, 0)].

    Args:
        hills: the game.
        split: [2, N, P] from `sides`.
    """
    marginals = split.sum(0)
    right, wrong = (_drop(hills, which, split.shape[-1]) for which in (0, 1))
    law, least, width = _law(right - wrong, marginals)
    ahead = hills.worth[0] - hills.worth[1] + least + width * np.arange(len(law))
    return float(hills.worth[1] + (marginals * wrong).sum() + law @ np.maximum(ahead, 0))


def earned_greedy(hills: TwoHills) -> float:
    """r at the likeliest joint action of π*_α, at any α: the higher peak."""
    return float(hills.worth.max())


def share_above(hills: TwoHills) -> float:
    """The share of all joint actions that pay more than the wrong hill's peak.

    It is how often a uniform birth carries a particle from that peak to the right hill at small α.
    """
    flat = np.full((hills.centers.shape[1], POINTS), 1 / POINTS)
    return _positive(_drop(hills, 0, POINTS), flat, hills.worth[0] - hills.worth[1])


def _mass(hills: TwoHills, beta: float, points: int) -> float:
    """The right hill's share of ∫ exp(β max(g_1, g_2)) du."""
    right, wrong = (_log_integral(hills, which, beta, points) for which in (0, 1))
    return float(1 / (1 + np.exp(wrong - right)))


def _log_integral(hills: TwoHills, which: int, beta: float, points: int) -> float:
    """log of the mean over the box of exp(β g_h) where g_h is the higher one."""
    own, other = (_drop(hills, h, points) for h in (which, 1 - which))
    weight = np.exp(beta * own)
    ahead = hills.worth[which] - hills.worth[1 - which]
    pays = _positive(own - other, weight / weight.sum(-1, keepdims=True), ahead)
    return beta * hills.worth[which] + np.log(weight.mean(-1)).sum() + np.log(max(pays, 1e-300))


def _side(hills: TwoHills, which: int, beta: float, points: int) -> tuple[float, np.ndarray]:
    """log of the mean of exp(β g_h) over the box, and, by it, P(u_i, g_h pays) [N, P]."""
    own, other = (_drop(hills, h, points) for h in (which, 1 - which))
    weight, ahead = np.exp(beta * own), hills.worth[which] - hills.worth[1 - which]
    alone = weight / weight.sum(-1, keepdims=True)
    reaches = []
    for i, gap in enumerate(own - other):
        law, least, width = _law(np.delete(own - other, i, 0), np.delete(alone, i, 0))
        place = (-ahead - gap - least) / width  # of the least sum of the others' that is enough
        beyond = np.append(law[::-1].cumsum()[::-1], 0.0)  # P(sum ≥ its bin)
        reaches.append(np.interp(place + 0.5, np.arange(len(beyond)), beyond))
    return beta * hills.worth[which] + np.log(weight.mean(-1)).sum(), alone * np.array(reaches)


def _drop(hills: TwoHills, which: int, points: int) -> np.ndarray:
    """−a_h (u_i − x_i)² [N, points], what each agent takes from a hill's worth, at midpoints."""
    u = hills.half_width * (2 * (np.arange(points) + 0.5) / points - 1)
    return -hills.steepness[which] * np.square(u - hills.centers[which, :, None])


def _positive(terms: np.ndarray, weight: np.ndarray, start: float) -> float:
    """P(start + Σ_i Δ_i ≥ 0) of independent Δ_i, from their values and weights [N, P]."""
    law, least, width = _law(terms, weight)
    total = start + least + width * np.arange(len(law))
    return float(law @ np.clip(total / width + 0.5, 0, 1))


def _law(terms: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, float, float]:
    """The law of Σ_i Δ_i of independent Δ_i, from their values and weights [N, P].

    A value's weight is divided between the two bins beside it, so that its mean stays.

    Returns:
        [4 P] probabilities of sums on an even grid, the least of these, and their distance.
    """
    bins = 4 * terms.shape[-1]
    lowest, span = terms.min(-1, keepdims=True), np.ptp(terms, axis=-1).sum()
    width = max(span, 1e-9) / (bins - 2 * len(terms))
    place = (terms - lowest) / width
    below = place.astype(int)
    laws = [
        np.bincount(k, w * (1 - part), bins) + np.bincount(k + 1, w * part, bins)
        for k, part, w in zip(below, place - below, weight, strict=True)
    ]
    alone = np.ones(bins // 2 + 1, complex)  # the transform of no term at all: always 0
    law = np.fft.irfft(reduce(mul, map(np.fft.rfft, laws), alone), bins)
    return law, float(lowest.sum()), width
