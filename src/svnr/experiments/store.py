"""Runs on disk: read what is finished, go on with what is not, lose nothing.

A run is two files below the folder of its game, `LEARNER-sSEED-KEY`: `.json` says everything that
its numbers depend on and where they were made, `.npz` holds its arrays, without pickles. The key
is a hash of the former, so a short run is never mistaken for a long one. Beside them may lie the
trained learner (`.policy.npz`), what an interrupted run goes on from (`.unfinished.npz`), the
record of a run that failed (`.failed.json`), the claim of whoever is at it (`.lock`), a file that
was damaged.
"""

import builtins
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
from svnr.experiments.files import (
    check_writable,
    claimed,
    discard,
    read_arrays,
    read_or_set_aside,
    sweep,
    write_arrays,
    write_text,
)
from svnr.experiments.runs import Run, UnderWay
from svnr.experiments.specs import RunSpec
from svnr.experiments.stopping import Stopped, stopping
from svnr.experiments.train import DivergedError
from svnr.games.game import NotFiniteError
from svnr.learners.checkpoint import below
from svnr.learners.learner import Learner

SECONDS_BETWEEN_CHECKPOINTS = 60.0  # at least
COST_OF_CHECKPOINTS = 0.04  # of the time, at most


def save(run: Run, folder: Path) -> None:
    """Write a finished run; its header comes last, and says that it is whole."""
    # So that no other run's arrays are taken for these, and a changed header is noticed.
    told = {"key": np.array(run.spec.key), "made": np.array(_json(run.made))}
    write_arrays(run.spec.file(folder, ".npz"), run.table | told)
    write_text(run.spec.file(folder, ".json"), _json(run.spec.description | {"made": run.made}))
    for leftover in (".failed.json", ".unfinished.npz"):
        run.spec.file(folder, leftover).unlink(missing_ok=True)


def load(spec: RunSpec, folder: Path) -> Run | None:
    """The finished run of `spec`, or None if there is none; a damaged file is set aside."""
    made = read_or_set_aside(spec.file(folder, ".json"), partial(_made, spec))
    table = made and read_or_set_aside(spec.file(folder, ".npz"), partial(_table, spec, made))
    return Run(spec, table, made) if made and table else None


def _table(spec: RunSpec, made: dict[str, Any], path: Path) -> dict[str, np.ndarray]:
    """The arrays of a run, from its file."""
    table = read_arrays(path)
    header = str(table.pop("made", _json(made)))  # older runs have none
    if str(table.pop("key")) != spec.key or header != _json(made):
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

    A run that somebody else is at, on this machine or over a shared folder, is left to him.

    Raises:
        DivergedError: after all others are done, if a run diverged; its record lies in `folder`.
        OSError: before anything is run, if `folder` is full or cannot be written to.
        Stopped: if that was asked for; the same call goes on.
    """
    wanted = {spec.key: spec for spec in specs}
    found = {key: run for key, spec in wanted.items() if (run := load(spec, folder)) is not None}
    missing = [spec for key, spec in wanted.items() if key not in found]
    for spec in missing:
        check_writable(spec.file(folder, ".unfinished.npz"))
    with _bar(len(wanted), len(found)) as bar:

        def count(run: Run | str | None) -> None:
            bar.update(bool(run))
            running = min(n_jobs, left := bar.total - bar.n)
            bar.set_postfix_str(f"{running} running, {left - running} left")

        count(None)
        made = each(partial(attempt, folder), missing, n_jobs, count)
        others = [spec for spec, run in zip(missing, made, strict=True) if run is None]
        made += each(partial(attempt, folder, wait=True), others, n_jobs, count)
    failed = [error for error in made if isinstance(error, str)]
    if failed:
        raise DivergedError(f"{len(failed)} of the runs failed; the first, {failed[0]}")
    found |= {run.spec.key: run for run in made if isinstance(run, Run)}
    return [found[spec.key] for spec in specs]


def kept(specs: Sequence[RunSpec], folder: Path, n_jobs: int = 1, n_made: int = 0) -> list[Run]:
    """The runs of `specs` that there are, in order; of the first seeds the missing ones are run.

    Args:
        specs: the runs wanted.
        folder: where finished runs lie.
        n_jobs: see `collect`, as for what it raises.
        n_made: of how many seeds, from 0 on; by default nothing is run.
    """
    collect([spec for spec in specs if spec.seed < n_made], folder, n_jobs)
    return [run for spec in specs if (run := load(spec, folder))]


def trained(spec: RunSpec, folder: Path) -> Learner:
    """The learner as it was at the end of the run of `spec`; trained now if it was not kept.

    Args:
        spec: the run.
        folder: where finished runs lie; the learner is kept beside its run.

    Where there is no run yet, both are kept: who wants both asks for the learner first.

    Raises:
        DivergedError: if the run fails, or has failed before.
    """
    path = spec.file(folder, ".policy.npz")
    if kept := read_or_set_aside(path, partial(_policy, spec)):
        return kept
    each(partial(_keep_policy, folder), [spec])
    return _policy(spec, path)


def _keep_policy(folder: Path, spec: RunSpec) -> None:
    path = spec.file(folder, ".policy.npz")
    with claimed(spec.file(folder, ".lock")):
        if not path.exists():
            if told := failure(spec, folder):
                raise DivergedError(told)
            _, learner = _perform(spec, folder, keep=load(spec, folder) is None)
            state = {n: value.numpy() for n, value in learner.policy_dict().items()}
            _write(spec, path, {f"state_{name}": value for name, value in state.items()})
            discard(spec.file(folder, ".unfinished.npz"))


def _policy(spec: RunSpec, path: Path) -> Learner:
    game = catalogue.example(spec.game)
    learner: Learner = catalogue.learner_class(spec.learner)(game, spec.settings, spec.seed)
    state = below("state_", _arrays_of(spec, path))
    learner.load_state_dict({name: torch.from_numpy(v) for name, v in state.items()})
    return learner


def attempt(folder: Path, spec: RunSpec, wait: bool = False) -> Run | str | None:
    """Do one run, unless that was done.

    Args:
        folder: where finished runs lie.
        spec: the run.
        wait: for somebody else who is at it.

    Returns:
        The run; the words of its record if it failed; None if somebody else is at it.
    """
    with claimed(spec.file(folder, ".lock"), wait) as mine:
        if not mine:
            return None
        if done := load(spec, folder) or failure(spec, folder):
            return done
        try:
            return _perform(spec, folder)[0]
        except DivergedError as error:
            return str(error)


def failure(spec: RunSpec, folder: Path) -> str | None:
    """Why the run of `spec` failed, if it did: it would again, for equal runs are equal."""
    return read_or_set_aside(spec.file(folder, ".failed.json"), partial(_failure, spec))


def _failure(spec: RunSpec, path: Path) -> str:
    record = json.loads(path.read_text(encoding="utf-8"))
    _check_header(record["run"], spec)
    told = f"{spec.learner} on {spec.game} with seed {spec.seed}: {record['error']}"
    return f"{told} (its record is {path.name})"


def _perform(spec: RunSpec, folder: Path, keep: bool = True) -> tuple[Run, Learner]:
    """Do one run, from where it was interrupted if it was, and keep it, unless there is one.

    Raises:
        DivergedError: if a number of learner or game turns infinite or NaN; which is recorded.
        Stopped: if that was asked for, when a checkpoint is written.
    """
    sweep(folder)
    path = spec.file(folder, ".unfinished.npz")
    under_way = UnderWay(spec)  # first: what is wrong with it is no fault of a checkpoint's
    if path.exists() and not read_or_set_aside(path, partial(_resumed, under_way)):
        under_way.game.close()  # of a damaged checkpoint some may have been read
        under_way = UnderWay(spec)
    due = time.monotonic() + SECONDS_BETWEEN_CHECKPOINTS
    try:
        for _ in under_way.steps():
            if stopping() or time.monotonic() >= due:
                due = _write_checkpoint(under_way, path)
                if stopping() and due:
                    raise Stopped
        run = _finished(under_way, path)
    except (DivergedError, NotFiniteError) as error:
        record = {"error": str(error), "run": spec.description}
        write_text(spec.file(folder, ".failed.json"), _json(record))
        discard(path)
        raise DivergedError(failure(spec, folder) or str(error)) from error
    finally:
        under_way.game.close()
    if keep:
        save(run, folder)
    return run, under_way.learner


def _finished(under_way: UnderWay, path: Path) -> Run:
    """The run with its tests; where a game fails in these, what was learned is written down."""
    learned = under_way.arrays()
    try:
        return under_way.finish()
    except Exception:
        if learned:
            _write(under_way.run.spec, path, learned, compressed=False)
        raise


def _resumed(under_way: UnderWay, path: Path) -> UnderWay:
    """The run as a checkpoint has it."""
    under_way.resume(_arrays_of(under_way.run.spec, path))
    return under_way


def _write_checkpoint(under_way: UnderWay, path: Path) -> float:
    """Write down a run under way; returns the moment from which the next is due, or 0 if none is
    written: soon, between two episodes.
    """
    began = time.monotonic()
    if not (arrays := under_way.arrays()):
        return 0.0
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


def _bar(total: int, n_found: int) -> Any:
    """Runs done and left, and the time left, in a terminal and in a notebook; else nothing."""
    from tqdm import tqdm

    silent = False if hasattr(builtins, "__IPYTHON__") and n_found < total else None
    told = {"total": total, "initial": n_found, "desc": "runs", "unit": "run", "smoothing": 0}
    return tqdm(**told, disable=silent)
