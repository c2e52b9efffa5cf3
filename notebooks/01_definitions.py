# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 · Definitions
#
# **Question.** What exactly are perceived and executed policies, perceived and executed relative
# over-generalization (PRO and ERO), and consistent reasoning?
#
# **Claim.** "the current CTDE scheme in MARL motivates us to decompose RO to perceived relative
# over-generalization (PRO) in the training phase and executed relative over-generalization (ERO) in the
# execution phase" (§4). CTDE is centralized training with decentralized execution, MARL multi-agent
# reinforcement learning, RO relative over-generalization.
#
# **Paper.** §3.2, Definitions 4.1, 4.2 and 4.3, Figure 1.
#
# **Reads.** Nothing.
#
# **Makes.** Figure 1 (reconstructed), the panel of beliefs.
#
# **Takes.** Seconds.

# %%
import numpy as np
import pandas as pd

from svnr.games.matrix import climbing, figure_1a, figure_1b, penalty, team_stag_hunt
from svnr.report.figures import theory as figures
from svnr.report.findings import finding
from svnr.report.provenance import Outputs
from svnr.theory import distributions, maxent
from svnr.theory import overgeneralization as og

# %% tags=["parameters"]
alpha: float = 1.0  # temperature of the optimal joint policy
n_random: int = 200  # random games on which the statements are tried
scale: str = "paper"  # the name of these numbers; `svnr reproduce --scale` sets both
output: str = ""  # folder for figures; empty: this repository's own

# %%
outputs = Outputs.of("01_definitions", globals())

# %% [markdown]
# ## 1. Three policies
#
# > "Each agent i holds an execution policy π̄_i(u_i|s) to make execution in a decentralization manner and a
# > *perceived* joint policy π̂_i(u|s) to do centralized training. The perceived joint policy can be
# > factorized as π̂_i = π_i ρ_i." (§3.2)
#
# Two agents, A and B, with two actions each, are paid together. The payoff is a matrix: A picks the row, B
# the column. Figure 1 is an image whose numbers we do not have; these are the simplest that the prose of §4
# allows, and they are reconstructions. In (a) MADDPG (multi-agent deep deterministic policy gradient), which
# knows its partners by their past actions, is to suffer PRO; in (b) MASQL (multi-agent soft Q-learning) ERO.

# %%
payoff_a, payoff_b = figure_1a().payoff, figure_1b().payoff
outputs.figure(
    figures.payoffs(
        {"Figure 1a: one optimum, one risk": payoff_a, "Figure 1b: two optima": payoff_b},
        "The two games of Figure 1, reconstructed",
    ),
    "fig1_payoffs",
    "Figure 1",
    note="reconstructed from the prose of §4",
)

# %% [markdown]
# The *optimal* joint policy at temperature α is π*_α ∝ exp(Q/α) (3.3). What the partners do in it, π*_α(u_B),
# is its marginal: we add up the rows.

# %%
weights = np.exp(payoff_a / alpha)
optimal = weights / weights.sum()
assert np.allclose(optimal, maxent.boltzmann(payoff_a, alpha))
assert np.allclose(optimal.sum(axis=0), distributions.opponents(optimal, agent=0))

# %% [markdown]
# ## 2. Perceived over-generalization
#
# > "Agents suffer perceived relative over-generalization if and only if there exists an agent i whose optimal
# > perceived joint policy can be closer to the optimal joint policy when knowing the optimal opponent policy:
# > min_{π_i} D_KL(π_i ρ_i ‖ π*_α) > min_{π_i} D_KL(π_i π*_α(u_{−i}) ‖ π*_α)." (Definition 4.2)
#
# May π_i look at the partners' action? The definition does not say. Suppose it may: π_i(u_i | u_{−i}). The
# chain rule splits the divergence into a part that π_i controls and one that it does not:
#
# D_KL(π_i ρ_i ‖ π*) = E_ρ[D_KL(π_i(·|u_{−i}) ‖ π*(·|u_{−i}))] + D_KL(ρ_i ‖ π*(u_{−i})).
#
# The best π_i copies π*(·|u_{−i}) and makes the first part zero. What is left is about the *model* alone. On
# the right side of (4.2) the model is right, and nothing is left. So the gap is D_KL(ρ_i ‖ π*(u_{−i})).

# %%
history = np.array([0.5, 0.5])  # MADDPG early on: the partner was seen to act uniformly
right = optimal.sum(axis=0)
gap = (history * np.log(history / right)).sum()
assert np.isclose(gap, og.pro_gap(history, payoff_a, alpha, agent=0))

copied = optimal / optimal.sum(axis=0)  # π*(u_A | u_B)
believed = copied * history
assert np.allclose(believed, og.perceived(history, payoff_a, alpha, agent=0))
assert np.isclose((believed * np.log(believed / optimal)).sum(), gap)

# %% [markdown]
# Nats are hard to feel. Times α, the gap has a limit as α → 0: max Q − E_ρ[max Q], what the wrong model costs
# in payoff.

# %%
limit = payoff_a.max() - (history * payoff_a.max(axis=0)).sum()
assert np.isclose(limit, og.pro_gap_limit(history, payoff_a, agent=0))
assert np.isclose(1e-4 * og.pro_gap(history, payoff_a, 1e-4, 0), limit, atol=1e-3)

# %% [markdown]
# **The other reading.** Suppose π_i may *not* look: π_i(u_i). Then both sides of (4.2) have a closed form,
# −H(ρ) − log Σ exp(E_ρ[log π*]), and the right side is not zero any more, because not even the right model
# helps an agent that cannot coordinate. The definition would make no sense where the gap is negative: a wrong
# model would be better than the right one. We try the penalty game, the textbook case of over-generalization.

# %%
trap = penalty(-100).payoff
uniform = np.full(3, 1 / 3)
readings = pd.DataFrame(
    {
        reading: {
            "gap in nats": og.pro_gap(uniform, trap, alpha, 0, reading),
            "limit of α · gap": og.pro_gap_limit(uniform, trap, 0, reading),
        }
        for reading in ("conditional", "marginal")
    }
)
readings.round(3)

# %%
gaps = readings.loc["gap in nats"]
assert gaps["marginal"] < 0 < gaps["conditional"]

# %% [markdown]
# **Finding.** In the penalty game the marginal reading calls the uniform history *better* than the right model.
# So we read Definition 4.2 with π_i(u_i | u_{−i}).
#
# > "When agents are free from PRO, the perceived optimal joint policy for each agent is equal to the optimal
# > joint policy." (§4)
#
# **What to expect.** Under the conditional reading this holds to machine precision, in any game.

# %%
rng = np.random.default_rng(0)
for _ in range(n_random):
    q = rng.normal(size=tuple(rng.integers(2, 4, size=rng.integers(2, 4))))
    for i, model in enumerate(og.optimal_models(q, alpha)):
        assert abs(og.pro_gap(model, q, alpha, i)) < 1e-12
        assert np.allclose(og.perceived(model, q, alpha, i), maxent.boltzmann(q, alpha), rtol=1e-9)

# %% [markdown]
# ## 3. Executed over-generalization
#
# > "Agent i suffers executed relative over-generalization if and only if the utility of executed joint policy
# > can be improved by letting agents know others' actions." (Definition 4.1)
#
# Each agent acts by itself: π̄_i is its marginal of what it perceives, and the executed joint policy is their
# product. If agent i saw the others, it would take the best reply to each of their actions. The gain is
# E_{u_{−i}}[max_{u_i} Q] − E[Q], and it is never negative.

# %%
perceived = maxent.boltzmann(payoff_b, alpha)  # both agents believe the right thing
apart = np.outer(perceived.sum(axis=1), perceived.sum(axis=0))
assert np.allclose(apart, og.execute(perceived, "independent"))

informed = (apart.sum(axis=0) * payoff_b.max(axis=0)).sum()
gain = informed - (apart * payoff_b).sum()
assert np.isclose(gain, og.ero_gap(apart, payoff_b, agent=0))

# %% [markdown]
# **What to expect.** Three games, three combinations. Figure 1a with a uniform history shows both: A believes too
# little in the better column, and at α = 1 both agents' own draws are warm. Figure 1b with the right model shows ERO alone:
# all beliefs are right, and the agents still miss each other half of the time, because there are two optima and
# nobody says which. The stag hunt shows PRO alone: each has only seen the other stay away, stays away as well, and has
# nothing to gain by looking.

# %%
hunt, stayed_away = team_stag_hunt().payoff, np.array([0.0, 1.0])
rows = []
for name, payoff, models in (  # A's model of B and B's of A
    ("Figure 1a", payoff_a, [history, history]),
    ("Figure 1b", payoff_b, og.optimal_models(payoff_b, alpha)),
    ("stag hunt", hunt, [stayed_away, stayed_away]),
):
    beliefs = [og.perceived(model, payoff, alpha, i) for i, model in enumerate(models)]
    act = distributions.product(
        [distributions.marginals(belief)[i] for i, belief in enumerate(beliefs)]
    )
    pro = max(og.pro_gap(model, payoff, alpha, i) for i, model in enumerate(models))
    rows.append(figures.Belief(name, payoff, beliefs[0], act, pro, og.ero_gap(act, payoff)))
outputs.figure(
    figures.beliefs(
        rows,
        "PRO and ERO occur together and each alone",
        f"α = {alpha:g}. Payoffs: optima in green. Models of the other, row by row: uniform; the right one; one that always plays 1. "
        "PRO: the larger of both agents'. "
        "Exact, nothing is sampled.",
    ),
    "pro_and_ero",
    "PRO and ERO, to be seen",
    note="; ".join(f"{r.name}: {r.pro + 0:.2f} nats, {r.ero:.2f}" for r in rows),
)

# %%
both, executed_only, perceived_only = rows
finding(
    (both.pro > 0.1 and both.ero > 0.1, f"{both.name} shows PRO and ERO."),
    (
        abs(executed_only.pro) < 1e-9,
        f"{executed_only.name} shows ERO ({executed_only.ero:.2f}) alone.",
    ),
    (
        perceived_only.ero < 1e-4,
        f"The {perceived_only.name} shows PRO ({perceived_only.pro:.1f} nats) alone.",
    ),
)

# %% [markdown]
# At α > 0 every joint action is executed now and then, so every agent whose action counts at all has some ERO. What
# §4 says of the limit α → 0, the definition does not. Random games at α = ½:

# %%
draws = [rng.normal(size=(3, 3)) for _ in range(n_random)]
warm = [og.ero_gap(og.execute(maxent.boltzmann(q, 0.5)), q, i) for q in draws for i in (0, 1)]
assert min(warm) > 0
pd.Series({"least ERO gap of an agent": min(warm), "mean": np.mean(warm)}).round(3)

# %% [markdown]
# ## 4. Does "no ERO" mean "no over-generalization"?
#
# > "agents do not suffer from RO if all agents are free from ERO at convergence." (§4)
#
# Take a *pure* equilibrium that is not the best one. Nobody gains by moving alone, and all see what the others do
# anyway. So the ERO gap is zero, and the team is stuck. (A mixed equilibrium has some: Figure 1b played uniformly.)

# %%
stuck = {}
for name, game, cell in (
    ("stag hunt at (1, 1)", team_stag_hunt(), (1, 1)),
    ("climbing at (1, 1)", climbing(), (1, 1)),
    ("penalty at (1, 1)", penalty(-100), (1, 1)),
):
    executed = np.zeros_like(game.payoff)
    executed[cell] = 1
    stuck[name] = {
        "ERO": og.ero_gap(executed, game.payoff),
        "regret": og.regret(executed, game.payoff),
    }
stuck = pd.DataFrame(stuck).T
stuck

# %%
mixed = og.ero_gap(np.full((2, 2), 0.25), payoff_b)
finding(
    (
        (stuck["ERO"] == 0).all() and (stuck["regret"] > 0).all(),
        "Taken by itself the sentence is false: these teams are free from ERO and miss "
        f"{stuck['regret'].min():g} to {stuck['regret'].max():g}.",
    ),
    (mixed > 0, f"The mixed equilibrium of Figure 1b has an ERO gap of {mixed:g}."),
)

# %% [markdown]
# What is true: models that are *exactly* π*_α's (no PRO) and no ERO as α → 0 mean no regret. For then every action
# that is executed is a best reply, those of the optima among them, and replies to the same partners that are all best
# pay the same. [02](02_payoff_matrices.ipynb) tries every game of zeros and ones of some sizes.
#
# ## 5. Consistent reasoning
#
# > "Agents meet consistent reasoning if and only if all agents reason others' behaviors consistent with their
# > optimal policy ρ_i = π*_α(u_{−i}) in the training phase and reason others' behaviors consistent with their
# > executed actions during execution." (Definition 4.3)
#
# The first half is "no PRO". The second asks that the joint policy that is executed be the one that is
# perceived. Independent draws break it wherever the perceived policy is no product; a common seed keeps it.

# %%
models = og.optimal_models(payoff_b, alpha)
consistent = {
    how: og.is_consistent(models, og.execute(perceived, how), payoff_b, alpha)
    for how in ("shared", "independent")
}
assert consistent == {"shared": True, "independent": False}
pd.Series(consistent, name="consistent in Figure 1b")

# %% [markdown]
# ## Against the paper
#
# | statement | verdict |
# |---|---|
# | Definition 4.1 | zero exactly if all that is executed are pure equilibria: never above α = 0, unless nothing counts |
# | Definition 4.2 | needs π_i(u_i given u_{−i}); the other reading can be negative |
# | without PRO, perceived is optimal | holds under that reading |
# | without ERO, no over-generalization | false on its own; true together with no PRO, as α → 0 |
# | A's π̂(1, 0) = 1 against a uniform model (§4) | cannot be: A's belief has B's half in it |
#
# ## Adapt this
#
# Replace `payoff_a` by your own matrix. Rows are agent A's actions.
#
# ## Exercises
#
# 1. Find a 2×2 game in which *both* agents err against uniform partners. (There is none. Why?)
# 2. Compute the PRO gap of agent B in Figure 1a. Why is it smaller?
# 3. The ERO gap of Figure 1a under π*_α grows with α. What is its limit, and for which agent is it approached first?
#
# ## In one paragraph
#
# PRO is a wrong belief about the partners, measured as a divergence; ERO is a missed agreement, measured as
# a gain from seeing. Each can occur without the other, and a team without either is free of regret as α → 0.
# Next: [02 · Payoff matrices](02_payoff_matrices.ipynb), where the methods of the literature meet the games of the literature.
