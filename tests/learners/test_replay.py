import pytest
import torch

from svnr.learners.replay import Batch, Recent, Replay


def rows(start, count):
    """Transitions whose every column carries the same number, so that a mix-up shows."""
    value = torch.arange(start, start + count, dtype=torch.float32)
    return Batch(
        state=value[:, None].repeat(1, 2),
        u=value[:, None].repeat(1, 3),
        reward=value,
        next_state=value[:, None].repeat(1, 2) + 0.5,
        terminated=value % 2 == 0,
    )


def test_every_action_stays_with_its_own_reward():
    replay = Replay(100, 2, 3)
    replay.add(rows(0, 60))
    batch = replay.sample(500, torch.Generator().manual_seed(0))
    assert torch.equal(batch.u, batch.reward[:, None].expand(-1, 3))
    assert torch.equal(batch.state, batch.reward[:, None].expand(-1, 2))
    assert torch.equal(batch.next_state, batch.state + 0.5)
    assert torch.equal(batch.terminated, batch.reward % 2 == 0)
    assert set(batch.reward.tolist()) <= set(range(60))


def test_a_full_buffer_forgets_the_oldest():
    replay = Replay(10, 2, 3)
    replay.add(rows(0, 8))
    replay.add(rows(8, 6))
    assert len(replay) == 10
    seen = set(replay.sample(1000, torch.Generator().manual_seed(0)).reward.tolist())
    assert seen == set(range(4, 14))


def test_restored_it_draws_the_same_rows():
    replay, copy = Replay(10, 2, 3), Replay(10, 2, 3)
    replay.add(rows(0, 13))
    copy.load_state_dict(replay.state_dict())
    for buffer in (replay, copy):
        buffer.add(rows(13, 2))
    first, second = (b.sample(50, torch.Generator().manual_seed(1)) for b in (replay, copy))
    assert torch.equal(first.reward, second.reward)


def test_an_empty_buffer_and_no_capacity_are_refused():
    with pytest.raises(ValueError, match="empty buffer"):
        Replay(10, 2, 3).sample(1, torch.Generator())
    with pytest.raises(ValueError, match="capacity must be a whole number of at least 1, got 0"):
        Replay(0, 2, 3)


def test_a_learners_notes_stay_beside_their_transition():
    replay = Replay(10, state_size=1, n_coordinates=2, note_size=1)
    n = 6
    reward = torch.arange(float(n))
    state, over = torch.zeros(n, 1), torch.ones(n, dtype=torch.bool)
    replay.add(Batch(state, torch.zeros(n, 2), reward, state, over, 10 * reward.unsqueeze(-1)))
    batch = replay.sample(50, torch.Generator().manual_seed(0))
    assert torch.equal(batch.note[:, 0], 10 * batch.reward)


def test_recent_keeps_the_last_joint_actions_with_their_states():
    recent = Recent(4, state_size=1, n_coordinates=1)
    generator = torch.Generator().manual_seed(0)
    assert recent.sample(3, generator)[1].tolist() == [[0.0]] * 3  # nothing yet
    for value in range(6):
        recent.add(torch.full((1, 1), float(-value)), torch.full((1, 1), float(value)))
    state, u = recent.sample(200, generator)
    assert set(u.flatten().tolist()) == {2.0, 3.0, 4.0, 5.0}
    assert torch.equal(state, -u)


def test_rare_rewards_can_be_met_as_often_as_losses():
    """Of 1,000 rows one earns and nine lose: of 200 rows drawn, 20 then come from either kind."""
    reward = torch.zeros(1000)
    reward[7], reward[10:19] = 5.0, -2.0
    replay = Replay(1000, 1, 1)
    zeros = torch.zeros(1000, 1)
    replay.add(Batch(zeros, zeros, reward, zeros, torch.zeros(1000, dtype=torch.bool)))
    drawn = replay.sample(200, torch.Generator().manual_seed(0), rewarded_share=0.2).reward
    assert 20 <= (drawn > 0).sum() <= 23 and 20 <= (drawn < 0).sum() <= 27
    assert drawn[:20].unique().numel() > 1  # in no order: learners take the first rows for states


@pytest.mark.parametrize("size", [1, 3, 7])
def test_batches_of_any_size_can_be_all_rewarded(size):
    replay = Replay(10, 2, 3)
    replay.add(rows(-5, 10))
    drawn = replay.sample(size, torch.Generator().manual_seed(0), rewarded_share=1.0).reward
    assert len(drawn) == size and (drawn > 0).sum() >= size // 2 <= (drawn < 0).sum()
