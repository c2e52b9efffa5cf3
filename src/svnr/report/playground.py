"""A picture to play with: which hill holds the Boltzmann policy, and what a team earns by it.

The numbers are exact (`theory.hills`) and go, with a template, into one piece of HTML that asks
for no kernel, no library and no network. `figures.play` says the same where nothing moves.
"""

import base64
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from svnr.checks import check_count
from svnr.games.differential import max_of_three
from svnr.report.borders import two_hills
from svnr.theory.hills import (
    COARSE,
    TwoHills,
    crossing,
    earned_greedy,
    earned_independent,
    earned_shared,
    sides,
)

N_BARS = 64  # of agent 1's actions, for the drawing; a divisor of `COARSE`
WAYS = ("shared", "independent", "greedy")  # of execution


@dataclass(frozen=True, kw_only=True)
class Landscape:
    """Max of Three over widths W of the right hill and temperatures A, exactly."""

    widths: np.ndarray  # [W] s₂, rising
    alphas: np.ndarray  # [A] α, rising
    border: np.ndarray  # [W] α_c, at which the hills hold alike; infinite where they never do
    mass: np.ndarray  # [W, A] π*_α at the right hill
    earned: dict[str, np.ndarray]  # way of execution → [W, A] expected reward
    bars: np.ndarray  # [W, A, 2, N_BARS] P(agent 1's action, the hill that pays), right first


def landscape(n_widths: int = 23, n_alphas: int = 25) -> Landscape:
    """Widths from 0.8 to 3 and temperatures from 0.3 to 20, as round as they are shown.

    Args:
        n_widths: how many widths, at even steps.
        n_alphas: how many temperatures, at even ratios.
    """
    widths = np.linspace(0.8, 3.0, check_count("n_widths", n_widths, least=2)).round(2)
    ratios = np.geomspace(0.3, 20, check_count("n_alphas", n_alphas, least=2))
    alphas = np.array([float(f"{alpha:.2g}") for alpha in ratios])
    games = [two_hills(max_of_three(width)) for width in widths]
    cells = [[_cell(game, alpha) for alpha in alphas] for game in games]
    mass, earned, bars = (np.array([[cell[k] for cell in row] for row in cells]) for k in range(3))
    return Landscape(
        widths=widths,
        alphas=alphas,
        border=np.array([crossing(game, COARSE) for game in games]),
        mass=mass,
        earned={way: earned[..., k] for k, way in enumerate(WAYS)},
        bars=bars,
    )


def _cell(hills: TwoHills, alpha: float) -> tuple[float, tuple[float, ...], np.ndarray]:
    """The right hill's mass, what each of `WAYS` earns, and agent 1's bars [2, N_BARS]."""
    split = sides(hills, alpha)
    ways = earned_shared(hills, split), earned_independent(hills, split), earned_greedy(hills)
    return split[0, 0].sum(), ways, split[:, 0].reshape(2, N_BARS, -1).sum(-1)


def playground(land: Landscape, width: float = 1.5, alpha: float = 10.0) -> str:
    """The picture as HTML, to be shown by `IPython.display.HTML` or put into any page.

    Args:
        land: what is shown.
        width: s₂ at first, the nearest that there is.
        alpha: α at first, the nearest that there is.
    """
    template = files("svnr.report").joinpath("playground.html").read_text(encoding="utf-8")
    start = [abs(land.widths - width).argmin(), abs(np.log(land.alphas / alpha)).argmin()]
    told = embedded(land) | {"start": [int(at) for at in start]}
    return template.replace("{{numbers}}", json.dumps(told, separators=(",", ":")))


def embedded(land: Landscape) -> dict[str, Any]:
    """What the HTML carries: rounded tables, and bars as bytes, 255 for the highest of a cell."""
    game = max_of_three(1.0)
    highest = land.bars.sum(-2, keepdims=True).max(-1, keepdims=True)
    bars = np.rint(255 * (land.bars / highest).clip(0, 1)).astype(np.uint8)
    return {
        "widths": land.widths.tolist(),
        "alphas": land.alphas.tolist(),
        "border": [round(c, 2) if np.isfinite(c) else None for c in land.border.tolist()],
        "mass": land.mass.round(4).tolist(),
        **{way: earned.round(2).tolist() for way, earned in land.earned.items()},
        "bars": base64.b64encode(bars.tobytes()).decode(),
        "worths": [game.optimum.reward, 0.0],
        "peaks": [hill.center[0] for hill in reversed(game.hills)],
        "half_width": game.half_width,
    }
