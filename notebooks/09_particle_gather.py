# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 09 · Particle Gather
#
# **Question.** Is it the same trap when an episode has twenty-five steps?
#
# **Claim.** "All baselines converge to the worst solution except for PR2 and MADDPG falling into the local optimum. Our
# method still steadily converges to the global optimum while jumping out of the local optimum" (§8.2).
#
# **Paper.** §8.2 and §8.3, Figures 4d and 6d, the last column of Table 1.
#
# **Reads.** Finished runs in `results/`; whatever is missing is trained now and kept there.
#
# **Makes.** Figures 4d and 6d, the last column of Table 1, what each method learns to do, what the settings of the game
# and its open rules change.
#
# **Takes.** Seconds with the committed runs; three to ten minutes a run and core without them.

# %%
from functools import partial

import numpy as np
import pandas as pd
import torch

from svnr.experiments.catalogue import GAMES
from svnr.experiments.evaluate import play
from svnr.experiments.specs import grid, run_spec
from svnr.experiments.store import collect, trained
from svnr.games.gather import (
    GatherSettings,
    best_team,
    bodies,
    particle_gather,
    random_play,
    solo_runner,
    stay_away,
)
from svnr.games.gather_env import GatherParallelEnv
from svnr.report import tables
from svnr.report.figures import gather as figures
from svnr.report.provenance import Outputs

# %% tags=["parameters"]
n_seeds: int = 5  # runs of each kind, seeds 0 to n_seeds − 1 (paper: 5)
n_episodes: int = 5000  # length of a run (paper: 5000)
n_study_seeds: int = 2  # runs of each kind in the studies of exploration and of the schedule
n_more_episodes: int = 0  # of SVNR-F, SVNR-M and hysteretic learning; 0: n_episodes
n_study_episodes: int = 0  # length of a run in all studies; 0: n_episodes
n_random: int = 100_000  # episodes of each scripted team
n_jobs: int = 2  # processes side by side
scale: str = "paper"  # how much is run: smoke, quick or paper
output: str = ""  # folder for figures and results; empty: this repository's own

# %%
outputs = Outputs.of("09_particle_gather", globals())
study_episodes = n_study_episodes or n_episodes
NAME = "particle_gather"
METHODS = ["svnr", "maddpg", "masql", "pr2", "rommeo", "lenient"]  # the paper's six
FAMILY = ["svnr", "svnr_f", "svnr_m"]
finished = partial(collect, folder=outputs.results, n_jobs=n_jobs)


# %% [markdown]
# ## 1. The game
#
# > "When two particles reach a fixed landmark, four agents are rewarded with 5 together; Moreover, if only one particle
# > reaches the landmark, all the agents are penalized by −2. Otherwise, there is no instantaneous reward." (§8.2)
#
# Two particles start at rest. An x-agent and a y-agent push each of them, with a force from −5 to 5; friction takes a
# quarter of the velocity in every step of a tenth of a second. That is all that the multi-agent particle world does, and
# we write it down once more and check the package against it.


# %%
def push_by_hand(position, velocity, u):
    """One step of one particle: move, then brake and push."""
    return position + 0.1 * velocity, 0.75 * velocity + 0.1 * 5.0 * u


game = particle_gather()
state = game.reset(1, seed=0)
position, velocity = (part[0, 0] for part in bodies(state))
for u in 0.2 * (2 * torch.rand(5, 4, generator=torch.Generator().manual_seed(0)) - 1):
    position, velocity = push_by_hand(position, velocity, u[:2])
    state = game.step(u.unsqueeze(0)).state
assert torch.allclose(bodies(state)[0][0, 0], position)
assert torch.allclose(bodies(state)[1][0, 0], velocity)

# %% [markdown]
# The paper leaves open where particles start, how large the landmark is, and when an episode ends. The numbers of its
# Table 1 fit an episode that ends when a particle first reaches the landmark. `GatherSettings` names every choice.
#
# **What to expect.** Of two particles that move at random, hardly ever do both arrive in the same step. What an agent sees
# of the landmark while its partners explore is −2.

# %%
SCRIPTED = {
    "best team": best_team(GatherSettings()),
    "one runs": solo_runner,
    "nobody moves": stay_away,
    "random play": random_play(0),
}


def percent(table):
    """Shares as percentages, returns as they are."""
    return table.style.format({"return": "{:.2f}"}, na_rep="–").format(
        "{:.2%}", subset=["joint", "solo", "no contact"]
    )


percent(
    pd.DataFrame(
        {
            name: tables.contacts(play(game, act, n_random, seed=0).returns)
            for name, act in SCRIPTED.items()
        }
    ).T
)

# %% [markdown]
# ## 2. Training curves: Figure 4d
#
# As on the other games a run is 5,000 episodes, and the temperature falls with them. The paper's settings are those of
# games of one step. Some differ here, for every method alike; they stand beside the game:

# %%
pd.Series(GAMES[NAME].settings, name="on Particle Gather").to_frame()

# %% [markdown]
# None of them is tuned to a method; section 6 undoes them for SVNR. One changes what a critic learns: with a single action
# in (7.4), `n_value_particles`, α log E[exp(Q/α)] is that action's Q. The critics of SVNR, MASQL and PR2 then learn
# what their policies earn on average, and the temperature acts in the policies alone.
#
# **What to expect.** A team that stays away earns 0, one that pushes on regardless of its partners −2, the best one 5.

# %%
specs = grid([NAME], METHODS, n_seeds, n_episodes)
specs += grid([NAME], [*FAMILY[1:], "hysteretic"], n_seeds, n_more_episodes or n_episodes)
runs = finished(specs)


def learned(learners, title):
    """The training curves of some learners, and their runs."""
    chosen = [run for run in runs if run.spec.learner in learners]
    panels = {NAME: GAMES[NAME].title}
    return figures.training_curves(tables.curves(chosen), panels, title), chosen


figure, chosen = learned(METHODS, "Who comes back to the landmark?")
outputs.figure(
    figure,
    "fig4d_particle_gather",
    "Figure 4d",
    chosen,
    note="the paper: SVNR alone reaches the optimum; ours: the last column of Table 1",
)

# %% [markdown]
# ## 3. The last column of Table 1
#
# What 1,000 test episodes earn with shared noise: all agents draw from one seed, as in training. The verdict follows
# the rule of notebook 12: a cell is reproduced if our mean lies within the paper's mean ± its printed spread.

# %%
scores = tables.scores(runs)
table1 = tables.beside_paper(scores)
outputs.table(
    table1,
    "table1_particle_gather",
    "Table 1, Particle Gather",
    chosen,
    note="; ".join(f"{method}: {row['ours']}" for (method, _), row in table1.iterrows()),
)

# %% [markdown]
# Below are two other ways to act. *Independent*: every agent draws noise of its own, and imagines that of the others.
# *Greedy*: the team takes the best of 256 joint actions by its critic; methods whose actors draw no noise act in one way.

# %%
executions = ["shared", "independent", "greedy"]
scores.groupby("learner", sort=False)[executions].mean().rename(index=tables.TITLES).round(2)

# %% [markdown]
# ## 4. Approach, avoid, wander
#
# A mean return of 0 may be a team that stays away, or one that meets and misses in turn. So here is how the episodes end,
# and what some of them look like.

# %%
ends = pd.DataFrame(
    [{"method": tables.TITLES[r.spec.learner]} | tables.contacts(r.tested["shared"]) for r in runs]
)
contact = ends.groupby("method", sort=False).mean()
outputs.table(contact.round(3), "particle_gather_contacts", "How test episodes end", runs)
percent(contact)

# %%
WATCHED = ["svnr", "maddpg"]  # their trained learners are kept beside their runs
watched = [run for run in runs if run.spec.learner in WATCHED and run.spec.seed == 0]
teams = {run.spec.learner: trained(run.spec, outputs.results) for run in watched}
acts = SCRIPTED | {
    tables.TITLES[name]: partial(team.act, execution="shared") for name, team in teams.items()
}
episodes = {name: play(game, act, 12, seed=0) for name, act in acts.items()}
outputs.figure(
    figures.ways(episodes, game.settings.radius, "Twelve episodes of each team"),
    "particle_gather_ways",
    "Trajectories, scripted and trained teams",
    watched,
)


# %%
def film(act, seed):
    """The frames of one episode."""
    env = GatherParallelEnv(render_mode="rgb_array")
    observed, _ = env.reset(seed=seed)
    frames = [env.render()]
    while env.agents:
        u = act(torch.as_tensor(observed["x_1"]).unsqueeze(0))[0].tolist()
        actions = {agent: np.array([u[i]]) for i, agent in enumerate(env.possible_agents)}
        observed, *_ = env.step(actions)
        frames.append(env.render())
    return frames


films = {tables.TITLES[name]: film(acts[tables.TITLES[name]], seed=3) for name in WATCHED}
outputs.figure(
    figures.strips(films, "Together, and away: one episode of each team, step by step"),
    "particle_gather_strips",
    "One episode of two trained teams",
    watched,
)

# %% [markdown]
# **Finding.** SVNR's team goes at once and arrives together. MADDPG's, on this seed, has learned to leave: where both
# particles are far away, nobody makes a costly mistake.

# %% [markdown]
# ### Did it ever meet?
#
# What a team has never seen, no critic can value. So here is in how many of its training episodes both particles came to
# the landmark together, seed by seed. Random play would meet in some 78 of 5,000.


# %%
def meetings(runs):
    """Training episodes that ended in a joint contact, a row a method and a column a seed."""
    rows = [
        {
            "method": tables.TITLES[run.spec.learner],
            "seed": run.spec.seed,
            "met": int((run.returns > 0).sum()),
        }
        for run in runs
    ]
    return pd.DataFrame(rows).pivot_table(index="method", columns="seed", values="met", sort=False)


met = meetings(runs).astype(int)
outputs.table(met, "particle_gather_meetings", "Joint contacts while training", runs)
met

# %% [markdown]
# **Finding.** There are two ways to fail. MADDPG's failing teams never met, not once in 5,000 episodes; nor did two of
# PR2's and two of the hysteretic learner's. They paid for some hundred solo contacts, and had learned to leave before
# chance could show them a meeting. ROMMEO's teams met 13 to 25 times, and stay away all the same: that is
# over-generalization proper, as is the lenient one that met some twenty times.
#
# SVNR had seen hardly more when one in three of its episodes began to end in a meeting: 21 to 56 of them, and a thousand
# solo contacts, over the 1,700 to 2,000 episodes for which its temperature is high.

# %% [markdown]
# ### Would it come back, had it met?
#
# So MADDPG gets the lenient learner's wide noise; and wide noise with no update at all in the first 20,000 steps. The
# lenient learner gets MADDPG's narrow noise. *Met early* counts the joint contacts of those 20,000 steps.
#
# **What to expect.** A team that only explores meets now and then. If MADDPG stays away because it never met, it then
# comes back.

# %%
WIDE = {"noise_scale": 1.0, "exploration_fraction": 0.5}
NARROW = {"noise_scale": 0.5, "exploration_fraction": 1 / 6}


def exploring(learner, changes):
    """The runs of a learner with other noise."""
    return finished(grid([NAME], [learner], n_study_seeds, study_episodes, changes))


EARLY = 4 * study_episodes  # steps
CELLS = {
    ("MADDPG", "narrow"): exploring("maddpg", {}),
    ("MADDPG", "wide"): exploring("maddpg", WIDE),
    ("MADDPG", "wide, then learn"): exploring("maddpg", WIDE | {"warmup": EARLY}),
    ("L-MADRL", "narrow"): exploring("lenient", NARROW),
    ("L-MADRL", "wide"): exploring("lenient", {}),
}
explored = pd.DataFrame(
    {
        (*name, run.spec.seed): {
            "met early": (run.returns[run.length.cumsum() <= EARLY] > 0).sum(),
            "met in training": (run.returns > 0).sum(),
            "return": run.tested["shared"].mean(),
        }
        for name, cell in CELLS.items()
        for run in cell
    }
).T.rename_axis(["method", "exploration", "seed"])
outputs.table(
    explored.round(3),
    "particle_gather_exploration",
    "Wide and narrow noise, Particle Gather",
    [run for cell in CELLS.values() for run in cell],
)
explored.style.format("{:.0f}").format("{:.2f}", subset=["return"])

# %% [markdown]
# **Finding.** It comes back, on both seeds, and on neither with wide noise alone. What keeps MADDPG in this trap is the
# order of things: it learns to leave before it has met. With some meetings to learn from it climbs out as SVNR does, and
# nobody negotiates. This is not over-generalization as notebook [01](01_definitions.ipynb) defines it, and a method that
# cures over-generalization need not be the cheapest cure here. The lenient learner needs its wide noise on one seed of two.

# %% [markdown]
# ## 5. The negotiation sets: Figure 6d
#
# > "Both the SVNR and SVNR-F outperform the SVNR-M in the Particle Gather scenario." (§8.3)

# %%
figure, chosen = learned(FAMILY, "Does hearing each other's noise help here?")
outputs.figure(
    figure,
    "fig6d_particle_gather",
    "Figure 6d",
    chosen,
    note="the paper: SVNR and SVNR-F above SVNR-M",
)

# %% [markdown]
# **Finding.** Not here: SVNR-M meets on every seed as well. Both particles start where they always start and move as
# they are pushed, so "go at once" is a plan that needs no word in this very step. On Max of Three with a narrow hill
# three agents must agree on a point, and there SVNR-M fails ([10](10_negotiation_sets.ipynb)).

# %% [markdown]
# ## 6. What the settings of the game change
#
# The paper names one set of settings for all its games, and no discount. We undo what we changed, for SVNR and one
# seed: one change at a time, then several, then all that the learner can be told. Positions in units of a step and the
# bounds on forecasts (rows 43 and 45 of `docs/deviations.md`) stay.
#
# **What to expect.** With states a critic also learns from its own forecasts, and errors can feed on themselves; a
# layer norm bounds what a critic can say where it has no data, and a low discount what a late forecast weighs. And
# (7.4) can be read in two ways: over actions of the policy, as printed, or with weights that make it the soft value
# ([06](06_amortised_negotiation.ipynb)).

# %%
RATES = {"target_rate": 0.01, "learning_rate": 0.005}
FEW_STATES = {"n_groups": 8, "n_particles": 48}
DISCOUNT, NO_NORM, MANY = {"discount": 0.95}, {"layer_norm": False}, {"n_value_particles": 24}
ONE_SHOT = RATES | FEW_STATES | DISCOUNT | NO_NORM | MANY
PRINTED, PHASES = {"schedule": "printed"}, {"schedule": "three_phase"}


def changed(changes, game_name=NAME, length=study_episodes):
    """SVNR's run with some settings undone."""
    return run_spec(game_name, "svnr", 0, length, changes)


CHANGES = {
    "as here": changed({}),
    "discount 0.95": changed(DISCOUNT),
    "no layer norm": changed(NO_NORM),
    "one-shot rates": changed(RATES),
    "8 states of 48 particles": changed(FEW_STATES),
    "schedule in three phases": changed(PHASES),
    "printed schedule": changed(PRINTED),
    "to α = 0.3 in place of 0.03": changed({"alpha_final": 0.3}),
    "(7.4) as printed, 8 actions": changed({"n_value_particles": 8}),
    "(7.4) as printed, 24 actions": changed(MANY),
    "(7.4) with weights, 8 actions": changed({"n_value_particles": 8, "soft_value": "importance"}),
    "an update a step": changed({"episode_updates": 0}),
    "batches drawn evenly": changed({"rewarded_share": 0.0}),
    "discount 0.95, no layer norm": changed(DISCOUNT | NO_NORM),
    "one-shot rates and states": changed(RATES | FEW_STATES),
    "one-shot rates and states, discount 0.95": changed(RATES | FEW_STATES | DISCOUNT),
    "one-shot rates and states, no layer norm": changed(RATES | FEW_STATES | NO_NORM),
    "one-shot rates and states, 24 actions": changed(RATES | FEW_STATES | MANY),
    "one-shot rates and states, printed schedule": changed(RATES | FEW_STATES | PRINTED),
    "all one-shot, schedule as here": changed(ONE_SHOT),
    "all one-shot but for 64 states of 8": changed(ONE_SHOT | {"n_groups": 64, "n_particles": 8}),
    "all one-shot, three phases": changed(ONE_SHOT | PHASES | {"alpha_final": 10.0}),
    "all one-shot, printed schedule to 1": changed(ONE_SHOT | PRINTED | {"alpha_final": 1.0}),
    "all one-shot, printed schedule to 0.1": changed(ONE_SHOT | PRINTED | {"alpha_final": 0.1}),
}
undone = dict(zip(CHANGES, finished(list(CHANGES.values())), strict=True))
study = pd.DataFrame(
    {
        name: tables.contacts(run.tested["shared"])
        | {"greedy": run.tested["greedy"].mean(), "last 100 in training": run.last()}
        for name, run in undone.items()
    }
).T
outputs.table(
    study.round(3),
    "particle_gather_settings",
    "SVNR on Particle Gather, settings undone, one seed",
    list(undone.values()),
)
percent(study).format("{:.2f}", subset=["greedy", "last 100 in training"])

# %%
DRAWN = {
    "all one-shot, printed schedule to 1": "one-shot settings,\nprinted to α = 1",
    "all one-shot, printed schedule to 0.1": "one-shot settings,\nprinted to α = 0.1",
    "all one-shot, schedule as here": "one-shot settings,\nour schedule",
    "as here": "as here",
}
outputs.figure(
    figures.training_curves(
        pd.concat(tables.curves([undone[name]]).assign(game=name) for name in DRAWN),
        DRAWN,
        "The recipe of the one-shot games does not carry over",
    ),
    "particle_gather_settings_curves",
    "SVNR on Particle Gather, with other settings",
    [undone[name] for name in DRAWN],
    note="the printed recipe of the one-shot games does not carry over; one seed each",
)

# %% [markdown]
# **Finding.** All settings of the one-shot games at once fail. Where the temperature ends at 0.3 or more, the greedy team
# meets, but the policy is too restless to do so on most tries; where it ends lower, the team stays away. One at a time
# all can be undone but two: a low last temperature, and batches that hold enough of what was paid. Discount and layer
# norm stand in for each other, and both hold down forecasts that feed on forecasts. That (7.4) is read with one action
# saves time and does no more.
#
# With weights in (7.4) the team stays away. The value then counts the entropy of steps to come, and while α is high that
# alone is more than the game can pay: until about episode 1,000 every forecast is cut to 5, whatever is done. Going on
# then looks as good as meeting. That this is why it stays away is a guess.
#
# All of this is one seed. Some settings that seemed not to matter, on all seeds:

# %%
LESS = {
    "printed schedule": PRINTED,
    "one-shot rates": RATES,
    "one-shot rates, printed schedule": RATES | PRINTED,
    "8 states of 48 particles": FEW_STATES,
    "one-shot rates and states": RATES | FEW_STATES,
}
less = {
    name: finished(grid([NAME], ["svnr"], n_seeds, study_episodes, change))
    for name, change in LESS.items()
}
seeds = pd.DataFrame(
    {name: [run.tested["shared"].mean() for run in several] for name, several in less.items()}
).T.rename_axis(columns="seed")
outputs.table(
    seeds.round(3),
    "particle_gather_smallest",
    "SVNR with fewer settings of its own, return by seed",
    [run for several in less.values() for run in several],
)
seeds.style.format("{:.2f}")

# %% [markdown]
# **Finding.** Each of three changes alone is harmless on every seed: the printed schedule, the one-shot rates, the
# one-shot states. Two of them together fail on two seeds of five, whichever two we tried. There is slack for one.
#
# So what the paper's recipe needs here, as far as we know: a last temperature of 0.03, slower rates, more states with fewer
# particles each, discount 0.8 with layer norm, and batches that hold enough of what was paid. The schedule may stay.
#
# ### The printed schedule, with a low α′
#
# α′ + 500 exp(−0.1 (step − 10)), with α′ = 0.03 in place of a value from the paper's 0.1 to 10, is below 0.1 after 100
# episodes; the schedule that all methods have above takes more than 2,000.
#
# **What to expect.** If the temperature keeps a team exploring until it has met, a team that is cold so early stays
# away.

# %%
SOFT = ["svnr", "svnr_m", "masql", "pr2", "rommeo"]
cold = finished(grid([NAME], SOFT, n_study_seeds, study_episodes, PRINTED))
warm = [run for run in runs if run.spec.learner in SOFT and run.spec.seed < n_study_seeds]
panels = {"printed": "printed schedule, α′ = 0.03", "geometric": "geometric schedule, as above"}
outputs.figure(
    figures.training_curves(
        pd.concat(
            tables.curves(several).assign(game=name)
            for name, several in zip(panels, (cold, warm), strict=True)
        ),
        panels,
        "Cold after a hundred episodes, and back sooner",
    ),
    "particle_gather_schedules",
    "Particle Gather, two temperature schedules",
    [*cold, *warm],
    note="the printed schedule with α′ = 0.03 and ours",
)

# %%
schedules = pd.concat(
    {
        title: tables.scores(several).pivot_table(
            index="learner", columns="seed", values="shared", sort=False
        )
        for title, several in zip(panels, (cold, warm), strict=True)
    },
    axis=1,
).rename(index=tables.TITLES)
outputs.table(
    schedules.round(3),
    "particle_gather_schedules_by_seed",
    "Return by schedule and seed",
    [*cold, *warm],
)
schedules.style.format("{:.2f}")

# %% [markdown]
# **Finding.** It does not. SVNR meets on all its seeds (the table before), and within 900 episodes, when the other schedule
# is still hot. Who meets is nearly the same under both: SVNR-M too, later than SVNR and for good only after some 3,000
# episodes, and MASQL sooner; ROMMEO stays away, and PR2 meets on one seed of two. So the schedule that the paper prints serves
# here as it stands; it is the α′ of 0.1 to 10 that does not. Rewards scaled by 3 to 300 would bring 0.03 into that range.
# Whether the authors scaled theirs the paper does not say.

# %% [markdown]
# ## 7. What the open rules change
#
# **What to expect.** If conclusions hung on the radius or on where particles start, other rules would turn the order of
# the scripted teams around.

# %%
RULES = {
    "as here": {},
    "radius 0.2": {"radius": 0.2},
    "starts 0.5 to 1 away": {"start": (0.5, 1.0)},
    "starts 0.5 away": {"start": (0.5, 0.5)},
    "starts in random directions": {"random_starts": True},
    "goes on after a solo contact": {"end_on_solo": False},
    "pays at every step, ends at the clock": {
        "end_on_solo": False,
        "end_on_joint": False,
        "pay_each_step": True,
    },
}


def judged(rules):
    """What three scripted teams earn under some rules."""
    changed_game = particle_gather(**rules)
    settings = changed_game.settings
    return {
        "best team": play(changed_game, best_team(settings), n_random // 10, 0).returns.mean(),
        "one runs": play(changed_game, solo_runner, n_random // 10, 0).returns.mean(),
        "random play": (
            chance := play(changed_game, random_play(0), n_random // 10, 0).returns
        ).mean(),
        "random play above 0": (chance > 0).mean(),
    }


rules = pd.DataFrame({name: judged(changes) for name, changes in RULES.items()}).T
outputs.table(rules.round(3), "particle_gather_rules", "Scripted teams under other rules", [])
rules.style.format({"random play above 0": "{:.2%}"}, precision=2).format(
    "{:.2f}", subset=["best team", "one runs", "random play"]
)

# %% [markdown]
# **Finding.** Under all these rules the best scripted team earns the most, and one that runs alone or plays at random
# loses: the trap does not hang on the choices that the paper leaves open. What hangs on them is how often random play
# shows the way out.
#
# SVNR itself, trained under three of them:

# %%
TURNED, EACH_STEP = f"{NAME}_turned", {"episode_updates": 0}
VARIANTS = {
    GAMES[name].title: changed({}, name) for name in (NAME, f"{NAME}_far", f"{NAME}_small", TURNED)
} | {
    "… and an update a step": changed(EACH_STEP, TURNED),
    "… and twice the episodes": changed(EACH_STEP, TURNED, 2 * study_episodes),
}
ruled = finished(list(VARIANTS.values()))
learned_under = pd.DataFrame(
    {
        name: tables.contacts(run.tested["shared"])
        | {"greedy": run.tested["greedy"].mean(), "last 100 in training": run.last()}
        for name, run in zip(VARIANTS, ruled, strict=True)
    }
).T
outputs.table(
    learned_under.round(3), "particle_gather_variants", "SVNR under other rules, one seed", ruled
)
percent(learned_under).format("{:.2f}", subset=["greedy", "last 100 in training"])

# %% [markdown]
# **Finding.** From farther away, and with a smaller landmark, SVNR meets as well. From random directions it meets on a
# third of the tries after 5,000 episodes, on half of them when greedy. With an update at every step and twice the
# episodes it meets on three of four, and is still getting better: "go at once" is another plan for every start, and takes
# longer to learn. So the numbers of section 3 hang on starts that do not vary, and the paper does not say whether
# its own do.
#
# ## Against the paper
#
# SVNR's cell of Table 1 is reproduced, with a lower α′ than the paper searches. That it is alone is not: MASQL meets on
# every seed, the lenient learner on four of five, MADDPG and PR2 on two; ROMMEO stays away on all. Where MADDPG
# fails it stays away, as in the paper, and never met before it did (section 4); of PR2's other three seeds one stays
# away, and on two a particle goes alone. The paper does not say where its particles start. Ours start near, so that
# random play meets often enough to be learned from, and always at the same places; from random directions SVNR does not
# get there in 5,000 episodes (section 7).
# [14 · Tuned alike](14_tuned_alike.ipynb) tunes all methods with one budget.
#
# ## Adapt this
#
# `particle_gather(radius=0.2)` changes a rule; `svnr train particle_gather svnr --set discount=0.95` undoes a setting.
#
# ## Exercises
#
# 1. Start the particles 0.7 away (name the game `svnr.games.gather:particle_gather(start=(0.7, 0.7))`) and train MASQL. Does it still meet?
# 2. Let the episode go on after a solo contact (`end_on_solo=False`). Is it still a trap?
#
# ## In one paragraph
#
# Over several steps the trap is to stay away. SVNR's team explores while it is hot, loses more than it gains, and learns
# from some twenty to fifty meetings to reach the landmark together. So do MASQL's and mostly the lenient learner's;
# MADDPG's tend to leave before they ever meet, ROMMEO's although they have met, and PR2's to leave or to go alone. Next:
# [10 · Negotiation sets](10_negotiation_sets.ipynb).
