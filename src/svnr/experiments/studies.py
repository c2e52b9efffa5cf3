"""Studies of settings, as their journals hold them, and what they chose.

A study is a journal file of JSON lines that any number of processes may write to, so a killed
study goes on where it stopped and can be read with a text editor.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from svnr.checks import Count, Settings, check_one_of
from svnr.experiments.catalogue import GAMES, LEARNERS, example, resolved
from svnr.experiments.recipes import MANY_STEPS_RANGES, Range
from svnr.experiments.repository import repository_root

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True, kw_only=True)
class StudySpec(Settings):
    """What is tuned, where, and with what budget."""

    game: str
    learner: str
    n_trials: Count = 50  # §8
    n_seeds: Count = 2  # runs a trial; ours
    n_episodes: Count = 5000  # of a run (§8.1)
    sampler_seed: int = 0
    overrides: Mapping[str, Any] = field(default_factory=dict)  # settings that no trial changes

    def __post_init__(self) -> None:
        """Refuse unknown names and empty budgets before anything is run."""
        super().__post_init__()
        if ":" not in self.game:
            check_one_of("game", self.game, GAMES)
        check_one_of("learner", self.learner, LEARNERS)

    @property
    def name(self) -> str:
        """What the study is called in its file."""
        return f"{self.learner} on {self.game}"

    @property
    def ranges(self) -> dict[str, Range]:
        """What is searched, and where."""
        if self.game in GAMES:
            of_game = GAMES[self.game].ranges
        else:
            of_game = MANY_STEPS_RANGES if example(self.game).horizon > 1 else {}
        searched = LEARNERS[self.learner].ranges.items()
        return {n: of_game.get(n, r) for n, r in searched if n not in self.overrides}

    def journal(self, folder: Path) -> Path:
        """The study's file below `folder`; studies of other lengths or overrides lie apart."""
        length = "" if self.n_episodes == 5000 else f"-{self.n_episodes}"
        settings = resolved(self.learner, self.game, self.overrides) if self.overrides else None
        held = "".join(f"-{name}-{getattr(settings, name)}" for name in sorted(self.overrides))
        named = re.sub(r"[^\w.-]+", "_", f"{self.learner}{length}{held}")
        return folder / self.game.replace("/", "_") / f"{named}.jsonl"


def begin(spec: StudySpec, folder: Path, described: Mapping[str, Any]) -> "optuna.Study":
    """The study of `spec`, to go on with; made if there is none, mended if its file is damaged.

    Args:
        spec: what is tuned.
        folder: of the journals.
        described: what its trials depend on; kept in the journal.

    Raises:
        ValueError: if the journal is of a study that depends on something else.
    """
    path = spec.journal(folder)
    if path.exists():
        _journal().mend(path)
    study = _study(spec.name, path)
    if not study.trials and "described" not in study.user_attrs:
        study.set_user_attr("described", dict(described))
    told = study.user_attrs.get("described", {})  # older ones say nothing
    scored = {"n_scored": min(100, spec.n_episodes)} if told else {}  # where it is not said
    for name, known in (scored | told).items():
        if known != described.get(name):
            other = f"whose {name} is {known!r}, got {described.get(name)!r}"
            raise ValueError(f"folder must hold no other study, {path} is one {other}")
    return study


def read_study(spec: StudySpec, folder: Path) -> "optuna.Study":
    """The study of `spec` as it stands, to look at; its file is not touched.

    Raises:
        ValueError: if there is none.
    """
    return _begun(spec.name, spec.journal(folder))


def _begun(name: str, path: Path) -> "optuna.Study":
    if not path.exists() or not path.stat().st_size:
        raise ValueError(f"study must be one that was begun, there is no {path}")
    return _study(name, path)


@cache
def _best(name: str, path: Path) -> dict[str, Any]:
    return _begun(name, path).best_params


def _study(name: str, path: Path) -> "optuna.Study":
    storage = _journal().storage(path)
    import optuna

    names = optuna.get_all_study_names(storage)
    if not names:
        return optuna.create_study(storage=storage, study_name=name, direction="maximize")
    if names != [name]:
        raise ValueError(f"{path} must hold the study {name!r}, got {names}")
    return optuna.load_study(storage=storage, study_name=name)


def _journal() -> ModuleType:
    try:
        from svnr.experiments import journal
    except ImportError as error:
        raise ValueError('studies need Optuna: pip install "svnr[tune]"') from error
    return journal


def committed(learner: str, game: str, **overrides: Any) -> StudySpec:
    """The study that serves a learner on a game, with the budget that all on that game had.

    Variants of a game have its study, and the ablations of SVNR have SVNR's.

    Args:
        learner: by name.
        game: by name.
        overrides: settings that all trials of the study have.

    Raises:
        ValueError: for a game or a learner that was not tuned.
    """
    check_one_of("learner", learner, LEARNERS)
    if game not in GAMES or not GAMES[game].tuned_as:
        known = sorted({row.tuned_as for row in GAMES.values() if row.tuned_as})
        wanted = f"one that was tuned, {known}, or a variant: of these a study is committed"
        raise ValueError(f"game must be {wanted}, got {game!r}")
    studied, studying = GAMES[game].tuned_as, LEARNERS[learner].tuned_as or learner
    budget = usual_budget(studied)
    return StudySpec(game=studied, learner=studying, overrides=overrides, **budget)


def usual_budget(game: str) -> dict[str, int]:
    """How many trials all studies on a game have, and of how many episodes, where it says so."""
    if game not in GAMES or not GAMES[game].n_trials:
        return {}
    return {"n_trials": GAMES[game].n_trials, "n_episodes": GAMES[game].trial_length}


def tuned(learner: str, game: str, **overrides: Any) -> Mapping[str, Any]:
    """The settings that tuning chose for a learner on a game: those of its study's best trial.

    Numbers are taken to three digits. The studies are those in the repository's `results/tuning`;
    arguments as of `committed`, whose overrides are among the settings.

    Raises:
        ValueError: for a game or a learner that was not tuned.
    """
    spec = committed(learner, game, **overrides)
    best = _best(spec.name, spec.journal(repository_root() / "results" / "tuning"))
    return {name: where.onto(best[name]) for name, where in spec.ranges.items()} | overrides
