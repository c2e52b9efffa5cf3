import sys

import numpy as np
import pytest
import torch

mujoco = pytest.importorskip("mujoco")
mamujoco_v1 = pytest.importorskip("gymnasium_robotics").mamujoco_v1

from svnr.experiments.evaluate import play  # noqa: E402
from svnr.games import mamujoco  # noqa: E402
from svnr.games.check import check_game  # noqa: E402
from svnr.games.mamujoco import SCENARIOS, MultiAgentMuJoCo, snapshots  # noqa: E402

ALL = [(scenario, each) for scenario, told in SCENARIOS.items() for each in told.factorizations]
FOUR = [("HalfCheetah", "2x3"), ("CoupledHalfCheetah", "1p1"), ("Ant", "2x4"), ("Walker2d", "2x3")]


@pytest.fixture
def doubles():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def theirs(scenario, factorization, n_copies, seed):
    """Gymnasium-robotics' environments, begun as ours are."""
    envs = [mamujoco_v1.parallel_env(scenario, factorization) for _ in range(n_copies)]
    for env, word in zip(envs, words(n_copies, seed), strict=True):
        env.reset(seed=word)
    return envs


def words(n_copies, seed):
    return (np.random.SeedSequence(seed).generate_state(n_copies) % 2**31).tolist()


def stepped(env, u):
    """The state, reward and end of one of theirs after a joint action."""
    sizes = [env.action_space(agent).shape[0] for agent in env.possible_agents]
    shares = np.split(u.numpy(), np.cumsum(sizes)[:-1])
    told = env.step(dict(zip(env.possible_agents, shares, strict=True)))
    return env.state(), *(each["agent_0"] for each in told[1:3]), told[0]


@pytest.mark.parametrize(("scenario", "factorization"), ALL)
def test_it_is_gymnasium_robotics_environment_step_by_step(scenario, factorization, doubles):
    """States to the last bit, rewards to 1e-13, ends and new beginnings alike."""
    game, envs = MultiAgentMuJoCo(scenario, factorization), theirs(scenario, factorization, 3, 5)
    state, draws = game.reset(3, 5), torch.Generator().manual_seed(0)
    assert np.array_equal(state.numpy(), np.stack([env.state() for env in envs]))
    for t in range(120):
        u = 2 * torch.rand(3, sum(game.action_sizes), generator=draws) - 1
        ours = game.step(u)
        states, rewards, ends, _ = zip(*map(stepped, envs, u), strict=True)
        assert np.array_equal(ours.state.numpy(), np.stack(states))
        assert ours.reward.tolist() == pytest.approx(rewards, abs=1e-13)
        assert ours.terminated.tolist() == list(ends) and not ours.truncated.any()
        if ours.terminated.any():
            over = ours.terminated.nonzero().flatten().tolist()
            for copy, word in zip(over, words(len(over), t), strict=True):
                envs[copy].reset(seed=word)
            game.restart(ours.terminated, t)


def test_forces_ends_and_the_tendon_were_there_to_be_compared():
    """What the test above compares must have happened in it."""
    draws = torch.Generator().manual_seed(0)
    seen = {}
    for scenario, factorization in FOUR:
        game = MultiAgentMuJoCo(scenario, factorization)
        n, first = sum(game.action_sizes), game.reset(3, 5)
        steps = [game.step(2 * torch.rand(3, n, generator=draws) - 1) for _ in range(120)]
        seen[scenario] = first, torch.stack([step.state for step in steps]), steps[-1]
    assert (seen["Ant"][1][..., 27:].abs() == 1).any()  # a force at the edge of what is seen
    assert seen["Walker2d"][2].terminated.all()
    assert (seen["Walker2d"][1][..., 8:].abs() == 10).any()  # a velocity likewise
    first, tendon = seen["CoupledHalfCheetah"][0][:, 38], seen["CoupledHalfCheetah"][1][..., 38]
    assert (tendon - first).abs().max() > 0.1  # of its 40 coordinates the length is the last but 1


def test_without_forces_only_they_are_left_out():
    whole, blind = (MultiAgentMuJoCo("Ant", "2x4", forces=forces) for forces in (True, False))
    assert (whole.state_size, blind.state_size) == (105, 27)
    assert torch.equal(whole.reset(2, 0)[:, :27], blind.reset(2, 0))
    for _ in range(20):
        u = torch.full((2, 8), 0.3)
        one, other = whole.step(u), blind.step(u)
        assert torch.equal(one.state[:, :27], other.state)
        assert torch.equal(one.reward, other.reward)
    assert whole.rules() != blind.rules()


# --- what each agent observes --------------------------------------------------------------------


@pytest.mark.parametrize(("scenario", "factorization"), [FOUR[0], FOUR[2], FOUR[3]])
def test_local_observations_are_theirs_side_by_side(scenario, factorization, doubles):
    game = MultiAgentMuJoCo(scenario, factorization, observe="local")
    env = theirs(scenario, factorization, 1, 3)[0]
    state, draws = game.reset(1, 3), torch.Generator().manual_seed(1)
    for _ in range(15):
        assert state.shape == (1, game.state_size)
        u = 0.2 * torch.rand(1, sum(game.action_sizes), generator=draws)
        state = game.step(u).state
        seen = np.concatenate(list(stepped(env, u[0])[3].values()))
        assert np.array_equal(state[0].numpy(), seen)


def test_each_coupled_cheetah_observes_itself():
    """In gymnasium-robotics both observe the second one's joints."""
    env = theirs("CoupledHalfCheetah", "1p1", 1, 0)[0]
    game = MultiAgentMuJoCo("CoupledHalfCheetah", "1p1", observe="local")
    game.reset(1, 0)
    draws = torch.Generator().manual_seed(2)
    for _ in range(10):
        u = 2 * torch.rand(1, 12, generator=draws) - 1
        told = stepped(env, u[0])[3]
        state = game.step(u).state[0]
    assert np.array_equal(told["agent_0"], told["agent_1"])
    first, second = state.view(2, -1)
    assert not torch.equal(first, second)
    qpos = env.single_agent_env.unwrapped.data.qpos
    for seen, start in ((first, 3), (second, 12)):
        joints = torch.as_tensor(qpos[start : start + 6], dtype=torch.float32)
        assert all(bool((seen == joint).any()) for joint in joints)


# --- who earns what ------------------------------------------------------------------------------


def earned(scenario, factorization, scale, n=3):
    game, draws = MultiAgentMuJoCo(scenario, factorization), torch.Generator().manual_seed(0)
    n_actions = sum(game.action_sizes)

    def act(state):
        return scale * (2 * torch.rand(len(state), n_actions, generator=draws) - 1)

    return play(game, act, n, seed=0)


def test_who_stands_still_falls_over_or_waits():
    """No torque: a cheetah earns nothing, an Ant a thousand for standing, a Walker falls."""
    still = {scenario: earned(scenario, each, 0.0) for scenario, each in FOUR}
    assert abs(still["HalfCheetah"].returns).max() < 2
    assert abs(still["CoupledHalfCheetah"].returns).max() < 2
    assert still["Ant"].returns.mean() == pytest.approx(994, abs=10)
    assert still["Walker2d"].returns.mean() == pytest.approx(93.5, abs=12)
    assert still["Walker2d"].length.max() < 200 and (still["Ant"].length == 1000).all()


def test_who_acts_at_random_earns_less_than_nothing():
    """Each torque costs 0.1 |a|² on average 0.2 a step in six joints; falling ends the others."""
    assert earned("HalfCheetah", "2x3", 1.0).returns.mean() == pytest.approx(-246, abs=80)
    assert earned("CoupledHalfCheetah", "1p1", 1.0).returns.mean() == pytest.approx(-286, abs=80)
    assert earned("Ant", "2x4", 1.0).returns.mean() < 30
    assert abs(earned("Walker2d", "2x3", 1.0).returns.mean()) < 20


# --- being a game --------------------------------------------------------------------------------


@pytest.mark.parametrize("observe", ["state", "local"])
@pytest.mark.parametrize(("scenario", "factorization"), FOUR)
def test_it_is_a_game(scenario, factorization, observe):
    check_game(MultiAgentMuJoCo(scenario, factorization, horizon=12, observe=observe))


@pytest.mark.parametrize(("scenario", "factorization"), FOUR)
def test_it_goes_on_from_the_middle_of_an_episode_to_the_same_bits(scenario, factorization):
    games = [MultiAgentMuJoCo(scenario, factorization) for _ in range(2)]
    games[0].reset(2, 1)
    u = 0.4 * torch.ones(2, sum(games[0].action_sizes))
    for _ in range(25):
        games[0].step(u)
    saved = games[0].state_dict()
    games[1].reset(2, 9)
    games[1].load_state_dict(saved)
    for _ in range(25):
        one, other = (game.step(-u) for game in games)
        assert torch.equal(one.state, other.state) and torch.equal(one.reward, other.reward)


def test_capsules_are_where_the_body_is():
    game = MultiAgentMuJoCo("HalfCheetah", "2x3")
    game.reset(2, 0)
    body = game.capsules()
    assert body.ends.shape == (8, 2, 3)
    assert body.radius == pytest.approx([0.046] * 8)  # half_cheetah.xml
    length = np.linalg.norm(body.ends[:, 0] - body.ends[:, 1], axis=1)
    assert length[0] == pytest.approx(1.0)  # the torso's half length is 0.5
    assert body.owner.tolist() == [-1, -1, 0, 0, 0, 1, 1, 1]  # torso, head, back leg, front leg
    lowest = (body.ends[..., 2].min(axis=1) - body.radius).min()
    assert -0.2 < lowest < 0.2  # its feet are near the ground
    for _ in range(20):
        game.step(torch.ones(2, 6))
    assert game.capsules().ends[0, 0, 0] != body.ends[0, 0, 0]


def test_snapshots_are_of_the_steps_that_are_asked_for():
    game = MultiAgentMuJoCo("Walker2d", "2x3")
    taken = snapshots(game, lambda state: torch.full((1, 6), 0.1), [0, 2, 5], seed=4)
    game.reset(1, 4)
    for step in range(6):
        if step in (0, 2, 5):
            assert np.array_equal(taken.pop(0).ends, game.capsules().ends)
        game.step(torch.full((1, 6), 0.1))
    assert not taken


def test_a_robot_that_was_not_started_has_no_capsules():
    with pytest.raises(ValueError, match="game must be reset before it is drawn"):
        MultiAgentMuJoCo("HalfCheetah", "2x3").capsules()


def test_every_factorization_of_the_library_is_there_and_no_other():
    tried = ["2x3", "6x1", "3x2", "1p1", "2x4", "2x4d", "4x2", "8x1", "2x1", "3x1", "1x6"]
    for scenario, told in SCENARIOS.items():
        known = []
        for each in tried:
            try:
                mamujoco_v1.get_parts_and_edges(scenario, each)
                known.append(each)
            except Exception as error:
                assert "UNKNOWN partitioning" in str(error)
        assert tuple(known) == told.factorizations


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Cheetah", "2x3"), "scenario must be one of HalfCheetah, CoupledHalfCheetah, Ant, Walk"),
        (("Ant", "2x3"), "factorization must be one of 2x4, 2x4d, 4x2.*got '2x3'"),
        (("Ant", "2x4", 0), "horizon must be a whole number of at least 1, got 0"),
        (("Ant", "2x4", 9, "all"), "observe must be one of state, local.*got 'all'"),
        (("Ant", "2x4", 9, "state", "yes"), "forces must be.*got 'yes'"),
    ],
)
def test_what_there_is_not_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        MultiAgentMuJoCo(*arguments)


def test_actions_that_are_no_numbers_are_refused():
    game = MultiAgentMuJoCo("Walker2d", "2x3")
    game.reset(1, 0)
    with pytest.raises(ValueError, match="u must lie in"):
        game.step(torch.full((1, 6), torch.nan))


def test_without_mujoco_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mujoco", None)
    with pytest.raises(ValueError, match=r"needs mujoco and its robots: pip install \"svnr\[muj"):
        MultiAgentMuJoCo("Ant", "2x4")


@pytest.mark.parametrize("found", ["3.6.0", "3.10.1", "4.0.0"])
def test_a_mujoco_that_is_too_new_is_refused(found, monkeypatch):
    monkeypatch.setattr(sys.modules["mujoco"], "__version__", found)
    with pytest.raises(ValueError, match=rf"older than 3.6, which does not.*got {found}"):
        mamujoco.checked_mujoco()
