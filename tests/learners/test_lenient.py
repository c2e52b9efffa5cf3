import math

import pytest
import torch

from svnr.games.differential import max_of_three
from svnr.learners.lenient import (
    Hysteretic,
    HystereticSettings,
    Lenient,
    LenientSettings,
    Temperatures,
    forgiving_error,
    forgiving_slope,
    leniency,
)
from svnr.learners.networks import own_coordinates
from svnr.learners.replay import Batch


def lenient(game=None, **settings):
    return Lenient(game or max_of_three(2.0), LenientSettings(**settings), 100, seed=0)


def batch_of(note):
    n = len(note)
    zeros = torch.zeros(n, 1)
    return Batch(
        zeros, torch.zeros(n, 3), zeros[:, 0], zeros, torch.ones(n, dtype=torch.bool), note
    )


def test_leniency_by_hand():
    # 1 − e^{−2 · 1} = 0.8647; where nothing is warm nothing is forgiven.
    assert leniency(torch.tensor([1.0, 0.0]), 2.0).tolist() == pytest.approx([0.864665, 0.0])


def test_forgiving_error_by_hand():
    # Agent 1: ½·mean(1·4, 0·9) = 1; agent 2: ½·mean(0.5·4, 1·1) = 0.75.
    error = torch.tensor([[2.0, -3.0], [-2.0, 1.0]])
    weight = torch.tensor([[1.0, 0.0], [0.5, 1.0]])
    assert forgiving_error(error, weight).item() == pytest.approx(1.75)
    # Its slope in the values is −w δ / 2.
    slopes = [[-1.0, 0.0], [0.5, -0.5]]
    assert forgiving_slope(error, weight).tolist() == slopes


def test_the_slope_of_the_forgiving_error_is_autograds():
    generator = torch.Generator().manual_seed(0)
    target, value, weight = torch.rand(3, 2, 5, generator=generator)
    value.requires_grad_(True)
    (expected,) = torch.autograd.grad(forgiving_error(target - value, weight), value)
    torch.testing.assert_close(forgiving_slope(target - value, weight), expected)


def test_an_action_cools_each_time_it_is_played_and_its_neighbours_do_not():
    temperatures = Temperatures(1, own_coordinates((1, 1)), 4, 1, torch.Generator())
    state = torch.zeros(1, 1)
    u, elsewhere = torch.tensor([[0.6, -0.9]]), torch.tensor([[0.6, 0.1]])  # bins 3, 0; 3, 2
    temperatures.cool(state.expand(2, 1), u.expand(2, 2), 0.5)  # played in two copies: twice
    assert temperatures.of(state, u).tolist() == [[0.25, 0.25]]
    assert temperatures.of(state, elsewhere).tolist() == [[0.25, 1.0]]


def test_an_agent_of_several_coordinates_has_their_mean_temperature():
    temperatures = Temperatures(1, own_coordinates((2,)), 2, 1, torch.Generator())
    state = torch.zeros(1, 1)
    temperatures.cool(state, torch.tensor([[0.5, 0.5]]), 0.5)
    assert temperatures.of(state, torch.tensor([[0.5, -0.5]])).tolist() == [[0.75]]


def test_the_leniency_of_the_moment_is_stored_with_the_transition():
    learner = lenient(leniency=1.0, cooling=0.5)
    state, u = torch.zeros(1, 1), torch.zeros(1, 3)
    first, second = learner.observe(state, u), learner.observe(state, u)
    assert first[0].tolist() == pytest.approx([1 - math.exp(-1.0)] * 3)
    assert second[0].tolist() == pytest.approx([1 - math.exp(-0.5)] * 3)


def test_bad_results_are_forgiven_as_often_as_their_leniency_says_and_good_ones_count():
    learner = lenient()
    note = torch.tensor([0.0, 0.3, 1.0]).repeat(20_000, 1)
    error = torch.full((3, 20_000), -1.0)
    counted = learner.weights(error, batch_of(note)).mean(-1)
    assert counted.tolist() == pytest.approx([1.0, 0.7, 0.0], abs=0.02)
    assert bool((learner.weights(-error, batch_of(note)) == 1).all())


def test_hysteretic_learning_weighs_bad_results_by_its_rate():
    learner = Hysteretic(max_of_three(2.0), HystereticSettings(rate=0.25), 100, seed=0)
    error = torch.tensor([[-1.0, 2.0, -0.1]] * 3)
    weights = learner.weights(error, batch_of(torch.zeros(3, 0)))
    assert weights.tolist() == [[0.25, 1.0, 0.25]] * 3


def test_a_critic_knows_its_own_action_only(uneven):
    learner = Hysteretic(uneven, HystereticSettings(), 100, seed=0)
    u = torch.rand(1, 4, 6, requires_grad=True)
    q = learner.critics(uneven.reset(4, 0), u)
    for i, own in enumerate(([0], [1, 2, 3], [4, 5])):
        (slope,) = torch.autograd.grad(q[i].sum(), u, retain_graph=True)
        seen = slope[0].abs().sum(0) > 0
        assert seen.nonzero().flatten().tolist() == own


@pytest.mark.parametrize(
    ("name", "value"), [("cooling", 1.0), ("leniency", 0.0), ("noise_scale", -1.0), ("n_bins", 0)]
)
def test_impossible_settings_are_refused(name, value):
    with pytest.raises(ValueError, match=name):
        LenientSettings(**{name: value})


def test_a_hysteretic_rate_above_one_is_refused():
    with pytest.raises(ValueError, match=r"rate must lie between 0 and 1, got 1\.5"):
        HystereticSettings(rate=1.5)
