import itertools

import numpy as np
import pytest
import torch

from svnr.experiments import evaluate, runs
from svnr.experiments.catalogue import make_game
from svnr.experiments.runs import Run, Tally, UnderWay, block_means
from svnr.experiments.specs import run_spec
from svnr.experiments.train import Record, Training


def performed(spec):
    under_way = UnderWay(spec)
    for _ in under_way.steps():
        pass
    return under_way.finish()


def record(reward, over, **metrics):
    return Record(np.zeros((2, 1)), np.array(reward), np.array(over), metrics)


def test_a_tally_sums_each_copys_episode_and_averages_its_updates():
    # Copy 0: 1 + 2 in two steps with losses 4 and 8, mean 6; then a step without an update.
    tally = Tally(2)
    tally.count(record([1.0, 5.0], [False, False], loss=4.0))
    tally.count(record([2.0, 5.0], [True, False], loss=8.0))
    assert tally.take(0) == {"return": 3.0, "length": 2.0, "metric_loss": 6.0}
    tally.count(record([7.0, 5.0], [True, True]))
    assert tally.take(1) == {"return": 15.0, "length": 3.0, "metric_loss": 6.0}
    last = tally.take(0)
    assert (last["return"], last["length"]) == (7.0, 1.0) and np.isnan(last["metric_loss"])


def test_metrics_are_kept_as_means_over_blocks():
    # Blocks of two: mean(1, 3), the one number beside a NaN, NaN where nothing is known, a rest.
    values = np.array([1, 3, np.nan, 5, np.nan, np.nan, 8])
    assert np.array_equal(block_means(values, 2), [2, 5, np.nan, 8], equal_nan=True)


def test_what_a_run_holds(spec):
    run = performed(spec(n_episodes=60))
    assert run.returns.shape == run.length.shape == (60,)
    assert run.visited.shape == (60, 3) and run.perceived.shape == (3, 20, 3)
    assert run.metrics["alpha"].shape == (3,) and run.metrics["alpha"][-1] == pytest.approx(0.3)
    assert run.tested.keys() == {"shared", "independent", "greedy"}
    ways = list(run.tested.values())
    assert not any(np.array_equal(a, b) for a, b in itertools.combinations(ways, 2))
    assert run.made["torch"] == torch.__version__ and run.made["seconds"] > 0
    assert run.made["processor_seconds"] > 0
    assert run.made["updates"] == 60 - run.spec.settings.warmup  # one a step, and a step each


def test_joint_actions_are_kept_of_the_first_seed_in_one_shot_games_only(spec):
    assert "visited" not in performed(spec(seed=1)).table
    gather = performed(spec(game="particle_gather", learner="maddpg", n_episodes=4))
    assert "visited" not in gather.table
    assert set(gather.returns) <= {5.0, -2.0, 0.0} and gather.length.max() <= 25


def test_joint_actions_of_many_agents_in_many_episodes_are_not_kept(spec, monkeypatch):
    monkeypatch.setattr(runs, "MOST_VISITED", 3 * 60)
    assert performed(spec(n_episodes=60)).visited.shape == (60, 3)
    assert "visited" not in performed(spec(n_episodes=61)).table


@pytest.mark.parametrize("learner", ["masql", "mappo"])
def test_tracing_and_testing_change_none_of_a_runs_numbers(spec, learner):
    plain, watched = (
        performed(spec(game="two_modalities", learner=learner, training=training))
        for training in ({"n_test": 50}, {"n_test": 50, "trace_every": 10, "test_every": 12})
    )
    assert np.array_equal(plain.returns, watched.returns)
    assert np.array_equal(plain.perceived, watched.perceived)
    assert not plain.trace and not plain.tests
    assert watched.trace["episode"].tolist() == [0, 10, 20]
    assert watched.trace["pro"].shape == watched.trace["ero"].shape == (3, 3)
    assert watched.tests["at"].tolist() == [12, 24]
    assert watched.tests["greedy"].shape == (2, 50)


def test_tests_during_a_run_leave_the_game_that_is_played_alone(spec):
    plain, tested = (
        performed(
            spec(
                game="particle_gather",
                learner="maddpg",
                training={"n_copies": 3, "unit": "steps", "length": 150} | training,
            )
        )
        for training in ({}, {"test_every": 30})
    )
    assert np.array_equal(plain.returns, tested.returns)
    assert tested.tests["at"].tolist() == [30, 60, 90, 120, 150]
    worked = tested.made["processor_seconds_until_test"]
    assert len(worked) == 5 and worked == sorted(worked)


@pytest.mark.parametrize("learner", ["lenient", "mappo"])
@pytest.mark.parametrize("n_copies", [1, 3])
def test_a_run_under_way_is_written_down_and_gone_on_with(spec, same, n_copies, learner):
    training = {"n_copies": n_copies, "unit": "steps", "length": 120, "test_every": 40}
    given = spec(game="particle_gather", learner=learner, training=training)
    whole, first, second = UnderWay(given), UnderWay(given), UnderWay(given)
    for step in first.steps():
        if step >= 60:
            break
    second.resume(first.arrays())
    for under_way in (whole, second):
        for _ in under_way.steps():
            pass
    assert same(second.finish(), whole.finish())


def test_minutes_are_those_of_training_and_updates_those_of_what_was_moved_most(spec, monkeypatch):
    """A clock of the processor that goes by a second in a step of training and 100 in a test."""
    now = [0.0]
    step, returns = Training.step, evaluate.returns
    monkeypatch.setattr("svnr.experiments.runs.time.process_time", lambda: now[0])
    monkeypatch.setattr(Training, "step", lambda self: (passed(now, 1.0), step(self))[1])
    monkeypatch.setattr(evaluate, "returns", lambda *a: (passed(now, 100.0), returns(*a))[1])
    training = {"n_copies": 2, "unit": "steps", "length": 40, "test_every": 10}
    how = {"episode_updates": 0, "warmup": 0, "update_every": 4, "critic_steps": 3}
    given = spec(game="particle_gather", learner="mmq", training=training, overrides=how)
    made = performed(given).made
    assert made["processor_seconds"] == 20  # of 40 steps of two copies
    assert made["processor_seconds_until_test"] == [5, 10, 15, 20]
    assert made["updates"] == 30  # ten, of three steps of the critics each


def passed(clock, seconds):
    clock[0] += seconds


def test_what_a_run_has_taken_is_gone_on_with(spec):
    training = {"unit": "steps", "length": 30, "test_every": 10}
    given = spec(game="particle_gather", learner="maddpg", training=training)
    first, second = UnderWay(given), UnderWay(given)
    for step in first.steps():
        if step >= 20:
            break
    second.resume(first.arrays())
    assert second._seconds == first._seconds and second._worked == first._worked > 0
    assert second._until_test == first._until_test and len(first._until_test) == 2
    for _ in second.steps():
        pass
    until = second.finish().made["processor_seconds_until_test"]
    assert len(until) == 3 and until == sorted(until)


def test_a_run_does_not_depend_on_the_number_of_threads(spec, same):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    two = performed(spec())
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
    assert same(two, performed(spec()))


def test_with_copies_every_kept_action_is_that_of_its_return(spec):
    run = performed(spec(game="climbing", training={"n_copies": 3}))
    game = make_game("climbing")
    assert np.array_equal(game.reward(torch.as_tensor(run.visited)).numpy(), run.returns)


def test_copies_are_traced_after_every_so_many_episodes(spec):
    training = {"n_copies": 3, "trace_every": 10}
    run = performed(spec(game="two_modalities", learner="masql", training=training))
    assert run.trace["episode"].tolist() == [0, 10, 20]
    with pytest.raises(ValueError, match="trace_every must be 0 in games of several steps"):
        UnderWay(spec(game="particle_gather", learner="masql", training={"trace_every": 5}))


def test_a_run_in_which_no_episode_ended_is_kept_all_the_same(spec):
    training = {"unit": "steps", "length": 2, "n_test": 2}
    run = performed(spec(game="particle_gather", training=training))
    assert run.returns.shape == (0,) and np.isnan(run.last())


def test_what_is_not_as_it_was_described_is_not_begun(spec, monkeypatch):
    described = spec()
    assert described.key
    monkeypatch.setattr(torch, "get_default_dtype", lambda: torch.float64)
    with pytest.raises(ValueError, match="must be begun as it was described"):
        UnderWay(described)


def test_the_last_episodes_are_the_last():
    assert Run(None, {"return": np.arange(10.0)}).last(3) == 8.0  # (7 + 8 + 9) / 3


def test_every_way_of_execution_is_tested_from_the_runs_seed(monkeypatch):
    under_way, asked = UnderWay(run_spec("max_of_three_2.0", "svnr", 3, n_episodes=2)), []
    told = lambda game, learner, way, n, seed: asked.append((way, seed))  # noqa: E731
    monkeypatch.setattr(evaluate, "returns", told)
    under_way._tested("tested")
    assert asked == [("shared", 3), ("independent", 3), ("greedy", 3)]
