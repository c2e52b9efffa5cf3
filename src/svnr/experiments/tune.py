"""Tuning with Optuna's TPE sampler, with one budget and one objective for every learner (§8).

A study is a journal file of JSON lines that any number of processes may write to, so a killed
study goes on where it stopped and can be read with a text editor. The runs of its trials are kept
as any other runs, so that of a killed trial only the runs in flight are lost.
"""

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from svnr.experiments import scenarios
from svnr.experiments.runs import RunSpec
from svnr.experiments.settings import tuned_on
from svnr.experiments.store import collect
from svnr.experiments.train import DivergedError

if TYPE_CHECKING:
    import optuna

FIRST_SEED = 1000  # of the runs of a trial; the runs that are reported use seeds from 0
WORST = -1000.0  # the score of a run that diverged; below what any joint action here earns


@dataclass(frozen=True)
class Range:
    """Where a setting is searched."""

    low: float
    high: float
    log: bool = False

    def suggest(self, trial: "optuna.Trial", name: str) -> float:
        """A value for this trial; whole numbers where both ends are."""
        if isinstance(self.low, int):
            return trial.suggest_int(name, self.low, int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)


RATE = Range(1e-4, 1e-1, log=True)  # §8
ALPHA = Range(1e-1, 10.0, log=True)  # §8
PARTICLES = Range(16, 64)  # §8
NOISE = Range(0.1, 2.0, log=True)  # ours; the public code has 0.5
SOFT = {"learning_rate": RATE, "alpha_final": ALPHA, "n_particles": PARTICLES}

RANGES: dict[str, dict[str, Range]] = {
    "svnr": SOFT,
    "svnr_f": SOFT,
    "svnr_m": SOFT,
    "masql": SOFT,
    "pr2": SOFT | {"noise_scale": NOISE},
    "rommeo": {"learning_rate": RATE, "alpha_final": ALPHA},
    "maddpg": {
        "learning_rate": RATE,
        "noise_scale": NOISE,
        "exploration_fraction": Range(0.05, 0.8),
    },
    "lenient": {
        "learning_rate": RATE,
        "leniency": Range(0.5, 20.0, log=True),
        "cooling": Range(0.9, 0.9999),
        "noise_scale": NOISE,
    },
    "hysteretic": {
        "learning_rate": RATE,
        "rate": Range(0.01, 1.0, log=True),
        "noise_scale": NOISE,
    },
}
RANGES_ON_GAME: dict[str, dict[str, Range]] = {  # in place of those above; ours
    "particle_gather": {
        "alpha_final": Range(1e-2, 1.0, log=True),  # what is earned is spread over steps
        "n_particles": Range(4, 16),  # of each of many states
    },
}


def search_space(learner: str, game: str) -> dict[str, Range]:
    """What is searched for a learner on a game, and where."""
    of_game = RANGES_ON_GAME.get(tuned_on(game), {})
    return {name: of_game.get(name, where) for name, where in RANGES[learner].items()}


@dataclass(frozen=True, kw_only=True)
class StudySpec:
    """What is tuned, where, and with what budget."""

    game: str
    learner: str
    n_trials: int = 50  # §8
    n_seeds: int = 2  # runs a trial; ours
    n_episodes: int = 5000  # of a run (§8.1)
    sampler_seed: int = 0

    def __post_init__(self) -> None:
        """Refuse unknown names and empty budgets before anything is run."""
        scenarios.check_name("game", self.game, scenarios.GAMES)
        scenarios.check_name("learner", self.learner, RANGES)
        for name in ("n_trials", "n_seeds", "n_episodes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    @property
    def name(self) -> str:
        """What the study is called in its file."""
        return f"{self.learner} on {self.game}"

    def journal(self, folder: Path) -> Path:
        """The study's file below `folder`; studies of other lengths lie apart."""
        length = "" if self.n_episodes == 5000 else f"-{self.n_episodes}"
        return folder / self.game / f"{self.learner}{length}.jsonl"


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
        on_done: called after each trial of this process, for a progress bar.
    """
    study = open_study(spec, folder)
    if n_jobs > 1:
        context = multiprocessing.get_context("spawn")
        workers = [
            context.Process(target=_work, args=(spec, folder, worker))
            for worker in range(1, n_jobs)
        ]
        for worker in workers:
            worker.start()
        _take_trials(study, spec, folder, on_done)
        for worker in workers:
            worker.join()
    else:
        _take_trials(study, spec, folder, on_done)
    return study


def open_study(spec: StudySpec, folder: Path, worker: int = 0) -> "optuna.Study":
    """The study of `spec`, made if there is none; its first trial is the learner's defaults."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = spec.journal(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=_storage(path),
        study_name=spec.name,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=spec.sampler_seed + worker),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
        load_if_exists=True,
    )
    if not study.trials:
        settings = scenarios.learner_settings(spec.learner, game=spec.game)
        searched = search_space(spec.learner, spec.game)
        study.enqueue_trial({name: getattr(settings, name) for name in searched})
    return study


def read_study(spec: StudySpec, folder: Path) -> "optuna.Study":
    """The study of `spec` as it stands, to look at; its file is not touched.

    Raises:
        ValueError: if there is none.
    """
    import optuna

    path = spec.journal(folder)
    if not path.exists():
        raise ValueError(f"study must be one that was begun, there is no {path}")
    return optuna.load_study(storage=_storage(path), study_name=spec.name)


def _storage(path: Path) -> "optuna.storages.JournalStorage":
    """The journal file at `path`, as Optuna reads and writes it."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(str(path)))


def _work(spec: StudySpec, folder: Path, worker: int) -> None:
    _take_trials(open_study(spec, folder, worker), spec, folder, lambda: None)


def _take_trials(
    study: "optuna.Study", spec: StudySpec, folder: Path, on_done: Callable[[], None]
) -> None:
    while len(finished_trials(study)) < spec.n_trials:
        study.optimize(lambda trial: score(trial, spec, folder), n_trials=1)
        on_done()


def finished_trials(study: "optuna.Study") -> list:
    """The trials of a study that ended by themselves, pruned ones included."""
    return [trial for trial in study.trials if trial.state.name in ("COMPLETE", "PRUNED")]


def score(trial: "optuna.Trial", spec: StudySpec, folder: Path) -> float:
    """The objective: the mean return of the last 100 episodes, over the seeds of a trial."""
    import optuna

    searched = search_space(spec.learner, spec.game)
    overrides = {name: where.suggest(trial, name) for name, where in searched.items()}
    rewards: list[float] = []
    for index in range(spec.n_seeds):
        rewards.append(_last_reward(spec, FIRST_SEED + index, overrides, folder / "runs"))
        trial.report(float(np.mean(rewards)), index)
        if index + 1 < spec.n_seeds and trial.should_prune():
            raise optuna.TrialPruned
    return float(np.mean(rewards))


def _last_reward(spec: StudySpec, seed: int, overrides: dict[str, Any], folder: Path) -> float:
    run = RunSpec(
        game=spec.game,
        learner=spec.learner,
        seed=seed,
        overrides=overrides,
        training=replace(scenarios.training(spec.game, spec.n_episodes), n_test=1),
    )
    try:
        return collect([run], folder)[0].last(100)
    except DivergedError:
        return WORST
