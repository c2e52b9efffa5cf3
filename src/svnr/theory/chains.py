"""Births and moves on finite games, as matrices: what SVNR-B keeps of Lemma 6.2 and Theorem 6.3.

Beyond the paper. A chain is a matrix [|U|, |U|] whose rows are the laws of the next joint action.

1. Both kernels leave π* = softmax(Q / α) as it is: their flows π*(u) P(u, u′) are symmetric.
2. D_KL(πP ‖ π*P) ≤ D_KL(π ‖ π*), for any kernel; here π*P = π*. Since E_π[Q] + α H(π) is
   V* − α D_KL(π ‖ π*), no step of the chain lowers the soft value of a state at fixed Q, and by
   the argument of Lemma 6.2 no Q falls: the update need not be π* itself, one step will do.
3. Births alone keep P(u, u′) ≥ δ π*(u′), δ = 1 / (|U| max π*): what is left of the distance to
   π* falls by 1 − δ at each step, from anywhere, and the end is π*, as in Theorem 6.3. δ is the
   mean of exp(Q / α) over its maximum, the share of the box that the best hills cover. Valleys do
   not enter. For moves alone the rate is that of crossing them, which may be as slow as
   exp(−depth / α).

The negotiation sets play no part in this: they bound what samplers can represent. An energy
distance is a quadratic form in p − q, positive unless p = q, so that samplers whose sets are
nested, within whose reach is every joint law (Theorem A.1), have one minimum, p itself; those with
empty sets end at a product, at `nearest_product`.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from svnr.checks import check_count, check_distribution, check_payoff
from svnr.theory.distributions import finite_log, marginals, product
from svnr.theory.maxent import scaled


def birth_kernel(q: ArrayLike, alpha: float) -> np.ndarray:
    """[|U|, |U|] a uniform u′ replaces u with probability min(1, exp[(Q(u′) − Q(u)) / α]).

    Args:
        q: [A_1, …, A_N] payoff, or soft Q of a state.
        alpha: temperature, positive.

    Raises:
        ValueError: if q is not finite or alpha not positive.
    """
    n = np.size(q)
    return _metropolis(q, alpha, np.full((n, n), 1 / n))


def move_kernel(q: ArrayLike, alpha: float) -> np.ndarray:
    """[|U|, |U|] one agent, drawn at random, goes one action up or down, by Metropolis's rule.

    A step off the end of its actions stays where it is. Arguments as of `birth_kernel`.
    """
    q = check_payoff(q)
    places = np.stack(np.unravel_index(np.arange(q.size), q.shape), -1)
    apart = abs(places[:, None] - places[None]).sum(-1)
    return _metropolis(q, alpha, (apart == 1) / (2 * q.ndim))


def _metropolis(q: ArrayLike, alpha: float, proposal: np.ndarray) -> np.ndarray:
    """The kernel of a symmetric proposal [|U|, |U|], whose rows may sum to less than one."""
    exponent = scaled(q, alpha).ravel()
    kernel = proposal * np.exp(np.minimum(exponent[None] - exponent[:, None], 0))
    np.fill_diagonal(kernel, 0)
    return kernel + np.diag(1 - kernel.sum(-1))


def contraction(q: ArrayLike, alpha: float) -> float:
    """δ = mean exp(Q / α) / max exp(Q / α): how fast births alone forget where they began."""
    return float(np.exp(scaled(q, alpha)).mean())


def births_and_moves(q: np.ndarray, log_policy: np.ndarray, alpha: float) -> np.ndarray:
    """One birth and one move, as an improvement (`theory.improvements`) of a state's policy."""
    law = np.exp(log_policy).ravel() @ birth_kernel(q, alpha) @ move_kernel(q, alpha)
    return finite_log(law.reshape(q.shape))


def moves_alone(q: np.ndarray, log_policy: np.ndarray, alpha: float) -> np.ndarray:
    """One move and no birth, as an improvement: no Q falls either, but a valley holds it up."""
    return finite_log((np.exp(log_policy).ravel() @ move_kernel(q, alpha)).reshape(q.shape))


def action_distances(shape: Sequence[int]) -> np.ndarray:
    """[|U|, |U|] Euclid's distances between joint actions, the actions of an agent 1 apart."""
    places = np.stack(np.unravel_index(np.arange(np.prod(shape)), shape), -1)
    return np.linalg.norm(places[:, None] - places[None], axis=-1)


def energy_distance(p: ArrayLike, q: ArrayLike) -> float:
    """−(p − q)ᵀ D (p − q) = 2 E|U − U′| − E|U − V| − E|U′ − V′| of two joint laws.

    Args:
        p: [A_1, …, A_N] probabilities.
        q: [A_1, …, A_N] probabilities.

    Raises:
        ValueError: if one of them is no distribution, or the shapes differ.
    """
    p = check_distribution(p, "p")
    gap = (p - check_distribution(q, "q", p.shape)).ravel()
    return float(-gap @ action_distances(p.shape) @ gap)


def nearest_product(joint: ArrayLike, n_rounds: int = 100) -> np.ndarray:
    """The product of the agents' own laws that is nearest to a joint law in energy distance.

    In the law of one agent alone the distance is a convex quadratic: agents take turns, from the
    marginals on, each with the best of its simplex, until none moves. In all laws together it is
    not convex; on 250 random games no other start ended nearer.

    Args:
        joint: [A_1, …, A_N] probabilities.
        n_rounds: the most turns of every agent.

    Returns:
        [A_1, …, A_N] a product.

    Raises:
        ValueError: if joint is no distribution, or n_rounds not positive.
    """
    joint = check_distribution(joint, "joint")
    own, nearest = marginals(joint), np.zeros(joint.shape)
    for _ in range(check_count("n_rounds", n_rounds)):
        for i in range(joint.ndim):
            own[i] = _nearest_own(joint, own, i)
        before, nearest = nearest, product(own)
        if abs(nearest - before).max() < 1e-12:
            break
    return nearest


def _nearest_own(joint: np.ndarray, own: list[np.ndarray], agent: int) -> np.ndarray:
    """The law [A_i] of one agent whose product with the others' is nearest to the joint.

    The gap of the product is Σ_a x_a g_a, g_a that of the pure action a, and xᵀ H x its square.
    On the support where it is least, H x is constant: all supports are tried.
    """
    rest = [product([*own[:agent], pure, *own[agent + 1 :]]) for pure in np.eye(len(own[agent]))]
    gaps = np.stack([(each - joint).ravel() for each in rest])
    h = -gaps @ action_distances(joint.shape) @ gaps.T
    laws = [_least_on(h, s) for k in range(1, len(h) + 1) for s in combinations(range(len(h)), k)]
    return min((x for x in laws if x.min() >= -1e-12), key=lambda x: x @ h @ x).clip(min=0)


def _least_on(h: np.ndarray, support: Sequence[int]) -> np.ndarray:
    """Where xᵀ H x is least for Σ x = 1 and x = 0 off the support: H x constant on it."""
    k = len(support)
    equations = np.ones((k + 1, k + 1))
    equations[:k, :k], equations[k, k] = h[np.ix_(support, support)], 0
    x = np.zeros(len(h))
    x[list(support)] = np.linalg.lstsq(equations, np.eye(k + 1)[k], rcond=None)[0][:k]
    return x
