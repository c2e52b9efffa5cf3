"""Files that are either whole or not there, without pickles; what is damaged is set aside."""

import errno
import itertools
import os
import platform
import warnings
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

import numpy as np

T = TypeVar("T")
# RuntimeError: a compression that there is not, tensors of another shape; ValueError: JSON, UTF-8.
_DAMAGE = (EOFError, LookupError, RuntimeError, TypeError, ValueError, BadZipFile, zlib.error)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], compressed: bool = True) -> None:
    """Write beside `path` and rename into it, so that a kill leaves the old file or the new."""
    write = np.savez_compressed if compressed else np.savez
    with _unfinished(path).open("wb") as file:
        write(file, allow_pickle=False, **arrays)
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
    """What `read` makes of a file; None if there is none, or it is damaged and set aside.

    Errors that are no damage, of permissions or too many open files, set nothing aside.
    """
    try:
        return read(path) if path.exists() else None
    except (OSError, *_DAMAGE) as error:
        # A wrong place in an archive leads to the two numbers that are named here.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
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
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def _unfinished(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f"{path.name}.{_host()}.{os.getpid()}.tmp")


def _host() -> str:
    return platform.node().replace(".", "-") or "here"
