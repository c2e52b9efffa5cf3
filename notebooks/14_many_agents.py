# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 14 · Many agents
#
# **Question.** Up to fifty agents: which negotiation sets does SVNR (Stein variational negotiated reasoning) need, can they
# be found out, and what do they cost?
#
# **Claim.** "One main limitation of our SVNR approach is its scalability in scenarios involving many agents", and sparse
# structures may help, though they "may violate the nested negotiation structure requirement" (§9, left there as future work). The paper's games have
# four agents at most; with fifty its nested sets condition the last on the 49 others. All of this notebook is beyond it.
#
# **Paper.** §6.1 and Theorem A.1 (nested sets), §8.3 (other sets), §9 (limitations).
#
# **Reads.** The finished runs that there are in `results/` (`n_made` of each kind are trained where they are missing).
#
# **Makes.** Who plays with whom, found by a critic; success, milliseconds and memory against the number of agents.
#
# **Takes.** Two minutes of a processor beside the committed runs; a quarter of a minute (5 agents) to two minutes
# (50) a run and core without them.

# %%
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
import torch

from svnr.experiments.catalogue import GAMES, make_game
from svnr.experiments.costs import an_update, milliseconds, peak_megabytes, weights_megabytes
from svnr.experiments.specs import grid
from svnr.games.graphs import hidden_order
from svnr.networks.critics import Critics
from svnr.networks.factors import Factors
from svnr.networks.interactions import interactions, listened, of_random_play
from svnr.networks.mlp import NetworkSettings
from svnr.report import figures, statistics, words
from svnr.report.findings import computed
from svnr.report.provenance import Outputs
from svnr.report.style import OPTIMUM, TRAP
from svnr.sets import known_to, partners, strongest, window, written_out
from svnr.theory.distributions import finite_log, kl, marginals, product
from svnr.theory.maxent import boltzmann
from svnr.theory.nesting import has_common_source, is_nested
from svnr.theory.paths import mean_field, neighbour_laws

# %% tags=["parameters"]
n_seeds: int = 5  # runs of each kind, seeds 0 to n_seeds − 1
n_episodes: int = 0  # length of a run; 0: the game's own, 3,000 up to 10 agents, then 300 an agent
teams: list = [5, 10, 20, 50]  # numbers of agents, the smallest first
kinds: list = [  # of sets, and of critics where it is not one in parts
    "partners", "strict", "predecessor", "none", "window of 4", "star",
    "strict, one network", "partners, one network", "partners, kernel on all",
]  # fmt: skip
n_made: int = 0  # seeds of which runs are trained where they are missing; the others are read
n_tries: int = 5  # seeds of random play
plays: list = [30, 100, 300]  # random plays an agent
n_updates: int = 1000  # of a critic of random play
timed: list = [3, 5, 10, 20, 50]  # numbers of agents whose updates are timed, the smallest first
n_timed: int = 9  # updates of each
n_jobs: int = 2  # processes side by side
scale: str = "paper"  # the name of these numbers; `svnr reproduce --scale` sets both
output: str = ""  # folder for figures and results; empty: this repository's own

# %%
outputs = Outputs.of("14_many_agents", globals())
torch.set_num_threads(1)
GAME = "chain_of_{}_1.2_hidden"
games = {n: make_game(GAME.format(n)) for n in teams}
most = max(teams)

# %% [markdown]
# ## 1. A chain that nobody is told
#
# A *coordination graph* (Guestrin et al., 2002) pays a team the sum of what its edges earn. Ours is a chain, and every
# edge pays as Max of Three does, with two agents: 10 at the right hill (7, 7), s₂ = 1.2, and 0 at the wide wrong one
# (−5, −5). The order of the chain is drawn at random: agents' numbers say nothing of it.
#
# Whoever leaves the wrong hill alone loses 12.8 on either side, and neighbours who leave together win an edge and lose
# two: it takes four in a row, or three at an end.


# %%
def paid_by_hand(game, u):
    """Σ over edges of max(−0.8 [(a + 5)² + (b + 5)²] / 9, 10 − [(a − 7)² + (b − 7)²] / 1.2²)."""
    total = 0.0
    for i, j in game.edges:
        a, b = 10 * u[i], 10 * u[j]
        wrong = -0.8 * ((a + 5) ** 2 + (b + 5) ** 2) / 9
        right = 10 - ((a - 7) ** 2 + (b - 7) ** 2) / 1.2**2
        total += max(wrong, right)
    return total


for n, game in games.items():
    u = 2 * torch.rand(n, generator=torch.Generator().manual_seed(n)) - 1
    assert abs(paid_by_hand(game, u.tolist()) - game.reward(u).item()) < 1e-3 * n

# %%
alone = make_game("svnr.games.graphs:chain_of_pairs(n_agents=10, width=1.2, seed=None)")
together = torch.full((6, 10), -0.5)
for k in range(6):
    together[k, 2 : 2 + k] = 0.7  # k neighbours leave
gains = alone.reward(together) - alone.reward(together[0])
assert (gains[1:4] < 0).all() and (gains[4:] > 0).all()
pd.Series(gains.numpy().round(1), name="gain of k who leave the wrong hill together")

# %% [markdown]
# ## 2. What to expect
#
# The joint of fifty agents has too many entries to write down, but exp(Q/α) of a chain is a Markov chain: two messages,
# one from each end, give the law of every pair of neighbours (`theory.paths`). We hold it against the sum over all joint
# actions of four agents. Beside it stands what agents with empty sets do: each averages over its neighbours' present
# policies, π ∝ exp(2 r π/α), while α falls (mean field).

# %%
axis = torch.linspace(-1, 1, 101, dtype=torch.double)
cells = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1)
pair = alone.pair.reward(cells).numpy()
right = alone.pair.pays_most(cells).numpy()

few = pair[::10, ::10]  # 11 actions
q = few[:, :, None, None] + few[None, :, :, None] + few[None, None]  # four agents, three edges
for alpha in (10.0, 1.0):
    joint = boltzmann(q, alpha)
    slow = [joint.sum((2, 3)), joint.sum((0, 3)), joint.sum((0, 1))]
    assert np.allclose(slow, neighbour_laws(few, 4, alpha))

# %%
STEPS = (10.0, 5.0, 3.0, 1.0, 0.3)  # runs rest at 10, at 1 and at 0.3
policy = np.full(len(axis), 1 / len(axis))
for alpha in (500, 100, 50, 30):
    policy = mean_field(pair, alpha, policy)
expected = {}
for alpha in STEPS:
    policy = mean_field(pair, alpha, policy)
    laws = {f"{n} agents": neighbour_laws(pair, n, alpha) for n in (teams[0], most)}
    laws |= {"mean field": policy[:, None] * policy}
    for who, law in laws.items():
        for what, of in {"right": right, "reward": pair}.items():
            expected.setdefault((who, what), {})[alpha] = (law * of).sum((-1, -2)).mean()
expected = pd.DataFrame(expected).rename_axis("α")
expected.round(3)

# %% [markdown]
# *Right* is the share of edges that the right hill pays, *reward* what an edge earns in the mean.
#
# **What to expect.** Who follows the target has about half of the edges at the right hill at 10 and nearly all from
# 3 on, with five agents as with fifty, and ends near 10 an edge. The mean field has the wrong hill before that, and stays. A long chain is no harder than a short one
# for the target; a learner may fail on the way: by its sets, or by a critic that does not know what several in a row earn.

# %%
best, trapped = (expected[who, "reward"][STEPS[-1]] for who in (f"{most} agents", "mean field"))
assert expected[f"{most} agents", "right"][1.0] > 0.99
assert expected["mean field", "right"][1.0] < 0.01

# %% [markdown]
# ## 3. What nested sets are for, exactly
#
# Theorem A.1 wants nested sets so that *any* joint policy can be held. What does this chain ask for? We measure what
# agents d apart know of each other, in nats of mutual information. Samplers read noise: agents i and j with no noise in
# common, S_i ∩ S_j = {} with S_i = {i} ∪ C_i, are independent, and must miss all of it.


# %%
def apart(laws, d):
    """The law of the actions of two agents d apart, in the middle of the chain: [A, A]."""
    middle = max((len(laws) - d) // 2, 0)
    law = laws[middle]
    for step in laws[middle + 1 : middle + d]:
        law = law @ (step / np.maximum(step.sum(1, keepdims=True), np.finfo(float).tiny))
    return law


def nats(law):
    """Mutual information of the two agents of a law [A, A]."""
    return kl(law, finite_log(product(marginals(law))))


known = {a: {d: nats(apart(neighbour_laws(pair, most, a), d)) for d in (1, 2, 3)} for a in STEPS}
known = pd.DataFrame(known).T.rename_axis("α").rename_axis("agents apart", axis=1)
known.round(3)


# %%
def settings(kind, game):
    """SVNR's settings for a kind of sets, on a game; the critic in parts is told the edges."""
    name, _, how = kind.partition(", ")
    heard = partners(game.n_agents, game.edges)
    sets = {"partners": heard, "window of 4": window(game.n_agents, 4), "predecessor": "chain"}
    critic = {"one network": {}, "kernel on all": {"factors": heard, "kernel_on": "joint"}}
    return {"sets": sets.get(name, name)} | critic.get(how, {"factors": heard})


def shape(kind, game):
    """What sets are: their sizes, nested or not, and how many neighbours share no noise."""
    sets = written_out(settings(kind, game)["sets"], game.n_agents)
    s = [set(known_to(sets, i)) for i in range(game.n_agents)]
    strangers = np.mean([s[i].isdisjoint(s[j]) for i, j in game.edges])
    told = {"members in all": sum(map(len, sets)), "largest set": max(map(len, sets))}
    told |= {"nested": is_nested(sets), "one noise for all": has_common_source(sets)}
    return told | {"neighbours without common noise": f"{strangers:.0%}"}


plain_kinds = [kind for kind in kinds if ", " not in kind]
shapes = pd.DataFrame({kind: shape(kind, games[most]) for kind in plain_kinds}).T
shapes.rename_axis(f"sets of {most}")

# %%
assert known.loc[1.0].max() < 0.01 and known.loc[0.3].max() < 0.01
computed(
    f"At α = 10 neighbours know {known.loc[10.0, 1]:.2f} nats of each other and agents three apart "
    f"{known.loc[10.0, 3]:.2f}, which sets of partners must miss; at α = 1 it is {known.loc[1.0, 1]:.3f} and "
    f"{known.loc[1.0, 3]:.3f}. In the end this game asks for a product of policies, which sets of "
    "every kind can hold: if sets are needed, then for the way there."
)

# %% [markdown]
# ## 4. Who plays with whom?
#
# Let every agent play at random, fit a critic, and ask it: does it matter *together* what i and j do? The answer is the
# mean square of a mixed difference (Liu and Owen, 2006),
# Υ_ij = ¼ E[(Q(u) − Q(u′_i) − Q(u′_j) + Q(u′_i, u′_j))²],
# with u′ another random action, and Q(u′_i) the value of u with agent i's action taken from it; 0 if and only if no term
# of Q holds both. The cross derivative ∂²Q/∂u_i∂u_j would say as much,
# but networks of rectifiers are linear piece by piece, and theirs is 0 nearly everywhere.


# %%
def mixed_by_hand(value, u, other, i, j):
    """Υ_ij, from the page."""
    one, two, both = u.clone(), u.clone(), u.clone()
    one[:, i] = both[:, i] = other[:, i]
    two[:, j] = both[:, j] = other[:, j]
    return (value(u) - value(one) - value(two) + value(both)).square().mean() / 4


small = games[teams[0]]
draws = 2 * torch.rand(2, 64, small.n_agents, generator=torch.Generator().manual_seed(0)) - 1
true = interactions(small.reward, *draws, small.action_sizes)
for i, j in combinations(range(small.n_agents), 2):
    assert torch.allclose(true[i, j], mixed_by_hand(small.reward, *draws, i, j), atol=1e-4)
assert strongest(true) == small.edges  # of the true reward, the planted edges and no others

# %% [markdown]
# Two questions are put to each critic. Told how many edges there are, which share of the strongest pairs is planted?
# And told nothing, with a cut where strengths fall most steeply: are its edges *exactly* the planted ones?
#
# **What to expect.** Fifty agents have 1,225 pairs, of which 49 are planted, and their critic, one network of the joint
# action, sees all edges' rewards as one sum. With few plays it cannot tell, with many it can.


# %%
def heard_out(n, per_agent, seed):
    """What a critic of random play makes of the chain of n agents: [N, N], and a row of the table."""
    game = games[n]
    strength = listened(game, NetworkSettings(), per_agent * n, seed, n_updates).numpy()
    planted = set(strongest(strength, n - 1)) & set(game.edges)
    exactly = strongest(strength) == game.edges
    return strength, (n, per_agent, seed, len(planted) / (n - 1), exactly)


answers = [heard_out(n, each, seed) for n in teams for each in plays for seed in range(n_tries)]
found = pd.DataFrame([row for _, row in answers], columns=["n", "plays", "seed", "share", "exact"])
last = answers[-n_tries][0]  # the largest team, most plays, seed 0
hits = sum(row[-1] for _, row in answers[-n_tries:])
title = f"{plays[-1]} random plays an agent show the chain of {most} on {hits} of {n_tries} seeds"
outputs.figure(
    figures.teams.found_graph(last, hidden_order(most, 0), found, title),
    "found_graph",
    "Who plays with whom",
    note=f"{n_tries} seeds of random play; {n_updates} updates of one network; square roots of Υ",
)

# %%
exact = found.pivot_table(index="n", columns="plays", values="exact", aggfunc="sum")
share = found.pivot_table(index="n", columns="plays", values="share", aggfunc="min")
told = exact.astype(int).astype(str) + f" of {n_tries} (" + share.map("{:.0%}".format) + ")"
outputs.table(
    told.rename_axis("agents").rename_axis("plays an agent", axis=1),
    "found_edges",
    "Seeds on which exactly the planted edges are found",
    note="in brackets the least share of planted edges among as many strongest pairs",
)

# %%
enough = {n: next((p for p in plays if exact.loc[n, p] >= 0.8 * n_tries), None) for n in teams}
computed(
    f"The planted chain, exactly and with nothing told, is found on at least four fifths of {n_tries} seeds with so many "
    "plays an agent: "
    + ", ".join(f"{p or 'more than ' + str(plays[-1])} ({n} agents)" for n, p in enough.items())
    + f". On {exact.loc[most, plays[-1]]:.0f} of {n_tries} seeds the sets of {most} agents from {plays[-1]} plays each "
    "are the very sets that section 6 calls *partners*."
)

# %% [markdown]
# **What this does not say.** A run of section 6 plays 3,000 episodes, and 300 an agent where there are more than ten:
# random play of that length doubles what is played. Random play is enough because every edge's reward is large
# all over the box; edges that matter only where nobody goes by chance would not be found.

# %% [markdown]
# ## 5. One network, or parts
#
# Knowing the edges, a critic need not be one network: Q(u) = Σ_i Q_i(u_{S_i}), a small network for each agent and its
# partners (deep coordination graphs, Böhmer et al., 2020, are such sums over pairs). We fit both, with the layer norm
# that the runs of section 6 have, to as many random plays and ask
# what they have learned: the share of variance that they explain on new random plays, and what they think of two joint
# actions that nobody played, everybody at the right hill (10 an edge) and everybody at the wrong one (0).
#
# **What to expect.** With as many plays an agent the parts should lose little on a longer chain, the network much. In a run the critic learns on,
# from what the team plays by then, so that a poor start need not be its end.


# %%
def critic_of(game, parts, generator):
    """One critic of the team: a network of the joint action, or a sum of small ones."""
    told = NetworkSettings(layer_norm=True)
    heard = partners(game.n_agents, game.edges)
    judge = partial(Factors, heard, game, told.layer_norm, (32, 32), generator) if parts else None
    return Critics(game, told, generator, 1, judge=judge)


@torch.no_grad()
def learned(n, parts):
    """What a critic of random play explains, and thinks of both hills, an edge."""
    game, generator = games[n], torch.Generator().manual_seed(0)
    critic = critic_of(game, parts, generator)
    value = of_random_play(game, critic, plays[-1] * n, generator, n_updates)
    u = 2 * torch.rand(2000, n, generator=generator) - 1
    missed = (value(u) - game.reward(u)).square().mean() / game.reward(u).var()
    hills = value(torch.tensor([game.optimum.u, game.trap.u])) / (n - 1)
    return [1 - missed.item(), *hills.tolist()]


# %%
CRITICS = {"one network": False, "in parts": True}
fits = {(n, name): learned(n, parts) for n in teams for name, parts in CRITICS.items()}
fits = pd.DataFrame(fits, index=["explained", "right hill", "wrong hill"]).T
fits = fits.rename_axis(["agents", "critic"])
outputs.table(
    fits.round(2), "critics_of_many", "Critics of random play", note="seed 0; partners given"
)

# %%
thinks = fits["right hill"].unstack("critic")
apart_by = (fits["right hill"] - fits["wrong hill"]).xs("one network", level="critic")
alike = [n for n in teams if abs(apart_by[n]) < 0.5]
worse = [n for n in alike if fits.loc[(n, "one network"), "explained"] < 0]
computed(
    "Of the right hill, worth 10 an edge, one network thinks "
    + ", ".join(f"{thinks.loc[n, 'one network']:.1f} ({n} agents)" for n in teams)
    + "; a critic in parts "
    + ", ".join(f"{thinks.loc[n, 'in parts']:.1f}" for n in teams)
    + f". One network thinks the same of both hills, to half a point, at: {', '.join(map(str, alike)) or 'none of these'}; it "
    f"explains less of random play than its mean would at: {', '.join(map(str, worse)) or 'none of these'}."
)

# %% [markdown]
# ## 6. Who ends right?
#
# The same learner with other sets. *Partners*: those with whom an agent shares an edge; *strict*: the paper's nested
# order, by number; *predecessor*: agent i − 1 alone, by number, which in this chain is mostly no neighbour; a *window of
# 4*: the four before; *star*: agent 0, for all; *none*: empty sets. The critic is in parts and is **given the true
# edges**, in every kind that does not say *one network*, so with *none* too.
#
# Where the strict order falls behind, two things may be to blame: members that are of no use, or the kernel of (7.2),
# which sees the actions of a whole set, and in many dimensions holds all particles for equally far (Zhuo et al., 2018). *Kernel on all*
# has sets of partners, but a kernel on the joint action: if it falls behind as well, members of no use are not needed for that.
#
# **What to expect.** Empty sets cannot follow the chain; partners, who are all that matters to an agent, can. Strict sets leave no
# two agents without common noise (section 3), and fall behind where their kernels have too many coordinates; one network falls behind as section 5 says.
#
# **The rule, fixed before the runs.** A run ends right if its 200 test episodes, with shared noise, earn more than half
# of the way from the wrong hill to the right one: 5 an edge.

# %%
jobs = {}
for kind in kinds:
    for n, game in games.items():
        for spec in grid(
            [GAME.format(n)], ["svnr"], n_seeds, n_episodes or None, settings(kind, game)
        ):
            jobs.setdefault(spec.key, (kind, n, spec))  # a window of 4 is strict among five
runs = outputs.kept([spec for _, _, spec in jobs.values()], n_made)
ends = pd.DataFrame(
    {"sets": kind, "n": n, "seed": run.spec.seed}
    | {way: run.tested[way].mean() / (n - 1) for way in ("shared", "independent")}
    for run in runs
    for kind, n, _ in [jobs[run.spec.key]]
)
ends = ends.rename(columns={"shared": "value"}).assign(right=ends["shared"] > 5)


# %%
def furthest(kind):
    """The largest team at which more than half of the seeds that there are of a kind end right."""
    good = ends[ends["sets"] == kind].groupby("n")["right"].mean() > 0.5
    return max(good.index[good], default=0)


def of_seeds(kind, n):
    """How many of its seeds end right, in words."""
    right = ends[(ends["sets"] == kind) & (ends["n"] == n)]["right"]
    return f"{right.sum()} of {len(right)}"


reach = {kind: furthest(kind) for kind in kinds if kind in set(ends["sets"])}

LEVELS = {"exact": (best, OPTIMUM), "mean field": (trapped, TRAP)}
widest = sorted(reach, key=reach.get, reverse=True)[:2]
title = ", ".join(
    f"{reach[kind]} ({kind}, {of_seeds(kind, reach[kind])})" for kind in widest if reach[kind]
)
outputs.figure(
    figures.teams.by_kind(
        ends, "reward an edge", f"Largest teams that end right: {title or 'none'}", LEVELS
    ),
    "many_success",
    "Success against the number of agents",
    runs,
    note=f"{len(runs)} of {len(jobs)} runs are there; dashed: "
    "section 2 at α = 0.3; critics in parts are given the edges",
)

# %%
cell = ends.groupby(["sets", "n"])
shown = cell.apply(lambda t: f"{t['right'].sum()} of {len(t)} ({t['value'].mean():.2f})")
reached = shown.unstack("n").reindex(index=kinds, columns=teams).fillna("–")
outputs.table(
    reached.rename_axis("sets").rename_axis("agents", axis=1),
    "many_reached",
    "Seeds that end right, and what an edge earns",
    runs,
    note="– : no run yet, or the same as strict",
)


# %%
def where(kind, whole):
    """Team sizes at which all seeds that there are of a kind end right, or none does."""
    part = ends[ends["sets"] == kind].groupby("n")["right"].agg(["sum", "size"])
    chosen = part[part["sum"] == (part["size"] if whole else 0)]
    return ", ".join(f"{n} ({row['size']})" for n, row in chosen.iterrows()) or "nowhere"


sizes = ends.groupby(["sets", "n"]).size()
enough = sizes.index[sizes >= statistics.ENOUGH_SEEDS]
several = words.listed(f"{kind} at {n}" for kind, n in enough)
lost = (ends["value"] - ends["independent"])[ends["right"]].max()
good, bad = (ends["value"][ends["right"] == right].median() for right in (True, False))
computed(
    "Agents (seeds there are) at which *all* end right: "
    + "; ".join(f"{kind} {where(kind, True)}" for kind in reach)
    + ". At which *none* does: "
    + "; ".join(f"{kind} {where(kind, False)}" for kind in reach)
    + f". {statistics.ENOUGH_SEEDS} seeds or more, which it takes to tell kinds apart: {several}. Teams that end right earn {good:.2f} an edge in the median, the exact law {best:.2f}; the others {bad:.2f}, the mean field "
    f"{trapped:.2f}. With noise of their own, the former earn at most {lost:.2f} less"
    + (": they end in a product of policies." if lost < 0.5 else "."),
    runs,
)

# %% [markdown]
# ## 7. What it costs
#
# An update on 512 plays, measured now: medians of the processor's time on one thread, in turns over team sizes. Memory is
# what an update holds of tensors at its peak, and weights, targets and moments beside it, without the replay. Times are
# this machine's, and on a busy one they move. Networks of all sets have one shape, and what an agent does not listen to is masked: **what to
# expect** is that sets hardly change what an update takes, and critics do. Multiply-adds do not move: those of fifty agents with sparse sets are tested to
# stay below 15 times those of three.


# %%
def cost(kind, n_agents):
    """A learner of a kind on a chain of n agents, and its update."""
    name = f"svnr.games.graphs:chain_of_pairs(n_agents={n_agents}, width=1.2)"
    return an_update(
        name, "svnr", GAMES[GAME.format(5)].settings | settings(kind, make_game(name))
    )


def costs(kind):
    """Rows of sets, n, milliseconds, megabytes."""
    made = {n: cost(kind, n) for n in timed}
    took = milliseconds(n_timed, {n: update for n, (_, update) in made.items()})
    for n, (team, update) in made.items():
        memory = peak_megabytes(update) + weights_megabytes(team)
        yield {"sets": kind, "n": n, "milliseconds": took[n], "megabytes": memory}


taken = pd.DataFrame([row for kind in kinds for row in costs(kind)])
of_three = taken[taken["n"] == timed[0]].set_index("sets")
ratio = taken.assign(ratio=taken["milliseconds"] / taken["sets"].map(of_three["milliseconds"]))
times = ratio[ratio["n"] == timed[-1]].set_index("sets")

# %%
DRAWN = ["partners", "strict", "strict, one network", "partners, one network"]
drawn = taken[taken["sets"].isin(DRAWN)]
limit = {
    f"15 × {timed[0]} agents' time": (
        15 * of_three.loc[kinds[0], "milliseconds"],
        TRAP,
    )
}
title = f"{timed[-1]} agents take {times['ratio'].min():.0f} to {times['ratio'].max():.0f} times as long as {timed[0]}"
outputs.figure(
    figures.teams.by_team(
        drawn.assign(value=drawn["milliseconds"]), "milliseconds an update", title, limit, log=True
    ),
    "many_milliseconds",
    "Milliseconds an update",
    note=f"median of {n_timed} updates, one thread, processor time on the machine that ran this; "
    "all kinds in the table",
)

# %%
growth = taken.groupby("sets")["megabytes"].agg(lambda m: m.max() / m.min())
title = (
    f"{timed[-1]} agents hold {growth.min():.0f} to {growth.max():.0f} times as much as {timed[0]}"
)
outputs.figure(
    figures.teams.by_team(drawn.assign(value=drawn["megabytes"]), "megabytes", title, log=True),
    "many_memory",
    "Memory of an update",
    note="peak of the tensors that an update makes, and weights, targets and moments; no replay",
)

# %%
summary = times[["milliseconds", "ratio", "megabytes"]].round(1)
outputs.table(
    summary.set_axis(["milliseconds", f"times {timed[0]} agents", "megabytes"], axis=1),
    "many_costs",
    f"An update of {timed[-1]} agents",
    note="the machine that ran this notebook; ratios within one run of it",
)

# %%
within = (times["ratio"] <= 15).sum()
base = times.loc[kinds[0]]
beside = times.loc[[name for name in DRAWN[1:] if name in times.index]]
noise = ""
if "none" in times.index:
    least = times.loc["none", "milliseconds"] / base["milliseconds"]
    noise = f"With a critic in parts, empty sets, the least work of these, take {least:.2f} of the time"
    noise += ", and that is noise." if least > 1 else "."
computed(
    f"Within 15 times the time of {timed[0]} agents: {within} of {len(times)} kinds. Sets of {kinds[0]} take "
    f"{base['milliseconds']:.0f} ms and {base['megabytes']:.0f} MB; beside them "
    + "; ".join(
        f"{name} {row['milliseconds'] / base['milliseconds']:.2f} of the time, "
        f"{row['megabytes'] / base['megabytes']:.2f} of the memory"
        for name, row in beside.iterrows()
    )
    + f". {noise}"
)

# %% [markdown]
# ## 8. What can be concluded, and what cannot
#
# - *Nestedness* means sets of N(N − 1)/2 members in all. In time and memory they cost what section 7 says, which is little:
#   if sparse sets buy something, it is success (section 6), on the seeds that there are. Of §9's two wishes, to make sparse structures from
#   knowledge of the domain and to know what that costs, this gives examples on one graph. Giving nestedness up costs what section 3 counts: agents far apart cannot follow one common draw. This game does not ask for it at
#   low temperature. With two hills of one height the target would, as in notebook [08](08_two_modalities.ipynb), and
#   sparse sets could hold one hill only, or a chain that breaks somewhere.
# - *Partners*, and the edges of the critic, were **given** to the runs. Section 4 finds the same ones from random play, on
#   as many seeds as it says; nobody found them while learning, and where they are wrong, a critic in parts cannot see
#   what is missing.
# - Layer norm, 32 units a part and the length of a run were chosen on seed 0 of these very games. Cells of one seed are
#   examples, not rates. This compares sets of SVNR alone.
#
# **Adapt this.** `svnr train chain_of_10_1.2_hidden svnr --set sets=star` trains other sets from a shell, with one network
# for a critic (`factors` gives it parts); another graph is `GraphGame(name, pair, n, edges)` of `games/graphs.py`.
#
# **Exercises.**
#
# 1. Plant a ring, a star and a tree with `GraphGame`. Does the steepest fall still find the number of edges?
# 2. Give the critic in parts the edges that 30 plays an agent find. What does a wrong edge cost, and what a missing one?
# 3. Put the two hills of the pair at equal heights. From how many agents on do partners no longer agree on one?
#
# ## In one paragraph
#
# A chain of fifty is no harder for the target than one of five, and a critic of random play can say who its neighbours
# are. What grows with the team is what one network must learn, and the sets of a nested order; a sum of parts and sets of
# partners grow with the edges. Next:
# [15 · Methods for robots](15_methods_for_robots.ipynb).
