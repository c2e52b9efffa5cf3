import math

import pytest
import torch
from teams import earned, new, trained

from svnr.games.differential import max_of_three
from svnr.games.graphs import chain_of_pairs
from svnr.learners.svnr import SVNRSettings
from svnr.networks.interactions import interactions
from svnr.sets import partners, star


def learner(game=None, **settings):
    return new("svnr", game or max_of_three(2.0), **settings)


# --- the losses, written out --------------------------------------------------------------------


@pytest.mark.parametrize("coordinates", ["pre_tanh", "squashed"])
@pytest.mark.parametrize("sets", ["strict", "full", "none"])
def test_the_sampler_gradient_is_7_3_with_7_2_written_out(sets, coordinates):
    """Two loops over particles and agents, straight from the page, against the fast update."""
    team = learner(sets=sets, n_particles=8, hidden=(8, 8), coordinates=coordinates)
    alpha, state = 2.0, torch.zeros(1, 1)
    team.samplers.net.requires_grad_(True)
    before = team.state_dict()
    team.move_samplers(state, alpha)
    mean = team.samplers.mean.clone()
    team.load_state_dict(before)

    states = torch.zeros(1, 4, 1)
    fixed = team.samplers(states, team.noise(1, 4))[0, 0]
    moved = team.samplers.net(states, team.noise(1, 4))[0, 0]
    u = torch.tanh(fixed)
    slope = team.critic.action_gradient(states[0], u)[0] / alpha
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
    expected = torch.autograd.grad(surrogate, list(team.samplers.net.parameters()))
    expected = torch.cat([slope.flatten() for slope in expected])
    torch.testing.assert_close(mean, 0.1 * expected, rtol=1e-4, atol=1e-7)


# --- a critic in parts ---------------------------------------------------------------------------


def test_a_critic_in_parts_joins_those_alone_who_are_judged_together():
    """Agents 0 and 2 share no part of Q: no mixed difference joins them, however it learns."""
    game, edges = max_of_three(2.0), [(0, 1)]
    team = learner(game, factors=partners(3, edges), factor_hidden=(8, 8))
    state, u = torch.zeros(64, 1), 2 * torch.rand(64, 3) - 1
    team.critic.learn(state, u, game.reward(u))

    def value(u):
        return team.critic(torch.zeros(*u.shape[:-1], 1), u)[0]

    found = interactions(value, u, 2 * torch.rand(64, 3) - 1, (1, 1, 1))
    assert found[0, 1] > 1e-5 and max(found[0, 2], found[1, 2]) < 1e-10
    joint = learner(game).critic(state, u)
    assert joint.shape == team.critic(state, u).shape == (1, 64)


def test_left_alone_the_critic_is_one_network_and_runs_are_described_as_before():
    told = SVNRSettings().fitted_to(max_of_three(2.0))
    assert not {"factors", "factor_hidden"} & set(told.plain())
    parts = SVNRSettings(factors=[[1], [0], []]).fitted_to(max_of_three(2.0))
    assert parts.plain()["factors"] == [[1], [0], []]
    assert parts == SVNRSettings(factors=partners(3, [(1, 0)])).fitted_to(max_of_three(2.0))
    with pytest.raises(ValueError, match="one set for each of 3 agents, got 2"):
        SVNRSettings(factors=[[1], [0]]).fitted_to(max_of_three(2.0))


@pytest.mark.slow
def test_ten_agents_leave_the_trap_by_hearing_those_they_play_with_and_nobody_else():
    """10 − α/2 · 10 / 9 an edge at α = 0.3: 9.83. The same critic and pairs of strangers: 0."""
    game, reached = chain_of_pairs(10, 1.2), {}
    edges = {"partners": game.edges, "strangers": [(i, i + 1) for i in range(9)]}
    assert not set(edges["strangers"]) & set(game.edges)
    for name, pairs in edges.items():
        how = {"sets": partners(10, pairs), "factors": partners(10, game.edges)}
        how |= {"layer_norm": True, "hidden": (64, 64), "batch_size": 128}
        team = trained(new("svnr", game, small=False, **how), game, 2000)
        reached[name] = earned(game, team, "shared", 500) / 9
    assert reached["partners"] >= 9.7 and reached["strangers"] < 0.5


# --- execution -----------------------------------------------------------------------------------


def test_agents_with_a_common_seed_act_out_one_particle_without_messages():
    team = learner(sets="strict", noise_size=2)
    state = torch.zeros(5, 1)
    alone = torch.cat([team.agent(i, seed=7).act(state) for i in range(3)], -1)
    noise = torch.randn(5, 3, 2, generator=torch.Generator().manual_seed(7))
    assert torch.equal(alone, torch.tanh(team.samplers(state, noise))[0])


def test_independent_execution_is_the_product_of_the_marginals():
    """A team whose agents copy the sign of agent 1's noise: correlated together, not apart."""
    team = learner(sets=star(3), hidden=(4,))
    with torch.no_grad():
        for parameter in team.samplers.net.parameters():
            parameter.zero_()
        first, last = team.samplers.net.net.weights
        first[:, 1, 0], first[:, 1, 1] = 50.0, -50.0  # input 0 is the state, 1 agent 1's noise
        last[:, 0], last[:, 1] = 1.0, -1.0
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
    """Max of Three, s₂ = 1.5, half of the paper's steps at α ending at 0.3: 10 − 3α/2 = 9.55."""
    game, reached = max_of_three(1.5), {}
    for name in ("svnr", "svnr_m"):
        team = new(name, game, small=False, hidden=(64, 64), batch_size=256)
        trained(team, game, 2500)
        reached[name] = earned(game, team, "shared", 1000)
    assert reached["svnr"] >= 9.4 and reached["svnr_m"] < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("soft_value", ["printed", "importance"])
def test_svnr_looks_ahead_in_a_game_of_two_steps(two_step, soft_value):
    """Best is s = γ = 0.95 and 1: −0.45125 + 1.95 = 1.4988. Without looking ahead: at most 1."""
    how = {"schedule": "constant", "alpha_final": 0.01, "soft_value": soft_value}
    sizes = {"hidden": (32, 32), "target_rate": 0.05, "batch_size": 128}
    team = trained(new("svnr", two_step, small=False, **how, **sizes), two_step, 1500)
    assert earned(two_step, team, "shared", 500) >= 1.42


# --- bad input -----------------------------------------------------------------------------------


def test_equal_sets_are_equal_settings():
    game = max_of_three(2.0)
    spelt = ("strict", [[], [0], [0, 1]], (frozenset(), frozenset({0}), frozenset({0, 1})))
    assert len({SVNRSettings(sets=sets).fitted_to(game) for sets in spelt[2:]}) == 1
    assert all(SVNRSettings(sets=sets).fitted_to(game).sets == "strict" for sets in spelt)


def test_sets_that_do_not_fit_the_game_are_refused():
    with pytest.raises(ValueError, match=r"sets\[2\] must name agents in 0..2 only, got \{5\}"):
        learner(sets=(frozenset(), frozenset(), frozenset({5})))
    with pytest.raises(ValueError, match="one set for each of 3 agents, got 2"):
        learner(sets=(frozenset(), frozenset()))


def test_an_agent_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"agent must be a whole number in \[0, 2\], got 3"):
        learner().agent(3, seed=0)
