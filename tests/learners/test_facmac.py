import torch
from teams import at, new, rows, taught_by_chance, twins

from svnr.games.differential import DifferentialGame, Hill
from svnr.networks.actors import PENALTY


def joint_of(actors, state):
    """What two agents with a coordinate each do, and what stands before the tanh."""
    z = actors(state.expand(2, *state.shape))
    z = torch.stack([z[0, :, 0], z[1, :, 1]], -1)
    return torch.tanh(z), z


def gradient(loss, network):
    slopes = torch.autograd.grad(loss, list(network.parameters()))
    return torch.cat([slope.flatten() for slope in slopes])


def test_an_update_goes_down_the_critics_error_and_up_the_teams_value_as_autograd_does(two_step):
    """Adam's mean after the first step is a tenth of the gradient."""
    how = {"n_rows": 5, "max_gradient_norm": 1e6}
    learner, before = twins("facmac", two_step, **how)
    state, u, reward = torch.randn(8, 2), torch.rand(8, 2), torch.randn(8)
    next_state, weight = torch.randn(8, 2), torch.tensor([0.5, 0.0] * 4)
    learner.update(rows(state, u, reward, next_state, weight == 0, weight=weight), at(0))

    then, _ = joint_of(before.actors.actors.target, next_state)
    beyond = before.critic.values.target(torch.cat([next_state, then], -1).unsqueeze(0))
    target = reward + weight * beyond[0, :, 0].detach()
    before.critic.values.net.requires_grad_(True)
    error = 0.5 * (target - before.critic(state, u)[0]).square().mean()
    torch.testing.assert_close(
        learner.critic.values.mean, 0.1 * gradient(error, before.critic.values.net)
    )
    before.actors.actors.net.requires_grad_(True)
    now, z = joint_of(before.actors.actors.net, state[:5])
    loss = PENALTY * z.square().sum(-1).mean() - learner.critic(state[:5], now).mean()
    torch.testing.assert_close(
        learner.actors.actors.mean, 0.1 * gradient(loss, before.actors.actors.net)
    )


def test_every_agent_perceives_what_all_do_now_whatever_they_did_lately(uneven):
    learner, state = new("facmac", uneven), torch.ones(2, 1)
    learner.memory.add(rows(state, torch.rand(2, 6), torch.zeros(2), state, torch.ones(2) > 0))
    intended = learner.act(state, "shared")
    perceived = learner.perceive(state, 4)
    torch.testing.assert_close(perceived, intended[None, :, None].expand(3, 2, 4, 6))


def test_the_mixing_is_that_of_the_settings(two_step):
    """Two utilities alone; or with weights for each, a last layer and a bias, and a value."""
    critics = {how: new("facmac", two_step, mixing=how).critic for how in ("sum", "monotone")}
    sizes = {how: [len(net.biases[0]) for net in critics[how].values.net.nets] for how in critics}
    assert sizes == {"sum": [2], "monotone": [2, 4, 1]}
    free, monotone = (new("facmac", two_step, mixing=how).critic for how in ("free", "monotone"))
    state, u = torch.randn(4, 2), torch.rand(4, 2)
    assert not torch.equal(free(state, u), monotone(state, u))  # of the same weights


def test_actors_find_the_optimum_of_a_hill_from_others_random_actions():
    """The batch is uniform, so that only the actors' own part of the gradient can lead there."""
    hill = Hill(height=1.0, center=(7.0, -6.0, 5.0), width=3.0, offset=10.0)
    game = DifferentialGame("hill", (hill,))
    learner = new("facmac", game, small=False, hidden=(32, 32), batch_size=64, n_rows=64)
    taught_by_chance(learner, game, 500)
    found = learner.act(torch.zeros(1, 1), "greedy")[0]
    torch.testing.assert_close(found, torch.tensor([0.7, -0.6, 0.5]), atol=0.2, rtol=0)
