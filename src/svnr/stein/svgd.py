"""Stein variational gradient descent (3.5), and scores to run it on."""

from collections.abc import Callable

import torch
from torch import Tensor

from svnr.checks import check_count
from svnr.stein.kernels import median_bandwidth, rbf, squared_distances

Score = Callable[[Tensor], Tensor]


def direction(particles: Tensor, score: Tensor, bandwidth: Tensor | float | None = None) -> Tensor:
    """φ*(y) = E_x[k(x, y) ∇ log p(x) + ∇_x k(x, y)] (3.5), over the particles themselves.

    Args:
        particles: [..., M, D].
        score: [..., M, D] gradient of log p at the particles.
        bandwidth: h of the kernel; by default the median rule of §8.

    Returns:
        [..., M, D] the direction in which each particle moves.

    Raises:
        ValueError: if the shapes differ, or there are fewer than two particles for the median.
    """
    if score.shape != particles.shape:
        raise ValueError(
            f"score must have the shape of particles, {list(particles.shape)}, "
            f"got {list(score.shape)}"
        )
    if bandwidth is None:
        bandwidth = median_bandwidth(squared_distances(particles, particles))
    k, dk = rbf(particles, particles, bandwidth)
    return (k.unsqueeze(-1) * score.unsqueeze(-2) + dk).mean(-3)


def svgd(
    particles: Tensor,
    score: Score,
    n_steps: int,
    step_size: float,
    bandwidth: float | None = None,
) -> Tensor:
    """Move particles along (3.5) and keep the whole path.

    Args:
        particles: [M, D] where they start.
        score: function [M, D] → [M, D], the gradient of log p.
        n_steps: how often they move.
        step_size: ε.
        bandwidth: a fixed h, or None for the median rule at every step.

    Returns:
        [n_steps + 1, M, D] the path, start included.
    """
    check_count("n_steps", n_steps, least=0)
    path = [particles]
    for _ in range(n_steps):
        path.append(path[-1] + step_size * direction(path[-1], score(path[-1]), bandwidth))
    return torch.stack(path)


def score_of(log_density: Callable[[Tensor], Tensor]) -> Score:
    """The score of a differentiable log-density [..., D] → [...], by autograd."""

    def score(points: Tensor) -> Tensor:
        leaf = points.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(log_density(leaf).sum(), leaf)
        return gradient

    return score


def boltzmann_score(reward: Callable[[Tensor], Tensor], alpha: float) -> Score:
    """The score of π*_α ∝ exp(reward / α) (3.3) in the coordinates of u.

    Raises:
        ValueError: if alpha is not positive.
    """
    if not alpha > 0:
        raise ValueError(f"alpha must be positive, got {alpha}")
    return score_of(lambda u: reward(u) / alpha)


def pre_tanh(score: Score) -> Score:
    """The score of z where u = tanh(z) and `score` is that of a density of u on [−1, 1].

    In these coordinates particles cannot leave the box, and the box's edge needs no clipping.
    """

    def latent(z: Tensor) -> Tensor:
        u = torch.tanh(z)
        return latent_score(u, score(u))

    return latent


def latent_score(u: Tensor, score: Tensor) -> Tensor:
    """∇_z log p(z) for u = tanh(z): log p(z) = log p(u) + Σ_d log(1 − u_d²).

    Args:
        u: [..., D] squashed points.
        score: [..., D] ∇_u log p(u) at the points.
    """
    return (1 - u.square()) * score - 2 * u
