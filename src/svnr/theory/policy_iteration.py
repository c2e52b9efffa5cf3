"""Soft policy iteration (§6.2) on finite games with states, exact, with any improvement."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from svnr.checks import NotNegative, Whole, check_count, fitted
from svnr.theory.distributions import finite_log, marginals, product
from svnr.theory.improvements import Improve, exact_nested
from svnr.theory.maxent import printed_soft_value
from svnr.theory.mdp import FiniteMDP, check_policy, random_mdp, random_policy, soft_evaluate


@dataclass(frozen=True, eq=False)
class Iterate:
    """One round of policy iteration, after evaluation."""

    log_policy: np.ndarray  # [S, A_1, …, A_N]
    q: np.ndarray  # [S, A_1, …, A_N]
    value: np.ndarray  # [S]

    @property
    def policy(self) -> np.ndarray:
        """[S, A_1, …, A_N] the joint policy that was evaluated."""
        return np.exp(self.log_policy)

    def change(self, before: "Iterate") -> float:
        """How far Q, the policy or its logarithm moved, as a share of the largest entry."""
        new, old = ((each.q, each.policy, each.log_policy) for each in (self, before))
        pairs = zip(new, old, strict=True)
        return float(max(abs(a - b).max() / (abs(a).max() or 1.0) for a, b in pairs))


@dataclass(frozen=True, eq=False)
class PolicyIteration:
    """The rounds of a policy iteration, the start's evaluation first, and whether it settled."""

    rounds: list[Iterate]
    has_converged: bool


def soft_policy_iteration(
    mdp: FiniteMDP,
    alpha: float,
    improve: Improve = exact_nested,
    start: np.ndarray | None = None,
    n_rounds: int = 50,
    tolerance: float = 1e-10,
) -> PolicyIteration:
    """Evaluate, improve, repeat (Theorem 6.3), until neither Q nor the policy moves.

    Args:
        mdp: the game.
        alpha: temperature, positive.
        improve: the update of one state's joint policy.
        start: [S, A_1, …, A_N] first policy; uniform by default.
        n_rounds: the most rounds.
        tolerance: the largest change, as a share of the largest entry; 0 plays all rounds.

    Raises:
        ValueError: if alpha is not positive, start no policy of the game, or n_rounds or
            tolerance negative.
    """
    n_rounds = fitted("n_rounds", n_rounds, Whole)
    tolerance = fitted("tolerance", tolerance, NotNegative)
    uniform = np.full(mdp.reward.shape, 1 / mdp.reward[0].size)
    log_policy = finite_log(uniform if start is None else check_policy(start, mdp))
    rounds, settled = [Iterate(log_policy, *soft_evaluate(mdp, np.exp(log_policy), alpha))], False
    while len(rounds) <= n_rounds and not settled:
        states = zip(rounds[-1].q, log_policy, strict=True)
        log_policy = np.stack([improve(q, current, alpha) for q, current in states])
        rounds.append(Iterate(log_policy, *soft_evaluate(mdp, np.exp(log_policy), alpha)))
        settled = rounds[-1].change(rounds[-2]) < tolerance
    return PolicyIteration(rounds, settled)


def improvement(mdp: FiniteMDP, policy: np.ndarray, alpha: float, improve: Improve) -> np.ndarray:
    """Q^{π′} − Q^π [S, A_1, …, A_N] of one improvement: Lemma 6.2 says nowhere negative."""
    before, after = soft_policy_iteration(mdp, alpha, improve, policy, n_rounds=1).rounds
    return after.q - before.q


def share_of_violations(
    rng: np.random.Generator,
    improve: Improve,
    shape: Sequence[int],
    n_cases: int,
    *,
    improved: bool = False,
    factored: bool = False,
) -> float:
    """How often some Q falls: the share of random games and policies that break Lemma 6.2.

    Args:
        rng: draws the games, of two states, and the policies.
        improve: the update, at α = 1.
        shape: [N] actions of each agent.
        n_cases: how many games.
        improved: whether the policy has already been improved once, exactly; far from the optimum
            nearly every update is an improvement.
        factored: whether the policy is a product of the agents' own, as that of empty sets is.
    """
    broken = 0
    for _ in range(check_count("n_cases", n_cases)):
        mdp = random_mdp(rng, 2, shape)
        policy = random_policy(rng, mdp)
        if improved:
            policy = soft_policy_iteration(mdp, 1.0, start=policy, n_rounds=1).rounds[-1].policy
        if factored:
            policy = np.stack([product(marginals(joint)) for joint in policy])
        gain = improvement(mdp, policy, 1.0, improve)
        broken += bool(gain.min() < -1e-9 * (1 + abs(gain).max()))
    return broken / n_cases


def printed_value_iteration(
    mdp: FiniteMDP, alpha: float, start: np.ndarray, n_sweeps: int
) -> np.ndarray:
    """(7.4) as an operator, samples drawn from softmax(Q / α), γ added: Q after n_sweeps.

    Not a contraction: where it ends may depend on where it starts.

    Args:
        mdp: the game.
        alpha: temperature, positive.
        start: [S, A_1, …, A_N] first Q.
        n_sweeps: how often.
    """
    q = np.asarray(start, dtype=float)
    for _ in range(fitted("n_sweeps", n_sweeps, Whole)):
        q = mdp.backup(np.array([printed_soft_value(here, alpha) for here in q]))
    return q
