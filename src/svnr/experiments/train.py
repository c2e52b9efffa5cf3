"""The training loop: a generator that yields records, prints nothing and writes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from svnr.experiments.settings import TrainSettings
from svnr.games.game import Game, check_rewards
from svnr.learners.learner import Learner
from svnr.learners.replay import Batch, Replay


@dataclass(frozen=True)
class Record:
    """One environment step of a run."""

    step: int
    u: np.ndarray  # [D] the joint action played
    reward: float
    episode_over: bool
    metrics: dict[str, float] = field(default_factory=dict)  # of the update, if there was one


class DivergedError(FloatingPointError):
    """A number of the learner turned infinite or NaN."""

    def __init__(self, metric: str, value: float, step: int, settings: object) -> None:
        super().__init__(f"{metric} became {value} at step {step} with {settings}")
        self.metric, self.step, self.settings = metric, step, settings

    def __reduce__(self) -> tuple:
        """Survive the way back from a worker process."""
        return _diverged_again, (str(self), self.metric, self.step, self.settings)


def _diverged_again(message: str, metric: str, step: int, settings: object) -> DivergedError:
    error = DivergedError(metric, float("nan"), step, settings)
    error.args = (message,)
    return error


def train(game: Game, learner: Learner, settings: TrainSettings, seed: int) -> Iterator[Record]:
    """Algorithm 1's outer loop: act, store, sample, update, one record a step.

    Args:
        game: played one copy at a time.
        learner: changed in place.
        settings: lengths and sizes.
        seed: of the resets and of the replay's draws.

    Yields:
        One record an environment step.

    Raises:
        ValueError: if the game pays something that is not finite.
        DivergedError: if a number of the learner turns infinite or NaN, naming step and settings.
    """
    draws, starts = np.random.SeedSequence([seed, 1]).spawn(2)
    generator = torch.Generator().manual_seed(int(draws.generate_state(1)[0]))
    episode_seeds = np.random.default_rng(starts)
    replay = Replay(
        min(settings.capacity, settings.n_steps),
        game.state_size,
        sum(game.action_sizes),
        learner.note_size,
    )
    state = game.reset(1, int(episode_seeds.integers(2**31)))
    for step in range(settings.n_steps):
        u = learner.act(state, "explore")
        _check_numbers({"an action": float(u.sum())}, step, learner)
        after = game.step(u)
        check_rewards(after.reward, step)
        note = learner.observe(state, u)
        replay.add(Batch(state, u, after.reward, after.state, after.terminated, note))
        metrics: dict[str, float] = {}
        if step >= settings.warmup and step % settings.update_every == 0:
            metrics = learner.update(replay.sample(settings.batch_size, generator), step)
            _check_numbers(metrics, step, learner)
        over = bool(after.terminated[0] | after.truncated[0])
        yield Record(step, u[0].numpy(), float(after.reward[0]), over, metrics)
        state = game.reset(1, int(episode_seeds.integers(2**31))) if over else after.state


def _check_numbers(numbers: dict[str, float], step: int, learner: Learner) -> None:
    for name, value in numbers.items():
        if not np.isfinite(value):
            raise DivergedError(name, value, step, getattr(learner, "settings", None))
