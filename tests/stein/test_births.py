import math

import pytest
import torch
from scipy.stats import chisquare

from svnr.stein import births

N = 20_000


def drawn(seed=0):
    return torch.Generator().manual_seed(seed)


def steep(u):
    """Two hills on the line, −½ and ½, with a valley of depth 5 between: Q = 5 cos(2πu)…"""
    return 2.5 * torch.cos(4 * math.pi * (u[..., 0] - 0.5)) + u[..., 0]


def masses(alpha, n_bins=8):
    """The exact share of each eighth of the box under exp(Q / α), by a fine sum."""
    u = (torch.arange(80_000, dtype=torch.float64) + 0.5) / 40_000 - 1
    weights = torch.exp(steep(u.unsqueeze(-1)) / alpha)
    return (weights.view(n_bins, -1).sum(-1) / weights.sum()).numpy()


def exact(alpha, generator, n=N):
    """Samples [n, 1] of exp(Q / α) on the box, through its distribution function."""
    u = (torch.arange(80_000, dtype=torch.float64) + 0.5) / 40_000 - 1
    total = torch.exp(steep(u.unsqueeze(-1)) / alpha).cumsum(0)
    place = torch.searchsorted(total / total[-1], torch.rand(n, generator=generator).double())
    return u[place.clamp(max=79_999)].float().unsqueeze(-1)


def keeps(u, alpha):
    """Whether samples [n, 1] have the exact masses: the p-value of their counts."""
    counts = torch.histc(u.flatten(), 8, -1, 1).numpy()
    return chisquare(counts, masses(alpha) * counts.sum()).pvalue


# --- each step leaves exp(Q / α) as it is --------------------------------------------------------

ALPHA = 1.5


def by_births(u, generator):
    rivals = births.uniform(3, *u.shape, generator=generator)
    return births.reborn(u, steep(u), rivals, steep(rivals), ALPHA, generator)


def by_choice(u, generator):
    """Every particle is a group with rivals of its own: shared ones make counts depend."""
    groups = u.unsqueeze(-2)
    rivals = births.uniform(N, 5, 1, generator=generator)
    found = births.chosen(groups, steep(groups), rivals, steep(rivals), ALPHA, generator)
    return found[0].view(-1, 1), found[1].flatten()


def by_metropolis(u, generator):
    z = births.latent(u)
    proposed = births.steps(z, generator)
    moved, value = births.metropolis(z, steep(u), proposed, steep, ALPHA, generator)
    return moved.tanh(), value


def by_jumps(u, generator):
    """Groups of five particles, three of which walk; two jump along differences of these."""
    z = births.latent(u).view(-1, 5, 1)
    proposed = births.proposed(z, generator)
    moved, value = births.metropolis(z, steep(z.tanh()), proposed, steep, ALPHA, generator)
    return moved.view(-1, 1).tanh(), value.flatten()


@pytest.mark.parametrize("step", [by_births, by_choice, by_metropolis, by_jumps])
def test_what_has_the_law_keeps_it(step):
    generator = drawn()
    u = start = exact(ALPHA, generator)
    assert keeps(u, ALPHA) > 1e-3
    for _ in range(6):
        u, value = step(u, generator)
        torch.testing.assert_close(value, steep(u), atol=1e-3, rtol=1e-3)
    moved = (u != start).float().mean()
    assert keeps(u, ALPHA) > 1e-3 and moved > 0.5


def test_births_find_the_masses_from_anywhere_and_moves_do_not():
    """All particles start at the left hill; α = 0.5, the valley is 10 α deep."""
    generator, alpha = drawn(), 0.5
    u = torch.full((4000, 1), -0.5)
    alone = births.latent(u)
    value = steep(u)
    for _ in range(40):
        rivals = births.uniform(1, *u.shape, generator=generator)
        u, _ = births.reborn(u, steep(u), rivals, steep(rivals), alpha, generator)
        proposed = births.steps(alone, generator) * 0.1 + 0.9 * alone
        alone, value = births.metropolis(alone, value, proposed, steep, alpha, generator)
    right = masses(alpha)[4:].sum()  # 0.88
    assert (u > 0).float().mean().item() == pytest.approx(right, abs=0.02)
    assert (alone > 0).float().mean() < 0.01


def test_jumps_carry_over_a_valley_what_has_been_found_and_walks_do_not():
    """A fifth is at the right hill, where exp(Q / α) puts e^{2 / 0.05} times as much."""
    generator, alpha = drawn(), 0.05
    q = lambda u: steep(u) + (u[..., 0] > 0)  # noqa: E731
    start = births.latent(torch.tensor([-0.5] * 160 + [0.5] * 40).unsqueeze(-1))
    shares = {}
    for propose in (births.proposed, births.steps):
        z, value = start, q(start.tanh())
        for _ in range(40):
            proposed = propose(z, generator)
            if propose is births.steps:
                proposed = z + (proposed - z).clamp(-0.3, 0.3)  # within its hill
            z, value = births.metropolis(z, value, proposed, q, alpha, generator)
        shares[propose.__name__] = (z > 0).float().mean().item()
    assert shares == {"proposed": 1.0, "steps": pytest.approx(0.2)}


# --- by hand -------------------------------------------------------------------------------------


def test_half_of_the_particles_jump_by_differences_of_those_that_walk(monkeypatch):
    """Particles at 1, 10, 100, …: those that walk stand still here, so that jumps are bare."""
    monkeypatch.setattr(births, "steps", lambda z, generator: z)
    z = 10.0 ** torch.arange(8, dtype=torch.float64).view(8, 1)
    for seed in range(20):
        went = (births.proposed(z, drawn(seed)) - z).flatten()
        still = z.flatten()[went == 0]
        assert len(still) == 4
        of_two = {float(a - b) for a in still for b in still if a != b}
        assert all(min(abs(w - d) for d in of_two) < 1e-6 for w in went[went != 0].tolist())
    for n in (1, 2, 3):  # too few to have two apart
        assert torch.equal(births.proposed(z[:n], drawn()), z[:n])


def test_a_difference_is_as_likely_as_its_opposite_and_of_two_different_ones():
    z = torch.tensor([[0.0], [1.0], [10.0]])
    found, counts = births.differences(z, 60_000, drawn()).unique(return_counts=True)
    assert found.tolist() == [-10, -9, -1, 1, 9, 10]
    assert (counts / 60_000).tolist() == pytest.approx([1 / 6] * 6, abs=0.01)


def test_the_latent_density_by_hand_and_at_the_edge():
    # tanh(½ log 3) = ½: Q / α = 3 / 2, log(1 − ¼) = −0.2877, twice.
    z = torch.full((1, 2), 0.5 * math.log(3))
    found = births.latent_log_density(z, torch.tensor([3.0]), 2.0)
    assert found.item() == pytest.approx(1.5 + 2 * math.log(0.75), abs=1e-6)
    # At z = ±30, where tanh is ±1 in floats: log(4 e^{−60}).
    far = births.latent_log_density(torch.tensor([[30.0], [-30.0]]), torch.zeros(2), 1.0)
    assert far.tolist() == pytest.approx([math.log(4) - 60] * 2)


def test_how_often_a_birth_succeeds():
    # Q falls by 2 at α = 4: exp(−½) = 0.6065; where it rises, always.
    u, low, high = torch.zeros(N, 1), torch.full((1, N), -2.0), torch.full((1, N), 1.0)
    rivals = torch.ones(1, N, 1)
    for values, share in ((low, math.exp(-0.5)), (high, 1.0)):
        found, value = births.reborn(u, torch.zeros(N), rivals, values, 4.0, drawn())
        assert found.mean().item() == pytest.approx(share, abs=0.012)
        assert torch.equal(value, torch.where(found[:, 0] > 0, values[0], 0.0))


def test_how_often_each_is_chosen():
    # exp(Q / α) is 1 for itself, 2 and 5 for the rivals: 1/8, 2/8, 5/8.
    alpha, z = 0.5, torch.zeros(N, 1)
    values = alpha * torch.tensor([2.0, 5.0]).log()
    rivals = torch.tensor([[1.0], [2.0]])
    found, value = births.chosen(z, torch.zeros(N), rivals, values, alpha, drawn())
    shares = [(found == k).float().mean().item() for k in range(3)]
    assert shares == pytest.approx([1 / 8, 2 / 8, 5 / 8], abs=0.012)
    assert torch.equal(value, torch.tensor([0.0, *values])[found[:, 0].long()])


def test_rivals_challenge_one_after_the_other_and_each_its_own_particle():
    """Only the rival of particle 1 in the first round wins; later ones are worse than it."""
    z, rivals = torch.zeros(3, 2), torch.arange(12.0).view(2, 3, 2)
    values = torch.tensor([[-99.0, 9.0, -99.0], [-99.0, 5.0, -99.0]])
    found, value = births.reborn(z, torch.zeros(3), rivals, values, 0.01, drawn())
    assert torch.equal(found, torch.tensor([[0.0, 0.0], [2.0, 3.0], [0.0, 0.0]]))
    assert value.tolist() == [0.0, 9.0, 0.0]


def test_where_nothing_is_tried_nothing_is_born():
    z, value = torch.randn(5, 2, generator=drawn()), torch.zeros(5)
    none = torch.zeros(0, 5, 2), torch.zeros(0, 5)
    assert torch.equal(births.reborn(z, value, *none, 1.0, drawn())[0], z)
    none = torch.zeros(0, 2), torch.zeros(0)
    assert torch.equal(births.chosen(z, value, *none, 1.0, drawn())[0], z)


def test_steps_are_symmetric_and_of_many_lengths():
    z = torch.full((N, 2), 3.0)
    step = births.steps(z, drawn()) - z
    assert step.mean(0).tolist() == pytest.approx([0, 0], abs=0.01)
    length = step.norm(dim=-1).log10()
    # E log₁₀ χ₂ = ½ (log₁₀ 2 − 0.2507) = 0.0252; E log₁₀ s = −1.25, of which a fifth above −½.
    assert length.mean().item() == pytest.approx(-1.25 + 0.0252, abs=0.02)
    ratio = step[:, 0] / step[:, 1]
    assert ratio.abs().median().item() == pytest.approx(1, abs=0.05)  # one scale for all of z


def test_the_boxs_edge_has_a_latent_place():
    assert births.latent(torch.tensor([-1.0, 0.5, 1.0])).isfinite().all()
    assert births.latent(torch.tensor([0.5])).tanh().item() == pytest.approx(0.5)
    u = births.uniform(N, 1, generator=drawn())
    assert (u.min() < -0.999, u.max() > 0.999, u.abs().max() <= 1) == (True, True, True)
