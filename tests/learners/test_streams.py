"""Chance: who shares it, and who must not."""

import pytest
import torch
from teams import new, rows

from svnr.experiments.train import Training, TrainSettings
from svnr.games.differential import max_of_three


@pytest.mark.parametrize("name", ["rommeo", "hasac", "masql", "svnr"])
def test_agents_that_act_alone_draw_from_streams_of_their_own(name, uneven):
    own = new(name, uneven)._own_generators
    assert len({each.get_state().numpy().tobytes() for each in own}) == 3


def test_what_is_drawn_from_the_replay_hangs_on_the_seed(two_step):
    one, two = (new("maddpg", two_step, seed=s)._draws.initial_seed() for s in (0, 1))
    assert one != two


def test_where_games_begin_hangs_on_the_seed():
    game = max_of_three(2.0)
    one, two = (Training(game, None, TrainSettings(length=1), seed=s) for s in (0, 1))
    assert one._next_seed() != two._next_seed()


def test_agents_that_act_uniformly_draw_apart():
    u = new("svnr_b", max_of_three(2.0)).act(torch.zeros(4000, 1), "explore")
    assert torch.corrcoef(u.T).fill_diagonal_(0).abs().max() < 0.06


def test_partners_are_perceived_as_all_that_they_lately_did(uneven):
    learner, state = new("maddpg", uneven), torch.ones(2, 1)
    u = torch.tensor([[-0.3] * 6, [0.4] * 6])
    learner.memory.add(rows(state, u, torch.zeros(2), state, torch.ones(2) > 0))
    seen = learner.perceive(state[:1], 100)[0, 0, :, 1]
    assert sorted(seen.unique().tolist()) == pytest.approx([-0.3, 0.4])
