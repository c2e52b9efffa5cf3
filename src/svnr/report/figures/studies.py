"""Figures of studies: temperature schedules, and searches for settings."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from svnr.experiments.catalogue import LEARNERS
from svnr.report import words
from svnr.report.figures import kit
from svnr.report.style import COLORS, FULL_WIDTH, INK, OPTIMUM, TRAP, styled


@styled
def temperature_study(paths: pd.DataFrame, ends: pd.DataFrame, title: str) -> plt.Figure:
    """Temperatures while training, and beside each where its seeds ended; a row a schedule.

    Args:
        paths: rows of schedule, episode, alpha.
        ends: rows of schedule, shared (test reward of a run), exact (what a Boltzmann policy earns
            at the last temperature).
        title: the message.
    """
    names = list(dict.fromkeys(ends["schedule"]))
    titles = ["temperature α", "test reward of each seed", *[""] * (2 * len(names) - 2)]
    figure, axes = kit.panels(
        titles, FULL_WIDTH + 1.5, 0.55, 2, 1.0, title, sharex="col", sharey="col"
    )
    for name, left, right in zip(names, axes[::2], axes[1::2], strict=True):
        path, rows = (table[table["schedule"] == name] for table in (paths, ends))
        left.semilogy(path["episode"], path["alpha"], color=INK, linewidth=1.4)
        left.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
        right.axvline(rows["exact"].iloc[0], color=INK, linewidth=5, alpha=0.25)
        for x, color in ((10, OPTIMUM), (0, TRAP)):
            right.axvline(x, color=color, linewidth=0.8, linestyle=(0, (4, 2)))
        heights = np.linspace(0.8, 0.2, len(rows)) if len(rows) > 1 else [0.5]
        right.plot(rows["shared"], heights, "o", color=COLORS["svnr"], markersize=4)
        right.set(ylim=(0, 1), yticks=())
    for x, name, color in ((10, "optimum", OPTIMUM), (0, "wrong hill", TRAP)):
        text = axes[1].text(x, 1.0, name, transform=axes[1].get_xaxis_transform())
        text.set(color=color, fontsize=7, ha="center", va="bottom")
    for axis, name in zip(axes, titles[:2], strict=False):
        axis.set_title(name, pad=13, **kit.SMALL)
    axes[-2].set_xlabel("episode")
    seeds = ends.groupby("schedule").size()
    several = "one seed" if seeds.max() == 1 else f"{seeds.max()} seeds"
    kit.caption(
        figure,
        f"Dots: {several} of SVNR each. Grey: what a Boltzmann policy of the true reward earns at "
        "the last temperature.",
    )
    return figure


@styled
def search_history(history: pd.DataFrame, title: str, lowest: float = -15.0) -> plt.Figure:
    """Every trial of a search as a dot and the best so far as a line, a panel a learner.

    Args:
        history: rows of learner, trial, score, best, as `searches.history` makes them.
        title: the message.
        lowest: scores below it are drawn at it, as triangles.
    """
    learners = history.groupby("learner", sort=False)
    titles = [LEARNERS[str(learner)].title for learner, _ in learners]
    columns, size = min(len(titles), 4), (FULL_WIDTH + 1.2, 1.6)
    figure, axes = kit.panels(titles, *size, columns, 0.7, title, sharex=True, sharey=True)
    figure.supylabel("reward, last 100 episodes", fontsize=9)
    for axis, (learner, rows) in zip(axes, learners, strict=True):
        low, color = rows["score"] < lowest, COLORS[str(learner)]
        axis.plot(rows["trial"], rows["score"].mask(low), "o", color=color, markersize=2.5)
        axis.plot(rows["trial"][low], low[low] * lowest, "v", color=color, markersize=3.5)
        axis.step(rows["trial"], rows["best"], where="post", color=INK, linewidth=1.2)
        axis.tick_params(labelbottom=True)
        axis.set_xlabel("trial")
    _key_of_searches(figure, lowest, bool((history["score"] < lowest).any()))
    kit.caption(
        figure,
        "A trial's score is the mean over its two seeds, or the first one's where it was stopped "
        "early; the line counts those that ran on both.",
    )
    return figure


def _key_of_searches(figure: plt.Figure, lowest: float, is_cut: bool) -> None:
    """What dots, triangles and the line are: in the place without a panel, or below."""
    marks = [
        plt.Line2D([], [], marker="o", color=INK, linestyle="", markersize=2.5, label="a trial"),
        plt.Line2D([], [], marker="v", color=INK, linestyle="", markersize=3.5),
        plt.Line2D([], [], color=INK, linewidth=1.2, label="the best so far"),
    ]
    marks[1].set_label(words.minus(f"a trial below {lowest:g}"))
    marks = marks if is_cut else [marks[0], marks[2]]
    empty = [axis for axis in figure.axes if not axis.get_visible()]
    if not empty:
        return kit.legend_below(figure, marks)
    empty[0].set_visible(True)
    empty[0].set_axis_off()
    empty[0].legend(handles=marks, loc="center left", borderaxespad=0)
    return None
