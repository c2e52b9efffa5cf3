"""The numbers that each notebook is run with at a scale."""

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from svnr.checks import NotNegative, Positive, check_count, check_one_of, fitted
from svnr.report.scales import SCALES

REBUILDING = "svnr_rebuilds"  # a name that is True where `svnr` executes a notebook


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


def defaults_of(root: Path, notebook: str) -> dict[str, Any]:
    """The names in the cell tagged `parameters`, with their defaults; none of no such notebook.

    Raises:
        ValueError: unless exactly one cell has the tag.
    """
    source = root / "notebooks" / f"{notebook}.py"
    if not source.exists():
        return {}
    _, *tagged = source.read_text(encoding="utf-8").split('# %% tags=["parameters"]\n')
    if len(tagged) != 1:
        raise ValueError(f"one cell of {source} must be tagged 'parameters', got {len(tagged)}")
    return annotated_values(tagged[0].partition("\n# %%")[0])


def own_numbers(root: Path, notebook: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that are not those of the paper's scale, with what they are there.

    They are presets/paper.yaml's: a notebook's own change when somebody saves it in JupyterLab.
    """
    told = presets(root, "paper").get(notebook, {}).get("parameters") or {}
    if not (paper := {**defaults_of(root, notebook), **told}):
        return {}  # it is no notebook of this repository
    return {
        name: paper.get(name)
        for name, value in parameters.items()
        if _listed(value) != _listed(paper.get(name))
    }


def _listed(value: Any) -> Any:
    """A value as YAML has it, tuples as lists."""
    return list(map(_listed, value)) if isinstance(value, (list, tuple)) else value


def annotated_values(code: str) -> dict[str, Any]:
    """The names that a cell of parameters assigns, `name: type = literal`, with their values."""
    return {
        ast.unparse(statement.target): ast.literal_eval(statement.value)
        for statement in ast.parse(code).body
        if isinstance(statement, ast.AnnAssign) and statement.value is not None
    }


def injected(cells: Sequence[str]) -> list[str]:
    """The names that papermill's own cell assigns, the last of those that were executed so far."""
    *_, last = ["", *(cell for cell in cells if cell.startswith("# Parameters\n"))]
    lines = [line.partition(" = ")[0] for line in last.splitlines()]  # `name = value`, each
    return [n for n in lines if n.isidentifier() and not n.startswith("PAPERMILL_")]


def annotated(names: Mapping[str, Any]) -> dict[str, Any]:
    """The names that a notebook annotates with a plain type, with their values.

    Raises:
        ValueError: for a value of another type.
    """
    kinds = names.get("__annotations__", {}).items()
    plain = {n: kind for n, kind in kinds if kind in (bool, int, float, str, list) and n in names}
    return {name: fitted(name, names[name], kind) for name, kind in plain.items()}


def check_parameters(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse parameters that a notebook does not have, or of another kind than its defaults.

    Raises:
        ValueError: with the names, the kind or the range that is wanted.
    """
    for name, value in given.items():
        check_one_of("parameter", name, defaults)
        _check_like(name, value, defaults[name])


def _check_like(name: str, value: Any, default: Any) -> None:
    """Refuse a value that is not of the default's kind, or below its range.

    A number may be 0 where the default is 0, else a whole one is at least 1 and any other above 0;
    a list holds at least one item, each like the default's first.
    """
    if type(default) is int:
        check_count(name, value, least=min(default, 1))
    elif type(default) is float:
        fitted(name, value, Positive if default > 0 else NotNegative if default == 0 else float)
    elif isinstance(default, (list, tuple)):
        if not isinstance(value, (list, tuple)) or not value:
            raise ValueError(f"{name} must be a list such as {default}, got {value!r}")
        for index, item in enumerate(value):
            _check_like(f"{name}[{index}]", item, default[0])
    else:
        fitted(name, value, type(default))
