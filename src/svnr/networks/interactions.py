"""Which agents' actions a value joins: mixed differences, for networks without second derivatives.

Ours, for learned negotiation sets. A rectified network is linear piece by piece, and ∂²Q/∂u_i∂u_j
is 0 almost everywhere. Differences over the whole box see what lies between the pieces.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from svnr.games.game import OneShotGame
from svnr.networks.critics import Critics
from svnr.networks.mlp import NetworkSettings, own_coordinates


@torch.no_grad()
def interactions(
    value: Callable[[Tensor], Tensor], u: Tensor, other: Tensor, action_sizes: Sequence[int]
) -> Tensor:
    """Υ_ij = ¼ E[(Q(u) − Q(u′_i, u_−i) − Q(u′_j, u_−j) + Q(u′_i, u′_j, u_−ij))²].

    The superset importance of Liu and Owen (2006): the variance of Q under independent
    coordinates that is owed to i and j together, alone or with more. It is 0 for all pairs if and
    only if Q is a sum of functions of one agent each.

    Args:
        value: Q, from joint actions [..., D] to their values [...].
        u: [M, D] joint actions, all coordinates independent.
        other: [M, D] u′, drawn as u is and apart from it.
        action_sizes: [N] action coordinates of each agent.

    Returns:
        [N, N] symmetric, in squared units of the value; 0 on the diagonal.
    """
    own = own_coordinates(action_sizes).unsqueeze(1)  # [N, 1, D]
    plain, turned = value(u), torch.where(own, other, u)  # [M], [N, M, D] with u′_i for u_i
    alone = value(turned) - plain  # [N, M]
    found = plain.new_zeros(len(own), len(own))
    for i in range(len(own) - 1):  # one agent's pairs at a time: memory is linear in N
        both = value(torch.where(own[i + 1 :], other, turned[i])) - plain
        found[i, i + 1 :] = (both - alone[i] - alone[i + 1 :]).square().mean(-1) / 4
    return found + found.mT


def listened(
    game: OneShotGame,
    settings: NetworkSettings,
    n_plays: int,
    seed: int,
    n_updates: int = 2000,
    batch_size: int = 512,
    n_points: int = 256,
) -> Tensor:
    """What a critic makes of random play, before anybody negotiates: its `interactions`.

    Args:
        game: played once with each of `n_plays` joint actions, uniform in the box.
        settings: of the critic.
        n_plays: all that the critic ever sees.
        seed: of the plays, the critic and the points.
        n_updates: steps of the critic; many more, and it learns few plays by heart.
        batch_size: plays in each step, drawn with replacement.
        n_points: M, at which the critic is asked.

    Returns:
        [N, N] `interactions`.
    """
    generator = torch.Generator().manual_seed(seed)
    critic, width = Critics(game, settings, generator, 1), sum(game.action_sizes)
    u, one, other = (
        2 * torch.rand(n, width, generator=generator) - 1 for n in (n_plays, n_points, n_points)
    )
    state = game.reset(n_plays, seed)
    reward = game.step(u).reward
    for _ in range(n_updates):
        rows = torch.randint(n_plays, (batch_size,), generator=generator)
        critic.learn(state[rows], u[rows], reward[rows])

    def value(u: Tensor) -> Tensor:
        return critic(state[:1].expand(*u.shape[:-1], -1), u)[0]

    return interactions(value, one, other, game.action_sizes)
