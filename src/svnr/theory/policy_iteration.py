"""Soft policy iteration (§6.2) on finite games with states, exact, with every update of interest.

A joint policy is an array [S, A_1, …, A_N] that sums to one in each state. The lemmas speak of an
exact improvement; this module also has what is printed in (6.6) and what simpler sets lead to.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from svnr.checks import check_agent, check_alpha, check_payoff
from svnr.sets import check_sets
from svnr.theory.maxent import boltzmann, boltzmann_conditional, conditional, marginals, product
from svnr.theory.nesting import predecessors


@dataclass(frozen=True, kw_only=True, eq=False)
class FiniteMDP:
    """A cooperative stochastic game (§3.1) with finitely many states and actions.

    Attributes:
        reward: [S, A_1, …, A_N] the team's reward.
        transition: [S, A_1, …, A_N, S] probabilities of the next state.
        discount: γ, below 1.
    """

    reward: np.ndarray
    transition: np.ndarray
    discount: float

    def __post_init__(self) -> None:
        """Refuse arrays that make no game."""
        check_payoff(self.reward, "reward")
        wanted = (*self.reward.shape, len(self.reward))
        if self.transition.shape != wanted:
            raise ValueError(f"transition must have shape {wanted}, got {self.transition.shape}")
        if (self.transition < 0).any() or not np.allclose(self.transition.sum(-1), 1):
            raise ValueError("transition must be probabilities that sum to 1 over the last axis")
        if not 0 <= self.discount < 1:
            raise ValueError(f"discount must be at least 0 and below 1, got {self.discount}")

    @property
    def n_agents(self) -> int:
        """N, the number of agents."""
        return self.reward.ndim - 1

    def backup(self, value: np.ndarray) -> np.ndarray:
        """r + γ E[V(s′)] [S, A_1, …, A_N] for values [S], the operator of (6.5)."""
        return self.reward + self.discount * self.transition @ value


def one_state(q: np.ndarray, discount: float = 0.9) -> FiniteMDP:
    """A one-shot payoff [A_1, …, A_N] played for ever in a single state."""
    q = check_payoff(q)
    return FiniteMDP(reward=q[None], transition=np.ones((1, *q.shape, 1)), discount=discount)


def random_mdp(
    rng: np.random.Generator, n_states: int, shape: Sequence[int], discount: float = 0.9
) -> FiniteMDP:
    """Normal rewards, exponential-normalized transitions."""
    weights = rng.exponential(size=(n_states, *shape, n_states))
    return FiniteMDP(
        reward=rng.normal(size=(n_states, *shape)),
        transition=weights / weights.sum(-1, keepdims=True),
        discount=discount,
    )


def random_policy(rng: np.random.Generator, mdp: FiniteMDP) -> np.ndarray:
    """A joint policy [S, A_1, …, A_N] drawn from exponential weights."""
    weights = rng.exponential(size=mdp.reward.shape)
    return weights / weights.sum(axis=_actions(mdp), keepdims=True)


def _actions(mdp: FiniteMDP) -> tuple[int, ...]:
    """The axes of the agents in an array [S, A_1, …, A_N]."""
    return tuple(range(1, mdp.n_agents + 1))


def check_policy(policy: np.ndarray, mdp: FiniteMDP) -> np.ndarray:
    """Return a joint policy as an array, or say what is wrong with it.

    Raises:
        ValueError: if the shape is another one or a state's probabilities do not sum to 1.
    """
    policy = np.asarray(policy, dtype=float)
    if policy.shape != mdp.reward.shape:
        raise ValueError(f"policy must have shape {mdp.reward.shape}, got {policy.shape}")
    sums = policy.sum(axis=_actions(mdp))
    if (policy < 0).any() or not np.allclose(sums, 1, atol=1e-8):
        raise ValueError(f"policy must be probabilities that sum to 1 in each state, got {sums}")
    return policy


def entropy_of_states(policy: np.ndarray) -> np.ndarray:
    """[S] −Σ_u π(u | s) log π(u | s) of a joint policy [S, A_1, …, A_N]."""
    flat = policy.reshape(len(policy), -1)
    logs = np.log(flat, out=np.zeros_like(flat), where=flat > 0)
    return -(flat * logs).sum(axis=1)


def soft_value_of(q: np.ndarray, policy: np.ndarray, alpha: float) -> np.ndarray:
    """V = E_π[Q − α log π] [S], below (6.5)."""
    expected = (policy * q).reshape(len(q), -1).sum(axis=1)
    return expected + alpha * entropy_of_states(policy)


def bellman(mdp: FiniteMDP, q: np.ndarray, policy: np.ndarray, alpha: float) -> np.ndarray:
    """Γ_π Q of (6.5), [S, A_1, …, A_N]."""
    return mdp.backup(soft_value_of(q, policy, alpha))


def soft_evaluate(
    mdp: FiniteMDP, policy: np.ndarray, alpha: float
) -> tuple[np.ndarray, np.ndarray]:
    """The fixed point of (6.5), by a linear solve: what Lemma 6.1 converges to.

    Args:
        mdp: the game.
        policy: [S, A_1, …, A_N] joint policy.
        alpha: temperature; 0 for plain values.

    Returns:
        Q [S, A_1, …, A_N] and V [S].

    Raises:
        ValueError: if policy is no policy of the game or alpha is negative.
    """
    policy = check_policy(policy, mdp)
    alpha = check_alpha(alpha, zero_allowed=True)
    weights = policy.reshape(len(policy), -1)
    reward = (policy * mdp.reward).reshape(len(policy), -1).sum(axis=1)
    moves = np.einsum("su,sut->st", weights, mdp.transition.reshape(*weights.shape, -1))
    here = reward + alpha * entropy_of_states(policy)
    value = np.linalg.solve(np.eye(len(here)) - mdp.discount * moves, here)
    return mdp.backup(value), value


# --- improvements of one state's joint policy ----------------------------------------------------

Improve = Callable[[np.ndarray, np.ndarray, float], np.ndarray]


def exact_nested(q: np.ndarray, joint: np.ndarray, alpha: float) -> np.ndarray:
    """π′ = exp((Q − V) / α) with V the log-normaliser: the update that Lemma 6.2 speaks of.

    Args:
        q: [A_1, …, A_N] soft Q of one state.
        joint: [A_1, …, A_N] the current policy there; not needed.
        alpha: temperature, positive.
    """
    return boltzmann(q, alpha)


def printed_6_6(q: np.ndarray, joint: np.ndarray, alpha: float) -> np.ndarray:
    """(6.6) as printed, for C_i = {1, …, i−1}, and normalized.

    Agent i weighs its actions by exp(E[Q | u_i, u_{C_i}] / α), the mean over the *current* policy
    of the agents after it. The exact update takes α log E exp in place of the mean.
    """
    policy = np.ones(())
    for i in range(q.ndim):
        later = tuple(range(i + 1, q.ndim))
        weight = joint.sum(axis=later, keepdims=True)
        uniform = np.full_like(joint, 1 / np.prod([q.shape[j] for j in later], dtype=float))
        rest = np.divide(joint, weight, out=uniform, where=weight > 0)
        mean = (rest * q).sum(axis=later, keepdims=True)
        own = np.exp((mean - mean.max(axis=i, keepdims=True)) / alpha)
        policy = policy * own / own.sum(axis=i, keepdims=True)
    return policy


def printed_mass(q: np.ndarray, joint: np.ndarray, alpha: float) -> float:
    """The sum of the third line of (6.6) as printed, with V = E[Q]: one, if it were a policy."""
    policy = np.ones(())
    for i in range(q.ndim):
        means = []
        for first in (i + 1, i):
            rest = tuple(range(first, q.ndim))
            weight = joint.sum(axis=rest, keepdims=True)
            means.append((joint * q).sum(axis=rest, keepdims=True) / weight)
        policy = policy * np.exp((means[0] - means[1]) / alpha)
    return float(policy.sum())


def gibbs(q: np.ndarray, joint: np.ndarray, alpha: float) -> np.ndarray:
    """Full sets, one agent after the other: (6.2) solved exactly for each in turn."""
    for i in range(q.ndim):
        target = boltzmann_conditional(q, alpha, i, range(q.ndim))
        joint = joint.sum(axis=i, keepdims=True) * target
    return joint


def marginals_of_softmax(q: np.ndarray, joint: np.ndarray, alpha: float) -> np.ndarray:
    """Empty sets: each agent keeps its marginal of the exact update."""
    return product(marginals(boltzmann(q, alpha)))


def mean_field_simultaneous(q: np.ndarray, joint: np.ndarray, alpha: float) -> np.ndarray:
    """Empty sets: all agents reply at once to the others' current marginals."""
    current = marginals(joint)
    return product([_soft_reply(q, current, i, alpha) for i in range(q.ndim)])


def mean_field_sequential(q: np.ndarray, joint: np.ndarray, alpha: float) -> np.ndarray:
    """Empty sets: the agents reply one after the other to the others' newest marginals."""
    current = marginals(joint)
    for i in range(q.ndim):
        current[i] = _soft_reply(q, current, i, alpha)
    return product(current)


def _soft_reply(q: np.ndarray, own: list[np.ndarray], agent: int, alpha: float) -> np.ndarray:
    """softmax(E[Q | u_i] / α) [A_i] against the product of the others' marginals."""
    others = [law for j, law in enumerate(own) if j != agent]
    rho = product(others) if others else np.ones(())
    drive = np.tensordot(np.moveaxis(q, agent, 0), rho, axes=rho.ndim)
    return boltzmann(drive, alpha)


def along(sets: Sequence[Iterable[int]]) -> Improve:
    """The improvement of agents that copy π*(u_i | u_{C_i}), for sets without circles.

    For nested sets it is the exact update; for a star or empty sets it is not.
    """

    def improve(q: np.ndarray, joint: np.ndarray, alpha: float) -> np.ndarray:
        checked = check_sets(sets, q.ndim)
        target = boltzmann(q, alpha)
        policy = np.ones_like(target)
        for i in range(q.ndim):
            policy = policy * conditional(target, i, checked[i])
        return policy

    return improve


def nested_improvement(sets: Sequence[Iterable[int]]) -> Improve:
    """The improvement of nested sets, each agent along its predecessors (Lemma 6.2).

    Raises:
        ValueError: if the sets are not nested.
    """
    return along(predecessors(sets))


IMPROVEMENTS: dict[str, Improve] = {
    "exact nested": exact_nested,
    "printed (6.6)": printed_6_6,
    "full sets, Gibbs": gibbs,
    "empty sets, marginals": marginals_of_softmax,
    "empty sets, all at once": mean_field_simultaneous,
    "empty sets, in turn": mean_field_sequential,
}


# --- policy iteration ----------------------------------------------------------------------------


def soft_improve(
    mdp: FiniteMDP, q: np.ndarray, policy: np.ndarray, alpha: float, improve: Improve
) -> np.ndarray:
    """The improved joint policy [S, A_1, …, A_N], state by state."""
    alpha = check_alpha(alpha)
    return np.stack([improve(q[s], policy[s], alpha) for s in range(len(q))])


@dataclass(frozen=True, eq=False)
class Iterate:
    """One round of policy iteration, after evaluation."""

    policy: np.ndarray  # [S, A_1, …, A_N]
    q: np.ndarray  # [S, A_1, …, A_N]
    value: np.ndarray  # [S]


def soft_policy_iteration(
    mdp: FiniteMDP,
    alpha: float,
    improve: Improve = exact_nested,
    start: np.ndarray | None = None,
    n_rounds: int = 50,
    tolerance: float = 1e-10,
) -> list[Iterate]:
    """Evaluate, improve, repeat (Theorem 6.3), until Q stays within `tolerance`.

    Args:
        mdp: the game.
        alpha: temperature, positive.
        improve: the update of one state's joint policy.
        start: [S, A_1, …, A_N] first policy; uniform by default.
        n_rounds: the most rounds.
        tolerance: of the largest change of Q.

    Returns:
        the rounds, the start's evaluation first.
    """
    uniform = np.full(mdp.reward.shape, 1 / mdp.reward[0].size)
    policy = uniform if start is None else check_policy(start, mdp)
    rounds = [Iterate(policy, *soft_evaluate(mdp, policy, alpha))]
    for _ in range(n_rounds):
        policy = soft_improve(mdp, rounds[-1].q, rounds[-1].policy, alpha, improve)
        rounds.append(Iterate(policy, *soft_evaluate(mdp, policy, alpha)))
        if abs(rounds[-1].q - rounds[-2].q).max() < tolerance:
            break
    return rounds


def improvement(mdp: FiniteMDP, policy: np.ndarray, alpha: float, improve: Improve) -> np.ndarray:
    """Q^{π′} − Q^π [S, A_1, …, A_N] of one improvement: Lemma 6.2 says nowhere negative."""
    before, _ = soft_evaluate(mdp, policy, alpha)
    after, _ = soft_evaluate(mdp, soft_improve(mdp, before, policy, alpha, improve), alpha)
    return after - before


def share_of_violations(
    rng: np.random.Generator,
    improve: Improve,
    shape: Sequence[int],
    n_cases: int,
    alpha: float = 1.0,
    n_states: int = 2,
    improved: bool = False,
    factored: bool = False,
) -> float:
    """How often some Q falls: over random games and policies, the share that breaks Lemma 6.2.

    Args:
        rng: draws the games and the policies.
        improve: the update.
        shape: [N] actions of each agent.
        n_cases: how many games.
        alpha: temperature, positive.
        n_states: of each game.
        improved: whether the policy has already been improved once, exactly; far from the optimum
            nearly every update is an improvement.
        factored: whether the policy is a product of the agents' own, as that of empty sets is.
    """
    broken = 0
    for _ in range(n_cases):
        mdp = random_mdp(rng, n_states, shape)
        policy = random_policy(rng, mdp)
        if improved:
            policy = soft_improve(
                mdp, soft_evaluate(mdp, policy, alpha)[0], policy, alpha, exact_nested
            )
        if factored:
            policy = np.stack([product(marginals(joint)) for joint in policy])
        gain = improvement(mdp, policy, alpha, improve)
        broken += bool(gain.min() < -1e-9 * (1 + abs(gain).max()))
    return broken / n_cases


def printed_value_iteration(
    mdp: FiniteMDP, alpha: float, start: np.ndarray, n_sweeps: int
) -> np.ndarray:
    """(7.4) as an operator, samples drawn from softmax(Q / α), γ added: Q after n_sweeps.

    Its value is α log E_{u∼p} exp(Q / α) with p = softmax(Q / α). Not a contraction: where it
    ends may depend on where it starts.

    Args:
        mdp: the game.
        alpha: temperature, positive.
        start: [S, A_1, …, A_N] first Q.
        n_sweeps: how often.
    """
    q = np.asarray(start, dtype=float)
    for _ in range(n_sweeps):
        flat = q.reshape(len(q), -1) / check_alpha(alpha)
        value = np.logaddexp.reduce(2 * flat, axis=1) - np.logaddexp.reduce(flat, axis=1)
        q = mdp.backup(alpha * value)
    return q


def ero_gap_mdp(mdp: FiniteMDP, executed: np.ndarray, agent: int) -> np.ndarray:
    """Definition 4.1 with states: what agent i gains by always seeing its partners' actions.

    The partners keep their part of `executed`; agent i replies best to what it sees, now and in
    all states to come.

    Args:
        mdp: the game.
        executed: [S, A_1, …, A_N] the joint policy that is executed.
        agent: i.

    Returns:
        [S] gains in discounted payoff, never negative.
    """
    executed = check_policy(executed, mdp)
    axis = check_agent(agent, mdp.n_agents) + 1
    partners = executed.sum(axis=axis)
    _, value = soft_evaluate(mdp, executed, 0.0)
    informed = value.copy()
    for _ in range(10_000):
        best = mdp.backup(informed).max(axis=axis)
        after = (partners * best).reshape(len(best), -1).sum(axis=1)
        change = abs(after - informed).max()
        informed = after
        if change < 1e-13 * (1 + abs(after).max()):
            break
    return informed - value
