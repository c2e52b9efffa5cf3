"""Any PettingZoo `ParallelEnv` with continuous actions and a shared reward, as a game.

Needs `pip install "svnr[games]"` for PettingZoo and its particle world.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from svnr.games.game import Step, agent_slices, check_actions, check_count

TOLERANCE = 1e-6  # between the rewards of two agents that share one


class ParallelGame:
    """Parallel copies of one environment, stepped one after the other.

    Actions in [−1, 1] are scaled to each agent's Box. The state is what all agents observe, side
    by side in the order of `possible_agents`. A copy that has ended stays and pays nothing.

    Args:
        make_env: makes one `ParallelEnv`; called once for each copy.
        horizon: steps after which the environment truncates an episode.
        name: what the game is called; by default the environment's own name.

    Raises:
        TypeError: if an agent's actions or observations are no Box.
        ValueError: if an agent's Box is unbounded or of several dimensions.
    """

    def __init__(self, make_env: Callable[[], Any], horizon: int, name: str = "") -> None:
        check_count("horizon", horizon)
        self._make_env, self.horizon = make_env, horizon
        env = make_env()
        self.agents = list(env.possible_agents)
        self.n_agents = len(self.agents)
        self.name = name or str(env.metadata.get("name", type(env).__name__))
        lows, highs = zip(*(_bounds(env, agent) for agent in self.agents), strict=True)
        self.action_sizes = tuple(len(low) for low in lows)
        self._low, self._high = np.concatenate(lows), np.concatenate(highs)
        self.state_size = sum(_observation_size(env, agent) for agent in self.agents)
        env.close()

    def reset(self, n_copies: int, seed: int) -> Tensor:
        """Start `n_copies` environments, each from a seed of its own; the states [B, S]."""
        check_count("n_copies", n_copies)
        seeds = np.random.SeedSequence(seed).generate_state(n_copies)
        self._envs = [self._make_env() for _ in range(n_copies)]
        observed = [
            env.reset(seed=int(word) % 2**31)[0]
            for env, word in zip(self._envs, seeds, strict=True)
        ]
        self._state = torch.stack([self._joined(each) for each in observed])
        self._over = torch.zeros(n_copies, dtype=torch.bool)
        return self._state

    def step(self, u: Tensor) -> Step:
        """Play the joint action u [B, D] in every copy that still goes on.

        Raises:
            ValueError: if rewards differ between agents, or agents leave or end at different
                times.
        """
        check_actions(u, sum(self.action_sizes))
        n = len(self._envs)
        reward, terminated, truncated = torch.zeros(n), self._over.clone(), torch.zeros(n).bool()
        state = self._state.clone()
        for copy in (~self._over).nonzero().flatten().tolist():
            observed, rewards, ended, cut, _ = self._envs[copy].step(self._actions(u[copy]))
            reward[copy] = self._shared_reward(rewards)
            terminated[copy] = self._together(ended, "terminated")
            truncated[copy] = self._together(cut, "truncated") and not bool(terminated[copy])
            state[copy] = self._joined(observed)
            if not (terminated[copy] or truncated[copy]):
                self._check_present(self._envs[copy].agents)
        self._state, self._over = state, terminated | truncated
        return Step(state, reward, terminated, truncated)

    def _actions(self, u: Tensor) -> dict[str, np.ndarray]:
        """u [D] scaled to the agents' boxes, agent by agent."""
        share = (u.numpy().astype(np.float64) + 1) / 2
        scaled = (self._low + share * (self._high - self._low)).astype(np.float32)
        parts = agent_slices(self.action_sizes)
        return {agent: scaled[part] for agent, part in zip(self.agents, parts, strict=True)}

    def _joined(self, observed: dict[str, np.ndarray]) -> Tensor:
        self._check_present(observed)
        flat = [np.asarray(observed[agent], dtype=np.float32).ravel() for agent in self.agents]
        return torch.from_numpy(np.concatenate(flat))

    def _check_present(self, present: Any) -> None:
        missing = [agent for agent in self.agents if agent not in present]
        if missing:
            raise ValueError(f"all agents must stay until the end, but {missing} left")

    def _shared_reward(self, rewards: dict[str, float]) -> float:
        first, *others = (float(rewards[agent]) for agent in self.agents)
        if any(abs(other - first) > TOLERANCE for other in others):
            told = {agent: round(float(rewards[agent]), 4) for agent in self.agents}
            raise ValueError(f"all agents must share one reward, got {told}")
        return first

    def _together(self, ended: dict[str, bool], word: str) -> bool:
        values = {bool(ended[agent]) for agent in self.agents}
        if len(values) > 1:
            raise ValueError(f"all agents must be {word} together, got {dict(ended)}")
        return values.pop()


def _bounds(env: Any, agent: str) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and highest action of one agent, each [its coordinates]."""
    space = env.action_space(agent)
    if not hasattr(space, "low"):
        raise TypeError(f"the actions of agent {agent!r} must be a Box, got {space}")
    low, high = np.asarray(space.low, dtype=np.float64), np.asarray(space.high, dtype=np.float64)
    if low.ndim != 1 or not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise ValueError(
            f"the actions of agent {agent!r} must be a bounded Box of one dimension, got {space}"
        )
    return low, high


def _observation_size(env: Any, agent: str) -> int:
    space = env.observation_space(agent)
    if not hasattr(space, "low"):
        raise TypeError(f"the observations of agent {agent!r} must be a Box, got {space}")
    return int(np.prod(space.shape))
