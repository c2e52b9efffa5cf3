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
# **Makes.** The table ours beside theirs, learning curves against steps and against minutes, a gait, and SVNR beside SVNR-M,
# which has empty negotiation sets.
#
# **Takes.** Seconds with the committed runs; one to ten minutes a run and core without them.

# %%
import pandas as pd
import torch

from svnr.experiments.catalogue import make_game, title
from svnr.experiments.evaluate import play
from svnr.experiments.specs import grid
from svnr.experiments.store import trained
from svnr.games.mamujoco import snapshots
from svnr.report import figures, tables
from svnr.report.findings import computed
from svnr.report.paper import LATER_TABLE
from svnr.report.provenance import Outputs
from svnr.report.statistics import probability_of_improvement
from svnr.report.words import listed
from svnr.sets import sparse

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
scale: str = "paper"  # how much is run: smoke, quick or paper
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
# are paid for how fast the robot runs, less what their torques cost. Two legs of a cheetah are two agents (2x3); two
# cheetahs held together by a loose tendon are two agents (1p1); so are a walker's legs (2x3), an ant's front and back
# (2x4). An episode lasts a thousand steps; a walker or an ant that falls ends it, and is paid 1 a step until then.
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
# ours is 8 at each of 64 states, for an update's time. Ours are alike for every method but MMQ (one-step returns, row 78
# of `docs/deviations.md`) and were chosen before the runs: networks of two layers of 128, five-step returns, layer norm in the critics, Adam at 0.001, an update of 256
# transitions for every eighth environment step, eight copies of the robot, 300,000 environment steps. They come from
# trials of a joint DDPG, of SVNR and of MADDPG with other seeds; the other methods had no say in them. In one of these
# trials MADDPG learned faster with an update for every fourth step (row 76). MAPPO learns
# from rollouts of its own. Every 25,000 steps a team is tested on a robot of its own.

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
# ± its printed spread; otherwise it is higher or lower. Teams act with shared noise, as in Table 1. One method
# *outperforms* another on a robot only if their bootstrap intervals do not touch and both have three seeds or more: two
# seeds can lie a thousand apart.

# %%
beside = tables.beside_paper(scores, "shared", LATER_TABLE, digits=0)
verdicts = tables.tally(beside["verdict"])
note = f"{len(beside)} cells: {verdicts}"
outputs.table(beside, "mujoco_table", "The later version's table", runs, note)

# %% [markdown]
# And every method, those that the later version does not have too, as mean ± deviation over seeds:

# %%
outputs.table(
    tables.per_game(scores, "shared", 0).fillna("–"),
    "mujoco_methods",
    "Robots, every method",
    runs,
)


# %%
n_runs = scores.groupby(["game", "learner"]).size()


def ranked(name, *learners):
    """Whether all of these have three seeds or more on a robot."""
    return all(n_runs.get((name, learner), 0) >= 3 for learner in learners)


def wins(upper, lower, name):
    """Whether a method outperforms another on a robot; with fewer than three seeds none does."""
    return ranked(name, upper, lower) and tables.outperforms(scores, upper, lower, name)


beaten = {n: [m for m in METHODS[1:] if wins("svnr", m, n)] for n in learned}
ahead = {n: [m for m in METHODS[1:] if wins(m, "svnr", n)] for n in learned}
levels = {name: ("no torque", height) for name, height in still.items()}
message = "; ".join(
    f"{title(n)}: SVNR outperforms {len(beaten[n])} of {sum(ranked(n, m) for m in METHODS[1:])} others with three seeds or more, "
    f"{len(ahead[n])} outperform it"
    for n in learned[:1]
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
        chance = probability_of_improvement(earned["svnr"], earned[learner])
        rows[tables.TITLES[learner]] = {
            "seeds": len(earned[learner]),
            "SVNR earns more": f"{chance:.2f}",
            "outperforms the other": told if ranked(name, *pair[0]) else "too few seeds",
        }
    return pd.DataFrame(rows).T


pd.concat({title(name): against_svnr(name) for name in learned}, axis=1).fillna("–")


# %%
def in_order(name, earned):
    """Methods of both tables with three seeds here, the highest mean first."""
    both = [m for m in METHODS if (m, name) in LATER_TABLE and ranked(name, m)]
    return [tables.TITLES[m] for m in sorted(both, key=lambda m: -earned[m, name])]


def who_moves(name):
    """Who earns more on a robot than a team that does nothing, of how many, in the mean."""
    earned = ours.xs(name, level="game") if name in set(scores["game"]) else []
    more = [tables.TITLES[m] for m in METHODS if m in earned and earned[m] > still[name]]
    return f"{title(name)} {listed(more)} (of {len(earned)})"


ours = scores.groupby(["learner", "game"])["shared"].mean()
theirs = {cell: mean for cell, (mean, _) in LATER_TABLE.items()}
computed(
    f"Verdicts of {len(beside)} cells: {verdicts}. "
    + " ".join(
        f"On {title(n)} SVNR outperforms {listed(map(tables.TITLES.get, beaten[n]))}; it is outperformed by "
        f"{listed(map(tables.TITLES.get, ahead[n]))}."
        for n in learned
        if ranked(n, "svnr")
    )
    + f" Who has fewer than three seeds is not ranked. By the means on {title(learned[0])} of the methods that both tables "
    f"have, with three seeds or more here, ours from the highest down: {', '.join(in_order(learned[0], ours))}; theirs: {', '.join(in_order(learned[0], theirs))}. More than a team that does nothing earn: "
    f"{'; '.join(map(who_moves, learned))}.",
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
several = [m for m in METHODS if ranked(learned[0], m)]
above = [m for m in several if all(m == other or wins(m, other, learned[0]) for other in several)]
message = (
    f"{title(learned[0])}: no method with three seeds or more ends above all others for certain"
)
if len(several) > 1 and above:
    message = f"{title(learned[0])}: {tables.TITLES[above[0]]} ends above all others"
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
# ## 5. Does negotiation matter on a body?
#
# SVNR-M has empty sets: no agent conditions on another's noise. If it earns as much as SVNR, the body did not need negotiation;
# and if shared, independent and greedy execution earn alike, the learned policy is nearly one action a state. (Of SVNR-M
# shared and independent execution are one thing, and differ by the luck of the test.) Greedy
# execution of SVNR asks its central critic for the best of 32 joint actions, so it is no execution of agents alone.

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
spread = {n: ways.loc[(n, "svnr")] for n in learned if (n, "svnr") in ways.index}
alike = [title(n) for n, w in spread.items() if w.max() - w.min() < 0.1 * abs(w.max())]
unlike = [title(n) for n in spread if title(n) not in alike]
computed(
    f"SVNR's three executions lie within a tenth of each other on {listed(alike)}, and not on {listed(unlike)}.",
    runs,
)

# %% [markdown]
# ## 6. How many particles, and who listens to whom?
#
# > "Performance is robust across particle sizes M ∈ [32, 40]. The strictly nested topology yields the best returns, while
# > sparse negotiation topologies offer a controllable trade-off between accuracy and computation." (the summary)
#
# M particles at each of 64 states, for two legs; then sets of six agents, a joint each. In sparse sets each link is there or not
# by the toss of a coin. The yardstick is what one setting, M = 8 or strict sets, earns on several seeds.

# %%
JOINTS = "halfcheetah_6x1"
SIZES = {f"M = {m}": (learned[0], "svnr", {"n_particles": m}) for m in (8, 16, 32, 40, 48)}
NAMED = {"strict": "svnr", "empty": "svnr_m", "full": "svnr_f"}
TOPOLOGIES = {sets: (JOINTS, learner, {}) for sets, learner in NAMED.items()}
TOPOLOGIES |= {sets: (JOINTS, "svnr", {"sets": sets}) for sets in ("reverse", "chain", "star")}
TOPOLOGIES["sparse"] = (JOINTS, "svnr", {"sets": sparse(6, seed=0)})


def varied(kinds):
    """One row a kind of run that there is: what its seeds earn, and what one takes."""
    rows = {}
    for kind, (name, learner, change) in kinds.items():
        made = outputs.kept(grid([name], [learner], n_seeds, overrides=change, training=training))
        if made:
            earned = tables.scores(made)["shared"]
            minutes = sum(run.made["processor_seconds"] for run in made) / 60 / len(made)
            row = {"seeds": len(made), "mean": earned.mean(), "lowest": earned.min()}
            rows[kind] = row | {"highest": earned.max(), "minutes": minutes}
    return pd.DataFrame(rows).T.round(0).astype(int)


# %%
by_size, by_sets = varied(SIZES), varied(TOPOLOGIES)
both = pd.concat({title(learned[0]): by_size, title(JOINTS): by_sets}, names=["robot", "kind"])
note = "shared noise; minutes of training, one processor"
outputs.table(both, "mujoco_ablations", "Particles and sets on robots", note=note)


# %%
def beyond(table, kind):
    """Of the kinds other than one, those whose mean lies outside of what its seeds earn."""
    if kind not in table.index or table["seeds"][kind] < 3:
        return "too few seeds to tell"
    low, high = table.loc[kind, ["lowest", "highest"]]
    others = table.drop(index=kind)["mean"]
    told = {"below it": others[others < low].index, "above it": others[others > high].index}
    told["within it"] = others[others.between(low, high)].index
    return "; ".join(f"{where} {listed(names)}" for where, names in told.items() if len(names))


computed(
    f"The range of what the seeds of M = 8 earn on {title(learned[0])}: {beyond(by_size, 'M = 8')}. The range of those of "
    f"strict sets on {title(JOINTS)}: {beyond(by_sets, 'strict')}."
)

# %% [markdown]
# **What would it take to earn more than an ant that stands still?** More updates, another soft method, or a state without contact
# forces, which are most of what an ant is told and nearly always zero.

# %%
ANT = {"SVNR, as set": ("ant_2x4", "svnr", {}), "HASAC, as set": ("ant_2x4", "hasac", {})}
ANT |= {
    f"SVNR, an update for every {n} steps": ("ant_2x4", "svnr", {"update_every": n})
    for n in (4, 2)
}
ANT["SVNR, contact forces unseen"] = ("ant_2x4_blind", "svnr", {})
ants = varied(ANT)
outputs.table(ants.rename_axis("kind"), "mujoco_ant", "What an ant needs", note=note)

# %%
run_on = [kind for kind in ants.index if ants["mean"][kind] > still["ant_2x4"]]
computed(
    f"An ant that stands still earns {still['ant_2x4']:.0f}; more than that earn, in the mean of their seeds: "
    f"{listed(run_on)} (of {len(ants)} kinds)."
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
# cell that is lower than theirs says nothing about the method then; the order of the methods says more (section 3), and
# whether a team earns more than one that does nothing. The runs were made on machines of several kinds: minutes are comparable within
# a factor.
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
# At a budget of our own SVNR trains robots, and so does SVNR-M, whose agents listen to nobody: tables and intervals say who
# is ahead of whom, on how many seeds, and what a team earns that does nothing. Next:
# [17 · Scoreboard](17_scoreboard.ipynb).
