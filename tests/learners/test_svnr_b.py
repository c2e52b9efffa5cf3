import pytest
import torch
from teams import TwoStepGame, UnevenGame, earned, new, trained

from svnr.games.differential import max_of_three
from svnr.learners.learner import Progress
from svnr.learners.losses import stein_direction
from svnr.learners.memory import Transitions
from svnr.learners.svnr_b import SVNRBSettings
from svnr.stein.energy import energy_distance

GAME = max_of_three(2.0)


def learner(game=GAME, **settings):
    return new("svnr_b", game, **settings)


def pulled(team, state, alpha):
    """The samples that `move_samplers` moved, for autograd, and the gradient it gave Adam."""
    noises = []
    team.noise = lambda *shape, plain=team.noise: noises.append(plain(*shape)) or noises[-1]
    team.samplers.net.requires_grad_(True)
    before = {name: value.clone() for name, value in team.samplers.state_dict().items()}
    team.move_samplers(state, alpha)
    slope = 10 * team.samplers.mean.clone()  # Adam's first moment, from zero: 0.1 of it
    team.samplers.load_state_dict(before)
    states = state[: len(noises[-1]), None].expand(-1, noises[-1].shape[1], -1)
    return team.samplers.net(states, noises[-1]), slope


def slopes_of(loss, team):
    """What autograd gives the samplers' weights, in one piece."""
    slopes = torch.autograd.grad(loss, team.samplers.net.parameters())
    return torch.cat([slope.flatten() for slope in slopes])


def moved_by(team):
    """A list of the particles that a team moves from now on."""
    kept, plain = [], team.moved
    team.moved = lambda *given: kept.append(plain(*given)) or kept[-1]
    return kept


# --- the pull ------------------------------------------------------------------------------------


@pytest.mark.parametrize("coordinates", ["pre_tanh", "squashed"])
def test_samplers_go_down_the_energy_distance_to_the_stored_particles(coordinates):
    """φ is −M/2 of its gradient, (7.3) averages over M: −½ of what autograd gives the weights."""
    team = learner(coordinates=coordinates, floor=1e-6)
    y, slope = pulled(team, torch.zeros(4, 1), 2.0)
    z = team.stored.z
    assert y.shape == (1, 1, 16, 3)  # 4 groups of 4 moved particles, all in the one state
    if coordinates == "squashed":
        y, z = y.tanh(), z.tanh()
    expected = slopes_of(energy_distance(y, z).sum() / 2, team)
    torch.testing.assert_close(slope, expected, rtol=1e-3, atol=1e-6)


def test_a_pull_by_stein_is_7_2_averaged_over_the_particles():
    team = learner(pull="stein")
    y, slope = pulled(team, torch.zeros(4, 1), 2.0)
    gradient = lambda u: team.critic.action_gradient(torch.zeros(1, 1, 1), u)  # noqa: E731
    phi = stein_direction(team.stored.z, y.detach(), gradient, 2.0, team.mask, "pre_tanh")
    loss = -(phi * y).sum() / 16
    expected = slopes_of(loss, team)
    torch.testing.assert_close(slope, expected, rtol=1e-3, atol=1e-6)


# --- the particles -------------------------------------------------------------------------------


def boltzmann_share(game, alpha):
    """The exact share nearest the right hill."""
    axis = (torch.arange(80) + 0.5) / 40 - 1
    u = torch.cartesian_prod(axis, axis, axis)
    weight = torch.softmax(game.reward(u) / alpha, 0)
    return weight[game.nearest_peak(u) == 0].sum().item()


@pytest.mark.parametrize("alpha", [2.0, 10.0])
def test_stored_particles_come_to_hold_the_boltzmann_law_and_keep_it(alpha):
    """With the true payoff for a critic; the hills are 10 apart and α = 2 cannot cross."""
    team = learner(n_stored=300, n_births=300)
    team.value = lambda state, u: GAME.reward(u)
    share = []
    for step in range(400):
        team.move_samplers(torch.zeros(1, 1), alpha)
        if step >= 100:
            share.append((GAME.nearest_peak(team.stored.z.tanh()) == 0).float().mean())
    assert torch.stack(share).mean().item() == pytest.approx(
        boltzmann_share(GAME, alpha), abs=0.03
    )


def test_without_births_particles_stay_at_their_hill():
    team = learner(n_births=0)
    team.value = lambda state, u: GAME.reward(u)
    wrong = torch.atanh(torch.tensor(GAME.trap.u))
    team.stored.z.copy_(wrong.expand_as(team.stored.z))
    for _ in range(50):
        team.move_samplers(torch.zeros(1, 1), 0.3)
    assert (GAME.nearest_peak(team.stored.z.tanh()) == 1).all()


def test_each_particle_is_challenged_as_often_as_births_go_round():
    """20 births among 8 particles: two each."""
    team, asked = learner(n_births=20), []
    team.value = lambda state, u: asked.append(u.shape[2]) or torch.zeros(u.shape[:-1])
    z, value = team.born(torch.zeros(1, 1), team.stored.z, 1.0)
    assert asked == [8 + 16] and z.shape == (1, 1, 8, 3) and value.shape == (1, 1, 8)


def test_by_stein_particles_move_along_7_2_by_a_step_that_shrinks_with_alpha():
    team = learner(moves="stein")
    state, z = torch.zeros(1, 1), team.stored.z.clone()
    gradient = lambda u: team.critic.action_gradient(torch.zeros(1, 1, 1), u)  # noqa: E731
    for alpha, step in ((1.0, 0.02), (50.0, 0.1)):
        phi = stein_direction(z, z, gradient, alpha, team.mask, "pre_tanh")
        moved = team.moved(state, z, torch.zeros(1, 1, 8), alpha)
        torch.testing.assert_close(moved, z + step * phi)


def test_fresh_particles_are_of_their_own_state(two_step):
    """Q is highest where u is the state's own: with many births all particles are near it."""
    team = learner(two_step, n_births=2000)
    state = torch.tensor([[0.5, 0.0], [-0.5, 0.0], [0.0, 0.0]])
    team.value = lambda s, u: -(u - s[:, :1].unsqueeze(1)).square().sum(-1)
    assert team.stored is None
    z = team.samplers(*team.inputs(state.unsqueeze(1).expand(-1, 24, -1)))
    born, value = team.born(state, z, 1e-3)
    u = born.tanh()
    assert u.shape == (1, 3, 24, 2)
    assert (u - state[:, :1].unsqueeze(1)).abs().max() < 0.2
    torch.testing.assert_close(value, team.value(state, u), atol=1e-5, rtol=1e-4)


def test_values_are_the_critics_at_the_states_that_particles_are_of(two_step):
    team, generator = learner(two_step), torch.Generator().manual_seed(0)
    state, u = torch.randn(3, 2, generator=generator), torch.rand(1, 3, 5, 2, generator=generator)
    each = [
        [team.critic(s[None], one[None])[0, 0] for one in of]
        for s, of in zip(state, u[0], strict=True)
    ]
    torch.testing.assert_close(team.value(state, u), torch.tensor([each]))


def test_fresh_particles_pull_the_samples_of_their_own_state(two_step):
    team = learner(two_step, n_births=0, pull="energy", floor=1e-6)
    state = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    kept = moved_by(team)
    y, slope = pulled(team, state, 2.0)
    assert y.shape == kept[0].shape == (1, 4, 4, 2)
    loss = energy_distance(y, kept[0]).sum() / 8  # the mean over 4 states, halved
    expected = slopes_of(loss, team)
    torch.testing.assert_close(slope, expected, rtol=1e-3, atol=1e-6)


def test_with_fresh_particles_samplers_follow_7_2_averaged_over_them(two_step):
    team = learner(two_step)
    state = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    kept = moved_by(team)
    y, slope = pulled(team, state, 2.0)
    gradient = lambda u: team.critic.action_gradient(state.unsqueeze(1), u)  # noqa: E731
    phi = stein_direction(kept[0], y.detach(), gradient, 2.0, team.mask, "pre_tanh")
    loss = -(phi * y).sum() / 16  # the mean over 4 states and 4 samples
    expected = slopes_of(loss, team)
    torch.testing.assert_close(slope, expected, rtol=1e-3, atol=1e-6)


def test_particles_are_stored_where_there_is_one_state_and_part_of_a_checkpoint(two_step, uneven):
    assert SVNRBSettings().fitted_to(uneven).chain == "stored"
    assert SVNRBSettings().fitted_to(two_step).chain == "fresh"
    assert SVNRBSettings(chain="fresh").fitted_to(uneven).chain == "fresh"
    assert SVNRBSettings(chain="fresh").fitted_to(uneven).pull == "stein"
    assert [SVNRBSettings().fitted_to(g).pull for g in (uneven, two_step)] == ["energy", "stein"]
    assert SVNRBSettings(pull="energy").fitted_to(two_step).pull == "energy"
    several = UnevenGame(horizon=2), type("OneStep", (TwoStepGame,), {"horizon": 1})()
    assert [SVNRBSettings().fitted_to(game).chain for game in several] == ["fresh", "fresh"]
    with pytest.raises(ValueError, match="chain must be 'fresh' in two_step, of many states"):
        SVNRBSettings(chain="stored").fitted_to(two_step)
    one, other = learner(uneven), learner(uneven, seed=5)
    one.move_samplers(torch.ones(1, 1), 1.0)
    other.load_state_dict(one.state_dict())
    assert torch.equal(one.stored.z, other.stored.z)
    assert not any(name.startswith("stored") for name in learner(two_step).state_dict())


def test_a_run_with_stored_particles_begins_with_uniform_actions():
    """30 of 100 episodes, whatever the samplers would do, which tests are played by."""
    team, state, uniform = (
        learner(random_share=0.3),
        torch.zeros(4000, 1),
        pytest.approx([1 / 3] * 3, abs=0.03),
    )
    one, yes = torch.zeros(1), torch.ones(1) > 0
    rows = Transitions(one[None], torch.zeros(1, 3), one, one[None], yes, yes)
    for done, early in ((0, True), (29, True), (30, False), (99, False)):
        team.observe(rows, Progress(done, 100))
        assert (team.act(state, "explore").var(0).tolist() == uniform) == early
        assert team.act(state, "shared").var(0).tolist() != uniform
    other = learner(seed=5)
    other.load_state_dict(team.state_dict())
    assert float(other.stored.share) == 0.99


def test_particles_begin_uniform_in_the_box():
    u = learner(n_stored=4000).stored.z.tanh()
    assert u.var((0, 1, 2)).tolist() == pytest.approx([1 / 3] * 3, abs=0.02)


# --- learning ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_reaches_a_hill_that_svnr_does_not():
    """Max of Three, s₂ = 1.0: 1.6 % of the box is above the wrong peak; 10 − 3 α / 2 = 9.55."""
    game = max_of_three(1.0)
    team = trained(new("svnr_b", game, small=False, hidden=(64, 64), batch_size=256), game, 4000)
    assert earned(game, team, "shared", 1000) >= 9.4
