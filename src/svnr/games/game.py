"""What every game offers; `check_game` says whether a new one can be played.

A game plays `B` parallel copies of itself. The joint action `u` [B, D] lies in [−1, 1] for each of
the D coordinates of the whole team, agent after agent; the game scales it to its own units.
"""

import hashlib
import inspect
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import inf
from types import MappingProxyType
from typing import Any, final

import torch
from torch import Tensor

from svnr.checks import check_count, check_one_of, plain

Copies = Mapping[str, Tensor]  # what the copies of a game remember, a row each


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


@dataclass(frozen=True)
class Symmetries:
    """Linear maps that a game does not notice: from A s, B u leads to A s′ and pays the same."""

    state: Tensor  # [G, S, S] the A of each
    u: Tensor  # [G, D, D] the B of each; it keeps u in [−1, 1]
    agents: Tensor  # [G, N, N] who then does what each agent did

    def drawn(self, n_rows: int, generator: torch.Generator) -> "Symmetries":
        """One of them for each of B rows: [B, S, S], [B, D, D], [B, N, N]."""
        which = torch.randint(len(self.u), (n_rows,), generator=generator)
        return Symmetries(self.state[which], self.u[which], self.agents[which])


class Game(ABC):
    """A cooperative stochastic game (§3.1), played in parallel copies.

    A game says in `_begin` what its copies start from and in `_play` what an action leads to.
    What its copies remember are tensors with a row a copy, which are kept here: copies that
    ended stay as they are and pay nothing, and after `horizon` steps of its own each is cut off.
    """

    name: str
    action_sizes: tuple[int, ...]  # [N] action coordinates of each agent, D in all
    state_size: int  # S
    horizon: int  # steps after which the clock truncates an episode
    version: int = 1  # of the code, counted up when the same rules give other numbers
    return_bounds: tuple[float, float] = (-inf, inf)  # of what can still be earned, anywhere
    _now: Copies = MappingProxyType({})  # what the copies remember, once reset

    def __init_subclass__(cls) -> None:
        """Keep the one rule for all games in one place."""
        super().__init_subclass__()
        if "step" in vars(cls):
            raise TypeError(f"{cls.__name__} must say it in _play, got a step of its own")

    @property
    def n_agents(self) -> int:
        """N, the number of agents."""
        return len(self.action_sizes)

    @abstractmethod
    def _begin(self, copies: Sequence[int], seed: int) -> Copies:
        """What copies remember as their episodes begin: "state" [K, S], and any [K, …] beside it.

        Args:
            copies: the indices of the K copies; most games only count them.
            seed: the same start for the same seed.
        """

    @abstractmethod
    def _play(self, now: Copies, u: Tensor, running: Tensor) -> tuple[Tensor, Copies]:
        """The rewards [B] of joint actions, and what they change of what the copies remember.

        Args:
            now: what the copies remember: what `_begin` named, "terminated", "truncated", and
                the "clock" of steps taken. It is not to be changed in place.
            u: [B, D] in [−1, 1].
            running: [B] bool; what is said of other copies than these is not heard.
        """

    def reset(self, n_copies: int, seed: int) -> Tensor:
        """Start `n_copies` episodes and return their first states [B, S]."""
        check_count("horizon", self.horizon)
        self._now = self._begun(range(check_count("n_copies", n_copies)), seed)
        return self._now["state"]

    def restart(self, copies: Tensor, seed: int) -> Tensor:
        """Begin anew where `copies` [B] is true, while the others go on; all states [B, S].

        One copy starts from where `reset(1, seed)` would have it.
        """
        _check_part("copies", copies, self._now.get("terminated", torch.zeros(0) > 0))
        if bool(copies.any()):
            anew = self._begun(copies.nonzero().flatten().tolist(), seed)
            self._now = {n: old.index_put((copies,), anew[n]) for n, old in self._now.items()}
        return self._now["state"]

    @final
    def step(self, u: Tensor) -> Step:
        """Play the joint action u [B, D] in every copy that has not ended."""
        after = {**self._now, "reward": torch.zeros(len(self._now.get("clock", ())))}
        check_actions(u, sum(self.action_sizes), len(after["reward"]))
        running = ~(self._now["terminated"] | self._now["truncated"])
        all_run = bool(running.all())
        u = u.detach().to(after["reward"].dtype)
        told = self._play(MappingProxyType(after), u, running)
        if not isinstance(told, tuple) or len(told) != 2 or not isinstance(told[1], Mapping):
            got = [*map(_told, told)] if isinstance(told, tuple) else _told(told)
            raise ValueError(f"_play must return rewards and {{name: what changes}}, got {got}")
        reward, played = told
        for name, value in {**played, "reward": reward, "clock": after["clock"] + 1}.items():
            if name not in after:
                check_one_of(f"what {self.name} plays", name, after)
            _check_part(name, value, old := after[name])
            if not all_run:  # of those that have ended, nothing is heard
                value = torch.where(running.view(-1, *[1] * (old.ndim - 1)), value, old)
            after[name] = value
        reward, terminated = after.pop("reward"), after["terminated"]
        after["truncated"] = (after["truncated"] | (after["clock"] >= self.horizon)) & ~terminated
        self._now = after
        return Step(after["state"], reward, terminated, after["truncated"])

    def _begun(self, copies: Sequence[int], seed: int) -> dict[str, Tensor]:
        """What these copies remember as they begin, checked, with clocks at zero."""
        begun = dict(self._begin(copies, check_count("seed", seed, 0)))
        _check_part("state", begun.get("state"), torch.empty(len(copies), self.state_size))
        clock = torch.zeros(len(copies), dtype=torch.long)
        ours = {"clock": clock, "terminated": clock > 0, "truncated": clock > 0}
        for name, value in begun.items():
            if name in (*ours, "reward"):
                raise ValueError(f"_begin must name what is the game's own, got {name!r}")
            if not isinstance(value, Tensor) or value.shape[:1] != clock.shape:
                wanted = f"a tensor with a row for each of {len(copies)} copies"
                raise ValueError(f"{name} must be {wanted}, got {_told(value)}")
        return begun | ours

    def symmetries(self) -> Symmetries:
        """What is known of the game beside its rules; by default the identity alone."""
        return Symmetries(
            *(torch.eye(n)[None] for n in (self.state_size, sum(self.action_sizes), self.n_agents))
        )

    def close(self) -> None:
        """Let go of all copies; the next reset starts new ones."""
        self._now = {}

    def rules(self) -> dict[str, Any]:
        """Everything that the game's numbers depend on, as JSON can hold it.

        Unless a game says it otherwise: the code of its class, but not of what that calls, and
        all that is public in it.
        """
        kind = type(self)
        public = [name for name in dir(self) if not name.startswith("_")]
        data = {n: getattr(self, n) for n in public if not inspect.isroutine(getattr(kind, n, 0))}
        try:
            code = [inspect.getsource(f) for f in _written(kind) if f.__module__ != __name__]
        except OSError as error:
            raise ValueError(f"{kind.__name__} must have rules(): no file has its code") from error
        digest = hashlib.sha256("".join(code).encode()).hexdigest()
        return as_data({"class": f"{kind.__module__}.{kind.__qualname__}", "code": digest, **data})

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that the steps to come depend on, under way as between episodes.

        Raises:
            NotImplementedError: if this game can only be saved between episodes.
        """
        return {name: part.clone() for name, part in self._now.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on where `state_dict` was taken."""
        self._now = {name: part.clone() for name, part in state.items()}


class NotFiniteError(ValueError):
    """A game paid something that is not a finite number."""


class OneShotGame(Game):
    """A game of one step and one state: subclasses say what a joint action earns."""

    state_size = 1
    horizon = 1

    @abstractmethod
    def reward(self, u: Tensor) -> Tensor:
        """The team's reward [...] of joint actions u [..., D], without checks, differentiable."""

    def _begin(self, copies: Sequence[int], seed: int) -> Copies:
        return {"state": torch.zeros(len(copies), self.state_size)}  # nothing here is random

    def _play(self, now: Copies, u: Tensor, running: Tensor) -> tuple[Tensor, Copies]:
        return self.reward(u), {"terminated": torch.ones_like(running)}


class PeakedGame(OneShotGame):
    """A game of one step that knows its peaks: the highest is the optimum, the next one a trap."""

    @property
    @abstractmethod
    def peaks(self) -> tuple[Outcome, ...]:
        """The locally best joint actions, highest first."""

    @property
    def optimum(self) -> Outcome:
        """The highest peak (the first of them, if several are)."""
        return self.peaks[0]

    @property
    def trap(self) -> Outcome | None:
        """The best peak below the optimum, where over-generalizing agents end, if any."""
        return next((peak for peak in self.peaks if peak.reward < self.optimum.reward), None)


def as_data(value: Any) -> Any:
    """The value as JSON can hold it: arrays as lists, anything else that it cannot as text."""
    text = json.dumps(plain(value), default=lambda x: getattr(x, "tolist", lambda: repr(x))())
    return json.loads(text, parse_constant=str)


def agent_slices(action_sizes: tuple[int, ...]) -> list[slice]:
    """The coordinates of the joint action that belong to each agent: [N] slices of 0..D."""
    ends = list(accumulate(action_sizes))
    return [slice(end - size, end) for end, size in zip(ends, action_sizes, strict=True)]


def agent_of_coordinate(action_sizes: tuple[int, ...]) -> list[int]:
    """The agent that each of the D coordinates of the joint action belongs to."""
    return [agent for agent, size in enumerate(action_sizes) for _ in range(size)]


# --- checks -------------------------------------------------------------------------------------


def check_actions(u: Tensor, n_coordinates: int, n_copies: int) -> None:
    """Raise ValueError unless u is a [B, D] tensor of finite numbers within [−1, 1]."""
    if not isinstance(u, Tensor) or u.shape != (n_copies, n_coordinates):
        wanted = f"have a row of {n_coordinates} for each of the {n_copies} copies that reset"
        raise ValueError(f"u must {wanted} started, got {_told(u)}")
    inside = u.abs() <= 1  # a NaN is never within
    if not bool(inside.all()):
        raise ValueError(f"u must lie in [-1, 1], got {u[~inside][0].item()!r}")


def check_rewards(reward: Tensor, step: int) -> None:
    """Raise NotFiniteError if a game paid something that is not a finite number at `step`."""
    if not bool(torch.isfinite(reward).all()):
        bad = int((~torch.isfinite(reward)).nonzero()[0])
        found = f"{reward[bad].item()} in copy {bad} at step {step}"
        raise NotFiniteError(f"reward must be finite, got {found}")


def _check_part(name: str, value: Any, like: Tensor) -> None:
    """Raise ValueError unless a game's value has the shape and the type of what it replaces."""
    good = isinstance(value, Tensor) and value.dtype is like.dtype and value.shape == like.shape
    if not good or value.requires_grad:
        raise ValueError(f"{name} must be {_told(like)}, got {_told(value)}")


def _written(kind: type) -> list[Callable[..., Any]]:
    """What is called of a class by others or itself: of its properties, the private ones."""
    members = inspect.getmembers(kind)
    hidden = {n: getattr(m, "fget", getattr(m, "func", None)) for n, m in members if n[0] == "_"}
    called = [hidden.get(n) or m for n, m in members]
    return [each for each in called if inspect.isfunction(each) or inspect.ismethod(each)]


def _told(value: Any) -> str:
    if not isinstance(value, Tensor):
        return type(value).__name__
    return f"{value.dtype} of shape {list(value.shape)}" + " with a gradient" * value.requires_grad
