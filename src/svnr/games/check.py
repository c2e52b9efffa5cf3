"""Whether a new game can be played: for whoever writes one."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from svnr.checks import Count, fitted
from svnr.games.game import Game, as_data, check_rewards

SEED = 0  # of the resets and of the random actions


def check_game(game: Game, n_copies: int = 4) -> None:
    """Play a game with random actions and say, in words, what is wrong with it.

    Args:
        game: the game to check.
        n_copies: B, the parallel copies to play.

    Raises:
        ValueError: naming the part that is wrong, what was wanted and what was found.
    """
    check_sizes(game)
    rules, chance = _checked_rules(game), torch.get_rng_state()
    state = game.reset(n_copies, SEED)
    _check_finite(state, "reset")
    if not torch.equal(state, game.reset(n_copies, SEED)):
        raise ValueError("reset must give the same states for the same seed, got different ones")
    state = _last_state(game, n_copies, torch.Generator().manual_seed(SEED))
    if not torch.equal(chance, torch.get_rng_state()):
        raise ValueError("chance must come from the seed of _begin, got torch's global generator")
    if _checked_rules(game) != rules:
        raise ValueError(f"rules must not change in play, got {rules}, then {game.rules()}")
    _check_restart(game, state)
    game.close()


def _last_state(game: Game, n_copies: int, generator: torch.Generator) -> Tensor:
    """Where random play ends, every step of it checked."""
    for step_number in range(game.horizon):
        u = 2 * torch.rand(n_copies, sum(game.action_sizes), generator=generator) - 1
        held = {**game._now, "u": u}
        given = {name: value.clone() for name, value in held.items()}
        step = game.step(u)
        for name, value in held.items():
            if not torch.allclose(value, given[name], rtol=0, atol=0, equal_nan=True):
                raise ValueError(f"_play must not change {name} in place, got it changed")
        check_rewards(step.reward, step_number)
        _check_finite(step.state, f"step {step_number}")
    return step.state


def _check_finite(state: Tensor, where: str) -> None:
    if not bool(torch.isfinite(state).all()):
        raise ValueError(f"state must be finite, got nan or inf at {where}")


def check_sizes(game: Game) -> None:
    """Raise ValueError unless it is a game that says its name and sizes."""
    if not isinstance(game, Game):
        raise ValueError(f"game must be a Game, got {type(game).__name__}")
    counts = {"action_sizes": tuple[Count, ...], "state_size": Count, "horizon": Count}
    for name, wanted in {"name": str, **counts}.items():
        if not hasattr(game, name):
            raise ValueError(f"game must have {name!r}, got {type(game).__name__} without it")
        fitted(name, getattr(game, name), wanted)
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


def _checked_rules(game: Game) -> str:
    told, data = repr(game.rules()), repr(as_data(game.rules()))
    if told != data or " at 0x" in told:
        raise ValueError(f"rules must be plain data, the same at every call, got {told}")
    return told


def _check_restart(game: Game, ended: Tensor) -> None:
    """The last copy must begin as it would alone, while the others stay as they ended."""
    state = game.restart(torch.arange(len(ended)) == len(ended) - 1, SEED)
    if not torch.equal(state[:-1], ended[:-1]):
        raise ValueError("restart must leave the other copies as they are, got others")
    u = torch.zeros(len(ended), sum(game.action_sizes))
    last = state[-1:], game.step(u).state[-1:]
    alone = game.reset(1, SEED), game.step(u[-1:]).state
    # The first state is the same to the bit; a product of several rows may differ in the last one.
    for one, other, off in zip(last, alone, (0.0, 1e-4), strict=True):
        if not torch.allclose(one, other, rtol=off, atol=off):
            raise ValueError(f"restart must start one copy as reset(1, seed): {other}, got {one}")
