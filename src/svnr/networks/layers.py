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
NARROW = 4  # outputs below which a product is quicker turned over; its numbers are the same
_EPSILON = 1e-5  # added to the variance; torch's own


class Passage(NamedTuple):
    """What passed a hidden unit, as its gradient needs it; the last three for a layer norm."""

    after: Tensor  # [N, B, k] the unit's outputs
    before: Tensor | None = None  # [N, B, k] its inputs
    mean: Tensor | None = None  # [N, B, 1] of the inputs
    precision: Tensor | None = None  # [N, B, 1] one over their standard deviation


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
        return Passage(activate(x), sums, *moments)

    def backward(self, slope: Tensor, passage: Passage) -> Tensor:
        """The gradient at the sums, given that at the unit's outputs, which is used up."""
        if self.activation == "relu":
            _aten.threshold_backward.grad_input(slope, passage.after, 0, grad_input=slope)
        else:
            _aten.tanh_backward.grad_input(slope, passage.after, grad_input=slope)
        if self.layer_norm:
            before, *moments = passage[1:]
            slope, _, _ = _aten.native_layer_norm_backward(
                slope, before, slope.shape[-1:], *moments, None, None, (True, False, False)
            )
        return slope


class Trail(NamedTuple):
    """What a pass through a network left behind, as its gradient needs it."""

    x: Tensor  # [N, B, in] the inputs
    input_mask: Tensor | None
    weights: Sequence[Tensor]  # of all layers, the first of them masked
    passages: Sequence[Passage]  # through the units
    unit: Unit


class Layers(torch.autograd.Function):
    """A whole network as one operation of autograd."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, input_mask: Tensor | None, unit: Unit, *parameters: Tensor
    ) -> Tensor:
        """The outputs [N, B, out]; the arguments are those of `run`."""
        out, trail = run(x, input_mask, unit, parameters)
        ctx.unit, ctx.n_layers = unit, len(trail.weights)
        passed = [part for passage in trail.passages for part in passage]
        # All of it, and the first weights without their mask, so that autograd sees a change.
        ctx.save_for_backward(x, input_mask, parameters[0], *trail.weights, *passed)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of the inputs and of all parameters, given that of the outputs."""
        x, input_mask, _, *saved = ctx.saved_tensors
        weights, passed = saved[: ctx.n_layers], saved[ctx.n_layers :]
        parts = len(Passage._fields)
        passages = [Passage(*passed[i : i + parts]) for i in range(0, len(passed), parts)]
        of_inputs, _, _, *of_parameters = ctx.needs_input_grad
        into: Any = None
        if any(of_parameters):
            biases = [slope.new_empty(len(each), 1, each.shape[-1]) for each in weights]
            into = [*map(torch.empty_like, weights), *biases]
        trail = Trail(x, input_mask, weights, passages, ctx.unit)
        of_x = back(trail, slope, into, of_inputs)
        of_weights = [None] * len(of_parameters) if into is None else into
        return of_x, None, None, *of_weights


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


def back(
    trail: Trail, slope: Tensor, into: Sequence[Tensor] | None, of_inputs: bool, first: int = 0
) -> Tensor | None:
    """The gradients of what `run` took in, given that of the outputs.

    Args:
        trail: what `run` left behind.
        slope: [N, B, out] the gradient of the outputs.
        into: where those of the parameters are written, or None if they are not asked for.
        of_inputs: whether that of the inputs is asked for.
        first: the first of the inputs that it is asked for.

    Returns:
        [N, B, in − first] that of the inputs.
    """
    n_layers = len(trail.weights)
    for layer in reversed(range(n_layers)):
        if into is not None:
            entered = trail.passages[layer - 1].after if layer else trail.x
            if slope.shape[-1] < NARROW:
                into[layer].copy_((slope.mT @ entered).mT)
            else:
                torch.bmm(entered.mT, slope, out=into[layer])
            torch.sum(slope, 1, keepdim=True, out=into[n_layers + layer])
        if layer:
            weights = trail.weights[layer].mT
            slope = slope * weights if slope.shape[-1] == 1 else slope @ weights
            slope = trail.unit.backward(slope, trail.passages[layer - 1])
    if into is not None and trail.input_mask is not None:
        into[0].mul_(trail.input_mask)
    return slope @ trail.weights[0][:, first:].mT if of_inputs else None
