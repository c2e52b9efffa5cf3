import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from svnr.experiments.stopping import Stopped, ask, at_work, interrupted, stoppable, stopping


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_first_signal_asks_and_a_second_does_what_it_did_before(number):
    def before(number, frame):
        raise ZeroDivisionError

    kept = signal.signal(number, before)
    try:
        with stoppable():
            assert not stopping()
            os.kill(os.getpid(), number)
            assert stopping()
            with pytest.raises(ZeroDivisionError):
                os.kill(os.getpid(), number)
        assert not stopping() and signal.getsignal(number) is before
    finally:
        signal.signal(number, kept)


def test_what_is_to_be_ignored_stays_ignored():
    kept = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stoppable():
            os.kill(os.getpid(), signal.SIGINT)
            assert not stopping()
    finally:
        signal.signal(signal.SIGINT, kept)


def test_the_work_of_one_client_stops_and_no_other():
    def hears(client):
        at_work.client = client
        return stopping()

    ask("gone")
    with ThreadPoolExecutor(1) as elsewhere:
        told = [elsewhere.submit(hears, name).result() for name in ("gone", "here")]
    assert told == [True, False] and not stopping()


def test_what_cannot_look_is_interrupted():
    kept = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped, match="finished runs are kept"), interrupted():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is kept
