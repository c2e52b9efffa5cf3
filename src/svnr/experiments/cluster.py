"""Dask as an engine: a cluster of its own on this machine, or any that has a scheduler.

Whoever reaches the port of a scheduler or of a worker runs code there, so one that is open to
other machines must speak TLS; certificates are those of Dask's own configuration.
"""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from svnr.experiments.stopping import GRACE, POLL, Stopped, ask, at_work, stopping

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")
R = TypeVar("R")
CONNECT = 15  # seconds until a scheduler that does not answer is given up


def check_address(address: str, insecure: bool) -> None:
    """Refuse a scheduler that others could reach, unless it speaks TLS or the user insists.

    Raises:
        ValueError: if it may not be joined, or Dask is not installed.
    """
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise ValueError('engine dask needs Dask: pip install "svnr[cluster]"') from error
    if not address:
        return
    told = re.fullmatch(r"(tls|tcp)://(\[.+\]|[^:/]+):(\d+)", address)
    if told is None:
        raise ValueError(f"scheduler must be tls://HOST:PORT, got {address!r}")
    if not (insecure or told[1] == "tls" or _is_here(told[2].strip("[]"))):
        raise ValueError(
            f"scheduler must speak TLS, or be of this machine alone, got {address!r}: who reaches "
            "it runs code there (--insecure if you insist)"
        )


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def started(n_workers: int) -> Iterator[str]:
    """A cluster of this machine alone, of workers of one thread; yields its address."""
    from distributed import LocalCluster

    cluster = LocalCluster(
        n_workers=n_workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None,
        memory_limit=0, silence_logs="CRITICAL",
    )  # fmt: skip
    with cluster:
        yield cluster.scheduler_address


@contextmanager
def workers(
    n_jobs: int, scheduler: str = "", insecure: bool = False
) -> Iterator[tuple[Callable[..., Future[Any]], int]]:
    """The workers of a cluster; a run whose worker is killed is begun again elsewhere.

    Raises:
        ConnectionError: if the scheduler does not answer, or no longer.
        ChildProcessError: if the workers that were at an item were killed several times.
    """
    from distributed import KilledWorker

    with ExitStack() as stack:
        address = scheduler or stack.enter_context(started(n_jobs))
        client = stack.enter_context(_joined(address, insecure))
        executor, name = client.get_executor(pure=False), uuid4().hex
        room = 2 * max(1, sum(client.nthreads().values()))  # so that no worker waits for the next
        try:
            yield lambda function, item: executor.submit(_work, name, function, item), room
        except KilledWorker as error:
            raise ChildProcessError(f"{error}; is there enough memory?") from error
        except CancelledError as error:
            raise ConnectionError(f"the scheduler {address} is gone") from error
        except BaseException:
            _end(client, name)
            raise


@contextmanager
def _joined(address: str, insecure: bool) -> Iterator["Client"]:
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT, set_as_default=False)
    except OSError as error:
        raise ConnectionError(f"no scheduler answers at {address}: {error}") from error
    with client:
        told = client.scheduler_info(n_workers=-1)  # a scheduler on this machine may be open too
        for found in (told["address"], *told["workers"]):
            check_address(found, insecure)
        try:
            client.wait_for_workers(1, timeout=CONNECT)
        except TimeoutError as error:
            raise ConnectionError(f"the scheduler {address} has no worker") from error
        yield client


def _work(name: str, function: Callable[[T], R], item: T) -> R | None:
    """An item's result; None if a stop was asked for, as nobody waits for it then."""
    at_work.client = name
    try:
        return None if stopping() else function(item)
    except Stopped:
        return None


def _end(client: "Client", name: str) -> None:
    """Let what a client has under way be written down."""
    if client.status != "running":
        return
    client.run(ask, name, on_error="ignore")
    deadline = time.monotonic() + GRACE
    while any(client.processing().values()) and time.monotonic() < deadline:
        time.sleep(POLL)
