"""Tuning with Optuna's TPE sampler, with one budget and one objective for every learner (§8).

A trial is its number: its settings follow from the number and from the trials that it may see, so
a study does not depend on how often it was interrupted, or on how many processes worked at it. Of
a trial that was killed nothing is written; its finished runs are kept, as any others, and read.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from math import ceil, inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from svnr.checks import plain
from svnr.experiments import catalogue
from svnr.experiments.engine import feed, pool
from svnr.experiments.files import claimed
from svnr.experiments.runs import Run
from svnr.experiments.specs import RunSpec, run_spec
from svnr.experiments.store import attempt
from svnr.experiments.studies import StudySpec, begin

if TYPE_CHECKING:
    import optuna

FIRST_SEED = 1000  # of the runs of a trial; the runs that are reported use seeds from 0
DIVERGED = -inf  # the score of a run that diverged: below what any game pays
LAG = 4  # a trial sees those up to this many before it; as many can go side by side
N_UNPRUNED = 5  # trials that are run on all seeds, before any is not


@dataclass(frozen=True)
class Trial:
    """Settings to be scored, and their scores when they are."""

    number: int
    settings: dict[str, float]
    floor: float = -inf  # below it, the first seed is the last
    scores: list[float] = field(default_factory=list)  # one a seed


def tune(
    spec: StudySpec,
    folder: Path,
    n_jobs: int = 1,
    on_done: Callable[[int], None] = lambda n_done: None,
) -> "optuna.Study":
    """Go on with a study until it has `n_trials` finished trials; returns it.

    The first trial is the learner's own settings. A trial whose first run falls below the median
    of the first runs that it may see is not run on further seeds. One caller is at a study at a
    time; who comes later waits, and finds it done.

    Args:
        spec: what is tuned.
        folder: holds the journals; the runs of the trials lie in `runs` below it.
        n_jobs: trials side by side, at most four.
        on_done: called with the number of finished trials, first and after each.

    Raises:
        ValueError: if the study in `folder` was begun with other rules, ranges or seeds.
    """
    told = description(spec)  # all is checked before anything is written
    with claimed(spec.journal(folder).with_suffix(".lock")):
        study = begin(spec, folder, told)
        search = Search(spec, study, on_done)
        on_done(len(search.trials))
        if search.begun < spec.n_trials:
            take = partial(score, spec, folder / "runs")
            feed(take, search.next, search.add, partial(pool, n_jobs))
        return study


def description(spec: StudySpec) -> dict[str, Any]:
    """Everything that the trials of a study depend on, as plain data.

    Raises:
        ValueError: for a game, a learner or a setting that there is not.
    """
    own = catalogue.resolved(spec.learner, spec.game, spec.overrides)
    for name, where in spec.ranges.items():
        if not where.low <= getattr(own, name) <= where.high:
            begin = f"in {where.low:g} to {where.high:g}, where trials begin"
            raise ValueError(f"{name} must lie {begin}, got {getattr(own, name)!r}")
    ranges = {name: asdict(where) for name, where in spec.ranges.items()}
    told = {"n_seeds": spec.n_seeds, "sampler_seed": spec.sampler_seed, "ranges": ranges}
    told |= {"n_scored": n_scored(spec)}
    return plain(_run(spec, FIRST_SEED, {}).description | told)


def _run(spec: StudySpec, seed: int, settings: dict[str, Any]) -> RunSpec:
    tested = {"n_test": 1}
    told = {**spec.overrides, **settings}
    return run_spec(spec.game, spec.learner, seed, spec.n_episodes, told, training=tested)


class Search:
    """A study under way: which trial may begin, and those that are done, in order."""

    def __init__(
        self, spec: StudySpec, study: "optuna.Study", on_done: Callable[[int], None]
    ) -> None:
        self.spec, self.study, self.on_done = spec, study, on_done
        self.trials = finished_trials(study)
        self.begun = len(self.trials)
        self._waiting: dict[int, Trial] = {}  # done before one that was begun before them

    def next(self) -> Trial | None:
        """The next trial, if there is one and all that it sees are done."""
        n_seen = max(0, self.begun + 1 - LAG)
        if self.begun >= self.spec.n_trials or len(self.trials) < n_seen:
            return None
        self.begun += 1
        return proposed(self.spec, self.begun - 1, self.trials[:n_seen])

    def add(self, trial: Trial) -> None:
        """Write down a trial that is done, after those that were begun before it."""
        self._waiting[trial.number] = trial
        while done := self._waiting.pop(len(self.trials), None):
            self.trials.append(finished(self.spec, done))
            self.study.add_trial(self.trials[-1])
            self.on_done(len(self.trials))


def finished_trials(study: "optuna.Study") -> list["optuna.trial.FrozenTrial"]:
    """The trials of a study that ended by themselves, pruned ones included."""
    return [trial for trial in study.trials if trial.state.name in ("COMPLETE", "PRUNED")]


def proposed(spec: StudySpec, number: int, seen: Sequence["optuna.trial.FrozenTrial"]) -> Trial:
    """A trial, from its number and the trials that it sees; the first is the learner's own."""
    import optuna

    first = [trial.intermediate_values[0] for trial in seen if trial.state.name == "COMPLETE"]
    floor = float(np.median(first)) if len(first) >= N_UNPRUNED else -inf
    if number == 0:
        own = catalogue.resolved(spec.learner, spec.game, spec.overrides)
        return Trial(0, {name: getattr(own, name) for name in spec.ranges})
    seed = np.random.SeedSequence([spec.sampler_seed, number]).generate_state(1)
    sampler = optuna.samplers.TPESampler(seed=int(seed[0]))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.add_trials(seen)
    return Trial(number, study.ask(_distributions(spec)).params, floor)


def _distributions(spec: StudySpec) -> dict[str, Any]:
    from optuna.distributions import FloatDistribution, IntDistribution

    return {
        name: IntDistribution(where.low, int(where.high), step=where.step)
        if isinstance(where.low, int)
        else FloatDistribution(where.low, where.high, log=where.log)
        for name, where in spec.ranges.items()
    }


def n_scored(spec: StudySpec) -> int:
    """By how many of its last episodes a run is scored: 100, of a short run the last tenth."""
    return min(100, ceil(spec.n_episodes / 10))


def score(spec: StudySpec, folder: Path, trial: Trial) -> Trial:
    """The trial with its scores: mean returns of a run's last episodes, one a seed."""
    scores: list[float] = []
    for seed in range(FIRST_SEED, FIRST_SEED + spec.n_seeds):
        run = attempt(folder, _run(spec, seed, trial.settings), wait=True)
        scores.append(run.last(n_scored(spec)) if isinstance(run, Run) else DIVERGED)
        if scores[0] < trial.floor:
            break
    return replace(trial, scores=scores)


def finished(spec: StudySpec, trial: Trial) -> "optuna.trial.FrozenTrial":
    """A trial as its study holds it: the objective is the mean of its scores."""
    import optuna

    means = [float(np.mean(trial.scores[: n + 1])) for n in range(len(trial.scores))]
    whole = len(trial.scores) == spec.n_seeds
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.COMPLETE if whole else optuna.trial.TrialState.PRUNED,
        value=means[-1],
        params=trial.settings,
        distributions=_distributions(spec),
        intermediate_values=dict(enumerate(means)),
    )
