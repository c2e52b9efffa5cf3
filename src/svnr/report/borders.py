"""How far each method goes: which hill runs end at, and what is known exactly beside them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from svnr.experiments.catalogue import make_game
from svnr.experiments.runs import Run
from svnr.games.differential import DifferentialGame
from svnr.learners.learner import Progress
from svnr.learners.soft import SoftSettings
from svnr.report import tables
from svnr.report.statistics import smooth
from svnr.theory.hills import TwoHills, crossing, right_mass, share_above, share_of_box


def two_hills(game: DifferentialGame) -> TwoHills:
    """A game of two hills as `theory.hills` wants it, the higher one, or the second, first."""
    right = max((0, 1), key=lambda h: (game.hills[h].offset, h))
    both = [game.hills[h] for h in (right, 1 - right)]
    return TwoHills(
        centers=np.array([hill.center for hill in both]),
        steepness=np.array([game.steepness[h] for h in (right, 1 - right)]),
        worth=np.array([hill.offset for hill in both]),
        half_width=game.half_width,
    )


def yardsticks(games: Sequence[str]) -> pd.DataFrame:
    """What each game of two hills asks for, by name: agents, share of the box, and α_c.

    Returns:
        One row a game: n_agents; of all joint actions, share, of those at which the right hill
        pays, and above, of those that pay more than the wrong hill's peak; alpha_c, the
        temperature at which half of the Boltzmann policy stands at the right hill.
    """

    def measured(game: Any) -> dict[str, float]:
        hills = two_hills(game)
        shares = {"share": share_of_box(hills), "above": share_above(hills)}
        return {"n_agents": game.n_agents, **shares, "alpha_c": crossing(hills)}

    return pd.DataFrame({name: measured(make_game(name)) for name in games}).T.rename_axis("game")


def ends(runs: Sequence[Run]) -> pd.DataFrame:
    """Where each run ended: rows of game, learner, seed, earned, right, alpha.

    A run is right if its tests with shared noise earn, in the mean, more than `tables.half_way`;
    alpha is its last temperature, NaN of a method without any.
    """
    table = tables.scores(runs)[["game", "learner", "seed", "shared"]]
    table = table.rename(columns={"shared": "earned"})
    bar = table["game"].map({name: tables.half_way(name) for name in table["game"].unique()})
    last = [_temperature(run, run.spec.training.length - 1) for run in runs]
    return table.assign(right=table["earned"] > bar, alpha=last)


def _temperature(run: Run, done: int) -> float:
    """α of a run where so much of it is done; NaN of a method without any."""
    settings = run.spec.settings
    if not isinstance(settings, SoftSettings):
        return np.nan
    return settings.alpha(Progress(done, run.spec.training.length))


def reach(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of learner, game, right (how many seeds), n (of how many), alpha, from `ends`.

    Methods with a temperature come first; each kind by how far it goes, over all games.
    """
    cells = table.groupby(["learner", "game"], sort=False, as_index=False).agg(
        right=("right", "sum"), n=("right", "size"), alpha=("alpha", "first")
    )
    by = cells.assign(share=cells["right"] / cells["n"]).groupby("learner", sort=False)
    ranked = by.agg(share=("share", "sum"), hard=("alpha", lambda alpha: alpha.isna().all()))
    order = ranked.sort_values(["hard", "share"], ascending=[True, False], kind="stable").index
    return cells.set_index("learner").loc[order].reset_index()


def borders(cells: pd.DataFrame, games: Sequence[str]) -> pd.Series:
    """By learner: how many of the games, the easiest first, most seeds solve without a gap."""
    most = (cells["right"] > cells["n"] / 2).groupby([cells["learner"], cells["game"]], sort=False)
    solved = most.first().unstack("game").reindex(columns=list(games)).fillna(False).astype(bool)
    return solved.cumprod(axis=1).sum(axis=1).reindex(cells["learner"].unique())


def sides(runs: Sequence[Run], window: int = 100, every: int = 10) -> pd.DataFrame:
    """On which side teams play while they train: rows of learner, episode, share.

    Args:
        runs: of games of two hills, of seeds whose joint actions are kept.
        window: episodes that are averaged over, or all of a run that is shorter.
        every: keep one episode in so many.
    """

    def side(run: Run) -> pd.DataFrame:
        game: Any = make_game(run.spec.game)
        right = game.pays_most(torch.as_tensor(run.visited.astype(float))).numpy()
        first = min(window, len(right)) - 1
        share = smooth(right, window)[first::every]
        episode = first + every * np.arange(len(share))
        return pd.DataFrame({"learner": run.spec.learner, "episode": episode, "share": share})

    return pd.concat(map(side, runs), ignore_index=True)


def exact_sides(run: Run) -> pd.DataFrame:
    """The Boltzmann policy's share of the right hill at a run's temperatures, every 10 episodes.

    Returns:
        Rows of episode, alpha, share.
    """
    game: Any = make_game(run.spec.game)
    hills, episodes = two_hills(game), np.arange(0, run.spec.training.length, 10)
    alphas = [_temperature(run, int(done)) for done in episodes]
    mass = {alpha: right_mass(hills, alpha) for alpha in set(alphas)}
    shares = [mass[alpha] for alpha in alphas]
    return pd.DataFrame({"episode": episodes, "alpha": alphas, "share": shares})
