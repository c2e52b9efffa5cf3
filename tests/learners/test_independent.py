import pytest
import torch
from teams import new


@pytest.mark.parametrize("name", ["hysteretic", "lenient", "mmq"])
def test_a_critic_knows_its_own_action_only(name, uneven):
    learner = new(name, uneven)
    u = torch.rand(1, 4, 6, requires_grad=True)
    q = learner.critic(uneven.reset(4, 0), u)
    for i, own in enumerate(([0], [1, 2, 3], [4, 5])):
        (slope,) = torch.autograd.grad(q[i].sum(), u, retain_graph=True)
        seen = slope[0].abs().sum(0) > 0
        assert seen.nonzero().flatten().tolist() == own


@pytest.mark.parametrize("name", ["hysteretic", "mmq"])
def test_an_actor_climbs_what_its_own_critic_says_of_its_own_action(name, uneven):
    """The gain written out agent by agent: the mean over states, the sum over agents."""
    learner, state = new(name, uneven), torch.randn(5, 1)
    own = learner.actors(state)
    expected = sum(learner.critic(state, own[i])[i].mean() for i in range(3))
    torch.testing.assert_close(learner.gain(state, own), expected)
