from pathlib import Path

from importlinter.cli import lint_imports


def test_layers_import_only_from_those_to_their_right_and_nobody_in_a_circle(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[1])
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0
