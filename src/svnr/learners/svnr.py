"""SVNR (Algorithm 1): amortised negotiation with a central critic.

SVNR, SVNR-F and SVNR-M differ by the negotiation sets alone; any other topology can be given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from svnr.checks import check_count
from svnr.games.game import Game, agent_slices, return_bounds
from svnr.learners.checkpoint import Part
from svnr.learners.learner import (
    Execution,
    Learner,
    check_execution,
    check_one_of,
    check_positive,
    generators,
)
from svnr.learners.losses import (
    Coordinates,
    bootstrapped,
    learn_values,
    soft_value_importance,
    soft_value_printed,
    stein_direction,
)
from svnr.learners.networks import Adam, Critic, Samplers, Target, in_one_piece
from svnr.learners.replay import Batch
from svnr.learners.schedules import SCHEDULES, schedule
from svnr.sets import Sets, check_sets, full, none, strict
from svnr.stein.negotiation import KernelOn, kernel_mask

TOPOLOGIES = {"strict": strict, "full": full, "none": none}


@dataclass(frozen=True, kw_only=True)
class SVNRSettings:
    """Everything that SVNR can be told; each value with its source."""

    sets: str | Sets = "strict"  # C_i: "strict" SVNR, "full" SVNR-F, "none" SVNR-M, or any sets
    schedule: str = "three_phase"  # α over episodes; the paper prints another (docs/deviations.md)
    alpha_final: float = 10.0  # α′, in payoff units; searched in 0.1 to 10 (§8)
    learning_rate: float = 0.005  # Adam, critic and samplers; searched in 1e-4 to 1e-1 (§8)
    n_particles: int = 48  # M per state; searched in 16 to 64 (§8)
    n_groups: int = 8  # states of the batch that get particles; ours: one-shot states are equal
    n_value_particles: int = 24  # samples for the soft value (7.4): M / 2, public code
    hidden: tuple[int, ...] = (100, 100)  # ReLU layers, critic and samplers; ROMMEO's
    noise_size: int = 1  # noise coordinates an agent; public code: as many as actions
    discount: float = 0.95  # γ; ROMMEO's
    target_rate: float = 0.01  # τ of the target critic, after each update; ROMMEO's
    layer_norm: bool = False  # in the critic; for games with states, where values run away; ours
    kernel_on: KernelOn = "set"  # κ_i on u_{S_i} as (7.2) prints, or "joint"
    soft_value: Literal["printed", "importance"] = "printed"  # reading of (7.4)
    coordinates: Coordinates = "pre_tanh"  # where particles move; ours
    n_greedy: int = 256  # shared particles among which greedy execution picks the best; ours

    def __post_init__(self) -> None:
        """Refuse values that no run could use."""
        if not isinstance(self.sets, tuple) and self.sets not in TOPOLOGIES:
            wanted = f"one of {sorted(TOPOLOGIES)}, or a tuple of sets"
            raise ValueError(f"sets must be {wanted}, got {self.sets!r}")
        check_positive(self, "alpha_final", "learning_rate")
        check_one_of(self, schedule=SCHEDULES, kernel_on=("set", "joint"))
        check_one_of(self, soft_value=("printed", "importance"))
        check_one_of(self, coordinates=("pre_tanh", "squashed"))
        check_count("n_particles", self.n_particles, least=4)
        for name in ("n_groups", "n_value_particles", "noise_size", "n_greedy"):
            check_count(name, getattr(self, name))


class SVNR(Learner):
    """Samplers f^ψ, critic Q^θ and target Q^θ̄ of one team.

    Args:
        game: what is played; only its sizes and bounds are used.
        settings: how to learn it.
        n_episodes: length of the run, which some schedules need.
        seed: of the starting weights and of all noise.
    """

    version = 1  # raised when a change of the code changes the numbers of a run

    def __init__(self, game: Game, settings: SVNRSettings, n_episodes: int, seed: int) -> None:
        sets = settings.sets
        n = game.n_agents
        self.sets = check_sets(TOPOLOGIES[sets](n) if isinstance(sets, str) else sets, n)
        self.settings = settings
        self.n_agents, self._bounds = n, return_bounds(game)
        self.alpha = schedule(settings.schedule, settings.alpha_final, n_episodes)
        self.action_sizes = game.action_sizes
        self._generator, *self._own_generators = generators(seed, n + 1)
        width = sum(game.action_sizes)
        self.samplers = Samplers(
            self.sets,
            game.action_sizes,
            game.state_size,
            settings.noise_size,
            settings.hidden,
            self._generator,
        )
        self.critic, self.target_critic = (
            Critic(game.state_size, width, settings.hidden, self._generator, settings.layer_norm)
            for _ in range(2)
        )
        self.mask = kernel_mask(self.sets, game.action_sizes, settings.kernel_on)
        rate = settings.learning_rate
        theta, psi = in_one_piece(self.critic), in_one_piece(self.samplers)
        self._critic_adam = Adam(self.critic, theta, rate)
        self._sampler_adam = Adam(self.samplers, psi, rate)
        self._target = Target(self.target_critic, self.critic, theta, settings.target_rate)

    def noise(self, *shape: int) -> Tensor:
        """ξ [*shape, N, noise_size] from the generator that all agents have in common."""
        size = (*shape, self.n_agents, self.settings.noise_size)
        return torch.randn(size, generator=self._generator)

    @torch.no_grad()
    def act(self, state: Tensor, execution: Execution) -> Tensor:
        """See `Learner.act`; exploring is acting with shared noise, the policy's own."""
        check_execution(execution)
        if execution == "greedy":
            return self._best_of(state, self.settings.n_greedy)
        if execution == "independent":
            return self._act_independently(state)
        return self.samplers(state, self.noise(len(state)))

    def _best_of(self, state: Tensor, n: int) -> Tensor:
        """The one of n shared particles [B, D] that the critic rates highest."""
        states = state.unsqueeze(1).expand(-1, n, -1)
        u = self.samplers(states, self.noise(len(state), n))
        best = self.critic(states, u).argmax(1)
        return u[torch.arange(len(u)), best]

    def _act_independently(self, state: Tensor) -> Tensor:
        """Every agent imagines the noise of its set by itself: the product of the marginals."""
        size = (len(state), self.n_agents, self.settings.noise_size)
        u = torch.empty(len(state), sum(self.action_sizes))
        for agent, own in enumerate(agent_slices(self.action_sizes)):
            imagined = torch.randn(size, generator=self._own_generators[agent])
            u[:, own] = self.samplers(state, imagined)[:, own]
        return u

    @torch.no_grad()
    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """See `Learner.perceive`; noise is shared, so every agent perceives the same policy."""
        states = state.unsqueeze(1).expand(-1, n_samples, -1)
        u = self.samplers(states, self.noise(len(state), n_samples))
        return u.expand(self.n_agents, *u.shape)

    def agent(self, index: int, seed: int) -> "Agent":
        """Agent `index` alone, to act without messages; give all agents of a team one seed."""
        return Agent(self.samplers, self.settings.noise_size, self.action_sizes, index, seed)

    def update(self, batch: Batch, episode: int) -> dict[str, float]:
        """One pass of "Update Value Functions" and "Update Policies" in Algorithm 1."""
        alpha = self.alpha(episode)
        target = self.critic_target(batch, alpha)
        loss = learn_values(self.critic, self._critic_adam, batch.state, batch.u, target)
        state = batch.state[: self.settings.n_groups]
        self._sampler_adam.step(self.sampler_slopes(state, alpha))
        self._target.follow()
        return {"alpha": alpha, "critic_loss": loss}

    def critic_target(self, batch: Batch, alpha: float) -> Tensor:
        """r + γ V(s′) [B] of (7.4); V is not computed for rows that terminated."""
        return bootstrapped(
            batch,
            lambda state: self.soft_value(state, alpha),
            self.settings.discount,
            self._bounds,
        )

    @torch.no_grad()
    def soft_value(self, state: Tensor, alpha: float) -> Tensor:
        """V [B] of states [B, S] from the target critic, by the reading in the settings."""
        n = self.settings.n_value_particles
        states = state.unsqueeze(1).expand(-1, n, -1)
        if self.settings.soft_value == "printed":
            u = self.samplers(states, self.noise(len(state), n))
            return soft_value_printed(self.target_critic(states, u), alpha)
        size = (len(state), n, sum(self.action_sizes))
        u = 2 * torch.rand(size, generator=self._generator) - 1
        return soft_value_importance(self.target_critic(states, u), alpha, size[-1])

    @torch.no_grad()
    def sampler_slopes(self, state: Tensor, alpha: float) -> Tensor:
        """Minus (7.3) in one piece: −E_ξ[Δf · ∂f/∂ψ], with particles at states [G, S].

        Half of the particles are held fixed and averaged over, the other half are moved.
        """
        half = self.settings.n_particles // 2
        states = state.unsqueeze(1).expand(-1, half, -1)
        fixed = self.samplers.latent(states, self.noise(len(state), half))
        moved, trail = self.samplers.record(states, self.noise(len(state), half))
        phi = stein_direction(
            fixed,
            moved,
            lambda u: self.critic.action_gradient(states, u),
            alpha,
            self.mask,
            self.settings.coordinates,
        )
        return self.samplers.slopes(trail, phi / -(len(state) * half))

    def parts(self) -> dict[str, Part]:
        """See `Learner.parts`."""
        own = {f"own_generator_{i}": g for i, g in enumerate(self._own_generators)}
        return {
            "samplers": self.samplers,
            "critic": self.critic,
            "target_critic": self.target_critic,
            "critic_adam": self._critic_adam,
            "sampler_adam": self._sampler_adam,
            "generator": self._generator,
            **own,
        }


class Agent:
    """One agent at execution: its own network, the state, a seed, and no messages.

    Agents of a team that were given one seed draw the same noise and so act out one particle of
    the joint policy; with seeds of their own they act out the product of its marginals.
    """

    def __init__(
        self,
        samplers: Samplers,
        noise_size: int,
        action_sizes: Sequence[int],
        index: int,
        seed: int,
    ) -> None:
        check_count("index", index, least=0)
        if index >= len(action_sizes):
            raise ValueError(f"index must be below {len(action_sizes)}, got {index}")
        self._samplers = samplers
        self._own = agent_slices(tuple(action_sizes))[index]
        self._noise_shape = (len(action_sizes), noise_size)
        self._generator = torch.Generator().manual_seed(seed)

    @torch.no_grad()
    def act(self, state: Tensor) -> Tensor:
        """This agent's action [B, its coordinates] for states [B, S]."""
        noise = torch.randn((len(state), *self._noise_shape), generator=self._generator)
        return self._samplers(state, noise)[:, self._own]
