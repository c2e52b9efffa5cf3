import torch
from teams import new

from svnr.games.differential import max_of_three


def test_an_actor_climbs_its_critic_at_its_partners_stored_actions():
    """The gain written out agent by agent."""
    team = new("maddpg", max_of_three(2.0), hidden=(8,))
    u = 2 * torch.rand(5, 3, generator=torch.Generator().manual_seed(1)) - 1
    state = torch.ones(5, 1)
    own = team.actors(state)
    expected = torch.zeros(())
    for i in range(3):
        joint = u.clone()
        joint[:, i] = own[i, :, i]
        expected = expected + team.critic(state, joint)[i].mean()
    torch.testing.assert_close(team.gain(state, own, u), expected)
