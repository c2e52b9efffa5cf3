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
from svnr.games.game import Copies, Game, agent_slices, as_data

MakeEnv = Callable[[], Any]  # makes one ParallelEnv, a new one at each call
TOLERANCE = 1e-6  # between the rewards of two agents that share one, absolute and relative


class ParallelGame(Game):
    """Parallel copies of one environment, stepped one after the other.

    Actions in [−1, 1] are scaled to each agent's Box. The state is what all agents observe, side
    by side in the order of `possible_agents`.

    Args:
        make_env: makes one `ParallelEnv`; called once for each copy. Of a `functools.partial`,
            the rules tell the arguments.
        horizon: steps of an episode; where the environment goes on, it is truncated there.
        name: what the game is called; by default the environment's own name.
        use_env_state: take `env.state()` for the state, not the observations.

    Raises:
        ValueError: if make_env makes no ParallelEnv, an agent's actions are no bounded Box of
            real numbers in one dimension, or its observations no Box.
    """

    def __init__(
        self, make_env: MakeEnv, horizon: int, name: str = "", use_env_state: bool = False
    ) -> None:
        self.horizon = check_count("horizon", horizon)
        self._make_env, self._use_env_state = make_env, use_env_state
        env = make_env()
        _check_parallel(env)
        self._envs, self._kind = [env], type(getattr(env, "unwrapped", env))
        self._env_name = str(env.metadata.get("name", self._kind.__name__))
        self.name = name or self._env_name
        self.agents = list(env.possible_agents)
        self._boxes = [_action_box(env, agent) for agent in self.agents]
        self.action_sizes = tuple(box.shape[0] for box in self._boxes)
        self.state_size = len(self._start(env, 0))

    def rules(self) -> dict[str, Any]:
        """What environment it is, of which release, and how it is played."""
        make = self._make_env if isinstance(self._make_env, partial) else partial(self._make_env)
        kind = f"{self._kind.__module__}.{self._kind.__qualname__}"
        return as_data(
            {
                "environment": [self._env_name, kind, _release(kind.partition(".")[0])],
                "arguments": [make.args, make.keywords],
                "sizes": [self.action_sizes, self.state_size],
                "use_env_state": self._use_env_state,
                **{each: getattr(self, each) for each in ("name", "horizon", "return_bounds")},
            }
        )

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
        if len({id(env) for env in self._envs}) < n_copies:
            raise ValueError("make_env must make a new environment at each call, got one twice")

    def _begin(self, copies: Sequence[int], seed: int) -> Copies:
        seeds = np.random.SeedSequence(seed).generate_state(len(copies))
        starts = zip(copies, seeds, strict=True)
        rows = [self._start(self._envs[copy], int(word) % 2**31) for copy, word in starts]
        return {"state": torch.stack(rows)}

    def _start(self, env: Any, seed: int) -> Tensor:
        """The first state [S] of one copy."""
        told = env.reset(seed=seed)
        observed, _ = _parts("reset", told, ("observations", "infos"))
        self._check_agents("env.agents", env.agents)
        return self._joined(env, observed)

    def _play(self, now: Copies, u: Tensor, running: Tensor) -> tuple[Tensor, Copies]:
        reward = torch.zeros(len(u))
        after = {name: now[name].clone() for name in ("state", "terminated", "truncated")}
        for copy in running.nonzero().flatten().tolist():
            after["state"][copy], reward[copy], *ends = self._one_step(self._envs[copy], u[copy])
            after["terminated"][copy], after["truncated"][copy] = ends
        return reward, after

    def _one_step(self, env: Any, u: Tensor) -> tuple[Tensor, float, bool, bool]:
        """One step of one copy: its state [S], reward, and whether it terminated or was cut."""
        names = ("observations", "rewards", "terminations", "truncations", "infos")
        observed, rewards, ended, cut, _ = _parts("step", env.step(self._actions(u)), names)
        reward = self._shared_reward(rewards)
        terminated = self._together("terminations", ended)
        truncated = self._together("truncations", cut)
        if not (terminated or truncated):
            self._check_agents("env.agents", env.agents)
        return self._joined(env, observed), reward, terminated, truncated

    def _actions(self, u: Tensor) -> dict[str, np.ndarray]:
        """u [D] scaled to the agents' boxes, agent by agent."""
        parts = agent_slices(self.action_sizes)
        shares = (u.numpy().astype(np.float64) + 1) / 2
        return {
            agent: _within(box, shares[part])
            for agent, box, part in zip(self.agents, self._boxes, parts, strict=True)
        }

    def _joined(self, env: Any, observed: Any) -> Tensor:
        self._check_agents("observations", observed)
        own = [observed[agent] for agent in self.agents]
        flat = [np.ravel(part) for part in ([env.state()] if self._use_env_state else own)]
        return torch.as_tensor(np.concatenate(flat), dtype=torch.get_default_dtype())

    def _check_agents(self, what: str, told: Any) -> None:
        """Raise ValueError unless an environment tells of all agents, and of nobody else."""
        if not isinstance(told, Collection):
            raise ValueError(f"{what} must be a dict by agent, got {type(told).__name__}")
        left = [agent for agent in self.agents if agent not in told]
        joined = [agent for agent in told if agent not in self.agents]
        if left or joined:
            raise ValueError(
                f"{what} must have all possible_agents, but {left} left and {joined} joined"
            )

    def _numbers(self, what: str, told: Any) -> dict[str, Any]:
        """What `env.step` tells of each agent: a number, which may be an array of one."""
        self._check_agents(what, told)
        if any(np.size(told[agent]) != 1 for agent in self.agents):
            raise ValueError(f"{what} of env.step must be a number for each agent, got {told}")
        return {agent: np.asarray(told[agent]).item() for agent in self.agents}

    def _shared_reward(self, rewards: Any) -> float:
        told = self._numbers("rewards", rewards)
        first, *others = told.values()
        if not np.isfinite([first, *others]).all():
            raise ValueError(f"rewards of env.step must be finite, got {told}")
        if not all(isclose(x, first, rel_tol=TOLERANCE, abs_tol=TOLERANCE) for x in others):
            raise ValueError(f"all agents must share one reward, got {told}")
        return first

    def _together(self, what: str, ended: Any) -> bool:
        told = self._numbers(what, ended)
        if len(set(told.values())) > 1:
            raise ValueError(f"{what} must be the same for all agents, got {told}")
        return all(told.values())

    # --- saved under way ------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that the steps to come depend on, of environments with a MuJoCo body.

        Raises:
            NotImplementedError: for other environments while copies are under way.
        """
        state = super().state_dict()
        if state:
            state["bodies"] = torch.stack([_saved_body(env) for env in self._envs])
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on where `state_dict` was taken."""
        own = dict(state)
        bodies = own.pop("bodies", torch.empty(0))
        super().load_state_dict(own)
        self._keep(len(bodies))
        for env, body, clock in zip(self._envs, bodies, self._now.get("clock", ()), strict=True):
            env.reset(seed=0)
            _load_body(env, body, int(clock))


def _parts(call: str, told: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
    """What a call of an environment returned, if it is as many values as there are names."""
    if isinstance(told, tuple) and len(told) == len(names):
        return told
    found = f"{len(told)} values" if isinstance(told, tuple) else type(told).__name__
    raise ValueError(f"env.{call} must return ({', '.join(names)}), got {found}")


def _release(package: str) -> str | None:
    """The version of the distribution called as the package is, if there is one."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _check_parallel(env: Any) -> None:
    if hasattr(env, "agent_iter") or not getattr(env, "possible_agents", None):
        raise ValueError(
            "make_env must make a ParallelEnv with possible_agents, where all agents act at once, "
            f"got {type(env).__name__}"
        )


def _action_box(env: Any, agent: str) -> Any:
    """The Box that an agent acts in."""
    seen, space = env.observation_space(agent), env.action_space(agent)
    if not hasattr(seen, "low"):
        raise ValueError(f"the observations of agent {agent!r} must be a Box, got {seen}")
    real = hasattr(space, "low") and np.issubdtype(space.dtype, np.floating)
    if not (real and len(space.shape) == 1 and np.isfinite([space.low, space.high]).all()):
        raise ValueError(
            f"the actions of agent {agent!r} must be a bounded Box of real numbers in one "
            f"dimension, got {space}"
        )
    return space


def _within(box: Any, share: np.ndarray) -> np.ndarray:
    """The point of the box this share of the way from low to high, in the box's own numbers."""
    low, high = box.low.astype(np.float64), box.high.astype(np.float64)
    return (low + share * (high - low)).astype(box.dtype).clip(box.low, box.high)


def _robot(env: Any) -> Any:
    """The gymnasium environment inside one of gymnasium-robotics, with its MuJoCo data."""
    found = getattr(getattr(env, "unwrapped", env), "single_agent_env", None)
    if not hasattr(getattr(found, "unwrapped", None), "data"):
        raise NotImplementedError(
            f"only robots of gymnasium-robotics can be saved under way, got {type(env).__name__}"
        )
    return found


def _saved_body(env: Any) -> Tensor:
    """All that the steps of one robot start from; rewards of some read places of the last step."""
    import mujoco

    body, parts = _robot(env).unwrapped, mujoco.mjtState.mjSTATE_INTEGRATION
    full = np.empty(mujoco.mj_stateSize(body.model, parts))
    mujoco.mj_getState(body.model, body.data, full, parts)
    places = (body.data.xpos.ravel(), body.data.xipos.ravel())
    return torch.from_numpy(np.concatenate([full, *places]))


def _load_body(env: Any, saved: Tensor, clock: int) -> None:
    """Put one robot where it was saved, after `clock` steps, which a time limit counts as well."""
    import mujoco

    layer = _robot(env)
    body = layer.unwrapped
    n, parts = body.data.xpos.size, mujoco.mjtState.mjSTATE_INTEGRATION
    mujoco.mj_setState(body.model, body.data, saved[: -2 * n].numpy(), parts)
    body.data.xpos.flat, body.data.xipos.flat = saved[-2 * n : -n].numpy(), saved[-n:].numpy()
    while layer is not body:
        if "_elapsed_steps" in vars(layer):
            layer._elapsed_steps = clock
        layer = layer.env
