import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from svnr.experiments import store
from svnr.experiments.settings import TrainSettings
from svnr.experiments.store import RunSpec, collect, execute, load, save
from svnr.experiments.train import DivergedError

SHORT = TrainSettings(n_steps=30, batch_size=16, n_test=20)


def spec(seed=0, **changes):
    fields = {"game": "max_of_three_2.0", "learner": "svnr", "training": SHORT}
    return RunSpec(seed=seed, **(fields | changes))


def same(run, other):
    return all(
        np.array_equal(getattr(run, name), getattr(other, name))
        for name in ("reward", "visited", "perceived")
    ) and all(np.array_equal(run.tested[way], other.tested[way]) for way in run.tested)


def test_the_key_tells_runs_apart_by_everything_that_matters():
    variants = [
        spec(),
        spec(seed=1),
        spec(game="max_of_three_1.5"),
        spec(learner="svnr_m"),
        spec(training=TrainSettings(n_steps=31, batch_size=16, n_test=20)),
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
    real = store.execute
    monkeypatch.setattr(store, "execute", lambda s: (ran.append(s.seed), real(s))[1])
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
        data[len(data) // 2] ^= 0xFF
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
    record = json.loads(bad.path(tmp_path).with_suffix(".failed.json").read_text())
    assert record["run"]["settings"]["learning_rate"] == 1e20
    assert record["step"] >= 10


def test_a_killed_run_loses_nothing_finished_and_ends_as_if_undisturbed(tmp_path):
    """SIGKILL while the second of two runs is under way, then start again."""
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from svnr.experiments.settings import TrainSettings
        from svnr.experiments.store import RunSpec, collect
        steps = (30, 4000)
        specs = [
            RunSpec(game="max_of_three_2.0", learner="svnr", seed=0,
                    training=TrainSettings(n_steps=n, batch_size=16, n_test=20))
            for n in steps
        ]
        collect(specs, Path(sys.argv[1]))
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
    finished = spec().path(tmp_path)
    deadline = time.monotonic() + 120
    while not finished.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert finished.exists()
    stamp = finished.stat().st_mtime_ns
    leftover = finished.with_name(f"svnr-s9-x.{process.pid}.tmp")
    leftover.write_bytes(b"half")
    longer = spec(training=TrainSettings(n_steps=60, batch_size=16, n_test=20))
    runs = collect([spec(), longer], tmp_path)
    assert finished.stat().st_mtime_ns == stamp
    assert not leftover.exists()
    assert same(runs[1], execute(longer)[0])


def test_a_run_does_not_depend_on_the_number_of_threads(tmp_path):
    import torch

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
            training=TrainSettings(n_steps=30, n_test=50),
            trace_every=every,
        )
        for every in (0, 10)
    )
    assert plain.key() != traced.key() and "trace_every" not in plain.describe()
    runs = collect([plain, traced], tmp_path)
    assert np.array_equal(runs[0].reward, runs[1].reward)
    assert np.array_equal(runs[0].perceived, runs[1].perceived)
    assert not runs[0].trace
    assert runs[1].trace["step"].tolist() == [0, 10, 20]
    assert runs[1].trace["pro"].shape == runs[1].trace["ero"].shape == (3, 3)
