"""Doing many things side by side: one function over many items, here or in processes."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    if check_count("n_jobs", n_jobs) == 1 or len(todo) <= 1:
        found = []
        for item in todo:
            found.append(function(item))
            on_done(found[-1])
        return found
    results: dict[int, R] = {}
    for attempt in range(N_ATTEMPTS):
        try:
            _in_processes(function, todo, n_jobs, results, on_done)
            break
        except BrokenProcessPool:
            if attempt == N_ATTEMPTS - 1:
                raise
    return [results[index] for index in range(len(todo))]


def _in_processes(
    function: Callable[[T], R],
    items: Sequence[T],
    n_jobs: int,
    results: dict[int, R],
    on_done: Callable[[R], None],
) -> None:
    """Fill in the results that are missing."""
    missing = [index for index in range(len(items)) if index not in results]
    with processes(min(n_jobs, len(missing))) as pool:
        futures = {pool.submit(function, items[index]): index for index in missing}
        for future in as_completed(futures):
            results[futures[future]] = future.result()
            on_done(future.result())


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
