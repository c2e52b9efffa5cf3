import pytest
import torch

from svnr.networks.mlp import (
    StackedMLP,
    beside,
    drawn_as_torch_draws,
    glorot_uniform,
    orthogonal,
    own_coordinates,
    seen_inputs,
)


def generator():
    return torch.Generator().manual_seed(0)


def test_stacked_networks_are_separate_networks():
    stack = StackedMLP(3, [4, 5, 2], generator())
    with torch.no_grad():
        for bias in stack.biases:
            bias.normal_(generator=generator())
    x = torch.randn(3, 7, 4, generator=generator())
    for i in range(3):
        hidden = torch.relu(x[i] @ stack.weights[0][i] + stack.biases[0][i])
        alone = hidden @ stack.weights[1][i] + stack.biases[1][i]
        torch.testing.assert_close(stack(x)[i], alone)


def test_glorot_uniform_fills_its_bounds():
    # fan_in 4 and fan_out 2: the bound is √(6 / 6) = 1, the variance of U(−1, 1) is 1/3.
    weights = glorot_uniform(2000, 4, 2, generator())
    assert weights.abs().max() <= 1 and weights.abs().max() > 0.99
    assert abs(weights.var().item() - 1 / 3) < 0.01


def test_orthogonal_weights_keep_lengths():
    for sizes in ((5, 3), (3, 5)):
        weights = orthogonal(2, *sizes, generator())
        assert weights.shape == (2, *sizes) and not torch.equal(*weights)
        square = weights.mT @ weights if sizes[0] > sizes[1] else weights @ weights.mT
        torch.testing.assert_close(square, torch.eye(3).expand(2, 3, 3))


def test_stacked_networks_keep_leading_shapes():
    stack = StackedMLP(2, [3, 4, 1], generator())
    x = torch.randn(2, 5, 6, 3)
    torch.testing.assert_close(stack(x)[:, 2], stack(x[:, 2]))


def test_a_tanh_network_learns_at_a_state_of_zeros_where_a_rectified_one_cannot():
    moved = {}
    for activation in ("relu", "tanh"):
        stack = StackedMLP(1, [1, 8, 1], generator(), activation)
        loss = stack(torch.zeros(1, 4, 1)).sum()
        gradient = torch.autograd.grad(loss, stack.biases[0])[0]
        moved[activation] = bool(gradient.any())
    assert moved == {"relu": False, "tanh": True}


def test_beside_broadcasts_leading_sizes():
    joined = beside(torch.zeros(4, 1, 2), torch.ones(3, 4, 5, 1))
    assert joined.shape == (3, 4, 5, 3)
    assert joined[2, 1, 4].tolist() == [0, 0, 1]


def test_own_coordinates_by_hand():
    assert own_coordinates((1, 2)).tolist() == [[True, False, False], [False, True, True]]


def test_drawn_as_torch_draws_them_the_weights_are_those_of_linear_layers():
    layer = torch.nn.Linear(4, 2)
    torch.nn.init.xavier_uniform_(layer.weight, generator=generator())
    assert torch.equal(drawn_as_torch_draws(1, 4, 2, generator())[0], layer.weight.T)


@pytest.mark.parametrize("layer_norm", [False, True])
def test_the_input_gradient_is_autograds(layer_norm):
    stack = StackedMLP(2, [3, 16, 16, 1], generator(), layer_norm=layer_norm).double()
    x = torch.randn(2, 4, 5, 3, dtype=torch.double, requires_grad=True)
    (expected,) = torch.autograd.grad(stack(x).sum(), x)
    torch.testing.assert_close(stack.input_gradient(x, first=1), expected[..., 1:])


def test_of_wide_inputs_only_the_gradient_that_is_asked_for_is_made():
    stack = StackedMLP(2, [40, 16, 1], generator()).double()
    x = torch.randn(2, 5, 40, dtype=torch.double, requires_grad=True)
    (expected,) = torch.autograd.grad(stack(x).sum(), x)
    torch.testing.assert_close(stack.input_gradient(x, first=36), expected[..., 36:])


def test_many_hidden_inputs_are_left_out_and_nothing_changes():
    """The same weights, drawn alike: with a mask over all inputs, or for what is seen alone."""
    mask = torch.zeros(3, 40, 1)
    for i, seen in enumerate(([0, 5], [0, 7, 39], [20])):
        mask[i, seen] = 1
    narrow = StackedMLP(3, [40, 16, 1], generator(), input_mask=mask).double()
    wide = StackedMLP(3, [40, 16, 1], generator()).double()
    assert narrow.seen.tolist() == [[[0, 1, 5]], [[0, 7, 39]], [[0, 1, 20]]]
    assert narrow.weights[0].shape == (3, 3, 16)
    x = torch.randn(3, 4, 5, 40, dtype=torch.double, requires_grad=True)

    def masked():
        return wide(x * mask.mT.unsqueeze(1))

    torch.testing.assert_close(narrow(x), masked())
    (expected,) = torch.autograd.grad(masked().square().sum(), x)
    (found,) = torch.autograd.grad(narrow(x).square().sum(), x)
    torch.testing.assert_close(found, expected)
    (expected,) = torch.autograd.grad(masked().sum(), x)
    for first in (0, 7, 36):
        gradient = narrow.input_gradient(x.detach(), first)
        torch.testing.assert_close(gradient, expected[..., first:])


def test_slopes_of_weights_for_what_is_seen_are_autograds():
    mask = torch.zeros(2, 40, 1)
    mask[0, [3, 4]] = mask[1, 30] = 1
    stack = StackedMLP(2, [40, 16, 1], generator(), input_mask=mask).double()
    x, slope = (torch.randn(2, 5, k, dtype=torch.double) for k in (40, 1))
    expected = torch.autograd.grad(stack(x), list(stack.parameters()), slope)
    trail, into = stack.record(x)[1], [torch.empty_like(each) for each in stack.parameters()]
    with torch.no_grad():
        stack.slopes(trail, slope, into)
    for one, other in zip(into, expected, strict=True):
        torch.testing.assert_close(one, other)
    assert not into[0][1, 0].any()  # of two places the second network needs one


def test_few_hidden_inputs_are_masked_as_they_always_were():
    """Up to 31 of them, so that no run of up to eight agents is another one."""
    for size, left_out in ((32, False), (33, True)):
        mask = torch.zeros(2, size, 1)
        mask[:, 0] = 1
        assert (seen_inputs(mask) is not None) == left_out
    assert seen_inputs(None) is None
