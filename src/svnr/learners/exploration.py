"""Noise around a deterministic policy, for the methods that have none of their own."""

import torch
from torch import Tensor

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
