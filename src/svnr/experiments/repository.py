"""Where this repository lies."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def repository_root(start: Path | None = None) -> Path:
    """The folder that holds this project, looking upwards from `start`, then from the package.

    Args:
        start: by default the working folder.

    Raises:
        FileNotFoundError: if no folder above holds it.
        ValueError: if it is another checkout than the one that this package is imported from.
    """
    here, own = (start or Path.cwd()).resolve(), PACKAGE.parents[1]
    found = next(filter(_is_repository, (here, *here.parents, own)), None)
    if found is None:
        raise FileNotFoundError(f"a folder of this repository is needed, got {here}")
    if (found / "src" / "svnr").is_dir() and found != own and _is_repository(own):
        raise ValueError(
            f"repository must be the one whose svnr is imported, {own}, got {found}; "
            f"`pip install -e {found}` lets its own be imported"
        )
    return found


def _is_repository(folder: Path) -> bool:
    return (folder / "pyproject.toml").exists() and (folder / "notebooks" / "presets").is_dir()
