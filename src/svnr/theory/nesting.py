"""Which joint policies a topology of negotiation sets can represent: Theorem A.1."""

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from svnr.checks import check_distribution
from svnr.sets import Sets, check_sets, known_to
from svnr.theory.maxent import conditional


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


def best_agreement(
    sets: Sequence[Iterable[int]], levels: int = 2, between: tuple[float, float] = (0.4, 0.6)
) -> float:
    """The best P(u_1 = … = u_N) when binary actions read discrete noise, as (7.1) does.

    Tries every rule u_i = f_i(ξ_i, ξ_{C_i}), the ξ independent and uniform on a few levels,
    that leaves the common action undecided. It is 1 exactly if there is a common source. The
    number of rules is Π_i 2^{levels^|S_i|}: keep the sets small.

    Args:
        sets: [N] one collection of agents for each agent.
        levels: how many values each ξ_i takes.
        between: the least and the largest probability that each agent plays 1.

    Raises:
        ValueError: if a set names an agent that does not exist or its own.
    """
    sets = check_sets(sets)
    noise = np.array(list(product(range(levels), repeat=len(sets))))
    rules = [_undecided_rules(noise[:, known_to(sets, i)], between) for i in range(len(sets))]
    all_one, all_zero = rules[0], ~rules[0]
    for more in rules[1:]:
        all_one = (all_one[:, None] & more).reshape(-1, len(noise))
        all_zero = (all_zero[:, None] & ~more).reshape(-1, len(noise))
    return float((all_one | all_zero).mean(axis=1).max())


def _undecided_rules(seen: np.ndarray, between: tuple[float, float]) -> np.ndarray:
    """Every binary function [rules, X] of what is seen [X, |S_i|], its mean within bounds."""
    values, which = np.unique(seen, axis=0, return_inverse=True)
    rules = np.array(list(product([False, True], repeat=len(values))))[:, which.ravel()]
    mean = rules.mean(axis=1)
    return rules[(mean >= between[0]) & (mean <= between[1])]


def factorized(joint: ArrayLike, sets: Sequence[Iterable[int]]) -> np.ndarray:
    """Π_i joint(u_i | u_{C_i}): what local policies make of a joint they imitate, Theorem A.1.

    With empty sets this is the product of the marginals, with nested ones without cycles the
    joint itself.

    Args:
        joint: [A_1, …, A_N] probabilities.
        sets: [N] one collection of agents for each agent; nobody may know, by whatever detour,
            an agent that knows it.

    Returns:
        [A_1, …, A_N] probabilities.

    Raises:
        ValueError: if joint is no distribution, or sets are not N, name a stranger, or go round
            in a circle, so that the product would not sum to one.
    """
    joint = check_distribution(joint, "joint")
    sets = check_sets(sets, joint.ndim)
    ancestral_order(sets)
    parts = [conditional(joint, i, sets[i]) for i in range(joint.ndim)]
    return reduce(np.multiply, parts) * np.ones_like(joint)


def ancestral_order(sets: Sequence[Iterable[int]]) -> tuple[int, ...]:
    """An order in which everybody comes after the agents it knows.

    Raises:
        ValueError: if sets go round in a circle, so that there is none.
    """
    sets, order = check_sets(sets), list[int]()
    while len(order) < len(sets):
        ready = [i for i in range(len(sets)) if i not in order and sets[i] <= set(order)]
        if not ready:
            raise ValueError(f"sets must not go round in a circle, got {list(map(set, sets))}")
        order.append(ready[0])
    return tuple(order)


def predecessors(sets: Sequence[Iterable[int]]) -> Sets:
    """Strictly nested sets within nested ones: whom each agent must know, nobody else.

    Raises:
        ValueError: if the sets are not nested.
    """
    order = nested_order(sets)
    if order is None:
        raise ValueError(
            f"sets must be nested as in Theorem A.1, got {[set(members) for members in sets]}"
        )
    return tuple(frozenset(order[: order.index(i)]) for i in range(len(order)))


def joint_from_conditionals(joint: ArrayLike, sets: Sequence[Iterable[int]]) -> np.ndarray:
    """Build a joint out of local policies along a nested order: the "if" of Theorem A.1.

    Each agent plays joint(u_i | u of its predecessors), which it can, for nested sets hold the
    predecessors. By the chain rule of probability the result is the joint itself.

    Args:
        joint: [A_1, …, A_N] probabilities.
        sets: [N] one collection of agents for each agent, nested.

    Returns:
        [A_1, …, A_N] probabilities.

    Raises:
        ValueError: if joint is no distribution, or sets are not N, name a stranger, or are not
            nested.
    """
    joint = check_distribution(joint, "joint")
    return factorized(joint, predecessors(check_sets(sets, joint.ndim)))


def identification_matrix(joint: ArrayLike, sets: Sequence[Iterable[int]]) -> np.ndarray:
    """The linear conditions that knowing π(u_i | u_{C_i}) puts on a joint, Theorem A.1.

    A joint π′ has the conditionals of π if and only if, for every i and u_{S_i},
    π′(u_i, u_{C_i}) = π(u_i | u_{C_i}) π′(u_{C_i}). Joint actions that some conditional rules out
    have no column, and conditions on actions of probability zero have no row.

    Args:
        joint: [A_1, …, A_N] probabilities, π.
        sets: [N] one collection of agents for each agent.

    Returns:
        [conditions, joint actions not ruled out].

    Raises:
        ValueError: if joint is no distribution, or sets are not N or name a stranger.
    """
    joint = check_distribution(joint, "joint")
    sets = check_sets(sets, joint.ndim)
    parts = [conditional(joint, i, sets[i]) for i in range(joint.ndim)]
    allowed = (reduce(np.multiply, parts) * np.ones_like(joint)).ravel() > 0
    rows = [_conditions(joint, i, sets[i], part) for i, part in enumerate(parts)]
    return np.concatenate(rows)[:, allowed]


def _conditions(
    joint: np.ndarray, agent: int, given: frozenset[int], part: np.ndarray
) -> np.ndarray:
    """One agent's rows [|U_{S_i}| where defined, |U|] of the identification matrix."""
    rest = tuple(j for j in range(joint.ndim) if j != agent and j not in given)
    each = np.eye(joint.size).reshape(joint.size, *joint.shape)
    together = each.sum(axis=tuple(j + 1 for j in rest), keepdims=True)
    condition = together.sum(axis=agent + 1, keepdims=True)
    defined = joint.sum(axis=(*rest, agent), keepdims=True) > 0
    rows = (together - part * condition).reshape(joint.size, -1).T
    return rows[np.broadcast_to(defined, part.shape).ravel()]


def identification_dim(
    joint: ArrayLike, sets: Sequence[Iterable[int]], tolerance: float = 1e-10
) -> int:
    """How many dimensions of the joint its conditionals leave open: the "iff" of Theorem A.1.

    Zero means that π(u_i | u_{C_i}), for all i, determine π. Nested sets give zero for every
    positive joint; sets that are not nested give more for some joint, a product for instance.

    Args:
        joint: [A_1, …, A_N] probabilities, π.
        sets: [N] one collection of agents for each agent.
        tolerance: singular values below it count as zero.

    Raises:
        ValueError: if joint is no distribution, or sets are not N or name a stranger.
    """
    conditions = identification_matrix(joint, sets)
    held = np.linalg.svd(conditions, compute_uv=False) > tolerance
    return conditions.shape[1] - int(held.sum()) - 1
