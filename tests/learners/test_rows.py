"""Which rows of a batch teach the actors: the first ones' states, and what was done in these."""

import pytest
import torch
from teams import at, new, rows, taught

# learner → what is told of them, how many rows, and where the actions stand
TAUGHT = {
    "maddpg": ("gain", 8, 2),
    "pr2": ("move_opponents", 4, 1),
    "masql": ("move_samplers", 4, None),
    "rommeo": ("reasoning_loss", 4, None),
    "lenient": ("gain", 4, None),
}


@pytest.mark.parametrize("name", TAUGHT)
def test_actors_are_taught_by_the_first_rows_and_by_what_was_done_in_them(name, two_step):
    method, n, place = TAUGHT[name]
    learner = new(name, two_step, warmup=99, batch_size=16)
    taught(learner, two_step, n_steps=6)
    draws = torch.Generator().manual_seed(0)
    state, reached, u = (torch.rand(16, 2, generator=draws) for _ in range(3))
    told = {"weight": torch.full((16,), 0.9), "note": torch.zeros(16, 2)}
    batch = rows(state, u, torch.zeros(16), reached, torch.zeros(16) > 0, **told)
    plain, seen = getattr(learner, method), []
    setattr(learner, method, lambda *args, **more: seen.append(args) or plain(*args, **more))
    learner.update(batch, at(50))
    assert torch.equal(seen[0][0], state[:n])
    if place:
        assert torch.equal(seen[0][place], u[:n])
