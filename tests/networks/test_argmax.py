import pytest
import torch

from svnr.networks.argmax import cross_entropy


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def towards(peak):
    """Minus the squared distance of u [..., n, D] to peaks [..., D]."""
    return lambda u: -(u - peak.unsqueeze(-2)).square().sum(-1)


def test_it_is_the_method_as_written_row_by_row():
    """Two rounds of 8 candidates; μ and σ of the 3 best z, before the tanh; then the best."""
    peak = torch.tensor([[0.9, -0.2], [-0.5, 0.4], [0.0, 0.7]])
    found = cross_entropy(towards(peak), (3, 2), seeded(), 8, 3, 2)
    first = seeded()
    noise = [torch.randn(8, 2, generator=first) for _ in range(2)]
    for row in range(3):
        mean, deviation = [0.0, 0.0], [1.0, 1.0]
        for xi in noise:
            z = [[mean[d] + deviation[d] * x[d].item() for d in range(2)] for x in xi]
            z.sort(key=lambda each: sum((torch.tensor(each).tanh() - peak[row]) ** 2))
            for d in range(2):
                elites = [each[d] for each in z[:3]]
                mean[d] = sum(elites) / 3
                deviation[d] = (sum((x - mean[d]) ** 2 for x in elites) / 2) ** 0.5
        torch.testing.assert_close(found[row], torch.tensor(z[0]).tanh())


def test_one_round_is_the_best_of_what_is_drawn():
    peak = torch.tensor([0.3])
    drawn = torch.randn(64, 1, generator=seeded()).tanh()
    nearest = drawn[(drawn - peak).abs().argmin()]
    assert torch.equal(cross_entropy(towards(peak), (1,), seeded(), n_rounds=1), nearest)


def test_it_finds_peaks_and_the_nearer_the_more_rounds():
    """Of 3 coordinates; 64 candidates alone are about 0.3 from the nearest peak."""
    peak = torch.rand(500, 3, generator=seeded(1)) * 1.9 - 0.95
    away = [
        (cross_entropy(towards(peak), (500, 3), seeded(), n_rounds=n) - peak).norm(dim=-1).mean()
        for n in (1, 2, 4, 8)
    ]
    assert away[0] > 1.5 * away[1] and away[1] > 1.5 * away[2] and away[2] > away[3]
    assert away[1] < 0.2


def test_every_row_is_found_by_itself():
    peak = torch.rand(4, 5, 2, generator=seeded(1)) * 2 - 1
    together = cross_entropy(towards(peak), (4, 5, 2), seeded())
    for i, j in ((0, 0), (3, 4)):
        torch.testing.assert_close(
            cross_entropy(towards(peak[i, j]), (2,), seeded()), together[i, j]
        )


def test_of_two_peaks_the_higher_is_found():
    def hills(u):
        right, wrong = -30 * (u - 0.7).square(), -5 * (u + 0.5).square() - 1
        return torch.maximum(right, wrong).squeeze(-1)

    found = cross_entropy(hills, (1,), seeded())
    assert found.item() == pytest.approx(0.7, abs=0.05)


def test_it_stays_in_the_box_and_moves_no_other_generator():
    before = torch.get_rng_state()
    found = cross_entropy(lambda u: u.sum(-1), (2, 3), seeded(), n_rounds=9)
    assert bool((found.abs() <= 1).all()) and bool((found > 0.9).all())
    assert torch.equal(torch.get_rng_state(), before)
