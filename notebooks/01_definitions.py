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
# **Question.** What exactly are perceived and executed policies, PRO, ERO and consistent reasoning?
#
# **Claim.** "We decompose RO to perceived relative over-generalization (PRO) in the training phase and
# executed relative over-generalization (ERO) in the execution phase." (§4)
#
# **Paper.** §3.2, Definitions 4.1, 4.2 and 4.3, Figure 1.
#
# **Reads.** Nothing.
#
# **Makes.** The panel of beliefs.
#
# **Takes.** Seconds.

# %%
import numpy as np
import pandas as pd

from svnr.games.matrix import climbing, figure_1a, figure_1b, penalty, team_stag_hunt
from svnr.report.figures import theory as figures
from svnr.report.provenance import Outputs
from svnr.theory import distributions, maxent
from svnr.theory import overgeneralization as og

# %% tags=["parameters"]
alpha: float = 1.0  # temperature of the optimal joint policy
n_random: int = 200  # random games on which the statements are tried
scale: str = "paper"  # how much is run: smoke, quick or paper
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
# allows, and they are reconstructions.

# %%
payoff_a, payoff_b = figure_1a().payoff, figure_1b().payoff
print(payoff_a, payoff_b, sep="\n\n")

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
# helps an agent that cannot coordinate. We should worry if the gap came out negative.

# %%
trap = penalty(-100).payoff
uniform = np.full(3, 1 / 3)
pd.DataFrame(
    {
        reading: {
            "gap in nats": og.pro_gap(uniform, trap, alpha, 0, reading),
            "limit of α · gap": og.pro_gap_limit(uniform, trap, 0, reading),
        }
        for reading in ("conditional", "marginal")
    }
).round(3)

# %%
assert og.pro_gap(uniform, trap, alpha, 0, "marginal") < 0 < og.pro_gap(uniform, trap, alpha, 0)

# %% [markdown]
# **Finding.** In the penalty game, the textbook case of over-generalization, the marginal reading calls the
# uniform history *better* than the right model. So we read Definition 4.2 with π_i(u_i | u_{−i}). Under it
# the paper's next sentence, "when agents are free from PRO, the perceived optimal joint policy for each agent
# is equal to the optimal joint policy", holds to machine precision:

# %%
rng = np.random.default_rng(0)
for _ in range(n_random):
    q = rng.normal(size=tuple(rng.integers(2, 4, size=rng.integers(2, 4))))
    for i, model in enumerate(og.optimal_models(q, alpha)):
        assert abs(og.pro_gap(model, q, alpha, i)) < 1e-12
        assert np.allclose(og.perceived(model, q, alpha, i), maxent.boltzmann(q, alpha))

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
# **What to expect.** Figure 1a with a uniform history shows PRO: A believes too little in the better column.
# Figure 1b with the right models shows ERO: all beliefs are right, and the agents still miss each other half
# of the time, because there are two optima and nobody says which.

# %%
together = maxent.boltzmann(payoff_a, alpha)
rows = [
    figures.Belief(
        "Figure 1a",
        payoff_a,
        believed,
        og.execute(believed),
        gap,
        og.ero_gap(og.execute(believed), payoff_a),
    ),
    figures.Belief(
        "Figure 1b", payoff_b, perceived, apart, og.pro_gap(history, payoff_b, alpha, 0), gain
    ),
]
outputs.figure(
    figures.beliefs(rows), "pro_and_ero", "PRO and ERO, to be seen", note="two reconstructed games"
)

# %% [markdown]
# **Finding.** The two kinds come apart: each game has the kind that its row is about. Note also that at α > 0
# even Figure 1a has some ERO; a warm policy always has, unless the payoff ignores an agent. The definition
# speaks of the limit.

# %%
games = [rng.normal(size=(3, 3)) for _ in range(n_random)]
least = min(og.ero_gap(og.execute(maxent.boltzmann(q, 0.5)), q) for q in games)
assert least > 0
pd.Series({"least ERO gap over random games at α = 0.5": least})

# %% [markdown]
# ## 4. Does "no ERO" mean "no over-generalization"?
#
# > "Agents do not suffer from RO if all agents are free from ERO at convergence." (§4)
#
# Take any equilibrium that is not the best one. Nobody gains by moving alone, whatever it sees. So the ERO gap
# is zero, and the team is stuck.

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
pd.DataFrame(stuck).T

# %% [markdown]
# **Finding.** The sentence is false on its own. What is true: free of PRO *and* of ERO means no regret, as
# notebook 02 checks exhaustively.
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
pd.Series(
    {
        how: og.is_consistent(models, og.execute(perceived, how), payoff_b, alpha)
        for how in ("shared", "independent")
    },
    name="consistent",
)

# %% [markdown]
# ## Against the paper
#
# | statement | verdict |
# |---|---|
# | Definition 4.1 | holds; above α = 0 nearly every policy has some ERO |
# | Definition 4.2 | needs π_i(u_i given u_{−i}); the other reading can be negative |
# | "PRO-free ⇒ perceived = optimal" | holds under that reading |
# | "ERO-free ⇒ no RO" | false on its own |
# | "π̂_A(1, 0) = 1" against a uniform model (§4) | cannot be: A's belief has B's half in it |
#
# ## Adapt this
#
# Replace `payoff_a` by your own matrix. Rows are agent A's actions.
#
# ## Exercises
#
# 1. Find a 2×2 game in which *both* agents err against uniform partners. (There is none. Why?)
# 2. Compute the PRO gap of agent B in Figure 1a. Why is it smaller?
# 3. At which α does the ERO gap of Figure 1a peak?
#
# ## In one paragraph
#
# PRO is a wrong belief about the partners, measured as a divergence; ERO is a missed agreement, measured as
# a gain from seeing. Each can occur without the other. Next: [02 · Payoff matrices](02_payoff_matrices.ipynb),
# where the methods of the literature meet the games of the literature.
