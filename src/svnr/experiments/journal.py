"""The journal of a study: one line of JSON an operation, each with its checksum.

Any number of processes may read it; whoever writes it holds the claim of the study. Lines without
a checksum, as Optuna writes them, are taken as they are.
"""

import json
import os
import warnings
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend

from svnr.experiments.files import place_aside, written

SEAL = "crc"


class Journal(BaseJournalBackend):
    """A journal as Optuna's storage reads and writes it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """The operations from a number on.

        Raises:
            ValueError: with file and line, for a line that is none of a journal.
        """
        lines = self._path.read_bytes().splitlines(keepends=True) if self._path.exists() else []
        for number, line in enumerate(lines[log_number_from:], log_number_from + 1):
            if number < len(lines) or line.endswith(b"\n"):  # else it is being written
                try:
                    yield unsealed(line)
                except (ValueError, LookupError) as error:
                    raise ValueError(f"{self._path}, line {number}: {error}") from error

    def append_logs(self, logs: Sequence[dict[str, Any]]) -> None:
        """Write operations to the end."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(b"".join(sealed(log) for log in logs))
            file.flush()
            os.fsync(file.fileno())


def storage(path: Path) -> JournalStorage:
    """The journal at `path`, for Optuna."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return JournalStorage(Journal(path))


def sealed(log: dict[str, Any]) -> bytes:
    """An operation as a line."""
    return _line(log | {SEAL: zlib.crc32(_line(log))})


def unsealed(line: bytes) -> dict[str, Any]:
    """The operation in a line.

    Raises:
        ValueError: if it is none, or not as it was written.
    """
    log = json.loads(line)
    if not isinstance(log, dict) or "op_code" not in log or not line.endswith(b"\n"):
        raise ValueError("it is no operation of a study")
    seal = log.pop(SEAL, None)
    if seal is not None and seal != zlib.crc32(_line(log)):
        raise ValueError("its checksum is another one")
    return log


def _line(log: dict[str, Any]) -> bytes:
    return (json.dumps(log, separators=(",", ":")) + "\n").encode()


def mend(path: Path) -> None:
    """Set aside what follows the last whole line, with a warning that names it.

    Trials that are lost with it are taken up again, with the same numbers and settings.
    """
    lines = path.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines):
        try:
            unsealed(line)
        except (ValueError, LookupError) as error:
            aside = place_aside(path)
            for place, kept in ((aside, lines[number:]), (path, lines[:number])):
                with written(place) as file:
                    file.write(b"".join(kept))
            told = f"{path}, line {number + 1}: {error}"
            warnings.warn(
                f"{told}; it and what follows are set aside as {aside.name}", stacklevel=2
            )
            return
