"""Few seeds treated as few: means and deviations as the paper has them, and intervals beside."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sized

import numpy as np
import pandas as pd
from scipy import stats

# From so many seeds on a kind of run has an interval and a place among others. Of three, the
# interval is their range, and of two equal kinds one pair in ten lies wholly apart by chance.
ENOUGH_SEEDS = 5


def interquartile_mean(scores: np.ndarray, axis: int | None = None) -> np.ndarray:
    """The mean of the middle half of the scores along an axis, or of all; each is one run's."""
    return stats.trim_mean(scores, 0.25, axis=axis)


def bootstrap_interval(scores: np.ndarray) -> tuple[float, float]:
    """The 95 % percentile-bootstrap interval of the interquartile mean, of 10,000 resamples.

    Args:
        scores: [runs] one score a run.

    Returns:
        Lower and upper end, in the scores' units.

    Raises:
        ValueError: if scores is empty or not finite.
    """
    runs = np.asarray(scores, dtype=float)
    if runs.size == 0 or not np.isfinite(runs).all():
        raise ValueError(f"scores must be finite and not empty, got shape {runs.shape}")
    if len(runs) == 1:  # scipy asks for two
        return float(runs[0]), float(runs[0])
    how = {"n_resamples": 10_000, "method": "percentile", "rng": np.random.default_rng(0)}
    low, high = stats.bootstrap((runs,), interquartile_mean, **how).confidence_interval
    return float(low), float(high)


def enough(*kinds: Sized) -> bool:
    """Whether each kind, of so many runs, has the seeds to be ranked."""
    return bool(kinds) and all(len(runs) >= ENOUGH_SEEDS for runs in kinds)


def lies_above(upper: np.ndarray, lower: np.ndarray) -> bool:
    """Whether the bootstrap interval of one lies wholly above the other's; one score a run.

    False where either has fewer than `ENOUGH_SEEDS` runs.
    """
    if not enough(upper, lower):
        return False
    return bootstrap_interval(upper)[0] > bootstrap_interval(lower)[1]


def placed(earned: Mapping[str, np.ndarray], kind: str) -> dict[str, list[str]]:
    """Which kinds of run earn "more" than one of them, "less", or are "not told apart".

    One earns more than another if its bootstrap interval lies wholly above the other's. A kind of
    fewer seeds than `ENOUGH_SEEDS` has no place, and where `kind` has fewer no other has.

    Args:
        earned: kind → what its seeds earn.
        kind: the one that the others are held against.
    """
    known = {name: seeds for name, seeds in earned.items() if enough(seeds)}
    places: dict[str, list[str]] = {"more": [], "less": [], "not told apart": []}
    if (own := known.pop(kind, None)) is not None:
        for name, seeds in known.items():
            above, below = lies_above(seeds, own), lies_above(own, seeds)
            places["more" if above else "less" if below else "not told apart"].append(name)
    return places


def probability_of_improvement(upper: np.ndarray, lower: np.ndarray) -> float:
    """How often a run of one method earns more than a run of another; a tie counts half.

    Args:
        upper: [runs] one score a run.
        lower: [other runs] of the other method.
    """
    gap = np.subtract.outer(np.asarray(upper, float), np.asarray(lower, float))
    return float(((gap > 0) + 0.5 * (gap == 0)).mean())


def smooth(values: np.ndarray, window: int) -> np.ndarray:
    """The mean [T] of each value [T] and the `window` − 1 before it (fewer at the start)."""
    return pd.Series(values).rolling(window, min_periods=1).mean().to_numpy()


def verdict(ours: np.ndarray, theirs: tuple[float, float]) -> str:
    """The rule, fixed before the runs: our mean against the paper's mean ± one spread.

    Args:
        ours: one score a seed.
        theirs: the paper's mean and spread.

    Returns:
        "reproduced" inside the paper's interval, else "higher" or "lower".
    """
    mean, spread = theirs
    gap = round(float(np.mean(ours)) - mean, 2)
    if abs(gap) <= spread:
        return "reproduced"
    return "higher" if gap > 0 else "lower"


def tally(values: Iterable[str]) -> str:
    """How often each value stands there, the most frequent first: "3 higher, 1 lower", "none"."""
    counted = Counter(values).most_common()
    return ", ".join(f"{count} {value}" for value, count in counted) or "none"


def verdicts(beside: pd.DataFrame) -> str:
    """How often each verdict of `tables.beside_paper` was given, cells of few seeds apart."""
    many = beside["seeds"] >= ENOUGH_SEEDS
    told = {f"with {ENOUGH_SEEDS} seeds or more": many, "with fewer": ~many}
    return "; ".join(f"{of}: {tally(beside['verdict'][cells])}" for of, cells in told.items())


def contacts(returns: np.ndarray) -> dict[str, float]:
    """How episodes of Particle Gather ended, as shares, and what they earned on average.

    Args:
        returns: [B].
    """
    ends = {"joint": returns > 0, "solo": returns < 0, "no contact": returns == 0}
    return {**{name: end.mean() for name, end in ends.items()}, "return": returns.mean()}
