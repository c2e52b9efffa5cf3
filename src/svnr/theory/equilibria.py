"""Nash equilibria of finite games, and over-generalization as the literature before had it."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from svnr.checks import check_joint_action, check_payoff
from svnr.theory.distributions import axes_outside
from svnr.theory.maxent import optimal_set


def pure_nash(q: ArrayLike) -> np.ndarray:
    """[A_1, …, A_N] True where no agent gains by moving alone."""
    q = check_payoff(q)
    return np.logical_and.reduce([q >= q.max(axis=i, keepdims=True) for i in range(q.ndim)])


def overgeneralized(q: ArrayLike) -> tuple[int, ...]:
    """Everybody's best action against partners who act uniformly at random (the first, if tied).

    Args:
        q: [A_1, …, A_N] payoff.

    Returns:
        [N] the joint action that exploration alone teaches.
    """
    q = check_payoff(q)
    return tuple(int(np.argmax(against_random(q, i))) for i in range(q.ndim))


def against_random(q: ArrayLike, agent: int) -> np.ndarray:
    """[A_i] mean payoff of each own action over partners' actions, all equally likely."""
    q = check_payoff(q)
    return q.mean(axis=axes_outside([agent], q.ndim))


def best_response_path(q: ArrayLike, start: Sequence[int]) -> list[tuple[int, ...]]:
    """Where agents go that reply to each other in turn, until a whole round moves nobody.

    Args:
        q: [A_1, …, A_N] payoff.
        start: [N] the joint action to begin with.

    Returns:
        the joint actions passed through, start first; the last one is a Nash equilibrium.

    Raises:
        ValueError: if q is not finite or start no joint action.
    """
    q = check_payoff(q)
    path, before_round = [check_joint_action("start", start, q.shape)], 0
    while len(path) > before_round:
        before_round = len(path)
        for i in range(q.ndim):
            here = path[-1]
            line = q[tuple(slice(None) if j == i else here[j] for j in range(q.ndim))]
            if line.max() > line[here[i]]:
                path.append((*here[:i], int(line.argmax()), *here[i + 1 :]))
    return path


def ro_pairs(q: ArrayLike) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Relative over-generalization as §4 quotes it: pairs of a worse and an optimal equilibrium.

    In each pair every agent's part of the worse equilibrium earns more against random partners
    than its part of the optimal one.

    Args:
        q: [A_1, …, A_N] payoff.

    Returns:
        (sub-optimal, optimal) pairs of pure Nash equilibria.
    """
    q = check_payoff(q)
    stable = [tuple(int(a) for a in u) for u in np.argwhere(pure_nash(q))]
    best = optimal_set(q)
    means = [against_random(q, i) for i in range(q.ndim)]
    pairs = [(bad, good) for bad, good in product(stable, stable) if best[good] and not best[bad]]
    return [p for p in pairs if all(m[b] > m[g] for m, b, g in zip(means, *p, strict=True))]
