"""What methods with a temperature have in common, and the amortised particles of two of them."""

from abc import abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import torch
from torch import Tensor

from svnr.checks import Count, Interval, Positive, added
from svnr.games.game import Game
from svnr.learners import losses
from svnr.learners.learner import Progress, generators
from svnr.learners.memory import Transitions
from svnr.learners.off_policy import OffPolicy, OffPolicySettings
from svnr.learners.schedules import SCHEDULES, ScheduleName
from svnr.networks.optimizers import Trained


@dataclass(frozen=True, kw_only=True)
class SoftSettings(OffPolicySettings):
    """What every method with a temperature can be told."""

    schedule: ScheduleName = "three_phase"  # α over a run; §8 prints another (docs/deviations.md)
    alpha_final: Positive = 10.0  # α′, in payoff units, 0.1 to 10 (§8); three_phase ends at 0.3
    schedule_unit: Count = added(1)  # episodes (or steps) of a run that α counts as one step; ours
    n_groups: Count = 8  # states of the batch that teach policies; ours: one-shot states are equal

    def alpha(self, progress: Progress) -> float:
        """The temperature α where so much of a run is done."""
        done, length = (n // self.schedule_unit for n in (progress.done, progress.length))
        return SCHEDULES[self.schedule](Progress(done, max(length, 1)), self.alpha_final)


@dataclass(frozen=True, kw_only=True)
class ParticleSettings(SoftSettings):
    """What every method that moves particles can be told."""

    n_particles: Annotated[int, Interval(4, 4096)] = 48  # M per state; searched in 16 to 64 (§8)
    n_value_particles: Count = 24  # samples for the soft value (7.4): M / 2, public code

    def __post_init__(self) -> None:
        """Refuse particles that cannot be halved: some are averaged over, as many are moved."""
        super().__post_init__()
        if self.n_particles % 2:
            raise ValueError(f"n_particles must be even, got {self.n_particles}")


@dataclass(frozen=True, kw_only=True)
class SamplerSettings(ParticleSettings):
    """What every method that samples joint actions can be told."""

    noise_size: Count | None = None  # of a sampler; by default as many as actions it drives
    soft_value: Literal["printed", "importance"] = "printed"  # reading of (7.4)
    coordinates: losses.Coordinates = "pre_tanh"  # where particles move; ours
    n_greedy: Annotated[int, Interval(1, 65536)] = 256  # of which greedy picks the best; ours


class SoftLearner(OffPolicy):
    """C samplers of joint actions and C critics: one for the team, or one an agent.

    Args:
        game: what is played; only its sizes and bounds are used.
        settings: how to learn it.
        seed: of the starting weights, of all noise and of the draws from the replay.
    """

    settings: SamplerSettings
    samplers: Trained
    mask: Tensor  # [D, D] which coordinates each kernel sees

    def __init__(self, game: Game, settings: SamplerSettings, seed: int) -> None:
        super().__init__(game, settings, seed)
        self._generator, *self._own_generators = generators(seed, game.n_agents + 1)
        self.noise_size = self.settings.noise_size or 0  # `fitted_to` has written it out

    @abstractmethod
    def inputs(self, state: Tensor) -> tuple[Tensor, ...]:
        """States [..., S] and noise drawn for them, as the samplers want them."""

    def update(self, batch: Transitions, progress: Progress) -> dict[str, float]:
        """One pass of "Update Value Functions" and "Update Policies" in Algorithm 1."""
        alpha = self.settings.alpha(progress)
        loss = self.judge(batch, partial(self.soft_value, alpha=alpha))
        self.move_samplers(batch.state[: self.settings.n_groups], alpha)
        self.critic.follow()
        return {"alpha": alpha, "critic_loss": loss}

    def soft_value(self, state: Tensor, alpha: float) -> Tensor:
        """V [C, B] of states [B, S] from the target critics, by the reading in the settings."""
        states = repeated(state, self.settings.n_value_particles)
        if self.settings.soft_value == "printed":
            u = self.sample(states)
            return losses.soft_value_printed(self.critic.slow(states, u), alpha)
        size = (self.critic.n, *states.shape[:-1], self.width)
        u = 2 * torch.rand(size, generator=self._generator) - 1
        return losses.soft_value_importance(self.critic.slow(states, u), alpha, self.width)

    def move_samplers(self, state: Tensor, alpha: float) -> None:
        """(7.3) with the directions of (7.2) for particles at states [G, S].

        Half of the particles are held fixed and averaged over, the other half are moved.
        """
        told, states = self.settings, repeated(state, self.settings.n_particles // 2)
        fixed = self.samplers(*self.inputs(states))
        how = (partial(self.critic.action_gradient, states), alpha, self.mask, told.coordinates)
        self.samplers.learn(lambda z: losses.stein_direction(fixed, z, *how), *self.inputs(states))

    def sample(self, state: Tensor) -> Tensor:
        """Joint actions u = tanh(z) [C, ..., D] in states [..., S]."""
        return torch.tanh(self.samplers(*self.inputs(state)))

    def best(self, state: Tensor, u: Tensor) -> Tensor:
        """[C, B, D] of joint actions u [C, B, n, D], those that the critics rate highest."""
        place = self.critic(state.unsqueeze(1), u).argmax(-1)[..., None, None]
        return u.take_along_dim(place, 2).squeeze(2)


def repeated(state: Tensor, n: int) -> Tensor:
    """States [B, S], or actions [N, B, D], n times each: [B, n, S], or [N, B, n, D]."""
    return state.unsqueeze(-2).expand(*state.shape[:-1], n, -1)
