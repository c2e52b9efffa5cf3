import math

import numpy as np
import pytest
import torch
from teams import at, earned, new, rows, taught, trained
from torch.distributions import Normal, TanhTransform, TransformedDistribution

from svnr.games.game import OneShotGame
from svnr.learners.hasac import joint_soft_value
from svnr.learners.learner import undisturbed


class Bowl(OneShotGame):
    """Two agents are paid −Σ_i (u_i − c_i)²."""

    name = "bowl"
    action_sizes = (1, 1)

    def reward(self, u):
        return -(u - torch.tensor([0.3, -0.2])).square().sum(-1)


class Together(OneShotGame):
    """The farther both go the better, but to be apart costs: nobody gains by going alone."""

    name = "together"
    action_sizes = (1, 1)

    def reward(self, u):
        return u.mean(-1) - 4 * (u[..., 0] - u[..., 1]).square()


def told(actor, log_std, mean=0.0):
    """Let an actor be the same Gaussian in every state: weights of zero, and these outputs."""
    net = actor.mean_and_log_std.net
    with torch.no_grad():
        for part in net.parameters():
            part.zero_()
        net.biases[-1][..., : net.biases[-1].shape[-1] // 2] = mean
        net.biases[-1][..., net.biases[-1].shape[-1] // 2 :] = log_std


def by_torch(actor, state, noise):
    """u and log π(u | s) as torch's distributions have them, for autograd to follow."""
    net = actor.mean_and_log_std.net
    x = state
    for weight, bias in zip(net.weights[:-1], net.biases[:-1], strict=True):
        x = torch.tanh(x @ weight[0] + bias[0])
    mean, log_std = (x @ net.weights[-1][0] + net.biases[-1][0]).chunk(2, -1)
    tanh = TanhTransform(cache_size=1)
    u = tanh(mean + log_std.exp() * noise)
    law = TransformedDistribution(Normal(mean, log_std.exp()), tanh)
    return u, law.log_prob(u).sum(-1)


def restless(learner):
    """Every network disturbed, so that no two of a kind are alike."""
    state, generator = learner.state_dict(), torch.Generator().manual_seed(5)
    for name, value in state.items():
        if ".weights." in name or ".biases." in name:
            state[name] = value + 0.3 * torch.randn(value.shape, generator=generator)
    learner.load_state_dict(state)
    return learner


# --- the joint soft target -----------------------------------------------------------------------


def test_the_joint_soft_value_by_hand():
    # min(2, 1.5) − (0.2 · 0.5 + 0.4 · 1) = 1.0, and min(1, 3) − (0.2 · (−1) + 0.4 · 2) = 0.4.
    q = torch.tensor([[2.0, 1.0], [1.5, 3.0]])
    log_pi = torch.tensor([[0.5, -1.0], [1.0, 2.0]])
    found = joint_soft_value(q, log_pi, torch.tensor([0.2, 0.4]))
    assert found.tolist() == pytest.approx([1.0, 0.4])


def test_a_target_is_what_was_earned_and_the_weighted_soft_value_beyond(uneven):
    """r + w (min_c Q′_c(s′, u′) − Σ_i α_i log π_i(u′_i | s′)), row by row, with any weight w."""
    learner = restless(new("hasac", uneven, temperature="learned", target_rate=0.0))
    alpha = [0.2, 0.4, 0.8]
    with torch.no_grad():
        learner.log_alpha.net[0].copy_(torch.tensor(alpha).log())
    actors = restless(new("hasac", uneven)).actors  # as they were before the update
    generator = torch.Generator().manual_seed(0)
    next_state, reward = torch.randn(5, 1, generator=generator), torch.arange(5.0)
    weight = torch.tensor([0.95, 0.0, 0.95**3, 0.5, 0.95**2])  # the second ended
    u = 2 * torch.rand(5, 6, generator=generator) - 1
    batch = rows(-next_state, u, reward, next_state, weight == 0, weight=weight)
    targets = []
    learner.critic.learn = lambda state, u, target: targets.append(target) or 0.0
    with undisturbed(learner):
        learner.update(batch, at(50))
    noise, slow = learner.noise(4), learner.critic.values.target
    for place, row in enumerate([0, 2, 3, 4]):
        at_row, eps = next_state[row : row + 1], [each[place : place + 1] for each in noise]
        drawn = [by_torch(a, at_row, e) for a, e in zip(actors, eps, strict=True)]
        x = torch.cat([at_row, *(u for u, _ in drawn)], -1)
        q = slow(x.expand(2, 1, 7)).min().item()
        cost = sum(a * log_pi.item() for a, (_, log_pi) in zip(alpha, drawn, strict=True))
        expected = reward[row].item() + weight[row].item() * (q - cost)
        assert targets[0][0, row].item() == pytest.approx(expected, abs=1e-4)
    assert targets[0][0, 1].item() == 1.0


def test_both_critics_learn_the_same_target(two_step):
    learner = new("hasac", two_step, learning_rate=0.01)
    taught(learner, two_step)
    before = learner.critic.values.mean.clone()
    state, u = torch.randn(200, 2), 2 * torch.rand(200, 2) - 1
    for _ in range(1500):
        learner.critic.learn(state, u, torch.full((1, 200), 3.0))
    assert not torch.equal(before, learner.critic.values.mean)
    assert (learner.critic(state, u) - 3).abs().mean(-1).tolist() == pytest.approx([0, 0], abs=0.1)


# --- actors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("i", [0, 1, 2])
def test_an_actor_steps_up_the_gradient_of_its_own_objective(i, uneven):
    """E[min_c Q_c(s, u) − α_i log π_i(u_i | s)], by torch's distributions and autograd."""
    learner = restless(new("hasac", uneven, n_samples=3))
    state, alpha = torch.randn(4, 1), torch.tensor([0.3, 0.7, 1.1])
    with undisturbed(learner):
        old, own = learner.noise(4, 3), learner.noise(4, 3)
    states, net = state.unsqueeze(1).expand(4, 3, 1), learner.actors[i].mean_and_log_std.net
    net.requires_grad_(True)
    u = [by_torch(a, states, old[j])[0].detach() for j, a in enumerate(learner.actors)]
    u[i], log_pi = by_torch(learner.actors[i], states, own[i])
    x = torch.cat([states, *u], -1).expand(2, 4, 3, 7)
    gain = (learner.critic.values.net(x)[..., 0].min(0).values - alpha[i] * log_pi).mean()
    expected = torch.autograd.grad(-gain, list(net.parameters()))
    net.requires_grad_(False)
    found = learner.take_turns(state, [i], alpha)
    flat = torch.cat([part.flatten() for part in expected])
    torch.testing.assert_close(learner.actors[i].mean_and_log_std.mean, 0.1 * flat)
    torch.testing.assert_close(found[i], log_pi.detach(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_an_agent_meets_those_before_it_as_they_have_just_become(order):
    # All pays u₁ u₂, σ ≈ 0, α = 0, from u₁ = 0.001 and u₂ = −0.5; a step is 0.01 long. Agent 1
    # goes down as u₂ < 0, to −0.009. If it was first, agent 2 meets a partner below zero and goes
    # down too, to −0.51; if agent 2 was first, its partner was above zero and it went up to −0.49.
    learner = new("hasac", Bowl(), learning_rate=0.01)
    told(learner.actors[0], -20.0, 0.001)
    told(learner.actors[1], -20.0, -0.5)
    learner.critic = lambda state, u: u.prod(-1).expand(2, *u.shape[:-1])
    learner.take_turns(torch.zeros(4, 1), order, torch.zeros(2))
    mean = torch.atanh(learner.act(torch.zeros(1, 1), "greedy"))[0]
    expected = [-0.009, -0.51 if order == [0, 1] else -0.49]
    assert mean.tolist() == pytest.approx(expected, abs=1e-4)


def test_of_two_critics_the_lower_one_is_climbed():
    # min(u₁, 0.5 − u₁) is highest at u₁ = 0.25, where each critic alone would go on.
    learner = new("hasac", Bowl(), learning_rate=0.01)
    told(learner.actors[0], -20.0)
    learner.critic = lambda state, u: torch.stack([u[..., 0], 0.5 - u[..., 0]])
    for _ in range(100):
        learner.take_turns(torch.zeros(4, 1), [0], torch.zeros(2))
    assert learner.act(torch.zeros(1, 1), "greedy")[0, 0].item() == pytest.approx(0.25, abs=0.02)


def test_whose_turn_it_is_not_does_not_move(uneven):
    """Nor does Adam's memory of it: zero gradients would move it by their momentum."""
    learner = new("hasac", uneven)
    taught(learner, uneven)
    before = learner.state_dict()
    learner.take_turns(torch.ones(4, 1), [1], torch.ones(3))
    moved = {k.split(".")[0] for k, v in learner.state_dict().items() if not v.equal(before[k])}
    assert moved == {"actors_1", "generator"}


def test_every_agent_has_one_turn_an_update_in_an_order_that_is_drawn(uneven):
    learner = new("hasac", uneven, warmup=99)
    taught(learner, uneven)
    order, orders = [], []
    for i, actor in enumerate(learner.actors):
        actor.climb = lambda *given, i=i, climb=actor.climb: order.append(i) or climb(*given)
    for _ in range(60):
        order.clear()
        learner.update(learner.draw(), at(50))
        orders.append(tuple(order))
    # A given order of the six is missed in 60 draws with probability (5/6)^60 = 2e-5.
    assert all(sorted(each) == [0, 1, 2] for each in orders) and len(set(orders)) == 6


def test_actors_climb_at_the_first_states_of_the_batch(two_step):
    learner, states = new("hasac", two_step, warmup=99, n_groups=3), []
    taught(learner, two_step)
    turns = learner.take_turns
    learner.take_turns = lambda state, *rest: states.append(state) or turns(state, *rest)
    batch = learner.draw()
    learner.update(batch, at(50))
    assert torch.equal(states[0], batch.state[:3]) and not batch.next_state.equal(batch.state)


def test_greedy_agents_play_their_means_and_all_perceive_what_the_team_plays(uneven):
    learner, state = restless(new("hasac", uneven)), torch.randn(4, 1)
    u = learner.act(state, "greedy")
    means = [by_torch(a, state, torch.zeros(4, 1))[0] for a in learner.actors]
    torch.testing.assert_close(u, torch.cat(means, -1))
    with undisturbed(learner):
        perceived = learner.perceive(state, 2000)
    played = learner.act(state.repeat_interleave(2000, 0), "independent").view(4, 2000, 6)
    assert perceived.shape == (3, 4, 2000, 6) and perceived[0].equal(perceived[2])
    for moment in (torch.mean, torch.std):
        one, other = moment(perceived[0], 1), moment(played, 1)
        assert (one - other).abs().max() < 0.15  # five times √(2 / 2000)


# --- temperatures --------------------------------------------------------------------------------


def test_the_temperature_loss_by_hand(uneven):
    # Sizes 1, 3, 2: −(log 2 · (0.5 − 1) + log 3 · (5 − 3) + log 4 · (2 − 2)).
    learner = new("hasac", uneven)
    with torch.no_grad():
        learner.log_alpha.net[0].copy_(torch.tensor([2.0, 3.0, 4.0]).log())
    log_pi = torch.tensor([[[0.0, 1.0]], [[5.0, 5.0]], [[1.0, 3.0]]])
    expected = -(math.log(2) * -0.5 + math.log(3) * 2.0)
    loss = learner.temperature_loss(log_pi)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    (slope,) = torch.autograd.grad(loss, learner.log_alpha.net[0])
    assert slope.tolist() == pytest.approx([0.5, -2.0, 0.0])  # the third has the entropy it needs


def test_a_learned_temperature_rises_for_an_agent_that_is_too_sure(two_step):
    # σ = e⁻⁵ has an entropy of about −3.6, below −1; σ = 1 one of about 0.7. A step is 0.01 long.
    how = {"temperature": "learned", "alpha_final": 0.5, "learning_rate": 0.01}
    learner = new("hasac", two_step, warmup=99, **how)
    taught(learner, two_step)
    for actor, log_std in zip(learner.actors, (-5.0, 0.0), strict=True):
        told(actor, log_std)
    before = learner.alpha(at(50))
    assert learner.update(learner.draw(), at(50))["alpha"] == pytest.approx(before.mean().item())
    change = (learner.alpha(at(50)) / before).log()
    assert change.tolist() == pytest.approx([0.01, -0.01], rel=1e-3)


def test_a_learned_temperature_starts_at_the_final_one_and_hears_no_schedule(two_step):
    learner = new("hasac", two_step, temperature="learned", alpha_final=0.5, schedule="linear")
    for done in (0, 99):
        assert learner.alpha(at(done)).tolist() == pytest.approx([0.5, 0.5])


def test_learned_temperatures_bring_every_entropy_to_minus_its_coordinates():
    # Under exp(−(u − c)² / α) the variance is α / 2 and the entropy ½ log(π e α): −1 at e⁻³ / π.
    learner = new("hasac", Bowl(), temperature="learned", alpha_final=0.05, n_samples=32)
    learner.critic = lambda state, u: Bowl().reward(u).expand(2, *u.shape[:-1])
    for _ in range(1000):
        log_pi = learner.take_turns(torch.zeros(1, 1), [0, 1], learner.alpha(at(0)))
        learner.log_alpha.descend(learner.temperature_loss(log_pi))
    assert learner.alpha(at(0)).tolist() == pytest.approx(2 * [math.exp(-3) / math.pi], rel=0.05)


# --- learning ------------------------------------------------------------------------------------


def boltzmann_moments(center, alpha):
    """Mean and deviation of exp(−(u − c)² / α) on [−1, 1], by quadrature."""
    u = np.linspace(-1, 1, 20001)
    p = np.exp(-((u - center) ** 2) / alpha)
    mean = (p * u).sum() / p.sum()
    return mean, np.sqrt((p * (u - mean) ** 2).sum() / p.sum())


@pytest.mark.parametrize("alpha", [0.02, 0.1])
def test_at_a_fixed_temperature_actors_come_to_the_boltzmann_distribution(alpha):
    """exp(−Σ_i (u_i − c_i)² / α) is a product of the agents' own laws."""
    game = Bowl()
    how = {"schedule": "constant", "alpha_final": alpha, "n_groups": 1, "n_samples": 64}
    learner = new("hasac", game, small=False, hidden=(32, 32), batch_size=64, **how)
    state, over = torch.zeros(64, 1), torch.ones(64, dtype=torch.bool)
    generator, moments = torch.Generator().manual_seed(0), []
    for step in range(1000):
        u = 2 * torch.rand(64, 2, generator=generator) - 1
        learner.update(rows(state, u, game.reward(u), state, over, weight=torch.zeros(64)), at(0))
        if step >= 700 and step % 10 == 0:
            u = learner.act(torch.zeros(4000, 1), "explore")
            moments.append(torch.stack([u.mean(0), u.std(0)]))
    mean, std = torch.stack(moments).mean(0).tolist()
    for i, center in enumerate((0.3, -0.2)):
        assert (mean[i], std[i]) == pytest.approx(boltzmann_moments(center, alpha), abs=0.02)


@pytest.mark.parametrize("temperature", ["scheduled", "learned"])
def test_a_team_goes_together_where_nobody_gains_by_going_alone(temperature):
    # Both at 1 earn 1, staying earns 0; one alone at 0.5 would earn 0.25 − 4 · 0.25 = −0.75.
    how = {"schedule": "constant", "alpha_final": 0.05, "temperature": temperature}
    learner = new("hasac", Together(), small=False, hidden=(32, 32), batch_size=128, **how)
    trained(learner, Together(), 800)
    assert earned(Together(), learner, "greedy", 1) > 0.75
