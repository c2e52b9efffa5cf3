"""Networks: the plain critic, and N samplers evaluated as one batched product."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.adam import adam

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
        self._layers = list(zip(self.weights, self.biases, strict=True))  # quicker to walk

    def forward(self, x: Tensor, input_mask: Tensor | float = 1.0) -> Tensor:
        """The outputs [N, B, out] for inputs x [N, B, in], ReLU between layers.

        A mask [N, in, 1] hides inputs from a network: where it is 0, the input has no weight.
        """
        (first, bias), *others = self._layers
        x = torch.baddbmm(bias, x, first * input_mask)
        for weight, bias in others:
            x = torch.baddbmm(bias, torch.relu_(x), weight)
        return x


def glorot_uniform(n: int, fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
    """N weight matrices [N, fan_in, fan_out], uniform in ±√(6 / (fan_in + fan_out))."""
    bound = (6 / (fan_in + fan_out)) ** 0.5
    return bound * (2 * torch.rand(n, fan_in, fan_out, generator=generator) - 1)


def in_one_piece(module: nn.Module) -> nn.Parameter:
    """Lay all parameters of a module side by side in one, of which they become views.

    An optimizer or a target update then makes one step in place of one a layer.
    """
    parts = list(module.parameters())
    whole = nn.Parameter(torch.cat([part.detach().flatten() for part in parts]))
    pieces = whole.detach().split([part.numel() for part in parts])
    for part, values in zip(parts, pieces, strict=True):
        part.data = values.view_as(part)
    return whole


class Adam(nn.Module):
    """Adam on a module laid `in_one_piece`, by torch's own function, without its bookkeeping.

    On networks this small `torch.optim.Adam.step` spends more time on hooks than on arithmetic.

    Args:
        module: what learns.
        whole: the one piece that its parameters are views of.
        learning_rate: step size.
    """

    mean: Tensor
    square: Tensor
    steps: Tensor

    def __init__(self, module: nn.Module, whole: nn.Parameter, learning_rate: float) -> None:
        super().__init__()
        self._parts = list(module.parameters())  # in lists, so that they are not saved twice
        self._whole: list[Tensor] = [whole]
        self._rate = learning_rate
        for name in ("mean", "square"):
            self.register_buffer(name, torch.zeros_like(whole, requires_grad=False))
        self.register_buffer("steps", torch.tensor(0.0))

    def descend(self, loss: Tensor) -> None:
        """One step down the gradient of a scalar loss."""
        slopes = torch.cat([slope.flatten() for slope in torch.autograd.grad(loss, self._parts)])
        with torch.no_grad():
            adam(
                self._whole, [slopes], [self.mean], [self.square], [], [self.steps],
                fused=True, amsgrad=False, beta1=0.9, beta2=0.999, lr=self._rate,
                weight_decay=0.0, eps=1e-8, maximize=False,
            )  # fmt: skip


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
        self._linear: list[nn.Linear] = []
        for fan_in, fan_out in itertools.pairwise(sizes):
            layer = nn.Linear(fan_in, fan_out)
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)
            self._linear.append(layer)
        self.net = nn.ModuleList(self._linear)

    def forward(self, state: Tensor, u: Tensor) -> Tensor:
        """The value [...] of joint actions u [..., D] in states [..., S]."""
        x = torch.cat([state, u], -1)
        *hidden, last = self._linear
        for layer in hidden:  # the layers' own functions; calling modules costs a third more
            x = torch.relu_(functional.linear(x, layer.weight, layer.bias))
        return functional.linear(x, last.weight, last.bias).squeeze(-1)

    @torch.no_grad()
    def action_gradient(self, state: Tensor, u: Tensor) -> Tensor:
        """∇_u Q^θ(s, u) [..., D], by the chain rule written out, which costs half of autograd."""
        x = torch.cat([state, u], -1)
        *hidden, last = self._linear
        active = []
        for layer in hidden:
            x = torch.relu_(functional.linear(x, layer.weight, layer.bias))
            active.append(x > 0)
        gradient = last.weight
        for layer, on in zip(reversed(hidden), reversed(active), strict=True):
            gradient = (gradient * on) @ layer.weight
        return gradient[..., state.shape[-1] :]


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
        heard = [[float(j in known_to(sets, i)) for j in range(n)] for i in range(n)]
        noise = torch.tensor(heard).repeat_interleave(noise_size, 1)
        visible = torch.cat([torch.ones(n, state_size), noise], 1).unsqueeze(-1)  # [N, in, 1]
        self.register_buffer("visible", visible, persistent=False)
        sizes = [state_size + n * noise_size, *hidden, max(action_sizes)]
        self.net = StackedMLP(n, sizes, generator)
        widest = max(action_sizes)
        used = [i * widest + d for i, size in enumerate(action_sizes) for d in range(size)]
        self.register_buffer("_used", torch.tensor(used), persistent=False)

    def forward(self, state: Tensor, noise: Tensor) -> Tensor:
        """The joint action u = tanh(z) [..., D]; the arguments are those of `latent`."""
        return torch.tanh(self.latent(state, noise))

    def latent(self, state: Tensor, noise: Tensor) -> Tensor:
        """The joint action z [..., D] before it is squashed.

        Args:
            state: [..., S].
            noise: [..., N, noise_size] the noise that each agent drew.
        """
        x = torch.cat([state, noise.flatten(-2)], -1)
        rows = x.flatten(0, -2).expand(len(self.visible), -1, -1)
        out = self.net(rows, self.visible)  # [N, rows, widest action]
        z = out.movedim(0, 1).flatten(-2)
        if len(self._used) < z.shape[-1]:  # some agents have fewer coordinates than the widest
            z = z.index_select(-1, self._used)
        return z.view(*x.shape[:-1], -1)
