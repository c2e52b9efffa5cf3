"""Any PettingZoo `ParallelEnv` with continuous actions and a shared reward, as a game.

Nothing is imported for it here: what `make_env` makes brings its own packages.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from svnr.checks import check_count
from svnr.games.game import Step, agent_slices, check_actions

TOLERANCE = 1e-6  # between the rewards of two agents that share one


class ParallelGame:
    """Parallel copies of one environment, stepped one after the other.

    Actions in [−1, 1] are scaled to each agent's Box. The state is what all agents observe, side
    by side in the order of `possible_agents`. A copy that has ended stays and pays nothing.

    Args:
        make_env: makes one `ParallelEnv`; called once for each copy.
        horizon: steps of an episode; where the environment goes on, it is truncated there.
        name: what the game is called; by default the environment's own name.
        use_env_state: take `env.state()` for the state, not the observations.

    Raises:
        TypeError: if make_env makes no ParallelEnv, or an agent's actions or observations are no
            Box of real numbers.
        ValueError: if an agent's Box is unbounded or of several dimensions.
    """

    return_bounds = (-np.inf, np.inf)

    def __init__(
        self,
        make_env: Callable[[], Any],
        horizon: int,
        name: str = "",
        use_env_state: bool = False,
    ) -> None:
        check_count("horizon", horizon)
        self._make_env, self.horizon, self._use_env_state = make_env, horizon, use_env_state
        env = make_env()
        _check_parallel(env)
        self.agents = list(env.possible_agents)
        self.n_agents = len(self.agents)
        self.name = name or str(env.metadata.get("name", type(env).__name__))
        self._boxes = [_action_box(env, agent) for agent in self.agents]
        self.action_sizes = tuple(box.shape[0] for box in self._boxes)
        sizes = [_observation_size(env, agent) for agent in self.agents]
        self.state_size = _size_of_state(env) if use_env_state else sum(sizes)
        self._envs = [env]
        self._n_copies = 0  # until reset starts some

    def reset(self, n_copies: int, seed: int) -> Tensor:
        """Start `n_copies` environments, each from a seed of its own; the states [B, S]."""
        check_count("n_copies", n_copies)
        self._keep(n_copies)
        seeds = np.random.SeedSequence(seed).generate_state(n_copies)
        rows = [
            self._joined(env, env.reset(seed=int(word) % 2**31)[0])
            for env, word in zip(self._envs, seeds, strict=True)
        ]
        for env in self._envs:
            self._check_everyone(env)
        self._state, self._n_copies, self._steps = torch.stack(rows), n_copies, 0
        self._terminated = torch.zeros(n_copies, dtype=torch.bool)
        self._truncated = torch.zeros(n_copies, dtype=torch.bool)
        return self._state

    def step(self, u: Tensor) -> Step:
        """Play the joint action u [B, D] in every copy that still goes on.

        Raises:
            ValueError: if rewards differ between agents, or agents leave or end at different
                times.
        """
        check_actions(u, sum(self.action_sizes), self._n_copies)
        self._steps += 1
        reward = torch.zeros(self._n_copies)
        state, terminated = self._state.clone(), self._terminated.clone()
        truncated = self._truncated.clone()
        for copy in (~(terminated | truncated)).nonzero().flatten().tolist():
            state[copy], reward[copy], terminated[copy], truncated[copy] = self._play(
                self._envs[copy], u[copy]
            )
        self._state, self._terminated, self._truncated = state, terminated, truncated
        return Step(state, reward, terminated, truncated)

    def close(self) -> None:
        """Close every copy; the next reset makes new ones."""
        for env in self._envs:
            env.close()
        self._envs, self._n_copies = [], 0

    def _keep(self, n_copies: int) -> None:
        """Have exactly `n_copies` environments: close those too many, make those missing."""
        for env in self._envs[n_copies:]:
            env.close()
        self._envs = self._envs[:n_copies]
        self._envs += [self._make_env() for _ in range(n_copies - len(self._envs))]
        if len({id(env) for env in self._envs}) < n_copies:
            raise ValueError("make_env must make a new environment at each call, got one twice")

    def _play(self, env: Any, u: Tensor) -> tuple[Tensor, float, bool, bool]:
        """One step of one copy: its state [S], reward, and whether it terminated or was cut."""
        observed, rewards, ended, cut, _ = env.step(self._actions(u))
        reward = self._shared_reward(rewards)
        terminated = self._together(ended, "terminated")
        truncated = self._together(cut, "truncated")
        if not (terminated or truncated):
            self._check_everyone(env)
        over = truncated or self._steps >= self.horizon
        return self._joined(env, observed), reward, terminated, over and not terminated

    def _actions(self, u: Tensor) -> dict[str, np.ndarray]:
        """u [D] scaled to the agents' boxes, agent by agent."""
        parts = agent_slices(self.action_sizes)
        shares = (u.detach().numpy().astype(np.float64) + 1) / 2
        return {
            agent: _within(box, shares[part])
            for agent, box, part in zip(self.agents, self._boxes, parts, strict=True)
        }

    def _joined(self, env: Any, observed: dict[str, np.ndarray]) -> Tensor:
        self._check_present(observed)
        parts = [env.state()] if self._use_env_state else [observed[a] for a in self.agents]
        flat = [np.asarray(part, dtype=np.float32).ravel() for part in parts]
        return torch.from_numpy(np.concatenate(flat))

    def _check_present(self, present: Any) -> None:
        missing = [agent for agent in self.agents if agent not in present]
        if missing:
            raise ValueError(f"all agents must be there from start to end, but {missing} left")

    def _check_everyone(self, env: Any) -> None:
        self._check_present(env.agents)
        strangers = [agent for agent in env.agents if agent not in self.agents]
        if strangers:
            raise ValueError(f"all agents must be in possible_agents, but {strangers} joined")

    def _shared_reward(self, rewards: dict[str, float]) -> float:
        self._check_present(rewards)
        first, *others = (float(rewards[agent]) for agent in self.agents)
        if not all(abs(other - first) <= TOLERANCE for other in others):
            told = {agent: round(float(rewards[agent]), 4) for agent in self.agents}
            raise ValueError(f"all agents must share one reward, got {told}")
        return first

    def _together(self, ended: dict[str, bool], word: str) -> bool:
        self._check_present(ended)
        values = {agent: bool(ended[agent]) for agent in self.agents}
        if len(set(values.values())) > 1:
            raise ValueError(f"all agents must be {word} together, got {values}")
        return all(values.values())


def _check_parallel(env: Any) -> None:
    if hasattr(env, "agent_iter") or not getattr(env, "possible_agents", None):
        raise TypeError(
            "make_env must make a ParallelEnv with possible_agents, where all agents act at once, "
            f"got {type(env).__name__}"
        )


def _action_box(env: Any, agent: str) -> Any:
    """The bounded one-dimensional Box that an agent acts in."""
    space = env.action_space(agent)
    if not _is_box(space):
        raise TypeError(
            f"the actions of agent {agent!r} must be a Box of real numbers, got {space}"
        )
    if len(space.shape) != 1 or not np.isfinite([space.low, space.high]).all():
        raise ValueError(
            f"the actions of agent {agent!r} must be a bounded Box of one dimension, got {space}"
        )
    return space


def _within(box: Any, share: np.ndarray) -> np.ndarray:
    """The point of the box this share of the way from low to high, in the box's own numbers."""
    low, high = box.low.astype(np.float64), box.high.astype(np.float64)
    return (low + share * (high - low)).astype(box.dtype).clip(box.low, box.high)


def _observation_size(env: Any, agent: str) -> int:
    space = env.observation_space(agent)
    if not hasattr(space, "low"):
        raise TypeError(f"the observations of agent {agent!r} must be a Box, got {space}")
    return int(np.prod(space.shape))


def _size_of_state(env: Any) -> int:
    env.reset(seed=0)
    return int(np.size(env.state()))


def _is_box(space: Any) -> bool:
    return hasattr(space, "low") and np.issubdtype(space.dtype, np.floating)
