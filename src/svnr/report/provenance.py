"""Figures and tables on disk, and a manifest of who made each from which rows."""

import ast
import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from svnr.experiments.files import write_text
from svnr.experiments.repository import repository_root
from svnr.experiments.runs import Run
from svnr.report.style import STYLE_FILE


@dataclass(frozen=True)
class Outputs:
    """Where one notebook writes, and under which name and scale it is recorded.

    Args:
        notebook: name of the notebook, "08_max_of_three".
        scale: "smoke", "quick" or "paper": how much was run.
        folder: below it lie figures/ and results/; empty for the repository itself, or for
            build/by_hand if a parameter is not the notebook's own default.
        parameters: the notebook's parameters, recorded in the manifest.
    """

    notebook: str
    scale: str = "paper"
    folder: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def root(self) -> Path:
        """The folder that holds figures/ and results/; a relative one is the repository's."""
        by_hand = not self.folder and not self._has_defaults()
        return repository_root() / ("build/by_hand" if by_hand else self.folder)

    def _has_defaults(self) -> bool:
        """Whether the notebook runs with the parameters it was committed with."""
        source = repository_root() / "notebooks" / f"{self.notebook}.py"
        if not source.exists():
            return True
        _, _, rest = source.read_text(encoding="utf-8").partition('# %% tags=["parameters"]\n')
        defaults = annotated_values(rest.partition("\n# %%")[0])
        return all(defaults.get(name) == value for name, value in self.parameters.items())

    @property
    def results(self) -> Path:
        """Where finished runs lie."""
        return self.root / "results"

    def figure(
        self, figure: Figure, name: str, label: str, runs: Sequence[Run] = (), note: str = ""
    ) -> Figure:
        """Write a figure as SVG and PNG and record it; returns it, to be shown.

        Args:
            figure: what was drawn.
            name: file name without ending, "fig4_training_curves".
            label: what it is called in the paper or here, "Figure 4a–c".
            runs: the finished runs it was drawn from.
            note: one line for the summary, such as ours beside the paper's number.
        """
        folder = self._folder()
        with plt.style.context(STYLE_FILE):
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            figure.savefig(folder / f"{name}.png", metadata={"Software": None})
        self._record(f"{name}.png", label, runs, note)
        return figure

    def table(
        self, table: pd.DataFrame, name: str, label: str, runs: Sequence[Run] = (), note: str = ""
    ) -> pd.DataFrame:
        """Write a table as CSV and Markdown and record it; returns it, to be shown."""
        folder = self._folder()
        table.to_csv(folder / f"{name}.csv")
        write_text(folder / f"{name}.md", markdown(table) + "\n")
        self._record(f"{name}.md", label, runs, note)
        return table

    def _folder(self) -> Path:
        folder = self.root / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _record(self, file: str, label: str, runs: Sequence[Run], note: str) -> None:
        path = self._folder() / "manifest.json"
        manifest = json.loads(path.read_text()) if path.exists() else {}
        manifest[file] = {
            "label": label,
            "notebook": self.notebook,
            "scale": self.scale,
            "parameters": dict(self.parameters),
            "runs": len(runs),
            "runs_hash": _hash(sorted(run.spec.key() for run in runs)),
            "note": note,
            "versions": versions(),
        }
        write_text(
            path, json.dumps(dict(sorted(manifest.items())), indent=2, ensure_ascii=False) + "\n"
        )


def annotated_values(code: str) -> dict[str, Any]:
    """The names that a cell of parameters assigns, `name: type = literal`, with their values."""
    return {
        ast.unparse(statement.target): ast.literal_eval(statement.value)
        for statement in ast.parse(code).body
        if isinstance(statement, ast.AnnAssign) and statement.value is not None
    }


def versions() -> dict[str, str]:
    """What the numbers and the pictures may depend on."""
    names = ("svnr", "torch", "numpy", "matplotlib")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def markdown(table: pd.DataFrame) -> str:
    """A table in GitHub's Markdown, index included."""
    flat = (
        table.rename_axis(table.index.names[0] or "", axis=0)
        if table.index.nlevels == 1
        else table
    )
    flat = flat.reset_index()
    lines = [
        " | ".join(str(name) for name in flat.columns),
        " | ".join("---" for _ in flat.columns),
    ]
    lines += [" | ".join(str(cell) for cell in row) for row in flat.itertuples(index=False)]
    return "\n".join(f"| {line} |" for line in lines)


def _hash(keys: list[str]) -> str:
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:10]
