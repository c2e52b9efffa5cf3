"""What methods that act without chance have in common: exploring, actors, perceiving."""

from abc import abstractmethod
from dataclasses import dataclass
from math import inf
from typing import Annotated

import torch
from torch import Tensor

from svnr.checks import Interval, Positive, added
from svnr.games.game import Game
from svnr.learners.exploration import Exploration
from svnr.learners.learner import Execution, Progress, generators
from svnr.learners.off_policy import N_RECENT, OffPolicy, OffPolicySettings
from svnr.learners.schedules import fading
from svnr.networks.actors import Actors
from svnr.networks.critics import Critics, Sees
from svnr.networks.mlp import StackedMLP
from svnr.networks.optimizers import Trained
from svnr.stein.births import latent, uniform


@dataclass(frozen=True, kw_only=True)
class ExploringSettings(OffPolicySettings):
    """What every method that acts without chance can be told."""

    noise_scale: Positive = 0.5  # of the exploration at the start; public code
    exploration_fraction: Annotated[float, Interval(0, 1, low_open=True)] = 1 / 6
    # of the run, until it has faded; public code


class ExploringLearner(OffPolicy):
    """Acts without chance, and while it explores with noise around that."""

    settings: ExploringSettings

    def __init__(self, game: Game, settings: ExploringSettings, seed: int) -> None:
        super().__init__(game, settings, seed)
        self._generator, self._exploring = generators(seed, 2)
        self.exploration = Exploration(self.width, settings.noise_scale)

    @abstractmethod
    def intended(self, state: Tensor) -> Tensor:
        """The joint action [B, D] that is thought best in each state [B, S]."""

    def choose(self, state: Tensor, execution: Execution) -> Tensor:
        """See `OffPolicy.choose`."""
        u = self.intended(state)
        if execution == "explore":
            u = (u + self.exploration.noise(len(u), self._exploring)).clamp(-1, 1)
        return u

    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """See `Learner.perceive`: every agent counts on all to do what is thought best now."""
        joint = self.intended(state).unsqueeze(1)
        return joint.expand(self.n_agents, -1, n_samples, -1)

    def fade(self, progress: Progress) -> float:
        """Let the noise fall to what is left of it by now."""
        told = self.settings
        self.exploration.scale = fading(progress, told.noise_scale, told.exploration_fraction)
        return self.exploration.scale


@dataclass(frozen=True, kw_only=True)
class DeterministicSettings(ExploringSettings):
    """What every method with deterministic actors can be told."""

    start_anywhere: bool = added(False)  # at a random joint action, where biases of 0 give 0; ours


class DeterministicLearner(ExploringLearner):
    """N actors μ_i(s), N critics and noise; partners are known by what they lately did.

    Args:
        game: what is played; only its sizes and bounds are used.
        settings: how to learn it.
        seed: of the starting weights, of all noise and of the draws from the replay.
    """

    settings: DeterministicSettings
    sees: Sees = "joint"  # which actions critics judge

    def __init__(self, game: Game, settings: DeterministicSettings, seed: int) -> None:
        super().__init__(game, settings, seed)
        max_norm = getattr(settings, "max_gradient_norm", inf)  # of all critics, of all actors
        n, shape = self.n_agents, (game.state_size, *settings.hidden, self.width)
        # In this order: what a seed draws for one network depends on those before it.
        live = StackedMLP(n, shape, self._generator, "tanh")
        if settings.start_anywhere:
            *_, source = generators(seed, 4)  # the third may be a method's own
            live.biases[-1].data += latent(uniform(self.width, generator=source))
        self.draw_models(game)
        self.critic = self.draw_critic(game, max_norm)
        slow = StackedMLP(n, shape, self._generator, "tanh")
        self.actors = Actors(self.own, Trained(live, settings, max_norm, slow))

    def draw_models(self, game: Game) -> None:
        """Make what a method learns beside actors and critics; most make nothing."""

    def draw_critic(self, game: Game, max_norm: float) -> Critics:
        """Make what judges actions; by default a critic an agent."""
        how = (self._generator, self.n_agents, self.sees)
        return Critics(game, self.settings, *how, max_norm=max_norm)

    def intended(self, state: Tensor) -> Tensor:
        """See `ExploringLearner.intended`."""
        return self.executed(self.actors(state))

    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """See `Learner.perceive`: its own actor, beside what the others lately did."""
        _, others = self.memory.recent(N_RECENT, len(state) * n_samples, self._generator)
        others = others.view(len(state), n_samples, -1)
        return torch.where(self.own[:, None, None], self.actors(state).unsqueeze(2), others)

    def next_value(self, state: Tensor) -> Tensor:
        """[C, B] Q′(s′, μ′(s′)) of the target networks."""
        return self.critic.slow(state, self.executed(self.actors.slow(state)))

    def finish(self, progress: Progress) -> float:
        """End an update: the targets follow, and the noise fades."""
        self.critic.follow()
        self.actors.follow()
        return self.fade(progress)
