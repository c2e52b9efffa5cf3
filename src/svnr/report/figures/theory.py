"""Figures of finite games: what is paid, what is believed, what is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from svnr.report.figures import kit
from svnr.report.style import COLORS, FULL_WIDTH, INK, NEUTRAL, OPTIMUM, TRAP, styled

_CELLS = (("PiYG", "{:g}"), ("Oranges", "{:.2f}"), ("Blues", "{:.2f}"))  # colours, numbers


@dataclass(frozen=True)
class Belief:
    """One row of the panel of beliefs: a two-agent game, what A believes, what the team does."""

    name: str
    payoff: np.ndarray  # [A_1, A_2]
    perceived: np.ndarray  # [A_1, A_2] agent A's perceived joint policy
    executed: np.ndarray  # [A_1, A_2]
    pro: float  # the PRO gap, in nats
    ero: float  # the ERO gap, in payoff units


@styled
def beliefs(rows: Sequence[Belief]) -> plt.Figure:
    """Payoff, perceived and executed joint side by side, a row a game: PRO and ERO to be seen."""
    titles, tables = [], []
    for row in rows:
        perceived = f"perceived by A\nPRO gap {abs(row.pro):.2f} nats"
        titles += [f"{row.name}: payoff", perceived, f"executed\nERO gap {row.ero:.2f}"]
        tables += [row.payoff, row.perceived, row.executed]
    figure, axes = kit.panels(titles, FULL_WIDTH, 1.95, columns=3, look={"fontsize": 9})
    for axis, table, look in zip(axes, tables, cycle(_CELLS), strict=False):
        _cells(axis, table, *look)
    kit.label_outer(axes, "action of B", "action of A")
    return figure


def _cells(axis: plt.Axes, table: np.ndarray, cmap: str, written: str) -> None:
    """A small matrix with its numbers written in; colours that part at 0 are for payoffs."""
    top = float(abs(table).max()) or 1.0
    axis.imshow(table, cmap=cmap, vmin=-1.6 * top if cmap == "PiYG" else 0, vmax=1.6 * top)
    for (a, b), value in np.ndenumerate(table):
        axis.text(b, a, written.format(value), ha="center", va="center", color=INK)
    kit.matrix(axis, table.shape)


@styled
def regret_against_temperature(table: pd.DataFrame) -> plt.Figure:
    """Regret of shared and of independent execution as α falls, a panel a game.

    Args:
        table: rows of game, alpha, shared, independent, rectangular.
    """
    message = "Cooling alone is enough only where the optima form a rectangle"
    games = table.groupby("game", sort=False)
    forms = games["rectangular"].first().map({True: "rectangle", False: "no rectangle"})
    titles = [f"{game}\n{form}" for game, form in forms.items()]
    figure, axes = kit.panels(titles, FULL_WIDTH + 1.5, 1.6, 4, 0.5, message, sharex=True)
    for axis, (_, rows) in zip(axes, games, strict=True):
        axis.semilogx(rows["alpha"], rows["independent"], color=TRAP, label="independent")
        axis.semilogx(rows["alpha"], rows["shared"], "--", color=NEUTRAL["blue"], label="shared")
        axis.set_ylim(bottom=-0.04 * rows["independent"].max())
    kit.label_outer(axes, "temperature α")
    axes[0].set_ylabel("regret")
    kit.legend_below(figure)
    return figure


@styled
def optimal_sets(games: Mapping[str, np.ndarray]) -> plt.Figure:
    """The optima of two-agent games, and the rectangle that independent agents fill.

    Args:
        games: name → [A_1, A_2] True at the optima.
    """
    message = "Dots: optimal joint actions. Red: what independent draws reach"
    hulls = {name: best.any(1, keepdims=True) & best.any(0) for name, best in games.items()}
    titles = [
        f"{name}\n{(h & ~games[name]).sum()} wrong of {h.sum()}" for name, h in hulls.items()
    ]
    figure, axes = kit.panels(titles, FULL_WIDTH + 1.0, 1.9, message=message)
    for axis, hull, best in zip(axes, hulls.values(), games.values(), strict=True):
        axis.imshow(hull + 0.0, cmap="Reds", vmin=0, vmax=2.6)
        for a, b in np.argwhere(best):
            axis.plot(b, a, "o", color=OPTIMUM, markersize=8)
        kit.matrix(axis, best.shape)
    axes[0].set(xlabel="action of B", ylabel="action of A")
    return figure


@styled
def values_over_rounds(table: pd.DataFrame, best: float, title: str) -> plt.Figure:
    """Soft value after each round of policy iteration, a line an update.

    Args:
        table: rows of update, round, value.
        best: the optimal soft value, drawn as a line.
        title: the message.
    """
    figure, axis = plt.subplots(figsize=(FULL_WIDTH, 3.0))
    kit.level(axis, best)
    blue, green, violet, grey = NEUTRAL.values()
    colors = (COLORS["svnr"], blue, green, grey, TRAP, violet)
    updates = table.groupby("update", sort=False)
    for (name, rows), color, marker in zip(updates, colors, "os^vDP", strict=False):
        axis.plot(rows["round"], rows["value"], color=color, lw=1.2, label=str(name))
        axis.plot(rows["round"], rows["value"], marker, color=color, markersize=4)
    axis.set(xlabel="round of policy iteration", ylabel="soft value", title=title)
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
