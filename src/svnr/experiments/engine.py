"""Doing many things side by side: here, in processes, or on a Dask cluster.

An engine is an executor of `concurrent.futures`. It remembers nothing: what is done lies on disk,
and an engine is a way to call "do this, unless it is done".
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from textwrap import shorten
from typing import Any, TypeVar

from svnr.checks import check_count, check_one_of
from svnr.experiments import cluster
from svnr.experiments.processes import processes
from svnr.experiments.stopping import POLL, Stopped, stoppable, stopping

T = TypeVar("T")
R = TypeVar("R")
Submit = Callable[..., Future[Any]]  # of a function and an item
Pool = AbstractContextManager[tuple[Submit, int]]  # with how many items it takes at a time
N_ATTEMPTS = 3  # in a row at items whose processes were killed, with nothing done between


@dataclass(frozen=True)
class Engine:
    """With what a process does its work.

    Args:
        kind: "serial" here, "processes" of this machine, "dask" on a cluster of Dask.
        scheduler: where Dask's is, "tls://HOST:PORT"; if empty, a cluster of its own.
        insecure: whether it may be open to other machines without TLS.
    """

    kind: str = "processes"
    scheduler: str = ""
    insecure: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be used before anything is begun."""
        check_one_of("engine", self.kind, ("serial", "processes", "dask"))
        if self.scheduler and self.kind != "dask":
            raise ValueError(f"engine must be dask to join a scheduler, got {self.kind!r}")
        if self.kind == "dask":
            cluster.check_address(self.scheduler, self.insecure)


_chosen = Engine()


def choose(engine: Engine) -> None:
    """Let all that this process does from now on be done with an engine."""
    global _chosen
    _chosen = engine


def chosen() -> Engine:
    """The engine of this process."""
    return _chosen


@contextmanager
def using(engine: Engine, n_jobs: int = 1) -> Iterator[None]:
    """Let all that is done in a block be done with an engine; a cluster of its own serves all."""
    before = _chosen
    with ExitStack() as stack:
        stack.callback(choose, before)
        if engine.kind == "dask" and not engine.scheduler:
            address = stack.enter_context(cluster.started(check_count("jobs", n_jobs)))
            engine = replace(engine, scheduler=address)
        choose(engine)
        yield


def pool(n_jobs: int) -> Pool:
    """Whoever works for this process: itself, as many others, or a cluster."""
    if _chosen.kind == "dask":
        return cluster.workers(n_jobs, _chosen.scheduler, _chosen.insecure)
    if _chosen.kind == "serial" or n_jobs == 1:
        return here()
    return processes(n_jobs, partial(choose, _chosen), "svnr.experiments.store")


@contextmanager
def here() -> Iterator[tuple[Submit, int]]:
    """Work that is done in this thread, at once."""
    yield _done_at_once, 1


def _done_at_once(function: Callable[[T], R], item: T) -> Future[R]:
    future: Future[R] = Future()
    try:
        future.set_result(function(item))
    except Exception as error:
        future.set_exception(error)
    return future


# --- feeding ------------------------------------------------------------------------------------


def each(
    function: Callable[[T], R],
    items: Iterable[T],
    n_jobs: int = 1,
    on_done: Callable[[R], None] = lambda result: None,
) -> list[R]:
    """The results of a function of each item, in their order.

    Args:
        function: of one item; in processes it and its items are pickled.
        items: what it is called with.
        n_jobs: processes side by side; one item, or one job, is done here.
        on_done: called with each result as it comes, for a progress bar.

    Raises:
        ChildProcessError: if the processes that were at an item were killed several times.
        Stopped: if that was asked for.
    """
    todo = list(enumerate(items))
    results: dict[int, R] = {}
    coming = iter(todo)

    def done(result: tuple[int, R]) -> None:
        results[result[0]] = result[1]
        on_done(result[1])

    if check_count("n_jobs", n_jobs) and todo:
        workers = partial(pool, min(n_jobs, len(todo)))
        feed(partial(_indexed, function), lambda: next(coming, None), done, workers)
    return [results[index] for index, _ in todo]


def _indexed(function: Callable[[T], R], item: tuple[int, T]) -> tuple[int, R]:
    return item[0], function(item[1])


def feed(
    function: Callable[[T], R],
    following: Callable[[], T | None],
    on_done: Callable[[R], None],
    workers: Callable[[], Pool],
) -> None:
    """Call a function on items side by side, asking for the next one whenever there is room.

    Args:
        function: of one item.
        following: the next item that may be begun now, or None; asked again after each result.
        on_done: called with each result.
        workers: makes those who work; asked again if one of them is killed.
    """
    held: list[T] = []  # items that were begun and are not done
    n_failed = 0
    while True:
        try:
            with stoppable(), workers() as (submit, room):
                for result in _results(submit, room, function, following, held):
                    n_failed = 0
                    on_done(result)
            return
        except BrokenExecutor as error:
            n_failed += 1
            if n_failed == N_ATTEMPTS:
                told = f"processes were killed {n_failed} times in a row, is there enough memory?"
                raise ChildProcessError(
                    f"{told} They were at {shorten(f'{held}', 300)}"
                ) from error


def _results(
    submit: Submit,
    room: int,
    function: Callable[[T], R],
    following: Callable[[], T | None],
    held: list[T],
) -> Iterator[R]:
    """Results as they come; an item leaves `held` when its own does."""
    futures = {submit(function, item): item for item in held}
    while True:
        while len(futures) < room and (item := following()) is not None:
            held.append(item)
            futures[submit(function, item)] = item
        if not futures:
            return
        done, _ = wait(futures, POLL, FIRST_COMPLETED)
        if stopping():
            raise Stopped
        for future in done:
            result = future.result()
            held.remove(futures.pop(future))
            yield result
