import math

import numpy as np
import pytest
import torch

from svnr.experiments.evaluate import (
    ero_gaps,
    has_gaps,
    over_generalization,
    perceived,
    play,
    pro_gaps,
    returns,
)
from svnr.games.differential import max_of, max_of_three, two_modalities
from svnr.games.game import OneShotGame


class Still:
    """Acts 0 always; perceives where it is asked how often."""

    n_agents = 1

    def act(self, state, execution):
        return torch.zeros(len(state), 1)

    def perceive(self, state, n_samples):
        return torch.zeros(1, len(state), n_samples, 1)


def test_nothing_is_earned_after_an_episode_has_ended(clock):
    # Copies 0 to 3 end after 1 to 4 steps; copy 4 is cut off at the horizon of 5.
    game = clock(ends=(1, 2, 3, 4, 9))
    assert returns(game, Still(), "greedy", 5, 0).tolist() == [1, 2, 3, 4, 5]
    played = play(game, lambda state: torch.zeros(len(state), 1), 5, 0)
    assert played.length.tolist() == [1, 2, 3, 4, 5]
    assert played.state[-1, :, 0].tolist() == [1, 2, 3, 4, 5]  # where it ended, each stays


@pytest.mark.parametrize("way", ["shared", "independent", "greedy"])
def test_a_team_is_tested_in_the_way_that_was_asked_for(clock, way):
    asked = []
    learner = Still()
    learner.act = lambda state, execution: asked.append(execution) or torch.zeros(len(state), 1)
    returns(clock(), learner, way, 3, 0)
    assert set(asked) == {way}


def test_perceived_samples_are_of_the_first_state(clock):
    samples = perceived(clock(), Still(), 7, 0)
    assert samples.shape == (1, 7, 1) and not np.any(samples)


# --- over-generalization from samples ------------------------------------------------------------


def two_corners(u):
    """Pays 1 where both agents have one sign, else 0."""
    return (u[..., 0] * u[..., 1] > 0).double()


def test_the_pro_gap_of_samples_by_hand():
    # Two cells an agent: r = 1 on the diagonal, so π*(u_j) = (½, ½), whatever α is. Agent 1's
    # model (¾, ¼) has KL ¾ log 3/2 + ¼ log 1/2 = 0.1308 to it, agent 2's (1, 0) log 2 = 0.6931.
    first = [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.5, -0.5]]
    second = [[0.5, 0.5]] * 4
    gaps = pro_gaps(np.array([first, second]), two_corners, alpha=0.3, n_bins=2)
    assert gaps == pytest.approx([0.75 * np.log(1.5) + 0.25 * np.log(0.5), np.log(2)])


def exact_samples(game, alpha, n, n_points=81):
    axis = torch.linspace(-1, 1, n_points)
    cells = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    weights = torch.softmax(game.reward(cells) / alpha, 0)
    generator = torch.Generator().manual_seed(0)
    return cells[torch.multinomial(weights, n, replacement=True, generator=generator)].numpy()


def test_samples_of_the_optimal_policy_have_almost_no_pro_and_one_mode_of_it_has():
    game = two_modalities()
    u = exact_samples(game, 1.0, 4000)
    assert pro_gaps(np.stack([u] * 3), game.reward, 1.0).max() < 0.05
    wide = u[(game.nearest_peak(torch.as_tensor(u)) == 0).numpy()]
    # A model that leaves out a mode of mass 0.18 has a gap of −log(1 − 0.18) = 0.19.
    gaps = pro_gaps(np.stack([wide] * 3), game.reward, 1.0)
    assert gaps == pytest.approx([0.19] * 3, abs=0.06)


def test_the_ero_gap_of_samples_by_hand():
    # Perceived together: always one sign. Executed apart: half of the time two signs, and then
    # either agent would gain 1 by seeing the other: ½.
    signs = np.random.default_rng(0).choice([-0.5, 0.5], 20_000)
    u = np.stack([signs, signs], -1)
    assert ero_gaps(np.stack([u, u]), two_corners) == pytest.approx([0.5, 0.5], abs=0.02)
    agreed = np.full((2, 5, 2), 0.5)
    assert ero_gaps(agreed, two_corners).tolist() == [0.0, 0.0]


def test_at_the_trap_nobody_would_gain_by_seeing_the_others():
    game = max_of_three(1.5)
    trap = np.tile(game.trap.u, (3, 10, 1))
    assert ero_gaps(trap, game.reward) == pytest.approx([0, 0, 0], abs=0.02)


def test_samples_of_the_wrong_shape_or_outside_the_box_are_refused():
    with pytest.raises(ValueError, match=r"samples must be \[N, n, N\]"):
        pro_gaps(np.zeros((2, 5, 3)), two_corners, 1.0)
    with pytest.raises(ValueError, match="must lie in"):
        ero_gaps(np.full((2, 5, 2), 1.5), two_corners)


def test_the_pro_gap_is_held_against_the_policy_of_its_temperature():
    # 1 where both are positive; exp(1/α) = 3: weights 1, 1, 1, 3, so π*(u_j > 0) = 4/6, and
    # partners that are always positive are log(6/4) nats away.
    def both(u):
        return (u > 0).all(-1).double()

    samples = np.full((2, 1, 2), 0.5)
    gaps = pro_gaps(samples, both, alpha=1 / math.log(3), n_bins=2)
    assert gaps == pytest.approx([math.log(1.5)] * 2)


def test_over_generalization_is_measured_where_each_agent_has_one_number():
    class Wide(OneShotGame):
        name, action_sizes = "wide", (2, 1)

        def reward(self, u):
            return u.sum(-1)

    with pytest.raises(
        ValueError, match="game must be of one step, of five agents at most and of one"
    ):
        over_generalization(Wide(), None, 10, 0)
    assert has_gaps(max_of(5)) and not has_gaps(max_of(6))  # 15⁶ cells an agent, and more


def test_each_agent_executes_what_it_perceives_of_itself():
    # 1 for equal signs. Agent 1 believes all at ½, agent 2 all at −½: (½, −½) earns 0 of 1.
    beliefs = np.stack([np.full((10, 2), 0.5), np.full((10, 2), -0.5)])
    assert ero_gaps(beliefs, lambda u: (u.prod(-1) > 0).double()).tolist() == [1.0, 1.0]
