"""Every learner learns: one hill, a game of two steps, and whose action earned what."""

import pytest
import torch
from teams import at, earned, new, rows, trained

from svnr.experiments.catalogue import LEARNERS, learner_class, settings_class
from svnr.games.differential import DifferentialGame, Hill

# Those whose critics see all actions.
JOINT = ["svnr", "svnr_b", "maddpg", "masql", "pr2", "rommeo", "hasac"]
SVNR = ["svnr", "svnr_f", "svnr_m"]  # which look ahead in `test_svnr`
HILL = Hill(height=1.0, center=(7.0, -6.0, 5.0), width=3.0, offset=10.0)
ONE_HILL = DifferentialGame("one_hill", (HILL,))


MIDDLE = {"hidden": (32, 32), "batch_size": 128, "n_rows": 128}
MAPPO = {"hidden": (32, 32), "learning_rate": 0.005}


def middle(name):
    """Sizes that learn in seconds."""
    known = settings_class(name).__dataclass_fields__
    return MAPPO if name == "mappo" else {key: v for key, v in MIDDLE.items() if key in known}


@pytest.mark.parametrize("name", [n for n in LEARNERS if not learner_class(n).needs_steps])
def test_it_climbs_a_single_hill(name):
    # Doing nothing earns 10 − (49 + 36 + 25) / 9 = −2.2, a uniform policy −13; 6.5 is most of the
    # way to 10. Learners without a view of their partners stop short while these explore.
    learner = new(name, ONE_HILL, small=False, **middle(name))
    assert earned(ONE_HILL, trained(learner, ONE_HILL, 1200), "greedy", 16) > 6.5


@pytest.mark.parametrize("name", [name for name in LEARNERS if name not in SVNR])
def test_it_looks_ahead_in_a_game_of_two_steps(name, two_step):
    # Greed for the first step earns 1; looking ahead with γ = 0.95 earns 1.95 − ½ · 0.95² = 1.50.
    overrides = {"alpha_final": 0.05, "schedule": "constant"} if is_soft(name) else {}
    learner = new(name, two_step, small=False, **middle(name), **overrides)
    assert earned(two_step, trained(learner, two_step, 500), "greedy", 16) > 1.35


def rows_within(name):
    return {"n_rows": 128} if name in ("maddpg", "facmac") else {}


def is_soft(name):
    return "alpha_final" in settings_class(name).__dataclass_fields__


def critic_error(name, shuffled):
    """The critic's last errors where r = u₁ u₂ + u₂ u₃: no action alone says anything."""
    learner = new(name, ONE_HILL, small=False, **middle(name))
    generator = torch.Generator().manual_seed(0)
    state, over = torch.zeros(128, 1), torch.ones(128, dtype=torch.bool)
    losses = []
    for step in range(400):
        u = 2 * torch.rand(128, 3, generator=generator) - 1
        reward = u[:, 0] * u[:, 1] + u[:, 1] * u[:, 2]
        if shuffled:  # the partners' actions come from another row than the reward
            u[:, 1] = u[:, 1].roll(1)
        batch = rows(state, u, reward, state, over, weight=torch.zeros(128))
        metrics = learner.update(batch, at(3000 + step, 5000))
        losses.append(metrics["critic_loss"])
    return sum(losses[-50:]) / 50


@pytest.mark.parametrize("name", JOINT)
def test_partners_actions_stay_aligned_with_their_own_reward(name):
    # ½ Var(u₁ u₂ + u₂ u₃) = ½ · 2/9 = 0.111 is what a critic pays that learns nothing.
    assert critic_error(name, shuffled=False) < 0.03
    assert critic_error(name, shuffled=True) > 0.09
