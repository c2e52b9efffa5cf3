import errno
import os
import zipfile

import numpy as np
import pytest

from svnr.experiments.files import (
    check_writable,
    read_arrays,
    read_or_set_aside,
    set_aside,
    sweep,
    write_arrays,
    write_text,
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "game" / "run.npz"
    write_arrays(path, {"values": np.arange(1000.0)})
    return path


def test_what_is_written_is_read(path):
    assert np.array_equal(read_arrays(path)["values"], np.arange(1000.0))
    assert [found.name for found in path.parent.iterdir()] == ["run.npz"]
    write_text(path.with_suffix(".json"), "α")
    assert path.with_suffix(".json").read_text(encoding="utf-8") == "α"


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize("damage", ["cut", "empty", "compression", "encrypted", "array"])
def test_a_damaged_file_is_named_and_set_aside(path, damage):
    with zipfile.ZipFile(path) as archive:
        begins = archive.infolist()[0].header_offset
    directory = path.read_bytes().index(b"PK\x01\x02")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:500])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "array":
        flip(path, begins + 200)
    else:  # the method of compression, the flags; both in the archive's directory
        flip(path, directory + (10 if damage == "compression" else 8))
    with pytest.warns(UserWarning, match="run.npz could not be read"):
        assert read_or_set_aside(path, read_arrays) is None
    assert not path.exists() and path.with_name("run.npz.damaged").exists()


def test_what_was_set_aside_before_is_not_lost(path):
    for content in (b"first", b"second"):
        path.write_bytes(content)
        with pytest.warns(UserWarning):
            set_aside(path, ValueError("torn"))
    aside = sorted(path.parent.iterdir())
    assert [found.read_bytes() for found in aside] == [b"first", b"second"]


@pytest.mark.parametrize("code", [errno.EACCES, errno.EMFILE])
def test_errors_that_are_no_damage_set_nothing_aside(path, code):
    def refuse(path):
        raise OSError(code, os.strerror(code))

    with pytest.raises(OSError, match=os.strerror(code)):
        read_or_set_aside(path, refuse)
    assert path.exists()


def test_only_what_dead_processes_of_this_machine_left_is_swept(path, monkeypatch):
    dead, alive = 2**22 + 1, os.getpid()  # above the greatest number that a process can have
    monkeypatch.setattr("platform.node", lambda: "here.example")
    names = [f"run.npz.here-example.{dead}.tmp", f"run.npz.here-example.{alive}.tmp"]
    foreign = [f"run.npz.there.{dead}.tmp", "notes.tmp", "run.npz.here-example.x.tmp"]
    for name in [*names, *foreign]:
        path.with_name(name).write_bytes(b"half")
    sweep(path.parent.parent)
    left = {found.name for found in path.parent.glob("*.tmp")}
    assert left == {names[1], *foreign}


def test_who_looks_whether_he_may_write_leaves_alone_what_another_writes_meanwhile(
    path, monkeypatch
):
    monkeypatch.setattr("os.fsync", lambda descriptor: path.write_bytes(b"theirs"))
    path.unlink()
    check_writable(path)
    assert path.read_bytes() == b"theirs" and list(path.parent.iterdir()) == [path]


def test_nothing_half_written_stays_whatever_went_wrong(path):
    path.unlink()
    with pytest.raises(ValueError, match="allow_pickle"):
        write_arrays(path, {"x": np.array([object()])})
    assert not list(path.parent.iterdir())
