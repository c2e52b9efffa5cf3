"""Negotiation (5.1) on finite games, where every particle and every probability can be counted.

Two ways to negotiate with the exact conditionals π*(u_i | u_{C_i}): everybody at once with noise
that stays fixed, so that agreement is an identity map; or one agent after the other with fresh
noise, which is Gibbs sampling and is followed here as a distribution, without samples.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from svnr.checks import (
    NotNegative,
    Whole,
    check_count,
    check_distribution,
    check_joint_action,
    check_payoff,
    fitted,
)
from svnr.sets import Sets, check_sets
from svnr.theory.distributions import kl
from svnr.theory.maxent import log_boltzmann, log_boltzmann_conditional
from svnr.theory.nesting import nested_order

MOST_PARTICLES = 5_000_000  # about 40 bytes an agent and particle


@dataclass(frozen=True, kw_only=True, eq=False)
class Negotiated:
    """How a negotiation of particles ended.

    Attributes:
        rounds: the rounds in which somebody still moved.
        moving: the share of particles that moved in the last round; zero is an identity map.
        joint: [A_1, …, A_N] the share of particles on each joint action.
    """

    rounds: int
    moving: float
    joint: np.ndarray

    @property
    def has_agreed(self) -> bool:
        """The first condition of (5.2): everybody's negotiation policy is the identity map."""
        return self.moving == 0


def noise_grid(n_agents: int, grid: int) -> np.ndarray:
    """[grid^N, N] private noises: the midpoints of a grid on the unit cube, one row a particle.

    Raises:
        ValueError: if there is not at least one point on each axis, or there are too many in all.
    """
    if check_count("grid", grid) ** n_agents > MOST_PARTICLES:
        raise ValueError(
            f"grid must make at most {MOST_PARTICLES:,} particles, got {grid}^N = "
            f"{grid**n_agents:,} for {n_agents} agents"
        )
    midpoints = (np.arange(grid) + 0.5) / grid
    return np.stack(np.meshgrid(*[midpoints] * n_agents, indexing="ij"), -1).reshape(-1, n_agents)


def cumulative_conditionals(q: ArrayLike, alpha: float, sets: Sets) -> list[np.ndarray]:
    """The distribution functions of π*_α(u_i | u_{C_i}), (3.3), one array an agent.

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.
        sets: [N] one set of agents for each agent.

    Returns:
        N arrays of shape [A_j where j ∈ C_i else 1, for j ≠ i; A_i].
    """
    parts = _conditionals(q, alpha, sets)
    return [np.moveaxis(part, i, -1).cumsum(axis=-1) for i, part in enumerate(parts)]


def _conditionals(q: ArrayLike, alpha: float, sets: Sets) -> list[np.ndarray]:
    """N arrays π*_α(u_i | u_{C_i}), each in the axes of the joint."""
    return [np.exp(log_boltzmann_conditional(q, alpha, i, given)) for i, given in enumerate(sets)]


def one_round(
    cumulative: list[np.ndarray], sets: Sets, u: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    """One round of (5.1): all agents at once draw anew, knowing what their sets did before.

    u_i^k is the quantile of π*(u_i | u_{C_i}^{k−1}) at agent i's own, fixed noise.

    Args:
        cumulative: N distribution functions, from `cumulative_conditionals`.
        sets: [N] one set of agents for each agent.
        u: [M, N] the particles' actions, as indices.
        noise: [M, N] numbers in the unit interval.

    Returns:
        [M, N] the particles' new actions.
    """
    n = len(sets)
    moved = np.empty_like(u)
    for i in range(n):
        seen = tuple(u[:, j] if j in sets[i] else 0 for j in range(n) if j != i)
        moved[:, i] = (noise[:, i, None] > cumulative[i][seen][..., :-1]).sum(axis=-1)
    return moved


def share_of_particles(u: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """p(u) = 1/M Σ_ℓ δ, the joint [A_1, …, A_N] of particles [M, N], as below (5.1)."""
    cells = np.ravel_multi_index(tuple(u.T), shape)
    return (np.bincount(cells, minlength=int(np.prod(shape))) / len(u)).reshape(shape)


def negotiate(
    q: ArrayLike,
    alpha: float,
    sets: Sequence[Iterable[int]],
    *,
    rounds: int = 60,
    grid: int = 40,
    start: Sequence[int] | None = None,
) -> Negotiated:
    """Negotiate (5.1) with noise that stays fixed, until nobody moves or the rounds are over.

    Strictly nested sets stop after at most N rounds, from any start, on particles that represent
    π* up to the grid; the full sets, though nested, may cycle for ever or stop elsewhere.

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.
        sets: [N] one collection of agents for each agent.
        rounds: K, the most rounds to play.
        grid: the points of each agent's noise; the particles are their grid^N combinations. An
            even number has no point at ½, which two equal optima would share unequally.
        start: [N] everybody's action before the first round; by default the last one.

    Raises:
        ValueError: if q is not finite, alpha not positive, sets do not fit, rounds or grid are
            not positive, the particles too many, or start is not a joint action.
    """
    q = check_payoff(q)
    sets = check_sets(sets, q.ndim)
    last = [size - 1 for size in q.shape]
    first = check_joint_action("start", last if start is None else start, q.shape)
    noise = noise_grid(q.ndim, grid)
    cumulative = cumulative_conditionals(q, alpha, sets)
    u = np.tile(first, (len(noise), 1))
    for k in range(check_count("rounds", rounds)):
        moved = one_round(cumulative, sets, u, noise)
        moving = float((moved != u).any(axis=1).mean())
        u = moved
        if moving == 0:
            return Negotiated(rounds=k, moving=0.0, joint=share_of_particles(u, q.shape))
    return Negotiated(rounds=rounds, moving=moving, joint=share_of_particles(u, q.shape))


def gibbs_negotiate(
    q: ArrayLike,
    alpha: float,
    sets: Sequence[Iterable[int]],
    start: ArrayLike,
    *,
    sweeps: int,
    tolerance: float = 0.0,
    order: Sequence[int] | None = None,
) -> list[float]:
    """D_KL(p ‖ π*) after each sweep of (6.2), one agent at a time with fresh noise.

    With the full sets it never rises but may fall slowly, because between two optima an agent
    must pass through a bad joint action on its own. Strictly nested sets in their own order need
    one sweep.

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.
        sets: [N] one collection of agents for each agent.
        start: [A_1, …, A_N] the joint policy before the first sweep.
        sweeps: the most sweeps to do.
        tolerance: stop once the divergence is below it.
        order: who draws when; by default a nested order where there is one, else 0, 1, …

    Returns:
        the divergences in nats, the start's first.

    Raises:
        ValueError: if q is not finite, alpha not positive, sweeps or tolerance negative, or
            sets, start or order do not fit.
    """
    q = check_payoff(q)
    sets = check_sets(sets, q.ndim)
    joint = check_distribution(start, "start", q.shape)
    order = (nested_order(sets) or range(q.ndim)) if order is None else order
    if sorted(order) != list(range(q.ndim)):
        raise ValueError(f"order must name each of {q.ndim} agents once, got {tuple(order)}")
    sweeps, tolerance = (
        fitted("sweeps", sweeps, Whole),
        fitted("tolerance", tolerance, NotNegative),
    )
    conditionals, log_optimal = _conditionals(q, alpha, sets), log_boltzmann(q, alpha)
    divergences = [kl(joint, log_optimal)]
    while len(divergences) <= sweeps and divergences[-1] >= tolerance:
        for i in order:  # agent i draws anew, given the others
            joint = joint.sum(axis=i, keepdims=True) * conditionals[i]
        divergences.append(kl(joint, log_optimal))
    return divergences
