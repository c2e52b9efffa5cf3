"""Figures of Particle Gather: ways through the plane, and strips of frames."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from svnr.experiments.evaluate import Episodes
from svnr.games.gather import bodies
from svnr.report.figures import kit, training
from svnr.report.style import FULL_WIDTH, INK, OPTIMUM, TRAP, styled

ENDS = {"joint": OPTIMUM, "solo": TRAP, "none": "#9A9A9A"}  # how an episode ended → colour
SHOWN = 12  # episodes of each team whose ways are drawn


def training_curves(curves: pd.DataFrame, panels: Mapping[str, str], title: str) -> plt.Figure:
    """Return against training episode between the optimum, 5, and going alone, −2 (Figure 4d).

    Args:
        curves: rows of game, learner, seed, episode, reward, as `tables.curves` makes them.
        panels: game → title of its panel, in order.
        title: the message.
    """
    return training.training_curves(curves, panels, title, 5, 0, "stay away")


def ends(returns: np.ndarray) -> np.ndarray:
    """How episodes ended, [B] of "joint", "solo" or "none", told by the sign of their returns."""
    return np.select([returns > 0, returns < 0], ["joint", "solo"], "none")


@styled
def ways(teams: Mapping[str, Episodes], radius: float, title: str) -> plt.Figure:
    """Where the two particles go, a panel a team, coloured by how the episode ends.

    Args:
        teams: name → episodes of Particle Gather.
        radius: of the landmark.
        title: the message.
    """
    columns, look = min(6, len(teams)), {"fontsize": 8, "loc": "center"}
    figure, axes = kit.panels(teams, 1.45 * columns, 1.65, columns, 0.6, title, look=look)
    for axis, episodes in zip(axes, teams.values(), strict=True):
        axis.add_patch(plt.Circle((0, 0), radius, color=OPTIMUM, alpha=0.15, linewidth=0))
        axis.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xticks=(), yticks=())
        axis.spines[:].set(visible=True, color=ENDS["none"], linewidth=0.5)
        positions, _ = bodies(torch.as_tensor(episodes.state))  # [T + 1, B, particle, axis]
        for copy, end in enumerate(ends(episodes.returns)[:SHOWN]):
            for path in positions[: episodes.length[copy] + 1, copy].movedim(1, 0):
                axis.plot(*path.T, color=ENDS[end], linewidth=0.8, alpha=0.7)
                axis.plot(*path[0], ".", color=INK, markersize=2.5)
    lines = [plt.Line2D([], [], color=color, label=end) for end, color in ENDS.items()]
    told = f"who is first at the landmark: both, one, nobody; {SHOWN} episodes, dots: starts"
    kit.legend_below(figure, lines, title=told)
    return figure


@styled
def strips(films: Mapping[str, Sequence[np.ndarray]], title: str, n: int = 6) -> plt.Figure:
    """Frames of one episode side by side, a row a team; an even ground about them is cut off.

    Args:
        films: name → the frames [H, W, 3] of an episode, from its start.
        title: the message.
        n: frames shown of each at most, evenly spaced, first and last among them.
    """
    evenly = [np.linspace(0, len(film) - 1, n) for film in films.values()]
    shown = [np.unique(steps.round().astype(int)) for steps in evenly]
    columns = max(map(len, shown))
    titles: list[str | None] = []
    for steps in shown:
        titles += [f"step {step}" for step in steps] + [None] * (columns - len(steps))
    size, look = (FULL_WIDTH + 1, (FULL_WIDTH + 1) / columns), {"fontsize": 7, "loc": "center"}
    window = _painted(list(films.values()))
    figure, axes = kit.panels(titles, *size, columns, 0.4, title, look=look)
    for row, (name, film) in enumerate(films.items()):
        axes[row * columns].set_ylabel(name, fontsize=8)
        for axis, step in zip(axes[row * columns :], shown[row], strict=False):
            axis.imshow(film[step][window])
            axis.set(xticks=(), yticks=())
            axis.spines[:].set(visible=True, color=ENDS["none"], linewidth=0.5)
    told = "Blue and violet: the two particles, with their ways behind them. Green: the landmark."
    kit.caption(figure, f"{told} A push moves a particle one step later.")
    return figure


def _painted(films: Sequence[Sequence[np.ndarray]]) -> tuple[slice, slice]:
    """The square about the middle that holds all that is not the ground, a tenth of it around."""
    frames = np.concatenate([np.stack(film) for film in films])
    painted = (frames != frames[0, 0, 0]).any((0, 3))
    middle = len(painted) // 2
    reach = int(1.1 * abs(np.argwhere(painted) - middle).max(initial=0)) + 1
    side = slice(max(middle - reach, 0), middle + reach)
    return side, side
