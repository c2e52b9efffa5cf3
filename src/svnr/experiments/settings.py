"""How long a run is and how it is sampled, and what tuning chose; each value with its source."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from svnr.checks import check_count


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """The part of a run that is the same for every learner."""

    n_episodes: int = 5000  # of a run (§8.1, §8.2)
    batch_size: int = 512  # transitions an update (§8)
    capacity: int = 1_000_000  # transitions kept in the replay buffer (§8)
    warmup: int = 10  # environment steps before the first update; §8's schedule holds α as long
    update_every: int = 1  # environment steps between updates; ROMMEO's
    episode_updates: int = 0  # after each episode, in place of those between steps; ours
    rewarded_share: float = 0.0  # of a batch that must have earned or lost something; ours
    n_test: int = 1000  # episodes of each evaluation after training; ours

    def __post_init__(self) -> None:
        """Refuse values that no run could use."""
        for name in ("n_episodes", "batch_size", "capacity", "warmup", "update_every", "n_test"):
            check_count(name, getattr(self, name))
        check_count("episode_updates", self.episode_updates, least=0)
        if not 0 <= self.rewarded_share <= 1:
            raise ValueError(f"rewarded_share must be in [0, 1], got {self.rewarded_share}")


Protocol = Literal["as set", "as tuned"]

STUDIES: Mapping[str, Mapping[str, Any]] = {  # game → what every study on it had, alike for all
    game: {
        "n_trials": n_trials,
        "n_seeds": 2,  # ours
        "n_episodes": 1500,  # of a run; ours, shorter than §8's, so that there is time for all
    }
    for game, n_trials in {
        "max_of_three_1.5": 50,  # §8
        "particle_gather": 6,  # ours; a run takes minutes there
    }.items()
}
TUNED: Mapping[str, Mapping[str, Mapping[str, Any]]] = {  # game → learner → its best trial
    "max_of_three_1.5": {
        "svnr": {"learning_rate": 0.00658, "alpha_final": 8.33, "n_particles": 53},
        "maddpg": {"learning_rate": 0.0198, "noise_scale": 0.171, "exploration_fraction": 0.653},
        "masql": {"learning_rate": 0.00443, "alpha_final": 2.69, "n_particles": 45},
        "pr2": {
            "learning_rate": 0.00659,
            "alpha_final": 2.35,
            "n_particles": 32,
            "noise_scale": 0.829,
        },
        "rommeo": {"learning_rate": 0.00155, "alpha_final": 3.48},
        "lenient": {
            "learning_rate": 0.00391,
            "leniency": 6.19,
            "cooling": 0.986,
            "noise_scale": 1.77,
        },
        "hysteretic": {"learning_rate": 0.00137, "rate": 0.0112, "noise_scale": 1.92},
    },
    "particle_gather": {
        "svnr": {"learning_rate": 0.003, "alpha_final": 0.03, "n_particles": 8},
        "maddpg": {"learning_rate": 0.00443, "noise_scale": 0.852, "exploration_fraction": 0.502},
        "masql": {"learning_rate": 0.00431, "alpha_final": 0.0704, "n_particles": 12},
        "pr2": {
            "learning_rate": 0.00443,
            "alpha_final": 0.269,
            "n_particles": 11,
            "noise_scale": 0.512,
        },
        "rommeo": {"learning_rate": 0.003, "alpha_final": 0.03},
        "lenient": {
            "learning_rate": 0.00187,
            "leniency": 5.42,
            "cooling": 0.944,
            "noise_scale": 1.45,
        },
        "hysteretic": {"learning_rate": 0.00141, "rate": 0.383, "noise_scale": 0.488},
    },
}
ABLATIONS = {"svnr_f": "svnr", "svnr_m": "svnr"}  # they differ from SVNR by the sets alone


def tuned_on(game: str) -> str:
    """The game whose studies serve `game`.

    It is the game itself, or the one that `game` is a variant of (whose name its name begins
    with), or the first that was tuned.
    """
    variants = [studied for studied in TUNED if game.startswith(studied)]
    return variants[0] if variants else next(iter(TUNED))


def tuned(learner: str, game: str) -> Mapping[str, Any]:
    """The settings that tuning chose for a learner on a game; the ablations have SVNR's.

    Raises:
        ValueError: for a learner that was not tuned.
    """
    found = TUNED[tuned_on(game)]
    name = ABLATIONS.get(learner, learner)
    if name not in found:
        raise ValueError(f"learner must be one that was tuned, {sorted(found)}, got {learner!r}")
    return found[name]
