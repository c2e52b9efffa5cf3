import itertools

import numpy as np
import pytest
import torch

from svnr.games.check import check_game
from svnr.games.matrix import MATRIX_GAMES, MatrixGame, climbing, one_volunteer, parity, penalty


def test_payoffs_of_the_literature():
    assert climbing().payoff.tolist() == [[11, -30, 0], [-30, 7, 6], [0, 0, 5]]
    assert penalty(-10).payoff.tolist() == [[10, 0, -10], [0, 2, 0], [-10, 0, 10]]
    # 100, 010 and 001 have one volunteer; 000, 110, 101 and 011 have an even number of ones.
    assert [index for index, pay in np.ndenumerate(one_volunteer().payoff) if pay] == [
        (0, 0, 1), (0, 1, 0), (1, 0, 0),
    ]  # fmt: skip
    assert [index for index, pay in np.ndenumerate(parity().payoff) if pay] == [
        (0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("make", MATRIX_GAMES.values(), ids=MATRIX_GAMES)
def test_every_joint_choice_pays_its_entry(make):
    game = make()
    for choices in itertools.product(*map(range, game.payoff.shape)):
        u = torch.tensor(game.cell_centers(choices))
        assert game.reward(u).item() == game.payoff[choices]


def test_the_ends_of_the_box_belong_to_the_outer_cells():
    game = MatrixGame("line", np.array([1.0, 2.0, 3.0]), "here")
    u = torch.tensor([[-1.0], [-0.34], [-0.33], [0.33], [0.34], [1.0]])
    assert game.reward(u).tolist() == [1, 1, 2, 2, 3, 3]


def test_agents_may_have_different_numbers_of_choices():
    game = MatrixGame("wide", np.arange(6).reshape(2, 3), "here")
    assert game.optimum.reward == 5
    assert game.reward(torch.tensor(game.optimum.u)).item() == 5


def test_stuck_teams_stay_stuck():
    """In the penalty game nobody gains by leaving (b, b) alone, worth 2 of 10."""
    payoff = penalty(-100).payoff
    assert payoff[1, 1] == payoff[:, 1].max() == payoff[1].max() == 2 < payoff.max()


@pytest.mark.parametrize("payoff", [np.nan, [[1, np.inf]], [], 3.0])
def test_payoffs_that_make_no_game_are_refused(payoff):
    with pytest.raises(ValueError, match="payoff must"):
        MatrixGame("bad", np.array(payoff), "here")


def test_games_of_other_payoffs_have_other_rules():
    told = [make().rules() for make in MATRIX_GAMES.values()]
    assert all(one != other for i, one in enumerate(told) for other in told[i + 1 :])
    assert penalty(-10).rules() == {"payoff": [[10, 0, -10], [0, 2, 0], [-10, 0, 10]]}
    check_game(penalty())
