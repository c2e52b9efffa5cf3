import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest
from watching import wait_until, wait_until_gone

from svnr.publish.notebooks import Job
from svnr.publish.plan import plan
from svnr.publish.queue import Queue, run


def job(name, after=(), trains=True):
    given = {"n_jobs": 1} if trains else {}
    return Job(Path(f"{name}.py"), Path(f"{name}.ipynb"), given, after=tuple(after))


def begun(queue):
    """Everything that may begin now: name → its cores."""
    found = {}
    while (following := queue.next()) is not None:
        found[following.name] = following.given.get("n_jobs", 1)
    return found


def test_as_many_begin_as_there_are_cores_and_the_first_in_line_first():
    queue = Queue(2, [job("a"), job("b"), job("c")])
    assert begun(queue) == {"a": 1, "b": 1}
    del queue.running["b"]
    assert begun(queue) == {"c": 1}


def test_a_notebook_waits_for_those_whose_runs_it_reads():
    queue = Queue(2, [job("a"), job("b", after=["a"]), job("c")])
    assert begun(queue) == {"a": 1, "c": 1}
    del queue.running["c"]
    assert begun(queue) == {}  # one core is free, and only b is left, which waits
    del queue.running["a"]
    assert begun(queue) == {"b": 2}


def test_a_notebook_that_is_not_asked_for_is_not_waited_for():
    assert begun(Queue(1, [job("b", after=["a"])])) == {"b": 1}


def test_cores_that_nobody_else_could_use_are_shared_out():
    assert begun(Queue(8, [job("a"), job("b"), job("c")])) == {"a": 2, "b": 3, "c": 3}
    assert begun(Queue(8, [job("a", trains=False), job("b")])) == {"a": 1, "b": 7}


@pytest.mark.parametrize("n_cores", [1, 2, 3, 7])
def test_there_are_never_more_training_processes_than_cores(n_cores):
    queue = Queue(n_cores, [job(str(i), [str(i - 3)] if i > 5 else []) for i in range(12)])
    finished = []
    while queue.waiting or queue.running:
        begun(queue)
        assert 0 < sum(cores for cores, _ in queue.running.values()) <= n_cores
        finished.append(next(iter(queue.running)))
        del queue.running[finished[-1]]
    assert sorted(finished, key=int) == [str(i) for i in range(12)]


def test_a_queue_tells_what_runs_and_how_many_wait():
    queue = Queue(1, [job("a"), job("b"), job("c")])
    queue.next()
    assert str(queue) == "a 0 s; 2 waiting"


def test_one_failing_notebook_is_named_and_the_others_still_run(repository):
    outcomes = run(plan(repository, "quick").jobs, repository, 2)
    assert [outcome.name for outcome in outcomes] == ["01_broken", "02_whole", "03_last"]
    # Cell 1 is tagged parameters, papermill puts in cell 2, and cell 3 fails.
    assert outcomes[0].error == "cell In [3] (first = 1): RuntimeError: no luck"
    assert outcomes[1].error == outcomes[2].error == ""
    notebook = nbformat.read(repository / "build/quick/notebooks/02_whole.ipynb", as_version=4)
    assert notebook.cells[-1].outputs[0].text == "7\n"


def test_no_core_at_all_is_refused(repository):
    with pytest.raises(ValueError, match="jobs must be a whole number of at least 1, got 0"):
        run(plan(repository, "quick").jobs, repository, 0)


@pytest.mark.slow
def test_whoever_is_killed_leaves_no_kernel_behind(repository):
    sleeper = repository / "notebooks" / "02_whole.py"
    code = "import os, pathlib, time\n"
    code += "pathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(100)\n"
    sleeper.write_text(sleeper.read_text().replace("print(answer)\n", code))
    script = repository / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from svnr.publish.plan import plan\n"
        "from svnr.publish.queue import run\n"
        "if __name__ == '__main__':\n"
        "    run(plan(Path.cwd(), 'quick', ['02']).jobs, Path.cwd(), 1)\n"
    )
    process = subprocess.Popen([sys.executable, script], cwd=repository)
    pid = repository / "pid"
    wait_until(lambda: pid.exists() and pid.read_text())
    kernel = psutil.Process(int(pid.read_text()))
    process.kill()
    process.wait()
    wait_until_gone([kernel], seconds=20)
