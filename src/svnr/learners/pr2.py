"""PR2 (Wen et al., 2019): each agent reasons how the others answer what it does.

Agent i has a deterministic actor μ_i, a joint critic Q_i, and a model ρ_i(u_−i | s, u_i) of the
others' answer, moved by amortised SVGD towards exp(Q_i / α). It acts as if they would answer so.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Self

import torch
from torch import Tensor

from svnr.checks import Count, Interval
from svnr.games.game import Game
from svnr.learners.deterministic import DeterministicLearner, DeterministicSettings
from svnr.learners.learner import Progress
from svnr.learners.losses import soft_value_printed, stein_direction
from svnr.learners.memory import Transitions
from svnr.learners.soft import ParticleSettings, repeated
from svnr.networks.mlp import StackedMLP, beside
from svnr.networks.optimizers import Trained
from svnr.sets import full
from svnr.stein.negotiation import kernel_mask


@dataclass(frozen=True, kw_only=True)
class PR2Settings(DeterministicSettings, ParticleSettings):
    """Everything that PR2 can be told; each value with its source."""

    n_particles: Annotated[int, Interval(4)] = 38  # M per state; public code; searched in 16 to 64
    noise_size: Count | None = None  # of an opponent model; by default as many as it drives

    def fitted_to(self, game: Game) -> Self:
        """See `OffPolicySettings.fitted_to`: the largest number of partners' coordinates."""
        partners = sum(game.action_sizes) - min(game.action_sizes)
        return replace(self, noise_size=self.noise_size or max(partners, 1))


class PR2(DeterministicLearner):
    """N actors, N joint critics and N opponent models.

    The published method also fits an individual critic q_i(s, u_i) and moves ρ_i towards
    exp((Q_i − q_i) / α). As q_i does not depend on u_−i, it changes neither that direction nor
    any action, and is left out. A public version of its code draws the answers that an actor
    learns from for the action in the replay; here, as in the paper, they answer the actor's own.
    """

    settings: PR2Settings

    def draw_models(self, game: Game) -> None:
        """ρ_i, of whose outputs agent i uses the others'."""
        told, n = self.settings, game.n_agents
        self._noise_size = told.noise_size or 1
        sizes = (game.state_size + self.width + self._noise_size, *told.hidden, self.width)
        self.opponent_models = Trained(StackedMLP(n, sizes, self._generator), told)
        self.mask = kernel_mask(full(n), game.action_sizes)
        self._others = ~self.own[:, None, None]  # [N, 1, 1, D]

    def update(self, batch: Transitions, progress: Progress) -> dict[str, float]:
        """One step of the critics, the opponent models and the actors; the targets follow."""
        alpha, groups = self.settings.alpha(progress), self.settings.n_groups
        loss = self.judge(batch, partial(self.soft_value, alpha=alpha))
        state, u = batch.state[:groups], batch.u[:groups]
        self.move_opponents(state, u, alpha)
        self.actors.climb(state, partial(self.gain, state, alpha=alpha))
        self.finish(progress)
        return {"alpha": alpha, "critic_loss": loss}

    def soft_value(self, state: Tensor, alpha: float) -> Tensor:
        """V_i [N, B]: α log E exp(Q′_i / α) over answers to the target actors."""
        u = self._with_answers(state, self.actors.slow(state), self.settings.n_value_particles)
        return soft_value_printed(self.critic.slow(state.unsqueeze(1), u), alpha)

    def move_opponents(self, state: Tensor, u: Tensor, alpha: float) -> None:
        """The amortised Stein direction of ρ_i to exp(Q_i / α).

        Args:
            state: [G, S] states.
            u: [G, D] joint actions played there; ρ_i answers agent i's part.
            alpha: the temperature.
        """
        states = state.unsqueeze(1)  # [G, 1, S]
        own = repeated(u * self.own.unsqueeze(1), self.settings.n_particles // 2)  # [N, G, M, D]
        fixed = self.opponent_models(self._inputs(states, own)) * self._others

        def slope(answers: Tensor) -> Tensor:
            return self.critic.action_gradient(states, own + answers)

        def direction(z: Tensor) -> Tensor:
            phi = stein_direction(fixed, z * self._others, slope, alpha, self.mask, "pre_tanh")
            return phi * self._others

        self.opponent_models.learn(direction, self._inputs(states, own))

    def gain(self, state: Tensor, own: Tensor, alpha: float) -> Tensor:
        """Σ_i E[α log E_{u_−i ∼ ρ_i(· | s, μ_i)} exp(Q_i(s, μ_i, u_−i) / α)] (Wen et al., §4).

        Its gradient reaches μ_i [N, G, D] through the answers too.
        """
        u = self._with_answers(state, own, self.settings.n_particles // 2)
        return soft_value_printed(self.critic(state.unsqueeze(1), u), alpha).mean(-1).sum()

    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """See `Learner.perceive`: its own actor, and how it imagines the others' answer."""
        return self._with_answers(state, self.actors(state), n_samples)

    def _with_answers(self, state: Tensor, intended: Tensor, n: int) -> Tensor:
        """[N, B, n, D] agent i's intended action [N, B, D] beside n answers to it from ρ_i."""
        own = repeated(intended, n)
        answers = self.opponent_models.net(self._inputs(state.unsqueeze(1), own))
        return own + torch.tanh(answers * self._others)

    def _inputs(self, state: Tensor, own: Tensor) -> Tensor:
        """States and own actions beside noise, [N, ..., S + D + noise_size]."""
        noise = torch.randn((*own.shape[:-1], self._noise_size), generator=self._generator)
        return beside(state, own, noise)
