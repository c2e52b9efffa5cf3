"""Finished runs on disk: read what exists, run what is missing, lose nothing.

One file a run, `GAME/LEARNER-sSEED-KEY.npz`, holds its arrays and a JSON header and no pickles.
The key is a hash of everything the numbers depend on, so a short run is never mistaken for a long
one. A file is written beside its place and renamed into it; a damaged one is set aside.
"""

import contextlib
import hashlib
import json
import multiprocessing
import os
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from svnr.experiments import evaluate, scenarios
from svnr.experiments.settings import TrainSettings
from svnr.experiments.train import DivergedError, train
from svnr.games.game import check_count
from svnr.learners.learner import Learner

FORMAT = 1  # of the run files


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """A run before it is run: what is played, who learns, how, and the seed."""

    game: str
    learner: str
    seed: int
    overrides: Mapping[str, Any] = field(default_factory=dict)  # of the learner's settings
    training: TrainSettings = field(default_factory=TrainSettings)
    trace_every: int = 0  # steps between measurements of PRO and ERO while training; 0: none

    def __post_init__(self) -> None:
        """Refuse unknown names and settings before anything is run."""
        check_count("trace_every", self.trace_every, least=0)
        scenarios.check_name("game", self.game, scenarios.GAMES)
        scenarios.learner_settings(self.learner, self.overrides)

    def describe(self) -> dict[str, Any]:
        """Everything that the run's numbers depend on, as plain data."""
        settings = asdict(scenarios.learner_settings(self.learner, self.overrides))
        return {
            "format": FORMAT,
            "game": self.game,
            "learner": self.learner,
            "learner_version": scenarios.learner_version(self.learner),
            "settings": _plain(settings),
            "training": asdict(self.training),
            "seed": self.seed,
            **({"trace_every": self.trace_every} if self.trace_every else {}),
        }

    def key(self) -> str:
        """A short hash of `describe`."""
        text = json.dumps(self.describe(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def path(self, folder: Path) -> Path:
        """Where the finished run lies below `folder`."""
        return folder / self.game / f"{self.learner}-s{self.seed}-{self.key()}.npz"


@dataclass(frozen=True)
class Run:
    """A finished run."""

    spec: RunSpec
    header: dict[str, Any]
    reward: np.ndarray  # [T] the team's reward of every training step
    visited: np.ndarray  # [T, D] the joint action of every training step, half precision
    metrics: dict[str, np.ndarray]  # name → [T], NaN where there was no update
    tested: dict[str, np.ndarray]  # way of execution → [n_test] returns
    perceived: np.ndarray  # [N, n_test, D] samples of the perceived joint policies
    trace: dict[str, np.ndarray] = field(default_factory=dict)  # step [K], pro and ero [K, N]

    def last(self, n: int = 100) -> float:
        """The mean reward of the last n training steps."""
        return float(self.reward[-n:].mean())


def _plain(value: Any) -> Any:
    """Sets and tuples as sorted lists, so that JSON can hold them."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread, so that a run's numbers do not depend on who calls it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def execute(spec: RunSpec) -> tuple[Run, Learner]:
    """Train and evaluate as `spec` says; returns the run and the trained learner.

    Raises:
        DivergedError: if the learner's numbers turn infinite or NaN.
    """
    game = scenarios.make_game(spec.game)
    settings = scenarios.learner_settings(spec.learner, spec.overrides)
    with one_thread():
        learner = scenarios.make_learner(
            spec.learner, game, settings, spec.training.n_steps, spec.seed
        )
        records, traced = [], []
        for record in train(game, learner, spec.training, seed=spec.seed):
            records.append(record)
            if spec.trace_every and record.step % spec.trace_every == 0:
                gaps = evaluate.over_generalization(game, learner, spec.training.n_test, spec.seed)
                traced.append({"step": np.array(record.step), **gaps})
        tested = {
            execution: evaluate.returns(game, learner, execution, spec.training.n_test, spec.seed)
            for execution in ("shared", "independent", "greedy")
        }
        perceived = evaluate.perceived(game, learner, spec.training.n_test, spec.seed)
    names = sorted({name for record in records for name in record.metrics})
    run = Run(
        spec=spec,
        header=spec.describe(),
        reward=np.array([record.reward for record in records], dtype=np.float32),
        visited=np.array([record.u for record in records], dtype=np.float16),
        metrics={
            name: np.array([r.metrics.get(name, np.nan) for r in records], dtype=np.float32)
            for name in names
        },
        tested=tested,
        perceived=perceived.astype(np.float16),
        trace={name: np.stack([row[name] for row in traced]) for name in (traced or [{}])[0]},
    )
    return run, learner


def save(run: Run, folder: Path) -> Path:
    """Write a run beside its place and rename it into it; returns the place."""
    path = run.spec.path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        "header": np.array(json.dumps(run.header, sort_keys=True)),
        "reward": run.reward,
        "visited": run.visited,
        "perceived": run.perceived,
        **{f"metric_{name}": values for name, values in run.metrics.items()},
        **{f"tested_{name}": values for name, values in run.tested.items()},
        **{f"trace_{name}": values for name, values in run.trace.items()},
    }
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    _failure_path(path).unlink(missing_ok=True)
    return path


def load(spec: RunSpec, folder: Path) -> Run | None:
    """The finished run of `spec`, or None if there is none.

    A file that cannot be read is renamed to end in `.damaged`, with a warning that names it.
    """
    path = spec.path(folder)
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return _run_from(spec, arrays)
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        warnings.warn(
            f"{path.name} could not be read ({error}) and was set aside as {aside.name}; "
            "the run is missing again",
            stacklevel=2,
        )
        return None


def _run_from(spec: RunSpec, arrays: dict[str, np.ndarray]) -> Run:
    def starting(prefix: str) -> dict[str, np.ndarray]:
        return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}

    header = json.loads(str(arrays["header"]))
    if header != spec.describe():
        raise ValueError("its header describes another run")
    return Run(
        spec,
        header,
        arrays["reward"],
        arrays["visited"],
        starting("metric_"),
        starting("tested_"),
        arrays["perceived"],
        starting("trace_"),
    )


def _failure_path(path: Path) -> Path:
    return path.with_suffix(".failed.json")


def _run_and_save(spec: RunSpec, folder: Path) -> Path | None:
    """Do one run and store it, or store the record that it failed."""
    try:
        return save(execute(spec)[0], folder)
    except DivergedError as error:
        path = _failure_path(spec.path(folder))
        path.parent.mkdir(parents=True, exist_ok=True)
        record = {"error": str(error), "step": error.step, "run": spec.describe()}
        unfinished = path.with_suffix(f".{os.getpid()}.tmp")
        unfinished.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
        unfinished.replace(path)
        return None


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
    _sweep(folder)
    if n_jobs == 1 or len(missing) == 1:
        for spec in missing.values():
            _run_and_save(spec, folder)
            on_done(spec)
    else:
        _run_in_processes(list(missing.values()), folder, n_jobs, on_done)
    for key, spec in missing.items():
        found[key] = load(spec, folder)
    failed = [spec for spec in missing.values() if found[spec.key()] is None]
    if failed:
        record = json.loads(_failure_path(failed[0].path(folder)).read_text())
        settings = scenarios.learner_settings(failed[0].learner, failed[0].overrides)
        raise _failure(record, len(failed), settings)
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
    """Run specs in spawned processes; one that is killed costs only the runs in flight."""
    waiting = list(specs)
    attempts = 0
    while waiting:
        attempts += 1
        context = multiprocessing.get_context("spawn")
        done: list[RunSpec] = []
        try:
            with ProcessPoolExecutor(min(n_jobs, len(waiting)), context) as pool:
                futures = {pool.submit(_run_and_save, spec, folder): spec for spec in waiting}
                for future in as_completed(futures):
                    future.result()
                    done.append(futures[future])
                    on_done(futures[future])
        except BrokenProcessPool:
            if attempts == 3:
                raise
        waiting = [spec for spec in waiting if spec not in done]


def _sweep(folder: Path) -> None:
    """Delete what killed processes left half written."""
    for path in folder.glob("*/*.tmp"):
        pid = int(path.suffixes[-2].removeprefix("."))
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            path.unlink(missing_ok=True)
        except PermissionError:
            continue


def grid(
    games: Sequence[str],
    learners: Sequence[str],
    n_seeds: int,
    n_steps: int,
    overrides: Mapping[str, Any] | None = None,
) -> list[RunSpec]:
    """Every learner on every game with seeds 0 to n_seeds − 1."""
    return [
        RunSpec(
            game=game,
            learner=learner,
            seed=seed,
            overrides=dict(overrides or {}),
            training=TrainSettings(n_steps=n_steps),
        )
        for game in games
        for learner in learners
        for seed in range(n_seeds)
    ]
