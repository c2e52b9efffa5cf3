import numpy as np
import pytest
import torch

from svnr.experiments.catalogue import LEARNERS, learner_class, make_game, resolved
from svnr.experiments.specs import TrainSettings
from svnr.experiments.train import DivergedError, Training, train
from svnr.learners.learner import Learner

SMALL = {"batch_size": 16, "n_groups": 4}


def run(seed, game="max_of_three_2.0", length=40, **overrides):
    settings = resolved("svnr", game, SMALL | overrides)
    made = make_game(game)
    learner = learner_class("svnr")(made, settings, seed)
    return list(train(made, learner, TrainSettings(length=length), seed))


class Watcher(Learner):
    """Does nothing but remember what it was told."""

    settings = None

    def __init__(self, game):
        self._width = sum(game.action_sizes)
        self.rows, self.clock = [], []

    def act(self, state, execution):
        return torch.zeros(len(state), self._width)

    def observe(self, rows, progress):
        self.rows.append(rows)
        self.clock.append((progress.done, progress.length))
        return {"loss": 1.0}

    def perceive(self, state, n_samples):
        raise NotImplementedError

    def parts(self):
        return {}


def watch(game, **training):
    """What a watcher is told in a whole run, of a game that `train` has not looked at before."""
    watcher = Watcher(game)
    training = Training(game, watcher, TrainSettings(**training), seed=0)
    records = []
    while not training.done:
        records.append(training.step())
    return watcher, records


def test_one_record_a_step_and_updates_after_the_warm_up():
    records = run(0)
    assert [bool(record.metrics) for record in records] == [step >= 10 for step in range(40)]
    assert all(record.u.shape == (1, 3) and abs(record.u).max() <= 1 for record in records)


def test_the_reward_of_a_record_is_what_its_action_earns():
    game = make_game("max_of_three_2.0")
    for record in run(0)[:5]:
        earned = game.reward(torch.as_tensor(record.u))
        assert earned.item() == pytest.approx(record.reward[0], abs=1e-4)


def test_two_runs_of_one_seed_agree_bit_for_bit_and_another_differs():
    first, again, other = (np.stack([r.u for r in run(seed)]) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_reward_that_is_not_a_number_stops_the_run_with_its_step(clock):
    with pytest.raises(ValueError, match="reward must be finite, got nan in copy 0 at step 2"):
        watch(clock(bad_step=2), length=5)


def test_episodes_that_were_cut_off_start_again_with_seeds_of_their_own(clock):
    game = clock()
    watcher, records = watch(game, length=8)
    assert [n for n, r in enumerate(records) if r.over[0]] == [4, 9, 14, 19, 24, 29, 34, 39]
    assert len(game.seeds) == 8 and len(set(game.seeds)) == 8
    assert not any(bool(rows.terminated.any()) for rows in watcher.rows)


def test_copies_that_end_start_again_while_the_others_go_on(clock):
    # Copies of 2 and 3 steps: after 6 steps of both, 3 + 2 episodes are over. Each row goes from
    # the state of its own copy to the next, and the last state of an episode is not lost.
    watcher, records = watch(clock(ends=(2, 3)), n_copies=2, unit="steps", length=12)
    begins = torch.stack([rows.state[:, 0] for rows in watcher.rows])
    assert begins.T.tolist() == [[0, 1, 0, 1, 0, 1], [0, 1, 2, 0, 1, 2]]
    assert all(torch.equal(rows.next_state, rows.state + 1) for rows in watcher.rows)
    ended = np.stack([record.over for record in records])
    assert ended.sum(0).tolist() == [3, 2]


def test_the_learners_clock_counts_what_the_length_is_told_in(clock):
    assert watch(clock(), length=3)[0].clock == [(n, 3) for n in [0] * 5 + [1] * 5 + [2] * 5]
    steps = watch(clock(), length=7, unit="steps")[0].clock
    assert steps == [(n, 7) for n in range(7)]
    pairs = watch(clock(), length=8, unit="steps", n_copies=2)[0].clock
    assert pairs == [(n, 8) for n in (0, 2, 4, 6)]


def test_a_learner_that_diverges_stops_the_run_with_step_and_settings():
    wanted = r"at step \d+ with SVNRSettings.*learning_rate=1e\+20"
    with pytest.raises(DivergedError, match=wanted):
        run(0, learning_rate=1e20)


@pytest.mark.parametrize("weights", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_found_after_the_last_update(weights):
    game = make_game("climbing")
    learner = learner_class("svnr")(game, resolved("svnr", "climbing", SMALL), 0)
    training = Training(game, learner, TrainSettings(length=1), 0)
    training.check_weights()
    state = learner.state_dict()
    name = next(name for name in state if "weights" in name)
    state[name][..., 0] = weights
    learner.load_state_dict(state)
    with pytest.raises(DivergedError, match=r"a number of .*weights"):
        training.check_weights()


@pytest.mark.parametrize("n_copies", [1, 3])
@pytest.mark.parametrize("name", LEARNERS)
def test_a_run_that_stopped_goes_on_as_if_it_had_not(name, n_copies):
    """Learner, replay, generators, exploration, leniency, game: only the state is carried."""
    training = TrainSettings(length=6 * n_copies, n_copies=n_copies)
    told = {"batch_size": 16, "warmup": 5, "n_steps": 2, "update_every": 7, "rollout_steps": 7}
    told |= {"n_groups": 8, "n_rows": 8}
    known = resolved(name, "particle_gather", {}).__dataclass_fields__
    changes = {key: value for key, value in told.items() if key in known}

    def new():
        game = make_game("particle_gather")
        learner = learner_class(name)(game, resolved(name, "particle_gather", changes), 3)
        return Training(game, learner, training, seed=3)

    whole, first, second = new(), new(), new()
    expected = []
    while not whole.done:
        expected.append(whole.step())
    records = [first.step() for _ in range(len(expected) // 2)]
    second.load_state_dict(first.state_dict())
    while not second.done:
        records.append(second.step())
    assert all(np.array_equal(a.u, b.u) for a, b in zip(records, expected, strict=True))
    assert [r.metrics for r in records] == [r.metrics for r in expected]


def test_an_end_is_told_as_an_end():
    watcher, _ = watch(make_game("one_volunteer"), length=3)
    assert all(bool(rows.terminated.all()) for rows in watcher.rows)


def test_a_game_that_changes_its_arguments_is_refused_before_anything_is_learned(clock):
    class Careless(clock):
        def _play(self, now, u, running):
            return now["state"].add_(u).sum(-1), {}

        def rules(self):
            return {}

    watcher = Watcher(Careless())
    with pytest.raises(ValueError, match="_play must not change state in place"):
        next(train(Careless(), watcher, TrainSettings(length=3), seed=0))
    assert not watcher.rows


@pytest.mark.parametrize("seed", ["0", -1, 0.5])
def test_a_seed_that_is_none_is_named(seed):
    with pytest.raises(ValueError, match="seed must be a whole number of at least 0, got"):
        learner_class("svnr")(make_game("max_of_two"), resolved("svnr", "max_of_two", {}), seed)
    with pytest.raises(ValueError, match="seed must be a whole number of at least 0, got"):
        Training(make_game("max_of_two"), Watcher(make_game("max_of_two")), TrainSettings(), seed)
