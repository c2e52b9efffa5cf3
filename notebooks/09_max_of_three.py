# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 09 · Max of Three
#
# **Question.** Which methods leave a wide wrong hill for a narrow right one?
#
# **Claim.** "SVNR can steadily converge to the global optimum while jumping out of the local optimum
# under all settings" (§8.1).
#
# **Paper.** §8.1, Figures 4a–c and 5, Table 1 columns 1 to 3, and the temperature schedule of §8.
#
# **Reads.** Finished runs in `results/`; whatever is missing is trained now and kept there.
#
# **Makes.** Figure 4a–c, Figure 5, Table 1 (three columns), who reaches the hill and when, the schedule study, and an
# experiment on why some baselines fail.
#
# **Takes.** Seconds with the committed runs; about half a minute a run and core without them.

# %%
from functools import partial

import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown

from svnr.experiments.catalogue import GAMES, make_game
from svnr.experiments.specs import grid
from svnr.experiments.store import collect
from svnr.report import figures, tables
from svnr.report.provenance import Outputs
from svnr.theory.maxent import boltzmann

# %% tags=["parameters"]
n_seeds: int = 5  # runs of each kind, seeds 0 to n_seeds − 1 (paper: 5)
n_episodes: int = 5000  # length of a run (paper: 5000)
n_made: int = (
    0  # runs of each method that the paper does not have here that are trained if missing
)
n_study_episodes: int = 0  # the same from "What they believe" on; 0: n_episodes
n_jobs: int = 2  # processes side by side
scale: str = "paper"  # how much is run: smoke, quick or paper
output: str = ""  # folder for figures and results; empty: this repository's own

# %%
study_episodes = n_study_episodes or n_episodes
outputs = Outputs.of("09_max_of_three", globals())
WIDTHS = (3.0, 2.0, 1.5)  # s₂, in the order of Figure 4
NAMES = [f"max_of_three_{width}" for width in WIDTHS]
METHODS = ["svnr", "maddpg", "masql", "pr2", "rommeo", "lenient"]  # the paper's six
LATER = ["facmac", "qmix", "mappo", "hasac"]  # the later version's, on bodies, and one beyond it
finished = partial(collect, folder=outputs.results, n_jobs=n_jobs)


# %% [markdown]
# ## 1. The game
#
# > "r(u₁, u₂, u₃) = max(g₁, g₂), where […] g₁ = 0.8 × [−((u₁+5)/3)² − …] + c₁,
# > g₂ = h₂ × [−((u₁−x₂)/s₂)² − …] + c₂." (§8.1)
#
# Three agents pick one number each from −10 to 10 and share one reward: the higher of two hills.
# The wrong hill is wide and worth 0 at its peak; the right one is worth 10 and gets narrower as s₂
# falls. We write the reward down once more, slowly, and check the package against it.


# %%
def reward_by_hand(a, s2):
    """Max of Three as §8.1 prints it, for joint actions a [..., 3] in −10 to 10."""
    g1 = 0.8 * -(((a - np.array([-5, -5, 3])) / 3) ** 2).sum(-1) + 0
    g2 = 1.0 * -(((a - np.array([7, 7, -4])) / s2) ** 2).sum(-1) + 10
    return np.maximum(g1, g2)


def grid_payoff(game, n):
    """The reward on n × n × n evenly spaced joint actions, as a finite game."""
    axes = np.meshgrid(*[np.linspace(-1, 1, n)] * 3, indexing="ij")
    return game.reward(to_tensor(np.stack(axes, -1).reshape(-1, 3))).numpy().reshape(n, n, n)


def to_tensor(u):
    """Joint actions as the game wants them."""
    return torch.as_tensor(u, dtype=torch.float32)


# %%
actions = np.random.default_rng(0).uniform(-10, 10, (1000, 3))
games = {name: make_game(name) for name in NAMES}
for name, width in zip(NAMES, WIDTHS, strict=True):
    ours = games[name].reward(to_tensor(actions / 10)).numpy()
    assert np.allclose(ours, reward_by_hand(actions, width), atol=1e-3)

# %% [markdown]
# **What to expect.** A random joint action hardly ever meets the right hill, so a critic that is fitted
# to random actions says little about it, and a gradient from almost anywhere leads to the wrong one.

# %%
samples = np.random.default_rng(1).uniform(-10, 10, (200_000, 3))
pd.DataFrame(
    {
        "share of random actions above 0": [
            (reward_by_hand(samples, width) > 0).mean() for width in WIDTHS
        ]
    },
    index=pd.Index([GAMES[name].title for name in NAMES], name="game"),
).style.format("{:.1%}")

# %% [markdown]
# ## 2. Training curves: Figure 4a–c
#
# > "5000 episodes are used for all cases." (§8.1)
#
# Every episode plays one joint action, stores it and updates once (Algorithm 1). The temperature follows
# the three phases of an early public version of the experiment code, because the printed schedule
# alone does not succeed: section 5 shows both. Everything else is as printed; `SVNRSettings` names the
# source of every value.
#
# **What to expect.** At its last temperature, α = 0.3, a perfect Boltzmann policy near a quadratic peak
# of height 10 earns 10 − 3α/2 = 9.55: three coordinates, each worth α/2. A team in the trap earns
# about 3α/2 below 0.

# %%
further = outputs.kept(grid(NAMES, LATER, n_seeds, n_episodes), n_jobs, n_made)
runs = finished(grid(NAMES, [*METHODS, "hysteretic"], n_seeds, n_episodes)) + further


def draw(learners, title, name, label, note):
    """Training curves of these methods at the three widths."""
    shown = [run for run in runs if run.spec.learner in learners]
    panels = figures.training.lettered(NAMES)
    curves = figures.training.training_curves(tables.curves(shown), panels, title, 10, 0)
    return outputs.figure(curves, name, label, shown, note)


# %%
title = "The narrower the right hill, the fewer methods find it"
note = "the paper: SVNR alone leaves the wrong hill at every width; ours: see Table 1"
draw(METHODS, title, "fig4_training_curves", "Figure 4a–c", note)

# %% [markdown]
# The methods that the later version adds on bodies, and HASAC beyond it, on the same three games. MMQ looks for regret
# in next states, of which a game of one step has none. "QMIX" is our reading for continuous actions (COMIX).

# %%
title = "The later version's methods on the same three games"
note = "the paper has none of them on this game"
draw(["svnr", *LATER], title, "more_methods", "Figure 4a–c, further methods", note)

# %%
scores = tables.scores(runs)
reached = tables.successes(scores, "training", 9.4)
outputs.table(reached, "seeds_at_the_hill", "Seeds whose last 100 episodes earn 9.4 or more", runs)

# %% [markdown]
# **Finding.** The table counts, the curves show when. SVNR and MASQL jump with the second phase, when α falls to a
# tenth of its first value. Methods with deterministic actors decide early, while their noise is still large.
#
# How many episodes does it take? The first one at which the mean of the last 100 rewards reaches 9, in the median over
# the seeds that ever reach it:

# %%
first = tables.first_reached(runs, level=9.0)
outputs.table(first, "steps_to_optimum", "Episodes until the mean reward of 100 reaches 9", runs)

# %% [markdown]
# ## 3. Where the teams went: Figure 5
#
# > "During 1 to 1500 steps, SVNR agents have a significant visitation probability on the local optima
# > […]. They visit the global optima more frequently at 1500 to 3000 steps." (§8.1)
#
# **What to expect.** A cloud over the whole box, denser at the wrong hill, and a knot at the right one.

# %%
narrow_runs = [run for run in runs if run.spec.game == "max_of_three_1.5"]
SHOWN = ("svnr", "maddpg", "masql", "lenient")
narrow = [run for run in narrow_runs if run.spec.seed == 0 and run.spec.learner in SHOWN]
PEAKS = {"right hill": (7, 7, -4), "wrong hill": (-5, -5, 3)}
visited = tables.visits(narrow, half_width=10, first=1, last=3000)
outputs.figure(
    figures.policies.visited_actions(
        visited, "Who goes and looks? Steps 1 to 3000, s₂ = 1.5", PEAKS
    ),
    "fig5_visited_actions",
    "Figure 5",
    narrow,
    note="SVNR and three baselines; the paper does not name its panels",
)


# %%
def near(u, peak, radius=3.0):
    """Which joint actions lie within `radius` of a peak."""
    return np.linalg.norm(u[["u_1", "u_2", "u_3"]].to_numpy() - np.array(peak), axis=1) < radius


team = visited[visited["learner"] == "svnr"]
halves = team.assign(half=np.where(team["episode"] < 1500, "first", "second"))
shares = pd.DataFrame(
    {
        name: halves.assign(on=near(halves, peak)).groupby("half")["on"].mean()
        for name, peak in PEAKS.items()
    },
    index=["first", "second"],  # a short run has no second
)
shares.style.format("{:.1%}")

# %%
first, second = (shares.loc[half] for half in ("first", "second"))
local_first = first["wrong hill"] > first["right hill"]
Markdown(
    f"**Finding.** Within 3 of a peak: in the first half of these steps SVNR's team stood at the wrong hill in "
    f"{first['wrong hill']:.1%} of them and at the right one in {first['right hill']:.1%}, so that the first sentence "
    f"{'holds' if local_first else 'does not hold'} for this run; in the second half in {second['wrong hill']:.1%} and "
    f"{second['right hill']:.1%}: the second {'holds' if second['right hill'] > first['right hill'] else 'does not'}."
)

# %% [markdown]
# ## 4. After training: Table 1
#
# Table 1 is "execution performances in testings". We test each team on 1,000 episodes in three ways.
# *Shared*: all agents draw the noise of their sets from one common seed, the paper's way. *Independent*:
# each imagines the others' noise by itself, so the team plays the product of its marginals. *Greedy*:
# of 256 shared particles the one that the critic rates highest, the limit α → 0.
#
# **The rule, fixed before the runs.** A cell is reproduced if our mean over seeds lies within the paper's
# mean ± its printed spread; otherwise it is higher or lower.

# %%
table1 = tables.beside_paper(scores)
note = f"verdicts: {tables.counted(table1['verdict'])}"
outputs.table(table1, "table1_returns", "Table 1", runs, note)

# %%
ways = ("shared", "independent", "greedy")
pd.concat({way: tables.per_game(scores, way) for way in ways}, names=["execution"])

# %% [markdown]
# **Finding.** Shared and independent execution earn the same here. The optimum of Max of Three is one
# point, a rectangle of actions, so once α is small the marginals alone find it: executed
# over-generalization needs several optima (notebooks [02](02_payoff_matrices.ipynb) and
# [08](08_two_modalities.ipynb)), and this game cannot show it.
#
# SVNR's cells come out as printed. Several baselines do better than the paper's, most of all MASQL, which leaves the
# trap at every width. In an early public version of the experiment code, with three agents, the partners' actions
# reach every baseline's critic in rows that are not aligned with their rewards. Such a critic can learn no more than
# what an agent's own action earns on average, which *is* over-generalization. Ours are aligned, and a test fails when
# they are not. This is a lead, not a proof, for where the difference comes from.
#
# That MASQL does as well as SVNR is what theory says: with one optimum, agents that know the joint critic need not share
# their draws.

# %% [markdown]
# ### What they believe, and what they miss
#
# Two gaps, estimated from samples of what the trained agents perceive. PRO (Definition 4.2) is how far their model of
# the others is from the optimal one at α = 1, in nats; ERO (Definition 4.1) is what an agent would gain by seeing
# its partners' actions as they are executed.
#
# **What to expect.** Teams at the wrong hill have a large PRO gap and hardly an ERO gap: alone, nobody can leave. This is
# why "no ERO, no over-generalization" fails ([01](01_definitions.ipynb)).

# %%
gaps = tables.over_generalization(runs)
pd.concat({gap: tables.per_game(gaps, gap) for gap in ("PRO gap", "ERO gap")}, names=["gap"])

# %% [markdown]
# The same gaps by where a run ended. A method without a temperature perceives a single point, whose PRO gap is never
# small at α = 1: it is set apart.

# %%
SOFT = ("svnr", "masql", "rommeo", "hasac")
places = np.where(scores["shared"] > 5, "right hill", "wrong hill")
kinds = np.where(scores["learner"].isin(SOFT), "soft", "points")
by_place = gaps[["PRO gap", "ERO gap"]].groupby([kinds, places]).agg(["min", "median", "max"])
everywhere = pd.MultiIndex.from_product([["soft", "points"], ["right hill", "wrong hill"]])
by_place = by_place.reindex(everywhere)  # short runs may all end at one hill
by_place.round(2)

# %%
soft, points = by_place["PRO gap"].loc["soft"], by_place["PRO gap"].loc["points"]
apart = soft.loc["wrong hill", "min"] > soft.loc["right hill", "max"]
largest = by_place["ERO gap"]["max"].max()
Markdown(
    f"**Finding.** PRO {'tells' if apart else 'does not tell'} the two places apart for soft methods: at least "
    f"{soft.loc['wrong hill', 'min']:.2f} nats at the wrong hill, at most {soft.loc['right hill', 'max']:.2f} at the "
    f"right one; of points in the median {points.loc['wrong hill', 'median']:.1f} and "
    f"{points.loc['right hill', 'median']:.1f}. No ERO gap is above {largest:.2f} reward, in either place: "
    "over-generalization here is in what agents perceive."
)

# %% [markdown]
# How do they come about? The same two gaps while training, one run of each method at s₂ = 1.5, measured every 100 episodes
# without the learner noticing.

# %%
EVERYONE = ["svnr", "svnr_f", "svnr_m", *METHODS[1:], "hysteretic"]


def trace(learners, name, label):
    """PRO and ERO while training, one run a method."""
    specs = grid(["max_of_three_1.5"], learners, 1, study_episodes, training={"trace_every": 100})
    traced = finished(specs)
    title = "Who believes what, and what acting on it costs: s₂ = 1.5"
    drawn = figures.training.over_generalization(
        tables.traces(traced), tables.curves(traced), title
    )
    note = "one run a method; the paper has no such figure"
    return outputs.figure(drawn, name, label, traced, note)


trace(EVERYONE, "over_generalization", "PRO and ERO while training")

# %%
trace(["svnr", *LATER], "over_generalization_further", "PRO and ERO of further methods")

# %% [markdown]
# **Finding.** For those that leave the trap PRO falls by an order of magnitude at the jump; for the others it stays
# where it began, while ERO falls for all alike.

# %% [markdown]
# ### Exploring or forgiving?
#
# MADDPG stays at the wrong hill where s₂ = 1.5; the lenient learner leaves it on some seeds. They differ in what their
# critics see, in how widely they explore, and in what they forgive. We change one at a time. *Wide* noise begins at 1
# and fades over half of the run, the lenient learner's; *narrow* begins at 0.5 and fades over a sixth, MADDPG's.
# Hysteretic learning at rate 1 forgives nothing.

# %%
WIDE = {"noise_scale": 1.0, "exploration_fraction": 0.5}
NARROW = {"noise_scale": 0.5, "exploration_fraction": 1 / 6}
CELLS = {
    ("MADDPG", "narrow"): ("maddpg", {}),
    ("MADDPG", "wide"): ("maddpg", WIDE),
    ("own action only, forgives nothing", "wide"): ("hysteretic", {"rate": 1.0}),
    ("lenient", "narrow"): ("lenient", NARROW),
    ("lenient", "wide"): ("lenient", {}),
}
tried = {
    cell: tables.scores(
        finished(grid(["max_of_three_1.5"], [name], n_seeds, study_episodes, changes))
    )
    for cell, (name, changes) in CELLS.items()
}
exploring = pd.DataFrame(
    {
        cell: {"reward": rows["shared"].mean(), "seeds at 9.4": (rows["shared"] >= 9.4).sum()}
        for cell, rows in tried.items()
    }
).T.rename_axis(["method", "exploration"])
outputs.table(exploring.round(2), "exploring_or_forgiving", "Exploring or forgiving, s₂ = 1.5")

# %% [markdown]
# **Finding.** Exploring. The lenient learner with narrow noise stays in the trap, and with wide noise a learner that
# forgives nothing leaves it as often as the lenient one. MADDPG gains less from wide noise. With 5 seeds a difference
# of one is no difference; [12 · Tuned alike](12_tuned_alike.ipynb) gives all methods one budget to say more.

# %% [markdown]
# ## 5. Why the schedule decides
#
# > "we anneal α based on α = α′ + exp(−0.1 × max(steps − 10, 0)) ∗ 500" (§8)
#
# The printed formula is within 1 of α′ after 73 of them. From there on the temperature is α′, for good. We
# first ask what an exact Boltzmann policy would do at each temperature, by summing over a fine grid.

# %%
payoff = grid_payoff(games["max_of_three_1.5"], 61)
axis = np.linspace(-10, 10, 61)
points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
right_hill = np.linalg.norm(points - np.array(PEAKS["right hill"]), axis=-1) < np.linalg.norm(
    points - np.array(PEAKS["wrong hill"]), axis=-1
)
policies = {alpha: boltzmann(payoff, alpha) for alpha in np.geomspace(0.1, 30, 25)}
exact = pd.DataFrame(
    {
        "alpha": list(policies),
        "reward": [(pi * payoff).sum() for pi in policies.values()],
        "mass": [pi[right_hill].sum() for pi in policies.values()],
    }
)

# %% [markdown]
# A small α makes the right hill the whole of the target, so why not start there? The critic does not know the hill yet,
# and a cold sampler never goes to look. A hot one looks everywhere, but earns what a broad policy earns.

# %%
STUDY = [
    ("printed", 0.1),
    ("printed", 1.0),
    ("printed", 10.0),
    ("three_phase", 10.0),
    ("geometric", 0.3),
]
specs = [
    spec
    for schedule, alpha in STUDY
    for spec in grid(
        ["max_of_three_1.5"],
        ["svnr"],
        n_seeds,
        study_episodes,
        {"schedule": schedule, "alpha_final": alpha},
    )
]
study_runs = finished(specs)

# %%
study = tables.scores(study_runs).assign(
    schedule=[run.spec.settings.schedule for run in study_runs],
    start=[run.spec.settings.alpha_final for run in study_runs],
    alpha=[float(run.metrics["alpha"][-1]) for run in study_runs],
)

# %%
outputs.figure(
    figures.training.temperature_study(exact, study, "Look first, decide later: s₂ = 1.5"),
    "schedule_study",
    "Schedule study",
    study_runs,
    note="three schedules at s₂ = 1.5; the paper has no such figure",
)

# %%
study.assign(reached=study["shared"] >= 9.4).groupby(["schedule", "start"], sort=False).agg(
    final_alpha=("alpha", "mean"),
    reward=("shared", "mean"),
    worst=("shared", "min"),
    seeds_at_optimum=("reached", "sum"),
).round(2)

# %% [markdown]
# **Finding.** With the printed formula, small α′ end at the wrong hill and α′ = 10 stays on the line of
# the exact broad policy, far below Table 1. Schedules that cool during the run reach the right hill. So
# the numbers of Table 1 need a schedule that the paper does not print.

# %% [markdown]
# ## 6. Where the particles move
#
# The public code of this family moves particles in the squashed actions and adds log(1 − u²) to the log-density.
# Notebook 03 showed that this samples another density than the one that is meant. Ours move before the tanh. Does
# it matter here?

# %%
squashed = finished(
    grid(
        ["max_of_three_1.5"],
        ["svnr", "svnr_f"],
        n_seeds,
        study_episodes,
        {"coordinates": "squashed"},
    )
)
unsquashed = finished(grid(["max_of_three_1.5"], ["svnr", "svnr_f"], n_seeds, study_episodes))
pd.concat(
    {
        "before the tanh": tables.successes(tables.scores(unsquashed), "shared", 9.4),
        "squashed": tables.successes(tables.scores(squashed), "shared", 9.4),
    },
    names=["particles move"],
)

# %% [markdown]
# **Finding.** The counts are seeds whose test episodes earn 9.4 or more at s₂ = 1.5. With few seeds this is a hint
# and no proof; the choice stands in `docs/deviations.md` with its reason.

# %% [markdown]
# ## 7. The public code's payoff
#
# The paper squares the whole quotient, ((u − x)/s)²; an early public version of the code divides the square by s. Less
# of the box then leads to the right hill at s₂ = 3, and more at s₂ = 1.5. Do the conclusions hang on that?

# %%
everywhere = 2 * torch.rand(100_000, 3, generator=torch.Generator().manual_seed(0)) - 1
leads = {
    f"s₂ = {width}": {
        form: make_game(f"max_of_three_{width}{suffix}")
        .pays_most(everywhere)
        .double()
        .mean()
        .item()
        for form, suffix in {"printed": "", "public code": "_code"}.items()
    }
    for width in WIDTHS
}
grows = {name: row["public code"] > row["printed"] for name, row in leads.items()}
assert not grows["s₂ = 3.0"] and grows["s₂ = 1.5"]
pd.DataFrame(leads).T.style.format("{:.1%}")

# %%
CODE = [f"max_of_three_{width}_code" for width in (3.0, 1.5)]
code_runs = finished(grid(CODE, EVERYONE, n_seeds, study_episodes))
outputs.table(
    tables.successes(tables.scores(code_runs), "shared", 5.0),
    "code_payoff",
    "Seeds at the right hill with the public code's payoff",
    code_runs,
)

# %% [markdown]
# At s₂ = 1.5 SVNR falls on most seeds, where MASQL and SVNR-F do not. Theirs are kernels on the whole joint action. Of
# SVNR's, as (7.2) prints them, each sees the set of its agent alone, the first agent's only the first action; the
# public code of this family has the kernel on the joint action throughout. So we change that, and where the particles
# move, on both forms.

# %%
KERNELS = {
    "set kernels, before the tanh": {},
    "set kernels, squashed": {"coordinates": "squashed"},
    "joint kernel, before the tanh": {"kernel_on": "joint"},
    "joint kernel, squashed: the public code": {"coordinates": "squashed", "kernel_on": "joint"},
}
NARROW_FORMS = ["max_of_three_1.5", "max_of_three_1.5_code"]
kernels = pd.concat(
    {
        name: tables.successes(
            tables.scores(finished(grid(NARROW_FORMS, ["svnr"], n_seeds, study_episodes, change))),
            "shared",
            5.0,
        )
        for name, change in KERNELS.items()
    },
    names=["kernels and coordinates"],
).droplevel("method")
outputs.table(kernels, "kernel_study", "SVNR's kernel and coordinates: seeds at the right hill")

# %% [markdown]
# **Finding.** SVNR's conclusion hangs on it, and on the kernel. With this payoff the kernels that (7.2) prints leave
# SVNR in the trap at s₂ = 1.5 on three seeds of five, wherever its particles move; with one kernel on the joint action
# nearly all seeds leave it, in the public code's coordinates all five, and nothing is lost with the printed payoff. The
# reason is at hand: an agent whose kernel sees only its own action is pushed by the *average* slope over what the
# others do, which is the trap again. Notebook [08](08_two_modalities.ipynb) finds the same: with set kernels the narrow
# mode is lost. Of the others, MASQL stands at both widths, and MADDPG, PR2, ROMMEO and SVNR-M fall at s₂ = 1.5 with
# either form.
#
# ## Against the paper
#
# Two differences are in the open: the schedule, and the spread. The paper does not say whether its ± is over seeds or
# over episodes; ours is over seeds, with the spread within a run beside it.
#
# ## Adapt this
#
# Change `WIDTHS`, or pass `form="code"` games (`max_of_three_1.5_code`) for the payoff of the public code.
# `svnr train max_of_three_1.5 svnr --set alpha_final=5.0` does one run from a shell.
#
# ## Exercises
#
# 1. Give every agent two noise coordinates (`noise_size=2`). Does the jump come earlier?
# 2. Use one kernel on the joint action (`kernel_on="joint"`), as the public code does. What changes?
# 3. Which α′ makes the printed schedule succeed at s₂ = 3?
#
# ## In one paragraph
#
# With its temperature lowered in three phases, SVNR reaches the narrow right hill on every width, earning what theory
# says a policy at that temperature can; the printed schedule does not get there. It is not alone: MASQL does as well,
# and who explores widely or forgives gets further than the paper's table says. Next:
# [10 · Particle Gather](10_particle_gather.ipynb), the same trap over several steps.
