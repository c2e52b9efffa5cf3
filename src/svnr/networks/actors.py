"""Actors of N agents: deterministic ones, how they climb what critics say, and Gaussian ones."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from svnr.networks.gaussians import log_density
from svnr.networks.mlp import StackedMLP
from svnr.networks.optimizers import Trained

PENALTY = 1e-3  # on actions before the tanh, which else drift where it is flat; MADDPG's code


class Actors(nn.Module):
    """μ_i(s) of N agents.

    Args:
        own: [N, D] bool, whose coordinate is whose.
        actors: N networks from the state to D outputs, of which agent i uses its own.
    """

    def __init__(self, own: Tensor, actors: Trained) -> None:
        super().__init__()
        self._own, self.actors = own.float().unsqueeze(1), actors

    def forward(self, state: Tensor) -> Tensor:
        """[N, B, D] actions μ_i(s), in agent i's own coordinates, zero elsewhere."""
        return torch.tanh(self.actors(self._inputs(state)) * self._own)

    def slow(self, state: Tensor) -> Tensor:
        """What `forward` gives, by the target actors; states [N, B, S] are each agent's own."""
        return torch.tanh(self.actors.target.record(self._inputs(state))[0] * self._own)

    def climb(self, state: Tensor, gain: Callable[[Tensor], Tensor]) -> None:
        """One step up the gradient of a gain, less what is paid for large actions.

        Args:
            state: [B, S].
            gain: from actions [N, B, D] as `forward` gives them to a scalar, by autograd.
        """

        def uphill(out: Tensor) -> Tensor:
            latent = (out * self._own).requires_grad_(True)
            with torch.enable_grad():
                (slope,) = torch.autograd.grad(gain(torch.tanh(latent)), latent)
            return (slope - penalty_slope(latent.detach())) * self._own

        self.actors.learn(uphill, self._inputs(state), n_rows=1)

    def follow(self) -> None:
        """One step of the target actors."""
        self.actors.follow()

    def _inputs(self, state: Tensor) -> Tensor:
        return state.expand(len(self._own), *state.shape[-2:])


class GaussianActors(nn.Module):
    """π_i(u_i | s) of N agents: normal, with means that the state decides and σ that it does not.

    Args:
        own: [N, D] bool, whose coordinate is whose.
        means: N networks from the state to D outputs, of which agent i uses its own.
        std: σ of every coordinate at the start.
    """

    def __init__(self, own: Tensor, means: StackedMLP, std: float) -> None:
        super().__init__()
        self._own, self.means = own.float(), means
        self.log_std = nn.Parameter(torch.full((own.shape[-1],), math.log(std)))

    def mean_and_log_std(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """μ [B, D] of the joint action in states [B, S], and log σ [D], for autograd to follow."""
        out = self.means(state.expand(len(self._own), *state.shape))
        return (out * self._own.unsqueeze(1)).sum(0), self.log_std

    def log_density(self, state: Tensor, z: Tensor) -> Tensor:
        """log π_i(z_i | s) [B, N] of joint actions z [B, D]: of each agent, its own part."""
        return log_density(z, *self.mean_and_log_std(state)) @ self._own.T


def penalty_slope(latent: Tensor) -> Tensor:
    """The gradient of Σ_i E[c |z_i|²] at actions z [N, B, D] before the tanh, c = `PENALTY`.

    It keeps them from where the tanh has no slope.
    """
    return 2 * torch.tensor(PENALTY) / latent.shape[1] * latent
