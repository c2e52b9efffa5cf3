"""Noise around a deterministic policy, for the methods that have none of their own."""

import torch
from torch import Tensor, nn

RETURN, SPREAD = 0.15, 0.3  # θ and σ of the Ornstein–Uhlenbeck process; public code
FADES_TO = 1 / 50  # last scale over first; public code: 0.5, 0.1, then 0.01


class Exploration(nn.Module):
    """An Ornstein–Uhlenbeck path x ← x − θ x + σ ε, scaled down as training goes on.

    Args:
        n_coordinates: D.
        scale: of the noise at the start, in units of actions in [−1, 1].
        fraction: of the run over which the scale fades to a fiftieth, where it stays.
        n_episodes: length of the run.
    """

    path: Tensor
    episode: Tensor

    def __init__(self, n_coordinates: int, scale: float, fraction: float, n_episodes: int) -> None:
        super().__init__()
        self._scale, self._span = scale, fraction * n_episodes
        self.register_buffer("path", torch.zeros(n_coordinates))
        self.register_buffer("episode", torch.tensor(0))

    def scale(self) -> float:
        """The scale at the episode last told."""
        return fading(int(self.episode), self._scale, self._span)

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        """The next n points [n, D] of the path, scaled."""
        points = []
        for _ in range(n):
            shock = torch.randn(self.path.shape, generator=generator)
            self.path += SPREAD * shock - RETURN * self.path
            points.append(self.path.clone())
        return self.scale() * torch.stack(points)


def fading(episode: int, scale: float, span: float) -> float:
    """From `scale` to a fiftieth of it at a constant rate over `span` episodes, then constant."""
    return scale * FADES_TO ** min(episode / span, 1.0)
