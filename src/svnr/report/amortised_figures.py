"""Figures of amortised negotiation: architecture, samples, one pass against many rounds."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from svnr.report.style import COLORS, FULL_WIDTH, INK, OPTIMUM, TRAP, styled
from svnr.sets import Sets, check_sets, known_to

_SIGNAL = "#0072B2"  # arrows that learning sends back


@styled
def architecture(sets: Sets) -> Figure:
    """Figure 2 redrawn for any negotiation sets: training on the left, execution on the right.

    Args:
        sets: [N] whose noise each agent hears besides its own.
    """
    sets = check_sets(sets)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(FULL_WIDTH + 1.6, 0.55 + 0.75 * len(sets)), width_ratios=(1.55, 1)
    )
    _team(left, sets, "Training")
    _critic(left, len(sets))
    _team(right, sets, "Execution: one seed, no messages")
    right.set_xlim(-0.75, 3.2)
    left.set_xlim(-0.75, 5.4)
    return figure


def _team(axis: Axes, sets: Sets, title: str) -> None:
    """Noise, networks and actions of every agent, with an arrow wherever noise is heard."""
    n = len(sets)
    for i in range(n):
        y = n - 1 - i
        _node(axis, 0.0, y, f"ξ{_sub(i)}", "#F2F2F2")
        _node(axis, 1.5, y, f"f{_sub(i)}(s, ·)", "#FBE3D0", width=0.85)
        _node(axis, 2.8, y, f"u{_sub(i)}", "#E3F0E6")
        _arrow(axis, (1.95, y), (2.5, y), INK)
        for j in known_to(sets, i):
            own = j == i
            _arrow(axis, (0.3, n - 1 - j), (1.05, y), INK if own else COLORS["svnr"])
    axis.set_title(title)
    axis.set_ylim(-0.7, n - 0.4)
    axis.axis("off")


def _critic(axis: Axes, n: int) -> None:
    """The central critic, and the direction that it sends back to every agent."""
    middle = (n - 1) / 2
    _node(axis, 4.6, middle, "critic\nQ(s, u)", "#E1ECF5", width=1.0, height=0.8)
    for i in range(n):
        _arrow(axis, (3.1, i), (4.05, middle + 0.12 * (i - middle)), INK)
        _arrow(axis, (4.1, middle - 0.3), (2.85, i - 0.26), _SIGNAL, bend=-0.18)
    axis.text(
        4.6,
        middle - 0.62,
        "Δf of (7.2):\npull by ∇Q,\npush by ∇κ",
        color=_SIGNAL,
        fontsize=7,
        ha="center",
        va="top",
    )


def _sub(i: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(i + 1))


def _node(
    axis: Axes, x: float, y: float, text: str, color: str, width: float = 0.55, height: float = 0.5
) -> None:
    corner = (x - width / 2, y - height / 2)
    box = FancyBboxPatch(
        corner,
        width,
        height,
        boxstyle="round,pad=0.02,rounding_size=0.1",
        facecolor=color,
        edgecolor=INK,
        linewidth=0.8,
    )
    axis.add_patch(box)
    axis.text(x, y, text, ha="center", va="center", fontsize=8)


def _arrow(
    axis: Axes, start: tuple[float, float], end: tuple[float, float], color: str, bend: float = 0.0
) -> None:
    axis.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=7,
            color=color,
            linewidth=0.9,
            connectionstyle=f"arc3,rad={bend}",
            shrinkA=0,
            shrinkB=0,
        )
    )


@styled
def sampled_teams(panels: Mapping[str, np.ndarray], density: np.ndarray, title: str) -> Figure:
    """Joint actions of two agents over the density they should follow, one panel a team.

    Args:
        panels: title → samples [M, 2] in [−1, 1].
        density: [n, n] the target on an even grid over the box, agent 1 first.
        title: the message.
    """
    figure, axes = plt.subplots(
        1, len(panels), figsize=(FULL_WIDTH + 0.6, 2.5), sharex=True, sharey=True
    )
    ticks = np.linspace(-1, 1, len(density))
    for axis, (name, samples) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        axis.contourf(ticks, ticks, density.T, levels=6, cmap="Greens", alpha=0.55)
        axis.scatter(*samples.T, s=4, color=COLORS["svnr"], linewidths=0, alpha=0.6)
        axis.set(title=name, xlabel="u₁", xlim=(-1, 1), ylim=(-1, 1), aspect="equal")
        axis.set_xticks([-1, 0, 1])
        axis.set_yticks([-1, 0, 1])
    np.atleast_1d(axes)[0].set_ylabel("u₂")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


@styled
def rounds_against_network(rounds: pd.DataFrame, network: float, optimum: float) -> Figure:
    """What particles earn after each round of negotiation, beside one pass of the network.

    Args:
        rounds: rows of round, average: mean reward among the particles.
        network: mean reward of the network's samples.
        optimum: reward of the best joint action.
    """
    figure, axis = plt.subplots(figsize=(FULL_WIDTH, 2.9))
    axis.plot(rounds["round"], rounds["average"], color=INK)
    axis.axhline(network, color=COLORS["svnr"])
    axis.axhline(optimum, color=OPTIMUM, linewidth=0.8, linestyle=(0, (4, 2)))
    beside = axis.get_yaxis_transform()
    end = rounds.iloc[-1]
    for height, name, color, place in (
        (optimum, "optimum", OPTIMUM, "bottom"),
        (network, "network, one pass", COLORS["svnr"], "top"),
        (float(end["average"]), "particles, average", INK, "center"),
    ):
        axis.text(1.01, height, name, va=place, color=color, transform=beside)
    axis.set(
        xlabel="round of negotiation",
        ylabel="team reward",
        ylim=(None, optimum + 1.5),
        title="One pass of the network outdoes the rounds it was distilled from",
    )
    return figure


@styled
def soft_values(table: pd.DataFrame) -> Figure:
    """Error of each reading of (7.4) against the exact soft value, over the temperature.

    Args:
        table: rows of alpha, reading, error (estimate − exact, in payoff units).
    """
    figure, axis = plt.subplots(figsize=(FULL_WIDTH, 2.9))
    colors = (TRAP, INK, OPTIMUM)
    for (name, rows), color in zip(table.groupby("reading", sort=False), colors, strict=False):
        axis.plot(rows["alpha"], rows["error"], "o-", color=color, markersize=3, label=str(name))
    axis.set(
        xscale="log",
        yscale="symlog",
        xlabel="temperature α",
        ylabel="error of the soft value",
        title="Read as printed, (7.4) is off by the policy's own entropy",
    )
    axis.legend(loc="lower left")
    return figure
