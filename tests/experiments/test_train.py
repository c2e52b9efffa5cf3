from dataclasses import replace

import numpy as np
import pytest
import torch

from svnr.experiments.scenarios import (
    LEARNERS,
    learner_settings,
    make_game,
    make_learner,
    training,
)
from svnr.experiments.settings import TrainSettings
from svnr.experiments.train import DivergedError, Training, train
from svnr.games.game import Step
from svnr.games.gather import particle_gather

SHORT = TrainSettings(n_episodes=40, batch_size=16)


def run(seed, game=None, settings=SHORT, **overrides):
    game = game or make_game("max_of_three_2.0")
    learner = make_learner("svnr", game, learner_settings("svnr", overrides), 40, seed)
    return list(train(game, learner, settings, seed))


class BrokenGame:
    """One agent; the third step pays NaN, and the clock cuts every fifth."""

    name, action_sizes, state_size, horizon, n_agents = "broken", (1,), 1, 5, 1

    def __init__(self, bad_step=2):
        self.bad_step = bad_step
        self.resets = []

    def reset(self, n_copies, seed):
        self.resets.append(seed)
        self._clock = 0
        return torch.zeros(n_copies, 1)

    def step(self, u):
        pay = float("nan") if self._clock == self.bad_step else 1.0
        self._clock += 1
        over = torch.full((len(u),), self._clock == self.horizon)
        return Step(torch.zeros(len(u), 1), torch.full((len(u),), pay), ~over & over, over)


def test_one_record_a_step_and_updates_after_the_warm_up():
    records = run(0)
    assert [record.step for record in records] == list(range(40))
    assert [bool(record.metrics) for record in records] == [step >= 10 for step in range(40)]
    assert all(record.u.shape == (3,) and abs(record.u).max() <= 1 for record in records)


def test_updates_can_be_rarer():
    records = run(0, settings=TrainSettings(n_episodes=40, batch_size=16, update_every=4))
    updated = [record.step for record in records if record.metrics]
    assert updated == [12, 16, 20, 24, 28, 32, 36]


def test_the_reward_of_a_record_is_what_its_action_earns():
    game = make_game("max_of_three_2.0")
    for record in run(0)[:5]:
        assert game.reward(torch.as_tensor(record.u)).item() == pytest.approx(
            record.reward, abs=1e-4
        )


def test_two_runs_of_one_seed_agree_bit_for_bit_and_another_differs():
    first, again, other = (np.stack([r.u for r in run(seed)]) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_reward_that_is_not_a_number_stops_the_run_with_its_step():
    with pytest.raises(ValueError, match="reward must be finite, got nan in copy 0 at step 2"):
        run(0, game=BrokenGame(bad_step=2))


def test_truncated_episodes_start_again_with_seeds_of_their_own():
    game = BrokenGame(bad_step=-1)
    records = run(0, game=game, settings=TrainSettings(n_episodes=8, batch_size=16))
    assert [r.step for r in records if r.episode_over] == [4, 9, 14, 19, 24, 29, 34, 39]
    assert len(game.resets) == 8 and len(set(game.resets)) == 8


def test_a_learner_that_diverges_stops_the_run_with_step_and_settings():
    with pytest.raises(
        DivergedError, match=r"at step \d+ with SVNRSettings.*learning_rate=1e\+20"
    ):
        run(0, learning_rate=1e20)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_run_that_stopped_goes_on_as_if_it_had_not(name):
    """Learner, replay, generators, exploration and leniency: nothing but the state is carried."""
    settings = replace(training("particle_gather", 6), batch_size=8, warmup=5)

    def new():
        game = particle_gather()
        own = learner_settings(name, game="particle_gather")
        learner = make_learner(name, game, own, 6, seed=3)
        return Training(game, learner, settings, seed=3)

    whole, first, second = new(), new(), new()
    expected = [record for _ in range(6) for record in whole.play_episode()]
    records = [record for _ in range(3) for record in first.play_episode()]
    second.load_state_dict(first.state_dict())
    records += [record for _ in range(3) for record in second.play_episode()]
    assert [r.step for r in records] == list(range(len(expected)))
    assert all(np.array_equal(a.u, b.u) for a, b in zip(records, expected, strict=True))
    assert [r.metrics for r in records] == [r.metrics for r in expected]
    assert second.done


class Watcher:
    """Does nothing; remembers in which order it was asked for what, and with which batches."""

    note_size = 0

    def __init__(self, game):
        self._width = sum(game.action_sizes)
        self.asked, self.clock, self.batches = [], [], []

    def act(self, state, execution):
        self.asked.append("act")
        return torch.zeros(len(state), self._width)

    def observe(self, state, u):
        return torch.zeros(len(state), 0)

    def update(self, batch, episode):
        self.asked.append("update")
        self.clock.append(episode)
        self.batches.append(batch)
        return {"loss": 1.0}


def watch(game=None, **settings):
    game = game or BrokenGame(bad_step=-1)
    watcher = Watcher(game)
    settings = TrainSettings(**{"batch_size": 4, "warmup": 1} | settings)
    records = list(train(game, watcher, settings, seed=0))
    return watcher, records


def test_the_learners_clock_counts_episodes():
    assert watch(n_episodes=3)[0].clock == [0] * 4 + [1] * 5 + [2] * 5


def test_updates_can_come_after_the_episodes():
    """Episodes of five steps: three updates after each, and none between."""
    watcher, records = watch(n_episodes=2, episode_updates=3)
    assert watcher.asked == (["act"] * 5 + ["update"] * 3) * 2
    assert [r.step for r in records if r.metrics] == [4, 9]


def test_a_step_cut_off_by_the_clock_is_not_stored_as_an_end():
    """BrokenGame never ends, nor does Particle Gather where nobody moves."""
    for game in (BrokenGame(bad_step=-1), particle_gather()):
        watcher, records = watch(game, n_episodes=3, batch_size=200)
        assert sum(r.episode_over for r in records) == 3
        assert not any(batch.terminated.any() for batch in watcher.batches)


def test_an_end_is_stored_as_an_end():
    watcher, _ = watch(make_game("one_volunteer"), n_episodes=3)
    assert all(batch.terminated.all() for batch in watcher.batches)


class PaidOnce(BrokenGame):
    """Of 500 steps the first alone earns something, 5."""

    def reset(self, n_copies, seed):
        state = super().reset(n_copies, seed)
        self._paid = len(self.resets) > 1
        return state

    def step(self, u):
        step = super().step(u)
        pay, self._paid = (0.0 if self._paid else 5.0), True
        return Step(step.state, torch.full((len(u),), pay), step.terminated, step.truncated)


def test_a_share_of_every_batch_can_come_from_what_was_paid():
    # Half of the share, 0.25 of 80 rows, is for what earned: 20, and the rest as they fall.
    drawn = [
        [int((batch.reward > 0).sum()) for batch in watch(game, **settings)[0].batches[-50:]]
        for game, settings in (
            (PaidOnce(-1), {"n_episodes": 100, "batch_size": 80, "rewarded_share": 0.5}),
            (PaidOnce(-1), {"n_episodes": 100, "batch_size": 80}),
        )
    ]
    assert min(drawn[0]) >= 20 and np.mean(drawn[1]) < 1


def test_lengths_and_shares_that_no_run_could_use_are_refused():
    with pytest.raises(ValueError, match="n_episodes must be a whole number of at least 1, got 0"):
        TrainSettings(n_episodes=0)
    with pytest.raises(ValueError, match=r"rewarded_share must be in \[0, 1\], got 1.5"):
        TrainSettings(rewarded_share=1.5)
