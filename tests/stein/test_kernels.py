import math

import pytest
import torch

from svnr.stein.kernels import median_bandwidth, rbf, squared_distances


def test_distances_by_hand():
    x, y = torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[0.0, 1.0]])
    # ‖(0,0) − (0,1)‖² = 1 and ‖(3,4) − (0,1)‖² = 9 + 9.
    assert squared_distances(x, y).tolist() == [[1.0], [18.0]]


def test_bandwidth_by_hand():
    # Three points: med² is the lower median of (1, 2, 4, 8, 9, 16), which is 4; n = 3.
    distances = torch.tensor([[1.0, 4.0], [9.0, 16.0], [2.0, 8.0]])
    assert median_bandwidth(distances).item() == pytest.approx(4 / math.log(3))


def test_bandwidth_has_a_floor():
    assert median_bandwidth(torch.zeros(4, 4)).item() == pytest.approx(1e-3)


def test_one_particle_has_no_bandwidth():
    with pytest.raises(ValueError, match="needs at least 2 particles, got 1"):
        median_bandwidth(torch.ones(1, 5))


def test_kernel_by_hand():
    # Distance² 4 and h = 2: κ = e^−2; its gradient in x is −2 (x − y) κ / h = −2 e^−2.
    k, dk = rbf(torch.tensor([[2.0]]), torch.tensor([[0.0]]), 2.0)
    assert k.item() == pytest.approx(math.exp(-2))
    assert dk.item() == pytest.approx(-2 * math.exp(-2))


def test_kernel_gradient_is_autograds():
    x, y = (torch.randn(6, 3, dtype=torch.double, requires_grad=True) for _ in "xy")
    k, dk = rbf(x, y.detach(), 0.7)
    for m in range(6):
        (expected,) = torch.autograd.grad(k[:, m].sum(), x, retain_graph=True)
        torch.testing.assert_close(dk[:, m], expected)


def test_groups_do_not_mix():
    x, y = torch.randn(4, 6, 3), torch.randn(4, 5, 3)
    h = median_bandwidth(squared_distances(x, y))
    k, dk = rbf(x, y, h)
    assert h.shape == (4, 1, 1) and k.shape == (4, 6, 5) and dk.shape == (4, 6, 5, 3)
    alone = rbf(x[2], y[2], median_bandwidth(squared_distances(x[2], y[2])))
    torch.testing.assert_close((k[2], dk[2]), alone)
