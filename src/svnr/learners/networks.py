"""Networks: the plain critic, and N samplers evaluated as one batched product."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from svnr.theory.nesting import Sets, check_sets, known_to


class StackedMLP(nn.Module):
    """N multilayer perceptrons of one shape, with weights of their own, evaluated together.

    Args:
        n: N, how many.
        sizes: widths from input to output.
        generator: source of the Glorot-uniform weights; biases start at zero.
    """

    def __init__(self, n: int, sizes: Sequence[int], generator: torch.Generator) -> None:
        super().__init__()
        shapes = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList(glorot_uniform(n, a, b, generator) for a, b in shapes)
        self.biases = nn.ParameterList(torch.zeros(n, 1, b) for _, b in shapes)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs [N, B, out] for inputs x [N, B, in], ReLU between layers."""
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x, weight)
            if layer < last:
                x = torch.relu_(x)
        return x


def glorot_uniform(n: int, fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
    """N weight matrices [N, fan_in, fan_out], uniform in ±√(6 / (fan_in + fan_out))."""
    bound = (6 / (fan_in + fan_out)) ** 0.5
    return bound * (2 * torch.rand(n, fan_in, fan_out, generator=generator) - 1)


class Critic(nn.Module):
    """Q^θ(s, u), the one critic of the team.

    Args:
        state_size: S.
        n_coordinates: D.
        hidden: widths of the hidden layers.
        generator: source of the Glorot-uniform weights; biases start at zero.
    """

    def __init__(
        self,
        state_size: int,
        n_coordinates: int,
        hidden: Sequence[int],
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        sizes = [state_size + n_coordinates, *hidden, 1]
        layers: list[nn.Module] = []
        for fan_in, fan_out in itertools.pairwise(sizes):
            layer = nn.Linear(fan_in, fan_out)
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)
            layers += [layer, nn.ReLU(inplace=True)]
        self.net = nn.Sequential(*layers[:-1])

    def forward(self, state: Tensor, u: Tensor) -> Tensor:
        """The value [...] of joint actions u [..., D] in states [..., S]."""
        return self.net(torch.cat([state, u], -1)).squeeze(-1)


class Samplers(nn.Module):
    """f^ψ: every agent's map from the state and the noise it knows to its action (§7).

    Each agent has a network of its own. All read the same row of noise, through a mask that shows
    agent i the noise of S_i = {i} ∪ C_i and zeros in place of the rest.

    Args:
        sets: [N] negotiation sets C_i.
        action_sizes: [N] action coordinates of each agent.
        state_size: S.
        noise_size: noise coordinates of each agent.
        hidden: widths of the hidden layers.
        generator: source of the starting weights.
    """

    visible: Tensor
    _used: Tensor

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
        n = len(sets)
        visible = [[float(j in known_to(sets, i)) for j in range(n)] for i in range(n)]
        self.register_buffer("visible", torch.tensor(visible)[:, None, :, None], persistent=False)
        sizes = [state_size + n * noise_size, *hidden, max(action_sizes)]
        self.net = StackedMLP(n, sizes, generator)
        widest = max(action_sizes)
        used = [i * widest + d for i, size in enumerate(action_sizes) for d in range(size)]
        self.register_buffer("_used", torch.tensor(used), persistent=False)

    def forward(self, state: Tensor, noise: Tensor) -> Tensor:
        """The joint action u [..., D] in (−1, 1).

        Args:
            state: [..., S].
            noise: [..., N, noise_size] the noise that each agent drew.
        """
        lead = noise.shape[:-2]
        seen = self.visible * noise.flatten(0, -3).unsqueeze(0)  # [N, rows, N, noise_size]
        states = state.flatten(0, -2).expand(len(self.visible), -1, -1)
        out = self.net(torch.cat([states, seen.flatten(-2)], -1))  # [N, rows, widest action]
        u = torch.tanh(out.movedim(0, 1).flatten(-2))
        if len(self._used) < u.shape[-1]:  # some agents have fewer coordinates than the widest
            u = u.index_select(-1, self._used)
        return u.view(*lead, -1)
