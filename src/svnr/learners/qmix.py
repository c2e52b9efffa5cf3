"""QMIX (Rashid et al., 2018) for continuous actions: our reading of the paper's "QMIX".

QMIX is published for discrete actions, and the paper does not print how it plays continuous ones.
This is COMIX (de Witt et al., 2020), its nearest continuous form by the same authors: the same
monotone mixing of utilities, and an argmax by the cross-entropy method. There is no actor.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from torch import Tensor

from svnr.checks import Count, Interval, Positive, added
from svnr.games.game import Game
from svnr.learners.deterministic import ExploringLearner, ExploringSettings
from svnr.learners.learner import Progress
from svnr.learners.memory import Transitions
from svnr.networks.argmax import cross_entropy
from svnr.networks.mixers import MixedCritics

FIXED = 0  # seed of the candidates that are tried when acting, the same in every state
Utilities = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class QMIXSettings(ExploringSettings):
    """Everything that QMIX can be told; each value with its source."""

    at_most = ExploringSettings.at_most | {
        ("n_elites", "n_candidates"),
        ("n_elites", "n_acting"),
    }

    embedding: Count = 64  # hidden units of the mixing network; public code
    n_candidates: Count = 64  # actions of an agent tried in each round of the argmax; public code
    n_elites: Annotated[int, Interval(2)] = 6  # by which the next round's are drawn; public code
    n_rounds: Count = 2  # of the argmax; public code
    n_acting: Count | None = added(None)  # candidates when it acts; else as when it learns; ours
    max_gradient_norm: Positive = 0.5  # of utilities and mixing together; public code


class QMIX(ExploringLearner):
    """N utilities Q_i(s, u_i), mixed monotonically into Q_tot(s, u), with targets.

    Args:
        game: what is played; only its sizes and bounds are used.
        settings: how to learn it.
        seed: of the starting weights, of all noise and of the draws from the replay.
    """

    settings: QMIXSettings
    critic: MixedCritics

    def __init__(self, game: Game, settings: QMIXSettings, seed: int) -> None:
        super().__init__(game, settings, seed)
        how = (settings.embedding, settings.max_gradient_norm)
        self.critic = MixedCritics(game, settings, self._generator, "monotone", *how)

    def update(self, batch: Transitions, progress: Progress) -> dict[str, float]:
        """One step of the critic; the target follows it, and the noise fades."""
        loss = self.judge(batch, self.next_value)
        self.critic.follow()
        return {"noise_scale": self.fade(progress), "critic_loss": loss}

    def next_value(self, state: Tensor) -> Tensor:
        """[1, B] max_u′ Q′_tot(s′, u′) of the targets, (6) of Rashid et al.; new candidates."""
        n = self.settings.n_candidates
        u = self.best(state, self.critic.slow_utilities, self._generator, n)
        return self.critic.slow(state, u)

    def best(
        self, state: Tensor, utilities: Utilities, generator: torch.Generator, n: int
    ) -> Tensor:
        """(argmax_{u_1} Q_1(s, u_1), …, argmax_{u_N} Q_N(s, u_N)): (4) of Rashid et al.

        As the mixing is monotone, this is the joint action [B, D] of the highest Q_tot.

        Args:
            state: [B, S].
            utilities: Q_i, from states and actions [N, ..., D] to [N, ...].
            generator: of the candidates.
            n: of them, in each round.
        """
        told, shape = self.settings, (self.n_agents, len(state), self.width)
        how = (n, told.n_elites, told.n_rounds)
        u = cross_entropy(partial(utilities, state.unsqueeze(1)), shape, generator, *how)
        return self.executed(u)

    def intended(self, state: Tensor) -> Tensor:
        """See `ExploringLearner.intended`; the same candidates always: acting has no chance.

        What few candidates miss by chance in learning they would here miss always.
        """
        generator = torch.Generator().manual_seed(FIXED)
        n = self.settings.n_acting or self.settings.n_candidates
        return self.best(state, self.critic.utilities, generator, n)
