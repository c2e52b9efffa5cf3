import itertools

import pytest
import torch

from svnr.sets import chain, full, none, star, strict
from svnr.stein.kernels import median_bandwidth, rbf, squared_distances
from svnr.stein.negotiation import (
    has_agreed,
    kernel_mask,
    negotiate,
    negotiated_direction,
    one_round,
)
from svnr.stein.svgd import direction, score_of


def points(*shape, seed=0):
    return torch.randn(shape, dtype=torch.double, generator=torch.Generator().manual_seed(seed))


def by_hand(fixed, moved, score, sets, sizes, kernel=rbf):
    """(7.2) agent by agent, each with a kernel of its own on the coordinates of S_i."""
    ends = list(itertools.accumulate(sizes))
    own = [list(range(end - size, end)) for end, size in zip(ends, sizes, strict=True)]
    phi = torch.zeros_like(moved)
    for i in range(len(sizes)):
        seen = [d for j in sorted(sets[i] | {i}) for d in own[j]]
        x, y = fixed[:, seen], moved[:, seen]
        distances = squared_distances(x, y)
        k, rate = kernel(distances, median_bandwidth(distances))
        for d in own[i]:
            dk = -rate * k * (fixed[:, None, d] - moved[:, d])
            phi[:, d] = (k * score[:, d, None] + dk).mean(0)
    return phi


@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 1, 3)])
@pytest.mark.parametrize("topology", [strict, full, none, star, chain])
def test_all_agents_at_once_move_as_each_would_alone(topology, sizes):
    width = sum(sizes)
    fixed, moved, score = points(7, width), points(5, width, seed=1), points(7, width, seed=2)
    fast = negotiated_direction(fixed, moved, score, kernel_mask(topology(3), sizes))
    torch.testing.assert_close(fast, by_hand(fixed, moved, score, topology(3), sizes))


def test_any_kernel_of_the_distance_will_do():
    fixed, moved, score = points(7, 4), points(5, 4, seed=1), points(7, 4, seed=2)

    def heavy_tailed(distances, bandwidth):
        return (1 + distances / bandwidth).rsqrt(), 1 / (bandwidth + distances)

    found = negotiated_direction(fixed, moved, score, kernel_mask(strict(2), (2, 2)), heavy_tailed)
    expected = by_hand(fixed, moved, score, strict(2), (2, 2), heavy_tailed)
    torch.testing.assert_close(found, expected)
    path = negotiate(fixed, lambda u: -u, full(4), 1, 0.1, kernel=heavy_tailed)
    torch.testing.assert_close(path[1], fixed + 0.1 * direction(fixed, -fixed, None, heavy_tailed))


def coordinate_by_coordinate(fixed, moved, score, mask):
    """(7.2) with a kernel and a median for every coordinate, alike or not."""
    apart = fixed.mT.unsqueeze(-1) - moved.mT.unsqueeze(-2)
    distances = (mask @ apart.square().flatten(-2)).unflatten(-1, apart.shape[-2:])
    h = median_bandwidth(distances)
    return (torch.exp(-distances / h) * (score.mT.unsqueeze(-1) - 2 / h * apart)).mean(-2).mT


@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 2), (1, 2, 1), (4, 4)])
@pytest.mark.parametrize("shape", [(8, 24), (64, 4), (2, 5, 7)])
@pytest.mark.parametrize("topology", [strict, full, none])
def test_agents_that_see_alike_share_a_kernel_and_not_a_bit_changes(topology, shape, sizes):
    """Training in float32 relies on it: a kernel an agent instead of one a coordinate."""
    mask, seen = kernel_mask(topology(len(sizes)), sizes), []

    def counting(distances, bandwidth):
        seen.append(distances.shape[-3])
        return rbf(distances, bandwidth)

    for seed in range(5):
        draws = (points(*shape, sum(sizes), seed=10 * seed + i).float() for i in range(3))
        fixed, moved, score = draws
        found = negotiated_direction(fixed, moved, score, mask, counting)
        assert torch.equal(found, coordinate_by_coordinate(fixed, moved, score, mask))
    assert set(seen) == {1 if topology is full else len(sizes)}


def test_two_particles_negotiate_at_a_distance():
    """As `direction` does: distances to themselves do not count, copied or not."""
    x, score = points(2, 3), torch.zeros(2, 3, dtype=torch.double)
    found = negotiated_direction(x, x.clone(), score, kernel_mask(full(3), (1, 1, 1)))
    assert found.abs().max() > 0.01
    torch.testing.assert_close(found, direction(x, score))


def test_full_sets_are_plain_svgd():
    x, score = points(8, 3), points(8, 3, seed=1)
    found = negotiated_direction(x, x, score, kernel_mask(full(3), (1, 1, 1)))
    torch.testing.assert_close(found, direction(x, score))


def test_empty_sets_are_svgd_of_each_agent_alone():
    x, score = points(8, 3), points(8, 3, seed=1)
    found = negotiated_direction(x, x, score, kernel_mask(none(3), (1, 1, 1)))
    alone = torch.cat([direction(x[:, [i]], score[:, [i]]) for i in range(3)], -1)
    torch.testing.assert_close(found, alone)


def test_groups_do_not_mix():
    x, score = points(4, 8, 3), points(4, 8, 3, seed=1)
    mask = kernel_mask(strict(3), (1, 1, 1))
    together = negotiated_direction(x, x, score, mask)
    torch.testing.assert_close(together[2], negotiated_direction(x[2], x[2], score[2], mask))


def test_renaming_the_agents_renames_the_moves():
    x, score = points(8, 3), points(8, 3, seed=1)
    sets = strict(3)
    order = [2, 0, 1]  # new agent i is old agent order[i]
    renamed = tuple(frozenset(order.index(j) for j in sets[order[i]]) for i in range(3))
    old = negotiated_direction(x, x, score, kernel_mask(sets, (1, 1, 1)))
    new = negotiated_direction(
        x[:, order], x[:, order], score[:, order], kernel_mask(renamed, (1, 1, 1))
    )
    torch.testing.assert_close(new, old[:, order])


def test_the_mask_shows_the_coordinates_of_the_set():
    # Agents of 1 and 2 coordinates, the second knows the first.
    assert kernel_mask(strict(2), (1, 2)).tolist() == [[1, 0, 0], [1, 1, 1], [1, 1, 1]]
    assert kernel_mask(strict(2), (1, 2), kernel_on="joint").tolist() == [[1] * 3] * 3


@pytest.mark.parametrize("order", ["simultaneous", "sequential"])
@pytest.mark.parametrize("topology", [strict, full])
def test_negotiation_finds_a_correlated_gaussian(topology, order):
    """Correlation 0.8, unit variances: nested sets keep it."""
    precision = torch.linalg.inv(torch.tensor([[1.0, 0.8], [0.8, 1.0]], dtype=torch.double))
    score = score_of(lambda u: -0.5 * (u @ precision * u).sum(-1))
    path = negotiate(points(80, 2), score, topology(2), 600, 0.2, order=order)
    end = path[-1]
    assert torch.corrcoef(end.T)[0, 1].item() == pytest.approx(0.8, abs=0.06)
    assert end.mean(0).abs().max() < 0.05
    assert has_agreed(path[-2], path[-1], tolerance=5e-3)
    assert not has_agreed(path[0], path[1], tolerance=5e-3)


def test_sequential_agents_see_what_the_others_chose_in_this_round():
    x = points(6, 2)
    score = score_of(lambda u: -((u[..., 0] - u[..., 1]) ** 2))
    after = one_round(x, score, strict(2), 0.1, order="sequential")
    first = one_round(x, score, strict(2), 0.1)
    torch.testing.assert_close(after[:, 0], first[:, 0])
    between = torch.stack([first[:, 0], x[:, 1]], -1)
    torch.testing.assert_close(after[:, 1], one_round(between, score, strict(2), 0.1)[:, 1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sets": strict(2)}, "one set for each of 3 agents, got 2"),
        ({"sets": ({7}, {}, {})}, r"sets\[0\] must name agents in 0..2 only"),
        ({"sets": ({0}, {}, {})}, r"sets\[0\] must not contain agent 0"),
        ({"action_sizes": (1, 1)}, "action_sizes must add up to 3 coordinates"),
        ({"score": lambda u: u[..., :1]}, r"score must have shape \[4, 3\], got \[4, 1\]"),
        ({"step_size": float("nan")}, "step_size must be a finite number, got nan"),
        ({"step_size": -0.1}, r"step_size must be a number in \(0, inf\], got -0.1"),
        ({"order": "random"}, "order must be one of simultaneous, sequential, got 'random'"),
        ({"kernel_on": "agent"}, "kernel_on must be one of set, joint, got 'agent'"),
    ],
)
def test_a_round_that_makes_no_sense_is_refused(changes, message):
    arguments = {"score": lambda u: u, "sets": strict(3), "step_size": 0.1} | changes
    with pytest.raises(ValueError, match=message):
        one_round(points(4, 3), **arguments)


def test_one_particle_cannot_negotiate():
    with pytest.raises(ValueError, match="needs at least 2 particles, got 1"):
        one_round(points(1, 3), lambda u: u, strict(3), 0.1)


def test_agreement_is_the_largest_move_of_any_coordinate():
    before = torch.zeros(3, 2)
    after = torch.tensor([[0.0, 0.0], [0.0, -0.2], [0.1, 0.0]])
    assert has_agreed(before, after, tolerance=0.2)
    assert not has_agreed(before, after, tolerance=0.19)
    with pytest.raises(ValueError, match="tolerance must be a finite number, got nan"):
        has_agreed(before, after, tolerance=float("nan"))


def test_negative_rounds_are_refused():
    with pytest.raises(ValueError, match="n_rounds must be a whole number of at least 0, got -1"):
        negotiate(points(4, 2), lambda u: u, strict(2), -1, 0.1)
