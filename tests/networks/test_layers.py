"""Gradients written out, against autograd's on the same arithmetic."""

import pytest
import torch
from torch.nn import functional

from svnr.networks.layers import Layers, Unit, back, run

UNITS = [Unit(activation, norm) for activation in ("relu", "tanh") for norm in (False, True)]


def network(seed=0):
    """Two networks of sizes 3, 5, 4, 2, their inputs; a mask hides input 1 from the first."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*size):
        return torch.randn(size, generator=generator, dtype=torch.double, requires_grad=True)

    weights = [draw(2, 3, 5), draw(2, 5, 4), draw(2, 4, 2)]
    biases = [draw(2, 1, 5), draw(2, 1, 4), draw(2, 1, 2)]
    mask = torch.ones(2, 3, 1, dtype=torch.double)
    mask[0, 1] = 0
    return draw(2, 7, 3), mask, [*weights, *biases]


def step_by_step(x, mask, unit, parameters):
    """The same network, layer by layer, for autograd to follow."""
    weights, biases = parameters[:3], parameters[3:]
    out = x @ (weights[0] * mask) + biases[0]
    for weight, bias in zip(weights[1:], biases[1:], strict=True):
        out = functional.layer_norm(out, out.shape[-1:]) if unit.layer_norm else out
        out = torch.relu(out) if unit.activation == "relu" else torch.tanh(out)
        out = out @ weight + bias
    return out


@pytest.mark.parametrize("unit", UNITS, ids=str)
def test_outputs_and_all_gradients_are_those_of_the_layers_one_by_one(unit):
    x, mask, parameters = network()
    ours, theirs = (
        Layers.apply(x, mask, unit, *parameters),
        step_by_step(x, mask, unit, parameters),
    )
    torch.testing.assert_close(ours, theirs)
    slope = torch.randn(ours.shape, dtype=torch.double)
    found, expected = (torch.autograd.grad(out, [x, *parameters], slope) for out in (ours, theirs))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
    assert not found[1][0, 1].any()  # the hidden input's weights


@pytest.mark.parametrize("unit", UNITS, ids=str)
def test_gradients_are_written_where_they_are_wanted(unit):
    x, mask, parameters = network()
    with torch.no_grad():
        out, trail = run(x, mask, unit, parameters)
        slope, into = torch.ones_like(out), [torch.empty_like(each) for each in parameters]
        of_sums = back(trail, slope, into)
        assert torch.equal(back(trail, slope), of_sums)
        of_x = of_sums @ trail.weights[0].mT
    expected = torch.autograd.grad(step_by_step(x, mask, unit, parameters).sum(), [x, *parameters])
    for one, other in zip([of_x, *into], expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("unit", UNITS, ids=str)
@pytest.mark.parametrize("changed", [0, 1, 2, "mask", "input"])
def test_what_changed_between_the_two_passes_is_noticed_as_torch_notices_it(unit, changed):
    """A gradient of weights that are no longer there would be wrong without a word."""
    x, mask, parameters = network()
    out = Layers.apply(x, mask, unit, *parameters).sum()
    with torch.no_grad():
        {"mask": mask, "input": x, **dict(enumerate(parameters))}[changed].add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.grad(out, parameters)
