"""SVNR (Algorithm 1): amortised negotiation with a central critic.

SVNR, SVNR-F and SVNR-M differ by the negotiation sets alone; any other topology can be given.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import torch
from torch import Tensor

from svnr.checks import Widths, added, check_agent
from svnr.games.game import Game, agent_slices
from svnr.learners.learner import Execution, check_asked
from svnr.learners.soft import SamplerSettings, SoftLearner, repeated
from svnr.networks.critics import Critics
from svnr.networks.factors import Factors
from svnr.networks.mlp import drawn_as_torch_draws
from svnr.networks.optimizers import Trained
from svnr.networks.samplers import Samplers
from svnr.sets import Sets, check_sets, named, written_out
from svnr.stein.negotiation import KernelOn, kernel_mask


@dataclass(frozen=True, kw_only=True)
class SVNRSettings(SamplerSettings):
    """Everything that SVNR can be told; noise is an agent's, by default as much as its actions."""

    sets: str | Sets = "strict"  # C_i: "strict" SVNR, "full" SVNR-F, "none" SVNR-M, or any sets
    kernel_on: KernelOn = "set"  # κ_i on u_{S_i} as (7.2) prints, or "joint"
    factors: Sets | None = added(None)  # the critic is Σ_i Q_i(s, u_{S_i}) over these sets; ours
    factor_hidden: Widths = added((32, 32))  # layers of each Q_i; ours

    def fitted_to(self, game: Game) -> Self:
        """See `OffPolicySettings.fitted_to`."""
        noise_size = self.noise_size or max(game.action_sizes)
        factors = None if self.factors is None else check_sets(self.factors, game.n_agents)
        fitted = replace(self, factors=factors, noise_size=noise_size)
        return replace(fitted, sets=named(self.sets, game.n_agents))


class SVNR(SoftLearner):
    """Samplers f^ψ, critic Q^θ and target Q^θ̄ of one team; `SoftLearner` has the update."""

    settings: SVNRSettings

    def __init__(self, game: Game, settings: SVNRSettings, seed: int) -> None:
        super().__init__(game, settings, seed)
        told, generator = self.settings, self._generator
        self.sets = written_out(told.sets, game.n_agents)
        shape = (game.action_sizes, game.state_size, self.noise_size, told.hidden)
        samplers = Samplers(self.sets, *shape, generator)
        how = (game, told.layer_norm, told.factor_hidden, generator)
        judge = partial(Factors, told.factors, *how) if told.factors else None
        self.critic = Critics(game, told, generator, 1, draw=drawn_as_torch_draws, judge=judge)
        self.samplers = Trained(samplers, told)
        self.mask = kernel_mask(self.sets, game.action_sizes, told.kernel_on)

    def noise(self, *shape: int, generator: torch.Generator | None = None) -> Tensor:
        """ξ [*shape, N, noise_size], by default from the generator that all have in common."""
        size = (*shape, self.n_agents, self.noise_size)
        return torch.randn(size, generator=generator or self._generator)

    def inputs(self, state: Tensor) -> tuple[Tensor, ...]:
        """See `SoftLearner.inputs`: states, and the noise of the whole team."""
        return state, self.noise(*state.shape[:-1])

    def choose(self, state: Tensor, execution: Execution) -> Tensor:
        """See `OffPolicy.choose`; exploring is acting with shared noise, the policy's own.

        Independent agents each imagine the noise of their sets: the product of the marginals.
        """
        if execution == "greedy":
            return self.best(state, self.sample(repeated(state, self.settings.n_greedy)))[0]
        if execution != "independent":
            return self.sample(state)[0]
        noises = [self.noise(len(state), generator=own) for own in self._own_generators]
        return self.executed(torch.tanh(torch.cat([self.samplers(state, xi) for xi in noises])))

    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """See `Learner.perceive`; noise is shared, so every agent perceives the same policy."""
        return self.sample(repeated(state, n_samples)).expand(self.n_agents, -1, -1, -1)

    def agent(self, index: int, seed: int) -> "Agent":
        """Agent `index` alone, to act without messages; give all agents of a team one seed."""
        check_agent(index, self.n_agents)
        return Agent(self, index, seed)


class Agent:
    """One agent at execution: its own network, the state, a seed, and no messages.

    Agents of a team that were given one seed draw the same noise and so act out one particle of
    the joint policy; with seeds of their own they act out the product of its marginals.
    """

    def __init__(self, team: SVNR, index: int, seed: int) -> None:
        self._samplers, self._own = team.samplers, agent_slices(team.action_sizes)[index]
        self._noise_shape, self._state_size = (team.n_agents, team.noise_size), team.state_size
        self._generator = torch.Generator().manual_seed(seed)

    def act(self, state: Tensor) -> Tensor:
        """This agent's action [B, its coordinates] for states [B, S]."""
        check_asked(state, "shared", self._state_size)
        noise = torch.randn((len(state), *self._noise_shape), generator=self._generator)
        return torch.tanh(self._samplers(state, noise)[0, :, self._own])
