import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svnr.experiments.journal import SEAL, Journal, mend, sealed, unsealed

LOGS = st.dictionaries(st.text(min_size=1), st.integers() | st.text() | st.floats(-1e9, 1e9)).map(
    lambda log: {n: value for n, value in log.items() if n != SEAL} | {"op_code": 4}
)
LOG = {"op_code": 6, "trial_id": 3, "user_attr": {"settings": {"learning_rate": 0.0125}}}


@given(LOGS)
def test_an_operation_comes_out_of_its_line_as_it_went_in(log):
    assert unsealed(sealed(log)) == log


def test_no_flipped_bit_of_a_line_changes_the_operation():
    line = sealed(LOG)
    for bit in range(8 * len(line)):
        flipped = bytearray(line)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            found = unsealed(bytes(flipped))
        except (ValueError, LookupError):
            continue
        assert LOG.items() <= found.items()  # the name of the checksum was hit, and nothing else


def test_a_line_without_a_checksum_is_taken_and_one_of_something_else_is_not():
    assert unsealed(json.dumps(LOG).encode() + b"\n") == LOG  # as optuna writes it
    for line in (b'{"note": "mine"}\n', b"[4]\n", b"3\n", sealed(LOG)[:-1]):
        with pytest.raises(ValueError, match="it is no operation of a study"):
            unsealed(line)


def test_a_journal_is_read_from_a_number_on_without_the_line_that_is_being_written(tmp_path):
    journal = Journal(tmp_path / "folder" / "study.jsonl")
    assert list(journal.read_logs(0)) == []
    logs = [LOG | {"trial_id": index} for index in range(4)]
    journal.append_logs(logs[:1])
    journal.append_logs(logs[1:])
    path = tmp_path / "folder" / "study.jsonl"
    path.write_bytes(path.read_bytes() + sealed(LOG)[:20])
    assert list(journal.read_logs(2)) == logs[2:]


def test_mending_keeps_what_stands_before_the_damage_and_sets_the_rest_aside(tmp_path):
    path = tmp_path / "study.jsonl"
    lines = [sealed(LOG), b"\x00\n", sealed(LOG)]
    path.write_bytes(b"".join(lines))
    with pytest.warns(UserWarning, match=r"study.jsonl, line 2: .*set aside as study.jsonl"):
        mend(path)
    assert path.read_bytes() == lines[0]
    (aside,) = (each for each in tmp_path.iterdir() if each != path)
    assert aside.read_bytes() == lines[1] + lines[2]
    mend(path)  # nothing is left to be mended
    assert len(list(tmp_path.iterdir())) == 2
