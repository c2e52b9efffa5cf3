import pytest
import torch

from svnr.checks import check_count
from svnr.games.game import Step, check_actions


class TwoStepGame:
    """Two agents walk, then are paid by where they stand.

    Step one costs ½·mean(u²) and moves the team to s = mean(u); step two pays (1 + s)·mean(u).
    The second action is best at 1. With discount γ the first is best at s = γ: the derivative of
    −½s² + γ(1 + s) is zero there. A learner that does not look ahead stays at s = 0.
    """

    name = "two_step"
    action_sizes = (1, 1)
    state_size = 2
    horizon = 2
    n_agents = 2

    def reset(self, n_copies, seed):
        check_count("n_copies", n_copies)
        self._state = torch.zeros(n_copies, 2)
        return self._state

    def step(self, u):
        check_actions(u, 2)
        first = self._state[:, 0] == 0
        mean = u.mean(-1)
        reward = torch.where(first, -0.5 * u.square().mean(-1), (1 + self._state[:, 1]) * mean)
        self._state = torch.stack([torch.ones_like(mean), mean], -1)
        return Step(self._state, reward, ~first, torch.zeros_like(first))


class UnevenGame:
    """Three agents with 1, 3 and 2 coordinates; the reward is minus the squared length of u."""

    name = "uneven"
    action_sizes = (1, 3, 2)
    state_size = 1
    horizon = 1
    n_agents = 3

    def reset(self, n_copies, seed):
        return torch.ones(n_copies, 1)

    def step(self, u):
        check_actions(u, 6)
        over = torch.ones(len(u), dtype=torch.bool)
        return Step(torch.ones(len(u), 1), -u.square().sum(-1), over, ~over)


@pytest.fixture
def two_step():
    return TwoStepGame()


@pytest.fixture
def uneven():
    return UnevenGame()
