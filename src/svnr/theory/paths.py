"""The Boltzmann law of agents in a row, each with its neighbours: exact for any number of them.

Beyond the paper. Where Q is a sum over the edges of a chain, exp(Q / α) is a Markov chain, and
messages passed along it (Pearl, 1988) take A² N steps where the joint has A^N entries. Beside it
stands what agents with empty sets do.
"""

import numpy as np
from numpy.typing import ArrayLike

from svnr.checks import check_count, check_distribution, check_payoff
from svnr.theory.maxent import boltzmann, scaled


def neighbour_laws(payoff: ArrayLike, n_agents: int, alpha: float) -> np.ndarray:
    """π*_α(u_i, u_{i+1}) for Q = Σ_i r(u_i, u_{i+1}): [N − 1, A, A].

    With K = exp(r / α), the law of a pair is f_i K b_{i+1} up to a constant, where the message
    f_i = Kᵀ f_{i−1} sums over all before i, and b_i = K b_{i+1} over all after it.

    Args:
        payoff: [A, A] r, of an agent and the next.
        n_agents: N, at least 2.
        alpha: temperature, positive.

    Raises:
        ValueError: if the payoff is no square of finite numbers, N below 2 or alpha not positive.
    """
    table = check_payoff(payoff, "payoff")
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise ValueError(f"payoff must have shape [A, A], got {table.shape}")
    n_pairs = check_count("n_agents", n_agents, least=2) - 1
    kernel = np.exp(scaled(table, alpha))
    before, after = (_messages(step, n_pairs) for step in (kernel.T, kernel))
    laws = before[:, :, None] * kernel * after[::-1, None, :]
    return laws / laws.sum((1, 2), keepdims=True)


def mean_field(payoff: ArrayLike, alpha: float, start: ArrayLike) -> np.ndarray:
    """The policy of agents with empty sets: q ∝ exp(2 r q / α), from where they stand.

    Of all products Π_i q(u_i) the nearest to π*_α of a long chain is such a fixed point, but
    there may be several, and which is met depends on the start: that is the trap. Each agent
    averages over both of its neighbours; each of 300 rounds goes half of the way.

    Args:
        payoff: [A, A] r, symmetric.
        alpha: temperature, positive.
        start: [A] q, what everybody does at first.
    """
    table, q = check_payoff(payoff, "payoff"), check_distribution(start, "start")
    for _ in range(300):
        q = (q + boltzmann(2 * table @ q, alpha)) / 2
    return q


def _messages(step: np.ndarray, n: int) -> np.ndarray:
    """1, M 1, M² 1, … of a matrix [A, A], each brought to sum 1: [n, A]."""
    sent = [np.full(len(step), 1 / len(step))]
    for _ in range(n - 1):
        message = step @ sent[-1]
        sent.append(message / message.sum())
    return np.array(sent)
