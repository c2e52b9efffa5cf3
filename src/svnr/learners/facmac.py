"""FACMAC (Peng et al., 2021): deterministic actors that climb one factored critic together.

The critic mixes each agent's utility of its own action into one value of the team. All actors
climb it at once, from what all of them do now: MADDPG's climb one by one, beside what the others
did in the replay.
"""

from dataclasses import dataclass
from functools import partial

from torch import Tensor

from svnr.checks import Count, Positive
from svnr.games.game import Game
from svnr.learners.deterministic import (
    DeterministicLearner,
    DeterministicSettings,
    ExploringLearner,
)
from svnr.learners.learner import Progress
from svnr.learners.memory import Transitions
from svnr.networks.mixers import MixedCritics, Mixing


@dataclass(frozen=True, kw_only=True)
class FACMACSettings(DeterministicSettings):
    """Everything that FACMAC can be told; each value with its source."""

    mixing: Mixing = "monotone"  # of the utilities; or "free", its nonmonotonic form, or "sum"
    embedding: Count = 64  # hidden units of the mixing network; public code
    n_rows: Count = 192  # of the batch that teach actors, as MADDPG's; public code all
    max_gradient_norm: Positive = 0.5  # of utilities and mixing, of all actors; public code


class FACMAC(DeterministicLearner):
    """N actors μ_i and one critic Q_tot(s, u) mixed from N utilities Q_i(s, u_i), with targets.

    The public code takes 1e-3 · mean(μ²) off for large actions, of all coordinates. Here, as in
    every method with actors, it is 1e-3 · Σ_d z_d² before the tanh, u = tanh(z), which keeps
    actions from where it is flat. Its Adam has 0.01 beside the root of the mean square, so that
    steps shrink with gradients; here that is 1e-8.
    """

    version = 2
    settings: FACMACSettings
    critic: MixedCritics

    def draw_critic(self, game: Game, max_norm: float) -> MixedCritics:
        """See `DeterministicLearner.draw_critic`."""
        told = self.settings
        return MixedCritics(game, told, self._generator, told.mixing, told.embedding, max_norm)

    def update(self, batch: Transitions, progress: Progress) -> dict[str, float]:
        """One step of the critic, one of the actors; the targets follow them."""
        loss = self.judge(batch, self.next_value)
        state = batch.state[: self.settings.n_rows]
        self.actors.climb(state, partial(self.gain, state))
        return {"noise_scale": self.finish(progress), "critic_loss": loss}

    def gain(self, state: Tensor, own: Tensor) -> Tensor:
        """E[Q_tot(s, μ_1(s), …, μ_N(s))] (Peng et al., §4.2): the actions of all are the actors'.

        Args:
            state: [B, S].
            own: [N, B, D] the actors' μ_i(s), in agent i's own coordinates.
        """
        return self.critic(state, self.executed(own)).mean()

    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """See `Learner.perceive`: what all actors do now, for that is where each climbs from."""
        return ExploringLearner.perceive(self, state, n_samples)
