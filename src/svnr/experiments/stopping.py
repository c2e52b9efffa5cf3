"""Stopping: what is under way is written down, and nothing new is begun.

A first Ctrl-C or SIGTERM asks for a stop; a second one acts at once. Whoever does the work looks
at `stopping()` now and then.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, local, main_thread
from types import FrameType

POLL = 0.2  # seconds between looks at whether a stop was asked for
GRACE = 5.0  # seconds to write down what is under way, before it is killed


class Stopped(KeyboardInterrupt):
    """A stop was asked for; what was under way is written down."""

    def __str__(self) -> str:
        return "stopped; finished runs are kept, those under way go on when this is called again"


_asked: set[str] = set()  # to stop: all that this process does, "", or the work of a client
at_work = local()  # for which client a thread is at work


def ask(client: str = "") -> None:
    """Ask what this process has under way, or what it has of a client, to stop."""
    _asked.add(client)


def stopping() -> bool:
    """Whether what is under way here is to be written down, and `Stopped` raised."""
    return not _asked.isdisjoint(("", getattr(at_work, "client", "")))


@contextmanager
def stoppable() -> Iterator[None]:
    """Let a first Ctrl-C or SIGTERM ask for a stop; a second one does what it did before."""
    if current_thread() is not main_thread():  # which alone is told of signals
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def told(number: int, frame: FrameType | None) -> None:
        ask()
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, told)
    try:
        yield
    finally:
        restore()
        _asked.discard("")


@contextmanager
def interrupted() -> Iterator[None]:
    """Let SIGTERM raise `Stopped` in what cannot look at whether a stop was asked for."""

    def told(number: int, frame: FrameType | None) -> None:
        raise Stopped

    before = signal.signal(signal.SIGTERM, told)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
