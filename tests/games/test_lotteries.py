import numpy as np
import pytest
import torch

from svnr.experiments.catalogue import make_game
from svnr.games.check import check_game
from svnr.games.differential import max_of_three
from svnr.games.lotteries import (
    LuredHills,
    StochasticMatrix,
    climbing_fully,
    climbing_partly,
    lured_max_of_three,
)
from svnr.games.matrix import climbing

LOTTERIES = ("climbing_partly", "climbing_fully", "max_of_three_2.0_lured")
CELLS = torch.cartesian_prod(*[torch.tensor([-2 / 3, 0.0, 2 / 3])] * 2)  # the middles of 3 × 3
EVEN = (torch.arange(10_000) + 0.5) / 10_000  # luck, every part of [0, 1) alike


def test_a_lure_by_hand():
    game = lured_max_of_three(2.0, prize=20, chance=0.1)
    wrong, right = torch.tensor([[-5.0, -5.0, 3.0], [7.0, 7.0, -4.0]]) / 10
    luck = torch.tensor([0.05, 0.5])
    # At the wrong peak, worth 0: 20 on top, or 20 · 0.1 / 0.9 less.
    torch.testing.assert_close(game.paid(wrong.expand(2, 3), luck), torch.tensor([20, -20 / 9]))
    torch.testing.assert_close(game.paid(right.expand(2, 3), luck), torch.tensor([10.0, 10.0]))


def test_a_stochastic_choice_by_hand():
    luck = torch.tensor([0.49, 0.5])
    for make, paid in ((climbing_partly, [14.0, 0.0]), (climbing_fully, [14.0, 0.0])):
        assert make().paid(torch.zeros(2, 2), luck).tolist() == paid  # both agents choose b
    corner = torch.tensor([[-0.9, 0.1]]).expand(2, 2)  # a and b
    assert climbing_fully().paid(corner, luck).tolist() == [5.0, -65.0]
    assert climbing_partly().paid(corner, luck).tolist() == [-30.0, -30.0]


@pytest.mark.parametrize("name", LOTTERIES)
def test_what_is_paid_is_the_reward_in_the_mean(name):
    game = make_game(name)
    width = len(game.action_sizes)
    for u in 2 * torch.rand(20, width, generator=torch.Generator().manual_seed(0)) - 1:
        paid = game.paid(u.expand(len(EVEN), width), EVEN)
        assert paid.mean().item() == pytest.approx(game.reward(u).item(), abs=1e-3)


def test_the_means_of_stochastic_climbing_are_those_of_the_climbing_game():
    for make in (climbing_partly, climbing_fully):
        np.testing.assert_array_equal(make().payoff, climbing().payoff)
    torch.testing.assert_close(
        lured_max_of_three().reward(CELLS[:, [0, 1, 1]]),
        max_of_three(2.0).reward(CELLS[:, [0, 1, 1]]),
    )


@pytest.mark.parametrize("name", LOTTERIES)
def test_luck_is_drawn_anew_for_every_copy_and_episode(name):
    game = make_game(name)
    assert check_game(game) is None
    peak = game.trap.u if name.endswith("lured") else (0.0, 0.0)
    u, paid = torch.tensor([peak]).expand(1000, -1), set()
    for seed in (0, 1, 0):
        game.reset(1000, seed)
        rewards = game.step(u).reward
        paid.add(tuple(rewards.tolist()))
        share = (rewards > 10).double().mean().item()
        assert share == pytest.approx(0.1 if name.endswith("lured") else 0.5, abs=0.05)
    assert len(paid) == 2  # the same seed has the same luck


def test_a_lottery_without_odds_is_refused():
    with pytest.raises(ValueError, match=r"chance must be .*\(0, 1\), got 1"):
        LuredHills(max_of_three(2.0), prize=20.0, chance=1.0)
    with pytest.raises(ValueError, match=r"tails must have shape \(2, 2\), got \(2, 3\)"):
        StochasticMatrix("odd", np.zeros((2, 2)), np.zeros((2, 3)), "nowhere")
