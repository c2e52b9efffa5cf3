import itertools
from dataclasses import replace
from functools import partial

import pytest
import torch
from teams import at, new, rows, taught_by_chance, twins

from svnr.experiments.catalogue import learner_class, make_game
from svnr.experiments.specs import run_spec
from svnr.games.differential import DifferentialGame, Hill
from svnr.games.matrix import MatrixGame
from svnr.learners.learner import undisturbed
from svnr.networks.argmax import cross_entropy


def utility(net, i, state, u):
    """Q_i(s, u_i) of one agent's action [..., D] in one state, layer by layer."""
    seen = torch.zeros_like(u)
    seen[..., i] = u[..., i]
    x = torch.cat([state.expand(*u.shape[:-1], -1), seen], -1)
    for weight, bias in zip(net.weights[:-1], net.biases[:-1], strict=True):
        x = torch.relu(x @ weight[i] + bias[i, 0])
    return (x @ net.weights[-1][i] + net.biases[-1][i, 0]).squeeze(-1)


def test_the_next_value_mixes_the_best_target_utilities_of_new_candidates(two_step):
    learner, same = twins("qmix", two_step)
    state = torch.randn(4, 2)
    found, again = learner.next_value(state), learner.next_value(state)
    assert not torch.equal(found, again)
    before, net = same._generator.get_state(), same.critic.values.target.nets[0]
    u = torch.zeros(4, 2)
    for b in range(4):
        for i in range(2):
            same._generator.set_state(before)
            values = partial(utility, net, i, state[b])
            u[b, i] = cross_entropy(values, (2,), same._generator, 8, 3, 2)[i]
    torch.testing.assert_close(found, same.critic.slow(state, u))


def test_an_update_goes_down_the_error_that_autograd_finds(two_step):
    """Adam's mean after the first step is a tenth of the gradient."""
    learner, same = twins("qmix", two_step, max_gradient_norm=1e6)
    state, u, reward = torch.randn(8, 2), torch.rand(8, 2), torch.randn(8)
    next_state, weight = torch.randn(8, 2), torch.tensor([0.5, 0.0] * 4)
    learner.update(rows(state, u, reward, next_state, weight == 0, weight=weight), at(0))
    target = reward.clone()
    target[::2] += 0.5 * same.next_value(next_state[::2])[0]
    net = same.critic.values.net
    net.requires_grad_(True)
    error = 0.5 * (target - same.critic(state, u)[0]).square().mean()
    expected = torch.cat([g.flatten() for g in torch.autograd.grad(error, [*net.parameters()])])
    torch.testing.assert_close(learner.critic.values.mean, 0.1 * expected)


def test_it_acts_where_the_teams_value_is_highest(two_step):
    """Against every joint action of a fine grid."""
    learner, _ = twins("qmix", two_step, n_candidates=64, n_elites=6, n_rounds=4)
    state = torch.randn(6, 2, generator=torch.Generator().manual_seed(2))
    line = torch.linspace(-1, 1, 81)
    grid = torch.tensor(list(itertools.product(line.tolist(), repeat=2)))
    values = learner.critic(state.unsqueeze(1), grid.expand(6, -1, -1))[0]
    found = learner.critic(state, learner.act(state, "greedy"))[0]
    spread = values.amax(-1) - values.amin(-1)
    assert bool((found > values.amax(-1) - 0.02 * spread).all())


def test_an_agent_of_several_coordinates_chooses_all_of_them_and_no_others(uneven):
    """Each agent's part of what is done is the best by its own utility of all its candidates."""
    learner, state = new("qmix", uneven, n_rounds=1), torch.ones(1, 1)
    candidates = torch.randn(8, 6, generator=torch.Generator().manual_seed(0)).tanh()
    values = learner.critic.utilities(state, candidates.expand(3, 8, 6))
    one, two, three = candidates[values.argmax(-1)]
    expected = torch.cat([one[:1], two[1:4], three[4:]])
    torch.testing.assert_close(learner.act(state, "greedy")[0], expected)


def test_acting_has_no_chance_and_no_state_depends_on_others(two_step):
    learner, _ = twins("qmix", two_step)
    state = torch.randn(5, 2)
    u = learner.act(state, "shared")
    assert torch.equal(learner.act(state, "independent"), u)
    torch.testing.assert_close(learner.act(state[3:4], "greedy"), u[3:4])
    with undisturbed(learner):
        noise = learner.exploration.noise(5, learner._exploring)
    torch.testing.assert_close(learner.act(state, "explore"), (u + noise).clamp(-1, 1))


def test_every_agent_perceives_what_is_best_for_the_team(uneven):
    learner, state = new("qmix", uneven), torch.ones(2, 1)
    greedy = learner.act(state, "greedy")
    perceived = learner.perceive(state, 4)
    torch.testing.assert_close(perceived, greedy[None, :, None].expand(3, 2, 4, 6))


@pytest.mark.parametrize(
    ("name", "at_most", "in_the_mean"),
    [("particle_gather_turned", 0.05, 0.02), ("halfcheetah_2x3", 0.3, 0.1)],
)
def test_what_it_acts_with_reaches_every_corner(name, at_most, in_the_mean):
    """Its candidates are always the same: what they do not reach is never done, in any state.

    Utilities fall with the squared distance from a corner. With the candidates that it learns
    with, one agent of Particle Gather would never push below −0.36, and one of the cheetah miss
    a corner by 1.2.
    """
    game = make_game(name)
    told = replace(run_spec(name, "qmix").settings, hidden=(8,), capacity=100)
    learner = learner_class("qmix")(game, told, seed=0)
    gaps = []
    for corner in map(torch.tensor, itertools.product((-1.0, 1.0), repeat=learner.width)):

        def near_corner(state, u, corner=corner):
            return -((u - corner) * learner.own[:, None, None]).square().sum(-1)

        learner.critic.utilities = near_corner
        gaps.append((learner.intended(torch.zeros(1, game.state_size))[0] - corner).abs())
    assert torch.stack(gaps).max() < at_most and torch.stack(gaps).mean() < in_the_mean


MIDDLE = {"small": False, "hidden": (32, 32), "batch_size": 64, "learning_rate": 0.01}


def test_it_finds_the_optimum_of_a_hill():
    hill = Hill(height=1.0, center=(7.0, -6.0, 5.0), width=3.0, offset=10.0)
    game = DifferentialGame("hill", (hill,))
    learner = new("qmix", game, **MIDDLE)
    taught_by_chance(learner, game, 400)
    found = learner.act(torch.zeros(1, 1), "greedy")[0]
    torch.testing.assert_close(found, torch.tensor([0.7, -0.6, 0.5]), atol=0.2, rtol=0)


def test_where_the_best_is_lost_by_one_alone_no_monotone_value_knows_it():
    """QTRAN's matrix game with a dearer miss: 8 if both play the first of three, −30 if one does.

    Which of the nine cells a monotone Q_tot ranks highest is settled by its squared errors:
    - the 8 on top, its four neighbours (−30) and the four 0 level at −15: 8 · 15² = 1800;
    - the 0 on top, the 8 level with its neighbours at −112⁄5 = −22.4: 30.4² + 4 · 7.6² = 1155.2;
    - a neighbour on top, level with the 8 and the 0: at −52⁄7, 1477.7.
    So the best fit is the second, and the team plays for 0.
    """
    game = MatrixGame("dear", [[8, -30, -30], [-30, 0, 0], [-30, 0, 0]], "after Son et al.")
    learner = new("qmix", game, **MIDDLE)
    errors = taught_by_chance(learner, game, 600)
    assert game.reward(learner.act(torch.zeros(1, 1), "greedy")).item() == 0
    assert sum(errors[-100:]) / 100 == pytest.approx(0.5 * 1155.2 / 9, rel=0.25)


def test_more_elites_than_candidates_are_refused(two_step):
    with pytest.raises(ValueError, match="n_elites must be at most the n_candidates of 8, got 9"):
        new("qmix", two_step, n_elites=9)
    with pytest.raises(ValueError, match="n_elites must be at most the n_acting of 2, got 3"):
        new("qmix", two_step, n_acting=2)
