"""Where this repository lies."""

from pathlib import Path


def repository_root(start: Path | None = None) -> Path:
    """The folder that holds this project, looking upwards from `start`, then from the package.

    Args:
        start: by default the working folder.

    Raises:
        FileNotFoundError: if no folder above holds it.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[3]):
        if (folder / "pyproject.toml").exists() and (folder / "notebooks" / "presets").is_dir():
            return folder
    raise FileNotFoundError(f"a folder of this repository is needed, got {here}")
