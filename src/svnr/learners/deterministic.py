"""What methods with deterministic actors have in common: acting, exploring, remembering."""

from collections.abc import Sequence

import torch
from torch import Tensor

from svnr.games.game import Game, return_bounds
from svnr.learners.checkpoint import Part
from svnr.learners.exploration import Exploration
from svnr.learners.learner import Execution, Learner, check_execution, generators
from svnr.learners.networks import StackedMLP, own_coordinates
from svnr.learners.replay import Recent

N_RECENT = 512  # joint actions remembered, as many as a batch has; ours
PENALTY = 1e-3  # on actions before the tanh, which else drift where it is flat; MADDPG's code


class DeterministicLearner(Learner):
    """N actors μ_i(s) and noise around them; partners are known by what they lately did.

    Args:
        game: what is played; only its sizes and bounds are used.
        hidden: widths of the hidden layers.
        noise_scale: of the exploration at the start.
        exploration_fraction: of the run over which it fades.
        n_episodes: length of the run.
        seed: of the starting weights and of all noise.
    """

    def __init__(
        self,
        game: Game,
        hidden: Sequence[int],
        noise_scale: float,
        exploration_fraction: float,
        n_episodes: int,
        seed: int,
    ) -> None:
        width = sum(game.action_sizes)
        self.n_agents, self._bounds = game.n_agents, return_bounds(game)
        self._generator, self._exploring = generators(seed, 2)
        self._own = own_coordinates(game.action_sizes)  # [N, D]
        sizes = (game.state_size, *hidden, width)  # of D outputs agent i uses its own
        self.actors = StackedMLP(game.n_agents, sizes, self._generator, "tanh")
        self.exploration = Exploration(width, noise_scale, exploration_fraction, n_episodes)
        self.recent = Recent(N_RECENT, game.state_size, width)

    def latent(self, state: Tensor, actors: StackedMLP | None = None) -> Tensor:
        """[N, B, D] own actions before the tanh, in agent i's own coordinates, zero elsewhere."""
        states = state.expand(self.n_agents, *state.shape)
        return (actors or self.actors)(states) * self._own.unsqueeze(1)

    def intended(self, state: Tensor, actors: StackedMLP | None = None) -> Tensor:
        """[N, B, D] own actions μ_i(s), in agent i's own coordinates, zero elsewhere."""
        return torch.tanh(self.latent(state, actors))

    @torch.no_grad()
    def act(self, state: Tensor, execution: Execution) -> Tensor:
        """See `Learner.act`."""
        check_execution(execution)
        u = self.intended(state).sum(0)
        if execution == "explore":
            u = (u + self.exploration.noise(len(u), self._exploring)).clamp(-1, 1)
        return u

    def observe(self, state: Tensor, u: Tensor) -> Tensor:
        """See `Learner.observe`: remember what everybody did."""
        self.recent.add(state, u)
        return super().observe(state, u)

    @torch.no_grad()
    def perceive(self, state: Tensor, n_samples: int) -> Tensor:
        """See `Learner.perceive`: its own actor, beside what the others lately did."""
        _, others = self.recent.sample(len(state) * n_samples, self._generator)
        others = others.view(len(state), n_samples, -1)
        return torch.where(self._own[:, None, None], self.intended(state).unsqueeze(2), others)

    def penalty(self, latent: Tensor) -> Tensor:
        """What actors [N, B, D] before the tanh pay for leaving the part where it has a slope."""
        return PENALTY * latent.square().sum(-1).mean(-1).sum()

    def parts(self) -> dict[str, Part]:
        """See `Learner.parts`."""
        return {
            "actors": self.actors,
            "exploration": self.exploration,
            "recent": self.recent,
            "generator": self._generator,
            "exploring": self._exploring,
        }
