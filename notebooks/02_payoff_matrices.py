# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 · Payoff matrices
#
# **Question.** Which kind of reasoning falls into which trap, and why?
#
# **Claim.** "Existing reasoning methods are unable to reach consistent reasoning and suffer from PRO and ERO."
# (§4)
#
# **Paper.** §4, Figure 1, Theorem 5.2.
#
# **Reads.** Nothing.
#
# **Makes.** The table of verdicts, regret against temperature, the optimal sets.
#
# **Takes.** Seconds.

# %%
from itertools import product

import numpy as np
import pandas as pd

from svnr.games.matrix import MATRIX_GAMES
from svnr.report.figures import theory as figures
from svnr.report.findings import finding
from svnr.report.provenance import Outputs
from svnr.theory import distributions, equilibria, maxent
from svnr.theory import overgeneralization as og

# %% tags=["parameters"]
n_alphas: int = 41  # temperatures from 0.02 to 3
shapes: list = [
    (2, 2),
    (2, 3),
    (3, 3),
    (2, 2, 2),
]  # sizes of the games that are tried exhaustively
scale: str = "paper"  # the name of these numbers; `svnr reproduce --scale` sets both
output: str = ""  # folder for figures; empty: this repository's own

# %%
outputs = Outputs.of("02_payoff_matrices", globals())
games = {name: make() for name, make in MATRIX_GAMES.items()}
pd.DataFrame(
    {
        name: {
            "agents": game.payoff.ndim,
            "best": game.payoff.max(),
            "optima": int((game.payoff == game.payoff.max()).sum()),
            "equilibria": int(equilibria.pure_nash(game.payoff).sum()),
            "source": game.source,
        }
        for name, game in games.items()
    }
).T

# %% [markdown]
# ## 1. The classical definition
#
# > "It occurs when agents prefer a sub-optimal Nash Equilibrium over an optimal Nash Equilibrium because each
# > agent's individual policy in the sub-optimal equilibrium has a higher utility when paired with arbitrary
# > policies from opponents [37]." (§4)
#
# Read "arbitrary" as "uniformly random". Then we can ask of each game: what does each agent prefer against
# random partners, where do best replies lead from there, and is there a pair of equilibria as the sentence
# describes? (Of tied replies the first is taken.)

# %%
q = games["climbing"].payoff
against_random = q.mean(axis=1)  # agent A's three actions
assert np.allclose(against_random, equilibria.against_random(q, 0))
classical = {}
for name, game in games.items():
    first = equilibria.overgeneralized(game.payoff)
    path = equilibria.best_response_path(game.payoff, first)
    classical[name] = {
        "replies to random partners": first,
        "replies lead to": path[-1],
        "worth": game.payoff[path[-1]],
        "of": game.payoff.max(),
        "pairs as quoted": len(equilibria.ro_pairs(game.payoff)),
    }
classical = pd.DataFrame(classical).T
classical

# %%
pairs, trapped = classical["pairs as quoted"] > 0, classical["worth"] < classical["of"]
missed = ", ".join(classical.index[trapped & ~pairs])
finding(
    (
        (trapped | ~pairs).all(),
        f"Pairs as quoted exist in {', '.join(classical.index[pairs])}, and replies are trapped in each of these.",
    ),
    (missed, f"Replies end at a wrong equilibrium without such a pair in {missed}."),
    (missed, "The classical definition is stricter than the trouble."),
)

# %% [markdown]
# ## 2. Four kinds of reasoning, in numbers
#
# What does agent A believe about the others?
#
# - **history**: they act as they were seen to act. Early on that is uniform (MADDPG).
# - **stuck**: they do what they do at the equilibrium where replies to random partners lead.
# - **optimal marginal**: they act as in π*_α (MASQL). No PRO, by definition; but all execute apart.
# - **negotiated**: the same belief, and one common particle is executed (SVNR, Stein variational negotiated
#   reasoning, the paper's method).
#
# The PRO column is the limit of α·gap, in payoff: what the belief costs. The regret is that of the whole team
# as α → 0. With *history* and *stuck* nobody can look when it acts: each replies to the mean over its belief (the other
# reading of 01), and tied replies are equally likely. With *optimal marginal* each draws its own part of π*; with
# *negotiated* all act out one draw.


# %%
def reply(payoff, belief, i):
    """Agent i's best replies to what it believes of the others, all equally likely."""
    worth = maxent.expected_payoff(payoff, belief, i)
    best = worth > worth.max() - 1e-9
    return best / best.sum()


def team(payoff, beliefs, how):
    """Regret of agents that reply best to a belief each; or else of π*, acted out apart or together."""
    if how == "reply":
        replies = [reply(payoff, belief, i) for i, belief in enumerate(beliefs)]
        return og.regret(distributions.product(replies), payoff)
    return og.regret(og.execute(maxent.boltzmann_limit(payoff), how), payoff)


def others(payoff, joint):
    """Everybody's model of the partners, if the team acted out `joint`."""
    return [distributions.opponents(joint, i) for i in range(payoff.ndim)]


# %%
rows = []
for name, game in games.items():
    payoff = game.payoff
    trapped = np.zeros_like(payoff)
    trapped[equilibria.best_response_path(payoff, equilibria.overgeneralized(payoff))[-1]] = 1
    optimal = maxent.boltzmann_limit(payoff)
    kinds = {
        "history": (others(payoff, np.full_like(payoff, 1 / payoff.size)), "reply"),
        "stuck": (others(payoff, trapped), "reply"),
        "optimal marginal": (others(payoff, optimal), "independent"),
        "negotiated": (others(payoff, optimal), "shared"),
    }
    for kind, (beliefs, how) in kinds.items():
        pro = max(og.pro_gap_limit(rho, payoff, i) for i, rho in enumerate(beliefs))
        rows.append(
            {"game": name, "reasoning": kind, "PRO": pro, "regret": team(payoff, beliefs, how)}
        )

# %%
table = pd.DataFrame(rows).pivot(index="game", columns="reasoning", values=["PRO", "regret"])
order = ["history", "stuck", "optimal marginal", "negotiated"]
verdicts = table.loc[list(games)].reindex(columns=order, level="reasoning").round(3) + 0.0
outputs.table(
    verdicts.set_axis([f"{a}, {b}" for a, b in verdicts.columns], axis=1),
    "verdicts",
    "Kinds of reasoning on the payoff matrices",
    note="PRO as the limit of α · gap; regret as α → 0",
)

# %%
assert verdicts["regret"]["optimal marginal"]["penalty_-100"] == 55  # ½ · (10 + 100)
pro, lost = verdicts["PRO"], verdicts["regret"]
apart = lost.index[lost["optimal marginal"] > 0]
right = lost.index[(pro["history"] > 0) & (lost["history"] == 0)]
finding(
    (
        [*lost.columns[lost.max() == 0]] == ["negotiated"],
        "Of the four kinds only the negotiated one is without regret in every game.",
    ),
    (True, f"History has regret in {(lost['history'] > 0).sum()} of {len(lost)} games."),
    (
        pro["optimal marginal"].max() == 0 < len(apart),
        f"The optimal marginal has no PRO anywhere and still loses in {', '.join(apart)}.",
    ),
    (
        all(og.annealing_suffices(games[n].payoff) == (n not in apart) for n in games),
        "These are the games whose optima form no rectangle (section 3).",
    ),
    (
        len(right),
        f"PRO is not yet a mistake: in {', '.join(right)} history has PRO, and the reply to its mean is right.",
    ),
)

# %% [markdown]
# ## 3. When is cooling enough?
#
# > "they achieve ERO-free with annealing α → 0 if each agent i sample action π̄_i = u_i^{0,K}." (Theorem 5.2)
#
# Agents that believe π*_α may execute it in two ways: together, as one common particle (the theorem's u^{0,K},
# the *same* index 0 for all), or each by its own draw.
#
# **What to expect.** As α → 0, π*_α becomes uniform on the set of optima. Its marginals then reach every joint
# action of the smallest rectangle around that set. If the set *is* a rectangle, nothing wrong is reached; if
# not, something is, with a probability that no temperature removes.

# %%
drawn = {name: game for name, game in games.items() if name != "penalty_-10"}  # as −100 but milder
records = [
    {
        "game": name.replace("_", " ").replace("-", "−"),
        "alpha": alpha,
        "rectangular": og.annealing_suffices(game.payoff),
        **{
            how: og.regret(og.execute(maxent.boltzmann(game.payoff, alpha), how), game.payoff)
            for how in ("shared", "independent")
        },
    }
    for name, game in drawn.items()
    for alpha in np.geomspace(0.02, 3, n_alphas)
]
outputs.figure(
    figures.regret_against_temperature(pd.DataFrame(records)),
    "regret_against_temperature",
    "Regret of shared and independent execution",
    note="independent execution keeps its regret where the optima form no rectangle",
)

# %% [markdown]
# In Figure 1b both can be written down: apart ½ at *every* temperature, together 1/(1 + e^{1/α}).

# %%
for alpha in (3.0, 1.0, 0.1):
    joint = maxent.boltzmann(games["figure_1b"].payoff, alpha)
    for how, expected in (("independent", 0.5), ("shared", 1 / (1 + np.exp(1 / alpha)))):
        assert np.isclose(og.regret(og.execute(joint, how), games["figure_1b"].payoff), expected)

# %% [markdown]
# **The condition, exactly.** *Annealing alone removes executed over-generalization from independent execution
# if and only if the set of optimal joint actions is a rectangle, a product of one set an agent.* The proof is
# the two sentences above. We try every game of zeros and ones of some sizes, without exception; and with it the
# claim that ends section 4 of [01](01_definitions.ipynb), that right models without ERO mean no regret as α → 0.

# %%
tried = {}
for shape in shapes:
    agree = count = 0
    for entries in product([0.0, 1.0], repeat=int(np.prod(shape))):
        q = np.array(entries).reshape(shape)
        if q.any():
            done = og.execute(maxent.boltzmann_limit(q), "independent")
            regretless = og.regret(done, q) < 1e-12
            agree += og.annealing_suffices(q) == regretless == (og.ero_gap(done, q) < 1e-12)
            count += 1
    assert agree == count
    tried["×".join(map(str, shape))] = {"games": count, "mismatches": count - agree}
pd.DataFrame(tried).T

# %%
outputs.figure(
    figures.optimal_sets(
        {n.replace("_", " "): g.payoff for n, g in drawn.items() if g.payoff.ndim == 2}
    ),
    "optimal_sets",
    "Optimal sets and what independent draws reach",
)

# %% [markdown]
# ## 4. Near ties
#
# Two optima, one of them worse by ε: a rectangle of one point. Cooling is enough in the end. But it must get
# well below ε before the agents agree, and until then they miss each other as in Figure 1b.

# %%
tie = np.array([[0.0, 1.0], [0.9, 0.0]])
missing = pd.Series(
    {
        alpha: og.regret(og.execute(maxent.boltzmann(tie, alpha)), tie)
        for alpha in (0.5, 0.1, 0.05, 0.02, 0.01)
    },
    name="regret of independent execution, ε = 0.1",
)
assert missing[0.1] > 0.4 and missing[0.01] < 0.001
missing.round(4)

# %% [markdown]
# ## Against the paper
#
# The examples of §4 hold in the reconstructed games, with one slip: against a uniform model A's *perceived*
# joint policy cannot be a point, since B's half of it is uniform. The table bears out the claim for the two methods
# whose reasoning it models, MADDPG and MASQL, each in its own games; the others are
# [07](07_other_methods.ipynb)'s. Theorem 5.2 needs the common particle exactly where the optima form no rectangle.
#
# ## Adapt this
#
# Add your matrix to `games`: `games["mine"] = MatrixGame("mine", payoff, "me")` from `svnr.games.matrix`.
#
# ## Exercises
#
# 1. For which penalties k does history err in the penalty game?
# 2. Build a three-agent game whose optima form a rectangle of four.
# 3. In parity, every *pair* of agents is independent under π*. Why does independent execution still fail?
#
# ## In one paragraph
#
# Wrong beliefs can make agents reply wrongly; right beliefs do not help agents that cannot agree on one of several
# optima. A common particle settles both. Next: [03 · Particles](03_particles.ipynb), where particles come from.
