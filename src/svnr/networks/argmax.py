"""The argmax of a function of continuous actions, by the cross-entropy method."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


@torch.no_grad()
def cross_entropy(
    values: Callable[[Tensor], Tensor],
    shape: Sequence[int],
    generator: torch.Generator,
    n_candidates: int = 64,
    n_elites: int = 6,
    n_rounds: int = 2,
) -> Tensor:
    """Where a function is about highest in the box (Rubinstein and Kroese, 2004).

    Each round draws candidates u = tanh(z), z ∼ N(μ, σ²), first with μ = 0 and σ = 1, and then
    with the mean and the deviation of the best candidates' z. All rows share one draw of noise:
    what is found for one does not depend on which others are asked about.

    Args:
        values: from candidates [..., n, D] to their values [..., n].
        shape: (..., D) of what is looked for; every leading index has a maximum of its own.
        generator: of the candidates.
        n_candidates: n, of a round.
        n_elites: the best of them, by which the next round's are drawn.
        n_rounds: how often.

    Returns:
        [..., D] the best candidates of the last round.
    """
    mean, deviation = torch.zeros(*shape).unsqueeze(-2), torch.ones(*shape).unsqueeze(-2)
    for _ in range(n_rounds):
        z = mean + deviation * torch.randn(n_candidates, shape[-1], generator=generator)
        places = values(torch.tanh(z)).topk(n_elites).indices.unsqueeze(-1)
        elites = z.take_along_dim(places, -2)
        mean, deviation = elites.mean(-2, keepdim=True), elites.std(-2, keepdim=True)
    return torch.tanh(elites[..., 0, :])
