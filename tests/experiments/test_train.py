import numpy as np
import pytest
import torch

from svnr.experiments.scenarios import learner_settings, make_game, make_learner
from svnr.experiments.settings import TrainSettings
from svnr.experiments.train import DivergedError, train
from svnr.games.game import Step

SHORT = TrainSettings(n_steps=40, batch_size=16)


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
    records = run(0, settings=TrainSettings(n_steps=40, batch_size=16, update_every=4))
    updated = [record.step for record in records if record.metrics]
    assert updated == [12, 16, 20, 24, 28, 32, 36]


def test_the_reward_of_a_record_is_what_its_action_earns():
    game = make_game("max_of_three_2.0")
    for record in run(0)[:5]:
        u = torch.as_tensor(record.u).unsqueeze(0)
        assert game.step(u).reward.item() == pytest.approx(record.reward, abs=1e-4)


def test_two_runs_of_one_seed_agree_bit_for_bit_and_another_differs():
    first, again, other = (np.stack([r.u for r in run(seed)]) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_reward_that_is_not_a_number_stops_the_run_with_its_step():
    with pytest.raises(ValueError, match="reward must be finite, got nan in copy 0 at step 2"):
        run(0, game=BrokenGame(bad_step=2))


def test_truncated_episodes_start_again_with_seeds_of_their_own():
    game = BrokenGame(bad_step=-1)
    records = run(0, game=game)
    assert [r.step for r in records if r.episode_over] == [4, 9, 14, 19, 24, 29, 34, 39]
    assert len(game.resets) == 9 and len(set(game.resets)) == 9


def test_a_learner_that_diverges_stops_the_run_with_step_and_settings():
    with pytest.raises(
        DivergedError, match=r"at step \d+ with SVNRSettings.*learning_rate=1e\+20"
    ):
        run(0, learning_rate=1e20)
