"""Figures of teams of many: what they reach and what they cost, and the graph behind them."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import LogLocator

from svnr.report.figures import kit
from svnr.report.style import COLORS, FULL_WIDTH, INK, NEUTRAL, OPTIMUM, styled

_PARTS, _ONE, _FEW = "solid", (0, (3, 1.5)), (0, (1, 1))  # dashes: another critic or kernel
SETS: dict[str, tuple[str, Any]] = {  # kind of sets → colour and dashes
    "partners": (COLORS["svnr"], _PARTS),
    "strict": (INK, _PARTS),
    "predecessor": (NEUTRAL["violet"], _PARTS),
    "none": (NEUTRAL["grey"], _PARTS),
    "window of 4": (NEUTRAL["blue"], _PARTS),
    "star": (NEUTRAL["green"], _PARTS),
    "strict, one network": (INK, _ONE),
    "partners, one network": (COLORS["svnr"], _ONE),
    "partners, kernel on all": (COLORS["svnr_f"], _FEW),
}


@styled
def by_team(
    rows: pd.DataFrame,
    label: str,
    title: str,
    levels: Mapping[str, tuple[float, str]] | None = None,
    log: bool = False,
) -> plt.Figure:
    """A number against the number of agents, a line a kind of sets through the medians of seeds.

    Args:
        rows: of sets (one of `SETS`), n, value; a dot each.
        label: what the value is.
        title: the message.
        levels: name → height and colour of what it is held against.
        log: whether values are shown on a logarithmic axis.

    A line that ends before the largest team says so in its name; dots are set apart sideways.
    """
    figure, axis = plt.subplots(figsize=(FULL_WIDTH, 3.0))
    places = {n: i for i, n in enumerate(sorted(rows["n"].unique()))}
    kinds = [name for name in SETS if name in set(rows["sets"])]
    ends = []
    for shift, name in zip(np.linspace(-0.12, 0.12, len(kinds)), kinds, strict=True):
        color, dashes = SETS[name]
        part = rows[rows["sets"] == name]
        middle = part.groupby("n")["value"].median()
        axis.plot([places[n] + shift for n in middle.index], middle, color=color, linestyle=dashes)
        axis.plot(part["n"].map(places) + shift, part["value"], "o", color=color, markersize=3)
        last = middle.index[-1]
        told = name if last == max(places) else f"{name}, to {last}"
        ends.append((float(middle[last]), told, color))
    if log:
        axis.set_yscale("log")
        axis.yaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter="{x:g}")
        axis.minorticks_off()
    for name, (height, color) in (levels or {}).items():
        kit.level(axis, height, color)
        ends.append((height, name, color))
    axis.set(xlabel="number of agents", ylabel=label, xlim=(-0.3, len(places) - 0.7))
    axis.set_xticks(list(places.values()), [str(n) for n in places])
    figure.suptitle(title)
    kit.name_ends(axis, ends, gap=0.07)
    kit.caption(figure, "Lines go through medians; kinds are set apart sideways.")
    return figure


@styled
def by_kind(
    rows: pd.DataFrame, label: str, title: str, levels: Mapping[str, tuple[float, str]]
) -> plt.Figure:
    """A number against the number of agents, a panel a kind of sets, a dot a seed.

    Args:
        rows: of sets (one of `SETS`), n, value.
        label: what the value is.
        title: the message.
        levels: name → height and colour of what it is held against.
    """
    kinds, columns = [name for name in SETS if name in set(rows["sets"])], 5
    places = {n: i for i, n in enumerate(sorted(rows["n"].unique()))}
    figure, axes = kit.panels(
        [name.replace(", ", ",\n") for name in kinds], FULL_WIDTH + 1.5, 1.6,
        min(columns, len(kinds)), 0.4, title, sharex=True, sharey=True,
    )  # fmt: skip
    for place, (axis, name) in enumerate(zip(axes, kinds, strict=True)):
        part = rows[rows["sets"] == name].assign(place=lambda row: row["n"].map(places))
        middle = part.groupby("place")["value"].median()
        axis.plot(middle.index, middle, color=SETS[name][0], linewidth=1.2)
        axis.plot(part["place"], part["value"], "o", color=SETS[name][0], markersize=4, alpha=0.7)
        for height, color in levels.values():
            kit.level(axis, height, color, zorder=1)
        axis.set_xticks(list(places.values()), [str(n) for n in places])
        axis.set(xlim=(-0.5, len(places) - 0.5))
        axis.tick_params(labelbottom=place + columns >= len(axes))
        axis.set_xlabel("agents" * (place + columns >= len(axes)))
    named = [(height, name, color) for name, (height, color) in levels.items()]
    kit.name_ends(axes[min(columns, len(axes)) - 1], named, gap=0.12)
    figure.supylabel(label, fontsize=9)
    kit.caption(figure, "A dot is one seed; lines go through medians.")
    return figure


@styled
def found_graph(
    strength: np.ndarray, order: Sequence[int], found: pd.DataFrame, title: str
) -> plt.Figure:
    """Who acts on whom by a critic's mixed differences, and how many plays it takes to tell.

    Args:
        strength: [N, N] of every pair.
        order: in which the chain is planted.
        found: rows of n, plays (an agent), share of the planted edges among the strongest pairs.
        title: the message.
    """
    figure, axes = plt.subplots(1, 3, figsize=(FULL_WIDTH + 1.8, 2.6), width_ratios=(1, 1, 1.15))
    hidden = np.asarray(strength)[np.ix_(order, order)]
    for axis, table, name in zip(
        axes, (strength, hidden), ("by the agents' numbers", "in the planted order"), strict=False
    ):
        axis.imshow(np.sqrt(table), cmap="Oranges", interpolation="nearest")
        axis.grid(False)
        axis.set(title=name, xticks=(), yticks=(), xlabel="agent")
    axes[0].set_ylabel("agent")
    sizes = found.groupby("n")
    shades = np.linspace(0.3, 1, sizes.ngroups)
    for marker, shade, (n, rows) in zip("osD^v*", shades, sizes, strict=False):
        middle = rows.groupby("plays")["share"].mean()
        line: dict = {"color": COLORS["svnr"], "alpha": shade, "marker": marker, "markersize": 4}
        axes[2].semilogx(middle.index, middle, **line, label=n)
    kit.level(axes[2], 1.0, OPTIMUM)
    kit.ticks_at(axes[2], sorted(found["plays"].unique()))
    axes[2].set(xlabel="random plays an agent", title="planted edges found")
    axes[2].yaxis.set_major_formatter("{x:.0%}")
    axes[2].legend(title="agents", loc="lower right")
    figure.suptitle(title)
    tries = found.groupby(["n", "plays"]).size().max()
    kit.caption(
        figure,
        "Left and middle: √Υ of each pair, dark is strong, white none; one seed. Right: the mean "
        f"of {tries} seeds of random play.",
    )
    return figure
