# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 13 · Where it breaks
#
# **Question.** Down to which width of the right hill, and up to how many agents, does each method find it, and what moves
# that border?
#
# **Claim.** SVNR (Stein variational negotiated reasoning) "can steadily converge to the global optimum while jumping out of the local optimum under all settings"
# (§8.1): three widths, three agents. We go on until it breaks.
#
# **Paper.** §8.1; Lemma 6.2 and Theorem 6.3. All else here is beyond the paper, and named so.
#
# **Reads.** The finished runs in `results/` (`n_made` of each kind are trained where they are missing).
#
# **Makes.** The map of who ends where, who follows the Boltzmann policy, a trap for optimists, and SVNR-B.
#
# **Takes.** Seconds with the committed runs; up to a minute a run and core without them.

# %%
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import torch

from svnr.experiments.catalogue import make_game
from svnr.experiments.specs import grid
from svnr.games import lotteries
from svnr.games.differential import two_modalities
from svnr.games.matrix import climbing
from svnr.report import borders, figures, statistics, tables
from svnr.report.findings import computed, finding
from svnr.report.provenance import Outputs
from svnr.report.style import INK, NEUTRAL
from svnr.report.words import counted, listed
from svnr.sets import strict
from svnr.stein import births
from svnr.stein.energy import energy_direction
from svnr.stein.negotiation import negotiate
from svnr.stein.svgd import boltzmann_score, pre_tanh
from svnr.theory import chains, improvements, mdp
from svnr.theory.hills import right_mass
from svnr.theory.maxent import boltzmann
from svnr.theory.policy_iteration import soft_policy_iteration

# %% tags=["parameters"]
n_seeds: int = 5  # runs of each kind, seeds 0 to n_seeds − 1 (paper: 5)
n_episodes: int = 5000  # length of a run (paper: 5000)
widths: list = [3.0, 2.0, 1.5, 1.2, 1.0, 0.8]  # s₂, the widest first (paper: 3, 2, 1.5)
teams: list = [2, 3, 4, 5, 6, 8]  # numbers of agents, the smallest first (paper: 3)
methods: list = [  # rows of `LEARNERS`: with a temperature, without
    "svnr", "svnr_f", "svnr_m", "svnr_b", "masql", "pr2", "rommeo", "hasac",
    "maddpg", "facmac", "qmix", "lenient", "hysteretic", "mappo",
]  # fmt: skip
n_made: int = 0  # seeds of which runs are trained where they are missing; the others are read
n_study_seeds: int = 3  # runs of each change of SVNR-B
n_study_episodes: int = 0  # length of runs from "A trap for optimists" on; 0: n_episodes
n_rounds: int = 30  # of particles alone, at each temperature
n_jobs: int = 2  # processes side by side
scale: str = "paper"  # the name of these numbers; `svnr reproduce --scale` sets both
output: str = ""  # folder for figures and results; empty: this repository's own

# %%
outputs = Outputs.of("13_where_it_breaks", globals())
study_episodes = n_study_episodes or n_episodes
known_runs = partial(outputs.kept, n_made=n_made)
BY_WIDTH = {f"max_of_three_{s}": f"{s:g}" for s in widths}  # game → its column on the map
BY_TEAM = {"max_of_three_2.0" if n == 3 else f"max_of_{n}_2.0": str(n) for n in teams}
PANELS = {"width s₂, three agents": BY_WIDTH, "number of agents, s₂ = 2": BY_TEAM}
NAMES = list(dict.fromkeys([*BY_WIDTH, *BY_TEAM]))
STEPS = (10.0, 1.0, 0.3)  # temperatures at which the three phases rest


def named(learners):
    """Titles of methods in a row; "none" of none."""
    return listed(tables.TITLES[name] for name in learners)


# %% [markdown]
# ## 1. The yardstick
#
# Two dials hide the right hill: it gets narrower, or agents join, whose peak coordinates repeat those of agents 1 to 3 in
# turn. What *should* a team do? The target of every soft method is π*_α ∝ exp(r/α). While α is large it lies about the box, and the
# wide hill holds more of it where it has more of the box (not at s₂ = 3); as α falls it changes sides. α_c is where both
# hold half.
#
# For three agents a sum over a grid tells; for eight, 61⁸ points would be needed. But exp(g/α) is a product over agents,
# and which hill pays hangs on a sum of one number an agent, whose law is a convolution (`theory.hills`). We hold it against the
# grid, to 0.002.


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
columns = ["agents", "share of the box", "share above the wrong peak", "α_c"]
told = known.set_axis(columns, axis=1).rename(index=tables.TITLES).astype({"agents": int})
told["exact share at α = 10"] = [right_mass(hills[name], STEPS[0]) for name in NAMES]
outputs.table(told.round(4), "yardsticks", "What each game asks for, exactly")

# %% [markdown]
# The *share of the box* is that in which the right hill pays: from there ascent leads to its peak. Less of the
# box pays more than the wrong hill's peak: so often does a random joint action show a trapped team something better.
#
# **What to expect.** Soft methods share one schedule, which rests at 10, 1 and 0.3, and at 0.3 more than half of the target stands at
# the right hill in *every* column: so each should end right everywhere. One that does not misses that target by its samplers, by its sets, or because its
# critic does not know the right hill; the map does not tell which. Methods without a temperature have only the shares.

# %%
assert (known["alpha_c"] > STEPS[-1]).all()

# %% [markdown]
# ## 2. The map
#
# **The rule, fixed before the runs.** A run ends right if its test episodes earn more than half of the way from the
# second best, here 0, to the best, 10. A method's border is the last column up to which most of its seeds end right
# without a gap; where the next column was not run, or there is none, none is drawn. SVNR-F and SVNR-M have full and empty
# negotiation sets; SVNR-B is section 4's.

# %%
runs = known_runs(grid(NAMES, methods, n_seeds, n_episodes))
cells = borders.reach(borders.ends(runs))


def seeds_right(cells):
    """Seeds that end right, methods by games."""
    told = cells["right"].astype(str) + " of " + cells["n"].astype(str)
    counts = cells.assign(told=told).pivot(index="learner", columns="game", values="told")
    counts = counts.reindex(index=cells["learner"].unique(), columns=NAMES).fillna("–")
    return counts.rename(index=tables.TITLES, columns=tables.TITLES).rename_axis("method")


label = "Seeds that end at the right hill"
outputs.table(seeds_right(cells), "border_counts", label, runs)


# %%
def last_columns(cells):
    """Where every method stops: how many columns it passes, a column a panel."""
    return pd.DataFrame({label: borders.borders(cells, games) for label, games in PANELS.items()})


stops = last_columns(cells)
total = stops.sum(axis=1)
furthest = total.index[total == total.max()]
most = "right in every column:" if total.max() == sum(map(len, PANELS.values())) else "furthest:"
outputs.figure(
    figures.borders.success_map(
        cells, known, PANELS, STEPS, f"Where methods stop; {most} {named(furthest)}"
    ),
    "border_map",
    "The map",
    runs,
    note="beyond the paper, whose settings are s₂ = 3, 2, 1.5 with three agents; s₂ = 2 stands on both axes",
)


# %%
def stop(learner, cells=cells, stops=stops):
    """Where a method stops, on both axes."""
    ran, told = set(cells["game"][cells["learner"] == learner]), []
    for games, n in zip(PANELS.values(), stops.loc[learner], strict=True):
        last = list(games.values())[n - 1] if n else "–"
        more = n < len(games) and list(games)[n] in ran
        told.append(last if more else f"{last}, and no border seen")
    seeds = cells["n"][(cells["learner"] == learner) & cells["game"].isin(BY_WIDTH | BY_TEAM)]
    several = " to ".join(dict.fromkeys(map(str, (seeds.min(), seeds.max()))))
    return f"{tables.TITLES[learner]} (s₂ {told[0]}; agents {told[1]}; {several} seeds)"


soft, right = cells["alpha"].notna(), cells["right"] > cells["n"] / 2
n_columns = sum(map(len, PANELS.values()))
everywhere = [name for name in cells["learner"][soft].unique() if total[name] == n_columns]
computed(
    f"Every α_c is above 0.3; most seeds of soft methods are right in {right[soft].sum()} of their "
    f"{soft.sum()} cells; in every column: {named(everywhere)}. Methods without a temperature are right in "
    f"{right[~soft].sum()} of {(~soft).sum()}. The last cells that most seeds reach: "
    f"{'; '.join(stop(name) for name in total.index if name in {'svnr', *furthest})}.",
    runs,
)

# %% [markdown]
# ### With the printed formula
#
# The three phases jump from 10 to 1 at a third of a run, and end at 0.3. With ten episodes a step the paper's formula
# is at 1 after a seventh, and ends at 0.2; three methods end right with it at the paper's widths on every seed
# ([12](12_tuned_alike.ipynb), section 4), and go on here.
#
# **What to expect.** If the Stein direction cannot carry mass from hill to hill (section 4), borders stay.

# %%
FORMULA = {"schedule": "printed", "schedule_unit": 10, "alpha_final": 0.2}
FOLLOWING = ["svnr", "svnr_f", "masql"]
falling = outputs.kept(grid(NAMES, FOLLOWING, n_seeds, n_episodes, FORMULA))
by_phases = cells[cells["learner"].isin(FOLLOWING)]
by_formula = borders.reach(borders.ends(falling)) if falling else by_phases.head(0)
both = {"three phases": by_phases, "printed formula": by_formula}
told = pd.concat({how: seeds_right(found) for how, found in both.items()}, names=["schedule"])
label = "Seeds that end at the right hill, by how the temperature falls"
outputs.table(told, "border_counts_printed", label, runs + falling)


# %%
def stops_of(cells):
    """Where each method stops that was run."""
    stops = last_columns(cells)
    return "; ".join(stop(name, cells, stops) for name in stops.index) or "no runs"


told = ". ".join(f"{how.capitalize()}: {stops_of(found)}" for how, found in both.items())
if falling:
    ran = [name for name in FOLLOWING if all(name in set(c["learner"]) for c in both.values())]
    ends_at = {how: last_columns(found).reindex(ran) for how, found in both.items()}
    same = (ends_at["three phases"] == ends_at["printed formula"]).all(axis=1)
    stay, move = (named(same.index[same == kept]) for kept in (True, False))
    told += f". With both alike stop: {stay}; elsewhere: {move}"
computed(f"The last cells that most seeds reach. {told}.", runs + falling)

# %% [markdown]
# Is it one and the same thing that both dials turn? We take every two games of which one has another width and the other
# another number of agents, and every method whose share of seeds that end right differs between them by more than a half, and ask
# how often the better one is the one with the larger share.
#
# **What to expect.** Both shares fall along both axes, so most pairs cannot tell them apart; those do that the two order
# differently.

# %%
success = (cells["right"] / cells["n"]).groupby([cells["learner"], cells["game"]]).first()
success = success.unstack("game").reindex(columns=NAMES).to_numpy()
better = success[:, :, None] - success[:, None, :]  # of the first game over the second
wide, crowd = (
    np.isin(NAMES, [*set(one) - set(two)])
    for one, two in [(BY_WIDTH, BY_TEAM), (BY_TEAM, BY_WIDTH)]
)
across = np.outer(wide, crowd)
n_methods = ((abs(better) > 0.5) & across).any((1, 2)).sum()


def agreement(share):
    """Of each such pair, whether the game with the larger share is the one on which a method does better."""
    larger = np.sign(np.subtract.outer(share.to_numpy(), share.to_numpy()))
    return (better * larger > 0)[(abs(better) > 0.5) & across]


box, above = (agreement(known[name]) for name in ("share", "above"))
computed(
    f"Of {box.size} pairs, of {n_methods} methods, that differ by more than half of the seeds, {(box & above).sum()} agree with both "
    f"shares. Only {(box != above).sum()} tell between them: {(above & ~box).sum()} go with the share above the wrong peak, "
    f"{(box & ~above).sum()} with the share of the box.",
    runs,
)

# %% [markdown]
# ### Who follows the target?
#
# A border does not say why a method stops. What do teams *play*? The share of joint actions at which the
# right hill pays, in the last 100 episodes, beside that of the Boltzmann policy at the temperature of that moment.
#
# **What to expect.** Who samples the target lies on the grey line: a small share at first, then a jump.

# %%
WATCHED = min(BY_WIDTH, key=lambda name: abs(float(BY_WIDTH[name]) - 1.2))
soft_methods = cells["learner"][soft].unique()
watched = known_runs(grid([WATCHED], soft_methods, 1, n_episodes))
alphas = np.geomspace(STEPS[-1], 100, 41)
exact = pd.concat(
    pd.DataFrame(
        {"name": s, "alpha": alphas, "share": [right_mass(hills[game], alpha) for alpha in alphas]}
    )
    for game, s in BY_WIDTH.items()
)
taken, followed = borders.sides(watched), borders.exact_sides(watched[0])
late = taken[taken["episode"] >= 0.9 * n_episodes].groupby("learner", sort=False)["share"].mean()
follow = f"with it, on seed 0, go {named(late.index[late > 0.5])}"
title = f"At s₂ = {BY_WIDTH[WATCHED]} the target changes sides; {follow}"
outputs.figure(
    figures.borders.sides(exact, taken, followed, title),
    "border_sides",
    "Who follows the target",
    watched,
    note=f"seed 0 of {len(watched)} of {len(soft_methods)} soft methods; how many seeds end right: see the map",
)

# %%
hot = taken[taken["episode"].between(0.1 * n_episodes, n_episodes / 3)]
before = hot.groupby("learner", sort=False)["share"].mean()
target = right_mass(hills[WATCHED], STEPS[0])
told_seeds = seeds_right(cells)[tables.TITLES[WATCHED]]
near = [name for name in late.index if abs(before.get(name, np.nan) / target - 1) <= 1 / 3]
computed(
    f"At α = 10 the target has {target:.0%} at the right hill. What teams play there, and at the end (seed 0; in brackets: seeds that end right): "
    + "; ".join(
        f"{tables.TITLES[name]} {before.get(name, np.nan):.0%}, then {share:.0%} ({told_seeds[tables.TITLES[name]]})"
        for name, share in late.items()
    )
    + f". Within a third of the target's share at α = 10: {named(near)}; right at the end without: "
    f"{named(name for name in late.index[late > 0.5] if name not in near)}.",
    watched,
)

# %% [markdown]
# ## 3. Is luck a trap for optimists?
#
# Forgiving a partner's mistakes helps where a bad reward is the partner's fault. What if it is bad luck? In two variants
# of the climbing game (Kapetanakis and Kudenko, 2002) cells pay one of two amounts, by the toss of a coin, and the means
# stay: in *one lot* the cell of both middle choices pays 14 or 0 for 7, in *all lots* every cell does the like. In *Max of Three, lured* the wrong hill pays 20 on top once in ten times and a little less else.

# %%
plain = climbing()
for lot in (lotteries.climbing_partly(), lotteries.climbing_fully()):
    assert np.array_equal(lot.payoff, plain.payoff)  # in the mean nothing has changed
lured = lotteries.lured_max_of_three()
luck = (torch.arange(1000) + 0.5) / 1000
peaks = {"right hill": lured.optimum.u, "wrong hill": lured.trap.u}
paid = {name: lured.paid(torch.tensor(u).expand(1000, -1), luck) for name, u in peaks.items()}
paid = {n: {"mean": p.mean().item(), "at best": p.max().item()} for n, p in paid.items()}
pd.DataFrame(paid).round(2) + 0.0

# %% [markdown]
# **What to expect.** A critic of joint actions that is fitted to the mean sees the same game, if luck is not too noisy for it. Who holds on to the best
# that was ever paid takes luck for worth, and goes to 14 or 20 instead of 11 or 10.
#
# Each game stands beside the one without luck; for methods that have a study also *as tuned*, with what was found
# on Max of Three ([12](12_tuned_alike.ipynb)).

# %%
LOTS = {"climbing": "no luck", "climbing_partly": "one lot", "climbing_fully": "all lots"}
LURED = {"max_of_three_2.0": "no luck", "max_of_three_2.0_lured": "lured"}
STUDIED = ["svnr", "maddpg", "masql", "pr2", "rommeo", "lenient", "hysteretic"]
protocols = {"as set": methods, "as tuned": [name for name in methods if name in STUDIED]}
lot_runs = {
    told: known_runs(grid([*LOTS, *LURED], names, n_seeds, study_episodes, protocol=told))
    for told, names in protocols.items()
}
PAIRS = {"climbing_partly": "climbing", "climbing_fully": "climbing"}  # with luck → without
PAIRS["max_of_three_2.0_lured"] = "max_of_three_2.0"
lot_ends = {
    told: borders.ends(chosen)
    for told, chosen in lot_runs.items()
    if PAIRS.keys() & {run.spec.game for run in chosen}
}
lot_cells = {told: borders.reach(found) for told, found in lot_ends.items()}
runs_with_lots = [run for told in lot_ends for run in lot_runs[told]]

# %%
earned = {told: tables.per_game(found, "earned", digits=1) for told, found in lot_ends.items()}
outputs.table(
    pd.concat(earned, names=["protocol"]).fillna("–"),
    "lots_earned",
    "What tests earn, with luck and without",
    runs_with_lots,
    note="mean ± deviation over as many seeds as the figure below says",
)


# %%
def with_luck(protocol, game):
    """By method, over runs of the same seeds: how many end right without luck, and with it."""
    found = lot_ends[protocol]
    by_game = found.pivot(index=["learner", "seed"], columns="game", values="right")
    both = by_game.reindex(columns=[PAIRS[game], game]).dropna().astype(int)
    both = both.set_axis(["without", "with"], axis=1).groupby("learner")
    order = [name for name in lot_cells[protocol]["learner"].unique() if name in both.groups]
    return both.sum().assign(n=both.size()).loc[order]


# %%
def moved(protocol, sign):
    """Methods of which luck moves three seeds or more of a game, to (1) or from (−1) the right hill."""
    found = {}
    for game in PAIRS:
        both = with_luck(protocol, game)
        for name in both.index[sign * (both["with"] - both["without"]) >= 3]:
            found.setdefault(tables.TITLES[name], []).append((LOTS | LURED)[game])
    return listed(f"{name} ({listed(labels)})" for name, labels in found.items())


def told(protocol):
    """How many seeds of whom end right, by game, and who loses to luck."""
    parts = []
    for game in PAIRS:
        both = with_luck(protocol, game)
        rows = [
            f"{tables.TITLES[name]} {a} → {b} of {n}"
            for name, (a, b, n) in both.iterrows()
            if a or b
        ]
        parts += (
            [f"with *{(LOTS | LURED)[game]}* {', '.join(rows) or 'nobody'}"] if len(both) else []
        )
    changed = f"lost by: {moved(protocol, -1)}; gained by: {moved(protocol, 1)}"
    return f"*{protocol}* {'; '.join(parts)}. Three seeds or more of a game are {changed}"


# %%
families = {"climbing game": LOTS, "Max of Three": LURED}
panels = {
    f"{family}, {protocol}": (found, games)
    for protocol, found in lot_cells.items()
    for family, games in families.items()
    if len(set(games) & set(found["game"])) > 1  # something to be held against
}
lost = [f"{name} {moved(name, -1).replace('none', 'nobody')}" for name in lot_ends]
title = f"Luck costs three seeds of a game or more: {'; '.join(lost)}"
outputs.figure(
    figures.borders.outcomes(panels, title if n_seeds > 2 else "Is luck a trap for optimists?"),
    "lots",
    "Is luck a trap for optimists?",
    runs_with_lots,
    note="the paper has no such games",
)

# %%
OPTIMISTS = ["lenient", "hysteretic"]  # who forgive bad rewards


def together(protocol):
    """Seeds of all three games that end right, without luck → with it: forgiving, others."""
    every = pd.concat([with_luck(protocol, game) for game in PAIRS]).groupby(level=0).sum()
    forgive = every.index.isin(OPTIMISTS)
    groups = {"the two that forgive bad rewards": every[forgive], "all others": every[~forgive]}
    sums = {kind: group.sum() for kind, group in groups.items()}
    return "; ".join(
        f"{kind} {n['without']:.0f} → {n['with']:.0f} of {n['n']:.0f}" for kind, n in sums.items()
    )


computed(
    f"Seeds that end right, without luck → with it, over the three games with luck (the climbing game without counts for both of its "
    f"lots): {'. '.join(f'*{name}* {together(name)}' for name in lot_ends)}. Of methods with any, game by game: "
    f"{'. '.join(map(told, lot_ends))}.",
    runs_with_lots,
)

# %% [markdown]
# ## 4. A cure, beyond the paper: SVNR-B
#
# In a game of one state SVNR *with births* keeps particles z of its own and does three things at every update, in place of
# (7.2); games with states come last. (For the first tenth of a run it acts uniformly, so that its critic has seen the box.) Its
# settings were chosen on seed 0 of Two Modalities, of six agents and of eight, that tenth also on seed 1 at s₂ = 0.8 and 1, all
# among the seeds shown; no other method's were searched here.
#
# **Births.** A uniform u′ replaces u with probability min(1, exp[(Q(u′) − Q(u))/α]). A valley between them plays no part.


# %%
def born_by_hand(u, rivals, value, alpha, luck):
    """Each particle against its one rival."""
    return torch.stack(
        [
            rival if chance < np.exp(float(value(rival) - value(own)) / alpha) else own
            for own, rival, chance in zip(u, rivals, luck, strict=True)
        ]
    )


value, alpha, seeded = make_game(WATCHED).reward, 3.0, torch.Generator().manual_seed
u, rivals = births.uniform(2, 500, 3, generator=seeded(0))
luck = torch.rand(500, generator=seeded(1))
ours = births.reborn(u, value(u), rivals[None], value(rivals)[None], alpha, seeded(1))[0]
assert torch.equal(ours, born_by_hand(u, rivals, value, alpha, luck))

# %% [markdown]
# **Moves.** In latent coordinates, u = tanh z, half of the particles *walk*, z′ = z + sε with steps of many sizes, and
# the others *jump* along the difference of two of these: where some have found a hill, it leads across. Either is taken
# with probability min(1, p(z′)/p(z)), log p(z) = Q(tanh z)/α + Σ log(1 − tanh² z). Proposals are as likely there as back, and p(z) min(1, p(z′)/p(z)) =
# p(z′) min(1, p(z)/p(z′)), which is detailed balance: walks leave p as it is, jumps the law of all particles together.


# %%
def moved_by_hand(z, proposed, value, alpha, luck):
    """Metropolis's rule, particle by particle."""

    def log_density(x):
        return value(x.tanh()) / alpha + (1 - x.tanh() ** 2).log().sum()

    chances = [log_density(new) - log_density(old) for old, new in zip(z, proposed, strict=True)]
    taken = torch.stack(chances).exp() > luck
    return torch.where(taken[:, None], proposed, z)


z = births.latent(u)
proposed = births.proposed(z, seeded(2))
ours = births.metropolis(z, value(u), proposed, value, alpha, seeded(1))[0]
assert torch.equal(ours, moved_by_hand(z, proposed, value, alpha, luck))

few = z[:20]
went = births.proposed(few, seeded(2)) - few
pairs = few[:, None] - few[None]  # the differences along which one may jump
assert torch.isclose(went[:, None, None], pairs, atol=1e-6).all(-1).any(-1).any(-1).sum() == 10

# %% [markdown]
# What do they buy? Particles alone, with the true reward, no critic and no network. A cloud with the target's share
# at α = 10 is cooled to 0.3 in 15 steps: by (7.2) with strict sets; by walks; by walks and jumps (*jumps*); the last two with births and without.
#
# **What to expect.** A kernel is not felt from hill to hill, and a walk seldom crosses a valley: by (7.2) and by walks alone the share
# stays near what it is.


# %%
def chain(z, alpha, value, draws, propose, n_births=1, n=n_rounds):
    """So many times births of every particle, if there are any, and a move."""
    for _ in range(n):
        rivals = births.uniform(n_births, *z.shape, generator=draws)
        own, rated = value(z.tanh()), value(rivals)
        z, own = births.reborn(z, own, births.latent(rivals), rated, alpha, draws)
        z, _ = births.metropolis(z, own, propose(z, draws), value, alpha, draws)
    return z


MOVES = {  # → how moves are proposed, and how many births there are before one
    "walks": (births.steps, 0),
    "births and walks": (births.steps, 1),
    "jumps": (births.proposed, 0),
    "births and jumps": (births.proposed, 1),
}


# %%
def cooled(name, draws, n=256):
    """The right hill's share among n particles at each temperature, by update."""
    game = make_game(name)
    start = births.latent(births.uniform(n, game.n_agents, generator=draws))
    start = chain(start, STEPS[0], game.reward, draws, births.steps, n=10 * n_rounds)
    clouds = dict.fromkeys(("(7.2)", *MOVES), start)
    for alpha in np.geomspace(STEPS[0], STEPS[-1], 15):
        how = pre_tanh(boltzmann_score(game.reward, alpha)), strict(game.n_agents), n_rounds
        clouds["(7.2)"] = negotiate(clouds["(7.2)"], *how, min(0.02 * alpha, 0.1))[-1]
        for way, (propose, n_births) in MOVES.items():
            clouds[way] = chain(clouds[way], alpha, game.reward, draws, propose, n_births)
        found = {way: game.pays_most(z.tanh()).float().mean().item() for way, z in clouds.items()}
        found["exact"] = right_mass(borders.two_hills(game), alpha)
        for way, share in found.items():
            yield {"game": tables.TITLES[name], "update": way, "alpha": alpha, "share": share}


# %%
BROKEN = {"max_of_three_1.0": "s₂ = 1", "max_of_8_2.0": "eight agents"}
cooling = pd.DataFrame([row for name in BROKEN for row in cooled(name, seeded(0))])
ends = cooling.groupby(["game", "update"], sort=False)["share"].agg(["first", "last"])
of = ends["last"].unstack("update")
least, most = of[["jumps", "births and jumps"]].min(axis=None), of["(7.2)"].max()
title = f"At α = {STEPS[-1]:g} jumps have {least:.0%} or more at the right hill, (7.2) {most:.0%} at most"
outputs.figure(
    figures.borders.carried(cooling, title),
    "births_cooling",
    "Particles alone, while α falls",
    note="256 particles with the true reward",
)

# %%
computed(
    "Shares of the right hill, at α = 10 → at 0.3: "
    + "; ".join(
        f"{game}, {update} {first:.0%} → {last:.0%}"
        for (game, update), (first, last) in ends.iterrows()
    )
    + "."
)

# %% [markdown]
# **A pull.** Samplers y = f(ξ) go down the energy distance to the particles, 2 E|Y − Z| − E|Y − Y′| − E|Z − Z′| in latent
# coordinates, which is 0 only where both laws agree (Székely and Rizzo, 2013): by (7.3) with
# φ(y_m) = mean_j (z_j − y_m)/|z_j − y_m| − mean_{l≠m} (y_l − y_m)/|y_l − y_m|: felt at any range.


# %%
def pulled_by_hand(z, y, floor=0.01):
    """φ at every sample, one pair at a time."""

    def towards(there, here):
        return (there - here) / max(float((there - here).norm()), floor)

    return torch.stack(
        [
            sum(towards(x, here) for x in z) / len(z)
            - sum(towards(other, here) for other in y) / (len(y) - 1)
            for here in y
        ]
    )


samples = z[20:30]
assert torch.allclose(
    pulled_by_hand(few, samples), energy_direction(few, samples, 0.01), atol=1e-6
)

# %% [markdown]
# ### What is left of Lemma 6.2 and Theorem 6.3
#
# A chain that leaves exp(Q/α) of the present Q as it is never takes a law further from it, so no step lowers the soft
# value at this Q, and by the argument of Lemma 6.2 the next Q is nowhere less (`theory.chains`). **This is said
# of births and of one agent's steps, in a finite game with exact Q**: of jumps it holds for all particles' law together, and few
# particles, samplers that lag and a learned Q are not covered. We play the
# climbing game for ever, from all agents at the *third* choice, at α = 1.
#
# **What to expect.** With births the chain ends where the exact update does, as in Theorem 6.3. With moves alone no Q
# falls either, but the way from 7 to 11 leads over −30.

# %%
UPDATES = {
    "exact": improvements.exact_nested,
    "births and moves": chains.births_and_moves,
    "moves alone": chains.moves_alone,
}
kept = boltzmann(plain.payoff, 1.0).ravel()
assert all(
    np.allclose(kept @ kernel(plain.payoff, 1.0), kept)
    for kernel in (chains.birth_kernel, chains.move_kernel)
)
forever = mdp.one_state(plain.payoff, discount=0.9)
corner = np.full((1, 3, 3), 1e-9)
corner[0, 2, 2] = 1
corner /= corner.sum()
paths = {
    name: soft_policy_iteration(forever, 1.0, update, corner, n_rounds=100, tolerance=0).rounds
    for name, update in UPDATES.items()
}
steps = [(b.q - a.q).min() for rounds in paths.values() for a, b in pairwise(rounds)]
gaps = {name: abs(r[-1].q - paths["exact"][-1].q).max() for name, r in paths.items()}

# %%
traces = pd.concat(
    pd.DataFrame({"update": n, "round": range(31), "value": [each.value[0] for each in r[:31]]})
    for n, r in paths.items()
)
outputs.figure(
    figures.particles.lines(
        traces,
        "round",
        "value",
        "update",
        ("round of policy iteration", "soft value"),
        "Births cross the valley, moves alone wait before it"
        if gaps["births and moves"] < 0.01 < 1 < gaps["moves alone"]
        else "Births and moves, and moves alone",
        (paths["exact"][-1].value[0], "optimal"),
        "",
        "The climbing game for ever, γ = 0.9, α = 1, from the third choice of both. Exact, nothing is sampled.",
        colors=(INK, NEUTRAL["blue"], NEUTRAL["violet"]),
        floor=None,
    ),
    "births_and_moves",
    "The finite counterpart of Theorem 6.3",
)

# %%
finding(
    (min(steps) > -1e-9, "In no step of any of the three does a Q fall (Lemma 6.2)."),
    (
        gaps["births and moves"] < 0.01,
        "Births and moves end at the exact update's Q (Theorem 6.3), "
        f"less than {max(gaps['births and moves'], 1e-4):.4f} away.",
    ),
    (gaps["moves alone"] > 1, f"Moves alone end with Q {gaps['moves alone']:.1f} below it."),
)

# %% [markdown]
# How long must births wait? Of those that challenge a particle at the wrong peak, at least the share above it wins. A particle has one
# birth an update, and the steps at 1 and 0.3 are two thirds of a run. Where that is too few, jumps must bring the rest.

# %%
chances = 1 - (1 - known["above"]) ** (2 / 3 * n_episodes)
waiting = pd.DataFrame({"births until one wins": 1 / known["above"], "cross in time": chances})
style = waiting.rename(index=tables.TITLES).style
style.format({"births until one wins": "{:.0f}", "cross in time": "{:.0%}"})

# %%
slow = [name for name in NAMES if chances[name] < 0.9]
ours = cells[cells["learner"] == "svnr_b"].set_index("game").reindex(NAMES)
broken = [name for name in NAMES if ours["right"][name] < ours["n"][name]]
but = f" but in {'; '.join(map(tables.TITLES.get, broken))}" if broken else ""
computed(
    f"By births alone more than a tenth of the particles would not have crossed in time in {'; '.join(map(tables.TITLES.get, slow)) or 'no game'}. "
    f"All seeds of SVNR-B that there are end right{but}.",
    runs,
)

# %% [markdown]
# ### Which of its parts matter?
#
# One change at a time, one of two, and controls: SVNR, and SVNR, SVNR-F and MASQL with as many uniform actions at first. Over particles
# that have the target's law (7.2) is 0 wherever the samplers are (Stein's identity), so *pull by (7.2)* must fail. The last column is Two
# Modalities with the very same settings, by the rule of notebook [08](08_two_modalities.ipynb).
#
# **What to expect.** Births or jumps alone cross at s₂ = 1, only jumps among eight agents; without either seeds are lost.

# %%
CHANGES = {
    "SVNR-B": ("svnr_b", {}),
    "no births": ("svnr_b", {"n_births": 0}),
    "walks, no jumps": ("svnr_b", {"moves": "walks"}),
    "walks, neither births nor jumps": ("svnr_b", {"n_births": 0, "moves": "walks"}),
    "moves by (7.2)": ("svnr_b", {"moves": "stein"}),
    "pull by (7.2)": ("svnr_b", {"pull": "stein"}),
    "not uniform at first": ("svnr_b", {"random_share": 0.0}),
    "SVNR": ("svnr", {}),
}
CHANGES |= {  # what SVNR-B alone has at first, given to others that come far
    f"{tables.TITLES[name]}, uniform at first": (name, {"random_steps": int(0.1 * study_episodes)})
    for name in ("svnr", "svnr_f", "masql")
}
MODES = "two_modalities"
changed = {
    name: known_runs(grid([*BROKEN, MODES], [learner], n, study_episodes, change))
    for name, (learner, change) in CHANGES.items()
    for n in [n_study_seeds if change else n_seeds]
}
changed = {name: chosen for name, chosen in changed.items() if chosen}
exact_mass = right_mass(borders.two_hills(two_modalities()), STEPS[-1])


# %%
def judged(name, chosen):
    """A run a row: whether it ends right, or keeps both modes, and what is behind that."""
    on_hills = [run for run in chosen if run.spec.game in BROKEN]
    on_modes = [run for run in chosen if run.spec.game == MODES]
    parts = [borders.ends(on_hills).rename(columns={"earned": "value"})] if on_hills else []
    if on_modes:
        modes = tables.modes(on_modes, exact_mass)
        parts.append(modes.rename(columns={"kept": "right", "mass": "value"}))
    return pd.concat(parts).assign(change=name)[["change", "game", "right", "value"]]


COLUMNS = BROKEN | {MODES: f"both modes (exact {exact_mass:.3f})"}
tried = pd.concat(judged(name, chosen) for name, chosen in changed.items())
cell = tried.groupby(["change", "game"], sort=False)
words = cell.apply(lambda t: f"{t['right'].sum()} of {len(t)} ({t['value'].mean():.2f})")
ablation = words.unstack("game").reindex(index=list(changed), columns=list(COLUMNS)).fillna("–")
every_run = [run for chosen in changed.values() for run in chosen]
outputs.table(
    ablation.rename(columns=COLUMNS).rename_axis("change"),
    "births_ablation",
    "SVNR-B, one change at a time",
    every_run,
    note="in brackets: the mean test reward, or the narrow mode's share",
)

# %%
shares = cell["right"].mean().unstack("game").rename(columns=COLUMNS).loc[list(changed)]
shares.columns = [name.partition(" (")[0] for name in shares.columns]
losing = {name: row.index[row < shares.loc["SVNR-B"]] for name, row in shares.iloc[1:].iterrows()}
whole = [name for name in losing if shares.loc[name].notna().all()]
harmless = [f"*{name}*" for name in whole if not len(losing[name])]
of_births = [name for name in losing if CHANGES[name][0] == "svnr_b"]
lost = [f"on {listed(losing[n])} with *{n}*" for n in of_births if len(losing[n])]
controls = [
    f"*{name}* "
    + ", ".join(f"{share:.0%} {on}" for on, share in shares.loc[name].dropna().items())
    for name in losing
    if name not in of_births
]
computed(
    f"With up to {counted(n_study_seeds, 'seed')} a change (see the table), in shares of the seeds, beside SVNR-B as it is: seeds are lost "
    f"{'; '.join(lost) or 'nowhere'}. "
    f"Run on all three games, none is lost with {listed(harmless, 'any change')}. Controls, on all of their seeds: {'; '.join(controls)}.",
    every_run,
)

# %%
axis = (torch.arange(61) + 0.5) * 2 / 61 - 1
cube = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1)
density = boltzmann(two_modalities().reward(cube).double().numpy(), STEPS[-1]).sum(1)
shown = {
    name: 10 * run.perceived[0].astype(float)
    for name, chosen in changed.items()
    for run in chosen
    if run.spec.game == MODES and run.spec.seed == 0
}
kept = [name for name in shown if cell["right"].first().get((name, MODES), False)]
of_births = [name for name in shown if CHANGES[name][0] == "svnr_b"]
title = (
    f"Both modes are kept by {len({*kept} & {*of_births})} of {len(of_births)} kinds of SVNR-B, "
    f"{len({*kept} - {*of_births})} of {len(shown) - len(of_births)} others (seed 0)"
)
outputs.figure(
    figures.policies.perceived_policies(shown, density, title),
    "births_two_modalities",
    "Two Modalities, SVNR-B",
    [run for run in every_run if run.spec.game == MODES],
    note=f"exact share of the narrow mode {exact_mass:.3f}",
)

# %% [markdown]
# ### Games with states
#
# There is no store for each of many states: particles start anew from what the samplers say at a state, and
# are challenged and moved, four a state, with four births. Samplers follow (7.2) again, averaged over these
# particles, which have not come to the target. (The pull was chosen on seed 0 of Particle Gather and of
# HalfCheetah, the number of births on Particle Gather from farther away; these seeds are among those shown.)
# Beside it stand the pull down the energy distance and moves without births, on Particle Gather
# ([10](10_particle_gather.ipynb)) and a robot ([16](16_multi_agent_mujoco.ipynb)), with the settings of
# either notebook.
#
# **What to expect.** We know of no wide wrong hill in them. If there is none, births have nothing to cross, and cost little.

# %%
MANY_STATES = ["particle_gather_turned", "particle_gather_anywhere", "halfcheetah_2x3"]
WITH_STATES = {
    "SVNR": ("svnr", {}),
    "SVNR-B": ("svnr_b", {}),
    "pull down the energy distance": ("svnr_b", {"pull": "energy"}),
    "moves, no births": ("svnr_b", {"n_births": 0}),
}
with_states = {
    kind: outputs.kept(grid(MANY_STATES, [learner], n_seeds, None, changes))
    for kind, (learner, changes) in WITH_STATES.items()
}
in_states = [tables.scores(made).assign(learner=k) for k, made in with_states.items() if made]
table = pd.concat(in_states) if in_states else pd.DataFrame(columns=["game", "learner", "shared"])
runs_with_states = tables.all_of(with_states)
ways = {way: tables.per_game(table, way) for way in ("shared", "greedy") if in_states}
n_seen = table.groupby(["learner", "game"], sort=False).size().astype(str).unstack()
n_seen = {"seeds": n_seen.rename(columns=tables.TITLES)}
by_way = pd.concat(ways | n_seen, names=["execution"]).fillna("–") if ways else table
outputs.table(by_way, "births_with_states", "SVNR-B in games with states", runs_with_states)


# %%
def beside_svnr(kind, game):
    """What a kind of SVNR-B earns in a game with states, beside SVNR, in words."""
    seeds = dict(list(table[table["game"] == game].groupby("learner")["shared"]))
    if missing := [k for k in (kind, "SVNR") if k not in seeds]:
        return f"{tables.TITLES[game]} has no runs of {listed(missing)}"
    above = [
        a for a, b in ((kind, "SVNR"), ("SVNR", kind)) if tables.outperforms(table, a, b, game)
    ]
    told = f"{above[0]} outperforms" if above else "neither outperforms"
    if not statistics.enough(seeds[kind], seeds["SVNR"]):
        told = "too few seeds to rank"
    digits = 2 if seeds["SVNR"].mean() < 100 else 0
    ours, theirs = (f"{seeds[k].mean():.{digits}f} ({len(seeds[k])})" for k in (kind, "SVNR"))
    return f"{tables.TITLES[game]} {ours} beside {theirs}, {told}"


there = [kind for kind in list(WITH_STATES)[1:] if with_states[kind]]
computed(
    "Mean return with shared noise (seeds), beside SVNR's: "
    + (
        " ".join(
            f"*{kind}*: {'; '.join(beside_svnr(kind, g) for g in MANY_STATES)}." for kind in there
        )
        or "no runs yet."
    ),
    runs_with_states,
)

# %% [markdown]
# ## Against the paper
#
# The map says how far "under all settings" goes. SVNR-B is ours, with its own name, and no part of the reproduction.

# %%
PRINTED = [name for name in NAMES if name in [f"max_of_three_{s}" for s in (3.0, 2.0, 1.5)]]
of_svnr = cells[cells["learner"] == "svnr"].set_index("game").reindex(NAMES)
printed = of_svnr.loc[PRINTED].dropna()
holds = bool((printed["right"] == printed["n"]).all()) and len(printed) > 0
never = [name for name in NAMES if of_svnr["right"][name] == 0]
computed(
    f"With three phases in place of the printed schedule (at an episode a step: [09](09_max_of_three.ipynb), section 5) SVNR's claim "
    f"{'holds' if holds else 'does not hold'} at the {len(printed)} printed widths that were run; no seed of it is "
    f"right in {'; '.join(tables.TITLES[name] for name in never) or 'none of the games'}.",
    runs,
)

# %% [markdown]
# ## Adapt this
#
# Change `widths`, `teams` and `methods`; `svnr train max_of_6_2.0 svnr_b --set n_births=512` does one run.
#
# ## Exercises
#
# 1. Let SVNR cool slowly (`schedule=geometric`) at s₂ = 1.2, then at 1. What becomes of the border?
# 2. Store 64 particles instead of 256. What becomes of the share on Two Modalities?
#
# ## In one paragraph
#
# The right hill shrinks with every step in width and every agent more, and an exact yardstick says when a soft team should
# still stand on it. What carries particles over is not (7.2) but jumps along the
# difference of two or, with three agents, births as well, and samplers follow them down the energy distance: that is SVNR-B. Next:
# [14 · Many agents](14_many_agents.ipynb).
