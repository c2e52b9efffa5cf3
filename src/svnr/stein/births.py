"""Births and Metropolis moves: particles that keep exp(Q / α) in the box, whatever lies between.

Beyond the paper. A move of (7.2) or of Metropolis is local, and as α falls the valleys between
hills become walls. A birth knows no walls: it proposes anywhere in the box, and how often it
succeeds depends on how much of the box a hill covers, not on what surrounds it
(`theory.chains` has both as matrices). Each step here leaves the law

    p(u) ∝ exp(Q(u) / α) on [−1, 1]^D,   or in latent coordinates u = tanh(z)
    log p(z) = Q(tanh z) / α + Σ_d log(1 − tanh² z_d) + constant,

as it is: a particle that has it before has it after, and under jumps particles that have it
independently of each other do. So any sequence of them does, at every α, and
particles that carry on from one critic and temperature to the next start near where they must go.
"""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn.functional import softplus

Value = Callable[[Tensor], Tensor]  # Q, from u [..., D] to [...]
SCALES = 2.5  # decades of Metropolis's steps, from 1 down: the hills' widths are not known


def latent_log_density(z: Tensor, value: Tensor, alpha: float) -> Tensor:
    """log p(z) = Q(tanh z) / α + Σ_d log(1 − tanh² z_d), up to a constant.

    Args:
        z: [..., D] latent particles.
        value: [...] Q(tanh z).
        alpha: the temperature.
    """
    return value / alpha + log_slope(z).sum(-1)


def accepted(log_ratio: Tensor, generator: Generator) -> Tensor:
    """[...] true with probability min(1, exp(log_ratio)), Metropolis's rule."""
    return torch.rand(log_ratio.shape, generator=generator).log() < log_ratio


def uniform(*shape: int, generator: Generator) -> Tensor:
    """u [*shape] ~ U[−1, 1]."""
    return 2 * torch.rand(shape, generator=generator) - 1


def latent(u: Tensor) -> Tensor:
    """z with tanh(z) = u, finite at the box's edge."""
    return torch.atanh(u.clamp(-1 + 1e-6, 1 - 1e-6))


def log_slope(z: Tensor) -> Tensor:
    """log(1 − tanh² z) = 2 (log 2 − z − log(1 + e^{−2z})), finite where 1 − tanh² z is 0."""
    return 2 * (math.log(2) - z - softplus(-2 * z))


def reborn(
    z: Tensor, value: Tensor, rivals: Tensor, values: Tensor, alpha: float, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Births: u′ ~ U[−1, 1]^D replaces u with probability min(1, exp[(Q(u′) − Q(u)) / α]).

    p(u) · ½^D · min(1, p(u′) / p(u)) is the same with u and u′ exchanged: detailed balance. Every
    particle has rivals of its own, which challenge it one after the other.

    Args:
        z: [..., P, D] particles, as u or latent, like their rivals.
        value: [..., P] Q(u).
        rivals: [K, ..., P, D] uniform in the box.
        values: [K, ..., P] Q(u′).
        alpha: the temperature.
        generator: of the decisions.

    Returns:
        [..., P, D] particles, and [..., P] their values.
    """
    for rival, q in zip(rivals, values, strict=True):
        wins = accepted((q - value) / alpha, generator)
        z, value = torch.where(wins.unsqueeze(-1), rival, z), torch.where(wins, q, value)
    return z, value


def chosen(
    z: Tensor, value: Tensor, rivals: Tensor, values: Tensor, alpha: float, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Births where rivals are shared: u or one of K, with probability ∝ exp(Q / α).

    Of K + 1 points, one from p and K uniform, each is as likely to have been the one from p as its
    share of Σ exp(Q / α) says; to draw anew which of them it is leaves p as it is. A particle has
    all K chances in one step, and all particles the same ones: they fall together more often than
    `reborn` ones, which matters where they are kept and not where they are new at every update.

    Args:
        z: [..., P, D] particles, as u or latent, like their rivals.
        value: [..., P] Q(u).
        rivals: [..., K, D] uniform in the box.
        values: [..., K] Q(u′).
        alpha: the temperature.
        generator: of the choices.

    Returns:
        [..., P, D] particles, and [..., P] their values.
    """
    shared = values.unsqueeze(-2).expand(*value.shape, -1)
    values = torch.cat([value.unsqueeze(-1), shared], -1)  # [..., P, 1 + K]
    gumbel = -torch.empty(values.shape).exponential_(generator=generator).log()
    choice = (values / alpha + gumbel).argmax(-1, keepdim=True)  # ∝ exp(Q / α)
    everyone = rivals.unsqueeze(-3).expand(*value.shape, -1, -1)
    everyone = torch.cat([z.unsqueeze(-2), everyone], -2)
    born = everyone.take_along_dim(choice.unsqueeze(-1), -2).squeeze(-2)
    return born, values.take_along_dim(choice, -1).squeeze(-1)


def metropolis(
    z: Tensor, value: Tensor, proposed: Tensor, q: Value, alpha: float, generator: Generator
) -> tuple[Tensor, Tensor]:
    """z′ replaces z with probability min(1, p(z′) / p(z)), for proposals as likely back as forth.

    Args:
        z: [..., D] latent particles.
        value: [...] Q(tanh z).
        proposed: [..., D] z′, from `steps` or `proposed`.
        q: Q.
        alpha: the temperature.
        generator: of the decisions.

    Returns:
        [..., D] particles, and [...] their values.
    """
    values = q(torch.tanh(proposed))
    old, new = latent_log_density(z, value, alpha), latent_log_density(proposed, values, alpha)
    wins = accepted(new - old, generator)
    return torch.where(wins.unsqueeze(-1), proposed, z), torch.where(wins, values, value)


def steps(z: Tensor, generator: Generator) -> Tensor:
    """z′ = z + s ε, ε ~ N(0, I), with s = 10^(−2.5 U(0, 1)) for each particle [..., D]."""
    scale = 10 ** (-SCALES * torch.rand((*z.shape[:-1], 1), generator=generator))
    return z + scale * torch.randn(z.shape, generator=generator)


def proposed(z: Tensor, generator: Generator) -> Tensor:
    """z′: half of the particles walk, by `steps`, and the others jump, by `differences` of these.

    Where some have found a hill and others are at another, the difference of two leads across:
    births find a hill once, jumps bring the rest. Who jumps is measured against particles that
    are where they were, and these walk whoever jumps, so that the two halves take turns, each as
    likely back as forth: the law of all particles together stays (ter Braak, 2006; in halves as
    Foreman-Mackey et al., 2013). Fewer than four only walk.

    Args:
        z: [..., P, D] latent particles.
        generator: of the halves, of steps and of jumps.
    """
    n_jump = z.shape[-2] // 2 if z.shape[-2] > 3 else 0
    order = torch.rand(z.shape[:-1], generator=generator).argsort(-1).unsqueeze(-1)
    jumping, walking = z.take_along_dim(order, -2).split([n_jump, z.shape[-2] - n_jump], -2)
    jumped = jumping + differences(walking, n_jump, generator)
    moved = torch.cat([jumped, steps(walking, generator)], -2)
    return moved.take_along_dim(order.argsort(-2), -2)


def differences(z: Tensor, n: int, generator: Generator) -> Tensor:
    """z_a − z_b [..., n, D] of two different ones of particles [..., P, D], drawn n times."""
    size, n_particles = (*z.shape[:-2], n, 1), z.shape[-2]
    a = torch.randint(n_particles, size, generator=generator)
    b = (a + torch.randint(1, max(n_particles, 2), size, generator=generator)) % n_particles
    return z.take_along_dim(a, -2) - z.take_along_dim(b, -2)
