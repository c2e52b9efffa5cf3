"""Tuning with Optuna's TPE sampler, with one budget and one objective for every learner (§8).

The runs of the trials are kept as any other runs, so that of a killed trial only the runs in
flight are lost.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from svnr.experiments import catalogue
from svnr.experiments.catalogue import Range
from svnr.experiments.engine import each
from svnr.experiments.runs import Run
from svnr.experiments.specs import run_spec
from svnr.experiments.store import attempt, load
from svnr.experiments.studies import StudySpec, storage

if TYPE_CHECKING:
    import optuna

FIRST_SEED = 1000  # of the runs of a trial; the runs that are reported use seeds from 0
WORST = -1000.0  # the score of a run that diverged; below what any joint action here earns


def tune(
    spec: StudySpec, folder: Path, n_jobs: int = 1, on_done: Callable[[], None] = lambda: None
) -> "optuna.Study":
    """Go on with a study until it has `n_trials` finished trials; returns it.

    The first trial is the learner's own settings. A trial whose first run falls below the median
    of the first runs before it is not run on further seeds.

    Args:
        spec: what is tuned.
        folder: holds the journals; the runs of the trials lie in `runs` below it.
        n_jobs: processes that take trials of the study side by side.
        on_done: called after each trial, or after those of each process, for a progress bar.
    """
    open_study(spec, folder)  # made before the processes ask for it
    take = partial(_take_trials, spec, folder)
    if n_jobs == 1:
        take(0, on_done)
    else:
        each(take, range(n_jobs), n_jobs, lambda done: on_done())
    return open_study(spec, folder)


def open_study(spec: StudySpec, folder: Path, worker: int = 0) -> "optuna.Study":
    """The study of `spec`, made if there is none; its first trial is the learner's defaults."""
    path = spec.journal(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = storage(path)
    import optuna

    study = optuna.create_study(
        storage=stored,
        study_name=spec.name,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=spec.sampler_seed + worker),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
        load_if_exists=True,
    )
    if not study.trials:
        settings = catalogue.resolved(spec.learner, spec.game, {})
        study.enqueue_trial({name: getattr(settings, name) for name in spec.ranges})
    return study


def _take_trials(
    spec: StudySpec, folder: Path, worker: int, on_done: Callable[[], None] = lambda: None
) -> None:
    study = open_study(spec, folder, worker)
    while len(finished_trials(study)) < spec.n_trials:
        study.optimize(lambda trial: score(trial, spec, folder), n_trials=1)
        on_done()


def finished_trials(study: "optuna.Study") -> list:
    """The trials of a study that ended by themselves, pruned ones included."""
    return [trial for trial in study.trials if trial.state.name in ("COMPLETE", "PRUNED")]


def suggested(trial: "optuna.Trial", name: str, where: Range) -> float:
    """A value of a setting for this trial."""
    if isinstance(where.low, int):
        return trial.suggest_int(name, where.low, int(where.high), step=where.step)
    return trial.suggest_float(name, where.low, where.high, log=where.log)


def score(trial: "optuna.Trial", spec: StudySpec, folder: Path) -> float:
    """The objective: the mean return of the last 100 episodes, over the seeds of a trial."""
    import optuna

    changes = {name: suggested(trial, name, where) for name, where in spec.ranges.items()}
    rewards: list[float] = []
    for index in range(spec.n_seeds):
        rewards.append(_last_reward(spec, FIRST_SEED + index, changes, folder / "runs"))
        trial.report(float(np.mean(rewards)), index)
        if index + 1 < spec.n_seeds and trial.should_prune():
            raise optuna.TrialPruned
    return float(np.mean(rewards))


def _last_reward(spec: StudySpec, seed: int, changes: dict[str, Any], folder: Path) -> float:
    asked = run_spec(
        spec.game, spec.learner, seed, spec.n_episodes, changes, training={"n_test": 1}
    )
    run = load(asked, folder) or attempt(folder, asked)
    return run.last(100) if isinstance(run, Run) else WORST
