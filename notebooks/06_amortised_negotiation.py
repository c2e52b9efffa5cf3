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
# approximates many rounds of negotiated reasoning by the single forward of the neural network inference" (§1).
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
from torch.nn.utils import parameters_to_vector

from svnr.experiments.catalogue import make_game
from svnr.experiments.specs import TrainSettings
from svnr.experiments.train import train
from svnr.games.differential import max_of_three, two_modalities
from svnr.learners.learner import Progress
from svnr.learners.losses import soft_value_importance
from svnr.learners.svnr import SVNR, SVNRSettings
from svnr.networks.samplers import Samplers
from svnr.report import figures
from svnr.report.findings import finding
from svnr.report.provenance import Outputs
from svnr.report.style import NEUTRAL, TRAP
from svnr.sets import none, strict
from svnr.stein.negotiation import kernel_mask, negotiate, negotiated_direction
from svnr.stein.svgd import boltzmann_score, pre_tanh, score_of
from svnr.theory.maxent import boltzmann, soft_value

torch.set_num_threads(1)

# %% tags=["parameters"]
n_updates: int = 1500  # gradient steps of the samplers on a known target
n_episodes: int = 3000  # length of the live run of Algorithm 1
n_rounds: int = 500  # rounds of negotiation that the network is held against
n_clouds: int = 6  # clouds of particles that negotiate
grid_size: int = 41  # points an axis where integrals are summed
scale: str = "paper"  # the name of these numbers; `svnr reproduce --scale` sets both
output: str = ""  # folder for figures and results; empty: this repository's own

# %%
outputs = Outputs.of("06_amortised_negotiation", globals())

# %% [markdown]
# ## 1. From particles to networks
#
# > "each agent holds a stochastic mapping function u_i = f_i^{ψ_i}(· | ξ_i, ξ_{C_i}, s) that maps initial noises
# > (i.e., gaussian noises) to its action distribution. […] find ψ* that satisfies: arg min_{ψ̂} KL(p^{ψ̂}(· | s, ξ) ‖
# > π̂(u))." (7.1)
#
# Particles must negotiate anew in every state. SVNR (Stein variational negotiated reasoning) amortises this: a network
# takes the noise that the particles would have started from and answers with where they would have ended. Agent i knows
# its own noise and that of its set C_i. (For a given ξ the left side of (7.1) is a point, and its divergence infinite,
# so we read it with ξ averaged out.)

# %%
outputs.figure(
    figures.amortised.architecture(strict(3)), "fig2_architecture", "Figure 2", note="redrawn"
)

# %% [markdown]
# ## 2. The direction (7.2)
#
# > "Δf_i^ψ(·; s_t) = E_{u′∼p^ψ}[κ_i(u_{C_i}, p_{C_i}^ψ(·; s_t)) ∇_{u_i′} Q^θ(s_t, u′)|_{u′=u} + α_i ∇_{u_i′}
# > κ_i(u_{C_i}, p_{C_i}^ψ(·; s_t))|_{u′=u}]" (7.2)
#
# Half of the particles, y, are averaged over; the other half, x, move. The first term pulls x_i towards
# what pays near y, the second pushes it away from y_i. The kernel compares what agent i knows: the
# coordinates S_i = {i} ∪ C_i, as appendix B has it: message-passing Stein variational gradient descent (MPSVGD). We
# divide by α: the same direction, for log p = Q/α.


# %%
def direction_by_hand(fixed, moved, score, known, i):
    """Δf_i / α at every moved particle, one pair at a time."""
    seen = torch.tensor(known)
    apart = fixed[:, None, seen] - moved[None, :, seen]
    distances = (apart**2).sum(-1)
    h = distances.flatten().median() / np.log(len(fixed))
    phi = torch.zeros(len(moved))
    for m in range(len(moved)):
        for y in range(len(fixed)):
            kernel = torch.exp(-distances[y, m] / h)
            push = -2 / h * (fixed[y, i] - moved[m, i]) * kernel
            phi[m] += (kernel * score[y, i] + push) / len(fixed)
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
# > "∂J_p(ψ; s_t)/∂ψ_i ∝ E_ξ[Δf_i^ψ(ξ; s_t) ∂f_i^ψ(ξ; s_t)/∂ψ_i]" (7.3)
#
# The direction says where each action should go; the chain rule says which weights send it there. No
# density of the network's output is ever needed. Here is a whole learner for a *known* target: two agents,
# two modes that lie across each other, so that each agent must know which mode the other chose. The
# particles move before the tanh, and the temperature falls to 1 in the first half of the updates.


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
panels = {"strict, shared noise": shared, "strict, independent": independent, "empty sets": empty}
where = pd.DataFrame(
    {
        name: {
            "upper left": ((u[:, 0] < 0) & (u[:, 1] > 0)).float().mean().item(),
            "lower right": ((u[:, 0] > 0) & (u[:, 1] < 0)).float().mean().item(),
            "apart": (u[:, 0] * u[:, 1] > 0).float().mean().item(),
        }
        for name, u in panels.items()
    }
)

# %%
named = {
    f"{name}\n{where[name]['upper left']:.0%} + "
    f"{where[name]['lower right']:.0%}, apart {where[name]['apart']:.0%}": u.numpy()
    for name, u in panels.items()
}
outputs.figure(
    figures.policies.sampled_teams(
        named,
        density,
        "Two modes are kept where agents negotiate and share the noise",
        "1,000 joint actions of a team. Shares: upper left + lower right, and in the other two quarters (apart).",
    ),
    "amortised_samples",
    "Amortised teams on two modes",
    note="strict sets with shared and independent noise, empty sets",
)

# %%
together, mixed, alone = (column for _, column in where.items())
kept = together.iloc[:2]
finding(
    (
        together["apart"] < 0.15 and together.iloc[:2].min() > 0.1,
        f"Consistent reasoning: with shared noise strict sets hold both modes ({kept.iloc[0]:.0%} and {kept.iloc[1]:.0%}; the "
        f"target has half at each) and are apart in {together['apart']:.0%}.",
    ),
    (
        mixed["apart"] > 2 * together["apart"],
        f"Executed over-generalization: with noise of their own they are apart in {mixed['apart']:.0%}.",
    ),
    (
        alone.iloc[:2].max() > 0.95,
        f"Perceived over-generalization: empty sets put {alone.iloc[:2].max():.0%} at one mode.",
    ),
)

# %% [markdown]
# ## 4. The soft value (7.4)
#
# > "V^θ(s_t) := α log E_{u′∼p(·|s_t)}[exp((1/α) Q^θ(s_t, u′))]" (7.4)
#
# The soft value is α log ∫ exp(Q/α) du. A mean under p is that integral only if each sample is weighted by
# 1/p; the printed form has no weights. In one-shot games nothing bootstraps and it does not matter. In
# longer games it does: the error differs between states, and between going on and ending. We sum over a
# grid on Two Modalities, two hills of one height for three agents ([08](08_two_modalities.ipynb)), where everything can be known.
#
# **What to expect.** Under its own policy the printed value is off by exactly −α H₂, where H₂ = −log ∫ π² is the
# policy's Rényi entropy of order two: below zero, and the value too high, where the policy fills less than a unit of
# volume; far too low where it is broad.

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
    assert np.isclose(printed - exact, alpha * np.log((pi**2).sum() / cell))  # −α H₂
    u = 2 * torch.rand(200, 64, 3, generator=draws) - 1
    weighted = soft_value_importance(game.reward(u), alpha, 3).tolist()
    for reading, values in (("as printed", [printed]), ("weighted", weighted)):
        rows += [{"alpha": alpha, "reading": reading, "error": value - exact} for value in values]

# %%
readings = pd.DataFrame(rows)
outputs.figure(
    figures.particles.lines(
        readings,
        "alpha",
        "error",
        "reading",
        ("temperature α", "estimate − exact"),
        "Read as printed, (7.4) is off by the policy's own entropy",
        (0.0, "exact"),
        "x",
        "Two Modalities. As printed: exact, p = π*. Weighted: mean and deviation of 200 estimates, each of 64 uniform "
        "joint actions.",
        "sd",
        (TRAP, NEUTRAL["blue"]),
        None,
    ),
    "soft_value_readings",
    "Readings of (7.4)",
)

# %%
printed, weighted = (readings[readings["reading"] == name] for name in ("as printed", "weighted"))
ends = printed.set_index("alpha")["error"]
spread = weighted.groupby("alpha")["error"].agg(["mean", "std"])
finding(
    (
        ends.iloc[0] > 0 > ends.iloc[-1],
        f"As printed the value is {ends.iloc[0]:.1f} too high at α = {ends.index[0]:g} and {-ends.iloc[-1]:.1f} too low at α "
        f"= {ends.index[-1]:g}.",
    ),
    (
        spread["mean"].abs().max() < 1 and (spread["mean"] < 0).all(),
        f"The weighted form is at most {spread['mean'].abs().max():.1f} too low in the mean; one estimate of 64 samples "
        f"scatters by {spread['std'].min():.1f} to {spread['std'].max():.1f} around it.",
    ),
)

# %% [markdown]
# Both are offered, by name (`soft_value="printed"` or `"importance"`), with the discount and the terminal mask that
# the printed form lacks. The printed one is the default, and section 5's.

# %% [markdown]
# ## 5. Algorithm 1, line by line
#
# One pass of the algorithm's loop, by hand on Particle Gather ([10](10_particle_gather.ipynb)), where there is a value beyond the next state, held
# against `learner.update`. The first two headings of Algorithm 1, *collect* and *sample experiences*: act with
# u = tanh f(ξ; s), play, keep (s, u, r, s′) in the replay 𝒟, and draw a batch from it. Copies of the learner have the
# same weights and the same noise to come.

# %%
gather = make_game("particle_gather")
learner, by_hand, twin = (
    SVNR(gather, SVNRSettings(n_groups=2, alpha_final=1.0), seed=0) for _ in range(3)
)
for _ in train(gather, learner, TrainSettings(length=2), seed=0):  # act, play, observe
    pass
for copy in (by_hand, twin):
    copy.load_state_dict(learner.state_dict())
told, progress = learner.settings, Progress(1, 2)
alpha, batch = told.alpha(progress), by_hand.draw()

# %% [markdown]
# *Update value functions.* For every s′ that the game goes on from, sample joint actions, take V of (7.4) from the
# target critic Q^θ̄, and bring it to what the game can still pay:

# %%
goes_on = ~batch.terminated
states = batch.next_state[goes_on].unsqueeze(1).expand(-1, told.n_value_particles, -1)
u = torch.tanh(by_hand.samplers(states, by_hand.noise(*states.shape[:-1])))  # f(ξ; s′)
q = by_hand.critic.slow(states, u)[0]  # Q^θ̄(s′, u)
value = alpha * (q / alpha).exp().mean(-1).log()  # V of (7.4)
target = batch.reward.clone()
target[goes_on] += told.discount * value.clamp(*gather.return_bounds)

found = twin.bootstrapped(batch, lambda state: twin.soft_value(state, alpha))
assert torch.allclose(found, target, atol=1e-5)

# %% [markdown]
# Then θ makes one step of Adam down the gradient of (7.4), ½ (r + γV − Q)². Adam, written out, keeps a running mean m
# of the gradients and v of their squares:


# %%
def after_adam(trained, slope):
    """All weights in one row, after Adam's step along a gradient of the same length."""
    m, v = 0.9 * trained.mean + 0.1 * slope, 0.999 * trained.square + 0.001 * slope**2
    t = trained.steps.item() + 1
    step = m / (1 - 0.9**t) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    return parameters_to_vector(trained.net.parameters()) - told.learning_rate * step


def leaves(net):
    """The weights, then the biases of a network's layers, for autograd to follow."""
    return [layer.detach().clone().requires_grad_() for layer in net.parameters()]


def networks(x, layers, mask=1.0):
    """Rectified networks side by side, from x [N, rows, in] to [N, rows, out]."""
    weights, biases = layers[: len(layers) // 2], layers[len(layers) // 2 :]
    out = x @ (weights[0] * mask) + biases[0]  # the mask hides the noise of others
    for weight, bias in zip(weights[1:], biases[1:], strict=True):
        out = torch.relu(out) @ weight + bias
    return out


# %%
theta = leaves(by_hand.critic.values.net)
q = networks(torch.cat([batch.state, batch.u], -1)[None], theta)[0, :, 0]  # Q^θ(s, u)
slopes = torch.autograd.grad((0.5 * (target - q) ** 2).mean(), theta)
theta_new = after_adam(by_hand.critic.values, torch.cat([s.flatten() for s in slopes]))

by_hand.critic.learn(batch.state, batch.u, target)
learned = parameters_to_vector(by_hand.critic.values.net.parameters())
assert torch.allclose(learned, theta_new, atol=1e-6)

# %% [markdown]
# *Update policies.* In some states of the batch, half of the particles are held fixed, and half move. Δf is
# section 2's, one pair of particles at a time; before the tanh the score is (1 − u²) ∇Q/α − 2u, as
# [03](03_particles.ipynb) derives. (7.3) carries it into ψ:

# %%
states = batch.state[: told.n_groups].unsqueeze(1).expand(-1, told.n_particles // 2, -1)
fixed = by_hand.samplers(states, by_hand.noise(*states.shape[:-1]))[0]
psi, mask = leaves(by_hand.samplers.net), by_hand.samplers.net.net.input_mask
heard = torch.cat([states, by_hand.noise(*states.shape[:-1]).flatten(-2)], -1).flatten(0, 1)
moved = networks(heard.expand(gather.n_agents, -1, -1), psi, mask)[..., 0].T.view_as(fixed)

u = torch.tanh(fixed).requires_grad_()
(gradient,) = torch.autograd.grad(by_hand.critic(states, u).sum(), u)  # ∇_u Q^θ(s, u)
score = ((1 - u**2) * gradient / alpha - 2 * u).detach()
phi = torch.zeros_like(moved)
for g in range(told.n_groups):
    for i, others in enumerate(strict(gather.n_agents)):
        known = [*others, i]
        phi[g, :, i] = direction_by_hand(fixed[g], moved[g].detach(), score[g], known, i)

carried = -(phi.detach() * moved).sum() / (told.n_groups * told.n_particles // 2)  # −Δf · f
slopes = torch.autograd.grad(carried, psi)
psi_new = after_adam(by_hand.samplers, torch.cat([s.flatten() for s in slopes]))

# %% [markdown]
# *Update target parameters*: θ̄ ← θ̄ + τ(θ − θ̄), a little at every update (printed: a copy from time to time). And the learner's own update, in one call:

# %%
slow = parameters_to_vector(learner.critic.values.target.parameters())
slow_new = slow + told.target_rate * (theta_new - slow)
learner.update(batch, progress)
compared = {
    "critic θ": (learner.critic.values.net, theta_new),
    "samplers ψ": (learner.samplers.net, psi_new),
    "target θ̄": (learner.critic.values.target, slow_new),
}
differs = {
    name: (parameters_to_vector(net.parameters()) - expected).abs().max().item()
    for name, (net, expected) in compared.items()
}
assert max(differs.values()) < 1e-6
pd.Series(differs, name="largest difference of a weight")

# %% [markdown]
# Critic, samplers and target agree to the last bits. Now the whole loop, live on Max of Three; `train` is a generator
# that yields a record a step, prints nothing and writes nothing.

# %%
game = max_of_three(2.0)
learner = SVNR(game, SVNRSettings(), seed=0)
records = train(game, learner, TrainSettings(length=n_episodes), seed=0)
reward = np.array([record.reward[0] for record in records])
sixths = pd.Series(reward).groupby(np.arange(len(reward)) * 6 // len(reward)).mean()
sixths.rename("mean reward, sixths")

# %%
finding(
    (
        sixths.iloc[0] < 0 and sixths.iloc[-1] > 9,
        f"The team begins with {sixths.iloc[0]:.1f} in the first sixth of its episodes and earns {sixths.iloc[-1]:.2f} of "
        f"{game.optimum.reward:g} in the last.",
    )
)

# %% [markdown]
# ## 6. One pass against K rounds
#
# Now particles negotiate on the *learned* critic, before the tanh, where the box has no edge, with the network's sets,
# and the network answers in one pass. The network has seen every temperature of the schedule on the way down; is that
# its advantage? As a control a second lot of clouds is annealed from α = 10 to the same last temperature.

# %%
last = learner.settings.alpha(Progress(n_episodes - 1, n_episodes))
zeros = torch.zeros(1000, 1)
network = game.reward(learner.act(zeros, "shared")).mean().item()


def critic(u):
    """What the team has learned of joint actions u [..., 3]."""
    return learner.critic(torch.zeros(*u.shape[:-1], 1), u)[0]


def annealed(particles, temperatures):
    """The path of negotiating particles, equally many rounds at each temperature."""
    path = [particles[None]]
    for alpha in temperatures:
        score = pre_tanh(boltzmann_score(critic, alpha))
        rounds = n_rounds // len(temperatures)
        path.append(negotiate(path[-1][-1], score, strict(3), rounds, step_size=0.02)[1:])
    return torch.tanh(torch.cat(path))


# %%
start = torch.randn(n_clouds, 64, 3, generator=draws)
plans = {"at the last temperature": [last], "annealed": np.geomspace(10, last, 10).tolist()}
paths = {kind: annealed(start, temperatures) for kind, temperatures in plans.items()}
rewards = {kind: game.reward(path) for kind, path in paths.items()}  # [K + 1, clouds, 64]
rounds = pd.concat(
    pd.DataFrame({"average": reward[:, c].mean(-1), "best": reward[:, c].amax(-1)})
    .rename_axis("round")
    .reset_index()
    .assign(kind=kind, cloud=f"{kind} {c}")
    for kind, reward in rewards.items()
    for c in range(n_clouds)
)

# %%
averages = {kind: reward[-1].mean(-1) for kind, reward in rewards.items()}  # [clouds]
outputs.figure(
    figures.amortised.rounds_against_network(
        rounds,
        network,
        game.optimum.reward,
        "On average the network earns what a cloud's best particle does",
        f"{n_clouds} clouds of 64 particles each, one line a cloud, on the critic that the network learned with; network: "
        "mean of 1,000 samples.",
    ),
    "network_against_particles",
    "One pass against K rounds",
    note=f"network {network:.2f}; clouds {'; '.join(f'{k}: {a.mean():.2f}' for k, a in averages.items())}",
)

# %%
right = {kind: game.pays_most(path[[0, -1]]) for kind, path in paths.items()}  # [2, clouds, 64]
kept = {kind: (began == ended).float().mean().item() for kind, (began, ended) in right.items()}
there = {kind: ended.float().mean().item() for kind, (_, ended) in right.items()}
cold = "at the last temperature"
best = rewards[cold][-1].amax(-1)  # [clouds]
finding(
    (
        max(a.max() for a in averages.values()) < network,
        f"A cloud's average is {min(a.min() for a in averages.values()):.1f} to "
        f"{max(a.max() for a in averages.values()):.1f} after {n_rounds} rounds; the network earns {network:.1f}.",
    ),
    (
        best.min() > network - 1,
        f"The best particle of a cloud earns {best.min():.1f} to {best.max():.1f}.",
    ),
    (
        kept[cold] > 0.75 > there[cold],
        f"Of the particles {kept[cold]:.0%} end at the hill on whose side they began, {there[cold]:.0%} at the right one.",
    ),
    (
        averages["annealed"].max() < network,
        f"Annealing does not make up for it ({there['annealed']:.0%} at the right hill), so to have seen every temperature "
        "is not what sets the network apart; what does, this does not show.",
    ),
)

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
earned = {"one seed": game.reward(together).mean(), "own seeds": game.reward(alone).mean()}
finding(
    (
        abs(earned["one seed"] - earned["own seeds"]) < 0.1,
        f"On a single optimum a team with one seed earns {earned['one seed']:.2f} and one with a seed each "
        f"{earned['own seeds']:.2f}.",
    ),
    (
        mixed["apart"] > 2 * where.loc["apart"].iloc[0],
        "On two modes, in section 3, the two differed.",
    ),
)

# %% [markdown]
# ## Against the paper
#
# (7.3) holds as printed; (7.2) with S_i for C_i in the kernel, as (B.1) has it. (7.4) is biased as printed. The network
# does not approximate what rounds of negotiation on the learned critic lead to: it earns more (section 6).
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
