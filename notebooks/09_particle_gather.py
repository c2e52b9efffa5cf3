# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
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
# **Makes.** Figures 4d and 6d, the last column of Table 1, what each method learns to do, and what the open rules change.
#
# **Takes.** Seconds with the committed runs; several minutes a run and core without them.

# %%
import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from svnr.experiments.evaluate import play
from svnr.experiments.runs import grid
from svnr.experiments.scenarios import GAMES, LEARNERS
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
from svnr.report import figures, gather_figures, tables
from svnr.report.provenance import Outputs

# %% tags=["parameters"]
n_seeds: int = 5  # runs of each kind, seeds 0 to n_seeds − 1 (paper: 5)
n_episodes: int = 5000  # length of a run (paper: 5000)
n_random: int = 100_000  # episodes of each scripted team
n_jobs: int = 2  # processes side by side
scale: str = "paper"  # how much is run: smoke, quick or paper
output: str = ""  # folder for figures and results; empty: this repository's own

# %%
given = {"n_seeds": n_seeds, "n_episodes": n_episodes, "n_random": n_random}
outputs = Outputs("09_particle_gather", scale, output, given)
NAME = "particle_gather"
METHODS = ["svnr", "maddpg", "masql", "pr2", "rommeo", "lenient"]  # the paper's six
FAMILY = ["svnr", "svnr_f", "svnr_m"]


def finished(specs):
    """The finished runs of some specs, trained now where they are missing."""
    with tqdm(total=len(specs), desc="runs") as bar:
        return collect(specs, outputs.results, n_jobs, on_done=lambda spec: bar.update())


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


def shares(returns):
    """How episodes ended, and what they earned."""
    return {
        "joint": (returns > 0).mean(),
        "solo": (returns < 0).mean(),
        "no contact": (returns == 0).mean(),
        "return": returns.mean(),
    }


def percent(table):
    """Shares as percentages, returns as they are."""
    return table.style.format({"return": "{:.2f}"}, na_rep="–").format(
        "{:.2%}", subset=["joint", "solo", "no contact"]
    )


percent(
    pd.DataFrame(
        {
            name: shares(play(game, team, n_random, seed=0).returns)
            for name, team in SCRIPTED.items()
        }
    ).T
)

# %% [markdown]
# ## 2. Training curves: Figure 4d
#
# As on the other games a run is 5,000 episodes, and the temperature falls with them. Some settings differ, for every
# method alike: they stand beside the game in `experiments/scenarios.py`, and section 6 takes them back one at a time.
#
# **What to expect.** A team that stays away earns 0, one that pushes on regardless of its partners −2, the best one 5.

# %%
runs = finished(grid([NAME], [*METHODS, "svnr_f", "svnr_m", "hysteretic"], n_seeds, n_episodes))
LEVELS = {"optimum": 5, "trap": 0, "trap_name": "stay away", "limits": (-2.2, 5.6)}


def curves(learners, title):
    """The training curves of some learners."""
    chosen = [run for run in runs if run.spec.learner in learners]
    rows = tables.curves(chosen)
    return figures.training_curves(rows, {NAME: GAMES[NAME].title}, title, **LEVELS), chosen


figure, chosen = curves(METHODS, "Who comes back to the landmark?")
outputs.figure(
    figure,
    "fig4d_particle_gather",
    "Figure 4d",
    chosen,
    note="the paper: SVNR alone reaches the optimum; ours: see the column of Table 1",
)

# %% [markdown]
# ## 3. The last column of Table 1
#
# What 1,000 test episodes earn with shared noise. The verdict follows the rule of notebook 12: a cell is reproduced if our
# mean lies within the paper's mean ± its printed spread.

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

# %%
executions = ["shared", "independent", "greedy"]
scores.groupby("learner", sort=False)[executions].mean().rename(
    index={name: entry.title for name, entry in LEARNERS.items()}
).round(2)

# %% [markdown]
# ## 4. Approach, avoid, wander
#
# A mean return of 0 may be a team that stays away, or one that meets and misses in turn. So here is how the episodes end,
# and what some of them look like.

# %%
ends = pd.DataFrame(
    [{"method": LEARNERS[r.spec.learner].title} | shares(r.tested["shared"]) for r in runs]
)
contact = ends.groupby("method", sort=False).mean()
outputs.table(contact.round(3), "particle_gather_contacts", "How test episodes end", runs)
percent(contact)

# %%
KEPT = ["svnr", "maddpg"]  # their trained learners are kept beside their runs
specs = grid([NAME], KEPT, 1, n_episodes)
teams = {spec.learner: trained(spec, outputs.results) for spec in specs}
episodes = {name: play(game, team, 12, seed=0) for name, team in SCRIPTED.items()}
episodes |= {
    LEARNERS[name].title: play(game, lambda s, t=team: t.act(s, "shared"), 12, seed=0)
    for name, team in teams.items()
}
outputs.figure(
    gather_figures.ways(episodes, game.settings.radius, "Twelve episodes of each team"),
    "particle_gather_ways",
    "Trajectories, scripted and trained teams",
    [],
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


films = {LEARNERS[n].title: film(lambda s, t=t: t.act(s, "shared"), 3) for n, t in teams.items()}
outputs.figure(
    gather_figures.strips(films, "One episode, step by step"),
    "particle_gather_strips",
    "One episode of two trained teams",
    [],
)

# %% [markdown]
# ## 5. The negotiation sets: Figure 6d
#
# > "Both the SVNR and SVNR-F outperform the SVNR-M in the Particle Gather scenario." (§8.3)

# %%
figure, chosen = curves(FAMILY, "Does hearing each other's noise help here?")
outputs.figure(
    figure,
    "fig6d_particle_gather",
    "Figure 6d",
    chosen,
    note="the paper: SVNR and SVNR-F above SVNR-M",
)

# %% [markdown]
# ## 6. What the settings of the game change
#
# **What to expect.** At first one episode in sixty succeeds, and with states a critic also learns from its own forecasts.
# Rectified units grow without bound where there are no data, and the forecasts feed that back: values run away. A layer
# norm holds them. Uniform weights in (7.4) pay for entropy, α · 4 log 2 a step, and so for staying away while α is large.

# %%
ONLY_ONE = {
    "the settings of the game": {},
    "no layer norm": {"layer_norm": False},
    "8 states an update, 48 particles each": {"n_groups": 8, "n_particles": 48},
    "three phases, α′ = 10": {"schedule": "three_phase", "alpha_final": 10.0},
    "(7.4) with importance weights": {"soft_value": "importance", "n_value_particles": 24},
}
changed = {
    name: finished(grid([NAME], ["svnr"], 1, n_episodes, change))[0]
    for name, change in ONLY_ONE.items()
}
study = pd.DataFrame({name: shares(run.tested["shared"]) for name, run in changed.items()}).T
outputs.table(
    study.round(3),
    "particle_gather_settings",
    "SVNR with one setting changed at a time, one seed",
    list(changed.values()),
)
percent(study)

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
