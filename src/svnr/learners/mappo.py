"""MAPPO (Yu et al., 2022): a Gaussian actor an agent, and a central critic V(s) that judges all.

The team plays for so many steps, learns from them in a few epochs and forgets them. Agent i climbs
the clipped surrogate of its own ratio with the advantage of the joint action, so that it answers
what its partners do on average: what they tried just then comes as noise.
"""

from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from svnr.checks import Count, NotNegative, Positive, Settings, Share, Widths, added
from svnr.games.game import Game
from svnr.learners.checkpoint import gather
from svnr.learners.learner import Execution, Learner, Progress, check_asked, generators
from svnr.learners.memory import Rollout, Transitions, times
from svnr.networks.actors import GaussianActors
from svnr.networks.gaussians import entropy
from svnr.networks.mlp import NetworkSettings, StackedMLP, orthogonal, own_coordinates
from svnr.networks.normalizers import ValueNorm
from svnr.networks.optimizers import Trained

LONGEST_ROLLOUT = 4000  # steps: 20 copies of 200 each; public code
N_EPISODES = 64  # that a rollout has room for where they are short; ours
HEAD_GAIN = 0.01  # of the actors' last weights: means begin near 0; public code
EPSILON = 1e-5  # of Adam, and beside the deviation of advantages; public code


@dataclass(frozen=True, kw_only=True)
class MAPPOSettings(Settings):
    """Everything that MAPPO can be told; "public code" is HARL's general file of settings."""

    at_most = frozenset({("n_minibatches", "rollout_steps")})  # or some would be empty

    learning_rate: Positive = 5e-4  # Adam, actors and critic; public code
    hidden: Widths = (100, 100)  # layers of every network; as the other methods have
    input_norm: bool = True  # layer norm of the state, where it has several numbers; public code
    layer_norm: bool = False  # before every activation; public code has one after it
    discount: Share = 0.95  # γ; as the other methods have; public code 0.99
    gae_lambda: Share = 0.95  # λ of the advantages; public code
    rollout_steps: Count | None = None  # of all copies; by default 64 episodes, 4,000 at most
    epochs: Count = 5  # over each rollout; public code
    n_minibatches: Count = 1  # of an epoch; public code
    clip: Positive = 0.2  # ε of ratios, and of values in units of their deviation; public code
    entropy_weight: NotNegative = 0.01  # of the actors' entropies in their loss; public code
    huber_delta: Positive = 10.0  # errors of the critic beyond it count linearly; public code
    max_gradient_norm: Positive = 10.0  # of all actors, of the critic; public code
    std: Positive = 0.5  # σ of actions at the start; ours; public code 0.37, bounded by 0.5
    use_symmetries: bool = added(False)  # rows of an epoch turned by the game's symmetries; ours

    def fitted_to(self, game: Game) -> Self:
        """See `OffPolicySettings.fitted_to`."""
        steps = self.rollout_steps or min(N_EPISODES * game.horizon, LONGEST_ROLLOUT)
        return replace(self, rollout_steps=steps)


@dataclass(frozen=True)
class Lesson:
    """R transitions of a rollout, and what actors and critic said of them before its epochs."""

    state: Tensor  # [R, S] as the networks are given it
    drawn: Tensor  # [R, D] joint actions, before the box clipped them
    log_density: Tensor  # [R, N] log π_i of each agent's part
    advantage: Tensor  # [R] Â, of mean 0 and deviation 1
    value: Tensor  # [R] V(s), normalised
    target: Tensor  # [R] the return V(s) + Â, normalised

    def rows(self, chosen: Tensor) -> "Lesson":
        """Some of them."""
        return Lesson(*(getattr(self, each.name)[chosen] for each in fields(self)))


class MAPPO(Learner):
    """N actors π_i(u_i | s) and a critic V(s), taught by one rollout after the other.

    Args:
        game: what is played; only its sizes, its horizon and its bounds are used.
        settings: how to learn it.
        seed: of the starting weights, of all noise and of the order of rows.
    """

    settings: MAPPOSettings

    def __init__(self, game: Game, settings: MAPPOSettings, seed: int) -> None:
        told = self.settings = settings.fitted_to(game)
        self.n_agents, self.action_sizes = game.n_agents, game.action_sizes
        self._bounds, self.state_size = game.return_bounds, game.state_size
        self._symmetries = game.symmetries()
        self._generator, self._order, *self._own_generators = generators(seed, game.n_agents + 2)
        own = own_coordinates(game.action_sizes)
        means = self._network(game.n_agents, sum(game.action_sizes), HEAD_GAIN)
        self.actors = self._trained(GaussianActors(own, means, told.std))
        self.critic = self._trained(self._network(1, 1, 1.0))
        self.value_norm, self.memory = ValueNorm(), Rollout()

    def _network(self, n: int, width: int, last_gain: float) -> StackedMLP:
        """`n` networks from the state to `width` outputs, with orthogonal weights.

        The public code's units are rectified; these are not, for the sake of games whose one
        state is zero (`StackedMLP`).
        """
        sizes = (self.state_size, *self.settings.hidden, width)
        norm = self.settings.layer_norm
        net = StackedMLP(n, sizes, self._generator, "tanh", norm, orthogonal)
        gains = [nn.init.calculate_gain("tanh")] * len(self.settings.hidden) + [last_gain]
        for weights, gain in zip(net.weights, gains, strict=True):
            weights.data *= gain
        return net

    def _trained(self, net: nn.Module) -> Trained:
        rate = NetworkSettings(learning_rate=self.settings.learning_rate)
        trained = Trained(net, rate, self.settings.max_gradient_norm, epsilon=EPSILON)
        net.requires_grad_(True)
        return trained

    # --- learning -------------------------------------------------------------------------------

    def observe(self, rows: Transitions, progress: Progress) -> dict[str, float]:
        """See `Learner.observe`; nothing is learned before the rollout has its length."""
        self.memory.add(rows)
        if len(self.memory) < (self.settings.rollout_steps or 0):
            return {}
        rollout = self.memory.rows()
        self.memory.clear()
        return self.update(rollout)

    def update(self, rollout: Transitions) -> dict[str, float]:
        """Some epochs over a rollout of T steps of K copies, columns [T, K, …]."""
        told, lesson, losses = self.settings, self.lesson(rollout), []
        for _ in range(told.epochs):
            epoch = self.turned(lesson, rollout) if told.use_symmetries else lesson
            order = torch.randperm(len(lesson.target), generator=self._order)
            for chosen in order.tensor_split(told.n_minibatches):
                rows = epoch.rows(chosen)
                self.actors.descend(self.actor_loss(rows))
                losses.append(self.critic_loss(rows))
                self.critic.descend(losses[-1])
        std = self.actors.net.log_std.detach().exp().mean()
        return {"std": std.item(), "critic_loss": torch.stack(losses).mean().item()}

    @torch.no_grad()
    def lesson(self, rollout: Transitions) -> Lesson:
        """What the epochs learn from; forecasts are held within what the game can still pay."""
        told, norm, state = self.settings, self.value_norm, self._seen(rollout.state)
        value, beyond = self.value(state), self.value(self._seen(rollout.next_state))
        now, beyond = norm.denormalize(value), norm.denormalize(beyond).clamp(*self._bounds)
        ends = (rollout.terminated, rollout.truncated)
        how = (told.discount, told.gae_lambda)
        advantage = generalised_advantage(rollout.reward, now, beyond, *ends, *how)
        norm.update(now + advantage)
        state, drawn = state.flatten(0, 1), rollout.note.flatten(0, 1)
        log_density = self.actors.net.log_density(state, drawn)
        judged = (standardised(advantage), value, norm.normalize(now + advantage))
        return Lesson(state, drawn, log_density, *(each.flatten() for each in judged))

    def turned(self, lesson: Lesson, rollout: Transitions) -> Lesson:
        """The rows as one of the game's symmetries each has them; judged as what was played was.

        The density stays that of the draw: the turned row is one of the turned policy's.
        """
        maps = self._symmetries.drawn(len(lesson.drawn), self._order)
        state, drawn = times(maps.state, rollout.state.flatten(0, 1)), times(maps.u, lesson.drawn)
        density = times(maps.agents, lesson.log_density)
        return replace(lesson, state=self._seen(state), drawn=drawn, log_density=density)

    def value(self, state: Tensor) -> Tensor:
        """V [...] in states [..., S] as the networks are given them, normalised."""
        return self.critic.net(state.unsqueeze(0))[0, ..., 0]

    def actor_loss(self, rows: Lesson) -> Tensor:
        """−Σ_i (E[surrogate of π_i] + c H(π_i)), of R rows."""
        told, actors = self.settings, self.actors.net
        ratio = (actors.log_density(rows.state, rows.drawn) - rows.log_density).exp()
        gain = clipped_surrogate(ratio, rows.advantage.unsqueeze(-1), told.clip).mean(0)
        return -gain.sum() - told.entropy_weight * entropy(actors.log_std).sum()

    def critic_loss(self, rows: Lesson) -> Tensor:
        """The clipped Huber loss of V, of R rows."""
        told, value = self.settings, self.value(rows.state)
        return clipped_error(value, rows.value, rows.target, told.clip, told.huber_delta).mean()

    # --- acting ---------------------------------------------------------------------------------

    @torch.no_grad()
    def act(self, state: Tensor, execution: Execution) -> Tensor:
        """See `Learner.act`; MAPPO as published explores with independent noise."""
        check_asked(state, execution, self.state_size)
        mean, log_std = self.actors.net.mean_and_log_std(self._seen(state))
        drawn = mean + log_std.exp() * self._noise(len(state), execution)
        if execution == "explore":
            self.memory.drawn = drawn
        return drawn.clamp(-1, 1)

    @torch.no_grad()
    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """See `Learner.perceive`: all actors, its partners' too, as they are now."""
        mean, log_std = self.actors.net.mean_and_log_std(self._seen(state))
        size = (self.n_agents, len(state), n_samples, mean.shape[-1])
        noise = torch.randn(size, generator=self._generator)
        return (mean.unsqueeze(1) + log_std.exp() * noise).clamp(-1, 1)

    def policy_dict(self) -> dict[str, Tensor]:
        """`state_dict` with an empty rollout."""
        return gather(**self.parts() | {"memory": Rollout()})

    def _noise(self, n: int, execution: Execution) -> Tensor:
        """[n, D] standard normal: none, in common, or of each agent's own."""
        if execution == "greedy":
            return torch.zeros(n, sum(self.action_sizes))
        if execution == "shared":
            return torch.randn(n, sum(self.action_sizes), generator=self._generator)
        pairs = zip(self.action_sizes, self._own_generators, strict=True)
        return torch.cat([torch.randn(n, size, generator=own) for size, own in pairs], -1)

    def _seen(self, state: Tensor) -> Tensor:
        """States as the networks are given them; the norm of a single number would erase it."""
        if self.settings.input_norm and self.state_size > 1:
            return functional.layer_norm(state, state.shape[-1:])
        return state


# --- equations -----------------------------------------------------------------------------------


def generalised_advantage(
    reward: Tensor,
    value: Tensor,
    next_value: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    discount: float,
    gae_lambda: float,
) -> Tensor:
    """Â_t = Σ_l (γλ)^l δ_{t+l}, δ = r + γ V(s′) − V(s), (16) of Schulman et al. (2016).

    The sum ends with its episode, or with the rollout. Beyond a termination V(s′) is 0; where the
    clock cut an episode off, and where the rollout ends, it is not.

    Args:
        reward: [T, K] of T steps of K copies; so are all others.
        value: V(s).
        next_value: V(s′).
        terminated: bool.
        truncated: bool.
        discount: γ.
        gae_lambda: λ.

    Returns:
        [T, K] the advantages.
    """
    error = reward + discount * torch.where(terminated, 0.0, next_value) - value
    over = terminated | truncated
    advantage, ahead = torch.empty_like(error), torch.zeros_like(error[0])
    for t in reversed(range(len(error))):
        ahead = torch.where(over[t], 0.0, discount * gae_lambda * ahead)
        ahead = advantage[t] = error[t] + ahead
    return advantage


def standardised(advantage: Tensor) -> Tensor:
    """Advantages of any shape, less their mean, over their deviation."""
    return (advantage - advantage.mean()) / (advantage.std(unbiased=False) + EPSILON)


def clipped_surrogate(ratio: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """min(r Â, clip(r, 1 − ε, 1 + ε) Â), inside the mean of (7) of Schulman et al. (2017).

    Args:
        ratio: r = π / π_old of the action played, of any shape.
        advantage: Â, of a shape that broadcasts with it.
        clip: ε.
    """
    return torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)


def clipped_error(
    value: Tensor, before: Tensor, target: Tensor, clip: float, delta: float
) -> Tensor:
    """max(h(R − V), h(R − V_clip)), h Huber's loss, V_clip = V_old + clip(V − V_old, −ε, ε).

    The public code's. A value that has gone further than ε towards its target goes no further.

    Args:
        value: V, of any shape; so are the next two.
        before: V_old.
        target: the returns R.
        clip: ε.
        delta: errors above it count linearly.
    """
    huber = partial(functional.huber_loss, target=target, reduction="none", delta=delta)
    return torch.maximum(huber(value), huber(before + (value - before).clamp(-clip, clip)))
