"""MADDPG (Lowe et al., 2017): a central critic and a deterministic actor an agent.

Agent i climbs Q_i with the partners' actions as the replay has them: it learns the best response
to what they did, not to what they will do. That is perceived over-generalization.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from svnr.checks import Count, Positive
from svnr.learners.deterministic import DeterministicLearner, DeterministicSettings
from svnr.learners.learner import Progress
from svnr.learners.memory import Transitions


@dataclass(frozen=True, kw_only=True)
class MADDPGSettings(DeterministicSettings):
    """Everything that MADDPG can be told; each value with its source."""

    n_rows: Count = 192  # of the batch that teach actors, as many as SVNR moves; public code 512
    max_gradient_norm: Positive = 0.5  # of all critics, of all actors; public code, there an agent


class MADDPG(DeterministicLearner):
    """N actors μ_i and N critics Q_i(s, u), with targets."""

    settings: MADDPGSettings

    def update(self, batch: Transitions, progress: Progress) -> dict[str, float]:
        """One step of the critics, one of the actors; the targets follow them."""
        loss = self.judge(batch, self.next_value)
        state, u = batch.state[: self.settings.n_rows], batch.u[: self.settings.n_rows]
        self.actors.climb(state, lambda own: self.gain(state, own, u))
        return {"noise_scale": self.finish(progress), "critic_loss": loss}

    def gain(self, state: Tensor, own: Tensor, u: Tensor) -> Tensor:
        """Σ_i E[Q_i(s, u_1, …, μ_i(s), …, u_N)] over rows of the replay, (5) of Lowe et al.

        Args:
            state: [B, S].
            own: [N, B, D] the actors' μ_i(s), in agent i's own coordinates.
            u: [B, D] the joint actions played.
        """
        joint = torch.where(self.own.unsqueeze(1), own, u)
        return self.critic(state, joint).mean(-1).sum()
