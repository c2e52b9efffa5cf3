"""Maximum-entropy quantities of one finite cooperative game, exact.

A game is an array `q` of shape [A_1, …, A_N]: the payoff, or the soft Q in one state, of every
joint action. A joint policy is an array of the same shape that sums to one. Logarithms are
natural and 0 · log 0 = 0. Everything that leads to a conditional of π* stays in log space, so
that small temperatures do not underflow.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from svnr.checks import check_agent, check_alpha, check_distribution, check_payoff


def log_sum_exp(x: np.ndarray, axes: tuple[int, ...] | None = None) -> np.ndarray:
    """log Σ exp(x) over the axes (all by default), which stay with length one."""
    top = x.max(axis=axes, keepdims=True)
    return top + np.log(np.exp(x - top).sum(axis=axes, keepdims=True))


def scaled(q: ArrayLike, alpha: float) -> np.ndarray:
    """q / α, the exponent of (3.3), after both have been checked.

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.

    Raises:
        ValueError: if q is not finite, alpha is not positive, or q / α overflows.
    """
    q, alpha = check_payoff(q), check_alpha(alpha)
    with np.errstate(over="ignore"):
        exponent = q / alpha
    if not np.isfinite(exponent).all():
        raise ValueError(f"alpha must be large enough for q / alpha to be finite, got {alpha}")
    return exponent


def log_boltzmann(q: ArrayLike, alpha: float) -> np.ndarray:
    """log π*_α = (Q − V) / α, the logarithm of (3.3).

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.

    Returns:
        [A_1, …, A_N] log-probabilities.

    Raises:
        ValueError: if q is not finite or alpha not positive.
    """
    exponent = scaled(q, alpha)
    return exponent - log_sum_exp(exponent)


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


def soft_value(q: ArrayLike, alpha: float) -> float:
    """V = α log Σ_u exp(Q(u) / α), which makes (3.3) sum to one.

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.

    Raises:
        ValueError: if q is not finite or alpha not positive.
    """
    return alpha * log_sum_exp(scaled(q, alpha)).item()


def optimal_set(q: ArrayLike, tolerance: float = 1e-12) -> np.ndarray:
    """[A_1, …, A_N] True at every joint action within `tolerance` of the highest payoff."""
    q = check_payoff(q)
    return q >= q.max() - tolerance


def boltzmann_limit(q: ArrayLike, tolerance: float = 1e-12) -> np.ndarray:
    """The limit of (3.3) as α → 0: uniform on the optimal set.

    Args:
        q: [A_1, …, A_N] payoff.
        tolerance: how far below the highest payoff still counts as optimal, in payoff units.

    Returns:
        [A_1, …, A_N] probabilities.

    Raises:
        ValueError: if q is not finite.
    """
    best = optimal_set(q, tolerance)
    return best / best.sum()


def axes_outside(agents: Iterable[int], n_agents: int) -> tuple[int, ...]:
    """The axes of a joint array that belong to none of these agents, in ascending order.

    Raises:
        ValueError: if one of the agents does not exist.
    """
    kept = {check_agent(agent, n_agents) for agent in agents}
    return tuple(j for j in range(n_agents) if j not in kept)


def marginal(joint: ArrayLike, agents: Iterable[int]) -> np.ndarray:
    """The law of some agents' actions: joint summed over everybody else.

    Args:
        joint: [A_1, …, A_N] probabilities.
        agents: whose actions to keep.

    Returns:
        [A_j for each kept agent j, in ascending order] probabilities.

    Raises:
        ValueError: if joint is no distribution or an agent does not exist.
    """
    joint = check_distribution(joint, "joint")
    return np.asarray(joint.sum(axis=axes_outside(agents, joint.ndim)))


def marginals(joint: ArrayLike) -> list[np.ndarray]:
    """Each agent's own law: N arrays of shape [A_i] from a joint [A_1, …, A_N]."""
    joint = check_distribution(joint, "joint")
    return [marginal(joint, [i]) for i in range(joint.ndim)]


def opponents(joint: ArrayLike, agent: int) -> np.ndarray:
    """The law of everybody but one agent, u_{−i}: π*_α(u_{−i}) of (4.2) if joint is π*_α.

    Args:
        joint: [A_1, …, A_N] probabilities.
        agent: i.

    Returns:
        [A_j for j ≠ i] probabilities.

    Raises:
        ValueError: if joint is no distribution or there is no such agent.
    """
    joint = check_distribution(joint, "joint")
    return np.asarray(joint.sum(axis=check_agent(agent, joint.ndim)))


def conditional(joint: ArrayLike, agent: int, given: Iterable[int]) -> np.ndarray:
    """joint(u_i | u_C), kept in the axes of the joint so that conditionals can be multiplied.

    Where the conditioning actions have probability zero the conditional is uniform.

    Args:
        joint: [A_1, …, A_N] probabilities.
        agent: i.
        given: C, the agents that are conditioned on; i itself is ignored.

    Returns:
        [A_j where j ∈ C ∪ {i}, else 1] probabilities that sum to one along axis i.

    Raises:
        ValueError: if joint is no distribution or an agent does not exist.
    """
    joint = check_distribution(joint, "joint")
    rest = axes_outside({agent, *given}, joint.ndim)
    together = joint.sum(axis=rest, keepdims=True)
    condition = together.sum(axis=agent, keepdims=True)
    uniform = np.full_like(together, 1 / joint.shape[agent])
    return np.divide(together, condition, out=uniform, where=condition > 0)


def log_marginal(log_joint: np.ndarray, agents: Iterable[int]) -> np.ndarray:
    """The logarithm of `marginal`, from and in log space: [A_j for each kept agent j]."""
    rest = axes_outside(agents, log_joint.ndim)
    return log_sum_exp(log_joint, rest).squeeze(axis=rest)


def boltzmann_conditional(
    q: ArrayLike, alpha: float, agent: int, given: Iterable[int]
) -> np.ndarray:
    """π*_α(u_i | u_C), the conditional of (3.3) that (6.4) aims at, computed in log space.

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.
        agent: i.
        given: C, the agents that are conditioned on; i itself is ignored.

    Returns:
        [A_j where j ∈ C ∪ {i}, else 1] probabilities that sum to one along axis i.

    Raises:
        ValueError: if q is not finite, alpha not positive, or an agent does not exist.
    """
    exponent = scaled(q, alpha)
    together = log_sum_exp(exponent, axes_outside({agent, *given}, exponent.ndim))
    return np.exp(together - log_sum_exp(together, (agent,)))


def product(marginals: Sequence[ArrayLike]) -> np.ndarray:
    """Π_i π̄_i, the joint of agents that act independently, as below (3.4).

    Args:
        marginals: N arrays of shape [A_i], each a distribution.

    Returns:
        [A_1, …, A_N] probabilities.

    Raises:
        ValueError: if one of them is not a distribution over one agent's actions.
    """
    joint = np.ones(())
    for i, own in enumerate(marginals):
        own = check_distribution(own, f"marginals[{i}]")
        if own.ndim != 1:
            raise ValueError(f"marginals[{i}] must have shape [A_i], got {own.shape}")
        joint = np.multiply.outer(joint, own)
    return joint


def with_opponents(policy: ArrayLike, opponent_model: ArrayLike, agent: int) -> np.ndarray:
    """π̂_i = π_i ρ_i, the perceived joint policy of (3.2).

    Args:
        policy: π_i(u_i | u_{−i}), shape [A_1, …, A_N], or anything that broadcasts to it.
        opponent_model: ρ_i(u_{−i}), shape [A_j for j ≠ i].
        agent: i.

    Returns:
        [A_1, …, A_N] probabilities.
    """
    return np.asarray(policy) * np.expand_dims(np.asarray(opponent_model), agent)


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
    return (by_own_action * model).reshape(q.shape[agent], -1).sum(axis=1)


def entropy(p: ArrayLike) -> float:
    """H(p) = −Σ p log p of a distribution of any shape, in nats."""
    p = check_distribution(p, "p")
    held = p[p > 0]
    return float(-(held * np.log(held)).sum())


def collision_entropy(p: ArrayLike) -> float:
    """H_2(p) = −log Σ p², the Rényi entropy of order two, in nats."""
    return float(-np.log((check_distribution(p, "p") ** 2).sum()))


def kl(p: ArrayLike, q: ArrayLike) -> float:
    """D_KL(p ‖ q) = Σ p (log p − log q) of (3.2), in nats; infinite where q misses mass of p.

    Args:
        p: [...] probabilities.
        q: [...] probabilities, of the same shape.

    Raises:
        ValueError: if one of them is no distribution or the shapes differ.
    """
    p = check_distribution(p, "p")
    q = check_distribution(q, "q", p.shape)
    held = p > 0
    if (q[held] == 0).any():
        return float("inf")
    return float((p[held] * (np.log(p[held]) - np.log(q[held]))).sum())


def kl_from_log(p: np.ndarray, log_q: np.ndarray) -> float:
    """D_KL(p ‖ q) from p and log q of the same shape: finite where q itself would underflow."""
    held = p > 0
    return float((p[held] * (np.log(p[held]) - log_q[held])).sum())


def chain_rule(p: ArrayLike, q: ArrayLike, agent: int) -> tuple[float, float]:
    """The two terms of (6.1), which add up to D_KL(p ‖ q).

    Args:
        p: [A_1, …, A_N] probabilities, the perceived joint.
        q: [A_1, …, A_N] probabilities, the optimal joint; positive wherever p is.
        agent: i.

    Returns:
        the divergence of the conditionals p(u_i | u_{−i}) and q(u_i | u_{−i}) under p(u_{−i}),
        and the divergence of p(u_{−i}) from q(u_{−i}).

    Raises:
        ValueError: if one of them is no distribution, the shapes differ, or no such agent.
    """
    p = check_distribution(p, "p")
    q = check_distribution(q, "q", p.shape)
    others = opponents(p, agent)
    imitation = with_opponents(conditional(q, agent, range(q.ndim)), others, agent)
    return kl(p, imitation / imitation.sum()), kl(others, opponents(q, agent))


def total_variation(p: ArrayLike, q: ArrayLike) -> float:
    """½ Σ |p − q| of two distributions of the same shape."""
    p = check_distribution(p, "p")
    return float(abs(p - check_distribution(q, "q", p.shape)).sum() / 2)


def printed_soft_value(q: ArrayLike, alpha: float, proposal: ArrayLike) -> float:
    """α log E_{u ~ p}[exp(Q(u) / α)]: (7.4) as printed, in the limit of many samples.

    Without importance weights this is not V: it differs by `printed_bias`.

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.
        proposal: [A_1, …, A_N] probabilities p that the samples are drawn from.

    Raises:
        ValueError: if q is not finite, alpha not positive, or proposal does not fit.
    """
    exponent = scaled(q, alpha)
    p = check_distribution(proposal, "proposal", exponent.shape)
    return alpha * log_sum_exp(exponent[p > 0] + np.log(p[p > 0])).item()


def printed_bias(q: ArrayLike, alpha: float, proposal: ArrayLike) -> float:
    """α log Σ p π*: what the printed (7.4) adds to the soft value, never positive.

    It is −α log |U| for a uniform proposal and −α H_2(π*) for π* itself.

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.
        proposal: [A_1, …, A_N] probabilities p that the samples are drawn from.

    Raises:
        ValueError: if q is not finite, alpha not positive, or proposal does not fit.
    """
    log_optimal = log_boltzmann(q, alpha)
    p = check_distribution(proposal, "proposal", log_optimal.shape)
    return alpha * log_sum_exp(log_optimal[p > 0] + np.log(p[p > 0])).item()


def weighted_soft_value(q: ArrayLike, alpha: float, proposal: ArrayLike) -> float:
    """α log E_{u ~ p}[exp(Q(u) / α) / p(u)]: (7.4) with importance weights, many samples.

    It equals the soft value exactly when the proposal reaches every joint action.

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.
        proposal: [A_1, …, A_N] probabilities p that the samples are drawn from.

    Raises:
        ValueError: if q is not finite, alpha not positive, or proposal does not fit.
    """
    exponent = scaled(q, alpha)
    p = check_distribution(proposal, "proposal", exponent.shape)
    return alpha * log_sum_exp(exponent[p > 0]).item()


def sampled_soft_value(
    q_samples: ArrayLike, alpha: float, log_proposal: ArrayLike | None = None
) -> float:
    """The estimate of (7.4) from M sampled joint actions, as printed or with weights.

    Args:
        q_samples: [M] the payoffs of the samples.
        alpha: temperature, positive.
        log_proposal: [M] log p of the samples, which turns the weights 1 / p on; None is as
            printed, without weights.

    Raises:
        ValueError: if the payoffs are not finite, alpha not positive, or the shapes differ.
    """
    exponent = scaled(q_samples, alpha)
    if log_proposal is not None:
        log_p = check_payoff(log_proposal, "log_proposal")
        if log_p.shape != exponent.shape:
            raise ValueError(f"log_proposal must have shape {exponent.shape}, got {log_p.shape}")
        exponent = exponent - log_p
    return alpha * (log_sum_exp(exponent).item() - float(np.log(exponent.size)))


def self_proposed_value(q: ArrayLike, alpha: float) -> float:
    """The printed (7.4) when the samples come from π* itself: α log(Σ e^{2Q/α} / Σ e^{Q/α}).

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.

    Raises:
        ValueError: if q is not finite or alpha not positive.
    """
    exponent = scaled(q, alpha)
    return alpha * (log_sum_exp(2 * exponent) - log_sum_exp(exponent)).item()


def self_proposed_gradient(q: ArrayLike, alpha: float) -> np.ndarray:
    """∂/∂Q of `self_proposed_value`: 2 softmax(2Q / α) − softmax(Q / α).

    Its absolute values can add up to more than one, so that the backup r + γ E[V] that (7.4)
    prints need not be a contraction in the largest entry, however Lemma 6.1 reads.

    Args:
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.

    Returns:
        [A_1, …, A_N] partial derivatives.

    Raises:
        ValueError: if q is not finite or alpha not positive.
    """
    return 2 * boltzmann(q, alpha / 2) - boltzmann(q, alpha)
