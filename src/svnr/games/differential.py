"""The differential games of §8.1: one shot, continuous actions, a reward with several hills."""

from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Literal

import torch
from torch import Tensor

from svnr.checks import Positive, Settings, check_count, fitted
from svnr.games.game import Outcome, PeakedGame

Form = Literal["printed", "code"]


@dataclass(frozen=True, kw_only=True)
class Hill(Settings):
    """One quadratic hill: height · [−Σ_d ((u_d − center_d) / width)²] + offset."""

    height: float  # h, the steepness factor
    center: tuple[float, ...]  # the peak, in the game's units (−10 to 10)
    width: Positive  # s, the coverage
    offset: float  # c, the reward at the peak


class DifferentialGame(PeakedGame):
    """Reward max over hills (§8.1) for any number of agents, one action coordinate each.

    Args:
        name: what the game is called in results.
        hills: one or more, whose centers have one coordinate an agent.
        half_width: actions run from −half_width to half_width in the game's units (paper: 10).
        form: "printed" divides by width² as the paper prints; "code" divides by width, as the
            public code of this family of methods does.

    Raises:
        ValueError: if hills is empty, a center has the wrong length or lies outside the box, or
            form is unknown.
    """

    def __init__(
        self, name: str, hills: tuple[Hill, ...], half_width: float = 10.0, form: Form = "printed"
    ) -> None:
        self.name = name
        self.half_width: float = fitted("half_width", half_width, Positive)
        self.form: Form = fitted("form", form, Form)
        self.hills: tuple[Hill, ...] = fitted("hills", hills, tuple[Hill, ...])
        self.action_sizes = (1,) * len(self.hills[0].center)
        for index, hill in enumerate(self.hills):
            if len(hill.center) != self.n_agents or max(map(abs, hill.center)) > self.half_width:
                raise ValueError(
                    f"hills[{index}].center must be {self.n_agents} values within "
                    f"±{self.half_width}, got {hill.center}"
                )
        self._centers = torch.tensor([hill.center for hill in hills])  # [H, N]
        power = 2 if form == "printed" else 1
        self._steepness = torch.tensor([hill.height / hill.width**power for hill in hills])  # [H]
        self._offsets = torch.tensor([hill.offset for hill in hills])  # [H]

    @property
    def steepness(self) -> tuple[float, ...]:
        """a of every hill as g(u) = c − a |u − x|², u in the game's units."""
        return tuple(self._steepness.tolist())

    def reward(self, u: Tensor) -> Tensor:
        """max(g_1, g_2, …) of §8.1 for joint actions u [..., N] in [−1, 1]."""
        return self._each(u).amax(-1)

    def pays_most(self, u: Tensor) -> Tensor:
        """Whether the highest hill is the one that pays for joint actions u [..., N]: [...]."""
        return self._each(u).argmax(-1) == self._offsets.argmax()

    def _each(self, u: Tensor) -> Tensor:
        """g_1, g_2, … [..., H]."""
        away = (self.half_width * u).unsqueeze(-2) - self._centers.to(u.dtype)
        return self._offsets - self._steepness * away.square().sum(-1)

    def rules(self) -> dict[str, Any]:
        """The hills and how they are read."""
        hills = [hill.plain() for hill in self.hills]
        return {"hills": hills, "half_width": self.half_width, "form": self.form}

    @property
    def peaks(self) -> tuple[Outcome, ...]:
        """The peak of every hill, highest first."""
        hills = sorted(self.hills, key=lambda hill: -hill.offset)
        return tuple(
            Outcome(tuple(x / self.half_width for x in h.center), h.offset) for h in hills
        )

    def nearest_peak(self, u: Tensor) -> Tensor:
        """Which of `peaks` each joint action u [..., N] lies nearest to: [...] indices."""
        peaks = torch.tensor([peak.u for peak in self.peaks], dtype=u.dtype)
        return (u.unsqueeze(-2) - peaks).square().sum(-1).argmin(-1)


def max_of_three(width: float, form: Form = "printed") -> DifferentialGame:
    """Max of Three (§8.1): a wide wrong hill worth 0 and a narrow right one worth 10.

    Args:
        width: s₂, the coverage of the right hill (paper: 1.5, 2.0, 3.0).
        form: the payoff as printed, or as in the public code (where also z₂ = −3, not −4).
    """
    z = -4.0 if form == "printed" else -3.0
    return _two_hills(f"max_of_three_{width}", 0.0, z, width, form)


def max_of(n_agents: int, width: float = 2.0) -> DifferentialGame:
    """Max of Three for any number of agents, whose peaks repeat its own; beyond the paper.

    Every agent more makes the right hill a smaller part of the box.

    Args:
        n_agents: N; agent i has the coordinates of agent i modulo 3.
        width: s₂, the coverage of the right hill.
    """
    name = f"max_of_{check_count('n_agents', n_agents)}_{width}"
    return _two_hills(name, 0.0, -4.0, width, "printed", n_agents)


def max_of_two(form: Form = "printed") -> DifferentialGame:
    """Max of Two (Wei et al., 2018; Wen et al., 2019): the two-agent game it was all tried on.

    Where one agent plays below 0.28, in −10 to 10, the right hill pays for no action of the
    other; who starts at 0 and climbs is led to the wrong one, whatever it thinks of its partner.

    Args:
        form: the payoff as printed there, or as in the public code.
    """
    wide = Hill(height=0.8, center=(-5.0, -5.0), width=3.0, offset=0.0)
    narrow = Hill(height=1.0, center=(5.0, 5.0), width=1.0, offset=10.0)
    suffix = "" if form == "printed" else "_code"
    return DifferentialGame(f"max_of_two{suffix}", (wide, narrow), form=form)


def two_modalities(form: Form = "printed") -> DifferentialGame:
    """Two Modalities (§8.1): two hills of height 10, one wide, one narrow."""
    return _two_hills("two_modalities", 10.0, -3.0, 2.0, form)


def _two_hills(
    name: str, worth: float, z: float, width: float, form: Form, n_agents: int = 3
) -> DifferentialGame:
    """A wide hill worth `worth`, and one of the given width, at z₂ = `z`, worth 10."""
    wrong, right = (tuple(islice(cycle(c), n_agents)) for c in ((-5.0, -5.0, 3.0), (7.0, 7.0, z)))
    wide = Hill(height=0.8, center=wrong, width=3.0, offset=worth)
    narrow = Hill(height=1.0, center=right, width=width, offset=10.0)
    suffix = "" if form == "printed" else "_code"
    return DifferentialGame(name + suffix, (wide, narrow), form=form)
