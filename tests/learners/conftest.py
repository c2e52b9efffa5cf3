import pytest
import torch

from svnr.games.game import Game, OneShotGame


class TwoStepGame(Game):
    """Two agents walk, then are paid by where they stand.

    Step one costs ½·mean(u²) and moves the team to s = mean(u); step two pays (1 + s)·mean(u).
    The second action is best at 1. With discount γ the first is best at s = γ: the derivative of
    −½s² + γ(1 + s) is zero there. A learner that does not look ahead stays at s = 0.
    """

    name = "two_step"
    action_sizes = (1, 1)
    state_size = 2
    horizon = 2

    def _begin(self, copies, seed):
        return {"state": torch.zeros(len(copies), 2)}

    def _play(self, now, u, running):
        first, mean = now["state"][:, 0] == 0, u.mean(-1)
        reward = torch.where(first, -0.5 * u.square().mean(-1), (1 + now["state"][:, 1]) * mean)
        state = torch.stack([torch.ones_like(mean), mean], -1)
        return reward, {"state": state, "terminated": ~first}


class UnevenGame(OneShotGame):
    """Three agents with 1, 3 and 2 coordinates; the reward is minus the squared length of u."""

    name = "uneven"
    action_sizes = (1, 3, 2)

    def _begin(self, copies, seed):
        return {"state": torch.ones(len(copies), 1)}

    def reward(self, u):
        return -u.square().sum(-1)


@pytest.fixture
def two_step():
    return TwoStepGame()


@pytest.fixture
def uneven():
    return UnevenGame()
