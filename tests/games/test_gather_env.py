import numpy as np
import pytest
from pettingzoo.test import parallel_api_test

from svnr.games.gather import GatherSettings, ParticleGather, best_team, solo_runner
from svnr.games.gather_env import GatherParallelEnv
from svnr.games.parallel import ParallelGame


def test_it_passes_pettingzoos_own_test():
    parallel_api_test(GatherParallelEnv(), num_cycles=200)


@pytest.mark.parametrize(("name", "earned"), [("best", 5.0), ("solo", -2.0)])
def test_a_scripted_team_earns_the_same_through_pettingzoo(name, earned):
    settings = GatherSettings(start=(0.5, 0.8))
    team = best_team(settings) if name == "best" else solo_runner
    game = ParallelGame(lambda: GatherParallelEnv(settings), horizon=25)
    whole = game.reset(5, seed=0)
    total = 0.0
    for _ in range(25):
        step = game.step(team(whole[:, :8]))  # four agents observe the same eight numbers
        whole, total = step.state, total + step.reward
    assert total.tolist() == [earned] * 5
    assert game.action_sizes == ParticleGather.action_sizes


def test_one_seed_repeats_and_another_differs():
    env = GatherParallelEnv(GatherSettings(random_starts=True))
    first, again, other = (env.reset(seed=s)[0]["x_1"] for s in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_a_picture_shows_landmark_and_particles():
    env = GatherParallelEnv(render_mode="rgb_array")
    env.reset(seed=0)
    before = env.render()
    for _ in range(2):
        env.step({agent: np.array([1.0]) for agent in env.possible_agents})
    after = env.render()
    assert before.shape == after.shape == (480, 480, 3) and before.dtype == np.uint8
    assert not np.array_equal(before, after)
    assert tuple(before[240, 240]) != (255, 255, 255)  # the landmark lies in the middle
    assert GatherParallelEnv().render() is None


def test_an_unknown_way_to_render_is_refused():
    with pytest.raises(
        ValueError, match="render_mode must be one of rgb_array, None, got 'human'"
    ):
        GatherParallelEnv(render_mode="human")


def test_a_step_outside_an_episode_or_without_all_agents_is_refused():
    env = GatherParallelEnv()
    push = {agent: np.array([0.0]) for agent in env.possible_agents}
    with pytest.raises(
        ValueError, match=r"actions must be one for each of \[\], who play from reset"
    ):
        env.step(push)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"actions must be one for each of .*got \['x_1'\]"):
        env.step({"x_1": push["x_1"]})


def test_what_is_observed_has_the_games_size():
    env = GatherParallelEnv(GatherSettings(distances=True))
    observed, _ = env.reset(seed=0)
    assert env.observation_space("x_1").contains(observed["x_1"]) and len(observed["x_1"]) == 12
