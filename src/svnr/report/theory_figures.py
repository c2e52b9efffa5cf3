"""Figures of finite games: what is paid, what is believed, what is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from svnr.report.style import COLORS, FULL_WIDTH, INK, OPTIMUM, TRAP, styled

SHARED, INDEPENDENT = "#0072B2", TRAP


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
def beliefs(rows: Sequence[Belief]) -> Figure:
    """Payoff, perceived and executed joint side by side, a row a game: PRO and ERO to be seen."""
    figure, axes = plt.subplots(
        len(rows), 3, figsize=(FULL_WIDTH, 1.95 * len(rows)), squeeze=False
    )
    for line, row in zip(axes, rows, strict=True):
        _cells(line[0], row.payoff, "PiYG", f"{row.name}: payoff", signed=True)
        _cells(
            line[1], row.perceived, "Oranges", f"perceived by A\nPRO gap {abs(row.pro):.2f} nats"
        )
        _cells(line[2], row.executed, "Blues", f"executed\nERO gap {row.ero:.2f}")
        line[0].set_ylabel("action of A")
    for axis in axes[-1]:
        axis.set_xlabel("action of B")
    return figure


def _cells(axis: Axes, table: np.ndarray, cmap: str, title: str, signed: bool = False) -> None:
    """A small matrix with its numbers written in."""
    top = float(abs(table).max()) or 1.0
    axis.imshow(table, cmap=cmap, vmin=-1.6 * top if signed else 0, vmax=1.6 * top)
    for (a, b), value in np.ndenumerate(table):
        text = f"{value:g}" if signed else f"{value:.2f}"
        axis.text(b, a, text, ha="center", va="center", color=INK)
    axis.set_title(title, fontsize=9)
    axis.set_xticks(range(table.shape[1]))
    axis.set_yticks(range(table.shape[0]))
    axis.grid(False)
    axis.tick_params(length=0)


@styled
def regret_against_temperature(table: pd.DataFrame) -> Figure:
    """Regret of shared and of independent execution as α falls, a panel a game.

    Args:
        table: rows of game, alpha, shared, independent, rectangular.
    """
    games = list(table["game"].unique())
    columns = 4
    lines = -(-len(games) // columns)
    figure, axes = plt.subplots(
        lines, columns, figsize=(FULL_WIDTH + 1.5, 1.6 * lines + 0.5), sharex=True, squeeze=False
    )
    for axis, game in zip(axes.flat, games, strict=False):
        rows = table[table["game"] == game]
        axis.semilogx(rows["alpha"], rows["independent"], color=INDEPENDENT, label="independent")
        axis.semilogx(rows["alpha"], rows["shared"], color=SHARED, ls="--", label="shared")
        kind = "rectangle" if bool(rows["rectangular"].iloc[0]) else "no rectangle"
        axis.set_title(f"{game}\n{kind}", fontsize=8)
        axis.set_ylim(bottom=-0.04 * rows["independent"].max())
    for axis in axes.flat[len(games) :]:
        axis.axis("off")
    for axis in axes[-1]:
        axis.set_xlabel("temperature α")
    axes[0, 0].set_ylabel("regret")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    _message(figure, "Cooling alone is enough only where the optima form a rectangle")
    return figure


@styled
def optimal_sets(games: Mapping[str, np.ndarray]) -> Figure:
    """The optima of two-agent games, and the rectangle that independent agents fill.

    Args:
        games: name → [A_1, A_2] True at the optima.
    """
    figure, axes = plt.subplots(1, len(games), figsize=(FULL_WIDTH + 1.0, 1.9), squeeze=False)
    for axis, (name, best) in zip(axes[0], games.items(), strict=True):
        hull = best.any(1, keepdims=True) & best.any(0, keepdims=True)
        axis.imshow(hull + 0.0, cmap="Reds", vmin=0, vmax=2.6)
        for a, b in np.argwhere(best):
            axis.plot(b, a, "o", color=OPTIMUM, markersize=8)
        wasted = int((hull & ~best).sum())
        axis.set_title(f"{name}\n{wasted} wrong of {int(hull.sum())}", fontsize=8)
        axis.set_xticks(range(best.shape[1]))
        axis.set_yticks(range(best.shape[0]))
        axis.grid(False)
        axis.tick_params(length=0)
    axes[0, 0].set(xlabel="action of B", ylabel="action of A")
    _message(figure, "Dots: optimal joint actions. Red: what independent draws reach")
    return figure


@styled
def values_over_rounds(table: pd.DataFrame, best: float, title: str) -> Figure:
    """Soft value after each round of policy iteration, a line an update.

    Args:
        table: rows of update, round, value.
        best: the optimal soft value, drawn as a line.
        title: the message.
    """
    figure, axis = plt.subplots(figsize=(FULL_WIDTH, 3.0))
    axis.axhline(best, color=OPTIMUM, linewidth=0.8, linestyle=(0, (4, 2)))
    looks = (
        (COLORS["svnr"], "o"), ("#0072B2", "s"), ("#009E73", "^"), ("#7F7F7F", "v"),
        (TRAP, "D"), ("#8C6BB1", "P"),
    )  # fmt: skip
    for (name, rows), (color, marker) in zip(
        table.groupby("update", sort=False), looks, strict=False
    ):
        axis.plot(rows["round"], rows["value"], color=color, lw=1.2, label=str(name))
        axis.plot(rows["round"], rows["value"], marker, color=color, markersize=4)
    axis.set(xlabel="round of policy iteration", ylabel="soft value", title=title)
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _message(figure: Figure, text: str) -> None:
    figure.suptitle(text, x=0.01, ha="left", fontsize=10, fontweight="bold")
