from dataclasses import fields

import numpy as np
import pytest
import torch
from mpe2 import simple_spread_v3
from mpe2._mpe_utils.core import Agent, World

from svnr.games.check import check_game
from svnr.games.gather import (
    DAMPING,
    TIME_STEP,
    GatherSettings,
    ParticleGather,
    best_team,
    bodies,
    contacts,
    particle_gather,
    random_play,
    solo_runner,
    stay_away,
)


def play(game, team, n_episodes, seed=0):
    """Returns [n_episodes] of a scripted team."""
    state, total = game.reset(n_episodes, seed), torch.zeros(n_episodes)
    for _ in range(game.horizon):
        step = game.step(team(state))
        state, total = step.state, total + step.reward
    return total


class OneCopyOfMpe2:
    """The same two particles in mpe2's own World."""

    def __init__(self, state, gain):
        self.world, self.gain = World(), gain
        self.world.agents = [Agent(), Agent()]
        position, velocity = (part.double().numpy() for part in bodies(state))
        for index, agent in enumerate(self.world.agents):
            agent.collide, agent.silent = False, True
            agent.state.p_pos, agent.state.p_vel = position[index], velocity[index]

    def step(self, u):
        for index, agent in enumerate(self.world.agents):
            agent.action.u = self.gain * u[2 * index : 2 * index + 2].double().numpy()
        self.world.step()
        states = [agent.state for agent in self.world.agents]
        return np.array([[state.p_pos for state in states], [state.p_vel for state in states]])


def reward_of_one_copy(position, radius):
    """§8.2 for two particles [2, 2]: +5 for both, −2 for one, 0 for none."""
    near = np.hypot(*position.T) < radius
    return {2: 5.0, 1: -2.0, 0: 0.0}[sum(near)]


@pytest.mark.parametrize("gain", [1.0, 5.0])
def test_every_step_is_mpe2s(gain):
    rules = {"end_on_joint": False, "end_on_solo": False, "pay_each_step": True}
    game = particle_gather(**rules, start=(0.5, 1.0), force_gain=gain)
    state = game.reset(8, seed=3)
    oracles = [OneCopyOfMpe2(row, gain) for row in state]
    team = random_play(0)
    for _ in range(game.horizon):
        u = team(state)
        step = game.step(u)
        state = step.state
        theirs = np.stack([oracle.step(row) for oracle, row in zip(oracles, u, strict=True)])
        assert np.allclose(torch.stack(bodies(state), 1).numpy(), theirs, atol=1e-5)
        assert step.reward.tolist() == [reward_of_one_copy(row[0], 0.3) for row in theirs]


def test_the_numbers_of_the_physics_are_mpe2s():
    """A full push of mpe2's own games gives a resting body of mass 1 the speed gain · dt."""
    assert (World().dt, World().damping, Agent().mass) == (TIME_STEP, DAMPING, 1.0)
    env = simple_spread_v3.parallel_env(N=1, continuous_actions=True)
    env.reset(seed=0)
    push = np.array([0, 0, 1, 0, 0], dtype=np.float32)
    observed = env.step({"agent_0": push})[0]["agent_0"]  # begins with the velocity
    assert observed[0] == pytest.approx(GatherSettings().force_gain * TIME_STEP)


def test_a_push_moves_a_particle_two_steps_later():
    """Gain 5: the first push gives speed 5 · 0.1 = 0.5, the second step moves by 0.5 · 0.1."""
    game = ParticleGather()
    start = game.reset(1, 0)
    east = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    first, second = game.step(east).state, game.step(east).state
    assert (first - start)[0].tolist() == pytest.approx([0, 0, 0, 0, 0.5, 0, 0, 0])
    # Then 0.75 · 0.5 + 0.5 = 0.875; 0.05 is what a speed of 0.5 covers in a step of 0.1.
    moved = [0.5, 0, 0, 0, 0.875, 0, 0, 0]
    assert (second - start)[0].tolist() == pytest.approx(moved, abs=1e-6)


def test_the_game_conforms():
    check_game(ParticleGather())


@pytest.mark.parametrize("start", [(0.5, 0.5), (0.5, 1.0)])
@pytest.mark.parametrize("random_starts", [True, False])
@pytest.mark.parametrize("radius", [0.07, 0.3])
def test_the_best_team_meets_in_every_episode(start, random_starts, radius):
    settings = GatherSettings(start=start, random_starts=random_starts, radius=radius)
    returns = play(ParticleGather(settings), best_team(settings), 5_000)
    assert bool((returns == 5.0).all())


def turned(game, maps, state):
    """A game whose copies are where `game` has them, turned; and their states [B, S]."""
    other = ParticleGather(game.settings)
    seen = state @ maps.mT
    position, velocity = bodies(seen)
    other.load_state_dict(
        game.state_dict() | {"state": seen, "position": position, "velocity": velocity}
    )
    return other, seen


@pytest.mark.parametrize("distances", [False, True])
@pytest.mark.parametrize("index", range(8))
def test_a_turned_team_comes_to_the_turned_state_and_earns_the_same(index, distances):
    game = particle_gather(random_starts=True, distances=distances)
    maps, team, paid = game.symmetries(), random_play(2), torch.zeros(3)
    state = game.reset(300, seed=1)
    other, _ = turned(game, maps.state[index], state)
    for _ in range(game.horizon):
        u = team(state)
        step, theirs = game.step(u), other.step(u @ maps.u[index].mT)
        state = step.state
        assert torch.allclose(theirs.state, state @ maps.state[index].mT, atol=1e-5)
        for name in ("reward", "terminated", "truncated"):
            assert torch.equal(getattr(step, name), getattr(theirs, name))
        paid += torch.stack([(step.reward == x).sum() for x in (5.0, -2.0, 0.0)])
    assert bool((paid > 0).all())


def test_the_symmetries_are_the_eight_of_the_square():
    """A quarter turn takes (x, y) to (−y, x), the mirror to (x, −y)."""
    maps = particle_gather().symmetries()
    state, u = torch.arange(1.0, 9.0), torch.tensor([0.1, 0.2, 0.3, 0.4])
    assert (maps.state[1] @ state).tolist() == [-2, 1, -4, 3, -6, 5, -8, 7]
    assert (maps.state[4] @ state).tolist() == [1, -2, 3, -4, 5, -6, 7, -8]
    assert torch.equal(maps.u[1] @ u, torch.tensor([-0.2, 0.1, -0.4, 0.3]))
    assert len({tuple((each @ state).tolist()) for each in maps.state}) == 8
    assert bool((maps.u.abs().sum(-1) == 1).all())  # the box of actions is kept
    agents = torch.arange(4.0)
    assert (maps.agents[1] @ agents).tolist() == [1, 0, 3, 2]  # the y-agent's push is along x now
    assert (maps.agents[4] @ agents).tolist() == [0, 1, 2, 3]


def test_distances_now_and_after_the_next_step_can_be_seen():
    """Pushed at rest 4 units east of it, velocity is −0.5: then 4 is seen, and 3.5 to come."""
    game = particle_gather(distances=True)
    plain, state = particle_gather().reset(3, 0), game.reset(3, 0)
    assert torch.equal(state[:, :8], plain)
    assert torch.allclose(state[:, 8:], torch.full((3, 4), 4.0))
    push = -plain[:, :4] / 4  # straight to the landmark, both
    seen = game.step(push).state[0]
    assert seen[8:].tolist() == pytest.approx([4.0, 4.0, 3.5, 3.5], abs=1e-5)
    after, velocity = bodies(game.step(push).state)
    assert torch.allclose(after.norm(dim=-1)[0] / TIME_STEP, seen[10:])
    assert velocity.shape == (3, 2, 2)


def test_a_solo_runner_pays_and_who_stays_away_does_not():
    assert bool((play(ParticleGather(), solo_runner, 50) == -2.0).all())
    assert bool((play(ParticleGather(), stay_away, 50) == 0.0).all())


def test_random_play_meets_jointly_often_enough_to_learn_from_and_alone_far_more_often():
    """The shares in the docstring: ± four standard errors of 100,000 episodes."""
    returns = play(ParticleGather(), random_play(1), 100_000)
    joint, solo = (returns == 5.0).float().mean(), (returns == -2.0).float().mean()
    assert joint.item() == pytest.approx(0.0156, abs=0.0016)  # 70 of 5,000 and more
    assert solo.item() == pytest.approx(0.666, abs=0.006)


def test_contacts_by_hand():
    inside, outside = [0.1, -0.1], [0.3, 0.0]
    position = torch.tensor([[inside, inside], [inside, outside], [outside, outside]])
    joint, solo = contacts(position, 0.2)
    assert joint.tolist() == [True, False, False]
    assert solo.tolist() == [False, True, False]


def test_the_clock_truncates_and_contact_terminates():
    game = ParticleGather()
    away, meeting = game.reset(2, 0), best_team(game.settings)
    for number in range(1, 26):
        u = torch.cat([stay_away(away[:1]), meeting(away[1:])])
        step = game.step(u)
        away = step.state
        assert bool(step.truncated[0]) == (number == 25) and not step.terminated[0]
    assert bool(step.terminated[1]) and not step.truncated[1]


@pytest.mark.parametrize(("team", "ended"), [(solo_runner, True), (stay_away, False)])
def test_how_a_copy_ended_is_not_forgotten(team, ended):
    """A copy that the clock cut off is not taken for one that terminated, however long after."""
    game = ParticleGather()
    state = game.reset(1, 0)
    for _ in range(30):
        step = game.step(team(state))
        state = step.state
    assert (step.terminated.item(), step.truncated.item()) == (ended, not ended)


def test_a_copy_that_has_ended_stays_and_pays_nothing():
    game = ParticleGather()
    state = game.reset(1, 0)
    rewards, states = [], []
    for _ in range(25):
        step = game.step(solo_runner(state))
        state = step.state
        rewards.append(step.reward.item())
        states.append(state)
    first = rewards.index(-2.0)
    assert sum(rewards) == -2.0
    assert all(torch.equal(later, states[first]) for later in states[first:])


def test_where_solo_contact_does_not_end_the_game_the_others_may_still_come():
    """Particle 1 runs ahead and is held at the landmark; then particle 2 comes: −2, later 5."""
    game = particle_gather(end_on_solo=False)
    state, total = game.reset(1, 0), 0.0
    for step_number in range(25):
        position, velocity = bodies(state)
        u = (-2 * position - velocity).clamp(-1, 1)
        if step_number < 8:
            u[:, 1] = 0.0
        step = game.step(u.flatten(1))
        state, total = step.state, total + step.reward.item()
    assert total == 3.0
    assert bool(step.terminated)


def test_pay_each_step_pays_as_long_as_they_stay():
    held = {"end_on_joint": False, "end_on_solo": False}
    totals = []
    for pay in (False, True):
        game = particle_gather(**held, pay_each_step=pay, random_starts=False)
        team = lambda s: (-0.2 * s[:, :4] - s[:, 4:]).clamp(-1, 1)  # noqa: E731
        totals.append(play(game, team, 1).item())
    assert totals[0] == 5.0
    assert totals[1] > 5.0 and totals[1] % 5.0 == 0.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": (0.2, 0.5)}, r"start must be two distances above the radius 0\.3"),
        ({"start": (0.5, float("inf"))}, r"start\[1\] must be a finite number, got inf"),
        ({"start": (0.5,)}, r"start must hold 2 values, got \(0\.5,\)"),
        ({"radius": 0.0}, r"radius must be a number in \(0, inf\], got 0.0"),
        ({"force_gain": float("inf")}, "force_gain must be a finite number, got inf"),
        ({"solo_reward": float("nan")}, "solo_reward must be a finite number, got nan"),
        ({"horizon": 0}, "horizon must be"),
    ],
)
def test_rules_that_make_no_game_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        GatherSettings(**settings)


def test_a_row_for_each_copy_is_wanted():
    game = ParticleGather()
    with pytest.raises(
        ValueError, match=r"each of the 0 copies that reset started, got torch.* of shape \[2, 4\]"
    ):
        game.step(torch.zeros(2, 4))
    game.reset(1, 0)
    with pytest.raises(ValueError, match="each of the 1 copies that reset started"):
        game.step(torch.zeros(5, 4))


def test_what_can_be_earned_is_bounded_by_the_prices_where_each_is_paid_once():
    assert ParticleGather().return_bounds == (-2.0, 5.0)
    assert particle_gather(joint_reward=3.0, solo_reward=1.0).return_bounds == (0.0, 4.0)
    assert particle_gather(pay_each_step=True).return_bounds == (-np.inf, np.inf)


def test_every_setting_is_one_of_the_rules():
    """One other value for each: no two games of unlike settings have equal rules."""
    others = {"start": (0.5, 0.6), "radius": 0.2, "force_gain": 1, "joint_reward": 4}
    others |= {"solo_reward": -1, "horizon": 24}
    plain = GatherSettings()
    changes = {
        each.name: others.get(each.name, not getattr(plain, each.name)) for each in fields(plain)
    }
    told = [particle_gather(**{name: value}).rules() for name, value in changes.items()]
    told.append(ParticleGather(plain).rules())
    assert all(one != other for i, one in enumerate(told) for other in told[i + 1 :])
    assert particle_gather(joint_reward=5, start=[0.4, 0.4]).rules() == told[-1]


def test_a_setting_that_is_none_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"got 'radios' \(did you mean 'radius'\?\)"):
        particle_gather(radios=0.2)


def test_random_starts_fill_the_ring_in_every_direction_each_on_its_own():
    position, _ = bodies(particle_gather(random_starts=True, start=(0.5, 1.0)).reset(20_000, 0))
    distance = position.norm(dim=-1)
    assert distance.mean(0).tolist() == pytest.approx([0.75, 0.75], abs=0.01)
    assert distance.max() > 0.99 and abs(torch.corrcoef(distance.T)[0, 1]) < 0.05
    assert (position / distance.unsqueeze(-1)).mean(0).abs().max() < 0.03


def test_a_contact_that_was_left_is_not_paid_again():
    game = particle_gather(end_on_joint=False, end_on_solo=False)
    game.reset(1, 0)
    paid = []
    for x in (0.1, 0.9, 0.1):
        position = torch.tensor([[[x, 0.0], [0.0, 0.9]]])
        resting = {"position": position, "velocity": torch.zeros(1, 2, 2)}
        game.load_state_dict(game.state_dict() | resting)
        paid.append(game.step(torch.zeros(1, 4)).reward.item())
    assert paid == [-2.0, 0.0, 0.0]
