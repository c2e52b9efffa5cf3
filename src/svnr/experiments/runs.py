"""A run: under way it is a log that grows, finished it is the same with its tests."""

import contextlib
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from svnr.experiments import catalogue, evaluate
from svnr.experiments.specs import RunSpec
from svnr.experiments.train import Record, Training
from svnr.games.game import OneShotGame
from svnr.learners.checkpoint import below
from svnr.learners.learner import undisturbed

BLOCK = 25  # episodes of which the metrics of a finished run are a mean
TYPES = {
    "length": np.int16,
    "visited": np.float16,
    "perceived": np.float16,
    "trace_episode": np.int32,
    "trace_pro": np.float64,
    "trace_ero": np.float64,
}  # of the columns; else float32


@dataclass
class Run:
    """A run of E training episodes; its table holds lists while it grows, then arrays."""

    spec: RunSpec
    table: dict[str, Any] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)  # where, with what and how long

    def add(self, **values: Any) -> None:
        """One more entry of each of these columns."""
        for name, value in values.items():
            self.table.setdefault(name, []).append(value)

    def add_episode(self, values: Mapping[str, float]) -> None:
        """A finished episode; a metric that is new was NaN before."""
        n_before = len(self.table.setdefault("return", []))
        for name, value in values.items():
            self.table.setdefault(name, [np.nan] * n_before).append(value)

    @property
    def returns(self) -> np.ndarray:
        """[E] the sum of the team's rewards of every training episode."""
        return self.table["return"]

    @property
    def length(self) -> np.ndarray:
        """[E] its steps."""
        return self.table["length"]

    @property
    def visited(self) -> np.ndarray:
        """[E, D] its joint action; kept of seed 0 in one-shot games."""
        return self.table["visited"]

    @property
    def perceived(self) -> np.ndarray:
        """[N, n_test, D] samples of the perceived joint policies."""
        return self.table["perceived"]

    @property
    def metrics(self) -> dict[str, np.ndarray]:
        """Name → means over blocks of episodes, NaN where nothing was learned."""
        return below("metric_", self.table)

    @property
    def tested(self) -> dict[str, np.ndarray]:
        """Way of execution → [n_test] returns after training."""
        return below("tested_", self.table)

    @property
    def tests(self) -> dict[str, np.ndarray]:
        """During the run: "at" [K], and way of execution → [K, n_test] returns."""
        return below("test_", self.table)

    @property
    def trace(self) -> dict[str, np.ndarray]:
        """Of PRO and ERO: "episode" [K], "pro" and "ero" [K, N]."""
        return below("trace_", self.table)

    def last(self, n: int = 100) -> float:
        """The mean return of the last n training episodes."""
        return float(self.returns[-n:].mean())


class Tally:
    """What each of K copies has done in the episode that it is in: sums, [K] each."""

    def __init__(self, n_copies: int) -> None:
        self.sums = {name: np.zeros(n_copies) for name in ("return", "length", "updates")}

    def count(self, record: Record) -> None:
        """Add one step of every copy, and the metrics of its update to every copy."""
        self._add("return", record.reward)
        self._add("length", 1)
        self._add("updates", int(bool(record.metrics)))
        for name, value in record.metrics.items():
            self._add(f"metric_{name}", value)

    def _add(self, name: str, values: Any) -> None:
        self.sums.setdefault(name, np.zeros(len(self.sums["return"])))
        self.sums[name] += values

    def take(self, copy: int) -> dict[str, float]:
        """The return, the length and the mean metrics of an episode that is over."""
        taken = {name: float(values[copy]) for name, values in self.sums.items()}
        for values in self.sums.values():
            values[copy] = 0.0
        n = taken.pop("updates")
        means = {name: total / n if n else np.nan for name, total in taken.items()}
        return means | {"return": taken["return"], "length": taken["length"]}


class UnderWay:
    """A run under way, which can be written down between two steps and gone on with.

    Args:
        spec: the run.
    """

    def __init__(self, spec: RunSpec) -> None:
        self.run = Run(spec)
        self.game = catalogue.make_game(spec.game)
        self.learner = catalogue.make_learner(spec.learner, self.game, spec.settings, spec.seed)
        self._training = Training(self.game, self.learner, spec.training, spec.seed)
        self._tally = Tally(spec.training.n_copies)
        self._seconds = 0.0

    def steps(self) -> Iterator[int]:
        """Train to the end; yields the number of environment steps after each of all copies."""
        spec, one_shot = self.run.spec, isinstance(self.game, OneShotGame)
        while not self._training.done:
            began = time.monotonic()
            with one_thread():
                done, before = self._training.progress.done, self._training.episodes
                record = self._training.step()
                if one_shot and spec.seed == 0:
                    self.run.add(visited=record.u[0])
                self._count(record)
                self._measure(before)
                self._test(done)
            self._seconds += time.monotonic() - began
            yield self._training.steps

    def _count(self, record: Record) -> None:
        """Keep the return, the length and the mean metrics of the episodes that ended."""
        self._tally.count(record)
        for copy in record.over.nonzero()[0].tolist():
            self.run.add_episode(self._tally.take(copy))

    def _measure(self, before: int) -> None:
        """PRO and ERO, after the first episode and every so many more."""
        every, spec = self.run.spec.training.trace_every, self.run.spec
        if every and before % every == 0 and self._training.episodes > before:
            n_samples = spec.training.n_test
            gaps = evaluate.over_generalization(self.game, self.learner, n_samples, spec.seed)
            self.run.add(trace_episode=before, **{f"trace_{n}": v for n, v in gaps.items()})

    def _test(self, before: int) -> None:
        """Test on a game of its own whenever so much more is done."""
        every, done = self.run.spec.training.test_every, self._training.progress.done
        if every and before // every < done // every:
            with undisturbed(self.learner):
                tested = self._tested()
            self.run.add(test_at=done, **{f"test_{way}": values for way, values in tested.items()})

    def _tested(self) -> dict[str, np.ndarray]:
        spec = self.run.spec
        game = catalogue.make_game(spec.game)
        with contextlib.closing(game):
            return {
                way: evaluate.returns(game, self.learner, way, spec.training.n_test, spec.seed)
                for way in evaluate.WAYS
            }

    def finish(self) -> Run:
        """Test the trained learner; returns the finished run.

        Raises:
            DivergedError: if the learner holds a number that is infinite or NaN.
        """
        self._training.check_weights()
        spec = self.run.spec
        with one_thread():
            tested = {f"tested_{way}": values for way, values in self._tested().items()}
            n_samples = spec.training.n_test
            perceived = evaluate.perceived(self.game, self.learner, n_samples, spec.seed)
        self.game.close()
        return Run(
            spec, finished(self.run.table | tested | {"perceived": perceived}), self._made()
        )

    def _made(self) -> dict[str, Any]:
        names = ("svnr", "torch", "numpy")
        return {
            "seconds": round(self._seconds, 1),
            "finished": time.strftime("%Y-%m-%d"),
            "platform": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            **{name: version(name) for name in names},
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that going on needs, as arrays; `resume` reads them.

        Raises:
            NotImplementedError: in the middle of an episode of a game that cannot say its state.
        """
        parts = {
            "log": self.run.table,
            "tally": self._tally.sums,
            "state": {n: tensor.numpy() for n, tensor in self._training.state_dict().items()},
        }
        return {"seconds": np.array(self._seconds)} | {
            f"{part}_{name}": np.asarray(values)
            for part, table in parts.items()
            for name, values in table.items()
        }

    def resume(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on where `arrays` was taken."""
        state = {n: torch.from_numpy(v) for n, v in below("state_", arrays).items()}
        self._training.load_state_dict(state)
        self.run.table = {name: list(values) for name, values in below("log_", arrays).items()}
        self._tally.sums = below("tally_", arrays)
        self._seconds = float(arrays["seconds"])


def finished(table: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The columns of a run as it is kept: as arrays, metrics as means over blocks of episodes."""
    arrays = {
        name: np.asarray(values, dtype=TYPES.get(name, np.float32))
        for name, values in table.items()
    }
    return {
        name: block_means(values, BLOCK) if name.startswith("metric_") else values
        for name, values in arrays.items()
    }


def block_means(values: np.ndarray, size: int) -> np.ndarray:
    """Means [T / size] over blocks of values [T] that are not NaN; the last block may be short."""
    padded = np.full(-(-len(values) // size) * size, np.nan)
    padded[: len(values)] = values
    blocks = padded.reshape(-1, size)
    known = (~np.isnan(blocks)).sum(1)
    return np.where(known, np.nansum(blocks, 1) / np.maximum(known, 1), np.nan).astype(np.float32)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread, so that a run's numbers do not depend on who calls it."""
    before = torch.get_num_threads()
    if before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
