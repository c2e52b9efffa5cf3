"""Any PettingZoo `ParallelEnv` with continuous actions and a shared reward, as a game.

Nothing is imported for it here: what `make_env` makes brings its own packages.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from importlib import metadata
from math import isclose
from typing import Any

import numpy as np
import torch
from torch import Tensor

from svnr.checks import check_count
from svnr.games.game import Copies, Game, NotFiniteError, agent_slices, as_data

TOLERANCE = 1e-6  # between the rewards of two agents that share one, absolute and relative


class ParallelGame(Game):
    """Parallel copies of one environment, stepped one after the other.

    Actions in [−1, 1] are scaled to each agent's Box. The state is what all agents observe, side
    by side in the order of `possible_agents`.

    Args:
        make_env: makes one `ParallelEnv`, a new one at each call. Of a `functools.partial`,
            the rules tell the arguments.
        horizon: steps of an episode; where the environment goes on, it is truncated there.
        name: what the game is called; by default the environment's own name.
        use_env_state: take `env.state()` for the state, not the observations.

    Raises:
        ValueError: if make_env makes no ParallelEnv, an agent's actions are no bounded Box of
            real numbers in one dimension, or its observations no Box.
    """

    version = 2  # tests are played in rounds

    def __init__(
        self,
        make_env: Callable[[], Any],
        horizon: int,
        name: str = "",
        use_env_state: bool = False,
    ) -> None:
        self.horizon = check_count("horizon", horizon)
        self._make_env, self._use_env_state = partial(make_env), use_env_state
        env = _checked(make_env())
        self._envs, self._kind = [env], type(getattr(env, "unwrapped", env))
        self._starts: list[int] = [0]  # the seed by which each copy's episode began
        self._played: list[list[np.ndarray]] = [[]]  # its actions [D] since
        self._env_name = str(env.metadata.get("name", self._kind.__name__))
        self.name = name or self._env_name
        self.agents = list(env.possible_agents)
        self._boxes = [_action_box(env, agent) for agent in self.agents]
        self.action_sizes = tuple(box.shape[0] for box in self._boxes)
        self.state_size = len(self._start(0, 0))

    def rules(self) -> dict[str, Any]:
        """What environment it is, of which release, and how it is played."""
        kind = f"{self._kind.__module__}.{self._kind.__qualname__}"
        packages = metadata.distributions(name=kind.partition(".")[0])
        rules = {
            "environment": [self._env_name, kind, next((each.version for each in packages), None)],
            "arguments": [self._make_env.args, self._make_env.keywords],
            "sizes": [self.action_sizes, self.state_size],
            "use_env_state": self._use_env_state,
        }
        told = ("name", "horizon", "return_bounds")
        return as_data(rules | {each: getattr(self, each) for each in told})

    def reset(self, n_copies: int, seed: int) -> Tensor:
        """Start `n_copies` environments, each from a seed of its own; the states [B, S]."""
        self._keep(check_count("n_copies", n_copies))
        return super().reset(n_copies, seed)

    def close(self) -> None:
        """Close every copy; the next reset makes new ones."""
        super().close()
        self._keep(0)

    def _keep(self, n_copies: int) -> None:
        """Have exactly `n_copies` environments: close those too many, make those missing."""
        for env in self._envs[n_copies:]:
            env.close()
        self._envs = self._envs[:n_copies]
        self._envs += [self._make_env() for _ in range(n_copies - len(self._envs))]
        self._starts, self._played = [0] * n_copies, [[] for _ in range(n_copies)]
        if len({id(env) for env in self._envs}) < n_copies:
            raise ValueError("make_env must make a new environment at each call, got one twice")

    def _begin(self, copies: Sequence[int], seed: int) -> Copies:
        words = np.random.SeedSequence(seed).generate_state(len(copies))
        starts = zip(copies, (words % 2**31).tolist(), strict=True)
        return {"state": torch.stack([self._start(k, word) for k, word in starts])}

    def _start(self, copy: int, seed: int) -> Tensor:
        """The first state [S] of one copy."""
        env, self._starts[copy], self._played[copy] = self._envs[copy], seed, []
        observed, _ = _parts("reset", env.reset(seed=seed), ("observations", "infos"))
        self._check_agents("env.agents", env.agents)
        return self._joined(env, observed)

    def _play(self, now: Copies, u: Tensor, running: Tensor) -> tuple[Tensor, Copies]:
        reward = torch.zeros(len(u))
        after = {name: now[name].clone() for name in ("state", "terminated", "truncated")}
        for copy in running.nonzero().flatten().tolist():
            after["state"][copy], reward[copy], *ends = self._one_step(copy, u[copy])
            after["terminated"][copy], after["truncated"][copy] = ends
        return reward, after

    def _one_step(self, copy: int, u: Tensor) -> tuple[Tensor, float, bool, bool]:
        """One step of one copy: its state [S], reward, and whether it terminated or was cut."""
        env = self._envs[copy]
        self._played[copy].append(u.numpy().copy())
        names = ("observations", "rewards", "terminations", "truncations", "infos")
        observed, *told, _ = _parts("step", env.step(self._actions(u)), names)
        reward, ended, cut = map(self._shared, names[1:4], told)
        if not (ended or cut):
            self._check_agents("env.agents", env.agents)
        return self._joined(env, observed), reward, ended, cut

    def _actions(self, u: Tensor) -> dict[str, np.ndarray]:
        """u [D] scaled to the agents' boxes, agent by agent."""
        shares = (u.numpy().astype(np.float64) + 1) / 2
        parts = [shares[part] for part in agent_slices(self.action_sizes)]
        return dict(zip(self.agents, map(_within, self._boxes, parts), strict=True))

    def _joined(self, env: Any, observed: Any) -> Tensor:
        self._check_agents("observations", observed)
        own = [env.state()] if self._use_env_state else [observed[name] for name in self.agents]
        flat = np.concatenate([np.ravel(part) for part in own])
        return torch.as_tensor(flat, dtype=torch.get_default_dtype())

    def _check_agents(self, what: str, told: Any) -> None:
        """Raise ValueError unless an environment tells of all agents, and of nobody else."""
        found = list(told) if isinstance(told, Collection) else type(told).__name__
        if not isinstance(told, Collection) or set(told) != set(self.agents):
            raise ValueError(f"{what} must have all possible_agents {self.agents}, got {found}")

    def _shared(self, what: str, told: Any) -> Any:
        """The one number that `env.step` tells all agents; it may come as an array of one."""
        self._check_agents(what, told)
        each = [np.asarray(told[agent]) for agent in self.agents]
        if any(x.size != 1 or x.dtype.kind not in "biuf" for x in each):
            raise ValueError(f"{what} of env.step must be a number each, got {told}")
        if not all(np.isfinite(x).all() for x in each):
            raise NotFiniteError(f"{what} of env.step must be finite, got {told}")
        first, *others = (x.item() for x in each)
        if not all(isclose(x, first, rel_tol=TOLERANCE, abs_tol=TOLERANCE) for x in others):
            raise ValueError(f"all agents must share the same {what}, got {told}")
        return first

    # --- saved under way ------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that the steps to come depend on: how episodes began, and what was played."""
        state = super().state_dict()
        if state:
            longest = int(state["clock"].max())
            played = torch.zeros(len(self._envs), longest, sum(self.action_sizes))
            for row, actions in zip(played.numpy(), self._played, strict=True):
                row[: len(actions)] = actions or row[:0]
            state |= {"starts": torch.tensor(self._starts), "played": played}
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on where `state_dict` was taken: every copy plays its episode again.

        Raises:
            ValueError: if an environment does not come to the same state again.
        """
        kept = {name: part for name, part in state.items() if name not in ("starts", "played")}
        super().load_state_dict(kept)
        starts, clocks = state.get("starts", torch.zeros(0)).tolist(), state.get("clock", ())
        self._keep(len(starts))
        for copy, (start, clock) in enumerate(zip(starts, clocks, strict=True)):
            reached = self._start(copy, start)
            for u in state["played"][copy, : int(clock)]:
                reached, *_ = self._one_step(copy, u)
            if not torch.equal(reached, kept["state"][copy]):
                wanted = f"come to {kept['state'][copy]} again by seed {start} and its actions"
                raise ValueError(f"an environment saved under way must {wanted}, got {reached}")


def _parts(call: str, told: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
    """What a call of an environment returned, if it is as many values as there are names."""
    if isinstance(told, tuple) and len(told) == len(names):
        return told
    found = f"{len(told)} values" if isinstance(told, tuple) else type(told).__name__
    raise ValueError(f"env.{call} must return ({', '.join(names)}), got {found}")


def _checked(env: Any) -> Any:
    """The environment, if all agents act at once in it."""
    if hasattr(env, "agent_iter") or not getattr(env, "possible_agents", None):
        wanted = "a ParallelEnv with possible_agents, where all agents act at once"
        raise ValueError(f"make_env must make {wanted}, got {type(env).__name__}")
    return env


def _action_box(env: Any, agent: str) -> Any:
    """The Box that an agent acts in."""
    seen, space = env.observation_space(agent), env.action_space(agent)
    if not hasattr(seen, "low"):
        raise ValueError(f"the observations of agent {agent!r} must be a Box, got {seen}")
    real = hasattr(space, "low") and np.issubdtype(space.dtype, np.floating)
    if not (real and len(space.shape) == 1 and np.isfinite([space.low, space.high]).all()):
        wanted = "a bounded Box of real numbers in one dimension"
        raise ValueError(f"the actions of agent {agent!r} must be {wanted}, got {space}")
    return space


def _within(box: Any, share: np.ndarray) -> np.ndarray:
    """The point of the box this share of the way from low to high, in the box's own numbers."""
    low, high = box.low.astype(np.float64), box.high.astype(np.float64)
    return (low + share * (high - low)).astype(box.dtype).clip(box.low, box.high)
