"""Notebooks executed side by side, so that no core waits for another."""

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from tqdm import tqdm

from svnr.checks import check_count
from svnr.experiments.engine import processes
from svnr.publish.notebooks import Job, Outcome, execute


@dataclass
class Queue:
    """Who may begin: a notebook waits for a free core, and for those whose runs it reads."""

    n_cores: int
    waiting: list[Job]
    running: dict[str, tuple[int, float]] = field(default_factory=dict)  # name → cores, since when

    def next(self) -> Job | None:
        """The next notebook to begin, told how many cores it has, if there is one.

        It has one core where others can use the rest, and all that are free if it is the last.
        """
        free = self.n_cores - sum(cores for cores, _ in self.running.values())
        left = {*self.running, *(job.name for job in self.waiting)}
        ready = [job for job in self.waiting if not left.intersection(job.after)]
        if not ready or not free:
            return None
        job, cores = ready[0], 1
        self.waiting.remove(job)
        if "n_jobs" in job.given:
            cores = max(1, free // len(ready))
            job = replace(job, given={**job.given, "n_jobs": cores})
        self.running[job.name] = cores, time.monotonic()
        return job

    def __str__(self) -> str:
        now = time.monotonic()
        since = {name.split("_")[0]: now - begun for name, (_, begun) in self.running.items()}
        running = ", ".join(f"{number} {seconds:.0f} s" for number, seconds in since.items())
        return f"{running}; {len(self.waiting)} waiting"


def run(jobs: Sequence[Job], root: Path, n_cores: int) -> list[Outcome]:
    """Execute notebooks side by side, each in a process; a bar on a terminal tells how it goes.

    Args:
        jobs: in the order in which they are best begun, the longest first.
        root: the folder that they run in.
        n_cores: training processes at most.

    Returns:
        What came of each, in reading order.
    """
    queue = Queue(check_count("jobs", n_cores), list(jobs))
    outcomes: list[Outcome] = []
    futures: set[Future[Outcome]] = set()
    told = "{n_fmt} of {total_fmt} notebooks, {elapsed}{postfix}"
    bar = tqdm(total=len(jobs), bar_format=told, disable=None)
    with bar, processes(n_cores) as pool:
        while queue.waiting or futures:
            while job := queue.next():
                futures.add(pool.submit(execute, job, root))
            done, futures = wait(futures, timeout=1, return_when=FIRST_COMPLETED)
            for future in done:
                outcomes.append(future.result())
                del queue.running[outcomes[-1].name]
            bar.update(len(done))
            bar.set_postfix_str(str(queue))
    return sorted(outcomes, key=lambda outcome: outcome.name)
