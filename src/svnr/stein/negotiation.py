"""Negotiated reasoning with particles: (5.1), (5.2), (6.3) and the direction of (7.2)."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from svnr.checks import check_count
from svnr.games.game import agent_of_coordinate
from svnr.sets import Sets, check_sets, full, known_to
from svnr.stein.kernels import median_bandwidth
from svnr.stein.svgd import Score

KernelOn = Literal["set", "joint"]


def kernel_mask(sets: Sets, action_sizes: Sequence[int], kernel_on: KernelOn = "set") -> Tensor:
    """Which coordinates the kernel of each coordinate's agent looks at.

    Args:
        sets: [N] the negotiation sets C_i.
        action_sizes: [N] action coordinates of each agent, D in all.
        kernel_on: "set" for κ_i on u_{S_i} as (7.2) and (B.1) print; "joint" for one kernel on
            the whole joint action, as the public code of this family has it.

    Returns:
        [D, D] of zeros and ones; row d is S_i of the agent i that owns coordinate d.
    """
    if kernel_on not in ("set", "joint"):
        raise ValueError(f"kernel_on must be 'set' or 'joint', got {kernel_on!r}")
    sets = check_sets(sets, len(action_sizes))
    heard = sets if kernel_on == "set" else full(len(action_sizes))
    owner = agent_of_coordinate(tuple(action_sizes))
    return torch.tensor([[float(j in known_to(heard, i)) for j in owner] for i in owner])


def negotiated_direction(fixed: Tensor, moved: Tensor, score: Tensor, mask: Tensor) -> Tensor:
    """Δf_i / α of (7.2), every agent at once: each moves its own coordinates by its own kernel.

    φ_d(y) = E_x[κ_i(x_{S_i}, y_{S_i}) ∂_d log p(x) + ∂_{x_d} κ_i(x_{S_i}, y_{S_i})] for the
    coordinates d of agent i. (7.2) is α times this, for log p = Q / α. (6.4) prints the last
    kernel on y_{C_i∖{i}}, which does not depend on y_i: a slip, (B.1) has it as here.

    Args:
        fixed: [..., L, D] particles x averaged over.
        moved: [..., M, D] particles y that move.
        score: [..., L, D] ∇ log p at the fixed particles.
        mask: [D, D] from `kernel_mask`.

    Returns:
        [..., M, D] the direction of the moved particles.
    """
    apart = fixed.mT.unsqueeze(-1) - moved.mT.unsqueeze(-2)  # [..., D, L, M]
    seen = mask.to(apart.dtype) @ apart.square().flatten(-2)  # [..., D, L · M]
    distances = seen.unflatten(-1, apart.shape[-2:])  # squared, as the owner's kernel sees them
    bandwidth = median_bandwidth(distances)
    kernel = torch.exp(-distances / bandwidth)
    drive = score.mT.unsqueeze(-1) - (2 / bandwidth) * apart  # ∂κ/∂x = −2 (x − y) κ / h
    return (kernel * drive).mean(-2).mT


def one_round(
    particles: Tensor,
    score: Score,
    sets: Sets,
    step_size: float,
    action_sizes: Sequence[int] | None = None,
    order: Literal["simultaneous", "sequential"] = "simultaneous",
    kernel_on: KernelOn = "set",
) -> Tensor:
    """One round f^k of negotiation: every agent moves its action by (6.3).

    Args:
        particles: [..., M, D] joint actions.
        score: [..., M, D] → [..., M, D]. Coordinate d of agent i is ∂_d log p of the full joint
            for (7.2), or of p(u_i | u_{C_i}) for (6.4): the caller says which.
        sets: [N] the negotiation sets.
        step_size: ε.
        action_sizes: [N] coordinates an agent, by default one each.
        order: "simultaneous" as (5.1) prints, or "sequential" as (6.6) does: agent i then sees
            what agents 1..i−1 chose in this round.
        kernel_on: see `kernel_mask`.

    Returns:
        [..., M, D] the joint actions after the round.

    Raises:
        ValueError: for sets or sizes that do not fit the particles, or an unknown order.
    """
    sizes = tuple(action_sizes or (1,) * particles.shape[-1])
    if sum(sizes) != particles.shape[-1]:
        raise ValueError(
            f"action_sizes must add up to {particles.shape[-1]} coordinates, got {sizes}"
        )
    mask, owner = kernel_mask(sets, sizes, kernel_on), agent_of_coordinate(sizes)
    if order == "simultaneous":
        phi = negotiated_direction(particles, particles, score(particles), mask)
        return particles + step_size * phi
    if order != "sequential":
        raise ValueError(f"order must be 'simultaneous' or 'sequential', got {order!r}")
    for agent in range(len(sizes)):
        phi = negotiated_direction(particles, particles, score(particles), mask)
        particles = particles + step_size * phi * (torch.tensor(owner) == agent)
    return particles


def negotiate(
    particles: Tensor,
    score: Score,
    sets: Sets,
    n_rounds: int,
    step_size: float,
    action_sizes: Sequence[int] | None = None,
    order: Literal["simultaneous", "sequential"] = "simultaneous",
    kernel_on: KernelOn = "set",
) -> Tensor:
    """All K rounds of (5.1), with the whole path kept; the arguments are those of `one_round`.

    Returns:
        [K + 1, ..., M, D] the joint actions after every round, start included.
    """
    check_count("n_rounds", n_rounds, least=0)
    path = [particles]
    for _ in range(n_rounds):
        path.append(one_round(path[-1], score, sets, step_size, action_sizes, order, kernel_on))
    return torch.stack(path)


def has_agreed(before: Tensor, after: Tensor, tolerance: float) -> bool:
    """The first condition of (5.2): one more round is the identity map, up to `tolerance`.

    Args:
        before: [..., M, D] particles before the round.
        after: [..., M, D] particles after it.
        tolerance: the largest change of any coordinate, in units of the actions.
    """
    return bool((after - before).abs().max() <= tolerance)
