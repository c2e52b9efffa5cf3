from types import SimpleNamespace

import pytest
import torch

from svnr.networks.critics import Critics
from svnr.networks.mlp import NetworkSettings, own_coordinates


def critics(n=2, sees="joint", bounds=(-torch.inf, torch.inf), state_size=2, **settings):
    game = SimpleNamespace(action_sizes=(1, 2), state_size=state_size, return_bounds=bounds)
    told = NetworkSettings(**{"hidden": (16, 16), **settings})
    return Critics(game, told, torch.Generator().manual_seed(0), n, sees)


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("sees", ["joint", "own"])
def test_the_action_gradient_is_autograds_and_hides_what_is_not_seen(sees, layer_norm):
    critic = critics(2, sees, layer_norm=layer_norm).double()
    state = torch.randn(4, 5, 2, dtype=torch.double)
    u = torch.rand(2, 4, 5, 3, dtype=torch.double, requires_grad=True)
    (expected,) = torch.autograd.grad(critic(state, u).sum(), u)
    torch.testing.assert_close(critic.action_gradient(state, u.detach()), expected)
    hidden = ~own_coordinates((1, 2))[:, None, None]
    assert bool((expected * hidden).any()) == (sees == "joint")


def test_actions_of_everybody_are_judged_by_every_critic():
    critic, state, u = critics(2), torch.randn(5, 2), torch.rand(5, 3)
    values = critic(state, u)
    assert values.shape == (2, 5)
    torch.testing.assert_close(values, critic(state, u.expand(2, 5, 3)))


def test_target_critics_can_be_asked_in_states_of_each_ones_own():
    critic, state, u = critics(2), torch.randn(2, 4, 5, 2), torch.rand(2, 4, 5, 3)
    with torch.no_grad():
        critic.values.net.biases[-1].add_(1.0)  # no longer what its target says
    found = critic.slow_apart(state, u)
    for i in range(2):
        torch.testing.assert_close(found[i], critic.slow(state[i], u[i])[i])


def test_with_layer_norm_a_critic_stays_bounded_however_far_the_state():
    """Rectified units grow with their inputs; brought to variance 1, a hundred units cannot."""
    states, u = 1000 * torch.randn(50, 4), torch.zeros(50, 3)
    sizes = {"hidden": (100, 100), "state_size": 4}
    assert critics(1, **sizes)(states, u).abs().max() > 100
    assert critics(1, layer_norm=True, **sizes)(states, u).abs().max() < 5


# --- learning ------------------------------------------------------------------------------------


def constant(values):
    """Critics that say the same everywhere."""
    critic = critics(len(values))
    critic.load_state_dict({k: torch.zeros_like(v) for k, v in critic.state_dict().items()})
    critic.values.net.biases[-1].copy_(torch.tensor(values).view(-1, 1, 1))
    return critic


def test_the_error_is_that_of_7_4_and_its_slope_moves_the_value():
    # ½·mean((3 − 1)², (0 − 1)²) = 1.25 and ½·mean((3 + 1)², (0 + 1)²) = 4.25; their mean is 2.75.
    # The slopes at the outputs' biases: mean(1 − 3, 1 − 0) = −½ and mean(−1 − 3, −1 − 0) = −2½.
    critic = constant([1.0, -1.0])
    error = critic.learn(torch.zeros(2, 2), torch.zeros(2, 3), torch.tensor([3.0, 0.0]))
    assert error == pytest.approx(2.75)
    torch.testing.assert_close(critic.values.mean[-2:], 0.1 * torch.tensor([-0.5, -2.5]))


def test_forgiven_errors_count_by_their_weight():
    # Agent 1: ½·mean(1·2², 0·3²) = 1; agent 2: ½·mean(½·2², 1·1²) = 0.75; their mean is 0.875.
    # The slopes −w δ: mean(−1·2, 0·3) = −1 and mean(½·2, −1·1) = 0.
    weight = torch.tensor([[1.0, 0.0], [0.5, 1.0]])
    critic, target = constant([0.0, 0.0]), torch.tensor([[2.0, -3.0], [-2.0, 1.0]])
    error = critic.learn(torch.zeros(2, 2), torch.zeros(2, 3), target, lambda error: weight)
    assert error == pytest.approx(0.875)
    torch.testing.assert_close(critic.values.mean[-2:], 0.1 * torch.tensor([-1.0, 0.0]))


def test_learning_goes_down_the_gradient_that_autograd_finds():
    critic, state, u = critics(2), torch.randn(6, 2), torch.rand(6, 3)
    target = torch.randn(2, 6)
    critic.values.net.requires_grad_(True)
    error = 0.5 * (target - critic(state, u)).square().mean(-1).sum()
    expected = torch.autograd.grad(error, list(critic.values.net.parameters()))
    critic.learn(state, u, target)
    flat = torch.cat([each.flatten() for each in expected])
    torch.testing.assert_close(critic.values.mean, 0.1 * flat)
