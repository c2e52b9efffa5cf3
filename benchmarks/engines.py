"""What engines add to the time of short runs: `python benchmarks/engines.py [N_RUNS] [N_JOBS]`.

The same runs are made by each engine into a folder of its own and compared bit for bit with those
of `serial`. Two workers of an engine that adds nothing take half of what the runs take together.
The last is a cluster of four workers that speaks TLS, one of which is killed on the way.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from svnr.experiments.engine import Engine, using
from svnr.experiments.runs import Run
from svnr.experiments.specs import RunSpec, run_spec
from svnr.experiments.store import collect

N_EPISODES = 400  # a run takes about a second


@contextmanager
def tls_cluster(folder: Path, n_workers: int) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """A scheduler and workers with TLS on the loopback; this process is set up to join them."""
    from distributed import Security

    pem = Security.temporary().get_tls_config_for_role("client")
    tls = {"CA_FILE": pem["ca_file"]}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        tls |= {f"{role}__CERT": pem["cert"], f"{role}__KEY": pem["key"]}
    named = {f"DASK_DISTRIBUTED__COMM__TLS__{name}": text for name, text in tls.items()}
    file = folder / "scheduler.json"
    alike = ["--scheduler-file", file, "--protocol", "tls", "--host", "127.0.0.1"]
    alike += ["--no-dashboard"]

    def start(kind: str, *more: object) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *alike, *more]
        quiet = {"stderr": subprocess.DEVNULL, "env": os.environ | named}
        return subprocess.Popen(list(map(str, command)), **quiet)

    scheduler = start("scheduler", "--port", 0)
    while not (file.exists() and file.read_text(encoding="utf-8").endswith("}")):
        time.sleep(0.1)
    workers = [start("worker", "--nthreads", 1, "--no-nanny") for _ in range(n_workers)]
    import dask

    dask.config.refresh(env=os.environ | named)
    try:
        yield json.loads(file.read_text(encoding="utf-8"))["address"], workers
    finally:
        for process in (scheduler, *workers):
            process.kill()
            process.wait()


def timed(name: str, specs: list[RunSpec], folder: Path, n_workers: int) -> list[Run]:
    """Make the runs and print what that took beside what they took themselves."""
    began = time.monotonic()
    runs = collect(specs, folder / name.replace(" ", "_"), n_workers)
    took, own = time.monotonic() - began, sum(run.made["seconds"] for run in runs) / n_workers
    print(f"{name:<34} {took:7.1f} s, the runs {own:7.1f} s: {took / own - 1:+6.1%}", flush=True)
    return runs


def same(one: Run, other: Run) -> bool:
    """Whether two runs have the same numbers."""
    return one.table.keys() == other.table.keys() and all(
        np.array_equal(value, other.table[name], equal_nan=value.dtype.kind == "f")
        for name, value in one.table.items()
    )


def kill_one(workers: list[subprocess.Popen], folder: Path, after: int) -> None:
    """Kill a worker when so many runs are there."""
    while len(list(folder.rglob("*.json"))) < after:
        time.sleep(0.1)
    workers[0].kill()
    workers[0].wait()


def main(n_runs: int = 200, n_jobs: int = 2) -> None:
    """Time every engine."""
    small = {"batch_size": 32, "n_groups": 4}
    specs = [
        run_spec("climbing", "hysteretic", seed, N_EPISODES, small, training={"n_test": 20})
        for seed in range(n_runs)
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with using(Engine("serial")):
            here = timed("serial", specs, folder, 1)
        for kind in ("processes", "dask"):
            with using(Engine(kind), n_jobs):
                runs = timed(f"{kind}, {n_jobs} workers", specs, folder, n_jobs)
            print(f"  alike: {sum(map(same, here, runs))} of {n_runs}")
        with tls_cluster(folder, 4) as (address, workers), using(Engine("dask", address)):
            killed = folder / "dask_with_TLS"
            threading.Thread(target=kill_one, args=(workers, killed, n_runs // 4)).start()
            runs = timed("dask with TLS", specs, folder, 4)
            print(f"  alike: {sum(map(same, here, runs))} of {n_runs}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
