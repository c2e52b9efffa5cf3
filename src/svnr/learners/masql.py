"""MASQL (Wei et al., 2018): soft Q-learning on the joint action, by each agent for itself.

Agent i learns a joint critic and a joint sampler, and of what it samples it executes its own part.
With noise of their own, agents that perceive the right joint policy still act out the product of
its marginals. That is executed over-generalization.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from svnr.checks import check_count
from svnr.games.game import Game, agent_slices, return_bounds
from svnr.learners.checkpoint import Part
from svnr.learners.learner import (
    Execution,
    Learner,
    check_execution,
    check_one_of,
    check_positive,
    generators,
)
from svnr.learners.losses import (
    Coordinates,
    bootstrapped,
    learn_values,
    soft_value_importance,
    soft_value_printed,
    stein_direction,
)
from svnr.learners.networks import Adam, StackedMLP, Target, beside, in_one_piece, two_critics
from svnr.learners.replay import Batch
from svnr.learners.schedules import SCHEDULES, schedule
from svnr.sets import full
from svnr.stein.negotiation import kernel_mask


@dataclass(frozen=True, kw_only=True)
class MASQLSettings:
    """Everything that MASQL can be told; each value with its source."""

    schedule: str = "three_phase"  # α over episodes, as for SVNR
    alpha_final: float = 10.0  # α′, in payoff units; searched in 0.1 to 10 (§8)
    learning_rate: float = 0.005  # Adam, critics and samplers; searched in 1e-4 to 1e-1 (§8)
    n_particles: int = 48  # M per state; public code 49; searched in 16 to 64 (§8)
    n_groups: int = 8  # states of the batch that get particles; as for SVNR
    n_value_particles: int = 24  # samples for the soft value; as for SVNR
    noise_size: int = 3  # noise coordinates of a sampler; ours: one an agent of the paper's games
    hidden: tuple[int, ...] = (100, 100)  # ReLU layers, as for every method here
    discount: float = 0.95  # γ; ROMMEO's
    target_rate: float = 0.01  # τ of the target critics; ROMMEO's
    layer_norm: bool = False  # in the critics; for games with states, where values run away; ours
    soft_value: Literal["printed", "importance"] = "printed"  # as for SVNR
    coordinates: Coordinates = "pre_tanh"  # where particles move; as for SVNR
    n_greedy: int = 256  # of which greedy execution picks the best; as for SVNR

    def __post_init__(self) -> None:
        """Refuse values that no run could use."""
        check_positive(self, "alpha_final", "learning_rate")
        check_one_of(self, schedule=SCHEDULES, soft_value=("printed", "importance"))
        check_one_of(self, coordinates=("pre_tanh", "squashed"))
        check_count("n_particles", self.n_particles, least=4)
        for name in ("n_groups", "n_value_particles", "noise_size", "n_greedy"):
            check_count(name, getattr(self, name))


class MASQL(Learner):
    """N joint samplers and N joint critics, of which each agent uses its own.

    Args:
        game: what is played; only its sizes and bounds are used.
        settings: how to learn it.
        n_episodes: length of the run, which some schedules need.
        seed: of the starting weights and of all noise.
    """

    version = 1  # raised when a change of the code changes the numbers of a run

    def __init__(self, game: Game, settings: MASQLSettings, n_episodes: int, seed: int) -> None:
        n, width = game.n_agents, sum(game.action_sizes)
        self.settings, self.n_agents, self._bounds = settings, n, return_bounds(game)
        self.alpha = schedule(settings.schedule, settings.alpha_final, n_episodes)
        self._slices = agent_slices(game.action_sizes)
        self._width = width
        self._generator, *self._own_generators = generators(seed, n + 1)
        sizes = (game.state_size + settings.noise_size, *settings.hidden, width)
        self.samplers = StackedMLP(n, sizes, self._generator)
        self.critics, self.target_critics = two_critics(game, settings, self._generator)
        self.mask = kernel_mask(full(n), game.action_sizes)
        theta, psi = in_one_piece(self.critics), in_one_piece(self.samplers)
        self._critic_adam = Adam(self.critics, theta, settings.learning_rate)
        self._sampler_adam = Adam(self.samplers, psi, settings.learning_rate)
        self._target = Target(self.target_critics, self.critics, theta, settings.target_rate)

    def latent(self, state: Tensor) -> Tensor:
        """A joint action z [N, ..., D] of each agent's sampler, before the tanh, for states."""
        return self.samplers(self._inputs(state))

    def _inputs(self, state: Tensor) -> Tensor:
        """States beside noise of each agent's own, [N, ..., S + noise_size]."""
        size = (self.n_agents, *state.shape[:-1], self.settings.noise_size)
        return beside(state, torch.randn(size, generator=self._generator))

    @torch.no_grad()
    def act(self, state: Tensor, execution: Execution) -> Tensor:
        """See `Learner.act`; MASQL as published explores and acts with independent noise."""
        check_execution(execution)
        n = self.settings.n_greedy if execution == "greedy" else 1
        imagined = self._imagined(state, n, common=execution == "shared")  # [N, B, n, D]
        if n > 1:
            q = self.critics(state.unsqueeze(1), imagined)  # [N, B, n]
            imagined = imagined.gather(2, _rows(q.argmax(-1), self._width))
        own = [imagined[i, :, 0, part] for i, part in enumerate(self._slices)]
        return torch.cat(own, -1)

    def _imagined(self, state: Tensor, n: int, common: bool) -> Tensor:
        """[N, B, n, D] joint actions that each agent imagines, from common noise or its own."""
        size = (len(state), n, self.settings.noise_size)
        if common:
            noise = torch.randn(size, generator=self._generator).unsqueeze(0)
        else:
            noise = torch.stack([torch.randn(size, generator=g) for g in self._own_generators])
        x = beside(state.unsqueeze(1), noise)
        return torch.tanh(self.samplers(x.expand(self.n_agents, *x.shape[1:])))

    @torch.no_grad()
    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """See `Learner.perceive`: what each agent's joint sampler says."""
        return self._imagined(state, n_samples, common=False)

    def update(self, batch: Batch, episode: int) -> dict[str, float]:
        """One step of the critics, one of the samplers, one of the targets."""
        alpha = self.alpha(episode)
        target = bootstrapped(
            batch,
            lambda state: self.soft_value(state, alpha),
            self.settings.discount,
            self._bounds,
        )
        u = batch.u.unsqueeze(0)
        loss = learn_values(self.critics, self._critic_adam, batch.state, u, target)
        state = batch.state[: self.settings.n_groups]
        self._sampler_adam.step(self.sampler_slopes(state, alpha))
        self._target.follow()
        return {"alpha": alpha, "critic_loss": loss / self.n_agents}

    @torch.no_grad()
    def soft_value(self, state: Tensor, alpha: float) -> Tensor:
        """V_i [N, B] of states [B, S] from the target critics, by the reading in the settings."""
        states = state.unsqueeze(1).expand(-1, self.settings.n_value_particles, -1)
        if self.settings.soft_value == "printed":
            u = torch.tanh(self.latent(states))
            return soft_value_printed(self.target_critics(states, u), alpha)
        size = (self.n_agents, *states.shape[:-1], self._width)
        u = 2 * torch.rand(size, generator=self._generator) - 1
        return soft_value_importance(self.target_critics(states, u), alpha, self._width)

    @torch.no_grad()
    def sampler_slopes(self, state: Tensor, alpha: float) -> Tensor:
        """Minus each agent's amortised Stein direction to exp(Q_i / α), carried to its weights.

        For particles at states [G, S]; half of them are averaged over, the other half moved.
        """
        half = self.settings.n_particles // 2
        states = state.unsqueeze(1).expand(-1, half, -1)
        fixed = self.latent(states)
        moved, trail = self.samplers.record(self._inputs(states))
        phi = stein_direction(
            fixed,
            moved,
            lambda u: self.critics.action_gradient(states, u),
            alpha,
            self.mask,
            self.settings.coordinates,
        )
        return self.samplers.slopes(trail, phi / -(len(state) * half))

    def parts(self) -> dict[str, Part]:
        """See `Learner.parts`."""
        own = {f"own_generator_{i}": g for i, g in enumerate(self._own_generators)}
        return {
            "samplers": self.samplers,
            "critics": self.critics,
            "target_critics": self.target_critics,
            "critic_adam": self._critic_adam,
            "sampler_adam": self._sampler_adam,
            "generator": self._generator,
            **own,
        }


def _rows(index: Tensor, width: int) -> Tensor:
    """index [N, B] into the samples [N, B, n, D], in the shape that `gather` wants."""
    return index[..., None, None].expand(*index.shape, 1, width)
