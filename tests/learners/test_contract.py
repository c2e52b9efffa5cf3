"""One contract for every learner."""

import pytest
import torch

from svnr.experiments.scenarios import LEARNERS, learner_settings, make_game, make_learner
from svnr.learners.learner import EXECUTIONS
from svnr.learners.replay import Batch

LEARNER_NAMES = list(LEARNERS)


def new(name, game, seed=0, **overrides):
    return make_learner(name, game, learner_settings(name, overrides), 100, seed)


def random_batch(game, learner, size=32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    state = game.reset(size, seed)
    u = 2 * torch.rand(size, sum(game.action_sizes), generator=generator) - 1
    step = game.step(u)
    note = learner.observe(state, u)
    return Batch(state, u, step.reward, step.state, step.terminated, note)


@pytest.mark.parametrize("execution", EXECUTIONS)
@pytest.mark.parametrize("name", LEARNER_NAMES)
def test_actions_lie_in_the_box_for_any_action_sizes(name, execution, uneven):
    u = new(name, uneven).act(uneven.reset(7, 0), execution)
    assert u.shape == (7, 6)
    assert bool((u.abs() <= 1).all())


@pytest.mark.parametrize("name", LEARNER_NAMES)
def test_every_agent_perceives_a_joint_policy(name, uneven):
    samples = new(name, uneven).perceive(uneven.reset(2, 0), 5)
    assert samples.shape == (3, 2, 5, 6)


@pytest.mark.parametrize("name", LEARNER_NAMES)
def test_an_update_moves_every_tensor_that_learns(name, uneven):
    learner = new(name, uneven)
    before = learner.state_dict()
    learner.update(random_batch(uneven, learner), episode=50)
    after = learner.state_dict()
    weights = [key for key in before if "weight" in key or "bias" in key]
    still = [key for key in weights if torch.equal(before[key], after[key])]
    assert weights and not still


@pytest.mark.parametrize("name", LEARNER_NAMES)
def test_acting_moves_no_weight(name, uneven):
    learner = new(name, uneven)
    before = learner.state_dict()
    for execution in EXECUTIONS:
        learner.act(uneven.reset(3, 0), execution)
    after = learner.state_dict()
    weights = [key for key in before if "weight" in key or "bias" in key]
    assert weights and all(torch.equal(before[key], after[key]) for key in weights)


@pytest.mark.parametrize("name", LEARNER_NAMES)
def test_saved_and_loaded_it_goes_on_as_if_nothing_had_happened(name, uneven):
    learner = new(name, uneven)
    learner.update(random_batch(uneven, learner), episode=50)
    copy = new(name, uneven, seed=99)
    copy.load_state_dict(learner.state_dict())
    for step in (51, 52):
        batches = [random_batch(uneven, each, seed=step) for each in (learner, copy)]
        assert learner.update(batches[0], step) == copy.update(batches[1], step)
    for execution in EXECUTIONS:
        state = uneven.reset(4, 0)
        assert torch.equal(learner.act(state, execution), copy.act(state, execution))


@pytest.mark.parametrize("name", LEARNER_NAMES)
def test_one_seed_repeats_and_another_differs(name, uneven):
    actions = []
    for seed in (3, 3, 4):
        learner = new(name, uneven, seed=seed)
        for step in range(3):
            learner.update(random_batch(uneven, learner, seed=step), step)
        actions.append(learner.act(uneven.reset(6, 0), "shared"))
    assert torch.equal(actions[0], actions[1])
    assert not torch.equal(actions[0], actions[2])


@pytest.mark.parametrize("name", LEARNER_NAMES)
def test_an_unknown_way_to_execute_is_refused(name):
    game = make_game("max_of_three_1.5")
    with pytest.raises(ValueError, match=r"execution must be one of .*got 'gready'"):
        new(name, game).act(game.reset(1, 0), "gready")


@pytest.mark.parametrize("name", LEARNER_NAMES)
def test_it_plays_a_game_with_states(name, two_step):
    learner = new(name, two_step)
    state = two_step.reset(8, 0)
    u = learner.act(state, "explore")
    step = two_step.step(u)
    note = learner.observe(state, u)
    metrics = learner.update(Batch(state, u, step.reward, step.state, step.terminated, note), 20)
    assert all(torch.isfinite(torch.tensor(value)) for value in metrics.values())


@pytest.mark.parametrize("name", LEARNER_NAMES)
def test_no_forecast_outside_what_the_game_can_pay_enters_a_target(name, two_step):
    """Where nothing more can be earned, a row that goes on teaches what one that ended does."""

    def loss(terminated):
        learner = new(name, two_step)
        batch = random_batch(two_step, learner)
        ended = torch.full((32,), terminated)
        batch = Batch(batch.state, batch.u, batch.reward, batch.next_state, ended, batch.note)
        return learner.update(batch, episode=0)["critic_loss"]

    unbounded = loss(terminated=False)
    two_step.return_bounds = (0.0, 0.0)
    assert loss(terminated=False) == pytest.approx(loss(terminated=True), rel=1e-5)
    assert unbounded != pytest.approx(loss(terminated=True), rel=1e-3)


@pytest.mark.parametrize("name", LEARNER_NAMES)
def test_with_layer_norm_a_critic_does_not_grow_with_its_input(name, two_step):
    def growth(layer_norm):
        learner = new(name, two_step, layer_norm=layer_norm)
        critic = getattr(learner, "critic", None) or learner.critics
        u = torch.zeros(1, 1, 2)
        near, far = (critic(torch.full((1, 1, 2), scale), u) for scale in (1e3, 1e6))
        return (far / near).abs().max().item()

    assert growth(layer_norm=True) < 1.01 < 100 < growth(layer_norm=False)
