"""MMQ, max-max Q-learning (Zhu et al., 2024, arXiv 2411.11099): independent learners that hope.

Agent i learns from (s, u_i, r, s′), and a bad s′ may be its own doing or a partner's. Two quantile
models say between which bounds s′ comes to lie after (s, u_i); next states are drawn there, and
u_i is worth what the best of them promises, as if the partners did what is best. The published
agents have observations of their own; here all have the state, as with the other methods.

With returns of n steps all this is said of the jump s → s_{t+k} and of the return on the way, so
that agent i hopes for the best of its own next n − 1 actions too.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Self

import torch
from torch import Tensor

from svnr.checks import Count, Interval, Whole
from svnr.games.game import Game
from svnr.learners.independent import IndependentLearner, IndependentSettings
from svnr.learners.learner import Progress
from svnr.learners.memory import Transitions
from svnr.networks.mlp import StackedMLP, beside
from svnr.networks.optimizers import Trained


@dataclass(frozen=True, kw_only=True)
class MMQSettings(IndependentSettings):
    """Everything that MMQ can be told; each value with its source."""

    n_candidates: Whole = 15  # next states imagined after each row; public code
    quantile: Annotated[float, Interval(0, 0.5, low_open=True)] = 0.05
    # τ of the lower bound, 1 − τ of the upper; public code
    critic_steps: Count = 1  # towards one target; public code 10, here as many as others make
    n_rows: Count = 64  # of the batch that teach critics and actors; public code all of its 100

    def fitted_to(self, game: Game) -> Self:
        """See `OffPolicySettings.fitted_to`.

        Raises:
            ValueError: for a game of one step, which has no next states to choose from.
        """
        if game.horizon == 1:
            wanted = "one of several steps for MMQ, which learns from the best of the next states"
            raise ValueError(f"game must be {wanted}, got {game.name} of one step")
        return self


class MMQ(IndependentLearner):
    """N actors μ_i(s), N critics Q_i(s, u_i), and models of what follows upon (s, u_i).

    In a one-shot game nothing follows: what r̂_i can learn is E[r | u_i], and the target is r or
    that, whichever is larger.
    """

    settings: MMQSettings
    needs_steps = True

    def draw_models(self, game: Game) -> None:
        """Two quantile models an agent, those of all lower bounds first, and r̂_i(s, u_i, s′)."""
        told, n, size = self.settings, game.n_agents, game.state_size
        bounds = (size + self.width, *told.hidden, size)
        rewards = (2 * size + self.width, *told.hidden, 1)
        self.bounds = Trained(StackedMLP(2 * n, bounds, self._generator), told)
        self.rewards = Trained(StackedMLP(n, rewards, self._generator), told)

    def update(self, batch: Transitions, progress: Progress) -> dict[str, float]:
        """One step of the models, some of the critics, one of the actors; the targets follow."""
        self.fit_models(batch)
        rows = batch.head(self.settings.n_rows)
        target = self.target(rows)
        for _ in range(self.settings.critic_steps):
            loss = self.critic.learn(rows.state, rows.u, target)
        self.actors.climb(rows.state, partial(self.gain, rows.state))
        return {"noise_scale": self.finish(progress), "critic_loss": loss}

    def fit_models(self, batch: Transitions) -> None:
        """One step of the quantile models towards s′ − s, and of r̂ towards r."""
        own, increment = self._own(batch.u), batch.next_state - batch.state
        levels = torch.tensor([self.settings.quantile, 1 - self.settings.quantile])
        tau = levels.repeat_interleave(self.n_agents).view(-1, 1, 1)
        inputs = beside(batch.state, own).repeat(2, 1, 1)
        self.bounds.learn(lambda bound: pinball_slope(increment - bound, tau), inputs)
        reward, inputs = batch.reward.unsqueeze(-1), beside(batch.state, own, batch.next_state)
        self.rewards.learn(lambda forecast: reward - forecast, inputs)

    def target(self, batch: Transitions) -> Tensor:
        """[N, B] the largest of r + γᵏ(1 − d) V_i(s′) and of what the candidates promise."""
        real = self.bootstrapped(batch, self.next_value)
        if not self.settings.n_candidates:
            return real
        own = self._own(batch.u)
        return torch.maximum(real, self.promised(batch, own, self.candidates(batch.state, own)))

    def candidates(self, state: Tensor, own: Tensor) -> Tensor:
        """[N, B, M, S] next states, uniform between the bounds, coordinate by coordinate.

        Args:
            state: [B, S].
            own: [N, B, D] own actions played there, zero elsewhere.
        """
        increments = self.bounds(beside(state, own).repeat(2, 1, 1)).unsqueeze(2)
        lower, upper = (state.unsqueeze(1) + increments).chunk(2)
        shape = (*own.shape[:2], self.settings.n_candidates, state.shape[-1])
        return lower + torch.rand(shape, generator=self._generator) * (upper - lower)

    def promised(self, batch: Transitions, own: Tensor, ahead: Tensor) -> Tensor:
        """[N, B] max_m r̂_i(s, u_i, ŝ_m) + γᵏ(1 − d) Q′_i(ŝ_m, μ′_i(ŝ_m)).

        Args:
            batch: B transitions.
            own: [N, B, D] own actions played there, zero elsewhere.
            ahead: [N, B, M, S] candidates ŝ_m.
        """
        reward = self.rewards(beside(batch.state.unsqueeze(1), own.unsqueeze(2), ahead))
        flat = ahead.flatten(1, 2)
        value = self.critic.slow_apart(flat, self.actors.slow(flat)).view(ahead.shape[:-1])
        beyond = batch.weight.unsqueeze(-1) * self.critic.possible(value)
        return self.critic.possible(reward.squeeze(-1) + beyond).amax(-1)

    def _own(self, u: Tensor) -> Tensor:
        """[N, B, D] each agent's own part of joint actions [B, D], zero elsewhere."""
        return u * self.own.unsqueeze(1)


def pinball_slope(error: Tensor, tau: Tensor | float) -> Tensor:
    """Minus the derivative of ρ_τ = max(τ e, (τ − 1) e) by the forecast, least at a quantile.

    Args:
        error: e = x − forecast, of any shape.
        tau: which quantile of x is sought, from 0 to 1.

    Returns:
        τ where x lies above the forecast, τ − 1 where below.
    """
    return torch.where(error > 0, tau, tau - 1)
