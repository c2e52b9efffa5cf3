import math

import pytest
import torch

from svnr.stein.kernels import median_bandwidth, rbf, squared_distances


def inverse_multiquadric(distances, bandwidth):
    """κ = (1 + d²/h)^−½, whose gradient in x is −(x − y) / h · (1 + d²/h)^−3/2."""
    return (1 + distances / bandwidth).rsqrt(), 1 / (bandwidth + distances)


def test_distances_by_hand():
    x, y = torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[0.0, 1.0]])
    # ‖(0,0) − (0,1)‖² = 1 and ‖(3,4) − (0,1)‖² = 9 + 9.
    torch.testing.assert_close(squared_distances(x, y), torch.tensor([[1.0], [18.0]]))


def test_near_particles_are_told_apart_wherever_they_are():
    """1000 and 1000.001: ‖x‖² − 2 x·y + ‖y‖² would lose a distance² of 1e-6 in float32."""
    x = torch.tensor([[1000.0], [1000.001]])
    assert squared_distances(x, x)[0, 1].item() == ((x[0] - x[1]) ** 2).item() > 0


def test_bandwidth_by_hand():
    # Three points: med² is the lower median of (1, 2, 4, 8, 9, 16), which is 4; n = 3.
    distances = torch.tensor([[1.0, 4.0], [9.0, 16.0], [2.0, 8.0]])
    assert median_bandwidth(distances).item() == pytest.approx(4 / math.log(3))


def test_a_particle_and_itself_are_no_pair():
    """Distances² 4, 1 and 9 between three particles: their median is 4, with three zeros 1.

    Two particles at a distance² of 4 have h = 4 / log 2, and not the floor.
    """
    three = torch.tensor([[0.0, 4.0, 1.0], [4.0, 0.0, 9.0], [1.0, 9.0, 0.0]])
    assert median_bandwidth(three, same=True).item() == pytest.approx(4 / math.log(3))
    assert median_bandwidth(three).item() == pytest.approx(1 / math.log(3))
    two = squared_distances(x := torch.tensor([[[0.0], [2.0]], [[5.0], [4.0]]]), x)
    found = median_bandwidth(two, same=True)
    assert found.flatten().tolist() == pytest.approx([4 / math.log(2), 1 / math.log(2)])


def test_bandwidth_has_a_floor():
    assert median_bandwidth(torch.zeros(4, 4)).item() == pytest.approx(1e-3)


def test_one_particle_has_no_bandwidth():
    with pytest.raises(ValueError, match="needs at least 2 particles, got 1"):
        median_bandwidth(torch.ones(1, 5))


def test_kernel_by_hand():
    # Distance² 4 and h = 2: κ = e^−2; its gradient in x is −2 (x − y) κ / h, a rate of 2 / 2.
    k, rate = rbf(torch.tensor([[4.0]]), torch.tensor(2.0))
    assert k.item() == pytest.approx(math.exp(-2))
    assert rate.item() == 1.0


@pytest.mark.parametrize("kernel", [rbf, inverse_multiquadric])
def test_kernel_gradient_is_autograds(kernel):
    x, y = (torch.randn(6, 3, dtype=torch.double, requires_grad=True) for _ in "xy")
    k, rate = kernel(squared_distances(x, y.detach()), torch.tensor(0.7).double())
    dk = -(rate * k).unsqueeze(-1) * (x.unsqueeze(1) - y)
    for m in range(6):
        (expected,) = torch.autograd.grad(k[:, m].sum(), x, retain_graph=True)
        torch.testing.assert_close(dk[:, m], expected)


def test_groups_do_not_mix():
    x, y = torch.randn(4, 6, 3), torch.randn(4, 5, 3)
    distances = squared_distances(x, y)
    h = median_bandwidth(distances)
    k, _ = rbf(distances, h)
    assert h.shape == (4, 1, 1) and k.shape == (4, 6, 5)
    alone = squared_distances(x[2], y[2])
    torch.testing.assert_close(k[2], rbf(alone, median_bandwidth(alone))[0])
