from types import SimpleNamespace

import pytest
import torch
from teams import at, new, played

from svnr.games.differential import max_of_two
from svnr.games.gather import particle_gather
from svnr.learners.maddpg import MADDPGSettings
from svnr.learners.svnr import SVNRSettings
from svnr.networks.critics import Critics


def updates(game, n_steps, n_copies=1, **cadence):
    """How many updates follow upon each step."""
    learner, counts = new("maddpg", game, **cadence), []
    learner.update = lambda batch, progress: counts.append(len(batch.u)) or {}
    found = []
    for each in played(game, n_copies, n_steps):
        counts.clear()
        learner.observe(each, at(1))
        found.append(len(counts))
    return found


def test_updates_begin_after_the_warmup(two_step):
    assert updates(two_step, 6, warmup=4) == [0, 0, 0, 0, 1, 1]


def test_updates_come_every_so_many_steps(two_step):
    assert updates(two_step, 7, update_every=3) == [1, 0, 0, 1, 0, 0, 1]


def test_of_several_copies_every_step_counts(two_step):
    # Five copies: steps 0–4, 5–9, 10–14; those due are 3, 6, 9, 12 with a warmup of 2.
    assert updates(two_step, 3, n_copies=5, update_every=3, warmup=2) == [1, 2, 1]


def test_updates_after_an_episode_come_in_place_of_those_between_steps(two_step):
    assert updates(two_step, 4, episode_updates=3) == [0, 3, 0, 3]
    assert updates(two_step, 4, n_copies=2, episode_updates=3, warmup=3) == [0, 0, 0, 6]


def test_a_learner_tells_what_its_last_update_told(two_step):
    learner = new("maddpg", two_step, warmup=1)
    first, second = played(two_step, n_steps=2)
    assert learner.observe(first, at(0)) == {}
    assert set(learner.observe(second, at(0))) == {"noise_scale", "critic_loss"}


def test_each_agent_executes_its_own_part(uneven):
    learner = new("maddpg", uneven)
    u = torch.arange(18.0).view(3, 1, 6)  # agents own 1, 3 and 2 coordinates of their rows
    assert learner.executed(u).tolist() == [[0.0, 7.0, 8.0, 9.0, 16.0, 17.0]]


def test_a_batch_cannot_teach_by_more_rows_than_it_has():
    with pytest.raises(ValueError, match="n_groups must be at most the batch_size of 4, got 8"):
        SVNRSettings(batch_size=4)
    with pytest.raises(ValueError, match="n_rows must be at most the batch_size of 512, got 513"):
        MADDPGSettings(n_rows=513)


def test_a_batch_is_turned_by_the_symmetries_of_the_game_if_the_settings_say_so():
    game = particle_gather()
    as_played, turned = (
        new("maddpg", game, batch_size=400, warmup=99, n_steps=3, use_symmetries=use)
        for use in (False, True)
    )
    for each in played(game, n_steps=4):
        as_played.observe(each, at(0))
        turned.observe(each, at(0))
    before, after = as_played.draw(), turned.draw()  # the same rows
    assert torch.equal(before.reward, after.reward)
    assert torch.allclose(before.state.norm(dim=-1), after.state.norm(dim=-1))
    found = {tuple(row) for row in after.state[:, :2].sign().tolist()}
    assert len(found) == 4 and not torch.equal(before.u, after.u)
    assert len({tuple(row) for row in before.state[:, :2].sign().tolist()}) == 1


# --- targets -------------------------------------------------------------------------------------


def bootstrapped(batch, value, bounds=(-torch.inf, torch.inf)):
    """The targets of a learner whose returns lie in `bounds`."""
    learner = new("maddpg", max_of_two())
    game = SimpleNamespace(action_sizes=(1, 1), state_size=1, return_bounds=bounds)
    learner.critic = Critics(game, learner.settings, torch.Generator(), 1)
    return learner.bootstrapped(batch, value)


def transitions(weight):
    n = len(weight)
    return SimpleNamespace(
        reward=torch.arange(1.0, n + 1),
        next_state=torch.arange(10.0, 10 * n + 1, 10).unsqueeze(-1),
        weight=torch.tensor(weight),
    )


def test_the_target_adds_the_weighed_value_of_the_next_state_where_the_game_goes_on():
    # Rewards 1, 2, 3; V(s′) = ±s′ = ±(10, 20, 30); γ = ½, the second row ended, the third is γ².
    batch = transitions([0.5, 0.0, 0.25])
    found = bootstrapped(batch, lambda s: torch.stack([s[:, 0], -s[:, 0]]))
    assert found.tolist() == [[6.0, 2.0, 10.5], [-4.0, 2.0, -4.5]]


def test_no_forecast_outside_the_bounds_is_believed():
    batch = transitions([0.5, 0.5])
    free, bounded = (
        bootstrapped(batch, lambda s: torch.tensor([[9.0, -9.0]]), bounds)
        for bounds in ((-torch.inf, torch.inf), (-2.0, 5.0))
    )
    assert (free - batch.reward).tolist() == [[4.5, -4.5]]
    assert (bounded - batch.reward).tolist() == [[2.5, -1.0]]


def test_no_value_is_asked_for_where_all_has_ended():
    def never(state):
        raise AssertionError

    assert bootstrapped(transitions([0.0, 0.0]), never).tolist() == [1.0, 2.0]
