"""One-shot games that pay by lot: traps for optimists, who take luck for worth. Ours."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from svnr.checks import Interval, check_payoff, fitted
from svnr.games.differential import DifferentialGame, max_of_three
from svnr.games.game import Copies, OneShotGame
from svnr.games.matrix import MatrixGame


class Lottery(OneShotGame):
    """A one-shot game that pays `reward` in the mean: what it pays depends on luck as well."""

    @abstractmethod
    def paid(self, u: Tensor, luck: Tensor) -> Tensor:
        """What joint actions u [B, D] earn with luck [B] ~ U[0, 1): [B], `reward` in the mean."""

    def _begin(self, copies: Sequence[int], seed: int) -> Copies:
        generator = torch.Generator().manual_seed(seed)
        luck = torch.rand(len(copies), generator=generator)
        return {**super()._begin(copies, seed), "luck": luck}

    def _play(self, now: Copies, u: Tensor, running: Tensor) -> tuple[Tensor, Copies]:
        return self.paid(u, now["luck"]), {"terminated": torch.ones_like(running)}


class StochasticMatrix(Lottery, MatrixGame):
    """A matrix game in which each joint choice pays one of two amounts, each half of the time.

    Args:
        name: what the game is called in results.
        heads: [A_1, …, A_N] what is paid at luck below ½.
        tails: [A_1, …, A_N] what is paid else.
        source: where the numbers come from.

    Raises:
        ValueError: if the two are not arrays of finite numbers of one shape.
    """

    def __init__(self, name: str, heads: ArrayLike, tails: ArrayLike, source: str) -> None:
        first, second = check_payoff(heads, "heads"), check_payoff(tails, "tails")
        if first.shape != second.shape:
            raise ValueError(f"tails must have shape {first.shape}, got {second.shape}")
        super().__init__(name, (first + second) / 2, source)
        self._paid = torch.stack([self._payoff.new_tensor(each) for each in (first, second)])

    def paid(self, u: Tensor, luck: Tensor) -> Tensor:
        """The payoff of the cells that u [B, N] falls in, on the side on which the coin fell."""
        return self._paid[((luck >= 0.5).long(), *self.choices(u).unbind(-1))]

    def rules(self) -> dict[str, Any]:
        """Both payoffs of every joint choice."""
        heads, tails = self._paid.tolist()
        return {"heads": heads, "tails": tails}


class LuredHills(Lottery, DifferentialGame):
    """Hills of which all but the highest pay a prize now and then, and a little less else.

    The reward in the mean is that of the hills. Where the highest one does not pay the most,
    `prize` comes on top with probability `chance`, and chance / (1 − chance) of it is lost
    otherwise.

    Args:
        hills: the game without luck, which gives the name too.
        prize: what is won on top.
        chance: how often, between 0 and 1.

    Raises:
        ValueError: if chance is no probability between 0 and 1.
    """

    def __init__(self, hills: DifferentialGame, prize: float, chance: float) -> None:
        super().__init__(f"{hills.name}_lured", hills.hills, hills.half_width, hills.form)
        self.prize: float = fitted("prize", prize, float)
        odds = Annotated[float, Interval(0, 1, low_open=True, high_open=True)]
        self.chance: float = fitted("chance", chance, odds)

    def paid(self, u: Tensor, luck: Tensor) -> Tensor:
        """The hills' reward, and the prize or its price where a lower hill pays: [B]."""
        price = self.prize * self.chance / (1 - self.chance)
        drawn = torch.where(luck < self.chance, self.prize, -price).to(u.dtype)
        return self.reward(u) + drawn * ~self.pays_most(u)

    def rules(self) -> dict[str, Any]:
        """The hills and the lot."""
        return {**super().rules(), "prize": self.prize, "chance": self.chance}


def lured_max_of_three(width: float = 2.0, prize: float = 20.0, chance: float = 0.1) -> LuredHills:
    """Max of Three whose wrong hill, still worth 0 in the mean, pays 20 once in ten times.

    Args:
        width: s₂, the coverage of the right hill, which pays 10 each time.
        prize: what the wrong hill pays on top now and then.
        chance: how often.
    """
    return LuredHills(max_of_three(width), prize, chance)


_KAPETANAKIS = "Kapetanakis and Kudenko 2002"
#: The climbing game, of which one or all choices pay by lot; its means are `matrix.climbing`.
climbing_partly = partial(
    StochasticMatrix,
    "climbing_partly",
    [[11, -30, 0], [-30, 14, 6], [0, 0, 5]],
    [[11, -30, 0], [-30, 0, 6], [0, 0, 5]],
    _KAPETANAKIS,
)
climbing_fully = partial(
    StochasticMatrix,
    "climbing_fully",
    [[10, 5, 8], [5, 14, 12], [5, 5, 10]],
    [[12, -65, -8], [-65, 0, 0], [-5, -5, 0]],
    _KAPETANAKIS,
)
