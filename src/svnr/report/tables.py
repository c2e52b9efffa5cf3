"""Tables: tidy rows out of finished runs, and ours beside the paper's."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svnr.experiments.evaluate import ero_gaps, pro_gaps
from svnr.experiments.runs import Run
from svnr.experiments.scenarios import GAMES, LEARNERS, make_game
from svnr.experiments.statistics import bootstrap_interval, interquartile_mean, smooth
from svnr.games.game import OneShotGame
from svnr.report.paper import PAPER_TABLE_1

if TYPE_CHECKING:
    import optuna


def curves(runs: Sequence[Run], window: int = 100, every: int = 10) -> pd.DataFrame:
    """Training curves in long form: the return of an episode, averaged over the last `window`.

    Args:
        runs: finished runs.
        window: episodes averaged over.
        every: keep one episode in so many.

    Returns:
        Rows of game, learner, seed, episode, reward.
    """
    parts = []
    for run in runs:
        reward = smooth(run.returns, window)
        kept = np.arange(0, len(reward), every)
        parts.append(_labelled(run, episode=kept, reward=reward[kept]))
    return pd.concat(parts, ignore_index=True)


def visits(
    runs: Sequence[Run], half_width: float, first: int, last: int, every: int = 1
) -> pd.DataFrame:
    """Joint actions of episodes `first` to `last` of one-shot games, in the game's units.

    Returns:
        Rows of game, learner, seed, episode, u_1 … u_D, reward.
    """
    parts = []
    for run in runs:
        kept = np.arange(first, min(last, len(run.returns)), every)
        u = half_width * run.visited[kept].astype(float)
        columns = {f"u_{d + 1}": u[:, d] for d in range(u.shape[1])}
        parts.append(_labelled(run, episode=kept, **columns, reward=run.returns[kept]))
    return pd.concat(parts, ignore_index=True)


def scores(runs: Sequence[Run], last: int = 100) -> pd.DataFrame:
    """One row a run: what it earned in its last training episodes and in each way of execution."""
    return pd.DataFrame(
        {
            "game": run.spec.game,
            "learner": run.spec.learner,
            "seed": run.spec.seed,
            "training": run.last(last),
            **{name: float(values.mean()) for name, values in run.tested.items()},
            "spread": float(run.tested["shared"].std()),
        }
        for run in runs
    )


def first_reached(runs: Sequence[Run], level: float, window: int = 100) -> pd.DataFrame:
    """Learners by games: the median episode at which the mean return of `window` reaches `level`.

    Beside it stands how many seeds ever reach it; the others do not enter the median.
    """
    rows = [
        {
            "game": run.spec.game,
            "learner": run.spec.learner,
            "episode": _first_episode(run, level, window),
        }
        for run in runs
    ]
    grouped = pd.DataFrame(rows).groupby(["learner", "game"], sort=False)["episode"]
    return _titled(grouped.apply(_median_and_count).unstack("game"))


def over_generalization(runs: Sequence[Run], alpha: float = 1.0) -> pd.DataFrame:
    """One row a run: the PRO gap at `alpha` and the ERO gap, of the agent with the largest.

    Raises:
        ValueError: if a run played a game of several steps.
    """
    rows = []
    for run in runs:
        game = make_game(run.spec.game)
        if not isinstance(game, OneShotGame):
            raise ValueError(f"runs must be of one-shot games, got one of {run.spec.game!r}")
        gaps = {
            "PRO gap": pro_gaps(run.perceived, game.reward, alpha).max(),
            "ERO gap": ero_gaps(run.perceived, game.reward).max(),
        }
        rows.append({"game": run.spec.game, "learner": run.spec.learner} | gaps)
    return pd.DataFrame(rows)


def traces(runs: Sequence[Run]) -> pd.DataFrame:
    """PRO and ERO while training: rows of learner, seed, episode, pro, ero of the worst agent."""
    parts = [
        _labelled(
            run,
            episode=run.trace["episode"],
            pro=run.trace["pro"].max(-1),
            ero=run.trace["ero"].max(-1),
        )
        for run in runs
    ]
    return pd.concat(parts, ignore_index=True)


def _first_episode(run: Run, level: float, window: int) -> float:
    reached = smooth(run.returns, window)[window - 1 :] >= level
    return float(reached.argmax() + window - 1) if reached.any() else np.nan


def _median_and_count(episodes: pd.Series) -> str:
    reached = episodes.dropna()
    count = f"{len(reached)} of {len(episodes)}"
    return f"{reached.median():.0f} ({count})" if len(reached) else f"never ({count})"


def _labelled(run: Run, **columns: np.ndarray) -> pd.DataFrame:
    spec = run.spec
    labels = {"game": spec.game, "learner": spec.learner, "seed": spec.seed}
    return pd.DataFrame(labels | columns)


def per_game(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Learners by games: mean ± standard deviation over seeds of a column of `scores`."""
    grouped = table.groupby(["learner", "game"], sort=False)[column]
    text = grouped.apply(lambda values: _spread(values.mean(), values.std(ddof=0)))
    return _titled(text.unstack("game"))


def beside_paper(table: pd.DataFrame, column: str = "shared") -> pd.DataFrame:
    """Table 1: ours beside the paper's, cell by cell, with an interval and a verdict.

    Args:
        table: rows of `scores`.
        column: the way of execution; the paper's is stochastic with shared noise.

    Returns:
        One row a learner and game that the paper's Table 1 has.
    """
    rows = []
    for (learner, game), group in table.groupby(["learner", "game"], sort=False):
        if game not in PAPER_TABLE_1.get(str(learner), {}):
            continue
        ours = group[column].to_numpy()
        theirs = PAPER_TABLE_1[str(learner)][str(game)]
        low, high = bootstrap_interval(ours)
        rows.append(
            {
                "method": LEARNERS[str(learner)].title,
                "game": GAMES[str(game)].title,
                "paper": _spread(*theirs),
                "ours": _spread(ours.mean(), ours.std()),
                "interquartile mean [95 %]": f"{interquartile_mean(ours):.2f} "
                f"[{low:.2f}, {high:.2f}]",
                "spread within a run": f"{group['spread'].mean():.2f}",
                "seeds": len(ours),
                "verdict": verdict(ours, theirs),
            }
        )
    return pd.DataFrame(rows).set_index(["method", "game"])


def verdict(ours: np.ndarray, theirs: tuple[float, float]) -> str:
    """The rule, fixed before the runs: our mean against the paper's mean ± one spread.

    Args:
        ours: one score a seed.
        theirs: the paper's mean and spread.

    Returns:
        "reproduced" inside the paper's interval, else "higher" or "lower".
    """
    mean, spread = theirs
    gap = round(float(np.mean(ours)) - mean, 2)
    if abs(gap) <= spread:
        return "reproduced"
    return "higher" if gap > 0 else "lower"


def successes(table: pd.DataFrame, column: str, threshold: float) -> pd.DataFrame:
    """Learners by games: how many seeds reach `threshold` in a column of `scores`."""
    reached = table.assign(reached=table[column] >= threshold)
    grouped = reached.groupby(["learner", "game"], sort=False)["reached"]
    return _titled(grouped.apply(lambda hit: f"{hit.sum()} of {len(hit)}").unstack("game"))


def trials(study: "optuna.Study") -> pd.DataFrame:
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


def searches(studies: Mapping[str, "optuna.Study"]) -> pd.DataFrame:
    """One row a study: its budget, what the learner's own settings scored, and the best trial.

    Args:
        studies: learner → its study, whose first trial has the learner's own settings.
    """
    rows = []
    for learner, study in studies.items():
        table = trials(study)
        best = table[table["state"] == "complete"].iloc[0]
        settings = table.columns.drop(["trial", "state", "score"])
        rows.append(
            {
                "method": LEARNERS[learner].title,
                "trials": len(table),
                "on one seed only": int((table["state"] == "pruned").sum()),
                "own settings": round(float(table.set_index("trial")["score"][0]), 2),
                "best": round(float(best["score"]), 2),
                "best settings": ", ".join(f"{name} {best[name]:.3g}" for name in settings),
            }
        )
    return pd.DataFrame(rows).set_index("method")


def search_history(studies: Mapping[str, "optuna.Study"]) -> pd.DataFrame:
    """Rows of learner, trial, score and best (of the trials so far that ran on all seeds)."""
    parts = []
    for learner, study in studies.items():
        table = trials(study).sort_values("trial", ignore_index=True)
        whole = table["score"].where(table["state"] == "complete")
        best = whole.cummax().ffill()
        columns = {"trial": table["trial"], "score": table["score"], "best": best}
        parts.append(pd.DataFrame({"learner": learner} | columns))
    return pd.concat(parts, ignore_index=True)


def _titled(table: pd.DataFrame) -> pd.DataFrame:
    """Titles in place of names, and no axis labels."""
    named = table.rename(
        index={name: entry.title for name, entry in LEARNERS.items()},
        columns={name: entry.title for name, entry in GAMES.items()},
    )
    named.index.name, named.columns.name = "method", None
    return named


def _spread(mean: float, spread: float) -> str:
    return f"{mean:.2f} ± {spread:.2f}"
