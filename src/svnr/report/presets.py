"""The numbers that each notebook is run with at a scale."""

from pathlib import Path
from typing import Any

import yaml

from svnr.checks import check_one_of
from svnr.report.scales import SCALES


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
