"""Every game and every learner: one row each. Nothing heavy is imported until one is made."""

import ast
import hashlib
import importlib.util
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svnr.checks import check_one_of

if TYPE_CHECKING:
    from svnr.games.game import Game
    from svnr.learners.learner import Learner


@dataclass(frozen=True)
class Range:
    """Where a setting is searched; whole numbers where both ends are, a `step` apart."""

    low: float
    high: float
    log: bool = False
    step: int = 1

    def onto(self, value: float) -> float:
        """A value as the search means it: on the grid of whole numbers, or to three digits."""
        if isinstance(self.low, int):
            return self.low + (int(value) - self.low) // self.step * self.step
        return float(f"{value:.3g}")


@dataclass(frozen=True)
class GameRow:
    """A game: where it is made and with what, and what is not as everywhere when it is played."""

    title: str
    made_by: str  # module:factory
    arguments: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the learners that have them
    tuned_as: str = ""  # the game whose studies serve this one; none if empty
    n_trials: int = 0  # of every study on it
    ranges: Mapping[str, Range] = field(default_factory=dict)  # in place of the learners' own


@dataclass(frozen=True)
class LearnerRow:
    """A learner: its class, the settings that set it apart, and where the others are searched."""

    title: str
    made_by: str  # module:class; its settings are called as the class, with "Settings" behind
    ranges: Mapping[str, Range]
    settings: Mapping[str, Any] = field(default_factory=dict)
    tuned_as: str = ""  # the learner whose studies serve this one, where it has none of its own


# --- games --------------------------------------------------------------------------------------

_MAX_OF_THREE = "svnr.games.differential:max_of_three"
_TWO_MODALITIES = "svnr.games.differential:two_modalities"
_GATHER: dict[str, Any] = {
    # Ours, alike for all methods; notebook 09, section 6, undoes them for SVNR.
    "episode_updates": 4,  # in place of one a step, of which an episode has up to 25
    "rewarded_share": 0.25,  # of a batch; else joint contacts are too rare to teach
    "layer_norm": True,  # against critics that feed on their own forecasts
    "discount": 0.8,  # a step of delay should cost more than a critic errs
    "target_rate": 0.005,
    "learning_rate": 0.003,
    "schedule": "geometric",
    "alpha_final": 0.03,  # the payoffs are 5 and −2, spread over steps
    "n_groups": 64,  # states differ here: more of them, fewer particles each
    "n_particles": 8,
    "n_value_particles": 1,  # V is then the expected Q; 24 take four times as long
    "n_samples": 4,  # ROMMEO's
}
_GATHER_RANGES = {
    "alpha_final": Range(1e-2, 1.0, log=True),  # what is earned is spread over steps
    "n_particles": Range(4, 16, step=2),  # of each of many states
}


def _matrix(title: str, factory: str, **arguments: Any) -> GameRow:
    return GameRow(title, f"svnr.games.matrix:{factory}", arguments)


GAMES: dict[str, GameRow] = {
    **{
        f"max_of_three_{s}{suffix}": GameRow(
            f"Max of Three, s₂ = {s}{told}",
            _MAX_OF_THREE,
            {"width": s, "form": form},
            tuned_as="max_of_three_1.5",
            n_trials=50,  # §8
        )
        for suffix, form, told in (
            ("", "printed", ""),
            ("_code", "code", ", public code's payoff"),
        )
        for s in (1.5, 2.0, 3.0)
    },
    "two_modalities": GameRow("Two Modalities", _TWO_MODALITIES),
    "two_modalities_code": GameRow(
        "Two Modalities, public code's payoff", _TWO_MODALITIES, {"form": "code"}
    ),
    "figure_1a": _matrix("Figure 1a (reconstructed)", "figure_1a"),
    "figure_1b": _matrix("Figure 1b (reconstructed)", "figure_1b"),
    "climbing": _matrix("Climbing game", "climbing"),
    "penalty_-10": _matrix("Penalty game, k = −10", "penalty", k=-10.0),
    "penalty_-100": _matrix("Penalty game, k = −100", "penalty", k=-100.0),
    "qtran": _matrix("QTRAN's matrix game", "qtran"),
    "team_stag_hunt": _matrix("Team stag hunt", "team_stag_hunt"),
    "one_volunteer": _matrix("One volunteer of three", "one_volunteer"),
    "parity": _matrix("Parity of three", "parity"),
    **{
        f"particle_gather{suffix}": GameRow(
            f"Particle Gather{rule}",
            "svnr.games.gather:particle_gather",
            {"name": f"particle_gather{suffix}", **rules},
            settings=_GATHER,
            tuned_as="particle_gather",
            n_trials=6,  # ours; a run takes minutes there
            ranges=_GATHER_RANGES,
        )
        for suffix, rule, rules in (
            ("", "", {}),
            ("_far", ", starts 0.5 away", {"start": (0.5, 0.5)}),
            ("_small", ", radius 0.2", {"radius": 0.2}),
            ("_turned", ", starts in random directions", {"random_starts": True}),
        )
    },
}

# --- learners -----------------------------------------------------------------------------------

_RATE = Range(1e-4, 1e-1, log=True)  # §8
_ALPHA = Range(1e-1, 10.0, log=True)  # §8
_NOISE = Range(0.1, 2.0, log=True)  # ours; the public code has 0.5
_SOFT = {
    "learning_rate": _RATE,
    "alpha_final": _ALPHA,
    "n_particles": Range(16, 64, step=2),  # §8
}

LEARNERS: dict[str, LearnerRow] = {
    "svnr": LearnerRow("SVNR", "svnr.learners.svnr:SVNR", _SOFT, {"sets": "strict"}),
    "svnr_f": LearnerRow("SVNR-F", "svnr.learners.svnr:SVNR", _SOFT, {"sets": "full"}, "svnr"),
    "svnr_m": LearnerRow("SVNR-M", "svnr.learners.svnr:SVNR", _SOFT, {"sets": "none"}, "svnr"),
    "maddpg": LearnerRow(
        "MADDPG",
        "svnr.learners.maddpg:MADDPG",
        {
            "learning_rate": _RATE,
            "noise_scale": _NOISE,
            "exploration_fraction": Range(0.05, 0.8),
        },
    ),
    "masql": LearnerRow("MASQL", "svnr.learners.masql:MASQL", _SOFT),
    "pr2": LearnerRow("PR2", "svnr.learners.pr2:PR2", _SOFT | {"noise_scale": _NOISE}),
    "rommeo": LearnerRow(
        "ROMMEO",
        "svnr.learners.rommeo:ROMMEO",
        {"learning_rate": _RATE, "alpha_final": _ALPHA},
    ),
    "lenient": LearnerRow(
        "L-MADRL",
        "svnr.learners.lenient:Lenient",
        {
            "learning_rate": _RATE,
            "leniency": Range(0.5, 20.0, log=True),
            "cooling": Range(0.9, 0.9999),
            "noise_scale": _NOISE,
        },
    ),
    "hysteretic": LearnerRow(
        "Hysteretic",
        "svnr.learners.lenient:Hysteretic",
        {
            "learning_rate": _RATE,
            "rate": Range(0.01, 1.0, log=True),
            "noise_scale": _NOISE,
        },
    ),
}


LONGEST = 1000  # steps of an episode of an environment that does not end by itself


# --- from names to things -----------------------------------------------------------------------


def make_game(name: str) -> "Game":
    """A new game, by its name here or by where it is made.

    Args:
        name: one of `GAMES`; or `path/to/my_game.py:Rowers` or `package.module:factory`, with
            `(argument=value, …)` behind it where it wants some. What is made there is a `Game`,
            or a PettingZoo `ParallelEnv` with continuous actions and a shared reward.

    Raises:
        ValueError: if there is no such game, or no game is made there.
    """
    from svnr.games.game import Game
    from svnr.games.parallel import ParallelGame

    if ":" not in name:
        row = GAMES[check_one_of("game", name, GAMES)]
        return located(row.made_by)(**row.arguments)
    make = _with_arguments(name)
    game = make()
    if isinstance(game, Game):
        return game
    if hasattr(game, "possible_agents"):
        return ParallelGame(make, LONGEST)
    raise ValueError(f"game {name!r} must make a Game or a ParallelEnv, got {type(game).__name__}")


def make_learner(name: str, game: "Game", settings: Any, seed: int) -> "Learner":
    """The learner called `name`, new, for `game`."""
    return learner_class(name)(game, settings, seed)


def learner_class(name: str) -> Any:
    """The class of the learner called `name`."""
    return located(LEARNERS[check_one_of("learner", name, LEARNERS)].made_by)


def settings_class(name: str) -> Any:
    """The class of the settings of the learner called `name`."""
    return located(LEARNERS[check_one_of("learner", name, LEARNERS)].made_by + "Settings")


def resolved(learner: str, game: str, changes: Mapping[str, Any]) -> Any:
    """The settings of a learner on a game: its own, in place of them the game's, then `changes`.

    Raises:
        ValueError: if there is no such learner, game or setting, or a value does not fit.
    """
    settings, row = settings_class(learner), LEARNERS[learner]
    known = settings.__dataclass_fields__
    for key in changes:
        check_one_of("setting", key, known)
    of_game = GAMES[game].settings if game in GAMES else {}
    shared = {key: value for key, value in of_game.items() if key in known}
    return settings(**{**shared, **row.settings, **changes}).fitted_to(example(game))


def example(name: str) -> "Game":
    """The game called `name`, to be asked for its sizes and rules but not played."""
    return _example(name, source_hash(name))


@cache
def _example(name: str, source: str) -> "Game":
    return make_game(name)


def title(name: str) -> str:
    """What a game is called in figures and tables."""
    return GAMES[name].title if name in GAMES else example(name).name


def source_hash(name: str) -> str:
    """A hash of the file that a game is made by; empty for one that is not named by a file."""
    path = Path(name.partition(":")[0])
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10] if path.suffix == ".py" else ""


def located(place: str) -> Any:
    """What lies at `package.module:name` or `path/to/file.py:name`.

    Raises:
        ValueError: if there is no such module or file, or nothing of that name in it.
    """
    where, _, name = place.partition(":")
    try:
        module = _loaded(Path(where)) if where.endswith(".py") else import_module(where)
    except (ImportError, FileNotFoundError) as error:
        raise ValueError(f"game must name a module or a file, got {place!r}: {error}") from error
    if not hasattr(module, name):
        raise ValueError(f"game must name something in {where}, got {place!r}")
    return getattr(module, name)


def _loaded(path: Path) -> Any:
    """The module of a file, loaded once for each content it had."""
    name = f"{path.stem}_{hashlib.sha256(path.read_bytes()).hexdigest()[:10]}"
    if name not in sys.modules:
        found = importlib.util.spec_from_file_location(name, path)
        assert found is not None and found.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
    return sys.modules[name]


def _with_arguments(name: str) -> Callable[[], Any]:
    """`module:factory(argument=value, …)` as a function without arguments."""
    told = re.fullmatch(r"([^()]+?)(\(.*\))?", name)
    if told is None:
        raise ValueError(f"game must be written module:factory(argument=value), got {name!r}")
    try:
        call = ast.parse(f"f{told[2] or '()'}", mode="eval").body
        assert isinstance(call, ast.Call) and not call.args
        arguments = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
    except (SyntaxError, ValueError, AssertionError) as error:
        raise ValueError(f"game must have literal arguments by name, got {name!r}") from error
    make = located(told[1])
    if not callable(make):
        raise ValueError(f"game must name what makes one, got {name!r}, which is {make!r}")
    return partial(make, **arguments)
