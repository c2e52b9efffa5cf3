"""The notebooks of the repository, and the numbers each is run with at a scale."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from svnr.checks import check_one_of
from svnr.report.scales import SCALES


def sources(root: Path, only: Sequence[str] = ()) -> dict[str, Path]:
    """The notebooks in reading order: name → its `.py`.

    Args:
        root: of the repository.
        only: the ones that are wanted, by number or by name; empty: all.

    Raises:
        ValueError: if there is none of a number or name.
    """
    found = {path.stem: path for path in sorted((root / "notebooks").glob("[0-9][0-9]_*.py"))}
    numbers = {name.split("_")[0]: name for name in found}
    wanted = {
        name if name in found else numbers[check_one_of("notebook", name, numbers)]
        for name in only
    }
    return {name: path for name, path in found.items() if name in wanted or not only}


def presets(root: Path, scale: str) -> dict[str, dict[str, Any]]:
    """What each notebook is run with at a scale, in the order in which they are best begun.

    Returns:
        Name → its `parameters`, `timeout` (seconds a cell may take) and `after` (the notebooks
        whose runs it reads).

    Raises:
        ValueError: if there is no such scale, or its file holds something else.
    """
    check_one_of("scale", scale, SCALES)
    path = root / "notebooks" / "presets" / f"{scale}.yaml"
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} must be YAML, got: {error}") from error
    if not isinstance(loaded, dict) or not all(isinstance(v, dict) for v in loaded.values()):
        raise ValueError(f"{path} must hold a line `name: {{parameters: …}}` for each notebook")
    return loaded
