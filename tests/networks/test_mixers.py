import itertools
import math
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from svnr.networks.mixers import (
    BLOCK,
    MixedCritics,
    free,
    gentle,
    hypernetworks,
    in_blocks,
    monotone,
    total,
)
from svnr.networks.mlp import NetworkSettings, StackedMLP

SIZES = (1, 2, 1)  # action coordinates of three agents
OWN = ([0], [1, 2], [3])
GENERATOR = torch.Generator().manual_seed(0)


def mixed(mixing="monotone", seed=0, action_sizes=SIZES, state_size=2, **told):
    game = SimpleNamespace(
        n_agents=len(action_sizes),
        action_sizes=action_sizes,
        state_size=state_size,
        return_bounds=(-torch.inf, torch.inf),
    )
    how = NetworkSettings(**{"hidden": (16, 16), **told})
    return MixedCritics(game, how, torch.Generator().manual_seed(seed), mixing, embedding=8)


def numbers(seed, *size):
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


# --- the equations -------------------------------------------------------------------------------

Q = torch.tensor([1.0, -2.0]).view(2, 1, 1)
WEIGHTS = torch.tensor([[1.0, -1.0], [0.5, 2.0], [2.0, -3.0], [0.0, 1.0]]).unsqueeze(1)
VALUE = torch.tensor([[[0.5]]])


def test_mixing_by_hand():
    # Hidden units: 1 · 1 + ½ · (−2) + 0 = 0, and with absolute weights 1 · 1 + 2 · (−2) + 1 = −2,
    # of which elu makes e⁻² − 1. Q_tot = 2 · 0 + 3 (e⁻² − 1) + ½.
    assert monotone(Q, WEIGHTS, VALUE).item() == pytest.approx(3 * math.exp(-2) - 2.5)
    # With the weights as they are the second is −1 · 1 + 2 · (−2) + 1 = −4.
    assert free(Q, WEIGHTS, VALUE).item() == pytest.approx(3.5 - 3 * math.exp(-4))
    assert total(Q).item() == -1.0


seeds = st.integers(0, 2**32)


@given(seed=seeds, agent=st.integers(0, 2), rise=st.floats(0, 10), scale=st.floats(0.01, 100))
def test_the_team_never_loses_by_what_one_agent_thinks_better(seed, agent, rise, scale):
    q, weights = scale * numbers(seed, 3, 50, 1), numbers(seed + 1, 5, 50, 4)
    higher = q.clone()
    higher[agent] += rise
    value = torch.zeros(1, 50, 1, dtype=torch.double)
    assert bool((monotone(higher, weights, value) >= monotone(q, weights, value)).all())


def test_freely_mixed_it_may_lose():
    weights = torch.tensor([[-1.0], [1.0], [1.0], [0.0]]).unsqueeze(1)
    assert free(Q + torch.tensor([1.0, 0.0]).view(2, 1, 1), weights, VALUE) < free(
        Q, weights, VALUE
    )


# --- the critic ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mixing", ["monotone", "free", "sum"])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_the_value_is_the_mixture_of_all_networks_layer_by_layer(mixing, layer_norm):
    critic, state, u = mixed(mixing, layer_norm=layer_norm), torch.randn(5, 2), torch.rand(5, 4)

    def through(net, i, x):
        for weight, bias in zip(net.weights[:-1], net.biases[:-1], strict=True):
            x = x @ weight[i] + bias[i, 0]
            if layer_norm:
                x = (x - x.mean()) / (x.var(unbiased=False) + 1e-5).sqrt()
            x = x.relu()
        return x @ net.weights[-1][i] + net.biases[-1][i, 0]

    utilities, *of_state = critic.values.net.nets
    found = critic(state, u)
    assert found.shape == (1, 5)
    for b in range(5):
        q = []
        for i, own in enumerate(OWN):
            seen = torch.zeros(4)
            seen[own] = u[b, own]
            q.append(through(utilities, i, torch.cat([state[b], seen])))
        if mixing == "sum":
            assert not of_state
            expected = sum(q)
        else:
            *first, last, bias = (through(of_state[0], k, state[b]) for k in range(5))
            size = torch.abs if mixing == "monotone" else torch.clone
            hidden = bias + sum(size(w) * each for w, each in zip(first, q, strict=True))
            expected = size(last) @ torch.nn.functional.elu(hidden)
            expected = expected + through(of_state[1], 0, state[b])
        torch.testing.assert_close(found[0, b], expected.squeeze())


@pytest.mark.parametrize("mixing", ["monotone", "free", "sum"])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_the_gradients_of_all_weights_are_finite_differences(mixing, layer_norm):
    net = mixed(mixing, layer_norm=layer_norm).values.net.double()
    x, slope, step = numbers(1, 1, 7, 6), numbers(2, 1, 7, 1), 1e-6
    _, trail = net.record(x)
    found = [torch.zeros_like(part) for part in net.parameters()]
    net.slopes(trail, slope, found)
    for k, (part, gradient) in enumerate(zip(net.parameters(), found, strict=True)):
        way, sides = numbers(10 + k, *part.shape), []
        for side in (step, -step):
            part.data += side * way
            sides.append((net.record(x)[0] * slope).sum())
            part.data -= side * way
        expected = (sides[0] - sides[1]) / (2 * step)
        torch.testing.assert_close((gradient * way).sum(), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("mixing", ["monotone", "free", "sum"])
def test_autograd_finds_the_gradient_in_actions(mixing):
    critic = mixed(mixing).double()
    state, u = numbers(1, 6, 2), numbers(2, 6, 4).tanh().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda u: critic(state, u), u)


def test_learning_goes_down_the_gradient_that_autograd_finds():
    critic, state, u, target = mixed(), torch.randn(6, 2), torch.rand(6, 4), torch.randn(6)
    critic.values.net.requires_grad_(True)
    error = 0.5 * (target - critic(state, u)).square().mean()
    expected = torch.autograd.grad(error, list(critic.values.net.parameters()))
    critic.values.net.requires_grad_(False)
    assert critic.learn(state, u, target) == pytest.approx(error.item())
    flat = torch.cat([each.flatten() for each in expected])
    torch.testing.assert_close(critic.values.mean, 0.1 * flat)


def test_the_slow_critic_is_that_of_the_target_networks():
    critic, state, u = mixed(), torch.randn(6, 2), torch.rand(6, 4)
    before = critic(state, u)
    all_own = u.expand(3, 6, 4)
    utilities = critic.utilities(state, all_own)
    for part in critic.values.net.parameters():
        part.data += 0.1
    torch.testing.assert_close(critic.slow(state, u), before)
    torch.testing.assert_close(critic.slow_utilities(state, all_own), utilities)
    assert not torch.allclose(critic(state, u), before)
    assert not torch.allclose(critic.utilities(state, all_own), utilities)


def test_many_rows_are_judged_in_blocks_as_they_are_at_once():
    nets = StackedMLP(2, [3, 4, 1], torch.Generator().manual_seed(0))
    x = torch.randn(2, 3, BLOCK, 3)
    torch.testing.assert_close(in_blocks(nets, x), nets.record(x)[0].squeeze(-1))


def loss_by_choosing_alone(mixing, seed):
    """What the team's value loses in each of 3 states where agents choose alone, of 5 actions."""
    critic, state = mixed(mixing, seed=seed).double(), numbers(seed, 3, 1, 2)
    for k, part in enumerate(critic.values.net.parameters()):
        part.data += 0.3 * numbers(seed + k, *part.shape)
    choices = numbers(seed, 5, 4).tanh()
    joint = list(itertools.product(range(5), repeat=3))
    u = torch.stack(
        [torch.cat([choices[k, own] for k, own in zip(ks, OWN, strict=True)]) for ks in joint]
    )
    together = critic(state, u.expand(3, -1, -1))[0]  # [3 states, 125]
    alone = critic.utilities(state, choices.expand(3, 3, 5, 4)).argmax(-1)
    places = [joint.index(tuple(ks)) for ks in alone.T.tolist()]
    return together.amax(-1) - together[range(3), places]


@given(seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_what_is_best_for_each_agent_is_together_best_for_the_team(seed):
    """The joint argmax over a grid is the tuple of the argmaxes: (4) of Rashid et al."""
    for mixing in ("monotone", "sum"):
        loss = loss_by_choosing_alone(mixing, seed)
        torch.testing.assert_close(loss, torch.zeros_like(loss))


def test_freely_mixed_it_is_not():
    assert max(loss_by_choosing_alone("free", seed).max().item() for seed in range(5)) > 0.1


# --- what it can learn ---------------------------------------------------------------------------

ONE_SHOT = {"state_size": 1, "action_sizes": (1, 1), "learning_rate": 0.01}


def taught(critic, u, payoff, n_steps):
    """The errors of every step of learning payoffs [B] of joint actions [B, 2] in one state."""
    return [critic.learn(torch.zeros(len(u), 1), u, payoff) for _ in range(n_steps)]


def test_at_the_zero_state_of_a_one_shot_game_every_weight_that_can_learn_does():
    """The state weighs nothing, so the first weights of the networks of the state stay."""
    critic = mixed(**ONE_SHOT)
    before = [part.clone() for part in critic.values.net.parameters()]
    taught(critic, torch.tensor([[0.5, -0.5], [-0.1, 0.3]]), torch.tensor([1.0, -1.0]), 1)
    names = [name for name, _ in critic.values.net.named_parameters()]
    stayed = {
        name
        for name, old, new in zip(names, before, critic.values.net.parameters(), strict=True)
        if torch.equal(old, new)
    }
    assert stayed == {"nets.1.weights.0", "nets.2.weights.0"}


@pytest.mark.parametrize("mixing", ["monotone", "free", "sum"])
def test_an_additive_payoff_is_learned(mixing):
    """r = 1 − (u₁ − ½)² − (u₂ + ¼)², of variance 0.27 + 0.16 over the box: ½ · 0.43 unlearned."""
    u = 2 * torch.rand(256, 2, generator=torch.Generator().manual_seed(0)) - 1
    payoff = 1 - (u[:, 0] - 0.5).square() - (u[:, 1] + 0.25).square()
    assert taught(mixed(mixing, **ONE_SHOT), u, payoff, 400)[-1] < 0.005


CORNERS = torch.tensor([[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]])


@pytest.mark.parametrize("seed", range(3))
def test_no_monotone_mixing_represents_a_team_that_must_agree(seed):
    """Payoffs 2 and 1 where the agents agree, 0 where they do not.

    A monotone Q_tot orders each agent's two actions: one corner is on top, its two neighbours are
    below it and above the fourth. With the 2 on top, the neighbours' 0 and 0 and the fourth's 1
    can at best be level, at ⅓: squared errors ⅑ + ⅑ + 4⁄9 = ⅔. With the 1 on top, 0, 0 and 2 are
    level at ⅔: 24⁄9. With a 0 on top it is level with 2 and 1, at 1: 2. The least is ⅔, so that
    the error is at least ½ · ⅔ / 4.
    """
    agree = torch.tensor([2.0, 0.0, 0.0, 1.0])
    errors = taught(mixed(seed=seed, **ONE_SHOT), CORNERS, agree, 600)
    assert min(errors) > 1 / 12 - 1e-4
    assert errors[-1] < 1 / 12 + 5e-3
    assert taught(mixed("free", seed=seed, **ONE_SHOT), CORNERS, agree, 600)[-1] < 1e-3


def test_no_sum_represents_a_team_whose_gains_are_a_product():
    """r = 1 in one corner, else 0: monotone, but the best sum is (¾, ¼, ¼, −¼): ½ · ¼ / 4."""
    both = torch.tensor([0.0, 0.0, 0.0, 1.0])
    assert min(taught(mixed("sum", **ONE_SHOT), CORNERS, both, 400)) > 1 / 32 - 1e-4
    assert taught(mixed(**ONE_SHOT), CORNERS, both, 400)[-1] < 1e-3


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("embedding", [16, 64])
def test_a_mixed_critic_begins_about_as_steep_as_its_utilities(embedding, layer_norm):
    """Σ_e |w_e| |w_ie| lies near 1, whatever the number of units."""
    weights = hypernetworks(5, (17, embedding, embedding), GENERATOR, layer_norm)
    gentle(weights, embedding)
    found = weights.record(torch.randn(5, 256, 17, generator=GENERATOR))[0].abs()
    gain = (found[:3] * found[3:4]).sum(-1)
    assert 0.3 < gain.mean() < 3.0
