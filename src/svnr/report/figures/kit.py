"""What every figure shares: panels and their message, levels, names, keys, densities."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, zip_longest
from textwrap import wrap
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.patheffects import withStroke

from svnr.experiments.catalogue import LEARNERS
from svnr.report.style import COLORS, DASHES, INK, NEUTRAL, OPTIMUM

Samples = Mapping[str, np.ndarray]  # title of a panel → points
TOPOLOGIES = {  # whatever is drawn of negotiation sets has the colour of their learner
    "strict": COLORS["svnr"], "full": COLORS["svnr_f"], "empty": COLORS["svnr_m"],
    "star": NEUTRAL["blue"], "chain": NEUTRAL["green"], "ring": NEUTRAL["violet"],
}  # fmt: skip
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
        figure.suptitle(message)
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


def legible(*artists: Artist) -> None:
    """A white rim around what is written or drawn over dots."""
    for artist in artists:
        artist.set_path_effects([withStroke(linewidth=2.2, foreground="white")])


def line_of(learner: str) -> dict[str, Any]:
    """A method's colour, dashes and name."""
    dashes = DASHES.get(learner, "solid")
    return {"color": COLORS[learner], "linestyle": dashes, "label": LEARNERS[learner].title}


def color_of_sets(name: str, otherwise: str) -> str:
    """The colour of what is named by its negotiation sets first: "full sets", "strict, joint"."""
    return TOPOLOGIES.get(name.replace(",", " ").split()[0], otherwise)


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
    for k, (height, (_, name, color)) in enumerate(zip(heights, placed, strict=True)):
        highest = 1.0 - gap * (len(heights) - 1 - k)  # room for those above
        text = axis.text(1.015, min(height, highest), name, transform=axis.transAxes, va="center")
        text.set(color=color, fontsize=8)


def caption(figure: plt.Figure, text: str) -> None:
    """Lines below the figure: what was counted, how many, and what the spread is of."""
    lines = wrap(text, int(19 * figure.get_figwidth()))
    needed = 0.06 + 0.15 * len(lines)  # inches
    height = figure.get_figheight() + needed
    figure.set_figheight(height)
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0, needed / height, 1, 1 - needed / height))
    told = figure.text(0.01, 0.03 / height, "\n".join(lines), va="bottom")
    told.set(fontsize=7, color=INK, linespacing=1.35)


def ticks_at(axis: plt.Axes, values: Sequence[float]) -> None:
    """Ticks at these values of the horizontal axis and nowhere else."""
    axis.set_xticks(values, [f"{value:g}" for value in values])
    axis.minorticks_off()


def matrix(axis: plt.Axes, cells: np.ndarray, written: np.ndarray, **look: Any) -> None:
    """A small matrix [A_1, A_2]: actions of A down, of B across, and something written in each.

    Args:
        axis: where it is drawn.
        cells: [A_1, A_2] numbers that colours stand for.
        written: [A_1, A_2] what is written, as text.
        look: colours, as `seaborn.heatmap` wants them.
    """
    shown = {
        "cbar": False,
        "square": True,
        "linewidths": 1.5,
        "annot_kws": {"fontsize": 12 - 2 * len(cells)},
    }
    sns.heatmap(cells, annot=written, fmt="", ax=axis, **shown, **look)
    axis.tick_params(length=0)
    axis.set_yticklabels(axis.get_yticklabels(), rotation=0)


def samples(
    axis: plt.Axes, u: np.ndarray, density: np.ndarray, end: float, **options: Any
) -> None:
    """Points [M, 2] over the density [n, n] on an even grid from −end to end."""
    shown = {"levels": 6, "alpha": 0.55, **options.pop("contours", {})}
    grid = np.linspace(-end, end, len(density))
    axis.contourf(grid, grid, density.T, cmap="Greens", **shown)
    axis.scatter(*u.T, linewidths=0, **{"color": COLORS["svnr"], **options})
    axis.set(xlim=(-end, end), ylim=(-end, end), aspect="equal")
