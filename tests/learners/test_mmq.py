import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from teams import at, earned, new, played, rows, taught, trained

from svnr.experiments.catalogue import resolved
from svnr.games.differential import max_of_three
from svnr.games.game import Game
from svnr.learners.learner import undisturbed
from svnr.learners.mmq import pinball_slope
from svnr.networks.mlp import beside


def transitions(state, u, reward, next_state, weight):
    """Rows that go on where their weight is above 0."""
    return rows(state, u, reward, next_state, weight == 0, weight=weight)


def random_rows(n, state_size=2, width=2, weight=0.9, seed=0):
    """Transitions of a game that leads anywhere."""
    draw = torch.Generator().manual_seed(seed)
    state, next_state = torch.randn(2, n, state_size, generator=draw)
    u = 2 * torch.rand(n, width, generator=draw) - 1
    reward = torch.randn(n, generator=draw)
    return transitions(state, u, reward, next_state, torch.full((n,), weight))


def say(model, outputs):
    """Let network i of a model say outputs[i], whatever it is asked."""
    model.load_state_dict({k: torch.zeros_like(v) for k, v in model.state_dict().items()})
    model.net.biases[-1].copy_(torch.tensor(outputs).unsqueeze(1))


# --- the models ----------------------------------------------------------------------------------


def test_the_slope_of_the_pinball_loss_by_hand():
    # ρ_0.05(e): 0.05 e above the forecast, −0.95 e below; what lies above pulls it up by 0.05.
    slope = pinball_slope(torch.tensor([3.0, 0.1, -0.1, -7.0]), 0.05)
    assert slope.tolist() == pytest.approx([0.05, 0.05, -0.95, -0.95])


def test_the_slope_of_the_pinball_loss_is_autograds():
    forecast = torch.randn(50, requires_grad=True)
    error, tau = torch.randn(50) - forecast, torch.rand(50)
    loss = torch.maximum(tau * error, (tau - 1) * error).sum()
    (expected,) = torch.autograd.grad(-loss, forecast)
    torch.testing.assert_close(pinball_slope(error.detach(), tau), expected)


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=40, unique=True), st.floats(0.02, 0.98))
def test_the_pinball_loss_is_least_at_numpys_quantile_of_a_sample(sample, tau):
    # A little below it the slope leads up, a little above it down.
    sample = np.array(sample)
    best = np.quantile(sample, tau, method="inverted_cdf")
    below, above = np.nextafter(best, -10), np.nextafter(best, 10)
    up, down = (
        pinball_slope(torch.tensor(sample - each), tau).mean().item() for each in (below, above)
    )
    assert up >= -1e-6 and down <= 1e-6


def test_the_models_come_to_the_quantiles_of_the_increment_and_to_the_mean_reward(two_step):
    """Where all rows have one state and action, against numpy's quantiles of what followed."""
    learner = new("mmq", two_step, hidden=(32,), learning_rate=0.003, quantile=0.1)
    draw = torch.Generator().manual_seed(0)
    moves = torch.randn(400, 2, generator=draw) * torch.tensor([1.0, 3.0])
    state, u = torch.full((400, 2), 2.0), torch.full((400, 2), 0.5)
    reward = torch.randn(400, generator=draw) + 4
    batch = transitions(state, u, reward, state + moves, torch.ones(400))
    for _ in range(1500):
        learner.fit_models(batch)
    inputs = torch.cat([state, u * torch.tensor([1.0, 0.0])], -1)[:1].expand(4, 1, 4)
    found = learner.bounds(inputs)[[0, 2], 0]  # of agent 0
    expected = np.quantile(moves.numpy(), [0.1, 0.9], axis=0)
    assert found.numpy() == pytest.approx(expected, abs=0.2)
    seen = torch.cat([state, u * torch.tensor([1.0, 0.0]), state + moves], -1).expand(2, 400, 6)
    assert learner.rewards(seen)[0].mean().item() == pytest.approx(reward.mean().item(), abs=0.1)


def test_each_model_goes_down_its_own_loss_as_autograd_finds_it(two_step):
    """Σ_d E ρ_τ(s′_d − s_d − out_d), and E ½ (r − r̂)², agent by agent and bound by bound."""
    learner, batch = new("mmq", two_step, quantile=0.2), random_rows(16)
    bounds, rewards = learner.bounds.net, learner.rewards.net
    loss = torch.zeros(())
    for net in (bounds, rewards):
        net.requires_grad_(True)
    for i in range(2):
        own = batch.u * torch.eye(2)[i]
        seen = torch.cat([batch.state, own], -1)
        for tau, place in ((0.2, i), (0.8, 2 + i)):
            error = batch.next_state - batch.state - bounds(seen.expand(4, 16, 4))[place]
            loss = loss + torch.maximum(tau * error, (tau - 1) * error).sum(-1).mean()
        forecast = rewards(torch.cat([seen, batch.next_state], -1).expand(2, 16, 6))[i, :, 0]
        loss = loss + 0.5 * (batch.reward - forecast).square().mean()
    parts = [*bounds.parameters(), *rewards.parameters()]
    expected = torch.cat([each.flatten() for each in torch.autograd.grad(loss, parts)])
    learner.fit_models(batch)
    found = torch.cat([learner.bounds.mean, learner.rewards.mean])
    torch.testing.assert_close(found, 0.1 * expected, atol=1e-6, rtol=1e-4)


# --- candidates ----------------------------------------------------------------------------------


def test_candidates_are_uniform_between_the_bounds_coordinate_by_coordinate(two_step):
    # Agent 0: s + [−1, 3] and s + [0, 1]; agent 1: bounds that have crossed, s + [0, 2] and s.
    learner = new("mmq", two_step, n_candidates=4000)
    say(learner.bounds, [[-1.0, 0.0], [2.0, 0.0], [3.0, 1.0], [0.0, 0.0]])
    found = learner.candidates(torch.tensor([[10.0, 20.0]]), torch.zeros(2, 1, 2))[:, 0]
    assert found.shape == (2, 4000, 2)
    low, high = (
        torch.tensor([[9.0, 20.0], [10.0, 20.0]]),
        torch.tensor([[13.0, 21.0], [12.0, 20.0]]),
    )
    torch.testing.assert_close(found.amin(1), low, atol=0.01, rtol=0)
    torch.testing.assert_close(found.amax(1), high, atol=0.01, rtol=0)
    torch.testing.assert_close(found.mean(1), (low + high) / 2, atol=0.07, rtol=0)
    assert abs(torch.corrcoef(found[0].T)[0, 1].item()) < 0.05


def test_agents_and_rows_draw_candidates_of_their_own(two_step):
    learner = new("mmq", two_step)
    say(learner.bounds, [[0.0, 0.0]] * 2 + [[1.0, 1.0]] * 2)
    found = learner.candidates(torch.zeros(5, 2), torch.zeros(2, 5, 2))
    assert len(found.flatten().unique()) == 2 * 5 * learner.settings.n_candidates * 2


# --- the target ----------------------------------------------------------------------------------


def scripted(game, **settings):
    """r̂ = 10 ŝ_0 and V′ = ŝ_1 (for agent 1 as much again), so that targets go by hand."""
    learner = new("mmq", game, **settings)
    learner.rewards = lambda x: 10 * x[..., 4:5]  # of (s, u, ŝ), two each
    value = torch.tensor([[1.0], [2.0]])
    learner.critic.slow_apart = lambda state, u: value * state[..., 1]
    learner.next_value = lambda state: value * state[:, 1]
    return learner


def test_the_target_is_the_largest_of_what_candidates_and_the_real_next_state_promise(two_step):
    # Row 0, weight ½: real 1 + ½ · (4, 8) = (3, 5); candidates (0.2, 4), (0.3, 1), (0, 0):
    #   agent 0: 2 + 2, 3 + ½, 0: 4; agent 1: 2 + 4, 3 + 1, 0: 6.
    # Row 1, weight ¼: real 7 + ¼ · (8, 16) = (9, 11); the same candidates: at most (3.25, 4).
    learner = scripted(two_step)
    ahead = torch.tensor([[0.2, 4.0], [0.3, 1.0], [0.0, 0.0]]).expand(2, 2, 3, 2)
    learner.candidates = lambda state, own: ahead
    next_state, reward = torch.tensor([[9.0, 4.0], [9.0, 8.0]]), torch.tensor([1.0, 7.0])
    weight = torch.tensor([0.5, 0.25])
    batch = transitions(torch.zeros(2, 2), torch.zeros(2, 2), reward, next_state, weight)
    torch.testing.assert_close(learner.target(batch), torch.tensor([[4.0, 9.0], [6.0, 11.0]]))


def test_beyond_a_terminated_row_there_is_no_value_but_its_reward_may_have_been_better(two_step):
    # Candidates would be worth 1e6; r̂ = 2 beats r = 1 in row 0, but not r = 7 in row 1.
    learner = scripted(two_step)
    learner.candidates = lambda state, own: torch.tensor([0.2, 1e6]).expand(2, 2, 3, 2)
    reward, ended = torch.tensor([1.0, 7.0]), torch.zeros(2)
    batch = transitions(torch.zeros(2, 2), torch.zeros(2, 2), reward, torch.ones(2, 2), ended)
    torch.testing.assert_close(learner.target(batch), torch.tensor([[2.0, 7.0], [2.0, 7.0]]))


@pytest.mark.parametrize(("ahead", "promised"), [((0.1, 90.0), 3.0), ((9.0, 0.0), 5.0)])
def test_no_promise_outside_what_the_game_can_pay_is_believed(two_step, ahead, promised):
    # Within (−2, 5), weight 0.4: r̂ = 1 and V = 90 is 1 + 0.4 · 5 = 3; r̂ = 90 and V = 0 is 5.
    two_step.return_bounds = (-2.0, 5.0)
    learner = scripted(two_step)
    batch = random_rows(1, weight=0.4)
    own = torch.zeros(2, 1, 2)
    found = learner.promised(batch, own, torch.tensor(ahead).expand(2, 1, 3, 2))
    assert found.tolist() == [pytest.approx([promised])] * 2


def test_what_candidates_promise_by_loops_from_the_page(two_step):
    """r̂_i(s, u_i, ŝ) + γᵏ Q′_i(ŝ, μ′_i(ŝ)), agent by agent, row by row, candidate by candidate."""
    learner, batch = new("mmq", two_step, n_candidates=4), random_rows(5, weight=0.7)
    taught(learner, two_step, n_steps=6)  # targets and networks part
    with undisturbed(learner):
        found = learner.target(batch)
    own = torch.stack([batch.u * torch.eye(2)[i] for i in range(2)])
    ahead = learner.candidates(batch.state, own)
    actors, critics = learner.actors.actors.target, learner.critic.values.target
    for i in range(2):
        for b in range(5):

            def value(state, i=i):
                u = torch.tanh(one(actors, i, state, torch.tanh)) * torch.eye(2)[i]
                return one(critics, i, torch.cat([state, u]))

            promises = [batch.reward[b] + 0.7 * value(batch.next_state[b])]
            for state in ahead[i, b]:
                seen = torch.cat([batch.state[b], own[i, b], state])
                promises.append(one(learner.rewards.net, i, seen) + 0.7 * value(state))
            assert found[i, b].item() == pytest.approx(max(promises).item(), abs=1e-5)


def one(net, i, x, unit=torch.relu):
    """What network i of a stack says to one row, layer by layer."""
    for weight, bias in zip(net.weights[:-1], net.biases[:-1], strict=True):
        x = unit(x @ weight[i] + bias[i, 0])
    return x @ net.weights[-1][i] + net.biases[-1][i, 0]


def test_an_agents_target_knows_nothing_of_its_partners_actions(two_step):
    learner, batch = new("mmq", two_step), random_rows(6)
    with undisturbed(learner):
        before = learner.target(batch)
    batch.u[:, 1] = -batch.u[:, 1]
    after = learner.target(batch)
    assert torch.equal(before[0], after[0]) and not torch.equal(before[1], after[1])


def test_without_candidates_it_is_the_ordinary_target(two_step):
    learner, batch = new("mmq", two_step, n_candidates=0), random_rows(6)
    expected = batch.reward + 0.9 * learner.next_value(batch.next_state)
    torch.testing.assert_close(learner.target(batch), expected)


def test_returns_of_two_steps_teach_the_models_the_jump_of_two(two_step):
    # Of two steps, each an end within two: r_0 + γ r_1 comes with the last state, as r_1 does.
    learner, found = new("mmq", two_step, n_steps=2, update_every=99), []
    learner.fit_models = found.append
    first, second = played(two_step, n_steps=2)
    for each in (first, second):
        learner.memory.add(each)
    learner.update(learner.draw(), at(1))
    (batch,) = found
    begun = batch.state[:, 0] == 0
    assert bool(begun.any())
    assert torch.equal(batch.next_state, second.next_state.expand(16, 2))
    expected = first.reward + 0.95 * second.reward
    torch.testing.assert_close(batch.reward[begun], expected.expand(int(begun.sum())))
    assert not bool(batch.weight.any())


# --- learning ------------------------------------------------------------------------------------


def test_an_update_is_so_many_steps_of_the_critics_and_one_of_all_else(two_step):
    learner = new("mmq", two_step, critic_steps=3, n_rows=5)
    sizes, learn = [], learner.critic.learn
    learner.critic.learn = lambda *rows: sizes.append([len(x) for x in rows[:2]]) or learn(*rows)
    learner.update(random_rows(16), at(1))
    parts = (learner.critic.values, learner.actors.actors, learner.bounds, learner.rewards)
    assert [int(part.steps) for part in parts] == [3, 1, 1, 1]
    assert sizes == [[5, 5]] * 3


def hope(game, alike):
    """How far apart the bounds come to lie, and what candidates add to the target, on average.

    s′ is s plus the sum of both actions: of partners that act alike, or each for itself.
    """
    learner = new("mmq", game, hidden=(16,), n_candidates=15, learning_rate=0.01)
    batch = random_rows(1024)
    u = batch.u[:, :1].expand(-1, 2) if alike else batch.u
    total = u.sum(-1, keepdim=True)
    batch = transitions(batch.state, u, total[:, 0], batch.state + total, batch.weight)
    for _ in range(600):
        learner.fit_models(batch)
    seen = beside(batch.state, learner._own(u)).repeat(2, 1, 1)
    lower, upper = learner.bounds(seen).chunk(2)
    more = learner.target(batch) - learner.bootstrapped(batch, learner.next_value)
    return (upper - lower).mean().item(), more.mean().item()


def test_where_a_state_follows_from_the_own_action_hope_adds_nothing(two_step):
    # Of a partner's action in [−1, 1], 90 % lie within a width of 1.8.
    width, more = hope(two_step, alike=True)
    assert abs(width) < 0.1 and 0 <= more < 0.05
    width, more = hope(two_step, alike=False)
    assert width == pytest.approx(1.8, abs=0.2) and more > 0.4


class Meeting(Game):
    """Two agents choose where to meet, at once; a step later they are paid by how that went.

    x = mean(u) − 2 |u_1 − u_2|: highest at 1, where both meet at 1. A partner that acts uniformly
    is missed by E |u_1 − u_2| = (1 + u_1²) / 2, so on average u_1 / 2 − 1 − u_1² is best at ¼.
    """

    name = "meeting"
    action_sizes = (1, 1)
    state_size = 2
    horizon = 2

    def _begin(self, copies, seed):
        return {"state": torch.zeros(len(copies), 2)}

    def _play(self, now, u, running):
        first, paid = now["state"][:, 0] == 0, now["state"][:, 1]
        x = u.mean(-1) - 2 * (u[:, 0] - u[:, 1]).abs()
        state = torch.stack([torch.ones_like(x), x], -1)
        return torch.where(first, 0.0, paid), {"state": state, "terminated": ~first}


@pytest.mark.parametrize(("n_candidates", "finds_it"), [(15, True), (0, False)])
def test_hope_leaves_the_trap_that_averages_fall_into(n_candidates, finds_it):
    """Both learn from the same uniform play; only the target differs."""
    told = {"hidden": (32, 32), "batch_size": 128, "random_steps": 10_000}
    learner = new("mmq", Meeting(), small=False, n_candidates=n_candidates, **told)
    u = trained(learner, Meeting(), 600).act(torch.zeros(1, 2), "greedy")
    assert bool((u > 0.8).all()) == finds_it and bool((u < 0.6).all()) == (not finds_it)
    assert (earned(Meeting(), learner, "greedy", 1) > 0.8) == finds_it


# --- games it does not play ----------------------------------------------------------------------


def test_a_game_of_one_step_is_refused_before_anything_is_run():
    wanted = r"game must be one of several steps for MMQ, .* got max_of_three_2\.0 of one step"
    with pytest.raises(ValueError, match=wanted):
        new("mmq", max_of_three(2.0))
    with pytest.raises(ValueError, match=wanted):
        resolved("mmq", "max_of_three_2.0", {})
    with pytest.raises(ValueError, match="game must be one of several steps"):
        resolved("mmq", "climbing", {})
