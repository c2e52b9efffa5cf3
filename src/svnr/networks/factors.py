"""A value that is a sum over small groups of agents, for teams too large for one network.

Ours, after coordination graphs (Guestrin et al., 2002): what a network must learn of a sum over
the edges of a graph does not grow with the graph if each part of it sees a few agents.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from svnr.games.game import Game, agent_of_coordinate
from svnr.networks.mixers import Mixed, total
from svnr.networks.mlp import StackedMLP
from svnr.sets import Sets, check_sets, knows


class Factors(Mixed):
    """Q(s, u) = Σ_i Q_i(s, u_{S_i}): every agent's part sees itself and its set; one critic.

    Args:
        sets: [N] who is judged together with each agent.
        game: of which the sizes count.
        layer_norm: whether hidden units are normalized.
        hidden: widths of the hidden layers of each part.
        generator: source of the starting weights.
    """

    def __init__(
        self, sets: Sets, game: Game, layer_norm: bool, hidden: Sequence[int], generator: Generator
    ) -> None:
        n, owner = len(check_sets(sets, game.n_agents)), agent_of_coordinate(game.action_sizes)
        known = torch.tensor(knows(sets))[:, owner]  # [N, D]
        visible = torch.cat([torch.ones(n, game.state_size), known], 1)[..., None]  # [N, S + D, 1]
        sizes = (visible.shape[1], *hidden, 1)
        parts = StackedMLP(n, sizes, generator, layer_norm=layer_norm, input_mask=visible)
        super().__init__(total, parts)

    def input_gradient(self, x: Tensor, first: int = 0) -> Tensor:
        """∂ value / ∂ x [1, ..., S + D − first], from the first input that is asked about."""
        ((parts, each),) = self._inputs(x)
        return total(parts.input_gradient(each, first))
