"""Figures of the picture to play with, where nothing moves."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import QuadMesh
from matplotlib.colors import LinearSegmentedColormap

from svnr.report.figures import kit
from svnr.report.playground import Landscape
from svnr.report.style import FULL_WIDTH, INK, NEUTRAL, OPTIMUM, TRAP, styled

_SIDES = LinearSegmentedColormap.from_list("sides", [TRAP, "white", OPTIMUM])
_COLORS = {"shared": INK, "independent": NEUTRAL["blue"], "greedy": OPTIMUM}  # of executions
_TICKS = (0.3, 1, 3, 10)  # temperatures


@styled
def boltzmann_sides(land: Landscape, width: float, title: str) -> plt.Figure:
    """Which hill holds more of π*_α over widths and temperatures, and what it earns at one width.

    Args:
        land: the exact numbers.
        width: s₂ of the right panel, one of `land.widths`.
        title: the message.
    """
    names = ("The right hill's share of π*", f"What the team earns, s₂ = {width:g}")
    figure, (left, right) = kit.panels(names, FULL_WIDTH + 1.7, 2.9, message=title, look={})
    figure.colorbar(
        _map(left, land, width), ax=left, ticks=(0, 0.5, 1), format="{x:.0%}", pad=0.02
    )
    _earned(right, land, list(land.widths).index(width))
    for axis in (left, right):
        axis.set(xscale="log", xlabel="temperature α", xlim=land.alphas[[0, -1]])
        kit.ticks_at(axis, _TICKS)
    return figure


def _map(axis: plt.Axes, land: Landscape, width: float) -> QuadMesh:
    """Shares as colours, and the border on which the hills hold alike."""
    look: dict = {"cmap": _SIDES, "vmin": 0, "vmax": 1, "shading": "nearest", "rasterized": True}
    cells = axis.pcolormesh(land.alphas, land.widths, land.mass, alpha=0.75, **look)
    axis.plot(land.border, land.widths, color=INK, linewidth=1.6)
    kit.level(axis, width, INK)
    for x, y, side in ((0.08, 0.75, "right"), (0.97, 0.1, "wrong")):
        text = axis.text(x, y, f"{side} hill\nholds more", transform=axis.transAxes, fontsize=8)
        text.set(ha="left" if x < 0.5 else "right")
    axis.set(ylabel="width s₂ of the right hill", ylim=land.widths[[0, -1]])
    axis.grid(False)
    return cells


def _earned(axis: plt.Axes, land: Landscape, row: int) -> None:
    """A line a way of execution, and where the hills change sides."""
    ends = []
    for way, color in _COLORS.items():
        axis.plot(land.alphas, land.earned[way][row], color=color)
        ends.append((float(land.earned[way][row, -1]), way, color))
    if np.isfinite(land.border[row]):
        axis.axvline(land.border[row], color=INK, linewidth=0.8, linestyle=(0, (4, 2)))
        text = axis.text(land.border[row], 0.04, "half at each hill ", fontsize=8, ha="right")
        text.set(transform=axis.get_xaxis_transform())
    axis.set(ylim=(-12.5, 11), ylabel="expected reward")
    axis.set_xlim(land.alphas[0], land.alphas[-1])
    kit.name_ends(axis, ends)
