# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 16 · Multi-agent MuJoCo
#
# **Question.** Does negotiation still pay where agents are the joints of one body?
#
# **Claim.** Of SVNR (Stein variational negotiated reasoning): "SVNR achieves SOTA on all 4 MaMuJoCo tasks, outperforming both general baselines and specialized
# reasoning methods." (key findings of a summary of the later version) It is judged in [17](17_scoreboard.ipynb).
#
# **Paper.** The table of the later version (ICLR 2026), and its ablations.
#
# **Reads.** The finished runs that there are in `results/` (`n_made` of each kind, and the team that is watched, are
# trained where they are missing).
#
# **Makes.** The table ours beside theirs, learning curves against steps and against minutes, SVNR beside SVNR-M, which has
# empty negotiation sets, studies of particles, sets and updates, and a gait.
#
# **Takes.** Seconds with the committed runs; without them one to twelve minutes a run and core, QMIX and FACMAC with more
# updates up to 17.

# %%
from functools import partial

import numpy as np
import pandas as pd
import torch

from svnr.experiments.catalogue import make_game, title
from svnr.experiments.evaluate import play
from svnr.experiments.specs import grid
from svnr.experiments.store import trained
from svnr.games.mamujoco import snapshots
from svnr.report import figures, statistics, tables
from svnr.report.findings import computed
from svnr.report.paper import LATER_PARTICLES, LATER_SETS, LATER_TABLE
from svnr.report.provenance import Outputs
from svnr.report.words import counted, listed
from svnr.sets import written_out

# %% tags=["parameters"]
n_seeds: int = 5  # runs of each kind, seeds 0 to n_seeds − 1 (the later version: 5)
n_steps: int = (
    300_000  # environment steps of a run (what we have of the later version does not say)
)
n_robots: int = 4  # how many of the four robots are learned on
n_methods: int = 11  # how many of the methods, in the order below
n_made: int = 0  # runs of each kind that are trained where they are missing; the others are read
n_scripted: int = 8  # episodes of each team that learns nothing
n_jobs: int = 2  # processes side by side
scale: str = "paper"  # the name of these numbers; `svnr reproduce --scale` sets both
output: str = ""  # folder for figures and results; empty: this repository's own

# %%
outputs = Outputs.of("16_multi_agent_mujoco", globals())
ROBOTS = ["halfcheetah_2x3", "walker2d_2x3", "coupledhalfcheetah_1p1", "ant_2x4"]
METHODS = ["svnr", "svnr_m", "facmac", "hasac", "mappo", "maddpg", "masql", "pr2", "rommeo"]
METHODS = [*METHODS, "mmq", "qmix"][:n_methods]  # those that there are runs of are shown
learned = ROBOTS[:n_robots]
panels = {name: title(name) for name in learned}

# %% [markdown]
# ## 1. Four robots
#
# A robot of MuJoCo is cut into agents, each of which moves some of its joints; all observe the whole state, and all
# are paid for how fast the robot runs, less what their torques (and an ant's contacts) cost. Two legs of a cheetah are
# two agents (2x3); two cheetahs held together by a loose tendon are two agents (1p1, the later version's HalfCheetah-1p1 as we read it); so are a walker's legs (2x3), an
# ant's front and back (2x4). An episode lasts a thousand steps; a walker or an ant that falls ends it, and is paid 1 a step until then.
#
# Before anybody learns, we ask what a team earns that does nothing, and what one earns that twitches. Without these
# two columns a number in a table of returns means little.


# %%
def scripted(name, largest):
    """Mean return of a team whose torques are uniform in ±largest, whatever the state."""
    game, draws = make_game(name), torch.Generator().manual_seed(0)
    size = sum(game.action_sizes)

    def act(state):
        return largest * (2 * torch.rand(len(state), size, generator=draws) - 1)

    return float(play(game, act, n_scripted, seed=0).returns.mean())


still = {name: scripted(name, 0.0) for name in ROBOTS}
theirs = {
    f"the later version's {tables.TITLES[m]}": [LATER_TABLE[m, n][0] for n in ROBOTS]
    for m in METHODS[:1]
}
without_learning = {"no torque": still.values(), "at random": [scripted(n, 1.0) for n in ROBOTS]}
rows = pd.DataFrame(without_learning | theirs, index=[title(name) for name in ROBOTS])
outputs.table(
    rows.round(1), "mujoco_scripted", "Teams that learn nothing", note="zero and random torques"
)

# %%
below = [n for n in ROBOTS if max(v[0] for (m, g), v in LATER_TABLE.items() if g == n) < still[n]]
computed(
    "In the later version's table every method earns less than a team that does nothing earns in our simulator on: "
    f"{listed(map(title, below))}."
)

# %% [markdown]
# ## 2. How the runs are set
#
# The summary that we have of the later version gives no budget, and of the settings only a range of particles, M ∈ [32, 40];
# we take 8 at each of 64 states, so that an update stays short. Ours were chosen before the runs and are alike for every method but
# three: networks of two layers of 128, five-step returns, layer norm in the critics, Adam at 0.001, an update of 256
# transitions for every eighth environment step, eight copies of the robot, 300,000 environment steps. MAPPO learns from
# rollouts of its own; QMIX tries 16 actions in each of three rounds when it learns; MMQ has one-step returns, and its critics and actors learn from 64 of an update's transitions (rows 78 and 79 of
# `docs/deviations.md`). The settings come from trials of a joint DDPG, of SVNR and of MADDPG with other seeds; the other
# methods had no say in them. In one of these trials MADDPG learned faster with an update for every fourth step (row 76).
# Every 25,000 steps a team is tested on a robot of its own, in four episodes for each way to act; section 3 tells how far four of one team lie apart.

# %%
training = {"length": n_steps, "test_every": min(25_000, n_steps // 2)}
specs = grid(learned, METHODS, n_seeds, training=training)
team = trained(specs[0], outputs.results)  # kept with its run, to be watched below
runs = outputs.kept(specs, n_made)
scores = tables.scores(runs)
METHODS = list(dict.fromkeys(scores["learner"]))
pd.Series(specs[0].settings.plain(), name=f"SVNR on {title(learned[0])}").to_frame()

# %% [markdown]
# ## 3. Ours beside theirs
#
# **The rule, fixed before the runs.** A cell is reproduced if our mean over seeds lies within the later version's mean
# ± its printed spread; otherwise it is higher or lower. Teams act with shared noise, as in Table 1. **Added after the
# first runs.** One method *outperforms* another on a robot only if their bootstrap intervals do not touch and both have five seeds;
# with fewer none is ranked, and the figure below draws no interval: of three seeds it would be their range.
#
# **What to expect.** If the later version's order is one of methods and not of budgets, SVNR outperforms the others here, too,
# and MADDPG, MASQL and MMQ end last, as in its table on both cheetahs.

# %%
beside = tables.beside_paper(scores, "shared", LATER_TABLE, digits=0)
note = f"verdicts of cells {statistics.verdicts(beside)}"
outputs.table(beside, "mujoco_table", "The later version's table", runs, note)

# %% [markdown]
# And every method, those that the later version does not have too, as mean ± deviation over seeds. Below stands what they earn in the
# mean of their last four tests, and what the teams after training earn greedily, which for MAPPO and HASAC is their mean action, as their public code tests them.

# %%
late = tables.tests(runs).groupby(["game", "learner", "seed"], sort=False).tail(4)
late = late.groupby(["game", "learner", "seed"], sort=False, as_index=False)["shared"].mean()
parts = {"shared": (scores, "shared"), "shared, last four tests": (late, "shared")}
parts |= {"greedy": (scores, "greedy")}
both_ways = {way: tables.per_game(*part, 0).fillna("–") for way, part in parts.items()}
outputs.table(
    pd.concat(both_ways, names=["execution"]), "mujoco_methods", "Robots, every method", runs
)

# %%
by_mean = tables.beside_paper(
    scores[scores["learner"] == "mappo"], "greedy", LATER_TABLE, digits=0
)


# %%
n_runs = scores.groupby(["game", "learner"]).size()


def ranked(name, *learners):
    """Whether all of these have the seeds to be ranked on a robot."""
    return all(n_runs.get((name, m), 0) >= statistics.ENOUGH_SEEDS for m in learners)


wins = partial(tables.outperforms, scores)  # one method, another, a robot
beaten = {n: [m for m in METHODS[1:] if wins("svnr", m, n)] for n in learned}
ahead = {n: [m for m in METHODS[1:] if wins(m, "svnr", n)] for n in learned}
levels = {name: ("no torque", height) for name, height in still.items()}
enough = f"{statistics.ENOUGH_SEEDS} seeds or more"
rivals = {n: sum(ranked(n, m) for m in METHODS[1:]) for n in learned if ranked(n, "svnr")}
message = "Too few seeds to say who outperforms whom"
if pairs := sum(rivals.values()):
    over, under = (sum(len(found[n]) for n in rivals) for found in (beaten, ahead))
    message = (
        f"Five seeds on both sides, {counted(pairs, 'pair')}, {len(rivals)} of {len(learned)} robots: "
        f"SVNR outperforms in {over or 'none'}, is outperformed in {under or 'none'}"
    )
outputs.figure(
    figures.robots.final_returns(scores, panels, message, levels, LATER_TABLE),
    "mujoco_returns",
    "The later version's table, drawn",
    runs,
    note="shared noise; seeds of each method: see the table",
)

# %% [markdown]
# **Who is ahead of whom.** Of every pair of a run of SVNR and one of another method, how often SVNR's earns more; and
# who outperforms whom.


# %%
def against_svnr(name):
    """SVNR against every other method on one robot."""
    earned = scores[scores["game"] == name].groupby("learner", sort=False)["shared"].apply(list)
    rows = {}
    for learner in [m for m in METHODS[1:] if m in earned]:
        pair = ("svnr", learner), (learner, "svnr")
        told = listed((tables.TITLES[a] for a, b in pair if wins(a, b, name)), "neither")
        chance = statistics.probability_of_improvement(earned["svnr"], earned[learner])
        rows[tables.TITLES[learner]] = {
            "seeds": len(earned[learner]),
            "SVNR earns more": f"{chance:.2f}" if ranked(name, *pair[0]) else "–",
            "outperforms the other": told if ranked(name, *pair[0]) else "too few seeds",
        }
    return pd.DataFrame(rows).T


pd.concat({title(name): against_svnr(name) for name in learned}, axis=1).fillna("–")


# %%
def who_moves(name):
    """Who earns more on a robot than a team that does nothing, of how many, in the mean."""
    earned = ours.xs(name, level="game") if name in set(scores["game"]) else []
    more = [m for m in METHODS if m in earned and earned[m] > still[name]]
    told = [f"{tables.TITLES[m]} ({n_runs[name, m]})" for m in more]
    return f"{title(name)} {listed(told)} of {len(earned)}"


def last_of(name, n=3):
    """The methods that earn least on a robot, the least first."""
    earned = ours.xs(name, level="game") if name in set(scores["game"]) else ours.iloc[:0]
    return f"{title(name)} {listed(tables.TITLES[m] for m in earned.nsmallest(n).index)}"


ours = scores.groupby(["learner", "game"])["shared"].mean()
within = scores.groupby("game")["shared within"].mean().reindex(learned).dropna()
computed(
    f"Verdicts of cells {statistics.verdicts(beside)}. Of MAPPO's by its mean action, those {statistics.verdicts(by_mean)}. "
    + " ".join(
        f"On {title(n)} SVNR outperforms {listed(map(tables.TITLES.get, beaten[n]))}; it is outperformed by "
        f"{listed(map(tables.TITLES.get, ahead[n]))}."
        for n in learned
        if ranked(n, "svnr")
    )
    + f" Who has fewer than {statistics.ENOUGH_SEEDS} seeds is not ranked. More than a team that does nothing earn, in the mean of so many seeds: "
    f"{'; '.join(map(who_moves, learned))}. The four episodes of a team's last test deviate, in the mean over runs, by: "
    f"{', '.join(f'{title(n)} {d:.0f}' for n, d in within.items())}. Last end, in the mean: {'; '.join(map(last_of, learned))}.",
    runs,
)

# %% [markdown]
# ## 4. On the way there
#
# Methods differ in what an update costs, and MAPPO in how many it makes. Against steps that does not count; against minutes
# of one processor, a cheap method may run further ahead.

# %%
costs = pd.DataFrame(
    {
        "method": tables.TITLES[run.spec.learner],
        "game": title(run.spec.game),
        "minutes": run.made["processor_seconds"] / 60,
        "updates": run.made["updates"],
    }
    for run in runs
)


# %%
def ends_above(name):
    """The method that ends above every other one that was run on a robot, if there is one."""
    those = [m for m in METHODS if (name, m) in n_runs.index]
    above = [m for m in those if all(m == other or wins(m, other, name) for other in those)]
    return f"{tables.TITLES[above[0]]} on {title(name)}" if above else ""


best = listed(filter(None, map(ends_above, learned)), "nobody yet")
message = f"Above every other method that was run, five seeds each: {best}"
outputs.figure(
    figures.robots.learning(
        tables.tests(runs),
        panels,
        message,
        levels,
        {"at": "environment steps", "minutes": "processor minutes"},
    ),
    "mujoco_learning",
    "Learning on the robots",
    runs,
    note="interquartile means over seeds; minutes of training, without its tests",
)

# %%
by_method = costs.groupby(["method", "game"], sort=False).mean()
by_method.map("{:,.1f}".format).unstack("game").fillna("–")

# %% [markdown]
# **And further on?** The later version names no budget. Four methods are to have a million steps. Noise and temperature fall over
# the whole of a run, so these are runs of their own, not those above gone on with; missing ones are not trained here.
#
# **What to expect.** If a budget is what stands between our returns and theirs, the runs come near them; a method that has
# settled earns the same.

# %%
longer = {"length": 1_000_000, "test_every": 25_000}
LONGER = ["svnr", "facmac", "hasac", "maddpg"]
long_runs = outputs.kept(grid(learned[:2], LONGER, min(n_seeds, 3), training=longer))
seen = {(run.spec.game, run.spec.learner, run.spec.seed) for run in long_runs}
short = [r for r in runs if (r.spec.game, r.spec.learner, r.spec.seed) in seen]  # the same seeds
FROM, TO = (f"{length:,} steps" for length in (n_steps, longer["length"]))


def further(short, long):
    """The mean returns of the same seeds after both lengths, and what the later version has."""
    both = {name: tables.scores(found) for name, found in {FROM: short, TO: long}.items()}
    cells = {name: table.groupby(["game", "learner"], sort=False) for name, table in both.items()}
    table = pd.DataFrame({name: cell["shared"].mean() for name, cell in cells.items()})
    table["later version"] = [LATER_TABLE.get(cell[::-1], [np.nan])[0] for cell in table.index]
    return table.assign(seeds=cells[TO].size())


# %%
if long_runs:
    went = further(short, long_runs)
    lacked = went["later version"] - went[FROM]
    went["gap closed"] = ((went[TO] - went[FROM]) / lacked).where(lacked > 0)  # else there is none
    shown = went.rename(index=tables.TITLES).rename_axis(["robot", "method"])
    shown = shown.round({FROM: 0, TO: 0, "gap closed": 2}).fillna("–")
    outputs.table(shown, "mujoco_longer", "Longer runs", long_runs)
    names = {name: panels[name] for name in learned if name in went.index.levels[0]}
    name, *_ = names
    message = f"{FROM} → {TO}, {names[name]}: " + ", ".join(
        f"{tables.TITLES[m]} {row[FROM]:.0f} → {row[TO]:.0f} ({counted(int(row['seeds']), 'seed')})"
        for m, row in went.loc[name].iterrows()
    )
    against = {"at": "environment steps"}
    outputs.figure(
        figures.robots.learning(tables.tests(long_runs), names, message, levels, against),
        "mujoco_longer_curves",
        "Longer runs",
        long_runs,
        note="noise and temperature fall over the whole of a run",
    )

# %%
told = [
    f"{tables.TITLES[m]} on {panels[name]} {row[FROM]:.0f} → {row[TO]:.0f} ({row['seeds']:.0f})"
    for (name, m), row in (went.iterrows() if long_runs else ())
]
closed = [
    f"{tables.TITLES[m]} on {panels[name]} {share:.0%}"
    for (name, m), share in (went["gap closed"].dropna().items() if long_runs else ())
]
computed(
    f"From {FROM} to {TO}, over so many seeds of both: {'; '.join(told)}. Of what our return lacked of the later version's is closed: "
    f"{'; '.join(closed) or 'nothing that can be told'}."
    if long_runs
    else "There are no longer runs yet.",
    long_runs,
)

# %% [markdown]
# ## 5. Does negotiation matter on a body?
#
# SVNR-M has empty sets: no agent conditions on another's noise. If it earns as much as SVNR, the body did not need negotiation;
# and if noise in common earns no more than noise that is not, agreeing on one draw does not pay. Greedy
# execution of SVNR asks its central critic for the best of 32 joint actions, so it is no execution of agents alone.
#
# **What to expect.** If negotiation pays, SVNR earns more than SVNR-M, and more with common noise than with noise of its
# own. The yardstick is SVNR-M, of which these two are one thing: how far they lie apart is luck.

# %%
ways = scores[scores["learner"].isin(["svnr", "svnr_m"])]
ways = ways.groupby(["game", "learner"], sort=False)[["shared", "independent", "greedy"]].mean()
ways.round(0)


# %%
def verdict_of(name):
    """Whether negotiation pays on a robot, in words."""
    if not ranked(name, "svnr", "svnr_m"):
        return "too few seeds to tell."
    if wins("svnr_m", "svnr", name):
        return "negotiation costs."
    return "negotiation pays." if wins("svnr", "svnr_m", name) else "no gain of negotiation shows."


pairs = [n for n in learned if {(n, "svnr"), (n, "svnr_m")} <= set(ways.index)]
computed(
    " ".join(
        f"On {title(n)} SVNR-M earns {ways.loc[(n, 'svnr_m'), 'shared']:.0f} beside SVNR's "
        f"{ways.loc[(n, 'svnr'), 'shared']:.0f}: " + verdict_of(n)
        for n in pairs
    )
    or "There are no runs of SVNR-M yet.",
    runs,
)

# %%
gain = scores.assign(gain=scores["shared"] - scores["independent"])
gain = {
    cell: seeds.to_numpy()
    for cell, seeds in gain.groupby(["learner", "game"])["gain"]
    if cell[0] in ("svnr", "svnr_m")
}
mean = {cell: f"{seeds.mean().round() + 0.0:+.0f} ({len(seeds)})" for cell, seeds in gain.items()}
asked = [n for n in learned if ranked(n, "svnr") and statistics.enough(gain["svnr", n])]
sure = [title(n) for n in asked if statistics.bootstrap_interval(gain["svnr", n])[0] > 0]
computed(
    "What shared noise earns more than independent noise (seeds), SVNR and, by luck, SVNR-M: "
    + "; ".join(
        f"{title(n)} {mean['svnr', n]} and {mean['svnr_m', n]}"
        for n in learned
        if {("svnr", n), ("svnr_m", n)} <= mean.keys()
    )
    + f". Robots on which SVNR has {enough}: {len(asked)}; on those its bootstrap interval lies above 0 on {listed(sure)}.",
    runs,
)

# %% [markdown]
# ## 6. How many particles, and who listens to whom?
#
# > "Performance is robust across particle sizes M ∈ [32, 40]. The strictly nested topology yields the best returns, while
# > sparse negotiation topologies offer a controllable trade-off between accuracy and computation." (the summary)
#
# The summary names no game for this. We vary M on HalfCheetah 2x3, and negotiation sets on HalfCheetah 6x1, six agents with a joint
# each. A *link* is one agent that conditions on one other. *Strict*: each conditions on all before it; *reverse*: on all after it, which is
# strictly nested, too; *chain*: on the one before; *star*: all on the first; *12 drawn links*: of 30, as a coin fell, with circles; *full*: on all others (SVNR-F);
# *empty*: on nobody (SVNR-M). Whether the trade-off is controllable notebook 17 asks. Kinds
# of run are held against one of them by the rule of section 3; missing runs of this section are not trained here.
#
# **What to expect.** On HalfCheetah 2x3 SVNR-M earns what SVNR does (section 5): where nobody needs to listen, neither more
# particles nor other sets should change much.


# %%
def described(found):
    """One row a kind with runs: what its seeds earn under shared noise, and how long one takes."""
    rows, greedy = {}, tables.earned(found, "greedy")
    for kind, earned in tables.earned(found).items():
        if made := found[kind]:
            minutes = sum(run.made["processor_seconds"] for run in made) / 60 / len(made)
            row = {"seeds": len(made), "mean return": earned.mean(), "lowest": earned.min()}
            row |= {"highest": earned.max(), "greedily": greedy[kind].mean()}
            rows[kind] = row | {"minutes a run": minutes}
    columns = ["seeds", "mean return", "lowest", "highest", "greedily", "minutes a run"]
    table = pd.DataFrame(rows).T.reindex(columns=columns).round(0).astype(int)
    return table.rename_axis("kind")


# %%
def placed(found, kind):
    """How kinds of run stand to one of them, in words."""
    few = [name for name, made in found.items() if made and not statistics.enough(made)]
    absent = [name for name in found if not found[name]]
    if kind in few:
        return (
            f"{kind} has {len(found[kind])} of the {statistics.ENOUGH_SEEDS} seeds that it takes"
        )
    told = statistics.placed(tables.earned(found), kind) | {
        "with too few seeds to tell": few,
        "not run": absent,
    }
    return "; ".join(f"{where} {listed(names)}" for where, names in told.items() if names)


# %%
particles = outputs.kept_by_kind(LATER_PARTICLES, n_seeds, training)
made = tables.all_of(particles)
outputs.table(described(particles), "mujoco_particles", f"M on {title(learned[0])}", made)

# %%
topologies = outputs.kept_by_kind(LATER_SETS, n_seeds, training)
shown, made = described(topologies), tables.all_of(topologies)
sets = [written_out(topologies[kind][0].spec.settings.sets, 6) for kind in shown.index]
shown.insert(0, "links", [sum(map(len, each)) for each in sets])
outputs.table(shown, "mujoco_sets", "Negotiation sets of six joints", made)

# %%
computed(
    f"Beside M = 8 on {title(learned[0])}: {placed(particles, 'M = 8') or 'no runs'}. Beside strict sets of six joints: "
    f"{placed(topologies, 'strict') or 'no runs'}.",
    tables.all_of(particles) + made,
)

# %% [markdown]
# **Would more updates help?** FACMAC's public code makes an update for every step; here every method but MAPPO makes
# one for eight. Here critics have layer norm, FACMAC's code has none: one kind goes without. MAPPO makes five for each of its 75 rollouts; its public code has settings tuned for this robot, with three times as many
# and a smaller ε (`epochs`, `clip`).

# %%
updates = {f"FACMAC, {n} steps": (learned[0], "facmac", {"update_every": n}) for n in (8, 4)}
updates["FACMAC, no layer norm"] = (learned[0], "facmac", {"layer_norm": False})
epochs = {"MAPPO, 5 epochs": {}, "MAPPO, its code's ε and epochs": {"clip": 0.05, "epochs": 15}}
epochs = {kind: (learned[0], "mappo", changes) for kind, changes in epochs.items()}
often = outputs.kept_by_kind(updates, n_seeds, training)
nearer = outputs.kept_by_kind(epochs, n_seeds, training)
made = tables.all_of(often | nearer)
shown = described(often | nearer)
outputs.table(shown, "mujoco_updates", "FACMAC and MAPPO, nearer to their codes", made)

# %% [markdown]
# **What does an ant need, to earn more than one that stands still?** Three changes are tried: other methods, more updates, and a
# state without contact forces, which are most of what an ant is told.

# %%
others = ("svnr", "svnr_m", "masql", "pr2", "rommeo", "hasac", "maddpg", "facmac")
kinds = {tables.TITLES[name]: ("ant_2x4", name, {}) for name in others}
for n in (4, 2):
    kinds[f"SVNR with an update for {n} steps"] = ("ant_2x4", "svnr", {"update_every": n})
kinds["SVNR without contact forces"] = ("ant_2x4_blind", "svnr", {})
ants = outputs.kept_by_kind(kinds, n_seeds, training)
needs = described(ants)
outputs.table(needs, "mujoco_ant", "What an ant needs", tables.all_of(ants))


# %%
def earning(rows):
    """Kinds of ant, each with its mean return and its seeds, in words."""
    return [f"{kind} {row['mean return']} ({row['seeds']})" for kind, row in rows.iterrows()]


better, several = needs["mean return"] > still["ant_2x4"], needs["seeds"] >= 3
above, once, below = map(
    earning, (needs[better & several], needs[better & ~several], needs[~better])
)
absent = [kind for kind, found in ants.items() if not found]

# %%
computed(
    f"Beside FACMAC with an update for 8 steps: {placed(often, 'FACMAC, 8 steps') or 'no runs'}. Beside MAPPO with the settings of all "
    f"games: {placed(nearer, 'MAPPO, 5 epochs') or 'no runs'}. An ant that stands still earns {still['ant_2x4']:.0f}. More, in the mean of three seeds or "
    f"more: {listed(above)}; of one or two: {listed(once)}. Less: {listed(below)}. Not run: {listed(absent)}.",
    made + tables.all_of(ants),
)

# %% [markdown]
# ## 7. What it looks like
#
# The trained team of seed 0 on the first robot, at five moments three steps apart. Each agent has its colour.

# %%
moments = range(100, 115, 3)
strip = snapshots(make_game(learned[0]), lambda s: team.act(s, "greedy"), moments, seed=1)
figure = figures.robots.gait(
    strip, f"SVNR on {title(learned[0])}: five moments, three steps apart", apart=1.0
)
outputs.figure(figure, "mujoco_gait", "A trained gait", runs[:1], note="seed 0")

# %% [markdown]
# ## 8. What can be concluded, and what cannot
#
# A budget that the later version does not name may be ten times ours, and its versions of the simulator may differ. A
# cell that is lower or higher than theirs says nothing about the method then; which methods can be told apart says more (section 3),
# and whether a team earns more than one that does nothing. The runs were made on machines of several kinds: minutes are comparable within
# a factor of two, which is as much as lies between most methods.
#
# **Adapt this.** `svnr train halfcheetah_6x1 svnr --set sets=chain` trains six agents, a joint each, of which each
# conditions on its predecessor; `svnr.games.mamujoco:MultiAgentMuJoCo('Ant', '4x2')` is a game too, wherever a game's name is taken.
#
# **Exercises.**
#
# 1. Give MADDPG an update for every fourth step (`update_every=4`). How many steps does it then need for what it earns
#    above, and how many minutes?
# 2. Draw the gait of SVNR-M beside SVNR's. Can you tell them apart?
#
# ## In one paragraph
#
# At a budget of our own teams learn to run on four robots, or not: an ant that stands still earns more than most that learned. Where
# SVNR has the seeds to be ranked, on HalfCheetah and Walker2d 2x3, it is ahead of MAPPO, and its ablation with empty sets earns as much: no gain of
# negotiation shows there. On the others there are too few seeds to tell. Next:
# [17 · Scoreboard](17_scoreboard.ipynb).
