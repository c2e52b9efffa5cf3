import math

import pytest
import torch
from torch.distributions import Normal, TanhTransform, TransformedDistribution

from svnr.networks.gaussians import (
    SquashedActor,
    entropy,
    log_density,
    log_density_slope,
    squashed_gaussian,
    squashed_log_density,
)
from svnr.networks.mlp import NetworkSettings


def test_the_gaussian_and_its_entropy_are_torchs():
    generator = torch.Generator().manual_seed(0)
    z, mean = torch.randn(2, 7, 3, generator=generator)
    log_std = torch.tensor([-1.0, 0.0, 0.7])
    law = Normal(mean, log_std.exp())
    torch.testing.assert_close(log_density(z, mean, log_std), law.log_prob(z))
    torch.testing.assert_close(entropy(log_std).expand(7, 3), law.entropy())


def test_the_squashed_gaussian_is_torchs():
    generator = torch.Generator().manual_seed(0)
    out = 0.3 * torch.randn(7, 6, dtype=torch.double, generator=generator)
    noise = torch.randn(7, 3, dtype=torch.double, generator=generator)
    u, log_p = squashed_gaussian(out, noise)
    mean, log_std = out.chunk(2, -1)
    law = TransformedDistribution(Normal(mean, log_std.exp()), TanhTransform())
    torch.testing.assert_close(log_p, law.log_prob(u), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(squashed_log_density(out, u), log_p, rtol=1e-4, atol=1e-4)


def test_a_standard_gaussian_at_zero_by_hand():
    # tanh has slope 1 at 0: the density is that of the normal, 1 / √(2π).
    _, log_p = squashed_gaussian(torch.zeros(1, 2), torch.zeros(1, 1))
    assert log_p.item() == pytest.approx(-0.5 * math.log(2 * math.pi))


def test_the_slope_of_the_log_density_is_autograds():
    generator = torch.Generator().manual_seed(0)
    out = torch.randn(5, 6, dtype=torch.double, generator=generator)
    out[0, 3:] = 3.0  # log σ beyond its bound, where it has no slope
    u = torch.tanh(torch.randn(5, 3, dtype=torch.double, generator=generator))
    leaf = out.clone().requires_grad_(True)
    (expected,) = torch.autograd.grad(squashed_log_density(leaf, u).sum(), leaf)
    torch.testing.assert_close(log_density_slope(out, u), expected)
    assert (expected[0, 3:] == 0).all()


def actor():
    generator = torch.Generator().manual_seed(0)
    return SquashedActor(2, 3, NetworkSettings(hidden=(8, 8)), generator)


def test_an_actor_draws_from_the_gaussian_that_its_network_says():
    state, noise = torch.randn(4, 2), torch.randn(4, 3)
    u, log_pi = actor()(state, noise)
    out = actor().mean_and_log_std.net(state.unsqueeze(0))[0]
    expected, log_p = squashed_gaussian(out, noise)
    torch.testing.assert_close(u, expected)
    torch.testing.assert_close(log_pi, log_p.sum(-1))
    assert not u.requires_grad and not log_pi.requires_grad


def test_climbing_is_a_step_up_the_gain_as_autograd_finds_it():
    """Through the action and through its density, at states that are given once for all noise."""
    state, noise, one = torch.randn(5, 1, 2), torch.randn(5, 4, 3), actor()

    def gain(u, log_pi):
        return (torch.sin(3 * u).sum(-1) - 0.3 * log_pi).mean()

    net = actor().mean_and_log_std.net.requires_grad_(True)
    u, log_p = squashed_gaussian(net(state.expand(1, 5, 4, 2))[0], noise)
    expected = torch.autograd.grad(-gain(u, log_p.sum(-1)), list(net.parameters()))
    log_pi = one.climb(state, noise, gain)
    flat = torch.cat([part.flatten() for part in expected])
    torch.testing.assert_close(one.mean_and_log_std.mean, 0.1 * flat)
    torch.testing.assert_close(log_pi, log_p.sum(-1).detach())
    assert not log_pi.requires_grad


def test_an_actor_learns_where_the_state_is_zero():
    """As in a one-shot game, where rectified units would be off for good."""
    one, state, noise = actor(), torch.zeros(1, 1, 2), torch.zeros(1, 1, 3)
    for _ in range(400):
        one.climb(state, noise, lambda u, log_pi: -(u - 0.6).square().sum())
    u, _ = one(state, noise)
    torch.testing.assert_close(u, torch.full((1, 1, 3), 0.6), atol=0.02, rtol=0)
