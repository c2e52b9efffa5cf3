import time

import pytest

from svnr.experiments.engine import each


def square(x):
    return x * x


def test_results_come_in_the_order_of_the_items():
    done = []
    assert each(square, [3, 1, 2], 1, done.append) == [9, 1, 4] == done
    assert each(square, [3, 1, 2], 2) == [9, 1, 4]
    assert each(square, [], 2) == []


def note(path):
    """Fail at the first item; leave a mark for any other, after a while."""
    if path.name == "0":
        raise ValueError("of no use")
    time.sleep(0.5)
    path.touch()


def test_after_an_error_nothing_that_waits_is_begun(tmp_path):
    """Of 20 items that would take 10 s, one process is at work when the other fails."""
    with pytest.raises(ValueError, match="of no use"):
        each(note, [tmp_path / str(index) for index in range(20)], 2)
    assert len(list(tmp_path.iterdir())) < 10


def test_a_number_of_jobs_that_there_cannot_be_is_refused():
    with pytest.raises(ValueError, match="n_jobs must be a whole number of at least 1, got 0"):
        each(square, [1], 0)
