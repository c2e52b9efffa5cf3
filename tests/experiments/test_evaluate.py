import numpy as np
import torch

from svnr.experiments.evaluate import perceived, returns
from svnr.games.game import Step


class Clock:
    """Copy b of the game terminates after b + 1 steps; every step pays 1, also after the end."""

    name, action_sizes, state_size, horizon, n_agents = "clock", (1,), 1, 4, 1

    def reset(self, n_copies, seed):
        self._steps = 0
        return torch.zeros(n_copies, 1)

    def step(self, u):
        self._steps += 1
        over = torch.arange(len(u)) < self._steps
        return Step(torch.zeros(len(u), 1), torch.ones(len(u)), over, torch.zeros_like(over))


class Still:
    """Acts 0 always; perceives where it is asked how often."""

    n_agents = 1

    def act(self, state, execution):
        return torch.zeros(len(state), 1)

    def perceive(self, state, n_samples):
        return torch.zeros(1, len(state), n_samples, 1)


def test_nothing_is_earned_after_an_episode_has_ended():
    # Copies 0, 1, 2 end after 1, 2, 3 steps; copies 3 and 4 play all 4 of the horizon.
    assert returns(Clock(), Still(), "greedy", 5, 0).tolist() == [1, 2, 3, 4, 4]


def test_perceived_samples_are_of_the_first_state():
    samples = perceived(Clock(), Still(), 7, 0)
    assert samples.shape == (1, 7, 1) and not np.any(samples)
