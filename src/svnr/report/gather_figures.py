"""Figures of Particle Gather: ways through the plane, and strips of frames."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from svnr.experiments.evaluate import Episodes
from svnr.games.gather import bodies
from svnr.report import figures
from svnr.report.style import FULL_WIDTH, INK, OPTIMUM, TRAP, styled

ENDS = {"joint": OPTIMUM, "solo": TRAP, "none": "#9A9A9A"}  # how an episode ended → colour


def training_curves(curves: pd.DataFrame, panels: Mapping[str, str], title: str) -> Figure:
    """Return against training episode between the optimum, 5, and going alone, −2 (Figure 4d).

    Args:
        curves: rows of game, learner, seed, episode, reward, as `tables.curves` makes them.
        panels: game → title of its panel, in order.
        title: the message.
    """
    return figures.training_curves(
        curves, panels, title, optimum=5, trap=0, trap_name="stay away", limits=(-2.2, 5.6)
    )


def ends(episodes: Episodes) -> np.ndarray:
    """How each episode ended, [B] of "joint", "solo" or "none", told by the sign of its return."""
    return np.select([episodes.returns > 0, episodes.returns < 0], ["joint", "solo"], "none")


@styled
def ways(teams: Mapping[str, Episodes], radius: float, title: str, n_shown: int = 12) -> Figure:
    """Where the two particles go, a panel a team, coloured by how the episode ends.

    Args:
        teams: name → episodes of Particle Gather.
        radius: of the landmark.
        title: the message.
        n_shown: episodes drawn of each team.
    """
    columns = min(6, len(teams))
    rows = -(-len(teams) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(1.45 * columns, 1.65 * rows + 0.6), squeeze=False
    )
    for axis, (name, episodes) in zip(axes.flat, teams.items(), strict=False):
        _plane(axis, radius)
        positions, _ = bodies(torch.as_tensor(episodes.state))  # [T + 1, B, particle, axis]
        for copy, end in enumerate(ends(episodes)[:n_shown]):
            for path in positions[: episodes.length[copy] + 1, copy].movedim(1, 0):
                axis.plot(*path.T, color=ENDS[end], linewidth=0.8, alpha=0.7)
                axis.plot(*path[0], ".", color=INK, markersize=2.5)
        axis.set_title(name, loc="center", fontsize=8)
    for axis in axes.flat[len(teams) :]:
        axis.set_visible(False)
    handles = [plt.Line2D([], [], color=color, label=end) for end, color in ENDS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, title="first contact")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


def _plane(axis: Axes, radius: float, half_width: float = 1.2) -> None:
    axis.add_patch(plt.Circle((0, 0), radius, color=OPTIMUM, alpha=0.15, linewidth=0))
    limits = (-half_width, half_width)
    axis.set(xlim=limits, ylim=limits, aspect="equal", xticks=(), yticks=())


@styled
def strips(films: Mapping[str, Sequence[np.ndarray]], title: str, n_frames: int = 6) -> Figure:
    """Frames of one episode side by side, a row a team.

    Args:
        films: name → the frames [H, W, 3] of an episode, from its start.
        title: the message.
        n_frames: frames shown of each at most, evenly spaced, first and last among them.
    """
    shown = {
        name: np.unique(np.linspace(0, len(film) - 1, n_frames).round().astype(int))
        for name, film in films.items()
    }
    columns = max(len(steps) for steps in shown.values())
    side = (FULL_WIDTH + 1) / columns
    figure, axes = plt.subplots(
        len(films), columns, figsize=(FULL_WIDTH + 1, len(films) * side + 0.4), squeeze=False
    )
    for row, (name, film) in zip(axes, films.items(), strict=True):
        for axis, step in zip(row, shown[name], strict=False):
            axis.imshow(film[step])
            axis.set(xticks=(), yticks=())
            axis.set_title(f"step {step}", fontsize=7, loc="center")
        for axis in row[len(shown[name]) :]:
            axis.set_visible(False)
        row[0].set_ylabel(name, fontsize=8)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure
