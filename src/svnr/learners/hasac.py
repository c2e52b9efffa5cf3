"""HASAC (Liu et al., 2024): soft actor-critic for a team, agent after agent; beyond the paper.

Agent i has a squashed Gaussian π_i(u_i | s) and climbs what twin critics say of the joint action.
Agents take turns in an order drawn anew at each update, and each meets the others as they are by
then: those before it as they have just become. What a team learns is a product of its agents'
policies, so that shared and independent execution differ in their draws alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from svnr.checks import Count
from svnr.games.game import Game
from svnr.learners.learner import Execution, Progress, generators
from svnr.learners.memory import Transitions
from svnr.learners.off_policy import OffPolicy
from svnr.learners.soft import SoftSettings
from svnr.networks.critics import Critics
from svnr.networks.gaussians import SquashedActor
from svnr.networks.optimizers import Trained


@dataclass(frozen=True, kw_only=True)
class HASACSettings(SoftSettings):
    """Everything that HASAC can be told; each value with its source.

    The temperature is "scheduled" as that of all soft methods, and so fixed where the schedule is
    "constant"; or an agent's own α_i is "learned", from α′ on, such that π_i keeps an entropy of
    −|A_i|. The public code has it fixed or learned.
    """

    temperature: Literal["scheduled", "learned"] = "scheduled"  # for one task, one recipe; ours
    n_samples: Count = 24  # joint actions at each state, as many as SVNR moves; public code 1


class HASAC(OffPolicy):
    """N actors π_i, and twin critics of the team with targets.

    Args:
        game: what is played; only its sizes and bounds are used.
        settings: how to learn it.
        seed: of the starting weights, of all noise, orders and draws from the replay.
    """

    settings: HASACSettings

    def __init__(self, game: Game, settings: HASACSettings, seed: int) -> None:
        super().__init__(game, settings, seed)
        self._generator, *self._own_generators = generators(seed, game.n_agents + 1)
        self.actors = [
            SquashedActor(game.state_size, size, settings, self._generator)
            for size in game.action_sizes
        ]
        self.critic = Critics(game, settings, self._generator, 2)
        log_alpha = torch.full((game.n_agents,), settings.alpha_final).log()
        self.log_alpha = Trained(nn.ParameterList([log_alpha]), settings)
        self.log_alpha.net.requires_grad_(True)

    def update(self, batch: Transitions, progress: Progress) -> dict[str, float]:
        """One step of the critics, of every actor in its turn, and of the targets."""
        told, alpha = self.settings, self.alpha(progress)
        loss = self.judge(batch, partial(self.soft_value, alpha=alpha))
        order = torch.randperm(self.n_agents, generator=self._generator).tolist()
        log_pi = self.take_turns(batch.state[: told.n_groups], order, alpha)
        if told.temperature == "learned":
            self.log_alpha.descend(self.temperature_loss(log_pi))
        self.critic.follow()
        return {"alpha": alpha.mean().item(), "critic_loss": loss}

    def alpha(self, progress: Progress) -> Tensor:
        """[N] the temperature α_i of every agent."""
        if self.settings.temperature == "learned":
            return self.log_alpha.net[0].detach().exp()
        return torch.full((self.n_agents,), self.settings.alpha(progress))

    def soft_value(self, state: Tensor, alpha: Tensor) -> Tensor:
        """V [1, B] of states [B, S] by the target critics, at one u of the actors as they are."""
        u, log_pi = self.sample(state, self.noise(len(state)))
        return joint_soft_value(self.critic.slow(state, u), log_pi, alpha).unsqueeze(0)

    def take_turns(self, state: Tensor, order: Sequence[int], alpha: Tensor) -> Tensor:
        """One step of each actor up its gain, in turn, among the others as they are by then.

        Args:
            state: [G, S] states; at each of them M joint actions are drawn.
            order: of the agents.
            alpha: [N] temperatures.

        Returns:
            [N, G, M] log π_i(u_i | s), each before its step.
        """
        shape, state = (len(state), self.settings.n_samples), state.unsqueeze(1)
        u, log_pi = self._parts(state, self.noise(*shape))
        own, renewed = self.noise(*shape), self.noise(*shape)
        for i in order:
            gain = partial(self.gain, state=state, u=u, i=i, alpha=alpha[i])
            log_pi[i] = self.actors[i].climb(state, own[i], gain)
            u[i], _ = self.actors[i](state, renewed[i])
        return torch.stack(log_pi)

    def gain(
        self, own: Tensor, log_pi: Tensor, state: Tensor, u: list[Tensor], i: int, alpha: Tensor
    ) -> Tensor:
        """E[min_c Q_c(s, u) − α_i log π_i(u_i | s)], what agent i climbs in u_i (Liu et al.).

        Args:
            own: [G, M, |A_i|] what agent i draws.
            log_pi: [G, M] log π_i of it.
            state: [G, 1, S].
            u: [N] of [G, M, |A_j|] what the agents drew before; the i-th is not used.
            i: the agent.
            alpha: [] its temperature.
        """
        joint = torch.cat([*u[:i], own, *u[i + 1 :]], -1)
        return (self.critic(state, joint).amin(0) - alpha * log_pi).mean()

    def temperature_loss(self, log_pi: Tensor) -> Tensor:
        """−Σ_i log α_i E[log π_i − |A_i|], which falls as α_i rises where π_i is too narrow.

        Args:
            log_pi: [N, G, M] of actions that the policies drew.
        """
        too_narrow = log_pi.mean((1, 2)) - torch.tensor(self.action_sizes)
        return -(self.log_alpha.net[0] * too_narrow).sum()

    def choose(self, state: Tensor, execution: Execution) -> Tensor:
        """See `OffPolicy.choose`; greedy is the mean before the tanh."""
        if execution == "greedy":
            noise = self._apart(state.new_zeros(len(state), self.width))
        else:
            noise = self.noise(len(state), own=execution != "shared")
        return self.sample(state, noise)[0]

    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """See `Learner.perceive`: every agent perceives the product of the policies."""
        u, _ = self.sample(state.unsqueeze(1), self.noise(len(state), n_samples))
        return u.expand(self.n_agents, *u.shape)

    def sample(self, state: Tensor, noise: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Joint actions u [..., D], and log π_i(u_i | s) [N, ...] of the agents' parts.

        Args:
            state: [..., S].
            noise: [N] of [..., |A_i|] standard normal.
        """
        u, log_pi = self._parts(state, noise)
        return torch.cat(u, -1), torch.stack(log_pi)

    def noise(self, *shape: int, own: bool = False) -> Sequence[Tensor]:
        """ε, [N] of [*shape, |A_i|], from the generator that all have in common or their own."""
        if not own:
            return self._apart(torch.randn((*shape, self.width), generator=self._generator))
        sources = zip(self.action_sizes, self._own_generators, strict=True)
        return [torch.randn((*shape, size), generator=each) for size, each in sources]

    def _apart(self, joint: Tensor) -> Sequence[Tensor]:
        """[N] of [..., |A_i|], the agents' parts of [..., D]."""
        return joint.split(list(self.action_sizes), -1)

    def _parts(self, state: Tensor, noise: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        found = [actor(state, each) for actor, each in zip(self.actors, noise, strict=True)]
        return [u for u, _ in found], [log_pi for _, log_pi in found]


def joint_soft_value(q: Tensor, log_pi: Tensor, alpha: Tensor) -> Tensor:
    """V = min_c Q′_c(s, u) − Σ_i α_i log π_i(u_i | s), at u drawn from π (Liu et al., 2024).

    Args:
        q: [C, B] values of one joint action at each state, by the target critics.
        log_pi: [N, B] log-densities of the agents' parts of it.
        alpha: [N] temperatures; the public code learns one more for this place.

    Returns:
        [B] the soft values.
    """
    return q.amin(0) - alpha @ log_pi
