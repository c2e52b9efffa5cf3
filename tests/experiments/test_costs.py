import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from svnr.experiments.costs import an_update, milliseconds, peak_megabytes, weights_megabytes
from svnr.sets import partners, star, window

CHAIN = "svnr.games.graphs:chain_of_pairs(n_agents={},width=1.2)"


def update(n, **settings):
    return an_update(CHAIN.format(n), "svnr", settings)


def operations(n, **settings):
    with FlopCounterMode(display=False) as counter:
        update(n, **settings)[1]()
    return counter.get_total_flops()


@pytest.mark.parametrize("sets", ["chain", window(50, 4), star(50)])
def test_fifty_agents_with_sparse_sets_take_at_most_fifteen_times_the_work_of_three(sets):
    """Multiply-adds, which no other process disturbs; of the samplers there are 50 / 3."""
    assert operations(50, sets=sets) < 15 * operations(3)


def test_so_do_they_with_a_critic_in_parts():
    heard = partners(50, [(i, i + 1) for i in range(49)])
    assert operations(50, sets=heard, factors=heard) < 15 * operations(3)


def test_an_update_moves_the_weights():
    team, call = update(3, hidden=(4,), n_particles=8)
    before = team.samplers.mean.clone()
    call()
    assert not torch.equal(team.samplers.mean, before)


def test_the_peak_is_what_is_held_at_once():
    def two_then_three():
        kept = torch.ones(250_000)  # 1 MB
        kept = [kept, torch.ones(250_000)]  # 2 MB
        del kept
        return torch.ones(750_000).sum()  # 3 MB, and 4 bytes

    assert peak_megabytes(two_then_three) == pytest.approx(3, abs=0.01)


def test_views_and_what_is_written_in_place_hold_nothing_more():
    old, kept = torch.ones(500_000), torch.ones(250_000)

    def reuse():
        old.view(2, -1)[0].add_(1.0)
        torch.mul(kept, 2.0, out=kept)
        return old[:3] + 1  # 12 bytes

    assert peak_megabytes(reuse) == pytest.approx(12e-6)


def test_the_rows_of_an_update_are_held():
    # 512 rows of a state, three actions and 100 units: at least 512 · (4 + 100) numbers at once.
    _, call = update(3, hidden=(100,), n_particles=8)
    assert 4 * 512 * 104 / 1e6 < peak_megabytes(call) < 10


def test_weights_by_hand():
    # A critic 4–5–1 and its target: 2 · 31; samplers, 3 of 4–5–1: 93; two moments of the critic
    # and of the samplers: 2 · (31 + 93); two counts of steps, and generators beside them.
    team, _ = update(3, hidden=(5,))
    numbers = 2 * 31 + 93 + 2 * (31 + 93) + 2
    generators = sum(v.nbytes for v in team.state_dict().values() if v.dtype == torch.uint8)
    assert weights_megabytes(team) == pytest.approx((4 * numbers + generators) / 1e6)


def test_time_is_a_median_in_turns():
    calls = []
    took = milliseconds(5, {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")})
    assert calls == ["a", "b"] * 8 and set(took) == {"a", "b"}
    assert all(0 <= each < 50 for each in took.values())
