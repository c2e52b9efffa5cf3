"""Figures and tables on disk, and a manifest of who made each from which rows."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from svnr.checks import check_one_of
from svnr.experiments.catalogue import GAMES
from svnr.experiments.files import check_writable, claimed, read_or_set_aside, write_text
from svnr.experiments.repository import repository_root
from svnr.experiments.runs import Run
from svnr.experiments.specs import RunSpec, grid
from svnr.experiments.store import collect, kept
from svnr.report.gifs import picture, write_gif
from svnr.report.paper import Kind
from svnr.report.presets import (
    REBUILDING,
    annotated,
    check_parameters,
    defaults_of,
    injected,
    own_numbers,
)
from svnr.report.scales import SCALES
from svnr.report.style import TRAP, in_style
from svnr.report.words import renamed

BY_HAND = "build/by_hand"  # where goes what is not this repository's own
_CLIP = r"\bp[0-9a-f]{10}\b"  # what matplotlib calls a box, by the last bits of its corners
WANTED = "wanted.json"  # beside finished runs: which ones notebooks asked for in vain


@dataclass(frozen=True)
class Outputs:
    """Where one notebook writes, and under which name and scale it is recorded.

    Args:
        notebook: name of the notebook, "09_max_of_three".
        scale: "smoke", "quick" or "paper": how much was run.
        folder: below it lie figures/ and results/; empty for the repository itself, or for
            build/by_hand if a parameter is not the paper scale's.
        parameters: the notebook's parameters, recorded in the manifest.
        rebuilding: it is executed by `svnr`, which alone writes the repository's figures; what
            others draw, from whatever code, goes to build/by_hand.
        n_jobs: processes in which runs that are missing are made.

    Raises:
        ValueError: if there is no such scale.
    """

    notebook: str
    scale: str = "paper"
    folder: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    rebuilding: bool = False
    n_jobs: int = 1

    @classmethod
    def of(cls, notebook: str, names: Mapping[str, Any]) -> "Outputs":
        """The outputs of a notebook, told by its own `globals()` what its parameters are.

        Of a notebook that this repository does not have, the names that it annotates are.
        """
        if defaults := defaults_of(repository_root(), notebook):
            asked = [*defaults, *injected(names.get("In", ()))]
            given = {name: names[name] for name in asked if name in names}
            check_parameters(defaults, given)
        else:
            given = annotated(names)
        others = ("scale", "output", "n_jobs")  # than what the results depend on
        parameters = {name: value for name, value in given.items() if name not in others}
        told = {"rebuilding": names.get(REBUILDING, False), "n_jobs": names.get("n_jobs", 1)}
        return cls(notebook, names["scale"], names["output"], parameters, **told)

    def __post_init__(self) -> None:
        """Refuse in the first cell what would fail in the last."""
        check_one_of("scale", self.scale, SCALES)
        root = self.root  # or it is said that there is none
        try:
            check_writable(self._folder / ".probe")
        except OSError as error:
            told = f"got {self.folder or str(root)!r}: {error.strerror}"
            raise ValueError(f"output must be a folder that can be written to, {told}") from error

    @cached_property
    def root(self) -> Path:
        """The folder that holds results/ and figures/; a relative one is the repository's."""
        root = repository_root()
        own = not self.folder and own_numbers(root, self.notebook, self.parameters)
        folder = Path(BY_HAND if own else self.folder).expanduser()
        if not folder.is_absolute() and not (root / folder).resolve().is_relative_to(root):
            raise ValueError(f"output must be below {root}, or absolute, got {self.folder!r}")
        return root / folder

    @property
    def results(self) -> Path:
        """Where finished runs lie."""
        return self.root / "results"

    def finished(self, specs: Sequence[RunSpec]) -> list[Run]:
        """The runs of `specs`, in order: what is missing is run now, see `store.collect`."""
        runs = collect(specs, self.results, self.n_jobs)
        self._unnamed.extend(specs)
        return runs

    def kept(self, specs: Sequence[RunSpec], n_made: int = 0) -> list[Run]:
        """The runs of `specs` that there are, see `store.kept`; what is missing is recorded."""
        runs = kept(specs, self.results, self.n_jobs, n_made)
        there = {run.spec.key for run in runs}
        self._unnamed.extend(run.spec for run in runs)
        for spec in [each for each in specs if each.key not in there]:
            self._missing.setdefault(f"{spec.game} {spec.learner}", set()).add(spec.key)
        if self.rebuilding:
            told = {pair: " ".join(sorted(keys)) for pair, keys in sorted(self._missing.items())}
            _add_entry(self.results / WANTED, {self.notebook: told})
        return runs

    def kept_by_kind(
        self, kinds: Mapping[str, Kind], n_seeds: int, training: Mapping[str, Any] | None = None
    ) -> dict[str, list[Run]]:
        """Kind of run → the runs of it that there are, of the seeds 0 to n_seeds − 1."""
        return {
            kind: self.kept(grid([game], [learner], n_seeds, None, changes, training=training))
            for kind, (game, learner, changes) in kinds.items()
        }

    @cached_property
    def _missing(self) -> dict[str, set[str]]:
        return {}  # game and learner → keys, of all that this notebook asked for so far

    @cached_property
    def _unnamed(self) -> list[RunSpec]:
        return []  # what was read since the last figure or table

    def _named(self, runs: Sequence[Run] | None) -> Sequence[Run]:
        if runs is None and self._unnamed:
            read = f"{len(self._unnamed)} were read since the last figure or table"
            raise ValueError(f"runs must be those it is drawn from, [] for none; {read}, got none")
        self._unnamed.clear()
        return runs or ()

    def figure(
        self,
        figure: Figure,
        name: str,
        label: str,
        runs: Sequence[Run] | None = None,
        note: str = "",
    ) -> Figure:
        """Write a figure as SVG and PNG and record it; returns it, to be shown.

        Args:
            figure: what was drawn.
            name: file name without ending, "fig4_training_curves".
            label: what it is called in the paper or here, "Figure 4a–c".
            runs: the finished runs it was drawn from; may be left out where none were read.
            note: one line for the summary, such as ours beside the paper's number.

        Raises:
            ValueError: if runs were read since the last figure or table, and none are named.
        """
        runs = self._named(runs)
        if short := too_short(runs):
            figure.text(0.5, 0.5, short, color=TRAP, size=18, alpha=0.4, ha="center", va="center")
            note = f"{short}. {note}"
        with in_style():
            figure.savefig(drawn := StringIO(), format="svg", metadata={"Date": None})
            write_text(self._folder / f"{name}.svg", renamed(_CLIP, "clip_", drawn.getvalue()))
            if (
                self.scale != "paper"
            ):  # laid out once, for time; committed pictures stay as they are
                figure.set_layout_engine("none")
            figure.savefig(self._folder / f"{name}.png", metadata={"Software": None})
        self._record(f"{name}.png", label, runs, note)
        return figure

    def animation(
        self,
        frames: Iterable[Figure],
        name: str,
        label: str,
        seconds: float,
        runs: Sequence[Run] | None = None,
        note: str = "",
    ) -> Path:
        """Write figures as the pictures of a GIF that runs for ever and record it.

        Args:
            frames: the pictures in their order, all of one size; the last one stays a while.
            name: file name without ending.
            label: see `figure`.
            seconds: that each picture is shown.
            runs: see `figure`.
            note: see `figure`.

        Returns:
            Where the GIF lies.
        """
        runs = self._named(runs)
        path = self._folder / f"{name}.gif"
        write_gif(path, map(picture, frames), seconds)
        self._record(path.name, label, runs, note)
        return path

    def table(
        self,
        table: pd.DataFrame,
        name: str,
        label: str,
        runs: Sequence[Run] | None = None,
        note: str = "",
    ) -> pd.DataFrame:
        """Write a table as CSV and Markdown and record it; returns it. See `figure`."""
        runs = self._named(runs)
        if short := too_short(runs):
            note = f"{short}. {note}"
        table.to_csv(self._folder / f"{name}.csv", encoding="utf-8")
        write_text(self._folder / f"{name}.md", markdown(table) + "\n")
        self._record(f"{name}.md", label, runs, note)
        return table

    @cached_property
    def _folder(self) -> Path:
        by_hand = self.root == repository_root() and not self.rebuilding
        folder = self.root / (BY_HAND if by_hand else "") / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _record(self, file: str, label: str, runs: Sequence[Run], note: str) -> None:
        keys = "\n".join(sorted(run.spec.key for run in runs))
        packages = {name: version(name) for name in ("svnr", "torch", "numpy", "matplotlib")}
        entry = {
            "label": label, "notebook": self.notebook, "scale": self.scale,
            "parameters": dict(self.parameters), "runs": len(runs),
            "runs_hash": hashlib.sha256(keys.encode()).hexdigest()[:10],
            "note": note, "versions": {"python": platform.python_version(), **packages},
        }  # fmt: skip
        _add_entry(self._folder / "manifest.json", {file: entry})


def _add_entry(path: Path, entry: Mapping[str, Any]) -> None:
    """Put an entry into a table on disk, beside what others put there at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with claimed(path.with_name(f".{path.stem}.lock")):  # notebooks are executed side by side
        entries = dict(sorted({**(read_or_set_aside(path, _entries) or {}), **entry}.items()))
        write_text(path, json.dumps(entries, indent=2, ensure_ascii=False) + "\n")


def _entries(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def too_short(runs: Sequence[Run]) -> str:
    """What is said where runs are shorter than those that tell the paper's story; else nothing."""
    rows = [(run.spec.training, GAMES[run.spec.game]) for run in runs if run.spec.game in GAMES]
    short = [(told, row.tells_from) for told, row in rows if told.length < row.tells_from]
    if not short:
        return ""
    told, needed = max(short, key=lambda each: each[1] / each[0].length)
    return f"too short to tell: {told.length} {told.unit} of {needed:,}"


def markdown(table: pd.DataFrame) -> str:
    """A table in GitHub's Markdown, index included."""
    if table.index.nlevels == 1:
        table = table.rename_axis(table.index.names[0] or "", axis=0)
    flat = table.reset_index()
    rows = [flat.columns, ["---"] * flat.shape[1], *flat.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)
