import math

import pytest
import torch
from torch.distributions import Normal, TanhTransform, TransformedDistribution

from svnr.games.differential import max_of_three
from svnr.learners.rommeo import (
    ROMMEO,
    ROMMEOSettings,
    log_density_slope,
    squashed_gaussian,
    squashed_log_density,
)


def team(**settings):
    return ROMMEO(max_of_three(2.0), ROMMEOSettings(**settings), 100, seed=0)


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


def test_models_and_policies_learn_from_their_own_losses():
    """One loss serves both: its gradients are those of the two losses of the paper, apart."""
    learner = team(n_groups=1, n_samples=6, hidden=(8,))
    alpha, state = 0.7, torch.zeros(1, 1)
    before = [g.get_state() for g in learner._own_generators]
    loss = learner.reasoning_loss(state, alpha)
    policies, models = (list(m.parameters()) for m in (learner.policies, learner.opponent_models))
    found = torch.autograd.grad(loss, models + policies)
    for generator, value in zip(learner._own_generators, before, strict=True):
        generator.set_state(value)
    noise = learner._noise(1, 6)
    u, log_rho, log_pi = learner.reason(state.unsqueeze(1), noise)
    q = learner.critics(state.unsqueeze(1), u)
    model_loss = (log_rho - learner.log_prior(state.unsqueeze(1), u) - q + alpha * log_pi).mean(-1)
    policy_loss = (alpha * log_pi - q).mean(-1)
    expected = torch.autograd.grad(model_loss.sum(), models, retain_graph=True)
    expected += torch.autograd.grad(policy_loss.sum(), policies)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_the_slope_of_the_log_density_is_autograds():
    generator = torch.Generator().manual_seed(0)
    out = torch.randn(5, 6, dtype=torch.double, generator=generator)
    out[0, 3:] = 3.0  # log σ beyond its bound, where it has no slope
    u = torch.tanh(torch.randn(5, 3, dtype=torch.double, generator=generator))
    leaf = out.clone().requires_grad_(True)
    (expected,) = torch.autograd.grad(squashed_log_density(leaf, u).sum(), leaf)
    torch.testing.assert_close(log_density_slope(out, u), expected)
    assert (expected[0, 3:] == 0).all()


def test_priors_learn_from_the_others_actions_alone():
    learner = team(hidden=(8,))
    state, u = torch.zeros(6, 1), 2 * torch.rand(6, 3, generator=learner._generator) - 1
    loss = -learner.log_prior(state, u.unsqueeze(0)).mean(-1).sum()
    expected = torch.autograd.grad(loss, list(learner.priors.parameters()))
    found = learner.prior_slopes(state, u)
    torch.testing.assert_close(found, torch.cat([part.flatten() for part in expected]))


def test_the_prior_learns_what_the_others_lately_did():
    learner = team()
    state = torch.zeros(200, 1)
    u = torch.tensor([0.5, -0.5, 0.2]).expand(200, 3)
    learner.observe(state, u + 0.05 * torch.randn(200, 3, generator=learner._generator))
    for _ in range(400):
        recent = learner.recent.sample(64, learner._generator)
        learner._prior_adam.step(learner.prior_slopes(*recent))
    with torch.no_grad():
        near, far = (
            learner.log_prior(torch.zeros(1, 1), torch.tensor([[action]])).tolist()
            for action in ([0.5, -0.5, 0.2], [-0.5, 0.5, 0.2])
        )
    assert all(a[0] > b[0] + 5 for a, b in zip(near, far, strict=True))


def test_an_agent_answers_the_partners_it_imagines():
    """Policies that copy the mean of what they hear, models that imagine both others at 0.5."""
    learner = team(hidden=(4,))
    with torch.no_grad():
        for network in (learner.policies, learner.opponent_models):
            for parameter in network.parameters():
                parameter.zero_()
        learner.opponent_models.biases[-1][..., :3] = math.atanh(0.5)
        learner.policies.weights[0][:, 1:, 0] = 0.5  # (0.5 + 0.5) / 2, its own input is hidden
        learner.policies.weights[1][:, 0, :3] = 1.0
    u = learner.act(torch.zeros(1, 1), "greedy")
    assert u.tolist()[0] == pytest.approx([math.tanh(0.5)] * 3)
