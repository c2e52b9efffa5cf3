"""Temperature schedules α(progress), by name: the "steps" of §8 are episodes here.

In a one-shot game they are the same; in a game with states a run has 5,000 episodes too. Where a
run's length is told in environment steps, they are those. `schedule_unit` makes one of several.
"""

import math
from collections.abc import Callable
from typing import Literal

from svnr.learners.learner import Progress

ScheduleName = Literal["printed", "three_phase", "geometric", "linear", "constant"]
Schedule = Callable[[Progress, float], float]  # of progress and α′
FADES_TO = 1 / 50  # last scale of exploration over first; public code: 0.5, 0.1, then 0.01


def printed(progress: Progress, alpha_final: float) -> float:
    """α = α′ + 500 · exp(−0.1 · max(step − 10, 0)), as §8 prints: within 1 of α′ after 73 of them.

    Args:
        progress: of which only what is done counts, not the length.
        alpha_final: α′.
    """
    return alpha_final + 500 * math.exp(-0.1 * max(progress.done - 10, 0))


def three_phase(progress: Progress, alpha_final: float) -> float:
    """The printed formula for a third of the run, α′/10 until half, then 0.3.

    An early public version of the experiment code anneals this way; with α′ = 10 the
    temperature ends at 0.3, where a quadratic peak of height 10 earns 10 − 3α/2 = 9.55.
    """
    if progress.done < progress.length / 3:
        return printed(progress, alpha_final)
    return alpha_final / 10 if progress.done < progress.length / 2 else 0.3


def geometric(progress: Progress, alpha_final: float) -> float:
    """From 30 to α′ at a constant rate over the first half of the run, then α′."""
    share = min(2 * progress.share, 1.0)
    return 30 ** (1 - share) * alpha_final**share


def linear(progress: Progress, alpha_final: float) -> float:
    """From 6 α′ to α′ at a constant speed over the first four fifths of the run, then α′.

    A network that follows several modes needs time where they part (notebook 08).
    """
    return alpha_final * (1 + 5 * max(0.0, 1 - 1.25 * progress.done / progress.length))


def constant(progress: Progress, alpha_final: float) -> float:
    """α′ from the first step to the last."""
    return alpha_final


SCHEDULES: dict[str, Schedule] = {
    schedule.__name__: schedule for schedule in (printed, three_phase, geometric, linear, constant)
}


def fading(progress: Progress, scale: float, fraction: float) -> float:
    """From `scale` to a fiftieth of it at a constant rate over `fraction` of the run, then so."""
    return scale * FADES_TO ** min(progress.done / (fraction * progress.length), 1.0)
