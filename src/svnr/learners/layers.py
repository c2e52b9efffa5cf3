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
_EPSILON = 1e-5  # added to the variance; torch's own


class Passage(NamedTuple):
    """What passed a hidden unit, as its gradient needs it."""

    after: Tensor  # [N, B, k] the unit's outputs
    before: Tensor  # [N, B, k] its inputs; with a layer norm alone, like the other two
    mean: Tensor  # [N, B, 1] of the inputs
    precision: Tensor  # [N, B, 1] one over their standard deviation


@dataclass(frozen=True)
class Unit:
    """The activation of a hidden layer; a layer norm brings its inputs to mean 0, variance 1."""

    activation: Activation = "relu"
    layer_norm: bool = False

    def forward(self, sums: Tensor) -> Passage:
        """Let the sums [N, B, k] of a layer pass; without a layer norm they are used up."""
        x, mean, precision = sums, sums, sums
        if self.layer_norm:
            x, mean, precision = torch.native_layer_norm(
                sums, sums.shape[-1:], None, None, _EPSILON
            )
        after = torch.relu_(x) if self.activation == "relu" else torch.tanh_(x)
        return Passage(after, sums, mean, precision)

    def backward(self, slope: Tensor, passage: Passage) -> Tensor:
        """The gradient at the sums, given that at the unit's outputs, which is used up."""
        if self.activation == "relu":
            _aten.threshold_backward.grad_input(slope, passage.after, 0, grad_input=slope)
        else:
            _aten.tanh_backward.grad_input(slope, passage.after, grad_input=slope)
        if self.layer_norm:
            before, mean, precision = passage[1:]
            slope, _, _ = _aten.native_layer_norm_backward(
                slope, before, before.shape[-1:], mean, precision, None, None, (True, False, False)
            )
        return slope


class Trail(NamedTuple):
    """What a pass through a network left behind, as its gradient needs it."""

    x: Tensor  # [N, B, in] the inputs
    input_mask: Tensor | None
    weights: list[Tensor]  # of all layers, the first of them masked
    passages: list[Passage]  # through the units
    unit: Unit


class Layers(torch.autograd.Function):
    """A whole network as one operation of autograd."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, input_mask: Tensor | None, unit: Unit, *parameters: Tensor
    ) -> Tensor:
        """The outputs [N, B, out]; the arguments are those of `run`."""
        out, ctx.trail = run(x, input_mask, unit, parameters)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of the inputs and of all parameters, given that of the outputs."""
        of_inputs, _, _, *of_parameters = ctx.needs_input_grad
        return gradients(ctx.trail, slope, of_inputs, any(of_parameters))


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
    passages: list[Passage] = []
    out = x
    for weight, bias in zip(weights[:-1], biases, strict=False):
        passages.append(unit.forward(torch.baddbmm(bias, out, weight)))
        out = passages[-1].after
    out = torch.baddbmm(biases[-1], out, weights[-1])
    return out, Trail(x, input_mask, weights, passages, unit)


def gradients(
    trail: Trail, slope: Tensor, of_inputs: bool, of_parameters: bool
) -> tuple[Tensor | None, ...]:
    """The gradients of what `run` took in, given that of the outputs; None where not asked for.

    Args:
        trail: what `run` left behind.
        slope: [N, B, out] the gradient of the outputs.
        of_inputs: whether that of the inputs is asked for.
        of_parameters: whether those of the parameters are.

    Returns:
        One for each argument of `run`, in their order, the parameters one by one.
    """
    of_weights: list[Tensor | None] = [None] * len(trail.weights)
    of_biases: list[Tensor | None] = [None] * len(trail.weights)
    for layer in reversed(range(len(trail.weights))):
        if of_parameters:
            entered = trail.passages[layer - 1].after if layer else trail.x
            of_weights[layer] = entered.mT @ slope
            of_biases[layer] = slope.sum(1, keepdim=True)
        if layer:
            slope = trail.unit.backward(slope @ trail.weights[layer].mT, trail.passages[layer - 1])
    if of_weights[0] is not None and trail.input_mask is not None:
        of_weights[0] *= trail.input_mask
    of_x = slope @ trail.weights[0].mT if of_inputs else None
    return of_x, None, None, *of_weights, *of_biases
