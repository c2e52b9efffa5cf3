"""Temperature schedules α(episode), by name: the "steps" of §8 are episodes here.

In a one-shot game they are the same; in a game with states a run has 5,000 episodes too.
"""

import math
from collections.abc import Callable
from functools import partial

Schedule = Callable[..., float]  # of episode, alpha_final, n_episodes


def printed(episode: int, alpha_final: float, n_episodes: int) -> float:
    """α = α′ + 500 · exp(−0.1 · max(step − 10, 0)), as §8 prints: within 1 of α′ after 73 of them.

    Args:
        episode: episodes finished so far.
        alpha_final: α′.
        n_episodes: length of the run; not used.
    """
    return alpha_final + 500 * math.exp(-0.1 * max(episode - 10, 0))


def three_phase(episode: int, alpha_final: float, n_episodes: int) -> float:
    """The printed formula for a third of the run, α′/10 until half, then 0.3.

    An early public version of the experiment code anneals this way; with α′ = 10 the
    temperature ends at 0.3, where a quadratic peak of height 10 earns 10 − 3α/2 = 9.55.
    """
    if episode < n_episodes / 3:
        return printed(episode, alpha_final, n_episodes)
    return alpha_final / 10 if episode < n_episodes / 2 else 0.3


def geometric(episode: int, alpha_final: float, n_episodes: int) -> float:
    """From 30 to α′ at a constant rate over the first half of the run, then α′."""
    progress = min(2 * episode / n_episodes, 1.0)
    return 30 ** (1 - progress) * alpha_final**progress


def linear(episode: int, alpha_final: float, n_episodes: int) -> float:
    """From 6 α′ to α′ at a constant speed over the first four fifths of the run, then α′.

    A network that follows several modes needs time where they part (notebook 07).
    """
    return alpha_final * (1 + 5 * max(0.0, 1 - 1.25 * episode / n_episodes))


def constant(episode: int, alpha_final: float, n_episodes: int) -> float:
    """α′ from the first step to the last."""
    return alpha_final


SCHEDULES: dict[str, Schedule] = {
    "printed": printed,
    "three_phase": three_phase,
    "geometric": geometric,
    "linear": linear,
    "constant": constant,
}


def schedule(name: str, alpha_final: float, n_episodes: int) -> Callable[[int], float]:
    """The temperature as a function of the number of finished episodes alone.

    Args:
        name: one of `SCHEDULES`.
        alpha_final: α′, in payoff units.
        n_episodes: length of the run.
    """
    return partial(SCHEDULES[name], alpha_final=alpha_final, n_episodes=n_episodes)
