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

from svnr.games.gather import GatherSettings, ParticleGather, bodies

COLORS = ("#D55E00", "#0072B2")  # of the two particles


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
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode must be 'rgb_array' or None, got {render_mode!r}")
        self.render_mode = render_mode
        self._game = ParticleGather(settings)
        self._observed = Box(-np.inf, np.inf, (8,), np.float32)
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
        state = self._game.reset(1, int(self._drawn.integers(2**31)))
        self.agents = list(self.possible_agents)
        self._trail = [bodies(state[0])[0].numpy()]
        return self._told(state), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, np.ndarray]) -> tuple[dict, dict, dict, dict, dict]:
        """Every agent pushes; see `ParticleGather.step`.

        Raises:
            ValueError: if no episode is under way, or not each of its agents pushes.
        """
        if not self.agents:
            raise ValueError("step needs an episode under way; call reset first")
        if set(actions) != set(self.agents):
            raise ValueError(f"actions must be one for each of {self.agents}, got {list(actions)}")
        pushes = [float(np.asarray(actions[agent]).item()) for agent in self.possible_agents]
        step = self._game.step(torch.tensor([pushes]).clamp(-1, 1))
        self._trail.append(bodies(step.state[0])[0].numpy())
        ended, cut = bool(step.terminated[0]), bool(step.truncated[0])
        told = self._told(step.state)
        everyone = list(self.possible_agents)
        if ended or cut:
            self.agents = []
        return (
            told,
            dict.fromkeys(everyone, float(step.reward[0])),
            dict.fromkeys(everyone, ended),
            dict.fromkeys(everyone, cut),
            {agent: {} for agent in everyone},
        )

    def _told(self, state: torch.Tensor) -> dict[str, np.ndarray]:
        return {agent: state[0].numpy().copy() for agent in self.possible_agents}

    def render(self) -> np.ndarray | None:
        """The landmark, both particles and the ways they came: an image [H, W, 3] of bytes."""
        if self.render_mode is None:
            return None
        figure = Figure(figsize=(3, 3), dpi=80)
        canvas = FigureCanvasAgg(figure)
        axis = figure.add_axes((0, 0, 1, 1), xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal")
        axis.axis("off")
        angle = np.linspace(0, 2 * np.pi, 80)
        radius = self._game.settings.radius
        axis.fill(radius * np.cos(angle), radius * np.sin(angle), color="#2B7A3D", alpha=0.25)
        way = np.array(self._trail)  # [steps, particle, axis]
        for particle, color in enumerate(COLORS):
            x, y = way[:, particle].T
            axis.plot(x, y, color=color, alpha=0.5)
            axis.plot(x[-1], y[-1], "o", color=color, markersize=9)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()

    def state(self) -> Any:
        """The same for all: the positions and velocities."""
        return self._game._state()[0].numpy().copy()
