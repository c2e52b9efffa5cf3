# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 07 · The other methods
#
# **Question.** What does each of the methods that Stein variational negotiated reasoning (SVNR) is held against take its
# partners to do, and where does that lead it?
#
# **Claim.** "Then each agent updates its policy based on the modeled behaviors of others and these methods empirically
# mitigate RO in simple tasks" (§2).
#
# **Paper.** §2, §4 and §8, and the methods' own papers. Methods for robots: [15](15_methods_for_robots.ipynb).
#
# **Reads.** Finished runs in `results/`; whatever is missing is trained now and kept there.
#
# **Makes.** Six methods in a few lines each, why PR2 stays in the trap of Max of Two, all of them there, and four in
# the climbing game.
#
# **Takes.** One minute with the committed runs; about a minute a run and core without them.

# %%
import math
from functools import partial

import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown
from torch.distributions import Normal, TanhTransform, TransformedDistribution

from svnr.experiments.catalogue import learner_class, make_game, resolved
from svnr.experiments.specs import TrainSettings, grid
from svnr.experiments.train import train
from svnr.games.differential import max_of_two
from svnr.learners.losses import soft_value_printed, stein_direction
from svnr.learners.memory import Transitions
from svnr.report import figures, tables, words
from svnr.report.provenance import Outputs

torch.set_num_threads(1)

# %% tags=["parameters"]
n_seeds: int = 1  # runs of each kind, seeds 0 to n_seeds − 1
n_episodes: int = 5000  # length of a run (paper: 5000)
n_tries: int = 1000  # length of the three live runs of PR2
n_jobs: int = 2  # processes side by side
scale: str = "paper"  # the name of these numbers; `svnr reproduce --scale` sets both
output: str = ""  # folder for figures and results; empty: this repository's own

# %%
outputs = Outputs.of("07_other_methods", globals())


def small(name, **changes):
    """A new learner of two agents with networks of eight units."""
    told = resolved(name, "max_of_two", {"hidden": (8, 8), **changes})
    return learner_class(name)(make_game("max_of_two"), told, seed=0)


draws = torch.Generator().manual_seed(0)
state, u = torch.randn(5, 1, generator=draws), 2 * torch.rand(5, 2, generator=draws) - 1
alpha = 0.1  # five rows of a replay, as if it were a game of states; and a temperature

# %% [markdown]
# ## 1. MADDPG: partners do what they did
#
# Multi-agent deep deterministic policy gradient (MADDPG): each agent has an actor μ_i and a critic Q_i of the joint action, and climbs
#
# > ∇J(θ_i) = E[∇μ_i(s) ∇_{u_i} Q_i(s, u_1, …, u_N) at u_i = μ_i(s)] (Lowe et al. 2017, (5))
#
# where the others' actions come from the replay. Its ρ_i is the history of how its partners explored. A good hill that
# they rarely met weighs little in it, and is bad on average beside all they did instead: over-generalization enters by
# what is *perceived*.

# %%
learner = small("maddpg")
own = learner.actors(state)  # [N, B, D]: μ_i in agent i's coordinate
gain = torch.zeros(())
for i in range(2):
    for b in range(5):
        joint = u[b].clone()
        joint[i] = own[i, b, i]  # its own new action, the other's old one
        gain += learner.critic(state[b : b + 1], joint[None])[i, 0] / 5
assert torch.allclose(learner.gain(state, own, u), gain)

# %% [markdown]
# ## 2. MASQL: partners draw from my own joint policy
#
# > "MASQL [37] lets each agent model the behavior of others as the induced behaviors of its joint Q function." (§2)
#
# Multi-agent soft Q-learning (MASQL): agent i learns π_i(u | s) ∝ exp(Q_i(s, u) / α) over *joint* actions (Wei et al. 2018), by the particles of
# [06](06_amortised_negotiation.ipynb) with one kernel on all coordinates, and its value is α log ∫ exp(Q_i / α) du. Of
# the joint action that it draws it executes its own part. What it perceives is right where Q_i is. But the others draw
# too, with noise of their own: with two optima they meet by chance. Over-generalization enters by what is *executed*.


# %%
def stein_by_hand(fixed, moved, q):
    """Where particles z, u = tanh(z), are to go, pair by pair, for log p = q(u) / α on the box."""
    z = fixed.clone().requires_grad_(True)
    u = torch.tanh(z)
    log_p = q(u) / alpha + torch.log(1 - u.square()).sum(-1)
    (score,) = torch.autograd.grad(log_p.sum(), z)
    apart = fixed[:, None] - moved[None]
    distances = apart.square().sum(-1)
    h = max(1e-3, distances.flatten().median() / math.log(len(fixed)))
    phi = torch.zeros_like(moved)
    for m in range(len(moved)):
        for x in range(len(fixed)):
            kernel = torch.exp(-distances[x, m] / h)
            phi[m] += kernel * (score[x] - 2 / h * apart[x, m]) / len(fixed)
    return phi


# %%
learner, origin = small("masql"), torch.zeros(6, 1)
fixed, moved = (torch.randn(2, 6, 2, generator=draws) for _ in "xy")  # six particles an agent
slope = partial(learner.critic.action_gradient, origin)
fast = stein_direction(fixed, moved, slope, alpha, learner.mask, "pre_tanh")
imagined = learner.perceive(state, 1).squeeze(2)  # [N, B, D]: a joint action of each agent
for i in range(2):
    slow = stein_by_hand(fixed[i], moved[i], lambda u, i=i: learner.critic(origin, u)[i])
    assert torch.allclose(fast[i], slow, atol=1e-4)
    assert torch.equal(learner.executed(imagined)[:, i], imagined[i, :, i])

# %% [markdown]
# ## 3. PR2: partners answer me
#
# > "PR2 [38] lets each agent model others as playing the best response to its action selection." (§2)
#
# Probabilistic recursive reasoning (PR2): a model of the answer, ρ_i(u_−i | s, u_i) ∝ exp(Q_i(s, u_i, u_−i) / α), is moved as in section 2, given u_i. An actor
# climbs what its own action is then worth (Wen et al. 2019, §4):
#
# > Q_i(s, u_i) = α log ∫ exp(Q_i(s, u_i, u_−i) / α) du_−i
#
# The mean over partners has become nearly a maximum. But nobody answers: partners act at once, and each on its own idea
# of who answers whom.

# %%
learner = small("pr2", n_particles=6)
before = learner.state_dict()
answered = learner.perceive(state, 3)  # [N, B, 3, D]: what it means to do beside three answers
learner.load_state_dict(before)  # and so the same noise again
gain = torch.zeros(())
for i in range(2):
    for b in range(5):
        q = learner.critic(state[b].expand(3, 1), answered[i, b])[i]
        gain += alpha * torch.log(torch.exp(q / alpha).mean()) / 5
assert torch.allclose(learner.gain(state, learner.actors(state), alpha), gain, atol=1e-5)

# %% [markdown]
# ## 4. ROMMEO: partners do what helps, within what they are known for
#
# > "In ROMMEO [34], each agent models the behaviors of others as the entropy regularized behaviors." (§2)
#
# A regularized opponent model with a maximum entropy objective (ROMMEO): a prior P_i is fitted to the partners' latest actions. The model ρ_i(u_−i | s) may move from it as far as Q_i pays for
# the divergence, and π_i(u_i | s, u_−i) answers what ρ_i imagines; both go down (Tian et al. 2019, §3)
#
# > E[log ρ_i(u_−i | s) − log P_i(u_−i | s) − Q_i(s, u) + α log π_i(u_i | s, u_−i)]
#
# So a hill that the team does not visit costs log P_i to imagine. And all are Gaussians, which hold one hill at a time.


# %%
def squashed(out):
    """The distribution of u = tanh(z), z normal with the mean and log σ that a network gave."""
    mean, log_std = out.chunk(2, -1)
    return TransformedDistribution(Normal(mean, log_std.exp()), TanhTransform())


learner = small("rommeo", n_samples=4)
before = learner.state_dict()
imagined = learner.perceive(state, 4)  # [N, B, 4, D]
learner.load_state_dict(before)
(models, policies), priors, loss = learner.reasoning.net, learner.priors.net, torch.zeros(())
for i, j in ((0, 1), (1, 0)):  # agent i imagines what agent j does
    for b in range(5):
        rho, prior = (squashed(net(state.expand(2, 5, 1))[i, b]) for net in (models, priors))
        for joint in imagined[i, b]:
            seen = torch.cat([state[b], joint])
            seen[1 + i] = 0.0  # the state and the other's action, and none of its own
            pi = squashed(policies(seen.expand(2, 1, 3))[i, 0])
            q = learner.critic(state[b : b + 1], joint[None])[i, 0]
            divergence = (rho.log_prob(joint) - prior.log_prob(joint))[j]
            loss += (divergence - q + alpha * pi.log_prob(joint)[i]) / 20
assert torch.allclose(learner.reasoning_loss(state, alpha), loss, atol=1e-3)

# %% [markdown]
# ## 5. Hysteretic learning: partners may have erred
#
# Agent i knows its own action only, as if it were alone. A result worse than expected may be a partner's doing, and
# moves it by less (Matignon et al. 2007): with δ = r − Q_i and a small
# step λ, Q_i ← Q_i + λ δ if δ ≥ 0, else Q_i + λ β δ. With β = 1 it learns the mean over
# partners, with β = 0 the best that ever happened, by luck too.

# %%
learner, reward = small("hysteretic", rate=0.3), torch.randn(5, generator=draws)
q = learner.critic(state, u)  # [N, B]: each sees its own coordinate alone
loss = 0.0
for i in range(2):
    for b in range(5):
        delta = (reward[b] - q[i, b]).item()
        loss += (1.0 if delta >= 0 else 0.3) * 0.5 * delta**2 / 5
fast = learner.critic.learn(state, u, reward, partial(learner.weights, note=torch.zeros(0)))
assert math.isclose(fast, loss / 2, rel_tol=1e-5)

# %% [markdown]
# ## 6. Lenient learning (L-MADRL): at first, partners always erred
#
# Every action has a temperature T that cools with each visit, and a bad result is ignored with probability
#
# > l(s, u_i) = 1 − exp(−K · T(s, u_i)) (Palmer et al. 2018, (6))
#
# where K says how lenient it is, so that an agent starts as an optimist and ends with means. Table 1 calls it L-MADRL. Discrete in its own paper; bins of a continuous action are our
# form. If T cools before the partners have settled, the mean it ends with is that over their exploration.

# %%
learner = small("lenient", n_bins=4, cooling=0.9)
K, T = learner.settings.leniency, {}
never = torch.zeros(5, dtype=torch.bool)
for _ in range(3):  # the same five plays, three times
    fast = learner.note(Transitions(state, u, reward, state, never, never))
    bins = [(i, int((u[b, i] + 1) / 2 * 4)) for b in range(5) for i in range(2)]
    slow = [1 - math.exp(-K * T.get(place, 1.0)) for place in bins]
    assert torch.allclose(fast.flatten(), torch.tensor(slow), atol=1e-6)
    for place in bins:
        T[place] = 0.9 * T.get(place, 1.0)
kept = learner.weights(torch.full((2, 4000), -1.0), torch.full((4000, 2), 0.75))
assert abs(kept.mean() - 0.25) < 0.02 and learner.weights(torch.ones(2, 1), fast[:1]).all()

# %% [markdown]
# ## 7. Max of Two
#
# MASQL, PR2 and ROMMEO were all tried on this game (Wei et al. 2018). Two agents, actions from −10 to 10:
#
# > r = max(g_1, g_2), g_1 = 0.8 [−((u_1 + 5)/3)² − ((u_2 + 5)/3)²], g_2 = −(u_1 − 5)² − (u_2 − 5)² + 10
#
# **What to expect.** By these papers, MADDPG ends at 0, MASQL, PR2 and ROMMEO get to 10. A public report says of PR2's
# own code that it stays at 0, and a second reader confirms it (issue 25 of ROMMEO's repository, sii-yingwen/rommeo, which
# holds PR2 too).

# %%
METHODS = ["svnr", "maddpg", "masql", "pr2", "rommeo", "hysteretic", "lenient"]
runs = outputs.finished(grid(["max_of_two"], METHODS, n_seeds, n_episodes))
most = tables.at_optimum(tables.scores(runs), "training")["most"].droplevel("game")
stays = words.listed(tables.TITLES[name] for name in METHODS if not most[name])
title = f"{stays} end at the wrong hill of Max of Two"
curves = figures.training.training_curves(tables.curves(runs), {"max_of_two": ""}, title, 10, 0)
outputs.figure(curves, "max_of_two", "Max of Two", runs, "the classic of this family of methods")

# %% [markdown]
# ## 8. Why PR2 stays
#
# What would an actor climb if its critic were right? The sum over answers can be written out: α log E exp(r / α), with
# answers spread over the box. The one state is 0 and biases begin at 0, and so do the actors; in its paper they do, too.


# %%
def worth(own, alpha, game):
    """What PR2's actor climbs, exactly, at own actions [...] in the game's units."""
    both = torch.broadcast_tensors(own.unsqueeze(-1) / 10, torch.linspace(-1, 1, 2001))
    return soft_value_printed(game.reward(torch.stack(both, -1)), alpha)


def around_the_start(form, alpha):
    """The slope at 0, and the lowest point between the hills: uphill to the right begins there."""
    zero, between = torch.zeros((), requires_grad=True), torch.linspace(-5, 5, 1001)
    (slope,) = torch.autograd.grad(worth(zero, alpha, max_of_two(form)), zero)
    lowest = between[worth(between, alpha, max_of_two(form)).argmin()]
    return {"slope at 0": slope.item(), "right begins at": lowest.item()}


cases = [(form, alpha) for form in ("printed", "code") for alpha in (0.3, 1.0, 10.0, 100.0)]
exact = pd.DataFrame({case: around_the_start(*case) for case in cases}).T
exact.rename_axis(["payoff", "α"]).round(2)

# %%
slopes, borders = exact["slope at 0"]["printed"], exact["right begins at"]["printed"]
assert np.allclose(slopes, -8 / 9, atol=1e-4)
hidden = torch.stack(torch.broadcast_tensors(torch.zeros(1), torch.linspace(-1, 1, 2001)), -1)
assert not max_of_two().pays_most(hidden).any()
Markdown(
    f"**Finding.** At 0 the slope is −8/9 at every temperature: there the right hill pays for no answer "
    "whatever, so that with any model of the partner, right or wrong, all that is seen is the wrong one. Reasoning does "
    f"lead right whoever stands beyond {borders.max():.1f}, whatever the partner does; but an actor that climbs begins "
    "on the other side."
)

# %% [markdown]
# **What to expect.** If this is the reason, more exploration will not make a team of them, not even when the critic has
# seen the right hill; a better start will, without any exploration more. (*As set* is with the settings that all runs here have, before
# any search: [12](12_tuned_alike.ipynb).)


# %%
def play(start=0.0, name="max_of_two", **changes):
    """PR2 whose actors begin at `start`, in the game's units, and the rewards of a run."""
    game = make_game(name)
    learner = learner_class("pr2")(game, resolved("pr2", name, changes), seed=0)
    for net in (learner.actors.actors.net, learner.actors.actors.target):
        net.biases[-1].data.fill_(math.atanh(start / 10))
    records = train(game, learner, TrainSettings(length=n_tries), seed=0)
    return learner, np.array([record.reward[0] for record in records])


looking = {"noise_scale": 1.0, "exploration_fraction": 0.5, "random_steps": n_tries // 3}
teams = {
    "as set": play(),
    "looks everywhere first": play(**looking),
    "begins at (3, 3)": play(3.0),
    "as set, public code's payoff": play(name="max_of_two_code"),
}


# %%
def learned(learner, own, alpha=0.3):
    """What the agents believe each own action to be worth, in the mean over both."""
    means = [learner.gain(origin, learner.own[:, None] * x / 10, alpha) / 2 for x in own]
    return np.array([mean.item() for mean in means])


# %%
axis, origin = torch.linspace(-10, 10, 81), torch.zeros(1, 1)
ends = {
    name: (10 * learner.act(origin, "greedy")[0]).tolist() for name, (learner, _) in teams.items()
}
tried = (
    pd.DataFrame(
        {
            name: {
                "met the right hill, share of episodes": (rewards > 0).mean(),
                "reward, last 100": rewards[-100:].mean(),
                "actor 1 ends at": ends[name][0],
                "actor 2 ends at": ends[name][1],
                "believed worth of −5": learned(learner, [-5.0]).item(),
                "believed worth of 5": learned(learner, [5.0]).item(),
            }
            for name, (learner, rewards) in teams.items()
        }
    ).round(2)
    + 0.0
)  # and no −0
outputs.table(tried, "pr2_max_of_two", "PR2 on Max of Two")

# %%
earned, looked = tried.loc["reward, last 100"], tried["looks everywhere first"]
is_start = earned[looked.name] < 5 < earned["begins at (3, 3)"]
crossed = sum(end > 0 for end in ends[looked.name])
beliefs = {name: learned(learner, axis) for name, (learner, _) in [*teams.items()][:3]}
outputs.figure(
    figures.policies.own_actions(
        pd.DataFrame({"exact": worth(axis, 0.3, max_of_two()), **beliefs}, axis.numpy()),
        {name: ends[name] for name in beliefs},
        f"PR2: to know the right hill brought {('none', 'one', 'both')[crossed]} of two actors over, a near start both"
        if is_start
        else "What PR2 believes, by what it saw and where it began",
        dict(zip(beliefs, (0.0, 0.0, 3.0), strict=True)),
    ),
    "pr2_own_actions",
    "What PR2 believes its own action to be worth",
    note=f"α = 0.3, {n_tries} episodes, one run each; dots: where the two actors ended",
)

# %%
one, other = ends["looks everywhere first"]
apart = ", each waiting for an answer that the other does not give" if one * other < 0 else ""
told = "These runs are too short to tell why."
if is_start:
    told = f"So what was seen brought {('no', 'one', 'both')[crossed]} of its actors over; only the better start made a team."
text = (
    f"**Finding.** As set PR2 earns {earned['as set']:.2f}. If it looks everywhere first, it believes 5 to be worth "
    f"{looked['believed worth of 5']:.1f} and −5 to be worth {looked['believed worth of −5']:.1f}; but its actors end at "
    f"{one:.1f} and {other:.1f}{apart}, and earn {earned[looked.name]:.2f}. If it begins at (3, 3), it earns "
    f"{earned['begins at (3, 3)']:.2f} without any exploration more. {told} With the public code's payoff it earns "
    f"{earned.iloc[3]:.2f}."
)
Markdown(text.replace(" -", " −"))

# %% [markdown]
# PR2's model of the answer is global, its actors' steps are local, each agent's for itself. How its paper got to 10 we
# cannot tell. A public
# version of its code draws the answers for the action in the replay, not for the actor's own, so that no gradient passes
# through them; and it divides by s where the paper prints s². That brings the border nearer to the start, where an error
# of a young critic may carry an actor across, and turns the slope at high temperatures (see the table).

# %% [markdown]
# ## 9. The climbing game
#
# Claus and Boutilier's matrix, on which hysteretic learning (Matignon et al. 2007), lenient learning (Panait et al. 2006)
# and ROMMEO were tried, with a table of three choices. Here
# networks play it, and thirds of [−1, 1] are the choices: the second lies between that of 11 and that of 5.

# %%
CLIMBING = ["maddpg", "rommeo", "hysteretic", "lenient"]
climbed = outputs.finished(grid(["climbing"], CLIMBING, n_seeds, n_episodes))
pd.DataFrame(make_game("climbing").payoff)

# %% [markdown]
# ## Against the papers
#
# What the methods' papers say of these games, ours beside it. A run is at the optimum if its last 100 episodes earn more
# than half of the way from the next best outcome, 0 or 7, to it.

# %%
THEIRS = {
    ("maddpg", "max_of_two"): "trap",
    **dict.fromkeys([(name, "max_of_two") for name in ("masql", "pr2", "rommeo")], "optimum"),
    **dict.fromkeys([(name, "climbing") for name in CLIMBING[1:]], "optimum"),
}
scores = tables.scores(runs + climbed)
at_optimum = tables.at_optimum(scores, "training")
means = scores.groupby(["learner", "game"], sort=False)["training"].mean()
held = pd.DataFrame(
    {
        "their papers": {cell: THEIRS.get(cell, "–") for cell in at_optimum.index},
        "ours, mean": means.round(2) + 0.0,
        "at the optimum": at_optimum.apply(lambda row: f"{row['right']} of {row['n']}", axis=1),
    }
)
held = held.rename(index=tables.TITLES).rename_axis(["method", "game"])
outputs.table(held, "methods_own_papers", "Methods and their own papers", runs + climbed)

# %%
ended = at_optimum["most"].map({True: "optimum", False: "trap"})
differ = [
    f"{tables.TITLES[c[0]]} ({tables.TITLES[c[1]]})" for c in THEIRS if ended[c] != THEIRS[c]
]
Markdown(
    f"**Finding.** Of {len(THEIRS)} statements {len(THEIRS) - len(differ)} come out as printed, "
    f"{'on the one seed' if n_seeds == 1 else f'by the majority of {n_seeds} seeds'}{'; not ' + words.listed(differ) if differ else ''}."
)

# %% [markdown]
# ## Adapt this
#
# Give `play` another start, or other settings of PR2.
#
# ## Exercises
#
# 1. Let PR2 begin at (2, 2), beyond the border. Who answers whom?
# 2. Draw `worth` for Max of Three at s₂ = 3, with both partners answering. Where does uphill to the right begin?
# 3. Let each actor take the *argmax* of what its agent believes. For which of the six does that change anything?
#
# ## In one paragraph
#
# MADDPG takes its partners from the replay, MASQL and PR2 from their own joint Q, ROMMEO from a Q that a prior holds back;
# hysteretic and lenient learners have no model of them, and discount bad results. In none do partners agree. Next:
# [08 · Two Modalities](08_two_modalities.ipynb), most of them at the paper's scale.
