"""Figures of training: tidy tables in, figures out."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d import Axes3D
from scipy import stats

from svnr.experiments.scenarios import LEARNERS
from svnr.report.style import COLORS, DASHES, FULL_WIDTH, INK, OPTIMUM, TRAP, styled


@styled
def training_curves(
    curves: pd.DataFrame,
    panels: Mapping[str, str],
    title: str,
    optimum: float,
    trap: float,
    trap_name: str = "wrong hill",
    limits: tuple[float, float] = (-16, 12),
) -> Figure:
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
    figure, axes = plt.subplots(
        1, len(panels), figsize=(FULL_WIDTH + 1.0, 2.6), sharey=True, squeeze=False
    )
    for axis, (game, name) in zip(axes[0], panels.items(), strict=True):
        _curves_of(axis, curves[curves["game"] == game])
        _levels(axis, optimum, trap, trap_name if axis is axes[0][0] else "")
        axis.set(title=name, xlabel="training episode", ylim=limits)
    axes[0][0].set_ylabel("return of an episode\n(mean of the last 100)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    columns = len(labels) if len(labels) <= 6 else -(-len(labels) // 2)
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


def _curves_of(axis: Axes, curves: pd.DataFrame) -> None:
    for learner, rows in curves.groupby("learner", sort=False):
        by_episode = rows.pivot_table(index="episode", columns="seed", values="reward")
        color = COLORS[str(learner)]
        axis.plot(by_episode.index, by_episode, color=color, linewidth=0.5, alpha=0.4)
        middle = stats.trim_mean(by_episode.to_numpy(), 0.25, axis=1)
        (line,) = axis.plot(by_episode.index, middle, label=LEARNERS[str(learner)].title, zorder=3)
        line.set(color=color, linestyle=DASHES.get(str(learner), "solid"))


def _levels(axis: Axes, optimum: float, trap: float, trap_name: str) -> None:
    """The optimum and the trap as lines, named at their right end if the trap has a name."""
    for level, name, color in ((optimum, "optimum", OPTIMUM), (trap, trap_name, TRAP)):
        axis.axhline(level, color=color, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
        if trap_name:
            place = axis.get_yaxis_transform()
            text = axis.text(0.99, level, name, ha="right", va="bottom", transform=place)
            text.set(color=color, fontsize=7)


@styled
def visited_actions(
    visits: pd.DataFrame, title: str, peaks: Mapping[str, Sequence[float]]
) -> Figure:
    """Joint actions of three agents in space, coloured by reward, a panel a learner (Figs 5, 7).

    Args:
        visits: rows of learner, u_1, u_2, u_3, reward, as `tables.visits` makes them.
        title: the message.
        peaks: name of a hill → its three coordinates in the game's units.
    """
    learners = list(visits["learner"].unique())
    figure, axes, strip = _panels_in_space(len(learners))
    for axis, learner in zip(axes, learners, strict=True):
        shown = visits[visits["learner"] == learner].sort_values("reward")
        u = (shown["u_1"], shown["u_2"], shown["u_3"])
        points = axis.scatter(
            *u, c=shown["reward"], s=3, vmin=-20, vmax=10, alpha=0.7, lw=0, rasterized=True
        )
        _peaks_in_space(axis, peaks)
        axis.set_title(LEARNERS[str(learner)].title, loc="center", pad=-6)
    figure.colorbar(points, cax=strip, extend="min").set_label("team reward")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


def _panels_in_space(n: int, side: float = 2.3, margin: float = 0.9) -> tuple[Figure, list, Axes]:
    """A row of n three-dimensional axes, `side` inches each, and a strip for a colour bar."""
    width = n * side + margin
    figure = plt.figure(figsize=(width, side + 0.45), layout="none")
    height = side / (side + 0.45)
    places = [(i * side / width, 0.01, side / width, height) for i in range(n)]
    axes: list[Any] = [figure.add_axes(p, projection="3d", computed_zorder=False) for p in places]
    for axis in axes:
        axis.set_box_aspect(None, zoom=0.9)
        axis.patch.set_visible(False)  # an axis label may reach into the neighbour's place
    return figure, axes, figure.add_axes((1 - 0.75 * margin / width, 0.2, 0.12 / width, 0.55))


def _peaks_in_space(axis: Axes3D, peaks: Mapping[str, Sequence[float]]) -> None:
    for (name, peak), color in zip(peaks.items(), (OPTIMUM, TRAP), strict=False):
        axis.scatter(*peak, marker="x", color=color, s=45, linewidths=1.6, zorder=5)
        x, y, z = peak
        axis.text(x, y, z + 3.2, name, color=color, fontsize=7, ha="center", zorder=6)
    limits, ticks = (-10, 10), (-5, 0, 5)
    axis.set(xlim=limits, ylim=limits, zlim=limits, xticks=ticks, yticks=ticks, zticks=ticks)
    axis.tick_params(labelsize=6, pad=-3)
    for put, label in ((axis.set_xlabel, "u₁"), (axis.set_ylabel, "u₂"), (axis.set_zlabel, "u₃")):
        put(label, labelpad=-8, fontsize=8)
    axis.view_init(elev=22, azim=-60)


@styled
def relative_overgeneralization(
    views: pd.DataFrame, curves: pd.DataFrame, optimum: float, trap: float
) -> Figure:
    """The hero picture: why the trap attracts, and who leaves it.

    Args:
        views: rows of action (of agent 1, game units), average and best: the reward when the
            partners act at random, and when they answer best.
        curves: rows of learner, seed, episode, reward.
        optimum: reward of the best joint action.
        trap: reward of the wrong hill.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(FULL_WIDTH + 1.2, 2.9))
    _two_views(left, views)
    _curves_of(right, curves)
    _levels(right, optimum, trap, "wrong hill")
    right.set(
        xlabel="training episode", ylabel="team reward (mean of the last 100)", ylim=(-16, 12)
    )
    right.set_title("Negotiating agents leave the trap")
    right.legend(loc="lower right")
    return figure


def _two_views(axis: Axes, views: pd.DataFrame) -> None:
    action = views["action"]
    twin = axis.twinx()
    axis.plot(action, views["average"], color=TRAP)
    twin.plot(action, views["best"], color=OPTIMUM)
    for line, column, color, word in (
        (axis, "average", TRAP, "partners at random"),
        (twin, "best", OPTIMUM, "partners answering"),
    ):
        top = views.loc[views[column].idxmax()]
        line.plot(top["action"], top[column], "o", color=color)
        line.set_ylabel(f"reward, {word}", color=color)
        line.tick_params(axis="y", colors=color)
    twin.grid(False)
    axis.set(xlabel="action of agent 1", title="Exploring partners hide the better hill")


@styled
def temperature_study(exact: pd.DataFrame, ends: pd.DataFrame, title: str) -> Figure:
    """What a temperature pays exactly, and where each schedule ended.

    Args:
        exact: rows of alpha, reward (of the exact Boltzmann policy), mass (at the right hill).
        ends: rows of schedule, alpha, shared: final temperature and test reward of every run.
        title: the message.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(FULL_WIDTH + 1.2, 2.9))
    left.semilogx(exact["alpha"], exact["mass"], color=OPTIMUM)
    left.set(
        xlabel="temperature α",
        ylabel="exact share of the right hill",
        ylim=(-0.03, 1.05),
        title="The target",
    )
    right.semilogx(exact["alpha"], exact["reward"], color=INK, linewidth=1.2, label="exact policy")
    looks = (("o", "full", 5), ("s", "full", 5), ("^", "none", 8))
    palette = ("#D55E00", "#0072B2", "#333333")
    named = ends.groupby("schedule", sort=False)
    for (name, rows), color, (marker, fill, size) in zip(named, palette, looks, strict=False):
        label = str(name).replace("_", " ")
        (dots,) = right.plot(rows["alpha"], rows["shared"], marker, color=color, label=label)
        dots.set(fillstyle=fill, markersize=size)
    right.set(
        xlabel="final temperature α", ylabel="test reward of a run", title="What was learned"
    )
    right.legend(loc="lower left")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


@styled
def perceived_policies(
    panels: Mapping[str, np.ndarray], density: np.ndarray, title: str, half_width: float = 10.0
) -> Figure:
    """Samples of perceived joint policies over the exact one, in u₁ and u₃ (Figure 3).

    Args:
        panels: title → joint actions [M, 3] in the game's units.
        density: [n, n] the exact policy over u₁ and u₃, on an even grid over ±half_width.
        title: the message.
        half_width: of the box of actions.
    """
    columns = min(len(panels), 5)
    n_rows = -(-len(panels) // columns)
    size = (FULL_WIDTH + 1.5, 1.55 * n_rows + 0.65)
    figure, axes = plt.subplots(n_rows, columns, figsize=size, sharex=True, sharey=True)
    ticks = np.linspace(-half_width, half_width, len(density))
    levels = density.max() * np.array([0.02, 0.1, 0.3, 0.6, 1.0])
    for axis, (name, u) in zip(np.ravel(axes), panels.items(), strict=False):
        axis.contourf(ticks, ticks, density.T, levels=levels, cmap="Greens", alpha=0.6)
        axis.scatter(u[:, 0], u[:, 2], s=3, alpha=0.4, color=COLORS["svnr"], lw=0, rasterized=True)
        axis.set(xlim=(-half_width, half_width), ylim=(-half_width, half_width), aspect="equal")
        axis.set_title(name, fontsize=8)
    for axis in np.ravel(axes)[len(panels) :]:
        axis.set_visible(False)
    figure.supxlabel("u₁", fontsize=9)
    figure.supylabel("u₃", fontsize=9)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


@styled
def over_generalization(traces: pd.DataFrame, curves: pd.DataFrame, title: str) -> Figure:
    """PRO, ERO and the reward while training, side by side, one colour a learner.

    Args:
        traces: rows of learner, episode, pro, ero, as `tables.traces` makes them.
        curves: rows of learner, episode, reward.
        title: the message.
    """
    figure, axes = plt.subplots(1, 3, figsize=(FULL_WIDTH + 1.7, 2.7))
    panels = ((traces, "pro", "PRO gap in nats, α = 1"), (traces, "ero", "ERO gap in reward"))
    for axis, (table, column, label) in zip(
        axes, (*panels, (curves, "reward", "team reward, last 100")), strict=True
    ):
        for learner, rows in table.groupby("learner", sort=False):
            means = rows.groupby("episode")[column].mean()
            (line,) = axis.plot(means.index, means, color=COLORS[str(learner)], linewidth=1.3)
            line.set(label=LEARNERS[str(learner)].title)
            line.set(linestyle=DASHES.get(str(learner), "solid"))
        axis.set(xlabel="training episode", title=label)
    for axis in axes[:2]:
        axis.set_yscale("symlog", linthresh=0.1)
        axis.set_ylim(bottom=0)
    axes[2].set_ylim(-16, 12)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


@styled
def search_history(history: pd.DataFrame, title: str, lowest: float = -15.0) -> Figure:
    """Every trial of a search as a dot and the best so far as a line, a panel a learner.

    Args:
        history: rows of learner, trial, score, best, as `tables.search_history` makes them.
        title: the message.
        lowest: scores below it are drawn at it.
    """
    learners = list(history["learner"].unique())
    columns = min(len(learners), 4)
    n_rows = -(-len(learners) // columns)
    figure, axes = plt.subplots(
        n_rows, columns, figsize=(FULL_WIDTH + 1.2, 1.6 * n_rows + 0.7), sharex=True, sharey=True
    )
    for axis, learner in zip(np.ravel(axes), learners, strict=False):
        rows = history[history["learner"] == learner]
        color = COLORS[str(learner)]
        axis.plot(
            rows["trial"], rows["score"].clip(lower=lowest), "o", color=color, markersize=2.5
        )
        axis.step(rows["trial"], rows["best"], where="post", color=INK, linewidth=1.2)
        axis.set_title(LEARNERS[str(learner)].title, fontsize=8)
    for axis in np.ravel(axes)[len(learners) :]:
        axis.set_visible(False)
    figure.supxlabel("trial", fontsize=9)
    figure.supylabel("reward, last 100 episodes", fontsize=9)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure
