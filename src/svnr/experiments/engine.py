"""Doing many things side by side: one function over many items, here or in processes."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
from typing import TypeVar

from svnr.checks import check_count

T = TypeVar("T")
R = TypeVar("R")
N_ATTEMPTS = 3  # at an item whose process was killed


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
        BrokenProcessPool: if the processes that were at an item were killed several times.
    """
    todo = list(items)
    n_processes = min(check_count("n_jobs", n_jobs), max(len(todo), 1))
    results: dict[int, R] = {}
    for attempts_left in reversed(range(N_ATTEMPTS)):
        missing = {index: item for index, item in enumerate(todo) if index not in results}
        try:
            for index, result in _results(function, missing, n_processes):
                results[index] = result
                on_done(result)
        except BrokenProcessPool:
            if not attempts_left:
                raise
    return [results[index] for index in range(len(todo))]


def _results(
    function: Callable[[T], R], items: Mapping[int, T], n_processes: int
) -> Iterator[tuple[int, R]]:
    """Index and result of each item, as they come."""
    if n_processes == 1 or not items:
        yield from ((index, function(item)) for index, item in items.items())
        return
    with processes(min(n_processes, len(items))) as pool:
        futures = {pool.submit(function, item): index for index, item in items.items()}
        for future in as_completed(futures):
            yield futures[future], future.result()


@contextmanager
def processes(n: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with this one; at an error, or Ctrl-C, what they are at is given up."""
    before = active_children()
    with ProcessPoolExecutor(n, get_context("spawn"), _end_with_parent) as pool:
        try:
            yield pool
        except BaseException:
            for worker in set(active_children()).difference(before):
                worker.terminate()
            raise


def _end_with_parent() -> None:
    """Let a worker end when the process that began it does, its children with it, not before."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        parent = parent_process()
        assert parent is not None
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()
