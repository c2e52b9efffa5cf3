import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from gymnasium_robotics import mamujoco_v1
from mpe2 import simple_spread_v3

from svnr.experiments.scenarios import learner_settings, make_learner
from svnr.games.game import check_game
from svnr.games.parallel import ParallelGame
from svnr.learners.replay import Batch


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
    with pytest.raises(TypeError, match="where all agents act at once"):
        ParallelGame(lambda: simple_spread_v3.env(continuous_actions=True), horizon=10)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"boxes": {"a": Discrete(3), "b": Box(-1, 1, (1,))}}, TypeError, "'a' must be a Box"),
        ({"boxes": {"a": Box(-np.inf, 1, (1,)), "b": Box(-1, 1, (1,))}}, ValueError, "bounded"),
        ({"boxes": {"a": Box(-1, 1, (2, 2)), "b": Box(-1, 1, (1,))}}, ValueError, "one dimension"),
        ({"boxes": {"a": Box(0, 9, (1,), int), "b": Box(-1, 1, (1,))}}, TypeError, "real numbers"),
        ({"rewards": {"a": 1.0, "b": 0.0}}, ValueError, "must share one reward"),
        ({"rewards": {"a": 0.0, "b": np.nan}}, ValueError, "must share one reward"),
        ({"leaves": True}, ValueError, r"from start to end, but \['b'\] left"),
        ({"silent": True}, ValueError, r"from start to end, but \['b'\] left"),
        ({"joins": True}, ValueError, r"must be in possible_agents, but \['c'\] joined"),
        ({"possible_agents": []}, TypeError, "make_env must make a ParallelEnv .* got Unfit"),
    ],
)
def test_what_cannot_be_played_is_refused_with_the_reason(changes, error, message):
    kind = type("Unfit", (Tiny,), changes)
    with pytest.raises(error, match=message):
        game = ParallelGame(kind, horizon=2)
        game.reset(1, 0)
        game.step(torch.zeros(1, 3))


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
            with pytest.raises(ValueError, match="must share one reward"):
                game.step(torch.zeros(30, 15))
        else:
            game.step(torch.zeros(30, 15))


def test_a_robot_of_another_package_is_played_as_it_plays_itself():
    make = lambda: mamujoco_v1.parallel_env("HalfCheetah", "2x3")  # noqa: E731
    game = ParallelGame(make, horizon=1000)
    assert game.action_sizes == (3, 3)
    game.reset(1, seed=5)
    env = make()
    env.reset(seed=int(np.random.SeedSequence(5).generate_state(1)[0]) % 2**31)
    u = torch.linspace(-0.5, 0.5, 6)
    step = game.step(u.unsqueeze(0))
    _, rewards, _, _, _ = env.step({"agent_0": u[:3].numpy(), "agent_1": u[3:].numpy()})
    assert step.reward.item() == pytest.approx(rewards["agent_0"], rel=1e-5)


def test_the_environments_own_state_can_be_the_state():
    """Two agents observe 12 numbers each; HalfCheetah itself has 17."""
    make = lambda: mamujoco_v1.parallel_env("HalfCheetah", "2x3")  # noqa: E731
    game = ParallelGame(make, horizon=2, use_env_state=True)
    assert (game.state_size, ParallelGame(make, horizon=2).state_size) == (17, 24)
    check_game(game, n_copies=2)


@pytest.mark.parametrize("name", ["svnr", "maddpg", "masql", "lenient"])
def test_learners_play_it(name):
    game = ParallelGame(spread(), horizon=10)
    learner = make_learner(name, game, learner_settings(name, {"hidden": (16,)}), 100, seed=0)
    state = game.reset(4, 0)
    u = learner.act(state, "explore")
    step = game.step(u)
    note = learner.observe(state, u)
    batch = Batch(state, u, step.reward, step.state, step.terminated, note)
    assert np.isfinite(learner.update(batch, 50)["critic_loss"])
