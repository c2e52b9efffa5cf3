"""What lies in a folder of results: runs there, under way or failed, and what they took."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pandas as pd

from svnr.publish.plan import Plan
from svnr.report.provenance import WANTED

NAME = re.compile(r"(?P<learner>.+)-s\d+-[0-9a-f]{10}(?P<ending>\..+)")
KINDS = {".json": "there", ".lock": "under way", ".failed.json": "failed"}


def runs(folder: Path) -> pd.DataFrame:
    """One row a game and learner: how many runs are in which state, and a core's hours they took.

    Runs whose header names no time of the processor are "untimed", and among those there.
    """
    counts = ["there", "under way", "interrupted", "failed", "set aside", "missing"]
    told: list[tuple[str, str, str, float]] = []
    for path in sorted(folder.glob("*/*")):
        if found := NAME.fullmatch(path.name):
            kind = _kind(path, found["ending"])
            hours = _hours(path) if kind == "there" else 0.0
            told.append((path.parent.name, found["learner"], kind, hours))
    told += [(game, learner, "missing", 0.0) for game, learner in _wanted(folder)]
    files = pd.DataFrame(told, columns=["game", "learner", "kind", "hours"])
    for kind in counts:
        files[kind] = files["kind"] == kind
    files["untimed"] = files["hours"].isna()
    sums = files.groupby(["game", "learner"], sort=False)[[*counts, "hours", "untimed"]].sum()
    return sums.round(2)


def _kind(path: Path, ending: str) -> str:
    """What a file says about its run."""
    claim = path.with_name(path.name.removesuffix(ending) + ".lock")
    if ending == ".unfinished.npz" and not claim.exists():
        return "interrupted"
    return "set aside" if ".damaged" in ending else KINDS.get(ending, "")


def _wanted(folder: Path) -> list[tuple[str, str]]:
    """Game and learner of every run that a notebook asked for and that is still not there."""
    asked = [pair for notebook in _read(folder / WANTED).values() for pair in notebook.items()]
    wanted = sorted({(*pair.split(), key) for pair, keys in asked for key in keys.split()})
    there = {path.stem[-10:] for path in folder.glob("*/*.npz")}
    return [(game, learner) for game, learner, key in wanted if key not in there]


def failures(folder: Path) -> dict[str, str]:
    """Why the runs that failed did: the record's name → its words."""
    return {path.name: str(_read(path).get("error")) for path in folder.glob("*/*.failed.json")}


def missing(planned: Plan, scale: str) -> list[str]:
    """The notebooks of a plan of whose figures and tables none is there at its scale."""
    manifest = _read(planned.output / "figures" / "manifest.json")
    made = {entry["notebook"] for entry in manifest.values() if entry["scale"] == scale}
    return sorted(job.name for job in planned.jobs if job.name not in made)


def _hours(path: Path) -> float:
    """Of one core, as a run's header has them; NaN if it does not."""
    seconds = _read(path).get("made", {}).get("processor_seconds")
    return math.nan if seconds is None else float(seconds) / 3600


def _read(path: Path) -> dict[str, Any]:
    """A table from its file; empty if there is none, or it is damaged."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return {}
