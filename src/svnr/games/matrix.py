"""Payoff matrices of the paper and of the literature, as arrays and as playable games."""

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from svnr.checks import check_payoff
from svnr.games.game import OneShotGame, Outcome


class MatrixGame(OneShotGame):
    """A finite one-shot game: one payoff for each combination of the agents' choices.

    To be played with actions in [−1, 1], agent i's interval is cut into A_i equal cells, one a
    choice, in ascending order.

    Args:
        name: what the game is called in results.
        payoff: [A_1, …, A_N] the team's reward of every joint choice.
        source: where the numbers come from.

    Raises:
        ValueError: if payoff is not an array of finite numbers with at least one choice an agent.
    """

    def __init__(self, name: str, payoff: np.ndarray, source: str) -> None:
        self.name, self.source = name, source
        self.payoff = check_payoff(payoff, "payoff")
        self.action_sizes = (1,) * self.payoff.ndim
        self._payoff = torch.as_tensor(self.payoff, dtype=torch.get_default_dtype())
        self._counts = torch.tensor(self.payoff.shape)

    def rules(self) -> dict[str, Any]:
        """The payoff of every joint choice."""
        return {"payoff": self.payoff.tolist()}

    def choices(self, u: Tensor) -> Tensor:
        """The cell [..., N] that each coordinate of u [..., N] falls in."""
        cells = ((u + 1) / 2 * self._counts).floor().long()
        return cells.clamp(min=0).minimum(self._counts - 1)

    def cell_centers(self, choices: tuple[int, ...]) -> tuple[float, ...]:
        """The joint action in [−1, 1] at the middle of the chosen cells."""
        return tuple(
            2 * (choice + 0.5) / count - 1
            for choice, count in zip(choices, self.payoff.shape, strict=True)
        )

    def reward(self, u: Tensor) -> Tensor:
        """The payoff of the cells that u [..., N] falls in."""
        return self._payoff[tuple(self.choices(u).unbind(-1))]

    @property
    def optimum(self) -> Outcome:
        """The first of the joint choices with the highest payoff."""
        best = np.unravel_index(self.payoff.argmax(), self.payoff.shape)
        return Outcome(self.cell_centers(tuple(int(a) for a in best)), float(self.payoff.max()))


def figure_1a() -> MatrixGame:
    """Figure 1a, reconstructed from the prose of §4: history alone leads to PRO."""
    return MatrixGame("figure_1a", np.array([[1, -2], [0, 0]]), "reconstruction from §4")


def figure_1b() -> MatrixGame:
    """Figure 1b, reconstructed from the prose of §4: two optima lead to ERO."""
    return MatrixGame("figure_1b", np.array([[0, 1], [1, 0]]), "reconstruction from §4")


def climbing() -> MatrixGame:
    """The climbing game."""
    payoff = np.array([[11, -30, 0], [-30, 7, 6], [0, 0, 5]])
    return MatrixGame("climbing", payoff, "Claus and Boutilier 1998")


def penalty(k: float = -100.0) -> MatrixGame:
    """The penalty game with penalty k (−10 and −100 in the literature)."""
    payoff = np.array([[10, 0, k], [0, 2, 0], [k, 0, 10]])
    return MatrixGame(f"penalty_{k:g}", payoff, "Claus and Boutilier 1998")


def qtran() -> MatrixGame:
    """The matrix game of QTRAN."""
    payoff = np.array([[8, -12, -12], [-12, 0, 0], [-12, 0, 0]])
    return MatrixGame("qtran", payoff, "Son et al. 2019")


def team_stag_hunt() -> MatrixGame:
    """A stag hunt with a common payoff: the smallest self-confirming trap."""
    return MatrixGame("team_stag_hunt", np.array([[10, -10], [-10, 5]]), "constructed here")


def one_volunteer() -> MatrixGame:
    """1 if exactly one of three agents plays 1, else 0: three optima, not a rectangle."""
    ones = np.indices((2, 2, 2)).sum(0)
    return MatrixGame("one_volunteer", (ones == 1).astype(float), "constructed here")


def parity() -> MatrixGame:
    """1 if an even number of three agents plays 1, else 0: four pairwise independent optima."""
    ones = np.indices((2, 2, 2)).sum(0)
    return MatrixGame("parity", (ones % 2 == 0).astype(float), "constructed here")


MATRIX_GAMES = {
    "figure_1a": figure_1a,
    "figure_1b": figure_1b,
    "climbing": climbing,
    "penalty_-10": partial(penalty, -10.0),
    "penalty_-100": partial(penalty, -100.0),
    "qtran": qtran,
    "team_stag_hunt": team_stag_hunt,
    "one_volunteer": one_volunteer,
    "parity": parity,
}
