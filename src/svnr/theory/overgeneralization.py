"""Relative over-generalization of finite games, exact: perceived (PRO), executed (ERO),
and the classical notions that the paper starts from.

Definition 4.2 does not say whether an agent's policy π_i may see its partners' actions. Both
readings are here; the conditional one is the one that makes the theory hold.
"""

from collections.abc import Sequence
from itertools import product as combinations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from svnr.checks import check_agent, check_alpha, check_distribution, check_payoff
from svnr.theory.maxent import (
    boltzmann,
    boltzmann_conditional,
    entropy,
    expected_payoff,
    kl,
    kl_from_log,
    log_boltzmann,
    log_marginal,
    marginals,
    opponents,
    optimal_set,
    product,
    with_opponents,
)

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
    model, log_optimal = _model_and_target(opponent_model, q, alpha, agent)
    others = [j for j in range(log_optimal.ndim) if j != agent]
    if reading == "conditional":
        return kl_from_log(model, log_marginal(log_optimal, others))
    if reading != "marginal":
        raise ValueError(f"reading must be 'conditional' or 'marginal', got {reading!r}")
    optimal = np.exp(log_marginal(log_optimal, others))
    best = marginal_divergence(optimal / optimal.sum(), q, alpha, agent)
    return marginal_divergence(model, q, alpha, agent) - best


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
    model, log_optimal = _model_and_target(opponent_model, q, alpha, agent)
    drive = expected_payoff(log_optimal, model, agent)
    return -entropy(model) - float(np.logaddexp.reduce(drive))


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
    q = check_payoff(q)
    shape = np.delete(q.shape, check_agent(agent, q.ndim))
    model = check_distribution(opponent_model, "opponent_model", tuple(shape.tolist()))
    if reading == "conditional":
        return float(q.max() - (model * q.max(axis=agent)).sum())
    if reading != "marginal":
        raise ValueError(f"reading must be 'conditional' or 'marginal', got {reading!r}")
    best = optimal_set(q)
    partners = opponents(best / best.sum(), agent)
    replies = [expected_payoff(q, rho, agent).max() for rho in (partners, model)]
    return float(replies[0] - replies[1])


def has_pro(
    opponent_models: Sequence[ArrayLike], q: ArrayLike, alpha: float, tolerance: float = 1e-9
) -> bool:
    """Definition 4.2, conditional reading: whether some agent's gap exceeds `tolerance` nats."""
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
    model, log_optimal = _model_and_target(opponent_model, q, alpha, agent)
    n = log_optimal.ndim
    if reading == "conditional":
        policy = boltzmann_conditional(q, alpha, agent, range(n))
    elif reading == "marginal":
        drive = expected_payoff(log_optimal, model, agent)
        own = np.exp(drive - np.logaddexp.reduce(drive))
        policy = np.expand_dims(own, [j for j in range(n) if j != agent])
    else:
        raise ValueError(f"reading must be 'conditional' or 'marginal', got {reading!r}")
    return with_opponents(policy, model, agent)


def _model_and_target(
    opponent_model: ArrayLike, q: ArrayLike, alpha: float, agent: int
) -> tuple[np.ndarray, np.ndarray]:
    """ρ_i and log π*_α, checked against each other."""
    log_optimal = log_boltzmann(q, check_alpha(alpha))
    shape = np.delete(log_optimal.shape, check_agent(agent, log_optimal.ndim))
    model = check_distribution(opponent_model, "opponent_model", tuple(shape.tolist()))
    return model, log_optimal


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
    if how == "shared":
        return joint
    if how == "independent":
        return product(marginals(joint))
    if how != "greedy":
        raise ValueError(f"how must be 'independent', 'shared' or 'greedy', got {how!r}")
    chosen = np.zeros_like(joint)
    chosen[np.unravel_index(joint.argmax(), joint.shape)] = 1.0
    return chosen


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


def has_ero(executed: ArrayLike, q: ArrayLike, tolerance: float = 1e-9) -> bool:
    """Definition 4.1: whether some agent gains more than `tolerance` by seeing the others."""
    return ero_gap(executed, q) > tolerance


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
    actions = np.asarray(actions, dtype=bool)
    hull = np.ones_like(actions)
    for i in range(actions.ndim):
        rest = tuple(j for j in range(actions.ndim) if j != i)
        hull &= actions.any(axis=rest, keepdims=True)
    return bool((hull == actions).all())


def annealing_suffices(q: ArrayLike) -> bool:
    """Whether α → 0 alone removes ERO from independent execution of π*_α (Theorem 5.2).

    It does exactly if the optimal joint actions form a rectangle: the limit is uniform on them,
    and the product of its marginals reaches every joint action of their rectangular hull.
    """
    return is_rectangular(optimal_set(q))


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
    if has_pro(opponent_models, q, alpha, tolerance):
        return False
    believed = perceived(opponent_models[0], q, alpha, 0)
    return kl(executed, believed / believed.sum()) <= tolerance


# --- the classical notions ------------------------------------------------------------------


def pure_nash(q: ArrayLike) -> np.ndarray:
    """[A_1, …, A_N] True where no agent gains by moving alone."""
    q = check_payoff(q)
    stays = [q >= q.max(axis=i, keepdims=True) for i in range(q.ndim)]
    return np.logical_and.reduce(stays)


def overgeneralized(q: ArrayLike) -> tuple[int, ...]:
    """Everybody's best action against partners who act uniformly at random (the first, if tied).

    Args:
        q: [A_1, …, A_N] payoff.

    Returns:
        [N] the joint action that exploration alone teaches.
    """
    q = check_payoff(q)
    return tuple(int(np.argmax(against_random(q, i))) for i in range(q.ndim))


def against_random(q: ArrayLike, agent: int) -> np.ndarray:
    """[A_i] mean payoff of each own action over partners' actions, all equally likely."""
    q = check_payoff(q)
    others = tuple(j for j in range(q.ndim) if j != check_agent(agent, q.ndim))
    return q.mean(axis=others)


def best_response_path(q: ArrayLike, start: Sequence[int]) -> list[tuple[int, ...]]:
    """Where agents go that reply to each other in turn, until a whole round moves nobody.

    Args:
        q: [A_1, …, A_N] payoff.
        start: [N] the joint action to begin with.

    Returns:
        the joint actions passed through, start first; the last one is a Nash equilibrium.
    """
    q = check_payoff(q)
    path, still = [tuple(int(a) for a in start)], 0
    for turn in range(q.size * q.ndim):
        agent, here = turn % q.ndim, path[-1]
        line = q[tuple(slice(None) if j == agent else here[j] for j in range(q.ndim))]
        better = int(np.argmax(line)) if line.max() > line[here[agent]] else here[agent]
        moved = (*here[:agent], better, *here[agent + 1 :])
        still = still + 1 if moved == here else 0
        if moved != here:
            path.append(moved)
        if still == q.ndim:
            break
    return path


def ro_pairs(q: ArrayLike) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Relative over-generalization as §4 quotes it: pairs of a worse and an optimal equilibrium.

    In each pair every agent's part of the worse equilibrium earns more against random partners
    than its part of the optimal one.

    Args:
        q: [A_1, …, A_N] payoff.

    Returns:
        (sub-optimal, optimal) pairs of pure Nash equilibria.
    """
    q = check_payoff(q)
    stable = [tuple(int(a) for a in u) for u in np.argwhere(pure_nash(q))]
    best = optimal_set(q)
    means = [against_random(q, i) for i in range(q.ndim)]
    return [
        (worse, better)
        for worse, better in combinations(stable, stable)
        if best[better]
        and not best[worse]
        and all(m[w] > m[b] for m, w, b in zip(means, worse, better, strict=True))
    ]


def optimal_models(q: ArrayLike, alpha: float) -> list[np.ndarray]:
    """ρ_i = π*_α(u_{−i}) for every agent: the models of Definition 4.3."""
    joint = boltzmann(q, alpha)
    return [opponents(joint, i) for i in range(joint.ndim)]
