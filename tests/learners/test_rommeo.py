import math

import pytest
import torch
from teams import new, rows, zeroed

from svnr.games.differential import max_of_three
from svnr.learners.learner import undisturbed


def team(**settings):
    return new("rommeo", max_of_three(2.0), **settings)


def test_models_and_policies_learn_from_their_own_losses():
    """One loss serves both: its gradients are those of the two losses of the paper, apart."""
    learner = team(n_groups=1, n_samples=6, hidden=(8,))
    alpha, state = 0.7, torch.zeros(1, 1)
    with undisturbed(learner):
        loss = learner.reasoning_loss(state, alpha)
    models, policies = (list(net.parameters()) for net in learner.reasoning.net)
    found = torch.autograd.grad(loss, models + policies)
    u, log_rho, log_pi = learner.reason(state.unsqueeze(1), learner._noise(1, 6))
    q = learner.critic(state.unsqueeze(1), u)
    model_loss = (log_rho - learner.log_prior(state.unsqueeze(1), u) - q + alpha * log_pi).mean(-1)
    policy_loss = (alpha * log_pi - q).mean(-1)
    expected = torch.autograd.grad(model_loss.sum(), models, retain_graph=True)
    expected += torch.autograd.grad(policy_loss.sum(), policies)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_priors_learn_from_the_others_actions_alone():
    learner = team(hidden=(8,))
    net = learner.priors.net.requires_grad_(True)
    state, u = torch.zeros(6, 1), 2 * torch.rand(6, 3, generator=learner._generator) - 1
    from svnr.networks.gaussians import squashed_log_density

    log_p = squashed_log_density(net(state.expand(3, 6, 1)), u) * ~learner.own.unsqueeze(1)
    expected = torch.autograd.grad(-log_p.sum(-1).mean(-1).sum(), list(net.parameters()))
    learner.fit_priors(state, u)
    flat = torch.cat([part.flatten() for part in expected])
    torch.testing.assert_close(learner.priors.mean, 0.1 * flat)


def test_the_prior_learns_what_the_others_lately_did():
    learner = team(hidden=(100, 100))
    state = torch.zeros(200, 1)
    u = torch.tensor([0.5, -0.5, 0.2]).expand(200, 3)
    u = u + 0.05 * torch.randn(200, 3, generator=learner._generator)
    learner.memory.add(rows(state, u, state[:, 0], state, torch.ones(200, dtype=torch.bool)))
    for _ in range(400):
        learner.fit_priors(*learner.memory.recent(512, 64, learner._generator))
    near, far = (
        learner.log_prior(torch.zeros(1, 1), torch.tensor([[action]])).tolist()
        for action in ([0.5, -0.5, 0.2], [-0.5, 0.5, 0.2])
    )
    assert all(a[0] > b[0] + 5 for a, b in zip(near, far, strict=True))


def test_an_agent_answers_the_partners_it_imagines():
    """Policies that copy the mean of what they hear, models that imagine both others at 0.5."""
    learner = team(hidden=(4,))
    models, policies = learner.reasoning.net
    with torch.no_grad():
        for parameter in learner.reasoning.net.parameters():
            parameter.zero_()
        models.biases[-1][..., :3] = math.atanh(0.5)
        policies.weights[0][:, 1:, 0] = 0.5  # (0.5 + 0.5) / 2, its own input is hidden
        policies.weights[1][:, 0, :3] = 1.0
    u = learner.act(torch.zeros(1, 1), "greedy")
    assert u.tolist()[0] == pytest.approx([math.tanh(0.5)] * 3)


def test_models_are_asked_about_the_state_that_is_perceived_in(two_step):
    learner, state = new("rommeo", two_step), torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    models, policies = zeroed(learner.reasoning.net)
    with torch.no_grad():  # means that follow the sign of the state, next to no noise
        for net in (models, policies):
            net.biases[-1][..., 2:] = -20.0
        models.weights[0][:, 0, 0] = models.weights[1][:, 0, 0] = 5.0
        models.weights[2][:, 0, :2] = 1.0
    other = learner.perceive(state, 3)[0, :, :, 1]
    assert other.sign().tolist() == [[1.0] * 3, [-1.0] * 3]
