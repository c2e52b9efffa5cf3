"""ROMMEO (Tian et al., 2019): maximum-entropy learning with a regularised model of the opponents.

Agent i models the others by ρ_i(u_−i | s), drawn towards what is good for the team and held near a
prior P_i of what they did lately, and answers the imagined actions with π_i(u_i | s, u_−i).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

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
from svnr.learners.losses import bootstrapped, learn_values
from svnr.learners.networks import (
    Adam,
    StackedMLP,
    Target,
    beside,
    in_one_piece,
    own_coordinates,
    two_critics,
)
from svnr.learners.replay import Batch, Recent
from svnr.learners.schedules import SCHEDULES, schedule

LOG_STD = (-20.0, 2.0)  # bounds of the Gaussians' log σ; public code


@dataclass(frozen=True, kw_only=True)
class ROMMEOSettings:
    """Everything that ROMMEO can be told; each value with its source."""

    schedule: str = "three_phase"  # α over episodes, as for SVNR
    alpha_final: float = 10.0  # α′, in payoff units; searched in 0.1 to 10 (§8)
    learning_rate: float = 0.005  # Adam, all networks; searched in 1e-4 to 1e-1 (§8)
    n_groups: int = 8  # states of the batch that are reasoned about; as for SVNR
    n_samples: int = 24  # joint actions imagined at each, as many as SVNR moves
    n_prior: int = 48  # of the recent actions, drawn for each step of the prior; ours
    n_recent: int = 512  # joint actions that the prior is fitted to; public code
    hidden: tuple[int, ...] = (100, 100)  # layers; tanh where only the state goes in; ROMMEO's
    discount: float = 0.95  # γ; ROMMEO's
    target_rate: float = 0.01  # τ of the target critics; ROMMEO's
    layer_norm: bool = False  # in the critics; for games with states, where values run away; ours

    def __post_init__(self) -> None:
        """Refuse values that no run could use."""
        check_positive(self, "alpha_final", "learning_rate")
        check_one_of(self, schedule=SCHEDULES)
        for name in ("n_groups", "n_samples", "n_prior", "n_recent"):
            check_count(name, getattr(self, name))


class ROMMEO(Learner):
    """N policies π_i, opponent models ρ_i, priors P_i and joint critics Q_i.

    Args:
        game: what is played; only its sizes and bounds are used.
        settings: how to learn it.
        n_episodes: length of the run, which some schedules need.
        seed: of the starting weights and of all noise.
    """

    version = 1  # raised when a change of the code changes the numbers of a run

    def __init__(self, game: Game, settings: ROMMEOSettings, n_episodes: int, seed: int) -> None:
        n, width, hidden = game.n_agents, sum(game.action_sizes), settings.hidden
        self.settings, self.n_agents, self._bounds = settings, n, return_bounds(game)
        self.alpha = schedule(settings.schedule, settings.alpha_final, n_episodes)
        self._width = width
        self._slices = agent_slices(game.action_sizes)
        self._own = own_coordinates(game.action_sizes)  # [N, D]
        self._generator, *self._own_generators = generators(seed, n + 1)
        generator = self._generator
        self.opponent_models, self.priors = (
            StackedMLP(n, (game.state_size, *hidden, 2 * width), generator, "tanh")
            for _ in range(2)
        )
        sizes = (game.state_size + width, *hidden, 2 * width)
        self.policies = StackedMLP(n, sizes, generator)
        self.critics, self.target_critics = two_critics(game, settings, generator)
        self.recent = Recent(settings.n_recent, game.state_size, width)
        theta = in_one_piece(self.critics)
        reasoning = nn.ModuleList([self.opponent_models, self.policies])
        rate = settings.learning_rate
        self._critic_adam = Adam(self.critics, theta, rate)
        self._reasoning_adam = Adam(reasoning, in_one_piece(reasoning), rate)
        self._prior_adam = Adam(self.priors, in_one_piece(self.priors), rate)
        self._target = Target(self.target_critics, self.critics, theta, settings.target_rate)

    def reason(self, state: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """û_−i ∼ ρ_i(· | s), then u_i ∼ π_i(· | s, û_−i), for every agent.

        Args:
            state: [..., S].
            noise: [N, 2, ..., D] standard normal, for the imagined and the own actions.

        Returns:
            u [N, ..., D] own and imagined actions; log ρ_i(û_−i) and log π_i(u_i) [N, ...].
        """
        states = state.expand(self.n_agents, *state.shape)
        others, log_rho = squashed_gaussian(self.opponent_models(states), noise[:, 0])
        mine = self._mine(noise[:, 0])
        others = torch.where(mine, 0.0, others)
        own, log_pi = squashed_gaussian(self.policies(beside(state, others)), noise[:, 1])
        u = torch.where(mine, own, others)
        return u, (log_rho * ~mine).sum(-1), (log_pi * mine).sum(-1)

    def _mine(self, u: Tensor) -> Tensor:
        """Which coordinates of u [N, ..., D] are agent i's own."""
        return self._own.view(self.n_agents, *(1,) * (u.dim() - 2), -1)

    def _noise(self, *shape: int) -> Tensor:
        """[N, 2, *shape, D] of each agent's own."""
        size = (2, *shape, self._width)
        return torch.stack([torch.randn(size, generator=g) for g in self._own_generators])

    @torch.no_grad()
    def act(self, state: Tensor, execution: Execution) -> Tensor:
        """See `Learner.act`; ROMMEO as published explores and acts with independent noise."""
        check_execution(execution)
        size = (1, 2, len(state), self._width)
        if execution == "greedy":
            noise = torch.zeros(size)
        elif execution == "shared":
            noise = torch.randn(size, generator=self._generator)
        else:
            noise = self._noise(len(state))
        u, _, _ = self.reason(state, noise.expand(self.n_agents, *size[1:]))
        return torch.cat([u[i, :, part] for i, part in enumerate(self._slices)], -1)

    def observe(self, state: Tensor, u: Tensor) -> Tensor:
        """See `Learner.observe`: remember what everybody did, for the priors."""
        self.recent.add(state, u)
        return super().observe(state, u)

    @torch.no_grad()
    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """See `Learner.perceive`: imagined partners, and the answer to them."""
        states = state.repeat_interleave(n_samples, 0)
        u, _, _ = self.reason(states, self._noise(len(states)))
        return u.view(self.n_agents, len(state), n_samples, -1)

    def update(self, batch: Batch, episode: int) -> dict[str, float]:
        """One step of the critics, of the priors, of models and policies, and of the targets."""
        alpha = self.alpha(episode)
        target = bootstrapped(
            batch,
            lambda state: self.soft_value(state, alpha),
            self.settings.discount,
            self._bounds,
        )
        u = batch.u.unsqueeze(0)
        loss = learn_values(self.critics, self._critic_adam, batch.state, u, target)
        recent = self.recent.sample(self.settings.n_prior, self._generator)
        self._prior_adam.step(self.prior_slopes(*recent))
        state = batch.state[: self.settings.n_groups]
        self._reasoning_adam.descend(self.reasoning_loss(state, alpha))
        self._target.follow()
        return {"alpha": alpha, "critic_loss": loss / self.n_agents}

    @torch.no_grad()
    def soft_value(self, state: Tensor, alpha: float) -> Tensor:
        """V_i [N, B] = Q′_i − α log π_i − log ρ_i + log P_i at one imagined joint action."""
        u, log_rho, log_pi = self.reason(state, self._noise(len(state)))
        q = self.target_critics(state, u)
        return q - alpha * log_pi - log_rho + self.log_prior(state, u)

    def log_prior(self, state: Tensor, u: Tensor, learning: bool = True) -> Tensor:
        """log P_i(u_−i | s) [N, ...] of u [N, ..., D] (or [1, ..., D]) in states [..., S]."""
        out = self.priors(state.expand(self.n_agents, *state.shape), learning=learning)
        return (squashed_log_density(out, u) * ~self._mine(u)).sum(-1)

    @torch.no_grad()
    def prior_slopes(self, state: Tensor, u: Tensor) -> Tensor:
        """The gradient of −Σ_i E log P_i(u_−i | s) over joint actions [B, D] lately played."""
        out, trail = self.priors.record(state.expand(self.n_agents, *state.shape))
        others = ~self._mine(out[..., : self._width])
        slope = log_density_slope(out, u) * torch.cat([others, others], -1)
        return self.priors.slopes(trail, slope / -len(u))

    def reasoning_loss(self, state: Tensor, alpha: float) -> Tensor:
        """Σ_i E[log ρ_i − log P_i − Q_i + α log π_i] (Tian et al., §3), imagined at states [G, S].

        Its gradient in ρ_i is that of the model's loss, and as u_−i does not depend on π_i, its
        gradient in π_i is that of the policy's loss, E[α log π_i − Q_i].
        """
        noise = self._noise(len(state), self.settings.n_samples)
        state = state.unsqueeze(1)
        u, log_rho, log_pi = self.reason(state, noise)
        q = self.critics(state, u, learning=False)
        loss = log_rho - self.log_prior(state, u, learning=False) - q + alpha * log_pi
        return loss.mean((1, 2)).sum()

    def parts(self) -> dict[str, Part]:
        """See `Learner.parts`."""
        own = {f"own_generator_{i}": g for i, g in enumerate(self._own_generators)}
        return {
            "policies": self.policies,
            "opponent_models": self.opponent_models,
            "priors": self.priors,
            "critics": self.critics,
            "target_critics": self.target_critics,
            "recent": self.recent,
            "critic_adam": self._critic_adam,
            "reasoning_adam": self._reasoning_adam,
            "prior_adam": self._prior_adam,
            "generator": self._generator,
            **own,
        }


def squashed_gaussian(out: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """u = tanh(μ + σ ε) and log p(u), coordinate by coordinate.

    Args:
        out: [..., 2 D] μ and log σ, the latter clamped.
        noise: [..., D] standard normal ε.

    Returns:
        u and log p(u), both [..., D].
    """
    mean, log_std = _mean_and_log_std(out)
    z = mean + log_std.exp() * noise
    log_normal = -0.5 * noise.square() - log_std - 0.5 * math.log(2 * math.pi)
    return torch.tanh(z), log_normal - _log_slope(z)


def squashed_log_density(out: Tensor, u: Tensor, edge: float = 1e-6) -> Tensor:
    """log p(u) [..., D] of actions that came from elsewhere; arguments as above.

    Actions at the edge of the box, where the density has a pole, are moved inside by `edge`.
    """
    z, noise, log_std = _noise_behind(out, u, edge)
    log_normal = -0.5 * noise.square() - log_std - 0.5 * math.log(2 * math.pi)
    return log_normal - _log_slope(z)


def log_density_slope(out: Tensor, u: Tensor, edge: float = 1e-6) -> Tensor:
    """The gradient [..., 2 D] of `squashed_log_density` in what the network gave.

    ε / σ in the mean and ε² − 1 in log σ, where that is not clamped; ε is what gives u.
    """
    _, noise, log_std = _noise_behind(out, u, edge)
    unclamped = log_std == out.chunk(2, -1)[1]
    return torch.cat([noise / log_std.exp(), (noise.square() - 1) * unclamped], -1)


def _noise_behind(out: Tensor, u: Tensor, edge: float) -> tuple[Tensor, Tensor, Tensor]:
    """z = atanh(u), the ε with which μ + σ ε = z, and log σ, all [..., D]."""
    mean, log_std = _mean_and_log_std(out)
    z = torch.atanh(u.clamp(edge - 1, 1 - edge))
    return z, (z - mean) / log_std.exp(), log_std


def _mean_and_log_std(out: Tensor) -> tuple[Tensor, Tensor]:
    mean, log_std = out.chunk(2, -1)
    return mean, log_std.clamp(*LOG_STD)


def _log_slope(z: Tensor) -> Tensor:
    """log(1 − tanh(z)²), without cancellation."""
    return 2 * (math.log(2) - z - functional.softplus(-2 * z))
