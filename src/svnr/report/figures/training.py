"""Figures of training: tidy tables in, figures out."""

from collections.abc import Mapping, Sequence
from string import ascii_lowercase

import matplotlib.pyplot as plt
import pandas as pd
import seaborn

from svnr.experiments.catalogue import GAMES, LEARNERS
from svnr.report.figures import kit
from svnr.report.statistics import interquartile_mean
from svnr.report.style import COLORS, FULL_WIDTH, INK, OPTIMUM, TRAP, styled

_LIMITS = (-16, 12)  # of the rewards of Max of Three that are shown
_LEAST = 0.01  # gaps below it are drawn at it


@styled
def training_curves(
    curves: pd.DataFrame,
    panels: Mapping[str, str],
    title: str,
    optimum: float,
    trap: float,
    trap_name: str = "wrong hill",
) -> plt.Figure:
    """Reward against training episode, a row a learner and a column a game (Figures 4 and 6).

    Every seed is a line of its own, as no seed stands where the mean of two outcomes does. At the
    right edge: how many seeds end above half of the way from the trap to the optimum. Learners
    stand side by side where there is one game, or where games have different learners.

    Args:
        curves: rows of game, learner, seed, episode, reward, as `tables.curves` makes them.
        panels: game → title of its panels, in order.
        title: the message.
        optimum: reward of the best joint action, drawn as a line.
        trap: reward of the trap, drawn as a line.
        trap_name: what the trap is called.
    """
    places, columns = _places(curves, panels)
    grid = len(panels) > 1 and len({learner for _, learner in filter(None, places[:columns])}) == 1
    rows = [LEARNERS[cell[1]].title if cell else None for cell in places]
    heads = [panels[cell[0]] if cell else None for cell in places]
    titles = heads[:columns] + [""] * (len(places) - columns) if grid else rows
    size = (FULL_WIDTH + 1.5, 0.85 if grid and len(places) > columns else 1.6)
    figure, axes = kit.panels(titles, *size, columns, 0.5, title, sharex=True, sharey=True)
    figure.supylabel("return", fontsize=9)
    for place, (axis, cell) in enumerate(zip(axes, places, strict=True)):
        if cell is not None:
            shown = curves[(curves["game"] == cell[0]) & (curves["learner"] == cell[1])]
            axis.set(ylim=_limits(curves, optimum, trap))
            _seeds(axis, shown, COLORS[cell[1]], (optimum, trap))
            axis.set_ylabel("")
            lowest = not any(places[place + columns :: columns])
            axis.set_xlabel("episode" * lowest)
            axis.tick_params(labelbottom=lowest)
    for place in range(0, len(axes), columns) if len(panels) > 1 else ():
        axes[place].set_ylabel((rows if grid else heads)[place] or "")
    last = max(place for place, cell in enumerate(places[:columns]) if cell)
    kit.name_ends(axes[last], [(optimum, "optimum", OPTIMUM), (trap, trap_name, TRAP)], 0.2)
    kit.caption(figure, _counted(curves))
    return figure


Cell = tuple[str, str] | None  # game and learner of a panel; None: the place stays empty


def _places(curves: pd.DataFrame, panels: Mapping[str, str]) -> tuple[list[Cell], int]:
    """The cell of each panel, and how many stand in a row."""
    learner, game = curves["learner"], curves["game"]
    learners = list(learner.unique())
    by_game = {each: list(learner[game == each].unique()) for each in panels}
    if len(panels) > 1 and all(set(those) == set(learners) for those in by_game.values()):
        return [(game, name) for name in learners for game in panels], len(panels)
    longest = max(map(len, by_game.values()))
    columns = longest if longest <= 7 else -(-longest // 2)
    places: list[Cell] = []
    for game, those in by_game.items():
        places += [(game, name) for name in those] + [None] * (-len(those) % columns)
    return places, columns


def _limits(curves: pd.DataFrame, optimum: float, trap: float) -> tuple[float, float]:
    """Of the rewards shown: all that any seed has after the first tenth of its run."""
    later = curves["reward"][curves["episode"] >= 0.1 * curves["episode"].max()]
    low, high = min(trap, later.min()), max(optimum, later.max())
    return low - 0.08 * (high - low), high + 0.08 * (high - low)


def _seeds(axis: plt.Axes, rows: pd.DataFrame, color: str, levels: tuple[float, float]) -> None:
    """A line a seed, and how many of them end nearer to the first level than to the second."""
    look = {"color": color, "linewidth": 1.1, "alpha": 0.85, "legend": False}
    seaborn.lineplot(rows, x="episode", y="reward", units="seed", estimator=None, ax=axis, **look)
    for height, shade in zip(levels, (OPTIMUM, TRAP), strict=True):
        kit.level(axis, height, shade, zorder=1)
    half, ends = sum(levels) / 2, rows.sort_values("episode").groupby("seed")["reward"].last()
    told = f"{(ends > half).sum()} of {len(ends)}"
    late = rows["reward"][rows["episode"] >= 0.7 * rows["episode"].max()].to_numpy()
    free = max((half, (axis.get_ylim()[0] + levels[1]) / 2), key=lambda y: abs(late - y).min())
    axis.text(0.97, free, told, transform=axis.get_yaxis_transform(), fontsize=7, va="center")
    axis.texts[-1].set(ha="right", color=INK)


def _counted(curves: pd.DataFrame) -> str:
    """The caption of training curves: what a line is, and of how many seeds."""
    seeds = curves.groupby(["learner", "game"])["seed"].nunique()
    most = f"{seeds.max()} seeds" if seeds.max() > 1 else "one seed"
    several = most if seeds.min() == seeds.max() else f"{seeds.min()} to {most}"
    return (
        f"A line is one seed's return, the mean of the last 100 episodes; {several} each. Lower "
        "returns in the first tenth of a run are not drawn. "
        "“k of n”: seeds that end above half of the way between the two dashed lines."
    )


def lettered(games: Sequence[str]) -> dict[str, str]:
    """Titles of panels as the paper has them: "(a) s₂ = 3.0" and so on."""
    named = zip(ascii_lowercase, games, strict=False)
    return {game: f"({letter}) {GAMES[game].title.split(', ')[1]}" for letter, game in named}


def _curves_of(axis: plt.Axes, curves: pd.DataFrame) -> None:
    for learner, rows in curves.groupby("learner", sort=False):
        by_episode = rows.pivot_table(index="episode", columns="seed", values="reward")
        look, middle = kit.line_of(str(learner)), interquartile_mean(by_episode.to_numpy(), axis=1)
        axis.plot(by_episode.index, by_episode, color=look["color"], linewidth=0.5, alpha=0.4)
        axis.plot(by_episode.index, middle, zorder=3, **look)


def _levels(axis: plt.Axes, optimum: float, trap: float) -> None:
    """The optimum and the trap as lines, named at their right end."""
    for height, name, color in ((optimum, "optimum", OPTIMUM), (trap, "wrong hill", TRAP)):
        kit.level(axis, height, color, zorder=1)
        text = axis.text(0.99, height, name, transform=axis.get_yaxis_transform())
        text.set(color=color, fontsize=7, ha="right", va="bottom")


@styled
def relative_overgeneralization(
    views: pd.DataFrame, curves: pd.DataFrame, optimum: float, trap: float
) -> plt.Figure:
    """The hero picture: why the trap attracts, and who leaves it.

    Args:
        views: rows of action (of agent 1, game units), average and best: the reward when the
            partners act at random, and when they answer best.
        curves: rows of learner, seed, episode, reward.
        optimum: reward of the best joint action.
        trap: reward of the wrong hill.
    """
    figure, axes = plt.subplot_mosaic("BC;AC", figsize=(FULL_WIDTH + 1.2, 3.2))
    _two_views(axes["B"], axes["A"], views)
    right = axes["C"]
    _curves_of(right, curves)
    _levels(right, optimum, trap)
    right.set(xlabel="training episode", ylabel="team reward (mean of the last 100)", ylim=_LIMITS)
    right.set_title("Negotiating agents leave the trap")
    right.legend(loc="lower right")
    return figure


def _two_views(above: plt.Axes, below: plt.Axes, views: pd.DataFrame) -> None:
    """What agent 1's actions pay, each view with a scale of its own, a dot where it is highest."""
    asked = (
        (above, "best", OPTIMUM, "partners answering"),
        (below, "average", TRAP, "partners at random"),
    )
    for axis, column, color, words in asked:
        axis.plot(views["action"], views[column], color=color)
        top = views.loc[views[column].idxmax()]
        axis.plot(top["action"], top[column], "o", color=color)
        axis.margins(y=0.15)
        axis.set_ylabel("reward")
        axis.text(0.03, 0.05, words, color=color, fontsize=8, transform=axis.transAxes)
    above.sharex(below)
    above.tick_params(labelbottom=False)
    above.set_title("Exploring partners hide the better hill")
    below.set_xlabel("action of agent 1")


@styled
def over_generalization(traces: pd.DataFrame, curves: pd.DataFrame, title: str) -> plt.Figure:
    """PRO, ERO and the reward while training, one below the other, a column a learner.

    Args:
        traces: rows of learner, episode, pro, ero, as `tables.traces` makes them.
        curves: rows of learner, episode, reward.
        title: the message.
    """
    names = list(dict.fromkeys(traces["learner"]))
    titles = [LEARNERS[name].title for name in names] + [""] * 2 * len(names)
    figure, axes = kit.panels(
        titles, FULL_WIDTH + 2, 1.0, len(names), 0.5, title, sharex=True, sharey="row"
    )
    shown = (("PRO gap", traces, "pro"), ("ERO gap", traces, "ero"), ("reward", curves, "reward"))
    for row, (label, table, column) in enumerate(shown):
        places = axes[row * len(names) : (row + 1) * len(names)]
        places[0].set_ylabel(label)
        for axis, name in zip(places, names, strict=True):
            rows = table[table["learner"] == name]
            heights = rows[column] if label == "reward" else rows[column].clip(lower=_LEAST)
            means = heights.groupby(rows["episode"]).mean()
            axis.plot(means.index, means, color=COLORS[name], linewidth=1.3)
            axis.set_yscale("linear" if label == "reward" else "log")
    axes[-1].set_ylim(_limits(curves, 10, 0))
    for axis in axes[-len(names) :]:
        axis.set_xlabel("episode", fontsize=8)
    kit.caption(
        figure,
        "One run of each method. PRO in nats at α = 1, of the agent with the largest gap; ERO in "
        f"reward; both on a logarithmic axis, smaller ones at {_LEAST}. Reward: mean of the last "
        "100 episodes.",
    )
    return figure
