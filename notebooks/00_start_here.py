# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00 · Start here
#
# **Question.** What is relative over-generalization, in one picture?
#
# **Claim.** Agents "often overfit their actions on the exploration behavior of others, leading to sub-optimal
# cooperation." (§1)
#
# **Paper.** §1, §4, and the game Max of Three of §8.1.
#
# **Reads.** Four finished runs in `results/`; they are trained now if they are missing.
#
# **Makes.** The picture of the README, and one to play with.
#
# **Takes.** Seconds with the committed runs; about a minute without them.

# %%
import numpy as np
import pandas as pd
import torch
from IPython.display import HTML, Markdown

from svnr.experiments.catalogue import make_game
from svnr.experiments.specs import grid
from svnr.games.differential import max_of_three
from svnr.report import figures, tables
from svnr.report.playground import landscape, playground
from svnr.report.provenance import Outputs
from svnr.report.words import counted
from svnr.theory.maxent import boltzmann
from svnr.theory.overgeneralization import execute

# %% tags=["parameters"]
n_seeds: int = 5  # runs of SVNR and of SVNR-M
n_episodes: int = 5000  # length of a run
n_points: int = 81  # actions of agent 1 that are looked at
n_partners: int = 20_000  # random pairs of partners for each of them
n_widths: int = 23  # widths of the right hill in the picture to play with
n_alphas: int = 25  # temperatures in it
n_jobs: int = 2  # processes side by side
scale: str = "paper"  # the name of these numbers; `svnr reproduce --scale` sets both
output: str = ""  # folder for figures and results; empty: this repository's own

# %%
outputs = Outputs.of("00_start_here", globals())

# %% [markdown]
# ## A game with a trap
#
# Three agents each name a number from −10 to 10 and are paid together. There are two hills. The wrong one,
# around (−5, −5, 3), is wide and worth 0. The right one, around (7, 7, −4), is narrow and worth 10. Nobody
# knows where they are. Everybody explores.

# %%
game = make_game("max_of_three_1.5")
best, trap = game.optimum, game.trap
assert game.reward(torch.tensor(best.u)).item() == best.reward == 10
assert abs(game.reward(torch.tensor(trap.u)).item() - trap.reward) < 1e-4

# %% [markdown]
# ## What one agent sees
#
# Take the place of agent 1 and ask of each of your actions: what does it pay *on average*, while your
# partners act at random? And what *could* it pay, if they answered it as well as they can?

# %%
action = torch.linspace(-1, 1, n_points)
partners = 2 * torch.rand(n_partners, 2, generator=torch.Generator().manual_seed(0)) - 1
at_random = torch.cat(
    [action[:, None, None].expand(-1, n_partners, 1), partners.expand(n_points, -1, -1)], -1
)
average = game.reward(at_random).mean(-1)

# %%
ticks = torch.linspace(-1, 1, 81)
answers = torch.cartesian_prod(ticks, ticks)
answered = torch.cat(
    [action[:, None, None].expand(-1, len(answers), 1), answers.expand(n_points, -1, -1)], -1
)
views = pd.DataFrame(
    {
        "action": (10 * action).numpy(),
        "average": average.numpy(),
        "best": game.reward(answered).amax(-1).numpy(),
    }
)
views.loc[[views["average"].idxmax(), views["best"].idxmax()]]

# %% [markdown]
# The two questions have different answers. On average the action near −5 looks best, although the most
# that it can ever earn is 0; the action at 7 looks bad, because random partners nearly always spoil it.
# Each agent drifts to where partners can do the least harm. When all have arrived there, nobody can leave
# alone. That is **relative over-generalization** (RO).
#
# The paper splits it in two. *Perceived* RO (PRO): while training, agents believe in partners that are not
# the best ones. *Executed* RO (ERO): at execution, agents draw their actions apart from each other and miss.
#
# ## What negotiation does
#
# In SVNR an agent's action is a function of its own random noise *and of the noise of the agents it listens
# to*. Partners' random moves are then no disturbance to be averaged over, but something to answer. SVNR-M
# is the same method with nobody listening.
#
# **What to expect.** SVNR-M goes where the average points, and stays. SVNR leaves.

# %%
specs = grid(["max_of_three_1.5"], ["svnr", "svnr_m"], n_seeds, n_episodes)
runs = outputs.finished(specs)

# %%
outputs.figure(
    figures.training.relative_overgeneralization(
        views, tables.curves(runs), best.reward, trap.reward
    ),
    "hero",
    "README's picture",
    runs,
    note="SVNR against SVNR-M on Max of Three, s₂ = 1.5",
)

# %%
tables.per_game(tables.scores(runs), "shared")

# %%
Markdown(f"What 1,000 test episodes pay, as mean ± deviation over {counted(n_seeds, 'seed')}.")

# %% [markdown]
# ## What they learned to do
#
# A run keeps samples of the joint policy that its agents perceive after training. Here are their medians, in the game's
# units. [18 · Your own game](18_your_own_game.ipynb) brings a trained team back in two lines and lets its agents act alone.

# %%
agents = [np.round(10 * np.median(run.perceived[0].astype(float), axis=0), 1) for run in runs]
pd.DataFrame(
    agents,
    columns=["u₁", "u₂", "u₃"],
    index=[f"{r.spec.learner}, seed {r.spec.seed}" for r in runs],
)

# %% [markdown]
# ## A picture to play with
#
# What *should* a team do that must not yet be sure? Many methods here, SVNR too, aim at the **Boltzmann policy** π*_α ∝
# exp(reward/α): every joint action, and the better ones more often. The *temperature* α says how much more often, and
# falls while they train. Drag it down.
#
# **What to expect.** Hot, the policy lies about the box, and the wide hill holds more of it, unless the right one is
# about as wide. Cold, the right hill holds nearly all, however narrow it is. Between them lies a border, α_c. The highest point never moves; what changes sides is
# how much of the policy stands around it.
#
# It can be acted out in three ways. *Shared*: one joint action is drawn for all. *Independent*: each draws its own part.
# *Greedy*: all take the likeliest joint action. Independent draws mix the hills, and a team with one foot on each stands
# in the valley. All numbers are exact, and there is no learning in this picture.

# %%
land = landscape(n_widths, n_alphas)
HTML(playground(land, width=1.5, alpha=10.0))

# %%
row = abs(land.widths - 1.5).argmin()
width, missed = land.widths[row], land.earned["shared"][row] - land.earned["independent"][row]
worst = missed.argmax()
figure = figures.play.boltzmann_sides(
    land, width, "As it cools, the policy changes hills; who draws apart falls between them"
)
label = "The picture to play with, where nothing moves"
outputs.figure(figure, "play_boltzmann", label, note="exact, on Max of Three")

# %% [markdown]
# The same by hand, on a coarse grid of joint actions, at one width and temperature:

# %%
at = abs(land.alphas - 3.0).argmin()
middles = (torch.arange(32) + 0.5) / 16 - 1
joint_actions = torch.stack(torch.meshgrid(middles, middles, middles, indexing="ij"), -1)
rewards = max_of_three(width).reward(joint_actions).double().numpy()
for way in ("shared", "independent"):
    by_hand = (execute(boltzmann(rewards, land.alphas[at]), way) * rewards).sum()
    assert abs(by_hand - land.earned[way][row, at]) < 0.1

# %%
Markdown(
    f"**Finding.** At s₂ = {width:g} each hill holds half at α_c = {land.border[row]:.1f}. At α = {land.alphas[worst]:g} "
    f"the right hill holds {land.mass[row, worst]:.0%}; a shared draw earns {land.earned['shared'][row, worst]:.1f} there, "
    f"independent ones {land.earned['independent'][row, worst]:.1f}; "
    f"at α = {land.alphas[0]:g} the two are {missed[0]:.2f} apart."
)

# %% [markdown]
# ## The map
#
# | notebook | question |
# |---|---|
# | [01 · Definitions](01_definitions.ipynb) | what exactly are PRO, ERO and consistent reasoning? |
# | [02 · Payoff matrices](02_payoff_matrices.ipynb) | which kind of reasoning falls where, and why? |
# | [03 · Particles](03_particles.ipynb) | what does SVGD do to a cloud of points? |
# | [04 · Negotiation](04_negotiation.ipynb) | when do rounds of negotiation end in the optimal joint policy? |
# | [05 · Policy iteration](05_policy_iteration.ipynb) | does it converge, exactly? |
# | [06 · Amortised negotiation](06_amortised_negotiation.ipynb) | how does one network replace K rounds? |
# | [07 · The other methods](07_other_methods.ipynb) | what do MADDPG, MASQL, PR2, ROMMEO and the lenient learners do, line by line? |
# | [08 · Two Modalities](08_two_modalities.ipynb) | does the perceived policy keep both optima? |
# | [09 · Max of Three](09_max_of_three.ipynb) | does execution leave the wide wrong hill? |
# | [10 · Particle Gather](10_particle_gather.ipynb) | is it the same trap over several steps, from any side? |
# | [11 · Negotiation sets](11_negotiation_sets.ipynb) | which sets matter; how many particles? |
# | [12 · Tuned alike](12_tuned_alike.ipynb) | who leaves the trap when all get the same budget? |
# | [13 · Where it breaks](13_where_it_breaks.ipynb) | up to which width and how many agents, and what moves the border? |
# | [14 · Many agents](14_many_agents.ipynb) | up to fifty agents: whom must each of them listen to? |
# | [15 · Methods for robots](15_methods_for_robots.ipynb) | and QMIX, FACMAC, MAPPO, MMQ and HASAC? |
# | [16 · Multi-agent MuJoCo](16_multi_agent_mujoco.ipynb) | does negotiation pay where agents are the joints of one body? |
# | [17 · Scoreboard](17_scoreboard.ipynb) | what was reproduced, and what was not? |
# | [18 · Your own game](18_your_own_game.ipynb) | how do I bring mine? |
# | [19 · Appendix: Particle Gather from a fixed start](19_gather_settings.ipynb) | what does each setting change there? |
#
# ## Adapt this
#
# Change the name in `make_game` and in `grid` to `max_of_three_3.0`: the hill is wider. Who falls now?
#
# ## Exercises
#
# 1. Draw `views` for agent 3. Is its view as misleading?
# 2. How narrow must the *wrong* hill be before the average points to the right one?
#
# ## In one paragraph
#
# Exploring partners make the best joint action look bad, so agents that average over them settle for less.
# Agents that answer each other's noise need not. Next: [01 · Definitions](01_definitions.ipynb).
