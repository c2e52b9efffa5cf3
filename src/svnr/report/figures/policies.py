"""Figures of joint actions: visited while training, perceived by an agent, executed by a team."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from svnr.experiments.catalogue import LEARNERS
from svnr.report.figures import kit
from svnr.report.style import COLORS, FULL_WIDTH, INK, styled

Place = Sequence[float]  # the three coordinates of a hill, in the game's units


@styled
def visited_actions(
    visits: pd.DataFrame, title: str, peaks: Mapping[str, Place], turn: int
) -> plt.Figure:
    """Joint actions, earlier ones above later ones, coloured by reward (Figures 5 and 7).

    Args:
        visits: rows of learner, episode, u_1, u_2, reward, as `tables.visits` makes them.
        title: the message.
        peaks: name of a hill → its coordinates in the game's units.
        turn: the episode at which the later ones begin.
    """
    learners = visits.groupby("learner", sort=False)
    titles = [LEARNERS[str(learner)].title for learner, _ in learners]
    names = [*titles, *[""] * len(titles)]
    size = (1.75 * len(titles) + 0.9, 1.55)
    figure, axes = kit.panels(names, *size, len(titles), 0.5, title, sharex=True, sharey=True)
    dots: dict = {"s": 4, "alpha": 0.7, "lw": 0, "rasterized": True, "vmin": -20, "vmax": 10}
    for column, (_, rows) in enumerate(learners):
        early = rows["episode"] < turn
        for row, when in enumerate((early, ~early)):
            axis, shown = axes[row * len(titles) + column], rows[when].sort_values("reward")
            points = axis.scatter(shown["u_1"], shown["u_2"], c=shown["reward"], **dots)
            for place, sign in zip(peaks.values(), "+x", strict=False):
                kit.legible(*axis.plot(*place[:2], sign, color=INK, ms=8, mew=1.8))
            axis.set(xlim=(-10, 10), ylim=(-10, 10), aspect="equal")
    kit.label_outer(axes, "u₁", "u₂")
    axes[0].set_ylabel(f"to step {turn:,}\nu₂")
    axes[len(titles)].set_ylabel("from then on\nu₂")
    figure.colorbar(points, ax=axes, extend="min", aspect=30, pad=0.02).set_label("reward")
    hills = ", ".join(f"{sign} {name}" for sign, name in zip("+×", peaks, strict=False))
    kit.caption(
        figure,
        f"Seed 0 of each method, {len(visits) // len(titles):,} joint actions up to step "
        f"{visits['episode'].max():,}; of three coordinates two; {hills}.",
    )
    return figure


@styled
def perceived_policies(
    panels: kit.Samples,
    density: np.ndarray,
    title: str,
    executed: kit.Samples | None = None,
    columns: int = 5,
) -> plt.Figure:
    """Samples of perceived joint policies, in u₁ and u₃, and the exact one's contours (Figure 3).

    Args:
        panels: title → joint actions [M, 3] in the game's units, in the colour of the method that
            has this title.
        density: [n, n] the exact policy over u₁ and u₃, on an even grid over ±10.
        title: the message.
        executed: what the same teams do, in a row below.
        columns: panels in a row, at most.
    """
    columns = min(len(panels), columns)
    shown = [*panels.items(), *(executed or {}).items()]
    names = [*panels, *[""] * len(executed or {})]
    size = (FULL_WIDTH + 1.5, 0.85 * (FULL_WIDTH + 1.5) / columns + 0.25)
    figure, axes = kit.panels(names, *size, columns, 0.35, title, sharex=True, sharey=True)
    contours = {"levels": density.max() * np.array([0.02, 0.1, 0.3, 0.6]), "linewidths": 0.4}
    colors = {entry.title: COLORS[name] for name, entry in LEARNERS.items()}
    even = np.linspace(-10, 10, len(density))
    for axis, (name, u) in zip(axes, shown, strict=True):
        axis.contour(even, even, density.T, colors=INK, zorder=2, **contours)
        look: dict = {"s": 3, "alpha": 0.5} if u[:, [0, 2]].std(0).max() > 0.5 else {"s": 16}
        look |= {"color": colors.get(name, INK), "linewidths": 0, "rasterized": True}
        look |= {"clip_on": False}  # at a corner too all of a dot is seen
        axis.scatter(u[:, 0], u[:, 2], zorder=1, **look)
        axis.set(xlim=(-10, 10), ylim=(-10, 10), aspect="equal")
    kit.label_outer(axes, "u₁", "u₃")
    if executed:
        for axis, row in zip(axes[::columns], ("perceived", "each by itself"), strict=True):
            axis.set_ylabel(f"{row}\nu₃")
    told = "Below: what teams do if each agent draws by itself; with noise in common those of SVNR"
    told = f"{told} do what is above." if executed else ""
    kit.caption(
        figure,
        f"A dot is one of {len(next(iter(panels.values()))):,} samples, seed 0; lines: 2, "
        f"10, 30 and 60 % of the exact density's maximum. {told}",
    )
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
    worths: pd.DataFrame,
    ends: Mapping[str, Sequence[float]],
    title: str,
    starts: Mapping[str, float],
) -> plt.Figure:
    """What agents believe each action of their own to be worth, a panel a team.

    Args:
        worths: the exact worth, then each team's belief, at the actions in the index.
        ends: team → the actions at which its actors ended, dots on its belief.
        title: the message.
        starts: team → the action at which its actors began.
    """
    exact, teams = worths.iloc[:, 0], list(worths.columns[1:])
    figure, axes = kit.panels(teams, FULL_WIDTH + 1.5, 2.1, 0, 0.2, title, sharey=True)
    for axis, name in zip(axes, teams, strict=True):
        axis.plot(exact.index, exact, color=INK, linewidth=2.6, alpha=0.35)
        axis.plot(worths.index, worths[name], color=COLORS["pr2"], linewidth=1.6)
        heights = np.interp(ends[name], worths.index, worths[name])
        axis.plot(ends[name], heights, "o", color=INK, markersize=5, zorder=3)
        axis.axvline(starts[name], color=INK, linewidth=0.8, linestyle=(0, (4, 2)), zorder=2)
        place = (starts[name], 0.02), (3, 0)
        axis.annotate(
            "start", place[0], place[1], axis.get_xaxis_transform(), "offset points", fontsize=7
        )
        axis.set(xlabel="own action", ylim=(-20, 12))
    axes[0].set_ylabel("worth")
    kit.caption(
        figure,
        "Grey: the exact worth, α log E exp(r / α) over partners spread over the box. In colour: "
        "what the agents of one run believe, in the mean of both. Dots: where their actors ended.",
    )
    return figure
