"""Cooperative games with finitely many states, and the exact soft value of a joint policy there.

A joint policy is an array [S, A_1, …, A_N] that sums to one in each state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from svnr.checks import Interval, NotNegative, check_payoff, fitted
from svnr.theory.distributions import finite_log


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
        shape = check_payoff(self.reward, "reward").shape
        if len(shape) < 2:
            raise ValueError(f"reward must have shape [S, A_1, …, A_N], N ≥ 1, got {shape}")
        if self.transition.shape != (*shape, shape[0]):
            wanted = (*shape, shape[0])
            raise ValueError(f"transition must have shape {wanted}, got {self.transition.shape}")
        if (self.transition < 0).any() or not np.allclose(self.transition.sum(-1), 1):
            raise ValueError("transition must be probabilities that sum to 1 over the last axis")
        fitted("discount", self.discount, Annotated[float, Interval(0, 1, high_open=True)])

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
    reward = rng.normal(size=(n_states, *shape))
    transition = weights / weights.sum(-1, keepdims=True)
    return FiniteMDP(reward=reward, transition=transition, discount=discount)


def random_policy(rng: np.random.Generator, mdp: FiniteMDP) -> np.ndarray:
    """A joint policy [S, A_1, …, A_N] drawn from exponential weights."""
    weights = rng.exponential(size=mdp.reward.shape)
    return weights / weights.sum(axis=tuple(range(1, weights.ndim)), keepdims=True)


def over_actions(x: np.ndarray) -> np.ndarray:
    """Σ_u x(s, u) [S] of an array [S, A_1, …, A_N]."""
    return np.asarray(x.reshape(len(x), -1).sum(axis=1))


def check_policy(policy: np.ndarray, mdp: FiniteMDP) -> np.ndarray:
    """Return a joint policy as an array, or say what is wrong with it.

    Raises:
        ValueError: if the shape is another one or a state's probabilities do not sum to 1.
    """
    policy = np.asarray(policy, dtype=float)
    if policy.shape != mdp.reward.shape:
        raise ValueError(f"policy must have shape {mdp.reward.shape}, got {policy.shape}")
    sums = over_actions(policy)
    if (policy < 0).any() or not np.allclose(sums, 1, atol=1e-8):
        raise ValueError(f"policy must be probabilities that sum to 1 in each state, got {sums}")
    return policy


def soft_value_of(q: np.ndarray, policy: np.ndarray, alpha: float) -> np.ndarray:
    """V = E_π[Q − α log π] [S], below (6.5)."""
    return over_actions(policy * (q - alpha * finite_log(policy)))


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
    policy, alpha = check_policy(policy, mdp), fitted("alpha", alpha, NotNegative)
    n = len(policy)
    moves = np.einsum("su,sut->st", policy.reshape(n, -1), mdp.transition.reshape(n, -1, n))
    here = soft_value_of(mdp.reward, policy, alpha)
    value = np.linalg.solve(np.eye(n) - mdp.discount * moves, here)
    return mdp.backup(value), value
