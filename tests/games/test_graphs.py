from itertools import pairwise

import pytest
import torch

from svnr.games.check import check_game
from svnr.games.differential import DifferentialGame, Hill
from svnr.games.graphs import GraphGame, chain_of_pairs, hidden_order


def pair(width=1.0):
    return chain_of_pairs(2, width, None).pair


def triangle():
    return GraphGame("triangle", pair(), 3, [(0, 1), (2, 1), (0, 2)])


def pay(game, *actions):
    """The reward of a joint action in the units of the hills, −10 to 10."""
    return game.reward(torch.tensor(actions) / 10).item()


def test_every_edge_pays_by_hand():
    # The wrong hill pays at the origin: −0.8 (25 + 25) / 9 = −4.4444 for each of three edges.
    assert pay(triangle(), 0.0, 0.0, 0.0) == pytest.approx(-13.3333, abs=1e-4)
    # Agents 0 and 1 at the right hill, 10. Agent 2 at the wrong one, with either of them:
    # −0.8 · 12² / 9 = −12.8.
    assert pay(triangle(), 7.0, 7.0, -5.0) == pytest.approx(10 - 2 * 12.8, abs=1e-4)
    # A chain in the order 0, 1, 2 has no third edge.
    assert pay(chain_of_pairs(3, 1.0, None), 7.0, 7.0, -5.0) == pytest.approx(-2.8, abs=1e-4)


@pytest.mark.parametrize("n", [2, 5, 50])
def test_the_best_team_earns_ten_an_edge_and_the_trapped_team_nothing(n):
    game = chain_of_pairs(n, 1.2)
    for peak, worth in ((game.optimum, 10 * (n - 1)), (game.trap, 0.0)):
        assert peak.reward == worth and len(peak.u) == n
        assert game.reward(torch.tensor(peak.u)).item() == pytest.approx(worth, abs=1e-3)
    shares = game.at_optimum(torch.tensor([game.optimum.u, game.trap.u]))
    assert shares.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(("n_leave", "gain"), [(1, -25.6), (2, -15.6), (3, -5.6), (4, 4.4)])
def test_it_takes_four_in_a_row_to_leave_the_trap(n_leave, gain):
    """k inner agents of a chain that leave win k − 1 edges worth 10, and lose 12.8 at two ends."""
    u = torch.tensor([-5.0] * 10)
    u[3 : 3 + n_leave] = 7.0
    game = chain_of_pairs(10, 1.2, None)
    assert pay(game, *u.tolist()) == pytest.approx(gain, abs=1e-3)


def test_the_payoff_is_that_of_the_graph_whatever_the_agents_are_called():
    order = hidden_order(6, seed=3)
    hidden, told = chain_of_pairs(6, 1.0, seed=3), chain_of_pairs(6, 1.0, seed=None)
    u = 2 * torch.rand(50, 6, generator=torch.Generator().manual_seed(0)) - 1
    moved = torch.empty_like(u)
    moved[:, list(order)] = u
    torch.testing.assert_close(hidden.reward(moved), told.reward(u))
    assert sorted(order) == list(range(6)) and order != hidden_order(6, seed=4)


def test_edges_are_the_same_however_they_are_spelt():
    spelt = ([(0, 1), (1, 2)], [[2, 1], [1, 0], (0, 1)], list(pairwise([2, 1, 0])))
    rules = [GraphGame("g", pair(), 3, edges).rules() for edges in spelt]
    assert rules[0] == rules[1] == rules[2]
    others = [GraphGame("g", pair(), 4, spelt[0]), GraphGame("g", pair(), 3, [(0, 1), (0, 2)])]
    others += [GraphGame("g", pair(2.0), 3, spelt[0])]
    assert all(other.rules() != rules[0] for other in others)


def test_it_keeps_the_protocol():
    check_game(triangle())


def test_the_reward_is_differentiable():
    u = torch.tensor([[0.7, 0.65, -0.2]], dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(triangle().reward, (u,))


# --- bad input -----------------------------------------------------------------------------------


def of(*center):
    return DifferentialGame("bad", (Hill(height=1, center=center, width=1, offset=0),))


@pytest.mark.parametrize(
    ("two", "n", "edges", "message"),
    [
        (of(1.0, 2.0), 3, [(0, 1)], r"pair must have hills where two agents do the same, got \["),
        (of(1.0, 1.0, 1.0), 3, [(0, 1)], "pair must have hills where two agents do the same"),
        (pair(), 3, [], "edges must join at least two agents, got none"),
        (pair(), 3, [(0, 3)], r"edges must join two of the agents 0\.\.2, got \(0, 3\)"),
        (pair(), 3, [(1, 1)], r"edges must join two of the agents 0\.\.2, got \(1, 1\)"),
        (pair(), 0, [(0, 1)], "n_agents must be a whole number of at least 1, got 0"),
    ],
)
def test_what_makes_no_graph_is_refused(two, n, edges, message):
    with pytest.raises(ValueError, match=message):
        GraphGame("bad", two, n, edges)


def test_a_chain_of_which_one_edge_is_right_is_half_right():
    assert chain_of_pairs(3, 1.0, None).at_optimum(torch.tensor([0.7, 0.7, -0.5])).item() == 0.5
