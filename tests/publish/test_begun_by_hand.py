"""Whoever is told to stop, at whatever is begun by hand, stops within ten seconds."""

import signal
import subprocess
import sys
import time

import pytest
from watching import descendants, wait_until, wait_until_gone

from svnr.publish.notebooks import from_source, nbformat

TRAINING = """from pathlib import Path
from svnr.experiments.specs import run_spec
from svnr.experiments.store import collect
small = {"batch_size": 16, "n_groups": 4, "n_particles": 8}
specs = [run_spec("max_of_three_2.0", "svnr", seed, 5000, small) for seed in range(4)]
collect(specs, Path("results"), 2)"""


def reproducing(repository):
    return ["svnr.cli", "reproduce", "--only", "02", "--jobs", "2"]


def tuning(repository):
    return ["svnr.cli", "tune", "max_of_three_1.5", "svnr", "--episodes", "4000", "--jobs", "2"]


def papermilling(repository):
    source = repository / "notebooks" / "02_whole.py"
    nbformat.write(from_source(source), source.with_suffix(".ipynb"))
    return ["papermill", str(source.with_suffix(".ipynb")), str(repository / "done.ipynb")]


def begun(repository, command):
    """A process that has two runs under way, and all that descend from it."""
    source = repository / "notebooks" / "02_whole.py"
    source.write_text(source.read_text().replace("print(answer)", TRAINING), encoding="utf-8")
    arguments = [sys.executable, "-m", *command(repository)]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(arguments, cwd=repository, **pipes)
    wait_until(lambda: len(list(repository.rglob("*-s*.lock"))) == 2)
    time.sleep(0.7)
    return process, descendants(process)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", [reproducing, tuning, papermilling])
def test_a_stop_writes_down_what_is_under_way_and_leaves_nobody(repository, command, number):
    process, others = begun(repository, command)
    at = time.monotonic()
    process.send_signal(number)
    _, told = process.communicate(timeout=10)
    wait_until_gone(others, at + 10 - time.monotonic())
    assert len(list(repository.rglob("*.unfinished.npz"))) == 2
    assert not list(repository.rglob("*.lock"))
    assert command is papermilling or "go on when this is called again" in told


@pytest.mark.slow
@pytest.mark.parametrize("command", [reproducing, tuning, papermilling])
def test_a_second_ctrl_c_acts_at_once(repository, command):
    process, others = begun(repository, command)
    at = time.monotonic()
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    process.communicate(timeout=10)
    wait_until_gone(others, at + 10 - time.monotonic())


@pytest.mark.slow
@pytest.mark.parametrize("command", [reproducing, tuning, papermilling])
def test_whoever_is_killed_leaves_nobody_at_work(repository, command):
    process, others = begun(repository, command)
    process.kill()
    process.communicate()
    wait_until_gone(others)
