"""Independent learners: each agent knows its own action only, as if it were alone in the game."""

from dataclasses import dataclass
from typing import Annotated

from torch import Tensor

from svnr.checks import Interval, Positive
from svnr.learners.deterministic import DeterministicLearner, DeterministicSettings


@dataclass(frozen=True, kw_only=True)
class IndependentSettings(DeterministicSettings):
    """What every independent learner can be told; each value with its source."""

    noise_scale: Positive = 1.0  # of the exploration at the start; ours: it must reach both hills
    exploration_fraction: Annotated[float, Interval(0, 1, low_open=True)] = 0.5  # of the run; ours


class IndependentLearner(DeterministicLearner):
    """N actors μ_i(s) and N critics Q_i(s, u_i)."""

    settings: IndependentSettings
    sees = "own"

    def gain(self, state: Tensor, own: Tensor) -> Tensor:
        """Σ_i E[Q_i(s, μ_i(s))] over states [B, S] and the actors' actions [N, B, D]."""
        return self.critic(state, own).mean(-1).sum()

    def next_value(self, state: Tensor) -> Tensor:
        """[N, B] Q′_i(s′, μ′_i(s′)) of the target networks."""
        return self.critic.slow(state, self.actors.slow(state))
