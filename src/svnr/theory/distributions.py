"""Joint policies of one finite game: arrays [A_1, …, A_N] that sum to one.

Logarithms are natural and 0 · log 0 = 0.
"""

from collections.abc import Iterable, Sequence
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike

from svnr.checks import check_agent, check_distribution


def finite_log(p: ArrayLike) -> np.ndarray:
    """log p [...], at zero that of the smallest float: what underflows and what is impossible."""
    return np.log(np.maximum(p, np.finfo(float).tiny))


def log_sum_exp(x: np.ndarray, axes: tuple[int, ...] | None = None) -> np.ndarray:
    """log Σ exp(x) over the axes (all by default), which stay with length one; x is finite."""
    top = x.max(axis=axes, keepdims=True)
    return top + np.log(np.exp(x - top).sum(axis=axes, keepdims=True))


def axes_outside(agents: Iterable[int], n_agents: int) -> tuple[int, ...]:
    """The axes of a joint array that belong to none of these agents, in ascending order.

    Raises:
        ValueError: if one of the agents does not exist.
    """
    kept = {check_agent(agent, n_agents) for agent in agents}
    return tuple(j for j in range(n_agents) if j not in kept)


def marginals(joint: ArrayLike) -> list[np.ndarray]:
    """Each agent's own law: N arrays of shape [A_i] from a joint [A_1, …, A_N].

    Raises:
        ValueError: if joint is no distribution.
    """
    joint = check_distribution(joint, "joint")
    return [np.asarray(joint.sum(axis=axes_outside([i], joint.ndim))) for i in range(joint.ndim)]


def opponents(joint: ArrayLike, agent: int) -> np.ndarray:
    """The law of everybody but one agent, u_{−i}: π*_α(u_{−i}) of (4.2) if joint is π*_α.

    Args:
        joint: [A_1, …, A_N] probabilities.
        agent: i.

    Returns:
        [A_j for j ≠ i] probabilities.

    Raises:
        ValueError: if joint is no distribution or there is no such agent.
    """
    joint = check_distribution(joint, "joint")
    return np.asarray(joint.sum(axis=check_agent(agent, joint.ndim)))


def log_marginals(log_joint: np.ndarray) -> list[np.ndarray]:
    """The logarithms of `marginals`, N arrays [A_i], from that of a joint [A_1, …, A_N]."""
    rests = [axes_outside([i], log_joint.ndim) for i in range(log_joint.ndim)]
    return [log_sum_exp(log_joint, rest).squeeze(axis=rest) for rest in rests]


def product(marginals: Sequence[ArrayLike]) -> np.ndarray:
    """Π_i π̄_i, the joint of agents that act independently, as below (3.4).

    Args:
        marginals: N arrays of shape [A_i], each a distribution.

    Returns:
        [A_1, …, A_N] probabilities.

    Raises:
        ValueError: if one of them is not a distribution over one agent's actions.
    """
    agents = enumerate(marginals)
    laws = [check_distribution(own, f"marginals[{i}]", (np.size(own),)) for i, own in agents]
    return reduce(np.multiply.outer, laws)


def entropy(p: ArrayLike) -> float:
    """H(p) = −Σ p log p of a distribution of any shape, in nats."""
    p = check_distribution(p, "p")
    return float(-(p * finite_log(p)).sum())


def kl(p: np.ndarray, log_q: np.ndarray) -> float:
    """D_KL(p ‖ q) = Σ p (log p − log q) of (3.2), in nats, never negative; it splits as in (6.1).

    Args:
        p: [...] probabilities.
        log_q: [...] log-probabilities of the same shape: finite where q would underflow.
    """
    held = p > 0
    return max(0.0, float((p[held] * (np.log(p[held]) - log_q[held])).sum()))


def total_variation(p: ArrayLike, q: ArrayLike) -> float:
    """½ Σ |p − q| of two distributions of the same shape."""
    p = check_distribution(p, "p")
    return float(abs(p - check_distribution(q, "q", p.shape)).sum() / 2)
