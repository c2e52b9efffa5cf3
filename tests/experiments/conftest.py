import numpy as np
import pytest
import torch

from svnr.experiments import catalogue
from svnr.experiments.specs import run_spec
from svnr.games.game import Game

SMALL = {  # where there are such
    "batch_size": 16,
    "n_groups": 4,
    "n_rows": 4,
    "n_particles": 8,
    "rollout_steps": 7,
}


class Clock(Game):
    """One agent; every step pays `pay`, copy b of a reset ends after `ends[b]` steps.

    The state is the number of steps taken, so that rows tell where they came from. Where `ends`
    is empty no copy ends by itself: the clock cuts it at the horizon of 5.
    """

    name, action_sizes, state_size, horizon = "clock", (1,), 1, 5

    def __init__(self, ends=(), pay=1.0, bad_step=None):
        self.ends, self.pay, self.bad_step = ends, pay, bad_step
        self.seeds, self.played = [], 0

    def _begin(self, copies, seed):
        self.seeds.append(seed)
        ends = [self.ends[i] if self.ends else 1000 for i in copies]
        return {"state": torch.zeros(len(copies), 1), "left": torch.tensor(ends)}

    def _play(self, now, u, running):
        pay = torch.full((len(u),), np.nan if self.played == self.bad_step else self.pay)
        self.played += 1
        over = {"left": now["left"] - 1, "terminated": now["left"] == 1}
        return pay, {"state": now["state"] + 1, **over}


@pytest.fixture
def clock():
    return Clock


@pytest.fixture
def spec():
    """A short run of a small learner; fields of `run_spec` can be changed."""

    def make(seed=0, game="max_of_three_2.0", learner="svnr", n_episodes=30, **changes):
        known = catalogue.settings_class(learner).__dataclass_fields__
        small = {name: value for name, value in SMALL.items() if name in known}
        overrides = {**small, **changes.pop("overrides", {})}
        training = {"n_test": 20, **changes.pop("training", {})}
        return run_spec(game, learner, seed, n_episodes, overrides, training=training, **changes)

    return make


@pytest.fixture
def same():
    """Whether two runs have the same numbers."""

    def compare(run, other):
        tables = run.table, other.table
        return tables[0].keys() == tables[1].keys() and all(
            np.array_equal(values, tables[1][name], equal_nan=values.dtype.kind == "f")
            for name, values in tables[0].items()
        )

    return compare
