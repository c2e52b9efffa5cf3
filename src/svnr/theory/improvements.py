"""What agents make of one state's joint policy: the exact update of Lemma 6.2, (6.6) as printed,
and what simpler negotiation sets lead to.

Each takes q [A_1, …, A_N], the soft Q of the state, the logarithm of the current joint policy
[A_1, …, A_N], and a positive temperature, and returns the logarithm of the next: an action that
is too unlikely for a float has replies all the same, and may come back.
"""

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np

from svnr.sets import Sets
from svnr.theory.distributions import log_marginals, log_sum_exp
from svnr.theory.maxent import expected_payoff, log_boltzmann, log_conditionals, soft_value

Improve = Callable[[np.ndarray, np.ndarray, float], np.ndarray]


def exact_nested(q: np.ndarray, log_policy: np.ndarray, alpha: float) -> np.ndarray:
    """π′ = exp((Q − V) / α) with V the log-normaliser: the update that Lemma 6.2 speaks of."""
    return log_boltzmann(q, alpha)


def printed_6_6(q: np.ndarray, log_policy: np.ndarray, alpha: float) -> np.ndarray:
    """(6.6) as printed, for C_i = {1, …, i−1}, and normalized.

    Agent i weighs its actions by exp(E[Q | u_i, u_{C_i}] / α), the mean over the *current* policy
    of the agents after it. The exact update takes α log E exp in place of the mean.
    """
    improved = np.zeros(q.shape)
    for i in range(q.ndim):
        later = tuple(range(i + 1, q.ndim))
        replies = np.exp(log_policy - log_sum_exp(log_policy, later))  # π(u_later | u_{≤i})
        mean = (replies * q).sum(axis=later, keepdims=True)
        improved = improved + log_boltzmann(mean, alpha, (i,))
    return improved


def printed_mass(q: np.ndarray, policy: np.ndarray, alpha: float) -> float:
    """The sum of the third line of (6.6) as printed, with V = E[Q]: one, if it were a policy.

    The agents' factors exp((E[Q | u_i, u_{C_i}] − E[Q | u_{C_i}]) / α) telescope, and what is left
    is Σ_u exp((Q(u) − E[Q]) / α); infinite where it is too large for a float.

    Args:
        q: [A_1, …, A_N] soft Q of one state.
        policy: [A_1, …, A_N] the current joint policy there, as probabilities.
        alpha: temperature, positive.
    """
    with np.errstate(over="ignore"):
        return float(np.exp((soft_value(q, alpha) - (policy * q).sum()) / alpha))


def gibbs(q: np.ndarray, log_policy: np.ndarray, alpha: float) -> np.ndarray:
    """Full sets, one agent after the other: (6.2) solved exactly for each in turn."""
    for i in range(q.ndim):
        log_policy = log_sum_exp(log_policy, (i,)) + log_boltzmann(q, alpha, (i,))
    return log_policy


def marginals_of_softmax(q: np.ndarray, log_policy: np.ndarray, alpha: float) -> np.ndarray:
    """Empty sets: each agent keeps its marginal of the exact update."""
    return _log_product(log_marginals(log_boltzmann(q, alpha)))


def mean_field_simultaneous(q: np.ndarray, log_policy: np.ndarray, alpha: float) -> np.ndarray:
    """Empty sets: all agents reply at once to the others' current marginals."""
    current = log_marginals(log_policy)
    return _log_product([_soft_reply(q, current, i, alpha) for i in range(q.ndim)])


def mean_field_sequential(q: np.ndarray, log_policy: np.ndarray, alpha: float) -> np.ndarray:
    """Empty sets: the agents reply one after the other to the others' newest marginals."""
    current = log_marginals(log_policy)
    for i in range(q.ndim):
        current[i] = _soft_reply(q, current, i, alpha)
    return _log_product(current)


def _soft_reply(q: np.ndarray, own: list[np.ndarray], agent: int, alpha: float) -> np.ndarray:
    """log softmax(E[Q | u_i] / α) [A_i] against the product of the others' marginals."""
    others = np.exp(_log_product(own[:agent] + own[agent + 1 :]))
    return log_boltzmann(expected_payoff(q, others, agent), alpha)


def _log_product(logs: Sequence[np.ndarray]) -> np.ndarray:
    return reduce(np.add.outer, logs, np.zeros(()))


def along(sets: Sets) -> Improve:
    """The improvement of agents that copy π*(u_i | u_{C_i}), for sets without circles.

    For strictly nested sets it is the exact update; for a star or empty sets it is not.
    """
    return lambda q, log_policy, alpha: reduce(np.add, log_conditionals(q, alpha, sets))


IMPROVEMENTS: dict[str, Improve] = {
    "exact nested": exact_nested,
    "printed (6.6)": printed_6_6,
    "full sets, Gibbs": gibbs,
    "empty sets, marginals": marginals_of_softmax,
    "empty sets, all at once": mean_field_simultaneous,
    "empty sets, in turn": mean_field_sequential,
}
