import math

import pytest
import torch

from svnr.stein.birth_death import birth_death, excess, svgd_with_births
from svnr.stein.svgd import score_of, svgd


def log_two_modes(x):
    """Modes at ±3 on a line, weights 0.9 and 0.1, standard deviation 0.5."""
    weights = torch.log(torch.tensor([0.1, 0.9]))
    return torch.logsumexp(-((x - torch.tensor([-3.0, 3.0])) ** 2) / 0.5 + weights, -1)


def test_rates_by_hand():
    """Two particles together and one far away, on a flat target.

    log kde is log 2, log 2 and log 1; minus their mean ⅔ log 2: ⅓ log 2, ⅓ log 2 and −⅔ log 2.
    """
    rate = excess(torch.tensor([[0.0], [0.0], [100.0]]), torch.zeros(3), bandwidth=1.0)
    assert rate.tolist() == pytest.approx([math.log(2) / 3, math.log(2) / 3, -2 * math.log(2) / 3])


def test_births_move_the_mass_that_svgd_leaves_where_it_was():
    """Half of the particles start at each mode; nine tenths belong to the right one."""
    generator = torch.Generator().manual_seed(0)
    start = torch.cat([torch.randn(60, 1, generator=generator) / 2 + c for c in (-3.0, 3.0)])
    plain = svgd(start, score_of(log_two_modes), 300, 0.2)[-1]
    assert (plain > 0).float().mean().item() == pytest.approx(0.5, abs=0.02)
    moved = svgd_with_births(start, log_two_modes, 12, 25, 0.2, 0.3, generator)
    assert (moved > 0).float().mean().item() == pytest.approx(0.9, abs=0.06)
    assert len(moved) == len(start)


def test_nothing_happens_where_the_particles_fit():
    x = torch.zeros(10, 1)
    assert torch.equal(birth_death(x, torch.zeros(10), 1.0, torch.Generator()), x)


def test_widths_must_be_positive():
    with pytest.raises(ValueError, match=r"bandwidth must be a number in .*, got 0.0"):
        birth_death(torch.zeros(3, 1), torch.zeros(3), 0.0, torch.Generator())


@pytest.mark.parametrize(
    "log_density", [torch.tensor([0.0, math.nan, 0.0]), torch.zeros(3, 1), torch.zeros(2)]
)
def test_rates_need_one_finite_log_density_a_particle(log_density):
    with pytest.raises(ValueError, match="log_density must be 3 finite numbers, got"):
        birth_death(torch.zeros(3, 1), log_density, 1.0, torch.Generator())


def test_the_density_of_a_cloud_by_hand():
    # At 0 a neighbour at 1 adds exp(−1); at 100 nobody does: log(1 + 1/e) apart, where p is flat.
    rate = excess(torch.tensor([[0.0], [1.0], [100.0]]), torch.zeros(3), 1.0)
    assert (rate[0] - rate[2]).item() == pytest.approx(math.log(1 + math.exp(-1)))


def test_who_is_born_beside_another_is_as_far_away_as_the_bandwidth_says():
    # h = 4: whoever takes the place of another is put a tenth of √h = 0.2 beside it.
    log_p = torch.tensor([0.0, 100.0])
    clouds = [
        birth_death(torch.zeros(2, 1), log_p, 4.0, torch.Generator().manual_seed(seed))
        for seed in range(500)
    ]
    moved = torch.cat(clouds).flatten()
    assert moved[moved != 0].square().mean().sqrt().item() == pytest.approx(0.2, abs=0.02)
