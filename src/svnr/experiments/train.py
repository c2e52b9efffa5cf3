"""The training loop: it plays copies of a game, and tells the learner what happened."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from svnr.checks import check_count
from svnr.experiments.specs import TrainSettings
from svnr.games.check import check_game
from svnr.games.game import Game, check_rewards
from svnr.learners.checkpoint import below
from svnr.learners.learner import Learner, Progress
from svnr.learners.memory import Transitions


@dataclass(frozen=True)
class Record:
    """One step of every copy."""

    u: np.ndarray  # [K, D] the joint actions played
    reward: np.ndarray  # [K]
    over: np.ndarray  # [K] bool, the episode ended here
    metrics: dict[str, float] = field(default_factory=dict)  # of the last update, if there was one


class DivergedError(FloatingPointError):
    """A number of the learner turned infinite or NaN."""


def train(game: Game, learner: Learner, settings: TrainSettings, seed: int) -> Iterator[Record]:
    """A whole run, one record a step, of a game that `check_game` finds fit; see `Training`."""
    check_game(game, n_copies=2, repeatable=False)
    training = Training(game, learner, settings, seed)
    while not training.done:
        yield training.step()


class Training:
    """Algorithm 1's outer loop, which can stop after a step and go on as if it had not.

    The learner's clock, by which temperatures and exploration fall, counts what the run's length
    is told in: finished episodes, or environment steps.

    Args:
        game: played in K copies.
        learner: changed in place.
        settings: the length and K.
        seed: of the resets.
    """

    def __init__(self, game: Game, learner: Learner, settings: TrainSettings, seed: int) -> None:
        check_count("seed", seed, least=0)
        self._game, self._learner, self._settings = game, learner, settings
        self._starts = np.random.default_rng(np.random.SeedSequence([seed, 1]).spawn(2)[1])
        self._state: Tensor | None = None  # [K, S] where the copies are; None before the first
        self._over = torch.ones(settings.n_copies, dtype=torch.bool)  # copies that must restart
        self.episodes = 0  # finished
        self.steps = 0  # environment steps taken, of all copies together

    @property
    def progress(self) -> Progress:
        """What of the run is done."""
        done = self.episodes if self._settings.unit == "episodes" else self.steps
        return Progress(done, self._settings.length)

    @property
    def done(self) -> bool:
        """Whether the run has its length."""
        return self.progress.done >= self._settings.length

    def step(self) -> Record:
        """One step of every copy, after those that ended have begun anew.

        Raises:
            NotFiniteError: if the game pays something that is not finite.
            DivergedError: if a number of the learner turns infinite or NaN.
        """
        state = self._begun()
        u = self._learner.act(state, "explore")
        self._check_numbers({"an action": float(u.sum())})
        after = self._game.step(u)
        check_rewards(after.reward, self.steps)
        rows = Transitions(state, u, after.reward, after.state, after.terminated, after.truncated)
        metrics = self._learner.observe(rows, self.progress)
        self._check_numbers(metrics)
        self._state, self._over = after.state, after.terminated | after.truncated
        over = self._over.numpy()
        record = Record(u.numpy(), after.reward.numpy(), over, metrics)
        self.steps += len(u)
        self.episodes += int(over.sum())
        return record

    def _begun(self) -> Tensor:
        """The states [K, S] to act in."""
        if self._state is None:
            self._state = self._game.reset(self._settings.n_copies, self._next_seed())
        elif bool(self._over.any()):
            self._state = self._game.restart(self._over, self._next_seed())
        return self._state

    def _next_seed(self) -> int:
        return int(self._starts.integers(2**31))

    def _check_numbers(self, numbers: Mapping[str, float]) -> None:
        for name, value in numbers.items():
            if not np.isfinite(value):
                settings = self._learner.settings
                raise DivergedError(f"{name} became {value} at step {self.steps} with {settings}")

    def check_weights(self) -> None:
        """Raise DivergedError if the learner holds a number that is infinite or NaN."""
        for name, tensor in self._learner.state_dict().items():
            if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
                self._check_numbers({f"a number of {name}": float("nan")})

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that the steps to come depend on.

        Raises:
            NotImplementedError: in the middle of an episode of a game that cannot say its state.
        """
        starts = json.dumps(self._starts.bit_generator.state).encode()
        under_way = self._state is not None and not bool(self._over.all())
        game = self._game.state_dict() if under_way else {}
        return {
            **{f"learner.{name}": value for name, value in self._learner.state_dict().items()},
            **{f"game.{name}": value for name, value in game.items()},
            "starts": torch.tensor(list(starts), dtype=torch.uint8),
            "counts": torch.tensor([self.episodes, self.steps]),
            "over": self._over,
            "state": torch.zeros(0) if self._state is None else self._state,
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on where `state_dict` was taken."""
        self._learner.load_state_dict(below("learner.", state))
        self._starts.bit_generator.state = json.loads(bytes(state["starts"].tolist()))
        self.episodes, self.steps = state["counts"].tolist()
        self._over = state["over"]
        self._state = state["state"] if len(state["state"]) else None
        if self._state is not None:
            self._game.reset(self._settings.n_copies, 0)  # so that there are copies to set
        if game := below("game.", state):
            self._game.load_state_dict(game)
