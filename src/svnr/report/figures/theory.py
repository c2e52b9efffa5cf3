"""Figures of finite games: what is paid, what is believed, what is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.ticker import MaxNLocator

from svnr.report.figures import kit
from svnr.report.style import FULL_WIDTH, INK, NEUTRAL, OPTIMUM, styled

_OTHER, _WRONG, _BEST = "#F4F4F4", "#E9A9A0", "#A9D3AE"  # cells: pale grey, red and green
_SHARED, _APART = INK, NEUTRAL["blue"]  # ways of execution, as in the picture to play with


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
def payoffs(games: Mapping[str, np.ndarray], title: str) -> plt.Figure:
    """The payoff matrices of two-agent games, their optima in green (Figure 1).

    Args:
        games: name → [A_1, A_2] payoffs.
        title: the message.
    """
    figure, axes = kit.panels(games, 1.9 * len(games) + 0.4, 1.9, message=title)
    for axis, payoff in zip(axes, games.values(), strict=True):
        _optima(axis, payoff, payoff == payoff.max())
    kit.label_outer(axes, "action of B", "action of A")
    return figure


@styled
def beliefs(rows: Sequence[Belief], title: str, caption: str) -> plt.Figure:
    """Payoff, perceived and executed joint side by side, a row a game: PRO and ERO to be seen.

    Args:
        rows: one a game.
        title: the message.
        caption: what each column is.
    """
    titles = []
    for row in rows:
        perceived = f"perceived by A\nPRO gap {abs(row.pro):.2f} nats"
        titles += [f"{row.name}\npayoff", perceived, f"executed\nERO gap {abs(row.ero):.2f}"]
    figure, axes = kit.panels(titles, FULL_WIDTH - 0.6, 1.62, 3, 0.3, title)
    shown = {"vmin": 0, "vmax": 1.2, "cmap": "Blues"}
    for row, (paid, believed, done) in zip(rows, zip(*[iter(axes)] * 3, strict=True), strict=True):
        _optima(paid, row.payoff, row.payoff == row.payoff.max())
        for axis, joint in ((believed, row.perceived), (done, row.executed)):
            kit.matrix(axis, joint, _written(joint, "{:.2f}"), **shown)
    kit.label_outer(axes, "action of B", "action of A")
    kit.caption(figure, caption)
    return figure


def _optima(
    axis: plt.Axes, payoff: np.ndarray, best: np.ndarray, wrong: np.ndarray | None = None
) -> None:
    """Payoffs in cells that are optimal (green), reached though wrong (red) or neither (grey)."""
    kinds = 2 * best + (0 if wrong is None else wrong)
    look = {"cmap": ListedColormap([_OTHER, _WRONG, _BEST]), "vmin": 0, "vmax": 2}
    kit.matrix(axis, kinds.astype(int), _written(payoff, "{:g}"), **look)


def _written(table: np.ndarray, how: str) -> np.ndarray:
    return np.vectorize(lambda value: how.format(value).replace("-", "−"))(table)


@styled
def regret_against_temperature(table: pd.DataFrame) -> plt.Figure:
    """Regret of shared and of independent execution as α falls, a panel a game.

    Args:
        table: rows of game, alpha, shared, independent, rectangular; as many games whose optima
            form a rectangle as of those whose do not fill the rows best.
    """
    message = "Cooling alone is enough only where the optima form a rectangle"
    table = table.sort_values("rectangular", ascending=False, kind="stable")
    games = table.groupby("game", sort=False)
    forms = games["rectangular"].first().map({True: "rectangle", False: "no rectangle"})
    titles = [f"{game}\n{form}" for game, form in forms.items()]
    figure, axes = kit.panels(titles, FULL_WIDTH + 1.5, 1.5, 4, 0.3, message, sharex=True)
    for axis, (_, rows) in zip(axes, games, strict=True):
        axis.semilogx(rows["alpha"], rows["independent"], color=_APART)
        axis.semilogx(rows["alpha"], rows["shared"], "--", color=_SHARED)
        axis.set_ylim(-0.04 * (top := rows["independent"].max()), 1.15 * top)
        kit.ticks_at(axis, (0.1, 1.0))
    kit.label_outer(axes, "temperature α", "regret")
    for height, name, color in ((0.84, "independent", _APART), (0.7, "shared", _SHARED)):
        text = axes[0].text(0.04, height, name, transform=axes[0].transAxes)
        text.set(color=color, fontsize=8)
    told = "Exact: nothing is sampled. Shared: one particle for all; independent: each its own."
    kit.caption(figure, told)
    return figure


@styled
def optimal_sets(games: Mapping[str, np.ndarray]) -> plt.Figure:
    """The optima of two-agent games, and the rectangle that independent agents fill.

    Args:
        games: name → [A_1, A_2] payoffs.
    """
    message = "Between two optima lie joint actions that nobody wants and independent draws reach"
    bests = {name: payoff == payoff.max() for name, payoff in games.items()}
    hulls = {name: best.any(1, keepdims=True) & best.any(0) for name, best in bests.items()}
    titles = [
        f"{name}\n{(h & ~bests[name]).sum()} wrong of {h.sum()}" for name, h in hulls.items()
    ]
    figure, axes = kit.panels(titles, FULL_WIDTH + 1.7, 1.75, message=message)
    for axis, (name, payoff) in zip(axes, games.items(), strict=True):
        _optima(axis, payoff, bests[name], hulls[name] & ~bests[name])
    axes[0].set(xlabel="action of B", ylabel="action of A")
    kit.caption(
        figure,
        "Payoffs. Green: optimal; red: not optimal, and reached by independent draws from the "
        "limit α → 0; grey: not reached.",
    )
    return figure


@styled
def values_apart(table: pd.DataFrame, best: float, title: str, caption: str) -> plt.Figure:
    """Soft value after each round of policy iteration, a panel an update, the others behind it.

    Args:
        table: rows of update, round, value.
        best: the optimal soft value, a named line in every panel.
        title: the message.
        caption: what was played, and how exactly.
    """
    updates = dict(iter(table.groupby("update", sort=False)))
    shared: dict = {"sharex": True, "sharey": True}
    figure, axes = kit.panels(updates, FULL_WIDTH, 1.5, 3, 0.4, title, **shared)
    for axis, (name, rows) in zip(axes, updates.items(), strict=True):
        for other in updates.values():
            axis.plot(other["round"], other["value"], color="#DDDDDD", lw=1, zorder=1)
        color = kit.color_of_sets(str(name), NEUTRAL["blue"])
        axis.plot(rows["round"], rows["value"], "o-", color=color, lw=1.6, ms=3.5)
        kit.level(axis, best)
        _, last, end = rows.iloc[-1][["update", "round", "value"]]
        below: dict = {"va": "top", "xytext": (0, -6)} if end > best / 2 else {"xytext": (0, 6)}
        look: dict = {"textcoords": "offset points", "ha": "right", "color": color, "fontsize": 8}
        axis.annotate(f"{end:.1f}", (last, end), **below, **look)
    lowest, highest = min(0.0, table["value"].min()), max(best, table["value"].max())
    axes[0].set_ylim(lowest - 0.06 * (highest - lowest), highest + 0.25 * (highest - lowest))
    axes[0].xaxis.set_major_locator(MaxNLocator(4, integer=True))
    named = axes[0].text(0.98, best + 0.5, "best", transform=axes[0].get_yaxis_transform())
    named.set(color=OPTIMUM, fontsize=8, ha="right")
    kit.label_outer(axes, "round of policy iteration", "soft value")
    kit.caption(figure, caption)
    return figure
