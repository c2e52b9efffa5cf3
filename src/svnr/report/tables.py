"""Tables: tidy rows out of finished runs, and ours beside the paper's."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from svnr.experiments.catalogue import GAMES, LEARNERS, example, make_game
from svnr.experiments.evaluate import WAYS, ero_gaps, pro_gaps
from svnr.experiments.runs import Run
from svnr.games.game import OneShotGame
from svnr.games.gather import ParticleGather
from svnr.report import statistics
from svnr.report.paper import PAPER_TABLE_1
from svnr.report.words import number

Runs = Sequence[Run]
Cells = Mapping[tuple[str, str], tuple[float, float]]  # (learner, game) → mean and spread
TITLES = {name: entry.title for name, entry in LEARNERS.items()}
TITLES |= {name: entry.title for name, entry in GAMES.items()}


# --- rows of runs -------------------------------------------------------------------------------


def curves(runs: Runs, window: int = 100, every: int = 10) -> pd.DataFrame:
    """Training curves in long form: the return of an episode, averaged over the last `window`.

    Args:
        runs: finished runs.
        window: episodes averaged over.
        every: keep one episode in so many.

    Returns:
        Rows of game, learner, seed, episode, reward.
    """

    def curve(run: Run) -> dict[str, np.ndarray]:
        reward = statistics.smooth(run.returns, window)[::every]
        return {"episode": every * np.arange(len(reward)), "reward": reward}

    return _rows(runs, curve)


def visits(runs: Runs, half_width: float, first: int, last: int, every: int = 1) -> pd.DataFrame:
    """Joint actions of episodes `first` to `last` of one-shot games, in the game's units.

    Returns:
        Rows of game, learner, seed, episode, u_1 … u_D, reward.
    """

    def visited(run: Run) -> dict[str, np.ndarray]:
        kept = np.arange(first, min(last + 1, len(run.returns)), every)
        u = half_width * run.visited[kept].astype(float)
        actions = {f"u_{d}": column for d, column in enumerate(u.T, 1)}
        return {"episode": kept, **actions, "reward": run.returns[kept]}

    return _rows(runs, visited)


def at_peaks(
    visits: pd.DataFrame, peaks: Mapping[str, Sequence[float]], radius: float = 3.0
) -> pd.DataFrame:
    """Rows of `visits` and, a column a peak, whether the joint action is within `radius` of it."""
    u = visits[["u_1", "u_2", "u_3"]].to_numpy()
    away = {name: np.linalg.norm(u - np.array(peak), axis=1) for name, peak in peaks.items()}
    return visits.assign(**{name: distance < radius for name, distance in away.items()})


def traces(runs: Runs) -> pd.DataFrame:
    """PRO and ERO while training: rows of learner, seed, episode, pro, ero of the worst agent."""

    def trace(run: Run) -> dict[str, np.ndarray]:
        worst = {gap: run.trace[gap].max(-1) for gap in ("pro", "ero")}
        return {"episode": run.trace["episode"], **worst}

    return _rows(runs, trace)


def scores(runs: Runs) -> pd.DataFrame:
    """One row a run: what it earned in its last training episodes and in each way of execution.

    Beside each way stands the deviation of its test episodes, as "shared within".
    """

    def score(run: Run) -> dict[str, float]:
        tested = {name: float(values.mean()) for name, values in run.tested.items()}
        within = {f"{name} within": float(values.std()) for name, values in run.tested.items()}
        return {"training": run.last(), **tested, **within}

    return _rows(runs, score)


def tests(runs: Runs) -> pd.DataFrame:
    """Tests during runs: game, learner, seed, at, processor minutes, and the mean of each way."""

    def tested(run: Run) -> dict[str, np.ndarray]:
        minutes = np.array(run.made["processor_seconds_until_test"]) / 60
        earned: dict[str, np.ndarray] = {way: run.tests[way].mean(1) for way in WAYS}
        return {"at": run.tests["at"], "minutes": minutes, **earned}

    return _rows(runs, tested)


def over_generalization(runs: Runs, alpha: float = 1.0) -> pd.DataFrame:
    """One row a run: the PRO gap at `alpha` and the ERO gap, of the agent with the largest.

    Raises:
        ValueError: if a run played a game of several steps.
    """

    def gaps(run: Run) -> dict[str, float]:
        game = make_game(run.spec.game)
        if not isinstance(game, OneShotGame):
            raise ValueError(f"runs must be of one-shot games, got one of {run.spec.game!r}")
        pro = pro_gaps(run.perceived, game.reward, alpha)
        return {"PRO gap": pro.max(), "ERO gap": ero_gaps(run.perceived, game.reward).max()}

    return _rows(runs, gaps)


def modes(runs: Runs, exact: float) -> pd.DataFrame:
    """One row a run of a game of two peaks: what of its perceived policy is at the second.

    Args:
        runs: of games that know their `nearest_peak`.
        exact: the right mass; within 0.1 of it all samples, or those of each agent, keep both.
    """

    def mode(run: Run) -> dict[str, Any]:
        u = torch.as_tensor(run.perceived.astype(float))
        game: Any = make_game(run.spec.game)
        each = (game.nearest_peak(u) == 1).double().mean(1)
        mass, off = each.mean().item(), abs(each - exact).max().item()
        return {"mass": mass, "kept": abs(mass - exact) <= 0.1, "by each": off <= 0.1}

    return _rows(runs, mode)


def _rows(runs: Runs, measure: Callable[[Run], dict[str, Any]]) -> pd.DataFrame:
    """Rows of game, learner, seed, and what is measured once or many times a run."""
    parts = [
        {"game": run.spec.game, "learner": run.spec.learner, "seed": run.spec.seed}
        | {name: np.atleast_1d(value) for name, value in measure(run).items()}
        for run in runs
    ]
    return pd.concat(map(pd.DataFrame, parts), ignore_index=True)


# --- learners by games --------------------------------------------------------------------------


def per_game(table: pd.DataFrame, column: str, digits: int = 2) -> pd.DataFrame:
    """Learners by games: mean ± standard deviation over seeds of a column of `scores`."""
    return _by_game(table, column, lambda cell: _spread(cell.to_numpy(), digits))


def successes(table: pd.DataFrame, column: str, threshold: float) -> pd.DataFrame:
    """Learners by games: how many seeds reach `threshold` in a column of `scores`."""
    return _by_game(table, column, lambda cell: f"{(cell >= threshold).sum()} of {len(cell)}")


def first_reached(runs: Runs, level: float, window: int = 100) -> pd.DataFrame:
    """Learners by games: the median episode at which the mean return of `window` reaches `level`.

    Beside it stands how many seeds ever reach it; the others do not enter the median.
    """

    def told(cell: pd.Series) -> str:
        median = f"{cell.median():.0f}" if cell.count() else "never"
        return f"{median} ({cell.count()} of {len(cell)})"

    return _by_game(first_episodes(runs, level, window), "episode", told)


def first_episodes(runs: Runs, level: float, window: int = 100) -> pd.DataFrame:
    """Rows of game, learner, seed, episode: when the mean of `window` reaches `level`, or NaN."""

    def first(run: Run) -> dict[str, float]:
        reached = statistics.smooth(run.returns, window)[window - 1 :] >= level
        return {"episode": float(reached.argmax() + window - 1) if reached.any() else np.nan}

    return _rows(runs, first)


def _by_game(table: pd.DataFrame, column: str, told: Callable[[pd.Series], str]) -> pd.DataFrame:
    """What is told of each learner on each game, by their titles."""
    cells = table.groupby(["learner", "game"], sort=False)[column].apply(told).unstack("game")
    return cells.rename(index=TITLES, columns=TITLES).rename_axis(index="method", columns=None)


def _spread(values: np.ndarray, digits: int = 2) -> str:
    """Mean ± standard deviation, of which a single value has none."""
    mean = number(values.mean(), digits)
    return f"{mean} ± {values.std():.{digits}f}" if len(values) > 1 else mean


def beside_paper(
    table: pd.DataFrame, column: str = "shared", paper: Cells = PAPER_TABLE_1, digits: int = 2
) -> pd.DataFrame:
    """Ours beside the paper's, cell by cell, with a verdict and, of five seeds, an interval.

    Args:
        table: rows of `scores`.
        column: the way of execution; the paper's is stochastic with shared noise.
        paper: (learner, game) → its mean and spread; by default Table 1.
        digits: behind the point.

    Returns:
        One row a learner and game that the paper's table has; where the game has a trap, with
        the side of half of the way on which the paper's mean lies and how many of our seeds end at
        the optimum, and whether most of ours are on the paper's side: the verdict asks how far,
        this asks where.
    """
    rows = [
        {"method": TITLES[learner], "game": TITLES[game]}
        | _beside(cell[column], cell[f"{column} within"].mean(), paper[learner, game], digits)
        | _ended(cell[column], paper[learner, game][0], half_way(game))
        for (learner, game), cell in table.groupby(["learner", "game"], sort=False)
        if (learner, game) in paper
    ]
    columns = None if rows else ["method", "game", "seeds", "verdict"]
    return pd.DataFrame(rows, columns=columns).set_index(["method", "game"])


def _beside(
    cell: pd.Series, within: float, theirs: tuple[float, float], digits: int
) -> dict[str, Any]:
    ours, interval = cell.to_numpy(), "–"
    if statistics.enough(ours):
        found = statistics.interquartile_mean(ours), *statistics.bootstrap_interval(ours)
        interval = "{} [{}, {}]".format(*(number(x, digits) for x in found))
    return {
        "paper": f"{theirs[0]:.{digits}f} ± {theirs[1]:.{digits}f}",
        "ours": _spread(ours, digits),
        "interquartile mean [95 %]": interval,
        "spread within a run": f"{within:.{digits}f}",
        "seeds": len(ours),
        "verdict": statistics.verdict(ours, theirs),
    }


def half_way(game: str) -> float:
    """Half of the way from the second best end that a game has to its best; −∞ if it has one end.

    The ends are two hills, the two best joint choices of a matrix, or to stay away and to meet.
    """
    made: Any = example(game)
    if isinstance(made, ParticleGather):
        return made.settings.joint_reward / 2  # who stays away earns nothing
    if hasattr(made, "payoff"):
        return float(np.unique(made.payoff)[-2:].mean())
    trap, optimum = (getattr(made, name, None) for name in ("trap", "optimum"))
    return (trap.reward + optimum.reward) / 2 if trap and optimum else -math.inf


def _ended(cell: pd.Series, theirs: float, half: float) -> dict[str, str]:
    """Where they ended, by which side of half the way."""
    if math.isinf(half):
        return {}
    place, right = "optimum" if theirs > half else "trap", cell > half
    alike = (right.mean() > 0.5) == (theirs > half)
    told = {"theirs ended": place, "ours at the optimum": f"{right.sum()} of {len(cell)}"}
    return told | {"ended alike": "yes" if alike else "no"}


def at_optimum(table: pd.DataFrame, column: str = "shared") -> pd.DataFrame:
    """Who ends at the optimum: (learner, game) → right (seeds above `half_way`), n, most, all.

    Args:
        table: rows of `scores`.
        column: of what was earned.
    """
    half = table["game"].map({game: half_way(game) for game in table["game"].unique()})
    right = (table[column] > half).groupby([table["learner"], table["game"]], sort=False)
    counts = right.agg(right="sum", n="size")
    share = counts["right"] / counts["n"]
    return counts.assign(most=share > 0.5, all=share == 1.0)


def outperforms(table: pd.DataFrame, upper: str, lower: str, game: str) -> bool:
    """Whether one learner's interval on a game lies wholly above another's (`lies_above`)."""
    shared = table[table["game"] == game].set_index("learner")["shared"]
    return statistics.lies_above(*(shared[shared.index == name] for name in (upper, lower)))


def all_of(found: Mapping[Any, Runs]) -> list[Run]:
    """The runs of all kinds, in order."""
    return [run for runs in found.values() for run in runs]


def earned(found: Mapping[str, Runs], way: str = "shared") -> dict[str, pd.Series]:
    """Kind of run → what each of its runs earns in its tests, on average."""
    return {
        kind: pd.Series([run.tested[way].mean() for run in runs], dtype=float)
        for kind, runs in found.items()
    }
