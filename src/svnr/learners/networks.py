"""Networks: critics and samplers, those of N agents evaluated together; and what moves them."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.adam import adam

from svnr.games.game import Game, agent_of_coordinate
from svnr.learners.layers import (
    Activation,
    Layers,
    Trail,
    Unit,
    gradients,
    run,
)
from svnr.sets import Sets, check_sets, known_to

Draw = Callable[[int, int, int, torch.Generator], Tensor]  # of N, fan_in, fan_out, a generator


class StackedMLP(nn.Module):
    """N multilayer perceptrons of one shape, with weights of their own, evaluated together.

    Args:
        n: N, how many.
        sizes: widths from input to output.
        generator: source of the starting weights; biases start at zero.
        activation: "relu" or "tanh". A network whose only input is the state needs tanh: at the
            zero state of a one-shot game all its rectified units are off and never learn.
        layer_norm: bring the inputs of every activation to mean 0 and variance 1.
        draw: makes the starting weights of a layer, by default `glorot_uniform`.
    """

    def __init__(
        self,
        n: int,
        sizes: Sequence[int],
        generator: torch.Generator,
        activation: Activation = "relu",
        layer_norm: bool = False,
        draw: Draw | None = None,
    ) -> None:
        super().__init__()
        self._unit, draw = Unit(activation, layer_norm), draw or glorot_uniform
        shapes = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList(draw(n, a, b, generator) for a, b in shapes)
        self.biases = nn.ParameterList(torch.zeros(n, 1, b) for _, b in shapes)
        self._layers = (*self.weights, *self.biases)  # quicker to walk

    def forward(
        self, x: Tensor, input_mask: Tensor | None = None, learning: bool = True
    ) -> Tensor:
        """The outputs [N, ..., out] for inputs x [N, ..., in].

        Args:
            x: the inputs.
            input_mask: [N, in, 1] hides inputs from a network: where it is 0, they weigh nothing.
            learning: False where only what is put in shall have a gradient.
        """
        layers = self._layers if learning else [part.detach() for part in self._layers]
        out = Layers.apply(x.flatten(1, -2), input_mask, self._unit, *layers)
        return out.view(*x.shape[:-1], -1)

    @torch.no_grad()
    def record(self, x: Tensor, input_mask: Tensor | None = None) -> tuple[Tensor, Trail]:
        """What `forward` gives, without autograd, and the trail that `slopes` follows back."""
        out, trail = run(x.flatten(1, -2), input_mask, self._unit, self._layers)
        return out.view(*x.shape[:-1], -1), trail

    @torch.no_grad()
    def slopes(self, trail: Trail, slope: Tensor) -> Tensor:
        """The gradient of all parameters, in one piece, given that of outputs [N, ..., out]."""
        found = gradients(trail, slope.flatten(1, -2), of_inputs=False, of_parameters=True)
        return torch.cat([each.flatten() for each in found if each is not None])

    @torch.no_grad()
    def input_gradient(self, x: Tensor, input_mask: Tensor | None = None) -> Tensor:
        """∂ output / ∂ x [N, ..., in], for networks with one output."""
        out, trail = self.record(x, input_mask)
        slope = torch.ones_like(out).flatten(1, -2)
        gradient, *_ = gradients(trail, slope, of_inputs=True, of_parameters=False)
        assert gradient is not None
        return gradient.view(x.shape)


def beside(*parts: Tensor) -> Tensor:
    """Tensors [..., k_1], [..., k_2], … side by side, their leading sizes broadcast."""
    leading = np.broadcast_shapes(*(part.shape[:-1] for part in parts))  # torch's own is slow
    return torch.cat([part.expand(*leading, part.shape[-1]) for part in parts], -1)


def own_coordinates(action_sizes: Sequence[int]) -> Tensor:
    """Which coordinates of the joint action are each agent's own: [N, D] bool."""
    owner = torch.tensor(agent_of_coordinate(tuple(action_sizes)))
    return owner == torch.arange(len(action_sizes)).unsqueeze(-1)


def glorot_uniform(n: int, fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
    """N weight matrices [N, fan_in, fan_out], uniform in ±√(6 / (fan_in + fan_out))."""
    bound = (6 / (fan_in + fan_out)) ** 0.5
    return bound * (2 * torch.rand(n, fan_in, fan_out, generator=generator) - 1)


def drawn_as_torch_draws(n: int, fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
    """Glorot-uniform weights [N, in, out], number by number as torch's linear layers draw them."""
    weights = torch.empty(n, fan_out, fan_in)
    for each in weights:
        nn.init.xavier_uniform_(each, generator=generator)
    return weights.mT.contiguous()


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
        max_norm: gradients longer than this are shortened to it.
    """

    mean: Tensor
    square: Tensor
    steps: Tensor

    def __init__(
        self,
        module: nn.Module,
        whole: nn.Parameter,
        learning_rate: float,
        max_norm: float = math.inf,
    ) -> None:
        super().__init__()
        self._max_norm = max_norm
        self._parts = list(module.parameters())  # in lists, so that they are not saved twice
        self._whole: list[Tensor] = [whole]
        self._rate = learning_rate
        for name in ("mean", "square"):
            self.register_buffer(name, torch.zeros_like(whole, requires_grad=False))
        self.register_buffer("steps", torch.tensor(0.0))

    def descend(self, loss: Tensor) -> None:
        """One step down the gradient of a scalar loss."""
        slopes = torch.autograd.grad(loss, self._parts)
        self.step(torch.cat([slope.flatten() for slope in slopes]))

    @torch.no_grad()
    def step(self, slopes: Tensor) -> None:
        """One step down a gradient of all parameters, in one piece."""
        if self._max_norm < math.inf:
            slopes *= (self._max_norm / slopes.norm().clamp(min=1e-12)).clamp(max=1.0)
        adam(
            self._whole, [slopes], [self.mean], [self.square], [], [self.steps],
            fused=True, amsgrad=False, beta1=0.9, beta2=0.999, lr=self._rate,
            weight_decay=0.0, eps=1e-8, maximize=False,
        )  # fmt: skip


class Target:
    """Makes one module the slow follower of another: θ̄ ← θ̄ + τ (θ − θ̄), equal at the start.

    Args:
        follower: the target network; laid in one piece here.
        module: what it follows.
        whole: the one piece that the module's parameters are views of.
        rate: τ.
    """

    def __init__(
        self, follower: nn.Module, module: nn.Module, whole: nn.Parameter, rate: float
    ) -> None:
        follower.load_state_dict(module.state_dict())
        self._own, self._followed, self._rate = in_one_piece(follower), whole, rate

    @torch.no_grad()
    def follow(self) -> None:
        """One step towards the module."""
        self._own.lerp_(self._followed, self._rate)


class Critic(nn.Module):
    """Q^θ(s, u), the one critic of the team.

    Args:
        state_size: S.
        n_coordinates: D.
        hidden: widths of the hidden layers.
        generator: source of the Glorot-uniform weights; biases start at zero.
        layer_norm: see `StackedMLP`; it keeps values from growing where there are no data.
    """

    def __init__(
        self,
        state_size: int,
        n_coordinates: int,
        hidden: Sequence[int],
        generator: torch.Generator,
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        self._state_size = state_size
        sizes = [state_size + n_coordinates, *hidden, 1]
        self.net = StackedMLP(
            1, sizes, generator, layer_norm=layer_norm, draw=drawn_as_torch_draws
        )

    def forward(self, state: Tensor, u: Tensor) -> Tensor:
        """The value [...] of joint actions u [..., D] in states [..., S]."""
        return self.net(self._inputs(state, u))[0, ..., 0]

    def record(self, state: Tensor, u: Tensor) -> tuple[Tensor, Trail]:
        """What `forward` gives, and the trail that `slopes` follows back."""
        value, trail = self.net.record(self._inputs(state, u))
        return value[0, ..., 0], trail

    def slopes(self, trail: Trail, slope: Tensor) -> Tensor:
        """The gradient of all parameters, in one piece, given that of the values [...]."""
        return self.net.slopes(trail, slope[None, ..., None])

    def action_gradient(self, state: Tensor, u: Tensor) -> Tensor:
        """∇_u Q^θ(s, u) [..., D]."""
        return self.net.input_gradient(self._inputs(state, u))[0, ..., self._state_size :]

    def _inputs(self, state: Tensor, u: Tensor) -> Tensor:
        return torch.cat([state, u], -1).unsqueeze(0)


class Critics(nn.Module):
    """Q_i(s, u) of N agents, each with weights of its own.

    Args:
        state_size: S.
        action_sizes: [N] action coordinates of each agent, D in all.
        hidden: widths of the hidden layers.
        generator: source of the Glorot-uniform weights; biases start at zero.
        sees: "joint" actions, or its "own" coordinates only.
        layer_norm: as for `Critic`.
    """

    _visible: Tensor

    def __init__(
        self,
        state_size: int,
        action_sizes: Sequence[int],
        hidden: Sequence[int],
        generator: torch.Generator,
        sees: Literal["joint", "own"] = "joint",
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        self._state_size = state_size
        own = own_coordinates(action_sizes)
        seen = own if sees == "own" else torch.ones_like(own)
        visible = torch.cat([torch.ones(len(own), state_size), seen.float()], 1).unsqueeze(-1)
        self.register_buffer("_visible", visible, persistent=False)
        sizes = [state_size + own.shape[1], *hidden, 1]
        self.net = StackedMLP(len(own), sizes, generator, layer_norm=layer_norm)

    def forward(self, state: Tensor, u: Tensor, learning: bool = True) -> Tensor:
        """[N, ...] values of u [N, ..., D] in states [..., S]; u [1, ..., D] is judged by all.

        Where the critics are not `learning`, only u has a gradient.
        """
        return self.net(self._inputs(state, u), self._visible, learning).squeeze(-1)

    def record(self, state: Tensor, u: Tensor) -> tuple[Tensor, Trail]:
        """What `forward` gives, and the trail that `slopes` follows back."""
        values, trail = self.net.record(self._inputs(state, u), self._visible)
        return values.squeeze(-1), trail

    def slopes(self, trail: Trail, slope: Tensor) -> Tensor:
        """The gradient of all parameters, in one piece, given that of the values [N, ...]."""
        return self.net.slopes(trail, slope.unsqueeze(-1))

    def action_gradient(self, state: Tensor, u: Tensor) -> Tensor:
        """[N, ..., D] the gradient in u of what `forward` gives."""
        gradient = self.net.input_gradient(self._inputs(state, u), self._visible)
        return gradient[..., self._state_size :]

    def _inputs(self, state: Tensor, u: Tensor) -> Tensor:
        x = beside(state, u)
        return x.expand(len(self._visible), *x.shape[1:])


class CriticSettings(Protocol):
    """The settings of a learner that say how its critics are built."""

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of the hidden layers."""
        ...

    @property
    def layer_norm(self) -> bool:
        """See `StackedMLP`."""
        ...


def two_critics(
    game: Game,
    settings: CriticSettings,
    generator: torch.Generator,
    sees: Literal["joint", "own"] = "joint",
) -> tuple[Critics, Critics]:
    """The critics of a team and what will be their targets."""
    first, second = (
        Critics(
            game.state_size,
            game.action_sizes,
            settings.hidden,
            generator,
            sees,
            settings.layer_norm,
        )
        for _ in range(2)
    )
    return first, second


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
        return self._joined(self.net(self._inputs(state, noise), self.visible))

    def record(self, state: Tensor, noise: Tensor) -> tuple[Tensor, Trail]:
        """What `latent` gives, and the trail that `slopes` follows back."""
        out, trail = self.net.record(self._inputs(state, noise), self.visible)
        return self._joined(out), trail

    def slopes(self, trail: Trail, slope: Tensor) -> Tensor:
        """The gradient of all parameters, in one piece, given that of z [..., D]."""
        n, width = self.net.biases[-1].shape[::2]
        if len(self._used) < n * width:
            whole = slope.new_zeros(*slope.shape[:-1], n * width)
            slope = whole.index_copy(-1, self._used, slope)
        return self.net.slopes(trail, slope.unflatten(-1, (n, width)).movedim(-2, 0))

    def _inputs(self, state: Tensor, noise: Tensor) -> Tensor:
        x = torch.cat([state, noise.flatten(-2)], -1)
        return x.expand(len(self.visible), *x.shape)

    def _joined(self, out: Tensor) -> Tensor:
        """The agents' outputs [N, ..., widest action] as one joint action [..., D]."""
        z = out.movedim(0, -2).flatten(-2)
        if len(self._used) < z.shape[-1]:  # some agents have fewer coordinates than the widest
            z = z.index_select(-1, self._used)
        return z
