"""Figures of joint actions: visited while training, perceived by an agent, executed by a team."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from mpl_toolkits.mplot3d import Axes3D

from svnr.experiments.catalogue import LEARNERS
from svnr.report.figures import kit
from svnr.report.style import FULL_WIDTH, INK, NEUTRAL, OPTIMUM, TRAP, styled

Place = Sequence[float]  # the three coordinates of a hill, in the game's units


@styled
def visited_actions(visits: pd.DataFrame, title: str, peaks: Mapping[str, Place]) -> plt.Figure:
    """Joint actions of three agents in space, coloured by reward, a panel a learner (Figs 5, 7).

    Args:
        visits: rows of learner, u_1, u_2, u_3, reward, as `tables.visits` makes them.
        title: the message.
        peaks: name of a hill → its three coordinates in the game's units.
    """
    learners = visits.groupby("learner", sort=False)
    figure, axes, strip = _panels_in_space(len(learners))
    dots: dict = {"s": 3, "alpha": 0.7, "lw": 0, "rasterized": True}
    for axis, (learner, rows) in zip(axes, learners, strict=True):
        *u, reward = rows.sort_values("reward")[["u_1", "u_2", "u_3", "reward"]].to_numpy().T
        points = axis.scatter(*u, c=reward, vmin=-20, vmax=10, **dots)
        _peaks_in_space(axis, peaks)
        axis.set_title(LEARNERS[str(learner)].title, loc="center", pad=-6)
    figure.colorbar(points, cax=strip, extend="min").set_label("team reward")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def _panels_in_space(n: int) -> tuple[plt.Figure, list, plt.Axes]:
    """A row of n three-dimensional axes, `side` inches each, and a strip for a colour bar."""
    side, margin = 2.3, 0.9
    width = n * side + margin
    figure = plt.figure(figsize=(width, side + 0.45), layout="none")
    height = side / (side + 0.45)
    places = [(i * side / width, 0.01, side / width, height) for i in range(n)]
    axes: list = [figure.add_axes(p, projection="3d", computed_zorder=False) for p in places]
    for axis in axes:
        axis.set_box_aspect(None, zoom=0.9)
        axis.patch.set_visible(False)  # an axis label may reach into the neighbour's place
    return figure, axes, figure.add_axes((1 - 0.75 * margin / width, 0.2, 0.12 / width, 0.55))


def _peaks_in_space(axis: Axes3D, peaks: Mapping[str, Place]) -> None:
    for (name, (x, y, z)), color in zip(peaks.items(), (OPTIMUM, TRAP), strict=False):
        axis.scatter(x, y, z, marker="x", color=color, s=45, linewidths=1.6, zorder=5)
        axis.text(x, y, z + 3.2, name, color=color, fontsize=7, ha="center", zorder=6)
    limits, ticks = (-10, 10), (-5, 0, 5)
    axis.set(xlim=limits, ylim=limits, zlim=limits, xticks=ticks, yticks=ticks, zticks=ticks)
    axis.tick_params(labelsize=6, pad=-3)
    for put, label in ((axis.set_xlabel, "u₁"), (axis.set_ylabel, "u₂"), (axis.set_zlabel, "u₃")):
        put(label, labelpad=-8, fontsize=8)
    axis.view_init(elev=22, azim=-60)


@styled
def perceived_policies(panels: kit.Samples, density: np.ndarray, title: str) -> plt.Figure:
    """Samples of perceived joint policies over the exact one, in u₁ and u₃ (Figure 3).

    Args:
        panels: title → joint actions [M, 3] in the game's units.
        density: [n, n] the exact policy over u₁ and u₃, on an even grid over ±10.
        title: the message.
    """
    columns, size = min(len(panels), 5), (FULL_WIDTH + 1.5, 1.55)
    figure, axes = kit.panels(panels, *size, columns, 0.65, title, ("u₁", "u₃"))
    contours = {"levels": density.max() * np.array([0.02, 0.1, 0.3, 0.6, 1.0]), "alpha": 0.6}
    for axis, u in zip(axes, panels.values(), strict=True):
        u = u[:, [0, 2]]
        kit.samples(axis, u, density, 10.0, contours=contours, s=3, alpha=0.4, rasterized=True)
    return figure


@styled
def sampled_teams(
    panels: kit.Samples, density: np.ndarray, title: str, caption: str
) -> plt.Figure:
    """Joint actions of two agents over the density they should follow, one panel a team.

    Args:
        panels: title, which begins with the negotiation sets, → samples [M, 2] in [−1, 1].
        density: [n, n] the target on an even grid over the box, agent 1 first.
        title: the message.
        caption: how many samples there are.
    """
    shared: dict = {"sharex": True, "sharey": True}
    figure, axes = kit.panels(panels, FULL_WIDTH + 0.6, 2.6, message=title, **shared)
    for axis, (name, u) in zip(axes, panels.items(), strict=True):
        color = kit.color_of_sets(name, INK)
        kit.samples(axis, u, density, 1.0, s=4, alpha=0.6, color=color, rasterized=True)
        axis.set(xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    kit.label_outer(axes, "u₁", "u₂")
    kit.caption(figure, caption)
    return figure


@styled
def own_actions(
    worths: pd.DataFrame, ends: Mapping[str, Sequence[float]], title: str
) -> plt.Figure:
    """What agents believe each action of their own to be worth, and where their actors ended.

    Args:
        worths: the exact worth, then each team's belief, at the actions in the index.
        ends: team → the actions at which its actors ended, dots on its belief.
        title: the message.
    """
    figure, axis = plt.subplots(figsize=(FULL_WIDTH + 0.6, 3.1))
    colors = (INK, *NEUTRAL.values())
    for name, color in zip(worths, colors, strict=False):
        width, alpha = (2.6, 0.45) if color == INK else (1.3, 1.0)
        axis.plot(
            worths.index, worths[name], color=color, label=name, linewidth=width, alpha=alpha
        )
        reached = ends.get(name, ())
        heights = np.interp(reached, worths.index, worths[name])
        axis.plot(reached, heights, "o", color=color, markersize=6, zorder=3)
    axis.axvline(0.0, color=INK, linewidth=0.8, linestyle=(0, (4, 2)), zorder=0)
    axis.annotate("start", (0.0, 1.0), (3, -9), axis.get_xaxis_transform(), "offset points")
    axis.set(xlabel="own action of an agent", ylabel="believed worth", ylim=(-20, 12), title=title)
    kit.legend_below(figure)
    return figure
