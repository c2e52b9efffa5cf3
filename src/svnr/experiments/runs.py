"""A run, before it is run and after: what is played, who learns, how, and what came of it."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch

from svnr.checks import check_count
from svnr.experiments import evaluate, scenarios
from svnr.experiments.files import below
from svnr.experiments.settings import Protocol, TrainSettings, tuned
from svnr.experiments.train import Record, Training
from svnr.games.game import Game, OneShotGame
from svnr.learners.learner import Learner

FORMAT = 2  # of the run files


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """A run before it is run: what is played, who learns, how, and the seed."""

    game: str
    learner: str
    seed: int
    overrides: Mapping[str, Any] = field(default_factory=dict)  # of the learner's settings
    training: TrainSettings = field(default_factory=TrainSettings)
    trace_every: int = 0  # episodes between measurements of PRO and ERO; 0: none

    def __post_init__(self) -> None:
        """Refuse unknown names and settings before anything is run."""
        check_count("trace_every", self.trace_every, least=0)
        scenarios.check_name("game", self.game, scenarios.GAMES)
        self.settings()

    def settings(self) -> Any:
        """The learner's settings."""
        return scenarios.learner_settings(self.learner, self.overrides, self.game)

    def describe(self) -> dict[str, Any]:
        """Everything that the run's numbers depend on, as plain data."""
        return {
            "format": FORMAT,
            "game": self.game,
            "learner": self.learner,
            "learner_version": scenarios.learner_version(self.learner),
            "settings": _plain(asdict(self.settings())),
            "training": asdict(self.training),
            "seed": self.seed,
            **({"trace_every": self.trace_every} if self.trace_every else {}),
        }

    def key(self) -> str:
        """A short hash of `describe`."""
        text = json.dumps(self.describe(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def new_learner(self, game: Game) -> Learner:
        """The learner as it is before the run."""
        n_episodes = self.training.n_episodes
        return scenarios.make_learner(self.learner, game, self.settings(), n_episodes, self.seed)


@dataclass
class Log:
    """What is kept of the episodes of a run, row by row; tables of numbers with `arrays`."""

    returns: list[float] = field(default_factory=list)
    length: list[int] = field(default_factory=list)
    visited: list[np.ndarray] = field(default_factory=list)
    metrics: list[dict[str, float]] = field(default_factory=list)
    trace: list[dict[str, np.ndarray]] = field(default_factory=list)

    def add(self, records: Sequence[Record], keep_actions: bool) -> None:
        """Keep one episode: its return and length, its actions if asked, its mean metrics."""
        self.returns.append(sum(record.reward for record in records))
        self.length.append(len(records))
        self.visited.extend(record.u for record in records if keep_actions)
        updates = [record.metrics for record in records if record.metrics]
        names = updates[0] if updates else {}
        self.metrics.append({n: float(np.mean([row[n] for row in updates])) for n in names})

    def arrays(self) -> dict[str, np.ndarray]:
        """Every part as arrays, one name each."""
        names = sorted({name for row in self.metrics for name in row})
        return {
            "returns": np.array(self.returns, dtype=np.float32),
            "length": np.array(self.length, dtype=np.int16),
            "visited": np.array(self.visited, dtype=np.float16),
            **{
                f"metric_{name}": np.array(
                    [row.get(name, np.nan) for row in self.metrics], dtype=np.float32
                )
                for name in names
            },
            **{
                f"trace_{name}": np.stack([row[name] for row in self.trace])
                for name in (self.trace or [{}])[0]
            },
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Log":
        """The log that gave these arrays."""
        metrics, trace = below("metric_", arrays), below("trace_", arrays)
        n_traced = len(next(iter(trace.values()))) if trace else 0
        return cls(
            arrays["returns"].tolist(),
            arrays["length"].tolist(),
            list(arrays["visited"]),
            [
                {name: float(v[i]) for name, v in metrics.items() if not np.isnan(v[i])}
                for i in range(len(arrays["returns"]))
            ],
            [{name: values[i] for name, values in trace.items()} for i in range(n_traced)],
        )


@dataclass(frozen=True)
class Run:
    """A finished run of E training episodes."""

    spec: RunSpec
    header: dict[str, Any]
    returns: np.ndarray  # [E] the sum of the team's rewards of every training episode
    length: np.ndarray  # [E] its steps
    visited: np.ndarray  # [E, D] its joint action, half precision; in one-shot games only
    metrics: dict[str, np.ndarray]  # name → [E] mean over its updates, NaN if there was none
    tested: dict[str, np.ndarray]  # way of execution → [n_test] returns
    perceived: np.ndarray  # [N, n_test, D] samples of the perceived joint policies
    trace: dict[str, np.ndarray] = field(default_factory=dict)  # episode [K], pro and ero [K, N]

    def last(self, n: int = 100) -> float:
        """The mean return of the last n training episodes."""
        return float(self.returns[-n:].mean())

    def arrays(self) -> dict[str, np.ndarray]:
        """The run as arrays, one name each; `from_arrays` reads them."""
        return {
            "header": np.array(json.dumps(self.header, sort_keys=True)),
            "returns": self.returns,
            "length": self.length,
            "visited": self.visited,
            "perceived": self.perceived,
            **{f"metric_{name}": values for name, values in self.metrics.items()},
            **{f"tested_{name}": values for name, values in self.tested.items()},
            **{f"trace_{name}": values for name, values in self.trace.items()},
        }

    @classmethod
    def from_arrays(cls, spec: RunSpec, arrays: Mapping[str, np.ndarray]) -> "Run":
        """The run that gave these arrays.

        Raises:
            ValueError: if they describe a run of another spec.
        """
        header = json.loads(str(arrays["header"]))
        if header != spec.describe():
            raise ValueError("its header describes another run")
        return cls(
            spec,
            header,
            arrays["returns"],
            arrays["length"],
            arrays["visited"],
            below("metric_", arrays),
            below("tested_", arrays),
            arrays["perceived"],
            below("trace_", arrays),
        )


def _plain(value: Any) -> Any:
    """Sets and tuples as sorted lists, so that JSON can hold them."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


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


class Execution:
    """A run under way, which can be written down between any two episodes and gone on with.

    Args:
        spec: the run.
    """

    def __init__(self, spec: RunSpec) -> None:
        self.spec = spec
        self.game = scenarios.make_game(spec.game)
        self.learner = spec.new_learner(self.game)
        self._training = Training(self.game, self.learner, spec.training, spec.seed)
        self._log = Log()

    def episodes(self) -> Iterator[int]:
        """Train to the end; yields the number of finished episodes after each."""
        one_shot = isinstance(self.game, OneShotGame)
        while not self._training.done:
            with one_thread():
                self._log.add(list(self._training.play_episode()), keep_actions=one_shot)
                self._trace(self._training.episode - 1)
            yield self._training.episode

    def _trace(self, episode: int) -> None:
        spec = self.spec
        if spec.trace_every and episode % spec.trace_every == 0:
            n_samples = spec.training.n_test
            gaps = evaluate.over_generalization(self.game, self.learner, n_samples, spec.seed)
            self._log.trace.append({"episode": np.array(episode), **gaps})

    def finish(self) -> Run:
        """Test the trained learner; returns the finished run."""
        n_test, seed = self.spec.training.n_test, self.spec.seed
        with one_thread():
            tested = {
                way: evaluate.returns(self.game, self.learner, way, n_test, seed)
                for way in ("shared", "independent", "greedy")
            }
            perceived = evaluate.perceived(self.game, self.learner, n_test, seed)
        arrays = self._log.arrays() | {f"tested_{way}": values for way, values in tested.items()}
        header = np.array(json.dumps(self.spec.describe()))
        return Run.from_arrays(
            self.spec, arrays | {"header": header, "perceived": perceived.astype(np.float16)}
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that going on needs, as arrays; `resume` reads them."""
        state = self._training.state_dict()
        return {
            "header": np.array(json.dumps(self.spec.describe())),
            **{f"log_{name}": values for name, values in self._log.arrays().items()},
            **{f"state_{name}": tensor.numpy() for name, tensor in state.items()},
        }

    def resume(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on where `arrays` was taken.

        Raises:
            ValueError: if they were taken of another run.
        """
        if json.loads(str(arrays["header"])) != self.spec.describe():
            raise ValueError("its header describes another run")
        state = below("state_", arrays)
        self._training.load_state_dict({n: torch.from_numpy(v) for n, v in state.items()})
        self._log = Log.from_arrays(below("log_", arrays))


def execute(spec: RunSpec) -> tuple[Run, Learner]:
    """Train and evaluate as `spec` says; returns the run and the trained learner.

    Raises:
        DivergedError: if the learner's numbers turn infinite or NaN.
    """
    execution = Execution(spec)
    for _ in execution.episodes():
        pass
    return execution.finish(), execution.learner


def run_spec(
    game: str,
    learner: str,
    seed: int = 0,
    n_episodes: int = 5000,
    overrides: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
) -> RunSpec:
    """One run, with the game's own way of training, of which `training` overrides a part.

    Raises:
        ValueError: for a game, learner, setting or part of training that there is not.
    """
    for key in training or {}:
        scenarios.check_name("training setting", key, TrainSettings.__dataclass_fields__)
    return RunSpec(
        game=game,
        learner=learner,
        seed=seed,
        overrides=dict(overrides or {}),
        training=replace(scenarios.training(game, n_episodes), **(training or {})),
    )


def grid(
    games: Sequence[str],
    learners: Sequence[str],
    n_seeds: int,
    n_episodes: int,
    overrides: Mapping[str, Any] | None = None,
    protocol: Protocol = "as set",
    training: Mapping[str, Any] | None = None,
) -> list[RunSpec]:
    """Every learner on every game with seeds 0 to n_seeds − 1.

    Args:
        games: by name.
        learners: by name.
        n_seeds: runs of each kind.
        n_episodes: length of a run.
        overrides: setting → value, of every learner.
        protocol: the settings that the overrides override: "as set" each learner's own, or
            "as tuned" those that its study found.
        training: field of `TrainSettings` → value, in place of the game's own.
    """
    return [
        run_spec(
            game,
            learner,
            seed,
            n_episodes,
            {**(tuned(learner, game) if protocol == "as tuned" else {}), **(overrides or {})},
            training,
        )
        for game in games
        for learner in learners
        for seed in range(n_seeds)
    ]
