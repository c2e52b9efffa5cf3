"""What every learner offers: acting, perceiving, updating, and its whole state as tensors."""

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol, get_args

import numpy as np
import torch
from torch import Tensor

from svnr.learners.checkpoint import Part, gather, restore
from svnr.learners.replay import Batch

Execution = Literal["explore", "shared", "independent", "greedy"]
EXECUTIONS: tuple[str, ...] = get_args(Execution)


class Learner(Protocol):
    """One method of the paper, for a game of any number of agents and any action sizes.

    `act` has four ways of execution: "explore" while training; "shared" with noise drawn from a
    seed that all agents have in common; "independent" with noise of each agent's own; "greedy" the
    limit α → 0. A deterministic method acts alike in the last three.

    A class that inherits from this one need not write `observe` and what saves and loads.
    """

    n_agents: int
    note_size: int = 0

    def act(self, state: Tensor, execution: Execution) -> Tensor:
        """A joint action [B, D] in [−1, 1] for each state [B, S]."""
        ...

    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """Samples [N, B, n_samples, D] of the joint policy π̂_i that each agent perceives."""
        ...

    def observe(self, state: Tensor, u: Tensor) -> Tensor:
        """Told every joint action u [B, D] as it is played in states [B, S].

        Returns:
            [B, note_size] what the learner wants kept with these transitions; most want nothing.
        """
        return u.new_zeros(len(u), self.note_size)

    def update(self, batch: Batch, episode: int) -> dict[str, float]:
        """Learn from a batch after `episode` finished episodes; returns numbers to record."""
        ...

    def parts(self) -> dict[str, Part]:
        """Modules and generators, by name, that later behaviour depends on."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """The state of all parts, flat."""
        return gather(**self.parts())

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        restore(state, **self.parts())


def check_execution(execution: str) -> None:
    """Raise ValueError unless `execution` is one of the four ways to act."""
    if execution not in EXECUTIONS:
        raise ValueError(f"execution must be one of {', '.join(EXECUTIONS)}, got {execution!r}")


def generators(seed: int, n: int) -> list[torch.Generator]:
    """`n` independent generators from one seed; neighbouring seeds share no stream."""
    words = np.random.SeedSequence(seed).generate_state(n, np.uint64)
    return [torch.Generator().manual_seed(int(word >> np.uint64(1))) for word in words]


def check_positive(settings: object, *names: str) -> None:
    """Raise ValueError if a setting called by one of `names` is not above zero."""
    for name in names:
        value = getattr(settings, name)
        if not value > 0:
            raise ValueError(f"{name} must be positive, got {value}")


def check_one_of(settings: object, **choices: Iterable[str]) -> None:
    """Raise ValueError if a setting is none of its choices, which are listed."""
    for name, allowed in choices.items():
        value = getattr(settings, name)
        if value not in allowed:
            raise ValueError(f"{name} must be one of {sorted(allowed)}, got {value!r}")
