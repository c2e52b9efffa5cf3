import pytest
import torch
from svnr.learners.networks import (
    Adam,
    Critic,
    Critics,
    Samplers,
    StackedMLP,
    Target,
    beside,
    glorot_uniform,
    in_one_piece,
    own_coordinates,
)

from svnr.sets import full, none, star, strict


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


def influence(sets, sizes=(1, 1, 1)):
    """Which agent's noise changes which agent's action, by autograd: [N actions, N noises]."""
    samplers = Samplers(sets, sizes, 1, 2, (8,), generator())
    noise = torch.randn(64, len(sizes), 2, generator=generator(), requires_grad=True)
    u = samplers(torch.zeros(64, 1), noise)
    rows = []
    for d in range(u.shape[-1]):
        (gradient,) = torch.autograd.grad(u[:, d].sum(), noise, retain_graph=True)
        rows.append((gradient.abs().sum((0, 2)) > 0).tolist())
    return rows


def test_an_agent_hears_the_noise_of_its_set_and_its_own_only():
    assert influence(none(3)) == [[True, False, False], [False, True, False], [False, False, True]]
    assert influence(strict(3)) == [[True, False, False], [True, True, False], [True, True, True]]
    assert influence(star(3)) == [[True, False, False], [True, True, False], [True, False, True]]
    assert influence(full(3)) == [[True] * 3] * 3


def test_coordinates_of_unequal_agents_come_in_order():
    # Agents with 1, 3 and 2 coordinates that hear only themselves.
    rows = influence(none(3), sizes=(1, 3, 2))
    assert [row.index(True) for row in rows] == [0, 1, 1, 1, 2, 2]
    assert all(sum(row) == 1 for row in rows)


def test_leading_shapes_are_kept():
    samplers = Samplers(strict(2), (1, 1), 3, 1, (8,), generator())
    state, noise = torch.randn(4, 5, 3), torch.randn(4, 5, 2, 1)
    together = samplers(state, noise)
    assert together.shape == (4, 5, 2)
    torch.testing.assert_close(together[2], samplers(state[2], noise[2]))


@pytest.mark.parametrize("layer_norm", [False, True])
def test_the_action_gradient_is_autograds(layer_norm):
    critic = Critic(2, 3, (16, 16), generator(), layer_norm).double()
    state = torch.randn(4, 5, 2, dtype=torch.double)
    u = torch.rand(4, 5, 3, dtype=torch.double, requires_grad=True)
    (expected,) = torch.autograd.grad(critic(state, u).sum(), u)
    torch.testing.assert_close(critic.action_gradient(state, u), expected)


def test_in_one_piece_a_module_learns_as_torchs_adam_would_teach_it():
    """Our Adam on the one piece, and torch's on the separate parameters, step by step alike."""
    whole, apart = (Critic(1, 3, (8,), generator()) for _ in range(2))
    piece = in_one_piece(whole)
    ours, theirs = Adam(whole, piece, 0.01), torch.optim.Adam(apart.parameters(), 0.01)
    for seed in range(5):
        u = torch.rand(16, 3, generator=torch.Generator().manual_seed(seed))
        losses = [critic(torch.zeros(16, 1), u).square().mean() for critic in (whole, apart)]
        ours.descend(losses[0])
        theirs.zero_grad()
        losses[1].backward()
        theirs.step()
    for one, other in zip(whole.parameters(), apart.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    whole.load_state_dict({k: torch.zeros_like(v) for k, v in whole.state_dict().items()})
    assert not piece.any()  # loading writes into the piece


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


@pytest.mark.parametrize("layer_norm", [False, True])
def test_the_action_gradient_of_several_critics_is_autograds(layer_norm):
    for sees in ("joint", "own"):
        critics = Critics(2, (1, 2), (16, 16), generator(), sees, layer_norm).double()
        state = torch.randn(4, 5, 2, dtype=torch.double)
        u = torch.rand(2, 4, 5, 3, dtype=torch.double, requires_grad=True)
        (expected,) = torch.autograd.grad(critics(state, u).sum(), u)
        torch.testing.assert_close(critics.action_gradient(state, u), expected)
        hidden = ~own_coordinates((1, 2))[:, None, None]
        assert bool((expected * hidden).any()) == (sees == "joint")


def test_a_target_begins_as_a_copy_and_follows_by_its_rate():
    module, follower = Critic(1, 2, (4,), generator()), Critic(1, 2, (4,), generator())
    whole = in_one_piece(module)
    target = Target(follower, module, whole, rate=0.25)
    before = [p.detach().clone() for p in module.parameters()]
    assert all(map(torch.equal, follower.parameters(), before))
    with torch.no_grad():
        whole += 1.0
    target.follow()
    for part, old in zip(follower.parameters(), before, strict=True):
        torch.testing.assert_close(part.detach(), old + 0.25)


def test_long_gradients_are_shortened_and_short_ones_are_not():
    # One weight with loss 3 w: the gradient 3 is cut to 0.5, then Adam's mean is 0.1 · 0.5.
    for max_norm, mean in ((0.5, 0.05), (10.0, 0.3)):
        module = torch.nn.Linear(1, 1, bias=False)
        adam = Adam(module, in_one_piece(module), 0.01, max_norm)
        adam.descend(3 * module.weight.sum())
        torch.testing.assert_close(adam.mean, torch.tensor([mean]))


def test_with_layer_norm_a_critic_stays_bounded_however_far_the_state():
    """Rectified units grow with their inputs; brought to variance 1, a hundred units cannot."""
    states = 1000 * torch.randn(50, 4, generator=generator())
    u = torch.zeros(50, 2)
    plain, normed = (Critic(4, 2, (100, 100), generator(), each) for each in (False, True))
    assert plain(states, u).abs().max() > 100
    assert normed(states, u).abs().max() < 5


def test_slopes_are_autograds_in_one_piece_for_agents_of_unequal_sizes():
    samplers = Samplers(strict(3), (1, 3, 2), 2, 1, (8,), generator())
    state, noise = torch.randn(4, 5, 2), torch.randn(4, 5, 3, 1)
    z, trail = samplers.record(state, noise)
    slope = torch.randn(z.shape)
    expected = torch.autograd.grad(samplers.latent(state, noise), samplers.parameters(), slope)
    flat = torch.cat([each.flatten() for each in expected])
    torch.testing.assert_close(samplers.slopes(trail, slope), flat)


def test_networks_that_are_not_learning_pass_the_gradient_on_and_get_none():
    critics = Critics(2, (1, 1), (8,), generator())
    u = torch.rand(2, 6, 2, requires_grad=True)
    values = critics(torch.zeros(6, 2), u, learning=False)
    (gradient,) = torch.autograd.grad(values.sum(), u, retain_graph=True)
    torch.testing.assert_close(gradient, critics.action_gradient(torch.zeros(6, 2), u.detach()))
    with pytest.raises(RuntimeError, match="not have been used"):
        torch.autograd.grad(values.sum(), list(critics.parameters()))
