"""Runs on disk: read what is finished, go on with what is not, lose nothing.

A run is two files below the folder of its game, `LEARNER-sSEED-KEY`: `.json` says everything that
its numbers depend on and where they were made, `.npz` holds its arrays, without pickles. The key
is a hash of the former, so a short run is never mistaken for a long one. Beside them may lie the
trained learner (`.policy.npz`), what an interrupted run goes on from (`.unfinished.npz`), the
record of a run that failed (`.failed.json`), a file that was damaged.
"""

import json
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from svnr.experiments import catalogue
from svnr.experiments.engine import each
from svnr.experiments.files import read_arrays, read_or_set_aside, sweep, write_arrays, write_text
from svnr.experiments.runs import Run, UnderWay
from svnr.experiments.specs import RunSpec
from svnr.experiments.train import DivergedError
from svnr.learners.checkpoint import below
from svnr.learners.learner import Learner

SECONDS_BETWEEN_CHECKPOINTS = 60.0  # at least
COST_OF_CHECKPOINTS = 0.04  # of the time, at most


def save(run: Run, folder: Path) -> None:
    """Write a finished run; its header comes last, and says that it is whole."""
    key = {"key": np.array(run.spec.key)}  # so that no other run's arrays are taken for these
    write_arrays(run.spec.file(folder, ".npz"), run.table | key)
    write_text(run.spec.file(folder, ".json"), _json(run.spec.description | {"made": run.made}))
    for leftover in (".failed.json", ".unfinished.npz"):
        run.spec.file(folder, leftover).unlink(missing_ok=True)


def load(spec: RunSpec, folder: Path) -> Run | None:
    """The finished run of `spec`, or None if there is none; a damaged file is set aside."""
    made = read_or_set_aside(spec.file(folder, ".json"), partial(_made, spec))
    table = made and read_or_set_aside(spec.file(folder, ".npz"), partial(_table, spec))
    return Run(spec, table, made) if made and table else None


def _table(spec: RunSpec, path: Path) -> dict[str, np.ndarray]:
    """The arrays of a run, from its file."""
    table = read_arrays(path)
    if str(table.pop("key")) != spec.key:
        raise ValueError("its arrays are another run's")
    return table


def _made(spec: RunSpec, path: Path) -> dict[str, Any]:
    """Where a run was made, from its header."""
    header = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(header, dict):
        raise ValueError("its header is no table")
    made = header.pop("made")
    _check_header(header, spec)
    return made


def _check_header(header: dict[str, Any], spec: RunSpec) -> None:
    if header != spec.description:
        raise ValueError("its header describes another run")


def collect(specs: Sequence[RunSpec], folder: Path, n_jobs: int = 1) -> list[Run]:
    """The finished runs of `specs`, in order: what exists is read, what is missing is run.

    Args:
        specs: the runs wanted.
        folder: where finished runs lie.
        n_jobs: processes that run side by side, one torch thread each; one run is run here.

    Returns:
        [len(specs)] runs.

    Raises:
        DivergedError: after all others are done, if a run diverged; its record lies in `folder`.
    """
    from tqdm.auto import tqdm

    wanted = {spec.key: spec for spec in specs}
    found = {key: run for key, spec in wanted.items() if (run := load(spec, folder)) is not None}
    missing = [spec for key, spec in wanted.items() if key not in found]
    with tqdm(total=len(wanted), initial=len(found), desc="runs", disable=None) as bar:
        made = each(partial(attempt, folder), missing, n_jobs, lambda run: bar.update())
    failed = [error for error in made if isinstance(error, str)]
    if failed:
        raise DivergedError(f"{len(failed)} of the runs failed; the first, {failed[0]}")
    found |= {run.spec.key: run for run in made if isinstance(run, Run)}
    return [found[spec.key] for spec in specs]


def trained(spec: RunSpec, folder: Path) -> Learner:
    """The learner as it was at the end of the run of `spec`; trained now if it was not kept.

    Args:
        spec: the run.
        folder: where finished runs lie; the learner is kept beside its run.
    """
    path = spec.file(folder, ".policy.npz")
    if kept := read_or_set_aside(path, partial(_policy, spec)):
        return kept
    _, learner = _perform(spec, folder, keep=load(spec, folder) is None)
    _write(spec, path, {f"state_{n}": value.numpy() for n, value in learner.policy_dict().items()})
    return learner


def _policy(spec: RunSpec, path: Path) -> Learner:
    game = catalogue.example(spec.game)
    learner: Learner = catalogue.learner_class(spec.learner)(game, spec.settings, spec.seed)
    state = below("state_", _arrays_of(spec, path))
    learner.load_state_dict({name: torch.from_numpy(v) for name, v in state.items()})
    return learner


def attempt(folder: Path, spec: RunSpec) -> Run | str:
    """Do one run; if it fails, the record is written and its words are returned."""
    try:
        return _perform(spec, folder)[0]
    except DivergedError as error:
        record = {"error": str(error), "run": spec.description}
        write_text(spec.file(folder, ".failed.json"), _json(record))
        return f"{spec.learner} on {spec.game} with seed {spec.seed}: {error}"


def _perform(spec: RunSpec, folder: Path, keep: bool = True) -> tuple[Run, Learner]:
    """Do one run, from where it was interrupted if it was, and keep it, unless there is one.

    Raises:
        DivergedError: if the learner's numbers turn infinite or NaN.
    """
    sweep(folder)
    path = spec.file(folder, ".unfinished.npz")
    under_way = read_or_set_aside(path, partial(_resumed, spec)) or UnderWay(spec)
    due = time.monotonic() + SECONDS_BETWEEN_CHECKPOINTS
    for _ in under_way.steps():
        if time.monotonic() >= due:
            due = _write_checkpoint(under_way, path)
    run = under_way.finish()
    if keep:
        save(run, folder)
    return run, under_way.learner


def _resumed(spec: RunSpec, path: Path) -> UnderWay:
    """The run as a checkpoint has it."""
    under_way = UnderWay(spec)
    under_way.resume(_arrays_of(spec, path))
    return under_way


def _write_checkpoint(under_way: UnderWay, path: Path) -> float:
    """Write down a run under way; returns the moment from which the next is due."""
    began = time.monotonic()
    try:
        arrays = under_way.arrays()
    except NotImplementedError:  # the game cannot say its state here; soon, between two episodes
        return began
    _write(under_way.run.spec, path, arrays, compressed=False)
    ended = time.monotonic()
    return ended + max(SECONDS_BETWEEN_CHECKPOINTS, (ended - began) / COST_OF_CHECKPOINTS)


def _write(
    spec: RunSpec, path: Path, arrays: Mapping[str, np.ndarray], compressed: bool = True
) -> None:
    """Write arrays that belong to a run, with a header that says so."""
    write_arrays(path, {"header": np.array(_json(spec.description)), **arrays}, compressed)


def _arrays_of(spec: RunSpec, path: Path) -> dict[str, np.ndarray]:
    """The arrays that `_write` wrote of this run."""
    arrays = read_arrays(path)
    _check_header(json.loads(str(arrays.pop("header"))), spec)
    return arrays


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
