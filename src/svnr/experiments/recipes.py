"""What settings are on each kind of game, alike for all methods, and where they are searched.

A row of the catalogue takes one whole; a learner takes what of it is a setting of its own.
"""

from dataclasses import dataclass
from typing import Any


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


ONE_STEP = {"learning_rate": 0.005}  # everybody's, but MAPPO's own is for bodies

MANY_STEPS = {  # ours, alike for all methods and all games of more than one step
    "layer_norm": True,  # against critics that feed on their own forecasts
    "target_rate": 0.005,
    "n_groups": 64,  # states differ here: more of them, fewer particles each
    "n_particles": 8,
    "n_value_particles": 1,  # V is then the expected Q; 24 take four times as long
    "n_samples": 4,  # ROMMEO's
    "n_births": 4,  # at each of 64 states, for an update as long as others
    "n_acting": 64,  # QMIX's candidates when it acts, always the same; 8 cannot reach some corners
}
GATHER = MANY_STEPS | {
    # Ours, alike for all methods; notebook 19, section 2, undoes them for SVNR.
    "episode_updates": 4,  # in place of one a step, of which an episode has up to 25
    "rewarded_share": 0.25,  # of a batch; else joint contacts are too rare to teach
    "discount": 0.8,  # a step of delay should cost more than a critic errs
    "learning_rate": 0.003,
    "schedule": "geometric",
    "alpha_final": 0.03,  # the payoffs are 5 and −2, spread over steps
    "n_candidates": 8,  # QMIX's when it learns, missed by 0.06; 64 take an hour. MMQ's
    "n_elites": 3,
    "input_norm": False,  # MAPPO's; of a few numbers it would hide how far away the landmark is
}
AHEAD = {  # where starts lie in all directions; alike for all methods that have them, too
    "n_steps": 3,  # and so the paid share reaches as far back
    "hold": 5,  # exploring noise stays for as many steps as a good team needs
}
MANY_STEPS_RANGES = {"n_particles": Range(4, 16, step=2)}  # of each of many states
GATHER_RANGES = MANY_STEPS_RANGES | {
    "alpha_final": Range(1e-2, 1.0, log=True),  # what is earned is spread over many steps
}

STEPS: dict[str, Any] = {
    "length": 300_000,
    "unit": "steps",
    "n_copies": 8,
    "n_test": 4,
    "test_every": 25_000,
}
ROBOT = MANY_STEPS | {
    # Ours, alike for all methods; first tried on a joint DDPG and on SVNR with other seeds.
    "hidden": (128, 128),
    "learning_rate": 0.001,
    "discount": 0.99,
    "n_steps": 5,
    "batch_size": 256,
    "random_steps": 5000,
    "warmup": 5000,
    "update_every": 8,  # so that 300,000 steps take minutes
    "schedule": "linear",
    "alpha_final": 0.05,  # a step pays some 5, a thousand are paid
    "n_greedy": 32,
    "n_candidates": 16,  # QMIX's when it learns, which else take most of the time; MMQ's
    "n_elites": 4,
    "n_rounds": 3,
    "n_rows": 256,  # as many as 64 groups of 4 particles
    "max_gradient_norm": 10.0,  # public code of those that have one 0.5, MAPPO's 10
    "noise_scale": 0.3,  # a deviation of 0.17 at first, as paths of θ = 0.15 and σ = 0.3 have it
    "exploration_fraction": 1.0,  # 0.02 half-way, 0.003 at the end
}

ROBOT_RANGES = GATHER_RANGES | {
    "learning_rate": Range(1e-4, 1e-2, log=True),  # around the recipe's
}
