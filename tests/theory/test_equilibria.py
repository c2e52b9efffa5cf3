import numpy as np
import pytest
from cases import CLIMBING, FIGURE_1A, PENALTY, QTRAN, STAG_HUNT

from svnr.theory.equilibria import (
    against_random,
    best_response_path,
    overgeneralized,
    pure_nash,
    ro_pairs,
)


def test_where_exploration_leads_and_where_replies_end():
    assert best_response_path(FIGURE_1A, overgeneralized(FIGURE_1A)) == [(1, 0), (0, 0)]
    assert best_response_path(CLIMBING, overgeneralized(CLIMBING)) == [(2, 2), (1, 2), (1, 1)]
    assert best_response_path(PENALTY, overgeneralized(PENALTY)) == [(1, 1)]
    assert best_response_path(QTRAN, overgeneralized(QTRAN)) == [(1, 1)]
    assert best_response_path(STAG_HUNT, overgeneralized(STAG_HUNT)) == [(0, 0)]


def test_the_quoted_definition_holds_in_the_penalty_and_qtran_games_only():
    assert ro_pairs(PENALTY) == [((1, 1), (0, 0)), ((1, 1), (2, 2))]
    assert len(ro_pairs(QTRAN)) == 4
    assert ro_pairs(CLIMBING) == ro_pairs(STAG_HUNT) == ro_pairs(FIGURE_1A) == []


def test_only_one_of_two_agents_can_err_in_a_two_by_two_game():
    """Against uniform partners, with (0, 0) the only optimum: 20,000 random games."""
    rng = np.random.default_rng(0)
    games = rng.normal(size=(20_000, 2, 2))
    games[:, 0, 0] = games.reshape(-1, 4).max(1) + 0.1
    errs = [games.mean(axis).argmax(1) == 1 for axis in (2, 1)]
    assert errs[0].any() and errs[1].any()
    assert not (errs[0] & errs[1]).any()


def test_equilibria_of_the_literature():
    assert np.argwhere(pure_nash(CLIMBING)).tolist() == [[0, 0], [1, 1]]
    assert np.argwhere(pure_nash(PENALTY)).tolist() == [[0, 0], [1, 1], [2, 2]]


def test_the_mean_against_random_partners_by_hand():
    # Climbing: the rows add up to −19, −17 and 5, the columns to −19, −23 and 11.
    assert np.allclose(against_random(CLIMBING, 0), np.array([-19, -17, 5]) / 3)
    assert np.allclose(against_random(CLIMBING, 1), np.array([-19, -23, 11]) / 3)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ((0, 3), r"start\[1\] must be a whole number in \[0, 2\], got 3"),
        ((0, -1), r"start\[1\] must be a whole number in \[0, 2\], got -1"),
        ((0,), r"start must hold 2 values, got \(0,\)"),
    ],
)
def test_a_path_begins_at_a_joint_action(start, message):
    with pytest.raises(ValueError, match=message):
        best_response_path(CLIMBING, start)
