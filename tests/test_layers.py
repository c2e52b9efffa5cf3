from pathlib import Path

from importlinter.cli import lint_imports


def test_each_layer_imports_only_from_those_to_its_right(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[1])
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0
