"""Games on a graph: agents are many, each has few partners, and who they are need not be told.

Ours. A coordination graph (Guestrin et al., 2002) pays the team the sum of what its pairs earn.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from svnr.checks import Whole, check_count, fitted
from svnr.games.differential import DifferentialGame, max_of
from svnr.games.game import Outcome, PeakedGame
from svnr.sets import check_edges


class GraphGame(PeakedGame):
    """A game of two, played by the two ends of every edge of a graph; the team earns the sum.

    Args:
        name: what the game is called in results.
        pair: the game of two; each of its hills lies where both do the same, so that an agent can
            be at a peak with all of its partners at once.
        n_agents: N.
        edges: who plays with whom.

    Raises:
        ValueError: if the pair is not one of two agents, its hills do not lie on the diagonal,
            or an edge does not join two of the agents.
    """

    def __init__(
        self, name: str, pair: DifferentialGame, n_agents: int, edges: Iterable[Sequence[int]]
    ) -> None:
        self.name, self.pair = name, pair
        if any(hill.center != hill.center[:1] * 2 for hill in pair.hills):
            centers = [hill.center for hill in pair.hills]
            raise ValueError(f"pair must have hills where two agents do the same, got {centers}")
        self.action_sizes = (1,) * check_count("n_agents", n_agents)
        self.edges = check_edges(n_agents, edges)
        if not self.edges:
            raise ValueError("edges must join at least two agents, got none")
        self._ends = torch.tensor(self.edges)  # [E, 2]

    def reward(self, u: Tensor) -> Tensor:
        """Σ over edges (i, j) of what the pair earns with (u_i, u_j), for u [..., N]: [...]."""
        return self.pair.reward(u[..., self._ends]).sum(-1)

    def at_optimum(self, u: Tensor) -> Tensor:
        """Which share of the edges is paid by the highest hill, for u [..., N]: [...]."""
        return self.pair.pays_most(u[..., self._ends]).to(u.dtype).mean(-1)

    def rules(self) -> dict[str, Any]:
        """The game of two and the graph."""
        edges = [list(edge) for edge in self.edges]
        return {"pair": self.pair.rules(), "n_agents": self.n_agents, "edges": edges}

    @property
    def peaks(self) -> tuple[Outcome, ...]:
        """Everybody at the same peak of the pair's, highest first."""
        return tuple(
            Outcome(peak.u[:1] * self.n_agents, peak.reward * len(self.edges))
            for peak in self.pair.peaks
        )


def hidden_order(n_agents: int, seed: int) -> tuple[int, ...]:
    """An order of N agents, drawn from a seed: their numbers say nothing of it."""
    rng = np.random.default_rng(fitted("seed", seed, Whole))
    return tuple(rng.permutation(check_count("n_agents", n_agents)).tolist())


def chain_of_pairs(n_agents: int, width: float, seed: int | None = 0) -> GraphGame:
    """Max of Three's hills, a wide wrong and a narrow right one, for every two in a chain.

    The wrong hill is the mean-field choice on every edge, and an agent that leaves it alone loses
    on both sides; two that leave it together win one edge and lose two.

    Args:
        n_agents: N.
        width: s₂, the coverage of the right hill.
        seed: of the order that the chain has, which the agents' numbers do not tell; None: theirs.
    """
    order = range(n_agents) if seed is None else hidden_order(n_agents, seed)
    name = f"chain_of_{n_agents}_{width}{'' if seed is None else '_hidden'}"
    return GraphGame(name, max_of(2, width), n_agents, pairwise(order))
