# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 15 · Where it breaks
#
# **Question.** Up to which width of the right hill, and how many agents, does each method find it, and what moves that
# border?
#
# **Claim.** "SVNR can steadily converge to the global optimum while jumping out of the local optimum under all settings"
# (§8.1). The settings are three widths and three agents. We go on until it breaks.
#
# **Paper.** §8.1; Lemma 6.2 and Theorem 6.3. All else here is beyond the paper, and named so.
#
# **Reads.** Finished runs in `results/`; whatever is missing is trained now and kept there.
#
# **Makes.** The map of who ends where, who follows the Boltzmann policy, a trap for optimists, and SVNR-B.
#
# **Takes.** Seconds with the committed runs; about a third of a minute a run and core without them.

# %%
from functools import partial

import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown

from svnr.experiments.catalogue import make_game
from svnr.experiments.specs import grid
from svnr.experiments.store import collect
from svnr.games import lotteries
from svnr.games.differential import two_modalities
from svnr.games.matrix import climbing
from svnr.report import borders, figures, tables
from svnr.report.provenance import Outputs
from svnr.stein import births
from svnr.stein.energy import energy_direction
from svnr.theory import chains, improvements, mdp
from svnr.theory.hills import contraction, right_mass
from svnr.theory.maxent import boltzmann
from svnr.theory.policy_iteration import soft_policy_iteration

# %% tags=["parameters"]
n_seeds: int = 5  # runs of each kind, seeds 0 to n_seeds − 1 (paper: 5)
n_episodes: int = 5000  # length of a run (paper: 5000)
widths: list = [3.0, 2.0, 1.5, 1.2, 1.0, 0.8]  # s₂, the widest first (paper: 3, 2, 1.5)
teams: list = [2, 3, 4, 5, 6, 8]  # numbers of agents, the smallest first (paper: 3)
methods: list = ["svnr", "svnr_f", "svnr_m", "svnr_b", "maddpg", "facmac", "qmix", "masql", "pr2", "rommeo", "lenient", "hysteretic", "mappo", "hasac"]  # by name
n_study_seeds: int = 3  # runs of each change of SVNR-B
n_study_episodes: int = 0  # length of runs from "A trap for optimists" on; 0: n_episodes
n_jobs: int = 2  # processes side by side
scale: str = "paper"  # how much is run: smoke, quick or paper
output: str = ""  # folder for figures and results; empty: this repository's own

# %%
outputs = Outputs.of("15_where_it_breaks", globals())
study_episodes = n_study_episodes or n_episodes
finished = partial(collect, folder=outputs.results, n_jobs=n_jobs)
BY_WIDTH = {f"max_of_three_{s}": f"{s:g}" for s in widths}  # game → its column on the map
BY_TEAM = {"max_of_three_2.0" if n == 3 else f"max_of_{n}_2.0": str(n) for n in teams}
PANELS = {"width s₂, three agents": BY_WIDTH, "number of agents, s₂ = 2": BY_TEAM}
NAMES = list(dict.fromkeys([*BY_WIDTH, *BY_TEAM]))
STEPS = (10.0, 1.0, 0.3)  # temperatures at which the three phases rest


def named(learners):
    """Titles of methods in a row; "none" of none."""
    return ", ".join(tables.TITLES[name] for name in learners) or "none"


# %% [markdown]
# ## 1. The yardstick
#
# Two dials hide the right hill: it gets narrower, or agents join, each with the same three coordinates in turn. What
# *should* a team do? The target of every soft method is π*_α ∝ exp(r/α). While α is large it lies about the box and the
# wide hill holds more of it; as α falls it changes sides. α_c is where both hold half.
#
# For three agents a sum over a grid tells; for eight, 61⁸ points would be needed. But exp(g/α) is a product over agents,
# and which hill pays hangs on g₁ − g₂, a sum of one number an agent: its law is a convolution. `theory.hills` does it to
# 10⁻⁷ for any number of agents. We hold it against the grid.


# %%
def right_mass_by_hand(game, alpha, n=61):
    """π*_α at the right hill of three agents, over the midpoints of n³ cells."""
    axis = (torch.arange(n) + 0.5) * 2 / n - 1
    cells = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1)
    policy = boltzmann(game.reward(cells).double().numpy(), alpha)
    return policy[game.pays_most(cells).numpy()].sum()


for game in map(make_game, BY_WIDTH):
    for alpha in (100.0, 10.0, 3.0, 1.0):
        exact = right_mass(borders.two_hills(game), alpha)
        assert abs(right_mass_by_hand(game, alpha) - exact) < 2e-3

# %%
known = borders.yardsticks(NAMES)
hills = {name: borders.two_hills(make_game(name)) for name in NAMES}
at_ten = [right_mass(hills[name], STEPS[0]) for name in NAMES]
outputs.table(
    known.assign(at_ten=at_ten)
    .set_axis(["agents", "share of the box", "α_c", "exact share at α = 10"], axis=1)
    .rename(index=tables.TITLES)
    .round(3),
    "yardsticks",
    "What each game asks for, exactly",
)

# %% [markdown]
# The share of the box is that in which the right hill pays, from where gradient ascent leads to its peak.
#
# **What to expect.** All soft methods share one schedule, which rests at 10, 1 and 0.3. Above α_c none should be at the
# right hill, below it each should: so each should end right in *every* column, and change sides at the step from 10 to
# 1. A soft method that ends wrong has left its own target. Methods without a temperature have no such yardstick, only
# the share of the box.

# %%
assert (known["alpha_c"] > STEPS[-1]).all()

# %% [markdown]
# ## 2. The map
#
# **The rule, fixed before the runs.** A run ends right if its test episodes earn more than half of the way from the
# second best, here 0, to the best, 10. A method's border is the last column up to which most of its seeds end right
# without a gap.

# %%
runs = finished(grid(NAMES, methods, n_seeds, n_episodes))
cells = borders.reach(borders.ends(runs))
counts = cells.assign(told=cells["right"].astype(str) + " of " + cells["n"].astype(str))
reached = counts.pivot(index="learner", columns="game", values="told")
reached = reached.reindex(index=cells["learner"].unique(), columns=NAMES)
outputs.table(
    reached.rename(index=tables.TITLES, columns=tables.TITLES).rename_axis("method"),
    "border_counts",
    "Seeds that end at the right hill",
    runs,
)

# %%
stops = pd.DataFrame({label: borders.borders(cells, games) for label, games in PANELS.items()})
total = stops.sum(axis=1)
furthest = total.index[total == total.max()]
outputs.figure(
    figures.borders.success_map(
        cells, known, PANELS, STEPS, f"Where each method stops; furthest: {named(furthest)}"
    ),
    "border_map",
    "The map",
    runs,
    note="beyond the paper, whose settings are s₂ = 3, 2, 1.5 with three agents",
)


# %%
def stop(learner):
    """Where a method stops, on both axes."""
    wide, team = (
        (list(games.values())[n - 1] if n else "nowhere")
        for games, n in zip(PANELS.values(), stops.loc[learner], strict=True)
    )
    return f"{tables.TITLES[learner]} s₂ = {wide} and {team} agents"


soft = cells["alpha"].notna()
right = cells["right"] > cells["n"] / 2
short = [name for name in cells["learner"][soft].unique() if total[name] < total.max()]
Markdown(
    f"**Finding.** Every α_c is above 0.3, yet of {soft.sum()} cells of soft methods most seeds are right in "
    f"{right[soft].sum()} only: short of the yardstick fall {named(short)}. Of the {(~soft).sum()} cells of methods without "
    f"a temperature in {right[~soft].sum()}. Borders: {'; '.join(map(stop, total.index))}."
)

# %% [markdown]
# Is it the share of the box alone, whichever dial was turned? We take every two games and every method that does better
# on one of them, and ask whether that is the one with the larger share.

# %%
success = (cells["right"] / cells["n"]).groupby([cells["learner"], cells["game"]]).first()
success = success.unstack("game")[NAMES].to_numpy()
shares = known["share"].to_numpy()
better = success[:, :, None] - success[:, None, :]  # of the first game over the second
larger = np.sign(shares[:, None] - shares[None])
agree = (better * larger > 0)[better != 0].mean() if (better != 0).any() else np.nan
Markdown(
    f"**Finding.** In {agree:.0%} of the pairs that differ it is: the two dials are nearly one, and what they turn is "
    "how much of the box leads to the right hill."
    if agree > 0.9
    else f"**Finding.** In {agree:.0%} of the pairs that differ it is: the share of the box does not say it all."
)

# %% [markdown]
# ### Who follows the target?
#
# A border says that a method stops, not why. So we look at what teams *play*: the share of joint actions at which the
# right hill pays, in the last 100 episodes, beside that of the Boltzmann policy at the temperature of that moment.
#
# **What to expect.** Who samples the target lies on the grey line: a small share at first, then a jump. Who has lost
# the hill *before* the step cannot jump.

# %%
WATCHED = min(BY_WIDTH, key=lambda name: abs(float(BY_WIDTH[name]) - 1.2))
soft_methods = cells["learner"][soft].unique()
watched = finished(grid([WATCHED], soft_methods, 1, n_episodes))
alphas = np.geomspace(STEPS[-1], 100, 41)
exact = pd.concat(
    pd.DataFrame(
        {"name": s, "alpha": alphas, "share": [right_mass(hills[game], alpha) for alpha in alphas]}
    )
    for game, s in BY_WIDTH.items()
)
taken, followed = borders.sides(watched), borders.exact_sides(watched[0])
outputs.figure(
    figures.borders.sides(
        exact, taken, followed, f"The target changes sides; who follows at s₂ = {BY_WIDTH[WATCHED]}?"
    ),
    "border_sides",
    "Who follows the target",
    watched,
    note="seed 0 of every soft method",
)

# %%
hot = taken["episode"].between(0.1 * n_episodes, n_episodes / 3)
late = taken["episode"] >= 0.9 * n_episodes
before, after = (
    taken[when].groupby("learner", sort=False)["share"].mean() for when in (hot, late)
)
target = right_mass(hills[WATCHED], STEPS[0])
Markdown(
    f"**Finding.** At α = 10 the target has {target:.0%} at the right hill. What teams play there, and at the end: "
    + "; ".join(
        f"{tables.TITLES[name]} {before.get(name, np.nan):.0%}, then {after[name]:.0%}"
        for name in after.index
    )
    + "."
)

# %% [markdown]
# ## 3. A trap for optimists
#
# Forgiving a partner's mistakes helps where a bad reward is the partner's fault. What if it is bad luck? In two variants
# of the climbing game (Kapetanakis and Kudenko, 2002) cells pay one of two amounts, by the toss of a coin; the means
# stay. In *Max of Three, lured* the wrong hill pays 20 on top once in ten times and a little less else.

# %%
plain = climbing()
for lot in (lotteries.climbing_partly(), lotteries.climbing_fully()):
    assert np.array_equal(lot.payoff, plain.payoff)  # in the mean nothing has changed
lured = lotteries.lured_max_of_three()
luck = (torch.arange(1000) + 0.5) / 1000
peaks = {"right hill": lured.optimum.u, "wrong hill": lured.trap.u}
paid = {name: lured.paid(torch.tensor(u).expand(1000, -1), luck) for name, u in peaks.items()}
pd.DataFrame({n: {"mean": p.mean().item(), "at best": p.max().item()} for n, p in paid.items()})

# %% [markdown]
# **What to expect.** A critic of joint actions that is fitted to the mean sees the same game. Who holds on to the best
# that was ever paid takes luck for worth, and goes to 14 or 20 instead of 11 or 10.
#
# Each game stands beside the one without luck; *as tuned* (notebook [14](14_tuned_alike.ipynb)) for the methods that
# have a study.

# %%
CLIMBING = {"climbing": "climbing", "climbing_partly": "one\nby lot", "climbing_fully": "all\nby lot"}
HILLS = {"max_of_three_2.0": "Max of\nThree", "max_of_three_2.0_lured": "lured"}
STUDIED = ["svnr", "maddpg", "masql", "pr2", "rommeo", "lenient", "hysteretic"]
lots = CLIMBING | HILLS
lot_runs = {
    "as set": finished(grid(list(lots), methods, n_seeds, study_episodes)),
    "as tuned": finished(
        grid(list(lots), [m for m in methods if m in STUDIED], n_seeds, study_episodes, protocol="as tuned")
    ),
}
lot_cells = {told: borders.reach(borders.ends(chosen)) for told, chosen in lot_runs.items()}
outputs.figure(
    figures.borders.outcomes(
        {told: (found, lots) for told, found in lot_cells.items()}, "Who takes luck for worth?"
    ),
    "lots",
    "A trap for optimists",
    [run for chosen in lot_runs.values() for run in chosen],
    note="the paper has no such games",
)


# %%
def lost(found):
    """By method: seeds that end right without luck and not with it, over the three lots."""
    by_game = found.pivot(index="learner", columns="game", values="right")
    by_game = by_game.reindex(found["learner"].unique())
    pairs = {"climbing_partly": "climbing", "climbing_fully": "climbing"}
    pairs["max_of_three_2.0_lured"] = "max_of_three_2.0"
    fallen = [(by_game[calm] - by_game[lot]).clip(lower=0) for lot, calm in pairs.items()]
    return pd.concat(fallen, axis=1).sum(axis=1), by_game[list(pairs)].sum(axis=1)


def told(protocol):
    """Who is lured, and how often everybody ends right in the three lots."""
    fallen, won = lost(lot_cells[protocol])
    kept = ", ".join(f"{tables.TITLES[name]} {n:.0f}" for name, n in won.items())
    victims = [name for name, n in fallen.items() if n > n_seeds / 2]
    return f"*{protocol}*, luck costs more than {n_seeds / 2:g} seeds of {named(victims)}; right with luck: {kept}"


Markdown(f"**Finding.** Of {3 * n_seeds} runs with luck a method: " + ". ".join(map(told, lot_cells)) + ".")
