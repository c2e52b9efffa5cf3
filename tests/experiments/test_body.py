"""A first body: HalfCheetah 2x3 through PettingZoo's interface, trained, killed, gone on with."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from svnr.experiments.specs import run_spec
from svnr.experiments.store import collect

pytest.importorskip("gymnasium_robotics")

CHEETAH = """
from gymnasium_robotics import mamujoco_v1
from svnr.games.parallel import ParallelGame

def make():
    return mamujoco_v1.parallel_env(scenario="HalfCheetah", agent_conf="2x3")

def cheetah():
    return ParallelGame(make, 1000, name="a_cheetah", use_env_state=True)
"""
SETTINGS = {
    "n_groups": 16,
    "n_particles": 8,
    "n_value_particles": 1,
    "layer_norm": True,
    "discount": 0.99,
    "n_steps": 5,
    "batch_size": 64,
    "hidden": (32, 32),
    "update_every": 8,
    "random_steps": 1000,
    "schedule": "linear",
    "alpha_final": 0.05,
    "learning_rate": 0.001,
}
TRAINING = {"length": 12_000, "unit": "steps", "n_copies": 8, "n_test": 2, "test_every": 6_000}


def cheetah_spec(folder):
    path = folder / "cheetah.py"
    path.write_text(CHEETAH)
    return run_spec(f"{path}:cheetah", "svnr", 0, 20, SETTINGS, training=TRAINING)


def train_until_killed(folder, results):
    """The same in a process of its own, which kills itself when it has written a checkpoint."""
    script = textwrap.dedent(
        f"""
        import os, signal, sys
        from pathlib import Path
        sys.path[:0] = {list(map(str, Path(__file__).parents[:2]))!r}
        from svnr.experiments import store
        from test_body import cheetah_spec
        write = store._write_checkpoint
        def write_and_be_killed(under_way, path):
            if write(under_way, path):
                os.kill(os.getpid(), signal.SIGKILL)
        store._write_checkpoint = write_and_be_killed
        store.SECONDS_BETWEEN_CHECKPOINTS = 1.0
        store.collect([cheetah_spec(Path({str(folder)!r}))], Path({str(results)!r}))
        """
    )
    return subprocess.run([sys.executable, "-c", script]).returncode


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_cheetah_is_trained_by_eight_copies_killed_and_gone_on_with_to_the_same_bits(tmp_path):
    spec = cheetah_spec(tmp_path)
    assert train_until_killed(tmp_path, tmp_path / "killed") == -signal.SIGKILL
    assert spec.file(tmp_path / "killed", ".unfinished.npz").exists()
    (killed,) = collect([spec], tmp_path / "killed")
    (whole,) = collect([spec], tmp_path / "whole")
    assert all(np.array_equal(killed.table[name], whole.table[name]) for name in whole.table)
    assert whole.length.tolist() == [1000] * 8  # an episode of each copy, then half of one
    assert whole.tests["at"].tolist() == [6_000, 12_000]
    assert whole.tests["greedy"].shape == (2, 2)
