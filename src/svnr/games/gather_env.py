"""Particle Gather as a PettingZoo `ParallelEnv`, with pictures.

Needs `pip install "svnr[games]"`.
"""

from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from pettingzoo import ParallelEnv

from svnr.checks import check_one_of
from svnr.games.gather import GatherSettings, ParticleGather, bodies

COLORS = ("#8C6BB1", "#0072B2")  # of the two particles


class GatherParallelEnv(ParallelEnv):
    """One copy of Particle Gather; every agent observes the whole state.

    Args:
        settings: the rules.
        render_mode: "rgb_array", or None for no pictures.
    """

    metadata = {"name": "particle_gather", "render_modes": ["rgb_array"]}  # noqa: RUF012
    possible_agents = ["x_1", "y_1", "x_2", "y_2"]  # noqa: RUF012

    def __init__(
        self, settings: GatherSettings | None = None, render_mode: str | None = None
    ) -> None:
        self.render_mode = check_one_of("render_mode", render_mode, ("rgb_array", None))
        self._game = ParticleGather(settings)
        self._observed = Box(-np.inf, np.inf, (self._game.state_size,), np.float32)
        self._pushed = Box(-1.0, 1.0, (1,), np.float32)
        self._drawn = np.random.default_rng()
        self.agents: list[str] = []

    def observation_space(self, agent: str) -> Box:
        """Positions relative to the landmark and velocities; see `ParticleGather`."""
        return self._observed

    def action_space(self, agent: str) -> Box:
        """A push along the agent's axis."""
        return self._pushed

    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        """Start an episode; without a seed the starts go on from the last."""
        if seed is not None:
            self._drawn = np.random.default_rng(seed)
        self._seen = self._game.reset(1, int(self._drawn.integers(2**31)))[0]
        self.agents = list(self.possible_agents)
        self._trail = [bodies(self._seen)[0].numpy()]
        return self._told()

    def step(self, actions: dict[str, np.ndarray]) -> tuple[dict, dict, dict, dict, dict]:
        """Every agent pushes; see `ParticleGather.step`.

        Raises:
            ValueError: if no episode is under way, or not each of its agents pushes.
        """
        if not self.agents or set(actions) != set(self.agents):
            wanted = f"one for each of {self.agents}, who play from reset to the end"
            raise ValueError(f"actions must be {wanted}, got {list(actions)}")
        pushes = [float(np.asarray(actions[agent]).item()) for agent in self.possible_agents]
        step = self._game.step(torch.tensor([pushes]).clamp(-1, 1))
        self._seen = step.state[0]
        self._trail.append(bodies(self._seen)[0].numpy())
        if bool(step.terminated | step.truncated):
            self.agents = []
        shared = (step.reward, step.terminated, step.truncated)
        rewards, ended, cut = (dict.fromkeys(self.possible_agents, x.item()) for x in shared)
        observed, infos = self._told()
        return observed, rewards, ended, cut, infos

    def _told(self) -> tuple[dict, dict]:
        """What every agent observes, and nothing beside it."""
        names = self.possible_agents
        return {agent: self.state() for agent in names}, {agent: {} for agent in names}

    def render(self) -> np.ndarray | None:
        """The landmark, both particles and the ways they came: an image [H, W, 3] of bytes."""
        if self.render_mode is None:
            return None
        figure = Figure(figsize=(3, 3), dpi=160)
        canvas = FigureCanvasAgg(figure)
        axis = figure.add_axes((0, 0, 1, 1), xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal")
        axis.axis("off")
        rim = self._game.settings.radius * np.exp(2j * np.pi * np.linspace(0, 1, 80))
        axis.fill(rim.real, rim.imag, color="#2B7A3D", alpha=0.25)
        way = np.array(self._trail)  # [steps, particle, axis]
        for x, y, color in zip(*way.transpose(2, 1, 0), COLORS, strict=True):
            axis.plot(x, y, color=color, alpha=0.5)
            axis.plot(x[-1], y[-1], "o", color=color, markersize=9)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()

    def state(self) -> Any:
        """The same for all: the positions and velocities."""
        return self._seen.numpy().copy()
