import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from svnr.networks.normalizers import ValueNorm

BETA = 0.99999  # of the public code


def taught(*batches):
    norm = ValueNorm()
    for batch in batches:
        norm.update(torch.tensor(batch))
    return norm


def test_after_one_batch_the_moments_are_its_own():
    # 1, 3, 5, 7 have mean 4 and variance 5, whatever β is: the weight 1 − β is divided out.
    norm = taught([[1.0, 3.0], [5.0, 7.0]])
    found = norm.normalize(torch.tensor([4.0, 4.0 + 5**0.5, 9.0]))
    assert found.tolist() == pytest.approx([0.0, 1.0, 5**0.5])


def test_the_second_batch_by_hand():
    # Weights β(1 − β) for the first, 1 − β for the second: over their sum, b = β / (1 + β) of the
    # first. Means 0 and 10, mean squares 4 and 101: mean 10 (1 − b), square 4 b + 101 (1 − b).
    norm = taught([-2.0, 2.0], [9.0, 11.0])
    b = BETA / (1 + BETA)
    mean = 10 * (1 - b)
    deviation = (4 * b + 101 * (1 - b) - mean**2) ** 0.5
    assert norm.normalize(torch.tensor(0.0)).item() == pytest.approx(-mean / deviation, rel=1e-6)
    assert norm.denormalize(torch.tensor(1.0)).item() == pytest.approx(mean + deviation, rel=1e-6)


def test_old_batches_fade_by_beta():
    norm = taught([1.0], *[[0.0]] * 3)
    mean = norm.moments[0] / norm.weight
    assert mean.item() == pytest.approx(BETA**3 / (1 + BETA + BETA**2 + BETA**3))
    assert mean.item() < 0.25 - 1e-6  # an even mean would be a quarter


@settings(deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20), st.floats(-1e3, 1e3))
def test_there_and_back_is_where_it_was(returns, x):
    norm, x = taught(returns), torch.tensor(x)
    torch.testing.assert_close(norm.denormalize(norm.normalize(x)), x, rtol=1e-4, atol=1e-3)


def test_returns_that_do_not_vary_or_none_yet_are_divided_by_a_tenth():
    # The least variance is 0.01.
    assert taught([5.0, 5.0]).normalize(torch.tensor(5.2)).item() == pytest.approx(2.0, rel=1e-5)
    assert ValueNorm().denormalize(torch.tensor(3.0)).item() == pytest.approx(0.3)


def test_a_small_spread_about_a_large_mean_is_not_lost():
    # In single precision 10⁶ ± ½ is, squared, 10¹² ± 6·10⁴: the variance ¼ would be noise.
    norm = taught([1e6 - 0.5, 1e6 + 0.5])
    assert norm.normalize(torch.tensor(1e6 + 0.5)).item() == pytest.approx(1.0, rel=1e-3)


def test_its_state_is_all_there_is():
    norm, copy = taught([1.0, 2.0], [4.0]), ValueNorm()
    copy.load_state_dict(norm.state_dict())
    for each in (norm, copy):
        each.update(torch.tensor([7.0, -3.0]))
    x = torch.tensor([0.3])
    assert torch.equal(copy.normalize(x), norm.normalize(x))
    assert copy.normalize(x).dtype == torch.float32
