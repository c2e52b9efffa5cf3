"""A run: under way it is a log that grows, finished it is the same with its tests."""

import contextlib
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from svnr.experiments import catalogue, evaluate
from svnr.experiments.specs import RunSpec
from svnr.experiments.train import Record, Training
from svnr.games.game import OneShotGame
from svnr.learners.checkpoint import below
from svnr.learners.learner import Learner, undisturbed

MOST_VISITED = 100_000  # numbers of the joint actions of a run that are kept, or none
BLOCK = 25  # episodes of which the metrics of a finished run are a mean
TYPES = {
    "length": np.int32,
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
        """[E, D] its joint action; kept of seed 0 in one-shot games of few agents."""
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
        return float(self.returns[-n:].mean()) if len(self.returns) else np.nan


class Tally:
    """What each of K copies has done in the episode that it is in: sums, [K] each."""

    def __init__(self, n_copies: int) -> None:
        self.sums = {name: np.zeros(n_copies) for name in ("return", "length", "updates")}

    def count(self, record: Record) -> None:
        """Add one step of every copy, and the metrics of its update to every copy."""
        metrics = {f"metric_{name}": value for name, value in record.metrics.items()}
        counts: dict[str, Any] = {"return": record.reward, "length": 1, "updates": bool(metrics)}
        for name, values in (counts | metrics).items():
            self.sums.setdefault(name, np.zeros_like(self.sums["return"]))
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
        if replace(spec).description != spec.description:  # made anew, here and now
            raise ValueError(
                f"a run of {spec.game} must be begun as it was described: the game's code, a "
                "version or torch's default number type is another one now"
            )
        self.run = Run(spec, {"return": [], "length": []})
        self.game = catalogue.make_game(spec.game)
        if spec.training.trace_every and not evaluate.has_gaps(self.game):
            wanted = "0 in games of several steps, several numbers an agent or many agents"
            raise ValueError(f"trace_every must be {wanted}, as {spec.game}")
        learner = catalogue.learner_class(spec.learner)
        self.learner: Learner = learner(self.game, spec.settings, spec.seed)
        self._training = Training(self.game, self.learner, spec.training, spec.seed)
        self._tally = Tally(spec.training.n_copies)
        self._seconds = 0.0
        self._worked = 0.0  # seconds of the processor in training alone
        self._until_test: list[float] = []  # the same, until each test

    def steps(self) -> Iterator[int]:
        """Train to the end; yields the number of environment steps after each of all copies."""
        n_visited = self.run.spec.training.length * sum(self.game.action_sizes)
        few = isinstance(self.game, OneShotGame) and n_visited <= MOST_VISITED
        keep_actions = few and self.run.spec.seed == 0
        while not self._training.done:
            began, at_work = time.monotonic(), time.process_time()
            with one_thread():
                done, before = self._training.progress.done, self._training.episodes
                record = self._training.step()
                self._worked += time.process_time() - at_work
                self._tally.count(record)
                for copy in record.over.nonzero()[0].tolist():
                    self.run.add_episode(self._tally.take(copy))
                    if keep_actions:
                        self.run.add(visited=record.u[copy])
                self._measure(before)
                self._test(done)
            self._seconds += time.monotonic() - began
            yield self._training.steps

    def _measure(self, before: int) -> None:
        """PRO and ERO, after the first episode and every so many more."""
        spec, every = self.run.spec, self.run.spec.training.trace_every
        if every and (due := -(-before // every) * every) < self._training.episodes:
            game, n_samples = catalogue.example(spec.game), spec.training.n_test
            gaps = evaluate.over_generalization(game, self.learner, n_samples, spec.seed)
            self.run.add(trace_episode=due, **{f"trace_{n}": v for n, v in gaps.items()})

    def _test(self, before: int) -> None:
        """Test on a game of its own whenever so much more is done."""
        every, done = self.run.spec.training.test_every, self._training.progress.done
        if every and before // every < done // every:
            with undisturbed(self.learner):
                self.run.add(test_at=done, **self._tested("test"))
            self._until_test.append(round(self._worked, 1))

    def _tested(self, name: str) -> dict[str, np.ndarray]:
        spec, learner = self.run.spec, self.learner
        with contextlib.closing(catalogue.make_game(spec.game)) as game:
            return {
                f"{name}_{way}": evaluate.returns(
                    game, learner, way, spec.training.n_test, spec.seed
                )
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
            tested, n_samples = self._tested("tested"), spec.training.n_test
            perceived = evaluate.perceived(self.game, self.learner, n_samples, spec.seed)
        columns = finished(self.run.table | tested | {"perceived": perceived})
        return Run(spec, columns, self._made())

    def _made(self) -> dict[str, Any]:
        steps = [v for name, v in self.learner.state_dict().items() if name.endswith(".steps")]
        return {
            "seconds": round(self._seconds, 1),
            "processor_seconds": round(self._worked, 1),  # of training alone
            "processor_seconds_until_test": self._until_test,
            "updates": max((int(each) for each in steps), default=0),  # of what was moved most
            "finished": time.strftime("%Y-%m-%d"),
            "platform": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            **{name: version(name) for name in ("svnr", "torch", "numpy")},
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that going on needs, as arrays; `resume` reads them.

        There are none in the middle of an episode of a game that cannot say its state.
        """
        try:
            state = self._training.state_dict()
        except NotImplementedError:
            return {}
        parts = {"log": self.run.table, "tally": self._tally.sums, "state": state}
        return {"seconds": np.array([self._seconds, self._worked, *self._until_test])} | {
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
        self._seconds, self._worked, *self._until_test = arrays["seconds"].tolist()


def finished(table: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The columns of a run as it is kept: as arrays, metrics as means over blocks of episodes."""
    arrays = {name: np.asarray(v, TYPES.get(name, np.float32)) for name, v in table.items()}
    metrics = {name for name in arrays if name.startswith("metric_")}
    return arrays | {name: block_means(arrays[name], BLOCK) for name in metrics}


def block_means(values: np.ndarray, size: int) -> np.ndarray:
    """Means [T / size] over blocks of values [T] that are not NaN; the last block may be short."""
    rest = -len(values) % size
    blocks = np.pad(values.astype(float), (0, rest), constant_values=np.nan).reshape(-1, size)
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
