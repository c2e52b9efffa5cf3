"""How long a run is and how it is sampled; each value with its source."""

from dataclasses import dataclass

from svnr.games.game import check_count


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
