"""What goes wrong on machines, done on purpose: nothing false is read, nothing else is lost."""

import errno
import json
import os
import pickle
import random
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from watching import descendants, wait_until

from svnr.experiments import store
from svnr.experiments.files import read_arrays, read_or_set_aside
from svnr.experiments.runs import UnderWay
from svnr.experiments.specs import run_spec
from svnr.experiments.store import collect, failure, load, save, trained
from svnr.experiments.studies import StudySpec, read_study
from svnr.experiments.train import DivergedError
from svnr.learners.off_policy import OffPolicy

# --- damage -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A finished run with its learner, a checkpoint of it, a record and a journal."""
    folder = tmp_path_factory.mktemp("kept")
    small = {"batch_size": 16, "n_groups": 4, "hidden": (8,), "capacity": 64}
    given = run_spec("climbing", "hysteretic", 0, 30, small, training={"n_test": 4})
    trained(given, folder)
    under_way = UnderWay(given)
    steps = under_way.steps()
    for _ in range(3):
        next(steps)
    store._write_checkpoint(under_way, given.file(folder, ".unfinished.npz"))
    record = {"error": "critic_loss became nan at step 3", "run": given.description}
    given.file(folder, ".failed.json").write_text(store._json(record), encoding="utf-8")
    return given, folder


def damaged(data, rng, kind):
    """A file's bytes with one bit turned, one byte another, or its end gone."""
    data, place = bytearray(data), rng.randrange(len(data))
    if kind == "cut":
        return bytes(data[:place])
    data[place] ^= 1 << rng.randrange(8) if kind == "bit" else rng.randrange(1, 256)
    return bytes(data)


def readers(given, folder):
    """Each kind of file, with what reads it and what it then holds."""

    def arrays(run):
        return run and {**run.table, "made": json.dumps(run.made, sort_keys=True)}

    def checkpoint():
        path = given.file(folder, ".unfinished.npz")
        found = read_or_set_aside(path, lambda path: store._resumed(UnderWay(given), path))
        return found and found.arrays()

    def policy():
        path = given.file(folder, ".policy.npz")
        found = read_or_set_aside(path, lambda path: store._policy(given, path))
        return found and {name: v.numpy() for name, v in found.policy_dict().items()}

    return {
        ".json": lambda: arrays(load(given, folder)),
        ".npz": lambda: arrays(load(given, folder)),
        ".unfinished.npz": checkpoint,
        ".policy.npz": policy,
        ".failed.json": lambda: {"told": failure(given, folder)},
    }


def equal(one, other):
    return one.keys() == other.keys() and all(
        np.array_equal(value, other[name], equal_nan=np.asarray(value).dtype.kind == "f")
        for name, value in one.items()
    )


@pytest.mark.parametrize(
    ("ending", "n"),
    [(".json", 500), (".npz", 500), (".unfinished.npz", 300), (".policy.npz", 200)],
)
def test_every_damaged_file_is_read_right_or_set_aside(kept, tmp_path, ending, n):
    given, source = kept
    folder = tmp_path / "runs"
    shutil.copytree(source, folder)
    read, path = readers(given, folder)[ending], given.file(folder, ending)
    pair = {".json": ".npz", ".npz": ".json"}.get(ending)  # which may be set aside in its place
    files = [path, given.file(folder, pair)] if pair else [path]
    whole = [file.read_bytes() for file in files]
    right, rng = read(), random.Random(0)
    for attempt in range(n):
        for file, content in zip(files, whole, strict=True):
            file.write_bytes(content)
        path.write_bytes(damaged(whole[0], rng, ("bit", "byte", "cut")[attempt % 3]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = read()
        aside = list(folder.rglob("*.damaged*"))
        assert equal(found, right) if found else aside
        for file in aside:
            file.unlink()


def test_every_damaged_journal_is_read_right_or_mended(tmp_path, monkeypatch):
    from svnr.experiments import tune as tuning

    monkeypatch.setattr(
        tuning, "score", lambda spec, folder, t: tuning.replace(t, scores=[1.0, 2.0])
    )
    spec = StudySpec(game="climbing", learner="hysteretic", n_trials=5, n_episodes=9)

    def numbers(study):
        return [(t.params, t.state, t.intermediate_values) for t in study.trials]

    right = numbers(tuning.tune(spec, tmp_path))
    path = spec.journal(tmp_path)
    whole, rng = path.read_bytes(), random.Random(1)
    for attempt in range(500):
        path.write_bytes(damaged(whole, rng, ("bit", "byte", "cut")[attempt % 3]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                seen = numbers(read_study(spec, tmp_path))
                assert seen == right[: len(seen)]
            except ValueError as error:
                assert path.name in str(error)
            if attempt % 5 == 0:  # going on takes longer
                assert numbers(tuning.tune(spec, tmp_path)) == right


def test_a_failed_run_is_not_trained_again_and_a_damaged_record_is(kept, tmp_path):
    given, source = kept
    path = tmp_path / given.file(source, ".failed.json").relative_to(source)
    path.parent.mkdir()
    path.write_bytes(given.file(source, ".failed.json").read_bytes())
    with pytest.raises(DivergedError, match=r"became nan at step 3 \(its record is hysteretic"):
        collect([given], tmp_path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.warns(UserWarning, match="failed.json could not be read"):
        assert collect([given], tmp_path)


# --- code in what is loaded ---------------------------------------------------------------------


class Bomb:
    """What runs code where pickles are read."""

    def __reduce__(self):
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize("ending", [".npz", ".unfinished.npz", ".policy.npz"])
@pytest.mark.parametrize("how", ["object array", "pickle"])
def test_arrays_that_hold_code_are_set_aside_and_do_not_run(
    kept, tmp_path, monkeypatch, ending, how
):
    given, source = kept
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runs"
    shutil.copytree(source, folder)
    path = given.file(folder, ending)
    arrays = read_arrays(path)
    if how == "pickle":
        path.write_bytes(pickle.dumps(Bomb()))
    else:
        with path.open("wb") as file:
            np.savez(file, **arrays | {"return": np.array([Bomb()], dtype=object)})
    with pytest.warns(UserWarning, match="could not be read"):
        assert readers(given, folder)[ending]() is None
    assert not (tmp_path / "exploded").exists()


# --- a machine's limits, with real processes ----------------------------------------------------

CODE = """
import sys
from pathlib import Path
from svnr.experiments.specs import run_spec
from svnr.experiments.store import collect
small = {"batch_size": 16, "n_groups": 4}
specs = [
    run_spec("max_of_three_2.0", "hysteretic", seed, 1500, small, training={"n_test": 20})
    for seed in range(2)
]
if __name__ == "__main__":
    collect(specs, Path(sys.argv[1]), int(sys.argv[2]))
"""


def collecting(folder, n_jobs=1, **options):
    script = folder.parent / "collecting.py"
    script.write_text(CODE)
    command = [sys.executable, str(script), str(folder), str(n_jobs)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)


@pytest.fixture
def nobody():
    """Somebody without rights, in a folder that he can reach, as pytest's own cannot be."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    own = os.geteuid()
    yield folder, lambda: os.seteuid(65534 if own == 0 else own)
    os.seteuid(own)
    for path in folder.rglob("*"):
        path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_folder_that_cannot_be_written_to_is_named_before_anything_is_run(
    nobody, spec, monkeypatch, mode
):
    monkeypatch.setattr(store, "_perform", lambda spec, folder: pytest.fail("run"))
    folder, become_nobody = nobody
    spec().file(folder, ".json").parent.mkdir(mode=mode)
    become_nobody()
    with pytest.raises(PermissionError) as error:
        collect([spec()], folder)
    assert Path(error.value.filename).parent == spec().file(folder, ".json").parent


def test_what_may_not_be_read_is_no_damage(nobody, spec):
    folder, become_nobody = nobody
    collect([spec()], folder)
    for path in folder.rglob("*.npz"):
        path.chmod(0o000)
    become_nobody()
    with pytest.raises(PermissionError):
        load(spec(), folder)
    assert not list(folder.rglob("*.damaged"))


def test_a_name_that_is_too_long_is_named_before_anything_is_run(tmp_path, spec, monkeypatch):
    monkeypatch.setattr(store, "_perform", lambda spec, folder: pytest.fail("run"))
    folder = tmp_path / "/".join(["x" * 200] * 25)
    with pytest.raises(OSError, match="File name too long") as error:
        collect([spec()], folder)
    assert error.value.errno == errno.ENAMETOOLONG and "svnr-s0" in error.value.filename


@pytest.mark.slow
def test_no_more_file_descriptors_is_no_damage(tmp_path, spec):
    given = run_spec("max_of_three_2.0", "hysteretic", 0, 3000, training={"n_test": 20})
    for ending in (".json", ".npz"):
        given.file(tmp_path / "r", ending).parent.mkdir(parents=True, exist_ok=True)
        given.file(tmp_path / "r", ending).write_text("whole")
    script = tmp_path / "limited.py"
    few = "import resource, torch, tqdm, filelock\nfrom svnr.experiments import runs, store\n"
    few += "import os\nheld = [os.open('/', 0) for _ in range(30)]\n"
    few += "resource.setrlimit(resource.RLIMIT_NOFILE, (max(held) + 1,) * 2)\n"
    script.write_text(
        CODE.replace("    collect", "    exec(few)\n    collect").replace(
            "if __name__", f"few = {few!r}\nif __name__"
        )
    )
    command = [sys.executable, str(script), str(tmp_path / "r"), "1"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode and "Too many open files" in done.stderr, done.stderr
    assert not list(tmp_path.rglob("*.damaged"))


def test_a_full_disk_is_named_before_anything_is_run(tmp_path, spec, monkeypatch):
    """Whatever is written goes to a device that is always full."""
    monkeypatch.setattr(store, "_perform", lambda spec, folder: pytest.fail("run"))
    path = spec().file(tmp_path, ".unfinished.npz")
    path.parent.mkdir()
    fill(path)
    with pytest.raises(OSError, match="No space left on device") as error:
        collect([spec()], tmp_path)
    assert error.value.filename == str(path)


def fill(path):
    """Let there be no space for a file: where it is written first leads to a full device."""
    import platform
    import threading

    host = platform.node().replace(".", "-")
    own = f"{threading.get_ident()}.{os.getpid()}"
    path.with_name(f"{path.name}.{host}.{own}.tmp").symlink_to("/dev/full")


@pytest.mark.parametrize("ending", [".npz", ".json"])
def test_a_disk_that_fills_up_leaves_the_old_file_or_the_new(tmp_path, spec, ending):
    given = spec()
    under_way = UnderWay(given)
    for _ in under_way.steps():
        pass
    run = under_way.finish()
    path = given.file(tmp_path, ending)
    path.parent.mkdir()
    fill(path)
    with pytest.raises(OSError, match="No space left on device") as error:
        save(run, tmp_path)
    assert error.value.filename == str(path)
    assert load(given, tmp_path) is None and not list(tmp_path.rglob("*.damaged"))
    save(run, tmp_path)
    assert load(given, tmp_path) is not None


@pytest.mark.slow
def test_a_disk_that_fills_up_under_way_costs_no_more_than_a_minute(tmp_path, spec, monkeypatch):
    """A checkpoint that cannot be written ends the run with the name of its file."""
    monkeypatch.setattr(store, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    real, written = store._write_checkpoint, []

    def write(under_way, path):
        written.append(1)
        if len(written) == 3:
            fill(path)
        return real(under_way, path)

    monkeypatch.setattr(store, "_write_checkpoint", write)
    monkeypatch.setattr(store, "COST_OF_CHECKPOINTS", 1e9)
    with pytest.raises(OSError, match=r"No space left on device: .*\.unfinished\.npz"):
        collect([spec()], tmp_path)
    assert spec().file(tmp_path, ".unfinished.npz").exists()  # the second is whole
    monkeypatch.setattr(store, "_write_checkpoint", real)
    assert collect([spec()], tmp_path)


def test_foreign_files_are_left_alone(tmp_path, spec):
    folder = spec().file(tmp_path, ".json").parent
    folder.mkdir()
    names = ["notes.tmp", ".hidden", "svnr-s0-.json", "thumbs.db", "svnr-s0-0123456789.npz"]
    for name in names:
        (folder / name).write_bytes(b"mine")
    (folder / "a folder").mkdir()
    collect([spec()], tmp_path)
    assert all((folder / name).read_bytes() == b"mine" for name in names)


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_what_it_was_at(tmp_path):
    process = collecting(tmp_path / "r", n_jobs=2)
    wait_until(lambda: len(list(tmp_path.rglob("*.lock"))) == 2)
    workers = [
        child
        for child in descendants(process)
        if not child.children() and "resource_tracker" not in " ".join(child.cmdline())
    ]
    assert len(workers) == 2
    workers[0].kill()
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert len(list(tmp_path.rglob("*s?-*.json"))) == 2 and not list(tmp_path.rglob("*.lock"))


# --- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("update", [0, 1, 5, 12, -1])
def test_weights_that_turn_nan_at_any_update_are_a_record_and_no_result(
    tmp_path, spec, monkeypatch, update
):
    """After the update of that number, the last one too, a weight is NaN."""
    given = spec(learner="maddpg", n_episodes=30, overrides={"warmup": 16})
    real, count = OffPolicy.observe, []
    last = 29

    def observe(self, rows, progress):
        told = real(self, rows, progress)
        if len(count) == (last if update == -1 else update + 16):
            state = {name: value.clone() for name, value in self.state_dict().items()}
            weights = next(name for name in state if "critic" in name and "weight" in name)
            state[weights].view(-1)[0] = torch.nan
            self.load_state_dict(state)
        count.append(1)
        return told

    monkeypatch.setattr(OffPolicy, "observe", observe)
    with pytest.raises(DivergedError, match="1 of the runs failed"):
        collect([given], tmp_path)
    assert load(given, tmp_path) is None and failure(given, tmp_path)
