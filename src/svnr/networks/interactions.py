"""Which agents' actions a value joins: mixed differences, for networks without second derivatives.

Ours, for learned negotiation sets. A rectified network is linear piece by piece, and ∂²Q/∂u_i∂u_j
is 0 almost everywhere. Differences over the whole box see what lies between the pieces.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from svnr.games.game import OneShotGame
from svnr.networks.critics import Critics
from svnr.networks.mlp import NetworkSettings, own_coordinates

BATCH_SIZE = 512  # plays in each step of a critic, drawn with replacement
N_POINTS = 256  # M, joint actions at which a critic is asked


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


def of_random_play(
    game: OneShotGame, critic: Critics, n_plays: int, generator: Generator, n_updates: int = 2000
) -> Callable[[Tensor], Tensor]:
    """What a critic makes of random play, before anybody negotiates.

    Args:
        game: played once with each of `n_plays` joint actions, uniform in the box.
        critic: one of the whole team, fitted here.
        n_plays: all that the critic ever sees.
        generator: of the plays and of the batches.
        n_updates: steps of the critic; many more, and it learns few plays by heart.

    Returns:
        Q, from joint actions [..., D] to their values [...].
    """
    u = 2 * torch.rand(n_plays, sum(game.action_sizes), generator=generator) - 1
    state = game.reset(n_plays, 0)
    reward = game.step(u).reward
    for _ in range(n_updates):
        rows = torch.randint(n_plays, (BATCH_SIZE,), generator=generator)
        critic.learn(state[rows], u[rows], reward[rows])
    return lambda u: critic(state[:1].expand(*u.shape[:-1], -1), u)[0]


def listened(
    game: OneShotGame, settings: NetworkSettings, n_plays: int, seed: int, n_updates: int = 2000
) -> Tensor:
    """Who acts on whom by a critic of random play: its `interactions`.

    Args:
        game: see `of_random_play`, as for `n_plays` and `n_updates`.
        settings: of the critic, one network of the joint action.
        n_plays: all that the critic ever sees.
        seed: of the plays, the critic and the points.
        n_updates: steps of the critic.

    Returns:
        [N, N] `interactions`.
    """
    generator = torch.Generator().manual_seed(seed)
    critic = Critics(game, settings, generator, 1)
    value = of_random_play(game, critic, n_plays, generator, n_updates)
    u, other = 2 * torch.rand(2, N_POINTS, sum(game.action_sizes), generator=generator) - 1
    return interactions(value, u, other, game.action_sizes)
