"""The training loop: a generator that yields records, prints nothing and writes nothing."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

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
    """A whole run, one record an environment step; see `Training`."""
    training = Training(game, learner, settings, seed)
    while not training.done:
        yield from training.play_episode()


class Training:
    """Algorithm 1's outer loop, which can stop after any episode and go on as if it had not.

    The learner's clock, by which temperatures and exploration fall, counts finished episodes.

    Args:
        game: played one copy at a time.
        learner: changed in place.
        settings: lengths and sizes.
        seed: of the resets and of the replay's draws.
    """

    def __init__(self, game: Game, learner: Learner, settings: TrainSettings, seed: int) -> None:
        self._game, self._learner, self._settings = game, learner, settings
        draws, starts = np.random.SeedSequence([seed, 1]).spawn(2)
        self._generator = torch.Generator().manual_seed(int(draws.generate_state(1)[0]))
        self._starts = np.random.default_rng(starts)
        self._replay = Replay(
            min(settings.capacity, settings.n_episodes * game.horizon),
            game.state_size,
            sum(game.action_sizes),
            learner.note_size,
        )
        self.episode = 0  # episodes finished
        self.step = 0  # environment steps taken

    @property
    def done(self) -> bool:
        """Whether all episodes of the run are played."""
        return self.episode >= self._settings.n_episodes

    def play_episode(self) -> Iterator[Record]:
        """Act, store, sample and update at every step until the episode is over.

        Yields:
            One record an environment step.

        Raises:
            ValueError: if the game pays something that is not finite.
            DivergedError: if a number of the learner turns infinite or NaN.
        """
        state = self._game.reset(1, int(self._starts.integers(2**31)))
        over = False
        while not over:
            u = self._learner.act(state, "explore")
            self._check_numbers({"an action": float(u.sum())})
            after = self._game.step(u)
            check_rewards(after.reward, self.step)
            note = self._learner.observe(state, u)
            self._replay.add(Batch(state, u, after.reward, after.state, after.terminated, note))
            over = bool(after.terminated[0] | after.truncated[0])
            metrics = self._update(over)
            yield Record(self.step, u[0].numpy(), float(after.reward[0]), over, metrics)
            self.step += 1
            state = after.state
        self.episode += 1

    def _update(self, episode_over: bool) -> dict[str, float]:
        """Update as often as it is due after this step; returns what the last one told."""
        settings, metrics = self._settings, {}
        for _ in range(self._updates_due(episode_over)):
            batch = self._replay.sample(
                settings.batch_size, self._generator, settings.rewarded_share
            )
            metrics = self._learner.update(batch, self.episode)
            self._check_numbers(metrics)
        return metrics

    def _updates_due(self, episode_over: bool) -> int:
        settings = self._settings
        if self.step < settings.warmup:
            return 0
        if settings.episode_updates:
            return settings.episode_updates if episode_over else 0
        return int(self.step % settings.update_every == 0)

    def _check_numbers(self, numbers: Mapping[str, float]) -> None:
        for name, value in numbers.items():
            if not np.isfinite(value):
                settings = getattr(self._learner, "settings", None)
                raise DivergedError(name, value, self.step, settings)

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that the episodes to come depend on, taken between two episodes."""
        starts = json.dumps(self._starts.bit_generator.state).encode()
        return {
            **{f"learner.{name}": value for name, value in self._learner.state_dict().items()},
            **{f"replay.{name}": value for name, value in self._replay.state_dict().items()},
            "draws": self._generator.get_state(),
            "starts": torch.tensor(list(starts), dtype=torch.uint8),
            "counts": torch.tensor([self.episode, self.step]),
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on where `state_dict` was taken."""

        def below(prefix: str) -> dict[str, Tensor]:
            found = (name for name in state if name.startswith(prefix))
            return {name.removeprefix(prefix): state[name] for name in found}

        self._learner.load_state_dict(below("learner."))
        self._replay.load_state_dict(below("replay."))
        self._generator.set_state(state["draws"])
        self._starts.bit_generator.state = json.loads(bytes(state["starts"].tolist()))
        self.episode, self.step = state["counts"].tolist()
