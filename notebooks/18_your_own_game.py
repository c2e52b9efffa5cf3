# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 18 · Your own game
#
# **Question.** How do I bring my game, and how do I see whether it over-generalizes?
#
# **Claim.** A new game is one class: of one step with one method, of several with two. All learners take either, but MMQ, which wants several steps; the theory and the particles
# take what has one.
#
# **Paper.** None of it: this is the notebook to copy.
#
# **Reads.** One trained team in `results/`.
#
# **Makes.** Training curves of Stein variational negotiated reasoning (SVNR), MADDPG and MASQL on a new game, its perceived
# and executed over-generalization (PRO, ERO), particles negotiated on it, a game of several steps, and a PettingZoo environment as a game.
#
# **Takes.** About a minute on one core.

# %%
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown

from svnr.experiments import evaluate
from svnr.experiments.catalogue import make_game
from svnr.experiments.specs import TrainSettings, run_spec
from svnr.experiments.store import trained
from svnr.experiments.train import train
from svnr.games.check import check_game
from svnr.games.game import Game, OneShotGame, Outcome
from svnr.games.gather import GatherSettings, best_team
from svnr.games.gather_env import GatherParallelEnv
from svnr.games.parallel import ParallelGame
from svnr.learners.maddpg import MADDPG, MADDPGSettings
from svnr.learners.masql import MASQL, MASQLSettings
from svnr.learners.svnr import SVNR, SVNRSettings
from svnr.report import figures, tables, words
from svnr.report.provenance import Outputs
from svnr.report.statistics import smooth
from svnr.sets import none, strict
from svnr.stein.negotiation import negotiate
from svnr.stein.svgd import boltzmann_score, pre_tanh
from svnr.theory import maxent, overgeneralization

# %% tags=["parameters"]
n_episodes: int = 2000  # length of each live run
n_seeds: int = 1  # live runs of each learner
n_trained: int = 5000  # episodes of the run whose team is brought back
n_rounds: int = 1000  # rounds of negotiation with plain particles
scale: str = "paper"  # the name of these numbers; `svnr reproduce --scale` sets both
output: str = ""  # folder for figures and results; empty: this repository's own

# %%
torch.set_num_threads(1)
outputs = Outputs.of("18_your_own_game", globals())

# %% [markdown]
# ## 1. Write the game
#
# Two rowers in a boat. Each chooses an effort from 0 to 1. At full effort together they reach the island, worth 10.
# Drifting together they end on a sandbank, worth 4. If one pulls harder than the other, the boat turns.
#
# A game of one step needs a name, the number of coordinates of each agent, and `reward`, which takes joint actions in
# [−1, 1] of any leading shape and must be differentiable if particles are to climb it.


# %%
class Rowers(OneShotGame):
    """Reach the island together (10), or drift to the sandbank (4)."""

    name = "rowers"
    action_sizes = (1, 1)
    optimum = Outcome((1.0, 1.0), 10.0)
    trap = Outcome((-1.0, -1.0), 4.0)

    def reward(self, u):
        """The sandbank is wide, the island narrow, and pulling apart costs."""
        effort = (u + 1) / 2
        apart = (effort[..., 0] - effort[..., 1]).square()
        drift = 4 - 6 * effort.sum(-1) ** 2
        island = 10 - 60 * (1 - effort).square().sum(-1)
        return torch.maximum(drift, island) - 20 * apart


# %% [markdown]
# `check_game` plays it and says in words what is wrong, if anything is. Then two scripted teams, one that must win and
# one that must be trapped: the first test to write for any game.

# %%
game = Rowers()
check_game(game)
for outcome in (game.optimum, game.trap):
    assert game.reward(torch.tensor(outcome.u)).item() == outcome.reward

# %% [markdown]
# ## 2. Does it over-generalize?
#
# On a grid the game is finite, and the theory is exact ([01](01_definitions.ipynb)). What does an agent earn on average
# while its partner acts at random, and what with the best answer?

# %%
axis = torch.linspace(-1, 1, 41)
cells = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1)
payoff = game.reward(cells).double().numpy()
views = pd.DataFrame({"partner at random": payoff.mean(1), "partner answering": payoff.max(1)})
views.index = pd.Index(np.round(axis.numpy(), 2), name="action of agent 1")
views.iloc[[0, 10, 20, 30, 40]].round(1)

# %%
best_alone, best_together = views.idxmax()
uniform = np.full(len(axis), 1 / len(axis))
pd.Series(
    {
        "best action, partner at random": best_alone,
        "best action, partner answering": best_together,
        "PRO gap of believing in a random partner, α = 0.5": overgeneralization.pro_gap(
            uniform, payoff, 0.5, 0
        ),
        "exact mass beyond 0.5, both agents, α = 0.5": maxent.boltzmann(payoff, 0.5)[
            30:, 30:
        ].sum(),
    }
).round(2)

# %%
assert best_alone < 0 < best_together  # less than half an effort, and more
gap = overgeneralization.pro_gap(uniform, payoff, 0.5, 0)
text = (
    f"**Finding.** With a random partner the best action is {best_alone:.2f}, with the best answer {best_together:.2f}: the one "
    "who looks at averages pulls little. That is relative over-generalization, and the belief behind it is "
    f"{gap:.1f} nats away from the best one."
)
Markdown(words.minus(text))

# %% [markdown]
# ## 3. Negotiate with particles
#
# **What to expect.** A particle climbs the hill that it begins on. So of those that know each other some end on each; of those
# with empty sets fewer reach the island, as the average leads away from it.

# %%
score = pre_tanh(boltzmann_score(game.reward, 0.5))
size = sum(game.action_sizes)
begin = 1.5 * torch.randn(20, 32, size, generator=torch.Generator().manual_seed(0))
ends = {
    name: torch.tanh(negotiate(begin, score, topology(game.n_agents), n_rounds, 0.05)[-1])
    for name, topology in (("strict", strict), ("empty", none))
}
negotiated = pd.DataFrame(
    {
        name: {
            "particles at the island": (u > 0.5).all(-1).float().mean().item(),
            "best particle's reward": game.reward(u).amax(1).mean().item(),
        }
        for name, u in ends.items()
    }
)
negotiated.round(2)

# %%
island, best = negotiated.iloc[0], negotiated.iloc[1]
Markdown(
    f"**Finding.** With strict sets {island['strict']:.0%} of the particles end at the island, with empty ones "
    f"{island['empty']:.0%}; the best of a cloud earns {best['strict']:.2f} and {best['empty']:.2f}."
)

# %% [markdown]
# ## 4. Train
#
# Any learner takes any game, but for MMQ, which wants several steps. `train` yields one record an environment step and prints nothing, so what you keep is up to you.
#
# Temperatures are in the payoff's units. Three phases, the default, end at 0.3 whatever `alpha_final` is, which suits what
# pays about 10; where less is at stake, `schedule="geometric"` and an `alpha_final` of a thirtieth of it.


# %%
LEARNERS = {
    "svnr": (SVNR, SVNRSettings(batch_size=128)),
    "maddpg": (MADDPG, MADDPGSettings(batch_size=128, n_rows=128)),
    "masql": (MASQL, MASQLSettings(batch_size=128)),
}


def run(name, seed):
    """Train one learner; its curve, and what it earns and perceives at the end."""
    learner_class, settings = LEARNERS[name]
    learner = learner_class(game, settings, seed)
    records = train(game, learner, TrainSettings(length=n_episodes), seed)
    reward = smooth(np.array([record.reward[0] for record in records]), window=100)
    curve = pd.DataFrame({"episode": range(n_episodes), "reward": reward})[::10]
    gaps = evaluate.over_generalization(game, learner, 500, seed, alpha=0.5)
    ends = {"greedy": evaluate.returns(game, learner, "greedy", 100, seed).mean()}
    ends |= {gap.upper(): values.max() for gap, values in gaps.items()}
    return curve.assign(game=game.name, learner=name, seed=seed), ends


live = {(name, seed): run(name, seed) for name in LEARNERS for seed in range(n_seeds)}

# %%
ended = pd.DataFrame({key: ends for key, (_, ends) in live.items()}).T
ended = ended.rename_axis(["learner", "seed"])
there = (ended["greedy"] > 7).groupby("learner", sort=False).mean() > 0.5
reach = words.listed(tables.TITLES[name] for name, reaches in there.items() if reaches)
curves = pd.concat([curve for curve, _ in live.values()])
outputs.figure(
    figures.training.training_curves(
        curves,
        {game.name: "Rowers"},
        f"Rowers: the island is reached by {reach}",
        10,
        4,
        "sandbank",
    ),
    "your_own_game",
    "A game of your own",
    note="two rowers; SVNR, MADDPG and MASQL, live",
)

# %%
ended.style.format("{:.2f}")

# %%
beliefs = ended["PRO"].groupby("learner", sort=False).mean()
Markdown(
    f"**Finding.** Of {words.counted(n_seeds, 'seed')} each, at the island (above 7, half of the way from 4 to 10): "
    f"{reach}. PRO gaps in nats: "
    + "; ".join(f"{tables.TITLES[name]} {gap:.2f}" for name, gap in beliefs.items())
    + "."
)

# %% [markdown]
# ## 5. A team that was trained before
#
# Trained learners can be kept beside their runs. Two lines bring one back, here SVNR's team from notebook 09; where none
# was kept it is trained now. Its three agents then act alone, with one seed in common and no messages.

# %%
team = trained(run_spec("max_of_three_1.5", "svnr", n_episodes=n_trained), outputs.results)
agents = [team.agent(index, seed=7) for index in range(3)]
max_of_three = make_game("max_of_three_1.5")
start = max_of_three.reset(1000, seed=0)
u = torch.cat([agent.act(start) for agent in agents], -1)
max_of_three.reward(u).mean()

# %% [markdown]
# From a shell `svnr train max_of_three_1.5 svnr --keep` keeps it. Of a learner that `train` taught, `torch.save(learner.policy_dict(),
# file)` keeps what acting needs, and `load_state_dict` of a new one takes it.
#
# ## 6. A game of several steps
#
# Two agents lift a bar, one at each end. High and level it pays 5; where it tilts it falls, and costs 1. `_begin` says what
# `copies` of the game start from, `_play` what an action leads to, for those that are `running`, and which "terminated". Whatever a copy remembers, chance that was drawn for it
# included, is a tensor with a row a copy that `_begin` names: copies end and begin at different times, and the class
# itself knows nothing of them.


# %%
class Lift(Game):
    """Lift a bar together: 5 where both ends are up, −1 where it tilts, −0.01 a step."""

    name, action_sizes, state_size, horizon = "lift", (1, 1), 4, 20
    return_bounds = (-1.2, 5.0)  # of what can still be earned, so that no critic hopes for more

    def _begin(self, copies, seed):
        draws = torch.Generator().manual_seed(seed)
        ground = 0.1 * torch.rand(len(copies), 2, generator=draws)
        return {"state": torch.cat([ground, torch.zeros_like(ground)], -1)}

    def _play(self, now, u, running):
        heights, speeds = now["state"].split(2, -1)
        speeds = 0.5 * speeds + 0.15 * u
        heights = (heights + speeds).clamp(min=0)
        tilted = (heights[:, 0] - heights[:, 1]).abs() > 0.5
        up = (heights > 0.9).all(-1) & ~tilted
        after = {"state": torch.cat([heights, speeds], -1), "terminated": up | tilted}
        return 5.0 * up - 1.0 * tilted - 0.01, after


# %%
lift = Lift()
check_game(lift)


def alike(state):
    """Both push as hard as they can."""
    return torch.ones(len(state), 2)


def one_alone(state):
    """The other does nothing."""
    return torch.tensor([1.0, 0.0]).expand(len(state), -1)


ways = {team.__name__: evaluate.play(lift, team, 20, 0).returns for team in (alike, one_alone)}
assert ways["alike"].min() > 4.9 > 0 > ways["one_alone"].max()

# %% [markdown]
# A game with states wants other settings than one of a single step; notebook [19](19_gather_settings.ipynb), section 2,
# shows what each of them does. `svnr train` and `run_spec` give a game of your own those that all of ours with states share. Here Particle
# Gather's are a start: four updates an episode, a quarter of a batch from rows that paid, a discount of 0.8, for games of few steps, and a temperature that
# falls to 0.03, as what is earned is spread over steps. (Not every seed learns it in so few episodes.) From a shell they are `--set schedule=geometric
# alpha_final=0.03 episode_updates=4 rewarded_share=0.25 discount=0.8 learning_rate=0.003`.

# %%
learner = SVNR(lift, run_spec("particle_gather", "svnr").settings, seed=0)
records = list(train(lift, learner, TrainSettings(length=max(4, n_episodes // 10)), seed=0))
reward, over = (np.array([getattr(r, part)[0] for r in records]) for part in ("reward", "over"))
episodes = np.add.reduceat(reward, [0, *np.flatnonzero(over)[:-1] + 1])  # what each earned
lifted = evaluate.returns(lift, learner, "greedy", 100, 0) > 0
Markdown(
    f"**Finding.** After {len(episodes)} episodes, one seed, SVNR's team lifts the bar in {lifted.mean():.0%} of its tests; in training it "
    f"did in {(episodes > 0).mean():.0%} of the episodes."
)

# %% [markdown]
# ## 7. A PettingZoo environment
#
# Any `ParallelEnv` with continuous actions and one shared reward is a game in one line. Here it is Particle Gather, which
# opens as such an environment, with a scripted team; with `mpe2` it would be
# `ParallelGame(lambda: simple_spread_v3.parallel_env(local_ratio=0, continuous_actions=True), horizon=25)`.

# %%
gather = ParallelGame(GatherParallelEnv, horizon=25, use_env_state=True)
check_game(gather)
team = best_team(GatherSettings())
state, total = gather.reset(5, seed=0), torch.zeros(5)
for _ in range(gather.horizon):
    step = gather.step(team(state))
    state, total = step.state, total + step.reward
total

# %% [markdown]
# The state is the environment's own; without `use_env_state` it is what all agents observe, side by side. What cannot be
# played is refused with the reason: discrete actions, rewards that differ, agents that come and go. One that is named in
# a shell is cut off after 1,000 steps, if it does not end before; a function that returns `ParallelGame(…, horizon=25)` is named as well. Four
# episodes show only that all fits together; learning takes some thousands.

# %%
gather.return_bounds = (-2.0, 5.0)
learner = SVNR(gather, run_spec("particle_gather", "svnr").settings, seed=0)
records = list(train(gather, learner, TrainSettings(length=4), seed=0))
len(records), sum(int(record.over[0]) for record in records)

# %% [markdown]
# ## Against the paper
#
# Nothing to hold this against. The paper's own games are the classes in `svnr/games`, some seventy lines each.
#
# ## Adapt this
#
# Copy this notebook, give it another name in `Outputs.of`, too, and change the class. What else knows the rowers: section 2 (a grid for two agents of one coordinate, its
# `assert`, and the island's edge at 0.5, in section 3 too), the words of the Findings, and, where an agent has several numbers, section 3
# (`negotiate` wants `action_sizes`) and section 4 (PRO and ERO are measured where each has one). To keep its runs in `results/`, put the class into
# a file, with `import torch` and `from svnr.games.game import Game, OneShotGame, Outcome` above it, and name the game by
# where it is: `svnr train my_game.py:Rowers svnr`, or `run_spec("my_game.py:Rowers", "svnr")`; the package need not be
# touched. What makes a PettingZoo environment can be named in the same way. Of a class in a file that file alone is part of a run's key: after a
# change in what it imports, count up its `version`.
#
# `kept(grid(["my_game.py:Rowers"], ["svnr"], 5), outputs.results)`, with `kept` of `svnr.experiments.store` and `grid` of
# `svnr.experiments.specs`, are the runs of it that there are, and `tables.curves` of them the curves for the figure of section 4.
#
# ## Exercises
#
# 1. Make the island narrower (60 → 200). Who still reaches it?
# 2. Give the boat three rowers: `action_sizes = (1, 1, 1)`. What else must change?
# 3. Keep the heights of `Lift` in `self` in place of the state that `_begin` returns. What does `check_game` say?
#
# ## In one paragraph
#
# A game is a class with a reward, or with a beginning and a step. `check_game` says whether it can be played, a grid says whether it over-generalizes,
# particles say what negotiation could do, and the learners say what they do. Back to
# [00 · Start here](00_start_here.ipynb).
