"""What one update of a learner takes: time of the processor, weights, and memory beside them."""

import statistics
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from svnr.experiments import catalogue
from svnr.learners.learner import Progress
from svnr.learners.memory import Transitions
from svnr.learners.off_policy import OffPolicy


def an_update(
    game: str, learner: str, changes: Mapping[str, Any]
) -> tuple[OffPolicy, Callable[[], object]]:
    """A fresh learner with a replay, and one update of it on random joint actions, to be called.

    Args:
        game: by name, or by where it is made.
        learner: by name, one of those with a replay.
        changes: of its settings.
    """
    played = catalogue.make_game(game)
    told = catalogue.resolved(learner, game, changes)
    n, size = told.batch_size, sum(played.action_sizes)
    waits = catalogue.resolved(learner, game, {**changes, "warmup": n + 1})
    team = catalogue.learner_class(learner)(played, waits, 0)
    state = played.reset(n, 0)
    u = 2 * torch.rand(n, size, generator=torch.Generator().manual_seed(0)) - 1
    step = played.step(u)
    rows = Transitions(state, u, step.reward, step.state, step.terminated, step.truncated)
    team.observe(rows, Progress(0, 2))  # remembered; too early to learn from
    batch = team.draw()
    return team, lambda: team.update(batch, Progress(1, 2))


def milliseconds(
    repeats: int, calls: Mapping[Any, Callable[[], object]], unheard: int = 3
) -> dict[Any, float]:
    """Median milliseconds of the processor for each call, all of them timed in turns.

    Args:
        repeats: that are timed.
        calls: name → what is called.
        unheard: repeats before them, which are not.
    """
    times: dict[Any, list[float]] = {name: [] for name in calls}
    for repeat in range(repeats + unheard):
        for name, call in calls.items():
            start = time.process_time()
            call()
            if repeat >= unheard:
                times[name].append(1e3 * (time.process_time() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def peak_megabytes(call: Callable[[], object]) -> float:
    """The most that a call holds of tensors it makes, at any one time."""
    with LiveBytes() as live:
        call()
    return live.peak / 1e6


class LiveBytes(TorchDispatchMode):
    """While it is on, the bytes of tensors that were made and still live, and their peak.

    What operations need inside is not seen, and so the count is the same on every machine.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Do one operation and count the storages that its arguments do not have."""
        given = _storages((args, kwargs)).keys()
        made = func(*args, **(kwargs or {}))
        for pointer, storage in _storages(made).items():
            if pointer not in given:
                self.now += (size := storage.nbytes())
                weakref.finalize(storage, self._free, size)
        self.peak = max(self.peak, self.now)
        return made

    def _free(self, size: int) -> None:
        self.now -= size


def _storages(tree: Any) -> dict[int, torch.UntypedStorage]:
    """What the tensors in a tree of arguments or results lie in, each once, by its address."""
    kept = [each.untyped_storage() for each in tree_leaves(tree) if isinstance(each, torch.Tensor)]
    return {storage.data_ptr(): storage for storage in kept if storage.nbytes()}


def weights_megabytes(learner: OffPolicy) -> float:
    """All that a learner keeps beside its replay: weights, targets and Adam's moments."""
    parts = {name: part for name, part in learner.state_dict().items() if "memory." not in name}
    return sum(part.nbytes for part in parts.values()) / 1e6
