from dataclasses import replace

import pytest
import torch

from svnr.games.game import Symmetries
from svnr.learners.memory import Replay, Rollout, Transitions


def rows(start, count, reward=None, terminated=None, truncated=None):
    """Transitions whose every column carries the same number, so that a mix-up shows."""
    value = torch.arange(start, start + count, dtype=torch.float32)
    never = torch.zeros(count, dtype=torch.bool)
    return Transitions(
        state=value[:, None].repeat(1, 2),
        u=value[:, None].repeat(1, 3),
        reward=value if reward is None else torch.tensor(reward),
        next_state=value[:, None].repeat(1, 2) + 0.5,
        terminated=value % 2 == 0 if terminated is None else torch.tensor(terminated),
        truncated=never if truncated is None else torch.tensor(truncated),
        note=torch.zeros(count, 0),
    )


def replay(capacity=100, note_size=0):
    return Replay(capacity, 2, 3, note_size)


def drawn(memory, size=500, n_steps=1, rewarded_share=0.0, rewarded_steps=0):
    generator = torch.Generator().manual_seed(0)
    return memory.sample(size, generator, 0.5, n_steps, rewarded_share, rewarded_steps)


def test_the_head_of_transitions_is_the_head_of_every_column():
    whole, head = rows(0, 5), rows(0, 5).head(2)
    assert vars(head).keys() == vars(whole).keys()
    assert all(torch.equal(column, vars(whole)[name][:2]) for name, column in vars(head).items())
    assert head.reward.tolist() == [0.0, 1.0]


def test_every_action_stays_with_its_own_reward():
    memory = replay()
    memory.add(rows(0, 60))
    batch = drawn(memory)
    assert torch.equal(batch.u, batch.reward[:, None].expand(-1, 3))
    assert torch.equal(batch.state, batch.reward[:, None].expand(-1, 2))
    assert torch.equal(batch.next_state, batch.state + 0.5)
    assert torch.equal(batch.terminated, batch.reward % 2 == 0)
    assert torch.equal(batch.weight, torch.where(batch.terminated, 0.0, 0.5))
    assert set(batch.reward.tolist()) <= set(range(60))


def test_a_full_buffer_forgets_the_oldest():
    memory = replay(10)
    memory.add(rows(0, 8))
    memory.add(rows(8, 6))
    assert len(memory) == 10 and memory.seen == 14
    assert set(drawn(memory, 1000).reward.tolist()) == set(range(4, 14))


def test_it_grows_to_its_capacity():
    memory = replay(10_000)
    for start in range(0, 12_000, 1500):
        memory.add(rows(start, 1500))
    assert len(memory) == 10_000
    reward = drawn(memory, 4000).reward
    assert 2000 <= reward.min() < 2050 and reward.max() > 11_950


@pytest.mark.parametrize("capacity", [6, 100])
def test_restored_it_draws_the_same_rows_and_knows_what_follows_what(capacity):
    memory, copy = replay(capacity), replay(capacity)
    for start in range(0, 12, 2):
        memory.add(rows(start, 2, terminated=[False, False]))
    copy.load_state_dict(memory.state_dict())
    for buffer in (memory, copy):
        buffer.add(rows(12, 2, terminated=[True, True]))
    first, second = (drawn(buffer, 50, n_steps=3) for buffer in (memory, copy))
    for name in ("state", "u", "reward", "next_state", "terminated", "weight"):
        assert torch.equal(getattr(first, name), getattr(second, name))
    assert memory.seen == copy.seen == 14


def test_of_the_newest_rows_alone_the_recent_actions_are_the_same():
    memory, copy = replay(), replay()
    for start in range(9):
        memory.add(rows(start, 1))
    state = memory.state_dict(4)
    assert state["u"][:, 0].tolist() == [5.0, 6.0, 7.0, 8.0]
    copy.load_state_dict(state)
    generators = (torch.Generator().manual_seed(0) for _ in range(2))
    first, second = (m.recent(4, 50, g) for m, g in zip((memory, copy), generators, strict=True))
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])
    assert copy.seen == 9


def test_an_empty_buffer_no_capacity_and_more_than_the_machine_has_are_refused():
    with pytest.raises(ValueError, match="empty buffer"):
        drawn(replay())
    with pytest.raises(ValueError, match="capacity must be a whole number of at least 1, got 0"):
        replay(0)
    with pytest.raises(ValueError, match=r"capacity must leave .* GB, got 10+ rows that need"):
        replay(10**12)


def test_a_learners_notes_stay_beside_their_transition():
    memory = replay(10, note_size=1)
    six = rows(0, 6)
    memory.add(Transitions(**{**vars(six), "note": 10 * six.reward.unsqueeze(-1)}))
    batch = drawn(memory, 50)
    assert torch.equal(batch.note[:, 0], 10 * batch.reward)


def test_recent_keeps_the_last_joint_actions_with_their_states():
    memory, generator = replay(5), torch.Generator().manual_seed(0)
    assert not memory.recent(4, 3, generator)[1].any()  # nothing yet
    for start in range(7):
        memory.add(rows(start, 1))
    state, u = memory.recent(4, 200, generator)
    assert set(u.flatten().tolist()) == {3.0, 4.0, 5.0, 6.0}
    assert torch.equal(state[:, 0], u[:, 0])
    assert set(memory.recent(99, 200, generator)[1].flatten().tolist()) == {
        2.0,
        3.0,
        4.0,
        5.0,
        6.0,
    }


# --- n-step returns ------------------------------------------------------------------------------


def worked(memory, n_steps):
    """By the first reward of a row: its return, next state and weight, at γ = ½."""
    batch = drawn(memory, 300, n_steps=n_steps)
    columns = (batch.u[:, 0], batch.reward, batch.next_state[:, 0], batch.weight)
    return {row[0]: row[1:] for row in zip(*(c.tolist() for c in columns), strict=True)}


def test_n_step_returns_by_hand_where_an_episode_ends():
    # Rewards 1, 2, 4, 8, 16; row 2 ended its episode, row 4 is the newest. γ = ½, three steps:
    # row 0: 1 + 2/2 + 4/4 = 3, ended; row 1: 2 + 4/2 = 4, ended; row 2: 4, ended;
    # row 3: 8 + 16/2 = 16, goes on from s₄′ with ¼; row 4: 16, goes on with ½.
    memory = replay()
    ended = [False, False, True, False, False]
    for i, (reward, end) in enumerate(zip([1.0, 2.0, 4.0, 8.0, 16.0], ended, strict=True)):
        memory.add(rows(i, 1, [reward], [end]))
    assert worked(memory, 3) == {
        0.0: (3.0, 2.5, 0.0),
        1.0: (4.0, 2.5, 0.0),
        2.0: (4.0, 2.5, 0.0),
        3.0: (16.0, 4.5, 0.25),
        4.0: (16.0, 4.5, 0.5),
    }


def test_n_step_returns_by_hand_where_the_clock_cut_an_episode_off():
    # As above, but row 1 was truncated: its return stops there and bootstraps from s₁′.
    memory = replay()
    for i, (reward, cut) in enumerate(zip([1.0, 2.0, 4.0], [False, True, False], strict=True)):
        memory.add(rows(i, 1, [reward], [False], [cut]))
    assert worked(memory, 3) == {
        0.0: (2.0, 1.5, 0.25),
        1.0: (2.0, 1.5, 0.5),
        2.0: (4.0, 2.5, 0.5),
    }


def test_n_step_returns_by_hand_of_two_copies_side_by_side_and_over_the_wrap():
    # Copies play rewards 1, 2, 4 and 10, 20, 40; a buffer of four rows holds the last two steps.
    memory = replay(4)
    for i, pair in enumerate(([1.0, 10.0], [2.0, 20.0], [4.0, 40.0])):
        memory.add(rows(2 * i, 2, pair, [False, False]))
    assert worked(memory, 3) == {
        2.0: (2.0 + 4.0 / 2, 4.5, 0.25),
        3.0: (20.0 + 40.0 / 2, 5.5, 0.25),
        4.0: (4.0, 4.5, 0.5),
        5.0: (40.0, 5.5, 0.5),
    }


# --- symmetries ----------------------------------------------------------------------------------


def test_rows_are_turned_each_by_one_symmetry_alike_in_state_action_and_next_state():
    """Two maps: nothing, and the swap of both state coordinates with a sign for u."""
    maps = Symmetries(
        torch.stack([torch.eye(2), torch.tensor([[0.0, 1.0], [1.0, 0.0]])]),
        torch.stack([torch.eye(3), -torch.eye(3)]),
        torch.stack([torch.eye(3), torch.eye(3).roll(1, 0)]),
    )
    same, apart = rows(1, 400), torch.tensor([0.0, 0.25])  # of the coordinates of a state
    note = torch.tensor([0.1, 0.2, 0.3]).repeat(400, 1)  # of each agent
    seen = {"state": same.state + apart, "next_state": same.next_state + apart, "note": note}
    before = replace(same, **seen)
    after = before.turned(maps, torch.Generator().manual_seed(0))
    swapped = after.u[:, 0] < 0
    assert 150 < swapped.sum() < 250
    assert torch.equal(after.u[swapped], -before.u[swapped])
    assert torch.equal(after.u[~swapped], before.u[~swapped])
    assert torch.equal(after.state[swapped], before.state[swapped].flip(-1))
    assert torch.equal(after.state[~swapped], before.state[~swapped])
    assert torch.equal(after.next_state[swapped], before.next_state[swapped].flip(-1))
    assert torch.equal(after.note[swapped], before.note[swapped].roll(1, -1))
    assert torch.equal(after.note[~swapped], before.note[~swapped])
    for name in ("reward", "terminated", "truncated", "weight"):
        assert torch.equal(getattr(after, name), getattr(before, name))


# --- rare rewards --------------------------------------------------------------------------------


def test_rare_rewards_can_be_met_as_often_as_losses():
    """Of 1,000 rows one earns and nine lose: of 200 rows drawn, 20 then come from either kind."""
    reward = torch.zeros(1000)
    reward[7], reward[10:19] = 5.0, -2.0
    memory = replay(1000)
    memory.add(rows(0, 1000, reward.tolist()))
    found = drawn(memory, 200, rewarded_share=0.2).reward
    assert 20 <= (found > 0).sum() <= 23 and 20 <= (found < 0).sum() <= 27
    assert found[:20].unique().numel() > 1  # in no order: learners take the first rows for states


def test_rows_that_were_overwritten_are_no_longer_met_as_rewarded():
    # Six rows; the first two, which earned and lost, are overwritten, then row 3 loses.
    memory = replay(6)
    for start, reward in enumerate([[1.0, -1.0], [0.0] * 2, [0.0] * 2, [0.0] * 2, [0.0, -3.0]]):
        memory.add(rows(2 * start, 2, reward))
        found = drawn(memory, 64, rewarded_share=1.0).reward
    assert set(found.tolist()) == {0.0, -3.0} and (found == -3.0).sum() >= 32


def led_to(memory, n_steps, **how):
    """The rows, by their numbers, that are drawn because of their returns; γ = ½."""
    return set(drawn(memory, 400, n_steps, rewarded_share=1.0, **how).u[:, 0].tolist())


def test_with_longer_returns_the_paid_share_reaches_back_by_hand():
    # Two episodes of four steps, side by side; at the end copy 0 earns 5 and copy 1 loses 2.
    # Rows 0, 2, 4, 6 are of copy 0; 6 earns, with two steps 4 leads to it, with three 2 as well.
    memory = replay()
    for step in range(4):
        end = [step == 3] * 2
        memory.add(rows(2 * step, 2, [5.0, -2.0] if step == 3 else [0.0, 0.0], end))
    for later in range(8, 14, 2):  # a new episode, in which nothing is paid
        memory.add(rows(later, 2, [0.0, 0.0], [False, False]))
    assert led_to(memory, 1) == {6.0, 7.0}
    memory.load_state_dict(memory.state_dict())
    assert led_to(memory, 2) == {4.0, 5.0, 6.0, 7.0}
    memory.load_state_dict(memory.state_dict())
    assert led_to(memory, 3) == {2.0, 3.0, 4.0, 5.0, 6.0, 7.0}
    memory.load_state_dict(memory.state_dict())
    assert led_to(memory, 3, rewarded_steps=1) == {6.0, 7.0}  # however long the returns are


def test_rows_wait_until_their_return_is_whole_and_are_then_met_once():
    # Three steps of two copies: when rows 4 and 5 have paid, 0 and 1 alone have all their rewards;
    # two steps more, all have.
    memory = replay()
    for step, reward in enumerate([[0.0, 0.0], [0.0, 0.0], [1.0, -1.0]]):
        memory.add(rows(2 * step, 2, reward, [step == 2] * 2))
        found = drawn(memory, 64, 3, 1.0).u[:, 0]
    assert (found == 0.0).sum() >= 32 <= (found == 1.0).sum()
    for start in (6, 8):
        memory.add(rows(start, 2, [0.0, 0.0], [False, False]))
        drawn(memory, 8, 3, 1.0)
    assert memory._paid == ([0, 2, 4], [1, 3, 5])


def test_rows_lead_to_what_was_paid_over_the_wrap():
    # Six rows of one copy; rows 6 to 9 lie over 0 to 3. Row 7 earns: with three steps 5 and 6 lead
    # to it. At once 5 has its three rewards, two rows later 6 and 7 have theirs as well.
    memory, known = replay(6), []
    for i in range(10):
        memory.add(rows(i, 1, [float(i == 7)], [i == 7]))
        drawn(memory, 8, 3, 1.0)
        known.append(memory._paid[0])
    assert known[6:] == [[], [5], [0, 5], [0, 1, 5]]
    assert led_to(memory, 3) >= {5.0, 6.0, 7.0}


@pytest.mark.parametrize("size", [1, 3, 7])
def test_batches_of_any_size_can_be_all_rewarded(size):
    memory = replay(10)
    memory.add(rows(-5, 10))
    found = drawn(memory, size, rewarded_share=1.0).reward
    assert len(found) == size and (found > 0).sum() >= size // 2 <= (found < 0).sum()


@pytest.mark.parametrize("added", [5, 10, 25, 37])
def test_restored_after_any_number_of_wraps_it_recalls_the_same_recent_rows(added):
    memory, again = replay(capacity=10), replay(capacity=10)
    for start in range(added):
        memory.add(rows(start, 1))
    again.load_state_dict(memory.state_dict())
    for each in (memory, again):
        each.add(rows(added, 1))
    drawn = [each.recent(7, 50, torch.Generator().manual_seed(1))[1] for each in (memory, again)]
    assert torch.equal(*drawn)


# --- rollouts ------------------------------------------------------------------------------------


def rollout(n_steps=3, n_copies=2):
    """Copy k plays the numbers k, K + k, 2K + k, …"""
    memory = Rollout()
    for step in range(n_steps):
        memory.add(rows(step * n_copies, n_copies))
    return memory


def test_a_rollout_keeps_steps_and_copies_apart_and_in_order():
    memory = rollout()
    held = memory.rows()
    assert len(memory) == 6
    assert held.reward.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert held.state.shape == (3, 2, 2) and held.u.shape == (3, 2, 3)
    assert torch.equal(held.next_state[..., 0], held.reward + 0.5)
    assert torch.equal(held.terminated, held.reward % 2 == 0)
    memory.clear()
    assert len(memory) == 0


def test_beside_an_action_lies_what_was_drawn_if_it_is_that_clipped_else_itself():
    memory, played = Rollout(), rows(1, 1)  # plays 1, 1, 1
    memory.drawn = torch.tensor([[1.0, 3.0, 1.5]])
    memory.add(played)
    memory.drawn = torch.tensor([[1.0, 3.0, 0.5]])  # clipped it is another action: not this one
    memory.add(played)
    memory.drawn = torch.ones(2, 3)  # of two copies
    memory.add(played)
    assert memory.rows().note[:, 0].tolist() == [[1.0, 3.0, 1.5], [1.0] * 3, [1.0] * 3]


@pytest.mark.parametrize("n_steps", [0, 1, 3])
def test_a_restored_rollout_goes_on_where_it_was(n_steps):
    memory, again = rollout(n_steps), rollout(2, 5)
    memory.drawn = torch.full((2, 3), 9.0)
    again.load_state_dict(memory.state_dict())
    assert len(again) == 2 * n_steps and torch.equal(again.drawn, memory.drawn)
    for each in (memory, again):
        each.add(rows(50, 2))
    one, other = vars(memory.rows()), vars(again.rows())
    assert all(torch.equal(column, other[name]) for name, column in one.items())


def test_a_rollout_of_another_number_of_copies_is_refused():
    with pytest.raises(ValueError, match="rows must be of 2 copies, as before, got 3"):
        rollout().add(rows(0, 3))
