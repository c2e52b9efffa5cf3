import torch
from teams import new, rows


def test_an_agent_perceives_its_own_actor_beside_what_the_others_lately_did(uneven):
    learner = new("maddpg", uneven)
    state = uneven.reset(1, 0)
    played = torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]])  # agents own 1, 3 and 2 of these
    learner.memory.add(rows(state, played, torch.zeros(1), state, torch.tensor([True])))
    perceived = learner.perceive(state, 4)
    intended = learner.act(state, "shared")[0]
    expected = played.repeat(3, 1)
    expected[0, :1], expected[1, 1:4], expected[2, 4:] = intended[:1], intended[1:4], intended[4:]
    torch.testing.assert_close(perceived, expected[:, None, None].expand(3, 1, 4, 6))
