"""Processes of this machine as an engine: they end with whoever began them, and not before."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.process import BaseProcess
from threading import Lock, Thread
from types import FrameType
from typing import Any, TypeVar

from svnr.experiments.stopping import GRACE, Stopped, ask

T = TypeVar("T")
R = TypeVar("R")

# On Linux a server imports once and workers are copies of it; elsewhere each begins from nothing.
_CONTEXT = get_context("forkserver" if sys.platform == "linux" else "spawn")


@contextmanager
def processes(
    n: int, prepare: Callable[[], None], imported: str, grace: float = GRACE
) -> Iterator[tuple[Callable[..., Future[Any]], int]]:
    """Processes that end with this one; at an error or a stop they write down what they are at.

    Args:
        n: how many.
        prepare: called in each before its first item.
        imported: the module that the server imports, with all that their work needs; the first
            that is named in a process holds for all, as it has one server.
        grace: seconds to write down what they are at, before they are killed.
    """
    _CONTEXT.set_forkserver_preload([imported])
    before = set(active_children())
    with ProcessPoolExecutor(n, _CONTEXT, _begin_worker, (prepare,)) as executor:
        try:
            yield lambda function, item: executor.submit(_work, function, item), n + 1
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            _end(set(active_children()) - before, grace)
            raise


def _end(workers: set[BaseProcess], grace: float) -> None:
    deadline = time.monotonic() + grace
    try:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join(max(0.0, deadline - time.monotonic()))
    finally:
        for worker in workers:
            worker.kill()


_busy = Lock()  # held while a worker is at an item


def _begin_worker(prepare: Callable[[], None]) -> None:
    """Make a worker of this process: it ends when told to, or when whoever began it has ended."""
    prepare()
    if hasattr(os, "setsid"):
        os.setsid()  # a terminal's Ctrl-C is for the one who began it, and who tells it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _told_to_end)
    Thread(target=_end_with_parent, daemon=True).start()


def _told_to_end(number: int, frame: FrameType | None) -> None:
    if not _busy.locked():
        os._exit(0)
    ask()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    _busy.acquire(timeout=GRACE)
    os._exit(1)


def _work(function: Callable[[T], R], item: T) -> R:
    with _busy:
        try:
            return function(item)
        except Stopped:
            os._exit(0)
