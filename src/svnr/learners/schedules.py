"""Temperature schedules α(step), by name."""

import math
from collections.abc import Callable

Schedule = Callable[[int, float, int], float]


def printed(step: int, alpha_final: float, n_steps: int) -> float:
    """α = α′ + 500 · exp(−0.1 · max(step − 10, 0)), as §8 prints: within 1 of α′ after 73 steps.

    Args:
        step: environment steps taken so far.
        alpha_final: α′.
        n_steps: length of the run; not used.
    """
    return alpha_final + 500 * math.exp(-0.1 * max(step - 10, 0))


def three_phase(step: int, alpha_final: float, n_steps: int) -> float:
    """The printed formula for a third of the run, α′/10 until half, then 0.3.

    An early public version of the experiment code anneals this way; with α′ = 10 the
    temperature ends at 0.3, where a quadratic peak of height 10 earns 10 − 3α/2 = 9.55.
    """
    if step < n_steps / 3:
        return printed(step, alpha_final, n_steps)
    return alpha_final / 10 if step < n_steps / 2 else 0.3


def geometric(step: int, alpha_final: float, n_steps: int) -> float:
    """From 30 to α′ at a constant rate over the first half of the run, then α′."""
    progress = min(2 * step / n_steps, 1.0)
    return 30 ** (1 - progress) * alpha_final**progress


def linear(step: int, alpha_final: float, n_steps: int) -> float:
    """From 6 α′ to α′ at a constant speed over the first four fifths of the run, then α′.

    A network that follows several modes needs time where they part (notebook 07).
    """
    return alpha_final * (1 + 5 * max(0.0, 1 - 1.25 * step / n_steps))


def constant(step: int, alpha_final: float, n_steps: int) -> float:
    """α′ from the first step to the last."""
    return alpha_final


SCHEDULES: dict[str, Schedule] = {
    "printed": printed,
    "three_phase": three_phase,
    "geometric": geometric,
    "linear": linear,
    "constant": constant,
}
