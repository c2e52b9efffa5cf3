import math

import pytest
import torch

from svnr.learners.losses import soft_value_importance, soft_value_printed, squashed_score


def test_printed_soft_value_by_hand():
    # α log mean exp(q/α) = 2 · log((1 + 3) / 2) = 2 log 2 for q = (0, 2 log 3) and α = 2.
    q = torch.tensor([0.0, 2 * math.log(3)])
    assert soft_value_printed(q, 2.0).item() == pytest.approx(2 * math.log(2), rel=1e-6)


def test_importance_soft_value_of_a_constant_adds_the_volume_of_the_box():
    # V = α log(e^{c/α} · 2^D) = c + α D log 2.
    q = torch.full((5, 7), 1.5)
    value = soft_value_importance(q, 0.5, 3)
    torch.testing.assert_close(value, torch.full((5,), 1.5 + 0.5 * 3 * math.log(2)))


def test_importance_soft_value_estimates_an_integral_with_a_closed_form():
    # Q = u on [−1, 1] at α = 1: V = log ∫ e^u du = log(e − 1/e) = 0.8546.
    u = 2 * torch.rand(200_000, generator=torch.Generator().manual_seed(0)) - 1
    value = soft_value_importance(u, 1.0, 1).item()
    assert value == pytest.approx(math.log(math.e - 1 / math.e), abs=5e-3)


def test_squashed_score_is_the_gradient_of_its_log_density():
    u = (1.9 * torch.rand(6, 3, dtype=torch.double) - 0.95).requires_grad_(True)
    alpha, peak = 0.7, torch.tensor([0.2, -0.3, 0.5], dtype=torch.double)
    q = -(u - peak).square().sum(-1)
    log_density = q / alpha + torch.log(1 - u.square() + 1e-6).sum(-1)
    (expected,) = torch.autograd.grad(log_density.sum(), u, retain_graph=True)
    (gradient,) = torch.autograd.grad(q.sum(), u)
    torch.testing.assert_close(squashed_score(u.detach(), gradient, alpha), expected)
