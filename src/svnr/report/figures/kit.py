"""What every figure shares: panels and their message, levels, names, keys, densities."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from svnr.experiments.catalogue import LEARNERS
from svnr.report.style import COLORS, DASHES, OPTIMUM

SMALL: dict[str, Any] = {"fontsize": 8}  # titles of small panels


def panels(
    titles: Iterable[str | None],
    width: float,
    height: float,
    columns: int = 0,
    margin: float = 0.0,
    message: str = "",
    shared_labels: Sequence[str] = (),
    look: Mapping[str, Any] = SMALL,
    **options: Any,
) -> tuple[Figure, list[Axes]]:
    """A figure of several panels; a place without one stays empty.

    Args:
        titles: of the panels; None: the place stays empty.
        width: of the figure, in inches.
        height: of a row, in inches.
        columns: panels side by side; 0: all.
        margin: added to the height of all rows.
        message: what the figure says, written above it.
        shared_labels: of the horizontal and the vertical axes, written once.
        look: of the titles.
        options: of `plt.subplots`.
    """
    names = list(titles)
    columns = columns or len(names)
    rows = -(-len(names) // columns)
    size = (width, height * rows + margin)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, **options)
    for axis, title in zip_longest(axes.flat, names):
        axis.set_visible(title is not None)
        axis.set_title(title or "", **look)
    for put, label in zip((figure.supxlabel, figure.supylabel), shared_labels, strict=False):
        put(label, fontsize=9)
    if message:
        say(figure, message)
    return figure, list(axes.flat[: len(names)])


def say(figure: Figure, message: str) -> None:
    """Write what the figure says above it."""
    figure.suptitle(message, x=0.01, ha="left", fontsize=10, fontweight="bold")


def label_outer(axes: Sequence[Axes], x: str, y: str = "") -> None:
    """Label the bottom row and the left column of panels."""
    for axis in axes:
        if (place := axis.get_subplotspec()) and place.is_last_row():
            axis.set_xlabel(x)
        if place and place.is_first_col():
            axis.set_ylabel(y)


def legend_below(figure: Figure, handles: Sequence[Artist], **options: Any) -> None:
    """One legend for all panels; more than six names stand in two rows."""
    columns = len(handles) if len(handles) <= 6 else -(-len(handles) // 2)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, **options)


def handles(axis: Axes) -> list[Artist]:
    """What has a name in a panel."""
    return axis.get_legend_handles_labels()[0]


def line_of(learner: str) -> dict[str, Any]:
    """A method's colour, dashes and name."""
    dashes = DASHES.get(learner, "solid")
    return {"color": COLORS[learner], "linestyle": dashes, "label": LEARNERS[learner].title}


def level(axis: Axes, height: float, color: str = OPTIMUM, **options: Any) -> None:
    """A value to be met or feared, as a dashed line."""
    options = {"linewidth": 0.8, "linestyle": (0, (4, 2)), **options}
    axis.axhline(height, color=color, **options)


def name_ends(axis: Axes, ends: Sequence[tuple[float, str, str]], gap: float = 0.075) -> None:
    """Write (height, name, color) right of the axes, pushed apart by at least `gap`."""
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


def ticks_at(axis: Axes, values: Sequence[float]) -> None:
    """Ticks at these values of the horizontal axis and nowhere else."""
    axis.set_xticks(values, [f"{value:g}" for value in values])
    axis.minorticks_off()


def matrix(axis: Axes, shape: tuple[int, int]) -> None:
    """Axes of a small matrix: a number for every row and column, and no lines."""
    axis.set_xticks(range(shape[1]))
    axis.set_yticks(range(shape[0]))
    axis.grid(False)
    axis.tick_params(length=0)


def samples(
    axis: Axes, u: np.ndarray, density: np.ndarray, half_width: float, **options: Any
) -> None:
    """Points [M, 2] over the density [n, n] on an even grid over ±half_width."""
    shown = {"levels": 6, "alpha": 0.55, **options.pop("contours", {})}
    ticks = np.linspace(-half_width, half_width, len(density))
    axis.contourf(ticks, ticks, density.T, cmap="Greens", **shown)
    axis.scatter(*u.T, color=COLORS["svnr"], linewidths=0, **options)
    axis.set(xlim=(-half_width, half_width), ylim=(-half_width, half_width), aspect="equal")


def key(axis: Axes, names: Mapping[str, str]) -> None:
    """Names in their colours, in the lower left corner."""
    for row, (name, color) in enumerate(names.items()):
        text = axis.text(0.03, 0.03 + 0.1 * row, name, transform=axis.transAxes)
        text.set(color=color, fontsize=7, bbox={"facecolor": "white", "lw": 0, "pad": 0.6})
