"""MADDPG (Lowe et al., 2017): a central critic and a deterministic actor an agent.

Agent i climbs Q_i with the partners' actions as the replay has them: it learns the best response
to what they did, not to what they will do. That is perceived over-generalization.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from svnr.checks import check_count
from svnr.games.game import Game
from svnr.learners.checkpoint import Part
from svnr.learners.deterministic import DeterministicLearner
from svnr.learners.learner import check_positive
from svnr.learners.losses import bootstrapped, learn_values
from svnr.learners.networks import Adam, StackedMLP, Target, in_one_piece, two_critics
from svnr.learners.replay import Batch


@dataclass(frozen=True, kw_only=True)
class MADDPGSettings:
    """Everything that MADDPG can be told; each value with its source."""

    learning_rate: float = 0.005  # Adam, critics and actors; searched in 1e-4 to 1e-1 (§8)
    noise_scale: float = 0.5  # of the exploration at the start; public code
    exploration_fraction: float = 1 / 6  # of the run, until it has faded; public code
    n_rows: int = 192  # of the batch that teach the actors, as many as SVNR moves; public code 512
    max_gradient_norm: float = 0.5  # of all critics, of all actors; public code, there an agent
    hidden: tuple[int, ...] = (100, 100)  # layers; ReLU critics, tanh actors; ROMMEO's
    discount: float = 0.95  # γ; ROMMEO's
    target_rate: float = 0.01  # τ of the target networks; ROMMEO's
    layer_norm: bool = False  # in the critics; for games with states, where values run away; ours

    def __post_init__(self) -> None:
        """Refuse values that no run could use."""
        names = ("learning_rate", "noise_scale", "exploration_fraction", "max_gradient_norm")
        check_positive(self, *names)
        check_count("n_rows", self.n_rows)


class MADDPG(DeterministicLearner):
    """N actors μ_i and N critics Q_i(s, u), with targets.

    Args:
        game: what is played; only its sizes and bounds are used.
        settings: how to learn it.
        n_episodes: length of the run, over which exploration fades.
        seed: of the starting weights and of all noise.
    """

    version = 1  # raised when a change of the code changes the numbers of a run

    def __init__(self, game: Game, settings: MADDPGSettings, n_episodes: int, seed: int) -> None:
        noise = (settings.noise_scale, settings.exploration_fraction)
        super().__init__(game, settings.hidden, *noise, n_episodes, seed)
        self.settings = settings
        self.critics, self.target_critics = two_critics(game, settings, self._generator)
        sizes = (game.state_size, *settings.hidden, sum(game.action_sizes))
        self.target_actors = StackedMLP(game.n_agents, sizes, self._generator, "tanh")
        theta, mu = in_one_piece(self.critics), in_one_piece(self.actors)
        rate, norm = settings.learning_rate, settings.max_gradient_norm
        self._critic_adam = Adam(self.critics, theta, rate, norm)
        self._actor_adam = Adam(self.actors, mu, rate, norm)
        self._targets = (
            Target(self.target_critics, self.critics, theta, settings.target_rate),
            Target(self.target_actors, self.actors, mu, settings.target_rate),
        )

    def update(self, batch: Batch, episode: int) -> dict[str, float]:
        """One step of the critics, one of the actors, one of the targets."""
        self.exploration.episode.fill_(episode)
        target = bootstrapped(batch, self.next_value, self.settings.discount, self._bounds)
        u = batch.u.unsqueeze(0)
        loss = learn_values(self.critics, self._critic_adam, batch.state, u, target)
        self._actor_adam.descend(self.actor_loss(batch, self.settings.n_rows))
        for each in self._targets:
            each.follow()
        scale = self.exploration.scale()
        return {"noise_scale": scale, "critic_loss": loss / self.n_agents}

    def actor_loss(self, batch: Batch, n: int) -> Tensor:
        """−Σ_i E[Q_i(s, u_1, …, μ_i(s), …, u_N)], with partners' actions of n rows of the replay.

        This is (6) of Lowe et al., and the penalty of their code.
        """
        latent = self.latent(batch.state[:n])
        u = torch.where(self._own.unsqueeze(1), torch.tanh(latent), batch.u[:n])
        return (
            self.penalty(latent) - self.critics(batch.state[:n], u, learning=False).mean(-1).sum()
        )

    @torch.no_grad()
    def next_value(self, state: Tensor) -> Tensor:
        """[N, B] Q′_i(s′, μ′(s′)) of the target networks."""
        u = self.intended(state, self.target_actors).sum(0)
        return self.target_critics(state, u.unsqueeze(0))

    def parts(self) -> dict[str, Part]:
        """See `Learner.parts`."""
        return super().parts() | {
            "critics": self.critics,
            "target_critics": self.target_critics,
            "target_actors": self.target_actors,
            "critic_adam": self._critic_adam,
            "actor_adam": self._actor_adam,
        }
