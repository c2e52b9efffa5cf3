"""What moves networks: Adam, by gradients written out or by autograd's, and slow followers."""

from collections.abc import Callable
from math import inf
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from torch.optim.adam import adam

from svnr.networks.mlp import NetworkSettings


class Trained(nn.Module):
    """A network with its optimizer, and the target network that follows it, where there is one.

    On networks this small `torch.optim.Adam.step` spends more time on hooks than on arithmetic:
    here Adam, by torch's own function, makes one step on all parameters in one piece.

    Args:
        net: what learns; `record` gives its outputs and what `slopes` follows back to its weights.
        settings: the learning rate of Adam, and the target's τ.
        max_norm: gradients longer than this are shortened to it.
        target: becomes a copy of the network, and follows it by θ̄ ← θ̄ + τ (θ − θ̄).
        epsilon: Adam's, beside the root of the mean square.
    """

    mean: Tensor
    square: Tensor
    steps: Tensor

    def __init__(
        self,
        net: Any,
        settings: NetworkSettings,
        max_norm: float = inf,
        target: Any = None,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__()
        self.net, self.target = net, target
        self._rate, self._target_rate = settings.learning_rate, settings.target_rate
        self._max_norm, self._epsilon = max_norm, epsilon
        net.requires_grad_(False)
        if target is not None:
            target.requires_grad_(False)
            target.load_state_dict(net.state_dict())
        self._tie()
        for name in ("mean", "square"):
            self.register_buffer(name, torch.zeros_like(self._whole))
        self.register_buffer("steps", torch.tensor(0.0))

    def _tie(self) -> None:
        self._whole, self._parts = in_one_piece(self.net)
        self._slope = torch.zeros_like(self._whole)
        slopes = self._slope.split([part.numel() for part in self._parts])
        self._slopes = [*map(torch.Tensor.view_as, slopes, self._parts)]
        if self.target is not None:
            self._follower, self._following = in_one_piece(self.target)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Tie the parameters of a copy together: copied or unpickled one by one, they were not."""
        super().__setstate__(state)
        self._tie()

    def forward(self, *inputs: Tensor) -> Tensor:
        """What the network gives; without a gradient."""
        return self.net.record(*inputs)[0]

    @torch.no_grad()
    def learn(
        self, direction: Callable[[Tensor], Tensor], *inputs: Tensor, n_rows: int | None = None
    ) -> None:
        """One step that carries the outputs along a direction: E_ξ[Δf · ∂f/∂ψ] of (7.3).

        Args:
            direction: from outputs to directions of the same shape.
            inputs: of the network.
            n_rows: what directions are averaged over; by default as many rows as there are.
        """
        out, trail = self.net.record(*inputs)
        slope = direction(out) / -(n_rows or out[0, ..., 0].numel())
        self.net.slopes(trail, slope, self._slopes)
        self.step()

    def descend(self, loss: Tensor) -> None:
        """One step down the gradient of a scalar loss, of which the network requires one."""
        slopes = torch.autograd.grad(loss, self._parts)
        torch.cat([slope.flatten() for slope in slopes], out=self._slope)
        self.step()

    @torch.no_grad()
    def step(self) -> None:
        """One step down the gradient that was written."""
        if self._max_norm < inf:
            self._slope *= (self._max_norm / self._slope.norm().clamp(min=1e-12)).clamp(max=1.0)
        adam(
            [self._whole], [self._slope], [self.mean], [self.square], [], [self.steps],
            fused=True, amsgrad=False, beta1=0.9, beta2=0.999, lr=self._rate,
            weight_decay=0.0, eps=self._epsilon, maximize=False,
        )  # fmt: skip
        torch.autograd.graph.increment_version(self._parts)

    @torch.no_grad()
    def follow(self) -> None:
        """One step of the target network towards the network."""
        self._follower.lerp_(self._whole, self._target_rate)
        torch.autograd.graph.increment_version(self._following)


def in_one_piece(module: nn.Module) -> tuple[Tensor, list[Tensor]]:
    """Lay all parameters of a module side by side in one tensor, of which they become views.

    Returns:
        The one tensor, and the parameters; their versions must be told of a change (autograd).
    """
    parts: list[Tensor] = list(module.parameters())
    whole = parameters_to_vector(parts).detach()
    vector_to_parameters(whole, parts)
    return whole, parts
