"""The energy distance, and the direction down it: a pull that is felt at any range.

Beyond the paper. For laws p and q with finite means,

    E(q, p) = 2 E|Y − Z| − E|Y − Y′| − E|Z − Z′| ≥ 0,   Y, Y′ ~ q and Z, Z′ ~ p,

and 0 where q = p alone (Székely and Rizzo, 2013). It asks for samples of p and for no score, so
that p may have hills that no sample of q has found: they pull all the same. The direction (7.2)
weighs what x says by κ(x, y), which is nothing where y is far from every x.
"""

import torch
from torch import Tensor


def energy_distance(y: Tensor, z: Tensor) -> Tensor:
    """2 E|y − z| − E|y − y′| − E|z − z′|, each mean over pairs of different samples.

    Without bias, so that it may be negative where the two laws agree.

    Args:
        y: [..., M, D] samples of q, at least two.
        z: [..., P, D] samples of p, at least two.

    Returns:
        [...] estimates.
    """
    return 2 * _distances(y, z).mean((-1, -2)) - _apart(y) - _apart(z)


def _apart(y: Tensor) -> Tensor:
    """E|y − y′| over pairs of different samples [..., M, D]."""
    m = y.shape[-2]
    return _distances(y, y).sum((-1, -2)) / (m * (m - 1))


def _distances(x: Tensor, y: Tensor) -> Tensor:
    """|x_l − y_m| from differences, as `kernels.squared_distances` has them."""
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def energy_direction(particles: Tensor, moved: Tensor, floor: float) -> Tensor:
    """φ(y_m) = 1/P Σ_j (z^j − y_m)/|z^j − y_m| − 1/(M−1) Σ_{l≠m} (y_l − y_m)/|y_l − y_m|.

    It is −M/2 times the gradient in y_m of `energy_distance`: along it the estimate falls, and
    through (7.3) so do the weights' E(q^ψ, p), of which the gradient is met in the mean: both
    sums are linear in what p and q are represented by, so that few particles make φ noisy and
    not wrong. No vector in it is longer than 1, however steep Q / α is.

    Args:
        particles: [..., P, D] z, samples of p, which stay.
        moved: [..., M, D] y, samples of q, at least two, which move.
        floor: least distance that is divided by, so that near ones pull less and less; the
            direction is then down a distance that is quadratic below the floor.

    Returns:
        [..., M, D] directions; 0 in the mean where p = q.
    """
    n, m = particles.shape[-2], moved.shape[-2]
    there = 1 / _distances(moved, particles).clamp(min=floor) / n
    here = 1 / _distances(moved, moved).clamp(min=floor) / (m - 1)
    here.diagonal(dim1=-2, dim2=-1).zero_()  # a sample does not push itself
    weight = torch.cat([there, -here], -1)  # [..., M, P + M]
    return weight @ torch.cat([particles, moved], -2) - weight.sum(-1, keepdim=True) * moved
