from functools import partial
from importlib import metadata

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from mpe2 import simple_spread_v3

from svnr.experiments.evaluate import returns
from svnr.games.check import check_game
from svnr.games.parallel import ParallelGame


def spread(local_ratio=0.0, n=2):
    return lambda: simple_spread_v3.parallel_env(
        N=n, local_ratio=local_ratio, max_cycles=10, continuous_actions=True
    )


class Tiny:
    """Two agents with boxes of unlike sizes; pays the sum of all actions; ends after two steps."""

    metadata = {"name": "tiny"}  # noqa: RUF012
    possible_agents = ["a", "b"]  # noqa: RUF012
    boxes = {"a": Box(0.0, 4.0, (1,)), "b": Box(-2.0, 2.0, (2,))}  # noqa: RUF012
    rewards = {"a": 0.0, "b": 0.0}  # noqa: RUF012 what an agent gets beside the shared reward
    leaves = joins = silent = False

    def action_space(self, agent):
        return self.boxes[agent]

    def observation_space(self, agent):
        return Box(-1.0, 1.0, (1,))

    def reset(self, seed=None, options=None):
        self.agents, self.clock = list(self.possible_agents), 0
        return self.seen(), {}

    def seen(self):
        return {agent: np.full(1, self.clock, dtype=np.float32) for agent in self.possible_agents}

    def step(self, actions):
        self.clock += 1
        paid = float(sum(action.sum() for action in actions.values()))
        rewards = {agent: paid + self.rewards[agent] for agent in self.possible_agents}
        cut = dict.fromkeys(self.possible_agents, self.clock == 2)
        self.agents = ["a"] if self.leaves else list(self.possible_agents)
        self.agents += ["c"] * self.joins
        if self.silent:
            del rewards["b"]
        return self.seen(), rewards, dict.fromkeys(self.possible_agents, False), cut, {}

    def close(self):
        pass


def test_actions_are_scaled_to_each_agents_box():
    game = ParallelGame(Tiny, horizon=2)
    assert game.action_sizes == (1, 2) and game.state_size == 2
    game.reset(2, 0)
    # −1 → (0; −2, −2) pays −4; (0.5; 0, 1) → (3; 0, 2) pays 5.
    step = game.step(torch.tensor([[-1.0, -1.0, -1.0], [0.5, 0.0, 1.0]]))
    assert step.reward.tolist() == [-4.0, 5.0]


def test_a_truncated_copy_is_not_terminated_and_pays_no_more():
    game = ParallelGame(Tiny, horizon=2)
    game.reset(1, 0)
    u = torch.zeros(1, 3)
    game.step(u)
    second = game.step(u)
    assert second.truncated.tolist() == [True] and second.terminated.tolist() == [False]
    third = game.step(u)
    assert third.reward.tolist() == [0.0] and torch.equal(third.state, second.state)
    assert third.truncated.tolist() == [True] and third.terminated.tolist() == [False]


def test_the_horizon_cuts_an_environment_that_goes_on():
    game = ParallelGame(Tiny, horizon=1)
    check_game(game)
    game.reset(1, 0)
    assert game.step(torch.zeros(1, 3)).truncated.tolist() == [True]


def test_actions_stay_in_boxes_whose_ends_no_float32_is():
    sent = []

    class Watched(Tiny):
        boxes = {"a": Box(-0.1, 0.1, (1,), np.float64), "b": Box(-0.4, 0.4, (2,))}  # noqa: RUF012

        def step(self, actions):
            sent.append(actions)
            return super().step(actions)

    game = ParallelGame(Watched, horizon=2)
    for end in (-1.0, 1.0):
        game.reset(1, 0)
        game.step(torch.full((1, 3), end))
        assert all(Watched.boxes[agent].contains(part) for agent, part in sent[-1].items())


def test_a_row_for_each_copy_is_wanted():
    game = ParallelGame(Tiny, horizon=2)
    for started in (0, 3):
        with pytest.raises(ValueError, match=f"each of the {started} copies that reset started"):
            game.step(torch.zeros(2, 3))
        game.reset(3, 0)


def test_copies_are_kept_from_reset_to_reset_and_closed_when_too_many():
    made, closed = [], []

    class Counted(Tiny):
        def __init__(self):
            made.append(self)

        def close(self):
            closed.append(self)

    game = ParallelGame(Counted, horizon=2)
    for n_copies in (3, 3, 1):
        game.reset(n_copies, 0)
    assert (len(made), len(closed)) == (3, 2)
    game.close()
    assert len(closed) == 3


def test_one_environment_cannot_be_two_copies():
    game = ParallelGame(lambda env=Tiny(): env, horizon=2)  # noqa: B008
    with pytest.raises(ValueError, match="make_env must make a new environment at each call"):
        game.reset(2, 0)


def test_an_environment_of_turns_is_refused():
    with pytest.raises(ValueError, match="where all agents act at once"):
        ParallelGame(lambda: simple_spread_v3.env(continuous_actions=True), horizon=10)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"boxes": {"a": Discrete(3), "b": Box(-1, 1, (1,))}}, "'a' must be a bounded Box"),
        ({"boxes": {"a": Box(-np.inf, 1, (1,)), "b": Box(-1, 1, (1,))}}, "'a' must be a bounded"),
        ({"boxes": {"a": Box(-1, 1, (2, 2)), "b": Box(-1, 1, (1,))}}, "in one dimension"),
        ({"boxes": {"a": Box(0, 9, (1,), int), "b": Box(-1, 1, (1,))}}, "real numbers"),
        (
            {"observation_space": lambda self, agent: Discrete(2)},
            "observations of .* must be a Box",
        ),
        (
            {"rewards": {"a": 1.0, "b": 0.0}},
            "must share the same rewards, got {'a': 3.0, 'b': 2.0}",
        ),
        (
            {"rewards": {"a": 0.0, "b": 1e-5}},
            "share the same rewards, got {'a': 2.0, 'b': 2.00001}",
        ),
        (
            {"rewards": {"a": 0.0, "b": np.nan}},
            "rewards of env.step must be finite, got .*nan",
        ),
        (
            {"rewards": {"a": np.nan, "b": np.nan}},
            "rewards of env.step must be finite, got .*nan",
        ),
        (
            {"rewards": {"a": np.zeros(2), "b": 0.0}},
            "rewards of env.step must be a number each",
        ),
        ({"leaves": True}, r"env.agents must have all possible_agents \['a', 'b'\], got \['a'\]"),
        ({"silent": True}, r"rewards must have all possible_agents .*, got \['a'\]"),
        ({"joins": True}, r"env.agents must have all possible_agents .*, got \['a', 'b', 'c'\]"),
        ({"possible_agents": []}, "make_env must make a ParallelEnv .* got Unfit"),
        (
            {"reset": lambda self, seed: {}},
            r"env.reset must return \(observations, infos\), got dict",
        ),
        ({"step": lambda self, u: (1, 2, 3, 4)}, r"env.step must return \(.*\), got 4 values"),
        (
            {"step": lambda self, u: (self.seen(), 1.0, {}, {}, {})},
            "rewards must have all possible_agents .*, got float",
        ),
    ],
)
def test_what_cannot_be_played_is_refused_with_the_reason(changes, message):
    kind = type("Unfit", (Tiny,), changes)
    with pytest.raises(ValueError, match=message):
        game = ParallelGame(kind, horizon=2)
        game.reset(1, 0)
        game.step(torch.zeros(1, 3))


def test_rewards_may_be_one_ulp_apart_and_arrays_of_one():
    """−20 and the next float32 above it differ by 2⁻¹⁹, 1.9e-6."""
    near = np.nextafter(np.float32(-20), np.float32(0))
    for told in (near, np.array([-20.0])):
        kind = type("Near", (Tiny,), {"rewards": {"a": np.float32(-20), "b": told}})
        game = ParallelGame(kind, horizon=2)
        game.reset(1, 0)
        assert game.step(torch.tensor([[-1.0, 0.0, 0.0]])).reward.tolist() == [-20.0]


def test_ends_that_differ_between_agents_are_refused():
    class Uneven(Tiny):
        def step(self, actions):
            seen, rewards, ended, cut, infos = super().step(actions)
            return seen, rewards, ended | {"a": True}, cut, infos

    game = ParallelGame(Uneven, horizon=2)
    game.reset(1, 0)
    with pytest.raises(ValueError, match="all agents must share the same terminations, got"):
        game.step(torch.zeros(1, 3))


class Adjusted(Tiny):
    """Starts and pays as it was told to, and at random."""

    def __init__(self, pay=1.0, start=0.0):
        self.pay, self.start = pay, start

    def reset(self, seed=None, options=None):
        super().reset()
        self.clock = self.start + np.random.default_rng(seed).uniform()
        return self.seen(), {}


def test_rules_tell_how_an_environment_was_made():
    plain = ParallelGame(partial(Adjusted, 1.0), horizon=2)
    bounded = ParallelGame(partial(Adjusted, 1.0), horizon=2)
    bounded.return_bounds = (0.0, 1.0)
    games = [
        plain,
        bounded,
        ParallelGame(partial(Adjusted, 2.0), horizon=2),
        ParallelGame(partial(Adjusted, 1.0, start=1.0), horizon=2),
        ParallelGame(partial(Adjusted, 1.0), horizon=3),
        ParallelGame(partial(Adjusted, 1.0), horizon=2, name="another"),
        ParallelGame(spread(), horizon=10),
        ParallelGame(spread(), horizon=10, use_env_state=True),
        ParallelGame(spread(n=3), horizon=10),
    ]
    told = [game.rules() for game in games]
    assert all(one != other for i, one in enumerate(told) for other in told[i + 1 :])
    assert told[0]["arguments"] == [[1.0], {}] and told[0]["environment"][0] == "tiny"
    assert told[6]["environment"][2] == metadata.version("mpe2")
    plain.close()
    assert plain.rules() == told[0]


def test_single_copies_begin_anew_as_a_game_of_one_would():
    game, alone = ParallelGame(Adjusted, horizon=5), ParallelGame(Adjusted, horizon=5)
    before = game.reset(3, 0)
    after = game.restart(torch.tensor([False, True, False]), 7)
    assert torch.equal(after[1:2], alone.reset(1, 7))
    assert torch.equal(after[[0, 2]], before[[0, 2]]) and not torch.equal(after[1], before[1])


def test_any_environment_goes_on_from_where_it_was_saved():
    """Three copies, one begun anew on the way and one at its first state; into a new game."""
    first, second = (ParallelGame(spread(), horizon=8) for _ in range(2))
    assert first.state_dict() == {}  # between episodes there is nothing to save
    u = 2 * torch.rand(8, 3, 10, generator=torch.Generator().manual_seed(0)) - 1
    first.reset(3, 1)
    for row in u[:5]:
        first.step(row)
    first.restart(torch.tensor([False, True, False]), 7)
    first.step(u[5])
    first.restart(torch.tensor([False, False, True]), 8)
    second.load_state_dict(first.state_dict())
    for row in u[6:]:
        one, other = first.step(row), second.step(row)
        assert torch.equal(one.state, other.state) and torch.equal(one.reward, other.reward)
        assert torch.equal(one.truncated, other.truncated)
    assert one.truncated.tolist() == [True, False, False]  # the first has had its eight steps


def test_an_environment_that_does_not_come_to_its_state_again_says_so():
    class Restless(Tiny):
        made = 0

        def reset(self, seed=None, options=None):
            Restless.made += 1
            super().reset()
            self.clock = self.made
            return self.seen(), {}

    game = ParallelGame(Restless, horizon=2)
    game.reset(1, 0)
    with pytest.raises(ValueError, match=r"saved under way must come to .* again by seed"):
        game.load_state_dict(game.state_dict())


def test_simple_spread_conforms_with_a_shared_reward():
    check_game(ParallelGame(spread(), horizon=10))


def test_copies_of_one_seed_differ_from_each_other_and_repeat():
    game = ParallelGame(spread(), horizon=10)
    first, again, other = game.reset(3, 1), game.reset(3, 1), game.reset(3, 2)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert len(first.unique(dim=0)) == 3


def test_simple_spread_is_refused_once_two_of_three_collide():
    """A collision is charged to those two only, unless the reward is made the team's."""
    for local_ratio in (0.0, 0.5):
        game = ParallelGame(spread(local_ratio, n=3), horizon=10)
        game.reset(30, 0)
        if local_ratio:
            with pytest.raises(ValueError, match="must share the same rewards"):
                game.step(torch.zeros(30, 15))
        else:
            game.step(torch.zeros(30, 15))


# --- robots --------------------------------------------------------------------------------------


def robot(scenario="HalfCheetah", parts="2x3", horizon=1000):
    mamujoco = pytest.importorskip("gymnasium_robotics").mamujoco_v1
    make = partial(mamujoco.parallel_env, scenario, parts)
    return ParallelGame(make, horizon, use_env_state=True)


def test_a_robot_is_played_as_it_plays_itself():
    game = robot()
    assert (game.action_sizes, game.state_size) == ((3, 3), 17)
    state, env = game.reset(1, seed=5), game._make_env()
    env.reset(seed=int(np.random.SeedSequence(5).generate_state(1)[0]) % 2**31)
    u = torch.linspace(-0.5, 0.5, 6)
    assert torch.equal(state[0], torch.tensor(env.state(), dtype=torch.float32))
    step = game.step(u.unsqueeze(0))
    _, rewards, _, _, _ = env.step({"agent_0": u[:3].numpy(), "agent_1": u[3:].numpy()})
    assert step.reward.item() == pytest.approx(rewards["agent_0"], rel=1e-5)
    assert np.allclose(step.state[0], env.state(), rtol=1e-5, atol=1e-5)


def test_the_state_is_what_the_agents_observe_unless_the_environments_own_is_wanted():
    """Two agents observe 12 numbers each; HalfCheetah itself has 17."""
    assert ParallelGame(robot()._make_env, horizon=2).state_size == 24
    check_game(robot(horizon=2), n_copies=2)


# Ant's and Humanoid's rewards read where bodies were one step ago; coupled cheetahs have tendons.
ROBOTS = [
    ("HalfCheetah", "2x3"),
    ("Ant", "4x2"),
    ("Humanoid", "9|8"),
    ("CoupledHalfCheetah", "1p1"),
]


@pytest.mark.parametrize(("scenario", "parts"), ROBOTS)
def test_a_robot_goes_on_from_where_it_was_saved_to_the_same_bits(scenario, parts):
    """Three copies, one begun anew on the way; into a new game after 20 of 30 steps."""
    first, second = (robot(scenario, parts, horizon=28) for _ in range(2))
    noise = torch.Generator().manual_seed(0)
    u = 2 * torch.rand(30, 3, sum(first.action_sizes), generator=noise) - 1
    first.reset(3, 1)
    for row in u[:12]:
        first.step(row)
    first.restart(torch.tensor([False, True, False]), 7)
    for row in u[12:20]:
        first.step(row)
    saved = first.state_dict()
    told = [first.step(row) for row in u[20:]]
    second.load_state_dict(saved)
    again = [second.step(row) for row in u[20:]]
    for one, other in zip(told, again, strict=True):
        for name in ("state", "reward", "terminated", "truncated"):
            assert torch.equal(getattr(one, name), getattr(other, name))
    assert not told[-1].terminated.all() and told[-1].truncated[0] != told[-1].terminated[0]


def test_a_saved_robots_own_time_limit_goes_on_too():
    """HalfCheetah's wrapper ends an episode after 1,000 steps, whatever the horizon here is."""
    first, second = robot(horizon=2000), robot(horizon=2000)
    first.reset(1, 0)
    for _ in range(998):
        first.step(torch.zeros(1, 6))
    second.load_state_dict(first.state_dict())
    assert [second.step(torch.zeros(1, 6)).truncated.item() for _ in range(2)] == [False, True]


@pytest.mark.parametrize("name", ["svnr", "maddpg", "masql", "lenient"])
def test_learners_play_it(name):
    from svnr.experiments.catalogue import learner_class, settings_class
    from svnr.learners.learner import Progress
    from svnr.learners.memory import Transitions

    game = ParallelGame(spread(), horizon=10)
    settings = settings_class(name)(hidden=(16,), warmup=0, update_every=4)
    learner = learner_class(name)(game, settings, seed=0)
    state = game.reset(4, 0)
    u = learner.act(state, "explore")
    step = game.step(u)
    rows = Transitions(state, u, step.reward, step.state, step.terminated, step.truncated)
    assert np.isfinite(learner.observe(rows, Progress(0, 10))["critic_loss"])


def test_many_tests_are_played_by_few_environments_each_episode_from_a_seed_of_its_own():
    """An environment that pays the seed it was reset with, twice; 130 tests in rounds of 64."""
    seeds, made = [], []

    class Paying(Tiny):
        def __init__(self):
            made.append(self)

        def reset(self, seed=None, options=None):
            seeds.append(seed)
            self.rewards = dict.fromkeys(self.possible_agents, seed)
            return super().reset(seed, options)

    class Middle:
        def act(self, state, execution):
            return torch.zeros(len(state), 3)

    game = ParallelGame(Paying, horizon=2)
    seeds.clear()
    earned = returns(game, Middle(), "greedy", 130, seed=7)
    assert len(made) <= 64 and len(set(seeds)) == len(seeds) == 130
    assert np.allclose(earned, 2 * (2.0 + np.array(seeds, dtype=float)))  # 2: the box's middle
    seeds.clear()
    assert np.array_equal(returns(game, Middle(), "greedy", 64, seed=7), earned[:64])
