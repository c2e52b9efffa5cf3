"""Stein variational gradient descent (3.5), and scores to run it on."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from svnr.checks import Positive, check_count, fitted
from svnr.stein.kernels import Kernel, median_bandwidth, rbf, squared_distances

Score = Callable[[Tensor], Tensor]


def check_score(score: Tensor, particles: Tensor) -> None:
    """Refuse a score that has not the shape of the particles; torch would spread some of them.

    Raises:
        ValueError: then.
    """
    if score.shape != particles.shape:
        raise ValueError(f"score must have shape {[*particles.shape]}, got {[*score.shape]}")


def direction(
    particles: Tensor, score: Tensor, bandwidth: float | None = None, kernel: Kernel = rbf
) -> Tensor:
    """φ*(y) = E_x[k(x, y) ∇ log p(x) + ∇_x k(x, y)] (3.5), over the particles themselves.

    The sums over x are matrix products; particles are centred, so that Σ_x w (y − x) taken apart
    as y Σ_x w − Σ_x w x loses no digits to where the cloud lies.

    Args:
        particles: [..., M, D].
        score: [..., M, D] gradient of log p at the particles.
        bandwidth: h of the kernel; by default the median rule of §8, over all pairs.
        kernel: κ.

    Returns:
        [..., M, D] the direction in which each particle moves.

    Raises:
        ValueError: if the shapes differ, the bandwidth is not positive, or there are fewer than
            two particles for the median.
    """
    check_score(score, particles)
    distances = squared_distances(particles, particles)
    if bandwidth is None:
        h = median_bandwidth(distances, same=True)
    else:
        h = particles.new_tensor(fitted("bandwidth", bandwidth, Positive))
    k, rate = kernel(distances, h)
    weight = rate * k
    y = particles - particles.mean(-2, keepdim=True)
    push = weight.sum(-2).unsqueeze(-1) * y - weight.mT @ y
    return (k.mT @ score + push) / particles.shape[-2]


def svgd(particles: Tensor, score: Score, n_steps: int, step_size: float, **how: Any) -> Tensor:
    """Move particles along (3.5) and keep the whole path.

    Args:
        particles: [M, D] where they start.
        score: function [M, D] → [M, D], the gradient of log p.
        n_steps: how often they move.
        step_size: ε.
        how: the `bandwidth` and `kernel` of `direction`, where they are not its defaults.

    Returns:
        [n_steps + 1, M, D] the path, start included.
    """
    fitted("step_size", step_size, Positive)
    path = [particles]
    for _ in range(check_count("n_steps", n_steps, least=0)):
        path.append(path[-1] + step_size * direction(path[-1], score(path[-1]), **how))
    return torch.stack(path)


def score_of(log_density: Callable[[Tensor], Tensor]) -> Score:
    """The score of a differentiable log-density [..., D] → [...], by autograd."""

    def score(points: Tensor) -> Tensor:
        leaf = points.detach().requires_grad_(True)
        return torch.autograd.grad(log_density(leaf).sum(), leaf)[0]

    return score


def boltzmann_score(reward: Callable[[Tensor], Tensor], alpha: float) -> Score:
    """The score of π*_α ∝ exp(reward / α) (3.3) in the coordinates of u.

    Raises:
        ValueError: if alpha is not finite and positive.
    """
    alpha = fitted("alpha", alpha, Positive)
    return score_of(lambda u: reward(u) / alpha)


def pre_tanh(score: Score) -> Score:
    """The score of z where u = tanh(z) and `score` is that of a density of u on [−1, 1].

    In these coordinates particles cannot leave the box, and the box's edge needs no clipping.
    """
    return lambda z: latent_score(torch.tanh(z), score(torch.tanh(z)))


def latent_score(u: Tensor, score: Tensor) -> Tensor:
    """∇_z log p(z) for u = tanh(z): log p(z) = log p(u) + Σ_d log(1 − u_d²).

    Args:
        u: [..., D] squashed points.
        score: [..., D] ∇_u log p(u) at the points.
    """
    return (1 - u.square()) * score - 2 * u
