"""Figures of multi-agent MuJoCo: who gets how far, how fast, and what a gait looks like."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.patches import Polygon
from matplotlib.ticker import EngFormatter

from svnr.experiments.catalogue import LEARNERS
from svnr.games.mamujoco import Capsules
from svnr.report.figures import kit
from svnr.report.statistics import ENOUGH_SEEDS, bootstrap_interval, enough, interquartile_mean
from svnr.report.style import COLORS, FULL_WIDTH, INK, NEUTRAL, TRAP, styled

AGENTS = (*NEUTRAL.values(), "#56B4E9", "#CC79A7")  # whose part it is → colour
Level = tuple[str, float]  # the name and the return of a scripted team


@styled
def final_returns(
    scores: pd.DataFrame,
    panels: Mapping[str, str],
    title: str,
    levels: Mapping[str, Level],
    paper: Mapping[tuple[str, str], tuple[float, float]],
) -> plt.Figure:
    """What every trained team earns, a row a method: seeds, their interquartile mean, the paper's.

    Args:
        scores: rows of `tables.scores`.
        panels: game → title of its panel, in order.
        title: the message.
        levels: game → a scripted team to be held against.
        paper: (learner, game) → the paper's mean and spread.
    """
    learners = list(dict.fromkeys(scores["learner"]))
    size = (FULL_WIDTH + 1.0, 0.9 + 0.19 * len(learners))
    figure, axes = kit.panels(panels.values(), *size, message=title, look={}, sharey=True)
    for axis, game in zip(axes, panels, strict=True):
        for row, learner in enumerate(learners):
            chosen = (scores["game"] == game) & (scores["learner"] == learner)
            _seeds_in_a_row(axis, row, scores[chosen]["shared"].to_numpy(), COLORS[learner])
            if (learner, game) in paper:
                axis.plot(paper[learner, game][0], row, "x", color=INK, markersize=4)
        name, height = levels[game]
        axis.axvline(height, color=TRAP, linewidth=0.8, linestyle=(0, (4, 2)), label=name)
        axis.set_yticks(range(len(learners)), [LEARNERS[each].title for each in learners])
        axis.set_ylim(len(learners) - 0.5, -0.5)
    axes[0].plot([], [], "x", color=INK, markersize=4, label="the paper's later version")
    axes[0].plot([], [], "o", color=INK, markersize=3, alpha=0.5, label="a seed")
    axes[0].plot([], [], "|-", color=INK, label="interquartile mean, 95 %")
    kit.legend_below(figure, title="return of an episode")
    return figure


def _seeds_in_a_row(axis: plt.Axes, row: int, returns: np.ndarray, color: str) -> None:
    if len(returns):
        axis.plot(returns, np.full(len(returns), row), "o", color=color, markersize=3, alpha=0.6)
    if not enough(returns):
        return
    axis.plot(bootstrap_interval(returns), (row, row), color=color, linewidth=1.2)
    axis.plot(interquartile_mean(returns), row, "|", color=color, markersize=9, mew=2)


@styled
def learning(
    tests: pd.DataFrame,
    panels: Mapping[str, str],
    title: str,
    levels: Mapping[str, Level],
    against: Mapping[str, str],
) -> plt.Figure:
    """Return of the tests during a run, a column a game, a row for each way to count.

    Args:
        tests: rows of `tables.tests`.
        panels: game → title of its panel, in order.
        title: the message.
        levels: game → a scripted team to be held against.
        against: columns of the tests → label of the axis, as "at" environment steps.
    """
    names = [*panels.values(), *[""] * len(panels) * (len(against) - 1)]
    size = (FULL_WIDTH + 1.0 + 0.5 * (len(panels) > 2), 1.7)
    figure, axes = kit.panels(names, *size, len(panels), 0.6, title)
    for at, axis in enumerate(axes):
        game = list(panels)[at % len(panels)]
        counted = list(against)[at // len(panels)]
        for learner, rows in tests[tests["game"] == game].groupby("learner", sort=False):
            mean = rows.groupby("at")[[counted, "shared"]].agg(
                {counted: "mean", "shared": lambda seeds: interquartile_mean(seeds.to_numpy())}
            )
            width = 0.8 if rows["seed"].nunique() < ENOUGH_SEEDS else 1.8
            axis.plot(mean[counted], mean["shared"], linewidth=width, **kit.line_of(str(learner)))
        name, height = levels[game]
        kit.level(axis, height, TRAP, label=name if axis is axes[0] else None)
        axis.set_xlabel(against[counted], fontsize=8)
        if counted == "minutes":
            axis.set_xscale("log")
            kit.ticks_at(axis, (0.3, 1, 3, 10))
        else:
            axis.xaxis.set_major_locator(plt.MaxNLocator(3 if len(panels) > 1 else 6))
            axis.xaxis.set_major_formatter(EngFormatter(sep=""))  # 300k
    figure.supylabel("return of an episode", fontsize=10)
    seeds = tests.groupby(["game", "learner"])["seed"].nunique()
    told = " to ".join(dict.fromkeys(str(n) for n in (seeds.min(), seeds.max())))
    several = "one seed" if told == "1" else f"interquartile means of {told} seeds"
    told = f"{several}; thin: of fewer than {ENOUGH_SEEDS}"
    kit.legend_below(figure, title=told)
    return figure


@styled
def gait(bodies: Sequence[Capsules], title: str, apart: float = 0.0) -> plt.Figure:
    """A robot from the side at several moments, its parts coloured by the agent that moves them.

    Args:
        bodies: in order.
        title: the message.
        apart: metres between two pictures, beside what the robot has moved.
    """
    figure, axis = plt.subplots(figsize=(FULL_WIDTH + 1.0, 1.5))
    for moment, body in enumerate(bodies):
        for part in np.argsort(-body.ends[:, :, 1].mean(1)):  # those behind first
            outline = silhouette(body.ends[part][:, [0, 2]], body.radius[part])
            owner = int(body.owner[part])
            color = AGENTS[owner] if owner >= 0 else INK
            outline[:, 0] += apart * moment
            axis.add_patch(Polygon(outline, facecolor=color, edgecolor="white", linewidth=0.3))
    axis.axhline(0, color=INK, linewidth=0.8)
    axis.set(aspect="equal")
    axis.autoscale_view()
    axis.set_axis_off()
    start = axis.get_xlim()[0] + 0.1
    axis.plot((start, start + 1), (-0.15, -0.15), color=INK, linewidth=2, label="1 m")
    owners = sorted({int(owner) for body in bodies for owner in body.owner if owner >= 0})
    for owner in owners:
        axis.plot([], [], color=AGENTS[owner], linewidth=4, label=f"agent {owner + 1}")
    figure.suptitle(title)
    told = f"each picture stands {apart:g} m further on than the robot ran" if apart else None
    kit.legend_below(figure, title=told)
    return figure


def silhouette(ends: np.ndarray, radius: float, n: int = 13) -> np.ndarray:
    """The outline [2 n, 2] of a capsule seen from the side.

    Args:
        ends: [2, 2] of its axis, in the plane.
        radius: of its round ends.
        n: points of each half circle.
    """
    along = np.arctan2(*(ends[1] - ends[0])[::-1]) if (ends[0] != ends[1]).any() else 0.0
    half = np.linspace(np.pi / 2, 3 * np.pi / 2, n) + along
    circle = radius * np.stack([np.cos(half), np.sin(half)], 1)
    return np.concatenate([ends[0] + circle, ends[1] - circle])
