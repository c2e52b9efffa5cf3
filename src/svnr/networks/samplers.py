"""Samplers: what amortises a negotiation, one network an agent (§7)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from svnr.networks.layers import Trail
from svnr.networks.mlp import StackedMLP
from svnr.sets import Sets, check_sets, knows


class Samplers(nn.Module):
    """f^ψ: every agent's map from the state and the noise it knows to its action (§7).

    Each agent has a network of its own. All are given the same row of noise, and a mask on the
    first layer shows agent i the noise of S_i = {i} ∪ C_i only.

    Args:
        sets: [N] negotiation sets C_i.
        action_sizes: [N] action coordinates of each agent.
        state_size: S.
        noise_size: noise coordinates of each agent.
        hidden: widths of the hidden layers.
        generator: source of the starting weights.
    """

    def __init__(
        self,
        sets: Sets,
        action_sizes: Sequence[int],
        state_size: int,
        noise_size: int,
        hidden: Sequence[int],
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        sets = check_sets(sets, len(action_sizes))
        n, widest = len(sets), max(action_sizes)
        noise = torch.tensor(knows(sets)).repeat_interleave(noise_size, 1)
        visible = torch.cat([torch.ones(n, state_size), noise], 1).unsqueeze(-1)  # [N, in, 1]
        sizes = (state_size + n * noise_size, *hidden, widest)
        self.net = StackedMLP(n, sizes, generator, input_mask=visible)
        used = [i * widest + d for i, size in enumerate(action_sizes) for d in range(size)]
        self._used = torch.tensor(used)

    def forward(self, state: Tensor, noise: Tensor) -> Tensor:
        """The joint action z [1, ..., D] of the team before the tanh, for autograd to follow.

        Args:
            state: [..., S].
            noise: [..., N, noise_size] the noise that each agent drew.
        """
        return self._joined(self.net(self._inputs(state, noise)))

    def record(self, state: Tensor, noise: Tensor) -> tuple[Tensor, Trail]:
        """What `forward` gives, without autograd, and the trail that `slopes` follows back."""
        out, trail = self.net.record(self._inputs(state, noise))
        return self._joined(out), trail

    def slopes(self, trail: Trail, slope: Tensor, into: Sequence[Tensor]) -> None:
        """Write the gradient of all parameters, given that of z [1, ..., D]."""
        n, width = self.net.biases[-1].shape[::2]
        slope = slope[0]
        if len(self._used) < n * width:
            whole = slope.new_zeros(*slope.shape[:-1], n * width)
            slope = whole.index_copy(-1, self._used, slope)
        self.net.slopes(trail, slope.unflatten(-1, (n, width)).movedim(-2, 0), into)

    def _inputs(self, state: Tensor, noise: Tensor) -> Tensor:
        x = torch.cat([state, noise.flatten(-2)], -1)
        return x.expand(len(self.net.biases[0]), *x.shape)

    def _joined(self, out: Tensor) -> Tensor:
        """The agents' outputs [N, ..., widest action] as one joint action [1, ..., D]."""
        z = out.movedim(0, -2).flatten(-2)
        if len(self._used) < z.shape[-1]:  # some agents have fewer coordinates than the widest
            z = z.index_select(-1, self._used)
        return z.unsqueeze(0)
