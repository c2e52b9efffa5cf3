"""What brings returns to units in which a network speaks easily."""

import torch
from torch import Tensor, nn

BETA = 0.99999  # share of the moments that an update leaves; public code
LEAST_VARIANCE = 0.01  # below which spread is no longer divided by; public code


class ValueNorm(nn.Module):
    """Running moments of all returns so far (Yu et al., 2022; public code).

    m ← β m + (1 − β) x̄ begins at 0, so it is divided by w ← β w + (1 − β), which does too. In
    double precision: the mean square less the square of the mean cancels.
    """

    moments: Tensor
    weight: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("moments", torch.zeros(2, dtype=torch.double))  # of x and of x²
        self.register_buffer("weight", torch.zeros((), dtype=torch.double))

    @torch.no_grad()
    def update(self, x: Tensor) -> None:
        """Learn of returns x of any shape, as one batch."""
        x = x.double()
        self.moments.lerp_(torch.stack([x.mean(), x.square().mean()]), 1 - BETA)
        self.weight.lerp_(torch.ones_like(self.weight), 1 - BETA)

    def normalize(self, x: Tensor) -> Tensor:
        """(x − mean) / deviation."""
        mean, deviation = self._mean_and_deviation()
        return (x - mean.to(x.dtype)) / deviation.to(x.dtype)

    def denormalize(self, x: Tensor) -> Tensor:
        """What `normalize` gave, in units of returns again."""
        mean, deviation = self._mean_and_deviation()
        return x * deviation.to(x.dtype) + mean.to(x.dtype)

    def _mean_and_deviation(self) -> tuple[Tensor, Tensor]:
        """Of all returns so far; 0 and the least there is, before the first."""
        mean, square = self.moments / self.weight.clamp(min=1 - BETA)
        return mean, (square - mean.square()).clamp(min=LEAST_VARIANCE).sqrt()
