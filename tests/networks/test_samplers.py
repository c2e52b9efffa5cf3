import torch

from svnr.networks.samplers import Samplers
from svnr.sets import full, none, star, strict, window


def generator():
    return torch.Generator().manual_seed(0)


def influence(sets, sizes=(1, 1, 1)):
    """Which agent's noise changes which agent's action, by autograd: [N actions, N noises]."""
    samplers = Samplers(sets, sizes, 1, 2, (8,), generator())
    noise = torch.randn(64, len(sizes), 2, generator=generator(), requires_grad=True)
    u = samplers(torch.zeros(64, 1), noise)[0]
    rows = []
    for d in range(u.shape[-1]):
        (gradient,) = torch.autograd.grad(u[:, d].sum(), noise, retain_graph=True)
        rows.append((gradient.abs().sum((0, 2)) > 0).tolist())
    return rows


def test_an_agent_hears_the_noise_of_its_set_and_its_own_only():
    assert influence(none(3)) == [[True, False, False], [False, True, False], [False, False, True]]
    assert influence(strict(3)) == [[True, False, False], [True, True, False], [True, True, True]]
    assert influence(star(3)) == [[True, False, False], [True, True, False], [True, False, True]]
    assert influence(full(3)) == [[True] * 3] * 3


def test_of_fifty_agents_too_each_hears_its_set_and_its_own_only():
    sets = window(50, 3)
    found = influence(sets, (1,) * 50)
    assert found == [[j in sets[i] or j == i for j in range(50)] for i in range(50)]


def test_coordinates_of_unequal_agents_come_in_order():
    # Agents with 1, 3 and 2 coordinates that hear only themselves.
    rows = influence(none(3), sizes=(1, 3, 2))
    assert [row.index(True) for row in rows] == [0, 1, 1, 1, 2, 2]
    assert all(sum(row) == 1 for row in rows)


def test_leading_shapes_are_kept():
    samplers = Samplers(strict(2), (1, 1), 3, 1, (8,), generator())
    state, noise = torch.randn(4, 5, 3), torch.randn(4, 5, 2, 1)
    together = samplers(state, noise)
    assert together.shape == (1, 4, 5, 2)
    torch.testing.assert_close(together[:, 2], samplers(state[2], noise[2]))


def test_slopes_are_autograds_for_agents_of_unequal_sizes():
    samplers = Samplers(strict(3), (1, 3, 2), 2, 1, (8,), generator())
    state, noise = torch.randn(4, 5, 2), torch.randn(4, 5, 3, 1)
    z, trail = samplers.record(state, noise)
    slope = torch.randn(z.shape)
    parameters = list(samplers.parameters())
    expected = torch.autograd.grad(samplers(state, noise), parameters, slope)
    into = [torch.empty_like(each) for each in parameters]
    with torch.no_grad():
        samplers.slopes(trail, slope, into)
    for one, other in zip(into, expected, strict=True):
        torch.testing.assert_close(one, other)
