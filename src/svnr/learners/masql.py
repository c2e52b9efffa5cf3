"""MASQL (Wei et al., 2018): soft Q-learning on the joint action, by each agent for itself.

Agent i learns a joint critic and a joint sampler, and of what it samples it executes its own part.
With noise of their own, agents that perceive the right joint policy still act out the product of
its marginals. That is executed over-generalization.
"""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from svnr.games.game import Game
from svnr.learners.learner import Execution
from svnr.learners.soft import SamplerSettings, SoftLearner
from svnr.networks.critics import Critics
from svnr.networks.mlp import StackedMLP, beside
from svnr.networks.optimizers import Trained
from svnr.sets import full
from svnr.stein.negotiation import kernel_mask


@dataclass(frozen=True, kw_only=True)
class MASQLSettings(SamplerSettings):
    """Everything that MASQL can be told, as for SVNR; its public code moves 49 particles."""

    def fitted_to(self, game: Game) -> Self:
        """See `OffPolicySettings.fitted_to`."""
        return replace(self, noise_size=self.noise_size or sum(game.action_sizes))


class MASQL(SoftLearner):
    """N joint samplers and N joint critics, of which each agent uses its own.

    `SoftLearner` has the update: SVNR's, for each agent by itself and with every set full.
    """

    settings: MASQLSettings

    def __init__(self, game: Game, settings: MASQLSettings, seed: int) -> None:
        super().__init__(game, settings, seed)
        told, n = self.settings, game.n_agents
        sizes = (game.state_size + self.noise_size, *told.hidden, self.width)
        self.samplers = Trained(StackedMLP(n, sizes, self._generator), told)
        self.critic = Critics(game, told, self._generator, n)
        self.mask = kernel_mask(full(n), game.action_sizes)

    def inputs(self, state: Tensor) -> tuple[Tensor, ...]:
        """See `SoftLearner.inputs`: states beside noise of each sampler's own."""
        size = (self.n_agents, *state.shape[:-1], self.noise_size)
        return (beside(state, torch.randn(size, generator=self._generator)),)

    def choose(self, state: Tensor, execution: Execution) -> Tensor:
        """See `OffPolicy.choose`; MASQL as published explores with independent noise."""
        if execution == "greedy":
            u = self.best(state, self._imagined(state, self.settings.n_greedy))
        else:
            u = self._imagined(state, 1, common=execution == "shared").squeeze(2)
        return self.executed(u)

    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """See `Learner.perceive`: what each agent's joint sampler says."""
        return self._imagined(state, n_samples)

    def _imagined(self, state: Tensor, n: int, common: bool = False) -> Tensor:
        """[N, B, n, D] joint actions that each agent imagines, from common noise or its own."""
        size = (len(state), n, self.noise_size)
        if common:
            noise = torch.randn(size, generator=self._generator).expand(self.n_agents, *size)
        else:
            noise = torch.stack([torch.randn(size, generator=g) for g in self._own_generators])
        return torch.tanh(self.samplers(beside(state.unsqueeze(1), noise)))
