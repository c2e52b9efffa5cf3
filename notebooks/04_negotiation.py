# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 · Negotiation
#
# **Question.** When do rounds of negotiation end in the optimal joint policy?
#
# **Claim.** "When {C_i}_{i=1}^N satisfies the strict nested requirement […], negotiated reasoning (6.3) with (6.4)
# converges and the agreement is identical to optimal joint policy" (§6.1).
#
# **Paper.** §5, (5.1), (5.2), Theorems 5.1 and 5.2; §6.1, (6.2) to (6.4); (7.2); Theorem A.1.
#
# **Reads.** Nothing.
#
# **Makes.** The table of topologies, Gibbs sweeps, clouds of negotiated particles, agreement curves, two remedies,
# particles while the temperature falls (an animation).
#
# **Takes.** Less than a minute on one core.

# %%
import numpy as np
import pandas as pd
import torch
from IPython.display import HTML

from svnr.games import matrix
from svnr.games.differential import max_of_three
from svnr.report.borders import two_hills
from svnr.report.figures import particles as figures
from svnr.report.findings import finding
from svnr.report.gifs import as_html
from svnr.report.provenance import Outputs
from svnr.sets import all_topologies, chain, full, none, ring, star, strict
from svnr.stein import births
from svnr.stein.birth_death import svgd_with_births
from svnr.stein.negotiation import has_agreed, kernel_mask, negotiate, negotiated_direction
from svnr.stein.svgd import boltzmann_score, pre_tanh, score_of, svgd
from svnr.theory import distributions, maxent, nesting
from svnr.theory import finite_negotiation as finite
from svnr.theory.hills import right_mass
from svnr.theory.overgeneralization import execute, pro_gap, regret

torch.set_num_threads(1)

# %% tags=["parameters"]
grid: int = 40  # points of each agent's noise in the finite games; even: none at ½ exactly
n_particles: int = 64  # M
n_rounds: int = 1000  # K rounds of negotiation with particles
n_starts: int = 40  # clouds of particles on Max of Three
gibbs_alphas: list = [1.0, 0.7, 0.5, 0.35, 0.25, 0.2, 0.15]  # temperatures of the Gibbs sweeps
scale: str = "paper"  # the name of these numbers; `svnr reproduce --scale` sets both
output: str = ""  # folder for figures; empty: this repository's own

# %%
outputs = Outputs.of("04_negotiation", globals())
TOPOLOGIES = {
    "strict": strict,
    "full": full,
    "star": star,
    "chain": chain,
    "ring": ring,
    "empty": none,
}

# %% [markdown]
# ## 1. Rounds, with everything countable
#
# > "u_i^{ℓ,k} = f_i^k(u_i | s, u_{C_i}^{ℓ,k−1}), ∀ i ≤ N, ℓ ≤ M, k ≤ K" (5.1)
#
# In round k, agent i looks at what the agents of its *negotiation set* C_i did in round k − 1, and chooses anew; all
# agents at once, for each of M particles ℓ. On a finite game we give it the best possible rule: draw from the
# conditional π*(u_i | u_{C_i}), with *noise that stays fixed*. Then agreement (5.2) means what it says: f is the
# identity map, nobody moves any more. One round, two agents, strict sets (agent 2 knows agent 1), by hand:

# %%
q, alpha = matrix.figure_1a().payoff, 0.5
joint = maxent.boltzmann(q, alpha)
first, second = joint.sum(axis=1), joint / joint.sum(axis=1, keepdims=True)
noise = finite.noise_grid(2, grid)
u = np.ones((len(noise), 2), dtype=int)  # everybody begins with the last action
moved = np.stack([noise[:, 0] > first[0], noise[:, 1] > second[u[:, 0], 0]], axis=1).astype(int)
rules = finite.cumulative_conditionals(q, alpha, strict(2))
assert (moved == finite.one_round(rules, strict(2), u, noise)).all()

# %% [markdown]
# Six ways to choose the sets: *strict* (each knows all before it), *full* (all others), *star* (all know agent 1),
# *chain* (each its predecessor), *ring* (the same, closed), *empty*.
#
# **What to expect.** With strict sets agent 1 is right after one round and never moves again; agent 2 is right one
# round later; after N rounds all stop, at π*. With full sets all answer what the others did a round ago, and need not come to rest. With empty sets all stop
# at once, at the product of the marginals. Failure would be a strict row with more than N rounds, or one away from
# π*. The distance is total variation: the probability that would have to be moved.

# %%
cases = {
    "Figure 1b, α = 0.1": (matrix.figure_1b(), 0.1),
    "stag hunt, α = 2": (matrix.team_stag_hunt(), 2.0),
    "climbing, α = 2": (matrix.climbing(), 2.0),
    "one volunteer, α = 0.1": (matrix.one_volunteer(), 0.1),
    "parity, α = 0.1": (matrix.parity(), 0.1),
}


def outcome(game, alpha, sets):
    """How a negotiation ends: after how many rounds, how near to π*, and what it earns."""
    end = finite.negotiate(game.payoff, alpha, sets, grid=grid)
    away = distributions.total_variation(end.joint, maxent.boltzmann(game.payoff, alpha))
    return {
        "rounds": str(end.rounds) if end.has_agreed else f"never ({end.moving:.0%} moving)",
        "distance to π*": round(away, 3),
        "earned": round(float((end.joint * game.payoff).sum()), 2),
    }


# %%
rows = [
    {"game": label, "sets": name} | outcome(game, alpha, topology(game.payoff.ndim))
    for label, (game, alpha) in cases.items()
    for name, topology in TOPOLOGIES.items()
]
rounds = pd.DataFrame(rows).set_index(["game", "sets"])
note = (
    "strict sets agree within N rounds at π*; full sets cycle on Figure 1b, stick in the stag hunt"
)
table = rounds.reset_index().set_index("game")
outputs.table(table, "negotiation_rounds", "Rounds to agreement, by topology", note=note)

# %%
rounds.unstack("sets")["rounds"][list(TOPOLOGIES)]

# %%
rounds.unstack("sets")["distance to π*"][list(TOPOLOGIES)]

# %%
for label, (game, _) in cases.items():
    strict_row = rounds.loc[(label, "strict")]
    assert int(strict_row["rounds"]) <= game.payoff.ndim
    assert strict_row["distance to π*"] < 0.02

# %% [markdown]
# What do they agree on? On Figure 1b, where (0, 1) and (1, 0) are the optima:

# %%
q, alpha = matrix.figure_1b().payoff, 0.1
agreed = {
    name: finite.negotiate(q, alpha, topology(2), grid=grid).joint
    for name, topology in TOPOLOGIES.items()
}
actions = [f"({a}, {b})" for a in (0, 1) for b in (0, 1)]
pd.DataFrame({name: joint.ravel() for name, joint in agreed.items()}, index=actions).round(2).T

# %%
rests, near = ~rounds["rounds"].str.contains("never"), rounds["distance to π*"] < 0.02
both = (rests & near).unstack("sets").all()
full_rows = rounds.xs("full", level="sets")
finding(
    (
        both["strict"],
        "Strict sets agree within N rounds, at π* up to the grid, in every game (asserted above).",
    ),
    (
        "100%" in full_rows.loc["Figure 1b, α = 0.1", "rounds"],
        "Full sets do not: on Figure 1b all particles switch for ever.",
    ),
    (
        full_rows.loc["stag hunt, α = 2", "rounds"] == "0",
        "In the stag hunt, with full sets, nobody moves from a bad start.",
    ),
    (
        [*both.index[both]] == ["strict"],
        "Of the two conditions that (5.2) writes, rest and π*, only strict sets meet both in every game.",
    ),
)

# %% [markdown]
# ## 2. What agreement is good for
#
# > "they are PRO-free with K steps negotiated reasoning if lim_{k→K} p(u^k | s) = π*(u^k | s)" (Theorem 5.1)
#
# > "they achieve ERO-free with annealing α → 0 if each agent i sample action π̄_i = u_i^{0,K}" (Theorem 5.2)
#
# PRO is over-generalization in what an agent *believes* its partners do, ERO in what the team *executes*
# ([01](01_definitions.ipynb)). The superscript 0 matters: it is one particle, the *same* for all. **What to
# expect.** Strict sets: no PRO, and no regret as α falls, if they share the particle. If each draws a particle of its
# own, half of Figure 1b is lost at any temperature.

# %%
losses = []
for alpha in (1.0, 0.3, 0.1):
    for name in ("strict", "full", "empty"):
        joint = finite.negotiate(q, alpha, TOPOLOGIES[name](2), grid=grid).joint
        gap = max(pro_gap(joint.sum(axis=i), q, alpha, i) for i in range(2))
        lost = {
            f"regret, {how}": regret(execute(joint, how), q) for how in ("shared", "independent")
        }
        losses.append({"α": alpha, "sets": name, "PRO gap": gap} | lost)
losses = pd.DataFrame(losses).set_index(["α", "sets"])
losses.round(3)

# %%
strict_loss, empty_loss = (losses.xs(name, level="sets") for name in ("strict", "empty"))
common, own_particle = strict_loss["regret, shared"], strict_loss["regret, independent"]
finding(
    (strict_loss["PRO gap"].max() < 1e-3, "Strict sets show no PRO, as Theorem 5.1 says."),
    (
        common.is_monotonic_decreasing and common.iloc[-1] < 1e-3 and own_particle.min() > 0.49,
        f"Their regret falls to {common.iloc[-1]:.3f} with the common particle that the superscript of Theorem 5.2 asks "
        f"for, and stays at {own_particle.iloc[-1]:.2f} with particles of their own.",
    ),
    (
        empty_loss["PRO gap"].max() < 1e-3 and empty_loss["regret, shared"].min() > 0.49,
        "Empty sets believe in the right marginals and show no PRO; but no common particle saves them.",
    ),
)

# %% [markdown]
# (The rows of full sets are what the last round left: they do not stop.)

# %% [markdown]
# ## 3. One at a time
#
# > "min_{p(u_i|s,u_{−i})} D_KL(p(u_i | s, u_{−i}) p(u_{−i}) ‖ π*(u_i | s, u_{−i}) p(u_{−i}))" (6.2)
#
# What helps full sets is to take turns: one agent after the other, with fresh noise. Each such move solves (6.2)
# exactly and the divergence to π* never rises. This is Gibbs sampling, and has its trouble: from one optimum to the
# other, a single agent must pass through a bad joint action.
#
# **What to expect.** Full sets need more sweeps the colder it is; strict sets one, at any temperature.

# %%
bad_start = np.array([[1.0, 0.0], [0.0, 0.0]])
sweeps = []
for name in ("full", "strict"):
    for alpha in gibbs_alphas:
        sets = TOPOLOGIES[name](2)
        kl = finite.gibbs_negotiate(q, alpha, sets, bad_start, sweeps=5000, tolerance=1e-3)
        assert np.diff(kl).max() < 1e-12  # the divergence never rises
        sweeps.append({"alpha": alpha, "sets": name, "sweeps": len(kl) - 1})

# %%
labels = ("temperature α", "sweeps until KL < 0.001")
title = "Figure 1b: full sets pay for cooling, strict sets do not"
table = pd.DataFrame(sweeps)
caption = "From (0, 0), the worst start. Exact: the distribution is followed, nothing is sampled."
figure = figures.lines(table, "alpha", "sweeps", "sets", labels, title, log="xy", caption=caption)
outputs.figure(figure, "gibbs_sweeps", "Gibbs sweeps against temperature")

# %%
counts = table.pivot(index="alpha", columns="sets", values="sweeps").sort_index()
finding(
    ((counts["strict"] == 1).all(), "Strict sets need one sweep at every temperature."),
    (
        (counts["full"].diff().dropna() < 0).all(),
        f"Full sets need {counts['full'].iloc[-1]} at α = {counts.index[-1]:g} and {counts['full'].iloc[0]} at α = "
        f"{counts.index[0]:g}.",
    ),
)

# %% [markdown]
# ## 4. Which sets can represent every joint policy?
#
# > "it can achieve full joint policy representation capacity if and only if there exists a permutation σ […] that
# > satisfies {i+1, …, N} ⊂ {σ(j) | ∀ j ∈ C_{σ^{−1}(i)}}" (Theorem A.1)
#
# In words: in some order, everybody knows all who come before (⊂ must allow equality). "Full capacity" means that
# the conditionals π(u_i | u_{C_i}) leave no freedom in the joint. We count that freedom, in dimensions, for all
# topologies of three agents.

# %%
every = list(all_topologies(3))
nested = [nesting.is_nested(sets) for sets in every]
uniform = np.full((2, 2, 2), 1 / 8)
generic = np.random.default_rng(0).dirichlet(np.ones(8)).reshape(2, 2, 2)
fixes = {
    name: [nesting.identification_dim(policy, sets) == 0 for sets in every]
    for name, policy in (("uniform", uniform), ("generic", generic))
}
assert fixes["uniform"] == nested
counts = {
    "topologies": len(every),
    "nested: they fix every positive joint policy": sum(nested),
    "of them strictly nested": sum(map(nesting.is_strictly_nested, every)),
    "they fix one generic joint policy": sum(fixes["generic"]),
    "a common source of noise": sum(map(nesting.has_common_source, every)),
}
pd.Series(counts, name="of three agents")

# %% [markdown]
# So "only if" is about the worst joint policy. The last line is another condition: SVNR's networks share *noise*, not
# actions, u_i = f_i(ξ_i, ξ_{C_i}). One ξ_k that reaches everybody serves as a common seed, and a star is enough,
# though it is not nested. Where probabilities vanish, nestedness promises less than it seems:

# %%
corner = np.array([[0, 0.3], [0.7, 0]])
open_dims = {
    name: nesting.identification_dim(corner, TOPOLOGIES[name](2)) for name in ("full", "strict")
}
pd.Series(open_dims, name="dimensions left open, π = [[0, 0.3], [0.7, 0]]")

# %%
finding(
    (
        fixes["uniform"] == nested and sum(fixes["generic"]) > sum(nested),
        "The theorem holds as a statement about all positive joint policies; some that are not nested fix a generic one.",
    ),
    (
        open_dims == {"full": 1, "strict": 0},
        "Where probabilities vanish, as π*'s do when annealing ends, full sets leave the weights of the two modes open "
        "and strict sets do not.",
    ),
)

# %% [markdown]
# ## 5. Particles
#
# > "φ_i*(u_{C_i}) = E_{y∼p}[k_i(u_{C_i}, y_{C_i}) ∇_{y_i} log π*(y_i | y_{C_i}) + ∇_{y_i} k_i(u_{C_i}, y_{C_i∖{i}})]" (6.4)
#
# Each agent moves its own coordinate by SVGD (Stein variational gradient descent, [03](03_particles.ipynb)), with a
# kernel on what it knows: message-passing SVGD (MPSVGD). Here C_i holds i itself. Two remarks. The last kernel, as printed, does not contain y_i: its gradient is zero and there is no
# push; appendix B has it right. And the score: (6.4) takes that of the *conditional*, p(u_i | u_{C_i}); (7.2) takes
# that of the *joint*. We name the one we use.


# %%
def mixture(modes, weights=None):
    """The log-density, up to a constant, of bumps of deviation 0.7."""
    modes = torch.tensor(modes)
    logs = torch.log(torch.tensor(weights or [1.0] * len(modes)))
    return lambda u: torch.logsumexp(-((u[..., None, :] - modes) ** 2).sum(-1) / 0.98 + logs, -1)


MODES = [[-2.0, 2.0], [2.0, -2.0]]
log_target, own = mixture(MODES), score_of(mixture([[-2.0], [2.0]]))
joint_score = score_of(log_target)
scores = {
    "joint": joint_score,
    "strict": lambda u: torch.cat([own(u[..., :1]), joint_score(u)[..., 1:]], -1),
    "empty": lambda u: torch.cat([own(u[..., :1]), own(u[..., 1:])], -1),
}

# %% [markdown]
# The conditional of strict sets: agent 1 follows its marginal, `own`, and agent 2 the joint, because
# ∂₂ log p(u₂ | u₁) = ∂₂ log p(u₁, u₂). One direction by hand, agent by agent:

# %%
points = torch.randn(6, 2, generator=torch.Generator().manual_seed(1))
score = joint_score(points)
found = negotiated_direction(points, points, score, kernel_mask(strict(2), (1, 1)))
for agent, seen in ((0, [0]), (1, [0, 1])):
    apart = points[:, None, seen] - points[None, :, seen]
    distances = (apart**2).sum(-1)
    h = distances[~torch.eye(6, dtype=torch.bool)].median() / np.log(6)
    k = torch.exp(-distances / h)
    push = -2 / h * (points[:, None, agent] - points[None, :, agent]) * k
    phi = (k * score[:, None, agent] + push).mean(0)
    assert torch.allclose(phi, found[:, agent], atol=1e-5)

# %% [markdown]
# **What to expect.** Full and strict sets find both modes. Empty sets lose the correlation if each agent follows its
# marginal: half of the particles end in corners where nobody should be. Without the push the clouds shrink.

# %%
begin = 3 * torch.randn(4, n_particles, 2, generator=torch.Generator().manual_seed(0))
plans = {
    "full, joint": (full(2), scores["joint"]),
    "strict, joint": (strict(2), scores["joint"]),
    "strict, conditional": (strict(2), scores["strict"]),
    "empty, joint": (none(2), scores["joint"]),
    "empty, conditional": (none(2), scores["empty"]),
}
paths = {
    name: negotiate(begin, score, sets, n_rounds, step_size=0.3)
    for name, (sets, score) in plans.items()
}
u = begin
for _ in range(n_rounds):  # (6.4) as printed, full sets, h = 1: the pull alone
    k = torch.exp(-torch.cdist(u, u).square())
    u = u + 0.3 * k @ joint_score(u) / n_particles
ends = {name: path[-1] for name, path in paths.items()} | {"full, (6.4) as printed": u}


# %%
def shares(u, modes=MODES):
    """Where clouds [4, M, D] ended, averaged over the clouds."""
    away, mode = ((u[..., None, :] - torch.tensor(modes)) ** 2).sum(-1).min(-1)
    at_mode = torch.stack([(mode == m).float().mean(-1) for m in range(len(modes))])
    return {
        "off the modes": (away > 2.1**2).float().mean().item(),
        "largest mode": at_mode.amax(0).mean().item(),
        "deviation (0.7)": (away[away < 2.1**2].mean() / u.shape[-1]).sqrt().item(),
    }


ended = pd.DataFrame({name: shares(u) for name, u in {"start": begin, **ends}.items()}).T
ended.round(2)

# %%
ticks = torch.linspace(-5, 5, 81)
density = log_target(torch.stack(torch.meshgrid(ticks, ticks, indexing="ij"), -1)).exp().numpy()
panels = {}
for name, u in ends.items():
    panels[f"{name}\n{shares(u)['off the modes']:.0%} off the modes"] = u[0].numpy()
title = "Knowing the partners keeps the modes, the push keeps their width"
note = f"One of {len(begin)} clouds of {n_particles} particles; shares over all of them."
figure = figures.clouds(panels, density, 5, title, note)
outputs.figure(figure, "negotiated_clouds", "Negotiated particles, by set and score", note=note)

# %%
off, largest = ended["off the modes"], ended["largest mode"]
finding(
    (
        off["full, joint"] == 0 and abs(largest["full, joint"] - largest["start"]) < 0.1,
        f"Full sets leave no particle off the modes, and the weights of the modes nearly as the start had them "
        f"({largest['full, joint']:.0%} at the larger one, from {largest['start']:.0%}).",
    ),
    (
        0 < off["strict, conditional"] < off["strict, joint"] < 0.2,
        f"Strict sets leave some between the modes: {off['strict, joint']:.0%} with the score of the joint, "
        f"{off['strict, conditional']:.0%} with the conditional one.",
    ),
    (
        largest["empty, joint"] > 0.8 and off["empty, conditional"] > 0.4,
        f"Empty sets lose a mode (joint score: {largest['empty, joint']:.0%} at one of the two) or the correlation "
        f"(conditional: {off['empty, conditional']:.0%} off the modes).",
    ),
    (
        ended.iloc[-1, 2] < 0.1,
        f"As printed, (6.4) lets the clouds of full sets shrink to points (deviation {ended.iloc[-1, 2]:.2f}).",
    ),
)

# %% [markdown]
# With three agents all six topologies differ. The target has four modes, the even corners of parity: any two
# agents alone look independent. The score is that of the joint.

# %%
EVEN = [[2.0, 2.0, -2.0], [2.0, -2.0, 2.0], [-2.0, 2.0, 2.0], [-2.0, -2.0, -2.0]]
begin = 3 * torch.randn(4, n_particles, 3, generator=torch.Generator().manual_seed(0))
even_score = score_of(mixture(EVEN))
three = {}
for name, topology in TOPOLOGIES.items():
    path = negotiate(begin, even_score, topology(3), n_rounds, step_size=0.3)
    three[name] = shares(path[-1], EVEN) | {"last move": (path[-1] - path[-2]).abs().max().item()}
three = pd.DataFrame(three).T
three.round(3)

# %%
off = three["off the modes"]
finding(
    (
        off["full"] == 0 and off.idxmax() == "empty",
        f"Full sets put no particle between the modes, empty sets {off['empty']:.0%}; the others lie between.",
    )
)

# %% [markdown]
# ## 6. Do they agree?
#
# > "lim_{k→K} f_i^k(u_i | s, u_{C_i}^{ℓ,k−1}) = u_i^{ℓ,k−1}, […] lim_{k→K} p(u^k | s) = π*(u^k | s)" (5.2)
#
# The first condition: one more round is the identity map. We follow the largest move of any particle.

# %%
moves = {name: (path[1:] - path[:-1]).abs().amax(-1) for name, path in paths.items()}  # [K, 4, M]
curves = [
    pd.DataFrame({"round": range(1, n_rounds + 1), "move": move.amax((1, 2))})[::5].assign(
        sets=f"{name}: {ended.loc[name, 'off the modes']:.0%} off"
    )
    for name, move in moves.items()
]
labels = ("round", "largest move of a particle")
title = "All come to rest, some of them off the modes"
caption = (
    f"The largest of {begin.shape[0]} × {n_particles} particles; names tell what share ended off the modes. "
    "Solid: score of the joint; dashed: of the conditional."
)
asked = (1e-2, "agreed")
table = pd.concat(curves)
figure = figures.lines(
    table, "round", "move", "sets", labels, title, asked, log="y", caption=caption
)
outputs.figure(figure, "agreement_curves", "Agreement of negotiated particles")

# %%
agreed = {name: has_agreed(path[-2], path[-1], tolerance=1e-2) for name, path in paths.items()}
pd.Series(agreed, name="agreed")

# %%
stirred = {}  # sets → how far from the modes the particle was that moved again after a lull
for name, move in moves.items():
    largest = move.amax((1, 2))
    rise = largest / largest.cummin(0).values
    if (k := int(rise.argmax())) and rise[k] > 10:
        mover = paths[name][k].reshape(-1, 2)[int(move[k].argmax())]
        stirred[name] = torch.cdist(mover[None], torch.tensor(MODES)).min().item()

# %%
off = ended["off the modes"]
finding(
    (
        all(agreed.values()),
        f"All have agreed, and up to {off[list(paths)].max():.0%} of a cloud is off the modes.",
    ),
    (
        len(stirred),
        f"A lull is not the end either: the largest move rises more than tenfold again with {'; '.join(stirred)}.",
    ),
    (
        stirred and min(stirred.values()) > 1.4,
        "The particle that moves then is a stray one, two deviations or more from both modes.",
    ),
    (
        all(agreed.values()) and off.max() > 0.1,
        "So the second condition must be checked by itself.",
    ),
)

# %% [markdown]
# ## 7. Beyond the paper: two remedies on Max of Three
#
# With the *true* reward and α = 1, where do particles end on Max of Three with s₂ = 1.5? We know the exact answer
# from a grid: nearly all mass lies at the right hill.
#
# **What to expect.** Particles follow the slope they stand on, so they should end at the right hill as often as they
# begin below it.

# %%
game = max_of_three(1.5)
axis = torch.linspace(-1, 1, 121)
cells = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
mass = torch.softmax(game.reward(cells), 0)
trap, optimum = (torch.tensor(peak.u) for peak in (game.trap, game.optimum))
on_right = (cells - optimum).norm(dim=-1) < (cells - trap).norm(dim=-1)
draws = torch.Generator().manual_seed(0)
exact = cells[torch.multinomial(mass, 1000, replacement=True, generator=draws)]


def right_hill(u):
    """Which joint actions get their reward from the right hill."""
    wrong = game.hills[0]
    apart = (10 * u - torch.tensor(wrong.center)) / wrong.width
    return game.reward(u) > wrong.offset - wrong.height * apart.square().sum(-1) + 1e-4


# %%
score = pre_tanh(boltzmann_score(game.reward, 1.0))
sizes = [n for n in (8, 16, 32, 64) if n <= n_particles]
tries = []
for n in sizes:
    begin = 1.2 * torch.randn(n_starts, n, 3, generator=draws)
    cloud = torch.tanh(negotiate(begin, score, full(3), n_rounds, step_size=0.02)[-1])
    right = right_hill(cloud).float()
    best = right.gather(1, game.reward(cloud).argmax(1, keepdim=True))
    tries.append(
        {
            "particles": n,
            "began at the right hill": right_hill(torch.tanh(begin)).float().mean().item(),
            "ended there": right.mean().item(),
            "particle 0": right[:, 0].mean().item(),
            "best particle": best.mean().item(),
        }
    )
tries = pd.DataFrame(tries)
tries.set_index("particles").round(3)

# %% [markdown]
# **Execute the best particle.** Theorem 5.2 executes particle 0. All agents share all particles, so they
# may as well agree on the one with the highest Q: the same index for all, and no message.

# %%
title = "The best of the particles finds the hill, the first seldom does"
caption = f"Shares of {n_starts} clouds of each size, from random starts; s₂ = 1.5, α = 1, the true reward."
figure = figures.best_particle(tries, title, caption)
outputs.figure(figure, "best_particle", "Execute the best particle")

# %% [markdown]
# **Births and deaths.** Between blocks of SVGD, particles die where there are more than the target wants
# and are doubled where there are fewer, at the rate log kde(x) − log p(x), where kde is the density that a kernel
# estimates from the cloud. This moves mass between modes, which SVGD does not. We measure the *energy distance* to
# exact samples, 2 E‖x − y‖ − E‖x − x′‖ − E‖y − y′‖, and try the 80 to 20 target of notebook 03 as well.


# %%
def log_p(z):
    """Log-density of z, u = tanh(z), at α = 1."""
    u = torch.tanh(z)
    return game.reward(u) + torch.log(1 - u**2 + 1e-6).sum(-1)


def energy_distance(x, y):
    """Between two clouds, in the game's units."""
    across, within = torch.cdist(x, y).mean(), torch.cdist(x, x).mean() + torch.cdist(y, y).mean()
    return 10 * (2 * across - within).item()


# %%
helped = [  # the first clouds of the largest size, from where they began
    torch.tanh(svgd_with_births(z, log_p, 10, n_rounds // 10, 0.02, 0.05, draws))
    for z in begin[:3]
]
uneven = mixture(MODES, [0.8, 0.2])
begin = 3 * torch.randn(n_particles, 2, generator=draws)
plain = svgd(begin, score_of(uneven), n_rounds, 0.3)[-1]
reborn = svgd_with_births(begin, uneven, 10, n_rounds // 10, 0.3, 0.5, draws)


# %%
def measures(clouds, u):
    """What became of clouds on Max of Three, and of one on the 80 to 20 target."""
    return {
        "Max of Three: at the right hill": right_hill(torch.stack(clouds)).float().mean().item(),
        "Max of Three: energy distance": np.mean([energy_distance(x, exact) for x in clouds]),
        "80 : 20 target: at the first mode": (u[:, 1] > u[:, 0]).float().mean().item(),
    }


ends = {"SVGD": (list(cloud[:3]), plain), "with births and deaths": (helped, reborn)}
helps = pd.DataFrame({name: measures(*end) for name, end in ends.items()})
helps["exact"] = [mass[on_right].sum().item(), 0.0, 0.8]
note = f"{len(helped)} clouds on Max of Three, from the same starts; one on the 80 : 20 target"
outputs.table(helps.round(4), "births_and_deaths", "Births and deaths", note=note)

# %%
most, without, reborn_too = tries.iloc[-1], helps.iloc[:, 0], helps.iloc[:, 1]
finding(
    (
        (tries["ended there"] - tries["began at the right hill"]).abs().max() < 0.1,
        f"Particles end at the right hill about as often as they begin below it ({most['ended there']:.0%} against "
        f"{most['began at the right hill']:.0%}).",
    ),
    (
        tries["particle 0"].max() < 0.5,
        f"Particle 0 is there in {most['particle 0']:.0%} of the clouds.",
    ),
    (
        tries["best particle"].is_monotonic_increasing and most["best particle"] > 0.9,
        f"The best particle is there in {tries['best particle'].iloc[0]:.0%} of the clouds of {sizes[0]} and in "
        f"{most['best particle']:.0%} of those of {sizes[-1]}.",
    ),
    (
        reborn_too.iloc[0] > 0.95 and reborn_too.iloc[1] < 1 < without.iloc[1],
        f"Births and deaths bring {reborn_too.iloc[0]:.0%} of the particles of {len(helped)} clouds over.",
    ),
    (
        abs(reborn_too.iloc[2] - 0.8) < 0.1 < abs(without.iloc[2] - 0.8),
        f"On the uneven target they bring the first mode, of one cloud, from {without.iloc[2]:.0%} to {reborn_too.iloc[2]:.0%}.",
    ),
)

# %% [markdown]
# ## 8. While the temperature falls
#
# Learners do not begin at α = 1. They begin hot, where π*_α lies about the box, and cool. Can particles follow it? We
# let a cloud of them negotiate by (7.2) with strict sets, twenty rounds at each temperature, on Max of Three with s₂ = 1.
# A second cloud does the same, and before its rounds each particle is challenged by ten joint actions, uniform in the
# box: one replaces it with probability min(1, exp((r(u′) − r(u))/α)) (`stein.births`, not section 7's births and deaths; SVNR-B in
# [13](13_where_it_breaks.ipynb) is made with them).
#
# **What to expect.** (7.2) is felt as far as its kernel reaches, and the hills are far apart: the share at the right
# hill stays near what it was at first, whatever the target does. A birth asks only for room, and follows.

# %%
narrow, falling = max_of_three(1.0), np.geomspace(10, 0.3, max(2, n_rounds // 40))


def cooled(n_births):
    """The cloud [M, 3] at each temperature: births, then rounds of (7.2)."""
    luck = torch.Generator().manual_seed(0)
    z = births.latent(births.uniform(n_particles, 3, generator=luck))
    for alpha in falling:
        rivals = births.uniform(n_births, *z.shape, generator=luck)
        values = narrow.reward(z.tanh()), narrow.reward(rivals)
        z, _ = births.reborn(z, values[0], births.latent(rivals), values[1], alpha, luck)
        score = pre_tanh(boltzmann_score(narrow.reward, alpha))
        z = negotiate(z, score, strict(3), 20, step_size=0.03 * alpha**0.5)[-1]
        yield z.tanh()


# %%
ways = {"(7.2) alone": list(cooled(0)), "with births": list(cooled(10))}
payoff = narrow.reward(cells).double().numpy().reshape(121, 121, 121)[::2, ::2, ::2]
moments = [
    figures.Moment(
        alpha=alpha,
        exact=right_mass(two_hills(narrow), alpha),
        density=maxent.boltzmann(payoff, alpha).sum(axis=1),
        clouds={way: 10 * path[k].numpy() for way, path in ways.items()},
        shares={
            way: narrow.pays_most(path[k]).float().mean().item() for way, path in ways.items()
        },
    )
    for k, alpha in enumerate(falling)
]

# %%
shown = np.unique(np.linspace(0, len(moments) - 1, 5).round().astype(int))
title = "Negotiated particles end at the wrong hill; births carry them over"
told = f"Max of Three, s₂ = 1; {n_particles} particles."
figure = figures.cooling([moments[k] for k in shown], title, told)
note = "green: π* and its share; beside it the share of particles that the right hill pays"
outputs.figure(figure, "negotiation_moments", "Particles while α falls", note=note)

# %%
frames = (figures.cooling_frame(moment, "Max of Three, s₂ = 1") for moment in moments)
told = "Particles negotiate while α falls"
gif = outputs.animation(frames, "negotiation_animation", told, seconds=0.2, note=note)
HTML(as_html(gif, told))

# %%
at_first = births.uniform(n_particles, 3, generator=torch.Generator().manual_seed(0))
began = narrow.pays_most(at_first).float().mean().item()
plainly, helped = moments[-1].shares.values()
finding(
    (
        plainly < 0.5 < moments[-1].exact,
        f"At α = {falling[-1]:g}, where {moments[-1].exact:.0%} of π* is at the right hill, it pays {plainly:.0%} of the "
        f"particles by (7.2) alone, and paid {began:.0%} of them at first.",
    ),
    (helped > 0.8, f"With births it pays {helped:.0%}."),
)

# %% [markdown]
# ## Against the paper
#
# | statement | verdict |
# |---|---|
# | Theorem 5.1 | holds; a finite cloud meets its condition in the limit only |
# | Theorem 5.2 | needs the *same* particle for all |
# | Theorem A.1 | holds for all positive policies, with ⊂ read as ⊆; for shared noise a common source is enough |
# | (6.4) | the last kernel is a misprint; (7.2) takes another score than (6.4) |
# | negotiation converges to π* (§6.1) | exact for strict sets on finite games; clouds with strict sets come to rest with some of the particles off the modes (section 5), and have the weights of the modes from where they began |
#
# ## Adapt this
#
# Put your own sets into `TOPOLOGIES`, or a game into `cases`.
#
# ## Exercises
#
# 1. Let the ring negotiate on parity from another `start`. Does it ever stop at π*?
# 2. Replace the simultaneous rounds of section 5 by `order="sequential"`. What changes?
# 3. Run section 7 with strict sets. How many particles does the best one need now?
#
# ## In one paragraph
#
# On finite games strictly nested agents agree in N rounds on π*; others may cycle, freeze, or agree on something else.
# Clouds of particles seldom cross to a mode that lacks mass unless they are helped, and with strict sets some stay
# between the modes. Next:
# [05 · Policy iteration](05_policy_iteration.ipynb), where Q has to be learned as well.
