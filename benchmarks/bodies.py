"""Steps a second of robots beside gymnasium-robotics: `python benchmarks/bodies.py`, 8 copies.

Both play the same random actions from the same starts, a copy after the other; the rounds of the
two take turns, so that a machine that slows down slows both.
"""

import time
from collections.abc import Callable

import numpy as np
import torch
from gymnasium_robotics import mamujoco_v1

from svnr.games.mamujoco import MultiAgentMuJoCo

N_COPIES, N_STEPS, N_ROUNDS = 8, 250, 4
ROBOTS = (
    ("HalfCheetah", "2x3"),
    ("CoupledHalfCheetah", "1p1"),
    ("Walker2d", "2x3"),
    ("Ant", "2x4"),
)


def ours(scenario: str, factorization: str) -> Callable[[np.ndarray], None]:
    """Plays joint actions [T, 8, D]; copies that end begin anew."""
    game = MultiAgentMuJoCo(scenario, factorization)
    game.reset(N_COPIES, 0)

    def play(actions: np.ndarray) -> None:
        for u in torch.from_numpy(actions):
            after = game.step(u)
            over = after.terminated | after.truncated
            if bool(over.any()):
                game.restart(over, 0)

    return play


def theirs(scenario: str, factorization: str) -> Callable[[np.ndarray], None]:
    """The same with one environment of gymnasium-robotics a copy."""
    made = [mamujoco_v1.parallel_env(scenario, factorization) for _ in range(N_COPIES)]
    sizes = [made[0].action_space(agent).shape[0] for agent in made[0].possible_agents]
    cuts = np.cumsum(sizes)[:-1]
    for each in made:
        each.reset(seed=0)

    def play(actions: np.ndarray) -> None:
        for rows in actions:
            for each, u in zip(made, rows, strict=True):
                parts = dict(zip(each.possible_agents, np.split(u, cuts), strict=True))
                _, _, terminated, truncated, _ = each.step(parts)
                if any(terminated.values()) or any(truncated.values()):
                    each.reset(seed=0)

    return play


def main() -> None:
    """Print steps a second of both, and how many times as many ours makes."""
    torch.set_num_threads(1)
    for scenario, factorization in ROBOTS:
        game = MultiAgentMuJoCo(scenario, factorization)
        shape = (N_STEPS, N_COPIES, sum(game.action_sizes))
        actions = 0.3 * np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
        players = {
            "theirs": theirs(scenario, factorization),
            "ours": ours(scenario, factorization),
        }
        took = dict.fromkeys(players, 0.0)
        for _ in range(N_ROUNDS):
            for name, play in players.items():
                began = time.perf_counter()
                play(actions)
                took[name] += time.perf_counter() - began
        speed = {name: N_ROUNDS * N_STEPS * N_COPIES / each for name, each in took.items()}
        told = f"{speed['theirs']:8.0f} theirs {speed['ours']:8.0f} ours"
        print(f"{scenario:<20}{told}: {speed['ours'] / speed['theirs']:.2f} times")


if __name__ == "__main__":
    main()
