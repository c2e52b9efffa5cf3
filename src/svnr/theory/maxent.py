"""Maximum-entropy quantities of one finite cooperative game, exact.

A game is an array `q` of shape [A_1, …, A_N]: the payoff, or the soft Q in one state, of every
joint action. Everything that leads to a conditional of π* stays in log space, so that small
temperatures do not underflow.
"""

import numpy as np
from numpy.typing import ArrayLike

from svnr.checks import Positive, Share, check_agent, check_distribution, check_payoff, fitted
from svnr.sets import Sets, check_sets, known_to
from svnr.theory.distributions import axes_outside, log_sum_exp


def scaled(q: ArrayLike, alpha: float, axes: tuple[int, ...] | None = None) -> np.ndarray:
    """(q − max q) / α: the exponent of (3.3), without the part that cancels.

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.
        axes: over which the largest is taken; all by default.

    Raises:
        ValueError: if q is not finite, alpha is not positive, or the quotient overflows.
    """
    q, alpha = check_payoff(q), fitted("alpha", alpha, Positive)
    with np.errstate(over="ignore"):
        exponent = (q - q.max(axis=axes, keepdims=True)) / alpha
    if not np.isfinite(exponent).all():
        raise ValueError(f"alpha must be large enough for q / alpha to be finite, got {alpha}")
    return exponent


def log_boltzmann(q: ArrayLike, alpha: float, axes: tuple[int, ...] | None = None) -> np.ndarray:
    """log π*_α = (Q − V) / α, the logarithm of (3.3).

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.
        axes: the agents whose actions have probabilities, given the others'; all by default.

    Returns:
        [A_1, …, A_N] log-probabilities.

    Raises:
        ValueError: if q is not finite or alpha not positive.
    """
    exponent = scaled(q, alpha, axes)
    return exponent - log_sum_exp(exponent, axes)


def boltzmann(q: ArrayLike, alpha: float) -> np.ndarray:
    """π*_α ∝ exp(Q / α), the optimal joint policy (3.3).

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.

    Returns:
        [A_1, …, A_N] probabilities.

    Raises:
        ValueError: if q is not finite or alpha not positive.
    """
    return np.exp(log_boltzmann(q, alpha))


def log_conditionals(q: ArrayLike, alpha: float, sets: Sets) -> list[np.ndarray]:
    """log π*_α(u_i | u_{C_i}) of every agent, the conditionals of (3.3) that (6.4) aims at.

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.
        sets: [N] one set of agents for each agent.

    Returns:
        N arrays [A_j where j ∈ C_i ∪ {i}, else 1], log-probabilities of the actions along axis i.

    Raises:
        ValueError: if q is not finite, alpha not positive, or sets do not fit.
    """
    log_optimal = log_boltzmann(q, alpha)
    known = [known_to(sets, i) for i in range(len(check_sets(sets, log_optimal.ndim)))]
    laws = [log_sum_exp(log_optimal, axes_outside(agents, log_optimal.ndim)) for agents in known]
    return [law - log_sum_exp(law, (i,)) for i, law in enumerate(laws)]


def soft_value(q: ArrayLike, alpha: float) -> float:
    """V = α log Σ_u exp(Q(u) / α), which makes (3.3) sum to one.

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.

    Raises:
        ValueError: if q is not finite or alpha not positive.
    """
    return float(np.max(q) + alpha * log_sum_exp(scaled(q, alpha)).item())


def printed_soft_value(q: ArrayLike, alpha: float) -> float:
    """α log E_{u ~ π*}[exp(Q(u) / α)]: (7.4) as printed, many samples from π* itself.

    Without importance weights this is not V but α log(Σ e^{2Q/α} / Σ e^{Q/α}) = 2 V_{α/2} − V_α,
    lower by α H_2(π*). Its slopes 2 softmax(2Q / α) − softmax(Q / α) can add up to more than one.

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.

    Raises:
        ValueError: if q is not finite or alpha not positive.
    """
    return -soft_value(q, alpha) + 2 * soft_value(q, alpha / 2)


def optimal_set(q: ArrayLike, tolerance: float = 1e-12) -> np.ndarray:
    """[A_1, …, A_N] True at every joint action of the highest payoff.

    Args:
        q: [A_1, …, A_N] payoff.
        tolerance: the share of the payoff's range by which an optimum may fall short.

    Raises:
        ValueError: if q is not finite or tolerance no share.
    """
    q, tolerance = check_payoff(q), fitted("tolerance", tolerance, Share)
    return q >= q.max() - (tolerance * q.max() - tolerance * q.min())


def boltzmann_limit(q: ArrayLike) -> np.ndarray:
    """The limit of (3.3) as α → 0, [A_1, …, A_N]: uniform on the optimal set.

    Raises:
        ValueError: if q is not finite.
    """
    best = optimal_set(q)
    return best / best.sum()


def expected_payoff(q: ArrayLike, opponent_model: ArrayLike, agent: int) -> np.ndarray:
    """E_{u_{−i} ~ ρ_i}[Q(u_i, u_{−i})], what each own action earns against the model.

    Args:
        q: [A_1, …, A_N] payoff.
        opponent_model: ρ_i(u_{−i}), shape [A_j for j ≠ i].
        agent: i.

    Returns:
        [A_i] expected payoffs.

    Raises:
        ValueError: if q is not finite, there is no such agent, or the model does not fit.
    """
    q = check_payoff(q)
    by_own_action = np.moveaxis(q, check_agent(agent, q.ndim), 0)
    model = check_distribution(opponent_model, "opponent_model", by_own_action.shape[1:])
    return (by_own_action * model).reshape(len(by_own_action), -1).sum(axis=1)
