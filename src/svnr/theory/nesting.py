"""Which joint policies a topology of negotiation sets can represent: Theorem A.1."""

from collections.abc import Iterable, Sequence
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linprog

from svnr.checks import check_distribution
from svnr.sets import check_sets, known_to
from svnr.theory.distributions import axes_outside


def nested_order(sets: Sequence[Iterable[int]]) -> tuple[int, ...] | None:
    """The order that Theorem A.1 asks for, or None if there is none.

    In it each agent's set holds all agents before it. The theorem numbers the positions the
    other way round, and its ⊂ allows equality. The last agent must know everybody else; take it
    away and the rest must be nested too.

    Args:
        sets: [N] one collection of agents for each agent.

    Returns:
        the agents, the one that has to know nobody first; among several orders, the one that
        leaves agents with small numbers early.

    Raises:
        ValueError: if a set names an agent that does not exist or its own.
    """
    sets = check_sets(sets)
    waiting, order = set(range(len(sets))), []
    while waiting:
        last = [i for i in sorted(waiting) if waiting - {i} <= sets[i]]
        if not last:
            return None
        order.append(last[-1])
        waiting.remove(last[-1])
    return tuple(reversed(order))


def is_nested(sets: Sequence[Iterable[int]]) -> bool:
    """Whether the sets lie in the nested coordination space of Theorem A.1.

    Raises:
        ValueError: if a set names an agent that does not exist or its own.
    """
    return nested_order(sets) is not None


def is_strictly_nested(sets: Sequence[Iterable[int]]) -> bool:
    """Whether the sets are nested with no edge to spare: N(N−1)/2 in all, as in §6.1.

    The paper uses "strict nested" without a definition; its example is {1, …, i}.

    Raises:
        ValueError: if a set names an agent that does not exist or its own.
    """
    sets = check_sets(sets)
    n = len(sets)
    return is_nested(sets) and sum(map(len, sets)) == n * (n - 1) // 2


def has_common_source(sets: Sequence[Iterable[int]]) -> bool:
    """Whether some agent is known to everybody: ∩_i S_i is not empty.

    For policies that read noise, u_i = f_i(ξ_i, ξ_{C_i}) as in (7.1), this and not Theorem A.1
    is what decides about full capacity: the common noise can serve everybody as a seed.

    Raises:
        ValueError: if a set names an agent that does not exist or its own.
    """
    sets = check_sets(sets)
    return bool(frozenset.intersection(*(sets[i] | {i} for i in range(len(sets)))))


def identification_dim(joint: ArrayLike, sets: Sequence[Iterable[int]]) -> int:
    """How many dimensions of the joint its conditionals leave open: the "iff" of Theorem A.1.

    Zero means that π(u_i | u_{C_i}), for all i, determine π among the distributions. Nested sets
    give zero for every positive joint; sets that are not nested give more for some joint, a
    product for instance. Singular values below 1e-10 of the largest count as zero.

    Args:
        joint: [A_1, …, A_N] probabilities, π; zero means that a joint action cannot be.
        sets: [N] one collection of agents for each agent.

    Raises:
        ValueError: if joint is no distribution, or sets are not N or name a stranger.
    """
    conditions, held = _conditions(check_distribution(joint, "joint"), sets)
    conditions = conditions[:, held | _may_be_positive(conditions, held)]
    return conditions.shape[1] - int(np.linalg.matrix_rank(conditions, rtol=1e-10)) - 1


def _conditions(joint: np.ndarray, sets: Sequence[Iterable[int]]) -> tuple[np.ndarray, np.ndarray]:
    """What knowing π(u_i | u_{C_i}) asks of a joint π′: linear conditions [rows, columns].

    For every i and u_{S_i} of π's support, π′(u_{S_i}) / π(u_{S_i}) = π′(u_{C_i}) / π(u_{C_i}).
    The column of u counts π′(u) in units of the least π(u_{S_i}): rare actions weigh in full, and
    no entry is large. Joint actions that some conditional rules out have no column. Also returned
    is where π is positive, [columns].
    """
    sets = check_sets(sets, joint.ndim)
    rests = [axes_outside(known_to(sets, i), joint.ndim) for i in range(joint.ndim)]
    laws = [joint.sum(axis=rest, keepdims=True) for rest in rests]  # π(u_{S_i})
    given = [law.sum(axis=i, keepdims=True) for i, law in enumerate(laws)]  # π(u_{C_i})
    never = [(law == 0) & (c > 0) for law, c in zip(laws, given, strict=True)]
    allowed = ~reduce(np.logical_or, never)
    unit = reduce(np.minimum, [np.where(law > 0, law, 1.0) for law in laws])
    each = (np.eye(joint.size) * unit.ravel())[allowed.ravel()].reshape(-1, *joint.shape)
    rows = []
    for i, (law, c) in enumerate(zip(laws, given, strict=True)):
        together = each.sum(axis=tuple(j + 1 for j in rests[i]), keepdims=True)
        common = together.sum(axis=i + 1, keepdims=True) / np.where(c > 0, c, 1.0)
        rows.append((together / np.where(law > 0, law, 1.0) - common)[:, law > 0])
    return np.concatenate(rows, axis=1).T, joint[allowed] > 0


def _may_be_positive(conditions: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Which columns some π′ ≥ 0 can use that meets the conditions, [columns].

    Where π is positive π′ may have either sign, for enough of π can be added. What is left is a
    linear program: raise all other columns up to one, t, and beyond, s.
    """
    others = conditions[:, ~held]
    bounds = [(None, None) if h else (0, 1) for h in held] + [(0, None)] * others.shape[1]
    cost = np.concatenate([held - 1.0, np.zeros(others.shape[1])])
    equal = np.hstack([conditions, others])
    found = linprog(cost, A_eq=equal, b_eq=np.zeros(len(equal)), bounds=bounds)
    return found.x[: len(held)] > 0.5
