"""What every learner offers: acting, observing, perceiving, and its whole state as tensors."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from svnr.checks import Settings, check_count, check_one_of
from svnr.learners.checkpoint import Part, Stateful, gather, restore
from svnr.learners.exploration import Exploration, Held
from svnr.learners.memory import Rollout, Transitions

Execution = Literal["explore", "shared", "independent", "greedy"]
EXECUTIONS: tuple[str, ...] = get_args(Execution)


@dataclass(frozen=True)
class Progress:
    """The share of a run that is done, by which temperatures and noise fall."""

    done: int  # finished episodes, or environment steps taken
    length: int  # of the run, in the same unit

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.done / self.length


class Learner(ABC):
    """One method, for a game of any number of agents and any action sizes.

    `act` has four ways of execution: "explore" while training; "shared" with noise drawn from a
    seed that all agents have in common; "independent" with noise of each agent's own; "greedy" the
    limit α → 0. A deterministic method acts alike in the last three.
    """

    version = 1  # raised when a change of the code changes the numbers of a run
    needs_steps = False  # whether a game of one step leaves it nothing to learn from
    n_agents: int
    state_size: int
    settings: Settings

    @abstractmethod
    def act(self, state: Tensor, execution: Execution) -> Tensor:
        """A joint action [B, D] in [−1, 1] for each state [B, S]."""

    @abstractmethod
    def observe(self, rows: Transitions, progress: Progress) -> dict[str, float]:
        """Remember what happened in every copy, and learn when it is due.

        Args:
            rows: one transition of each copy of the game.
            progress: how much of the run is done.

        Returns:
            Numbers to record; none where nothing was learned.
        """

    @abstractmethod
    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """Samples [N, B, n_samples, D] of the joint policy π̂_i that each agent perceives."""

    def parts(self) -> dict[str, Part]:
        """Whatever later behaviour depends on, by name: every attribute that has a state."""
        found: dict[str, Part] = {}
        for name, value in vars(self).items():
            several = isinstance(value, list)
            for i, part in enumerate(value if several else [value]):
                if isinstance(part, (Stateful, torch.Generator)):
                    found[name.removeprefix("_") + f"_{i}" * several] = part
        return found

    def state_dict(self) -> dict[str, Tensor]:
        """The state of all parts, flat."""
        return gather(**self.parts())

    def policy_dict(self) -> Mapping[str, Tensor]:
        """What of `state_dict` acting and perceiving need; by default all of it."""
        return self.state_dict()

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        restore(state, **self.parts())


def check_asked(state: Tensor, execution: str, state_size: int) -> None:
    """Raise ValueError unless there is such a way to execute, and states are [B, S] and finite."""
    check_one_of("execution", execution, EXECUTIONS)
    shape = list(getattr(state, "shape", ()))
    if not isinstance(state, Tensor) or shape[1:] != [state_size]:
        got = f"shape {shape}" if isinstance(state, Tensor) else type(state).__name__
        raise ValueError(f"state must be a tensor of shape [B, {state_size}], got {got}")
    if not bool(state.isfinite().all()):
        raise ValueError(f"state must be finite, got {state[~state.isfinite()][0].item()}")


@contextmanager
def undisturbed(learner: Learner) -> Iterator[None]:
    """Let a learner be asked without its noticing: what acting moves is set back."""
    kinds = (torch.Generator, Exploration, Held, Rollout)
    moved = {name: part for name, part in learner.parts().items() if isinstance(part, kinds)}
    before = gather(**moved)
    try:
        yield
    finally:
        restore(before, **moved)


def generators(seed: int, n: int) -> list[torch.Generator]:
    """`n` independent generators from one seed; neighbouring seeds share no stream."""
    words = np.random.SeedSequence(check_count("seed", seed, 0)).generate_state(n, np.uint64)
    return [torch.Generator().manual_seed(int(word >> np.uint64(1))) for word in words]
