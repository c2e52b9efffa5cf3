# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 · Particles
#
# **Question.** What does Stein variational gradient descent (SVGD) do to a cloud of points?
#
# **Claim.** "Update particles […] until φ*(x) = 0, SVGD ensures q = p when the iteration ends […]." (§3.3)
#
# **Paper.** §3.3, equation (3.5); the kernel and bandwidth of §8.
#
# **Reads.** Nothing.
#
# **Makes.** Particles on a known target, frozen mode weights, variance against dimension, the box.
#
# **Takes.** About a minute on one core.

# %%
import numpy as np
import pandas as pd
import torch

from svnr.report.figures import particles as figures
from svnr.report.findings import finding
from svnr.report.provenance import Outputs
from svnr.stein.kernels import median_bandwidth, rbf, squared_distances
from svnr.stein.svgd import direction, latent_score, pre_tanh, score_of, svgd

torch.set_num_threads(1)

# %% tags=["parameters"]
n_particles: int = 64  # M
n_steps: int = 1500  # steps of each run
dimensions: list = [1, 2, 4, 8, 16]  # D, where the variance is measured
n_clouds: int = 4  # clouds of each size and D
scale: str = "paper"  # the name of these numbers; `svnr reproduce --scale` sets both
output: str = ""  # folder for figures; empty: this repository's own

# %%
outputs = Outputs.of("03_particles", globals())
generator = torch.Generator().manual_seed(0)


def start(deviation, *shape):
    """Normal points around the origin."""
    return deviation * torch.randn(*shape, generator=generator)


# %% [markdown]
# ## 1. The direction
#
# > "φ*(x) = E_{y∼q}[k(x, y) ∇_y log p(y) + ∇_y k(x, y)]" (3.5)
#
# Here p is the target, a density that we can evaluate up to a constant; q is the cloud of M particles in D
# coordinates, and the expectation is their average. SVGD moves each particle x by a small step along φ*(x).
#
# Each particle looks at all the others through a kernel k: near ones count, far ones do not. The first term is a
# pull: go where the log-density rises *near you*. The second is a push: away from where the others are. Without
# the push all particles would end on the peak; with it they spread as the density does.
#
# The kernel is exp(−‖x − y‖²/h), with h = med²/log M (§8): the median distance sets what "near" means. We write the
# double sum out for five particles in the plane.

# %%
x = start(1.0, 5, 2)
score = -x  # of a standard normal: ∇ log p(x) = −x
distances = ((x[:, None] - x[None]) ** 2).sum(-1)
pairs = distances[~torch.eye(5, dtype=torch.bool)]  # a particle and itself are no pair
h = pairs.median() / np.log(5)
assert torch.isclose(h, median_bandwidth(squared_distances(x, x), same=True).squeeze())

# %%
phi = torch.zeros_like(x)
for m in range(5):
    for y in range(5):
        k = torch.exp(-distances[y, m] / h)
        pull, push = k * score[y], -2 / h * (x[y] - x[m]) * k
        phi[m] += (pull + push) / 5
assert torch.allclose(phi, direction(x, score), atol=1e-6)

# %% [markdown]
# The push is the kernel's gradient in y, the particle that is averaged over; `rate` is its 2/h. Autograd
# says so, too.

# %%
leaf = x.clone().requires_grad_(True)
k, rate = rbf(squared_distances(leaf, x), h)
(slope,) = torch.autograd.grad(k[:, 0].sum(), leaf)
assert torch.allclose(slope, -rate * k[:, :1] * (x - x[0]), atol=1e-6)

# %% [markdown]
# > "φ*(x) = 0" (§3.3)
#
# Where would the particles rest? If they are samples of p itself, pull and push cancel on average: this is Stein's
# identity. **What to expect.** φ* of exact samples shrinks as their number grows. That of displaced ones does not.

# %%
rest = []
for m in (32, 128, 512):  # particles
    exact = start(1.0, m, 2)
    clouds = (exact, exact + 1)
    lengths = [direction(x, -x, bandwidth=1.0).norm(dim=-1).mean() for x in clouds]
    rest.append({"M": m, "exact samples": lengths[0].item(), "moved by 1": lengths[1].item()})
rest = pd.DataFrame(rest).set_index("M")
assert rest["exact samples"].is_monotonic_decreasing and rest["moved by 1"].min() > 0.2
rest.round(3)

# %% [markdown]
# ## 2. A target with a known answer
#
# Particles start in a tight cluster at −3; the target is normal with mean 2 and standard deviation ½.
#
# **What to expect.** The cluster moves over and opens up. Failure would look like a cluster that arrives and stays
# tight, or one that never arrives.

# %%
target = score_of(lambda u: -((u - 2.0) ** 2).sum(-1) / (2 * 0.5**2))
path = svgd(start(0.1, n_particles, 1) - 3, target, n_steps, step_size=0.1)
caption = (
    f"{n_particles} particles, one line each; they begin with deviation 0.1 around −3 and are drawn from "
    "their first step on."
)
figure = figures.settling(path.numpy(), 2.0, 0.5, caption)
outputs.figure(figure, "svgd_settles", "SVGD on a normal target")

# %%
mean, deviation = path[-1].mean().item(), path[-1].std().item()
away = (path[..., 0] - path[-1, :, 0]).abs() > 0.1  # [steps + 1, M] from where each ends
arrived = away.sum(0)  # [M] steps before a particle is there
still = (path[-1] - path[-2]).abs().max() / 0.1
finding(
    (
        arrived.max() < n_steps / 2,
        f"Half of the particles are within 0.1 of where they end after {arrived.median()} steps, the last after "
        f"{arrived.max()}.",
    ),
    (still < 1e-3, f"They come to rest: at the end the largest φ is {still:.0e}."),
    (
        abs(mean - 2) < 0.05 and 0.45 < deviation < 0.5,
        f"The mean comes out at {mean:.2f} (asked: 2), the deviation at {deviation:.3f}, a little below the ½ asked.",
    ),
)

# %% [markdown]
# ## 3. First failure: mode weights freeze
#
# Now two modes, far apart, with weights 80 to 20. Between them the density is next to nothing. The weights enter the
# score only there: near a mode, ∇ log p is that of this mode alone, whatever its weight. So a particle cannot know
# that the other mode lacks mass.
#
# **What to expect.** If SVGD ensured q = p, four particles in five would end at the first mode, wherever they began.


# %%
def log_two_modes(u):
    """Modes at (−2, 2) with weight 0.8 and (2, −2) with weight 0.2, standard deviation 0.7."""
    modes = torch.tensor([[-2.0, 2.0], [2.0, -2.0]])
    exponents = -((u[..., None, :] - modes) ** 2).sum(-1) / (2 * 0.7**2)
    return torch.logsumexp(exponents + torch.log(torch.tensor([0.8, 0.2])), -1)


def at_first_mode(u):
    """The share of particles on the first mode's side."""
    return (u[..., 1] > u[..., 0]).float().mean(-1)


# %%
runs = [svgd(start(3.0, n_particles, 2), score_of(log_two_modes), n_steps, 0.3) for _ in range(4)]
shares = pd.DataFrame(
    {
        "first mode, at the start": [at_first_mode(run[0]).item() for run in runs],
        "first mode, at the end": [at_first_mode(run[-1]).item() for run in runs],
        "first mode, target": 0.8,
        "largest φ, at the start": [(run[1] - run[0]).abs().max().item() / 0.3 for run in runs],
        "largest φ, at the end": [(run[-1] - run[-2]).abs().max().item() / 0.3 for run in runs],
    }
).rename_axis("run")
shares.round(4)

# %%
ticks = torch.linspace(-5, 5, 81)
plane = torch.stack(torch.meshgrid(ticks, ticks, indexing="ij"), -1)
density = log_two_modes(plane).exp().numpy()
centres = torch.tensor([[-2.0, 2.0]] * 4 + [[2.0, -2.0]]).repeat(n_particles, 1)[:n_particles]
exact = centres + start(0.7, n_particles, 2)

# %%
panels = {}
for name, u in {"start": runs[0][0], "end of SVGD": runs[0][-1], "exact samples": exact}.items():
    panels[f"{name}\n{at_first_mode(u):.0%} upper left"] = u.numpy()
title = "Mode weights stay as they began, whatever the target's"
caption = (
    f"The first of 4 runs, {n_particles} particles; the target has 80% of its mass upper left. "
    "What lies beyond ±5 is not drawn."
)
figure = figures.clouds(panels, density, 5, title, caption)
note = (
    f"80 : 20 target; ended at {shares.iloc[:, 1].mean():.2f} from {shares.iloc[:, 0].mean():.2f}"
)
outputs.figure(figure, "svgd_frozen_weights", "Frozen mode weights", note=note)

# %%
began, ended, still = shares.iloc[:, 0], shares.iloc[:, 1], shares.iloc[:, 4].max()
finding(
    (
        ((ended - began).abs() < 0.1).all() and ended.max() < 0.7,
        f"At the end {ended.min():.0%} to {ended.max():.0%} of the particles are at the first mode, as at the start "
        f"({began.min():.0%} to {began.max():.0%}), where the target has 80%.",
    ),
    (still < 1e-3, f"Every particle has come to rest (largest φ {still:.0e})."),
    (still < 1e-3 and ended.max() < 0.7, "So φ = 0 at the particles is no evidence of q = p."),
)

# %% [markdown]
# A symmetric target hides this: half and half would look right.

# %% [markdown]
# ## 4. Second failure: the variance collapses
#
# In many dimensions all distances are alike, the kernel cannot tell near from far, and the push gets weak. On a
# standard normal the variance of each coordinate should be 1.
#
# **What to expect.** A level line at 1, if the cloud were as wide as the target for every D.

# %%
rows = []
for m in (16, 32, 64):
    for d in dimensions:
        end = svgd(start(1.0, n_clouds, m, d), lambda u: -u, n_steps, 0.3)[-1]
        variances = end.var(1, correction=0).mean(-1).tolist()
        rows += [{"M": f"{m} particles", "D": d, "variance": value} for value in variances]

# %%
table, truth = pd.DataFrame(rows), (1.0, "target")
labels = ("coordinates D", "variance of a coordinate")
title = "The more coordinates, the narrower the cloud"
caption = f"Mean of {n_clouds} clouds of each size; the bands reach from the least to the largest."
figure = figures.lines(table, "D", "variance", "M", labels, title, truth, log="x", caption=caption)
outputs.figure(figure, "svgd_variance", "Variance against dimension")

# %%
means = table.groupby(["M", "D"])["variance"].mean().unstack("M")
last, few, many = means.iloc[-1], "16 particles", "64 particles"
finding(
    (
        (means.diff().dropna() < 0).all().all() and last.max() < 0.5,
        f"The cloud narrows with every doubling of D: at D = {means.index[-1]} the variance is {last[few]:.2f} with "
        f"{few} and {last[many]:.2f} with {many}, where the target has 1.",
    ),
    ((means[many] > means[few]).all(), "More particles help, slowly."),
    (
        last.max() < 0.5,
        "Where a team has many action coordinates, its particles spread less than the target says.",
    ),
)

# %% [markdown]
# ## 5. Third failure: one particle
#
# With a single particle the median distance is 0 and log M is 0; the bandwidth is undefined, and `svnr` refuses.
# With a fixed bandwidth the kernel of a particle with itself is 1, and there is no push. **What to expect.** Gradient
# ascent, step by step: one particle ends on a peak and knows nothing of any width.

# %%
try:
    direction(torch.zeros(1, 2), torch.zeros(1, 2))
except ValueError as error:
    print(error)

# %%
score = score_of(log_two_modes)
begin = climber = torch.tensor([[0.3, 0.1]])
alone = svgd(begin, score, n_steps, 0.3, bandwidth=1.0)[-1]
for _ in range(n_steps):
    climber = climber + 0.3 * score(climber)
assert torch.allclose(climber, alone)

peaks = torch.tensor([[-2.0, 2.0], [2.0, -2.0]])
nearest, reached = (torch.cdist(each, peaks).argmin().item() for each in (begin, alone))
finding(
    (
        nearest == reached and torch.cdist(alone, peaks).min() < 0.01,
        f"It ends on the nearest peak, here the one that holds {(0.8, 0.2)[reached]:.0%} of the mass.",
    )
)

# %% [markdown]
# ## 6. The box
#
# Actions live in [−1, 1]. Where should the particles move? Take the flattest target, the uniform one, with
# variance ⅓.
#
# - *Raw*: nothing holds the particles.
# - *Squashed*, as the public code of this family does it: log(1 − u²) is added to the log-density of u.
# - *Before the tanh*: z moves, and u = tanh z. A density changes with its coordinates: p(z) = p(u) |du/dz|, and
#   du/dz = 1 − u². So ∇_z log p(z) = (1 − u²) ∇_u log p(u) − 2u.

# %%
z = start(1.0, 6, 2).requires_grad_(True)
u = torch.tanh(z)
log_p = -((u - 0.3) ** 2).sum() + torch.log(1 - u**2).sum()  # of z, for log p(u) = −(u − 0.3)²
(slope,) = torch.autograd.grad(log_p, z)
assert torch.allclose(slope, latent_score(u.detach(), -2 * (u.detach() - 0.3)), atol=1e-5)

# %% [markdown]
# **What to expect.** Raw particles push each other out of the box. The squashed ones sample 1 − u² in place of the
# uniform density, with variance ⅕. The last ones should be flat.

# %%
flat = torch.zeros_like
squashed = score_of(lambda u: torch.log(1 - u**2 + 1e-6).sum(-1))
first = start(0.5, n_particles, 1).clamp(-0.95, 0.95)
ends = {
    "raw": svgd(first, flat, n_steps, 0.1)[-1],
    "squashed, with log(1 − u²)": svgd(first, squashed, n_steps, 0.01)[-1],
    "before the tanh": torch.tanh(svgd(torch.atanh(first), pre_tanh(flat), n_steps, 0.1)[-1]),
}
box = pd.DataFrame(
    {
        name: {
            "variance (⅓)": u.var().item(),
            "outside the box": (abs(u) > 1).float().mean().item(),
        }
        for name, u in ends.items()
    }
).T.round(3)
note = "variance of a uniform target, 1/3"
outputs.table(box, "svgd_in_the_box", "Three ways to stay in the box", note=note)

# %%
panels = {name: u[:, 0].numpy() for name, u in ends.items()}
title = "Only before the tanh is a uniform target uniform"
caption = f"{n_particles} particles after {n_steps} steps; what lies beyond ±1.6 is not drawn."
figure = figures.in_the_box(panels, 1.6, title, caption)
outputs.figure(figure, "svgd_box", "Three ways to stay in the box")

# %%
raw, squeezed, before = (row for _, row in box.iterrows())
off = (box.iloc[:, 0] - 1 / 3).abs()
finding(
    (raw.iloc[1] > 0.5, f"Raw, {raw.iloc[1]:.0%} of the particles leave the box."),
    (
        abs(squeezed.iloc[0] - 0.2) < 0.03,
        f"Squashed, their variance is {squeezed.iloc[0]:.3f}, that of 1 − u² and not of the uniform density.",
    ),
    (
        off.idxmin() == before.name and off.min() < 0.03,
        f"Before the tanh it is {before.iloc[0]:.3f}: only these sample the density that is meant.",
    ),
)

# %% [markdown]
# Here the particles of SVNR (Stein variational negotiated reasoning, the paper's method) move before the tanh;
# `coordinates="squashed"` brings the other way back.
#
# ## Against the paper
#
# (3.5) holds. "SVGD ensures q = p" (§3.3) holds for a density in the limit of infinitely many particles; with as few
# as here it does not, in the ways shown. §3.3 prints 2h in the kernel where §8 prints h; we take §8's.
#
# ## Adapt this
#
# Replace `log_two_modes` by any differentiable log-density of points [..., 2].
#
# ## Exercises
#
# 1. Move the modes together until the weights come out right. How far apart are they then?
# 2. Use a fixed bandwidth of 4 in section 4. Which variance comes out at D = 16?
# 3. Start all particles at the smaller mode. Does any of them ever leave?
#
# ## In one paragraph
#
# Particles are pulled to high density and pushed apart; they match simple targets, keep the mode weights they
# were born with, and shrink in many dimensions. Next: [04 · Negotiation](04_negotiation.ipynb), where each agent
# moves one coordinate of the particles.
