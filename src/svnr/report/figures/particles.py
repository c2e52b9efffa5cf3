"""Figures of particles: clouds on their targets, and curves over rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

from svnr.report.figures import kit
from svnr.report.style import COLORS, FULL_WIDTH, INK, NEUTRAL, OPTIMUM, TRAP, styled

BORN = COLORS["svnr_b"]  # particles that births carry
PARTICLES = NEUTRAL["blue"]  # of no learner


@styled
def clouds(
    panels: kit.Samples, density: np.ndarray, half_width: float, title: str, caption: str = ""
) -> plt.Figure:
    """Particles in the plane over the density they should follow, a panel a cloud.

    Args:
        panels: title → particles [M, 2]; those outside the square are not seen. A title that
            begins with negotiation sets gives them these sets' colour.
        density: [n, n] the target on an even grid over ±half_width, first coordinate first.
        half_width: of the square that is shown, at least 4.
        title: the message.
        caption: what was counted.
    """
    figure, axes = kit.panels(panels, FULL_WIDTH, 1.98, 3, 0.5, title, sharex=True, sharey=True)
    for axis, (name, points) in zip(axes, panels.items(), strict=True):
        color = kit.color_of_sets(name, PARTICLES)
        kit.samples(axis, points, density, half_width, s=6, color=color)
        axis.set(xticks=(-4, 0, 4), yticks=(-4, 0, 4))
    kit.label_outer(axes, "u₁", "u₂")
    box = {"facecolor": "white", "lw": 0, "pad": 0.6}
    first = kit.color_of_sets(next(iter(panels)), PARTICLES)
    for height, name, color in ((0.03, "target", OPTIMUM), (0.13, "particles", first)):
        text = axes[0].text(0.03, height, name, transform=axes[0].transAxes)
        text.set(color=color, fontsize=7, bbox=box)
    if caption:
        kit.caption(figure, caption)
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
    caption: str = "",
    band: Any = ("pi", 100),
    colors: Sequence[str] = (),
    floor: float | None = 0.0,
) -> plt.Figure:
    """One line a group, named at its right end; topologies have the same colour everywhere.

    Rows that share their x and their group are drawn as their mean, in a band.

    Args:
        table: rows with the columns x, y and by; a group, named by text, that begins with a
            topology's name has its colour, and dashes if its score is conditional.
        x: column along the horizontal axis.
        y: column along the vertical axis.
        by: column of the groups.
        labels: of the two axes.
        title: the message.
        level: a value that should be met, and its name.
        log: the logarithmic axes: "", "x", "y" or "xy".
        caption: what was counted, and what the band is.
        band: `errorbar` of seaborn, by default from the least to the largest.
        colors: one a group, for those that no topology names; shades of blue by default.
        floor: where a linear y axis begins; None: where the lines do.
    """
    figure, axis = plt.subplots(figsize=(FULL_WIDTH, 2.7))
    ends = [(*level, OPTIMUM)] if level else []
    for height, _, _ in ends:
        kit.level(axis, height, linewidth=0.9)
    few, names = table[x].nunique() <= 10, table[by].unique()
    shades = colors or sns.color_palette("Blues_d", len(names)).as_hex()
    hues = {name: kit.color_of_sets(name, s) for name, s in zip(names, shades, strict=True)}
    sns.lineplot(
        table, x=x, y=y, hue=by, style=by, palette=hues, errorbar=band, legend=False, ax=axis,
        dashes=[(3, 1.5) if "conditional" in name else "" for name in names],
        marker="o" if few else "", markersize=3.5, markeredgewidth=0,
        err_kws={"alpha": 0.15, "lw": 0},
    )  # fmt: skip
    means = table.groupby([by, x])[y].mean().groupby(by).last()
    ends += [(means[name], name, hues[name]) for name in names]
    axis.set(xlabel=labels[0], ylabel=labels[1])
    figure.suptitle(title)
    axis.set(**{f"{letter}scale": "log" for letter in log})
    if "y" not in log:
        axis.set_ylim(bottom=floor)
    if few:
        kit.ticks_at(axis, sorted(table[x].unique()))
    if caption:
        kit.caption(figure, caption)
    kit.name_ends(axis, ends)
    return figure


@styled
def settling(path: np.ndarray, mean: float, deviation: float, caption: str) -> plt.Figure:
    """The paths of particles on a line towards a normal target, and where they end.

    Args:
        path: [steps + 1, M, 1].
        mean: of the target.
        deviation: of the target.
        caption: how many particles, and where they began.
    """
    size = (FULL_WIDTH, 2.7)
    figure, (left, right) = plt.subplots(1, 2, figsize=size, width_ratios=(2.2, 1), sharey=True)
    steps = np.arange(1, len(path))
    left.plot(steps, path[1:, :, 0], color=PARTICLES, linewidth=0.5, alpha=0.6)
    left.axhspan(mean - 2 * deviation, mean + 2 * deviation, color=OPTIMUM, alpha=0.12, lw=0)
    top = mean + 2.1 * deviation
    left.text(1.1, top, "target ± 2 deviations", color=OPTIMUM, va="bottom", fontsize=8)
    left.set(xlabel="step", ylabel="particle", xscale="log")
    figure.suptitle("Particles cross to their target, spread, and come to rest")
    sns.histplot(
        y=path[-1, :, 0], bins=12, stat="density", color=PARTICLES, alpha=0.35, lw=0, ax=right
    )
    x = np.linspace(mean - 4 * deviation, mean + 4 * deviation, 200)
    bell = np.exp(-((x - mean) ** 2) / (2 * deviation**2)) / (deviation * np.sqrt(2 * np.pi))
    right.plot(bell, x, color=OPTIMUM, linewidth=1.4)
    right.set(xlabel="density at the end", xlim=(0, 1.35 * bell.max()))
    for height, name, color in ((2.4, "target", OPTIMUM), (-2.8, "particles", PARTICLES)):
        right.text(0.98, mean + height * deviation, name, color=color, ha="right",
                   transform=right.get_yaxis_transform())  # fmt: skip
    kit.caption(figure, caption)
    return figure


@styled
def in_the_box(panels: kit.Samples, half_width: float, title: str, caption: str) -> plt.Figure:
    """Histograms of one action, over the uniform density on [−1, 1] that was asked for.

    Args:
        panels: name → points [M]; what share lies outside, and the variance, stands in the title.
        half_width: of the line that is shown; points beyond it are not drawn.
        title: the message.
        caption: how many points there are.
    """
    titles = [f"{name}\n{_told(points)}" for name, points in panels.items()]
    figure, axes = kit.panels(titles, FULL_WIDTH + 0.4, 2.1, message=title, sharey=True)
    edges = np.linspace(-half_width, half_width, 17)
    for axis, points in zip(axes, panels.values(), strict=True):
        weights = np.full(len(points), 1 / (len(points) * (edges[1] - edges[0])))
        look = {"bins": edges.tolist(), "color": PARTICLES, "alpha": 0.4, "lw": 0}
        sns.histplot(x=points, weights=weights, ax=axis, **look)
        axis.plot([-1, -1, 1, 1], [0, 0.5, 0.5, 0], color=OPTIMUM)
        axis.set(xticks=(-1, 0, 1), xlim=(-half_width, half_width))
    kit.label_outer(axes, "action", "density")
    axes[0].text(0, 0.53, "target", color=OPTIMUM, ha="center", fontsize=8)
    kit.caption(figure, caption)
    return figure


def _told(points: np.ndarray) -> str:
    """What is wrong with points that should be uniform on [−1, 1], if something is."""
    outside = (abs(points) > 1).mean()
    return (
        f"{outside:.0%} outside" if outside else f"variance {points.var(ddof=1):.3f} (1/3 asked)"
    )


@styled
def best_particle(table: pd.DataFrame, title: str, caption: str) -> plt.Figure:
    """How often negotiated clouds serve their team, against their size.

    Args:
        table: rows of particles, particle 0, best particle: shares of clouds that earn the right
            hill's reward if all execute that particle.
        title: the message.
        caption: how many clouds there were.
    """
    figure, axis = plt.subplots(figsize=(FULL_WIDTH, 2.4))
    x = table["particles"]
    ends = [(1.01, "always the optimum", OPTIMUM), (0.0, "always the trap", TRAP)]
    for column, color in (("best particle", PARTICLES), ("particle 0", INK)):
        axis.plot(x, table[column], "o-", color=color, markersize=4)
        ends.append((table[column].iloc[-1], column, color))
    for height, color in ((1.0, OPTIMUM), (0.0, TRAP)):
        kit.level(axis, height, color, linewidth=0.9, zorder=1)
    axis.set_xscale("log")
    kit.ticks_at(axis, x)
    axis.set(xlabel="particles M", ylabel="share of clouds", ylim=(-0.08, 1.14))
    figure.suptitle(title)
    kit.caption(figure, caption)
    kit.name_ends(axis, ends)
    return figure


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Clouds of particles at one temperature, and where they should be, in the game's units."""

    alpha: float
    exact: float  # π*_α at the right hill
    density: np.ndarray  # [n, n] π*_α over u₁ and u₃, on an even grid over ±10
    clouds: Mapping[str, np.ndarray]  # way → particles [M, 3]; the first by (7.2), then births
    shares: Mapping[str, float]  # way → share of its particles at the right hill


@styled
def cooling(moments: Sequence[Moment], title: str, caption: str) -> plt.Figure:
    """Clouds while α falls over the exact density, in u₁ and u₃: a row a way, a column a moment.

    Args:
        moments: what is shown, the hottest first.
        title: the message.
        caption: the game, and how many particles.
    """
    ways = list(moments[0].clouds)
    cells = [(moment, way) for way in ways for moment in moments]
    titles = [f"{moment.shares[way]:.0%} right" for moment, way in cells]
    size = (FULL_WIDTH + 1.7, 1.55)
    shared: dict = {"sharex": True, "sharey": True}
    figure, axes = kit.panels(titles, *size, len(moments), 0.7, title, **shared)
    told = "Green: π*, and its share at the right hill. Right: particles that the right hill pays."
    kit.caption(figure, f"{told} {caption}")
    for index, (axis, (moment, way)) in enumerate(zip(axes, cells, strict=True)):
        _cloud(axis, moment, way, (COLORS["svnr"], BORN)[ways.index(way)], 4)
        if index < len(moments):
            told = f"α = {moment.alpha:.2g}, π*: {moment.exact:.0%}\n{titles[index]}"
            axis.set_title(told, fontsize=8)
        else:
            axis.set_xlabel("u₁")
        if index % len(moments) == 0:
            axis.set_ylabel(f"{way}\nu₃", fontsize=8)
    return figure


@styled
def cooling_frame(moment: Moment, title: str) -> plt.Figure:
    """One moment of `cooling` as a picture of an animation, a panel a way.

    Args:
        moment: what is shown.
        title: the message; the temperature and the exact share are written behind it.
    """
    titles = [f"{way}: {share:.0%} right" for way, share in moment.shares.items()]
    told = f"{title}\nα = {moment.alpha:.2f}: {moment.exact:.0%} of π* is at the right hill"
    figure, axes = kit.panels(titles, FULL_WIDTH, 2.6, 2, 0.55, told, ("u₁", "u₃"))
    for axis, way, color in zip(axes, moment.clouds, (COLORS["svnr"], BORN), strict=True):
        _cloud(axis, moment, way, color, 9)
    return figure


def _cloud(axis: plt.Axes, moment: Moment, way: str, color: str, size: float) -> None:
    """Particles in u₁ and u₃ over the density they should follow, and the two peaks' names."""
    contours = {"levels": moment.density.max() * np.array([0.02, 0.1, 0.3, 0.6, 1.0])}
    points = moment.clouds[way][:, [0, 2]]
    kit.samples(axis, points, moment.density, 10.0, contours=contours, s=size, color=color)
    axis.set(xticks=(-5, 0, 5), yticks=(-5, 0, 5))
