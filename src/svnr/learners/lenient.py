"""Independent learners that forgive: a continuous Lenient MADRL, and hysteretic learning.

Agent i knows its own action only. What a partner's random move spoils looks to it like a bad
action of its own, so it forgives: a result worse than expected counts less, or is mostly ignored
while the action is new. Lenient MADRL (Palmer et al., 2018) is published for discrete actions;
this form is ours.
"""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from svnr.checks import check_count
from svnr.games.game import Game
from svnr.learners.checkpoint import Part
from svnr.learners.deterministic import DeterministicLearner
from svnr.learners.learner import check_positive, generators
from svnr.learners.losses import bootstrapped
from svnr.learners.networks import Adam, StackedMLP, Target, in_one_piece, two_critics
from svnr.learners.replay import Batch


@dataclass(frozen=True, kw_only=True)
class IndependentSettings:
    """What both forgiving learners can be told; each value with its source."""

    learning_rate: float = 0.005  # Adam, critics and actors; searched in 1e-4 to 1e-1 (§8)
    noise_scale: float = 1.0  # of the exploration at the start; ours: it must reach both hills
    exploration_fraction: float = 0.5  # of the run, until it has faded; ours
    n_groups: int = 8  # states of the batch that teach the actors; as for SVNR
    hidden: tuple[int, ...] = (100, 100)  # layers; ReLU critics, tanh actors; ROMMEO's
    discount: float = 0.95  # γ; ROMMEO's
    target_rate: float = 0.01  # τ of the target networks; ROMMEO's
    layer_norm: bool = False  # in the critics; for games with states, where values run away; ours

    def __post_init__(self) -> None:
        """Refuse values that no run could use."""
        check_positive(self, "learning_rate", "noise_scale", "exploration_fraction")
        check_count("n_groups", self.n_groups)


@dataclass(frozen=True, kw_only=True)
class LenientSettings(IndependentSettings):
    """Everything that Lenient MADRL can be told."""

    leniency: float = 2.0  # K: how strongly temperature forgives; Palmer et al.
    cooling: float = 0.995  # of an action's temperature at each visit; Palmer et al. near 1
    n_bins: int = 20  # of each action coordinate, each with a temperature; ours
    n_state_bits: int = 4  # of the hash of the state, 2^bits tables; ours, after Palmer et al.

    def __post_init__(self) -> None:
        """Refuse values that no run could use."""
        super().__post_init__()
        check_positive(self, "leniency", "cooling")
        if self.cooling >= 1:
            raise ValueError(f"cooling must be below 1, got {self.cooling}")
        check_count("n_bins", self.n_bins)
        check_count("n_state_bits", self.n_state_bits)


@dataclass(frozen=True, kw_only=True)
class HystereticSettings(IndependentSettings):
    """Everything that hysteretic learning can be told."""

    rate: float = 0.5  # β / α: weight of errors that are worse than expected; ours

    def __post_init__(self) -> None:
        """Refuse values that no run could use."""
        super().__post_init__()
        if not 0 <= self.rate <= 1:
            raise ValueError(f"rate must lie between 0 and 1, got {self.rate}")


class IndependentLearner(DeterministicLearner):
    """N actors μ_i(s) and N critics Q_i(s, u_i); subclasses say what is forgiven.

    Args:
        game: what is played; only its sizes and bounds are used.
        settings: how to learn it.
        n_episodes: length of the run, over which exploration fades.
        seed: of the starting weights and of all noise.
    """

    def __init__(
        self, game: Game, settings: IndependentSettings, n_episodes: int, seed: int
    ) -> None:
        noise = (settings.noise_scale, settings.exploration_fraction)
        super().__init__(game, settings.hidden, *noise, n_episodes, seed)
        self._discount, self._n_groups = settings.discount, settings.n_groups
        self.critics, self.target_critics = two_critics(game, settings, self._generator, "own")
        sizes = (game.state_size, *settings.hidden, sum(game.action_sizes))
        self.target_actors = StackedMLP(game.n_agents, sizes, self._generator, "tanh")
        theta, mu = in_one_piece(self.critics), in_one_piece(self.actors)
        self._critic_adam = Adam(self.critics, theta, settings.learning_rate)
        self._actor_adam = Adam(self.actors, mu, settings.learning_rate)
        self._targets = (
            Target(self.target_critics, self.critics, theta, settings.target_rate),
            Target(self.target_actors, self.actors, mu, settings.target_rate),
        )

    @abstractmethod
    def weights(self, error: Tensor, batch: Batch) -> Tensor:
        """How much each agent makes of each temporal-difference error [N, B]: weights [N, B]."""

    def update(self, batch: Batch, episode: int) -> dict[str, float]:
        """One step of the critics, one of the actors, one of the targets."""
        self.exploration.episode.fill_(episode)
        target = bootstrapped(batch, self.next_value, self._discount, self._bounds)
        loss = self._learn_values(batch, target)
        self._actor_adam.descend(self.actor_loss(batch.state[: self._n_groups]))
        for each in self._targets:
            each.follow()
        scale = self.exploration.scale()
        return {"noise_scale": scale, "critic_loss": loss / self.n_agents}

    @torch.no_grad()
    def _learn_values(self, batch: Batch, target: Tensor) -> float:
        """One step of the critics down the gradient of `forgiving_error`, which is returned."""
        value, trail = self.critics.record(batch.state, batch.u.unsqueeze(0))
        error = target - value
        weight = self.weights(error, batch)
        self._critic_adam.step(self.critics.slopes(trail, forgiving_slope(error, weight)))
        return forgiving_error(error, weight).item()

    @torch.no_grad()
    def next_value(self, state: Tensor) -> Tensor:
        """[N, B] Q′_i(s′, μ′_i(s′)) of the target networks."""
        return self.target_critics(state, self.intended(state, self.target_actors))

    def actor_loss(self, state: Tensor) -> Tensor:
        """−Σ_i E[Q_i(s, μ_i(s))] over states [B, S]."""
        latent = self.latent(state)
        values = self.critics(state, torch.tanh(latent), learning=False)
        return self.penalty(latent) - values.mean(-1).sum()

    def parts(self) -> dict[str, Part]:
        """See `Learner.parts`."""
        return super().parts() | {
            "critics": self.critics,
            "target_critics": self.target_critics,
            "target_actors": self.target_actors,
            "critic_adam": self._critic_adam,
            "actor_adam": self._actor_adam,
        }


class Hysteretic(IndependentLearner):
    """Errors worse than expected count less (Matignon et al., 2007)."""

    version = 1  # raised when a change of the code changes the numbers of a run

    def __init__(
        self, game: Game, settings: HystereticSettings, n_episodes: int, seed: int
    ) -> None:
        super().__init__(game, settings, n_episodes, seed)
        self.settings = settings

    def weights(self, error: Tensor, batch: Batch) -> Tensor:
        """1 where the result was better than expected, `rate` where it was worse."""
        return torch.where(error < 0, self.settings.rate, 1.0)


class Lenient(IndependentLearner):
    """Errors worse than expected are dropped the more often, the newer the action was."""

    version = 1  # raised when a change of the code changes the numbers of a run

    def __init__(self, game: Game, settings: LenientSettings, n_episodes: int, seed: int) -> None:
        super().__init__(game, settings, n_episodes, seed)
        self.settings = settings
        self.note_size = game.n_agents
        *_, self._dropping = generators(seed, 3)  # the third, after those of the actors
        self.temperatures = Temperatures(
            game.state_size, self._own, settings.n_bins, settings.n_state_bits, self._generator
        )

    def observe(self, state: Tensor, u: Tensor) -> Tensor:
        """See `Learner.observe`: [B, N] each agent's leniency, stored beside the transition."""
        super().observe(state, u)
        temperature = self.temperatures.of(state, u)
        self.temperatures.cool(state, u, self.settings.cooling)
        return leniency(temperature, self.settings.leniency)

    def weights(self, error: Tensor, batch: Batch) -> Tensor:
        """0 for a bad result that is forgiven, with probability l_i, else 1."""
        chance = torch.rand(error.shape, generator=self._dropping)
        forgiven = (error < 0) & (chance < batch.note.T)
        return (~forgiven).float()

    def parts(self) -> dict[str, Part]:
        """See `Learner.parts`."""
        return super().parts() | {
            "temperatures": self.temperatures,
            "dropping": self._dropping,
        }


class Temperatures(nn.Module):
    """T(s, bin(u_d)), one for each hash of the state, coordinate and bin; all start at 1.

    Args:
        state_size: S.
        own: [N, D] bool, whose coordinate is whose.
        n_bins: bins of a coordinate.
        n_bits: random planes that hash the state.
        generator: draws the planes.
    """

    table: Tensor
    planes: Tensor

    def __init__(
        self, state_size: int, own: Tensor, n_bins: int, n_bits: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self._share = own.float() / own.sum(-1, keepdim=True)
        self.register_buffer("table", torch.ones(2**n_bits, own.shape[-1], n_bins))
        planes = torch.randn(state_size, n_bits, generator=generator)
        self.register_buffer("planes", planes)

    def of(self, state: Tensor, u: Tensor) -> Tensor:
        """[B, N] temperatures of each agent's action: the mean over its coordinates."""
        return self.table[self._places(state, u)] @ self._share.T

    def cool(self, state: Tensor, u: Tensor, factor: float) -> None:
        """Multiply the temperatures of what was just played by `factor`, a visit at a time."""
        for row, coordinate, place in zip(*self._places(state, u), strict=True):
            self.table[row, coordinate, place] *= factor

    def _places(self, state: Tensor, u: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where (s, u) [B, S], [B, D] lie in the table."""
        bits = (state @ self.planes > 0).long()
        row = (bits * 2 ** torch.arange(bits.shape[-1])).sum(-1, keepdim=True)
        n_bins = self.table.shape[-1]
        place = ((u + 1) / 2 * n_bins).long().clamp(0, n_bins - 1)
        coordinate = torch.arange(u.shape[-1]).expand_as(place)
        return row.expand_as(place), coordinate, place


def leniency(temperature: Tensor, strength: float) -> Tensor:
    """l = 1 − exp(−K T) (Palmer et al., 2018, (6)).

    Args:
        temperature: T, of any shape.
        strength: K.
    """
    return 1 - torch.exp(-strength * temperature)


def forgiving_error(error: Tensor, weight: Tensor) -> Tensor:
    """Σ_i E[½ w δ²].

    Args:
        error: [N, B] temporal-difference errors δ.
        weight: [N, B] in 0 to 1, held constant.
    """
    return 0.5 * (weight * error.square()).mean(-1).sum()


def forgiving_slope(error: Tensor, weight: Tensor) -> Tensor:
    """The gradient of `forgiving_error` in the values, −w δ / B; the arguments are its."""
    return weight * error / -error.shape[-1]
