import math

import pytest
import torch

from svnr.learners.losses import (
    bellman_error,
    bellman_slope,
    bootstrapped,
    soft_value_importance,
    soft_value_printed,
    squashed_score,
)
from svnr.learners.replay import Batch


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


def test_bellman_error_by_hand():
    # ½ · mean((3 − 1)², (0 − 1)²) = ½ · 2.5
    assert bellman_error(torch.tensor([3.0, 0.0]), torch.tensor([1.0, 1.0])).item() == 1.25


def test_squashed_score_is_the_gradient_of_its_log_density():
    u = (1.9 * torch.rand(6, 3, dtype=torch.double) - 0.95).requires_grad_(True)
    alpha, peak = 0.7, torch.tensor([0.2, -0.3, 0.5], dtype=torch.double)
    q = -(u - peak).square().sum(-1)
    log_density = q / alpha + torch.log(1 - u.square() + 1e-6).sum(-1)
    (expected,) = torch.autograd.grad(log_density.sum(), u, retain_graph=True)
    (gradient,) = torch.autograd.grad(q.sum(), u)
    torch.testing.assert_close(squashed_score(u.detach(), gradient, alpha), expected)


def transitions(terminated):
    n = len(terminated)
    return Batch(
        state=torch.zeros(n, 1),
        u=torch.zeros(n, 2),
        reward=torch.arange(1.0, n + 1),
        next_state=torch.arange(10.0, 10 * n + 1, 10).unsqueeze(-1),
        terminated=torch.tensor(terminated),
    )


def test_bootstrapped_adds_the_value_of_the_next_state_where_the_game_goes_on():
    # Rewards 1, 2, 3; V(s′) = s′ = 10, 20, 30; γ = ½; the second row ended.
    batch = transitions([False, True, False])
    assert bootstrapped(batch, lambda s: s[:, 0], 0.5).tolist() == [6.0, 2.0, 18.0]


def test_bootstrapped_keeps_the_agents_apart():
    # Two critics that say V = s′ and V = −s′.
    batch = transitions([False, True, False])
    values = bootstrapped(batch, lambda s: torch.stack([s[:, 0], -s[:, 0]]), 0.5)
    assert values.tolist() == [[6.0, 2.0, 18.0], [-4.0, 2.0, -12.0]]


def test_bootstrapped_believes_no_forecast_outside_the_bounds():
    batch = transitions([False, False])
    free, bounded = (
        bootstrapped(batch, lambda s: torch.tensor([9.0, -9.0]), 0.5, *bounds)
        for bounds in ((), ((-2.0, 5.0),))
    )
    assert (free - batch.reward).tolist() == [4.5, -4.5]
    assert (bounded - batch.reward).tolist() == [2.5, -1.0]


def test_bootstrapped_asks_for_no_value_where_all_has_ended():
    def never(state):
        raise AssertionError

    assert bootstrapped(transitions([True, True]), never, 0.5).tolist() == [1.0, 2.0]


def test_the_errors_of_several_critics_are_summed():
    # ½·mean((1 − 0)², (1 − 0)²) + ½·mean((1 − 3)², (1 − 1)²) = ½ + 1
    target, value = torch.ones(2), torch.tensor([[0.0, 0.0], [3.0, 1.0]])
    assert bellman_error(target, value).item() == 1.5


def test_the_bellman_slope_is_the_gradient_of_the_bellman_error():
    target = torch.tensor([3.0, 0.0, -1.0])
    for value in (
        torch.tensor([1.0, 1.0, 2.0]),
        torch.tensor([[1.0, 1.0, 2.0], [0.0, 5.0, -1.0]]),
    ):
        value.requires_grad_(True)
        (expected,) = torch.autograd.grad(bellman_error(target, value), value)
        torch.testing.assert_close(bellman_slope(target, value.detach()), expected)
