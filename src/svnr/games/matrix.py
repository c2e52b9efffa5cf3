"""Payoff matrices of the paper and of the literature, as arrays and as playable games."""

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
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

    def __init__(self, name: str, payoff: ArrayLike, source: str) -> None:
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

    def cell_centers(self, choices: ArrayLike) -> tuple[float, ...]:
        """The joint action in [−1, 1] at the middle of the chosen cells, [N]."""
        return tuple((2 * (np.asarray(choices) + 0.5) / self.payoff.shape - 1).tolist())

    def reward(self, u: Tensor) -> Tensor:
        """The payoff of the cells that u [..., N] falls in."""
        return self._payoff[tuple(self.choices(u).unbind(-1))]

    @property
    def optimum(self) -> Outcome:
        """The first of the joint choices with the highest payoff."""
        best = np.unravel_index(self.payoff.argmax(), self.payoff.shape)
        return Outcome(self.cell_centers(best), float(self.payoff.max()))


_CLAUS = "Claus and Boutilier 1998"
_ONES = np.indices((2, 2, 2)).sum(0)  # how many of three agents play 1


def penalty(k: float = -100.0) -> MatrixGame:
    """The penalty game with penalty k (−10 and −100 in the literature)."""
    return MatrixGame(f"penalty_{k:g}", np.array([[10, 0, k], [0, 2, 0], [k, 0, 10]]), _CLAUS)


#: Figures 1a and 1b, reconstructed from the prose of §4: history alone leads to PRO, two optima
#: lead to ERO.
figure_1a = partial(MatrixGame, "figure_1a", [[1, -2], [0, 0]], "reconstruction from §4")
figure_1b = partial(MatrixGame, "figure_1b", [[0, 1], [1, 0]], "reconstruction from §4")
#: The climbing game, and the matrix game of QTRAN.
climbing = partial(MatrixGame, "climbing", [[11, -30, 0], [-30, 7, 6], [0, 0, 5]], _CLAUS)
qtran = partial(MatrixGame, "qtran", [[8, -12, -12], [-12, 0, 0], [-12, 0, 0]], "Son et al. 2019")
#: A stag hunt with a common payoff: the smallest self-confirming trap.
team_stag_hunt = partial(MatrixGame, "team_stag_hunt", [[10, -10], [-10, 5]], "constructed here")
#: 1 if exactly one of three agents plays 1, else 0: three optima, not a rectangle.
one_volunteer = partial(MatrixGame, "one_volunteer", _ONES == 1, "constructed here")
#: 1 if an even number of three agents plays 1, else 0: four pairwise independent optima.
parity = partial(MatrixGame, "parity", _ONES % 2 == 0, "constructed here")

_PENALTIES = (partial(penalty, -10.0), partial(penalty, -100.0))
_ALL = (figure_1a, figure_1b, climbing, *_PENALTIES, qtran, team_stag_hunt, one_volunteer, parity)
MATRIX_GAMES = {make().name: make for make in _ALL}
