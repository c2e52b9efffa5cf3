import pytest
import torch

from svnr.games.game import (
    OneShotGame,
    Step,
    agent_of_coordinate,
    agent_slices,
    check_actions,
    check_game,
)


class Fine(OneShotGame):
    name = "fine"
    action_sizes = (1, 2)

    def reward(self, u):
        return -u.square().sum(-1)


class Walk:
    """Three steps; the clock truncates the last. Each flaw breaks one thing."""

    name, action_sizes, state_size, horizon, n_agents = "walk", (1,), 1, 3, 1

    def __init__(self, flaw=""):
        self.flaw = flaw
        if flaw == "sizes":
            self.action_sizes = (1, 1)
        if flaw == "horizon":
            self.horizon = 0

    def reset(self, n_copies, seed):
        self.clock = 0
        noise = torch.Generator().manual_seed(seed)
        if self.flaw == "unseeded":
            noise.seed()
        size = 2 if self.flaw == "reset shape" else 1
        return torch.rand(n_copies, size, generator=noise)

    def step(self, u):
        if self.flaw != "any action":
            check_actions(u, 1)
        self.clock += 1
        n = len(u)
        reward = torch.zeros(n, 1) if self.flaw == "reward shape" else torch.zeros(n)
        if self.flaw == "nan reward":
            reward[1] = float("nan")
        state = torch.full((n, 1), float("inf") if self.flaw == "state" else 0.0)
        over = torch.full((n,), self.clock == 3 and self.flaw != "endless")
        if self.flaw == "float flags":
            return Step(state, reward, over.float(), over)
        return Step(state, reward, torch.zeros_like(over), over)


def test_games_that_keep_the_protocol_pass():
    check_game(Fine())
    check_game(Walk())


@pytest.mark.parametrize(
    ("flaw", "message"),
    [
        ("sizes", r"n_agents must be the length of action_sizes, 2, got 1"),
        ("horizon", r"horizon must be a whole number of at least 1, got 0"),
        ("unseeded", r"reset must give the same states for the same seed"),
        ("reset shape", r"reset must return states of shape \[4, 1\], got \[4, 2\]"),
        ("reward shape", r"step must return reward of shape \[4\], got \[4, 1\]"),
        ("nan reward", r"reward must be finite, got nan in copy 1 at step 0"),
        ("state", r"state must be finite, got nan or inf at step 0"),
        ("float flags", r"terminated must be bool, got torch.float32"),
        ("endless", r"terminated or truncated by the horizon of 3 steps, got 4 copies"),
        ("any action", r"step must refuse actions outside \[-1, 1\]"),
    ],
)
def test_a_broken_game_is_told_in_words_what_is_wrong(flaw, message):
    with pytest.raises(ValueError, match=message):
        check_game(Walk(flaw))


def test_a_missing_part_is_named():
    class Nameless:
        action_sizes, state_size, horizon, n_agents = (1,), 1, 1, 1

    with pytest.raises(ValueError, match="game must have 'name', got Nameless without it"):
        check_game(Nameless())


@pytest.mark.parametrize(
    ("u", "message"),
    [
        (torch.zeros(3), r"u must have shape \[B, 3\], got \[3\]"),
        (torch.zeros(2, 2), r"u must have shape \[B, 3\], got \[2, 2\]"),
        (torch.tensor([[0.0, 1.01, 0.0]]), r"u must lie in \[-1, 1\], got 1.01"),
        (torch.tensor([[0.0, float("nan"), 0.0]]), r"u must lie in \[-1, 1\], got nan"),
    ],
)
def test_actions_outside_the_box_are_refused(u, message):
    with pytest.raises(ValueError, match=message):
        Fine().step(u)


def test_coordinates_belong_to_agents_in_order():
    assert agent_slices((1, 3, 2)) == [slice(0, 1), slice(1, 4), slice(4, 6)]
    assert agent_of_coordinate((1, 3, 2)) == [0, 1, 1, 1, 2, 2]


def test_one_shot_games_end_at_once():
    step = Fine().step(torch.zeros(5, 3))
    assert bool(step.terminated.all()) and not bool(step.truncated.any())
    with pytest.raises(ValueError, match="n_copies must be a whole number of at least 1, got 0"):
        Fine().reset(0, 0)
