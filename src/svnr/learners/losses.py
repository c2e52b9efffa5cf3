"""Soft values and directions that several methods share: pure functions, one equation each."""

import math
from typing import Literal

import torch
from torch import Tensor

from svnr.stein.negotiation import negotiated_direction
from svnr.stein.svgd import Score, latent_score

Coordinates = Literal["pre_tanh", "squashed"]


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


def squashed_score(u: Tensor, gradient: Tensor, alpha: float) -> Tensor:
    """∇_u of Q / α + Σ_d log(1 − u_d² + 1e-6), the public code's log-density on the box.

    Args:
        u: [..., D] squashed actions.
        gradient: [..., D] ∇_u Q.
        alpha: the temperature.
    """
    return gradient / alpha - 2 * u / (1 - u.square() + 1e-6)


@torch.no_grad()
def stein_direction(
    fixed: Tensor, moved: Tensor, slope: Score, alpha: float, mask: Tensor, where: Coordinates
) -> Tensor:
    """The direction of (7.2) towards exp(Q / α) for particles z, where u = tanh(z).

    In squashed coordinates the direction is that of u, and is brought back to z by ∂u/∂z.

    Args:
        fixed: [..., L, D] particles z averaged over.
        moved: [..., M, D] particles z that move.
        slope: from u [..., L, D] to ∇_u Q of the same shape, the score of exp(Q).
        alpha: the temperature.
        mask: [D, D], which coordinates each kernel sees (`kernel_mask`).
        where: particles move, before the tanh or after it.

    Returns:
        [..., M, D] the direction.
    """
    u = torch.tanh(fixed)
    gradient = slope(u)
    if where == "pre_tanh":
        return negotiated_direction(fixed, moved, latent_score(u, gradient / alpha), mask)
    moved = torch.tanh(moved)
    phi = negotiated_direction(u, moved, squashed_score(u, gradient, alpha), mask)
    return phi * (1 - moved.square())
