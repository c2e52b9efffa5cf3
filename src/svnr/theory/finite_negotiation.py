"""Negotiation (5.1) on finite games, where every particle and every probability can be counted.

Two ways to negotiate with the exact conditionals π*(u_i | u_{C_i}): everybody at once with noise
that stays fixed, so that agreement is an identity map; or one agent after the other with fresh
noise, which is Gibbs sampling and is followed here as a distribution, without samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from svnr.checks import NotNegative, check_count, check_distribution, check_joint_action, fitted
from svnr.sets import Sets
from svnr.theory.distributions import kl
from svnr.theory.maxent import log_boltzmann, log_conditionals
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
        raise ValueError(f"grid^N must be at most {MOST_PARTICLES:,}, got {grid}^{n_agents}")
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
    logs = log_conditionals(q, alpha, sets)
    return [np.exp(np.moveaxis(log, i, -1)).cumsum(axis=-1) for i, log in enumerate(logs)]


def one_round(laws: list[np.ndarray], sets: Sets, u: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """One round of (5.1): all agents at once draw anew, knowing what their sets did before.

    u_i^k is the quantile of π*(u_i | u_{C_i}^{k−1}) at agent i's own, fixed noise.

    Args:
        laws: N distribution functions, from `cumulative_conditionals`.
        sets: [N] one set of agents for each agent.
        u: [M, N] the particles' actions, as indices.
        noise: [M, N] numbers in the unit interval.

    Returns:
        [M, N] the particles' new actions.
    """
    moved = np.empty_like(u)
    for i, law in enumerate(laws):
        seen = tuple(u[:, j] if j in sets[i] else 0 for j in range(len(sets)) if j != i)
        moved[:, i] = (noise[:, i, None] > law[seen][..., :-1]).sum(axis=-1)
    return moved


def negotiate(
    q: ArrayLike,
    alpha: float,
    sets: Sets,
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
        sets: [N] one set of agents for each agent.
        rounds: K, the most rounds to play.
        grid: the points of each agent's noise; the particles are their grid^N combinations. An
            even number has no point at ½, which two equal optima would share unequally.
        start: [N] everybody's action before the first round; by default the last one.

    Raises:
        ValueError: if q is not finite, alpha not positive, sets do not fit, rounds or grid are
            not positive, the particles too many, or start is not a joint action.
    """
    laws, shape = cumulative_conditionals(q, alpha, sets), np.shape(q)
    noise = noise_grid(len(shape), grid)
    first = [size - 1 for size in shape] if start is None else start
    u = np.tile(check_joint_action("start", first, shape), (len(noise), 1))
    rounds, played, moving = check_count("rounds", rounds), 0, 1.0
    while moving and played < rounds:
        before, u = u, one_round(laws, sets, u, noise)
        moving = float((u != before).any(axis=1).mean())
        played += moving > 0
    joint = np.zeros(shape)
    np.add.at(joint, tuple(u.T), 1)  # p(u) = 1/M Σ_ℓ δ, below (5.1)
    return Negotiated(rounds=played, moving=moving, joint=joint / len(u))


def gibbs_negotiate(
    q: ArrayLike, alpha: float, sets: Sets, start: ArrayLike, *, sweeps: int, tolerance: float = 0
) -> list[float]:
    """D_KL(p ‖ π*) after each sweep of (6.2), one agent at a time with fresh noise.

    With the full sets it never rises but may fall slowly, because between two optima an agent
    must pass through a bad joint action on its own. The agents draw in a nested order where there
    is one, else as they are numbered; strictly nested sets then need one sweep.

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.
        sets: [N] one set of agents for each agent.
        start: [A_1, …, A_N] the joint policy before the first sweep.
        sweeps: the most sweeps to do.
        tolerance: stop once the divergence is below it.

    Returns:
        the divergences in nats, the start's first.

    Raises:
        ValueError: if q is not finite, alpha not positive, sweeps or tolerance negative, or
            sets or start do not fit.
    """
    check_count("sweeps", sweeps, least=0)
    fitted("tolerance", tolerance, NotNegative)
    log_optimal, order = log_boltzmann(q, alpha), nested_order(sets) or range(len(sets))
    conditionals = [np.exp(log) for log in log_conditionals(q, alpha, sets)]
    joint = check_distribution(start, "start", log_optimal.shape)
    divergences = [kl(joint, log_optimal)]
    while len(divergences) <= sweeps and divergences[-1] >= tolerance:
        for i in order:  # agent i draws anew, given the others
            joint = joint.sum(axis=i, keepdims=True) * conditionals[i]
        divergences.append(kl(joint, log_optimal))
    return divergences
