"""Gaussians coordinate by coordinate: z normal, and squashed ones, u = tanh(z)."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from svnr.networks.mlp import NetworkSettings, StackedMLP
from svnr.networks.optimizers import Trained
from svnr.stein.births import latent, log_slope

LOG_STD = (-20.0, 2.0)  # bounds of the Gaussians' log σ; public code


class SquashedActor(nn.Module):
    """One agent's π(u | s), μ and log σ of which are a network of the state.

    Args:
        state_size: S.
        n_coordinates: k, of the agent's own action.
        settings: how networks are built and moved.
        generator: source of the starting weights.
    """

    def __init__(
        self, state_size: int, n_coordinates: int, settings: NetworkSettings, generator: Generator
    ) -> None:
        super().__init__()
        sizes = (state_size, *settings.hidden, 2 * n_coordinates)
        self.mean_and_log_std = Trained(StackedMLP(1, sizes, generator, "tanh"), settings)

    def forward(self, state: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """u [..., k] and log π(u | s) [...], without a gradient.

        Args:
            state: [..., S], its leading sizes those of the noise, or 1 where they are the same.
            noise: [..., k] standard normal ε, from which u = tanh(μ + σ ε).
        """
        u, log_p = squashed_gaussian(self.mean_and_log_std(state.unsqueeze(0))[0], noise)
        return u, log_p.sum(-1)

    def climb(
        self, state: Tensor, noise: Tensor, gain: Callable[[Tensor, Tensor], Tensor]
    ) -> Tensor:
        """One step up the gradient of a gain, which passes through u and log π at fixed noise.

        Args:
            state: [..., S], as above.
            noise: [..., k] standard normal.
            gain: from u [..., k] and log π(u | s) [...] to a scalar, by autograd.

        Returns:
            [...] log π(u | s) before the step.
        """
        found: list[Tensor] = []

        def uphill(out: Tensor) -> Tensor:
            leaf = out.requires_grad_(True)
            with torch.enable_grad():
                u, log_p = squashed_gaussian(leaf[0], noise)
                log_pi = log_p.sum(-1)
                (slope,) = torch.autograd.grad(gain(u, log_pi), leaf)
            found.append(log_pi.detach())
            return slope

        self.mean_and_log_std.learn(uphill, state.unsqueeze(0), n_rows=1)
        return found[0]


def log_density(z: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """log N(z; μ, σ²) [..., D] of z and μ [..., D] and log σ [D]."""
    return _log_normal((z - mean) / log_std.exp(), log_std)


def entropy(log_std: Tensor) -> Tensor:
    """log σ + ½ log 2πe of each coordinate, where its log σ lies."""
    return log_std + 0.5 * math.log(2 * math.pi * math.e)


def squashed_gaussian(out: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """u = tanh(μ + σ ε) and log p(u), coordinate by coordinate.

    Args:
        out: [..., 2 D] μ and log σ, the latter clamped.
        noise: [..., D] standard normal ε.

    Returns:
        u and log p(u), both [..., D].
    """
    mean, log_std = _mean_and_log_std(out)
    z = mean + log_std.exp() * noise
    return torch.tanh(z), _log_normal(noise, log_std) - log_slope(z)


def squashed_log_density(out: Tensor, u: Tensor) -> Tensor:
    """log p(u) [..., D] of actions that came from elsewhere; arguments as above.

    Actions at the edge of the box, where the density has a pole, are moved inside by `latent`.
    """
    z, noise, log_std = _noise_behind(out, u)
    return _log_normal(noise, log_std) - log_slope(z)


def log_density_slope(out: Tensor, u: Tensor) -> Tensor:
    """The gradient [..., 2 D] of `squashed_log_density` in what the network gave.

    ε / σ in the mean and ε² − 1 in log σ, where that is not clamped; ε is what gives u.
    """
    _, noise, log_std = _noise_behind(out, u)
    unclamped = log_std == out.chunk(2, -1)[1]
    return torch.cat([noise / log_std.exp(), (noise.square() - 1) * unclamped], -1)


def _noise_behind(out: Tensor, u: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """z = atanh(u), the ε with which μ + σ ε = z, and log σ, all [..., D]."""
    mean, log_std = _mean_and_log_std(out)
    z = latent(u)
    return z, (z - mean) / log_std.exp(), log_std


def _mean_and_log_std(out: Tensor) -> tuple[Tensor, Tensor]:
    mean, log_std = out.chunk(2, -1)
    return mean, log_std.clamp(*LOG_STD)


def _log_normal(noise: Tensor, log_std: Tensor) -> Tensor:
    """log N(μ + σ ε; μ, σ²) of noise ε and log σ, whatever μ is."""
    return -0.5 * noise.square() - log_std - 0.5 * math.log(2 * math.pi)
