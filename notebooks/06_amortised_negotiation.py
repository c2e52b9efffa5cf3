# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 · Amortised negotiation
#
# **Question.** How does one pass of a network replace K rounds of negotiation?
#
# **Claim.** "It distills the negotiated reasoning dynamic to guide the neural network updating and
# approximates many rounds of negotiated reasoning by the single forward of the neural network inference"
# (§1).
#
# **Paper.** §7: equations (7.1) to (7.4), Algorithm 1, Figure 2.
#
# **Reads.** Nothing.
#
# **Makes.** Figure 2 (redrawn), samples of amortised teams, readings of (7.4), network against particles.
#
# **Takes.** About one minute on one core.

# %%
import numpy as np
import pandas as pd
import torch

from svnr.experiments.specs import TrainSettings
from svnr.experiments.train import train
from svnr.games.differential import max_of_three, two_modalities
from svnr.learners.learner import Progress
from svnr.learners.losses import soft_value_importance
from svnr.learners.svnr import SVNR, SVNRSettings
from svnr.networks.samplers import Samplers
from svnr.report import figures
from svnr.report.provenance import Outputs
from svnr.sets import none, strict
from svnr.stein.negotiation import kernel_mask, negotiate, negotiated_direction
from svnr.stein.svgd import boltzmann_score, pre_tanh, score_of
from svnr.theory.maxent import boltzmann, soft_value

torch.set_num_threads(1)

# %% tags=["parameters"]
n_updates: int = 1500  # gradient steps of the samplers on a known target
n_episodes: int = 3000  # length of the live run of Algorithm 1
n_rounds: int = 1000  # rounds of negotiation that the network is held against
grid_size: int = 41  # points an axis where integrals are summed
scale: str = "paper"  # how much is run: smoke, quick or paper
output: str = ""  # folder for figures and results; empty: this repository's own

# %%
outputs = Outputs.of("06_amortised_negotiation", globals())

# %% [markdown]
# ## 1. From particles to networks
#
# > "Each agent holds a stochastic mapping function u_i = f_i(· | ξ_i, ξ_{C_i}, s) that maps initial noises
# > to its action distribution. […] find ψ* that satisfies arg min KL(p^ψ(· | s, ξ) ‖ π̂(u))." (7.1)
#
# Particles must negotiate anew in every state. A network remembers: it takes the noise that the particles
# would have started from and answers with where they would have ended. Agent i hears the noise of its set
# C_i and its own. (For a given ξ the left side of (7.1) is a point, and its divergence infinite, so we
# read it with ξ averaged out.)

# %%
outputs.figure(
    figures.amortised.architecture(strict(3)), "fig2_architecture", "Figure 2", note="redrawn"
)

# %% [markdown]
# ## 2. The direction (7.2)
#
# > "Δf_i = E_{u′∼p}[κ_i(u_{C_i}, p_{C_i}) ∇_{u′_i} Q(s, u′) + α_i ∇_{u′_i} κ_i(u_{C_i}, p_{C_i})]" (7.2)
#
# Half of the particles, x, are averaged over; the other half, y, move. The first term pulls y_i towards
# what pays near x, the second pushes it away from x_i. The kernel compares what agent i knows: the
# coordinates S_i = {i} ∪ C_i, as appendix B has it. We divide by α: the same direction, for log p = Q/α.


# %%
def direction_by_hand(fixed, moved, score, known, i):
    """Δf_i / α at every moved particle, one pair at a time."""
    seen = torch.tensor(known)
    apart = fixed[:, None, seen] - moved[None, :, seen]
    distances = (apart**2).sum(-1)
    h = distances.flatten().median() / np.log(len(fixed))
    phi = torch.zeros(len(moved))
    for m in range(len(moved)):
        for x in range(len(fixed)):
            kernel = torch.exp(-distances[x, m] / h)
            push = -2 / h * (fixed[x, i] - moved[m, i]) * kernel
            phi[m] += (kernel * score[x, i] + push) / len(fixed)
    return phi


# %%
generator = torch.Generator().manual_seed(0)
fixed, moved, score = (torch.randn(6, 3, generator=generator) for _ in range(3))
fast = negotiated_direction(fixed, moved, score, kernel_mask(strict(3), (1, 1, 1)))
for i, known in enumerate(([0], [0, 1], [0, 1, 2])):
    slow = direction_by_hand(fixed, moved, score, known, i)
    assert torch.allclose(fast[:, i], slow, atol=1e-5)

# %% [markdown]
# ## 3. The gradient (7.3)
#
# > "∂J/∂ψ_i ∝ E_ξ[Δf_i(ξ; s) ∂f_i(ξ; s)/∂ψ_i]" (7.3)
#
# The direction says where each action should go; the chain rule says which weights send it there. No
# density of the network's output is ever needed. Here is a whole learner for a *known* target: two agents,
# two modes that lie across each other, so that each agent must know which mode the other chose. The
# particles move before the tanh, and the temperature falls: a team that starts cold keeps one mode only.


# %%
def log_target(u):
    """Two modes at (−½, ½) and (½, −½), each with standard deviation 0.2."""
    modes = torch.tensor([[-0.5, 0.5], [0.5, -0.5]])
    return torch.logsumexp(-((u[..., None, :] - modes) ** 2).sum(-1) / (2 * 0.2**2), -1)


def amortise(sets, n_particles=64):
    """Samplers trained by (7.2) and (7.3) on the known target, cooled to α = 1."""
    samplers = Samplers(sets, (1, 1), 1, 2, (32, 32), torch.Generator().manual_seed(1))
    adam = torch.optim.Adam(samplers.parameters(), 2e-3)
    mask = kernel_mask(sets, (1, 1))
    draws, state = torch.Generator().manual_seed(2), torch.zeros(n_particles, 1)
    for update in range(n_updates):
        alpha = 1 + 30 * max(0, 1 - 2 * update / n_updates) ** 2
        noises = (torch.randn(n_particles, 2, 2, generator=draws) for _ in "xy")
        fixed, moved = (samplers(state, noise)[0] for noise in noises)
        score = pre_tanh(score_of(lambda u, alpha=alpha: log_target(u) / alpha))(fixed.detach())
        phi = negotiated_direction(fixed.detach(), moved.detach(), score, mask)
        adam.zero_grad()
        moved.backward(gradient=-phi / n_particles)  # (7.3): Δf · ∂f/∂ψ, as an ascent
        adam.step()
    return samplers


# %% [markdown]
# **What to expect.** Strict sets can hold both modes, if the agents act on the *same* noise. With noise of
# their own they pick modes independently, and half of the time they miss each other: executed
# over-generalization. Empty sets cannot agree on anything but one mode: perceived over-generalization.

# %%
nested, apart = amortise(strict(2)), amortise(none(2))
state, draws = torch.zeros(1000, 1), torch.Generator().manual_seed(3)
noise, imagined = (torch.randn(1000, 2, 2, generator=draws) for _ in "xy")
with torch.no_grad():
    shared, other, empty = (
        torch.tanh(samplers(state, drawn)[0])
        for samplers, drawn in ((nested, noise), (nested, imagined), (apart, noise))
    )
    independent = torch.stack([shared[:, 0], other[:, 1]], -1)

# %%
axis = torch.linspace(-1, 1, grid_size)
density = log_target(torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1)).exp().numpy()
panels = {"strict, shared": shared, "strict, independent": independent, "empty": empty}
outputs.figure(
    figures.policies.sampled_teams(
        {name: u.numpy() for name, u in panels.items()},
        density,
        "Two modes: negotiate, and share the noise",
    ),
    "amortised_samples",
    "Amortised teams on two modes",
    note="strict sets with shared and independent noise, empty sets",
)

# %%
pd.DataFrame(
    {
        name: {
            "at the first mode": ((u[:, 0] < 0) & (u[:, 1] > 0)).float().mean().item(),
            "at the second mode": ((u[:, 0] > 0) & (u[:, 1] < 0)).float().mean().item(),
            "apart": (u[:, 0] * u[:, 1] > 0).float().mean().item(),
        }
        for name, u in panels.items()
    }
).style.format("{:.1%}")

# %% [markdown]
# **Finding.** The three columns are the three words of the paper: consistent reasoning, executed and
# perceived over-generalization, on one target and with one learning rule.

# %% [markdown]
# ## 4. The soft value (7.4)
#
# > "V(s) := α log E_{u′∼p}[exp(Q(s, u′)/α)]" (7.4)
#
# The soft value is α log ∫ exp(Q/α) du. A mean under p is that integral only if each sample is weighted by
# 1/p; the printed form has no weights. In one-shot games nothing bootstraps and it does not matter. In
# longer games it does: the error differs between states, and between going on and ending. We sum over a
# grid on Two Modalities, where everything can be known.

# %%
game = two_modalities()
cube = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1)
payoff = game.reward(cube).numpy()
cell = (2 / (grid_size - 1)) ** 3  # volume of a grid cell
rows = []
for alpha in (0.3, 1.0, 3.0, 10.0):
    exact = soft_value(payoff, alpha) + alpha * np.log(cell)
    pi = boltzmann(payoff, alpha)
    printed = alpha * np.log((pi * np.exp((payoff - payoff.max()) / alpha)).sum()) + payoff.max()
    u = 2 * torch.rand(200, 64, 3, generator=draws) - 1
    weighted = soft_value_importance(game.reward(u), alpha, 3).mean().item()
    for reading, value in (
        ("as printed, p = π*", printed),
        ("uniform, weighted, 64 samples", weighted),
    ):
        rows.append({"alpha": alpha, "reading": reading, "error": value - exact})

# %%
outputs.figure(
    figures.amortised.soft_values(pd.DataFrame(rows)), "soft_value_readings", "Readings of (7.4)"
)

# %% [markdown]
# **Finding.** Under its own policy the printed value misses the entropy bonus: the error grows with α. The
# weighted form is nearly right when α is large and needs more samples when α is small. Both are offered,
# by name (`soft_value="printed"` or `"importance"`), with the discount and the terminal mask that the
# printed form lacks.

# %% [markdown]
# ## 5. Algorithm 1, live
#
# | Algorithm 1 | here |
# |---|---|
# | Collect experiences: ξ_i ∼ N(0, I), u_i ← f(ξ_i; ξ_{C_i}, s) | `learner.act(state, "explore")` |
# | Add (s, u, r, s′) to the buffer; sample a mini-batch | `Replay.add`, `Replay.sample`, which `learner.observe` calls |
# | Update value functions by (7.4) | `critic.target`, `critic.learn` |
# | Update policies by (7.2), (7.3) | `move_samplers` |
# | Update target parameters | `critic.follow` |
#
# The outer loop is the generator `train`: it yields a record a step, prints nothing and writes nothing.

# %%
game = max_of_three(2.0)
learner = SVNR(game, SVNRSettings(), seed=0)
records = train(game, learner, TrainSettings(length=n_episodes), seed=0)
reward = np.array([record.reward[0] for record in records])
pd.Series(reward).groupby(np.arange(len(reward)) * 6 // len(reward)).mean().rename(
    "mean reward, sixths"
)

# %% [markdown]
# ## 6. One pass against K rounds
#
# Now particles negotiate on the *learned* critic, at the final temperature, for as many rounds as they
# like, and the network answers in one pass. They share critic, sets and temperature. The particles move
# before the tanh, where the box has no edge.

# %%
alpha = learner.settings.alpha(Progress(n_episodes - 1, n_episodes))
zeros = torch.zeros(1000, 1)
network = game.reward(learner.act(zeros, "shared")).mean().item()
score = pre_tanh(boltzmann_score(lambda u: learner.critic(torch.zeros(len(u), 1), u)[0], alpha))
start = torch.randn(64, 3, generator=draws)
path = torch.tanh(negotiate(start, score, strict(3), n_rounds, step_size=0.005))
rewards = game.reward(path)

# %%
rounds = pd.DataFrame({"round": range(n_rounds + 1), "average": rewards.mean(-1)})
outputs.figure(
    figures.amortised.rounds_against_network(rounds, network, game.optimum.reward),
    "network_against_particles",
    "One pass against K rounds",
    note=f"mean reward: network {network:.2f}, particles {rounds['average'].iloc[-1]:.2f}",
)

# %% [markdown]
# **Finding.** The particles stop early, most of them at the hill in whose basin they began. The network
# does better than what it was distilled from, because it saw the critic at every temperature on the way
# down and draws new particles at every update: nothing freezes it where it began.

# %% [markdown]
# ## 7. Decentralised execution
#
# > "In the execution stage, all agents will initialize their actions randomly as {ξ_i} while each ξ_i will
# > be shared with its neighbors C_i." (§7)
#
# Nothing has to be sent: a common seed gives everybody the same noise. `learner.agent(i, seed)` is one agent
# with its own network and generator.

# %%
team = [learner.agent(i, seed=7) for i in range(3)]
strangers = [learner.agent(i, seed=i) for i in range(3)]
together, alone = (torch.cat([a.act(zeros) for a in agents], -1) for agents in (team, strangers))
noise = torch.randn(1000, 3, 1, generator=torch.Generator().manual_seed(7))
assert torch.equal(together, torch.tanh(learner.samplers(zeros, noise)[0]))
pd.Series(
    {"one seed": game.reward(together).mean(), "own seeds": game.reward(alone).mean()}
).astype(float)

# %% [markdown]
# **Finding.** On a single optimum the two agree. On two modes, in section 3, they did not.
#
# ## Against the paper
#
# Equations (7.2) and (7.3) hold as printed, with S_i for C_i in the kernel. (7.4) is biased as printed, and
# the paper's "K rounds" are a weaker teacher than the pupil: see section 6.
#
# ## Adapt this
#
# Change `log_target` in section 3 to any differentiable log-density of two actions in the box.
#
# ## Exercises
#
# 1. Let the two modes weigh 80 to 20. Does the network keep the weights?
# 2. Give each agent one noise coordinate instead of two. What breaks, and when?
# 3. Start the particles of section 6 with a standard deviation of 3. Which hill do they find?
#
# ## In one paragraph
#
# Negotiation gives a direction for every joint action; the chain rule turns it into a gradient for the
# networks that made the action; a common seed replaces messages. Next:
# [07 · The other methods](07_other_methods.ipynb), what the paper compares it with.
