import math

import torch
from teams import new

from svnr.games.differential import max_of_three


def team(**settings):
    return new("masql", max_of_three(2.0), **settings)


def test_each_sampler_follows_the_joint_stein_direction_of_its_own_critic():
    """Loops over agents and particles, with one kernel on the joint action, against the update."""
    learner = team(n_particles=8, hidden=(8, 8))
    alpha, state = 2.0, torch.zeros(1, 1)
    learner.samplers.net.requires_grad_(True)
    before = learner.state_dict()
    learner.move_samplers(state, alpha)
    mean = learner.samplers.mean.clone()
    learner.load_state_dict(before)

    states = torch.zeros(1, 4, 1)
    fixed = learner.samplers(*learner.inputs(states))
    moved = learner.samplers.net(*learner.inputs(states))  # [N, 1, M, D]
    surrogate = torch.zeros(())
    for i in range(3):
        x, y = fixed[i, 0], moved[i, 0]
        u = torch.tanh(x).requires_grad_(True)
        q = learner.critic(states[0], u.unsqueeze(0))[i].sum()
        score = torch.autograd.grad(q, u)[0] / alpha * (1 - u**2) - 2 * u
        apart = x[:, None] - y.detach()[None]
        distance = apart.square().sum(-1)
        h = max(1e-3, distance.flatten().median().item() / math.log(4))
        k = torch.exp(-distance / h)
        phi = (k[..., None] * (score.detach()[:, None] - 2 / h * apart)).mean(0)
        surrogate = surrogate - (phi * y).sum(-1).mean()
    expected = torch.autograd.grad(surrogate, list(learner.samplers.net.parameters()))
    expected = torch.cat([slope.flatten() for slope in expected])
    torch.testing.assert_close(mean, 0.1 * expected, rtol=1e-4, atol=1e-7)


def two_moded(learner):
    """Make every sampler answer the sign of its first noise, in all coordinates."""
    with torch.no_grad():
        for parameter in learner.samplers.net.parameters():
            parameter.zero_()
        first, last = learner.samplers.net.weights
        first[:, 1, 0], first[:, 1, 1] = 50.0, -50.0  # input 0 is the state
        last[:, 0], last[:, 1] = 1.0, -1.0


def test_agents_that_perceive_two_modes_execute_the_product_of_the_marginals():
    learner = team(hidden=(4,))
    two_moded(learner)
    state = torch.zeros(4000, 1)
    perceived = learner.perceive(state[:1], 1000).sign()
    assert bool((perceived == perceived[..., :1]).all())  # each imagines a team that agrees
    agree = {}
    for execution in ("shared", "independent", "explore"):
        signs = learner.act(state, execution).sign()
        agree[execution] = (signs[:, 0] == signs[:, 1]).float().mean().item()
    assert agree["shared"] == 1.0
    assert abs(agree["independent"] - 0.5) < 0.03
    assert abs(agree["explore"] - 0.5) < 0.03


def test_greedy_execution_takes_the_best_each_agent_can_imagine():
    learner = team(n_greedy=256)
    with torch.no_grad():  # critics that like everybody's actions high: Q = Σ relu u
        for parameter in learner.critic.parameters():
            parameter.zero_()
        weights = learner.critic.values.net.weights
        weights[0][:, 1:, 0] = weights[1][:, 0, 0, None] = weights[2][:, 0, 0, None] = 1.0
    state = torch.zeros(50, 1)
    greedy, independent = (learner.act(state, how).mean() for how in ("greedy", "independent"))
    assert greedy > independent + 0.1
