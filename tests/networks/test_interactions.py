import pytest
import torch

from svnr.games.graphs import chain_of_pairs
from svnr.networks.critics import Critics
from svnr.networks.interactions import interactions, listened, of_random_play
from svnr.networks.mlp import NetworkSettings
from svnr.sets import strongest


def points(m, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.rand(2, m, width, generator=generator, dtype=torch.double) - 1


def of(value, m=200_000, sizes=(1, 1, 1)):
    return interactions(value, *points(m, sum(sizes)), sizes)


def test_a_sum_of_functions_of_one_agent_each_joins_nobody():
    found = of(lambda u: u[..., 0].exp() + 5 * u[..., 1].square() - u[..., 2].relu(), m=100)
    assert found.abs().max() < 1e-28


def test_products_by_hand():
    # u ~ U[−1, 1] has variance 1/3. 3 u₁u₂: 9 · (1/3)² = 1. u₁u₂u₃ counts for each of its pairs:
    # (1/3)³ = 1/27. Both together: 1 + 1/27 for the first pair, nothing is shared.
    found = of(lambda u: 3 * u[..., 0] * u[..., 1] + u.prod(-1))
    expected = torch.tensor([[0, 28, 1], [28, 0, 1], [1, 1, 0]]) / 27
    torch.testing.assert_close(found, expected.double(), atol=0.01, rtol=0.02)


def test_a_rectifier_joins_agents_though_its_second_derivative_is_nothing():
    """relu(s) = (s + |s|) / 2 for s = u₁ + u₂: what joins is |s| / 2."""
    found = of(lambda u: (u[..., 0] + u[..., 1]).relu())
    # f = |s| / 2 has mean 1/3 and E f² = E s² / 4 = 1/6. E[f | u₁] = (1 + u₁²) / 4, of variance
    # (1/5 − 1/9) / 16 = 1/180. What is left: 1/6 − 1/9 − 2 / 180 = 2/45.
    assert found[0, 1].item() == pytest.approx(2 / 45, rel=0.02)
    assert found[0, 2] == found[1, 2] == 0


def test_agents_of_several_coordinates_are_turned_as_one():
    # (u₁ + u₂) u₃ where agent 1 has the first two: variance 2/3 · 1/3 = 2/9.
    found = of(lambda u: (u[..., 0] + u[..., 1]) * u[..., 2], sizes=(2, 1))
    torch.testing.assert_close(found[0, 1].item(), 2 / 9, rtol=0.02, atol=0)


def test_pair_by_pair_it_is_the_equation():
    """Straight from the page, one pair at a time."""
    u, other = points(64, 4)
    game = chain_of_pairs(4, 1.2)
    found = interactions(game.reward, u, other, game.action_sizes)
    for i in range(4):
        for j in set(range(4)) - {i}:
            only_i, only_j, both = u.clone(), u.clone(), u.clone()
            only_i[:, i] = both[:, i] = other[:, i]
            only_j[:, j] = both[:, j] = other[:, j]
            q, q_i, q_j, q_ij = map(game.reward, (u, only_i, only_j, both))
            expected = (q - q_i - q_j + q_ij).square().mean() / 4
            torch.testing.assert_close(found[i, j], expected)


@pytest.mark.parametrize("n", [5, 50])
def test_of_the_true_payoff_all_edges_and_nothing_else_is_found(n):
    game = chain_of_pairs(n, 1.2)
    found = interactions(game.reward, *points(100, n), game.action_sizes)
    assert strongest(found) == game.edges
    told = {i for edge in game.edges for i in [edge, edge[::-1]]}
    assert all(abs(found[i, j]) < 1e-20 for i in range(n) for j in range(n) if (i, j) not in told)


def test_a_critic_of_random_play_tells_apart_what_it_never_played():
    game, generator = chain_of_pairs(2, 1.2), torch.Generator().manual_seed(0)
    critic = Critics(game, NetworkSettings(hidden=(32, 32)), generator, 1)
    value = of_random_play(game, critic, 2000, generator, n_updates=300)
    u = points(500, 2, seed=1)[0].float()
    with torch.no_grad():
        missed = (value(u) - game.reward(u)).square().mean() / game.reward(u).var()
    assert missed < 0.1 and value(u[None]).shape == (1, 500)


@pytest.mark.slow
def test_a_critic_of_random_play_finds_the_hidden_chain():
    game = chain_of_pairs(10, 1.2)
    found = listened(game, NetworkSettings(), n_plays=3000, seed=0)
    assert strongest(found) == game.edges
    assert torch.equal(found, listened(game, NetworkSettings(), n_plays=3000, seed=0))
