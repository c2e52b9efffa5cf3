"""What every figure shares: panels and their message, levels, names, keys, densities."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, zip_longest
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist

from svnr.experiments.catalogue import LEARNERS
from svnr.report.style import COLORS, DASHES, OPTIMUM

Samples = Mapping[str, np.ndarray]  # title of a panel → points
SMALL: dict[str, Any] = {"fontsize": 8}  # titles of small panels


def panels(
    titles: Iterable[str | None],
    width: float,
    height: float,
    columns: int = 0,
    margin: float = 0.0,
    message: str = "",
    labels: Sequence[str] = (),
    look: Mapping[str, Any] = SMALL,
    **options: Any,
) -> tuple[plt.Figure, list[plt.Axes]]:
    """A figure of several panels; a place without one stays empty.

    Args:
        titles: of the panels; None: the place stays empty.
        width: of the figure, in inches.
        height: of a row, in inches.
        columns: panels side by side; 0: all.
        margin: added to the height of all rows.
        message: what the figure says, written above it.
        labels: of the axes that all panels share, written once.
        look: of the titles.
        options: of `plt.subplots`.
    """
    names = list(titles)
    columns = columns or len(names)
    rows = -(-len(names) // columns)
    shared = {"sharex": bool(labels), "sharey": bool(labels), "squeeze": False}
    size = (width, height * rows + margin)
    figure, axes = plt.subplots(rows, columns, figsize=size, **{**shared, **options})
    for axis, title in zip_longest(axes.flat, names):
        axis.set_visible(title is not None)
        axis.set_title(title or "", **look)
    for put, label in zip((figure.supxlabel, figure.supylabel), labels, strict=False):
        put(label)
    if message:
        figure.suptitle(message, x=0.01, ha="left")
    return figure, list(axes.flat[: len(names)])


def label_outer(axes: Sequence[plt.Axes], x: str, y: str = "") -> None:
    """Label the bottom row and the left column of panels."""
    for axis in axes:
        place: Any = axis.get_subplotspec()
        axis.set(xlabel=x * place.is_last_row(), ylabel=y * place.is_first_col())


def legend_below(figure: plt.Figure, handles: Sequence[Artist] = (), **options: Any) -> None:
    """One legend, by default of what the panels name, once; no more than six stand in a row."""
    named: dict[str, Artist] = {}
    for axis in figure.axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    handles = handles or list(named.values())
    rows = max(1, -(-len(handles) // 6))
    columns = -(-len(handles) // rows)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, **options)


def line_of(learner: str) -> dict[str, Any]:
    """A method's colour, dashes and name."""
    dashes = DASHES.get(learner, "solid")
    return {"color": COLORS[learner], "linestyle": dashes, "label": LEARNERS[learner].title}


def level(axis: plt.Axes, height: float, color: str = OPTIMUM, **options: Any) -> None:
    """A value to be met or feared, as a dashed line."""
    axis.axhline(height, color=color, **{"linewidth": 0.8, "linestyle": (0, (4, 2)), **options})


def name_ends(axis: plt.Axes, ends: Sequence[tuple[float, str, str]], gap: float = 0.075) -> None:
    """Write (height, name, color) right of the axes, pushed apart by at least `gap`."""
    to_axes = axis.transData + axis.transAxes.inverted()
    x = axis.get_xlim()[1]
    placed = sorted((to_axes.transform((x, y))[1], name, color) for y, name, color in ends)
    wanted = (height for height, _, _ in placed)
    heights = list(accumulate(wanted, lambda below, height: max(height, below + gap)))
    excess = max(0.0, heights[-1] - 1.0)
    for height, (_, name, color) in zip(heights, placed, strict=True):
        text = axis.text(1.015, height - excess, name, transform=axis.transAxes, va="center")
        text.set(color=color, fontsize=8)


def ticks_at(axis: plt.Axes, values: Sequence[float]) -> None:
    """Ticks at these values of the horizontal axis and nowhere else."""
    axis.set_xticks(values, [f"{value:g}" for value in values])
    axis.minorticks_off()


def matrix(axis: plt.Axes, shape: tuple[int, int]) -> None:
    """Axes of a small matrix: a number for every row and column, and no lines."""
    axis.set(xticks=range(shape[1]), yticks=range(shape[0]))
    axis.grid(False)
    axis.tick_params(length=0)


def samples(
    axis: plt.Axes, u: np.ndarray, density: np.ndarray, end: float, **options: Any
) -> None:
    """Points [M, 2] over the density [n, n] on an even grid from −end to end."""
    shown = {"levels": 6, "alpha": 0.55, **options.pop("contours", {})}
    grid = np.linspace(-end, end, len(density))
    axis.contourf(grid, grid, density.T, cmap="Greens", **shown)
    axis.scatter(*u.T, color=COLORS["svnr"], linewidths=0, **options)
    axis.set(xlim=(-end, end), ylim=(-end, end), aspect="equal")
