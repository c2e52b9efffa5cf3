"""Notebooks executed side by side, so that no core waits for another."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from tqdm import tqdm

from svnr.checks import check_count
from svnr.experiments.engine import choose, chosen, feed
from svnr.experiments.processes import processes
from svnr.experiments.stopping import GRACE
from svnr.publish.notebooks import Job, Outcome, execute

PATIENCE = GRACE + 3.0  # seconds for a notebook to end, whose processes write down what they do


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
    told = "{n_fmt} of {total_fmt} notebooks, {elapsed}{postfix}"
    bar = tqdm(total=len(jobs), bar_format=told, disable=None)

    def done(outcome: Outcome) -> None:
        outcomes.append(outcome)
        del queue.running[outcome.name]
        bar.update()

    def following() -> Job | None:
        job = queue.next()
        bar.set_postfix_str(str(queue))
        return job

    prepare = partial(choose, chosen())
    workers = partial(processes, n_cores, prepare, execute.__module__, PATIENCE)
    with bar:
        feed(partial(execute, root=root), following, done, workers)
    return sorted(outcomes, key=lambda outcome: outcome.name)
