# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 12 · Tuned alike
#
# **Question.** Who leaves the wrong hill when every method is tuned with the same budget?
#
# **Claim.** Stein variational negotiated reasoning (SVNR) "achieves the highest returns in all scenarios" (Table 1). A
# comparison says little if one side was tuned and the other was not.
#
# **Paper.** §8 on hyperparameters; Figure 4 and Table 1.
#
# **Reads.** The studies in `results/tuning/`, and finished runs in `results/`; whatever run is missing is trained now.
#
# **Makes.** What the searches found, Figure 4 and Table 1 *as tuned*, beside *as set*; the same with the printed schedule.
#
# **Takes.** Seconds with the committed runs; without them about a third of a minute a run and core, on Particle Gather
# three to ten.

# %%
from operator import gt, lt

import pandas as pd
from IPython.display import Markdown

from svnr.experiments.catalogue import GAMES
from svnr.experiments.specs import grid
from svnr.experiments.studies import tuned
from svnr.report import borders, figures, searches, statistics, tables, words
from svnr.report.paper import PAPER_TABLE_1
from svnr.report.provenance import Outputs

# %% tags=["parameters"]
n_seeds: int = 5  # runs of each kind, seeds 0 to n_seeds − 1 (paper: 5)
n_episodes: int = 5000  # length of a run (paper: 5000)
widths: list = [3.0, 2.0, 1.5]  # s₂, in the order of Figure 4
n_gather_seeds: int = 5  # runs of each kind on Particle Gather, fixed start (paper: 5)
n_gather_episodes: int = 5000  # length of a run there (paper: 5000)
n_jobs: int = 2  # processes side by side
scale: str = "paper"  # the name of these numbers; `svnr reproduce --scale` sets both
output: str = ""  # folder for figures and results; empty: this repository's own

# %%
outputs = Outputs.of("12_tuned_alike", globals())
NAMES = [f"max_of_three_{width}" for width in widths]
SEARCHED, GATHER = "max_of_three_1.5", "particle_gather"  # where tuning searched
METHODS = ["svnr", "maddpg", "masql", "pr2", "rommeo", "lenient", "hysteretic"]

# %% [markdown]
# ## 1. One budget
#
# > "we use the TPE Sampler [3] to select the learning rates, particle numbers, and the entropy coefficient α based on the
# > maximum mean reward in 50 trials" (§8)
#
# Two protocols stand side by side in this repository. *As set*: every method with the settings of the
# paper or of the public code of its family, but one learning rate for all (notebook [09](09_max_of_three.ipynb)). *As tuned*: for every method the
# tree-structured Parzen estimator (TPE) tries the same number of settings on Max of Three with s₂ = 1.5, the hardest width, and what it finds is used at all three.
# The ranges are the paper's where it gives them; methods without a temperature or particles have two or three numbers
# of their own.

# %%
searches.ranges(METHODS, SEARCHED)

# %% [markdown]
# A trial is two runs with seeds that no other run here has; its score is the mean reward of the last 100 episodes. To
# give every method as many trials as the paper names, the runs of a trial are 1,500 episodes long, less than a third of
# those that are reported. The first trial has the method's own settings. A trial whose first run is below the median of
# all first runs is not run again.
#
# **What to expect.** A method whose failure is one of tuning gets better along its line; one whose failure lies deeper
# stays where it began, whatever is tried.

# %%
studies = searches.studies(METHODS, SEARCHED)
trials = {name: searches.trials(studies[name]) for name in METHODS}
half = tables.half_way(SEARCHED)
scored = pd.DataFrame(
    {
        tables.TITLES[name]: {
            "all": (table["score"] > half).sum(),
            "one": table["score"].between(half / 2, half).sum(),
        }
        for name, table in trials.items()
    }
).T
flat = words.listed(scored.index[scored.sum(axis=1) == 0])
outputs.figure(
    figures.studies.search_history(
        searches.history(studies), f"Fifty trials each: not one finds the right hill with {flat}"
    ),
    "tuning_history",
    "The searches, trial by trial",
    note="one budget for all; the paper shows no search",
)

# %%
outputs.table(searches.found(studies, SEARCHED), "tuning", "What the searches found")

# %%
Markdown(
    f"**Finding.** Trials whose mean score is above {half:g}, so that every seed they ran may have found the right hill, and "
    f"those between {half / 2:g} and {half:g}, where one of two may: "
    + "; ".join(f"{name} {row['all']} and {row['one']}" for name, row in scored.iterrows())
    + ". (`alpha_final` is the paper's α′; under three phases the last temperature is 0.3 whatever it is; section 4 searches "
    "with the printed schedule.)"
)

# %% [markdown]
# ## 2. The runs: Figure 4a–c, as tuned

# %%
runs = outputs.finished(grid(NAMES, METHODS, n_seeds, n_episodes, protocol="as tuned"))
scores = tables.scores(runs)
right = tables.at_optimum(scores)
panels = figures.training.lettered(NAMES)
at_narrowest = right["all"].xs(f"max_of_three_{min(widths)}", level="game")
best = words.listed(tables.TITLES[name] for name in METHODS if at_narrowest[name])
outputs.figure(
    figures.training.training_curves(
        tables.curves(runs),
        panels,
        f"As tuned, every seed of {best} finds the narrowest hill",
        10,
        0,
    ),
    "fig4_as_tuned",
    "Figure 4a–c, as tuned",
    runs,
    note="the paper: SVNR alone leaves the wrong hill at every width",
)


# %%
def far_below(scores):
    """The seeds that end far below both hills, whose heights are 0 and 10, in words."""
    lost = scores[scores["shared"] < -2].itertuples()
    return words.minus(
        words.listed(
            f"seed {row.seed} of {tables.TITLES[row.learner]} at {tables.TITLES[row.game].split(', ')[1]} ({row.shared:.1f})"
            for row in lost
        )
    )


Markdown(f"**Finding.** Seeds that end far below both hills: {far_below(scores)}.")

# %% [markdown]
# ## 3. Table 1, as tuned
#
# The rule is that of notebooks 09 and 17: a cell is reproduced if our mean lies within the paper's mean ± its spread; beside
# it stands where the paper's mean and our seeds ended.

# %%
table1 = tables.beside_paper(scores)
note = f"verdicts: {statistics.tally(table1['verdict'])}"
outputs.table(table1, "table1_as_tuned", "Table 1, as tuned", runs, note)

# %%
hangs = []
for (name, game), cell in scores.groupby(["learner", "game"], sort=False):
    earned, theirs = cell.set_index("seed")["shared"], PAPER_TABLE_1.get((name, game))
    own = theirs and statistics.verdict(earned.to_numpy(), theirs)
    without = {}  # another verdict → the seeds without each of which it would be that
    for seed in earned.index if theirs and len(earned) > 1 else ():
        told = statistics.verdict(earned.drop(seed).to_numpy(), theirs)
        without.setdefault(told, []).append(str(seed))
    changed = [
        f"{told} without seed {' or '.join(seeds)}"
        for told, seeds in without.items()
        if told != own
    ]
    if changed:
        where = tables.TITLES[game].split(", ")[1]
        hangs.append(f"{tables.TITLES[name]} at {where} is {own}, but {', '.join(changed)}")
Markdown(f"**Finding.** Verdicts that hang on one seed: {'; '.join(hangs) or 'none'}.")

# %% [markdown]
# ## 4. As set, as tuned
#
# How many seeds end at the right hill, with test episodes that earn more than 5, half of the way from the wrong hill's 0
# to the right one's 10?

# %%
set_runs = outputs.finished(grid(NAMES, METHODS, n_seeds, n_episodes))

reached = searches.protocols(set_runs, runs)
label = "Seeds at the right hill, as set and as tuned"
outputs.table(reached, "as_set_as_tuned", label, [*set_runs, *runs])

# %% [markdown]
# The median episode at which the mean of a hundred reaches 9, over the seeds that do:

# %%
tables.first_reached(runs, level=9.0)

# %%
before, after = (tables.at_optimum(tables.scores(each))["right"] for each in (set_runs, runs))


def changes(moved):
    """The cells in which tuning moved seeds, with the counts."""
    return words.listed(
        f"{tables.TITLES[name]} at {tables.TITLES[game].split(', ')[1]} ({before[name, game]} → {after[name, game]})"
        for name, game in before.index[moved]
    )


by_method = (after - before).groupby("learner", sort=False).sum()
most = words.listed(tables.TITLES[name] for name in METHODS if by_method[name] >= 3)
Markdown(
    f"**Finding.** Of {n_seeds} seeds a cell, tuning gains two or more: {changes(after - before > 1)}. It loses as many: "
    f"{changes(before - after > 1)}. One seed, which is no difference, moves: {changes(abs(after - before) == 1)}. Three seeds "
    f"or more in all are gained by {most}."
)

# %% [markdown]
# ### The printed schedule, searched
#
# > "we anneal α based on α = α′ + exp(−0.1 × max(steps − 10, 0)) ∗ 500 […] where α′ is the initial α" (§8)
#
# These searches followed *three phases*: that formula with α′ = 10 for a third of the run, α′/10 until half, then 0.3
# ([09](09_max_of_three.ipynb), section 5). The paper's, as we take it, follow the formula to the end, *the printed schedule*, which is within 1 of
# α′ after 73 steps and stays there: what it calls initial is the last (deviation 18). Four of the paper's methods have a temperature: they are searched once more, with the
# same ranges, budget and width, and every trial follows the printed schedule. (SVNR-F, whose agents each listen to all
# others, has SVNR's values.)
#
# **What to expect.** On the right hill, a quadratic peak of height 10, a policy at α′ earns 10 − 3α′/2. A search that finds
# settings that leave goes to the lowest α′, 0.1, and scores up to 9.85; Table 1's mean of SVNR would ask for 0.19.

# %%
COOLED, HELD = ["svnr", "masql", "pr2", "rommeo"], {"schedule": "printed"}
printed_studies = searches.studies(COOLED, SEARCHED, **HELD)
printed_found = searches.found(printed_studies, SEARCHED)
outputs.table(printed_found, "tuning_printed", "What searches with the printed schedule found")

# %%
printed_specs = [
    spec
    for name in [*COOLED, "svnr_f"]
    for spec in grid(NAMES, [name], n_seeds, n_episodes, tuned(name, SEARCHED, **HELD))
]
printed_runs = outputs.finished(printed_specs)
printed_scores = tables.scores(printed_runs)
label = "The printed schedule as searched: test rewards, and seeds at the right hill"
cells = tables.per_game(printed_scores, "shared")
cells += "; " + tables.successes(printed_scores, "shared", half)
outputs.table(cells, "printed_as_searched", label, printed_runs)

# %%
asked = (10 - PAPER_TABLE_1["svnr", SEARCHED][0]) / 1.5
assert 0.185 < asked < 0.195  # as said above
chosen = {name: tuned(name, SEARCHED, **HELD)["alpha_final"] for name in COOLED}
whole = tables.at_optimum(printed_scores)["all"].unstack("game")[NAMES].all(axis=1)
best = zip(chosen.items(), printed_found["best"], strict=True)
Markdown(
    "**Finding.** The best trial of each search, its α′ and its mean score over two seeds, of 9.85 that could be: "
    + words.minus(
        "; ".join(f"{tables.TITLES[n]} {alpha:g}, {words.number(s)}" for (n, alpha), s in best)
    )
    + f". A mean of about 5 is one seed of two that leaves. On every seed at every width is right: {words.listed([tables.TITLES[n] for n in whole.index[whole]], 'no method')}. "
    f"Far below both hills end: {far_below(printed_scores)}."
)

# %% [markdown]
# ### What is a step?
#
# The paper does not say what its schedule counts as a step; we count episodes. If a step were some 25 of them, the same
# formula would cool as slowly as the public code's phases. With α′ = 0.2, near what Table 1 asks for, and all else as set:
#
# **What to expect.** If slow cooling is what a network needs to follow its target from hill to hill, no seed leaves with
# one episode a step, and with more of them most do. With 50 a run ends before its formula has.

# %%
SLOW = {"schedule": "printed", "alpha_final": 0.2}
slow_runs = {
    unit: outputs.finished(
        grid([SEARCHED], ["svnr", "masql"], n_seeds, n_episodes, SLOW | {"schedule_unit": unit})
    )
    for unit in (1, 10, 25, 50)
    if unit <= n_episodes
}
by_unit = {unit: tables.scores(found) for unit, found in slow_runs.items()}
slow = pd.concat(
    {
        unit: tables.per_game(scored, "shared") + "; " + tables.successes(scored, "shared", half)
        for unit, scored in by_unit.items()
    },
    names=["episodes a step"],
)
slow["last α"] = [round(borders.ends(slow_runs[unit])["alpha"][0], 2) for unit, _ in slow.index]
label = "The printed formula at s₂ = 1.5 by what it counts as a step: rewards, and seeds at the right hill"
outputs.table(slow, "printed_by_steps", label, tables.all_of(slow_runs))

# %%
right_by_unit = {
    unit: tables.at_optimum(scored)["right"].droplevel("game") for unit, scored in by_unit.items()
}
Markdown(
    f"**Finding.** With so many episodes a step, seeds of {n_seeds} at the right hill (SVNR, MASQL): "
    + "; ".join(f"{unit}: {row['svnr']}, {row['masql']}" for unit, row in right_by_unit.items())
    + ". Most seeds of both leave with: "
    + words.listed(str(u) for u, row in right_by_unit.items() if (row > n_seeds / 2).all())
    + ". SVNR's mean beside Table 1's "
    + f"{PAPER_TABLE_1['svnr', SEARCHED][0]:.2f}: "
    + ", ".join(
        words.minus(f"{scored.loc[scored['learner'] == 'svnr', 'shared'].mean():.2f}")
        for scored in by_unit.values()
    )
    + "."
)

# %% [markdown]
# So all of the paper's soft methods and the ablations of SVNR follow the formula with ten episodes a step and α′ = 0.2, at
# every width. Both numbers were chosen after a result: α′ is read off Table 1, and ten is the fewest above with which
# most seeds leave, on the very runs that stand here for s₂ = 1.5. So that means agree says nothing; that seeds leave is
# what is tried, at s₂ = 3 and 2 on runs that nobody had seen.

# %%
FOLLOWING = ["svnr", "svnr_f", "svnr_m", "masql", "pr2", "rommeo"]
TEN = SLOW | {"schedule_unit": 10}
ten_runs = outputs.finished(grid(NAMES, FOLLOWING, n_seeds, n_episodes, TEN))
ten = tables.scores(ten_runs)
ten_table = tables.beside_paper(ten)
note = f"verdicts: {statistics.tally(ten_table['verdict'])}"
label = "Table 1 with the printed schedule, ten episodes a step, α′ = 0.2"
outputs.table(ten_table, "printed_of_ten", label, ten_runs, note)

# %%
right_ten = tables.at_optimum(ten)["right"].unstack("game")[NAMES]
leave = right_ten.index[(right_ten == n_seeds).all(axis=1)]
title = f"Printed schedule, ten episodes a step: all seeds of {words.listed(map(tables.TITLES.get, leave))} leave"
outputs.figure(
    figures.training.training_curves(tables.curves(ten_runs), panels, title, 10, 0),
    "fig4_printed_of_ten",
    "Figure 4a–c with the printed schedule",
    ten_runs,
    note="ten episodes a step, α′ = 0.2; the paper: SVNR alone leaves the wrong hill at every width",
)

# %%
own, others = ten_table.loc["SVNR"], ten_table.drop("SVNR", level=0)
others = others["verdict"][others["verdict"].isin(["reproduced", "higher", "lower"])]
Markdown(
    f"**Finding.** Seeds of {n_seeds} at the right hill, s₂ = {'/'.join(map(str, widths))}: "
    + "; ".join(
        f"{tables.TITLES[name]} {'/'.join(map(str, row))}" for name, row in right_ten.iterrows()
    )
    + f". Of SVNR's {len(own)} cells {(own['verdict'] == 'reproduced').sum()} are reproduced: "
    + ", ".join(
        f"{ours} (paper {paper})" for ours, paper in zip(own["ours"], own["paper"], strict=True)
    )
    + f". Of the other methods' {len(others)} cells: {statistics.tally(others)}. Far below both hills end: {far_below(ten)}."
)

# %% [markdown]
# ## 5. A game with states: Particle Gather, fixed start
#
# The same for [19](19_gather_settings.ipynb)'s game, where both particles always start in the same places. **From random
# directions, the game of [10](10_particle_gather.ipynb), nothing was searched yet**: no method is *as tuned* there, and
# `svnr train particle_gather_turned svnr --tuned` has what these searches found, on this game. A trial takes minutes here,
# so every method has six; with so few TPE still draws at random. What is earned is spread over steps and states differ, so
# temperatures and numbers of particles are searched around the smaller ones of this game; all else is searched where it was.

# %%
searches.ranges(METHODS, GATHER)

# %% [markdown]
# **What to expect.** Who meets on every seed as set, SVNR and MASQL, can only stay. MADDPG, PR2, L-MADRL and hysteretic
# learning meet on some: they gain, if what a trial scores says what other seeds will do. ROMMEO, which meets on none as set, has
# nothing to climb. The first trial has this game's own settings, and these were found in trials of SVNR: its search begins where those ended.
# Trials are 1,500 episodes long, and noise fades over a share of a run: in runs of 5,000 it lasts longer.

# %%
gather_studies = searches.studies(METHODS, GATHER)
gains = searches.found(gather_studies, GATHER)
more = gains.index[gains["best"] - gains["own settings"] > 0.5]
outputs.figure(
    figures.studies.search_history(
        searches.history(gather_studies),
        f"Six trials each: {len(more)} of {len(gains)} searches gain over half a point, on their own two seeds",
        lowest=-3.0,
    ),
    "tuning_history_gather",
    "The searches on Particle Gather, fixed start, trial by trial",
    note="one budget for all; the paper shows no search",
)

# %%
label = "What the searches found on Particle Gather, fixed start"
outputs.table(gains, "tuning_gather", label)

# %% [markdown]
# The paper searches α from 0.1 up. So what does a soft method earn that ends at a given temperature? Its trials tell,
# though other settings differ among them as well. (Here α′ is the last temperature.)

# %%
by_alpha = pd.concat(
    {
        tables.TITLES[name]: searches.trials(gather_studies[name]).set_index("alpha_final")[
            "score"
        ]
        for name in ("svnr", "masql", "pr2", "rommeo")
    },
    axis=1,
).sort_index()
by_alpha.rename_axis("last α").style.format("{:.2f}", na_rep="–")

# %%
hot = by_alpha[by_alpha.index >= 0.6]
told = []
for name in ("masql", "pr2", "rommeo"):
    own, theirs = hot[tables.TITLES[name]].dropna(), PAPER_TABLE_1[name, GATHER][0]
    scored = ", ".join(f"{score:.2f}" for score in own) or "no trial"
    told.append(f"{tables.TITLES[name]} {scored} ({theirs:.2f})")
Markdown(
    words.minus(
        "**Finding.** Trials of each method that end at α = 0.6 or more, beside Table 1's mean of it: "
        + "; ".join(told)
        + "."
    )
)

# %%
gather_runs = outputs.finished(
    grid([GATHER], METHODS, n_gather_seeds, n_gather_episodes, protocol="as tuned")
)
meets = tables.at_optimum(tables.scores(gather_runs))["all"].droplevel("game")
always = words.listed(tables.TITLES[name] for name in METHODS if meets[name])
outputs.figure(
    figures.gather.training_curves(
        tables.curves(gather_runs),
        {GATHER: GAMES[GATHER].title},
        f"As tuned, from a fixed start, every seed of {always} meets",
    ),
    "fig4d_as_tuned",
    "Figure 4d, fixed start, as tuned",
    gather_runs,
    note="the paper: SVNR alone reaches the optimum",
)

# %%
gather_table = tables.beside_paper(tables.scores(gather_runs))
outputs.table(
    gather_table,
    "table1_gather_as_tuned",
    "Table 1, Particle Gather, fixed start, as tuned",
    gather_runs,
    note="; ".join(f"{method}: {row['ours']}" for (method, _), row in gather_table.iterrows()),
)

# %% [markdown]
# How many seeds meet: test episodes earn more than 2.5, half of the way from staying away to the optimum.

# %%
gather_set_runs = outputs.finished(grid([GATHER], METHODS, n_gather_seeds, n_gather_episodes))
reached = searches.protocols(gather_set_runs, gather_runs)
label = "Seeds that meet on Particle Gather, fixed start, as set and as tuned"
outputs.table(reached, "as_set_as_tuned_gather", label, [*gather_set_runs, *gather_runs])


# %%
def first(told):
    """The number that "3 of 5" begins with."""
    return int(str(told).split()[0])


met = {name: [r for r in gather_runs if r.spec.learner == name] for name in METHODS}
same = [tables.TITLES[n] for n in METHODS if not gather_studies[n].best_trial.number]
gained, fewer = (
    words.listed((n for n, row in reached.iterrows() if compare(*map(first, row))), "nobody")
    for compare in (lt, gt)
)
never = {name: sum(not (run.returns > 0).any() for run in of) for name, of in met.items()}
text = (
    "**Finding.** What the best of six trials scored, and how many other seeds then meet, beside as set: "
    + "; ".join(
        f"{name} {gains.loc[name, 'best']:.2f}, {row.iloc[1]} (as set {row.iloc[0]})"
        for name, row in reached.iterrows()
    )
    + f". More seeds meet as tuned with {gained}, fewer with {fewer}. The first trial stayed the best of {words.listed(same, 'nobody')}: what they do as tuned is what they do as set. As "
    "tuned, teams that never met in training: "
    + words.listed(f"{n} of {tables.TITLES[name]}'s" for name, n in never.items() if n)
    + "."
)
Markdown(words.minus(text))

# %% [markdown]
# Why it matters to have met in training, notebook [19](19_gather_settings.ipynb), section 1, says.

# %%
ours = pd.concat([scores, tables.scores(gather_runs)])
means = ours.groupby(["game", "learner"])["shared"].mean().unstack("game")[[*NAMES, GATHER]]
highest, of_six = means.idxmax(), means.drop("hysteretic").idxmax()
level = {}
for game, name in highest.items():
    earned = dict(list(ours[ours["game"] == game].groupby("learner")["shared"]))
    beside = statistics.placed(earned, name)["not told apart"]
    level[game] = words.listed([tables.TITLES[m] for m in beside], "nobody")
Markdown(
    "**Finding.** The highest return as tuned, and in brackets whose bootstrap interval does not lie wholly below: "
    + "; ".join(
        f"{tables.TITLES[game]}, {tables.TITLES[name]} ({level[game]})"
        for game, name in highest.items()
    )
    + f". That SVNR has the highest of the paper's six methods in all scenarios {words.held((of_six == 'svnr').all())}."
)

# %% [markdown]
# ## Against the paper
#
# MADDPG, PR2 and the lenient learners act without noise, and a policy at α = 0.3 earns 3α/2 = 0.45 less on the same hill. L-MADRL and hysteretic learning see only their own action, and discount bad results: where they leave the
# trap of Max of Three (section 4), it was left without negotiation. The searches on Particle
# Gather are small and of the fixed start: what they chose may say more of two seeds than of a method.
#
# ## Adapt this
#
# `svnr tune max_of_three_2.0 svnr --trials 50` searches on another width; the rows of `LEARNERS` in
# `experiments/catalogue.py` hold the ranges, and those of `GAMES` the ranges of a game that needs its own.
#
# ## Exercises
#
# 1. Tune with five seeds a trial (`--seeds 5`) and ten trials. Is that a better use of the same time?
# 2. Search on s₂ = 3.0 and use what is found on 1.5. Who fails?
#
# ## In one paragraph
#
# Every method had one budget, on Max of Three and on Particle Gather's fixed start; with it MASQL and L-MADRL leave the trap on
# every seed at every width, SVNR on all but one. Searched with the printed schedule, an episode a step, SVNR leaves at s₂ = 1.5 on no seed; with ten
# episodes a step and α′ = 0.2 all of its seeds leave, and all of MASQL's. Next:
# [13 · Where it breaks](13_where_it_breaks.ipynb).
