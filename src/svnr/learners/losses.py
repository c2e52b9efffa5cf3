"""Losses and targets that several methods share: pure functions, one equation each."""

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from svnr.learners.networks import Adam, Critic, Critics
from svnr.learners.replay import Batch
from svnr.stein.negotiation import negotiated_direction
from svnr.stein.svgd import latent_score

Coordinates = Literal["pre_tanh", "squashed"]


def bellman_error(target: Tensor, value: Tensor) -> Tensor:
    """E[½ (r + γ V(s′) − Q(s, u))²] of (7.4).

    Args:
        target: [B] r + γ V(s′), held constant.
        value: [B] Q^θ(s, u); or [N, B], for N critics: their errors are summed.
    """
    return 0.5 * (target - value).square().mean(-1).sum()


def bellman_slope(target: Tensor, value: Tensor) -> Tensor:
    """The gradient of `bellman_error` in the values: (Q − target) / B; the arguments are its."""
    return (value - target) / value.shape[-1]


@torch.no_grad()
def learn_values(
    critic: Critic | Critics, optimizer: Adam, state: Tensor, u: Tensor, target: Tensor
) -> float:
    """One step of a critic down the gradient of (7.4); returns the error before it.

    Args:
        critic: judges joint actions u in states [B, S]: one value each, or [N, B].
        optimizer: of the critic's parameters.
        state: [B, S].
        u: [B, D], or as the critics of N agents want it.
        target: r + γ V(s′), [B] or [N, B].
    """
    value, trail = critic.record(state, u)
    optimizer.step(critic.slopes(trail, bellman_slope(target, value)))
    return bellman_error(target, value).item()


@torch.no_grad()
def bootstrapped(
    batch: Batch,
    value: Callable[[Tensor], Tensor],
    discount: float,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Tensor:
    """r + γ V(s′), with no value beyond the rows that terminated.

    Args:
        batch: B transitions; a truncated row bootstraps like any other.
        value: V, from next states [b, S] to [..., b]; asked only where the game goes on.
        discount: γ.
        bounds: what V can be at least and at most, as `return_bounds` tells of a game; a forecast
            outside them is an error that would feed on itself.

    Returns:
        [..., B] the targets; [B] if no row goes on.
    """
    goes_on = ~batch.terminated
    if not bool(goes_on.any()):
        return batch.reward
    beyond = value(batch.next_state[goes_on]).clamp(*bounds)
    target = batch.reward.expand(*beyond.shape[:-1], -1).clone()
    target[..., goes_on] += discount * beyond
    return target


def soft_value_printed(q: Tensor, alpha: float) -> Tensor:
    """V = α log E_{u′∼p}[exp(Q / α)] of (7.4), without importance weights.

    Below α log ∫ exp(Q / α) by α times the Rényi-2 entropy of p where p = π*.

    Args:
        q: [..., n] values of n joint actions drawn from the policy.
        alpha: the temperature.

    Returns:
        [...] the soft values.
    """
    return alpha * (torch.logsumexp(q / alpha, -1) - math.log(q.shape[-1]))


def soft_value_importance(q: Tensor, alpha: float, n_coordinates: int) -> Tensor:
    """V = α log ∫ exp(Q / α) du, estimated from uniform proposals on [−1, 1]^D.

    Args:
        q: [..., n] values of n joint actions drawn uniformly.
        alpha: the temperature.
        n_coordinates: D; the box has volume 2^D.

    Returns:
        [...] the soft values.
    """
    return soft_value_printed(q, alpha) + alpha * n_coordinates * math.log(2)


def squashed_score(u: Tensor, gradient: Tensor, alpha: float, edge: float = 1e-6) -> Tensor:
    """∇_u of Q / α + Σ_d log(1 − u_d² + edge), the public code's log-density on the box.

    Args:
        u: [..., D] squashed actions.
        gradient: [..., D] ∇_u Q.
        alpha: the temperature.
        edge: keeps the logarithm finite where u reaches ±1.
    """
    return gradient / alpha - 2 * u / (1 - u.square() + edge)


@torch.no_grad()
def stein_direction(
    fixed: Tensor,
    moved: Tensor,
    action_gradient: Callable[[Tensor], Tensor],
    alpha: float,
    mask: Tensor,
    coordinates: Coordinates = "pre_tanh",
) -> Tensor:
    """The direction of (7.2) towards exp(Q / α) for particles z, where u = tanh(z).

    In squashed coordinates the direction is that of u, and is brought back to z by ∂u/∂z.

    Args:
        fixed: [..., L, D] particles z averaged over.
        moved: [..., M, D] particles z that move.
        action_gradient: from u [..., L, D] to ∇_u Q of the same shape.
        alpha: the temperature.
        mask: [D, D], which coordinates each kernel sees (`kernel_mask`).
        coordinates: where particles move, before the tanh or after it.

    Returns:
        [..., M, D] the direction.
    """
    u = torch.tanh(fixed)
    gradient = action_gradient(u)
    if coordinates == "pre_tanh":
        return negotiated_direction(fixed, moved, latent_score(u, gradient / alpha), mask)
    moved = torch.tanh(moved)
    phi = negotiated_direction(u, moved, squashed_score(u, gradient, alpha), mask)
    return phi * (1 - moved.square())
