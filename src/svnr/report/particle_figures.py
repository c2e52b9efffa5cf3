"""Figures of particles: clouds on their targets, and curves over rounds."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from svnr.report.style import COLORS, FULL_WIDTH, INK, OPTIMUM, TRAP, styled

TOPOLOGY_COLORS = {
    "strict": COLORS["svnr"],
    "full": COLORS["svnr_f"],
    "empty": COLORS["svnr_m"],
    "star": "#0072B2",
    "chain": "#009E73",
    "ring": "#8C6BB1",
}
PALETTE = ("#0072B2", "#009E73", "#8C6BB1", "#7F7F7F", "#A39461", "#8FA9C4")


@styled
def clouds(
    panels: Mapping[str, np.ndarray], density: np.ndarray, half_width: float, title: str
) -> Figure:
    """Particles in the plane over the density they should follow, a panel a cloud.

    Args:
        panels: title → particles [M, 2]; those outside the square are not seen.
        density: [n, n] the target on an even grid over ±half_width, first coordinate first.
        half_width: of the square that is shown, at least 4.
        title: the message.
    """
    n_rows = -(-len(panels) // 3)
    size = (FULL_WIDTH, 1.98 * n_rows + 0.5)
    figure, axes = plt.subplots(n_rows, 3, figsize=size, sharex=True, sharey=True, squeeze=False)
    ticks = np.linspace(-half_width, half_width, len(density))
    for axis, (name, points) in zip(axes.flat, panels.items(), strict=False):
        axis.contourf(ticks, ticks, density.T, levels=6, cmap="Greens", alpha=0.55)
        axis.scatter(*points.T, s=6, color=COLORS["svnr"], linewidths=0)
        axis.set(xlim=(-half_width, half_width), ylim=(-half_width, half_width), aspect="equal")
        axis.set(xticks=(-4, 0, 4), yticks=(-4, 0, 4))
        axis.set_title(name, fontsize=8)
    for axis in axes[:, 0]:
        axis.set_ylabel("u₂")
    for axis in axes[-1]:
        axis.set_xlabel("u₁")
    _key(axes[0, 0], {"target": OPTIMUM, "particles": COLORS["svnr"]})
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


def _key(axis: Axes, names: Mapping[str, str]) -> None:
    """Names in their colours, in the lower left corner."""
    for row, (name, color) in enumerate(names.items()):
        text = axis.text(0.03, 0.03 + 0.1 * row, name, transform=axis.transAxes)
        text.set(color=color, fontsize=7, bbox={"facecolor": "white", "lw": 0, "pad": 0.6})


@styled
def lines(
    table: pd.DataFrame,
    x: str,
    y: str,
    by: str,
    labels: tuple[str, str],
    title: str,
    level: tuple[float, str] | None = None,
    log: str = "",
) -> Figure:
    """One line a group, named at its right end; topologies have the same colour everywhere.

    Args:
        table: rows with the columns x, y and by; a group that begins with a topology's name has
            its colour, and dashes if its score is conditional.
        x: column along the horizontal axis.
        y: column along the vertical axis.
        by: column of the groups.
        labels: of the two axes.
        title: the message.
        level: a value that should be met, and its name.
        log: the logarithmic axes: "", "x", "y" or "xy".
    """
    figure, axis = plt.subplots(figsize=(FULL_WIDTH, 2.7))
    ends = [] if level is None else [(level[0], level[1], OPTIMUM)]
    if level is not None:
        axis.axhline(level[0], color=OPTIMUM, linewidth=0.9, linestyle=(0, (4, 2)))
    few = table[x].nunique() <= 10
    for index, (name, rows) in enumerate(table.groupby(by, sort=False)):
        look = _look(str(name), index)
        axis.plot(rows[x], rows[y], marker="o" if few else "", markersize=3.5, **look)
        ends.append((rows.loc[rows[x].idxmax(), y], str(name), look["color"]))
    axis.set(xlabel=labels[0], ylabel=labels[1], title=title)
    axis.set_xscale("log" if "x" in log else "linear")
    axis.set_yscale("log" if "y" in log else "linear")
    if few:
        axis.set_xticks(sorted(table[x].unique()), [f"{v:g}" for v in sorted(table[x].unique())])
        axis.minorticks_off()
    _name_ends(axis, ends)
    return figure


def _look(name: str, index: int) -> dict[str, Any]:
    color = TOPOLOGY_COLORS.get(name.split(",")[0], PALETTE[index % len(PALETTE)])
    return {"color": color, "linestyle": (0, (3, 1.5)) if "conditional" in name else "solid"}


def _name_ends(axis: Axes, ends: Sequence[tuple[float, str, str]], gap: float = 0.075) -> None:
    """Write names right of the axes at their heights, pushed apart by at least `gap`."""
    to_axes = axis.transData + axis.transAxes.inverted()
    x = axis.get_xlim()[1]
    placed = sorted((to_axes.transform((x, y))[1], name, color) for y, name, color in ends)
    heights = [height for height, _, _ in placed]
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + gap)
    excess = max(0.0, heights[-1] - 1.0)
    for height, (_, name, color) in zip(heights, placed, strict=True):
        text = axis.text(1.015, height - excess, name, transform=axis.transAxes, va="center")
        text.set(color=color, fontsize=8)


@styled
def settling(path: np.ndarray, mean: float, deviation: float) -> Figure:
    """The paths of particles on a line towards a normal target, and where they end.

    Args:
        path: [steps + 1, M, 1].
        mean: of the target.
        deviation: of the target.
    """
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(FULL_WIDTH, 2.7), width_ratios=(2.2, 1), sharey=True
    )
    steps = np.arange(1, len(path))
    left.plot(steps, path[1:, :, 0], color=COLORS["svnr"], linewidth=0.5, alpha=0.6)
    left.set(xlabel="step", ylabel="particle", title="Particles settle on their target")
    left.set_xscale("log")
    right.hist(path[-1, :, 0], bins=10, density=True, orientation="horizontal", color="#F2C4A5")
    x = np.linspace(mean - 4 * deviation, mean + 4 * deviation, 200)
    bell = np.exp(-((x - mean) ** 2) / (2 * deviation**2)) / (deviation * np.sqrt(2 * np.pi))
    right.plot(bell, x, color=OPTIMUM, linewidth=1.4)
    right.set(xlabel="density")
    right.text(bell.max(), mean + 2.2 * deviation, "target", color=OPTIMUM, ha="right")
    right.text(bell.max(), mean - 2.6 * deviation, "particles", color=COLORS["svnr"], ha="right")
    return figure


@styled
def in_the_box(panels: Mapping[str, np.ndarray], half_width: float, title: str) -> Figure:
    """Histograms of one action, over the uniform density on [−1, 1] that was asked for.

    Args:
        panels: title → points [M].
        half_width: of the line that is shown; points beyond it are counted in the outer bars.
        title: the message.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(FULL_WIDTH, 2.1), sharey=True)
    edges = np.linspace(-half_width, half_width, 21)
    middle = (edges[1:] + edges[:-1]) / 2
    for axis, (name, points) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        counts, _ = np.histogram(points.clip(-half_width, half_width), edges)
        heights = counts / (len(points) * np.diff(edges))
        axis.bar(middle, heights, np.diff(edges), color=COLORS["svnr"], alpha=0.5)
        axis.plot([-1, -1, 1, 1], [0, 0.5, 0.5, 0], color=OPTIMUM)
        axis.set(xlabel="action", xticks=[-1, 0, 1])
        axis.set_title(name, fontsize=8)
    first = np.atleast_1d(axes)[0]
    first.set_ylabel("density")
    first.text(0, 0.55, "target", color=OPTIMUM, ha="center", fontsize=8)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


@styled
def two_cures(table: pd.DataFrame, title: str) -> Figure:
    """How often negotiated clouds serve their team, against their size.

    Args:
        table: rows of particles, particle 0, best particle: shares of clouds that earn the right
            hill's reward if all execute that particle.
        title: the message.
    """
    figure, axis = plt.subplots(figsize=(FULL_WIDTH, 2.4))
    x = table["particles"]
    axis.plot(x, table["best particle"], "o-", color=COLORS["svnr"], markersize=4)
    axis.plot(x, table["particle 0"], "o-", color=INK, markersize=4)
    for level, color in ((1.0, OPTIMUM), (0.0, TRAP)):
        axis.axhline(level, color=color, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    axis.set_xscale("log")
    axis.set_xticks(x, [str(n) for n in x])
    axis.minorticks_off()
    axis.set(xlabel="particles M", ylabel="share of clouds", ylim=(-0.08, 1.14), title=title)
    last = table.iloc[-1]
    named = (
        (1.01, "always the optimum", OPTIMUM),
        (last["best particle"], "best particle", COLORS["svnr"]),
        (last["particle 0"], "particle 0", INK),
        (0.0, "always the trap", TRAP),
    )
    _name_ends(axis, named)
    return figure
