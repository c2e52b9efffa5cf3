"""The robots of multi-agent MuJoCo: what of their rules gymnasium has not as a number."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Bodies:
    """B robots, as the rules see them."""

    qpos: np.ndarray  # [B, nq] where the joints are
    qvel: np.ndarray  # [B, nv] how they move
    read: np.ndarray  # [B, R] what else was read of the simulator


def _first_joint(bodies: Bodies) -> np.ndarray:
    return bodies.qpos[:, :1]


def always(env: Any, bodies: Bodies) -> np.ndarray:
    """[B] true: an episode of this robot does not end early."""
    return np.ones(len(bodies.qpos), bool)


@dataclass(frozen=True)
class Scenario:
    """A robot: what of its rules is not a number that gymnasium's environment has."""

    factorizations: tuple[str, ...]  # that gymnasium-robotics knows
    unseen: tuple[int, ...] = (0,)  # joints whose positions nobody observes
    fastest: float = math.inf  # of the velocities that are observed
    ahead: Callable[[Bodies], np.ndarray] = _first_joint  # [B, X] how far ahead, of X robots
    read: Callable[[Any], list[np.ndarray]] = lambda data: []  # of the simulator, beside joints
    beside: Callable[[Bodies], np.ndarray] = lambda bodies: bodies.read  # what of it is observed
    forces: Callable[[Bodies], np.ndarray] | None = None  # [B, …] that are to be paid for
    healthy: Callable[[Any, Bodies], np.ndarray] = always  # [B] bool; else it has ended


def _tendon(data: Any) -> list[np.ndarray]:
    """Where it pulls the two cheetahs, its length, and how fast that grows."""
    pull = data.ten_J[0]
    return [pull[:2], pull[9:11], data.ten_length, data.ten_velocity]


def _torso_and_forces(data: Any) -> list[np.ndarray]:
    """Where the torso is, along x, and the contact forces on all parts, six each."""
    return [data.xpos[1, :1], data.cfrc_ext.ravel()]


def _forces(bodies: Bodies) -> np.ndarray:
    """[B, 84] the contact forces, of which the first six, on the ground, are not observed."""
    return bodies.read[:, 1:85].clip(-1, 1)


def _off_the_ground(env: Any, bodies: Bodies) -> np.ndarray:
    (low, high), z = env._healthy_z_range, bodies.qpos[:, 2]
    finite = np.isfinite(bodies.qpos).all(1) & np.isfinite(bodies.qvel).all(1)
    return finite & (low <= z) & (z <= high)


def _upright(env: Any, bodies: Bodies) -> np.ndarray:
    (low, high), (back, front) = env._healthy_z_range, env._healthy_angle_range
    z, angle = bodies.qpos[:, 1], bodies.qpos[:, 2]
    return (low < z) & (z < high) & (back < angle) & (angle < front)


SCENARIOS = {
    "HalfCheetah": Scenario(("2x3", "6x1")),
    "CoupledHalfCheetah": Scenario(
        ("1p1",), (0, 9), ahead=lambda bodies: bodies.qpos[:, [0, 9]], read=_tendon
    ),
    "Ant": Scenario(
        ("2x4", "2x4d", "4x2"),
        (0, 1),
        ahead=lambda bodies: bodies.read[:, :1],
        read=_torso_and_forces,
        beside=lambda bodies: _forces(bodies)[:, 6:],
        forces=_forces,
        healthy=_off_the_ground,
    ),
    "Walker2d": Scenario(("2x3",), fastest=10.0, healthy=_upright),
}
