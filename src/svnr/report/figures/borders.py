"""Figures of where methods stop: a map of who ends at the right hill, and the yardstick for it."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from svnr.experiments.catalogue import LEARNERS
from svnr.report.borders import borders
from svnr.report.figures import kit
from svnr.report.statistics import ENOUGH_SEEDS
from svnr.report.style import COLORS, FULL_WIDTH, INK, NEUTRAL, OPTIMUM, TRAP, styled

Columns = Mapping[str, str]  # game → what its column is called
_PALE, _GAP = 0.06, 0.5  # of a cell without a success; between kinds of methods, in rows
_ROW = 0.21  # inches
_TOP = 14.0  # temperatures that are shown


@styled
def success_map(
    cells: pd.DataFrame,
    yardsticks: pd.DataFrame,
    panels: Mapping[str, Columns],
    steps: Sequence[float],
    title: str,
) -> plt.Figure:
    """Who ends at the right hill, seeds by colour; above it α_c, and the share of the box.

    A row is a bar in its method's colour, which fades where its seeds fail; a black end says up to
    where most of them succeed.

    Args:
        cells: rows of learner, game, right, n, alpha, as `borders.reach` makes and orders them.
        yardsticks: game → share, alpha_c, as `borders.yardsticks` makes them.
        panels: what is varied → its games, the easiest first.
        steps: temperatures at which the schedule rests.
        title: the message.
    """
    widths, rows = [len(columns) for columns in panels.values()], _rows(cells)
    heights = (1.1, _ROW * (max(rows.values()) + 1))
    figure, axes = plt.subplots(
        2, len(panels), figsize=(FULL_WIDTH + 2.0, 1.0 + sum(heights)), width_ratios=widths,
        height_ratios=heights, squeeze=False, sharex="col", sharey="row",
    )  # fmt: skip
    for (above, below), (label, columns) in zip(axes.T, panels.items(), strict=True):
        _temperatures(above, yardsticks.loc[list(columns)], steps)
        _cells(below, cells, rows, columns)
        _borders(below, cells, rows, columns)
        below.set_xlabel(label)
    _name_kinds(axes[1, -1], cells, rows)
    _name_sides(axes[0, widths.index(max(widths))])
    axes[0, 0].set_ylabel("temperature α")
    axes[1, 0].set_ylabel("seeds that end right")
    figure.suptitle(title)
    told = "Black: the last column that most seeds reach, where the next was run"
    few = "; dotted: of few" if (cells["n"] < ENOUGH_SEEDS).any() else ""
    kit.caption(figure, f"{_told(cells)} {told}{few}.")
    return figure


def _rows(cells: pd.DataFrame) -> dict[str, float]:
    """Learner → the height of its row, with a gap between those with a temperature and others."""
    soft = cells.groupby("learner", sort=False)["alpha"].first().notna()
    return {learner: i + _GAP * (not soft[learner]) for i, learner in enumerate(soft.index)}


def _temperatures(axis: plt.Axes, known: pd.DataFrame, steps: Sequence[float]) -> None:
    """α_c by game, the sides it parts, the schedule's steps, and the shares of the box on top."""
    x, top = np.arange(len(known)), known["alpha_c"].clip(upper=2 * _TOP).to_numpy()
    edges, out = np.r_[-0.5, x, len(x) - 0.5], np.r_[top[:1], top, top[-1:]]
    axis.fill_between(edges, out, 2 * _TOP, color=TRAP, alpha=0.10, linewidth=0)
    axis.fill_between(edges, 0.1, out, color=OPTIMUM, alpha=0.10, linewidth=0)
    axis.plot(x, top, "o-", color=OPTIMUM, markersize=3.5, linewidth=1.4)
    for step in steps:
        kit.level(axis, step, INK, linewidth=0.6)
    axis.set(yscale="log", ylim=(0.2, _TOP), yticks=steps, yticklabels=[f"{s:g}" for s in steps])
    axis.minorticks_off()
    axis.tick_params(axis="x", length=0, labelbottom=False)
    axis.grid(False)
    shares = axis.secondary_xaxis("top")
    shares.set_xticks(x, [f"{share:.0%}" for share in known["share"]], fontsize=7)
    place: Any = axis.get_subplotspec()
    name = "share of the box at which the right hill pays" if place.is_first_col() else " "
    shares.set_xlabel(name, fontsize=8)


def _name_sides(axis: plt.Axes) -> None:
    """Which hill holds more of the Boltzmann policy, beyond α_c and short of it."""
    for place, name, color in (((0.98, 0.84), "wrong", TRAP), ((0.98, 0.24), "right", OPTIMUM)):
        text = axis.text(*place, f"{name} hill holds more of π*", transform=axis.transAxes)
        text.set(color=color, fontsize=7, ha="right", va="center")


def _cells(
    axis: plt.Axes, cells: pd.DataFrame, rows: Mapping[str, float], columns: Columns
) -> None:
    """A cell a method and game, with how many seeds end right, of how many if these are fewer.

    Runs that are not there: a dot.
    """
    found, most = cells.set_index(["learner", "game"])[["right", "n"]], cells["n"].max()
    for learner, y in rows.items():
        for x, game in enumerate(columns):
            known = (learner, game) in found.index
            right, n = found.loc[learner, game].astype(int) if known else (0, 0)
            told = f"{right}" if n == most else f"{right}/{n}" if n else "·"
            _cell(axis, (x, y), COLORS[learner], right / n if n else None, told)
    names = [LEARNERS[learner].title for learner in rows]
    axis.set(xlim=(-0.5, len(columns) - 0.5), ylim=(max(rows.values()) + 0.5, -0.5))
    axis.set_xticks(range(len(columns)), columns.values())
    axis.set_yticks(list(rows.values()), names)
    axis.grid(False)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)


def _borders(
    axis: plt.Axes, cells: pd.DataFrame, rows: Mapping[str, float], columns: Columns
) -> None:
    """A black end behind the last column that a method reaches, where the next one was run.

    It is dotted where either column has fewer than `ENOUGH_SEEDS`.
    """
    games, seeds = list(columns), cells.set_index(["learner", "game"])["n"]
    look: dict = {"color": INK, "linewidth": 2.2, "zorder": 3, "clip_on": False}
    for learner, n in borders(cells, games).items():
        if 0 < n < len(games) and (learner, games[n]) in seeds.index:
            ends = [rows[str(learner)] - 0.4, rows[str(learner)] + 0.4]
            few = min(seeds[learner, game] for game in games[n - 1 : n + 1]) < ENOUGH_SEEDS
            axis.plot([n - 0.5] * 2, ends, linestyle=(0, (1, 0.8)) if few else "solid", **look)


def _cell(
    axis: plt.Axes, place: tuple[float, float], color: str, share: float | None, told: str
) -> None:
    """One cell: a share as the depth of the colour, and in words; white where there is none."""
    (x, y), depth = place, 0.0 if share is None else _PALE + (1 - _PALE) * share
    face = 1 - depth * (1 - np.array(to_rgb(color)))
    axis.add_patch(Rectangle((x - 0.5, y - 0.42), 1, 0.84, facecolor=face, linewidth=0))
    text = axis.text(x, y, told, ha="center", va="center", fontsize=7)
    text.set_color("#A0A0A0" if not share else "white" if face.mean() < 0.62 else INK)


def _name_kinds(axis: plt.Axes, cells: pd.DataFrame, rows: Mapping[str, float]) -> None:
    """At the right edge: which rows have a temperature, where it ends, and which have none."""
    alphas = cells.groupby("learner", sort=False)["alpha"].first()
    kinds = (alphas.notna(), "soft, ends\nat α = {:g}"), (alphas.isna(), "without\ntemperature")
    place = axis.get_yaxis_transform()
    for chosen, told in kinds:
        heights = [rows[learner] for learner in alphas.index[chosen]]
        if heights:
            words = told.format(alphas[chosen].median())
            text = axis.text(1.02, sum(heights) / len(heights), words, transform=place)
            text.set(ha="left", va="center", fontsize=7, color=INK)


@styled
def outcomes(panels: Mapping[str, tuple[pd.DataFrame, Columns]], title: str) -> plt.Figure:
    """Who ends right, in the cells of `success_map` but without its yardsticks.

    Args:
        panels: title of a panel → its cells, as `borders.reach` makes them, and its games.
        title: the message.
    """
    rows = _rows(pd.concat([cells for cells, _ in panels.values()]))
    size = (FULL_WIDTH + 2.0, 0.9 + _ROW * (max(rows.values()) + 1))
    widths = [len(columns) for _, columns in panels.values()]
    figure, axes = kit.panels(panels, *size, message=title, sharey=True, width_ratios=widths)
    for axis, (cells, columns) in zip(axes, panels.values(), strict=True):
        _cells(axis, cells, rows, columns)
    every = pd.concat([cells for cells, _ in panels.values()])
    _name_kinds(axes[-1], every, rows)
    kit.caption(figure, _told(every))
    return figure


def _told(cells: pd.DataFrame) -> str:
    """What a number in a cell says."""
    fewer = " or of as many as stand behind the stroke" if cells["n"].nunique() > 1 else ""
    every = cells["learner"].nunique() * cells["game"].nunique()
    whole = len(cells.drop_duplicates(["learner", "game"])) == every
    dots = "" if whole else "; a dot: not run"
    return f"Seeds that end right, of {cells['n'].max()}{fewer}{dots}."


@styled
def sides(
    exact: pd.DataFrame, taken: pd.DataFrame, followed: pd.DataFrame, title: str
) -> plt.Figure:
    """The right hill's share: of the Boltzmann policy by α, and of what teams play in training.

    Args:
        exact: rows of name, alpha, share: a line a name.
        taken: rows of learner, episode, share, as `borders.sides` makes them.
        followed: rows of episode, share: the Boltzmann policy at the temperatures of these runs.
        title: the message.
    """
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(FULL_WIDTH + 1.8, 2.9), width_ratios=(1, 1.5), sharey=True
    )
    names = exact.groupby("name", sort=False)
    shades = np.linspace(0.3, 1, names.ngroups)
    for (name, rows), shade in zip(names, shades, strict=True):
        look: dict = {"color": OPTIMUM, "alpha": shade, "label": str(name)}
        left.semilogx(rows["alpha"], rows["share"], **look, linewidth=1.3)
    kit.level(left, 0.5, INK)
    left.set(xlabel="temperature α", ylabel="share of the right hill", ylim=(-0.03, 1.05))
    left.set_title("Boltzmann policies, by s₂")
    left.legend(title="s₂", loc="lower left", ncols=2, fontsize=7, handlelength=1.2)
    right.plot(followed["episode"], followed["share"], color=INK, linewidth=3, alpha=0.3)
    for learner, rows in taken.groupby("learner", sort=False):
        look = kit.line_of(str(learner)) | {"linewidth": 1.3}
        right.plot(rows["episode"], rows["share"], **look)
    right.set(xlabel="training episode")
    right.set_title("What teams play")
    kit.name_ends(right, _last_of(taken), gap=0.07)
    figure.suptitle(title)
    kit.caption(
        figure,
        "Right: the share of joint actions at which the right hill pays, in the last 100 episodes "
        "of one seed a method; grey: the Boltzmann policy at the temperature of that moment.",
    )
    return figure


def _last_of(taken: pd.DataFrame) -> list[tuple[float, str, str]]:
    """Height, name and colour of each learner's line at its end."""
    lasts = taken.groupby("learner", sort=False)["share"].last()
    return [(y, LEARNERS[str(name)].title, COLORS[str(name)]) for name, y in lasts.items()]


@styled
def carried(table: pd.DataFrame, title: str) -> plt.Figure:
    """The right hill's share among particles while α falls, beside the exact one; a panel a game.

    Args:
        table: rows of game (its title), update, alpha, share; the update "exact" is the target.
        title: the message.
    """
    games = table.groupby("game", sort=False)
    names, size = [str(name) for name, _ in games], (FULL_WIDTH + 1.0, 2.5)
    figure, axes = kit.panels(names, *size, message=title, look={}, sharey=True)
    for axis, (_, rows) in zip(axes, games, strict=True):
        ours = product((NEUTRAL["blue"], COLORS["svnr_b"]), "v^")  # walks, jumps; with births ^
        looks = iter([(COLORS["svnr"], "s"), *ours])
        for update, part in rows.groupby("update", sort=False):
            x, y = part["alpha"], part["share"]
            if update == "exact":
                axis.plot(x, y, color=INK, linewidth=3, alpha=0.3, label="exact")
            else:
                color, marker = next(looks)
                axis.plot(x, y, marker, color=color, markersize=4, label=str(update))
        axis.set(xscale="log", ylim=(-0.03, 1.05))
        axis.invert_xaxis()
    kit.label_outer(axes, "temperature α, falling", "share of the right hill")
    kit.legend_below(figure)
    return figure
