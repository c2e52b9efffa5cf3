"""The replay buffer: preallocated tensors, sampled uniformly with replacement."""

from dataclasses import dataclass

import torch
from torch import Tensor

from svnr.games.game import check_count


@dataclass(frozen=True)
class Batch:
    """Transitions, row by row; the reward of a row belongs to the joint action of that row."""

    state: Tensor  # [B, S]
    u: Tensor  # [B, D]
    reward: Tensor  # [B]
    next_state: Tensor  # [B, S]
    terminated: Tensor  # [B] bool: no value beyond. A truncated row bootstraps like any other


class Replay:
    """The buffer 𝒟 of Algorithm 1.

    Args:
        capacity: transitions kept; the oldest are overwritten.
        state_size: S.
        n_coordinates: D.
    """

    def __init__(self, capacity: int, state_size: int, n_coordinates: int) -> None:
        check_count("capacity", capacity)
        self._columns = Batch(
            state=torch.zeros(capacity, state_size),
            u=torch.zeros(capacity, n_coordinates),
            reward=torch.zeros(capacity),
            next_state=torch.zeros(capacity, state_size),
            terminated=torch.zeros(capacity, dtype=torch.bool),
        )
        self._capacity = capacity
        self._added = 0

    def __len__(self) -> int:
        """How many transitions are held."""
        return min(self._added, self._capacity)

    def add(self, rows: Batch) -> None:
        """Store the rows of `rows`, in order; they must not be more than the capacity."""
        count = len(rows.reward)
        start = self._added % self._capacity
        first = min(count, self._capacity - start)  # what fits before the end; the rest wraps
        for name, column in vars(self._columns).items():
            values = getattr(rows, name)
            column[start : start + first] = values[:first]
            column[: count - first] = values[first:]
        self._added += count

    def sample(self, size: int, generator: torch.Generator) -> Batch:
        """`size` rows drawn uniformly with replacement.

        Raises:
            ValueError: if the buffer is empty.
        """
        if not len(self):
            raise ValueError("sample needs at least one stored transition, got an empty buffer")
        rows = torch.randint(len(self), (size,), generator=generator)
        return Batch(**{name: column[rows] for name, column in vars(self._columns).items()})

    def state_dict(self) -> dict[str, Tensor]:
        """The rows held and the number ever added, as tensors."""
        held = {name: column[: len(self)].clone() for name, column in vars(self._columns).items()}
        return held | {"added": torch.tensor(self._added)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._added = int(state["added"])
        for name, column in vars(self._columns).items():
            column[: len(self)] = state[name]
