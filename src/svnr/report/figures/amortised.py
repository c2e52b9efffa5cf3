"""Figures of amortised negotiation: architecture, one pass against many rounds, soft values."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from svnr.report.figures import kit
from svnr.report.style import COLORS, FULL_WIDTH, INK, NEUTRAL, OPTIMUM, TRAP, styled
from svnr.sets import Sets, check_sets, known_to

Pair = tuple[float, float]
_ROUND = "round,pad=0.02,rounding_size=0.1"
_ARROW: dict = {"arrowstyle": "-|>", "mutation_scale": 7, "lw": 0.9, "shrinkA": 0, "shrinkB": 0}


@styled
def architecture(sets: Sets) -> plt.Figure:
    """Figure 2 redrawn for any negotiation sets: training on the left, execution on the right.

    Args:
        sets: [N] whose noise each agent hears besides its own.
    """
    sets = check_sets(sets)
    size = (FULL_WIDTH + 1.6, 0.55 + 0.75 * len(sets))
    figure, (left, right) = plt.subplots(1, 2, figsize=size, width_ratios=(1.55, 1))
    _team(left, sets, "Training", 5.4)
    _critic(left, len(sets))
    _team(right, sets, "Execution: one seed, no messages", 3.2)
    return figure


def _team(axis: plt.Axes, sets: Sets, title: str, width: float) -> None:
    """Noise, networks and actions of every agent, with an arrow wherever noise is heard."""
    n = len(sets)
    for i in range(n):
        y, sub = n - 1 - i, "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(i + 1))
        _node(axis, (0.0, y), f"ξ{sub}", "#F2F2F2")
        _node(axis, (1.5, y), f"f{sub}(s, ·)", "#FBE3D0", (0.85, 0.5))
        _node(axis, (2.8, y), f"u{sub}", "#E3F0E6")
        _arrow(axis, (1.95, y), (2.5, y), INK)
        for j in known_to(sets, i):
            _arrow(axis, (0.3, n - 1 - j), (1.05, y), INK if j == i else COLORS["svnr"])
    axis.set(title=title, xlim=(-0.75, width), ylim=(-0.7, n - 0.4))
    axis.axis("off")


def _critic(axis: plt.Axes, n: int) -> None:
    """The central critic, and the direction that it sends back to every agent."""
    middle = (n - 1) / 2
    _node(axis, (4.6, middle), "critic\nQ(s, u)", "#E1ECF5", (1.0, 0.8))
    for i in range(n):
        _arrow(axis, (3.1, i), (4.05, middle + 0.12 * (i - middle)), INK)
        _arrow(axis, (4.1, middle - 0.3), (2.85, i - 0.26), NEUTRAL["blue"], bend=-0.18)
    sent = axis.text(4.6, middle - 0.62, "Δf of (7.2):\npull by ∇Q,\npush by ∇κ")
    sent.set(color=NEUTRAL["blue"], fontsize=7, ha="center", va="top")


def _node(axis: plt.Axes, at: Pair, text: str, color: str, size: Pair = (0.55, 0.5)) -> None:
    """A round box around a text, of a width and a height."""
    (x, y), (width, height) = at, size
    box = FancyBboxPatch((x - width / 2, y - height / 2), width, height, boxstyle=_ROUND)
    box.set(facecolor=color, edgecolor=INK, linewidth=0.8)
    axis.add_patch(box)
    axis.text(x, y, text, ha="center", va="center", fontsize=8)


def _arrow(axis: plt.Axes, start: Pair, end: Pair, color: str, bend: float = 0.0) -> None:
    curve = f"arc3,rad={bend}"
    axis.add_patch(FancyArrowPatch(start, end, color=color, connectionstyle=curve, **_ARROW))


@styled
def rounds_against_network(rounds: pd.DataFrame, network: float, optimum: float) -> plt.Figure:
    """What particles earn after each round of negotiation, beside one pass of the network.

    Args:
        rounds: rows of round, average: mean reward among the particles.
        network: mean reward of the network's samples.
        optimum: reward of the best joint action.
    """
    figure, axis = plt.subplots(figsize=(FULL_WIDTH, 2.9))
    axis.plot(rounds["round"], rounds["average"], color=INK)
    axis.axhline(network, color=COLORS["svnr"])
    kit.level(axis, optimum)
    for height, name, color, place in (
        (optimum, "optimum", OPTIMUM, "bottom"),
        (network, "network, one pass", COLORS["svnr"], "top"),
        (float(rounds["average"].iloc[-1]), "particles, average", INK, "center"),
    ):
        text = axis.text(1.01, height, name, transform=axis.get_yaxis_transform())
        text.set(va=place, color=color)
    axis.set(xlabel="round of negotiation", ylabel="team reward", ylim=(None, optimum + 1.5))
    axis.set_title("One pass of the network outdoes the rounds it was distilled from")
    return figure


@styled
def soft_values(table: pd.DataFrame) -> plt.Figure:
    """Error of each reading of (7.4) against the exact soft value, over the temperature.

    Args:
        table: rows of alpha, reading, error (estimate − exact, in payoff units).
    """
    figure, axis = plt.subplots(figsize=(FULL_WIDTH, 2.9))
    readings = table.groupby("reading", sort=False)
    for (name, rows), color in zip(readings, (TRAP, INK, OPTIMUM), strict=False):
        axis.plot(rows["alpha"], rows["error"], "o-", color=color, markersize=3, label=str(name))
    axis.set(xscale="log", yscale="symlog")
    axis.set(xlabel="temperature α", ylabel="error of the soft value")
    axis.set_title("Read as printed, (7.4) is off by the policy's own entropy")
    axis.legend(loc="lower left")
    return figure
