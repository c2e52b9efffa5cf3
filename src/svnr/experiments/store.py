"""Runs on disk: read what is finished, go on with what is not, lose nothing.

One file a run, `GAME/LEARNER-sSEED-KEY.npz`, holds its arrays and a JSON header and no pickles.
The key is a hash of everything the numbers depend on, so a short run is never mistaken for a long
one. Beside it may lie the trained learner (`.policy.npz`), what an interrupted run goes on from
(`.unfinished.npz`), the record of a run that failed (`.failed.json`), a file that was damaged.
"""

import json
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
import torch

from svnr.experiments import scenarios
from svnr.experiments.files import (
    UNREADABLE,
    below,
    read_arrays,
    set_aside,
    sweep,
    write_arrays,
    write_text,
)
from svnr.experiments.runs import Execution, Run, RunSpec
from svnr.experiments.train import DivergedError
from svnr.learners.learner import Learner

SECONDS_BETWEEN_CHECKPOINTS = 60.0


def place(spec: RunSpec, folder: Path, ending: str = ".npz") -> Path:
    """Where the finished run of `spec` lies below `folder`, or what lies beside it."""
    return folder / spec.game / f"{spec.learner}-s{spec.seed}-{spec.key()}{ending}"


def save(run: Run, folder: Path) -> Path:
    """Write a finished run; returns its place."""
    path = place(run.spec, folder)
    write_arrays(path, run.arrays())
    for leftover in (".failed.json", ".unfinished.npz"):
        place(run.spec, folder, leftover).unlink(missing_ok=True)
    return path


def load(spec: RunSpec, folder: Path) -> Run | None:
    """The finished run of `spec`, or None if there is none; a damaged file is set aside."""
    path = place(spec, folder)
    if not path.exists():
        return None
    try:
        return Run.from_arrays(spec, read_arrays(path))
    except UNREADABLE as error:
        set_aside(path, error)
        return None


def perform(spec: RunSpec, folder: Path) -> tuple[Run, Learner]:
    """Do one run, from where it was interrupted if it was, and store it.

    Raises:
        DivergedError: if the learner's numbers turn infinite or NaN.
    """
    execution, path = Execution(spec), place(spec, folder, ".unfinished.npz")
    if path.exists():
        try:
            execution.resume(read_arrays(path))
        except UNREADABLE as error:
            set_aside(path, error)
            execution = Execution(spec)
    written = time.monotonic()
    for _ in execution.episodes():
        if time.monotonic() - written >= SECONDS_BETWEEN_CHECKPOINTS:
            write_arrays(path, execution.arrays())
            written = time.monotonic()
    run = execution.finish()
    save(run, folder)
    return run, execution.learner


def trained(spec: RunSpec, folder: Path) -> Learner:
    """The learner as it was at the end of the run of `spec`; trained now if it was not kept.

    Args:
        spec: the run.
        folder: where finished runs lie; the learner is kept beside its run.
    """
    path = place(spec, folder, ".policy.npz")
    if path.exists():
        learner = spec.new_learner(scenarios.make_game(spec.game))
        try:
            state = below("state_", read_arrays(path))
            learner.load_state_dict({name: torch.from_numpy(v) for name, v in state.items()})
            return learner
        except UNREADABLE as error:
            set_aside(path, error)
    _, learner = perform(spec, folder)
    state = {f"state_{name}": value.numpy() for name, value in learner.state_dict().items()}
    write_arrays(path, {"header": np.array(json.dumps(spec.describe())), **state})
    return learner


def _perform_or_record(spec: RunSpec, folder: Path) -> None:
    """Do one run, or store the record that it failed."""
    try:
        perform(spec, folder)
    except DivergedError as error:
        record = {"error": str(error), "step": error.step, "run": spec.describe()}
        text = json.dumps(record, indent=2, sort_keys=True) + "\n"
        write_text(place(spec, folder, ".failed.json"), text)


def collect(
    specs: Sequence[RunSpec],
    folder: Path,
    n_jobs: int = 1,
    on_done: Callable[[RunSpec], None] = lambda spec: None,
) -> list[Run]:
    """The finished runs of `specs`, in order: what exists is read, what is missing is run.

    Args:
        specs: the runs wanted.
        folder: where finished runs lie.
        n_jobs: processes that run side by side, one torch thread each; one run is run here.
        on_done: called with each spec whose run is there, old or new, for a progress bar.

    Returns:
        [len(specs)] runs.

    Raises:
        DivergedError: after all others are done, if a run diverged; its record lies in `folder`.
    """
    found = {spec.key(): load(spec, folder) for spec in specs}
    for spec in specs:
        if found[spec.key()] is not None:
            on_done(spec)
    missing = {spec.key(): spec for spec in specs if found[spec.key()] is None}
    sweep(folder)
    if n_jobs == 1 or len(missing) == 1:
        for spec in missing.values():
            _perform_or_record(spec, folder)
            on_done(spec)
    else:
        _run_in_processes(list(missing.values()), folder, n_jobs, on_done)
    for key, spec in missing.items():
        found[key] = load(spec, folder)
    failed = [spec for spec in missing.values() if found[spec.key()] is None]
    if failed:
        record = json.loads(place(failed[0], folder, ".failed.json").read_text())
        raise _failure(record, len(failed), failed[0].settings())
    return [run for spec in specs if (run := found[spec.key()]) is not None]


def _failure(record: dict[str, Any], count: int, settings: Any) -> DivergedError:
    error = DivergedError("a metric", float("nan"), record["step"], settings)
    run = record["run"]
    error.args = (
        f"{count} of the runs failed; the first, {run['learner']} on {run['game']} with seed "
        f"{run['seed']}: {record['error']}",
    )
    return error


def _run_in_processes(
    specs: list[RunSpec], folder: Path, n_jobs: int, on_done: Callable[[RunSpec], None]
) -> None:
    """Run specs in spawned processes; one that is killed costs what followed its checkpoint."""
    waiting = list(specs)
    attempts = 0
    while waiting:
        attempts += 1
        context = multiprocessing.get_context("spawn")
        done: list[RunSpec] = []
        try:
            with ProcessPoolExecutor(min(n_jobs, len(waiting)), context) as pool:
                futures = {pool.submit(_perform_or_record, spec, folder): spec for spec in waiting}
                for future in as_completed(futures):
                    future.result()
                    done.append(futures[future])
                    on_done(futures[future])
        except BrokenProcessPool:
            if attempts == 3:
                raise
        waiting = [spec for spec in waiting if spec not in done]
