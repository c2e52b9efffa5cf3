import math

import pytest
import torch

from svnr.experiments.evaluate import returns
from svnr.experiments.settings import TrainSettings
from svnr.experiments.train import train
from svnr.games.differential import max_of_three
from svnr.learners.replay import Batch
from svnr.learners.svnr import SVNR, SVNRSettings
from svnr.sets import star


def learner(game=None, n_episodes=100, seed=0, **settings):
    return SVNR(game or max_of_three(2.0), SVNRSettings(**settings), n_episodes, seed)


# --- the losses, written out --------------------------------------------------------------------


@pytest.mark.parametrize("coordinates", ["pre_tanh", "squashed"])
@pytest.mark.parametrize("sets", ["strict", "full", "none"])
def test_the_sampler_gradient_is_7_3_with_7_2_written_out(sets, coordinates):
    """Two loops over particles and agents, straight from the page, against the fast update."""
    team = learner(sets=sets, n_particles=8, hidden=(8, 8), coordinates=coordinates)
    alpha, state = 2.0, torch.zeros(1, 1)
    noise_state = team._generator.get_state()
    found = team.sampler_slopes(state, alpha)

    team._generator.set_state(noise_state)
    states = torch.zeros(1, 4, 1)
    fixed = team.samplers.latent(states, team.noise(1, 4))[0].detach()
    moved = team.samplers.latent(states, team.noise(1, 4))[0]
    u = torch.tanh(fixed)
    slope = team.critic.action_gradient(states[0], u) / alpha
    if coordinates == "squashed":
        fixed, moved = u, torch.tanh(moved)
        score = slope - 2 * u / (1 - u**2 + 1e-6)
    else:
        score = slope * (1 - u**2) - 2 * u
    surrogate = torch.zeros(())
    for i in range(3):
        seen = sorted(team.sets[i] | {i})
        apart = fixed[:, None, seen] - moved.detach()[None, :, seen]
        h = max(1e-3, apart.square().sum(-1).flatten().median().item() / math.log(4))
        for m in range(4):
            phi = 0.0
            for x in range(4):
                k = math.exp(-apart[x, m].square().sum().item() / h)
                d_k = -2 / h * (fixed[x, i] - moved[m, i]).item() * k
                phi += (k * score[x, i].item() + d_k) / 4
            surrogate = surrogate - phi * moved[m, i] / 4
    expected = torch.autograd.grad(surrogate, list(team.samplers.parameters()))
    expected = torch.cat([slope.flatten() for slope in expected])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


# --- targets: terminated, truncated, target network ----------------------------------------------


def test_a_terminated_row_has_no_value_beyond_and_a_truncated_row_has():
    team = learner(discount=0.5, n_value_particles=1)
    with torch.no_grad():  # a target critic that says 4 everywhere: V = 4 whatever is drawn
        for parameter in team.target_critic.parameters():
            parameter.zero_()
        team.target_critic.net.biases[-1].fill_(4.0)
    batch = Batch(
        state=torch.zeros(2, 1),
        u=torch.zeros(2, 3),
        reward=torch.tensor([1.0, 1.0]),
        next_state=torch.zeros(2, 1),
        terminated=torch.tensor([True, False]),  # the second may well have been truncated
    )
    assert team.critic_target(batch, alpha=1.0).tolist() == [1.0, 1.0 + 0.5 * 4.0]


def test_the_target_critic_starts_as_a_copy_and_follows_slowly():
    team = learner(target_rate=0.25)
    batch = Batch(
        torch.zeros(4, 1),
        torch.zeros(4, 3),
        torch.ones(4),
        torch.zeros(4, 1),
        torch.ones(4, dtype=torch.bool),
    )
    before = [p.clone() for p in team.target_critic.parameters()]
    assert all(map(torch.equal, before, team.critic.parameters()))
    team.update(batch, 20)
    expected = [b + 0.25 * (p - b) for b, p in zip(before, team.critic.parameters(), strict=True)]
    torch.testing.assert_close(list(team.target_critic.parameters()), expected)


# --- execution -----------------------------------------------------------------------------------


def test_agents_with_a_common_seed_act_out_one_particle_without_messages():
    team = learner(sets="strict", noise_size=2)
    state = torch.zeros(5, 1)
    alone = torch.cat([team.agent(i, seed=7).act(state) for i in range(3)], -1)
    noise = torch.randn(5, 3, 2, generator=torch.Generator().manual_seed(7))
    assert torch.equal(alone, team.samplers(state, noise).detach())


def test_independent_execution_is_the_product_of_the_marginals():
    """A team whose agents copy the sign of agent 1's noise: correlated together, not apart."""
    team = learner(sets=star(3), hidden=(4,))
    with torch.no_grad():
        for parameter in team.samplers.parameters():
            parameter.zero_()
        team.samplers.net.weights[0][:, 1, 0] = 50.0  # input 0 is the state, 1 agent 1's noise
        team.samplers.net.weights[0][:, 1, 1] = -50.0
        team.samplers.net.weights[1][:, 0] = 1.0
        team.samplers.net.weights[1][:, 1] = -1.0
    state = torch.zeros(4000, 1)
    agree = {}
    for execution in ("shared", "independent"):
        signs = team.act(state, execution).sign()
        agree[execution] = (signs[:, 0] == signs[:, 1]).float().mean().item()
        assert abs(signs.mean().item()) < 0.05  # the marginals are the same either way
    assert agree["shared"] == 1.0
    assert agree["independent"] == pytest.approx(0.5, abs=0.03)


def test_greedy_execution_takes_the_best_of_the_shared_particles():
    team = learner(n_greedy=64)
    state = torch.zeros(200, 1)
    greedy = team.critic(state, team.act(state, "greedy")).mean()
    assert greedy > team.critic(state, team.act(state, "shared")).mean() + 1e-3


# --- learning ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_svnr_leaves_the_wrong_hill_and_svnr_m_does_not():
    """Max of Three, s₂ = 1.5, the paper's 5,000 steps at α ending at 0.3: 10 − 3α/2 = 9.55."""
    game = max_of_three(1.5)
    earned = {}
    for sets in ("strict", "none"):
        team = learner(game, n_episodes=5000, sets=sets)
        for _ in train(game, team, TrainSettings(), seed=0):
            pass
        earned[sets] = returns(game, team, "shared", 1000, seed=0).mean()
        if sets == "strict":
            assert returns(game, team, "greedy", 1000, seed=0).mean() >= 9.9
    assert earned["strict"] >= 9.4
    assert earned["none"] < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("soft_value", ["printed", "importance"])
def test_svnr_looks_ahead_in_a_game_of_two_steps(two_step, soft_value):
    """Best is s = γ = 0.95 and 1: −0.45125 + 1.95 = 1.4988. Without looking ahead: at most 1."""
    team = learner(
        two_step,
        n_episodes=1500,
        schedule="constant",
        alpha_final=0.01,
        soft_value=soft_value,
        hidden=(32, 32),
        target_rate=0.05,
    )
    for _ in train(two_step, team, TrainSettings(n_episodes=1500, batch_size=128), seed=0):
        pass
    assert returns(two_step, team, "shared", 500, seed=0).mean() >= 1.42


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sets": "nested"}, r"sets must be one of .*got 'nested'"),
        ({"schedule": "prited"}, r"schedule must be one of .*got 'prited'"),
        ({"alpha_final": -1.0}, "alpha_final must be positive, got -1.0"),
        ({"learning_rate": 0.0}, "learning_rate must be positive, got 0.0"),
        ({"n_particles": 0}, "n_particles must be a whole number of at least 4, got 0"),
        ({"n_groups": 0}, "n_groups must be a whole number of at least 1, got 0"),
        ({"kernel_on": "agent"}, r"kernel_on must be one of .*got 'agent'"),
        ({"soft_value": "exact"}, r"soft_value must be one of .*got 'exact'"),
    ],
)
def test_settings_that_no_run_could_use_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        SVNRSettings(**settings)


def test_sets_that_do_not_fit_the_game_are_refused():
    with pytest.raises(ValueError, match=r"sets\[2\] must name agents in 0..2 only, got \{5\}"):
        learner(sets=(frozenset(), frozenset(), frozenset({5})))
    with pytest.raises(ValueError, match="one set for each of 3 agents, got 2"):
        learner(sets=(frozenset(), frozenset()))


def test_an_agent_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="index must be below 3, got 3"):
        learner().agent(3, seed=0)
