"""Files that are either whole or not there, without pickles, and claims to write them.

What is damaged is set aside; what cannot be read or written for another reason is named.
"""

import errno
import itertools
import os
import platform
import time
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from threading import get_ident
from typing import IO, TypeVar
from zipfile import BadZipFile, ZipFile

import numpy as np
from filelock import SoftFileLease, Timeout

from svnr.experiments.stopping import Stopped, stopping

T = TypeVar("T")
NAMELESS = 5.0  # seconds after which a claim that is still empty is nobody's
PROBE = 2**16  # bytes; what is written to see whether a folder can be written to
# RuntimeError: a compression that there is not, tensors of another shape; ValueError: JSON, UTF-8.
_DAMAGE = (EOFError, LookupError, RuntimeError, TypeError, ValueError, BadZipFile, zlib.error)


@contextmanager
def claimed(path: Path, wait: bool = True) -> Iterator[bool]:
    """A claim to something, held against others on this machine and over a shared folder.

    Whoever died no longer holds it: at once if that was on this machine, else after 30 seconds
    without a sign of life. So does a claim that names nobody, as who died while he made it.

    Args:
        path: a file that is there while somebody holds it.
        wait: for whoever holds it; else yields False.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lease = SoftFileLease(path)

    def given_up() -> bool:
        _drop_nameless(path)
        return stopping()

    try:
        given_up()
        held = lease.acquire(-1 if wait else 0, poll_interval=0.2, cancel_check=given_up)
    except Timeout:
        if stopping():
            raise Stopped from None
        yield False
        return
    with held:
        yield True


def _drop_nameless(claim: Path) -> None:
    """Remove a claim that has been empty for a while: nobody is written there who could let go."""
    with suppress(FileNotFoundError):
        told = claim.stat()
        if not told.st_size and time.time() - told.st_mtime > NAMELESS:
            claim.unlink()


@contextmanager
def written(path: Path, kept: bool = True) -> Iterator[IO[bytes]]:
    """A file beside `path`, renamed into it at the end: a kill leaves the old file or the new.

    Args:
        path: of the file.
        kept: renamed; else deleted at the end.

    Raises:
        OSError: with the name of the file, whatever went wrong.
    """
    unfinished = path.with_name(f"{path.name}.{_host()}.{get_ident()}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if kept:
            unfinished.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        discard(unfinished)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], compressed: bool = True) -> None:
    """Write arrays as a whole."""
    write = np.savez_compressed if compressed else np.savez
    with written(path) as file:
        write(file, allow_pickle=False, **arrays)


def write_text(path: Path, text: str) -> None:
    """Write a text as a whole."""
    with written(path) as file:
        file.write(text.encode())


def check_writable(path: Path) -> None:
    """See whether there is a place for a file, a name so long, and the right to write it.

    Raises:
        OSError: with the name of its folder.
    """
    try:
        if not path.exists():
            with written(path, kept=False) as file:  # somebody may be writing the file itself
                file.write(bytes(PROBE))
    except OSError as error:
        told = f"folder must be one that can be written to, got {path.parent}: {error.strerror}"
        raise type(error)(error.errno, told, error.filename) from error


def discard(path: Path) -> None:
    """Delete a file, if it is there and can be deleted."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """What `write_arrays` wrote; each array is read to its end, where its checksum is."""
    with ZipFile(path) as archive:
        return {
            name.removesuffix(".npy"): np.lib.format.read_array(
                BytesIO(archive.read(name)), allow_pickle=False
            )
            for name in archive.namelist()
        }


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
    aside = place_aside(path)
    with suppress(FileNotFoundError):  # somebody else did it
        path.replace(aside)
    warnings.warn(
        f"{path.name} could not be read ({error}) and was set aside as {aside.name}; "
        "what it held is missing again",
        stacklevel=4,
    )


def place_aside(path: Path) -> Path:
    """A name for what is damaged of a file, beside it, that nothing has."""
    names = (path.with_name(f"{path.name}.damaged{n or ''}") for n in itertools.count())
    return next(name for name in names if not name.exists())


def sweep(folder: Path | str) -> None:
    """Delete what processes of this machine that are dead left half written."""
    for path in Path(folder).glob(f"*/*.{_host()}.*.tmp"):
        pid = path.suffixes[-2].removeprefix(".")
        if pid.isdigit() and not _is_alive(int(pid)):
            path.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def _host() -> str:
    return platform.node().replace(".", "-") or "here"
