import math

import pytest
import torch
from torch.distributions import Normal, TanhTransform, TransformedDistribution

from svnr.networks.gaussians import (
    entropy,
    log_density,
    log_density_slope,
    squashed_gaussian,
    squashed_log_density,
)


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
