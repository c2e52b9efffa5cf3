import numpy as np
import torch
from scipy.stats import kstest
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


def test_actors_begin_at_the_origin_or_anywhere_with_the_same_weights_but_for_the_last_bias():
    game, state = max_of_three(2.0), torch.zeros(1, 1)
    first = {}
    for anywhere in (False, True):
        teams = [new("maddpg", game, seed, start_anywhere=anywhere) for seed in range(200)]
        first[anywhere] = np.concatenate([team.act(state, "greedy")[0] for team in teams])
    assert not first[False].any()
    assert kstest(first[True], "uniform", (-1, 2)).pvalue > 0.01  # 600 of U(−1, 1)
    there, here = (
        dict(new("maddpg", game, start_anywhere=s).actors.state_dict()) for s in (True, False)
    )
    moved = {name for name in here if not torch.equal(here[name], there[name])}
    assert len(moved) == 2 and all("biases" in name for name in moved)  # live and target
    target = new("maddpg", game, start_anywhere=True).actors
    assert torch.equal(target(state), target.slow(state.expand(3, 1, 1)))
