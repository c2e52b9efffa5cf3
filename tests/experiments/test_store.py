import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
import torch
from watching import descendants, wait_until, wait_until_gone

from svnr.experiments import store
from svnr.experiments.files import claimed, read_arrays, write_arrays
from svnr.experiments.runs import UnderWay
from svnr.experiments.specs import run_spec
from svnr.experiments.store import attempt, collect, kept, load, save, trained
from svnr.experiments.train import DivergedError, Training
from svnr.games.game import OneShotGame


def performed(spec):
    under_way = UnderWay(spec)
    for _ in under_way.steps():
        pass
    return under_way.finish(), under_way.learner


def fail_if_run(monkeypatch):
    monkeypatch.setattr(store, "_perform", lambda spec, folder: pytest.fail("run again"))


def test_saved_and_loaded_a_run_is_the_same(tmp_path, spec, same):
    run, _ = performed(spec())
    save(run, tmp_path)
    again = load(spec(), tmp_path)
    assert same(run, again) and again.made == run.made
    header = json.loads(spec().file(tmp_path, ".json").read_text(encoding="utf-8"))
    assert header["game"]["rules"]["hills"][1]["width"] == 2.0  # to be read with eyes


def test_what_exists_is_read_and_only_what_is_missing_is_run(tmp_path, spec, same, monkeypatch):
    first = collect([spec(0)], tmp_path)
    ran, real = [], store._perform
    monkeypatch.setattr(store, "_perform", lambda s, f: (ran.append(s.seed), real(s, f))[1])
    runs = collect([spec(0), spec(1)], tmp_path)
    assert ran == [1]
    assert same(runs[0], first[0])


def test_what_is_kept_is_read_in_order_and_what_is_missing_is_left(
    tmp_path, spec, same, monkeypatch
):
    last, first = collect([spec(2), spec(0)], tmp_path)
    fail_if_run(monkeypatch)
    runs = kept([spec(0), spec(1), spec(2)], tmp_path)
    assert len(runs) == 2 and same(runs[0], first) and same(runs[1], last)
    assert kept([spec(1)], tmp_path) == []


def test_what_was_just_made_is_not_read_back(tmp_path, spec, monkeypatch):
    read = []
    monkeypatch.setattr(store, "read_arrays", lambda path: read.append(path))
    collect([spec(0), spec(1)], tmp_path)
    assert not read


def test_two_processes_give_what_one_gives(tmp_path, spec, same):
    specs = [spec(seed) for seed in range(2)]
    here = collect(specs, tmp_path / "one", n_jobs=1)
    there = collect(specs, tmp_path / "two", n_jobs=2)
    assert all(same(a, b) for a, b in zip(here, there, strict=True))


@pytest.mark.parametrize("ending", [".json", ".npz"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
def test_a_damaged_file_is_named_set_aside_and_run_again(tmp_path, spec, same, ending, damage):
    run, _ = performed(spec())
    save(run, tmp_path)
    path = spec().file(tmp_path, ending)
    data = bytearray(path.read_bytes())
    place = data.index(b"perceived.npy") + 100 if ending == ".npz" else len(data) // 3
    data[place] ^= 0xFF
    path.write_bytes({"cut": data[: len(data) // 2], "flipped": data, "emptied": b""}[damage])
    with pytest.warns(UserWarning, match=path.name):
        again = collect([spec()], tmp_path)
    assert path.with_name(f"{path.name}.damaged").exists()
    assert same(again[0], run)


def test_a_run_of_another_spec_is_not_taken_for_this_one(tmp_path, spec, same):
    for seed in (0, 1):
        save(performed(spec(seed))[0], tmp_path)
    spec(1).file(tmp_path, ".json").replace(spec(0).file(tmp_path, ".json"))
    with pytest.warns(UserWarning, match="its header describes another run"):
        (again,) = collect([spec(0)], tmp_path)
    assert same(again, performed(spec(0))[0])


def test_a_run_that_diverges_leaves_a_record_and_the_others_finish(tmp_path, spec):
    bad = spec(overrides={"learning_rate": 1e20})
    with pytest.raises(DivergedError, match=r"1 of the runs failed.*seed 0: .* at step"):
        collect([bad, spec()], tmp_path)
    assert load(spec(), tmp_path) is not None
    assert load(bad, tmp_path) is None
    record = json.loads(bad.file(tmp_path, ".failed.json").read_text(encoding="utf-8"))
    assert record["run"]["settings"]["learning_rate"] == 1e20
    assert "at step 1" in record["error"]


UNLUCKY = """
import torch
from svnr.games.game import OneShotGame

class Unlucky(OneShotGame):
    name, action_sizes, most = "unlucky", (1, 1), 100

    def __init__(self, bad_reset=-1):
        self.bad_reset, self._resets = bad_reset, 0

    def _begin(self, copies, seed):
        self._resets += 1
        if len(copies) > self.most:
            raise OSError("no licence for so many")
        return super()._begin(copies, seed)

    def reward(self, u):
        paid = u.sum(-1)
        return paid + torch.nan if self._resets == self.bad_reset else paid
"""


@pytest.fixture
def unlucky(tmp_path):
    """Names a game that pays NaN in one episode, and has no more than a hundred copies."""
    path = tmp_path / "unlucky.py"
    path.write_text(UNLUCKY)
    return lambda bad_reset=-1: f"{path}:Unlucky(bad_reset={bad_reset})"


def test_a_game_that_pays_no_number_leaves_a_record_and_the_others_finish(
    tmp_path, unlucky, monkeypatch
):
    bad, good = (
        run_spec(unlucky(n), "maddpg", n_episodes=4, training={"n_test": 5}) for n in (3, -1)
    )
    with pytest.raises(DivergedError, match=r"1 of the runs failed.*reward must be finite"):
        collect([bad, good], tmp_path)
    assert load(good, tmp_path) is not None
    assert "at step 2" in bad.file(tmp_path, ".failed.json").read_text(encoding="utf-8")
    fail_if_run(monkeypatch)
    for again in (lambda: collect([bad, good], tmp_path), lambda: trained(bad, tmp_path)):
        with pytest.raises(DivergedError, match="reward must be finite"):
            again()


def test_a_learner_is_not_trained_in_a_game_that_pays_no_number(tmp_path, unlucky):
    with pytest.raises(DivergedError, match="reward must be finite, got nan"):
        trained(run_spec(unlucky(3), "maddpg", n_episodes=4, training={"n_test": 5}), tmp_path)


def test_a_game_is_closed_however_its_run_ends(tmp_path, unlucky, monkeypatch):
    begun, closed, begin = [], [], UnderWay.__init__

    def watched(self, spec):
        begin(self, spec)
        begun.append(self.game)

    monkeypatch.setattr(UnderWay, "__init__", watched)
    monkeypatch.setattr(OneShotGame, "close", lambda self: closed.append(self))
    for bad_reset in (3, -1):  # one run that fails, one that does not
        attempt(tmp_path, run_spec(unlucky(bad_reset), "maddpg", 0, 4, training={"n_test": 5}))
    assert len(begun) == 2 and all(any(game is each for each in closed) for game in begun)


def test_a_checkpoint_stays_where_the_run_cannot_be_begun(tmp_path, spec, monkeypatch):
    checkpoint = spec().file(tmp_path, ".unfinished.npz")
    write_arrays(checkpoint, {"header": np.array("of another machine")})

    def cannot(self, spec):
        raise ValueError("mujoco must be an older one")

    monkeypatch.setattr(UnderWay, "__init__", cannot)
    with pytest.raises(ValueError, match="an older one"):
        attempt(tmp_path, spec())
    assert checkpoint.exists()


def test_a_game_that_fails_in_its_tests_loses_nothing_that_was_learned(
    tmp_path, unlucky, monkeypatch
):
    many = run_spec(unlucky(), "maddpg", n_episodes=30, training={"n_test": 101})
    for _ in range(2):  # the second time the tests alone are tried
        with pytest.raises(OSError, match="no licence for so many"):
            collect([many], tmp_path)
        monkeypatch.setattr(Training, "step", lambda self: pytest.fail("trained again"))
        assert read_arrays(many.file(tmp_path, ".unfinished.npz"))["state_counts"][0] == 30


def test_a_run_whose_game_cannot_say_its_state_ends_all_the_same(tmp_path, spec, monkeypatch):
    def cannot(self):
        raise NotImplementedError

    monkeypatch.setattr(Training, "state_dict", cannot)
    monkeypatch.setattr(store, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    collect([spec()], tmp_path)
    assert load(spec(), tmp_path) is not None and not list(tmp_path.rglob("*.unfinished.npz"))


@pytest.mark.slow
def test_a_killed_run_loses_nothing_finished_and_ends_as_if_undisturbed(tmp_path, spec, same):
    """SIGKILL while the second of two runs is under way, then start again."""
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from svnr.experiments.specs import run_spec
        from svnr.experiments.store import collect
        small = {"batch_size": 16, "n_groups": 4, "n_particles": 8}
        test = {"n_test": 20}
        specs = [
            run_spec("max_of_three_2.0", "svnr", 0, n, small, training=test) for n in (30, 4000)
        ]
        collect(specs, Path(sys.argv[1]))
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
    finished = spec().file(tmp_path, ".json")
    wait_until(finished.exists)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    stamp = finished.stat().st_mtime_ns
    runs = collect([spec(), spec(n_episodes=60)], tmp_path)
    assert finished.stat().st_mtime_ns == stamp
    assert same(runs[1], performed(spec(n_episodes=60))[0])


def test_an_interrupted_run_goes_on_from_its_checkpoint(tmp_path, spec, same, monkeypatch):
    """Stopped after 20 of 30 episodes of a traced run, as a kill would; what is left is 10."""
    traced = spec(learner="lenient", training={"trace_every": 7})
    undisturbed, _ = performed(traced)
    monkeypatch.setattr(store, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    monkeypatch.setattr(store, "COST_OF_CHECKPOINTS", 1e9)
    played, real = [], UnderWay.steps

    def steps(self, stop):
        for step in real(self):
            played.append(step)
            yield step
            if step == stop:
                raise KeyboardInterrupt

    monkeypatch.setattr(UnderWay, "steps", lambda self: steps(self, 20))
    with pytest.raises(KeyboardInterrupt):
        collect([traced], tmp_path)
    checkpoint = traced.file(tmp_path, ".unfinished.npz")
    assert checkpoint.exists() and load(traced, tmp_path) is None

    played.clear()
    monkeypatch.setattr(UnderWay, "steps", lambda self: steps(self, None))
    (run,) = collect([traced], tmp_path)
    assert played == list(range(21, 31))
    assert not checkpoint.exists()
    assert same(run, undisturbed)


@pytest.mark.parametrize("damage", ["half", "another run", "another shape"])
def test_a_checkpoint_of_no_use_is_set_aside_and_the_run_begins_again(
    tmp_path, spec, same, damage
):
    path = spec().file(tmp_path, ".unfinished.npz")
    path.parent.mkdir()
    other = spec(overrides={"hidden": (7,)}) if damage == "another shape" else spec(1)
    arrays = UnderWay(other).arrays()
    described = spec() if damage == "another shape" else other
    header = np.array(json.dumps(described.description))
    write_arrays(path, {"header": header} | arrays)
    if damage == "half":
        path.write_bytes(path.read_bytes()[:2000])
    with pytest.warns(UserWarning, match=path.name):
        (run,) = collect([spec()], tmp_path)
    assert same(run, performed(spec())[0])


def test_checkpoints_cost_a_small_share_of_the_time(tmp_path, spec, monkeypatch):
    """A checkpoint that takes 10 s is not due again before 250 s have passed: 4 %."""
    moments = iter([0.0, 10.0])
    monkeypatch.setattr(store.time, "monotonic", lambda: next(moments))
    due = store._write_checkpoint(UnderWay(spec()), tmp_path / "run.unfinished.npz")
    assert due == 10.0 + 10.0 / 0.04


def test_a_trained_learner_is_kept_and_acts_and_perceives_as_it_did(tmp_path, spec, monkeypatch):
    state = torch.zeros(5, 1)
    soon = {"warmup": 16}
    for learner, changes in {"svnr": soon, "maddpg": soon, "mappo": {}}.items():
        given = spec(learner=learner, n_episodes=60, overrides=changes)
        _, original = performed(given)
        kept = trained(given, tmp_path)
        with monkeypatch.context() as patch:
            fail_if_run(patch)
            again = trained(given, tmp_path)
        expected = original.act(state, "shared"), original.perceive(state, 9)
        for each in (kept, again):
            found = each.act(state, "shared"), each.perceive(state, 9)
            assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
        assert load(given, tmp_path) is not None


def test_training_a_learner_that_was_not_kept_leaves_no_checkpoint(tmp_path, spec, monkeypatch):
    monkeypatch.setattr(store, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    collect([spec()], tmp_path)
    trained(spec(), tmp_path)
    assert {path.suffixes[0] for path in tmp_path.rglob("*-s0-*")} == {".npz", ".json", ".policy"}


def test_a_policy_of_another_seed_is_not_taken_for_this_one(tmp_path, spec):
    for seed in (0, 1):
        trained(spec(seed), tmp_path)
    spec(1).file(tmp_path, ".policy.npz").replace(spec(0).file(tmp_path, ".policy.npz"))
    with pytest.warns(UserWarning, match="its header describes another run"):
        learner = trained(spec(0), tmp_path)
    state = torch.zeros(5, 1)
    assert torch.equal(learner.act(state, "shared"), performed(spec(0))[1].act(state, "shared"))


def test_a_policy_holds_no_more_of_the_replay_than_it_needs(tmp_path, spec):
    trained(spec(learner="maddpg", n_episodes=600), tmp_path)
    (path,) = tmp_path.rglob("*.policy.npz")
    assert len(read_arrays(path)["state_memory.reward"]) == 512


def test_a_file_that_cannot_be_read_is_not_set_aside(tmp_path, spec, monkeypatch):
    save(performed(spec())[0], tmp_path)

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(store, "read_arrays", refuse)
    with pytest.raises(PermissionError):
        load(spec(), tmp_path)
    assert spec().file(tmp_path, ".npz").exists()


def test_arrays_of_another_run_are_not_taken_for_this_ones(tmp_path, spec):
    for seed in (0, 1):
        save(performed(spec(seed))[0], tmp_path)
    spec(1).file(tmp_path, ".npz").replace(spec(0).file(tmp_path, ".npz"))
    with pytest.warns(UserWarning, match="its arrays are another run's"):
        assert load(spec(0), tmp_path) is None


@pytest.mark.parametrize("header", ["3", "null", "[]", "{}"])
def test_a_header_that_is_no_table_is_set_aside(tmp_path, spec, header):
    save(performed(spec())[0], tmp_path)
    spec().file(tmp_path, ".json").write_text(header)
    with pytest.warns(UserWarning, match="could not be read"):
        assert load(spec(), tmp_path) is None


def test_a_learner_that_was_not_kept_is_trained_without_touching_its_run(tmp_path, spec):
    save(performed(spec())[0], tmp_path)
    files = [spec().file(tmp_path, ending) for ending in (".npz", ".json")]
    stamps = [path.stat().st_mtime_ns for path in files]
    trained(spec(), tmp_path)
    assert [path.stat().st_mtime_ns for path in files] == stamps


COLLECTING = """
import sys
from pathlib import Path
from svnr.experiments import engine, runs, store
from svnr.experiments.specs import run_spec
folder, n_jobs = Path(sys.argv[1]), int(sys.argv[2])
small = {"batch_size": 16, "n_groups": 4, "n_particles": 8}
specs = [
    run_spec("max_of_three_2.0", "svnr", seed, int(sys.argv[3]), small, training={"n_test": 20})
    for seed in range(int(sys.argv[4]))
]
if __name__ == "__main__":
    store.collect(specs, folder, n_jobs)
"""


def collecting(folder, n_jobs, n_episodes, n_seeds):
    """A process that collects runs below a folder."""
    script = folder / "collecting.py"
    script.write_text(COLLECTING)
    arguments = [str(each) for each in (folder, n_jobs, n_episodes, n_seeds)]
    return subprocess.Popen([sys.executable, str(script), *arguments], stderr=subprocess.PIPE)


@pytest.mark.slow
def test_two_invocations_share_the_runs_of_a_folder(tmp_path, spec):
    """What was made is what nobody overwrote: each file was written once, by one of two."""
    both = [collecting(tmp_path, 1, 150, 6) for _ in range(2)]
    files, stamps = [spec(seed, n_episodes=150).file(tmp_path, ".json") for seed in range(6)], {}
    while any(process.poll() is None for process in both):
        for path in files:
            if path.exists():
                stamp = path.stat().st_mtime_ns
                assert stamps.setdefault(path, stamp) == stamp
        time.sleep(0.02)
    assert [process.returncode for process in both] == [0, 0]
    assert len(list(tmp_path.rglob("*.json"))) == 6 == len(stamps)
    assert not list(tmp_path.rglob("*.lock")) and not list(tmp_path.rglob("*.tmp"))


@pytest.mark.slow
def test_the_claim_of_one_who_was_killed_is_taken_over(tmp_path, spec, same):
    given = spec(n_episodes=4000)
    process = collecting(tmp_path, 1, 4000, 1)
    claim = given.file(tmp_path, ".lock")
    wait_until(claim.exists)
    process.kill()
    process.wait()
    assert claim.exists()
    began = time.monotonic()
    with claimed(claim, wait=False) as mine:
        assert mine or time.monotonic() - began < 1
    with claimed(claim) as mine:
        assert mine and time.monotonic() - began < 5


@pytest.mark.timeout(20)
def test_a_claim_that_names_nobody_is_nobodys(tmp_path):
    """Left by who was killed while he made it, or by an older release: an empty file."""
    claim = tmp_path / ".lock"
    claim.touch()
    with claimed(claim, wait=False) as mine:
        assert not mine  # it may be in the making
    os.utime(claim, (0, 0))
    with claimed(claim, wait=False) as mine:
        assert mine and claim.stat().st_size


def test_a_run_that_somebody_is_at_is_left_to_him_and_waited_for_at_the_end(tmp_path, spec, same):
    """He holds the first of three runs until the others are done."""
    specs = [spec(seed) for seed in range(3)]
    order = []

    def hold():
        with claimed(specs[0].file(tmp_path, ".lock")):
            held.set()
            wait_until(specs[2].file(tmp_path, ".json").exists)
            order.extend(path.name for path in tmp_path.rglob("*.json"))

    held = threading.Event()
    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    runs = collect(specs, tmp_path)
    other.join()
    assert len(order) == 2 and [run.spec.seed for run in runs] == [0, 1, 2]


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_writes_down_what_is_under_way_and_leaves_nobody(tmp_path, spec, n_jobs, number):
    process = collecting(tmp_path, n_jobs, 5000, 4)
    locks = [spec(seed, n_episodes=5000).file(tmp_path, ".lock") for seed in range(n_jobs)]
    wait_until(lambda: all(lock.exists() for lock in locks))
    time.sleep(1)
    workers = descendants(process)
    began = time.monotonic()
    process.send_signal(number)
    assert "go on when this is called again" in process.communicate(timeout=10)[1].decode()
    wait_until_gone(workers)
    assert time.monotonic() - began < 10
    assert len(list(tmp_path.rglob("*.unfinished.npz"))) == n_jobs
    assert not list(tmp_path.rglob("*.lock"))


@pytest.mark.slow
def test_whoever_is_killed_leaves_nobody_at_work(tmp_path, spec):
    process = collecting(tmp_path, 2, 5000, 4)
    wait_until(lambda: len(list(tmp_path.rglob("*.lock"))) == 2)
    workers = descendants(process)
    process.kill()
    process.wait()
    wait_until_gone(workers)
    assert len(list(tmp_path.rglob("*.unfinished.npz"))) == 2  # they were written down


def test_a_folder_may_be_told_as_text(tmp_path, spec):
    (run,) = collect([spec()], str(tmp_path))
    assert spec().file(tmp_path, ".npz").exists()
    assert load(spec(), str(tmp_path)).returns.tolist() == run.returns.tolist()
