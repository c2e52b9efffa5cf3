"""What every game offers, and a check that a new game offers it.

A game plays `B` parallel copies of itself. The joint action `u` [B, D] lies in [−1, 1] for each of
the D coordinates of the whole team, agent after agent; the game scales it to its own units.
"""

from dataclasses import dataclass
from itertools import accumulate
from math import inf
from typing import Protocol

import torch
from torch import Tensor

from svnr.checks import check_count


@dataclass(frozen=True)
class Step:
    """What one joint action led to, in every copy.

    A truncated copy was cut off by the clock and bootstraps; a terminated one ended and does not.
    """

    state: Tensor  # [B, S] the state reached
    reward: Tensor  # [B] the team's reward
    terminated: Tensor  # [B] bool, the game ended here
    truncated: Tensor  # [B] bool, the clock ran out here


@dataclass(frozen=True)
class Outcome:
    """A joint action with a name and its worth: the optimum of a game, or its trap."""

    u: tuple[float, ...]  # [D] in [−1, 1]
    reward: float  # in the game's payoff units


class Game(Protocol):
    """A cooperative stochastic game (§3.1), played in parallel copies."""

    name: str
    action_sizes: tuple[int, ...]  # [N] action coordinates of each agent, D in all
    state_size: int  # S
    horizon: int  # steps after which the clock truncates an episode

    @property
    def return_bounds(self) -> tuple[float, float]:
        """The least and the greatest that can still be earned, from any state on."""
        ...

    @property
    def n_agents(self) -> int:
        """N, the number of agents."""
        ...

    def reset(self, n_copies: int, seed: int) -> Tensor:
        """Start `n_copies` episodes and return their first states [B, S]."""
        ...

    def step(self, u: Tensor) -> Step:
        """Play the joint action u [B, D] in every copy."""
        ...


class OneShotGame:
    """A game of one step and one state: subclasses say what a joint action earns."""

    name: str
    action_sizes: tuple[int, ...]
    state_size = 1
    horizon = 1
    return_bounds = (-inf, inf)

    @property
    def n_agents(self) -> int:
        """N, the number of agents."""
        return len(self.action_sizes)

    def reward(self, u: Tensor) -> Tensor:
        """The team's reward [...] of joint actions u [..., D], without checks, differentiable."""
        raise NotImplementedError

    def reset(self, n_copies: int, seed: int) -> Tensor:
        """The one state of the game, a zero, for each of `n_copies`; nothing here is random."""
        check_count("n_copies", n_copies)
        return torch.zeros(n_copies, self.state_size)

    def step(self, u: Tensor) -> Step:
        """Pay for the joint action u [B, D]; every copy terminates."""
        check_actions(u, sum(self.action_sizes))
        over = torch.ones(len(u), dtype=torch.bool)
        return Step(torch.zeros(len(u), self.state_size), self.reward(u), over, ~over)


def return_bounds(game: Game) -> tuple[float, float]:
    """The least and the greatest that can still be earned, from any state on.

    A game may say so in an attribute `return_bounds`; of one that does not, nothing is known.
    """
    return getattr(game, "return_bounds", (-inf, inf))


def agent_slices(action_sizes: tuple[int, ...]) -> list[slice]:
    """The coordinates of the joint action that belong to each agent: [N] slices of 0..D."""
    ends = list(accumulate(action_sizes))
    return [slice(end - size, end) for end, size in zip(ends, action_sizes, strict=True)]


def agent_of_coordinate(action_sizes: tuple[int, ...]) -> list[int]:
    """The agent that each of the D coordinates of the joint action belongs to."""
    return [agent for agent, size in enumerate(action_sizes) for _ in range(size)]


def check_actions(u: Tensor, n_coordinates: int, n_copies: int | None = None) -> None:
    """Raise ValueError unless u is a [B, D] tensor of finite numbers within [−1, 1].

    A game that remembers its copies tells how many `reset` has started: u needs a row for each.
    """
    if u.ndim != 2 or u.shape[1] != n_coordinates:
        raise ValueError(f"u must have shape [B, {n_coordinates}], got {list(u.shape)}")
    if n_copies is not None and len(u) != n_copies:
        raise ValueError(
            f"u must have a row for each of the {n_copies} copies that reset started, got {len(u)}"
        )
    if not bool((u.abs() <= 1).all()):
        raise ValueError(f"u must lie in [-1, 1], got {_worst(u, 1.0):.4g} at its farthest")


def check_rewards(reward: Tensor, step: int) -> None:
    """Raise ValueError if a game paid something that is not a finite number at `step`."""
    if not bool(torch.isfinite(reward).all()):
        bad = int((~torch.isfinite(reward)).nonzero()[0])
        raise ValueError(
            f"reward must be finite, got {reward[bad].item()} in copy {bad} at step {step}"
        )


def _worst(u: Tensor, bound: float) -> float:
    """The first coordinate of u that is not within ±bound (a NaN is never within)."""
    return float(u[~(u.abs() <= bound)][0])


def check_game(game: Game, n_copies: int = 4, seed: int = 0) -> None:
    """Play a game with random actions and say, in words, where it breaks the protocol.

    Args:
        game: the game to check.
        n_copies: B, the parallel copies to play.
        seed: seed of the resets and of the random actions.

    Raises:
        ValueError: naming the part that is wrong, what was wanted and what was found.
    """
    _check_sizes(game)
    n_coordinates = sum(game.action_sizes)
    state = _check_reset(game, n_copies, seed)
    generator = torch.Generator().manual_seed(seed)
    for step_number in range(game.horizon):
        u = 2 * torch.rand(n_copies, n_coordinates, generator=generator) - 1
        step = game.step(u)
        _check_step(step, state, step_number)
    if not bool((step.terminated | step.truncated).all()):
        raise ValueError(
            f"every copy must be terminated or truncated by the horizon of {game.horizon} steps, "
            f"got {int((~(step.terminated | step.truncated)).sum())} copies still running"
        )
    _check_refuses(game, n_copies, n_coordinates, seed)


def _check_sizes(game: Game) -> None:
    for name in ("name", "action_sizes", "state_size", "horizon", "n_agents", "reset", "step"):
        if not hasattr(game, name):
            raise ValueError(f"game must have {name!r}, got {type(game).__name__} without it")
    if not game.action_sizes or min(game.action_sizes) < 1:
        raise ValueError(
            f"action_sizes must hold a positive number an agent, got {game.action_sizes}"
        )
    if game.n_agents != len(game.action_sizes):
        raise ValueError(
            f"n_agents must be the length of action_sizes, {len(game.action_sizes)}, "
            f"got {game.n_agents}"
        )
    check_count("state_size", game.state_size)
    check_count("horizon", game.horizon)


def _check_reset(game: Game, n_copies: int, seed: int) -> Tensor:
    state = game.reset(n_copies, seed)
    if list(state.shape) != [n_copies, game.state_size]:
        raise ValueError(
            f"reset must return states of shape [{n_copies}, {game.state_size}], "
            f"got {list(state.shape)}"
        )
    if not torch.equal(state, game.reset(n_copies, seed)):
        raise ValueError("reset must give the same states for the same seed, got different ones")
    return state


def _check_step(step: Step, state: Tensor, step_number: int) -> None:
    wanted = {"reward": [len(state)], "terminated": [len(state)], "truncated": [len(state)]}
    for part, shape in {"state": list(state.shape), **wanted}.items():
        found = getattr(step, part)
        if list(found.shape) != shape:
            raise ValueError(f"step must return {part} of shape {shape}, got {list(found.shape)}")
    for part in ("terminated", "truncated"):
        if getattr(step, part).dtype is not torch.bool:
            raise ValueError(f"{part} must be bool, got {getattr(step, part).dtype}")
    check_rewards(step.reward, step_number)
    if not bool(torch.isfinite(step.state).all()):
        raise ValueError(f"state must be finite, got nan or inf at step {step_number}")


def _check_refuses(game: Game, n_copies: int, n_coordinates: int, seed: int) -> None:
    game.reset(n_copies, seed)
    try:
        game.step(torch.full((n_copies, n_coordinates), 1.5))
    except ValueError:
        return
    raise ValueError("step must refuse actions outside [-1, 1] with a ValueError, got no error")
