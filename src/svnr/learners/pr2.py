"""PR2 (Wen et al., 2019): each agent reasons how the others answer what it does.

Agent i has a deterministic actor μ_i, a joint critic Q_i, and a model ρ_i(u_−i | s, u_i) of the
others' answer, moved by amortised SVGD towards exp(Q_i / α). It acts as if they would answer so.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from svnr.checks import check_count
from svnr.games.game import Game
from svnr.learners.checkpoint import Part
from svnr.learners.deterministic import DeterministicLearner
from svnr.learners.learner import check_one_of, check_positive
from svnr.learners.losses import (
    bootstrapped,
    learn_values,
    soft_value_printed,
    stein_direction,
)
from svnr.learners.networks import Adam, StackedMLP, Target, beside, in_one_piece, two_critics
from svnr.learners.replay import Batch
from svnr.learners.schedules import SCHEDULES, schedule
from svnr.sets import full
from svnr.stein.negotiation import kernel_mask


@dataclass(frozen=True, kw_only=True)
class PR2Settings:
    """Everything that PR2 can be told; each value with its source."""

    schedule: str = "three_phase"  # α over episodes, as for SVNR
    alpha_final: float = 10.0  # α′, in payoff units; searched in 0.1 to 10 (§8)
    learning_rate: float = 0.005  # Adam, all networks; searched in 1e-4 to 1e-1 (§8)
    n_particles: int = 38  # M per state; public code; searched in 16 to 64 (§8)
    n_groups: int = 8  # states of the batch that get particles; as for SVNR
    n_value_particles: int = 24  # answers imagined for the soft value; as for SVNR
    noise_size: int = 2  # noise coordinates of an opponent model; ours: one a partner
    noise_scale: float = 0.5  # of the exploration at the start; as for MADDPG
    exploration_fraction: float = 1 / 6  # of the run, until it has faded; as for MADDPG
    hidden: tuple[int, ...] = (100, 100)  # layers; ReLU critics, tanh actors; ROMMEO's
    discount: float = 0.95  # γ; ROMMEO's
    target_rate: float = 0.01  # τ of the target networks; ROMMEO's
    layer_norm: bool = False  # in the critics; for games with states, where values run away; ours

    def __post_init__(self) -> None:
        """Refuse values that no run could use."""
        check_positive(self, "alpha_final", "learning_rate", "noise_scale", "exploration_fraction")
        check_one_of(self, schedule=SCHEDULES)
        check_count("n_particles", self.n_particles, least=4)
        for name in ("n_groups", "n_value_particles", "noise_size"):
            check_count(name, getattr(self, name))


class PR2(DeterministicLearner):
    """N actors, N joint critics and N opponent models.

    The published method also fits an individual critic q_i(s, u_i) and moves ρ_i towards
    exp((Q_i − q_i) / α). As q_i does not depend on u_−i, it changes neither that direction nor
    any action, and is left out.

    Args:
        game: what is played; only its sizes and bounds are used.
        settings: how to learn it.
        n_episodes: length of the run, which some schedules need.
        seed: of the starting weights and of all noise.
    """

    version = 1  # raised when a change of the code changes the numbers of a run

    def __init__(self, game: Game, settings: PR2Settings, n_episodes: int, seed: int) -> None:
        noise = (settings.noise_scale, settings.exploration_fraction)
        super().__init__(game, settings.hidden, *noise, n_episodes, seed)
        n, width, generator = game.n_agents, sum(game.action_sizes), self._generator
        self.settings = settings
        self.alpha = schedule(settings.schedule, settings.alpha_final, n_episodes)
        sizes = (game.state_size + width + settings.noise_size, *settings.hidden, width)
        self.opponent_models = StackedMLP(n, sizes, generator)  # agent i uses the others' outputs
        self.critics, self.target_critics = two_critics(game, settings, generator)
        actor_sizes = (game.state_size, *settings.hidden, width)
        self.target_actors = StackedMLP(n, actor_sizes, generator, "tanh")
        self.mask = kernel_mask(full(n), game.action_sizes)
        theta, mu = in_one_piece(self.critics), in_one_piece(self.actors)
        self._critic_adam = Adam(self.critics, theta, settings.learning_rate)
        self._actor_adam = Adam(self.actors, mu, settings.learning_rate)
        rho = in_one_piece(self.opponent_models)
        self._opponent_adam = Adam(self.opponent_models, rho, settings.learning_rate)
        self._targets = (
            Target(self.target_critics, self.critics, theta, settings.target_rate),
            Target(self.target_actors, self.actors, mu, settings.target_rate),
        )

    def latent_answers(self, state: Tensor, own: Tensor) -> Tensor:
        """z [N, ..., D]: how agent i imagines the others' answer, before the tanh.

        Its own coordinates hold zeros. The models themselves get no gradient here.

        Args:
            state: [..., S].
            own: [N, ..., D] agent i's action in its own coordinates, zero elsewhere.
        """
        answers = self.opponent_models(self._inputs(state, own), learning=False)
        return answers * self._others(own)

    def _inputs(self, state: Tensor, own: Tensor) -> Tensor:
        """States and own actions beside noise, [N, ..., S + D + noise_size]."""
        noise = torch.randn((*own.shape[:-1], self.settings.noise_size), generator=self._generator)
        return beside(state, own, noise)

    def _others(self, u: Tensor) -> Tensor:
        """Which coordinates of u [N, ..., D] are the partners'."""
        return ~self._own.view(len(self._own), *(1,) * (u.dim() - 2), -1)

    @torch.no_grad()
    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """See `Learner.perceive`: its own actor, and how it imagines the others' answer."""
        return self._with_answers(state, self.intended(state), n_samples)

    def _with_answers(self, state: Tensor, intended: Tensor, n: int) -> Tensor:
        """[N, B, n, D] agent i's intended action [N, B, D] beside n answers to it from ρ_i."""
        own = intended.unsqueeze(2).expand(-1, -1, n, -1)
        return own + torch.tanh(self.latent_answers(state.unsqueeze(1), own))

    def update(self, batch: Batch, episode: int) -> dict[str, float]:
        """One step of the critics, the opponent models, the actors and the targets."""
        self.exploration.episode.fill_(episode)
        alpha = self.alpha(episode)
        target = bootstrapped(
            batch,
            lambda state: self.soft_value(state, alpha),
            self.settings.discount,
            self._bounds,
        )
        u = batch.u.unsqueeze(0)
        loss = learn_values(self.critics, self._critic_adam, batch.state, u, target)
        groups = self.settings.n_groups
        state = batch.state[:groups]
        self._opponent_adam.step(self.opponent_slopes(state, batch.u[:groups], alpha))
        self._actor_adam.descend(self.actor_loss(state, alpha))
        for each in self._targets:
            each.follow()
        return {"alpha": alpha, "critic_loss": loss / self.n_agents}

    @torch.no_grad()
    def soft_value(self, state: Tensor, alpha: float) -> Tensor:
        """V_i [N, B]: α log E exp(Q′_i / α) over answers to the target actors."""
        intended = self.intended(state, self.target_actors)
        u = self._with_answers(state, intended, self.settings.n_value_particles)
        return soft_value_printed(self.target_critics(state.unsqueeze(1), u), alpha)

    @torch.no_grad()
    def opponent_slopes(self, state: Tensor, u: Tensor, alpha: float) -> Tensor:
        """Minus the amortised Stein direction of ρ_i to exp(Q_i / α), carried to its weights.

        Args:
            state: [G, S] states.
            u: [G, D] joint actions played there; ρ_i answers agent i's part.
            alpha: the temperature.
        """
        half = self.settings.n_particles // 2
        states = state.unsqueeze(1)  # [G, 1, S]
        own = (u * self._own.unsqueeze(1)).unsqueeze(2).expand(-1, -1, half, -1)  # [N, G, M, D]
        others = self._others(own)
        fixed = self.latent_answers(states, own)
        moved, trail = self.opponent_models.record(self._inputs(states, own))
        phi = stein_direction(
            fixed,
            moved * others,
            lambda answers: self.critics.action_gradient(states, own + answers),
            alpha,
            self.mask,
        )
        return self.opponent_models.slopes(trail, phi * others / -(len(state) * half))

    def actor_loss(self, state: Tensor, alpha: float) -> Tensor:
        """−Σ_i E[α log E_{u_−i ∼ ρ_i(· | s, μ_i)} exp(Q_i(s, μ_i, u_−i) / α)] (Wen et al., §4).

        The gradient reaches μ_i through the answers too.
        """
        latent = self.latent(state)
        u = self._with_answers(state, torch.tanh(latent), self.settings.n_particles // 2)
        q = self.critics(state.unsqueeze(1), u, learning=False)
        return self.penalty(latent) - soft_value_printed(q, alpha).mean(-1).sum()

    def parts(self) -> dict[str, Part]:
        """See `Learner.parts`."""
        return super().parts() | {
            "opponent_models": self.opponent_models,
            "critics": self.critics,
            "target_critics": self.target_critics,
            "target_actors": self.target_actors,
            "critic_adam": self._critic_adam,
            "actor_adam": self._actor_adam,
            "opponent_adam": self._opponent_adam,
        }
