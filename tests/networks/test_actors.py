import pytest
import torch
from torch.distributions import Normal

from svnr.networks.actors import PENALTY, Actors, GaussianActors, penalty_slope
from svnr.networks.mlp import NetworkSettings, StackedMLP, own_coordinates
from svnr.networks.optimizers import Trained


def actors():
    generator = torch.Generator().manual_seed(0)
    live, slow = (StackedMLP(3, (2, 8, 8, 6), generator, "tanh") for _ in range(2))
    trained = Trained(live, NetworkSettings(), target=slow)
    return Actors(own_coordinates((1, 3, 2)), trained)


def test_an_actor_moves_its_own_coordinates_only():
    u = actors()(torch.randn(4, 2))
    moved = (u != 0).all(1)
    assert moved.nonzero().tolist() == [[0, 0], [1, 1], [1, 2], [1, 3], [2, 4], [2, 5]]


def test_target_actors_can_be_asked_in_states_of_each_agents_own():
    team, state = actors(), torch.randn(3, 4, 2)
    found = team.slow(state)
    for i in range(3):
        torch.testing.assert_close(found[i], team.slow(state[i])[i])


def test_the_penalty_pulls_actions_back_from_where_tanh_is_flat():
    # The gradient of 1e-3 · mean over 4 rows of z² at z = 5: 2 · 1e-3 · 5 / 4.
    slope = penalty_slope(torch.full((3, 4, 6), 5.0))
    torch.testing.assert_close(slope, torch.full((3, 4, 6), 2.5e-3))


def test_climbing_is_a_step_up_the_gain_less_the_penalty_as_autograd_finds_it():
    team, state = actors(), torch.randn(4, 2)
    net, own = team.actors.net, team._own
    net.requires_grad_(True)
    latent = net(state.expand(3, 4, 2)) * own

    def gain(u):
        return (torch.sin(3 * u) * torch.arange(6.0)).sum(-1).mean(-1).sum()

    loss = PENALTY * latent.square().sum(-1).mean(-1).sum() - gain(torch.tanh(latent))
    expected = torch.autograd.grad(loss, list(net.parameters()))
    team.climb(state, gain)
    flat = torch.cat([each.flatten() for each in expected])
    torch.testing.assert_close(team.actors.mean, 0.1 * flat)


def test_gaussian_actors_move_and_judge_their_own_coordinates():
    """The mean of the joint action is each agent's own outputs, log π_i the sum over its own."""
    state, z = torch.randn(4, 2), torch.randn(4, 6)
    means = StackedMLP(3, (2, 8, 6), torch.Generator().manual_seed(0), "tanh")
    team = GaussianActors(own_coordinates((1, 3, 2)), means, std=0.5)
    out = means(state.expand(3, 4, 2))
    expected = torch.cat([out[0, :, :1], out[1, :, 1:4], out[2, :, 4:]], -1)
    mean, log_std = team.mean_and_log_std(state)
    torch.testing.assert_close(mean, expected)
    assert log_std.exp().tolist() == pytest.approx([0.5] * 6)
    each = Normal(expected, 0.5).log_prob(z)
    parts = [each[:, own].sum(-1) for own in (slice(0, 1), slice(1, 4), slice(4, 6))]
    torch.testing.assert_close(team.log_density(state, z), torch.stack(parts, -1))
