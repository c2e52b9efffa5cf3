"""Figures of training: tidy tables in, figures out."""

from collections.abc import Mapping, Sequence
from string import ascii_lowercase

import matplotlib.pyplot as plt
import pandas as pd

from svnr.experiments.catalogue import GAMES, LEARNERS
from svnr.report.figures import kit
from svnr.report.statistics import interquartile_mean
from svnr.report.style import COLORS, FULL_WIDTH, INK, NEUTRAL, OPTIMUM, TRAP, styled

_LIMITS = (-16, 12)  # of the rewards of Max of Three that are shown


@styled
def training_curves(
    curves: pd.DataFrame,
    panels: Mapping[str, str],
    title: str,
    optimum: float,
    trap: float,
    trap_name: str = "wrong hill",
    limits: tuple[float, float] = _LIMITS,
) -> plt.Figure:
    """Reward against training episode, one panel a game, one colour a learner (Figures 4 and 6).

    A thin line is a seed; the bold one is the interquartile mean over seeds.

    Args:
        curves: rows of game, learner, seed, episode, reward, as `tables.curves` makes them.
        panels: game → title of its panel, in order.
        title: the message.
        optimum: reward of the best joint action, drawn as a line.
        trap: reward of the trap, drawn as a line.
        trap_name: what the trap is called.
        limits: of the rewards shown.
    """
    size = (FULL_WIDTH + 1.0, 2.6)
    figure, axes = kit.panels(panels.values(), *size, message=title, look={}, sharey=True)
    for axis, game in zip(axes, panels, strict=True):
        _curves_of(axis, curves[curves["game"] == game])
        _levels(axis, optimum, trap, trap_name if axis is axes[0] else "")
        axis.set_ylim(limits)
    kit.label_outer(axes, "training episode", "return of an episode\n(mean of the last 100)")
    kit.legend_below(figure)
    return figure


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


def _levels(axis: plt.Axes, optimum: float, trap: float, trap_name: str) -> None:
    """The optimum and the trap as lines, named at their right end if the trap has a name."""
    for height, name, color in ((optimum, "optimum", OPTIMUM), (trap, trap_name, TRAP)):
        kit.level(axis, height, color, zorder=1)
        if trap_name:
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
    _levels(right, optimum, trap, "wrong hill")
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
def temperature_study(exact: pd.DataFrame, ends: pd.DataFrame, title: str) -> plt.Figure:
    """What a temperature pays exactly, and where each schedule ended.

    Args:
        exact: rows of alpha, reward (of the exact Boltzmann policy), mass (at the right hill).
        ends: rows of schedule, alpha, shared: final temperature and test reward of every run.
        title: the message.
    """
    titles = ("The target", "What was learned")
    figure, (left, right) = kit.panels(titles, FULL_WIDTH + 1.2, 2.9, message=title, look={})
    left.semilogx(exact["alpha"], exact["mass"], color=OPTIMUM)
    left.set(xlabel="temperature α", ylabel="exact share of the right hill", ylim=(-0.03, 1.05))
    right.semilogx(exact["alpha"], exact["reward"], color=INK, linewidth=1.2, label="exact policy")
    blue, named = NEUTRAL["blue"], ends.groupby("schedule", sort=False)
    looks = ((COLORS["svnr"], "o", "full", 5), (blue, "s", "full", 5), (INK, "^", "none", 8))
    for (name, rows), (color, marker, fill, size) in zip(named, looks, strict=False):
        (dots,) = right.plot(rows["alpha"], rows["shared"], marker, color=color)
        dots.set(fillstyle=fill, markersize=size, label=str(name).replace("_", " "))
    right.set(xlabel="final temperature α", ylabel="test reward of a run")
    right.legend(loc="lower left")
    return figure


@styled
def over_generalization(traces: pd.DataFrame, curves: pd.DataFrame, title: str) -> plt.Figure:
    """PRO, ERO and the reward while training, side by side, one colour a learner.

    Args:
        traces: rows of learner, episode, pro, ero, as `tables.traces` makes them.
        curves: rows of learner, episode, reward.
        title: the message.
    """
    titles = ("PRO gap in nats, α = 1", "ERO gap in reward", "team reward, last 100")
    figure, axes = kit.panels(titles, FULL_WIDTH + 1.7, 2.7, message=title, look={})
    shown = ((traces, "pro"), (traces, "ero"), (curves, "reward"))
    for axis, (table, column) in zip(axes, shown, strict=True):
        for learner, rows in table.groupby("learner", sort=False):
            means = rows.groupby("episode")[column].mean()
            axis.plot(means.index, means, linewidth=1.3, **kit.line_of(str(learner)))
    for axis in axes[:2]:
        axis.set_yscale("symlog", linthresh=0.1)
        axis.set_ylim(bottom=0)
    axes[2].set_ylim(_LIMITS)
    kit.label_outer(axes, "training episode")
    kit.legend_below(figure)
    return figure


@styled
def search_history(history: pd.DataFrame, title: str, lowest: float = -15.0) -> plt.Figure:
    """Every trial of a search as a dot and the best so far as a line, a panel a learner.

    Args:
        history: rows of learner, trial, score, best, as `tables.search_history` makes them.
        title: the message.
        lowest: scores below it are drawn at it.
    """
    learners = history.groupby("learner", sort=False)
    titles = [LEARNERS[str(learner)].title for learner, _ in learners]
    columns, size = min(len(titles), 4), (FULL_WIDTH + 1.2, 1.6)
    labels = ("trial", "reward, last 100 episodes")
    figure, axes = kit.panels(titles, *size, columns, 0.7, title, labels)
    for axis, (learner, rows) in zip(axes, learners, strict=True):
        scores, color = rows["score"].clip(lower=lowest), COLORS[str(learner)]
        axis.plot(rows["trial"], scores, "o", color=color, markersize=2.5)
        axis.step(rows["trial"], rows["best"], where="post", color=INK, linewidth=1.2)
    return figure
