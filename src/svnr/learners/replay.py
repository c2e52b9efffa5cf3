"""The replay buffer: preallocated tensors, sampled with replacement; and the last few actions."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from svnr.checks import check_count


@dataclass(frozen=True)
class Batch:
    """Transitions, row by row; the reward of a row belongs to the joint action of that row."""

    state: Tensor  # [B, S]
    u: Tensor  # [B, D]
    reward: Tensor  # [B]
    next_state: Tensor  # [B, S]
    terminated: Tensor  # [B] bool: no value beyond. A truncated row bootstraps like any other
    note: Tensor = field(default_factory=lambda: torch.zeros(0))  # [B, E] the learner's own notes

    def __post_init__(self) -> None:
        """Without notes, E is 0."""
        if not self.note.numel():
            object.__setattr__(self, "note", self.reward.new_zeros(len(self.reward), 0))


class Replay:
    """The buffer 𝒟 of Algorithm 1.

    Args:
        capacity: transitions kept; the oldest are overwritten.
        state_size: S.
        n_coordinates: D.
        note_size: E, numbers a row that the learner keeps with its transitions.
    """

    def __init__(
        self, capacity: int, state_size: int, n_coordinates: int, note_size: int = 0
    ) -> None:
        check_count("capacity", capacity)
        self._columns = Batch(
            state=torch.zeros(capacity, state_size),
            u=torch.zeros(capacity, n_coordinates),
            reward=torch.zeros(capacity),
            next_state=torch.zeros(capacity, state_size),
            terminated=torch.zeros(capacity, dtype=torch.bool),
            note=torch.zeros(capacity, note_size),
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

    def sample(self, size: int, generator: torch.Generator, rewarded_share: float = 0.0) -> Batch:
        """`size` rows drawn uniformly with replacement.

        Args:
            size: B.
            generator: of the draws.
            rewarded_share: of the rows, drawn half from those with a reward above 0 and half from
                those below, so that rare successes are met as often as failures; where there are
                none of a kind, its rows are drawn as the others.

        Raises:
            ValueError: if the buffer is empty.
        """
        if not len(self):
            raise ValueError("sample needs at least one stored transition, got an empty buffer")
        rows = torch.randint(len(self), (size,), generator=generator)
        if rewarded_share:
            rows = self._with_rewarded(rows, int(size * rewarded_share / 2), generator)
        return Batch(**{name: column[rows] for name, column in vars(self._columns).items()})

    def _with_rewarded(self, rows: Tensor, n: int, generator: torch.Generator) -> Tensor:
        """n of the rows replaced by rows that earned something, and n by rows that lost."""
        reward = self._columns.reward[: len(self)]
        for place, kind in enumerate((reward > 0, reward < 0)):
            found = kind.nonzero().flatten()
            if len(found):
                drawn = torch.randint(len(found), (n,), generator=generator)
                rows[place * n : (place + 1) * n] = found[drawn]
        return rows[torch.randperm(len(rows), generator=generator)]

    def state_dict(self) -> dict[str, Tensor]:
        """The rows held and the number ever added, as tensors."""
        held = {name: column[: len(self)].clone() for name, column in vars(self._columns).items()}
        return held | {"added": torch.tensor(self._added)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._added = int(state["added"])
        for name, column in vars(self._columns).items():
            column[: len(self)] = state[name]


class Recent(nn.Module):
    """The last joint actions played and the states they were played in.

    Args:
        capacity: how many are kept.
        state_size: S.
        n_coordinates: D.
    """

    state: Tensor
    u: Tensor
    added: Tensor

    def __init__(self, capacity: int, state_size: int, n_coordinates: int) -> None:
        super().__init__()
        self.register_buffer("state", torch.zeros(capacity, state_size))
        self.register_buffer("u", torch.zeros(capacity, n_coordinates))
        self.register_buffer("added", torch.tensor(0))

    def add(self, state: Tensor, u: Tensor) -> None:
        """Keep joint actions u [B, D] played in states [B, S]; the oldest make room."""
        places = (torch.arange(len(u)) + self.added) % len(self.u)
        self.state[places], self.u[places] = state, u
        self.added += len(u)

    def sample(self, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """`size` rows (states [size, S], joint actions [size, D]), drawn with replacement.

        Before anything was played, the one row there is holds zeros.
        """
        held = max(1, min(int(self.added), len(self.u)))
        rows = torch.randint(held, (size,), generator=generator)
        return self.state[rows], self.u[rows]
