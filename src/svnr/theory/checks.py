"""What is refused at the door: payoffs, temperatures, distributions and agents that make no sense.

Each check returns its argument in the form that the rest of `theory` works with, or raises a
`ValueError` that names the argument, what was wanted and what was given.
"""

import numpy as np
from numpy.typing import ArrayLike


def check_payoff(q: ArrayLike, name: str = "q") -> np.ndarray:
    """Return q as an array of finite numbers with one axis an agent.

    Args:
        q: [A_1, …, A_N] payoff or soft Q of every joint action.
        name: what the caller calls it.

    Raises:
        ValueError: if an axis is missing or empty, or an entry is NaN or infinite.
    """
    array = np.asarray(q, dtype=float)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(
            f"{name} must have one axis of at least one action for each agent, "
            f"got shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {array[~np.isfinite(array)][0]}")
    return array


def check_alpha(alpha: float, *, zero_allowed: bool = False) -> float:
    """Return the temperature as a float: positive, or also zero where a limit is meant.

    Raises:
        ValueError: if alpha is NaN, infinite, negative, or zero where that is not allowed.
    """
    alpha = float(alpha)
    if np.isfinite(alpha) and (alpha > 0 or (zero_allowed and alpha == 0)):
        return alpha
    wanted = "finite and at least zero" if zero_allowed else "finite and positive"
    raise ValueError(f"alpha must be {wanted}, got {alpha}")


def check_distribution(
    p: ArrayLike, name: str, shape: tuple[int, ...] | None = None
) -> np.ndarray:
    """Return p as an array of probabilities that sum to one within 1e-8.

    Args:
        p: [...] probabilities, one axis for each agent that they speak of.
        name: what the caller calls it.
        shape: the shape that p must have, if it is known.

    Raises:
        ValueError: if the shape is another one, an entry is negative or NaN, or the sum is not 1.
    """
    array = np.asarray(p, dtype=float)
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {array.shape}")
    if not (array >= 0).all():
        raise ValueError(
            f"{name} must not hold negative numbers or NaN, got {array[~(array >= 0)][0]}"
        )
    if not abs(array.sum() - 1) <= 1e-8:
        raise ValueError(f"{name} must sum to 1 within 1e-8, got {array.sum()}")
    return array


def check_agent(agent: int, n_agents: int) -> int:
    """Return the agent's index as an int in 0..N−1.

    Raises:
        ValueError: if there is no such agent.
    """
    if agent not in range(n_agents):
        raise ValueError(f"agent must be one of 0..{n_agents - 1}, got {agent}")
    return int(agent)
