import torch

from svnr.games.differential import max_of_three
from svnr.learners.maddpg import MADDPG, MADDPGSettings
from svnr.learners.replay import Batch


def test_an_actor_climbs_its_critic_at_its_partners_stored_actions():
    """The loss written out agent by agent, with critics and actors taken from the stack."""
    team = MADDPG(max_of_three(2.0), MADDPGSettings(hidden=(8,)), 100, seed=0)
    u = 2 * torch.rand(5, 3, generator=torch.Generator().manual_seed(1)) - 1
    state = torch.ones(5, 1)
    batch = Batch(state, u, torch.zeros(5), state, torch.ones(5, dtype=torch.bool))
    expected = torch.zeros(())
    for i in range(3):
        joint = u.clone()
        latent = team.latent(state)[i, :, i]
        joint[:, i] = torch.tanh(latent)
        q = team.critics(state, joint.unsqueeze(0))[i]
        expected = expected - q.mean() + 1e-3 * latent.square().mean()
    torch.testing.assert_close(team.actor_loss(batch, 5), expected)


def test_the_target_is_the_target_critics_value_of_the_target_actors(two_step):
    team = MADDPG(two_step, MADDPGSettings(), 100, seed=0)
    state = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    value = team.next_value(state)
    with torch.no_grad():
        u = team.act(state, "shared")  # the target networks begin as copies
        torch.testing.assert_close(value, team.critics(state, u.unsqueeze(0)))
        for parameter in team.actors.parameters():
            parameter.add_(1.0)
    torch.testing.assert_close(team.next_value(state), value)
