"""Whether a new game can be played: for whoever writes one."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from svnr.checks import Count, fitted
from svnr.games.game import Game, OneShotGame, Step, as_data, check_actions, check_rewards

SEED = 0  # of the resets and of the random actions
TWICE = 50  # steps, at most, that are played again to see whether they pay the same
KEPT = "what a copy has, chance included, is kept in what _begin returns, a row a copy"


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
    steps = [_checked_step(game, u, number) for number, u in enumerate(_actions(game, n_copies))]
    if not torch.equal(chance, torch.get_rng_state()):
        raise ValueError("chance must come from the seed of _begin, got torch's global generator")
    if _checked_rules(game) != rules:
        raise ValueError(f"rules must not change in play ({KEPT}), got {rules}, {game.rules()}")
    _check_worth(game, steps)
    _check_restart(game, steps[-1].state)
    _check_again(game, steps[:TWICE], restarts=False)
    _check_again(game, steps[:2], restarts=True)
    game.close()


def _actions(game: Game, n_copies: int) -> Iterator[Tensor]:
    """Random joint actions [B, D] of an episode, the same at every call."""
    generator = torch.Generator().manual_seed(SEED)
    for _ in range(game.horizon):
        yield 2 * torch.rand(n_copies, sum(game.action_sizes), generator=generator) - 1


def _checked_step(game: Game, u: Tensor, number: int) -> Step:
    """One step of the game, which changes nothing that it was given and stays finite."""
    held = {**game._now, "u": u}
    given = {name: value.clone() for name, value in held.items()}
    step = game.step(u)
    for name, value in held.items():
        if not torch.allclose(value, given[name], rtol=0, atol=0, equal_nan=True):
            raise ValueError(f"_play must not change {name} in place, got it changed")
    check_rewards(step.reward, number)
    _check_finite(step.state, f"step {number}")
    return step


def _check_worth(game: Game, steps: Sequence[Step]) -> None:
    """What a game says of its worth must be what it pays."""
    (least, most), over = game.return_bounds, torch.zeros(len(steps[0].reward)) > 0
    for step in steps:  # where an episode ends, the reward is all that could still be earned
        last = step.reward[(step.terminated | step.truncated) & ~over]
        if len(bad := last[(last < least) | (last > most)]):
            told = f"what is paid at an end, {bad[0].item()}, got {(least, most)}"
            raise ValueError(f"return_bounds must hold {told}")
        over |= step.terminated | step.truncated
    for name in ("optimum", "trap"):
        if isinstance(game, OneShotGame) and (known := getattr(game, name, None)):
            check_actions(u := torch.tensor([known.u]), sum(game.action_sizes), 1)
            if abs((paid := game.reward(u).item()) - known.reward) > 1e-3:
                raise ValueError(
                    f"reward of {name} must be {paid}, as it pays, got {known.reward}"
                )


def _check_again(game: Game, steps: Sequence[Step], restarts: bool) -> None:
    """The same play must give the same, also where the last copy begins anew in its midst."""
    others = slice(0, len(steps[0].reward) - restarts)
    game.reset(len(steps[0].reward), SEED)
    draws = _actions(game, len(steps[0].reward))
    for number, known in enumerate(steps):
        u = next(draws)
        if restarts and number:
            game.restart(torch.arange(len(u)) == len(u) - 1, SEED)
        step = game.step(u)
        for one, other in ((step.state, known.state), (step.reward, known.reward)):
            if not torch.allclose(one[others], other[others], rtol=1e-4, atol=1e-4):
                what = "another copy begins anew" if restarts else "the same is played again"
                told = f"{other[others].tolist()}, then {one[others].tolist()}"
                raise ValueError(f"play must stay the same where {what} ({KEPT}), got {told}")


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
            told = f"reset(1, seed) ({KEPT}): {other.tolist()}, got {one.tolist()}"
            raise ValueError(f"restart must start one copy as {told}")
