"""Dask as an engine, with real schedulers and workers on this machine."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from watching import descendants, wait_until, wait_until_gone

from svnr.experiments.cluster import check_address, started
from svnr.experiments.engine import Engine, each, using
from svnr.experiments.store import collect, load

distributed = pytest.importorskip("distributed")


def square(x):
    return x * x


def fail(x):
    raise ValueError(f"of no use: {x}")


@pytest.fixture(scope="module")
def address():
    with started(2) as address:
        yield address


@pytest.fixture
def cluster(address):
    with using(Engine("dask", address)):
        yield


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://192.0.2.7:8786", "scheduler must speak TLS, or be of this machine alone"),
        ("tcp://0.0.0.0:8786", "scheduler must speak TLS"),
        ("tcp://some.where:8786", "scheduler must speak TLS"),
        ("192.0.2.7:8786", "scheduler must be tls://HOST:PORT"),
        ("ws://127.0.0.1:8786", "scheduler must be tls://HOST:PORT"),
        ("tls://some.where", "scheduler must be tls://HOST:PORT"),
        ("tls://some.where:port", "scheduler must be tls://HOST:PORT"),
    ],
)
def test_a_scheduler_that_is_open_to_others_is_refused(address, message):
    with pytest.raises(ValueError, match=message):
        Engine("dask", address)


def test_what_is_safe_or_insisted_on_is_not_refused():
    for address in (
        "tls://some.where:8786",
        "tcp://127.0.0.1:1",
        "tcp://[::1]:1",
        "tcp://localhost:1",
    ):
        check_address(address, insecure=False)
    check_address("tcp://192.0.2.7:8786", insecure=True)


def test_results_come_in_the_order_of_the_items_and_errors_as_they_are(cluster):
    done = []
    assert each(square, range(9), 2, done.append) == [x * x for x in range(9)]
    assert sorted(done) == [x * x for x in range(9)]
    with pytest.raises(ValueError, match="of no use: 3"):
        each(fail, [3], 2)


@pytest.mark.slow
def test_runs_on_a_cluster_are_those_made_here(tmp_path, spec, same, cluster):
    specs = [spec(seed) for seed in range(4)]
    there = collect(specs, tmp_path / "there", n_jobs=2)
    with using(Engine("serial")):
        here = collect(specs, tmp_path / "here")
    assert all(same(a, b) for a, b in zip(here, there, strict=True))


def test_no_scheduler_at_all_is_named(monkeypatch):
    monkeypatch.setattr("svnr.experiments.cluster.CONNECT", 1)
    with (
        using(Engine("dask", "tcp://127.0.0.1:9")),
        pytest.raises(ConnectionError, match=r"no scheduler answers at tcp://127\.0\.0\.1:9"),
    ):
        each(square, [1])


# --- a scheduler and workers of their own, with TLS ---------------------------------------------


class Cluster:
    """A scheduler and workers of one thread as processes, which speak TLS on the loopback."""

    def __init__(self, folder, n_workers):
        pem = distributed.Security.temporary().get_tls_config_for_role("client")
        tls = {"CA_FILE": pem["ca_file"]}
        for role in ("SCHEDULER", "WORKER", "CLIENT"):
            tls |= {f"{role}__CERT": pem["cert"], f"{role}__KEY": pem["key"]}
        named = {f"DASK_DISTRIBUTED__COMM__TLS__{name}": text for name, text in tls.items()}
        self.environment = os.environ | named
        file = folder / "scheduler.json"
        alike = ["--scheduler-file", file, "--protocol", "tls", "--host", "127.0.0.1"]
        alike.append("--no-dashboard")
        self.scheduler = self._start("scheduler", "--port", "0", *alike)
        wait_until(lambda: file.exists() and file.read_text().endswith("}"))
        self.address = json.loads(file.read_text())["address"]
        alone = ["--nthreads", "1", "--no-nanny", "--death-timeout", "60"]
        self.workers = [self._start("worker", *alike, *alone) for _ in range(n_workers)]

    def _start(self, kind, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *map(str, arguments)]
        return subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL)

    def svnr(self, *arguments):
        joined = ["--engine", "dask", "--scheduler", self.address]
        command = [sys.executable, "-m", "svnr.cli", *arguments, *joined]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=self.environment, **pipes)

    def close(self):
        for process in (self.scheduler, *self.workers):
            process.kill()
            process.wait()


@pytest.fixture
def secure(tmp_path):
    opened = []

    def make(n_workers):
        opened.append(Cluster(tmp_path, n_workers))
        return opened[-1]

    yield make
    for cluster in opened:
        cluster.close()


TRAIN = ["train", "max_of_three_2.0", "svnr", "--tests", "20", "--set", "batch_size=16"]
SMALL = ["n_groups=4", "n_particles=8"]


def trained_seeds(n, n_episodes, folder):
    seeds = [str(seed) for seed in range(n)]
    told = ["--episodes", str(n_episodes), "--output", str(folder), "--seed", *seeds]
    return [*TRAIN, *SMALL, *told]


@pytest.mark.slow
def test_a_killed_worker_costs_nothing_but_time(tmp_path, spec, same, secure):
    """Two workers, one of which is killed at its second run; all runs are those made here."""
    cluster, folder = secure(2), tmp_path / "results"
    process = cluster.svnr(*trained_seeds(8, 60, folder))
    wait_until(lambda: len(list(folder.rglob("*.json"))) >= 2)
    cluster.workers[0].kill()
    cluster.workers[0].wait()  # else it is a zombie, which looks alive for 30 s more
    assert process.wait(120) == 0, process.stderr.read()
    with using(Engine("serial")):
        here = collect([spec(seed, n_episodes=60) for seed in range(8)], tmp_path / "here")
    assert all(same(run, load(run.spec, folder)) for run in here)


@pytest.mark.slow
def test_a_killed_scheduler_is_named_and_what_is_finished_is_kept(tmp_path, spec, secure):
    cluster, folder = secure(1), tmp_path / "results"
    process = cluster.svnr(*trained_seeds(6, 200, folder))
    wait_until(lambda: list(folder.rglob("*.json")))
    cluster.scheduler.kill()
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1 and f"the scheduler {cluster.address} is gone" in told
    assert load(spec(0, n_episodes=200), folder) is not None


@pytest.mark.slow
@pytest.mark.parametrize("own", [False, True])
def test_a_stop_reaches_the_runs_of_a_cluster(tmp_path, spec, secure, own):
    folder = tmp_path / "results"
    arguments = trained_seeds(4, 5000, folder)
    if own:
        command = [sys.executable, "-m", "svnr.cli", *arguments, "--engine", "dask"]
        process = subprocess.Popen([*command, "--jobs", "2"], stderr=subprocess.PIPE, text=True)
    else:
        process = secure(2).svnr(*arguments)
    wait_until(lambda: len(list(folder.rglob("*.lock"))) == 2)
    time.sleep(1)
    own_processes = descendants(process)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert "go on when this is called again" in process.communicate(timeout=10)[1]
    wait_until_gone(own_processes)
    assert time.monotonic() - began < 10
    assert len(list(folder.rglob("*.unfinished.npz"))) == 2 and not list(folder.rglob("*.lock"))
