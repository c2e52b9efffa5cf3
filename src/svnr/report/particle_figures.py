"""Figures of particles: clouds on their targets, and curves over rounds."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from svnr.report.style import COLORS, FULL_WIDTH, INK, OPTIMUM, styled

PALETTE = ("#D55E00", "#0072B2", "#009E73", "#7F7F7F", "#8C6BB1", "#A39461")


@styled
def clouds(
    panels: Mapping[str, np.ndarray], density: np.ndarray, half_width: float, title: str
) -> Figure:
    """Particles in the plane over the density they should follow, a panel a cloud.

    Args:
        panels: title → particles [M, 2].
        density: [n, n] the target on an even grid over ±half_width, first coordinate first.
        half_width: of the square that is shown.
        title: the message.
    """
    n = len(panels)
    figure, axes = plt.subplots(1, n, figsize=(1.75 * n + 0.6, 2.45), sharey=True, squeeze=False)
    ticks = np.linspace(-half_width, half_width, len(density))
    for axis, (name, points) in zip(axes[0], panels.items(), strict=True):
        axis.contourf(ticks, ticks, density.T, levels=6, cmap="Greens", alpha=0.55)
        axis.scatter(*points.T, s=7, color=COLORS["svnr"], linewidths=0)
        axis.set(xlabel="u₁", aspect="equal")
        axis.set(xlim=(-half_width, half_width), ylim=(-half_width, half_width))
        axis.set_title(name, fontsize=8)
    axes[0, 0].set_ylabel("u₂")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


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
    """One line a group, named beside the axes.

    Args:
        table: rows with the columns x, y and by.
        x: column along the horizontal axis.
        y: column along the vertical axis.
        by: column of the groups.
        labels: of the two axes.
        title: the message.
        level: a value that should be met, and its name.
        log: the logarithmic axes: "", "x", "y" or "xy".
    """
    figure, axis = plt.subplots(figsize=(FULL_WIDTH, 2.9))
    if level is not None:
        axis.axhline(level[0], color=OPTIMUM, linewidth=0.9, linestyle=(0, (4, 2)), label=level[1])
    for (name, rows), color in zip(table.groupby(by, sort=False), PALETTE, strict=False):
        axis.plot(rows[x], rows[y], color=color, label=str(name))
    axis.set(xlabel=labels[0], ylabel=labels[1], title=title)
    axis.set_xscale("log" if "x" in log else "linear")
    axis.set_yscale("log" if "y" in log else "linear")
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


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
    left.plot(path[..., 0], color=COLORS["svnr"], linewidth=0.5, alpha=0.6)
    left.set(xlabel="step", ylabel="particle", title="Particles settle on their target")
    right.hist(path[-1, :, 0], bins=24, density=True, orientation="horizontal", color="#F2C4A5")
    x = np.linspace(mean - 4 * deviation, mean + 4 * deviation, 200)
    bell = np.exp(-((x - mean) ** 2) / (2 * deviation**2)) / (deviation * np.sqrt(2 * np.pi))
    right.plot(bell, x, color=INK, linewidth=1.2)
    right.set(xlabel="density", title="target in black")
    return figure
