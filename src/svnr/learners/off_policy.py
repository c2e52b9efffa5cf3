"""What off-policy learners have in common: a replay, and when to learn from it."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import torch
from torch import Tensor

from svnr.checks import Count, Share, Whole, added, check_count
from svnr.games.game import Game
from svnr.learners.checkpoint import Part, gather
from svnr.learners.exploration import Exploration, Held
from svnr.learners.learner import Execution, Learner, Progress, check_asked
from svnr.learners.memory import Replay, Transitions
from svnr.networks.critics import Critics
from svnr.networks.mlp import NetworkSettings, own_coordinates

N_RECENT = 512  # joint actions that a learner knows its partners by; ROMMEO's public code


@dataclass(frozen=True, kw_only=True)
class OffPolicySettings(NetworkSettings):
    """What every off-policy learner can be told; each value with its source."""

    at_most = frozenset({("n_groups", "batch_size"), ("n_rows", "batch_size")})

    discount: Share = 0.95  # γ; ROMMEO's
    n_steps: Count = 1  # rewards of a return before it bootstraps; uncorrected; ours
    batch_size: Count = 512  # transitions an update (§8)
    capacity: Count = 1_000_000  # transitions kept in the replay buffer (§8)
    random_steps: Whole = 0  # environment steps with uniform random actions at the start; ours
    warmup: Whole = 10  # environment steps before the first update; §8's schedule holds α as long
    update_every: Count = 1  # environment steps between updates; ROMMEO's
    episode_updates: Whole = 0  # after each episode, in place of those between steps; ours
    rewarded_share: Share = 0.0  # of a batch whose n-step returns must not be 0; ours
    rewarded_steps: Whole = added(0)  # n of those returns; 0: n_steps; ours
    use_symmetries: bool = added(False)  # rows of a batch turned by the game's symmetries; ours
    hold: Count = added(1)  # steps for which exploring noise stays; ours

    def fitted_to(self, game: Game) -> Self:
        """The settings with what follows from the game written out."""
        return self


class OffPolicy(Learner):
    """A learner with a replay, from which it learns at the cadence of its settings.

    Args:
        game: what is played; only its sizes and bounds are used.
        settings: how to learn it.
        seed: of the starting weights, of all noise and of the draws from the replay.
    """

    critic: Critics

    def __init__(self, game: Game, settings: OffPolicySettings, seed: int) -> None:
        self.settings: OffPolicySettings = settings.fitted_to(game)
        self.n_agents, self.action_sizes = game.n_agents, game.action_sizes
        self.state_size = game.state_size  # S
        self.width = sum(game.action_sizes)  # D
        self.own = own_coordinates(game.action_sizes)  # [N, D]
        self._symmetries = game.symmetries()
        self.memory = Replay(settings.capacity, game.state_size, self.width)
        words = np.random.SeedSequence([check_count("seed", seed, 0), 1]).spawn(1)[0]
        self._draws = torch.Generator().manual_seed(int(words.generate_state(1)[0]))
        self._held = Held(settings.hold) if settings.hold > 1 else None

    @torch.no_grad()
    def act(self, state: Tensor, execution: Execution) -> Tensor:
        """See `Learner.act`; uniformly at random in the first `random_steps` of training."""
        check_asked(state, execution, self.state_size)
        if execution == "explore" and self.memory.seen < self.settings.random_steps:
            return 2 * torch.rand(len(state), self.width, generator=self._draws) - 1
        if execution == "explore" and self._held:
            with self._held.drawing(self._sources):
                return self.choose(state, execution)
        return self.choose(state, execution)

    @cached_property
    def _sources(self) -> dict[str, Part]:
        """What noise comes from, by name; not the draws from the replay."""
        kinds = (torch.Generator, Exploration)
        return {n: p for n, p in self.parts().items() if isinstance(p, kinds) and n != "draws"}

    @abstractmethod
    def choose(self, state: Tensor, execution: Execution) -> Tensor:
        """A joint action [B, D] for each state [B, S], by what was learned; see `act`."""

    @abstractmethod
    def update(self, batch: Transitions, progress: Progress) -> dict[str, float]:
        """Learn from a batch; returns numbers to record."""

    def note(self, rows: Transitions) -> Tensor:
        """[B, N] what the learner keeps with these transitions; most keep nothing, [B, 0]."""
        return rows.u.new_zeros(len(rows.u), 0)

    def observe(self, rows: Transitions, progress: Progress) -> dict[str, float]:
        """See `Learner.observe`."""
        due = self._updates_due(rows)
        self.memory.add(replace(rows, note=self.note(rows)))
        metrics: dict[str, float] = {}
        for _ in range(due):
            metrics = self.update(self.draw(), progress)
        return metrics

    @torch.no_grad()
    def bootstrapped(self, batch: Transitions, value: Callable[[Tensor], Tensor]) -> Tensor:
        """r + γᵏ V(s′) of (7.4), with no value beyond the rows that terminated.

        Args:
            batch: B transitions.
            value: V, from next states [b, S] to [C, b]; asked only where the game goes on, and
                believed where it is `Critics.possible`.

        Returns:
            [C, B] the targets; [B] if no row goes on.
        """
        goes_on = batch.weight > 0
        if not bool(goes_on.any()):
            return batch.reward
        beyond = self.critic.possible(value(batch.next_state[goes_on]))
        target = batch.reward.expand(len(beyond), -1).clone()
        target[:, goes_on] += batch.weight[goes_on] * beyond
        return target

    def judge(self, batch: Transitions, value: Callable[[Tensor], Tensor]) -> float:
        """One step of the critics towards `bootstrapped`; their error before it."""
        return self.critic.learn(batch.state, batch.u, self.bootstrapped(batch, value))

    def executed(self, u: Tensor) -> Tensor:
        """[B, D] what is played where each agent does its own part of what it means, [N, B, D]."""
        return (u * self.own.unsqueeze(1)).sum(0)

    def draw(self) -> Transitions:
        """A batch from the replay, turned if the settings say so."""
        told = self.settings
        how = (told.discount, told.n_steps, told.rewarded_share, told.rewarded_steps)
        batch = self.memory.sample(told.batch_size, self._draws, *how)
        return batch.turned(self._symmetries, self._draws) if told.use_symmetries else batch

    def _updates_due(self, rows: Transitions) -> int:
        """How many updates follow upon the next transitions, one of each copy."""
        told, first = self.settings, self.memory.seen
        if told.episode_updates:
            ended = int((rows.terminated | rows.truncated).sum())
            return told.episode_updates * ended if first >= told.warmup else 0
        steps = range(max(first, told.warmup), first + len(rows.u))
        return sum(step % told.update_every == 0 for step in steps)

    def policy_dict(self) -> Mapping[str, Tensor]:
        """`state_dict` with no more of the replay than what partners are known by."""
        memory = {"memory." + k: rows for k, rows in self.memory.state_dict(N_RECENT).items()}
        return gather(**{k: v for k, v in self.parts().items() if k != "memory"}) | memory
