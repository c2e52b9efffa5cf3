"""Multilayer perceptrons, those of N agents evaluated together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from svnr.checks import Positive, Settings, Share, Widths
from svnr.games.game import agent_of_coordinate
from svnr.networks.layers import Activation, Layers, Trail, Unit, back, run

WIDE = 32  # inputs, from which on it pays to leave them out where nobody asks for them
Draw = Callable[[int, int, int, torch.Generator], Tensor]  # of N, fan_in, fan_out, a generator


@dataclass(frozen=True, kw_only=True)
class NetworkSettings(Settings):
    """How all networks of a learner are built and moved; each value with its source."""

    learning_rate: Positive = 0.005  # Adam, all networks; searched in 1e-4 to 1e-1 (§8)
    hidden: Widths = (100, 100)  # layers of every network; ROMMEO's
    layer_norm: bool = False  # in the critics; for games with states, where values run away; ours
    target_rate: Share = 0.01  # τ of the target networks, after each update; ROMMEO's


def glorot_uniform(n: int, fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
    """N weight matrices [N, fan_in, fan_out], uniform in ±√(6 / (fan_in + fan_out))."""
    bound = (6 / (fan_in + fan_out)) ** 0.5
    return bound * (2 * torch.rand(n, fan_in, fan_out, generator=generator) - 1)


def drawn_as_torch_draws(n: int, fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
    """Glorot-uniform weights [N, in, out], number by number as torch's linear layers draw them."""
    weights = torch.empty(n, fan_out, fan_in)
    for each in weights:
        nn.init.xavier_uniform_(each, generator=generator)
    return weights.mT.contiguous()


def orthogonal(n: int, fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
    """N weight matrices [N, fan_in, fan_out]: rows or columns at right angles, of length 1."""
    weights = torch.empty(n, fan_in, fan_out)
    for each in weights:
        nn.init.orthogonal_(each, generator=generator)
    return weights


class StackedMLP(nn.Module):
    """N multilayer perceptrons of one shape, with weights of their own, evaluated together.

    Args:
        n: N, how many.
        sizes: widths from input to output.
        generator: source of the starting weights; biases start at zero.
        activation: "relu" or "tanh". A network whose only input is the state needs tanh: at the
            zero state of a one-shot game all its rectified units are off and never learn.
        layer_norm: bring the inputs of every activation to mean 0 and variance 1.
        draw: makes the starting weights of a layer.
        input_mask: [N, in, 1] hides inputs from a network: where it is 0, they weigh nothing.
            Where many are hidden, each network has weights for those only that it sees.
    """

    input_mask: Tensor | None
    seen: Tensor | None

    def __init__(
        self,
        n: int,
        sizes: Sequence[int],
        generator: torch.Generator,
        activation: Activation = "relu",
        layer_norm: bool = False,
        draw: Draw = glorot_uniform,
        input_mask: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.unit = Unit(activation, layer_norm)
        weights = [draw(n, a, b, generator) for a, b in pairwise(sizes)]
        self.register_buffer("seen", seen_inputs(input_mask), persistent=False)
        if self.seen is not None and input_mask is not None:
            weights[0] = weights[0].take_along_dim(self.seen.mT, 1)
            input_mask = input_mask.take_along_dim(self.seen.mT, 1)
        self.weights = nn.ParameterList(weights)
        self.biases = nn.ParameterList(torch.zeros(n, 1, b) for b in sizes[1:])
        self._layers = (*self.weights, *self.biases)  # quicker to walk
        self.register_buffer("input_mask", input_mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs [N, ..., out] for inputs x [N, ..., in], for autograd to follow."""
        out = Layers.apply(self._rows(x), self.input_mask, self.unit, *self._layers)
        return out.view(*x.shape[:-1], -1)

    @torch.no_grad()
    def record(self, x: Tensor) -> tuple[Tensor, Trail]:
        """What `forward` gives, without autograd, and the trail that gradients follow back."""
        out, trail = run(self._rows(x), self.input_mask, self.unit, self._layers)
        return out.view(*x.shape[:-1], -1), trail

    def slopes(self, trail: Trail, slope: Tensor, into: Sequence[Tensor]) -> None:
        """Write the gradient of all parameters, given that of the outputs [N, ..., out].

        Args:
            trail: what `record` left behind.
            slope: the gradient of the outputs.
            into: one tensor a parameter, in the order of `parameters()`.
        """
        back(trail, slope.flatten(1, -2), into)

    @torch.no_grad()
    def input_gradient(self, x: Tensor, first: int = 0) -> Tensor:
        """∂ output / ∂ x [N, ..., in − first], for networks with one output.

        Args:
            x: [N, ..., in].
            first: the first input that is asked about.
        """
        out, trail = self.record(x)
        slope = back(trail, torch.ones_like(out).flatten(1, -2))
        if self.seen is not None:
            whole, gradient = x.new_zeros(x.shape), slope @ trail.weights[0].mT
            whole.flatten(1, -2).scatter_(-1, self.seen.expand_as(gradient), gradient)
            return whole[..., first:]
        left_out = first if first >= WIDE else 0  # of few, leaving some out saves nothing
        gradient = slope @ trail.weights[0][:, left_out:].mT
        return gradient.view(*x.shape[:-1], -1)[..., first - left_out :]

    def _rows(self, x: Tensor) -> Tensor:
        """The inputs x [N, ..., in] as rows [N, B, k] of what each network sees of them."""
        x = x.flatten(1, -2)
        return x if self.seen is None else x.gather(-1, self.seen.expand(-1, x.shape[1], -1))


def seen_inputs(mask: Tensor | None) -> Tensor | None:
    """Which inputs each of N networks sees, [N, 1, k]; None if too few are hidden to matter.

    A network that sees fewer than k has hidden ones among them, which stay masked.

    Args:
        mask: [N, in, 1] ones and zeros, or None.
    """
    if mask is None or mask.shape[1] - (k := int(mask.sum(1).max())) < WIDE:
        return None
    first = mask.argsort(dim=1, descending=True, stable=True)[:, :k]
    return first.sort(dim=1).values.mT


def beside(*parts: Tensor) -> Tensor:
    """Tensors [..., k_1], [..., k_2], … side by side, their leading sizes broadcast."""
    leading = np.broadcast_shapes(*(part.shape[:-1] for part in parts))  # torch's own is slow
    return torch.cat([part.expand(*leading, part.shape[-1]) for part in parts], -1)


def own_coordinates(action_sizes: Sequence[int]) -> Tensor:
    """Which coordinates of the joint action are each agent's own: [N, D] bool."""
    owner = torch.tensor(agent_of_coordinate(tuple(action_sizes)))
    return owner == torch.arange(len(action_sizes)).unsqueeze(-1)
