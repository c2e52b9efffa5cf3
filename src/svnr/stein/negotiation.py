"""Negotiated reasoning with particles: (5.1), (5.2), (6.3) and the direction of (7.2)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import torch
from torch import Tensor

from svnr.checks import NotNegative, Positive, check_count, check_one_of, fitted
from svnr.games.game import agent_of_coordinate
from svnr.sets import Sets, check_sets, full, knows
from svnr.stein.kernels import Kernel, median_bandwidth, rbf
from svnr.stein.svgd import Score, check_score

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
    check_one_of("kernel_on", kernel_on, ("set", "joint"))
    sets = check_sets(sets, len(action_sizes))
    heard = sets if kernel_on == "set" else full(len(action_sizes))
    owner = agent_of_coordinate(tuple(action_sizes))
    return torch.tensor(knows(heard))[owner][:, owner].float()


@lru_cache
def distinct(rows: bytes, n: int) -> tuple[Tensor, Tensor] | None:
    """Which of n rows are the first of their kind, and of which kind each is; None if all differ.

    Agents that see the same coordinates, and coordinates of one agent, share a kernel.
    """
    each = [rows[i * len(rows) // n : (i + 1) * len(rows) // n] for i in range(n)]
    kinds = list(dict.fromkeys(each))
    first, kind = [each.index(k) for k in kinds], [kinds.index(row) for row in each]
    return None if len(kinds) == n else (torch.tensor(first), torch.tensor(kind))


def negotiated_direction(
    fixed: Tensor, moved: Tensor, score: Tensor, mask: Tensor, kernel: Kernel = rbf
) -> Tensor:
    """Δf_i / α of (7.2), every agent at once: each moves its own coordinates by its own kernel.

    φ_d(y) = E_x[κ_i(x_{S_i}, y_{S_i}) ∂_d log p(x) + ∂_{x_d} κ_i(x_{S_i}, y_{S_i})] for the
    coordinates d of agent i. (7.2) is α times this, for log p = Q / α. (6.4) prints the last
    kernel on y_{C_i∖{i}}, which does not depend on y_i: a slip, (B.1) has it as here.

    Args:
        fixed: [..., L, D] particles x averaged over.
        moved: [..., M, D] particles y that move. Where they are the fixed ones themselves, the
            distance of a particle to itself is left out of the median.
        score: [..., L, D] ∇ log p at the fixed particles.
        mask: [D, D] from `kernel_mask`; a kernel is computed once for all rows that are equal.
        kernel: κ.

    Returns:
        [..., M, D] the direction of the moved particles.

    Raises:
        ValueError: if the score has not the shape of the fixed particles.
    """
    check_score(score, fixed)
    apart = fixed.mT.unsqueeze(-1) - moved.mT.unsqueeze(-2)  # [..., D, L, M]
    seen = mask.to(apart.dtype) @ apart.square().flatten(-2)  # [..., D, L · M]
    kinds = distinct(mask.numpy().tobytes(), len(mask))
    if kinds:
        seen = seen.index_select(-2, kinds[0])
    distances = seen.unflatten(-1, apart.shape[-2:])  # squared, as the owner's kernel sees them
    k, rate = kernel(distances, median_bandwidth(distances, same=fixed.equal(moved)))
    if kinds:
        k, rate = k.index_select(-3, kinds[1]), rate.index_select(-3, kinds[1])
    drive = score.mT.unsqueeze(-1) - rate * apart
    return (k * drive).mean(-2).mT


def one_round(
    particles: Tensor,
    score: Score,
    sets: Sets,
    step_size: float,
    action_sizes: Sequence[int] | None = None,
    order: Literal["simultaneous", "sequential"] = "simultaneous",
    kernel_on: KernelOn = "set",
    kernel: Kernel = rbf,
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
        kernel: κ.

    Returns:
        [..., M, D] the joint actions after the round.

    Raises:
        ValueError: for sets, sizes or scores that do not fit the particles, a step that is not
            positive, or an unknown order.
    """
    sizes = tuple(action_sizes or (1,) * particles.shape[-1])
    if sum(sizes) != (width := particles.shape[-1]):
        raise ValueError(f"action_sizes must add up to {width} coordinates, got {sizes}")
    check_one_of("order", order, ("simultaneous", "sequential"))
    fitted("step_size", step_size, Positive)
    mask, owner = kernel_mask(sets, sizes, kernel_on), torch.tensor(agent_of_coordinate(sizes))
    turns = [owner >= 0] if order == "simultaneous" else [owner == i for i in range(len(sizes))]
    for moves in turns:
        phi = negotiated_direction(particles, particles, score(particles), mask, kernel)
        particles = particles + step_size * phi * moves
    return particles


def negotiate(
    particles: Tensor, score: Score, sets: Sets, n_rounds: int, step_size: float, **how: Any
) -> Tensor:
    """All K rounds of (5.1), with the whole path kept; the arguments are those of `one_round`.

    Returns:
        [K + 1, ..., M, D] the joint actions after every round, start included.
    """
    path = [particles]
    for _ in range(check_count("n_rounds", n_rounds, least=0)):
        path.append(one_round(path[-1], score, sets, step_size, **how))
    return torch.stack(path)


def has_agreed(before: Tensor, after: Tensor, tolerance: float) -> bool:
    """The first condition of (5.2): one more round is the identity map, up to `tolerance`.

    Args:
        before: [..., M, D] particles before the round.
        after: [..., M, D] particles after it.
        tolerance: the largest change of any coordinate, in units of the actions.
    """
    fitted("tolerance", tolerance, NotNegative)
    return bool((after - before).abs().max() <= tolerance)
