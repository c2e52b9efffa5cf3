"""The notebooks of the repository."""

import re
from collections.abc import Sequence
from pathlib import Path

from svnr.checks import check_one_of

NAME = re.compile(r"[0-9]{2}_\w+")  # "09_max_of_three-Copy1" is what JupyterLab calls a copy


def sources(root: Path, only: Sequence[str] = ()) -> dict[str, Path]:
    """The notebooks in reading order: name → its `.py`.

    Args:
        root: of the repository.
        only: the ones that are wanted, by number or by name; empty: all.

    Raises:
        ValueError: if there is none of a number or name.
    """
    paths = sorted((root / "notebooks").glob("*.py"))
    found = {path.stem: path for path in paths if NAME.fullmatch(path.stem)}
    numbers = dict.fromkeys(name[:2] for name in found)
    wanted = {name if name in found else check_one_of("notebook", name, numbers) for name in only}
    return {n: path for n, path in found.items() if {n, n[:2]} & wanted or not only}
