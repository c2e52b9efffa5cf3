"""Noise of exploration: around a deterministic policy, and noise that stays for several steps."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from svnr.learners.checkpoint import Part, below, gather, restore

RETURN, SPREAD = 0.15, 0.3  # θ and σ of the Ornstein–Uhlenbeck process; public code


class Exploration:
    """Ornstein–Uhlenbeck paths x ← x − θ x + σ ε, one a copy of the game, scaled.

    Args:
        n_coordinates: D.
        scale: of the noise, in units of actions in [−1, 1]; the learner lowers it as it goes on.
    """

    def __init__(self, n_coordinates: int, scale: float) -> None:
        self.scale, self._paths = scale, torch.zeros(1, n_coordinates)

    def noise(self, n_copies: int, generator: torch.Generator) -> Tensor:
        """The next points [n_copies, D] of the paths, scaled; another number begins anew."""
        if n_copies != len(self._paths):
            self._paths = self._paths.new_zeros(n_copies, self._paths.shape[-1])
        shock = torch.randn(self._paths.shape, generator=generator)
        self._paths = self._paths + (SPREAD * shock - RETURN * self._paths)
        return self.scale * self._paths

    def state_dict(self) -> dict[str, Tensor]:
        """The paths and the scale."""
        return {"paths": self._paths, "scale": torch.tensor(self.scale, dtype=torch.float64)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._paths, self.scale = state["paths"].clone(), float(state["scale"])


class Held:
    """Noise that stays for several steps: its sources are set back, and it is drawn again.

    A policy that draws anew at each step trembles about its mean; one that keeps its draw goes
    somewhere (temporally extended exploration, Dabney et al., 2021, has actions repeated).

    Args:
        n_steps: for which it stays.
    """

    def __init__(self, n_steps: int) -> None:
        self._n_steps, self._count = n_steps, 0
        self._first: dict[str, Tensor] = {}  # the sources, before the first of these steps

    @contextmanager
    def drawing(self, sources: Mapping[str, Part]) -> Iterator[None]:
        """What is drawn inside is what was drawn there in the first of the present steps."""
        now, again = gather(**sources), self._count % self._n_steps > 0
        self._count += 1
        if not again:
            self._first = now
            yield
            return
        restore(self._first, **sources)
        try:
            yield
        finally:
            restore(now, **sources)

    def state_dict(self) -> dict[str, Tensor]:
        """How many steps were taken, and the sources before the first of the present ones."""
        first = {f"first.{name}": value for name, value in self._first.items()}
        return {"count": torch.tensor(self._count), **first}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self._count, self._first = int(state["count"]), below("first.", state)
