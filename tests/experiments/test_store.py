import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import torch

from svnr.experiments import store
from svnr.experiments.runs import Execution, RunSpec, execute
from svnr.experiments.settings import TrainSettings
from svnr.experiments.store import collect, load, place, save, trained
from svnr.experiments.train import DivergedError

SHORT = TrainSettings(n_episodes=30, batch_size=16, n_test=20)


def spec(seed=0, **changes):
    fields = {"game": "max_of_three_2.0", "learner": "svnr", "training": SHORT}
    return RunSpec(seed=seed, **(fields | changes))


def same(run, other):
    return all(
        np.array_equal(getattr(run, name), getattr(other, name))
        for name in ("returns", "length", "visited", "perceived")
    ) and all(np.array_equal(run.tested[way], other.tested[way]) for way in run.tested)


def test_the_key_tells_runs_apart_by_everything_that_matters():
    variants = [
        spec(),
        spec(seed=1),
        spec(game="max_of_three_1.5"),
        spec(learner="svnr_m"),
        spec(training=TrainSettings(n_episodes=31, batch_size=16, n_test=20)),
        spec(overrides={"n_particles": 16}),
        spec(overrides={"sets": (frozenset(), frozenset({0}), frozenset({0}))}),
    ]
    assert len({variant.key() for variant in variants}) == len(variants)


def test_the_key_does_not_depend_on_how_a_default_was_said():
    assert spec().key() == spec(overrides={"n_particles": 48}).key()


def test_saved_and_loaded_a_run_is_the_same(tmp_path):
    run, _ = execute(spec())
    path = save(run, tmp_path)
    again = load(spec(), tmp_path)
    assert path.parent.name == "max_of_three_2.0"
    assert same(run, again)
    assert np.array_equal(run.metrics["alpha"], again.metrics["alpha"], equal_nan=True)
    assert run.tested.keys() == {"shared", "independent", "greedy"}


def test_what_exists_is_read_and_only_what_is_missing_is_run(tmp_path, monkeypatch):
    first = collect([spec(0)], tmp_path)
    ran = []
    real = store.perform
    monkeypatch.setattr(store, "perform", lambda s, f: (ran.append(s.seed), real(s, f))[1])
    runs = collect([spec(0), spec(1)], tmp_path)
    assert ran == [1]
    assert same(runs[0], first[0])


def test_two_processes_give_what_one_gives(tmp_path):
    specs = [spec(seed) for seed in range(2)]
    done = []
    here = collect(specs, tmp_path / "one", n_jobs=1)
    there = collect(specs, tmp_path / "two", n_jobs=2, on_done=done.append)
    assert all(same(a, b) for a, b in zip(here, there, strict=True))
    assert {s.seed for s in done} == {0, 1}


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "another run"])
def test_a_damaged_file_is_named_set_aside_and_run_again(tmp_path, damage):
    run, _ = execute(spec())
    path = save(run, tmp_path)
    data = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        data[data.index(b"perceived.npy") + 100] ^= 0xFF  # in the array, not between arrays
        path.write_bytes(data)
    elif damage == "emptied":
        path.write_bytes(b"")
    else:
        save(execute(spec(1))[0], tmp_path).replace(path)
    with pytest.warns(UserWarning, match=path.name):
        again = collect([spec()], tmp_path)
    assert path.with_suffix(".damaged").exists()
    assert same(again[0], run)


def test_a_run_that_diverges_leaves_a_record_and_the_others_finish(tmp_path):
    bad = spec(overrides={"learning_rate": 1e20})
    with pytest.raises(DivergedError, match=r"1 of the runs failed.*at step"):
        collect([bad, spec()], tmp_path)
    assert load(spec(), tmp_path) is not None
    assert load(bad, tmp_path) is None
    record = json.loads(place(bad, tmp_path, ".failed.json").read_text())
    assert record["run"]["settings"]["learning_rate"] == 1e20
    assert record["step"] >= 10


def test_a_killed_run_loses_nothing_finished_and_ends_as_if_undisturbed(tmp_path):
    """SIGKILL while the second of two runs is under way, then start again."""
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from svnr.experiments.runs import RunSpec
        from svnr.experiments.settings import TrainSettings
        from svnr.experiments.store import collect
        steps = (30, 4000)
        specs = [
            RunSpec(game="max_of_three_2.0", learner="svnr", seed=0,
                    training=TrainSettings(n_episodes=n, batch_size=16, n_test=20))
            for n in steps
        ]
        collect(specs, Path(sys.argv[1]))
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
    finished = place(spec(), tmp_path)
    deadline = time.monotonic() + 120
    while not finished.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert finished.exists()
    stamp = finished.stat().st_mtime_ns
    leftover = finished.with_name(f"svnr-s9-x.{process.pid}.tmp")
    leftover.write_bytes(b"half")
    longer = spec(training=TrainSettings(n_episodes=60, batch_size=16, n_test=20))
    runs = collect([spec(), longer], tmp_path)
    assert finished.stat().st_mtime_ns == stamp
    assert not leftover.exists()
    assert same(runs[1], execute(longer)[0])


def test_a_run_does_not_depend_on_the_number_of_threads(tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    two, _ = execute(spec())
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
    one, _ = execute(spec())
    torch.set_num_threads(before)
    assert same(one, two)


def test_a_misspelt_run_is_refused_before_anything_is_written(tmp_path):
    for wrong in ({"game": "max_of_tree"}, {"learner": "svrn"}, {"overrides": {"alpha": 1}}):
        with pytest.raises(ValueError, match="must be one of"):
            collect([spec(**wrong)], tmp_path)
    assert not list(tmp_path.iterdir())


def test_tracing_a_run_changes_none_of_its_numbers(tmp_path):
    plain, traced = (
        RunSpec(
            game="two_modalities",
            learner="masql",
            seed=0,
            training=TrainSettings(n_episodes=30, n_test=50),
            trace_every=every,
        )
        for every in (0, 10)
    )
    assert plain.key() != traced.key() and "trace_every" not in plain.describe()
    runs = collect([plain, traced], tmp_path)
    assert np.array_equal(runs[0].returns, runs[1].returns)
    assert np.array_equal(runs[0].perceived, runs[1].perceived)
    assert not runs[0].trace
    assert runs[1].trace["episode"].tolist() == [0, 10, 20]
    assert runs[1].trace["pro"].shape == runs[1].trace["ero"].shape == (3, 3)


def test_an_interrupted_run_goes_on_from_its_checkpoint_to_the_same_numbers(tmp_path, monkeypatch):
    """Stopped after 20 of 30 episodes of a traced run, as a kill would; what is left is 10."""
    traced = spec(learner="lenient", trace_every=7)
    undisturbed, _ = execute(traced)
    monkeypatch.setattr(store, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    played, real = [], Execution.episodes

    def episodes(self, stop):
        for episode in real(self):
            played.append(episode)
            yield episode
            if episode == stop:
                raise KeyboardInterrupt

    monkeypatch.setattr(Execution, "episodes", lambda self: episodes(self, 20))
    with pytest.raises(KeyboardInterrupt):
        collect([traced], tmp_path)
    checkpoint = place(traced, tmp_path, ".unfinished.npz")
    assert checkpoint.exists() and load(traced, tmp_path) is None

    played.clear()
    monkeypatch.setattr(Execution, "episodes", lambda self: episodes(self, None))
    (run,) = collect([traced], tmp_path)
    assert played == list(range(21, 31))
    assert not checkpoint.exists()
    assert same(run, undisturbed)
    for table in ("metrics", "trace"):
        one, other = getattr(run, table), getattr(undisturbed, table)
        assert all(np.array_equal(one[name], other[name], equal_nan=True) for name in other)


def test_a_damaged_checkpoint_is_set_aside_and_the_run_begins_again(tmp_path):
    path = place(spec(), tmp_path, ".unfinished.npz")
    path.parent.mkdir()
    path.write_bytes(b"half")
    with pytest.warns(UserWarning, match=path.name):
        (run,) = collect([spec()], tmp_path)
    assert same(run, execute(spec())[0])


def test_a_trained_learner_is_kept_and_acts_as_it_did(tmp_path, monkeypatch):
    _, original = execute(spec())
    kept = trained(spec(), tmp_path)
    monkeypatch.setattr(store, "perform", lambda spec, folder: pytest.fail("trained again"))
    again = trained(spec(), tmp_path)
    state = torch.zeros(5, 1)
    expected = original.act(state, "shared")
    assert torch.equal(kept.act(state, "shared"), expected)
    assert torch.equal(again.act(state, "shared"), expected)
    assert load(spec(), tmp_path) is not None


def test_games_with_states_keep_returns_and_lengths_but_not_every_action(tmp_path):
    gather = spec(game="particle_gather", training=TrainSettings(n_episodes=4, n_test=5))
    (run,) = collect([gather], tmp_path)
    assert run.returns.shape == run.length.shape == (4,)
    assert set(run.returns) <= {5.0, -2.0, 0.0} and run.length.max() <= 25
    assert len(run.visited) == 0
    assert same(run, load(gather, tmp_path))
