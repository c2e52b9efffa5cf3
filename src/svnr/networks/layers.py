"""Layers of N perceptrons at once, their gradients by the chain rule written out.

Autograd keeps a node for every operation, which on networks this small takes as long as the
arithmetic. Here a whole network is one node; a test compares the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

Activation = Literal["relu", "tanh"]
_aten: Any = torch.ops.aten
NARROW = 4  # outputs below which a product is quicker turned over; a last bit may differ
_EPSILON = 1e-5  # added to the variance; torch's own


class Passage(NamedTuple):
    """What enters a layer, as the gradient needs it."""

    x: Tensor  # [N, B, k] the inputs of the network, or what a unit made of the sums before it
    normed: tuple[Tensor, ...] = ()  # for a layer norm: those sums, their mean, 1 / deviation


@dataclass(frozen=True)
class Unit:
    """The activation of a hidden layer; a layer norm brings its inputs to mean 0, variance 1."""

    activation: Activation = "relu"
    layer_norm: bool = False

    def forward(self, sums: Tensor) -> Passage:
        """Let the sums [N, B, k] of a layer pass; without a layer norm they are used up."""
        activate = torch.relu_ if self.activation == "relu" else torch.tanh_
        if not self.layer_norm:
            return Passage(activate(sums))
        x, *moments = torch.native_layer_norm(sums, sums.shape[-1:], None, None, _EPSILON)
        return Passage(activate(x), (sums, *moments))

    def backward(self, slope: Tensor, passage: Passage) -> Tensor:
        """The gradient at the sums, given that at the unit's outputs, which is used up."""
        if self.activation == "relu":
            _aten.threshold_backward.grad_input(slope, passage.x, 0, grad_input=slope)
        else:
            _aten.tanh_backward.grad_input(slope, passage.x, grad_input=slope)
        if self.layer_norm:
            sums, *moments = passage.normed
            given = (slope, sums, slope.shape[-1:], *moments, None, None, (True, False, False))
            slope = _aten.native_layer_norm_backward(*given)[0]
        return slope


class Trail(NamedTuple):
    """What a pass through a network left behind, as its gradient needs it."""

    passages: Sequence[Passage]  # into every layer
    weights: Sequence[Tensor]  # of all layers, the first of them masked
    input_mask: Tensor | None
    unit: Unit


class Layers(torch.autograd.Function):
    """A whole network as one operation of autograd."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, input_mask: Tensor | None, unit: Unit, *parameters: Tensor
    ) -> Tensor:
        """The outputs [N, B, out]; the arguments are those of `run`."""
        out, ctx.trail = run(x, input_mask, unit, parameters)
        ctx.save_for_backward(x, input_mask, *parameters)  # so that autograd sees a change
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of the inputs and of all parameters, given that of the outputs."""
        _, _, *parameters = ctx.saved_tensors
        of_inputs, _, _, *of_parameters = ctx.needs_input_grad
        into: Any = [*map(torch.empty_like, parameters)] if any(of_parameters) else None
        slope = back(ctx.trail, slope, into)
        of_x = slope @ ctx.trail.weights[0].mT if of_inputs else None
        return of_x, None, None, *(into or [None] * len(parameters))


def run(
    x: Tensor, input_mask: Tensor | None, unit: Unit, parameters: Sequence[Tensor]
) -> tuple[Tensor, Trail]:
    """Linear layers with a unit between each two.

    Args:
        x: [N, B, in] inputs.
        input_mask: [N, in, 1] what the first weights are multiplied by, or None.
        unit: stands between two layers.
        parameters: the weights [N, in, out] of all layers, then their biases [N, 1, out].

    Returns:
        The outputs [N, B, out], and what their gradient needs.
    """
    n_layers = len(parameters) // 2
    weights, biases = list(parameters[:n_layers]), parameters[n_layers:]
    if input_mask is not None:
        weights[0] = weights[0] * input_mask
    passages = [Passage(x)]
    for weight, bias in zip(weights[:-1], biases, strict=False):
        passages.append(unit.forward(torch.baddbmm(bias, passages[-1].x, weight)))
    out = torch.baddbmm(biases[-1], passages[-1].x, weights[-1])
    return out, Trail(passages, weights, input_mask, unit)


def back(trail: Trail, slope: Tensor, into: Sequence[Tensor] | None = None) -> Tensor:
    """The gradients of a network, given that of its outputs.

    Args:
        trail: what `run` left behind.
        slope: [N, B, out] the gradient of the outputs.
        into: where those of the parameters are written, or None if they are not asked for.

    Returns:
        [N, B, k] that of the first layer's sums; times its weights, that of the inputs.
    """
    n_layers = len(trail.weights)
    for layer in reversed(range(n_layers)):
        passage = trail.passages[layer]
        if into is not None:
            if slope.shape[-1] < NARROW:
                into[layer].copy_((slope.mT @ passage.x).mT)
            else:
                torch.bmm(passage.x.mT, slope, out=into[layer])
            torch.sum(slope, 1, keepdim=True, out=into[n_layers + layer])
        if layer:
            weights = trail.weights[layer].mT
            slope = slope * weights if slope.shape[-1] == 1 else slope @ weights
            slope = trail.unit.backward(slope, passage)
    if into is not None and trail.input_mask is not None:
        into[0].mul_(trail.input_mask)
    return slope
