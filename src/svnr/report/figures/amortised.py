"""Figures of amortised negotiation: architecture, one pass against many rounds, soft values."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from svnr.report.figures import kit
from svnr.report.style import COLORS, FULL_WIDTH, INK, NEUTRAL, OPTIMUM, styled
from svnr.sets import Sets, check_sets, known_to

Pair = tuple[float, float]
_ROUND = "round,pad=0.02,rounding_size=0.1"
_ARROW: dict = {"arrowstyle": "-|>", "mutation_scale": 7, "lw": 0.9, "shrinkA": 0, "shrinkB": 0}
_NOISE, _NETWORK, _ACTION, _VALUE = "#F2F2F2", "#FBE3D0", "#E3F0E6", "#E1ECF5"
_OWN = (0.42, 0.42)  # size of a noise in an agent's frame
KINDS = {"at the last temperature": INK, "annealed": NEUTRAL["blue"]}  # of particles


@styled
def architecture(sets: Sets) -> plt.Figure:
    """Figure 2 redrawn for any negotiation sets: training on the left, execution on the right.

    Args:
        sets: [N] whose noise each agent knows besides its own.
    """
    sets = check_sets(sets)
    size = (FULL_WIDTH + 2.6, 0.95 + 0.75 * len(sets))
    figure, (left, right) = plt.subplots(1, 2, figsize=size, width_ratios=(1.75, 1))
    _training(left, sets)
    _execution(right, sets)
    kit.caption(
        figure,
        "Orange: noise of the others in an agent's set. Blue: what the critic sends back, "
        "(7.2), pull and push weighed by the agent's own kernel, and (7.3), into its weights.",
    )
    return figure


def _training(axis: plt.Axes, sets: Sets) -> None:
    """Noise, networks, actions, and the central critic with its replay and its target."""
    n, blue = len(sets), NEUTRAL["blue"]
    axis.plot((1.5, 1.5), (0, n - 0.3), color=INK, lw=0.9, zorder=0)
    _node(axis, (1.5, n - 0.15), "s", _NOISE, (0.4, 0.3))
    for i in range(n):
        y = n - 1 - i
        _node(axis, (0.0, y), rf"$\xi_{i + 1}$", _NOISE)
        _node(axis, (1.5, y), rf"$f_{i + 1}^{{\,\psi_{i + 1}}}$", _NETWORK, (0.8, 0.5))
        _node(axis, (2.85, y), rf"$u_{i + 1}$", _ACTION)
        _arrow(axis, (1.92, y + 0.08), (2.55, y + 0.08), INK)
        _arrow(axis, (2.55, y - 0.12), (1.92, y - 0.12), blue)
        for j in known_to(sets, i):
            _arrow(axis, (0.3, n - 1 - j), (1.07, y), INK if j == i else COLORS["svnr"])
    _critic(axis, n)
    _frame(axis, "Training: one central critic", (-0.4, 6.75), n)


def _critic(axis: plt.Axes, n: int) -> None:
    """The central critic, what it learns from, and the direction that it sends to every agent."""
    middle, blue = (n - 1) / 2, NEUTRAL["blue"]
    _node(axis, (4.6, middle), "critic\n" + r"$Q^\theta(s, u)$", _VALUE, (1.0, 0.8))
    for i in range(n):
        aim = middle + 0.2 * (i - middle)
        _arrow(axis, (3.15, i + 0.08), (4.07, aim + 0.08), INK)
        _arrow(axis, (4.07, aim - 0.08), (3.15, i - 0.12), blue)
    axis.text(2.24, -0.42, "(7.3)", color=blue, fontsize=7, ha="center")
    axis.text(3.6, -0.42, r"$\Delta f_i$ (7.2): $\kappa_i \nabla Q + \alpha \nabla \kappa_i$",
              color=blue, fontsize=7, ha="center")  # fmt: skip
    _node(
        axis, (6.15, middle + 0.75), "replay $\\mathcal{D}$\n" + r"$s, u, r, s'$", _NOISE, (1, 0.7)
    )
    _node(
        axis, (6.15, middle - 0.75), "target\n" + r"$Q^{\bar\theta}(s', \cdot)$", _VALUE, (1, 0.7)
    )
    for side in (1, -1):
        _arrow(axis, (5.63, middle + 0.6 * side), (5.12, middle + 0.2 * side), INK)
    axis.text(5.3, middle - 0.62, "(7.4)", fontsize=7, ha="center")


def _execution(axis: plt.Axes, sets: Sets) -> None:
    """Every agent by itself: the noise of S_i from the common seed, its network, its action."""
    n = len(sets)
    for i in range(n):
        y, known = n - 1 - i, known_to(sets, i)
        frame = FancyBboxPatch((-1.3, y - 0.36), 0.9 + 0.55 * n + 2.75, 0.72, boxstyle=_ROUND)
        frame.set(facecolor="none", edgecolor="#BBBBBB", linestyle=(0, (4, 2)))
        axis.add_patch(frame)
        axis.text(-1.2, y, f"agent {i + 1}\nseed, s", fontsize=7, va="center", linespacing=1.4)
        start = 0.55 * (n - len(known))
        for place, j in enumerate(known):
            _node(axis, (start + 0.55 * place, y), rf"$\xi_{j + 1}$", _NOISE, _OWN)
        right = 0.55 * (n - 1)
        _arrow(axis, (-0.47, y), (start - 0.23, y), INK)
        _arrow(axis, (right + 0.23, y), (right + 0.63, y), INK)
        _node(
            axis, (right + 1.02, y), rf"$f_{i + 1}^{{\,\psi_{i + 1}}}$", _NETWORK, (0.7, _OWN[1])
        )
        _arrow(axis, (right + 1.4, y), (right + 1.8, y), INK)
        _node(axis, (right + 2.1, y), rf"$u_{i + 1}$", _ACTION, (0.5, _OWN[1]))
    _frame(axis, "Execution: one seed, nothing is sent", (-1.4, 0.55 * n + 2.4), n)


def _frame(axis: plt.Axes, title: str, limits: Pair, n: int) -> None:
    axis.set(title=title, xlim=limits, ylim=(-0.6, n + 0.1))
    axis.axis("off")


def _node(axis: plt.Axes, at: Pair, text: str, color: str, size: Pair = (0.55, 0.5)) -> None:
    """A round box around a text, of a width and a height."""
    (x, y), (width, height) = at, size
    box = FancyBboxPatch((x - width / 2, y - height / 2), width, height, boxstyle=_ROUND)
    box.set(facecolor=color, edgecolor=INK, linewidth=0.8)
    axis.add_patch(box)
    axis.text(x, y, text, ha="center", va="center", fontsize=8)


def _arrow(axis: plt.Axes, start: Pair, end: Pair, color: str) -> None:
    axis.add_patch(FancyArrowPatch(start, end, color=color, **_ARROW))


@styled
def rounds_against_network(
    rounds: pd.DataFrame, network: float, optimum: float, title: str, caption: str
) -> plt.Figure:
    """What clouds of particles earn after each round of negotiation, beside one pass of a network.

    Args:
        rounds: rows of kind ("at the last temperature", "annealed"), cloud, round, average, best:
            the rewards of a cloud's mean and of its best particle.
        network: mean reward of the network's samples.
        optimum: reward of the best joint action.
        title: the message.
        caption: how many clouds there were, and what they negotiated on.
    """
    titles = ("average particle of a cloud", "best particle of a cloud")
    figure, axes = kit.panels(
        titles, FULL_WIDTH + 0.4, 2.6, message=title, sharex=True, sharey=True
    )
    for axis, column in zip(axes, ("average", "best"), strict=True):
        sns.lineplot(
            rounds, x="round", y=column, hue="kind", palette=KINDS, units="cloud", estimator=None,
            lw=0.8, alpha=0.7, legend=False, ax=axis,
        )  # fmt: skip
        axis.axhline(network, color=COLORS["svnr"], lw=1.6)
        kit.level(axis, optimum)
        axis.set_ylim(top=optimum + 2.0)
    kit.label_outer(axes, "round of negotiation", "reward")
    look: dict = {"ha": "right", "transform": axes[0].get_yaxis_transform(), "fontsize": 8}
    axes[0].text(0.98, optimum + 0.4, "optimum", color=OPTIMUM, **look)
    axes[0].text(0.98, network - 0.3, "network", color=COLORS["svnr"], va="top", **look)
    for height, (kind, color) in zip((0.1, 0.02), KINDS.items(), strict=True):
        text = axes[0].text(0.98, height, f"particles {kind}", transform=axes[0].transAxes)
        text.set(color=color, ha="right", fontsize=8)
    kit.caption(figure, caption)
    return figure
