"""Relative over-generalization of finite games, exact: perceived (PRO) and executed (ERO).

Definition 4.2 does not say whether an agent's policy π_i may see its partners' actions. Both
readings are here; the conditional one is the one that makes the theory hold.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from svnr.checks import NotNegative, check_agent, check_distribution, check_payoff, fitted
from svnr.theory import distributions, maxent

Reading = Literal["conditional", "marginal"]
Execution = Literal["shared", "independent", "greedy"]


# --- perceived relative over-generalization -------------------------------------------------


def pro_gap(
    opponent_model: ArrayLike,
    q: ArrayLike,
    alpha: float,
    agent: int,
    reading: Reading = "conditional",
) -> float:
    """Definition 4.2: the left side of (4.2) minus its right side, in nats.

    With π_i(u_i | u_{−i}) the best reply copies π*(u_i | u_{−i}), so the left side is
    D_KL(ρ_i ‖ π*_α(u_{−i})) and the right side 0. With π_i(u_i) both sides are
    `marginal_divergence`, the right side is not 0, and the gap may be negative.

    Args:
        opponent_model: ρ_i(u_{−i}), shape [A_j for j ≠ i].
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.
        agent: i.
        reading: whether π_i sees the partners' actions ("conditional") or not ("marginal").

    Raises:
        ValueError: if the payoff, the temperature, the agent, the model or the reading do not
            make sense.
    """
    fitted("reading", reading, Reading)
    if reading == "marginal":
        right = distributions.opponents(maxent.boltzmann(q, alpha), agent)
        both = [marginal_divergence(rho, q, alpha, agent) for rho in (opponent_model, right)]
        return both[0] - both[1]
    model, log_optimal = _checked_model(opponent_model, q, agent), maxent.log_boltzmann(q, alpha)
    log_partners = distributions.log_sum_exp(log_optimal, (agent,)).squeeze(agent)
    return distributions.kl(model, log_partners)


def marginal_divergence(
    opponent_model: ArrayLike, q: ArrayLike, alpha: float, agent: int
) -> float:
    """min over π_i(u_i) of D_KL(π_i ρ_i ‖ π*_α), the marginal reading of a side of (4.2).

    Closed form: −H(ρ_i) − log Σ_{u_i} exp(E_ρ[log π*(u_i, ·)]).

    Args:
        opponent_model: ρ_i(u_{−i}), shape [A_j for j ≠ i].
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.
        agent: i.
    """
    drive = maxent.expected_payoff(maxent.log_boltzmann(q, alpha), opponent_model, agent)
    return -distributions.entropy(opponent_model) - distributions.log_sum_exp(drive).item()


def pro_gap_limit(
    opponent_model: ArrayLike, q: ArrayLike, agent: int, reading: Reading = "conditional"
) -> float:
    """The limit of α · `pro_gap` as α → 0, in payoff units: what the wrong model costs.

    Conditional: max Q − E_ρ[max_{u_i} Q]. Marginal: [max Q − max_{u_i} E_ρ Q] minus the same with
    the optimal partners in place of ρ.

    Args:
        opponent_model: ρ_i(u_{−i}), shape [A_j for j ≠ i].
        q: [A_1, …, A_N] payoff.
        agent: i.
        reading: see `pro_gap`.

    Raises:
        ValueError: if the payoff, the agent, the model or the reading do not make sense.
    """
    fitted("reading", reading, Reading)
    q, model = check_payoff(q), _checked_model(opponent_model, q, agent)
    if reading == "conditional":
        return float(q.max() - (model * q.max(axis=agent)).sum())
    partners = distributions.opponents(maxent.boltzmann_limit(q), agent)
    replies = [maxent.expected_payoff(q, rho, agent).max() for rho in (partners, model)]
    return float(replies[0] - replies[1])


def has_pro(
    opponent_models: Sequence[ArrayLike], q: ArrayLike, alpha: float, tolerance: float = 1e-9
) -> bool:
    """Definition 4.2, conditional reading: whether some agent's gap exceeds `tolerance` nats."""
    tolerance = fitted("tolerance", tolerance, NotNegative)
    gaps = (pro_gap(model, q, alpha, i) for i, model in enumerate(opponent_models))
    return any(gap > tolerance for gap in gaps)


def perceived(
    opponent_model: ArrayLike,
    q: ArrayLike,
    alpha: float,
    agent: int,
    reading: Reading = "conditional",
) -> np.ndarray:
    """π̂_i = π_i ρ_i with the π_i that minimizes (3.2): what agent i believes the team to do.

    Args:
        opponent_model: ρ_i(u_{−i}), shape [A_j for j ≠ i].
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.
        agent: i.
        reading: see `pro_gap`.

    Returns:
        [A_1, …, A_N] probabilities.
    """
    fitted("reading", reading, Reading)
    model = _checked_model(opponent_model, q, agent)
    if reading == "marginal":  # π_i replies to what its actions earn on average
        mean = maxent.expected_payoff(q, model, agent)
        q = np.expand_dims(mean, distributions.axes_outside([agent], np.ndim(q)))
    return np.exp(maxent.log_boltzmann(q, alpha, (agent,))) * np.expand_dims(model, agent)


def _checked_model(opponent_model: ArrayLike, q: ArrayLike, agent: int) -> np.ndarray:
    """ρ_i, one probability for each joint action of the partners."""
    shape = check_payoff(q).shape
    agent = check_agent(agent, len(shape))
    return check_distribution(opponent_model, "opponent_model", shape[:agent] + shape[agent + 1 :])


# --- executed relative over-generalization --------------------------------------------------


def execute(joint: ArrayLike, how: Execution = "independent") -> np.ndarray:
    """What a team does that believes in `joint`.

    "independent": each agent draws from its own marginal, π̄ = Π_i π̄_i below (3.4). "shared": all
    act out one common particle, as Theorem 5.2 needs. "greedy": the first of the likeliest joint
    actions.

    Args:
        joint: [A_1, …, A_N] probabilities.
        how: the way of execution.

    Returns:
        [A_1, …, A_N] probabilities.

    Raises:
        ValueError: if joint is no distribution or the way is unknown.
    """
    joint = check_distribution(joint, "joint")
    fitted("how", how, Execution)
    if how == "shared":
        return joint
    if how == "independent":
        return distributions.product(distributions.marginals(joint))
    return (np.arange(joint.size) == joint.argmax()).astype(float).reshape(joint.shape)


def ero_gap(executed: ArrayLike, q: ArrayLike, agent: int | None = None) -> float:
    """Definition 4.1: how much agent i would gain by seeing its partners' actions, (4.1).

    Args:
        executed: [A_1, …, A_N] probabilities of the joint actions that the team executes.
        q: [A_1, …, A_N] payoff.
        agent: i, or None for the largest gain of all agents.

    Returns:
        E_{u_{−i}}[max_{u_i} Q] − E[Q], in payoff units, never negative.

    Raises:
        ValueError: if q is not finite, executed does not fit, or there is no such agent.
    """
    q = check_payoff(q)
    executed = check_distribution(executed, "executed", q.shape)
    if agent is None:
        return max(ero_gap(executed, q, i) for i in range(q.ndim))
    best = q.max(axis=check_agent(agent, q.ndim), keepdims=True)
    return float((executed * (best - q)).sum())


def regret(executed: ArrayLike, q: ArrayLike) -> float:
    """max Q − E[Q]: what the executed joint policy misses, in payoff units.

    Raises:
        ValueError: if q is not finite or executed does not fit.
    """
    q = check_payoff(q)
    return float((check_distribution(executed, "executed", q.shape) * (q.max() - q)).sum())


def is_rectangular(actions: ArrayLike) -> bool:
    """Whether a set of joint actions is a product of sets, one an agent.

    Args:
        actions: [A_1, …, A_N] True for the joint actions in the set.
    """
    members = np.argwhere(actions)
    return bool(len(members) == np.prod([np.unique(own).size for own in members.T]))


def annealing_suffices(q: ArrayLike) -> bool:
    """Whether α → 0 alone removes ERO from independent execution of π*_α (Theorem 5.2).

    It does exactly if the optimal joint actions form a rectangle: the limit is uniform on them,
    and the product of its marginals reaches every joint action of their rectangular hull.
    """
    return is_rectangular(maxent.optimal_set(q))


# --- consistent reasoning -------------------------------------------------------------------


def is_consistent(
    opponent_models: Sequence[ArrayLike],
    executed: ArrayLike,
    q: ArrayLike,
    alpha: float,
    tolerance: float = 1e-9,
) -> bool:
    """Definition 4.3: partners are modelled as optimal while training, and as they act after it.

    Args:
        opponent_models: N arrays ρ_i(u_{−i}), each [A_j for j ≠ i].
        executed: [A_1, …, A_N] the joint policy that is executed.
        q: [A_1, …, A_N] payoff.
        alpha: temperature, positive.
        tolerance: nats by which either part may miss.
    """
    executed = check_distribution(executed, "executed", np.shape(q))
    if has_pro(opponent_models, q, alpha, tolerance):
        return False
    log_partners = distributions.finite_log(opponent_models[0])
    log_believed = maxent.log_boltzmann(q, alpha, (0,)) + log_partners
    return distributions.kl(executed, log_believed) <= tolerance


def optimal_models(q: ArrayLike, alpha: float) -> list[np.ndarray]:
    """ρ_i = π*_α(u_{−i}) for every agent: the models of Definition 4.3."""
    joint = maxent.boltzmann(q, alpha)
    return [distributions.opponents(joint, i) for i in range(joint.ndim)]
