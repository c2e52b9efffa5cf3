import pytest
import torch
from teams import new

from svnr.learners.learner import Progress, generators, undisturbed


def test_progress_is_the_share_that_is_done():
    assert Progress(25, 100).share == 0.25


def test_neighbouring_seeds_share_no_stream():
    first = [g.initial_seed() for seed in (0, 1) for g in generators(seed, 4)]
    assert len(set(first)) == 8
    assert [g.initial_seed() for g in generators(0, 2)] == first[:2]


@pytest.mark.parametrize("name", ["maddpg", "rommeo", "mappo", "masql"])
def test_an_undisturbed_learner_does_not_notice_that_it_was_asked(name, uneven):
    learner = new(name, uneven, **({"hold": 5} if name == "masql" else {}))
    before = learner.state_dict()
    with undisturbed(learner):
        learner.act(uneven.reset(3, 0), "explore")
        learner.perceive(uneven.reset(1, 0), 4)
    after = learner.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())
