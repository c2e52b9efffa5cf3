"""Tables of arrays as files that are either whole or not there, without pickles."""

import os
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

UNREADABLE = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write beside `path` and rename into it, so that a kill leaves the old file or the new."""
    with _unfinished(path).open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    _unfinished(path).replace(path)


def write_text(path: Path, text: str) -> None:
    """The same for a text."""
    _unfinished(path).write_text(text, encoding="utf-8")
    _unfinished(path).replace(path)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """What `write_arrays` wrote; one of `UNREADABLE` is raised if it is damaged."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def below(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays whose names begin with `prefix`, without it."""
    found = (name for name in arrays if name.startswith(prefix))
    return {name.removeprefix(prefix): arrays[name] for name in found}


def set_aside(path: Path, error: Exception) -> None:
    """Rename a damaged file to end in `.damaged`, with a warning that names it."""
    aside = path.with_suffix(".damaged")
    path.replace(aside)
    warnings.warn(
        f"{path.name} could not be read ({error}) and was set aside as {aside.name}; "
        "what it held is missing again",
        stacklevel=3,
    )


def sweep(folder: Path) -> None:
    """Delete what killed processes left half written."""
    for path in folder.glob("*/*.tmp"):
        pid = int(path.suffixes[-2].removeprefix("."))
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            path.unlink(missing_ok=True)
        except PermissionError:
            continue


def _unfinished(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_suffix(f".{os.getpid()}.tmp")
