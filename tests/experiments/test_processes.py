import os
import signal

import pytest

from svnr.experiments.engine import each


def die_once(path):
    """Kill the own process at the first call."""
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


def die(path):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_killed_process_costs_what_it_was_at(tmp_path):
    assert each(die_once, [tmp_path / "a", tmp_path / "b"], 2) == ["alive", "alive"]


@pytest.mark.slow
def test_an_item_that_kills_its_process_every_time_is_given_up(tmp_path):
    with pytest.raises(ChildProcessError, match="killed 3 times in a row"):
        each(die, [tmp_path, tmp_path], 2)
