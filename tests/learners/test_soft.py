import math

import pytest
import torch
from teams import at, new

from svnr.learners.pr2 import PR2Settings
from svnr.learners.rommeo import ROMMEOSettings
from svnr.learners.svnr import SVNRSettings


@pytest.mark.parametrize("settings", [SVNRSettings, PR2Settings])
def test_particles_that_cannot_be_halved_are_refused(settings):
    with pytest.raises(ValueError, match="n_particles must be even, got 5"):
        settings(n_particles=5)
    with pytest.raises(ValueError, match=r"n_particles must be .* in \[4, .*\], got 2"):
        settings(n_particles=2)


def test_the_temperature_is_that_of_the_schedule_by_name():
    # Linear from 6 α′ over four fifths of the run: at two fifths 3.5 α′.
    assert ROMMEOSettings(schedule="linear", alpha_final=2.0).alpha(at(40)) == pytest.approx(7.0)


def test_a_step_of_the_schedule_may_be_several_episodes():
    """500 exp(−0.1 · max(step − 10, 0)) above α′ = 1; of 25 episodes each, step 10 ends at 274."""
    slow = ROMMEOSettings(schedule="printed", alpha_final=1.0, schedule_unit=25)
    assert [slow.alpha(at(done, 5000)) for done in (0, 274)] == [501.0, 501.0]
    assert slow.alpha(at(2500, 5000)) == pytest.approx(1 + 500 * math.exp(-9))
    shared = ROMMEOSettings(schedule="linear", alpha_final=2.0, schedule_unit=25)
    assert shared.alpha(at(2000, 5000)) == pytest.approx(7.0)  # of shares of a run, the same


def test_the_best_of_what_each_agent_imagines_is_what_its_own_critic_rates_highest(two_step):
    learner, state = new("masql", two_step), torch.randn(3, 2)
    u = 2 * torch.rand(2, 3, 5, 2) - 1
    found = learner.best(state, u)
    for i in range(2):
        for b in range(3):
            q = learner.critic(state[b].expand(5, 2), u[i, b])[i]
            assert torch.equal(found[i, b], u[i, b, q.argmax()])
