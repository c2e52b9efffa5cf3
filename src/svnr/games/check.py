"""Whether a new game can be played: for whoever writes one."""

import torch
from torch import Tensor

from svnr.checks import Count, fitted
from svnr.games.game import Game, as_data, check_rewards


def check_game(game: Game, n_copies: int = 4, seed: int = 0) -> None:
    """Play a game with random actions and say, in words, what is wrong with it.

    Args:
        game: the game to check.
        n_copies: B, the parallel copies to play.
        seed: seed of the resets and of the random actions.

    Raises:
        ValueError: naming the part that is wrong, what was wanted and what was found.
    """
    check_sizes(game)
    rules = _checked_rules(game)
    state = game.reset(n_copies, seed)
    if not torch.equal(state, game.reset(n_copies, seed)):
        raise ValueError("reset must give the same states for the same seed, got different ones")
    state = _last_state(game, n_copies, torch.Generator().manual_seed(seed))
    if _checked_rules(game) != rules:
        raise ValueError(f"rules must not change in play, got {rules}, then {game.rules()}")
    _check_restart(game, state, seed)
    game.close()


def _last_state(game: Game, n_copies: int, generator: torch.Generator) -> Tensor:
    """Where random play ends, every step of it checked."""
    for step_number in range(game.horizon):
        u = 2 * torch.rand(n_copies, sum(game.action_sizes), generator=generator) - 1
        step = game.step(u)
        check_rewards(step.reward, step_number)
        if not bool(torch.isfinite(step.state).all()):
            raise ValueError(f"state must be finite, got nan or inf at step {step_number}")
    return step.state


def check_sizes(game: Game) -> None:
    """Raise ValueError unless it is a game that says its name and sizes."""
    if not isinstance(game, Game):
        raise ValueError(f"game must be a Game, got {type(game).__name__}")
    sizes = {"action_sizes": tuple[Count, ...], "state_size": Count, "horizon": Count}
    for name, wanted in {"name": str, **sizes}.items():
        if not hasattr(game, name):
            raise ValueError(f"game must have {name!r}, got {type(game).__name__} without it")
        fitted(name, getattr(game, name), wanted)


def _checked_rules(game: Game) -> str:
    told, data = repr(game.rules()), repr(as_data(game.rules()))
    if told != data or " at 0x" in told:
        raise ValueError(f"rules must be plain data, the same at every call, got {told}")
    return told


def _check_restart(game: Game, ended: Tensor, seed: int) -> None:
    """The last copy must begin as it would alone, while the others stay as they ended."""
    state = game.restart(torch.arange(len(ended)) == len(ended) - 1, seed)
    if not torch.equal(state[:-1], ended[:-1]):
        raise ValueError("restart must leave the other copies as they are, got others")
    alone, last = game.reset(1, seed), state[-1:]
    if not torch.equal(last, alone):
        raise ValueError(f"restart must start one copy as reset(1, seed): {alone}, got {last}")
