"""Searches for settings: where they looked, what they tried, what they found."""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
import pandas as pd

from svnr.experiments.repository import repository_root
from svnr.experiments.studies import committed, read_study
from svnr.report import tables


def ranges(learners: Sequence[str], game: str) -> pd.DataFrame:
    """Where the settings of learners are searched on a game, a row a learner."""
    rows = {
        tables.TITLES[name]: {
            setting: f"{where.low:g} to {where.high:g}" + (" (log)" if where.log else "")
            for setting, where in committed(name, game).ranges.items()
        }
        for name in learners
    }
    return pd.DataFrame(rows).T.fillna("–")


def studies(learners: Sequence[str], game: str, **overrides: Any) -> dict[str, optuna.Study]:
    """The committed study of each learner on a game, from which *as tuned* reads its settings.

    Args:
        learners: by name.
        game: by name.
        overrides: settings that all trials of these studies have.
    """
    folder = repository_root() / "results" / "tuning"
    return {name: read_study(committed(name, game, **overrides), folder) for name in learners}


def trials(study: optuna.Study) -> pd.DataFrame:
    """The trials of a study, best first: number, state, settings, score.

    The score of a pruned trial is that of the seeds it was run on.
    """
    rows = [
        {"trial": trial.number, "state": trial.state.name.lower()}
        | {name: float(f"{value:.4g}") for name, value in trial.params.items()}
        | {"score": trial.intermediate_values[max(trial.intermediate_values)]}
        for trial in study.trials
        if trial.intermediate_values
    ]
    return pd.DataFrame(rows).sort_values("score", ascending=False, ignore_index=True)


def found(studies: Mapping[str, optuna.Study], game: str) -> pd.DataFrame:
    """One row a study: its budget, what the learner's own settings scored, and the best trial.

    Args:
        studies: learner → its study, whose first trial has the learner's own settings.
        game: on which they were made; settings are told as *as tuned* takes them from there.
    """
    rows: dict[str, dict] = {}
    for learner, study in studies.items():
        table = trials(study)
        best = table[table["state"] == "complete"].iloc[0]
        ranges = committed(learner, game).ranges
        settings = table.columns.drop(["trial", "state", "score"])
        rows[tables.TITLES[learner]] = {
            "trials": len(table),
            "on one seed only": int((table["state"] == "pruned").sum()),
            "own settings": round(float(table.set_index("trial")["score"][0]), 2),
            "best": round(float(best["score"]), 2),
            "best settings": ", ".join(f"{n} {ranges[n].onto(best[n]):g}" for n in settings),
        }
    return pd.DataFrame(rows.values(), pd.Index(rows, name="method"))


def history(studies: Mapping[str, optuna.Study]) -> pd.DataFrame:
    """Rows of learner, trial, score and best (of the trials so far that ran on all seeds)."""
    parts = {}
    for learner, study in studies.items():
        table = trials(study).sort_values("trial", ignore_index=True)
        whole = table["score"].where(table["state"] == "complete")
        parts[learner] = table[["trial", "score"]].assign(best=whole.cummax().ffill())
    return pd.concat(parts, names=["learner"]).reset_index("learner").reset_index(drop=True)


def protocols(set_runs: tables.Runs, tuned_runs: tables.Runs) -> pd.DataFrame:
    """Seeds at the optimum as set and as tuned, side by side, learners by games."""
    both = {"as set": set_runs, "as tuned": tuned_runs}
    columns = {}
    for protocol, runs in both.items():
        cells = tables.at_optimum(tables.scores(runs))
        told = cells.apply(lambda row: f"{row['right']} of {row['n']}", axis=1)
        for game, column in told.groupby("game", sort=False):
            columns[f"{protocol}, {tables.TITLES[game]}"] = column.droplevel("game")
    return pd.DataFrame(columns).rename(index=tables.TITLES).rename_axis("method")
