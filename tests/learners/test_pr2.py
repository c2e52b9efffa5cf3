import math

import pytest
import torch
from teams import new, zeroed

from svnr.games.differential import max_of_three


def team(**settings):
    return new("pr2", max_of_three(2.0), **settings)


def test_the_model_of_the_others_follows_the_stein_direction_given_the_agents_own_action():
    """Loops over agents and states; the kernel compares the others' coordinates only."""
    learner = team(n_particles=8, hidden=(8, 8))
    alpha, state = 2.0, torch.zeros(2, 1)
    u = torch.tensor([[0.1, -0.4, 0.7], [-0.9, 0.2, 0.3]])
    learner.opponent_models.net.requires_grad_(True)
    before = learner.state_dict()
    learner.move_opponents(state, u, alpha)
    mean = learner.opponent_models.mean.clone()
    learner.load_state_dict(before)

    own = (u * learner.own.unsqueeze(1)).unsqueeze(2).expand(-1, -1, 4, -1)
    states, others = state.unsqueeze(1), ~learner.own[:, None, None]
    fixed = learner.opponent_models(learner._inputs(states, own)) * others
    moved = learner.opponent_models.net(learner._inputs(states, own)) * others
    surrogate = torch.zeros(())
    for i in range(3):
        others = [j for j in range(3) if j != i]
        for group in range(2):
            x, y = fixed[i, group], moved[i, group]
            joint = torch.tanh(x)
            joint[:, i] = u[group, i]
            joint.requires_grad_(True)
            q = learner.critic(torch.zeros(4, 1), joint.unsqueeze(0))[i].sum()
            slope = torch.autograd.grad(q, joint)[0][:, others] / alpha
            answer = torch.tanh(x[:, others])
            score = slope * (1 - answer**2) - 2 * answer
            apart = x[:, None, others] - y.detach()[None, :, others]
            h = max(1e-3, apart.square().sum(-1).flatten().median().item() / math.log(4))
            k = torch.exp(-apart.square().sum(-1) / h)
            phi = (k[..., None] * (score[:, None] - 2 / h * apart)).mean(0)
            surrogate = surrogate - (phi * y[:, others]).sum(-1).mean() / 2
    expected = torch.autograd.grad(surrogate, list(learner.opponent_models.net.parameters()))
    expected = torch.cat([slope.flatten() for slope in expected])
    torch.testing.assert_close(mean, 0.1 * expected, rtol=1e-4, atol=1e-7)


def test_an_agent_perceives_its_own_action_and_an_answer_to_it():
    learner = team()
    perceived = learner.perceive(torch.zeros(1, 1), 50)[:, 0]
    intended = learner.act(torch.zeros(1, 1), "shared")[0]
    for i in range(3):
        assert bool((perceived[i, :, i] == intended[i]).all())
        others = [j for j in range(3) if j != i]
        assert bool((perceived[i, :, others].std(0) > 0).all())


def test_the_actor_gains_also_through_the_answers_it_calls_forth():
    """Q pays for the others' actions only; the others are modelled as copying agent i's action."""
    learner = team(hidden=(4,))
    with torch.no_grad():
        for network in (learner.opponent_models, learner.critic):
            for parameter in network.parameters():
                parameter.zero_()
        inputs, outputs = learner.opponent_models.net.weights
        for i in range(3):  # input 0 is the state, then the joint action: relu(1 + u_i) − 1
            inputs[i, 1 + i, 0] = 1.0
            outputs[i, 0, :] = 1.0
        learner.opponent_models.net.biases[0].fill_(1.0)
        learner.opponent_models.net.biases[1].fill_(-1.0)
        weights, biases = learner.critic.values.net.weights, learner.critic.values.net.biases
        for i in range(3):  # Q_i = relu(2 + Σ_{j≠i} u_j)
            weights[0][i, [1 + j for j in range(3) if j != i], 0] = 1.0
        biases[0].fill_(2.0)
        weights[1][:, 0, 0] = 1.0
    own = torch.zeros(3, 1, 3, requires_grad=True)
    gain = learner.gain(torch.zeros(1, 1), own, alpha=1.0)
    (gradient,) = torch.autograd.grad(gain, own)
    assert all(gradient[i, 0, i].item() > 0.1 for i in range(3))


def test_the_gain_is_the_sum_of_all_agents_soft_values(two_step):
    learner = new("pr2", two_step, hidden=(1,))
    zeroed(learner.opponent_models)
    with torch.no_grad():
        zeroed(learner.critic).values.net.biases[-1][:, 0, 0] = torch.tensor([3.0, 4.0])
    gain = learner.gain(torch.zeros(5, 2), torch.zeros(2, 5, 2), alpha=2.0)
    assert gain.item() == pytest.approx(7.0)


def test_the_gain_of_two_answers_by_hand(two_step):
    # Two agents, each α log mean exp(q/α) of q = 0, 2 log 3 at α = 2: 2 · 2 log((1 + 3)/2).
    learner = new("pr2", two_step, hidden=(1,), n_particles=4)
    learner._with_answers = lambda state, own, n: own.unsqueeze(2)
    learner.critic = lambda state, u: torch.tensor([0.0, 2 * math.log(3)]).expand(2, 5, 2)
    gain = learner.gain(torch.zeros(5, 2), torch.zeros(2, 5, 2), alpha=2.0)
    assert gain.item() == pytest.approx(4 * math.log(2))
