from pathlib import Path

import pytest

from svnr.experiments import repository
from svnr.experiments.repository import repository_root

ROOT = Path(__file__).parents[2]


def checkout(folder):
    """A folder that looks like a checkout of this project."""
    (folder / "notebooks" / "presets").mkdir(parents=True)
    (folder / "src" / "svnr" / "experiments").mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    return folder


def test_the_repository_is_found_from_below_it_and_from_elsewhere(tmp_path):
    assert repository_root(ROOT / "notebooks" / "presets") == ROOT
    assert repository_root(tmp_path) == ROOT  # where the package lies


def test_the_package_of_one_checkout_does_not_serve_another(tmp_path):
    other = checkout(tmp_path / "other")
    with pytest.raises(ValueError, match=f"repository must be .*{ROOT}, got {other}; `pip inst"):
        repository_root(other / "notebooks")


def test_a_package_that_lies_in_no_checkout_serves_any(tmp_path, monkeypatch):
    installed, other = tmp_path / "lib" / "site" / "svnr", checkout(tmp_path / "other")
    monkeypatch.setattr(repository, "PACKAGE", installed)
    assert repository_root(other) == other
    with pytest.raises(FileNotFoundError, match="a folder of this repository is needed"):
        repository_root(tmp_path)
