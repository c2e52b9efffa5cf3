"""A value that is a sum over small groups of agents, for teams too large for one network.

Ours, after coordination graphs (Guestrin et al., 2002): what a network must learn of a sum over
the edges of a graph does not grow with the graph if each part of it sees a few agents.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from svnr.games.game import Game
from svnr.networks.layers import Trail
from svnr.networks.mlp import StackedMLP, own_coordinates
from svnr.sets import Sets, check_sets, known_to


class Factors(nn.Module):
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
        super().__init__()
        self.n = n = len(check_sets(sets, game.n_agents))
        own = own_coordinates(game.action_sizes)  # [N, D]
        known = torch.stack([own[list(known_to(sets, i))].any(0) for i in range(n)])
        visible = torch.cat([torch.ones(n, game.state_size), known], 1)[..., None]  # [N, S + D, 1]
        sizes = (visible.shape[1], *hidden, 1)
        self.parts = StackedMLP(n, sizes, generator, "relu", layer_norm, input_mask=visible)

    def forward(self, x: Tensor) -> Tensor:
        """The value [1, ..., 1] of a state beside a joint action x [1, ..., S + D]."""
        return self.parts(self._for_each(x)).sum(0, keepdim=True)

    def record(self, x: Tensor) -> tuple[Tensor, Trail]:
        """What `forward` gives, without autograd, and the trail that `slopes` follows back."""
        each, trail = self.parts.record(self._for_each(x))
        return each.sum(0, keepdim=True), trail

    def slopes(self, trail: Trail, slope: Tensor, into: Sequence[Tensor]) -> None:
        """Write the gradient of all parameters, given that of the value [1, ..., 1]."""
        self.parts.slopes(trail, self._for_each(slope).contiguous(), into)

    def input_gradient(self, x: Tensor, first: int = 0) -> Tensor:
        """∂ value / ∂ x [1, ..., S + D − first], from the first input that is asked about."""
        return self.parts.input_gradient(self._for_each(x), first).sum(0, keepdim=True)

    def _for_each(self, x: Tensor) -> Tensor:
        return x.expand(self.n, *x.shape[1:])
