"""Whether a new game can be played: for whoever writes one."""

from collections.abc import Iterator, Sequence
from math import isclose
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from svnr.checks import Count, fitted
from svnr.games.game import (
    Game,
    OneShotGame,
    Outcome,
    Step,
    as_data,
    check_actions,
    check_rewards,
)
from svnr.games.parallel import ParallelGame

SEED = 0  # of the resets and of the random actions
PLAYED = 100  # steps, at most, of random play
KEPT = "what a copy has, chance included, is kept in what _begin returns, a row a copy"
SEEDED = "reset(seed=…) of an environment must seed all chance and clear all that it remembers"


def check_game(game: Game, n_copies: int = 4, repeatable: bool = True) -> None:
    """Play a game with random actions and say, in words, what is wrong with it.

    Args:
        game: the game to check.
        n_copies: B, the parallel copies to play.
        repeatable: see, too, that its rules are plain data and that the same play gives the same,
            as runs want that are kept.

    Raises:
        ValueError: naming the part that is wrong, what was wanted and what was found.
    """
    check_sizes(game)
    hint, chance = SEEDED if isinstance(game, ParallelGame) else KEPT, torch.get_rng_state()
    rules = _checked_rules(game) if repeatable else {}
    state = game.reset(n_copies, SEED)
    _check_finite(state, "reset")
    if not torch.equal(state, game.reset(n_copies, SEED)):
        raise ValueError("reset must give the same states for the same seed, got different ones")
    steps = _played(game, n_copies)
    if not torch.equal(chance, torch.get_rng_state()):
        raise ValueError("chance must come from the seed of _begin, got torch's global generator")
    after = _checked_rules(game) if repeatable else {}
    if changed := [name for name in rules if rules[name] != after.get(name)]:
        raise ValueError(f"rules must not change in play ({hint}), got another {changed[0]}")
    _check_worth(game, steps)
    _check_restart(game, steps[-1].state, hint)
    if repeatable:
        _check_again(game, steps, (), f"the same is played again ({hint})")
        middle = (1, len(steps) // 2)
        _check_again(game, steps, middle, f"another copy begins anew ({hint})")
    game.close()


def _actions(game: Game, n_copies: int) -> Iterator[Tensor]:
    """Random joint actions [B, D], the same at every call."""
    generator = torch.Generator().manual_seed(SEED)
    for _ in range(min(game.horizon, PLAYED)):
        yield 2 * torch.rand(n_copies, sum(game.action_sizes), generator=generator) - 1


def _played(game: Game, n_copies: int) -> list[Step]:
    """What random play leads to, until all copies are over, every step of it checked."""
    steps: list[Step] = []
    for u in _actions(game, n_copies):
        if steps and bool((steps[-1].terminated | steps[-1].truncated).all()):
            break
        held = {**game._now, "u": u}
        given = {name: value.clone() for name, value in held.items()}
        steps.append(step := game.step(u))
        for name, value in held.items():
            if not torch.allclose(value, given[name], rtol=0, atol=0, equal_nan=True):
                raise ValueError(f"_play must not change {name} in place, got it changed")
        check_rewards(step.reward, len(steps) - 1)
        _check_finite(step.state, f"step {len(steps) - 1}")
    return steps


def _check_worth(game: Game, steps: Sequence[Step]) -> None:
    """What a game says of its worth must be what it pays."""
    low, high = game.return_bounds
    least, most = low - 1e-4 * max(1, abs(low)), high + 1e-4 * max(1, abs(high))
    over = torch.zeros(len(steps[0].reward)) > 0
    for step in steps:  # where an episode ends by itself, its reward is all that can be earned
        last = step.reward[step.terminated & ~over]
        if len(bad := last[(last < least) | (last > most)]):
            told = f"what is paid at an end, {bad[0].item()}, got {game.return_bounds}"
            raise ValueError(f"return_bounds must hold {told}")
        over |= step.terminated
    for name in ("optimum", "trap"):
        if isinstance(game, OneShotGame) and (known := getattr(game, name, None)) is not None:
            _check_known(game, name, known)


def _check_known(game: OneShotGame, name: str, known: Any) -> None:
    """A joint action that a game knows must be one, and worth what it pays."""
    if not isinstance(known, Outcome):
        raise ValueError(f"{name} must be an Outcome or None, got {type(known).__name__}")
    u = torch.tensor([known.u], dtype=torch.get_default_dtype())
    check_actions(u, sum(game.action_sizes), 1)
    if not isclose(paid := game.reward(u).item(), known.reward, rel_tol=1e-4, abs_tol=1e-3):
        raise ValueError(f"{name} must be worth what it pays, {paid:g}, got {known.reward:g}")


def _check_restart(game: Game, ended: Tensor, hint: str) -> None:
    """The last copy must begin as it would alone, while the others stay as they are."""
    state = game.restart(torch.arange(len(ended)) == len(ended) - 1, SEED)
    if not torch.equal(state[:-1], ended[:-1]):
        raise ValueError("restart must leave the other copies as they are, got others")
    u = torch.zeros(len(ended), sum(game.action_sizes))
    last = state[-1:], game.step(u).state[-1:]
    alone = game.reset(1, SEED), game.step(u[-1:]).state
    # The first state is the same to the bit; a product of several rows may differ in the last one.
    for one, other, off in zip(last, alone, (0.0, 1e-4), strict=True):
        if apart := _apart(one, other, off):
            raise ValueError(f"restart must start one copy as reset(1, seed) ({hint}), {apart}")


def _check_again(game: Game, steps: Sequence[Step], restarts: Sequence[int], told: str) -> None:
    """The same play must give the same, also to copies beside one that begins anew meanwhile."""
    n = len(steps[0].reward)
    others = slice(0, n - bool(restarts))
    game.reset(n, SEED)
    for number, (u, known) in enumerate(zip(_actions(game, n), steps, strict=False)):
        if number in restarts:
            game.restart(torch.arange(n) == n - 1, SEED)
        step = game.step(u)
        for part in ("state", "reward", "terminated"):
            if apart := _apart(getattr(step, part)[others], getattr(known, part)[others], 1e-4):
                raise ValueError(
                    f"{part} must stay what it is where {told}, {apart}, step {number}"
                )


def _apart(one: Tensor, other: Tensor, off: float) -> str:
    """Where two tensors [B, …] first differ, in words; nothing if they do not."""
    one, other = one.double(), other.double()
    bad = (~torch.isclose(one, other, rtol=off, atol=off)).nonzero()
    if not len(bad):
        return ""
    place = tuple(bad[0].tolist())
    return f"got {other[place]:g}, then {one[place]:g}, in copy {place[0]}"


def _check_finite(state: Tensor, where: str) -> None:
    if not bool(torch.isfinite(state).all()):
        raise ValueError(f"state must be finite, got nan or inf at {where}")


def check_sizes(game: Game) -> None:
    """Raise ValueError unless it is a game that says its name and sizes."""
    if not isinstance(game, Game):
        got = f"the class {game.__name__}" if isinstance(game, type) else type(game).__name__
        raise ValueError(f"game must be a Game, got {got}")
    counts = {"action_sizes": tuple[Count, ...], "state_size": Count, "horizon": Count}
    for name, wanted in {"name": str, **counts}.items():
        if not hasattr(game, name):
            raise ValueError(f"game must have {name!r}, got {type(game).__name__} without it")
        fitted(name, getattr(game, name), wanted)
    if game.n_agents != (n := len(game.action_sizes)):
        raise ValueError(
            f"n_agents must be {n}, one for each of action_sizes, got {game.n_agents}"
        )
    if game.name in ("", ".", "..") or Path(game.name).name != game.name:
        raise ValueError(f"name must be the name of a folder, got {game.name!r}")
    bounds: Any = game.return_bounds
    numbers = isinstance(bounds, tuple) and all(isinstance(x, int | float) for x in bounds)
    if not (numbers and len(bounds) == 2 and bounds[0] < bounds[1]):
        raise ValueError(f"return_bounds must be two numbers, least and most, got {bounds!r}")
    sizes = {"state": game.state_size, "u": sum(game.action_sizes), "agents": game.n_agents}
    for part, size in sizes.items():
        if (shape := getattr(game.symmetries(), part).shape)[1:] != (size, size):
            told = f"maps [G, {size}, {size}], got shape {list(shape)}"
            raise ValueError(f"{part} of symmetries must be {told}")


def _checked_rules(game: Game) -> dict[str, Any]:
    rules = game.rules()
    told, data = repr(rules), repr(as_data(game.rules()))
    if told != data or " at 0x" in told:
        raise ValueError(f"rules must be plain data, the same at every call, got {told}")
    return rules
