import math

import pytest
import torch
from teams import new, rows, taught

from svnr.games.differential import max_of_three
from svnr.learners.lenient import Temperatures, leniency
from svnr.networks.mlp import own_coordinates


def lenient(**settings):
    return new("lenient", max_of_three(2.0), **settings)


def test_leniency_by_hand():
    # 1 − e^{−2 · 1} = 0.8647; where nothing is warm nothing is forgiven.
    assert leniency(torch.tensor([1.0, 0.0]), 2.0).tolist() == pytest.approx([0.864665, 0.0])


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
    learner, game = lenient(leniency=1.0, cooling=0.5), max_of_three(2.0)
    for _ in range(2):
        taught(learner, game, n_steps=1)  # the same action twice
    first, second = learner.memory.state_dict()["note"]
    assert first.tolist() == pytest.approx([1 - math.exp(-1.0)] * 3)
    assert second.tolist() == pytest.approx([1 - math.exp(-0.5)] * 3)


def test_bad_results_are_forgiven_as_often_as_their_leniency_says_and_good_ones_count():
    learner = lenient()
    note = torch.tensor([0.0, 0.3, 1.0]).repeat(20_000, 1)
    error = torch.full((3, 20_000), -1.0)
    counted = learner.weights(error, note).mean(-1)
    assert counted.tolist() == pytest.approx([1.0, 0.7, 0.0], abs=0.02)
    assert bool((learner.weights(-error, note) == 1).all())


def test_hysteretic_learning_weighs_bad_results_by_its_rate():
    learner = new("hysteretic", max_of_three(2.0), rate=0.25)
    error = torch.tensor([[-1.0, 2.0, -0.1]] * 3)
    weights = learner.weights(error, torch.zeros(3, 0))
    assert weights.tolist() == [[0.25, 1.0, 0.25]] * 3


def test_states_on_other_sides_of_the_planes_have_temperatures_of_their_own():
    temperatures = Temperatures(2, torch.ones(1, 1) > 0, 1, 2, torch.Generator())
    temperatures.planes.copy_(torch.eye(2))
    states = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    temperatures.cool(states[:1], torch.zeros(1, 1), 0.5)
    assert temperatures.of(states, torch.zeros(4, 1)).flatten().tolist() == [0.5, 1.0, 1.0, 1.0]


def test_a_row_is_noted_by_the_state_that_it_was_played_in(two_step):
    # The second time the temperature is ½: leniency 1 − exp(−1 · ½).
    learner = new("lenient", two_step, leniency=1.0, cooling=0.5)
    learner.temperatures.planes.fill_(1.0)
    here = torch.ones(1, 2)
    row = rows(here, torch.zeros(1, 2), torch.zeros(1), -here, torch.zeros(1) > 0)
    learner.note(row)
    assert learner.note(row)[0].tolist() == pytest.approx([1 - math.exp(-0.5)] * 2)
