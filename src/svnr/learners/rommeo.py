"""ROMMEO (Tian et al., 2019): maximum-entropy learning with a regularised model of the opponents.

Agent i models the others by ρ_i(u_−i | s), drawn towards what is good for the team and held near a
prior P_i of what they did lately, and answers the imagined actions with π_i(u_i | s, u_−i).
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from svnr.checks import Count
from svnr.games.game import Game
from svnr.learners.learner import Execution, Progress, generators
from svnr.learners.memory import Transitions
from svnr.learners.off_policy import OffPolicy
from svnr.learners.soft import SoftSettings
from svnr.networks.critics import Critics
from svnr.networks.gaussians import log_density_slope, squashed_gaussian, squashed_log_density
from svnr.networks.mlp import StackedMLP, beside
from svnr.networks.optimizers import Trained


@dataclass(frozen=True, kw_only=True)
class ROMMEOSettings(SoftSettings):
    """Everything that ROMMEO can be told; each value with its source."""

    n_samples: Count = 24  # joint actions imagined at each state, as many as SVNR moves
    n_prior: Count = 48  # of the recent actions, drawn for each step of the prior; ours
    n_recent: Count = 512  # joint actions that the prior is fitted to; public code


class ROMMEO(OffPolicy):
    """N policies π_i, opponent models ρ_i, priors P_i and joint critics Q_i.

    Args:
        game: what is played; only its sizes and bounds are used.
        settings: how to learn it.
        seed: of the starting weights, of all noise and of the draws from the replay.
    """

    settings: ROMMEOSettings

    def __init__(self, game: Game, settings: ROMMEOSettings, seed: int) -> None:
        super().__init__(game, settings, seed)
        n = game.n_agents
        self._generator, *self._own_generators = generators(seed, n + 1)
        gaussian = (*settings.hidden, 2 * self.width)
        models, priors = (
            StackedMLP(n, (game.state_size, *gaussian), self._generator, "tanh") for _ in range(2)
        )
        policies = StackedMLP(n, (game.state_size + self.width, *gaussian), self._generator)
        self.critic = Critics(game, settings, self._generator, n)
        self.reasoning = Trained(nn.ModuleList([models, policies]), settings)
        self.reasoning.net.requires_grad_(True)
        self.priors = Trained(priors, settings)

    def update(self, batch: Transitions, progress: Progress) -> dict[str, float]:
        """One step of the critics, of the priors, of models and policies, and of the targets."""
        told, alpha = self.settings, self.settings.alpha(progress)
        loss = self.judge(batch, partial(self.soft_value, alpha=alpha))
        self.fit_priors(*self.memory.recent(told.n_recent, told.n_prior, self._generator))
        self.reasoning.descend(self.reasoning_loss(batch.state[: told.n_groups], alpha))
        self.critic.follow()
        return {"alpha": alpha, "critic_loss": loss}

    def soft_value(self, state: Tensor, alpha: float) -> Tensor:
        """V_i [N, B] = Q′_i − α log π_i − log ρ_i + log P_i at one imagined joint action."""
        u, log_rho, log_pi = self.reason(state, self._noise(len(state)))
        q = self.critic.slow(state, u)
        return q - alpha * log_pi - log_rho + self.log_prior(state, u)

    def reasoning_loss(self, state: Tensor, alpha: float) -> Tensor:
        """Σ_i E[log ρ_i − log P_i − Q_i + α log π_i] (Tian et al., §3), imagined at states [G, S].

        Its gradient in ρ_i is that of the model's loss, and as u_−i does not depend on π_i, its
        gradient in π_i is that of the policy's loss, E[α log π_i − Q_i].
        """
        noise = self._noise(len(state), self.settings.n_samples)
        state = state.unsqueeze(1)
        u, log_rho, log_pi = self.reason(state, noise)
        q = self.critic(state, u)
        return (log_rho - self.log_prior(state, u) - q + alpha * log_pi).mean((1, 2)).sum()

    def reason(self, state: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """û_−i ∼ ρ_i(· | s), then u_i ∼ π_i(· | s, û_−i), for every agent.

        Args:
            state: [..., S].
            noise: [N, 2, ..., D] standard normal, for the imagined and the own actions.

        Returns:
            u [N, ..., D] own and imagined actions; log ρ_i(û_−i) and log π_i(u_i) [N, ...].
        """
        models, policies = self.reasoning.net
        others, log_rho = squashed_gaussian(models(self._for_all(state)), noise[:, 0])
        mine = self._mine(noise[:, 0])
        others = torch.where(mine, 0.0, others)
        own, log_pi = squashed_gaussian(policies(beside(state, others)), noise[:, 1])
        u = torch.where(mine, own, others)
        return u, (log_rho * ~mine).sum(-1), (log_pi * mine).sum(-1)

    def log_prior(self, state: Tensor, u: Tensor) -> Tensor:
        """log P_i(u_−i | s) [N, ...] of u [N, ..., D] (or [1, ..., D]) in states [..., S]."""
        out = self.priors(self._for_all(state))
        return (squashed_log_density(out, u) * ~self._mine(u)).sum(-1)

    def fit_priors(self, state: Tensor, u: Tensor) -> None:
        """One step up Σ_i E log P_i(u_−i | s) over joint actions [B, D] lately played."""
        others = ~self._mine(u.unsqueeze(0)).repeat(1, 1, 2)
        self.priors.learn(lambda out: log_density_slope(out, u) * others, self._for_all(state))

    def choose(self, state: Tensor, execution: Execution) -> Tensor:
        """See `OffPolicy.choose`; ROMMEO as published explores with independent noise."""
        size = (1, 2, len(state), self.width)
        if execution == "greedy":
            noise = torch.zeros(size)
        elif execution == "shared":
            noise = torch.randn(size, generator=self._generator)
        else:
            noise = self._noise(len(state))
        u, _, _ = self.reason(state, noise.expand(self.n_agents, *size[1:]))
        return self.executed(u)

    @torch.no_grad()
    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """See `Learner.perceive`: imagined partners, and the answer to them."""
        states = state.repeat_interleave(n_samples, 0)
        u, _, _ = self.reason(states, self._noise(len(states)))
        return u.view(self.n_agents, len(state), n_samples, -1)

    def _for_all(self, state: Tensor) -> Tensor:
        return state.expand(self.n_agents, *state.shape)

    def _mine(self, u: Tensor) -> Tensor:
        """Which coordinates of u [N, ..., D] are agent i's own."""
        return self.own.view(self.n_agents, *(1,) * (u.dim() - 2), -1)

    def _noise(self, *shape: int) -> Tensor:
        """[N, 2, *shape, D] of each agent's own."""
        size = (2, *shape, self.width)
        return torch.stack([torch.randn(size, generator=g) for g in self._own_generators])
