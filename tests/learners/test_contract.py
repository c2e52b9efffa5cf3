"""One contract for every learner."""

import math
import pickle
import re
from copy import deepcopy

import pytest
import torch
from teams import at, new, taught
from torch.distributions import Normal, TanhTransform, TransformedDistribution

from svnr.experiments.catalogue import LEARNERS, learner_class, settings_class
from svnr.learners.learner import EXECUTIONS, Learner, Progress, undisturbed
from svnr.learners.off_policy import OffPolicy
from svnr.learners.schedules import FADES_TO

every_learner = pytest.mark.parametrize("name", LEARNERS)
OFF_POLICY = [name for name in LEARNERS if issubclass(learner_class(name), OffPolicy)]
off_policy_learner = pytest.mark.parametrize("name", OFF_POLICY)  # replay, targets, random steps
METHODS = [name for name in LEARNERS if name not in ("svnr_f", "svnr_m")]
ACTORS = ["maddpg", "facmac", "pr2", "lenient", "hysteretic", "mmq"]
DETERMINISTIC = [*ACTORS, "qmix"]
SOFT = ["svnr", "masql", "pr2", "rommeo", "hasac"]


def weights(learner, *words):
    """What can learn, by name, where the name holds one of the words."""
    kinds = (".weights.", ".biases.", ".log_std")
    found = {k: v for k, v in learner.state_dict().items() if any(kind in k for kind in kinds)}
    return {k: v for k, v in found.items() if not words or any(word in k for word in words)}


def disturb(learner, *words):
    """Add noise to some of the weights in place."""
    state = learner.state_dict()
    for name, value in weights(learner, *words).items():
        state[name] = value + 0.1 * torch.randn(value.shape, generator=torch.Generator())
    learner.load_state_dict(state)


# --- acting --------------------------------------------------------------------------------------


@pytest.mark.parametrize("execution", EXECUTIONS)
@every_learner
def test_actions_lie_in_the_box_for_any_action_sizes(name, execution, uneven):
    u = new(name, uneven).act(uneven.reset(7, 0), execution)
    assert u.shape == (7, 6)
    assert bool((u.abs() <= 1).all())


ALIKE = {  # ways to execute that are one, for what a seed draws: exploring is acting as published
    "svnr": [{"explore", "shared"}, {"independent"}, {"greedy"}],
    "masql": [{"explore", "independent"}, {"shared"}, {"greedy"}],
    "rommeo": [{"explore", "independent"}, {"shared"}, {"greedy"}],
    "hasac": [{"explore", "independent"}, {"shared"}, {"greedy"}],
    "mappo": [{"explore", "independent"}, {"shared"}, {"greedy"}],
    "svnr_b": [{"explore"}, {"shared"}, {"independent"}, {"greedy"}],  # at first at random
    **{name: [{"explore"}, {"shared", "independent", "greedy"}] for name in DETERMINISTIC},
}


@every_learner
def test_each_way_to_execute_is_another_or_known_to_be_the_same(name, uneven):
    learner, state = new(name, uneven), uneven.reset(5, 0)
    actions = {}
    for execution in EXECUTIONS:
        with undisturbed(learner):
            actions[execution] = learner.act(state, execution)
    for group in ALIKE.get(name, ALIKE["svnr"]):
        for execution in EXECUTIONS:
            same = torch.equal(actions[execution], actions[min(group)])
            assert same == (execution in group)


@every_learner
def test_an_agents_own_noise_is_nobody_elses(name, uneven):
    """Where execution is independent, another noise of agent 0 changes the action of agent 0."""
    learner, state = new(name, uneven), uneven.reset(5, 0)
    if not hasattr(learner, "_own_generators"):
        pytest.skip("acts without noise")
    with undisturbed(learner):
        before = learner.act(state, "independent")
    with undisturbed(learner):
        learner._own_generators[0].manual_seed(99)
        after = learner.act(state, "independent")
    assert (before != after).any(0).tolist() == [True] + 5 * [False]


@off_policy_learner
def test_it_acts_at_random_for_as_long_as_it_is_told(name, two_step):
    learner = new(name, two_step, random_steps=4)
    state = two_step.reset(2000, 0)
    spread = learner.act(state, "explore").var(0)
    assert spread.tolist() == pytest.approx([1 / 3, 1 / 3], abs=0.03)  # of U(−1, 1)
    taught(learner, two_step, n_steps=4)
    with undisturbed(learner):
        chosen = learner.choose(state, "explore")
    assert torch.equal(learner.act(state, "explore"), chosen)


@every_learner
def test_acting_moves_no_weight(name, uneven):
    learner = new(name, uneven)
    before = weights(learner)
    for execution in EXECUTIONS:
        learner.act(uneven.reset(3, 0), execution)
    after = weights(learner)
    assert before and all(torch.equal(before[key], after[key]) for key in before)


@every_learner
def test_every_agent_perceives_a_joint_policy(name, uneven):
    samples = new(name, uneven).perceive(uneven.reset(2, 0), 5)
    assert samples.shape == (3, 2, 5, 6) and not samples.requires_grad


@every_learner
def test_what_cannot_be_acted_on_is_refused(name, two_step):
    learner = new(name, two_step)
    with pytest.raises(ValueError, match=r"execution must be one of .*got 'gready'"):
        learner.act(two_step.reset(1, 0), "gready")
    with pytest.raises(ValueError, match="state must be finite, got nan"):
        learner.act(torch.full((1, 2), math.nan), "shared")
    for shape in ((2,), (1, 3), (1, 1, 2)):
        with pytest.raises(ValueError, match=re.escape(f"shape [B, 2], got shape {[*shape]}")):
            learner.act(torch.zeros(shape), "shared")
    with pytest.raises(ValueError, match=r"state must be a tensor of shape .*, got list"):
        learner.act([[0.0, 0.0]], "shared")


# --- settings ------------------------------------------------------------------------------------

OTHER = {
    "factors": ((1,), (0,)), "factor_hidden": (8,),
    "learning_rate": 0.01, "hidden": (9,), "layer_norm": True, "target_rate": 0.5,
    "discount": 0.5, "n_steps": 2, "batch_size": 17, "capacity": 5, "random_steps": 99,
    "warmup": 3, "update_every": 2, "episode_updates": 1, "rewarded_share": 1.0,
    "schedule": "linear", "alpha_final": 1.0, "n_groups": 5, "n_particles": 6,
    "n_value_particles": 4, "noise_size": 3, "soft_value": "importance",
    "coordinates": "squashed", "n_greedy": 9, "sets": "full", "kernel_on": "joint",
    "noise_scale": 0.1, "exploration_fraction": 0.9, "n_rows": 5, "max_gradient_norm": 1e-3,
    "leniency": 0.01, "cooling": 0.5, "n_bins": 2, "n_state_bits": 1, "rate": 0.1,
    "n_samples": 4, "n_prior": 5, "n_recent": 2, "mixing": "free", "embedding": 9,
    "n_candidates": 9, "n_elites": 2, "n_rounds": 1, "temperature": "learned",
    "quantile": 0.25, "critic_steps": 2, "input_norm": False, "gae_lambda": 0.5,
    "rollout_steps": 3, "epochs": 1, "n_minibatches": 1, "clip": 1e-3, "entropy_weight": 0.5,
    "huber_delta": 1e-3, "std": 0.3, "chain": "fresh", "n_stored": 5, "n_births": 0,
    "moves": "stein", "pull": "energy", "floor": 1.0, "use_symmetries": True,
    "rewarded_steps": 1, "random_share": 0.9, "hold": 2, "n_acting": 20, "start_anywhere": True,
    "schedule_unit": 7,
}  # fmt: skip


def fingerprint(learner, game):
    """All that later behaviour depends on but the memory, after updates; and actions."""
    taught(learner, game)
    state = {k: v for k, v in learner.state_dict().items() if not k.startswith("memory.")}
    acted = {how: learner.act(game.reset(3, 0), how) for how in ("explore", "greedy")}
    return {**state, **acted}


def same(one, other):
    return all(torch.equal(value, other[key]) for key, value in one.items())


def test_limits_name_settings_that_there_are():
    kinds = [settings_class(name) for name in METHODS]
    known = {field for kind in kinds for field in kind.__dataclass_fields__}
    for kind in kinds:
        assert all(
            low in known and high in kind.__dataclass_fields__ for low, high in kind.at_most
        )
        assert "at_most" not in kind.__dataclass_fields__


@pytest.mark.parametrize("name", METHODS)
def test_every_setting_acts(name, two_step, uneven):
    """A few updates with one setting changed end elsewhere, or in another action."""
    fields = settings_class(name).__dataclass_fields__
    as_set = {game: fingerprint(new(name, game), game) for game in (two_step, uneven)}
    assert same(as_set[two_step], fingerprint(new(name, two_step), two_step))
    for field in fields:
        of_one_state = field in ("chain", "n_stored", "random_share")
        game = uneven if of_one_state else two_step
        beside = {"pull": "energy"} if field == "floor" else {}
        beside |= {"rewarded_share": 1.0, "n_steps": 2} if field == "rewarded_steps" else {}
        beside |= {"factors": OTHER["factors"]} if field == "factor_hidden" else {}
        before = fingerprint(new(name, game, **beside), game) if beside else as_set[game]
        found = fingerprint(new(name, game, **beside, **{field: OTHER[field]}), game)
        assert not (found.keys() == before.keys() and same(before, found)), field


def one_update(name):
    """Settings with which every network is moved once, and in how many steps."""
    if name in OFF_POLICY:
        return {"update_every": 99}, 1
    return {"rollout_steps": 2, "epochs": 1, "n_minibatches": 1}, 2


@every_learner
def test_the_first_step_of_adam_is_as_long_as_the_learning_rate_in_every_network(name, two_step):
    # Adam's first step is lr · g / (|g| + ε): as long as lr wherever there is a gradient.
    once, n_steps = one_update(name)
    learner = new(name, two_step, learning_rate=1e-3, **once)
    before = weights(learner)
    taught(learner, two_step, n_steps=n_steps)
    longest = {}
    for key, value in weights(learner, ".net.").items():
        part, length = key.split(".")[0], (value - before[key]).abs().max().item()
        longest[part] = max(length, longest.get(part, 0.0))
    assert all(length == pytest.approx(1e-3, rel=0.01) for length in longest.values()), longest


IMPOSSIBLE = {
    "discount": 2, "target_rate": -1, "hidden": (), "learning_rate": 0.0, "n_steps": 0,
    "exploration_fraction": 5, "leniency": float("1e400"), "cooling": 1.0, "rate": 1.5,
    "n_particles": 5, "n_groups": 17, "n_rows": 17, "alpha_final": -1.0, "n_greedy": 0,
    "noise_scale": -1.0, "n_bins": 0, "schedule": "prited", "kernel_on": "agent",
    "soft_value": "exact", "coordinates": "polar", "batch_size": 1.5, "layer_norm": "no",
    "noise_size": 0, "max_gradient_norm": 0.0, "n_state_bits": 0, "sets": "nested",
    "mixing": "vdn", "embedding": 0, "n_candidates": -1, "n_elites": 1, "n_rounds": 0,
    "temperature": "warm", "quantile": 0.6, "critic_steps": 0,
    "input_norm": 1, "gae_lambda": 1.5, "rollout_steps": 0, "epochs": 0, "n_minibatches": 5,
    "clip": 0.0, "entropy_weight": -1.0, "huber_delta": 0.0, "std": 0.0,
    "chain": "stored", "n_stored": 0, "n_births": -1, "moves": "langevin", "pull": "mmd",
    "floor": 0.0, "rewarded_steps": -1, "random_share": 1.5, "hold": 0,
}  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_impossible_settings_are_refused_by_name(name, two_step):
    for field in IMPOSSIBLE.keys() & settings_class(name).__dataclass_fields__.keys():
        with pytest.raises(ValueError, match=field):
            new(name, two_step, **{field: IMPOSSIBLE[field]})
    with pytest.raises(ValueError, match=r"hidden\[0\]"):
        new(name, two_step, hidden=(0,))


NOISE = {"svnr": 3, "masql": 6, "pr2": 5}  # of 1, 3 and 2: the most an agent has; all; all but 1


@pytest.mark.parametrize("name", NOISE)
def test_noise_is_by_default_as_wide_as_the_actions_it_drives(name, uneven):
    learner = new(name, uneven)
    assert learner.settings.noise_size == NOISE[name]
    assert learner.settings == learner.settings.fitted_to(uneven)
    told = new(name, uneven, noise_size=NOISE[name])
    assert told.settings == learner.settings
    one, other = fingerprint(learner, uneven), fingerprint(told, uneven)
    assert same(one, other)


# --- targets -------------------------------------------------------------------------------------


def target_of(learner):
    """The target that the critics are next moved towards, of a memory that holds both steps."""
    if not isinstance(learner, OffPolicy):
        return learner.value_norm.denormalize(learner.lesson(learner.memory.rows()).target)
    found = []
    learn = learner.critic.learn

    def spy(state, u, target, *rest):
        found.append(target.clone())
        return learn(state, u, target, *rest)

    learner.critic.learn = spy
    with undisturbed(learner):
        learner.update(learner.draw(), at(50))
    learner.critic.learn = learn
    return found[0]


@off_policy_learner
def test_targets_come_from_the_target_networks(name, two_step):
    """Disturbed live networks leave the target where it was; disturbed followers move it."""

    def target(*disturbed):
        learner = new(name, two_step)
        taught(learner, two_step)
        if disturbed:
            disturb(learner, *disturbed)
        return target_of(learner)

    assert torch.equal(target(), target("critic.values.net", "actors.actors.net"))
    assert not torch.equal(target(), target("critic.values.target"))
    if name in ACTORS:
        assert not torch.equal(target(), target("actors.actors.target"))


@off_policy_learner
def test_target_networks_begin_as_copies_and_follow_slowly(name, two_step):
    learner = new(name, two_step, target_rate=0.25, update_every=99)
    slow = weights(learner, ".target.")
    live = weights(learner, *(key.replace(".target.", ".net.") for key in slow))
    assert all(torch.equal(v, live[k.replace(".target.", ".net.")]) for k, v in slow.items())
    taught(learner, two_step, n_steps=1)
    after = weights(learner)
    for key, before in slow.items():
        expected = before + 0.25 * (after[key.replace(".target.", ".net.")] - before)
        torch.testing.assert_close(after[key], expected)


@every_learner
def test_no_forecast_outside_what_the_game_can_pay_enters_a_target(name, two_step):
    """Where nothing more can be earned, every row teaches its reward alone.

    MMQ hopes for 0 at the least, as every other next state would promise there.
    """
    one_step_ahead = {} if name in OFF_POLICY else {"gae_lambda": 0.0, "rollout_steps": 99}
    free = new(name, two_step, **one_step_ahead)
    two_step.return_bounds = (0.0, 0.0)
    bounded = new(name, two_step, **one_step_ahead)
    for learner, is_free in ((free, True), (bounded, False)):
        taught(learner, two_step)
        with undisturbed(learner):
            held = learner.draw() if name in OFF_POLICY else learner.memory.rows()
        target, reward = target_of(learner), held.reward.flatten()
        known = (reward.clamp(min=0) if name == "mmq" else reward)[: target.shape[-1]]
        gap = (target - known).abs().max().item()
        assert (gap > 1e-3) == is_free


def draws(generator, *size):
    return torch.randn(size, generator=generator)


def test_the_soft_value_of_svnr_by_hand(two_step):
    """V = α log mean exp(Q′(s, f(s, ξ)) / α), particle by particle."""
    learner, state, alpha = new("svnr", two_step), torch.randn(4, 2), 0.7
    disturb(learner, "critic.values.net")
    with undisturbed(learner):
        found = learner.soft_value(state, alpha)
    xi = draws(learner._generator, 4, 3, 2, 1)
    for b in range(4):
        q = []
        for m in range(3):
            z = learner.samplers(state[b : b + 1], xi[b, m : m + 1])[0]
            q.append(value_by(learner.critic.values.target, 0, state[b], torch.tanh(z[0])))
        expected = alpha * math.log(sum(math.exp(each / alpha) for each in q) / 3)
        assert found[0, b].item() == pytest.approx(expected, abs=1e-5)


def value_by(net, i, state, u):
    """The value of critic i, layer by layer."""
    x = torch.cat([state, u])
    for weight, bias in zip(net.weights[:-1], net.biases[:-1], strict=True):
        x = torch.relu(x @ weight[i] + bias[i, 0])
    return (x @ net.weights[-1][i] + net.biases[-1][i, 0]).item()


def test_the_soft_value_of_masql_by_hand(two_step):
    """V_i = α log mean exp(Q′_i(s, f_i(s, ξ_i)) / α): each agent by itself."""
    learner, state, alpha = new("masql", two_step), torch.randn(4, 2), 0.7
    disturb(learner, "critic.values.net")
    with undisturbed(learner):
        found = learner.soft_value(state, alpha)
    xi = draws(learner._generator, 2, 4, 3, 2)
    for i in range(2):
        for b in range(4):
            x = torch.cat([state[b].expand(3, 2), xi[i, b]], -1)
            u = torch.tanh(learner.samplers(x.expand(2, 3, 4))[i])
            q = [value_by(learner.critic.values.target, i, state[b], each) for each in u]
            expected = alpha * math.log(sum(math.exp(each / alpha) for each in q) / 3)
            assert found[i, b].item() == pytest.approx(expected, abs=1e-5)


def test_the_soft_value_of_pr2_by_hand(two_step):
    """V_i = α log E exp(Q′_i(s, μ′_i(s), u_−i) / α) over answers u_−i ∼ ρ_i(· | s, μ′_i(s))."""
    learner, state, alpha = new("pr2", two_step), torch.randn(4, 2), 0.7
    disturb(learner, "critic.values.net", "actors.actors.net")
    with undisturbed(learner):
        found = learner.soft_value(state, alpha)
    xi = draws(learner._generator, 2, 4, 3, 1)
    mu = torch.tanh(learner.actors.actors.target(state.expand(2, 4, 2)))
    for i in range(2):
        for b in range(4):
            own = torch.zeros(2)
            own[i] = mu[i, b, i]
            x = torch.cat([state[b].expand(3, 2), own.expand(3, 2), xi[i, b]], -1)
            u = torch.tanh(learner.opponent_models(x.expand(2, 3, 5))[i])
            u[:, i] = own[i]
            q = [value_by(learner.critic.values.target, i, state[b], each) for each in u]
            expected = alpha * math.log(sum(math.exp(each / alpha) for each in q) / 3)
            assert found[i, b].item() == pytest.approx(expected, abs=1e-5)


def test_the_soft_value_of_rommeo_by_hand(two_step):
    """V_i = Q′_i − α log π_i(u_i | s, û_−i) − log ρ_i(û_−i | s) + log P_i(û_−i | s), by torch."""
    learner, state, alpha = new("rommeo", two_step), torch.randn(4, 2), 0.7
    disturb(learner, "critic.values.net")
    with undisturbed(learner):
        found = learner.soft_value(state, alpha)
    models, policies = learner.reasoning.net

    def law(out, coordinate):
        mean, log_std = out[coordinate].double(), out[2 + coordinate].double()
        return TransformedDistribution(Normal(mean, log_std.exp()), TanhTransform())

    for i, own in enumerate(learner._own_generators):
        noise, j = draws(own, 2, 4, 2), 1 - i
        for b in range(4):
            out = models(state.expand(2, 4, 2))[i, b]
            u = torch.zeros(2)
            u[j] = torch.tanh(out[j] + out[2 + j].exp() * noise[0, b, j])
            log_rho = law(out, j).log_prob(u[j].double())
            log_prior = law(learner.priors(state.expand(2, 4, 2))[i, b], j).log_prob(u[j].double())
            out = policies(torch.cat([state[b], u]).expand(2, 1, 4))[i, 0]
            u[i] = torch.tanh(out[i] + out[2 + i].exp() * noise[1, b, i])
            log_pi = law(out, i).log_prob(u[i].double())
            q = value_by(learner.critic.values.target, i, state[b], u.detach())
            expected = q - alpha * log_pi - log_rho + log_prior
            assert found[i, b].item() == pytest.approx(expected.item(), abs=1e-3)


@pytest.mark.parametrize("name", ["maddpg", "lenient", "hysteretic", "mmq"])
def test_the_next_value_of_deterministic_methods_by_hand(name, two_step):
    """Q′_i(s′, μ′(s′)); independent learners judge their own action alone."""
    learner, state = new(name, two_step), torch.randn(4, 2)
    disturb(learner, "critic.values.net", "actors.actors.net")
    mu = torch.tanh(learner.actors.actors.target(state.expand(2, 4, 2)))
    found = learner.next_value(state)
    for i in range(2):
        for b in range(4):
            u = torch.stack([mu[0, b, 0], mu[1, b, 1]])
            if name != "maddpg":
                u[1 - i] = 0.0
            expected = value_by(learner.critic.values.target, i, state[b], u)
            assert found[i, b].item() == pytest.approx(expected, abs=1e-5)


# --- progress ------------------------------------------------------------------------------------


def after_one_update(name, game, progress, **overrides):
    learner = new(name, game, update_every=99, **overrides)
    metrics = taught(learner, game, progress, n_steps=1)
    return learner, metrics


@pytest.mark.parametrize("name", SOFT)
def test_the_temperature_falls_with_progress_and_reaches_the_update(name, two_step):
    # `linear` with α′ = 2 is 12 at first, 7 at two fifths of a run, 2 from four fifths on.
    ends = []
    for done, alpha in ((0, 12.0), (40, 7.0), (80, 2.0)):
        how = {"schedule": "linear", "alpha_final": 2.0}
        learner, metrics = after_one_update(name, two_step, Progress(done, 100), **how)
        assert metrics["alpha"] == pytest.approx(alpha)
        ends.append(moving(learner))
        assert set(alphas_of(learner, Progress(done, 100))) == {metrics["alpha"]}
    assert not same(ends[0], ends[1]) and not same(ends[1], ends[2])


def alphas_of(learner, progress):
    """The temperatures that the equations of an update are given."""
    found = []

    def spied(equation):
        def spy(*arguments, **named):
            found.extend(torch.as_tensor(named.get("alpha", arguments[-1])).flatten().tolist())
            return equation(*arguments, **named)

        return spy

    for name in ("soft_value", "move_samplers", "move_opponents", "gain", "reasoning_loss"):
        if hasattr(learner, name):
            setattr(learner, name, spied(getattr(learner, name)))
    learner.update(learner.draw(), progress)
    return found


def moving(learner):
    """What learns, and how far exploring has faded left out."""
    return {k: v for k, v in learner.state_dict().items() if not k.startswith("exploration")}


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_exploration_fades_with_progress(name, two_step):
    # Halfway through the half of a run in which it fades it is at 50^(−½), after that at 1/50.
    state, noise = torch.zeros(3, 2), []
    for done in (0, 25, 50, 99):
        how = {"noise_scale": 0.1, "exploration_fraction": 0.5}
        learner, _ = after_one_update(name, two_step, at(done), **how)
        with undisturbed(learner):
            noise.append(learner.act(state, "explore") - learner.act(state, "shared"))
    for later, share in zip(noise[1:], (FADES_TO**0.5, FADES_TO, FADES_TO), strict=True):
        torch.testing.assert_close(later, share * noise[0], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", ["maddpg", "facmac", "qmix"])
def test_long_gradients_of_critics_and_actors_are_shortened(name, two_step):
    # After one step Adam's mean is 0.1 · gradient: at most a tenth of the norm that is allowed.
    for norm, cut in ((1e-3, True), (1e3, False)):
        learner, _ = after_one_update(name, two_step, at(0), max_gradient_norm=norm)
        actors = [learner.actors.actors] if name in ACTORS else []
        for part in (learner.critic.values, *actors):
            assert (part.mean.norm().item() == pytest.approx(0.1 * norm, rel=1e-3)) == cut


# --- learning and its state ----------------------------------------------------------------------


@every_learner
def test_an_update_moves_every_tensor_that_learns(name, uneven):
    learner = new(name, uneven)
    before = weights(learner)
    taught(learner, uneven, n_copies=8)
    after = weights(learner)
    assert before and not [key for key in before if torch.equal(before[key], after[key])]


def loaded(learner, name, game):
    copy = new(name, game, seed=99)
    copy.load_state_dict(learner.state_dict())
    return copy


def deep_copied(learner, name, game):
    return deepcopy(learner)


def unpickled(learner, name, game):
    return pickle.loads(pickle.dumps(learner))


@pytest.mark.parametrize("copied", [loaded, deep_copied, unpickled])
@every_learner
def test_a_copy_goes_on_as_if_nothing_had_happened(name, copied, uneven):
    learner = new(name, uneven)
    taught(learner, uneven)
    copy = copied(learner, name, uneven)
    for seed in (1, 2):
        first, second = (taught(each, uneven, seed=seed) for each in (learner, copy))
        assert first == second
    for execution in EXECUTIONS:
        state = uneven.reset(4, 0)
        assert torch.equal(learner.act(state, execution), copy.act(state, execution))
    assert torch.equal(learner.perceive(state, 3), copy.perceive(state, 3))


@off_policy_learner
def test_held_noise_stays_for_its_steps_and_is_then_the_next(name, two_step):
    """What is drawn anew at every step, drawn at every third: nothing is left out."""
    anew, held = new(name, two_step), new(name, two_step, hold=3)
    state = two_step.reset(4, 0)
    drawn = [anew.act(state, "explore") for _ in range(3)]
    assert not torch.equal(drawn[0], drawn[1])
    for step in range(9):
        assert torch.equal(held.act(state, "explore"), drawn[step // 3])
    assert not torch.equal(held.act(state, "explore"), drawn[2])


@off_policy_learner
@pytest.mark.parametrize("n_steps", [0, 1, 2, 3])
def test_saved_while_it_holds_its_noise_it_goes_on_with_it(name, n_steps, two_step):
    learner, copy = new(name, two_step, hold=3), new(name, two_step, seed=99, hold=3)
    state = two_step.reset(4, 0)
    for _ in range(n_steps):
        learner.act(state, "explore")
    copy.load_state_dict(learner.state_dict())
    for _ in range(4):
        assert torch.equal(learner.act(state, "explore"), copy.act(state, "explore"))


@every_learner
def test_a_policy_without_the_replay_acts_and_perceives_alike(name, uneven):
    learner, copy = new(name, uneven), new(name, uneven, seed=99)
    taught(learner, uneven)
    copy.load_state_dict(learner.policy_dict())
    for execution in EXECUTIONS:
        state = uneven.reset(4, 0)
        assert torch.equal(learner.act(state, execution), copy.act(state, execution))
    assert torch.equal(learner.perceive(state, 3), copy.perceive(state, 3))


@every_learner
def test_one_seed_repeats_and_another_differs(name, uneven):
    found = [fingerprint(new(name, uneven, seed=seed), uneven) for seed in (3, 3, 4)]
    assert same(found[0], found[1]) and not same(found[0], found[2])


@every_learner
def test_it_plays_a_game_with_states(name, two_step):
    metrics = taught(new(name, two_step), two_step, n_copies=8)
    assert metrics and all(math.isfinite(value) for value in metrics.values())


@every_learner
def test_with_layer_norm_a_critic_does_not_grow_with_its_input(name, two_step):
    def growth(layer_norm):
        learner, u = new(name, two_step, layer_norm=layer_norm), torch.zeros(1, 1, 2)
        states = (torch.full((1, 1, 2), scale) for scale in (1e3, 1e6))
        if name in OFF_POLICY:
            near, far = (learner.critic(state, u) for state in states)
        else:
            near, far = map(learner.value, states)
        return (far / near).abs().max().item()

    assert growth(layer_norm=True) < 1.01
    if name in OFF_POLICY:
        assert growth(layer_norm=False) > 100
    else:
        assert growth(layer_norm=False) < 1.01  # nor without: its hidden units are tanh


def test_what_lacks_a_part_cannot_be_made():
    class Half(Learner):
        def act(self, state, execution):
            return state

    with pytest.raises(TypeError, match="abstract"):
        Half()
