"""Critics: values, their targets, and how they are learned, as one thing."""

from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any, Literal

import torch
from torch import Tensor, nn

from svnr.games.game import Game
from svnr.networks import mlp
from svnr.networks.optimizers import Trained

Weighing = Callable[[Tensor], Tensor | float]  # how much is made of each error
Sees = Literal["joint", "own"]  # which actions critics judge


class Critics(nn.Module):
    """C critics Q_i(s, u): one of the whole team, or one an agent.

    Args:
        game: whose sizes and bounds of returns count.
        settings: how networks are built and moved.
        generator: source of the starting weights; biases start at zero.
        n: C.
        sees: "joint" actions; or, where C is N, agent i's "own" coordinates only.
        draw: makes the starting weights of a layer.
        max_norm: gradients longer than this are shortened to it.
        judge: makes the network and its target; by default `perceptrons`, which alone have an
            `action_gradient`.
    """

    def __init__(
        self,
        game: Game,
        settings: mlp.NetworkSettings,
        generator: torch.Generator,
        n: int,
        sees: Sees = "joint",
        draw: mlp.Draw = mlp.glorot_uniform,
        max_norm: float = inf,
        judge: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__()
        self.n, self._state_size, self._bounds = n, game.state_size, game.return_bounds
        judge = judge or partial(perceptrons, game, settings, generator, n, sees, draw)
        self.values = Trained(judge(), settings, max_norm, judge())

    def forward(self, state: Tensor, u: Tensor) -> Tensor:
        """[C, ...] values of u [C, ..., D] in states [..., S]; u [..., D] alone is judged by all.

        Autograd follows u.
        """
        return self.values.net(self._inputs(state, u)).squeeze(-1)

    def slow(self, state: Tensor, u: Tensor) -> Tensor:
        """What `forward` gives, by the target critics."""
        return self.values.target.record(self._inputs(state, u))[0].squeeze(-1)

    def slow_apart(self, state: Tensor, u: Tensor) -> Tensor:
        """[C, ...] what `slow` gives where states [C, ..., S] are each critic's own, as u is."""
        return self.values.target.record(mlp.beside(state, u))[0].squeeze(-1)

    def possible(self, returns: Tensor) -> Tensor:
        """Forecasts of any shape, brought to what the game can still pay.

        What they say beyond its bounds is an error that would feed on itself, or entropy, which
        is cut too.
        """
        return returns.clamp(*self._bounds)

    def action_gradient(self, state: Tensor, u: Tensor) -> Tensor:
        """[C, ..., D] the gradient in u of what `forward` gives."""
        return self.values.net.input_gradient(self._inputs(state, u), self._state_size)

    def learn(
        self, state: Tensor, u: Tensor, target: Tensor, weight: Weighing = lambda error: 1.0
    ) -> float:
        """One step down the gradient of E[½ w (target − Q(s, u))²], (7.4) where w is 1.

        Args:
            state: [B, S].
            u: [B, D] joint actions played.
            target: [B] or [C, B], held constant.
            weight: from errors [C, B] to w of the same shape, in 0 to 1, held constant.

        Returns:
            The error before the step, the mean of all critics.
        """
        losses: list[Tensor] = []

        def towards_target(value: Tensor) -> Tensor:
            error = target - value.squeeze(-1)
            w = weight(error)
            losses.append(0.5 * (w * error.square()).mean(-1).sum())
            return (w * error).unsqueeze(-1)

        self.values.learn(towards_target, self._inputs(state, u))
        return losses[0].item() / self.n

    def follow(self) -> None:
        """One step of the target critics."""
        self.values.follow()

    def _inputs(self, state: Tensor, u: Tensor) -> Tensor:
        x = mlp.beside(state, u if u.dim() > state.dim() else u.unsqueeze(0))
        return x.expand(self.n, *x.shape[1:])


def perceptrons(
    game: Game,
    settings: mlp.NetworkSettings,
    generator: torch.Generator,
    n: int,
    sees: Sees,
    draw: mlp.Draw = mlp.glorot_uniform,
) -> mlp.StackedMLP:
    """N networks from states beside joint actions to a value; arguments as of `Critics`."""
    sizes = (game.state_size + sum(game.action_sizes), *settings.hidden, 1)
    mask = None
    if sees == "own":
        own = mlp.own_coordinates(game.action_sizes).float()
        mask = torch.cat([torch.ones(n, game.state_size), own], 1).unsqueeze(-1)
    return mlp.StackedMLP(n, sizes, generator, "relu", settings.layer_norm, draw, mask)
