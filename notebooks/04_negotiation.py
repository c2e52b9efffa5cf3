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
# # 04 · Negotiation
#
# **Question.** When do rounds of negotiation end in the optimal joint policy?
#
# **Claim.** "When {C_i} satisfies the strict nested requirement […], negotiated reasoning converges and the
# agreement is identical to optimal joint policy." (§6.1)
#
# **Paper.** §5, (5.1), (5.2), Theorems 5.1 and 5.2; §6.1, (6.2) to (6.4); (7.2); Theorem A.1.
#
# **Reads.** Nothing.
#
# **Makes.** The table of topologies, Gibbs sweeps, clouds of negotiated particles, agreement curves, two cures.
#
# **Takes.** About two minutes on one core.

# %%
import numpy as np
import pandas as pd
import torch

from svnr.games.differential import max_of_three
from svnr.games.matrix import (
    climbing,
    figure_1a,
    figure_1b,
    one_volunteer,
    parity,
    team_stag_hunt,
)
from svnr.report import particle_figures as figures
from svnr.report.provenance import Outputs
from svnr.stein.birth_death import svgd_with_births
from svnr.stein.negotiation import has_agreed, kernel_mask, negotiate, negotiated_direction
from svnr.stein.svgd import boltzmann_score, pre_tanh, score_of, svgd
from svnr.theory import finite_negotiation as finite
from svnr.theory import maxent, nesting

torch.set_num_threads(1)

# %% tags=["parameters"]
grid: int = 41  # points of each agent's noise in the finite games
n_particles: int = 64  # M
n_rounds: int = 1500  # K rounds of negotiation with particles
n_starts: int = 10  # clouds of particles on Max of Three
gibbs_alphas: list = [1.0, 0.7, 0.5, 0.35, 0.25, 0.2, 0.15]  # temperatures of the Gibbs sweeps
scale: str = "paper"  # how much is run: smoke, quick or paper
output: str = ""  # folder for figures; empty: this repository's own

# %%
outputs = Outputs(
    "04_negotiation",
    scale,
    output,
    {
        "grid": grid,
        "n_particles": n_particles,
        "n_rounds": n_rounds,
        "n_starts": n_starts,
        "gibbs_alphas": gibbs_alphas,
    },
)
TOPOLOGIES = {
    "strict": nesting.strict,
    "full": nesting.full,
    "star": nesting.star,
    "chain": nesting.chain,
    "ring": nesting.ring,
    "empty": nesting.none,
}

# %% [markdown]
# ## 1. Rounds, with everything countable
#
# > "u_i^{ℓ,k} = f_i^k(u_i | s, u_{C_i}^{ℓ,k−1}), ∀ i ≤ N, ℓ ≤ M, k ≤ K" (5.1)
#
# In every round each agent looks at what its set did in the round before, and chooses anew. On a finite game we
# can give it the best possible rule: draw from the conditional π*(u_i | u_{C_i}), with *noise that stays fixed*,
# ξ_i between 0 and 1. Then "agreement" (5.2) means what it says: nobody moves any more. One round, for two agents
# with strict sets, by hand:

# %%
q, alpha = figure_1a().payoff, 0.5
joint = maxent.boltzmann(q, alpha)
first, second = joint.sum(axis=1), joint / joint.sum(axis=1, keepdims=True)
noise = finite.noise_grid(2, grid)
u = np.ones((len(noise), 2), dtype=int)  # everybody begins with the last action
moved = np.stack([noise[:, 0] > first[0], noise[:, 1] > second[u[:, 0], 0]], axis=1).astype(int)
rules = finite.cumulative_conditionals(q, alpha, nesting.strict(2))
assert (moved == finite.one_round(rules, nesting.strict(2), u, noise)).all()

# %% [markdown]
# **What to expect.** With strict sets agent 1 is right after one round and never moves again; agent 2 is right one
# round later; after N rounds all stop, at π*. With full sets everyone waits for everyone. With empty sets all stop
# at once, and what they stop at is the product of the marginals.

# %%
cases = {
    "Figure 1b, α = 0.1": (figure_1b(), 0.1),
    "stag hunt, α = 2": (team_stag_hunt(), 2.0),
    "climbing, α = 2": (climbing(), 2.0),
    "one volunteer, α = 0.1": (one_volunteer(), 0.1),
    "parity, α = 0.1": (parity(), 0.1),
}


def outcome(game, alpha, sets):
    """How a negotiation ends: after how many rounds, how near to π*, and what it earns."""
    end = finite.negotiate(game.payoff, alpha, sets, grid=grid)
    away = maxent.total_variation(end.joint, maxent.boltzmann(game.payoff, alpha))
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
outputs.table(
    rounds.reset_index().set_index("game"),
    "negotiation_rounds",
    "Rounds to agreement, by topology",
    note="strict sets agree within N rounds at π*; full sets cycle on Figure 1b and stick in the stag hunt",
)
rounds.unstack("sets")["rounds"][list(TOPOLOGIES)]

# %%
rounds.unstack("sets")["distance to π*"][list(TOPOLOGIES)]

# %%
strict_rows = rounds.xs("strict", level="sets")
assert (strict_rows["distance to π*"] < 0.02).all()
assert all(
    int(r) <= game.payoff.ndim
    for r, (game, _) in zip(strict_rows["rounds"], cases.values(), strict=True)
)

# %% [markdown]
# **Finding.** Strict sets agree within N rounds, at π* up to the grid, in every game. Full sets do not: on Figure
# 1b all particles switch for ever, and in the stag hunt they freeze where they began. So "agreement" and "the
# optimal policy" are two conditions, as (5.2) writes them, and only strict nesting gives both.

# %% [markdown]
# ## 2. One at a time
#
# > "This motivates us to design a negotiation policy that minimizes the (6.2)", fixing the others' actions.
#
# The cure for full sets is manners: one agent after the other, with fresh noise. Each such move solves (6.2)
# exactly and the divergence to π* never rises. This is Gibbs sampling, and it has Gibbs sampling's trouble: from
# one optimum to the other a single agent must pass through a bad joint action.

# %%
q, wrong = figure_1b().payoff, np.zeros((2, 2))
wrong[0, 0] = 1
sweeps = [
    {
        "alpha": alpha,
        "sets": name,
        "sweeps": len(finite.gibbs_negotiate(q, alpha, sets, wrong, sweeps=5000, tolerance=1e-3))
        - 1,
    }
    for name, sets in (("full", nesting.full(2)), ("strict", nesting.strict(2)))
    for alpha in gibbs_alphas
]
outputs.figure(
    figures.lines(
        pd.DataFrame(sweeps),
        "alpha",
        "sweeps",
        "sets",
        ("temperature α", "sweeps until KL < 0.001"),
        "Figure 1b: full sets pay for cooling, strict sets do not",
        log="xy",
    ),
    "gibbs_sweeps",
    "Gibbs sweeps against temperature",
)

# %% [markdown]
# ## 3. Which sets can represent every joint policy?
#
# > "It can achieve full joint policy representation capacity if and only if there exists a permutation σ […] that
# > satisfies {i+1, …, N} ⊂ {σ(j) | ∀ j ∈ C_{σ^{−1}(i)}}" (Theorem A.1)
#
# In words: in some order, everybody knows all who come before. The ⊂ must allow equality. We count the topologies
# of three agents that satisfy it, and check what "full capacity" means: the conditionals π(u_i | u_{C_i}) leave no
# freedom in the joint.

# %%
every = list(nesting.all_topologies(3))
uniform = np.full((2, 2, 2), 1 / 8)
free = [nesting.identification_dim(uniform, sets) for sets in every]
assert all((dim == 0) == nesting.is_nested(sets) for sets, dim in zip(every, free, strict=True))
pd.Series(
    {
        "topologies": len(every),
        "nested": sum(map(nesting.is_nested, every)),
        "strictly nested": sum(map(nesting.is_strictly_nested, every)),
        "with a common source": sum(map(nesting.has_common_source, every)),
    }
)

# %% [markdown]
# The last line is another condition. SVNR's networks share *noise*, not actions: u_i = f_i(ξ_i, ξ_{C_i}). Then one
# ξ_k that reaches everybody can serve as a common seed, and a star is enough, though it is not nested. In the
# other direction nestedness promises less than it seems where probabilities vanish:

# %%
corner = np.array([[0, 0.3], [0.7, 0]])
pd.Series(
    {
        name: nesting.identification_dim(corner, sets)
        for name, sets in (("full", nesting.full(2)), ("strict", nesting.strict(2)))
    },
    name="dimensions left open, π = [[0, 0.3], [0.7, 0]]",
)

# %% [markdown]
# **Finding.** The theorem holds as a statement about all positive joint policies. At low temperature π* is nearly
# not positive, and the full sets leave the weights of the two modes open, exactly where annealing ends.

# %% [markdown]
# ## 4. Particles
#
# > "φ_i*(u_{C_i}) = E_{y∼p}[k_i(u_{C_i}, y_{C_i}) ∇_{y_i} log π*(y_i | y_{C_i}) + ∇_{y_i} k_i(u_{C_i}, y_{C_i∖{i}})]" (6.4)
#
# Each agent moves its own coordinate by SVGD, with a kernel on what it knows. Two remarks before we run it. The
# last kernel, as printed, does not contain y_i, so its gradient is zero and there is no push; appendix B has it
# right. And the score: (6.4) takes that of the *conditional*, p(u_i | u_{C_i}); (7.2) takes that of the *joint*.
# We name the one we use.


# %%
def log_target(u):
    """Two equal modes at (−2, 2) and (2, −2), standard deviation 0.7."""
    modes = torch.tensor([[-2.0, 2.0], [2.0, -2.0]])
    return torch.logsumexp(-((u[..., None, :] - modes) ** 2).sum(-1) / (2 * 0.7**2), -1)


joint_score = score_of(log_target)


def conditional_score(u):
    """∂_i log p(u_i | u_{C_i}) for strict sets: agent 1 its marginal's, agent 2 the joint's."""
    own = score_of(
        lambda x: torch.logsumexp(-((x - torch.tensor([-2.0, 2.0])) ** 2) / (2 * 0.7**2), -1)
    )
    return torch.stack([own(u[..., :1])[..., 0], joint_score(u)[..., 1]], -1)


# %%
points = torch.randn(6, 2, generator=torch.Generator().manual_seed(1))
score = joint_score(points)
for agent, seen in ((0, [0]), (1, [0, 1])):
    apart = points[:, None, seen] - points[None, :, seen]
    h = (apart**2).sum(-1).flatten().median() / np.log(6)
    k = torch.exp(-(apart**2).sum(-1) / h)
    push = -2 / h * (points[:, None, agent] - points[None, :, agent]) * k
    phi = (k * score[:, None, agent] + push).mean(0)
    found = negotiated_direction(points, points, score, kernel_mask(nesting.strict(2), (1, 1)))
    assert torch.allclose(phi, found[:, agent], atol=1e-5)

# %% [markdown]
# **What to expect.** Full and strict sets find both modes. Empty sets find one, or lose the correlation: each agent
# fits its own marginal. Without the push the clouds shrink.

# %%
begin = 3 * torch.randn(n_particles, 2, generator=torch.Generator().manual_seed(0))
plans = {
    "full, joint score": (nesting.full(2), joint_score),
    "strict, joint score": (nesting.strict(2), joint_score),
    "strict, conditional": (nesting.strict(2), conditional_score),
    "empty, joint score": (nesting.none(2), joint_score),
}
paths = {
    name: negotiate(begin, score, sets, n_rounds, step_size=0.3)
    for name, (sets, score) in plans.items()
}


# %%
def without_push(u, n_rounds):
    """(6.4) as printed: the kernel's gradient in y_i is zero."""
    for _ in range(n_rounds):
        k = torch.exp(-((u[:, None] - u[None]) ** 2).sum(-1))
        u = u + 0.3 * (k[..., None] * joint_score(u)[:, None]).mean(0)
    return u


ends = {name: path[-1] for name, path in paths.items()} | {
    "as (6.4) prints": without_push(begin, n_rounds)
}
ticks = torch.linspace(-5, 5, 81)
density = log_target(torch.stack(torch.meshgrid(ticks, ticks, indexing="ij"), -1)).exp().numpy()
outputs.figure(
    figures.clouds(
        {name: u.numpy() for name, u in ends.items()},
        density,
        5,
        "Who knows whom, and which score",
    ),
    "negotiated_clouds",
    "Negotiated particles, by topology and score",
)

# %%
pd.DataFrame(
    {
        name: {
            "at the first mode": ((u[:, 0] < 0) & (u[:, 1] > 0)).float().mean().item(),
            "off both modes": (log_target(u) < -4.5).float().mean().item(),
            "deviation within a mode (0.7)": (u.abs() - 2).square().mean().sqrt().item(),
        }
        for name, u in ends.items()
    }
).T.round(2)

# %% [markdown]
# **Finding.** Full sets make clean clouds. Strict sets leave a few particles between the modes, with either score: a
# bias of finite clouds that more rounds do not mend. Empty sets lose a mode or the correlation. As printed, (6.4)
# lets every cloud shrink to a point.

# %% [markdown]
# ## 5. Do they agree?
#
# The first condition of (5.2): one more round is the identity map. We follow the largest move of any particle.

# %%
curves = pd.concat(
    pd.DataFrame(
        {
            "sets": name,
            "round": range(1, n_rounds + 1),
            "move": (path[1:] - path[:-1]).abs().amax((1, 2)),
        }
    )
    for name, path in paths.items()
)
outputs.figure(
    figures.lines(
        curves[curves["round"] % 5 == 0],
        "round",
        "move",
        "sets",
        ("round", "largest move of a particle"),
        "All come to rest, also at the wrong policy",
        log="y",
    ),
    "agreement_curves",
    "Agreement of negotiated particles",
)
pd.Series(
    {name: has_agreed(path[-2], path[-1], tolerance=1e-2) for name, path in paths.items()},
    name="agreed",
)

# %% [markdown]
# **Finding.** Coming to rest says nothing about where. The second condition of (5.2) must be checked by itself.

# %% [markdown]
# ## 6. Max of Three, and two cures beyond the paper
#
# With the *true* reward and α = 1, where do particles end on Max of Three with s₂ = 1.5? Nearly all of the exact
# mass lies at the right hill.

# %%
game = max_of_three(1.5)
score = pre_tanh(boltzmann_score(game.reward, 1.0))
draws = torch.Generator().manual_seed(0)


def clouds_of(n):
    """n clouds of particles, negotiated with full sets from a wide start."""
    begin = 1.2 * torch.randn(n, n_particles, 3, generator=draws)
    return torch.tanh(negotiate(begin, score, nesting.full(3), n_rounds, step_size=0.02)[-1])


cloud = clouds_of(n_starts)
rewards = game.reward(cloud)
plain = (rewards > 2).float().mean().item()

# %% [markdown]
# **Cure one: execute the best particle.** Theorem 5.2 executes particle 0. All agents share all particles, so they
# may as well agree on the one with the highest Q: same index for all, no message needed.
#
# **Cure two: births and deaths.** Between blocks of SVGD, particles die where there are more than the target wants
# and are doubled where there are fewer (rate log kde − log p). This moves mass between modes, which SVGD never
# does.


# %%
def log_p(z):
    """Log-density of z, u = tanh(z), at α = 1."""
    u = torch.tanh(z)
    return game.reward(u) + torch.log(1 - u**2 + 1e-6).sum(-1)


moved = [
    game.reward(torch.tanh(svgd_with_births(start, log_p, 10, n_rounds // 10, 0.02, 0.05, draws)))
    for start in 1.2 * torch.randn(min(3, n_starts), n_particles, 3, generator=draws)
]
cures = pd.Series(
    {
        "particles at the right hill": plain,
        "particle 0 at the right hill": (rewards[:, 0] > 2).float().mean().item(),
        "best particle at the right hill": (rewards.amax(1) > 2).float().mean().item(),
        "particles at the right hill, with births": torch.cat(moved).gt(2).float().mean().item(),
    },
    name="share",
).round(3)
outputs.table(
    cures.to_frame(),
    "two_cures",
    "Two cures on Max of Three, s₂ = 1.5",
    note="shares at the right hill",
)


# %%
def uneven(u):
    """Section 3 of notebook 03: the two modes weighted 80 to 20."""
    modes, logs = torch.tensor([[-2.0, 2.0], [2.0, -2.0]]), torch.log(torch.tensor([0.8, 0.2]))
    return torch.logsumexp(-((u[..., None, :] - modes) ** 2).sum(-1) / (2 * 0.7**2) + logs, -1)


begin = 3 * torch.randn(n_particles, 2, generator=draws)
ends = {
    "SVGD": svgd(begin, score_of(uneven), n_rounds, 0.3)[-1],
    "with births": svgd_with_births(begin, uneven, 10, n_rounds // 10, 0.3, 0.5, draws),
}
pd.Series(
    {name: (u[:, 1] > u[:, 0]).float().mean().item() for name, u in ends.items()}
    | {"target": 0.8},
    name="first mode",
)

# %% [markdown]
# **Finding.** Particles end at the right hill about as often as they begin in its basin, and particle 0 with them.
# The best particle is there whenever any is. Births and deaths bring nearly all of them.
#
# ## Against the paper
#
# | statement | verdict |
# |---|---|
# | Theorem 5.1 | holds; with finitely many particles only in the limit |
# | Theorem 5.2 | needs the *same* particle for all |
# | Theorem A.1 | holds for all positive policies, with ⊂ read as ⊆; for shared noise a common source is enough |
# | (6.4) | the last kernel is a misprint; (7.2) takes another score than (6.4) |
# | "negotiation converges to π*" (§6.1) | exact for strict sets on finite games; for finite clouds it ends where they began |
#
# ## Adapt this
#
# Put your own sets into `TOPOLOGIES`, or a game into `cases`.
#
# ## Exercises
#
# 1. Let the ring negotiate on parity. Does it ever stop?
# 2. Replace the simultaneous rounds of section 4 by `order="sequential"`. What changes?
# 3. How many particles does cure one need at s₂ = 1.5 to succeed nine times in ten?
#
# ## In one paragraph
#
# Strictly nested agents agree in N rounds on what is best; others may cycle, freeze, or agree on something else.
# Clouds of particles end where they began unless they are helped. Next:
# [05 · Policy iteration](05_policy_iteration.ipynb), where Q has to be learned as well.
