"""Live networks act, are climbed and judge particles; targets say what is still to come.

On a new learner the two are equal, so that each test sets them apart.
"""

import math
from types import SimpleNamespace

import pytest
import torch
from teams import new, zeroed

from svnr.networks.critics import Critics
from svnr.networks.mlp import NetworkSettings


@pytest.mark.parametrize("name", ["maddpg", "facmac", "pr2", "lenient", "hysteretic", "mmq"])
def test_a_team_acts_and_perceives_by_its_live_actors(name, two_step):
    learner = new(name, two_step)
    zeroed(learner.actors)
    with torch.no_grad():  # tanh(atanh ½), where the targets, which are new, say other
        learner.actors.actors.net.biases[-1].fill_(math.atanh(0.5))
    state = torch.zeros(3, 2)
    assert learner.act(state, "greedy").flatten().tolist() == pytest.approx([0.5] * 6)
    perceived = learner.perceive(state, 4)
    for i in range(2):
        assert perceived[i, :, :, i].flatten().tolist() == pytest.approx([0.5] * 12)


def test_directions_climb_the_live_critic():
    # Q = 3 relu(1 + 2 u): ∂Q/∂u = 6 at u = 0; the target is 0 everywhere.
    game = SimpleNamespace(action_sizes=(1,), state_size=1, return_bounds=(-math.inf, math.inf))
    critics = Critics(game, NetworkSettings(hidden=(1,)), torch.Generator().manual_seed(0), 1)
    net = zeroed(critics).values.net
    with torch.no_grad():
        net.weights[0][0, 1, 0], net.biases[0][0, 0, 0], net.weights[1][0, 0, 0] = 2.0, 1.0, 3.0
    assert critics.action_gradient(torch.zeros(1, 1), torch.zeros(1, 1, 1)).item() == 6.0


def test_births_and_moves_are_judged_by_the_live_critic(two_step):
    team = new("svnr_b", two_step)
    with torch.no_grad():
        zeroed(team.critic).values.net.biases[-1].fill_(7.0)
    assert team.value(torch.zeros(2, 2), torch.zeros(1, 2, 3, 2)).flatten().tolist() == [7.0] * 6


def test_what_is_still_to_come_is_the_targets_word(uneven):
    # Q′ = 2, Q = 5, α = ½, six coordinates: V = α log ∫ exp(Q′/α) = 2 + ½ · 6 log 2.
    team = new("svnr", uneven, soft_value="importance")
    with torch.no_grad():
        zeroed(team.critic).values.net.biases[-1].fill_(5.0)
        team.critic.values.target.biases[-1].fill_(2.0)
    value = team.soft_value(torch.ones(2, 1), 0.5)[0]
    assert value.tolist() == pytest.approx([2 + 3 * math.log(2)] * 2)


def test_importance_samples_fill_the_whole_box(two_step):
    # Q′ = relu(1 + u₁), α = 1: V = log ∫₀² exp(x) dx + log 2 = log(e² − 1) + log 2.
    changes = {"n_value_particles": 20_000, "hidden": (1,)}
    team = new("svnr", two_step, soft_value="importance", **changes)
    net = zeroed(team.critic).values.target
    with torch.no_grad():
        net.weights[0][0, 2, 0], net.biases[0][0, 0, 0], net.weights[1][0, 0, 0] = 1.0, 1.0, 1.0
    wanted = math.log(math.e**2 - 1) + math.log(2)
    assert team.soft_value(torch.zeros(1, 2), 1.0).item() == pytest.approx(wanted, abs=0.02)
