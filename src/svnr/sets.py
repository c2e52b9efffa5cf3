"""Who listens to whom: the negotiation sets C_i, and the topologies that have a name.

A topology is a tuple `sets` with one frozenset an agent: `sets[i]` holds the agents whose actions
(or noise) agent i knows. It never holds i itself: the paper writes C_i both with i and without,
and we keep C_i without and S_i = {i} ∪ C_i apart (see `known_to`).
"""

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, product

import numpy as np
from numpy.typing import ArrayLike

from svnr.checks import Whole, check_agent, check_count, check_one_of, fitted

Sets = tuple[frozenset[int], ...]
Edges = tuple[tuple[int, int], ...]  # pairs of agents


def check_sets(sets: Sequence[Iterable[int]], n_agents: int | None = None) -> Sets:
    """Return `sets` as a tuple of frozensets, or say what is wrong with it.

    Args:
        sets: [N] one collection of agents for each agent.
        n_agents: N, where it is known from elsewhere; by default the length of `sets`.

    Raises:
        ValueError: if there are not N sets, or one names an agent that does not exist or itself.
    """
    if not isinstance(sets, Sequence) or not all(isinstance(each, Iterable) for each in sets):
        raise ValueError(f"sets must hold a collection of agents for each agent, got {sets!r}")
    n = len(sets) if n_agents is None else n_agents
    if len(sets) != n or n < 1:
        raise ValueError(f"sets must hold one set for each of {n} agents, got {len(sets)}")
    try:
        checked = tuple(frozenset(map(operator.index, members)) for members in sets)
    except TypeError as error:  # of what is no agent's index
        raise ValueError(f"sets must hold whole numbers, got {sets!r}") from error
    for i, members in enumerate(checked):
        if not members <= set(range(n)):
            raise ValueError(f"sets[{i}] must name agents in 0..{n - 1} only, got {set(members)}")
        if i in members:
            raise ValueError(f"sets[{i}] must not contain agent {i}, got {set(members)}")
    return checked


def known_to(sets: Sets, agent: int) -> tuple[int, ...]:
    """S_i = {i} ∪ C_i in ascending order: the agents whose action agent i knows."""
    agent = check_agent(agent, len(sets))
    return tuple(sorted(sets[agent] | {agent}))


def knows(sets: Sets) -> np.ndarray:
    """Who knows whose action: [N, N] bool, true in row i where j is in S_i."""
    agents = range(len(sets))
    return np.array([[i == j or j in sets[i] for j in agents] for i in agents])


def strict(n: int) -> Sets:
    """C_i = {1, …, i−1}: SVNR, the strictly nested sets of §6.1."""
    return tuple(frozenset(range(i)) for i in _agents(n))


def reverse(n: int) -> Sets:
    """C_i = {i+1, …, N}: the strictly nested sets in the order that Theorem A.1 prints."""
    return tuple(frozenset(range(i + 1, n)) for i in _agents(n))


def full(n: int) -> Sets:
    """C_i = −i: SVNR-F, everyone negotiates with everyone (§8.3)."""
    return tuple(frozenset(range(n)) - {i} for i in _agents(n))


def none(n: int) -> Sets:
    """C_i = {}: SVNR-M, nobody negotiates (§8.3)."""
    return tuple(frozenset() for _ in _agents(n))


def star(n: int) -> Sets:
    """C_i = {1} for every other agent: the first is known to all, N − 1 edges."""
    return tuple(frozenset({0}) - {i} for i in _agents(n))


def chain(n: int) -> Sets:
    """C_i = {i−1}: each agent knows its predecessor, the first knows nobody."""
    return window(n, 1)


def window(n: int, k: int) -> Sets:
    """C_i = {i−k, …, i−1}: each agent knows the k before it, or as many as there are."""
    k = check_count("k", k, least=0)
    return tuple(frozenset(range(max(i - k, 0), i)) for i in _agents(n))


def ring(n: int) -> Sets:
    """C_i = {i−1 modulo N}: each agent knows its predecessor, the first knows the last."""
    return tuple(frozenset({(i - 1) % n} - {i}) for i in _agents(n))


def sparse(n: int, seed: int) -> Sets:
    """Every agent conditions on each of the others or not, by a toss of a coin, from a seed.

    Raises:
        ValueError: if `n` or `seed` is no number of that kind.
    """
    rng = np.random.default_rng(fitted("seed", seed, Whole))
    heard = rng.random((len(_agents(n)), n)) < 0.5
    return tuple(frozenset(np.flatnonzero(row).tolist()) - {i} for i, row in enumerate(heard))


def partners(n: int, edges: Iterable[Sequence[int]]) -> Sets:
    """C_i = {j : i and j share an edge}: the Markov blanket of i where Q is a sum over edges."""
    ends = check_edges(n, edges)
    return tuple(frozenset({*sum((e for e in ends if i in e), ())} - {i}) for i in range(n))


def check_edges(n: int, edges: Iterable[Sequence[int]]) -> Edges:
    """The edges of a graph of n agents, each once, the smaller end first, in ascending order.

    Raises:
        ValueError: if one does not join two of the agents.
    """
    agents, given = set(_agents(n)), [tuple(edge) for edge in edges]
    try:
        known = {tuple(sorted(map(operator.index, edge))) for edge in given}
    except TypeError as error:  # of what is no agent's index
        raise ValueError(f"edges must hold whole numbers, got {given}") from error
    for edge in known:
        if len(set(edge)) != 2 or len(edge) != 2 or not set(edge) <= agents:
            raise ValueError(f"edges must join two of the agents 0..{n - 1}, got {edge}")
    return tuple(sorted((i, j) for i, j in known))


def strongest(strength: ArrayLike, n_edges: int | None = None) -> Edges:
    """The pairs of agents that act on each other most.

    Args:
        strength: [N, N] of every pair, symmetric; the diagonal does not count.
        n_edges: how many; by default down to where strengths fall by the largest ratio from one
            to the next, within the first half of all pairs, and none if all are 0.
    """
    table = np.asarray(strength, dtype=float)
    pairs = np.transpose(np.triu_indices(len(table), 1))
    values = table[tuple(pairs.T)]
    order = np.argsort(-values, kind="stable")
    if n_edges is None and (most := values.max()) > 0:
        falling = np.maximum(np.append(values[order], 0.0), 1e-12 * most)
        n_edges = 1 + int((falling[:-1] / falling[1:])[: (len(pairs) + 1) // 2].argmax())
    chosen = pairs[order[: n_edges or 0]]
    return check_edges(len(table), chosen.tolist())


def all_topologies(n: int) -> Iterator[Sets]:
    """Every way in which n agents can choose their sets: 2^{n(n−1)} topologies."""
    subsets = [[frozenset(c) for k in range(n) for c in combinations(rest, k)] for rest in full(n)]
    return product(*subsets)


def _agents(n: int) -> range:
    """0, …, N − 1.

    Raises:
        ValueError: if n is no whole number of at least 1.
    """
    return range(check_count("n", n))


TOPOLOGIES: dict[str, Callable[[int], Sets]] = {
    make.__name__: make for make in (strict, full, none, reverse, chain, star, ring)
}


def named(sets: str | Sequence[Iterable[int]], n_agents: int) -> str | Sets:
    """The name of a topology of N agents where it has one, else its sets: equal ones are equal.

    Args:
        sets: a name of `TOPOLOGIES`, or one collection of agents for each agent.
        n_agents: N.

    Raises:
        ValueError: for an unknown name, or sets that do not fit.
    """
    written = written_out(sets, n_agents)
    return next((name for name, make in TOPOLOGIES.items() if make(n_agents) == written), written)


def written_out(sets: str | Sequence[Iterable[int]], n_agents: int) -> Sets:
    """The sets of N agents behind a name, or the sets themselves, checked.

    Raises:
        ValueError: for an unknown name, or sets that do not fit.
    """
    if not isinstance(sets, str):
        return check_sets(sets, n_agents)
    return TOPOLOGIES[check_one_of("sets", sets, TOPOLOGIES)](n_agents)
