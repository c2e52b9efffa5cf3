"""Games, learners and transitions that the tests of `learners` share."""

import torch

from svnr.experiments.catalogue import LEARNERS, learner_class, settings_class
from svnr.games.game import Game, OneShotGame, Symmetries
from svnr.learners.learner import Progress
from svnr.learners.memory import Transitions

SMALL = {
    "hidden": (8, 8),
    "batch_size": 16,
    "warmup": 0,
    "n_groups": 4,
    "n_particles": 8,
    "n_value_particles": 3,
    "n_greedy": 4,
    "n_samples": 3,
    "n_prior": 6,
    "n_rows": 8,
    "embedding": 8,
    "n_candidates": 8,
    "n_elites": 3,
    "rollout_steps": 4,
    "epochs": 2,
    "n_minibatches": 2,
    "n_stored": 8,
    "n_births": 16,
}


class TwoStepGame(Game):
    """Two agents walk, then are paid by where they stand.

    Step one costs ½·mean(u²) and moves the team to s = mean(u); step two pays (1 + s)·mean(u).
    The second action is best at 1. With discount γ the first is best at s = γ: the derivative of
    −½s² + γ(1 + s) is zero there. A learner that does not look ahead stays at s = 0.
    """

    name = "two_step"
    action_sizes = (1, 1)
    state_size = 2
    horizon = 2

    def _begin(self, copies, seed):
        return {"state": torch.zeros(len(copies), 2)}

    def _play(self, now, u, running):
        first, mean = now["state"][:, 0] == 0, u.mean(-1)
        reward = torch.where(first, -0.5 * u.square().mean(-1), (1 + now["state"][:, 1]) * mean)
        state = torch.stack([torch.ones_like(mean), mean], -1)
        return reward, {"state": state, "terminated": ~first}

    def symmetries(self):
        """The two agents may change places."""
        swap = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
        places = torch.stack([torch.eye(2), swap])
        return Symmetries(torch.eye(2).repeat(2, 1, 1), places, places)


class UnevenGame(OneShotGame):
    """Three agents with 1, 3 and 2 coordinates; the reward is minus the squared length of u.

    It is played once, or several times over.
    """

    name = "uneven"
    action_sizes = (1, 3, 2)

    def __init__(self, horizon=1):
        self.horizon = horizon

    def _begin(self, copies, seed):
        return {"state": torch.ones(len(copies), 1)}

    def _play(self, now, u, running):
        return self.reward(u), {"terminated": now["clock"] + 1 >= self.horizon}

    def reward(self, u):
        return -u.square().sum(-1)


def zeroed(module):
    """The module with all its numbers at zero."""
    with torch.no_grad():
        for each in module.parameters():
            each.zero_()
    return module


def new(name, game, seed=0, small=True, **overrides):
    """The learner called `name`, small where it has the setting, with some settings changed."""
    settings, own = settings_class(name), LEARNERS[name].settings
    known = settings.__dataclass_fields__
    sizes = {key: value for key, value in SMALL.items() if key in known} if small else {}
    return learner_class(name)(game, settings(**{**own, **sizes, **overrides}), seed)


def at(done, length=100):
    """So much of a run."""
    return Progress(done, length)


def rows(state, u, reward, next_state, terminated, note=None, weight=None):
    """Transitions that nothing cut off."""
    over = torch.as_tensor(terminated)
    note = torch.zeros(len(u), 0) if note is None else note
    weight = torch.zeros(0) if weight is None else weight
    return Transitions(state, u, reward, next_state, over, ~over & False, note, weight)


def played(game, n_copies=1, n_steps=6, seed=0):
    """Transitions of random joint actions, step by step, over as many episodes as it takes."""
    generator = torch.Generator().manual_seed(seed)
    state, found = game.reset(n_copies, seed), []
    for _ in range(n_steps):
        u = 2 * torch.rand(n_copies, sum(game.action_sizes), generator=generator) - 1
        step = game.step(u)
        found.append(Transitions(state, u, *_parts_of(step)))
        state = game.reset(n_copies, seed) if bool(step.terminated[0]) else step.state
    return found


def _parts_of(step):
    return step.reward, step.state, step.terminated, step.truncated


def taught(learner, game, progress=None, **how):
    """The learner, after it has observed what was played; and the last numbers it told."""
    metrics = {}
    for each in played(game, **how):
        metrics = learner.observe(each, progress or at(20)) or metrics
    return metrics


def trained(learner, game, n_episodes, seed=0):
    """Play a run out, one copy, as the loop does."""
    for episode in range(n_episodes):
        state, over = game.reset(1, seed), False
        while not over:
            u = learner.act(state, "explore")
            step = game.step(u)
            over = bool(step.terminated[0] | step.truncated[0])
            learner.observe(Transitions(state, u, *_parts_of(step)), Progress(episode, n_episodes))
            state = step.state
    return learner


def earned(game, learner, execution, n_copies, seed=1):
    """The mean return of `n_copies` episodes."""
    state, total, over = game.reset(n_copies, seed), torch.zeros(n_copies), False
    while not over:
        step = game.step(learner.act(state, execution))
        total, state = total + step.reward, step.state
        over = bool((step.terminated | step.truncated).all())
    return total.mean().item()


def twins(name, game, **settings):
    """Two learners that are the same, whose targets are not their networks."""
    found = [new(name, game, seed=seed, **settings) for seed in (0, 9)]
    state, generator = found[0].state_dict(), torch.Generator().manual_seed(1)
    for key, value in state.items():
        if ".weights." in key or ".biases." in key:
            state[key] = value + 0.3 * torch.randn(value.shape, generator=generator)
    for each in found:
        each.load_state_dict(state)
    return found


def taught_by_chance(learner, game, n_updates):
    """The critic's errors where a one-shot game is played uniformly at random, 64 rows each."""
    generator, state, errors = torch.Generator().manual_seed(0), game.reset(64, 0), []
    for step in range(n_updates):
        u = 2 * torch.rand(64, sum(game.action_sizes), generator=generator) - 1
        over = torch.ones(64, dtype=torch.bool)
        batch = rows(state, u, game.reward(u), state, over, weight=torch.zeros(64))
        errors.append(learner.update(batch, at(step, n_updates))["critic_loss"])
    return errors
