from types import SimpleNamespace

import pytest
import torch

from svnr.networks.factors import Factors

GAME = SimpleNamespace(n_agents=3, action_sizes=(1, 2, 1), state_size=2)
SETS = (frozenset({1}), frozenset(), frozenset({1}))


def factors(layer_norm=False, game=GAME, sets=SETS):
    return Factors(sets, game, layer_norm, (8, 8), torch.Generator().manual_seed(0)).double()


def inputs(*shape):
    return torch.randn(1, *shape, dtype=torch.double, generator=torch.Generator().manual_seed(1))


def test_the_value_is_the_sum_of_parts_that_see_their_sets_alone():
    """Agents 1 and 3 are in no set together: no difference of the value joins them."""
    net, x = factors(), inputs(50, 6)
    turned = {name: x.clone() for name in ("first", "last", "both")}
    for name, columns in {"first": [2], "last": [5], "both": [2, 5]}.items():
        turned[name][..., columns] += 1
    change = {name: net(y) - net(x) for name, y in turned.items()}
    torch.testing.assert_close(change["both"], change["first"] + change["last"])
    for columns in ([2, 3], [4, 5], [0, 5]):  # partners, and a state with an agent
        one, other, both = x.clone(), x.clone(), x.clone()
        one[..., columns[0]] += 1
        other[..., columns[1]] += 1
        both[..., columns] += 1
        assert bool((net(both) - net(one) - net(other) + net(x)).abs().max() > 1e-3)
    assert net(x).shape == (1, 50, 1)


@pytest.mark.parametrize("layer_norm", [False, True])
def test_gradients_are_autograds(layer_norm):
    net, x = factors(layer_norm), inputs(4, 5, 6).requires_grad_()
    slope = inputs(4, 5, 1)
    value = net(x)
    parameters = list(net.parameters())
    of_x, *expected = torch.autograd.grad(value, [x, *parameters], slope, retain_graph=True)
    recorded, trail = net.record(x.detach())
    torch.testing.assert_close(recorded, value.detach())
    into = [torch.empty_like(each) for each in parameters]
    with torch.no_grad():
        net.slopes(trail, slope, into)
    for one, other in zip(into, expected, strict=True):
        torch.testing.assert_close(one, other)
    (of_x,) = torch.autograd.grad(value.sum(), x)
    torch.testing.assert_close(net.input_gradient(x.detach(), 2), of_x[..., 2:])


def test_of_many_agents_a_part_has_weights_for_those_alone_that_it_sees():
    many = SimpleNamespace(n_agents=50, action_sizes=(1,) * 50, state_size=1)
    net = factors(game=many, sets=tuple(frozenset({(i + 1) % 50}) for i in range(50)))
    assert net.nets[0].weights[0].shape == (50, 3, 8)  # the state, itself and one partner
    x = inputs(7, 51).requires_grad_()
    (expected,) = torch.autograd.grad(net(x).sum(), x)
    torch.testing.assert_close(net.input_gradient(x.detach(), 1), expected[..., 1:])


def test_sets_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="one set for each of 3 agents, got 2"):
        factors(sets=SETS[:2])
