# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 15 · Methods for robots
#
# **Question.** What do the methods that move robots take their partners to do: MAPPO (multi-agent proximal policy
# optimization), QMIX (mixed Q), FACMAC (factored multi-agent centralised policy gradients), MMQ (MaxMax Q-learning) and
# HASAC (heterogeneous-agent soft actor-critic)?
#
# **Claim.** The later version has SVNR ahead of "both general baselines and specialized reasoning methods"; MAPPO, QMIX and FACMAC are the former, MMQ is
# one of the latter, HASAC it does not have. What each takes its partners to do says where it over-generalizes.
#
# **Paper.** The later version's table on multi-agent MuJoCo has the first four; the fifth is the nearest peer beyond it.
#
# **Reads.** Finished runs in `results/`; whatever is missing is trained now and kept there.
#
# **Makes.** Five methods in a few lines each; three of them on QTRAN's matrix, four on Max of Two, beside SVNR (Stein
# variational negotiated reasoning).
#
# **Takes.** Seconds with the committed runs; about a minute a run and core without them.

# %%
import math
from functools import partial

import pandas as pd
import torch
from torch.distributions import Normal, TanhTransform, TransformedDistribution
from torch.nn.functional import elu

from svnr.experiments.catalogue import learner_class, make_game, resolved
from svnr.experiments.specs import grid
from svnr.experiments.store import collect
from svnr.learners.hasac import joint_soft_value
from svnr.learners.mappo import clipped_surrogate, generalised_advantage
from svnr.learners.memory import Transitions
from svnr.learners.mmq import pinball_slope
from svnr.networks.argmax import cross_entropy
from svnr.report import figures, tables
from svnr.report.findings import computed
from svnr.report.provenance import Outputs
from svnr.report.words import counted, listed

torch.set_num_threads(1)

# %% tags=["parameters"]
n_seeds: int = 5  # runs of each kind, seeds 0 to n_seeds − 1
n_episodes: int = 5000  # length of a run (paper: 5000)
n_jobs: int = 2  # processes side by side
scale: str = "paper"  # the name of these numbers; `svnr reproduce --scale` sets both
output: str = ""  # folder for figures and results; empty: this repository's own

# %%
outputs = Outputs.of("15_methods_for_robots", globals())
finished = partial(collect, folder=outputs.results, n_jobs=n_jobs)


def small(name, game="max_of_two", **changes):
    """A new learner with networks of eight units."""
    told = resolved(name, game, {"hidden": (8, 8), **changes})
    return learner_class(name)(make_game(game), told, seed=0)


draws = torch.Generator().manual_seed(0)
state, u = torch.randn(5, 1, generator=draws), 2 * torch.rand(5, 2, generator=draws) - 1

# %% [markdown]
# ## 1. MAPPO: partners do what they just did, on average
#
# The team plays, learns from that alone, and forgets. How much better than V(s) was what followed, the further ahead the
# less it counts (λ)?
#
# > Â_t = Σ_k (γλ)^k δ_{t+k}, δ = r + γ V(s′) − V(s) (Schulman et al. 2016, (16))
#
# Each agent moves the probability of its own action by that, as far as the clip lets it (Yu et al. 2022), which is to a
# ratio ϱ within ε of 1:
#
# > E[min(ϱ Â, clip(ϱ, 1 − ε, 1 + ε) Â)], ϱ = π_i / π_i,old (Schulman et al. 2017, (7))
#
# The advantage is that of the *joint* action: what a partner tried enters as noise, and its mean is the mean over how
# partners explore. An action that is good only beside a good partner looks bad beside exploring ones.

# %%
reward, value, beyond = torch.randn(3, 4, 1, generator=draws)  # four steps of one copy
ends = torch.tensor([[False], [True], [False], [False]])
fast = generalised_advantage(reward, value, beyond, ends, torch.zeros_like(ends), 0.9, 0.8)
for t in range(4):
    slow, weight = torch.zeros(1), 1.0
    for k in range(t, 4):
        slow = slow + weight * (reward[k] + 0.9 * beyond[k] * ~ends[k] - value[k])
        weight *= 0.9 * 0.8
        if ends[k]:
            break
    assert torch.allclose(fast[t], slow)

# %%
for r, advantage in ((0.5, -1.0), (0.5, 2.0), (0.9, 2.0), (1.5, -1.0), (1.5, 2.0)):
    ratio = torch.tensor(r, requires_grad=True)
    gain = clipped_surrogate(ratio, torch.tensor(advantage), 0.2)
    (slope,) = torch.autograd.grad(gain, ratio)
    slow = min(r * advantage, min(max(r, 0.8), 1.2) * advantage)
    assert math.isclose(gain.item(), slow, rel_tol=1e-6)
    too_far = (r < 0.8 and advantage < 0) or (r > 1.2 and advantage > 0)
    assert slope == (0 if too_far else advantage)  # who has gone far enough is not pushed on

# %% [markdown]
# ## 2. QMIX: partners need not be known
#
# Every agent has a utility Q_i(s, u_i), and the team's value is mixed from them by
#
# > Q_tot = Σ_e |w_e| elu(Σ_i |w_ie| Q_i + b_e) + V(s), ∂Q_tot / ∂Q_i ≥ 0 (Rashid et al. 2018, (5))
#
# with weights w and b that a network makes of s, for each of its hidden units e, so that the best joint action is
# everybody's own best (their (4)). "QMIX" on continuous actions is our reading, COMIX: the
# best own action is found by cross-entropy. Over-generalization enters by the *form*: where the best own action depends
# on the partner, no monotone Q_tot is right, and the nearest one is nearest on average over what was played.


# %%
def mixed_by_hand(q, w, v):
    """Q_tot from N utilities, mixing weights w [N + 2, E] (of each agent, of the sum, b) and V."""
    total = v
    for e in range(w.shape[1]):
        inside = w[-1, e] + sum(w[i, e].abs() * q[i] for i in range(len(q)))
        total = total + w[-2, e].abs() * elu(inside)
    return total


def by_hand(critic, state, u):
    """The same from the networks of a critic, row by row: [B]."""
    _, weights, value = critic.values.net.nets
    q, w = critic.utilities(state, u.expand(2, *u.shape)), weights(state.expand(4, *state.shape))
    v = value(state[None])[0, :, 0]
    return torch.stack([mixed_by_hand(q[:, b], w[:, b], v[b]) for b in range(len(u))])


learner = small("qmix", embedding=3)
assert torch.allclose(learner.critic(state, u)[0], by_hand(learner.critic, state, u), atol=1e-6)

# %%
axis = torch.linspace(-1, 1, 41)
joint = torch.cartesian_prod(axis, axis)
origin = torch.zeros(len(joint), 1)
utilities = learner.critic.utilities(origin, joint.expand(2, *joint.shape))
own_best = torch.stack([joint[utilities[i].argmax(), i] for i in range(2)])
assert torch.equal(joint[learner.critic(origin, joint)[0].argmax()], own_best)


# %%
def argmax_by_hand(q, generator):
    """The best of the last of two rounds; the second is drawn where the first had its best six."""
    mean, deviation = torch.zeros(2), torch.ones(2)
    for _ in range(2):
        z = mean + deviation * torch.randn(64, 2, generator=generator)
        best = torch.stack(sorted(z, key=lambda z: -q(torch.tanh(z)))[:6])
        mean, deviation = best.mean(0), best.std(0)
    return torch.tanh(best[0])


def judged(u):
    """Utilities [2, n] of u [2, n, 2]."""
    return learner.critic.utilities(torch.zeros(1, 1), u)


fast = cross_entropy(judged, (2, 2), torch.Generator().manual_seed(1))
for i in range(2):
    q = lambda u, i=i: judged(u.expand(2, 1, 2))[i, 0].item()  # noqa: E731
    slow = argmax_by_hand(q, torch.Generator().manual_seed(1))
    assert torch.allclose(fast[i], slow, atol=1e-6)

# %% [markdown]
# ## 3. FACMAC: partners do what they mean to do now
#
# QMIX's critic with MADDPG's actors, which climb it all at once (Peng et al. 2021, §4.2):
#
# > ∇J = E[∇μ ∇_μ Q_tot(s, μ_1(s), …, μ_N(s))]
#
# where μ_i(s) is agent i's action. No history of partners is in it: they are taken as they are. That is a step of the whole team up one hill, the one it
# stands on. The mixing may be free of signs, and is then no longer QMIX's.

# %%
learner = small("facmac", embedding=3)
own = learner.actors(state)  # [N, B, D]: μ_i in agent i's coordinate
now = torch.stack([own[0, :, 0], own[1, :, 1]], -1)
slow = by_hand(learner.critic, state, now).mean()
assert torch.allclose(learner.gain(state, own), slow, atol=1e-6)

# %% [markdown]
# ## 4. MMQ: partners will do what is best for me
#
# Agent i knows s, u_i, r and s′, and blames a partner for a bad s′. Two networks learn the 5 % and the 95 % quantile of
# s′ − s after (s, u_i); next states ŝ are drawn between, and the target is what the best of them promises
# (Zhu et al. 2024), with learned rewards r̂ and slow copies, which have a prime:
#
# > max{ r + γ V_i(s′), max_m r̂_i(s, u_i, ŝ_m) + γ V_i(ŝ_m) }, V_i(s) = Q′_i(s, μ′_i(s))
#
# Mean over partners becomes maximum over what they might bring about; luck is taken for skill. A game of one step has no
# s′, and MMQ nothing to choose from.

# %%
learner, game = small("mmq", "particle_gather", n_candidates=3), make_game("particle_gather")
s, s2 = torch.randn(2, 4, game.state_size, generator=draws)
a, r = 2 * torch.rand(4, 4, generator=draws) - 1, torch.randn(4, generator=draws)
done = torch.tensor([False, True, False, False])
rows = Transitions(s, a, r, s2, done, ~done & done, weight=0.8 * ~done)
own, before = a * learner.own[:, None], learner.state_dict()
ahead = learner.candidates(s, own)  # [N, B, 3, S]
learner.load_state_dict(before)  # and so the same candidates again
fast = learner.target(rows)


# %%
def promise(i, b, reward, after):
    """What agent i is promised by a next state: its reward, and what follows unless it ended."""
    after = after.expand(4, 1, -1)
    v = learner.critic.slow_apart(after, learner.actors.slow(after))[i, 0]
    return reward + 0.8 * ~done[b] * v.clamp(*game.return_bounds)


for i in range(4):
    for b in range(4):
        best = promise(i, b, r[b], s2[b])
        for after in ahead[i, b]:
            known = torch.cat([s[b], own[i, b], after]).expand(4, 1, -1)
            guess = promise(i, b, learner.rewards(known)[i, 0, 0], after)
            best = max(best, guess.clamp(*game.return_bounds))
        assert torch.allclose(fast[i, b], best, atol=1e-6)
forecast, tau = torch.tensor([-1.0, 1.0], requires_grad=True), 0.05
loss = torch.maximum(tau * (0 - forecast), (tau - 1) * (0 - forecast)).sum()  # at x = 0
assert torch.equal(pinball_slope(0 - forecast, tau), -torch.autograd.grad(loss, forecast)[0])

# %% [markdown]
# ## 5. HASAC: partners are as they have just become
#
# Soft actor-critic for a team (Liu et al. 2024): twin critics c, a squashed Gaussian and a temperature α_i an agent,
#
# > V(s) = min_c Q_c(s, u) − Σ_i α_i log π_i(u_i | s), u ∼ Π_i π_i
#
# and agents that take turns in random order. Agent i climbs E[min_c Q_c(s, u) − α_i log π_i], where those before it have
# moved already. In theory, where a turn is exact, none makes the team worse. But a policy of the team is a product, and each turn goes up the hill where
# the product already has its mass.


# %%
def squashed(out):
    """The distribution of u = tanh(z), z normal with the mean and log σ that a network gave."""
    mean, log_std = out.chunk(2, -1)
    return TransformedDistribution(Normal(mean, log_std.exp()), TanhTransform())


learner, alpha = small("hasac"), torch.tensor([2.0, 0.5])
noise = torch.randn(2, 5, 1, generator=draws)
parts, log_pi = zip(*map(lambda actor, e: actor(state, e), learner.actors, noise), strict=True)
value, gain = torch.zeros(5), torch.zeros(())
for b in range(5):
    joint = torch.cat([parts[0][b], parts[1][b]])
    value[b] = min(learner.critic(state[b : b + 1], joint[None])[:, 0])
    gain += value[b] / 5
    for i in range(2):
        pi = squashed(learner.actors[i].mean_and_log_std(state[None])[0, b])
        bonus = -alpha[i] * pi.log_prob(parts[i][b])[0]
        value[b] += bonus
        gain += bonus / 5 * (i == 0)
q = learner.critic(state, torch.cat(parts, -1))
fast = learner.gain(parts[0], log_pi[0], state, list(parts), 0, alpha[0])
assert torch.allclose(fast, gain, atol=1e-4)
assert torch.allclose(joint_soft_value(q, torch.stack(log_pi), alpha), value, atol=1e-3)

# %% [markdown]
# ## 6. QTRAN's matrix
#
# Son et al. (2019) made a matrix that no monotone mixing can hold, 8 beside −12, and print that QMIX ends at 0 there.
# Each third of an agent's interval is one of its choices. As they do, we let every agent play uniformly while it learns, so that all have
# seen every cell equally often, and test what was learned greedily. (Exploring as usual they may never meet 8.)
#
# **What to expect.** What mixes monotonically cannot hold the matrix. It has two ways to miss it, each the best near by: to
# give up the 8 (−8 wherever somebody takes the first choice, 0 elsewhere), or to give up the zeros (−6 but at the 8). The second has the smaller
# squared error, the first the greedy team that QTRAN's authors print; which it is depends on where learning begins. We expect 0 on most seeds. The free mixing of FACMAC could hold the matrix, and HASAC's critic can hold anything; but their actors climb, from
# the middle of the box, which pays 0 as well, and a step is no slope.

# %%
matrix_of = torch.tensor([[8.0, -12, -12], [-12, 0, 0], [-12, 0, 0]])
no_eight = torch.tensor([[-8.0, -8, -8], [-8, 0, 0], [-8, 0, 0]])
no_zeros = torch.tensor([[8.0, -6, -6], [-6, -6, -6], [-6, -6, -6]])
missed = [((fit - matrix_of) ** 2).sum().item() for fit in (no_zeros, no_eight)]
assert missed == [288, 320]

METHODS = ["qmix", "facmac", "hasac"]
UNIFORM = {"random_steps": n_episodes}
matrix = finished(grid(["qtran"], METHODS, n_seeds, n_episodes, UNIFORM))
free = finished(grid(["qtran"], ["facmac"], n_seeds, n_episodes, UNIFORM | {"mixing": "free"}))
last = {
    tables.TITLES[m]: [r.tested["greedy"].mean() for r in matrix if r.spec.learner == m]
    for m in METHODS
}
last["FACMAC, free mixing"] = [run.tested["greedy"].mean() for run in free]
usual = outputs.kept(grid(["qtran"], METHODS, 1, n_episodes))
met = {tables.TITLES[run.spec.learner]: (run.returns == 8).mean() for run in usual}
at_eight = {name: sum(v > 4 for v in x) for name, x in last.items()}
ways = {
    name: {f"at {v}": sum(abs(each - v) < 1 for each in x) for v in (8, 0, -12)}
    for name, x in last.items()
}
on_matrix = pd.DataFrame(ways).T.rename_axis("method")
outputs.table(on_matrix, "qtran_matrix", "QTRAN's matrix", matrix + free)

# %%
freed = at_eight["FACMAC, free mixing"]
told = "Monotone mixing does not keep everybody out."
if not at_eight["QMIX"] + at_eight["FACMAC"]:
    told = (
        "The form of the mixing kept FACMAC out." if freed else "Freeing the mixing is not enough."
    )
own = ways["QMIX"]
computed(
    f"Seeds at 8, of {n_seeds} each: {listed(f'{name} {n}' for name, n in at_eight.items())}. QMIX ends at the 0 that was printed of it on "
    f"{own['at 0']} and at 8 on {own['at 8']}. {told} In training 8 was paid in "
    f"{min((run.returns == 8).mean() for run in matrix + free):.0%} of the episodes or more; exploring as usual (one seed) in "
    f"{', '.join(f'{share:.1%} ({name})' for name, share in met.items()) or 'no run that is kept'}.",
    matrix + free + usual,
)

# %% [markdown]
# ## 7. Max of Two
#
# The classic of the reasoning methods ([07](07_other_methods.ipynb)), with a right hill of width 1 (not notebook [13](13_where_it_breaks.ipynb)'s two
# agents, whose right hill has 2): at 0, where actors begin, the reward rises towards
# the wrong hill for every action of the partner.
#
# **What to expect.** FACMAC climbs, and so ends at the wrong hill. QMIX jumps to the best that its utilities say, but
# mixed monotonically the best is that on average. MAPPO and HASAC explore with Gaussians, around one hill at a time.

# %%
runs = finished(grid(["max_of_two"], ["svnr", *METHODS, "mappo"], n_seeds, n_episodes))
scores = tables.scores(runs)
found = scores.assign(right=scores["training"] > 5).groupby("learner")["right"].sum()
n_found = int((found[[*METHODS, "mappo"]] > 0).sum())
leaves = f"{n_found or 'none'} leave{'s' * (n_found < 2)} the wrong hill"
title = f"Max of Two: of {len(METHODS) + 1} methods for robots {leaves} ({counted(n_seeds, 'seed')} each)"
curves = figures.training.training_curves(tables.curves(runs), {"max_of_two": ""}, title, 10, 0)
outputs.figure(curves, "max_of_two_bodies", "Max of Two, methods for robots", runs)

# %%
each = listed(f"{tables.TITLES[name]} {n}" for name, n in found.sort_values().items())
computed(f"Seeds at the right hill, of {n_seeds} each: {each}.", runs)

# %% [markdown]
# ## Against the papers
#
# Their own papers play robots, StarCraft and matrices that are not here: [16](16_multi_agent_mujoco.ipynb) has the
# robots. QTRAN's statement of QMIX is judged above, with uniform play as theirs.
#
# ## Adapt this
#
# Put another matrix of `games/matrix.py` in place of QTRAN's.
#
# ## Exercises
#
# 1. In the two QMIX cells put `small("facmac", embedding=3, mixing="free")` in place of the learner. Does the assert about
#    everybody's own best still hold?
# 2. In section 5, let agent 2 move before agent 1 climbs. What changes in `gain`?
# 3. Draw a payoff of two choices each that a monotone mixing holds although it has a trap.
#
# ## In one paragraph
#
# A mean over rollouts (MAPPO), a form that needs no partner (QMIX), the partner as it is (FACMAC) or has just become
# (HASAC), the best it might do (MMQ): each is one answer to who the others are, and none asks them. Next:
# [16 · Multi-agent MuJoCo](16_multi_agent_mujoco.ipynb), where those that were run there meet SVNR.
