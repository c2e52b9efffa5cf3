"""How long a run is and how it is sampled; each value with its source."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """The part of a run that is the same for every learner."""

    n_episodes: int = 5000  # of a run (§8.1, §8.2)
    batch_size: int = 512  # transitions an update (§8)
    capacity: int = 1_000_000  # transitions kept in the replay buffer (§8)
    warmup: int = 10  # environment steps before the first update; §8's schedule holds α as long
    update_every: int = 1  # environment steps between updates; ROMMEO's
    n_test: int = 1000  # episodes of each evaluation after training; ours

    def __post_init__(self) -> None:
        """Refuse values that no run could use."""
        for name, value in vars(self).items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
