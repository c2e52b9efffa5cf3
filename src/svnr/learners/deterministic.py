"""What methods with deterministic actors have in common: acting, exploring, perceiving."""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from svnr.checks import Interval, Positive
from svnr.games.game import Game
from svnr.learners.exploration import Exploration
from svnr.learners.learner import Execution, Progress, generators
from svnr.learners.off_policy import N_RECENT, OffPolicy, OffPolicySettings
from svnr.learners.schedules import fading
from svnr.networks.actors import Actors
from svnr.networks.critics import Critics


@dataclass(frozen=True, kw_only=True)
class DeterministicSettings(OffPolicySettings):
    """What every method with deterministic actors can be told."""

    noise_scale: Positive = 0.5  # of the exploration at the start; public code
    exploration_fraction: Annotated[float, Interval(0, 1, low_open=True)] = 1 / 6
    # of the run, until it has faded; public code


class DeterministicLearner(OffPolicy):
    """N actors μ_i(s) and noise around them; partners are known by what they lately did.

    Args:
        game: what is played; only its sizes and bounds are used.
        settings: how to learn it.
        seed: of the starting weights, of all noise and of the draws from the replay.
        note_size: E, numbers that the learner keeps with each transition.
    """

    settings: DeterministicSettings
    actors: Actors
    critic: Critics

    def __init__(
        self, game: Game, settings: DeterministicSettings, seed: int, note_size: int = 0
    ) -> None:
        super().__init__(game, settings, seed, note_size)
        self._generator, self._exploring = generators(seed, 2)
        self.exploration = Exploration(self.width, settings.noise_scale)

    def choose(self, state: Tensor, execution: Execution) -> Tensor:
        """See `OffPolicy.choose`."""
        u = self.executed(self.actors(state))
        if execution == "explore":
            u = (u + self.exploration.noise(len(u), self._exploring)).clamp(-1, 1)
        return u

    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """See `Learner.perceive`: its own actor, beside what the others lately did."""
        _, others = self.memory.recent(N_RECENT, len(state) * n_samples, self._generator)
        others = others.view(len(state), n_samples, -1)
        return torch.where(self.own[:, None, None], self.actors(state).unsqueeze(2), others)

    def fade(self, progress: Progress) -> float:
        """Lower the noise to what is left of it where so much of the run is done."""
        told = self.settings
        scale = fading(progress, told.noise_scale, told.exploration_fraction)
        self.exploration.scale = scale
        return scale
