"""What a learner remembers: transitions to be drawn from, or all that one policy played."""

import os
from dataclasses import dataclass, field, fields, replace

import torch
from torch import Generator, Tensor

from svnr.checks import check_count
from svnr.games.game import Symmetries


@dataclass(frozen=True)
class Transitions:
    """Transitions, row by row; the reward of a row belongs to the joint action of that row.

    With n-step returns `reward` is the discounted sum of the rewards to come, and `next_state`
    the state that it leads to.
    """

    state: Tensor  # [B, S]
    u: Tensor  # [B, D]
    reward: Tensor  # [B]
    next_state: Tensor  # [B, S]
    terminated: Tensor  # [B] bool: no value beyond
    truncated: Tensor  # [B] bool: cut off by the clock; bootstraps like any other row
    note: Tensor = field(default_factory=lambda: torch.zeros(0))  # [B, E] the learner's own notes
    weight: Tensor = field(default_factory=lambda: torch.zeros(0))  # [B] γᵏ (1 − terminated)

    def head(self, n: int) -> "Transitions":
        """The first n rows."""
        return replace(self, **{name: column[:n] for name, column in vars(self).items()})

    def turned(self, maps: Symmetries, generator: Generator) -> "Transitions":
        """Every row as one of G symmetries of the game has it, drawn for each row.

        Notes, if there are any, are one of each agent.
        """
        maps = maps.drawn(len(self.u), generator)
        state, next_state = (times(maps.state, x) for x in (self.state, self.next_state))
        note = times(maps.agents, self.note) if self.note.numel() else self.note
        turned = {"state": state, "u": times(maps.u, self.u), "next_state": next_state}
        return replace(self, **turned, note=note)


class Replay:
    """The buffer 𝒟 of Algorithm 1, which knows which row follows which.

    Args:
        capacity: transitions kept; the oldest are overwritten.
        state_size: S.
        width: D.
        note_size: E, numbers a row that the learner keeps with its transitions.

    Raises:
        ValueError: if so many rows would not fit into this machine's memory.
    """

    def __init__(self, capacity: int, state_size: int, width: int, note_size: int = 0) -> None:
        self._capacity = check_count("capacity", capacity)
        wide = {"state": state_size, "u": width, "next_state": state_size, "note": note_size}
        _check_memory(capacity, 4 * (sum(wide.values()) + 1) + 2)
        flags = {name: torch.zeros(1, dtype=torch.bool) for name in ("terminated", "truncated")}
        self._columns = {name: torch.zeros(1, k) for name, k in wide.items()}
        self._columns |= {"reward": torch.zeros(1), **flags}
        self._added = 0  # rows written so far, some of them over others
        self._copies = 1  # rows added at a time: the row after row i is row i + copies
        self._paid: tuple[list[int], list[int]] = ([], [])  # rows whose return is above, below 0
        self._sorted = 0  # rows that have been looked at for it
        self.seen = 0  # transitions ever seen

    def __len__(self) -> int:
        """How many transitions are held."""
        return min(self._added, self._capacity)

    def add(self, rows: Transitions) -> None:
        """Store one transition of every copy, in order; always as many at a time."""
        count = self._copies = len(rows.reward)
        self._grow(self._added + count)
        places = torch.arange(self._added, self._added + count) % self._capacity
        for name, column in self._columns.items():
            column[places] = getattr(rows, name)
        self._added += count
        self.seen += count

    def _grow(self, n_rows: int) -> None:
        """Make room for so many rows, or for as many as are kept; doubled when it is full."""
        held = len(self._columns["reward"])
        if min(n_rows, self._capacity) > held:
            more = min(max(n_rows, 2 * held), self._capacity) - held
            for name, column in self._columns.items():
                empty = column.new_zeros(more, *column.shape[1:])
                self._columns[name] = torch.cat([column, empty])

    def sample(
        self,
        size: int,
        generator: Generator,
        discount: float,
        n_steps: int,
        rewarded_share: float,
        rewarded_steps: int = 0,
    ) -> Transitions:
        """`size` rows drawn uniformly with replacement, with n-step returns.

        Args:
            size: B.
            generator: of the draws.
            discount: γ; always the same, as `n_steps` and `rewarded_steps` are.
            n_steps: rewards added up; fewer where an episode ended, or has only come so far.
            rewarded_share: of the rows, drawn half from those that led to a gain, a return above
                0, and half from those that led to a loss, so that rare successes are met as often
                as failures; where there are none of a kind, its rows are drawn as the others.
            rewarded_steps: of those returns; 0: `n_steps`.

        Raises:
            ValueError: if the buffer is empty.
        """
        if not len(self):
            raise ValueError("sample needs at least one stored transition, got an empty buffer")
        rows = torch.randint(len(self), (size,), generator=generator)
        if rewarded_share:
            self._sort_new_rows(discount, rewarded_steps or n_steps)
            rows = self._with_rewarded(rows, int(size * rewarded_share / 2), generator)
        return self._ahead(rows, discount, n_steps)

    def _with_rewarded(self, rows: Tensor, n: int, generator: Generator) -> Tensor:
        """n of the rows replaced by rows that led to a gain, and n by rows that led to a loss."""
        for place, found in enumerate(self._paid):
            if found:
                drawn = torch.randint(len(found), (n,), generator=generator)
                chosen = torch.tensor([found[i] for i in drawn.tolist()], dtype=torch.long)
                rows[place * n : (place + 1) * n] = chosen
        return rows[torch.randperm(len(rows), generator=generator)]

    def _sort_new_rows(self, discount: float, n_steps: int) -> None:
        """Bring the lists of paid rows up to date; from the start where rows were overwritten.

        Rows wait until all rewards of their return are there.
        """
        if self._added > self._capacity:
            self._paid, self._sorted = ([], []), 0
        rows = torch.arange(self._sorted, len(self))
        rows = rows[(self._added - 1 - rows) % self._capacity >= (n_steps - 1) * self._copies]
        reward = self._ahead(rows, discount, n_steps).reward
        for paid, kind in zip(self._paid, (reward > 0, reward < 0), strict=True):
            paid += rows[kind].tolist()
        self._sorted += len(rows)

    def _ahead(self, rows: Tensor, discount: float, n_steps: int) -> Transitions:
        """The rows with what came within n steps: Σ_j γʲ r_j, s_{t+k} and γᵏ (1 − terminated)."""
        batch = {name: self._columns[name][rows] for name in self._columns}
        weight = torch.where(batch["terminated"], 0.0, discount)
        last, reward = rows, batch["reward"]
        for _ in range(n_steps - 1):
            newer = (self._added - 1 - last) % self._capacity  # rows written after it
            goes_on = ~(batch["terminated"] | batch["truncated"]) & (newer >= self._copies)
            if not bool(goes_on.any()):
                break
            last = torch.where(goes_on, (last + self._copies) % self._capacity, last)
            reward = reward + torch.where(goes_on, weight * self._columns["reward"][last], 0.0)
            for name in ("terminated", "truncated"):
                batch[name] = self._columns[name][last]
            factor = torch.where(batch["terminated"], 0.0, discount)
            weight = torch.where(goes_on, weight * factor, weight)
        batch |= {"reward": reward, "next_state": self._columns["next_state"][last]}
        return Transitions(**batch, weight=weight)

    def recent(self, newest: int, size: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """States [size, S] and joint actions [size, D] of the last `newest` rows, drawn.

        Before anything was played, the one row there is holds zeros.
        """
        newest, top = min(newest, self._capacity), self._added - 1
        drawn = torch.randint(max(1, min(self._added, newest)), (size,), generator=generator)
        rows = (top - (top - drawn) % newest).clamp(min=0) % self._capacity
        return self._columns["state"][rows], self._columns["u"][rows]

    def state_dict(self, newest: int | None = None) -> dict[str, Tensor]:
        """The rows held, oldest first (or the `newest` of them), and the counts."""
        held = len(self) if newest is None else min(len(self), newest)
        rows = (self._added - held + torch.arange(held)) % self._capacity
        counts = torch.tensor([self._added, self._copies, self.seen])
        return {name: column[rows] for name, column in self._columns.items()} | {"counts": counts}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what `state_dict` gave; rows come to lie where they lay, modulo their number."""
        added, copies, seen = state["counts"].tolist()
        held = len(state["reward"])
        whole = held == min(added, self._capacity)
        self._added = added - held if whole else (added - held) % max(held, 1)
        self._paid, self._sorted = ([], []), 0
        self._grow(self._added)
        self.add(Transitions(**{name: state[name] for name in self._columns}))
        self._copies, self.seen = copies, seen


class Rollout:
    """What the copies of a game played, step by step, since the policy last changed."""

    def __init__(self) -> None:
        self._steps: list[Transitions] = []  # of K copies each
        self.drawn = torch.zeros(0)  # [K, D] the actions last drawn, before the box clipped them

    def __len__(self) -> int:
        """How many transitions are held, of all copies together."""
        return sum(len(step.reward) for step in self._steps)

    def add(self, rows: Transitions) -> None:
        """Keep one transition of every copy, and beside it, as its note, the action as drawn.

        Raises:
            ValueError: if there are more or fewer copies than before.
        """
        if self._steps and len(rows.reward) != (n := len(self._steps[0].reward)):
            raise ValueError(f"rows must be of {n} copies, as before, got {len(rows.reward)}")
        clipped = self.drawn.clamp(-1, 1)
        drawn = self.drawn if torch.equal(clipped, rows.u) else rows.u  # or somebody else acted
        self._steps.append(replace(rows, note=drawn))

    def rows(self) -> Transitions:
        """All of them, each column with T steps and K copies in front: [T, K, …]."""
        names = [each.name for each in fields(Transitions)]
        return Transitions(*(torch.stack([getattr(s, n) for s in self._steps]) for n in names))

    def clear(self) -> None:
        """Forget all of them: the policy has changed."""
        self._steps = []

    def state_dict(self) -> dict[str, Tensor]:
        """The transitions, if there are any, and the actions last drawn."""
        return {"drawn": self.drawn, **(vars(self.rows()) if self._steps else {})}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        columns = dict(state)
        self.drawn = columns.pop("drawn")
        steps = zip(*columns.values(), strict=True)
        self._steps = [Transitions(**dict(zip(columns, step, strict=True))) for step in steps]


def times(matrices: Tensor, x: Tensor) -> Tensor:
    """The products [B, K] of matrices [B, K, K] and vectors [B, K]."""
    return (matrices @ x.unsqueeze(-1)).squeeze(-1)


def _check_memory(capacity: int, bytes_a_row: int) -> None:
    owned = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    if (needed := capacity * bytes_a_row / 1e9) > owned:
        wanted = f"leave the replay within the machine's {owned:.1f} GB"
        got = f"{capacity} rows that need {needed:.1f} GB"
        raise ValueError(f"capacity must {wanted}, got {got}")
