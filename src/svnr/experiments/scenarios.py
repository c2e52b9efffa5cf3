"""Every game and learner by name. Nothing heavy is imported until one is made."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from svnr.experiments.settings import TrainSettings
    from svnr.games.game import Game
    from svnr.learners.learner import Learner


@dataclass(frozen=True)
class GameEntry:
    """Where a game is made, and with what."""

    title: str
    module: str
    factory: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)  # what is not as in `TrainSettings`
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the learners that have them


@dataclass(frozen=True)
class LearnerEntry:
    """Where a learner is made, and the settings that set it apart."""

    title: str
    module: str
    learner: str
    settings: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


_DIFFERENTIAL = "svnr.games.differential"
_MATRIX = "svnr.games.matrix"
_SVNR = ("svnr.learners.svnr", "SVNR", "SVNRSettings")

GAMES: dict[str, GameEntry] = {
    **{
        f"max_of_three_{s}": GameEntry(
            f"Max of Three, s₂ = {s}", _DIFFERENTIAL, "max_of_three", {"width": s}
        )
        for s in (1.5, 2.0, 3.0)
    },
    **{
        f"max_of_three_{s}_code": GameEntry(
            f"Max of Three, s₂ = {s}, public code's payoff",
            _DIFFERENTIAL,
            "max_of_three",
            {"width": s, "form": "code"},
        )
        for s in (1.5, 2.0, 3.0)
    },
    "two_modalities": GameEntry("Two Modalities", _DIFFERENTIAL, "two_modalities"),
    "two_modalities_code": GameEntry(
        "Two Modalities, public code's payoff", _DIFFERENTIAL, "two_modalities", {"form": "code"}
    ),
    "figure_1a": GameEntry("Figure 1a (reconstructed)", _MATRIX, "figure_1a"),
    "figure_1b": GameEntry("Figure 1b (reconstructed)", _MATRIX, "figure_1b"),
    "climbing": GameEntry("Climbing game", _MATRIX, "climbing"),
    "penalty_-10": GameEntry("Penalty game, k = −10", _MATRIX, "penalty", {"k": -10.0}),
    "penalty_-100": GameEntry("Penalty game, k = −100", _MATRIX, "penalty", {"k": -100.0}),
    "qtran": GameEntry("QTRAN's matrix game", _MATRIX, "qtran"),
    "team_stag_hunt": GameEntry("Team stag hunt", _MATRIX, "team_stag_hunt"),
    "one_volunteer": GameEntry("One volunteer of three", _MATRIX, "one_volunteer"),
    "parity": GameEntry("Parity of three", _MATRIX, "parity"),
    **{
        f"particle_gather{suffix}": GameEntry(
            f"Particle Gather{rule}",
            "svnr.games.gather",
            "particle_gather",
            {"name": f"particle_gather{suffix}", **rules},
            # Ours, alike for all methods; notebook 09, section 6, undoes them for SVNR.
            training={
                "episode_updates": 4,  # in place of one a step, of which an episode has up to 25
                "rewarded_share": 0.25,  # of a batch; else joint contacts are too rare to teach
            },
            settings={
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
            },
        )
        for suffix, rule, rules in (
            ("", "", {}),
            ("_far", ", starts 0.5 away", {"start": (0.5, 0.5)}),
            ("_small", ", radius 0.2", {"radius": 0.2}),
            ("_turned", ", starts in random directions", {"random_starts": True}),
        )
    },
}

LEARNERS: dict[str, LearnerEntry] = {
    "svnr": LearnerEntry("SVNR", *_SVNR, {"sets": "strict"}),
    "svnr_f": LearnerEntry("SVNR-F", *_SVNR, {"sets": "full"}),
    "svnr_m": LearnerEntry("SVNR-M", *_SVNR, {"sets": "none"}),
    "maddpg": LearnerEntry("MADDPG", "svnr.learners.maddpg", "MADDPG", "MADDPGSettings"),
    "masql": LearnerEntry("MASQL", "svnr.learners.masql", "MASQL", "MASQLSettings"),
    "pr2": LearnerEntry("PR2", "svnr.learners.pr2", "PR2", "PR2Settings"),
    "rommeo": LearnerEntry("ROMMEO", "svnr.learners.rommeo", "ROMMEO", "ROMMEOSettings"),
    "lenient": LearnerEntry("L-MADRL", "svnr.learners.lenient", "Lenient", "LenientSettings"),
    "hysteretic": LearnerEntry(
        "Hysteretic", "svnr.learners.lenient", "Hysteretic", "HystereticSettings"
    ),
}


def check_name(kind: str, name: str, known: Mapping[str, Any]) -> None:
    """Raise ValueError, with the valid names and the nearest of them, for an unknown name."""
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ValueError(f"{kind} must be one of {', '.join(known)}, got {name!r}{hint}")


def make_game(name: str) -> "Game":
    """The game called `name`.

    Raises:
        ValueError: if there is none.
    """
    check_name("game", name, GAMES)
    entry = GAMES[name]
    return getattr(import_module(entry.module), entry.factory)(**entry.arguments)


def training(game: str, n_episodes: int) -> "TrainSettings":
    """How any learner is trained on the game called `game`, for `n_episodes` episodes.

    A run of fewer episodes than it would be tested on is tested on as many as it has: a rehearsal
    should not be all test.
    """
    from svnr.checks import check_count
    from svnr.experiments.settings import TrainSettings

    check_name("game", game, GAMES)
    check_count("n_episodes", n_episodes)
    n_test = min(TrainSettings.n_test, n_episodes)
    return TrainSettings(n_episodes=n_episodes, n_test=n_test, **GAMES[game].training)


def learner_settings(
    name: str, overrides: Mapping[str, Any] | None = None, game: str | None = None
) -> Any:
    """The settings of the learner called `name`, with some of them overridden.

    Args:
        name: of the learner.
        overrides: setting → value.
        game: the name of a game that has some settings of its own, which overrides override.

    Raises:
        ValueError: if there is no such learner or game, or the learner has no such setting.
    """
    check_name("learner", name, LEARNERS)
    entry = LEARNERS[name]
    settings = getattr(import_module(entry.module), entry.settings)
    known = settings.__dataclass_fields__
    for key in overrides or {}:
        check_name("setting", key, known)
    of_game: Mapping[str, Any] = {}
    if game is not None:
        check_name("game", game, GAMES)
        of_game = {key: value for key, value in GAMES[game].settings.items() if key in known}
    return settings(**{**of_game, **entry.arguments, **(overrides or {})})


def learner_version(name: str) -> int:
    """The version of the learner's code, raised when its numbers change."""
    check_name("learner", name, LEARNERS)
    entry = LEARNERS[name]
    return getattr(import_module(entry.module), entry.learner).version


def make_learner(name: str, game: "Game", settings: Any, n_episodes: int, seed: int) -> "Learner":
    """The learner called `name`, new, for `game`."""
    entry = LEARNERS[name]
    return getattr(import_module(entry.module), entry.learner)(game, settings, n_episodes, seed)
