"""Files that are either whole or not there, without pickles; what is damaged is set aside."""

import errno
import itertools
import os
import platform
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

T = TypeVar("T")
_DAMAGE = (
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,  # a compression that there is not
    RuntimeError,  # a flag that says encrypted; tensors of another shape
    TypeError,
    ValueError,  # JSON and UTF-8 too
    zipfile.BadZipFile,
    zlib.error,
)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], compressed: bool = True) -> None:
    """Write beside `path` and rename into it, so that a kill leaves the old file or the new."""
    with _unfinished(path).open("wb") as file:
        if compressed:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        else:
            np.savez(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    _unfinished(path).replace(path)


def write_text(path: Path, text: str) -> None:
    """The same for a text."""
    _unfinished(path).write_text(text, encoding="utf-8")
    _unfinished(path).replace(path)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """What `write_arrays` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def read_or_set_aside(path: Path, read: Callable[[Path], T]) -> T | None:
    """What `read` makes of a file; None, and the file is set aside, if it is damaged.

    Errors that are no damage, of permissions or too many open files, set nothing aside.
    """
    try:
        return read(path)
    except _DAMAGE as error:
        set_aside(path, error)
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # what a wrong place in an archive leads to
            raise
        set_aside(path, error)
    return None


def set_aside(path: Path, error: Exception) -> None:
    """Rename a damaged file to end in `.damaged`, with a warning that names it."""
    names = (path.with_name(f"{path.name}.damaged{n or ''}") for n in itertools.count())
    aside = next(name for name in names if not name.exists())
    path.replace(aside)
    warnings.warn(
        f"{path.name} could not be read ({error}) and was set aside as {aside.name}; "
        "what it held is missing again",
        stacklevel=4,
    )


def sweep(folder: Path) -> None:
    """Delete what processes of this machine that are dead left half written."""
    for path in folder.glob(f"*/*.{_host()}.*.tmp"):
        pid = path.suffixes[-2].removeprefix(".")
        if pid.isdigit() and not _is_alive(int(pid)):
            path.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _unfinished(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f"{path.name}.{_host()}.{os.getpid()}.tmp")


def _host() -> str:
    return platform.node().replace(".", "-") or "here"
