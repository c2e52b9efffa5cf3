"""What a trained team earns, by the way it executes, and how far it over-generalizes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
import torch
from torch import Tensor

from svnr.checks import check_count
from svnr.games.game import Game, OneShotGame, check_rewards
from svnr.games.parallel import ParallelGame
from svnr.learners.learner import Execution, Learner, undisturbed
from svnr.theory.overgeneralization import pro_gap

AT_ONCE = 64  # environments of others that are tested side by side
ANSWERS = 81  # evenly spaced in [−1, 1], tried for what seeing the partners' actions is worth
WAYS: tuple[Execution, ...] = ("shared", "independent", "greedy")


@dataclass(frozen=True)
class Episodes:
    """B test episodes, side by side."""

    state: np.ndarray  # [T + 1, B, S] from the first state on; an episode that is over stays put
    length: np.ndarray  # [B] steps of each
    returns: np.ndarray  # [B] the undiscounted sum of its rewards


def play(game: Game, act: Callable[[Tensor], Tensor], n_episodes: int, seed: int) -> Episodes:
    """Play test episodes to their end.

    Args:
        game: played in `n_episodes` parallel copies.
        act: from states [B, S] to joint actions [B, D]: a scripted team, or a learner's `act`.
        n_episodes: B.
        seed: of the resets.
    """
    states = [game.reset(check_count("n_episodes", n_episodes), seed)]
    total, length = torch.zeros(n_episodes), torch.zeros(n_episodes)
    running = torch.ones(n_episodes, dtype=torch.bool)
    while bool(running.any()):
        step = game.step(act(states[-1]))
        check_rewards(step.reward, len(states) - 1)
        total += step.reward
        length += running
        states.append(step.state)
        running = ~(step.terminated | step.truncated)
    return Episodes(torch.stack(states).numpy(), length.int().numpy(), total.numpy())


def returns(
    game: Game, learner: Learner, execution: Execution, n_episodes: int, seed: int
) -> np.ndarray:
    """The returns [n_episodes] of a learner that acts and does not learn.

    Args:
        game: played in `n_episodes` parallel copies; environments, which are objects, in several
            rounds of no more than 64.
        learner: acts.
        execution: "shared", "independent" or "greedy" (or "explore").
        n_episodes: how many.
        seed: of the resets.
    """
    n = check_count("n_episodes", n_episodes)
    most = AT_ONCE if isinstance(game, ParallelGame) else n
    sizes = [min(most, n - done) for done in range(0, n, most)]
    later = np.random.SeedSequence([seed, 1]).generate_state(len(sizes) - 1)
    rounds = zip(sizes, [seed, *later.tolist()], strict=True)
    played = [play(game, lambda state: learner.act(state, execution), *each) for each in rounds]
    return np.concatenate([each.returns for each in played])


def perceived(game: Game, learner: Learner, n_samples: int, seed: int) -> np.ndarray:
    """Samples [N, n_samples, D] of each agent's perceived joint policy in the game's first state.

    Args:
        game: gives the first state.
        learner: asked what it perceives.
        n_samples: how many joint actions an agent.
        seed: of the reset.
    """
    return learner.perceive(game.reset(1, seed), n_samples)[:, 0].numpy()


def over_generalization(
    game: Game, learner: Learner, n_samples: int, seed: int, alpha: float = 1.0
) -> dict[str, np.ndarray]:
    """The PRO and ERO gaps [N] of a learner as it is now, which it does not notice.

    Raises:
        ValueError: if the game has several steps, an agent several coordinates, or it has many.
    """
    if not has_gaps(game):
        wanted = "of one step, of five agents at most and of one number an agent"
        raise ValueError(f"game must be {wanted}, got {game.name!r}")
    with undisturbed(learner):
        samples = perceived(game, learner, n_samples, seed)
    return {"pro": pro_gaps(samples, game.reward, alpha), "ero": ero_gaps(samples, game.reward)}


def has_gaps(game: Game) -> TypeGuard[OneShotGame]:
    """Whether PRO and ERO are measured in a game: of one step and of few agents of one number.

    Every agent more makes fifteen times as many cells.
    """
    few = game.n_agents <= 5 and max(game.action_sizes) == 1
    return few and isinstance(game, OneShotGame)


def pro_gaps(
    samples: np.ndarray, reward: Callable[[Tensor], Tensor], alpha: float, n_bins: int = 15
) -> np.ndarray:
    """Definition 4.2 from samples, at the resolution of a grid: the PRO gap of each agent.

    The box is cut into n_bins^D cells and becomes a finite game, whose payoff is the reward at
    the middles of the cells; ρ_i is the share of samples in each cell. With n samples the gap
    comes out too high by about (cells hit − 1) / 2n.

    Args:
        samples: [N, n, N] perceived joint actions of N agents with one coordinate each.
        reward: of joint actions [..., N] in [−1, 1].
        alpha: the temperature of the optimal policy that it is held against.
        n_bins: cells a coordinate.

    Returns:
        [N] gaps in nats.

    Raises:
        ValueError: if agents have several coordinates, or samples lie outside the box.
    """
    n_agents = _check_samples(samples)
    edges = np.linspace(-1, 1, n_bins + 1)
    middles = torch.as_tensor((edges[:-1] + edges[1:]) / 2)
    cells = torch.stack(torch.meshgrid(*[middles] * n_agents, indexing="ij"), -1)
    payoff = reward(cells).numpy()
    gaps = np.empty(n_agents)
    for agent in range(n_agents):
        others = np.delete(np.asarray(samples[agent], dtype=float), agent, axis=1)
        model, _ = np.histogramdd(others, bins=[edges] * (n_agents - 1))
        gaps[agent] = pro_gap(model / model.sum(), payoff, alpha, agent)
    return gaps


def executed(samples: np.ndarray) -> np.ndarray:
    """Joint actions [n, N] of the executed policy: each agent plays what it perceives of itself.

    Args:
        samples: [N, n, N] perceived joint actions of N agents with one coordinate each.
    """
    draws = np.random.default_rng(0)  # of the pairing
    own = [draws.permutation(np.asarray(u, dtype=float)[:, i]) for i, u in enumerate(samples)]
    return np.stack(own, -1)


def ero_gaps(samples: np.ndarray, reward: Callable[[Tensor], Tensor]) -> np.ndarray:
    """Definition 4.1 from samples: what each agent would gain by seeing its partners' actions.

    The executed policy is that of agents that draw apart from each other, see `executed`.

    Args:
        samples: [N, n, N] perceived joint actions of N agents with one coordinate each.
        reward: of joint actions [..., N] in [−1, 1].

    Returns:
        [N] gaps in the payoff's units; never negative.

    Raises:
        ValueError: if agents have several coordinates, or samples lie outside the box.
    """
    n_agents = _check_samples(samples)
    u = torch.as_tensor(executed(samples))
    earned = reward(u)
    answers = torch.linspace(-1, 1, ANSWERS, dtype=u.dtype)
    gaps = np.empty(n_agents)
    for agent in range(n_agents):
        tried = u.unsqueeze(1).repeat(1, ANSWERS, 1)
        tried[:, :, agent] = answers
        gaps[agent] = (reward(tried).amax(1) - earned).clamp(min=0).mean().item()
    return gaps


def _check_samples(samples: np.ndarray) -> int:
    """N, of samples [N, n, N] in the box."""
    if samples.ndim != 3 or samples.shape[0] != samples.shape[2]:
        raise ValueError(f"samples must be [N, n, N], got shape {tuple(samples.shape)}")
    if not np.abs(samples).max() <= 1:
        raise ValueError(f"samples must lie in [−1, 1], got up to {np.abs(samples).max()}")
    return len(samples)
