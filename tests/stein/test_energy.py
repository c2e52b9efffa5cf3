import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from svnr.stein.energy import energy_direction, energy_distance


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_distance_and_direction_on_the_line_by_hand():
    # y = 0, 3 and z = 1, 5: E|y − z| = (1 + 5 + 2 + 2) / 4 = 2.5, E|y − y′| = 3, E|z − z′| = 4.
    y, z = torch.tensor([[0.0], [3.0]]), torch.tensor([[1.0], [5.0]])
    assert energy_distance(y, z).item() == pytest.approx(5 - 3 - 4)
    # At 0 both z pull to the right, 1, and so would y = 3, −1. At 3 the z cancel; y = 0: +1.
    assert energy_direction(z, y, 0.01).flatten().tolist() == pytest.approx([0, 1])
    # Below a floor of 4 a vector is as long as its quarter: at 0, (¼ + 1) / 2 − ¾.
    assert energy_direction(z, y, 4.0)[0].item() == pytest.approx(0.625 - 0.75)


@pytest.mark.parametrize(("m", "p", "d"), [(2, 3, 1), (7, 4, 3), (5, 5, 6)])
def test_it_is_minus_half_m_times_the_gradient_of_the_distance(m, p, d):
    y, z = normal(3, m, d).double().requires_grad_(), normal(3, p, d, seed=1).double()
    slope = torch.autograd.grad(energy_distance(y, z).sum(), y)[0]
    phi = energy_direction(z, y.detach(), 1e-9)
    torch.testing.assert_close(phi, -m / 2 * slope)


def test_written_out_in_loops():
    y, z, floor = normal(5, 2), normal(4, 2, seed=1), 0.5
    expected = torch.zeros(5, 2)
    for m in range(5):
        for there in z:
            apart = there - y[m]
            expected[m] += apart / max(apart.norm().item(), floor) / 4
        for other in range(5):
            if other != m:
                apart = y[other] - y[m]
                expected[m] -= apart / max(apart.norm().item(), floor) / 4
    torch.testing.assert_close(energy_direction(z, y, floor), expected, rtol=1e-4, atol=1e-6)


def test_where_both_laws_agree_it_is_zero_in_the_mean():
    """At the same place y₀, over 4,000 draws of all the others from one law, lopsided."""
    others = normal(4000, 12, 2).square()
    y = torch.cat([torch.full((4000, 1, 2), 0.4), others[:, :5]], 1)
    z = others[:, 5:]
    phi = energy_direction(z, y, 0.01)[:, 0]
    error = phi.std(0) / 4000**0.5
    assert (phi.mean(0).abs() < 4 * error).all()
    shifted = energy_direction(z + 0.2, y, 0.01)[:, 0]
    assert (shifted.mean(0) > 8 * error).all()


def test_it_pulls_at_any_range_and_no_further_than_one():
    y = 0.1 * normal(6, 3)
    for far in (1e1, 1e3, 1e5):
        phi = energy_direction(torch.tensor([[far, 0.0, 0.0]]), y, 0.01).mean(0)
        assert phi[0].item() == pytest.approx(1, abs=1e-2)  # the samples' own parts cancel


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 999), shift=st.floats(-3, 3), turn=st.floats(0, 6.28))
def test_it_goes_along_where_both_are_shifted_and_turned(seed, shift, turn):
    y, z = normal(6, 2, seed=seed), normal(4, 2, seed=seed + 1)
    phi = energy_direction(z, y, 0.05)
    torch.testing.assert_close(
        energy_direction(z + shift, y + shift, 0.05), phi, atol=1e-3, rtol=1e-3
    )
    angle = torch.tensor(turn)
    rotation = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).view(2, 2)
    turned = energy_direction(z @ rotation, y @ rotation, 0.05)
    torch.testing.assert_close(turned, phi @ rotation, atol=1e-3, rtol=1e-3)


def test_going_along_it_brings_samples_over_a_gap():
    """All samples at −2; a tenth of the law at 2: about a tenth of the samples arrive there."""
    y = -2 + 0.1 * normal(100, 1)
    z = 0.1 * normal(50, 1, seed=1) - 2
    z[:5] += 4
    before = energy_distance(y, z)
    for _ in range(800):
        y = y + 0.1 * energy_direction(z, y, 0.01)
    assert energy_distance(y, z) < 0.01 * before
    assert (y > 0).float().mean().item() == pytest.approx(0.1, abs=0.02)
