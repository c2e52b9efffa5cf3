import pytest
import torch

from svnr.networks.mlp import NetworkSettings, StackedMLP
from svnr.networks.optimizers import Trained, in_one_piece


def trained(net, max_norm=torch.inf, target=None, graph=False, **settings):
    """A network with its optimizer; `graph` is for losses that autograd follows."""
    team = Trained(net, NetworkSettings(**{"learning_rate": 0.01, **settings}), max_norm, target)
    team.net.requires_grad_(graph)
    return team


def net(seed=0):
    return StackedMLP(1, [2, 8, 1], torch.Generator().manual_seed(seed))


def inputs(seed):
    return torch.randn(1, 16, 2, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("how", ["descend", "learn"])
def test_a_network_learns_as_torchs_adam_would_teach_it(how):
    """One step on all parameters at once, and torch's on each of them, step by step alike."""
    ours, theirs = trained(net(), graph=how == "descend"), net()
    adam = torch.optim.Adam(theirs.parameters(), 0.01)
    for seed in range(5):
        x = inputs(seed)
        if how == "descend":
            ours.descend(ours.net(x).square().mean())
        else:  # minus the gradient of the mean of squares is −2 · output, averaged over 16 rows
            ours.learn(lambda out: -2 * out, x)
        adam.zero_grad()
        theirs(x).square().mean().backward()
        adam.step()
    for one, other in zip(ours.net.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.detach(), other.detach())


def test_a_small_gradient_beside_epsilon_moves_less():
    # Adam's first step is lr · g / (g + ε): for g = 3 and ε = 1 three quarters of lr.
    for epsilon, step in ((1e-8, 0.01), (1.0, 0.0075)):
        module = torch.nn.Linear(1, 1, bias=False)
        team = Trained(module, NetworkSettings(learning_rate=0.01), epsilon=epsilon)
        module.requires_grad_(True)
        before = module.weight.item()
        team.descend(3 * module.weight.sum())
        assert before - module.weight.item() == pytest.approx(step, rel=1e-4)


def test_directions_are_averaged_over_the_rows_or_as_many_as_told():
    # The outputs' bias gets minus the mean of the directions: a tenth of that is Adam's mean.
    for n_rows, gradient in ((None, -3.0), (1, -48.0)):
        team = trained(net())
        team.learn(lambda out: torch.full_like(out, 3.0), inputs(0), n_rows=n_rows)
        torch.testing.assert_close(team.mean[-1], torch.tensor(0.1 * gradient))


def test_a_target_begins_as_a_copy_and_follows_by_its_rate():
    team = trained(net(0), target=net(1), target_rate=0.25)
    before = [p.clone() for p in team.target.parameters()]
    assert all(map(torch.equal, team.net.parameters(), before))
    team.net.load_state_dict({k: v + 1.0 for k, v in team.net.state_dict().items()})
    team.follow()
    for part, old in zip(team.target.parameters(), before, strict=True):
        torch.testing.assert_close(part, old + 0.25)


def test_long_gradients_are_shortened_and_short_ones_are_not():
    # One weight with loss 3 w: the gradient 3 is cut to 0.5, then Adam's mean is 0.1 · 0.5.
    for max_norm, mean in ((0.5, 0.05), (10.0, 0.3)):
        module = torch.nn.Linear(1, 1, bias=False)
        team = trained(module, max_norm, graph=True)
        team.descend(3 * module.weight.sum())
        torch.testing.assert_close(team.mean, torch.tensor([mean]))


def test_in_one_piece_parameters_are_views_that_loading_writes_into():
    module = net()
    whole, _ = in_one_piece(module)
    module.load_state_dict({k: torch.zeros_like(v) for k, v in module.state_dict().items()})
    assert not whole.any()


@pytest.mark.parametrize("step", ["descend", "learn", "follow"])
def test_a_graph_of_weights_that_have_moved_since_is_refused_as_torch_refuses_it(step):
    """Forward, step of the optimizer in place, backward: wrong without a word, if let through."""
    x = inputs(0).requires_grad_(True)
    team = trained(net(), target=net(1), target_rate=0.5, graph=step == "descend")
    out = (team.target if step == "follow" else team.net)(x).sum()
    {
        "descend": lambda: team.descend(team.net(x.detach()).sum()),
        "learn": lambda: team.learn(torch.ones_like, x.detach()),
        "follow": team.follow,
    }[step]()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.grad(out, x)
