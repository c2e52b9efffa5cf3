"""Mixers: one value of the team from each agent's utility of its own action.

Where the mixing is monotone, the joint action that is best for the team is the one in which every
agent does what is best by its own utility, and no agent need know what the others do.
"""

from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import elu

from svnr.games.game import Game
from svnr.networks.critics import Critics, perceptrons
from svnr.networks.layers import Trail
from svnr.networks.mlp import NetworkSettings, StackedMLP, beside

Mixing = Literal["monotone", "free", "sum"]
BLOCK = 1024  # rows judged at a time: what they leave in a network stays in a core's cache


def free(q: Tensor, weights: Tensor, value: Tensor) -> Tensor:
    """Q_tot = w · elu(Σ_i w_i Q_i + b) + V, the nonmonotonic mixing of Peng et al. (2021), §4.1.

    Args:
        q: [N, ..., 1] utilities Q_i(s, u_i).
        weights: [N + 2, ..., E] of the state: w_i of each agent, w and b.
        value: [1, ..., 1] V(s).

    Returns:
        [1, ..., 1] the value of the team.
    """
    hidden = elu((weights[:-2] * q).sum(0, keepdim=True) + weights[-1:])
    return (weights[-2:-1] * hidden).sum(-1, keepdim=True) + value


def monotone(q: Tensor, weights: Tensor, value: Tensor) -> Tensor:
    """As `free` with |w_i| and |w|, so that ∂Q_tot / ∂Q_i ≥ 0: (5) of Rashid et al. (2018)."""
    return free(q, torch.cat([weights[:-1].abs(), weights[-1:]]), value)


def total(q: Tensor) -> Tensor:
    """Q_tot = Σ_i Q_i (Sunehag et al., 2018), from [N, ..., 1] to [1, ..., 1]."""
    return q.sum(0, keepdim=True)


MIXINGS: dict[Mixing, Callable[..., Tensor]] = {"monotone": monotone, "free": free, "sum": total}


class MixedCritics(Critics):
    """Q_tot(s, u), one value of the team; all that mixes it learns as one network.

    Args:
        game: whose sizes and bounds of returns count.
        settings: how networks are built and moved.
        generator: source of the starting weights.
        mixing: how utilities are mixed.
        embedding: E, hidden units of the mixing network and of those that make its weights.
        max_norm: gradients longer than this are shortened to it.
    """

    def __init__(
        self,
        game: Game,
        settings: NetworkSettings,
        generator: torch.Generator,
        mixing: Mixing,
        embedding: int,
        max_norm: float = inf,
    ) -> None:
        n, how = game.n_agents, (generator, settings.layer_norm)
        units = (game.state_size, embedding)

        def judge() -> Mixed:
            utilities = perceptrons(game, settings, generator, n, "own")
            if mixing == "sum":
                return Mixed(MIXINGS[mixing], utilities)
            weights = hypernetworks(n + 2, (*units, embedding), *how)
            gentle(weights, embedding)
            return Mixed(MIXINGS[mixing], utilities, weights, hypernetworks(1, (*units, 1), *how))

        super().__init__(game, settings, generator, 1, max_norm=max_norm, judge=judge)

    def utilities(self, state: Tensor, u: Tensor) -> Tensor:
        """[N, ...] utilities Q_i(s, u_i) of u [N, ..., D] in states [..., S]; without autograd."""
        return in_blocks(self.values.net.nets[0], beside(state, u))

    def slow_utilities(self, state: Tensor, u: Tensor) -> Tensor:
        """What `utilities` gives, by the target networks."""
        return in_blocks(self.values.target.nets[0], beside(state, u))


class MixedTrail(NamedTuple):
    """What a pass through utilities and mixing left behind, as its gradient needs it."""

    out: Tensor  # [1, ..., 1] of the mixing, with autograd's graph
    parts: Sequence[Tensor]  # what was mixed
    trails: Sequence[Trail]  # of the networks that made the parts


class Mixed(nn.Module):
    """Utilities and the networks of the state that mix them, as one network from (s, u) to Q_tot.

    The gradients of all networks are written out; the few operations that mix their outputs are
    left to autograd.

    Args:
        mix: from the outputs of all networks to Q_tot.
        utilities: N networks of (s, u).
        of_state: further networks, of the state alone.
    """

    nets: Any  # utilities first

    def __init__(
        self, mix: Callable[..., Tensor], utilities: StackedMLP, *of_state: StackedMLP
    ) -> None:
        super().__init__()
        self._mix, self.nets = mix, nn.ModuleList([utilities, *of_state])

    def forward(self, x: Tensor) -> Tensor:
        """Q_tot [1, ..., 1] of states beside actions x [1, ..., S + D]; autograd follows u."""
        return self._mix(*(net(each) for net, each in self._inputs(x)))

    @torch.no_grad()
    def record(self, x: Tensor) -> tuple[Tensor, MixedTrail]:
        """What `forward` gives, without autograd, and the trail that `slopes` follows back."""
        parts, trails = zip(*(net.record(each) for net, each in self._inputs(x)), strict=True)
        with torch.enable_grad():
            out = self._mix(*(part.requires_grad_(True) for part in parts))
        return out.detach(), MixedTrail(out, parts, trails)

    def slopes(self, trail: MixedTrail, slope: Tensor, into: Sequence[Tensor]) -> None:
        """Write the gradient of all parameters, given that of Q_tot [1, ..., 1]."""
        slopes, places = torch.autograd.grad(trail.out, trail.parts, slope), iter(into)
        for net, each, of_part in zip(self.nets, trail.trails, slopes, strict=True):
            net.slopes(each, of_part, [next(places) for _ in net.parameters()])

    def _inputs(self, x: Tensor) -> Iterator[tuple[Any, Tensor]]:
        """Every network with what it is given; no gradient is asked for in the state."""
        for i, net in enumerate(self.nets):
            n, n_inputs, _ = net.weights[0].shape
            seen = x[..., :n_inputs].detach() if i else x
            yield net, seen.expand(n, *seen.shape[1:])


def hypernetworks(
    n: int, sizes: Sequence[int], generator: torch.Generator, layer_norm: bool
) -> StackedMLP:
    """N networks from the state [..., S] to weights, or to a value; arguments as of `StackedMLP`.

    Biases start as those of torch's linear layers do, uniform in ±1/√fan_in: at the zero state of
    a one-shot game all weights were else 0, where |w| has no slope and nothing would be learned.
    """
    nets = StackedMLP(n, sizes, generator, "relu", layer_norm)
    for weight, bias in zip(nets.weights, nets.biases, strict=True):
        bound = weight.shape[1] ** -0.5
        bias.data.uniform_(-bound, bound, generator=generator)
    return nets


@torch.no_grad()
def gentle(nets: StackedMLP, embedding: int) -> None:
    """Let mixing weights begin at about 1/√E, so that Σ_e |w_e| |w_ie| is about 1.

    As they are drawn they come out at 0.6 after a layer norm, and a Q_tot of 64 units begins some
    fifteen times as steep as its utilities: thousands of steps go by before that is unlearned.
    """
    for last in (nets.weights[-1], nets.biases[-1]):
        last *= 2 / embedding**0.5


def in_blocks(net: StackedMLP, x: Tensor) -> Tensor:
    """The outputs [N, ...] of networks with one, for many rows x [N, ..., in]; no gradient."""
    blocks = x.flatten(1, -2).split(BLOCK, 1)
    return torch.cat([net.record(block)[0] for block in blocks], 1).view(x.shape[:-1])
