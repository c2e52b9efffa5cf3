import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from svnr.games.differential import max_of_three
from svnr.stein.kernels import rbf, squared_distances
from svnr.stein.svgd import boltzmann_score, direction, latent_score, pre_tanh, score_of, svgd


def gaussian(mean, deviation):
    return score_of(lambda x: -((x - mean) ** 2).sum(-1) / (2 * deviation**2))


def slowly(x, score, h, kernel):
    """(3.5) as printed, with the gradient of every κ(x, y) by autograd."""
    phi = torch.zeros_like(x)
    for m, y in enumerate(x):
        for n in range(len(x)):
            leaf = x[n].clone().requires_grad_(True)
            k = kernel((leaf - y).square().sum()[None, None], h)[0].sum()
            phi[m] += (k.detach() * score[n] + torch.autograd.grad(k, leaf)[0]) / len(x)
    return phi


def heavy_tailed(distances, bandwidth):
    """The inverse multiquadric (1 + d²/h)^−½."""
    return (1 + distances / bandwidth).rsqrt(), 1 / (bandwidth + distances)


def cloud(*shape, seed=0):
    return torch.randn(shape, dtype=torch.double, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kernel", [rbf, heavy_tailed])
@pytest.mark.parametrize("bandwidth", [None, 0.3])
def test_products_add_up_to_the_double_sum(kernel, bandwidth):
    x, score = cloud(6, 3), cloud(6, 3, seed=1)
    pairs = (x[:, None] - x).square().sum(-1)[~torch.eye(6, dtype=torch.bool)]
    h = pairs.median() / math.log(6) if bandwidth is None else torch.tensor(bandwidth)
    found = direction(x, score, bandwidth, kernel)
    torch.testing.assert_close(found, slowly(x, score, h, kernel))
    step = svgd(x, lambda _: score, 1, 0.1, bandwidth=bandwidth, kernel=kernel)[1]
    torch.testing.assert_close(step, x + 0.1 * found)


def test_groups_do_not_mix():
    x, score = cloud(4, 6, 3), cloud(4, 6, 3, seed=1)
    torch.testing.assert_close(direction(x, score)[2], direction(x[2], score[2]))


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=2), st.integers(0, 99))
def test_the_direction_moves_with_the_cloud(shift, seed):
    """κ sees differences only: a cloud elsewhere with the same scores moves alike."""
    x, score = cloud(7, 2, seed=seed), cloud(7, 2, seed=seed + 100)
    there = direction(x + torch.tensor(shift), score)
    torch.testing.assert_close(there, direction(x, score), rtol=1e-6, atol=1e-8)


def test_far_from_the_origin_no_digits_are_lost():
    """In float32 at 4096, where x has steps of 2^−11: particles there lie on that grid."""
    x = torch.round(cloud(20, 2) * 2**6).float() / 2**6
    score = cloud(20, 2, seed=1).float()
    torch.testing.assert_close(direction(x + 4096, score), direction(x, score))


def test_no_array_of_all_pairs_and_coordinates_is_made():
    """256 particles in 64 coordinates: M² D numbers are 16 MB, what is made is a few of M²."""
    x = cloud(256, 64).float()
    with torch.profiler.profile(profile_memory=True) as seen:
        direction(x, -x)
    largest = max(event.self_cpu_memory_usage for event in seen.events())
    assert largest < 256 * 256 * 64 * 4 / 10


def test_two_particles_push_each_other_apart_by_the_median_rule():
    """d² = 4, h = 4 / log 2, κ = e^{−log 2} = ½; the push is ½ · 2 / h · (±2) · ½ = ±log 2 / 4.

    The median over all four pairs was 0, the bandwidth its floor, and κ nothing.
    """
    x = torch.tensor([[1.0], [-1.0]])
    phi = direction(x, torch.zeros(2, 1))
    assert phi.flatten().tolist() == pytest.approx([math.log(2) / 4, -math.log(2) / 4])


def test_two_particles_by_hand():
    """x = ±1, score −x, h = 4: k = e^{−4/4} = e^−1 off the diagonal and 1 on it.

    φ(1) = ½ [1 · (−1) + 0 + e^−1 · 1 + ∇k], ∇k in x = −1 is −2 (−1 − 1) e^−1 / 4 = e^−1,
    so φ(1) = ½ (−1 + 2 e^−1) and, by symmetry, φ(−1) = −φ(1).
    """
    x = torch.tensor([[1.0], [-1.0]])
    phi = direction(x, -x, bandwidth=4.0)
    expected = 0.5 * (-1 + 2 * math.exp(-1))
    assert phi.flatten().tolist() == pytest.approx([expected, -expected])


def test_the_direction_vanishes_on_the_target():
    """Stein's identity: E_{x∼p}[k(x, y) ∇ log p(x) + ∇_x k(x, y)] = 0, summed on a fine grid."""
    x = torch.linspace(-8, 8, 4001, dtype=torch.double)[:, None]
    density = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi) * (x[1] - x[0])
    y = torch.tensor([[-1.5], [0.0], [0.7]], dtype=torch.double)
    k, rate = rbf(squared_distances(x, y), torch.tensor(1.3).double())
    term = k * -x - rate * k * (x - y.T)
    assert (density * term).sum(0).abs().max() < 1e-10
    assert (density * k * -x).sum(0)[0].abs() > 0.1  # it is no accident of two zeros


def test_scores_are_the_slopes_of_the_log_density():
    """Central differences of reward / α, at points on both hills of Max of Three."""
    game, alpha, width = max_of_three(2.0), 0.5, 1e-5
    u = torch.tensor([[-0.45, -0.6, 0.2], [0.65, 0.72, -0.3]], dtype=torch.double)
    found = boltzmann_score(game.reward, alpha)(u)
    for d in range(3):
        aside = width * torch.eye(3, dtype=torch.double)[d]
        slope = (game.reward(u + aside) - game.reward(u - aside)) / (2 * width * alpha)
        torch.testing.assert_close(found[:, d], slope, rtol=1e-6, atol=1e-6)


def test_particles_find_a_gaussian():
    start = torch.randn(100, 1, generator=torch.Generator().manual_seed(0)) * 0.1 - 3
    end = svgd(start, gaussian(2.0, 0.5), n_steps=800, step_size=0.1)[-1]
    assert end.mean().item() == pytest.approx(2.0, abs=0.02)
    assert end.std().item() == pytest.approx(0.5, abs=0.04)


def test_one_particle_would_climb_to_the_mode():
    with pytest.raises(ValueError, match="at least 2 particles, got 1"):
        direction(torch.zeros(1, 2), torch.zeros(1, 2))
    path = svgd(torch.tensor([[3.0]]), gaussian(1.0, 1.0), 200, 0.1, bandwidth=1.0)
    assert path[-1].item() == pytest.approx(1.0, abs=1e-4)


def test_before_the_tanh_a_uniform_target_stays_uniform():
    """Var U(−1, 1) = 1/3.

    With log(1 − u²) added in u itself the density is ¾ (1 − u²), whose variance is
    ¾ ∫ u² (1 − u²) du = ¾ (2/3 − 2/5) = 1/5.
    """
    start = torch.randn(80, 1, generator=torch.Generator().manual_seed(0))
    flat = pre_tanh(lambda u: torch.zeros_like(u))
    end = torch.tanh(svgd(start, flat, n_steps=1500, step_size=0.3)[-1])
    assert end.var().item() == pytest.approx(1 / 3, abs=0.02)
    squashed = score_of(lambda u: torch.log(1 - u**2 + 1e-6).sum(-1))
    end = svgd(start.clamp(-0.9, 0.9), squashed, n_steps=1500, step_size=0.01)[-1]
    assert end.var().item() == pytest.approx(1 / 5, abs=0.02)


def test_the_latent_score_is_the_gradient_of_the_latent_density():
    z = torch.randn(5, 2, dtype=torch.double, requires_grad=True)
    u = torch.tanh(z)
    log_p = -((u - 0.3) ** 2).sum(-1)
    density = log_p + torch.log(1 - u**2).sum(-1)
    (expected,) = torch.autograd.grad(density.sum(), z)
    found = latent_score(u.detach(), -2 * (u.detach() - 0.3))
    torch.testing.assert_close(found, expected)


def test_boltzmann_score_divides_by_the_temperature():
    x = torch.tensor([[1.0, 2.0]])
    assert boltzmann_score(lambda u: -(u**2).sum(-1), 0.5)(x).tolist() == [[-4.0, -8.0]]
    with pytest.raises(ValueError, match=r"alpha must be a number in .*, got 0"):
        boltzmann_score(lambda u: u.sum(-1), 0)


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"score must have shape \[3, 2\], got \[3, 1\]"):
        direction(torch.zeros(3, 2), torch.zeros(3, 1))


@pytest.mark.parametrize("bad", [-1, 0, math.nan, math.inf, "wide"])
def test_widths_and_steps_that_cannot_be_meant_are_refused(bad):
    x = torch.zeros(3, 2)
    with pytest.raises(ValueError, match=f"bandwidth must be a .*number.*, got {bad!r}"):
        direction(x, x, bandwidth=bad)
    with pytest.raises(ValueError, match=f"step_size must be a .*number.*, got {bad!r}"):
        svgd(x, lambda u: u, 1, bad)


@pytest.mark.parametrize("bandwidth", [0.4, 1.7, 6.0])
def test_an_independent_library_moves_particles_alike(bandwidth):
    """One step of blackjax's SVGD with plain gradient descent at rate 1 moves by our direction."""
    blackjax = pytest.importorskip("blackjax", reason="blackjax is not installed")
    import jax
    import optax

    x = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
    theirs = blackjax.svgd(
        jax.grad(lambda u: -(((u - 0.5) / 0.8) ** 2).sum() / 2),
        optax.sgd(1.0),
        update_kernel_parameters=lambda state: state,
    )
    state = theirs.init(jax.numpy.array(x.numpy()), {"length_scale": bandwidth})
    moved = torch.tensor(theirs.step(state).particles.tolist())
    ours = direction(x, gaussian(0.5, 0.8)(x), bandwidth)
    torch.testing.assert_close(ours, moved - x, rtol=1e-5, atol=1e-5)
