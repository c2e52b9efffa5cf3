"""What tests of processes wait for: a condition to come true, everybody to have left."""

import time

import psutil


def wait_until(condition, seconds=90.0):
    """Until a condition holds; fails if it does not within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} seconds"
        time.sleep(0.02)


def descendants(process):
    """The processes that a process has begun, and those that these have."""
    return psutil.Process(process.pid).children(recursive=True)


def wait_until_gone(processes, seconds=10.0):
    """Until none of these processes is at work."""
    wait_until(lambda: not any(map(at_work, processes)), seconds)


def at_work(process):
    """Whether a process is there, and not only its exit status, which waits to be read."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
