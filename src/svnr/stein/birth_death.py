"""Birth–death moves: particles that jump between modes, which SVGD alone never does.

Beyond the paper. Where there are more particles than the target wants, some die; where there are
fewer, some are doubled; the number stays the same.
"""

import torch
from torch import Tensor

from svnr.checks import Positive, check_count, fitted
from svnr.stein.kernels import squared_distances
from svnr.stein.svgd import Score, score_of, svgd


def excess(particles: Tensor, log_density: Tensor, bandwidth: float) -> Tensor:
    """log kde(x_m) − log p(x_m), minus its mean: positive where there are too many particles.

    Args:
        particles: [M, D].
        log_density: [M] log p at the particles; a constant does not matter.
        bandwidth: h of the kernel density estimate, exp(−‖·‖² / h).

    Returns:
        [M] rates of death; negative ones are rates of birth.

    Raises:
        ValueError: if the bandwidth is not positive, or a log-density is missing or not finite.
    """
    fitted("bandwidth", bandwidth, Positive)
    if log_density.shape != particles.shape[:1] or not log_density.isfinite().all():
        raise ValueError(f"log_density must be {len(particles)} finite numbers, got {log_density}")
    apart = squared_distances(particles, particles)
    rate = torch.logsumexp(-apart / bandwidth, -1) - log_density
    return rate - rate.mean()


def birth_death(
    particles: Tensor, log_density: Tensor, bandwidth: float, generator: torch.Generator
) -> Tensor:
    """One round of births and deaths, for which the rates act one unit of time.

    A particle whose rate r is positive dies with probability 1 − exp(−r), and another one, drawn
    at random, is doubled in its place; one whose rate is negative is doubled with probability
    1 − exp(r) in the place of another. The doubled ones are moved a little, by a tenth of the
    kernel's width, because SVGD would keep equal particles equal.

    Args:
        particles: [M, D].
        log_density: [M] log p at the particles.
        bandwidth: see `excess`.
        generator: of the draws.

    Returns:
        [M, D] particles, as many as before.

    Raises:
        ValueError: if bandwidth is not positive, or a log-density not finite.
    """
    rate = excess(particles, log_density, bandwidth)
    happens = torch.rand(len(rate), generator=generator) < 1 - torch.exp(-rate.abs())
    partners = torch.randint(len(rate), (len(rate),), generator=generator)
    moved = particles.clone()
    for m in happens.nonzero().flatten().tolist():
        dies, doubled = (m, partners[m]) if rate[m] > 0 else (partners[m], m)
        nudge = torch.randn(particles.shape[1], generator=generator)
        moved[dies] = moved[doubled] + 0.1 * bandwidth**0.5 * nudge
    return moved


def svgd_with_births(
    particles: Tensor,
    log_density: Score,
    n_blocks: int,
    n_steps: int,
    step_size: float,
    bandwidth: float,
    generator: torch.Generator,
) -> Tensor:
    """Blocks of SVGD with a round of births and deaths before each.

    Args:
        particles: [M, D] where they start.
        log_density: function [..., D] → [...].
        n_blocks: how many blocks.
        n_steps: SVGD steps of a block.
        step_size: ε.
        bandwidth: of the density estimate of the births and deaths.
        generator: of the draws.

    Returns:
        [M, D] where they end.
    """
    score = score_of(log_density)
    for _ in range(check_count("n_blocks", n_blocks)):
        particles = svgd(particles, score, n_steps, step_size)[-1]
        particles = birth_death(particles, log_density(particles), bandwidth, generator)
    return svgd(particles, score, n_steps, step_size)[-1]
