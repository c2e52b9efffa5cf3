"""Independent learners that forgive: a continuous Lenient MADRL, and hysteretic learning.

Agent i knows its own action only. What a partner's random move spoils looks to it like a bad
action of its own, so it forgives: a result worse than expected counts less, or is mostly ignored
while the action is new. Lenient MADRL (Palmer et al., 2018) is published for discrete actions;
this form is ours.
"""

from abc import abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from torch import Tensor, nn

from svnr.checks import Count, Interval, Positive, Share
from svnr.games.game import Game
from svnr.learners.independent import IndependentLearner, IndependentSettings
from svnr.learners.learner import Progress, generators
from svnr.learners.memory import Replay, Transitions


@dataclass(frozen=True, kw_only=True)
class ForgivingSettings(IndependentSettings):
    """What both forgiving learners can be told; each value with its source."""

    n_groups: Count = 8  # states of the batch that teach the actors; as for SVNR


@dataclass(frozen=True, kw_only=True)
class LenientSettings(ForgivingSettings):
    """Everything that Lenient MADRL can be told."""

    leniency: Positive = 2.0  # K: how strongly temperature forgives; Palmer et al.
    cooling: Annotated[float, Interval(0, 1, low_open=True, high_open=True)] = 0.995
    # of an action's temperature at each visit; Palmer et al. near 1
    n_bins: Count = 20  # of each action coordinate, each with a temperature; ours
    n_state_bits: Count = 4  # of the hash of the state, 2^bits tables; ours, after Palmer et al.


@dataclass(frozen=True, kw_only=True)
class HystereticSettings(ForgivingSettings):
    """Everything that hysteretic learning can be told."""

    rate: Share = 0.5  # β / α: weight of errors that are worse than expected; ours


class ForgivingLearner(IndependentLearner):
    """Independent learners of whom subclasses say what is forgiven."""

    settings: ForgivingSettings

    @abstractmethod
    def weights(self, error: Tensor, note: Tensor) -> Tensor:
        """How much each agent makes of each error [N, B], given the notes [B, E]: [N, B]."""

    def update(self, batch: Transitions, progress: Progress) -> dict[str, float]:
        """One step of the critics, one of the actors; the targets follow them."""
        target, note = self.bootstrapped(batch, self.next_value), batch.note
        loss = self.critic.learn(batch.state, batch.u, target, partial(self.weights, note=note))
        state = batch.state[: self.settings.n_groups]
        self.actors.climb(state, partial(self.gain, state))
        return {"noise_scale": self.finish(progress), "critic_loss": loss}


class Hysteretic(ForgivingLearner):
    """Errors worse than expected count less (Matignon et al., 2007)."""

    settings: HystereticSettings

    def weights(self, error: Tensor, note: Tensor) -> Tensor:
        """1 where the result was better than expected, `rate` where it was worse."""
        return torch.where(error < 0, self.settings.rate, 1.0)


class Lenient(ForgivingLearner):
    """Errors worse than expected are dropped the more often, the newer the action was."""

    settings: LenientSettings

    def __init__(self, game: Game, settings: LenientSettings, seed: int) -> None:
        super().__init__(game, settings, seed)
        self.memory = Replay(settings.capacity, game.state_size, self.width, game.n_agents)
        *_, self._dropping = generators(seed, 3)  # the third, after those of the actors
        bins, bits = settings.n_bins, settings.n_state_bits
        self.temperatures = Temperatures(game.state_size, self.own, bins, bits, self._generator)

    def note(self, rows: Transitions) -> Tensor:
        """See `OffPolicy.note`: [B, N] each agent's leniency at that moment."""
        temperature = self.temperatures.of(rows.state, rows.u)
        self.temperatures.cool(rows.state, rows.u, self.settings.cooling)
        return leniency(temperature, self.settings.leniency)

    def weights(self, error: Tensor, note: Tensor) -> Tensor:
        """0 for a bad result that is forgiven, with probability l_i, else 1."""
        chance = torch.rand(error.shape, generator=self._dropping)
        return ((error >= 0) | (chance >= note.T)).float()


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
        self.register_buffer("planes", torch.randn(state_size, n_bits, generator=generator))

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
