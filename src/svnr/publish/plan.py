"""The plan of a reproduction: which notebooks, with which parameters, into which folder."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from svnr.checks import check_one_of
from svnr.publish.notebooks import Job
from svnr.publish.sources import sources
from svnr.report.presets import check_parameters, defaults_of, own_numbers, presets


@dataclass(frozen=True)
class Plan:
    """What is to be done, checked before anything is run."""

    root: Path  # of the repository
    output: Path  # figures/ and results/ lie below it
    jobs: list[Job]  # in the order in which they are best begun
    left_out: list[str]  # notebooks without numbers at this scale

    def made(self, since: float) -> dict[Path, dict[str, Any]]:
        """What these notebooks made since a moment: the files, with their manifest's entries."""
        folder, names = self.output / "figures", {job.name for job in self.jobs}
        path = folder / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        own = {
            folder / file: entry for file, entry in manifest.items() if entry["notebook"] in names
        }
        new = [file for file in own if file.exists() and file.stat().st_mtime >= since - 1]
        return {file: own[file] for file in new}


def plan(
    root: Path,
    scale: str,
    only: Sequence[str] = (),
    output: str | None = None,
    changes: Mapping[str, Any] = MappingProxyType({}),
) -> Plan:
    """Plan to execute notebooks at a scale.

    Args:
        root: of the repository.
        scale: smoke, quick or paper.
        only: notebooks, by number or name; empty: all that have numbers at this scale.
        output: folder below the repository for what is made; by default the repository at paper
            scale, and below build/ otherwise, or where numbers are changed.
        changes: parameter → value, of all chosen notebooks, in place of the scale's.

    Raises:
        ValueError: if a name, a preset, a parameter or the folder cannot be used.
    """
    for name in changes.keys() & {"scale", "output", "n_jobs"}:
        option = f"--{name.removeprefix('n_')}"
        wanted = f"be told by {option}, got {changes[name]!r} among the numbers"
        raise ValueError(f"{name} must {wanted}")
    preset, chosen = presets(root, scale), sources(root, only)
    folder = _folder(root, scale, f"build/{scale}" if changes and output is None else output)
    for name in chosen if only else ():
        check_one_of(f"a notebook at {scale} scale", name, preset)
    named = [name for name in preset if name in chosen]
    numbers = {name: {**(preset[name].get("parameters") or {}), **changes} for name in named}
    told = {name: preset[name] | {"parameters": numbers[name]} for name in named}
    jobs = [_job(chosen[name], root, scale, folder, told[name]) for name in named]
    if not jobs:
        raise ValueError(f"no notebook of {root} has a preset at {scale} scale")
    return Plan(root, folder, jobs, [name for name in chosen if name not in preset])


def _job(source: Path, root: Path, scale: str, folder: Path, preset: dict[str, Any]) -> Job:
    below = "" if folder == root else folder.relative_to(root).as_posix()
    common, known = {"scale": scale, "output": below, "n_jobs": 1}, defaults_of(root, source.stem)
    given = {name: value for name, value in common.items() if name in known}
    given |= preset["parameters"]
    check_parameters(known, given)
    path = root / (below or "build/paper") / "notebooks" / f"{source.stem}.ipynb"
    return Job(source, path, given, preset.get("timeout", 3600), tuple(preset.get("after", ())))


def rebuilding(root: Path, only: Sequence[str] = ()) -> Plan:
    """Plan to make the committed `.ipynb` of notebooks from their `.py`, with their defaults.

    Raises:
        ValueError: if one has other numbers than the paper's scale.
    """
    drafts, chosen = root / "build" / "notebooks", sources(root, only)
    for name in chosen:
        for parameter, wanted in own_numbers(root, name, defaults_of(root, name)).items():
            raise ValueError(
                f"{parameter} of {name} must be {wanted!r}, as presets/paper.yaml says"
            )
    jobs = [Job(path, drafts / f"{name}.ipynb") for name, path in chosen.items()]
    return Plan(root, root, jobs, [])


def _folder(root: Path, scale: str, asked: str | None) -> Path:
    """Where what is made goes."""
    if asked is None:
        return root if scale == "paper" else root / "build" / scale
    folder = (root / asked).resolve()
    if not folder.is_relative_to(root):
        raise ValueError(f"output must be a folder below {root}, got {asked!r}")
    if folder == root and scale != "paper":
        raise ValueError(f"output must not be the repository itself at {scale} scale")
    return folder
