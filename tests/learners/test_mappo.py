import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from teams import UnevenGame, at, earned, new, played, taught, trained
from torch.distributions import Independent, Normal

from svnr.experiments.catalogue import learner_class, make_game
from svnr.experiments.specs import run_spec
from svnr.games.game import Game
from svnr.games.gather import particle_gather
from svnr.learners.learner import undisturbed
from svnr.learners.mappo import (
    MAPPOSettings,
    clipped_error,
    clipped_surrogate,
    generalised_advantage,
    standardised,
)
from svnr.learners.memory import Transitions

# --- advantages ----------------------------------------------------------------------------------


def by_the_definition(reward, value, following, terminated, truncated, discount, gae_lambda):
    """Σ_l (γλ)^l δ_{t+l} from each step of each copy to the end of its episode, or the rollout."""
    found = torch.zeros_like(reward)
    n_steps, n_copies = reward.shape
    for copy in range(n_copies):
        for start in range(n_steps):
            for t in range(start, n_steps):
                beyond = 0.0 if terminated[t, copy] else discount * following[t, copy]
                error = reward[t, copy] + beyond - value[t, copy]
                found[start, copy] += (discount * gae_lambda) ** (t - start) * error
                if terminated[t, copy] or truncated[t, copy]:
                    break
    return found


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 12), st.integers(1, 4), st.integers(0, 10**6), st.data())
def test_advantages_are_those_of_the_definition(n_steps, n_copies, seed, data):
    generator = torch.Generator().manual_seed(seed)
    reward, value, following = torch.randn(
        3, n_steps, n_copies, dtype=torch.double, generator=generator
    )
    ends = torch.randint(4, (n_steps, n_copies), generator=generator)
    how = (
        data.draw(st.sampled_from([0.0, 0.5, 1.0])),
        data.draw(st.sampled_from([0.0, 0.9, 1.0])),
    )
    given_ = (reward, value, following, ends == 0, ends == 1, *how)
    torch.testing.assert_close(generalised_advantage(*given_), by_the_definition(*given_))


def test_advantages_by_hand_at_ends_of_both_kinds():
    # γ = ½ and λ = ½, so that ¼ is carried; V(s) = 1 and V(s′) = 2 everywhere: δ = r + 1 − 1 = r,
    # and r − 1 where the episode terminates.
    # Copy 0 pays 1, 2, 4, terminates at the second: 1 + ¼ · 1 = 1.25, 2 − 1 = 1, 4.
    # Copy 1 pays 8, 16, 32, is cut off at the first: 8, 16 + ¼ · 32 = 24, 32.
    reward = torch.tensor([[1.0, 8.0], [2.0, 16.0], [4.0, 32.0]])
    one, never = torch.ones(3, 2), torch.zeros(3, 2, dtype=torch.bool)
    terminated, truncated = never.clone(), never.clone()
    terminated[1, 0] = truncated[0, 1] = True
    found = generalised_advantage(reward, one, 2 * one, terminated, truncated, 0.5, 0.5)
    assert found.tolist() == [[1.25, 8.0], [1.0, 24.0], [4.0, 32.0]]


def test_with_lambda_one_and_no_end_it_is_the_return_less_the_value():
    # 1 + ½ · 2 + ¼ · 4 + ⅛ · 10 (what V says lies beyond) = 4.25, less V(s₀) = 3.
    reward, value = torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([[3.0], [5.0], [7.0]])
    following = torch.tensor([[5.0], [7.0], [10.0]])
    never = torch.zeros(3, 1, dtype=torch.bool)
    found = generalised_advantage(reward, value, following, never, never, 0.5, 1.0)
    assert found[0].item() == pytest.approx(1.25)


def test_standardised_by_hand():
    # 1, 3 and 8: mean 4, variance (9 + 1 + 16) / 3.
    found = standardised(torch.tensor([1.0, 3.0, 8.0]))
    expected = [each / (26 / 3) ** 0.5 for each in (-3, -1, 4)]
    assert found.tolist() == pytest.approx(expected, rel=1e-4)
    assert standardised(torch.tensor([2.0])).tolist() == [0.0]


# --- the two losses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "advantage", "surrogate", "slope"),
    [
        (1.0, 2.0, 2.0, 2.0),  # within the clip: r Â
        (1.1, 2.0, 2.2, 2.0),
        (1.5, 2.0, 2.4, 0.0),  # a good action made likelier than 1.2 times: no more of it
        (0.5, 2.0, 1.0, 2.0),  # a good action made rarer: all the way back
        (0.5, -2.0, -1.6, 0.0),  # a bad action made rarer than 0.8 times: no more of it
        (1.5, -2.0, -3.0, -2.0),  # a bad action made likelier: all the way back
    ],
)
def test_the_surrogate_and_its_slope_by_hand(ratio, advantage, surrogate, slope):
    r = torch.tensor(ratio, requires_grad=True)
    found = clipped_surrogate(r, torch.tensor(advantage), 0.2)
    assert found.item() == pytest.approx(surrogate)
    assert torch.autograd.grad(found, r)[0].item() == pytest.approx(slope)


@pytest.mark.parametrize(
    ("value", "error", "slope"),
    [
        # V_old = 1, R = 3, ε = ½, δ = 1: Huber's loss is e²/2 up to 1, then |e| − ½.
        (1.25, 1.25, -1.0),  # |3 − 1.25| − ½
        (2.5, 1.0, 0.0),  # of V its own ½ · ½², of V_clip = 1.5 |1.5| − ½: gone far enough
        (0.0, 2.5, -1.0),  # went the wrong way: V's own, 3 − ½, over V_clip's 2.5 − ½
        (7.0, 3.5, 1.0),  # went too far: V's own, 4 − ½, over V_clip's 1
    ],
)
def test_the_critics_loss_and_its_slope_by_hand(value, error, slope):
    v = torch.tensor(value, requires_grad=True)
    found = clipped_error(v, torch.tensor(1.0), torch.tensor(3.0), 0.5, 1.0)
    assert found.item() == pytest.approx(error)
    assert torch.autograd.grad(found, v)[0].item() == pytest.approx(slope)


# --- what a rollout teaches ----------------------------------------------------------------------


def learner_and_rollout(game, n_copies=3, n_steps=4, **changes):
    """A learner, and the rows that it is about to learn from: its own, drawn and clipped."""
    how = {"rollout_steps": 999, "std": 1.0, **changes}
    learner = new("mappo", game, **how)
    state = game.reset(n_copies, 0)
    for _ in range(n_steps):
        u = learner.act(state, "explore")
        step = game.step(u)
        over = step.terminated | step.truncated
        learner.observe(Transitions(state, u, *vars_of(step)), at(0))
        state = game.restart(over, 0)
    return learner, learner.memory.rows()


def vars_of(step):
    return step.reward, step.state, step.terminated, step.truncated


def test_at_ratio_one_the_surrogates_gradient_is_the_policy_gradient(uneven):
    """Before the first step: ∇ −Σ_i E[Â log π_i(z_i | s)] − c ∇ Σ_d log σ_d, by torch's normal."""
    learner, rollout = learner_and_rollout(uneven, entropy_weight=0.3)
    lesson, actors = learner.lesson(rollout), learner.actors.net
    found = torch.autograd.grad(learner.actor_loss(lesson), list(actors.parameters()))
    loss = -0.3 * actors.log_std.sum()
    for i, own in enumerate((slice(0, 1), slice(1, 4), slice(4, 6))):
        mean = actors.means(lesson.state.expand(3, -1, -1))[i, :, own]
        law = Independent(Normal(mean, actors.log_std[own].exp()), 1)
        log_pi = law.log_prob(lesson.drawn[:, own])
        torch.testing.assert_close(lesson.log_density[:, i], log_pi.detach())
        loss = loss - (lesson.advantage * log_pi).mean()
    expected = torch.autograd.grad(loss, list(actors.parameters()))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_the_entropy_in_the_loss_is_the_policies(uneven):
    learner, rollout = learner_and_rollout(uneven, std=0.7)
    lesson = learner.lesson(rollout)
    with torch.no_grad():
        without = learner.actor_loss(lesson)
        object.__setattr__(learner.settings, "entropy_weight", 1.01)
        paid = without - learner.actor_loss(lesson)
    law = Independent(Normal(torch.zeros(6), torch.full((6,), 0.7)), 1)
    assert paid.item() == pytest.approx(law.entropy().item(), rel=1e-4)


def test_the_critics_loss_of_a_rollout_row_by_row(two_step):
    """After its bias rose by ½ every V is V_old + ½, of which the clip of 0.2 lets 0.2 pass."""
    learner, rollout = learner_and_rollout(two_step, huber_delta=1.0)
    lesson = learner.lesson(rollout)
    with torch.no_grad():
        learner.critic.net.biases[-1] += 0.5

    def huber(error):
        return error**2 / 2 if abs(error) <= 1 else abs(error) - 0.5

    pairs = zip(lesson.value.tolist(), lesson.target.tolist(), strict=True)
    each = [max(huber(r - (v + 0.5)), huber(r - (v + 0.2))) for v, r in pairs]
    assert learner.critic_loss(lesson).item() == pytest.approx(sum(each) / 12, rel=1e-4)


def test_adams_epsilon_is_beside_a_small_gradient(uneven):
    """Where nothing is earned the entropy alone moves σ: lr · g / (g + 1e-5), g = 1e-5."""
    once = {"rollout_steps": 4, "epochs": 1, "n_minibatches": 1}
    learner = new("mappo", uneven, entropy_weight=1e-5, learning_rate=0.01, **once)
    with torch.no_grad():
        for parameter in learner.critic.net.parameters():
            parameter.zero_()
    before = learner.actors.net.log_std.tolist()
    state, ended = torch.ones(4, 1), torch.ones(4, dtype=torch.bool)
    u = learner.act(state, "explore")
    learner.observe(Transitions(state, u, torch.zeros(4), state, ended, ~ended), at(0))
    moved = learner.actors.net.log_std.detach() - torch.tensor(before)
    assert moved.tolist() == pytest.approx([0.005] * 6, rel=1e-3)


def test_an_agent_climbs_by_its_own_ratio_alone(uneven):
    """Agent 1 has moved so far that all it did is clipped: it has no slope, the others have."""
    learner, rollout = learner_and_rollout(uneven)
    lesson, actors = learner.lesson(rollout), learner.actors.net
    good = lesson.advantage > 0
    lesson = lesson.rows(good)
    with torch.no_grad():
        lesson.log_density[:, 1] -= 1.0  # the action is e times likelier than it was
    slopes = torch.autograd.grad(learner.actor_loss(lesson), list(actors.means.parameters()))
    for slope in slopes:
        assert [bool(slope[i].any()) for i in range(3)] == [True, False, True]


def test_the_probability_is_that_of_the_action_as_it_was_drawn(uneven):
    """σ = 1 reaches past the box: what is kept is what was drawn, what is played is clipped."""
    learner, rollout = learner_and_rollout(uneven, n_copies=50)
    outside = rollout.note.abs() > 1
    assert 0.2 < outside.float().mean() < 0.45  # 0.32 of a standard normal
    assert torch.equal(rollout.note.clamp(-1, 1), rollout.u)
    assert torch.equal(learner.lesson(rollout).drawn, rollout.note.flatten(0, 1))


def test_targets_are_returns_by_hand(two_step):
    """λ = 1 in episodes of two steps: r₁ + γ r₂ and r₂, whatever V says, normalised."""
    learner, rollout = learner_and_rollout(two_step, gae_lambda=1.0, discount=0.5)
    reward = rollout.reward.view(2, 2, 3)  # two episodes of two steps, three copies
    returns = torch.stack([reward[:, 0] + 0.5 * reward[:, 1], reward[:, 1]], 1).flatten()
    lesson = learner.lesson(rollout)
    expected = (returns - returns.mean()) / returns.std(unbiased=False)
    torch.testing.assert_close(lesson.target, expected, rtol=1e-4, atol=1e-4)
    value = 0.1 * lesson.value  # before any return was seen V speaks in tenths
    advantage = standardised(returns - value)
    torch.testing.assert_close(lesson.advantage, advantage, rtol=1e-4, atol=1e-4)


class Corridor(Game):
    """One agent walks for `horizon` steps; the state counts them, each pays 1."""

    name, action_sizes, state_size = "corridor", (1,), 2

    def __init__(self, horizon, ends):
        self.horizon, self.ends = horizon, ends

    def _begin(self, copies, seed):
        return {"state": torch.zeros(len(copies), 2)}

    def _play(self, now, u, running):
        state = now["state"] + torch.tensor([1.0, 0.0])
        over = (state[:, 0] == self.horizon) & self.ends
        return torch.ones(len(u)), {"state": state, "terminated": over}


@pytest.mark.parametrize("ends", [True, False])
def test_values_that_were_learned_bootstrap_where_the_clock_cuts_off_and_nowhere_else(ends):
    """V(s′) says 7 everywhere: after the last of two steps γ 7 is to come, or nothing."""
    learner, rollout = learner_and_rollout(Corridor(2, ends), discount=0.5, gae_lambda=1.0)
    with torch.no_grad():
        for parameter in learner.critic.net.parameters():
            parameter.zero_()
        learner.critic.net.biases[-1].fill_(70.0)  # a tenth of it, before any return was seen
    found = learner.lesson(rollout)
    target = learner.value_norm.denormalize(found.target).view(4, 3)
    last = 1.0 if ends else 1.0 + 0.5 * 7.0
    expected = torch.tensor([1.0 + 0.5 * last, last] * 2)
    torch.testing.assert_close(target, expected.unsqueeze(-1).expand(4, 3), rtol=1e-4, atol=1e-4)


def test_the_epochs_hold_what_was_said_before_the_first(two_step):
    """Old values, probabilities and targets are those of the networks as the rollout met them."""
    learner, rollout = learner_and_rollout(two_step, epochs=3, n_minibatches=2)
    with undisturbed(learner):
        before = learner.lesson(rollout)
    learner.load_state_dict(new("mappo", two_step, rollout_steps=999, std=1.0).state_dict())
    seen, loss = [], learner.actor_loss

    def spy(rows):
        seen.append(rows)
        return loss(rows)

    learner.actor_loss = spy
    learner.update(rollout)
    assert [len(rows.target) for rows in seen] == [6] * 6  # 12 rows in two halves, three times
    for epoch in zip(seen[::2], seen[1::2], strict=True):
        for name in ("log_density", "value", "target", "advantage"):
            met = torch.cat([getattr(rows, name) for rows in epoch]).sort(0).values
            torch.testing.assert_close(met, getattr(before, name).sort(0).values)


def test_turned_rows_are_those_of_the_turned_policies():
    """A quarter turn takes (x, y) to (−y, x): the x-agent then does what the y-agent did.

    So its density at the turned row is the y-agent's at the row as it was played.
    """
    game = particle_gather(random_starts=True)
    learner, rollout = learner_and_rollout(game, 40, 2, use_symmetries=True, input_norm=False)
    lesson, maps = learner.lesson(rollout), game.symmetries()
    turned = learner.turned(lesson, rollout)
    found = []
    for row in range(80):
        states = maps.state @ lesson.state[row]
        found.append((states - turned.state[row]).abs().sum(-1).argmin().item())
        torch.testing.assert_close(turned.state[row], states[found[-1]])
        torch.testing.assert_close(turned.drawn[row], maps.u[found[-1]] @ lesson.drawn[row])
    assert set(found) == set(range(8))
    rows, agents = torch.tensor(found) == 1, [1, 0, 3, 2]
    assert torch.equal(turned.log_density[rows], lesson.log_density[rows][:, agents])
    for name in ("advantage", "value", "target"):
        assert torch.equal(getattr(turned, name), getattr(lesson, name))


@pytest.mark.parametrize("use", [False, True])
def test_every_epoch_turns_its_rows_anew_if_the_settings_say_so(use):
    """Of what the first particle was pushed by, turning changes signs and places, no sizes."""
    how = {"epochs": 2, "n_minibatches": 1, "use_symmetries": use, "input_norm": False}
    learner, rollout = learner_and_rollout(particle_gather(), 20, 1, **how)
    seen, loss = [], learner.actor_loss
    learner.actor_loss = lambda rows: seen.append(rows.drawn[:, :2].sort(0).values) or loss(rows)
    learner.update(rollout)
    own = rollout.note[0, :, :2].sort(0).values
    assert [torch.equal(each, own) for each in seen] == [not use] * 2
    assert torch.equal(seen[0], seen[1]) is not use
    pairs = [each.abs().flatten().sort().values for each in (own, *seen)]
    assert torch.equal(pairs[0], pairs[1]) and torch.equal(pairs[0], pairs[2])


def test_rows_stay_rows_when_they_are_shuffled(two_step):
    learner, rollout = learner_and_rollout(two_step)
    lesson = learner.lesson(rollout)
    chosen = torch.tensor([5, 0, 7])
    rows = lesson.rows(chosen)
    for at_row, row in enumerate(chosen.tolist()):
        for name in ("state", "drawn", "log_density", "advantage", "value", "target"):
            assert torch.equal(getattr(rows, name)[at_row], getattr(lesson, name)[row])


def test_long_gradients_of_actors_and_of_the_critic_are_shortened(two_step):
    # After one step Adam's mean is 0.1 · gradient: at most a tenth of the norm that is allowed.
    for norm, cut in ((1e-3, True), (1e3, False)):
        once = {"rollout_steps": 4, "epochs": 1, "n_minibatches": 1}
        learner = new("mappo", two_step, max_gradient_norm=norm, **once)
        taught(learner, two_step, n_steps=4)
        for part in (learner.actors, learner.critic):
            assert (part.mean.norm().item() == pytest.approx(0.1 * norm, rel=1e-3)) == cut


# --- when it learns, and its state ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_copies", "learned"),
    [(1, [4, 9]), (2, [2, 5, 8]), (3, [1, 3, 5, 7, 9]), (7, list(range(10)))],
)
def test_it_learns_as_soon_as_all_copies_together_have_taken_so_many_steps(
    two_step, n_copies, learned
):
    learner = new("mappo", two_step, rollout_steps=5)
    rows = played(two_step, n_copies, 10)
    found = [bool(learner.observe(each, at(0))) for each in rows]
    assert [step for step, did in enumerate(found) if did] == learned
    assert not weights_moved_between(learned, two_step, n_copies)


def weights_moved_between(learned, game, n_copies):
    """Steps that moved a weight though nothing was told of it."""
    learner, moved = new("mappo", game, rollout_steps=5), []
    for step, each in enumerate(played(game, n_copies, 10)):
        before = learner.critic.state_dict()["net.weights.0"].clone()
        learner.observe(each, at(0))
        if not torch.equal(before, learner.critic.state_dict()["net.weights.0"]):
            moved.append(step)
    return [step for step in moved if step not in learned]


def test_a_rollout_is_by_default_64_episodes_and_4000_steps_at_most(uneven, two_step):
    found = [
        MAPPOSettings().fitted_to(game).rollout_steps
        for game in (uneven, two_step, Corridor(1000, True))
    ]
    assert found == [64, 128, 4000]
    assert MAPPOSettings(rollout_steps=7).fitted_to(uneven).rollout_steps == 7


def test_more_minibatches_than_rows_are_refused(uneven):
    wanted = "n_minibatches must be at most the rollout_steps of 64, got 65"
    with pytest.raises(ValueError, match=wanted):
        new("mappo", uneven, small=False, n_minibatches=65)


@pytest.mark.parametrize("stop", range(1, 9))
def test_saved_anywhere_in_a_rollout_it_goes_on_as_if_nothing_had_happened(two_step, stop):
    """Rollouts of 5 rows of two copies: some stops are in the middle of one, some between two."""

    def play(learner, state, n_steps):
        acted = []
        for _ in range(n_steps):
            u = learner.act(state, "explore")
            step = two_step.step(u)
            learner.observe(Transitions(state, u, *vars_of(step)), at(0))
            state = two_step.restart(step.terminated, 0)
            acted.append(u)
        return state, acted

    whole, copy = (new("mappo", two_step, seed=seed, rollout_steps=5) for seed in (0, 99))
    state, _ = play(whole, two_step.reset(2, 0), stop)
    copy.load_state_dict({name: part.clone() for name, part in whole.state_dict().items()})
    game = two_step.state_dict()
    _, expected = play(whole, state, 7)
    two_step.load_state_dict(game)
    _, found = play(copy, state, 7)
    assert all(map(torch.equal, found, expected))
    one, other = whole.state_dict(), copy.state_dict()
    assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_between_acting_and_observing_it_can_be_asked_and_saved(uneven):
    """What it drew is kept until it is told what that led to."""
    learner, copy = (new("mappo", uneven, seed=seed, rollout_steps=99, std=2.0) for seed in (0, 1))
    state = uneven.reset(4, 0)
    u = learner.act(state, "explore")
    drawn = learner.memory.drawn
    with undisturbed(learner):
        learner.act(state, "explore")
    for execution in ("shared", "independent", "greedy"):
        learner.act(state, execution)
    copy.load_state_dict(learner.state_dict())
    for each in (learner, copy):
        uneven.reset(4, 0)
        each.observe(Transitions(state, u, *vars_of(uneven.step(u))), at(0))
        assert torch.equal(each.memory.rows().note[0], drawn)
    assert bool((drawn.abs() > 1).any())


def test_what_is_kept_to_act_with_holds_no_rollout(two_step):
    learner, _ = learner_and_rollout(two_step)
    assert len(learner.state_dict()["memory.reward"]) == 4
    assert {k: len(v) for k, v in learner.policy_dict().items() if "memory" in k} == {
        "memory.drawn": 0
    }


# --- acting --------------------------------------------------------------------------------------


def test_the_state_is_normed_unless_it_is_one_number(two_step, uneven):
    # (3, 7) has mean 5 and deviation 2.
    state = torch.tensor([[3.0, 7.0]])
    found = new("mappo", two_step)._seen(state)
    assert found[0].tolist() == pytest.approx([-1.0, 1.0], rel=1e-5)
    assert torch.equal(new("mappo", two_step, input_norm=False)._seen(state), state)
    assert torch.equal(new("mappo", uneven)._seen(torch.ones(1, 1)), torch.ones(1, 1))


def test_on_particle_gather_it_sees_how_far_away_the_landmark_is():
    """Normed, a state and its double are the same eight numbers."""
    told = replace(run_spec("particle_gather_turned", "mappo").settings, hidden=(8,))
    game = make_game("particle_gather_turned")
    learner, state = learner_class("mappo")(game, told, seed=0), game.reset(4, 0)
    assert not torch.allclose(learner._seen(state), learner._seen(2 * state))


@pytest.mark.parametrize("execution", ["explore", "shared", "independent"])
def test_actions_are_the_actors_normals_clipped(uneven, execution):
    """Means at 0.5 and σ = ½: a clipped normal, whose quantile at 1 is Φ(1)."""
    learner = new("mappo", uneven, std=0.5)
    with torch.no_grad():
        for parameter in learner.actors.net.means.parameters():
            parameter.zero_()
        learner.actors.net.means.biases[-1].fill_(0.5)
    u = learner.act(uneven.reset(4000, 0), execution)
    inside = 0.5 * (1 + math.erf(1 / math.sqrt(2)))
    assert (u < 1).float().mean(0).tolist() == pytest.approx([inside] * 6, abs=0.025)
    assert u.median(0).values.tolist() == pytest.approx([0.5] * 6, abs=0.03)
    assert (u < 0).float().mean(0).tolist() == pytest.approx([1 - inside] * 6, abs=0.025)
    assert torch.corrcoef(u.T).fill_diagonal_(0).abs().max() < 0.06  # nothing is in common


def test_greedy_execution_is_the_means_of_each_agents_own_actor(uneven):
    learner = new("mappo", uneven)
    state = torch.ones(2, 1)
    u = learner.act(state, "greedy")
    out = learner.actors.net.means(state.expand(3, 2, 1)).detach()
    expected = torch.cat([out[0, :, :1], out[1, :, 1:4], out[2, :, 4:]], -1)
    torch.testing.assert_close(u, expected)


def test_every_agent_perceives_all_actors_as_they_are(uneven):
    learner = new("mappo", uneven, std=0.1)
    state = torch.ones(2, 1)
    perceived = learner.perceive(state, 4000)
    mean = learner.act(state, "greedy")
    torch.testing.assert_close(perceived.mean(2), mean.expand(3, 2, 6), atol=0.01, rtol=0)
    assert perceived.std(2).flatten().tolist() == pytest.approx([0.1] * 36, rel=0.05)
    assert not torch.equal(perceived[0], perceived[1])
    learner.actors.net.log_std.data.fill_(1.0)
    assert learner.perceive(state, 50).abs().max() == 1.0  # what is played is in the box


def test_it_begins_near_the_middle_with_orthogonal_weights(uneven):
    learner = new("mappo", uneven, small=False)
    assert learner.act(torch.ones(1, 1), "greedy").abs().max() < 0.05
    hidden, last = learner.actors.net.means.weights[1:]
    eye = torch.eye(100).expand(3, 100, 100)
    torch.testing.assert_close(hidden.mT @ hidden, 25 / 9 * eye)  # tanh's gain is 5/3
    torch.testing.assert_close(last.mT @ last, 1e-4 * torch.eye(6).expand(3, 6, 6))
    assert learner.critic.net.weights[-1].norm().item() == pytest.approx(1.0)


# --- learning ------------------------------------------------------------------------------------


def test_copies_learn_together_what_one_learns_alone():
    """The best of 1, 3 and 2 coordinates is 0 each, from actors that begin at 0.7."""
    game = UnevenGame()
    learner = new("mappo", game, small=False, learning_rate=0.005, rollout_steps=128)
    with torch.no_grad():
        learner.actors.net.means.biases[-1].fill_(0.7)
    assert earned(game, learner, "greedy", 1) < -2.5
    for _ in range(50):
        state = game.reset(32, 0)
        u = learner.act(state, "explore")
        learner.observe(Transitions(state, u, *vars_of(game.step(u))), at(0))
    assert earned(game, learner, "greedy", 1) > -0.5
    alone = trained(new("mappo", game, small=False, learning_rate=0.005), game, 1600)
    assert earned(game, alone, "independent", 500) > -1.2
