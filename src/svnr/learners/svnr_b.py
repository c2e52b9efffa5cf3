"""SVNR-B, SVNR with births: particles that cross any valley, and samplers pulled after them.

Beyond the paper. The direction (7.2) cannot carry mass between hills while α falls: SVNR stops
where the right hill is narrow, or the agents are many. Here three steps take its place:

1. births: particles z^j are challenged by joint actions from anywhere in the box;
2. moves: each takes a step of Metropolis where it is, or along the difference of two others;
3. a pull: samplers follow by (7.3), down the energy distance between them and the particles.

The first two leave π*_α ∝ exp(Q / α) as it is (`stein.births`). So a law that births and steps of
one particle move never gets further from it, nor its soft value less: what Lemma 6.2 asks of an
improvement, and Theorem 6.3 with it (`theory.chains`), whatever the negotiation sets. Of jumps it
holds for the law of all particles together. The sets say what *samplers* can follow: with nested
sets any joint law is within their reach, so that the least energy distance is 0 and attained at
π*_α alone; with empty sets only products are, and the least is positive.
All this is said of laws and of a Q that stays. Here particles are few, samplers lag behind them,
and Q and α move on after a single step.

Where a game has one state for ever, the particles are stored and carry on from update to update.
Where it has many, a store for each state there is none: particles are new, what the samplers say
at a state, challenged and moved once. There the pull is (7.2), averaged over these particles in
place of the samplers' own: down the energy distance to new particles a team did not learn to
meet in Particle Gather (notebook 13). Which it is follows from the game, and can be told.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Self

import torch
from torch import Tensor, nn

from svnr.checks import Count, Positive, Share, Whole
from svnr.games.game import Game, OneShotGame
from svnr.learners import losses
from svnr.learners.learner import Execution, Progress
from svnr.learners.memory import Transitions
from svnr.learners.soft import repeated
from svnr.learners.svnr import SVNR, SVNRSettings
from svnr.stein import births
from svnr.stein.energy import energy_direction


@dataclass(frozen=True, kw_only=True)
class SVNRBSettings(SVNRSettings):
    """Everything that SVNR-B can be told beyond SVNR; each value ours."""

    chain: Literal["stored", "fresh"] | None = None  # particles: by default stored for one state
    n_stored: Count = 256  # P; of 64 the share of each hill is off by more; fresh ones are M / 2
    n_births: Whole = 256  # uniform joint actions that challenge them at each update and state
    moves: Literal["jumps", "walks", "stein"] = "jumps"  # of particles, after the births
    random_share: Share = 0.1  # of a run with stored particles: it begins with uniform actions
    pull: Literal["energy", "stein"] | None = None  # on samplers: energy where stored, else (7.2)
    floor: Positive = 0.01  # of the distances that an energy pull divides by; latent units

    def fitted_to(self, game: Game) -> Self:
        """See `OffPolicySettings.fitted_to`.

        Raises:
            ValueError: for particles to be stored in a game of many states.
        """
        one_state = isinstance(game, OneShotGame) and game.horizon == 1
        if self.chain == "stored" and not one_state:
            raise ValueError(f"chain must be 'fresh' in {game.name}, of many states, got 'stored'")
        chain = self.chain or ("stored" if one_state else "fresh")
        pull = self.pull or ("energy" if chain == "stored" else "stein")
        return replace(super().fitted_to(game), chain=chain, pull=pull)


class Stored(nn.Module):
    """Particles z [1, 1, P, D] that a learner keeps, uniform in the box at the start.

    And, as they know it, the share of the run that is done.
    """

    z: Tensor
    share: Tensor

    def __init__(self, n: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        u = births.uniform(1, 1, n, width, generator=generator)
        self.register_buffer("z", births.latent(u))
        self.register_buffer("share", torch.zeros((), dtype=torch.float64))


class SVNRB(SVNR):
    """SVNR whose samplers follow particles with births."""

    settings: SVNRBSettings
    version = 2

    def __init__(self, game: Game, settings: SVNRBSettings, seed: int) -> None:
        super().__init__(game, settings, seed)
        told = self.settings
        keeps = told.chain == "stored"
        self.stored = Stored(told.n_stored, self.width, self._generator) if keeps else None

    def observe(self, rows: Transitions, progress: Progress) -> dict[str, float]:
        """See `Learner.observe`."""
        if self.stored:
            self.stored.share.fill_(progress.share)
        return super().observe(rows, progress)

    def choose(self, state: Tensor, execution: Execution) -> Tensor:
        """See `OffPolicy.choose`; at first as at an infinite temperature, uniformly at random.

        What a birth finds must be in what the critic has seen: of eight agents' actions at α = 10
        too few lie at the right hill.
        """
        early = self.stored and float(self.stored.share) < self.settings.random_share
        if execution == "explore" and early:
            return births.uniform(len(state), self.width, generator=self._draws)
        return super().choose(state, execution)

    @torch.no_grad()
    def move_samplers(self, state: Tensor, alpha: float) -> None:
        """Births and moves of particles at states [G, S], then a pull of the samplers after them.

        Stored particles serve one state, and so do the samples of all groups: G · M / 2 of them.
        """
        n = self.settings.n_particles // 2
        if self.stored:
            state, n = state[:1], len(state) * n
        states = repeated(state, n)
        z = self.stored.z if self.stored else self.samplers(*self.inputs(states))
        z = self.moved(state, *self.born(state, z, alpha), alpha)
        if self.stored:
            self.stored.z.copy_(z)
        self.samplers.learn(partial(self.pull, state, z, alpha), *self.inputs(states))

    def born(self, state: Tensor, z: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
        """Particles z [1, G, P, D] after births, and their values [1, G, P].

        Stored particles have rivals of their own, fresh ones share them: see `stein.births`.
        """
        n_births, (n_groups, n, width) = self.settings.n_births, z.shape[1:]
        n_births = n_births // n * n if self.stored else n_births
        u = births.uniform(1, n_groups, n_births, width, generator=self._generator)
        all_values = self.value(state, torch.cat([z.tanh(), u], -2))
        rivals, (value, values) = births.latent(u), all_values.split([n, n_births], -1)
        if self.stored:
            rivals, values = rivals.view(-1, *z.shape), values.reshape(-1, *value.shape)
        take = births.reborn if self.stored else births.chosen
        return take(z, value, rivals, values, alpha, self._generator)

    def moved(self, state: Tensor, z: Tensor, value: Tensor, alpha: float) -> Tensor:
        """Particles z [1, G, P, D] after a move, given their values [1, G, P]."""
        if self.settings.moves == "stein":
            return z + min(0.02 * alpha, 0.1) * self.negotiated(state, z, alpha, z)
        q = partial(self.value, state)
        propose = births.proposed if self.settings.moves == "jumps" else births.steps
        proposed = propose(z, self._generator)
        return births.metropolis(z, value, proposed, q, alpha, self._generator)[0]

    def pull(self, state: Tensor, z: Tensor, alpha: float, moved: Tensor) -> Tensor:
        """The direction of samples [1, G, M, D] towards particles z [1, G, P, D]."""
        told = self.settings
        if told.pull == "stein":
            return self.negotiated(state, z, alpha, moved)
        if told.coordinates == "pre_tanh":
            return energy_direction(z, moved, told.floor)
        u = moved.tanh()
        return energy_direction(z.tanh(), u, told.floor) * (1 - u.square())

    def negotiated(self, state: Tensor, fixed: Tensor, alpha: float, moved: Tensor) -> Tensor:
        """The direction (7.2) of particles [1, G, M, D], averaged over others [1, G, P, D]."""
        slope = partial(self.critic.action_gradient, state.unsqueeze(1))
        where = self.settings.coordinates
        return losses.stein_direction(fixed, moved, slope, alpha, self.mask, where)

    def value(self, state: Tensor, u: Tensor) -> Tensor:
        """Q [1, G, P] of joint actions [1, G, P, D] at states [G, S]."""
        return self.critic(state.unsqueeze(1), u)
