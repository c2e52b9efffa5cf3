"""What a trained team earns, by the way it executes."""

import numpy as np
import torch

from svnr.games.game import Game, check_count, check_rewards
from svnr.learners.learner import Execution, Learner


def returns(
    game: Game, learner: Learner, execution: Execution, n_episodes: int, seed: int
) -> np.ndarray:
    """The undiscounted sum of rewards of each of `n_episodes` test episodes.

    Args:
        game: played in `n_episodes` parallel copies.
        learner: acts and does not learn.
        execution: "shared", "independent" or "greedy" (or "explore").
        n_episodes: how many.
        seed: of the resets.

    Returns:
        [n_episodes] returns.
    """
    check_count("n_episodes", n_episodes)
    state = game.reset(n_episodes, seed)
    total = torch.zeros(n_episodes)
    running = torch.ones(n_episodes, dtype=torch.bool)
    for step_number in range(game.horizon):
        step = game.step(learner.act(state, execution))
        check_rewards(step.reward, step_number)
        total += step.reward * running
        running &= ~(step.terminated | step.truncated)
        if not bool(running.any()):
            break
        state = step.state
    return total.numpy()


def perceived(game: Game, learner: Learner, n_samples: int, seed: int) -> np.ndarray:
    """Samples [N, n_samples, D] of each agent's perceived joint policy in the game's first state.

    Args:
        game: gives the first state.
        learner: asked what it perceives.
        n_samples: how many joint actions an agent.
        seed: of the reset.
    """
    return learner.perceive(game.reset(1, seed), n_samples)[:, 0].numpy()
