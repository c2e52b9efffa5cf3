import pytest
import torch

from svnr.learners.exploration import Exploration, fading
from svnr.learners.maddpg import MADDPG, MADDPGSettings


def test_the_scale_fades_to_a_fiftieth_and_stays():
    # Halfway through the span the scale is 0.5 · 50^(−½).
    assert fading(0, 0.5, 100) == 0.5
    assert fading(50, 0.5, 100) == pytest.approx(0.5 / 50**0.5)
    assert fading(100, 0.5, 100) == fading(5000, 0.5, 100) == pytest.approx(0.01)


def test_exploration_has_the_spread_of_its_stationary_law():
    # x ← 0.85 x + 0.3 ε has variance 0.09 / (1 − 0.85²) = 0.3243, neighbours correlate by 0.85.
    path = Exploration(2, 2.0, 1.0, 100).noise(40_000, torch.Generator().manual_seed(0)) / 2.0
    assert path.var(0).tolist() == pytest.approx([0.3243, 0.3243], rel=0.05)
    neighbours = (path[1:] * path[:-1]).mean(0) / path.var(0)
    assert neighbours.tolist() == pytest.approx([0.85, 0.85], abs=0.02)


def team(game, **settings):
    return MADDPG(game, MADDPGSettings(**settings), 100, seed=0)


def test_only_exploring_is_noisy(uneven):
    learner = team(uneven)
    state = uneven.reset(5, 0)
    shared = learner.act(state, "shared")
    assert torch.equal(shared, learner.act(state, "greedy"))
    assert torch.equal(shared, learner.act(state, "independent"))
    assert not torch.equal(shared, learner.act(state, "explore"))


def test_an_agent_perceives_its_own_actor_beside_what_the_others_lately_did(uneven):
    learner = team(uneven)
    state = uneven.reset(1, 0)
    played = torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]])  # agents own 1, 3 and 2 of these
    learner.observe(state, played)
    perceived = learner.perceive(state, 4)
    intended = learner.act(state, "shared")[0]
    expected = played.repeat(3, 1)
    expected[0, :1], expected[1, 1:4], expected[2, 4:] = intended[:1], intended[1:4], intended[4:]
    torch.testing.assert_close(perceived, expected[:, None, None].expand(3, 1, 4, 6))


def test_the_penalty_pulls_actions_back_from_where_tanh_is_flat(uneven):
    learner = team(uneven)
    latent = torch.full((3, 7, 6), 5.0) * learner._own.unsqueeze(1)
    # 1e-3 · 25 for each of the six coordinates.
    assert learner.penalty(latent).item() == pytest.approx(0.15)
