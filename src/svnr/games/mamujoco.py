"""Multi-agent MuJoCo: one robot, whose joints are shared out among agents, in parallel copies.

Robots and rules are those of gymnasium-robotics. Its environments are stepped one by one; here
one simulator takes all copies in turn, and what they earn is worked out for all at once.
Needs `pip install "svnr[mujoco]"`.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from svnr.checks import check_count, check_one_of, fitted
from svnr.games.game import Copies, Game, as_data
from svnr.games.robots import SCENARIOS, Bodies, always

TOO_NEW = (3, 6)  # the first version of mujoco that does not load the coupled cheetahs


@dataclass(frozen=True)
class Capsules:
    """The G parts of a robot as they stand."""

    ends: np.ndarray  # [G, 2, 3] of each part's axis, in metres
    radius: np.ndarray  # [G]
    owner: np.ndarray  # [G] the agent that moves the part, −1 for nobody


class MultiAgentMuJoCo(Game):
    """A robot of gymnasium-robotics, moved by several agents that are paid for getting ahead.

    Args:
        scenario: which robot, of `SCENARIOS`.
        factorization: which joints are whose.
        horizon: steps of an episode, after which it is truncated.
        observe: the "state" of the whole robot; or what is "local" to each agent, its own joints
            and those next to them, side by side.
        forces: whether the contact forces on an Ant are part of its state.
        name: what the game is called; by default the robot and the factorization.

    Raises:
        ValueError: for a robot, or a factorization of it, that there is not; without mujoco, or
            with one that is too new.
    """

    def __init__(
        self,
        scenario: str,
        factorization: str,
        horizon: int = 1000,
        observe: Literal["state", "local"] = "state",
        forces: bool = True,
        name: str = "",
    ) -> None:
        self._robot = SCENARIOS[check_one_of("scenario", scenario, SCENARIOS)]
        check_one_of("factorization", factorization, self._robot.factorizations)
        self.horizon = check_count("horizon", horizon)
        self._local = check_one_of("observe", observe, ("state", "local")) == "local"
        self._forces_seen = fitted("forces", forces, bool)
        self.name = name or f"{scenario}_{factorization}".lower()
        self._mujoco = checked_mujoco()
        self._shared = shared_out(scenario, factorization)
        self._env = self._shared.single_agent_env.unwrapped
        shares = self._shared.agent_action_partitions
        self._actuators = [joint.act_ids for share in shares for joint in share]
        self.action_sizes = tuple(map(len, shares))
        parts = self._mujoco.mjtState  # of a simulation, each one bit; they lie in this order
        self._kept = 2 * parts.mjSTATE_CTRL.value - 1  # all that steps depend on
        ends = (parts.mjSTATE_QPOS, parts.mjSTATE_QVEL, parts.mjSTATE_ACT, parts.mjSTATE_CTRL)
        self._qpos, self._qvel, self._end, self._ctrl = (self._size(end.value - 1) for end in ends)
        joints = np.delete(np.arange(self._qpos, self._end), self._robot.unseen)
        self._seen, self._n_read = joints, len(self._read())
        self.state_size = self._begin([0], 0)["state"].shape[1]

    def _size(self, parts: int) -> int:
        """How many numbers these parts of a simulation have."""
        return int(self._mujoco.mj_stateSize(self._env.model, parts))

    def rules(self) -> dict[str, Any]:
        """The robot's file and numbers, mujoco's version, and how it is played."""
        env, told = self._env, ("_weight", "_reward", "_range", "_scale", "frame_skip")
        return as_data(
            {
                "robot": hashlib.sha256(Path(env.fullpath).read_bytes()).hexdigest(),
                "mujoco": self._mujoco.__version__,
                "numbers": {n: v for n, v in sorted(vars(env).items()) if n.endswith(told)},
                "actuators": [self._actuators, self.action_sizes],
                "observe": self._shared.agent_obsk if self._local else "state",
                "forces": self._forces_seen,
                "horizon": self.horizon,
            }
        )

    def _begin(self, copies: Sequence[int], seed: int) -> Copies:
        words = np.random.SeedSequence(seed).generate_state(len(copies)) % 2**31
        kept = np.empty((len(words), self._size(self._kept)))
        read = np.empty((len(words), self._n_read))
        for copy, word in enumerate(words.tolist()):
            self._env.reset(seed=word)
            self._mujoco.mj_getState(self._env.model, self._env.data, kept[copy], self._kept)
            read[copy] = self._read()
        return self._remembered(self._bodies(kept, read), kept)

    def _play(self, now: Copies, u: Tensor, running: Tensor) -> tuple[Tensor, Copies]:
        kept, read = now["kept"].numpy().copy(), np.zeros((len(u), self._n_read))
        kept[:, self._ctrl :][:, self._actuators] = u.numpy()
        for copy in running.nonzero().flatten().tolist():
            self._simulate(kept[copy])
            if self._n_read:
                read[copy] = self._read()
        bodies = self._bodies(kept, read)
        after = self._remembered(bodies, kept)
        velocity = (after["ahead"] - now["ahead"]).numpy() / self._env.dt
        reward = self._reward(bodies, velocity, kept[:, self._ctrl :])
        after["terminated"] = torch.from_numpy(~self._robot.healthy(self._env, bodies))
        return torch.from_numpy(reward).to(u.dtype), after

    def _simulate(self, kept: np.ndarray) -> None:
        """Take one copy from where it was kept, and keep it where it comes to be."""
        mujoco, model, data = self._mujoco, self._env.model, self._env.data
        mujoco.mj_setState(model, data, kept, self._kept)
        mujoco.mj_step(model, data, self._env.frame_skip)
        if self._robot.forces:
            mujoco.mj_rnePostConstraint(model, data)
        mujoco.mj_getState(model, data, kept, self._kept)

    def _read(self) -> np.ndarray:
        """[R] what is read of the simulation as it is now."""
        local = self._shared._get_obs().values() if self._local else ()
        return np.concatenate([np.empty(0), *self._robot.read(self._env.data), *local])

    def _bodies(self, kept: np.ndarray, read: np.ndarray) -> Bodies:
        return Bodies(kept[:, self._qpos : self._qvel], kept[:, self._qvel : self._end], read)

    def _remembered(self, bodies: Bodies, kept: np.ndarray) -> dict[str, Tensor]:
        """What the copies remember of robots that are kept so."""
        state = torch.from_numpy(self._observed(bodies, kept)).to(torch.get_default_dtype())
        told = {"kept": kept, "ahead": self._robot.ahead(bodies)}
        return {"state": state, **{name: torch.from_numpy(rows) for name, rows in told.items()}}

    def _observed(self, bodies: Bodies, kept: np.ndarray) -> np.ndarray:
        """[B, S]."""
        if self._local:
            width = sum(space.shape[0] for space in self._shared.observation_spaces.values())
            return bodies.read[:, -width:]
        seen, fastest = kept[:, self._seen], self._robot.fastest
        moving = seen[:, -bodies.qvel.shape[1] :]
        moving.clip(-fastest, fastest, out=moving)
        return np.concatenate([seen, self._robot.beside(bodies)], 1) if self._forces_seen else seen

    def _reward(self, bodies: Bodies, velocity: np.ndarray, torque: np.ndarray) -> np.ndarray:
        """[B] what robots are paid, X in each copy.

        Args:
            bodies: as they are now.
            velocity: [B, X] of the step that brought them here, in metres a second.
            torque: [B, D] of all actuators.
        """
        env, robot = self._env, self._robot
        effort = np.square(torque).sum(1) / velocity.shape[1]
        reward = env._forward_reward_weight * velocity.mean(1) - env._ctrl_cost_weight * effort
        if robot.healthy is not always:
            reward += env._healthy_reward * robot.healthy(env, bodies)
        if robot.forces:
            reward -= env._contact_cost_weight * np.square(robot.forces(bodies)).sum(1)
        return reward

    def capsules(self) -> Capsules:
        """The parts of the first copy's robot as they stand, for drawing.

        Raises:
            ValueError: if no reset started one.
        """
        if "kept" not in self._now:
            raise ValueError("game must be reset before it is drawn, got one that was not")
        mujoco, model, data = self._mujoco, self._env.model, self._env.data
        mujoco.mj_setState(model, data, self._now["kept"][0].numpy(), self._kept)
        mujoco.mj_kinematics(model, data)
        kinds = (mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_SPHERE)
        shown = np.isin(model.geom_type, [int(kind) for kind in kinds])
        radius, half = model.geom_size[shown, :2].T
        axis = data.geom_xmat[shown].reshape(-1, 3, 3)[:, :, 2] * half[:, None]
        middle = data.geom_xpos[shown]
        owner = np.full(model.nbody, -1)
        driven = model.jnt_bodyid[model.actuator_trnid[self._actuators, 0]]
        owner[driven] = np.repeat(np.arange(self.n_agents), self.action_sizes)
        ends = np.stack([middle - axis, middle + axis], 1)
        return Capsules(ends, radius.copy(), owner[model.geom_bodyid[shown]])


def snapshots(
    game: MultiAgentMuJoCo, act: Callable[[Tensor], Tensor], steps: Sequence[int], seed: int = 0
) -> list[Capsules]:
    """How a robot stands at these steps of an episode.

    Args:
        game: played in one copy.
        act: from states [1, S] to joint actions [1, D].
        steps: in order.
        seed: of the reset.
    """
    state, bodies = game.reset(1, seed), {}
    for step in range(max(steps) + 1):
        if step in steps:
            bodies[step] = game.capsules()
        state = game.step(act(state)).state
    return [bodies[step] for step in steps]


def checked_mujoco() -> Any:
    """The package mujoco.

    Raises:
        ValueError: if it is missing, or too new; with what to install, and why.
    """
    wanted = 'pip install "svnr[mujoco]"'
    try:
        import gymnasium_robotics  # noqa: F401
        import mujoco
    except ImportError as error:
        raise ValueError(f"multi-agent MuJoCo needs mujoco and its robots: {wanted}") from error
    if tuple(map(int, mujoco.__version__.split(".")[:2])) >= TOO_NEW:
        newest = ".".join(map(str, TOO_NEW))
        why = f"older than {newest}, which does not load the coupled cheetahs"
        raise ValueError(f"mujoco must be {why}, got {mujoco.__version__}: {wanted}")
    return mujoco


def shared_out(scenario: str, factorization: str) -> Any:
    """Gymnasium-robotics' environment: a robot of which every agent moves its own joints.

    There both coupled cheetahs observe the second; here each observes itself.
    """
    from gymnasium_robotics import mamujoco_v1

    parts, edges, whole = mamujoco_v1.get_parts_and_edges(scenario, factorization)
    if scenario == "CoupledHalfCheetah":
        for agent, part in enumerate(parts):
            for joint in part:
                joint.qpos_ids = joint.qvel_ids = 3 + 9 * agent + joint.act_ids % 6
    shares = {"partition": parts, "edges": edges, "globals": whole}
    return mamujoco_v1.parallel_env(scenario, factorization, 1, agent_factorization=shares)
