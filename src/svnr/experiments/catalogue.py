"""Every game and every learner: one row each. Nothing heavy is imported until one is made."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from svnr.checks import changed, check_one_of
from svnr.experiments.located import located, maker, source_hash
from svnr.experiments.recipes import (
    AHEAD,
    GATHER,
    GATHER_RANGES,
    MANY_STEPS,
    ONE_STEP,
    ROBOT,
    ROBOT_RANGES,
    STEPS,
    Range,
)

if TYPE_CHECKING:
    from svnr.games.game import Game


@dataclass(frozen=True)
class GameRow:
    """A game: where it is made and with what, and what is not as everywhere when it is played."""

    title: str
    made_by: str  # module:factory
    arguments: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the learners that have them
    training: Mapping[str, Any] = field(default_factory=dict)  # of a run whose length is not told
    tuned_as: str = ""  # the game whose studies serve this one; none if empty
    n_trials: int = 0  # of every study on it
    ranges: Mapping[str, Range] = field(default_factory=dict)  # in place of the learners' own
    trial_length: int = 1500  # episodes of a run of a trial; ours, so that there is time for all
    tells_from: int = 1000  # length from which runs show what those of the paper's do; tried


@dataclass(frozen=True)
class LearnerRow:
    """A learner: its class, the settings that set it apart, and where the others are searched."""

    title: str
    made_by: str  # module:class of svnr.learners; its settings: the same, "Settings" behind
    ranges: Mapping[str, Range]
    settings: Mapping[str, Any] = field(default_factory=dict)
    tuned_as: str = ""  # the learner whose studies serve this one, where it has none of its own


# --- games --------------------------------------------------------------------------------------


def _one_shot(title: str, factory: str, **arguments: Any) -> GameRow:
    """A game of one step, tuned as Max of Three is."""
    made_by, tuned_as, n_trials = f"svnr.games.{factory}", "max_of_three_1.5", 50  # §8
    return GameRow(title, made_by, arguments, ONE_STEP, tuned_as=tuned_as, n_trials=n_trials)


def _max_of_three(title: str, width: float, form: str = "printed") -> GameRow:
    told = f"Max of Three, s₂ = {width}{title}"
    return _one_shot(told, "differential:max_of_three", width=width, form=form)


def _two_modalities(title: str, **arguments: Any) -> GameRow:
    made_by = "svnr.games.differential:two_modalities"
    return GameRow(title, made_by, arguments, ONE_STEP, tells_from=5000)


def _chain(n: int) -> GameRow:
    """Pairs along a hidden chain: updates are as many for all N, and episodes grow with it."""
    title, made_by = f"Chain of {n} agents", "svnr.games.graphs:chain_of_pairs"
    arguments, copies = {"n_agents": n, "width": 1.2}, max(1, n // 10)
    settings = ONE_STEP | {"update_every": copies, "layer_norm": True}  # critics fit better; tried
    training = {"length": 3000 * copies, "n_copies": copies, "n_test": 200}
    return GameRow(title, made_by, arguments, settings, training, tells_from=3000 * copies)


def _gather(suffix: str, told: str, **rules: Any) -> GameRow:
    title, arguments = f"Particle Gather{told}", {"name": f"particle_gather{suffix}", **rules}
    made_by, settings, tells_from = "svnr.games.gather:particle_gather", GATHER, 1000
    if rules.get("random_starts"):
        settings, tells_from = GATHER | AHEAD, 5000
    return GameRow(
        title, made_by, arguments, settings, tells_from=tells_from,
        tuned_as="particle_gather", ranges=GATHER_RANGES, n_trials=6,  # ours; a run takes minutes
    )  # fmt: skip


def _robot(title: str, scenario: str, factorization: str, **rules: Any) -> GameRow:
    arguments = {"scenario": scenario, "factorization": factorization, **rules}
    made_by = "svnr.games.mamujoco:MultiAgentMuJoCo"
    return GameRow(
        title, made_by, arguments, ROBOT, STEPS, tells_from=STEPS["length"],
        tuned_as="halfcheetah_2x3", n_trials=6, ranges=ROBOT_RANGES, trial_length=100,
    )  # fmt: skip


_S2 = (1.5, 2.0, 3.0)  # the widths of the global optimum
_NARROW, _TEAMS = (0.8, 1.0, 1.2), (2, 4, 5, 6, 8)  # widths and numbers of agents beyond them
_CODE = ", public code's payoff"
_MAX_OF = "differential:max_of"
GAMES: dict[str, GameRow] = {
    **{f"max_of_three_{s}": _max_of_three("", s) for s in (*_S2, *_NARROW)},
    **{f"max_of_three_{s}_code": _max_of_three(_CODE, s, "code") for s in _S2},
    **{f"max_of_{n}_2.0": _one_shot(f"Max of {n} agents", _MAX_OF, n_agents=n) for n in _TEAMS},
    **{f"chain_of_{n}_1.2_hidden": _chain(n) for n in (5, 10, 20, 50)},
    "max_of_two": _one_shot("Max of Two", "differential:max_of_two"),
    "max_of_two_code": _one_shot(f"Max of Two{_CODE}", "differential:max_of_two", form="code"),
    "max_of_three_2.0_lured": _one_shot("Max of Three, lured", "lotteries:lured_max_of_three"),
    "two_modalities": _two_modalities("Two Modalities"),
    "two_modalities_code": _two_modalities(f"Two Modalities{_CODE}", form="code"),
    "figure_1a": _one_shot("Figure 1a (reconstructed)", "matrix:figure_1a"),
    "figure_1b": _one_shot("Figure 1b (reconstructed)", "matrix:figure_1b"),
    "climbing": _one_shot("Climbing game", "matrix:climbing"),
    "climbing_partly": _one_shot("Climbing game, one choice by lot", "lotteries:climbing_partly"),
    "climbing_fully": _one_shot("Climbing game, all by lot", "lotteries:climbing_fully"),
    "penalty_-10": _one_shot("Penalty game, k = −10", "matrix:penalty", k=-10.0),
    "penalty_-100": _one_shot("Penalty game, k = −100", "matrix:penalty", k=-100.0),
    "qtran": _one_shot("QTRAN's matrix game", "matrix:qtran"),
    "team_stag_hunt": _one_shot("Team stag hunt", "matrix:team_stag_hunt"),
    "one_volunteer": _one_shot("One volunteer of three", "matrix:one_volunteer"),
    "parity": _one_shot("Parity of three", "matrix:parity"),
    "particle_gather": _gather("", ", fixed start"),  # stored so before `_turned` was the headline
    "particle_gather_far": _gather("_far", ", fixed start, 0.5 away", start=(0.5, 0.5)),
    "particle_gather_small": _gather("_small", ", fixed start, radius 0.2", radius=0.2),
    "particle_gather_turned": _gather("_turned", "", random_starts=True),
    "particle_gather_anywhere": _gather(
        "_anywhere", ", starts 0.4 to 0.8 away", random_starts=True, start=(0.4, 0.8)
    ),
    "particle_gather_turned_distances": _gather(
        "_turned_distances", ", distances seen", random_starts=True, distances=True
    ),
    "halfcheetah_2x3": _robot("HalfCheetah 2x3", "HalfCheetah", "2x3"),
    "coupledhalfcheetah_1p1": _robot("HalfCheetah 1p1", "CoupledHalfCheetah", "1p1"),
    "ant_2x4": _robot("Ant 2x4", "Ant", "2x4"),
    "walker2d_2x3": _robot("Walker2d 2x3", "Walker2d", "2x3"),
    "halfcheetah_6x1": _robot("HalfCheetah 6x1", "HalfCheetah", "6x1"),
    "ant_2x4_blind": _robot(
        "Ant 2x4, contact forces unseen", "Ant", "2x4", forces=False, name="ant_2x4_blind"
    ),
}

# --- learners -----------------------------------------------------------------------------------

_RATE = {"learning_rate": Range(1e-4, 1e-1, log=True)}  # §8
_ALPHA = {"alpha_final": Range(1e-1, 10.0, log=True)}  # §8
_NOISE = {"noise_scale": Range(0.1, 2.0, log=True)}  # ours; the public code has 0.5
_SOFT = _RATE | _ALPHA | {"n_particles": Range(16, 64, step=2)}  # §8
_EXPLORING = {"exploration_fraction": Range(0.05, 0.8)}
_LENIENCY = {"leniency": Range(0.5, 20.0, log=True), "cooling": Range(0.9, 0.9999)}
_RISING = {"rate": Range(0.01, 1.0, log=True)}
_CLIPPED = {  # ours, around what the public code was tuned to
    "learning_rate": Range(1e-4, 1e-2, log=True),
    "clip": Range(0.05, 0.3),
    "entropy_weight": Range(1e-3, 1e-1, log=True),
}

LEARNERS: dict[str, LearnerRow] = {
    "svnr": LearnerRow("SVNR", "svnr:SVNR", _SOFT, {"sets": "strict"}),
    "svnr_f": LearnerRow("SVNR-F", "svnr:SVNR", _SOFT, {"sets": "full"}, "svnr"),
    "svnr_m": LearnerRow("SVNR-M", "svnr:SVNR", _SOFT, {"sets": "none"}, "svnr"),
    "svnr_b": LearnerRow("SVNR-B", "svnr_b:SVNRB", _SOFT),
    "maddpg": LearnerRow("MADDPG", "maddpg:MADDPG", _RATE | _NOISE | _EXPLORING),
    "facmac": LearnerRow("FACMAC", "facmac:FACMAC", _RATE | _NOISE | _EXPLORING),
    "qmix": LearnerRow("QMIX", "qmix:QMIX", _RATE | _NOISE | _EXPLORING),
    "masql": LearnerRow("MASQL", "masql:MASQL", _SOFT),
    "pr2": LearnerRow("PR2", "pr2:PR2", _SOFT | _NOISE),
    "rommeo": LearnerRow("ROMMEO", "rommeo:ROMMEO", _RATE | _ALPHA),
    "lenient": LearnerRow("L-MADRL", "lenient:Lenient", _RATE | _LENIENCY | _NOISE),
    "hysteretic": LearnerRow("Hysteretic", "lenient:Hysteretic", _RATE | _RISING | _NOISE),
    "mappo": LearnerRow("MAPPO", "mappo:MAPPO", _CLIPPED),
    # It imagines some 15 next states of each row, and with more steps feeds on its hopes.
    "mmq": LearnerRow("MMQ", "mmq:MMQ", _RATE | _NOISE | _EXPLORING, {"n_rows": 64, "n_steps": 1}),
    "hasac": LearnerRow("HASAC", "hasac:HASAC", _RATE | _ALPHA),
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
    from svnr.games.check import check_sizes
    from svnr.games.parallel import ParallelGame

    if name.endswith(".py"):
        raise ValueError(f"game must name what is in the file, as {name}:MyGame, got {name!r}")
    if ":" not in name:
        row = GAMES[check_one_of("game", name, GAMES)]
        return located(row.made_by)(**row.arguments)
    make = maker(name)
    _check_makes(name, make)
    game = make()
    if hasattr(game, "possible_agents"):
        game.close()
        game = ParallelGame(make, LONGEST)
    check_sizes(game)
    if game.name in GAMES and not name.startswith("svnr."):
        raise ValueError(f"name must not be one of this package's games, got {game.name!r}")
    return game


def _check_makes(name: str, make: partial[Any]) -> None:
    """Refuse arguments that do not fit, and a class that lacks methods."""
    try:
        signature = inspect.signature(make.func, follow_wrapped=False)
        signature.bind(*make.args, **make.keywords)
    except TypeError as error:  # an argument too many or too few
        raise ValueError(f"game {name!r} must be one that can be made: {error}") from error
    except ValueError:
        pass  # what is not written in Python has no signature to be held against
    if inspect.isabstract(make.func):
        lacks = ", ".join(sorted(getattr(make.func, "__abstractmethods__", ())))
        raise ValueError(f"game {name!r} must be one that can be made, it lacks {lacks}")


def learner_class(name: str) -> Any:
    """The class of the learner called `name`: of a game, its settings and a seed."""
    made_by = LEARNERS[check_one_of("learner", name, LEARNERS)].made_by
    return located(f"svnr.learners.{made_by}")


def settings_class(name: str) -> Any:
    """The class of the settings of the learner called `name`."""
    kind = learner_class(name)
    return located(f"{kind.__module__}:{kind.__name__}Settings")


def plays(learner: str, game: str) -> bool:
    """Whether a game leaves a learner something to learn from; if not, `resolved` says why."""
    return example(game).horizon > 1 or not learner_class(learner).needs_steps


def resolved(learner: str, game: str, changes: Mapping[str, Any]) -> Any:
    """The settings of a learner on a game: its own, in place of them the game's, then `changes`.

    Raises:
        ValueError: if there is no such learner, game or setting, a value does not fit, it would
            make another learner, or the learner does not play the game.
    """
    settings, row = settings_class(learner), LEARNERS[learner]
    of_game = GAMES[game].settings if game in GAMES else {}
    if game not in GAMES and example(game).horizon > 1:
        of_game = MANY_STEPS
    shared = {n: value for n, value in of_game.items() if n in settings.__dataclass_fields__}
    own = settings(**{**shared, **row.settings})
    found = changed(own, changes).fitted_to(example(game))
    for name in row.settings.keys() & changes.keys() if row.tuned_as else ():
        if getattr(found, name) != getattr(own.fitted_to(example(game)), name):
            told = f"{name} must be {getattr(own, name)!r}, which makes {row.tuned_as} {learner}"
            raise ValueError(f"{told}, got {getattr(found, name)!r}")
    return found


def example(name: str) -> "Game":
    """The game called `name`, to be asked for its sizes and rules but not played."""
    return _example(name, source_hash(name))


@cache
def _example(name: str, source: str) -> "Game":
    from svnr.games.check import check_game

    game = make_game(name)
    if source:  # it is not of this package, and so is played before anything is made of it
        check_game(game, n_copies=2)
    return game


def title(name: str) -> str:
    """What a game is called in figures and tables."""
    return GAMES[name].title if name in GAMES else example(name).name
