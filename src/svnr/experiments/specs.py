"""A run before it is run: what is played, who learns, how, for how long, and the seed."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, Literal

import torch

from svnr.checks import (
    Count,
    Settings,
    Whole,
    changed,
    check_count,
    check_one_of,
    fitted,
    plain,
)
from svnr.experiments import catalogue
from svnr.experiments.studies import tuned

FORMAT = 3  # of the run files
LOOP = 1  # version of the training loop, raised when a change of it changes a run's numbers
EVALUATION = 1  # the same of the tests after training

Protocol = Literal["as set", "as tuned"]


@dataclass(frozen=True, kw_only=True)
class TrainSettings(Settings):
    """How long a run is and how it is tested: the part that is the same for every learner."""

    length: Count = 5000  # of a run (§8.1, §8.2)
    unit: Literal["episodes", "steps"] = "episodes"  # of the length; steps of all copies together
    n_copies: Count = 1  # of the game, played side by side
    n_test: Count = 1000  # episodes of each evaluation; ours
    test_every: Whole = 0  # units between evaluations during the run; 0: none
    trace_every: Whole = 0  # episodes between measurements of PRO and ERO; 0: none


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """A run before it is run, its settings resolved; made by `run_spec`."""

    game: str
    learner: str
    seed: int
    settings: Any  # of the learner
    training: TrainSettings

    @cached_property
    def description(self) -> dict[str, Any]:
        """Everything that the run's numbers depend on, as plain data."""
        game, version = catalogue.example(self.game), catalogue.learner_class(self.learner).version
        rules = {"name": game.name, "version": game.version, "rules": plain(game.rules())}
        source = catalogue.source_hash(self.game)
        return {
            "format": FORMAT,
            "game": rules | ({"source": source} if source else {}),
            "learner": {"name": self.learner, "version": version},
            "settings": self.settings.plain(),
            "training": self.training.plain(),
            "seed": self.seed,
            "loop": LOOP,
            "evaluation": EVALUATION,
            "dtype": str(torch.get_default_dtype()),
        }

    @cached_property
    def key(self) -> str:
        """A short hash of the description: equal runs have equal keys."""
        text = json.dumps(self.description, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def file(self, folder: Path | str, ending: str) -> Path:
        """Where what is kept of the run lies below a folder of results."""
        game = re.sub(r"[^\w.-]+", "_", catalogue.example(self.game).name)
        return Path(folder) / game / f"{self.learner}-s{self.seed}-{self.key}{ending}"


def run_spec(
    game: str,
    learner: str,
    seed: int = 0,
    n_episodes: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    protocol: Protocol = "as set",
    training: Mapping[str, Any] | None = None,
) -> RunSpec:
    """One run, with everything checked and resolved.

    A run of fewer episodes than it would be tested on is tested on as many as it has: a rehearsal
    should not be all test.

    Args:
        game: by name, or by where it is made (`catalogue.make_game`).
        learner: by name.
        seed: of the run.
        n_episodes: its length; if it is not told, as long as runs of this game are.
        overrides: setting → value, of the learner.
        protocol: the settings that the overrides override: "as set" the learner's own on this
            game, or "as tuned" those that its study found.
        training: field of `TrainSettings` → value; `length` and `unit` in place of `n_episodes`.

    Raises:
        ValueError: for a game, learner, setting or part of training that there is not.
    """
    check_one_of("protocol", protocol, ("as set", "as tuned"))
    fitted("game", game, str)
    chosen = tuned(learner, game) if protocol == "as tuned" else {}
    settings = catalogue.resolved(learner, game, {**chosen, **(overrides or {})})
    told = changed(_usual_training(game, n_episodes), training or {})
    if (unit := getattr(settings, "schedule_unit", 1)) > told.length:
        raise ValueError(f"schedule_unit must be at most the length of {told.length}, got {unit}")
    return RunSpec(
        game=game,
        learner=learner,
        seed=check_count("seed", seed, least=0),
        settings=settings,
        training=told,
    )


def _usual_training(game: str, n_episodes: int | None) -> TrainSettings:
    """How runs of a game are, if of so many episodes then in place of its own length."""
    usual = TrainSettings(**(catalogue.GAMES[game].training if game in catalogue.GAMES else {}))
    if n_episodes is None:
        return usual
    n = check_count("n_episodes", n_episodes)
    n_test = min(usual.n_test, n)
    return replace(usual, length=n, unit="episodes", n_test=n_test, test_every=0)


def grid(
    games: Sequence[str],
    learners: Sequence[str],
    n_seeds: int,
    n_episodes: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    protocol: Protocol = "as set",
    training: Mapping[str, Any] | None = None,
) -> list[RunSpec]:
    """Every learner on every game with seeds 0 to n_seeds − 1; arguments as of `run_spec`."""
    return [
        run_spec(game, learner, seed, n_episodes, overrides, protocol, training)
        for game, learner, seed in product(games, learners, range(check_count("n_seeds", n_seeds)))
    ]
